"""How often visits find something 问题发现率: the plain share by class and by slice, and rates of a class that do not depend on who was chosen.

The plain share says how suspicious the visited were. The unbiased rate rests on lots alone: each stratum of a draw, and the random slice
of a list together with the part of it that was visited for certain (rules/draw/estimation.py). docs/inspection-figures.md tells the whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from registry.config import Settings
from registry.errors import UnknownScheme
from registry.services import grading
from registry.services.inspection_material import RECHECK, Material
from registry.services.list_views import SLICES
from registry.services.rates import withheld
from rules.draw.estimation import ClassRate, Strata, Visits, estimate
from rules.model.metrics import share_interval

EVERYBODY, UNGRADED = "all", "ungraded"
# Scheme → its classes, from the best to the worst.
Classes = Mapping[str, Sequence[str]]
# Chosen by lot.
BY_LOT = ("draw", "random")
# Tasks whose own rates are told, the newest first.
MOST_TASKS = 100
DIGITS = 6


def share(part: int, of: int) -> dict[str, Any]:
    """A share with what it is made of; null where there is nothing to divide by."""
    return {"part": part, "of": of, "share": round(part / of, DIGITS) if of else None}


def estimated(part: int, of: int) -> dict[str, Any]:
    """The same with its 95 % interval (Wilson), which is null too where there is no ground."""
    low, high = share_interval(part, of)
    ends = (round(low, DIGITS), round(high, DIGITS)) if of else (None, None)
    return {**share(part, of), "low": ends[0], "high": ends[1]}


def classes_of(read: Material, settings: Settings) -> Classes:
    """The classes of each scheme by which the lists of a scope were made, from the best to the worst. One query for each scheme."""
    found: dict[str, list[str]] = {}
    for scheme in sorted(set(read.lists["scheme"])):
        try:
            found[scheme] = list(grading.scheme_named(settings, scheme).classes)
        except UnknownScheme:
            # A list outlives the scheme by which it was ordered.
            found[scheme] = []
    return found


def by_slice(read: Material) -> list[dict[str, Any]]:
    """For each slice that occurs: visits, those that came to an end, problems found of those who were met, and who was not met."""
    rows = read.counted
    return [
        {"slice": name, "title": title, **_found(rows.filter(pl.col("slice") == name))}
        for name, title in SLICES.items()
        if name in set(rows["slice"])
    ]


def by_class(read: Material, known: Classes) -> list[dict[str, Any]]:
    """The same for each class of each scheme (frozen on the list), without re-checks: they go to where a problem is known."""
    rows = read.counted.filter(pl.col("slice") != RECHECK)
    return [
        {"scheme": scheme, "class": name or UNGRADED, **_found(part.filter(pl.col("class") == name))}
        for scheme in sorted(set(rows["scheme"]))
        for part in (rows.filter(pl.col("scheme") == scheme),)
        for name in _classes(known[scheme], set(part["class"]))
    ]


def unbiased(read: Material, known: Classes) -> dict[str, Any]:
    """Rates of each class, by scheme over all lots of the scope, and of each task alone.

    `pooled` and `tasks` (at most MOST_TASKS, the newest first; `tasks_in_all` says how many have a lot). Rows as :func:`_row` has them,
    classes from the best to the worst, last `all`. An entity counts once for each lot that it could be chosen by.
    """
    by_lot = read.lists.filter((pl.col("draw") > 0) | (pl.col("slice_size") > 0))
    schemes = sorted(set(by_lot["scheme"]))
    numbers = sorted(set(by_lot["task"]), reverse=True)
    one_scheme = by_lot.group_by("task").agg(pl.col("scheme").unique().sort())
    of_task = dict(one_scheme.iter_rows())
    return {
        "pooled": [_estimate(read, by_lot.filter(pl.col("scheme") == scheme), scheme, known[scheme]) for scheme in schemes],
        "tasks_in_all": len(numbers),
        "tasks": [
            {
                "task": number, "title": read.tasks[number].title, "organ": read.tasks[number].organ,
                **_estimate(read, by_lot.filter((pl.col("task") == number) & (pl.col("scheme") == scheme)), scheme, known[scheme]),
            }
            for number in numbers[:MOST_TASKS]
            for scheme in of_task[number]
        ],
    }  # fmt: skip


def _found(rows: pl.DataFrame) -> dict[str, Any]:
    """Counts of some visits. Who was met shows a problem or none; who runs nothing there any more counts in neither."""
    ended = rows.filter(pl.col("settled") | pl.col("state").is_in(("non_response", "dropped")))
    asked = ended.filter(~pl.col("gone"))
    met = int(asked["met"].sum())
    return {
        "visits": rows.height, "pending": rows.height - ended.height, "gone": ended.height - asked.height,
        "found": estimated(int(asked["failed"].sum()), met), "not_met": share(asked.height - met, asked.height),
    }  # fmt: skip


def _classes(known: Sequence[str], there: set[str]) -> list[str]:
    """The classes of a scheme from the best to the worst, then others that occur; last, as "", those without a class."""
    return [*known, *sorted(there - {*known, ""}), *(there & {""})]


def _estimate(read: Material, lists: pl.DataFrame, scheme: str, known: Sequence[str]) -> dict[str, Any]:
    rows = read.visits.join(lists.select("list", "draw", "pool"), on="list")
    # All of the prioritised part of a list is visited; so it is a stratum of known content. A draw has strata of its own.
    rows = rows.with_columns(
        part=pl.when(pl.col("draw") > 0).then(pl.col("stratum")).when(pl.col("slice") == "random").then(pl.lit("random")).otherwise(pl.lit(""))
    ).sort("list", "part", "visit")  # fmt: skip
    sizes = read.strata.select("draw", "candidates", part="stratum", holds="class")
    # Who runs nothing there any more, and who lies elsewhere, is no part of those whom the rate is about, and of the others
    # nobody knows how many of them are not either.
    rows = rows.with_columns(asked=pl.col("inside") & ~pl.col("gone"))
    strata = (
        rows.group_by("list", "part")
        .agg(pl.col("draw").first(), pl.col("pool").first(), met=pl.len(), whole=pl.col("asked").all())
        .join(sizes, on=["draw", "part"], how="left")
        .with_columns(
            size=pl.when(pl.col("draw") > 0).then(pl.col("candidates")).when(pl.col("part") == "random").then(pl.col("pool"))
            .otherwise(pl.col("met").cast(pl.Int64))
        )
        .sort("list", "part")
        .with_row_index("place")
    )  # fmt: skip
    rows = rows.join(strata.select("list", "part", "place"), on=["list", "part"]).sort("place", "visit")
    names = _classes(known, set(rows["class"]))
    number = {name: place for place, name in enumerate(names)}
    whole = strata["whole"].to_numpy()
    whose = [number.get(name, -1) if name is not None else -1 for name in strata["holds"]]
    everybody = strata["size"].to_numpy().astype(np.int64)
    holds = np.full((strata.height, len(names)), -1, dtype=np.int64)
    for place, one in enumerate(whose):
        if one >= 0:
            # A stratum of a draw is of one class.
            holds[place] = 0
            holds[place, one] = everybody[place] if whole[place] else -1
    group = np.array([number[name] for name in rows["class"]], dtype=np.int64)
    asked = rows["asked"].to_numpy()
    stratum = rows["place"].to_numpy().astype(np.int64)
    failed, met = rows["failed"].to_numpy().astype(np.int64), rows["met"].to_numpy()
    found = estimate(
        Visits(stratum, np.where(asked, group, -1), failed, met & asked), Strata(everybody, holds), len(names)
    )
    # Everybody whom the rate is about, as one class: the last row of an estimate is of all who were visited.
    (together, _) = estimate(
        Visits(stratum, np.where(asked, 0, -1), failed, met & asked),
        Strata(everybody, np.where(whole, everybody, -1)[:, None]),
        1,
    )
    counted = rows.filter("inside")
    pending = counted.filter(~pl.col("settled") & ~pl.col("state").is_in(("non_response", "dropped"))).height
    items = [
        _row(name or UNGRADED, one) for name, one in zip([*names, EVERYBODY], [*found[:-1], together], strict=True)
    ]
    return {"scheme": scheme, "lots": lists.height, "visits": counted.height, "pending": pending, "items": items}


def _row(name: str, one: ClassRate) -> dict[str, Any]:
    """One class. `drawn` visits, `answered` of them met somebody, `failures` found; `rate` with `low` and `high`; `represents` entities,
    `total_failures` (with `total_low`, `total_high`) that visits to all of them would have found; `least` and `most`: the rate if nobody,
    or everybody, who was not met or is still to be visited had failed. `withheld` says why there is no rate although some were met."""
    ground = one.rate is not None and not one.thin
    return {
        "class": name, "drawn": one.visits, "answered": one.answered, "failures": one.failures,
        "rate": _round(one.rate) if ground else None, "low": _round(one.low) if ground else None, "high": _round(one.high) if ground else None,
        "represents": _round(one.size, 1), "total_failures": _round(one.total, 1) if ground else None,
        "total_low": _round(one.total_low, 1) if ground else None, "total_high": _round(one.total_high, 1) if ground else None,
        "least": _round(one.least) if ground else None, "most": _round(one.most) if ground else None,
        "withheld": withheld(one.by_lot) if one.rate is not None and one.thin else "",
    }  # fmt: skip


def _round(value: float | None, digits: int = DIGITS) -> float | None:
    return None if value is None else round(value, digits)
