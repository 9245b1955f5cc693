"""Fitting a scorecard: whole-number points for every bin of every feature, which add up.

The weights are those of a logistic regression over cumulative bins: a column says "at least this edge", and its weight is the step
from the bin below. A ridge (L2) holds the steps together, and where the recipe gives a direction no step may go against it. A
logistic regression of scikit-learn takes no signs, so the same loss is minimised under bounds (L-BFGS-B); without directions
both give the same weights, which a test holds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import minimize  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from rules.model import recalibration, training
from rules.model.binning import Floats
from rules.model.bundle import MOST_POINTS, Binned, Scorecard, Window
from rules.model.recipe import Recipe
from rules.model.score import points as points_of
from rules.model.training import LN2, Cut, Rows
from rules.slices import Ints

_ITERATIONS = 500
# Failures from which on later rows are trusted to tell strengths apart; and into how many parts entities are split below that.
_FEW, _FOLDS = 150, 4


def fit(
    table: pl.DataFrame,
    recipe: Recipe,
    *,
    calibrate: pl.DataFrame,
    window: Window,
    outcome: Any,
    rule: Any,
    seed: int,
    name: str = "scorecard",
    scheme_hash: str = "",
) -> Scorecard:
    """A scorecard from training rows, calibrated on rows of a later period of its own.

    It is fitted twice: on the training rows alone, to see on the later rows how far its chances are off
    (:mod:`rules.model.recalibration`); then on both together, because the newest visits say most.

    Parameters
    ----------
    table, calibrate : frames as :mod:`rules.model.units` makes them
        ``y`` (0 or 1), ``day``, ``weight`` (optional, above 0) and a whole-number column for every feature of the recipe, null
        where it is unknown.
    outcome, rule : what a failure and a unit was, as a mapping or with ``as_dict``; kept in the bundle
    seed : kept in the bundle; nothing in this fit is random

    Returns
    -------
    Scorecard
        Without ``metrics``: whoever evaluates it adds them with :func:`dataclasses.replace`.

    Raises
    ------
    FrameError
        If a column is missing or of the wrong type.
    TrainingError
        With the numbers, if the rows are too few or hold one outcome only.
    """
    rows = training.read(table, recipe, "training")
    training.enough(rows, recipe)
    later = training.read(calibrate, recipe, "calibration")
    l2 = _strength(rows, later, table, recipe)
    features, base, _ = _card(rows, recipe, l2)
    given = points_of(features, base, later.columns, later.size)
    calibration = recalibration.at_first(
        given.astype(np.float64), later.y, later.weight, calibrate["day"], recipe.points_per_doubling
    )
    rows = training.read(training.together(table, calibrate, recipe), recipe, "training")
    features, base, cuts = _card(rows, recipe, l2)
    given = points_of(features, base, rows.columns, rows.size)
    head = training.head(
        recipe,
        rows,
        name=name,
        scheme_hash=scheme_hash,
        calibration=calibration,
        window=window,
        outcome=outcome,
        rule=rule,
        seed=seed,
        reference=training.reference(rows, cuts, given),
    )
    return Scorecard(**head, l2=l2, base=base, features=features)


def _strength(rows: Rows, later: Rows, table: pl.DataFrame, recipe: Recipe) -> float:
    """The strength of the recipe that foretells rows best to which it was not fitted; of equals the greatest.

    Those are the calibration rows; where they hold few failures, each quarter of the entities in turn.
    """
    if len(recipe.l2) == 1:
        return recipe.l2[0]
    pairs = [(rows, later)]
    if later.y.sum() < _FEW:
        who = table["entity"] if "entity" in table.columns else pl.Series(np.arange(rows.size))
        fold = who.rank("dense").to_numpy().astype(np.int64) % _FOLDS
        split = [(rows.part(fold != one), rows.part(fold == one)) for one in range(_FOLDS)]
        # A part without any failure has nothing to foretell.
        pairs = [(own, held) for own, held in split if own.y.any() and held.y.any() and not held.y.all()] or pairs
    lost = {l2: sum(_loss(own, held, recipe, l2) for own, held in pairs) for l2 in recipe.l2}
    return min(sorted(lost, reverse=True), key=lambda l2: lost[l2])


def _loss(rows: Rows, held: Rows, recipe: Recipe, l2: float) -> float:
    """What is lost on ``held`` by the chances of a card of ``rows``: minus the log of the chance of what happened, summed."""
    features, base, _ = _card(rows, recipe, l2)
    per = recipe.points_per_doubling
    given = points_of(features, base, held.columns, held.size).astype(np.float64)
    weight = held.weight / held.weight.mean()
    line = recalibration.line(
        given, held.y, weight, per, toward=recalibration.AS_IT_IS, strength=recalibration.AT_FIRST
    )
    odds = line.slope * given * (LN2 / per) + line.intercept
    return float((weight * (np.logaddexp(0.0, odds) - held.y * odds)).sum())


def _card(rows: Rows, recipe: Recipe, l2: float) -> tuple[tuple[Binned, ...], int, list[Cut]]:
    """The features with their points, the base, and how the rows were cut."""
    cuts = training.cut(rows, recipe)
    tables, intercept = weights(cuts, rows, recipe, l2)
    per = recipe.points_per_doubling / LN2
    features = tuple(_binned(one, values * per) for one, values in zip(cuts, tables, strict=True))
    return features, int(np.clip(np.rint(intercept * per), -MOST_POINTS, MOST_POINTS)), cuts


def weights(cuts: list[Cut], rows: Rows, recipe: Recipe, l2: float) -> tuple[list[Floats], float]:
    """The log-odds of every bin of every feature (unknown last) and the intercept.

    The mean of each feature over its known training rows is 0, so an unknown value that training hardly saw (less than the
    least share) counts as the mean.
    """
    sizes = [one.bins for one in cuts]
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    # Row by row, so that the bins of a row lie together: this array is what the time goes into.
    codes = np.column_stack([one.places for one in cuts]) + starts[:-1]
    flat = codes.ravel()
    shares: Floats = np.bincount(flat, np.repeat(rows.fitting, len(cuts)), int(starts[-1])).astype(np.float64)
    steps, bounds = _steps(cuts, starts, shares, recipe.least_share * rows.fitting.sum())

    def loss(at: Floats) -> tuple[float, Floats]:
        weight, intercept = at[:-1], at[-1]
        odds = (steps @ weight)[codes].sum(axis=1) + intercept
        value = (rows.fitting * (np.logaddexp(0.0, odds) - rows.y * odds)).sum() + 0.5 * l2 * weight @ weight
        away = rows.fitting * (chance(odds) - rows.y)
        by_bin = np.bincount(flat, np.repeat(away, len(cuts)), int(starts[-1]))
        return float(value), np.append(steps.T @ by_bin + l2 * weight, away.sum())

    rate = float((rows.fitting * rows.y).mean())
    start = np.append(np.zeros(steps.shape[1]), np.log(rate / (1 - rate)))
    options = {"maxiter": _ITERATIONS, "ftol": 1e-10, "gtol": 1e-4}
    with threadpool_limits(limits=1):  # the matrices are small: threads would only wait for each other
        found: Floats = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    table = steps @ found[:-1]
    return [table[begin:end] for begin, end in pairwise(starts.tolist())], float(found[-1])


def chance(odds: Floats) -> Floats:
    """The probability of log-odds, without overflow at either end."""
    small = np.exp(-np.abs(odds))
    return np.where(odds >= 0, 1.0, small) / (1.0 + small)


def _steps(
    cuts: list[Cut], starts: Ints, shares: Floats, least: float
) -> tuple[Floats, list[tuple[float | None, float | None]]]:
    """The matrix from steps to bins, and the bounds of each step: edges of all features, their unknown bins, the intercept."""
    edges = sum(len(one.edges) for one in cuts)
    steps = np.zeros((int(starts[-1]), edges + len(cuts)))
    bounds: list[tuple[float | None, float | None]] = []
    for one, start in zip(cuts, starts, strict=False):
        known = slice(int(start), int(start) + len(one.edges) + 1)
        held = shares[known]
        for edge in range(len(one.edges)):
            above = np.arange(held.size) > edge
            steps[known, len(bounds)] = above - held[above].sum() / held.sum()
            bounds.append((0.0 if one.direction == "up" else None, 0.0 if one.direction == "down" else None))
    for place, end in enumerate(starts[1:].tolist()):
        steps[end - 1, edges + place] = 1.0
        bounds.append((None, None) if shares[end - 1] >= max(least, 1e-9) else (0.0, 0.0))
    return steps, [*bounds, (None, None)]


def _binned(cut: Cut, points: Floats) -> Binned:
    whole = np.clip(np.rint(points), -MOST_POINTS, MOST_POINTS).astype(np.int64).tolist()
    return Binned(cut.id, cut.edges, tuple(whole[:-1]), whole[-1], cut.direction)
