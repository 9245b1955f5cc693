"""How good an order of visits is: discrimination, and what would have been found sooner with the same visits.

The unit is one visit that really took place. Inside a period the real days stay as they are, so the capacity of every day
does, and are dealt again in the order that is measured. The measures agree with the reference of the public benchmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rules.errors import FrameError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARES = (0.1, 0.2, 0.5)
# Two-sided 95 % of the normal distribution.
Z = 1.959963984540054
# A capture curve is read at every fiftieth of the visits.
STEPS = 50


class Plan(TypedDict):
    """What one order achieves. A share that has nothing to divide by is null.

    ``auc``, ``ap``: ROC AUC and average precision over all rows. ``capK``: share of the failures found in the first K % of
    each period's places; ``bau50`` the same for the first half of the order that was really followed; ``prec10``: share of
    failures among the first tenth. ``days``: how many days earlier a failure is found on average (> 0 is earlier) than it
    was; ``days_rand`` and ``days_oracle`` the same for a random order and for all failures first; ``gain``: where ``days``
    lies between these two (0 random, 1 oracle).
    """

    n: int
    pos: int
    auc: float | None
    ap: float | None
    cap10: float | None
    cap20: float | None
    cap50: float | None
    prec10: float | None
    bau50: float | None
    days: float | None
    days_rand: float | None
    days_oracle: float | None
    gain: float | None


def scores_of(score: ArrayLike, name: str = "score") -> Floats:
    """``score`` as one row of finite numbers.

    Raises
    ------
    FrameError
        If it has another shape, is empty, or holds a value that is missing or not finite: such a row has no place in an
        order, so its place must be decided before.
    """
    found = np.asarray(score, dtype=np.float64)
    if found.ndim != 1 or not found.size:
        raise FrameError(f"`{name}` has the shape {found.shape}. Give one number for each visit, at least one.")
    if not np.isfinite(found).all():
        count = int((~np.isfinite(found)).sum())
        raise FrameError(f"`{name}` has no finite number in {count} of {found.size} rows. Decide their place first.")
    return found


def outcomes_of(y: ArrayLike, size: int) -> Ints:
    """``y`` as ``size`` zeros and ones. Raises FrameError if it is anything else."""
    found = np.asarray(y)
    if found.shape != (size,) or not np.isin(found, (0, 1)).all():
        raise FrameError(f"`y` has the shape {found.shape}. Give {size} outcomes, each 0 or 1, one for each score.")
    return found.astype(np.int64)


def auc(score: ArrayLike, y: ArrayLike) -> float | None:
    """Chance that a failure scores above a visit without one, ties counting half; null where there is but one outcome."""
    values = scores_of(score)
    return _auc(values, outcomes_of(y, values.size))


def _auc(score: Floats, y: Ints) -> float | None:
    positives = int(y.sum())
    negatives = y.size - positives
    if not positives or not negatives:
        return None
    below = float(mid_ranks(score)[y == 1].sum()) - positives * (positives + 1) / 2
    return below / (positives * negatives)


def mid_ranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[group]
    return ranks


def average_precision(score: ArrayLike, y: ArrayLike) -> float | None:
    """Precision at each distinct score, weighted by the recall that it adds; null without a failure."""
    values = scores_of(score)
    return _average_precision(values, outcomes_of(y, values.size))


def _average_precision(score: Floats, y: Ints) -> float | None:
    if not y.any():
        return None
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
    hits = np.cumsum(y[order])[ends]
    return float((np.diff(hits, prepend=0) * (hits / (ends + 1))).sum() / hits[-1])


def evaluate_order(score: ArrayLike, y: ArrayLike, visit_days: ArrayLike, periods: ArrayLike | None = None) -> Plan:
    """Measure the order "highest score first".

    Parameters
    ----------
    score : one finite number for each visit; rows of equal score keep the order in which they are given
    y : 1 where the visit found a failure, else 0
    visit_days : the day of the visit, whole days since any fixed day
    periods : label of the period inside which visits may change places; without it all of them are one period

    Raises
    ------
    FrameError
        If lengths differ, a score is not finite or an outcome is neither 0 nor 1.

    Notes
    -----
    Definitions as in ``METRICS.md`` of the public benchmarks; ROC AUC: Hanley & McNeil, Radiology 143 (1982) 29-36.
    """
    values = scores_of(score)
    found = outcomes_of(y, values.size)
    days = _whole(visit_days, values.size, "visit_days")
    captured = dict.fromkeys(SHARES, 0)
    first_places = actual = 0
    earlier = by_chance = at_best = 0.0
    for rows in by_period(periods, values.size):
        order = np.argsort(-values[rows], kind="stable")
        y_, days_ = found[rows], days[rows]
        ranked, capacity = y_[order], np.sort(days_)
        for share in SHARES:
            captured[share] += int(ranked[: _places(rows.size, share)].sum())
        first_places += _places(rows.size, 0.1)
        actual += int(y_[np.argsort(days_, kind="stable")][: _places(rows.size, 0.5)].sum())
        hit = np.sort(days_[y_ == 1])
        earlier += float((days_[order] - capacity)[ranked == 1].sum())
        by_chance += float((hit - days_.mean()).sum())
        at_best += float((hit - capacity[: hit.size]).sum())
    total = int(found.sum())
    return Plan(
        n=values.size, pos=total, auc=_auc(values, found), ap=_average_precision(values, found),
        cap10=_share(captured[0.1], total), cap20=_share(captured[0.2], total), cap50=_share(captured[0.5], total),
        prec10=captured[0.1] / max(first_places, 1), bau50=_share(actual, total),
        days=_share(earlier, total), days_rand=_share(by_chance, total), days_oracle=_share(at_best, total),
        gain=_share(earlier - by_chance, at_best - by_chance),
    )  # fmt: skip


def by_period(periods: ArrayLike | None, size: int) -> list[Ints]:
    """Row numbers of each period, periods in order of their label, rows in order. Raises FrameError for a wrong length."""
    if periods is None:
        return [np.arange(size)]
    labels = np.asarray(periods)
    if labels.shape != (size,):
        raise FrameError(f"`periods` has the shape {labels.shape}. Give {size} labels, one for each score.")
    _, group = np.unique(labels, return_inverse=True)
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def per_period(score: ArrayLike, y: ArrayLike, visit_days: ArrayLike, periods: ArrayLike) -> dict[Any, Plan]:
    """The measures of :func:`evaluate_order` inside each period alone, by its label."""
    values, labels = scores_of(score), np.asarray(periods)
    found, days = outcomes_of(y, values.size), _whole(visit_days, values.size, "visit_days")
    return {
        labels[rows[0]].item(): evaluate_order(values[rows], found[rows], days[rows])
        for rows in by_period(labels, values.size)
    }


def capture_curve(score: ArrayLike, y: ArrayLike, periods: ArrayLike | None = None) -> list[float]:
    """Share of the failures that lie in the first 0, 1/50, … 50/50 of each period's places, in that order (51 shares).

    Raises FrameError as :func:`evaluate_order`, and if there is no failure: shares of nothing are no curve.
    """
    values = scores_of(score)
    found = outcomes_of(y, values.size)
    if not found.any():
        raise FrameError("`y` has no failure at all, so there is no capture curve. Choose a span with a failure.")
    hits = np.zeros(STEPS + 1)
    for rows in by_period(periods, values.size):
        ranked = np.concatenate(([0], np.cumsum(found[rows][np.argsort(-values[rows], kind="stable")])))
        hits += ranked[[rows.size * step // STEPS for step in range(STEPS + 1)]]
    return [float(share) for share in hits / found.sum()]


def share_interval(hits: int, size: int) -> tuple[float, float]:
    """95 % interval of a share of ``hits`` among ``size`` independent rows; (0, 1) where there is no row.

    Score interval: Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212.
    """
    if not size:
        return 0.0, 1.0
    rate, spread = hits / size, Z * Z / size
    centre = (rate + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * sqrt(rate * (1 - rate) / size + spread / (4 * size))
    return max(0.0, centre - half), min(1.0, centre + half)


def classes_of(score: ArrayLike, cuts: Sequence[float] = (0.5, 0.8, 0.95)) -> Ints:
    """0 for the lowest class and one more for each cut that a row lies above; cuts are shares of the rows (quantiles).

    A row on a cut stays below it, so equal scores are always of one class. Raises FrameError as :func:`scores_of`.
    """
    values = scores_of(score)
    found: Ints = np.searchsorted(np.quantile(values, list(cuts)), values, side="left").astype(np.int64)
    return found


def _places(size: int, share: float) -> int:
    return int(np.floor(size * share))


def _share(part: float, whole: float) -> float | None:
    # Sums of days are whole numbers up to rounding: less than that is no span at all.
    return None if abs(whole) < 1e-9 else float(part / whole)


def _whole(days: ArrayLike, size: int, name: str) -> Ints:
    found = np.asarray(days)
    if found.shape != (size,) or not np.issubdtype(found.dtype, np.integer):
        raise FrameError(f"`{name}` has the shape {found.shape} and type {found.dtype}. Give {size} whole days.")
    return found.astype(np.int64)
