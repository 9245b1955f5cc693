"""What another scheme would do: the same entities on the same day under two schemes, who moves, and which rule moved him.

Everything here is of one range of entities; the pieces of all ranges are added up by :class:`Sum`. Nothing a piece says
depends on how the entities were cut into ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from rules.engine import Part, evaluate
from rules.given import NOTHING, Given
from rules.inspection.frequency import WHOLE, FrequencyTable
from rules.kinds import DIRECTIONS, REGISTRATION
from rules.receipt import NO_HIT
from rules.scheme import Scheme
from rules.sensitivity import Trial, trials
from rules.slices import Bools, Ints

# What moved an entity when its points did not: only the borders between the classes differ.
CUTS = "cuts"
TALLY: Mapping[str, pl.DataType] = {
    "division": pl.String(),
    "industry": pl.Int32(),
    "subject": pl.String(),
    "old": pl.Int8(),
    "new": pl.Int8(),
    "entities": pl.Int64(),
}
MOVERS: Mapping[str, pl.DataType] = {
    "entity": pl.Int64(),
    "division": pl.String(),
    "industry": pl.Int32(),
    "subject": pl.String(),
    "old": pl.Int8(),
    "new": pl.Int8(),
    "old_score": pl.Int32(),
    "new_score": pl.Int32(),
    "jump": pl.Int32(),
    "by": pl.String(),
}
_WHO = ("division", "industry", "subject")


@dataclass(slots=True)
class Side:
    """What one scheme says of a population, row by row. ``place`` is 0 for the best class and -1 where it grades nobody."""

    scheme: Scheme
    place: npt.NDArray[np.int8]
    ledger: npt.NDArray[np.int32]  # columns of rules.receipt; zeros where nobody is graded
    parts: list[Part]


@dataclass(slots=True)
class Sum:
    """The comparison of all ranges so far. ``tally`` counts entities, ``movers`` has a row for each that changes class.

    ``old`` and ``new`` are places of the class, 0 for the best, -1 where that scheme does not grade the entity; such
    entities are counted and move nowhere. ``jump`` counts classes, above 0 towards the worse, in thousandths: where the
    two schemes have other classes, the old place is laid over the new ones. ``industry`` is a GB/T 4754 class, 0 unknown.
    ``trials`` counts, for every change that was tried on the new scheme, who would become worse and who better.
    """

    tally: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(TALLY)))
    movers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(MOVERS)))
    trials: dict[Trial, list[int]] = field(default_factory=dict)

    def add(self, other: Sum) -> None:
        self.tally = _tallied(pl.concat([self.tally, other.tally]))
        self.movers = pl.concat([self.movers, other.movers])
        for trial, counts in other.trials.items():
            mine = self.trials.setdefault(trial, [0, 0])
            mine[0] += counts[0]
            mine[1] += counts[1]


def compare(
    population: pl.DataFrame,
    facts: pl.DataFrame,
    coverage: pl.DataFrame,
    old: Scheme,
    new: Scheme,
    *,
    given: tuple[Given, Given] = (NOTHING, NOTHING),
    sensitivity: bool = True,
) -> Sum:
    """Grade ``population`` under both schemes and say who moves.

    Parameters
    ----------
    population, facts, coverage : frames as docs/architecture.md describes them, each entity on one day
        ``facts`` holds the kinds of both schemes and the registrations, from which the industry is taken.
    given : what each scheme may read beside the facts
    sensitivity : also try every rule, every parameter in points and every cut of the new scheme

    Raises
    ------
    FrameError, NotInForce
        As :func:`rules.engine.grade`, for either scheme.
    """
    before = side(population, facts, coverage, old, given[0])
    after = before if old.hash == new.hash else side(population, facts, coverage, new, given[1])
    jump = jumps(old, new, before.place, after.place)
    frame = population.select("entity", "division", "subject").with_columns(
        pl.col("division").fill_null(""),
        industries(population, facts),
        pl.Series("old", before.place),
        pl.Series("new", after.place),
        pl.Series("jump", jump.astype(np.int32)),
    )
    known = frame.filter(pl.Series((before.place >= 0) | (after.place >= 0)))
    moved = np.flatnonzero(jump)
    found = Sum(
        tally=_tallied(known.with_columns(entities=pl.lit(1, pl.Int64)).select(TALLY.keys())),
        movers=frame[moved]
        .with_columns(
            pl.Series("old_score", before.ledger[moved, 1]),
            pl.Series("new_score", after.ledger[moved, 1]),
            pl.Series("by", reasons(before, after, moved, np.sign(jump[moved])), dtype=pl.String),
        )
        .select(MOVERS.keys()),
    )
    for part in after.parts if sensitivity else ():
        for trial, worse, better in trials(new, part):
            counts = found.trials.setdefault(trial, [0, 0])
            counts[0] += worse
            counts[1] += better
    return found


def side(population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme, given: Given) -> Side:
    """Everything that one scheme says of a population."""
    size = population.height
    place = np.full(size, -1, np.int8)
    ledger = np.zeros((size, 2 + len(rows_of(scheme))), np.int32)
    parts = []
    for part in evaluate(population, facts, coverage, scheme, given):
        place[part.rows] = part.judged.ledger[:, 0]
        ledger[part.rows, : part.judged.ledger.shape[1]] = part.judged.ledger
        parts.append(part)
    return Side(scheme, place, ledger, parts)


def rows_of(scheme: Scheme) -> tuple[str, ...]:
    """What each column of the ledger behind class and score is called in an explanation."""
    rules = (one.id if one.effect == "points" else f"{one.effect}:{one.id}" for one in scheme.rules.values())
    return (*rules, *(f"cap:{group}" for group in scheme.groups), "clamp", "override")


def jumps(old: Scheme, new: Scheme, before: npt.NDArray[np.int8], after: npt.NDArray[np.int8]) -> Ints:
    """By how many classes of the new scheme each row moves, in thousandths; above 0 towards the worse.

    Where the schemes have other numbers of classes, the old ones are spread over the new ones, the best over the best and
    the worst over the worst. 0 where one of the two does not grade the row. Never 0 for who moves.
    """
    last_old, last_new = max(len(old.classes) - 1, 1), max(len(new.classes) - 1, 1)
    apart = after.astype(np.int64) * last_old - before.astype(np.int64) * last_new
    jump = np.sign(apart) * (np.abs(apart) * 1000 // last_old)
    return np.where((before >= 0) & (after >= 0), jump, 0)


def reasons(before: Side, after: Side, rows: Ints, towards: Ints) -> list[str]:
    """For each of ``rows`` the row of the score that changed most in the direction of its move; ``cuts`` where the
    score did not change in that direction at all.

    Rows of the score are compared by name; one that only one scheme has counts nothing in the other. ``towards`` is 1 for
    who becomes worse and -1 for who becomes better. Of equals the first by name.
    """
    names = sorted({"base", *rows_of(before.scheme), *rows_of(after.scheme)})
    at = {name: place for place, name in enumerate(names)}
    change = np.zeros((rows.size, len(names)), np.int64)
    for sign, one in ((-1, before), (1, after)):
        worse = sign if one.scheme.direction == DIRECTIONS[0] else -sign
        points = one.ledger[rows, 2:].astype(np.int64)
        points[points <= NO_HIT] = 0
        change[:, [at[name] for name in rows_of(one.scheme)]] += worse * points
        change[:, at["base"]] += worse * one.scheme.base
    change *= towards[:, None]
    if not rows.size:
        return []
    most = change.argmax(axis=1)
    return [names[one] if total > 0 else CUTS for one, total in zip(most.tolist(), change.sum(axis=1), strict=True)]


def industries(population: pl.DataFrame, facts: pl.DataFrame) -> pl.Series:
    """The industry of each row by its newest registration up to its day: GB/T 4754 class, 0 where there is none."""
    newest = (
        facts.lazy()
        .filter(pl.col("kind") == REGISTRATION)
        .join(population.lazy().select("entity", pl.col("day").alias("asked")), on="entity")
        .filter(pl.col("day") <= pl.col("asked"))
        .sort("entity", "day", "seq", "code")
        .group_by("entity")
        .agg(pl.col("code").last().alias("industry"))
    )
    found = population.lazy().select("entity").join(newest, on="entity", how="left", maintain_order="left").collect()
    return found["industry"].fill_null(0)


def visits(scheme: Scheme, table: FrequencyTable, day: int, graded: Iterable[tuple[int, int, int]]) -> int | None:
    """Visits in a year that graded entities take by a frequency table; rounded half up, None where it has no row for one.

    ``graded`` is (place of the class, 0 for the best; industry, GB/T 4754 class, 0 unknown; number of entities). Each row gives
    365 / its interval, else its lower ratio, else its upper one (:attr:`rules.inspection.frequency.Row.yearly`), for general items.
    """
    total = 0
    for place, industry, number in graded:
        row = table.at(scheme.id, "general", scheme.classes[place], industry, day)
        if row is None:
            return None
        total += row.yearly * number
    return (2 * total + WHOLE) // (2 * WHOLE) if any(scheme.id in line.schemes for line in table.lines) else None


def within(divisions: Iterable[str], population: pl.DataFrame) -> pl.DataFrame:
    """Those of ``population`` whose division begins with one of ``divisions`` ('' for all)."""
    prefixes = list(divisions)
    if "" in prefixes:
        return population
    chosen: Bools = np.zeros(population.height, np.bool_)
    for prefix in prefixes:
        chosen |= population["division"].fill_null("").str.starts_with(prefix).to_numpy()
    return population.filter(pl.Series(chosen))


def _tallied(rows: pl.DataFrame) -> pl.DataFrame:
    keys = [*_WHO, "old", "new"]
    return rows.group_by(keys).agg(pl.col("entities").sum()).sort(keys).select(TALLY.keys())
