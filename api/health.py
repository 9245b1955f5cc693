"""Whether the process lives, whether it can work, and what it has done."""

from typing import Any

from flask import Response, jsonify

from api import metrics as counted
from api.auth import allowed
from api.blueprint import Blueprint, gives
from api.context import here
from api.schemas.common import Out
from registry import schema
from registry.database import execute
from registry.errors import NotInitialised

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
    """就绪 The database is reachable and of this version, and the scheme loads."""
    execute("SELECT 1").fetchone()
    if not schema.is_current():
        raise NotInitialised
    return jsonify(status="ok", scheme=here().scheme.id)


@bp.get("/metrics")
@allowed(public=True)
@gives(None, content_type="text/plain")
def metrics() -> Response:
    """指标 Counts and latencies for Prometheus, by route and status."""
    text, media_type = counted.text()
    return Response(text, content_type=media_type)
