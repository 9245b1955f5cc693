"""Results of visits and case leads: what is asked and shown of them."""

from marshmallow import Schema, fields, validate

from api.schemas.common import LabelOut, Out, PageQuery
from registry.kinds.base import Day, Text
from registry.kinds.spot_check import OUTCOMES
from registry.services import case_leads
from registry.services.result_entry import (
    ANSWERS,
    DISPOSALS,
    LONGEST_NAME,
    LONGEST_SAID,
    MOST_PHOTOS,
    MOST_PROBLEMS,
    SEVERITIES,
)
from registry.services.results import STATES

_OUTCOMES = ", ".join(f"{number} {label.zh} {label.en}" for number, (_, label) in OUTCOMES.items())
_DISPOSALS = ", ".join(f"{name} {label.zh} {label.en}" for name, label in DISPOSALS.items())
_ANSWERS = ", ".join(f"{name} {term}" for name, term in ANSWERS.items())
_STATES = ", ".join(f"{name} {term}" for name, term in STATES.items())
_LEADS = ", ".join(f"{name} {term}" for name, term in case_leads.STATES.items())
_VERSION = validate.Range(1, 2**31 - 1)
MOST_ITEMS, MOST_ANSWERS = 200, 60


class AnswerIn(Schema):
    question = Text(32, required=True, metadata={"description": "Code of the question 检查内容"})
    answer = fields.String(
        required=True, validate=validate.OneOf(list(ANSWERS)), metadata={"description": f"Answer 检查情况: {_ANSWERS}"}
    )
    said = Text(LONGEST_SAID, load_default="", metadata={"description": "In words 说明"})


class ItemResultIn(Schema):
    item = Text(LONGEST_NAME, required=True, metadata={"description": "Code of the item, or its text 抽查事项"})
    answers = fields.List(
        fields.Nested(AnswerIn),
        load_default=list,
        validate=validate.Length(0, MOST_ANSWERS),
        metadata={"description": "Answers by question"},
    )
    said = Text(LONGEST_SAID, load_default="", metadata={"description": "What is added to the item"})


class ProblemIn(Schema):
    item = Text(LONGEST_NAME, load_default="", metadata={"description": "Item that it belongs to; empty: none"})
    severity = fields.Integer(
        required=True,
        strict=True,
        validate=validate.OneOf(list(SEVERITIES)),
        metadata={"description": "Severity 程度: 1 minor 轻微, 2 general 一般, 3 serious 严重"},
    )
    said = Text(LONGEST_SAID, required=True, metadata={"description": "What was found 发现的问题"})


class PhotoIn(Schema):
    sha256 = fields.String(
        required=True,
        validate=validate.Regexp("^[0-9a-fA-F]{64}$", error="This is no SHA-256: 64 hexadecimal digits."),
        metadata={"description": "SHA-256 of the file; the file itself stays with the organ"},
    )
    name = Text(LONGEST_NAME, load_default="", metadata={"description": "Name of the file"})
    bytes = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 2**40), metadata={"description": "Its size in bytes"}
    )


class ResultIn(Schema):
    all_clear = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={
            "description": "Nothing was found in any item 全部事项未发现问题: answers every question `ok`, outcome 1"
        },
    )
    outcome = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.OneOf(list(OUTCOMES)),
        metadata={"description": f"What it came to 检查结果: {_OUTCOMES}"},
    )
    items = fields.List(
        fields.Nested(ItemResultIn),
        load_default=list,
        validate=validate.Length(0, MOST_ITEMS),
        metadata={"description": "Items with their answers 检查表"},
    )
    problems = fields.List(
        fields.Nested(ProblemIn),
        load_default=list,
        validate=validate.Length(0, MOST_PROBLEMS),
        metadata={"description": "Problems that no question asks for 检查表以外的问题"},
    )
    disposal = fields.String(
        load_default="none",
        validate=validate.OneOf(list(DISPOSALS)),
        metadata={"description": f"What follows 后续处理: {_DISPOSALS}"},
    )
    correct_by = Day(
        load_default=None, allow_none=True, metadata={"description": "Last day of an order to correct 责令改正期限"}
    )
    copied_to = Text(
        LONGEST_NAME, load_default="", metadata={"description": "Organ that is told, with disposal `copied` 抄告机关"}
    )
    photos = fields.List(
        fields.Nested(PhotoIn),
        load_default=list,
        validate=validate.Length(0, MOST_PHOTOS),
        metadata={"description": "Photos 现场照片, by hash"},
    )
    said = Text(
        LONGEST_SAID, load_default="", metadata={"description": "In words; of an order what is demanded 责令改正内容"}
    )
    version = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=_VERSION,
        metadata={"description": "Version of the result that this one replaces; left out for a first or returned one"},
    )


class ResultOpinionIn(Schema):
    opinion = Text(LONGEST_SAID, load_default="", metadata={"description": "Opinion 审核意见"})


class ResultReturnIn(Schema):
    opinion = Text(
        LONGEST_SAID, required=True, metadata={"description": "What is wrong, so that it can be mended 退回意见"}
    )


class RecheckAskIn(Schema):
    organ = Text(LONGEST_NAME, required=True, metadata={"description": "Organ whose result it is 检查机关"})
    why = Text(LONGEST_SAID, required=True, metadata={"description": "What is to be looked at again, and why 申请理由"})


class RecheckAnswerIn(Schema):
    granted = fields.Boolean(
        required=True, truthy={True}, falsy={False}, metadata={"description": "Whether there is a re-check 是否复查"}
    )
    said = Text(
        LONGEST_SAID, load_default="", metadata={"description": "Answer 书面答复; needed where it is not granted"}
    )


class ResultsQuery(PageQuery):
    state = fields.String(
        load_default="", validate=validate.OneOf(["", *STATES]), metadata={"description": f"State 状态: {_STATES}"}
    )
    soon = fields.String(
        load_default="",
        validate=validate.OneOf(["", "yes"]),
        metadata={"description": "yes: only those not published and near or past their last day 临近或者超过公示期限"},
    )


class LeadsQuery(PageQuery):
    state = fields.String(
        load_default="",
        validate=validate.OneOf(["", *case_leads.STATES]),
        metadata={"description": f"State 状态: {_LEADS}"},
    )
    overdue = fields.String(
        load_default="",
        validate=validate.OneOf(["", "yes"]),
        metadata={"description": "yes: only open ones past their last day 逾期"},
    )


class LeadFileIn(Schema):
    record = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(1, 2**53),
        metadata={"description": "Ledger number of the penalty that came of it 行政处罚记录; may follow later"},
    )
    said = Text(LONGEST_SAID, load_default="", metadata={"description": "What is added 立案情况"})


class LeadCloseIn(Schema):
    said = Text(LONGEST_SAID, required=True, metadata={"description": "Why it is no case 不予立案理由"})


class ResultOut(Out):
    visit = fields.Integer(required=True)
    organ = fields.String(required=True)
    outcome = fields.Integer(required=True, metadata={"description": _OUTCOMES})
    outcome_title = fields.Nested(LabelOut, required=True)
    items = fields.List(fields.Dict(), required=True, metadata={"description": "[{item, answers, said}]"})
    serious_found = fields.Integer(required=True)
    problems_found = fields.Integer(required=True)
    minor_found = fields.Integer(required=True)
    disposal = fields.String(required=True, metadata={"description": _DISPOSALS})
    correct_by = fields.Date(required=True, allow_none=True)
    photos = fields.List(fields.Dict(), required=True, metadata={"description": "[{sha256, name, bytes}]"})
    said = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": f"State 状态: {_STATES}"})
    entered_by = fields.String(required=True)
    entered_at = fields.String(required=True, metadata={"format": "date-time"})
    reviewed_by = fields.String(required=True)
    reviewed_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    opinion = fields.String(required=True)
    seq = fields.Integer(required=True, allow_none=True, metadata={"description": "Ledger row of the spot check"})
    publish_by = fields.Date(required=True, allow_none=True, metadata={"description": "Last day for publication"})
    published_on = fields.Date(required=True, allow_none=True)
    recheck_until = fields.Date(
        required=True, allow_none=True, metadata={"description": "Last day on which a re-check may be asked for"}
    )
    recheck_asked_on = fields.Date(required=True, allow_none=True)
    version = fields.Integer(required=True)
    overdue = fields.Boolean(required=True)


class FollowedOut(Out):
    what = fields.String(
        required=True, metadata={"description": "abnormal_listing, case_lead, order, recheck or copied"}
    )
    said = fields.String(required=True, metadata={"description": "done, or refused"})
    number = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Of the case, lead, document or visit"}
    )
    why = fields.String(required=True, metadata={"description": "Why it was refused, or what is to be known of it"})


class ApprovedOut(ResultOut):
    followed = fields.List(fields.Nested(FollowedOut), required=True)


class FollowedList(Out):
    followed = fields.List(fields.Nested(FollowedOut), required=True)


class ResultChannelOut(Out):
    channel = fields.String(required=True)
    said = fields.String(required=True)
    cause = fields.String(required=True)


class PublishedResultOut(ResultOut):
    channels = fields.List(fields.Nested(ResultChannelOut), required=True)


class SheetItemOut(Out):
    code = fields.String(required=True)
    name = fields.String(required=True)
    basis = fields.String(required=True)
    method = fields.String(required=True)
    questions = fields.List(fields.Dict(), required=True, metadata={"description": "[{code, text, severity, basis}]"})


class SheetOrganOut(Out):
    organ = fields.String(required=True)
    items = fields.List(fields.Nested(SheetItemOut), required=True)
    result = fields.Nested(ResultOut, required=True, allow_none=True)


class ResultSheetOut(Out):
    visit = fields.Integer(required=True)
    state = fields.String(required=True, metadata={"description": "Of the visit"})
    visited_on = fields.Date(required=True, allow_none=True)
    organs = fields.List(fields.Nested(SheetOrganOut), required=True)


class ResultRow(ResultOut):
    code = fields.String(required=True, allow_none=True, metadata={"description": "Credit code of the entity"})
    name = fields.String(required=True)


class ResultPage(Out):
    items = fields.List(fields.Nested(ResultRow), required=True)
    next = fields.String(required=True, allow_none=True)


class RecheckOut(Out):
    granted = fields.Boolean(required=True)
    visit = fields.Integer(required=True, allow_none=True, metadata={"description": "The visit that re-checks"})
    by = fields.Date(required=True, allow_none=True, metadata={"description": "Last day of it"})


class OwnAnswerOut(Out):
    granted = fields.Boolean(required=True)
    said = fields.String(required=True)


class OwnResultOut(Out):
    visit = fields.Integer(required=True)
    organ = fields.String(required=True)
    outcome = fields.Integer(required=True, metadata={"description": _OUTCOMES})
    visited_on = fields.Date(required=True, allow_none=True)
    published_on = fields.Date(required=True, allow_none=True)
    recheck_until = fields.Date(required=True, allow_none=True)
    recheck_asked_on = fields.Date(required=True, allow_none=True)
    seq = fields.Integer(required=True, allow_none=True, metadata={"description": "Number of its record"})
    answer = fields.Nested(OwnAnswerOut, required=True, allow_none=True)


class OwnResults(Out):
    items = fields.List(fields.Nested(OwnResultOut), required=True)


class LeadOut(Out):
    id = fields.Integer(required=True)
    visit = fields.Integer(required=True)
    organ = fields.String(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(
        required=True, metadata={"description": "violation, or refusal where the inspection was refused or obstructed"}
    )
    facts = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": f"State 状态: {_LEADS}"})
    opened_on = fields.Date(required=True)
    due = fields.Date(required=True, allow_none=True, metadata={"description": "Last day for filing or closing it"})
    overdue = fields.Boolean(required=True)
    settled_on = fields.Date(required=True, allow_none=True)
    settled_by = fields.String(required=True)
    said = fields.String(required=True)
    record = fields.Integer(required=True, allow_none=True)


class LeadPage(Out):
    items = fields.List(fields.Nested(LeadOut), required=True)
    next = fields.String(required=True, allow_none=True)
