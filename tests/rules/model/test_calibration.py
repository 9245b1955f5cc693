"""Calibration: what is right shows only the error of chance, what is off shows more."""

from itertools import pairwise

import numpy as np
import pytest

from rules.errors import FrameError
from rules.model import calibration


def right(size=5_000, seed=1):
    rng = np.random.default_rng(seed)
    chance = np.round(rng.beta(2, 6, size), 3)
    return chance, (rng.random(size) < chance).astype(int)


def test_the_error_is_the_weighted_distance_of_bins_of_equal_mass():
    chance = [0.1, 0.1, 0.2, 0.2, 0.6, 0.6, 0.8, 0.8]
    y = [0, 0, 0, 1, 1, 1, 1, 0]
    # Halves: mean chance .15 and .70 against rates .25 and .75.
    assert calibration.calibration_error(chance, y, bins=2) == pytest.approx((0.10 + 0.05) / 2)


def test_right_chances_show_only_the_error_that_finite_numbers_make():
    excesses = []
    for seed in range(20):
        chance, y = right(2_000, seed)
        said = calibration.calibration(chance, y, seed, draws=100)
        excesses.append(said["excess"])
    assert abs(np.mean(excesses)) < 0.003
    assert said["null"] > 0.005


def test_chances_that_are_twice_too_high_are_found_out():
    chance, y = right()
    said = calibration.calibration(np.minimum(chance * 2, 1), y, seed=1)
    assert said["excess"] > 0.15
    assert said["p"] < 0.01
    assert said["mean_chance"] > said["rate"] * 1.7


def test_the_order_of_rows_does_not_matter_though_chances_are_tied():
    chance, y = right()
    order = np.random.default_rng(2).permutation(y.size)
    assert calibration.calibration_error(chance[order], y[order]) == pytest.approx(
        calibration.calibration_error(chance, y)
    )


def test_the_bins_hold_every_row_once_and_rise_in_chance():
    chance, y = right()
    bins = calibration.reliability(chance, y)
    assert len(bins) == 10
    assert sum(one["n"] for one in bins) == y.size
    assert sum(one["failures"] for one in bins) == y.sum()
    assert all(a["most"] < b["least"] for a, b in pairwise(bins))
    assert all(one["low"] <= one["rate"] <= one["high"] for one in bins)
    assert min(one["n"] for one in bins) > 0.07 * y.size


def test_one_chance_for_all_is_one_bin():
    assert calibration.calibration_error([0.25] * 8, [0, 0, 1, 0, 0, 0, 1, 1]) == pytest.approx(0.125)


def test_the_simulated_null_follows_from_its_seed():
    chance, _ = right(500)
    first = calibration.null_errors(chance, 3, 50)
    assert (first == calibration.null_errors(chance, 3, 50)).all()
    assert (first != calibration.null_errors(chance, 4, 50)).any()


def test_millionths_are_refused_with_what_to_do():
    with pytest.raises(FrameError, match="divide millionths by 1,000,000"):
        calibration.calibration_error([250_000, 1], [0, 1])
