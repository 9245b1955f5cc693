"""What a scheme turns on: who would change class if one rule were left out, or one number were a little other.

Nothing is graded again. One evaluation knows the points of every rule for every entity; from these the group caps, the
clamp, the caps and the vetoes are worked out anew for the few whom a change can touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from rules import conditions, expressions
from rules.compiled import CompiledRule
from rules.engine import Part
from rules.judging import class_of, entry, points_given, series
from rules.kinds import DIRECTIONS
from rules.parts import Cuts
from rules.receipt import NO_HIT, OVERRIDE
from rules.scheme import Scheme
from rules.slices import OPEN, Bools, Ints

# How far a parameter in points is moved, in percent of its value and at least one point; a cut, in percent of the scale.
PARAMETER_PERCENT, CUT_PERCENT = 10, 5


@dataclass(frozen=True, slots=True, order=True)
class Trial:
    """One change that was tried. ``what`` is ``rule`` (left out), ``parameter`` or ``cut``; ``percent`` is signed.

    ``rule`` is the rule's id, of a cut the two classes that it parts, as in ``B|C``; ``parameter`` is empty but for one.
    """

    what: str
    rule: str
    parameter: str
    percent: int


def trials(scheme: Scheme, part: Part) -> Iterator[tuple[Trial, int, int]]:
    """Every change that is tried on a part, with how many of its entities would get a worse and a better class.

    A parameter is tried where its unit is ``point`` and it gives points or holds the score: ± :data:`PARAMETER_PERCENT`,
    rounded, at least one point. A cut is moved by ± :data:`CUT_PERCENT` of the scale, as far as its neighbours leave room.
    Who has a class set by a person keeps it.
    """
    now = _Recount(scheme, part)
    for one in part.compiled.rules:
        yield Trial("rule", one.rule.id, "", -100), *now.without(one)
        for name in _points(one):
            for percent in (-PARAMETER_PERCENT, PARAMETER_PERCENT):
                constants = {**one.constants, name: moved(one.constants[name], percent)}
                yield Trial("parameter", one.rule.id, name, percent), *now.with_(one, constants, name)
    for border, name in enumerate(borders(scheme)):
        for percent in (-CUT_PERCENT, CUT_PERCENT):
            yield Trial("cut", name, "", percent), *now.cut(shifted(scheme, part.compiled.cuts, border, percent))


def moved(value: int, percent: int) -> int:
    """``value`` changed by so many percent of itself, rounded half up, and by at least one."""
    step = max((abs(value) * abs(percent) + 50) // 100, 1)
    return value + (step if percent > 0 else -step)


def shifted(scheme: Scheme, cuts: Cuts, border: int, percent: int) -> Cuts:
    """``cuts`` with the one between class ``border`` and the next moved by percent of the scale, kept in order."""
    highest = list(cuts.highest)
    step = (scheme.highest - scheme.lowest) * abs(percent) // 100
    at = cut_at(scheme, border)
    before, after = (at - 1, at + 1) if scheme.direction == DIRECTIONS[0] else (at + 1, at - 1)
    low = highest[before] + 1 if 0 <= before < len(highest) else scheme.lowest
    high = highest[after] - 1
    highest[at] = min(max(highest[at] + (step if percent > 0 else -step), low), high)
    return replace(cuts, highest=tuple(highest))


def cut_at(scheme: Scheme, border: int) -> int:
    """Place of the class whose highest score is the cut between class ``border`` and the next."""
    return border if scheme.direction == DIRECTIONS[0] else border + 1


def borders(scheme: Scheme) -> list[str]:
    """The cuts of a scheme by the two classes that each parts, from the best: ``A|B``, ``B|C``…"""
    return [f"{one}|{other}" for one, other in pairwise(scheme.classes)]


def _points(one: CompiledRule) -> list[str]:
    """Parameters of a rule that are points which it gives, or at which it holds the score."""
    if one.rule.effect == "cap":
        used = frozenset({"at_most"})
    else:
        used = expressions.names(one.rule.points) if one.rule.points is not None else frozenset()
    return sorted(name for name, span in one.parameters.items() if name in used and span.value.unit == "point")


class _Recount:
    """The rule stage of one part, taken apart so that one piece can be exchanged."""

    def __init__(self, scheme: Scheme, part: Part) -> None:
        self.scheme, self.part, self.cuts = scheme, part, part.compiled.cuts
        # By column, as it is read here: a row holds a hundred numbers, and one of them is asked for.
        ledger = self.ledger = np.asfortranarray(part.judged.ledger)
        size = ledger.shape[0]
        self.place = ledger[:, 0].astype(np.int64)
        self.limits = [OPEN if one.highest is None else one.highest for one in scheme.groups.values()]
        self.sums = np.zeros((len(self.limits), size), np.int64)
        self.ceiling = np.full(size, OPEN, np.int64)  # the strictest cap that hits
        self.worst = np.full(size, -1, np.int64)  # the class of the strictest veto that hits
        for one in part.compiled.rules:
            hits = self._hits(one)
            if one.rule.effect == "points":
                self.sums[one.group, hits] += ledger[hits, 2 + one.index]
            elif one.rule.effect == "cap":
                self.ceiling[hits] = np.minimum(self.ceiling[hits], one.constants["at_most"])
            else:
                self.worst[hits] = np.maximum(self.worst[hits], self._target(one))
        self.raw = np.full(size, scheme.base, np.int64)
        for at, limit in enumerate(self.limits):
            self.raw += np.minimum(self.sums[at], limit)
        # What a person has set stays, whatever the rules say.
        self.free: Bools = ledger[:, OVERRIDE] <= NO_HIT

    def without(self, one: CompiledRule) -> tuple[int, int]:
        """Who becomes worse, and who better, if the rule is left out."""
        ledger = self.ledger[:, 2 + one.index]
        rows = np.flatnonzero((ledger > NO_HIT) & (ledger != 0) & self.free)
        if one.rule.effect == "points":
            return self._counted(rows, self._raw(one, rows, -ledger[rows].astype(np.int64)))
        if one.rule.effect == "cap":
            return self._counted(rows, self.raw[rows], ceiling=self._ceiling(one, rows))
        worst = np.full(rows.size, -1, np.int64)
        for other in self._others(one, "veto"):
            hit = self._hit(other)[rows]
            worst[hit] = np.maximum(worst[hit], self._target(other))
        return self._counted(rows, self.raw[rows], worst=worst)

    def with_(self, one: CompiledRule, constants: Mapping[str, int], name: str) -> tuple[int, int]:
        """Who becomes worse, and who better, if the constant ``name`` of the rule has the value in ``constants``."""
        hits = self._hits(one)
        if name in conditions.names(one.rule.when):
            hits = self._would_hit(one, constants)
        if one.rule.effect == "cap":
            rows = np.flatnonzero((self._mask(hits) | self._hit(one)) & self.free)
            ceiling = self._ceiling(one, rows)
            held = self._mask(hits)[rows]
            ceiling[held] = np.minimum(ceiling[held], constants["at_most"])
            return self._counted(rows, self.raw[rows], ceiling=ceiling)
        change = np.zeros(self.place.size, np.int64)
        before = self._hits(one)
        change[before] -= self.ledger[before, 2 + one.index]
        hits, points, _ = points_given(replace(one, constants=constants), self.part.columns, hits)
        change[hits] += points
        rows = np.flatnonzero((change != 0) & self.free)
        return self._counted(rows, self._raw(one, rows, change[rows]))

    def cut(self, cuts: Cuts) -> tuple[int, int]:
        """Who becomes worse, and who better, under other cuts."""
        rows = np.flatnonzero(self.free)
        return self._counted(rows, self.raw[rows], cuts=cuts)

    def _counted(
        self,
        rows: Ints,
        raw: Ints,
        *,
        ceiling: Ints | None = None,
        worst: Ints | None = None,
        cuts: Cuts | None = None,
    ) -> tuple[int, int]:
        cuts = cuts or self.cuts
        score = np.clip(raw, self.scheme.lowest, self.scheme.highest)
        score = np.minimum(score, self.ceiling[rows] if ceiling is None else ceiling)
        worst = self.worst[rows] if worst is None else worst
        held = np.flatnonzero(worst >= 0)
        if held.size:
            goals = np.array([entry(self.scheme, cuts, place) for place in range(len(cuts.classes))])[worst[held]]
            harder = np.maximum if self.scheme.direction == DIRECTIONS[0] else np.minimum
            score[held] = harder(score[held], goals)
        away = class_of(self.scheme, cuts, score) - self.place[rows]
        return int(np.count_nonzero(away > 0)), int(np.count_nonzero(away < 0))

    def _raw(self, one: CompiledRule, rows: Ints, change: Ints) -> Ints:
        """The sum before the clamp, if the points of the rule change by so much."""
        limit, before = self.limits[one.group], self.sums[one.group, rows]
        raw: Ints = self.raw[rows] - np.minimum(before, limit) + np.minimum(before + change, limit)
        return raw

    def _ceiling(self, one: CompiledRule, rows: Ints) -> Ints:
        """The strictest cap of each row, the cap ``one`` left out."""
        ceiling = np.full(rows.size, OPEN, np.int64)
        for other in self._others(one, "cap"):
            hit = self._hit(other)[rows]
            ceiling[hit] = np.minimum(ceiling[hit], other.constants["at_most"])
        return ceiling

    def _others(self, one: CompiledRule, effect: str) -> list[CompiledRule]:
        return [other for other in self.part.compiled.rules if other is not one and other.rule.effect == effect]

    def _hit(self, one: CompiledRule) -> Bools:
        return self.ledger[:, 2 + one.index] > NO_HIT

    def _hits(self, one: CompiledRule) -> Ints:
        return np.flatnonzero(self._hit(one))

    def _mask(self, rows: Ints) -> Bools:
        mask = np.zeros(self.place.size, np.bool_)
        mask[rows] = True
        return mask

    def _target(self, one: CompiledRule) -> int:
        return self.cuts.classes.index(str(one.rule.target))

    def _would_hit(self, one: CompiledRule, constants: Mapping[str, int]) -> Ints:
        """Rows that the rule hits with other constants."""
        size, columns = self.place.size, self.part.columns
        names = sorted(conditions.names(one.rule.when) & set(columns))
        asked = pl.DataFrame([series(name, columns[name], size) for name in names])
        answer = asked.select(conditions.to_polars(one.rule.when, constants).alias("hit"))["hit"]
        return np.flatnonzero(answer.fill_null(value=False).to_numpy())
