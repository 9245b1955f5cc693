"""Imports over HTTP: the form that is sent, and what an upload says of itself."""

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.schemas.common import Out
from registry.kinds import KINDS
from registry.services.parties import BadArea, area_of
from registry.services.uploads import LONGEST_SOURCE


class Yes(fields.Boolean):
    """true or false, as forms send them."""

    def __init__(self, description: str) -> None:
        super().__init__(
            load_default=False, truthy={"true", "1"}, falsy={"false", "0", ""}, metadata={"description": description}
        )


def _named(text: str) -> None:
    # Over HTTP a mapping is named and never a path: paths are those of the server.
    if not re.fullmatch(r"[\w-]{1,64}", text):
        raise ValidationError("Give the name of a mapping: letters, digits and hyphens, 64 at most.")


def _no_control(text: str) -> None:
    if not text.isprintable():
        raise ValidationError("The text contains a control character. Leave it out.")


def _division(text: str) -> None:
    try:
        area_of(text)
    except BadArea as error:
        raise ValidationError(error.detail) from error


class UploadForm(Schema):
    """The options beside the field `file` of a multipart form."""

    kind = fields.String(
        load_default=None,
        validate=validate.OneOf(list(KINDS)),
        metadata={"description": "Consider mappings of this kind only 类别"},
    )
    mapping = fields.String(
        load_default=None,
        validate=_named,
        metadata={"description": "Mapping 映射; default: the one that fits the headings"},
    )
    source = fields.String(
        load_default=None,
        validate=[validate.Length(1, LONGEST_SOURCE), _no_control],
        metadata={"description": "Source 来源: the key's organ (the default), or ORGAN/NAME for one of its systems"},
    )
    division = fields.String(
        load_default="",
        validate=_division,
        metadata={
            "description": "Area 区划 (GB/T 2260 prefix) in which the parties are registered whose row does not say so: there a row "
            "without a number is found by its exact name. Default: the key's one division"
        },
    )
    ignore_unknown = Yes("Leave out columns that the mapping does not know 忽略未知列")
    dry_run = Yes("Say what is understood and store nothing 试导入")


class UploadCounts(Out):
    read = fields.Integer(metadata={"description": "Rows dealt with 已读: the next four add up to it"})
    stored = fields.Integer(metadata={"description": "Stored 入库; of a dry run: would be stored"})
    unchanged = fields.Integer(metadata={"description": "Known already 未变"})
    unmatched = fields.Integer(metadata={"description": "Wait for a match 待匹配"})
    rejected = fields.Integer(metadata={"description": "Refused 拒收"})
    undated = fields.Integer(metadata={"description": "Of the stored rows, those without a date 无日期"})
    provisional = fields.Integer(
        metadata={"description": "Entities made for codes that are not registered yet 临时主体"}
    )
    differs = fields.Integer(
        metadata={"description": "Of the unchanged rows, those that another source says otherwise"}
    )
    released = fields.Integer(metadata={"description": "Rows that had waited and found their party"})
    by_name = fields.Integer(
        metadata={"description": "Of the stored rows, those that found their party by its exact name"}
    )
    dropped = fields.Integer(metadata={"description": "Rows that a person had decided to drop"})


class UploadOut(Out):
    id = fields.Integer(required=True)
    name = fields.String(required=True, metadata={"description": "Name of the file as sent 文件名"})
    state = fields.String(
        required=True,
        metadata={
            "description": "waiting 待处理, running 处理中, done 完成, failed (broke off; rows before it are stored) 失败, refused (cannot "
            "be read; nothing stored) 拒绝"
        },
    )
    source = fields.String(required=True, metadata={"description": "Source of the rows 来源"})
    dry_run = fields.Boolean(required=True)
    size = fields.Integer(metadata={"description": "Bytes"})
    digest = fields.String(metadata={"description": "SHA-256 of the file"})
    position = fields.Integer(metadata={"description": "Rows dealt with so far 进度"})
    rows = fields.Integer(
        allow_none=True, metadata={"description": "Rows of the table; null before the file was looked at"}
    )
    counts = fields.Nested(UploadCounts, allow_none=True)
    error = fields.String(
        allow_none=True, metadata={"description": "What is wrong and what to do; null where nothing is"}
    )
    received_at = fields.String(required=True)
    finished_at = fields.String(allow_none=True)
    rejected_file = fields.String(
        allow_none=True, metadata={"description": "Where the refused cells are, once it is finished"}
    )


class UploadDetail(UploadOut):
    understanding: Any = fields.Dict(
        allow_none=True,
        metadata={
            "description": "How the file was read: kind, encoding, header row, mapping, columns; of a dry run also first rows and causes"
        },
    )


class UploadPage(Out):
    items = fields.List(fields.Nested(UploadOut), required=True)
    next = fields.String(allow_none=True, metadata={"description": "Token of the next page 下一页"})
