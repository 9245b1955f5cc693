"""Grades over a span of time in which the scheme and what is given beside the facts change on stated days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from rules.engine import every_row, reads_context
from rules.errors import FrameError
from rules.given import Given
from rules.scheme import Scheme
from rules.slices import POPULATION, check


@dataclass(frozen=True, slots=True, eq=False)
class Spell:
    """From ``from_day`` on, until the next spell begins, ``scheme`` grades with ``given``."""

    from_day: int
    scheme: Scheme
    given: Given


def grade_over(
    population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, spells: Sequence[Spell]
) -> pl.DataFrame:
    """Grade every row of ``population`` under the last spell that begins on its day or before.

    Parameters
    ----------
    population, facts, coverage : the frames of :func:`rules.engine.grade`
        Rows may lie on any days: a whole history of many entities is one call.
    spells : in any order; of two that begin on one day the one that stands later in the sequence holds

    Returns
    -------
    DataFrame in the order of ``population``, without those whom the scheme of their day does not grade
        The columns of :func:`rules.engine.grade`, and ``scheme_hash`` String and ``context`` Int32, the id of the
        context of the spell (0 where its scheme reads none). ``next_day`` never lies after the day on which the next
        spell begins.

    Raises
    ------
    FrameError
        If there is no spell, if a row lies before the first one, or as :func:`rules.engine.grade`.
    NotInForce
        As :func:`rules.engine.grade`.
    """
    check(population, "population", POPULATION, may_be_null=("division",))
    if not spells:
        raise FrameError("There is no spell, so no scheme grades on any day. Give at least one.")
    ordered = sorted(spells, key=lambda spell: spell.from_day)
    begins = np.array([spell.from_day for spell in ordered], np.int64)
    place = np.searchsorted(begins, population["day"].to_numpy(), side="right") - 1
    if place.size and place.min() < 0:
        day = int(population["day"][int(place.argmin())])
        raise FrameError(f"Day {day} of frame 'population' lies before the first spell. Begin a spell on or before it.")
    parts, rows = [], []
    for number, (spell, following) in enumerate(pairwise([*ordered, None])):
        own = np.flatnonzero(place == number)
        # An empty population still has the columns of its grades.
        if spell is None or not (own.size or (number == 0 and not place.size)):
            continue
        graded = every_row(population[own], facts, coverage, spell.scheme, spell.given)
        if following is not None:
            change = pl.lit(following.from_day, pl.Int32)
            graded = graded.with_columns(next_day=pl.min_horizontal(pl.col("next_day"), change))
        context = spell.given.context_id if reads_context(spell.scheme) else 0
        parts.append(
            graded.with_columns(scheme_hash=pl.lit(spell.scheme.hash, pl.String), context=pl.lit(context, pl.Int32))
        )
        rows.append(own)
    order = np.argsort(np.concatenate(rows), kind="stable")
    return pl.concat(parts)[order].filter(pl.col("class").is_not_null())
