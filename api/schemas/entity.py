"""Entities and their records."""

from marshmallow import fields, validate

from api.schemas.common import LabelOut, Out, PageQuery, division_prefix, industry_prefix, no_nul, one_of_subjects
from registry.kinds import KINDS


class EntityQuery(PageQuery):
    q = fields.String(
        load_default="",
        validate=[validate.Length(max=200), no_nul],
        metadata={
            "description": "Credit code, registration number, or at least two characters of a name, former ones too "
            "统一社会信用代码、注册号或名称(含曾用名)"
        },
    )
    division = division_prefix()
    kind = one_of_subjects()
    industry = industry_prefix()
    class_ = fields.String(
        data_key="class",
        load_default="",
        validate=[validate.Length(max=4), no_nul],
        metadata={"description": "Risk class 风险分类; needs grades:read"},
    )


class EntityOut(Out):
    code = fields.String(allow_none=True, metadata={"description": "Unified social credit code 统一社会信用代码"})
    registration_no = fields.String(allow_none=True, metadata={"description": "Old registration number 注册号"})
    name = fields.String(required=True, metadata={"description": "Name 名称"})
    kind = fields.String(required=True, metadata={"description": "Kind 主体类型"})
    status = fields.String(required=True, metadata={"description": "open, revoked, cancelled or other 登记状态"})
    industry = fields.Integer(required=True, metadata={"description": "GB/T 4754 class 行业; 0 unknown"})
    division = fields.String(required=True, metadata={"description": "GB/T 2260 行政区划"})
    address = fields.String(required=True, metadata={"description": "Address 住所"})
    established = fields.String(
        allow_none=True, metadata={"description": "Day of establishment 成立日期", "format": "date"}
    )
    provisional = fields.Boolean(
        required=True, metadata={"description": "Named by a record, not registered yet, not graded 待登记"}
    )


class FoundOut(EntityOut):
    merged_into = fields.String(
        metadata={"description": "Code of the entity that this one is now 已合并到; only where it was merged"}
    )
    class_ = fields.String(
        data_key="class",
        attribute="class",
        allow_none=True,
        metadata={"description": "Risk class 风险分类, only for keys with grades:read; null while not graded"},
    )


class EntityPage(Out):
    items = fields.List(fields.Nested(FoundOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


class EntityDetail(EntityOut):
    organ = fields.String(required=True, metadata={"description": "Registering organ 登记机关"})
    capital_fen = fields.Integer(
        required=True, metadata={"description": "Registered capital in fen 注册资本; 0 unknown or in another currency"}
    )
    merged_from = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Codes and registration numbers of entities that were merged into this one 合并自"},
    )


class RecordsQuery(PageQuery):
    kind = fields.String(
        load_default=None,
        validate=validate.OneOf(list(KINDS)),
        metadata={
            "description": "Kind of record 记录类别: "
            + ", ".join(f"{kind.name} {kind.title.zh}" for kind in KINDS.values())
        },
    )


class RecordOut(Out):
    seq = fields.Integer(required=True, metadata={"description": "Ledger number 台账号"})
    kind = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True, metadata={"description": "Name of the kind"})
    line = fields.Nested(LabelOut, required=True, metadata={"description": "The record in one line 摘要"})
    happened_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "Day; null where the source gives none"}
    )
    ends_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "First day on which it no longer holds"}
    )
    amount_fen = fields.Integer(
        required=True, metadata={"description": "Amount in fen (1/100 yuan) 金额; 0 where there is none"}
    )
    document_no = fields.String(required=True, metadata={"description": "Document number 文书号, as printed"})
    organ = fields.String(required=True, metadata={"description": "Organ that decided 机关"})
    source = fields.String(
        required=True,
        metadata={
            "description": "Who sent it 数据来源: `organ` is the deciding organ itself, else the source of a file"
        },
    )
    corrects = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Ledger number of the row that this one corrected 更正"},
    )
    detail = fields.Dict(required=True, metadata={"description": "What this kind has besides, by its own names"})


class RecordPage(Out):
    items = fields.List(fields.Nested(RecordOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )
