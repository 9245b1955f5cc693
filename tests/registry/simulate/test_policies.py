"""What each policy chooses, on a few entities that can be looked at one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.simulate.policies import POLICIES, Standing, shares, slice_of

SIZE = 40


def standing(**further):
    nothing = np.zeros(SIZE, np.int64)
    everybody = np.ones(SIZE, np.bool_)
    given = {
        "pool": everybody, "fresh": everybody, "rank": nothing, "score": nothing, "chance": nothing, "found": nothing,
        "cell_found": nothing, "lot": np.random.default_rng(3).random(SIZE),
    }  # fmt: skip
    return Standing(**(given | further))


def some(*places, value=1):
    found = np.zeros(SIZE, np.int64)
    found[list(places)] = value
    return found


def chosen(name, size=10, ratios=None, **further):
    return POLICIES[name].choose(standing(**further), size, ratios or {0: 200, 1: 500})


def test_the_class_driven_list_takes_the_worst_class_then_the_worst_score_and_leaves_a_fifth_to_the_lot():
    got = chosen("class", rank=some(4, 9, 30), score=some(9, 17, 30, value=50) + some(17, value=900))
    assert got.by_order.tolist()[:4] == [9, 30, 4, 17] or got.by_order.tolist()[:4] == [30, 9, 4, 17]
    assert (got.by_order.size, got.by_lot.size) == (8, 2)


def test_with_a_model_the_chance_goes_before_the_score_and_never_before_the_class():
    got = chosen("class+model", rank=some(4), chance=some(11, value=990_000) + some(4), score=some(20, value=1000))
    assert got.by_order.tolist()[:3] == [4, 11, 20]


def test_the_slice_is_drawn_from_everybody_whom_the_order_left_and_keeps_its_probability():
    got = chosen("class+model", size=15)
    assert not set(got.by_lot) & set(got.by_order)
    assert np.allclose(got.inclusion, got.by_lot.size / (SIZE - got.by_order.size))


def test_whom_the_order_may_not_visit_so_soon_the_lot_still_may():
    fresh = np.zeros(SIZE, np.bool_)
    got = chosen("class", size=10, fresh=fresh)
    assert got.by_order.size == 0
    assert got.by_lot.size == slice_of(10)


def test_nobody_outside_the_pool_is_ever_visited():
    pool = np.arange(SIZE) < 12
    for name in POLICIES:
        got = chosen(name, size=30, pool=pool, fresh=pool, rank=some(*range(0, SIZE, 2)))
        assert got.everybody.size
        assert pool[got.everybody].all(), name


def test_the_greedy_list_goes_back_to_where_it_found_something_and_leaves_nothing_to_the_lot():
    got = chosen("greedy", size=3, found=some(7) + some(31, value=2), cell_found=some(7, 12, 31, value=3))
    assert got.by_order.tolist() == [31, 7, 12]
    assert got.by_lot.size == 0


def test_a_fixed_ratio_splits_the_visits_by_what_each_class_is_owed():
    # 30 of class 0 at 2 % and 10 of class 1 at 6 % are owed the same.
    got = chosen("ratio", size=10, ratios={0: 200, 1: 600}, rank=some(*range(30, 40)))
    assert np.bincount(got.stratum).tolist() == [5, 5]
    assert np.allclose(got.inclusion[got.stratum == 1], 0.5)


def test_what_a_small_class_has_no_room_for_goes_to_the_others():
    got = chosen("ratio", size=20, ratios={0: 1, 1: 10_000}, rank=some(1, 2, 3))
    assert np.bincount(got.stratum).tolist() == [17, 3]


@given(
    size=st.integers(0, 500),
    asked=st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=6),
)
@settings(max_examples=60)
def test_shares_are_whole_and_add_up_and_none_is_off_by_one_or_more(size, asked):
    got = shares(size, np.array(asked))
    if sum(asked) == 0:
        assert not got.any()
        return
    assert got.sum() == size
    assert (np.abs(got - size * np.array(asked) / sum(asked)) < 1 + 1e-6).all()


@pytest.mark.parametrize(("size", "random"), [(1, 1), (5, 1), (10, 2), (49, 10), (100, 20)])
def test_a_fifth_of_a_list_is_left_to_the_lot_and_at_least_one(size, random):
    assert slice_of(size) == random
