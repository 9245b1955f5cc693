"""Why an entity has its grade: recomputed from the ledger, and held against the digest that was stored."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from registry import clock, cursor
from registry.database import dicts, execute, find
from registry.errors import NotGraded, SchemeNotInForce
from registry.kinds import KINDS
from registry.models import Entity, Grade, GradeState, Record, SchemeVersion, Uncounted
from registry.page import Page
from registry.services import frames, ledger, life
from rules.engine import facts_needed
from rules.errors import NotInForce
from rules.explain import Explanation, explain
from rules.scheme import Scheme

# The last day that may be asked about: windows that begin on it must still end on a day that can be written.
LATEST = date(2100, 12, 31)
# Why a record behind the points says nothing any more, and how a row of points that rests on nothing else is told.
SILENT: dict[str, dict[str, str]] = {
    "withdrawn": {"zh": "所依据的记录已撤回，不再显示", "en": "The records behind these points were withdrawn and are shown no more"},
    "repaired": {"zh": "所依据的记录已信用修复，不再显示", "en": "The records behind these points were repaired and are shown no more"},
    "erased": {"zh": "所依据的记录已依法删除，不再显示", "en": "The records behind these points were lawfully erased and are shown no more"},
}  # fmt: skip


@contextmanager
def in_force() -> Generator[None, None, None]:
    """Tell as an expected error (SchemeNotInForce) that the rules have no cuts on the day that was asked for."""
    try:
        yield
    except NotInForce as error:
        raise SchemeNotInForce(str(error)) from error


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation, the records that it names, and whether it is what was given at the time.

    Points that rest only on records which were withdrawn, repaired or erased since keep their number, so that the score adds
    up, and their sentence says that and no more.
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
            "points": [row | {"sentence": self._sentence(row)} for row in body["points"]],
        }
        if self.differs:
            body["differs"] = self.differs
        return body

    def _sentence(self, row: dict[str, Any]) -> dict[str, str]:
        behind = [self.records.get(seq, {}) for seq in row["records"]]
        said: dict[str, str] = row["sentence"]
        if not behind or not all(any(word in one for word in SILENT) for one in behind):
            return said
        return SILENT[next(word for word in SILENT if word in behind[0])]


def of(entity: Entity, scheme: Scheme, *, on: date | None = None, known: int | None = None, today: date) -> Explained:
    """Explain the grade of an entity on a day, with the knowledge of a ledger number (defaults: as it was last graded).

    Raises NotGraded where the scheme does not grade this entity: provisional, cancelled, or another kind of subject;
    SchemeNotInForce where it has no cuts on that day.
    """
    state = GradeState.get_or_none((GradeState.scheme == scheme.id) & (GradeState.entity == entity.id))
    asked_past = on is not None or known is not None
    day = on or (clock.day_of(state.day) if state and not asked_past else today)
    seq = known if known is not None else (state.known if state and not asked_past else ledger.head())
    found = _worked_out(entity, scheme, clock.day_number(day), seq)
    reproduced, differs = _held_against(entity, scheme, found, day, seq)
    return Explained(entity, day, seq, found, _named(found), reproduced, differs)


def behind(entity: Entity, scheme: Scheme, state: GradeState) -> Explanation | None:
    """The explanation of the grade that stands, or None where the scheme as it is now does not give that grade.

    It waits to be renewed then (the scheme has another content by now), and the rows of a newer grade
    would not add up to its score.
    """
    try:
        found = _worked_out(entity, scheme, state.day, state.known)
    except (NotGraded, SchemeNotInForce):
        return None
    return found if found.digest == bytes(state.digest).hex() else None


def _worked_out(entity: Entity, scheme: Scheme, day: int, seq: int) -> Explanation:
    # As its registration stood then: a change of kind or division since must not change what was given.
    population = frames.population_as_known(entity.id, seq)
    population = population.with_columns(day=pl.lit(day, frames.FACTS["day"]))
    if population.is_empty():
        raise NotGraded(_why_not(entity, seq))
    facts = frames.facts_of([entity.id], facts_needed(scheme), seq)
    with in_force():
        found = explain(population, facts, frames.coverage(seq), scheme)
    if not found:
        raise NotGraded(f"Scheme {scheme.id} does not grade entities of kind {entity.kind}.")
    return found[0]


def _why_not(entity: Entity, known: int) -> str:
    if entity.registered_seq is None:
        return "This entity is provisional: its code stood on a record, its registration has not arrived. It is graded once it is registered."
    if entity.status in frames.GRADED_STATUSES and entity.registered_seq > known:
        return f"This entity was not registered, or not as one that is graded, as far as was known at {known}. Ask for later knowledge."
    return "This entity is cancelled 注销: it is no longer registered, so it is not graded."


def _held_against(
    entity: Entity, scheme: Scheme, explanation: Explanation, day: date, known: int
) -> tuple[bool | None, str]:
    """Compare with the grade that was stored for that day and knowledge: the newest one not after either."""
    number = clock.day_number(day)
    given = (
        Grade.select(Grade, SchemeVersion)
        .join(SchemeVersion)
        .where((Grade.entity == entity.id) & (SchemeVersion.scheme == scheme.id) & (Grade.known <= known))
    )
    grade = (
        given.where(Grade.day <= number).order_by(Grade.known.desc(), Grade.day.desc(), Grade.version.desc()).first()
    )
    if grade is None:
        return None, ""
    if bytes(grade.digest).hex() == explanation.digest:
        return True, ""
    if grade.version.hash != scheme.hash:
        return False, "The scheme has changed since this grade was given."
    if given.where((Grade.day > number) & (Grade.known < known)).exists():
        return None, "No grade was given for that day with that knowledge: by then a later day had been graded."
    return False, "Records known by then, or time alone, call for another grade than the last one stored; it is due."


def _named(explanation: Explanation) -> dict[int, dict[str, Any]]:
    """The records behind the points, in three queries: what they say, in both languages.

    As-of chooses what was believed; what may be seen is always today's. A record that was withdrawn, repaired or erased
    since keeps its number, so that the points add up, and says nothing more.
    """
    seqs = sorted(
        {seq for row in explanation.points for seq in row.records}
        | {seq for one in explanation.indicators for seq in one.records}
    )
    found: dict[int, dict[str, Any]] = {}
    rows = dicts(Record.select().where(Record.seq.in_(seqs)))
    current = Record.select(Record.identity).where(
        Record.identity.in_([row["identity"] for row in rows])
        & Record.replaced_seq.is_null()
        & (Record.act == "withdraw")
    )
    silent = {row["identity"]: "withdrawn" for row in dicts(current)}
    out = Uncounted.select().where(
        Uncounted.identity.in_([row["identity"] for row in rows]) & Uncounted.why.in_(life.FOR_GOOD)
    )
    silent = {row["identity"]: row["why"] for row in dicts(out)} | silent
    for row in rows:
        kind = KINDS[row["kind"]]
        if row["identity"] in silent:
            found[row["seq"]] = {"seq": row["seq"], "kind": kind.name, silent[row["identity"]]: True}
            continue
        line = kind.line(row)
        found[row["seq"]] = {
            "seq": row["seq"], "kind": kind.name, "happened_on": row["happened_on"].isoformat() if row["happened_on"] else None,
            "document_no": row["detail"].get("printed_no") or row["document_no"], "organ": row["organ"],
            "line": {"zh": line.zh, "en": line.en},
        }  # fmt: skip
    return found


def history(entity: Entity, scheme: Scheme, *, limit: int = 200) -> list[dict[str, Any]]:
    """The grades that the entity has had under the scheme, newest first, at most `limit`."""
    return list(history_page(entity, scheme, after=None, limit=limit).items)


def history_page(entity: Entity, scheme: Scheme, *, after: str | None, limit: int) -> Page[dict[str, Any]]:
    """One page of the grades that the entity has had under the scheme, newest first. One query."""
    values: list[object]
    where, values = "g.entity = ? AND v.scheme = ?", [entity.id, scheme.id]
    if after is not None:
        where += " AND (g.known, g.day, g.version_id) < (?, ?, ?)"
        values += cursor.decode(after, int, int, int)
    sql = (
        "SELECT g.known, g.day, g.version_id, g.class, g.score, g.digest, v.hash FROM grade g "  # noqa: S608
        f"JOIN scheme_version v ON v.id = g.version_id WHERE {where} "
        "ORDER BY g.known DESC, g.day DESC, g.version_id DESC LIMIT ?"
    )
    rows = execute(sql, [*values, limit + 1]).fetchall()
    items = [
        {"on": clock.day_of(day).isoformat(), "known_seq": known, "class": name, "score": score,
         "scheme_hash": content, "digest": bytes(digest).hex()}
        for known, day, _, name, score, digest, content in rows[:limit]
    ]  # fmt: skip
    return Page(items, cursor.encode(*rows[limit - 1][:3]) if len(rows) > limit else None)


def current(entity: Entity, scheme: Scheme) -> GradeState:
    """The grade that stands now. Raises NotGraded, saying why there is none."""
    state = find(GradeState, scheme=scheme.id, entity=entity.id)
    if state is None:
        raise NotGraded(
            _why_not(entity, ledger.head())
            if entity.registered_seq is None or entity.status not in frames.GRADED_STATUSES
            else "This entity has not been graded yet. The next nightly run does it, or `xinheng grade CODE` now."
        )
    return state
