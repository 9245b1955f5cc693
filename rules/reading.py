"""From the tables of a scheme's files to its parts; every mistake is filed with file, key and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, TypeVar

from rules import conditions, expressions
from rules.dated import Dated, Span, order_mistakes
from rules.errors import Mistake, Refused
from rules.kinds import DIRECTIONS, EFFECTS, FACT_FIELDS, INDICATOR_UNITS, PARAMETER_UNITS
from rules.parts import Cuts, Group, Indicator, Lookup, ParameterValue, Rule, Second, Steps, Title
from rules.reader import Table

# Which keys each measure takes besides those of every indicator; a key that is not listed is a mistake.
MEASURES: Mapping[str, tuple[str, ...]] = {
    "count": ("window",),
    "sum": ("window", "of", "per"),
    "max": ("window", "of"),
    "load": ("window", "of", "steps"),
    "open": (),
    "open_age": ("edges",),
    "age": ("window", "edges", "which", "empty"),
    "last": ("window", "of", "empty"),
    "lookup": ("window", "of", "lookup", "empty"),
    "expired": ("ahead",),
    "missing_years": ("years", "deadline"),
}
T = TypeVar("T")
_OF = {"sum": ("amount", "severity"), "max": ("amount", "severity"), "load": ("severity", "one")}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_LONGEST = 36_600  # days: a window longer than a century is a slip of the keyboard


@dataclass(slots=True)
class Draft:
    """What has been read so far, and where each id was declared."""

    mistakes: list[Mistake] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    seconds: dict[str, Second] = field(default_factory=dict)
    steps: dict[str, Dated[Steps]] = field(default_factory=dict)
    lookups: dict[str, Dated[Lookup]] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    declared: dict[tuple[str, str], str] = field(default_factory=dict)

    def declare(self, sort: str, id_: str, table: Table) -> None:
        before = self.declared.setdefault((sort, id_), table.file)
        if before != table.file:
            remedy = "Rename one of the two: an id names one thing in the whole scheme"
            self.mistakes.append(Mistake(table.file, table.key, f"duplicate id, already declared in {before}", remedy))


def read_groups(root: Table, draft: Draft) -> None:
    """``[group.*]``, ``[second.*]``, ``[steps.*]`` and ``[lookup.*]`` of scheme.toml."""
    for id_, table in root.children("group"):
        title = table.title("title")
        limited = table.has("highest")
        highest = table.integer("highest", low=0, high=10**9) if limited else None
        draft.groups[id_] = Group(id_, title, highest, table.basis() if limited or table.has("basis") else None)
        table.finish()
    for id_, table in root.children("second"):
        draft.seconds[id_] = Second(id_, table.choice("group", tuple(draft.groups)), table.title("title"))
        table.finish()
    for id_, table in root.children("steps"):
        draft.declare("steps", id_, table)
        draft.steps[id_] = _dated(table, "values", _steps)
    for id_, table in root.children("lookup"):
        draft.declare("lookup", id_, table)
        draft.lookups[id_] = _dated(table, "values", _lookup)


def read_cuts(table: Table, *, lowest: int, highest: int, direction: str) -> Dated[Cuts]:
    """``[[scheme.cuts]]``: classes from the best to the worst, all rows with the same classes."""
    riskier = direction == DIRECTIONS[0]
    spans: list[Span[Cuts]] = []
    for row in table.list_of("cuts"):
        raw = row.raw("classes", 'Write classes = [{ class = "A", to = 250 }, …], the best class first')
        listed = raw if isinstance(raw, list) else []
        inner = [Table(row.file, f"{row.key}.classes", one, row.mistakes) for one in listed]
        names, ends = [], []
        for one in inner:
            names.append(one.text("class", '"A"'))
            ends.append(one.integer("to", low=lowest, high=highest))
            one.finish()
        spans.append(row.dated(Cuts(tuple(names), tuple(ends))))
        row.finish()
        if len(set(names)) != len(names) or len(names) < 2:
            row.wrong("classes", "needs at least two classes, each named once", "Name every class once")
        elif any(a >= b if riskier else a <= b for a, b in pairwise(ends)):
            order = "ascending" if riskier else "descending"
            row.wrong("classes", f"the cuts {ends} are not {order}", f"With direction {direction!r}, order them so")
        elif (last := ends[-1] if riskier else ends[0]) != highest:
            row.wrong("classes", f"the cuts end at {last}, not at the highest score", f"Write to = {highest} there")
    if len({span.value.classes for span in spans}) > 1:
        table.wrong("cuts", "the rows do not name the same classes in the same order", "Use one set of classes")
    table.mistakes.extend(order_mistakes(table.file, f"{table.key}.cuts", spans))
    return Dated.of(spans)


def read_indicators(root: Table, draft: Draft, kinds: Mapping[str, int]) -> None:
    """``[indicator.*]`` of one file."""
    for id_, table in root.children("indicator"):
        draft.declare("indicator", id_, table)
        draft.indicators[id_] = _indicator(id_, table, draft, kinds)
        table.finish()


def read_rules(root: Table, draft: Draft, subjects: tuple[str, ...], classes: tuple[str, ...]) -> None:
    """``[rule.*]`` of one file. All indicators must have been read before."""
    for id_, table in root.children("rule"):
        draft.declare("rule", id_, table)
        if id_ in draft.groups:
            table.wrong("", "has the id of a group; `cap:` rows would be ambiguous", "Rename the rule")
        rule = _rule(id_, table, draft, subjects, classes)
        table.finish()
        if rule is not None:
            draft.rules[id_] = rule


def _indicator(id_: str, table: Table, draft: Draft, kinds: Mapping[str, int]) -> Indicator:
    second = table.choice("second", tuple(draft.seconds))
    title, unit = table.title("title"), table.choice("unit", INDICATOR_UNITS)
    kind = table.choice("kind", tuple(kinds))
    measure = table.choice("measure", tuple(MEASURES))
    keys = MEASURES[measure]
    more: dict[str, Any] = {}
    if table.has("where") and measure != "missing_years":
        text = table.text("where", '"severity >= 2"')
        more["where_text"] = " ".join(text.split())
        try:
            more["where"] = conditions.parse(text, indicators=FACT_FIELDS)
        except Refused as refused:
            table.wrong("where", refused.problem, refused.remedy)
    if "window" in keys and table.has("window"):
        more["window"] = table.integer("window", low=1, high=_LONGEST)
    if "of" in keys:
        more["of"] = table.choice("of", _OF.get(measure, FACT_FIELDS))
    if "per" in keys:
        more["per"] = table.integer("per", default=1, low=1)
    if "steps" in keys:
        more["steps"] = table.choice("steps", tuple(draft.steps))
    if "lookup" in keys:
        more["lookup"] = table.choice("lookup", tuple(draft.lookups))
    if "edges" in keys:
        edges = tuple(row[0] for row in table.rows("edges", 1, "[90, 365, 1095]"))
        if any(b <= a for a, b in pairwise((-1, *edges))) or any(edge > _LONGEST for edge in edges):
            table.wrong("edges", f"{list(edges)} are not ascending days", "Write ages in days, ascending, from 0 on")
        more["edges"] = edges
    if "which" in keys:
        more["which"] = table.choice("which", ("last", "first"), "last")
    if "empty" in keys:
        more["empty"] = table.integer("empty")
    if "ahead" in keys:
        more["ahead"] = table.integer("ahead", default=0, low=0, high=_LONGEST)
    if measure == "missing_years":
        more["years"] = table.integer("years", low=1, high=30)
        more["deadline"] = _deadline(table)
        if kind != "annual_report":
            table.wrong("kind", f"is {kind!r}, but missing_years counts annual reports", 'Write kind = "annual_report"')
    return Indicator(id_, second, title, unit, kinds[kind], kind, measure, **more)


def _deadline(table: Table) -> tuple[int, int]:
    text = table.text("deadline", '"07-01"')
    try:
        day = date.fromisoformat(f"2023-{text}")  # not a leap year: a deadline must exist in every year
    except ValueError:
        table.wrong("deadline", f"is {text!r}, not a day of every year", 'Write month and day, for example "07-01"')
        return 7, 1
    return day.month, day.day


def _rule(id_: str, table: Table, draft: Draft, subjects: tuple[str, ...], classes: tuple[str, ...]) -> Rule | None:
    second, title = table.choice("second", tuple(draft.seconds)), table.title("title")
    effect = table.choice("effect", EFFECTS, "points")
    when, reason = table.text("when", '"x >= at_least"'), table.title("reason")
    covers = table.names("subjects", subjects, subjects)
    points = table.text("points", '"points_each * x"') if effect == "points" else ""
    target = table.choice("class", classes, classes[-1] if classes else "") if effect == "veto" else None
    table.see("basis")
    basis = table.basis() if table.has("basis") else None
    parameters = {name: _parameter(inner, subjects) for name, inner in _lists(table, "parameter")}
    for name in sorted(set(parameters) & set(draft.indicators)):
        table.wrong(f"parameter.{name}", "is also the id of an indicator", "Rename the parameter")
    if effect == "cap" and "at_most" not in parameters:
        table.wrong("parameter.at_most", "is missing", "A cap holds the score at this parameter: declare it")
    if not parameters and basis is None:
        table.wrong("basis", "is missing", "Without parameters the rule itself says what it rests on: basis = { … }")
    tree = _parsed(table, "when", lambda: conditions.parse(when, indicators=draft.indicators, parameters=parameters))
    expression = None
    if effect == "points":
        names = {*draft.indicators, *parameters}
        expression = _parsed(table, "points", lambda: expressions.parse(points, names))
    if tree is None or (effect == "points" and expression is None):
        return None
    used = conditions.names(tree)
    used |= expressions.names(expression) if expression is not None else {"at_most"} if effect == "cap" else set()
    for name in sorted(set(parameters) - used):
        table.wrong(f"parameter.{name}", "is not used by the rule", "Use it in `when` or `points`, or remove it")
    for lang, words in (("zh", reason.zh), ("en", reason.en)):
        for name in _PLACEHOLDER.findall(words):
            if name not in draft.indicators and name not in parameters:
                remedy = "Put an indicator or a parameter of this rule between the braces"
                table.wrong(f"reason.{lang}", f"names {{{name}}}, which is not known", remedy)
    return Rule(
        id=id_,
        second=second,
        title=title,
        effect=effect,
        when=tree,
        when_text=" ".join(when.split()),
        points=expression,
        points_text=" ".join(points.split()),
        target=target,
        reason=Title(reason.zh, reason.en),
        subjects=covers,
        parameters=parameters,
        indicators=tuple(sorted(used & set(draft.indicators))),
        basis=basis,
    )


def _parsed(table: Table, key: str, parse: Callable[[], T]) -> T | None:
    try:
        return parse()
    except Refused as refused:
        if table.has(key):  # else it is already reported as missing
            table.wrong(key, refused.problem, refused.remedy)
        return None


def _parameter(rows: list[Table], subjects: tuple[str, ...]) -> Dated[ParameterValue]:
    spans: list[Span[ParameterValue]] = []
    for row in rows:
        overrides: dict[str, int] = {}
        if row.has("subjects"):
            inner = Table(row.file, f"{row.key}.subjects", row.raw("subjects", ""), row.mistakes)
            overrides = {subject: inner.integer(subject) for subject in subjects if inner.has(subject)}
            inner.finish()
        unit = row.choice("unit", PARAMETER_UNITS)
        spans.append(row.dated(ParameterValue(row.integer("value"), unit, overrides)))
        row.finish()
    if rows:
        if len({span.value.unit for span in spans}) > 1:
            rows[0].wrong("unit", "changes from one value to the next", "Use one unit for all values of a parameter")
        rows[0].mistakes.extend(order_mistakes(rows[0].file, rows[0].key, spans))
    return Dated.of(spans)


def _steps(row: Table) -> Steps:
    rows = row.rows("edges", 2, "[[0, 100], [365, 60], [1095, 0]]")
    ages, percents = tuple(r[0] for r in rows), tuple(r[1] for r in rows)
    if rows:
        if ages[0] != 0 or any(b <= a for a, b in pairwise(ages)) or ages[-1] > _LONGEST:
            row.wrong("edges", f"the ages {list(ages)} do not ascend from 0", "Begin with age 0 and go upwards")
        if percents[-1] != 0:
            row.wrong("edges", f"the last weight is {percents[-1]} percent, not 0", "End with the age at which it is 0")
        if any(not 0 <= percent <= 1000 for percent in percents):
            row.wrong("edges", f"the weights {list(percents)} leave 0 to 1000 percent", "Write whole percents")
    return Steps(ages, percents)


def _lookup(row: Table) -> Lookup:
    otherwise = row.integer("otherwise")
    ranges = sorted(row.rows("ranges", 3, "[[1300, 1499, 40], [5100, 5299, 15]]"))
    for low, high, _ in ranges:
        if low > high:
            row.wrong("ranges", f"the range {low} to {high} is reversed", "Write the lower end first")
    for before, after in pairwise(ranges):
        if before[1] >= after[0]:
            row.wrong("ranges", f"{before[:2]} and {after[:2]} overlap", "Let every integer fall into one range")
    lows, highs, values = (tuple(r[i] for r in ranges) for i in range(3))
    return Lookup(lows, highs, values, otherwise)


def _dated(table: Table, key: str, read: Any) -> Dated[Any]:
    spans = []
    for row in table.list_of(key):
        spans.append(row.dated(read(row)))
        row.finish()
    table.finish()
    table.mistakes.extend(order_mistakes(table.file, f"{table.key}.{key}", spans))
    return Dated.of(spans)


def _lists(table: Table, key: str) -> list[tuple[str, list[Table]]]:
    """``[[rule.x.parameter.name]]`` lists by name."""
    table.see(key)
    inner = Table(table.file, f"{table.key}.{key}", table.data.get(key, {}), table.mistakes)
    return [(name, inner.list_of(name)) for name in inner.data]
