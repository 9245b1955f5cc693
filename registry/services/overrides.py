"""Overrides 人工认定: a class that a person sets in place of the scheme's, with reason, basis, end and a second person.

Proposed by one person, approved by another; from then on a step of the ledger says so, and the entity is graded with it at
once. It ends by itself on its day, or earlier by a step that says why. docs/overrides.md tells the whole.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast

from registry import clock, cursor, parameters
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.divisions import in_query
from registry.errors import RegistryError
from registry.models import Entity, GradeOverride
from registry.page import Page
from registry.services import audit, book, entities, frames, grading, ledger
from registry.services.ledger import Pen
from registry.services.life import SameHands
from registry.services.sameness import digest
from rules.errors import NotInForce

# The steps of the ledger. Their words never say the class; their detail is read here alone.
APPROVED, ENDED = "override_approved", "override_ended"
STATES = {"proposed": "待审批", "approved": "已审批", "refused": "不予认定", "ended": "提前终止"}
Standing = Literal["proposed", "refused", "ended", "coming", "in_force", "over"]
LONGEST_TEXT = 2_000


class OverrideNotFound(RegistryError):
    """There is no such override, or not in the divisions of who asks."""

    code = "override_not_found"
    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(
            f"There is no override {number}. `xinheng override list` and GET /api/v1/overrides show those that there are."
        )


class OverrideConflict(RegistryError):
    """What was asked for does not follow from where the override stands, or another one holds in the same days."""

    code = "override_conflict"
    status = 409


class OverrideRefused(RegistryError):
    """An override that may not be proposed or approved as it is."""

    code = "override_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, when, and under which settings."""

    settings: Settings
    actor: str
    today: date
    now: int


def propose(
    code: str,
    *,
    scheme: str,
    class_: str,
    reason: str,
    basis: str,
    from_on: date | None = None,
    until_on: date,
    desk: Desk,
) -> tuple[GradeOverride, bool]:
    """Propose a class for an entity under a scheme, from `from_on` (default: today) until before `until_on`.

    Nothing is in force before another person approves it. Safe to repeat: the same proposal of the same person is returned
    unchanged (second value False). Raises EntityNotFound, UnknownScheme; OverrideRefused for a class that the scheme does
    not have, an entity that it does not grade, empty words, or days beyond `registry/parameters/overrides.toml`;
    OverrideConflict where another proposal waits, or another override holds in the same days.
    """
    start = desk.today if from_on is None else from_on
    _read_ahead(desk, scheme)
    with ledger.writing(now=desk.now, schemes=()):
        entity = entities.get(code)
        said = (_words(reason, "reason", "what the scheme does not see"), _words(basis, "basis", "the instrument and article, or the decision"))  # fmt: skip
        _check_scheme(desk, scheme, class_, entity)
        _check_days(desk, start, until_on)
        asked = (entity.id, scheme, class_, *said, clock.day_number(start), clock.day_number(until_on), desk.actor)
        waiting = GradeOverride.get_or_none(
            (GradeOverride.entity == entity.id) & (GradeOverride.scheme == scheme) & (GradeOverride.state == "proposed")
        )
        if waiting is not None and asked == _asked(waiting):
            return waiting, False
        if waiting is not None:
            raise OverrideConflict(
                f"Override {waiting.id} of this entity under {scheme} waits to be decided. Approve or refuse that one first."
            )
        _no_other(entity.id, scheme, asked[5], asked[6])
        made = GradeOverride.create(
            entity=entity.id, scheme=scheme, class_=class_, reason=said[0], basis=said[1], from_day=asked[5], until_day=asked[6],
            state="proposed", proposed_by=desk.actor, proposed_at=desk.now,
        )  # fmt: skip
        audit.note("override.proposed", actor=desk.actor, subject=f"override {made.id}", now=desk.now)
        return made, True


def approve(number: int, *, said: str = "", desk: Desk) -> tuple[GradeOverride, bool]:
    """Approve a proposal as another person than proposed it: it holds from its first day on.

    The step, the row and the new grade under its scheme are one transaction; other schemes follow within a minute. Safe to
    repeat. Raises OverrideNotFound, SameHands; OverrideConflict where it was refused, ended, approved by somebody else, or
    where another one holds in the same days; OverrideRefused where its days are over or the scheme has lost the class.
    """
    _read_ahead(desk, get(number).scheme)
    with ledger.writing(now=desk.now, schemes=grading.schemes(desk.settings)) as pen:
        row = get(number)
        if row.state == "approved" and row.decided_by == desk.actor:
            return row, False
        _decidable(row, desk)
        if row.until_day <= clock.day_number(desk.today):
            raise OverrideRefused(
                f"Override {number} would have ended on {clock.day_of(row.until_day)}. Refuse it and propose a new one."
            )
        _check_scheme(desk, row.scheme, row.class_, Entity.get_by_id(row.entity))
        _no_other(row.entity, row.scheme, row.from_day, row.until_day)
        row.decided_by, row.decided_at, row.decided_why, row.state = desk.actor, desk.now, _short(said), "approved"
        row.known = _step(pen, APPROVED, row, _told(row), desk)
        row.save()
        _regrade(pen, row, desk)
        return row, True


def refuse(number: int, *, why: str, desk: Desk) -> tuple[GradeOverride, bool]:
    """Refuse a proposal, as another person than proposed it. Safe to repeat. Raises as :func:`approve`."""
    with ledger.writing(now=desk.now, schemes=()):
        row = get(number)
        if row.state == "refused" and row.decided_by == desk.actor:
            return row, False
        _decidable(row, desk)
        row.decided_by, row.decided_at, row.state = desk.actor, desk.now, "refused"
        row.decided_why = _words(why, "reason", "why the class stays the scheme's")
        row.save()
        audit.note("override.refused", actor=desk.actor, subject=f"override {number}", now=desk.now)
        return row, True


def end(number: int, *, why: str, desk: Desk) -> tuple[GradeOverride, bool]:
    """End an approved override before its day: from now on the class is the scheme's again.

    One transaction with the new grade. Safe to repeat. Raises OverrideNotFound; OverrideConflict for one that is not
    approved or has ended by itself; SameHands for who proposed it.
    """
    _read_ahead(desk, get(number).scheme)
    with ledger.writing(now=desk.now, schemes=grading.schemes(desk.settings)) as pen:
        row = get(number)
        if row.state == "ended":
            return row, False
        if row.state != "approved":
            raise OverrideConflict(f"Override {number} is {row.state}, and only an approved one can be ended.")
        if row.until_day <= clock.day_number(desk.today):
            raise OverrideConflict(f"Override {number} ended by itself on {clock.day_of(row.until_day)}.")
        if row.proposed_by == desk.actor:
            raise SameHands(f"{desk.actor} proposed override {number}. Another person ends it.")
        row.ended_by, row.ended_at, row.state = desk.actor, desk.now, "ended"
        row.ended_why = _words(why, "reason", "why it ends before its day")
        row.gone = _step(pen, ENDED, row, {"override": row.id, "why": row.ended_why}, desk)
        row.save()
        _regrade(pen, row, desk)
        return row, True


def get(number: int) -> GradeOverride:
    """One override by its number. Raises OverrideNotFound."""
    found = GradeOverride.get_or_none(GradeOverride.id == number)
    if found is None:
        raise OverrideNotFound(number)
    assert isinstance(found, GradeOverride)
    return found


def standing(row: GradeOverride, today: date) -> Standing:
    """Where an override stands on a day: an approved one is `coming`, `in_force` or, past its last day, `over`."""
    if row.state != "approved":
        return cast(Standing, row.state)
    day = clock.day_number(today)
    return "coming" if day < row.from_day else "in_force" if day < row.until_day else "over"


def page(
    *, state: str = "", scheme: str = "", entity: int | None = None, divisions: Sequence[str] = ("",), after: str | None = None,
    limit: int = 50,
) -> Page[tuple[GradeOverride, Entity]]:  # fmt: skip
    """Overrides with the entities that they are about, newest first, in divisions with these prefixes. One query."""
    query = GradeOverride.select(GradeOverride, Entity).join(
        Entity, on=(Entity.id == GradeOverride.entity), attr="party"
    )
    for column, value in ((GradeOverride.state, state), (GradeOverride.scheme, scheme), (GradeOverride.entity, entity)):
        if value not in (None, ""):
            query = query.where(column == value)
    query = in_query(query, Entity.division, divisions)
    if after is not None:
        query = query.where(GradeOverride.id < cursor.decode(after, int)[0])
    rows: list[Any] = list(query.order_by(GradeOverride.id.desc()).limit(limit + 1))
    items = [(row, row.party) for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def as_dict(row: GradeOverride, party: Entity, today: date) -> dict[str, Any]:
    """An override as readers of grades see it."""
    return {
        "id": row.id, "code": party.code or party.registration_no or "", "name": party.name, "scheme": row.scheme,
        "class": row.class_, "reason": row.reason, "basis": row.basis, "from": clock.day_of(row.from_day).isoformat(),
        "until": clock.day_of(row.until_day).isoformat(), "state": row.state, "standing": standing(row, today),
        "proposed_by": row.proposed_by, "proposed_at": clock.moment_text(row.proposed_at), "decided_by": row.decided_by,
        "decided_at": None if row.decided_at is None else clock.moment_text(row.decided_at), "decided_why": row.decided_why,
        "seq": row.known, "ended_by": row.ended_by,
        "ended_at": None if row.ended_at is None else clock.moment_text(row.ended_at), "ended_why": row.ended_why,
        "ended_seq": row.gone,
    }  # fmt: skip


# Names in the detail of a step → columns of the table.
COLUMNS = {
    "scheme": "scheme", "class": "class", "reason": "reason", "basis": "basis", "from_day": "from_day", "until_day": "until_day",
    "proposed_by": "proposed_by", "proposed_at": "proposed_at", "said": "decided_why",
}  # fmt: skip


def _told(row: GradeOverride) -> dict[str, Any]:
    columns = {name: getattr(row, "class_" if column == "class" else column) for name, column in COLUMNS.items()}
    return {"override": row.id, **columns}


def about(number: int) -> str:
    """What the steps of an override are about: known by its number, like the steps of entities by theirs."""
    return digest(["override", number])


def _step(pen: Pen, name: str, row: GradeOverride, detail: dict[str, Any], desk: Desk) -> int:
    outcome = pen.step(
        name, about=about(row.id), entity=row.entity, key=[row.id], on=desk.today, detail=detail, by=desk.actor
    )
    audit.note(name.replace("_", "."), actor=desk.actor, subject=f"override {row.id}", now=desk.now, seq=outcome.seq)
    return outcome.seq


def _regrade(pen: Pen, row: GradeOverride, desk: Desk) -> None:
    pen.touched[row.entity] = pen.seq
    pen.flush()
    scheme = book.in_force(desk.settings, row.scheme, on=desk.today)
    grading.one(scheme, [row.entity], day=desk.today, now=lambda: desk.now)


def _read_ahead(desk: Desk, scheme: str) -> None:
    """Read and compile the scheme before the ledger is held, which then finds it read: the first time takes a second."""
    if scheme in grading.schemes(desk.settings):
        found = book.in_force(desk.settings, scheme, on=desk.today)
        for one in (found, *found.inner.values()):
            for subject in one.subjects:
                with suppress(NotInForce):
                    one.compiled(subject, one.epoch(clock.day_number(desk.today)))


def _check_scheme(desk: Desk, scheme: str, class_: str, entity: Entity) -> None:
    graded = [one for one in grading.schemes(desk.settings) if not one.startswith(book.SHADOW)]
    if scheme not in graded:
        raise OverrideRefused(f"No scheme {scheme!r} grades here. Schemes that do: {', '.join(graded)}.")
    found = book.in_force(desk.settings, scheme, on=desk.today)
    if class_ not in found.classes:
        raise OverrideRefused(
            f"{scheme} has no class {class_!r}. Its classes, from the best: {', '.join(found.classes)}."
        )
    if frames.not_gradable([entity.id], found.subjects):
        raise OverrideRefused(
            f"{scheme} does not grade {entity.code or entity.registration_no}: it is not registered, cancelled, merged, or of "
            "another kind. Only a grade that stands can be set."
        )


def _check_days(desk: Desk, start: date, until: date) -> None:
    longest = parameters.shipped("overrides")["longest_days"].on(desk.today).value
    if start < desk.today:
        raise OverrideRefused(
            f"It would begin on {start}, before today ({desk.today}): what was graded is not set anew."
        )
    if until <= start:
        raise OverrideRefused(f"`until` ({until}) is the first day without it, and must lie after `from` ({start}).")
    if (until - desk.today).days > longest:
        raise OverrideRefused(
            f"It would end on {until}, {(until - desk.today).days} days from today; at most {longest} are allowed. Propose it again "
            "when it ends, if its reason still holds."
        )


def _no_other(entity: int, scheme: str, start: int, until: int) -> None:
    other = GradeOverride.get_or_none(
        (GradeOverride.entity == entity)
        & (GradeOverride.scheme == scheme)
        & (GradeOverride.state == "approved")
        & (GradeOverride.from_day < until)
        & (GradeOverride.until_day > start)
    )
    if other is not None:
        raise OverrideConflict(
            f"Override {other.id} of this entity under {scheme} holds from {clock.day_of(other.from_day)} until "
            f"{clock.day_of(other.until_day)}. End it first, or begin on its last day."
        )


def _decidable(row: GradeOverride, desk: Desk) -> None:
    if row.state != "proposed":
        raise OverrideConflict(f"Override {row.id} is {row.state} already; only a proposal can be decided.")
    if row.proposed_by == desk.actor:
        raise SameHands(f"{desk.actor} proposed override {row.id}. Another person decides it.")


def _asked(row: GradeOverride) -> tuple[Any, ...]:
    return (
        row.entity, row.scheme, row.class_, row.reason, row.basis, row.from_day, row.until_day, row.proposed_by
    )  # fmt: skip


def _words(text: str, name: str, what: str) -> str:
    if not text.strip():
        raise OverrideRefused(f"The {name} is missing. Say {what}.")
    return _short(text)


def _short(text: str) -> str:
    return mask_personal(text.strip())[:LONGEST_TEXT]


__all__ = [
    "STATES", "Desk", "OverrideConflict", "OverrideNotFound", "OverrideRefused", "approve", "as_dict", "end", "get",
    "page", "propose", "refuse", "standing",
]  # fmt: skip
