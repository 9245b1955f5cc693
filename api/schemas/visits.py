"""Visits: what is asked and shown of them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.schemas.common import Out, PageQuery, Whole
from registry.kinds.base import Day, Text
from registry.services.list_views import COPIES
from registry.services.visit_ratings import LONGEST_SAID
from registry.services.visits import LONGEST_TEXT, STATES

_STATES = ", ".join(f"{name} {term}" for name, term in STATES.items())
_COPIES = ", ".join(f"{name} {term}" for name, term in COPIES.items())
_ID = validate.Range(1, 2**31 - 1)
MOST_INSPECTORS = 40


def _copy() -> fields.String:
    return fields.String(
        load_default="field",
        validate=validate.OneOf(list(COPIES)),
        metadata={"description": f"Copy 联: {_COPIES}; the supervisor's needs grades:read"},
    )


def _inspectors(description: str, **kwargs: Any) -> "fields.List[Any]":
    return fields.List(
        fields.Integer(strict=True, validate=_ID),
        validate=validate.Length(max=MOST_INSPECTORS),
        metadata={"description": description},
        **kwargs,
    )


def _why(required: bool = True) -> Text:
    given: dict[str, Any] = {"required": True} if required else {"load_default": ""}
    return Text(LONGEST_TEXT, metadata={"description": "The reason 理由"}, **given)


def _version() -> fields.Integer:
    return fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=_ID,
        metadata={"description": "The version that you saw 版本; another one is refused with what stands"},
    )


class VisitQuery(Schema):
    copy = _copy()


class VisitsQuery(PageQuery):
    copy = _copy()
    list = Whole(
        load_default=None, validate=_ID, metadata={"description": "Only this list 名单, in the order of its tour"}
    )
    task = Whole(load_default=None, validate=_ID, metadata={"description": "Only this task 任务"})
    state = fields.String(
        load_default="", validate=validate.OneOf(["", *STATES]), metadata={"description": f"State 状态: {_STATES}"}
    )
    mine = fields.String(
        load_default="no",
        validate=validate.OneOf(["yes", "no"]),
        metadata={"description": "yes: only visits of the inspector who works with this key 我的检查"},
    )
    planned_by = Day(load_default=None, metadata={"description": "Only those planned until this day 计划日期至"})


class VisitAssignIn(Schema):
    inspectors = _inspectors("Ids of the inspectors, at least two of each organ 检查人员", required=True)
    planned_on = Day(load_default=None, allow_none=True, metadata={"description": "Day of the visit 计划日期"})


class VisitReassignIn(VisitAssignIn):
    why = _why()
    version = _version()


class VisitStartIn(Schema):
    token = Text(64, load_default="", metadata={"description": "Code of the notice 入企码, with or without hyphens"})
    why = Text(
        LONGEST_TEXT, load_default="", metadata={"description": "Why there is no code 未扫码原因; required without one"}
    )
    present = _inspectors("Ids of those who are there 到场人员; empty: all who are assigned", load_default=list)
    at = fields.AwareDateTime(
        load_default=None,
        allow_none=True,
        metadata={"description": "When they entered, with its offset 入企时间; empty: now"},
    )

    @validates_schema
    def _says_how(self, data: dict[str, Any], **_: Any) -> None:
        if not data["token"] and not data["why"]:
            raise ValidationError({"token": ["Give the code of the notice, or in `why` the reason why there is none."]})


class VisitFinishIn(Schema):
    on = Day(
        load_default=None, allow_none=True, metadata={"description": "Day of the visit 检查日期; empty: of the entry"}
    )
    said = Text(LONGEST_TEXT, load_default="", metadata={"description": "What is added 说明"})


class VisitLeaveIn(Schema):
    why = _why()
    version = _version()


class VisitInspectorOut(Out):
    id = fields.Integer(required=True)
    organ = fields.String(required=True)
    staff_no = fields.String(required=True, metadata={"description": "Staff number 工号"})
    name = fields.String(required=True)
    round = fields.Integer(required=True, metadata={"description": "0 the first; then one for each change 轮次"})


class VisitHead(Out):
    id = fields.Integer(required=True)
    task = fields.Integer(required=True)
    list = fields.Integer(required=True)
    number = fields.Integer(required=True, metadata={"description": "Place in the tour 序号"})
    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    division = fields.String(required=True)
    address = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": _STATES})
    planned_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    visited_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    entered_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    finished_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    recheck_by = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    follows = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The visit that it re-checks 复查"}
    )
    why = fields.String(required=True, metadata={"description": "Why it was not made 未检查原因"})
    version = fields.Integer(required=True)
    inspectors = fields.List(fields.Nested(VisitInspectorOut), required=True)
    class_ = fields.String(data_key="class", attribute="class", metadata={"description": "Supervisor's copy only"})
    slice = fields.String(
        metadata={"description": "Supervisor's copy only: draw, random, priority, designated, recheck 来源"}
    )
    inclusion = fields.Integer(
        metadata={
            "description": "Supervisor's copy only: probability with which a lot chose it, in millionths 入选概率"
        }
    )
    stratum = fields.String(metadata={"description": "Supervisor's copy only: stratum of the draw 层"})
    position = fields.Integer(metadata={"description": "Supervisor's copy only: place on the list 名单序号"})


class VisitStepOut(Out):
    act = fields.String(required=True)
    title = fields.String(required=True, metadata={"description": "The act in words 办理事项"})
    by = fields.String(required=True)
    at = fields.String(required=True, metadata={"format": "date-time"})
    said = fields.String(required=True)
    detail = fields.Dict(required=True)


class VisitPartOut(Out):
    organ = fields.String(required=True)
    items = fields.List(fields.Dict(), required=True, metadata={"description": "Items with their questions 检查表"})


class VisitOut(VisitHead):
    title = fields.String(required=True, metadata={"description": "Title of the task 任务名称"})
    basis = fields.String(required=True)
    organs = fields.List(fields.Nested(VisitPartOut), required=True)
    replaced = fields.List(
        fields.Nested(VisitInspectorOut), required=True, metadata={"description": "Who was replaced"}
    )
    steps = fields.List(fields.Nested(VisitStepOut), required=True)


class VisitPage(Out):
    items = fields.List(fields.Nested(VisitHead), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


class CheckOut(Out):
    seq = fields.Integer(required=True)
    organ = fields.String(required=True)
    happened_on = fields.Date(required=True, allow_none=True)
    document_no = fields.String(required=True)
    line = fields.Dict(required=True, metadata={"description": "What was found, in both languages 检查结果"})
    detail = fields.Dict(required=True)


class InspectionsOut(Out):
    code = fields.String(required=True)
    year = fields.Integer(required=True)
    visited_days = fields.Integer(
        required=True,
        metadata={"description": "Days of this year on which it was visited, by whichever organ 本年检查次数"},
    )
    visits = fields.List(
        fields.Nested(VisitHead), required=True, metadata={"description": "Visits of the organ's tasks 本机关检查"}
    )
    checks = fields.List(
        fields.Nested(CheckOut), required=True, metadata={"description": "Spot checks on record 检查记录"}
    )
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page of `checks`; null on the last"}
    )


class DoorInspectorOut(Out):
    organ = fields.String(required=True)
    name = fields.String(required=True)
    certificate = fields.String(required=True, metadata={"description": "Certificate to be shown 执法证号"})


class DoorOut(Out):
    name = fields.String(required=True, metadata={"description": "Who is visited 被检查单位"})
    state = fields.String(required=True, metadata={"description": _STATES})
    says = fields.String(required=True, metadata={"description": "What that means at the door"})
    title = fields.String(required=True)
    basis = fields.String(required=True)
    organs = fields.List(fields.String(), required=True)
    items = fields.List(fields.String(), required=True)
    from_on = fields.Date(required=True)
    to_on = fields.Date(required=True)
    planned_on = fields.Date(required=True, allow_none=True)
    visited_on = fields.Date(required=True, allow_none=True)
    inspectors = fields.List(fields.Nested(DoorInspectorOut), required=True)
    recusal = fields.String(required=True, metadata={"description": "The right to ask for recusal 回避"})
    may_be_rated = fields.Boolean(required=True)


class RatingIn(Schema):
    score = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 5), metadata={"description": "1 worst to 5 best 评分"}
    )
    said = Text(LONGEST_SAID, load_default="", metadata={"description": "In words 评价; personal numbers are masked"})


class RatedOut(Out):
    rated = fields.Boolean(required=True)
