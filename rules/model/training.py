"""What every fit begins and ends with: rows checked and weighted, bins, and what the bundle remembers of its training rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import polars as pl

from rules.errors import FrameError
from rules.model import ModelError, binning, leaks
from rules.model.binning import Floats
from rules.model.bundle import Calibration, Window, described
from rules.model.rates import evened
from rules.model.recipe import Recipe
from rules.slices import Bools, Ints

LN2 = float(np.log(2.0))
# Times the mean weight that one row may have: a few rows that a draw hardly ever chooses would else decide alone.
MOST_TIMES = 10.0
_SCORE_BINS = 10
_LIBRARIES = ("numpy", "polars", "scikit-learn", "scipy")


class TrainingError(ModelError):
    """These rows do not make a model: ``problem`` has the numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a table as arrays. ``weight`` makes up for who was inspected; ``fitting`` is the same, faded by age, mean 1."""

    columns: Mapping[str, tuple[Ints, Bools | None]]
    y: Floats
    weight: Floats
    fitting: Floats

    @property
    def size(self) -> int:
        return int(self.y.size)

    def part(self, chosen: Bools) -> Rows:
        """Some of the rows."""
        columns = {
            id_: (values[chosen], None if known is None else known[chosen])
            for id_, (values, known) in self.columns.items()
        }
        fitting = self.fitting[chosen]
        return Rows(columns, self.y[chosen], self.weight[chosen], fitting / fitting.mean())


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A feature cut into bins: its edges, and the bin of every training row (the last place: unknown)."""

    id: str
    edges: tuple[int, ...]
    direction: str
    places: Ints

    @property
    def bins(self) -> int:
        """Bins, that of unknown values included."""
        return len(self.edges) + 2


def read(table: pl.DataFrame, recipe: Recipe, name: str) -> Rows:
    """The rows of a training table (:mod:`rules.model.units`). ``name`` stands for it in messages.

    Raises
    ------
    FrameError
        If a column is missing or of the wrong type.
    TrainingError
        If there is no row, no failure, nothing but failures, or a weight that is not above 0.
    """
    for needed in ("y", "day"):
        if needed not in table.columns or table[needed].null_count():
            raise FrameError(f"The table of {name} rows has no column {needed!r} without nulls. See rules.model.units.")
    columns = {id_: binning.column(table, id_) for id_ in recipe.ids}
    y = table["y"].cast(pl.Float64).to_numpy()
    where = f"{name} rows"
    failures = int((y == 1).sum())
    if not np.isin(y, (0.0, 1.0)).all():
        raise TrainingError(where, "hold an outcome that is neither 0 nor 1", "Work out y with rules.model.units")
    if not y.size or failures in (0, y.size):
        problem = f"hold {failures} failures among {y.size} visits, so there is nothing to tell apart"
        raise TrainingError(where, problem, "Take a longer period, or another outcome")
    weight = weights_of(table, where)
    fitting = weight.copy()
    if recipe.half_life:
        day = table["day"].cast(pl.Float64).to_numpy()
        fitting *= 0.5 ** ((day.max() - day) / recipe.half_life)
    return Rows(columns, y, weight, fitting / fitting.mean())


def weights_of(table: pl.DataFrame, where: str) -> Floats:
    """How much each row counts, mean 1: its ``weight``, at most `MOST_TIMES` the mean; a row without one (null: no draw chose the
    visit) counts as the mean of the others, and all rows alike where the table has no such column.

    Raises
    ------
    TrainingError
        If a weight is there that is not above 0.
    """
    if "weight" not in table.columns:
        return np.ones(table.height)
    stated = table["weight"].cast(pl.Float64).drop_nulls().to_numpy()
    if not (np.isfinite(stated) & (stated > 0)).all():
        raise TrainingError(where, "hold a weight that is not above 0", "Weigh a row by one over its probability")
    return evened(table["weight"].cast(pl.Float64).to_numpy(), MOST_TIMES)


def together(table: pl.DataFrame, calibrate: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """Training and calibration rows under each other, as far as a fit reads them."""
    weighted = ["weight"] if {"weight"} <= {*table.columns} & {*calibrate.columns} else []
    columns = ["y", "day", *weighted, *recipe.ids]
    return pl.concat([table.select(columns), calibrate.select(columns)], how="vertical_relaxed")


def enough(rows: Rows, recipe: Recipe) -> None:
    """Refuse what is too little to learn from, and features that by their name cannot be known before a visit.

    Raises
    ------
    LeakFound
        Naming each such feature.
    TrainingError
        With what there is and what is needed.
    """
    leaks.refuse(leaks.names(recipe.ids))
    if not recipe.features:
        problem = f"of {rows.size} visits have no feature that differs between them"
        raise TrainingError(
            "training rows", problem, "Connect the feeds that the recipe reads, or let the rules go on alone"
        )
    failures = int(rows.y.sum())
    if rows.size < recipe.least_rows or failures < recipe.least_positives:
        raise TrainingError(
            "training rows",
            f"{rows.size} visits with {failures} failures are too few: {recipe.least_rows} visits with "
            f"{recipe.least_positives} failures are needed",
            "Train on a longer period, or let the rules go on alone",
        )


def cut(rows: Rows, recipe: Recipe) -> list[Cut]:
    """Every feature of the recipe cut by what the training rows hold."""
    found = []
    for feature in recipe.features:
        values, known = rows.columns[feature.id]
        seen = slice(None) if known is None else known
        edges = binning.edges(
            values[seen],
            rows.fitting[seen],
            bins=recipe.bins,
            least_share=recipe.least_share,
            total=float(rows.fitting.sum()),
        )
        found.append(Cut(feature.id, edges, feature.direction, binning.place(values, known, edges)))
    return found


def reference(rows: Rows, cuts: list[Cut], points: Ints) -> dict[str, Any]:
    """Shares of the training rows per bin of every feature and of the points, and their base rate: what drift is seen against.

    Every visit counts once, as it does where drift is looked for: weights would show a shift that is only that of the draw.
    """
    limits = binning.edges(points, np.ones(rows.size), bins=_SCORE_BINS, least_share=0.0)
    found: dict[str, Any] = {one.id: binning.shares(one.places, one.bins) for one in cuts}
    found["score_edges"] = list(limits)
    found["score"] = binning.shares(binning.place(points, None, limits), len(limits) + 1)
    found["base_rate"] = round(float(rows.y.mean()), 6)
    return found


def head(
    recipe: Recipe,
    rows: Rows,
    *,
    name: str,
    scheme_hash: str,
    calibration: Calibration,
    window: Window,
    outcome: Any,
    rule: Any,
    seed: int,
    reference: Mapping[str, Any],
) -> dict[str, Any]:
    """The keys that both forms of a bundle hold beside the model itself.

    Where the units had a least number of earlier visits, nobody with fewer is judged: training saw none such, or only a few whose
    earlier visit fell between the freeze day and the unit.
    """
    units = described(rule)
    grounds = dict(recipe.grounds)
    if recipe.history and (least := int(units.get("history", 0))):
        grounds[recipe.history] = max(least, grounds.get(recipe.history, least))
    return {
        "name": name,
        "scheme": recipe.scheme,
        "scheme_hash": scheme_hash,
        "points_per_doubling": recipe.points_per_doubling,
        "calibration": calibration,
        "grounds": grounds,
        "outcome": described(outcome),
        "rule": units,
        "window": window,
        "rows": rows.size,
        "positives": int(rows.y.sum()),
        "metrics": {},
        "reference": dict(reference),
        "versions": versions(),
        "seed": seed,
    }


def versions() -> dict[str, str]:
    """Of Python and of the libraries that take part in a fit."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "none"
    return found
