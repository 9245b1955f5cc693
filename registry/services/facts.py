"""What a row of the ledger projects into `fact`: its own fact, and those of the kind that its kind derives.

One place for all who write facts or check them (the ledger, the loading of the sample, verify): a record's facts come and
go together, and can be made again from the row alone.
"""

from dataclasses import replace
from datetime import date
from typing import TypeAlias

import orjson

from registry import clock
from registry.database import execute
from registry.kinds import DERIVED, KINDS, Statement
from registry.models import Record
from registry.services.known import Known
from registry.services.sameness import counted

FACT_COLUMNS = ("entity", "known", "part", "kind", "code", "severity", "amount", "day", "ends", "gone")
FactRow: TypeAlias = tuple[int, int, int, int, int, int, int, int, int | None, int | None]


def facts_of(entity: int, seq: int, statement: Statement) -> list[FactRow]:
    """The facts of one row, as FACT_COLUMNS: part 0 its own, from 1 on those of the derived kind, in their fixed order.

    A correction, or the row by which a record counts again, projects anew what it says itself. A statement without a day
    projects nothing.
    """
    if statement.happened_on is None:
        return []
    kind, day, ends = KINDS[statement.kind], clock.day_number(statement.happened_on), _number(statement.ends_on)
    own = (entity, seq, 0, kind.number, statement.code, statement.severity, statement.amount_fen, day, ends, None)
    return [own, *parts_of(entity, seq, statement)] if kind.derives is not None else [own]


def parts_of(entity: int, seq: int, statement: Statement) -> list[FactRow]:
    """Those of :func:`facts_of` that are of the derived kind; none where the kind derives none."""
    kind = KINDS[statement.kind]
    if kind.derives is None or statement.happened_on is None:
        return []
    number, day, ends = kind.derives.number, clock.day_number(statement.happened_on), _number(statement.ends_on)
    return [
        (entity, seq, place, number, part.code, part.severity, part.amount, day, ends, None)
        for place, part in enumerate(kind.parts(statement), start=1)
    ]


def counts_alike(before: Known, statement: Statement) -> bool:
    """Whether grading sees the same in a statement as in the words of that record that hold."""
    if before.counted != counted(statement):
        return False
    kind = KINDS[statement.kind]
    if kind.derives is None:
        return True
    detail = orjson.loads(before.row[14]) if before.row is not None else Record.get(Record.seq == before.seq).detail
    return kind.parts(replace(statement, detail=detail)) == kind.parts(statement)


def parts_between(low: int, high: int) -> dict[int, list[FactRow]]:
    """The stored facts of derived kinds beside the rows behind `low` up to `high`, by ledger row, each in order of part.

    Only beside rows of a kind that derives one: what stands beside others has no business there.
    """
    marks = ", ".join("?" * len(DERIVED))
    sql = (
        f"SELECT {', '.join(f'f.{name}' for name in FACT_COLUMNS)} FROM record r "  # noqa: S608 (columns and marks)
        "JOIN fact f ON f.entity = r.entity_id AND f.known = r.seq AND f.part > 0 "
        f"WHERE r.seq > ? AND r.seq <= ? AND r.kind IN ({marks}) ORDER BY f.known, f.part"
    )
    found: dict[int, list[FactRow]] = {}
    for row in execute(sql, (low, high, *DERIVED)).fetchall():
        found.setdefault(row[1], []).append(tuple(row))
    return found


def _number(day: date | None) -> int | None:
    return None if day is None else clock.day_number(day)
