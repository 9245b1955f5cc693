"""Conditions: and / or / not over comparisons of indicators, parameters and integers, and nothing else.

The text is checked by :mod:`rules.guard`, read by sqlglot, and turned into the small frozen tree below; whatever has
no place in the tree is refused. The tree compiles to flat polars expressions (long ``&`` chains are quadratic and can
crash polars) and says itself in words. Logic is three-valued: a comparison with an unknown indicator is unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from rules import guard
from rules.errors import Refused

FORM = "Use and, or, not, = <> < <= > >=, between, in (…), is null and is not null over names and integers"


@dataclass(frozen=True, slots=True)
class Name:
    """An indicator, a parameter, or a field of a fact."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    value: int


Operand: TypeAlias = Name | Number


@dataclass(frozen=True, slots=True)
class Compare:
    op: str  # one of = <> < <= > >=
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class In:
    operand: Operand
    choices: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    operand: Name


@dataclass(frozen=True, slots=True)
class Not:
    term: Condition


@dataclass(frozen=True, slots=True)
class All:
    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    terms: tuple[Condition, ...]


Condition: TypeAlias = Compare | Between | In | IsNull | Not | All | Any
_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def parse(text: str, *, indicators: Collection[str], parameters: Collection[str] = ()) -> Condition:
    """Read one condition.

    ``indicators`` are the names that vary from row to row, ``parameters`` those that are constants of the rule; each
    comparison must look at an indicator, and not compare it with itself, so that no constant can decide about everybody.

    Raises
    ------
    Refused
        If the text is not of the allowed form, too large, or uses an unknown name.
    """
    names = {*indicators, *parameters}
    guard.tokens(text, names=names, arithmetic=False)
    try:
        parsed = sqlglot.parse_one(text)
    except SqlglotError as error:
        raise Refused(f"the condition cannot be read{guard.place(error)}", FORM) from None
    tree = _condition(parsed, frozenset(indicators), names)
    size = sum(1 for _ in _nodes(tree))
    if size > guard.MOST_NODES:
        raise Refused(f"the condition has more than {guard.MOST_NODES} nodes", "Split it into several rules")
    return tree


def asks_for_null(tree: Condition) -> bool:
    """Whether some part of the condition asks if a name is unknown."""
    return any(isinstance(node, IsNull) for node in _nodes(tree))


def names(tree: Condition) -> frozenset[str]:
    """Every indicator, parameter or field the condition mentions."""
    return frozenset(node.name for node in _nodes(tree) if isinstance(node, Name))


def to_polars(tree: Condition, constants: Mapping[str, int] | None = None) -> pl.Expr:
    """A Boolean polars expression over columns of integers, null where the answer is unknown.

    ``constants`` gives the value of each parameter; every other name is a column. ``and`` and ``or`` become flat
    ``all_horizontal`` and ``any_horizontal``, which follow three-valued logic.
    """
    known = constants or {}
    match tree:
        case Compare(op, left, right):
            return _compare(op, _operand(left, known), _operand(right, known))
        case Between(operand, low, high):
            value = _operand(operand, known)
            return pl.all_horizontal(value >= _operand(low, known), value <= _operand(high, known))
        case In(operand, choices):
            value = _operand(operand, known)
            return pl.any_horizontal([value == _operand(choice, known) for choice in choices])
        case IsNull(operand):
            return pl.col(operand.name).is_null()
        case Not(term):
            return ~to_polars(term, known)
        case All(terms):
            return pl.all_horizontal([to_polars(term, known) for term in terms])
        case Any(terms):
            return pl.any_horizontal([to_polars(term, known) for term in terms])


_WORDS = {
    "zh": {
        "=": "等于", "<>": "不等于", "<": "小于", "<=": "不超过", ">": "大于", ">=": "不少于", "all": "且", "any": "或",
        "not": "并非", "between": "在", "to": "至", "after": "之间", "in": "属于", "null": "无数据", "list": "、",
    },
    "en": {
        "=": "is", "<>": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least",
        "all": "and", "any": "or", "not": "not", "between": "is between", "to": "and", "after": "",
        "in": "is one of", "null": "has no data", "list": ", ",
    },
}  # fmt: skip


def sentence(
    tree: Condition, lang: str, *, titles: Mapping[str, str], constants: Mapping[str, int] | None = None
) -> str:
    """The condition in words, in ``lang`` ``zh`` or ``en``: indicators by title, parameters by value."""
    words, known = _WORDS[lang], constants or {}

    def say(operand: Operand) -> str:
        if isinstance(operand, Number):
            return str(operand.value)
        if operand.name in known:
            return str(known[operand.name])
        return titles.get(operand.name, operand.name)

    def join(word: str, terms: tuple[Condition, ...]) -> str:
        return f" {words[word]} ".join(f"({told})" if isinstance(t, All | Any) else told for t, told in _told(terms))

    def _told(terms: tuple[Condition, ...]) -> Iterator[tuple[Condition, str]]:
        return ((term, tell(term)) for term in terms)

    def tell(node: Condition) -> str:
        match node:
            case Compare(op, left, right):
                return f"{say(left)} {words[op]} {say(right)}"
            case Between(operand, low, high):
                told = f"{say(operand)} {words['between']} {say(low)} {words['to']} {say(high)} {words['after']}"
                return told.rstrip()
            case In(operand, choices):
                return f"{say(operand)} {words['in']} {words['list'].join(say(choice) for choice in choices)}"
            case IsNull(operand):
                return f"{say(operand)} {words['null']}"
            case Not(term):
                return f"{words['not']} ({tell(term)})"
            case All(terms):
                return join("all", terms)
            case Any(terms):
                return join("any", terms)

    return tell(tree)


def _condition(node: exp.Expr, indicators: frozenset[str], names: set[str]) -> Condition:
    """The tree of a parsed node; bracket depth was bounded by the guard, so recursion is too."""
    if isinstance(node, exp.Paren):
        return _condition(node.this, indicators, names)
    if isinstance(node, exp.And | exp.Or):
        terms = tuple(_condition(term, indicators, names) for term in _flat(node, type(node)))
        return All(terms) if isinstance(node, exp.And) else Any(terms)
    if isinstance(node, exp.Not):
        return Not(_condition(node.this, indicators, names))
    operands: tuple[Operand, ...]
    result: Condition
    if type(node) in _COMPARISONS:
        operands = (_read(node.this, names), _read(node.expression, names))
        result = Compare(_COMPARISONS[type(node)], *operands)
    elif isinstance(node, exp.Between):
        operands = tuple(_read(node.args[key], names) for key in ("this", "low", "high"))
        result = Between(*operands)
    elif isinstance(node, exp.In) and node.expressions:
        operands = tuple(_read(part, names) for part in (node.this, *node.expressions))
        result = In(operands[0], operands[1:])
    elif isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        operands = (_read(node.this, names),)
        if not isinstance(operands[0], Name):
            raise Refused("'is null' is asked of a number", "Ask it of an indicator")
        result = IsNull(operands[0])
    else:
        raise Refused(f"{node.sql()[:60]!r} is not a comparison", FORM)
    if isinstance(result, IsNull | In | Between) and not _looks(operands[0], indicators):
        raise Refused(f"{node.sql()[:60]!r} does not begin with an indicator", "Put an indicator before it")
    if not any(_looks(operand, indicators) for operand in operands):
        raise Refused(f"{node.sql()[:60]!r} compares constants only", "Compare an indicator with something")
    if isinstance(result, Compare | In) and operands[0] in operands[1:]:
        raise Refused(
            f"{node.sql()[:60]!r} compares a name with itself", "Its answer is the same for everybody: remove it"
        )
    match result:
        case Between(_, Number(low), Number(high)) if low > high:
            raise Refused(f"{node.sql()[:60]!r} holds for no number", "Write the lower end first")
    return result


def _looks(operand: Operand, indicators: frozenset[str]) -> bool:
    return isinstance(operand, Name) and operand.name in indicators


def _flat(node: exp.Expr, kind: type[exp.Expr]) -> Iterator[exp.Expr]:
    """Terms of a chain of one connective, left to right, without recursion."""
    stack = [node]
    while stack:
        top = stack.pop()
        inner = top
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if isinstance(inner, kind):
            stack.extend((inner.expression, inner.this))
        else:
            yield inner


def _read(node: exp.Expr, names: set[str]) -> Operand:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and node.name in names:
        return Name(node.name)
    if isinstance(node, exp.Literal) and not node.is_string:
        return Number(int(node.this))
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return Number(-int(node.this.this))
    raise Refused(f"{node.sql()[:60]!r} stands where a name or an integer belongs", FORM)


def _nodes(tree: Condition | Operand) -> Iterator[Condition | Operand]:
    stack: list[Condition | Operand] = [tree]
    while stack:
        node = stack.pop()
        yield node
        match node:
            case Compare(_, left, right):
                stack.extend((left, right))
            case Between(operand, low, high):
                stack.extend((operand, low, high))
            case In(operand, choices):
                stack.extend((operand, *choices))
            case IsNull(operand):
                stack.append(operand)
            case Not(term):
                stack.append(term)
            case All(terms) | Any(terms):
                stack.extend(terms)
            case Name() | Number():
                continue


def _operand(operand: Operand, constants: Mapping[str, int]) -> pl.Expr:
    if isinstance(operand, Number):
        return pl.lit(operand.value)
    if operand.name in constants:
        return pl.lit(constants[operand.name])
    return pl.col(operand.name)


def _compare(op: str, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    match op:
        case "=":
            return left == right
        case "<>":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right
