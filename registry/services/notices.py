"""The withdrawal feed 撤回通知: whoever received a record hears within three working days that it holds no more.

A notice is written in the transaction of the verb; what other parts of the registry withdrew is found by `collect`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from peewee import JOIN

from registry import cursor
from registry.database import dicts, insert_rows, write
from registry.errors import NotAllowed, RegistryError
from registry.kinds import KINDS
from registry.models import (
    ApiKey,
    Entity,
    Moment,
    Notice,
    NoticeReceipt,
    OutboundRow,
    Publication,
    Recipient,
    Record,
    Uncounted,
)
from registry.page import Page
from registry.services import audit, ledger, workdays
from registry.services.keys import Caller

What = Literal["withdrawn", "repaired", "stopped", "corrected", "erased"]
# Working days until every recipient must have it (changed or withdrawn penalties; repairs under Order 107).
WITHIN = 3
# How far back `collect` looks, in milliseconds: it runs every night.
LOOKS_BACK = 30 * 86_400_000
COLUMNS = ("identity", "entity", "kind", "document_no", "organ", "what", "happened_on", "due_on", "seq")
# Notices of one transaction of `collect`: other writers wait no longer than these take.
AT_ONCE = 50


class NotARecipient(RegistryError):
    code = "not_a_recipient"
    status = 403


class NoticeNotFound(RegistryError):
    code = "notice_not_found"
    status = 404


@dataclass(frozen=True, slots=True)
class Overdue:
    """A notice that a recipient has not acknowledged in time, and whether it has at least fetched it."""

    recipient: str
    notice: int
    kind: str
    document_no: str
    what: str
    due_on: date
    fetched_at: int | None


def tell(
    *, seq: int, what: What, identity: str, entity: int, kind: str, document_no: str, organ: str, on: date
) -> None:
    """Write the notice of ledger row `seq`, inside its transaction. Safe to repeat."""
    row = {"identity": identity, "entity": entity, "kind": kind, "document_no": document_no, "organ": organ, "what": what, "seq": seq}  # fmt: skip
    if Notice.get_or_none(Notice.seq == seq) is None:
        insert_rows("notice", COLUMNS, [_row(row, on)])


def _row(row: dict[str, Any], on: date) -> list[Any]:
    """A notice of a change of the day `on`, in the order of COLUMNS."""
    whole = {**row, "happened_on": on.isoformat(), "due_on": workdays.due(on, WITHIN).isoformat()}
    return [whole[name] for name in COLUMNS]


def reached(identity: str) -> bool:
    """Whether a record may have reached a recipient: it was published on some channel, or stands in a batch to a platform."""
    shown = Publication.select().where((Publication.identity == identity) & Publication.published_on.is_null(False))
    return bool(shown.exists() or OutboundRow.select().where(OutboundRow.identity == identity).exists())


def collect(*, now: int, zone: str) -> int:
    """Write the notices of what was withdrawn, corrected or erased by other ways than the verbs of a record's life.

    Only of records that may have reached a recipient. A notice counts from the day, in the time zone `zone`, on which the
    ledger row was written, not from the day on which it was found. Reads first, then writes in short transactions. Safe to
    repeat, also for two at once. Returns how many notices were written.
    """
    missing = _missing(ledger.seq_at(now - LOOKS_BACK))
    written = 0
    for start in range(0, len(missing), AT_ONCE):
        written += _write(missing[start : start + AT_ONCE], now, zone)
    return written


def _missing(first: int) -> list[dict[str, Any]]:
    """The notices that ought to be there for ledger rows after `first` and are not, in order: columns of `notice`."""
    shown = Publication.select(Publication.identity).where(Publication.published_on.is_null(False))
    gone = Uncounted.select(Uncounted.identity).where(Uncounted.why.in_(("repaired", "erased")))
    columns = (Record.seq, Record.identity, Record.entity, Record.kind, Record.document_no, Record.organ)
    untold = (Record.seq > first) & Notice.id.is_null()
    rows = dicts(
        Record.select(*columns, Record.act)
        .join(Notice, JOIN.LEFT_OUTER, on=(Notice.seq == Record.seq))
        .where(
            untold
            & Record.kind.in_(list(KINDS))
            & (
                (Record.act == "withdraw")
                | ((Record.act == "correct") & Record.replaced_seq.is_null() & Record.identity.not_in(gone))
            )
            & (Record.identity.in_(shown) | Record.identity.in_(OutboundRow.select(OutboundRow.identity)))
        )
    )
    found = [{**row, "what": "withdrawn" if row.pop("act") == "withdraw" else "corrected"} for row in rows]
    about = Record.alias()
    erased = dicts(
        Record.select(Record.seq, about.identity, about.entity, about.kind, about.document_no, about.organ)
        .join(Notice, JOIN.LEFT_OUTER, on=(Notice.seq == Record.seq))
        .join(about, on=(about.identity == Record.about) & about.replaced_seq.is_null())
        .where(untold & (Record.act == "step") & (Record.kind == "erasure") & about.kind.in_(list(KINDS)))
    )
    return sorted([*found, *({**row, "what": "erased"} for row in erased)], key=lambda row: int(row["seq"]))


def _write(missing: Sequence[dict[str, Any]], now: int, zone: str) -> int:
    """Write some notices in one transaction; says how many were new."""
    rows = {row["seq"]: _row(row, _day_of(row["seq"], zone)) for row in missing}
    with ledger.writing(now=now, schemes=[]):
        there = {row.seq for row in Notice.select(Notice.seq).where(Notice.seq.in_(list(rows)))}
        fresh = [row for seq, row in rows.items() if seq not in there]
        insert_rows("notice", COLUMNS, fresh)
        return len(fresh)


def _day_of(seq: int, zone: str) -> date:
    """The day on which a ledger row was written."""
    at = Moment.select(Moment.at).where(Moment.seq >= seq).order_by(Moment.seq).scalar()
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date()


def add_recipient(name: str, *, key: str, kinds: Sequence[str], actor: str, now: int) -> Recipient:
    """Register who must hear of withdrawals, from now on; `kinds` empty: of every kind. Safe to repeat.

    Raises NotAllowed for an unknown kind, a key that does not exist or lacks the scope, and a name or key in use.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise NotAllowed(f"There is no kind {kind!r}. Kinds are: {', '.join(KINDS)}.")
    with write():
        known = ApiKey.get_or_none(ApiKey.name == key)
        if known is None or known.revoked_at is not None:
            raise NotAllowed(
                f"There is no key {key!r} in use. Make it first: xinheng key create {key} --scope exchange:read …"
            )
        if "exchange:read" not in known.scopes:
            raise NotAllowed(
                f"The key {key!r} lacks the scope exchange:read, so it could not fetch notices. Make one that has it."
            )
        there = Recipient.get_or_none((Recipient.name == name) | (Recipient.key == key))
        if there is not None:
            if (there.name, there.key, sorted(there.kinds), there.ended_at) == (name, key, sorted(kinds), None):
                assert isinstance(there, Recipient)
                return there
            raise NotAllowed(
                f"There is a recipient {there.name!r} with the key {there.key!r} already. `xinheng recipient list` shows "
                "it; take another name and another key."
            )
        made: Recipient = Recipient.create(name=name, key=key, kinds=sorted(kinds), since_seq=ledger.head())
        audit.note("recipient.added", actor=actor, subject=f"recipient {made.id}", now=now, name=name, key=key)
        return made


def end_recipient(name: str, *, actor: str, now: int) -> None:
    """Say that a recipient receives nothing any more. Safe to repeat. Raises NotARecipient where there is none."""
    with write():
        found = Recipient.get_or_none(Recipient.name == name)
        if found is None:
            raise NotARecipient(f"There is no recipient {name!r}. `xinheng recipient list` shows them.")
        if found.ended_at is None:
            Recipient.update(ended_at=now).where(Recipient.id == found.id).execute()
            audit.note("recipient.ended", actor=actor, subject=f"recipient {found.id}", now=now, name=name)


def recipient_of(key: str) -> Recipient:
    """The recipient that a key speaks for. Raises NotARecipient where it is none."""
    found = Recipient.get_or_none((Recipient.key == key) & Recipient.ended_at.is_null())
    if found is None:
        raise NotARecipient(
            f"The key {key!r} is not a recipient of records. The operator adds it: xinheng recipient add NAME --key {key}."
        )
    assert isinstance(found, Recipient)
    return found


def fetch(
    who: Caller, *, after: str | None, limit: int, now: int, overdue_on: date | None = None
) -> Page[dict[str, Any]]:
    """The next notices for the recipient of this key, in the order in which they were written, marked as fetched.

    With `overdue_on` only those that were to be acknowledged before that day and are not.

    Raises NotARecipient, BadCursor.
    """
    recipient = recipient_of(who.name)
    query = _meant(recipient, who.divisions)
    if overdue_on is not None:
        query = query.where((Notice.due_on < overdue_on) & NoticeReceipt.acknowledged_at.is_null())
    if after is not None:
        (last,) = cursor.decode(after, int)
        query = query.where(Notice.id > last)
    rows = dicts(query.order_by(Notice.id).limit(limit + 1))
    more, rows = len(rows) > limit, rows[:limit]
    fresh = [row["id"] for row in rows if row["fetched_at"] is None]
    if fresh:
        with write():
            insert_rows(
                "notice_receipt",
                ("notice_id", "recipient_id", "fetched_at"),
                [(one, recipient.id, now) for one in fresh],
                conflict="ON CONFLICT DO NOTHING",
            )
    return Page(rows, cursor.encode(rows[-1]["id"]) if more else None)


def acknowledge(number: int, who: Caller, *, now: int) -> dict[str, Any]:
    """Say that a recipient has acted on a notice. Safe to repeat: the first moment stays.

    Raises NoticeNotFound where this recipient was sent no such notice.
    """
    recipient = recipient_of(who.name)
    with write():
        rows = dicts(_meant(recipient, who.divisions).where(Notice.id == number))
        if not rows:
            raise NoticeNotFound(
                f"No notice {number} was sent to {recipient.name}. GET /api/v1/notices lists those that were."
            )
        row: dict[str, Any] = rows[0]
        if row["acknowledged_at"] is None:
            insert_rows(
                "notice_receipt",
                ("notice_id", "recipient_id", "fetched_at", "acknowledged_at"),
                [(number, recipient.id, now, now)],
                conflict="ON CONFLICT (notice_id, recipient_id) DO UPDATE SET acknowledged_at = excluded.acknowledged_at",
            )
            audit.note("notice.acknowledged", actor=who.actor, subject=f"notice {number}", now=now)
            row |= {"acknowledged_at": now, "fetched_at": row["fetched_at"] or now}
        return row


def overdue(*, today: date, recipient: Recipient | None = None) -> list[Overdue]:
    """Notices that recipients have not acknowledged although the three working days are over, the oldest first."""
    found: list[Overdue] = []
    chosen = (
        [recipient]
        if recipient
        else list(Recipient.select().where(Recipient.ended_at.is_null()).order_by(Recipient.name))
    )
    for one in chosen:
        key = ApiKey.get_or_none(ApiKey.name == one.key)
        divisions = tuple(key.divisions) if key is not None else ("",)
        rows = dicts(_meant(one, divisions).where((Notice.due_on < today) & NoticeReceipt.acknowledged_at.is_null()))
        found += [
            Overdue(one.name, row["id"], row["kind"], row["document_no"], row["what"], row["due_on"], row["fetched_at"])
            for row in rows
        ]
    return sorted(found, key=lambda row: (row.due_on, row.notice, row.recipient))


def _meant(recipient: Recipient, divisions: Sequence[str]) -> Any:
    """Notices meant for a recipient: its kinds, its key's divisions, since it was registered."""
    query = (
        Notice.select(
            Notice.id, Notice.kind, Notice.document_no, Notice.organ, Notice.what, Notice.happened_on, Notice.due_on, Notice.seq,
            Entity.code, Entity.registration_no, NoticeReceipt.fetched_at, NoticeReceipt.acknowledged_at,
        )
        .join(Entity, on=(Entity.id == Notice.entity))
        .switch(Notice)
        .join(NoticeReceipt, JOIN.LEFT_OUTER, on=(NoticeReceipt.notice == Notice.id) & (NoticeReceipt.recipient == recipient.id))
        .where(Notice.seq > recipient.since_seq)
    )  # fmt: skip
    if recipient.kinds:
        query = query.where(Notice.kind.in_(recipient.kinds))
    if "" not in divisions:
        near = Entity.division.startswith(divisions[0])
        for prefix in divisions[1:]:
            near = near | Entity.division.startswith(prefix)
        query = query.where(near)
    return query
