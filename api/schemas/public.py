"""What anyone may see. There is no field here for a risk class, a score or a ledger number, and none may be added.

The one class is that of a quality-credit grade which a local rule makes public: see registry/services/public_grades.py.
"""

from marshmallow import fields, validate

from api.schemas.common import LabelOut, Out, PageQuery
from api.schemas.dossier import PUBLISHED, BasicsOut, KindCount, PublishedGrade, past_day
from registry.kinds import KINDS


class PublicRecordsQuery(PageQuery):
    kind = fields.String(
        load_default=None,
        validate=validate.OneOf(list(KINDS)),
        metadata={"description": "Kind of record 记录类别: " + ", ".join(KINDS)},
    )
    on = past_day("Only what had happened and was known by this day 截至日. Never anything that is not public today")


class PublicRecord(Out):
    kind = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    line = fields.Nested(LabelOut, required=True, metadata={"description": "The record in one line 摘要"})
    happened_on = fields.String(required=True, allow_none=True)
    ends_on = fields.String(required=True, allow_none=True)
    amount_fen = fields.Integer(required=True, metadata={"description": "Amount in fen (1/100 yuan) 金额"})
    organ = fields.String(required=True)
    document_no = fields.String(required=True)
    published_on = fields.String(required=True, allow_none=True, metadata={"description": "Published since 公示起"})
    published_until = fields.String(
        required=True, allow_none=True, metadata={"description": "First day on which it is not shown any more 公示止"}
    )
    counts_from = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Day from which the period counts 公示期起算日; before `published_on` where it was published late"
        },
    )
    repairable_from = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "First day on which it may be stopped early 可提前停止公示日"},
    )
    corrected_since = fields.Boolean(
        required=True, metadata={"description": "On the day asked for it was believed in other words 此后已更正"}
    )
    detail = fields.Dict(required=True, metadata={"description": "Public fields of its kind"})


class PublicRecordPage(Out):
    items = fields.List(fields.Nested(PublicRecord), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "Token of the next page"})


class PublicEntity(BasicsOut):
    counts = fields.List(
        fields.Nested(KindCount), required=True, metadata={"description": "Records that are public today, by kind"}
    )
    listed = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Lists on which it stands, as far as that is public 名录"},
    )
    published_grades = fields.List(fields.Nested(PublishedGrade), required=True, metadata={"description": PUBLISHED})
