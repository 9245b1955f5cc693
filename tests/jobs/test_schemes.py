"""The job that ends the trials of proposed schemes, and the nightly run on the day on which a proposal comes into force."""

from datetime import date, timedelta

from jobs import runner
from jobs.tasks import named
from registry.models import GradeState, JobRun, SchemeProposal
from registry.services import scheme_shadows
from tests.conftest import NOW, TODAY
from tests.registry.proposing import ANNA, BEN, CARL, LATER, approved, compared, district, graded, heavier, proposed


def run(settings, name: str, today: date) -> JobRun:
    moment = NOW + (today - TODAY) // timedelta(milliseconds=1)
    return runner.by_hand(named(name), settings, actor="test", on=today, now=lambda: moment + JobRun.select().count())


def test_a_trial_ends_and_its_proposal_grades_on_the_night_on_which_it_comes_into_force(settings):
    _, bad = district(settings)
    was = GradeState.get((GradeState.scheme == "general-risk") & (GradeState.entity == bad)).score
    number = proposed(settings, heavier(settings)).proposal.id
    scheme_shadows.switch(number, on=True, by=ANNA, now=NOW, today=TODAY)
    graded(settings)
    compared(settings, number)
    for by in (BEN, CARL):
        approved(settings, number, by)

    def night(day):
        said = run(settings, "end_shadows", day)
        assert (said.state, run(settings, "grade_due", day).state) == ("done", "done")
        rows = GradeState.select().where(GradeState.entity == bad)
        return said.result["removed"], {row.scheme: row.score for row in rows}

    removed, scores = night(LATER - timedelta(days=1))
    assert (removed, scores["general-risk"], f"shadow-{number}" in scores) == (0, was, True)
    removed, scores = night(LATER)
    assert (removed, list(scores)) == (2, ["general-risk"])
    assert scores["general-risk"] > was
    assert SchemeProposal.get_by_id(number).shadow is False
