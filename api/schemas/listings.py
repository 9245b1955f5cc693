"""Listing cases, candidates, batches, reminders, documents and deliveries."""

from marshmallow import Schema, fields, validate

from api.schemas.common import Digits, Out, PageQuery, Whole
from registry.kinds.base import Day, Text
from registry.services.abnormal_list import REMOVALS
from registry.services.deliveries import METHODS
from registry.services.listing_batches import LONGEST_NAME
from registry.services.listing_cases import ACTIONS, STATES
from registry.services.serious_list import CONDITIONS

LISTS = {"abnormal": "经营异常名录", "serious": "严重违法失信名单"}
HIGHEST = 2**31 - 1
MOST_IN_A_BATCH = 1000


def named(words: dict[str, str]) -> str:
    return ", ".join(f"{name} {term}" for name, term in words.items())


def _choice(words: dict[str, str], text: str, *, filtering: bool = False) -> fields.String:
    wanted = ["", *words] if filtering else list(words)
    described = {"description": f"{text}: {named(words)}"}
    if filtering:
        return fields.String(load_default="", validate=validate.OneOf(wanted), metadata=described)
    return fields.String(required=True, validate=validate.OneOf(wanted), metadata=described)


def _facts() -> Text:
    return Text(4000, required=True, metadata={"description": "What was found, as the document will say it 事实"})


def _opinion() -> Text:
    return Text(2000, required=True, metadata={"description": "Opinion 意见"})


def _seq() -> fields.Integer:
    return fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 2**53), metadata={"description": "Ledger number of the listing 台账号"}
    )  # fmt: skip


def _year() -> fields.Integer:
    return fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(2013, 2100), metadata={"description": "Report year 年报年度"}
    )  # fmt: skip


def _ground() -> fields.Integer:
    return fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 4),
        metadata={"description": "Ground 列入原因: 1 no annual report, 2 other information, 3 false information, 4 cannot be contacted"},
    )  # fmt: skip


class AbnormalIn(Schema):
    code = Text(40, required=True, metadata={"description": "Whom 统一社会信用代码或注册号"})
    ground = _ground()
    year = _year()
    order = Text(
        128, load_default="", metadata={"description": "Number of the order that was not obeyed 责令文书号 (ground 2)"}
    )
    verified_on = Day(
        load_default=None, allow_none=True, metadata={"description": "Day of verification 核实日期, from which the ten working days count"}
    )  # fmt: skip
    facts = _facts()


class SeriousIn(Schema):
    penalty = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 2**53),
        metadata={"description": "Ledger number of the heavier penalty that it rests on 较重行政处罚的台账号"},
    )  # fmt: skip
    article = fields.Integer(
        required=True, strict=True, validate=validate.Range(5, 11), metadata={"description": "Article of Order 44 列入条款, 5 to 11"}
    )  # fmt: skip
    heavier_because = Text(
        500,
        load_default="",
        metadata={"description": "Discretion standard 裁量基准 that makes its fine a heavier penalty"},
    )
    until = Day(
        load_default=None,
        allow_none=True,
        metadata={"description": "End of a longer statutory restriction 法定限制期满日"},
    )
    facts = _facts()


class RemovalIn(Schema):
    list = _choice(LISTS, "List 名单")
    seq = _seq()
    cause = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.OneOf([None, *REMOVALS]),
        metadata={"description": "Cause 移出原因 (abnormal): " + ", ".join(f"{code} {text}" for code, (text, _) in REMOVALS.items())},
    )  # fmt: skip
    proof = Text(500, load_default="", metadata={"description": "What shows the cause 证明 (abnormal)"})
    conditions = fields.Dict(
        keys=fields.String(validate=validate.OneOf([*CONDITIONS])), values=Text(500), load_default=dict,
        metadata={"description": f"What shows each condition of an early removal (serious): {named(CONDITIONS)}"},
    )  # fmt: skip
    facts = _facts()


class WrongIn(Schema):
    list = _choice(LISTS, "List 名单")
    seq = _seq()
    facts = _facts()


class OpinionIn(Schema):
    opinion = _opinion()


class AuditIn(Schema):
    agree = fields.Boolean(
        required=True, truthy={True}, falsy={False}, metadata={"description": "Whether you agree 同意与否"}
    )
    opinion = _opinion()


class StatementIn(Schema):
    statement = Text(4000, load_default="", metadata={"description": "What the party stated 陈述申辩; empty: nothing"})
    answer = Text(4000, load_default="", metadata={"description": "What came of it, and why 采纳情况"})


class ApprovalIn(Schema):
    organ = Text(200, required=True, metadata={"description": "Superior organ 上级机关"})
    approval_no = Text(128, required=True, metadata={"description": "Number of its approval 批准文号"})
    approved_on = Day(required=True, metadata={"description": "Day of its approval 批准日期"})


class CasesQuery(PageQuery):
    list = _choice(LISTS, "List 名单", filtering=True)
    state = _choice(STATES, "State 状态", filtering=True)
    batch = Text(LONGEST_NAME, load_default="", metadata={"description": "Name of a batch 批次"})


class StepOut(Out):
    step = fields.String(required=True)
    by = fields.String(required=True)
    on = fields.String(required=True, metadata={"format": "date"})
    opinion = fields.String(required=True)
    seq = fields.Integer(required=True, metadata={"description": "Ledger row of the step 台账号"})
    document = fields.Integer(metadata={"description": "Id of the document that it yielded 文书"})


class CaseOut(Out):
    id = fields.Integer(required=True)
    list = fields.String(required=True)
    action = fields.String(required=True, metadata={"description": named(ACTIONS)})
    code = fields.String(required=True)
    name = fields.String(required=True)
    ground = fields.Integer(required=True)
    year = fields.Integer(required=True, allow_none=True)
    state = fields.String(required=True, metadata={"description": named(STATES)})
    facts = fields.String(required=True)
    seq = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Ledger number of the listing, once on record"}
    )
    opened_on = fields.Date(required=True)
    decide_by = fields.Date(required=True, allow_none=True, metadata={"description": "Last day to decide 办结期限"})
    effective_on = fields.Date(required=True, allow_none=True)
    batch = fields.String(required=True)
    steps = fields.List(fields.Nested(StepOut), required=True)


class CasePage(Out):
    items = fields.List(fields.Nested(CaseOut), required=True)
    next = fields.String(required=True, allow_none=True)


class CandidatesQuery(PageQuery):
    ground = Whole(load_default=1, validate=validate.OneOf([1, 4]), metadata={"description": "Ground 列入原因: 1 or 4"})
    year = Whole(
        load_default=None,
        validate=validate.Range(2013, 2100),
        metadata={"description": "Report year 年报年度 (ground 1)"},
    )
    division = Digits(6, "Division, GB/T 2260: a prefix of up to six digits 行政区划")


class CandidateOut(Out):
    code = fields.String(required=True)
    name = fields.String(required=True)
    subject = fields.String(required=True)
    division = fields.String(required=True)
    reason = fields.String(required=True)


class CandidatesOut(Out):
    ground = fields.Integer(required=True)
    year = fields.Integer(required=True, allow_none=True)
    uncovered = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "Subjects of which no feed says whether they reported 未覆盖户数; null after the first page"
        },
    )
    items = fields.List(fields.Nested(CandidateOut), required=True)
    next = fields.String(required=True, allow_none=True)


class BatchRowIn(Schema):
    code = Text(40, required=True, metadata={"description": "Whom 统一社会信用代码"})
    reason = _facts()


class ListingBatchIn(Schema):
    name = Text(LONGEST_NAME, required=True, metadata={"description": "Name of the batch 批次名称"})
    ground = _ground()
    year = _year()
    opinion = _opinion()
    rows = fields.List(
        fields.Nested(BatchRowIn), required=True, validate=validate.Length(1, MOST_IN_A_BATCH), metadata={"description": "One reason a row 逐户理由"}
    )  # fmt: skip


class BatchAuditIn(AuditIn):
    name = Text(LONGEST_NAME, required=True, metadata={"description": "Name of the batch 批次名称"})
    cases = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, HIGHEST)), load_default=None, allow_none=True,
        validate=validate.Length(1, 10_000), metadata={"description": "Only these cases 仅限案号; left out: all that are proposed"},
    )  # fmt: skip


class RefusedOut(Out):
    row = fields.String(required=True, metadata={"description": "Code of the row, or number of the case"})
    detail = fields.String(required=True)


class BatchSaid(Out):
    done = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    refused = fields.List(fields.Nested(RefusedOut), required=True)


class BatchQuery(Schema):
    name = Text(LONGEST_NAME, required=True, metadata={"description": "Name of the batch 批次名称"})


class BatchCountOut(Out):
    name = fields.String(required=True)
    rows = fields.Integer(required=True)
    states = fields.Dict(required=True, keys=fields.String(), values=fields.Integer())
    listed = fields.Integer(
        required=True, metadata={"description": "Initial count 初始列入 = standing + removed + corrected"}
    )
    standing = fields.Integer(required=True)
    removed = fields.Integer(required=True)
    corrected = fields.Integer(required=True)


class RemindersQuery(PageQuery):
    list = _choice(LISTS, "List 名单", filtering=True)


class ReminderOut(Out):
    list = fields.String(required=True)
    seq = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    listed_on = fields.Date(required=True)
    due_on = fields.Date(required=True, metadata={"description": "Third anniversary, or end of the term 届满日"})
    days_left = fields.Integer(required=True)


class ReminderPage(Out):
    items = fields.List(fields.Nested(ReminderOut), required=True)
    next = fields.String(required=True, allow_none=True)


class CountOut(Out):
    list = fields.String(required=True)
    treatment = fields.String(
        required=True, allow_none=True, metadata={"description": "listed 列入 or marked 标记; null in a total"}
    )
    subject = fields.String(required=True, allow_none=True)
    ground = fields.Integer(required=True, allow_none=True)
    entities = fields.Integer(required=True, metadata={"description": "Subjects 户数"})
    rows = fields.Integer(required=True, metadata={"description": "Rows 条数"})


class CountsOut(Out):
    on = fields.Date(required=True)
    items = fields.List(fields.Nested(CountOut), required=True)


class DocumentIn(Schema):
    type = fields.String(required=True, metadata={"description": "Type of document 文书类型"})
    code = Text(40, required=True, metadata={"description": "Whom 统一社会信用代码"})
    variables = fields.Dict(
        keys=fields.String(),
        values=Text(4000),
        required=True,
        metadata={"description": "What the template needs 文书变量"},
    )


class DocumentsQuery(PageQuery):
    code = Text(40, load_default="", metadata={"description": "Only documents to this party 当事人"})
    type = Text(24, load_default="", metadata={"description": "Only this type 文书类型"})


class DeliveryOut(Out):
    id = fields.Integer(required=True)
    method = fields.String(required=True, metadata={"description": named(METHODS)})
    sent_on = fields.Date(required=True)
    delivered_on = fields.Date(required=True, allow_none=True)
    failed_because = fields.String(required=True)
    proof = fields.String(required=True)


class RemediesOut(Out):
    delivered_on = fields.Date(required=True)
    reconsider_by = fields.Date(required=True, metadata={"description": "Last day for reconsideration 行政复议期限"})
    sue_by = fields.Date(required=True, metadata={"description": "Last day for a lawsuit 行政诉讼期限"})


class DocumentHead(Out):
    id = fields.Integer(required=True)
    number = fields.String(required=True, attribute="printed_no", metadata={"description": "Number as printed 文书号"})
    type = fields.String(required=True)
    title = fields.String(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    issued_on = fields.Date(required=True)
    issued_by = fields.String(required=True)
    template = fields.String(required=True)
    seq = fields.Integer(required=True, metadata={"description": "Ledger row 台账号"})


class DocumentOut(DocumentHead):
    text = fields.String(required=True)
    unchanged = fields.Boolean(
        required=True, metadata={"description": "Template, variables and ledger still give this text"}
    )
    deliveries = fields.List(fields.Nested(DeliveryOut), required=True)
    remedies = fields.Nested(
        RemediesOut, required=True, allow_none=True, metadata={"description": "Null until delivered"}
    )


class DocumentPage(Out):
    items = fields.List(fields.Nested(DocumentHead), required=True)
    next = fields.String(required=True, allow_none=True)


class DeliveryIn(Schema):
    method = _choice(METHODS, "Method of delivery 送达方式")
    sent_on = Day(required=True, metadata={"description": "Day of sending 发出日期"})


class DeliveredIn(Schema):
    delivered_on = Day(load_default=None, allow_none=True, metadata={"description": "Day of arrival 送达日期"})
    proof = Text(200, load_default="", metadata={"description": "What proves it 送达凭证"})
    failed_because = Text(500, load_default="", metadata={"description": "Why it failed 未送达原因, where it did"})
