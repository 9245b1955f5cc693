"""What a party asks for about a record 当事人申请: an objection 异议 or a repair 信用修复, and what both have in common.

One is open at a time. It is accepted or turned away first, then decided, by the organ of the record and never by who sent it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from peewee import Case

from registry import cursor
from registry.database import dicts
from registry.errors import BadCursor, RegistryError
from registry.kinds.codes import Label
from registry.models import Entity, Record
from registry.page import Page
from registry.services import answers, audit, life, workdays
from registry.services.ledger import Outcome, Pen
from registry.services.life import Change, Target, WrongState
from registry.services.step_words import both


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of application.

    name : of its table, its steps and its audit entries, its commands, and with an s of its paths
    first : state in which it begins; accepted, it is open still
    due : column of the day by which one that was accepted is decided
    decided : the word for its decision
    busy, did, whose : why no second one is taken; what its applicant did; which organ has it
    """

    name: str
    model: type[Any]
    states: dict[str, Label]
    missing: type[RegistryError]
    first: str
    due: str
    decided: str
    busy: str
    did: str
    whose: str

    @property
    def open(self) -> tuple[str, str]:
        return (self.first, "accepted")


def about(seq: int, kind: str, entities: Collection[int] | None) -> Target:
    """The record that is asked about, as it stands. Raises RecordNotFound, RecordConflict.

    `entities` is the enterprise itself where it comes itself: to it there is no record but its own.
    """
    target = life.current(seq, kind=kind)
    if entities is not None and target.entity.id not in entities:
        raise life.absent(seq, target.kind)
    life.alive(target)
    return target


def open_one(sort: Sort, target: Target, actor: str) -> dict[str, Any] | None:
    """The one that the same applicant has open about this record. Raises WrongState where another's is open."""
    model = sort.model
    found = model.get_or_none((model.identity == target.identity) & model.state.in_(sort.open))
    if found is None:
        return None
    if found.applicant != actor[:64]:
        what = f"{sort.name.capitalize()} {found.id} {sort.busy}"
        raise WrongState(what, **{sort.name: found.id})
    return get(sort, found.id)


def begin(
    pen: Pen, sort: Sort, target: Target, values: Mapping[str, Any], *, within: int, by: str, on: date, now: int
) -> dict[str, Any]:
    """Put a new one on record, to be accepted or turned away `within` so many working days, and return it."""
    whole = {
        "state": sort.first, "applicant": by[:64], "accept_by": workdays.due(on, within), "accepted_on": None, sort.due: None,
        "closed_on": None, "answer": "", **values,
    }  # fmt: skip
    done = life.step(pen, sort.name, target, [Change(sort.name, {"id": None}, whole)], on=on, by=by)
    audit.note(f"{sort.name}.{sort.first}", actor=by, subject=f"{sort.name} {done.seq}", now=now, record=target.seq)
    return get(sort, done.seq)


def taken_up(sort: Sort, number: int, organ: str | None, actor: str) -> tuple[dict[str, Any], Target]:
    """One that somebody is to answer, and its record as it stands. Raises what is missing, SameHands for its applicant."""
    found = get(sort, number)
    (target,) = life.targets(identities=[found["identity"]])
    if organ is not None and target.organ != organ:
        raise sort.missing(f"{organ} has no {sort.name} {number}. {sort.whose}")
    life.two_keys(actor, [found["applicant"]], what="decide on it", did=sort.did)
    return found, target


def must_be_new(sort: Sort, found: Mapping[str, Any]) -> None:
    """Raise WrongState where it was accepted or turned away before."""
    if found["state"] != sort.first:
        raise WrongState(
            f"{sort.name.capitalize()} {found['id']} is {both(sort.states, found['state'])} already; it was to be accepted before that."
        )


def must_be_accepted(sort: Sort, found: Mapping[str, Any]) -> None:
    """Raise WrongState, with how to accept it, unless it was accepted and is not decided yet."""
    if found["state"] != "accepted":
        number = found["id"]
        raise WrongState(
            f"{sort.name.capitalize()} {number} is {both(sort.states, found['state'])}; only one that was accepted is {sort.decided}. "
            f"Accept it first: `xinheng {sort.name} accept {number}`, or POST /api/v1/{sort.name}s/{number}/acceptance."
        )


def put(
    pen: Pen, sort: Sort, step: str, target: Target, number: int, values: Mapping[str, Any], more: Sequence[Change] = (), *,
    on: date, by: str, now: int, reason: str, **said: Any,
) -> Outcome:  # fmt: skip
    """Put its next state on record: one step of the ledger, which `more` changes go with, and an audit entry."""
    changes = [Change(sort.name, {"id": number}, dict(values)), *more]
    done = life.step(pen, step, target, changes, on=on, by=by, reason=reason, **said)
    audit.note(f"{sort.name}.{values['state']}", actor=by, subject=f"{sort.name} {number}", now=now, by=done.seq)
    return done


def get(sort: Sort, number: int) -> dict[str, Any]:
    """One of them, with what its newest step says of its document (see `answers.of`). Raises what is missing."""
    found = sort.model.get_or_none(sort.model.id == number)
    if found is None:
        raise sort.missing(
            f"There is no {sort.name} {number}. `xinheng {sort.name} list` (GET /api/v1/{sort.name}s) lists those that are open."
        )
    return dict(found.__data__) | answers.of(found.seq)


def page(
    sort: Sort, *, organ: str | None, divisions: Sequence[str], today: date, after: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Those that are open, of an organ's records in these divisions, by the day on which the next step is due: before
    acceptance `accept_by`, after it `due`. So what is overdue stands on top. One query. Raises BadCursor."""
    model = sort.model
    due = Case(None, [(model.accepted_on.is_null(), model.accept_by)], getattr(model, sort.due))
    query = (
        model.select(model, due.alias("due_on"), Record.seq.alias("record"), Record.kind, Record.document_no, Record.organ,
                     Entity.code, Entity.registration_no)
        .join(Record, on=(Record.identity == model.identity) & Record.replaced_seq.is_null())
        .join(Entity, on=(Entity.id == model.entity))
        .where(model.state.in_(sort.open))
    )  # fmt: skip
    if organ is not None:
        query = query.where(Record.organ == organ)
    if "" not in divisions:
        near = Entity.division.startswith(divisions[0])
        for prefix in divisions[1:]:
            near = near | Entity.division.startswith(prefix)
        query = query.where(near)
    if after is not None:
        day, last = cursor.decode(after, str, int)
        try:
            from_day = date.fromisoformat(str(day))
        except ValueError as error:
            raise BadCursor("The page token `after` is damaged. Start again without it.") from error
        query = query.where((due > from_day) | ((due == from_day) & (model.id > last)))
    rows = dicts(query.order_by(due, model.id).limit(limit + 1))
    more, rows = len(rows) > limit, rows[:limit]
    for row in rows:
        row["due_on"] = _as_day(row["due_on"])
        row["overdue"] = row["due_on"] < today
    return Page(rows, cursor.encode(rows[-1]["due_on"].isoformat(), rows[-1]["id"]) if more else None)


def _as_day(value: Any) -> date:
    # Of an expression SQLite hands over the text.
    return value if isinstance(value, date) else date.fromisoformat(value)
