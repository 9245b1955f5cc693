"""Rows that left the queue by their name or by a decision: kept as they came, so that each can be put back, once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from registry.database import execute, in_slices, insert_rows
from registry.services import aliases, naming
from registry.services.ledger import WRONG_PARTY, Pen

# Columns of a row that waits, which are also those of a row that was settled.
ROW = (
    "identity", "kind", "source", "run_id", "row", "reason", "party_name", "party_code", "person_hash", "party", "folded",
    "division", "fields", "waiting_since",
)  # fmt: skip
NAMES = ", ".join(f'"{column}"' for column in ROW)
SETTLED = (*ROW, "queue_id", "how", "entity", "record", "decision", "settled_at")
How = Literal["name", "person", "dropped"]
# Why a row waits again: somebody else has its party's name now; a person said that its name misleads.
SHARED, DETACHED = "name_shared", "detached"


@dataclass(frozen=True, slots=True)
class Twin:
    """What became of the same row when it came before."""

    identity: str
    how: How
    entity: int | None
    record: str | None
    decision: int | None


def twins(identities: Iterable[str]) -> dict[str, Twin]:
    """Those among these rows that were settled already, by identity. One query."""
    found: dict[str, Twin] = {}
    for part in in_slices(sorted(set(identities))):
        sql = f"SELECT identity, how, entity, record, decision FROM settled WHERE identity IN ({', '.join('?' * len(part))})"  # noqa: S608
        found |= {row[0]: Twin(*row) for row in execute(sql, part).fetchall()}
    return found


def settle(
    rows: Sequence[Sequence[Any]], fates: Sequence[tuple[How, int | None, str | None, int | None]], now: int
) -> int:
    """Put rows (columns ROW) among the settled, with how, entity, record and decision of each. Twins in the queue leave it.

    Returns how many left the queue.
    """
    numbers: dict[str, int] = {}
    for part in in_slices([row[0] for row in rows]):
        sql = f"SELECT identity, id FROM unmatched WHERE identity IN ({', '.join('?' * len(part))})"  # noqa: S608
        numbers |= dict(execute(sql, part).fetchall())
    insert_rows(
        "settled", SETTLED, [(*row, numbers.get(row[0]), *fate, now) for row, fate in zip(rows, fates, strict=True)],
        conflict="ON CONFLICT (identity) DO UPDATE SET how = excluded.how, entity = excluded.entity, record = excluded.record, "
        "decision = excluded.decision, settled_at = excluded.settled_at",
    )  # fmt: skip
    gone = 0
    for part in in_slices([row[0] for row in rows]):
        gone += execute(f"DELETE FROM unmatched WHERE identity IN ({', '.join('?' * len(part))})", part).rowcount  # noqa: S608
    return gone


def unsettle(pen: Pen, identities: Sequence[str], *, reason: str | None, because: str) -> int:
    """Put settled rows back into the queue and withdraw what they alone said, as another party's. Returns how many.

    `reason` is why they wait now (None: as before). A record that another settled row, or a row with its party's number,
    says as well stays. In the transaction of the pen; rows that are not settled change nothing.
    """
    back = list(twins(identities).values())
    if not back:
        return 0
    pen.flush()
    shown = "reason" if reason is None else "?"
    for part in in_slices([twin.identity for twin in back]):
        marks = ", ".join("?" * len(part))
        columns = NAMES.replace('"reason"', shown)
        execute(
            f"INSERT INTO unmatched ({NAMES}) SELECT {columns} FROM settled WHERE identity IN ({marks}) ORDER BY id "  # noqa: S608
            "ON CONFLICT (identity) DO NOTHING",
            [*([] if reason is None else [reason]), *part],
        )
    forget([twin.identity for twin in back])
    _withdraw(pen, {twin.record for twin in back if twin.record is not None}, because)
    return len(back)


def identities_at(pen: Pen, seqs: Iterable[int]) -> dict[int, str]:
    """The record identity of each of these ledger rows, those of the pen included."""
    pen.flush()
    found: dict[int, str] = {}
    for part in in_slices(sorted(set(seqs))):
        sql = f"SELECT seq, identity FROM record WHERE seq IN ({', '.join('?' * len(part))})"  # noqa: S608
        found |= dict(execute(sql, part).fetchall())
    return found


def erased(records: Iterable[str]) -> set[str]:
    """Those of these record identities that were lawfully erased: what their rows say is not kept again."""
    found: set[str] = set()
    for part in in_slices(sorted(set(records))):
        sql = f"SELECT identity FROM uncounted WHERE why = 'erased' AND identity IN ({', '.join('?' * len(part))})"  # noqa: S608
        found.update(one for (one,) in execute(sql, part).fetchall())
    return found


def forget(identities: Sequence[str]) -> None:
    """Take rows off the settled: their party's number speaks for them now, or they wait again."""
    for part in in_slices(sorted(set(identities))):
        execute(f"DELETE FROM settled WHERE identity IN ({', '.join('?' * len(part))})", part)  # noqa: S608


def _withdraw(pen: Pen, records: set[str], because: str) -> None:
    for part in in_slices(sorted(records)):
        marks = ", ".join("?" * len(part))
        still = {row[0] for row in execute(f"SELECT record FROM settled WHERE record IN ({marks})", part).fetchall()}  # noqa: S608
        sql = (
            f"SELECT seq, identity FROM record WHERE identity IN ({marks}) AND replaced_seq IS NULL "  # noqa: S608
            "AND matched <> 'number' AND act <> 'withdraw' ORDER BY seq"
        )
        for seq, identity in execute(sql, part).fetchall():
            if identity not in still:
                pen.withdraw(seq, source=WRONG_PARTY, reason=because)


def recheck(pen: Pen, names: Iterable[str]) -> int:
    """Let rows wait again that were attached under one of these folded names, where it is no longer one entity's alone.

    Called with the names that entities have just been given: so it makes no difference which came first, the row or the
    second entity of that name. Returns how many.
    """
    attached: list[tuple[str, str, str, int]] = []
    for part in in_slices(sorted(set(names))):
        sql = (
            "SELECT identity, folded, division, entity FROM settled WHERE how = 'name' "  # noqa: S608
            f"AND folded IN ({', '.join('?' * len(part))})"
        )
        attached += execute(sql, part).fetchall()
    if not attached:
        return 0
    found = naming.by_name((folded, area) for _, folded, area, _ in attached)
    into = aliases.roots([entity for *_, entity in attached])
    wrong = [
        identity for identity, folded, area, entity in attached if found.get((folded, area)) != into.get(entity, entity)
    ]
    return unsettle(pen, wrong, reason=SHARED, because="Another entity of the area has this name too 同区域重名")


__all__ = [
    "DETACHED",
    "NAMES",
    "ROW",
    "SETTLED",
    "SHARED",
    "How",
    "Twin",
    "erased",
    "forget",
    "identities_at",
    "recheck",
    "settle",
    "twins",
    "unsettle",
]
