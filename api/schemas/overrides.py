"""Overrides: a class that a person sets in place of the scheme's."""

from marshmallow import Schema, fields, validate

from api.schemas.common import OfSchemeQuery, Out
from registry.kinds.base import Day, Text
from registry.services.overrides import LONGEST_TEXT, STATES

_STATES = ", ".join(f"{name} {term}" for name, term in STATES.items())


class OverrideIn(Schema):
    code = Text(40, required=True, metadata={"description": "Whom 统一社会信用代码或注册号"})
    scheme = Text(32, load_default="", metadata={"description": "Scheme 评价方案; empty: the one that grades at once"})
    class_ = Text(4, required=True, data_key="class", metadata={"description": "One of the scheme's classes 认定类别"})
    reason = Text(LONGEST_TEXT, required=True, metadata={"description": "What the scheme does not see 认定理由"})
    basis = Text(
        LONGEST_TEXT,
        required=True,
        metadata={"description": "The instrument and article, or the decision, that it rests on 认定依据"},
    )
    from_on = Day(
        load_default=None,
        allow_none=True,
        data_key="from",
        metadata={"description": "First day on which it holds 起始日; empty: today"},
    )
    until_on = Day(
        required=True, data_key="until", metadata={"description": "First day on which it no longer holds 终止日"}
    )


class ApproveIn(Schema):
    said = Text(LONGEST_TEXT, load_default="", metadata={"description": "What the approver adds 审批意见"})


class OverrideWhyIn(Schema):
    reason = Text(LONGEST_TEXT, required=True, metadata={"description": "Why 理由"})


class OverridesQuery(OfSchemeQuery):
    state = fields.String(
        load_default="", validate=validate.OneOf(["", *STATES]), metadata={"description": f"State 状态: {_STATES}"}
    )


class OverrideOut(Out):
    id = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "Credit code, or registration number"})
    name = fields.String(required=True)
    scheme = fields.String(required=True)
    class_ = fields.String(data_key="class", attribute="class", required=True)
    reason = fields.String(required=True)
    basis = fields.String(required=True)
    from_ = fields.String(data_key="from", attribute="from", required=True, metadata={"format": "date"})
    until = fields.String(required=True, metadata={"format": "date", "description": "First day without it"})
    state = fields.String(required=True, metadata={"description": f"State 状态: {_STATES}"})
    standing = fields.String(
        required=True,
        metadata={
            "description": "Where it stands today: proposed, refused, ended; an approved one is coming, in_force or over"
        },
    )
    proposed_by = fields.String(required=True)
    proposed_at = fields.String(required=True, metadata={"format": "date-time"})
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    decided_why = fields.String(required=True)
    seq = fields.Integer(required=True, allow_none=True, metadata={"description": "Ledger row of its approval"})
    ended_by = fields.String(required=True, allow_none=True)
    ended_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    ended_why = fields.String(required=True)
    ended_seq = fields.Integer(required=True, allow_none=True, metadata={"description": "Ledger row of its early end"})


class OverridePage(Out):
    items = fields.List(fields.Nested(OverrideOut), required=True)
    next = fields.String(required=True, allow_none=True)
