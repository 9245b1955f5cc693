import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import FrameError
from rules.model import binning


def cut(values, weights=None, **what):
    values = np.array(values, np.int64)
    weights = np.ones(values.size) if weights is None else np.array(weights, float)
    return binning.edges(values, weights, **{"bins": 5, "least_share": 0.05, **what})


def test_even_values_are_cut_into_even_bins():
    edges = cut(list(range(100)))
    assert len(edges) == 4
    held = binning.shares(binning.place(np.arange(100), None, edges), 5)
    assert all(0.15 <= share <= 0.25 for share in held)


def test_a_value_that_most_rows_share_takes_nothing_from_the_others():
    edges = cut([0] * 700 + list(range(1, 301)), bins=4)
    assert edges[0] == 1
    assert len(edges) == 3


def test_one_value_alone_is_one_bin_and_so_is_no_value_at_all():
    assert cut([7] * 50) == ()
    assert cut([]) == ()


def test_a_weighted_row_counts_as_often_as_its_weight_says():
    values = [0, 1, 2, 3]
    assert cut(values, [10, 1, 1, 10], bins=2) == cut([0] * 10 + [1, 2] + [3] * 10, bins=2)


def test_values_that_are_too_rare_join_their_neighbours():
    edges = cut([0] * 500 + [1] * 496 + [2, 3, 4, 5], least_share=0.05)
    assert edges == (1,)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-50, 50), st.floats(0.1, 20)), min_size=1, max_size=200),
    st.integers(2, 12),
    st.floats(0, 0.3),
)
def test_every_bin_holds_the_least_share_and_there_are_no_more_than_asked(rows, bins, least):
    values, weights = np.array([v for v, _ in rows], np.int64), np.array([w for _, w in rows])
    edges = binning.edges(values, weights, bins=bins, least_share=least)
    assert list(edges) == sorted(set(edges))
    assert len(edges) < bins
    held = np.bincount(binning.place(values, None, edges), weights=weights, minlength=len(edges) + 1)
    assert len(edges) == 0 or held.min() >= least * weights.sum() * (1 - 1e-9)


def test_an_edge_belongs_to_the_bin_above_it_and_unknown_comes_last():
    values, known = np.array([9, 10, 11, 20, 0]), np.array([True, True, True, True, False])
    assert binning.place(values, known, (10, 20)).tolist() == [0, 1, 1, 2, 3]


def test_a_column_that_is_not_whole_or_not_there_is_refused_by_name():
    frame = pl.DataFrame({"share": [0.5], "flag": [True]})
    with pytest.raises(FrameError, match="no column 'visits'"):
        binning.column(frame, "visits")
    for name in ("share", "flag"):
        with pytest.raises(FrameError, match=f"Feature '{name}' is .* Cast it to Int64"):
            binning.column(frame, name)


def test_a_column_of_nulls_is_unknown_everywhere():
    values, known = binning.column(pl.DataFrame({"a": [None, None]}), "a")
    assert values.tolist() == [0, 0]
    assert known is not None
    assert not known.any()


@pytest.mark.parametrize("edges", [0, 1, 9, 40, 41, 300])
def test_few_edges_and_many_give_the_same_places_as_a_search(edges):
    rng = np.random.default_rng(edges)
    at = np.unique(rng.integers(-500, 500, edges))
    values = np.append(rng.integers(-700, 700, 40_000), [np.iinfo(np.int64).min, np.iinfo(np.int64).max])
    assert (binning.place(values, None, at.tolist()) == np.searchsorted(at, values, side="right")).all()
    nobody = np.zeros(values.size, np.bool_)
    assert (binning.place(values, nobody, at.tolist()) == at.size + 1).all()
