"""Publication 公示 of a record per channel: published after a passed review, stopped when its term or its cause ends.

What may be shown is worked out when it is asked for (:func:`visible`): a row that says "published" is not enough. The
record must hold, count or at least not be taken out, and its present wording must have passed a review.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry import publicity
from registry.cells.personal import mask_personal
from registry.database import execute, find, in_slices
from registry.errors import RegistryError
from registry.kinds import KINDS
from registry.models import CHANNELS, Publication, Record, Review
from registry.services import audit, ledger, life, linked_checks, notices, publication_terms
from registry.services.ledger import Pen
from registry.services.life import HIDDEN, Change, Target
from registry.services.personal_fields import personal_in

# From when stopping a penalty stops the negative check that led to it (Order 107).
LINKED_FROM = date(2025, 12, 25)
# Ends of a penalty's publication with which the check that led to it stops: not those that may be undone the next day.
LINKED_ENDS = ("latest", "withdrawn", "repaired", "erased")
# Kinds whose publication ends on the first day on which the record no longer holds.
_ENDING = tuple(kind for kind in KINDS if publicity.ends_with_record(kind))
# Said of words that an upheld objection had refused by their review.
UPHELD = "An objection to these very words was upheld. Correct the record, and let the new wording pass its review."


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


def visible(*entities: int, channel: str, today: date) -> set[str]:
    """Identities of the records of these entities that may be shown on a channel today. One query.

    Only what is published there, not over, neither withdrawn nor repaired, erased or waiting, and in the wording that
    passed its review: a corrected record is not shown until the correction has passed one.
    """
    marks = ", ".join("?" * len(entities))
    rows = execute(f"{_VISIBLE} AND p.entity IN ({marks})", (*_visible_values(channel, today), *entities)).fetchall()
    return {row[0] for row in rows}


def is_visible(identity: str, *, channel: str, today: date) -> bool:
    """Whether one record may be shown on a channel today; see :func:`visible`."""
    found = execute(f"{_VISIBLE} AND p.identity = ?", (*_visible_values(channel, today), identity)).fetchone()
    return found is not None


def visible_of(identities: Sequence[str], *, channel: str, today: date) -> set[str]:
    """Those of the records that may be shown on a channel today; see :func:`visible`. One query for each slice of them."""
    seen: set[str] = set()
    for part in in_slices(list(identities)):
        marks = ", ".join("?" * len(part))
        found = execute(f"{_VISIBLE} AND p.identity IN ({marks})", (*_visible_values(channel, today), *part))
        seen.update(row[0] for row in found.fetchall())
    return seen


# The state is wrapped so that rows are found by their entity or identity, never by walking all that is published.
_VISIBLE = (
    "SELECT p.identity FROM publication p "  # noqa: S608 (names are ours)
    "JOIN record r ON r.identity = p.identity AND r.replaced_seq IS NULL "
    "JOIN review v ON v.identity = p.identity AND v.content = r.content AND v.outcome = 'passed' "
    "WHERE p.channel = ? AND coalesce(p.state, '') = 'published' AND p.published_on <= ? AND (p.latest IS NULL OR p.latest > ?) "
    "AND r.act <> 'withdraw' AND r.act <> 'step' "
    f"AND NOT (r.ends_on IS NOT NULL AND r.ends_on <= ? AND r.kind IN ({', '.join(repr(kind) for kind in _ENDING)})) "
    "AND NOT EXISTS (SELECT 1 FROM uncounted u WHERE u.identity = p.identity "
    f"AND u.why IN ({', '.join(repr(why) for why in HIDDEN)}))"
)


def _visible_values(channel: str, today: date) -> tuple[str, ...]:
    day = today.isoformat()
    return (channel, day, day, day)


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

    `class_` is an officer's own class of a penalty, and then needs a `reason`; without it the dated table decides. A `reason`
    is also what undoes an officer's stop. After another stop a record returns when its cause is gone: a withdrawn record was
    restated, the penalty of a linked check is shown again. Words to which an objection was upheld are refused by their review.
    `old_rows` is the setting `[publication] old_rows`. What may not be shown is said per channel and stays on record:
    `blocked` where a public field seems to hold personal data, `never` where the regime shows nothing of this class.

    Raises RecordNotFound, RecordConflict, NotPublishable, NotReviewed.
    """
    with ledger.writing(now=now, schemes=[]) as pen:
        target = life.current(seq, kind=kind, organ=organ)
        life.standing(target, seq)
        wanted = _channels(target, channels)
        reason = mask_personal(reason.strip())
        if class_ and (target.kind != "penalty" or not reason):
            raise NotPublishable(
                "A class is given for penalties only, and with a `reason`: it then stands in place of the table of classes."
            )
        if target.out in HIDDEN:
            raise NotPublishable(f"Record {seq} waits ({target.out}) and does not count yet, so it is not published. Settle that first.")  # fmt: skip
        review = find(Review, identity=target.identity, content=target.content)
        if review is None or review.outcome != "passed":
            raise NotReviewed(_not_reviewed(seq, kind, review))
        return _publish(pen, target, wanted, class_, reason, actor=actor, today=today, now=now, old_rows=old_rows)


def _not_reviewed(seq: int, kind: str, review: Review | None) -> str:
    if review is not None and upheld_against(review.seq):
        return f"Record {seq} is not published. {UPHELD}"
    return (
        f"Record {seq} has {'been refused by' if review else 'not passed'} its review in its present wording. "
        f"Review it first (`xinheng review {seq} --pass`, or POST /api/v1/records/{kind}/{seq}/review), as somebody else than "
        "who posted it."
    )


def upheld_against(step: int) -> bool:
    """Whether the ledger row that a review rests on is an objection that was upheld: such words are wrong for good."""
    return bool(Record.get(Record.seq == step).kind == "objection_verified")


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
    values: dict[str, Any]
    if before is not None and before["state"] == "stopped":
        bar = _bar(target, channel, before, reason, today)
        if bar:
            return "stopped", bar, None
    if personal:
        text = "; ".join(f"{name}: {what}" for name, what in personal)
        given = publication_terms.officers_class(class_, reason, before)
        values = {"regime": "", "class_": "none", "basis": text, "state": "blocked"}
        if given is not None:
            values |= {"class_": given.name, "basis": f"{given.basis}{publication_terms.OFFICER_END}；{text}"}
        return "blocked", text, values
    if target.happened_on is None:
        return "undated", "来源未提供日期 The record has no date, so no period can be counted. Correct it.", None
    first = (before["published_on"] if before else None) or today
    found = publication_terms.class_for(target, class_, reason, before)
    if found is None:
        cause = (
            "The kind of penalty or the amount of the fine could not be read. An officer gives the class with a reason."
        )
        return "class_unknown", cause, None
    terms = publication_terms.terms_of(target, channel, found, published_on=first, today=today, old_rows=old_rows)
    until = publication_terms.day_of(target.detail.get("publish_until"))
    ends = [day for day in (terms.latest, until) if day is not None]
    values = {
        "regime": terms.regime, "class_": found.name, "counts_from": terms.counts_from, "earliest": terms.earliest,
        "latest": min(ends) if ends else None, "source_until": until, "state": "published", "published_on": first,
        "stopped_on": None, "stopped_because": "",
        "basis": publication_terms.basis_of(target, found, terms),
    }  # fmt: skip
    if not terms.published:
        never = {**values, "state": "never", "published_on": None, "earliest": None, "latest": None}
        why = "仅受警告等的不予公示 " if found.name == "none" else ""
        return "never", f"{why}{terms.regime} shows nothing of class {found.name} on {channel}.", never
    if values["latest"] is not None and values["latest"] <= today:
        if before is not None and before["state"] == "published":
            return "over", f"The period is over since {values['latest']}; the nightly job stops it.", None
        if before is not None and before["published_on"] is not None:
            return "over", f"The period was over on {values['latest']}.", None
        never = {**values, "state": "never", "published_on": None}
        return "over", f"The period was over on {values['latest']}, before it was published.", never
    return "published", "", values


def _bar(target: Target, channel: str, before: Mapping[str, Any], reason: str, today: date) -> str:
    """What keeps a record that was stopped on a channel from being published there again, as a sentence; empty for nothing."""
    because = before["stopped_because"]
    if because in ("latest", *life.FOR_GOOD):
        return f"It was stopped for good ({because})."
    if because == "officer" and not reason:
        return "An officer stopped it. To show it again, publish this record by itself, with a `reason`."
    if because == "removed" and target.ends_on is not None and target.ends_on <= today:
        return f"It ended on {target.ends_on}."
    if because == "linked" and not any(
        is_visible(one, channel=channel, today=today) for one in linked_checks.penalties(target)
    ):
        return "The penalty that it led to is not shown any more. It returns with that penalty."
    return ""


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

    Recipients are told. Only a publication of this very record with a reason undoes it. Raises RecordNotFound,
    RecordConflict, NotPublishable.
    """
    with ledger.writing(now=now, schemes=[]) as pen:
        target = life.current(seq, kind=kind, organ=organ)
        wanted = _channels(target, channels)
        stopped = take_down(
            pen, target, "officer", on=today, by=actor, now=now, reason=mask_personal(reason.strip()), channels=wanted
        )
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
    """Stop a record wherever it is published, inside another verb's transaction.

    Returns the channels on which it was stopped. With `tell` recipients hear of it; without, the caller tells them more.
    Under Order 107 the checks that are linked to a penalty stop with it where its publication is over (LINKED_ENDS), and
    recipients hear of those in any case: nobody else tells them.
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
    if on >= LINKED_FROM and because in LINKED_ENDS:
        for other in linked_checks.of(target):
            take_down(pen, other, "linked", on=on, by=by, now=now, reason=reason, channels=list(rows))
    return list(rows)


def withdraw(pen: Pen, target: Target, *, source: str, reason: str, by: str, on: date, now: int) -> ledger.Outcome:
    """Withdraw a record inside another verb: it counts no more, is shown nowhere, and recipients are told where it may have
    reached one. Safe to repeat."""
    outcome = pen.withdraw(target.seq, source=source, reason=reason)
    if outcome.said in ledger.WRITTEN:
        pen.flush()
        take_down(pen, target, "withdrawn", on=on, by=by, now=now, tell=False)
        if notices.reached(target.identity):
            notices.tell(
                seq=outcome.seq, what="withdrawn", identity=target.identity, entity=target.entity.id, kind=target.kind,
                document_no=target.document_no, organ=target.organ, on=on,
            )  # fmt: skip
    return outcome


def corrected(identity: str, *, by: int, on: date) -> None:
    """Tell recipients, inside the transaction of a correction (ledger row `by`), where the record may have reached one.
    Of what was repaired or erased they were told to keep nothing, so they hear no more of it.

    The old wording is shown no more from here on, the new one once it has passed a review: what an organ calls wrong must
    not stay in public, and what nobody has looked at must not come there.
    """
    (target,) = life.targets(identities=[identity])
    if target.out not in life.FOR_GOOD and notices.reached(identity):
        notices.tell(
            seq=by, what="corrected", identity=identity, entity=target.entity.id, kind=target.kind,
            document_no=target.document_no, organ=target.organ, on=on,
        )  # fmt: skip


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
    """Count the periods of rows under an older regime by the one in force today; what it does not show ends today.

    A record that was corrected to one without a date, or to one whose class cannot be told, keeps the period that it has.
    """
    if target.happened_on is None:
        return
    changes = []
    for channel, row in _rows(target.identity).items():
        if row["state"] != "published" or row["regime"] not in publicity.regimes_over(today):
            continue
        found = publication_terms.class_for(target, "", "", row)
        if found is None:
            continue
        terms = publication_terms.terms_of(
            target, channel, found, published_on=row["published_on"], today=today, old_rows="retime"
        )
        ends = [day for day in (terms.latest, row["source_until"]) if day is not None]
        values = {
            "regime": terms.regime, "class_": found.name, "counts_from": terms.counts_from, "earliest": terms.earliest,
            "latest": min(ends) if terms.published and ends else today, "basis": publication_terms.basis_of(target, found, terms),
        }  # fmt: skip
        changes.append(_change(target, channel, values))
    if changes:
        outcome = life.step(pen, "retimed", target, changes, on=today, by=actor)
        audit.note("record.retimed", actor=actor, subject=f"record {target.seq}", now=now, by=outcome.seq)


def _rows(identity: str) -> dict[str, dict[str, Any]]:
    rows = life.rows_of(Publication, identity=identity)
    return {row["channel"]: row for row in sorted(rows, key=lambda row: CHANNELS.index(row["channel"]))}


def _change(target: Target, channel: str, values: dict[str, Any]) -> Change:
    return Change("publication", {"identity": target.identity, "channel": channel}, values)
