"""Whether the process lives, whether it can work, and what it has done."""

from typing import Any

from flask import Response, jsonify
from peewee import PeeweeException

from api import metrics as counted
from api.auth import allowed
from api.blueprint import Blueprint, gives
from api.context import here
from api.schemas.common import Out
from registry import clock, schema
from registry.database import execute
from registry.errors import NotInitialised
from registry.services import last_check

bp = Blueprint("health", __name__, description="运行状态 Health")


class Health(Out):
    """`status` is `ok`; whatever is wrong comes as a problem."""


@bp.get("/livez")
@allowed(public=True)
@gives(Health())
def livez() -> Any:
    """存活 The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@allowed(public=True)
@gives(Health(), errors=[NotInitialised])
def readyz() -> Any:
    """就绪 The database is reachable and of this version, and the scheme loads.

    `ledger` tells what the nightly tamper check found 台账核验, once there was one. The status stays 200: a registry that
    was tampered with must be looked at, and taking it off the net is for a person to decide.
    """
    execute("SELECT 1").fetchone()
    if not schema.is_current():
        raise NotInitialised
    checked = last_check.last()
    told = {}
    if checked is not None:
        said = "ok" if checked.fine else last_check.TamperingFound.code
        told["ledger"] = {"state": said, "findings": checked.findings, "checked_at": clock.moment_text(checked.at)}
    return jsonify(status="ok", scheme=here().scheme.id, **told)


@bp.get("/metrics")
@allowed(public=True)
@gives(None, content_type="text/plain")
def metrics() -> Response:
    """指标 Counts and latencies for Prometheus, by route and status."""
    text, media_type = counted.text()
    return Response(text + _ledger(), content_type=media_type)


def _ledger() -> bytes:
    """What the nightly tamper check found; nothing before the first, or where the database cannot be asked."""
    try:
        checked = last_check.last()
    except PeeweeException:
        # Requests are counted on a machine whose database is away, too: that is when somebody looks.
        return b""
    return b"" if checked is None else counted.of_ledger(findings=checked.findings, at=checked.at)
