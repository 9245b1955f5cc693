"""What the files of the one list and the two databases are answered with."""

from marshmallow import fields

from api.schemas.common import Out


class FileCauseOut(Out):
    row = fields.Integer(required=True, metadata={"description": "Row of the file, from 1 行号"})
    column = fields.String(required=True, metadata={"description": "Heading 列; empty: the whole row"})
    value = fields.String(required=True, metadata={"description": "What stood there, numbers of persons masked 值"})
    reason = fields.String(required=True, metadata={"description": "What is wrong, and what to do 原因"})


class FileOut(Out):
    stored = fields.Integer(required=True, metadata={"description": "Rows that were added or changed 存入行数"})
    unchanged = fields.Integer(required=True, metadata={"description": "Rows that say what stands already 未变行数"})
    rejected = fields.Integer(required=True, metadata={"description": "Rows that were refused 拒收行数"})
    causes = fields.List(fields.Nested(FileCauseOut), required=True)
    left_out = fields.List(
        fields.String(), required=True,
        metadata={"description": "Columns that hold numbers of persons or more of a person than is kept: never stored 未读取的列"},
    )  # fmt: skip


__all__ = ["FileOut"]
