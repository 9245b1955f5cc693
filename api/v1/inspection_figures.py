"""Figures of inspections 检查统计: as numbers, and as a page that prints. They tell of classes."""

from typing import Any

from flask import Response

from api import paper
from api.auth import allowed, caller, own_organ
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.inspection_figures import InspectionFiguresOut, InspectionFiguresQuery
from registry.errors import TaskNotFound
from registry.services import inspection_figures, inspection_page, tasks
from registry.services.complaints import BadPeriod
from registry.services.inspection_material import Scope

bp = Blueprint("inspection_figures", __name__, url_prefix="/api/v1", description="检查统计 Figures of inspections")


@bp.get("/statistics/inspections")
@allowed("grades:read", "lists:read")
@takes(InspectionFiguresQuery(), "query")
@gives(InspectionFiguresOut(), errors=[BadPeriod, TaskNotFound])
def count_inspections(query: dict[str, Any]) -> dict[str, Any]:
    """检查统计 Completion, closure, problems found by class and slice, rates without bias, effort, deadlines: of the key's organ and divisions."""
    return _figures(query)


@bp.get("/statistics/inspections.html")
@allowed("grades:read", "lists:read")
@takes(InspectionFiguresQuery(), "query")
@gives(None, errors=[BadPeriod, TaskNotFound], content_type="text/html")
def print_inspections(query: dict[str, Any]) -> Response:
    """检查统计打印 The same as one page with pictures."""
    at = here()
    moment = paper.moment(at.now(), at.settings.jobs.timezone)
    response = Response(inspection_page.as_html(_figures(query), who=caller().actor, at=moment), mimetype="text/html")
    response.headers["Content-Security-Policy"] = inspection_page.POLICY
    return response


def _figures(query: dict[str, Any]) -> dict[str, Any]:
    at, who = here(), caller()
    first, last = inspection_figures.period(query["first"], query["last"], at.today())
    if query["task"] is not None:
        tasks.seen(query["task"], organ=own_organ())
    scope = Scope(first, last, at.today(), query["task"], own_organ(), tuple(who.divisions), query["division"])
    return inspection_figures.figures(scope, settings=at.settings)
