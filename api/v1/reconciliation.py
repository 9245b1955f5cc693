"""Reconciliation: what came of the rows of one day, in sums that the sender can compute too."""

from datetime import timedelta
from typing import Any

from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.dossier import DayQuery, LinePage, LinesQuery, ReconciliationOut
from registry.errors import BadCursor
from registry.services import reconciliation
from registry.services.reconciliation import Day

bp = Blueprint("reconciliation", __name__, url_prefix="/api/v1", description="对账 Reconciliation")


def _day(query: dict[str, Any]) -> Day:
    at = here()
    on = query["date"] or at.today() - timedelta(days=1)
    return reconciliation.day(
        on, organ=caller().organ, zone=at.settings.jobs.timezone, source=query["source"], kind=query["kind"]
    )


@bp.get("/reconciliation")
@allowed("exchange:read")
@takes(DayQuery(), "query")
@gives(ReconciliationOut())
def reconcile(query: dict[str, Any]) -> dict[str, Any]:
    """对账 What arrived of the key's organ on one day, by source and kind: how many, and a sum that the sender can compute."""
    return reconciliation.summary(_day(query))


@bp.get("/reconciliation/lines")
@allowed("exchange:read")
@takes(LinesQuery(), "query")
@gives(LinePage(), errors=[BadCursor])
def list_lines(query: dict[str, Any]) -> Any:
    """对账明细 The records behind one source's sum, each with its line and sum, in the order of the lines."""
    return reconciliation.page(
        _day(query), source=query["source"], kind=query["kind"], after=query["after"], limit=query["limit"]
    )
