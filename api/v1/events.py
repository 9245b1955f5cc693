"""The feed of grade changes, for systems that follow the grades of a district."""

from typing import Any

from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.events import EventPage, EventQuery, EventReasons
from api.v1.records import HIGHEST
from registry.errors import BadCursor, EntityNotFound, NotGraded
from registry.services import change_reasons, changes
from registry.services.changes import ChangeNotFound

bp = Blueprint("events", __name__, url_prefix="/api/v1", description="分类变动 Grade changes")


@bp.get("/events")
@allowed("grades:read")
@takes(EventQuery(), "query")
@gives(EventPage(), errors=[BadCursor, EntityNotFound])
def list_events(query: dict[str, Any]) -> dict[str, Any]:
    """分类变动 Changes of class or score, oldest first, with what caused them: records, time, scheme, context, override, raise, coverage.

    Keep `next` of the last full page and ask again from there; numbers never fall behind one that was given out.
    """
    code = query.pop("code")
    entity = None if code is None else visible_entity(code).id
    found = changes.page(here().settings.grading.scheme, **query, divisions=caller().divisions, entity=entity)
    return {"items": found.items, "next": found.next}


@bp.get(f"/events/<int(min=1, max={HIGHEST}):number>")
@allowed("grades:read")
@gives(EventReasons(), errors=[ChangeNotFound, NotGraded])
def read_event(number: int) -> dict[str, Any]:
    """变动理由 One change with the rows of points that moved it, and the records that came or went."""
    if not caller().sees(change_reasons.division_of(number)):
        raise ChangeNotFound(number)
    return change_reasons.between(number)
