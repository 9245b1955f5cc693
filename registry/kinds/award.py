"""Award, brand 质量奖、名牌: an honour that an organ or association gave an entity for its quality or its credit."""

from collections.abc import Mapping
from typing import Any

from marshmallow import validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Fen, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice, LastDay, in_order
from registry.kinds.validity import day_after

SORTS = CodeList(
    "xinheng-award",
    Label("荣誉类别", "Kind of honour"),
    {
        "quality_award": Term(1, "政府质量奖", "government quality award", ("质量奖", "市长质量奖", "省长质量奖")),
        "quality_award_nominee": Term(2, "质量奖提名奖", "quality award, nominated", ("提名奖", "质量奖提名")),
        "famous_brand": Term(3, "名牌产品", "famous brand", ("名牌", "知名品牌")),
        "known_trade_mark": Term(4, "驰名商标", "well-known trade mark", ("著名商标", "知名商标")),
        "standard_leader": Term(5, "企业标准“领跑者”", "leader of enterprise standards", ("企业标准领跑者", "领跑者")),
        "standard_drafter": Term(6, "参与制定标准", "drafted a standard", ("标准起草单位", "主导制定标准")),
        "honest_enterprise": Term(7, "诚信示范企业", "model of honesty", ("守合同重信用", "诚信示范", "质量信用AAA")),
        "time_honoured": Term(8, "老字号", "time-honoured brand", ("中华老字号",)),
        "geographical_mark": Term(9, "地理标志", "geographical indication", ("地理标志产品",)),
        "safety_model": Term(10, "安全生产先进", "safety record", ("安全生产标准化", "食品安全示范")),
        "other": Term(11, "其他荣誉", "other honour"),
    },
    "our own, over the good records that local quality-credit rules count",
)
LEVELS = CodeList(
    "xinheng-award-level",
    Label("荣誉级别", "Level of the honour"),
    {
        "national": Term(4, "国家级", "national", ("国家", "中国"), 4),
        "provincial": Term(3, "省级", "provincial", ("省", "自治区", "直辖市"), 3),
        "city": Term(2, "市级", "city", ("市", "地级"), 2),
        "county": Term(1, "县级", "county", ("县", "区级"), 1),
        "association": Term(1, "行业协会", "association", ("协会", "社会组织"), 1),
        "unknown": Term(1, "未注明级别", "not stated", severity=1),
    },
    "our own; the order is a product default 产品默认值",
)


class AwardSchema(RecordSchema):
    PAST = ("awarded_on", "revoked_on")

    name = Text(200, required=True, metadata={"sees": "public", "description": "Name of the honour 荣誉名称"})
    sort = Choice(
        SORTS,
        otherwise="other",
        within=True,
        load_default="other",
        metadata={"sees": "public", "description": "Kind of honour 荣誉类别; empty: read from `name`"},
    )
    level = Choice(LEVELS, load_default="unknown", metadata={"sees": "public", "description": "Level 荣誉级别"})
    awarded_by = Text(
        200,
        load_default="",
        metadata={"sees": "public", "description": "Who gave it 颁发单位, where it is not the organ"},
    )
    product = Text(
        200,
        load_default="",
        metadata={"sees": "public", "description": "Product, brand or trade mark honoured 获奖产品或商标"},
    )
    prize_fen = Fen(load_default=0, metadata={"sees": "public", "description": "Prize money 奖金, in fen"})
    awarded_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of the award 颁发日期"}
    )
    valid_to = LastDay(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Last day 有效期至; empty: no end"},
    )
    revoked_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day on which it was revoked 撤销日期"},
    )

    @validates_schema
    def _days_in_order(self, data: dict[str, Any], **_: Any) -> None:
        in_order(data, "awarded_on", "valid_to", "End before the award 有效期止早于颁发")
        in_order(data, "awarded_on", "revoked_on", "Revoked before the award 撤销早于颁发")


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    sort = data["sort"]
    if sort == "other":
        sort = SORTS.find(data["name"], within=True) or "other"
    after = day_after(data["valid_to"])
    ends = min((day for day in (data["revoked_on"], after) if day), default=None)
    key = key_of("award", fold_name(organ), document_no, data)
    named = (fold_name(data["name"]), fold_name(data["product"]))
    if key[1] == "document":  # one notice names many honours
        key = (*key, *named)
    elif key[1] == "content" and data["awarded_on"]:
        key = ("award", "name", *named, data["awarded_on"].isoformat())
    detail: dict[str, Any] = {"name": data["name"], "sort": sort, "level": data["level"]}
    if document_no:
        detail["printed_no"] = data["document_no"]
    detail |= {name: data[name] for name in ("awarded_by", "product", "remark") if data[name]}
    detail |= {name: data[name].isoformat() for name in ("valid_to", "revoked_on") if data[name]}
    return Statement(
        "award", SORTS.terms[sort].number, LEVELS.terms[data["level"]].severity, data["prize_fen"], data["awarded_on"],
        ends, document_no, organ, key, detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    level, sort = LEVELS.terms[detail["level"]], SORTS.terms[detail["sort"]]
    place = "" if detail["level"] == "unknown" else f"（{level.zh}）"
    product = f"，{detail['product']}" if detail.get("product") else ""
    gone = f"，已于 {detail['revoked_on']} 撤销" if "revoked_on" in detail else ""
    gone_en = f", revoked {detail['revoked_on']}" if "revoked_on" in detail else ""
    return Label(f"荣誉{place}：{detail['name']}{product}{gone}", f"Honour, {level.en}: {sort.en}{gone_en}")


KIND = Kind(
    "award", 14, Label("质量奖、名牌", "Award, brand"), AwardSchema, state, line,
    projects=Projection(
        code="honour: " + ", ".join(f"{one.number} {one.zh}" for one in SORTS.terms.values()),
        severity="how high: 1 county, association or not stated, 2 city, 3 provincial, 4 national (a good record: never a fault)",
        amount="prize money", day="awarded", ends="revoked, else first day after its last",
    ),
    lists=(SORTS, LEVELS),
)  # fmt: skip
