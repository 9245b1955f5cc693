"""Exchange over HTTP: exports, batches to other platforms, and how well organs report."""

from marshmallow import Schema, fields, validate

from api.schemas.common import HIGHEST_SEQ, Out, Whole, no_nul
from registry import templates
from registry.kinds.base import Text

RECIPIENTS = list(templates.recipients())
SENT_KINDS = sorted({kind for one in templates.recipients().values() for kind in one.templates})
EXPORTED = sorted({one.kind for one in templates.shipped().values()})
MOST_ANSWERS = 5_000


class ExportQuery(Schema):
    template = fields.String(
        load_default=None,
        validate=[validate.Length(1, 64), no_nul],
        metadata={"description": "Template 模板; default: the newest of the kind"},
    )
    headings = fields.String(
        load_default="zh",
        validate=validate.OneOf(["zh", "code"]),
        metadata={"description": "Headings in Chinese, or as codes (CF_…) 表头"},
    )
    entity = fields.String(
        load_default=None,
        validate=[validate.Length(1, 40), no_nul],
        metadata={"description": "Only of this entity: credit code or registration number 主体"},
    )
    organ = fields.String(
        load_default=None,
        validate=[validate.Length(1, 200), no_nul],
        metadata={"description": "Only of this organ 机关; without `entities:read` it is the key's own"},
    )
    since = Whole(
        load_default=0,
        validate=validate.Range(0, HIGHEST_SEQ),
        metadata={"description": "Only what became known after this ledger number"},
    )


class OutboundIn(Schema):
    recipient = fields.String(
        required=True, validate=validate.OneOf(RECIPIENTS), metadata={"description": "Platform 接收平台"}
    )
    kind = fields.String(
        required=True, validate=validate.OneOf(SENT_KINDS), metadata={"description": "Kind of record 记录类别"}
    )
    template = fields.String(
        load_default=None,
        validate=validate.Length(1, 64),
        metadata={"description": "Template 模板; default: the recipient's"},
    )
    form = fields.String(
        load_default="csv",
        validate=validate.OneOf(["csv", "xlsx"]),
        metadata={"description": "Form of the file 格式; JSON templates stay JSON"},
    )


class OutboundResendIn(Schema):
    form = fields.String(
        load_default="csv", validate=validate.OneOf(["csv", "xlsx"]), metadata={"description": "Form of the file 格式"}
    )


class OutboundSentIn(Schema):
    on = fields.Date(required=True, metadata={"description": "Day on which it was sent 报送日期"})


class OutboundAnswerIn(Schema):
    row = fields.Integer(
        load_default=None,
        strict=True,
        validate=validate.Range(2, 2**31 - 1),
        metadata={"description": "Row of the file 行号; the header is 1"},
    )
    document_no = Text(
        128, load_default="", metadata={"description": "Document number 文书号, where the row is not named"}
    )
    said = fields.String(
        required=True,
        validate=validate.OneOf(["accepted", "refused"]),
        metadata={"description": "accepted 接收, refused 退回"},
    )
    reason = Text(500, load_default="", metadata={"description": "Reason of a refusal 退回原因"})


class OutboundAnswersIn(Schema):
    rows = fields.List(
        fields.Nested(OutboundAnswerIn),
        required=True,
        validate=validate.Length(1, MOST_ANSWERS),
        metadata={"description": "What the recipient said, a row each 回执明细"},
    )


class OutboundOut(Out):
    id = fields.Integer(required=True)
    recipient = fields.String(required=True)
    kind = fields.String(required=True)
    template = fields.String()
    organ = fields.String()
    state = fields.String(metadata={"description": "made 已生成, sent 已报送, answered 已回执"})
    rows = fields.Integer()
    accepted = fields.Integer(metadata={"description": "Rows that the recipient accepted 接收"})
    refused = fields.Integer(metadata={"description": "Rows that it refused 退回"})
    open = fields.Integer(metadata={"description": "Rows that it has not answered 未回执"})
    digest = fields.String(metadata={"description": "SHA-256 of the file"})
    after_seq = fields.Integer(metadata={"description": "It holds what became known after this ledger number …"})
    until_seq = fields.Integer(metadata={"description": "… and up to this one"})
    resend_of = fields.Integer(allow_none=True, metadata={"description": "Batch whose refused rows these are 重报"})
    made_at = fields.String()
    sent_on = fields.String(allow_none=True)
    answered_on = fields.String(allow_none=True)


class OutboundMade(OutboundOut):
    left_out = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "Records that were left out, by reason 未纳入"},
    )


class OutboundRowOut(Out):
    row = fields.Integer(metadata={"description": "Row of the file; the header is 1"})
    seq = fields.Integer(metadata={"description": "Ledger number of the wording that was sent"})
    document_no = fields.String()
    decided_on = fields.String(allow_none=True)
    due_on = fields.String(allow_none=True, metadata={"description": "Last day on which it is in time 应报期限"})
    said = fields.String(metadata={"description": "accepted, refused, or empty"})
    reason = fields.String()


class OutboundDetail(OutboundOut):
    items = fields.List(fields.Nested(OutboundRowOut))


class OutboundPage(Out):
    items = fields.List(fields.Nested(OutboundOut), required=True)
    next = fields.String(allow_none=True, metadata={"description": "Token of the next page 下一页"})


class ReportingQuery(Schema):
    recipient = fields.String(
        load_default="credit_china", validate=validate.OneOf(RECIPIENTS), metadata={"description": "Platform 接收平台"}
    )
    kind = fields.String(
        load_default="penalty", validate=validate.OneOf(SENT_KINDS), metadata={"description": "Kind of record 记录类别"}
    )
    from_on = fields.Date(
        load_default=None, data_key="from", metadata={"description": "First day of decision; default: a year ago"}
    )
    to_on = fields.Date(
        load_default=None, data_key="to", metadata={"description": "Last day of decision; default: today"}
    )


class RateOut(Out):
    organ = fields.String()
    month = fields.String(metadata={"description": "Month of the decision 决定月份"})
    sent = fields.Integer(metadata={"description": "Records that were sent 已报送"})
    late_7 = fields.Integer(metadata={"description": "… later than 7 working days after the decision"})
    late_20 = fields.Integer(metadata={"description": "… later than 20 working days"})
    accepted = fields.Integer()
    refused = fields.Integer(metadata={"description": "… refused at the first time 退回"})
    overdue = fields.Integer(metadata={"description": "Not sent, and due by the recipient's own clock 逾期未报"})


class ReportingOut(Out):
    recipient = fields.String()
    kind = fields.String()
    items = fields.List(fields.Nested(RateOut))
