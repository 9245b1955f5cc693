"""Licence 行政许可: one decision of one organ that an entity may do something. Template 双公示 of 2018 and 2021."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term, folded
from registry.kinds.terms import Choice, LastDay, in_order
from registry.kinds.validity import DAY, ENDS, SEVERITIES, STANDING, validity

CATEGORIES = CodeList(
    "licence-category",
    Label("许可类别", "Licence category"),
    {
        "ordinary": Term(1, "普通", "ordinary", ("普通许可",)),
        "franchise": Term(2, "特许", "franchise", ("特许许可",)),
        "accreditation": Term(3, "认可", "accreditation"),
        "approval": Term(4, "核准", "approval"),
        "registration": Term(5, "登记", "registration"),
        "other": Term(6, "其他", "other"),
    },
    "Administrative Licence Law, Art. 12; 双公示 template XK_XKLB",
)
SUBJECTS = CodeList(
    "xinheng-licence-subject",
    Label("许可事项类型", "What the licence is for"),
    {
        "food_production": Term(
            1, "食品生产", "food production", ("食品生产许可证", "食品添加剂生产", "食品生产加工小作坊")
        ),
        "food_operation": Term(
            2, "食品经营", "food operation", ("食品经营许可证", "食品流通", "餐饮服务", "仅销售预包装食品")
        ),
        "industrial_product": Term(
            3, "工业产品生产", "industrial product", ("工业产品生产许可证", "全国工业产品生产许可证")
        ),
        "special_equipment": Term(4, "特种设备", "special equipment", ("特种设备生产", "特种设备使用登记")),
        "drug_device_cosmetic": Term(
            5, "药品、医疗器械、化妆品", "drugs, devices, cosmetics", ("药品", "医疗器械", "化妆品")
        ),
        "measuring_testing": Term(
            6, "计量和检验检测", "measuring and testing", ("计量", "检验检测机构资质认定", "CMA")
        ),
        "safety": Term(7, "安全生产和危险化学品", "work safety and hazardous goods", ("安全生产许可证", "危险化学品")),
        "other": Term(8, "其他许可", "other"),
        "unknown": Term(0, "未注明", "not stated"),
    },
    "our own, recognised in the name of the certificate and in the letters of a food licence number (SC, JY)",
)
# XK_ZT and its like: the same digit is "valid" in one edition and "withdrawn" in the other.
STATES = (
    CodeList(
        "shuanggongshi-2018",
        Label("当前状态（2018、2021 版双公示）", "State, templates of 2018 and 2021"),
        {"1": Term(0, "有效", "valid"), "2": Term(2, "无效", "ended", severity=2)},
        "双公示 template of 2018 and 2021, XK_ZT; to confirm with the code table in use",
    ),
    CodeList(
        "shuanggongshi-2015",
        Label("当前状态（2015 版双公示）", "State, template of 2015"),
        {
            "0": Term(0, "正常", "valid"),
            "1": Term(3, "撤销", "withdrawn", severity=3),
            "2": Term(0, "异议", "valid, objected to"),
            "3": Term(0, "其他", "valid, other"),
        },
        "双公示 template of 2015, XK_ZT",
    ),
)
SYSTEMS = {one.id: one for one in STATES}
_FOOD = re.compile(r"(SC|JY)[0-9]{14}")
# Severity of a place's code → our standing.
_STANDINGS = {0: "valid", 2: "ended", 3: "withdrawn"}


class LicenceSchema(RecordSchema):
    PAST = ("decided_on", "standing_on")

    document_name = Text(
        200, load_default="", metadata={"sees": "public", "description": "Name of the decision 行政许可决定文书名称"}
    )
    category = Choice(
        CATEGORIES,
        otherwise="other",
        load_default="other",
        metadata={"sees": "public", "description": "Category 许可类别"},
    )
    category_text = Text(
        200, load_default="", metadata={"sees": "public", "description": "Category 许可类别原文, as given"}
    )
    subject = Choice(
        SUBJECTS,
        load_default="unknown",
        metadata={
            "sees": "public",
            "description": "What it is for 许可事项类型; empty: read from `certificate` and `licence_no`",
        },
    )
    certificate = Text(
        200, load_default="", metadata={"sees": "public", "description": "Name of the certificate 许可证书名称"}
    )
    licence_no = Text(
        128, load_default="", metadata={"sees": "public", "description": "Number of the licence 许可编号"}
    )
    content = Text(8000, load_default="", metadata={"sees": "public", "description": "What is allowed 许可内容"})
    decided_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day of the decision 许可决定日期"},
    )
    valid_from = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "First day 有效期自"}
    )
    valid_to = LastDay(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Last day 有效期至; empty or 2099-12-31: no end"},
    )
    standing = Choice(STANDING, load_default="valid", metadata={"sees": "public", "description": "Standing 当前状态"})
    standing_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day on which it was suspended, ended or withdrawn 状态变更日期"},
    )
    state_system = fields.String(
        load_default="",
        validate=validate.OneOf(["", *SYSTEMS]),
        metadata={"sees": "regulator", "description": "Code system 代码体系 of `state`"},
    )
    state = Text(
        40,
        load_default="",
        metadata={
            "sees": "regulator",
            "description": "State 状态代码 in `state_system`, or in words; it replaces `standing` where it is known",
        },
    )
    organ_code = Text(
        18,
        load_default="",
        metadata={"sees": "public", "description": "Credit code of the organ 许可机关统一社会信用代码"},
    )
    source_organ = Text(
        200, load_default="", metadata={"sees": "regulator", "description": "Organ that supplied the data 数据来源单位"}
    )
    source_organ_code = Text(
        18,
        load_default="",
        metadata={"sees": "regulator", "description": "Its credit code 数据来源单位统一社会信用代码"},
    )

    @validates_schema
    def _days_in_order(self, data: dict[str, Any], **_: Any) -> None:
        in_order(data, "valid_from", "valid_to", "End before the start 有效期止早于有效期起")
        in_order(data, "decided_on", "standing_on", "Change of state before the decision 状态变更早于许可决定")

    @validates_schema
    def _state_is_known(self, data: dict[str, Any], **_: Any) -> None:
        # A state that nobody understands must not pass for valid.
        system, text = data.get("state_system", ""), data.get("state", "")
        if text and system in ("", *SYSTEMS) and standing_in(system, text) is None:
            known = [*(SYSTEMS[system].terms if system else ()), *(term.zh for term in STANDING.terms.values())]
            raise ValidationError({"state": [f"{text!r} is not a state of this feed. Known are: {', '.join(known)}."]})


def subject_in(named: str, licence_no: str) -> str:
    """What a licence is for, from the names of certificate and decision, else from a food licence number (SC, JY)."""
    found = SUBJECTS.find(named, within=True)
    if found is not None:
        return found
    number = _FOOD.fullmatch(folded(licence_no))
    if number:
        return "food_production" if number[1] == "SC" else "food_operation"
    return "other" if named.strip() or licence_no else "unknown"


def standing_in(system: str, text: str) -> str | None:
    """Our standing for a state of a feed: by its code system, else by its words; None where neither knows it."""
    if system and text in SYSTEMS[system].terms:
        return _STANDINGS[SYSTEMS[system].terms[text].severity]
    return STANDING.find(text)


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    number = fold_document_no(data["licence_no"])
    data = {**data, "standing": standing_in(data["state_system"], data["state"]) or data["standing"]}
    subject = data["subject"]
    if subject == "unknown":
        subject = subject_in(f"{data['certificate']} {data['document_name']}", data["licence_no"])
    severity, day, ends = validity(data, data["valid_from"] or data["decided_on"])
    # The template's own rule: the licence's number where the decision has none. One decision may grant several licences.
    key = key_of("licence", fold_name(organ), document_no or number, data)
    if document_no and number and number != document_no:
        key = (*key, number)
    texts = (
        "document_name", "category_text", "certificate", "licence_no", "content", "state_system", "state", "organ_code",
        "source_organ", "source_organ_code", "remark",
    )  # fmt: skip
    days = ("decided_on", "valid_from", "valid_to", "standing_on")
    detail: dict[str, Any] = {"category": data["category"], "subject": subject, "standing": data["standing"]}
    detail["printed_no"] = data["document_no"] or data["licence_no"]
    detail |= {name: data[name] for name in texts if data[name]}
    detail |= {name: data[name].isoformat() for name in days if data[name]}
    return Statement(
        "licence", SUBJECTS.terms[subject].number, severity, 0, day, ends, document_no or number, organ, key, detail
    )


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    subject, standing = SUBJECTS.terms[detail["subject"]], STANDING.terms[detail["standing"]]
    until = f"，有效期至 {detail['valid_to']}" if "valid_to" in detail else ""
    return Label(
        f"行政许可（{standing.zh}）：{detail.get('certificate') or subject.zh}{until}",
        f"Licence, {subject.en} ({standing.en}){', until ' + detail['valid_to'] if 'valid_to' in detail else ''}",
    )


KIND = Kind(
    "licence", 8, Label("行政许可", "Licence"), LicenceSchema, state, line,
    projects=Projection(
        code="what it is for: " + ", ".join(f"{one.number} {one.zh}" for one in SUBJECTS.terms.values()),
        severity=SEVERITIES, day=DAY, ends=ENDS,
    ),
    lists=(CATEGORIES, SUBJECTS, STANDING, *STATES),
)  # fmt: skip
