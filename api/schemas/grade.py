"""Grades, their history, their explanation; counts; schemes. Only what carries no class may go without grades:read."""

from datetime import date

from marshmallow import Schema, ValidationError, fields, validate

from api.schemas.common import KnownAt, LabelOut, Out
from registry.kinds.base import EARLIEST
from registry.services.explanation import LATEST
from rules.kinds import PUBLISHED


class GradeQuery(Schema):
    reasons = fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        metadata={
            "description": "Also the points behind it: what decided the class, then the heaviest; all of them add up to the score 理由"
        },
    )


class GradeReasonOut(Out):
    points = fields.Integer(required=True, metadata={"description": "Signed points of one rule, cap or veto"})
    zh = fields.String(required=True)
    en = fields.String(required=True)
    records = fields.List(fields.Integer(), required=True, metadata={"description": "Ledger numbers behind it"})


class GradeOut(Out):
    code = fields.String(required=True, metadata={"description": "Credit code, or registration number"})
    name = fields.String(required=True)
    scheme = fields.String(required=True)
    class_ = fields.String(data_key="class", required=True, metadata={"description": "Risk class 风险分类"})
    score = fields.Integer(
        required=True, metadata={"description": "Score 得分; its scale and direction are the scheme's"}
    )
    on = fields.String(required=True, metadata={"description": "Day of the grade", "format": "date"})
    known_seq = fields.Integer(required=True, metadata={"description": "How much of the ledger was known 已知台账号"})
    due_on = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "First day on which time alone may change it; null: never", "format": "date"},
    )
    digest = fields.String(
        required=True, metadata={"description": "SHA-256 over class, score, points and records read"}
    )
    reasons = fields.List(
        fields.Nested(GradeReasonOut),
        allow_none=True,
        metadata={"description": "With `reasons=true` only; null where the grade cannot be worked out again 无法重算"},
    )


class GradeBrief(Out):
    on = fields.String(required=True, metadata={"format": "date"})
    known_seq = fields.Integer(required=True)
    class_ = fields.String(data_key="class", attribute="class", required=True)
    score = fields.Integer(required=True)
    scheme_hash = fields.String(required=True)


class PastGradeOut(GradeBrief):
    digest = fields.String(required=True)


class GradePage(Out):
    items = fields.List(fields.Nested(PastGradeOut), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "Token of the next page; null on the last"}
    )


def within_reach(day: date) -> None:
    if not EARLIEST <= day <= LATEST:
        raise ValidationError(f"Give a day from {EARLIEST} until {LATEST}.")


class ExplanationQuery(Schema):
    on = fields.Date(
        load_default=None,
        validate=within_reach,
        metadata={"description": "Day of the grade; default: as it was last graded 评价日"},
    )
    known_at = KnownAt(
        load_default=None,
        metadata={"description": "What was known: a day (its end), a moment (RFC 3339) or a ledger number 按当时所知"},
    )
    ways = fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        metadata={
            "description": "Also how the class could get better, and what would make it worse, from today on 改善途径"
        },
    )


class PointsOut(Out):
    rule = fields.String(required=True, metadata={"description": "Rule id, or base, cap:…, veto:…, clamp"})
    points = fields.Integer(required=True, metadata={"description": "Signed; all rows add up to the score"})
    title = fields.Nested(LabelOut, required=True)
    sentence = fields.Nested(LabelOut, required=True, metadata={"description": "The reason, with its values"})
    group = fields.String(required=True, allow_none=True)
    second = fields.String(required=True, allow_none=True)
    condition = fields.Nested(LabelOut, required=True, metadata={"description": "When the rule hits"})
    parameters = fields.List(
        fields.Dict(), required=True, metadata={"description": "Values used, each with its basis 依据"}
    )
    indicators = fields.List(fields.String(), required=True)
    records = fields.List(fields.Integer(), required=True, metadata={"description": "Ledger numbers behind it"})


class SetByPersonsOut(Out):
    id = fields.Integer(required=True, metadata={"description": "Number of the override 人工认定编号"})
    class_ = fields.String(data_key="class", attribute="class", required=True)
    reason = fields.String(required=True, metadata={"description": "理由"})
    basis = fields.String(required=True, metadata={"description": "依据"})
    from_ = fields.String(data_key="from", attribute="from", required=True, metadata={"format": "date"})
    until = fields.String(
        required=True, metadata={"format": "date", "description": "First day on which it no longer holds"}
    )
    proposed_by = fields.String(required=True)
    decided_by = fields.String(required=True, metadata={"description": "Who approved it 审批人"})
    decided_at = fields.String(required=True, metadata={"format": "date-time"})
    said = fields.String(required=True, metadata={"description": "What the approver added"})


class RaisedOut(Out):
    id = fields.Integer(required=True, metadata={"description": "Number of the raise 上调编号"})
    class_ = fields.String(
        data_key="class", attribute="class", required=True, metadata={"description": "What the rules gave at the time"}
    )
    chance = fields.Integer(
        required=True, metadata={"description": "Chance of a finding then, in millionths 发现问题概率"}
    )
    model = fields.String(required=True, metadata={"description": "Name of the model 模型"})
    model_hash = fields.String(required=True)
    reasons = fields.List(fields.Dict(), required=True, metadata={"description": "The heaviest contributions 主要理由"})
    from_ = fields.String(data_key="from", attribute="from", required=True, metadata={"format": "date"})
    until = fields.String(
        required=True, metadata={"format": "date", "description": "First day on which it no longer holds"}
    )
    automatic = fields.Boolean(
        required=True, metadata={"description": "Counts by the scheme's leave, no officer asked"}
    )
    decided_by = fields.String(required=True, metadata={"description": "Who confirmed it 确认人"})
    decided_at = fields.String(required=True, metadata={"format": "date-time"})
    said = fields.String(required=True, metadata={"description": "Why 理由"})


class ModelEffectOut(Out):
    orders = fields.Boolean(required=True, metadata={"description": "Whether the chance orders lists inside the class"})
    warning = fields.Integer(required=True, allow_none=True, metadata={"description": "Open early warning 风险预警"})
    raise_ = fields.Dict(
        data_key="raise", attribute="raise", required=True, allow_none=True,
        metadata={"description": "What it suggested and that stands: `id`, `state`, `seq` 类别上调"},
    )  # fmt: skip
    not_raised = fields.String(
        required=True, allow_none=True, metadata={"description": "veto, override or worst: why it raises nothing"}
    )
    why_not_raised = fields.Nested(LabelOut, required=True, allow_none=True)


class ModelSaidOut(Out):
    why_not = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "past, off, no_champion, not_scored or no_ground; null where the model speaks"},
    )
    said = fields.Nested(LabelOut, required=True, allow_none=True, metadata={"description": "The same in words"})
    name = fields.String(metadata={"description": "Name of the model 模型"})
    hash = fields.String(metadata={"description": "SHA-256 of its bundle"})
    form = fields.String(metadata={"description": "scorecard or boosted"})
    on = fields.String(metadata={"format": "date", "description": "Day of the score"})
    known_seq = fields.Integer(metadata={"description": "How much of the ledger was known"})
    chance = fields.Integer(
        allow_none=True,
        metadata={"description": "Chance that the next check finds something, in millionths 发现问题概率"},
    )
    points = fields.Integer(metadata={"description": "Points of the model; never points of the grade 模型分"})
    base = fields.Integer(allow_none=True, metadata={"description": "Points before any feature"})
    contributions = fields.List(
        fields.Dict(),
        allow_none=True,
        metadata={
            "description": "Feature, title, value and points, the heaviest first; with `base` they add up to `points` exactly. Null "
            "where they cannot be worked out again 各特征贡献"
        },
    )
    effect = fields.Nested(ModelEffectOut, metadata={"description": "What came of it 作用"})


class DecidedByOut(Out):
    rule = fields.String(required=True, metadata={"description": "veto:…, cap:…, override:… or raise:…"})
    title = fields.Nested(LabelOut, required=True)
    points = fields.Integer(
        required=True, metadata={"description": "What it added; 0 where the points said the same class"}
    )
    override = fields.Nested(
        SetByPersonsOut, required=True, allow_none=True, metadata={"description": "Where persons have set the class"}
    )
    raise_ = fields.Nested(
        RaisedOut, data_key="raise", attribute="raise", required=True, allow_none=True,
        metadata={"description": "Where a raise holds that a model suggested 类别上调"},
    )  # fmt: skip


class DistanceOut(Out):
    better = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "Points to the next better class, as rules count them, before the scale holds the score; null in the best "
            "class, and where points do not help 距更好一级"
        },
    )
    worse = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The same to the next worse class 距更差一级"}
    )
    notes = fields.List(
        fields.Nested(LabelOut),
        required=True,
        metadata={"description": "What holds the class, and points over the limit of a group, in words"},
    )


class UndecidedRuleOut(LabelOut):
    rule = fields.String(required=True)


class ExplanationOut(Out):
    code = fields.String(required=True)
    name = fields.String(required=True)
    subject = fields.String(required=True)
    scheme = fields.String(required=True)
    scheme_title = fields.Nested(LabelOut, required=True)
    scheme_hash = fields.String(required=True)
    on = fields.String(required=True, metadata={"format": "date"})
    known_seq = fields.Integer(required=True)
    class_ = fields.String(data_key="class", attribute="class", required=True)
    score = fields.Integer(required=True)
    decided_by = fields.String(
        required=True, allow_none=True, metadata={"description": "The veto, cap, override or raise that set the class"}
    )
    decided = fields.Nested(
        DecidedByOut,
        required=True,
        allow_none=True,
        metadata={
            "description": "What set the class, in words; null where points alone did 决定分类的规则或者人工认定"
        },
    )
    points = fields.List(fields.Nested(PointsOut), required=True)
    indicators = fields.List(
        fields.Dict(), required=True, metadata={"description": "Every indicator with its value; null unknown"}
    )
    records = fields.List(
        fields.Dict(), required=True, metadata={"description": "The records named above, as they may be seen today"}
    )
    undecided = fields.List(fields.String(), required=True, metadata={"description": "Rules without enough data"})
    undecided_rules = fields.List(
        fields.Nested(UndecidedRuleOut),
        required=True,
        metadata={"description": "The same with their titles 未能判定的规则"},
    )
    # Fields are taken off the class, so this one does not hide what the mapper calls `unknown`.
    unknown = fields.List(  # type: ignore[assignment]
        fields.String(), required=True, metadata={"description": "Indicators without data"}
    )
    no_data = fields.List(fields.String(), required=True, metadata={"description": "First-level groups without data"})
    completeness = fields.Dict(required=True, metadata={"description": "Indicators known, and all"})
    distance = fields.Nested(DistanceOut, required=True)
    next_day = fields.String(required=True, allow_none=True)
    breakpoints = fields.List(
        fields.Dict(), required=True, metadata={"description": "Days on which time alone may change it"}
    )
    context_hash = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The frozen context that was read 背景值; null where the scheme reads none, or there is none"
        },
    )
    digest = fields.String(required=True)
    reproduced = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Equals the grade stored for that day and knowledge; null: none was stored"},
    )
    differs = fields.String(metadata={"description": "Why not, where it does not"})
    model = fields.Nested(
        ModelSaidOut,
        metadata={"description": "What the model in use says beside the rules, or why it says nothing 模型"},
    )
    ways = fields.Dict(
        allow_none=True,
        metadata={
            "description": "With `ways=true` only: the cheapest ways to a better class, waiting alone, what would make it worse; "
            "null where the scheme does not grade the entity today"
        },
    )


class ClassCount(Out):
    subject = fields.String(required=True, metadata={"description": "Kind 主体类型"})
    class_ = fields.String(data_key="class", attribute="class", required=True)
    entities = fields.Integer(required=True, metadata={"description": "Subjects 户数"})


class ClassCounts(Out):
    scheme = fields.String(required=True)
    items = fields.List(fields.Nested(ClassCount), required=True)


class SchemeOut(Out):
    id = fields.String(required=True)
    title = fields.Nested(LabelOut, required=True)
    hash = fields.String(required=True, metadata={"description": "SHA-256 of all that counts"})
    subjects = fields.List(fields.String(), required=True)
    published = fields.String(
        required=True,
        validate=validate.OneOf(list(PUBLISHED)),
        metadata={
            "description": "Whether the class may be shown to the public 是否公示: never, or where a local rule allows it"
        },
    )
    cycle = fields.String(required=True)
    direction = fields.String(required=True)
    lowest = fields.Integer(required=True)
    highest = fields.Integer(required=True)


class SchemeDetail(SchemeOut):
    cuts = fields.List(
        fields.Dict(), required=True, metadata={"description": "Classes and their highest scores, dated, with basis"}
    )
    groups = fields.List(fields.Dict(), required=True, metadata={"description": "First-level groups, in order"})
    rules = fields.Integer(required=True, metadata={"description": "Number of rules"})
    indicators = fields.Integer(required=True, metadata={"description": "Number of indicators"})


class SchemeList(Out):
    items = fields.List(fields.Nested(SchemeOut), required=True)
    next = fields.String(required=True, allow_none=True)
