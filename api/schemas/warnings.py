"""Early warnings: what is asked and shown of them."""

from marshmallow import Schema, fields, validate

from api.schemas.common import LabelOut, Out, PageQuery, division_prefix
from registry.kinds.base import Day, Text
from registry.services.early_warnings import DISPOSALS, LONGEST_NAME, LONGEST_TEXT, OUTCOMES, STATES

_STATES = ", ".join(f"{name} {term}" for name, term in STATES.items())
_DISPOSALS = ", ".join(f"{number} {label.zh} {label.en}" for number, label in DISPOSALS.items())
_OUTCOMES = ", ".join(f"{number} {label.zh} {label.en}" for number, label in OUTCOMES.items())
_INT = validate.Range(1, 2**31 - 1)


class WarningsQuery(PageQuery):
    state = fields.String(
        load_default="", validate=validate.OneOf(["", *STATES]), metadata={"description": f"State 状态: {_STATES}"}
    )
    overdue = fields.String(
        load_default="",
        validate=validate.OneOf(["", "yes", "no"]),
        metadata={"description": "yes: only those whose next step is past its last day 逾期; no: only the others"},
    )
    division = division_prefix()


class WarningFiguresQuery(Schema):
    since = Day(
        load_default=None, allow_none=True, metadata={"description": "Only warnings raised from this day on 起始日"}
    )


class WarningAssignIn(Schema):
    to = Text(LONGEST_NAME, required=True, metadata={"description": "The person who looks into it 承办人"})
    organ = Text(
        200, load_default="", metadata={"description": "Whose person that is 承办机关; empty: the organ of the key"}
    )
    said = Text(LONGEST_TEXT, load_default="", metadata={"description": "What is added 分派意见"})


class WarningDisposeIn(Schema):
    disposal = fields.Integer(
        required=True,
        strict=True,
        validate=validate.OneOf(list(DISPOSALS)),
        metadata={"description": f"What was done 处置方式: {_DISPOSALS}"},
    )
    said = Text(LONGEST_TEXT, required=True, metadata={"description": "In words 处置情况"})
    task = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=_INT,
        metadata={"description": "Task of the organ under which it is checked on site 检查任务"},
    )


class WarningFeedbackIn(Schema):
    outcome = fields.Integer(
        required=True,
        strict=True,
        validate=validate.OneOf(list(OUTCOMES)),
        metadata={"description": f"What it came to 反馈结果: {_OUTCOMES}"},
    )
    said = Text(LONGEST_TEXT, required=True, metadata={"description": "In words 反馈情况"})
    record = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(1, 2**53),
        metadata={"description": "Ledger number of the spot check or penalty that shows it 佐证记录"},
    )


class WarningCloseIn(Schema):
    said = Text(LONGEST_TEXT, load_default="", metadata={"description": "What is added 办结意见"})


class WarningModelOut(Out):
    name = fields.String(required=True)
    hash = fields.String(required=True, metadata={"description": "SHA-256 of its bundle"})


class WarningReasonOut(Out):
    feature = fields.String(required=True, metadata={"description": "Indicator of the model's scheme"})
    title = fields.Nested(LabelOut, required=True)
    value = fields.Integer(required=True, allow_none=True, metadata={"description": "Null: unknown"})
    points = fields.Integer(required=True)
    over = fields.Integer(
        required=True,
        metadata={"description": "Points above the least that this feature can give (boosted trees: above the mean)"},
    )


class WarningStepOut(Out):
    act = fields.String(required=True, metadata={"description": "raised, assigned, disposed, answered or closed"})
    by = fields.String(required=True)
    at = fields.String(required=True, metadata={"format": "date-time"})
    said = fields.String(required=True)
    detail = fields.Dict(required=True, metadata={"description": "What the step chose"})


class WarningRecordOut(Out):
    seq = fields.Integer(required=True)
    kind = fields.String(required=True)
    day = fields.String(required=True, metadata={"format": "date"})
    found = fields.Boolean(required=True, metadata={"description": "Whether it found anything"})


class WarningRow(Out):
    id = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "Credit code, or registration number"})
    name = fields.String(required=True)
    division = fields.String(required=True)
    model = fields.Nested(WarningModelOut, required=True)
    chance = fields.Integer(
        required=True, metadata={"description": "Chance that the next routine visit finds a violation, in millionths"}
    )
    class_ = fields.String(
        data_key="class", attribute="class", required=True, allow_none=True, metadata={"description": "Of today"}
    )
    reasons = fields.List(
        fields.Nested(WarningReasonOut), required=True, metadata={"description": "What weighed most, in points"}
    )
    raised_on = fields.String(required=True, metadata={"format": "date"})
    state = fields.String(required=True, metadata={"description": f"State 状态: {_STATES}"})
    due = fields.String(
        required=True, allow_none=True, metadata={"format": "date", "description": "Last day for the next step"}
    )
    overdue = fields.Boolean(required=True)
    organ = fields.String(required=True)
    to = fields.String(required=True)
    disposal = fields.Integer(required=True, allow_none=True, metadata={"description": _DISPOSALS})
    task = fields.Integer(required=True, allow_none=True)
    outcome = fields.Integer(required=True, allow_none=True, metadata={"description": _OUTCOMES})
    record = fields.Integer(required=True, allow_none=True)
    closed_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


class WarningOut(WarningRow):
    steps = fields.List(fields.Nested(WarningStepOut), required=True)
    records = fields.List(
        fields.Nested(WarningRecordOut),
        required=True,
        metadata={"description": "Spot checks and penalties after the day of the warning: one of them may show how it ended"},
    )  # fmt: skip


class WarningPage(Out):
    items = fields.List(fields.Nested(WarningRow), required=True)
    next = fields.String(required=True, allow_none=True)


class WarningShareOut(Out):
    share = fields.Float(required=True)
    low = fields.Float(required=True, metadata={"description": "Lower end, 95 %, Wilson"})
    high = fields.Float(required=True)


class WarningModelRef(Out):
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class WarningQuarterOut(Out):
    model = fields.Nested(WarningModelRef, required=True)
    quarter = fields.String(required=True, metadata={"description": "Of raising, as 2026Q4"})
    raised = fields.Integer(required=True)
    closed_unassigned = fields.Integer(
        required=True, metadata={"description": "Lost their ground before anyone took them on"}
    )
    waiting = fields.Integer(required=True, metadata={"description": "Without feedback yet"})
    found_waiting = fields.Integer(
        required=True, metadata={"description": "Of those waiting: a later spot check or penalty found something"}
    )
    found_waiting_share = fields.Nested(WarningShareOut, required=True, allow_none=True)
    violation = fields.Integer(required=True)
    nothing = fields.Integer(required=True)
    not_looked = fields.Integer(required=True)
    looked = fields.Integer(required=True, metadata={"description": "violation + nothing"})
    false_alarms = fields.Nested(
        WarningShareOut, required=True, allow_none=True, metadata={"description": "nothing / looked; null: none looked into"}
    )  # fmt: skip


class WarningOverdueOut(Out):
    unassigned = fields.Integer(required=True)
    unanswered = fields.Integer(required=True)


class WarningFiguresOut(Out):
    on = fields.String(required=True, metadata={"format": "date"})
    states = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    overdue = fields.Nested(WarningOverdueOut, required=True)
    to_remind = fields.Integer(
        required=True, metadata={"description": "Without feedback, and a later record found something"}
    )
    quarters = fields.List(fields.Nested(WarningQuarterOut), required=True)


__all__ = [
    "WarningAssignIn", "WarningCloseIn", "WarningDisposeIn", "WarningFeedbackIn", "WarningFiguresOut", "WarningFiguresQuery",
    "WarningOut", "WarningPage", "WarningsQuery",
]  # fmt: skip
