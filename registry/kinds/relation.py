"""Relation 关联关系 of an entity with another one or with a natural person: who represents, owns, manages it, what it owns."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.cells.width import half_width
from registry.identity import read_identifier
from registry.kinds.base import Day, Kind, Label, Mirror, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice, Hashed, LastDay, in_order, person_number
from registry.kinds.validity import day_after

TYPES = CodeList(
    "xinheng-relation",
    Label("关系类型", "Type of relation"),
    {
        "legal_representative": Term(
            1, "法定代表人", "legal representative", ("负责人", "经营者", "执行事务合伙人", "首席代表", "法人代表")
        ),
        "shareholder": Term(2, "股东", "shareholder", ("股东（发起人）", "发起人", "投资人", "合伙人", "出资人", "成员")),
        "investment": Term(3, "对外投资", "outward investment", ("被投资企业", "子公司", "控股企业", "参股企业")),
        "branch": Term(4, "分支机构", "branch", ("分公司", "分店")),
        "manager": Term(
            5, "董事、监事、经理", "officer", ("主要人员", "高级管理人员", "高管", "董事", "监事", "经理", "董事长", "总经理")
        ),
    },
    "our own, over the blocks of NECIPS (shareholder, key person, branch); codes never change",
)  # fmt: skip
# The other side of these is an entity, and of those a natural person.
OF_ENTITIES, OF_PERSONS = ("investment", "branch"), ("manager",)


class Share(fields.Field[int]):
    """A share in percent (35.5, "35.5%"), read as hundredths of a percent: 3550. The rest is rounded half up."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 20:
                raise InvalidOperation
            share = Decimal(half_width(str(value)).strip().removesuffix("%"))
        except InvalidOperation:
            raise ValidationError("This is not a share. Write percent, for example 35.5 or 35.5%.") from None
        if not share.is_finite() or not 0 <= share <= 100:
            raise ValidationError("A share lies between 0 and 100 percent. Correct it.")
        return int((share * 100).to_integral_value(ROUND_HALF_UP))


class OtherCode(fields.Field[str]):
    """The credit code or registration number of the other entity, checked."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Send the code as text.")
        reading = read_identifier(value)
        if reading.kind == "blank":
            return ""
        if reading.kind == "person" or reading.or_kind == "person":
            raise ValidationError(
                "This is a personal number. A person's number goes into `person_id`, and is not stored."
            )
        if reading.kind not in ("credit_code", "registration_no", "registration_no_13"):
            raise ValidationError(reading.message or "Give the credit code 统一社会信用代码 of the other entity.")
        return reading.value


class RelationSchema(RecordSchema):
    PAST = ("valid_from",)

    type = Choice(TYPES, within=True, required=True, metadata={"sees": "regulator", "description": "Type 关系类型"})
    person_name = Text(
        100,
        load_default="",
        metadata={"sees": "detail", "description": "Name of the natural person 姓名; regulators see 张*"},
    )
    person_id = Hashed(
        person_number,
        metadata={"sees": "never", "description": "Number of the person's paper 证件号码: kept as a keyed hash only"},
    )
    other_code = OtherCode(
        load_default="",
        metadata={
            "type": "string",
            "sees": "regulator",
            "description": "Credit code of the other entity 关联主体统一社会信用代码",
        },
    )
    other_name = Text(
        200, load_default="", metadata={"sees": "regulator", "description": "Name of the other entity 关联主体名称"}
    )
    position = Text(100, load_default="", metadata={"sees": "regulator", "description": "Position 职务"})
    share = Share(
        load_default=None,
        allow_none=True,
        metadata={
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "sees": "regulator",
            "description": "Share in percent 持股比例; the fact has hundredths of a percent",
        },
    )
    valid_from = Day(
        load_default=None, allow_none=True, metadata={"sees": "regulator", "description": "First day 起始日期"}
    )
    valid_to = LastDay(
        load_default=None,
        allow_none=True,
        metadata={"sees": "regulator", "description": "Last day 截止日期; empty: it holds"},
    )

    @validates_schema
    def _one_other_side(self, data: dict[str, Any], **_: Any) -> None:
        in_order(data, "valid_from", "valid_to", "End before the start 截止早于起始")
        person = data.get("person_name") or data.get("person_id")
        other = data.get("other_code") or data.get("other_name")
        type_ = data.get("type")
        if person and other:
            raise ValidationError(
                {"other_name": ["A relation has one other side: a person, or an entity. Send two records for two."]}
            )
        if not person and not other:
            raise ValidationError(
                {
                    "other_code": [
                        "Say with whom: `other_code` or `other_name` of an entity, or `person_name` of a person."
                    ]
                }
            )
        if person and type_ in OF_ENTITIES:
            raise ValidationError(
                {"person_name": [f"The other side of {TYPES.terms[type_].zh} is an entity. Give `other_code`."]}
            )
        if other and type_ in OF_PERSONS:
            raise ValidationError(
                {"other_name": [f"The other side of {TYPES.terms[type_].zh} is a person. Give `person_name`."]}
            )


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    # Two people of one name are told apart by their papers alone; two entities by their codes.
    who = data["person_id"] or data["other_code"] or fold_name(data["person_name"] or data["other_name"])
    day = data["valid_from"]
    key = key_of("relation", fold_name(organ), document_no, data)
    if key[1] == "document":  # one notice names several shareholders
        key = (*key, data["type"], who)
    elif key[1] == "content":
        key = ("relation", "who", data["type"], who, day.isoformat() if day else "")
    detail: dict[str, Any] = {"type": data["type"]}
    texts = ("person_name", "other_code", "other_name", "position", "remark")
    detail |= {name: data[name] for name in texts if data[name]}
    if data["person_id"]:
        detail["person_hash"] = data["person_id"]
    if data["share"] is not None:
        detail["share"] = f"{data['share'] / 100:.2f}"
    if document_no:
        detail["printed_no"] = data["document_no"]
    detail |= {name: data[name].isoformat() for name in ("valid_from", "valid_to") if data[name]}
    return Statement(
        "relation", TYPES.terms[data["type"]].number, 0, data["share"] or 0, day, day_after(data["valid_to"]), document_no,
        organ, key, detail,
    )  # fmt: skip


def masked(name: str) -> str:
    """A person's name as regulators see it in lists: 张三 is 张*."""
    return name[:1] + "*" * (len(name) - 1)


def shown_person(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The person of a relation for who may not see the name itself."""
    return {"person": masked(detail["person_name"])} if detail.get("person_name") else {}


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    term = TYPES.terms[detail["type"]]
    who = detail.get("person_name") or detail.get("person") or detail.get("other_name") or detail.get("other_code")
    share = f"，持股 {detail['share']}%" if detail.get("share") else ""
    position = f"（{detail['position']}）" if detail.get("position") else ""
    ended = f"，至 {detail['valid_to']} 止" if detail.get("valid_to") else ""
    until = f", until {detail['valid_to']}" if detail.get("valid_to") else ""
    return Label(f"{term.zh}{position}：{who or '自然人'}{share}{ended}", f"Relation: {term.en}{until}")


def other_side(row: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Of `relation`: the row by which a relation is found from its other side."""
    detail = row["detail"]
    if "type" not in detail:  # erased
        return None
    return (
        row["entity_id"], row["code"], detail.get("other_code", ""), detail.get("person_hash"), row["amount_fen"],
        row["happened_on"], row["ends_on"],
    )  # fmt: skip


KIND = Kind(
    "relation", 18, Label("关联关系", "Relation"), RelationSchema, state, line,
    projects=Projection(
        code="type: " + ", ".join(f"{one.number} {one.zh}" for one in TYPES.terms.values()),
        severity="0", amount="share in hundredths of a percent (0 not stated)", day="first day", ends="first day after its last",
    ),
    lists=(TYPES,), derived={"person_hash": "never", "person": "regulator"}, also=shown_person, amount="never",
    mirror=Mirror("relation", ("entity", "type", "other_code", "person_hash", "share", "from_on", "to_on"), other_side),
)  # fmt: skip
