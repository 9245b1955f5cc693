"""Supervision labels 监管标签, their members, and the labels of one entity."""

from typing import Any

from flask import Response

from api import idempotency, registers
from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import BodyTooLarge, NoSuchPath
from api.schemas import labels as shapes
from api.schemas.common import PageQuery
from api.schemas.registers import FileOut
from registry.errors import BadCursor, BadFile, EntityNotFound, IdempotencyConflict, NotAllowed
from registry.services import label_members, labels
from registry.services.labels import UnknownLabel
from registry.services.register_sheets import LABELS, MEMBERS
from registry.services.registers import RegisterRefused, VersionConflict

bp = Blueprint("labels", __name__, url_prefix="/api/v1", description="监管标签 Supervision labels")

EXAMPLE = {
    "code": "food_producers", "name": "食品生产企业专项库", "scope": "province", "basis": "product_default 产品默认值",
    "licences": ["food_production"],
}  # fmt: skip
ERRORS = [UnknownLabel, VersionConflict, RegisterRefused, NotAllowed, IdempotencyConflict]
OF_ENTITY = "/entities/<code>/labels"


@bp.get("/labels")
@allowed("entities:read")
@takes(shapes.LabelsQuery(), "query")
@gives(shapes.SupervisionLabelPage(), errors=[BadCursor])
def list_labels(query: dict[str, Any]) -> dict[str, Any]:
    """标签列表 Labels in order of their codes."""
    found = labels.page(**query)
    return {"items": found.items, "next": found.next}


@bp.get("/labels/<code>")
@allowed("entities:read")
@gives(shapes.SupervisionLabelOut(), errors=[UnknownLabel])
def read_label(code: str) -> dict[str, Any]:
    """标签详情 One label and its version."""
    return labels.shown(labels.get(code))


@bp.post("/labels")
@allowed("items:write")
@bp.doc(**idempotency.document())
@takes(shapes.LabelIn(), example=EXAMPLE)
@gives(shapes.SupervisionLabelOut(), 201, also=200, errors=ERRORS)
def save_label(given: dict[str, Any]) -> Response:
    """增改标签 Add a label, or change the one with its code: a change names the `version` that it saw. Its area must be the key's. Safe to repeat."""
    version = given.pop("version")

    def act() -> tuple[dict[str, Any], Any]:
        row, outcome = labels.save(given, version=version, desk=registers.desk())
        shown: dict[str, Any] = shapes.SupervisionLabelOut().dump(labels.shown(row))
        return shown, outcome

    return registers.once(act)


@bp.post("/labels/<code>/retire")
@allowed("items:write")
@bp.doc(**idempotency.document())
@takes(shapes.LabelRetireIn(), example={"version": 1})
@gives(
    shapes.LabelRetiredOut(), 201, also=200, errors=[VersionConflict, RegisterRefused, NotAllowed, IdempotencyConflict]
)
def retire_label(given: dict[str, Any], code: str) -> Response:
    """停用标签 Take a label away that no item names and nobody is a member of by hand. Safe to repeat: gone stays gone."""

    def act() -> tuple[dict[str, Any], Any]:
        return {"code": code}, labels.retire(code, version=given["version"], desk=registers.desk())

    return registers.once(act)


@bp.get("/labels/<code>/members")
@allowed("entities:read")
@takes(PageQuery(), "query")
@gives(shapes.LabelMemberPage(), errors=[UnknownLabel, BadCursor])
def list_members(query: dict[str, Any], code: str) -> dict[str, Any]:
    """专项库成员 Members of a special database today, by hand, licence or industry, in the key's divisions."""
    found = labels.members(code, here().today(), divisions=caller().divisions, **query)
    return {"items": found.items, "next": found.next}


@bp.get("/labels/<code>/members.<form>", parameters=registers.FORM_PATH)
@allowed("entities:read")
@gives(None, errors=[UnknownLabel, NoSuchPath], content_type="text/csv")
def export_members(code: str, form: str) -> Response:
    """导出专项库成员 Who was put in by hand, in the key's divisions, as CSV or XLSX with the headings by which it is imported."""
    found = label_members.by_hand(code, divisions=caller().divisions)
    return registers.given(MEMBERS, found, form, name="members")


@bp.post("/labels/file")
@allowed("items:write")
@bp.doc(requestBody=registers.FILE, **idempotency.document())
@gives(FileOut(), errors=[BadFile, BodyTooLarge, IdempotencyConflict])
def import_labels() -> Response:
    """导入标签 Add and change labels from a CSV or XLSX file, sent as the body: at most 5,000 rows. The same file again changes nothing."""
    return registers.taken(LABELS, name="labels")


@bp.post("/labels/members/file")
@allowed("items:write")
@bp.doc(requestBody=registers.FILE, **idempotency.document())
@gives(FileOut(), errors=[BadFile, BodyTooLarge, IdempotencyConflict])
def import_members() -> Response:
    """导入专项库成员 Put entities of the key's divisions into special databases from a file, sent as the body: at most 5,000 rows."""
    return registers.taken(MEMBERS, name="members")


@bp.get("/labels.<form>", parameters=registers.FORM_PATH)
@allowed("entities:read")
@gives(None, errors=[NoSuchPath], content_type="text/csv")
def export_labels(form: str) -> Response:
    """导出标签 All labels as CSV or XLSX, with the headings by which they are imported."""
    return registers.given(LABELS, labels.page(limit=100_000).items, form, name="labels")


@bp.get(OF_ENTITY)
@allowed("entities:read")
@gives(shapes.EntityLabelsOut(), errors=[EntityNotFound])
def list_entity_labels(code: str) -> dict[str, Any]:
    """主体标签 The labels that an entity has today, and why."""
    return {"items": labels.of_entity(visible_entity(code), here().today())}


@bp.put(f"{OF_ENTITY}/<label>")
@allowed("items:write")
@takes(shapes.MembershipIn(), example={"from_on": "2026-11-01"})
@gives(shapes.EntityLabelsOut(), errors=[EntityNotFound, UnknownLabel, RegisterRefused])
def put_entity_label(given: dict[str, Any], code: str, label: str) -> dict[str, Any]:
    """列入专项库 Put an entity into a special database by hand. Safe to repeat."""
    entity = visible_entity(code)
    label_members.put(entity, label, **given, desk=registers.desk())
    return {"items": labels.of_entity(entity, here().today())}


@bp.delete(f"{OF_ENTITY}/<label>")
@allowed("items:write")
@gives(shapes.EntityLabelsOut(), errors=[EntityNotFound, UnknownLabel])
def end_entity_label(code: str, label: str) -> dict[str, Any]:
    """移出专项库 Take an entity out of a special database from today on, where it was put in by hand. Safe to repeat."""
    entity = visible_entity(code)
    label_members.end(entity, label, desk=registers.desk())
    return {"items": labels.of_entity(entity, here().today())}
