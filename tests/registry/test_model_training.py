"""From the ledger to a champion: split in time, deterministic, one look at the hold-out, refused where there is too little."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from registry.clock import day_number
from registry.models import Audit, Model, ModelOpening, Record
from registry.services import ledger, model_cards, model_frames, model_training, models
from registry.services.model_cards import NotEvaluated
from registry.services.model_frames import NotEnough, window_of
from registry.services.model_openings import TestPeriodOpened
from registry.services.model_training import TrainingRefused
from rules.model.recipe import Feature
from rules.model.units import Outcome
from tests.conftest import NOW, TODAY
from tests.factories import statement
from tests.registry.modelling import RECIPE, a_town


def train(settings, **given):
    fields = {
        "recipe": RECIPE,
        "today": TODAY,
        "by": "key:甲",
        "now": NOW,
        "first": date(2023, 1, 1),
        "until": date(2026, 1, 1),
        **given,
    }
    return model_training.train(settings, **fields)


def evaluate(settings, number, **given):
    return model_training.evaluate(settings, number, **{"by": "key:甲", "now": NOW, **given})


def days(*texts):
    return [day_number(date.fromisoformat(text)) for text in texts]


# --- the split -----------------------------------------------------------------------------------------------------


def test_quarters_are_split_in_time_and_the_one_at_work_is_left_out():
    window = window_of(date(2023, 2, 7), date(2026, 2, 20))
    assert [window.train_from, window.train_until, window.calibrate_from, window.calibrate_until, window.test_from, window.test_until] == days(
        "2023-01-01", "2024-10-01", "2024-10-01", "2025-04-01", "2025-04-01", "2026-01-01"
    )  # fmt: skip


def test_hold_out_and_calibration_have_at_most_a_year():
    window = window_of(date(2008, 1, 1), date(2026, 1, 1))
    assert [window.calibrate_from, window.test_from, window.test_until] == days(
        "2024-01-01", "2025-01-01", "2026-01-01"
    )


def test_fewer_than_four_quarters_are_refused_with_their_number():
    with pytest.raises(NotEnough, match=r"there are 3 whole quarters.*need 4"):
        window_of(date(2025, 5, 1), date(2026, 1, 15))


# --- training ------------------------------------------------------------------------------------------------------


def test_a_town_teaches_a_scorecard_and_its_challenger_which_are_judged_once_and_promoted(settings):
    a_town()
    told = []
    made = train(settings, progress=lambda step, done, total: told.append(step))
    assert (made.new, made.model.form, made.model.state, made.challenger.form, made.challenger.state) == (
        True, "scorecard", "trained", "boosted", "challenger",
    )  # fmt: skip
    assert list(dict.fromkeys(told)) == ["features", "rules", "leaks", "scorecard", "boosted"]
    assert made.units["train"]["visits"] > made.units["test"]["visits"] > 100
    bundle = models.bundle_of(made.model)
    both = [made.units[part] for part in ("train", "calibrate")]
    assert (bundle.rows, bundle.positives) == tuple(sum(part[name] for part in both) for name in ("visits", "failures"))
    assert (models.report_of(made.model), ModelOpening.select().count()) == (None, 0)
    with pytest.raises(NotEvaluated, match=f"xinheng model evaluate {made.model.id}"):
        model_cards.html(made.model)

    found = evaluate(settings, made.model.id)
    assert (found.new, found.opening.first, found.report["orders"]["model"]["auc"] > 0.6) == (True, True, True)
    assert found.report["base_rate"]["n"] == made.units["test"]["visits"]
    assert {"model", "boosted", "rules", "business_as_usual", "overdue", "random", "oracle"} <= set(
        found.report["orders"]
    )
    # Chances follow the outcomes from quarter to quarter: those of the first one are by the line of the training.
    bent = abs(models.bundle_at(models.get(made.model.id)).calibration.intercept - bundle.calibration.intercept)
    quarters = found.report["periods"]
    assert (len(quarters) > 1, bent > 0.001) == (True, True)
    held = models.get(made.challenger.id)
    assert models.bundle_at(held).calibration != models.bundle_of(held).calibration
    assert (held.gain_low, models.report_of(held)["orders"]["model"]["auc"]) == (
        int(held.gain_low), found.report["orders"]["boosted"]["auc"],
    )  # fmt: skip
    assert [row.verb for row in Audit.select().where(Audit.verb.startswith("model")).order_by(Audit.id)] == [
        "model.trained", "model.trained", "model.opened", "model.evaluated", "model.evaluated",
    ]  # fmt: skip
    page = model_cards.html(models.get(made.model.id))
    assert "<svg" in page
    assert "<script" not in page


def test_the_same_ledger_window_and_seed_give_the_same_model_in_ranges_of_any_size(on_sqlite):
    a_town(45)
    recipe = replace(RECIPE, least_rows=100)
    first = train(on_sqlite, recipe=recipe)
    small = replace(on_sqlite, grading=replace(on_sqlite.grading, range_size=7))
    again = train(small, recipe=recipe)
    assert (again.new, again.model.id, again.challenger.id, Model.select().count()) == (
        False,
        first.model.id,
        first.challenger.id,
        2,
    )


def test_what_was_entered_later_is_not_known_as_of_a_number(on_sqlite):
    a_town(45)
    recipe, known = replace(RECIPE, least_rows=100), ledger.head()
    first = train(on_sqlite, recipe=recipe, known=known)
    a_town(10, seed=9)
    assert train(on_sqlite, recipe=recipe, known=known).model.hash == first.model.hash
    assert train(on_sqlite, recipe=recipe).model.hash != first.model.hash


def test_an_evaluated_model_shows_what_stands_and_another_one_needs_a_reason_to_look(on_sqlite):
    a_town(45)
    recipe = replace(RECIPE, least_rows=100)
    first = train(on_sqlite, recipe=recipe)
    told = evaluate(on_sqlite, first.model.id)
    again = evaluate(on_sqlite, first.challenger.id)
    assert (again.new, again.opening, ModelOpening.select().count()) == (False, None, 1)
    other = train(on_sqlite, recipe=replace(recipe, l2=(20.0,)))
    with pytest.raises(TestPeriodOpened, match="--again WHY"):
        evaluate(on_sqlite, other.model.id)
    assert models.report_of(models.get(other.model.id)) is None
    looked = evaluate(on_sqlite, other.model.id, again="正则强度更正")
    assert (looked.opening.first, looked.opening.why) == (False, "正则强度更正")
    assert looked.report["base_rate"] == told.report["base_rate"]
    pages = [model_cards.html(models.get(one.model.id)) for one in (first, other)]
    assert ["no proof" in page and "正则强度更正" in page for page in pages] == [False, True]


# --- refused -------------------------------------------------------------------------------------------------------


def test_without_a_check_nothing_can_be_learnt(on_sqlite):
    with pytest.raises(NotEnough, match="No check 抽查检查 is on record"):
        train(on_sqlite)


def test_too_few_visits_are_refused_with_what_there_is_and_what_is_needed(on_sqlite):
    a_town(6)
    with pytest.raises(
        NotEnough, match=r"训练期 training .*: \d+ visits, \d+ of them.*needed are 200 visits, 20 with.*保留期 hold-out"
    ) as refused:
        train(on_sqlite)
    assert "rules stay" in refused.value.detail
    assert Model.select().count() == 0


def test_a_failure_that_nobody_has_is_refused(on_sqlite):
    a_town(20)
    with pytest.raises(NotEnough, match="0 of them with a failure"):
        train(on_sqlite, outcome=Outcome(3, 9))


@pytest.mark.parametrize("id_", ["inspector_rate", "no_such_indicator"])
def test_a_feature_that_the_scheme_has_not_is_refused_by_name(on_sqlite, id_):
    a_town(20)
    recipe = replace(RECIPE, features=(*RECIPE.features, Feature(id_, "up", "it is said")))
    with pytest.raises(TrainingRefused, match=id_):
        train(on_sqlite, recipe=recipe)


def test_a_recipe_for_another_scheme_is_refused(on_sqlite):
    a_town(4)
    with pytest.raises(TrainingRefused, match=r"\[model\] scheme"):
        train(on_sqlite, recipe=replace(RECIPE, scheme="general-risk"))


def test_the_kind_of_subject_and_the_industry_may_stay_as_they_are_for_ever(on_sqlite):
    a_town(45, subjects=("enterprise", "individual", "cooperative", "individual"))
    kinds = Feature("subject", "none", "kinds of subject differ")
    made = train(on_sqlite, recipe=replace(RECIPE, least_rows=100, features=(*RECIPE.features, kinds)))
    assert "subject" in {one.id for one in models.bundle_of(made.model).features}


def test_a_feature_that_holds_the_outcome_is_caught_and_named_before_anything_is_stored(on_sqlite, monkeypatch):
    a_town(45)
    honest = model_frames.with_features

    def leaking(chosen, *rest):
        made = honest(chosen, *rest)
        return made.with_columns(visits_3y=chosen["y"].cast(int)) if "y" in chosen.columns else made

    monkeypatch.setattr(model_frames, "with_features", leaking)
    with pytest.raises(TrainingRefused, match="visits_3y"):
        train(on_sqlite, recipe=replace(RECIPE, least_rows=100))
    assert Model.select().count() == 0


def test_a_duplicate_of_the_visit_with_a_shifted_date_is_caught_and_named(on_sqlite):
    a_town(45)
    copied = []
    for row in Record.select().where(Record.kind == "spot_check"):
        start = date(row.happened_on.year, 3 * ((row.happened_on.month - 1) // 3) + 1, 1)
        fields = {name: row.detail[name] for name in ("serious_found", "problems_found", "results")}
        said = statement(
            "spot_check", checked_on=start - timedelta(days=1), document_no=f"重{row.seq}号", purpose="other", **fields
        )
        copied.append((row.entity_id, said))
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.state(copied, source="twice")
    with pytest.raises(TrainingRefused, match=r"last days before the list are withheld|duplicates with a shifted date"):
        train(on_sqlite, recipe=replace(RECIPE, least_rows=100))


def test_who_was_visited_last_stands_below_who_was_never_visited(on_sqlite):
    a_town(12, quarters=4)
    known = ledger.head()
    window = window_of(date(2022, 1, 1), date(2023, 1, 1))
    from registry.services import book

    scheme = book.shipped(on_sqlite)["inspection-record"]
    made = model_frames.table(
        scheme, outcome=Outcome(), rule=model_training.UnitRule(), periods=model_frames.periods_of(window, "train"), known=known,
        range_size=100,
    )  # fmt: skip
    waited = made.with_columns(model_frames.overdue(made, model_frames.all_visits(known, 100)))
    first, second = (
        waited.filter(waited["period"] == window.train_from),
        waited.filter(waited["period"] > window.train_from),
    )
    assert first["overdue"].min() > second["overdue"].max()
    assert 0 < second["overdue"].min() < 100
