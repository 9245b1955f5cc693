"""The frames that cross from the registry to the rules (docs/architecture.md): who is asked about, and what was known."""

from collections.abc import Sequence

import polars as pl

from registry.database import in_slices, read_frame

POPULATION = {"entity": pl.Int64, "subject": pl.String, "division": pl.String}
FACTS = {
    "entity": pl.Int64, "kind": pl.Int16, "code": pl.Int32, "severity": pl.Int16, "amount": pl.Int64, "day": pl.Int32,
    "ends": pl.Int32, "seq": pl.Int64,
}  # fmt: skip
COVERAGE = {"kind": pl.Int16, "division": pl.String, "from_day": pl.Int32, "to_day": pl.Int32}
STATE = {"entity": pl.Int64, "version": pl.Int32, "digest": pl.Binary, "next_day": pl.Int32}
# Only registered entities that still exist are graded: provisional and cancelled ones are not.
GRADABLE = "registered_seq IS NOT NULL AND status IN (1, 2)"


def population_in(first: int, last: int) -> pl.DataFrame:
    """Gradable entities with ids from `first` to `last`, both included, in order of id."""
    sql = f"SELECT id, kind, division FROM entity WHERE id BETWEEN ? AND ? AND {GRADABLE} ORDER BY id"  # noqa: S608
    return read_frame(sql, (first, last), POPULATION)


def population_of(entities: Sequence[int]) -> pl.DataFrame:
    """The gradable ones among these entities, in order of id."""
    parts = [
        read_frame(
            f"SELECT id, kind, division FROM entity WHERE id IN ({', '.join('?' * len(part))}) AND {GRADABLE} ORDER BY id",  # noqa: S608
            part,
            POPULATION,
        )
        for part in in_slices(sorted(set(entities)))
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=POPULATION)


def facts_in(first: int, last: int, kinds: set[int], known: int) -> pl.DataFrame:
    """Facts of a range of entities as far as they were known at `known`."""
    return _facts("entity BETWEEN ? AND ?", [first, last], kinds, known)


def facts_of(entities: Sequence[int], kinds: set[int], known: int) -> pl.DataFrame:
    """Facts of these entities as far as they were known at `known`."""
    parts = [
        _facts(f"entity IN ({', '.join('?' * len(part))})", part, kinds, known)
        for part in in_slices(sorted(set(entities)), 20_000)
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=FACTS)


def _facts(where: str, values: Sequence[int], kinds: set[int], known: int) -> pl.DataFrame:
    numbers = ", ".join(str(int(kind)) for kind in sorted(kinds))
    sql = (
        f"SELECT entity, kind, code, severity, amount, day, ends, known FROM fact WHERE {where} "  # noqa: S608
        f"AND known <= ? AND (gone IS NULL OR gone > ?) AND kind IN ({numbers})"
    )
    return read_frame(sql, [*values, known, known], FACTS)


def coverage(known: int) -> pl.DataFrame:
    """For which kinds, divisions and days feeds were connected, as far as it was known at `known`."""
    sql = "SELECT kind, division, from_day, to_day FROM coverage WHERE known <= ? AND (gone IS NULL OR gone > ?)"
    return read_frame(sql, (known, known), COVERAGE)


def facts_ever(entities: Sequence[int], kinds: set[int]) -> pl.DataFrame:
    """All facts of these entities, also those that were replaced: `gone` says by which ledger row."""
    numbers = ", ".join(str(int(kind)) for kind in sorted(kinds))
    columns = "entity, kind, code, severity, amount, day, ends, known, gone"
    schema = {**FACTS, "gone": pl.Int64}
    parts: list[pl.DataFrame] = []
    for part in in_slices(sorted(set(entities)), 20_000):
        marks = ", ".join("?" * len(part))
        sql = f"SELECT {columns} FROM fact WHERE entity IN ({marks}) AND kind IN ({numbers})"  # noqa: S608
        parts.append(read_frame(sql, part, schema))
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)
