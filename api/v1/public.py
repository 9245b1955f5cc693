"""What anyone may see of an entity, for programs and as a page: published today on our own site, and nothing else."""

from typing import Any

from flask import Blueprint as PlainBlueprint
from flask import Response, render_template

from api.auth import allowed
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.pages import with_form
from api.paper import facts_of, more_of, until_of
from api.schemas.common import PageQuery
from api.schemas.public import PublicEntity, PublicRecordPage, PublicRecordsQuery
from api.schemas.readings import PublicityOut
from registry.errors import BadCursor, EntityNotFound
from registry.kinds import KINDS
from registry.services import complaints, public, public_grades
from registry.services.public import LISTINGS, Visible

bp = Blueprint("public", __name__, url_prefix="/api/v1/public", description="公示查询 What anyone may see")
pages = PlainBlueprint("public_pages", __name__)


def _visible(code: str) -> Visible:
    at = here()
    return public.visible(code, today=at.today(), zone=at.settings.jobs.timezone)


def _grades(found: Visible) -> list[dict[str, Any]]:
    return public_grades.shown(here().settings, [found.entity.id])


@bp.get("/entities/<code>")
@allowed(public=True, counted=True)
@gives(PublicEntity(), errors=[EntityNotFound])
def read_public_entity(code: str) -> dict[str, Any]:
    """公示信息 Registration basics, how many records are public today, and the grades that a local rule makes public. No key is needed."""
    found = _visible(code)
    counts = found.counts()
    return public.basics(found.entity) | {
        "counts": [{"kind": kind, "records": number} for kind, number in counts.items()],
        "listed": [name for name in LISTINGS if name in counts],
        "published_grades": _grades(found),
    }


@bp.get("/entities/<code>/records")
@allowed(public=True, counted=True)
@takes(PublicRecordsQuery(), "query")
@gives(PublicRecordPage(), errors=[EntityNotFound, BadCursor])
def list_public_records(query: dict[str, Any], code: str) -> Any:
    """公示记录 Records that are public today, newest first. `on` leaves out what was not known by a day. No key is needed."""
    return public.page(_visible(code), zone=here().settings.jobs.timezone, **query)


@bp.get("/entities/<code>/complaints")
@allowed(public=True, counted=True)
@gives(PublicityOut(), errors=[EntityNotFound])
def read_complaint_publicity(code: str) -> dict[str, Any]:
    """投诉公示 Complaints of the last year that were accepted and closed, by category: counts, never an item. No key is needed."""
    found = _visible(code)
    return complaints.publicity(found.entity, complaints.usual_period(here().today())).public()


@pages.get("/public/<code>")
@allowed(public=True, counted=True)
@takes(PageQuery(), "query")
def public_page(query: dict[str, Any], code: str) -> Response:
    """公示页面 The same for people, on a phone too."""
    at = here()
    try:
        found = _visible(code)
    except EntityNotFound as error:
        page = render_template("public.html", basics=None, code=error.context["entity_code"], today=at.today())
        return with_form(page, 404)
    basics, counts = public.basics(found.entity), found.counts()
    shown = public.page(found, zone=at.settings.jobs.timezone, **query)
    return with_form(
        render_template(
            "public.html", basics=basics, facts=facts_of(basics), counts=counts, page=shown, today=at.today(), more_of=more_of, until_of=until_of,
            listings=LISTINGS, listed=[name for name in LISTINGS if name in counts],
            titles={name: KINDS[name].title for name in LISTINGS}, grades=_grades(found),
        )
    )  # fmt: skip
