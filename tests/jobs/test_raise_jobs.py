"""The job that suggests raises, and that whatever grades ends what may not stand any more."""

from jobs import runner
from jobs.tasks import named
from registry.models import GradeRaise, JobRun
from tests.conftest import NOW
from tests.registry.raising import champion, confirmed, off, state_of, town


def run(name, settings, minutes=0):
    runner.by_hand(named(name), settings, actor="test", now=lambda: NOW + minutes * 60_000)
    return JobRun.select().where(JobRun.job == name).order_by(JobRun.id.desc()).first()


def test_the_job_suggests_and_says_how_many(on_sqlite):
    champion(on_sqlite)
    town(on_sqlite)
    found = run("suggest_raises", on_sqlite)
    assert (found.state, found.result["suggested"], found.result["above"]) == ("done", 1, 1)
    assert run("suggest_raises", on_sqlite, 1).result["suggested"] == 0


def test_the_nightly_grading_ends_every_raise_once_models_are_switched_off(on_sqlite):
    row = confirmed(on_sqlite)
    raised = state_of(row.entity)[0]
    assert run("grade_due", on_sqlite).state == "done"
    assert (GradeRaise.get_by_id(row.id).state, state_of(row.entity)[0]) == ("confirmed", raised)
    assert run("grade_due", off(on_sqlite), 1).state == "done"
    assert (GradeRaise.get_by_id(row.id).state, state_of(row.entity)[0]) == ("ended", row.class_)
