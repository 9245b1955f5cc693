"""Reading ``[indicator.*]``: which keys each measure takes, and what they may say. The forms are in docs/schemes.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from rules import conditions
from rules.draft import Draft
from rules.errors import Refused
from rules.kinds import CONTEXT_AREAS, CONTEXT_NORMS, CONTEXT_USUAL, CONTEXT_VALUES, FACT_FIELDS, INDICATOR_UNITS
from rules.parts import Indicator
from rules.reader import Table

# Which keys each measure takes besides those of every indicator; a key that is not listed is a mistake.
MEASURES: Mapping[str, tuple[str, ...]] = {
    "count": ("kind", "where", "window"),
    "sum": ("kind", "where", "window", "of", "per"),
    "max": ("kind", "where", "window", "of"),
    "load": ("kind", "where", "window", "of", "steps", "per"),
    "open": ("kind", "where"),
    "open_age": ("kind", "where", "edges"),
    "age": ("kind", "where", "window", "edges", "which", "empty"),
    "last": ("kind", "where", "window", "of", "empty"),
    "lookup": ("kind", "where", "window", "of", "lookup", "empty"),
    "expired": ("kind", "where", "ahead"),
    "missing_years": ("kind", "years", "deadline"),
    "context": ("kind", "of"),
    "norm": ("kind", "of"),
    "area": ("of",),
    "subject": (),
    "percent_of_norm": ("kind", "indicator", "norm", "least"),
    "ratio": ("indicator", "base", "scale", "prior", "weight", "usual"),
    "grade": ("scheme", "of"),
    "matrix": ("row", "column", "matrix"),
}
# Measures that are worked out from other indicators instead of facts, and the keys that name those.
READS: Mapping[str, tuple[str, ...]] = {
    "percent_of_norm": ("indicator",),
    "ratio": ("indicator", "base"),
    "matrix": ("row", "column"),
}
# What may be held against a norm, or be a share of another: a number of things, never a code or a step.
COMPARABLE: Mapping[str, tuple[str, ...]] = {
    "percent_of_norm": ("count", "sum", "load"),
    "ratio": ("count", "sum", "load", "open"),
}
# Of a ratio; the greatest of them together still fit into 64 bits (`rules.dependents`).
_MOST_SCALE, _MOST_PRIOR, _MOST_WEIGHT = 10**6, 10**9, 10**6
# A step table weighs in percent: by this a load is divided unless it says otherwise.
_PERCENT = 100
_OF: Mapping[str, tuple[str, ...]] = {
    "sum": ("amount", "severity"),
    "max": ("amount", "severity"),
    "load": ("severity", "one", "amount", "harm"),
    "context": tuple(CONTEXT_VALUES),
    "norm": tuple(CONTEXT_NORMS),
    "area": tuple(CONTEXT_AREAS),
    "grade": ("class", "score"),
}
# Kinds that cover a measure; every other measure takes any kind.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "missing_years": ("annual_report",),
    "context": ("relation", "registration"),
    "norm": ("registration",),
    "percent_of_norm": ("registration",),
}
LONGEST = 36_600  # days: a window longer than a century is a slip of the keyboard


def read_indicators(root: Table, draft: Draft, kinds: Mapping[str, int]) -> None:
    """``[indicator.*]`` of one file."""
    for id_, table in root.children("indicator"):
        draft.declare("indicator", id_, table)
        draft.indicators[id_] = _indicator(id_, table, draft, kinds)
        table.finish()


def inputs(indicator: Indicator) -> tuple[str, ...]:
    """Ids of the indicators that ``indicator`` is worked out from, in the order of its keys."""
    return tuple(getattr(indicator, key) for key in READS.get(indicator.measure, ()))


def circle(indicators: Mapping[str, Indicator]) -> tuple[str, ...]:
    """Ids of indicators that are worked out from one another in a circle, the first again at the end; else empty."""
    try:
        TopologicalSorter({id_: inputs(one) for id_, one in sorted(indicators.items())}).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return tuple(reversed(found))
    return ()


def _indicator(id_: str, table: Table, draft: Draft, kinds: Mapping[str, int]) -> Indicator:
    second = table.choice("second", tuple(draft.seconds))
    title, unit = table.title("title"), table.choice("unit", INDICATOR_UNITS)
    measure = table.choice("measure", tuple(MEASURES))
    more: dict[str, Any] = {}
    keys = MEASURES[measure]
    if measure != table.data.get("measure"):  # of an unknown measure nobody knows the keys
        keys = ()
        for key in table.data:
            table.see(key)
    for key in keys:
        read = _KEYS.get(key)
        if read is not None:
            more |= read(table, measure, draft)
    kind = ""
    if "kind" in keys:
        kind = table.choice("kind", tuple(kinds))
        if kind == table.data.get("kind") and kind not in (allowed := _KINDS.get(measure, (kind,))):
            remedy = f"Use one of {', '.join(allowed)}"
            table.wrong("kind", f"is {kind!r}, which the measure {measure} does not take", remedy)
    return Indicator(id_, second, title, unit, kinds[kind] if kind else 0, kind, measure, **more)


def _where(table: Table, measure: str, draft: Draft) -> dict[str, Any]:
    return dict(zip(("where", "where_text"), where(table), strict=True)) if table.has("where") else {}


def where(table: Table) -> tuple[conditions.Condition | None, str]:
    """The filter over single facts under the key ``where``, as a tree and as text; None after a mistake."""
    text = table.text("where", '"severity >= 2"')
    if not text.strip():
        return None, ""
    try:
        tree = conditions.parse(text, indicators=FACT_FIELDS)
    except Refused as refused:
        remedy = refused.remedy
        if refused.problem.startswith("unknown name"):
            meant, other, _ = remedy.partition(" if that is meant")
            remedy = f"{meant}{other}; a" if other else "A"
            remedy += f" filter reads single facts, which have {', '.join(FACT_FIELDS)} and nothing else"
        table.wrong("where", refused.problem, remedy)
        return None, ""
    if conditions.asks_for_null(tree):
        table.wrong(
            "where", "asks whether a field of a fact is unknown", "A fact has every field: compare it with a number"
        )
    return tree, " ".join(text.split())


def _window(table: Table, measure: str, draft: Draft) -> dict[str, Any]:
    return {"window": table.integer("window", low=1, high=LONGEST)} if table.has("window") else {}


def _of(table: Table, measure: str, draft: Draft) -> dict[str, Any]:
    return {"of": table.choice("of", _OF.get(measure, FACT_FIELDS))}


def _edges(table: Table, measure: str, draft: Draft) -> dict[str, Any]:
    edges = tuple(row[0] for row in table.rows("edges", 1, "[90, 365, 1095]"))
    if any(b <= a for a, b in pairwise((-1, *edges))) or any(edge > LONGEST for edge in edges):
        table.wrong("edges", f"{list(edges)} are not ascending days", "Write ages in days, ascending, from 0 on")
    return {"edges": edges}


def _deadline(table: Table, measure: str, draft: Draft) -> dict[str, Any]:
    text = table.text("deadline", '"07-01"')
    try:
        day = date.fromisoformat(f"2023-{text}")  # not a leap year: a deadline must exist in every year
    except ValueError:
        table.wrong("deadline", f"is {text!r}, not a day of every year", 'Write month and day, for example "07-01"')
        return {}
    return {"deadline": (day.month, day.day)}


def _scheme(table: Table, measure: str, draft: Draft) -> dict[str, Any]:
    id_ = table.text("scheme", '"general-risk"')
    found = draft.inner.get(id_)
    if isinstance(found, Refused):
        table.wrong("scheme", found.problem, found.remedy)
    elif found is None and id_:
        known = ", ".join(sorted(draft.inner)) or "none"
        table.wrong("scheme", f"is {id_!r}, which is not known", f"Schemes it may read here: {known}")
    return {"scheme": id_}


def _other(key: str) -> Callable[[Table, str, Draft], dict[str, Any]]:
    """A reader of ``key`` as the id of another indicator, of a measure that may be read so."""

    def read(table: Table, measure: str, draft: Draft) -> dict[str, Any]:
        allowed = COMPARABLE.get(measure, tuple(MEASURES))
        return {key: table.choice(key, [id_ for id_, one in sorted(draft.measures.items()) if one in allowed])}

    return read


def _whole(key: str, *, default: int, low: int, high: int) -> Callable[[Table, str, Draft], dict[str, Any]]:
    """A reader of ``key`` as a whole number between two limits."""
    return lambda table, measure, draft: {key: table.integer(key, default=default, low=low, high=high)}


def _per(table: Table, measure: str, draft: Draft) -> dict[str, Any]:
    return {"per": table.integer("per", default=_PERCENT if measure == "load" else 1, low=1)}


_KEYS: Mapping[str, Callable[[Table, str, Draft], dict[str, Any]]] = {
    "where": _where,
    "window": _window,
    "of": _of,
    "per": _per,
    "steps": lambda table, measure, draft: {"steps": table.choice("steps", tuple(draft.steps))},
    "lookup": lambda table, measure, draft: {"lookup": table.choice("lookup", tuple(draft.lookups))},
    "edges": _edges,
    "which": lambda table, measure, draft: {"which": table.choice("which", ("last", "first"), "last")},
    "empty": lambda table, measure, draft: {"empty": table.integer("empty")},
    "ahead": lambda table, measure, draft: {"ahead": table.integer("ahead", default=0, low=0, high=LONGEST)},
    "years": lambda table, measure, draft: {"years": table.integer("years", low=1, high=30)},
    "deadline": _deadline,
    "scheme": _scheme,
    "indicator": _other("indicator"),
    "base": _other("base"),
    "scale": _whole("scale", default=1000, low=1, high=_MOST_SCALE),
    "prior": _whole("prior", default=0, low=0, high=_MOST_PRIOR),
    "weight": _whole("weight", default=0, low=0, high=_MOST_WEIGHT),
    "usual": lambda table, measure, draft: (
        {"usual": table.choice("usual", tuple(CONTEXT_USUAL))} if table.has("usual") else {}
    ),
    "norm": lambda table, measure, draft: {"norm": table.choice("norm", tuple(CONTEXT_NORMS))},
    "least": lambda table, measure, draft: {"least": table.integer("least", default=1, low=1)},
    "row": _other("row"),
    "column": _other("column"),
    "matrix": lambda table, measure, draft: {"matrix": table.choice("matrix", tuple(draft.matrices))},
}
