"""Early warnings 风险预警: for keys that may read grades too, since a chance is as secret as a class."""

from collections.abc import Callable
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas import warnings as shapes
from registry.errors import BadCursor, IdempotencyConflict, TaskNotFound
from registry.models import EarlyWarning, Entity
from registry.services import early_warnings, warning_figures, warning_views
from registry.services.early_warnings import Desk, WarningConflict, WarningElsewhere, WarningNotFound, WarningRefused

bp = Blueprint("warnings", __name__, url_prefix="/api/v1", description="风险预警 Early warnings")

ONE = "/warnings/<int(min=1, max=2147483647):number>"
ERRORS = [WarningNotFound, WarningConflict, WarningRefused, IdempotencyConflict]
OVERDUE = {"": None, "yes": True, "no": False}


@bp.get("/warnings")
@allowed("warnings:read", "grades:read")
@takes(shapes.WarningsQuery(), "query")
@gives(shapes.WarningPage(), errors=[BadCursor])
def list_warnings(query: dict[str, Any]) -> dict[str, Any]:
    """预警列表 Early warnings of entities in the key's divisions, newest first."""
    late = OVERDUE[query.pop("overdue")]
    found = warning_views.page(here().today(), overdue=late, divisions=caller().divisions, **query)
    return {"items": found.items, "next": found.next}


@bp.get(ONE)
@allowed("warnings:read", "grades:read")
@gives(shapes.WarningOut(), errors=[WarningNotFound])
def read_warning(number: int) -> dict[str, Any]:
    """预警详情 One early warning with its steps, and the records that may show how it ended."""
    return warning_views.one(_visible(number), here().today())


@bp.post(f"{ONE}/assign")
@allowed("warnings:work", "grades:read")
@bp.doc(**idempotency.document())
@takes(shapes.WarningAssignIn(), example={"to": "东区所 李", "organ": "信衡市市场监督管理局", "said": "请于本周核实。"})
@gives(shapes.WarningOut(), 201, also=200, errors=ERRORS)
def assign_warning(given: dict[str, Any], number: int) -> Response:
    """分派 Assign it to a person of an organ; anew where it was assigned already, with the same deadline. Safe to repeat."""
    return _verb(lambda: early_warnings.assign(_visible(number).id, **given, desk=_desk()))


@bp.post(f"{ONE}/dispose")
@allowed("warnings:work", "grades:read")
@bp.doc(**idempotency.document())
@takes(shapes.WarningDisposeIn(), example={"disposal": 3, "said": "已约谈负责人，承诺十日内整改。"})
@gives(shapes.WarningOut(), 201, also=200, errors=[*ERRORS, WarningElsewhere, TaskNotFound])
def dispose_warning(given: dict[str, Any], number: int) -> Response:
    """处置 Say what was done. Only for the organ that it is assigned to. Safe to repeat."""
    return _verb(lambda: early_warnings.dispose(_visible(number).id, **given, desk=_desk()))


@bp.post(f"{ONE}/feedback")
@allowed("warnings:work", "grades:read")
@bp.doc(**idempotency.document())
@takes(shapes.WarningFeedbackIn(), example={"outcome": 1, "said": "现场检查发现超范围经营。", "record": 1024})
@gives(shapes.WarningOut(), 201, also=200, errors=[*ERRORS, WarningElsewhere])
def answer_warning(given: dict[str, Any], number: int) -> Response:
    """反馈 Say what it came to, with the record that shows it. Only for the organ that it is assigned to. Safe to repeat."""
    return _verb(lambda: early_warnings.answer(_visible(number).id, **given, desk=_desk()))


@bp.post(f"{ONE}/close")
@allowed("warnings:work", "grades:read")
@bp.doc(**idempotency.document())
@takes(shapes.WarningCloseIn(), example={"said": "已整改，办结。"})
@gives(shapes.WarningOut(), 201, also=200, errors=ERRORS)
def close_warning(given: dict[str, Any], number: int) -> Response:
    """办结 Close a warning that has its feedback. Safe to repeat."""
    return _verb(lambda: early_warnings.close(_visible(number).id, **given, desk=_desk()))


@bp.get("/statistics/warnings")
@allowed("warnings:read", "grades:read")
@takes(shapes.WarningFiguresQuery(), "query")
@gives(shapes.WarningFiguresOut())
def count_warnings(query: dict[str, Any]) -> dict[str, Any]:
    """预警统计 Early warnings by state, what is overdue, and the share of false alarms by model and quarter."""
    return warning_figures.figures(here().today(), divisions=caller().divisions, since=query["since"])


def _desk() -> Desk:
    at, who = here(), caller()
    return Desk(who.actor, who.organ, at.today(), at.now())


def _visible(number: int) -> EarlyWarning:
    """The warning, if its entity is the caller's business. What is not is as absent as what does not exist."""
    row = early_warnings.get(number)
    if not caller().sees(Entity.get_by_id(row.entity).division):
        raise WarningNotFound(number)
    return row


def _verb(verb: Callable[[], tuple[EarlyWarning, bool]]) -> Response:
    def act(_: None) -> tuple[dict[str, Any], int]:
        row, new = verb()
        shown: dict[str, Any] = shapes.WarningOut().dump(warning_views.one(row, here().today()))
        return shown, 201 if new else 200

    return idempotency.once(lambda: None, act)
