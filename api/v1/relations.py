"""Relations of an entity with others and with natural persons."""

from typing import Any

from api.auth import allowed, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.readings import RelationsOut, RelationsQuery
from registry.errors import EntityNotFound
from registry.services import relations
from registry.services.visibility import REGULATOR

bp = Blueprint("relations", __name__, url_prefix="/api/v1", description="关联关系 Relations")


@bp.get("/entities/<code>/relations")
@allowed("entities:read")
@takes(RelationsQuery(), "query")
@gives(RelationsOut(), errors=[EntityNotFound])
def list_relations(query: dict[str, Any], code: str) -> dict[str, Any]:
    """关联关系 Who represents, owns and manages an entity, what it owns, and who names it, on a day. People are shown as 张*: the name
    is in the record, which a key with `records:detail` reads one by one.
    """
    day = query["on"] or here().today()
    found = relations.of(visible_entity(code), day, query["known"])
    return {"on": day, "items": [one.shown(REGULATOR) for one in found]}
