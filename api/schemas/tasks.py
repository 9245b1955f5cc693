"""Tasks."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.schemas.common import Out, PageQuery
from registry.kinds.base import Day, Text
from registry.services.tasks import LONGEST_TEXT, MOST_PARTNERS, STATES, TYPES

_STATES = ", ".join(f"{name} {term}" for name, term in STATES.items())
MOST_ITEMS = 50


class TasksQuery(PageQuery):
    state = fields.String(
        load_default="", validate=validate.OneOf(["", *STATES]), metadata={"description": f"State 状态: {_STATES}"}
    )


class TaskIn(Schema):
    type = fields.String(
        required=True,
        validate=validate.OneOf(list(TYPES)),
        metadata={"description": "Type 任务类型: " + ", ".join(f"{name} {term}" for name, term in TYPES.items())},
    )
    title = Text(200, required=True, metadata={"description": "Title 任务名称"})
    basis = Text(4000, required=True, metadata={"description": "Legal basis 检查依据"})
    items = fields.List(
        Text(200, required=True),
        load_default=list,
        validate=validate.Length(max=MOST_ITEMS),
        metadata={"description": "What is checked, as texts 检查事项; these or `item_codes`, or both"},
    )
    item_codes = fields.List(
        Text(32, required=True),
        load_default=list,
        validate=validate.Length(max=MOST_ITEMS),
        metadata={
            "description": "What is checked, by code of the list of items 抽查事项编码; frozen with its questions"
        },
    )
    partners = fields.List(
        Text(200, required=True),
        load_default=list,
        validate=validate.Length(max=MOST_PARTNERS),
        metadata={"description": "Other organs of a joint task 联合检查部门"},
    )
    from_on = Day(required=True, metadata={"description": "First day 开始日期"})
    to_on = Day(required=True, metadata={"description": "Last day 结束日期"})

    @validates_schema
    def _says_what_and_when(self, data: dict[str, Any], **_: Any) -> None:
        if data["to_on"] < data["from_on"]:
            raise ValidationError(
                {
                    "to_on": [
                        f"{data['to_on']} lies before the first day, {data['from_on']}. Correct one of the two days."
                    ]
                }
            )
        if not data["items"] and not data["item_codes"]:
            raise ValidationError(
                {"items": ["Nothing is to be checked. Give at least one item here, or a code in `item_codes`."]}
            )


class TaskSaidIn(Schema):
    said = Text(LONGEST_TEXT, load_default="", metadata={"description": "Opinion, or what is added 意见"})


class TaskWhyIn(Schema):
    said = Text(LONGEST_TEXT, required=True, metadata={"description": "The reason 理由"})


class ChecklistOut(Out):
    code = fields.String(required=True, metadata={"description": "Code 事项编码"})
    name = fields.String(required=True, metadata={"description": "Name 事项名称"})
    nature = fields.String(required=True, metadata={"description": "general 一般, key 重点"})
    department = fields.String(required=True, metadata={"description": "Who checks it 检查部门"})
    minutes = fields.Integer(required=True, metadata={"description": "Minutes on site 用时"})
    questions = fields.List(fields.Dict(), required=True, metadata={"description": "Checklist 检查表"})


class TaskOut(Out):
    id = fields.Integer(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    basis = fields.String(required=True)
    organ = fields.String(required=True)
    partners = fields.List(fields.String(), required=True, metadata={"description": "Other organs 联合检查部门"})
    items = fields.List(fields.String(), required=True)
    item_codes = fields.List(fields.String(), required=True, metadata={"description": "Coded items 抽查事项编码"})
    from_on = fields.Date(required=True)
    to_on = fields.Date(required=True)
    state = fields.String(required=True, metadata={"description": _STATES})
    created_by = fields.String(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    decided_by = fields.String(
        required=True, metadata={"description": "Who approved or refused it 审批人; empty before"}
    )
    decided_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    opinion = fields.String(required=True, metadata={"description": "Opinion 审批意见"})
    ended_by = fields.String(required=True, metadata={"description": "Who closed or cancelled it 办结人"})
    ended_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    ended_why = fields.String(required=True)
    checklist = fields.List(
        fields.Nested(ChecklistOut),
        metadata={"description": "One task only: the coded items as they were frozen 检查表"},
    )
    visits = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "One task only: visits by state 检查进度"},
    )


class TaskPage(Out):
    items = fields.List(fields.Nested(TaskOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )
