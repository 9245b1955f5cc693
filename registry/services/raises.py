"""Raises by one class 类别上调: suggested by a model, counted once a ledger step says so, never for long, never for the better.

The champion suggests (`raise_suggesting`), an officer confirms or dismisses; where the scheme says `raises = "automatic"` it
counts at once. It ends by itself on its day, by an officer, when its model retires, and when models are switched off: each
early end is a step too, so that every past grade still reproduces. docs/leash.md tells the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

import polars as pl

from registry import clock, cursor, parameters
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import execute, is_postgres, write
from registry.divisions import in_query
from registry.errors import RegistryError
from registry.models import Entity, GradeRaise, Model
from registry.page import Page
from registry.services import audit, frames, given, grading, ledger, models
from registry.services.ledger import Pen
from registry.services.overrides import Desk
from registry.services.sameness import digest
from rules.engine import facts_needed, grade

# The steps of the ledger. Their detail is read here alone, and no timeline tells of them: a raised class is not the best.
CONFIRMED, ENDED = "raise_confirmed", "raise_ended"
STATES = {
    "suggested": "待确认", "confirmed": "已上调", "dismissed": "不予上调", "lapsed": "已失效", "ended": "提前终止",
}  # fmt: skip
Standing = Literal["suggested", "dismissed", "lapsed", "ended", "in_force", "over"]
STANDING = ("suggested", "confirmed")
LONGEST_TEXT = 2_000
# Who acts where no person does.
SYSTEM = "system:raises"
SWITCHED_OFF = '[model] use = "off" 已停用模型'
PARAMETERS = parameters.shipped("model")
# Raises that are ended, or confirmed without an officer, in one transaction: each grades its entity.
BATCH = 10
# Suggestions that lapse in one transaction.
ROWS = 1_000


class RaiseNotFound(RegistryError):
    """There is no such raise, or not in the divisions of who asks."""

    code = "raise_not_found"
    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(
            f"There is no raise {number}. `xinheng raise list` and GET /api/v1/raises show those that there are."
        )


class RaiseConflict(RegistryError):
    """What was asked for does not follow from where the raise stands."""

    code = "raise_conflict"
    status = 409


class RaiseRefused(RegistryError):
    """A raise that may not count: without a reason, against a veto or a person, beyond the worst class, or of no champion."""

    code = "raise_refused"
    status = 422


def confirm(number: int, *, why: str, desk: Desk) -> tuple[GradeRaise, bool]:
    """Let a suggested raise count from today on, for `raise_days`: the class is one step worse than the rules give.

    The step, the row and the new grade under its scheme are one transaction; other schemes follow within a minute. Safe to
    repeat (second value False). Raises RaiseNotFound; RaiseConflict for one that does not wait any more; RaiseRefused without
    a reason, while models are switched off, for the suggestion of another model than the champion, and where a veto, a person
    or the worst class leaves nothing to raise.
    """
    ahead = get(number)
    # Worked out before the ledger is held, which also reads and compiles the scheme: the first time takes a second.
    found = outcomes(desk.settings, ahead.scheme, [ahead.entity], today=desk.today).get(ahead.entity)
    with ledger.writing(now=desk.now, schemes=grading.schemes(desk.settings)) as pen:
        row = _locked(number)
        if row.state == "confirmed" and row.decided_by == desk.actor:
            return row, False
        _waits(row, desk.today)
        said = _words(why, "why the class is raised")
        _by_the_champion(row, desk.settings)
        _is_free(row, found)
        count(pen, row, by=desk.actor, why=said, today=desk.today, now=desk.now)
        regrade(pen, desk.settings, row.scheme, [row.entity], today=desk.today, now=desk.now)
        return row, True


def dismiss(number: int, *, why: str, desk: Desk) -> tuple[GradeRaise, bool]:
    """Leave the class as it is; for `dismissed_days` nothing is suggested of this entity again. Safe to repeat.

    Raises RaiseNotFound; RaiseConflict for one that does not wait any more; RaiseRefused without a reason.
    """
    with ledger.writing(now=desk.now, schemes=()):
        row = _locked(number)
        if row.state == "dismissed" and row.decided_by == desk.actor:
            return row, False
        _waits(row, desk.today)
        row.decided_why = _words(why, "why the class stays what it is")
        row.state, row.decided_by, row.decided_at = "dismissed", desk.actor, desk.now
        row.save()
        audit.note("raise.dismissed", actor=desk.actor, subject=f"raise {number}", now=desk.now)
        return row, True


def end(number: int, *, why: str, desk: Desk) -> tuple[GradeRaise, bool]:
    """End a raise before its day: from now on the class is the rules' again, and nothing is suggested for `dismissed_days`.

    One transaction with the new grade. Safe to repeat. Raises RaiseNotFound; RaiseConflict for one that does not hold;
    RaiseRefused without a reason.
    """
    with ledger.writing(now=desk.now, schemes=grading.schemes(desk.settings)) as pen:
        row = _locked(number)
        if row.state == "ended":
            return row, False
        if standing(row, desk.today) != "in_force":
            raise RaiseConflict(
                f"Raise {number} is {standing(row, desk.today)}, and only one in force can be ended. A suggestion is dismissed: "
                f"`xinheng raise dismiss {number} --reason …`."
            )
        said = _words(why, "why it ends before its day")
        _end(pen, row, by=desk.actor, why=said, today=desk.today, now=desk.now)
        regrade(pen, desk.settings, row.scheme, [row.entity], today=desk.today, now=desk.now)
        return row, True


def end_all_of(model: Model, why: str, *, settings: Settings, now: int) -> int:
    """End everything that a model has suggested and that still stands; returns how many raises in force ended.

    What counted ends by a step each and is graded anew, in short transactions; what waited lapses. Safe to repeat: what was
    cut off goes on.
    """
    today = today_at(now, settings)
    while waiting := [row.id for row in _standing_of(model, "suggested", ROWS)]:
        with write():
            # Only what waits still: an officer may have confirmed one meanwhile, and that ends by its step below.
            lapsed = lapse(waiting, why, now)
            audit.note("raise.lapsed", actor=SYSTEM, subject=f"model {model.id}", now=now, number=lapsed)
    done = 0
    while counted := _standing_of(model, "confirmed", BATCH):
        with ledger.writing(now=now, schemes=grading.schemes(settings)) as pen:
            # Read again under the lock: an officer may have ended one.
            rows = [_locked(row.id) for row in counted]
            held = [row for row in rows if row.state == "confirmed"]
            for row in held:
                if standing(row, today) == "over":
                    row.state = "lapsed"
                    row.save()
                else:
                    _end(pen, row, by=SYSTEM, why=why[:LONGEST_TEXT], today=today, now=now)
                    done += 1
            for scheme in sorted({row.scheme for row in held}):
                ended = [row.entity for row in held if row.scheme == scheme and row.state == "ended"]
                if ended:
                    regrade(pen, settings, scheme, ended, today=today, now=now)
    return done


def lapse(numbers: Sequence[int], why: str, now: int) -> int:
    """Let those of these suggestions lapse that wait still; returns how many. Inside a transaction."""
    waits = GradeRaise.id.in_(list(numbers)) & (GradeRaise.state == "suggested")
    said = {"state": "lapsed", "ended_by": SYSTEM, "ended_at": now, "ended_why": why[:LONGEST_TEXT]}
    return int(GradeRaise.update(said).where(waits).execute())


def settle(settings: Settings, now: int) -> int:
    """End what may not stand any more, and return how many raises in force ended: all while `[model] use` is off, else those of
    models that are not the champion any more. What is over by its day, or waited for too long, lapses.

    For the start of the worker and every grading run. Safe to repeat; where nothing stands, one query.
    """
    rows = execute("SELECT DISTINCT model_id FROM grade_raise WHERE state IN ('suggested', 'confirmed')").fetchall()
    if not rows:
        return 0
    day = clock.day_number(today_at(now, settings))
    with write():
        execute(
            "UPDATE grade_raise SET state = 'lapsed' WHERE state IN ('suggested', 'confirmed') AND until_day <= ?",
            (day,),
        )
    done = 0
    for model in Model.select().where(Model.id.in_([row[0] for row in rows])).order_by(Model.id):
        if settings.model.use == "off":
            done += end_all_of(model, SWITCHED_OFF, settings=settings, now=now)
        elif model.state != "champion":
            done += end_all_of(
                model, model.retired_why or f"Model {model.id} is {model.state}", settings=settings, now=now
            )
    return done


@dataclass(frozen=True, slots=True)
class Outcome:
    """What rules and persons say of an entity today, whether that is the worst class, and what decided it ("": points)."""

    class_: str
    worst: bool
    decided_by: str


def outcomes(settings: Settings, name: str, entities: Sequence[int], *, today: date) -> dict[int, Outcome]:
    """How these entities are graded under a scheme today, by what is known now; who is not graded is left out. Reads only."""
    scheme = grading.scheme_named(settings, name, today)
    known, day = ledger.head(), clock.day_number(today)
    population = frames.population_of(entities, known).filter(pl.col("subject").is_in(scheme.subjects))
    asked = population["entity"].to_list()
    facts = frames.facts_of(asked, facts_needed(scheme), known)
    beside = given.about(scheme, asked, known=known, day=day)
    graded = grade(
        population.with_columns(day=pl.lit(day, pl.Int32)), facts, frames.coverage(known), scheme, beside
    )  # fmt: skip
    return {
        entity: Outcome(class_, class_ == scheme.classes[-1], decided or "")
        for entity, class_, decided in graded.select("entity", "class", "decided_by").iter_rows()
    }


def why_not(found: Outcome | None) -> Literal["", "not_graded", "veto", "override", "raised", "worst"]:
    """Why nothing may be raised where an entity so stands; empty where it may."""
    if found is None:
        return "not_graded"
    for word, reason in (("veto:", "veto"), ("override:", "override"), ("raise:", "raised")):
        if found.decided_by.startswith(word):
            return cast(Literal["veto", "override", "raised"], reason)
    return "worst" if found.worst else ""


def count(pen: Pen, row: GradeRaise, *, by: str, why: str, today: date, now: int) -> None:
    """Let a raise count from today on, inside the transaction of the pen."""
    row.state, row.decided_by, row.decided_at, row.decided_why = "confirmed", by, now, why
    row.from_day = clock.day_number(today)
    row.until_day = row.from_day + PARAMETERS["raise_days"].on(today).value
    row.known = _step(pen, CONFIRMED, row, _told(row), by=by, today=today, now=now)
    row.save()


def regrade(pen: Pen, settings: Settings, scheme: str, entities: Sequence[int], *, today: date, now: int) -> None:
    """Grade these entities with what the pen has just said, in its transaction."""
    for entity in entities:
        pen.touched[entity] = pen.seq
    pen.flush()
    if scheme in grading.schemes(settings, today):
        grading.one(grading.scheme_named(settings, scheme, today), entities, day=today, now=lambda: now)


# --- reading -------------------------------------------------------------------------------------------------------


def get(number: int) -> GradeRaise:
    """One raise by its number, with its model. Raises RaiseNotFound."""
    found = GradeRaise.select(GradeRaise, *_OF_MODEL).join(Model).where(GradeRaise.id == number).first()
    if found is None:
        raise RaiseNotFound(number)
    assert isinstance(found, GradeRaise)
    return found


def standing(row: GradeRaise, today: date) -> Standing:
    """Where a raise stands on a day: one that counted is `in_force` or, from its `until` on, `over`."""
    if row.state == "confirmed" or (row.state == "lapsed" and row.known is not None):
        return "in_force" if row.state == "confirmed" and clock.day_number(today) < row.until_day else "over"
    return cast(Standing, row.state)


def page(
    *, state: str = "", scheme: str = "", entity: int | None = None, divisions: Sequence[str] = ("",), after: str | None = None,
    limit: int = 50,
) -> Page[tuple[GradeRaise, Entity]]:  # fmt: skip
    """Raises with the entities that they are about, newest first, in divisions with these prefixes. One query."""
    query = (
        GradeRaise.select(GradeRaise, Entity, *_OF_MODEL)
        .join(Model)
        .switch(GradeRaise)
        .join(Entity, on=(Entity.id == GradeRaise.entity), attr="party")
    )
    for column, value in ((GradeRaise.state, state), (GradeRaise.scheme, scheme), (GradeRaise.entity, entity)):
        if value not in (None, ""):
            query = query.where(column == value)
    query = in_query(query, Entity.division, divisions)
    if after is not None:
        query = query.where(GradeRaise.id < cursor.decode(after, int)[0])
    rows: list[Any] = list(query.order_by(GradeRaise.id.desc()).limit(limit + 1))
    items = [(row, row.party) for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def as_dict(row: GradeRaise, party: Entity, today: date) -> dict[str, Any]:
    """A raise as readers of grades see it. `class` is what the rules gave when it was suggested, `chance` in millionths."""
    return {
        "id": row.id, "code": party.code or party.registration_no or "", "name": party.name, "scheme": row.scheme,
        "class": row.class_, "chance": row.chance, "reasons": row.reasons, "model": row.model.name, "model_hash": row.model.hash,
        "from": clock.day_of(row.from_day).isoformat(), "until": clock.day_of(row.until_day).isoformat(), "state": row.state,
        "standing": standing(row, today), "automatic": row.automatic, "suggested_at": clock.moment_text(row.suggested_at),
        "decided_by": row.decided_by, "decided_at": _moment(row.decided_at), "decided_why": row.decided_why, "seq": row.known,
        "ended_by": row.ended_by, "ended_at": _moment(row.ended_at), "ended_why": row.ended_why, "ended_seq": row.gone,
    }  # fmt: skip


def today_at(now: int, settings: Settings) -> date:
    """The day of a moment (milliseconds UTC) where the registry works."""
    return datetime.fromtimestamp(now / 1000, ZoneInfo(settings.jobs.timezone)).date()


_OF_MODEL = (Model.id, Model.name, Model.hash, Model.state)
# Names in the detail of a step → columns of the table.
COLUMNS = {
    "scheme": "scheme", "chance": "chance", "class": "class", "reasons": "reasons", "from_day": "from_day", "until_day": "until_day",
    "automatic": "automatic", "suggested_at": "suggested_at", "said": "decided_why",
}  # fmt: skip


def about(number: int) -> str:
    """What the steps of a raise are about: known by its number, like the steps of overrides by theirs."""
    return digest(["raise", number])


def _told(row: GradeRaise) -> dict[str, Any]:
    columns = {name: getattr(row, "class_" if column == "class" else column) for name, column in COLUMNS.items()}
    return {"raise": row.id, "model": row.model.hash, **columns}


def _end(pen: Pen, row: GradeRaise, *, by: str, why: str, today: date, now: int) -> None:
    row.state, row.ended_by, row.ended_at, row.ended_why = "ended", by, now, why
    row.gone = _step(pen, ENDED, row, {"raise": row.id, "why": why}, by=by, today=today, now=now)
    row.save()


def _step(
    pen: Pen, name: str, row: GradeRaise, detail: dict[str, Any], *, by: str, today: date, now: int
) -> int:  # fmt: skip
    outcome = pen.step(name, about=about(row.id), entity=row.entity, key=[row.id], on=today, detail=detail, by=by)
    audit.note(name.replace("_", "."), actor=by, subject=f"raise {row.id}", now=now, seq=outcome.seq)
    return outcome.seq


def _locked(number: int) -> GradeRaise:
    """The raise, held until the transaction ends: a job that lets suggestions lapse waits, and then finds its new state."""
    if is_postgres():
        execute("SELECT 1 FROM grade_raise WHERE id = ? FOR UPDATE", (number,))
    return get(number)


def _standing_of(model: Model, state: str, limit: int) -> list[GradeRaise]:
    query = GradeRaise.select().where((GradeRaise.model == model.id) & (GradeRaise.state == state))
    return list(query.order_by(GradeRaise.id).limit(limit))


def _waits(row: GradeRaise, today: date) -> None:
    if row.state != "suggested":
        raise RaiseConflict(f"Raise {row.id} is {standing(row, today)} already; only a suggestion can be decided.")
    if row.until_day <= clock.day_number(today):
        raise RaiseConflict(
            f"Raise {row.id} waited until {clock.day_of(row.until_day)} and lapsed. Where its reason still holds, the model "
            "suggests it again."
        )


def _by_the_champion(row: GradeRaise, settings: Settings) -> None:
    if settings.model.use == "off":
        raise RaiseRefused(f'Models are switched off here ([model] use = "off"): raise {row.id} cannot count.')
    found = models.champion(row.scheme, settings)
    if found is None or found.id != row.model.id or not models.still(found):
        raise RaiseRefused(
            f"Raise {row.id} was suggested by model {row.model.hash[:12]}, which is not in use any more. Dismiss it, or let it lapse."
        )


_NOTHING_TO_RAISE = {
    "not_graded": "the entity is not graded any more",
    "veto": "a veto has decided its class, and nothing acts against a veto",
    "override": "a person has set its class; end that override first",
    "raised": "its class is raised already",
    "worst": "it is in the worst class already",
}


def _is_free(row: GradeRaise, found: Outcome | None) -> None:
    why = why_not(found)
    if why:
        raise RaiseRefused(
            f"Raise {row.id} has nothing to raise: {_NOTHING_TO_RAISE[why]}. Dismiss it, or let it lapse."
        )


def _words(text: str, what: str) -> str:
    if not text.strip():
        raise RaiseRefused(f"The reason is missing. Say {what}.")
    return mask_personal(text.strip())[:LONGEST_TEXT]


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else clock.moment_text(milliseconds)


__all__ = [
    "STATES", "SYSTEM", "Desk", "RaiseConflict", "RaiseNotFound", "RaiseRefused", "as_dict", "confirm", "count", "dismiss", "end",
    "end_all_of", "get", "lapse", "outcomes", "page", "regrade", "settle", "standing", "today_at", "why_not",
]  # fmt: skip
