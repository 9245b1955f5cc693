"""Who may go on a visit 检查: at least two inspectors of an organ, each active, certified, in area, competent and without conflict."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from registry.database import dicts
from registry.models import Inspector, Task, Visit, VisitInspector
from registry.services import inspectors, tasks
from registry.services.result_entry import mine

# No visit is made by one inspector alone: the rules of 双随机抽查 want two or more.
FEWEST = 2


@dataclass(frozen=True, slots=True)
class Where:
    """What a team is held against: the task, the entity, its division and kind, the days on which the visit may fall (inclusive), and
    the codes of the items that apply (None: not told)."""

    task: Task
    visit: int
    entity: int
    division: str
    kind: str
    first: date
    last: date
    applying: Sequence[str] | None = None


def items_of(task: Task, organ: str, kind: str, applying: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The items of a task that an organ checks at entities of a kind, those `applying` of them (`result_entry.mine`)."""
    return mine(task.items, task.checklist, organ, tasks.organs(task), kind=kind, applying=applying)


def of(visit: int, *, active: bool = True) -> list[tuple[VisitInspector, Inspector]]:
    """Who goes on a visit, by organ and staff number; with `active` False also who was replaced. One query."""
    query = (
        VisitInspector.select(VisitInspector, Inspector)
        .join(Inspector)
        .where(VisitInspector.visit == visit)
        .order_by(Inspector.organ, Inspector.staff_no)
    )
    if active:
        query = query.where(VisitInspector.active == True)  # noqa: E712 (an expression of the mapper)
    return [(one, one.inspector) for one in query]


def named(numbers: Sequence[int]) -> list[Inspector]:
    """Inspectors by id, by organ and staff number; ids that nobody has are left out. One query."""
    return list(Inspector.select().where(Inspector.id.in_(list(numbers))).order_by(Inspector.organ, Inspector.staff_no))


def short_of(team: Sequence[Inspector]) -> list[str]:
    """For each organ that sends too few, a sentence that says so."""
    by_organ: dict[str, int] = {}
    for one in team:
        by_organ[one.organ] = by_organ.get(one.organ, 0) + 1
    return [
        f"{organ} sends {count} inspector, and a visit needs at least {FEWEST} of each organ"
        for organ, count in sorted(by_organ.items())
        if count < FEWEST
    ]


def problems(team: Sequence[Inspector], where: Where) -> list[str]:
    """Every condition that fails, and for whom, as sentences; empty where all of them may go. Six queries at most.

    An inspector may go who is active and of an organ of the task; has a certificate that is valid through the last day; may
    check all coded items of his organ; works in the division of the entity; has no conflict of interest with it in these
    days; and, where the day is fixed, is not away and has a day left in that month.
    """
    numbers = [one.id for one in team]
    conflicts = _conflicts(numbers, where)
    busy = _busy(numbers, where)
    return [
        _of(one, said)
        for one in team
        for said in (*_standing(one, where), *conflicts.get(one.id, ()), *busy.get(one.id, ()))
    ]


def unfit(team: Sequence[Inspector], where: Where) -> list[str]:
    """Of those conditions the ones that must hold at the door: active, certified on the day, no conflict."""
    conflicts = _conflicts([one.id for one in team], where)
    return [
        _of(one, said)
        for one in team
        for said in (*_active(one), *_certified(one, where.last), *conflicts.get(one.id, ()))
    ]


def certificate(one: Inspector, day: date) -> str:
    """The number of the certificate that an inspector shows on a day: the one that is valid longest; "" without one."""
    valid = [(said["until"], said["no"]) for said in one.certificates if said["until"] >= day.isoformat()]
    return max(valid)[1] if valid else ""


def _of(one: Inspector, said: str) -> str:
    return f"{one.name} ({one.organ}, staff no. {one.staff_no}) {said}"


def _standing(one: Inspector, where: Where) -> list[str]:
    said = [*_active(one), *_certified(one, where.last)]
    if one.organ not in tasks.organs(where.task):
        said.append(f"is of neither the organ of task {where.task.id} nor a partner")
    if not inspectors.covers(one, where.division):
        said.append(f"works in {', '.join(one.areas) or 'no area'}, and the entity is in {where.division}")
    coded = {item["code"] for item in where.task.checklist}
    mine_ = items_of(where.task, one.organ, where.kind, where.applying)
    wanted = [item["code"] for item in mine_ if item["code"] in coded]
    if missing := [code for code in wanted if not inspectors.may_check(one, [code])]:
        said.append(f"may not check item {', '.join(missing)}")
    return said


def _active(one: Inspector) -> list[str]:
    return [] if one.state == "active" else [f"is {one.state}, not active"]


def _certified(one: Inspector, day: date) -> list[str]:
    return [] if inspectors.certified(one, day) else [f"has no certificate that is valid on {day}"]


def _conflicts(numbers: Sequence[int], where: Where) -> dict[int, list[str]]:
    pairs = inspectors.conflicts(numbers, [where.entity], where.first, where.last)
    # Not the reason: that is for who keeps the inspectors.
    return {one: ["has a conflict of interest with the entity, or was recused 回避"] for one, _ in pairs}


def _busy(numbers: Sequence[int], where: Where) -> dict[int, list[str]]:
    """Who is away on the one day of the visit, or has no day left in its month."""
    if where.first != where.last:
        return {}
    day = where.first
    found = {one: [f"is away on {day}"] for one, days in inspectors.away_days(numbers, day, day).items() if days}
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    planned: dict[int, set[date]] = {}
    for row in dicts(
        VisitInspector.select(VisitInspector.inspector, Visit.planned_on)
        .join(Visit)
        .where(
            VisitInspector.inspector.in_(list(numbers))
            & (VisitInspector.active == True)  # noqa: E712 (an expression of the mapper)
            & (Visit.planned_on >= first)
            & (Visit.planned_on < following)
            & (Visit.id != where.visit)
            & Visit.state.not_in(("dropped", "non_response"))
        )
        .distinct()
    ):
        planned.setdefault(row["inspector"], set()).add(row["planned_on"])
    for one in named(numbers):
        days = planned.get(one.id, set())
        if day not in days and len(days) >= one.capacity:
            said = f"has no day left in {day:%Y-%m}: {len(days)} of {one.capacity} are planned"
            found.setdefault(one.id, []).append(said)
    return found
