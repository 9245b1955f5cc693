"""Posting, correcting and withdrawing records."""

from datetime import date
from typing import Any

from marshmallow import Schema, fields, validate

from api.schemas.common import Out
from registry.kinds import KINDS
from registry.kinds.base import Text

POSTABLE = {name: kind for name, kind in KINDS.items() if kind.postable}


class PartySchema(Schema):
    code = fields.String(
        required=True, metadata={"description": "Credit code, or registration number 统一社会信用代码或注册号"}
    )
    name = fields.String(metadata={"description": "Name 名称, used if the code is not registered yet"})


def posted_schema(kind: str) -> Schema:
    """The shape of one posted record of a kind: its own fields, and the party. For the document; `records.check` checks."""
    declared = KINDS[kind]
    name = f"Posted{''.join(part.capitalize() for part in kind.split('_'))}"
    described = {"description": "Whom it is about 当事人"}
    made: type[Any] = type(
        name, (declared.schema,), {"party": fields.Nested(PartySchema, required=True, metadata=described)}
    )
    schema: Schema = made(today=date.max)
    return schema


class BatchIn(Schema):
    records = fields.List(
        fields.Raw(),
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "Records of this kind, each as in the single post", "items": {"type": "object"}},
    )


class CorrectionIn(Schema):
    reason = Text(500, required=True, metadata={"description": "Why 更正理由"})
    record = fields.Dict(
        required=True, metadata={"description": "The whole record as it should be, as in the single post"}
    )


class WithdrawalIn(Schema):
    reason = Text(500, required=True, metadata={"description": "Why 撤回理由"})


class GradeNow(Out):
    class_ = fields.String(data_key="class", required=True)
    score = fields.Integer(required=True)
    on = fields.Date(required=True, attribute="day")


class GradeBefore(Out):
    class_ = fields.String(data_key="class", required=True)
    score = fields.Integer(required=True)


class GradeChange(GradeNow):
    changed_from = fields.Nested(
        GradeBefore,
        required=True,
        allow_none=True,
        metadata={"description": "The grade before; null if this record left it as it was"},
    )


class PostedOut(Out):
    said = fields.String(required=True, metadata={"description": "stored, corrected or unchanged"})
    seq = fields.Integer(required=True, metadata={"description": "Ledger number that now says it 台账号"})
    code = fields.String(required=True, metadata={"description": "The entity's code"})
    undated = fields.Boolean(required=True, metadata={"description": "Has no date: kept, never counted in a window"})
    provisional = fields.Boolean(required=True, metadata={"description": "The entity is not registered yet"})
    grade = fields.Nested(
        GradeChange,
        allow_none=True,
        metadata={"description": "Only for keys with grades:read; null where the entity is not graded"},
    )


class BatchRow(Out):
    index = fields.Integer(required=True, metadata={"description": "Place in `records`, from 0"})
    said = fields.String(
        required=True, metadata={"description": "stored, corrected, unchanged, withdrawn, refused or deferred"}
    )
    seq = fields.Integer()
    code = fields.String()
    undated = fields.Boolean()
    provisional = fields.Boolean()
    grade = fields.Nested(GradeChange, allow_none=True)
    problems = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class BatchOut(Out):
    stored = fields.Integer(required=True)
    corrected = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    withdrawn = fields.Integer(required=True, metadata={"description": "Withdrawn earlier: they stay so"})
    refused = fields.Integer(required=True)
    deferred = fields.Integer(
        required=True, metadata={"description": "Not stored because the database was busy: send again"}
    )
    rows = fields.List(fields.Nested(BatchRow), required=True)


class ReplacedOut(Out):
    said = fields.String(required=True, metadata={"description": "corrected, withdrawn or unchanged"})
    seq = fields.Integer(required=True, metadata={"description": "Ledger number that now says it"})
