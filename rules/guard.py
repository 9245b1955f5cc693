"""The door before the parser: length, alphabet, nesting and names are checked on plain tokens.

A general SQL parser is given only text that cannot hurt it. Ten thousand ANDs, a thousand brackets, comments,
quotes, look-alike characters and unknown words are refused here in microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

from rules.errors import Refused
from rules.kinds import LARGEST

MOST_CHARACTERS = 4_000
MOST_TOKENS = 800
MOST_NODES = 200
MOST_DEPTH = 20
_NO_NODES = frozenset({"(", ")", ",", "+", "-", "*", "and", "or", "null", "max", "min"})
KEYWORDS = frozenset({"and", "or", "not", "between", "in", "is", "null"})
FUNCTIONS = frozenset({"max", "min"})
# Words that no id may take: the parser would read them as something else.
_SQL = (
    "true false all any some case when then else end cast exists interval select from where like date time timestamp "
    "current_date current_time current_timestamp current_user localtime localtimestamp unnest distinct as on using "
    "escape collate array map struct row if count sum avg having order group by limit union except intersect over "
    "filter within rank base clamp"
)
RESERVED = KEYWORDS | FUNCTIONS | frozenset(_SQL.split())
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|([0-9]+)|(<>|<=|>=|[=<>(),+*-]))", re.ASCII)


def tokens(text: str, *, names: Collection[str], arithmetic: bool) -> list[str]:
    """Split ``text`` into tokens, or say why it may not reach the parser.

    ``names`` are the words it may use. ``arithmetic`` allows ``+ - *``, ``max`` and ``min`` instead of comparisons.

    Raises
    ------
    Refused
        If the text is empty, too long, too deep, uses an unknown character or word, or calls a function.
    """
    what = "points expression" if arithmetic else "condition"
    if len(text) > MOST_CHARACTERS:
        raise Refused(
            f"the {what} has {len(text):,} characters; at most {MOST_CHARACTERS:,} are allowed",
            "Split it into several rules",
        )
    found = list(_scan(text, what))
    if not found:
        raise Refused(f"the {what} is empty", "Write one, for example " + ("points_each" if arithmetic else "x >= 1"))
    # Names, numbers and comparisons become nodes one to one; brackets, commas and connectives are not counted here.
    nodes = sum(1 for one in found if one not in _NO_NODES)
    if nodes > MOST_NODES or len(found) > MOST_TOKENS:
        raise Refused(f"the {what} has more than {MOST_NODES} nodes", "Split it into several rules")
    _check_depth(found, what)
    words = FUNCTIONS if arithmetic else KEYWORDS
    for token, after in zip(found, [*found[1:], ""], strict=True):
        if token.isdigit() and int(token) > LARGEST:
            raise Refused(f"the number {token[:30]} is too large", f"Use integers up to {LARGEST}")
        if not (token[0].isalpha() or token[0] == "_"):
            continue
        if after == "(" and token not in words:
            raise Refused(f"{token[:60]!r} is used like a function", _functions(arithmetic))
        if token not in words and token not in names:
            raise Refused(f"unknown name {token[:60]!r}", _known(token, names))
    allowed = "(),+*-" if arithmetic else "=<>(),-"
    for sign in found:
        if not sign[0].isalnum() and sign[0] != "_" and sign[0] not in allowed:
            raise Refused(f"the sign {sign!r} has no place in a {what}", _functions(arithmetic))
    return found


def place(error: Exception) -> str:
    """Where the parser gave up, in plain words, or nothing where it does not say: its own are about its classes."""
    found: dict[str, Any] = next(iter(getattr(error, "errors", ())), {})
    word, last = found.get("highlight"), found.get("col")
    return f" at {word!r} (character {last - len(word) + 1})" if word and last else ""


def _scan(text: str, what: str) -> Iterator[str]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            rest = text[position:].lstrip()
            raise Refused(
                f"the character {rest[0]!r} (U+{ord(rest[0]):04X}) has no place in a {what}",
                "Use lower-case ASCII names, integers and the signs of docs/schemes.md",
            )
        position = match.end()
        word, number, sign = match.groups()
        if word:
            lower = word.lower()
            yield lower if lower in KEYWORDS else word
        elif number:
            if len(number) > 20:
                raise Refused(f"a number has {len(number)} digits", f"Use integers up to {LARGEST}")
            # An id may be called e3: the parser would read 1e3 as one number.
            if (glued := _WORD.match(text, position)) is not None:
                said = f"{number}{glued[0]}"[:60]
                raise Refused(
                    f"{said!r} is neither a number nor a name", "Write whole numbers, and a blank before a word"
                )
            yield number
        else:
            if sign == "-" and text.startswith("-", position):
                raise Refused("'--' begins a comment in SQL", "Put comments into the TOML file, after a #")
            yield sign


def _check_depth(found: list[str], what: str) -> None:
    """Brackets and runs of ``not`` or ``-`` are what makes a parser recurse."""
    depth = prefix = 0
    for word in found:
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
            if depth < 0:
                raise Refused(f"a bracket closes in the {what} that was never opened", "Balance the brackets")
        prefix = prefix + 1 if word in {"not", "-"} else (prefix if word == "(" else 0)
        if depth + prefix > MOST_DEPTH:
            raise Refused(f"the {what} is nested deeper than {MOST_DEPTH}", "Flatten it or split the rule")
    if depth:
        raise Refused(f"{depth} bracket(s) of the {what} are never closed", "Balance the brackets")


def _functions(arithmetic: bool) -> str:
    if arithmetic:
        return "Use integers, parameters, indicators, + - * and max(a, b), min(a, b)"
    return "Use and, or, not, = <> < <= > >=, between, in (…), is null and is not null"


def _known(token: str, names: Collection[str]) -> str:
    # No id is that long, and comparing with a long word is slow.
    close = get_close_matches(token, names, n=1, cutoff=0.6) if len(token) <= 63 else []
    if close:
        return f"Write {close[0]!r} if that is meant, else declare {token!r} as an indicator or a parameter"
    return "Declare it as an indicator or as a parameter of the rule, or correct the spelling"
