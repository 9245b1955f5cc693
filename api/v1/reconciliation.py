"""Reconciliation: what came of the rows of one day, in sums that the sender can compute too."""

from datetime import date, timedelta
from typing import Any

from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.dossier import DayQuery, LinePage, LinesQuery, ReconciliationOut
from registry.errors import BadCursor
from registry.services import reconciliation

bp = Blueprint("reconciliation", __name__, url_prefix="/api/v1", description="对账 Reconciliation")


def _asked(query: dict[str, Any]) -> dict[str, Any]:
    """What both requests ask for; yesterday where no day is given."""
    at = here()
    on: date = query.pop("date") or at.today() - timedelta(days=1)
    return {"on": on, "organ": caller().organ, "zone": at.settings.jobs.timezone, **query}


@bp.get("/reconciliation")
@allowed("exchange:read")
@takes(DayQuery(), "query")
@gives(ReconciliationOut())
def reconcile(query: dict[str, Any]) -> dict[str, Any]:
    """对账 What arrived of the key's organ on one day, by source and kind: how many, and a sum that the sender can compute."""
    return reconciliation.summary(reconciliation.day(**_asked(query)))


@bp.get("/reconciliation/lines")
@allowed("exchange:read")
@takes(LinesQuery(), "query")
@gives(LinePage(), errors=[BadCursor])
def list_lines(query: dict[str, Any]) -> Any:
    """对账明细 The records behind one source's sum, each with its line and sum, in the order in which they came."""
    return reconciliation.page(**_asked(query))
