"""Visits 检查: assigned, entered, finished, or recorded as not made; what an enterprise sees and says of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, own_organ, require, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas import visits as shapes
from api.schemas.common import PageQuery
from api.schemas.listings import DocumentOut
from api.v1.papers import printed, shown
from registry.errors import BadCursor, EntityNotFound, IdempotencyConflict
from registry.models import Document, Visit
from registry.services import inspection_papers, records, visibility, visit_ratings, visit_views, visits
from registry.services.documents import BadDocument, DocumentNotFound, UnknownOrgan
from registry.services.tasks import Desk, TaskNotApproved
from registry.services.visibility import REGULATOR
from registry.services.visit_counts import CapReached
from registry.services.visit_ratings import CodeUnknown, RatingConflict
from registry.services.visits import VisitConflict, VisitNotFound, VisitRefused

bp = Blueprint("visits", __name__, url_prefix="/api/v1", description="检查 Visits")

ONE = "/visits/<int(min=1, max=2147483647):number>"
CODE = "/public/visits/<token>"
ERRORS = [VisitNotFound, VisitConflict, VisitRefused, TaskNotApproved, IdempotencyConflict]
PAPERS = [VisitNotFound, VisitConflict, TaskNotApproved, UnknownOrgan, BadDocument, IdempotencyConflict]


@bp.get("/visits")
@allowed("lists:read")
@takes(shapes.VisitsQuery(), "query")
@gives(shapes.VisitPage(), errors=[BadCursor])
def list_visits(query: dict[str, Any]) -> dict[str, Any]:
    """检查列表 Visits of the tasks of the key's organ (its own, or as a partner) in its divisions; of a list in the order of its tour."""
    supervisor = _supervisor(query.pop("copy"))
    actor = caller().actor if query.pop("mine") == "yes" else ""
    query["list_"], query["due_by"] = query.pop("list"), query.pop("planned_by")
    who = caller()
    found = visit_views.page(organ=own_organ(), divisions=who.divisions, actor=actor, supervisor=supervisor, **query)
    return {"items": found.items, "next": found.next}


@bp.get(ONE)
@allowed("lists:read")
@takes(shapes.VisitQuery(), "query")
@gives(shapes.VisitOut(), errors=[VisitNotFound])
def read_visit(query: dict[str, Any], number: int) -> dict[str, Any]:
    """检查详情 One visit with its sheet: basis, items and questions by organ, inspectors, steps. No class in the field copy."""
    return visit_views.one(_visible(number), supervisor=_supervisor(query["copy"]))


@bp.post(f"{ONE}/assign")
@allowed("visits:assign")
@bp.doc(**idempotency.document())
@takes(shapes.VisitAssignIn(), example={"inspectors": [1, 2], "planned_on": "2026-12-01"})
@gives(shapes.VisitOut(), 201, also=200, errors=[*ERRORS, CapReached])
def assign_visit(given: dict[str, Any], number: int) -> Response:
    """分派 Assign inspectors of the key's organ, at least two: active, certified, competent, in area, without conflict. Safe to repeat."""
    return _verb(number, lambda: visits.assign(number, **given, settings=here().settings, desk=_desk()))


@bp.post(f"{ONE}/reassign")
@allowed("visits:assign")
@bp.doc(**idempotency.document())
@takes(shapes.VisitReassignIn(), example={"inspectors": [1, 3], "why": "原检查人员请假"})
@gives(shapes.VisitOut(), 201, also=200, errors=ERRORS)
def reassign_visit(given: dict[str, Any], number: int) -> Response:
    """改派 Put other inspectors in the place of those of the key's organ, or move the day; who leaves stays on record. Safe to repeat."""
    return _verb(number, lambda: visits.reassign(number, **given, desk=_desk()))


@bp.post(f"{ONE}/start")
@allowed("visits:work")
@bp.doc(**idempotency.document())
@takes(shapes.VisitStartIn(), example={"token": "", "why": "企业未能出示通知书，现场登记。"})
@gives(shapes.VisitOut(), 201, also=200, errors=[*ERRORS, CapReached])
def start_visit(given: dict[str, Any], number: int) -> Response:
    """扫码入企 Enter with the code of the notice, or without it and a reason; it counts as the entity's visit of the day. Safe to repeat."""
    at: datetime | None = given.pop("at")
    given["at"] = None if at is None else int(at.timestamp() * 1000)
    return _verb(number, lambda: visits.start(number, **given, settings=here().settings, desk=_desk()))


@bp.post(f"{ONE}/finish")
@allowed("visits:work")
@bp.doc(**idempotency.document())
@takes(shapes.VisitFinishIn(), example={})
@gives(shapes.VisitOut(), 201, also=200, errors=ERRORS)
def finish_visit(given: dict[str, Any], number: int) -> Response:
    """结束检查 The check on site is over. Safe to repeat."""
    return _verb(number, lambda: visits.finish(number, **given, desk=_desk()))


@bp.post(f"{ONE}/non-response")
@allowed("visits:work")
@bp.doc(**idempotency.document())
@takes(shapes.VisitLeaveIn(), example={"why": "三次上门均无人，大门紧锁。"})
@gives(shapes.VisitOut(), 201, also=200, errors=ERRORS)
def record_non_response(given: dict[str, Any], number: int) -> Response:
    """未能检查 Record that the visit could not be made, and why; of a random one too. Safe to repeat."""
    return _verb(number, lambda: visits.non_response(number, **given, desk=_desk()))


@bp.post(f"{ONE}/drop")
@allowed("visits:assign", "grades:read")
@bp.doc(**idempotency.document())
@takes(shapes.VisitLeaveIn(), example={"why": "该线索已由他机关办理。"})
@gives(shapes.VisitOut(), 201, also=200, errors=ERRORS)
def drop_visit(given: dict[str, Any], number: int) -> Response:
    """取消检查 Drop a visit that no lot chose, and say why. Needs `grades:read` too: a refusal tells who was drawn. Safe to repeat."""
    return _verb(number, lambda: visits.drop(number, **given, desk=_desk()))


@bp.post(f"{ONE}/notice")
@allowed("visits:assign")
@bp.doc(**idempotency.document())
@gives(DocumentOut(), 201, also=200, errors=PAPERS)
def issue_notice(number: int) -> Response:
    """检查通知书 Issue the notice of a visit, with the code to enter by and the right to recusal. Safe to repeat."""
    return _paper(number, lambda: inspection_papers.notice(number, settings=here().settings, desk=_desk()))


@bp.get(f"{ONE}/notice.html")
@allowed("visits:assign")
@gives(None, errors=[VisitNotFound, DocumentNotFound], content_type="text/html")
def print_notice(number: int) -> Response:
    """打印检查通知书 The notice of a visit as a page to print, A4; it loads nothing."""
    return printed(inspection_papers.last("visit_notice", f"visit:{_visible(number).id}", organ=own_organ()))


@bp.post(f"{ONE}/record")
@allowed("visits:work")
@bp.doc(**idempotency.document())
@gives(DocumentOut(), 201, also=200, errors=PAPERS)
def issue_record(number: int) -> Response:
    """现场检查笔录 Issue the on-site record of the key's organ: items, questions, and the answers once there are results. Safe to repeat."""
    return _paper(number, lambda: inspection_papers.record(number, settings=here().settings, desk=_desk()))


@bp.get(f"{ONE}/record.html")
@allowed("visits:work")
@gives(None, errors=[VisitNotFound, DocumentNotFound], content_type="text/html")
def print_record(number: int) -> Response:
    """打印现场检查笔录 The on-site record of a visit as a page to print, A4; it loads nothing."""
    return printed(inspection_papers.last("on_site_record", f"visit:{_visible(number).id}", organ=own_organ()))


@bp.get("/entities/<code>/inspections")
@allowed("entities:read")
@takes(PageQuery(), "query")
@gives(shapes.InspectionsOut(), errors=[EntityNotFound, BadCursor])
def list_inspections(query: dict[str, Any], code: str) -> dict[str, Any]:
    """检查情况 Spot checks on record, the visits of the organ's tasks, and on how many days of this year it was visited by anyone."""
    entity = visible_entity(code)
    checks = records.page(entity, kind="spot_check", **query)
    found = visit_views.of_entity(entity.id, organ=own_organ(), today=here().today())
    return {
        "code": entity.code or entity.registration_no or "",
        **found,
        "checks": [_check(view.row) for view in checks.items],
        "next": checks.next,
    }


@bp.get(CODE)
@allowed(public=True, counted=True)
@gives(shapes.DoorOut(), errors=[CodeUnknown])
def read_who_may_enter(token: str) -> dict[str, Any]:
    """亮码核验 Who may enter: organs, inspectors with their certificates, items, day; by the code of the notice. No key is needed."""
    return visit_ratings.who_may_enter(token, today=here().today())


@bp.post(f"{CODE}/rating")
@allowed(public=True, counted=True)
@takes(shapes.RatingIn(), example={"score": 5, "said": "亮证检查，用时短。"})
@gives(shapes.RatedOut(), 201, also=200, errors=[CodeUnknown, RatingConflict])
def rate_visit(given: dict[str, Any], token: str) -> tuple[dict[str, Any], int]:
    """企业评价 Rate a visit once, after it was begun, without a name: the day is kept, and no address, key or moment. No key is needed."""
    new = visit_ratings.rate(token, **given, today=here().today())
    return {"rated": True}, 201 if new else 200


def _supervisor(copy: str) -> bool:
    if copy == "supervisor":
        require("grades:read", "The supervisor's copy")
    return copy == "supervisor"


def _desk() -> Desk:
    at, who = here(), caller()
    return Desk(who.actor, own_organ(), at.today(), at.now())


def _visible(number: int) -> Visit:
    """The visit, if its task and its entity are the caller's business."""
    return visits.get(number, organ=own_organ(), divisions=caller().divisions)


def _verb(number: int, verb: Callable[[], tuple[Visit, bool]]) -> Response:
    def act(_: None) -> tuple[dict[str, Any], int]:
        _visible(number)
        row, new = verb()
        dumped: dict[str, Any] = shapes.VisitOut().dump(visit_views.one(row))
        return dumped, 201 if new else 200

    return idempotency.once(lambda: None, act)


def _paper(number: int, issue: Callable[[], tuple[Document, bool]]) -> Response:
    def act(_: None) -> tuple[dict[str, Any], int]:
        _visible(number)
        made, new = issue()
        return shown(made), 201 if new else 200

    return idempotency.once(lambda: None, act)


def _check(row: dict[str, Any]) -> dict[str, Any]:
    said = visibility.shown("spot_check", row, REGULATOR)
    return {**said, "line": {"zh": said["line"].zh, "en": said["line"].en}}
