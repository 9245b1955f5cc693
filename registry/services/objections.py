"""Objection 异议 to a record or a listing: received, accepted within 5 working days, verified within 20."""

from collections.abc import Collection
from datetime import date
from typing import Any

from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.errors import RegistryError
from registry.models import Objection, Record
from registry.page import Page
from registry.services import answers, applications, ledger, listings, publication, workdays
from registry.services.applications import Sort
from registry.services.documents import chinese_date
from registry.services.ledger import Pen
from registry.services.life import Change, Target
from registry.services.reviews import ReasonMissing
from registry.services.step_words import OBJECTION_STATES

# Working days for acceptance, and for verification counted from acceptance (abnormal-list measure; DOMAIN §5.5).
ACCEPT_WITHIN, VERIFY_WITHIN = 5, 20


class ObjectionNotFound(RegistryError):
    code = "objection_not_found"
    status = 404


SORT = Sort(
    "objection", Objection, OBJECTION_STATES, ObjectionNotFound, first="received", due="verify_by", decided="verified",
    busy="to this record is open already. It is answered first.", did="sent this objection",
    whose="An organ answers objections to its own records.",
)  # fmt: skip


def receive(
    seq: int, kind: str, *, reason: str, entities: Collection[int] | None, actor: str, today: date, now: int
) -> dict[str, Any]:
    """Receive an objection to a record and return it, with the day by which it must be accepted or refused.

    `entities` is the enterprise itself where it comes itself: it objects to its own records only. While one is open the same
    applicant gets it again, unchanged. Raises RecordNotFound, RecordConflict, WrongState where another's is open.
    """
    with ledger.writing(now=now, schemes=[]) as pen:
        target = applications.about(seq, kind, entities)
        if (open_ := applications.open_one(SORT, target, actor)) is not None:
            return open_
        values = {"reason": mask_personal(reason.strip()), "received_on": today}
        return applications.begin(pen, SORT, target, values, within=ACCEPT_WITHIN, by=actor, on=today, now=now)


def accept(
    number: int, *, accepted: bool, reason: str = "", organ: str | None, actor: str, today: date, now: int, settings: Settings | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Accept an objection for verification, or refuse it with a reason. Safe to repeat.

    With `settings` a refusal gets its document 异议处理告知书 in the same transaction; `document` has its number,
    `no_document` why there is none. Raises ObjectionNotFound, SameHands for the applicant himself, ReasonMissing, WrongState where it was answered already.
    """
    state = "accepted" if accepted else "refused"
    with ledger.writing(now=now, schemes=[]) as pen:
        found, target = applications.taken_up(SORT, number, organ, actor)
        reason = mask_personal(reason.strip())
        if found["state"] == state:
            return found
        applications.must_be_new(SORT, found)
        if not accepted and not reason:
            raise ReasonMissing("A refusal needs a `reason`: the applicant reads it.")
        values: dict[str, Any] = {"state": state}
        paper: dict[str, Any] = {}
        if accepted:
            values |= {"accepted_on": today, "verify_by": workdays.due(today, VERIFY_WITHIN)}
        else:
            values |= {"closed_on": today, "answer": reason}
            paper = _answer(pen, target, found, state, reason, settings=settings, actor=actor, today=today)
        applications.put(
            pen, SORT, f"objection_{state}", target, number, values, on=today, by=actor, now=now, reason=reason, **paper
        )
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
    its review. Either way the words that it was about, and those that stand now, are refused by their review: they are
    never shown again. Rejected: nothing changes. A listing of an organ that decides on lists here is withdrawn by a case of
    correction, not by one person: ListingConflict says where; upheld without `withdraw` takes it down meanwhile.

    Raises ObjectionNotFound, SameHands, ReasonMissing, WrongState, ListingConflict.
    """
    state = "upheld" if upheld else "rejected"
    with ledger.writing(now=now, schemes=schemes) as pen:
        found, target = applications.taken_up(SORT, number, organ, actor)
        reason = mask_personal(reason.strip())
        if found["state"] == state:
            return found
        applications.must_be_accepted(SORT, found)
        if not reason:
            raise ReasonMissing("The answer needs a `reason`: the applicant reads it.")
        if upheld and withdraw and settings is not None:
            listings.only_by_cases(target.kind, target.organ, settings, "correct")
        what = "withdrawn" if upheld and withdraw else state
        paper = _answer(pen, target, found, what, reason, settings=settings, actor=actor, today=today)
        refused = _refused(number, target, reason, actor=actor, now=now) if upheld else []
        applications.put(
            pen, SORT, "objection_verified", target, number, {"state": state, "closed_on": today, "answer": reason}, refused,
            on=today, by=actor, now=now, reason=reason, outcome=state, **paper,
        )  # fmt: skip
        if upheld and withdraw:
            publication.withdraw(pen, target, source=ledger.ORGAN, reason=reason, by=actor, on=today, now=now)
        elif upheld:
            publication.take_down(pen, target, "objection", on=today, by=actor, now=now, reason=reason)
        pen.flush()
        return get(number)


def _refused(number: int, target: Target, reason: str, *, actor: str, now: int) -> list[Change]:
    """The review of the words that stood when an objection came, and of those that stand now, as refused."""
    came = Record.select(Record.content).where(
        (Record.identity == target.identity) & (Record.seq < number) & (Record.act != "withdraw")
        & (Record.replaced_seq.is_null() | (Record.replaced_seq > number))
    )  # fmt: skip
    values = {"outcome": "refused", "reviewed_by": actor[:64], "reviewed_at": now, "reason": reason}
    words = sorted({row.content for row in came} | {target.content})
    return [Change("review", {"identity": target.identity, "content": content}, values) for content in words]


def _answer(
    pen: Pen, target: Target, found: dict[str, Any], what: str, reason: str, *, settings: Settings | None, actor: str, today: date
) -> dict[str, Any]:  # fmt: skip
    says = {"facts": answers.sentence(reason), "decision": answers.DECISIONS[what], "applied_on": chinese_date(found["received_on"])}  # fmt: skip
    return answers.issue(pen, "objection_answer", target, says, settings=settings, actor=actor, today=today)


def get(number: int) -> dict[str, Any]:
    """One objection, with what its newest step says of its document (see `answers.of`). Raises ObjectionNotFound."""
    return applications.get(SORT, number)


def page(
    *, organ: str | None = None, divisions: tuple[str, ...] = ("",), today: date, after: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Open objections to records of an organ, the most urgent first, so that what is overdue stands on top. One query."""
    return applications.page(SORT, organ=organ, divisions=divisions, today=today, after=after, limit=limit)
