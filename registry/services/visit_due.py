"""By when an entity must be visited again 应查期限: the interval of its class, counted from its last visit. Kept by a job."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from registry import clock
from registry.config import Settings
from registry.database import execute_many, in_slices, insert_rows, is_postgres, read_frame, session, write
from registry.services import book, frequency, visit_counts
from rules.inspection.frequency import FrequencyTable

# The interval of general items holds for everyone; that of key items only for whom such an item applies to.
NATURE = "general"
# Rows written in one transaction: under 30 ms on SQLite.
CHUNK = 4_000
OPEN = 1
EARLIEST = date(1949, 10, 1)
STORED = {"entity": pl.Int64, "due_day": pl.Int32, "last_day": pl.Int32, "rule": pl.String}
GRADED = {"entity": pl.Int64, "class": pl.String, "industry": pl.Int32, "established": pl.Int32}
UPSERT = (
    "ON CONFLICT (entity) DO UPDATE SET due_day = excluded.due_day, last_day = excluded.last_day, rule = excluded.rule"
)


@dataclass(frozen=True, slots=True)
class Marked:
    """What a run did: entities with a due day, those whose due day has passed, and rows that it wrote or took away."""

    due: int
    overdue: int
    written: int
    removed: int


def mark(settings: Settings, *, today: date, progress: Callable[[], object] = lambda: None) -> Marked:
    """Bring every due day up to date: by the intervals that hold today, today's classes and the visits until today.

    An entity under several schemes with an interval is due by the earliest. Who has no interval, or is no longer open, has no
    row. Only rows that change are written, in short transactions: a run that is cut short loses nothing, and the next one
    writes the rest. One query for each table and scheme that is read.
    """
    wanted = due(settings, today=today)
    with session():
        stored = read_frame("SELECT entity, due_day, last_day, rule FROM visit_due", [], STORED)
    changed = wanted.join(stored, on=list(STORED), how="anti", nulls_equal=True)
    gone = stored.join(wanted, on="entity", how="anti")["entity"].to_list()
    for part in changed.iter_slices(CHUNK):
        progress()
        with session(), write():
            insert_rows("visit_due", tuple(STORED), part.iter_rows(), conflict=UPSERT)
    for some in in_slices(gone, CHUNK):
        progress()
        with session(), write():
            execute_many("DELETE FROM visit_due WHERE entity = ?", [(one,) for one in some])
    overdue = wanted.filter(pl.col("due_day") < clock.day_number(today)).height
    return Marked(wanted.height, overdue, changed.height, len(gone))


def due(settings: Settings, *, today: date) -> pl.DataFrame:
    """Who must be visited by when: columns entity Int64, due_day Int32, last_day Int32 (null: never), rule String.

    The last visit and the interval give the day. Who was never visited is due so many days after he was established, or after
    the interval came into force, whichever is later. Reads only.
    """
    table = frequency.table(settings)
    with session():
        found = [
            _of_scheme(scheme, rows)
            for scheme, rows in _intervals(settings, table, today)
            if any(row["every"] for row in rows)
        ]
        if not found:
            return pl.DataFrame(schema=STORED)
        last = visit_counts.made(None, EARLIEST, today).select("entity", "last_day")
    asked = pl.concat(found).join(last, on="entity", how="left")
    return (
        asked.with_columns(due_day=(pl.coalesce("last_day", "begins") + pl.col("every")).cast(pl.Int32))
        .sort("entity", "due_day", "rule")
        .unique("entity", keep="first", maintain_order=True)
        .select(STORED.keys())
    )


def _intervals(
    settings: Settings, table: FrequencyTable, today: date
) -> Iterator[tuple[str, list[dict[str, Any]]]]:  # fmt: skip
    """Of every scheme that grades here and now (none that is tried in the shadow): its rows, the widest first."""
    day = clock.day_number(today)
    for scheme in book.schemes_in_force(settings, on=today):
        rows = table.rows(scheme, NATURE, day)
        if not scheme.startswith(book.SHADOW) and rows:
            yield (
                scheme,
                [
                    {
                        "class": class_, "range": range_, "rule": row.id, "every": row.every_days,
                        "since": table.interval_since(row.id, day),
                    }
                    for class_, range_, row in rows
                ],
            )  # fmt: skip


def _of_scheme(scheme: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Graded entities of a scheme with the interval of their row: entity, every, begins, rule; who was merged is visited as the one
    that it is now. One query."""
    established = (
        "e.established - DATE '1970-01-01'"
        if is_postgres()
        else "CAST(julianday(e.established) - 2440587.5 AS INTEGER)"
    )
    sql = (
        f"SELECT s.entity, s.class, e.industry, {established} FROM grade_state s JOIN entity e ON e.id = s.entity "  # noqa: S608
        f"WHERE s.scheme = ? AND e.status = {OPEN} AND s.entity NOT IN (SELECT entity FROM alias WHERE until_seq IS NULL)"
    )
    graded = read_frame(sql, [scheme], GRADED)
    at = pl.lit(None, dtype=pl.Int32)
    # Each row is laid over the wider ones before it: the narrowest that fits is on top.
    for place, row in enumerate(rows):
        fits = pl.col("class") == row["class"]
        if row["range"] is not None:
            fits &= pl.col("industry").is_between(*row["range"])
        at = pl.when(fits).then(pl.lit(place, dtype=pl.Int32)).otherwise(at)
    lines = pl.DataFrame(
        [(place, row["rule"], row["every"], row["since"]) for place, row in enumerate(rows)],
        schema={"at": pl.Int32, "rule": pl.String, "every": pl.Int32, "since": pl.Int32},
        orient="row",
    )
    return (
        graded.with_columns(at=at)
        .join(lines.filter(pl.col("every").is_not_null()), on="at")
        .select("entity", "every", "rule", begins=pl.max_horizontal("established", "since"))
    )
