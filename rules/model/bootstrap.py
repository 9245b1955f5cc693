"""Intervals of the AUC and of the difference of two: by drawing rows again, and by their variance.

All resamples are worked out at once: each gives every row a whole weight, and the AUC of weighted rows follows from sums
along scores that are sorted only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rules.errors import FrameError
from rules.model.metrics import Floats, Ints, Z, mid_ranks, outcomes_of, scores_of

RESAMPLES = 1000
LEVEL = (2.5, 97.5)
# Rows times resamples that are held in memory at once.
_CELLS = 2_000_000


class Gain(NamedTuple):
    """A difference of two AUCs: of the rows themselves, and its 95 % interval."""

    auc: float
    low: float
    high: float


def samples(
    scores: Sequence[ArrayLike],
    y: ArrayLike,
    seed: int,
    resamples: int = RESAMPLES,
    groups: ArrayLike | None = None,
) -> Floats:
    """The AUC of every score in every resample: ``resamples`` rows, one column for each score, all of the same draws.

    Parameters
    ----------
    scores : each one finite number for each row
    y : 0 or 1 for each row, both present
    seed : the draws are a function of it, of ``resamples`` and of the rows alone
    groups : label of each row; groups are then drawn whole, so that rows of one entity stay together. Without it rows are
        drawn (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13)

    Raises
    ------
    FrameError
        If lengths differ, only one outcome is there, or fewer than one resample is asked for. A resample that drew only
        one outcome has no AUC and is NaN.
    """
    columns = [scores_of(score) for score in scores]
    size = columns[0].size
    if any(column.size != size for column in columns):
        raise FrameError(f"Scores have {sorted({column.size for column in columns})} rows. Give all the same rows.")
    found = _both(outcomes_of(y, size))
    if resamples < 1:
        raise FrameError(f"{resamples} resamples were asked for. Ask for at least 1; {RESAMPLES} is usual.")
    member, count = _groups(groups, size)
    sorted_ = [_sorted(column, found) for column in columns]
    generator = np.random.default_rng(seed)
    result = np.empty((resamples, len(columns)))
    step = max(1, _CELLS // size)
    for start in range(0, resamples, step):
        drawn = np.stack([_weights(generator, count, member) for _ in range(start, min(start + step, resamples))])
        positives = drawn[:, found == 1].sum(axis=1, dtype=np.float64)
        pairs = positives * (drawn.sum(axis=1, dtype=np.float64) - positives)
        for place, (hit, miss, below, tied) in enumerate(sorted_):
            with np.errstate(invalid="ignore", divide="ignore"):
                result[start : start + len(drawn), place] = _won(drawn, hit, miss, below, tied) / pairs
    if np.isnan(result).all():
        raise FrameError(f"No resample of {size} rows drew both outcomes. Give more rows.")
    return result


def _weights(generator: np.random.Generator, count: int, member: Ints | None) -> Floats:
    drawn = np.bincount(generator.integers(0, count, count), minlength=count).astype(np.float64)
    return drawn if member is None else drawn[member]


def _sorted(score: Floats, y: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Rows of failures, rows without sorted by score, and for each failure how many of these lie below it and up to it."""
    hit = np.flatnonzero(y == 1)
    miss = np.flatnonzero(y == 0)
    miss = miss[np.argsort(score[miss], kind="stable")]
    ladder = score[miss]
    return hit, miss, np.searchsorted(ladder, score[hit], "left"), np.searchsorted(ladder, score[hit], "right")


def _won(drawn: Floats, hit: Ints, miss: Ints, below: Ints, tied: Ints) -> Floats:
    beneath = np.zeros((len(drawn), miss.size + 1))
    np.cumsum(drawn[:, miss], axis=1, out=beneath[:, 1:])
    won: Floats = (drawn[:, hit] * (beneath[:, below] + beneath[:, tied])).sum(axis=1) / 2
    return won


def _groups(groups: ArrayLike | None, size: int) -> tuple[Ints | None, int]:
    if groups is None:
        return None, size
    labels = np.asarray(groups)
    if labels.shape != (size,):
        raise FrameError(f"`groups` has the shape {labels.shape}. Give {size} labels, one for each row.")
    names, member = np.unique(labels, return_inverse=True)
    return member, names.size


def _both(y: Ints) -> Ints:
    if not y.any() or y.all():
        raise FrameError(f"All {y.size} outcomes are {int(y[0])}, so there is no AUC. Give rows with both outcomes.")
    return y


def auc_difference(score_a: ArrayLike, score_b: ArrayLike, y: ArrayLike) -> Gain:
    """AUC(a) - AUC(b) of the same rows with its 95 % normal interval, without drawing: quick where many are compared.

    DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988) 837-845. Raises FrameError as :func:`samples`; with fewer than two
    rows of an outcome nothing is known of the spread, and the interval is (-1, 1).
    """
    first = scores_of(score_a, "score_a")
    found = _both(outcomes_of(y, first.size))
    second = scores_of(score_b, "score_b")
    if second.size != first.size:
        raise FrameError(f"`score_b` has {second.size} rows and `score_a` has {first.size}. Give both the same rows.")
    hits, misses = (
        left - right for left, right in zip(_placements(first, found), _placements(second, found), strict=True)
    )
    return _spread(float(hits.mean()), hits, misses)


def auc_bounds(score: ArrayLike, y: ArrayLike) -> Gain:
    """The AUC with its 95 % normal interval by the same variance as :func:`auc_difference`, inside 0 to 1."""
    values = scores_of(score)
    hits, misses = _placements(values, _both(outcomes_of(y, values.size)))
    found = _spread(float(hits.mean()), hits, misses)
    return Gain(found.auc, max(found.low, 0.0), min(found.high, 1.0))


def _placements(score: Floats, y: Ints) -> tuple[Floats, Floats]:
    """For each failure the share of rows without one that it beats, and for each of these the share that beat it."""
    hit, miss = score[y == 1], score[y == 0]
    ranks = mid_ranks(score)
    won: Floats = (ranks[y == 1] - mid_ranks(hit)) / miss.size
    lost: Floats = 1 - (ranks[y == 0] - mid_ranks(miss)) / hit.size
    return won, lost


def _spread(auc: float, hits: Floats, misses: Floats) -> Gain:
    if min(hits.size, misses.size) < 2:
        return Gain(auc, -1.0, 1.0)
    half = Z * float(np.sqrt(hits.var(ddof=1) / hits.size + misses.var(ddof=1) / misses.size))
    return Gain(auc, auc - half, auc + half)
