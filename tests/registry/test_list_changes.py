"""What changed since a list was pulled is told beside it; the list stays as it was."""

from datetime import date

import pytest

from registry.database import execute
from registry.models import InspectionListRow, Visit
from registry.services import grading, list_changes, lists, merges, tasks
from registry.services.lists import Ask, Filters, Seeds
from registry.services.tasks import Desk
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.tables import ORGAN

DESK, SEEDS = Desk("key:x", ORGAN, TODAY, NOW), Seeds(b"s" * 32, b"t" * 32)


@pytest.fixture
def frozen(settings):
    """A list of six entities of which nothing was said yet."""
    scheme = grading.scheme_named(settings)
    ids = [
        registered(credit_code(number=n), name=f"信衡示例{n}", address=f"示例路{n}号", industry=5200) for n in range(6)
    ]
    grading.due(scheme, day=TODAY)
    task = tasks.create(
        type="statutory", title="t", basis="b", organ=ORGAN, items=["i"], from_on=TODAY, to_on=TODAY, actor="x", now=NOW
    )
    made = lists.pull(task, scheme, Ask(Filters(), 9, 0), settings=settings, desk=DESK, seeds=SEEDS)
    return made, ids, scheme


def told(made, **given):
    return {one["code"]: one for one in list_changes.page(made, after=None, limit=50, **given).items}


def rows(made):
    return list(
        InspectionListRow.select().where(InspectionListRow.list == made.id).order_by(InspectionListRow.position).dicts()
    )


def test_class_name_address_status_merger_records_and_checks_are_told_and_the_list_stays(frozen, count_queries):
    made, ids, scheme = frozen
    before = rows(made)
    assert told(made) == {}
    codes = [credit_code(number=number) for number in range(6)]
    for number in range(4):
        record(ids[0], "serious_listing", listed_on=date(2026, 3, 1 + number))
    registered(codes[1], name="信衡新名", address="别处路7号", industry=5200, status=2)
    merges.merge(codes[2], codes[3], reason="同一主体", actor="x", today=TODAY, now=NOW, schemes=[scheme.id])
    record(ids[4], "spot_check", checked_on=date(2026, 11, 20))
    execute("UPDATE visit SET visited_on = '2026-11-21' WHERE entity = ?", (ids[5],))  # our own visit is no news
    grading.due(scheme, day=TODAY)
    with count_queries() as queries:
        found = told(made)
    assert len(queries) == 6
    assert found[codes[0]]["class"]["is"] == "D"
    assert found[codes[0]]["records"] == 4
    assert (found[codes[1]]["name"], found[codes[1]]["address"]) == (
        {"was": "信衡示例1", "is": "信衡新名"}, {"was": "示例路1号", "is": "别处路7号"},
    )  # fmt: skip
    assert found[codes[1]]["status"]["zh"] == "吊销未注销"
    assert found[codes[2]]["merged_into"] == codes[3]
    assert (found[codes[4]]["records"], found[codes[4]]["checked_on"]) == (1, "2026-11-20")
    assert codes[5] not in found
    assert rows(made) == before


def test_a_visit_of_another_list_is_told_and_the_result_of_ones_own_is_not(frozen):
    made, ids, _ = frozen
    outcome = record(ids[0], "spot_check", checked_on=TODAY)
    visit = Visit.get(Visit.entity == ids[0])
    execute(
        "INSERT INTO visit_result (visit_id, organ, outcome, items, serious_found, problems_found, minor_found, disposal, photos, "
        "said, state, entered_by, entered_at, reviewed_by, opinion, seq, version) "
        "VALUES (?, 'o', 1, '[]', 0, 0, 0, 'none', '[]', '', 'approved', 'a', 0, 'b', '', ?, 1)",
        (visit.id, outcome.seq),
    )
    assert "checked_on" not in told(made)[credit_code(number=0)]
    other = lists.InspectionList.create(
        task=made.task, scheme="s", filters={}, known=0, size=1, created_by="x", created_at=NOW
    )
    Visit.create(task=made.task, list=other, position=1, entity=ids[1], slice="priority", inclusion=0, state="finished",
                 visited_on=TODAY, token="other")  # fmt: skip
    assert told(made)[credit_code(number=1)]["checked_on"] == TODAY.isoformat()


def test_a_page_counts_rows_of_the_list_and_may_have_no_change(frozen):
    made, ids, _ = frozen
    record(ids[5])
    seen, after, pages = [], None, 0
    while pages == 0 or after is not None:
        page = list_changes.page(made, after=after, limit=2)
        seen += [one["code"] for one in page.items]
        after, pages = page.next, pages + 1
    assert (seen, pages) == ([credit_code(number=5)], 3)
    assert told(made, divisions=("9999",)) == {}
