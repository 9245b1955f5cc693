"""Inspection lists as they are read: page by page, in one of two copies of the same saved list.

The supervisor's copy 主管联 has class, chance, score, reasons and slice in the order of the list; the copy for the field 现场联 has
items and basis in the order of the tour, and nothing from which a class, or who was drawn by lot, can be told.
"""

from collections.abc import Sequence
from typing import Any

from registry import clock, cursor
from registry.database import execute, in_slices
from registry.divisions import in_query
from registry.models import InspectionList, InspectionListRow, Task, Visit
from registry.page import Page
from registry.services import tasks

COPIES = {"supervisor": "主管联", "field": "现场联"}
SLICES = {
    "draw": "随机抽取", "random": "随机部分", "priority": "优先部分", "designated": "指定", "recheck": "复查",
}  # fmt: skip
# What a supervisor's copy shows of a visit, and what a field copy shows.
_VISIT = (Visit.id, Visit.position, Visit.state, Visit.planned_on, Visit.slice, Visit.inclusion)


def head(found: InspectionList, *, supervisor: bool = False) -> dict[str, Any]:
    """A list without its rows. What tells of its classes or its random slice stands in the supervisor's alone."""
    shown: dict[str, Any] = {
        "id": found.id, "task": found.task.id, "title": found.task.title, "type": found.task.type, "size": found.size,
        "created_by": found.created_by, "created_at": clock.moment_text(found.created_at),
    }  # fmt: skip
    if supervisor:
        shown |= {
            "scheme": found.scheme, "random": found.slice_size, "random_of": found.slice_pool,
            "random_share": found.filters.get("random_share", 0), "passed_over": found.filters.get("passed_over", {}),
        }  # fmt: skip
    return shown


def every(*, organ: str, task: int | None = None, after: str | None, limit: int) -> Page[dict[str, Any]]:
    """Lists of an organ, those of tasks that it is a partner of among them, newest first; `organ` empty: of all. Two queries.

    Each with how many of its visits are in which state. Raises BadCursor for a token that is not of this page.
    """
    # The list of a draw that is still being written has the size 0.
    query = InspectionList.select(InspectionList, Task).join(Task).where(InspectionList.size > 0)
    if organ:
        query = query.where(tasks.of_organ(organ))
    if task is not None:
        query = query.where(InspectionList.task == task)
    if after is not None:
        query = query.where(InspectionList.id < cursor.decode(after, int)[0])
    rows = list(query.order_by(InspectionList.id.desc()).limit(limit + 1))
    states: dict[int, dict[str, int]] = {row.id: {} for row in rows[:limit]}
    if states:
        sql = (
            f"SELECT list_id, state, count(*) FROM visit WHERE list_id IN ({', '.join('?' * len(states))}) "  # noqa: S608
            "GROUP BY list_id, state ORDER BY list_id, state"
        )
        for number, state, count in execute(sql, list(states)).fetchall():
            states[number][state] = count
    items = [{**head(row), "visits": states[row.id]} for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def page(
    found: InspectionList, *, field_copy: bool, after: str | None, limit: int, divisions: Sequence[str] = ("",)
) -> Page[dict[str, Any]]:
    """Rows of a frozen list with their visits. Two queries.

    Rows outside `divisions` are left out: a key may belong to one district of an organ that pulled for several. Raises
    BadCursor for a token that is not of this list.
    """
    order = InspectionListRow.tour if field_copy else InspectionListRow.position
    query = InspectionListRow.select().where(InspectionListRow.list == found.id)
    query = in_query(query, InspectionListRow.division, divisions)
    if after is not None:
        query = query.where(order > cursor.decode(after, int)[0])
    rows = list(query.order_by(order).limit(limit + 1))
    visits = _visits(found.id, [row.position for row in rows[:limit]])
    shown = _field if field_copy else _full
    items = [shown(row, visits.get(row.position), found.task) for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, cursor.encode(rows[limit - 1].tour if field_copy else rows[limit - 1].position))


def items_of(row: InspectionListRow, task: Task) -> list[dict[str, Any]]:
    """The coded items of a task that apply to the entity of a row, as they were when the list was frozen."""
    if row.items is None:
        return list(task.checklist)
    return [item for item in task.checklist if item["code"] in row.items]


def texts_of(row: InspectionListRow, task: Task) -> list[str]:
    """What is checked, in words: the items that apply, and those of the task that have no code."""
    coded = {item["name"] for item in task.checklist}
    return [*(item["name"] for item in items_of(row, task)), *(text for text in task.items if text not in coded)]


def _visits(number: int, positions: Sequence[int]) -> dict[int, Visit]:
    found: dict[int, Visit] = {}
    for part in in_slices(list(positions)):
        rows = Visit.select(*_VISIT).where((Visit.list == number) & Visit.position.in_(list(part)))
        found |= {row.position: row for row in rows}
    return found


def _field(row: InspectionListRow, visit: Visit | None, task: Task) -> dict[str, Any]:
    return {
        "number": row.tour, "code": row.code, "name": row.name, "kind": row.kind, "division": row.division, "address": row.address,
        "items": texts_of(row, task), "basis": task.basis, **_work(visit),
    }  # fmt: skip


def _full(row: InspectionListRow, visit: Visit | None, task: Task) -> dict[str, Any]:
    graded = row.class_ != ""
    return {
        "number": row.position, "code": row.code, "name": row.name, "kind": row.kind, "division": row.division, "address": row.address,
        "class": row.class_ if graded else None, "score": row.score if graded else None, "chance": row.chance,
        "graded_on": clock.day_of(row.graded_day).isoformat() if graded else None,
        "due_on": None if row.due_day is None else clock.day_of(row.due_day).isoformat(), "harm": row.harm,
        "reasons": row.reasons, "slice": "" if visit is None else visit.slice,
        "inclusion": 0 if visit is None else visit.inclusion, **_work(visit),
    }  # fmt: skip


def _work(visit: Visit | None) -> dict[str, Any]:
    return {
        "visit": None if visit is None else visit.id, "state": "" if visit is None else visit.state,
        "planned_on": None if visit is None or visit.planned_on is None else visit.planned_on.isoformat(),
    }  # fmt: skip
