"""Raising early warnings 风险预警: whose chance stands far above the mean, and as many as can be looked at."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import orjson

from registry.config import Settings
from registry.database import execute, execute_many, insert_rows, write
from registry.models import Model
from registry.services import audit, early_warnings, models
from registry.services.early_warnings import CHUNK, PARAMETERS

# Entities → the heaviest contributions to the points of each.
Reasons = Callable[[Model, Sequence[int], date], Mapping[int, list[dict[str, Any]]]]
DAY = 86_400_000
COLUMNS = (
    "entity", "model_id", "chance", "reasons", "division", "day", "state", "assign_by", "organ", "assigned_to", "disposal",
    "outcome", "raised_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raised:
    """What a run of raising came to. `mean` and `line` are chances in millionths; 0 where no champion has scored anybody.

    above : entities at or above the line that may be warned of
    beyond : those of them for whom a division had no room left
    """

    scored: int = 0
    mean: int = 0
    line: int = 0
    above: int = 0
    beyond: int = 0
    raised: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Candidate:
    entity: int
    chance: int
    division: str


def raise_new(
    settings: Settings, *, today: date, now: Callable[[], int], actor: str, reasons: Reasons, go_on: Callable[[], None]
) -> Raised:
    """Raise warnings by what the champion last said of everyone, the highest chances first.

    An entity is warned of where its chance is at least `warn_times` percent of the mean chance of all that the champion has
    ground to judge, it is still graded, no warning about it is open, and none was looked at and closed within `rest_days`;
    at most `most_open` per 1,000 scored entities of its division are open at a time. Its class is not asked: a warning
    about an entity that the rules call good is what a model is for. Chunks of fifty are transactions of their own; `go_on`
    is called before each. Safe to repeat: what is open is not raised again.
    """
    champion = models.champion(settings.model.grades, settings)
    if champion is None:
        return Raised()
    scored, total = _scored(champion)
    if not scored:
        return Raised()
    line = line_of(scored, total, PARAMETERS["warn_times"].on(today).value)
    rested = now() - PARAMETERS["rest_days"].on(today).value * DAY
    above = _above(champion, line, rested)
    chosen = choose(above, _room(champion, PARAMETERS["most_open"].on(today).value)) if above else []
    raised = 0
    # In order of id, not of chance: the numbers of warnings must not tell who is likelier.
    chosen.sort(key=lambda one: one.entity)
    for start in range(0, len(chosen), CHUNK):
        go_on()
        part = chosen[start : start + CHUNK]
        why = reasons(champion, [one.entity for one in part], today)
        raised += _raise(champion, part, why, today, now(), actor)
    return Raised(scored, total // scored, line, len(above), len(above) - len(chosen), raised)


def line_of(scored: int, total: int, percent: int) -> int:
    """The lowest chance (millionths) that is at least `percent` percent of the mean `total` / `scored`."""
    return -(-percent * total // (100 * scored))


def choose(above: Iterable[Candidate], room: Mapping[str, int]) -> list[Candidate]:
    """The candidates for whom their division has room, the highest chance first, then the lower id."""
    left = Counter(room)
    chosen = []
    for one in sorted(above, key=lambda one: (-one.chance, one.entity)):
        if left[one.division] > 0:
            left[one.division] -= 1
            chosen.append(one)
    return chosen


def _scored(model: Model) -> tuple[int, int]:
    """How many the model has ground to judge, and the sum of their chances."""
    sql = "SELECT count(*), coalesce(sum(chance), 0) FROM model_score WHERE model_id = ? AND chance IS NOT NULL"
    count, total = execute(sql, (model.id,)).fetchone()
    return int(count), int(total)


def _above(model: Model, line: int, rested: int) -> list[Candidate]:
    sql = (
        "SELECT s.entity, s.chance, e.division FROM model_score s JOIN entity e ON e.id = s.entity "
        "JOIN grade_state g ON g.scheme = ? AND g.entity = s.entity WHERE s.model_id = ? AND s.chance >= ? "
        "AND NOT EXISTS (SELECT 1 FROM early_warning w WHERE w.entity = s.entity "
        # One that nobody looked at before its model was replaced keeps nobody from being warned of.
        "AND (w.state <> 'closed' OR (w.outcome > 0 AND w.closed_at > ?)))"
    )
    return [Candidate(*row) for row in execute(sql, (model.grades, model.id, line, rested)).fetchall()]


def _room(model: Model, per_thousand: int) -> dict[str, int]:
    """How many more warnings may be open in each division."""
    sql = (
        "SELECT e.division, count(*) FROM model_score s JOIN entity e ON e.id = s.entity "
        "WHERE s.model_id = ? AND s.chance IS NOT NULL GROUP BY e.division"
    )
    most = {division: -(-count * per_thousand // 1_000) for division, count in execute(sql, (model.id,)).fetchall()}
    standing = dict(execute("SELECT division, count(*) FROM early_warning WHERE state <> 'closed' GROUP BY division").fetchall())  # fmt: skip
    return {division: count - standing.get(division, 0) for division, count in most.items()}


def _raise(
    model: Model, part: Sequence[Candidate], why: Mapping[int, list[dict[str, Any]]], today: date, now: int, actor: str
) -> int:
    day, due = early_warnings.day_and_due(today)
    marks = ", ".join("?" * len(part))
    with write():
        early_warnings.lock_model(model.id)
        if Model.get_by_id(model.id).state != "champion":
            return 0
        insert_rows(
            "early_warning",
            COLUMNS,
            [
                (one.entity, model.id, one.chance, orjson.dumps(why.get(one.entity, [])).decode(), one.division, day, "open", due,
                 "", "", 0, 0, now)
                for one in part
            ],
            conflict="ON CONFLICT DO NOTHING",
        )  # fmt: skip
        # Those that were open already have their first step.
        sql = (
            f"SELECT id FROM early_warning w WHERE entity IN ({marks}) AND state = 'open' "  # noqa: S608 (marks are ours)
            "AND NOT EXISTS (SELECT 1 FROM warning_step s WHERE s.warning_id = w.id) ORDER BY id"
        )
        made = [row[0] for row in execute(sql, [one.entity for one in part]).fetchall()]
        execute_many(
            "INSERT INTO warning_step (warning_id, number, act, \"by\", at, said, detail) VALUES (?, 1, 'raised', ?, ?, '', '{}')",
            [(number, actor[:64], now) for number in made],
        )
        for number in made:
            audit.note("warning.raised", actor=actor, subject=f"warning {number}", now=now, model=model.id)
        return len(made)
