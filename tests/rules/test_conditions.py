"""Conditions: what they accept, what they refuse before it reaches the parser, and that polars answers as an independent
evaluator does."""

from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import conditions, expressions, guard
from rules.errors import Refused

NAMES = ("a", "b", "c")
PARAMETERS = {"p": 2, "q": -1}


def parse(text):
    return conditions.parse(text, indicators=NAMES, parameters=PARAMETERS)


# An independent evaluator: works on the generated structure, never on the parsed tree. None is "unknown".


def scalar_operand(operand, row):
    if isinstance(operand, int):
        return operand
    return PARAMETERS[operand] if operand in PARAMETERS else row[operand]


def scalar(node, row):
    head, *rest = node
    if head == "not":
        value = scalar(rest[0], row)
        return None if value is None else not value
    if head in ("and", "or"):
        values = [scalar(one, row) for one in rest[0]]
        decisive = head == "or"
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    if head == "null":
        return (row[rest[0]] is None) != rest[1]
    values = [scalar_operand(one, row) for one in rest[1:]] if head == "cmp" else None
    if head == "cmp":
        left, right = values
        if left is None or right is None:
            return None
        return {"=": left == right, "<>": left != right, "<": left < right, "<=": left <= right,
                ">": left > right, ">=": left >= right}[rest[0]]  # fmt: skip
    operand = scalar_operand(rest[0], row)
    others = [scalar_operand(one, row) for one in rest[1]]
    if head == "between":
        _low, _high = others
        return scalar(("and", [("cmp", ">=", rest[0], rest[1][0]), ("cmp", "<=", rest[0], rest[1][1])]), row)
    if operand is not None and operand in [one for one in others if one is not None]:
        return True
    return None if operand is None or None in others else False


def write(node, style=(False, False, False), within=""):
    """The text of a structure. ``style``: words in capitals, no bracket that precedence makes idle, blanks everywhere."""
    head, *rest = node
    loud, bare, wide = style
    word = str.upper if loud else str
    gap = "\n\t  " if wide else " "
    if head == "not" and bare and rest[0][0] in ("between", "in"):
        first, after = write(rest[0], style).split(" ", 1)
        text = f"{first} {word('not')} {after}"
    elif head == "not":
        inner = write(rest[0], style, "not")
        text = f"{word('not')} {inner}" if bare else f"{word('not')} ({inner})"
    elif head in ("and", "or"):
        text = f"{gap}{word(head)}{gap}".join(write(one, style, head) for one in rest[0])
        # `not` binds closer than `and`, and `and` closer than `or`.
        idle = bare and (within in ("", head) or (head == "and" and within == "or"))
        text = text if idle else f"({text})"
    elif head == "null":
        text = f"{rest[0]} {word('is')} {word('not ') if rest[1] else ''}{word('null')}"
    elif head == "cmp":
        text = f"{rest[1]}{gap if wide else ''}{rest[0]}{gap if wide else ''}{rest[2]}"
    elif head == "between":
        text = f"{rest[0]} {word('between')} {rest[1][0]} {word('and')} {rest[1][1]}"
    else:
        text = f"{rest[0]} {word('in')} ({(',' + gap).join(str(one) for one in rest[1])})"
    return text


indicator = st.sampled_from(NAMES)
operand = st.one_of(indicator, st.sampled_from(sorted(PARAMETERS)), st.integers(-2, 3))


def says_something(node):
    """Not of the forms whose answer is the same for everybody: those are refused."""
    if node[0] == "between":
        return not all(isinstance(one, int) for one in node[2]) or node[2][0] <= node[2][1]
    return node[1] not in node[2]


compared = st.tuples(indicator, operand).filter(lambda pair: pair[0] != pair[1])
compared = st.one_of(compared, compared.map(lambda pair: pair[::-1]))
leaf = st.one_of(
    st.builds(lambda op, pair: ("cmp", op, *pair), st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), compared),
    st.tuples(st.just("between"), indicator, st.tuples(operand, operand)).filter(says_something),
    st.tuples(st.just("in"), indicator, st.lists(operand, min_size=1, max_size=4)).filter(says_something),
    st.tuples(st.just("null"), indicator, st.booleans()),
)
tree = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)
# Every combination of five values of three indicators, unknown among them: 125 rows.
ROWS = [dict(zip(NAMES, values, strict=True)) for values in product((None, -1, 0, 2, 10**16), repeat=len(NAMES))]
FRAME = pl.DataFrame(ROWS, schema=dict.fromkeys(NAMES, pl.Int64))


@settings(max_examples=500, deadline=None)
@given(tree, st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_a_thousand_conditions_answer_on_every_row_as_an_independent_evaluator_does(node, style):
    answer = FRAME.select(conditions.to_polars(parse(write(node, style)), PARAMETERS).alias("answer"))["answer"]
    assert answer.to_list() == [scalar(node, row) for row in ROWS]


def test_the_thousand_conditions_see_true_false_and_unknown():
    seen = {scalar(("or", [("cmp", ">", "a", 1), ("not", ("in", "b", [0, "c"]))]), row) for row in ROWS}
    assert seen == {True, False, None}


@pytest.mark.parametrize(
    ("text", "row", "answer"),
    [
        ("a = 1 and b = 1", {"a": None, "b": 0}, False),
        ("a = 1 and b = 1", {"a": None, "b": 1}, None),
        ("a = 1 or b = 1", {"a": None, "b": 1}, True),
        ("not a = 1", {"a": None}, None),
        ("a is null", {"a": None}, True),
        ("a in (1, 2)", {"a": None}, None),
        ("a not between 1 and 3", {"a": 4}, True),
        ("NOT a = 1 AND b = 1", {"a": 2, "b": 1}, True),
    ],
)
def test_unknown_is_neither_true_nor_false(text, row, answer):
    frame = pl.DataFrame([{**dict.fromkeys(NAMES), **row}], schema=dict.fromkeys(NAMES, pl.Int64))
    assert frame.select(conditions.to_polars(parse(text), PARAMETERS)).item() is answer


HOSTILE = {
    "ten thousand ANDs": " and ".join(["a > 1"] * 10_000),
    "ANDs just within the length": " and ".join(["a>1"] * 199),
    "ten thousand brackets": "(" * 10_000 + "a > 1" + ")" * 10_000,
    "brackets within the length": "(" * 1_000 + "a > 1" + ")" * 1_000,
    "brackets within the number of tokens": "(" * 395 + "a > 1" + ")" * 395,
    "brackets that only open": "(" * 4_000,
    "a thousand NOTs": "not " * 900 + "a > 1",
    "NOT and brackets in turn": "not (" * 300 + "a > 1" + ")" * 300,
    "a list of thousands": "a in (" + ",".join(["1"] * 1_500) + ")",
    "a number of 3,000 digits": "a > " + "9" * 3_000,
    "a number beyond 64 bits": "a > 99999999999999999999",
    "a thousand minus signs": "- " * 1_000 + "1 < a",
    "a name of 4,000 letters": "a" * 4_000,
    "a thousand commas": "a in (" + "," * 900 + ")",
    "function": "sleep(9) > a",
    "function in brackets": "(sleep)(9) > a",
    "cast": "cast(a as int) > 1",
    "short cast": "a::int > 1",
    "subquery": "a in (select b from c)",
    "exists": "exists (select 1)",
    "union": "a > 1 union select 1",
    "second statement": "a > 1; drop table grade",
    "comment to the end": "a > 1 -- and b > 1",
    "comment inside": "a /* b */ > 1",
    "comment of another dialect": "a > 1 # b",
    "case": "case when a > 1 then 1 end = 1",
    "text": "a = 'x' or 'x' = 'x'",
    "quoted name": '"a" > 1',
    "quoted name of another dialect": "`a` > 1",
    "NUL": "a > 1\x00",
    "a look-alike letter": "\u0430 > 1",  # Cyrillic а
    "a full-width letter": "\uff41 > 1",
    "a full-width operator": "a \uff1e 1",
    "a full-width bracket": "\uff08a > 1\uff09",
    "a full-width digit": "a > \uff11",
    "an Arabic digit": "a > \u0661",
    "a blank of no width": "a\u200b > 1",
    "a blank that does not break": "a\u00a0> 1",
    "text that runs backwards": "a > 1 \u202e",
    "parameter of a statement": "a > ?",
    "named parameter of a statement": "a > :b",
    "regular expression": "a ~ b",
    "concatenation": "a || b = 1",
    "modulo": "a % 2 = 0",
    "division": "a / 0 > 1",
    "power": "a ^ b > 1",
    "index": "a[1] > 1",
    "member": "a.b > 1",
    "share": "a > 1e9",
    "hexadecimal": "a > 0x1f",
    "interval": "a > interval 1 day",
    "like": "a like b",
    "constant of the database": "a > current_date",
    "true": "true or a > 1",
    "null compared": "a > 1 or exists",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_text_never_reaches_the_parser(name, monkeypatch):
    reached = []
    monkeypatch.setattr(conditions.sqlglot, "parse_one", reached.append)
    with pytest.raises(Refused) as refused:
        parse(HOSTILE[name])
    assert reached == []
    assert refused.value.problem
    assert refused.value.remedy


@pytest.mark.parametrize("text", ["a > 1e3", "a > 1 or b = 2e3 and a = 1", "a > 1or b = 1", "a in (1x1f)"])
def test_a_number_that_runs_into_a_name_is_refused_even_where_that_name_is_known(text):
    with pytest.raises(Refused, match="is neither a number nor a name"):
        conditions.parse(text, indicators=["a", "b", "e3", "x1f"])
    with pytest.raises(Refused, match="'1e3' is neither a number nor a name"):
        expressions.parse("1e3 * a", {"a", "e3"})


def test_what_reaches_the_parser_is_bounded(monkeypatch):
    reached = []
    monkeypatch.setattr(conditions.guard, "_check_depth", lambda found, what: reached.append(len(found)))
    for text in ("a in (" + "1," * 1_900 + "1)", "a > 1 or " * 440 + "a > 1", "((" * 900):
        with pytest.raises(Refused):
            parse(text)
    assert reached == []
    parse(" or ".join(["a=1"] * 50))
    assert reached == [199]
    assert reached[0] <= guard.MOST_TOKENS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sum(a) > 3", "'sum' is used like a function"),
        ("count(*) > 1", "'count' is used like a function"),
        ("max(a, b) > 1", "'max' is used like a function"),
        ("a > 1 -- b", "'--' begins a comment in SQL"),
        ("a > 1 /* b */", "the character '/' (U+002F) has no place in a condition"),
        ("a > 1; b > 1", "the character ';' (U+003B) has no place in a condition"),
        ("\uff41 > 1", "the character '\uff41' (U+FF41) has no place in a condition"),
        ("a \u2265 1", "the character '\u2265' (U+2265) has no place in a condition"),
        ("a > 1.5", "the character '.' (U+002E) has no place in a condition"),
        ("a > '1'", 'the character "\'" (U+0027) has no place in a condition'),
        ("a > 1\x00", "the character '\\x00' (U+0000) has no place in a condition"),
        ("a > now", "unknown name 'now'"),
        ("A > 1", "unknown name 'A'"),
        ("a > b + 1", "the sign '+' has no place in a condition"),
        ("a > b - 1", "'b - 1' stands where a name or an integer belongs"),
        ("a = b = 1", "'a = b' stands where a name or an integer belongs"),
        ("1 = 1", "'1 = 1' compares constants only"),
        ("a = a", "'a = a' compares a name with itself"),
        ("a in (1, a)", "'a IN (1, a)' compares a name with itself"),
        ("a between 3 and 2", "'a BETWEEN 3 AND 2' holds for no number"),
        ("p > 1", "'p > 1' compares constants only"),
        ("1 in (a)", "'1 IN (a)' does not begin with an indicator"),
        ("p is null", "'p IS NULL' does not begin with an indicator"),
        ("a", "'a' is not a comparison"),
        ("a b", "'a AS b' is not a comparison"),
        ("a in ()", "'a IN ()' is not a comparison"),
        ("a > 1)", "a bracket closes in the condition that was never opened"),
        ("((a > 1", "2 bracket(s) of the condition are never closed"),
        ("  ", "the condition is empty"),
        ("a > 99999999999999999", "the number 99999999999999999 is too large"),
    ],
)
def test_anything_but_the_closed_form_is_refused_with_the_reason(text, problem):
    with pytest.raises(Refused) as refused:
        parse(text)
    assert refused.value.problem == problem
    assert refused.value.remedy


def test_a_misspelt_name_is_answered_with_the_nearest_known_one():
    with pytest.raises(Refused, match="Write 'penalties' if that is meant"):
        conditions.parse("penaltys > 1", indicators=["penalties"])


def test_a_condition_says_itself_in_both_languages():
    said = parse("a >= p and not (b between 1 and 3 or c in (1, q)) and c is null")
    titles = {"a": "处罚次数", "b": "乙", "c": "丙"}
    assert conditions.sentence(said, "zh", titles=titles, constants=PARAMETERS) == (
        "处罚次数 不少于 2 且 并非 (乙 在 1 至 3 之间 或 丙 属于 1、-1) 且 丙 无数据"
    )
    assert conditions.sentence(parse("a >= p and (b = 1 or c < 2)"), "en", titles={}, constants=PARAMETERS) == (
        "a is at least 2 and (b is 1 or c is below 2)"
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("p * a - 3", 2 * 5 - 3),
        ("-a", -5),
        ("a - b - 1", 5 - 7 - 1),
        ("a - (b - 1)", 5 - (7 - 1)),
        ("max(a, b) * min(p, 1)", 7),
        ("2 * (a + b)", 24),
        ("a * -1", -5),
        ("3000000000 * 3000000000 - 1", expressions.SATURATES - 1),
    ],
)
def test_points_expressions_compute_what_they_say(text, answer):
    tree = expressions.parse(text, {"a", "b", "p"})
    assert expressions.evaluate(tree, {"a": 5, "b": 7, "p": 2}) == answer


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=5), st.integers(-(10**12), 10**12))
def test_arrays_and_single_numbers_give_the_same_points(values, other):
    import numpy as np

    tree = expressions.parse("max(a * b, a - b) + a * a - min(b, 3)", {"a", "b"})
    together = expressions.evaluate(tree, {"a": np.array(values), "b": other})
    assert together.tolist() == [expressions.evaluate(tree, {"a": one, "b": other}) for one in values]
    assert max(map(abs, together.tolist())) <= expressions.SATURATES


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a / b", "the character '/' (U+002F) has no place in a points expression"),
        ("a > 1", "the sign '>' has no place in a points expression"),
        ("max(a)", "'MAX(a)' does not have two parts"),
        ("min(a, b, p)", "'MIN(a, b, p)' does not have two parts"),
        ("max", "'max' has no place in a points expression"),
        ("(a, b)", "'(a, b)' has no place in a points expression"),
        ("abs(a)", "'abs' is used like a function"),
        ("+".join(["a"] * 390), "the points expression has more than 200 nodes"),
    ],
)
def test_points_of_another_form_are_refused_with_the_reason(text, problem):
    with pytest.raises(Refused) as refused:
        expressions.parse(text, {"a", "b", "p"})
    assert refused.value.problem == problem
