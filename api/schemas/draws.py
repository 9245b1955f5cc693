"""Draws 随机抽取: what is asked for, what was announced, and what only readers of classes see of it."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from api.schemas.common import Out, division_prefix, industry_prefix, one_of_subjects
from registry.kinds.base import Text
from registry.kinds.licence import SUBJECTS as LICENCES
from registry.services.draw_errors import LONGEST_TEXT, LONGEST_WITNESS, SHORTEST_WITNESS, STATES
from registry.services.draw_planning import STRATA
from rules.draw import ALGORITHMS

HIGHEST_ID = 2**31 - 1
HUNDRED = 10_000


def _not_by_class(value: list[Any]) -> None:
    if value:
        raise ValidationError(
            "A draw is not filtered by class: its public minutes would tell the class of everybody who was visited. Leave "
            "`classes` out; `ratios` say how many of each class are drawn."
        )


class DrawIn(Schema):
    task = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, HIGHEST_ID), metadata={"description": "Id of the task 任务"}
    )  # fmt: skip
    division = division_prefix()
    industry = industry_prefix()
    kind = one_of_subjects()
    labels = fields.List(
        Text(32, required=True), load_default=list, validate=validate.Length(max=20),
        metadata={"description": "Codes of labels 监管标签: members of one of them"},
    )  # fmt: skip
    licences = fields.List(
        fields.String(validate=validate.OneOf(list(LICENCES.terms))), load_default=list, validate=validate.Length(max=20),
        metadata={"description": "Holders of a valid licence of one of these kinds 许可类型"},
    )  # fmt: skip
    classes = fields.List(
        fields.String(), load_default=list, validate=_not_by_class,
        metadata={"description": "Always empty: a draw is not filtered by class, its public minutes would tell it", "maxItems": 0},
    )  # fmt: skip
    ratios = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 4)),
        values=fields.Integer(strict=True, validate=validate.Range(1, HUNDRED)),
        load_default=dict,
        validate=validate.Length(max=20),
        metadata={
            "description": "Ratio wanted by class, in hundredths of a percent, inside the bounds of the frequency table 抽查比例"
        },
    )
    strata = fields.String(
        load_default="class", validate=validate.OneOf(list(STRATA)),
        metadata={"description": "Strata 分层: " + ", ".join(f"{name} {words}" for name, words in STRATA.items())},
    )  # fmt: skip
    algorithm = fields.String(
        load_default="", validate=validate.OneOf(["", *ALGORITHMS]),
        metadata={"description": "sha256 or sm3; empty: that of the seal 摘要算法"},
    )  # fmt: skip


class DrawRunIn(Schema):
    # Not masked as other texts are: what is bound must be what was spoken, and what would be masked is refused.
    witness = fields.String(
        required=True, validate=[validate.Length(SHORTEST_WITNESS, LONGEST_WITNESS), validate.Regexp("^[^\\x00]*$")],
        metadata={"description": "What was thrown or drawn in public after the announcement, by whom, and when 见证; no personal numbers"},
    )  # fmt: skip


class DrawVoidIn(Schema):
    reason = Text(LONGEST_TEXT, required=True, metadata={"description": "Why; the public reads it 作废原因"})


class RecusalIn(Schema):
    visit = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, HIGHEST_ID), metadata={"description": "Id of the visit 检查"}
    )  # fmt: skip
    inspector = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, HIGHEST_ID),
        metadata={"description": "Id of the inspector who leaves 回避人员"},
    )  # fmt: skip
    why = Text(LONGEST_TEXT, required=True, metadata={"description": "Why 回避理由"})


class StratumOut(Out):
    stratum = fields.String(required=True)
    class_ = fields.String(required=True, data_key="class", attribute="class")
    row = fields.String(required=True, metadata={"description": "Row of the frequency table"})
    division = fields.String(required=True)
    candidates = fields.Integer(required=True)
    size = fields.Integer(required=True, metadata={"description": "How many are drawn of the candidates"})


class DrawOut(Out):
    id = fields.Integer(required=True)
    task = fields.Integer(required=True)
    organ = fields.String(required=True)
    state = fields.String(
        required=True, metadata={"description": "State 状态: " + ", ".join(f"{name} {words}" for name, words in STATES.items())}
    )  # fmt: skip
    algorithm = fields.String(required=True)
    day = fields.Date(required=True, metadata={"description": "Day on which the candidates were frozen"})
    pool = fields.Integer(required=True, metadata={"description": "Candidates"})
    size = fields.Integer(required=True, metadata={"description": "Entities that are drawn of them"})
    commitment = fields.String(required=True, metadata={"description": "Digest of the seed"})
    root = fields.String(
        required=True, metadata={"description": "Digest over the salted commitments of the candidates"}
    )
    witness = fields.String(required=True)
    committed_by = fields.String(required=True)
    committed_at = fields.String(required=True, metadata={"format": "date-time"})
    committed_seq = fields.Integer(required=True, metadata={"description": "Ledger row of the announcement"})
    drawn_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    drawn_seq = fields.Integer(required=True, allow_none=True)
    revealed_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    void_why = fields.String(required=True)
    list = fields.Integer(required=True, allow_none=True, metadata={"description": "Id of the list that it made"})
    digest = fields.String(
        required=True, metadata={"description": "Digest of the full minutes; empty before it is drawn"}
    )
    scheme = fields.String(metadata={"description": "With grades:read only, as what follows"})
    filters = fields.Dict(metadata={"description": "What the candidates were chosen by"})
    frequency = fields.String(metadata={"description": "SHA-256 of the frequency table"})
    excluded = fields.Dict(
        keys=fields.String(), values=fields.Integer(), metadata={"description": "Who fits and was left out, by reason"}
    )
    strata = fields.List(fields.Nested(StratumOut))
    workload = fields.List(fields.Dict(), metadata={"description": "Inspector-days needed and there, by organ"})


class DrawPage(Out):
    items = fields.List(fields.Nested(DrawOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


class RoundOut(Out):
    draw = fields.Integer(required=True)
    round = fields.Integer(required=True)
    visit = fields.Integer(required=True)
    out = fields.Integer(required=True, metadata={"description": "Inspector who left"})
    into = fields.Integer(required=True, metadata={"description": "Inspector who was drawn instead"})
    why = fields.String(required=True)
    at = fields.String(required=True, metadata={"format": "date-time"})
    seq = fields.Integer(required=True, metadata={"description": "Ledger row that says so"})


class PublicDrawOut(Out):
    id = fields.Integer(required=True)
    task = fields.Integer(required=True)
    organ = fields.String(required=True)
    day = fields.Date(required=True, metadata={"description": "Day of the announcement 公告日"})
    announced_at = fields.String(required=True, metadata={"format": "date-time"})
    algorithm = fields.String(required=True)
    commitment = fields.String(required=True, metadata={"description": "Digest of the seed 种子承诺"})
    root = fields.String(
        required=True, metadata={"description": "Digest over the salted commitments of all candidates"}
    )
    pool = fields.Integer(required=True, metadata={"description": "Candidates 候选对象数"})
    state = fields.String(required=True, validate=validate.OneOf(list(STATES)))
    void_why = fields.String(required=True, metadata={"description": "Why it was voided 作废原因"})
    committed_seq = fields.Integer(required=True, metadata={"description": "Ledger row of the announcement 台账行"})


class PublicDrawPage(Out):
    items = fields.List(fields.Nested(PublicDrawOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


class PublicDrawFound(PublicDrawOut):
    minutes = fields.Dict(
        required=True, allow_none=True,
        metadata={
            "description": "Public minutes without the list of commitments, which stands in minutes.json; null before the task is closed"
        },
    )  # fmt: skip
