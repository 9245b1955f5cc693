"""Accident 质量安全事故: what happened, how grave it was, and whether the entity was found responsible."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import fields, validate

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Fen, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice

SORTS = CodeList(
    "xinheng-accident",
    Label("事故类别", "Kind of accident"),
    {
        "production_safety": Term(1, "生产安全", "work safety", ("生产安全事故", "安全生产")),
        "product_quality": Term(2, "产品质量", "product quality", ("产品质量安全", "质量安全")),
        "food": Term(3, "食品安全", "food safety", ("食品安全事故", "食物中毒")),
        "special_equipment": Term(4, "特种设备", "special equipment", ("特种设备事故", "电梯")),
        "drug_device": Term(5, "药品和医疗器械", "drugs and devices", ("药品安全", "医疗器械", "疫苗")),
        "fire": Term(6, "火灾", "fire", ("消防", "火灾事故")),
        "environment": Term(7, "环境污染", "pollution", ("突发环境事件",)),
        "other": Term(9, "其他事故", "other"),
    },
    "our own",
)
GRADES = CodeList(
    "order-493",
    Label("事故等级", "Grade of the accident"),
    {
        "general": Term(1, "一般事故", "general", ("一般", "Ⅳ级", "四级"), 1),
        "larger": Term(2, "较大事故", "larger", ("较大", "Ⅲ级", "三级"), 2),
        "major": Term(3, "重大事故", "major", ("重大", "Ⅱ级", "二级"), 3),
        "extraordinary": Term(4, "特别重大事故", "extraordinarily major", ("特别重大", "Ⅰ级", "一级"), 4),
        "unknown": Term(0, "未定级", "not graded"),
    },
    "State Council Order 493, Art. 3; special equipment and food safety use the same four words",
    date(2007, 6, 1),
)
RESPONSIBILITIES = CodeList(
    "xinheng-responsibility",
    Label("责任认定", "Responsibility"),
    {
        "full": Term(4, "全部责任", "full", ("全责", "负全部责任", "直接责任")),
        "main": Term(3, "主要责任", "main", ("主责", "负主要责任")),
        "equal": Term(2, "同等责任", "equal", ("负同等责任",)),
        "secondary": Term(1, "次要责任", "secondary", ("负次要责任", "管理责任")),
        "none": Term(0, "无责任", "none", ("不负责任", "不承担责任")),
        "open": Term(0, "调查中", "under investigation", ("待认定", "未认定")),
    },
    "our own, over the words of investigation reports",
)
# Order 493, Art. 3: from this many dead, seriously injured, or fen of direct loss on, the grade is reached.
THRESHOLDS = (
    ("extraordinary", 30, 100, 100_000_000_00),
    ("major", 10, 50, 50_000_000_00),
    ("larger", 3, 10, 10_000_000_00),
)
# The order grades accidents of work safety; the regulation on special equipment repeats its numbers of dead, injured and loss.
GRADED = frozenset({"production_safety", "special_equipment", "fire"})


class AccidentSchema(RecordSchema):
    PAST = ("occurred_on", "found_on")
    DATED = "occurred_on"

    sort = Choice(
        SORTS,
        otherwise="other",
        required=True,
        metadata={"sees": "regulator", "description": "Kind of accident 事故类别"},
    )
    grade = Choice(
        GRADES,
        load_default="unknown",
        metadata={
            "sees": "regulator",
            "description": "Grade 事故等级; empty: from dead, injured and loss by Order 493, where it applies",
        },
    )
    responsibility = Choice(
        RESPONSIBILITIES,
        load_default="open",
        metadata={"sees": "regulator", "description": "Responsibility of the entity 责任认定"},
    )
    occurred_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "regulator", "description": "Day of the accident 发生日期"},
    )
    found_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "regulator", "description": "Day on which responsibility was found 认定日期"},
    )
    dead = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(0, 100_000),
        metadata={"sees": "regulator", "description": "Dead 死亡人数"},
    )
    injured = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(0, 1_000_000),
        metadata={"sees": "regulator", "description": "Seriously injured, or fallen ill 重伤或者发病人数"},
    )
    loss_fen = Fen(
        load_default=None,
        allow_none=True,
        metadata={"sees": "regulator", "description": "Direct loss 直接经济损失, in fen"},
    )
    product = Text(
        200, load_default="", metadata={"sees": "regulator", "description": "Product or equipment 涉及产品或设备"}
    )
    summary = Text(
        4000,
        load_default="",
        metadata={"sees": "regulator", "description": "What happened 事故概况; leave the names of people out"},
    )


def grade_by_numbers(dead: int | None, injured: int | None, loss_fen: int | None) -> str:
    """Grade under Order 493, Art. 3: the gravest that any of the three reaches; `unknown` where nothing is known."""
    known = (dead, injured, loss_fen)
    if all(one is None for one in known):
        return "unknown"
    reached = (
        name
        for name, *limits in THRESHOLDS
        if any((one or 0) >= limit for one, limit in zip(known, limits, strict=True))
    )
    return next(reached, "general")


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    grade = data["grade"]
    by_numbers = grade == "unknown" and data["sort"] in GRADED
    if by_numbers:
        grade = grade_by_numbers(data["dead"], data["injured"], data["loss_fen"])
    responsible = data["responsibility"] not in ("none", "open")
    # An accident of unknown grade is at least a general one.
    severity = max(GRADES.terms[grade].severity, 1) if responsible else 0
    key = key_of("accident", fold_name(organ), document_no, data)
    if key[1] == "content" and data["occurred_on"]:
        key = ("accident", "day", data["sort"], data["occurred_on"].isoformat())
    detail: dict[str, Any] = {"sort": data["sort"], "grade": grade, "responsibility": data["responsibility"]}
    if by_numbers and grade != "unknown":
        detail["graded_by"] = "order-493"
    if document_no:
        detail["printed_no"] = data["document_no"]
    detail |= {name: data[name] for name in ("dead", "injured", "loss_fen") if data[name] is not None}
    detail |= {name: data[name] for name in ("product", "summary", "remark") if data[name]}
    if data["found_on"]:
        detail["found_on"] = data["found_on"].isoformat()
    return Statement(
        "accident", SORTS.terms[data["sort"]].number, severity, data["loss_fen"] or 0, data["occurred_on"], None,
        document_no, organ, key, detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    sort, grade = SORTS.terms[detail["sort"]], GRADES.terms[detail["grade"]]
    blame = RESPONSIBILITIES.terms[detail["responsibility"]]
    return Label(
        f"{sort.zh}{'事故' if not sort.zh.endswith('事故') else ''}（{grade.zh}）：{blame.zh}",
        f"Accident, {sort.en} ({grade.en}): responsibility {blame.en}",
    )


KIND = Kind(
    "accident", 17, Label("质量安全事故", "Accident"), AccidentSchema, state, line,
    projects=Projection(
        code="kind: " + ", ".join(f"{one.number} {one.zh}" for one in SORTS.terms.values()),
        severity="0 not responsible, or not found yet, else the grade: 1 general 一般 or not graded, 2 larger 较大, 3 major 重大, "
        "4 extraordinarily major 特别重大",
        amount="direct loss", day="occurred",
    ),
    lists=(SORTS, GRADES, RESPONSIBILITIES), derived={"graded_by": "regulator"}, amount="regulator",
)  # fmt: skip
