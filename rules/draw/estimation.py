"""Failure rates of each class 分类问题发现率 from what a lot chose: draws within strata, and lists with a random slice.

``estimate(visits, strata, classes) -> list[ClassRate]``: arrays in, one row for each class and one for everybody out.

A stratum is a part from which a fixed number was drawn without replacement: each stratum of a draw; the random slice 随机切片 of a list;
and the prioritised part of a list, all of which is visited (so it is a stratum of which everybody was drawn). Where strata are
known to be of one class, or how many of a class they hold, say so: intervals are narrower for it. ``rules.model.rates`` is for
checks of which only the probability is known.

The rate is the sum over strata of entities times share that failed (Cochran, Sampling Techniques, 3rd ed., Wiley 1977, chapter 5; 5A.14 for
a class that cuts across strata). Who was not met is made up for by those of the same stratum and class who were. Intervals are not built on a
variance, which few visits cannot show: every share gets an interval of its own (Jeffreys'; Brown, Cai & DasGupta, Statistical
Science 16 (2001) 101-133) on the number of visits that would tell as much without the correction for finite populations, and these are
put together by recovering from each end its own distance (MOVER; Zou & Donner, Statistics in Medicine 27 (2008) 1693-1702). A stratum of
one visit so contributes nearly all that is possible, and one of which all were met contributes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rules.errors import FrameError
from rules.model.rates import LEAST_BY_LOT
from rules.slices import Bools, Ints

Floats = npt.NDArray[np.float64]
_TAIL = 0.025
_HALVINGS = 20
# Of a share from 0 to 1: what is below is rounding.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Visits that a lot or the order of a list chose, as arrays of one length; none may be left out, not even who was not met.

    Attributes
    ----------
    stratum : place in ``Strata.sizes``
    group : place of its class when it was drawn, 0 … classes − 1; −1 without a class
    failed : 0 or 1; read only where ``answered``
    answered : False where nobody was met, or the visit was dropped
    """

    stratum: Ints
    group: Ints
    failed: Ints
    answered: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """What was drawn from.

    Attributes
    ----------
    sizes : entities of each stratum, visited or not
    holds : of shape (strata, classes), how many of each class it holds; −1 where that is not known
    """

    sizes: Ints
    holds: Ints


@dataclass(frozen=True, slots=True)
class ClassRate:
    """One class. Rates are shares from 0 to 1, intervals of 95 %.

    ``visits`` were chosen, ``answered`` of them met somebody, ``failures`` were found. ``size`` is how many entities of the class the
    lots chose from (estimated where not known), ``total`` how many failures visiting them all would have found. ``least`` and ``most``
    are the rate if nobody, or everybody, who was not met had failed. Without an answer ``rate`` and ``total`` are None. ``by_lot`` of the
    answers are of strata from which only some were drawn; ``certain`` says that others of the class were visited for certain, and
    ``covered`` that it lies in such strata alone.
    """

    visits: int
    answered: int
    failures: int
    size: float
    rate: float | None = None
    low: float = 0.0
    high: float = 1.0
    total: float | None = None
    total_low: float = 0.0
    total_high: float | None = None
    least: float = 0.0
    most: float = 1.0
    by_lot: int = 0
    certain: bool = False
    covered: bool = False

    @property
    def thin(self) -> bool:
        """Whether those who were visited for certain stand for nearly all that is known of the class: its rate is to be withheld."""
        return self.certain and not self.covered and self.by_lot < LEAST_BY_LOT


def estimate(visits: Visits, strata: Strata, classes: int) -> list[ClassRate]:
    """Rate and total of each class, and last of everybody (also of those without a class).

    Parameters
    ----------
    classes : how many there are

    Raises
    ------
    FrameError
        If arrays differ in length, a place is out of bounds, a stratum has more visits than entities, or holds fewer of a class than were
        visited.
    """
    _check(visits, strata, classes)
    drawn = np.bincount(visits.stratum, minlength=strata.sizes.size)
    inside = [visits.group == one for one in range(classes)]
    known = [strata.holds[:, one] for one in range(classes)]
    everybody = np.ones(visits.group.size, np.bool_)
    return [
        _rate(visits, strata.sizes, drawn, *one)
        for one in zip([*inside, everybody], [*known, strata.sizes], strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Something that is added up: its value, and the ends of its interval. By stratum."""

    value: Floats
    low: Floats
    high: Floats


def _rate(visits: Visits, sizes: Ints, drawn: Ints, inside: Bools, holds: Ints) -> ClassRate:
    strata = sizes.size
    met = inside & visits.answered
    chosen = np.bincount(visits.stratum[inside], minlength=strata)
    answered = np.bincount(visits.stratum[met], minlength=strata)
    failed = np.bincount(visits.stratum[met], visits.failed[met], strata).astype(np.float64)
    # Where everybody was visited, the visits say how many of the class there are.
    here = np.where(drawn == sizes, chosen, holds)
    is_known = here >= 0
    each = np.divide(sizes, drawn, out=np.zeros(strata), where=drawn > 0)
    size = np.where(is_known, here, each * chosen)
    counts = int(chosen.sum()), int(answered.sum()), int(failed.sum())
    partly = drawn < sizes
    by_lot = int(answered[partly].sum())
    certain, covered = bool(chosen[~partly].any()), bool((here[partly] == 0).all())
    if not counts[1]:
        return ClassRate(*counts, float(size.sum()), by_lot=by_lot, certain=certain, covered=covered)
    borrowed = _share(
        (size * np.divide(failed, answered, out=np.zeros(strata), where=answered > 0)).sum(), size[answered > 0].sum()
    )
    share = np.divide(failed, answered, out=np.full(strata, borrowed), where=answered > 0)
    fixed = _of_known_size(np.where(is_known, here, 0).astype(np.float64), share, failed, answered)
    open_ = ~is_known & (drawn > 0)
    failing = _of_unknown_size(open_, sizes, drawn, chosen, answered, share)
    passing = _of_unknown_size(open_, sizes, drawn, chosen, answered, 1 - share)
    people, total = float(size.sum()), float((size * share).sum())
    low, high = _ends(fixed, failing, passing, people, total)
    silent = float((size * np.divide(chosen - answered, chosen, out=np.zeros(strata), where=chosen > 0)).sum())
    found = float((size * np.divide(failed, chosen, out=np.zeros(strata), where=chosen > 0)).sum())
    # Strata of the class in which the lot met none of it: nothing is known of them either way.
    unseen = float(size[chosen == 0].sum())
    fewer = np.hypot(_distance(fixed.value - fixed.low), _distance(failing.value - failing.low))
    more = np.hypot(_distance(fixed.high - fixed.value), _distance(failing.high - failing.value))
    return ClassRate(
        *counts, people,
        rate=_share(total, people), low=low, high=high,
        total=total, total_low=max(total - float(fewer), float(counts[2])), total_high=total + float(more),
        least=_share(found, people), most=_share(found + silent + unseen, people),
        by_lot=by_lot, certain=certain, covered=covered,
    )  # fmt: skip


def _of_known_size(sizes: Floats, share: Floats, failed: Floats, answered: Ints) -> _Part:
    """Failures in each stratum of which the size is known: nothing is uncertain where all of it was met."""
    low, high = _interval(share, _as_of_many(answered, sizes))
    low = np.maximum(sizes * low, failed)
    high = np.minimum(sizes * high, sizes - (answered - failed))
    return _Part(sizes * share, np.minimum(low, sizes * share), np.maximum(high, sizes * share))


def _of_unknown_size(open_: Bools, sizes: Ints, drawn: Ints, chosen: Ints, answered: Ints, share: Floats) -> _Part:
    """Those of one outcome in each stratum of which only the drawn tell how many of the class there are."""
    part = np.divide(chosen, drawn, out=np.zeros(sizes.size), where=drawn > 0)
    # As many draws, and of them as many of the class, as would have been had only those been drawn who were met.
    told = np.where(chosen > 0, drawn * np.divide(answered, chosen, out=np.zeros(sizes.size), where=chosen > 0), drawn)
    low, high = _interval(part * share, _as_of_many(np.where(open_, told, 0), sizes))
    # Nobody of the class was met: of those drawn any number may be of this outcome.
    silent = (chosen > 0) & (answered == 0)
    high = np.where(silent, _interval(part, _as_of_many(drawn, sizes))[1], high)
    low = np.where(silent, 0.0, low)
    return _Part(*(np.where(open_, sizes * one, 0.0) for one in (part * share, low, high)))


def _ends(fixed: _Part, failing: _Part, passing: _Part, people: float, total: float) -> tuple[float, float]:
    """The rates that the parts allow. Where the number of people is uncertain, a rate is one at which failures are as many as it says."""

    def short(rate: float) -> float:
        off = [
            fixed.value - fixed.low,
            (1 - rate) * (failing.value - failing.low),
            rate * (passing.high - passing.value),
        ]
        return total - rate * people - _distance(np.concatenate(off))

    def beyond(rate: float) -> float:
        off = [
            fixed.high - fixed.value,
            (1 - rate) * (failing.high - failing.value),
            rate * (passing.value - passing.low),
        ]
        return total - rate * people + _distance(np.concatenate(off))

    if not (failing.high.any() or passing.high.any()):
        # Then neither depends on the rate but in its second term.
        return max(short(0.0) / people, 0.0), min(beyond(0.0) / people, 1.0)
    ends = []
    for at in (short, beyond):
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if at(middle) > 0 else (low, middle)
        ends.append(low if at is short else high)
    rate = _share(total, people)
    return min(ends[0], rate), max(ends[1], rate)


def _interval(share: Floats, many: Floats) -> tuple[Floats, Floats]:
    """Jeffreys' interval of each share on so many visits (infinitely many: no doubt is left; none: everything is possible)."""
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    counted = np.isfinite(many)
    number = np.where(counted, many, 1.0)
    hits = share * number
    low = np.where(share > _NOTHING, betaincinv(hits + 0.5, number - hits + 0.5, _TAIL), 0.0)
    high = np.where(share < 1 - _NOTHING, betaincinv(hits + 0.5, number - hits + 0.5, 1 - _TAIL), 1.0)
    low, high = np.where(number > 0, low, 0.0), np.where(number > 0, high, 1.0)
    return np.where(counted, low, share), np.where(counted, high, share)


def _as_of_many(met: npt.ArrayLike, sizes: npt.ArrayLike) -> Floats:
    """How many visits with replacement would tell as much: m (N − 1) / (N − m)."""
    of, there = np.asarray(met, np.float64), np.asarray(sizes, np.float64)
    many: Floats = np.full(of.size, np.inf)
    return np.divide(of * (there - 1), there - of, out=many, where=there - of > _NOTHING)


def _distance(parts: Floats) -> float:
    return float(np.sqrt(np.square(parts).sum()))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0


def _check(visits: Visits, strata: Strata, classes: int) -> None:
    length, number = visits.stratum.size, strata.sizes.size
    for name in ("stratum", "group", "failed", "answered"):
        if getattr(visits, name).shape != (length,):
            raise FrameError(
                f"`{name}` has the shape {getattr(visits, name).shape}, `stratum` has {(length,)}. Give one value for each visit."
            )
    if strata.holds.shape != (number, classes):
        raise FrameError(
            f"`holds` has the shape {strata.holds.shape} and must have {(number, classes)}: a row for each stratum, a column for each class. "
            "Give −1 where it is not known."
        )
    if length and not 0 <= visits.stratum.min() <= visits.stratum.max() < number:
        raise FrameError(f"`stratum` holds a place outside of 0 … {number - 1}. Give the size of every stratum.")
    if length and not -1 <= visits.group.min() <= visits.group.max() < classes:
        raise FrameError(f"`group` holds a place outside of −1 … {classes - 1}. Give −1 to visits without a class.")
    if not np.isin(visits.failed[visits.answered], (0, 1)).all():
        raise FrameError("`failed` holds an outcome that is neither 0 nor 1. Give 1 for a failure, 0 for none.")
    short = np.flatnonzero(np.bincount(visits.stratum, minlength=number) > strata.sizes)
    if short.size:
        raise FrameError(
            f"Stratum {short[0]} holds {strata.sizes[short[0]]} entities and more were visited. It is a draw without replacement: give each "
            "draw strata of its own."
        )
    for one in range(classes):
        seen = np.bincount(visits.stratum[visits.group == one], minlength=number)
        over = np.flatnonzero((strata.holds[:, one] >= 0) & (seen > strata.holds[:, one]))
        if over.size:
            raise FrameError(
                f"Stratum {over[0]} is said to hold {strata.holds[over[0], one]} of class {one}, and {seen[over[0]]} were visited. Give the number "
                "by the classes that held when it was drawn, or −1."
            )
