"""What rates per class a policy's visits give: the plain share, the unbiased estimate of what the lot drew, and the truth.

The truth is what checks of everybody who could be visited would have found, month by month: outcomes exist for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from registry.clock import day_of
from registry.sample.latent import Flags, Floats, Ints
from registry.simulate.run import Month, Simulated, Track
from registry.simulate.world import District
from rules.model import rates as estimates
from rules.model.metrics import share_interval
from rules.model.rates import LEAST_BY_LOT, Drawn, Rate

# Strata of one month: what the order chose, and each class of what the lot did.
_PLACES = 16
# Visits by lot of a class from which on its estimate is given, as in the registry's own figures.
LEAST = LEAST_BY_LOT


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """The visits of a track as a draw of two parts a month, and everybody whom they stand for.

    drawn : the visits; ``failed`` is what they found
    everybody : class (−1: none) of every (month, entity) that could be visited, and ``fails`` what a check would have found
    """

    drawn: Drawn
    everybody: Ints
    fails: Flags


def sampled(track: Track) -> Sampled:
    """The visits of a policy with the probabilities by which they came about."""
    who = [month.chosen.everybody for month in track.months]
    ranks = [month.rank[one] for month, one in zip(track.months, who, strict=True)]
    strata, inclusion = zip(*(_strata(number, month) for number, month in enumerate(track.months)), strict=True)
    stratum, chance = np.concatenate(strata), np.concatenate(inclusion)
    # All of one stratum have one probability: how many of how many.
    checks = np.bincount(stratum, minlength=_PLACES * len(track.months))
    summed = np.bincount(stratum, 1 / chance, minlength=checks.size)
    drawn = Drawn(
        failed=np.concatenate([month.luck.fails[one] for month, one in zip(track.months, who, strict=True)]).astype(np.int64),
        inclusion=chance,
        group=np.concatenate(ranks),
        answered=np.ones(chance.size, np.bool_),
        stratum=stratum,
        sizes=np.rint(summed).astype(np.int64),
    )  # fmt: skip
    return Sampled(
        drawn,
        np.concatenate([month.rank[month.pool] for month in track.months]),
        np.concatenate([month.luck.fails[month.pool] for month in track.months]),
    )


def _strata(number: int, month: Month) -> tuple[Ints, Floats]:
    chosen = month.chosen
    stratum = np.concatenate([np.zeros(chosen.by_order.size, np.int64), 1 + chosen.stratum])
    return number * _PLACES + stratum, np.concatenate([np.ones(chosen.by_order.size), chosen.inclusion])


def truths(of: Sampled, classes: int) -> tuple[list[float | None], list[int]]:
    """The true rate of every class, last of all together, and how many (month, entity) each had; None where there was nobody."""
    return shares(of.everybody, of.fails, classes)


def shares(group: Ints, failed: Flags | Ints, classes: int) -> tuple[list[float | None], list[int]]:
    """The plain share of failures in every class, last in all of them together, and the numbers behind it."""
    inside = group >= 0
    size = np.bincount(group[inside], minlength=classes)
    hits = np.bincount(group[inside], np.asarray(failed, np.float64)[inside], minlength=classes)
    sizes, found = [*size.tolist(), int(size.sum())], [*hits.tolist(), float(hits.sum())]
    return [hit / count if count else None for hit, count in zip(found, sizes, strict=True)], sizes


def by_class(simulated: Simulated, track: Track) -> list[dict[str, Any]]:
    """One row for each class and one for ``all``: visits, found, naive rate with the interval that one would believe, truth, and the
    unbiased estimate with its interval, null where the lot drew fewer than `LEAST` of the class.

    Rates are shares from 0 to 1, intervals of 95 %.
    """
    names = [*simulated.classes, "all"]
    of = sampled(track)
    true, pairs = truths(of, len(simulated.classes))
    naive, visits = shares(of.drawn.group, of.drawn.failed, len(simulated.classes))
    estimated = _estimated(of.drawn, len(simulated.classes))
    rows = []
    for place, name in enumerate(names):
        found = round((naive[place] or 0.0) * visits[place])
        low, high = share_interval(found, visits[place])
        rate = estimated[place]
        rows.append(
            {
                "class": name, "entity_months": pairs[place], "visits": visits[place], "found": found,
                "naive": _round(naive[place]), "naive_low": _round(low), "naive_high": _round(high), "truth": _round(true[place]),
                "rate": None if rate is None else _round(rate.rate),
                "low": None if rate is None else _round(rate.low),
                "high": None if rate is None else _round(rate.high),
            }
        )  # fmt: skip
    return rows


def _estimated(drawn: Drawn, classes: int) -> list[Rate | None]:
    """The estimate of every class, last of all together; None where the lot drew fewer than `LEAST`."""
    lot = drawn.group[(drawn.inclusion < 1) & (drawn.group >= 0)]
    each = np.bincount(lot, minlength=classes)
    enough = [*(each >= LEAST).tolist(), bool(lot.size >= LEAST)]
    if not enough[-1]:
        return [None] * (classes + 1)
    return [rate if one else None for rate, one in zip(estimates.estimate(drawn, classes), enough, strict=True)]


def coverage(simulated: Simulated, name: str, seeds: int) -> list[dict[str, Any]]:
    """Of so many seeds, how many hold the truth of each class, and of all, in the interval of 95 %: ``naive`` and ``held`` (unbiased; of
    the ``given``, where the lot drew at least `LEAST` of the class).

    Lists and classes stay those of the policy ``name``: what it ordered is visited for certain. Outcomes of everybody, and whom the lot
    draws from all others, are drawn anew by each seed; then everything is estimated as :func:`by_class` does.
    """
    track, of, classes = simulated.tracks[name], simulated.of, len(simulated.classes)
    held = [_held(of, month) for month in track.months]
    chance = np.concatenate([one.chance for one in held])
    everybody = np.concatenate([one.rank for one in held])
    starts = np.concatenate(([0], np.cumsum([one.rank.size for one in held])))
    hits = np.zeros((3, classes + 1), np.int64)
    for seed in range(seeds):
        rng = of.stream("coverage", seed)
        fails = rng.random(chance.size, np.float32) < chance
        drawn = _again(rng, held, starts, everybody, fails)
        true, _ = shares(everybody, fails, classes)
        naive, visits = shares(drawn.group, drawn.failed, classes)
        for place, rate in enumerate(_estimated(drawn, classes)):
            believed = share_interval(round((naive[place] or 0.0) * visits[place]), visits[place])
            hits[0, place] += _within(true[place], *believed)
            if rate is not None:
                hits[1, place] += 1
                hits[2, place] += _within(true[place], rate.low, rate.high)
    names = [*simulated.classes, "all"]
    return [
        {
            "class": name,
            "seeds": seeds,
            "naive": int(hits[0, place]),
            "given": int(hits[1, place]),
            "held": int(hits[2, place]),
        }
        for place, name in enumerate(names)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """One month as every seed finds it: everybody in the pool, those chosen by order first."""

    chance: Floats
    rank: Ints
    ordered: int
    lot: int


def _held(of: District, month: Month) -> _Held:
    others = month.pool.copy()
    others[month.chosen.by_order] = False
    who = np.concatenate([month.chosen.by_order, np.flatnonzero(others)])
    return _Held(of.chance[who], month.rank[who], month.chosen.by_order.size, month.chosen.by_lot.size)


def _again(rng: np.random.Generator, held: list[_Held], starts: Ints, everybody: Ints, fails: Flags) -> Drawn:
    """The visits of another lot: in each month those ordered, and as many drawn from the others as there were."""
    who, stratum, inclusion, sizes = [], [], [], []
    for number, (month, start) in enumerate(zip(held, starts.tolist(), strict=False)):
        rest = month.rank.size - month.ordered
        lot = start + month.ordered + rng.choice(rest, month.lot, replace=False, shuffle=False)
        who += [np.arange(start, start + month.ordered), lot]
        stratum += [np.full(month.ordered, 2 * number), np.full(month.lot, 2 * number + 1)]
        inclusion += [np.ones(month.ordered), np.full(month.lot, month.lot / rest)]
        sizes += [month.ordered, rest]
    chosen = np.concatenate(who)
    return Drawn(
        failed=fails[chosen].astype(np.int64),
        inclusion=np.concatenate(inclusion),
        group=everybody[chosen],
        answered=np.ones(chosen.size, np.bool_),
        stratum=np.concatenate(stratum),
        sizes=np.array(sizes),
    )


def _within(true: float | None, low: float, high: float) -> bool:
    return true is not None and low - 1e-12 <= true <= high + 1e-12


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def month_names(simulated: Simulated) -> list[str]:
    """The simulated months, as 2026-01."""
    return [day_of(day).isoformat()[:7] for day in simulated.of.months[simulated.of.lead : -1]]
