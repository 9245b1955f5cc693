"""The random slice of a list: every set of so many is equally likely, the seed alone decides, and N is who was eligible."""

import hashlib
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.services import list_slice

# Upper 0.1 % of chi-square with 9 degrees of freedom.
LIMIT = 27.88


def seed(number: int) -> bytes:
    return hashlib.sha256(f"seed {number}".encode()).digest()


def test_every_set_of_two_out_of_five_is_drawn_equally_often():
    pool = np.array([3, 7, 20, 21, 400])
    counted = Counter(tuple(list_slice.drawn(pool, 2, seed(number))) for number in range(4_000))
    sets = list(combinations(pool.tolist(), 2))
    assert set(counted) == set(sets)
    assert sum((counted[one] - 400) ** 2 / 400 for one in sets) < LIMIT


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.binary(min_size=32, max_size=32))
def test_a_draw_has_its_size_comes_from_the_pool_and_can_be_drawn_again(count, number, bytes_):
    pool = np.arange(count) * 3 + 1
    if number > count:
        with pytest.raises(ValueError, match="cannot be drawn"):
            list_slice.drawn(pool, number, bytes_)
        return
    found = list_slice.drawn(pool, number, bytes_)
    assert found == sorted(set(found)) == list_slice.drawn(pool, number, bytes_)
    assert len(found) == number
    assert set(found) <= set(pool.tolist())


@pytest.mark.parametrize(
    ("size", "eligible", "share", "expected"),
    [
        (500, 422_000, 20, (400, 100)), (10, 3, 20, (2, 1)), (1, 9, 20, (0, 1)), (7, 100, 20, (5, 2)), (5, 5, 0, (5, 0)),
        (5, 0, 20, (0, 0)),
    ],
)  # fmt: skip
def test_the_share_is_rounded_up_and_nobody_is_listed_who_is_not_eligible(size, eligible, share, expected):
    assert list_slice.sizes(size, eligible, share) == expected


@pytest.mark.parametrize(
    ("number", "count", "millionths"),
    [(100, 421_878, 237), (1, 3, 333_333), (2, 3, 666_667), (3, 3, 1_000_000), (1, 9_000_000, 1)],
)
def test_the_probability_is_m_of_n_in_millionths_and_never_nothing(number, count, millionths):
    assert list_slice.inclusion(number, count) == millionths


@pytest.mark.parametrize(
    ("pool", "ids", "left"),
    [([], [3], []), ([2, 5, 9], [], [2, 5, 9]), ([2, 5, 9], [12, 5, 1], [2, 9]), ([2, 5, 9], [9, 2, 5], [])],
)
def test_who_is_taken_out_of_a_pool_need_not_be_in_it(pool, ids, left):
    assert list_slice.without(np.array(pool, np.int64), np.array(ids, np.int64)).tolist() == left
