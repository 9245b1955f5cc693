"""From which day on two contents of a scheme decide otherwise: their dated values, day by day, without the words beside them."""

import json
from collections.abc import Iterator
from typing import Any

from rules.scheme import Scheme

# What a reader is told, and what a page is ordered by: nobody's grade depends on it.
_WORDS = frozenset({"title", "reason", "basis", "order", "inner", "wanted"})


def first_difference(old: Scheme, new: Scheme, *, since: int) -> int | None:
    """The first day, not before the day `since`, on which the two do not decide alike; None where they always do from then on.

    Days are numbers. Words (titles, reasons, bases) decide nothing. Pure: nothing is read but the two schemes, and those
    whose grades they read.
    """
    if (old.hash, old.id) == (new.hash, new.id):
        return None
    fixed = [_fixed(one) for one in (old, new)]
    if fixed[0] != fixed[1]:
        return since
    days = sorted({since, *(day for one in (old, new) for day in _edges(one) if day > since)})
    return next((day for day in days if _held(old, day) != _held(new, day)), None)


def _edges(scheme: Scheme) -> Iterator[int]:
    for _, dated in scheme.dated():
        yield from dated.edges()
    for inner in scheme.inner.values():
        yield from _edges(inner)


def _held(scheme: Scheme, day: int) -> list[Any]:
    """Every dated value of the scheme that is in force on the day, and of those whose grades it reads."""
    own = [(key, None if (span := dated.at(day)) is None else span.value) for key, dated in scheme.dated()]
    return [*own, *((name, _held(inner, day)) for name, inner in sorted(scheme.inner.items()))]


def _fixed(scheme: Scheme) -> list[Any]:
    """What of the scheme, and of those whose grades it reads, is the same on every day."""
    return [
        _undated(json.loads(scheme.content)),
        *((name, _fixed(inner)) for name, inner in sorted(scheme.inner.items())),
    ]


def _undated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _undated(one) for key, one in value.items() if key not in _WORDS}
    if isinstance(value, list):
        return [_undated(one) for one in value if not (isinstance(one, dict) and "from" in one)]
    return value
