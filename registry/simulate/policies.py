"""The policies that are compared: whom each visits in a month, out of what an office knows on its first day. Pure.

All have the same number of visits and the same caps. What differs is the order, and whether a part is left to the lot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from registry.kinds.codes import Label
from registry.sample.latent import Flags, Floats, Ints

# Part of a list that is drawn by lot from all others, in the two policies that go by class.
SLICE = 0.2
_NOBODY: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What is known on the day of a list: arrays with one place for each entity.

    pool : can be visited, and was visited less often this year than the annual cap allows
    fresh : of these, who was not visited too lately, nor too often this year, for his class
    rank : place of the class from the best, 0 …; -1 without one
    score, chance : by the scheme, and by the model in millionths (0 without one)
    found : violations that checks on record found there
    cell_found : violations that they found in the same trade of the same division
    lot : a number from 0 to 1 drawn for each entity this month, the same whatever the policy
    """

    pool: Flags
    fresh: Flags
    rank: Ints
    score: Ints
    chance: Ints
    found: Ints
    cell_found: Ints
    lot: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Whom a list names: places of entities, ``by_order`` those that its order put there (for certain), ``by_lot`` the others.

    ``inclusion`` is the probability with which the lot chose each of the latter, ``stratum`` the class in which it did (0 where
    it did not look at classes).
    """

    by_order: Ints
    by_lot: Ints
    inclusion: Floats
    stratum: Ints

    @property
    def everybody(self) -> Ints:
        return np.concatenate([self.by_order, self.by_lot])


Choose = Callable[[Standing, int, Mapping[int, int]], Chosen]


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to spend visits. ``scored``: whether it needs a model."""

    name: str
    title: Label
    choose: Choose
    scored: bool = False


def by_lot(standing: Standing, size: int, ratios: Mapping[int, int]) -> Chosen:
    """Everybody has the same chance."""
    return Chosen(_NOBODY, *_drawn(standing.lot, np.flatnonzero(standing.pool), size))


def by_ratio(standing: Standing, size: int, ratios: Mapping[int, int]) -> Chosen:
    """A fixed share of each class, by lot within it: ``ratios`` has visits a year per 10,000 entities, by rank.

    The visits there are go to the classes in proportion to what their ratios ask for, by largest remainder; what a class has no
    room for goes to the worst that has.
    """
    ranks = sorted(ratios)
    inside = [np.flatnonzero(standing.fresh & (standing.rank == rank)) for rank in ranks]
    held = [int((standing.pool & (standing.rank == rank)).sum()) for rank in ranks]
    asked = np.array([ratios[rank] * count for rank, count in zip(ranks, held, strict=True)], np.float64)
    sizes = shares(size, asked)
    room = np.array([one.size for one in inside])
    sizes, left = np.minimum(sizes, room), int(np.maximum(sizes - room, 0).sum())
    for place in reversed(range(len(ranks))):
        more = min(left, int(room[place] - sizes[place]))
        sizes[place] += more
        left -= more
    drawn = [_drawn(standing.lot, one, int(number)) for one, number in zip(inside, sizes, strict=True)]
    who = np.concatenate([one for one, _, _ in drawn])
    return Chosen(_NOBODY, who, np.concatenate([chance for _, chance, _ in drawn]), standing.rank[who])


def by_class(standing: Standing, size: int, ratios: Mapping[int, int]) -> Chosen:
    """The worst class first and inside it the worst score; a slice of all others by lot."""
    return _with_slice(standing, size, (standing.score, standing.rank))


def by_class_and_model(standing: Standing, size: int, ratios: Mapping[int, int]) -> Chosen:
    """The worst class first and inside it the greatest chance by the model, then the worst score; a slice of all others by lot."""
    return _with_slice(standing, size, (standing.score, standing.chance, standing.rank))


def where_found(standing: Standing, size: int, ratios: Mapping[int, int]) -> Chosen:
    """Back to where checks found something: to whom they caught most often, then to trades and divisions in which they caught most.

    No slice: what was never looked at is never looked at. This is the self-reinforcing policy that the others are held against.
    """
    return Chosen(_first(standing, size, (standing.cell_found, standing.found)), _NOBODY, np.zeros(0), _NOBODY)


POLICIES: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy("random", Label("纯随机", "random"), by_lot),
        Policy("ratio", Label("按类定比例", "fixed ratio by class"), by_ratio),
        Policy("class", Label("分类导向", "class-driven"), by_class),
        Policy("class+model", Label("分类加模型", "class + model"), by_class_and_model, scored=True),
        Policy("greedy", Label("只查老问题", "greedy, no random slice"), where_found),
    )
}


def shares(size: int, asked: Floats) -> Ints:
    """``size`` split in proportion to ``asked``, by largest remainder (ties: the earlier place); nothing where nothing is asked."""
    if asked.sum() <= 0:
        return np.zeros(len(asked), np.int64)
    exact = size * asked / asked.sum()
    whole: Ints = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: size - int(whole.sum())]] += 1
    return whole


def slice_of(size: int) -> int:
    """How many of ``size`` visits are left to the lot: a fifth, rounded, and at least one."""
    return max(1, round(SLICE * size))


def _with_slice(standing: Standing, size: int, keys: tuple[Ints, ...]) -> Chosen:
    random = slice_of(size)
    first = _first(standing, size - random, keys)
    others = standing.pool.copy()
    others[first] = False
    return Chosen(first, *_drawn(standing.lot, np.flatnonzero(others), random))


def _first(standing: Standing, size: int, keys: tuple[Ints, ...]) -> Ints:
    """The places of the ``size`` greatest by the last key, then the one before it …; equals in the order of the lot."""
    among = np.flatnonzero(standing.fresh)
    order = np.lexsort((standing.lot[among], *(-key[among] for key in keys)))
    chosen: Ints = among[order[:size]]
    return chosen


def _drawn(lot: Floats, among: Ints, size: int) -> tuple[Ints, Floats, Ints]:
    """A simple random sample without replacement, the probability that each had, and one stratum for all."""
    size = min(size, among.size)
    chosen = among[np.argsort(lot[among], kind="stable")[:size]]
    return np.sort(chosen), np.full(size, size / among.size if among.size else 0.0), np.zeros(size, np.int64)
