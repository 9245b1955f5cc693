"""The cheapest way down and the nearest way up: which deeds would give a better class, and what would give a worse one.

A deed is an :class:`~rules.deeds.Action`: it takes facts away, ends them or adds some, and there is a first day on which it can be done.
Sets of actions are graded by the engine itself, each as an entity of its own beside the others, so that a way that is
told is a way that the rules give.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise

import polars as pl

from rules.deeds import Action, Answer, Question, World, last_day, seeds
from rules.distance import Distance, distance
from rules.engine import evaluate
from rules.given import NOTHING, Given
from rules.kinds import DIRECTIONS
from rules.scheme import Scheme

# All sets of actions are tried up to so many: ten records with one action each are 1,024 sets.
MOST_SETS = 4096
# Sets of up to so many actions are tried at first, together: most ways are as short.
FIRST_SIZE = 2
MOST_WAYS = 3


@dataclass(frozen=True, slots=True)
class Way:
    """What ``actions`` (ids, in order) give on day ``on``, their last one being done; none of them: waiting alone."""

    actions: tuple[str, ...]
    on: int
    class_: str
    score: int


@dataclass(frozen=True, slots=True)
class Ways:
    """Where an entity stands on ``day``, and how it would get a better or a worse class. Days are integers.

    down : the ways to a better class, the cheapest first: fewest actions, then the earliest day; no action of a way can
        be left out. Empty where no set of actions leads there before waiting does.
    exact : whether every smaller set was tried, on every day on which some action can first be done
    waiting : the first day until ``horizon`` on which time alone gives a better class, if nothing new is recorded
    worse : points to the next worse class, as :class:`rules.distance.Distance` tells them
    up : single records that would give a worse class if they came today, the nearest class first, otherwise as given
    """

    day: int
    class_: str
    score: int
    down: tuple[Way, ...]
    exact: bool
    waiting: Way | None
    horizon: int
    worse: int | None
    up: tuple[Way, ...]


def ways(
    population: pl.DataFrame,
    facts: pl.DataFrame,
    coverage: pl.DataFrame,
    scheme: Scheme,
    given: Given = NOTHING,
    *,
    actions: Sequence[Action] = (),
    typical: Sequence[Action] = (),
    horizon: int = 1826,
    down: bool = True,
) -> Ways | None:
    """How the one entity of ``population`` would get a better class, and a worse one.

    Parameters
    ----------
    population : one row: the entity on the day from which on it acts; facts, coverage, given : as for the engine
    actions : what is in its power; those that could be done on the day, or were possible before, are done on the day
    typical : single records that may come, each as an action that adds them
    horizon : days after the day beyond which nothing is looked for
    down : look for a better class; without it only the way up is told

    Returns
    -------
    None where the scheme does not grade the entity on the day.
    """
    entity, day = (int(population[name][0]) for name in ("entity", "day"))
    last = last_day(scheme, day, horizon)
    possible = [replace(one, day=max(one.day, day)) for one in actions if one.day <= last] if down else []
    world = World(population, facts.filter(pl.col("entity") == entity), coverage, scheme, given)
    # What is done while persons hold the class, or it is raised, shows on the day on which that ends.
    own = (frame.filter(pl.col("entity") == entity)["until_day"] for frame in (given.overrides, given.raises))
    held = sorted({one for ends in own for one in ends.to_list() if day < one <= last})
    sets = _Sets(possible, held)
    most = FIRST_SIZE if sets.few else 1
    first = [one for size in range(1, most + 1) for one in sets.of_size(size)]
    days = [day, *seeds(world, day, last)] if down else [day]
    asked = [
        *(Question((), one) for one in days),
        *sets.questions(first, day),
        *(Question((one,), day) for one in typical),
    ]
    told = world.ask(asked)
    here = told[0]
    if here.place < 0:
        return None
    waiting = None
    if down and here.place:
        waiting = _wait(world, dict(zip(days, told, strict=False)), here.place, last)
    until = last + 1 if waiting is None else waiting.on
    found = list(zip(asked, told, strict=True))[len(days) : len(asked) - len(typical)]
    better, exact = _down(world, sets, found, here, day, until, most) if down and here.place else ([], True)
    came = zip(asked, told, strict=True) if typical else ()
    reached = [pair for pair in list(came)[len(asked) - len(typical) :] if pair[1].place > here.place]
    return Ways(
        day=day,
        class_=scheme.classes[here.place],
        score=here.score,
        down=tuple(better),
        exact=exact,
        waiting=waiting,
        horizon=last,
        worse=_here(world).worse,
        up=tuple(_way(scheme, one, answer) for one, answer in sorted(reached, key=lambda pair: pair[1].place)),
    )


@dataclass(slots=True)
class _Sets:
    """The sets of actions that may be taken together, smallest first."""

    actions: Sequence[Action]
    also: Sequence[int] = ()  # days on which all sets are asked about besides
    few: bool = field(init=False)  # few enough to try them all

    def __post_init__(self) -> None:
        matters: dict[str, int] = {}
        for one in self.actions:
            matters[one.about] = matters.get(one.about, 0) + 1
        count = 1
        for number in matters.values():
            count *= 1 + number
        self.few = count <= MOST_SETS

    def of_size(self, size: int) -> Iterator[tuple[Action, ...]]:
        return (one for one in combinations(self.actions, size) if self.allowed(one))

    def allowed(self, chosen: Collection[Action]) -> bool:
        matters = {one.about for one in chosen}
        return len(matters) == len(chosen) and all(one.needs <= matters for one in chosen)

    def questions(self, sets: Iterable[tuple[Action, ...]], day: int) -> list[Question]:
        """Each set on every day on which one of all actions can first be done, and on the days besides, from the day of its own
        last one on.

        An action may be needless where only time was wanting: the set without it is asked about on the same day.
        """
        days = sorted({day, *self.also, *(one.day for one in self.actions)})
        return [
            Question(one, on) for one in sets for on in days if on >= max((action.day for action in one), default=day)
        ]


def _down(
    world: World,
    sets: _Sets,
    found: list[tuple[Question, Answer]],
    here: Answer,
    day: int,
    until: int,
    tried: int,
) -> tuple[list[Way], bool]:
    """The cheapest ways to a better class before ``until``, and whether all smaller sets have been tried."""
    best = _best(world.scheme, found, here, until)
    if best:
        return best, True
    useful = [one for one in sets.actions if one.day < until]
    if sets.few:
        if len(useful) <= tried:
            return [], True
        rest = [one for size in range(tried + 1, len(useful) + 1) for one in _Sets(useful).of_size(size)]
        asked = [one for one in sets.questions(rest, day) if one.day < until]
        if not asked:
            return [], True
        return _best(world.scheme, list(zip(asked, world.ask(asked), strict=True)), here, until), True
    return _greedy(world, sets, found, here, until), False


def _best(scheme: Scheme, found: Sequence[tuple[Question, Answer]], here: Answer, until: int) -> list[Way]:
    """The first few of what was asked that gives a better class: fewest actions, then the earliest day, then the best."""
    good = [(one, answer) for one, answer in found if 0 <= answer.place < here.place and one.day < until]
    good.sort(key=lambda pair: (len(pair[0].actions), pair[0].day, pair[1].place, _ids(pair[0].actions)))
    chosen: list[Way] = []
    taken: list[frozenset[str]] = []
    for one, answer in good:
        ids = frozenset(_ids(one.actions))
        if not any(before <= ids for before in taken):
            taken.append(ids)
            chosen.append(_way(scheme, one, answer))
        if len(chosen) == MOST_WAYS:
            break
    return chosen


def _greedy(
    world: World,
    sets: _Sets,
    found: Sequence[tuple[Question, Answer]],
    here: Answer,
    until: int,
) -> list[Way]:
    """A way that is found by taking the actions in order of what each gives alone, then leaving out what is needless."""
    sign = 1 if world.scheme.direction == DIRECTIONS[0] else -1
    alone: dict[Action, int] = {}
    for question, answer in found:
        if len(question.actions) == 1:
            gain = sign * (here.score - answer.score)
            alone[question.actions[0]] = max(gain, alone.get(question.actions[0], gain))
    useful = [one for one in sets.actions if one.day < until]
    order = sorted(useful, key=lambda one: (-alone.get(one, 0), one.day, one.id))
    taken: list[Action] = []
    steps: list[tuple[Action, ...]] = []
    for one in order:
        closed = _with_needs(one, order, taken)
        if closed:
            taken += closed
            steps.append(tuple(taken))
    if not steps:
        return []
    asked = [_done(one) for one in steps]
    good = [one for one, answer in zip(asked, world.ask(asked), strict=True) if 0 <= answer.place < here.place]
    if not good:
        return []
    chosen, going_on = good[0].actions, True
    while going_on and len(chosen) > 1:
        shorter = [tuple(one for one in chosen if one is not gone) for gone in chosen]
        fewer = [_done(one) for one in shorter if sets.allowed(one)]
        answers = zip(fewer, world.ask(fewer), strict=True) if fewer else ()
        kept = [one.actions for one, answer in answers if 0 <= answer.place < here.place]
        going_on = bool(kept)
        chosen = kept[0] if kept else chosen
    return _best(world.scheme, [(_done(chosen), world.ask([_done(chosen)])[0])], here, until)


def _done(actions: tuple[Action, ...]) -> Question:
    """The actions on the day on which the last of them can be done."""
    return Question(actions, max(one.day for one in actions))


def _with_needs(one: Action, order: Sequence[Action], taken: Sequence[Action]) -> list[Action]:
    """The action and what it needs that has not been taken; empty where it was, or where a need cannot be met."""
    matters = {other.about for other in taken}
    if one.about in matters:
        return []
    found = [one]
    for need in sorted(one.needs - matters):
        answer = next((other for other in order if other.about == need and not other.needs), None)
        if answer is None:
            return []
        found.append(answer)
    return found


def _wait(world: World, known: dict[int, Answer], place: int, until: int) -> Way | None:
    """The first day until ``until``, that day included, on which the class is better by time alone.

    The days in ``known`` are guesses; from each the engine says how long nothing changes, and what lies between is asked
    about until no day is left that could have changed.
    """
    while True:
        days = sorted(known)
        goal = next((one for one in days if 0 <= known[one].place < place), None)
        before = [one for one in days if goal is None or one <= goal]
        edges = [*before, until + 1] if goal is None else before
        gaps = {known[one].next_day for one, following in pairwise(edges) if known[one].next_day < following}
        if not gaps:
            if goal is None:
                return None
            return _way(world.scheme, Question((), goal), known[goal])
        asked = sorted(gaps)
        known.update(zip(asked, world.ask([Question((), one) for one in asked]), strict=True))


def _here(world: World) -> Distance:
    part = next(iter(evaluate(world.population, world.facts, world.coverage, world.scheme, world.given)))
    return distance(world.scheme, part, 0)


def _way(scheme: Scheme, question: Question, answer: Answer) -> Way:
    return Way(_ids(question.actions), question.day, scheme.classes[answer.place], answer.score)


def _ids(actions: Iterable[Action]) -> tuple[str, ...]:
    return tuple(one.id for one in sorted(actions, key=lambda one: (one.day, one.id)))
