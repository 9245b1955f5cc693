"""The list of items 随机抽查事项清单: one for all organs, read by all, kept by who may."""

from typing import Any

from flask import Response

from api import idempotency, registers
from api.auth import allowed
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import BodyTooLarge, NoSuchPath
from api.schemas import items as shapes
from api.schemas.registers import FileOut
from registry.errors import BadCursor, BadFile, IdempotencyConflict
from registry.services import items
from registry.services.items import UnknownItem
from registry.services.register_sheets import ITEMS
from registry.services.registers import RegisterRefused, VersionConflict

bp = Blueprint("items", __name__, url_prefix="/api/v1", description="抽查事项清单 Inspection items")

# A worked example for the page of the document.
EXAMPLE = {
    "code": "B03", "name": "食品经营者检查", "basis": "product_default 产品默认值", "subjects": ["enterprise", "individual"],
    "method": "on_site", "nature": "key", "department": "食品经营监管", "labels": [], "minutes": 60,
    "harm": [{"from": "2025-01-01", "weight": 300, "basis": "product_default"}],
    "questions": [{"code": "1", "text": "是否在经营场所显著位置公示食品经营许可证？", "severity": 1}], "from_on": "2025-01-01",
}  # fmt: skip


@bp.get("/items")
@allowed("entities:read")
@takes(shapes.ItemsQuery(), "query")
@gives(shapes.ItemPage(), errors=[BadCursor])
def list_items(query: dict[str, Any]) -> dict[str, Any]:
    """事项清单 Items in order of their codes: those in force today, with `every=yes` the others too."""
    found = items.page(here().today(), every=query.pop("every") == "yes", **query)
    return {"items": found.items, "next": found.next}


@bp.get("/items/<code>")
@allowed("entities:read")
@gives(shapes.ItemOut(), errors=[UnknownItem])
def read_item(code: str) -> dict[str, Any]:
    """事项详情 One item with its checklist and its version."""
    return items.shown(items.get(code), here().today())


@bp.post("/items")
@allowed("items:write")
@bp.doc(**idempotency.document())
@takes(shapes.ItemIn(), example=EXAMPLE)
@gives(shapes.ItemOut(), 201, also=200, errors=[UnknownItem, VersionConflict, RegisterRefused, IdempotencyConflict])
def save_item(given: dict[str, Any]) -> Response:
    """增改事项 Put an item onto the list, or change the one with its code: a change names the `version` that it saw. Safe to repeat."""
    version = given.pop("version")

    def act() -> tuple[dict[str, Any], Any]:
        row, outcome = items.save(given, version=version, desk=registers.desk())
        return _shown(row), outcome

    return registers.once(act)


@bp.post("/items/<code>/retire")
@allowed("items:write")
@bp.doc(**idempotency.document())
@takes(shapes.ItemRetireIn(), example={"on": "2027-01-01", "version": 1})
@gives(shapes.ItemOut(), 201, also=200, errors=[UnknownItem, VersionConflict, RegisterRefused, IdempotencyConflict])
def retire_item(given: dict[str, Any], code: str) -> Response:
    """停用事项 Take an item off the list from a day on; tasks that have it keep their copy. Safe to repeat."""

    def act() -> tuple[dict[str, Any], Any]:
        row, outcome = items.retire(code, **given, desk=registers.desk())
        return _shown(row), outcome

    return registers.once(act)


@bp.post("/items/file")
@allowed("items:write")
@bp.doc(requestBody=registers.FILE, **idempotency.document())
@gives(FileOut(), errors=[BadFile, BodyTooLarge, IdempotencyConflict])
def import_items() -> Response:
    """导入事项清单 Add and change items from a CSV or XLSX file, sent as the body: at most 5,000 rows. The same file again changes nothing."""
    return registers.taken(ITEMS, name="items")


@bp.get("/items.<form>", parameters=registers.FORM_PATH)
@allowed("entities:read")
@gives(None, errors=[NoSuchPath], content_type="text/csv")
def export_items(form: str) -> Response:
    """导出事项清单 All items as CSV or XLSX, with the headings by which they are imported."""
    return registers.given(ITEMS, items.page(here().today(), every=True, limit=100_000).items, form, name="items")


def _shown(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = shapes.ItemOut().dump(items.shown(row, here().today()))
    return found
