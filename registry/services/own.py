"""An enterprise's own view 企业自查: its dossier, where each record is published and until when, its objections and repairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry.config import Settings
from registry.database import dicts
from registry.models import Entity, Objection, Record, Repair
from registry.services import dossier, public_grades, timeline
from registry.services.dossier import Dossier
from registry.services.visibility import ENTERPRISE

# Newest requests that are told with the first page; each has its own path besides.
REQUESTS = 50


@dataclass(frozen=True, slots=True)
class Own:
    """One page of an enterprise's own dossier, what it asked for, newest first, and the grades that anyone may see of it."""

    dossier: Dossier
    objections: list[dict[str, Any]]
    repairs: list[dict[str, Any]]
    grades: list[dict[str, Any]]


def page(
    entity: Entity,
    *,
    settings: Settings,
    today: date,
    on: date | None = None,
    known: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Own:
    """One page of what an enterprise may read of itself, in a constant number of queries. Raises BadCursor.

    The same timeline as the regulator's, with the fields that are for the enterprise: nobody who complained or reported,
    no remark that regulators made for themselves, and never a risk class: only the grades that a local rule makes public, as they are
    today whatever day is asked for. Requests about a record that was withdrawn or
    repaired since name no record.
    """
    found = dossier.page(
        entity,
        reader=ENTERPRISE,
        today=today,
        zone=settings.jobs.timezone,
        on=on,
        known=known,
        after=after,
        limit=limit,
    )
    ids = found.ids
    objections = dicts(
        Objection.select().where(Objection.entity.in_(ids)).order_by(Objection.id.desc()).limit(REQUESTS)
    )
    repairs = dicts(Repair.select().where(Repair.entity.in_(ids)).order_by(Repair.id.desc()).limit(REQUESTS))
    asked = [row for row in [*objections, *repairs] if row["id"] <= found.known and _by(row) <= (on or date.max)]
    seqs = _told(ids, [row["identity"] for row in asked])
    return Own(
        found,
        [_objection(row, seqs) for row in objections if row in asked],
        [_repair(row, seqs) for row in repairs if row in asked],
        public_grades.shown(settings, [entity.id]),
    )


def _by(row: dict[str, Any]) -> date:
    day: date = row.get("received_on") or row["applied_on"]
    return day


def _told(ids: Sequence[int], identities: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Identity → what the record is known by, of those that may still be told of. Two queries."""
    out = timeline.left_out(ids)
    rows = Record.select(Record.identity, Record.seq, Record.kind, Record.document_no).where(
        Record.identity.in_(sorted(set(identities))) & Record.replaced_seq.is_null() & (Record.act != "withdraw")
    )
    return {row["identity"]: row for row in dicts(rows) if out.get(row["identity"]) not in timeline.SEALING}


def _record(row: dict[str, Any], seqs: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    found = seqs.get(row["identity"])
    return None if found is None else {name: found[name] for name in ("seq", "kind", "document_no")}


def _objection(row: dict[str, Any], seqs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    names = ("id", "state", "received_on", "accept_by", "accepted_on", "verify_by", "closed_on")
    found = _record(row, seqs)
    # What was said about a record that may not be told any more tells of it.
    words = {"reason": row["reason"], "answer": row["answer"]} if found else {"reason": "", "answer": ""}
    return {name: row[name] for name in names} | words | {"record": found}


def _repair(row: dict[str, Any], seqs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    names = ("id", "state", "regime", "applied_on", "accept_by", "accepted_on", "decide_by", "closed_on")
    found = _record(row, seqs)
    told = {"conditions": row["conditions"] if found else {}, "answer": row["answer"] if found else ""}
    return {name: row[name] for name in names} | told | {"record": found}
