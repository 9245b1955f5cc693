"""Labels and memberships: what is asked and shown of them."""

from marshmallow import Schema, fields, validate

from api.schemas.common import Out, PageQuery
from api.schemas.items import VERSION
from registry.kinds.base import Day
from registry.services.register_forms import SCOPES, LabelFields


class LabelsQuery(PageQuery):
    scope = fields.String(
        load_default="",
        validate=validate.OneOf(["", *SCOPES.terms]),
        metadata={"description": "Who maintains it 标签范围"},
    )


class LabelIn(LabelFields):
    version = VERSION


class LabelRetireIn(Schema):
    version = VERSION


class LabelRetiredOut(Out):
    code = fields.String(required=True, metadata={"description": "Code of the label that is no more"})


class MembershipIn(Schema):
    from_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"description": "First day 列入日期; none: today, or since when it is one"},
    )
    until_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"description": "First day on which it is a member no more 移出日期"},
    )


class SupervisionLabelOut(Out):
    code = fields.String(required=True)
    name = fields.String(required=True)
    scope = fields.String(required=True)
    division = fields.String(required=True, metadata={"description": "Prefix of its area; empty: all"})
    basis = fields.String(required=True)
    licences = fields.List(fields.String(), required=True)
    industries = fields.List(fields.String(), required=True)
    version = fields.Integer(required=True, metadata={"description": "Name it in a change"})
    updated_by = fields.String(required=True)
    updated_at = fields.String(required=True, metadata={"format": "date-time"})


class SupervisionLabelPage(Out):
    items = fields.List(fields.Nested(SupervisionLabelOut), required=True)
    next = fields.String(required=True, allow_none=True)


class LabelMemberOut(Out):
    code = fields.String(required=True, metadata={"description": "Credit code, or registration number"})
    name = fields.String(required=True)
    kind = fields.String(required=True)
    division = fields.String(required=True)


class LabelMemberPage(Out):
    items = fields.List(fields.Nested(LabelMemberOut), required=True)
    next = fields.String(required=True, allow_none=True)


class EntityLabelOut(Out):
    code = fields.String(required=True, metadata={"description": "Code of the label"})
    name = fields.String(required=True)
    why = fields.List(
        fields.String(), required=True, metadata={"description": "hand 人工, licence 许可, industry 行业"}
    )
    from_on = fields.String(
        required=True, allow_none=True, metadata={"format": "date", "description": "By hand: since when"}
    )
    until_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})


class EntityLabelsOut(Out):
    items = fields.List(fields.Nested(EntityLabelOut), required=True)


__all__ = [
    "EntityLabelsOut", "LabelIn", "LabelMemberPage", "LabelRetireIn", "LabelRetiredOut", "LabelsQuery", "MembershipIn", "SupervisionLabelOut",
    "SupervisionLabelPage",
]  # fmt: skip
