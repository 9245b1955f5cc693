"""Bins of a feature: whole-number edges such that each bin holds a fair share of the training rows. Unknown is a bin of its own.

A bin holds the values from its edge on, up to (not including) the next edge; the first has no lower end, the last no upper.
Features are counts with many equal values, so equal shares cannot be had by quantiles alone: a value never straddles two bins,
and what a heavy value takes is not taken from the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from rules.errors import FrameError
from rules.slices import Bools, Ints

Floats: TypeAlias = npt.NDArray[np.float64]
# Sums of weights in another order differ in their last digits, which must not move an edge.
_EXACT = 1 - 1e-9
_FEW_EDGES, _PIECE = 40, 16_384


def column(frame: pl.DataFrame, id_: str) -> tuple[Ints, Bools | None]:
    """The values of one feature, 0 where it is unknown, and which are known (None: all of them).

    Raises
    ------
    FrameError
        If the frame has no such column, or not in whole numbers.
    """
    if id_ not in frame.columns:
        raise FrameError(f"The frame of features has no column {id_!r}. Work it out with rules.model.features.")
    series = frame[id_]
    if series.dtype == pl.Null:
        return np.zeros(frame.height, np.int64), np.zeros(frame.height, np.bool_)
    if not series.dtype.is_integer():
        raise FrameError(f"Feature {id_!r} is {series.dtype}. Cast it to Int64: features are whole numbers.")
    if not series.null_count():
        return series.cast(pl.Int64).to_numpy(), None
    return series.fill_null(0).cast(pl.Int64).to_numpy(), series.is_not_null().to_numpy()


def edges(
    values: Ints, weights: Floats, *, bins: int, least_share: float, total: float | None = None
) -> tuple[int, ...]:
    """Ascending edges of at most ``bins`` bins of the known ``values``.

    Parameters
    ----------
    weights : of the rows, beside ``values``
    least_share : of ``total`` (the weight of all rows, those of unknown value included), that a bin must hold

    Returns
    -------
    Each edge is a value that was seen; without edges all values are one bin.
    """
    if not values.size:
        return ()
    seen, place = np.unique(values, return_inverse=True)
    mass = np.bincount(place, weights=weights, minlength=seen.size)
    left = float(mass.sum())
    least = least_share * (left if total is None else total) * _EXACT
    found: list[int] = []
    held: list[float] = []
    current, begins = 0.0, True
    for value, one in zip(seen.tolist(), mass.tolist(), strict=True):
        aim = max(least, left / max(bins - len(held), 1)) * _EXACT
        # A heavy value stands alone where what came before it fills a bin of its own.
        if not begins and len(held) < bins - 1 and current >= least and (current >= aim or current + one > 1.5 * aim):
            held.append(current)
            left -= current
            current = 0.0
            found.append(value)
        current += one
        begins = False
    if found and current < least:
        found.pop()
    return tuple(found)


def place(values: Ints, known: Bools | None, at: Iterable[int]) -> Ints:
    """The number of the bin of each row: 0 for the first, one more than the last for an unknown value."""
    return codes(values, known, at).astype(np.int64)


def codes(values: Ints, known: Bools | None, at: Iterable[int]) -> npt.NDArray[Any]:
    """As :func:`place`, in the narrowest whole numbers that hold it."""
    limits = list(at)
    if len(limits) > _FEW_EDGES:
        many = np.searchsorted(np.array(limits, np.int64), values, side="right")
        return many if known is None else np.where(known, many, len(limits) + 1)
    found = np.zeros(values.size, np.uint8)
    reached = np.empty(_PIECE, np.bool_)
    # One comparison for each edge, inside the cache, is several times faster than a search for each value.
    for begin in range(0, values.size, _PIECE):
        piece, into = values[begin : begin + _PIECE], found[begin : begin + _PIECE]
        above = reached[: piece.size]
        for limit in limits:
            np.greater_equal(piece, limit, out=above)
            np.add(into, above.view(np.uint8), out=into)
    return found if known is None else np.where(known, found, np.uint8(len(limits) + 1))


def shares(places: Ints, bins: int, weights: Floats | None = None) -> list[float]:
    """The share of the rows in each of ``bins`` bins, to six digits; all 0 where there is no row."""
    held = np.bincount(places, weights=weights, minlength=bins).astype(np.float64)
    whole = held.sum()
    return [round(float(one), 6) for one in (held / whole if whole else held)]
