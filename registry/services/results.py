"""Results of visits 检查结果: entered by one person, reviewed by another, published; here the entry and what is read of them.

Each organ of a joint task enters its own. `result_entry` checks what was entered, `result_review` approves or returns it,
`result_publish` publishes it, `result_follow` does what follows. docs/results.md tells the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from peewee import fn

from registry import clock, cursor, parameters
from registry.config import Settings
from registry.database import dicts, write
from registry.divisions import in_query
from registry.errors import BadCursor, RegistryError
from registry.kinds.spot_check import OUTCOMES
from registry.models import (
    Entity,
    InspectionListRow,
    Inspector,
    Record,
    Task,
    Visit,
    VisitInspector,
    VisitResult,
    VisitStep,
)
from registry.page import Page
from registry.services import tasks, visits, workdays
from registry.services.result_entry import Entry, ResultRefused, checked, mine
from registry.services.visits import VisitNotFound

PARAMETERS = parameters.shipped("results")
STATES = {"entered": "已录入，待审核", "returned": "已退回", "approved": "已审核，待公示", "published": "已公示"}
APPROVED, UNPUBLISHED = ("approved", "published"), ("entered", "returned", "approved")


class ResultNotFound(RegistryError):
    """This organ has no result of this visit."""

    code = "result_not_found"
    status = 404


class ResultConflict(RegistryError):
    """What was asked for does not follow from where the result stands, or somebody else was faster."""

    code = "result_conflict"
    status = 409


class ResultElsewhere(RegistryError):
    """The result is another organ's, or the visit other inspectors'."""

    code = "result_elsewhere"
    status = 403


@dataclass(frozen=True, slots=True)
class Desk(visits.Desk):
    """Who acts, for which organ (empty at a terminal, which works for every organ), when, and by which settings.

    `token_seed` are 32 secret bytes from which the code of a re-check's notice is made.
    """

    settings: Settings
    token_seed: bytes


def enter(
    number: int, entry: Entry, *, organ: str = "", version: int | None = None, desk: Desk
) -> tuple[VisitResult, bool]:
    """Enter what an organ (default: the desk's own) found at a visit; returns the result and whether anything is new.

    By an inspector of the visit or somebody of the organ, once the visit was started. `version` is that of the result
    that is to be replaced; without it only a first one, or one that was returned, is entered. The last organ's result
    finishes the visit where nobody did. Safe to repeat: the same words by the same person change nothing.

    Raises VisitNotFound, ResultElsewhere, ResultRefused (and BadDocument) as `result_entry.checked`, ResultConflict where the
    visit was not started, the result is approved, or somebody entered one meanwhile: the sentence says what stands.
    """
    with write():
        visit = visits.locked(number, desk)
        whose = organ or desk.organ
        _may_enter(visit, whose, desk)
        before = found(visit.id, whose)
        if before is not None and before.state in APPROVED:
            raise ResultConflict(stands(before, "It is corrected as a record from here on (`xinheng correct`), or by a re-check."), **_now(before))  # fmt: skip
        if visit.state not in ("started", "finished"):
            raise ResultConflict(
                f"Visit {visit.id} is {visit.state}: a result is entered of one that was started or finished. Start it first "
                f"(`xinheng visit start {visit.id}`)."
            )
        kept = checked(entry, items_of(visit, whose), on=visit.visited_on or desk.today)
        if before is not None and before.state == "entered" and _repeats(before, kept.columns, kept.copied_to, desk):
            return before, False
        if version != (before.version if before else 0) and not (
            version is None and (before is None or before.state == "returned")
        ):
            raise ResultConflict(
                stands(before, "Read it, and send its `version` to put yours in its place.")
                if before
                else f"{whose} has no result of visit {visit.id} yet: leave `version` out.",
                **_now(before),
            )
        if visit.state == "started" and _is_last(visit, whose):
            visit, _ = visits.finish(visit.id, desk=desk)
        row = {
            **kept.columns, "state": "entered", "entered_by": desk.actor[:64], "entered_at": desk.now, "reviewed_by": "",
            "reviewed_at": None, "opinion": "", "publish_by": publish_by(visit, desk.today),
            "version": 1 if before is None else before.version + 1,
        }  # fmt: skip
        if before is None:
            VisitResult.insert(visit=visit.id, organ=whose, **row).execute()
        else:
            keep(before, **row)
        detail = {"organ": whose, "outcome": row["outcome"], "version": row["version"]}
        visits.step(visit, "result_entered", str(row["said"]), detail | ({"copied_to": kept.copied_to} if kept.copied_to else {}), desk)  # fmt: skip
        return get(visit.id, whose), True


def get(number: int, organ: str) -> VisitResult:
    """The result of one organ of a visit. Raises ResultNotFound."""
    row = found(number, organ)
    if row is None:
        raise ResultNotFound(f"{organ} has no result of visit {number}. `xinheng result enter {number}` enters one.")
    return row


def found(number: int, organ: str) -> VisitResult | None:
    """The same, or None where there is none."""
    row: VisitResult | None = VisitResult.get_or_none((VisitResult.visit == number) & (VisitResult.organ == organ))
    return row


def visible(number: int, *, organ: str = "", divisions: Sequence[str] = ("",)) -> Visit:
    """A visit under a task in which the organ takes part, to an entity in these divisions; "" is every organ.

    Raises VisitNotFound: what is not one's business is as absent as what does not exist.
    """
    visit = visits.get(number, organ=organ)
    division = Entity.get_by_id(visit.entity).division
    if not any(division.startswith(prefix) for prefix in divisions):
        raise VisitNotFound(number)
    return visit


def items_of(visit: Visit, organ: str) -> list[dict[str, Any]]:
    """The items that an organ checks at a visit, as its task has them frozen (`result_entry.mine`)."""
    task = visit.task
    row = InspectionListRow.get_or_none(
        (InspectionListRow.list == visit.list_id) & (InspectionListRow.position == visit.position)
    )
    return mine(
        task.items,
        task.checklist,
        organ,
        tasks.organs(task),
        kind=row.kind if row else "",
        applying=row.items if row else None,
    )


def expected(visit: Visit) -> list[str]:
    """The organs whose result a visit waits for: those that check an item of it; of a re-check those that wanted it."""
    with_items = [organ for organ in tasks.organs(visit.task) if items_of(visit, organ)] or [visit.task.organ]
    if visit.follows is None:
        return with_items
    steps = VisitStep.select(VisitStep.detail).where(
        (VisitStep.visit == visit.follows) & (VisitStep.act == "recheck_made")
    )
    wanted = {one.detail.get("organ") for one in steps}
    return [organ for organ in with_items if organ in wanted] or with_items


def sheet(visit: Visit, today: date) -> dict[str, Any]:
    """What is to be entered of a visit and what was: by organ its items with their questions, and its result or None."""
    return {
        "visit": visit.id, "state": visit.state, "visited_on": visit.visited_on,
        "organs": [
            {"organ": organ, "items": items_of(visit, organ), "result": shown(row, today) if (row := found(visit.id, organ)) else None}
            for organ in expected(visit)
        ],
    }  # fmt: skip


def shown(row: VisitResult, today: date) -> dict[str, Any]:
    """One result as everybody who works on it reads it. `overdue`: its last day for publication is past."""
    outcome = OUTCOMES[row.outcome][1]
    names = (
        "organ", "items", "serious_found", "problems_found", "minor_found", "disposal", "correct_by", "photos", "said", "state",
        "entered_by", "reviewed_by", "opinion", "seq", "publish_by", "published_on", "recheck_until", "recheck_asked_on", "version",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names} | {
        "visit": row.visit_id, "outcome": row.outcome, "outcome_title": {"zh": outcome.zh, "en": outcome.en},
        "entered_at": clock.moment_text(row.entered_at),
        "reviewed_at": None if row.reviewed_at is None else clock.moment_text(row.reviewed_at),
        "overdue": row.state != "published" and row.publish_by is not None and row.publish_by < today,
    }  # fmt: skip


def page(
    today: date, *, organ: str = "", state: str = "", soon: bool = False, divisions: Sequence[str] = ("",), after: str | None = None,
    limit: int = 50,
) -> Page[dict[str, Any]]:  # fmt: skip
    """Results of one organ ("": of all), those first that must be published first; with `soon` only those that are not
    published and are past their last day or near it (parameter `remind_ahead`)."""
    query = VisitResult.select(VisitResult, Entity.code.alias("party"), Entity.name.alias("party_name")).join(Visit)
    query = in_query(query.join(Entity, on=(Entity.id == Visit.entity)), Entity.division, divisions)
    if organ:
        query = query.where(VisitResult.organ == organ)
    if state:
        query = query.where(VisitResult.state == state)
    if soon:
        last = today + timedelta(days=PARAMETERS["remind_ahead"].on(today).value)
        query = query.where(VisitResult.state.in_(UNPUBLISHED) & (VisitResult.publish_by <= last) & ~withdrawn())
    if after is not None:
        text, visit, whose = cursor.decode(after, str, int, str)
        try:
            by = date.fromisoformat(str(text))
        except ValueError as error:
            raise BadCursor(
                "The page token `after` is damaged or belongs to another list. Start again without it."
            ) from error
        later = (VisitResult.publish_by > by) | (
            (VisitResult.publish_by == by)
            & ((VisitResult.visit > visit) | ((VisitResult.visit == visit) & (VisitResult.organ > whose)))
        )
        query = query.where(later)
    order = (VisitResult.publish_by, VisitResult.visit, VisitResult.organ)
    rows = list(query.order_by(*order).limit(limit + 1).objects())
    items = [shown(row, today) | {"code": row.party, "name": row.party_name} for row in rows[:limit]]
    last_row = rows[limit - 1] if len(rows) > limit else None
    token = (
        None if last_row is None else cursor.encode(last_row.publish_by.isoformat(), last_row.visit_id, last_row.organ)
    )
    return Page(items, token)


def withdrawn() -> Any:
    """The condition that the record of a result was withdrawn: it is published no more, and nothing of it is due."""
    gone = Record.select().where(
        (Record.identity == VisitResult.identity) & Record.replaced_seq.is_null() & (Record.act == "withdraw")
    )
    return fn.EXISTS(gone)


def missing(today: date) -> list[dict[str, Any]]:
    """Finished visits of which an organ has entered nothing, and whose last day is past or near: [{visit, organ, publish_by}].

    Reads the finished visits of approved tasks, not those that are closed.
    """
    last = today + timedelta(days=PARAMETERS["remind_ahead"].on(today).value)
    # Beyond this a visit is not near its last day, however many holidays lie between.
    since = today - timedelta(
        days=PARAMETERS["publish_days"].on(today).value - PARAMETERS["remind_ahead"].on(today).value
    )
    rows = Visit.select().where(
        Visit.task.in_(Task.select(Task.id).where(Task.state == "approved")) & (Visit.state == "finished")
        & Visit.visited_on.is_null(False) & (Visit.visited_on <= since)
    )  # fmt: skip
    return [
        {"visit": visit.id, "organ": organ, "publish_by": by}
        for visit in rows.order_by(Visit.id)
        if (by := publish_by(visit, today)) <= last
        for organ in expected(visit)
        if found(visit.id, organ) is None
    ]


def publish_by(visit: Visit, today: date) -> date:
    """The last day for publishing what was found at a visit; of one that is not finished as if it ended today."""
    day = visit.visited_on or today
    return workdays.due(day, PARAMETERS["publish_days"].on(day).value)


def photo(row: VisitResult, digest: str) -> dict[str, Any] | None:
    """The entry of a photo in a result by its SHA-256, or None where the result has no such photo."""
    return next((one for one in row.photos if one["sha256"] == digest.lower()), None)


def own(row: VisitResult, desk: Desk) -> None:
    """Raise ResultElsewhere where a desk of another organ would decide on a result."""
    if desk.organ and desk.organ != row.organ:
        raise ResultElsewhere(f"The result is that of {row.organ}, and {desk.organ} is not that. Let them do it.")


def keep(row: VisitResult, **values: Any) -> None:
    """Write new values of a result, inside its verb's transaction."""
    VisitResult.update(**values).where((VisitResult.visit == row.visit_id) & (VisitResult.organ == row.organ)).execute()


def steps_of(number: int, act: str, organ: str) -> list[dict[str, Any]]:
    """The steps of one sort and organ of a visit, in order."""
    rows = dicts(
        VisitStep.select().where((VisitStep.visit == number) & (VisitStep.act == act)).order_by(VisitStep.number)
    )
    return [one for one in rows if one["detail"].get("organ") == organ]


def stands(row: VisitResult, why: str) -> str:
    """Where a result stands, by whom, and what may be done."""
    who = f"entered by {row.entered_by} at {clock.moment_text(row.entered_at)}, outcome {row.outcome}, version {row.version}"
    by = f"; reviewed by {row.reviewed_by}" if row.reviewed_by else ""
    return f"The result of {row.organ} of visit {row.visit_id} is {row.state} ({STATES[row.state]}), {who}{by}. {why}"


def _now(row: VisitResult | None) -> dict[str, Any]:
    return {} if row is None else {"state": row.state, "version": row.version, "entered_by": row.entered_by, "outcome": row.outcome}  # fmt: skip


def _may_enter(visit: Visit, organ: str, desk: Desk) -> None:
    if organ not in tasks.organs(visit.task):
        raise ResultRefused(
            f"{organ or 'No organ'} takes no part in task {visit.task_id}. Its organs are: {', '.join(tasks.organs(visit.task))}."
        )
    if organ not in expected(visit):
        raise ResultRefused(f"{organ} checks no item at visit {visit.id}, so it has no result to enter. Those who do: {', '.join(expected(visit))}.")  # fmt: skip
    if desk.organ in ("", organ):
        return
    goes = (
        VisitInspector.select()
        .join(Inspector)
        .where((VisitInspector.visit == visit.id) & VisitInspector.active & (VisitInspector.organ == organ))
        .where((Inspector.actor == desk.actor) & (Inspector.actor != ""))
    )
    if not goes.exists():
        raise ResultElsewhere(
            f"The result of {organ} is entered by somebody of it or by one of its inspectors of visit {visit.id}; {desk.organ} is neither."
        )


def _is_last(visit: Visit, organ: str) -> bool:
    there = {row.organ for row in VisitResult.select(VisitResult.organ).where(VisitResult.visit == visit.id)}
    return set(expected(visit)) <= there | {organ}


def _repeats(before: VisitResult, columns: dict[str, Any], copied_to: str, desk: Desk) -> bool:
    told = steps_of(before.visit_id, "result_entered", before.organ)[-1]["detail"].get("copied_to", "")
    same = all(getattr(before, name) == value for name, value in columns.items())
    return same and told == copied_to and before.entered_by == desk.actor[:64]
