"""The same grade worked out entity by entity: indicators in plain Python, rules in zen-engine.

Both sides start from the same facts in memory and store nothing. The indicators here are written as one would write
them for one entity at a time, with everything that does not change worked out beforehand; the rules are one JDM
graph per subject, generated from the scheme, in the engine's own expression language, evaluated in Rust.
"""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl
import zen

from benchmarks.plain import Fact, Facts, Indicator, functions, values_of
from benchmarks.report import Figure
from benchmarks.work import TODAY, Work, answering, connected, shuffled
from registry.services import frames, given, ledger
from rules import conditions
from rules.compiled import Compiled, CompiledRule
from rules.conditions import Between, Compare, Condition, In, IsNull, Name, Not, Number
from rules.dated import to_day
from rules.engine import evaluate, facts_needed, grade
from rules.expressions import Expression, Extreme, Integer, Product, Sum, Value
from rules.given import Given
from rules.judging import entry, judge
from rules.kinds import DIRECTIONS, KINDS
from rules.scheme import Scheme

ENTITIES = 20_000
TIMES_FASTER = 15.0


# --- rules, as a JDM graph -------------------------------------------------------------------------------------------


def graph(scheme: Scheme, compiled: Compiled) -> str:
    """The scheme for one subject as a JDM graph: one expression per rule, then groups, score and class."""
    rows: list[tuple[str, str]] = []
    groups: dict[int, list[str]] = {}
    for one in compiled.rules:
        hit = _zen(one.rule.when, one)
        if one.rule.points is None:
            rows.append((one.rule.id, hit))
        else:
            rows.append((one.rule.id, f"({hit}) ? {_zen_points(one.rule.points, one)} : 0"))
            groups.setdefault(one.group, []).append(f"$.{one.rule.id}")
    total = [str(scheme.base)]
    for place, group in enumerate(scheme.groups.values()):
        if place in groups:
            added = " + ".join(groups[place])
            rows.append((f"group_{group.id}", added if group.highest is None else f"min([{added}, {group.highest}])"))
            total.append(f"$.group_{group.id}")
    rows.append(("clamped", f"min([max([{' + '.join(total)}, {scheme.lowest}]), {scheme.highest}])"))
    score, riskier = "$.clamped", scheme.direction == DIRECTIONS[0]
    for effect in ("cap", "veto"):
        for number, one in enumerate(one for one in compiled.rules if one.rule.effect == effect):
            if effect == "cap":
                value = f"$.{one.rule.id} ? min([{score}, {one.constants['at_most']}]) : {score}"
            else:
                goal = entry(scheme, compiled.cuts, compiled.cuts.classes.index(str(one.rule.target)))
                value = f"$.{one.rule.id} ? {'max' if riskier else 'min'}([{score}, {goal}]) : {score}"
            rows.append((f"{effect}_{number}", value))
            score = f"$.{effect}_{number}"
    rows.append(("score", score))
    cuts = sorted(zip(compiled.cuts.highest, compiled.cuts.classes, strict=True))
    rows.append(
        ("class", " : ".join([*(f"$.score <= {high} ? '{name}'" for high, name in cuts[:-1]), f"'{cuts[-1][1]}'"]))
    )
    expressions = [{"id": key, "key": key, "value": value} for key, value in rows]
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {"id": "rules", "type": "expressionNode", "name": "rules", "content": {"expressions": expressions}},
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    edges = [
        {"id": "1", "type": "edge", "sourceId": "in", "targetId": "rules"},
        {"id": "2", "type": "edge", "sourceId": "rules", "targetId": "out"},
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def _zen(tree: Condition, rule: CompiledRule) -> str:
    def operand(one: conditions.Operand) -> str:
        return str(one.value) if isinstance(one, Number) else str(rule.constants.get(one.name, one.name))

    match tree:
        case Compare(op, left, right):
            return f"{operand(left)} {({'=': '==', '<>': '!='}).get(op, op)} {operand(right)}"
        case Between(value, low, high):
            return f"{operand(value)} >= {operand(low)} and {operand(value)} <= {operand(high)}"
        case In(value, choices):
            return f"{operand(value)} in [{', '.join(map(operand, choices))}]"
        case IsNull(Name(name)):
            return f"{name} == null"
        case Not(term):
            return f"not ({_zen(term, rule)})"
        case conditions.All(terms):
            return " and ".join(f"({_zen(term, rule)})" for term in terms)
        case conditions.Any(terms):
            return " or ".join(f"({_zen(term, rule)})" for term in terms)


def _zen_points(tree: Expression, rule: CompiledRule) -> str:
    match tree:
        case Value(name):
            return str(rule.constants.get(name, name))
        case Integer(value):
            return str(value)
        case Sum(terms):
            return (
                "("
                + "".join(
                    f"{'-' if sign < 0 else '+'} {_zen_points(term, rule)} " for sign, term in terms
                ).removeprefix("+ ")
                + ")"
            )
        case Product(factors):
            return " * ".join(_zen_points(factor, rule) for factor in factors)
        case Extreme(op, left, right):
            return f"{op}([{_zen_points(left, rule)}, {_zen_points(right, rule)}])"


# --- the comparison --------------------------------------------------------------------------------------------------


def by_entity(facts: pl.DataFrame) -> dict[int, dict[int, list[Fact]]]:
    """Facts of each entity by kind, oldest first: what a row-by-row system holds of one entity when it looks at it."""
    grouped: dict[int, dict[int, list[Fact]]] = {}
    ordered = facts.sort("entity", "kind", "day", "seq", "code", "severity", "amount", "ends", nulls_last=True).select(
        "entity", "kind", "code", "severity", "amount", "day", "ends", "seq"
    )
    for entity, kind, *rest in ordered.iter_rows():
        grouped.setdefault(entity, {}).setdefault(kind, []).append(Fact(*rest))
    return grouped


def context_by_entity(beside: Given) -> dict[int, dict[str, int]]:
    """What the frozen context says of each entity, by name."""
    grouped: dict[int, dict[str, int]] = {}
    for entity, name, value in beside.context.select("entity", "name", "value").iter_rows():
        grouped.setdefault(entity, {})[name] = value
    return grouped


def graded_row_by_row(
    population: Iterable[tuple[int, str]],
    grouped: Mapping[int, Facts],
    scheme: Scheme,
    day: int,
    covered: Mapping[int, bool],
    beside: Given,
) -> tuple[list[tuple[int, str, int]], float, float]:
    """Grade (entity, subject) pairs one after the other.

    Returns (entity, class, score) rows, and the seconds of indicators and of rules. Raises ValueError where an
    indicator is unknown: the engine's language has no third truth value, so the comparison would not be one.
    """
    engine = zen.ZenEngine()
    ready: dict[str, tuple[Any, dict[str, Indicator]]] = {}
    context = context_by_entity(beside)
    rows, indicators_took, rules_took = [], 0.0, 0.0
    clock = time.perf_counter
    for entity, subject in population:
        if subject not in ready:
            compiled = scheme.compiled(subject, scheme.epoch(day))
            made = functions(compiled, day, covered, beside)
            ready[subject] = (engine.create_decision(graph(scheme, compiled)), made)
        decision, made = ready[subject]
        began = clock()
        values = values_of(made, grouped.get(entity, {}), context.get(entity, {}))
        between = clock()
        if None in values.values():
            raise ValueError(
                f"Indicators of entity {entity} are unknown. Compare on a district whose feeds are all connected."
            )
        result = decision.evaluate(values)["result"]
        ended = clock()
        indicators_took += between - began
        rules_took += ended - between
        rows.append((entity, result["class"], int(result["score"])))
    return rows, indicators_took, rules_took


def measure(work: Work) -> list[Figure]:
    """20,000 entities, the same facts: zen-engine row by row, and ours in one pass. Every class and score must agree."""
    day = to_day(TODAY)
    with connected(work) as (_, scheme):
        known = ledger.head()
        everyone = frames.population_in(1, 10**12, known).filter(pl.col("subject").is_in(scheme.subjects))
        chosen = sorted(shuffled(everyone["entity"].to_list(), ENTITIES))
        population = everyone.filter(pl.col("entity").is_in(chosen)).with_columns(day=pl.lit(day, dtype=pl.Int32))
        facts, coverage = frames.facts_of(chosen, facts_needed(scheme), known), frames.coverage(known)
        beside = answering(given.about(scheme, chosen, known=known, day=day))
    covered = {
        kind: bool(coverage.filter((pl.col("kind") == kind) & pl.col("to_day").is_null()).height)
        for kind in KINDS.values()
    }
    grouped = by_entity(facts)
    theirs, indicators_took, rules_took = graded_row_by_row(
        population.select("entity", "subject").iter_rows(), grouped, scheme, day, covered, beside
    )
    grade(population.head(1_000), facts, coverage, scheme, beside)
    began = time.perf_counter()
    graded = grade(population, facts, coverage, scheme, beside)
    ours = time.perf_counter() - began
    judging = 0.0
    for part in evaluate(population, facts, coverage, scheme, beside):
        began = time.perf_counter()
        judge(scheme, part.compiled, part.columns, part.rows.size)
        judging += time.perf_counter() - began
    if sorted(theirs) != sorted(graded.select("entity", "class", "score").rows()):
        raise ValueError(
            "zen-engine and our engine give different grades: one of the two translations of the scheme is wrong."
        )
    count = len(theirs)
    note = f"{count:,} entities, all grades equal; indicators in plain Python {indicators_took:.2f} s + rules {rules_took:.2f} s; ours {ours:.3f} s with digests"
    return [
        Figure(
            "zen-engine row by row, end to end",
            indicators_took + rules_took,
            "s",
            (indicators_took + rules_took) / ours,
            "ours",
            TIMES_FASTER,
            at_least=True,
            note=note,
        ),
        Figure(
            "zen-engine, rules only",
            rules_took,
            "s",
            rules_took / judging,
            "ours",
            note=f"ours {judging:.3f} s: {judging / count * 1e6:.1f} µs an entity",
        ),
    ]
