"""Watching a model: a report for each quarter whose checks are in, and retirement where its chances no longer hold."""

from datetime import date

import pytest

from registry.models import Audit, ModelReport
from registry.services import ledger, model_scores, model_watch, models
from rules.model.forms import Calibration
from tests.conftest import NOW
from tests.factories import registered, statement
from tests.registry.modelling import kept

# The made-up hold-out ends with 2024; the checks of the first quarter of 2025 have 30 days to be entered.
READY, EARLY = date(2025, 5, 2), date(2025, 4, 30)
BAD, GOOD = 44, 176


def promoted(settings):
    return models.promote(kept(settings).id, settings=settings, by="key:乙", now=NOW)[0]


@pytest.fixture
def champion(settings):
    return promoted(settings)


def a_quarter(failed_bad, failed_good, on=date(2025, 2, 3)):
    """One visit of 220 enterprises in a quarter, the first of 2025: 44 with a penalty, to whom the model gives one half, and 176
    without, to whom it gives one fifth."""
    made = [registered() for _ in range(BAD + GOOD)]
    said = []
    for place, entity in enumerate(made):
        bad = place < BAD
        failed = place < failed_bad if bad else place - BAD < failed_good
        if bad:
            said.append((entity, statement("penalty", decided_on=date(2024, 6, 3))))
        results = [{"code": "3" if failed else "1"}]
        said.append(
            (
                entity,
                statement("spot_check", checked_on=on, results=results, document_no=f"检查{on.month}-{place}号"),
            )
        )
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        for kind in ("penalty", "spot_check"):
            pen.cover(kind, "", date(2015, 1, 1), None, source="test")
        pen.state(said, source="test")


def watch(model, settings, today=READY):
    return model_watch.watch(models.get(model.id), settings=settings, today=today, by="job:watch_model", now=NOW)


def test_a_quarter_is_reported_on_once_its_checks_have_had_time_to_be_entered(settings, champion):
    a_quarter(22, 35)
    assert watch(champion, settings, EARLY) == []
    (found,) = watch(champion, settings)
    said = found.report
    assert (found.first, found.retires, said["rows"], said["positives"]) == (date(2025, 1, 1), False, 220, 57)
    assert said["auc"]["low"] < said["auc"]["auc"] < said["auc"]["high"]
    assert said["calibration"]["excess"] < 0.02
    assert (said["findings"], said["gain"]) == ([], None)
    assert set(said["psi"]) == {"score", *[one.id for one in models.bundle_of(champion).features]}
    assert said["base_rate"]["observed"] == 57 / 220
    assert watch(champion, settings) == []
    assert [one.as_dict()["quarter"] for one in model_watch.reports(champion)] == ["2025-01-01"]
    assert models.get(champion.id).state == "champion"


def test_a_quarter_moves_the_line_of_the_next_one_and_the_next_scoring_renews_the_chances(settings, champion):
    """More failures than the chances say, in both quarters: the second one is judged by chances that know of the first."""
    a_quarter(25, 45)
    (first,) = watch(champion, settings)
    line = first.report["calibration_line"]
    assert (line["slope"], line["intercept"]) != (1.0, 0.0)
    assert models.bundle_at(champion).calibration == Calibration(**line)
    assert models.bundle_of(champion).calibration == Calibration(1.0, 0.0)
    model_scores.score_all(settings, day=READY, now=lambda: NOW)
    assert model_scores.mean_chance(champion) > 275_000
    a_quarter(25, 45, date(2025, 5, 6))
    (second,) = watch(champion, settings, date(2025, 8, 2))
    before, after = (one.report["calibration"]["mean_chance"] for one in (first, second))
    assert (before < 0.27, after > before + 0.015) == (True, True)
    assert second.report["calibration_line"] != line


def test_a_quarter_without_a_visit_leaves_the_line(on_sqlite):
    model = promoted(on_sqlite)
    model.metrics = {**model.metrics, "calibration_line": {"slope": 0.9, "intercept": -0.1}}
    model.save()
    (found,) = watch(model, on_sqlite)
    assert found.report["calibration_line"] == {"slope": 0.9, "intercept": -0.1}


def test_a_model_whose_chances_are_off_retires_itself_and_says_why(settings, champion):
    a_quarter(10, 110)
    (found,) = watch(champion, settings)
    row = models.get(champion.id)
    assert (found.retires, row.state, row.retired_by) == (True, "retired", "job:watch_model")
    assert "概率已失准" in row.retired_why
    assert "Chances are off" in row.retired_why
    assert row.retired_why.startswith("2025-01-01")
    assert Audit.get(Audit.verb == "model.retired").actor == "job:watch_model"
    assert models.champion("general-risk", settings) is None


def test_a_retirement_that_was_cut_off_after_its_report_is_made_up_for(settings, champion, monkeypatch):
    a_quarter(10, 110)

    def cut(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(models, "retire", cut)
        with pytest.raises(KeyboardInterrupt):
            watch(champion, settings)
    assert (ModelReport.get().retires, models.get(champion.id).state) == (True, "champion")
    assert watch(champion, settings) == []
    assert models.get(champion.id).state == "retired"


def test_a_quarter_with_few_checks_is_reported_on_and_retires_nobody(on_sqlite):
    model = promoted(on_sqlite)
    (found,) = watch(model, on_sqlite)
    assert (found.report["rows"], found.report["auc"], found.retires) == (0, None, False)
    assert [one["test"] for one in found.report["findings"]] == ["few"]


def test_every_quarter_that_is_over_is_reported_on_in_order(on_sqlite):
    model = promoted(on_sqlite)
    found = watch(model, on_sqlite, date(2025, 12, 31))
    assert [one.first for one in found] == [date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1)]
