"""Recall 召回: one defective product taken back by its producer, of his own will or by order."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice, in_order

PRODUCTS = CodeList(
    "xinheng-recall-product",
    Label("召回产品类别", "Kind of product"),
    {
        "vehicle": Term(1, "汽车", "motor vehicle", ("机动车", "汽车产品", "摩托车")),
        "consumer": Term(2, "消费品", "consumer product", ("电子电器", "儿童用品", "家具")),
        "food": Term(3, "食品", "food"),
        "drug": Term(4, "药品", "drug"),
        "device": Term(5, "医疗器械", "medical device"),
        "cosmetic": Term(6, "化妆品", "cosmetic"),
        "special_equipment": Term(7, "特种设备", "special equipment"),
        "other": Term(9, "其他缺陷产品", "other product"),
    },
    "our own, by the rule that governs the recall",
)
MANNERS = CodeList(
    "xinheng-recall-manner",
    Label("召回方式", "Manner of the recall"),
    {
        "voluntary": Term(1, "主动召回", "voluntary", ("自主召回",), 1),
        "investigated": Term(2, "受调查影响召回", "after an investigation", ("调查影响召回", "受缺陷调查影响"), 2),
        "ordered": Term(3, "责令召回", "ordered", ("强制召回",), 3),
        "refused": Term(4, "拒不召回", "refused", ("未召回",), 3),
    },
    "our own, over the words of recall notices; severity is a product default 产品默认值",
)
# Three levels, the first the gravest; days to begin differ by field (food: 24, 48, 72 hours).
GRADES = CodeList(
    "recall-grade",
    Label("召回级别", "Recall grade"),
    {
        "one": Term(1, "一级召回", "grade one", ("一级", "Ⅰ级", "1")),
        "two": Term(2, "二级召回", "grade two", ("二级", "Ⅱ级", "2")),
        "three": Term(3, "三级召回", "grade three", ("三级", "Ⅲ级", "3")),
        "none": Term(0, "未分级", "not graded"),
    },
    "recall rules for food, drugs and devices; motor vehicles and consumer products have no grades",
)


class RecallSchema(RecordSchema):
    PAST = ("announced_on", "started_on", "completed_on")

    product = Text(500, required=True, metadata={"sees": "public", "description": "Product 召回产品"})
    sort = Choice(
        PRODUCTS,
        otherwise="other",
        load_default="other",
        metadata={"sees": "public", "description": "Kind of product 产品类别"},
    )
    model = Text(1000, load_default="", metadata={"sees": "public", "description": "Models 型号"})
    batch = Text(
        1000, load_default="", metadata={"sees": "public", "description": "Batches or days of production 批次"}
    )
    manner = Choice(
        MANNERS, load_default="voluntary", metadata={"sees": "public", "description": "Manner of the recall 召回方式"}
    )
    grade = Choice(GRADES, load_default="none", metadata={"sees": "public", "description": "Recall grade 召回级别"})
    number = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(0, 10**9),
        metadata={"sees": "public", "description": "Units to be recalled 涉及数量"},
    )
    recalled = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(0, 10**9),
        metadata={"sees": "public", "description": "Units taken back so far 已召回数量"},
    )
    defect = Text(
        4000, load_default="", metadata={"sees": "public", "description": "Defect and its consequences 缺陷及后果"}
    )
    measures = Text(4000, load_default="", metadata={"sees": "public", "description": "Measures 改正措施"})
    announced_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of the notice 公告日期"}
    )
    started_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "First day 召回开始日期"}
    )
    due_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Last day by plan 计划完成日期"}
    )
    completed_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day of completion 完成日期; empty while open"},
    )

    @validates_schema
    def _agrees_with_itself(self, data: dict[str, Any], **_: Any) -> None:
        first = "started_on" if data.get("started_on") else "announced_on"
        in_order(data, first, "completed_on", "Completed before it began 完成早于开始")
        in_order(data, first, "due_on", "Due before it began 计划完成早于开始")
        if data.get("manner") == "refused" and data.get("completed_on"):
            raise ValidationError(
                {
                    "completed_on": [
                        "A recall that was refused is not completed. Correct the manner or leave the day out."
                    ]
                }
            )


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    day = data["announced_on"] or data["started_on"]
    key = key_of("recall", fold_name(organ), document_no, data)
    if key[1] == "content" and day:
        key = ("recall", "product", fold_name(data["product"]), fold_name(data["batch"]), day.isoformat())
    detail: dict[str, Any] = {name: data[name] for name in ("product", "sort", "manner")}
    if document_no:
        detail["printed_no"] = data["document_no"]
    if data["grade"] != "none":
        detail["grade"] = data["grade"]
    detail |= {name: data[name] for name in ("number", "recalled") if data[name] is not None}
    detail |= {name: data[name] for name in ("model", "batch", "defect", "measures", "remark") if data[name]}
    days = ("announced_on", "started_on", "due_on", "completed_on")
    detail |= {name: data[name].isoformat() for name in days if data[name]}
    return Statement(
        "recall", PRODUCTS.terms[data["sort"]].number, MANNERS.terms[data["manner"]].severity, 0, day,
        data["completed_on"], document_no, organ, key, detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    manner = MANNERS.terms[detail["manner"]]
    units = f"，涉及 {detail['number']:,} 件" if detail.get("number") is not None else ""
    ended = f"（已于 {row['ends_on']} 完成）" if row["ends_on"] else ""
    state_en = f", completed {row['ends_on']}" if row["ends_on"] else ""
    return Label(
        f"{manner.zh}{ended}：{detail['product']}{units}",
        f"Recall, {PRODUCTS.terms[detail['sort']].en} ({manner.en}{state_en})",
    )


KIND = Kind(
    "recall", 13, Label("召回", "Recall"), RecallSchema, state, line,
    projects=Projection(
        code="product: " + ", ".join(f"{one.number} {one.zh}" for one in PRODUCTS.terms.values()),
        severity="1 voluntary 主动, 2 after an investigation 受调查影响, 3 ordered or refused 责令、拒不召回",
        day="announced, else begun", ends="completed",
    ),
    lists=(PRODUCTS, MANNERS, GRADES),
)  # fmt: skip
