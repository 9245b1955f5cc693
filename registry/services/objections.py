"""Objection 异议 to a record or a listing: received, accepted within 5 working days, verified within 20."""

from collections.abc import Collection
from datetime import date
from typing import Any

from peewee import Case

from registry import cursor
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import dicts
from registry.errors import BadCursor, RegistryError
from registry.models import Entity, Objection, Record
from registry.page import Page
from registry.services import answers, audit, ledger, life, listings, publication, workdays
from registry.services.documents import chinese_date
from registry.services.ledger import Pen
from registry.services.life import Change, Target, WrongState
from registry.services.reviews import ReasonMissing
from registry.services.step_words import OBJECTION_STATES, both

# Working days for acceptance, and for verification counted from acceptance (abnormal-list measure; DOMAIN §5.5).
ACCEPT_WITHIN, VERIFY_WITHIN = 5, 20
OPEN = ("received", "accepted")


class ObjectionNotFound(RegistryError):
    code = "objection_not_found"
    status = 404


def receive(
    seq: int, kind: str, *, reason: str, entities: Collection[int] | None, actor: str, today: date, now: int
) -> dict[str, Any]:
    """Receive an objection to a record and return it, with the day by which it must be accepted or refused.

    `entities` is the enterprise itself where it comes itself: it objects to its own records only. While one is open the same
    applicant gets it again, unchanged. Raises RecordNotFound, RecordConflict, WrongState where another's is open.
    """
    with ledger.writing(now=now, schemes=[]) as pen:
        target = life.current(seq, kind=kind)
        own(target, entities, seq)
        life.alive(target)
        open_ = Objection.get_or_none((Objection.identity == target.identity) & Objection.state.in_(OPEN))
        if open_ is not None:
            if open_.applicant == actor[:64]:
                return get(open_.id)
            raise WrongState(
                f"Objection {open_.id} to this record is open already. It is answered first.", objection=open_.id
            )
        values = {
            "state": "received", "applicant": actor[:64], "reason": mask_personal(reason.strip()), "received_on": today,
            "accept_by": workdays.due(today, ACCEPT_WITHIN), "accepted_on": None, "verify_by": None, "closed_on": None, "answer": "",
        }  # fmt: skip
        done = life.step(pen, "objection", target, [Change("objection", {"id": None}, values)], on=today, by=actor)
        audit.note("objection.received", actor=actor, subject=f"objection {done.seq}", now=now, record=target.seq)
        return get(done.seq)


def accept(
    number: int, *, accepted: bool, reason: str = "", organ: str | None, actor: str, today: date, now: int, settings: Settings | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Accept an objection for verification, or refuse it with a reason. Safe to repeat.

    With `settings` a refusal gets its document 异议处理告知书 in the same transaction; `document` has its number,
    `no_document` why there is none. Raises ObjectionNotFound, SameHands for the applicant himself, ReasonMissing, WrongState where it was answered already.
    """
    state = "accepted" if accepted else "refused"
    with ledger.writing(now=now, schemes=[]) as pen:
        found, target = _open(number, organ, actor)
        reason = mask_personal(reason.strip())
        if found["state"] == state:
            return found
        if found["state"] != "received":
            raise WrongState(
                f"Objection {number} is {both(OBJECTION_STATES, found['state'])} already; it was to be accepted before that."
            )
        if not accepted and not reason:
            raise ReasonMissing("A refusal needs a `reason`: the applicant reads it.")
        values: dict[str, Any] = {"state": state}
        paper: dict[str, Any] = {}
        if accepted:
            values |= {"accepted_on": today, "verify_by": workdays.due(today, VERIFY_WITHIN)}
        else:
            values |= {"closed_on": today, "answer": reason}
            paper = _answer(pen, target, found, state, reason, settings=settings, actor=actor, today=today)
        change = Change("objection", {"id": number}, values)
        done = life.step(pen, f"objection_{state}", target, [change], on=today, by=actor, reason=reason, **paper)
        audit.note(f"objection.{state}", actor=actor, subject=f"objection {number}", now=now, by=done.seq)
        pen.flush()
        return get(number)


def verify(
    number: int,
    *,
    upheld: bool,
    withdraw: bool = False,
    reason: str,
    organ: str | None,
    actor: str,
    schemes: list[str],
    today: date,
    now: int,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Answer an accepted objection after verification. Safe to repeat. With `settings` the answer is a document, as in `accept`.

    Upheld with `withdraw`: the record is withdrawn at once, in the same transaction, and recipients are told. Upheld
    without: it was right in part; publication stops until the organ has corrected the record and the new wording passed
    its review. Rejected: nothing changes. A listing of an organ that decides on lists here is withdrawn by a case of
    correction, not by one person: ListingConflict says where; upheld without `withdraw` takes it down meanwhile.

    Raises ObjectionNotFound, SameHands, ReasonMissing, WrongState, ListingConflict.
    """
    state = "upheld" if upheld else "rejected"
    with ledger.writing(now=now, schemes=schemes) as pen:
        found, target = _open(number, organ, actor)
        reason = mask_personal(reason.strip())
        if found["state"] == state:
            return found
        if found["state"] != "accepted":
            raise WrongState(
                f"Objection {number} is {both(OBJECTION_STATES, found['state'])}; only one that was accepted is verified. Accept it "
                f"first: `xinheng objection accept {number}`, or POST /api/v1/objections/{number}/acceptance."
            )
        if not reason:
            raise ReasonMissing("The answer needs a `reason`: the applicant reads it.")
        if upheld and withdraw and settings is not None:
            listings.only_by_cases(target.kind, target.organ, settings, "correct")
        change = Change("objection", {"id": number}, {"state": state, "closed_on": today, "answer": reason})
        what = "withdrawn" if upheld and withdraw else state
        paper = _answer(pen, target, found, what, reason, settings=settings, actor=actor, today=today)
        done = life.step(pen, "objection_verified", target, [change], on=today, by=actor, reason=reason, outcome=state, **paper)  # fmt: skip
        audit.note(f"objection.{state}", actor=actor, subject=f"objection {number}", now=now, by=done.seq)
        if upheld and withdraw:
            publication.withdraw(pen, target, source=ledger.ORGAN, reason=reason, by=actor, on=today, now=now)
        elif upheld:
            publication.take_down(pen, target, "objection", on=today, by=actor, now=now, reason=reason)
        pen.flush()
        return get(number)


def _answer(
    pen: Pen, target: Target, found: dict[str, Any], what: str, reason: str, *, settings: Settings | None, actor: str, today: date
) -> dict[str, Any]:  # fmt: skip
    says = {"facts": answers.sentence(reason), "decision": answers.DECISIONS[what], "applied_on": chinese_date(found["received_on"])}  # fmt: skip
    return answers.issue(pen, "objection_answer", target, says, settings=settings, actor=actor, today=today)


def own(target: Target, entities: Collection[int] | None, seq: int) -> None:
    """Raise RecordNotFound where an enterprise reaches for a record that is not its own: to it there is no such record."""
    if entities is not None and target.entity.id not in entities:
        raise life.absent(seq, target.kind)


def _open(number: int, organ: str | None, actor: str) -> tuple[dict[str, Any], Target]:
    found = get(number)
    (target,) = life.targets(identities=[found["identity"]])
    if organ is not None and target.organ != organ:
        raise ObjectionNotFound(f"{organ} has no objection {number}. An organ answers objections to its own records.")
    life.two_keys(actor, [found["applicant"]], what="decide on it", did="sent this objection")
    return found, target


def get(number: int) -> dict[str, Any]:
    """One objection, with what its newest step says of its document (see `answers.of`). Raises ObjectionNotFound."""
    found = Objection.get_or_none(Objection.id == number)
    if found is None:
        raise ObjectionNotFound(
            f"There is no objection {number}. `xinheng objection list` (GET /api/v1/objections) lists those that are open."
        )
    return dict(found.__data__) | answers.of(found.seq)


def page(
    *, organ: str | None = None, divisions: tuple[str, ...] = ("",), today: date, after: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Open objections to records of an organ, the most urgent first, so that what is overdue stands on top. One query."""
    return open_page(Objection, "verify_by", OPEN, organ, divisions, today, after, limit)


def open_page(
    model: type[Any],
    second: str,
    states: tuple[str, ...],
    organ: str | None,
    divisions: tuple[str, ...],
    today: date,
    after: str | None,
    limit: int,
) -> Page[dict[str, Any]]:
    """Open matters by the day on which the next step is due: before acceptance `accept_by`, after it `second`."""
    due = Case(None, [(model.accepted_on.is_null(), model.accept_by)], getattr(model, second))
    query = (
        model.select(model, due.alias("due_on"), Record.seq.alias("record"), Record.kind, Record.document_no, Record.organ,
                     Entity.code, Entity.registration_no)
        .join(Record, on=(Record.identity == model.identity) & Record.replaced_seq.is_null())
        .join(Entity, on=(Entity.id == model.entity))
        .where(model.state.in_(states))
    )  # fmt: skip
    if organ is not None:
        query = query.where(Record.organ == organ)
    if "" not in divisions:
        near = Entity.division.startswith(divisions[0])
        for prefix in divisions[1:]:
            near = near | Entity.division.startswith(prefix)
        query = query.where(near)
    if after is not None:
        day, last = cursor.decode(after, str, int)
        try:
            from_day = date.fromisoformat(str(day))
        except ValueError as error:
            raise BadCursor("The page token `after` is damaged. Start again without it.") from error
        query = query.where((due > from_day) | ((due == from_day) & (model.id > last)))
    rows = dicts(query.order_by(due, model.id).limit(limit + 1))
    more, rows = len(rows) > limit, rows[:limit]
    for row in rows:
        row["due_on"] = _as_day(row["due_on"])
        row["overdue"] = row["due_on"] < today
    return Page(rows, cursor.encode(rows[-1]["due_on"].isoformat(), rows[-1]["id"]) if more else None)


def _as_day(value: Any) -> date:
    # Of an expression SQLite hands over the text.
    return value if isinstance(value, date) else date.fromisoformat(value)
