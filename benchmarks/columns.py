"""The rules alone, column by column: OpenFisca-Core's engine on numpy beside ours, over the same indicators.

OpenFisca is the best known engine for rules as code. It grades whole columns as ours does, keeps no unknowns, no caps of
groups and no vetoes of its own, so every step is one of its variables, generated from the scheme; what it computes must be
equal to the last point.
"""

import time
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from openfisca_core import entities, periods, taxbenefitsystems, variables
from openfisca_core.simulations import SimulationBuilder

from benchmarks.report import Figure
from benchmarks.work import TODAY, Work, answering, connected
from registry.services import frames, given, ledger
from rules import conditions
from rules.compiled import Compiled, CompiledRule
from rules.conditions import Between, Compare, Condition, In, IsNull, Not, Number
from rules.dated import to_day
from rules.engine import Part, evaluate, facts_needed
from rules.expressions import Expression, Extreme, Integer, Product, Sum, Value
from rules.judging import entry, judge
from rules.kinds import DIRECTIONS
from rules.scheme import Scheme

MOST_TIMES = 4.0
RUNS = 5
DAY = periods.period(f"day:{TODAY}")
Ints = npt.NDArray[np.int64]
Read = Callable[[str], Any]
_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": np.equal, "<>": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def system(scheme: Scheme, compiled: Compiled) -> Any:
    """The rules of one subject as an OpenFisca system: an input for each indicator, a variable for each step."""
    entity = entities.Entity("entity", "entities", "经营主体", "")
    made = taxbenefitsystems.TaxBenefitSystem([entity])

    def add(name: str, formula: Callable[[Read], Any] | None) -> None:
        body: dict[str, Any] = {"value_type": int, "entity": entity, "definition_period": periods.DateUnit.DAY}
        if formula is not None:
            body["formula"] = lambda population, period: formula(lambda other: population(other, period))
        made.add_variable(type(name, (variables.Variable,), body))
        # Amounts in fen do not fit into the 32 bits that it gives to a whole number.
        made.variables[name].dtype = np.int64

    for one in compiled.indicators:
        add(one.indicator.id, None)
    groups: dict[int, list[str]] = {}
    for rule in compiled.rules:
        if rule.rule.points is not None:
            add(f"points_{rule.rule.id}", _points(rule))
            groups.setdefault(rule.group, []).append(f"points_{rule.rule.id}")
    for place, group in enumerate(scheme.groups.values()):
        add(f"group_{group.id}", _group(groups.get(place, []), group.highest))
    add("clamped", _clamped(scheme))
    last = "clamped"
    for effect in ("cap", "veto"):
        for rule in (one for one in compiled.rules if one.rule.effect == effect):
            name = f"{effect}_{rule.rule.id}"
            add(name, _held(scheme, compiled, rule, last))
            last = name
    add("score", lambda read, final=last: read(final))  # type: ignore[misc]
    return made


def _points(rule: CompiledRule) -> Callable[[Read], Any]:
    def formula(read: Read) -> Any:
        assert rule.rule.points is not None
        return np.where(_holds(rule.rule.when, rule, read), _worth(rule.rule.points, rule, read), 0)

    return formula


def _group(names: list[str], highest: int | None) -> Callable[[Read], Any]:
    def formula(read: Read) -> Any:
        total = sum((read(name) for name in names[1:]), read(names[0])) if names else 0
        return total if highest is None else np.minimum(total, highest)

    return formula


def _clamped(scheme: Scheme) -> Callable[[Read], Any]:
    def formula(read: Read) -> Any:
        total = sum((read(f"group_{name}") for name in scheme.groups), scheme.base)
        return np.clip(total, scheme.lowest, scheme.highest)

    return formula


def _held(scheme: Scheme, compiled: Compiled, rule: CompiledRule, before: str) -> Callable[[Read], Any]:
    riskier = scheme.direction == DIRECTIONS[0]
    hold: Callable[[Any, Any], Any]
    if rule.rule.effect == "cap":
        bound, hold = rule.constants["at_most"], np.minimum
    else:
        bound = entry(scheme, compiled.cuts, compiled.cuts.classes.index(str(rule.rule.target)))
        hold = np.maximum if riskier else np.minimum

    def formula(read: Read) -> Any:
        score = read(before)
        return np.where(_holds(rule.rule.when, rule, read), hold(score, bound), score)

    return formula


def _holds(tree: Condition, rule: CompiledRule, read: Read) -> Any:
    def value(one: conditions.Operand) -> Any:
        if isinstance(one, Number):
            return one.value
        return rule.constants[one.name] if one.name in rule.constants else read(one.name)

    match tree:
        case Compare(op, left, right):
            return _OPERATORS[op](value(left), value(right))
        case Between(operand, low, high):
            return (value(operand) >= value(low)) & (value(operand) <= value(high))
        case In(operand, choices):
            return np.isin(value(operand), [value(choice) for choice in choices])
        case IsNull():
            return False
        case Not(term):
            return np.logical_not(_holds(term, rule, read))
        case conditions.All(terms):
            return reduce(np.logical_and, [_holds(term, rule, read) for term in terms])
        case conditions.Any(terms):
            return reduce(np.logical_or, [_holds(term, rule, read) for term in terms])


def _worth(tree: Expression, rule: CompiledRule, read: Read) -> Any:
    match tree:
        case Value(name):
            return rule.constants[name] if name in rule.constants else read(name)
        case Integer(value):
            return value
        case Sum(terms):
            return sum(sign * _worth(term, rule, read) for sign, term in terms)
        case Product(factors):
            found = _worth(factors[0], rule, read)
            for factor in factors[1:]:
                found = found * _worth(factor, rule, read)
            return found
        case Extreme(op, left, right):
            return (np.maximum if op == "max" else np.minimum)(_worth(left, rule, read), _worth(right, rule, read))


def scores(scheme: Scheme, part: Part) -> tuple[Ints, float]:
    """The score of every row of a part by OpenFisca, and the seconds that its engine took; inputs are set before.

    Raises ValueError where an indicator is unknown: it has no third truth value, so the comparison would not be one.
    """
    unknown = [name for name, column in part.columns.items() if column.known is not True and not np.all(column.known)]
    if unknown:
        raise ValueError(
            f"Indicators are unknown for some entities: {', '.join(unknown)}. Compare where every feed is connected."
        )
    built = SimulationBuilder().build_default_simulation(system(scheme, part.compiled), count=part.rows.size)
    for one in part.compiled.indicators:
        built.set_input(one.indicator.id, DAY, part.columns[one.indicator.id].values)
    began = time.perf_counter()
    found = built.calculate("score", DAY)
    return found, time.perf_counter() - began


def measure(work: Work) -> list[Figure]:
    """The whole district: the rule stage of both, fastest of five runs each; every score must agree."""
    number = to_day(TODAY)
    with connected(work) as (_, scheme):
        known = ledger.head()
        population = frames.population_in(1, 2**62, known).filter(pl.col("subject").is_in(scheme.subjects))
        facts = frames.facts_in(1, 2**62, facts_needed(scheme), known)
        coverage = frames.coverage(known)
        beside = answering(given.within(scheme, 1, 2**62, known=known, day=number))
    asked = population.with_columns(day=pl.lit(number, dtype=pl.Int32))
    theirs = ours = 0.0
    for part in evaluate(asked, facts, coverage, scheme, beside):
        runs = [scores(scheme, part) for _ in range(RUNS)]
        # Classes that persons have set are no rules: the score before them is what both compute.
        if not np.array_equal(runs[0][0], part.judged.ledger[:, 1]):
            raise ValueError("OpenFisca and our engine give different scores: the translation of the scheme is wrong.")
        theirs += min(seconds for _, seconds in runs)
        ours += min(_judged(scheme, part) for _ in range(RUNS))
    note = f"{asked.height:,} entities, all scores equal; ours {ours:.3f} s with unknowns and classes, OpenFisca {theirs:.3f} s"
    return [Figure("OpenFisca-Core, rules only: ours", ours, "s", ours / theirs, "OpenFisca", MOST_TIMES, note=note)]


def _judged(scheme: Scheme, part: Part) -> float:
    began = time.perf_counter()
    judge(scheme, part.compiled, part.columns, part.rows.size)
    return time.perf_counter() - began
