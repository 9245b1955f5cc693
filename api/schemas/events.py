"""The feed of grade changes: only for who may read grades."""

from marshmallow import fields

from api.schemas.common import Out, PageQuery
from api.schemas.grade import GradeBrief
from registry.services.changes import CAUSES

_NAMES = ", ".join(f"{en} {zh}" for zh, en in CAUSES.values())


class EventQuery(PageQuery):
    code = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "Of one entity: its credit code or registration number"},
    )


class EventOut(Out):
    id = fields.Integer(required=True)
    scheme = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    at = fields.String(required=True, metadata={"format": "date-time", "description": "When the grade was written"})
    causes = fields.List(
        fields.String(),
        required=True,
        metadata={"description": f"What had changed since the grade before 变动原因: {_NAMES}"},
    )
    before = fields.Nested(GradeBrief, required=True)
    after = fields.Nested(GradeBrief, required=True)


class EventPage(Out):
    items = fields.List(fields.Nested(EventOut), required=True)
    next = fields.String(required=True, allow_none=True)


class RowDifference(Out):
    rule = fields.String(required=True)
    before = fields.Integer(required=True)
    after = fields.Integer(required=True)
    difference = fields.Integer(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class EventReasons(EventOut):
    rows = fields.List(
        fields.Nested(RowDifference),
        required=True,
        metadata={"description": "Rows of points that are not the same; the differences add up to that of the scores"},
    )
    records_added = fields.List(fields.Integer(), required=True)
    records_gone = fields.List(fields.Integer(), required=True)
