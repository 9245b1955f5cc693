"""Why an entity has its grade: recomputed from the ledger, and held against the digest that was stored."""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from registry import clock, cursor
from registry.database import dicts, execute, find
from registry.errors import NotGraded, SchemeNotInForce
from registry.kinds import KINDS
from registry.models import (
    Entity,
    Grade,
    GradeOverride,
    GradeRaise,
    GradeState,
    Model,
    Moment,
    Record,
    SchemeVersion,
    Uncounted,
)
from registry.page import Page
from registry.services import book, frames, given, ledger, life, step_words
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
    scheme: Scheme
    context_hash: str

    @property
    def scheme_hash(self) -> str:
        return self.scheme.hash

    def to_dict(self) -> dict[str, Any]:
        body = self.explanation.to_dict()
        body |= {
            "code": self.entity.code or self.entity.registration_no,
            "name": self.entity.name,
            "on": self.day.isoformat(),
            "known_seq": self.known,
            "records": [self.records[seq] for seq in sorted(self.records)],
            "reproduced": self.reproduced,
            "context_hash": self.context_hash or None,
            "scheme_title": self.scheme.title.as_dict(),
            "decided": decided(self.explanation),
            "undecided_rules": [
                {"rule": one, **self.scheme.rules[one].title.as_dict()} for one in self.explanation.undecided
            ],
            "points": [
                row | {"sentence": sentence(row["sentence"], row["records"], self.records)} for row in body["points"]
            ],
        }
        if self.differs:
            body["differs"] = self.differs
        return body


def decided(found: Explanation) -> dict[str, Any] | None:
    """What decided the class apart from points: `rule` (`veto:…`, `cap:…`, `override:…` or `raise:…`), its `title`, its `points` (0 where the
    points alone would have said the same), and for what persons have set `override`: `id`, `class`, `reason`, `basis`, `from`,
    `until` (the first day without it), `proposed_by`, `decided_by`, `decided_at`, `said` by the approver; for what a model suggested `raise`: `id`, `class` (of the rules
    when it was suggested), `chance` (millionths), `model`, `model_hash`, `reasons`, `from`, `until`, `automatic`, `decided_by`,
    `decided_at`, `said`; else None. None where points alone decided. Only for who may read grades."""
    row = next((row for row in found.points if row.rule == found.decided_by), None)
    if row is None:
        return None
    held = moved = None
    if row.rule.startswith("raise:"):
        moved = _raised(GradeRaise.select().join(Model).where(GradeRaise.known == row.records[0]).get())
    if row.rule.startswith("override:"):
        one = GradeOverride.get(GradeOverride.known == row.records[0])
        assert one.decided_at is not None, "only what was approved counts"
        held = {
            "id": one.id, "class": one.class_, "reason": one.reason, "basis": one.basis,
            "from": clock.day_of(one.from_day).isoformat(), "until": clock.day_of(one.until_day).isoformat(),
            "proposed_by": one.proposed_by, "decided_by": one.decided_by, "decided_at": clock.moment_text(one.decided_at),
            "said": one.decided_why,
        }  # fmt: skip
    return {"rule": row.rule, "title": row.title, "points": row.points, "override": held, "raise": moved}


def _raised(one: GradeRaise) -> dict[str, Any]:
    assert one.decided_at is not None, "only what was confirmed counts"
    return {
        "id": one.id, "class": one.class_, "chance": one.chance, "model": one.model.name, "model_hash": one.model.hash,
        "reasons": one.reasons, "from": clock.day_of(one.from_day).isoformat(), "until": clock.day_of(one.until_day).isoformat(),
        "automatic": one.automatic, "decided_by": one.decided_by, "decided_at": clock.moment_text(one.decided_at),
        "said": one.decided_why,
    }  # fmt: skip


def sentence(said: dict[str, str], behind: Iterable[int], records: Mapping[int, dict[str, Any]]) -> dict[str, str]:
    """What a row of points says, or only why it says nothing: all the records `behind` it are silent in `records` (of
    :func:`named`)."""
    rows = [records.get(seq, {}) for seq in behind]
    if not rows or not all(any(word in one for word in SILENT) for one in rows):
        return said
    return SILENT[next(word for word in SILENT if word in rows[0])]


def of(entity: Entity, scheme: Scheme, *, on: date | None = None, known: int | None = None, today: date) -> Explained:
    """Explain the grade of an entity on a day, with the knowledge of a ledger number (defaults: as it was last graded).

    Where a grade was given for that day and knowledge, it is explained by the content of the scheme that gave it, whatever
    holds today; else by `scheme`. Raises NotGraded where the scheme does not grade this entity: provisional, cancelled, or another kind of subject;
    SchemeNotInForce where it has no cuts on that day.
    """
    state = GradeState.get_or_none((GradeState.scheme == scheme.id) & (GradeState.entity == entity.id))
    asked_past = on is not None or known is not None
    day = on or (clock.day_of(state.day) if state and not asked_past else today)
    seq = known if known is not None else (state.known if state and not asked_past else ledger.head())
    number = clock.day_number(day)
    stored = _stored(entity, scheme, number, seq)
    used = scheme
    if state is not None and not asked_past:
        used = scheme if book.version_of(scheme) == state.version else book.scheme_of_version(state.version)
    elif stored is not None and stored.version.hash != scheme.hash and not _replaced(scheme, stored, number, seq):
        used = book.scheme_of_version(stored.version.id)
    found = worked_out(entity, used, number, seq)
    reproduced, differs = _held_against(entity, used, stored, found, number, seq)
    context = given.context_hash(used, known=seq, day=number)
    behind_it = {seq for rows in (found.points, found.indicators) for row in rows for seq in row.records}
    return Explained(entity, day, seq, found, named(behind_it), reproduced, differs, used, context)


def behind(entity: Entity, scheme: Scheme, state: GradeState) -> Explanation | None:
    """The explanation of the grade that stands, by the content of the scheme that gave it; None where it cannot be worked out
    again: rows of another grade would not add up to its score."""
    try:
        used = scheme if book.version_of(scheme) == state.version else book.scheme_of_version(state.version)
        found = worked_out(entity, used, state.day, state.known)
    except (NotGraded, SchemeNotInForce):
        return None
    return found if found.digest == bytes(state.digest).hex() else None


def reasons(found: Explanation) -> list[dict[str, Any]]:
    """What decided the class, then the rows of points that are not 0, the greatest first, each with what may be told of it today
    and its records."""
    telling = (row for row in found.points if row.points or row.rule == found.decided_by)
    rows = sorted(telling, key=lambda row: (row.rule != found.decided_by, -abs(row.points), row.rule))
    records = named({seq for row in rows for seq in row.records})
    return [
        {"points": row.points, **sentence(row.sentence, row.records, records), "records": list(row.records)}
        for row in rows
    ]


def nothing_known(timezone: str) -> NotGraded:
    """That nothing was known at a moment before the first row of the ledger, and since when something is."""
    first = Moment.select(Moment.at).order_by(Moment.seq).first()
    if first is None:
        return NotGraded("Nothing was known then: the ledger has no rows yet. Import or post records first.")
    begins = datetime.fromtimestamp(first.at / 1000, ZoneInfo(timezone)).isoformat(timespec="seconds")
    return NotGraded(f"Nothing was known then: the ledger begins on {begins}. Ask for that moment or a later one.")


def worked_out(entity: Entity, scheme: Scheme, day: int, seq: int) -> Explanation:
    """The explanation of one entity under exactly this scheme, on a day number, with the knowledge of a ledger number.

    Raises NotGraded, SchemeNotInForce.
    """
    # As its registration stood then: a change of kind or division since must not change what was given.
    population = frames.population_as_known(entity.id, seq)
    population = population.with_columns(day=pl.lit(day, frames.FACTS["day"]))
    if population.is_empty():
        raise NotGraded(_why_not(entity, seq))
    facts = frames.facts_of([entity.id], facts_needed(scheme), seq)
    beside = given.about(scheme, [entity.id], known=seq, day=day)
    with in_force():
        found = explain(population, facts, frames.coverage(seq), scheme, beside)
    if not found:
        raise NotGraded(_not_covered(entity, scheme))
    return found[0]


def _not_covered(entity: Entity, scheme: Scheme) -> str:
    if entity.kind in scheme.subjects and scheme.members is not None:
        return f"Scheme {scheme.id} is for holders of a {scheme.members.kind_name} with {scheme.members.where_text or 'any content'}, and this entity never was one."
    return f"Scheme {scheme.id} does not grade entities of kind {entity.kind}."


def _why_not(entity: Entity, known: int) -> str:
    if entity.registered_seq is None:
        return "This entity is provisional: its code stood on a record, its registration has not arrived. It is graded once it is registered."
    if entity.status in frames.GRADED_STATUSES and entity.registered_seq > known:
        return f"This entity was not registered, or not as one that is graded, as far as was known at {known}. Ask for later knowledge."
    return "This entity is cancelled 注销: it is no longer registered, so it is not graded."


def _given(entity: Entity, scheme: Scheme, known: int) -> Any:
    """Grades that were given under a scheme with this knowledge or less."""
    return (
        Grade.select(Grade, SchemeVersion)
        .join(SchemeVersion)
        .where((Grade.entity == entity.id) & (SchemeVersion.scheme == scheme.id) & (Grade.known <= known))
    )


def _stored(entity: Entity, scheme: Scheme, day: int, known: int) -> Grade | None:
    """The grade that stood on a day, as far as was known: the newest that is not after either."""
    order = (Grade.known.desc(), Grade.day.desc(), Grade.version.desc())
    found: Grade | None = _given(entity, scheme, known).where(Grade.day <= day).order_by(*order).first()
    return found


def _replaced(scheme: Scheme, stored: Grade, day: int, known: int) -> bool:
    """Whether another content began to hold between the stored grade and the day and knowledge that are asked about."""
    return book.activated_since(scheme, after=(stored.day, stored.known), until=(day, known))


def _held_against(
    entity: Entity, scheme: Scheme, stored: Grade | None, explanation: Explanation, day: int, known: int
) -> tuple[bool | None, str]:
    """Compare with the grade that was stored for that day and knowledge, and say what is not the same."""
    if stored is None:
        return None, ""
    if bytes(stored.digest).hex() == explanation.digest:
        return True, ""
    if stored.version.hash != scheme.hash:
        return False, "The scheme has changed since this grade was given."
    if _given(entity, scheme, known).where((Grade.day > day) & (Grade.known < known)).exists():
        return None, "No grade was given for that day with that knowledge: by then a later day had been graded."
    since = [text for text, changed in _since(entity, scheme, stored, day, known) if changed]
    return False, (
        f"The last grade stored, of {clock.day_of(stored.day)} (class {stored.class_}, score {stored.score}), is another: "
        f"since then {'; '.join(since) or 'what it rests on changed'}. It is due."
    )


def _since(entity: Entity, scheme: Scheme, stored: Grade, day: int, known: int) -> Iterator[tuple[str, bool]]:
    """What may tell a stored grade from one that is worked out for a later day or with more knowledge."""
    sql = (
        "SELECT count(*) FROM fact WHERE entity = ? AND part = 0 "
        "AND ((known > ? AND known <= ?) OR (gone > ? AND gone <= ?))"
    )
    rows = execute(sql, (entity.id, stored.known, known, stored.known, known)).fetchone()[0]
    yield f"{rows} facts about it were added or taken away", rows > 0
    yield f"the day moved on to {clock.day_of(day)}", day > stored.day
    context = given.context_hash(scheme, known=known, day=day)
    yield "another context is read", (stored.context or "") != context
    sql = "SELECT count(*) FROM coverage WHERE (known > ? AND known <= ?) OR (gone > ? AND gone <= ?)"
    feeds = execute(sql, (stored.known, known, stored.known, known)).fetchone()[0]
    yield "feeds were connected or cut off", feeds > 0


def named(numbers: Collection[int]) -> dict[int, dict[str, Any]]:
    """Records by their ledger numbers, in three queries: what they say, in both languages.

    As-of chooses what was believed; what may be seen is always today's. A record that was withdrawn, repaired or erased
    since keeps its number, so that the points add up, and says nothing more.
    """
    seqs = sorted(numbers)
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
        kind = KINDS.get(row["kind"])
        if kind is None:  # what a person set: a step, whose words never say the class
            line = step_words.label(row["kind"])
            found[row["seq"]] = {
                "seq": row["seq"], "kind": row["kind"], "happened_on": row["happened_on"].isoformat() if row["happened_on"] else None,
                "document_no": "", "organ": "", "line": {"zh": line.zh, "en": line.en},
            }  # fmt: skip
            continue
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


def history(entity: Entity, scheme: str, *, limit: int = 200) -> list[dict[str, Any]]:
    """The grades that the entity has had under the scheme, newest first, at most `limit`."""
    return list(history_page(entity, scheme, after=None, limit=limit).items)


def history_page(entity: Entity, scheme: str, *, after: str | None, limit: int) -> Page[dict[str, Any]]:
    """One page of the grades that the entity has had under the scheme of that id, newest first. One query."""
    values: list[object]
    where, values = "g.entity = ? AND v.scheme = ?", [entity.id, scheme]
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


def current(entity: Entity, scheme: str) -> GradeState:
    """The grade that stands now under the scheme of that id. Raises NotGraded, saying why there is none."""
    state = find(GradeState, scheme=scheme, entity=entity.id)
    if state is None:
        raise NotGraded(
            _why_not(entity, ledger.head())
            if entity.registered_seq is None or entity.status not in frames.GRADED_STATUSES
            else "This entity has not been graded yet. The next nightly run does it, or `xinheng grade CODE` now."
        )
    return state
