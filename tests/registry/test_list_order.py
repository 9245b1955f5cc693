"""The order of a list: overdue, class, chance × harm, score, code; who may not be visited is passed over, and counted."""

from datetime import date, timedelta

import numpy as np
import pytest

from registry.clock import day_number
from registry.database import db, execute
from registry.errors import NothingToList
from registry.models import Entity, InspectionListRow, Label, Visit, VisitDue
from registry.services import frequency, grading, list_order, list_slice, list_views, lists, merges, tasks
from registry.services.lists import Ask, CodesRefused, Filters, RandomShareNeeded, Seeds
from registry.services.tasks import Desk, TaskConflict
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.tables import ORGAN

DESK = Desk("key:x", ORGAN, TODAY, NOW)
SEEDS = Seeds(b"s" * 32, b"t" * 32)


def item(code, harm, *, subjects=(), labels=()):
    return {
        "code": code, "name": f"事项{code}", "basis": "b", "nature": "general", "method": "on_site", "department": ORGAN,
        "subjects": list(subjects), "labels": list(labels), "minutes": 60, "harm": harm, "questions": [],
    }  # fmt: skip


def task_of(*checklist, type="statutory"):
    made = tasks.create(type=type, title="t", basis="b", organ=ORGAN, items=["文字事项"], from_on=TODAY,
                        to_on=TODAY + timedelta(days=30), actor="key:x", now=NOW)  # fmt: skip
    made.checklist = list(checklist)
    made.save()
    return made


def label(code, **given):
    return Label.insert(code=code, name=code, scope="province", licences=[], **{"industries": [], **given}, updated_by="x",
                        updated_at=NOW).execute()  # fmt: skip


@pytest.fixture
def crowd(settings):
    return crowded(settings)


@pytest.fixture
def lone_crowd(on_sqlite):
    return crowded(on_sqlite)


def crowded(settings):
    """Nine entities under one scheme: 0 to 5 of the best class, 6 to 8 of a worse one; kinds and industries in turns."""
    ids = [
        registered(
            credit_code(number=number), name=f"信衡示例{number}", industry=(1300, 5200, 6200)[number % 3],
            subject=("enterprise", "individual")[number % 2], address=f"示例路{number + 1}号",
        )
        for number in range(9)
    ]  # fmt: skip
    scheme = grading.scheme_named(settings)
    grading.due(scheme, day=TODAY)
    # What is tested is the order of stored grades, whatever the rules would say.
    for first, last, rank in ((ids[0], ids[5], 0), (ids[6], ids[8], 3)):
        execute(
            "UPDATE grade_state SET class = ?, rank = ?, score = 500 WHERE entity BETWEEN ? AND ?",
            (scheme.classes[rank], rank, first, last),
        )
    return scheme, ids, settings


def pull(crowd, task, size=50, share=0, codes=(), desk=DESK, seeds=SEEDS, **filters):
    scheme, _, settings = crowd
    return lists.pull(
        task, scheme, Ask(Filters(**filters), size, share, tuple(codes)), settings=settings, desk=desk, seeds=seeds
    )


def order(made):
    rows = InspectionListRow.select().where(InspectionListRow.list == made.id).order_by(InspectionListRow.position)
    return [row.entity for row in rows]


def chances(ids, *values):
    for entity, value in zip(ids, values, strict=True):
        execute("UPDATE grade_state SET chance = ? WHERE entity = ?", (value, entity))


def test_whoever_is_overdue_comes_first_the_longest_overdue_before_the_others(crowd):
    _, ids, _ = crowd
    for entity, days in ((ids[0], -3), (ids[1], -40), (ids[7], 0), (ids[8], 5)):
        VisitDue.insert(entity=entity, due_day=day_number(TODAY) + days, rule="x").execute()
    found = order(pull(crowd, task_of()))
    assert (found[:2], set(found[2:5])) == ([ids[1], ids[0]], set(ids[6:]))
    row = InspectionListRow.get(InspectionListRow.position == 1)
    assert (row.due_day, row.harm, row.items) == (day_number(TODAY) - 40, 0, [])


def test_inside_a_class_chance_times_harm_of_the_items_that_apply_decides(crowd):
    _, ids, _ = crowd
    label("food", industries=[13])
    label("food2", industries=["13"])
    # Chances alone would have 1 (of no food) before 0 and 3; the harm of food turns that round. The class stays before all.
    chances(ids, 30_000, 50_000, 1, 20_000, 1, 1, 5, 5, 5)
    task = task_of(
        item("all", 2),
        item("food", 10, labels=["food2"]),
        item("shops", 100, subjects=["individual"], labels=["food2"]),
    )
    made = pull(crowd, task)
    found = order(made)
    assert set(found[:3]) == set(ids[6:])
    assert found[3:6] == [ids[3], ids[0], ids[1]]  # 20,000 × 112, 30,000 × 12, 50,000 × 2
    rows = {row.entity: row for row in InspectionListRow.select()}
    assert (rows[ids[3]].items, rows[ids[3]].harm) == (["all", "food", "shops"], 112)
    assert (rows[ids[0]].items, rows[ids[1]].items) == (["all", "food"], ["all"])
    shown = {row["code"]: row["items"] for row in list_views.page(made, field_copy=True, after=None, limit=50).items}
    assert shown[credit_code(number=1)] == ["事项all", "文字事项"]


def test_to_whom_no_item_applies_does_not_come_onto_the_list(lone_crowd):
    _, ids, _ = lone_crowd
    label("food", industries=["13"])
    assert set(order(pull(lone_crowd, task_of(item("f", 5, labels=["food"]))))) == {ids[0], ids[3], ids[6]}
    execute("UPDATE visit SET state = 'closed'")
    assert set(order(pull(lone_crowd, task_of(item("s", 5, subjects=["individual"])), industry="13"))) == {ids[3]}


def test_where_the_same_items_apply_to_everybody_the_index_is_the_order(lone_crowd):
    scheme, ids, _ = lone_crowd
    chances(ids, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    assert list_order._Order(scheme, Filters(), [item("a", 3), item("b", 900)], TODAY).harm is None
    assert list_order._Order(scheme, Filters(), [item("a", 3), item("b", 9, subjects=["individual"])], TODAY).harm
    assert order(pull(lone_crowd, task_of(item("a", 3), item("b", 900)))) == [*ids[6:], *ids[:6]]


def test_who_reached_the_annual_cap_waits_for_a_visit_is_closed_or_merged_is_passed_over_and_counted(
    crowd, monkeypatch
):
    scheme, ids, settings = crowd
    cap = frequency.table(settings).annual_cap(day_number(TODAY))
    for number in range(cap):
        record(ids[6], "spot_check", checked_on=date(2026, 2 + number, 3))
    registered(credit_code(number=7), name="信衡示例7", status=2)
    merges.merge(credit_code(number=0), credit_code(number=1), reason="同一主体", actor="x", today=TODAY, now=NOW,
                 schemes=[scheme.id])  # fmt: skip
    first = pull(crowd, task_of(type="key_supervision"), size=2, share=50)
    taken = set(order(first))
    second = pull(crowd, task_of(type="key_supervision"), share=50)
    assert second.filters["passed_over"] == {
        "not_open": 1, "annual_cap": 1, "class_limit": 0, "recently_checked": 0, "open_visit": 2,
    }  # fmt: skip
    assert set(order(second)) == set(ids) - taken - {ids[0], ids[6], ids[7]}
    # A task that the cap does not hold back may visit them; who waits for a visit is left alone all the same.
    exempt = pull(crowd, task_of(type="complaint_or_report"), share=0)
    assert order(exempt) == [ids[6]]


def test_whom_the_frequency_table_leaves_alone_does_not_come_onto_a_list(crowd):
    _, ids, _ = crowd
    execute("UPDATE grade_state SET class = 'B', rank = 1 WHERE entity = ?", (ids[5],))
    record(ids[5], "spot_check", checked_on=date(2026, 3, 3))
    record(ids[6], "spot_check", checked_on=TODAY - timedelta(days=89))
    record(ids[7], "spot_check", checked_on=TODAY - timedelta(days=90))
    made = pull(crowd, task_of(type="key_supervision"), size=9, share=20)
    passed = made.filters["passed_over"]
    assert (passed["class_limit"], passed["recently_checked"], passed["annual_cap"]) == (1, 1, 0)
    assert set(order(made)) == set(ids) - {ids[5], ids[6]}
    execute("UPDATE visit SET state = 'closed'")
    # Key items have no such limit by class; what comes from outside is not held back at all.
    assert set(order(pull(crowd, task_of({**item("k", 5), "nature": "key"}, type="key_supervision"), share=20))) == {
        *ids[:6], ids[7], ids[8],
    }  # fmt: skip
    execute("UPDATE visit SET state = 'closed'")
    assert set(order(pull(crowd, task_of(type="transferred_lead")))) == set(ids)


def test_the_random_slice_is_drawn_of_everybody_else_who_is_eligible(crowd):
    _, ids, _ = crowd
    made = pull(crowd, task_of(type="key_supervision"), size=5, share=40)
    visits = list(Visit.select().order_by(Visit.position))
    assert [(one.slice, one.inclusion) for one in visits] == [("priority", 1_000_000)] * 3 + [("random", 333_333)] * 2
    assert (made.slice_pool, made.slice_size, made.slice_seed) == (6, 2, SEEDS.slice.hex())
    rest = sorted(set(ids) - {one.entity for one in visits[:3]})
    assert {one.entity for one in visits[3:]} == set(list_slice.drawn(np.array(rest), 2, SEEDS.slice))
    tours = {row.entity: row.tour for row in InspectionListRow.select()}
    assert sorted(tours, key=tours.get) == sorted(tours, key=ids.index)  # by address, whoever was drawn


def test_a_list_with_a_random_slice_costs_a_fixed_number_of_reads_frames_included(lone_crowd):
    costs = []
    for size in (2, 6):
        sent: list[str] = []
        db.connection().set_trace_callback(sent.append)
        made = pull(lone_crowd, task_of(type="key_supervision"), size=size, share=50)
        db.connection().set_trace_callback(None)
        assert made.size == size
        costs.append(sum(one.startswith(("SELECT", "WITH")) for one in sent))
    assert costs[0] == costs[1] <= 23, sent


def test_a_prioritised_list_has_a_random_slice_but_where_nobody_chose_whom_it_is_about(lone_crowd):
    for type_ in ("key_supervision", "special_campaign"):
        with pytest.raises(RandomShareNeeded, match="1 to 50"):
            pull(lone_crowd, task_of(type=type_), share=0)
    with pytest.raises(RandomShareNeeded, match="51 %"):
        pull(lone_crowd, task_of(), share=51)
    assert pull(lone_crowd, task_of(type="transferred_lead"), size=4, share=0).slice_size == 0
    execute("UPDATE visit SET state = 'closed'")
    assert pull(lone_crowd, task_of(), size=6, share=None).slice_size == 2  # a fifth, rounded up


def test_codes_are_refused_by_name_and_why(crowd):
    _, ids, settings = crowd
    cap = frequency.table(settings).annual_cap(day_number(TODAY))
    for number in range(cap):
        record(ids[2], "spot_check", checked_on=date(2026, 2 + number, 3))
    registered(credit_code(number=3), name="信衡示例3", status=3)
    waits = pull(crowd, task_of(type="key_supervision"), codes=[credit_code(number=4)])
    wanted = [credit_code(number=number) for number in (1, 2, 3, 4, 77)]
    with pytest.raises(CodesRefused) as refused:
        pull(crowd, task_of(type="special_campaign"), codes=wanted)
    said = {one["code"]: one["why"] for one in refused.value.context["refused"]}
    assert list(said) == wanted[1:]
    assert "annual cap" in said[wanted[1]]
    assert "cancelled" in said[wanted[2]]
    assert f"visit {Visit.get(Visit.list == waits.id).id}" in said[wanted[3]]
    assert said[wanted[4]] == "is not registered here"
    # A complaint waits for nobody: neither the cap nor another list holds it up, and a code given twice is one visit.
    made = pull(crowd, task_of(type="complaint_or_report"), codes=[wanted[3], wanted[1], wanted[3].lower()])
    assert order(made) == [ids[4], ids[2]]
    with pytest.raises(CodesRefused, match="not registered here"):
        pull(crowd, task_of(), codes=[wanted[0]], divisions=("9902",))


def test_who_is_named_by_code_is_checked_for_all_items_where_none_applies_by_itself(lone_crowd):
    _, ids, _ = lone_crowd
    label("food", industries=["13"])
    task = task_of(item("A1", 100, labels=["food"]), item("A2", 200, labels=["food"]), type="complaint_or_report")
    made = pull(lone_crowd, task, codes=[credit_code(number=0), credit_code(number=1)])
    rows = {row.entity: (row.items, row.harm) for row in InspectionListRow.select()}
    assert made.size == 2
    assert rows == {ids[0]: (["A1", "A2"], 300), ids[1]: (["A1", "A2"], 300)}
    task = task_of(item("A1", 100, labels=["food"]), item("A2", 200), type="transferred_lead")
    pull(lone_crowd, task, codes=[credit_code(number=1)])
    assert InspectionListRow.get(InspectionListRow.list == made.id + 1).items == ["A2"]


def test_nothing_is_frozen_under_a_task_that_ended_or_for_nobody(lone_crowd):
    task = task_of()
    with pytest.raises(NothingToList, match="division 999999"):
        pull(lone_crowd, task, division="999999")
    task.state = "cancelled"
    task.save()
    with pytest.raises(TaskConflict, match="cancelled"):
        pull(lone_crowd, task)
    assert (Visit.select().count(), Entity.select().count()) == (0, 9)
