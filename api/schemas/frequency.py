"""The frequency table and what a plan under it takes. Rows hold classes and nobody's name."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.schemas.common import LabelOut, Out, Whole, division_prefix, industry_prefix, no_nul
from registry.services.tasks import TYPES
from rules.inspection.frequency import NATURES

MOST_ITEMS = 20


class OnQuery(Schema):
    on = fields.Date(load_default=None, metadata={"description": "Day on which it holds; default: today 日期"})


class BasisOut(Out):
    instrument = fields.String(required=True)
    instrument_zh = fields.String(required=True)
    article = fields.String(required=True, allow_none=True)
    url = fields.String(required=True, allow_none=True)
    kind = fields.String(required=True, metadata={"description": "product_default 产品默认值: rests on nothing"})
    note = fields.String(required=True, allow_none=True)


class FrequencyRow(Out):
    id = fields.String(required=True)
    schemes = fields.List(fields.String(), required=True)
    natures = fields.List(fields.String(), required=True, metadata={"description": "general 一般, key 重点"})
    class_ = fields.String(data_key="class", attribute="class", required=True)
    industries = fields.List(
        fields.String(), required=True, metadata={"description": "Prefixes of GB/T 4754; empty: every industry"}
    )
    lowest = fields.Integer(required=True, metadata={"description": "Hundredths of a percent 比例下限"})
    highest = fields.Integer(required=True, metadata={"description": "Hundredths of a percent 比例上限"})
    every_days = fields.Integer(required=True, allow_none=True, metadata={"description": "A visit so often 间隔天数"})
    at_most = fields.Integer(required=True, allow_none=True, metadata={"description": "Visits a year 年检查上限"})
    skip_days = fields.Integer(required=True, metadata={"description": "Not again so soon 近期不再抽取"})
    basis = fields.Nested(BasisOut, required=True)


class SkipOut(Out):
    days = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    basis = fields.Nested(BasisOut, required=True)


class CapOut(Out):
    most = fields.Integer(required=True, metadata={"description": "Visits of all organs in a calendar year"})
    basis = fields.Nested(BasisOut, required=True)


class ExemptOut(Out):
    type = fields.String(required=True, metadata={"description": "Type of task, or recheck 复查"})
    title = fields.Nested(LabelOut, required=True)
    reason = fields.Nested(LabelOut, required=True)
    basis = fields.Nested(BasisOut, required=True)


class PaceOut(Out):
    minutes = fields.Integer(required=True, metadata={"description": "On site, of an average item"})
    day_minutes = fields.Integer(required=True, metadata={"description": "Of visits in a working day"})
    basis = fields.Nested(BasisOut, required=True)


class FrequencyOut(Out):
    id = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    hash = fields.String(required=True, metadata={"description": "SHA-256 of all that counts"})
    on = fields.String(required=True, metadata={"format": "date"})
    rows = fields.List(fields.Nested(FrequencyRow), required=True)
    skip = fields.Nested(SkipOut, required=True, allow_none=True)
    annual_cap = fields.Nested(CapOut, required=True, allow_none=True)
    exempt = fields.List(fields.Nested(ExemptOut), required=True)
    visit = fields.Nested(PaceOut, required=True, allow_none=True)


def _codes(text: str) -> None:
    codes = text.split(",") if text else []
    if len(codes) > MOST_ITEMS or any(not 0 < len(code.strip()) <= 32 for code in codes):
        raise ValidationError(f"Give one to {MOST_ITEMS} codes of items, separated by commas.")


class PlanQuery(Schema):
    type = fields.String(
        required=True,
        validate=validate.OneOf(list(TYPES)),
        metadata={"description": "Type of the task 任务类型: " + ", ".join(f"{one} {zh}" for one, zh in TYPES.items())},
    )
    division = division_prefix()
    industry = industry_prefix()
    items = fields.String(
        load_default="",
        validate=[validate.Length(0, 700), no_nul, _codes],
        metadata={"description": "Codes of items, separated by commas 事项"},
    )
    nature = fields.String(
        load_default=NATURES[0],
        validate=validate.OneOf(NATURES),
        metadata={"description": "Kind of the item where none is named 事项类别"},
    )
    until = fields.Date(
        load_default=None,
        metadata={"description": "Last day of the visits, at most five years on; default: the last of this year"},
    )
    inspectors = Whole(
        load_default=None,
        validate=validate.Range(0, 1_000_000),
        metadata={"description": "Inspectors that there are; default: those of the key's organ on the list 检查人员数"},
    )
    days = Whole(
        load_default=None,
        validate=validate.Range(0, 366),
        metadata={"description": "Days of visits that each of them has; together with `inspectors` 每人天数"},
    )


class PlanStratum(Out):
    class_ = fields.String(data_key="class", attribute="class", required=True)
    row = fields.String(required=True, metadata={"description": "Row of the frequency table"})
    candidates = fields.Integer(required=True)
    lowest = fields.Integer(required=True, metadata={"description": "Hundredths of a percent"})
    highest = fields.Integer(required=True, metadata={"description": "Hundredths of a percent"})
    least = fields.Integer(required=True, metadata={"description": "Entities: the lower bound rounded up"})
    most = fields.Integer(required=True, metadata={"description": "Entities: the upper bound rounded down"})
    number = fields.Integer(required=True, metadata={"description": "Entities that would be drawn; 0 at a conflict"})
    conflict = fields.String(required=True, metadata={"description": "Why no number lies within the bounds; or empty"})


class WorkloadOut(Out):
    visits = fields.Integer(required=True)
    minutes = fields.Integer(required=True, metadata={"description": "On site, for one visit"})
    team = fields.Integer(required=True, metadata={"description": "Inspectors that go together"})
    needed = fields.Integer(required=True, metadata={"description": "Inspector-days 所需人日"})
    available = fields.Integer(required=True, metadata={"description": "Inspector-days that there are 现有人日"})
    inspectors = fields.Integer(required=True)
    fits = fields.Boolean(required=True)


class PlanTable(Out):
    id = fields.String(required=True)
    hash = fields.String(required=True)


class PlanOut(Out):
    task_type = fields.String(required=True)
    scheme = fields.String(required=True)
    nature = fields.String(required=True)
    on = fields.String(required=True, metadata={"format": "date"})
    frequency = fields.Nested(PlanTable, required=True)
    strata = fields.List(fields.Nested(PlanStratum), required=True)
    excluded = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "Left out, by reason"}
    )
    workload = fields.Nested(WorkloadOut, required=True)
    day_minutes = fields.Integer(required=True)


def both_or_none(query: dict[str, Any]) -> bool:
    """Whether inspectors and days were given together, or neither."""
    return (query["inspectors"] is None) == (query["days"] is None)
