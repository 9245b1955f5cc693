"""Tasks and inspection lists."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.schemas.common import LabelOut, Out, PageQuery, division_prefix, industry_prefix, one_of_subjects
from registry.kinds.base import Day, Text
from registry.services.tasks import TYPES

MOST_ON_A_LIST = 5000
COPIES = {"supervisor": "主管联", "field": "现场联"}


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
        required=True,
        validate=validate.Length(1, 50),
        metadata={"description": "What is checked 检查事项"},
    )
    from_on = Day(required=True, metadata={"description": "First day 开始日期"})
    to_on = Day(required=True, metadata={"description": "Last day 结束日期"})

    @validates_schema
    def _ends_after_it_starts(self, data: dict[str, Any], **_: Any) -> None:
        if data["to_on"] < data["from_on"]:
            raise ValidationError(
                {
                    "to_on": [
                        f"{data['to_on']} lies before the first day, {data['from_on']}. Correct one of the two days."
                    ]
                }
            )


class TaskOut(Out):
    id = fields.Integer(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    basis = fields.String(required=True)
    organ = fields.String(required=True)
    items = fields.List(fields.String(), required=True)
    from_on = fields.Date(required=True)
    to_on = fields.Date(required=True)
    created_by = fields.String(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})


class TaskPage(Out):
    items = fields.List(fields.Nested(TaskOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


class ListIn(Schema):
    task = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 2**31 - 1),
        metadata={"description": "Id of the task 任务"},
    )
    size = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, MOST_ON_A_LIST),
        metadata={"description": f"Most entities 户数上限, 1 to {MOST_ON_A_LIST}"},
    )
    classes = fields.List(
        Text(4, required=True),
        load_default=list,
        validate=validate.Length(max=20),
        metadata={"description": "Risk classes 风险分类; empty: all"},
    )
    division = division_prefix()
    industry = industry_prefix()
    kind = one_of_subjects()


class ListOut(Out):
    id = fields.Integer(required=True)
    task = fields.Integer(required=True)
    size = fields.Integer(required=True, metadata={"description": "Entities on the list 户数"})
    created_by = fields.String(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})


def _copy() -> fields.String:
    named = ", ".join(f"{name} {term}" for name, term in COPIES.items())
    return fields.String(
        load_default="field",
        validate=validate.OneOf(list(COPIES)),
        metadata={"description": f"Copy 联: {named}; the supervisor's needs grades:read"},
    )


class CopyQuery(Schema):
    copy = _copy()


class ListQuery(PageQuery):
    copy = _copy()


class ReasonOut(Out):
    rule = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    points = fields.Integer(required=True)
    sentence = fields.Nested(LabelOut, required=True)


class ListRow(Out):
    number = fields.Integer(required=True, metadata={"description": "Place on this copy 序号"})
    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    division = fields.String(required=True)
    address = fields.String(required=True)
    items = fields.List(fields.String(), metadata={"description": "Field copy: what is checked 检查事项"})
    basis = fields.String(metadata={"description": "Field copy: legal basis 检查依据"})
    class_ = fields.String(data_key="class", attribute="class", metadata={"description": "Supervisor's copy only"})
    chance = fields.Integer(
        metadata={
            "description": "Supervisor's copy only: chance of a finding as it ordered the list, in millionths; 0 without a model 发现问题概率"
        }
    )
    score = fields.Integer(metadata={"description": "Supervisor's copy only"})
    graded_on = fields.String(metadata={"description": "Supervisor's copy only", "format": "date"})
    reasons = fields.List(
        fields.Nested(ReasonOut), metadata={"description": "Supervisor's copy only: the heaviest reasons"}
    )


class ListPage(Out):
    id = fields.Integer(required=True)
    task = fields.Integer(required=True)
    size = fields.Integer(required=True)
    copy = fields.String(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    items = fields.List(fields.Nested(ListRow), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )
