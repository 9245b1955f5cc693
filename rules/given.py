"""What a grade may rest on beside facts: a frozen context, overrides and raises. All may be absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

# Values of single entities, by a name of `rules.kinds.CONTEXT_VALUES`; who is not named has 0.
CONTEXT: Mapping[str, pl.DataType] = {"entity": pl.Int64(), "name": pl.String(), "value": pl.Int64()}
# Norms by industry code in inclusive ranges without overlap, by a name of `rules.kinds.CONTEXT_NORMS`, in thousandths.
NORMS: Mapping[str, pl.DataType] = {"name": pl.String(), "low": pl.Int32(), "high": pl.Int32(), "value": pl.Int64()}
# Classes that persons have set. `seq` is the ledger row that says so; of two in force the newest holds.
OVERRIDES: Mapping[str, pl.DataType] = {
    "entity": pl.Int64(),
    "scheme": pl.String(),
    "class": pl.String(),
    "from_day": pl.Int32(),
    "until_day": pl.Int32(),
    "seq": pl.Int64(),
}
# Raises by one class that a model suggested and a ledger row, `seq`, lets count.
RAISES: Mapping[str, pl.DataType] = {
    "entity": pl.Int64(),
    "scheme": pl.String(),
    "from_day": pl.Int32(),
    "until_day": pl.Int32(),
    "seq": pl.Int64(),
}


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Frames beside the facts. ``names`` are the context values and norms that the context answers for: a name that is
    not among them is unknown for everybody. ``context_id`` and ``context_hash`` say which context it is (0 and ''
    without one)."""

    context: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(CONTEXT)))
    norms: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(NORMS)))
    overrides: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(OVERRIDES)))
    names: frozenset[str] = frozenset()
    context_id: int = 0
    context_hash: str = ""
    raises: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=dict(RAISES)))


NOTHING = Given()
