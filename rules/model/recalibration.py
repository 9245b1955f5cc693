"""From points to chances, and back to the truth every quarter: the base rate drifts faster than the order of risk.

A line from the log-odds of the points to those of the chance (Platt 1999) is fitted to the visits of one period after the other, each
time held to the line before by a ridge. So few visits hardly move it, and what is long ago is slowly forgotten. A ridge of 100 on the
intercept weighs as much as 100 / (p (1 - p)) visits that fail with chance p.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from scipy.optimize import minimize  # type: ignore[import-untyped]

from rules.model.binning import Floats
from rules.model.forms import Bundle, Calibration
from rules.model.score import LN2, chances

# Points as they are: the first line of a new model is held to it.
AS_IT_IS = Calibration(1.0, 0.0)
# The ridge that holds a line to the one before: over the calibration rows of a new model, and afterwards.
AT_FIRST, LATER = 800, 100
_STEEPEST, _FURTHEST = 1e3, 1e3


def line(points: Floats, y: Floats, weight: Floats, per: int, *, toward: Calibration, strength: float) -> Calibration:
    """The line that fits these visits best, held to ``toward``; never falling.

    Parameters
    ----------
    points, y, weight : arrays of one length; ``y`` is 1 for a failure, weights have mean 1
    per : points that double the odds
    strength : of the ridge, above 0
    """
    if not points.size:
        return toward
    odds = points * (LN2 / per)

    def loss(at: Floats) -> tuple[float, Floats]:
        said = at[0] * odds + at[1]
        apart = np.array([at[0] - toward.slope, at[1] - toward.intercept])
        chance = 0.5 * (1.0 + np.tanh(0.5 * said))
        away = weight * (chance - y)
        value = (weight * (np.logaddexp(0.0, said) - y * said)).sum() + 0.5 * strength * (apart @ apart)
        return float(value), np.array([(away * odds).sum(), away.sum()]) + strength * apart

    bounds = [(0.0, _STEEPEST), (-_FURTHEST, _FURTHEST)]
    found = minimize(loss, [toward.slope, toward.intercept], jac=True, method="L-BFGS-B", bounds=bounds).x
    return Calibration(round(float(found[0]), 9), round(float(found[1]), 9))


def at_first(points: Floats, y: Floats, weight: Floats, period: pl.Series, per: int) -> Calibration:
    """The line of a new model, from its calibration rows, one period (a whole number for each row) after the other."""
    found = AS_IT_IS
    for start in period.unique().sort().to_list():
        own = (period == start).to_numpy()
        found = line(
            points[own], y[own], weight[own] / weight[own].mean(), per, toward=found, strength=AT_FIRST
        )  # fmt: skip
    return found


def later(scored: pl.DataFrame, per: int, standing: Calibration) -> Calibration:
    """The line after some periods that the model was not made from.

    Parameters
    ----------
    scored : ``period`` Int32, ``points`` (null: not judged) and ``y`` of every visit of these periods
    standing : the line before them, which holds where there is nothing
    """
    found = standing
    for _, rows in scored.drop_nulls("points").sort("period").group_by("period", maintain_order=True):
        points, y = rows["points"].cast(pl.Float64).to_numpy(), rows["y"].cast(pl.Float64).to_numpy()
        found = line(points, y, np.ones(y.size), per, toward=found, strength=LATER)
    return found


def by_period(scored: pl.DataFrame, per: int, standing: Calibration) -> dict[int, Calibration]:
    """The line of every period of ``scored``, each from those before it: what would have stood on its first day."""
    lines: dict[int, Calibration] = {}
    found = standing
    for start in scored["period"].unique().sort().to_list():
        lines[start] = found
        found = later(scored.filter(pl.col("period") == start), per, found)
    return lines


def chances_of(bundle: Bundle, table: pl.DataFrame, points: pl.Series) -> pl.Series:
    """The chance of every row by the line that stood on the first day of its period, as the product sets it right each quarter.

    Parameters
    ----------
    bundle : with the line that it was stored with
    table : units (:mod:`rules.model.units`): ``period`` and ``y`` of each
    points : what the bundle gives them; null without ground to judge

    Returns
    -------
    Series ``chance`` Int32
        Millionths; null where ``points`` is.
    """
    scored = table.select("period", "y", points=points)
    given = points.fill_null(0).cast(pl.Int64).to_numpy()
    found = np.zeros(table.height, np.int32)
    for start, own in by_period(scored, bundle.points_per_doubling, bundle.calibration).items():
        rows = (scored["period"] == start).to_numpy()
        found[rows] = chances(replace(bundle, calibration=own), given[rows])
    return pl.Series("chance", found).set(points.is_null(), None)
