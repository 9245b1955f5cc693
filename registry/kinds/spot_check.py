"""Spot check 抽查检查: the result of one visit or check. Results keep code, code system and text; they are lists."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.cells.personal import mask_personal
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term

# Our own outcome → (severity, terms). The heaviest outcome of a check is its code; ties go to the higher number.
OUTCOMES: dict[int, tuple[int, Label]] = {
    1: (0, Label("未发现问题", "nothing found")),
    2: (1, Label("发现问题已责令改正", "found and corrected or ordered to correct")),
    3: (2, Label("发现问题待后续处理", "found, follow-up pending")),
    4: (2, Label("通过登记的住所无法联系", "could not be contacted")),
    5: (3, Label("不配合检查情节严重", "refused or obstructed")),
    6: (0, Label("未发现开展本次抽查涉及的经营活动", "not in this business")),
    7: (0, Label("注销、吊销或迁出", "cancelled, revoked or moved")),
    8: (2, Label("未按规定公示应当公示的信息", "published information missing")),
    9: (3, Label("公示信息隐瞒真实情况、弄虚作假", "published information false")),
    10: (1, Label("其他", "other")),
}
# Code systems found in the field (DOMAIN §6.5): code of the system → our outcome. Codes are whole list items:
# replacing "1" inside the text would damage 10, 11 and 12.
SYSTEMS: dict[str, dict[str, int]] = {
    "xinheng-2026": {str(number): number for number in OUTCOMES},
    "saic-2014": {"1": 1, "2": 8, "3": 8, "4": 4, "5": 9, "6": 5, "7": 7, "8": 7, "9": 7},
    "guangdong": {"1": 1, "2": 8, "3": 8, "4": 9, "5": 4, "6": 5, "7": 7, "8": 10, "9": 10},
    "zhejiang": {
        "1": 1, "2": 3, "3": 3, "4": 3, "5": 3, "6": 4, "7": 6, "8": 5, "9": 7, "10": 7, "11": 7, "12": 7,
        "A": 3, "B": 8, "C": 9, "D": 3, "E": 2, "F": 6, "G": 3,
    },
    "two-digit": {
        "01": 1, "02": 2, "03": 6, "04": 5, "05": 7, "06": 6, "07": 7, "08": 6, "09": 3, "10": 4, "11": 7, "12": 7, "13": 8, "14": 9,
    },
}  # fmt: skip


def plain_code(code: str) -> str:
    """A code as the systems write it: without blanks around it, letters in upper case."""
    return code.strip().upper()


class ResultSchema(Schema):
    system = fields.String(
        load_default="xinheng-2026",
        validate=validate.OneOf(SYSTEMS),
        metadata={"description": "Code system 代码体系 of `code`"},
    )
    code = fields.String(required=True, metadata={"description": "Code 代码 in that system; letters in either case"})
    text = Text(4000, load_default="", metadata={"description": "Text of the result 结果原文, as given"})

    @validates_schema
    def _system_has_the_code(self, data: dict[str, Any], **_: Any) -> None:
        system, code = data["system"], plain_code(data["code"])
        if code in SYSTEMS[system]:
            return
        having = [name for name, codes in SYSTEMS.items() if code in codes]
        remedy = (
            f"These have it: {', '.join(having)}. Give the system that the source uses."
            if having
            else f"No code system here has it. Codes of {system}: {', '.join(SYSTEMS[system])}."
        )
        raise ValidationError({"code": [f"Code system {system} has no code {mask_personal(code)[:20]!r}. {remedy}"]})


class SpotCheckSchema(RecordSchema):
    PAST = ("checked_on",)

    checked_on = Day(load_default=None, allow_none=True, metadata={"description": "Day of the check 检查日期"})
    results = fields.List(
        fields.Nested(ResultSchema),
        required=True,
        validate=validate.Length(1, 50),
        metadata={"description": "Results 检查结果; several are allowed"},
    )
    items = fields.List(Text(200), load_default=list, metadata={"description": "Items checked 抽查事项"})
    type = Text(40, load_default="", metadata={"description": "Type of check 检查类型"})
    method = Text(40, load_default="", metadata={"description": "Method 核查方式"})


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    outcomes = [SYSTEMS[result["system"]][plain_code(result["code"])] for result in data["results"]]
    code = max(outcomes, key=lambda outcome: (OUTCOMES[outcome][0], outcome))
    detail = {name: data[name] for name in ("results", "items", "type", "method", "remark") if data[name]}
    return Statement(
        "spot_check", code, OUTCOMES[code][0], 0, data["checked_on"], None, document_no, organ,
        key_of("spot_check", fold_name(organ), document_no, data), detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    outcome = OUTCOMES[row["code"]][1]
    items = "、".join(row["detail"].get("items", ()))
    return Label(f"抽查检查{f'（{items}）' if items else ''}：{outcome.zh}", f"Spot check: {outcome.en}")


# How each code system of the field is called, and where it is from.
NAMED: dict[str, tuple[Label, str]] = {
    "xinheng-2026": (Label("抽查检查结果", "Outcome of a check"), "our own; severity is a product default 产品默认值"),
    "saic-2014": (Label("抽查结果（原工商总局）", "Result of a public-information check"), "SAIC code set of 2014"),
    "guangdong": (Label("抽查结果（广东）", "Result, Guangdong"), "local code list"),
    "zhejiang": (Label("抽查结果（浙江）", "Result, Zhejiang"), "local code list"),
    "two-digit": (Label("抽查结果（两位码）", "Result, two-digit codes"), "code list of several platforms"),
}


def _code_list(system: str) -> CodeList:
    terms = {
        code: Term(ours, OUTCOMES[ours][1].zh, OUTCOMES[ours][1].en, severity=OUTCOMES[ours][0])
        for code, ours in SYSTEMS[system].items()
    }
    return CodeList(system, NAMED[system][0], terms, NAMED[system][1])


KIND = Kind(
    "spot_check", 5, Label("抽查检查", "Spot check"), SpotCheckSchema, state, line,
    projects=Projection(
        code="1 nothing found, 2 found and corrected or ordered to correct, 3 found, follow-up pending, "
        "4 could not be contacted, 5 refused or obstructed, 6 not in business, 7 cancelled or revoked, "
        "8 published information missing, 9 published information false, 10 other",
        severity="0 none, 1 minor, 2 problem, 3 serious", day="checked",
    ),
    lists=tuple(map(_code_list, SYSTEMS)),
)  # fmt: skip
