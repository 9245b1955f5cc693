"""The withdrawal feed 撤回通知: whoever received a record hears within three working days that it holds no more.

A notice is written in the transaction of the verb; what other parts of the registry withdrew is found by `collect`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from peewee import JOIN

from registry import cursor
from registry.database import dicts, insert_rows, write
from registry.errors import NotAllowed, RegistryError
from registry.kinds import KINDS
from registry.models import ApiKey, Entity, Notice, NoticeReceipt, Publication, Recipient, Record
from registry.page import Page
from registry.services import audit, ledger, workdays
from registry.services.keys import Caller

What = Literal["withdrawn", "repaired", "stopped", "corrected", "erased"]
# Working days until every recipient must have it (changed or withdrawn penalties; repairs under Order 107).
WITHIN = 3
# How far back `collect` looks, in milliseconds: it runs every night.
LOOKS_BACK = 30 * 86_400_000


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
    columns = ("identity", "entity", "kind", "document_no", "organ", "what", "happened_on", "due_on", "seq")
    row = (identity, entity, kind, document_no, organ, what, on.isoformat(), workdays.due(on, WITHIN).isoformat(), seq)
    if Notice.get_or_none(Notice.seq == seq) is None:
        insert_rows("notice", columns, [row])


def collect(*, today: date, now: int) -> int:
    """Write the notices of what was withdrawn, corrected or erased by other ways than the verbs of a record's life.

    Corrections count where the record has been published. Safe to repeat. Returns how many notices were written.
    """
    first = ledger.seq_at(now - LOOKS_BACK)
    with ledger.writing(now=now, schemes=[]):
        published = Publication.select(Publication.identity).where(Publication.published_on.is_null(False))
        found = (
            Record.select(Record, Notice.id)
            .join(Notice, JOIN.LEFT_OUTER, on=(Notice.seq == Record.seq))
            .where(
                (Record.seq > first)
                & Notice.id.is_null()
                & Record.kind.in_(list(KINDS))
                & (
                    (Record.act == "withdraw")
                    | ((Record.act == "correct") & Record.replaced_seq.is_null() & Record.identity.in_(published))
                )
            )
            .order_by(Record.seq)
        )
        rows = dicts(found)
        erased = dicts(
            Record.select()
            .join(Notice, JOIN.LEFT_OUTER, on=(Notice.seq == Record.seq))
            .where((Record.seq > first) & Notice.id.is_null() & (Record.act == "step") & (Record.kind == "erasure"))
        )
        for row in erased:
            about = Record.select().where((Record.identity == row["about"]) & Record.replaced_seq.is_null()).first()
            if about is not None and about.kind in KINDS:
                tell(
                    seq=row["seq"], what="erased", identity=row["about"], entity=about.entity_id, kind=about.kind,
                    document_no=about.document_no, organ=about.organ, on=today,
                )  # fmt: skip
                rows.append({})
        for row in (row for row in rows if row):
            tell(
                seq=row["seq"], what="withdrawn" if row["act"] == "withdraw" else "corrected", identity=row["identity"],
                entity=row["entity"], kind=row["kind"], document_no=row["document_no"], organ=row["organ"], on=today,
            )  # fmt: skip
        return len(rows)


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
