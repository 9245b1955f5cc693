"""A proposal graded alongside: it is told of in its report, and has no effect on anything else."""

from datetime import timedelta

import pytest

from jobs import runner
from jobs.tasks import named
from registry import clock
from registry.database import execute
from registry.models import Entity, Grade, GradeChange, GradeRun, GradeState, JobRun, SchemeProposal, Stale
from registry.services import book, governance, grading, scheme_shadows
from registry.services.scheme_proposals import ProposalNotFound
from registry.services.scheme_shadows import ShadowRefused
from rules.scheme import load_files
from tests.conftest import NOW, TODAY
from tests.factories import record
from tests.registry import worlds
from tests.registry.proposing import (
    ANNA,
    BEN,
    CARL,
    LATER,
    approved,
    compared,
    dated,
    district,
    graded,
    heavier,
    local,
    proposed,
    without_blame,
)


def switched(number, on=True, today=TODAY):
    return scheme_shadows.switch(number, on=on, by=ANNA, now=NOW, today=today)


def shadows():
    return GradeState.select().where(GradeState.scheme.startswith("shadow-")).count()


def everything_else():
    """All that grades leave behind, and anything but the trial's own rows of it."""
    return [
        execute("SELECT * FROM grade ORDER BY 1, 2, 3, 4").fetchall(),
        execute("SELECT * FROM grade_change ORDER BY 1").fetchall(),
        execute("SELECT * FROM grade_state WHERE scheme NOT LIKE ? ORDER BY 1, 2", ("shadow-%",)).fetchall(),
        execute("SELECT * FROM record ORDER BY 1").fetchall(),
    ]


@pytest.fixture
def tried(settings):
    """The district, and the number of a proposal that is graded alongside."""
    district(settings)
    number = proposed(settings).proposal.id
    switched(number)
    graded(settings)
    return number


def test_a_trial_leaves_no_history_no_change_and_no_other_grade(settings):
    _, bad = district(settings)
    before = everything_else()
    switched(proposed(settings).proposal.id)
    graded(settings)
    assert shadows() == 2
    assert everything_else() == before
    record(bad)
    graded(settings)
    assert {row.scheme for row in GradeChange.select()} == {"general-risk"}
    assert Grade.select().where(Grade.version.in_(SchemeProposal.select(SchemeProposal.version))).count() == 0


def test_the_report_puts_the_trial_beside_what_is_in_force(tried, settings):
    without_blame(3)  # registered since, graded under neither
    found = scheme_shadows.report(tried)
    assert (found.scheme, found.same, found.better, found.worse) == ("general-risk", 1, 0, 1)
    assert (found.only_shadow, found.only_in_force) == (0, 0)
    (one,) = found.differ
    assert one["shadow_score"] > one["score"]
    assert found.classes["enterprise"]["A"] == [1, 1]
    assert found.classes["enterprise"][one["class"]] == [1, 0]
    assert found.classes["enterprise"][one["shadow_class"]] == [0, 1]
    assert scheme_shadows.report(tried, most=0).differ == []
    assert scheme_shadows.report(tried, divisions=("9902",)).classes == {}
    assert scheme_shadows.report(tried, divisions=("9902", "9901")).worse == 1


def test_who_stands_under_one_alone_is_counted_apart(settings):
    district(settings)
    number = proposed(settings, local("general-risk")).proposal.id
    switched(number)
    graded(settings)
    execute("DELETE FROM grade_state WHERE scheme = 'general-risk' AND class = 'A'")
    assert scheme_shadows.report(number).only_shadow == 1
    execute("DELETE FROM grade_state WHERE scheme <> 'general-risk'")
    assert scheme_shadows.report(number).only_in_force == 1


def test_a_trial_that_is_switched_off_leaves_nothing(tried, monkeypatch):
    monkeypatch.setattr(scheme_shadows, "CHUNK", 1)
    GradeRun.create(scheme=f"shadow-{tried}", version=1, day=1, known=1, state="done", started_at=1)
    Stale.create(scheme=f"shadow-{tried}", entity=1, seq=1)
    GradeState.update(scheme="shadow-10").where(
        GradeState.scheme == f"shadow-{tried}", GradeState.entity == 1
    ).execute()
    assert switched(tried, on=False) == (SchemeProposal.get_by_id(tried), True)
    assert [row.scheme for row in GradeState.select().where(GradeState.scheme.startswith("shadow-"))] == ["shadow-10"]
    assert GradeRun.select().where(GradeRun.scheme.startswith("shadow-")).count() == 0
    assert Stale.select().where(Stale.scheme.startswith("shadow-")).count() == 0
    assert switched(tried, on=False)[1] is False
    with pytest.raises(ShadowRefused, match=f"shadow {tried} --on"):
        scheme_shadows.report(tried)


def test_a_trial_that_was_switched_on_again_is_graded_again(tried, settings):
    switched(tried, on=False)
    switched(tried)
    graded(settings)
    assert shadows() == 2


def test_a_trial_ends_with_its_proposal(settings):
    district(settings)
    numbers = [proposed(settings, local(id_)).proposal.id for id_ in ("one", "two")]
    for number in numbers:
        switched(number)
    graded(settings)
    assert shadows() == 4
    governance.withdraw(numbers[0], why="误", by=ANNA, now=NOW)
    assert shadows() == 2
    governance.refuse(numbers[1], why="误", by=BEN, now=NOW)
    assert shadows() == 0


def test_a_trial_ends_on_the_day_on_which_its_proposal_comes_into_force(tried, settings):
    compared(settings, tried)
    for by in (BEN, CARL):
        approved(settings, tried, by)
    assert shadows() == 2
    assert scheme_shadows.end(LATER - timedelta(days=1), by="job:end_shadows", now=NOW) == 0
    assert scheme_shadows.end(LATER, by="job:end_shadows", now=NOW) == 2
    assert (shadows(), f"shadow-{tried}" in grading.schemes(settings)) == (0, False)
    with pytest.raises(ShadowRefused, match="is in force"):
        switched(tried, today=LATER)


def test_a_trial_ends_at_once_where_its_proposal_holds_from_today(settings):
    district(settings)
    number = proposed(settings, from_day=TODAY).proposal.id
    switched(number)
    graded(settings)
    compared(settings, number)
    for by in (BEN, CARL):
        approved(settings, number, by)
    assert shadows() == 0


def test_what_a_run_writes_after_its_trial_was_over_is_swept_up(tried):
    rows = execute("SELECT entity FROM grade_state WHERE scheme = ?", (f"shadow-{tried}",)).fetchall()
    SchemeProposal.update(shadow=False).execute()
    assert scheme_shadows.end(TODAY, by="job:end_shadows", now=NOW) == len(rows) == 2


def test_a_trial_follows_the_content_of_its_proposal_and_stops_at_a_draft(tried, settings):
    governance.revise(settings, tried, files=heavier(settings, 10), by=ANNA, today=TODAY, now=NOW)
    graded(settings)
    report = scheme_shadows.report(tried)
    assert (report.better, report.worse) == (1, 0)
    broken = heavier(settings) | {"scheme.toml": heavier(settings)["scheme.toml"].replace("lowest", "lowst")}
    governance.revise(settings, tried, files=broken, by=ANNA, today=TODAY, now=NOW)
    assert (shadows(), SchemeProposal.get_by_id(tried).shadow) == (0, False)


def test_a_draft_and_a_fourth_trial_are_refused(on_sqlite):
    draft = proposed(on_sqlite, {"scheme.toml": "["}).proposal.id
    with pytest.raises(ShadowRefused, match="is draft"):
        switched(draft)
    numbers = [proposed(on_sqlite, local(id_)).proposal.id for id_ in ("one", "two", "three", "four")]
    for number in numbers[:3]:
        assert switched(number)[1]
    assert not switched(numbers[0])[1]
    with pytest.raises(ShadowRefused, match=f"xinheng scheme shadow {numbers[0]} --off"):
        switched(numbers[3])
    with pytest.raises(ProposalNotFound):
        switched(99)


def day_of_trial(number):
    return {clock.day_of(row.day) for row in GradeState.select().where(GradeState.scheme == f"shadow-{number}")}


def night(settings, today):
    """The nightly run of that day, as the worker does it."""
    moment = NOW + (today - TODAY) // timedelta(milliseconds=1)
    done = runner.by_hand(
        named("grade_due"), settings, actor="test", on=today, now=lambda: moment + JobRun.select().count()
    )
    assert done.state == "done"


def test_a_trial_shows_what_a_value_that_begins_on_its_first_day_will_do(settings):
    _, bad = district(settings)
    content = load_files(dated(settings, LATER), "general-risk", book.numbers())
    number = SchemeProposal.create(
        scheme=content.id, version=book.version_of(content), files={}, reason="a test", state="checked", shadow=True,
        from_day=clock.day_number(LATER), proposed_by=ANNA, proposed_at=NOW,
    ).id  # fmt: skip
    before = everything_else()
    night(settings, TODAY)
    report = scheme_shadows.report(number)
    assert (report.worse, report.as_of, day_of_trial(number)) == (1, LATER.isoformat(), {LATER})
    assert [Entity.get(Entity.code == row["code"]).id for row in report.differ] == [bad]
    assert everything_else() == before
    record(bad)
    for kind in ("grade_stale", "grade_due"):
        runner.by_hand(named(kind), settings, actor="test", on=TODAY, now=lambda: NOW + JobRun.select().count())
    assert day_of_trial(number) == {LATER}
    assert {row.day for row in GradeState.select().where(GradeState.scheme == "general-risk")} <= {
        clock.day_number(TODAY)
    }


def test_a_trial_whose_first_day_moves_is_graded_anew_as_of_it(settings, monkeypatch):
    monkeypatch.setattr(scheme_shadows, "CHUNK", 1)
    district(settings)
    number = proposed(settings).proposal.id
    switched(number)
    assert scheme_shadows.report(number).as_of == ""
    for first in (LATER, LATER - timedelta(days=3), LATER + timedelta(days=400)):
        governance.revise(settings, number, from_day=first, by=ANNA, today=TODAY, now=NOW)
        night(settings, TODAY)
        report = scheme_shadows.report(number)
        assert (shadows(), report.as_of) == (2, first.isoformat())
    assert scheme_shadows.turn_back("general-risk", TODAY - timedelta(days=9)) == 0
    assert GradeState.select().where(GradeState.scheme == "general-risk").count() == 2


def test_a_trial_that_is_over_says_so_and_what_its_grades_are_now(settings):
    district(settings)
    number = proposed(settings, from_day=TODAY).proposal.id
    switched(number)
    compared(settings, number)
    for by in (BEN, CARL):
        approved(settings, number, by)
    with pytest.raises(ShadowRefused, match=f"its trial is over: from {TODAY} on its grades are those of general-risk"):
        scheme_shadows.report(number)
    gone = proposed(settings, local()).proposal.id
    switched(gone)
    governance.withdraw(gone, why="误", by=ANNA, now=NOW)
    with pytest.raises(ShadowRefused, match="withdrawn: its trial is over"):
        scheme_shadows.report(gone)


def test_a_class_that_persons_have_set_stands_in_the_trial_too(settings):
    good, _ = district(settings)
    worlds.set_class(good, "D", TODAY, LATER)
    number = proposed(settings).proposal.id
    switched(number)
    graded(settings)
    report = scheme_shadows.report(number)
    assert good not in [Entity.get(Entity.code == row["code"]).id for row in report.differ]
    assert GradeState.get(GradeState.scheme == f"shadow-{number}", GradeState.entity == good).class_ == "D"


def test_a_trial_that_begins_again_is_not_taken_for_one_that_was_graded(tried, settings):
    version = GradeRun.get(GradeRun.scheme == f"shadow-{tried}").version
    switched(tried, on=False)
    GradeRun.create(scheme=f"shadow-{tried}", version=version, day=1, known=1, state="done", started_at=1)
    switched(tried)
    graded(settings)
    assert shadows() == 2
