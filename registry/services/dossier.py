"""The dossier 信用档案 of an entity: its whole record as a timeline, as of any day and any ledger number."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from registry import cursor
from registry.database import dicts
from registry.kinds import KINDS
from registry.kinds.codes import Label
from registry.models import Entity, Publication, Record
from registry.models.entity import STATUS
from registry.services import ledger, timeline, visibility
from registry.services.step_words import said_of_step
from registry.services.timeline import ENDS, Event
from registry.services.visibility import Reader

CHANGED = {
    "correction": Label("更正", "Corrected"),
    "withdrawal": Label("撤回", "Withdrawn"),
    "restatement": Label("恢复", "Restored"),
}
SEALED = {
    "withdrawn": Label("该记录已撤销，不再显示", "The record was withdrawn and is not shown any more"),
    "repaired": Label("该记录已完成信用修复，不再显示", "The record was repaired and is not shown any more"),
    "erased": Label("该记录已依法删除", "The record was lawfully erased"),
}
NOT_COUNTED = {
    "by_name": Label("仅凭名称匹配，待确认", "found by name alone, waits to be confirmed"),
    "review": Label("待审核", "waits for a review"),
    "capped": Label("超出同一投诉人计数上限", "beyond what one claimant's items may count"),
    "undated": Label("来源未提供日期", "its source gives no date"),
    "withdrawn": Label("已撤回", "withdrawn"),
    "repaired": Label("已完成信用修复", "repaired"),
    "erased": Label("已依法删除", "lawfully erased"),
}
# Of these nobody can say yet whose records they are.
WAITING = ("by_name", "review")


@dataclass(frozen=True, slots=True)
class Dossier:
    """One page of a dossier. `counts` (records by kind) and `years` (lines by year, "" undated) are of the whole."""

    entity: Entity
    on: date | None
    known: int
    basics: dict[str, Any]
    # Codes of the entities that were merged into it, and all ids that its lines are about.
    merged: list[str]
    ids: list[int]
    counts: dict[str, int]
    years: dict[str, int]
    items: list[dict[str, Any]]
    next: str | None


def page(
    entity: Entity,
    *,
    reader: Reader,
    today: date,
    zone: str,
    on: date | None = None,
    known: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Dossier:
    """One page of the entity's timeline, newest first, undated records last, in a constant number of queries.

    `on` leaves out what happened later, `known` what the registry learned later (default: all of it); entities that
    were merged into this one as of `known` belong to it. What was withdrawn, repaired or erased by today is one line
    without words; what waits to be confirmed or reviewed is for regulators only. `zone` is the time zone in which the
    days of corrections are told. Raises BadCursor.
    """
    head = ledger.head()
    known = head if known is None else min(known, head)
    ids = timeline.merged(entity.id, known)
    rows = timeline.rows_of(ids, zone)
    uncounted = timeline.left_out(ids)
    sealed = timeline.sealed_today(rows, uncounted)
    sealed |= timeline.sealed_papers(ids, sealed)
    abouts = {row.seq: row.about for row in rows if row.act == "step" and row.about}
    # What waits for a confirmation or a review may turn out to be another's: whoever is no regulator is not told of it.
    waiting = set() if reader.sees("internal") else {one for one, why in uncounted.items() if why in WAITING}
    events = [
        event
        for event in timeline.events(rows, sealed, on=on, known=known, today=today)
        if _is_for(event.what == "step", event.kind, reader)
        and event.identity not in waiting
        and abouts.get(event.seq) not in waiting
    ]
    key = None if after is None else _key(after)
    shown, more = timeline.after(events, key, limit)
    registration = next(
        (row for row in reversed(rows) if row.identity not in sealed and _is_registration(row, entity.id, known)), None
    )
    words = _words(shown, [registration.seq] if registration else [], abouts)
    published = publications([event.identity for event in shown if event.what == "record"])
    items = [_item(event, words, abouts, reader, uncounted) for event in shown]
    for event, item in zip(shown, items, strict=True):
        if event.what == "record":
            item["publication"] = published.get(event.identity, [])
    records = [event for event in events if event.what == "record"]
    return Dossier(
        entity, on, known, basics_of(entity, words.get(registration.seq) if registration else None), _codes(ids[1:]), ids,
        dict(sorted(Counter(event.kind for event in records).items(), key=lambda pair: KINDS[pair[0]].number)),
        dict(Counter(event.day[:4] for event in events)), items, cursor.encode(*shown[-1].key) if more else None,
    )  # fmt: skip


def _codes(ids: Sequence[int]) -> list[str]:
    if not ids:
        return []
    query = Entity.select(Entity.code, Entity.registration_no).where(Entity.id.in_(list(ids))).order_by(Entity.id)
    return [one.code or one.registration_no or "" for one in query]


@cache  # asked for each of many thousand lines; readers and kinds are few
def _is_for(step: bool, kind: str, reader: Reader) -> bool:
    if step:
        return said_of_step(kind, reader) is not None
    return visibility.is_open(KINDS[kind], reader)


def _key(token: str) -> tuple[str, int, int]:
    day, seq, part = cursor.decode(token, str, int, int)
    assert isinstance(day, str)
    assert isinstance(seq, int)
    assert isinstance(part, int)
    return day, seq, part


def _is_registration(row: timeline.Row, entity: int, known: int) -> bool:
    held = row.seq <= known and (row.replaced_seq is None or row.replaced_seq > known)
    return held and row.kind == "registration" and row.entity == entity


def _words(shown: Sequence[Event], more: Sequence[int], abouts: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The whole rows behind these events, by number; of the records that steps are about, by identity. One query."""
    seqs = {event.seq for event in shown} | {event.before for event in shown if event.before} | set(more)
    identities = {abouts[event.seq] for event in shown if event.seq in abouts}
    wanted = Record.seq.in_(sorted(seqs))
    if identities:
        wanted |= Record.identity.in_(sorted(identities)) & Record.replaced_seq.is_null()
    found: dict[int | str, dict[str, Any]] = {}
    for row in dicts(Record.select().where(wanted)):
        found[row["seq"]] = row
        if row["identity"] in identities and row["replaced_seq"] is None:
            found[row["identity"]] = row
    return found


def basics_of(entity: Entity, registration: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the entity is, by a registration row; without one, by what is known of it today (provisional entities)."""
    if registration is None:
        row: dict[str, Any] = {
            "name": entity.name, "kind": entity.kind, "status": STATUS[entity.status], "industry": entity.industry,
            "division": entity.division, "organ": entity.organ, "address": entity.address,
            "established": entity.established, "capital_fen": entity.capital_fen,
        }  # fmt: skip
    else:
        detail = registration["detail"]
        row = {
            "name": detail["name"], "kind": detail["subject"], "status": STATUS[registration["severity"]],
            "industry": registration["code"], "division": detail.get("division", ""), "organ": registration["organ"],
            "address": detail.get("address", ""), "established": registration["happened_on"],
            "capital_fen": registration["amount_fen"],
        }  # fmt: skip
    row["established"] = None if row["established"] is None else str(row["established"])
    return {
        "code": entity.code, "registration_no": entity.registration_no, **row, "provisional": registration is None,
    }  # fmt: skip


def publications(identities: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Where each of these records is published, since when and until when at the longest. One query."""
    found: dict[str, list[dict[str, Any]]] = {}
    query = Publication.select().where(Publication.identity.in_(sorted(set(identities))))
    for row in query.order_by(Publication.identity, Publication.channel):
        found.setdefault(row.identity, []).append({
            "channel": row.channel, "state": row.state, "regime": row.regime, "published_on": _text(row.published_on),
            "earliest": _text(row.earliest), "latest": _text(row.latest), "stopped_on": _text(row.stopped_on),
        })  # fmt: skip
    return found


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _item(
    event: Event,
    words: Mapping[int | str, dict[str, Any]],
    abouts: Mapping[int, str],
    reader: Reader,
    uncounted: Mapping[str, str],
) -> dict[str, Any]:
    """One line of the timeline as this reader may read it."""
    item: dict[str, Any] = {
        "day": event.day or None, "year": int(event.day[:4]) if event.day else None, "seq": event.seq,
        "what": event.what, "kind": event.kind,
    }  # fmt: skip
    row = words[event.seq]
    if event.what == "step":
        label = said_of_step(event.kind, reader)
        assert label is not None  # others were left out
        return item | _step(row, label, words.get(abouts.get(event.seq, "")), reader)
    kind = KINDS[event.kind]
    item["title"] = _both(kind.title)
    if event.sealed is not None:
        # As the explanation of a grade does: that something was, and nothing more.
        return item | {"line": _both(SEALED[event.sealed]), "sealed": event.sealed}
    seen = visibility.shown(kind, row | {"ends_on": None} if event.still_open else row, reader)
    line = seen["line"]
    if event.what == "end":
        line = Label(f"{ENDS[event.kind].zh}：{line.zh}", f"{ENDS[event.kind].en.capitalize()}: {line.en}")
    elif event.what != "record":
        changed = CHANGED[event.what]
        line = Label(f"{changed.zh}：{line.zh}", f"{changed.en}: {line.en}")
        if event.before is not None and reader.sees("internal"):
            item["was"] = _both(visibility.shown(kind, words[event.before], reader)["line"])
    item |= {
        "line": _both(line), "organ": seen["organ"], "document_no": seen["document_no"],
        "amount_fen": seen.get("amount_fen", 0),
    }  # fmt: skip
    if event.what == "record":
        why = uncounted.get(event.identity) or ("undated" if row["happened_on"] is None else None)
        item |= {
            "ends_on": None if seen["ends_on"] is None else str(seen["ends_on"]),
            "corrected": row["act"] == "correct",
            "counted": why is None,
            "why_not": None if why is None else _both(NOT_COUNTED[why]),
            "detail": seen["detail"],
        }
        if reader.sees("internal"):
            item["source"] = row["source"]
    return item


def _step(row: Mapping[str, Any], label: Label, about: Mapping[str, Any] | None, reader: Reader) -> dict[str, Any]:
    line = label
    if about is not None:
        number = about["detail"].get("printed_no") or about["document_no"]
        title = KINDS[about["kind"]].title
        line = Label(f"{label.zh}：{title.zh}{number}", f"{label.en}: {title.en.lower()} {number}".rstrip())
    elif words := [str(row["detail"][name]) for name in ("number", "merged", "into") if name in row["detail"]]:
        line = Label(f"{label.zh}：{' → '.join(words)}", f"{label.en}: {' → '.join(words)}")
    shown = {"title": _both(label), "line": _both(line)}
    return shown | {"by": row["source"]} if reader.sees("internal") else shown


def _both(label: Label) -> dict[str, str]:
    return {"zh": label.zh, "en": label.en}


__all__ = ["NOT_COUNTED", "Dossier", "basics_of", "page", "publications"]
