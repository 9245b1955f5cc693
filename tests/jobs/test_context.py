"""The monthly build of the context, and that grades which read one are due after it."""

from datetime import datetime, timedelta

from jobs.schedule import trigger
from jobs.tasks import JOBS
from registry import config
from registry.models import GradeContext
from registry.services import context_building
from registry.services.leases import acquire
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.jobs.test_tasks import run
from tests.registry.relating import relate


def test_the_job_builds_the_context_of_the_day_once(settings):
    relate(registered(), registered())
    ran = run("build_context", settings)
    assert (ran.state, ran.result["said"], ran.result["values"], ran.result["entities"]) == ("done", "built", 2, 2)
    assert run("build_context", settings).result["said"] == "unchanged"
    assert [row.hash for row in GradeContext.select()] == [ran.result["hash"]]


def test_a_build_beside_another_one_is_reported_and_leaves_nothing(settings):
    acquire(context_building.LEASE, now=NOW, length=3_600_000)
    ran = run("build_context", settings)
    assert (ran.state, "Another build" in ran.error, GradeContext.select().count()) == ("failed", True, 0)


def test_it_runs_before_everyone_is_graded():
    settings = config.load(environ={})
    start = datetime.fromisoformat("2026-11-21T12:00:00+08:00")
    built = trigger(JOBS["build_context"], settings).get_next_fire_time(None, start)
    graded = trigger(JOBS["grade_all"], settings).get_next_fire_time(None, start)
    assert built < graded < built + timedelta(hours=2)
    assert built.date() > TODAY
