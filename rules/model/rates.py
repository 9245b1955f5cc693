"""Failure rates that hold for everybody, though not everybody was inspected, and the suspicious more often than others.

A draw that keeps with every check the probability with which it chose it (its inclusion probability) lets each check stand for
as many entities as one over that probability. Two estimators follow. The total of Horvitz & Thompson (J. Am. Stat. Assoc. 47
(1952) 663-685) is unbiased whatever the draw looked at. The ratio of Hájek (in: Foundations of Statistical Inference, Holt,
Rinehart and Winston 1971, p. 236) divides it by the size that the same weights give: a rate even where the size is not known,
and steadier where failures and weights have nothing to do with each other.

Variances are those of Särndal, Swensson & Wretman, Model Assisted Survey Sampling (Springer 1992): chapter 3 (stratified draws
without replacement; each entity drawn on its own), chapter 5 (residuals of a ratio, also of a part of all) and chapter 15 (groups
that answer alike). Draws are independent of each other. Who had no chance to be drawn is no part of any estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rules.errors import FrameError
from rules.model.metrics import share_interval
from rules.model.rate_intervals import share_of_effective, total_interval
from rules.slices import Bools, Ints

Floats = npt.NDArray[np.float64]
MILLION = 1_000_000
# Of a class of which some are visited for certain, so many who were met must have been drawn by lot before a rate is given for all
# of it: those who are certain have no variance, and a lot that met hardly anybody else shows none either. A product default
# 产品默认值; docs/simulation.md has the trial.
LEAST_BY_LOT = 20
# Of a share from 0 to 1: what is below is rounding.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Checks that a draw chose, as arrays of one length.

    Attributes
    ----------
    failed : 0 or 1; read only where ``answered``
    inclusion : probability with which the draw chose it, above 0 and at most 1
    group : place of its class, 0 … groups − 1; −1 belongs to none and still tells of its stratum
    answered : False where nobody was met, so that nothing could be found
    stratum : place of its stratum, 0 … strata − 1, of a draw of a fixed number from each stratum without replacement; None where
        the draw is not known to be one. Entities then count as drawn each on its own, which allows for more chance than a
        draw of a fixed number has.
    sizes : how many entities each stratum holds; given with ``stratum``
    """

    failed: Ints
    inclusion: Floats
    group: Ints
    answered: Bools
    stratum: Ints | None = None
    sizes: Ints | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """What is known of one class. Rates are shares from 0 to 1, intervals are of 95 %, all None where there is no ground.

    ``checks`` were drawn, ``answered`` of them met somebody, ``failures`` were found. ``naive`` is the plain share of failures.
    ``rate`` is Hájek's ratio; ``total`` is how many failures there would have been had the draws checked everybody (Horvitz and
    Thompson), among an estimated ``size`` that the draws chose from. ``of_size`` is that total over the true size, where it was
    given. ``effective`` is how many checks of a simple draw would tell as much. ``response`` is the weighted share that answered, ``least`` and ``most`` the rate if all who did not answer were without, or with, a failure.
    """

    checks: int
    answered: int
    failures: int
    naive: float | None
    naive_low: float
    naive_high: float
    size: float
    response: float | None
    least: float
    most: float
    rate: float | None = None
    low: float = 0.0
    high: float = 1.0
    effective: float = 0.0
    total: float | None = None
    total_low: float | None = None
    total_high: float | None = None
    of_size: float | None = None
    of_size_low: float | None = None
    of_size_high: float | None = None


def estimate(drawn: Drawn, groups: int, sizes: Sequence[int] | None = None) -> list[Rate]:
    """The failure rate of each group, and last of all of them together.

    Who did not answer is made up for by those who did in the same stratum and group (a weighting class); where a weighting
    class has no answer, by the group, else by all. The variance counts the chance of answering as drawn, too.

    Parameters
    ----------
    groups : how many there are
    sizes : true number of entities in each group, where it is known; one draw is meant then

    Returns
    -------
    list of Rate
        One for each group in order, then that of everybody in a group.

    Raises
    ------
    FrameError
        If arrays differ in length, a probability is not above 0 and at most 1, or a stratum has fewer entities than checks.
    """
    _check(drawn, groups, sizes)
    each = [_group(drawn, drawn.group == one, None if sizes is None else sizes[one]) for one in range(groups)]
    return [*each, _group(drawn, drawn.group >= 0, None if sizes is None else sum(sizes))]


def evened(weights: Floats, cap: float) -> Floats:
    """Weights for training on checks, of mean 1 and none above ``cap``.

    A row that a few draws hardly ever choose would otherwise decide alone; what is cut off is the price in bias for less variance.

    Parameters
    ----------
    weights : one over the probability of the draw, above 0; not a number where no draw chose it, which counts as the mean of the others
    cap : most times the mean weight that a row may have, above 1
    """
    if not weights.size:
        return weights
    known = ~np.isnan(weights)
    filled = np.where(known, weights, weights[known].mean() if known.any() else 1.0)
    return _capped(filled / filled.mean(), cap)


def _capped(weights: Floats, cap: float) -> Floats:
    """Weights of mean 1 of which none is above ``cap``: what is cut off goes to the others in proportion."""
    over = np.zeros(weights.size, np.bool_)
    while (more := ~over & (weights > cap * (1 + _NOTHING))).any():
        over |= more
        weights = np.where(over, cap, weights)
        rest = weights[~over]
        weights[~over] = rest * ((weights.size - cap * over.sum()) / rest.sum())
    return weights


def _group(drawn: Drawn, inside: Bools, known: int | None) -> Rate:
    met = inside & drawn.answered
    failed = np.where(met, drawn.failed, 0).astype(np.float64)
    checks, answered, failures = int(inside.sum()), int(met.sum()), int(failed.sum())
    naive_low, naive_high = share_interval(failures, answered)
    weight = np.where(inside, 1 / drawn.inclusion, 0.0)
    size = float(weight.sum())
    least = float((weight * failed).sum() / size) if size else 0.0
    silent = float((weight * ~drawn.answered).sum() / size) if size else 1.0
    found = Rate(
        checks=checks, answered=answered, failures=failures,
        naive=failures / answered if answered else None, naive_low=naive_low, naive_high=naive_high,
        size=size, response=1 - silent if checks else None, least=least, most=min(least + silent, 1.0),
    )  # fmt: skip
    if not answered:
        return found
    mean, share = _weighting_classes(drawn, inside, met, weight, failed)
    # What each check adds once it also stands for those like it who did not answer.
    value = np.where(inside, mean + np.where(met, (failed - mean) / share, 0.0), 0.0)
    # The chance in who answers: drawing everybody would not take it away.
    unsettled = float((weight * np.where(met, (1 - share) / np.square(share) * np.square(failed - mean), 0.0)).sum())
    total = float((weight * mean).sum())
    rate = _settled(total / size)
    spread = (_variance(drawn, weight * (value - rate * inside), inside) + unsettled) / size**2
    represents = np.where(met, weight / share, 0.0)
    effective = _effective(rate, spread, _were_all_alike(drawn, represents))
    heaviest = float(represents.max())
    total_low, total_high = total_interval(total, _variance(drawn, weight * value, inside) + unsettled, heaviest)
    strata = 1 if drawn.stratum is None else np.unique(drawn.stratum[met]).size
    low, high = share_of_effective(rate, effective, answered, answered - strata)
    found = replace(
        found, rate=rate, low=low, high=high, effective=min(effective, size), total=total, total_low=total_low, total_high=total_high
    )  # fmt: skip
    if not known:
        return found
    return replace(
        found, of_size=total / known, of_size_low=min(total_low / known, 1.0), of_size_high=min(total_high / known, 1.0)
    )


def _weighting_classes(
    drawn: Drawn, inside: Bools, met: Bools, weight: Floats, failed: Floats
) -> tuple[Floats, Floats]:
    """Failure rate and share that answered in the weighting class of every check; (0, 1) outside the group."""
    place = np.zeros(inside.size, np.int64) if drawn.stratum is None else drawn.stratum
    strata = int(place.max()) + 1
    number = np.where(inside, drawn.group * strata + place, 0)
    cells = int(number.max()) + 1
    answers = np.bincount(number[met], minlength=cells)
    here = np.bincount(number[inside], minlength=cells) > 0
    into = np.arange(cells)
    for empty in np.flatnonzero(here & (answers == 0)).tolist():
        first = empty - empty % strata
        beside = answers[first : first + strata]
        into[empty] = first + int(beside.argmax()) if beside.any() else int(answers.argmax())
    number = into[number]
    drawn_weight = np.bincount(number, weight, cells)
    met_weight = np.bincount(number, weight * met, cells)
    has = met_weight > 0
    share = np.divide(met_weight, drawn_weight, out=np.ones(cells), where=has)
    mean = np.divide(np.bincount(number, weight * failed, cells), met_weight, out=np.zeros(cells), where=has)
    return np.where(inside, mean[number], 0.0), np.where(inside, np.minimum(share[number], 1.0), 1.0)


def _variance(drawn: Drawn, parts: Floats, inside: Bools) -> float:
    """Of the sum of what each check adds (0 outside the group, whose checks still say how many the draw had)."""
    if drawn.stratum is None or drawn.sizes is None:
        size = int(inside.sum())
        return float(((1 - drawn.inclusion) * np.square(parts)).sum()) * (size / (size - 1) if size > 1 else 1.0)
    strata = drawn.sizes.size
    checks = np.bincount(drawn.stratum, minlength=strata)
    sums = np.bincount(drawn.stratum, parts, strata)
    squares = np.bincount(drawn.stratum, np.square(parts), strata)
    several = checks > 1
    # One check shows no spread within its stratum; its own square is more than that, never less.
    around = np.where(several, squares - np.square(sums) / np.maximum(checks, 1), squares)
    spread = np.where(several, checks / np.maximum(checks - 1, 1), 1.0) * np.maximum(around, 0.0)
    return float(((1 - checks / np.maximum(drawn.sizes, 1)) * spread).sum())


def _were_all_alike(drawn: Drawn, represents: Floats) -> float:
    """The effective size by the weights alone (Kish): what is left to go by where all outcomes are the same."""
    seen = drawn.inclusion
    if drawn.stratum is not None and drawn.sizes is not None:
        seen = (np.bincount(drawn.stratum, minlength=drawn.sizes.size) / np.maximum(drawn.sizes, 1))[drawn.stratum]
    # Who answered stands also for those who did not, however surely he was drawn.
    drawn_weight = 1 / drawn.inclusion
    left = np.maximum(represents - drawn_weight * seen, 0.0) * represents
    doubt = float(left.sum() / represents.sum() ** 2)
    return 1 / doubt if doubt > _NOTHING else float("inf")


def _effective(rate: float, spread: float, by_weights: float) -> float:
    if 0 < rate < 1 and spread > _NOTHING * rate * (1 - rate):
        return rate * (1 - rate) / spread
    return by_weights


def _settled(rate: float) -> float:
    """A rate without the rounding that would make none of it a little, or all of it a little more."""
    return float(round(rate)) if min(abs(rate), abs(1 - rate)) < _NOTHING else min(max(rate, 0.0), 1.0)


def _check(drawn: Drawn, groups: int, sizes: Sequence[int] | None) -> None:
    length = drawn.failed.size
    columns = {"failed": drawn.failed, "inclusion": drawn.inclusion, "group": drawn.group, "answered": drawn.answered}
    if drawn.stratum is not None:
        columns["stratum"] = drawn.stratum
    for name, column in columns.items():
        if column.shape != (length,):
            raise FrameError(
                f"`{name}` has the shape {column.shape}, `failed` has {(length,)}. Give one value for each check."
            )
    if not ((drawn.inclusion > 0) & (drawn.inclusion <= 1)).all():
        raise FrameError(
            "`inclusion` holds a value that is no probability above 0 and at most 1. Leave out checks that no draw chose, "
            "and divide millionths by 1,000,000."
        )
    if length and not (drawn.group.min() >= -1 and drawn.group.max() < groups):
        raise FrameError(f"`group` holds a place outside of −1 … {groups - 1}. Give −1 to checks of no group.")
    if not np.isin(drawn.failed[drawn.answered], (0, 1)).all():
        raise FrameError("`failed` holds an outcome that is neither 0 nor 1. Give 1 for a failure, 0 for none.")
    if sizes is not None and len(sizes) != groups:
        raise FrameError(f"{len(sizes)} sizes were given for {groups} groups. Give one for each.")
    if drawn.stratum is None:
        return
    if drawn.sizes is None or (length and not 0 <= drawn.stratum.min() <= drawn.stratum.max() < drawn.sizes.size):
        raise FrameError("`stratum` names a stratum whose size is not in `sizes`. Give how many entities each holds.")
    short = np.flatnonzero(np.bincount(drawn.stratum, minlength=drawn.sizes.size) > drawn.sizes)
    if short.size:
        raise FrameError(
            f"Stratum {short[0]} holds {drawn.sizes[short[0]]} entities and more checks were drawn from it. A stratum is a draw "
            "without replacement: give each draw strata of its own."
        )
