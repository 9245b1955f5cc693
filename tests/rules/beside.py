"""What stands beside the facts, for the tests: a context, norms and overrides in one short call, and a scheme that reads
them. `toy-context` rests on the toy scheme of `frames`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from rules.dated import Dated
from rules.given import CONTEXT, NORMS, OVERRIDES, RAISES, Given
from rules.scheme import Scheme, load
from tests.rules.frames import SCHEME

FOLDER = Path(__file__).parent / "toy_context"
OVER: Scheme = load(FOLDER, inner={"toy": SCHEME})
NAMES = frozenset({"related_abnormal", "same_address", "complaints"})


def values(*rows: tuple[int, str, int]) -> pl.DataFrame:
    """(entity, name, value)"""
    return pl.DataFrame(list(rows), schema=dict(CONTEXT), orient="row")


def norms(*rows: tuple[str, int, int, int]) -> pl.DataFrame:
    """(name, low, high, thousandths)"""
    return pl.DataFrame(list(rows), schema=dict(NORMS), orient="row")


def override(class_: str, from_day: int, until_day: int, *, seq: int, entity: int = 1, scheme: str = "toy") -> tuple:
    return entity, scheme, class_, from_day, until_day, seq


def overrides(*rows: tuple) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(OVERRIDES), orient="row")


def raised(from_day: int, until_day: int, *, seq: int, entity: int = 1, scheme: str = "toy") -> tuple:
    return entity, scheme, from_day, until_day, seq


def raises(*rows: tuple) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(RAISES), orient="row")


def set_by_persons(*rows: tuple) -> Given:
    return Given(overrides=overrides(*rows))


def frozen(*rows: tuple[int, str, int], industry: int | None = None, names: frozenset[str] = NAMES) -> Given:
    """A context; ``industry`` is the norm of complaints, in thousandths, of every industry from 1300 to 1499."""
    return Given(
        context=values(*rows),
        norms=norms(*([("complaints", 1300, 1499, industry)] if industry is not None else [])),
        names=names,
        context_id=5,
        context_hash="5",
    )


def upside_down(scheme: Scheme) -> Scheme:
    """The toy scheme with high scores good: the same rules, cuts 100/75/50/25."""
    spans = [replace(span, value=replace(span.value, highest=(100, 75, 50, 25))) for span in scheme.cuts.spans]
    return replace(scheme, direction="higher_is_better", cuts=Dated.of(spans), base=90, _compiled={})
