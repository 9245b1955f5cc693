"""The life of a record: review, publication, objection, repair."""

from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.common import PageQuery
from api.schemas.life import (
    AcceptanceIn,
    DecisionIn,
    LifeOut,
    ObjectionIn,
    ObjectionOut,
    ObjectionPage,
    PublicationIn,
    RepairIn,
    RepairOut,
    RepairPage,
    ReviewIn,
    ReviewOut,
    ShownList,
    StopIn,
    VerificationIn,
)
from api.v1.records import HIGHEST, KIND
from registry import clock
from registry.errors import BadCursor, IdempotencyConflict, RecordConflict, RecordNotFound, UnknownKind
from registry.kinds import kind_named
from registry.services import entities, life, objections, publication, repairs, reviews
from registry.services.life import SameHands, Target, WrongState
from registry.services.listing_cases import ListingConflict
from registry.services.objections import ObjectionNotFound
from registry.services.publication import NotPublishable, NotReviewed
from registry.services.repairs import ConditionsNotMet, NotRepairable, RepairNotFound
from registry.services.reviews import ReasonMissing

bp = Blueprint("life", __name__, url_prefix="/api/v1", description="公示、异议和信用修复 The life of a record")

RECORD = f"/records/<kind>/<int(min=1, max={HIGHEST}):seq>"
NUMBER = f"<int(min=1, max={HIGHEST}):number>"
FOUND = [UnknownKind, RecordNotFound, RecordConflict, IdempotencyConflict]


def _writer() -> dict[str, Any]:
    at, who = here(), caller()
    return {"organ": who.organ, "actor": who.actor, "today": at.today(), "now": at.now()}


def _answerer() -> dict[str, Any]:
    """Of verbs whose answer is a document: who, when, and the settings that say which organs issue documents here."""
    return {**_writer(), "settings": here().settings}


def _mine(seq: int, kind: str) -> Target:
    """The record, if its entity is the caller's business. What is not is as absent as what does not exist."""
    kind_named(kind)
    target = life.current(seq, kind=kind)
    if not caller().sees(target.entity.division):
        raise life.absent(seq, kind)
    return target


def _applicant(seq: int, kind: str) -> dict[str, Any]:
    """For whom an application is made: an enterprise's own key for itself, an organ's window for those of its divisions."""
    at, who = here(), caller()
    if who.entity_code is None:
        _mine(seq, kind)
        ids = None
    else:
        ids = life.family(entities.get(who.entity_code).id)
        kind_named(kind)
    return {"entities": ids, "actor": who.actor, "today": at.today(), "now": at.now()}


@bp.get(f"{RECORD}/life", parameters=KIND)
@allowed("entities:read")
@gives(LifeOut(), errors=[UnknownKind, RecordNotFound, RecordConflict])
def read_life(kind: str, seq: int) -> dict[str, Any]:
    """记录状态 Where a record stands: review, every channel, objections, repairs, and each step with who and when.

    A record that was withdrawn, repaired or erased is told to its own organ only.
    """
    target = _mine(seq, kind)
    if (target.withdrawn or target.out in life.FOR_GOOD) and caller().organ != target.organ:
        raise RecordNotFound(
            f"{caller().organ} has no record {seq}. Its own organ keeps what was withdrawn or repaired."
        )
    found = life.of(target)
    return {**found, "review": None if found["review"] is None else _review(found["review"])}


@bp.post(f"{RECORD}/review", parameters=KIND)
@allowed("records:review")
@bp.doc(**idempotency.document())
@takes(ReviewIn(), example={"outcome": "passed"})
@gives(ReviewOut(), errors=[*FOUND, SameHands, ReasonMissing])
def review_record(given: dict[str, Any], kind: str, seq: int) -> Response:
    """公示审核 Review the wording that a record of one's own organ has now, by somebody else than who posted it."""

    def act(_: Target) -> tuple[dict[str, Any], int]:
        found = reviews.review(seq, kind, **given, **_writer(), schemes=here().schemes)
        return ReviewOut().dump(_review(found)), 200

    return idempotency.once(lambda: _mine(seq, kind), act)


@bp.post(f"{RECORD}/publication", parameters=KIND)
@allowed("records:review")
@bp.doc(**idempotency.document())
@takes(PublicationIn(), example={"channels": ["necips", "site"]})
@gives(ShownList(), errors=[*FOUND, NotPublishable, NotReviewed])
def publish_record(given: dict[str, Any], kind: str, seq: int) -> Response:
    """公示 Publish a reviewed record of one's own organ; says per channel until when, or why not."""

    def act(_: Target) -> tuple[dict[str, Any], int]:
        old_rows = here().settings.publication.old_rows
        found = publication.publish(seq, kind, **given, **_writer(), old_rows=old_rows)
        return ShownList().dump({"channels": found}), 200

    return idempotency.once(lambda: _mine(seq, kind), act)


@bp.post(f"{RECORD}/stop", parameters=KIND)
@allowed("records:review")
@bp.doc(**idempotency.document())
@takes(StopIn(), example={"reason": "公示内容有误"})
@gives(ShownList(), errors=[*FOUND, NotPublishable])
def stop_record(given: dict[str, Any], kind: str, seq: int) -> Response:
    """停止公示 Stop publishing a record of one's own organ. Only its publication with a reason undoes that."""

    def act(_: Target) -> tuple[dict[str, Any], int]:
        return ShownList().dump({"channels": publication.stop(seq, kind, **given, **_writer())}), 200

    return idempotency.once(lambda: _mine(seq, kind), act)


@bp.post(f"{RECORD}/objection", parameters=KIND)
@allowed("self:read")
@bp.doc(**idempotency.document())
@takes(ObjectionIn(), example={"reason": "处罚决定书的当事人不是本企业"})
@gives(ObjectionOut(), 201, errors=[*FOUND, WrongState])
def object_to_record(given: dict[str, Any], kind: str, seq: int) -> Response:
    """提出异议 Object to a record: the enterprise itself with its own key, or an organ's window for it."""

    def act(who: dict[str, Any]) -> tuple[dict[str, Any], int]:
        return ObjectionOut().dump(objections.receive(seq, kind, **given, **who)), 201

    return idempotency.once(lambda: _applicant(seq, kind), act)


@bp.post(f"{RECORD}/repair", parameters=KIND)
@allowed("self:read")
@bp.doc(**idempotency.document())
@takes(RepairIn(), example={"statement": "罚款已缴纳，违法行为已改正，承诺守法经营"})
@gives(RepairOut(), 201, errors=[*FOUND, NotRepairable, WrongState])
def repair_record(given: dict[str, Any], kind: str, seq: int) -> Response:
    """申请信用修复 Apply for the repair of a record: the enterprise itself, or an organ's window for it."""

    def act(who: dict[str, Any]) -> tuple[dict[str, Any], int]:
        return RepairOut().dump(repairs.apply(seq, kind, **given, **who)), 201

    return idempotency.once(lambda: _applicant(seq, kind), act)


@bp.get("/objections")
@allowed("repairs:decide")
@takes(PageQuery(), "query")
@gives(ObjectionPage(), errors=[BadCursor])
def list_objections(query: dict[str, Any]) -> dict[str, Any]:
    """待办异议 Open objections to records of the key's organ, what is overdue first."""
    who = caller()
    found = objections.page(organ=who.organ, divisions=who.divisions, today=here().today(), **query)
    return {"items": found.items, "next": found.next}


@bp.post(f"/objections/{NUMBER}/acceptance")
@allowed("repairs:decide")
@bp.doc(**idempotency.document())
@takes(AcceptanceIn(), example={"accepted": True})
@gives(ObjectionOut(), errors=[ObjectionNotFound, SameHands, ReasonMissing, WrongState, IdempotencyConflict])
def accept_objection(given: dict[str, Any], number: int) -> Response:
    """受理异议 Accept an objection for verification, or not, with a reason. Not by who sent it."""
    return idempotency.once(
        lambda: None, lambda _: (ObjectionOut().dump(objections.accept(number, **given, **_answerer())), 200)
    )


@bp.post(f"/objections/{NUMBER}/verification")
@allowed("repairs:decide")
@bp.doc(**idempotency.document())
@takes(VerificationIn(), example={"upheld": True, "withdraw": True, "reason": "经核实，当事人有误"})
@gives(
    ObjectionOut(),
    errors=[ObjectionNotFound, SameHands, ReasonMissing, WrongState, ListingConflict, IdempotencyConflict],
)
def verify_objection(given: dict[str, Any], number: int) -> Response:
    """核实异议 Answer an accepted objection; upheld, the record is withdrawn at once or taken down until it is corrected."""
    return idempotency.once(
        lambda: None,
        lambda _: (ObjectionOut().dump(objections.verify(number, **given, **_answerer(), schemes=here().schemes)), 200),
    )


@bp.get("/repairs")
@allowed("repairs:decide")
@takes(PageQuery(), "query")
@gives(RepairPage(), errors=[BadCursor])
def list_repairs(query: dict[str, Any]) -> dict[str, Any]:
    """待办信用修复 Open repairs of the key's organ's records, what is overdue first."""
    who = caller()
    found = repairs.page(organ=who.organ, divisions=who.divisions, today=here().today(), **query)
    return {"items": found.items, "next": found.next}


@bp.post(f"/repairs/{NUMBER}/acceptance")
@allowed("repairs:decide")
@bp.doc(**idempotency.document())
@takes(AcceptanceIn(), example={"accepted": True})
@gives(RepairOut(), errors=[RepairNotFound, SameHands, ReasonMissing, WrongState, IdempotencyConflict])
def accept_repair(given: dict[str, Any], number: int) -> Response:
    """受理信用修复 Accept an application, or turn it away with a reason. Not by who applied."""
    return idempotency.once(
        lambda: None, lambda _: (RepairOut().dump(repairs.accept(number, **given, **_answerer())), 200)
    )


@bp.post(f"/repairs/{NUMBER}/decision")
@allowed("repairs:decide")
@bp.doc(**idempotency.document())
@takes(DecisionIn(), example={"approved": True, "conditions": {"duties_performed": True, "harm_removed": True, "commitment": True}})  # fmt: skip
@gives(
    RepairOut(),
    errors=[
        RepairNotFound,
        SameHands,
        ReasonMissing,
        ConditionsNotMet,
        RecordConflict,
        WrongState,
        ListingConflict,
        IdempotencyConflict,
    ],
)
def decide_repair(given: dict[str, Any], number: int) -> Response:
    """决定信用修复 Approve or refuse. Approved: publicity, sharing and use of the record stop at once."""
    return idempotency.once(
        lambda: None,
        lambda _: (RepairOut().dump(repairs.decide(number, **given, **_answerer(), schemes=here().schemes)), 200),
    )


def _review(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "reviewed_at": clock.moment_text(row["reviewed_at"])}
