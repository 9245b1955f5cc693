"""Inspectors: what is asked and shown of them."""

from marshmallow import Schema, fields, validate

from api.schemas.common import Out, PageQuery, Whole
from api.schemas.items import VERSION
from registry.kinds.base import Day, Text
from registry.services.inspector_keeping import LONGEST_WHY
from registry.services.register_forms import LEVELS, STATES, InspectorFields

_STATES = ", ".join(f"{name} {term.zh}" for name, term in STATES.terms.items())


class InspectorsQuery(PageQuery):
    state = fields.String(
        load_default="",
        validate=validate.OneOf(["", *STATES.terms]),
        metadata={"description": f"State 状态: {_STATES}"},
    )
    item = Text(32, load_default="", metadata={"description": "Only those who may check this item 事项编码"})
    expiring = Whole(
        load_default=None, validate=validate.Range(0, 3_650),
        metadata={"description": "Only active ones without a certificate that is valid so many days from today 证件即将到期"},
    )  # fmt: skip


class InspectorIn(InspectorFields):
    version = VERSION


class InspectorStateIn(Schema):
    state = fields.String(
        required=True, validate=validate.OneOf(list(STATES.terms)), metadata={"description": f"State 状态: {_STATES}"}
    )
    version = VERSION


class ConflictIn(Schema):
    code = Text(
        40, required=True, metadata={"description": "Credit code or registration number of the entity 统一社会信用代码"}
    )
    why = Text(LONGEST_WHY, required=True, metadata={"description": "What the interest is 利害关系"})
    from_on = Day(load_default=None, allow_none=True, metadata={"description": "First day 起始日; none: today"})
    until_on = Day(
        load_default=None, allow_none=True, metadata={"description": "First day on which it holds no more 截止日"}
    )


class ConflictEndIn(Schema):
    code = Text(
        40, required=True, metadata={"description": "Credit code or registration number of the entity 统一社会信用代码"}
    )
    on = Day(
        load_default=None, allow_none=True, metadata={"description": "First day on which it holds no more; none: today"}
    )


class AwayIn(Schema):
    from_on = Day(required=True, metadata={"description": "First day away 起始日"})
    to_on = Day(required=True, metadata={"description": "Last day away 截止日"})
    why = Text(200, load_default="", metadata={"description": "Why 事由"})


class AwayEndIn(Schema):
    from_on = Day(required=True, metadata={"description": "The first day of those days away 起始日"})


class InspectorCertificateOut(Out):
    no = fields.String(required=True)
    kind = fields.String(required=True)
    until = fields.String(required=True, metadata={"format": "date", "description": "Last day of validity"})


class InspectorOut(Out):
    id = fields.Integer(required=True)
    organ = fields.String(required=True)
    staff_no = fields.String(required=True)
    name = fields.String(required=True)
    level = fields.String(
        required=True, metadata={"description": ", ".join(f"{name} {term.zh}" for name, term in LEVELS.terms.items())}
    )
    position = fields.String(required=True)
    areas = fields.List(fields.String(), required=True, metadata={"description": "An empty one: everywhere"})
    items = fields.List(fields.String(), required=True, metadata={"description": "*: all"})
    certificates = fields.List(fields.Nested(InspectorCertificateOut), required=True)
    certified_until = fields.String(
        required=True, allow_none=True,
        metadata={"format": "date", "description": "Last day of the certificate that is valid longest 证件有效期至"},
    )  # fmt: skip
    certified = fields.Boolean(
        required=True, metadata={"description": "Whether one is valid today; without it no draw chooses him"}
    )
    expert = fields.Boolean(required=True)
    capacity = fields.Integer(required=True, metadata={"description": "Most days of visits in a month"})
    actor = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": _STATES})
    version = fields.Integer(required=True, metadata={"description": "Name it in a change"})
    updated_by = fields.String(required=True)
    updated_at = fields.String(required=True, metadata={"format": "date-time"})


class AwayOut(Out):
    from_on = fields.String(required=True, metadata={"format": "date"})
    to_on = fields.String(required=True, metadata={"format": "date"})
    why = fields.String(required=True)


class InspectorDetail(InspectorOut):
    away = fields.List(fields.Nested(AwayOut), required=True, metadata={"description": "Days away, the last first"})


class InspectorPage(Out):
    items = fields.List(fields.Nested(InspectorOut), required=True)
    next = fields.String(required=True, allow_none=True)


class ConflictOut(Out):
    code = fields.String(required=True)
    name = fields.String(required=True)
    why = fields.String(required=True)
    from_on = fields.String(required=True, metadata={"format": "date"})
    until_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    by = fields.String(required=True)
    at = fields.String(required=True, metadata={"format": "date-time"})


class ConflictsOut(Out):
    items = fields.List(fields.Nested(ConflictOut), required=True)


__all__ = [
    "AwayEndIn", "AwayIn", "ConflictEndIn", "ConflictIn", "ConflictsOut", "InspectorDetail", "InspectorIn", "InspectorOut",
    "InspectorPage", "InspectorStateIn", "InspectorsQuery",
]  # fmt: skip
