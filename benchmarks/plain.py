"""Indicators of one entity at a time, in plain Python: what a row-by-row system computes before its rules begin."""

import operator
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rules import conditions
from rules.compiled import DEPENDENT, Compiled, CompiledIndicator
from rules.conditions import Between, Compare, Condition, In, IsNull, Not, Number
from rules.dated import to_date
from rules.given import Given
from rules.indicators import reach
from rules.kinds import REGISTRATION

_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Fact(NamedTuple):
    code: int
    severity: int
    amount: int
    day: int
    ends: int | None
    seq: int


Facts = Mapping[int, Sequence[Fact]]  # of one entity by kind, oldest first
Values = Mapping[str, int | None]


class One(NamedTuple):
    """What is known of one entity: its facts, what the frozen context says of it by name, and the indicators so far."""

    facts: Facts
    context: Mapping[str, int]
    values: Values


Indicator = Callable[[One], int | None]


def functions(compiled: Compiled, day: int, covered: Mapping[int, bool], given: Given) -> dict[str, Indicator]:
    """A function for each indicator, in an order in which each finds in `One.values` what it is made of."""
    plain = [one for one in compiled.indicators if one.indicator.measure not in DEPENDENT]
    return {
        one.indicator.id: indicator_of(one, day, covered[one.indicator.kind], given)
        for one in (*plain, *compiled.dependents)
    }


def values_of(made: Mapping[str, Indicator], facts: Facts, context: Mapping[str, int]) -> dict[str, int | None]:
    """Every indicator of one entity."""
    values: dict[str, int | None] = {}
    known = One(facts, context, values)
    for name, of in made.items():
        values[name] = of(known)
    return values


def indicator_of(one: CompiledIndicator, day: int, covered: bool, given: Given) -> Indicator:
    """A function from what is known of one entity to the value of one indicator, None where it is unknown."""
    indicator = one.indicator
    match indicator.measure:
        case "missing_years":
            return _missing(one, day, covered)
        case "context":
            return _context(one, covered, indicator.of in given.names)
        case "norm":
            return _norm(given, indicator.of)
        case "percent_of_norm":
            return _percent_of_norm(one, _norm(given, indicator.norm))
    kind, limit = indicator.kind, reach(one)
    where = _where(indicator.where)
    value = _MEASURES[indicator.measure](one, day)

    def of(known: One) -> int | None:
        held = known.facts.get(kind, ())
        chosen = [fact for fact in held if (limit is None or day - fact.day < limit) and where(fact)]
        if not chosen and not covered and not (kind == REGISTRATION and held):
            return None
        return value(chosen)

    return of


def _where(tree: Condition | None) -> Callable[[Fact], bool]:
    def operand(one: conditions.Operand) -> Callable[[Fact], int]:
        if isinstance(one, Number):
            constant = one.value
            return lambda fact: constant
        return operator.attrgetter(one.name)

    match tree:
        case None:
            return lambda fact: True
        case Compare(op, left, right):
            first, second, compare = operand(left), operand(right), _OPERATORS[op]
            return lambda fact: compare(first(fact), second(fact))
        case Between(value, low, high):
            middle, least, most = operand(value), operand(low), operand(high)
            return lambda fact: least(fact) <= middle(fact) <= most(fact)
        case In(value, choices):
            looked, among = operand(value), [operand(choice) for choice in choices]
            return lambda fact: looked(fact) in [choice(fact) for choice in among]
        case IsNull():
            return lambda fact: False  # no field of a fact that a scheme may name is ever empty
        case Not(term):
            inner = _where(term)
            return lambda fact: not inner(fact)
        case conditions.All(terms):
            every = [_where(term) for term in terms]
            return lambda fact: all(term(fact) for term in every)
        case conditions.Any(terms):
            some = [_where(term) for term in terms]
            return lambda fact: any(term(fact) for term in some)


def _in_force(fact: Fact, day: int) -> bool:
    return fact.ends is None or fact.ends > day


def _load(one: CompiledIndicator, day: int) -> Callable[[list[Fact]], int]:
    assert one.steps is not None
    edges, percents, severity = one.steps.edges, one.steps.percents, one.indicator.of == "severity"

    def value(chosen: list[Fact]) -> int:
        weights = (
            percents[bisect_right(edges, day - fact.day) - 1] * (fact.severity if severity else 1) for fact in chosen
        )
        return sum(weights) // 100

    return value


def _looked_up(one: CompiledIndicator, day: int) -> Callable[[list[Fact]], int]:
    table = one.lookup
    assert table is not None
    of, empty = operator.attrgetter(one.indicator.of), one.indicator.empty

    def value(chosen: list[Fact]) -> int:
        if not chosen:
            return empty
        looked = of(chosen[-1])
        place = bisect_right(table.lows, looked) - 1
        return table.values[place] if place >= 0 and looked <= table.highs[place] else table.otherwise

    return value


def _of(one: CompiledIndicator) -> Callable[[Fact], int]:
    return operator.attrgetter(one.indicator.of)


_MEASURES: dict[str, Callable[[CompiledIndicator, int], Callable[[list[Fact]], int]]] = {
    "count": lambda one, day: len,
    "sum": lambda one, day: lambda chosen: sum(map(_of(one), chosen)) // one.indicator.per,
    "max": lambda one, day: lambda chosen: max(map(_of(one), chosen), default=0),
    "load": _load,
    "open": lambda one, day: lambda chosen: sum(_in_force(fact, day) for fact in chosen),
    "open_age": lambda one, day: (
        lambda chosen: max(
            (bisect_right(one.indicator.edges, day - fact.day) for fact in chosen if _in_force(fact, day)), default=0
        )
    ),
    "age": lambda one, day: (
        lambda chosen: (
            bisect_right(one.indicator.edges, day - chosen[-1 if one.indicator.which == "last" else 0].day)
            if chosen
            else one.indicator.empty
        )
    ),
    "last": lambda one, day: lambda chosen: _of(one)(chosen[-1]) if chosen else one.indicator.empty,
    "lookup": _looked_up,
    "expired": lambda one, day: (
        lambda chosen: int(
            bool(chosen) and chosen[-1].ends is not None and chosen[-1].ends <= day + one.indicator.ahead
        )
    ),
}


def _missing(one: CompiledIndicator, day: int, covered: bool) -> Indicator:
    indicator, today = one.indicator, to_date(day)
    last = today.year - (1 if (today.month, today.day) >= indicator.deadline else 2)
    due = range(last - indicator.years + 1, last + 1)

    def of(known: One) -> int | None:
        registered = known.facts.get(REGISTRATION)
        seen = {fact.code for fact in known.facts.get(indicator.kind, ()) if fact.code in due}
        if not registered or not (covered or seen):
            return None
        if not covered:
            return 0  # nobody is charged with a year that no feed could have told of
        since = to_date(registered[-1].day).year
        return sum(year >= since and year not in seen for year in due)

    return of


def _context(one: CompiledIndicator, covered: bool, answered: bool) -> Indicator:
    of_name, by_registration = one.indicator.of, one.indicator.kind == REGISTRATION

    def of(known: One) -> int | None:
        if not answered:
            return None
        found = known.context.get(of_name)
        if found is None and (covered or (by_registration and known.facts.get(REGISTRATION))):
            return 0
        return found

    return of


def _norm(given: Given, name: str) -> Indicator:
    ranges = sorted(
        (low, high, value)
        for held, low, high, value in given.norms.select("name", "low", "high", "value").iter_rows()
        if held == name and name in given.names
    )
    lows = [low for low, _, _ in ranges]

    def of(known: One) -> int | None:
        registered = known.facts.get(REGISTRATION)
        if not registered:
            return None
        code = registered[-1].code
        place = bisect_right(lows, code) - 1
        return ranges[place][2] if place >= 0 and code <= ranges[place][1] else None

    return of


def _percent_of_norm(one: CompiledIndicator, norm_of: Indicator) -> Indicator:
    compared_with, least = one.indicator.indicator, max(one.indicator.least, 1)

    def of(known: One) -> int | None:
        compared, norm = known.values[compared_with], norm_of(known)
        if compared is None or norm is None:
            return None
        return 100 * 1000 * compared // max(norm, least)

    return of
