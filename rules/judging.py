"""From indicators to points, caps, vetoes, score and class: the rule stage of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from rules import expressions
from rules.compiled import Compiled, CompiledRule
from rules.indicators import Column
from rules.kinds import DIRECTIONS
from rules.overrides import Held, Raised
from rules.parts import Cuts
from rules.receipt import CLAMP, MOST_POINTS, NO_DATA, NO_HIT, OVERRIDE
from rules.slices import Ints

if TYPE_CHECKING:
    from rules.scheme import Scheme

_MISS, _HIT, _UNKNOWN = 0, 1, 2
_FEW = 256  # rows up to which Python tuples are quicker than one array per rule


@dataclass(slots=True)
class Judged:
    """The outcome for every row of a part.

    ``ledger`` has the columns of :mod:`rules.receipt`: class, score, rules in order of id, group caps in order of the
    scheme, clamp, override (a raise stands there too). ``decided`` is a place in ``deciders``, -1 where points alone
    decided. ``raised`` are the rows whose class a raise has moved.
    """

    ledger: npt.NDArray[np.int32]
    decided: Ints
    deciders: tuple[str, ...]
    raised: Ints = field(default_factory=lambda: np.empty(0, np.int64))


def judge(
    scheme: Scheme,
    compiled: Compiled,
    columns: Mapping[str, Column],
    size: int,
    override: Held | None = None,
    raised: Raised | None = None,
) -> Judged:
    """Points of every rule, group caps, clamp, caps, vetoes, what persons have set and raises, in this order.

    The rows sum to the score exactly.
    """
    rules, groups = len(scheme.rules), len(scheme.groups)
    ledger = np.full((size, 2 + rules + groups + 2), NO_HIT, np.int32)
    outcome = _outcomes(compiled, columns, size)
    sums = np.zeros((groups, size), np.int64)
    others: list[tuple[CompiledRule, Ints]] = []
    for place, one in enumerate(compiled.rules):
        hits = np.flatnonzero(outcome[place] == _HIT)
        unknown = np.flatnonzero(outcome[place] == _UNKNOWN)
        if one.rule.points is None:
            others.append((one, hits))
        elif hits.size:
            hits, points, lacking = points_given(one, columns, hits)
            unknown = np.concatenate((unknown, lacking)) if lacking.size else unknown
            ledger[hits, 2 + one.index] = points
            sums[one.group, hits] += points
        if unknown.size:
            ledger[unknown, 2 + one.index] = NO_DATA
    score = np.full(size, scheme.base, np.int64)
    for place, group in enumerate(scheme.groups.values()):
        cut = np.zeros(size, np.int64) if group.highest is None else np.minimum(group.highest - sums[place], 0)
        ledger[:, 2 + rules + place] = cut
        score += sums[place] + cut
    clamped = np.clip(score, scheme.lowest, scheme.highest)
    ledger[:, CLAMP] = clamped - score
    class_, score, decided, deciders = _hold(scheme, compiled.cuts, others, clamped, ledger)
    caps = sum(label.startswith("cap:") for label in deciders)
    if override is not None:
        deciders += _set(scheme, compiled.cuts, override, class_, score, decided, ledger, len(deciders))
    moved = np.empty(0, np.int64)
    if raised is not None:
        # Where a veto or a person has decided, its place lies behind those of the caps: nothing is raised there.
        moved = np.flatnonzero((raised.seq >= 0) & (decided < caps) & (class_ < len(compiled.cuts.classes) - 1))
        deciders += _raise(scheme, compiled.cuts, raised.seq, moved, class_, score, decided, ledger, len(deciders))
    ledger[:, 0] = class_
    ledger[:, 1] = score
    return Judged(ledger, decided, deciders, moved)


def class_of(scheme: Scheme, cuts: Cuts, score: Ints) -> Ints:
    """Place of the class of each score among the classes, 0 for the best."""
    highest = np.array(cuts.highest)
    if scheme.direction == DIRECTIONS[0]:
        return np.searchsorted(highest, score, side="left")
    return highest.size - 1 - np.searchsorted(highest[::-1], score, side="left")


def entry(scheme: Scheme, cuts: Cuts, place: int) -> int:
    """The score of a class that lies nearest to the better classes: where a veto moves to."""
    if scheme.direction == DIRECTIONS[0]:
        return cuts.highest[place - 1] + 1 if place else scheme.lowest
    return cuts.highest[place]


def scores_of(scheme: Scheme, cuts: Cuts) -> tuple[Ints, Ints]:
    """The lowest and the highest score of each class, classes from the best."""
    highest = np.array(cuts.highest, np.int64)
    if scheme.direction == DIRECTIONS[0]:
        return np.concatenate(([scheme.lowest], highest[:-1] + 1)), highest
    return np.concatenate((highest[1:] + 1, [scheme.lowest])), highest


def _outcomes(compiled: Compiled, columns: Mapping[str, Column], size: int) -> npt.NDArray[np.int8]:
    """For each rule and row whether the condition holds, does not, or cannot be decided."""
    outcome = np.zeros((len(compiled.rules), size), np.int8)
    if not compiled.rules or not size:
        return outcome
    answers = pl.DataFrame([series(name, column, size) for name, column in columns.items()]).select(
        compiled.expressions
    )
    if size <= _FEW:
        coded = {None: _UNKNOWN, True: _HIT, False: _MISS}
        for at, row in enumerate(answers.iter_rows()):
            outcome[:, at] = [coded[answer] for answer in row]
        return outcome
    for place, answer in enumerate(answers):
        if answer.null_count():
            outcome[place] = answer.cast(pl.Int8).fill_null(_UNKNOWN).to_numpy()
        else:
            outcome[place] = answer.to_numpy()
    return outcome


def series(name: str, column: Column, size: int) -> pl.Series:
    """An indicator as conditions see it: null where it is unknown."""
    if column.known is True:
        return pl.Series(name, column.values)
    if column.known is False:
        return pl.repeat(None, size, dtype=pl.Int64, eager=True).alias(name)
    return pl.Series(name, column.values).set(pl.Series(~column.known), None)


def points_given(one: CompiledRule, columns: Mapping[str, Column], hits: Ints) -> tuple[Ints, Ints, Ints]:
    """Rows that get points, their points, and rows whose points need an indicator that is unknown."""
    lacking: Ints = hits[:0]
    for name in one.inputs:
        known = columns[name].known
        if known is not True:
            has = known[hits] if known is not False else np.zeros(hits.size, np.bool_)
            lacking = np.concatenate((lacking, hits[~has]))
            hits = hits[has]
    values: dict[str, Ints | int] = dict(one.constants)
    values.update((name, columns[name].values[hits]) for name in one.inputs)
    if one.rule.points is None:
        raise ValueError(f"Rule {one.rule.id!r} has no points expression.")
    points = np.asarray(expressions.evaluate(one.rule.points, values), np.int64)
    return hits, np.clip(np.broadcast_to(points, hits.shape), -MOST_POINTS, MOST_POINTS), lacking


def _hold(
    scheme: Scheme,
    cuts: Cuts,
    others: list[tuple[CompiledRule, Ints]],
    score: Ints,
    ledger: npt.NDArray[np.int32],
) -> tuple[Ints, Ints, Ints, tuple[str, ...]]:
    """Apply caps, then vetoes, the strictest first; what each moves is its row, and later ones find nothing to do."""
    decided = np.full(score.size, -1, np.int64)
    deciders: list[str] = []
    class_ = class_of(scheme, cuts, score)
    caps = [(one.constants["at_most"], one.rule.id, one, hits) for one, hits in others if one.rule.effect == "cap"]
    for at_most, id_, one, hits in sorted(caps, key=lambda cap: cap[:2]):
        moved = np.minimum(at_most - score[hits], 0)
        score[hits] += moved
        ledger[hits, 2 + one.index] = moved
        after = class_of(scheme, cuts, score[hits])
        decided[hits[after != class_[hits]]] = len(deciders)
        class_[hits] = after
        deciders.append(f"cap:{id_}")
    vetoes = [(-cuts.classes.index(str(one.rule.target)), one.rule.id, one, hits) for one, hits in others
              if one.rule.effect == "veto"]  # fmt: skip
    free = np.ones(score.size, np.bool_)
    for minus_place, id_, one, hits in sorted(vetoes, key=lambda veto: veto[:2]):
        goal = entry(scheme, cuts, -minus_place)
        away = goal - score[hits]
        moved = np.maximum(away, 0) if scheme.direction == DIRECTIONS[0] else np.minimum(away, 0)
        score[hits] += moved
        ledger[hits, 2 + one.index] = moved
        class_[hits] = class_of(scheme, cuts, score[hits])
        # Of several vetoes the strictest is named; where points were worse than the veto, points decided.
        sets = hits[free[hits] & (class_[hits] == -minus_place)]
        decided[sets] = len(deciders)
        free[hits] = False
        deciders.append(f"veto:{id_}")
    return class_, score, decided, tuple(deciders)


def _set(
    scheme: Scheme,
    cuts: Cuts,
    override: Held,
    class_: Ints,
    score: Ints,
    decided: Ints,
    ledger: npt.NDArray[np.int32],
    first: int,
) -> tuple[str, ...]:
    """Move each score that a person has decided about to the nearest score of the class that was set.

    Writes into the arrays; returns the deciders, of which ``first`` already stand before. What a person has set is
    named even where the rules would have said the same.
    """
    rows = np.flatnonzero(override.place >= 0)
    place = override.place[rows]
    low, high = scores_of(scheme, cuts)
    moved = np.clip(score[rows], low[place], high[place])
    ledger[rows, OVERRIDE] = moved - score[rows]
    score[rows], class_[rows] = moved, place
    seqs, number = np.unique(override.seq[rows], return_inverse=True)
    decided[rows] = first + number
    return tuple(f"override:{seq}" for seq in seqs.tolist())


def _raise(
    scheme: Scheme,
    cuts: Cuts,
    raised: Ints,
    rows: Ints,
    class_: Ints,
    score: Ints,
    decided: Ints,
    ledger: npt.NDArray[np.int32],
    first: int,
) -> tuple[str, ...]:
    """Move each score of ``rows`` to where the next worse class begins; otherwise as :func:`_set`."""
    entries = np.array([entry(scheme, cuts, place) for place in range(len(cuts.classes))], np.int64)
    class_[rows] += 1
    goal = entries[class_[rows]]
    ledger[rows, OVERRIDE] = goal - score[rows]
    score[rows] = goal
    seqs, number = np.unique(raised[rows], return_inverse=True)
    decided[rows] = first + number
    return tuple(f"raise:{seq}" for seq in seqs.tolist())
