"""Raises as the champion suggests them after a scoring: of whom the chance stands far above the mean, and nothing forbids it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import orjson

from registry import clock
from registry.config import Settings
from registry.database import FEW, execute, insert_rows, write
from registry.models import GradeRaise, Model
from registry.services import audit, grading, ledger, model_scores, models, raises, warning_reasons
from registry.services.raises import PARAMETERS, SYSTEM

# What a suggestion is written with; of a row, and in the table.
FIELDS = (
    "entity", "scheme", "model_id", "chance", "class_", "reasons", "from_day", "until_day", "state", "automatic", "suggested_at",
    "decided_why", "ended_why",
)  # fmt: skip
COLUMNS = tuple("class" if name == "class_" else name for name in FIELDS)
REASONS = FIELDS.index("reasons")
# Candidates that are graded and written together.
BATCH = 500
_AUTOMATIC = '方案规定自动生效 The scheme says raises = "automatic".'
_BELOW = "低于建议上调线 The model does not say so any more."

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Suggested:
    """What a run did: `line` is the chance in millionths from which on a raise was suggested; None where no model speaks."""

    line: int | None = None
    above: int = 0
    suggested: int = 0
    counted: int = 0
    lapsed: int = 0


def suggest(settings: Settings, *, today: date, now: Callable[[], int], progress: Progress | None = None) -> Suggested:
    """Suggest a raise of everyone whose chance reaches `raise_times` percent of the mean chance of the scored.

    Not of the worst class, where a veto or a person has decided, where one stands, and for `dismissed_days` after an officer
    dismissed one or ended it. With its heaviest contributions as reasons. Where the scheme says `raises = "automatic"` it
    counts at once. Suggestions whose chance has fallen below the line lapse; what counts holds until its day.
    Safe to repeat: what stands is not suggested again. Short transactions, nothing is read inside them but what must be.
    """
    raises.settle(settings, now())
    model = models.champion(settings.model.grades, settings)
    mean = None if model is None else model_scores.mean_chance(model)
    if model is None or mean is None:
        return Suggested()
    scheme = grading.scheme_named(settings, model.grades, today)
    result = Suggested(line=-(-mean * PARAMETERS["raise_times"].on(today).value // 100))
    assert result.line is not None
    result.lapsed = _lapse(model, result.line, now())
    after = 0
    while found := _above(model, result.line, len(scheme.classes) - 1, after, today, now()):
        after = found[-1][0]
        chances = dict(found)
        told = raises.outcomes(settings, model.grades, list(chances), today=today)
        free = [entity for entity in chances if not raises.why_not(told.get(entity))]
        reasons = warning_reasons.heaviest(model, free, today) if free else {}
        # Whom the features' scheme does not cover any more, nothing is said of.
        rows = [
            GradeRaise(
                entity=entity, scheme=model.grades, model=model, chance=chances[entity], class_=told[entity].class_,
                reasons=reasons[entity], from_day=clock.day_number(today),
                until_day=clock.day_number(today) + PARAMETERS["raise_days"].on(today).value, state="suggested",
                automatic=scheme.raises == "automatic", suggested_at=now(),
            )
            for entity in free if entity in reasons
        ]  # fmt: skip
        result.above += len(found)
        if scheme.raises == "automatic":
            result.counted += _count(settings, model, rows, today, now())
        else:
            result.suggested += _store(settings, model, rows, now())
        if progress is not None:
            progress(result.above, result.above)
    return result


def _above(model: Model, line: int, worst: int, after: int, today: date, now: int) -> list[tuple[int, int]]:
    """Entities whose stored chance reaches the line, that are not in the worst class and that nothing stands or stood against
    lately, with their chances: the next ones after an id."""
    day = clock.day_number(today)
    since = now - PARAMETERS["dismissed_days"].on(today).value * int(timedelta(days=1).total_seconds() * 1000)
    rows = execute(
        "SELECT m.entity, m.chance FROM model_score m JOIN grade_state s ON s.scheme = ? AND s.entity = m.entity "
        "WHERE m.model_id = ? AND m.entity > ? AND m.chance >= ? AND s.rank < ? "
        "AND NOT EXISTS (SELECT 1 FROM grade_raise r WHERE r.entity = m.entity AND r.scheme = s.scheme AND ("
        "r.state IN ('suggested', 'confirmed') OR (r.state = 'dismissed' AND r.decided_at >= ?) "
        "OR (r.state = 'ended' AND r.ended_by <> ? AND r.ended_at >= ?))) "
        "AND NOT EXISTS (SELECT 1 FROM grade_override o WHERE o.entity = m.entity AND o.scheme = s.scheme "
        "AND o.state = 'approved' AND o.from_day <= ? AND o.until_day > ?) ORDER BY m.entity LIMIT ?",
        (model.grades, model.id, after, line, worst, since, SYSTEM, since, day, day, BATCH),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def _lapse(model: Model, line: int, now: int) -> int:
    """Let the suggestions of the model lapse whose chance it does not give any more."""
    low = execute(
        "SELECT r.id FROM grade_raise r LEFT JOIN model_score m ON m.model_id = r.model_id AND m.entity = r.entity "
        "WHERE r.model_id = ? AND r.state = 'suggested' AND (m.chance IS NULL OR m.chance < ?) ORDER BY r.id",
        (model.id, line),
    ).fetchall()
    for start in range(0, len(low), BATCH):
        part = [row[0] for row in low[start : start + BATCH]]
        with write():
            raises.lapse(part, _BELOW, now)
    return len(low)


def _store(settings: Settings, model: Model, rows: Sequence[GradeRaise], now: int) -> int:
    with write():
        # Checked inside the transaction: once a model has retired, nothing of it is suggested.
        if not _speaks(model, settings):
            return 0
        held = _standing(model.grades, [row.entity for row in rows])
        new = [row for row in rows if row.entity not in held]
        values = [[getattr(row, name) for name in FIELDS] for row in new]
        for value in values:
            value[REASONS] = orjson.dumps(value[REASONS]).decode()
        # In pieces that PostgreSQL takes as they are: a staging table would want the numbers that the table itself gives.
        for start in range(0, len(values), FEW):
            insert_rows("grade_raise", COLUMNS, values[start : start + FEW], conflict="ON CONFLICT DO NOTHING")
        if new:
            audit.note("raise.suggested", actor=SYSTEM, subject=f"model {model.id}", now=now, number=len(new))
    return len(new)


def _count(settings: Settings, model: Model, rows: Sequence[GradeRaise], today: date, now: int) -> int:
    """Let these count at once, each by its step; every batch is one transaction with the grades that follow."""
    done = 0
    for start in range(0, len(rows), raises.BATCH):
        with ledger.writing(now=now, schemes=grading.schemes(settings)) as pen:
            if not _speaks(model, settings):
                return done
            part = rows[start : start + raises.BATCH]
            held = _standing(model.grades, [row.entity for row in part])
            part = [row for row in part if row.entity not in held]
            for row in part:
                row.save(force_insert=True)
                raises.count(pen, row, by=SYSTEM, why=_AUTOMATIC, today=today, now=now)
            if part:
                raises.regrade(pen, settings, model.grades, [row.entity for row in part], today=today, now=now)
            done += len(part)
    return done


def _speaks(model: Model, settings: Settings) -> bool:
    found = models.champion(model.grades, settings)
    return found is not None and bool(found.id == model.id) and models.still(found)


def _standing(scheme: str, entities: Sequence[int]) -> set[int]:
    """Those of these entities of whom another run has suggested the same meanwhile."""
    standing = GradeRaise.entity.in_(list(entities)) & GradeRaise.state.in_(raises.STANDING)
    return {row.entity for row in GradeRaise.select(GradeRaise.entity).where(standing & (GradeRaise.scheme == scheme))}


__all__ = ["Suggested", "suggest"]
