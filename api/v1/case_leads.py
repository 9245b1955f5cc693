"""Case leads that visits found: read, taken over as cases, closed."""

from collections.abc import Callable
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, own_organ
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas import results as shapes
from registry.errors import BadCursor, IdempotencyConflict
from registry.models import CaseLead
from registry.services import case_leads
from registry.services.case_leads import LeadConflict, LeadNotFound, LeadRefused
from registry.services.results import Desk
from registry.services.reviews import ReasonMissing

bp = Blueprint("case_leads", __name__, url_prefix="/api/v1", description="案件线索 Case leads")

ONE = "/case-leads/<int(min=1, max=2147483647):number>"
ERRORS = [LeadNotFound, LeadConflict, IdempotencyConflict]


@bp.get("/case-leads")
@allowed("visits:review")
@takes(shapes.LeadsQuery(), "query")
@gives(shapes.LeadPage(), errors=[BadCursor])
def list_leads(query: dict[str, Any]) -> dict[str, Any]:
    """案件线索 Leads of the key's organ in its divisions, oldest first."""
    late = query.pop("overdue") == "yes"
    who = caller()
    found = case_leads.page(here().today(), organ=own_organ(), overdue=late, divisions=who.divisions, **query)
    return {"items": found.items, "next": found.next}


@bp.post(f"{ONE}/file")
@allowed("visits:review")
@bp.doc(**idempotency.document())
@takes(shapes.LeadFileIn(), example={"said": "已立案调查。", "record": 1024})
@gives(shapes.LeadOut(), 201, also=200, errors=[*ERRORS, LeadRefused])
def file_lead(given: dict[str, Any], number: int) -> Response:
    """立案 Take a lead over as a case, and name the record of its penalty, at once or later. Safe to repeat."""
    return _verb(number, lambda: case_leads.file(number, **given, desk=_desk()))


@bp.post(f"{ONE}/close")
@allowed("visits:review")
@bp.doc(**idempotency.document())
@takes(shapes.LeadCloseIn(), example={"said": "经核查违法事实不成立，不予立案。"})
@gives(shapes.LeadOut(), 201, also=200, errors=[*ERRORS, ReasonMissing])
def close_lead(given: dict[str, Any], number: int) -> Response:
    """不予立案 Close a lead that becomes no case, with the reason. Safe to repeat."""
    return _verb(number, lambda: case_leads.close(number, **given, desk=_desk()))


def _desk() -> Desk:
    at, who = here(), caller()
    # Leads make no visit, so no code is needed for one.
    return Desk(who.actor, own_organ(), at.today(), at.now(), at.settings, b"")


def _verb(number: int, verb: Callable[[], tuple[CaseLead, bool]]) -> Response:
    def act(_: CaseLead) -> tuple[dict[str, Any], int]:
        row, new = verb()
        shown: dict[str, Any] = shapes.LeadOut().dump(case_leads.shown(row, here().today()))
        return shown, 201 if new else 200

    return idempotency.once(lambda: case_leads.get(number, organ=own_organ(), divisions=caller().divisions), act)
