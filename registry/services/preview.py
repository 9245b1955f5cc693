"""What the grades would be on another day, with what is known now. Writes nothing: only today's grades may become current."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import polars as pl

from registry import clock
from registry.database import execute, read_frame, session
from registry.services import frames, given, ledger
from registry.services.grading import Result
from rules.engine import facts_needed, grade
from rules.given import Given
from rules.scheme import Scheme

Progress = Callable[[int, int], None]


def on(
    scheme: Scheme,
    day: date,
    *,
    range_size: int,
    entities: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> Result:
    """Grade all entities, or these, as of a day. `changed` counts those whose class would differ from the current one."""
    with session():
        known, total = ledger.head(), Result()
        coverage = frames.coverage(known)
        number = clock.day_number(day)
        for population, facts, beside, done, of in _pieces(scheme, known, number, range_size, entities):
            asked = population.filter(pl.col("subject").is_in(scheme.subjects)).with_columns(
                day=pl.lit(number, dtype=pl.Int32)
            )
            graded = grade(asked, facts, coverage, scheme, beside).join(asked.select("entity", "subject"), on="entity")
            current = _classes(scheme, graded["entity"])
            moved = graded.join(current, on="entity").filter(pl.col("class") != pl.col("now")).height
            piece = Result(graded.height, moved)
            for subject, name, count in graded.group_by("subject", "class").len().sort("subject", "class").iter_rows():
                piece.classes.setdefault(subject, {})[name] = count
            total.add(piece)
            if progress is not None:
                progress(done, of)
        return total


def _pieces(
    scheme: Scheme, known: int, day: int, range_size: int, entities: Sequence[int] | None
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, Given, int, int]]:
    kinds = facts_needed(scheme)
    if entities is not None:
        yield (
            frames.population_of(entities, known),
            frames.facts_of(entities, kinds, known),
            given.about(scheme, entities, known=known, day=day),
            len(entities),
            len(entities),
        )
        return
    highest = execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0]
    for first in range(1, highest + 1, range_size):
        last = first + range_size - 1
        yield (
            frames.population_in(first, last, known),
            frames.facts_in(first, last, kinds, known),
            given.within(scheme, first, last, known=known, day=day),
            min(last, highest),
            highest,
        )


def _classes(scheme: Scheme, entities: pl.Series) -> pl.DataFrame:
    """The current class of each entity that has one, between the first and the last of these."""
    schema = {"entity": pl.Int64, "now": pl.String}
    if entities.is_empty():
        return pl.DataFrame(schema=schema)
    sql = "SELECT entity, class FROM grade_state WHERE scheme = ? AND entity BETWEEN ? AND ?"
    return read_frame(sql, (scheme.id, int(entities.min()), int(entities.max())), schema)  # type: ignore[arg-type]
