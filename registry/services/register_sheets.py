"""The four files 一单两库: items 事项清单, labels 监管标签, members of special databases 专项库成员, inspectors 执法检查人员.

Their headings are those of provincial platforms where these are known, ours besides. What is exported is imported unchanged.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any

from marshmallow import Schema

from registry.cells import CellError
from registry.cells.dates import OPEN_END, day
from registry.cells.width import half_width
from registry.database import find
from registry.errors import EntityNotFound
from registry.kinds.base import Day, Text
from registry.kinds.codes import CodeList
from registry.kinds.licence import SUBJECTS as LICENCES
from registry.models import InspectionItem, Inspector, Label
from registry.services import entities, inspector_keeping, inspectors, items, label_members, labels
from registry.services.register_files import VERSION, Column, Sheet, Write
from registry.services.register_forms import (
    ENTITY_KINDS,
    EVERYTHING,
    LEVELS,
    METHODS,
    NATURES,
    SCOPES,
    STATES,
    InspectorFields,
    ItemFields,
    LabelFields,
)
from registry.services.registers import Desk, Outcome

# A certificate whose kind is not said, beside one whose kind is.
NO_KIND = "未注明"
# What means "all of them" where a list is asked for.
ALL = ("全部", "全域", "所有", EVERYTHING)
_LIST, _TERMS, _LINES = re.compile(r"[、，,；;|\r\n]+"), re.compile(r"[；;|\r\n]+"), re.compile(r"[\r\n]+")


class MemberFields(Schema):
    """A row of a file of members: whom, into which special database, from when to when."""

    code = Text(40, required=True)
    label = Text(32, required=True)
    from_on = Day(load_default=None, allow_none=True)
    until_on = Day(load_default=None, allow_none=True)


def _many(cell: str, between: re.Pattern[str] = _LIST) -> list[str]:
    return [part.strip() for part in between.split(cell) if part.strip()]


def _whole(cell: str) -> int:
    plain = half_width(cell).strip().removesuffix(".0")
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 9):
        raise CellError("This is not a whole number", cell, "Write digits only.")
    return int(plain)


def _day(cell: str) -> date | None:
    found = day(cell)
    return None if found == OPEN_END else found


def _iso(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _written(terms: CodeList) -> Write:
    return lambda value: terms.terms[value].zh


def _joined(value: list[str]) -> str:
    return "、".join(value)


def _joined_terms(terms: CodeList) -> Write:
    return lambda value: "；".join(terms.terms[name].zh for name in value)


def _or_all(whole: list[str]) -> Callable[[str], list[str]]:
    return lambda cell: whole if cell.strip() in ALL else _many(cell)


def _all_or(whole: list[str]) -> Write:
    return lambda value: "全部" if value == whole else _joined(value)


def _lines(cell: str, names: tuple[str, ...], number: str) -> list[dict[str, Any]]:
    """Lines of parts between bars as objects of these names; the part called `number` is a whole number."""
    found = []
    for line in _many(cell, _LINES):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) not in (len(names) - 1, len(names)):
            raise CellError(
                "This line has not the parts that it needs",
                line,
                f"Write {'|'.join(names)}, each on a line of its own.",
            )
        one: dict[str, Any] = dict(zip(names, parts, strict=False))
        found.append({**one, number: _whole(one[number])})
    return found


def _harm(cell: str) -> list[dict[str, Any]]:
    return [{**one, "from": day(one["from"])} for one in _lines(cell, ("from", "weight", "basis"), "weight")]


def _questions(cell: str) -> list[dict[str, Any]]:
    return _lines(cell, ("code", "severity", "text", "basis"), "severity")


def _harm_written(value: list[Mapping[str, Any]]) -> str:
    return "\n".join(f"{one['from']}|{one['weight']}|{one['basis']}" for one in value)


def _questions_written(value: list[Mapping[str, Any]]) -> str:
    return "\n".join(f"{one['code']}|{one['severity']}|{one['text']}|{one['basis']}" for one in value)


def _certificates(values: dict[str, Any]) -> dict[str, Any]:
    """The columns of certificates as one field: the first number with the first kind and the first day, and so on."""
    names = ("certificate_no", "certificate_kind", "certificate_until")
    if not any(name in values for name in names):
        return values
    numbers, kinds, days = (values.pop(name, None) or [] for name in names)
    if len(days) != len(numbers) or len(kinds) not in (0, 1, len(numbers)):
        raise CellError(
            "Certificates, their kinds and their last days are not equally many", f"{len(numbers)}、{len(kinds)}、{len(days)}",
            "Write them in the same order, parted by ；, as in 执法证件号 11；12 and 证件有效期至 2027-01-01；2028-01-01.",
        )  # fmt: skip
    named = ["" if kind == NO_KIND else kind for kind in kinds]
    each = named * len(numbers) if len(named) == 1 else named or [""] * len(numbers)
    # Beside a column of numbers that is empty, he has none: it is said, not left as it stands.
    found = [{"no": no, "kind": kind, "until": until} for no, kind, until in zip(numbers, each, days, strict=True)]
    return {**values, "certificates": found}


def _certificates_spread(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    own = shown["certificates"]
    return {
        **shown, "certificate_no": "；".join(one["no"] for one in own), "certificate_until": "；".join(one["until"] for one in own),
"certificate_kind": "；".join(one["kind"] or NO_KIND for one in own) if any(one["kind"] for one in own) else "",
    }  # fmt: skip


def _days(cell: str) -> list[date | None]:
    return [day(part) for part in _many(cell, _LIST)]


def _item(given: dict[str, Any], version: int | None, desk: Desk) -> Outcome:
    return items.save(given, version=version, blind=True, desk=desk)[1]


def _item_standing(given: dict[str, Any], desk: Desk) -> Mapping[str, Any] | None:
    row = find(InspectionItem, code=given["code"])
    return None if row is None else _of(ItemFields, items.shown(row, desk.today))


def _label(given: dict[str, Any], version: int | None, desk: Desk) -> Outcome:
    return labels.save(given, version=version, blind=True, desk=desk)[1]


def _label_standing(given: dict[str, Any], desk: Desk) -> Mapping[str, Any] | None:
    row = find(Label, code=given["code"])
    return None if row is None else _of(LabelFields, labels.shown(row))


def _inspector(given: dict[str, Any], version: int | None, desk: Desk) -> Outcome:
    return inspector_keeping.save(given, version=version, blind=True, desk=desk)[1]


def _inspector_standing(given: dict[str, Any], desk: Desk) -> Mapping[str, Any] | None:
    organ = given.get("organ") or desk.organ
    row = find(Inspector, organ=organ, staff_no=given["staff_no"])
    return None if row is None else _of(InspectorFields, inspectors.shown(row, desk.today))


def _member(given: dict[str, Any], version: int | None, desk: Desk) -> Outcome:
    entity = entities.get(given["code"])
    if not desk.sees(entity.division):
        raise EntityNotFound(given["code"][:40])
    return label_members.put(entity, given["label"], from_on=given["from_on"], until_on=given["until_on"], desk=desk)[1]


def _of(form: type[Schema], shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: shown[name] for name in _names(form)}


@cache
def _names(form: type[Schema]) -> tuple[str, ...]:
    return tuple(field.data_key or name for name, field in form().fields.items())


_VERSION = Column(VERSION, "版本", (), _whole)

ITEMS = Sheet(
    "item",
    (
        Column("code", "事项编码", ("事项编号", "事项代码", "编码", "编号")),
        Column("name", "事项名称", ("抽查事项", "检查事项", "名称")),
        Column("basis", "检查依据", ("抽查依据", "法律依据", "依据")),
        Column("subjects", "适用主体", ("检查对象", "检查对象类型", "主体类型"), _many, _joined_terms(ENTITY_KINDS)),
        Column("method", "检查方式", ("核查方式", "检查方法"), write=_written(METHODS)),
        Column("nature", "事项类别", ("事项类型", "检查类别"), write=_written(NATURES)),
        Column("department", "检查部门", ("实施部门", "抽查部门", "检查主体")),
        Column("labels", "专项库", ("监管标签", "检查对象库", "对象库"), _many, _joined),
        Column("minutes", "现场时长", ("检查时长", "时长"), _whole),
        Column("harm", "危害权重", (), _harm, _harm_written),
        Column("questions", "检查表", ("检查内容", "检查要点"), _questions, _questions_written),
        Column("from_on", "启用日期", ("生效日期", "有效期起"), _day, _iso),
        Column("until_on", "停用日期", ("失效日期", "有效期止"), _day, _iso),
        _VERSION,
    ),
    ("code",), ItemFields, _item, _item_standing,
)  # fmt: skip
LABELS = Sheet(
    "label",
    (
        Column("code", "标签编码", ("标签编号", "标签代码", "专项库编码")),
        Column("name", "标签名称", ("专项库名称", "专项库", "名称")),
        Column("scope", "标签范围", ("范围", "层级"), write=_written(SCOPES)),
        Column("division", "区划", ("区划代码", "行政区划")),
        Column("basis", "依据", ("设立依据",)),
        Column("licences", "许可类型", ("许可事项类型",), lambda cell: _many(cell, _TERMS), _joined_terms(LICENCES)),
        Column("industries", "行业代码", ("行业",), _many, _joined),
        _VERSION,
    ),
    ("code",), LabelFields, _label, _label_standing,
)  # fmt: skip
MEMBERS = Sheet(
    "label",
    (
        Column("code", "统一社会信用代码", ("信用代码", "注册号", "统一代码")),
        Column("label", "标签编码", ("标签编号", "标签代码", "专项库编码")),
        Column("from_on", "列入日期", ("起始日期", "生效日期"), _day),
        Column("until_on", "移出日期", ("截止日期", "失效日期"), _day),
    ),
    ("code", "label"), MemberFields, _member, passed={"企业名称": "name"},
)  # fmt: skip
INSPECTORS = Sheet(
    "inspector",
    (
        Column("organ", "所属机关", ("执法机关", "所属单位", "所属部门", "机关", "单位")),
        Column("staff_no", "执法人员编号", ("人员编号", "工号", "编号")),
        Column("name", "姓名"),
        Column("level", "层级", ("级别",), write=_written(LEVELS)),
        Column("position", "职务", ("岗位", "岗位类别")),
        Column("areas", "执法区域", ("区域", "检查区域"), _or_all([""]), _all_or([""])),
        Column("items", "执法事项", ("可检查事项", "执法事项范围"), _or_all([EVERYTHING]), _all_or([EVERYTHING])),
        Column("certificate_no", "执法证件号", ("执法证号", "执法证编号", "证件编号"), _many),
        Column("certificate_kind", "证件类别", ("证件类型", "执法资格", "资格"), _many),
        Column("certificate_until", "证件有效期至", ("证件有效期", "有效期至", "有效期止"), _days),
        Column("expert", "专家", ("是否专家", "专家标志"), write=lambda value: "是" if value else "否"),
        Column("capacity", "每月检查天数", ("每月可检查天数",), _whole),
        Column("actor", "系统账号", ("账号",)),
        Column("state", "状态", ("人员状态", "在岗状态"), write=_written(STATES)),
        _VERSION,
    ),
    ("staff_no",), InspectorFields, _inspector, _inspector_standing, _certificates, _certificates_spread,
    beside=("organ",), titles={"certificates": "执法证件号"},
)  # fmt: skip

__all__ = ["INSPECTORS", "ITEMS", "LABELS", "MEMBERS"]
