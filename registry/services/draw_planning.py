"""How a draw is planned 抽取方案: strata by class, sizes inside the bounds of the frequency table, who may be sent, days it takes."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import polars as pl

from registry.errors import RegistryError
from registry.models import Inspector, Task
from registry.services import frequency, inspectors, tasks
from registry.services.draw_errors import NoTeam
from registry.services.frequency import PlanTooLarge
from registry.services.result_entry import mine
from rules.draw import Pool
from rules.inspection.frequency import Row
from rules.inspection.quotas import TEAM, QuotaConflict, Workload, quota, workload

STRATA = {"class": "按类别 by class", "class+division": "按类别和区划 by class and division"}


class QuotaRefused(RegistryError):
    """The bounds of the frequency table leave no number of entities to draw, or not the one that was asked for."""

    code = "quota_conflict"
    status = 422


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum 层: `size` of `candidates` are drawn by lot, each with the probability size / candidates."""

    name: str
    class_: str
    row: str
    division: str
    candidates: int
    size: int

    def to_dict(self) -> dict[str, Any]:
        said = asdict(self)
        return {"stratum": said.pop("name"), "class": said.pop("class_"), **said}


def stratify(candidates: pl.DataFrame, *, by: str) -> pl.DataFrame:
    """The candidates with their `stratum`: the class; with the row of the frequency table where a class has several (an
    industry with bounds of its own); with the division where that is asked for."""
    rows = candidates.group_by("class").agg(rows=pl.col("row").n_unique())
    several = rows.filter(pl.col("rows") > 1)["class"].to_list()
    name = pl.when(pl.col("class").is_in(several)).then(pl.col("class") + "/" + pl.col("row")).otherwise("class")
    return candidates.with_columns(stratum=name + ":" + pl.col("division") if by == "class+division" else name)


def sizes(
    candidates: pl.DataFrame, rows: Mapping[str, Row], ratios: Mapping[str, int], *, by: str
) -> list[Stratum]:  # fmt: skip
    """How many are drawn of each stratum; `ratios` are wanted ones by class, in hundredths of a percent.

    The bounds hold for a class as a whole (for each row of the table that a class has): with strata by division its number
    is shared out among them by their sizes (Sainte-Laguë), at least one each.
    Raises QuotaRefused with the numbers where the bounds leave none, or fewer than there are divisions.
    """
    found: list[Stratum] = []
    for (class_, row), part in candidates.group_by(["class", "row"]):
        try:
            number = quota(part.height, rows[str(row)], ratios.get(str(class_)))
        except QuotaConflict as error:
            raise QuotaRefused(f"Class {class_}: {error}") from error
        counted = part.group_by("stratum").agg(pl.len().alias("number"), pl.col("division").first()).sort("stratum")
        counts = {str(name): int(count) for name, count in counted.select("stratum", "number").iter_rows()}
        if number < len(counts):
            raise QuotaRefused(
                f"Class {class_}: {number} of {part.height:,} may be drawn, and they live in {len(counts)} divisions, each of "
                "which needs one at least. Draw by class alone (strata class), or fewer divisions at a time."
            )
        where = dict(counted.select("stratum", "division").iter_rows()) if by == "class+division" else {}
        found += [
            Stratum(name, str(class_), str(row), where.get(name, ""), counts[name], size)
            for name, size in share(number, counts).items()
        ]
    return sorted(found, key=lambda one: one.name)


def share(number: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Share a number out by size: at least one each, never more than there are, ties to the first by name.

    `number` lies between the number of shares and the sum of `counts`.
    """
    seats = dict.fromkeys(sorted(counts), 1)
    waiting = [(-Fraction(count, 3), name) for name, count in counts.items() if count > 1]
    heapq.heapify(waiting)
    for _ in range(number - len(seats)):
        _, name = heapq.heappop(waiting)
        seats[name] += 1
        if seats[name] < counts[name]:
            heapq.heappush(waiting, (-Fraction(counts[name], 2 * seats[name] + 1), name))
    return seats


@dataclass(frozen=True, slots=True)
class Staff:
    """Who may be sent: the pool that is committed to, and the ids of its inspectors by organ and staff number."""

    pool: Pool
    ids: dict[tuple[str, str], int]


def staff(task: Task, candidates: pl.DataFrame, today: date) -> Staff:
    """Inspectors of every organ of a task who may be sent from today (or its first day) to its last, and their conflicts of interest
    with candidates (columns entity, code, division).

    Raises NoTeam where an organ has fewer than two, or where two cannot be found for a candidate whatever else is drawn: a
    draw that could not be carried out if it fell on him would not be one by lot.
    """
    first, last = max(today, task.from_on), task.to_on
    people: list[Inspector] = []
    coded = {one["code"] for one in task.checklist}
    for organ in tasks.organs(task):
        items = {one["code"] for one in mine(task.items, task.checklist, organ, tasks.organs(task))}
        people += inspectors.pool([organ], sorted(items & coded), None, first, last)
    left = inspectors.days(people, first, last)
    people = [one for one in people if left[one.id] > 0]
    members = {organ: [one.staff_no for one in people if one.organ == organ] for organ in tasks.organs(task)}
    for organ, theirs in members.items():
        if len(theirs) < TEAM:
            raise NoTeam(
                f"{organ} has {len(theirs)} inspector(s) who may be sent under task {task.id} from {first} to {last}: active, certified "
                f"through that day, allowed to check all its items, with a day left. Every visit takes {TEAM} of each organ. "
                "GET /api/v1/inspectors shows why the others may not; extend the task, or leave the organ out of it."
            )
    codes = dict(candidates.select("entity", "code").iter_rows())
    who = {one.id: (one.organ, one.staff_no) for one in people}
    barred = sorted(
        (*who[one], codes[entity]) for one, entity in inspectors.conflicts(people, list(codes), first, last)
    )
    areas = {who[one.id]: tuple(sorted(one.areas)) for one in people}
    pool = Pool(members, {who[one.id]: left[one.id] for one in people}, areas, barred)
    _reached(pool, candidates)
    return Staff(pool, {name: number for number, name in who.items()})


def _reached(pool: Pool, candidates: pl.DataFrame) -> None:
    """Raise NoTeam unless two inspectors of each organ may visit every candidate."""
    barred: dict[tuple[str, str], list[str]] = {}
    for organ, one, code in pool.conflicts:
        barred.setdefault((organ, code), []).append(one)
    where = dict(candidates.select("code", "division").iter_rows())
    here = {
        (organ, division): {one for one in theirs if division.startswith(tuple(pool.areas[organ, one]))}
        for organ, theirs in pool.members.items()
        for division in sorted(set(where.values()))
    }
    for (organ, division), able in here.items():
        if len(able) < TEAM:
            raise NoTeam(
                f"{organ} has {len(able)} inspector(s) who may be sent to division {division or 'unknown'}, where candidates are, and every "
                f"visit takes {TEAM} of each organ. Give more inspectors that area, or draw without that division."
            )
    for (organ, code), conflicted in barred.items():
        able = here[organ, where[code]].difference(conflicted)
        if len(able) < TEAM:
            raise NoTeam(
                f"{len(able)} inspector(s) of {organ} have no conflict of interest with {code}, a candidate, and every visit takes {TEAM}. If "
                "it were drawn, nobody could be sent. Give more inspectors its area, or have the conflicts looked at."
            )


def days_taken(strata: Sequence[Stratum], pool: Pool, *, minutes: int, day_minutes: int) -> dict[str, Workload]:
    """Inspector-days that the visits take, by organ, against those there are. Raises PlanTooLarge with the organ and the numbers."""
    visits = {one.name: one.size for one in strata}
    found: dict[str, Workload] = {}
    for organ, members in pool.members.items():
        there = sum(pool.days[organ, one] for one in members)
        found[organ] = workload(visits, minutes, len(members), there, day_minutes=day_minutes)
        try:
            frequency.fit(found[organ], day_minutes=day_minutes)
        except PlanTooLarge as error:
            error.detail = f"{organ}: {error.detail} Nothing was committed to."
            raise
    return found
