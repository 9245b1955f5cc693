"""Inspection lists 检查对象名单: entities under a task, the riskiest first, frozen when pulled.

Two copies of the same saved list: the supervisor's has class, chance, score and reasons in the order of priority; the copy for the
field has item and basis only, in the order of the tour, from which no class can be told.
"""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import orjson
import polars as pl

from registry import clock, cursor
from registry.database import execute, insert_rows, is_postgres, write
from registry.errors import ListNotFound, NotADraw, NothingToList
from registry.models import InspectionList, InspectionListRow, Task
from registry.page import Page
from registry.services import audit, frames, given, ledger
from registry.services.search import prefix_range
from rules.engine import facts_needed
from rules.explain import reasons
from rules.scheme import Scheme

# Most points rows that a supervisor's list shows per entity; the whole is one call away.
REASONS = 5

COLUMNS = (
    "s.entity, coalesce(e.code, e.registration_no), e.name, e.kind, e.division, e.address, s.class, s.score, s.chance, s.day, "
    "s.rank, s.known, s.digest, s.context"
)
FROZEN = ("entity", "code", "name", "kind", "division", "address", "class_", "score", "chance", "graded_day")
TABLES = "grade_state s JOIN entity e ON e.id = s.entity"
# The worst class first, inside it by the model's chance (0 without one) and then by score, read backwards off the index on
# grade_state; only equals are sorted, by code, so that the size cuts where the printed order says. Plain bytes on either database, whatever language it sorts texts by.
ORDER = "s.rank DESC, s.chance DESC, s.score DESC, {code}, s.entity"


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
    """Freeze the `size` riskiest entities under a task: by class from the worst, then the chance that a model
    gives (where one does), then score, then code.

    The order is that of the stored grades (their breakpoints are kept by the nightly run); reasons are worked out once
    for the whole list. Reading happens before the write, so that nobody waits for it.
    """
    return freeze(task, choose(scheme, filters, size=size), actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class Choice:
    """Entities chosen for a list, the riskiest first, with their reasons; nothing is written yet."""

    scheme: str
    filters: Filters
    known: int
    rows: list[dict[str, Any]]
    reasons: dict[int, list[dict[str, Any]]]


def choose(scheme: Scheme, filters: Filters, *, size: int) -> Choice:
    """Choose the `size` riskiest entities and work out why. Reads only."""
    rows = _worst(scheme, filters, size)
    return Choice(scheme.id, filters, ledger.head(), rows, _reasons(scheme, rows))


def freeze(task: Task, choice: Choice, *, actor: str, now: int) -> InspectionList:
    """Save a choice as a list under a task, in one short transaction.

    Raises NotADraw under a random task (a list by risk is no draw), NothingToList where no entity fits.
    """
    if task.type == "random":
        raise NotADraw(
            f"Task {task.id} is random 双随机抽查. A list ordered by risk is not a draw; pull it under another type of task."
        )
    if not choice.rows:
        asked = ", ".join(f"{name} {value}" for name, value in choice.filters.to_dict().items() if value)
        raise NothingToList(
            f"No graded entity fits: {asked or 'no entity is graded yet'}. Nothing was frozen; widen the filters."
        )
    rows, reasons = choice.rows, choice.reasons
    tour = {
        row["entity"]: place
        for place, row in enumerate(
            sorted(rows, key=lambda row: (row["division"], row["address"], row["code"])), start=1
        )
    }
    with write():
        made: InspectionList = InspectionList.create(
            task=task,
            scheme=choice.scheme,
            filters=choice.filters.to_dict(),
            known=choice.known,
            size=len(rows),
            created_by=actor,
            created_at=now,
        )
        columns = (
            "list_id",
            "position",
            "tour",
            *("class" if name == "class_" else name for name in FROZEN),
            "reasons",
        )
        insert_rows(
            "inspection_list_row",
            columns,
            (
                (
                    made.id,
                    place,
                    tour[row["entity"]],
                    *(row[name] for name in FROZEN),
                    orjson.dumps(reasons.get(row["entity"], [])).decode(),
                )
                for place, row in enumerate(rows, start=1)
            ),
        )
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
    order = ORDER.format(code="coalesce(e.code, e.registration_no)" + (' COLLATE "C"' if is_postgres() else ""))
    sql = f"SELECT {COLUMNS} FROM {TABLES} WHERE {condition} ORDER BY {order} LIMIT ?"  # noqa: S608 (all ours)
    found = execute(sql, [*values, size]).fetchall()
    return [dict(zip((*FROZEN, "rank", "known", "digest", "context"), row, strict=True)) for row in found]


def _reasons(scheme: Scheme, rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """The heaviest points rows of each entity, all in one pass, each as of the day and the knowledge of its grade.

    An entity is left out where its grade does not follow any more (another content of the scheme, kind or coverage
    since): it waits to be renewed, and the rows of another grade would not add up to the score frozen beside them.
    """
    # Given under cuts that the scheme has no more: it could not be graded on that day at all.
    rows = [row for row in rows if scheme.cuts.at(row["graded_day"]) is not None]
    # Nearly always one context; where some grades are older, each set of them over its own.
    return {
        entity: reasons
        for number in sorted({row["context"] for row in rows})
        for entity, reasons in _over(scheme, number, [row for row in rows if row["context"] == number]).items()
    }


def _over(scheme: Scheme, number: int, rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """The same for rows whose grades read one context."""
    asked = pl.DataFrame(
        [(row["entity"], row["graded_day"], row["known"]) for row in rows],
        schema={"entity": pl.Int64, "day": pl.Int32, "at": pl.Int64},
        orient="row",
    )
    entities = asked["entity"].to_list()
    head = ledger.head()
    population = frames.population_of(entities, head).join(asked.select("entity", "day"), on="entity")
    facts = frames.facts_ever(entities, facts_needed(scheme)).join(asked.select("entity", "at"), on="entity")
    still = pl.col("gone").is_null() | (pl.col("gone") > pl.col("at"))
    facts = facts.filter((pl.col("seq") <= pl.col("at")) & still).select(list(frames.FACTS))
    found = reasons(population, facts, frames.coverage(head), scheme, given.as_read(entities, number, known=head))
    digests = {row["entity"]: bytes(row["digest"]).hex() for row in rows}
    return {
        one.entity: [
            {"rule": row.rule, "title": row.title, "points": row.points, "sentence": row.sentence}
            for row in sorted(one.points, key=lambda row: (-row.points, row.rule))[:REASONS]
            if row.points > 0
        ]
        for one in found
        if one.digest == digests[one.entity]
    }


def percent(chance: int) -> str:
    """A chance in millionths as a copy prints it, with one digit; empty where no model gave one."""
    return f"{chance // 10_000}.{chance // 1_000 % 10}%" if chance else ""


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


def page(
    found: InspectionList, *, field_copy: bool, after: str | None, limit: int, divisions: tuple[str, ...] = ("",)
) -> Page[dict[str, Any]]:
    """Rows of a frozen list. The field copy is in the order of the tour and holds nothing of class, chance, score or reasons.

    Rows outside `divisions` are left out: a key may belong to one district of an organ that pulled for several.
    """
    order = InspectionListRow.tour if field_copy else InspectionListRow.position
    query = InspectionListRow.select().where(InspectionListRow.list == found.id)
    if "" not in divisions:
        query = query.where(reduce(or_, (InspectionListRow.division.startswith(prefix) for prefix in divisions)))
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
        "class": row.class_, "score": row.score, "chance": row.chance, "graded_on": clock.day_of(row.graded_day).isoformat(), "reasons": row.reasons,
    }  # fmt: skip
