"""Overrides 人工认定: a class in place of the scheme's, proposed by one person and approved by another."""

from collections.abc import Callable
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.overrides import ApproveIn, OverrideIn, OverrideOut, OverridePage, OverridesQuery, OverrideWhyIn
from registry.errors import BadCursor, EntityNotFound, IdempotencyConflict
from registry.models import Entity, GradeOverride
from registry.services import overrides
from registry.services.life import SameHands
from registry.services.overrides import Desk, OverrideConflict, OverrideNotFound, OverrideRefused

bp = Blueprint("overrides", __name__, url_prefix="/api/v1", description="人工认定 Classes set by persons")

ONE = "/overrides/<int(min=1, max=2147483647):number>"
ERRORS = [OverrideNotFound, OverrideConflict, OverrideRefused, SameHands, IdempotencyConflict]


@bp.post("/overrides")
@allowed("overrides:propose", "grades:read")
@bp.doc(**idempotency.document())
@takes(
    OverrideIn(),
    example={
        "code": "91990101MA00000000", "class": "D", "reason": "专项整治中查明涉嫌养老诈骗。", "basis": "专项行动方案第三条",
        "until": "2027-02-01",
    },
)  # fmt: skip
@gives(OverrideOut(), 201, also=200, errors=[EntityNotFound, OverrideConflict, OverrideRefused, IdempotencyConflict])
def propose_override(given: dict[str, Any]) -> Response:
    """提出认定 Propose a class for an entity. Nothing is in force before another person approves it. Safe to repeat."""

    def verb() -> tuple[GradeOverride, bool]:
        entity = visible_entity(given["code"])
        scheme = given["scheme"] or here().settings.grading.scheme
        return overrides.propose(
            entity.code or entity.registration_no or "", scheme=scheme, class_=given["class_"], reason=given["reason"],
            basis=given["basis"], from_on=given["from_on"], until_on=given["until_on"], desk=_desk(),
        )  # fmt: skip

    return _verb(verb)


@bp.post(f"{ONE}/approval")
@allowed("overrides:approve", "grades:read")
@bp.doc(**idempotency.document())
@takes(ApproveIn(), example={"said": "同意。"})
@gives(OverrideOut(), 201, also=200, errors=ERRORS)
def approve_override(given: dict[str, Any], number: int) -> Response:
    """批准认定 Approve a proposal as another person than proposed it: the entity is graded with it at once. Safe to repeat."""
    return _verb(lambda: overrides.approve(_visible(number).id, said=given["said"], desk=_desk()))


@bp.post(f"{ONE}/refusal")
@allowed("overrides:approve", "grades:read")
@bp.doc(**idempotency.document())
@takes(OverrideWhyIn(), example={"reason": "证据不足。"})
@gives(OverrideOut(), 201, also=200, errors=ERRORS)
def refuse_override(given: dict[str, Any], number: int) -> Response:
    """不予认定 Refuse a proposal as another person than proposed it. Safe to repeat."""
    return _verb(lambda: overrides.refuse(_visible(number).id, why=given["reason"], desk=_desk()))


@bp.post(f"{ONE}/end")
@allowed("overrides:approve", "grades:read")
@bp.doc(**idempotency.document())
@takes(OverrideWhyIn(), example={"reason": "查明无事实。"})
@gives(OverrideOut(), 201, also=200, errors=ERRORS)
def end_override(given: dict[str, Any], number: int) -> Response:
    """提前终止 End an approved override before its day: the class is the scheme's again at once. Safe to repeat."""
    return _verb(lambda: overrides.end(_visible(number).id, why=given["reason"], desk=_desk()))


@bp.get("/overrides")
@allowed("grades:read")
@takes(OverridesQuery(), "query")
@gives(OverridePage(), errors=[BadCursor, EntityNotFound])
def list_overrides(query: dict[str, Any]) -> dict[str, Any]:
    """认定列表 Overrides of entities in the key's divisions, newest first."""
    code = query.pop("code")
    entity = visible_entity(code).id if code else None
    found = overrides.page(entity=entity, divisions=caller().divisions, **query)
    today = here().today()
    return {"items": [overrides.as_dict(row, party, today) for row, party in found.items], "next": found.next}


@bp.get(ONE)
@allowed("grades:read")
@gives(OverrideOut(), errors=[OverrideNotFound])
def read_override(number: int) -> dict[str, Any]:
    """认定详情 One override."""
    row = _visible(number)
    return overrides.as_dict(row, Entity.get_by_id(row.entity), here().today())


def _desk() -> Desk:
    at = here()
    return Desk(at.settings, caller().actor, at.today(), at.now())


def _visible(number: int) -> GradeOverride:
    """The override, if its entity is the caller's business. What is not is as absent as what does not exist."""
    row = overrides.get(number)
    if not caller().sees(Entity.get_by_id(row.entity).division):
        raise OverrideNotFound(number)
    return row


def _verb(verb: Callable[[], tuple[GradeOverride, bool]]) -> Response:
    def act(_: None) -> tuple[dict[str, Any], int]:
        row, new = verb()
        shown = overrides.as_dict(row, Entity.get_by_id(row.entity), here().today())
        return OverrideOut().dump(shown), 201 if new else 200

    return idempotency.once(lambda: None, act)
