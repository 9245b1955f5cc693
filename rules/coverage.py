"""For which kinds and days a feed was connected, asked row by row.

No record under coverage is zero; without coverage it is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import polars as pl

from rules.slices import OPEN, Bools, Ints

# One answer for all rows, or one per row.
Answer: TypeAlias = bool | Bools


class Coverage:
    """Coverage beside the rows of one part (at least one); rows that share day and division are answered once."""

    def __init__(self, coverage: pl.DataFrame, days: Ints, divisions: pl.Series) -> None:
        self._feeds: dict[int, list[tuple[str, int, int]]] = {}
        for kind, division, start, end in coverage.select("kind", "division", "from_day", "to_day").iter_rows():
            self._feeds.setdefault(kind, []).append((division, start, OPEN if end is None else end))
        local = any(division for feeds in self._feeds.values() for division, _, _ in feeds)
        names, place = [""], np.zeros(days.size, np.int64)
        if local:
            unique = divisions.unique().sort()
            names = unique.to_list()
            place = divisions.cast(pl.Enum(unique)).to_physical().cast(pl.Int64).to_numpy()
        low = int(days.min())
        keys = place * (int(days.max()) - low + 1) + (days - low)
        # Usually one day and nationwide feeds: then one answer serves every row.
        self._pair: Ints | None = None
        first = np.zeros(1, np.int64)
        if (keys != keys[0]).any():
            _, first, self._pair = np.unique(keys, return_index=True, return_inverse=True)
        self._days: Ints = days[first]
        self._names = [names[at] for at in place[first]]
        self._answers: dict[tuple[int, int | None], Answer] = {}

    def covered(self, kind: int, window: int | None) -> Answer:
        """Whether a feed of ``kind`` was connected on a day of the window (of all time when None) up to each row's day.

        A feed covers its first and its last day.
        """
        if (kind, window) not in self._answers:
            found = np.zeros(self._days.size, np.bool_)
            for matches, start, end in self._of(kind):
                touches = start <= self._days
                if window is not None:
                    touches &= end > self._days - window
                found |= matches & touches
            self._answers[kind, window] = bool(found[0]) if self._pair is None else found[self._pair]
        return self._answers[kind, window]

    def covered_on(self, kind: int, day_of: Callable[[Ints], Ints]) -> Answer:
        """Whether a feed of ``kind`` was connected on one certain day, which ``day_of`` tells from the day of a row.

        A feed covers its first and its last day. The answer changes only when the certain day does.
        """
        asked = day_of(self._days)
        found = np.zeros(self._days.size, np.bool_)
        for matches, start, end in self._of(kind):
            found |= matches & (start <= asked) & (asked <= end)
        return bool(found[0]) if self._pair is None else found[self._pair]

    def next_change(self, kind: int, windows: set[int | None]) -> Ints | int:
        """The earliest day after each row's day on which :meth:`covered` may change; OPEN where none."""
        following = np.full(self._days.size, OPEN, np.int64)
        for matches, start, end in self._of(kind):
            for day in {start, *(end + window for window in windows if window is not None and end < OPEN)}:
                np.minimum(following, day, out=following, where=matches & (day > self._days))
        return int(following[0]) if self._pair is None else following[self._pair]

    def _of(self, kind: int) -> list[tuple[Bools, int, int]]:
        matching: dict[str, Bools] = {}
        found = []
        for division, start, end in self._feeds.get(kind, ()):
            if division not in matching:
                matching[division] = np.fromiter((name.startswith(division) for name in self._names), np.bool_)
            found.append((matching[division], start, end))
        return found
