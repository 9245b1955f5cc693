"""The feed of grade changes: who moved from which class and score to which, and what had changed since the grade before."""

from collections.abc import Sequence
from enum import IntFlag
from typing import Any

import polars as pl

from registry import clock, cursor
from registry.database import execute, in_slices, insert_rows, is_postgres, read_frame
from registry.divisions import in_sql
from registry.errors import RegistryError
from registry.models import Entity, GradeChange, SchemeVersion
from registry.page import Page
from registry.services import book
from rules.engine import facts_needed
from rules.scheme import Scheme

COLUMNS = (
    "id", "scheme", "entity", "version", "day", "known", "old_version", "old_day", "old_known", "old_class", "class", "old_score",
    "score", "causes", "at",
)  # fmt: skip
# Any number that nobody else locks with.
LOCK = 0x6368616E6765


class Cause(IntFlag):
    """What was not the same any more as when the grade before was given. Several may hold at once."""

    RECORD = 1
    TIME = 2
    SCHEME = 4
    CONTEXT = 8
    OVERRIDE = 16
    COVERAGE = 32
    RAISE = 64


CAUSES = {
    Cause.RECORD: ("记录", "record"),
    Cause.TIME: ("时间", "time"),
    Cause.SCHEME: ("方案", "scheme"),
    Cause.CONTEXT: ("背景值", "context"),
    Cause.OVERRIDE: ("人工认定", "override"),
    Cause.COVERAGE: ("数据覆盖", "coverage"),
    Cause.RAISE: ("类别上调", "raise"),
}


class ChangeNotFound(RegistryError):
    """There is no such change, or not in the divisions of who asks."""

    code = "change_not_found"
    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(
            f"There is no grade change {number}. `xinheng changes` and GET /api/v1/events list those that there are."
        )


def keep(scheme: Scheme, moved: pl.DataFrame, *, at: int) -> None:
    """Put changes of class or score into the feed. Must run inside the transaction that writes the grades.

    `moved` has entity, version, day, known, class, score, the same with `old_` before them, old_next, context and
    old_context. Numbers are given in commit order, so that a reader who goes on from the last one misses nothing.
    """
    if moved.is_empty():
        return
    if is_postgres():  # SQLite has one writer anyway; taken last, after the rows of marks and grades
        execute("SELECT pg_advisory_xact_lock(?)", (LOCK,))
    first = execute("SELECT coalesce(max(id), 0) FROM grade_change").fetchone()[0] + 1
    causes = _causes(scheme, moved)
    rows = moved.select(
        pl.int_range(first, first + pl.len()).alias("id"),
        pl.lit(scheme.id).alias("scheme"),
        *COLUMNS[2:13],
        pl.Series("causes", causes),
        pl.lit(at).alias("at"),
    )
    insert_rows("grade_change", COLUMNS, rows.rows())


def _causes(scheme: Scheme, moved: pl.DataFrame) -> list[int]:
    entities = moved["entity"].to_list()
    said = _last_said(entities)
    stated = {
        Cause.OVERRIDE: _stated("grade_override", book.made_of(scheme), entities),
        Cause.RAISE: _stated("grade_raise", book.made_of(scheme), entities),
    }
    feeds = _feeds(scheme, entities, since=moved["old_known"].min())
    found = []
    names = ("entity", "old_version", "version", "old_day", "day", "old_known", "old_next", "context", "old_context")
    for entity, old_version, version, old_day, day, old_known, old_next, context, old_context in moved.select(
        names
    ).iter_rows():
        cause = Cause(0)
        if said.get(entity, 0) > old_known:
            cause |= Cause.RECORD
        if old_next is not None and old_day < day and old_next <= day:
            cause |= Cause.TIME
        if version != old_version:
            cause |= Cause.SCHEME
        if context != old_context:
            cause |= Cause.CONTEXT
        for which, held in stated.items():
            for known, gone, start, until in held.get(entity, ()):
                if max(known, gone or 0) > old_known or old_day < start <= day or old_day < until <= day:
                    cause |= which
        if feeds.get(entity, 0) > old_known:
            cause |= Cause.COVERAGE
        # What else moves a grade is said in the ledger: its registration, or whom records belong to.
        found.append(int(cause or Cause.RECORD))
    return found


def _feeds(scheme: Scheme, entities: Sequence[int], *, since: Any) -> dict[int, int]:
    """The newest ledger row that connected, or cut off, a feed that the scheme counts in the division of each entity; only
    those after ledger number `since`, which nearly always are none."""
    sql = "SELECT kind, division, known, coalesce(gone, 0) FROM coverage WHERE known > ? OR gone > ?"
    read = facts_needed(scheme)
    new = [
        (division, max(known, gone))
        for kind, division, known, gone in execute(sql, (since, since)).fetchall()
        if kind in read
    ]
    found: dict[int, int] = {}
    for part in in_slices(list(entities) if new else []):
        sql = f"SELECT id, division FROM entity WHERE id IN ({', '.join('?' * len(part))})"  # noqa: S608
        for entity, division in execute(sql, part).fetchall():
            found[entity] = max((seq for prefix, seq in new if division.startswith(prefix)), default=0)
    return found


def _last_said(entities: Sequence[int]) -> dict[int, int]:
    """The newest ledger row that added a fact about each of these entities, or took one away."""
    found: dict[int, int] = {}
    for part in in_slices(list(entities), 20_000):
        sql = (
            "SELECT entity, max(CASE WHEN gone > known THEN gone ELSE known END) FROM fact "  # noqa: S608
            f"WHERE entity IN ({', '.join('?' * len(part))}) GROUP BY entity"
        )
        frame = read_frame(sql, part, {"entity": pl.Int64, "said": pl.Int64})
        found.update(frame.iter_rows())
    return found


def _stated(
    table: str, schemes: Sequence[str], entities: Sequence[int]
) -> dict[int, list[tuple[int, int | None, int, int]]]:
    """Overrides or raises of these entities under these schemes: known, gone, first day, first day without."""
    found: dict[int, list[tuple[int, int | None, int, int]]] = {}
    for part in in_slices(list(entities), 20_000):
        sql = (
            f"SELECT entity, known, gone, from_day, until_day FROM {table} WHERE known IS NOT NULL "  # noqa: S608 (ours)
            f"AND scheme IN ({', '.join('?' * len(schemes))}) AND entity IN ({', '.join('?' * len(part))})"
        )
        for entity, *rest in execute(sql, [*schemes, *part]).fetchall():
            found.setdefault(entity, []).append(tuple(rest))
    return found


def page(
    scheme: str, *, after: str | None, limit: int, divisions: Sequence[str] = ("",), entity: int | None = None
) -> Page[dict[str, Any]]:
    """Changes after a cursor, oldest first, of entities in divisions with these prefixes. One query.

    Keep `next` of the last page and ask again from there: what is written later has a higher number.
    """
    where, values = "c.scheme = ? AND c.id > ?", [scheme, 0 if after is None else cursor.decode(after, int)[0]]
    if entity is not None:
        where, values = f"{where} AND c.entity = ?", [*values, entity]
    near, bounds = in_sql(divisions, "e.division")
    sql = (
        "SELECT c.id, coalesce(e.code, e.registration_no), e.name, c.day, c.known, c.old_day, c.old_known, c.old_class, c.class, "  # noqa: S608
        "c.old_score, c.score, c.causes, c.at, v.hash, w.hash FROM grade_change c JOIN entity e ON e.id = c.entity "
        "JOIN scheme_version v ON v.id = c.version JOIN scheme_version w ON w.id = c.old_version "
        f"WHERE {where}{near} ORDER BY c.id LIMIT ?"
    )
    rows = execute(sql, [*values, *bounds, limit + 1]).fetchall()
    items = [_shown(scheme, row) for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1][0]) if len(rows) > limit else None)


def _shown(scheme: str, row: Sequence[Any]) -> dict[str, Any]:
    number, code, name, day, known, old_day, old_known, old_class, class_, old_score, score, causes, at, digest, old = (
        row
    )
    return {
        "id": number, "scheme": scheme, "code": code, "name": name, "at": clock.moment_text(at),
        "causes": [CAUSES[one][1] for one in Cause(causes)],
        "before": {"on": clock.day_of(old_day).isoformat(), "known_seq": old_known, "class": old_class, "score": old_score, "scheme_hash": old},
        "after": {"on": clock.day_of(day).isoformat(), "known_seq": known, "class": class_, "score": score, "scheme_hash": digest},
    }  # fmt: skip


def shown(change: GradeChange, entity: Entity) -> dict[str, Any]:
    """One change as the feed shows it."""
    hashes = {
        row.id: row.hash
        for row in SchemeVersion.select().where(SchemeVersion.id.in_([change.version, change.old_version]))
    }
    row = (
        change.id, entity.code or entity.registration_no, entity.name, change.day, change.known, change.old_day, change.old_known,
        change.old_class, change.class_, change.old_score, change.score, change.causes, change.at, hashes[change.version],
        hashes[change.old_version],
    )  # fmt: skip
    return _shown(change.scheme, row)


def get(number: int) -> GradeChange:
    """One change by its number. Raises ChangeNotFound."""
    found = GradeChange.get_or_none(GradeChange.id == number)
    if found is None:
        raise ChangeNotFound(number)
    return found
