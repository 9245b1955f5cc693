"""A whole district: explanations of random entities are exact, and its grades are the same however it is cut up.

`make test` takes a small district and sixty entities; `make soak` the city and a thousand.
"""

import os
from typing import Any

import numpy as np
import polars as pl
import pytest

from registry.clock import day_number
from registry.models import Entity
from registry.services import context_building, explanation, frames, given, grading, ledger
from registry.services.sampling import load_sample
from rules.engine import evaluate, facts_needed, grade
from tests.conftest import NOW, TODAY

SIZE: Any = os.environ.get("XINHENG_TEST_SIZE", "4000")
ASKED = int(os.environ.get("XINHENG_TEST_ENTITIES", "60"))


@pytest.fixture
def district(on_sqlite):
    load_sample(on_sqlite, size=int(SIZE) if SIZE.isdigit() else SIZE, today=TODAY, now=NOW)
    context_building.build(on_sqlite, day=TODAY, now=NOW)
    scheme = grading.scheme_named(on_sqlite)
    grading.everyone(scheme, day=TODAY, range_size=60_000, now=lambda: NOW)
    return scheme


def chosen(scheme):
    """Random entities that are graded, half of them with more records than most."""
    known = ledger.head()
    graded = frames.population_in(1, 2**62, known).filter(pl.col("subject").is_in(scheme.subjects))["entity"]
    facts = frames.facts_in(1, 2**62, facts_needed(scheme), known)
    busy = facts.group_by("entity").len().filter(pl.col("len") > 5)["entity"]
    rng = np.random.default_rng(7)
    some = rng.choice(graded.sort().to_numpy(), ASKED, replace=False).tolist()
    busy_some = rng.choice(busy.filter(busy.is_in(graded.implode())).sort().to_numpy(), ASKED // 2).tolist()
    return sorted({*some, *busy_some})


def values(scheme, population, facts, coverage, beside):
    """Every indicator of every row, unknown as None, with the records behind it: row → {indicator: (value, records)}."""
    found = {}
    for part in evaluate(population, facts, coverage, scheme, beside):
        reads = {}
        for name, column in part.columns.items():
            named = [(part.slices[kind].row[at], part.slices[kind].column("seq")[at]) for kind, at in column.reads]
            by_row: dict[int, set[int]] = {}
            for rows, seqs in named:
                for row, seq in zip(rows.tolist(), seqs.tolist(), strict=True):
                    by_row.setdefault(row, set()).add(seq)
            reads[name] = by_row
        for at, row in enumerate(part.rows.tolist()):
            found[row] = {
                name: (
                    int(column.values[at])
                    if column.known is True or (column.known is not False and column.known[at])
                    else None,
                    frozenset(reads[name].get(at, ())),
                )
                for name, column in part.columns.items()
            }
    return found


def without_one_record(asked, facts):
    """Each entity as it is, and once more without each one of its records, as entities of their own.

    Returns (entity, record that is missing or None) in order of the new ids, and the facts under those ids.
    """
    worlds, parts = [], []
    by_entity = facts.partition_by("entity", as_dict=True)
    for entity in asked:
        own = by_entity.get((entity,))
        seqs = [] if own is None else sorted(own["seq"].unique().to_list())
        for missing in [None, *seqs]:
            if own is not None:
                kept = own if missing is None else own.filter(pl.col("seq") != missing)
                parts.append(kept.with_columns(entity=pl.lit(len(worlds) + 1, dtype=pl.Int64)))
            worlds.append((entity, missing))
    return worlds, pl.concat(parts)


def test_the_rows_add_up_and_the_records_are_exactly_those_that_were_read(district):
    scheme, asked = district, chosen(district)
    for entity in asked:
        found = explanation.of(Entity.get_by_id(entity), scheme, today=TODAY)
        assert sum(row.points for row in found.explanation.points) == found.explanation.score
        assert found.reproduced, found.differs
    known, day = ledger.head(), day_number(TODAY)
    population = frames.population_of(asked, known)
    facts = frames.facts_of(asked, facts_needed(scheme), known)
    worlds, copies = without_one_record(asked, facts)
    ids = pl.DataFrame({"id": range(1, len(worlds) + 1), "entity": [entity for entity, _ in worlds]})
    everyone = ids.join(population, on="entity", maintain_order="left").select(
        pl.col("id").alias("entity"), pl.lit(day, pl.Int32).alias("day"), "subject", "division"
    )
    beside = given.about(scheme, asked, known=known, day=day)
    own = ids.join(beside.context, on="entity").select(pl.col("id").alias("entity"), "name", "value")
    beside = given.Given(
        context=own,
        norms=beside.norms,
        names=beside.names,
        context_id=beside.context_id,
        context_hash=beside.context_hash,
    )
    said = values(scheme, everyone, copies, frames.coverage(known), beside)
    whole = {entity: said[at] for at, (entity, missing) in enumerate(worlds) if missing is None}
    named = others = 0
    for at, (entity, missing) in enumerate(worlds):
        if missing is None:
            continue
        before, after = whole[entity], said[at]
        behind = {seq for _, records in before.values() for seq in records}
        # What an indicator says is its value and the records that it was read from.
        moved = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        if missing in behind:
            named += 1
            assert moved, (entity, missing)
        else:
            others += 1
            assert not moved, (entity, missing, moved)
    assert named > ASKED
    print(f"{len(asked)} entities, {named} named records, {others} others")


def test_the_grades_are_the_same_byte_for_byte_however_the_district_is_cut_up(district):
    scheme, known, day = district, ledger.head(), day_number(TODAY)
    population = frames.population_in(1, 2**62, known).filter(pl.col("subject").is_in(scheme.subjects))
    population = population.with_columns(day=pl.lit(day, dtype=pl.Int32))
    facts, coverage = frames.facts_in(1, 2**62, facts_needed(scheme), known), frames.coverage(known)
    beside = given.within(scheme, 1, 2**62, known=known, day=day)

    def together(parts):
        return pl.concat(grade(part, facts, coverage, scheme, beside) for part in parts).sort("entity")

    whole = together([population])
    divisions = population.partition_by("division")
    assert len(divisions) == 7
    assert together(divisions).equals(whole)
    shuffled = population.sample(fraction=1, shuffle=True, seed=3)
    assert together([shuffled]).equals(whole)
    own = facts.sort("entity")
    batches = [
        grade(piece, own.filter(pl.col("entity").is_between(*_ends(piece))), coverage, scheme, beside)
        for piece in population.iter_slices(1_000)
    ]
    assert pl.concat(batches).sort("entity").equals(whole)


def _ends(piece):
    return int(piece["entity"].min()), int(piece["entity"].max())
