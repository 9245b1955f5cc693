"""Facts beside the rows that ask about them, by kind: arrays only, so that a million facts cost no Python objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from rules.errors import FrameError

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

FACTS: Mapping[str, pl.DataType] = {
    "entity": pl.Int64(),
    "kind": pl.Int16(),
    "code": pl.Int32(),
    "severity": pl.Int16(),
    "amount": pl.Int64(),
    "day": pl.Int32(),
    "ends": pl.Int32(),
    "seq": pl.Int64(),
}
POPULATION: Mapping[str, pl.DataType] = {
    "entity": pl.Int64(),
    "day": pl.Int32(),
    "subject": pl.String(),
    "division": pl.String(),
}
COVERAGE: Mapping[str, pl.DataType] = {
    "kind": pl.Int16(),
    "division": pl.String(),
    "from_day": pl.Int32(),
    "to_day": pl.Int32(),
}
OPEN = 2**40  # stands for "no end": later than any day that Int32 can hold
_MOST_AMOUNT = 10**15  # fen; with it, nine thousand facts cannot overflow a 64-bit sum
_EMPTY: Ints = np.empty(0, np.int64)


def check(frame: pl.DataFrame, name: str, columns: Mapping[str, pl.DataType], may_be_null: Iterable[str] = ()) -> None:
    """Refuse a frame that is not as docs/architecture.md says.

    Raises
    ------
    FrameError
        Naming the frame, the column and the type it should have.
    """
    for column, dtype in columns.items():
        if column not in frame.columns:
            raise FrameError(f"Frame {name!r} has no column {column!r}. Add it as {dtype}; see docs/architecture.md.")
        if frame[column].dtype != dtype:
            raise FrameError(f"Column {column!r} of frame {name!r} is {frame[column].dtype}. Cast it to {dtype}.")
        if column not in may_be_null and frame[column].null_count():
            raise FrameError(f"Column {column!r} of frame {name!r} holds nulls. Fill or drop them before grading.")


class Slice:
    """Facts of one kind that had happened, beside the rows (of one part) whose entity they belong to.

    ``row`` and ``age`` (days from the fact to the row's day, at least 0) run in parallel; every other column is
    gathered when it is first asked for. If ``ordered``, positions go by (day, seq, code, severity, amount, ends).
    """

    def __init__(self, facts: FactColumns, index: Ints, row: Ints, days: Ints, size: int, ordered: bool) -> None:
        self._facts = facts
        self._cache: dict[str, Ints] = {}
        self._chosen: dict[tuple[str, int | None], Ints] = {}
        self.size = size
        age = days[row] - facts.column("day")[index]
        self.future_rows, self.future_days = _EMPTY, _EMPTY
        if age.size and age.min() < 0:
            later = age < 0
            self.future_rows, self.future_days = row[later], facts.column("day")[index[later]].astype(np.int64)
            index, row, age = index[~later], row[~later], age[~later]
        if ordered and row.size > 1 and np.bincount(row, minlength=1).max() > 1:
            order = facts.order(index)
            index, row, age = index[order], row[order], age[order]
        self.index, self.row, self.age = index, row, age

    def column(self, name: str) -> Ints:
        """A column of facts.frame, as 64-bit integers, in this slice's order."""
        if name not in self._cache:
            self._cache[name] = self._facts.column(name)[self.index].astype(np.int64, copy=False)
        return self._cache[name]

    def chosen(self, where: str, window: int | None) -> Ints:
        """Positions of the facts that satisfy ``where`` ('' for all) and are younger than ``window`` days."""
        key = (where, window)
        if key not in self._chosen:
            if window is not None:
                before = self.chosen(where, None)
                young = self.age[before] < window
                self._chosen[key] = before if young.all() else before[young]
            elif where:
                self._chosen[key] = np.flatnonzero(self._facts.masks[where][self.index])
            else:
                self._chosen[key] = np.arange(self.row.size)
        return self._chosen[key]

    def rows_with(self, positions: Ints) -> Bools:
        """Which rows have one of the facts at ``positions``."""
        found = np.zeros(self.size, np.bool_)
        found[self.row[positions]] = True
        return found

    def extreme(self, positions: Ints, *, newest: bool) -> Ints:
        """For each row the position of its newest (or oldest) fact among ``positions``; -1 where there is none."""
        if newest:
            best = np.full(self.size, -1, np.int64)
            np.maximum.at(best, self.row[positions], positions)
            return best
        best = np.full(self.size, OPEN, np.int64)
        np.minimum.at(best, self.row[positions], positions)
        best[best == OPEN] = -1
        return best


@dataclass(slots=True)
class FactColumns:
    """Columns of the facts frame as arrays, and one Boolean array for each ``where`` of the scheme."""

    frame: pl.DataFrame
    masks: dict[str, Bools] = field(default_factory=dict)
    _columns: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def column(self, name: str) -> npt.NDArray[np.int64]:
        if name not in self._columns:
            series = self.frame[name]
            if name == "ends":
                series = series.cast(pl.Int64).fill_null(OPEN)
            elif name == "amount":
                series = series.clip(-_MOST_AMOUNT, _MOST_AMOUNT)
            self._columns[name] = series.to_numpy()
        return self._columns[name]

    def add_masks(self, expressions: Mapping[str, pl.Expr]) -> None:
        """Evaluate every ``where`` that has not been evaluated yet, in one pass."""
        new = [expression for text, expression in expressions.items() if text not in self.masks]
        if new:
            for series in self.frame.select(new):
                self.masks[series.name] = series.to_numpy()

    def order(self, index: Ints) -> Ints:
        """The permutation that puts the facts at ``index`` into their one true order."""
        day, seq = (self.column(name)[index].astype(np.int64) for name in ("day", "seq"))
        # Day and seq packed into one number sort three times as fast; out of range, or with ties, all columns count.
        if not seq.size or (seq.min() >= 0 and seq.max() < 2**36 and abs(day).max() < 2**26):
            packed = (day << 36) | seq
            if (packed[1:] > packed[:-1]).all():
                return np.arange(index.size)
            order = np.argsort(packed, kind="stable")
            ranked = packed[order]
            if not (ranked[1:] == ranked[:-1]).any():
                return order
        keys = [self.column(name)[index] for name in ("ends", "amount", "severity", "code")]
        return np.lexsort((*keys, seq, day))


def join(asked: npt.NDArray[np.int64], held: npt.NDArray[np.int64]) -> tuple[Ints, Ints]:
    """Pairs (index of a fact, row) for which ``held[index] == asked[row]``: every fact beside every row that asks.

    Parameters
    ----------
    asked : entity of each row, any order, repeats allowed (one entity on several days)
    held : entity of each fact, any order
    """
    if not asked.size or not held.size:
        return _EMPTY, _EMPTY
    low, high = int(asked.min()), int(asked.max())
    if high - low <= max(1024, 16 * asked.size):
        # Dense ids: a table from id to row beats any search.
        counts = np.bincount(asked - low, minlength=high - low + 1)
        inside = (held >= low) & (held <= high)
        index = np.flatnonzero(inside)
        slot = held[index] - low
    else:
        unique, inverse = np.unique(asked, return_inverse=True)
        counts = np.bincount(inverse, minlength=unique.size)
        slot = np.minimum(np.searchsorted(unique, held), unique.size - 1)
        index = np.flatnonzero(unique[slot] == held)
        slot, asked, low = slot[index], inverse, 0
    order = np.argsort(asked, kind="stable")
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    repeats = counts[slot]
    if repeats.size and repeats.max() <= 1:
        hit = repeats == 1
        return index[hit], order[starts[slot[hit]]]
    first = np.repeat(starts[slot] - (np.cumsum(repeats) - repeats), repeats)
    return np.repeat(index, repeats), order[first + np.arange(first.size)]
