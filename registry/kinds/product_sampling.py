"""Product sampling 监督抽检: one batch of one product, taken by an organ and tested. Food 食品抽检 included."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Fen, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice, Flag, in_order

DOMAINS = CodeList(
    "xinheng-sampling-domain",
    Label("产品领域", "Field of products"),
    {
        "industrial": Term(1, "工业产品", "industrial product", ("产品质量", "消费品")),
        "food": Term(2, "食品", "food", ("加工食品", "餐饮食品", "食品添加剂", "保健食品")),
        "farm_produce": Term(3, "食用农产品", "edible farm produce", ("农产品",)),
        "drug": Term(4, "药品", "drug"),
        "device": Term(5, "医疗器械", "medical device"),
        "cosmetic": Term(6, "化妆品", "cosmetic"),
        "farm_input": Term(7, "农资", "farm input", ("化肥", "农药", "农业投入品")),
        "other": Term(9, "其他产品", "other product"),
    },
    "our own",
)
RESULTS = CodeList(
    "xinheng-sampling-result",
    Label("检验结论", "Conclusion"),
    {
        "passed": Term(0, "合格", "passed", ("完全合格", "符合", "所检项目合格", "未发现不合格")),
        "failed": Term(1, "不合格", "failed", ("不符合", "判定不合格")),
        "problem": Term(2, "问题样品", "problem sample, not judged", ("监测问题", "风险监测问题")),
        "open": Term(3, "待定", "open", ("复检中", "异议处理中")),
    },
    "our own, over the words of sampling notices",
)
LEVELS = CodeList(
    "xinheng-sampling-level",
    Label("抽查级别", "Level of the sampling"),
    {
        "national": Term(1, "国家级", "national", ("国抽", "国家监督抽查", "国家")),
        "provincial": Term(2, "省级", "provincial", ("省抽", "省级监督抽查", "省")),
        "city": Term(3, "市级", "city", ("市抽", "市级监督抽查", "市")),
        "county": Term(4, "县级", "county", ("县抽", "区级", "县")),
        "unknown": Term(0, "未注明级别", "not stated"),
    },
    "our own",
)
# No national scale joins these lists: the weight of a class is a product default 产品默认值, 1 minor to 3 serious.
SYSTEMS = {
    one.id: one
    for one in (
        CodeList(
            "xinheng-defect",
            Label("不合格项目类别", "Class of a defect"),
            {
                "label": Term(1, "标签标识", "label", ("标签", "标识", "说明书"), 1),
                "quality": Term(2, "质量指标", "quality index", ("品质指标", "理化指标", "性能"), 1),
                "additive": Term(3, "食品添加剂", "additive", ("超范围超限量使用食品添加剂",), 2),
                "microbe": Term(4, "微生物", "microbe", ("微生物污染", "菌落总数", "大肠菌群"), 2),
                "pathogen": Term(5, "致病菌", "pathogen", ("致病性微生物",), 3),
                "residue": Term(6, "农药兽药残留", "residues", ("农药残留", "兽药残留", "农兽药残留"), 3),
                "contaminant": Term(7, "重金属等污染物", "contaminant", ("重金属", "真菌毒素", "污染物"), 3),
                "banned": Term(8, "非食用物质", "banned substance", ("违禁物质", "非法添加"), 3),
                "safety": Term(9, "安全性能", "safety", ("电气安全", "机械安全", "阻燃", "有害物质"), 3),
                "energy": Term(10, "能效水效", "energy efficiency", ("能效", "水效"), 1),
                "other": Term(11, "其他不合格", "other", severity=2),
            },
            "our own; severity is a product default 产品默认值",
        ),
        CodeList(
            "item-class-ab",
            Label("质量项目重要程度", "Weight of an item"),
            {
                "A": Term(1, "极重要质量项目", "A, very important", ("A类",), 3),
                "B": Term(2, "重要质量项目", "B, important", ("B类",), 2),
                "C": Term(3, "一般质量项目", "C, general", ("C类",), 1),
            },
            "classes of items in sampling rules of the quality supervision line; severity is a product default 产品默认值",
        ),
        CodeList(
            "degree",
            Label("不合格程度", "Degree of a failure"),
            {
                "serious": Term(1, "严重", "serious", ("严重不合格", "严重质量问题"), 3),
                "general": Term(2, "一般", "general", ("较严重", "较严重不合格", "一般不合格", "一般质量问题"), 2),
                "minor": Term(3, "轻微", "minor", ("轻微不合格", "瑕疵"), 1),
            },
            "words of sampling notices; severity is a product default 产品默认值",
        ),
    )
}
# A failed batch whose defects nobody names, or names in words that no list knows.
UNNAMED = 2


class DefectSchema(Schema):
    item = Text(200, required=True, metadata={"sees": "public", "description": "Item that failed 不合格项目"})
    system = fields.String(
        load_default="xinheng-defect",
        validate=validate.OneOf(SYSTEMS),
        metadata={"sees": "public", "description": "Code system 代码体系 of `code`"},
    )
    code = Text(
        40, load_default="", metadata={"sees": "public", "description": "Class 不合格类别 in that system, or in words"}
    )
    found = Text(100, load_default="", metadata={"sees": "public", "description": "Value found 实测值"})
    required = Text(100, load_default="", metadata={"sees": "public", "description": "Value required 标准值"})


class Defect(fields.Nested):
    """A defect, or the name of its item alone: that is all that most notices give."""

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super().deserialize({"item": value} if isinstance(value, str) else value, *args, **kwargs)


class ProductSamplingSchema(RecordSchema):
    PAST = ("sampled_on", "reported_on", "produced_on")

    product = Text(500, required=True, metadata={"sees": "public", "description": "Product 产品名称"})
    domain = Choice(
        DOMAINS,
        otherwise="other",
        load_default="other",
        metadata={"sees": "public", "description": "Field of products 产品领域"},
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
    brand = Text(100, load_default="", metadata={"sees": "public", "description": "Brand 商标"})
    model = Text(200, load_default="", metadata={"sees": "public", "description": "Model or specification 规格型号"})
    batch = Text(128, load_default="", metadata={"sees": "public", "description": "Batch number 批号"})
    produced_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of production 生产日期"}
    )
    producer = Flag(
        load_default=True,
        metadata={
            "sees": "public",
            "description": "The entity made it 标称生产者; false: it was sampled there 被抽样单位",
        },
    )
    level = Choice(
        LEVELS, load_default="unknown", metadata={"sees": "public", "description": "Level of the sampling 抽查级别"}
    )
    sampled_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of the sampling 抽样日期"}
    )
    reported_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of the report 检验报告日期"}
    )
    result = Choice(RESULTS, required=True, metadata={"sees": "public", "description": "Conclusion 检验结论"})
    retested = Choice(
        RESULTS,
        load_default="open",
        metadata={
            "sees": "public",
            "description": "Conclusion of the re-test 复检结论; it replaces `result` once it is passed or failed",
        },
    )
    defects = fields.List(
        Defect(DefectSchema),
        load_default=list,
        validate=validate.Length(0, 50),
        metadata={
            "sees": "public",
            "description": "Items that failed 不合格项目: each an object, or the name of the item alone",
        },
    )
    value_fen = Fen(
        load_default=0, metadata={"sees": "regulator", "description": "Value of the batch 货值金额, in fen; 0 unknown"}
    )

    @validates_schema
    def _agrees_with_itself(self, data: dict[str, Any], **_: Any) -> None:
        in_order(data, "produced_on", "sampled_on", "Sampled before it was made 抽样早于生产")
        in_order(data, "sampled_on", "reported_on", "Reported before the sampling 报告早于抽样")
        if data.get("result") == "passed" and data.get("defects"):
            raise ValidationError(
                {"defects": ["A batch that passed has no items that failed. Correct the result, or leave them out."]}
            )


def weight(defect: Mapping[str, Any]) -> int:
    """Severity of one defect, 1 to 3, by the list of its code system. Words that the list does not know weigh as unnamed."""
    known = SYSTEMS[defect["system"]]
    name = known.find(defect["code"], within=True) if defect["code"] else known.find(defect["item"], within=True)
    return known.terms[name].severity if name else UNNAMED


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    result = data["retested"] if data["retested"] in ("passed", "failed") else data["result"]
    # Only a batch that was judged and failed weighs: a problem sample is the beginning of a procedure.
    severity = max(map(weight, data["defects"]), default=UNNAMED) if result == "failed" else 0
    key = key_of("product_sampling", fold_name(organ), document_no, data)
    if key[1] == "document":
        # One report may cover several batches; each counts.
        key = (*key, fold_name(data["product"]), fold_name(data["batch"]))
    detail: dict[str, Any] = {
        "product": data["product"],
        "domain": data["domain"],
        "result": result,
        "producer": data["producer"],
    }
    if result != data["result"]:
        detail["first_result"] = data["result"]
    if document_no:
        detail["printed_no"] = data["document_no"]
    detail |= {name: data[name] for name in ("brand", "model", "batch", "level", "linked", "remark") if data[name]}
    if data["defects"]:
        detail["defects"] = [{name: text for name, text in defect.items() if text} for defect in data["defects"]]
    detail |= {name: data[name].isoformat() for name in ("produced_on", "sampled_on", "reported_on") if data[name]}
    return Statement(
        "product_sampling", DOMAINS.terms[data["domain"]].number, severity, data["value_fen"],
        data["sampled_on"] or data["reported_on"], None, document_no, organ, key, detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    result = RESULTS.terms[detail["result"]]
    batch = f"，批号 {detail['batch']}" if detail.get("batch") else ""
    failed = "、".join(defect["item"] for defect in detail.get("defects", ()))
    who = "" if detail["producer"] else "（销售或使用）"
    return Label(
        f"监督抽检{who}：{detail['product']}{batch}，{result.zh}{f'（{failed}）' if failed else ''}",
        f"Product sampling, {DOMAINS.terms[detail['domain']].en}: {result.en}",
    )


KIND = Kind(
    "product_sampling", 9, Label("监督抽检", "Product sampling"), ProductSamplingSchema, state, line,
    projects=Projection(
        code="field: " + ", ".join(f"{one.number} {one.zh}" for one in DOMAINS.terms.values())
        + "; one record is one batch 批次",
        severity="0 passed or not judged, failed: 1 minor 轻微, 2 general 一般 (also where no defect is named), 3 serious 严重",
        amount="value of the batch (0 unknown)", day="sampled, else reported",
    ),
    lists=(DOMAINS, RESULTS, LEVELS, *SYSTEMS.values()),
    derived={"first_result": "regulator"}, amount="regulator",
)  # fmt: skip
