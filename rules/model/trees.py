"""Boosted trees read with numpy: the log-odds of every row, and how far each feature moved it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rules.model.binning import Floats
from rules.model.bundle import Boosted, Tree
from rules.slices import Ints

_PIECE = 65_536  # rows: their features stay in the cache while all trees read them


def log_odds(bundle: Boosted, matrix: Floats) -> Floats:
    """Baseline and one leaf of each tree, summed.

    Parameters
    ----------
    matrix : rows by features in the order of the bundle, NaN where a value is unknown
    """
    found = np.full(matrix.shape[0], bundle.baseline)
    for begin in range(0, matrix.shape[0], _PIECE):
        columns = np.ascontiguousarray(matrix[begin : begin + _PIECE].T)
        for tree in bundle.trees:
            found[begin : begin + _PIECE] += _leaves(tree, columns)
    return found


def moves(bundle: Boosted, matrix: Floats) -> tuple[Floats, Floats]:
    """The log-odds of every row, and how far the splits on each feature moved it: with :func:`base` they sum to the log-odds.

    A split moves a row by the mean of the side it goes to, less the mean of the node (Saabas 2014): exact in its sum, and no more than
    one way to share it out.
    """
    odds = np.full(matrix.shape[0], bundle.baseline)
    moved = np.zeros(matrix.shape)
    every = np.arange(matrix.shape[0])
    for one in bundle.trees:
        tree = _Arrays(one)
        before: Ints | None = None
        for at in tree.walk(matrix):
            if before is not None:
                moved[every, tree.feature[before]] += tree.value[at] - tree.value[before]
            before = at
        odds += tree.value[before]
    return odds, moved


def bounds(bundle: Boosted) -> tuple[Floats, Floats]:
    """The least and the most that the splits on each feature can move a row: no row of any data lies outside."""
    low, high = np.zeros(len(bundle.features)), np.zeros(len(bundle.features))
    for one in bundle.trees:
        held = np.zeros((len(one.left), len(bundle.features)))
        for node, children in enumerate(zip(one.left, one.right, strict=True)):
            for child in children if children[0] >= 0 else ():
                held[child] = held[node]
                held[child, one.feature[node]] += one.value[child] - one.value[node]
        leaves = held[np.array(one.left) < 0]
        low += leaves.min(axis=0)
        high += leaves.max(axis=0)
    return low, high


def base(bundle: Boosted) -> float:
    """The log-odds before any split: the baseline and the mean of every tree."""
    return bundle.baseline + sum(one.value[0] for one in bundle.trees)


def _leaves(tree: Tree, columns: Floats) -> Floats:
    """The value of the leaf that every row reaches. Rows are parted node by node: parents stand before their children."""
    found = np.empty(columns.shape[1])
    held: dict[int, Ints] = {0: np.arange(columns.shape[1])}
    for node, (left, right) in enumerate(zip(tree.left, tree.right, strict=True)):
        rows = held.pop(node)
        if left < 0:
            found[rows] = tree.value[node]
            continue
        seen = columns[tree.feature[node]][rows]
        goes_left = seen <= tree.threshold[node]
        if tree.missing_left[node]:
            goes_left |= np.isnan(seen)
        held[left], held[right] = rows[goes_left], rows[~goes_left]
    return found


class _Arrays:
    """One tree as arrays."""

    def __init__(self, tree: Tree) -> None:
        self.feature = np.array(tree.feature, np.int64)
        self.threshold = np.array(tree.threshold, np.float64)
        self.missing_left = np.array(tree.missing_left, np.bool_)
        self.value = np.array(tree.value, np.float64)
        inner = np.array(tree.left, np.int64) >= 0
        # A row that has reached its leaf stays there, so that all rows take the same number of steps.
        own = np.arange(inner.size)
        self.left, self.right = np.where(inner, tree.left, own), np.where(inner, tree.right, own)

    def walk(self, matrix: Floats) -> Iterator[Ints]:
        """The node of every row, from the root down, until nobody moves."""
        every = np.arange(matrix.shape[0])
        at = np.zeros(matrix.shape[0], np.int64)
        while True:
            yield at
            seen = matrix[every, self.feature[at]]
            goes_left = (seen <= self.threshold[at]) | (np.isnan(seen) & self.missing_left[at])
            following = np.where(goes_left, self.left[at], self.right[at])
            if (following == at).all():
                return
            at = following
