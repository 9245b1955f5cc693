"""Two schemes side by side: what is asked, and what comes back. Only for who may read grades."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.schemas.common import LabelOut, Out
from api.schemas.grade import within_reach
from registry.kinds.base import Text
from registry.services.whatif import MOVERS

MOST_MOVERS = 2_000
MOST_DIVISIONS = 50
LONGEST_SCHEME = 120


def _division(value: Any) -> None:
    if not (value.isascii() and value.isdigit() and len(value) <= 6):
        raise ValidationError("Give one to six digits of GB/T 2260, for example 9901.")


class ComparisonIn(Schema):
    old = Text(
        LONGEST_SCHEME,
        required=True,
        metadata={
            "description": "The scheme as it is 现行方案: an id (as it holds on the day), id@beginning-of-hash, book:id, or proposal:number"
        },
    )
    new = Text(
        LONGEST_SCHEME, required=True, metadata={"description": "The scheme to be tried 拟议方案, in the same form"}
    )
    on = fields.Date(
        load_default=None,
        validate=within_reach,
        metadata={"description": "Day on which both grade; default: today 评定日"},
    )
    divisions = fields.List(
        fields.String(validate=_division),
        load_default=None,
        validate=validate.Length(1, MOST_DIVISIONS),
        metadata={"description": "Prefixes of GB/T 2260; default: those of the key, which bound it anyway 行政区划"},
    )
    movers = fields.Integer(
        load_default=MOVERS,
        strict=True,
        validate=validate.Range(0, MOST_MOVERS),
        metadata={"description": "How many of those who change class are named 列出变动主体数"},
    )
    sensitivity = fields.Boolean(
        load_default=True,
        truthy={True},
        falsy={False},
        metadata={"description": "Also try what the new scheme turns on 敏感性分析"},
    )


class ComparedScheme(Out):
    id = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    hash = fields.String(required=True, metadata={"description": "SHA-256 of all that counts"})
    classes = fields.List(fields.String(), required=True, metadata={"description": "From the best to the worst"})


class ComparedCounts(Out):
    """How many entities get each class under both schemes."""

    old = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    new = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class ComparedGroup(Out):
    division = fields.String(metadata={"description": "Of `by_division`: six digits"})
    industry = fields.String(metadata={"description": "Of `by_industry`: section of GB/T 4754; empty where unknown"})
    subject = fields.String(metadata={"description": "Of `by_subject`: kind 主体类型"})
    title = fields.Nested(LabelOut)
    classes = fields.Nested(ComparedCounts, required=True)
    worse = fields.Integer(required=True)
    better = fields.Integer(required=True)


class ComparedFlow(Out):
    old = fields.String(required=True)
    new = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class Mover(Out):
    code = fields.String(required=True)
    name = fields.String(required=True)
    subject = fields.String(required=True)
    division = fields.String(required=True)
    industry = fields.Integer(required=True, metadata={"description": "GB/T 4754 class; 0 unknown"})
    old_class = fields.String(required=True)
    new_class = fields.String(required=True)
    old_score = fields.Integer(required=True)
    new_score = fields.Integer(required=True)
    jump = fields.Float(required=True, metadata={"description": "Classes of the new scheme; above 0 towards the worse"})
    rule = fields.String(
        required=True,
        metadata={"description": "Row of the score that changed most in that direction; `cuts` where none did"},
    )


class MovedBy(Out):
    rule = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    worse = fields.Integer(required=True)
    better = fields.Integer(required=True)


class VisitsOut(Out):
    old = fields.Integer(required=True, allow_none=True)
    new = fields.Integer(required=True, allow_none=True)
    difference = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Added a year; below 0: saved"}
    )


class ComparedTable(Out):
    id = fields.String(required=True)
    hash = fields.String(required=True, metadata={"description": "SHA-256 of all that counts"})


class TrialOut(Out):
    what = fields.String(required=True, metadata={"description": "rule (left out), parameter or cut"})
    rule = fields.String(required=True, metadata={"description": "Rule id; of a cut the two classes it parts"})
    parameter = fields.String(required=True, metadata={"description": "Empty but for a parameter"})
    percent = fields.Integer(
        required=True, metadata={"description": "Of a parameter's value, or for a cut of the scale; -100: left out"}
    )
    from_ = fields.Integer(data_key="from", attribute="from", required=True, allow_none=True)
    to = fields.Integer(required=True, allow_none=True)
    title = fields.Nested(LabelOut, required=True)
    moved = fields.Integer(required=True)
    worse = fields.Integer(required=True)
    better = fields.Integer(required=True)


class ComparisonOut(Out):
    old = fields.Nested(ComparedScheme, required=True)
    new = fields.Nested(ComparedScheme, required=True)
    on = fields.String(required=True, metadata={"format": "date"})
    known_seq = fields.Integer(required=True)
    divisions = fields.List(fields.String(), required=True)
    entities = fields.Integer(required=True, metadata={"description": "Subjects 户数 graded under both"})
    only_old = fields.Integer(required=True, metadata={"description": "Graded under the old scheme only"})
    only_new = fields.Integer(required=True, metadata={"description": "Graded under the new scheme only"})
    worse = fields.Integer(required=True)
    better = fields.Integer(required=True)
    classes = fields.Nested(ComparedCounts, required=True)
    matrix = fields.List(fields.Nested(ComparedFlow), required=True, metadata={"description": "From class to class"})
    by_division = fields.List(fields.Nested(ComparedGroup), required=True)
    by_industry = fields.List(fields.Nested(ComparedGroup), required=True)
    by_subject = fields.List(fields.Nested(ComparedGroup), required=True)
    movers = fields.List(
        fields.Nested(Mover), required=True, metadata={"description": "Those who become worst first, then by code"}
    )
    moved_by = fields.List(fields.Nested(MovedBy), required=True)
    visits = fields.Nested(VisitsOut, required=True, metadata={"description": "Inspections a year 全年检查户次"})
    inspector_days = fields.Nested(
        VisitsOut,
        required=True,
        metadata={"description": "The same in inspector-days 人日, of an average item by teams of two"},
    )
    frequency = fields.Nested(
        ComparedTable, required=True, metadata={"description": "Frequency table that says how often 抽查比例和频次"}
    )
    sensitivity = fields.List(
        fields.Nested(TrialOut), required=True, allow_none=True, metadata={"description": "What moves most first"}
    )
