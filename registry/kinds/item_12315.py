"""12315 item 12315事项: a complaint 投诉, a report 举报 or a consultation 咨询. Who complained is never stored."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Fen, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term

TYPES = {"complaint": (1, "投诉"), "report": (2, "举报"), "consultation": (3, "咨询")}


class Item12315Schema(RecordSchema):
    PAST = ("received_on", "closed_on")

    type = fields.String(
        required=True,
        validate=validate.OneOf(TYPES),
        metadata={"description": "Type of item 事项类型: complaint 投诉, report 举报 or consultation 咨询"},
    )
    received_on = Day(load_default=None, allow_none=True, metadata={"description": "Day of receipt 登记日期"})
    closed_on = Day(
        load_default=None, allow_none=True, metadata={"description": "Day of closing 办结日期; empty while open"}
    )
    accepted = fields.Boolean(
        load_default=None,
        allow_none=True,
        truthy={True},
        falsy={False},
        metadata={"description": "Accepted 受理, decided within 7 working days; empty while undecided"},
    )
    upheld = fields.Boolean(
        load_default=None,
        allow_none=True,
        truthy={True},
        falsy={False},
        metadata={"description": "Found true 属实; empty while open"},
    )
    mediation_refused = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "The enterprise refused mediation 拒绝调解"},
    )
    category = Text(100, load_default="", metadata={"description": "Category of goods or services 商品或服务类别"})
    amount_fen = Fen(load_default=0, metadata={"description": "Amount in dispute 争议金额, in fen"})

    @validates_schema
    def _ends_after_it_starts(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("closed_on") and data.get("received_on") and data["closed_on"] < data["received_on"]:
            raise ValidationError(
                {
                    "closed_on": [
                        f"Closing on {data['closed_on']} lies before the receipt of {data['received_on']}. Correct one of the two days."
                    ]
                }
            )

    @validates_schema
    def _upheld_only_what_was_accepted(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("upheld") and not data.get("accepted"):
            raise ValidationError(
                {
                    "upheld": [
                        "An item cannot be upheld 属实 that was not accepted 受理: it would never count. "
                        'Send "accepted": true with it, or leave `upheld` empty.'
                    ]
                }
            )


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    code = TYPES[data["type"]][0]
    # Only accepted complaints and verified reports count; a consultation says nothing about the enterprise.
    severity = 0
    if code != 3 and data["accepted"]:
        if data["upheld"]:
            severity = 3 if data["mediation_refused"] else 2
        elif data["upheld"] is None:
            severity = 1
    detail = {"type": data["type"], "accepted": data["accepted"], "upheld": data["upheld"]}
    detail |= {name: data[name] for name in ("mediation_refused", "category", "remark") if data[name]}
    return Statement(
        "item_12315", code, severity, data["amount_fen"], data["received_on"], data["closed_on"], document_no, organ,
        key_of("item_12315", fold_name(organ), document_no, data), detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    name, (_, term) = next((name, value) for name, value in TYPES.items() if value[0] == row["code"])
    outcome = {0: ("不计入", "does not count"), 1: ("已受理", "accepted"), 2: ("属实", "upheld"), 3: ("属实且拒绝调解", "upheld, mediation refused")}[row["severity"]]  # fmt: skip
    category = row["detail"].get("category", "")
    return Label(f"{term}{f'（{category}）' if category else ''}：{outcome[0]}", f"{name.capitalize()}: {outcome[1]}")


KIND = Kind(
    "item_12315", 6, Label("12315事项", "12315 item"), Item12315Schema, state, line,
    projects=Projection(
        code="1 complaint 投诉, 2 report 举报, 3 consultation 咨询",
        severity="0 does not count (consultation, not accepted, not upheld), 1 accepted, still open, 2 upheld 属实, "
        "3 upheld and mediation refused",
        amount="amount in dispute", day="received", ends="closed",
    ),
    lists=(
        CodeList(
            "item-12315-type", Label("事项类型", "Type of item"),
            {name: Term(number, term, name) for name, (number, term) in TYPES.items()}, "national 12315 platform",
        ),
    ),
)  # fmt: skip
