"""A scheme with every dated value fixed: what the engine needs for one subject inside one epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from rules import conditions, expressions, measures
from rules.dated import Dated, Span
from rules.parts import Cuts, Indicator, Lookup, Matrix, ParameterValue, Rule, Steps

if TYPE_CHECKING:
    from rules.scheme import Scheme


T = TypeVar("T")

# Measures that need more than facts of one kind.
DEPENDENT = frozenset({"area", "context", "norm", "percent_of_norm", "ratio", "grade", "matrix", "subject"})


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule that applies. ``index`` is its place among all rules of the scheme in order of id."""

    rule: Rule
    index: int
    group: int  # place of its first-level group in the scheme
    constants: Mapping[str, int]
    parameters: Mapping[str, Span[ParameterValue]]
    inputs: tuple[str, ...]  # indicators of the points expression


@dataclass(frozen=True, slots=True)
class CompiledIndicator:
    """An indicator with the tables in force."""

    indicator: Indicator
    steps: Steps | None
    lookup: Lookup | None
    matrix: Matrix | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """Everything constant for one subject in one epoch.

    ``indicators`` are those that rules read and those that these are made of, by id; ``dependents`` are the ones among
    them that need more than facts (:mod:`rules.dependents`), each after all that it reads.
    """

    subject: str
    cuts: Cuts
    rules: tuple[CompiledRule, ...]
    expressions: tuple[pl.Expr, ...]  # one Boolean per rule, null where unknown
    indicators: tuple[CompiledIndicator, ...]
    dependents: tuple[CompiledIndicator, ...]
    masks: Mapping[str, pl.Expr]  # one Boolean over facts for each distinct text of `where`
    next_boundary: int | None  # day on which the next epoch begins

    def only(self, one: CompiledRule) -> Compiled:
        """The same with no rule but ``one``."""
        expression = self.expressions[self.rules.index(one)]
        return replace(self, rules=(one,), expressions=(expression,))


def compile_for(scheme: Scheme, subject: str, day: int, *, measuring: bool = False) -> Compiled:
    """Fix every value of ``scheme`` at ``day`` for ``subject``.

    A rule applies if it covers the subject and every parameter and table it needs, also through the indicators that
    an indicator is made of, is in force. Cuts must be in force. With ``measuring`` there are no rules, and all indicators
    whose tables are in force: what models read.
    """
    cuts = scheme.cuts.at(day)
    if cuts is None:
        raise ValueError(f"No cuts are in force on day {day}; ask Scheme.compiled, which checks.")
    steps, lookups = _in_force(scheme.steps, day), _in_force(scheme.lookups, day)
    matrices = _in_force(scheme.matrices, day)
    usable = {
        id_
        for id_ in scheme.indicators
        if all(
            (not one.steps or one.steps in steps)
            and (not one.lookup or one.lookup in lookups)
            and (not one.matrix or one.matrix in matrices)
            for one in _made_of(scheme, id_)
        )
    }
    groups = list(scheme.groups)
    applied: list[CompiledRule] = []
    for index, rule in enumerate(() if measuring else scheme.rules.values()):
        spans = {name: dated.at(day) for name, dated in rule.parameters.items()}
        in_force = {name: span for name, span in spans.items() if span is not None}
        if subject not in rule.subjects or len(in_force) < len(spans) or not usable.issuperset(rule.indicators):
            continue
        constants = {name: span.value.of(subject) for name, span in in_force.items()}
        inputs = _inputs(rule)
        group = groups.index(scheme.seconds[rule.second].group)
        applied.append(CompiledRule(rule, index, group, constants, in_force, inputs))
    wanted = sorted(usable) if measuring else [name for one in applied for name in one.rule.indicators]
    compiled = {
        indicator.id: CompiledIndicator(
            indicator, steps.get(indicator.steps), lookups.get(indicator.lookup), matrices.get(indicator.matrix)
        )
        for name in wanted
        for indicator in _made_of(scheme, name)
    }
    later = [boundary for boundary in scheme.boundaries if boundary > day]
    return Compiled(
        subject=subject,
        cuts=cuts.value,
        rules=tuple(applied),
        expressions=tuple(conditions.to_polars(one.rule.when, one.constants).alias(one.rule.id) for one in applied),
        indicators=tuple(compiled[name] for name in sorted(compiled)),
        # An indicator stands in `compiled` after all that it reads.
        dependents=tuple(one for one in compiled.values() if one.indicator.measure in DEPENDENT),
        masks={
            where_text: conditions.to_polars(where).alias(where_text)
            for name in sorted(compiled)
            if (where := compiled[name].indicator.where) is not None
            and (where_text := compiled[name].indicator.where_text)
        },
        next_boundary=later[0] if later else None,
    )


def _made_of(scheme: Scheme, id_: str) -> Iterator[Indicator]:
    """The indicator and all that it is made of, at whatever depth, each after what it is made of."""
    for inner in measures.inputs(scheme.indicators[id_]):
        yield from _made_of(scheme, inner)
    yield scheme.indicators[id_]


def _in_force(tables: Mapping[str, Dated[T]], day: int) -> dict[str, T]:
    return {id_: span.value for id_, one in tables.items() if (span := one.at(day)) is not None}


def _inputs(rule: Rule) -> tuple[str, ...]:
    """Indicators that the points of ``rule`` are computed from, beside its condition."""
    if rule.points is None:
        return ()
    return tuple(sorted(expressions.names(rule.points) - set(rule.parameters)))
