"""Why an entity has its grade: recomputed from the ledger, and held against the digest that was stored."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from registry import clock
from registry.database import dicts
from registry.errors import NotGraded
from registry.kinds import KINDS
from registry.models import Entity, Grade, GradeState, Record
from registry.services import grading, ledger
from rules.engine import facts_needed
from rules.explain import Explanation, explain
from rules.scheme import Scheme


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation, the records that it names, and whether it is what was given at the time.

    `reproduced` is True or False where a grade was stored for that day and knowledge, None where none was.
    """

    entity: Entity
    day: date
    known: int
    explanation: Explanation
    records: dict[int, dict[str, Any]]
    reproduced: bool | None
    differs: str

    def to_dict(self) -> dict[str, Any]:
        body = self.explanation.to_dict()
        body |= {
            "code": self.entity.code or self.entity.registration_no,
            "name": self.entity.name,
            "on": self.day.isoformat(),
            "known_seq": self.known,
            "records": [self.records[seq] for seq in sorted(self.records)],
            "reproduced": self.reproduced,
        }
        if self.differs:
            body["differs"] = self.differs
        return body


def of(entity: Entity, scheme: Scheme, *, on: date | None = None, known: int | None = None, today: date) -> Explained:
    """Explain the grade of an entity on a day, with the knowledge of a ledger number (defaults: as it was last graded).

    Raises NotGraded where the scheme does not grade this entity: provisional, cancelled, or another kind of subject.
    """
    state = GradeState.get_or_none((GradeState.scheme == scheme.id) & (GradeState.entity == entity.id))
    asked_past = on is not None or known is not None
    day = on or (clock.day_of(state.day) if state and not asked_past else today)
    seq = known if known is not None else (state.known if state and not asked_past else ledger.head())
    population = (
        grading.population_of([entity.id]).with_columns(day=clock.day_number(day)).cast({"day": grading.FACTS["day"]})
    )
    if population.is_empty():
        raise NotGraded(_why_not(entity))
    facts = grading.facts_of([entity.id], facts_needed(scheme), seq)
    found = explain(population, facts, grading.coverage(seq), scheme)
    if not found:
        raise NotGraded(f"Scheme {scheme.id} does not grade entities of kind {entity.kind}.")
    reproduced, differs = _held_against(entity, scheme, found[0], day, seq)
    return Explained(entity, day, seq, found[0], _named(found[0]), reproduced, differs)


def _why_not(entity: Entity) -> str:
    if entity.registered_seq is None:
        return "This entity is provisional: its code stood on a record, its registration has not arrived. It is graded once it is registered."
    return "This entity is no longer registered, so it is not graded."


def _held_against(
    entity: Entity, scheme: Scheme, explanation: Explanation, day: date, known: int
) -> tuple[bool | None, str]:
    """Compare with the grade that was stored for that day and knowledge: the newest one not after either."""
    stored = (
        Grade.select()
        .where((Grade.entity == entity.id) & (Grade.day <= clock.day_number(day)) & (Grade.known <= known))
        .order_by(Grade.known.desc(), Grade.day.desc())
    )
    for grade in stored:
        if grade.version.scheme == scheme.id:
            if bytes(grade.digest).hex() == explanation.digest:
                return True, ""
            if grade.version.hash != scheme.hash:
                return False, "The scheme has changed since this grade was given."
            return (
                False,
                "Records known by then, or time alone, call for another grade than the last one stored; it is due.",
            )
    return None, ""


def _named(explanation: Explanation) -> dict[int, dict[str, Any]]:
    """The records behind the points, one query: what they say, in both languages."""
    seqs = sorted(
        {seq for row in explanation.points for seq in row.records}
        | {seq for one in explanation.indicators for seq in one.records}
    )
    found: dict[int, dict[str, Any]] = {}
    for row in dicts(Record.select().where(Record.seq.in_(seqs))):
        kind = KINDS[row["kind"]]
        line = kind.line(row)
        found[row["seq"]] = {
            "seq": row["seq"], "kind": kind.name, "happened_on": row["happened_on"].isoformat() if row["happened_on"] else None,
            "document_no": row["detail"].get("printed_no") or row["document_no"], "organ": row["organ"],
            "line": {"zh": line.zh, "en": line.en},
        }  # fmt: skip
    return found


def history(entity: Entity, scheme: Scheme, *, limit: int = 200) -> list[dict[str, Any]]:
    """Every grade that the entity has had under the scheme, newest first."""
    rows = Grade.select().where(Grade.entity == entity.id).order_by(Grade.known.desc(), Grade.day.desc()).limit(limit)
    return [
        {"on": clock.day_of(row.day).isoformat(), "known_seq": row.known, "class": row.class_, "score": row.score,
         "scheme_hash": row.version.hash, "digest": bytes(row.digest).hex()}
        for row in rows
        if row.version.scheme == scheme.id
    ]  # fmt: skip


def current(entity: Entity, scheme: Scheme) -> GradeState:
    """The grade that stands now. Raises NotGraded, saying why there is none."""
    state = GradeState.get_or_none((GradeState.scheme == scheme.id) & (GradeState.entity == entity.id))
    if state is None:
        raise NotGraded(
            _why_not(entity)
            if entity.registered_seq is None
            else "This entity has not been graded yet. The next nightly run does it, or `xinheng grade CODE` now."
        )
    assert isinstance(state, GradeState)
    return state
