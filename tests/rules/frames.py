"""Frames for the tests: a fact, an entity or a feed in one short call."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from rules.dated import to_day
from rules.kinds import KINDS
from rules.scheme import Scheme, load
from rules.slices import COVERAGE, FACTS, POPULATION

TOY = Path(__file__).parent / "toy"
SCHEME: Scheme = load(TOY)
DAY = to_day(date(2024, 4, 1))  # 20 points a penalty, cuts 25/50/75
_NUMBERS = iter(range(1, 10**9))


def fact(kind: str, day: int, *, entity: int = 1, ends: int | None = None, seq: int | None = None, **more: int) -> dict:
    return {
        "entity": entity,
        "kind": KINDS[kind],
        "code": more.get("code", 0),
        "severity": more.get("severity", 1),
        "amount": more.get("amount", 0),
        "day": day,
        "ends": ends,
        "seq": next(_NUMBERS) if seq is None else seq,
    }


def penalty(age: int = 0, severity: int = 2, *, day: int = DAY, **more: int) -> dict:
    return fact("penalty", day - age, severity=severity, **more)


def facts(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(FACTS))


def population(*rows: tuple[int, int], subject: str = "enterprise", division: str = "990102") -> pl.DataFrame:
    return pl.DataFrame(
        [(entity, day, subject, division) for entity, day in rows], schema=dict(POPULATION), orient="row"
    )


def feeds(*rows: tuple[str, str, int, int | None]) -> pl.DataFrame:
    return pl.DataFrame([(KINDS[k], *rest) for k, *rest in rows], schema=dict(COVERAGE), orient="row")


EVERYWHERE = feeds(*((kind, "", 0, None) for kind in KINDS))
NOWHERE = feeds()
