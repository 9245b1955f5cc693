"""Complaints about an entity in figures, and who complains in series."""

from typing import Any

from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.readings import ClaimantsOut, ComplaintsOut, PeriodQuery
from registry.errors import EntityNotFound
from registry.services import complaints
from registry.services.complaints import BadPeriod, Period

bp = Blueprint("complaints", __name__, url_prefix="/api/v1", description="投诉举报 Complaints")


@bp.get("/entities/<code>/complaints")
@allowed("entities:read")
@takes(PeriodQuery(), "query")
@gives(ComplaintsOut(), errors=[EntityNotFound, BadPeriod])
def count_complaints(query: dict[str, Any], code: str) -> dict[str, Any]:
    """投诉公示数据 What is published of the complaints about an entity, by day of receipt, and what was left out and why."""
    usual = complaints.usual_period(query["to"] or here().today())
    period = Period(query["from_"] or usual.first, usual.last)
    found = complaints.publicity(visible_entity(code), period)
    return {**found.public(), "left_out": found.left_out}


@bp.get("/complaints/claimants")
@allowed("complaints:handle")
@gives(ClaimantsOut())
def list_claimants() -> dict[str, Any]:
    """职业索赔 Claimants who make complaints and reports in series, by pseudonym: how many, about how many, how many of them count no
    more, as far as entities of the key's divisions go. Nobody is named: this registry does not know who they are.
    """
    return {"items": complaints.serial_claimants(caller().divisions)}
