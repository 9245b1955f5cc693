"""The queue of rows whose party was not found, decisions about them, and merges."""

from marshmallow import Schema, fields, validate

from api.schemas.common import Out, PageQuery, no_nul
from registry.kinds import KINDS
from registry.kinds.base import Text

MOST_ROWS = 1_000
REASON = "What shows it 理由; kept with the decision, personal numbers masked"


class QueueQuery(PageQuery):
    kind = fields.String(
        load_default=None, validate=validate.OneOf(list(KINDS)), metadata={"description": "Kind of record 类别"}
    )
    source = fields.String(
        load_default=None, validate=[validate.Length(max=64), no_nul], metadata={"description": "Source 来源"}
    )
    reason = fields.String(
        load_default=None, validate=[validate.Length(max=32), no_nul], metadata={"description": "Why it waits 等待原因"}
    )
    name = fields.String(
        load_default="",
        validate=[validate.Length(max=200), no_nul],
        metadata={"description": "Part of the party's name 名称"},
    )


class WaitingOut(Out):
    id = fields.Integer(required=True, metadata={"description": "Number of the row in the queue 编号"})
    kind = fields.String(required=True)
    source = fields.String(required=True, metadata={"description": "Who sent it 数据来源"})
    reason = fields.String(required=True, metadata={"description": "Why it waits 等待原因; docs/imports.md lists them"})
    name = fields.String(required=True, metadata={"description": "Party's name as given 名称"})
    code = fields.String(
        required=True, metadata={"description": "Party's number as given, personal numbers masked 代码"}
    )
    division = fields.String(
        required=True, metadata={"description": "Area in which it is registered 区划; empty: unknown"}
    )
    happened_on = fields.String(required=True, allow_none=True, metadata={"description": "Day 日期", "format": "date"})
    document_no = fields.String(required=True, metadata={"description": "Document number 文书号"})
    organ = fields.String(required=True, metadata={"description": "Organ 机关"})
    waiting_since = fields.Integer(required=True, metadata={"description": "Milliseconds UTC 等待自"})


class WaitingPage(Out):
    items = fields.List(fields.Nested(WaitingOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


class QueueCandidateOut(Out):
    score = fields.Integer(required=True, metadata={"description": "0 to 100 分值"})
    code = fields.String(
        required=True, allow_none=True, metadata={"description": "Credit code or registration number 代码"}
    )
    name = fields.String(required=True)
    division = fields.String(required=True)
    status = fields.String(required=True)
    why = fields.List(fields.String(), required=True, metadata={"description": "What speaks for it 依据"})


class WaitingDetail(WaitingOut):
    candidates = fields.List(
        fields.Nested(QueueCandidateOut), required=True, metadata={"description": "At most five, likeliest first"}
    )


class QueueDecisionIn(Schema):
    rows = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 2**53)), load_default=list,
        validate=validate.Length(max=MOST_ROWS), metadata={"description": "Rows of the queue, for match and drop"},
    )  # fmt: skip
    records = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 2**53)), load_default=list,
        validate=validate.Length(max=MOST_ROWS), metadata={"description": "Ledger numbers of records attached by name, for confirm and detach"},
    )  # fmt: skip
    verb = fields.String(
        required=True,
        validate=validate.OneOf(["match", "drop", "confirm", "detach"]),
        metadata={"description": "match 归于, drop 弃置, confirm 确认, detach 剥离"},
    )
    to = Text(64, load_default="", metadata={"description": "For match: credit code or registration number 归于"})
    reason = Text(500, required=True, metadata={"description": REASON})


class DecisionsIn(Schema):
    decisions = fields.List(fields.Nested(QueueDecisionIn), required=True, validate=validate.Length(1, 200))


class DecidedOut(Out):
    decision = fields.Integer(required=True, metadata={"description": "Number of the decision 认定编号"})
    verb = fields.String(required=True)
    said = fields.String(required=True, metadata={"description": "decided, unchanged or undone"})
    rows = fields.Integer(required=True, metadata={"description": "Rows that followed it now 行数"})


class DecidedPage(Out):
    items = fields.List(fields.Nested(DecidedOut), required=True)


class QueueDecisionOut(Out):
    id = fields.Integer(required=True)
    verb = fields.String(required=True)
    name = fields.String(required=True)
    code = fields.String(required=True)
    source = fields.String(required=True)
    division = fields.String(required=True)
    to = fields.String(required=True, allow_none=True)
    to_name = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    decided_by = fields.String(required=True)
    decided_at = fields.Integer(required=True, metadata={"description": "Milliseconds UTC"})
    seq = fields.Integer(required=True, metadata={"description": "Ledger row of the decision 台账号"})
    undone_at = fields.Integer(required=True, allow_none=True)
    undone_by = fields.String(required=True)


class QueueDecisionPage(Out):
    items = fields.List(fields.Nested(QueueDecisionOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


class NamedOut(Out):
    seq = fields.Integer(required=True, metadata={"description": "Ledger number 台账号"})
    kind = fields.String(required=True)
    happened_on = fields.String(required=True, allow_none=True)
    code = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    row_name = fields.String(required=True, metadata={"description": "Name in the row 行内名称"})
    counts = fields.Boolean(required=True, metadata={"description": "False where it waits to be confirmed 是否计入"})


class NamedPage(Out):
    items = fields.List(fields.Nested(NamedOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


class ReasonIn(Schema):
    reason = Text(500, required=True, metadata={"description": REASON})


class MergeIn(ReasonIn):
    into = Text(64, required=True, metadata={"description": "Code of the entity that it is 合并到"})


class MergedOut(Out):
    said = fields.String(required=True, metadata={"description": "merged, unmerged or unchanged"})
    seq = fields.Integer(required=True, metadata={"description": "Ledger row that says so 台账号"})
    loser = fields.String(required=True)
    winner = fields.String(required=True)


class PairOut(Out):
    loser = fields.String(required=True, metadata={"description": "Code of the provisional one 暂存"})
    winner = fields.String(required=True, metadata={"description": "Registration number of the registered one 登记"})
    name = fields.String(required=True)


class PairPage(Out):
    items = fields.List(fields.Nested(PairOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )
