"""Every kind of record, found by looking: a file in this folder with a `KIND` is a kind."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from registry.errors import UnknownKind
from registry.kinds.base import Derived, Kind, Label, Part, Statement


def _found() -> dict[str, Kind]:
    kinds = [
        getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        for module in pkgutil.iter_modules(__path__)
    ]
    named = {
        kind.name: replace(kind, state=_sourced(kind.state))
        for kind in sorted((kind for kind in kinds if kind), key=lambda kind: kind.number)
    }
    derived = [kind.derives for kind in named.values() if kind.derives]
    numbers = [one.number for one in (*named.values(), *derived)]
    names = [*named, *(one.name for one in derived)]
    assert len({*numbers}) == len({*names}) == len(names), "two kinds share a number or a name"
    return named


def _sourced(state: Callable[[dict[str, Any]], Statement]) -> Callable[[dict[str, Any]], Statement]:
    """The statement of any kind with the moment and the row id that its source gave to it, where it gave them."""

    def sourced(data: dict[str, Any]) -> Statement:
        said = state(data)
        given = {name: data[name] for name in ("stated_at", "source_row") if data.get(name)}
        return replace(said, detail={**said.detail, **given}) if given else said

    return sourced


KINDS: dict[str, Kind] = _found()
NAMES: dict[int, str] = {kind.number: kind.name for kind in KINDS.values()}
# Name of the kind whose records project them → the facts of a kind of their own that these project besides.
DERIVED: dict[str, Derived] = {kind.name: kind.derives for kind in KINDS.values() if kind.derives}
# Number of every kind of fact by name: what a scheme may count.
NUMBERS: dict[str, int] = {name: kind.number for name, kind in KINDS.items()} | {
    derived.name: derived.number for derived in DERIVED.values()
}


def kind_named(name: str) -> Kind:
    """Return the kind. Raises UnknownKind, listing the kinds there are."""
    if name not in KINDS:
        raise UnknownKind(f"There is no kind of record {name!r}. Kinds are: {', '.join(KINDS)}.")
    return KINDS[name]


__all__ = ["DERIVED", "KINDS", "NAMES", "NUMBERS", "Derived", "Kind", "Label", "Part", "Statement", "kind_named"]
