"""Figures of inspections 检查统计. Rates stand by class: for readers of grades."""

from marshmallow import Schema, fields, validate

from api.schemas.common import Out, Whole, division_prefix


class InspectionFiguresQuery(Schema):
    first = fields.Date(
        load_default=None,
        data_key="from",
        metadata={"description": "First day on which lists were made; default: a year back"},
    )
    last = fields.Date(
        load_default=None, data_key="to", metadata={"description": "Last day on which lists were made; default: today"}
    )
    task = Whole(
        load_default=None, validate=validate.Range(1, 2_147_483_647), metadata={"description": "Only of this task 任务"}
    )
    division = division_prefix()


class FiguresShareOut(Out):
    part = fields.Integer(required=True)
    of = fields.Integer(required=True)
    share = fields.Float(
        required=True, allow_none=True, metadata={"description": "part ÷ of; null where nothing is there"}
    )


class FiguresEstimatedOut(FiguresShareOut):
    low = fields.Float(required=True, allow_none=True, metadata={"description": "End of the 95 % interval"})
    high = fields.Float(required=True, allow_none=True)


class FiguresProgressOut(Out):
    to_check = fields.Integer(required=True, metadata={"description": "应查"})
    visited = fields.Integer(required=True, metadata={"description": "已查"})
    non_response = fields.Integer(required=True, metadata={"description": "未能检查"})
    dropped = fields.Integer(required=True, metadata={"description": "已取消; they stay to be checked"})
    published = fields.Integer(required=True, metadata={"description": "已公示"})
    closed = fields.Integer(required=True, metadata={"description": "已办结: published, and nothing is left to do"})
    completion = fields.Nested(
        FiguresShareOut, required=True, metadata={"description": "完成率: published of to check"}
    )
    closure = fields.Nested(FiguresShareOut, required=True, metadata={"description": "办结率: closed of published"})


class FiguresPublicationOut(Out):
    in_time = fields.Integer(required=True, metadata={"description": "Within 20 working days 按期公示"})
    late = fields.Integer(required=True)
    open = fields.Integer(required=True, metadata={"description": "Not published, not yet due"})
    overdue = fields.Integer(required=True, metadata={"description": "Not published, past the last day 逾期未公示"})
    withdrawn = fields.Integer(required=True)
    punctual = fields.Nested(FiguresShareOut, required=True)


class FiguresRechecksOut(Out):
    orders = fields.Integer(required=True, metadata={"description": "Orders to correct 责令改正"})
    ordered = fields.Integer(required=True, metadata={"description": "Re-checks that are to be made 复查"})
    done = fields.Nested(FiguresShareOut, required=True)
    overdue = fields.Integer(required=True)
    without_visit = fields.Integer(required=True, metadata={"description": "Ordered, and there is no visit for it"})


class FiguresRatingsOut(Out):
    at_least = fields.Integer(required=True, metadata={"description": "Ratings, in fives"})
    mean = fields.Float(required=True, metadata={"description": "1 worst to 5 best"})


class FiguresToldOut(Out):
    visits = fields.Nested(FiguresProgressOut, required=True, metadata={"description": "户次"})
    entities = fields.Nested(FiguresProgressOut, required=True, metadata={"description": "户数"})
    publication = fields.Nested(FiguresPublicationOut, required=True)
    rechecks = fields.Nested(FiguresRechecksOut, required=True)
    leads = fields.Nested(
        FiguresShareOut, required=True, metadata={"description": "Case leads that are filed or closed"}
    )
    ratings = fields.Nested(
        FiguresRatingsOut, required=True, allow_none=True, metadata={"description": "Null below five ratings 企业评价"}
    )


class FiguresOrganToldOut(FiguresToldOut):
    organ = fields.String(required=True)


class FiguresFoundOut(Out):
    visits = fields.Integer(required=True)
    pending = fields.Integer(required=True, metadata={"description": "Without an approved result yet"})
    gone = fields.Integer(required=True, metadata={"description": "Nothing is run there any more: no part of a rate"})
    found = fields.Nested(
        FiguresEstimatedOut, required=True, metadata={"description": "Of those who were met 问题发现率"}
    )
    not_met = fields.Nested(
        FiguresShareOut, required=True, metadata={"description": "Of the visits that came to an end"}
    )


class FiguresSliceOut(FiguresFoundOut):
    slice = fields.String(required=True)
    title = fields.String(required=True)


class FiguresClassOut(FiguresFoundOut):
    scheme = fields.String(required=True)
    class_ = fields.String(data_key="class", attribute="class", required=True)


class InspectionRateOut(Out):
    class_ = fields.String(data_key="class", attribute="class", required=True)
    drawn = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    failures = fields.Integer(required=True)
    rate = fields.Float(required=True, allow_none=True)
    low = fields.Float(required=True, allow_none=True)
    high = fields.Float(required=True, allow_none=True)
    represents = fields.Float(required=True, metadata={"description": "Entities that the lots chose from"})
    total_failures = fields.Float(required=True, allow_none=True)
    total_low = fields.Float(required=True, allow_none=True)
    total_high = fields.Float(required=True, allow_none=True)
    least = fields.Float(required=True, allow_none=True)
    most = fields.Float(required=True, allow_none=True)
    withheld = fields.String(
        required=True,
        metadata={"description": "Why there is no rate although some were met; else empty 不予给出的原因"},
    )


class FiguresPooledOut(Out):
    scheme = fields.String(required=True)
    lots = fields.Integer(required=True, metadata={"description": "Lists with a lot: drawn, or with a random slice"})
    visits = fields.Integer(required=True)
    pending = fields.Integer(required=True, metadata={"description": "Until none is left the rates are preliminary"})
    items = fields.List(fields.Nested(InspectionRateOut), required=True)


class FiguresTaskRatesOut(FiguresPooledOut):
    task = fields.Integer(required=True)
    title = fields.String(required=True)
    organ = fields.String(required=True)


class FiguresUnbiasedOut(Out):
    pooled = fields.List(fields.Nested(FiguresPooledOut), required=True)
    tasks = fields.List(
        fields.Nested(FiguresTaskRatesOut), required=True, metadata={"description": "The newest hundred"}
    )
    tasks_in_all = fields.Integer(required=True)


class FiguresSpentOut(Out):
    visits = fields.Integer(required=True)
    minutes = fields.Integer(required=True, metadata={"description": "On site, of all inspectors together"})
    found = fields.Integer(required=True, metadata={"description": "Visits with a problem"})
    problems = fields.Integer(required=True)
    per_found = fields.Float(required=True, allow_none=True, metadata={"description": "minutes ÷ found"})


class FiguresEffortOut(FiguresSpentOut):
    slice = fields.String(required=True, metadata={"description": "A slice; lot: all by lot; all"})
    of_lot = fields.Float(required=True, allow_none=True, metadata={"description": "per_found ÷ that of the lots"})
    last_year = fields.Nested(FiguresSpentOut, required=True)
    of_last_year = fields.Float(required=True, allow_none=True)


class FiguresDayOut(Out):
    day = fields.String(required=True, metadata={"format": "date"})
    organs = fields.List(fields.String(), required=True)


class FiguresBeyondOut(Out):
    code = fields.String(required=True)
    division = fields.String(required=True)
    cap = fields.Integer(required=True)
    visits = fields.Integer(required=True)
    days = fields.List(fields.Nested(FiguresDayOut), required=True)


class InspectionFiguresOut(Out):
    from_ = fields.String(data_key="from", attribute="from", required=True, metadata={"format": "date"})
    to = fields.String(required=True, metadata={"format": "date"})
    on = fields.String(required=True, metadata={"format": "date"})
    task = fields.Integer(required=True, allow_none=True)
    division = fields.String(required=True)
    lists = fields.Integer(required=True)
    tasks = fields.Integer(required=True)
    total = fields.Nested(FiguresToldOut, required=True)
    organs = fields.List(fields.Nested(FiguresOrganToldOut), required=True)
    slices = fields.List(fields.Nested(FiguresSliceOut), required=True)
    classes = fields.List(fields.Nested(FiguresClassOut), required=True)
    unbiased = fields.Nested(FiguresUnbiasedOut, required=True)
    effort = fields.List(fields.Nested(FiguresEffortOut), required=True)
    beyond_cap = fields.List(fields.Nested(FiguresBeyondOut), required=True, metadata={"description": "Must be empty"})
