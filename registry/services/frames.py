"""The frames that cross from the registry to the rules (docs/architecture.md): who is asked about, and what was known."""

from collections.abc import Sequence

import orjson
import polars as pl

from registry.database import execute, in_slices, read_frame

POPULATION = {"entity": pl.Int64, "subject": pl.String, "division": pl.String}
FACTS = {
    "entity": pl.Int64, "kind": pl.Int16, "code": pl.Int32, "severity": pl.Int16, "amount": pl.Int64, "day": pl.Int32,
    "ends": pl.Int32, "seq": pl.Int64,
}  # fmt: skip
COVERAGE = {"kind": pl.Int16, "division": pl.String, "from_day": pl.Int32, "to_day": pl.Int32}
STATE = {
    "entity": pl.Int64, "version": pl.Int32, "digest": pl.Binary, "next_day": pl.Int32, "known": pl.Int64, "day": pl.Int32,
}  # fmt: skip
# Only registered entities that still exist are graded: provisional and cancelled ones are not. Who moved away 迁出, or
# whose registration was annulled 撤销 (4, other), is not cancelled: what that means for the grade is the scheme's to say.
GRADED_STATUSES = (1, 2, 4)
GRADABLE = f"registered_seq IS NOT NULL AND status IN {GRADED_STATUSES}"


def population_in(first: int, last: int, known: int) -> pl.DataFrame:
    """Gradable entities with ids from `first` to `last`, both included, in order of id.

    Those that registered, or whose registration changed, after `known` are left out: what they are now was not known
    then. Their stale mark says that they wait.
    """
    sql = f"SELECT id, kind, division FROM entity WHERE id BETWEEN ? AND ? AND {GRADABLE} AND registered_seq <= ? ORDER BY id"  # noqa: S608
    return read_frame(sql, (first, last, known), POPULATION)


def population_of(entities: Sequence[int], known: int) -> pl.DataFrame:
    """The gradable ones among these entities, in order of id; `known` as in :func:`population_in`."""
    parts = [
        read_frame(
            f"SELECT id, kind, division FROM entity WHERE id IN ({', '.join('?' * len(part))}) AND {GRADABLE} "  # noqa: S608
            "AND registered_seq <= ? ORDER BY id",
            [*part, known],
            POPULATION,
        )
        for part in in_slices(sorted(set(entities)))
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=POPULATION)


def population_as_known(entity: int, known: int) -> pl.DataFrame:
    """One entity as its registration stood at `known`; empty where it was not gradable then."""
    row = execute(
        "SELECT severity, detail FROM record WHERE entity_id = ? AND kind = 'registration' AND act <> 'withdraw' AND seq <= ? "
        "ORDER BY seq DESC LIMIT 1",
        (entity, known),
    ).fetchone()
    if row is None or row[0] not in GRADED_STATUSES:
        return pl.DataFrame(schema=POPULATION)
    # SQLite keeps the detail as text, PostgreSQL as a document.
    said = orjson.loads(row[1]) if isinstance(row[1], str) else row[1]
    return pl.DataFrame([(entity, said["subject"], said.get("division", ""))], schema=POPULATION, orient="row")


def not_gradable(entities: Sequence[int], subjects: Sequence[str]) -> list[int]:
    """Those among these entities that no grade may stand for: not registered, gone, or of a kind beside `subjects`."""
    found: list[int] = []
    kinds = ", ".join("?" * len(subjects))
    for part in in_slices(sorted(set(entities))):
        marks = ", ".join("?" * len(part))
        sql = f"SELECT id FROM entity WHERE id IN ({marks}) AND NOT ({GRADABLE} AND kind IN ({kinds}))"  # noqa: S608
        found += [row[0] for row in execute(sql, [*part, *subjects]).fetchall()]
    return found


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
