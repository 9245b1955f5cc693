"""Models as readers of grades see them, and rates by class. All of it is as secret as the class."""

from marshmallow import Schema, fields, validate

from api.schemas.common import Out, PageQuery, no_nul
from api.schemas.grade import within_reach
from registry.kinds.base import Text
from registry.services.models import FORMS, LONGEST_TEXT, STATES

_STATES = ", ".join(f"{name} {term}" for name, term in STATES.items())
_FORMS = ", ".join(f"{name} {term}" for name, term in FORMS.items())


class ModelsQuery(PageQuery):
    state = fields.String(
        load_default="", validate=validate.OneOf(["", *STATES]), metadata={"description": f"State 状态: {_STATES}"}
    )


class OpeningsQuery(PageQuery):
    target = fields.String(
        load_default="",
        validate=[validate.Length(0, 96), no_nul],
        metadata={"description": "Of one target 评测对象: `ledger`, or a target of a benchmark"},
    )


class NoBody(Schema):
    """An empty object: the path says everything."""


class RetireIn(Schema):
    reason = Text(LONGEST_TEXT, required=True, metadata={"description": "Why it retires 停用理由"})


class GainOut(Out):
    low = fields.Float(required=True, metadata={"description": "Lower end of the paired 95 % interval of its AUC"})
    high = fields.Float(required=True, metadata={"description": "Upper end; both 0 before it was evaluated"})


class ModelOut(Out):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    form = fields.String(required=True, metadata={"description": f"Form 形式: {_FORMS}"})
    hash = fields.String(required=True, metadata={"description": "SHA-256 of its bundle"})
    features = fields.String(required=True, metadata={"description": "Scheme whose indicators it reads 特征方案"})
    grades = fields.String(required=True, metadata={"description": "Scheme whose classes it serves 服务的评价方案"})
    state = fields.String(required=True, metadata={"description": f"State 状态: {_STATES}"})
    gain = fields.Nested(
        GainOut, required=True, metadata={"description": "AUC over the fitted rules on the hold-out 相对规则的增益"}
    )
    known_seq = fields.Integer(required=True, metadata={"description": "How far the ledger was when it was trained"})
    trained_by = fields.String(required=True)
    trained_at = fields.String(required=True, metadata={"format": "date-time"})
    decided_by = fields.String(required=True, allow_none=True, metadata={"description": "Who promoted or shadowed it"})
    decided_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    retired_by = fields.String(required=True, allow_none=True)
    retired_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    retired_why = fields.String(required=True)


class QuarterOut(Out):
    quarter = fields.String(required=True, metadata={"format": "date", "description": "First day of the quarter"})
    retires = fields.Boolean(required=True, metadata={"description": "Whether the model retired itself for it"})
    at = fields.String(required=True, metadata={"format": "date-time"})
    report = fields.Dict(required=True, metadata={"description": "AUC, calibration, base rate, PSI, findings"})


class LookOut(Out):
    opening = fields.Integer(required=True, metadata={"description": "Number of the look at the hold-out"})
    first = fields.Boolean(
        required=True,
        metadata={"description": "The one that the release is allowed; figures of any other are no proof"},
    )
    why = fields.String(required=True)


class ModelShownOut(ModelOut):
    window = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "Training, calibration, hold-out; days since 1970-01-01"},
    )
    outcome = fields.Dict(required=True, allow_none=True, metadata={"description": "What counted as a failure"})
    rule = fields.Dict(required=True, allow_none=True, metadata={"description": "Which visits were units"})
    rows = fields.Integer(required=True, allow_none=True, metadata={"description": "Visits in training"})
    positives = fields.Integer(required=True, allow_none=True, metadata={"description": "Failures among them"})
    seed = fields.Integer(required=True, allow_none=True)
    beside = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The other model of the same training"}
    )
    leaks = fields.List(
        fields.Dict(),
        required=True,
        allow_none=True,
        metadata={"description": "What the leak checks of its training found; null where none was run"},
    )
    report = fields.Dict(
        required=True, allow_none=True, metadata={"description": "Evaluation on the hold-out; null before it"}
    )
    look = fields.Nested(
        LookOut, required=True, allow_none=True, metadata={"description": "On which look its evaluation rests; null before it"}
    )  # fmt: skip
    quarters = fields.List(fields.Nested(QuarterOut), required=True, metadata={"description": "Watched quarters"})


class ModelPage(Out):
    items = fields.List(fields.Nested(ModelOut), required=True)
    next = fields.String(required=True, allow_none=True)


class OpeningOut(Out):
    id = fields.Integer(required=True)
    target = fields.String(required=True)
    release = fields.String(required=True, metadata={"description": "Version of the product"})
    model = fields.String(required=True, metadata={"description": "Hash of the bundle"})
    from_ = fields.String(data_key="from", attribute="from", required=True, metadata={"format": "date"})
    until = fields.String(required=True, metadata={"format": "date", "description": "First day after it"})
    first = fields.Boolean(required=True, metadata={"description": "The look that the release is allowed"})
    why = fields.String(required=True)
    by = fields.String(required=True)
    at = fields.String(required=True, metadata={"format": "date-time"})


class OpeningPage(Out):
    items = fields.List(fields.Nested(OpeningOut), required=True)
    next = fields.String(required=True, allow_none=True)


class RatesQuery(Schema):
    scheme = fields.String(
        load_default="",
        validate=[validate.Length(0, 64), no_nul],
        metadata={"description": "Scheme 评价方案; empty: the one that grades at once"},
    )
    first = fields.Date(
        load_default=None,
        data_key="from",
        validate=within_reach,
        metadata={"description": "First day; default: a year back"},
    )
    last = fields.Date(
        load_default=None, data_key="to", validate=within_reach, metadata={"description": "Last day; default: today"}
    )


class RatesOut(Out):
    scheme = fields.String(required=True)
    from_ = fields.String(data_key="from", attribute="from", required=True, metadata={"format": "date"})
    to = fields.String(required=True, metadata={"format": "date"})
    items = fields.List(fields.Dict(), required=True, metadata={"description": "One row per class; docs/rates.md"})
