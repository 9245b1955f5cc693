"""Inspection lists."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.schemas.common import LabelOut, Out, PageQuery, Whole, division_prefix, industry_prefix, one_of_subjects
from registry.kinds.base import Text
from registry.services.list_schedule import MOST_A_DAY
from registry.services.list_slice import SHARE, WITHOUT
from registry.services.list_views import COPIES, SLICES
from registry.services.lists import MOST_SHARE
from registry.services.visits import STATES

MOST_ON_A_LIST = 5000
NARROWING = ("size", "random_share", "classes", "division", "industry", "kind")
_NEXT = {"description": "Token of the next page; null on the last"}
_STATES = ", ".join(f"{name} {term}" for name, term in STATES.items())


class ListIn(Schema):
    task = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 2**31 - 1),
        metadata={"description": "Id of the task 任务"},
    )
    size = fields.Integer(
        load_default=None,
        strict=True,
        validate=validate.Range(1, MOST_ON_A_LIST),
        metadata={"description": f"Most entities 户数上限, 1 to {MOST_ON_A_LIST}; needed without `codes`"},
    )
    random_share = fields.Integer(
        load_default=None,
        strict=True,
        validate=validate.Range(0, MOST_SHARE),
        metadata={
            "description": f"Percent of the list drawn by lot 随机部分, rounded up; default {SHARE}. 0 only for tasks of type {', '.join(WITHOUT)}"
        },
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
    codes = fields.List(
        Text(18, required=True),
        load_default=list,
        validate=validate.Length(max=MOST_ON_A_LIST),
        metadata={"description": "Exactly these entities 指定对象, by code: complaints and leads; instead of everything but `task`"},
    )  # fmt: skip

    @validates_schema(pass_original=True)
    def _one_of_the_two(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        if data["codes"]:
            beside = [name for name in NARROWING if name in original]
            if beside:
                raise ValidationError({name: ["Beside `codes` it says nothing. Leave it out."] for name in beside})
        elif data["size"] is None:
            raise ValidationError({"size": ["Say how many entities the list may have, or name them by `codes`."]})


class ListOut(Out):
    id = fields.Integer(required=True)
    task = fields.Integer(required=True)
    title = fields.String(required=True, metadata={"description": "Title of the task 任务名称"})
    type = fields.String(required=True, metadata={"description": "Type of the task 任务类型"})
    size = fields.Integer(required=True, metadata={"description": "Entities on the list 户数"})
    created_by = fields.String(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})


class _WithSlice(ListOut):
    """What only who may read grades is told of a list."""

    scheme = fields.String(metadata={"description": "Supervisor's copy only: whose classes order it"})
    random = fields.Integer(metadata={"description": "Supervisor's copy only: entities drawn by lot"})
    random_of = fields.Integer(metadata={"description": "Supervisor's copy only: eligible entities they were drawn of"})
    random_share = fields.Integer(metadata={"description": "Supervisor's copy only: percent that was asked for"})
    passed_over = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={
            "description": "Supervisor's copy only: who fitted and was not eligible, by reason: not_open, annual_cap, class_limit, recently_checked, open_visit"
        },
    )


class PulledOut(_WithSlice):
    pass


class ListLine(ListOut):
    visits = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True,
        metadata={"description": f"Visits by state 检查进度: {_STATES}"},
    )  # fmt: skip


class ListsPage(Out):
    items = fields.List(fields.Nested(ListLine), required=True)
    next = fields.String(required=True, allow_none=True, metadata=_NEXT)


class ListsQuery(PageQuery):
    task = Whole(load_default=None, validate=validate.Range(1, 2**31 - 1), metadata={"description": "Of one task 任务"})


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


def _supervisors(what: str, **more: Any) -> dict[str, Any]:
    return {"description": f"Supervisor's copy only{what}", **more}


class ListRow(Out):
    number = fields.Integer(required=True, metadata={"description": "Place on this copy 序号"})
    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    division = fields.String(required=True)
    address = fields.String(required=True)
    visit = fields.Integer(required=True, allow_none=True, metadata={"description": "Id of the visit 检查编号"})
    state = fields.String(required=True, metadata={"description": f"State of the visit: {_STATES}"})
    planned_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    items = fields.List(fields.String(), metadata={"description": "Field copy: what is checked 检查事项"})
    basis = fields.String(metadata={"description": "Field copy: legal basis 检查依据"})
    class_ = fields.String(
        data_key="class", attribute="class", allow_none=True, metadata=_supervisors("; null: not graded")
    )
    chance = fields.Integer(
        metadata=_supervisors(": chance of a finding as it ordered the list, in millionths; 0 without a model 发现问题概率")
    )  # fmt: skip
    score = fields.Integer(allow_none=True, metadata=_supervisors(""))
    graded_on = fields.String(allow_none=True, metadata=_supervisors("", format="date"))
    due_on = fields.String(allow_none=True, metadata=_supervisors(": statutory due date 应查期限", format="date"))
    harm = fields.Integer(metadata=_supervisors(": weight of the items that apply to it, added up 危害权重"))
    slice = fields.String(
        metadata=_supervisors(": how it came onto the list, " + ", ".join(f"{a} {b}" for a, b in SLICES.items()))
    )
    inclusion = fields.Integer(
        metadata=_supervisors(": probability with which it was chosen, in millionths; 0 where no lot decided")
    )
    reasons = fields.List(fields.Nested(ReasonOut), metadata=_supervisors(": the heaviest reasons"))


class ListPage(_WithSlice):
    copy = fields.String(required=True)
    items = fields.List(fields.Nested(ListRow), required=True)
    next = fields.String(required=True, allow_none=True, metadata=_NEXT)


class Changed(Out):
    was = fields.String(required=True, allow_none=True)
    is_ = fields.String(required=True, allow_none=True, data_key="is", attribute="is")


class ChangeLine(Out):
    number = fields.Integer(required=True, metadata={"description": "Place on the supervisor's copy 序号"})
    code = fields.String(required=True)
    class_ = fields.Nested(Changed, data_key="class", attribute="class")
    name = fields.Nested(Changed)
    address = fields.Nested(Changed)
    status = fields.Nested(LabelOut, metadata={"description": "Where it is open no more 登记状态"})
    merged_into = fields.String(metadata={"description": "Code of the entity that it is now 合并"})
    records = fields.Integer(metadata={"description": "Ledger rows about it that are new"})
    checked_on = fields.String(
        metadata={"description": "Last day on which somebody else checked it since", "format": "date"}
    )


class ListChangesPage(Out):
    items = fields.List(fields.Nested(ChangeLine), required=True)
    next = fields.String(required=True, allow_none=True, metadata=_NEXT)


_PER_DAY = {"description": "Visits of a pair in a day; default: as many as the minutes of the items allow"}


class ScheduleQuery(Schema):
    per_day = Whole(load_default=None, validate=validate.Range(1, MOST_A_DAY), metadata=_PER_DAY)


class ScheduleIn(Schema):
    per_day = fields.Integer(
        load_default=None, strict=True, allow_none=True, validate=validate.Range(1, MOST_A_DAY), metadata=_PER_DAY
    )


class ScheduledVisit(Out):
    visit = fields.Integer(required=True)
    number = fields.Integer(required=True, metadata={"description": "Place in the tour 序号"})
    code = fields.String(required=True)
    name = fields.String(required=True)
    address = fields.String(required=True)
    planned_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})


class ScheduleOut(Out):
    first = fields.String(required=True, metadata={"format": "date"})
    last = fields.String(required=True, metadata={"format": "date", "description": "Last day of the task"})
    per_day = fields.Integer(required=True)
    inspectors = fields.Integer(required=True, metadata={"description": "Inspectors who may check its items"})
    pairs = fields.Integer(required=True, metadata={"description": "Pairs that can go on one day"})
    pair_days = fields.Integer(required=True, metadata={"description": "Days of a pair that the visits take"})
    available = fields.Integer(required=True, metadata={"description": "Days of a pair that there are"})
    fits = fields.Boolean(required=True)
    planned_before = fields.Integer(
        required=True, metadata={"description": "Visits not begun that had their day already"}
    )
    set = fields.Integer(metadata={"description": "Visits that got their day now"})
    visits = fields.List(fields.Nested(ScheduledVisit), required=True)
