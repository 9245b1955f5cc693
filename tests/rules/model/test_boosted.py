import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from rules.model import boosted, training, trees
from rules.model.bundle import from_json
from rules.model.score import score
from tests.rules.model import made


def matrix(table, recipe=made.RECIPE):
    return table.select(pl.col(recipe.ids).cast(pl.Float64).fill_null(float("nan"))).to_numpy()


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """scikit-learn reads a few rows on all cores, which on a busy machine takes longer than the rows."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="module")
def pairs(one_thread):
    """Our trees and the model of scikit-learn that they were taken from, with and without nulls in training."""
    found = []
    for unknown in (0.15, 0.0):
        rows, later = (
            made.table(2_500, seed=21, unknown=unknown),
            made.table(800, seed=22, first_day=700, unknown=unknown),
        )
        both = pl.concat([rows, later])
        model = HistGradientBoostingClassifier(
            max_iter=25, learning_rate=0.15, max_leaf_nodes=6, min_samples_leaf=30, l2_regularization=5.0,
            monotonic_cst=[1, -1, 0, 1], early_stopping=False, random_state=7,
        ).fit(matrix(both), both["y"].to_numpy())  # fmt: skip
        own = boosted.fit_boosted(rows, made.RECIPE, calibrate=later, seed=7, **made.DESCRIBED)
        found.append((from_json(own.to_json()), model))
    return found


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.3, 1.0]))
def test_our_trees_give_what_scikit_learn_gives(pairs, seed, share):
    rng = np.random.default_rng(seed)
    values = rng.integers(-5, 1_600, (60, 4)) // np.array([200, 1, 300, 25])
    asked = np.where(rng.random((60, 4)) < share, np.nan, values.astype(float))
    for own, model in pairs:
        chance = 1 / (1 + np.exp(-trees.log_odds(own, asked)))
        assert np.abs(chance - model.predict_proba(asked)[:, 1]).max() < 1e-9


def test_a_split_of_what_is_known_from_what_is_not_is_kept_and_read():
    """scikit-learn gives such a split an endless threshold, which no bundle can hold."""

    def telling(rows, seed):
        lacking = (rows["y"].to_numpy() == 1) & (np.random.default_rng(seed).random(rows.height) < 0.6)
        return rows.with_columns(noise=pl.Series(np.zeros(rows.height, np.int64)).set(pl.Series(lacking), None))

    rows, later = telling(made.table(2_000), 1), telling(made.later(), 2)
    own = from_json(boosted.fit_boosted(rows, made.RECIPE, calibrate=later, seed=7, **made.DESCRIBED).to_json())
    fresh = telling(made.table(500, seed=9), 3)
    chance = pl.Series(score(own, fresh)["chance"])
    assert chance.filter(fresh["noise"].is_null()).mean() > 2 * chance.filter(fresh["noise"].is_not_null()).mean()


def test_points_of_trees_stay_inside_32_bits_whatever_a_bundle_holds():
    lofty = replace(made.trees(), baseline=100.0, points_per_doubling=10_000)
    trees_ = tuple(replace(one, value=tuple(100.0 for _ in one.value)) for one in lofty.trees * 80)
    said = score(from_json(replace(lofty, trees=trees_).to_json()), made.table(5))
    assert said["points"].min() == 1_000_000_000
    assert said["chance"].to_list() == [999_999] * 5


def test_moves_of_the_features_sum_to_the_log_odds():
    own, asked = made.trees(), matrix(made.table(400, seed=23))
    odds, moved = trees.moves(own, asked)
    assert np.allclose(odds, trees.log_odds(own, asked), atol=1e-12)
    assert np.allclose(trees.base(own) + moved.sum(axis=1), odds, atol=1e-9)
    low, high = trees.bounds(own)
    assert (moved >= low - 1e-12).all()
    assert (moved <= high + 1e-12).all()


def test_the_base_of_trees_is_the_mean_of_their_training_rows():
    rows = made.fitted_on()
    assert trees.base(made.trees()) == pytest.approx(trees.log_odds(made.trees(), matrix(rows)).mean(), abs=1e-6)


def test_boosted_trees_order_and_calibrate_almost_as_well_as_the_truth():
    fresh = made.table(6_000, seed=24)
    said = score(made.trees(), fresh)
    assert roc_auc_score(fresh["y"], said["points"]) > roc_auc_score(fresh["y"], fresh["truth"]) - 0.02
    assert abs(said["chance"].mean() / 1e6 - fresh["y"].mean()) < 0.02


def test_the_same_seed_gives_the_same_trees():
    again = boosted.fit_boosted(
        made.table(), made.RECIPE, calibrate=made.table(1_500, seed=2, first_day=700), seed=7, **made.DESCRIBED
    )
    assert again.to_json() == made.trees().to_json()


def test_the_bundle_of_trees_holds_numbers_and_names_alone():
    body = json.loads(made.trees().to_json())
    assert set(body["trees"][0]) == {"feature", "threshold", "left", "right", "missing_left", "value"}
    assert all(isinstance(one, int | float) for tree in body["trees"] for values in tree.values() for one in values)


def test_too_few_rows_are_refused_as_for_a_scorecard():
    with pytest.raises(training.TrainingError, match="are too few"):
        boosted.fit_boosted(made.table(60), made.RECIPE, calibrate=made.table(500), seed=7, **made.DESCRIBED)
