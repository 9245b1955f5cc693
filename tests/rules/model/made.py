"""Tables of training rows whose truth is known, and models fitted to them once."""

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl

from rules.model import boosted, scorecard
from rules.model.bundle import Window
from rules.model.recipe import Feature, Recipe, Trees

WINDOW = Window(0, 700, 700, 900, 900, 1000)
DESCRIBED = {
    "window": WINDOW,
    "outcome": {"severity": 2, "count": 1},
    "rule": {"purposes": [0, 1], "least_gap": 60, "history": 1},
}
RECIPE = Recipe(
    scheme="toy-record",
    features=(
        Feature("failures", "up", "who failed before fails again"),
        Feature("quiet_days", "down", "the longer without a failure, the better"),
        Feature("season", "none", "either way"),
        Feature("noise", "up", "in truth it says nothing"),
    ),
    bins=8,
    least_share=0.02,
    l2=(1.0,),
    trees=Trees(rounds=25, learning_rate=0.15, leaves=6, least_rows=30, l2=5.0),
    grounds={"failures": 0},
    least_rows=100,
    least_positives=10,
)


def table(size=4_000, seed=1, first_day=0, unknown=0.15):
    """Units whose log-odds are known (`truth`): failures up, quiet days down, the season either way, noise nothing."""
    rng = np.random.default_rng(seed)
    failures, quiet = rng.poisson(2.0, size), rng.integers(0, 1500, size)
    season, noise = rng.integers(0, 4, size), rng.integers(0, 50, size)
    hidden = rng.random(size) < unknown
    truth = -2.0 + 0.6 * failures - 0.001 * quiet + np.array([0.0, 0.7, -0.4, 0.2])[season]
    truth = np.where(hidden, truth + 0.8, truth)
    return pl.DataFrame(
        {
            "entity": np.arange(size),
            "day": pl.Series(first_day + 90 * rng.integers(0, 7, size), dtype=pl.Int32),
            "y": (rng.random(size) < 1 / (1 + np.exp(-truth))).astype(np.int8),
            "weight": np.ones(size),
            "failures": failures,
            "quiet_days": pl.Series(quiet).set(pl.Series(hidden), None),
            "season": season,
            "noise": noise,
            "truth": truth,
        }
    )


def changed(recipe=RECIPE, **what):
    return replace(recipe, **what)


def later():
    """Rows of a later period, to calibrate on."""
    return table(1_500, seed=2, first_day=700)


def fitted_on():
    """What the models of this module are fitted to in the end: training and calibration rows together."""
    return pl.concat([table(), later()])


def fit(made=None, recipe=RECIPE, calibrate=None, **more):
    made = table() if made is None else made
    calibrate = later() if calibrate is None else calibrate
    return scorecard.fit(made, recipe, calibrate=calibrate, seed=7, **DESCRIBED, **more)


@cache
def card():
    """A scorecard, fitted once for all tests that only read it."""
    return fit(scheme_hash="a" * 64)


@cache
def trees():
    """Boosted trees, fitted once for all tests that only read them."""
    return boosted.fit_boosted(table(), RECIPE, calibrate=later(), seed=7, **DESCRIBED)
