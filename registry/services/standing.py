"""The grades that stand, and the history of those that stood: how they are written, compared, counted and taken away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from registry import clock
from registry.database import execute, execute_many, in_slices, insert_rows, is_postgres, read_frame
from registry.divisions import in_sql
from registry.services import book, changes, frames
from rules.given import Given
from rules.scheme import Scheme

GRADE_COLUMNS = ("entity", "version_id", "day", "known", "class", "score", "digest", "context")
STATE_COLUMNS = (
    "scheme", "entity", "version", "day", "known", "class", "rank", "score", "digest", "next_day", "context",
)  # fmt: skip
# A grade becomes current only over one that knew less, or as much on an earlier day or the same.
NEWER = (
    "ON CONFLICT (scheme, entity) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in STATE_COLUMNS[2:])
    + " WHERE excluded.known > grade_state.known"
    " OR (excluded.known = grade_state.known AND excluded.day >= grade_state.day)"
)
_OLD = {name: f"old_{name}" for name in frames.STATE if name != "entity"} | {"digest": "old", "next_day": "old_next"}
# What is asked once more of the grade before, when it is written over.
_BEFORE = {
    "digest": pl.Binary,    "version": pl.Int32, "day": pl.Int32, "known": pl.Int64, "class": pl.String, "score": pl.Int32, "next_day": pl.Int32,
    "context": pl.Int32,
}  # fmt: skip


def compare(version: int, known: int, given: Given, graded: pl.DataFrame, state: pl.DataFrame) -> pl.DataFrame:
    """Mark the grades that are the same as those that stand (`same`) and need no writing at all (`still`).

    Beside them stand the columns of the grade before, named `old_…`. Entities whose grade knew more than `known`, or as
    much on a later day, are left out: they were overtaken.
    """
    context = given.context_id
    # Lazy to the end: one pass instead of four, which a single entity inside a post feels.
    joined = graded.lazy().join(state.lazy().rename(_OLD), on="entity", how="left", maintain_order="left")
    joined = joined.filter(~_overtaken(known))
    # Another content of the scheme that says the same of an entity is no change of its grade.
    same = pl.col("old") == pl.col("digest")
    still = (
        same
        & (pl.col("old_version") == version)
        & pl.col("next_day").eq_missing(pl.col("old_next"))
        & (pl.col("old_context") == context)
    )
    return joined.with_columns(
        pl.lit(version, pl.Int32).alias("version"),
        pl.lit(known, pl.Int64).alias("known"),
        pl.lit(context, pl.Int32).alias("context"),
        same=same.fill_null(value=False),
        still=still.fill_null(value=False),
    ).collect()


def write(scheme: Scheme, compared: pl.DataFrame, *, known: int, context_hash: str, at: int) -> int:
    """Write grades and return how many differ from those before. Must run inside one transaction a call.

    A grade becomes current only over one that knew less, or as much on an earlier day: two writers cannot finish out
    of order. History and feed get a row only where something changed; the day and the next breakpoint of unchanged grades
    move on as well. A scheme that is tried in the shadow leaves neither history nor feed.
    """
    if compared.is_empty():
        return 0
    if is_postgres():  # SQLite has one writer anyway
        _lock(scheme, compared["entity"].to_list())
    compared = _anew(scheme, compared, known)
    rank = {name: index for index, name in enumerate(scheme.classes)}
    rows = compared.with_columns(
        pl.col("class").replace_strict(rank, return_dtype=pl.Int16).alias("rank"),
        pl.lit(scheme.id).alias("scheme"),
        pl.col("version").alias("version_id"),
    )
    changed = rows.filter(~pl.col("same"))
    trial = book.is_shadow(scheme)
    if not trial:
        history = changed.with_columns(pl.lit(context_hash or None, pl.String).alias("context"))
        insert_rows("grade", GRADE_COLUMNS, history.select(GRADE_COLUMNS).rows(), conflict="ON CONFLICT DO NOTHING")
    # The chance is a model's to say (`model_scores`): 0 until it has spoken, and left as it is over a grade that stands.
    state = rows.with_columns(pl.lit(0).alias("chance")).select(*STATE_COLUMNS, "chance")
    insert_rows("grade_state", (*STATE_COLUMNS, "chance"), state.rows(), conflict=NEWER)
    if not trial:
        # A first grade is no change, and reasons alone move nobody.
        other = (pl.col("old_class") != pl.col("class")) | (pl.col("old_score") != pl.col("score"))
        changes.keep(scheme, changed.filter(other), at=at)
    return changed.height


def _lock(scheme: Scheme, entities: Sequence[int]) -> None:
    """Wait for whoever is writing these grades, in the order in which everybody does, so that what is read next holds."""
    for part in in_slices(sorted(entities), 20_000):
        marks = ", ".join("?" * len(part))
        rows = f"SELECT 1 FROM grade_state WHERE scheme = ? AND entity IN ({marks}) ORDER BY entity FOR UPDATE"  # noqa: S608
        execute(f"SELECT count(*) FROM ({rows}) held", [scheme.id, *part])  # noqa: S608


def _anew(scheme: Scheme, compared: pl.DataFrame, known: int) -> pl.DataFrame:
    """The grades to write beside those that stand by now: another run may have written since :func:`compare`.

    Every change so goes on from the one before, and who was overtaken meanwhile is left out.
    """
    entities = compared["entity"].to_list()
    where, values = f"entity IN ({', '.join('?' * len(entities))})", entities
    if max(entities) - min(entities) < 2 * len(entities):
        where, values = "entity BETWEEN ? AND ?", [min(entities), max(entities)]
    sql = f"SELECT entity, {', '.join(_BEFORE)} FROM grade_state WHERE scheme = ? AND {where}"  # noqa: S608 (names are ours)
    found = read_frame(sql, [scheme.id, *values], {"entity": pl.Int64, **_BEFORE})
    found = found.rename({name: _OLD.get(name, f"old_{name}") for name in _BEFORE})
    bare = compared.drop(name for name in found.columns if name != "entity" and name in compared.columns)
    joined = bare.join(found, on="entity", how="left", maintain_order="left").filter(~_overtaken(known))
    return joined.with_columns(same=(pl.col("old") == pl.col("digest")).fill_null(value=False))


def _overtaken(known: int) -> pl.Expr:
    """Whether the grade that stands knew more, or as much on a later day."""
    later = (pl.col("old_known") == known) & (pl.col("old_day") > pl.col("day"))
    return ((pl.col("old_known") > known) | later).fill_null(value=False)


def of(scheme: Scheme, entities: Sequence[int]) -> pl.DataFrame:
    """The rows of `grade_state` of these entities, with the columns of `frames.STATE`."""
    parts = [
        read_frame(
            f"SELECT {', '.join(frames.STATE)} FROM grade_state WHERE scheme = ? AND entity IN ({', '.join('?' * len(part))})",  # noqa: S608
            [scheme.id, *part],
            frames.STATE,
        )
        for part in in_slices(list(entities), 20_000)
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=frames.STATE)


def within(scheme: Scheme, first: int, last: int) -> pl.DataFrame:
    """The same for the entities with ids from `first` to `last`, both included."""
    return read_frame(
        f"SELECT {', '.join(frames.STATE)} FROM grade_state WHERE scheme = ? AND entity BETWEEN ? AND ?",  # noqa: S608
        (scheme.id, first, last),
        frames.STATE,
    )


def retire(scheme: Scheme, entities: Sequence[int], known: int, *, outside: Sequence[int] = ()) -> None:
    """Take away the current grade of those of `entities` that may have none any more, and of all `outside` the scheme's
    members. What they had stays in the history."""
    gone = {*frames.not_gradable(entities, scheme.subjects), *outside}
    execute_many(
        "DELETE FROM grade_state WHERE scheme = ? AND entity = ? AND known <= ?",
        [(scheme.id, entity, known) for entity in sorted(gone)],
    )


def unmark(scheme: Scheme, entities: Sequence[int], known: int) -> None:
    """Take away the stale marks of these entities, as far as what they stood for was known."""
    execute_many(
        "DELETE FROM stale WHERE scheme = ? AND entity = ? AND seq <= ?",
        [(scheme.id, entity, known) for entity in entities],
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """The grade that an entity has now."""

    class_: str
    score: int
    day: date


def standing(scheme: Scheme, entities: Sequence[int]) -> dict[int, Standing]:
    """The current grade of each of these entities that has one."""
    found: dict[int, Standing] = {}
    for part in in_slices(sorted(set(entities))):
        sql = f"SELECT entity, class, score, day FROM grade_state WHERE scheme = ? AND entity IN ({', '.join('?' * len(part))})"  # noqa: S608
        for entity, name, score, day in execute(sql, [scheme.id, *part]).fetchall():
            found[entity] = Standing(name, score, clock.day_of(day))
    return found


def classes(scheme: Scheme, divisions: Sequence[str] = ("",)) -> dict[str, dict[str, int]]:
    """How many entities stand in each class now, per subject kind, in the divisions with these prefixes."""
    counts: dict[str, dict[str, int]] = {}
    near, bounds = in_sql(divisions, "e.division")
    sql = (
        "SELECT e.kind, s.class, count(*) FROM grade_state s JOIN entity e ON e.id = s.entity "  # noqa: S608
        f"WHERE s.scheme = ?{near} GROUP BY e.kind, s.class ORDER BY e.kind, s.class"
    )
    for subject, name, number in execute(sql, [scheme.id, *bounds]).fetchall():
        counts.setdefault(subject, {})[name] = number
    return counts
