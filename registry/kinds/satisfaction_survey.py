"""Satisfaction survey 满意度: what customers said of an entity's products or services, on a scale of 100."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.cells.personal import mask_personal
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice, in_order

CONDUCTORS = CodeList(
    "xinheng-survey-conductor",
    Label("调查主体", "Who conducted it"),
    {
        "itself": Term(0, "企业自测", "the entity itself", ("自评", "自行调查"), 0),
        "association": Term(1, "行业协会", "an association", ("协会", "消费者协会"), 1),
        "third_party": Term(2, "第三方机构", "a third party", ("第三方",), 2),
        "government": Term(3, "政府部门", "a government body", ("政府", "监管部门"), 3),
        "unknown": Term(0, "未注明", "not stated"),
    },
    "our own; the order is a product default 产品默认值",
)
METHODS = CodeList(
    "satisfaction-method",
    Label("测评方法", "Method"),
    {
        "gbt19038": Term(
            1, "GB/T 19038 顾客满意测评模型和方法指南", "GB/T 19038-2009", ("GB/T 19038", "GB/T 19038-2009")
        ),
        "gbt19039": Term(2, "GB/T 19039 顾客满意测评通则", "GB/T 19039-2009", ("GB/T 19039", "GB/T 19039-2009")),
        "ccsi": Term(3, "中国顾客满意度指数", "CCSI", ("CCSI", "顾客满意度指数")),
        "other": Term(4, "其他方法", "other"),
    },
    "national standards on customer satisfaction and the China customer satisfaction index",
)
# The highest mark of the scales in use. Scores of two scales are compared on one of 100.
SCALES = (5, 10, 100)


class Score(fields.Field[Decimal]):
    """A score as it was given: a number, or a number as text, not negative, with at most four decimals."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 12:
                raise InvalidOperation
            score = Decimal(str(value).strip().removesuffix("分"))
        except InvalidOperation:
            shown = mask_personal(str(value).replace("\x00", "␀"))[:20]
            raise ValidationError(f"{shown!r} is not a score. Write a number, for example 85.2.") from None
        # The bound comes first: rounding 1E+999 is an error of its own.
        if not score.is_finite() or not 0 <= score <= SCALES[-1] or score != round(score, 4):
            raise ValidationError(f"{value} is not a score between 0 and {SCALES[-1]} with at most four decimals.")
        return score


class SatisfactionSurveySchema(RecordSchema):
    PAST = ("surveyed_from", "surveyed_on")

    score = Score(
        required=True,
        metadata={
            "sees": "public",
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "description": "Score 满意度得分, on the scale of `scale`",
        },
    )
    scale = fields.Integer(
        load_default=100,
        strict=True,
        validate=validate.OneOf(SCALES),
        metadata={"sees": "public", "description": "Highest mark of the scale 满分: 5, 10 or 100"},
    )
    sample = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(1, 10**8),
        metadata={"sees": "public", "description": "People asked 样本量"},
    )
    subject = Text(
        200, load_default="", metadata={"sees": "public", "description": "Product or service asked about 测评对象"}
    )
    conducted_by = Choice(
        CONDUCTORS, load_default="unknown", metadata={"sees": "public", "description": "Who conducted it 调查主体"}
    )
    conductor = Text(200, load_default="", metadata={"sees": "public", "description": "Its name 调查机构名称"})
    method = Choice(
        METHODS, otherwise="other", load_default="other", metadata={"sees": "public", "description": "Method 测评方法"}
    )
    surveyed_from = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "First day 调查开始日期"}
    )
    surveyed_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Last day 调查结束日期"}
    )

    @validates_schema
    def _agrees_with_itself(self, data: dict[str, Any], **_: Any) -> None:
        in_order(data, "surveyed_from", "surveyed_on", "Ended before it began 结束早于开始")
        if data.get("score") is not None and data.get("scale") in SCALES and data["score"] > data["scale"]:
            raise ValidationError(
                {
                    "score": [
                        f"{data['score']} lies above {data['scale']}, the top of the scale. Correct one of the two."
                    ]
                }
            )


def hundredths(score: Decimal, scale: int) -> int:
    """The score in hundredths of a point on a scale of 100, rounded half up: 4.26 of 5 is 8520."""
    return int((score * 10_000 / scale).to_integral_value(ROUND_HALF_UP))


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    key = key_of("satisfaction_survey", fold_name(organ), document_no, data)
    named = (fold_name(data["subject"]),)
    if key[1] == "document":  # one report covers many enterprises, and several services of one
        key = (*key, *named)
    elif key[1] == "content" and data["surveyed_on"]:
        key = ("satisfaction_survey", "survey", fold_name(data["conductor"]), *named, data["surveyed_on"].isoformat())
    detail: dict[str, Any] = {
        "score": format(data["score"].normalize(), "f"),
        "scale": data["scale"],
        "conducted_by": data["conducted_by"],
        "method": data["method"],
    }
    if document_no:
        detail["printed_no"] = data["document_no"]
    detail |= {name: data[name] for name in ("sample", "subject", "conductor", "remark") if data[name]}
    if data["surveyed_from"]:
        detail["surveyed_from"] = data["surveyed_from"].isoformat()
    return Statement(
        "satisfaction_survey", hundredths(data["score"], data["scale"]), CONDUCTORS.terms[data["conducted_by"]].severity, 0,
        data["surveyed_on"], None, document_no, organ, key, detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    by = CONDUCTORS.terms[detail["conducted_by"]]
    subject = f"（{detail['subject']}）" if detail.get("subject") else ""
    return Label(
        f"满意度测评{subject}：{row['code'] / 100:.2f} 分，{by.zh}",
        f"Satisfaction survey: {row['code'] / 100:.2f} of 100, by {by.en}",
    )


KIND = Kind(
    "satisfaction_survey", 15, Label("满意度", "Satisfaction survey"), SatisfactionSurveySchema, state, line,
    projects=Projection(
        code="score in hundredths of a point of 100 (8520 is 85.20)",
        severity="who asked: 0 the entity itself or not stated, 1 an association, 2 a third party, 3 a government body (never a fault)",
        day="last day of the survey",
    ),
    lists=(CONDUCTORS, METHODS),
)  # fmt: skip
