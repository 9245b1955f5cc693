"""What one call of the engine is asked: its rows by subject and epoch, and the facts that belong to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from rules import conditions
from rules.compiled import Compiled
from rules.dependents import Frozen
from rules.given import Given
from rules.parts import Membership
from rules.scheme import Scheme
from rules.slices import Bools, FactColumns, Ints, join


@dataclass(slots=True)
class Asked:
    """What one call grades, shared by the scheme and by those whose grades it reads. ``frozen`` and ``table`` keep what
    has been prepared once."""

    population: pl.DataFrame
    entities: Ints
    days: Ints
    table: FactColumns
    coverage: pl.DataFrame
    given: Given
    frozen: Frozen


def split(asked: Asked, scheme: Scheme, among: Bools | None, *, measuring: bool = False) -> list[tuple[Compiled, Ints]]:
    """Rows by subject and epoch, in a fixed order, without those whom the scheme does not grade."""
    population = asked.population
    if not population.height:
        return []
    subject = population["subject"].cast(pl.Enum(scheme.subjects), strict=False).to_physical()
    place = subject.cast(pl.Int64).fill_null(-1).to_numpy()
    epoch = np.searchsorted(np.array(scheme.boundaries), population["day"].to_numpy(), side="right") - 1
    count = len(scheme.boundaries) + 1
    keys = np.where(place >= 0, place * count + epoch + 1, -1)
    if among is not None:
        keys[~among] = -1
    if scheme.members is not None:
        keys[~_members(scheme.members, asked)] = -1
    splits = []
    for key in np.unique(keys).tolist():
        if key >= 0:
            compiled = scheme.compiled(scheme.subjects[key // count], key % count - 1, measuring=measuring)
            splits.append((compiled, np.flatnonzero(keys == key)))
    return splits


def _members(only: Membership, asked: Asked) -> Bools:
    """Which rows are of an entity that has a fact of the kind, on whatever day: also one that is still to come."""
    table = asked.table
    makes = table.column("kind") == only.kind
    if only.where is not None:
        table.add_masks({only.where_text: conditions.to_polars(only.where).alias(only.where_text)})
        makes &= table.masks[only.where_text]
    return np.isin(asked.entities, table.column("entity")[makes])


def joined(table: FactColumns, asked: Ints, numbers: Ints, sizes: list[int]) -> tuple[Ints, Ints, list[int]]:
    """Facts beside rows, sorted by part and kind, and where each (part, kind) begins."""
    if not numbers.size:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, [0]
    kinds = table.column("kind")
    index, row = join(asked, table.column("entity"))
    held = kinds[index]
    place = np.minimum(np.searchsorted(numbers, held), numbers.size - 1)
    needed = numbers[place] == held
    if not needed.all():
        index, row, place = index[needed], row[needed], place[needed]
    part = np.searchsorted(np.cumsum(sizes), row, side="right") if len(sizes) > 1 else 0
    # 16 bits, because numpy then sorts by radix, in one pass; more parts than that do not occur.
    key = (part * numbers.size + place).astype(np.int16 if len(sizes) * numbers.size < 2**15 else np.int64)
    order = np.argsort(key, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(key, minlength=len(sizes) * numbers.size))))
    return index[order], row[order], starts.tolist()
