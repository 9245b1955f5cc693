"""Features of a model: the indicators of a scheme, worked out by the engine that grades. One code for training and use."""

from __future__ import annotations

import numpy as np
import polars as pl

from rules.engine import measure
from rules.given import NOTHING, Given
from rules.model.stood import by_day
from rules.scheme import Scheme
from rules.slices import FACTS, POPULATION, Bools, Ints, check


def features(
    population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme, given: Given = NOTHING
) -> pl.DataFrame:
    """Every indicator of ``scheme`` for every row of ``population``, by what had happened by its day.

    Frames and errors as :func:`rules.engine.grade`; an entity may be asked about on several days. Facts are read as they stood on
    the day (:mod:`rules.model.stood`): a grade of a past day may know how a complaint ended, a feature must not.

    Returns
    -------
    DataFrame in the order of ``population``
        ``entity`` Int64, ``day`` Int32, and one Int64 column for each indicator in order of id: null where it is unknown,
        and everywhere in rows that the scheme does not cover.
    """
    check(population, "population", POPULATION, may_be_null=("division",))
    check(facts, "facts", FACTS, may_be_null=("ends",))
    size = population.height
    values: dict[str, Ints] = {id_: np.zeros(size, np.int64) for id_ in scheme.indicators}
    known: dict[str, Bools] = {id_: np.zeros(size, np.bool_) for id_ in scheme.indicators}
    for places, stood in by_day(facts, population["day"].to_numpy().astype(np.int64)):
        asked = population
        if places.size < size:
            # Of some of the rows: what is known of others would be looked through once for every day.
            asked = population[places]
            stood = stood.join(asked.select("entity").unique(), on="entity", how="semi")
        for rows, columns in measure(asked, stood, coverage, scheme, given):
            for id_, column in columns.items():
                values[id_][places[rows]], known[id_][places[rows]] = column.values, column.known
    return pl.DataFrame(
        [
            population["entity"],
            population["day"],
            *(_nullable(id_, values[id_], known[id_]) for id_ in scheme.indicators),
        ]
    )


def _nullable(name: str, values: Ints, known: Bools) -> pl.Series:
    column = pl.Series(name, values, dtype=pl.Int64)
    return column if known.all() else column.set(pl.Series(~known), None)
