"""English words that agree with a number of one: 1 report, 2 reports."""

import re

# Words that end the noun phrase after a number: what stands behind them is counted by something else.
_ENDS = "of|is|was|has|in|at|by|to|with|within|and|or|the|a|an"
_ONE = re.compile(
    rf"(?<![\w.,-])1 (?P<before>(?:(?!(?:{_ENDS})\b)[a-z-]+ ){{0,3}}?)(?!(?:{_ENDS})\b)(?P<many>[a-z-]*[a-rt-z]s)\b"
    r"(?P<after>(?: (?!are\b|were\b|have\b)[a-z-]+){0,5}?(?= (?:are|were|have)\b))?(?: (?P<verb>are|were|have)\b)?"
)
_ONE_OF = re.compile(r"(?<![\w.,-])1 (?P<phrase>of (?:[a-z-]+ ){1,7}?)(?P<verb>are|were|have)\b")
_VERBS = {"are": "is", "were": "was", "have": "has"}
# Singular words that end in s like a plural.
_SINGULAR = frozenset(["status", "basis", "census", "analysis", "always", "yes"])


def agree(text: str) -> str:
    """``text`` with the noun, and the verb after it, in the singular wherever a 1 counts them; other texts as they are."""
    return _ONE_OF.sub(_verb_of, _ONE.sub(_noun, text))


def _noun(match: re.Match[str]) -> str:
    many = match["many"]
    if many in _SINGULAR:
        return match[0]
    verb = f" {_VERBS[match['verb']]}" if match["verb"] else ""
    return f"1 {match['before']}{_singular(many)}{match['after'] or ''}{verb}"


def _verb_of(match: re.Match[str]) -> str:
    return f"1 {match['phrase']}{_VERBS[match['verb']]}"


def _singular(many: str) -> str:
    if many.endswith("ies") and len(many) > 4:
        return f"{many[:-3]}y"
    return many[:-2] if many.endswith(("ches", "shes", "xes", "sses")) else many[:-1]
