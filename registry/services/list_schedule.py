"""When the visits of an inspection list are made: a calendar of the pairs that there are, filled street by street.

One pair visits neighbours of the tour on one day (a block), and the days follow the tour alone: a statutory due date follows from
the class, and days that went by it would tell the field. Nobody is planned beyond the inspector-days that the organs have until
the task ends. Who is assigned already (all of a draw) keeps his team, and gets a day on which it can go (list_team_days).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from registry.database import execute, execute_many, in_slices, insert_rows, is_postgres, write
from registry.divisions import in_sql
from registry.errors import RegistryError
from registry.models import InspectionList, Task
from registry.services import audit, inspectors, list_team_days, tasks, workdays
from registry.services.list_team_days import Stop
from registry.services.result_entry import mine
from registry.services.tasks import Desk
from rules.inspection.quotas import DAY_MINUTES, TEAM

ONE = timedelta(days=1)
MOST_A_DAY = 50
# Visits that get their day in one transaction: the list of a draw has thousands, and others write too.
CHUNK = 500


class ScheduleBeyondCapacity(RegistryError):
    """A list takes more days of visits than the inspectors have until its task ends. No visit was planned."""

    code = "schedule_beyond_capacity"
    status = 422


@dataclass(frozen=True, slots=True)
class Planned:
    """A visit and the day that is proposed for it; None where no pair has a day left."""

    visit: int
    tour: int
    code: str
    name: str
    address: str
    day: date | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A proposal: `pair_days` are needed, `available` are there from `first` to `last`, with at most `pairs` at work on one day."""

    first: date
    last: date
    per_day: int
    inspectors: int
    pairs: int
    pair_days: int
    available: int
    visits: list[Planned]
    planned: int

    @property
    def fits(self) -> bool:
        return all(one.day is not None for one in self.visits)


def per_day_of(task: Task) -> int:
    """How many visits of a task a pair makes in a working day: by the minutes of its items, at least one."""
    minutes = sum(item["minutes"] for item in task.checklist) or inspectors.VISIT_MINUTES
    return max(DAY_MINUTES // minutes, 1)


def propose(
    found: InspectionList, *, per_day: int | None = None, today: date, divisions: Sequence[str] = ("",)
) -> Schedule:
    """Propose a day for each visit of a list that is not begun and has none. Reads only; the same proposal on the same day.

    `per_day` visits of a pair in a day (default: as many as the minutes of the task's items allow). A day has as many pairs
    as each organ of the task has inspectors for, who may check its items and are certified to its end; all of them together
    have no more days than `inspectors.days` leaves them. Visits that have inspectors get a day on which these can go.
    `planned` counts visits that have their day already.
    """
    task, number = found.task, per_day or per_day_of(found.task)
    first, last = max(today, task.from_on), task.to_on
    waiting, planned = _visits(found, divisions)
    people, pairs, available = _capacity(task, first, last)
    working = _working(first, last)
    sent = list_team_days.propose(found, number, working, divisions=divisions)
    busy = Counter(block.day for block in sent if block.day is not None)
    # Neighbours go together.
    blocks = [waiting[at : at + number] for at in range(0, len(waiting), number)]
    days = _days(working, pairs, available, busy)
    shown = [Planned(*stop, block.day) for block in sent for stop in block.stops]
    for place, block in enumerate(blocks):
        day = days[place] if place < len(days) else None
        shown += [Planned(*stop, day) for stop in block]
    needed, there = len(blocks) + len(sent), len(days) + busy.total()
    return Schedule(first, last, number, people, pairs, needed, there, shown, planned)


def plan(
    found: InspectionList, *, per_day: int | None = None, desk: Desk, divisions: Sequence[str] = ("",)
) -> tuple[Schedule, int]:
    """Set the proposed days, CHUNK visits in a transaction; returns the schedule and how many visits got their day. Safe to repeat,
    also where it was cut short.

    A visit that has a day keeps it: `visits.reassign` moves it. Raises TaskNotApproved, and ScheduleBeyondCapacity with the
    numbers where the list does not fit.
    """
    tasks.approved(found.task)
    made = propose(found, per_day=per_day, today=desk.today, divisions=divisions)
    if not made.fits:
        left = sum(one.day is None for one in made.visits)
        raise ScheduleBeyondCapacity(
            f"List {found.id} takes {made.pair_days:,} pair-days at {made.per_day} visits a day, and {made.inspectors} "
            f"inspectors have {made.available:,} from {made.first} to {made.last}: {left:,} visits have no day. No visit was "
            "planned. Give more visits a day (`per_day`), more inspectors, a later end of the task, or a shorter list.",
            pair_days=made.pair_days, available=made.available, inspectors=made.inspectors, left=left,
        )  # fmt: skip
    days = {one.visit: one.day for one in made.visits if one.day is not None}
    done = 0
    for part in in_slices(sorted(days), CHUNK):
        with write():
            some = _set({visit: days[visit] for visit in part}, desk)
            if some:
                audit.note("list.scheduled", actor=desk.actor, subject=f"list {found.id}", now=desk.now, visits=some)
        done += some
    return made, done


def _set(days: dict[int, date], desk: Desk) -> int:
    """Set the days of visits that have none still; whoever was faster keeps his."""
    marks = ", ".join("?" * len(days))
    lock = " FOR UPDATE OF v" if is_postgres() else ""
    rows = execute(
        "SELECT v.id, (SELECT coalesce(max(s.number), 0) FROM visit_step s WHERE s.visit_id = v.id) FROM visit v "  # noqa: S608
        f"WHERE v.id IN ({marks}) AND v.planned_on IS NULL AND v.state IN ('open', 'assigned') ORDER BY v.id{lock}",
        list(days),
    ).fetchall()
    execute_many(
        "UPDATE visit SET planned_on = ?, version = version + 1 WHERE id = ?",
        [(days[visit].isoformat(), visit) for visit, _ in rows],
    )
    insert_rows(
        "visit_step",
        ("visit_id", "number", "act", "by", "at", "said", "detail"),
        (
            (visit, last + 1, "planned", desk.actor[:64], desk.now, "", f'{{"planned_on":"{days[visit]}"}}')
            for visit, last in rows
        ),
    )
    return len(rows)


def _visits(found: InspectionList, divisions: Sequence[str]) -> tuple[list[Stop], int]:
    """Visits without day and inspectors in the order of the tour, and how many that are not begun have a day."""
    inside, bounds = in_sql(divisions, "r.division")
    sql = (
        "SELECT v.id, r.tour, r.code, r.name, r.address, v.planned_on FROM visit v "  # noqa: S608 (ours)
        "JOIN inspection_list_row r ON r.list_id = v.list_id AND r.position = v.position "
        "WHERE v.list_id = ? AND (v.state = 'open' OR v.state = 'assigned' AND v.planned_on IS NOT NULL)"
        f"{inside} ORDER BY r.tour"
    )
    rows = execute(sql, (found.id, *bounds)).fetchall()
    waiting = [Stop(*row[:5]) for row in rows if row[5] is None]
    return waiting, len(rows) - len(waiting)


def _capacity(task: Task, first: date, last: date) -> tuple[int, int, int]:
    """Inspectors, pairs on one day, and pair-days that there are: of a joint task those of the organ that has fewest."""
    if last < first:
        return 0, 0, 0
    people, pairs, available = 0, [], []
    for organ in tasks.organs(task):
        codes = [one["code"] for one in mine([], task.checklist, organ, tasks.organs(task))]
        going = inspectors.pool([organ], codes, None, first, last)
        left = sorted(inspectors.days(going, first, last).values())
        people += len(going)
        pairs.append(len(going) // TEAM)
        # Nobody is a pair with himself: the busiest has days enough only as far as the others have.
        available.append(min(sum(left) // TEAM, sum(left[:-1])))
    return people, min(pairs), min(available)


def _working(first: date, last: date) -> list[date]:
    """The working days of a period."""
    every = (first + ONE * step for step in range((last - first).days + 1))
    # The notice for a year comes out in the November before: until then its weekdays are taken to be worked.
    return [
        day
        for day in every
        if (workdays.is_working(day) if workdays.known(day.year) else day.weekday() < workdays.SATURDAY)
    ]


def _days(working: Sequence[date], pairs: int, available: int, busy: Counter[date]) -> list[date]:
    """One entry for each pair-day, in order: on each working day the `pairs` that no team of `busy` takes, until they have no days left."""
    found: list[date] = []
    for day in working:
        found += [day] * max(min(pairs - busy[day], available - len(found)), 0)
    return found


def shown(made: Schedule) -> dict[str, Any]:
    """A schedule as plain values."""
    return {
        "first": made.first.isoformat(), "last": made.last.isoformat(), "per_day": made.per_day, "inspectors": made.inspectors,
        "pairs": made.pairs, "pair_days": made.pair_days, "available": made.available, "fits": made.fits,
        "planned_before": made.planned,
        "visits": [
            {
                "visit": one.visit, "number": one.tour, "code": one.code, "name": one.name, "address": one.address,
                "planned_on": None if one.day is None else one.day.isoformat(),
            }
            for one in made.visits
        ],
    }  # fmt: skip
