"""Points expressions: integers, parameters, indicators, ``+ - *``, ``max(a, b)`` and ``min(a, b)``.

Arithmetic is in 64-bit integers and *saturates* at ±3,000,000,000 after every step, so no input can make it wrap
around: an absurd amount gives the greatest number, never a negative one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from rules import guard
from rules.errors import Refused

Ints: TypeAlias = npt.NDArray[np.int64]
SATURATES = 3_000_000_000  # its square still fits into 64 bits
FORM = "Use integers, parameters, indicators, + - * and max(a, b), min(a, b)"


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or an indicator."""

    name: str


@dataclass(frozen=True, slots=True)
class Integer:
    value: int


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms with their signs, +1 or -1."""

    terms: tuple[tuple[int, Expression], ...]


@dataclass(frozen=True, slots=True)
class Product:
    factors: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Extreme:
    """The greater (``max``) or the smaller (``min``) of two."""

    op: str
    left: Expression
    right: Expression


Expression: TypeAlias = Value | Integer | Sum | Product | Extreme


def parse(text: str, names: Collection[str]) -> Expression:
    """Read one points expression over ``names``.

    Raises
    ------
    Refused
        If the text is not of the allowed form, too large, or uses an unknown name.
    """
    guard.tokens(text, names=names, arithmetic=True)
    try:
        parsed = sqlglot.parse_one(text)
    except SqlglotError as error:
        raise Refused(f"the points expression cannot be read{guard.place(error)}", FORM) from None
    tree = _expression(parsed, frozenset(names))
    size = sum(1 for _ in _nodes(tree))
    if size > guard.MOST_NODES:
        problem = f"the points expression has more than {guard.MOST_NODES} nodes"
        raise Refused(problem, "Split it into several rules")
    return tree


def names(tree: Expression) -> frozenset[str]:
    """Every parameter and indicator the expression mentions."""
    return frozenset(node.name for node in _nodes(tree) if isinstance(node, Value))


def evaluate(tree: Expression, values: Mapping[str, Ints | int]) -> Ints | int:
    """The value for every row; ``values`` maps each name to a constant or to an array of one length."""
    match tree:
        case Value(name):
            return _hold(values[name])
        case Integer(value):
            return _hold(value)
        case Sum(terms):
            total: Ints | int = 0
            for sign, term in terms:
                total = _hold(total + sign * evaluate(term, values))
            return total
        case Product(factors):
            product: Ints | int = 1
            for factor in factors:
                product = _hold(product * evaluate(factor, values))
            return product
        case Extreme(op, left, right):
            one, other = evaluate(left, values), evaluate(right, values)
            if isinstance(one, int) and isinstance(other, int):
                return max(one, other) if op == "max" else min(one, other)
            return np.maximum(one, other) if op == "max" else np.minimum(one, other)


def _hold(value: Ints | int) -> Ints | int:
    if isinstance(value, int):
        return max(-SATURATES, min(SATURATES, value))
    # Almost every array is far inside; two reductions are cheaper than a copy.
    if value.size and (value.max() > SATURATES or value.min() < -SATURATES):
        return np.clip(value, -SATURATES, SATURATES)
    return value


def _expression(node: exp.Expr, names: frozenset[str]) -> Expression:
    if isinstance(node, exp.Paren):
        return _expression(node.this, names)
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and node.name in names:
        return Value(node.name)
    if isinstance(node, exp.Literal) and not node.is_string:
        return Integer(int(node.this))
    if isinstance(node, exp.Neg):
        return Sum(((-1, _expression(node.this, names)),))
    if isinstance(node, exp.Add | exp.Sub):
        return Sum(tuple((sign, _expression(term, names)) for sign, term in _spine(node, exp.Add, exp.Sub)))
    if isinstance(node, exp.Mul):
        return Product(tuple(_expression(factor, names) for _, factor in _spine(node, exp.Mul)))
    if isinstance(node, exp.Max | exp.Min):
        if len(node.expressions) != 1:
            raise Refused(f"{node.sql()[:60]!r} does not have two parts", "Write max(a, b) or min(a, b)")
        op = "max" if isinstance(node, exp.Max) else "min"
        return Extreme(op, _expression(node.this, names), _expression(node.expressions[0], names))
    raise Refused(f"{node.sql()[:60]!r} has no place in a points expression", FORM)


def _spine(node: exp.Expr, *kinds: type[exp.Expr]) -> list[tuple[int, exp.Expr]]:
    """Terms of a left-leaning chain such as ``a - b + c``, with their signs, without recursion."""
    terms: list[tuple[int, exp.Expr]] = []
    while isinstance(node, kinds):
        terms.append((-1 if isinstance(node, exp.Sub) else 1, node.expression))
        node = node.this
    terms.append((1, node))
    return terms[::-1]


def _nodes(tree: Expression) -> Iterator[Expression]:
    stack: list[Expression] = [tree]
    while stack:
        node = stack.pop()
        yield node
        match node:
            case Sum(terms):
                stack.extend(term for _, term in terms)
            case Product(factors):
                stack.extend(factors)
            case Extreme(_, left, right):
                stack.extend((left, right))
            case Value() | Integer():
                continue
