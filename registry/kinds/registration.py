"""Registration 登记: what the registering organ says an entity is. The columns of `entity` are a cache of the newest."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import fields, validate

from registry.kinds.base import Day, Fen, Kind, Label, Projection, RecordSchema, Statement, Text
from registry.kinds.codes import CodeList, Term, labelled

SUBJECTS = {
    "enterprise": "企业",
    "individual": "个体工商户",
    "cooperative": "农民专业合作社",
    "branch": "分支机构",
    "other": "其他",
}
STATUSES = {
    1: Label("存续", "in business"),
    2: Label("吊销未注销", "revoked, not cancelled"),
    3: Label("注销", "cancelled"),
    4: Label("其他", "other"),
}
BRANCH_WORDS = ("分支机构", "分公司", "非法人", "经营单位", "代表机构")


def subject_of(code: str, type_text: str, name: str) -> str:
    """Subject kind 主体类型 from the credit code's first two characters, else from the type or the name.

    Branches share the 91 of enterprises, so the type text decides there.
    """
    if code[:2] == "92" or "个体" in type_text:
        return "individual"
    if code[:2] == "93" or "合作社" in type_text or (not code and "专业合作社" in name):
        return "cooperative"
    if any(word in type_text for word in BRANCH_WORDS):
        return "branch"
    return "other" if len(code) == 18 and code[0] != "9" else "enterprise"


class RegistrationSchema(RecordSchema):
    PAST = ("established",)

    name = Text(200, required=True, metadata={"sees": "public", "description": "Name 名称"})
    subject = fields.String(
        required=True,
        validate=validate.OneOf(SUBJECTS),
        metadata={"sees": "public", "description": "Subject kind 主体类型"},
    )
    type = Text(100, load_default="", metadata={"sees": "public", "description": "Type of entity 企业类型, as given"})
    status = fields.Integer(
        load_default=1,
        strict=True,
        validate=validate.OneOf(STATUSES),
        metadata={"sees": "public", "description": "Registration state 登记状态"},
    )
    established = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of establishment 成立日期"}
    )
    term_ends = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "End of the business term 营业期限至"},
    )
    industry = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 9999),
        metadata={"sees": "public", "description": "Industry 行业, class of GB/T 4754; 0 unknown"},
    )
    division = fields.String(
        load_default="",
        validate=validate.Regexp(r"^(\d{6})?$"),
        metadata={"sees": "public", "description": "Division 行政区划, GB/T 2260, six digits"},
    )
    address = Text(500, load_default="", metadata={"sees": "public", "description": "Address 住所"})
    scope = Text(8000, load_default="", metadata={"sees": "public", "description": "Business scope 经营范围"})
    capital_fen = Fen(
        load_default=0,
        metadata={
            "sees": "public",
            "description": "Registered capital 注册资本, in fen; 0 unknown or in another currency",
        },
    )
    capital_text = Text(
        100, load_default="", metadata={"sees": "public", "description": "Registered capital, as given 注册资金"}
    )
    region = Text(100, load_default="", metadata={"sees": "public", "description": "Region, as given 地区"})


def state(data: dict[str, Any]) -> Statement:
    # The term is given by its last day; what ends is written as the first day on which it no longer holds.
    ends = data["term_ends"] + timedelta(days=1) if data["term_ends"] else None
    kept = ("name", "subject", "type", "division", "address", "scope", "capital_text", "region", "remark")
    detail = {name: data[name] for name in kept if data[name]}
    return Statement(
        "registration", data["industry"], data["status"], data["capital_fen"], data["established"], ends,
        "", data["organ"], ("registration",), detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    status = STATUSES[row["severity"]]
    return Label(f"登记：{row['detail'].get('name', '')}（{status.zh}）", f"Registered ({status.en})")


KIND = Kind(
    "registration", 1, Label("登记", "Registration"), RegistrationSchema, state, line, postable=False,
    projects=Projection(
        code="industry, GB/T 4754 class as an integer (0 unknown)",
        severity="1 open 存续, 2 revoked, not cancelled 吊销未注销, 3 cancelled 注销, 4 other",
        amount="registered capital (0 unknown)", day="established", ends="end of the business term",
    ),
    lists=(
        labelled("xinheng-status", Label("登记状态", "Registration state"), STATUSES, "our own, over the national state texts"),
        CodeList(
            "xinheng-subject", Label("主体类型", "Subject kind"),
            {name: Term(place, term, name) for place, (name, term) in enumerate(SUBJECTS.items(), 1)}, "our own",
        ),
    ),
)  # fmt: skip
