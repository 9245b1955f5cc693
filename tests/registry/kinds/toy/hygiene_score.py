"""A kind of record that the product does not have: the test drops this one file beside the others."""

from marshmallow import fields, validate

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, key_of


class HygieneScoreSchema(RecordSchema):
    PAST = ("scored_on",)

    score = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(0, 10),
        metadata={"sees": "public", "description": "Score 卫生评分"},
    )
    scored_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of the visit 评分日期"}
    )


def state(data):
    number = fold_document_no(data["document_no"])
    return Statement(
        "hygiene_score", data["score"], int(data["score"] < 6), 0, data["scored_on"], None, number, data["organ"],
        key_of("hygiene_score", fold_name(data["organ"]), number, data), {},
    )  # fmt: skip


def line(row):
    return Label(f"卫生评分 {row['code']} 分", f"Hygiene score {row['code']}")


KIND = Kind(
    "hygiene_score", 900, Label("卫生评分", "Hygiene score"), HygieneScoreSchema, state, line,
    projects=Projection(code="score, 0 to 10", severity="0 passed, 1 below six", day="scored"),
)  # fmt: skip
