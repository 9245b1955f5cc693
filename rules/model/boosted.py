"""Fitting the boosted challenger: gradient-boosted trees of scikit-learn, held to the directions of the recipe, kept as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from rules.model import recalibration, training
from rules.model.binning import Floats
from rules.model.bundle import Boosted, Split, Tree, Window
from rules.model.recipe import Recipe
from rules.model.score import total
from rules.model.training import Rows

# A split of what is known from what is not has no threshold of its own; every feature lies below this one.
_ABOVE_ALL = 1e300
_SIGNS = {"up": 1, "down": -1, "none": 0}


def fit_boosted(
    table: pl.DataFrame,
    recipe: Recipe,
    *,
    calibrate: pl.DataFrame,
    window: Window,
    outcome: Any,
    rule: Any,
    seed: int,
    name: str = "boosted",
    scheme_hash: str = "",
) -> Boosted:
    """Boosted trees on the same rows, features, weights and directions as the scorecard; see :func:`rules.model.scorecard.fit`.

    The same rows, recipe and seed give the same trees. Raises as that function does.
    """
    rows = training.read(table, recipe, "training")
    training.enough(rows, recipe)
    given: dict[str, Any] = {
        "name": name, "scheme_hash": scheme_hash, "calibration": recalibration.AS_IT_IS, "window": window,
        "outcome": outcome, "rule": rule, "seed": seed,
    }  # fmt: skip
    alone = _grown(rows, recipe, given)
    later = training.read(calibrate, recipe, "calibration")
    calibration = recalibration.at_first(
        total(alone, calibrate).astype(np.float64), later.y, later.weight, calibrate["day"], recipe.points_per_doubling
    )
    both = training.together(table, calibrate, recipe)
    rows = training.read(both, recipe, "training")
    found = _grown(rows, recipe, given)
    reference = training.reference(rows, training.cut(rows, recipe), total(found, both))
    return replace(found, calibration=calibration, reference=reference)


def _grown(rows: Rows, recipe: Recipe, given: Mapping[str, Any]) -> Boosted:
    """The trees of these rows, not calibrated yet."""
    model = HistGradientBoostingClassifier(
        max_iter=recipe.trees.rounds,
        learning_rate=recipe.trees.learning_rate,
        max_leaf_nodes=recipe.trees.leaves,
        min_samples_leaf=recipe.trees.least_rows,
        l2_regularization=recipe.trees.l2,
        max_features=recipe.trees.tried,
        monotonic_cst=[_SIGNS[one.direction] for one in recipe.features],
        early_stopping=False,
        random_state=given["seed"],
    )
    # Threads that wait for each other on a busy machine took thirty times as long as one that does not wait.
    with threadpool_limits(limits=1):
        model.fit(_matrix(rows, recipe), rows.y, sample_weight=rows.fitting)
    return Boosted(
        **training.head(recipe, rows, reference={}, **given),
        baseline=float(np.ravel(model._baseline_prediction)[0]),
        features=tuple(Split(one.id, one.edges, one.direction) for one in training.cut(rows, recipe)),
        trees=tuple(_tree(round_[0].nodes) for round_ in model._predictors),
    )


def _matrix(rows: Rows, recipe: Recipe) -> Floats:
    return np.column_stack(
        [
            values.astype(np.float64) if known is None else np.where(known, values, np.nan)
            for values, known in (rows.columns[id_] for id_ in recipe.ids)
        ]
    )


def _tree(nodes: np.ndarray[Any, Any]) -> Tree:
    """The nodes of scikit-learn as our arrays; it keeps parents before children too."""
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (
        np.where(leaf, -1, nodes["left"].astype(np.int64)),
        np.where(leaf, -1, nodes["right"].astype(np.int64)),
    )
    value, count = nodes["value"].astype(np.float64).copy(), nodes["count"].astype(np.float64)
    # An inner node gets the mean of its leaves; children stand after their parent, so from the end every child is ready.
    for node in np.flatnonzero(~leaf)[::-1].tolist():
        one, other = int(left[node]), int(right[node])
        value[node] = (value[one] * count[one] + value[other] * count[other]) / (count[one] + count[other])
    return Tree(
        feature=tuple(np.where(leaf, 0, nodes["feature_idx"].astype(np.int64)).tolist()),
        threshold=tuple(np.where(leaf, 0.0, np.minimum(nodes["num_threshold"], _ABOVE_ALL)).tolist()),
        left=tuple(left.tolist()),
        right=tuple(right.tolist()),
        missing_left=tuple(np.where(leaf, 0, nodes["missing_go_to_left"].astype(np.int64)).tolist()),
        value=tuple(value.tolist()),
    )
