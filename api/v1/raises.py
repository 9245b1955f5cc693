"""Raises 类别上调: a class one step worse than the rules give, suggested by a model, confirmed or dismissed by an officer."""

from collections.abc import Callable
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.raises import RaiseOut, RaisePage, RaisesQuery, RaiseWhyIn
from registry.errors import BadCursor, EntityNotFound, IdempotencyConflict
from registry.models import Entity, GradeRaise
from registry.services import raises
from registry.services.raises import Desk, RaiseConflict, RaiseNotFound, RaiseRefused

bp = Blueprint("raises", __name__, url_prefix="/api/v1", description="类别上调 Raises that a model suggests")

ONE = "/raises/<int(min=1, max=2147483647):number>"
ERRORS = [RaiseNotFound, RaiseConflict, RaiseRefused, IdempotencyConflict]


@bp.get("/raises")
@allowed("grades:read")
@takes(RaisesQuery(), "query")
@gives(RaisePage(), errors=[BadCursor, EntityNotFound])
def list_raises(query: dict[str, Any]) -> dict[str, Any]:
    """上调列表 Raises of entities in the key's divisions, newest first."""
    code = query.pop("code")
    entity = visible_entity(code).id if code else None
    found = raises.page(entity=entity, divisions=caller().divisions, **query)
    today = here().today()
    return {"items": [raises.as_dict(row, party, today) for row, party in found.items], "next": found.next}


@bp.get(ONE)
@allowed("grades:read")
@gives(RaiseOut(), errors=[RaiseNotFound])
def read_raise(number: int) -> dict[str, Any]:
    """上调详情 One raise."""
    row = _visible(number)
    return raises.as_dict(row, Entity.get_by_id(row.entity), here().today())


@bp.post(f"{ONE}/confirm")
@allowed("raises:decide", "grades:read")
@bp.doc(**idempotency.document())
@takes(RaiseWhyIn(), example={"reason": "近期连续两次抽检不合格，同意上调。"})
@gives(RaiseOut(), 201, also=200, errors=ERRORS)
def confirm_raise(given: dict[str, Any], number: int) -> Response:
    """确认上调 Let a suggested raise count: the entity is graded with it at once. Safe to repeat."""
    return _verb(lambda: raises.confirm(_visible(number).id, why=given["reason"], desk=_desk()))


@bp.post(f"{ONE}/dismiss")
@allowed("raises:decide", "grades:read")
@bp.doc(**idempotency.document())
@takes(RaiseWhyIn(), example={"reason": "已于上月现场核查，未发现问题。"})
@gives(RaiseOut(), 201, also=200, errors=ERRORS)
def dismiss_raise(given: dict[str, Any], number: int) -> Response:
    """不予上调 Leave the class as it is; nothing is suggested of the entity again for a while. Safe to repeat."""
    return _verb(lambda: raises.dismiss(_visible(number).id, why=given["reason"], desk=_desk()))


@bp.post(f"{ONE}/end")
@allowed("raises:decide", "grades:read")
@bp.doc(**idempotency.document())
@takes(RaiseWhyIn(), example={"reason": "整改完成，复查合格。"})
@gives(RaiseOut(), 201, also=200, errors=ERRORS)
def end_raise(given: dict[str, Any], number: int) -> Response:
    """提前终止 End a raise in force before its day: the class is the rules' again at once. Safe to repeat."""
    return _verb(lambda: raises.end(_visible(number).id, why=given["reason"], desk=_desk()))


def _desk() -> Desk:
    at = here()
    return Desk(at.settings, caller().actor, at.today(), at.now())


def _visible(number: int) -> GradeRaise:
    """The raise, if its entity is the caller's business. What is not is as absent as what does not exist."""
    row = raises.get(number)
    if not caller().sees(Entity.get_by_id(row.entity).division):
        raise RaiseNotFound(number)
    return row


def _verb(verb: Callable[[], tuple[GradeRaise, bool]]) -> Response:
    def act(_: None) -> tuple[dict[str, Any], int]:
        row, new = verb()
        shown = raises.as_dict(row, Entity.get_by_id(row.entity), here().today())
        return RaiseOut().dump(shown), 201 if new else 200

    return idempotency.once(lambda: None, act)
