"""An inspection list as a table for spreadsheets, and everything that its printed sheets say: both from the same saved list."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry.database import execute
from registry.kinds.registration import SUBJECTS
from registry.models import InspectionList, InspectionListRow
from registry.services import list_views, lists, visits
from registry.services.list_views import COPIES, SLICES
from registry.sheets import Cell

BOTH = {
    "number": "序号", "code": "统一社会信用代码", "name": "名称", "kind": "主体类型", "division": "行政区划", "address": "住所",
}  # fmt: skip
COLUMNS: dict[str, dict[str, str]] = {
    "field": BOTH | {"items": "检查事项", "basis": "检查依据", "visit": "检查编号", "planned_on": "计划日期", "state": "状态"},
    "supervisor": BOTH
    | {
        "class": "风险分类", "chance": "发现问题概率", "score": "得分", "graded_on": "评价日", "reasons": "主要理由", "slice": "选取方式",
        "inclusion": "入选概率", "due_on": "应查期限", "harm": "危害权重", "visit": "检查编号", "planned_on": "计划日期", "state": "状态",
    },
}  # fmt: skip
assert COLUMNS.keys() == COPIES.keys()
# Rows of a list that are read at once.
BLOCK = 1_000


def headings(copy: str) -> list[str]:
    """Chinese headings of a copy, in the order of :func:`cells`."""
    return list(COLUMNS[copy].values())


def rows(found: InspectionList, *, copy: str, divisions: Sequence[str] = ("",)) -> Iterator[dict[str, Any]]:
    """All rows of a copy (`supervisor` or `field`), in its order, as `list_views.page` has them."""
    after: str | None = None
    while True:
        page = list_views.page(found, field_copy=copy == "field", after=after, limit=BLOCK, divisions=divisions)
        yield from page.items
        if page.next is None:
            return
        after = page.next


def cells(row: dict[str, Any], copy: str, lang: str = "zh") -> list[Cell]:
    """A row as a spreadsheet has it: words for codes, percent for probabilities, days as days."""
    return [_cell(name, row[name], lang) for name in COLUMNS[copy]]


def _cell(name: str, value: Any, lang: str) -> Cell:
    text: Cell = "" if value is None else value
    if value is None:
        return text
    if name == "kind":
        text = SUBJECTS.get(value, value)
    elif name == "slice":
        text = SLICES.get(value, value)
    elif name == "state":
        text = visits.STATES.get(value, value)
    elif name == "chance":
        text = lists.percent(value)
    elif name == "inclusion":
        text = percent(value)
    elif name == "reasons":
        text = "；".join(f"{one['sentence'][lang]}（{one['points']:+d}）" for one in value)
    elif name in ("graded_on", "due_on", "planned_on"):
        text = date.fromisoformat(value)
    elif isinstance(value, list):
        text = "、".join(value)
    return text


def percent(millionths: int) -> str:
    """A probability in millionths as percent, with all its digits; empty where no lot decided."""
    return f"{millionths / 10_000:.4f}".rstrip("0").rstrip(".") + "%" if millionths else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the printed sheet of one visit says: whom, what, who goes; nothing of a class."""

    row: InspectionListRow
    visit: int | None
    planned_on: str
    inspectors: list[str]
    items: list[dict[str, Any]]
    texts: list[str]


def sheets(found: InspectionList, *, divisions: Sequence[str] = ("",)) -> list[Sheet]:
    """The sheets of a list in the order of its tour: who was assigned, and the items that apply with their questions.

    Items without a code stand in `texts`. Four queries.
    """
    by_place = {row["number"]: row for row in rows(found, copy="field", divisions=divisions)}
    order = InspectionListRow.select().where(InspectionListRow.list == found.id).order_by(InspectionListRow.tour)
    going = _going(found.id)
    coded = {item["name"] for item in found.task.checklist}
    return [
        Sheet(
            row, said["visit"], said["planned_on"] or "", going[said["visit"]], list_views.items_of(row, found.task),
            [text for text in said["items"] if text not in coded],
        )
        for row in order
        if (said := by_place.get(row.tour)) is not None
    ]  # fmt: skip


def _going(number: int) -> dict[int | None, list[str]]:
    """By visit: names and staff numbers of the inspectors who go, by organ."""
    sql = (
        "SELECT v.id, i.name, i.staff_no FROM visit v JOIN visit_inspector w ON w.visit_id = v.id "
        "JOIN inspector i ON i.id = w.inspector_id WHERE v.list_id = ? AND w.active ORDER BY i.organ, i.staff_no"
    )
    found: dict[int | None, list[str]] = defaultdict(list)
    for visit, name, staff_no in execute(sql, (number,)).fetchall():
        found[visit].append(f"{name}（{staff_no}）")
    return found
