"""A scheme's vocabulary in Chinese and English: kinds, units, measures, conditions and points, as an officer says them.

What a list of codes calls its numbers is not known here: who knows it passes `Terms`, else codes are told as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from rules import conditions
from rules.expressions import Expression, Extreme, Integer, Product, Sum, Value
from rules.kinds import BASIS_KINDS, CONTEXT_AREAS, CONTEXT_NORMS, CONTEXT_VALUES, PUBLISHED, SUBJECTS
from rules.parts import Indicator, Membership, Title

Words = Mapping[str, Mapping[str, str]]
# kind → field of a fact (`code`, `severity`) → number → what that number is called
Terms = Mapping[str, Mapping[str, Mapping[int, Title]]]
Numbers = Mapping[int, str]

KINDS: Words = {
    "zh": {
        "registration": "登记", "penalty": "行政处罚", "abnormal_listing": "经营异常名录", "serious_listing": "严重违法失信名单",
        "spot_check": "抽查检查", "item_12315": "投诉举报咨询", "annual_report": "年报", "licence": "行政许可",
        "product_sampling": "监督抽检", "registration_change": "变更登记", "certification": "认证",
        "standard_declared": "企业标准自我声明", "recall": "召回", "award": "质量奖、名牌", "satisfaction_survey": "满意度",
        "outside_list": "外部名单", "accident": "质量安全事故", "relation": "关联关系", "check_detail": "检查明细",
    },
    "en": {
        "registration": "registration", "penalty": "penalty", "abnormal_listing": "abnormal-operation listing",
        "serious_listing": "serious-violation listing", "spot_check": "spot check",
        "item_12315": "complaint, report or consultation", "annual_report": "annual report", "licence": "licence",
        "product_sampling": "product sampling", "registration_change": "registration change",
        "certification": "certification", "standard_declared": "declared standard", "recall": "recall", "award": "award",
        "satisfaction_survey": "satisfaction survey", "outside_list": "outside listing", "accident": "accident",
        "relation": "relation", "check_detail": "detail of a check",
    },
}  # fmt: skip
FIELDS: Words = {
    "zh": {"code": "类别代码", "severity": "严重程度", "amount": "金额（分）", "one": "条数"},
    "en": {"code": "code", "severity": "severity", "amount": "amount in fen", "one": "number"},
}
# What the columns mean for a kind (docs/architecture.md); what is not here is called by its plain name above.
_OF: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "zh": {
        "registration": {"code": "行业代码", "severity": "登记状态代码", "amount": "注册资本（分）"},
        "penalty": {"code": "处罚种类代码", "amount": "罚没金额（分）"},
        "abnormal_listing": {"code": "列入事由代码"},
        "serious_listing": {"code": "列入条款代码"},
        "spot_check": {"code": "检查结果代码", "severity": "问题程度"},
        "item_12315": {"code": "事项类别代码", "severity": "办理结果代码", "amount": "争议金额（分）"},
        "annual_report": {"code": "年度", "severity": "报送情况代码", "amount": "营业额（分）"},
        "licence": {"code": "许可类别代码", "severity": "状态代码"},
        "product_sampling": {"code": "产品领域代码", "severity": "不合格程度", "amount": "货值（分）"},
        "registration_change": {"code": "变更事项代码", "severity": "变更程度", "amount": "减资额（分）"},
        "certification": {"code": "认证项目代码", "severity": "状态代码"},
        "standard_declared": {"code": "标准级别代码", "severity": "问题程度"},
        "recall": {"code": "产品类别代码", "severity": "召回性质代码"},
        "award": {"code": "荣誉类别代码", "severity": "级别代码", "amount": "奖金（分）"},
        "satisfaction_survey": {"code": "得分（百分之一分）", "severity": "调查方代码"},
        "outside_list": {"code": "名单代码", "severity": "评价程度", "amount": "所欠金额（分）"},
        "accident": {"code": "事故类别代码", "severity": "事故等级代码", "amount": "直接损失（分）"},
        "relation": {"code": "关系类别代码", "amount": "占比（万分之一）"},
        "check_detail": {
            "code": "检查目的代码",
            "severity": "问题程度",
            "amount": "问题个数",
            "harm": "问题个数乘程度",
        },
    },
    "en": {
        "registration": {"code": "industry code", "severity": "state code", "amount": "registered capital in fen"},
        "penalty": {"code": "kind of penalty", "amount": "fine and confiscation in fen"},
        "abnormal_listing": {"code": "ground"},
        "serious_listing": {"code": "article"},
        "spot_check": {"code": "result code", "severity": "gravity of the finding"},
        "item_12315": {"code": "kind of item", "severity": "outcome code", "amount": "amount in dispute in fen"},
        "annual_report": {"code": "year", "severity": "filing code", "amount": "turnover in fen"},
        "licence": {"code": "kind of licence", "severity": "state code"},
        "product_sampling": {"code": "field", "severity": "gravity of the failure", "amount": "value in fen"},
        "registration_change": {
            "code": "item changed",
            "severity": "weight of the change",
            "amount": "capital lost in fen",
        },
        "certification": {"code": "programme", "severity": "state code"},
        "standard_declared": {"code": "level", "severity": "fault found"},
        "recall": {"code": "kind of product", "severity": "how it came about"},
        "award": {"code": "honour", "severity": "level", "amount": "prize money in fen"},
        "satisfaction_survey": {"code": "score in hundredths", "severity": "who asked"},
        "outside_list": {"code": "list", "severity": "assessment", "amount": "owed in fen"},
        "accident": {"code": "kind of accident", "severity": "grade of the accident", "amount": "direct loss in fen"},
        "relation": {"code": "kind of relation", "amount": "share in hundredths of a percent"},
        "check_detail": {
            "code": "purpose code",
            "severity": "gravity of the finding",
            "amount": "number of findings",
            "harm": "number times gravity",
        },
    },
}
UNITS: Words = {
    "zh": {
        "count": "个", "fen": "元", "yuan": "元", "point": "分", "step": "档", "code": "", "year": "年",
        "flag": "", "percent": "%", "permille": "‰", "day": "日",
    },
    "en": {
        "count": "", "fen": " yuan", "yuan": " yuan", "point": " points", "step": " steps", "code": "",
        "year": " years", "flag": "", "percent": " percent", "permille": " per mille", "day": " days",
    },
}  # fmt: skip
SUBJECT: Words = {
    "zh": SUBJECTS,
    "en": {
        "enterprise": "enterprises", "individual": "individual businesses", "cooperative": "farmers' cooperatives",
        "branch": "branches", "other": "others",
    },
}  # fmt: skip
BASIS: Words = {
    "zh": BASIS_KINDS,
    "en": {
        "statute": "statute", "normative_document": "normative document", "standard": "standard",
        "local_example": "local example", "draft": "draft for comment", "product_default": "product default, no legal basis",
    },
}  # fmt: skip
SHOWN: Words = {
    "zh": PUBLISHED,
    "en": {"never": "never", "local_rule": "only where a local rule allows it and the district has switched it on"},
}
CYCLE: Words = {
    "zh": {"day": "每日", "week": "每周", "month": "每月", "quarter": "每季度", "year": "每年"},
    "en": {"day": "daily", "week": "weekly", "month": "monthly", "quarter": "quarterly", "year": "yearly"},
}
DIRECTION: Words = {
    "zh": {"higher_is_riskier": "得分越高，风险越大", "higher_is_better": "得分越高，信用越好"},
    "en": {"higher_is_riskier": "the higher, the riskier", "higher_is_better": "the higher, the better"},
}
CONTEXT: Words = {
    "zh": CONTEXT_VALUES,
    "en": {
        "same_address": "other entities at the same address",
        "related": "related entities",
        "related_abnormal": "related entities on the abnormal-operation list",
        "related_serious": "related entities on the serious-violation list",
        "related_revoked": "related entities whose licence was revoked",
        "related_penalised": "related entities penalised within a year",
        "related_worst": "related entities of the worst risk class",
        "representative_others": "other entities of the legal representative",
        "representative_revoked": "revoked entities among those of the legal representative",
    },
}
NORM: Words = {
    "zh": {**CONTEXT_NORMS, **CONTEXT_AREAS},
    "en": {
        "complaints": "complaints per entity and year in its industry, in thousandths",
        "violations": "checks with findings in its industry, in thousandths",
        "penalties": "penalties per entity and year in its industry, in thousandths",
        "area_problems_120d": "checks of its division within 120 days that found a problem, in thousandths",
        "area_problems_1y": "checks of its division within a year that found a problem, in thousandths",
        "area_serious_120d": "checks of its division within 120 days that found a serious problem, in thousandths",
        "area_serious_1y": "checks of its division within a year that found a serious problem, in thousandths",
    },
}
# Of each measure: {kind} {of} {window} {where} {days} {empty} … are filled in by `indicator`.
MEASURES: Words = {
    "zh": {
        "count": "{window}{kind}记录条数{where}",
        "sum": "{window}{kind}记录{where}的{of}合计{per}",
        "max": "{window}{kind}记录{where}的最大{of}，没有时为 0",
        "load": "{window}{kind}记录{where}的{of}按折算表 [{steps}] 折算后合计{per}",
        "open": "当日仍在有效期内的{kind}记录{where}条数",
        "open_age": "当日仍在有效期内、最早的一条{kind}记录{where}满几档（{days} 日各为一档）",
        "age": "{window}{which}一条{kind}记录{where}距今满几档（{days} 日各为一档），没有时为 {empty}",
        "last": "{window}最近一条{kind}记录{where}的{of}，没有时为 {empty}",
        "lookup": "{window}最近一条{kind}记录{where}的{of}查对照表 [{lookup}] 所得，没有时为 {empty}",
        "expired": "最近一条{kind}记录{where}{ahead}已到期为 1，否则为 0",
        "missing_years": "最近 {years} 个年度应报而未报的年报年数，每年 {deadline} 起为逾期",
        "context": "{context}",
        "norm": "{norm}",
        "area": "{norm}",
        "subject": "主体类别：企业 0、个体工商户 1、农民专业合作社 2、分支机构 3、其他 4",
        "percent_of_norm": "“{indicator}”占行业平均的百分数（{norm}，低于 {least} 时按 {least} 计）",
        "ratio": "“{indicator}”除以“{base}”，乘以 {scale}，舍去尾数{prior}",
        "grade": "方案 [{scheme}] 给出的{grade}",
        "matrix": "以“{row}”为行、“{column}”为列，查矩阵 [{matrix}] 所得；列无数据时取行的值",
    },
    "en": {
        "count": "number of records: {kind}{window}{where}",
        "sum": "sum of the {of}: {kind}{window}{where}{per}",
        "max": "greatest {of}: {kind}{window}{where}; 0 where there is none",
        "load": "{of} weighted by age with table [{steps}], added up: {kind}{window}{where}{per}",
        "open": "number of records in force on the day: {kind}{where}",
        "open_age": "how many of {days} days the oldest record in force has reached: {kind}{where}",
        "age": "how many of {days} days have passed since the {which} record: {kind}{window}{where}; {empty} where there is none",
        "last": "{of} of the newest record: {kind}{window}{where}; {empty} where there is none",
        "lookup": "what table [{lookup}] says of the {of} of the newest record: {kind}{window}{where}; {empty} where there is none",
        "expired": "1 where the newest record has ended{ahead}, else 0: {kind}{where}",
        "missing_years": "reports that were owed and are missing, of the last {years} years, late from {deadline} on",
        "context": "{context}",
        "norm": "{norm}",
        "area": "{norm}",
        "subject": "kind of subject: enterprise 0, individual business 1, cooperative 2, branch 3, other 4",
        "percent_of_norm": "‘{indicator}’ in percent of what is usual in its industry ({norm}, at least {least})",
        "ratio": "‘{indicator}’ divided by ‘{base}’, times {scale}, rounded down{prior}",
        "grade": "{grade} under scheme [{scheme}]",
        "matrix": "what matrix [{matrix}] says for the row ‘{row}’ and the column ‘{column}’; the row itself where the column is unknown",
    },
}  # fmt: skip
_GRADE: Words = {
    "zh": {"class": "分类（最好的一类为 0）", "score": "得分"},
    "en": {"class": "class (0 is the best)", "score": "score"},
}


_FLAGS: Mapping[str, Numbers] = {"zh": {0: "否", 1: "是"}, "en": {0: "no", 1: "yes"}}
_IN_FEN = {"zh": "（分）", "en": " in fen"}
_A_CODE = {"zh": "代码", "en": " code"}


def indicator(one: Indicator, lang: str, titles: Mapping[str, str], terms: Terms | None = None) -> str:
    """What ``one`` counts, in ``lang`` ``zh`` or ``en``. ``titles`` are those of all indicators of the scheme, by id."""
    zh = lang == "zh"
    ages = [str(edge) for edge in one.edges]
    month, day = one.deadline
    where = filtered(one.where, one.kind_name, lang, terms) if one.where is not None else ""
    of = fields(one.kind_name, lang, terms).get(one.of, one.of)
    if one.unit == "fen":  # told in yuan, as everywhere on the page
        of = of.removesuffix(_IN_FEN[lang])
    window = "" if one.window is None else (f"近 {one.window} 日" if zh else f", within {one.window} days")
    per = _per(one, zh)
    ahead = "" if not one.ahead else (f"将在 {one.ahead} 日内到期或" if zh else f" or ends within {one.ahead} days")
    which = ("最近" if one.which == "last" else "最早") if zh else ("newest" if one.which == "last" else "oldest")
    return MEASURES[lang][one.measure].format(
        kind=KINDS[lang].get(one.kind_name, one.kind_name),
        of=of,
        window=window,
        where=(f"（{where}）" if zh else f" where {where}") if where else "",
        per=per,
        ahead=ahead,
        which=which,
        days=("、" if zh else ", ").join(ages),
        empty=one.empty,
        steps=one.steps,
        lookup=one.lookup,
        years=one.years,
        deadline=f"{month} 月 {day} 日" if zh else f"{month:02}-{day:02}",
        context=CONTEXT[lang].get(one.of, one.of),
        norm=NORM[lang].get(one.norm or one.of, one.of),
        least=one.least,
        indicator=titles.get(one.indicator, one.indicator),
        base=titles.get(one.base, one.base),
        scale=one.scale,
        prior=_prior(one, zh),
        scheme=one.scheme,
        grade=_GRADE[lang].get(one.of, one.of),
        row=titles.get(one.row, one.row),
        column=titles.get(one.column, one.column),
        matrix=one.matrix,
    )


def _per(one: Indicator, zh: bool) -> str:
    """By what a sum is divided; a step table weighs in percent, so a load that is divided by 100 is what it says."""
    if one.measure == "load":
        if one.per == 1:
            return "，以百分之一计" if zh else ", in hundredths"
        percents = one.per / 100
        return "" if one.per == 100 else (f"，再除以 {percents:g}" if zh else f", divided by {percents:g}")
    if one.per == 1:
        return ""
    return f"，每 {one.per} 折为一，舍去尾数" if zh else f", divided by {one.per} and rounded down"


def _prior(one: Indicator, zh: bool) -> str:
    """What a ratio assumes of those of whom little is known yet."""
    if not one.weight:
        return "；除数为 0 时按 1 计" if zh else "; a divisor of 0 counts as 1"
    if zh:
        if one.usual:
            return f"；先设有 {one.weight} 个平均的；再与平均之比（千分之一，依背景值，无背景值时为 {one.prior}）"
        return f"；先设有 {one.weight} 个，其比为 {one.prior}"
    if one.usual:
        of = f"in thousandths, as the context knows it, else {one.prior}"
        return f"; {one.weight} usual ones more are assumed, and all is held against what is usual ({of})"
    return f"; {one.weight} more are assumed, with a ratio of {one.prior}"


def fields(kind: str, lang: str, terms: Terms | None = None) -> Mapping[str, str]:
    """What the columns of a fact are called where it is of that kind. What has names is not called a code."""
    named = (terms or {}).get(kind, {})
    found = {**FIELDS[lang], **_OF[lang].get(kind, {})}
    return {name: said.removesuffix(_A_CODE[lang]) if name in named else said for name, said in found.items()}


def filtered(where: conditions.Condition, kind: str, lang: str, terms: Terms | None = None) -> str:
    """A filter over single facts of a kind in words; codes and severities that ``terms`` names with their names."""
    told = named(where, lambda field: _called((terms or {}).get(kind, {}).get(field, {}), lang), {}, lang)
    return conditions.sentence(told, lang, titles=fields(kind, lang, terms))


def numbers(one: Indicator, lang: str, terms: Terms | None = None) -> Numbers:
    """What the values of an indicator are called; empty where they are but numbers."""
    if one.unit == "flag":
        return _FLAGS[lang]
    if one.measure not in ("last", "max") or one.unit != "code":
        return {}
    return _called((terms or {}).get(one.kind_name, {}).get(one.of, {}), lang)


def number(value: int, called: Numbers, lang: str) -> str:
    """A number with its name before it, where it has one: 注销（3）."""
    if value not in called:
        return str(value)
    return f"{called[value]}（{value}）" if lang == "zh" else f"{called[value]} ({value})"


def amount(fen: int) -> str:
    """An amount in yuan. Whole fen, never a float: 10,050 fen are 100.50."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan}{f'.{rest:02}' if rest else ''}"


def named(
    tree: conditions.Condition, called: Callable[[str], Numbers], constants: Mapping[str, int], lang: str
) -> conditions.Condition:
    """``tree`` with every number, and every constant, that is held against a name whose numbers are ``called`` something
    replaced by a name of that text: what is left as a number has no name."""

    def tell(operand: conditions.Operand, beside: conditions.Operand) -> conditions.Operand:
        words = called(beside.name) if isinstance(beside, conditions.Name) else {}
        value = operand.value if isinstance(operand, conditions.Number) else constants.get(operand.name)
        return operand if value is None or value not in words else conditions.Name(number(value, words, lang))

    def go(node: conditions.Condition) -> conditions.Condition:
        match node:
            case conditions.Compare(op, left, right):
                return conditions.Compare(op, tell(left, right), tell(right, left))
            case conditions.Between(operand, low, high):
                return conditions.Between(operand, tell(low, operand), tell(high, operand))
            case conditions.In(operand, choices):
                return conditions.In(operand, tuple(tell(one, operand) for one in choices))
            case conditions.Not(term):
                return conditions.Not(go(term))
            case conditions.All(terms):
                return conditions.All(tuple(map(go, terms)))
            case conditions.Any(terms):
                return conditions.Any(tuple(map(go, terms)))
        return node

    return go(tree)


def meant(tree: conditions.Condition, called: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """What the numbers of each constant in ``tree`` are called: those of the name that it is held against."""
    return {
        other.name: called[one.name]
        for one, other in _pairs(tree)
        if isinstance(one, conditions.Name) and isinstance(other, conditions.Name) and called.get(one.name)
    }


def _pairs(tree: conditions.Condition) -> Iterator[tuple[conditions.Operand, conditions.Operand]]:
    """Every operand of ``tree`` with each that it is held against, both ways round."""
    match tree:
        case conditions.Compare(_, left, right):
            yield from ((left, right), (right, left))
        case conditions.Between(operand, low, high):
            yield from ((operand, low), (operand, high))
        case conditions.In(operand, choices):
            yield from ((operand, one) for one in choices)
        case conditions.Not(term):
            yield from _pairs(term)
        case conditions.All(terms) | conditions.Any(terms):
            for one in terms:
                yield from _pairs(one)


def _called(terms: Mapping[int, Title], lang: str) -> Numbers:
    return {value: title.as_dict()[lang] for value, title in terms.items()}


def article(text: str, lang: str) -> str:
    """Where in an instrument: “Art. 7” is 第7条 in Chinese; what is not of that form stays as it is cited."""
    if lang == "en":
        return text
    told = re.sub(r"Arts?\. (\d+(?:\(\d+\))?(?:-\d+)?)", r"第\1条", text)
    return re.sub(r"(\d+): (?=第)", r"第\1号", told).replace("; ", "；")


def members(one: Membership, lang: str, terms: Terms | None = None) -> str:
    """Whom a scheme is for, beside the kinds of its subjects."""
    kind = KINDS[lang].get(one.kind_name, one.kind_name)
    where = filtered(one.where, one.kind_name, lang, terms) if one.where is not None else ""
    if lang == "zh":
        return f"只适用于有过{kind}记录{f'（{where}）' if where else ''}的主体"
    return f"only those that ever had a record of this kind: {kind}{f' where {where}' if where else ''}"


def subjects(ids: Sequence[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(SUBJECT[lang][one] for one in ids)


def points(tree: Expression, lang: str, names: Mapping[str, str]) -> str:
    """A points expression with titles and values in place of names."""
    zh = lang == "zh"

    def tell(node: Expression, *, inside: bool) -> str:
        match node:
            case Value(name):
                return names.get(name, name)
            case Integer(value):
                return str(value)
            case Sum(terms):
                first = terms[0]
                said = ("−" if first[0] < 0 else "") + tell(first[1], inside=True)
                said += "".join(f" {'+' if sign > 0 else '−'} {tell(term, inside=True)}" for sign, term in terms[1:])
                return f"({said})" if inside else said
            case Product(factors):
                return " × ".join(tell(factor, inside=True) for factor in factors)
            case Extreme(op, left, right):
                pair = f"{tell(left, inside=False)}{'、' if zh else ', '}{tell(right, inside=False)}"
                which = {"max": ("取大", "the greater of"), "min": ("取小", "the smaller of")}[op][0 if zh else 1]
                return f"{which}（{pair}）" if zh else f"{which} ({pair})"

    return tell(tree, inside=False)
