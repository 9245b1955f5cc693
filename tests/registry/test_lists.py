"""Inspection lists: under a task, the riskiest first, frozen; the field copy tells nothing of the class."""

import shutil
from collections import Counter
from datetime import date

import orjson
import pytest

from registry.database import execute
from registry.errors import ListNotFound, NotADraw, NothingToList, TaskNotFound
from registry.models import Audit, Entity, GradeState, InspectionList, InspectionListRow
from registry.services import grading, list_order, list_reasons, list_views, lists, search, tasks
from registry.services.lists import Ask, Filters, Seeds
from registry.services.tasks import Desk
from rules.scheme import load
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.tables import ORGAN


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


@pytest.fixture
def task(settings):
    # A list owed by law may be without a random slice: what is tested here is the order.
    return tasks.create(type="statutory", title="法定检查", basis="示例依据", organ=ORGAN, items=["食品标签"],
                        from_on=date(2026, 12, 1), to_on=date(2026, 12, 31), actor="key:x", now=NOW)  # fmt: skip


@pytest.fixture
def district(scheme):
    """Twelve entities of every class in two divisions and two trades; addresses go against the order of risk."""
    made = {}
    for number in range(12):
        entity = registered(credit_code(division=("990102", "990203")[number % 2], number=number), division=("990102", "990203")[number % 2],
                            industry=(1300, 5200)[number % 3 == 0], address=f"示例路{99 - number}号", capital_fen=10**10,
                            subject="individual" if number == 5 else "enterprise")  # fmt: skip
        for more in range(number % 4):
            record(
                entity,
                document_no=f"信{number}-{more}号",
                fine_fen=300_000_00,
                content="",
                decided_on=date(2026, 6, 1 + more),
            )
        if number in (3, 7):
            record(entity, "serious_listing")
        made[number] = entity
    grading.due(scheme, day=TODAY)
    return made


DESK = Desk("key:x", ORGAN, TODAY, NOW)
SEEDS = Seeds(b"s" * 32, b"t" * 32)


@pytest.fixture
def pulled(settings):
    """Pulls a list without a random slice; the visits of earlier lists are over by then."""

    def pull(task, scheme, size=50, **filters):
        execute("UPDATE visit SET state = 'closed'")
        return lists.pull(task, scheme, Ask(Filters(**filters), size, 0), settings=settings, desk=DESK, seeds=SEEDS)

    return pull


def rows(found, *, field_copy=False, limit=100, after=None, **given):
    return list_views.page(found, field_copy=field_copy, after=after, limit=limit, **given).items


def test_the_worst_come_first_by_class_then_score_then_code(task, scheme, district, pulled):
    found = rows(pulled(task, scheme))
    rank = {name: place for place, name in enumerate(scheme.classes)}
    keys = [(-rank[row["class"]], -row["score"], row["code"]) for row in found]
    assert (len(found), keys) == (12, sorted(keys))
    assert [row["number"] for row in found] == list(range(1, 13))
    assert len({row["class"] for row in found}) >= 2


def test_inside_a_class_a_models_chance_comes_before_the_score_and_never_before_the_class(
    task, scheme, district, pulled
):
    before = rows(pulled(task, scheme))
    largest, size = Counter(row["class"] for row in before).most_common(1)[0]
    last = [row for row in before if row["class"] == largest][-1]["code"]
    assert size >= 3
    execute("UPDATE grade_state SET chance = 900000 WHERE entity = (SELECT id FROM entity WHERE code = ?)", (last,))
    after = rows(pulled(task, scheme))
    assert [row["class"] for row in after] == [row["class"] for row in before]
    first = next(row for row in after if row["class"] == largest)
    assert (first["code"], first["chance"]) == (last, 900_000)
    assert [row["code"] for row in after if row["code"] != last] == [
        row["code"] for row in before if row["code"] != last
    ]


def test_a_list_that_was_pulled_keeps_the_chances_that_ordered_it_and_the_field_copy_has_none(
    task, scheme, district, pulled
):
    execute("UPDATE grade_state SET chance = 123456")
    made = pulled(task, scheme)
    execute("UPDATE grade_state SET chance = 0")
    assert {row["chance"] for row in rows(made)} == {123_456}
    assert "123456" not in orjson.dumps(rows(made, field_copy=True)).decode()


def test_a_list_has_the_size_that_was_asked_for_and_takes_the_worst(task, scheme, district, pulled):
    whole = rows(pulled(task, scheme))
    assert [row["code"] for row in rows(pulled(task, scheme, size=5))] == [row["code"] for row in whole[:5]]


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"classes": ("D",)}, lambda row: row["class"] == "D"),
        ({"division": "9902"}, lambda row: row["division"] == "990203"),
        ({"divisions": ("990102",)}, lambda row: row["division"] == "990102"),
        ({"kind": "individual"}, lambda row: row["kind"] == "individual"),
        ({"industry": "52", "division": "990102"}, lambda row: row["division"] == "990102"),
    ],
)
def test_filters_leave_out_what_was_not_asked_for_and_nothing_else(task, scheme, district, filters, holds, pulled):
    kept, whole = rows(pulled(task, scheme, **filters)), rows(pulled(task, scheme))
    assert kept
    assert all(map(holds, kept))
    if "industry" not in filters:
        assert len(kept) == sum(map(holds, whole))


def test_the_size_cuts_among_equals_where_the_order_by_code_says(task, scheme, pulled):
    # Registered against the order of their codes, so that the order of ids would take the others.
    for number in (7, 2, 9, 0, 5):
        registered(credit_code(number=number), name=f"信衡示例{number}", industry=1300)
    grading.due(scheme, day=TODAY)
    whole = rows(pulled(task, scheme))
    assert len({(row["class"], row["score"]) for row in whole}) == 1
    assert [row["code"] for row in whole] == sorted(row["code"] for row in whole)
    for size in (1, 3):
        assert [row["code"] for row in rows(pulled(task, scheme, size=size))] == [row["code"] for row in whole[:size]]


def test_the_index_still_leads_the_order_of_a_list(on_sqlite, monkeypatch):
    sent = []
    real = list_order.execute
    monkeypatch.setattr(list_order, "execute", lambda sql, values: sent.append((sql, values)) or real(sql, values))
    list_order.ranked(grading.scheme_named(on_sqlite), Filters(), [], size=500, today=TODAY)
    late, rest = (
        " / ".join(row[3] for row in real(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()) for sql, values in sent
    )
    assert "SEARCH v USING COVERING INDEX visit_due_due_day" in late.replace("visitdue", "visit_due"), late
    # Who comes first is read from the index alone; whatever else is known of them is looked up for those, behind the limit.
    chosen = rest.partition(" / SCAN c")[0].replace("gradestate", "grade_state")
    assert "USING COVERING INDEX grade_state_scheme_rank_chance_score_entity" in chosen, rest
    assert "ORDER BY" not in chosen or "RIGHT PART OF ORDER BY" in chosen or "LAST 2 TERMS" in chosen, rest


def dearer(folder, target):
    """The scheme in `folder` with one more point for each penalty."""
    shutil.copytree(folder, target / folder.name)
    file = target / folder.name / "rules" / "penalty.toml"
    text = file.read_text(encoding="utf-8")
    assert text.count("value = 150\n") >= 1
    file.write_text(text.replace("value = 150\n", "value = 151\n", 1), encoding="utf-8")
    return load(target / folder.name)


def test_a_grade_that_another_content_of_the_scheme_gave_is_listed_without_reasons(
    task, scheme, settings, district, tmp_path, pulled
):
    def reasons(by):
        return {row["code"]: row["reasons"] for row in rows(pulled(task, by))}

    changed = dearer(settings.path(settings.grading.book) / scheme.id, tmp_path)
    punished = {
        row.code for row in Entity.select().where(Entity.id.in_([district[n] for n in district if n % 4 and n != 5]))
    }
    before, then = reasons(scheme), reasons(changed)
    assert all(before[code] and then[code] == [] for code in punished)
    assert all(then[code] == before[code] for code in before if code not in punished and not before[code])
    grading.due(changed, day=TODAY)
    assert all(reasons(changed)[code] for code in punished)


def test_an_entity_whose_kind_changed_since_its_grade_is_listed_without_reasons_of_the_new_kind(task, scheme, pulled):
    code = credit_code()
    entity = registered(code, industry=5200)
    record(entity, kinds=["revoked_licence"])
    grading.due(scheme, day=TODAY)
    before = rows(pulled(task, scheme))[0]["reasons"]
    assert before
    registered(code, industry=5200, subject="individual")
    assert rows(pulled(task, scheme))[0]["reasons"] == []
    grading.due(scheme, day=TODAY)
    assert rows(pulled(task, scheme))[0]["reasons"]


def test_a_grade_from_before_the_cuts_of_the_scheme_is_listed_without_reasons_and_the_others_with_theirs(
    task, scheme, district, pulled
):
    before = rows(pulled(task, scheme))
    code = before[0]["code"]
    execute("UPDATE grade_state SET day = 0 WHERE entity = (SELECT id FROM entity WHERE code = ?)", (code,))
    after = rows(pulled(task, scheme))
    assert before[0]["reasons"]
    assert [row["reasons"] for row in after] == [[], *(row["reasons"] for row in before[1:])]


def test_a_list_stays_as_it_was_pulled_while_grades_change(task, scheme, district, pulled):
    made = pulled(task, scheme)
    before = rows(made)
    for number in (0, 4, 8):
        record(district[number], "serious_listing")
    grading.due(scheme, day=TODAY)
    assert rows(made) == before
    assert rows(pulled(task, scheme)) != before


def test_the_reasons_are_those_of_the_grade_even_where_newer_records_wait(task, scheme, district, pulled):
    before = rows(pulled(task, scheme))
    for entity in district.values():
        record(entity, document_no="信9号", fine_fen=900_000_00)
    assert [row["reasons"] for row in rows(pulled(task, scheme))] == [row["reasons"] for row in before]


def test_reasons_are_points_of_the_grade_the_heaviest_first(task, scheme, district, pulled):
    for row in rows(pulled(task, scheme)):
        points = [one["points"] for one in row["reasons"]]
        assert points == sorted(points, reverse=True)
        assert len(points) <= list_reasons.REASONS
        assert all(point > 0 for point in points)


def test_the_field_copy_has_item_and_basis_and_not_a_byte_of_class_score_or_reasons(task, scheme, district, pulled):
    made = pulled(task, scheme)
    copy = rows(made, field_copy=True)
    assert {frozenset(row) for row in copy} == {
        frozenset(
            ["number", "code", "name", "kind", "division", "address", "items", "basis", "visit", "state", "planned_on"]
        )
    }
    text = orjson.dumps(copy).decode()
    for row in rows(made):
        for reason in row["reasons"]:
            assert reason["rule"] not in text
            assert reason["title"]["zh"] not in text
    assert copy[0]["items"] == ["食品标签"]


def test_the_order_of_the_field_copy_does_not_follow_the_class(task, scheme, district, pulled):
    made = pulled(task, scheme)
    copy = rows(made, field_copy=True)
    assert [row["number"] for row in copy] == list(range(1, 13))
    assert [row["code"] for row in copy] == [
        row["code"] for row in sorted(copy, key=lambda row: (row["division"], row["address"], row["code"]))
    ]
    record(district[0], "serious_listing")
    grading.due(scheme, day=TODAY)
    again = rows(pulled(task, scheme), field_copy=True)
    assert [row["code"] for row in again] == [row["code"] for row in copy]  # other classes, the same tour
    assert [row["code"] for row in copy] != [row["code"] for row in rows(made)]


@pytest.mark.parametrize("field_copy", [False, True])
def test_pages_neither_skip_nor_repeat(task, scheme, district, field_copy, pulled):
    made, seen, after = pulled(task, scheme), [], None
    while True:
        page = list_views.page(made, field_copy=field_copy, after=after, limit=5)
        seen += page.items
        after = page.next
        if after is None:
            break
    assert seen == rows(made, field_copy=field_copy)


def test_a_key_of_one_district_sees_its_rows_only(task, scheme, district, pulled):
    made = pulled(task, scheme)
    assert {row["division"] for row in rows(made, divisions=("9902",))} == {"990203"}


def test_pulling_costs_the_same_number_of_queries_for_few_and_for_many(task, scheme, district, count_queries, pulled):
    costs = []
    for size in (2, 12):
        with count_queries() as queries:
            pulled(task, scheme, size=size)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 14


def test_revoked_cancelled_and_ungraded_entities_are_not_visited(task, scheme, district, pulled):
    revoked, fresh = registered(status=2), None
    grading.due(scheme, day=TODAY)
    fresh = registered()
    assert GradeState.get_or_none(GradeState.entity == revoked) is not None
    listed = {row.entity for row in InspectionListRow.select().where(InspectionListRow.list == pulled(task, scheme).id)}
    assert not listed & {revoked, fresh}


def test_a_list_that_nobody_fits_is_refused_with_what_was_asked(task, scheme, pulled):
    with pytest.raises(NothingToList, match="division 999999"):
        pulled(task, scheme, division="999999")
    assert InspectionList.select().count() == 0


def test_a_list_by_risk_is_no_draw_and_is_refused_under_a_random_task(settings, scheme, pulled):
    random = tasks.create(
        type="random",
        title="双随机",
        basis="b",
        organ=ORGAN,
        items=["i"],
        from_on=TODAY,
        to_on=TODAY,
        actor="x",
        now=NOW,
    )
    with pytest.raises(NotADraw, match="not a draw"):
        pulled(random, scheme)


def test_lists_and_tasks_of_another_organ_are_not_there(task, scheme, pulled):
    grading.one(scheme, [registered()], day=TODAY)
    made = pulled(task, scheme)
    assert lists.get(made.id, organ=ORGAN).id == made.id
    assert tasks.get(task.id, organ=ORGAN) == task
    with pytest.raises(ListNotFound, match="别的机关 has no list"):
        lists.get(made.id, organ="别的机关")
    with pytest.raises(TaskNotFound, match="别的机关 has no task"):
        tasks.get(task.id, organ="别的机关")


def test_tasks_come_newest_first_in_pages(settings, task):
    for number in range(4):
        tasks.create(
            type="key_supervision",
            title=f"{number}",
            basis="b",
            organ=ORGAN,
            items=["x"],
            from_on=TODAY,
            to_on=TODAY,
            actor="a",
            now=NOW,
        )
    first = tasks.page(organ=ORGAN, after=None, limit=3)
    second = tasks.page(organ=ORGAN, after=first.next, limit=3)
    assert ([one.title for one in first.items], [one.title for one in second.items]) == (
        ["3", "2", "1"],
        ["0", "法定检查"],
    )
    assert (second.next, tasks.page(organ="别的机关", after=None, limit=3).items) == (None, [])


def test_making_a_task_and_pulling_a_list_are_on_record(task, scheme, district, pulled):
    made = pulled(task, scheme, classes=("D",))
    notes = [(one.verb, one.subject, one.actor) for one in Audit.select().order_by(Audit.id)]
    assert notes == [("task.created", f"task {task.id}", "key:x"), ("list.pulled", f"list {made.id}", "key:x")]
    assert InspectionList.get().filters["classes"] == ["D"]


@pytest.mark.parametrize(
    ("column", "prefix", "expected"),
    [("industry", "13", (1300, 1399)), ("industry", "1391", (1391, 1391)), ("industry", "0", (0, 999)), ("division", "99", ("990000", "999999")), ("division", "990102", ("990102", "990102"))],
)  # fmt: skip
def test_a_prefix_is_a_range(column, prefix, expected):
    assert search.prefix_range(column, prefix) == expected
