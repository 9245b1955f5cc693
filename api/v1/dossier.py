"""The dossier of an entity as a timeline, and its quality-credit report as a page that prints."""

from datetime import date
from typing import Any

from flask import Response, render_template

from api import paper
from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.dossier import DossierOut, DossierQuery, ReportQuery
from api.v1.shown import known_seq
from registry.errors import BadCursor, EntityNotFound
from registry.models import Entity
from registry.services import dossier, report
from registry.services.complaints import BadPeriod
from registry.services.dossier import Dossier
from registry.services.visibility import REGULATOR, Reader

bp = Blueprint("dossier", __name__, url_prefix="/api/v1", description="信用档案 Dossiers")


@bp.get("/entities/<code>/dossier")
@allowed("entities:read")
@takes(DossierQuery(), "query")
@gives(DossierOut(), errors=[EntityNotFound, BadCursor])
def read_dossier(query: dict[str, Any], code: str) -> dict[str, Any]:
    """信用档案 The whole record as a timeline, newest first: records, corrections, listings, steps, merges.

    `on` asks for the record up to a day, `known_at` for what was known then. What was withdrawn, repaired or erased since
    is one line that says no more, whichever is asked for. Nothing of a grade is in it.
    """
    at, known = here(), known_seq(query["known_at"])
    found = dossier.page(
        visible_entity(code, known=known), reader=REGULATOR, today=at.today(), zone=at.settings.jobs.timezone, on=query["on"],
        known=known, after=query["after"], limit=query["limit"],
    )  # fmt: skip
    return shown(found)


@bp.get("/entities/<code>/report.html")
@allowed("entities:read")
@takes(ReportQuery(), "query")
@gives(None, content_type="text/html", errors=[EntityNotFound, BadPeriod])
def read_report(query: dict[str, Any], code: str) -> Response:
    """质量信用报告 The quality-credit report (outline of GB/T 31870-2015) as a page for A4, with a watermark of who and when."""
    return page(visible_entity(code), REGULATOR, who=f"{caller().organ} {caller().name}", **query)


def page(entity: Entity, reader: Reader, *, who: str, first: date | None, last: date | None) -> Response:
    """The report on an entity as a page for this reader; `who` stands in its watermark."""
    at = here()
    zone = at.settings.jobs.timezone
    found = report.of(entity, reader=reader, today=at.today(), zone=zone, first=first, last=last)
    given = paper.variables(found, who=who, at=paper.moment(at.now(), zone))
    return Response(render_template("report.html", **given), mimetype="text/html")


def shown(found: Dossier) -> dict[str, Any]:
    """A dossier as the API shows it."""
    return {
        "entity": found.basics,
        "merged": found.merged,
        "on": found.on,
        "known_seq": found.known,
        "counts": [{"kind": kind, "records": number} for kind, number in found.counts.items()],
        "years": [{"year": int(year) if year else None, "lines": number} for year, number in found.years.items()],
        "items": found.items,
        "next": found.next,
    }
