"""The timeline of an entity: what happened, what was corrected, and what was done with its records, in one order.

As-of chooses what was believed; what may be seen is always today's. A record that was withdrawn, repaired or erased
since shows that something was, and nothing more, whichever day or number is asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson

from registry.database import execute
from registry.kinds.codes import Label
from registry.services import aliases

What = Literal["record", "end", "correction", "withdrawal", "restatement", "step", "sealed"]
Sealed = Literal["withdrawn", "repaired", "erased"]

# Kinds whose end is an event of its own, and how it is called. The end of a licence or a certificate is known from its
# first day on, so it stands in the record's own line.
ENDS = {
    "abnormal_listing": Label("移出", "removed"),
    "serious_listing": Label("移出", "removed"),
    "outside_list": Label("退出名单", "removed"),
    "recall": Label("召回完成", "completed"),
    "item_12315": Label("办结", "closed"),
}
# A record that does not count for one of these reasons is not shown either.
SEALING: dict[str, Sealed] = {"repaired": "repaired", "erased": "erased"}
COLUMNS = "r.seq, r.act, r.identity, r.kind, r.entity_id, r.happened_on, r.ends_on, r.replaces, r.replaced_seq, r.about"
# When a row became known: the moment of the transaction that it came with.
KNOWN_AT = "(SELECT m.at FROM moment m WHERE m.seq >= r.seq ORDER BY m.seq LIMIT 1)"


@dataclass(frozen=True, slots=True)
class Row:
    """A ledger row without its words. Days are ISO text; `learned` is the day on which the registry heard of it."""

    seq: int
    act: str
    identity: str
    kind: str
    entity: int
    happened_on: str | None
    ends_on: str | None
    replaces: int | None
    replaced_seq: int | None
    about: str | None
    learned: str


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline, before it has words.

    `day` is ISO text and empty where the source gives no date. `seq` is the row that it is told from, `before` the row
    that it corrected, `still_open` says that the end of the record lies after the day that is asked for.
    """

    day: str
    seq: int
    part: int
    what: What
    kind: str
    identity: str
    entity: int
    before: int | None = None
    still_open: bool = False
    sealed: Sealed | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        """What the timeline is ordered by, newest first."""
        return self.day, self.seq, self.part


def merged(entity: int, known: int | None = None) -> list[int]:
    """The entity and those that were merged into it, as far as was known (default: now). One query."""
    return [entity, *sorted(aliases.members([entity], known=known))]


def rows_of(entities: Sequence[int], zone: str) -> list[Row]:
    """Every ledger row about these entities, without its words, in order of seq. One query."""
    marks = ", ".join("?" * len(entities))
    sql = f"SELECT {COLUMNS}, {KNOWN_AT} FROM record r WHERE r.entity_id IN ({marks}) ORDER BY r.seq"  # noqa: S608
    days: dict[int, str] = {}
    return [
        Row(seq, act, identity, kind, entity, _iso(day), _iso(ends), replaces, replaced, about, _day_of(at, zone, days))
        for seq, act, identity, kind, entity, day, ends, replaces, replaced, about, at in execute(
            sql, list(entities)
        ).fetchall()
    ]


def left_out(entities: Sequence[int]) -> dict[str, str]:
    """Identity → why, for the records of these entities that hold and do not count today. One query."""
    marks = ", ".join("?" * len(entities))
    sql = f"SELECT identity, why FROM uncounted WHERE entity IN ({marks})"  # noqa: S608
    return dict(execute(sql, list(entities)).fetchall())


def sealed_today(rows: Iterable[Row], uncounted: dict[str, str]) -> dict[str, Sealed]:
    """Identity → why its words are not shown any more: what holds today, whatever day is asked for."""
    found: dict[str, Sealed] = {
        row.identity: "withdrawn" for row in rows if row.act == "withdraw" and row.replaced_seq is None
    }
    return found | {identity: SEALING[why] for identity, why in uncounted.items() if why in SEALING}


def sealed_papers(entities: Sequence[int], sealed: dict[str, Sealed]) -> dict[str, Sealed]:
    """What steps of listing cases, documents and deliveries are about → why they are not told: their record is sealed.

    Two queries, and none where nothing is sealed.
    """
    if not sealed:
        return {}
    marks = ", ".join("?" * len(entities))
    found: dict[str, Sealed] = {}
    why: dict[int, Sealed] = {}  # by the id of a document
    cases = f"SELECT id, identity, steps FROM listing_case WHERE entity IN ({marks}) AND identity IS NOT NULL"  # noqa: S608
    for number, identity, steps in execute(cases, list(entities)).fetchall():
        if identity in sealed:
            found[f"case:{number}"] = sealed[identity]
            # SQLite keeps the steps as text, PostgreSQL as a document.
            said = orjson.loads(steps) if isinstance(steps, str) else steps
            why |= {one["document"]: sealed[identity] for one in said if one.get("document")}
    # What was issued before the listing was on record is about nothing but itself in the ledger.
    papers = f"SELECT d.id, d.about, r.about FROM document d JOIN record r ON r.seq = d.seq WHERE d.entity IN ({marks})"  # noqa: S608
    for number, about, step in execute(papers, list(entities)).fetchall():
        reason = why.get(number) or sealed.get(about)
        if reason is not None:
            found[f"document:{number}"] = reason
            if step.startswith("document:"):
                found[step] = reason
    return found


def events(rows: Sequence[Row], sealed: dict[str, Sealed], *, on: date | None, known: int, today: date) -> list[Event]:
    """The timeline as it was known at ledger number `known`, up to the day `on`, newest first; undated records last.

    Pure. `rows` are all rows of the entity, `sealed` says which records may not be told. A record stands once, in the
    words that were believed; each correction stands beside it on the day on which it became known.
    """
    last = (on or date.max).isoformat()
    by_identity: dict[str, list[Row]] = defaultdict(list)
    found: list[Event] = []
    for row in rows:
        if row.seq > known:
            continue
        if row.act != "step":
            by_identity[row.identity].append(row)
        elif row.about not in sealed:
            found.append(_event(row, row.happened_on or row.learned, "step"))
    for identity, said in by_identity.items():
        if identity in sealed:
            first = said[0]
            found.append(_event(first, first.learned, "sealed", sealed=sealed[identity]))
        else:
            found += _told(said, known, last, today.isoformat())
    return sorted((event for event in found if event.day <= last), key=lambda event: event.key, reverse=True)


CHANGES: dict[str, What] = {"correct": "correction", "withdraw": "withdrawal", "restate": "restatement"}


def _told(said: Sequence[Row], known: int, last: str, today: str) -> Iterable[Event]:
    """The events of one record that may be told."""
    for row in said:
        if row.act in CHANGES:
            yield _event(row, row.learned, CHANGES[row.act], before=row.replaces)
        if row.act == "withdraw" or (row.replaced_seq is not None and row.replaced_seq <= known):
            continue
        ends = row.ends_on if row.kind in ENDS else None
        yield _event(row, row.happened_on or "", "record", still_open=ends is not None and ends > min(last, today))
        if ends is not None and ends <= today:
            yield _event(row, ends, "end", part=1)


def _event(row: Row, day: str, what: What, *, part: int = 0, **more: Any) -> Event:
    # A correction may hold now: then the record and its correction are told from one row.
    part = part or (2 if what in CHANGES.values() else 0)
    return Event(day, row.seq, part, what, row.kind, row.identity, row.entity, **more)


def after(found: Sequence[Event], key: tuple[str, int, int] | None, limit: int) -> tuple[list[Event], bool]:
    """At most `limit` events behind `key`, and whether more follow."""
    rest = [event for event in found if key is None or event.key < key]
    return rest[:limit], len(rest) > limit


def _iso(day: Any) -> str | None:
    # SQLite has days as text, PostgreSQL as days.
    return None if day is None else str(day)


def _day_of(at: int, zone: str, seen: dict[int, str]) -> str:
    if at not in seen:  # rows of one transaction share their moment
        seen[at] = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date().isoformat()
    return seen[at]
