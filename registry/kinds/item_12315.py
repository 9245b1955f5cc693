"""12315 item 12315事项: a complaint 投诉, a report 举报 or a consultation 咨询. Who complained is kept as a keyed hash only."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry import clock
from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Fen, Kind, Label, Mirror, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Dropped, Hashed, person_number, phone_number

TYPES = {"complaint": (1, "投诉"), "report": (2, "举报"), "consultation": (3, "咨询")}


class Item12315Schema(RecordSchema):
    PAST = ("received_on", "closed_on")

    type = fields.String(
        required=True,
        validate=validate.OneOf(TYPES),
        metadata={
            "sees": "regulator",
            "description": "Type of item 事项类型: complaint 投诉, report 举报 or consultation 咨询",
        },
    )
    received_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "regulator", "description": "Day of receipt 登记日期"}
    )
    closed_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "regulator", "description": "Day of closing 办结日期; empty while open"},
    )
    accepted = fields.Boolean(
        load_default=None,
        allow_none=True,
        truthy={True},
        falsy={False},
        metadata={
            "sees": "regulator",
            "description": "Accepted 受理, decided within 7 working days; empty while undecided",
        },
    )
    upheld = fields.Boolean(
        load_default=None,
        allow_none=True,
        truthy={True},
        falsy={False},
        metadata={"sees": "regulator", "description": "Found true 属实; empty while open"},
    )
    mediation_refused = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"sees": "regulator", "description": "The enterprise refused mediation 拒绝调解"},
    )
    settled = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"sees": "regulator", "description": "Settled by mediation or between the parties 调解成功、和解"},
    )
    dropped = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"sees": "regulator", "description": "Withdrawn by who made it 投诉人撤回"},
    )
    claimant_phone = Hashed(
        phone_number,
        metadata={"sees": "never", "description": "Telephone of who made it 投诉人电话: kept as a keyed hash only"},
    )
    claimant_id = Hashed(
        person_number,
        metadata={
            "sees": "never",
            "description": "Number of the paper of who made it 投诉人证件号: kept as a keyed hash, where there is no telephone",
        },
    )
    claimant_name = Dropped(
        metadata={
            "sees": "never",
            "description": "Name of who made it 投诉人姓名: not kept, a name alone tells nobody apart",
        }
    )
    category = Text(
        100,
        load_default="",
        metadata={"sees": "regulator", "description": "Category of goods or services 商品或服务类别"},
    )
    amount_fen = Fen(
        load_default=0, metadata={"sees": "regulator", "description": "Amount in dispute 争议金额, in fen"}
    )

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
    def _settled_or_refused(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("settled") and data.get("mediation_refused"):
            raise ValidationError(
                {
                    "settled": [
                        "A complaint of which the enterprise refused mediation 拒绝调解 is not settled 调解成功. Correct one."
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
        elif data["upheld"] is None and not data["dropped"]:
            severity = 1
    detail = {"type": data["type"], "accepted": data["accepted"], "upheld": data["upheld"]}
    detail |= {
        name: data[name] for name in ("mediation_refused", "settled", "dropped", "category", "remark") if data[name]
    }
    claimant = data["claimant_phone"] or data["claimant_id"]
    if claimant:
        detail["claimant_hash"] = claimant
    return Statement(
        "item_12315", code, severity, data["amount_fen"], data["received_on"], data["closed_on"], document_no, organ,
        key_of("item_12315", fold_name(organ), document_no, data), detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    name, (_, term) = next((name, value) for name, value in TYPES.items() if value[0] == row["code"])
    outcome = {0: ("不计入", "does not count"), 1: ("已受理", "accepted"), 2: ("属实", "upheld"), 3: ("属实且拒绝调解", "upheld, mediation refused")}[row["severity"]]  # fmt: skip
    detail = row["detail"]
    category = detail.get("category", "")
    ended = ("，调解成功", ", settled") if detail.get("settled") else ("，已撤回", ", withdrawn by who made it") if detail.get("dropped") else ("", "")  # fmt: skip
    return Label(
        f"{term}{f'（{category}）' if category else ''}：{outcome[0]}{ended[0]}",
        f"{name.capitalize()}: {outcome[1]}{ended[1]}",
    )


def claim(row: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Of `claim`: who made an item about whom on which day. A consultation, and an item without a day, is no claim."""
    claimant, day = row["detail"].get("claimant_hash"), row["happened_on"]
    if not claimant or day is None or row["code"] == TYPES["consultation"][0]:
        return None
    return (row["identity"], claimant, row["entity_id"], clock.day_number(day), row["severity"])


def pseudonym(detail: Mapping[str, Any]) -> dict[str, Any]:
    """What a handler sees of who made an item: enough to tell two items of one person, nothing to find the person by."""
    claimant = detail.get("claimant_hash")
    return {"claimant": f"投诉举报人 {claimant[:8]}"} if claimant else {}


KIND = Kind(
    "item_12315", 6, Label("12315事项", "12315 item"), Item12315Schema, state, line,
    projects=Projection(
        code="1 complaint 投诉, 2 report 举报, 3 consultation 咨询",
        severity="0 does not count (consultation, not accepted, not upheld, withdrawn by who made it), 1 accepted, still open, 2 upheld 属实, "
        "3 upheld and mediation refused",
        amount="amount in dispute", day="received", ends="closed",
    ),
    derived={"claimant_hash": "never", "claimant": "case"}, also=pseudonym, amount="regulator",
    mirror=Mirror("claim", ("identity", "claimant", "entity", "day", "severity"), claim),
    lists=(
        CodeList(
            "item-12315-type", Label("事项类型", "Type of item"),
            {name: Term(number, term, name) for name, (number, term) in TYPES.items()}, "national 12315 platform",
        ),
    ),
)  # fmt: skip
