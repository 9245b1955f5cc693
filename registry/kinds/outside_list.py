"""Outside list 外部名单: an entry on another organ's list, or a grade it gave: courts, tax, environment, transport …"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Fen, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice, LastDay, in_order
from registry.kinds.validity import day_after

# The weight of a list is a product default 产品默认值; of a graded list the grade weighs.
LISTS = CodeList(
    "xinheng-outside-list",
    Label("名单", "List"),
    {
        "judgment_debtor": Term(1, "失信被执行人", "dishonest judgment debtors", ("失信被执行人名单",), 3),
        "consumption_limited": Term(
            2, "限制消费", "restricted from high consumption", ("限制高消费", "限制消费名单"), 2
        ),
        "debtor": Term(3, "被执行人", "judgment debtors", ("被执行人信息",), 1),
        "tax_arrears": Term(4, "欠税公告", "tax arrears", ("欠税", "欠税信息"), 1),
        "tax_fraud": Term(5, "重大税收违法失信主体", "serious tax offenders", ("重大税收违法案件",), 3),
        "tax_grade": Term(6, "纳税信用级别", "tax credit grade", ("纳税信用等级", "纳税信用", "纳税缴费信用级别")),
        "environment_grade": Term(7, "企业环境信用评价", "environmental credit grade", ("环境信用", "环保信用")),
        "transport_grade": Term(8, "交通运输信用考核", "transport credit grade", ("质量信誉考核", "交通运输信用")),
        "customs_grade": Term(9, "海关企业信用等级", "customs credit grade", ("海关信用", "海关信用等级")),
        "wage_arrears": Term(10, "拖欠农民工工资失信联合惩戒对象", "wage arrears", ("拖欠农民工工资",), 3),
        "work_safety": Term(11, "安全生产严重失信主体", "work-safety offenders", ("安全生产失信",), 3),
        "procurement": Term(12, "政府采购严重违法失信行为记录", "procurement offenders", ("政府采购严重违法失信",), 3),
        "construction_grade": Term(13, "建筑市场信用评价", "construction credit grade", ("建筑市场信用",)),
        "social_security": Term(14, "社会保险严重失信", "social-security offenders", ("社保欠费", "欠缴社会保险"), 2),
        "statistics": Term(15, "统计严重失信企业", "statistics offenders", ("统计失信",), 2),
        "good_faith": Term(16, "守信激励名单", "good-faith list", ("红名单", "守信红名单")),
        "other": Term(99, "其他名单", "other list", severity=1),
    },
    "our own; severity is a product default 产品默认值",
)
# Grades are somebody's: the system says whose. Severity 0 good or ordinary, 1 to watch, 2 poor, 3 worst (product default).
SYSTEMS = {
    one.id: one
    for one in (
        CodeList(
            "tax-2014",
            Label("纳税信用级别（2014）", "Tax credit grade of 2014"),
            {
                "A": Term(1, "A级", "A", ("A级",)),
                "B": Term(2, "B级", "B", ("B级",)),
                "C": Term(4, "C级", "C", ("C级",), 1),
                "D": Term(5, "D级", "D", ("D级",), 3),
            },
            "SAT Announcement 2014 no. 40",
            date(2014, 10, 1),
            date(2018, 4, 1),
        ),
        CodeList(
            "tax-2018",
            Label("纳税信用级别", "Tax credit grade"),
            {
                "A": Term(1, "A级", "A", ("A级",)),
                "B": Term(2, "B级", "B", ("B级",)),
                "M": Term(3, "M级", "M, new or without income", ("M级",)),
                "C": Term(4, "C级", "C", ("C级",), 1),
                "D": Term(5, "D级", "D", ("D级",), 3),
            },
            "SAT Announcement 2018 no. 8 added M",
            date(2018, 4, 1),
        ),
        CodeList(
            "environment-2013",
            Label("企业环境信用（四色）", "Environmental credit, four colours"),
            {
                "green": Term(1, "环保诚信企业", "green", ("绿", "绿牌", "绿色", "环保诚信")),
                "blue": Term(2, "环保良好企业", "blue", ("蓝", "蓝牌", "蓝色", "环保良好")),
                "yellow": Term(3, "环保警示企业", "yellow", ("黄", "黄牌", "黄色", "环保警示"), 1),
                "red": Term(4, "环保不良企业", "red", ("红", "红牌", "红色", "环保不良"), 3),
            },
            "环发〔2013〕150号 (trial)",
            date(2014, 3, 1),
        ),
        CodeList(
            "environment-five",
            Label("企业环境信用（五色）", "Environmental credit, five colours"),
            {
                "green": Term(1, "绿色等级", "green", ("绿", "绿色")),
                "blue": Term(2, "蓝色等级", "blue", ("蓝", "蓝色")),
                "yellow": Term(3, "黄色等级", "yellow", ("黄", "黄色"), 1),
                "red": Term(4, "红色等级", "red", ("红", "红色"), 2),
                "black": Term(5, "黑色等级", "black", ("黑", "黑色"), 3),
            },
            "local lists with a black grade: there red is not the worst",
        ),
        CodeList(
            "transport-letters",
            Label("质量信誉考核（字母）", "Transport, letters"),
            {
                "AAA": Term(1, "AAA级", "AAA", ("AAA级", "A+", "3A")),
                "AA": Term(2, "AA级", "AA", ("AA级", "2A")),
                "A": Term(3, "A级", "A", ("A级",)),
                "B": Term(4, "B级", "B", ("B级",), 2),
            },
            "quality-credit assessment of road transport: AAA to B",
        ),
        CodeList(
            "transport-abc",
            Label("信用考核（良中差）", "Transport, good to poor"),
            {
                "A": Term(1, "良（A）", "A, good", ("良", "良(A)")),
                "B": Term(2, "中（B）", "B, fair", ("中", "中(B)"), 1),
                "C": Term(3, "差（C）", "C, poor", ("差", "差(C)"), 3),
            },
            "local example: here B is fair, and poor elsewhere",
        ),
        CodeList(
            "transport-words",
            Label("信用考核（优良）", "Transport, words"),
            {
                "excellent": Term(1, "优秀", "excellent", ("优",)),
                "good": Term(2, "良好", "good", ("良",)),
                "passed": Term(3, "合格", "passed"),
                "failed": Term(4, "不合格", "failed", severity=3),
                "absent": Term(5, "未参加", "did not take part", ("未参评",), 1),
            },
            "local example",
        ),
        CodeList(
            "customs-2021",
            Label("海关信用等级", "Customs credit grade"),
            {
                "advanced": Term(1, "高级认证企业", "advanced certified", ("高级认证", "AEO高级认证")),
                "ordinary": Term(2, "常规管理企业", "ordinary", ("常规", "其他注册登记和备案企业")),
                "dishonest": Term(3, "失信企业", "dishonest", ("失信",), 3),
            },
            "GACC Order 251",
            date(2021, 11, 1),
        ),
    )
}


# Which systems grade for which list. Without a system a grade is read by the national one of its day, where there is one.
GRADED = {
    "tax_grade": ("tax-2014", "tax-2018"),
    "environment_grade": ("environment-2013", "environment-five"),
    "transport_grade": ("transport-letters", "transport-abc", "transport-words"),
    "customs_grade": ("customs-2021",),
}
NATIONAL = {"tax_grade": GRADED["tax_grade"], "customs_grade": GRADED["customs_grade"]}


class OutsideListSchema(RecordSchema):
    PAST = ("listed_on", "removed_on")

    list = Choice(
        LISTS, otherwise="other", required=True, metadata={"sees": "regulator", "description": "Which list 名单类别"}
    )
    list_text = Text(
        200, load_default="", metadata={"sees": "regulator", "description": "Name of the list 名单名称, as given"}
    )
    grade_system = fields.String(
        load_default="",
        validate=validate.OneOf(["", *SYSTEMS]),
        metadata={"sees": "regulator", "description": "Code system 代码体系 of `grade`"},
    )
    grade = Text(
        60,
        load_default="",
        metadata={
            "sees": "regulator",
            "description": "Grade given 信用等级, as printed; its weight is that of its system",
        },
    )
    year = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(1990, 2100),
        metadata={"sees": "regulator", "description": "Year that was graded 评价年度"},
    )
    item = Text(
        200,
        load_default="",
        metadata={"sees": "regulator", "description": "What it is about 事项: kind of tax, duty not performed"},
    )
    amount_fen = Fen(
        load_default=0,
        metadata={"sees": "regulator", "description": "Amount owed or to be enforced 欠缴或执行标的金额, in fen"},
    )
    performance = Text(
        100, load_default="", metadata={"sees": "regulator", "description": "How far it was performed 履行情况"}
    )
    reason = Text(4000, load_default="", metadata={"sees": "regulator", "description": "Reason 列入原因"})
    listed_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "regulator", "description": "First day 列入或公布日期"}
    )
    valid_to = LastDay(
        load_default=None,
        allow_none=True,
        metadata={"sees": "regulator", "description": "Last day by its own terms 有效期至"},
    )
    removed_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "regulator", "description": "Day of removal 移出日期; empty while listed"},
    )

    @validates_schema
    def _agrees_with_itself(self, data: dict[str, Any], **_: Any) -> None:
        in_order(data, "listed_on", "removed_on", "Removed before it was listed 移出早于列入")
        in_order(data, "listed_on", "valid_to", "End before the listing 有效期止早于列入")
        name, system, grade = (data.get(field, "") for field in ("list", "grade_system", "grade"))
        if system and not grade:
            raise ValidationError({"grade": [f"The system {system} is given and no grade. Give both or none."]})
        fitting = GRADED.get(name)
        if fitting and grade and system not in fitting and (system or name not in NATIONAL):
            said = f"{system!r} does not grade for {name}" if system else f"A grade of {name} needs its system"
            raise ValidationError({"grade_system": [f"{said}. Systems are: {', '.join(fitting)}."]})
        if system in SYSTEMS and not SYSTEMS[system].holds(data.get("listed_on")):
            raise ValidationError({"grade_system": [SYSTEMS[system].refusal("", data["listed_on"])]})


def system_on(name: str, on: date | None) -> str:
    """The national system in force on a day (the newest where the day is not known); "" where there is none."""
    systems = [SYSTEMS[one] for one in NATIONAL.get(name, ())]
    if on is not None:
        systems = [one for one in systems if (one.since or on) <= on and (one.until is None or on < one.until)]
    return systems[-1].id if systems else ""


def weight(name: str, system: str, grade: str) -> int:
    """Severity of an entry: of its list, or of its grade. A grade that its system does not know is one to watch."""
    if not grade:
        return LISTS.terms[name].severity
    known = SYSTEMS[system].find(grade) if system else None
    return SYSTEMS[system].terms[known].severity if known else max(1, LISTS.terms[name].severity)


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    name, day = data["list"], data["listed_on"]
    ends = min((one for one in (data["removed_on"], day_after(data["valid_to"])) if one), default=None)
    key = key_of("outside_list", fold_name(organ), document_no, data)
    named = (name, fold_name(data["list_text"]) if name == "other" else "", fold_name(data["item"]))
    if key[1] == "document":  # one announcement lists a debtor once for each tax
        key = (*key, *named)
    elif key[1] == "content" and (day or data["year"]):
        key = ("outside_list", "entry", *named, day.isoformat() if day else "", str(data["year"] or ""))
    system = data["grade_system"] or (system_on(name, day) if data["grade"] else "")
    detail: dict[str, Any] = {"list": name}
    if system:
        detail["grade_system"] = system
    if document_no:
        detail["printed_no"] = data["document_no"]
    texts = ("list_text", "grade", "year", "item", "performance", "reason", "remark")
    detail |= {text: data[text] for text in texts if data[text]}
    detail |= {one: data[one].isoformat() for one in ("valid_to", "removed_on") if data[one]}
    return Statement(
        "outside_list", LISTS.terms[name].number, weight(name, system, data["grade"]), data["amount_fen"],
        day, ends, document_no, organ, key, detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    term = LISTS.terms[detail["list"]]
    grade = f"：{detail['grade']}" if detail.get("grade") else ""
    year = f"（{detail['year']} 年度）" if detail.get("year") else ""
    owed = f"，金额 {row['amount_fen'] / 100:,.2f} 元" if row["amount_fen"] else ""
    ended = f"，至 {row['ends_on']} 止" if row["ends_on"] else ""
    name = detail.get("list_text") or term.zh if detail["list"] == "other" else term.zh
    until = f", until {row['ends_on']}" if row["ends_on"] else ""
    return Label(f"外部名单 {name}{year}{grade}{owed}{ended}", f"Outside list: {term.en}{until}")


KIND = Kind(
    "outside_list", 16, Label("外部名单", "Outside list"), OutsideListSchema, state, line,
    projects=Projection(
        code="list: " + ", ".join(f"{one.number} {one.zh}" for one in LISTS.terms.values()),
        severity="by the grade where its code system is known, else by the list: 0 good or ordinary, 1 to watch, 2 poor, 3 worst",
        amount="owed or to be enforced", day="listed or published", ends="removed, else first day after its last",
    ),
    lists=(LISTS, *SYSTEMS.values()), amount="regulator",
)  # fmt: skip
