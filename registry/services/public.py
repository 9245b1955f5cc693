"""What anyone may see of an entity: registration basics, and records that are published on our own site today.

Visibility is always today's. Asking for a past day chooses among what may be seen today the records that were known by
then; their words are today's too, because the words of yesterday that were corrected since are not published any more.
Nothing here knows a class, a score, or an order that follows from one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry import cursor
from registry.database import dicts, execute, in_slices
from registry.errors import EntityNotFound
from registry.kinds import KINDS, kind_named
from registry.models import Entity, Publication, Record
from registry.page import Page
from registry.services import dossier, entities, ledger, publication, reconciliation, timeline, visibility

CHANNEL = "site"
# Listings are shown apart and first on the page: they are what a visitor must not miss.
LISTINGS = ("serious_listing", "abnormal_listing")


@dataclass(frozen=True, slots=True)
class Row:
    """What orders a record and names it: no word of what it says. `happened_on` is ISO text."""

    seq: int
    identity: str
    kind: str
    happened_on: str | None
    ends_on: str | None


@dataclass(frozen=True, slots=True)
class Visible:
    """The records of one entity that anyone may see today, without their words, newest first."""

    entity: Entity
    rows: list[Row]

    def counts(self) -> dict[str, int]:
        """How many by kind, in the order of the kinds."""
        found = [row.kind for row in self.rows]
        return {name: found.count(name) for name in KINDS if name in found}


def visible(code: str, *, today: date, zone: str) -> Visible:
    """What anyone may see today of the entity with this code, and of those that were merged into it.

    Reads what is published and nothing else, however much is on record: three queries (one more for every few thousand
    records that are published). `zone` is the time zone in which the registry counts its days.

    Raises EntityNotFound; also for an entity that is not registered and of which nothing is published: that some record
    names a code is not public.
    """
    entity = entities.get(code)
    ids = timeline.merged(entity.id)
    shown = [
        row
        for row in _rows(sorted(publication.visible(*ids, channel=CHANNEL, today=today)))
        if row.kind != "registration" and visibility.is_open(KINDS[row.kind], visibility.PUBLIC)
    ]
    if entity.provisional and not shown:
        raise EntityNotFound(code[:40])
    shown.sort(key=_order, reverse=True)
    return Visible(entity, shown)


def _rows(identities: Sequence[str]) -> list[Row]:
    """The rows that hold of these records."""
    found = []
    for part in in_slices(identities):
        sql = (
            "SELECT seq, identity, kind, happened_on, ends_on FROM record "  # noqa: S608 (names are ours)
            f"WHERE identity IN ({', '.join('?' * len(part))}) AND replaced_seq IS NULL"
        )
        for seq, identity, kind, happened_on, ends_on in execute(sql, part).fetchall():
            # SQLite has days as text, PostgreSQL as days.
            days = [None if day is None else str(day) for day in (happened_on, ends_on)]
            found.append(Row(seq, identity, kind, *days))
    return found


def _first(rows: Sequence[Row]) -> dict[str, int]:
    """Identity → the ledger number of the first row that ever said it."""
    found = {row.identity: row.seq for row in rows}
    for part in in_slices(sorted(found)):
        sql = (
            "SELECT identity, min(seq) FROM record "  # noqa: S608 (names are ours)
            f"WHERE identity IN ({', '.join('?' * len(part))}) AND replaced_seq IS NOT NULL GROUP BY identity"
        )
        found |= dict(execute(sql, part).fetchall())
    return found


def _order(row: Row) -> tuple[str, int]:
    return row.happened_on or "", row.seq


def basics(entity: Entity) -> dict[str, Any]:
    """Registration basics 登记信息 as they are today."""
    return dossier.basics_of(entity, None) | {"provisional": entity.provisional}


def page(
    found: Visible,
    *,
    kind: str | None = None,
    on: date | None = None,
    zone: str,
    after: str | None = None,
    limit: int = 50,
) -> Page[dict[str, Any]]:
    """One page of what is visible, newest first, undated records last. Two queries; asked for a day, two more.

    `on` keeps what had happened and was known by the end of that day; never anything that is not visible today. Raises
    UnknownKind, BadCursor.
    """
    if kind is not None:
        kind_named(kind)
    rows = [row for row in found.rows if kind in (None, row.kind)]
    if on is not None:
        # The day as the registry counts it, so that a row learned that evening belongs to it.
        last = ledger.seq_at(reconciliation.bounds(on, zone)[1] - 1)
        first = _first(rows)
        rows = [row for row in rows if first[row.identity] <= last and (row.happened_on or "") <= on.isoformat()]
    if after is not None:
        day, seq = cursor.decode(after, str, int)
        rows = [row for row in rows if _order(row) < (day, seq)]
    shown = rows[:limit]
    items = _items(shown, None if on is None else last)
    return Page(items, cursor.encode(*_order(shown[-1])) if len(rows) > limit else None)


def _items(rows: Sequence[Row], believed: int | None) -> list[dict[str, Any]]:
    words = {row["seq"]: row for row in dicts(Record.select().where(Record.seq.in_([row.seq for row in rows])))}
    identities = [row.identity for row in rows]
    channel = (Publication.channel == CHANNEL) & Publication.identity.in_(identities)
    published = {row.identity: row for row in Publication.select().where(channel)}
    items = []
    for row in rows:
        said, kind, until = words[row.seq], KINDS[row.kind], published[row.identity]
        seen = visibility.shown(kind, said, visibility.PUBLIC)
        items.append({
            "kind": row.kind, "title": {"zh": kind.title.zh, "en": kind.title.en},
            "line": {"zh": seen["line"].zh, "en": seen["line"].en}, "happened_on": row.happened_on, "ends_on": row.ends_on,
            "amount_fen": seen.get("amount_fen", 0), "organ": seen["organ"], "document_no": seen["document_no"],
            "published_on": None if until.published_on is None else until.published_on.isoformat(),
            "published_until": None if until.latest is None else until.latest.isoformat(),
            "counts_from": None if until.counts_from is None else until.counts_from.isoformat(),
            "repairable_from": None if until.earliest is None else until.earliest.isoformat(),
            # What was believed on the day that was asked for had other words; those are not published any more.
            "corrected_since": believed is not None and row.seq > believed,
            "detail": seen["detail"],
        })  # fmt: skip
    return items
