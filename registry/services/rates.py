"""Failure rates per class 问题发现率: what checks find among the entities of each class, estimated without bias from the checks that a
draw chose, and beside it the plain share of all checks. As secret as the class: only for who may read grades.

docs/rates.md says what the figures mean and what they rest on.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from registry.clock import day_number
from registry.database import execute, read_frame
from registry.kinds import KINDS, NUMBERS
from registry.services.search import prefix_range
from rules.model.metrics import share_interval
from rules.model.rates import LEAST_BY_LOT, MILLION, Drawn, Rate, estimate
from rules.scheme import Scheme

CHECK, DETAIL = KINDS["spot_check"].number, NUMBERS["check_detail"]
# Results of a check (registry/kinds/spot_check.py): nobody was met 无法联系, so nothing can be said of what would have been found …
SILENT = (4,)
# … and nothing is run there any more 未开展经营、注销或吊销, so nobody asks: no part of whom the rate is about.
OUT_OF_SCOPE = (6, 7)
EVERYBODY, UNGRADED = "all", "ungraded"
# What a row does not tell where its rate is withheld.
ESTIMATED = (
    "rate", "low", "high", "effective_checks", "total_failures", "total_low", "total_high", "represents", "least", "most",
)  # fmt: skip
_DIGITS = 6
_CHECKS = {
    "entity": pl.Int64, "day": pl.Int32, "inclusion": pl.Int64, "code": pl.Int32, "found": pl.Int64, "class": pl.String,
}  # fmt: skip
# The class with which the day began: grades of that day, and those that already knew of the check, would let its outcome choose
# its own class.
_SQL = """
SELECT d.entity, d.day, d.amount, c.code,
  (SELECT CAST(coalesce(sum(p.amount), 0) AS bigint) FROM fact p
   WHERE p.entity = d.entity AND p.known = d.known AND p.part > 0 AND p.kind = {detail} AND p.severity >= ?),
  (SELECT g.class FROM grade g JOIN scheme_version v ON v.id = g.version_id
   WHERE v.scheme = ? AND g.entity = d.entity AND g.day < d.day AND g.known < d.known ORDER BY g.day DESC, g.known DESC LIMIT 1)
FROM fact d JOIN fact c ON c.entity = d.entity AND c.known = d.known AND c.part = 0 JOIN entity e ON e.id = d.entity
WHERE d.kind = {detail} AND d.severity = 0 AND d.gone IS NULL AND d.day BETWEEN ? AND ? AND c.kind = {check}
AND c.code NOT IN ({gone}) AND ({where})
"""


def by_class(
    scheme: Scheme, first: date, last: date, divisions: Sequence[str] = ("",), *, severity: int = 1
) -> list[dict[str, Any]]:
    """What checks from `first` to `last`, both included, found among the entities of each class of a scheme.

    The class is the one that the entity had when the day of the check began. A failure 问题 is a problem of at least `severity` (1 minor,
    2 general, 3 serious). Several records of one entity and day are one check. Reads every check of the span in one query.

    Parameters
    ----------
    divisions : prefixes; entities outside of all of them are not read

    Returns
    -------
    list of dict
        One for each class from the best to the worst, then `ungraded` (where there are any: no grade before that day), then `all`. ``checks``,
        ``failures``, ``naive_rate``, ``naive_low``, ``naive_high``: of all checks that met somebody, whoever chose them. ``drawn``: of those whose record keeps
        an inclusion probability, ``answered`` of them met somebody; from these ``response_rate``, ``rate``, ``low``, ``high`` (Hájek),
        ``effective_checks``, ``total_failures``, ``total_low``, ``total_high`` (Horvitz and Thompson, over all draws of the span),
        ``represents`` (how many entities, over all draws), ``least`` and ``most`` (the rate if nobody, or everybody, who was not met fails). Rates are
        shares from 0 to 1, intervals of 95 %; null where there is no ground. ``withheld`` says why there is none although some were met: some
        were chosen for certain, and of the others the lot met fewer than LEAST_BY_LOT (unless all of the class that there is today were).
    """
    checks = _checks(scheme, first, last, divisions, severity)
    found = set(checks["class"].to_list())
    names = [*scheme.classes, *sorted(found - {*scheme.classes, UNGRADED}), *(found & {UNGRADED})]
    chosen = checks.filter(pl.col("inclusion") > 0)
    place = {name: number for number, name in enumerate(names)}
    drawn = Drawn(
        failed=chosen["failed"].to_numpy().astype(np.int64),
        inclusion=chosen["inclusion"].to_numpy() / MILLION,
        group=np.array([place[one] for one in chosen["class"]], dtype=np.int64),
        answered=chosen["answered"].to_numpy(),
    )
    met = checks.filter("answered")
    rows = []
    for name, rate in zip([*names, EVERYBODY], estimate(drawn, len(names)), strict=True):
        mine = pl.lit(True) if name == EVERYBODY else pl.col("class") == name
        few = _by_lot(chosen.filter(mine))
        if few is not None and _others(scheme, name, first, last, divisions):
            rows.append(_row(name, met.filter(mine), rate) | dict.fromkeys(ESTIMATED) | {"withheld": withheld(few)})
        else:
            rows.append({**_row(name, met.filter(mine), rate), "withheld": ""})
    return rows


def withheld(by_lot: int) -> str:
    """Why a rate is withheld for which so few who were met were drawn by lot."""
    return (
        f"Only {by_lot} of those who were met were drawn by lot, the others visited for certain: fewer than {LEAST_BY_LOT} say too "
        "little of those who were not visited. A longer period or a larger random share gives more."
    )


def _by_lot(chosen: pl.DataFrame) -> int | None:
    """How many who were met the lot drew, where others were chosen for certain and these are too few; else None."""
    certain = chosen["inclusion"] == MILLION
    number = int((chosen["answered"] & ~certain).sum())
    return number if certain.any() and number < LEAST_BY_LOT else None


def _others(scheme: Scheme, name: str, first: date, last: date, divisions: Sequence[str]) -> bool:
    """Whether there is an open entity of a class that was not chosen for certain in these days."""
    if name != EVERYBODY and name not in scheme.classes:
        return True
    where, bounds = _inside(divisions)
    of_class = "" if name == EVERYBODY else " AND s.rank = ?"
    sql = (
        f"SELECT 1 FROM grade_state s JOIN entity e ON e.id = s.entity WHERE s.scheme = ?{of_class} AND e.status = 1 AND ({where}) "  # noqa: S608 (ours)
        f"AND NOT EXISTS (SELECT 1 FROM fact d WHERE d.entity = s.entity AND d.kind = {DETAIL} AND d.severity = 0 "
        "AND d.gone IS NULL AND d.amount = ? AND d.day BETWEEN ? AND ?) LIMIT 1"
    )
    values = [
        scheme.id,
        *([scheme.classes.index(name)] if of_class else []),
        *bounds,
        MILLION,
        day_number(first),
        day_number(last),
    ]
    return execute(sql, values).fetchone() is not None


def _inside(divisions: Sequence[str]) -> tuple[str, list[Any]]:
    """That the entity `e` lies in divisions with these prefixes."""
    if "" in divisions:
        return "1 = 1", []
    bounds = [bound for prefix in divisions for bound in prefix_range("division", prefix)]
    return " OR ".join(["e.division BETWEEN ? AND ?"] * (len(bounds) // 2)) or "1 = 0", bounds


def _checks(scheme: Scheme, first: date, last: date, divisions: Sequence[str], severity: int) -> pl.DataFrame:
    """One row for each entity and day: `class`, `inclusion` (0: no draw), `answered`, `failed`."""
    where, bounds = _inside(divisions)
    sql = _SQL.format(detail=DETAIL, check=CHECK, gone=", ".join(map(str, OUT_OF_SCOPE)), where=where)
    values = [severity, scheme.id, day_number(first), day_number(last), *bounds]
    read = read_frame(sql, values, _CHECKS)
    silent = pl.col("code").is_in(SILENT)
    return (
        read.with_columns(pl.col("class").fill_null(UNGRADED))
        .group_by("entity", "day", maintain_order=True)
        .agg(
            pl.col("class").first(),
            pl.col("inclusion").max(),
            (~silent).any().alias("answered"),
            ((pl.col("found") > 0) & ~silent).any().alias("failed"),
        )
        # Sums of floats in one order, whatever order the database reads in.
        .sort("entity", "day")
    )


def _row(name: str, met: pl.DataFrame, one: Rate) -> dict[str, Any]:
    checks, failures = met.height, int(met["failed"].sum())
    low, high = share_interval(failures, checks)
    return {
        "class": name, "checks": checks, "failures": failures,
        "naive_rate": _round(failures / checks if checks else None), "naive_low": _round(low), "naive_high": _round(high),
        "drawn": one.checks, "answered": one.answered, "response_rate": _round(one.response),
        "rate": _round(one.rate), "low": _round(one.low), "high": _round(one.high), "effective_checks": _round(one.effective, 1),
        "total_failures": _round(one.total, 1), "total_low": _round(one.total_low, 1), "total_high": _round(one.total_high, 1),
        "represents": _round(one.size, 1), "least": _round(one.least), "most": _round(one.most),
    }  # fmt: skip


def _round(value: float | None, digits: int = _DIGITS) -> float | None:
    return None if value is None else round(value, digits)
