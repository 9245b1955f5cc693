"""Inspection lists 检查对象名单: entities under a task, the riskiest first, frozen when pulled.

Two copies of the same saved list: the supervisor's has class, score and reasons in the order of priority; the copy for the
field has item and basis only, in the order of the tour, from which no class can be told.
"""

from dataclasses import dataclass
from typing import Any

from registry import clock, cursor
from registry.database import execute, in_slices, write
from registry.errors import ListNotFound
from registry.models import InspectionList, InspectionListRow, Task
from registry.page import Page
from registry.services import audit, grading, ledger
from registry.services.search import prefix_range
from rules.engine import facts_needed
from rules.explain import explain
from rules.scheme import Scheme

# Most points rows that a supervisor's list shows per entity; the whole is one call away.
REASONS = 5

COLUMNS = (
    "s.entity, coalesce(e.code, e.registration_no), e.name, e.kind, e.division, e.address, s.class, s.score, s.day"
)
TABLES = "grade_state s JOIN entity e ON e.id = s.entity"
# The worst class first; what the index on grade_state holds, read backwards.
ORDER = "s.rank DESC, s.score DESC, s.entity DESC"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entities may come onto the list. Empty parts do not filter."""

    classes: tuple[str, ...] = ()
    division: str = ""
    industry: str = ""
    kind: str = ""
    divisions: tuple[str, ...] = ("",)

    def to_dict(self) -> dict[str, Any]:
        return {"classes": list(self.classes), "division": self.division, "industry": self.industry, "kind": self.kind}


def pull(task: Task, scheme: Scheme, filters: Filters, *, size: int, actor: str, now: int) -> InspectionList:
    """Freeze the `size` riskiest entities under a task: by class from the worst, then score, then code.

    The order is that of the stored grades (their breakpoints are kept by the nightly run); reasons are worked out once
    for the whole list. Reading happens before the write, so that nobody waits for it.
    """
    rows = _worst(scheme, filters, size)
    known = ledger.head()
    reasons = _reasons(scheme, rows)
    tour = {
        row["entity"]: place
        for place, row in enumerate(
            sorted(rows, key=lambda row: (row["division"], row["address"], row["code"])), start=1
        )
    }
    with write():
        made: InspectionList = InspectionList.create(
            task=task,
            scheme=scheme.id,
            filters=filters.to_dict(),
            known=known,
            size=len(rows),
            created_by=actor,
            created_at=now,
        )
        for part in in_slices(list(enumerate(rows, start=1)), 500):
            InspectionListRow.insert_many(
                {
                    **row,
                    "list": made.id,
                    "position": place,
                    "tour": tour[row["entity"]],
                    "reasons": reasons.get(row["entity"], []),
                }
                for place, row in part
            ).execute()
        audit.note("list.pulled", actor=actor, subject=f"list {made.id}", now=now, task=task.id, size=len(rows))
    return made


def _worst(scheme: Scheme, filters: Filters, size: int) -> list[dict[str, Any]]:
    where = ["s.scheme = ?", "e.status = 1"]
    values: list[object] = [scheme.id]
    if filters.classes:
        where.append(f"s.class IN ({', '.join('?' * len(filters.classes))})")
        values += filters.classes
    for column, prefix in (("division", filters.division), ("industry", filters.industry)):
        if prefix:
            where.append(f"e.{column} BETWEEN ? AND ?")
            values += prefix_range(column, prefix)
    if filters.kind:
        where.append("e.kind = ?")
        values.append(filters.kind)
    if "" not in filters.divisions:
        where.append("(" + " OR ".join("e.division BETWEEN ? AND ?" for _ in filters.divisions) + ")")
        values += [bound for prefix in filters.divisions for bound in prefix_range("division", prefix)]
    condition = " AND ".join(where)
    sql = f"SELECT {COLUMNS} FROM {TABLES} WHERE {condition} ORDER BY {ORDER} LIMIT ?"  # noqa: S608 (all ours)
    names = ("entity", "code", "name", "kind", "division", "address", "class_", "score", "graded_day")
    return [dict(zip(names, row, strict=True)) for row in execute(sql, [*values, size]).fetchall()]


def _reasons(scheme: Scheme, rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """The heaviest points rows of each entity, all entities in one pass."""
    if not rows:
        return {}
    days = {row["entity"]: row["graded_day"] for row in rows}
    population = grading.population_of(list(days))
    population = population.with_columns(
        day=population["entity"].replace_strict(list(days), list(days.values()), return_dtype=grading.FACTS["day"])
    )
    known = ledger.head()
    facts = grading.facts_of(list(days), facts_needed(scheme), known)
    return {
        one.entity: [
            {"rule": row.rule, "title": row.title, "points": row.points, "sentence": row.sentence}
            for row in sorted(one.points, key=lambda row: (-row.points, row.rule))[:REASONS]
            if row.points > 0
        ]
        for one in explain(population, facts, grading.coverage(known), scheme)
    }


def get(number: int, *, organ: str) -> InspectionList:
    """Return a list of one's own organ. Raises ListNotFound."""
    found = (
        InspectionList.select(InspectionList, Task)
        .join(Task)
        .where((InspectionList.id == number) & (Task.organ == organ))
        .first()
    )
    if found is None:
        raise ListNotFound(f"{organ} has no list {number}. POST /api/v1/lists pulls one under a task.")
    assert isinstance(found, InspectionList)
    return found


def page(found: InspectionList, *, field_copy: bool, after: str | None, limit: int) -> Page[dict[str, Any]]:
    """Rows of a frozen list. The field copy is in the order of the tour and holds nothing of class, score or reasons."""
    order = InspectionListRow.tour if field_copy else InspectionListRow.position
    query = InspectionListRow.select().where(InspectionListRow.list == found.id)
    if after is not None:
        query = query.where(order > cursor.decode(after, int)[0])
    rows = list(query.order_by(order).limit(limit + 1))
    more = len(rows) > limit
    items = [_field(row, found.task) if field_copy else _full(row) for row in rows[:limit]]
    key = (rows[limit - 1].tour if field_copy else rows[limit - 1].position) if more else None
    return Page(items, cursor.encode(key) if more else None)


def _field(row: InspectionListRow, task: Task) -> dict[str, Any]:
    return {
        "number": row.tour, "code": row.code, "name": row.name, "kind": row.kind, "division": row.division, "address": row.address,
        "items": task.items, "basis": task.basis,
    }  # fmt: skip


def _full(row: InspectionListRow) -> dict[str, Any]:
    return {
        "number": row.position, "code": row.code, "name": row.name, "kind": row.kind, "division": row.division, "address": row.address,
        "class": row.class_, "score": row.score, "graded_on": clock.day_of(row.graded_day).isoformat(), "reasons": row.reasons,
    }  # fmt: skip
