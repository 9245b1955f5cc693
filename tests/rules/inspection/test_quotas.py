"""How many are drawn and how long it takes: bounds rounded inwards, conflicts refused, days in whole teams."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.dated import Basis
from rules.inspection.frequency import WHOLE, Row
from rules.inspection.quotas import QuotaConflict, RatioOutside, bounds, inspector_days, quota, workload

BASIS = Basis("Invented", "product_default")


def row(lowest=0, highest=WHOLE, every_days=None):
    return Row("one", lowest, highest, every_days, None, 0, BASIS)


ratios = st.tuples(st.integers(0, WHOLE), st.integers(1, WHOLE)).map(lambda pair: (min(pair), max(*pair, 1)))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 3_000), ratios, st.none() | st.integers(1, 2_000), st.data())
def test_a_quota_never_leaves_its_bounds_and_conflicts_are_exactly_where_no_number_fits(number, both, every, data):
    low, high = both
    one = row(low, high, every)
    least, most = ceil(Fraction(low * number, WHOLE)), floor(Fraction(high * number, WHOLE))
    wanted = data.draw(st.none() | st.integers(low, high))
    if least > most or most == 0:
        with pytest.raises(QuotaConflict, match=f"Of {number:,} candidates row one") as refused:
            quota(number, one, wanted)
        assert (refused.value.candidates, refused.value.most) == (number, most)
        return
    found = quota(number, one, wanted)
    assert bounds(number, one) == (max(least, 1), most)
    assert max(least, 1) <= found <= most
    ratio = one.usual if wanted is None else wanted
    assert found == min(max(ceil(Fraction(ratio * number, WHOLE)), least, 1), most)


def test_upper_bounds_round_down_and_lower_bounds_up():
    assert quota(123, row(highest=200)) == 2  # 2.46
    assert quota(123, row(lowest=500, highest=2_000)) == 7  # 6.15
    assert quota(86_187, row(highest=200)) == 1_723
    assert quota(3, row(lowest=WHOLE)) == 3


def test_a_wanted_ratio_outside_the_row_is_refused_with_both():
    with pytest.raises(RatioOutside, match=r"3 % was asked for, and row one lets 5 % to 20 % be drawn"):
        quota(100, row(500, 2_000), 300)
    assert quota(100, row(500, 2_000), 1_250) == 13


def test_a_class_too_small_for_its_upper_bound_is_refused_in_words():
    with pytest.raises(QuotaConflict, match=r"Of 49 candidates row one lets at most 0 be drawn \(2 %, rounded down\)"):
        quota(49, row(highest=200))


def test_without_a_ratio_the_interval_says_what_is_due_in_a_year():
    assert [row(every_days=days).usual for days in (365, 730, 182)] == [WHOLE, 5_000, WHOLE]
    assert [row(every_days=days).yearly for days in (365, 730, 121)] == [10_000, 5_000, 30_165]
    assert (row(lowest=2_100, highest=6_000).yearly, row(highest=200).yearly) == (2_100, 200)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 500), st.integers(1, 1_000), st.integers(1, 4), st.integers(30, 480))
def test_inspector_days_are_enough_and_no_team_could_do_with_a_day_less(visits, minutes, team, day):
    days = inspector_days(visits, minutes, team, day)
    assert days % team == 0
    trips = days // team
    fits = max(day // minutes, 1)
    if minutes <= day:
        assert trips * fits >= visits > (trips - 1) * fits or visits == trips == 0
    else:
        assert trips == visits * ceil(minutes / day)


def test_a_plan_is_held_against_the_days_that_there_are():
    plan = workload({"A": 20, "B": 41}, 90, 6, 30)
    assert (plan.visits, plan.needed, plan.available, plan.fits) == (61, 32, 30, False)
    assert workload({"A": 20, "B": 41}, 90, 6, 32).fits
    assert not workload({"A": 1}, 90, 1, 300).fits, "nobody goes alone"
    assert workload({}, 90, 0, 0).fits
    assert plan.as_dict()["needed"] == 32
