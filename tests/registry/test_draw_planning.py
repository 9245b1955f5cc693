"""Who may be drawn, how many of them, and by whom they can be visited."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from registry.clock import day_number
from registry.kinds import KINDS
from registry.kinds.licence import SUBJECTS
from registry.models import Draw, Entity, EntityLabel, GradeState, InspectorConflict, Label
from registry.services import draw_candidates, draw_minutes, draw_planning, draws, frequency, ledger
from registry.services.draw_planning import QuotaRefused
from registry.services.draws import DrawRefused, Filters, NoTeam, NothingToDraw
from registry.services.frequency import PlanTooLarge
from registry.services.labels import UnknownLabel
from tests.conftest import NOW, TODAY
from tests.factories import record
from tests.registry.drawing import ORGAN, commit, crowd, item, run, staff, task_of
from tests.registry.visited import visit_of


@pytest.fixture
def people():
    """Enough of two classes that the bounds leave a number, and who may be sent."""
    staff()
    return list(crowd({"D": 6, "C": 4}))


def pool(made):
    return set(draw_candidates.thaw(made).shown["entity"])


def fits(settings, items=(), **filters):
    """Whom filters and items let in."""
    row = frequency.table(settings).at("general-risk", "general", "D", None, day_number(TODAY))
    found = draw_candidates.find(
        Filters(**filters), items, scheme="general-risk", row_of=lambda *_: row, cap=None, exempt=False, today=TODAY
    )
    return set(found.candidates["entity"])


def licensed(entity, subject, last):
    """A licence of some kind that is valid until a day."""
    kind = KINDS["licence"]
    fields = {
        "document_no": f"许{entity}号",
        "organ": ORGAN,
        "valid_from": date(2025, 1, 1),
        "valid_to": last,
        "subject": subject,
    }
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.state([(entity, kind.state(kind.schema(today=TODAY).load(fields)))], source="test")


def checked(entity, *days):
    for day in days:
        record(entity, "spot_check", checked_on=day, results=[{"code": "1"}], document_no=f"查{day}")


def test_who_is_left_out_is_counted_by_reason_and_listed_in_the_full_minutes(on_sqlite, people):
    capped, recent, busy, ungraded, *rest = people
    Entity.update(kind="individual").where(Entity.id == rest[0]).execute()
    checked(capped, date(2026, 2, 2), date(2026, 3, 3))
    checked(recent, TODAY - timedelta(days=89))
    checked(rest[1], TODAY - timedelta(days=90))
    visit_of(busy, state="open")
    GradeState.delete().where(GradeState.entity == ungraded).execute()
    made = commit(on_sqlite, kind="enterprise")
    assert pool(made) == set(rest[1:])
    assert made.plan["excluded"] == {"annual_cap": 1, "not_graded": 1, "open_visit": 1, "recently_checked": 1}
    codes = {row.id: row.code for row in Entity.select()}
    full = draw_minutes.full(draws.get(run(made).id))
    assert dict(full["excluded_codes"]) == {
        codes[capped]: "annual_cap", codes[recent]: "recently_checked", codes[busy]: "open_visit", codes[ungraded]: "not_graded",
    }  # fmt: skip
    assert full["excluded"] == made.plan["excluded"]


def test_the_cap_does_not_hold_back_a_type_of_task_that_is_named_an_exception(on_sqlite, people):
    checked(people[0], date(2026, 2, 2), date(2026, 3, 3))
    made = commit(on_sqlite, task_of(type="complaint_or_report"))
    assert people[0] in pool(made)


def test_a_class_that_is_visited_once_a_year_at_most_is_left_out_after_one_visit(on_sqlite):
    staff()
    people = list(crowd({"B": 40, "D": 1}))
    checked(people[0], TODAY - timedelta(days=200))
    made = commit(on_sqlite)
    assert made.plan["excluded"] == {"class_limit": 1}


def test_filters_and_items_choose_the_candidates_and_a_key_sees_its_divisions_only(on_sqlite, people):
    here = {row.id for row in Entity.select().where(Entity.division == "990101")}
    other = list(crowd({"D": 4}, kind="individual", industry=1411))
    Label.create(
        code="watched",
        name="重点",
        scope="county",
        division="99",
        licences=[],
        industries=[],
        updated_by="x",
        updated_at=NOW,
    )
    for one in people[:3]:
        EntityLabel.create(label="watched", entity=one, from_on=date(2026, 1, 1), by="x", at=NOW)
    licensed(people[4], "food_operation", date(2027, 1, 1))
    licensed(people[5], "food_operation", TODAY - timedelta(days=1))
    licensed(people[6], "food_production", date(2027, 1, 1))
    tried: list[tuple[dict[str, Any], set[int]]] = [
        ({"division": "990101"}, {one for one in [*people, *other] if one in here or _lies(one, "990101")}),
        ({"divisions": ("990102",)}, {one for one in [*people, *other] if _lies(one, "990102")}),
        ({"industry": "14"}, set(other)),
        ({"kind": "individual"}, set(other)),
        ({"labels": ("watched",)}, set(people[:3])),
        ({"licences": (SUBJECTS.terms["food_operation"].number,)}, {people[4]}),
    ]
    for filters, expected in tried:
        assert fits(on_sqlite, **filters) == expected, filters
    assert pool(commit(on_sqlite, division="990101")) == tried[0][1]
    by_item = [item(subjects=["individual"]), item("C01", labels=["watched"])]
    assert fits(on_sqlite, by_item) == {*other, *people[:3]}
    with pytest.raises(UnknownLabel):
        commit(on_sqlite, labels=("nowhere",))
    with pytest.raises(NothingToDraw, match="Widen the filters"):
        commit(on_sqlite, division="9902")


def _lies(entity, division):
    return Entity.get_by_id(entity).division == division


def test_a_ratio_is_taken_inside_the_bounds_and_refused_with_the_numbers_outside(on_sqlite):
    staff()
    crowd({"C": 20, "D": 1})
    made = commit(on_sqlite, ratios={"C": 5000})
    assert (made.size, made.plan["strata"][0]["row"]) == (11, "general_c")
    with pytest.raises(QuotaRefused, match=r"Class C: 80 % was asked for.*21 % to 60 %"):
        commit(on_sqlite, ratios={"C": 8000})
    with pytest.raises(DrawRefused, match="has no class E"):
        commit(on_sqlite, ratios={"E": 5000})
    with pytest.raises(DrawRefused, match="no strata 'street'"):
        commit(on_sqlite, strata="street")


def test_bounds_that_leave_nobody_are_refused_with_the_numbers(on_sqlite):
    staff()
    crowd({"A": 40, "C": 20})
    with pytest.raises(QuotaRefused, match="Class A: Of 40 candidates row general_a lets at most 0"):
        commit(on_sqlite)
    assert Draw.select().count() == 0


def test_strata_by_division_share_the_number_of_their_class(on_sqlite):
    staff()
    crowd({"D": 9, "C": 6})
    made = commit(on_sqlite, strata="class+division")
    assert [(one["stratum"], one["division"], one["candidates"], one["size"]) for one in made.plan["strata"]] == [
        ("C:990101", "990101", 3, 1), ("C:990102", "990102", 3, 1), ("D:990101", "990101", 5, 3), ("D:990102", "990102", 4, 3),
    ]  # fmt: skip
    crowd({"B": 20})
    with pytest.raises(QuotaRefused, match="1 of 20 may be drawn, and they live in 2 divisions"):
        commit(on_sqlite, strata="class+division")


@limits(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.data())
def test_a_number_is_shared_out_whole_with_at_least_one_each_and_never_more_than_there_are(counts, data):
    there = {f"{place:02}": count for place, count in enumerate(counts)}
    number = data.draw(st.integers(len(counts), sum(counts)))
    seats = draw_planning.share(number, there)
    assert sum(seats.values()) == number
    assert all(1 <= seats[name] <= there[name] for name in there)
    # Nobody with more candidates gets fewer.
    assert all(seats[one] >= seats[other] for one in there for other in there if there[one] > there[other])


def test_a_plan_beyond_the_days_that_there_are_is_refused_with_the_numbers(on_sqlite):
    staff(2, capacity=1)
    crowd({"D": 30})
    with pytest.raises(
        PlanTooLarge, match=r"19 visits of 90 minutes by 2 inspectors each: 10 inspector-days\. There are [1-4]"
    ):
        commit(on_sqlite)
    assert Draw.select().count() == 0


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([{"number": 1}], "has 1 inspector"),
        ([{"number": 4, "state": "suspended"}], "has 0 inspector"),
        ([{"number": 4, "certificates": [{"no": "Z", "kind": "执法证", "until": "2026-12-30"}]}], "has 0 inspector"),
        ([{"number": 4, "items": ["A01"]}], "has 0 inspector"),
        ([{"number": 4, "areas": ["990101"]}], "division 990102"),
    ],
)
def test_who_may_not_be_sent_is_not_counted_on(on_sqlite, people, said):
    crowd({"D": 10})
    for one in people:
        staff(**one)
    with pytest.raises(NoTeam, match=said):
        commit(on_sqlite, task_of(checklist=[item()]))


def test_a_candidate_whom_nobody_may_visit_stops_the_draw_before_it_is_made(on_sqlite):
    (whom, *_) = crowd({"D": 10, "C": 2})
    one, *_ = staff(3)[:2]
    for inspector in (one, one.id + 1):
        InspectorConflict.create(inspector=inspector, entity=whom, why="亲属", from_on=date(2026, 1, 1), by="x", at=NOW)
    with pytest.raises(NoTeam, match=r"1 inspector.*no conflict of interest"):
        commit(on_sqlite)
    InspectorConflict.delete().where(InspectorConflict.inspector == one).execute()
    made = run(commit(on_sqlite))
    full = draw_minutes.full(draws.get(made.id))
    code = Entity.get_by_id(whom).code
    assert full["conflicts"] == [[ORGAN, "0002", code]]
    assert all("0002" not in sent[ORGAN] for codes, sent in full["teams"] if code in codes)
