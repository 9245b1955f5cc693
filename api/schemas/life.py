"""The life of a record: review, publication, objections, repairs, and the withdrawal feed."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.schemas.common import LabelOut, Out, PageQuery
from registry import publicity
from registry.kinds.base import Text
from registry.models import CHANNELS

CHANNEL_WORDS = {"necips": "国家企业信用信息公示系统", "credit_china": "信用中国", "site": "本平台"}


class ReviewIn(Schema):
    outcome = fields.String(
        required=True,
        validate=validate.OneOf(["passed", "refused"]),
        metadata={"description": "passed 通过 or refused 不通过"},
    )
    reason = Text(500, load_default="", metadata={"description": "Why 理由; needed for a refusal"})


class ChannelsIn(Schema):
    channels = fields.List(
        fields.String(validate=validate.OneOf(CHANNELS)),
        load_default=list,
        metadata={
            "description": "Channels 渠道: "
            + ", ".join(f"{name} {word}" for name, word in CHANNEL_WORDS.items())
            + "; empty: all that the kind has"
        },
    )


class PublicationIn(ChannelsIn):
    class_ = fields.String(
        data_key="class",
        load_default="",
        validate=validate.OneOf(["", *publicity.CLASSES]),
        metadata={"description": "An officer's own class of a penalty 类别, with a reason; empty: by the dated table"},
    )
    reason = Text(
        500,
        load_default="",
        metadata={"description": "Why this class, or why it is shown again after an officer stopped it 理由"},
    )


class StopIn(ChannelsIn):
    reason = Text(500, required=True, metadata={"description": "Why 停止公示理由"})


class ObjectionIn(Schema):
    reason = Text(4000, required=True, metadata={"description": "What is wrong, and how it is proved 异议理由"})


class RepairIn(Schema):
    statement = Text(4000, required=True, metadata={"description": "What was done, and what is promised 申请及承诺"})


class AcceptanceIn(Schema):
    accepted = fields.Boolean(
        required=True, truthy={True}, falsy={False}, metadata={"description": "true 受理, false 不予受理"}
    )
    reason = Text(2000, load_default="", metadata={"description": "Why not 理由; needed where it is not accepted"})


class VerificationIn(Schema):
    upheld = fields.Boolean(
        required=True, truthy={True}, falsy={False}, metadata={"description": "true 异议成立, false 异议不成立"}
    )
    withdraw = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Upheld: withdraw the record at once 撤回记录; else it is to be corrected"},
    )
    reason = Text(4000, required=True, metadata={"description": "The answer 核实结论"})


class Conditions(fields.Dict):
    """Answers by the name of the condition; each true or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, bool]:
        found: dict[Any, Any] = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        if not all(isinstance(name, str) and isinstance(met, bool) for name, met in found.items()):
            raise ValidationError('Answer each condition with true or false, for example {"harm_removed": true}.')
        return {str(name): bool(met) for name, met in found.items()}


class DecisionIn(Schema):
    approved = fields.Boolean(
        required=True, truthy={True}, falsy={False}, metadata={"description": "true 准予修复, false 不予修复"}
    )
    conditions = Conditions(
        load_default=dict,
        metadata={"description": "The officer's answers to the conditions that he checks 条件核查结果"},
    )
    reason = Text(4000, load_default="", metadata={"description": "Why not 理由; needed for a refusal"})


class ReviewOut(Out):
    outcome = fields.String(required=True, metadata={"description": "passed or refused"})
    reason = fields.String(required=True)
    reviewed_by = fields.String(required=True, metadata={"description": "Who 审核人"})
    reviewed_at = fields.String(required=True, metadata={"format": "date-time"})
    seq = fields.Integer(required=True, metadata={"description": "Ledger row of the review"})


class ChannelOut(Out):
    channel = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": "published, stopped, blocked or never"})
    regime = fields.String(required=True, metadata={"description": "Rule under which it is published"})
    class_ = fields.String(data_key="class", required=True, metadata={"description": "none, minor, general or serious"})
    basis = fields.String(
        required=True,
        metadata={
            "description": "What class and periods rest on; blocked: fields and kinds of pattern, never the value"
        },
    )
    counts_from = fields.Date(required=True, allow_none=True)
    earliest = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "First day on which it may be stopped early 最短公示期届满日"},
    )
    latest = fields.Date(
        required=True, allow_none=True, metadata={"description": "First day on which it is shown no more 公示截止"}
    )
    source_until = fields.Date(
        required=True, allow_none=True, metadata={"description": "The source's own end 公示截止期"}
    )
    published_on = fields.Date(required=True, allow_none=True)
    stopped_on = fields.Date(required=True, allow_none=True)
    stopped_because = fields.String(required=True)


class ShownOut(Out):
    channel = fields.String(required=True)
    said = fields.String(
        required=True,
        metadata={
            "description": "published, unchanged, blocked, never, over, stopped, undated or class_unknown: what was done here"
        },
    )
    cause = fields.String(required=True, metadata={"description": "Why it is not published"})
    row = fields.Nested(ChannelOut, required=True, allow_none=True)


class ShownList(Out):
    channels = fields.List(fields.Nested(ShownOut), required=True)


class ObjectionOut(Out):
    id = fields.Integer(required=True)
    state = fields.String(required=True, metadata={"description": "received, accepted, refused, upheld or rejected"})
    reason = fields.String(required=True)
    received_on = fields.Date(required=True)
    accept_by = fields.Date(required=True, metadata={"description": "Last day for acceptance 受理期限, 5 working days"})
    accepted_on = fields.Date(required=True, allow_none=True)
    verify_by = fields.Date(
        required=True, allow_none=True, metadata={"description": "Last day for the answer 核实期限, 20 working days"}
    )
    closed_on = fields.Date(required=True, allow_none=True)
    answer = fields.String(required=True)
    document = fields.String(
        metadata={"description": "Number of the document that says so 文书号; empty where there is none"}
    )
    no_document = fields.String(metadata={"description": "Why the newest step has no document 未出具文书的原因"})


class ConditionOut(Out):
    zh = fields.String(required=True)
    en = fields.String(required=True)
    checked = fields.String(
        required=True, metadata={"description": "registry: from the ledger; officer: by who decides"}
    )
    met = fields.Boolean(required=True, allow_none=True, metadata={"description": "null: not answered yet"})


class RepairOut(Out):
    id = fields.Integer(required=True)
    state = fields.String(required=True, metadata={"description": "applied, accepted, rejected, approved or refused"})
    regime = fields.String(required=True)
    statement = fields.String(required=True)
    applied_on = fields.Date(required=True)
    accept_by = fields.Date(required=True, metadata={"description": "Last day for acceptance 受理期限, 2 working days"})
    accepted_on = fields.Date(required=True, allow_none=True)
    decide_by = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "Last day for the decision 办理期限: 5, 7 or 15 working days"},
    )
    closed_on = fields.Date(required=True, allow_none=True)
    conditions = fields.Dict(keys=fields.String(), values=fields.Nested(ConditionOut), required=True)
    answer = fields.String(required=True)
    document = fields.String(
        metadata={"description": "Number of the document that says so 文书号; empty where there is none"}
    )
    no_document = fields.String(metadata={"description": "Why the newest step has no document 未出具文书的原因"})


class LifeStepOut(Out):
    seq = fields.Integer(required=True)
    step = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    on = fields.Date(required=True, allow_none=True)
    by = fields.String(required=True)
    reason = fields.String(required=True)


class LifeOut(Out):
    seq = fields.Integer(required=True, metadata={"description": "Ledger row that holds now"})
    kind = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    document_no = fields.String(required=True)
    organ = fields.String(required=True)
    state = fields.String(
        required=True,
        metadata={
            "description": "draft, reviewed, refused, published, blocked, stopped, waiting, withdrawn, repaired or erased"
        },
    )
    counts = fields.Boolean(required=True, metadata={"description": "Whether it counts for the grade"})
    review = fields.Nested(ReviewOut, required=True, allow_none=True)
    channels = fields.List(fields.Nested(ChannelOut), required=True)
    objections = fields.List(fields.Nested(ObjectionOut), required=True)
    repairs = fields.List(fields.Nested(RepairOut), required=True)
    steps = fields.List(fields.Nested(LifeStepOut), required=True)


class OpenMixin(Out):
    record = fields.Integer(required=True, metadata={"description": "Ledger row of the record"})
    kind = fields.String(required=True)
    document_no = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, metadata={"description": "Last day for the next step"})
    overdue = fields.Boolean(required=True)


class OpenObjectionOut(ObjectionOut, OpenMixin):
    """An open objection and the day on which its next step is due."""


class OpenRepairOut(RepairOut, OpenMixin):
    """An open repair and the day on which its next step is due."""


def _page_of(item: type[Schema], name: str) -> type[Schema]:
    made: type[Schema] = type(
        name,
        (Out,),
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.String(
                required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
            ),
        },
    )
    return made


ObjectionPage = _page_of(OpenObjectionOut, "ObjectionPage")
RepairPage = _page_of(OpenRepairOut, "RepairPage")


class NoticeQuery(PageQuery):
    overdue = fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        metadata={"description": "true: only what was not acknowledged in time 逾期未确认"},
    )


class NoticeOut(Out):
    id = fields.Integer(required=True)
    what = fields.String(required=True, metadata={"description": "withdrawn, repaired, stopped, corrected or erased"})
    kind = fields.String(required=True)
    code = fields.String(required=True, allow_none=True, metadata={"description": "Party 当事人"})
    document_no = fields.String(required=True)
    organ = fields.String(required=True)
    happened_on = fields.Date(required=True)
    due_on = fields.Date(required=True, metadata={"description": "Last day for acting on it, 3 working days 处理期限"})
    fetched_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    acknowledged_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


NoticePage = _page_of(NoticeOut, "NoticePage")
