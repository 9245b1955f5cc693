"""Reminders of anniversaries 列入届满提醒: sixty days before a listing is three years old, or its term ends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from registry import clock, cursor
from registry.database import execute, in_slices, write
from registry.errors import BadCursor
from registry.kinds.serious_listing import TERM_YEARS
from registry.models import Entity, Record, Reminder
from registry.page import Page
from registry.services import ledger, listing_cases, listings, serious_list
from registry.services.documents import Desk

KINDS = {"abnormal": 3, "serious": 4}
CHUNK = 200
# A leap day may move an anniversary by one day against a count of days.
SLACK = 2


@dataclass(frozen=True, slots=True)
class Due:
    """A listing that stands, and the day on which it is three years old or its term ends."""

    list: str
    record: Record
    due_on: date


@dataclass(frozen=True, slots=True)
class Shown:
    """A reminder with its party and how many days are left (below zero: the day is past)."""

    reminder: Reminder
    party: Entity
    seq: int
    days_left: int


def coming(today: date, days: int) -> Iterator[Due]:
    """Listings that stand and whose anniversary or end of term lies from `today` until `days` days later."""
    last = today + timedelta(days=days)
    term = 365 * TERM_YEARS + 1
    earliest, latest = clock.day_number(today) - term - SLACK, clock.day_number(last) - term + 1 + SLACK
    for list_, kind in KINDS.items():
        # A longer statutory restriction ends later: of the serious list every older row is looked at.
        since = earliest if list_ == "abnormal" else 0
        rows = execute(
            "SELECT known FROM fact WHERE kind = ? AND gone IS NULL AND ends IS NULL AND day BETWEEN ? AND ? ORDER BY known",
            (kind, since, latest),
        ).fetchall()
        for part in in_slices([row[0] for row in rows], 10_000):
            for record in Record.select().where(Record.seq.in_(part)).order_by(Record.seq):
                due_on = listings.end_of_term(record.happened_on, record.detail.get("until"))
                if today <= due_on <= last:
                    yield Due(list_, record, due_on)


def remind(due: Sequence[Due], *, today: date) -> int:
    """Write the reminders that are not written yet and return how many. Safe to repeat: one per listing and day."""
    written = 0
    for begin in range(0, len(due), CHUNK):
        with write():
            for one in due[begin : begin + CHUNK]:
                cursor_ = execute(
                    "INSERT INTO reminder (list, identity, entity, organ, listed_on, due_on, written_on) VALUES (?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (identity, due_on) DO NOTHING",
                    (one.list, one.record.identity, one.record.entity_id, one.record.organ, str(one.record.happened_on),
                     one.due_on.isoformat(), today.isoformat()),
                )  # fmt: skip
                written += cursor_.rowcount
    return written


def page(
    today: date,
    *,
    organ: str | None,
    list_: str = "",
    divisions: Sequence[str] = ("",),
    after: str | None = None,
    limit: int = 50,
) -> Page[Shown]:
    """Reminders of listings that still stand, the nearest day first; those of one organ, in these divisions."""
    query = (
        Reminder.select(Reminder, Entity, Record.seq.alias("record_seq"))
        .join(Entity, on=(Entity.id == Reminder.entity), attr="party")
        .switch(Reminder)
        .join(Record, on=((Record.identity == Reminder.identity) & Record.replaced_seq.is_null()), attr="row")
        .where((Record.act != "withdraw") & Record.ends_on.is_null())
    )
    if organ is not None:
        query = query.where(Reminder.organ == organ)
    if list_:
        query = query.where(Reminder.list == list_)
    if "" not in divisions:
        within = Entity.id < 0
        for prefix in divisions:
            within |= Entity.division.startswith(prefix)
        query = query.where(within)
    if after is not None:
        day, number = cursor.decode(after, str, int)
        since = _day(str(day))
        query = query.where((Reminder.due_on > since) | ((Reminder.due_on == since) & (Reminder.id > number)))
    rows: list[Any] = list(query.order_by(Reminder.due_on, Reminder.id).limit(limit + 1))
    items = [Shown(row, row.party, row.row.record_seq, (row.due_on - today).days) for row in rows[:limit]]
    return Page(
        items, cursor.encode(rows[limit - 1].due_on.isoformat(), rows[limit - 1].id) if len(rows) > limit else None
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadCursor(
            "The page token `after` is damaged or belongs to another list. Start again without it."
        ) from error


def three_years(today: date) -> list[Record]:
    """Rows of the abnormal-operation list that are three years old or older: whom `three_year_transfer` transfers."""
    latest = clock.day_number(today) - 365 * TERM_YEARS
    rows = execute(
        "SELECT f.known FROM fact f JOIN entity e ON e.id = f.entity WHERE f.kind = 3 AND f.gone IS NULL AND f.ends IS NULL "
        "AND f.day <= ? AND e.kind <> 'individual' ORDER BY f.known",
        (latest,),
    ).fetchall()
    found: list[Record] = []
    for part in in_slices([row[0] for row in rows], 10_000):
        for record in Record.select().where(Record.seq.in_(part)).order_by(Record.seq):
            found += [record] if listings.end_of_term(record.happened_on, None) <= today else []
    return found


def transfer(record: Record, *, desk: Desk) -> bool:
    """Open the case of a three-year transfer; says whether it is new. Safe to repeat."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        _, new = serious_list.open_transfer(pen, record, desk=desk)
        return new


def follow_penalty(record: Record, *, desk: Desk) -> bool:
    """Open the case of withdrawal of a listing whose penalty is gone; says whether it is new. Safe to repeat."""
    facts = "列入所依据的行政处罚决定已被撤销，列入严重违法失信名单的事实依据不复存在。"
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case, new = serious_list.start_withdrawal(pen, record, facts=facts, desk=desk)
        if new:
            listing_cases.propose(pen, case, ready=("draft",), opinion="处罚决定已撤销，建议撤销列入决定。", desk=desk)
        return new
