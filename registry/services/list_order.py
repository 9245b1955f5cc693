"""In which order entities come onto an inspection list, read from stored columns.

1. whose statutory visit is overdue, the longest overdue first;
2. then the worse class;
3. inside a class, the chance of a finding × the harm of the items that apply to the entity;
4. then the score, then the code.

Chance and score are those of the stored grade; the harm is the dated weight that stands in the task's checklist. Where the
same items apply to everybody the index on `grade_state` already has this order; else each class is sorted whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from registry import clock
from registry.database import execute, in_slices, is_postgres
from registry.divisions import in_sql
from registry.services import labels
from registry.services.search import prefix_range
from rules.scheme import Scheme

COLUMNS = (
    "s.entity, coalesce(e.code, e.registration_no, '') AS code, e.name, e.kind, e.division, e.address, s.class, s.score, s.chance, "
    "s.day, s.rank, s.known, s.digest, s.context, v.due_day"
)
NAMES = (
    "entity", "code", "name", "kind", "division", "address", "class_", "score", "chance", "graded_day", "rank", "known",
    "digest", "context", "due_day",
)  # fmt: skip
# A visit that is still to be made: who waits for it is not put onto a second list.
WAITING = "('open', 'assigned', 'started')"
_BUSY = f"EXISTS (SELECT 1 FROM visit b WHERE b.entity = s.entity AND b.state IN {WAITING})"  # noqa: S608 (ours)
MERGED = "SELECT entity FROM alias WHERE until_seq IS NULL"
# Rows asked for beyond those that are wanted: some of them turn out to have reached their cap.
SLACK = 16

Ids = np.ndarray[Any, np.dtype[np.int64]]
NOBODY: Ids = np.empty(0, np.int64)
Item = Mapping[str, Any]
Sql = tuple[str, list[Any]]


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


def ranked(
    scheme: Scheme,
    filters: Filters,
    checklist: Sequence[Item],
    *,
    size: int,
    leave_out: Ids = NOBODY,
    today: date,
) -> list[dict[str, Any]]:
    """The first `size` entities that are open, fit, wait for no other visit and are not in `leave_out`, in order.

    `checklist` are the coded items of the task; to whom none of them applies does not fit (without any, everybody does).
    Each row has NAMES; `due_day` is the statutory due date, None where there is none. One
    query, and a second where overdue visits do not fill the list.
    """
    order, day = _Order(scheme, filters, checklist, today), clock.day_number(today)
    late = order.read("v.due_day < ?", [day], "v.due_day, ", size, leave_out)
    if len(late) == size:
        return late
    return late + order.read("(v.due_day IS NULL OR v.due_day >= ?)", [day], "", size - len(late), leave_out)


class _Order:
    def __init__(self, scheme: Scheme, filters: Filters, checklist: Sequence[Item], today: date) -> None:
        self.scheme = scheme.id
        where, values = of_entity(filters, checklist, today)
        ranks, given = ranks_of(scheme, filters)
        always = [
            "s.scheme = ?",
            *([ranks] if ranks else []),
            "e.status = 1",
            f"NOT {_BUSY}",
            f"s.entity NOT IN ({MERGED})",
        ]
        self.where = [*always, *where]
        self.values: list[Any] = [scheme.id, *given, *values]
        # The same weight for all, or a chance of nothing for all, changes no order: the index has it.
        alike = len({(tuple(sorted(one["subjects"])), tuple(sorted(one["labels"]))) for one in checklist}) < 2
        self.harm: Sql | None = None if alike or not _chances(scheme) else _weight(checklist, today)

    def read(self, when: str, values: Sequence[Any], first: str, size: int, leave_out: Ids) -> list[dict[str, Any]]:
        limit = size + min(len(leave_out), SLACK)
        while True:
            found = self._read(when, values, first, limit)
            strange = set(np.intersect1d([row["entity"] for row in found], leave_out).tolist())
            kept = [row for row in found if row["entity"] not in strange]
            if len(kept) >= size or len(found) < limit:
                return kept[:size]
            limit *= 2

    def _read(self, when: str, values: Sequence[Any], first: str, limit: int) -> list[dict[str, Any]]:
        # Plain bytes on either database, whatever language it sorts texts by.
        code = "coalesce(e.code, e.registration_no, '')" + (' COLLATE "C"' if is_postgres() else "")
        harm, weights = self.harm or ("", [])
        expected = f"s.chance * {harm}" if harm else "s.chance"
        # SQLite keeps a cross join's order.
        then = "JOIN" if is_postgres() else "CROSS JOIN"
        tables = "grade_state s JOIN entity e ON e.id = s.entity LEFT JOIN visit_due v ON v.entity = s.entity"
        if first:
            # From the few that are overdue to their grades, and never the other way round.
            tables = f"visit_due v {then} grade_state s ON s.entity = v.entity {then} entity e ON e.id = s.entity"
        order = f"{first}s.rank DESC, {expected} DESC, s.score DESC, {code}, s.entity"
        # Who it is by the index alone, and then what is known of them: the digest of everybody passed over is not looked at.
        sql = (
            f"SELECT {COLUMNS} FROM "  # noqa: S608 (ours)
            f"(SELECT s.entity AS id FROM {tables} WHERE {' AND '.join([*self.where, when])} ORDER BY {order} LIMIT ?) c "
            f"{then} grade_state s ON s.scheme = ? AND s.entity = c.id {then} entity e ON e.id = c.id "
            f"LEFT JOIN visit_due v ON v.entity = c.id ORDER BY {order}"
        )
        rows = execute(sql, [*self.values, *values, *weights, limit, self.scheme, *weights]).fetchall()
        return [dict(zip(NAMES, row, strict=True)) for row in rows]


def named(scheme: Scheme, entities: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The same columns for single entities, by id. Those without a grade have none: empty class, score and chance 0."""
    found: dict[int, dict[str, Any]] = {}
    for part in in_slices(sorted(set(entities))):
        columns = COLUMNS.replace("s.entity", "e.id")
        sql = (
            f"SELECT {columns} FROM entity e LEFT JOIN grade_state s ON s.scheme = ? AND s.entity = e.id "  # noqa: S608
            f"LEFT JOIN visit_due v ON v.entity = e.id WHERE e.id IN ({', '.join('?' * len(part))})"
        )
        for row in execute(sql, [scheme.id, *part]).fetchall():
            found[row[0]] = dict(zip(NAMES, row, strict=True))
    return found


def of_entity(filters: Filters, checklist: Sequence[Item], today: date) -> tuple[list[str], list[Any]]:
    """Conditions over the alias `e` (entity) for everything but the class, and their values; none where all fit."""
    where: list[str] = []
    values: list[Any] = []
    for column, prefix in (("division", filters.division), ("industry", filters.industry)):
        if prefix:
            where.append(f"e.{column} BETWEEN ? AND ?")
            values += prefix_range(column, prefix)
    if filters.kind:
        where.append("e.kind = ?")
        values.append(filters.kind)
    area, bounds = in_sql(filters.divisions, "e.division")
    if area:
        where.append(area.removeprefix(" AND ").strip())
        values += bounds
    fits, given = any_applies(checklist, today)
    if fits:
        where.append(fits)
        values += given
    return where, values


def any_applies(checklist: Sequence[Item], today: date) -> Sql:
    """That at least one item of a checklist applies to an entity (alias `e`), by its kind and the special databases of the item, as
    SQL; empty where one applies to everybody, and without any."""
    parts = [_applies(item, today) for item in checklist]
    if not all(sql for sql, _ in parts) or not parts:
        return "", []
    return f"({' OR '.join(sql for sql, _ in parts)})", [value for _, given in parts for value in given]


def applying(rows: Iterable[Mapping[str, Any]], checklist: Sequence[Item], today: date) -> dict[int, list[str]]:
    """Which items of a checklist apply to each entity: their codes, in the order of the checklist. One query at most.

    `rows` have entity and kind. An item applies to the kinds of entity that it names (all, where it names none) that are
    members of one of its special databases on that day (everybody, where it names none).
    """
    kinds = {row["entity"]: row["kind"] for row in rows}
    labelled = [item for item in checklist if item["labels"]]
    member: dict[str, set[int]] = {item["code"]: set() for item in labelled}
    if labelled:
        conditions = [labels.condition(list(item["labels"]), today) for item in labelled]
        cases = ", ".join(f"CASE WHEN {sql} THEN 1 ELSE 0 END" for sql, _ in conditions)
        values = [value for _, given in conditions for value in given]
        for part in in_slices(sorted(kinds), 10_000):
            sql = f"SELECT e.id, {cases} FROM entity e WHERE e.id IN ({', '.join('?' * len(part))})"  # noqa: S608 (ours)
            for entity, *flags in execute(sql, [*values, *part]).fetchall():
                for item, flag in zip(labelled, flags, strict=True):
                    if flag:
                        member[item["code"]].add(entity)
    return {
        entity: [
            item["code"]
            for item in checklist
            if (not item["subjects"] or kind in item["subjects"])
            and (not item["labels"] or entity in member[item["code"]])
        ]
        for entity, kind in kinds.items()
    }


def _applies(item: Item, today: date) -> Sql:
    """That an item applies to an entity, as SQL; empty where it applies to everybody."""
    parts: list[str] = []
    values: list[Any] = []
    if item["subjects"]:
        parts.append(f"e.kind IN ({', '.join('?' * len(item['subjects']))})")
        values += item["subjects"]
    if item["labels"]:
        sql, given = labels.condition(list(item["labels"]), today)
        parts.append(f"({sql})")
        values += given
    return (f"({' AND '.join(parts)})" if parts else ""), values


def _weight(checklist: Sequence[Item], today: date) -> Sql:
    """The harm of the items that apply to an entity, added up."""
    sums: list[str] = []
    values: list[Any] = []
    for item in checklist:
        sql, given = _applies(item, today)
        sums.append(f"CASE WHEN {sql or '1 = 1'} THEN {int(item['harm'])} ELSE 0 END")
        values += given
    return f"({' + '.join(sums)})", values


def ranks_of(scheme: Scheme, filters: Filters) -> Sql:
    """Conditions on the class, as a range of ranks wherever it is one: a range is walked in the order of the index."""
    if not filters.classes:
        return "", []
    ranks = sorted({scheme.classes.index(name) for name in filters.classes})
    sql, values = "s.rank BETWEEN ? AND ?", [ranks[0], ranks[-1]]
    if len(ranks) <= ranks[-1] - ranks[0]:
        sql, values = f"{sql} AND s.rank IN ({', '.join('?' * len(ranks))})", [*values, *ranks]
    return sql, values


def _chances(scheme: Scheme) -> bool:
    """Whether a model gave anybody a chance: the highest of each class, one look at the index each."""
    one = "SELECT max(chance) FROM grade_state WHERE scheme = ? AND rank = ?"
    values = [value for rank in range(len(scheme.classes)) for value in (scheme.id, rank)]
    sql = " UNION ALL ".join([one] * len(scheme.classes))
    return any(chance for (chance,) in execute(sql, values).fetchall())
