"""What a grade rests on beside facts: the context in force and the classes that persons have set, as they were known."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from registry.database import in_slices, read_frame
from registry.services import book, context
from rules.engine import reads_context
from rules.given import OVERRIDES, Given
from rules.scheme import Scheme

_COLUMNS = "entity, scheme, class, from_day, until_day, known"
# Known then, and not ended early then.
_HELD = "known <= ? AND (gone IS NULL OR gone > ?)"


def within(scheme: Scheme, first: int, last: int, *, known: int, day: int) -> Given:
    """For the entities with ids from `first` to `last`, both included, on a day, by what was known at `known`."""
    overrides = read_frame(
        f"SELECT {_COLUMNS} FROM grade_override WHERE entity BETWEEN ? AND ? AND {_HELD}",  # noqa: S608
        (first, last, known, known),
        dict(OVERRIDES),
    )
    overrides = _also_tried(scheme, overrides)
    found = context.in_force(day, known) if reads_context(scheme) else None
    if found is None:
        return Given(overrides=overrides)
    return _over(found, context.values_of(found.id, first, last), overrides)


def about(scheme: Scheme, entities: Sequence[int], *, known: int, day: int) -> Given:
    """For these entities; otherwise as :func:`within`."""
    found = context.in_force(day, known) if reads_context(scheme) else None
    beside = _about(entities, known, found)
    return replace(beside, overrides=_also_tried(scheme, beside.overrides))


def as_read(entities: Sequence[int], number: int, *, known: int) -> Given:
    """For these entities over the context of that number (0: none), whatever is in force: as a stored grade read it."""
    return _about(entities, known, context.GradeContext.get_or_none(context.GradeContext.id == number))


def _about(entities: Sequence[int], known: int, found: context.GradeContext | None) -> Given:
    parts = [
        read_frame(
            f"SELECT {_COLUMNS} FROM grade_override WHERE entity IN ({', '.join('?' * len(part))}) AND {_HELD}",  # noqa: S608
            [*part, known, known],
            dict(OVERRIDES),
        )
        for part in in_slices(list(entities), 20_000)
    ]
    overrides = pl.concat(parts) if parts else pl.DataFrame(schema=dict(OVERRIDES))
    if found is None:
        return Given(overrides=overrides)
    return _over(found, context.values_for(found.id, entities), overrides)


def _also_tried(scheme: Scheme, overrides: pl.DataFrame) -> pl.DataFrame:
    """With those of the scheme that a trial would replace: what persons have set, they have set whichever rules hold."""
    if not book.is_shadow(scheme) or overrides.is_empty():
        return overrides
    own = overrides.filter(pl.col("scheme") == book.tried_for(scheme))
    return pl.concat([overrides, own.with_columns(scheme=pl.lit(scheme.id))])


def context_id(scheme: Scheme, *, known: int, day: int) -> int:
    """Number of the context that the scheme reads on a day; 0 where it reads none, or there is none."""
    found = context.in_force(day, known) if reads_context(scheme) else None
    return 0 if found is None else int(found.id)


def context_hash(scheme: Scheme, *, known: int, day: int) -> str:
    """Hash of that context; empty where there is none."""
    found = context.in_force(day, known) if reads_context(scheme) else None
    return "" if found is None else str(found.hash)


def _over(found: context.GradeContext, values: pl.DataFrame, overrides: pl.DataFrame) -> Given:
    return Given(
        context=values,
        norms=context.norms_of(found),
        overrides=overrides,
        names=frozenset(found.names),
        context_id=int(found.id),
        context_hash=found.hash,
    )
