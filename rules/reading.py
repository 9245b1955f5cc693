"""From the tables of a scheme's files to its parts; every mistake is filed with file, key and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, TypeVar

from rules import conditions, expressions
from rules.dated import Dated, Span, order_mistakes
from rules.draft import Draft
from rules.errors import Refused
from rules.kinds import DIRECTIONS, EFFECTS, LARGEST, PARAMETER_UNITS
from rules.measures import LONGEST, where
from rules.parts import (
    Cuts,
    Group,
    Lookup,
    Matrix,
    Membership,
    ParameterValue,
    Rule,
    Second,
    Steps,
    Title,
    Wanted,
)
from rules.reader import Table, check_id

T = TypeVar("T")
_WIDEST = 100  # rows and columns of a matrix: classes and steps are few
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def read_groups(root: Table, draft: Draft) -> None:
    """``[group.*]``, ``[second.*]``, ``[steps.*]``, ``[lookup.*]`` and ``[matrix.*]`` of scheme.toml."""
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
    for id_, table in root.children("matrix"):
        draft.declare("matrix", id_, table)
        draft.matrices[id_] = _dated(table, "values", _matrix)


def read_wanted(root: Table, draft: Draft) -> None:
    """``[wanted.*]`` of one file: third-level indicators that nothing feeds yet."""
    for id_, table in root.children("wanted"):
        draft.declare("wanted", id_, table)
        second = table.choice("second", tuple(draft.seconds))
        draft.wanted[id_] = Wanted(id_, second, table.title("title"), table.title("needs"))
        if id_ in draft.measures:
            table.wrong("", "is also the id of an indicator", "Remove it: what is fed is no longer wanted")
        table.finish()


def read_members(head: Table, kinds: Mapping[str, int]) -> Membership | None:
    """``only`` of ``[scheme]``: whom the scheme is for; None where it is for every one of its subjects."""
    if not head.has("only"):
        return None
    table = Table(head.file, f"{head.key}.only", head.raw("only", ""), head.mistakes)
    kind = table.choice("kind", tuple(kinds))
    tree, text = where(table) if table.has("where") else (None, "")
    table.finish()
    return Membership(kinds[kind], kind, tree, text)


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
    tree = _parsed(
        table, "when", when, lambda: conditions.parse(when, indicators=draft.indicators, parameters=parameters)
    )
    expression = None
    if effect == "points":
        names = {*draft.indicators, *parameters}
        expression = _parsed(table, "points", points, lambda: expressions.parse(points, names))
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
        parameters=dict(sorted(parameters.items())),
        indicators=tuple(sorted(used & set(draft.indicators))),
        basis=basis,
    )


def _parsed(table: Table, key: str, text: str, parse: Callable[[], T]) -> T | None:
    if not text.strip():  # already reported
        return None
    try:
        return parse()
    except Refused as refused:
        table.wrong(key, refused.problem, refused.remedy)
        return None


def _parameter(rows: list[Table], subjects: tuple[str, ...]) -> Dated[ParameterValue]:
    spans: list[Span[ParameterValue]] = []
    for row in rows:
        overrides: dict[str, int] = {}
        if row.has("subjects"):
            inner = Table(row.file, f"{row.key}.subjects", row.raw("subjects", ""), row.mistakes)
            for subject in subjects:
                inner.see(subject)
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
        if ages[0] != 0 or any(b <= a for a, b in pairwise(ages)) or ages[-1] > LONGEST:
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


def _matrix(row: Table) -> Matrix:
    form = "[[0, 1], [1, 1]]"
    raw = row.raw("rows", f"Write rows = {form}, one list for each row")
    rows = raw if isinstance(raw, list) else []
    lengths = {len(one) if isinstance(one, list) else 0 for one in rows}
    if raw is not None and (len(lengths) != 1 or not 1 <= min(lengths) <= _WIDEST or len(rows) > _WIDEST):
        row.wrong("rows", f"are not 1 to {_WIDEST} lists of one length", f"Write rows = {form}")
        return Matrix(())
    if any(type(n) is not int or abs(n) > LARGEST for one in rows for n in one):
        row.wrong("rows", "hold something that is not an integer", f"Write integers up to {LARGEST} without quotes")
    return Matrix(tuple(tuple(one) for one in rows))


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
    for name in inner.data:
        check_id(table.file, f"{inner.key}.{name}", name, table.mistakes)
    return [(name, inner.list_of(name)) for name in inner.data]
