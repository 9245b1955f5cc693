"""The frames that cross from the registry to the rules (docs/architecture.md): who is asked about, and what was known."""

from collections.abc import Sequence

import orjson
import polars as pl

from registry.cells.names import fold_name
from registry.database import execute, in_slices, read_frame
from registry.kinds import DERIVED, KINDS
from registry.services import aliases

POPULATION = {"entity": pl.Int64, "subject": pl.String, "division": pl.String}
FACTS = {
    "entity": pl.Int64, "kind": pl.Int16, "code": pl.Int32, "severity": pl.Int16, "amount": pl.Int64, "day": pl.Int32,
    "ends": pl.Int32, "seq": pl.Int64,
}  # fmt: skip
COVERAGE = {"kind": pl.Int16, "division": pl.String, "from_day": pl.Int32, "to_day": pl.Int32}
STATE = {
    "entity": pl.Int64, "version": pl.Int32, "digest": pl.Binary, "next_day": pl.Int32, "known": pl.Int64, "day": pl.Int32,
    "context": pl.Int32,
}  # fmt: skip
# Only registered entities that still exist are graded: provisional and cancelled ones are not. Who moved away 迁出, or
# whose registration was annulled 撤销 (4, other), is not cancelled: what that means for the grade is the scheme's to say.
GRADED_STATUSES = (1, 2, 4)
GRADABLE = f"registered_seq IS NOT NULL AND status IN {GRADED_STATUSES}"
# An entity that was merged 合并 into another is that one: it has no grade of its own while the alias holds.
ITSELF = f"NOT EXISTS (SELECT 1 FROM alias WHERE alias.entity = entity.id AND {aliases.HOLDS})"  # noqa: S608 (ours)
REGISTRATION = KINDS["registration"].number


def population_in(first: int, last: int, known: int) -> pl.DataFrame:
    """Gradable entities with ids from `first` to `last`, both included, in order of id.

    Those that registered, or whose registration changed, after `known` are left out: what they are now was not known
    then. Their stale mark says that they wait. So are those that were merged by then.
    """
    sql = (
        f"SELECT id, kind, division FROM entity WHERE id BETWEEN ? AND ? AND {GRADABLE} AND registered_seq <= ? "  # noqa: S608
        f"AND {ITSELF} ORDER BY id"
    )
    return read_frame(sql, (first, last, known, known, known), POPULATION)


def population_of(entities: Sequence[int], known: int) -> pl.DataFrame:
    """The gradable ones among these entities, in order of id; `known` as in :func:`population_in`.

    In place of an entity that was merged by then stands the one that it was merged into.
    """
    into = aliases.roots(entities, known=known)
    parts = [
        read_frame(
            f"SELECT id, kind, division FROM entity WHERE id IN ({', '.join('?' * len(part))}) AND {GRADABLE} "  # noqa: S608
            "AND registered_seq <= ? ORDER BY id",
            [*part, known],
            POPULATION,
        )
        for part in in_slices(sorted({into.get(one, one) for one in entities}))
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=POPULATION)


def population_as_known(entity: int, known: int) -> pl.DataFrame:
    """One entity as its registration stood at `known`; empty where it was not gradable then, or was merged by then."""
    if aliases.root(entity, known=known) != entity:
        return pl.DataFrame(schema=POPULATION)
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
    """Those among these entities that no grade may stand for: not registered, gone, merged, or of a kind beside `subjects`."""
    found: list[int] = []
    kinds = ", ".join("?" * len(subjects))
    for part in in_slices(sorted(set(entities))):
        marks = ", ".join("?" * len(part))
        sql = f"SELECT id FROM entity WHERE id IN ({marks}) AND NOT ({GRADABLE} AND kind IN ({kinds}) AND {ITSELF})"  # noqa: S608
        found += [row[0] for row in execute(sql, [*part, *subjects, aliases.NOW, aliases.NOW]).fetchall()]
    return found


def facts_in(first: int, last: int, kinds: set[int], known: int) -> pl.DataFrame:
    """Facts of a range of entities as far as they were known at `known`; those of merged ones under who they are then."""
    facts = _facts("entity BETWEEN ? AND ?", [first, last], kinds, known)
    into = aliases.within(first, last, known=known)
    if not into:
        return facts
    beyond = [one for one in into if not first <= one <= last]
    own = [facts, *(_facts(f"entity IN ({_marks(part)})", part, kinds, known) for part in in_slices(beyond, 20_000))]
    united = _united(pl.concat(own), into)
    return united.filter(pl.col("entity").is_between(first, last))


def facts_of(entities: Sequence[int], kinds: set[int], known: int) -> pl.DataFrame:
    """Facts of these entities, and of those that were merged into them, as far as they were known at `known`.

    For an entity that was merged by then they are the facts of the one that it is.
    """
    upward = aliases.roots(entities, known=known)
    wanted = sorted({upward.get(one, one) for one in entities})
    into = aliases.members(wanted, known=known)
    parts = [
        _facts(f"entity IN ({_marks(part)})", part, kinds, known)
        for part in in_slices(sorted({*wanted, *into}), 20_000)
    ]
    facts = pl.concat(parts) if parts else pl.DataFrame(schema=FACTS)
    return _united(facts, into) if into else facts


def _marks(part: Sequence[int]) -> str:
    return ", ".join("?" * len(part))


def _united(facts: pl.DataFrame, into: dict[int, int]) -> pl.DataFrame:
    """Facts of merged entities under the entity that they are, each decision once.

    The registration of the one that they are is the only one. A decision that stands on record for several of them (the
    same kind, organ and document number) counts once, by its earliest row.
    """
    merged = pl.col("entity").is_in(sorted(into))
    facts = facts.filter(~(merged & (pl.col("kind") == REGISTRATION)))
    family = facts.filter(pl.col("entity").is_in(sorted({*into, *into.values()})))
    twice = _twins(family, into) if family["entity"].n_unique() > 1 else []
    facts = facts.filter(~pl.col("seq").is_in(twice)) if twice else facts
    return facts.with_columns(pl.col("entity").replace(into))


def _twins(family: pl.DataFrame, into: dict[int, int]) -> list[int]:
    """Ledger rows that say again, about another member of one family, what an earlier row says."""
    first: dict[tuple[object, ...], tuple[int, int]] = {}
    twins: list[int] = []
    seqs = sorted(family["seq"].unique().to_list())
    for part in in_slices(seqs):
        sql = f"SELECT seq, entity_id, kind, organ, source, document_no FROM record WHERE seq IN ({_marks(part)}) AND document_no <> '' ORDER BY seq"  # noqa: S608
        for seq, entity, kind, organ, source, document_no in execute(sql, part).fetchall():
            key = (into.get(entity, entity), kind, fold_name(organ) or f"source:{source}", document_no)
            holder = first.setdefault(key, (entity, seq))[0]
            if holder != entity:
                twins.append(seq)
    return twins


def _facts(where: str, values: Sequence[int], kinds: set[int], known: int) -> pl.DataFrame:
    numbers = ", ".join(str(int(kind)) for kind in sorted(kinds))
    sql = (
        f"SELECT entity, kind, code, severity, amount, day, ends, known FROM fact WHERE {where} "  # noqa: S608
        f"AND known <= ? AND (gone IS NULL OR gone > ?) AND kind IN ({numbers})"
    )
    return read_frame(sql, [*values, known, known], FACTS)


def coverage(known: int) -> pl.DataFrame:
    """For which kinds, divisions and days feeds were connected, as far as it was known at `known`.

    Whoever has a feed of a kind has what its records project besides: a derived kind is covered where its kind is.
    """
    there = "division, from_day, to_day FROM coverage WHERE known <= ? AND (gone IS NULL OR gone > ?)"
    sql, values = f"SELECT kind, {there}", [known, known]
    for name, derived in DERIVED.items():
        sql += f" UNION ALL SELECT {derived.number}, {there} AND kind = ?"
        values += [known, known, KINDS[name].number]
    return read_frame(sql, values, COVERAGE)


def facts_ever(entities: Sequence[int], kinds: set[int]) -> pl.DataFrame:
    """All facts of these entities and of those that are merged into them now, also those that were replaced: `gone` says
    by which ledger row."""
    numbers = ", ".join(str(int(kind)) for kind in sorted(kinds))
    columns = "entity, kind, code, severity, amount, day, ends, known, gone"
    schema = {**FACTS, "gone": pl.Int64}
    into = aliases.members(entities)
    parts: list[pl.DataFrame] = []
    for part in in_slices(sorted({*entities, *into}), 20_000):
        sql = f"SELECT {columns} FROM fact WHERE entity IN ({_marks(part)}) AND kind IN ({numbers})"  # noqa: S608
        parts.append(read_frame(sql, part, schema))
    facts = pl.concat(parts) if parts else pl.DataFrame(schema=schema)
    return _united(facts, into) if into else facts
