"""The one list and the two databases, with what a test's sentence leaves out."""

from datetime import date
from typing import Any

from registry.models import InspectionItem, Inspector, Label
from registry.services import inspector_keeping, items, labels
from registry.services.register_forms import InspectorFields, ItemFields, LabelFields
from registry.services.registers import Desk
from tests.conftest import NOW, TODAY

ORGAN = "信衡市市场监督管理局"
ITEM: dict[str, Any] = {
    "code": "Y01", "name": "食品经营者检查", "basis": "本机关权力清单", "subjects": ["enterprise"], "method": "on_site", "nature": "key",
    "department": "食品经营监管", "minutes": 60, "harm": [{"from": "2024-01-01", "weight": 300, "basis": "product_default"}],
    "questions": [{"code": "1", "text": "许可证是否有效？", "severity": 3}], "from_on": "2024-01-01",
}  # fmt: skip
LABEL: dict[str, Any] = {"code": "food", "name": "食品专项库", "scope": "province"}
INSPECTOR: dict[str, Any] = {
    "organ": ORGAN, "staff_no": "XH01", "name": "示例甲", "level": "county", "areas": ["9901"], "items": ["*"], "capacity": 10,
    "certificates": [{"no": "XH-01", "kind": "行政执法证", "until": "2028-12-31"}],
}  # fmt: skip


def desk(organ: str = "", divisions: tuple[str, ...] = ("",), today: date = TODAY) -> Desk:
    return Desk("key:test", organ, today, NOW, divisions)


def item(code: str = "Y01", **given: Any) -> InspectionItem:
    return items.save(ItemFields().load({**ITEM, "code": code, **given}), desk=desk())[0]


def label(code: str = "food", **given: Any) -> Label:
    return labels.save(LabelFields().load({**LABEL, "code": code, **given}), desk=desk())[0]


def inspector(staff_no: str = "XH01", *, until: str = "2028-12-31", **given: Any) -> Inspector:
    own = {"certificates": [{"no": f"C-{staff_no}", "kind": "行政执法证", "until": until}]}
    whole = InspectorFields().load({**INSPECTOR, **own, "staff_no": staff_no, **given})
    return inspector_keeping.save(whole, desk=desk())[0]
