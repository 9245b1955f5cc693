"""Every kind of record, found by looking: a file in this folder with a `KIND` is a kind."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from registry.errors import UnknownKind
from registry.kinds.base import Kind, Label, Statement


def _found() -> dict[str, Kind]:
    kinds = [
        getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        for module in pkgutil.iter_modules(__path__)
    ]
    named = {
        kind.name: replace(kind, state=_sourced(kind.state))
        for kind in sorted((kind for kind in kinds if kind), key=lambda kind: kind.number)
    }
    assert len({kind.number for kind in named.values()}) == len(named), "two kinds share a number"
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


def kind_named(name: str) -> Kind:
    """Return the kind. Raises UnknownKind, listing the kinds there are."""
    if name not in KINDS:
        raise UnknownKind(f"There is no kind of record {name!r}. Kinds are: {', '.join(KINDS)}.")
    return KINDS[name]


__all__ = ["KINDS", "NAMES", "Kind", "Label", "Statement", "kind_named"]
