"""The random slice 随机部分 of a prioritised list: who could have come onto it, and a few of them drawn by lot.

A list that only follows risk would learn nothing of those whom it never sends anybody to. So some of every list are drawn by
simple random sampling from all that are eligible and not prioritised: each with the same known probability, m of N.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from registry import clock
from registry.config import Settings
from registry.database import execute, in_slices, is_postgres, read_frame
from registry.services import frequency, visit_counts
from registry.services.list_order import MERGED, NOBODY, WAITING, Filters, Ids, Item, of_entity, ranks_of
from rules.scheme import Scheme

# Percent of a list that is drawn by lot: a product default 产品默认值, it rests on no provision.
SHARE = 20
# Tasks that come from outside, or are owed by law: nobody chooses whom they are about, so nothing need be kept honest.
WITHOUT = ("complaint_or_report", "transferred_lead", "statutory")
# Why the frequency table leaves somebody alone, in the order in which it is said.
RESTS = ("annual_cap", "class_limit", "recently_checked")
MILLION = 1_000_000
# How much longer an entity takes that is looked up along an index than one that is read in passing.
FAR = 5

CLASSES = "SELECT s.entity, s.class, e.industry FROM grade_state s JOIN entity e ON e.id = s.entity WHERE s.scheme = ? AND s.entity IN"

Marks = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody who fits the filters, by id: who may come onto a list, and how many may not, and why.

    `eligible` stand in ascending order. `busy` and `resting` are all that there are, whether they fit or not.
    """

    eligible: Ids
    busy: Ids
    resting: Ids
    passed_over: dict[str, int]


def population(
    scheme: Scheme, filters: Filters, checklist: Sequence[Item], task_type: str, *, settings: Settings, today: date
) -> Population:
    """Who is graded, fits, and may be visited now: open, not left alone by the frequency table, and on no visit that is still to be made.

    `passed_over` counts those who fit and are not eligible, each by the first reason that holds: `not_open`, those of
    :func:`resting`, `open_visit`. As many queries for a city as for a street.
    """
    ranks, values = ranks_of(scheme, filters)
    sql = "SELECT entity FROM grade_state s WHERE scheme = ?" + (f" AND {ranks}" if ranks else "")  # noqa: S608 (ours)
    graded = _ids(sql, [scheme.id, *values])
    # Ids are given one after another: a mark for each is sorted by itself, and is a hundred times faster than sets.
    marks = np.zeros(int(graded.max(initial=0)) + 1, dtype=bool)
    marks[graded] = True
    where, given = of_entity(filters, checklist, today)
    if where:
        # One pass over the entities; joined to the grades it would take five times as long.
        how = "NOT INDEXED " if len(where) > 1 and _wide(filters, int(graded.size), today) else ""
        fitting = _ids(f"SELECT e.id FROM entity e {how}WHERE {' AND '.join(where)}", given)  # noqa: S608 (ours)
        fits = np.zeros_like(marks)
        fits[fitting[fitting < fits.size]] = True
        marks &= fits
    closed, merged = _ids("SELECT id FROM entity WHERE status <> 1", []), _ids(MERGED, [])
    busy, rest = waiting(), resting(scheme, checklist, task_type, settings=settings, today=today)
    _strike(marks, merged)
    passed = {"not_open": _strike(marks, closed)}
    passed |= {why: _strike(marks, ids) for why, ids in rest.items()}
    passed["open_visit"] = _strike(marks, busy)
    return Population(np.flatnonzero(marks), busy, np.unique(np.concatenate([NOBODY, *rest.values()])), passed)


def waiting() -> Ids:
    """Entities on a visit that is still to be made, of whatever list and organ, each once and in ascending order."""
    sql = f"SELECT DISTINCT entity FROM visit WHERE state IN {WAITING} ORDER BY entity"  # noqa: S608 (ours)
    return _ids(sql, [])


def resting(
    scheme: Scheme, checklist: Sequence[Item], task_type: str, *, settings: Settings, today: date
) -> dict[str, Ids]:
    """Entities that the frequency table leaves alone for now, by reason, whoever visited them.

    `annual_cap`: as often this year as anybody may be; `class_limit`: as often as its row allows; `recently_checked`: fewer days
    ago than its row skips. Nobody under a type of task that the table exempts from the cap. The same that a draw leaves out.
    """
    table, day = frequency.table(settings), clock.day_number(today)
    if task_type in table.exemptions(day):
        return dict.fromkeys(RESTS, NOBODY)
    cap, rows = table.annual_cap(day), table.rows(scheme.id, frequency.nature(checklist), day)
    longest = max((row.skip_days for _, _, row in rows), default=0)
    new_year = clock.day_number(date(today.year, 1, 1))
    days = visit_counts.days(None, clock.day_of(min(new_year, day - longest)), today)
    made = days.group_by("entity").agg(visits=(pl.col("day") >= new_year).sum(), last=pl.col("day").max())
    of = _classes(scheme, made["entity"].to_list())
    at_most, skip = pl.lit(None, dtype=pl.Int32), pl.lit(0, dtype=pl.Int32)
    for class_, industries, row in rows:
        fits = pl.col("class") == class_
        if industries is not None:
            fits &= pl.col("industry").is_between(*industries)
        at_most = pl.when(fits).then(pl.lit(row.at_most, dtype=pl.Int32)).otherwise(at_most)
        skip = pl.when(fits).then(row.skip_days).otherwise(skip)
    made = made.join(of, on="entity", how="left").with_columns(at_most=at_most, skip=skip)
    holds = (
        pl.col("visits") >= pl.lit(cap, dtype=pl.Int32),
        pl.col("visits") >= pl.col("at_most"),
        day - pl.col("last") < pl.col("skip"),
    )
    return {why: made.filter(one)["entity"].sort().to_numpy() for why, one in zip(RESTS, holds, strict=True)}


def capped(task_type: str, *, settings: Settings, today: date) -> Ids:
    """Entities that were visited this year as often as the annual cap 年度检查上限 allows, whoever made the visits.

    Nobody where the frequency table names no cap for the day, or exempts this type of task from it.
    """
    table, day = frequency.table(settings), clock.day_number(today)
    cap = table.annual_cap(day)
    if cap is None or task_type in table.exemptions(day):
        return NOBODY
    made = visit_counts.made(None, date(today.year, 1, 1), today)
    return made.filter(pl.col("visits") >= cap)["entity"].to_numpy()


def _classes(scheme: Scheme, entities: Sequence[int]) -> pl.DataFrame:
    """Class and industry (GB/T 4754 class, 0 unknown) of those of the entities that are graded."""
    form = {"entity": pl.Int64, "class": pl.String, "industry": pl.Int32}
    read = [
        read_frame(f"{CLASSES} ({', '.join('?' * len(part))})", [scheme.id, *part], form)
        for part in in_slices(entities, 10_000)
    ]
    return pl.concat([pl.DataFrame(schema=form), *read])


def sizes(size: int, eligible: int, share: int) -> tuple[int, int]:
    """How many of a list of `size` are prioritised and how many drawn by lot, where `share` percent are, rounded up.

    The two together are never more than there are eligible.
    """
    whole = min(size, eligible)
    drawn = -(-whole * share // 100)
    return whole - drawn, drawn


def drawn(pool: Ids, number: int, seed: bytes) -> list[int]:
    """Draw `number` of `pool` by simple random sampling: every subset of that size is equally likely under a random seed.

    Floyd's method over numbers that follow from the seed alone (SHA-256 over seed and a counter, without the bias of a
    remainder): the same pool and seed give the same draw on any machine. The ids come back in ascending order.

    Parameters
    ----------
    pool : distinct ids in ascending order
    number : at most the size of the pool
    seed : 32 secret random bytes, kept with the list
    """
    count = len(pool)
    if not 0 <= number <= count:
        raise ValueError(f"{number} of {count} cannot be drawn.")
    numbers = _Numbers(seed)
    places: set[int] = set()
    for last in range(count - number, count):
        place = numbers.below(last + 1)
        places.add(last if place in places else place)
    return sorted(int(pool[place]) for place in places)


def inclusion(number: int, count: int) -> int:
    """The probability with which each of `count` was among the `number` drawn, in millionths, to the nearest and at least 1."""
    return max((2 * MILLION * number + count) // (2 * count), 1)


class _Numbers:
    """Numbers that follow from a seed."""

    def __init__(self, seed: bytes) -> None:
        self.seed, self.counter = seed, 0

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1, all equally likely."""
        most = 2**256 - 2**256 % limit
        while True:
            digest = hashlib.sha256(self.seed + self.counter.to_bytes(8, "big")).digest()
            self.counter += 1
            value = int.from_bytes(digest, "big")
            if value < most:
                return value % limit


def without(pool: Ids, ids: Ids) -> Ids:
    """`pool` without these; both have each id once, and `pool` is in ascending order."""
    places = np.minimum(np.searchsorted(pool, ids), max(len(pool) - 1, 0))
    return np.delete(pool, places[pool[places] == ids]) if len(pool) else pool


def _wide(filters: Filters, everybody: int, today: date) -> bool:
    """Whether SQLite would go through so many entities one by one along the index of divisions that reading all is quicker."""
    area, values = of_entity(Filters(division=filters.division, divisions=filters.divisions), (), today)
    if not area or is_postgres():
        return False
    (inside,) = execute(f"SELECT count(*) FROM entity e WHERE {' AND '.join(area)}", values).fetchone()  # noqa: S608 (ours)
    return bool(inside * FAR > everybody)


def _ids(sql: str, values: Sequence[object]) -> Ids:
    return read_frame(sql, values, {"entity": pl.Int64})["entity"].to_numpy()


def _strike(marks: Marks, ids: Ids) -> int:
    """Take the marks off these ids; returns how many had one."""
    ids = ids[ids < marks.size]
    number = int(marks[ids].sum())
    marks[ids] = False
    return number
