"""Find entities, and read one with its records."""

from typing import Any

from flask import Response

from api.auth import allowed, caller, require, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.entity import EntityDetail, EntityPage, EntityQuery, RecordPage, RecordsQuery
from api.v1.shown import conditional, entity_row, record_row
from registry.errors import BadCursor, EntityNotFound
from registry.services import merges, records, search
from registry.services.search import Query, TooVague

bp = Blueprint("entities", __name__, url_prefix="/api/v1", description="经营主体 Entities")


@bp.get("/entities")
@allowed("entities:read")
@takes(EntityQuery(), "query")
@gives(EntityPage(), errors=[BadCursor, TooVague])
def find_entities(query: dict[str, Any]) -> dict[str, Any]:
    """查询主体 Find entities.

    By code, registration number, two characters of a name (former names too), division, kind, industry; with
    `grades:read` also by class, and each entity then carries its class.
    """
    if query["class_"]:
        require("grades:read", "Searching by class")
    asked = Query(
        query["q"], query["division"], query["kind"], query["industry"], query["class_"], divisions=caller().divisions
    )
    found = search.page(
        asked,
        scheme=here().settings.grading.scheme,
        with_class=caller().may("grades:read"),
        after=query["after"],
        limit=query["limit"],
    )
    return {"items": [entity_row(row) for row in found.items], "next": found.next}


@bp.get("/entities/<code>")
@allowed("entities:read")
@gives(EntityDetail(), errors=[EntityNotFound])
def read_entity(code: str) -> Response:
    """主体信息 One entity by credit code or registration number; one that was merged is answered for by who it is. Carries an ETag."""
    entity = visible_entity(code)
    merged = [one.code or one.registration_no for one in merges.merged_into(entity.id)]
    row = entity_row(entity.__data__) | {
        "organ": entity.organ,
        "capital_fen": entity.capital_fen,
        "merged_from": merged,
    }
    return conditional(EntityDetail().dump(row))


@bp.get("/entities/<code>/records")
@allowed("entities:read")
@takes(RecordsQuery(), "query")
@gives(RecordPage(), errors=[EntityNotFound, BadCursor])
def list_records(query: dict[str, Any], code: str) -> dict[str, Any]:
    """主体记录 Current records of one entity, newest first; those without a date last, withdrawn ones never."""
    found = records.page(visible_entity(code), **query)
    return {"items": [record_row(view) for view in found.items], "next": found.next}
