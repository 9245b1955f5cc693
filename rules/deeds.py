"""Deeds of an entity and the questions about them: what the class would be on a day, some facts being gone, ended or added.

Each set of actions is graded by the engine itself, as an entity of its own beside the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from rules.engine import evaluate
from rules.given import Given
from rules.indicators import deadlines
from rules.scheme import Scheme
from rules.slices import FACTS, OPEN, POPULATION, Ints


@dataclass(frozen=True, slots=True)
class Added:
    """A fact that an action adds, on the day of the action; ``ends`` None: open."""

    kind: int
    code: int = 0
    severity: int = 0
    amount: int = 0
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One deed. ``day`` is the first day on which it can be done, and on which its effect is taken to begin.

    removes : ledger numbers whose facts count no more
    ends : ledger numbers whose facts end on the day
    extends : ledger numbers whose facts have no end any more
    adds : facts that come on the day; the same fact added by two actions counts once
    about : of several actions about the same matter at most one is taken
    needs : matters of which one action each must be taken as well
    """

    id: str
    zh: str
    en: str
    day: int
    about: str
    removes: frozenset[int] = frozenset()
    ends: frozenset[int] = frozenset()
    extends: frozenset[int] = frozenset()
    adds: tuple[Added, ...] = ()
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """Which class an entity would have on a day, these actions being done."""

    actions: tuple[Action, ...]
    day: int


@dataclass(frozen=True, slots=True)
class Answer:
    place: int  # 0 is the best class; -1: not graded
    score: int
    next_day: int


@dataclass(slots=True)
class World:
    """One entity with all that the engine reads of it."""

    population: pl.DataFrame
    facts: pl.DataFrame
    coverage: pl.DataFrame
    scheme: Scheme
    given: Given

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Grade all questions in one call: each set of actions is an entity of its own, on as many days as are asked."""
        entities = {one: number for number, one in enumerate(dict.fromkeys(one.actions for one in questions))}
        rows = pl.DataFrame(
            {
                "entity": [entities[one.actions] for one in questions],
                "day": [one.day for one in questions],
                "subject": pl.repeat(self.population["subject"][0], len(questions), dtype=pl.String, eager=True),
                "division": pl.repeat(self.population["division"][0], len(questions), dtype=pl.String, eager=True),
            },
            schema=dict(POPULATION),
        )
        answers = [Answer(-1, 0, OPEN)] * len(questions)
        facts, given = self._facts(list(entities)), self._given(len(entities))
        for part in evaluate(rows, facts, self.coverage, self.scheme, given):
            found = (part.rows, part.judged.ledger[:, 0], part.judged.ledger[:, 1], part.next_day)
            for row, place, score, following in zip(*(one.tolist() for one in found), strict=True):
                answers[row] = Answer(place, score, following)
        return answers

    def _facts(self, sets: Sequence[tuple[Action, ...]]) -> pl.DataFrame:
        """The facts of every set of actions, under its number as entity."""
        actions = list(dict.fromkeys(action for one in sets for action in one))
        place = {action: at for at, action in enumerate(actions)}
        size, count = self.facts.height, len(sets)
        chosen = np.zeros((count, len(actions)), np.bool_)
        for number, one in enumerate(sets):
            chosen[number, [place[action] for action in one]] = True
        seqs = self.facts["seq"].to_numpy()
        kept = np.ones((count, size), np.bool_)
        ends = np.tile(self.facts["ends"].cast(pl.Int64).fill_null(OPEN).to_numpy(), (count, 1))
        for at, action in enumerate(actions):
            having = np.flatnonzero(chosen[:, at])
            if action.removes:
                kept[np.ix_(having, np.flatnonzero(np.isin(seqs, list(action.removes))))] = False
            if action.extends:
                ends[np.ix_(having, np.flatnonzero(np.isin(seqs, list(action.extends))))] = OPEN
            if action.ends:
                ending = np.ix_(having, np.flatnonzero(np.isin(seqs, list(action.ends))))
                ends[ending] = np.minimum(ends[ending], action.day)
        likes, index = np.nonzero(kept)
        left = self.facts[index].with_columns(
            pl.Series("entity", likes, dtype=pl.Int64), _or_open(ends[likes, index]).alias("ends")
        )
        added = self._added(sets)
        return pl.concat([left.select(FACTS.keys()), added]) if added.height else left.select(FACTS.keys())

    def _added(self, sets: Sequence[tuple[Action, ...]]) -> pl.DataFrame:
        highest = self.facts["seq"].max()
        following = (highest if isinstance(highest, int) else 0) + 1
        numbers: dict[tuple[Added, int], int] = {}
        rows: dict[tuple[int, int], tuple[object, ...]] = {}
        for entity, one in enumerate(sets):
            for action in one:
                for fact in action.adds:
                    seq = numbers.setdefault((fact, action.day), following + len(numbers))
                    row = (entity, fact.kind, fact.code, fact.severity, fact.amount, action.day, fact.ends, seq)
                    rows[entity, seq] = row
        return pl.DataFrame(list(rows.values()), schema=dict(FACTS), orient="row")

    def _given(self, count: int) -> Given:
        """What is given of the entity, given of everyone of its likes."""
        own = int(self.population["entity"][0])

        def spread(frame: pl.DataFrame) -> pl.DataFrame:
            mine = frame.filter(pl.col("entity") == own)
            if not mine.height:
                return frame.clear()
            likes = pl.DataFrame({"entity": range(count)}, schema={"entity": pl.Int64})
            return mine.drop("entity").join(likes, how="cross").select(frame.columns)

        beside = self.given
        if not (beside.context.height or beside.overrides.height or beside.raises.height):
            return beside
        return replace(
            beside, context=spread(beside.context), overrides=spread(beside.overrides), raises=spread(beside.raises)
        )


def last_day(scheme: Scheme, day: int, horizon: int) -> int:
    """The last day that is looked at: within the horizon, and before the scheme's cuts end."""
    ends = [one - 1 for one in scheme.boundaries if one > day and scheme.cuts.at(one) is None]
    return min([day + horizon, *ends])


def seeds(world: World, day: int, last: int) -> list[int]:
    """Days on which time may change something: every age that any indicator looks at, every end, deadline and boundary.

    Guesses only: too many do no harm, and one that is missing is found by whoever walks from one breakpoint to the next.
    """
    days: set[int] = set()
    kinds = world.facts["kind"].to_numpy()
    happened = world.facts["day"].to_numpy().astype(np.int64)
    ends = world.facts["ends"].drop_nulls().cast(pl.Int64).to_list()
    for kind, ages in _ages(world.scheme).items():
        if ages:
            days.update((happened[kinds == kind][:, None] + np.array(sorted(ages))).ravel().tolist())
    days.update(ends)
    for scheme in _with_inner(world.scheme):
        days.update(scheme.boundaries)
        for one in scheme.indicators.values():
            if one.measure == "expired" and one.ahead:
                days.update(end - one.ahead for end in ends)
            if one.measure == "missing_years":
                years = np.arange(day, last + 1, 365, dtype=np.int64)
                days.update(deadlines(years, *one.deadline)[1].tolist())
    for frame in (world.given.overrides, world.given.raises):
        for name in ("from_day", "until_day"):
            days.update(frame[name].to_list())
    days.update(happened.tolist())
    return sorted(one for one in days if day < one <= last)


def _ages(scheme: Scheme) -> Mapping[int, set[int]]:
    found: dict[int, set[int]] = {}
    for one in _with_inner(scheme):
        for indicator in one.indicators.values():
            ages = found.setdefault(indicator.kind, set())
            ages.update(indicator.edges)
            if indicator.window is not None:
                ages.add(indicator.window)
            if indicator.steps:
                ages.update(edge for span in one.steps[indicator.steps].spans for edge in span.value.edges)
    return found


def _with_inner(scheme: Scheme) -> Iterator[Scheme]:
    yield scheme
    for one in scheme.inner.values():
        yield from _with_inner(one)


def _or_open(days: Ints) -> pl.Series:
    never = pl.Series(days >= OPEN)
    return pl.Series("ends", np.where(days >= OPEN, 0, days).astype(np.int32)).set(never, None)
