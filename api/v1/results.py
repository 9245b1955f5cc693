"""Results of visits: entered, reviewed, published, and re-checked where the enterprise asks for it."""

import secrets
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, own_entity, own_organ
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas import results as shapes
from registry.errors import BadCursor, EntityNotFound, IdempotencyConflict, RecordConflict
from registry.models import Visit, VisitResult
from registry.services import life, result_follow, result_publish, result_recheck, result_review, results
from registry.services.documents import BadDocument
from registry.services.keys import NotAnEnterprisesKey
from registry.services.life import SameHands
from registry.services.publication import NotReviewed
from registry.services.result_entry import Entry, ResultRefused
from registry.services.result_recheck import RecheckClosed
from registry.services.results import Desk, ResultConflict, ResultElsewhere, ResultNotFound
from registry.services.reviews import ReasonMissing
from registry.services.visits import VisitNotFound

bp = Blueprint("results", __name__, url_prefix="/api/v1", description="检查结果 Results of visits")

ONE = "/visits/<int(min=1, max=2147483647):number>/results"
FOUND = [VisitNotFound, ResultNotFound, ResultElsewhere, ResultConflict, IdempotencyConflict]
ENTRY = {
    "outcome": 2,
    "problems": [{"item": "食品标签", "severity": 2, "said": "三批次食品未标注生产日期。"}],
    "disposal": "order",
    "correct_by": "2026-12-11",
    "said": "下架未标注生产日期的食品。",
}


@bp.get(ONE)
@allowed("lists:read")
@gives(shapes.ResultSheetOut(), errors=[VisitNotFound])
def read_results(number: int) -> dict[str, Any]:
    """检查表及结果 What is to be entered of a visit, by organ and item with its questions, and what was."""
    return results.sheet(_visible(number), here().today())


@bp.post(ONE)
@allowed("visits:work")
@bp.doc(**idempotency.document())
@takes(shapes.ResultIn(), example=ENTRY)
@gives(shapes.ResultOut(), 201, also=200, errors=[*FOUND, ResultRefused, BadDocument])
def enter_result(given: dict[str, Any], number: int) -> Response:
    """录入结果 Enter what the key's organ found at a visit, once it was started. Safe to repeat."""
    version = given.pop("version")
    entry = Entry(**{one.name: given[one.name] for one in fields(Entry)})
    organ = own_organ()
    return _verb(number, lambda visit: results.enter(visit.id, entry, organ=organ, version=version, desk=_desk()))


@bp.post(f"{ONE}/return")
@allowed("visits:review")
@bp.doc(**idempotency.document())
@takes(shapes.ResultReturnIn(), example={"opinion": "未说明问题所在批次，请补充。"})
@gives(shapes.ResultOut(), 201, also=200, errors=[*FOUND, SameHands, ReasonMissing])
def return_result(given: dict[str, Any], number: int) -> Response:
    """退回结果 Return the result of the key's organ to who entered it. Safe to repeat."""
    return _verb(number, lambda visit: result_review.return_(visit.id, own_organ(), **given, desk=_desk()))


@bp.post(f"{ONE}/approve")
@allowed("visits:review")
@bp.doc(**idempotency.document())
@takes(shapes.ResultOpinionIn(), example={"opinion": "同意。"})
@gives(shapes.ApprovedOut(), 201, also=200, errors=[*FOUND, SameHands])
def approve_result(given: dict[str, Any], number: int) -> Response:
    """审核通过 Approve the result of the key's organ: it becomes a record, the entity is regraded, and what follows is done."""

    def act(visit: Visit) -> tuple[dict[str, Any], int]:
        row, followed, new = result_review.approve(visit.id, own_organ(), **given, desk=_desk())
        shown = {**results.shown(row, here().today()), "followed": followed}
        return shapes.ApprovedOut().dump(shown), 201 if new else 200

    return idempotency.once(lambda: _visible(number), act)


@bp.post(f"{ONE}/publish")
@allowed("visits:review")
@bp.doc(**idempotency.document())
@gives(shapes.PublishedResultOut(), 201, also=200, errors=[*FOUND, NotReviewed, RecordConflict])
def publish_result(number: int) -> Response:
    """公示结果 Publish the approved result of the key's organ now; the night publishes it before its last day. Safe to repeat."""

    def act(visit: Visit) -> tuple[dict[str, Any], int]:
        row, channels, new = result_publish.publish(visit.id, own_organ(), desk=_desk())
        shown = {**results.shown(row, here().today()), "channels": channels}
        return shapes.PublishedResultOut().dump(shown), 201 if new else 200

    return idempotency.once(lambda: _visible(number), act)


@bp.post(f"{ONE}/follow-ups")
@allowed("visits:review")
@bp.doc(**idempotency.document())
@gives(shapes.FollowedList(), errors=[*FOUND, RecordConflict])
def follow_result(number: int) -> Response:
    """后续处理 Do what of an approved result was refused before, now that the reason is gone. Safe to repeat."""

    def act(visit: Visit) -> tuple[dict[str, Any], int]:
        followed = result_follow.again(visit.id, own_organ(), desk=_desk())
        return shapes.FollowedList().dump({"followed": followed}), 200

    return idempotency.once(lambda: _visible(number), act)


@bp.post(f"{ONE}/recheck")
@allowed("visits:review")
@bp.doc(**idempotency.document())
@takes(shapes.RecheckAnswerIn(), example={"granted": True, "said": "同意复查。"})
@gives(shapes.RecheckOut(), 201, also=200, errors=[*FOUND, SameHands, ReasonMissing])
def answer_recheck(given: dict[str, Any], number: int) -> Response:
    """答复复查申请 Grant the re-check that the enterprise asked for, with a visit, or answer it in words. Safe to repeat."""

    def act(visit: Visit) -> tuple[dict[str, Any], int]:
        made, new = result_recheck.answer(visit.id, own_organ(), **given, desk=_desk())
        shown = {
            "granted": made is not None, "visit": made.id if made else None, "by": made.recheck_by if made else None,
        }  # fmt: skip
        return shapes.RecheckOut().dump(shown), 201 if new else 200

    return idempotency.once(lambda: _visible(number), act)


@bp.get("/results")
@allowed("visits:review")
@takes(shapes.ResultsQuery(), "query")
@gives(shapes.ResultPage(), errors=[BadCursor])
def list_results(query: dict[str, Any]) -> dict[str, Any]:
    """结果列表 Results of the key's organ in its divisions, those first that must be published first."""
    soon = query.pop("soon") == "yes"
    found = results.page(here().today(), organ=own_organ(), soon=soon, divisions=caller().divisions, **query)
    return {"items": found.items, "next": found.next}


@bp.get("/own/results")
@allowed("self:read")
@gives(shapes.OwnResults(), errors=[NotAnEnterprisesKey, EntityNotFound])
def list_own_results() -> dict[str, Any]:
    """本企业检查结果 The results of visits that an enterprise was told of, and until when it may ask for a re-check."""
    return {"items": result_recheck.own(life.family(own_entity().id))}


@bp.post("/own/results/<int(min=1, max=2147483647):number>/recheck")
@allowed("self:read")
@bp.doc(**idempotency.document())
@takes(shapes.RecheckAskIn(), example={"organ": "信衡市市场监督管理局", "why": "现场照片所示批次并非本企业生产。"})
@gives(shapes.OwnResultOut(), 201, also=200, errors=[*FOUND, RecheckClosed, ReasonMissing])
def ask_recheck(given: dict[str, Any], number: int) -> Response:
    """申请复查 Ask for a re-check of a result: the enterprise with its own key, or an organ's window for it. Safe to repeat."""

    def act(entities: list[int] | None) -> tuple[dict[str, Any], int]:
        row, new = result_recheck.ask(number, **given, entities=entities, desk=_desk())
        told = result_recheck.own([Visit.get_by_id(row.visit_id).entity], limit=2**15)
        one = next(one for one in told if (one["visit"], one["organ"]) == (number, row.organ))
        return shapes.OwnResultOut().dump(one), 201 if new else 200

    return idempotency.once(lambda: _asking(number), act)


def _asking(number: int) -> list[int] | None:
    """For whom a re-check is asked: an enterprise's own key for itself, an organ's window for those of its divisions."""
    if caller().entity_code is not None:
        return life.family(own_entity().id)
    _visible(number)
    return None


def _desk() -> Desk:
    at, who = here(), caller()
    return Desk(who.actor, own_organ(), at.today(), at.now(), at.settings, secrets.token_bytes(32))


def _visible(number: int) -> Visit:
    """The visit, if its task and its entity are the caller's business. What is not is as absent as what does not exist."""
    return results.visible(number, organ=own_organ(), divisions=caller().divisions)


def _verb(number: int, verb: Callable[[Visit], tuple[VisitResult, bool]]) -> Response:
    def act(visit: Visit) -> tuple[dict[str, Any], int]:
        row, new = verb(visit)
        shown: dict[str, Any] = shapes.ResultOut().dump(results.shown(row, here().today()))
        return shown, 201 if new else 200

    return idempotency.once(lambda: _visible(number), act)
