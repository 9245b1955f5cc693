"""What the models say of everyone: scored in ranges of entity ids, kept where it changed, and put where lists read it.

`model_score` holds what each model at work last said; `grade_state.chance` what the champion says, in millionths, 0 where it
says nothing. A chance is never part of a grade.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from registry import clock
from registry.config import Settings
from registry.database import execute, execute_many, insert_rows, read_frame, session, write
from registry.errors import RegistryError
from registry.models import Model
from registry.services import frames, given, leases, ledger, models
from rules.engine import facts_needed

if TYPE_CHECKING:
    from rules.model.bundle import Bundle

# Rows written in one transaction: under 30 ms of the write lock.
ROWS = 2_500
COLUMNS = ("model_id", "entity", "day", "known", "points", "chance")
KEPT = {"entity": pl.Int64, "points": pl.Int32, "chance": pl.Int32}
# A range takes seconds; who holds the lease for so long without renewing it has hung.
LEASE, LEASE_MS = "model_scores", 10 * 60_000

Progress = Callable[[int, int], None]


class ScoringBusy(RegistryError):
    """Two scorings at once would write over each other."""

    code = "scoring_busy"
    status = 409


@dataclass(slots=True)
class Scored:
    """What a scoring did. `models` has per model: how many it scored, of how many it had no ground to judge, rows written."""

    entities: int = 0
    chances: int = 0
    models: dict[int, dict[str, int]] = field(default_factory=dict)


def score_all(
    settings: Settings,
    *,
    day: date,
    known: int | None = None,
    now: Callable[[], int] = clock.now,
    progress: Progress | None = None,
) -> Scored:
    """Score everyone with every model at work, as the day begins and by what was known at `known` (default: now).

    The champion's chances, by its newest line from points to chances, go to `grade_state.chance`; a model in the shadow leaves
    its scores in `model_score` and has no effect. Each piece of rows is its own short transaction that checks that the model is still at work; what is the same is
    not written. Safe to repeat; the memory of one range. With `[model] use = "off"`, or without a champion, the chances that
    stand are cleared. Raises ScoringBusy while another scoring is at work; ModelConflict, once the others are scored, where
    the bundle of one was changed: of that one nothing stands.
    """
    with session():
        result = Scored()
        if models.settle(settings, now()):
            return result
        lease = leases.acquire(LEASE, now=now(), length=LEASE_MS)
        if lease is None:
            raise ScoringBusy(
                "Another scoring is at work. Wait until it is done: `xinheng jobs history --job score_model`."
            )
        try:
            _forget_retired()
            at_work, broken = _readable()
            served = {one.grades for one, _ in at_work if one.state == "champion"}
            for grades in _with_chances() - served:
                clear(grades)
            upto = ledger.head() if known is None else known
            highest = int(execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0]) if at_work else 0
            size = settings.grading.range_size
            for first in range(1, highest + 1, size):
                last = min(first + size - 1, highest)
                result.entities += _score_range(at_work, first, last, day, upto, result)
                renewed = leases.renew(lease, now=now(), length=LEASE_MS)
                if renewed is None:
                    raise ScoringBusy(
                        "Another scoring took over from this one. What it has not reached, that one scores."
                    )
                lease = renewed
                if progress is not None:
                    progress(last, highest)
            if broken is not None:
                raise broken
            return result
        finally:
            leases.release(lease)


def _readable() -> tuple[list[tuple[Model, Bundle]], RegistryError | None]:
    """Models at work whose bundle is what its hash says, and what is wrong with the first other one: that one has no effect.

    With the lines from points to chances of now: they are the same for all ranges, whoever reports meanwhile.
    """
    found, broken = [], None
    for one in models.at_work():
        try:
            models.scheme_of(one)
            found.append((one, models.bundle_at(one)))
        except RegistryError as error:
            broken = broken or error
    return found, broken


def _score_range(
    at_work: Sequence[tuple[Model, Bundle]], first: int, last: int, day: date, known: int, result: Scored
) -> int:
    from rules.model.features import features
    from rules.model.score import score

    number = clock.day_number(day)
    everyone = frames.population_in(first, last, known).with_columns(day=pl.lit(number, pl.Int32))
    coverage = frames.coverage(known)
    seen: dict[str, pl.DataFrame] = {}
    for model, bundle in at_work:
        scheme = models.scheme_of(model)
        if scheme.hash not in seen:
            facts = frames.facts_in(first, last, facts_needed(scheme), known)
            beside = given.within(scheme, first, last, known=known, day=number)
            population = everyone.filter(pl.col("subject").is_in(scheme.subjects))
            seen[scheme.hash] = features(population, facts, coverage, scheme, beside)
        asked = score(bundle, seen[scheme.hash])
        said = asked.filter(pl.col("points").is_not_null())
        told = result.models.setdefault(model.id, {"scored": 0, "no_ground": 0, "written": 0})
        told["scored"] += said.height
        told["no_ground"] += asked.height - said.height
        told["written"] += _keep(model, said, first, last, number, known)
        if model.state == "champion":
            result.chances += _set_chances(model, said, first, last)
    return everyone.height


def _keep(model: Model, said: pl.DataFrame, first: int, last: int, day: int, known: int) -> int:
    """Write the scores that changed, and take away those of entities that are not scored any more."""
    held = read_frame(
        "SELECT entity, points, chance FROM model_score WHERE model_id = ? AND entity BETWEEN ? AND ?", (model.id, first, last), KEPT
    )  # fmt: skip
    joined = said.join(held, on="entity", how="left", suffix="_held")
    same = pl.col("points").eq_missing(pl.col("points_held")) & pl.col("chance").eq_missing(pl.col("chance_held"))
    changed = joined.filter(~same).sort("entity")
    rows = changed.select(
        pl.lit(model.id).alias("model_id"), "entity", pl.lit(day).alias("day"), pl.lit(known).alias("known"), "points", "chance"
    )  # fmt: skip
    update = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
    for piece in rows.iter_slices(ROWS):
        with write():
            if not models.still(model):
                return 0
            insert_rows(
                "model_score", COLUMNS, piece.rows(), conflict=f"ON CONFLICT (model_id, entity) DO UPDATE SET {update}"
            )
    gone = held.join(said, on="entity", how="anti").sort("entity")
    for piece in gone.iter_slices(ROWS):
        with write():
            execute_many(
                "DELETE FROM model_score WHERE model_id = ? AND entity = ?",
                [(model.id, one) for one in piece["entity"]],
            )
    return rows.height


def _set_chances(model: Model, said: pl.DataFrame, first: int, last: int) -> int:
    """Put the champion's chances beside the grades; who has none, or no ground, gets 0."""
    held = read_frame(
        "SELECT entity, chance FROM grade_state WHERE scheme = ? AND entity BETWEEN ? AND ?",
        (model.grades, first, last),
        {"entity": pl.Int64, "held": pl.Int32},
    )
    joined = held.join(said.select("entity", "chance"), on="entity", how="left").with_columns(
        pl.col("chance").fill_null(0)
    )
    changed = joined.filter(pl.col("chance") != pl.col("held")).sort("entity")
    for piece in changed.iter_slices(ROWS):
        with write():
            # Checked inside the transaction: once a model has retired, nobody writes its chances back.
            if not models.still(model):
                return 0
            _update(model.grades, piece)
    return changed.height


def _update(grades: str, piece: pl.DataFrame) -> None:
    rows = [(chance, grades, entity) for entity, chance in piece.select("entity", "chance").iter_rows()]
    execute_many("UPDATE grade_state SET chance = ? WHERE scheme = ? AND entity = ?", rows)


def clear(grades: str | None = None) -> int:
    """Set every chance to 0, of one scheme of classes or of all, in short transactions; returns how many stood. Safe to
    repeat: where none stands, reading is all."""
    done = 0
    for scheme in sorted(_with_chances() if grades is None else {grades}):
        after = 0
        while rows := execute(
            "SELECT entity FROM grade_state WHERE scheme = ? AND entity > ? AND chance <> 0 ORDER BY entity LIMIT ?",
            (scheme, after, ROWS),
        ).fetchall():
            with write():
                execute_many(
                    "UPDATE grade_state SET chance = 0 WHERE scheme = ? AND entity = ?",
                    [(scheme, one) for (one,) in rows],
                )
            after, done = rows[-1][0], done + len(rows)
    return done


def _with_chances() -> set[str]:
    """Schemes of classes under which some chance stands."""
    return {row[0] for row in execute("SELECT DISTINCT scheme FROM grade_state WHERE chance <> 0").fetchall()}


def forget(model: Model) -> None:
    """Remove what a retired model last said, in short transactions. Safe to repeat."""
    while True:
        bound = execute(
            "SELECT entity FROM model_score WHERE model_id = ? ORDER BY entity LIMIT 1 OFFSET ?", (model.id, ROWS)
        ).fetchone()
        with write():
            if bound is None:
                execute("DELETE FROM model_score WHERE model_id = ?", (model.id,))
                return
            execute("DELETE FROM model_score WHERE model_id = ? AND entity <= ?", (model.id, bound[0]))


def _forget_retired() -> None:
    """Remove what is left of models that retired while somebody ended the command that would have removed it."""
    left = (
        "SELECT id FROM model WHERE state NOT IN ('champion', 'shadow') "
        "AND EXISTS (SELECT 1 FROM model_score s WHERE s.model_id = model.id)"
    )
    for (number,) in execute(left).fetchall():
        forget(models.get(number))


def mean_chance(model: Model) -> int | None:
    """The mean chance, in millionths, of those of whom a model said one; None where it said none."""
    found = execute("SELECT avg(chance) FROM model_score WHERE model_id = ?", (model.id,)).fetchone()[0]
    return None if found is None else round(found)


def of(model: Model, entity: int) -> dict[str, Any] | None:
    """What a model last said of an entity: `points`, `chance` (None: no ground to judge), `day`, `known_seq`."""
    row = execute(
        "SELECT points, chance, day, known FROM model_score WHERE model_id = ? AND entity = ?", (model.id, entity)
    ).fetchone()
    if row is None:
        return None
    return {"points": row[0], "chance": row[1], "day": clock.day_of(row[2]).isoformat(), "known_seq": row[3]}


__all__ = ["ROWS", "Scored", "ScoringBusy", "clear", "forget", "mean_chance", "of", "score_all"]
