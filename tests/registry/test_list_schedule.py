"""The calendar of a list: whole streets a day in the order of the tour, never beyond the inspector-days that there are."""

from datetime import date

import pytest

from registry.clock import day_number
from registry.models import (
    InspectionList,
    InspectionListRow,
    Inspector,
    InspectorAway,
    Task,
    Visit,
    VisitInspector,
    VisitStep,
)
from registry.services import list_schedule
from registry.services.list_schedule import ScheduleBeyondCapacity
from registry.services.tasks import Desk, TaskNotApproved
from tests.conftest import NOW, TODAY
from tests.registry.tables import ORGAN

DESK = Desk("key:planner", ORGAN, TODAY, NOW)
MONDAY = date(2026, 11, 23)  # TODAY is the Saturday before


def inspectors(number, organ=ORGAN, capacity=20):
    return [
        Inspector.create(
            organ=organ, staff_no=f"{place:03}", name=f"检查员{place}", level="county", areas=[""], items=["*"],
            certificates=[{"no": "1", "kind": "k", "until": "2030-01-01"}], capacity=capacity, updated_by="x", updated_at=NOW,
        ).id
        for place in range(number)
    ]  # fmt: skip


def a_list(size=8, *, due=None, state="approved", partners=(), to_on=date(2026, 11, 27)):
    """A list whose positions go against its tour; `due` maps places of the tour to days until the statutory due date."""
    task = Task.create(type="key_supervision", title="t", basis="b", organ=ORGAN, partners=list(partners), items=["i"],
                       from_on=TODAY, to_on=to_on, state=state, created_by="a", decided_by="b", created_at=NOW)  # fmt: skip
    made = InspectionList.create(task=task, scheme="s", filters={}, known=0, size=size, created_by="a", created_at=NOW)
    for tour in range(1, size + 1):
        place = size + 1 - tour
        day = (due or {}).get(tour)
        InspectionListRow.insert(
            list=made, position=place, entity=tour, tour=tour, code=f"C{tour}", name=f"信衡示例{tour}", kind="enterprise",
            division="990101" if tour <= 4 else "990102", address=f"示例路{tour}号", class_="D", score=1, graded_day=1, reasons=[],
            due_day=None if day is None else day_number(TODAY) + day,
        ).execute()  # fmt: skip
        Visit.create(
            task=task, list=made, position=place, entity=tour, slice="priority", inclusion=1_000_000, token=f"t{tour}"
        )
    return InspectionList.select(InspectionList, Task).join(Task).where(InspectionList.id == made.id).get()


def days(made):
    return {one.tour: one.day for one in made.visits}


def test_a_pair_visits_neighbours_on_a_working_day_and_no_day_tells_who_is_due_or_first_on_the_list(on_sqlite):
    inspectors(3)
    # A due date follows from the class: a street that went first for it would tell the field of what class somebody there is.
    found = a_list(due={6: 2, 1: 90})
    made = list_schedule.propose(found, per_day=3, today=TODAY)
    assert (made.inspectors, made.pairs, made.pair_days, made.fits) == (3, 1, 3, True)
    assert [(one.tour, one.day) for one in made.visits] == [
        *((tour, MONDAY) for tour in (1, 2, 3)),
        *((tour, date(2026, 11, 24)) for tour in (4, 5, 6)),
        *((tour, date(2026, 11, 25)) for tour in (7, 8)),
    ]
    assert all("due" not in one and "class" not in one for one in list_schedule.shown(made)["visits"])


def test_as_many_pairs_go_on_one_day_as_there_are_and_away_is_away(on_sqlite):
    people = inspectors(4)
    found = a_list()
    assert set(days(list_schedule.propose(found, per_day=4, today=TODAY)).values()) == {MONDAY}
    for person in people[:3]:
        InspectorAway.create(inspector=person, from_on=MONDAY, to_on=date(2026, 12, 31))
    made = list_schedule.propose(found, per_day=4, today=TODAY)
    assert (made.available, made.fits) == (0, False)  # one inspector goes nowhere alone


def test_a_joint_task_has_the_days_of_the_organ_that_has_fewest(on_sqlite):
    inspectors(6)
    found = a_list(partners=["协作机关"])
    assert list_schedule.propose(found, per_day=4, today=TODAY).available == 0
    inspectors(2, organ="协作机关", capacity=1)
    made = list_schedule.propose(found, per_day=4, today=TODAY)
    assert (made.pairs, made.available, made.fits) == (1, 1, False)


def test_a_list_beyond_the_inspector_days_is_said_with_the_numbers_and_refused_when_set(on_sqlite):
    inspectors(2)
    found = a_list(to_on=date(2026, 11, 25))
    made = list_schedule.propose(found, per_day=2, today=TODAY)
    assert (made.pair_days, made.available, made.fits) == (4, 3, False)
    assert [one.tour for one in made.visits if one.day is None] == [7, 8]
    with pytest.raises(
        ScheduleBeyondCapacity, match=r"takes 4 pair-days .* 2 inspectors have 3 .* 2 visits have no day"
    ):
        list_schedule.plan(found, per_day=2, desk=DESK)
    assert Visit.select().where(Visit.planned_on.is_null(False)).count() == 0


def test_set_days_stay_a_second_time_changes_nothing_and_each_is_a_step(settings):
    inspectors(4)
    found = a_list()
    Visit.update(planned_on=MONDAY).where(Visit.entity == 1).execute()
    Visit.update(state="assigned").where(Visit.entity == 2).execute()
    made, done = list_schedule.plan(found, per_day=3, desk=DESK)
    assert (done, made.planned, len(made.visits)) == (6, 1, 6)
    planned = {row.entity: (row.planned_on, row.version) for row in Visit.select()}
    assert (planned[1], planned[2], planned[3]) == ((MONDAY, 1), (None, 1), (MONDAY, 2))
    step = VisitStep.get()
    assert (step.act, step.by, step.number, step.detail) == ("planned", "key:planner", 1, {"planned_on": "2026-11-23"})
    again, done = list_schedule.plan(found, per_day=1, desk=DESK)
    assert (done, again.visits, again.planned) == (0, [], 7)
    assert {row.entity: (row.planned_on, row.version) for row in Visit.select()} == planned
    assert list_schedule.propose(found, today=TODAY, divisions=("990102",)).planned == 4


def test_who_is_assigned_keeps_his_team_and_gets_a_day_on_which_all_of_it_can_go(settings):
    one, two, three = inspectors(4)[:3]
    InspectorAway.create(inspector=two, from_on=MONDAY, to_on=MONDAY)
    found = a_list()
    Visit.update(state="assigned").where(Visit.entity <= 6).execute()
    for visit in Visit.select().where(Visit.entity <= 6):
        for who in (one, two) if visit.entity <= 4 else (two, three):
            VisitInspector.create(visit=visit, inspector=who, organ=ORGAN)
    made, done = list_schedule.plan(found, per_day=3, desk=DESK)
    tuesday, wednesday, thursday = (date(2026, 11, day) for day in (24, 25, 26))
    # Four are more than a day of three; who goes in both teams is not sent to two streets on one day.
    assert days(made) == {
        1: tuesday, 2: tuesday, 3: tuesday, 4: wednesday, 5: thursday, 6: thursday, 7: MONDAY, 8: MONDAY,
    }  # fmt: skip
    assert (done, made.pair_days, made.fits) == (8, 4, True)
    assert list_schedule.plan(found, per_day=3, desk=DESK)[1] == 0
    assert list_schedule.propose(found, today=TODAY).planned == 8


def test_a_team_without_a_day_in_common_has_none_and_that_is_said(on_sqlite):
    one, two = inspectors(2)
    found = a_list(1)
    InspectorAway.create(inspector=two, from_on=TODAY, to_on=date(2026, 11, 27))
    Visit.update(state="assigned").execute()
    for who in (one, two):
        VisitInspector.create(visit=Visit.get(), inspector=who, organ=ORGAN)
    with pytest.raises(ScheduleBeyondCapacity, match="1 visits have no day"):
        list_schedule.plan(found, per_day=3, desk=DESK)


def test_under_a_task_that_nobody_approved_nothing_is_planned(on_sqlite):
    inspectors(2)
    with pytest.raises(TaskNotApproved):
        list_schedule.plan(a_list(state="draft"), per_day=8, desk=DESK)
