"""The frozen context 背景值 that grades read: values that depend on other entities, dated, immutable, and known by a hash.

Here it is read; `registry.services.context_building` builds it. docs/context.md says what each value is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import orjson
import polars as pl

from registry import clock
from registry.database import execute, in_slices, read_frame
from registry.errors import RegistryError
from registry.kinds.codes import Label
from registry.models import Entity, GradeContext
from registry.services import aliases
from rules.given import CONTEXT, NORMS
from rules.kinds import CONTEXT_AREAS, CONTEXT_NORMS, CONTEXT_VALUES

# The same names in English; the Chinese ones stand in `rules.kinds`.
ENGLISH = {
    "same_address": "other entities at the same address",
    "related": "related entities",
    "related_abnormal": "related entities on the abnormal-operation list",
    "related_serious": "related entities on the serious-violation list",
    "related_revoked": "related entities whose licence was revoked",
    "related_penalised": "related entities with a penalty within a year",
    "related_worst": "related entities in the worst risk class",
    "representative_others": "other entities in which the legal representative holds office",
    "representative_revoked": "of these, revoked",
    "complaints": "complaints per entity and year in the industry, in thousandths",
    "violations": "share of checks in the industry that found something, in thousandths",
    "penalties": "penalties per entity and year in the industry, in thousandths",
    "area_problems_120d": "checks of the division within 120 days that found a problem, in thousandths",
    "area_problems_1y": "checks of the division within a year that found a problem, in thousandths",
    "area_serious_120d": "checks of the division within 120 days that found a serious problem, in thousandths",
    "area_serious_1y": "checks of the division within a year that found a serious problem, in thousandths",
}
# Everything of a context but its norms: they are long, and read once by their hash.
HEAD = (
    GradeContext.id,
    GradeContext.hash,
    GradeContext.day,
    GradeContext.known,
    GradeContext.seq,
    GradeContext.built_at,
    GradeContext.names,
)


class NoContext(RegistryError):
    """No context is in force on the day that was asked for."""

    code = "no_context"
    status = 404


def in_force(day: int, known: int) -> GradeContext | None:
    """The context that is read on a day (days since 1970-01-01), as far as was known at a ledger number; None before the
    first. Its `norms` are not loaded: :func:`norms_of` has them."""
    found = (
        GradeContext.select(*HEAD)
        .where((GradeContext.day <= day) & (GradeContext.seq <= known))
        .order_by(GradeContext.day.desc())
        .first()
    )
    assert found is None or isinstance(found, GradeContext)
    return found


def every() -> list[GradeContext]:
    """All contexts, the newest day first, without their norms."""
    return list(GradeContext.select(*HEAD).order_by(GradeContext.day.desc()))


def values_of(context_id: int, first: int, last: int) -> pl.DataFrame:
    """Values that a context has for the entities with ids from `first` to `last`, both included: a frame of
    `rules.given.CONTEXT`. Who, or what, is not in it is 0, or unknown (`GradeContext.names`)."""
    sql = "SELECT entity, name, value FROM context_value WHERE context = ? AND entity BETWEEN ? AND ?"
    return read_frame(sql, (context_id, first, last), dict(CONTEXT))


def values_for(context_id: int, entities: Sequence[int]) -> pl.DataFrame:
    """The same for these entities. One query for up to 20,000 of them."""
    parts = [
        read_frame(
            f"SELECT entity, name, value FROM context_value WHERE context = ? AND entity IN ({', '.join('?' * len(part))})",  # noqa: S608
            [context_id, *part],
            dict(CONTEXT),
        )
        for part in in_slices(sorted(set(entities)), 20_000)
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict(CONTEXT))


def norms_of(context: GradeContext) -> pl.DataFrame:
    """The norms of a context by industry code: a frame of `rules.given.NORMS`, in thousandths. Read once per process."""
    return _norms(context.id, context.hash)


@lru_cache(8)
def _norms(number: int, digest: str) -> pl.DataFrame:
    (said,) = execute("SELECT norms FROM grade_context WHERE id = ? AND hash = ?", (number, digest)).fetchone()
    # SQLite keeps the norms as text, PostgreSQL as a document.
    rows = orjson.loads(said) if isinstance(said, str) else said
    return pl.DataFrame(rows, schema=dict(NORMS), orient="row")


def label(name: str) -> Label:
    """What a value or a norm of a context is called in both languages."""
    return Label({**CONTEXT_VALUES, **CONTEXT_NORMS, **CONTEXT_AREAS}[name], ENGLISH[name])


@dataclass(frozen=True, slots=True)
class Told:
    """One value of one entity. `value` is None where the context does not answer for it; `behind` are the ledger numbers of
    the relations that it rests on."""

    name: str
    value: int | None
    behind: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the context in force says of one entity: its own values, and the norms of its industry and its division."""

    context: GradeContext
    values: list[Told]
    norms: list[Told]


def shown(entity: Entity, *, on: date, known: int) -> Shown:
    """What the context in force on a day says of an entity, as far as was known at a ledger number.

    Raises NoContext where none is in force then.
    """
    found = in_force(clock.day_number(on), known)
    if found is None:
        raise NoContext(
            f"No context is in force on {on}. The job build_context makes one each month; `xinheng context build` makes one now."
        )
    sql = "SELECT name, value, behind FROM context_value WHERE context = ? AND entity = ?"
    root = aliases.root(entity.id, known=found.known)
    held: dict[str, tuple[int, str]] = {
        name: (value, behind) for name, value, behind in execute(sql, (found.id, root)).fetchall()
    }
    values = [_told(name, name in found.names, *held.get(name, (0, ""))) for name in CONTEXT_VALUES]
    by_code = {**dict.fromkeys(CONTEXT_NORMS, entity.industry), **dict.fromkeys(CONTEXT_AREAS, _code(entity.division))}
    norms = {
        name: value for name, low, high, value in norms_of(found).iter_rows() if low <= by_code.get(name, -1) <= high
    }
    return Shown(found, values, [Told(name, norms.get(name), ()) for name in by_code])


def _code(division: str) -> int:
    return int(division) if division.isdecimal() else 0


def _told(name: str, answered: bool, value: int, behind: str) -> Told:
    return Told(name, value if answered else None, tuple(orjson.loads(behind)) if behind else ())


def as_dict(context: GradeContext) -> dict[str, Any]:
    """A context as lists show it."""
    return {
        "id": context.id, "hash": context.hash, "from": clock.day_of(context.day).isoformat(), "known_seq": context.known,
        "built_at": clock.moment_text(context.built_at), "names": context.names,
    }  # fmt: skip


__all__ = [
    "ENGLISH", "HEAD", "GradeContext", "NoContext", "Shown", "Told", "as_dict", "every", "in_force", "label", "norms_of", "shown",
    "values_for", "values_of",
]  # fmt: skip
