"""Decisions of persons about whom waiting rows are about: remembered, applied to the rows that wait and to those to come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

from registry import cursor
from registry.cells.personal import mask_personal
from registry.database import execute
from registry.divisions import in_query
from registry.errors import RecordNotFound, RegistryError
from registry.models import Decision, Entity, Record, Settled, Unmatched
from registry.page import Page
from registry.services import aliases, audit, entities, ledger, queue, sameness, settling
from registry.services.ledger import Pen
from registry.services.settling import DETACHED

Verb = Literal["match", "drop", "apart"]
# Rows of one transaction: other writers wait no longer than these take.
CHUNK = 10
BECAUSE: dict[Verb, str] = {
    "match": "Decided to be another party's 经人工认定另有其人",
    "drop": "Decided to name nobody who is registered here 经人工认定不在本辖区",
    "apart": "Decided not to be this party's 经人工认定不是该主体",
}


class QueueRowNotFound(RegistryError):
    code = "queue_row_not_found"
    status = 404


class DecisionNotFound(RegistryError):
    code = "decision_not_found"
    status = 404


class DecisionRefused(RegistryError):
    """A decision that cannot be taken: another stands, or the row is not one that a decision is about."""

    code = "decision_refused"
    status = 409


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision and what it did: rows that left the queue by it, or went back into it."""

    decision: Decision
    said: Literal["decided", "unchanged", "undone"]
    rows: int


@dataclass(frozen=True, slots=True)
class Who:
    """Who decides, when, and which schemes' grades it may change."""

    actor: str
    today: date
    now: int
    schemes: Sequence[str]
    divisions: tuple[str, ...] = ("",)

    def sees(self, division: str) -> bool:
        return any(division.startswith(prefix) for prefix in self.divisions)


def decide(
    rows: Sequence[int], verb: Literal["match", "drop"], *, to: str | None = None, reason: str, who: Who
) -> list[Decided]:
    """Decide whom these waiting rows are about: the entity with the code `to`, or nobody here. One decision per party.

    All rows of the same party that wait, or come later, follow it. Decisions are taken in one transaction; the rows follow
    in chunks, each one transaction, and the same call again goes on where it was cut off. Safe to repeat.

    Raises QueueRowNotFound, EntityNotFound, and DecisionRefused where another decision about a party stands, or a
    registration was to be matched.
    """
    why = _reason(reason)
    with ledger.writing(now=who.now, schemes=who.schemes) as pen:
        entity = entities.get(to) if verb == "match" and to is not None else None
        if verb == "match" and (entity is None or not who.sees(entity.division)):
            raise DecisionRefused("Say whom the rows are about: the credit code of an entity in your divisions.")
        parties: dict[str, Unmatched | Settled] = {}
        for number in rows:
            row = waiting_row(number, who.divisions) or _settled_row(number, who.divisions)
            if row is None:
                raise QueueRowNotFound(
                    f"No row {number} waits in the queue. `xinheng queue list` shows those that do; nothing was decided."
                )
            if verb == "match" and row.kind == "registration":
                raise DecisionRefused(
                    f"Row {number} is a registration: its own source says whom it is about. Correct it there and import it "
                    "again, merge the two entities, or drop it."
                )
            parties.setdefault(row.party, row)
        taken = [_take(pen, verb, row, entity, why, who) for row in parties.values()]
    return [Decided(one, said, _apply(one, who)) for one, said in taken]


def confirm(seqs: Sequence[int], *, reason: str, who: Who) -> list[Decided]:
    """Confirm that records which were attached by name alone are their entity's: they list and veto from now on.

    It is the decision that rows of their party are about that entity. Safe to repeat. Raises RecordNotFound, and
    DecisionRefused for a record that was not attached by name.
    """
    return _on_records(seqs, "match", reason, who)


def detach(seqs: Sequence[int], *, reason: str, who: Who) -> list[Decided]:
    """Take records away that were attached by name alone, as another party's: their rows wait in the queue again, once.

    It is the decision that rows of their party are not about that entity, whatever their name: those to come wait too.
    Safe to repeat. Raises RecordNotFound, and DecisionRefused for a record that was not attached by name.
    """
    return _on_records(seqs, "apart", reason, who)


def undo(number: int, *, reason: str, who: Who) -> Decided:
    """Take a decision back: rows that were stated by it are withdrawn and wait again, rows that it dropped too.

    Rows follow in chunks, each one transaction; the same call again goes on where it was cut off. Safe to repeat. Raises
    DecisionNotFound.
    """
    why = _reason(reason)
    with ledger.writing(now=who.now, schemes=who.schemes) as pen:
        decision = Decision.get_or_none(Decision.id == number)
        if decision is None or not _may(decision, who):
            raise DecisionNotFound(f"There is no decision {number}. `xinheng queue decisions` lists them.")
        fresh = decision.undone_at is None
        if fresh:
            decision.undone_at, decision.undone_by = who.now, who.actor
            decision.save()
            _record(pen, "undo", decision, why, who)
            execute(
                "UPDATE unmatched SET reason = 'not_registered' WHERE party = ? AND reason = ?",
                (decision.party, DETACHED),
            )
    moved = 0
    while True:
        with ledger.writing(now=who.now, schemes=who.schemes) as pen:
            sql = "SELECT identity FROM settled WHERE decision = ? ORDER BY id LIMIT ?"
            part = [one for (one,) in execute(sql, (number, CHUNK)).fetchall()]
            moved += settling.unsettle(pen, part, reason=None, because=f"Decision {number} was undone 撤销认定")
        if len(part) < CHUNK:
            return Decided(decision, "undone" if fresh or moved else "unchanged", moved)


def page(
    *, after: str | None = None, limit: int = 50, divisions: tuple[str, ...] = ("",), standing: bool = False
) -> Page[Decision]:
    """Decisions, newest first; with `standing` only those that were not undone."""
    query = Decision.select().order_by(Decision.id.desc())
    if standing:
        query = query.where(Decision.undone_at.is_null())
    query = in_query(query, Decision.division, divisions)
    if after is not None:
        query = query.where(Decision.id < cursor.decode(after, int)[0])
    found = list(query.limit(limit + 1))
    return Page(found[:limit], cursor.encode(found[limit - 1].id) if len(found) > limit else None)


def named(*, after: str | None = None, limit: int = 50, divisions: tuple[str, ...] = ("",)) -> Page[dict[str, object]]:
    """Current records that were attached by name alone, oldest first, with whether they count: those of entities in
    these divisions. One query."""
    last = 0 if after is None else cursor.decode(after, int)[0]
    mine = " OR ".join(["substr(e.division, 1, ?) = ?"] * len(divisions)) or "1 = 0"
    sql = (
        "SELECT r.seq, r.kind, r.happened_on, e.code, e.registration_no, e.name, s.party_name, u.why FROM record r "  # noqa: S608
        "JOIN settled s ON s.record = r.identity AND s.how = 'name' JOIN entity e ON e.id = r.entity_id "
        "LEFT JOIN uncounted u ON u.identity = r.identity WHERE r.matched = 'name' AND r.replaced_seq IS NULL "
        f"AND r.act <> 'withdraw' AND r.seq > ? AND ({mine}) ORDER BY r.seq LIMIT ?"
    )
    values = (last, *(value for prefix in divisions for value in (len(prefix), prefix)), limit + 1)
    rows: list[dict[str, object]] = [
        {"seq": seq, "kind": kind, "happened_on": None if day is None else str(day), "code": code or number, "name": name,
         "row_name": mask_personal(said), "counts": why is None}
        for seq, kind, day, code, number, name, said, why in execute(sql, values).fetchall()
    ]  # fmt: skip
    return Page(rows[:limit], cursor.encode(rows[limit - 1]["seq"]) if len(rows) > limit else None)


def waiting_row(number: int, divisions: tuple[str, ...] = ("",)) -> Unmatched | None:
    """The row that waits under this number, if it waits in one of these divisions."""
    row = Unmatched.get_or_none(Unmatched.id == number)
    return row if row is not None and queue.visible(row.division, divisions) else None


def _settled_row(number: int, divisions: tuple[str, ...]) -> Settled | None:
    """The row that waited under this number and was decided since: the same decision again is no news."""
    row = Settled.get_or_none((Settled.queue_id == number) & Settled.decision.is_null(False))
    return row if row is not None and queue.visible(row.division, divisions) else None


def _take(
    pen: Pen, verb: Verb, row: Unmatched | Settled, entity: Entity | None, why: str, who: Who
) -> tuple[Decision, Literal["decided", "unchanged"]]:
    standing = Decision.get_or_none((Decision.party == row.party) & Decision.undone_at.is_null())
    if standing is not None:
        if standing.verb == verb and (entity is None or aliases.root(standing.entity or 0) == entity.id):
            return standing, "unchanged"
        raise DecisionRefused(
            f"Decision {standing.id} ({standing.verb}) about this party stands. Undo it first: `xinheng queue undo "
            f"{standing.id} --reason …`.",
            decision=standing.id,
        )
    made = Decision.create(
        verb=verb, party=row.party, party_name=row.party_name, party_code=row.party_code, source=row.source,
        division=row.division, entity=None if entity is None else entity.id, decided_by=who.actor, decided_at=who.now,
        reason=why, seq=0,
    )  # fmt: skip
    made.seq = _record(pen, verb, made, why, who)
    made.save()
    return made, "decided"


def _record(pen: Pen, name: str, decision: Decision, why: str, who: Who) -> int:
    """Put a decision on record in the ledger and in the audit log. Never a name: it may be a person's."""
    detail = {"decision": decision.id, "verb": decision.verb, "source": decision.source, "reason": why}
    outcome = pen.step(
        name, about=decision.party, entity=decision.entity, key=[decision.id], on=who.today, detail=detail, by=who.actor
    )
    audit.note(f"queue.{name}", actor=who.actor, subject=f"decision {decision.id}", now=who.now, reason=why)
    return outcome.seq


def _apply(decision: Decision, who: Who) -> int:
    """Let the rows of the decision's party follow it, in chunks, each one transaction. How many left the queue or came back."""
    moved = 0
    while True:
        with ledger.writing(now=who.now, schemes=who.schemes) as pen:
            standing = Decision.get_or_none((Decision.id == decision.id) & Decision.undone_at.is_null())
            done = 0 if standing is None else _apply_some(pen, decision, who)
        moved += done
        if done == 0:
            return moved


def _apply_some(pen: Pen, decision: Decision, who: Who) -> int:
    verb = cast(Verb, decision.verb)
    named = list(
        Settled.select().where((Settled.party == decision.party) & (Settled.how == "name")).order_by(Settled.id).limit(CHUNK)
    )  # fmt: skip
    if named and decision.verb == "match":
        into = aliases.roots([row.entity or 0 for row in named])
        sure = [row for row in named if into.get(row.entity or 0, row.entity) == aliases.root(decision.entity or 0)]
        for row in sure:
            statement = queue.statement_of(row.kind, row.fields)
            other = queue.is_foreign(row.fields)
            pen.state([(row.entity or 0, statement)], source=row.source, matched=["person"], foreign=[other])
            execute("UPDATE settled SET how = 'person', decision = ? WHERE id = ?", (decision.id, row.id))
        named = [row for row in named if row not in sure]
        if sure:
            settling.unsettle(pen, [row.identity for row in named], reason=None, because=BECAUSE["match"])
            return len(sure)
    if named:
        reason = DETACHED if decision.verb == "apart" else None
        settling.unsettle(pen, [row.identity for row in named], reason=reason, because=BECAUSE[verb])
        return len(named)
    waiting = Unmatched.select().where(Unmatched.party == decision.party).order_by(Unmatched.id)
    if decision.verb == "apart":
        execute("UPDATE unmatched SET reason = ? WHERE party = ?", (DETACHED, decision.party))
        return 0
    rows = list(waiting.limit(CHUNK))
    if decision.verb == "drop":
        settling.settle(
            [queue.row_values(row) for row in rows], [("dropped", None, None, decision.id)] * len(rows), who.now
        )
        return len(rows)
    return queue.state_rows(
        pen,
        [(row, decision.entity or 0) for row in rows],
        matched="person",
        how="person",
        decision=decision.id,
        now=who.now,
    )


def _on_records(seqs: Sequence[int], verb: Verb, reason: str, who: Who) -> list[Decided]:
    why = _reason(reason)
    taken: dict[int, tuple[Decision, Literal["decided", "unchanged"]]] = {}
    with ledger.writing(now=who.now, schemes=who.schemes) as pen:
        for seq in seqs:
            decision, said = _on_record(pen, seq, verb, why, who)
            taken.setdefault(decision.id, (decision, said))
    return [Decided(one, said, _apply(one, who)) for one, said in taken.values()]


def _on_record(pen: Pen, seq: int, verb: Verb, why: str, who: Who) -> tuple[Decision, Literal["decided", "unchanged"]]:
    record = Record.get_or_none((Record.seq == seq) & (Record.act != "step"))
    entity = None if record is None or record.entity_id is None else Entity.get_by_id(record.entity_id)
    if record is None or entity is None or not who.sees(entity.division):
        raise RecordNotFound(f"The ledger has no record {seq}. `xinheng queue named` lists those attached by name.")
    row = Settled.get_or_none((Settled.record == record.identity) & (Settled.how == "name"))
    if row is not None:
        return _take(pen, verb, row, Entity.get_by_id(aliases.root(row.entity or 0)), why, who)
    # Once more what was done before is no news.
    again = Settled.get_or_none((Settled.record == record.identity) & Settled.decision.is_null(False))
    standing = None if again is None else Decision.get_by_id(again.decision)
    if verb == "match" and standing is not None and standing.undone_at is None:
        return standing, "unchanged"
    if verb == "apart" and record.matched == "name" and (found := _apart(record)) is not None:
        return found, "unchanged"
    if standing is not None:
        raise DecisionRefused(
            f"Record {seq} was attached by decision {standing.id}. Undo that: `xinheng queue undo {standing.id} --reason …`."
        )
    raise DecisionRefused(
        f"Record {seq} was not attached by its name alone: its row gave a number, or it was withdrawn. Who sent it corrects "
        "or withdraws it."
    )


def _apart(record: Record) -> Decision | None:
    """The decision by which a record that was attached by name was taken away: its row waits under that party."""
    apart = Decision.select().where(
        (Decision.verb == "apart") & Decision.undone_at.is_null() & (Decision.entity == aliases.root(record.entity_id))
    )
    for decision in apart:
        for row in Unmatched.select().where((Unmatched.party == decision.party) & (Unmatched.kind == record.kind)):
            said = queue.statement_of(row.kind, row.fields)
            content = sameness.content_of(said)
            if sameness.identity_of(said, record.entity_id, content, row.source) == record.identity:
                return decision
    return None


def _may(decision: Decision, who: Who) -> bool:
    return queue.visible(decision.division, who.divisions)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise DecisionRefused("A decision needs a reason: what shows whom the rows are about? Say it with --reason.")
    return mask_personal(reason.strip())[:500]


def as_dict(decision: Decision) -> dict[str, object]:
    """A decision as it may be shown."""
    entity = None if decision.entity is None else Entity.get_by_id(decision.entity)
    return {
        "id": decision.id, "verb": decision.verb, "name": mask_personal(decision.party_name),
        "code": mask_personal(decision.party_code), "source": decision.source, "division": decision.division,
        "to": None if entity is None else entity.code or entity.registration_no, "to_name": None if entity is None else entity.name,
        "reason": decision.reason, "decided_by": decision.decided_by, "decided_at": decision.decided_at, "seq": decision.seq,
        "undone_at": decision.undone_at, "undone_by": decision.undone_by,
    }  # fmt: skip


__all__ = [
    "Decided", "DecisionNotFound", "DecisionRefused", "QueueRowNotFound", "Verb", "Who", "as_dict", "confirm", "decide",
    "detach", "named", "page", "undo", "waiting_row",
]  # fmt: skip
