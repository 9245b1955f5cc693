"""Proposals of schemes: what is sent, what is shown, activations, and the report of a trial."""

from typing import Any

from marshmallow import Schema, fields, validate

from api.schemas.common import LabelOut, Out, PageQuery, Whole
from registry.kinds.base import Day, Text
from registry.services.governance import LONGEST_WORDS
from registry.services.scheme_files import MOST_BYTES, MOST_FILES
from registry.services.scheme_proposals import STATES

NAMES = ", ".join(f"{name} {label.zh}" for name, label in STATES.items())


def _files(**kwargs: Any) -> fields.Dict:
    text = (
        f"Text of each file by its path in the scheme's folder, scheme.toml among them 方案文件: at most {MOST_FILES} files of "
        f"{MOST_BYTES:,} bytes, worked cases too"
    )
    return fields.Dict(
        keys=fields.String(validate=validate.Length(1, 80)), values=fields.String(), metadata={"description": text},
        validate=validate.Length(1, MOST_FILES), **kwargs,
    )  # fmt: skip


def _first_day(**kwargs: Any) -> Day:
    text = "First day on which it is to hold 施行日期: today or later"
    return Day(data_key="from", metadata={"description": text}, **kwargs)


def _why() -> Text:
    return Text(LONGEST_WORDS, required=True, metadata={"description": "Why 理由"})


class ProposalIn(Schema):
    files = _files(required=True)
    reason = Text(LONGEST_WORDS, required=True, metadata={"description": "What changes, and why 修改内容及理由"})
    from_day = _first_day(required=True)


class RevisionIn(Schema):
    files = _files(load_default=None, allow_none=True)
    reason = Text(
        LONGEST_WORDS, load_default=None, allow_none=True, metadata={"description": "What changes, and why 修改内容及理由"}
    )  # fmt: skip
    from_day = _first_day(load_default=None, allow_none=True)


class SchemeApprovalIn(Schema):
    content = fields.String(
        required=True, validate=validate.Regexp(r"^[0-9a-f]{12,64}\Z"),
        metadata={"description": "Hash of the content that you have read and compared, or its first 12 characters or more 方案摘要"},
    )  # fmt: skip
    confirms_draft = fields.Boolean(
        load_default=False, truthy={True}, falsy={False},
        metadata={"description": "That you know that it rests on a draft instrument 确认依据为征求意见稿"},
    )  # fmt: skip
    said = Text(LONGEST_WORDS, load_default="", metadata={"description": "Opinion 意见"})


class WhyIn(Schema):
    why = _why()


class ShadowIn(Schema):
    on = fields.Boolean(
        required=True, truthy={True}, falsy={False}, metadata={"description": "Grade it alongside 影子运行, or stop"}
    )


class ProposalsQuery(PageQuery):
    state = fields.String(
        load_default="", validate=validate.OneOf(["", *STATES]), metadata={"description": f"State 状态: {NAMES}"}
    )
    scheme = Text(32, load_default="", metadata={"description": "Id of a scheme 方案"})


class ShadowQuery(Schema):
    limit = Whole(
        load_default=50, validate=validate.Range(1, 200), metadata={"description": "Most entities that are named 列出户数, 1 to 200"}
    )  # fmt: skip


class ApprovalRow(Out):
    by = fields.String(metadata={"description": "Who approved 批准人"})
    at = fields.String(metadata={"description": "RFC 3339, UTC"})
    confirms_draft = fields.Boolean()
    said = fields.String()


class MistakeOut(Out):
    file = fields.String()
    key = fields.String()
    problem = fields.String()
    remedy = fields.String()


class ProposalRow(Out):
    id = fields.Integer()
    scheme = fields.String(metadata={"description": "Id of the scheme; empty where its files do not say it legibly"})
    state = fields.String(metadata={"description": f"State 状态: {NAMES}"})
    label = fields.Nested(LabelOut)
    hash = fields.String(allow_none=True, metadata={"description": "Hash of its content; null while it has mistakes"})
    reason = fields.String()
    from_day = fields.String(data_key="from", metadata={"description": "First day on which it is to hold 施行日期"})
    rests_on_draft = fields.Boolean(metadata={"description": "Some value rests on a draft instrument 依据为征求意见稿"})
    shadow = fields.Boolean(metadata={"description": "It is graded alongside 影子运行"})
    proposed_by = fields.String()
    proposed_at = fields.String(metadata={"description": "RFC 3339, UTC"})
    compared_by = fields.String(allow_none=True)
    compared_at = fields.String(allow_none=True)
    closed_by = fields.String(allow_none=True, metadata={"description": "Who withdrew or refused it"})
    closed_at = fields.String(allow_none=True)
    closed_why = fields.String()


class ProposalOut(ProposalRow):
    next_step = fields.String(metadata={"description": "What a person does next 下一步"})
    approvals = fields.List(fields.Nested(ApprovalRow))
    mistakes = fields.List(
        fields.Nested(MistakeOut), metadata={"description": "What its check found, while it is a draft"}
    )
    failed = fields.List(
        fields.String(), metadata={"description": "Worked cases with another result, while it is a draft"}
    )
    comparison = fields.Dict(
        allow_none=True,
        metadata={"description": "What it would do, beside what holds 比对结果; only for keys with grades:read and every division"},
    )  # fmt: skip
    files = _files()


class ProposalPage(Out):
    items = fields.List(fields.Nested(ProposalRow))
    next = fields.String(allow_none=True)


class ActivationOut(Out):
    seq = fields.Integer(metadata={"description": "Ledger number of the step that says so"})
    hash = fields.String()
    from_day = fields.String(data_key="from")
    until = fields.String(allow_none=True, metadata={"description": "First day on which another content holds"})
    superseded = fields.Boolean(metadata={"description": "Another content was activated later for the same day"})
    proposal = fields.Integer()
    proposer = fields.String()
    approvers = fields.List(fields.String())
    at = fields.String(metadata={"description": "When the second officer approved, RFC 3339, UTC"})


class KeptOut(Out):
    hash = fields.String()
    first_seq = fields.Integer(metadata={"description": "How far the ledger was when it was first used"})


class SchemeHistoryOut(Out):
    scheme = fields.String()
    shipped = fields.String(allow_none=True, metadata={"description": "Hash of the content in the book 随附方案"})
    as_shipped = fields.Boolean(
        metadata={"description": "Whether the book's content holds before the first activation"}
    )
    activations = fields.List(fields.Nested(ActivationOut), metadata={"description": "Newest first"})
    kept = fields.List(fields.Nested(KeptOut), metadata={"description": "Every content that was used or checked"})


class ShadowRow(Out):
    code = fields.String()
    name = fields.String()
    kind = fields.String()
    division = fields.String()
    class_ = fields.String(data_key="class", attribute="class")
    score = fields.Integer()
    shadow_class = fields.String()
    shadow_score = fields.Integer()


class ShadowOut(Out):
    proposal = fields.Integer()
    scheme = fields.String()
    classes = fields.Dict(metadata={"description": "Kind → class → [in force, in the shadow], subjects 户数"})
    same = fields.Integer()
    better = fields.Integer(metadata={"description": "Stand in a better class in the shadow"})
    worse = fields.Integer(metadata={"description": "Stand in a worse class in the shadow"})
    only_shadow = fields.Integer()
    only_in_force = fields.Integer()
    differ = fields.List(
        fields.Nested(ShadowRow), metadata={"description": "The first who differ, the farthest apart first"}
    )
