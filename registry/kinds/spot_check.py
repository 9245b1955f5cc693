"""Spot check 抽查检查: the result of one visit or check. Results keep code, code system and text; they are lists."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Derived, Kind, Label, Part, Projection, RecordSchema, Statement, Text, key_of
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
# How the lists of the field call their codes (DOMAIN §6.5): list → (title, basis, since, code → (our outcome, its own text)).
_FIELD: dict[str, tuple[Label, str, date | None, dict[str, tuple[int, str]]]] = {
    "xinheng-2026": (
        Label("抽查检查结果", "Outcome of a check"), "our own; severity is a product default 产品默认值", None,
        {str(number): (number, label.zh) for number, (_, label) in OUTCOMES.items()},
    ),
    "saic-2014": (
        Label("抽查结果（原工商总局）", "Result of a public-information check"), "code set CD81; SAIC Order 67 (2014)", date(2014, 10, 1),
        {
            "1": (1, "正常"), "2": (8, "未按规定公示其他应当公示的信息"), "3": (8, "未按规定公示年报"), "4": (4, "通过登记的住所无法联系"),
            "5": (9, "公示信息隐瞒真实情况、弄虚作假"), "6": (5, "不予配合情节严重"), "7": (7, "已注销"), "8": (7, "被吊销"), "9": (7, "被撤销"),
        },
    ),
    "guangdong": (
        Label("抽查结果（广东）", "Result, Guangdong"), "local code list", None,
        {
            "1": (1, "正常"), "2": (8, "未按规定公示年报"), "3": (8, "未公示其他信息"), "4": (9, "隐瞒、弄虚作假"), "5": (4, "无法联系"),
            "6": (5, "不予配合"), "7": (7, "已注销"), "8": (10, "未建财务账"), "9": (10, "其他"),
        },
    ),
    "zhejiang": (
        Label("抽查结果（浙江）", "Result, Zhejiang"), "local code list, the newer one", None,
        {
            "1": (1, "未发现问题"), "2": (3, "违反工商行政管理相关规定"), "3": (3, "违反食品药品管理相关规定"),
            "4": (3, "违反质量技术监督相关规定"), "5": (3, "违反其他部门相关规定"), "6": (4, "通过登记的住所无法联系"),
            "7": (6, "已关闭停业或正在清算"), "8": (5, "不配合检查情节严重"), "9": (7, "注销"), "10": (7, "被吊销"), "11": (7, "被撤销"),
            "12": (7, "迁出"), "A": (3, "发现问题待后续处理"), "B": (8, "未按规定公示应公示信息"), "C": (9, "隐瞒真实情况、弄虚作假"),
            "D": (3, "其他工商违规"), "E": (2, "已责令改正"), "F": (6, "未发现开展本次抽查涉及的经营活动"), "G": (3, "违反公安规定"),
        },
    ),
    "two-digit": (
        Label("抽查结果（两位码）", "Result, two-digit codes"), "code list of several platforms", None,
        {
            "01": (1, "未发现问题"), "02": (2, "发现问题已责令改正"), "03": (6, "未发现本次抽查涉及的经营活动"), "04": (5, "不配合情节严重"),
            "05": (7, "注销"), "06": (6, "暂停营业"), "07": (7, "吊销"), "08": (6, "关闭停业"), "09": (3, "待后续处理"), "10": (4, "无法联系"),
            "11": (7, "被撤销"), "12": (7, "迁出"), "13": (8, "未按规定公示"), "14": (9, "隐瞒、弄虚作假"),
        },
    ),
}  # fmt: skip
LISTS: dict[str, CodeList] = {
    system: CodeList(
        system,
        title,
        {
            code: Term(ours, text, OUTCOMES[ours][1].en, severity=OUTCOMES[ours][0])
            for code, (ours, text) in codes.items()
        },
        basis,
        since,
    )
    for system, (title, basis, since, codes) in _FIELD.items()
}
# Code of the system → our outcome. Codes are whole items of a list: replacing "1" inside the text would damage 10, 11 and 12.
SYSTEMS: dict[str, dict[str, int]] = {
    system: {code: term.number for code, term in one.terms.items()} for system, one in LISTS.items()
}
OURS = "xinheng-2026"
# Why somebody was checked. What a model learns from is a visit that nothing had called for.
PURPOSES: dict[str, tuple[int, Label]] = {
    "": (0, Label("未注明", "not stated")),
    "routine": (1, Label("例行", "routine")),
    "follow_up": (2, Label("复查", "follow-up of an earlier check")),
    "complaint": (3, Label("核查投诉举报", "following a complaint or report")),
    "campaign": (4, Label("专项", "campaign")),
    "other": (5, Label("其他", "other")),
}
# Fields that say how many problems of a severity were found.
FOUND: dict[str, int] = {"minor_found": 1, "problems_found": 2, "serious_found": 3}
MOST_FOUND = 10_000
# A probability of 1 in the unit of `inclusion`.
SURE_DRAW = 1_000_000
# What the facts are made from besides the columns; an erasure must leave it (`registry/services/erasures.py`).
COUNTED = frozenset({"purpose", *FOUND, "inclusion"})
_SEPARATORS = re.compile(r"[,，;；、]")


def plain_code(code: str) -> str:
    """A code as the systems write it: without blanks around it, letters in upper case."""
    return code.strip().upper()


class ResultSchema(Schema):
    system = fields.String(
        load_default=OURS,
        validate=validate.OneOf(SYSTEMS),
        metadata={"sees": "public", "description": "Code system 代码体系 of `code`"},
    )
    code = fields.String(
        required=True, metadata={"sees": "public", "description": "Code 代码 in that system; letters in either case"}
    )
    text = Text(
        4000, load_default="", metadata={"sees": "public", "description": "Text of the result 结果原文, as given"}
    )

    @validates_schema
    def _system_has_the_code(self, data: dict[str, Any], **_: Any) -> None:
        system, code = data["system"], plain_code(data["code"])
        if code in SYSTEMS[system]:
            return
        having = [name for name, codes in SYSTEMS.items() if code in codes]
        remedy = f" These have it: {', '.join(having)}. Give the system that the source uses." if having else ""
        raise ValidationError({"code": [f"{LISTS[system].refusal(code, None)}{remedy}"]})


class Results(fields.List[Any]):
    """Results, each with its code; a code that is a comma list, as feeds have it, is read as so many results."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        if isinstance(value, str):
            value = [{"code": value}]
        if isinstance(value, list):
            value = [one for item in value for one in _split(item)]
        return super()._deserialize(value, attr, data, **kwargs)


def _split(item: Any) -> list[Any]:
    """One result for each code in it. The texts go with their codes where there are as many; else each has the whole text."""
    code = item.get("code") if isinstance(item, dict) else None
    if not isinstance(code, str) or not _SEPARATORS.search(code):
        return [item]
    codes = [part for part in _SEPARATORS.split(code) if part.strip()]
    text = item.get("text")
    texts = [part.strip() for part in _SEPARATORS.split(text)] if isinstance(text, str) else []
    return [
        {**item, "code": one, **({"text": texts[place]} if len(texts) == len(codes) else {})}
        for place, one in enumerate(codes)
    ]


class Found(fields.Integer):
    """How many problems of one severity were found; null where nobody counted."""

    def __init__(self, description: str) -> None:
        check = validate.Range(0, MOST_FOUND, error=f"{{input}} is not a number of problems from 0 to {MOST_FOUND:,}.")
        super().__init__(
            strict=True, load_default=None, allow_none=True, validate=check,
            metadata={"sees": "regulator", "description": description},
        )  # fmt: skip


class SpotCheckSchema(RecordSchema):
    PAST = ("checked_on",)

    checked_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of the check 检查日期"}
    )
    results = Results(
        fields.Nested(ResultSchema),
        required=True,
        validate=validate.Length(1, 50),
        metadata={
            "sees": "public",
            "description": "Results 检查结果; several are allowed, also as codes in one text: 1,10,12",
        },
    )
    items = fields.List(
        Text(200), load_default=list, metadata={"sees": "public", "description": "Items checked 抽查事项"}
    )
    type = Text(40, load_default="", metadata={"sees": "public", "description": "Type of check 检查类型"})
    method = Text(40, load_default="", metadata={"sees": "public", "description": "Method 核查方式"})
    purpose = fields.String(
        load_default="",
        validate=validate.OneOf(PURPOSES),
        metadata={
            "sees": "regulator",
            "description": "Why it was checked 检查目的: "
            + ", ".join(f"{name} {label.zh}" for name, (_, label) in PURPOSES.items() if name),
        },
    )
    serious_found = Found("Problems found that are serious 严重问题数; empty where nobody counted")
    problems_found = Found("Problems found that are neither 一般问题数; empty where nobody counted")
    minor_found = Found("Problems found that are minor 轻微问题数; empty where nobody counted")
    inclusion = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(
            1, SURE_DRAW, error=f"{{input}} is not a probability in millionths, from 1 to {SURE_DRAW:,}."
        ),
        # A probability is that of a class: who is drawn with 800,000 millionths is of the class of which 80 % are visited.
        metadata={
            "sees": "never",
            "description": "Probability with which the draw chose it 入样概率, in millionths; empty where no draw did",
        },
    )
    linked = Text(
        128,
        load_default="",
        metadata={
            "sees": "regulator",
            "description": "Document number of the penalty that followed 关联行政处罚文书号, of the same organ: publicity of the "
            "fault ends with that of the penalty (Order 107)",
        },
    )

    @validates_schema
    def _lists_of_results_hold(self, data: dict[str, Any], **_: Any) -> None:
        for result in data.get("results", ()):
            why = LISTS[result["system"]].refusal(plain_code(result["code"]), data.get("checked_on"))
            if why:
                raise ValidationError({"results": [why]})


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    outcomes = [SYSTEMS[result["system"]][plain_code(result["code"])] for result in data["results"]]
    code = max(outcomes, key=lambda outcome: (OUTCOMES[outcome][0], outcome))
    detail: dict[str, Any] = {"results": [_kept(result) for result in data["results"]]}
    detail |= {name: data[name] for name in ("items", "type", "method", "purpose", "linked", "remark") if data[name]}
    # None found is an answer; nobody counted is not.
    detail |= {name: data[name] for name in (*FOUND, "inclusion") if data[name] is not None}
    return Statement(
        "spot_check", code, OUTCOMES[code][0], 0, data["checked_on"], None, document_no, organ,
        key_of("spot_check", fold_name(organ), document_no, data), detail,
    )  # fmt: skip


def _kept(result: Mapping[str, str]) -> dict[str, str]:
    """A result as it is kept: code, code system and text; the list's own text where the source gave none.

    Our own list means the same everywhere and needs no text.
    """
    system, code = result["system"], plain_code(result["code"])
    said = "" if system == OURS else LISTS[system].terms[code].zh
    return {"system": system, "code": code, "text": result["text"] or said}


def parts(statement: Statement) -> tuple[Part, ...]:
    """What the check was and what it found, by severity: a row of severity 0, then one for each severity that was found.

    The row of severity 0 says from which draw it came (`amount`: inclusion in millionths, 0 none); the others how many
    problems. Where nobody counted, one problem of the severity of the result, if it has any.
    """
    detail = statement.detail
    # A stored detail may have been changed behind our back: to check it must not fail on what it finds.
    purpose = next((number for name, (number, _) in PURPOSES.items() if name == detail.get("purpose", "")), 0)
    found = {severity: detail[name] for name, severity in FOUND.items() if type(detail.get(name)) is int}
    if not found and statement.severity:
        found = {statement.severity: 1}
    counts = (Part(purpose, severity, number) for severity, number in sorted(found.items()) if number)
    inclusion = detail.get("inclusion")
    return (Part(purpose, 0, inclusion if type(inclusion) is int else 0), *counts)


def line(row: Mapping[str, Any]) -> Label:
    outcome = OUTCOMES[row["code"]][1]
    items = "、".join(row["detail"].get("items", ()))
    return Label(f"抽查检查{f'（{items}）' if items else ''}：{outcome.zh}", f"Spot check: {outcome.en}")


KIND = Kind(
    "spot_check", 5, Label("抽查检查", "Spot check"), SpotCheckSchema, state, line,
    projects=Projection(
        code="1 nothing found, 2 found and corrected or ordered to correct, 3 found, follow-up pending, "
        "4 could not be contacted, 5 refused or obstructed, 6 not in business, 7 cancelled or revoked, "
        "8 published information missing, 9 published information false, 10 other",
        severity="0 none, 1 minor, 2 problem, 3 serious", day="checked",
    ),
    lists=tuple(LISTS.values()),
    derives=Derived(
        "check_detail", 19, Label("检查明细", "Detail of a check"),
        Projection(
            code="why it was checked: " + ", ".join(f"{number} {label.zh}" for number, label in PURPOSES.values()),
            severity="0 the check itself; a problem found: 1 minor 轻微, 2 general 一般, 3 serious 严重",
            day="checked",
            amount="severity 0: probability with which a draw chose it, in millionths (0: no draw); else how many such problems",
        ),
        parts,
    ),
)  # fmt: skip
