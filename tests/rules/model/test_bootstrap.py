"""Intervals of the AUC: those of loops, of theory, and quick enough for every training."""

import numpy as np
import pytest

from rules.errors import FrameError
from rules.model import bootstrap
from rules.model.metrics import auc


def rows(size=400, seed=0, gap=1.0):
    rng = np.random.default_rng(seed)
    y = (rng.random(size) < 0.3).astype(int)
    better = y * gap + rng.normal(size=size)
    return better, np.round(y * gap / 2 + rng.normal(size=size)), y


def test_every_resample_is_what_drawing_the_rows_themselves_gives():
    better, worse, y = rows(60)
    fast = bootstrap.samples([better, worse], y, seed=5, resamples=30)
    generator = np.random.default_rng(5)
    for resample in range(30):
        drawn = generator.integers(0, 60, 60)
        assert fast[resample, 0] == pytest.approx(auc(better[drawn], y[drawn]))
        assert fast[resample, 1] == pytest.approx(auc(worse[drawn], y[drawn]))


def test_rows_of_one_entity_are_drawn_together():
    better, _, y = rows(50)
    single = bootstrap.samples([better], y, seed=5, resamples=40)
    twice = [np.repeat(one, 2) for one in (better, y)]
    doubled = bootstrap.samples([twice[0]], twice[1], seed=5, resamples=40, groups=np.repeat(np.arange(50), 2))
    assert np.allclose(single, doubled)


def test_the_resamples_follow_from_the_seed_alone():
    better, _, y = rows()
    first = bootstrap.samples([better], y, 1, 200)
    assert (first == bootstrap.samples([better], y, 1, 200)).all()
    assert (first != bootstrap.samples([better], y, 2, 200)).any()


def test_drawn_and_reckoned_intervals_agree():
    better, worse, y = rows(3_000)
    drawn = bootstrap.samples([better, worse], y, 1, 600)
    low, high = np.percentile(drawn[:, 0] - drawn[:, 1], bootstrap.LEVEL)
    reckoned = bootstrap.auc_difference(better, worse, y)
    assert reckoned.auc == pytest.approx(auc(better, y) - auc(worse, y))
    assert (low, high) == pytest.approx((reckoned.low, reckoned.high), abs=0.004)
    alone = bootstrap.auc_bounds(better, y)
    assert np.percentile(drawn[:, 0], bootstrap.LEVEL) == pytest.approx((alone.low, alone.high), abs=0.004)


def test_the_95_percent_interval_covers_the_truth_that_often():
    # Two normal scores with equal variance: the AUC is known, 0.7602 for a shift of one.
    held = 0
    for seed in range(400):
        better, _, y = rows(300, seed)
        found = bootstrap.auc_bounds(better, y)
        held += found.low <= 0.7602 <= found.high
    assert 368 <= held <= 392


def test_a_score_against_itself_gains_nothing():
    better, _, y = rows()
    both = bootstrap.samples([better, better], y, 1, 50)
    assert (both[:, 0] == both[:, 1]).all()
    assert bootstrap.auc_difference(better, better, y) == (0.0, 0.0, 0.0)


def test_what_has_no_auc_is_refused():
    with pytest.raises(FrameError, match="All 3 outcomes are 0"):
        bootstrap.samples([[1, 2, 3]], [0, 0, 0], 1)
    with pytest.raises(FrameError, match="Give all the same rows"):
        bootstrap.samples([[1, 2, 3], [1, 2]], [0, 1, 0], 1)
    with pytest.raises(FrameError, match="at least 1"):
        bootstrap.samples([[1, 2]], [0, 1], 1, 0)
