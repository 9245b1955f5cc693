"""Items of the list of items: what is asked and shown of them."""

from marshmallow import Schema, fields, validate

from api.schemas.common import Out, PageQuery
from registry.kinds.base import Day, Text
from registry.services.register_forms import METHODS, NATURES, ItemFields

VERSION = fields.Integer(
    load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 2**31 - 1),
    metadata={"description": "Version that the change saw 版本; none: it is new"},
)  # fmt: skip


class ItemsQuery(PageQuery):
    nature = fields.String(
        load_default="",
        validate=validate.OneOf(["", *NATURES.terms]),
        metadata={"description": "general or key 事项类别"},
    )
    label = Text(32, load_default="", metadata={"description": "Only items that apply to this special database 专项库"})
    every = fields.String(
        load_default="", validate=validate.OneOf(["", "yes"]),
        metadata={"description": "yes: also those that are not in force today 含未启用、已停用"},
    )  # fmt: skip


class ItemIn(ItemFields):
    version = VERSION


class ItemRetireIn(Schema):
    on = Day(required=True, metadata={"description": "First day on which it is checked no more 停用日期"})
    version = VERSION


class ItemHarmOut(Out):
    from_ = fields.String(data_key="from", attribute="from", required=True, metadata={"format": "date"})
    weight = fields.Integer(required=True)
    basis = fields.String(required=True)


class ItemQuestionOut(Out):
    code = fields.String(required=True)
    text = fields.String(required=True)
    severity = fields.Integer(required=True, metadata={"description": "1 minor 轻微, 2 general 一般, 3 serious 严重"})
    basis = fields.String(required=True, metadata={"description": "Empty: that of the item"})


class ItemOut(Out):
    code = fields.String(required=True)
    name = fields.String(required=True)
    basis = fields.String(required=True)
    subjects = fields.List(fields.String(), required=True)
    method = fields.String(
        required=True, metadata={"description": ", ".join(f"{name} {term.zh}" for name, term in METHODS.terms.items())}
    )
    nature = fields.String(required=True)
    department = fields.String(required=True)
    labels = fields.List(fields.String(), required=True, metadata={"description": "Empty: everybody"})
    minutes = fields.Integer(required=True)
    harm = fields.List(fields.Nested(ItemHarmOut), required=True)
    weight = fields.Integer(required=True, metadata={"description": "Weight of the harm today"})
    questions = fields.List(fields.Nested(ItemQuestionOut), required=True)
    from_on = fields.String(required=True, metadata={"format": "date"})
    until_on = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    in_force = fields.Boolean(required=True, metadata={"description": "Whether it is checked today"})
    version = fields.Integer(required=True, metadata={"description": "Name it in a change"})
    updated_by = fields.String(required=True)
    updated_at = fields.String(required=True, metadata={"format": "date-time"})


class ItemPage(Out):
    items = fields.List(fields.Nested(ItemOut), required=True)
    next = fields.String(required=True, allow_none=True)


__all__ = ["VERSION", "ItemIn", "ItemOut", "ItemPage", "ItemRetireIn", "ItemsQuery"]
