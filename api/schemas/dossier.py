"""The dossier, an enterprise's own view of it, the address of a record by its document, and reconciliation."""

from datetime import date

from marshmallow import Schema, fields, validate

from api.schemas.common import KnownAt, LabelOut, Out, PageQuery, no_nul
from registry.kinds import KINDS
from registry.kinds.base import EARLIEST

LATEST = date(2100, 12, 31)


def past_day(description: str) -> fields.Date:
    return fields.Date(
        load_default=None, validate=validate.Range(EARLIEST, LATEST), metadata={"description": description}
    )


class DossierQuery(PageQuery):
    on = past_day("As of this day: what happened later is left out 截至日; default: no limit")
    known_at = KnownAt(
        load_default=None,
        metadata={
            "description": "With what was known then: a moment as 2026-11-21T09:30:00Z, or a ledger number 已知时点. What was "
            "withdrawn or repaired since is not told, whichever is asked for"
        },
    )


class ChannelStateOut(Out):
    channel = fields.String(required=True, metadata={"description": "necips, credit_china or site 公示渠道"})
    state = fields.String(
        required=True, metadata={"description": "draft, blocked, published, stopped or never 公示状态"}
    )
    regime = fields.String(required=True, metadata={"description": "Rule under which it is published 公示规则"})
    published_on = fields.String(required=True, allow_none=True)
    earliest = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "First day on which it may be stopped early 可提前停止公示日"},
    )
    latest = fields.String(
        required=True, allow_none=True, metadata={"description": "First day on which it is not shown any more 公示截止"}
    )
    stopped_on = fields.String(required=True, allow_none=True)


class TimelineItem(Out):
    """One line. `record` lines say more than others; what is sealed says nothing but that it was."""

    day = fields.String(required=True, allow_none=True, metadata={"description": "Null where the source gives no date"})
    year = fields.Integer(required=True, allow_none=True)
    seq = fields.Integer(required=True, metadata={"description": "Ledger number 台账号"})
    what = fields.String(
        required=True,
        metadata={"description": "record, end, correction, withdrawal, restatement, step or sealed"},
    )
    kind = fields.String(required=True, metadata={"description": "Kind of record, or name of the step"})
    title = fields.Nested(LabelOut, required=True)
    line = fields.Nested(LabelOut, required=True, metadata={"description": "The line in both languages"})
    was = fields.Nested(LabelOut, metadata={"description": "Of a correction: what was said before 更正前"})
    sealed = fields.String(metadata={"description": "withdrawn, repaired or erased"})
    organ = fields.String()
    document_no = fields.String()
    amount_fen = fields.Integer(metadata={"description": "Amount in fen (1/100 yuan) 金额"})
    ends_on = fields.String(allow_none=True)
    corrected = fields.Boolean(metadata={"description": "These are the words of a correction 已更正"})
    counted = fields.Boolean(metadata={"description": "Whether it counts today 是否计入"})
    why_not = fields.Nested(LabelOut, allow_none=True, metadata={"description": "Why it does not count"})
    detail = fields.Dict()
    source = fields.String(metadata={"description": "Who sent it; for regulators"})
    by = fields.String(metadata={"description": "Who did the step; for regulators"})
    publication = fields.List(fields.Nested(ChannelStateOut), metadata={"description": "Where it is published 公示"})


class YearOut(Out):
    year = fields.Integer(required=True, allow_none=True, metadata={"description": "Null: undated"})
    lines = fields.Integer(required=True)


class KindCount(Out):
    kind = fields.String(required=True)
    records = fields.Integer(required=True)


class BasicsOut(Out):
    code = fields.String(required=True, allow_none=True, metadata={"description": "Unified social credit code"})
    registration_no = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    status = fields.String(required=True)
    industry = fields.Integer(required=True)
    division = fields.String(required=True)
    organ = fields.String(required=True, metadata={"description": "Registering organ 登记机关"})
    address = fields.String(required=True)
    established = fields.String(required=True, allow_none=True)
    capital_fen = fields.Integer(required=True, metadata={"description": "Registered capital in fen; 0 unknown"})
    provisional = fields.Boolean(required=True, metadata={"description": "Not registered as far as was known 待登记"})


class DossierOut(Out):
    entity = fields.Nested(BasicsOut, required=True, metadata={"description": "As its registration stood then"})
    merged = fields.List(
        fields.String(), required=True, metadata={"description": "Codes of entities that were merged into it 已合并"}
    )
    on = fields.Date(required=True, allow_none=True)
    known_seq = fields.Integer(required=True, metadata={"description": "Ledger number up to which it is told"})
    counts = fields.List(
        fields.Nested(KindCount), required=True, metadata={"description": "Records by kind, all pages"}
    )
    years = fields.List(fields.Nested(YearOut), required=True, metadata={"description": "Lines by year, all pages"})
    items = fields.List(fields.Nested(TimelineItem), required=True, metadata={"description": "Newest first"})
    next = fields.String(required=True, allow_none=True, metadata={"description": "Token of the next page"})


class RecordName(Out):
    seq = fields.Integer(required=True)
    kind = fields.String(required=True)
    document_no = fields.String(required=True)


class OwnObjectionOut(Out):
    id = fields.Integer(required=True)
    state = fields.String(required=True)
    record = fields.Nested(RecordName, required=True, allow_none=True)
    received_on = fields.Date(required=True)
    accept_by = fields.Date(required=True, metadata={"description": "Last day to accept or refuse it 受理期限"})
    accepted_on = fields.Date(required=True, allow_none=True)
    verify_by = fields.Date(required=True, allow_none=True, metadata={"description": "Last day to verify it 核实期限"})
    closed_on = fields.Date(required=True, allow_none=True)
    reason = fields.String(required=True)
    answer = fields.String(required=True)


class OwnRepairOut(Out):
    id = fields.Integer(required=True)
    state = fields.String(required=True)
    record = fields.Nested(RecordName, required=True, allow_none=True)
    regime = fields.String(required=True)
    applied_on = fields.Date(required=True)
    accept_by = fields.Date(required=True)
    accepted_on = fields.Date(required=True, allow_none=True)
    decide_by = fields.Date(required=True, allow_none=True, metadata={"description": "Last day to decide 办理期限"})
    closed_on = fields.Date(required=True, allow_none=True)
    conditions = fields.Raw(required=True, metadata={"description": "Each condition and whether it is met 修复条件"})
    answer = fields.String(required=True)


PUBLISHED = "Quality-credit grades that a local rule makes public 依地方规定公示的质量信用等级; empty unless [grading] public says so"


class PublishedGrade(Out):
    scheme = fields.String(required=True, metadata={"description": "Id of the scheme 方案"})
    title = fields.Nested(LabelOut, required=True)
    class_ = fields.String(required=True, data_key="class", attribute="class", metadata={"description": "Grade 等级"})
    day = fields.String(required=True, metadata={"description": "Day of the grade 评定日期"})
    basis = fields.String(required=True, metadata={"description": "Local rule on which it is shown 公示依据"})


class OwnOut(DossierOut):
    objections = fields.List(fields.Nested(OwnObjectionOut), required=True, metadata={"description": "Newest 50 异议"})
    repairs = fields.List(fields.Nested(OwnRepairOut), required=True, metadata={"description": "Newest 50 信用修复"})
    published_grades = fields.List(fields.Nested(PublishedGrade), required=True, metadata={"description": PUBLISHED})


class ReportQuery(Schema):
    first = fields.Date(
        data_key="from",
        load_default=None,
        validate=validate.Range(EARLIEST, LATEST),
        metadata={"description": "First day 报告期起; default: three years before the last"},
    )
    last = fields.Date(
        data_key="to",
        load_default=None,
        validate=validate.Range(EARLIEST, LATEST),
        metadata={"description": "Last day 报告期止; default: today"},
    )


class AddressQuery(Schema):
    organ = fields.String(
        load_default=None,
        validate=[validate.Length(1, 200), no_nul],
        metadata={"description": "Organ that decided 机关: the key's own, which is also the default"},
    )
    document_no = fields.String(
        required=True,
        validate=[validate.Length(1, 128), no_nul],
        metadata={"description": "Document number 文书号, as printed"},
    )
    code = fields.String(
        required=True,
        validate=[validate.Length(1, 64), no_nul],
        metadata={"description": "Credit code, or registration number, of the party 当事人"},
    )


class WhyNot(LabelOut):
    code = fields.String(
        required=True, metadata={"description": "by_name, review, repaired, capped, erased, undated, withdrawn"}
    )


class RecordStatusOut(Out):
    kind = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "The party's code"})
    document_no = fields.String(required=True)
    organ = fields.String(required=True)
    said = fields.String(required=True, metadata={"description": "stored, corrected, repaired or withdrawn"})
    seq = fields.Integer(required=True, metadata={"description": "Ledger number that now says it 台账号"})
    first_seq = fields.Integer(required=True, metadata={"description": "Ledger number that said it first"})
    corrections = fields.Integer(required=True, metadata={"description": "How often it was corrected 更正次数"})
    source = fields.String(required=True)
    counted = fields.Boolean(required=True, metadata={"description": "Whether it counts 是否计入"})
    why_not = fields.Nested(WhyNot, required=True, allow_none=True)
    publication = fields.List(fields.Nested(ChannelStateOut), required=True)


class DayQuery(Schema):
    date = past_day("The day on which rows arrived 对账日; default: yesterday")
    source = fields.String(
        load_default=None,
        validate=[validate.Length(1, 64), no_nul],
        metadata={
            "description": "Source only 来源: `organ` for what was posted over the API, else the source of a file"
        },
    )
    kind = fields.String(
        load_default=None,
        validate=validate.OneOf(list(KINDS)),
        metadata={"description": "Kind of record only 记录类别"},
    )


class LinesQuery(PageQuery, DayQuery):
    source = fields.String(
        required=True, validate=[validate.Length(1, 64), no_nul], metadata={"description": "Source 来源"}
    )


class Counted(Out):
    records = fields.Integer(required=True, metadata={"description": "Records that the day touched 记录数"})
    stored = fields.Integer(required=True, metadata={"description": "New 新增"})
    corrected = fields.Integer(required=True, metadata={"description": "Corrected 更正"})
    withdrawn = fields.Integer(required=True, metadata={"description": "Withdrawn 撤回"})
    waiting = fields.Integer(required=True, metadata={"description": "Rows that wait for their party 待匹配"})
    sha256 = fields.String(required=True, metadata={"description": "Sum over the sorted lines 校验和"})


class KindCounted(Counted):
    kind = fields.String(required=True)


class SourceCounted(Counted):
    source = fields.String(required=True)
    rejected = fields.Integer(required=True, metadata={"description": "Refused rows of files 退回"})
    kinds = fields.List(fields.Nested(KindCounted), required=True)


class ReconciliationOut(Out):
    date = fields.String(required=True)
    organ = fields.String(required=True)
    after_seq = fields.Integer(required=True, metadata={"description": "Ledger rows after this one are of the day"})
    until_seq = fields.Integer(required=True)
    method = fields.String(required=True, metadata={"description": "How lines and sums are made; docs/integrations.md"})
    sources = fields.List(fields.Nested(SourceCounted), required=True)


class LineOut(Out):
    kind = fields.String(required=True)
    document_no = fields.String(required=True, metadata={"description": "Folded 文书号"})
    code = fields.String(required=True)
    happened_on = fields.String(required=True, metadata={"description": "YYYY-MM-DD, empty without a date"})
    amount_fen = fields.Integer(required=True)
    holds = fields.Boolean(required=True, metadata={"description": "False: withdrawn"})
    said = fields.String(required=True, metadata={"description": "stored, corrected or withdrawn on that day"})
    seq = fields.Integer(required=True)
    line = fields.String(required=True, attribute="text", metadata={"description": "The line that the sum is made of"})
    sha256 = fields.String(required=True)


class LinePage(Out):
    items = fields.List(fields.Nested(LineOut), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "Token of the next page"})
