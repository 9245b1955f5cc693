"""The inspectors 执法检查人员 that a draw or an assignment may choose: who there is, who may go, and how many days are left.

Kept by `inspector_keeping`. No identity number and no telephone number of an inspector is stored.
docs/one-list-two-databases.md tells the whole.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from registry import clock, cursor
from registry.database import dicts, execute, find, in_slices
from registry.errors import RegistryError
from registry.models import Entity, Inspector, InspectorAway, InspectorConflict, Task
from registry.page import Page
from registry.services import aliases, workdays
from registry.services.register_forms import EVERYTHING
from rules.inspection.quotas import DAY_MINUTES

# What a visit takes whose task has no coded items.
VISIT_MINUTES = 60
ONE = timedelta(days=1)


class InspectorNotFound(RegistryError):
    """There is no such inspector, or not of the organ of who asks."""

    code = "inspector_not_found"
    status = 404

    def __init__(self, who: int | str) -> None:
        super().__init__(
            f"There is no inspector {who}, or not of this organ. `xinheng inspector list` and GET /api/v1/inspectors show those "
            "that there are."
        )


def pool(organs: Sequence[str], items: Sequence[str], division: str | None, first: date, last: date) -> list[Inspector]:
    """Inspectors of these organs who may be sent from `first` to `last`, in order of (organ, staff number).

    Active, with a certificate that is valid through `last`, allowed to check all of these items (codes), and free on a day at
    least. With a `division` (six digits, or the prefix of an area) only those whose areas contain it.
    """
    rows = Inspector.select().where(Inspector.organ.in_(list(organs)) & (Inspector.state == "active"))
    fit = [
        row
        for row in rows
        if certified(row, last) and may_check(row, items) and (division is None or covers(row, division))
    ]
    free = away_days([row.id for row in fit], first, last)
    whole = (last - first).days + 1
    # Plain code points, not the language of a database: the order is part of a draw.
    return sorted((row for row in fit if len(free[row.id]) < whole), key=lambda row: (row.organ, row.staff_no))


def certified(row: Inspector, day: date) -> bool:
    """Whether a certificate is valid on this day, its last day of validity included."""
    return any(one["until"] >= day.isoformat() for one in row.certificates)


def may_check(row: Inspector, items: Iterable[str]) -> bool:
    """Whether he may check all of these items."""
    return EVERYTHING in row.items or set(items) <= set(row.items)


def covers(row: Inspector, division: str) -> bool:
    """Whether one of his areas contains a division, or an area given by its prefix."""
    return any(division.startswith(area) for area in row.areas)


def conflicts(
    inspectors: Iterable[Inspector | int], entities: Iterable[int], first: date, last: date
) -> set[tuple[int, int]]:
    """Pairs (inspector id, entity id) of which a conflict of interest holds on any day from `first` to `last`.

    A conflict with an entity that was merged holds for the one that it is now.
    """
    people = sorted({one if isinstance(one, int) else one.id for one in inspectors})
    wanted = list(dict.fromkeys(entities))
    declared: dict[int, set[int]] = defaultdict(set)
    for part in in_slices(people):
        held = InspectorConflict.select(InspectorConflict.inspector, InspectorConflict.entity).where(
            InspectorConflict.inspector.in_(list(part)) & (InspectorConflict.from_on <= last)
            & (InspectorConflict.until_on.is_null() | (InspectorConflict.until_on > first))
        )  # fmt: skip
        for row in dicts(held):
            declared[row["entity"]].add(row["inspector"])
    if not declared:
        return set()
    now = aliases.roots(list(declared))
    by_root: dict[int, set[int]] = defaultdict(set)
    for entity, who in declared.items():
        by_root[now.get(entity, entity)] |= who
    roots = aliases.roots(wanted)
    return {(who, entity) for entity in wanted for who in by_root.get(roots.get(entity, entity), ())}


def days(inspectors: Sequence[Inspector], first: date, last: date) -> dict[int, int]:
    """By inspector id: how many days of visits he has left from `first` to `last`.

    Working days on which he is not away and has nothing planned, in each month at most his capacity less the days of that
    month that are planned already; less what visits without a planned day, of tasks that overlap the period, will take
    (their minutes, DAY_MINUTES to the day, rounded up). Four queries, however many they are.
    """
    ids = [row.id for row in inspectors]
    # A month's capacity is that of the whole month, whatever part of it is asked about.
    begin, end = first.replace(day=1), _month_end(last)
    away, (dated, minutes) = away_days(ids, first, last), planned(ids, begin, end, first, last)
    # The calendar of next year comes out in November: plans are made before, by weekdays.
    on_file = {year for year in range(first.year, last.year + 1) if workdays.known(year)}
    working = [
        day
        for day in _span(first, last)
        if (workdays.is_working(day) if day.year in on_file else day.weekday() < workdays.SATURDAY)
    ]
    left: dict[int, int] = {}
    for row in inspectors:
        taken: Counter[tuple[int, int]] = Counter((day.year, day.month) for day in dated[row.id])
        free: Counter[tuple[int, int]] = Counter(
            (day.year, day.month) for day in working if day not in away[row.id] and day not in dated[row.id]
        )
        total = sum(min(number, max(row.capacity - taken[month], 0)) for month, number in free.items())
        left[row.id] = max(total - -(-minutes[row.id] // DAY_MINUTES), 0)
    return left


def away_days(ids: Sequence[int], first: date, last: date) -> dict[int, set[date]]:
    """By inspector id: the days from `first` to `last` on which he is away. One query."""
    found: dict[int, set[date]] = {number: set() for number in ids}
    for part in in_slices(list(ids)):
        rows = InspectorAway.select().where(
            InspectorAway.inspector.in_(list(part)) & (InspectorAway.from_on <= last) & (InspectorAway.to_on >= first)
        )
        for row in rows:
            found[row.inspector_id].update(_span(max(row.from_on, first), min(row.to_on, last)))
    return found


def planned(
    ids: Sequence[int], begin: date, end: date, first: date, last: date
) -> tuple[dict[int, set[date]], dict[int, int]]:
    """By inspector id: days from `begin` to `end` on which visits are planned or were made; and the minutes of open visits
    without a planned day under tasks that overlap `first` to `last`. Dropped visits take nothing. Two queries."""
    dated: dict[int, set[date]] = {number: set() for number in ids}
    minutes: dict[int, int] = dict.fromkeys(ids, 0)
    for part in in_slices(list(ids)):
        marks = ", ".join("?" * len(part))
        on = "coalesce(v.visited_on, v.planned_on)"
        joined = "FROM visit_inspector w JOIN visit v ON v.id = w.visit_id"
        rows = execute(
            f"SELECT DISTINCT w.inspector_id, {on} {joined} WHERE w.inspector_id IN ({marks}) AND w.active "
            f"AND v.state <> 'dropped' AND {on} BETWEEN ? AND ?",
            [*part, begin.isoformat(), end.isoformat()],
        ).fetchall()
        for inspector, day in rows:
            dated[inspector].add(day if isinstance(day, date) else date.fromisoformat(day))
        open_ = execute(
            f"SELECT w.inspector_id, v.task_id, count(*) {joined} JOIN task t ON t.id = v.task_id "
            f"WHERE w.inspector_id IN ({marks}) AND w.active AND v.planned_on IS NULL AND v.visited_on IS NULL "
            "AND v.state IN ('open', 'assigned') AND t.from_on <= ? AND t.to_on >= ? GROUP BY w.inspector_id, v.task_id",
            [*part, last.isoformat(), first.isoformat()],
        ).fetchall()
        takes = _task_minutes({row[1] for row in open_})
        for inspector, task, number in open_:
            minutes[inspector] += number * takes[task]
    return dated, minutes


def _task_minutes(tasks: set[int]) -> dict[int, int]:
    """By task: the minutes of one visit, from the coded items that it has."""
    if not tasks:
        return {}
    rows = Task.select(Task.id, Task.checklist).where(Task.id.in_(sorted(tasks)))
    return {row.id: sum(one["minutes"] for one in row.checklist) or VISIT_MINUTES for row in rows}


def get(number: int, *, organ: str = "") -> Inspector:
    """One inspector by his number, of one's own organ (empty: of any). Raises InspectorNotFound."""
    found = find(Inspector, id=number)
    if found is None or (organ and found.organ != organ):
        raise InspectorNotFound(number)
    return found


def page(
    today: date, *, organ: str = "", state: str = "", item: str = "", expiring: int | None = None, after: str | None = None,
    limit: int = 50,
) -> Page[dict[str, Any]]:  # fmt: skip
    """Inspectors as :func:`shown`, in order of organ and staff number; of one organ, or (empty) of all. One query.

    `item`: only those that may check it. `expiring`: only active ones without a certificate that is valid so many days
    from today on. Raises BadCursor for a token that is not of this list.
    """
    query = Inspector.select().order_by(Inspector.organ, Inspector.staff_no)
    if organ:
        query = query.where(Inspector.organ == organ)
    if state or expiring is not None:
        query = query.where(Inspector.state == (state or "active"))
    if after is not None:
        place, staff = cursor.decode(after, str, str)
        query = query.where((Inspector.organ > place) | ((Inspector.organ == place) & (Inspector.staff_no > staff)))
    narrow = bool(item) or expiring is not None
    limit_day = today + timedelta(days=expiring or 0)
    # Items and certificates stand in JSON: whoever asks for one reads the organ's inspectors, a few hundred.
    rows = [
        row
        for row in query.limit(None if narrow else limit + 1)
        if (not item or may_check(row, [item])) and (expiring is None or not certified(row, limit_day))
    ][: limit + 1]
    token = cursor.encode(rows[limit - 1].organ, rows[limit - 1].staff_no) if len(rows) > limit else None
    return Page([shown(row, today) for row in rows[:limit]], token)


def shown(row: Inspector, today: date) -> dict[str, Any]:
    """An inspector as those who may read the inspectors see him; `certified_until` is the last day of his longest certificate,
    and `certified` whether that has not passed: without it no draw chooses him."""
    until = max((one["until"] for one in row.certificates), default=None)
    return {
        "id": row.id, "organ": row.organ, "staff_no": row.staff_no, "name": row.name, "level": row.level,
        "position": row.position, "areas": row.areas, "items": row.items, "certificates": row.certificates,
        "certified_until": until, "certified": certified(row, today), "expert": row.expert, "capacity": row.capacity,
        "actor": row.actor, "state": row.state, "version": row.version, "updated_by": row.updated_by,
        "updated_at": clock.moment_text(row.updated_at),
    }  # fmt: skip


def declared(row: Inspector, *, divisions: Sequence[str] = ("",)) -> list[dict[str, Any]]:
    """His conflicts of interest 利害关系, also those that ended, with entities in these divisions; the newest first. One query."""
    joined = (
        InspectorConflict.select(InspectorConflict, Entity.code, Entity.registration_no, Entity.name, Entity.division)
        .join(Entity, on=(Entity.id == InspectorConflict.entity))
        .where(InspectorConflict.inspector == row.id)
        .order_by(InspectorConflict.from_on.desc(), InspectorConflict.entity)
    )
    return [
        {
            "code": one["code"] or one["registration_no"] or "", "name": one["name"], "why": one["why"],
            "from_on": one["from_on"].isoformat(), "until_on": None if one["until_on"] is None else one["until_on"].isoformat(),
            "by": one["by"], "at": clock.moment_text(one["at"]),
        }
        for one in dicts(joined)
        if any(one["division"].startswith(prefix) for prefix in divisions)
    ]  # fmt: skip


def absences(row: Inspector) -> list[dict[str, Any]]:
    """When he is away, both days included, the last first. One query."""
    rows = InspectorAway.select().where(InspectorAway.inspector == row.id).order_by(InspectorAway.from_on.desc())
    return [{"from_on": one.from_on.isoformat(), "to_on": one.to_on.isoformat(), "why": one.why} for one in rows]


def _span(first: date, last: date) -> Iterable[date]:
    return (first + ONE * step for step in range((last - first).days + 1))


def _month_end(day: date) -> date:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return following - ONE
