"""Classes that persons have set 人工认定, beside the rows that they hold for."""

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


def of_scheme(overrides: pl.DataFrame, scheme: str) -> pl.DataFrame | None:
    """The overrides of one scheme; None where there are none, so that who has none pays nothing."""
    if not overrides.height:
        return None
    own = overrides.filter(pl.col("scheme") == scheme)
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
    columns = known.select("from_day", "until_day", "seq").cast(pl.Int64)
    start, until, seq = (columns[name].to_numpy()[index] for name in columns.columns)
    today = days[row]
    begins, ends = (np.full(days.size, OPEN, np.int64) for _ in range(2))
    coming, running = start > today, (start <= today) & (until > today)
    np.minimum.at(begins, row[coming], start[coming])
    np.minimum.at(ends, row[running], until[running])
    places = known["class"].cast(pl.Enum(classes)).to_physical().cast(pl.Int64).to_numpy()[index]
    place, newest = (np.full(days.size, -1, np.int64) for _ in range(2))
    row, seq, places = row[running], seq[running], places[running]
    order = np.lexsort((places, seq))
    # The last write of a row wins, and that is the newest.
    place[row[order]], newest[row[order]] = places[order], seq[order]
    return Held(place, newest, begins, ends)
