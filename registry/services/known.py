"""What the ledger knows of a batch of records before more is said of them: the newest row of each, and all ever said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from registry.database import execute, in_slices
from registry.models import Record

# How a row found its entity: by a number of it, by its exact name alone, or by a person's decision.
Matched = Literal["number", "name", "person"]
COLUMNS = "identity, seq, source, content, act, matched, entity_id, code, severity, amount_fen, happened_on, ends_on"


@dataclass(slots=True)
class Known:
    """The newest row of one identity as a transaction sees it."""

    seq: int
    source: str
    content: str
    act: str
    matched: Matched
    entity: int
    # What grading can see of it, as `sameness.counted` gives it.
    counted: tuple[object, ...]
    row: list[Any] | None = None  # set while the row waits to be inserted in this transaction


def read(
    identities: Iterable[str],
) -> tuple[dict[str, Known], set[tuple[str, str, str]], dict[str, str]]:
    """The newest row of each identity, every (identity, source, content) ever said, and why some do not count.

    Four queries for a batch, whatever its size.
    """
    known: dict[str, Known] = {}
    seen: set[tuple[str, str, str]] = set()
    uncounted: dict[str, str] = {}
    for part in in_slices(sorted(identities)):
        marks = ", ".join("?" * len(part))
        for condition in ("replaced_seq IS NULL", "replaced_seq IS NOT NULL"):
            sql = f"SELECT {COLUMNS} FROM record WHERE identity IN ({marks}) AND {condition}"  # noqa: S608
            for identity, seq, source, content, act, matched, entity, *values in execute(sql, part).fetchall():
                seen.add((identity, source, content))
                if condition == "replaced_seq IS NULL":
                    known[identity] = Known(seq, source, content, act, matched, entity, counted_columns(values))
        sql = f"SELECT identity, source, content FROM provenance WHERE identity IN ({marks})"  # noqa: S608
        seen.update(execute(sql, part).fetchall())
        held = execute(f"SELECT identity, why FROM uncounted WHERE identity IN ({marks})", part)  # noqa: S608
        uncounted.update(held.fetchall())
    return known, seen, uncounted


def counted_columns(values: Sequence[Any]) -> tuple[object, ...]:
    """The same as `sameness.counted`, from the columns of a row: SQLite has days as text, PostgreSQL as days."""
    return (*values[:3], *(None if day is None else str(day) for day in values[3:]))


def revised_at(known: Known) -> str | None:
    """The moment that the source itself gave to the words that hold; None where it gave none."""
    detail = orjson.loads(known.row[14]) if known.row is not None else Record.get(Record.seq == known.seq).detail
    said: str | None = detail.get("stated_at")
    return said
