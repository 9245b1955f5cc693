"""Publication 公示 of a record per channel: published after a passed review, stopped when its term or its cause ends.

What may be shown is worked out when it is asked for (:func:`visible`): a row that says "published" is not enough. The
record must hold, count or at least not be taken out, and its present wording must have passed a review.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry import publicity
from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.cells.personal import find_personal
from registry.cells.width import half_width
from registry.database import execute, find
from registry.errors import RegistryError
from registry.kinds import KINDS
from registry.kinds.seen import ADDED, levels_of
from registry.models import CHANNELS, Publication, Record, Review
from registry.services import audit, ledger, life, notices
from registry.services.ledger import Pen
from registry.services.life import HIDDEN, Change, Target

# From when stopping a penalty stops the negative check that led to it (Order 107).
LINKED_FROM = date(2025, 12, 25)
LINKABLE = ("spot_check", "product_sampling")
# Begins the basis of a class that an officer gave.
OFFICER = "officer: "
# Why something was stopped after which it may be published again.
MAY_RETURN = ("officer", "objection", "review")
# Kinds whose publication ends on the first day on which the record no longer holds.
_ENDING = tuple(kind for kind in KINDS if publicity.ends_with_record(kind))
_ACCOUNT = re.compile(r"(?:账号|帐号|账户|帐户|卡号)[^0-9]{0,12}([0-9](?:[ \-]?[0-9]){7,29})")
# Looser than what is masked when a record arrives: here a doubt is enough, because a person looks at it then.
_ID_LIKE = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9A-Za-z])")  # fmt: skip
# What these fields hold is a number of an organ or of a decision, never of a person.
_NUMBERS = ("organ_code", "source_organ_code", "document_no", "printed_no", "linked")


class NotPublishable(RegistryError):
    code = "not_publishable"
    status = 422


class NotReviewed(RegistryError):
    code = "not_reviewed"
    status = 409


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a record stands on one channel after a verb, what the verb did there, and why.

    said: published, unchanged, blocked, never, over, stopped, undated, class_unknown
    """

    channel: str
    said: str
    cause: str
    row: dict[str, Any] | None


def visible(entity: int, *, channel: str, today: date) -> set[str]:
    """Identities of the records of one entity that may be shown on a channel today. One query.

    Only what is published there, not over, neither withdrawn nor repaired, erased or waiting, and in the wording that
    passed its review: a corrected record is not shown until the correction has passed one.
    """
    rows = execute(f"{_VISIBLE} AND p.entity = ?", (*_visible_values(channel, today), entity)).fetchall()
    return {row[0] for row in rows}


def is_visible(identity: str, *, channel: str, today: date) -> bool:
    """Whether one record may be shown on a channel today; see :func:`visible`."""
    found = execute(f"{_VISIBLE} AND p.identity = ?", (*_visible_values(channel, today), identity)).fetchone()
    return found is not None


_VISIBLE = (
    "SELECT p.identity FROM publication p "  # noqa: S608 (names are ours)
    "JOIN record r ON r.identity = p.identity AND r.replaced_seq IS NULL "
    "JOIN review v ON v.identity = p.identity AND v.content = r.content AND v.outcome = 'passed' "
    "WHERE p.channel = ? AND p.state = 'published' AND p.published_on <= ? AND (p.latest IS NULL OR p.latest > ?) "
    "AND r.act <> 'withdraw' AND r.act <> 'step' "
    f"AND NOT (r.ends_on IS NOT NULL AND r.ends_on <= ? AND r.kind IN ({', '.join(repr(kind) for kind in _ENDING)})) "
    "AND NOT EXISTS (SELECT 1 FROM uncounted u WHERE u.identity = p.identity "
    f"AND u.why IN ({', '.join(repr(why) for why in HIDDEN)}))"
)


def _visible_values(channel: str, today: date) -> tuple[str, ...]:
    day = today.isoformat()
    return (channel, day, day, day)


def personal_in(target: Target) -> list[tuple[str, str]]:
    """(field, kind of pattern) of every public field that seems to hold an id, phone, account or e-mail; never the value."""
    kind = KINDS[target.kind]
    public = {name for name, sees in {**levels_of(kind.schema), **kind.derived, **ADDED}.items() if sees == "public"}
    found: set[tuple[str, str]] = set()
    for name, value in target.detail.items():
        if name in public and name not in _NUMBERS:
            for text in _texts(value):
                found |= {(name, what) for what in _patterns(text)}
    found |= {("organ", what) for what in _patterns(target.organ)}
    return sorted(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _patterns(text: str) -> set[str]:
    plain = half_width(text)
    found: set[str] = {span.kind for span in find_personal(text)}
    if _ACCOUNT.search(plain):
        found.add("bank_account")
    if _ID_LIKE.search(plain):
        found.add("resident_id")
    return found


def publish(
    seq: int,
    kind: str,
    *,
    channels: Sequence[str] = (),
    class_: str = "",
    reason: str = "",
    organ: str | None,
    actor: str,
    today: date,
    now: int,
    old_rows: str,
) -> list[Shown]:
    """Publish a record that passed its review, on these channels or on all that its kind has. Safe to repeat.

    `class_` is an officer's own class of a penalty, and then needs a `reason`; without it the dated table decides.
    `old_rows` is the setting `[publication] old_rows`. What may not be shown is said per channel and stays on record:
    `blocked` where a public field seems to hold personal data, `never` where the regime shows nothing of this class.

    Raises RecordNotFound, RecordConflict, NotPublishable, NotReviewed.
    """
    with ledger.writing(now=now, schemes=[]) as pen:
        target = life.current(seq, kind=kind, organ=organ)
        life.standing(target, seq)
        wanted = _channels(target, channels)
        if class_ and (target.kind != "penalty" or not reason):
            raise NotPublishable(
                "A class is given for penalties only, and with a `reason`: it then stands in place of the table of classes."
            )
        if target.out in HIDDEN:
            raise NotPublishable(f"Record {seq} waits ({target.out}) and does not count yet, so it is not published. Settle that first.")  # fmt: skip
        review = find(Review, identity=target.identity, content=target.content)
        if review is None or review.outcome != "passed":
            raise NotReviewed(
                f"Record {seq} has {'been refused by' if review else 'not passed'} its review in its present wording. "
                f"POST /api/v1/records/{kind}/{seq}/review comes first, by somebody else than who posted it."
            )
        return _publish(pen, target, wanted, class_, reason, actor=actor, today=today, now=now, old_rows=old_rows)


def was_refused(seq: int) -> bool:
    """Whether the wording in ledger row `seq` was refused by its review."""
    row = Record.get(Record.seq == seq)
    found = Review.get_or_none((Review.identity == row.identity) & (Review.content == row.content))
    return found is not None and found.outcome == "refused"


def _channels(target: Target, channels: Sequence[str]) -> Sequence[str]:
    having = publicity.channels_of(target.kind)
    if not having:
        raise NotPublishable(f"Records of kind {target.kind} are not published. registry/publicity/kinds.toml names those that are.")  # fmt: skip
    strange = [channel for channel in channels if channel not in having]
    if strange:
        raise NotPublishable(
            f"{target.kind} is not published on {', '.join(strange)}. Its channels are: {', '.join(having)}."
        )
    return [channel for channel in CHANNELS if channel in (channels or having)]


def _publish(
    pen: Pen, target: Target, channels: Sequence[str], class_: str, reason: str, *, actor: str, today: date, now: int, old_rows: str
) -> list[Shown]:  # fmt: skip
    rows = _rows(target.identity)
    personal = personal_in(target)
    shown: list[Shown] = []
    changes: dict[str, list[Change]] = {}
    for channel in channels:
        before = rows.get(channel)
        said, cause, values = _decide(target, channel, before, personal, class_, reason, today=today, old_rows=old_rows)
        if values is not None and before is not None and all(before[name] == value for name, value in values.items()):
            said, values = ("unchanged" if said == "published" else said), None
        if values is not None:
            name = {"published": "published", "blocked": "blocked"}.get(said, "not_published")
            changes.setdefault(name, []).append(_change(target, channel, values))
        shown.append(Shown(channel, said, cause, None))
    for name, some in changes.items():
        outcome = life.step(pen, name, target, some, on=today, by=actor, reason=reason)
        audit.note(f"record.{name}", actor=actor, subject=f"record {target.seq}", now=now, by=outcome.seq,
                   channels=[change.key["channel"] for change in some])  # fmt: skip
    after = _rows(target.identity)
    return [Shown(one.channel, one.said, one.cause, after.get(one.channel)) for one in shown]


def _decide(
    target: Target,
    channel: str,
    before: Mapping[str, Any] | None,
    personal: Sequence[tuple[str, str]],
    class_: str,
    reason: str,
    *,
    today: date,
    old_rows: str,
) -> tuple[str, str, dict[str, Any] | None]:
    """What becomes of a record on one channel: (said, cause, new values of its row or None)."""
    if before is not None and before["state"] == "stopped" and before["stopped_because"] not in MAY_RETURN:
        return "stopped", before["stopped_because"], None
    if personal:
        text = "; ".join(f"{name}: {what}" for name, what in personal)
        empty = {"regime": "", "class_": "none", "basis": text, "state": "blocked"}
        return "blocked", text, empty
    if target.happened_on is None:
        return "undated", "The record has no date, so no period can be counted. Correct it.", None
    first = (before["published_on"] if before else None) or today
    found = _class(target, class_, reason, before)
    if found is None:
        cause = (
            "The kind of penalty or the amount of the fine could not be read. An officer gives the class with a reason."
        )
        return "class_unknown", cause, None
    terms = terms_of(target, channel, found, published_on=first, today=today, old_rows=old_rows)
    until = _day(target.detail.get("publish_until"))
    ends = [day for day in (terms.latest, until) if day is not None]
    values: dict[str, Any] = {
        "regime": terms.regime, "class_": found.name, "counts_from": terms.counts_from, "earliest": terms.earliest,
        "latest": min(ends) if ends else None, "source_until": until, "state": "published", "published_on": first,
        "stopped_on": None, "stopped_because": "",
        "basis": _basis(target, found, terms),
    }  # fmt: skip
    if not terms.published:
        never = {**values, "state": "never", "published_on": None, "earliest": None, "latest": None}
        return "never", f"{terms.regime} shows nothing of class {found.name} on {channel}.", never
    if values["latest"] is not None and values["latest"] <= today:
        if before is not None and before["state"] == "published":
            return "over", f"The period is over since {values['latest']}; the nightly job stops it.", None
        never = {**values, "state": "never", "published_on": None}
        return "over", f"The period was over on {values['latest']}, before it was published.", never
    return "published", "", values


def _class(target: Target, class_: str, reason: str, before: Mapping[str, Any] | None) -> publicity.Class | None:
    if target.kind != "penalty":
        return publicity.Class("none" if target.severity == 0 else "general", "", "product_default")
    if class_:
        return publicity.Class(class_, f"{OFFICER}{reason}", "officer")
    if before is not None and before["basis"].startswith(OFFICER):
        # What an officer decided stands until another does.
        return publicity.Class(before["class_"], before["basis"].split("（")[0], "officer")
    assert target.happened_on is not None
    return publicity.class_of(
        target.detail, subject=target.entity.kind, division=target.entity.division, decided_on=target.happened_on
    )


def terms_of(
    target: Target, channel: str, class_: publicity.Class, *, published_on: date, today: date, old_rows: str
) -> publicity.Terms:
    """How long a record may be shown on a channel by the tables of `registry/publicity`."""
    if target.kind == "penalty":
        assert target.happened_on is not None
        return publicity.penalty_terms(
            class_.name, target.detail, channel=channel, organ=target.organ, decided_on=target.happened_on,
            published_on=published_on, today=today, old_rows=old_rows,
        )  # fmt: skip
    return publicity.other_terms(
        target.kind, severity=target.severity, happened_on=target.happened_on, ends_on=target.ends_on,
        until=_day(target.detail.get("until")), published_on=published_on,
    )  # fmt: skip


def stop(
    seq: int,
    kind: str,
    *,
    channels: Sequence[str] = (),
    reason: str,
    organ: str | None,
    actor: str,
    today: date,
    now: int,
) -> list[Shown]:
    """Stop publishing a record, by an officer's decision, on these channels or all. Safe to repeat.

    Recipients are told, and under Order 107 the linked negative check is stopped with its penalty. Raises
    RecordNotFound, RecordConflict, NotPublishable.
    """
    with ledger.writing(now=now, schemes=[]) as pen:
        target = life.current(seq, kind=kind, organ=organ)
        wanted = _channels(target, channels)
        stopped = take_down(pen, target, "officer", on=today, by=actor, now=now, reason=reason, channels=wanted)
        rows = _rows(target.identity)
        return [
            Shown(channel, "stopped" if channel in stopped else "unchanged", "", rows.get(channel))
            for channel in wanted
        ]


def take_down(
    pen: Pen,
    target: Target,
    because: str,
    *,
    on: date,
    by: str,
    now: int,
    reason: str = "",
    channels: Sequence[str] = CHANNELS,
    tell: bool = True,
) -> list[str]:
    """Stop a record wherever it is published, inside another verb's transaction, and what is linked to it.

    Returns the channels on which it was stopped. With `tell` recipients hear of it; without, the caller tells them more.
    """
    rows = {
        name: row for name, row in _rows(target.identity).items() if name in channels and row["state"] == "published"
    }
    if not rows:
        return []
    values = {"state": "stopped", "stopped_on": on, "stopped_because": because}
    changes = [_change(target, channel, values) for channel in rows]
    outcome = life.step(pen, "stopped", target, changes, on=on, by=by, reason=reason, because=because)
    audit.note("record.stopped", actor=by, subject=f"record {target.seq}", now=now, by=outcome.seq, because=because)
    if tell:
        notices.tell(
            seq=outcome.seq, what="stopped", identity=target.identity, entity=target.entity.id, kind=target.kind,
            document_no=target.document_no, organ=target.organ, on=on,
        )  # fmt: skip
    if on >= LINKED_FROM:
        for other in linked(target):
            take_down(pen, other, "linked", on=on, by=by, now=now, reason=reason, channels=list(rows), tell=tell)
    return list(rows)


def withdraw(pen: Pen, target: Target, *, source: str, reason: str, by: str, on: date, now: int) -> ledger.Outcome:
    """Withdraw a record inside another verb: it counts no more, is shown nowhere, and recipients are told. Safe to repeat."""
    outcome = pen.withdraw(target.seq, source=source, reason=reason)
    if outcome.said in ledger.WRITTEN:
        pen.flush()
        take_down(pen, target, "withdrawn", on=on, by=by, now=now, tell=False)
        notices.tell(
            seq=outcome.seq, what="withdrawn", identity=target.identity, entity=target.entity.id, kind=target.kind,
            document_no=target.document_no, organ=target.organ, on=on,
        )  # fmt: skip
    return outcome


def corrected(identity: str, *, by: int, on: date) -> None:
    """Tell recipients, inside the transaction of a correction (ledger row `by`), where the record has been published.

    The old wording is shown no more from here on, the new one once it has passed a review: what an organ calls wrong must
    not stay in public, and what nobody has looked at must not come there.
    """
    shown = Publication.get_or_none((Publication.identity == identity) & Publication.published_on.is_null(False))
    if shown is not None:
        (target,) = life.targets(identities=[identity])
        notices.tell(
            seq=by, what="corrected", identity=identity, entity=target.entity.id, kind=target.kind,
            document_no=target.document_no, organ=target.organ, on=on,
        )  # fmt: skip


def linked(target: Target) -> list[Target]:
    """The checks with a fault that led to a penalty: same entity and organ, and the check names the penalty's document
    number in its field `linked`. Empty for records of other kinds, and for a penalty without a number.
    """
    if target.kind != "penalty" or not target.document_no:
        return []
    rows = Record.select(Record.seq, Record.organ, Record.detail).where(
        Record.entity.in_(life.family(target.entity.id))
        & Record.kind.in_(LINKABLE)
        & Record.replaced_seq.is_null()
        & (Record.act != "withdraw")
        & (Record.severity > 0)
    )
    found = [
        row.seq
        for row in rows
        if fold_name(row.organ) == fold_name(target.organ)
        and fold_document_no(str(row.detail.get("linked", ""))) == target.document_no
    ]
    return life.targets(seqs=found) if found else []


def due(today: date, *, old_rows: str) -> list[str]:
    """Identities of published records that must be stopped, or counted anew, by `today`, in order."""
    kinds = ", ".join(repr(kind) for kind in _ENDING)
    out = ", ".join(repr(why) for why in life.FOR_GOOD)
    day = today.isoformat()
    rows = execute(
        "SELECT DISTINCT p.identity FROM publication p JOIN record r ON r.identity = p.identity AND r.replaced_seq IS NULL "  # noqa: S608
        "LEFT JOIN uncounted u ON u.identity = p.identity WHERE p.state = 'published' AND (p.latest <= ? "
        f"OR r.act = 'withdraw' OR u.why IN ({out}) OR (r.ends_on <= ? AND r.kind IN ({kinds}))) ORDER BY p.identity",
        (day, day),
    ).fetchall()
    found = [row[0] for row in rows]
    if old_rows == "retime":
        marks = ", ".join("?" * len(publicity.regimes_over(today)))
        old = execute(
            f"SELECT DISTINCT identity FROM publication WHERE state = 'published' AND regime IN ({marks}) ORDER BY identity",  # noqa: S608
            publicity.regimes_over(today),
        ).fetchall()
        found += [row[0] for row in old if row[0] not in set(found)]
    return found


def end(identity: str, *, today: date, actor: str, now: int, old_rows: str) -> list[str]:
    """Bring one published record to where it must be by `today`: stopped where its period or its cause has ended, and
    counted anew first where old rows are to be retimed. Safe to repeat. Returns the channels that were stopped."""
    with ledger.writing(now=now, schemes=[]) as pen:
        target = life.target_of(identity)
        if target.withdrawn or target.out in life.FOR_GOOD:
            because = "withdrawn" if target.withdrawn else target.out
            return take_down(pen, target, because, on=today, by=actor, now=now, tell=False)
        if target.kind in _ENDING and target.ends_on is not None and target.ends_on <= today:
            return take_down(pen, target, "removed", on=today, by=actor, now=now)
        if old_rows == "retime":
            _retime(pen, target, today=today, actor=actor, now=now)
        over = [
            channel
            for channel, row in _rows(identity).items()
            if row["state"] == "published" and row["latest"] is not None and row["latest"] <= today
        ]
        return take_down(pen, target, "latest", on=today, by=actor, now=now, channels=over) if over else []


def _retime(pen: Pen, target: Target, *, today: date, actor: str, now: int) -> None:
    """Count the periods of rows under an older regime by the one in force today; what it does not show ends today."""
    changes = []
    for channel, row in _rows(target.identity).items():
        found = _class(target, "", "", row)
        if row["state"] != "published" or row["regime"] not in publicity.regimes_over(today) or found is None:
            continue
        terms = terms_of(target, channel, found, published_on=row["published_on"], today=today, old_rows="retime")
        ends = [day for day in (terms.latest, row["source_until"]) if day is not None]
        values = {
            "regime": terms.regime, "class_": found.name, "counts_from": terms.counts_from, "earliest": terms.earliest,
            "latest": min(ends) if terms.published and ends else today, "basis": _basis(target, found, terms),
        }  # fmt: skip
        changes.append(_change(target, channel, values))
    if changes:
        outcome = life.step(pen, "retimed", target, changes, on=today, by=actor)
        audit.note("record.retimed", actor=actor, subject=f"record {target.seq}", now=now, by=outcome.seq)


def _basis(target: Target, class_: publicity.Class, terms: publicity.Terms) -> str:
    """What class and periods rest on, as it is printed; a product default says that it is one."""
    period = f"{terms.basis}（{publicity.BASIS_KINDS[terms.basis_kind]}）"
    if target.kind != "penalty":
        return period
    return f"{class_.basis}（{publicity.BASIS_KINDS[class_.basis_kind]}）；{period}"


def _rows(identity: str) -> dict[str, dict[str, Any]]:
    rows = life.rows_of(Publication, identity=identity)
    return {row["channel"]: row for row in sorted(rows, key=lambda row: CHANNELS.index(row["channel"]))}


def _change(target: Target, channel: str, values: dict[str, Any]) -> Change:
    return Change("publication", {"identity": target.identity, "channel": channel}, values)


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
