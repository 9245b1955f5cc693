"""What a grade rests on beside facts: the context in force, the classes that persons have set and raises, as they were known."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from registry.database import in_slices, read_frame
from registry.services import book, context
from rules.engine import reads_context
from rules.given import OVERRIDES, RAISES, Given
from rules.scheme import Scheme

# Known then, and not ended early then; in one query, as every post asks it. A raise names no class.
_HELD = "known <= ? AND (gone IS NULL OR gone > ?)"
_STATED = (
    "SELECT entity, scheme, class, from_day, until_day, known FROM grade_override WHERE {where} AND {held} "
    "UNION ALL SELECT entity, scheme, '', from_day, until_day, known FROM grade_raise WHERE {where} AND {held}"
)


def within(scheme: Scheme, first: int, last: int, *, known: int, day: int) -> Given:
    """For the entities with ids from `first` to `last`, both included, on a day, by what was known at `known`."""
    stated = _also_tried(scheme, _stated("entity BETWEEN ? AND ?", (first, last), known))
    found = context.in_force(day, known) if reads_context(scheme) else None
    if found is None:
        return _split(stated)
    return _over(found, context.values_of(found.id, first, last), stated)


def about(scheme: Scheme, entities: Sequence[int], *, known: int, day: int) -> Given:
    """For these entities; otherwise as :func:`within`."""
    found = context.in_force(day, known) if reads_context(scheme) else None
    return _about(entities, known, found, scheme)


def as_read(entities: Sequence[int], number: int, *, known: int) -> Given:
    """For these entities over the context of that number (0: none), whatever is in force: as a stored grade read it."""
    return _about(entities, known, context.GradeContext.get_or_none(context.GradeContext.id == number))


def _about(
    entities: Sequence[int], known: int, found: context.GradeContext | None, scheme: Scheme | None = None
) -> Given:
    parts = [
        _stated(f"entity IN ({', '.join('?' * len(part))})", part, known) for part in in_slices(list(entities), 10_000)
    ]
    stated = pl.concat(parts) if parts else pl.DataFrame(schema=dict(OVERRIDES))
    stated = stated if scheme is None else _also_tried(scheme, stated)
    if found is None:
        return _split(stated)
    return _over(found, context.values_for(found.id, entities), stated)


def _stated(where: str, values: Sequence[int], known: int) -> pl.DataFrame:
    """Overrides, and raises with an empty class, of the entities that `where` names."""
    bound = [*values, known, known]
    return read_frame(_STATED.format(where=where, held=_HELD), [*bound, *bound], dict(OVERRIDES))


def _split(stated: pl.DataFrame) -> Given:
    if stated.is_empty():
        return Given(overrides=stated)
    raised = pl.col("class") == ""
    return Given(overrides=stated.filter(~raised), raises=stated.filter(raised).select(list(RAISES)))


def _also_tried(scheme: Scheme, stated: pl.DataFrame) -> pl.DataFrame:
    """With those of the scheme that a trial would replace: what persons have set, they have set whichever rules hold."""
    if not book.is_shadow(scheme) or stated.is_empty():
        return stated
    own = stated.filter(pl.col("scheme") == book.tried_for(scheme))
    return pl.concat([stated, own.with_columns(scheme=pl.lit(scheme.id))])


def context_id(scheme: Scheme, *, known: int, day: int) -> int:
    """Number of the context that the scheme reads on a day; 0 where it reads none, or there is none."""
    found = context.in_force(day, known) if reads_context(scheme) else None
    return 0 if found is None else int(found.id)


def context_hash(scheme: Scheme, *, known: int, day: int) -> str:
    """Hash of that context; empty where there is none."""
    found = context.in_force(day, known) if reads_context(scheme) else None
    return "" if found is None else str(found.hash)


def _over(found: context.GradeContext, values: pl.DataFrame, stated: pl.DataFrame) -> Given:
    return replace(
        _split(stated),
        context=values,
        norms=context.norms_of(found),
        names=frozenset(found.names),
        context_id=int(found.id),
        context_hash=found.hash,
    )
