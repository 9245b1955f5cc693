"""Inspectors 执法检查人员: an organ keeps its own. Conflicts of interest are seen with `inspectors:read` only."""

from collections.abc import Callable
from typing import Any

from flask import Response

from api import idempotency, registers
from api.auth import allowed, caller, own_organ, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import BodyTooLarge, NoSuchPath
from api.schemas import inspectors as shapes
from api.schemas.registers import FileOut
from registry.errors import BadCursor, BadFile, EntityNotFound, IdempotencyConflict, NotAllowed
from registry.models import Inspector
from registry.services import inspector_keeping, inspectors
from registry.services.inspectors import InspectorNotFound
from registry.services.register_sheets import INSPECTORS
from registry.services.registers import Outcome, RegisterRefused, VersionConflict

bp = Blueprint("inspectors", __name__, url_prefix="/api/v1", description="执法检查人员 Inspectors")

ONE = "/inspectors/<int(min=1, max=2147483647):number>"
ERRORS = [InspectorNotFound, NotAllowed, RegisterRefused, IdempotencyConflict]
EXAMPLE = {
    "staff_no": "XH0001", "name": "示例甲", "level": "county", "areas": ["990101"], "items": ["*"], "capacity": 12,
    "certificates": [{"no": "XH-0001", "kind": "行政执法证", "until": "2028-12-31"}],
}  # fmt: skip


@bp.get("/inspectors")
@allowed("inspectors:read")
@takes(shapes.InspectorsQuery(), "query")
@gives(shapes.InspectorPage(), errors=[BadCursor])
def list_inspectors(query: dict[str, Any]) -> dict[str, Any]:
    """执法人员名录 Inspectors of the key's organ; with `expiring=30` those whose certificates run out within 30 days."""
    found = inspectors.page(here().today(), organ=own_organ(), **query)
    return {"items": found.items, "next": found.next}


@bp.get(ONE)
@allowed("inspectors:read")
@gives(shapes.InspectorDetail(), errors=[InspectorNotFound])
def read_inspector(number: int) -> dict[str, Any]:
    """执法人员详情 One inspector of the key's organ, his days away and his version."""
    return _detail(inspectors.get(number, organ=own_organ()))


@bp.post("/inspectors")
@allowed("inspectors:write")
@bp.doc(**idempotency.document())
@takes(shapes.InspectorIn(), example=EXAMPLE)
@gives(shapes.InspectorDetail(), 201, also=200, errors=[*ERRORS, VersionConflict])
def save_inspector(given: dict[str, Any]) -> Response:
    """增改执法人员 Add an inspector to the key's organ, or change the one with his staff number: a change names the `version` that it saw. Safe to repeat."""
    version = given.pop("version")
    return _once(lambda: inspector_keeping.save(given, version=version, desk=registers.desk()))


@bp.post(f"{ONE}/state")
@allowed("inspectors:write")
@bp.doc(**idempotency.document())
@takes(shapes.InspectorStateIn(), example={"state": "left", "version": 1})
@gives(shapes.InspectorDetail(), 201, also=200, errors=[*ERRORS, VersionConflict])
def set_inspector_state(given: dict[str, Any], number: int) -> Response:
    """变更状态 Let an inspector be active, suspended or gone. Safe to repeat."""
    return _once(lambda: inspector_keeping.set_state(number, **given, desk=registers.desk()))


@bp.post(f"{ONE}/away")
@allowed("inspectors:write")
@bp.doc(**idempotency.document())
@takes(shapes.AwayIn(), example={"from_on": "2026-12-01", "to_on": "2026-12-05", "why": "培训"})
@gives(shapes.InspectorDetail(), 201, also=200, errors=ERRORS)
def send_inspector_away(given: dict[str, Any], number: int) -> Response:
    """登记离岗日期 Note days on which an inspector visits nobody. Safe to repeat."""
    return _did(number, lambda: inspector_keeping.send_away(number, **given, desk=registers.desk()))


@bp.post(f"{ONE}/away/end")
@allowed("inspectors:write")
@bp.doc(**idempotency.document())
@takes(shapes.AwayEndIn(), example={"from_on": "2026-12-01"})
@gives(shapes.InspectorDetail(), 201, also=200, errors=ERRORS)
def call_inspector_back(given: dict[str, Any], number: int) -> Response:
    """撤销离岗日期 Take back the days away that begin on a day. Safe to repeat."""
    return _did(number, lambda: inspector_keeping.call_back(number, **given, desk=registers.desk()))


@bp.get(f"{ONE}/conflicts")
@allowed("inspectors:read")
@gives(shapes.ConflictsOut(), errors=[InspectorNotFound])
def list_conflicts(number: int) -> dict[str, Any]:
    """利害关系 Conflicts of interest of an inspector, also those that ended, with entities in the key's divisions."""
    return _conflicts(inspectors.get(number, organ=own_organ()))


@bp.post(f"{ONE}/conflicts")
@allowed("inspectors:write", "inspectors:read")
@bp.doc(**idempotency.document())
@takes(shapes.ConflictIn(), example={"code": "91990101MA0000016K", "why": "近亲属任职"})
@gives(shapes.ConflictsOut(), 201, also=200, errors=[*ERRORS, EntityNotFound])
def declare_conflict(given: dict[str, Any], number: int) -> Response:
    """申报利害关系 Put a conflict of interest on record: no draw sends him there. Safe to repeat."""
    return _conflict(
        number, lambda entity: inspector_keeping.declare(number, entity, **given, desk=registers.desk()), given
    )


@bp.post(f"{ONE}/conflicts/end")
@allowed("inspectors:write", "inspectors:read")
@bp.doc(**idempotency.document())
@takes(shapes.ConflictEndIn(), example={"code": "91990101MA0000016K"})
@gives(shapes.ConflictsOut(), 201, also=200, errors=[*ERRORS, EntityNotFound])
def end_conflict(given: dict[str, Any], number: int) -> Response:
    """解除利害关系 End a conflict of interest, by default today; it stays on record. Safe to repeat."""
    return _conflict(
        number, lambda entity: inspector_keeping.end_conflict(number, entity, **given, desk=registers.desk()), given
    )


@bp.post("/inspectors/file")
@allowed("inspectors:write")
@bp.doc(requestBody=registers.FILE, **idempotency.document())
@gives(FileOut(), errors=[BadFile, BodyTooLarge, IdempotencyConflict])
def import_inspectors() -> Response:
    """导入执法人员 Add and change inspectors of the key's organ from a CSV or XLSX file, sent as the body: at most 5,000 rows.

    Columns with identity numbers, telephone numbers and the like are left out by their heading and named in `left_out`.
    """
    return registers.taken(INSPECTORS, name="inspectors")


@bp.get("/inspectors.<form>", parameters=registers.FORM_PATH)
@allowed("inspectors:read")
@gives(None, errors=[NoSuchPath], content_type="text/csv")
def export_inspectors(form: str) -> Response:
    """导出执法人员 Inspectors of the key's organ as CSV or XLSX, with the headings by which they are imported."""
    found = inspectors.page(here().today(), organ=own_organ(), limit=1_000_000).items
    return registers.given(INSPECTORS, found, form, name="inspectors")


def _detail(row: Inspector) -> dict[str, Any]:
    return {**inspectors.shown(row, here().today()), "away": inspectors.absences(row)}


def _conflicts(row: Inspector) -> dict[str, Any]:
    return {"items": inspectors.declared(row, divisions=caller().divisions)}


def _once(verb: Callable[[], tuple[Inspector, Outcome]]) -> Response:
    def act() -> tuple[dict[str, Any], Outcome]:
        row, outcome = verb()
        shown: dict[str, Any] = shapes.InspectorDetail().dump(_detail(row))
        return shown, outcome

    return registers.once(act)


def _did(number: int, verb: Callable[[], Outcome]) -> Response:
    def both() -> tuple[Inspector, Outcome]:
        outcome = verb()
        return inspectors.get(number), outcome

    return _once(both)


def _conflict(number: int, verb: Callable[[Any], Outcome], given: dict[str, Any]) -> Response:
    entity = visible_entity(given.pop("code"))

    def act() -> tuple[dict[str, Any], Outcome]:
        outcome = verb(entity)
        shown: dict[str, Any] = shapes.ConflictsOut().dump(_conflicts(inspectors.get(number)))
        return shown, outcome

    return registers.once(act)
