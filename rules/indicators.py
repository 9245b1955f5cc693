"""One vectorised pass per indicator: facts and days in, one integer per row out, and which facts were read.

Every measure is of whole numbers and constant between the days that :mod:`rules.breakpoints` names. The forms are
those of docs/schemes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from rules.compiled import CompiledIndicator
from rules.coverage import Answer, Coverage
from rules.kinds import REGISTRATION
from rules.parts import Indicator
from rules.slices import OPEN, Bools, Ints, Slice

# Measures that look at the newest or the oldest fact, and so need the facts in order.
ORDERED = frozenset({"open_age", "age", "last", "lookup", "expired"})
# Of one amount in a load: with it, nine thousand facts at ten times their weight cannot overflow a 64-bit sum.
_MOST_WEIGHED = 10**12


@dataclass(slots=True)
class Column:
    """One indicator over all rows of a part: ``values``, where they are ``known``, and the facts behind them.

    ``pairs`` are (rows, record numbers) that were read otherwise than as facts: by the grade of another scheme.
    """

    values: Ints
    known: Answer
    reads: list[tuple[int, Ints]]  # (kind, positions in the slice of that kind)
    pairs: list[tuple[Ints, Ints]] = field(default_factory=list)


def reach(one: CompiledIndicator) -> int | None:
    """Days beyond which a fact no longer matters to the indicator; None for all time."""
    indicator = one.indicator
    if one.steps is None:
        return indicator.window
    last = one.steps.edges[-1]
    return last if indicator.window is None else min(last, indicator.window)


def compute(one: CompiledIndicator, slices: Mapping[int, Slice], coverage: Coverage, days: Ints) -> Column:
    """The value of one indicator of facts for every row of a part; the others are those of :mod:`rules.dependents`.

    Parameters
    ----------
    slices : facts by number of kind; a kind without any fact is absent
    days : day of each row
    """
    indicator = one.indicator
    if indicator.measure == "missing_years":
        return _missing_years(indicator, slices, coverage, days)
    held = slices.get(indicator.kind)
    if held is None or not held.row.size:
        empty = np.full(days.size, indicator.empty, np.int64)
        return Column(empty, coverage.covered(indicator.kind, reach(one)), [])
    chosen = held.chosen(indicator.where_text, reach(one))
    values, read = _MEASURES[indicator.measure](one, held, chosen)
    known: Answer = coverage.covered(indicator.kind, reach(one))
    if known is not True:
        # Whoever is registered is registered: the registration itself covers all it could say.
        every = held.chosen("", None) if indicator.kind == REGISTRATION else chosen
        known = either(known, held.rows_with(every))
    return Column(values, known, [(indicator.kind, read)])


def either(covered: Answer, found: Bools) -> Answer:
    """Covered, or known all the same because there is something."""
    return found if covered is False else covered | found


def _count(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    return np.bincount(held.row[chosen], minlength=held.size), chosen


def _sum(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    added = held.column(one.indicator.of)[chosen]
    total = np.zeros(held.size, np.int64)
    np.add.at(total, held.row[chosen], added)
    return total // one.indicator.per, chosen[added != 0]


def _max(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    compared = held.column(one.indicator.of)[chosen]
    greatest = np.zeros(held.size, np.int64)
    np.maximum.at(greatest, held.row[chosen], compared)
    return greatest, chosen[(compared > 0) & (compared == greatest[held.row[chosen]])]


def _load(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    if one.steps is None:
        raise ValueError(f"Indicator {one.indicator.id!r} was compiled without its step table.")
    edges, percents = np.array(one.steps.edges), np.array(one.steps.percents)
    weight = percents[np.searchsorted(edges, held.age[chosen], side="right") - 1]
    if one.indicator.of == "severity":
        weight = weight * held.column("severity")[chosen]
    elif one.indicator.of in ("amount", "harm"):
        weight = weight * np.clip(held.column("amount")[chosen], -_MOST_WEIGHED, _MOST_WEIGHED)
        if one.indicator.of == "harm":
            weight = weight * held.column("severity")[chosen]
    total = np.zeros(held.size, np.int64)
    np.add.at(total, held.row[chosen], weight)
    return total // one.indicator.per, chosen[weight != 0]


def in_force(held: Slice, chosen: Ints) -> Ints:
    """Those of ``chosen`` that have not ended on the day of their row."""
    return chosen[held.column("ends")[chosen] > held.column("day")[chosen] + held.age[chosen]]


def _open(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    still = in_force(held, chosen)
    return np.bincount(held.row[still], minlength=held.size), still


def _open_age(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    oldest = held.extreme(in_force(held, chosen), newest=False)
    return _at(held, oldest, lambda at: _reached(one, held.age[at]), empty=0)


def _age(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    fact = held.extreme(chosen, newest=one.indicator.which == "last")
    return _at(held, fact, lambda at: _reached(one, held.age[at]), empty=one.indicator.empty)


def _last(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    newest = held.extreme(chosen, newest=True)
    return _at(held, newest, lambda at: held.column(one.indicator.of)[at], empty=one.indicator.empty)


def _lookup(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    table = one.lookup
    if table is None:
        raise ValueError(f"Indicator {one.indicator.id!r} was compiled without its lookup table.")
    # A first range that nothing can fall into stands for "before all ranges".
    highs = np.array((-OPEN, *table.highs))
    values = np.array((table.otherwise, *table.values))

    def find(at: Ints) -> Ints:
        looked = held.column(one.indicator.of)[at]
        place = np.searchsorted(np.array(table.lows, np.int64), looked, side="right")
        return np.where((place > 0) & (looked <= highs[place]), values[place], table.otherwise)

    return _at(held, held.extreme(chosen, newest=True), find, empty=one.indicator.empty)


def _expired(one: CompiledIndicator, held: Slice, chosen: Ints) -> tuple[Ints, Ints]:
    def ended(at: Ints) -> Ints:
        day = held.column("day")[at] + held.age[at]
        return (held.column("ends")[at] <= day + one.indicator.ahead).astype(np.int64)

    return _at(held, held.extreme(chosen, newest=True), ended, empty=0)


def _reached(one: CompiledIndicator, age: Ints) -> Ints:
    return np.searchsorted(np.array(one.indicator.edges), age, side="right").astype(np.int64)


def _at(held: Slice, fact: Ints, value: Callable[[Ints], Ints], *, empty: int) -> tuple[Ints, Ints]:
    """``value`` of the one fact of each row, ``empty`` where there is none, and the positions of those facts."""
    rows = np.flatnonzero(fact >= 0)
    if rows.size == held.size:
        return value(fact), fact
    values = np.full(held.size, empty, np.int64)
    values[rows] = value(fact[rows])
    return values, fact[rows]


_MEASURES: Mapping[str, Callable[[CompiledIndicator, Slice, Ints], tuple[Ints, Ints]]] = {
    "count": _count,
    "sum": _sum,
    "max": _max,
    "load": _load,
    "open": _open,
    "open_age": _open_age,
    "age": _age,
    "last": _last,
    "lookup": _lookup,
    "expired": _expired,
}


def years_of(days: Ints) -> Ints:
    """Calendar year of each day."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def deadlines(days: Ints, month: int, day: int) -> tuple[Ints, Ints]:
    """For each day the last report year whose deadline has passed, and the day of the next deadline.

    The report for year Y is late from ``month``-``day`` of Y + 1 on.
    """
    unique, place = (days[:1], None) if (days == days[:1]).all() else np.unique(days, return_inverse=True)
    years = years_of(unique)
    this = np.array([np.datetime64(f"{year:04}-{month:02}-{day:02}", "D") for year in years], "M8[D]").astype(np.int64)
    coming = np.array([np.datetime64(f"{y + 1:04}-{month:02}-{day:02}", "D") for y in years], "M8[D]").astype(np.int64)
    passed = unique >= this
    last, following = np.where(passed, years - 1, years - 2), np.where(passed, coming, this)
    if place is None:
        return np.broadcast_to(last, days.shape), np.broadcast_to(following, days.shape)
    return last[place], following[place]


def due_days(days: Ints, *, deadline: tuple[int, int], back: int) -> Ints:
    """For each day the last deadline that has passed (``back`` = 0), or the one ``back`` years before that."""
    month, day = deadline
    years = deadlines(days, month, day)[0] + 1 - back
    months = (years - 1970).astype("M8[Y]").astype("M8[M]") + (month - 1)
    return (months.astype("M8[D]") + (day - 1)).astype(np.int64)


def _missing_years(indicator: Indicator, slices: Mapping[int, Slice], coverage: Coverage, days: Ints) -> Column:
    """Report years due, among the last ``years``, without a report, where a feed covered the day it was due.

    Nobody is charged with a year that no feed could have told of. A subject established in year Y owes its first
    report for year Y, in Y + 1. Unknown for who has no registration fact, and for whom no feed covered the deadline
    of a year that was owed (of any year looked at, where none was owed), unless there is a report.
    """
    registered = slices.get(REGISTRATION)
    if registered is None or not registered.row.size:
        return Column(np.zeros(days.size, np.int64), False, [])
    newest = registered.extreme(registered.chosen("", None), newest=True)
    rows = np.flatnonzero(newest >= 0)
    since = np.full(days.size, OPEN, np.int64)
    since[rows] = years_of(registered.column("day")[newest[rows]])
    last, _ = deadlines(days, *indicator.deadline)
    reads = [(REGISTRATION, newest[rows])]
    seen = np.zeros(days.size * indicator.years, np.bool_)
    reported: Bools | None = None
    reports = slices.get(indicator.kind)
    if reports is not None and reports.row.size:
        back = last[reports.row] - reports.column("code")
        # Nothing is read of who is not registered, whoever stands beside him.
        counted = np.flatnonzero((back >= 0) & (back < indicator.years) & (since[reports.row] < OPEN))
        seen[reports.row[counted] * indicator.years + back[counted]] = True
        reads.append((indicator.kind, counted))
        reported = reports.rows_with(counted)
    seen_by_row = seen.reshape(days.size, indicator.years)
    missing = np.zeros(days.size, np.int64)
    known: Answer = False
    for back_by in range(indicator.years):
        covered = coverage.covered_on(indicator.kind, partial(due_days, deadline=indicator.deadline, back=back_by))
        if covered is False:
            continue
        owed = last - back_by >= since
        missing += covered & owed & ~seen_by_row[:, back_by]
        if known is not True:
            # The latest year is owed by whoever owes any.
            known = covered if back_by == 0 else either(known, covered & (owed | (last < since)))
    if known is not True and reported is not None:
        known = either(known, reported)
    if rows.size < days.size:
        is_registered = newest >= 0
        known = is_registered if known is True else known & is_registered
    return Column(missing, known, reads)
