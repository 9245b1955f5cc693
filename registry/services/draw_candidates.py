"""The candidates 候选对象 of a draw: who fits its filters and its items, who is left out and why, and how both are frozen.

Nobody is chosen by class here. Public minutes would tell it: whoever is visited would be known to be of the class asked for.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
import polars as pl

from registry import clock
from registry.database import read_frame
from registry.divisions import in_sql
from registry.kinds import KINDS
from registry.models import Draw
from registry.services import labels, list_order, list_slice, visit_counts
from registry.services.search import prefix_range
from rules import draw as lots
from rules.draw import Candidates, Frame
from rules.inspection.frequency import Row

# Why somebody who fits is no candidate; the first that applies is the one that is said.
EXCLUDED: Final = {
    "not_graded": "尚未评定 not graded yet",
    "open_visit": "已有未办结的检查 already on an open visit",
    "annual_cap": "已达年度检查上限 visited as often this year as the annual cap allows",
    "class_limit": "已达所属类别的年度检查次数 visited as often this year as its row of the frequency table allows",
    "recently_checked": "近期已检查 checked so recently that its row of the frequency table skips it",
}
COLUMNS = {
    "entity": pl.Int64, "code": pl.String, "division": pl.String, "industry": pl.Int32, "class": pl.String, "score": pl.Int32,
    "chance": pl.Int32, "graded": pl.Int32,
}  # fmt: skip
# What a list shows of a candidate.
SHOWN = ("entity", "code", "division", "class", "score", "chance", "graded")
LICENCE = KINDS["licence"].number
# An entity merged into this one brings what it had.
MERGED_INTO = 'SELECT a.entity FROM alias a WHERE a."into" = e.id AND a.until_seq IS NULL'
FORM = 1


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entities may be drawn. Empty parts do not filter; `divisions` are those of the caller.

    `licences` are codes of registry/kinds/licence.py: who holds a valid licence for one of them.
    """

    division: str = ""
    industry: str = ""
    kind: str = ""
    labels: tuple[str, ...] = ()
    licences: tuple[int, ...] = ()
    divisions: tuple[str, ...] = ("",)

    def to_dict(self) -> dict[str, Any]:
        return {
            "division": self.division, "industry": self.industry, "kind": self.kind, "labels": sorted(self.labels),
            "licences": sorted(self.licences), "divisions": sorted(self.divisions),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates in order of code, with the columns COLUMNS and `row` (id in the frequency table); and who is left out."""

    candidates: pl.DataFrame
    excluded: pl.DataFrame  # code, reason

    def reasons(self) -> dict[str, int]:
        """How many were left out, by reason."""
        counted = self.excluded.group_by("reason").len().sort("reason")
        return dict(counted.iter_rows())


def find(
    filters: Filters, items: Sequence[dict[str, Any]], *, scheme: str, row_of: Callable[[str, int], Row], cap: int | None,
    exempt: bool, today: date,
) -> Pool:  # fmt: skip
    """Open entities that fit the filters and to which at least one of the items applies, and who of them is left out.

    `items` are the coded items of the task (empty: they apply to everybody); `row_of(class, industry)` gives the row of the
    frequency table; `cap` is the most visits a year of anybody, which with that of the row holds unless the task is `exempt`.
    Reads only: a handful of queries, whatever the number of entities.
    """
    found = _fitting(filters, items, scheme, today)
    rows = _rows(found, row_of)
    day, longest = clock.day_number(today), max([0, *rows["skip"]])
    this_year = visit_counts.made(None, date(today.year, 1, 1), today).select("entity", "visits")
    lately = visit_counts.made(None, clock.day_of(day - longest), today).select("entity", "last_day")
    busy = list_slice.waiting().tolist()
    found = found.join(rows, on=["class", "industry"], how="left")
    found = found.join(this_year, on="entity", how="left").join(lately, on="entity", how="left")
    reasons = [("not_graded", pl.col("class").is_null()), ("open_visit", pl.col("entity").is_in(busy))]
    if not exempt:
        reasons.append(("annual_cap", pl.col("visits") >= pl.lit(cap)))
        reasons.append(("class_limit", pl.col("visits") >= pl.col("at_most")))
    reasons.append(("recently_checked", day - pl.col("last_day") < pl.col("skip")))
    first = pl.coalesce(pl.when(holds).then(pl.lit(name)) for name, holds in reasons)
    found = found.with_columns(reason=first).sort("code")
    return Pool(
        found.filter(pl.col("reason").is_null()).select(*COLUMNS, "row"),
        found.filter(pl.col("reason").is_not_null()).select("code", "reason"),
    )


def _rows(found: pl.DataFrame, row_of: Callable[[str, int], Row]) -> pl.DataFrame:
    """The row of the frequency table for every class and industry that occurs."""
    pairs = found.filter(pl.col("class").is_not_null()).select("class", "industry").unique().sort("class", "industry")
    chosen = [row_of(class_, industry) for class_, industry in pairs.iter_rows()]
    return pairs.with_columns(
        row=pl.Series([row.id for row in chosen], dtype=pl.String),
        skip=pl.Series([row.skip_days for row in chosen], dtype=pl.Int32),
        at_most=pl.Series([row.at_most for row in chosen], dtype=pl.Int32),
    )


def _fitting(filters: Filters, items: Sequence[dict[str, Any]], scheme: str, today: date) -> pl.DataFrame:
    where = ["e.status = 1", "e.registered_seq IS NOT NULL", "coalesce(e.code, e.registration_no) IS NOT NULL"]
    where.append("NOT EXISTS (SELECT 1 FROM alias a WHERE a.entity = e.id AND a.until_seq IS NULL)")
    values: list[object] = [scheme]
    for column, prefix in (("division", filters.division), ("industry", filters.industry)):
        if prefix:
            where.append(f"e.{column} BETWEEN ? AND ?")
            values += prefix_range(column, prefix)
    if filters.kind:
        where.append("e.kind = ?")
        values.append(filters.kind)
    if filters.labels:
        member, given = labels.condition(list(filters.labels), today)
        where.append(f"({member})")
        values += given
    if filters.licences:
        day = clock.day_number(today)
        # Severity 0: valid, or run out in its time, which `ends` tells.
        held = (
            f"f.gone IS NULL AND f.severity = 0 AND f.kind = {LICENCE} AND f.code IN ({', '.join('?' * len(filters.licences))}) "
            "AND f.day <= ? AND (f.ends IS NULL OR f.ends > ?)"
        )
        where.append(
            f"(EXISTS (SELECT 1 FROM fact f WHERE f.entity = e.id AND {held}) OR "  # noqa: S608 (ours)
            f"EXISTS (SELECT 1 FROM fact f WHERE f.entity IN ({MERGED_INTO}) AND {held}))"
        )
        values += [*filters.licences, day, day] * 2
    condition, given = list_order.any_applies(items, today)
    if condition:
        where.append(condition)
        values += given
    area, bounds = in_sql(filters.divisions, "e.division")
    columns = "e.id, coalesce(e.code, e.registration_no), e.division, e.industry, s.class, s.score, s.chance, s.day"
    tables = "entity e LEFT JOIN grade_state s ON s.scheme = ? AND s.entity = e.id"
    sql = f"SELECT {columns} FROM {tables} WHERE {' AND '.join(where)}{area}"  # noqa: S608 (all ours)
    return read_frame(sql, [*values, *bounds], COLUMNS)


def freeze(candidates: pl.DataFrame, frame: Frame, ids: Mapping[tuple[str, str], int]) -> bytes:
    """All that a draw is made of, as compressed canonical JSON: the frame that is committed to, and what a list shows of the
    candidates (COLUMNS and `stratum`, in order of code). `ids` are those of the inspectors, by organ and staff number."""
    names = sorted(frame.sizes)
    places = {name: place for place, name in enumerate(names)}
    pool = frame.pool
    body = {
        "form": FORM,
        "strata": names,
        "stratum": candidates["stratum"].replace_strict(places, return_dtype=pl.Int32).to_list(),
        **{name: candidates[name].to_list() for name in SHOWN},
        "excluded": sorted([code, reason] for code, reason in frame.excluded.items()),
        "sizes": dict(frame.sizes),
        "per_day": frame.per_day,
        "pools": {
            organ: [
                [one, pool.days[organ, one], list(pool.areas[organ, one]), ids[organ, one]] for one in sorted(members)
            ]
            for organ, members in pool.members.items()
        },
        "conflicts": [list(one) for one in pool.conflicts],
    }
    return zlib.compress(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), 1)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What :func:`freeze` kept: the frame, what is shown of each candidate (in order of code), ids of inspectors."""

    frame: Frame
    shown: dict[str, list[Any]]
    ids: dict[tuple[str, str], int]


def thaw(draw: Draw) -> Frozen:
    """The candidates and the frame of a draw exactly as they were committed to."""
    body = orjson.loads(zlib.decompress(bytes(draw.candidates)))
    strata = [body["strata"][place] for place in body["stratum"]]
    pools = body["pools"]
    pool = lots.Pool(
        members={organ: [one for one, *_ in theirs] for organ, theirs in pools.items()},
        days={(organ, one): days for organ, theirs in pools.items() for one, days, _, _ in theirs},
        areas={(organ, one): tuple(areas) for organ, theirs in pools.items() for one, _, areas, _ in theirs},
        conflicts=[(organ, one, code) for organ, one, code in body["conflicts"]],
    )
    frame = Frame(
        draw.algorithm, draw.task.organ, str(draw.task_id), clock.day_of(draw.day).isoformat(), draw.frequency,
        Candidates(body["code"], strata, bytes.fromhex(draw.salt)), body["sizes"], dict(body["excluded"]), body["per_day"], pool,
    )  # fmt: skip
    ids = {(organ, one): number for organ, theirs in pools.items() for one, _, _, number in theirs}
    return Frozen(frame, {name: body[name] for name in SHOWN} | {"stratum": strata}, ids)
