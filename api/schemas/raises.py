"""Raises: a class one step worse than the rules give, which a model suggests and an officer lets count."""

from marshmallow import Schema, fields, validate

from api.schemas.common import LabelOut, OfSchemeQuery, Out
from registry.kinds.base import Text
from registry.services.raises import LONGEST_TEXT, STATES

_STATES = ", ".join(f"{name} {term}" for name, term in STATES.items())


class RaiseWhyIn(Schema):
    reason = Text(LONGEST_TEXT, required=True, metadata={"description": "Why 理由"})


class RaisesQuery(OfSchemeQuery):
    state = fields.String(
        load_default="", validate=validate.OneOf(["", *STATES]), metadata={"description": f"State 状态: {_STATES}"}
    )


class RaiseReasonOut(Out):
    feature = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    value = fields.Integer(required=True, allow_none=True, metadata={"description": "Null: unknown"})
    points = fields.Integer(required=True, metadata={"description": "What it gives to the model's points"})
    over = fields.Integer(
        required=True, metadata={"description": "How much that is above the least that the feature can give"}
    )


class RaiseOut(Out):
    id = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "Credit code, or registration number"})
    name = fields.String(required=True)
    scheme = fields.String(required=True)
    class_ = fields.String(
        data_key="class",
        attribute="class",
        required=True,
        metadata={"description": "What the rules gave when it was suggested; while it holds, the class is one worse"},
    )
    chance = fields.Integer(required=True, metadata={"description": "Chance of a finding, in millionths 发现问题概率"})
    reasons = fields.List(
        fields.Nested(RaiseReasonOut), required=True, metadata={"description": "The heaviest contributions 主要理由"}
    )
    model = fields.String(required=True, metadata={"description": "Name of the model 模型"})
    model_hash = fields.String(required=True)
    from_ = fields.String(data_key="from", attribute="from", required=True, metadata={"format": "date"})
    until = fields.String(
        required=True,
        metadata={"format": "date", "description": "First day without it; of a suggestion: until when it waits"},
    )
    state = fields.String(required=True, metadata={"description": f"State 状态: {_STATES}"})
    standing = fields.String(
        required=True,
        metadata={
            "description": "Where it stands today: suggested, dismissed, lapsed, ended; one that counted is in_force or over"
        },
    )
    automatic = fields.Boolean(
        required=True, metadata={"description": "Counts by the scheme's leave, no officer asked"}
    )
    suggested_at = fields.String(required=True, metadata={"format": "date-time"})
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    decided_why = fields.String(required=True)
    seq = fields.Integer(required=True, allow_none=True, metadata={"description": "Ledger row that lets it count"})
    ended_by = fields.String(required=True, allow_none=True)
    ended_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    ended_why = fields.String(required=True)
    ended_seq = fields.Integer(required=True, allow_none=True, metadata={"description": "Ledger row of its early end"})


class RaisePage(Out):
    items = fields.List(fields.Nested(RaiseOut), required=True)
    next = fields.String(required=True, allow_none=True)
