"""Which entities are one 合并: read as of any ledger number. Written by `registry.services.merges` alone."""

from collections.abc import Sequence
from typing import Any

from registry.database import execute, in_slices
from registry.models import Alias, Entity

# An alias that holds at a ledger number; its parameters are that number, twice.
HOLDS = "since_seq <= ? AND (until_seq IS NULL OR until_seq > ?)"
# Further than any ledger number.
NOW = 2**62


def root(entity: int, *, known: int | None = None) -> int:
    """The entity that this one is, as far as was known at a ledger number (default: now). Its own id unless it was merged."""
    return roots([entity], known=known).get(entity, entity)


def roots(entities: Sequence[int], *, known: int | None = None) -> dict[int, int]:
    """Those among these entities that were merged → into whom, as far as was known. One query."""
    seq = NOW if known is None else known
    found: dict[int, int] = {}
    for part in in_slices(sorted(set(entities))):
        sql = f'SELECT entity, "into" FROM alias WHERE entity IN ({", ".join("?" * len(part))}) AND {HOLDS}'  # noqa: S608
        found |= dict(execute(sql, [*part, seq, seq]).fetchall())
    return found


def members(entities: Sequence[int], *, known: int | None = None) -> dict[int, int]:
    """Entities that were merged into one of these → into whom, as far as was known. One query."""
    seq = NOW if known is None else known
    found: dict[int, int] = {}
    for part in in_slices(sorted(set(entities))):
        sql = f'SELECT entity, "into" FROM alias WHERE "into" IN ({", ".join("?" * len(part))}) AND {HOLDS}'  # noqa: S608
        found |= dict(execute(sql, [*part, seq, seq]).fetchall())
    return found


def family(entity: int) -> Any:
    """The query for the ids of an entity and of those that are merged into it now, for use inside another query."""
    mine = Entity.select(Entity.id).where(Entity.id == entity)
    return mine.union_all(Alias.select(Alias.entity).where((Alias.into == entity) & Alias.until_seq.is_null()))


def within(first: int, last: int, *, known: int) -> dict[int, int]:
    """Merged entities → into whom, where either has an id from `first` to `last`, as far as was known. One query."""
    sql = f'SELECT entity, "into" FROM alias WHERE (entity BETWEEN ? AND ? OR "into" BETWEEN ? AND ?) AND {HOLDS}'  # noqa: S608
    return dict(execute(sql, [first, last, first, last, known, known]).fetchall())


__all__ = ["HOLDS", "NOW", "family", "members", "root", "roots", "within"]
