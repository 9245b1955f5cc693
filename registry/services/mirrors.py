"""Tables beside the ledger by which records are found from their other side: kept with every row, re-derived from the rows.

A kind declares its own (`Kind.mirror`): who made a 12315 item (`claim`), the other side of a relation (`relation`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from registry.database import execute, execute_many, insert_rows, write
from registry.kinds import KINDS
from registry.kinds.base import Mirror

MIRRORS: dict[str, Mirror] = {kind.name: kind.mirror for kind in KINDS.values() if kind.mirror is not None}
# Rows of the ledger that are read at once.
ROWS = 5_000


def keep(columns: Sequence[str], records: Sequence[Sequence[Any]], replaced: Sequence[tuple[int, int]]) -> None:
    """Follow rows that are being appended: inside their transaction, by the ledger alone.

    `records` are rows of `columns`; `replaced` pairs of (row that replaces, row that was replaced) of rows stored before.
    """
    made: dict[str, list[tuple[Any, ...]]] = {}
    of_kind: dict[int, str] = {}
    at = columns.index("kind")
    for record in records:
        mirror = MIRRORS.get(record[at])
        if mirror is None:
            continue
        row = dict(zip(columns, record, strict=True))
        if row["act"] == "step":
            continue
        of_kind[row["seq"]] = row["kind"]
        if (values := _values(mirror, row)) is not None:
            made.setdefault(row["kind"], []).append(values)
    for kind, mirror in MIRRORS.items() if of_kind else ():
        gone = [pair for pair in replaced if of_kind.get(pair[0]) == kind]
        if gone:
            execute_many(f"UPDATE {mirror.table} SET gone = ? WHERE known = ?", gone)  # noqa: S608
        if kind in made:
            insert_rows(mirror.table, ("known", *mirror.columns, "gone"), made[kind])


def forget(seq: int) -> None:
    """Drop what mirrors hold of a row whose content was lawfully erased. Called in the transaction of the erasure."""
    for mirror in MIRRORS.values():
        execute(f"DELETE FROM {mirror.table} WHERE known = ?", (seq,))  # noqa: S608


def differences() -> Iterator[str]:
    """What in the mirrors does not follow from the ledger, in words; nothing where all is in order."""
    for kind, mirror in MIRRORS.items():
        columns = ", ".join(("known", *mirror.columns, "gone"))
        after = -1
        while True:
            derived = dict(_derived(kind, mirror, after))
            last = _last(kind, after)
            upto = "" if last is None else f" AND known <= {last}"
            held = {
                row[0]: _plain(row)
                for row in execute(f"SELECT {columns} FROM {mirror.table} WHERE known > ?{upto}", (after,)).fetchall()  # noqa: S608
            }
            for seq in sorted({*derived, *held}):
                if derived.get(seq) != held.get(seq):
                    what = "is missing" if seq not in held else "stands there and has no record" if seq not in derived else "differs"  # fmt: skip
                    yield f"{mirror.table}: the row of ledger row {seq} {what}"
            if last is None:
                break
            after = last


def rebuild() -> dict[str, int]:
    """Make every mirror anew from the ledger, in one transaction; rows by table."""
    counts: dict[str, int] = {}
    with write():
        for kind, mirror in MIRRORS.items():
            execute(f"DELETE FROM {mirror.table}")  # noqa: S608
            after: int | None = -1
            counts[mirror.table] = 0
            while after is not None:
                rows = [row for _, row in _derived(kind, mirror, after)]
                insert_rows(mirror.table, ("known", *mirror.columns, "gone"), rows)
                counts[mirror.table] += len(rows)
                after = _last(kind, after)
    return counts


SOURCE = (
    "SELECT seq, act, identity, kind, entity_id, code, severity, amount_fen, happened_on, ends_on, detail, replaced_seq "
    "FROM record WHERE kind = ? AND act <> 'step' AND seq > ? ORDER BY seq LIMIT ?"
)
NAMES = (
    "seq", "act", "identity", "kind", "entity_id", "code", "severity", "amount_fen", "happened_on", "ends_on", "detail",
    "replaced_seq",
)  # fmt: skip


def _derived(kind: str, mirror: Mirror, after: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    for record in execute(SOURCE, (kind, after, ROWS)).fetchall():
        values = _values(mirror, dict(zip(NAMES, record, strict=True)))
        if values is not None:
            yield values[0], values


def _last(kind: str, after: int) -> int | None:
    """The number of the last row of the slice behind `after`; None where it was the last one."""
    found = execute(f"SELECT max(seq), count(*) FROM ({SOURCE}) AS slice", (kind, after, ROWS)).fetchone()  # noqa: S608
    return int(found[0]) if found[1] == ROWS else None


def _values(mirror: Mirror, row: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The row of a mirror, with its place in time; None where the record has none, or says that it was withdrawn."""
    if row["act"] == "withdraw":
        return None
    detail = row["detail"] if isinstance(row["detail"], dict) else orjson.loads(row["detail"])
    days = {name: _day(row[name]) for name in ("happened_on", "ends_on")}
    values = mirror.row({**row, **days, "detail": detail})
    return None if values is None else _plain((row["seq"], *values, row["replaced_seq"]))


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _plain(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values as both kinds of database give them back."""
    return tuple(value.isoformat() if isinstance(value, date) else value for value in values)
