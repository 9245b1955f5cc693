"""The earliest day after a grade on which time alone may change it. May be early, never late.

Time moves a grade only when a fact begins, ends, leaves a window or passes a step edge, when a report falls due, when
a feed begins or its last day leaves a window, when a dated value of the scheme changes, when the grade of another scheme
that it reads may change, and when a class that a person has set, or a raise, begins or ends to hold. A frozen context never moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from rules.compiled import DEPENDENT, Compiled, CompiledIndicator
from rules.coverage import Coverage
from rules.dependents import Inner
from rules.indicators import deadlines, reach
from rules.overrides import Held, Raised
from rules.slices import OPEN, Ints, Slice


@dataclass(slots=True)
class _Watch:
    """What to look for among the facts of one kind that satisfy one ``where``."""

    ages: set[int] = field(default_factory=set)  # ages in days at which something changes
    before_end: set[int] = field(default_factory=set)  # days before its end at which a fact changes something
    indicators: list[str] = field(default_factory=list)


def changes(
    compiled: Compiled,
    slices: Mapping[int, Slice],
    coverage: Coverage,
    days: Ints,
    inner: Mapping[str, Inner],
    override: Held | None,
    raised: Raised | None = None,
) -> Iterator[tuple[str, Ints | int]]:
    """Causes of change with, for each row, the first day after its own on which the cause strikes (OPEN: never).

    A day that is the same for all rows may be given as one integer. Causes are texts such as
    ``facts: penalties_1y, penalties_2y``, for the explanation.
    """
    if compiled.next_boundary is not None:
        yield "scheme: a dated value changes", compiled.next_boundary
    watches: dict[tuple[int, str], _Watch] = {}
    windows: dict[int, set[int | None]] = {}
    due: set[tuple[int, int]] = set()
    schemes: set[str] = set()
    for one in compiled.indicators:
        indicator = one.indicator
        if indicator.measure == "grade":
            schemes.add(indicator.scheme)
        if indicator.measure == "context":
            windows.setdefault(indicator.kind, set()).add(None)
        if indicator.measure in DEPENDENT:
            # What it is made of is watched by itself.
            continue
        if indicator.measure == "missing_years":
            # Whether a feed covered a deadline changes only when the next deadline takes its place.
            due.add(indicator.deadline)
            continue
        windows.setdefault(indicator.kind, set()).add(reach(one))
        _watch(one, watches.setdefault((indicator.kind, indicator.where_text), _Watch()))
    for month, day in sorted(due):
        yield f"deadline: annual reports on {month:02}-{day:02}", deadlines(days, month, day)[1]
    for kind, asked in windows.items():
        following = coverage.next_change(kind, asked)
        if not isinstance(following, int) or following < OPEN:
            yield f"coverage: kind {kind}", following
    for kind, held in slices.items():
        if held.future_rows.size:
            yield f"facts: kind {kind} begins", _least(held.size, held.future_rows, held.future_days)
    for (kind, where), watch in watches.items():
        if kind in slices and slices[kind].row.size:
            yield f"facts: {', '.join(watch.indicators)}", _next(slices[kind], where, watch)
    for scheme in sorted(schemes):
        yield f"grade: {scheme}", inner[scheme].next_day
    if override is not None:
        yield "override: begins", override.begins
        yield "override: ends", override.ends
    if raised is not None:
        yield "raise: begins", raised.begins
        yield "raise: ends", raised.ends


def _watch(one: CompiledIndicator, watch: _Watch) -> None:
    indicator = one.indicator
    watch.indicators.append(indicator.id)
    watch.ages.update(indicator.edges)
    if (limit := reach(one)) is not None:
        watch.ages.add(limit)
    if one.steps is not None:
        watch.ages.update(one.steps.edges)
    if indicator.measure in ("open", "open_age"):
        watch.before_end.add(0)
    if indicator.measure == "expired":
        watch.before_end.add(indicator.ahead)


def _next(held: Slice, where: str, watch: _Watch) -> Ints:
    chosen = held.chosen(where, None)
    row, age = held.row[chosen], held.age[chosen]
    following = np.full(held.size, OPEN, np.int64)
    if watch.ages:
        # An age beyond all edges meets OPEN, and so never.
        edges = np.array([*sorted(watch.ages), OPEN], np.int64)
        coming = edges[np.searchsorted(edges, age, side="right")]
        moves = np.flatnonzero(coming < OPEN)
        np.minimum.at(following, row[moves], held.column("day")[chosen[moves]] + coming[moves])
    if watch.before_end:
        ends = held.column("ends")[chosen]
        today = held.column("day")[chosen] + age
        for before in watch.before_end:
            moves = np.flatnonzero((ends < OPEN) & (ends - before > today))
            np.minimum.at(following, row[moves], ends[moves] - before)
    return following


def _least(size: int, row: Ints, day: Ints) -> Ints:
    following = np.full(size, OPEN, np.int64)
    np.minimum.at(following, row, day)
    return following
