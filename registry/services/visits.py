"""Visits 检查: one entity, one door; who goes, when they entered, when they were done.

open 待分派 → assigned 已分派 → started 检查中 → finished 已检查 → closed 已办结 (when every organ's result is approved); or non_response 未能检查, or dropped
已取消. Every verb is one transaction with its step and audit entry, holds the row of the visit, is safe to repeat, and says
where the visit stands and who brought it there when something else was done first. docs/tasks-and-visits.md tells the whole.
"""

import hmac
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from registry import clock
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import execute, is_postgres, write
from registry.errors import RegistryError
from registry.models import InspectionList, InspectionListRow, Inspector, Task, Visit, VisitInspector, VisitStep
from registry.services import aliases, audit, tasks, visit_counts, visit_team
from registry.services.tasks import Desk
from registry.services.visit_team import Where

__all__ = [
    "STATES", "Desk", "VisitConflict", "VisitNotFound", "VisitRefused", "assign", "drop", "finish", "get", "last_step",
    "locked", "non_response", "reassign", "sheet_of", "start", "step",
]  # fmt: skip

STATES = {
    "open": "待分派", "assigned": "已分派", "started": "检查中", "finished": "已检查，待录入审核", "closed": "已办结",
    "non_response": "未能检查", "dropped": "已取消",
}  # fmt: skip
# Chosen by lot: what is left out of them by hand would bend every figure that rests on them.
BY_LOT = ("draw", "random")
LONGEST_TEXT = 2_000


class VisitNotFound(RegistryError):
    """There is no such visit, or it is none of this organ's, or of these divisions."""

    code = "visit_not_found"
    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(
            f"There is no visit {number} of this organ. `xinheng visit list` and GET /api/v1/visits show those that there are."
        )


class VisitConflict(RegistryError):
    """Something else was done with the visit first: nothing was changed, and the message says where it stands."""

    code = "visit_conflict"
    status = 409


class VisitRefused(RegistryError):
    """A step that lacks something, or inspectors who may not go."""

    code = "visit_refused"
    status = 422


def assign(
    number: int, *, inspectors: Sequence[int], planned_on: date | None = None, settings: Settings, desk: Desk
) -> tuple[Visit, bool]:
    """Assign inspectors (by id) to a visit, at least two of each organ that goes, and the day on which they are to go.

    A desk of an organ assigns its own inspectors; in a joint task each organ does so. Safe to repeat with the same (second
    value False). Raises VisitNotFound, TaskNotApproved, CapReached where the entity may not be visited again this year;
    VisitConflict where others are assigned already, or it was begun; VisitRefused, naming every condition that fails and for whom.
    """
    with write():
        row = locked(number, desk)
        team = _team(inspectors, desk)
        mine = [one for one in visit_team.of(number) if _ours(one[1], team, desk)]
        if row.state == "assigned" and mine:
            if {one.id for _, one in mine} == {one.id for one in team} and planned_on in (None, row.planned_on):
                return row, False
            raise VisitConflict(_stands(row, "Inspectors of this organ are assigned already. Reassign it to change them, or the day."))  # fmt: skip
        if row.state not in ("open", "assigned"):
            raise VisitConflict(_stands(row, "It is past being assigned."))
        day = planned_on or row.planned_on
        if row.planned_on is not None and day != row.planned_on and row.state == "assigned":
            raise VisitConflict(_stands(row, f"It is planned for {row.planned_on}. Assign it to that day, or reassign it."))  # fmt: skip
        tasks.approved(row.task)
        # The cap is that of the year in which it is made: a visit that is planned in December for January counts there.
        made_on = day or max(desk.today, row.task.from_on)
        _may_visit(row, settings, Desk(desk.actor, desk.organ, made_on, desk.now))
        _fit(row, team, day, desk)
        _come(row, team, 0)
        row.state, row.planned_on = "assigned", day
        step(row, "assigned", "", {"inspectors": [one.id for one in team], **_day(day)}, desk)
        return row, True


def reassign(
    number: int, *, inspectors: Sequence[int], planned_on: date | None = None, why: str, version: int | None = None,
    desk: Desk,
) -> tuple[Visit, bool]:  # fmt: skip
    """Put these inspectors (all of an organ's) in the place of those who were assigned, or move the visit to another day.

    Who leaves stays on record as not active. Of a drawn visit only the day moves: its inspectors were drawn by lot, and a
    recusal draws another. Safe to repeat with the same. `version` is what the caller saw: another one is refused. Raises as
    :func:`assign`, and VisitConflict where nobody is assigned yet.
    """
    with write():
        row = locked(number, desk)
        said = _words(why, "why", "why it is reassigned")
        team = _team(inspectors, desk)
        mine = [one for one in visit_team.of(number) if _ours(one[1], team, desk)]
        before, after = {one.id for _, one in mine}, {one.id for one in team}
        day = planned_on or row.planned_on
        if row.state == "assigned" and before == after and day == row.planned_on:
            return row, False
        _seen(row, version)
        if row.state != "assigned" or not mine:
            raise VisitConflict(_stands(row, "Only a visit that is assigned and not begun can be reassigned."))
        tasks.approved(row.task)
        if row.slice == "draw" and before != after:
            raise VisitRefused(
                f"The inspectors of visit {number} were drawn by lot and are not changed by hand. Ask for a recusal 回避 with its "
                "reason: POST /api/v1/draws/{id}/recusals draws another one, on record."
            )
        _fit(row, team, day, desk)
        gone = sorted(before - after)
        VisitInspector.update(active=False).where(
            (VisitInspector.visit == number) & VisitInspector.inspector.in_(gone)
        ).execute()
        _come(row, [one for one in team if one.id not in before], _last_round(number) + 1)
        row.planned_on = day
        step(row, "reassigned", said, {"out": gone, "in": sorted(after - before), **_day(day)}, desk)
        return row, True


def start(
    number: int, *, token: str = "", why: str = "", present: Sequence[int] = (), at: int | None = None,
    settings: Settings, desk: Desk,
) -> tuple[Visit, bool]:  # fmt: skip
    """Enter: the code of the notice 扫码入企, which inspectors are there (default: all assigned), and the moment (default: now).

    The entry counts as the entity's visit of that day. Without the code a reason is kept instead. Safe to repeat: begun
    already, it is returned unchanged. Raises VisitNotFound, TaskNotApproved, CapReached; VisitConflict where it is not
    assigned, or over; VisitRefused for a wrong code, neither code nor reason, a moment or day outside the task, or
    inspectors who are not of this visit, too few, or without a certificate that is valid on the day.
    """
    with write():
        row = locked(number, desk)
        if token and not hmac.compare_digest(plain(token).encode(), row.token.encode()):
            raise VisitRefused(
                f"This is not the code of visit {number}. Read the code on the notice of this enterprise again; without one, say "
                "why (`why`)."
            )
        if row.state == "started":
            return row, False
        going = visit_team.of(number)
        # A draw assigns when it is run.
        if row.state not in ("open", "assigned") or not going:
            raise VisitConflict(_stands(row, "Only a visit to which inspectors are assigned can be begun."))
        tasks.approved(row.task)
        entered = desk.now if at is None else at
        day = desk.today if at is None else _local_day(at, settings)
        _in_time(row, entered, day, desk)
        said = "" if token else _words(why, "why", "why the code of the notice could not be read; with it no reason is needed")  # fmt: skip
        there = _there(row, [one for _, one in going], present, day)
        _may_visit(row, settings, Desk(desk.actor, desk.organ, day, desk.now), entering=True)
        row.state, row.entered_at, row.visited_on = "started", entered, day
        shown = [{"id": one.id, "certificate": visit_team.certificate(one, day)} for one in there]
        step(row, "started", said, {"scanned": bool(token), "inspectors": shown}, desk)
        return row, True


def finish(number: int, *, on: date | None = None, said: str = "", desk: Desk) -> tuple[Visit, bool]:
    """The check on site is over; `on` is the day of the visit where that is not the day of entry. Results may follow.

    Safe to repeat. Raises VisitNotFound; VisitConflict where it was not begun; VisitRefused for a day before the entry or
    after today.
    """
    with write():
        row = locked(number, desk)
        if row.state in ("finished", "closed") and on in (None, row.visited_on):
            return row, False
        if row.state != "started":
            raise VisitConflict(_stands(row, "Only a visit that was begun can be finished."))
        entered = row.visited_on
        assert entered is not None, "who starts a visit says on which day"
        day = on or entered
        if not entered <= day <= desk.today:
            raise VisitRefused(f"The day {day} does not lie between the entry, {entered}, and today, {desk.today}. Correct it.")  # fmt: skip
        row.state, row.finished_at, row.visited_on = "finished", desk.now, day
        step(row, "finished", _short(said), {"day": day.isoformat()}, desk)
        return row, True


def non_response(number: int, *, why: str, version: int | None = None, desk: Desk) -> tuple[Visit, bool]:
    """Record that the visit could not be made (nobody was met, the door was shut), and why: of any slice, also a drawn one.

    It counts to no cap and shows no result. What was met with on site, also that an enterprise could not be found, is a
    result instead. Safe to repeat. Raises VisitNotFound, TaskNotApproved, VisitRefused without a reason, VisitConflict
    where it was begun or is over.
    """
    return _leave(number, "non_response", _words(why, "why", "why nobody could be visited"), version, desk)


def drop(number: int, *, why: str, version: int | None = None, desk: Desk) -> tuple[Visit, bool]:
    """Drop a visit that no lot chose, and say why. Safe to repeat.

    Raises VisitNotFound, TaskNotApproved; VisitRefused without a reason, and for one that was drawn; VisitConflict where
    it was begun or is over.
    """
    return _leave(number, "dropped", _words(why, "why", "why it is dropped"), version, desk)


def _leave(number: int, state: str, why: str, version: int | None, desk: Desk) -> tuple[Visit, bool]:
    with write():
        row = locked(number, desk)
        if row.state == state and row.why == why:
            return row, False
        if state == "dropped" and row.slice in BY_LOT:
            raise VisitRefused(
                f"Visit {number} is random: it cannot be dropped. Reassign it, or record a non-response with its reason."
            )
        _seen(row, version)
        if row.state not in ("open", "assigned"):
            raise VisitConflict(_stands(row, "Only a visit that was not begun can end so."))
        tasks.approved(row.task)
        row.state, row.why = state, why
        step(row, state, why, {}, desk)
        return row, True


def get(number: int, *, organ: str, divisions: Sequence[str] = ("",)) -> Visit:
    """A visit of a task that an organ leads or is partner of (empty: of any), to an entity in divisions with these prefixes.

    It comes with its task. What a draw has not written to its end is nobody's yet. Raises VisitNotFound.
    """
    found = (
        Visit.select(Visit, Task)
        .join(Task)
        .switch(Visit)
        .join(InspectionList)
        .where((Visit.id == number) & (InspectionList.size > 0))
        .first()
    )
    if found is None or (organ and organ not in tasks.organs(found.task)):
        raise VisitNotFound(number)
    if "" not in divisions and not sheet_of(found).division.startswith(tuple(divisions)):
        raise VisitNotFound(number)
    assert isinstance(found, Visit)
    return found


def sheet_of(visit: Visit) -> InspectionListRow:
    """The frozen row of the list: what the sheet of a visit says of its entity."""
    row = InspectionListRow.get(
        (InspectionListRow.list == visit.list_id) & (InspectionListRow.position == visit.position)
    )
    assert isinstance(row, InspectionListRow)
    return row


def locked(number: int, desk: Desk) -> Visit:
    """The visit as the desk's organ may work it, held until the transaction ends. Raises VisitNotFound."""
    if is_postgres():
        execute("SELECT id FROM visit WHERE id = ? FOR UPDATE", (number,))
    return get(number, organ=desk.organ)


def step(row: Visit, act: str, said: str, detail: dict[str, Any], desk: Desk) -> None:
    """Save a visit in its new state with the step that brought it there: one version more, one audit entry."""
    row.version += 1
    row.save()
    before = last_step(row.id)
    VisitStep.insert(
        visit=row.id, number=1 if before is None else before.number + 1, act=act, by=desk.actor[:64], at=desk.now, said=said,
        detail=detail,
    ).execute()  # fmt: skip
    audit.note(f"visit.{act}", actor=desk.actor, subject=f"visit {row.id}", now=desk.now, **detail)


def last_step(number: int) -> VisitStep | None:
    """What was done last with a visit; None where nothing was done yet."""
    found = VisitStep.select().where(VisitStep.visit == number).order_by(VisitStep.number.desc()).first()
    assert found is None or isinstance(found, VisitStep)
    return found


def plain(token: str) -> str:
    """A code as it was typed or scanned, without blanks and hyphens, in capitals."""
    return "".join(one for one in token.upper() if one.isascii() and one.isalnum())


def _team(inspectors: Sequence[int], desk: Desk) -> list[Inspector]:
    wanted = list(dict.fromkeys(inspectors))
    team = visit_team.named(wanted)
    if unknown := sorted(set(wanted) - {one.id for one in team}):
        raise VisitRefused(f"There is no inspector {', '.join(map(str, unknown))}. `xinheng inspector list` and GET /api/v1/inspectors show them.")  # fmt: skip
    if not team:
        raise VisitRefused(f"No inspector is named. Give at least {visit_team.FEWEST} of each organ that goes.")
    if desk.organ and (others := sorted({one.organ for one in team} - {desk.organ})):
        raise VisitRefused(f"{', '.join(others)} assigns its own inspectors; {desk.organ} names those of its own.")
    return team


def _ours(one: Inspector, team: Sequence[Inspector], desk: Desk) -> bool:
    """Whether an inspector is of an organ that this desk decides about."""
    return one.organ == desk.organ if desk.organ else one.organ in {member.organ for member in team}


def _fit(row: Visit, team: Sequence[Inspector], day: date | None, desk: Desk) -> None:
    first, last = _span(row, desk.today)
    if day is not None and not first <= day <= last:
        raise VisitRefused(f"The day {day} does not lie between {first} and {last}, the days that are left of it. Correct `planned_on`.")  # fmt: skip
    sheet, span = sheet_of(row), (first, last) if day is None else (day, day)
    where = Where(row.task, row.id, row.entity, sheet.division, sheet.kind, *span, sheet.items)
    if failing := [*visit_team.short_of(team), *visit_team.problems(team, where)]:
        raise VisitRefused(
            f"Visit {row.id} cannot be assigned so: {'; '.join(failing)}. Choose others.", failing=failing
        )


def _there(row: Visit, going: Sequence[Inspector], present: Sequence[int], day: date) -> list[Inspector]:
    numbers = set(present) or {one.id for one in going}
    if strange := sorted(numbers - {one.id for one in going}):
        raise VisitRefused(f"Inspector {', '.join(map(str, strange))} is not assigned to visit {row.id}. Reassign it first.")  # fmt: skip
    there = [one for one in going if one.id in numbers]
    where = Where(row.task, row.id, row.entity, "", "", day, day)
    if failing := [*visit_team.short_of(there), *visit_team.unfit(there, where)]:
        raise VisitRefused(
            f"Visit {row.id} cannot be begun so: {'; '.join(failing)}. Reassign it first.", failing=failing
        )
    return there


def _come(row: Visit, team: Sequence[Inspector], round_: int) -> None:
    for one in team:
        execute(
            "INSERT INTO visit_inspector (visit_id, inspector_id, organ, round, active) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (visit_id, inspector_id) DO UPDATE SET active = excluded.active, round = excluded.round",
            (row.id, one.id, one.organ, round_, True),
        )


def _last_round(number: int) -> int:
    found = execute("SELECT max(round) FROM visit_inspector WHERE visit_id = ?", (number,)).fetchone()
    return int(found[0] or 0)


def _span(row: Visit, today: date) -> tuple[date, date]:
    """The days on which a visit may be made, from today on: those of its task, of a re-check until its own last day."""
    last = max(row.task.to_on, row.recheck_by or row.task.to_on)
    return max(today, row.task.from_on), last


def _in_time(row: Visit, entered: int, day: date, desk: Desk) -> None:
    first, last = row.task.from_on, _span(row, day)[1]
    # What was ordered is followed up whenever the correction was due.
    if not (first <= day <= last or row.slice == "recheck"):
        raise VisitRefused(f"Task {row.task.id} is from {first} to {last}, and {day} is not: nothing can be inspected under it then. Record a non-response.")  # fmt: skip
    if entered > desk.now or day > desk.today:
        raise VisitRefused(f"The moment {clock.moment_text(entered)} lies in the future. Give when the enterprise was entered, or leave `at` out.")  # fmt: skip


def _may_visit(row: Visit, settings: Settings, desk: Desk, *, entering: bool = False) -> None:
    if is_postgres():
        # Two visits to one entity that are sent at once must see each other.
        execute("SELECT id FROM entity WHERE id = ? FOR NO KEY UPDATE", (aliases.root(row.entity),))
    type_ = "recheck" if row.slice == "recheck" else row.task.type
    # Two who were sent (two draws may fall on one entity) would each hold the other back: at the door the first one enters.
    visit_counts.may_visit(row.entity, type_, desk.today, settings, visit=None if entering else row.id)


def _local_day(at: int, settings: Settings) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(settings.jobs.timezone)).date()


def _seen(row: Visit, version: int | None) -> None:
    if version is not None and version != row.version:
        raise VisitConflict(_stands(row, f"It is at version {row.version} now, and you saw {version}. Read it again."))


def _stands(row: Visit, why: str) -> str:
    before = last_step(row.id)
    by = "" if before is None else f", {before.act} by {before.by} at {clock.moment_text(before.at)}"
    return f"Visit {row.id} is {row.state} ({STATES[row.state]}){by}. {why}"


def _day(day: date | None) -> dict[str, str]:
    return {} if day is None else {"planned_on": day.isoformat()}


def _words(text: str, name: str, what: str) -> str:
    if not text.strip():
        raise VisitRefused(f"The text `{name}` is missing. Say {what}.")
    return _short(text)


def _short(text: str) -> str:
    return mask_personal(text.strip())[:LONGEST_TEXT]
