"""The floor in SQL, written out from a scheme: the same indicators and the same scores as the engine gives, by DuckDB.

The text is what somebody who knows DuckDB would write by hand for one scheme and one day: every kind is read and
aggregated once, the sparse kinds are small tables that are joined to everybody at the end, and each rule is one CASE.
It reads the tables ``population``, ``fact`` and ``coverage`` (docs/architecture.md), of the frozen context ``context``,
``norms`` and ``answered`` (:mod:`rules.given`), and ends in one row per entity.

It takes what the export has checked for granted: one registration per entity, and no number near an overflow.
"""

# ruff: noqa: S608 (names and numbers of a checked scheme, nothing from outside)
from collections.abc import Iterable, Mapping
from datetime import date

from rules.compiled import DEPENDENT, Compiled, CompiledIndicator, CompiledRule
from rules.conditions import All, Any, Between, Compare, Condition, In, IsNull, Name, Not, Number, Operand
from rules.dated import to_date, to_day
from rules.expressions import Expression, Extreme, Integer, Product, Sum, Value
from rules.indicators import reach
from rules.kinds import DIRECTIONS, KINDS, REGISTRATION
from rules.parts import Indicator, Lookup
from rules.scheme import Scheme

_NAMES = {number: name for name, number in KINDS.items()}
_ORDER = "(day::BIGINT << 36) | seq"
_NEVER = 2**31 - 1


def written(scheme: Scheme, day: int) -> str:
    """Statements, each ended by ``;`` and an empty line, that grade ``population`` on ``day`` (days since 1970-01-01).

    The last one makes the table ``grade`` (``entity``, ``class``, ``score``), in no particular order.
    """
    compiled = {subject: scheme.compiled(subject, scheme.epoch(day)) for subject in scheme.subjects}
    indicators = {one.indicator.id: one for each in compiled.values() for one in each.indicators}
    by_kind: dict[int, list[CompiledIndicator]] = {REGISTRATION: []}
    beside: list[CompiledIndicator] = []
    for _, one in sorted(indicators.items()):
        if one.indicator.measure in DEPENDENT:
            beside.append(one)
        else:
            by_kind.setdefault(one.indicator.kind, []).append(one)
    small = [
        _feeds(by_kind, beside, day),
        *_frozen(beside),
        *(_aggregated(kind, ones, day) for kind, ones in sorted(by_kind.items())),
    ]
    steps = [
        _indicators(scheme, by_kind, beside, day),
        _points(scheme, compiled),
        _groups(scheme, compiled),
        _scores(scheme, compiled),
    ]
    head = (
        f"-- The floor: scheme {scheme.id} on {to_date(day)} (day {day}), for DuckDB.\n"
        "-- Written by `python -m benchmarks.floor --write`; tests/test_benchmarks.py sees that it is current.\n"
    )
    last = "CREATE OR REPLACE TEMP TABLE grade AS WITH\n" + ",\n".join(steps) + "\n" + _classes(scheme, compiled)
    return head + "".join(f"{part};\n\n" for part in small) + last


def _feeds(by_kind: Mapping[int, list[CompiledIndicator]], beside: list[CompiledIndicator], day: int) -> str:
    """For each division, 0 where a feed of that kind touched the window and NULL where none did."""
    asked = sorted(
        {
            (kind, reach(one))
            for kind, ones in by_kind.items()
            for one in ones
            if one.indicator.measure != "missing_years"
        }
        | {(one.indicator.kind, None) for one in beside if one.indicator.measure == "context"},
        key=lambda a: (a[0], a[1] or 0),
    )
    columns = ",\n".join(
        f"    CASE WHEN bool_or(c.kind = {kind}{'' if window is None else f' AND coalesce(c.to_day, {day}) > {day - window}'})"
        f" THEN 0 END AS {_feed(kind, window)}"
        for kind, window in asked
    )
    columns += "".join(f",\n{_fed_when_due(one, day)}" for ones in by_kind.values() for one in _dues(ones))
    return (
        "-- Where a feed was connected, no record means zero (0); elsewhere it means nothing (NULL).\n"
        f"CREATE OR REPLACE TEMP TABLE feed AS\n  SELECT d.division,\n{columns}\n"
        "  FROM (SELECT DISTINCT division FROM population) d\n"
        f"  LEFT JOIN coverage c ON starts_with(d.division, c.division) AND c.from_day <= {day}\n"
        "  GROUP BY d.division"
    )


def _fed_when_due(one: CompiledIndicator, day: int) -> str:
    """On the deadlines of which years a feed was connected, one bit each: bit 0 is the latest."""
    indicator, last = one.indicator, _last_due(one, day)
    bits = " | ".join(
        f"CASE WHEN c.from_day <= {due} AND coalesce(c.to_day, {due}) >= {due} THEN {1 << back} ELSE 0 END"
        for back in range(indicator.years)
        for due in [to_day(date(last - back + 1, *indicator.deadline))]
    )
    return f"    coalesce(bit_or({bits}) FILTER (c.kind = {indicator.kind}), 0) AS {_NAMES[indicator.kind]}_due"


def _feed(kind: int, window: int | None) -> str:
    return f"{_NAMES[kind]}_{'ever' if window is None else f'{window}d'}"


def _frozen(beside: list[CompiledIndicator]) -> list[str]:
    """The frozen context: one row per entity that it names, the norms by industry code, and 0 for what it answers."""
    values = [one.indicator for one in beside if one.indicator.measure == "context"]
    norms = [one.indicator for one in beside if one.indicator.measure in ("norm", "percent_of_norm")]
    made: list[str] = []
    if values:
        held = ",\n".join(f"    max(value) FILTER (name = '{one.of}') AS {one.id}" for one in values)
        zero = ",\n".join(f"    CASE WHEN bool_or(name = '{one.of}') THEN 0 END AS {one.id}" for one in values)
        names = ", ".join(sorted({f"'{one.of}'" for one in values}))
        made = [
            "-- The frozen context: who is not named has 0, where the context answers at all.\n"
            f"CREATE OR REPLACE TEMP TABLE answer AS\n  SELECT\n{zero}\n  FROM answered",
            f"CREATE OR REPLACE TEMP TABLE held AS\n  SELECT entity,\n{held}\n  FROM context\n"
            f"  WHERE name IN ({names})\n  GROUP BY entity",
        ]
    if norms:
        columns = ",\n".join(
            f"    max(greatest(value, {one.least})) FILTER (name = '{one.norm}') AS {one.id}"
            if one.measure == "percent_of_norm"
            else f"    max(value) FILTER (name = '{one.of}') AS {one.id}"
            for one in norms
        )
        made.append(
            f"CREATE OR REPLACE TEMP TABLE norm AS\n  SELECT code,\n{columns}\n"
            "  FROM (SELECT name, value, unnest(range(low, high + 1)) AS code FROM norms SEMI JOIN answered USING (name))\n"
            "  GROUP BY code"
        )
    return made


def _aggregated(kind: int, ones: list[CompiledIndicator], day: int) -> str:
    """One row for each entity that has a fact of the kind: a NULL where none of its facts was chosen."""
    measured = [
        f"{_measured(one, day)} AS {one.indicator.id}" for one in ones if one.indicator.measure != "missing_years"
    ]
    measured += sorted({_reported(due, day) for due in _dues(ones)})
    columns = ",\n".join(f"    {text}" for text in measured)
    grouped = "\n  GROUP BY entity"
    if kind == REGISTRATION:
        columns += ",\n    code,\n    year(DATE '1970-01-01' + day) AS established"
        grouped = ""
    return (
        f"CREATE OR REPLACE TEMP TABLE {_NAMES[kind]} AS\n  SELECT entity,\n{columns}\n"
        f"  FROM (SELECT *, {day} - day AS age FROM fact WHERE kind = {kind} AND day <= {day}){grouped}"
    )


def _measured(one: CompiledIndicator, day: int) -> str:
    indicator = one.indicator
    if indicator.kind == REGISTRATION:
        return _registered(one, day)
    chosen = [] if indicator.where is None else [_condition(indicator.where, {})]
    if (window := reach(one)) is not None:
        chosen.append(f"age < {window}")
    filtered = f" FILTER ({' AND '.join(chosen)})" if chosen else ""
    in_force = f"(ends IS NULL OR ends > {day})"
    match indicator.measure:
        case "count":
            return f"nullif(count(*){filtered}, 0)"
        case "sum":
            # DuckDB sums into 128 bits, which everything after it would drag along.
            return f"(sum({indicator.of}){filtered})::BIGINT" + (f" // {indicator.per}" if indicator.per > 1 else "")
        case "max":
            return f"max({indicator.of}){filtered}"
        case "load":
            what = "severity * " if indicator.of == "severity" else ""
            return f"(sum({what}{_weight(one)}){filtered})::BIGINT // 100"
        case "open":
            return f"(sum(CASE WHEN {in_force} THEN 1 ELSE 0 END){filtered})::BIGINT"
        case "open_age":
            return f"{_reached(f'max(CASE WHEN {in_force} THEN age ELSE -1 END){filtered}', indicator.edges)}"
        case "age":
            return _reached(f"{'min' if indicator.which == 'last' else 'max'}(age){filtered}", indicator.edges)
        case "last":
            return f"arg_max({indicator.of}, {_ORDER}){filtered}"
        case "expired":
            # arg_max passes over a NULL, and who never ends has not ended.
            return f"(arg_max(coalesce(ends, {_NEVER}), {_ORDER}){filtered} <= {day + indicator.ahead})::INTEGER"
    raise ValueError(
        f"The floor has no SQL for measure {indicator.measure!r} of {_NAMES[indicator.kind]}. Add it here."
    )


def _registered(one: CompiledIndicator, day: int) -> str:
    indicator = one.indicator
    match indicator.measure:
        case "last":
            return indicator.of
        case "lookup" if one.lookup is not None:
            return _looked_up(indicator.of, one.lookup)
        case "age":
            return _reached("age", indicator.edges)
        case "expired":
            return f"CASE WHEN ends <= {day + indicator.ahead} THEN 1 ELSE 0 END"
    raise ValueError(f"The floor has no SQL for measure {indicator.measure!r} of the registration. Add it here.")


def _dues(ones: list[CompiledIndicator]) -> list[CompiledIndicator]:
    """Of the indicators of missing reports the one that looks back furthest: its bits serve the others too."""
    due = [one for one in ones if one.indicator.measure == "missing_years"]
    if len({one.indicator.deadline for one in due}) > 1:
        raise ValueError("The floor knows one deadline of annual reports. Add a column of bits for each.")
    return sorted(due, key=lambda one: one.indicator.years)[-1:]


def _reported(one: CompiledIndicator, day: int) -> str:
    """Which of the years due were reported on, one bit each: bit 0 is the latest."""
    last = _last_due(one, day)
    whens = " ".join(f"WHEN {last - back} THEN {1 << back}" for back in range(one.indicator.years))
    return f"bit_or(CASE code {whens} ELSE 0 END) AS reported"


def _last_due(one: CompiledIndicator, day: int) -> int:
    today = to_date(day)
    return today.year - (1 if (today.month, today.day) >= one.indicator.deadline else 2)


def _weight(one: CompiledIndicator) -> str:
    assert one.steps is not None
    bounds = zip(one.steps.edges[1:], one.steps.percents, strict=False)
    return "CASE " + " ".join(f"WHEN age < {edge} THEN {percent}" for edge, percent in bounds) + " ELSE 0 END"


def _reached(age: str, edges: Iterable[int]) -> str:
    whens = " ".join(f"WHEN {age} < {edge} THEN {place}" for place, edge in enumerate(edges))
    return f"CASE {whens} WHEN {age} IS NOT NULL THEN {len(tuple(edges))} END"


def _looked_up(of: str, table: Lookup) -> str:
    whens = " ".join(
        f"WHEN {of} BETWEEN {low} AND {high} THEN {value}"
        for low, high, value in zip(table.lows, table.highs, table.values, strict=True)
    )
    return f"CASE {whens} ELSE {table.otherwise} END"


def _indicators(
    scheme: Scheme, by_kind: Mapping[int, list[CompiledIndicator]], beside: list[CompiledIndicator], day: int
) -> str:
    """Everybody, with every indicator: the one join."""
    columns: dict[str, str] = {}
    for kind, ones in sorted(by_kind.items()):
        name = _NAMES[kind]
        for one in ones:
            indicator = one.indicator
            if indicator.measure == "missing_years":
                columns[indicator.id] = _missing(one, name, day)
                continue
            fed = f"feed.{_feed(kind, reach(one))}"
            default = f"{fed} + {indicator.empty}" if indicator.empty else fed
            columns[indicator.id] = f"coalesce({name}.{indicator.id}, {default})"
    for one in beside:
        columns[one.indicator.id] = _beside(one.indicator, columns)
    joined = "".join(f"\n  LEFT JOIN {_NAMES[kind]} USING (entity)" for kind in sorted(by_kind))
    measures = {one.indicator.measure for one in beside}
    if "context" in measures:
        joined += "\n  CROSS JOIN answer\n  LEFT JOIN held USING (entity)"
    if measures & {"norm", "percent_of_norm"}:
        joined += "\n  LEFT JOIN norm ON norm.code = registration.code"
    subjects = ", ".join(f"'{subject}'" for subject in scheme.subjects)
    text = ",\n".join(f"    {told} AS {id_}" for id_, told in columns.items())
    return (
        f"indicator AS (\n  SELECT population.entity, population.subject,\n{text}\n  FROM population\n"
        f"  JOIN feed ON feed.division = population.division{joined}\n  WHERE population.subject IN ({subjects})\n)"
    )


def _beside(indicator: Indicator, columns: Mapping[str, str]) -> str:
    """What rests on the frozen context, NULL where that does not answer."""
    match indicator.measure:
        case "context":
            known = f"feed.{_feed(indicator.kind, None)}"
            if indicator.kind == REGISTRATION:
                known += ", CASE WHEN registration.entity IS NOT NULL THEN 0 END"
            return f"coalesce(held.{indicator.id}, {known}) + answer.{indicator.id}"
        case "norm":
            return f"norm.{indicator.id}"
        case "percent_of_norm" if indicator.indicator in columns:
            return f"100000 * {columns[indicator.indicator]} // norm.{indicator.id}"
    raise ValueError(f"The floor has no SQL for measure {indicator.measure!r} of {indicator.id}. Add it here.")


def _missing(one: CompiledIndicator, name: str, day: int) -> str:
    """Years owed, fed when due and not reported; known by a report, or by such a feed of a year owed (if none: of any)."""
    last, years = _last_due(one, day), range(one.indicator.years)
    reported, fed, established = f"coalesce({name}.reported, 0)", f"feed.{name}_due", "registration.established"
    missing = [
        f"CASE WHEN {fed} & {1 << back} > 0 AND {reported} & {1 << back} = 0 AND {established} <= {last - back} THEN 1 ELSE 0 END"
        for back in years
    ]
    owed = " ".join(f"WHEN {established} = {last - back} THEN {2 ** (back + 1) - 1}" for back in years[:-1])
    mask = 2**one.indicator.years - 1
    fed_when_owed = f"{fed} & CASE {owed} ELSE {mask} END" if owed else f"{fed} & {mask}"
    known = f"{established} IS NOT NULL AND ({reported} & {mask} > 0 OR ({fed_when_owed}) > 0)"
    return f"CASE WHEN {known} THEN\n      " + "\n      + ".join(missing) + "\n    END"


def _points(scheme: Scheme, compiled: Mapping[str, Compiled]) -> str:
    lines: list[str] = []
    for id_, applied in _applied(compiled).items():
        rule = next(iter(applied.values())).rule
        constants = _constants(applied)
        hit = _condition(rule.when, constants)
        if len(applied) < len(compiled):
            hit = f"subject IN ({', '.join(repr(subject) for subject in applied)}) AND ({hit})"
        if rule.points is None:
            lines.append(f"    {hit} AS {id_}")
        else:
            worth = _expression(rule.points, constants)
            lines.append(f"    CASE WHEN {hit} THEN {worth} ELSE 0 END AS {id_}")
    text = ",\n".join(lines)
    return f"-- Points of each rule; for vetoes and caps whether they strike.\npoint AS (\n  SELECT entity,\n{text}\n  FROM indicator\n)"


def _applied(compiled: Mapping[str, Compiled]) -> dict[str, dict[str, CompiledRule]]:
    """Rule → subject → the rule as it applies to that subject, rules in order of id."""
    found: dict[str, dict[str, CompiledRule]] = {}
    for subject, each in compiled.items():
        for one in each.rules:
            found.setdefault(one.rule.id, {})[subject] = one
    return dict(sorted(found.items()))


def _constants(applied: Mapping[str, CompiledRule]) -> dict[str, str]:
    """Each parameter as SQL: a number, or a CASE where subjects differ."""
    constants: dict[str, str] = {}
    for name in next(iter(applied.values())).constants:
        by_value: dict[int, list[str]] = {}
        for subject, one in applied.items():
            by_value.setdefault(one.constants[name], []).append(subject)
        (usual, _), *others = sorted(by_value.items(), key=lambda item: -len(item[1]))
        whens = "".join(
            f"WHEN subject {f'= {subjects[0]!r}' if len(subjects) == 1 else f'IN {tuple(subjects)!r}'} THEN {value} "
            for value, subjects in others
        )
        constants[name] = f"(CASE {whens}ELSE {usual} END)" if others else str(usual)
    return constants


def _groups(scheme: Scheme, compiled: Mapping[str, Compiled]) -> str:
    applied = _applied(compiled)
    lines = []
    for place, group in enumerate(scheme.groups.values()):
        rules = [
            id_
            for id_, by in applied.items()
            if (one := next(iter(by.values()))).group == place and one.rule.points is not None
        ]
        total = " + ".join(f"coalesce({id_}, 0)" for id_ in rules) or "0"
        lines.append(f"    {total if group.highest is None else f'least({total}, {group.highest})'} AS {group.id}")
    held = "".join(f" {id_}," for id_, by in applied.items() if next(iter(by.values())).rule.points is None)
    text = ",\n".join(lines)
    return f"-- First-level groups, each with its most.\ngrouped AS (\n  SELECT entity,{held}\n{text}\n  FROM point\n)"


def _scores(scheme: Scheme, compiled: Mapping[str, Compiled]) -> str:
    """Clamp, then caps, then vetoes, the strictest last."""
    added = " + ".join([*(["0"] if not scheme.base else [str(scheme.base)]), *scheme.groups])
    score = f"least(greatest({added}, {scheme.lowest}), {scheme.highest})"
    applied = _applied(compiled)
    riskier = scheme.direction == DIRECTIONS[0]
    for effect in ("cap", "veto"):
        for id_, by in applied.items():
            rule = next(iter(by.values())).rule
            if rule.effect == "cap" == effect:
                score = f"least({score}, CASE WHEN {id_} THEN {_constants(by)['at_most']} ELSE {scheme.highest} END)"
            elif rule.effect == "veto" == effect:
                goal = _entry(scheme, next(iter(compiled.values())), str(rule.target))
                other, hold = (scheme.lowest, "greatest") if riskier else (scheme.highest, "least")
                score = f"{hold}({score}, CASE WHEN {id_} THEN {goal} ELSE {other} END)"
    return f"-- Clamp, then caps, then vetoes.\nscored AS (\n  SELECT entity,\n    {score} AS score\n  FROM grouped\n)"


def _entry(scheme: Scheme, compiled: Compiled, target: str) -> int:
    """The score of the class ``target`` that lies nearest to the better ones."""
    place = compiled.cuts.classes.index(target)
    if scheme.direction != DIRECTIONS[0]:
        return compiled.cuts.highest[place]
    return compiled.cuts.highest[place - 1] + 1 if place else scheme.lowest


def _classes(scheme: Scheme, compiled: Mapping[str, Compiled]) -> str:
    cuts = next(iter(compiled.values())).cuts
    whens = " ".join(
        f"WHEN score <= {high} THEN '{name}'"
        for name, high in sorted(zip(cuts.classes, cuts.highest, strict=True), key=lambda cut: cut[1])
    )
    return f"SELECT entity, CASE {whens} END AS class, score::INTEGER AS score\nFROM scored\n"


def _condition(tree: Condition, constants: Mapping[str, str]) -> str:
    def operand(one: Operand) -> str:
        return str(one.value) if isinstance(one, Number) else constants.get(one.name, one.name)

    def inner(node: Condition) -> str:
        told = _condition(node, constants)
        return f"({told})" if isinstance(node, All | Any) else told

    match tree:
        case Compare(op, left, right):
            return f"{operand(left)} {op} {operand(right)}"
        case Between(value, low, high):
            return f"{operand(value)} BETWEEN {operand(low)} AND {operand(high)}"
        case In(value, choices):
            return f"{operand(value)} IN ({', '.join(map(operand, choices))})"
        case IsNull(Name(name)):
            return f"{name} IS NULL"
        case Not(term):
            return f"NOT ({_condition(term, constants)})"
        case All(terms):
            return " AND ".join(map(inner, terms))
        case Any(terms):
            return " OR ".join(map(inner, terms))


def _expression(tree: Expression, constants: Mapping[str, str]) -> str:
    match tree:
        case Value(name):
            return constants.get(name, name)
        case Integer(value):
            return str(value)
        case Sum(terms):
            text = "".join(f" {'-' if sign < 0 else '+'} {_expression(term, constants)}" for sign, term in terms)
            return f"({text.removeprefix(' + ').strip()})"
        case Product(factors):
            return " * ".join(_expression(factor, constants) for factor in factors)
        case Extreme(op, left, right):
            return f"{'greatest' if op == 'max' else 'least'}({_expression(left, constants)}, {_expression(right, constants)})"
