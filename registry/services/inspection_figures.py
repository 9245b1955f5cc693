"""Figures of inspections 检查统计: done, published and closed, problems found, effort, deadlines, ratings, visits beyond the cap.

Entities 户数 and visits 户次 are counted apart. Each figure says of how many; a rate without ground is null, never 0. Classes are in
them: for readers of grades alone. docs/inspection-figures.md says what each one means.
"""

from datetime import date, timedelta
from typing import Any

import polars as pl

from registry import clock
from registry.config import Settings
from registry.services import aliases, inspection_material, inspection_rates, visit_counts
from registry.services.complaints import BadPeriod
from registry.services.inspection_material import Material, Scope
from registry.services.inspection_rates import BY_LOT, DIGITS, share
from registry.services.list_views import SLICES

LONGEST_DAYS = 5 * 366
# A year before it there is still a day.
EARLIEST = date(1971, 1, 1)
# With fewer, who rated a visit and how could be told. Numbers of ratings are told in steps of it, and means with one digit, so that two
# figures of which one has a visit more do not tell it either.
LEAST_RATINGS = 5
EVERY, LOT = "all", "lot"
MADE = ("started", "finished", "closed")


def period(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The period of figures, both days included: without a last day up to `today`, without a first one from a year before the last.

    Raises BadPeriod if it ends before it begins, is longer than five years, or begins before 1971, or ends more than five years from today.
    """
    end = last or today
    start = first or (end - timedelta(days=365) if end >= EARLIEST else end)
    if start > end or (end - start).days > LONGEST_DAYS or start < EARLIEST or end.year > today.year + 5:
        raise BadPeriod(
            f"There are no figures from {start} to {end}. Give a first day (`from`, not before {EARLIEST}) that is not after the last one (`to`), "
            "at most five years apart."
        )
    return start, end


def figures(scope: Scope, *, settings: Settings) -> dict[str, Any]:
    """All figures of the lists of a scope, as they stand today. As many queries whatever the number of visits: some thirty, a few for each
    scheme and calendar year.

    Returns
    -------
    dict
        ``from``, ``to``, ``on``, ``task``, ``division``, ``lists``, ``tasks``; ``total`` and ``organs`` (one for each organ that has results to
        give: its own part of each visit; for a caller with an organ, only that one), each with ``visits`` and ``entities`` (:func:`_progress`),
        ``publication``, ``rechecks``, ``leads``, ``ratings``; ``slices`` and ``classes`` (inspection_rates.by_slice, by_class); ``unbiased``
        (inspection_rates.unbiased); ``effort`` (:func:`_effort`); ``beyond_cap`` (must be empty).

    Raises
    ------
    BadPeriod
        As :func:`period`.
    """
    period(scope.first, scope.last, scope.today)
    read = inspection_material.read(scope, settings)
    before = inspection_material.read(scope.a_year_before(), settings)
    rated = inspection_material.ratings(scope, settings)
    known = inspection_rates.classes_of(read, settings)
    organs = sorted(set(read.parts["organ"]) & ({scope.organ} if scope.organ else set(read.parts["organ"])))
    today = clock.day_number(scope.today)
    return {
        "from": scope.first.isoformat(), "to": scope.last.isoformat(), "on": scope.today.isoformat(), "task": scope.task,
        "division": scope.division, "lists": read.lists.height, "tasks": len(read.tasks),
        "total": _told(read.counted, read.parts, rated, today),
        "organs": [
            {"organ": organ, **_told(mine, mine, rated, today)}
            for organ in organs
            for mine in (read.parts.filter(pl.col("organ") == organ),)
        ],
        "slices": inspection_rates.by_slice(read),
        "classes": inspection_rates.by_class(read, known),
        "unbiased": inspection_rates.unbiased(read, known),
        "effort": _effort(read, before),
        "beyond_cap": _beyond(scope, read, settings),
    }  # fmt: skip


def _told(rows: pl.DataFrame, parts: pl.DataFrame, rated: pl.DataFrame, today: int) -> dict[str, Any]:
    """What is said of everybody, and of one organ: `rows` visits (of an organ: its part of each), `parts` the results that they wait for."""
    return {
        **_progress(rows),
        "publication": _publication(parts, today),
        "rechecks": _rechecks(rows, parts, today),
        "leads": share(int(parts["lead_settled"].sum()), int(parts["leads"].sum())),
        "ratings": _ratings(rated.join(rows.select("visit"), on="visit", how="semi")["score"]),
    }  # fmt: skip


def _progress(rows: pl.DataFrame) -> dict[str, Any]:
    """Visits 户次 and entities 户数: to check, visited, not met, dropped, published, closed; completion = published ÷ to check, closure =
    closed ÷ published. What was dropped stays to be checked: nobody completes by dropping. Closed is what is published and
    leaves nothing to be done (order → re-check done, lead → filed or closed). An entity counts once one of its visits does; it is closed when no
    published visit of it leaves anything.
    """

    def told(count: Any, closed: int) -> dict[str, Any]:
        published, every = count(pl.col("published")), count(pl.lit(True))
        return {
            "to_check": every, "visited": count(pl.col("state").is_in(MADE)),
            "non_response": count(pl.col("state") == "non_response"), "dropped": count(pl.col("state") == "dropped"),
            "published": published, "closed": closed, "completion": share(published, every), "closure": share(closed, published),
        }  # fmt: skip

    out = rows.filter("published")
    by_entity = out.group_by("entity").agg(pl.col("outstanding").any())
    return {
        "visits": told(lambda which: rows.filter(which).height, out.filter(~pl.col("outstanding")).height),
        "entities": told(
            lambda which: rows.filter(which)["entity"].n_unique(), by_entity.filter(~pl.col("outstanding")).height
        ),
    }


def _publication(parts: pl.DataFrame, today: int) -> dict[str, Any]:
    """Results of visits that were made, one for each organ: published in time (within 20 working days), late, not yet due, overdue; withdrawn ones are due no more."""
    made = parts.filter(pl.col("visited").is_not_null() & (pl.col("state") != "dropped"))
    held = made.filter(~pl.col("withdrawn"))
    out = held.filter("published")
    late = out.filter(pl.col("published_on") > pl.col("publish_by")).height
    overdue = held.filter(~pl.col("published") & (pl.col("publish_by") < today)).height
    in_time = out.height - late
    return {
        "in_time": in_time, "late": late, "open": held.height - out.height - overdue, "overdue": overdue,
        "withdrawn": made.height - held.height, "punctual": share(in_time, in_time + late + overdue),
    }  # fmt: skip


def _rechecks(rows: pl.DataFrame, parts: pl.DataFrame, today: int) -> dict[str, Any]:
    """Re-checks 复查 of these visits: ordered (with those that an enterprise asked for), done, past their last day, and orders that have no visit yet."""
    there = rows.filter(pl.col("recheck").is_not_null())
    done = there.filter(pl.col("recheck") == "closed").height
    late = there.filter((pl.col("recheck") != "closed") & (pl.col("recheck_by") < today)).height
    ordered = parts.filter("orders")
    missing = ordered.filter(pl.col("recheck").is_null())["visit"].n_unique()
    return {
        "orders": ordered.height, "ordered": there.height + missing, "done": share(done, there.height + missing), "overdue": late,
        "without_visit": missing,
    }  # fmt: skip


def _ratings(scores: pl.Series) -> dict[str, Any] | None:
    number = len(scores) // LEAST_RATINGS * LEAST_RATINGS
    return {"at_least": number, "mean": round(float(scores.sum()) / len(scores), 1)} if number else None


def _effort(read: Material, before: Material) -> list[dict[str, Any]]:
    """Minutes on site for each visit that found something, by slice, for all by lot, and for all.

    Of visits of which every result is approved: `minutes` of all inspectors together by the frozen checklist, `found` visits with a
    problem, `problems`, `per_found` = minutes ÷ found. `of_lot`: per_found ÷ that of the lot in the same period (below 1: less effort than by
    chance). `last_year`: the same of the same span a year before, and `of_last_year` the ratio to it.
    """
    groups = {**{name: [name] for name in SLICES}, LOT: list(BY_LOT), EVERY: list(SLICES)}
    now = {name: _spent(read.counted, slices) for name, slices in groups.items()}
    then = {name: _spent(before.counted, slices) for name, slices in groups.items()}
    return [
        {
            "slice": name, **one,
            "of_lot": None if name in (LOT, *BY_LOT) else _ratio(one["per_found"], now[LOT]["per_found"]),
            "last_year": then[name], "of_last_year": _ratio(one["per_found"], then[name]["per_found"]),
        }
        for name, one in now.items()
        if one["visits"] or then[name]["visits"]
    ]  # fmt: skip


def _spent(rows: pl.DataFrame, slices: list[str]) -> dict[str, Any]:
    done = rows.filter(pl.col("slice").is_in(slices) & pl.col("settled"))
    minutes, found = int(done["minutes"].sum()), int(done["failed"].sum())
    return {
        "visits": done.height, "minutes": minutes, "found": found, "problems": int(done["problems"].sum()),
        "per_found": round(minutes / found, 1) if found else None,
    }  # fmt: skip


def _ratio(one: float | None, other: float | None) -> float | None:
    return round(one / other, DIGITS) if one is not None and other else None


def _beyond(scope: Scope, read: Material, settings: Settings) -> list[dict[str, Any]]:
    """Entities of these divisions visited beyond their annual cap on a day of the period, by whichever organ, and which organs were there on those days.

    Of one task, those that it visited. Must be empty.
    """
    divisions = [one for one in (_both(prefix, scope.division) for prefix in scope.divisions) if one is not None]
    entities = set(read.counted["entity"]) if scope.task is not None else None
    found = []
    for year in range(scope.first.year, scope.last.year + 1):
        for one in visit_counts.over_cap(settings, year, divisions):
            days = [day for day in one.beyond if scope.first <= day <= scope.last]
            if days and (entities is None or one.entity in entities):
                found.append((one, days))
    whole = [one.entity for one, _ in found]
    into = aliases.members(whole) if whole else {}
    there: dict[tuple[int, date], set[str]] = {}
    for entity, day, organ in inspection_material.organs_of(
        sorted({*whole, *into}), sorted({day for _, days in found for day in days})
    ):
        there.setdefault((into.get(entity, entity), day), set()).add(organ)
    return [
        {
            "code": one.code, "division": one.division, "cap": one.cap, "visits": one.visits,
            "days": [{"day": day.isoformat(), "organs": sorted(there.get((one.entity, day), ()))} for day in days],
        }
        for one, days in found
    ]  # fmt: skip


def _both(one: str, other: str) -> str | None:
    """The prefix of what lies in both; None where nothing does."""
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    return longer if longer.startswith(shorter) else None
