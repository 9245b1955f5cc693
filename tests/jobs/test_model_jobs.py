"""By night the models score everyone, after the grading; each week they are watched."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from jobs.schedule import trigger
from jobs.tasks import JOBS
from registry import config
from registry.errors import RegistryError
from registry.models import Audit, GradeState, ModelScore
from registry.services import grading, models
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.jobs.test_tasks import run
from tests.registry.modelling import kept, scheme_of, scorecard
from tests.registry.test_model_watch import READY, a_quarter


def champion(settings, **given):
    return models.promote(kept(settings, **given).id, settings=settings, by="key:乙", now=NOW)[0]


def chances():
    return [
        row.chance for row in GradeState.select().where(GradeState.scheme == "general-risk").order_by(GradeState.entity)
    ]


def test_the_nightly_job_scores_everyone_and_says_what_it_did(settings):
    record(registered())
    registered()
    grading.due(grading.scheme_named(settings), day=TODAY)
    model = champion(settings)
    ran = run("score_model", settings)
    assert (ran.state, ran.result["entities"], ran.result["chances"]) == ("done", 2, 2)
    assert ran.result["models"][str(model.id)] == {"scored": 2, "no_ground": 0, "written": 2}
    assert chances() == [500_000, 200_000]
    assert run("score_model", settings).result["chances"] == 0


def test_switched_off_the_nightly_job_clears_what_stands(settings):
    registered()
    grading.due(grading.scheme_named(settings), day=TODAY)
    champion(settings)
    run("score_model", settings)
    ran = run("score_model", replace(settings, model=replace(settings.model, use="off")))
    assert (ran.state, ran.result["models"], chances()) == ("done", {}, [0])
    assert ModelScore.select().count() == 1


def test_the_weekly_job_retires_a_model_that_drifted(settings):
    a_quarter(10, 110)
    model = champion(settings)
    ran = run("watch_model", settings, on=READY, now=1_746_144_000_000)
    assert (ran.state, ran.items, ran.failures) == ("done", 1, 0)
    assert ran.result[str(model.id)][0]["retires"] is True
    assert models.get(model.id).state == "retired"
    assert Audit.get(Audit.verb == "model.retired").actor == "job:watch_model"
    assert run("watch_model", settings, on=READY, now=1_746_144_000_000).items == 0


def test_a_model_whose_bundle_cannot_be_read_is_reported_and_the_others_are_watched(on_sqlite):
    model = champion(on_sqlite)
    other = kept(on_sqlite, name="second")
    models.shadow(other.id, by="key:甲", now=NOW)
    model.bundle = replace(scorecard(scheme_of(on_sqlite)), base=7).to_json()
    model.save()
    ran = run("watch_model", on_sqlite)
    assert (ran.items, ran.failures, str(other.id) in ran.result) == (2, 1, True)
    assert f"model {model.id}" in ran.error
    assert "was changed" in ran.error


def test_scores_come_after_the_grading_of_the_night_and_before_the_day():
    settings = config.load(environ={})
    start = datetime.fromisoformat("2026-11-21T12:00:00+08:00")
    scored = trigger(JOBS["score_model"], settings).get_next_fire_time(None, start)
    graded = trigger(JOBS["grade_due"], settings).get_next_fire_time(None, start)
    assert (graded < scored, scored.hour < 7) == (True, True)


@pytest.mark.parametrize("name", ["score_model", "watch_model"])
def test_no_other_day_is_scored_or_watched(on_sqlite, name):
    with pytest.raises(RegistryError, match="xinheng model evaluate"):
        run(name, on_sqlite, on=date(2026, 11, 1))
