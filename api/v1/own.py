"""What an enterprise reads of itself, with a key of its own."""

from typing import Any

from flask import Response

from api.auth import allowed, own_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.dossier import DossierQuery, OwnOut, ReportQuery
from api.v1 import dossier
from api.v1.shown import known_seq
from registry.errors import BadCursor
from registry.services import own
from registry.services.complaints import BadPeriod
from registry.services.keys import NotAnEnterprisesKey
from registry.services.visibility import ENTERPRISE

bp = Blueprint("own", __name__, url_prefix="/api/v1", description="企业自查 An enterprise's own record")


@bp.get("/own")
@allowed("self:read")
@takes(DossierQuery(), "query")
@gives(OwnOut(), errors=[NotAnEnterprisesKey, BadCursor])
def read_own(query: dict[str, Any]) -> dict[str, Any]:
    """企业自查 One's own dossier: where each record is published and until when, objections and repairs with their days."""
    at, known = here(), known_seq(query["known_at"])
    found = own.page(
        own_entity(known=known), settings=at.settings, today=at.today(), on=query["on"], known=known,
        after=query["after"], limit=query["limit"],
    )  # fmt: skip
    return dossier.shown(found.dossier) | {
        "objections": found.objections, "repairs": found.repairs, "published_grades": found.grades,
    }  # fmt: skip


@bp.get("/own/report.html")
@allowed("self:read")
@takes(ReportQuery(), "query")
@gives(None, content_type="text/html", errors=[NotAnEnterprisesKey, BadPeriod])
def read_own_report(query: dict[str, Any]) -> Response:
    """自查报告 One's own quality-credit report as a page for A4."""
    entity = own_entity()
    return dossier.page(entity, ENTERPRISE, who=f"{entity.name} 自查", **query)
