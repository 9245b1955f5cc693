"""Classes that persons have set 人工认定, and raises by one class 类别上调, beside the rows that they hold for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from rules.slices import OPEN, Ints, join


@dataclass(slots=True)
class Held:
    """The override in force for each row of a part, and the next days on which one begins or ends.

    ``place`` is that of the class, 0 the best, -1 where none is in force; ``seq`` is the ledger row that says so.
    """

    place: Ints
    seq: Ints
    begins: Ints  # OPEN: none
    ends: Ints

    def pairs(self) -> tuple[Ints, Ints]:
        """Rows and ledger numbers of the overrides in force."""
        rows = np.flatnonzero(self.place >= 0)
        return rows, self.seq[rows]


@dataclass(slots=True)
class Raised:
    """The raise in force for each row of a part, and the next days on which one begins or ends.

    ``seq`` is the ledger row that says so, -1 where none is in force.
    """

    seq: Ints
    begins: Ints  # OPEN: none
    ends: Ints


def of_scheme(stated: pl.DataFrame, scheme: str) -> pl.DataFrame | None:
    """The overrides, or raises, of one scheme; None where there are none, so that who has none pays nothing."""
    if not stated.height:
        return None
    own = stated.filter(pl.col("scheme") == scheme)
    return own if own.height else None


def beside(own: pl.DataFrame, classes: tuple[str, ...], entities: Ints, days: Ints) -> Held | None:
    """The overrides that concern the rows of a part; None where none does.

    One holds from ``from_day`` until the day before ``until_day``. Of several in force the newest (greatest ``seq``)
    holds. One to a class that the scheme does not have, after a change of its classes, moves nothing.
    """
    known = own.filter(pl.col("class").is_in(classes))
    index, row = join(entities, known["entity"].to_numpy())
    if not index.size:
        return None
    begins, ends, row, index = _in_force(known, index, row, days)
    places = known["class"].cast(pl.Enum(classes)).to_physical().cast(pl.Int64).to_numpy()[index]
    seq = known["seq"].to_numpy()[index]
    place, newest = (np.full(days.size, -1, np.int64) for _ in range(2))
    order = np.lexsort((places, seq))
    # The last write of a row wins, and that is the newest.
    place[row[order]], newest[row[order]] = places[order], seq[order]
    return Held(place, newest, begins, ends)


def raised_beside(own: pl.DataFrame, entities: Ints, days: Ints) -> Raised | None:
    """The raises that concern the rows of a part, as :func:`beside`; two in force raise by one class, not by two."""
    index, row = join(entities, own["entity"].to_numpy())
    if not index.size:
        return None
    begins, ends, row, index = _in_force(own, index, row, days)
    newest = np.full(days.size, -1, np.int64)
    np.maximum.at(newest, row, own["seq"].to_numpy()[index])
    return Raised(newest, begins, ends)


def _in_force(stated: pl.DataFrame, index: Ints, row: Ints, days: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """For each row the next days on which one begins and ends, then the rows and places of those that hold on its day."""
    start, until = (stated[name].cast(pl.Int64).to_numpy()[index] for name in ("from_day", "until_day"))
    today = days[row]
    begins, ends = (np.full(days.size, OPEN, np.int64) for _ in range(2))
    coming, running = start > today, (start <= today) & (until > today)
    np.minimum.at(begins, row[coming], start[coming])
    np.minimum.at(ends, row[running], until[running])
    return begins, ends, row[running], index[running]
