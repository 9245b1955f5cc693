"""One record by a right of its own; relations; complaints in figures."""

from marshmallow import Schema, fields, validate

from api.schemas.common import HIGHEST_SEQ, LabelOut, Out, Whole
from api.schemas.grade import within_reach


class RelationsQuery(Schema):
    on = fields.Date(
        load_default=None,
        validate=within_reach,
        metadata={"description": "Day on which the relations hold; today, where not given"},
    )
    known = Whole(
        load_default=None,
        validate=validate.Range(0, HIGHEST_SEQ),
        metadata={"description": "Ledger number: as far as was known by then; now, where not given"},
    )


class SideOut(Out):
    code = fields.String(
        required=True, metadata={"description": "Credit code or registration number; empty: not given"}
    )
    name = fields.String(required=True)
    registered = fields.Boolean(metadata={"description": "Whether this registry knows the entity"})


class RelationOut(Out):
    seq = fields.Integer(required=True, metadata={"description": "Ledger number 台账号"})
    type = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    of = fields.Nested(SideOut, required=True, metadata={"description": "Whose relation it is"})
    to = fields.Nested(
        SideOut, required=True, allow_none=True, metadata={"description": "The other entity; null: a person"}
    )
    person = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The natural person: 张*, with records:detail the name"},
    )
    position = fields.String(required=True, metadata={"description": "Position 职务"})
    share = fields.String(required=True, allow_none=True, metadata={"description": "Share in percent 持股比例"})
    from_ = fields.Date(data_key="from", attribute="from", required=True, allow_none=True)
    until = fields.Date(
        required=True, allow_none=True, metadata={"description": "First day on which it no longer holds"}
    )


class RelationsOut(Out):
    on = fields.Date(required=True)
    items = fields.List(fields.Nested(RelationOut), required=True)


class PeriodQuery(Schema):
    from_ = fields.Date(
        data_key="from", load_default=None, validate=within_reach, metadata={"description": "First day of receipt"}
    )
    to = fields.Date(
        load_default=None,
        validate=within_reach,
        metadata={"description": "Last day of receipt; today, where not given"},
    )


class ComplaintCounts(Out):
    accepted = fields.Integer(required=True, metadata={"description": "Accepted and closed 受理并办结"})
    settled = fields.Integer(required=True, metadata={"description": "Settled 调解成功"})
    mediation_refused = fields.Integer(required=True, metadata={"description": "Mediation refused 拒绝调解"})
    upheld = fields.Integer(required=True, metadata={"description": "Found true 属实"})


class CategoryCounts(ComplaintCounts):
    category = fields.String(required=True)


class ParameterOut(Out):
    name = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    value = fields.Integer(required=True)
    from_ = fields.String(data_key="from", attribute="from", required=True)
    basis_kind = fields.String(required=True)
    basis = fields.String(required=True)
    note = fields.String(required=True)


class PublicityOut(ComplaintCounts):
    from_ = fields.String(data_key="from", attribute="from", required=True)
    to = fields.String(required=True)
    by_category = fields.List(fields.Nested(CategoryCounts), required=True)
    parameters = fields.List(
        fields.Nested(ParameterOut), required=True, metadata={"description": "The rules behind it"}
    )


class ComplaintsOut(PublicityOut):
    left_out = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True,
        metadata={"description": "What is not published, by reason: open, not_accepted, withdrawn, serial, no_complaint, not_counted"},
    )  # fmt: skip


class ClaimantOut(Out):
    pseudonym = fields.String(required=True, metadata={"description": "Tells two claimants apart, and finds nobody"})
    items = fields.Integer(required=True, metadata={"description": "Items of the newest window"})
    entities = fields.Integer(required=True, metadata={"description": "Entities that these are about"})
    last_on = fields.Date(required=True, metadata={"description": "Day of the newest item in series"})
    capped = fields.Integer(required=True, metadata={"description": "Items that do not count"})


class ClaimantsOut(Out):
    items = fields.List(fields.Nested(ClaimantOut), required=True)


class RecordReadOut(Out):
    seq = fields.Integer(required=True)
    kind = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "The entity's code"})
    title = fields.Nested(LabelOut, required=True)
    line = fields.Nested(LabelOut, required=True)
    happened_on = fields.Date(required=True, allow_none=True)
    ends_on = fields.Date(required=True, allow_none=True)
    amount_fen = fields.Integer(required=True)
    document_no = fields.String(required=True)
    organ = fields.String(required=True)
    source = fields.String(required=True)
    corrects = fields.Integer(required=True, allow_none=True)
    detail = fields.Dict(required=True, metadata={"description": "What the key's scopes open of it"})
