"""Units of training and evaluation: the next routine visits of each period, and what they found.

A list is drawn up at the start of a period (a quarter). Whatever happened on that day or later is unknown to it: features
are those of the day before. A visit that only looks whether an earlier fault was mended is no unit; it is history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from rules.given import NOTHING, Given
from rules.kinds import KINDS
from rules.model.features import features
from rules.scheme import Scheme

CHECK, DETAIL = KINDS["spot_check"], KINDS["check_detail"]
# Results of a check that met nobody, or nothing to look at 无法联系、未开展经营、注销或迁出 (registry/kinds/spot_check.py): neither a
# failure nor none.
TELLS_NOTHING = (4, 6, 7)
# What a visit was for, as the facts of a check say it (docs/architecture.md).
PURPOSES: Mapping[str, int] = {"": 0, "routine": 1, "follow_up": 2, "complaint": 3, "campaign": 4, "other": 5}
MILLION = 1_000_000
_EPOCH = date(1970, 1, 1)

Period = tuple[int, int]  # first day, and first day after it; days since 1970-01-01


@dataclass(frozen=True, slots=True)
class Outcome:
    """What counts as a failure: at least ``count`` problems of at least ``severity`` (1 minor, 2 problem, 3 serious)."""

    severity: int = 1
    count: int = 1

    def as_dict(self) -> dict[str, int]:
        return {"severity": self.severity, "count": self.count}


@dataclass(frozen=True, slots=True)
class UnitRule:
    """Which visits are units: for one of ``purposes`` (numbers of `PURPOSES`), at least ``least_gap`` days after the visit
    before, of entities with at least ``history`` earlier visits."""

    purposes: tuple[int, ...] = (0, 1)
    least_gap: int = 0
    history: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {"purposes": list(self.purposes), "least_gap": self.least_gap, "history": self.history}


def quarters(first: date, until: date) -> list[Period]:
    """The calendar quarters from that of ``first`` on, the last one cut at ``until`` (the first day that is not asked
    about)."""
    found: list[Period] = []
    start = date(first.year, 3 * ((first.month - 1) // 3) + 1, 1)
    while start < until:
        following = (start.replace(day=1) + timedelta(days=95)).replace(day=1)
        found.append((_number(start), min(_number(following), _number(until))))
        start = following
    return found


def _number(day: date) -> int:
    return (day - _EPOCH).days


def visits(facts: pl.DataFrame) -> pl.DataFrame:
    """Visits, one for each entity and day: several records of one day are one visit.

    Returns
    -------
    DataFrame sorted by entity and day
        ``entity`` Int64, ``visit`` Int32 (the day), ``seq`` Int64 (its first record), ``purpose`` Int32 (of that record), ``inclusion``
        Int64 (millionths, the greatest; 0: not from a draw), ``found_1``, ``found_2``, ``found_3`` Int64 (problems of at least that
        severity), ``gap`` Int32 (days since the visit before, null for the first), ``earlier`` UInt32 (visits before).
    """
    detail = facts.filter(pl.col("kind") == DETAIL)
    heads = detail.filter(pl.col("severity") == 0).sort("seq")
    made = heads.group_by("entity", "day").agg(
        pl.col("seq").first(), pl.col("code").first().alias("purpose"), pl.col("amount").max().alias("inclusion")
    )
    found = detail.group_by("entity", "day").agg(
        *(pl.col("amount").filter(pl.col("severity") >= least).sum().alias(f"found_{least}") for least in (1, 2, 3))
    )
    joined = made.join(found, on=("entity", "day")).rename({"day": "visit"}).sort("entity", "visit")
    return joined.with_columns(
        gap=pl.col("visit").diff().over("entity"), earlier=pl.int_range(pl.len(), dtype=pl.UInt32).over("entity")
    ).select(
        "entity", "visit", "seq", "purpose", "inclusion", "found_1", "found_2", "found_3", "gap", "earlier"
    )  # fmt: skip


def units(facts: pl.DataFrame, outcome: Outcome, rule: UnitRule, periods: Sequence[Period]) -> pl.DataFrame:
    """The units of some periods, without features.

    Parameters
    ----------
    facts : frame as docs/architecture.md describes it; facts of the kinds ``check_detail`` and ``spot_check`` are read. A visit
        all of whose results are `TELLS_NOTHING` is no unit; it is history
    periods : without overlap; a visit outside all of them is no unit

    Returns
    -------
    DataFrame sorted by visit, then record
        ``entity`` Int64, ``day`` Int32 (the freeze day: first of the period), ``visit`` Int32, ``seq`` Int64, ``y`` Int8
        (1: a failure), ``weight`` Float64 (one over the stored inclusion probability, null where no draw chose it), ``period``
        Int32 (= the freeze day).
    """
    made = (
        visits(facts)
        .filter(
            pl.col("purpose").is_in(rule.purposes)
            & (pl.col("gap").is_null() | (pl.col("gap") >= rule.least_gap))
            & (pl.col("earlier") >= rule.history)
        )
        .join(silent(facts), on=("entity", "visit"), how="anti")
    )
    bounds = pl.DataFrame(sorted(periods), schema={"period": pl.Int32, "ends": pl.Int32}, orient="row")
    placed = made.sort("visit").join_asof(
        bounds, left_on="visit", right_on="period", strategy="backward", coalesce=False
    )
    inside = placed.filter(pl.col("visit") < pl.col("ends")).sort("visit", "seq")
    chance = pl.col("inclusion")
    return inside.select(
        "entity",
        pl.col("period").alias("day"),
        "visit",
        "seq",
        (pl.col(f"found_{outcome.severity}") >= outcome.count).cast(pl.Int8).alias("y"),
        pl.when(chance > 0).then(MILLION / chance).cast(pl.Float64).alias("weight"),
        "period",
    )


def silent(facts: pl.DataFrame) -> pl.DataFrame:
    """``entity`` and ``visit`` of the visits that could find nothing: all their results are `TELLS_NOTHING`."""
    results = facts.filter(pl.col("kind") == CHECK).group_by("entity", pl.col("day").alias("visit"))
    return results.agg(silent=pl.col("code").is_in(TELLS_NOTHING).all()).filter("silent").select("entity", "visit")


def with_features(
    chosen: pl.DataFrame,
    population: pl.DataFrame,
    facts: pl.DataFrame,
    coverage: pl.DataFrame,
    scheme: Scheme,
    given: Given = NOTHING,
) -> pl.DataFrame:
    """Units with the features of the day before their freeze day.

    Parameters
    ----------
    chosen : rows of :func:`units`
    population : ``entity``, ``subject``, ``division`` of every entity among them
    facts, coverage, scheme, given : as :func:`rules.model.features.features`; facts from the freeze day on do no harm

    Returns
    -------
    DataFrame
        The rows of ``chosen`` in their order, with one Int64 column for each feature.
    """
    asked = chosen.select("entity", pl.col("day") - 1).unique(maintain_order=True)
    who = asked.join(population.select("entity", "subject", "division"), on="entity", maintain_order="left")
    worked_out = features(who.select("entity", "day", "subject", "division"), facts, coverage, scheme, given)
    frozen = worked_out.with_columns(pl.col("day") + 1)
    return chosen.join(frozen, on=("entity", "day"), how="left", maintain_order="left")
