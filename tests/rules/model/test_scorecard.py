from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from rules.errors import FrameError
from rules.model import boosted, scorecard, training
from rules.model.drift import psi
from rules.model.leaks import LeakFound
from rules.model.recipe import Feature
from rules.model.score import counts, score
from rules.model.training import TrainingError
from tests.rules.model import made


def by_id(card):
    return {one.id: one for one in card.features}


def test_a_scorecard_orders_rows_almost_as_well_as_the_truth_behind_them():
    fresh = made.table(6_000, seed=3)
    said = score(made.card(), fresh)
    assert roc_auc_score(fresh["y"], said["points"]) > roc_auc_score(fresh["y"], fresh["truth"]) - 0.01


def test_its_chances_are_on_average_what_happens_and_rise_with_it():
    fresh = made.table(6_000, seed=4)
    chance = score(made.card(), fresh)["chance"].to_numpy() / 1e6
    assert abs(chance.mean() - fresh["y"].mean()) < 0.02
    risky = chance >= np.quantile(chance, 0.9)
    assert abs(chance[risky].mean() - fresh["y"].to_numpy()[risky].mean()) < 0.06


def test_points_never_go_against_the_direction_that_the_recipe_gives():
    card = by_id(made.card())
    assert all(a <= b for a, b in pairwise(card["failures"].points))
    assert all(a >= b for a, b in pairwise(card["quiet_days"].points))
    assert all(a <= b for a, b in pairwise(card["noise"].points))
    season = card["season"].points
    assert max(season) == season[1]
    assert min(season) == season[2]


def test_a_direction_that_the_data_deny_leaves_the_feature_without_weight():
    wrong = tuple(
        Feature(one.id, {"up": "down", "down": "up"}.get(one.direction, "none"), one.why)
        for one in made.RECIPE.features
    )
    card = by_id(made.fit(recipe=made.changed(features=wrong)))
    assert set(card["failures"].points) == {0}
    assert set(card["quiet_days"].points) == {0}


def test_without_directions_the_weights_are_those_of_scikit_learn():
    free = made.changed(features=tuple(Feature(one.id, "none", one.why) for one in made.RECIPE.features), l2=(3.0,))
    rows = training.read(made.table(unknown=0.0), free, "training")
    cuts = training.cut(rows, free)
    tables, intercept = scorecard.weights(cuts, rows, free, 3.0)
    steps = np.column_stack([one.places > edge for one in cuts for edge in range(len(one.edges))]).astype(float)
    centred = steps - steps.mean(axis=0)
    model = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=5_000).fit(centred, rows.y)
    own = np.concatenate([np.diff(table[:-1]) for table in tables])
    assert np.abs(own - model.coef_[0]).max() < 2e-3
    assert abs(intercept - model.intercept_[0]) < 2e-3


def test_an_unknown_value_has_points_of_its_own_learnt_from_rows_that_lack_it():
    assert (
        80 < by_id(made.card())["quiet_days"].unknown < 200
    )  # the truth: 0.8 + 0.75 of log-odds above the mean, less shrinkage


def test_an_unknown_value_that_training_never_saw_counts_as_the_mean():
    card = by_id(made.fit(made.table(unknown=0.0), calibrate=made.table(1_500, seed=2, first_day=700, unknown=0.0)))
    assert card["quiet_days"].unknown == 0


def test_a_feature_that_is_unknown_everywhere_or_constant_says_nothing():
    empty, later = (
        one.with_columns(noise=pl.lit(None, pl.Int64), season=pl.lit(3)) for one in (made.table(), made.later())
    )
    card = by_id(made.fit(empty, calibrate=later))
    assert (card["noise"].edges, card["noise"].points, card["noise"].unknown) == ((), (0,), 0)
    assert (card["season"].edges, card["season"].points) == ((), (0,))


def test_a_row_of_weight_three_counts_as_three_rows():
    rows = made.table(1_200)
    heavy = rows.with_columns(weight=pl.when(pl.col("season") == 1).then(3.0).otherwise(1.0))
    thrice = pl.concat([rows, *[rows.filter(pl.col("season") == 1)] * 2])
    # The ridge is in rows of average weight, so it has to be scaled for the two to be the same.
    scaled = made.changed(l2=(made.RECIPE.l2[0] * thrice.height / rows.height,))
    one, other = made.fit(heavy), made.fit(thrice, scaled)
    assert [f.edges for f in one.features] == [f.edges for f in other.features]
    assert all(
        abs(a - b) <= 2
        for f, g in zip(one.features, other.features, strict=True)
        for a, b in zip(f.points, g.points, strict=True)
    )


def test_a_visit_without_a_weight_counts_as_the_mean_and_none_counts_for_more_than_ten():
    drawn = made.table(1_000).with_columns(weight=pl.lit(40.0))
    mixed = drawn.with_columns(weight=pl.when(pl.col("season") == 1).then(None).otherwise("weight"))
    later = made.later().with_columns(weight=pl.lit(40.0))
    assert made.fit(mixed, calibrate=later).features == made.fit(drawn, calibrate=later).features
    one_in_a_million = pl.Series([1e6, *[1.0] * 999])
    weight = training.weights_of(drawn.with_columns(weight=one_in_a_million), "rows")
    assert weight.mean() == pytest.approx(1)
    assert weight[0] == weight.max() == pytest.approx(training.MOST_TIMES)


def test_drift_is_measured_from_visits_as_they_were_made_whatever_they_weigh():
    rows = made.table(2_000)
    heavy = rows.with_columns(weight=pl.when(pl.col("failures") > 2).then(1.0).otherwise(9.0))
    card = made.fit(heavy, calibrate=heavy.with_columns(day=pl.lit(800, pl.Int32)))
    both = pl.concat([heavy, heavy])
    assert card.reference["base_rate"] == pytest.approx(rows["y"].mean(), abs=1e-6)
    seen = counts(card, both)
    assert max(psi(card.reference[name], many) for name, many in seen.items()) < 1e-4


def test_without_any_feature_there_is_nothing_to_fit():
    bare = made.changed(features=())
    with pytest.raises(TrainingError, match=r"no feature that differs.*Connect the feeds"):
        made.fit(recipe=bare)
    with pytest.raises(TrainingError, match="no feature that differs"):
        boosted.fit_boosted(made.table(), bare, calibrate=made.later(), seed=7, **made.DESCRIBED)


def test_old_rows_fade_where_the_recipe_says_so():
    old = made.table(2_000, seed=5)
    new = made.table(2_000, seed=6, first_day=10_000).with_columns(y=1 - pl.col("y"))
    both, later = pl.concat([old, new]), made.table(400, seed=7, first_day=10_000).with_columns(y=1 - pl.col("y"))
    free = made.changed(features=tuple(Feature(one.id, "none", one.why) for one in made.RECIPE.features))
    even, faded = (
        by_id(made.fit(both, made.changed(free, half_life=days), later))["failures"].points for days in (0, 300)
    )
    assert faded[-1] - faded[0] < -100
    assert abs(even[-1] - even[0]) < 80


def test_the_same_rows_give_the_same_bytes_in_any_order():
    shuffled = made.table().sample(fraction=1.0, shuffle=True, seed=9)
    assert made.fit().to_json() == made.fit().to_json()
    one, other = made.fit(), made.fit(shuffled)
    assert [f.edges for f in one.features] == [f.edges for f in other.features]
    assert all(
        abs(a - b) <= 1
        for f, g in zip(one.features, other.features, strict=True)
        for a, b in zip(f.points, g.points, strict=True)
    )


def test_where_points_say_the_contrary_of_later_rows_chances_lie_close_together():
    contrary = made.later().with_columns(y=1 - pl.col("y"), day=pl.lit(700, pl.Int32))
    card = made.fit(calibrate=contrary)
    assert 0.0 <= card.calibration.slope < 0.1 < made.card().calibration.slope
    chance = score(card, made.table(50))["chance"]
    assert chance.max() - chance.min() < 100_000


def test_the_bundle_remembers_its_training_rows():
    card, rows = made.card(), made.fitted_on()
    assert (card.rows, card.positives) == (rows.height, rows["y"].sum())
    assert card.reference["base_rate"] == pytest.approx(rows["y"].mean(), abs=1e-6)
    assert card.reference["quiet_days"][-1] == pytest.approx(rows["quiet_days"].null_count() / rows.height, abs=1e-6)
    assert sum(card.reference["score"]) == pytest.approx(1.0, abs=1e-5)
    assert set(card.versions) >= {"python", "numpy", "scikit-learn"}


def test_whoever_has_fewer_visits_than_the_units_of_training_is_not_judged():
    counted = made.changed(history="failures")
    assert made.fit(recipe=counted).grounds == {"failures": 1}
    asked = made.table(50).with_columns(failures=pl.int_range(50) % 2)
    assert score(made.fit(recipe=counted), asked)["chance"].is_null().to_list() == [True, False] * 25


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda t: t.head(0), "0 failures among 0 visits"),
        (lambda t: t.with_columns(y=pl.lit(1)), "4000 failures among 4000 visits"),
        (lambda t: t.with_columns(y=pl.col("y") * 2), "neither 0 nor 1"),
        (lambda t: t.with_columns(weight=pl.lit(0.0)), "a weight that is not above 0"),
        (lambda t: t.with_columns(weight=pl.lit(float("nan"))), "a weight that is not above 0"),
        (lambda t: t.head(60), "60 visits with .* are too few: 100 visits with 10 failures are needed"),
    ],
)
def test_rows_that_make_no_model_are_refused_with_the_numbers(spoilt, said):
    with pytest.raises(TrainingError, match=said):
        made.fit(spoilt(made.table()))


def test_a_missing_column_is_named():
    with pytest.raises(FrameError, match="no column 'noise'"):
        made.fit(made.table().drop("noise"))
    with pytest.raises(FrameError, match="no column 'y'"):
        made.fit(made.table().drop("y"))


def test_a_feature_that_by_its_name_cannot_be_known_is_refused():
    leaky = made.changed(features=(*made.RECIPE.features, Feature("inspector_code", "none", "no")))
    with pytest.raises(LeakFound, match="inspector_code"):
        made.fit(made.table().with_columns(inspector_code=pl.lit(1)), leaky)
