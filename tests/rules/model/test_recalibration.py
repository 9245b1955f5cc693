"""Chances follow the base rate from quarter to quarter, and a handful of visits moves them hardly."""

from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model.forms import Calibration
from rules.model.recalibration import AS_IT_IS, LATER, at_first, by_period, chances_of, later, line
from rules.model.score import chances
from tests.rules.model import made

PER = 100


def drawn(size=6_000, slope=1.0, shift=0.0, seed=3, period=0):
    """Visits whose log-odds are ``shift`` and ``slope`` times those of their points."""
    rng = np.random.default_rng(seed)
    points = rng.integers(-500, 200, size)
    chance = 1 / (1 + np.exp(-(shift + slope * points * np.log(2) / PER)))
    return pl.DataFrame(
        {
            "period": pl.Series([period] * size, dtype=pl.Int32),
            "points": points,
            "y": (rng.random(size) < chance).astype(np.int8),
        }
    )


def fitted(rows, **more):
    points, y = rows["points"].cast(pl.Float64).to_numpy(), rows["y"].cast(pl.Float64).to_numpy()
    return line(points, y, np.ones(y.size), PER, **{"toward": AS_IT_IS, "strength": 1e-6, **more})


def test_a_line_finds_the_slope_and_the_shift_that_made_the_outcomes():
    found = fitted(drawn(60_000, slope=0.7, shift=0.5))
    assert abs(found.slope - 0.7) < 0.03
    assert abs(found.intercept - 0.5) < 0.06


def test_a_handful_of_visits_hardly_moves_a_line():
    few = drawn(30, slope=0.7, shift=2.0)
    assert abs(fitted(few, strength=800).intercept) < 0.1
    assert fitted(few, strength=1.0).intercept > 0.5
    assert fitted(few.head(0), strength=800) == AS_IT_IS


def test_a_line_never_falls():
    contrary = drawn().with_columns(y=1 - pl.col("y"))
    assert fitted(contrary).slope == 0.0


def test_the_newest_period_of_the_calibration_rows_counts_most():
    rows = pl.concat([drawn(shift=2.0, period=1), *(drawn(2_000, period=one, seed=one) for one in (2, 3, 4))])
    y, weight = rows["y"].cast(pl.Float64).to_numpy(), np.full(rows.height, 2.0)
    points = rows["points"].cast(pl.Float64).to_numpy()
    assert abs(at_first(points, y, weight, rows["period"], PER).intercept) < 0.3
    assert at_first(points, y, weight, 5 - rows["period"], PER).intercept > 0.7


def test_each_period_has_the_line_of_those_before_it_and_never_its_own():
    standing = Calibration(0.9, -0.1)
    rows = pl.concat([drawn(period=10), drawn(period=20, shift=1.0, seed=8), drawn(period=30, shift=5.0, seed=9)])
    lines = by_period(rows, PER, standing)
    assert lines[10] == standing
    assert lines[20] == later(rows.filter(pl.col("period") == 10), PER, standing)
    assert 0.7 < lines[30].intercept < 1.2
    spoilt = rows.with_columns(y=pl.when(pl.col("period") == 30).then(1 - pl.col("y")).otherwise(pl.col("y")))
    assert by_period(spoilt, PER, standing) == lines


def test_who_was_not_judged_says_nothing_about_chances():
    rows = drawn(400)
    assert later(rows.with_columns(points=pl.lit(None, pl.Int64)), PER, AS_IT_IS) == AS_IT_IS


@settings(deadline=None)
@given(st.floats(0.2, 3.0), st.floats(-4.0, 4.0), st.integers(0, 40))
def test_what_is_unseen_leaves_the_line_where_it_was(slope, intercept, seed):
    standing = Calibration(slope, intercept)
    found = later(drawn(LATER // 10, seed=seed), PER, standing)
    # A tenth of the weight of the line before can move it by no more than so much.
    assert abs(found.intercept - intercept) < 0.2 + 0.1 * abs(intercept)


def test_the_chances_of_a_period_are_those_of_its_own_line_and_who_was_not_judged_has_none():
    card = replace(made.card(), points_per_doubling=PER, calibration=AS_IT_IS)
    rows = pl.concat([drawn(400, period=10), drawn(400, period=20, shift=1.0, seed=8), drawn(400, period=30)])
    points = rows["points"].cast(pl.Int32).set(rows["points"] > 190, None)
    said, lines = chances_of(card, rows, points), by_period(rows.with_columns(points=points), PER, AS_IT_IS)
    for start, own in lines.items():
        held = rows["period"] == start
        whole = chances(replace(card, calibration=own), points.filter(held).fill_null(0).to_numpy().astype(np.int64))
        assert said.filter(held).to_list() == pl.Series(whole).set(points.filter(held).is_null(), None).to_list()
    assert 0 < said.null_count() == points.null_count()
    assert lines[30].intercept > lines[10].intercept + 0.2
