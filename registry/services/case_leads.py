"""Case leads 案件线索 that visits found: taken over as a case, with its penalty in the end, or closed with a reason."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from registry import cursor
from registry.cells.personal import mask_personal
from registry.database import execute, is_postgres, write
from registry.divisions import in_query
from registry.errors import RegistryError
from registry.models import CaseLead, Entity, Record, Uncounted, Visit, VisitResult
from registry.page import Page
from registry.services import audit, life, workdays
from registry.services.result_entry import REFUSED
from registry.services.results import PARAMETERS, Desk
from registry.services.reviews import ReasonMissing

STATES = {"open": "待处理", "filed": "已立案", "closed": "已办结"}


class LeadNotFound(RegistryError):
    """There is no such lead, or not of this organ."""

    code = "lead_not_found"
    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(
            f"There is no case lead {number} of this organ. `xinheng lead list` and GET /api/v1/case-leads show them."
        )


class LeadConflict(RegistryError):
    """What was asked for does not follow from where the lead stands."""

    code = "lead_conflict"
    status = 409


class LeadRefused(RegistryError):
    """The record that is named is not a penalty that came of this lead."""

    code = "lead_refused"
    status = 422


def file(number: int, *, said: str = "", record: int | None = None, desk: Desk) -> tuple[CaseLead, bool]:
    """Take a lead over as a case 立案, and once there is one name the ledger number of its penalty; both may be said at once.

    Safe to repeat. Raises LeadNotFound; LeadConflict where it is closed, or another penalty is named already; LeadRefused
    where the row is no penalty about this entity that counts, or is of a day before the visit.
    """
    with write():
        row = _locked(number, desk)
        words = mask_personal(said.strip())
        if row.state == "closed" or (row.record is not None and record not in (None, row.record)):
            raise LeadConflict(_stands(row))
        if row.state == "filed" and record in (None, row.record):
            return row, False
        if record is not None:
            _shows(row, record)
        first = row.state == "open"
        row.state, row.record = "filed", record or row.record
        if first:
            row.settled_on, row.settled_by = desk.today, desk.actor[:64]
        row.said = "；".join(part for part in (row.said, words) if part)
        return _kept(row, "filed", desk), True


def close(number: int, *, said: str, desk: Desk) -> tuple[CaseLead, bool]:
    """Close a lead that becomes no case, with the reason. Safe to repeat. Raises LeadNotFound, ReasonMissing, LeadConflict once filed."""
    with write():
        row = _locked(number, desk)
        words = mask_personal(said.strip())
        if not words:
            raise ReasonMissing("A lead is closed with a reason (`said`): what was looked into, and why it is no case.")
        if row.state == "closed":
            return row, False
        if row.state != "open":
            raise LeadConflict(_stands(row))
        row.state, row.said, row.settled_on, row.settled_by = "closed", words, desk.today, desk.actor[:64]
        return _kept(row, "closed", desk), True


def page(
    today: date, *, organ: str = "", state: str = "", overdue: bool = False, divisions: Sequence[str] = ("",),
    after: str | None = None, limit: int = 50,
) -> Page[dict[str, Any]]:  # fmt: skip
    """Leads of an organ ("": of all), oldest first; with `overdue` only open ones past their last day."""
    query = CaseLead.select(CaseLead, Entity, VisitResult.outcome.alias("outcome")).join(
        Entity, on=(Entity.id == CaseLead.entity), attr="party"
    )
    result = (VisitResult.visit == CaseLead.visit) & (VisitResult.organ == CaseLead.organ)
    query = in_query(query.switch(CaseLead).join(VisitResult, on=result, attr="result"), Entity.division, divisions)
    if organ:
        query = query.where(CaseLead.organ == organ)
    if state:
        query = query.where(CaseLead.state == state)
    if overdue:
        query = query.where((CaseLead.state == "open") & (CaseLead.opened_on < _latest(today)))
    if after is not None:
        query = query.where(CaseLead.id > cursor.decode(after, int)[0])
    rows: list[Any] = list(query.order_by(CaseLead.id).limit(limit + 1))
    items = [_shown(row, row.party, row.result.outcome, today) for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def shown(row: CaseLead, today: date) -> dict[str, Any]:
    """One lead as it is read; `kind` is refusal where the inspection was refused or obstructed, else violation."""
    outcome = VisitResult.get((VisitResult.visit == row.visit_id) & (VisitResult.organ == row.organ)).outcome
    return _shown(row, Entity.get_by_id(row.entity), outcome, today)


def get(number: int, *, organ: str = "", divisions: Sequence[str] = ("",)) -> CaseLead:
    """A lead of an organ about an entity of these divisions. Raises LeadNotFound."""
    row = CaseLead.get_or_none(CaseLead.id == number)
    if row is None or (organ and row.organ != organ):
        raise LeadNotFound(number)
    if not any(Entity.get_by_id(row.entity).division.startswith(prefix) for prefix in divisions):
        raise LeadNotFound(number)
    assert isinstance(row, CaseLead)
    return row


def _shown(row: CaseLead, party: Entity, outcome: int, today: date) -> dict[str, Any]:
    due = _due(row.opened_on)
    return {
        "id": row.id, "visit": row.visit_id, "organ": row.organ, "code": party.code or party.registration_no or "", "name": party.name,
        "kind": "refusal" if outcome == REFUSED else "violation", "facts": row.facts, "state": row.state, "opened_on": row.opened_on,
        "due": due if row.state == "open" else None, "overdue": row.state == "open" and due < today, "settled_on": row.settled_on,
        "settled_by": row.settled_by, "said": row.said, "record": row.record,
    }  # fmt: skip


def _due(opened: date) -> date:
    return workdays.due(opened, PARAMETERS["lead_days"].on(opened).value)


def _latest(today: date) -> date:
    """The first day of opening whose leads are not overdue today: `_due` never falls from one day to the next."""
    day = today
    while _due(day) >= today:
        day -= workdays.ONE
    return day + workdays.ONE


def _locked(number: int, desk: Desk) -> CaseLead:
    if is_postgres():
        execute("SELECT id FROM case_lead WHERE id = ? FOR UPDATE", (number,))
    return get(number, organ=desk.organ)


def _kept(row: CaseLead, act: str, desk: Desk) -> CaseLead:
    row.save()
    audit.note(f"lead.{act}", actor=desk.actor, subject=f"case lead {row.id}", now=desk.now, record=row.record)
    return row


def _shows(row: CaseLead, seq: int) -> None:
    record = Record.get_or_none((Record.seq == seq) & Record.replaced_seq.is_null() & (Record.act != "withdraw"))
    if record is None or record.kind != "penalty" or record.entity_id not in life.family(row.entity):
        raise LeadRefused(
            f"Row {seq} of the ledger is no penalty about this entity that holds. `xinheng dossier CODE` lists its records with their numbers."
        )
    if Uncounted.get_or_none(Uncounted.identity == record.identity) is not None:
        raise LeadRefused(f"Penalty {seq} does not count (it waits, or was repaired or erased). Name one that does.")
    day = Visit.get_by_id(row.visit_id).visited_on
    if day is None or record.happened_on is None or record.happened_on < day:
        raise LeadRefused(
            f"Penalty {seq} is of {record.happened_on}, and the visit was on {day}: it cannot have come of it."
        )


def _stands(row: CaseLead) -> str:
    record = f", penalty {row.record}" if row.record else ""
    return f"Case lead {row.id} is {row.state} ({STATES[row.state]}), by {row.settled_by} on {row.settled_on}{record}. Nothing more follows of it here."
