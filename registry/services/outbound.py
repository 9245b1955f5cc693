"""Batches to other platforms 双公示: what is new or corrected, once, in time; what they refused, corrected and sent again.

A batch is one file, kept as it was sent. A record goes into it in its present wording; that wording never goes to the same
recipient twice, unless it was refused there and is sent again on purpose. Withdrawals go by the feed of notices.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from peewee import IntegrityError

from registry import cursor, publicity, templates
from registry.cells.documents import fold_document_no
from registry.cells.personal import mask_personal
from registry.database import dicts, execute, insert_rows, is_postgres, write
from registry.errors import RegistryError
from registry.models import Outbound, OutboundRow, Record
from registry.page import Page
from registry.services import audit, exports, ledger, publication, workdays
from registry.services.exports import FileForm, Item
from registry.templates import Recipient, Template

# Rows as a spreadsheet counts them: the header is 1.
FIRST_ROW = 2
BLOCK = 1 << 20
LONGEST_REASON = 500
# Problems of a receipt that are named at once.
MOST_NAMED = 5
Said = Literal["accepted", "refused"]


class BatchNotFound(RegistryError):
    code = "batch_not_found"
    status = 404


class NothingToSend(RegistryError):
    """There is nothing that the recipient has not had. No batch was made."""

    code = "nothing_to_send"
    status = 422


class BatchConflict(RegistryError):
    """What is said of a batch does not go with what is on record of it."""

    code = "batch_conflict"
    status = 409


class BatchLost(RegistryError):
    """The file of a batch is not what was sent any more."""

    code = "batch_lost"
    status = 500


class BadReceipt(RegistryError):
    """A receipt that does not fit its batch. Nothing of it was stored."""

    code = "bad_receipt"
    status = 422


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recipient says of one row: by its number in the file, or by its document number.

    line : row of the receipt in which it stands, headings counted, for messages; 0 where it came in no file
    """

    said: Said
    row: int | None = None
    document_no: str = ""
    reason: str = ""
    line: int = field(default=0, compare=False)


@dataclass(slots=True)
class Made:
    """A batch that was made, and how many records were left out and why."""

    batch: Outbound
    left_out: dict[str, int] = field(default_factory=dict)


def make(
    recipient: str, kind: str, *, organ: str, folder: Path, form: FileForm = "csv", template: str | None = None,
    today: date, now: int, actor: str,
) -> Made:  # fmt: skip
    """Make a batch of all records of an organ that are new or corrected for the recipient. The file is kept in `folder`.

    Left out, and counted: what lacks a column that the template needs, and, where sending is publishing, what may not be shown
    on that channel today. It goes with a later batch once that is mended. Raises UnknownRecipient, UnknownTemplate, NothingToSend.
    """
    to = templates.recipient(recipient)
    chosen = _template(to, kind, template)
    after, until = _last(recipient, kind, organ), ledger.head()
    condition, values = _new_to(to, kind, organ, after, until)
    left_out: dict[str, int] = {}
    found = _sendable(to, chosen, exports.picked(kind, condition, values), left_out, today)
    if not found:
        raise NothingToSend(f"{to.title} has had everything of {organ} that may be sent.{_listed(left_out)}")
    return Made(
        _freeze(to, chosen, found, folder, form, organ=organ, after=after, until=until, now=now, actor=actor), left_out
    )


def resend(
    number: int, *, organ: str | None, folder: Path, form: FileForm = "csv", today: date, now: int, actor: str
) -> Made:
    """Make a batch of the rows of a batch that were refused, in their present wording.

    A wording that went out in a later batch already stays out. Raises BatchNotFound, NothingToSend.
    """
    batch = get(number, organ=organ)
    to, chosen = templates.recipient(batch.recipient), templates.named(batch.template, kind=batch.kind)
    left_out: dict[str, int] = {}
    found = _sendable(to, chosen, exports.picked(batch.kind, *_refused(batch)), left_out, today)
    if not found:
        raise NothingToSend(
            f"Batch {number} has no refused row that could be sent again: none was refused, or they went with a later batch, or "
            f"they hold no more.{_listed(left_out)}"
        )
    head = ledger.head()
    return Made(
        _freeze(to, chosen, found, folder, form, organ=batch.organ, after=batch.until_seq, until=head, now=now, actor=actor, again=batch),
        left_out,
    )  # fmt: skip


def get(number: int, *, organ: str | None) -> Outbound:
    """A batch, of an organ where one is given. Raises BatchNotFound."""
    found = Outbound.get_or_none(Outbound.id == number)
    if found is None or organ not in (None, found.organ):
        raise BatchNotFound(
            f"There is no batch {number}{f' of {organ}' if organ else ''}. `xinheng outbound list` shows them."
        )
    assert isinstance(found, Outbound)
    return found


def page(*, organ: str | None, after: str | None, limit: int) -> Page[dict[str, Any]]:
    """Batches, newest first, each with how many of its rows were accepted and refused. Two queries."""
    query = Outbound.select()
    if organ is not None:
        query = query.where(Outbound.organ == organ)
    if after is not None:
        (last,) = cursor.decode(after, int)
        query = query.where(Outbound.id < last)
    found = list(query.order_by(Outbound.id.desc()).limit(limit + 1))
    more, found = len(found) > limit, found[:limit]
    said = _said([one.id for one in found])
    return Page([shown(one, said) for one in found], cursor.encode(found[-1].id) if more else None)


def shown(batch: Outbound, said: dict[tuple[int, str], int] | None = None) -> dict[str, Any]:
    """A batch as it is shown: its columns, and how many rows were accepted, refused and not answered."""
    said = _said([batch.id]) if said is None else said
    counts = {name: said.get((batch.id, name), 0) for name in ("accepted", "refused")}
    head = {name: value for name, value in batch.__data__.items() if name != "file"}
    return {**head, **counts, "open": batch.rows - sum(counts.values())}


def rows(batch: Outbound) -> list[dict[str, Any]]:
    """The rows of a batch with their document numbers, due days and answers, in the order of the file."""
    query = (
        OutboundRow.select(OutboundRow, Record.document_no)
        .join(Record, on=(Record.seq == OutboundRow.seq))
        .where(OutboundRow.batch == batch.id)
    )
    return dicts(query.order_by(OutboundRow.row))


def file_of(batch: Outbound, folder: Path) -> Path:
    """The file of a batch, as it was sent. Raises BatchLost where it is gone or was changed."""
    path = folder / batch.file
    found = hashlib.sha256()
    if path.is_file():
        with path.open("rb") as handle:
            while block := handle.read(BLOCK):
                found.update(block)
    if found.hexdigest() != batch.digest:
        raise BatchLost(f"The file of batch {batch.id} ({batch.file}) is gone or was changed. Put its backup back.")
    return path


def sent(number: int, *, organ: str | None, on: date, today: date, now: int, actor: str) -> Outbound:
    """Put on record that a batch was sent. Safe to repeat. Raises BatchConflict for another day, or one that does not fit."""
    with write():
        batch = _locked(number, organ)
        if batch.sent_on is not None:
            if batch.sent_on != on:
                raise BatchConflict(f"Batch {number} was sent on {batch.sent_on} already. What is on record stays.")
            return batch
        if not _day_made(batch) <= on <= today:
            raise BatchConflict(
                f"Batch {number} was made on {_day_made(batch)}; {on} is no day between that and today, {today}."
            )
        batch.state, batch.sent_on = "sent", on
        batch.save()
        audit.note("outbound.sent", actor=actor, subject=f"batch {number}", now=now, on=on.isoformat())
        return batch


def answer(number: int, answers: Sequence[Answer], *, organ: str | None, today: date, now: int, actor: str) -> Outbound:
    """Store what the recipient said of the rows: all of a receipt or nothing. Safe to repeat; several receipts may follow.

    Raises BatchConflict where the batch was not sent, BadReceipt, naming the lines, where one does not fit or says otherwise
    than a receipt before it.
    """
    with write():
        batch = _locked(number, organ)
        if batch.sent_on is None:
            raise BatchConflict(
                f"Batch {number} was not sent yet. `xinheng outbound sent {number}` puts that on record first."
            )
        known = {row["row"]: row for row in rows(batch)}
        by_number: dict[str, list[int]] = {}
        for place, row in known.items():
            by_number.setdefault(row["document_no"], []).append(place)
        changed: dict[int, Answer] = {}
        problems: list[str] = []
        for line, one in enumerate(answers, 1):
            place, problem = _placed(one, known, by_number, changed)
            if problem:
                problems.append(f"row {one.line or line} of the receipt: {problem}")
            elif place is not None and known[place]["said"] != one.said:
                changed[place] = one
        if problems:
            more = f" And {len(problems) - MOST_NAMED} more." if len(problems) > MOST_NAMED else ""
            raise BadReceipt(
                f"The receipt does not fit batch {number}. {' '.join(problems[:MOST_NAMED])}{more} Nothing was stored."
            )
        for place, one in changed.items():
            execute(
                'UPDATE outbound_row SET said = ?, reason = ? WHERE batch_id = ? AND "row" = ?',
                (one.said, mask_personal(one.reason)[:LONGEST_REASON], number, place),
            )
        if (
            batch.state != "answered"
            and not OutboundRow.select().where((OutboundRow.batch == number) & (OutboundRow.said == "")).exists()
        ):
            batch.state, batch.answered_on = "answered", today
            batch.save()
        if changed:
            audit.note("outbound.answered", actor=actor, subject=f"batch {number}", now=now, rows=len(changed))
        return batch


def _placed(
    one: Answer, known: dict[int, dict[str, Any]], by_number: dict[str, list[int]], changed: dict[int, Answer]
) -> tuple[int | None, str]:
    """The row that an answer is about, or why it is about none."""
    if one.row is not None:
        places = [one.row] if one.row in known else []
    else:
        places = by_number.get(fold_document_no(one.document_no), [])
    if not places:
        return (
            None,
            f"the batch has no row {one.row if one.row is not None else mask_personal(one.document_no)[:60]!r}.",
        )
    if len(places) > 1:
        return None, f"{len(places)} rows have this document number ({', '.join(map(str, places[:5]))}). Name the row."
    row, before = known[places[0]], changed.get(places[0])
    if one.row is not None and one.document_no and fold_document_no(one.document_no) != row["document_no"]:
        return None, f"row {one.row} has another document number. The receipt is probably that of another batch."
    if (before is not None and before.said != one.said) or row["said"] not in ("", one.said):
        return (
            None,
            f"row {places[0]} was {row['said'] or (before.said if before else '')} already. Send it again for another answer.",
        )
    return places[0], ""


def _template(to: Recipient, kind: str, name: str | None) -> Template:
    if kind not in to.templates:
        raise templates.UnknownTemplate(f"{to.id} takes no {kind}. It takes: {', '.join(to.templates)}.")
    return templates.named(name or to.templates[kind], kind=kind)


def _last(recipient: str, kind: str, organ: str) -> int:
    row = execute(
        "SELECT max(until_seq) FROM outbound WHERE recipient = ? AND kind = ? AND organ = ? AND resend_of IS NULL",
        (recipient, kind, organ),
    ).fetchone()
    return int(row[0] or 0)


def _shows(to: Recipient, kind: str) -> bool:
    """Whether sending this kind there is publishing it."""
    return to.channel in publicity.channels_of(kind)


def _new_to(to: Recipient, kind: str, organ: str, after: int, until: int) -> tuple[str, list[object]]:
    """SQL for the wordings that the recipient has not had: said, reviewed or published since its last batch."""
    since, values = "r.seq > ?", [after]
    if _shows(to, kind):
        since = (
            "(r.seq > ? OR EXISTS (SELECT 1 FROM publication p WHERE p.identity = r.identity AND p.channel = ? AND p.seq > ?) "
            "OR EXISTS (SELECT 1 FROM review v WHERE v.identity = r.identity AND v.seq > ?))"
        )
        values = [after, to.channel, after, after]  # type: ignore[list-item]
    # Who was told that it is stopped has it no more: what he had before that does not count.
    had = (
        "NOT EXISTS (SELECT 1 FROM outbound_row o JOIN outbound b ON b.id = o.batch_id WHERE o.identity = r.identity "
        "AND o.seq = r.seq AND b.recipient = ? AND b.until_seq >= (SELECT coalesce(max(n.seq), 0) FROM notice n "
        "WHERE n.identity = r.identity AND n.what = 'stopped'))"
    )
    return f"r.organ = ? AND r.seq <= ? AND {since} AND {had}", [organ, until, *values, to.id]


def _refused(batch: Outbound) -> tuple[str, list[object]]:
    """SQL for the rows that a batch was refused, but for wordings that went out later."""
    return (
        "EXISTS (SELECT 1 FROM outbound_row o WHERE o.batch_id = ? AND o.identity = r.identity AND o.said = 'refused') "
        "AND NOT EXISTS (SELECT 1 FROM outbound_row o JOIN outbound b ON b.id = o.batch_id WHERE o.identity = r.identity "
        "AND o.seq = r.seq AND o.batch_id > ? AND b.recipient = ?)",
        [batch.id, batch.id, batch.recipient],
    )


def _sendable(
    to: Recipient, template: Template, found: list[Item], left_out: dict[str, int], today: date
) -> list[Item]:
    good: list[Item] = []
    for one in found:
        if missing := exports.lacks(template, one):
            left_out[f"no {missing}"] = left_out.get(f"no {missing}", 0) + 1
        else:
            good.append(one)
    if not _shows(to, template.kind):
        return good
    seen = publication.visible_of([one.identity for one in good], channel=to.channel, today=today)
    if hidden := len(good) - len(seen.intersection(one.identity for one in good)):
        left_out[f"not published on {to.channel}"] = hidden
    return [one for one in good if one.identity in seen]


def _freeze(
    to: Recipient, template: Template, found: list[Item], folder: Path, form: FileForm, *, organ: str, after: int, until: int,
    now: int, actor: str, again: Outbound | None = None,
) -> Outbound:  # fmt: skip
    """Write the file, then put the batch on record; the file gets its name inside the transaction, so both are there or none."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    form = "json" if template.form == "json" else form
    part = folder / f".{secrets.token_hex(16)}.{form}"
    try:
        exports.write(part, template, form, (exports.cells(template, one) for one in found))
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
        name = f"{to.id}-{template.kind}-{until}-{digest[:16]}.{form}"
        with write():
            if again is not None:
                _locked(again.id, None)
                still = exports.picked(template.kind, *_refused(again))
                if not {one.seq for one in found} <= {one.seq for one in still}:
                    raise BatchConflict(
                        f"Batch {again.id} is being sent again by somebody else. `xinheng outbound list` shows it."
                    )
            try:
                with write():
                    batch = Outbound.create(
                        recipient=to.id, kind=template.kind, template=template.id, organ=organ, after_seq=after, until_seq=until,
                        file=name, digest=digest, rows=len(found), state="made", made_at=now,
                        resend_of=None if again is None else again.id,
                    )  # fmt: skip
            except IntegrityError as error:
                raise BatchConflict(
                    f"Somebody else is making the same batch for {to.id} right now. `xinheng outbound list` shows it."
                ) from error
            insert_rows(
                "outbound_row",
                ("batch_id", "row", "identity", "seq", "decided_on", "due_on", "said", "reason"),
                [
                    (batch.id, row, one.identity, one.seq, *_days(to, one), "", "")
                    for row, one in enumerate(found, FIRST_ROW)
                ],
            )
            audit.note(
                "outbound.made", actor=actor, subject=f"batch {batch.id}", now=now, recipient=to.id, rows=len(found)
            )
            part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)
    made: Outbound = batch
    return made


def _days(to: Recipient, one: Item) -> tuple[str | date | None, str | date | None]:
    """The day of the decision and the last day on which the row is in time."""
    decided = one.day("decided_on") or one.day("day")
    if decided is None:
        return None, None
    due = workdays.due(decided, to.days)
    return (decided, due) if is_postgres() else (decided.isoformat(), due.isoformat())


def _locked(number: int, organ: str | None) -> Outbound:
    if is_postgres():
        execute("SELECT id FROM outbound WHERE id = ? FOR UPDATE", (number,))
    return get(number, organ=organ)


def _day_made(batch: Outbound) -> date:
    # The day in China, where all recipients are.
    return (datetime.fromtimestamp(batch.made_at / 1000, UTC) + timedelta(hours=8)).date()


def _said(batches: list[int]) -> dict[tuple[int, str], int]:
    if not batches:
        return {}
    marks = ", ".join("?" * len(batches))
    sql = f"SELECT batch_id, said, count(*) FROM outbound_row WHERE batch_id IN ({marks}) GROUP BY batch_id, said"  # noqa: S608
    return {(batch, said): count for batch, said, count in execute(sql, batches).fetchall()}


def _listed(left_out: dict[str, int]) -> str:
    if not left_out:
        return ""
    listed = ", ".join(f"{count:,} {why}" for why, count in left_out.items())
    publish = (
        " `xinheng review` and `xinheng publish` come first." if any("published" in why for why in left_out) else ""
    )
    return f" Left out: {listed}.{publish}"


__all__ = [
    "Answer", "BadReceipt", "BatchConflict", "BatchLost", "BatchNotFound", "Made", "NothingToSend", "answer", "file_of", "get",
    "make", "page", "resend", "rows", "sent", "shown",
]  # fmt: skip
