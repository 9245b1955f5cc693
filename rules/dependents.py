"""Indicators that rest on more than facts of one kind: the frozen context, norms, other indicators, other schemes.

Each is as vectorised and as constant between stated days as those of :mod:`rules.indicators`. A context never moves by
itself, so only coverage, the newest registration, other indicators and inner grades give these any breakpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from rules.compiled import CompiledIndicator
from rules.coverage import Answer, Coverage
from rules.given import Given
from rules.indicators import Column, either
from rules.kinds import REGISTRATION
from rules.parts import Indicator
from rules.slices import Bools, Ints, Slice

_ABSENT = -(2**62)  # stands for "no value": no context holds a number of that size
# With it, a hundred thousand times any value still fits into 64 bits.
_MOST_COMPARED = 9 * 10**13
# With it, a million times any value and a prior of 10^15 still fit.
_MOST_SHARED = 9 * 10**12
# What is usual is told in thousandths, and of a hundred things for each check at most: with these limits nothing overflows.
_PER_MILLE, _MOST_USUAL, _MOST_COUNTED = 1000, 10**5, 4 * 10**9


@dataclass(slots=True)
class Frozen:
    """A context made ready for looking up many entities at once; a name is prepared when it is first asked for."""

    given: Given
    _values: dict[str, tuple[Ints, Ints]] = field(default_factory=dict)
    _norms: dict[str, tuple[Ints, Ints, Ints]] = field(default_factory=dict)

    def values(self, name: str, entities: Ints) -> Ints:
        """The value of each entity under ``name``; a number below every value where the context has none.

        Of two values of one entity the greater holds, so that the order of the frame never matters.
        """
        if name not in self._values:
            # Masks, not a filter of the frame: for a single entity that alone would cost as much as all its counting.
            own = (self.given.context["name"] == name).to_numpy()
            entity, value = (self.given.context[column].to_numpy()[own] for column in ("entity", "value"))
            self._values[name] = entity, value
        held, values = self._values[name]
        found = np.full(entities.size, _ABSENT, np.int64)
        if not held.size or not entities.size:
            return found
        low, high = int(held.min()), int(held.max())
        if high - low <= max(1024, 16 * entities.size):
            # Dense ids: a table from id to value beats any search.
            table = np.full(high - low + 1, _ABSENT, np.int64)
            np.maximum.at(table, held - low, values)
            inside = (entities >= low) & (entities <= high)
            if inside.all():
                return table[entities - low]
            found[inside] = table[entities[inside] - low]
            return found
        order = np.lexsort((values, held))
        held, values = held[order], values[order]
        place = np.maximum(np.searchsorted(held, entities, side="right") - 1, 0)
        return np.where(held[place] == entities, values[place], _ABSENT)

    def norms(self, name: str, codes: Ints) -> tuple[Ints, Bools]:
        """The norm under ``name`` for each industry code, in thousandths, and whether a range holds the code."""
        if name not in self._norms:
            own = (self.given.norms["name"] == name).to_numpy()
            columns = (self.given.norms[column].to_numpy()[own].astype(np.int64) for column in ("low", "high", "value"))
            lows, highs, values = columns
            order = np.argsort(lows, kind="stable")
            self._norms[name] = lows[order], highs[order], values[order]
        lows, highs, values = self._norms[name]
        if not lows.size:
            return np.zeros(codes.size, np.int64), np.zeros(codes.size, np.bool_)
        place = np.searchsorted(lows, codes, side="right") - 1
        known = (place >= 0) & (codes <= highs[place])
        return np.where(known, values[place], 0), known


@dataclass(slots=True)
class Inner:
    """How a scheme that another one reads grades the same rows. ``class_`` is a place, 0 the best, -1 where the scheme
    does not grade the row; the records it read are ``seqs[offsets[i]:offsets[i + 1]]``."""

    class_: Ints
    score: Ints
    next_day: Ints  # OPEN: time alone never changes the grade
    offsets: Ints
    seqs: Ints
    _pairs: tuple[Ints, Ints] | None = None

    def of(self, rows: Ints) -> Inner:
        """The same for some of the rows, in their order."""
        counts = self.offsets[rows + 1] - self.offsets[rows]
        offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
        at = np.repeat(self.offsets[rows] - offsets[:-1], counts) + np.arange(offsets[-1])
        return Inner(self.class_[rows], self.score[rows], self.next_day[rows], offsets, self.seqs[at])

    def pairs(self) -> tuple[Ints, Ints]:
        """Rows and record numbers of everything that was read; always the same object, so that it is counted once."""
        if self._pairs is None:
            self._pairs = np.repeat(np.arange(self.class_.size), np.diff(self.offsets)), self.seqs
        return self._pairs


@dataclass(slots=True)
class Beside:
    """What the indicators of one part may look at: its rows, their facts, coverage, context and inner grades."""

    entities: Ints
    days: Ints
    slices: dict[int, Slice]
    coverage: Coverage
    frozen: Frozen
    inner: Mapping[str, Inner]
    divisions: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # as integers; only where an indicator asks
    subject: int = 0  # place of the subject of these rows in `rules.kinds.SUBJECTS`
    columns: dict[str, Column] = field(default_factory=dict)  # of the indicators computed so far


def kinds_read(indicator: Indicator) -> set[int]:
    """Numbers of the kinds whose facts the indicator itself looks at (not those of indicators and schemes it reads)."""
    match indicator.measure:
        case "area" | "grade" | "matrix" | "ratio" | "subject":
            return set()
        case "norm" | "percent_of_norm":
            return {REGISTRATION}
        case "context":
            # Of other kinds only the coverage counts: whether anybody could have known.
            return {indicator.kind} & {REGISTRATION}
        case "missing_years":
            # Which reports were due depends on when the subject was established.
            return {indicator.kind, REGISTRATION}
        case _:
            return {indicator.kind}


def reads_context(indicator: Indicator) -> bool:
    """Whether the value of the indicator itself may change with the context."""
    return bool(indicator.usual) or indicator.measure in ("area", "context", "norm", "percent_of_norm")


def compute(one: CompiledIndicator, beside: Beside) -> Column:
    """The value of one indicator for every row; ``beside.columns`` must hold the indicators that it reads."""
    return MEASURES[one.indicator.measure](one, beside)


def _context(one: CompiledIndicator, beside: Beside) -> Column:
    indicator = one.indicator
    if indicator.of not in beside.frozen.given.names:
        return Column(np.zeros(beside.days.size, np.int64), False, [])
    values = beside.frozen.values(indicator.of, beside.entities)
    known: Answer = beside.coverage.covered(indicator.kind, None)
    has = values > _ABSENT
    if known is not True:
        known = either(known, has)
        registered = beside.slices.get(REGISTRATION) if indicator.kind == REGISTRATION else None
        if registered is not None:
            known = either(known, registered.rows_with(registered.chosen("", None)))
    return Column(np.where(has, values, 0), known, [])


def _norm(one: CompiledIndicator, beside: Beside) -> Column:
    return _norm_of(one.indicator.of, beside)


def _norm_of(name: str, beside: Beside) -> Column:
    """The norm for the industry of the newest registration."""
    norms, size = np.zeros(beside.days.size, np.int64), beside.days.size
    registered = beside.slices.get(REGISTRATION)
    if name not in beside.frozen.given.names or registered is None or not registered.row.size:
        return Column(norms, False, [])
    newest = registered.extreme(registered.chosen("", None), newest=True)
    rows = np.flatnonzero(newest >= 0)
    norms[rows], found = beside.frozen.norms(name, registered.column("code")[newest[rows]])
    known = np.zeros(size, np.bool_)
    known[rows] = found
    return Column(norms, bool(known[0]) if (known == known[0]).all() else known, [(REGISTRATION, newest[rows])])


def _area(one: CompiledIndicator, beside: Beside) -> Column:
    """The rate of the division in which the entity is."""
    values, found = beside.frozen.norms(one.indicator.of, beside.divisions)
    if one.indicator.of not in beside.frozen.given.names:
        found = np.zeros(values.size, np.bool_)
    return Column(values, bool(found[0]) if found.size and (found == found[0]).all() else found, [])


def _percent_of_norm(one: CompiledIndicator, beside: Beside) -> Column:
    indicator = one.indicator
    compared, norm = beside.columns[indicator.indicator], _norm_of(indicator.norm, beside)
    held = np.clip(compared.values, -_MOST_COMPARED, _MOST_COMPARED)
    percents = 100 * 1000 * held // np.maximum(norm.values, max(indicator.least, 1))
    # Another registration may mean another industry, and so another norm: it is a record behind the value.
    return Column(percents, _both(compared.known, norm.known), [*compared.reads, *norm.reads], compared.pairs)


def _ratio(one: CompiledIndicator, beside: Beside) -> Column:
    indicator = one.indicator
    counted, base = beside.columns[indicator.indicator], beside.columns[indicator.base]
    above, below = (np.clip(column.values, -_MOST_SHARED, _MOST_SHARED) for column in (counted, base))
    prior: Ints | int = indicator.prior
    if indicator.usual in beside.frozen.given.names:
        # One range holds every code: what is usual is the same everywhere.
        prior = beside.frozen.norms(indicator.usual, np.zeros(above.size, np.int64))[0]
    weighed = np.maximum(below + indicator.weight, 1)
    if indicator.usual:
        # Against what is usual, so that who was never seen stands at the scale itself, in whatever year he is asked about.
        prior = np.clip(prior, 1, _MOST_USUAL)
        above = np.clip(above, -_MOST_COUNTED, _MOST_COUNTED)
        values = indicator.scale * (_PER_MILLE * above + prior * indicator.weight) // (prior * weighed)
    else:
        values = (indicator.scale * above + prior * indicator.weight) // weighed
    known = _both(counted.known, base.known)
    return Column(values, known, [*counted.reads, *base.reads], [*counted.pairs, *base.pairs])


def _grade(one: CompiledIndicator, beside: Beside) -> Column:
    inner = beside.inner[one.indicator.scheme]
    graded = inner.class_ >= 0
    values = inner.class_ if one.indicator.of == "class" else inner.score
    known: Answer = bool(graded[0]) if (graded == graded[0]).all() else graded
    return Column(np.where(graded, values, 0), known, [], [inner.pairs()])


def _matrix(one: CompiledIndicator, beside: Beside) -> Column:
    if one.matrix is None:
        raise ValueError(f"Indicator {one.indicator.id!r} was compiled without its matrix.")
    row, column = beside.columns[one.indicator.row], beside.columns[one.indicator.column]
    table = np.array(one.matrix.values, np.int64)
    down, across = (np.clip(axis.values, 0, most - 1) for axis, most in zip((row, column), table.shape, strict=True))
    # Where one of the two is all there is, it stands for both.
    values = np.where(column.known, table[down, across], row.values)
    return Column(values, row.known, [*row.reads, *column.reads], [*row.pairs, *column.pairs])


def _subject(one: CompiledIndicator, beside: Beside) -> Column:
    return Column(np.full(beside.days.size, beside.subject, np.int64), True, [])


def _both(one: Answer, other: Answer) -> Answer:
    if one is False or other is False:
        return False
    if one is True:
        return other
    return one if other is True else one & other


MEASURES: Mapping[str, Callable[[CompiledIndicator, Beside], Column]] = {
    "area": _area,
    "context": _context,
    "norm": _norm,
    "percent_of_norm": _percent_of_norm,
    "ratio": _ratio,
    "grade": _grade,
    "matrix": _matrix,
    "subject": _subject,
}
