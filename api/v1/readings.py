"""One record with what the caller's scopes open of it; every reading of people's details is on record."""

from typing import Any

from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives
from api.context import here
from api.schemas.readings import RecordReadOut
from registry.errors import EntityNotFound, RecordNotFound, UnknownKind
from registry.kinds import KINDS
from registry.services import readings
from registry.services.visibility import reader_for

bp = Blueprint("readings", __name__, url_prefix="/api/v1", description="单条记录 One record")

KIND = [{"in": "path", "name": "kind", "required": True, "schema": {"type": "string", "enum": sorted(KINDS)},
         "description": "Kind of record 记录类别"}]  # fmt: skip
HIGHEST = 2**53


@bp.get(f"/records/<kind>/<int(min=1, max={HIGHEST}):seq>", parameters=KIND)
@allowed("entities:read")
@gives(RecordReadOut(), errors=[UnknownKind, RecordNotFound, EntityNotFound])
def read_record(kind: str, seq: int) -> dict[str, Any]:
    """读取一条记录 One current record. With `records:detail` the names of people, with `complaints:handle` who made a complaint (a
    pseudonym); either reading is on record 留痕.
    """
    entity, row = readings.find(kind, seq)
    code = entity.code or entity.registration_no or ""
    try:
        visible_entity(code)
    except EntityNotFound:
        # What is not the caller's business is as absent as what does not exist.
        raise RecordNotFound(f"There is no current record {seq} of kind {kind}.") from None
    who = caller()
    return {**readings.read(kind, row, reader_for(who.scopes), actor=who.actor, now=here().now()), "code": code}
