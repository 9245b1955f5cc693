"""Reconciliation 对账: what one organ's records of one day came to, in figures that its sender can compute from its own rows.

Each record that the day touched is one line of text, as it stood at the end of the day::

    kind|document number|code of the party|day|amount in fen|state

with the document number folded (`registry.cells.documents.fold_document_no`), the day on which the record happened as
YYYY-MM-DD (empty without one), and the state `1` where it holds, `0` where it was withdrawn. `sha256` of a record is the
SHA-256 of its line in UTF-8; `sha256` of a source, or of one kind of it, is the SHA-256 of the lines sorted by their bytes
and joined by line feeds, without one at the end. docs/integrations.md works an example.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from registry import cursor
from registry.cells.documents import fold_document_no
from registry.database import execute, in_slices
from registry.identity import fold_code
from registry.page import Page
from registry.services import ledger

# How the lines are made and summed; another way will have another name.
METHOD = "xinheng-1"
STATES = {
    "state": "stored",
    "correct": "corrected",
    "end": "corrected",
    "restate": "corrected",
    "withdraw": "withdrawn",
}
# The organ that a waiting row says decided it.
ORGAN_OF = "fields ->> 'organ' = ?"


@dataclass(frozen=True, slots=True)
class Line:
    """One record as it stood at the end of the day."""

    kind: str
    document_no: str
    code: str
    happened_on: str
    amount_fen: int
    holds: bool
    seq: int = 0
    said: str = "stored"

    @property
    def text(self) -> str:
        """The line that both sides compute."""
        parts = (self.kind, self.document_no, self.code, self.happened_on, str(self.amount_fen), str(int(self.holds)))
        return "|".join(parts)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(slots=True)
class Tally:
    """What came of one kind from one source on one day."""

    lines: list[Line] = field(default_factory=list)
    waiting: int = 0

    def count(self, said: str) -> int:
        return sum(1 for line in self.lines if line.said == said)


@dataclass(frozen=True, slots=True)
class Day:
    """What one organ's records of one day came to. Ledger rows after `after_seq` up to `until_seq` are of the day."""

    on: date
    organ: str | None
    after_seq: int
    until_seq: int
    sources: dict[str, dict[str, Tally]]
    rejected: dict[str, int]


def total(lines: Iterable[Line]) -> str:
    """The sum over records in any order: SHA-256 over their sorted lines."""
    return hashlib.sha256(b"\n".join(sorted(line.text.encode() for line in lines))).hexdigest()


def day(on: date, *, organ: str | None, zone: str, source: str | None = None, kind: str | None = None) -> Day:
    """What arrived on a day (of the time zone `zone`), by source and kind. Four queries.

    `organ` limits it to what that organ decided: None is for the operator alone. Rows that came again in the same words
    are no news and not of the day. `rejected` counts refused rows of files by source, and only of sources from which
    something of the organ's came that day or whose file the organ itself sent.
    """
    start, end = bounds(on, zone)
    first, last = ledger.seq_at(start - 1), ledger.seq_at(end - 1)
    sources: dict[str, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    for line_source, line in _lines(first, last, organ, source, kind):
        sources[line_source][line.kind].lines.append(line)
    for row_source, row_kind, number in _waiting(start, end, organ, source, kind):
        sources[row_source][row_kind].waiting += number
    rejected = _rejected(start, end, organ, source, set(sources))
    for name in rejected:
        sources[name]
    return Day(on, organ, first, last, {name: dict(kinds) for name, kinds in sorted(sources.items())}, rejected)


def bounds(on: date, zone: str) -> tuple[int, int]:
    """First millisecond of a day, and of the next, where the registry works."""
    place = ZoneInfo(zone)
    midnights = (datetime.combine(on, time(), place), datetime.combine(on + timedelta(days=1), time(), place))
    first, after = (int(moment.timestamp() * 1000) for moment in midnights)
    return first, after


def _lines(
    first: int, last: int, organ: str | None, source: str | None, kind: str | None, *, after: int = 0, limit: int | None = None
) -> list[tuple[str, Line]]:  # fmt: skip
    """(source, line) of the records that a day touched, behind row `after`, in the order of the ledger. One query."""
    # A record that changed twice on one day stands once, as it was in the evening.
    where = (
        "r.seq > ? AND r.seq <= ? AND (r.replaced_seq IS NULL OR r.replaced_seq > ?) AND r.act <> 'step' "
        "AND r.entity_id IS NOT NULL"
    )
    given: list[object] = [max(first, after), last, last]
    for column, wanted in (("r.organ", organ), ("r.source", source), ("r.kind", kind)):
        if wanted is not None:
            where += f" AND {column} = ?"
            given.append(wanted)
    sql = (
        "SELECT r.seq, r.act, r.kind, r.document_no, r.happened_on, r.amount_fen, r.source, e.code, e.registration_no "  # noqa: S608
        f"FROM record r JOIN entity e ON e.id = r.entity_id WHERE {where} ORDER BY r.seq"
    )
    if limit is not None:
        sql += " LIMIT ?"
        given.append(limit)
    return [
        (row_source, Line(
            row_kind, document_no, code or number or "", "" if happened_on is None else str(happened_on), amount,
            act != "withdraw", seq, STATES[act],
        ))
        for seq, act, row_kind, document_no, happened_on, amount, row_source, code, number in execute(sql, given).fetchall()
    ]  # fmt: skip


def _waits(conditions: Sequence[tuple[str, object]]) -> tuple[str, list[object]]:
    """The condition of these columns of `unmatched` and its values; a column that None is asked for is left out."""
    asked = [(condition, value) for condition, value in conditions if value is not None]
    return " AND ".join(condition for condition, _ in asked), [value for _, value in asked]


def _waiting(
    start: int, end: int, organ: str | None, source: str | None, kind: str | None
) -> list[tuple[str, str, int]]:
    """(source, kind, how many) of the rows that began to wait for their party on the day and wait still."""
    where, given = _waits(
        [("waiting_since >= ?", start), ("waiting_since < ?", end), (ORGAN_OF, organ), ("source = ?", source), ("kind = ?", kind)]
    )  # fmt: skip
    sql = f"SELECT source, kind, count(*) FROM unmatched WHERE {where} GROUP BY source, kind"  # noqa: S608 (names are ours)
    return [(row_source, row_kind, int(number)) for row_source, row_kind, number in execute(sql, given).fetchall()]


def _rejected(start: int, end: int, organ: str | None, source: str | None, known: set[str]) -> dict[str, int]:
    rows = execute(
        "SELECT i.source, i.rejected, u.organ FROM import_run i LEFT JOIN upload u ON u.run_id = i.id "
        "WHERE i.started_at >= ? AND i.started_at < ? AND i.rejected > 0",
        (start, end),
    ).fetchall()
    found: dict[str, int] = defaultdict(int)
    for row_source, number, sender in rows:
        if source in (None, row_source) and (organ is None or sender == organ or (not sender and row_source in known)):
            found[row_source] += number
    return dict(found)


def summary(found: Day) -> dict[str, Any]:
    """A day as figures: per source and kind how many, and the sum over their lines."""
    sources = []
    for name, kinds in found.sources.items():
        every = [line for tally in kinds.values() for line in tally.lines]
        sources.append({
            "source": name, **_counts(every), "waiting": sum(tally.waiting for tally in kinds.values()),
            "rejected": found.rejected.get(name, 0), "sha256": total(every),
            "kinds": [
                {"kind": kind, **_counts(tally.lines), "waiting": tally.waiting, "sha256": total(tally.lines)}
                for kind, tally in sorted(kinds.items())
            ],
        })  # fmt: skip
    return {
        "date": found.on.isoformat(), "organ": found.organ, "after_seq": found.after_seq,
        "until_seq": found.until_seq, "method": METHOD, "sources": sources,
    }  # fmt: skip


def _counts(lines: Sequence[Line]) -> dict[str, int]:
    said = [line.said for line in lines]
    return {"records": len(lines)} | {name: said.count(name) for name in ("stored", "corrected", "withdrawn")}


def page(
    on: date, *, organ: str | None, zone: str, source: str, kind: str | None = None, after: str | None = None, limit: int = 50
) -> Page[Line]:  # fmt: skip
    """The records of one source on a day in the order of the ledger; sorted by their bytes they give its sum.

    Costs what the page costs, however much came that day. Raises BadCursor.
    """
    start, end = bounds(on, zone)
    first, last = ledger.seq_at(start - 1), ledger.seq_at(end - 1)
    behind = 0 if after is None else int(str(cursor.decode(after, int)[0]))
    lines = [line for _, line in _lines(first, last, organ, source, kind, after=behind, limit=limit + 1)]
    return Page(lines[:limit], cursor.encode(lines[limit - 1].seq) if len(lines) > limit else None)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two sides of one day by (document number as given, code of the party).

    `unknown`: the other side has it and we have nothing of it. `waiting`: we hold it back, its party is not known yet.
    `withdrawn`: on record as withdrawn. `extra`: we recorded it that day and the other side does not name it.
    """

    same: int
    unknown: list[tuple[str, str]]
    waiting: list[tuple[str, str]]
    withdrawn: list[tuple[str, str]]
    extra: list[tuple[str, str]]

    @property
    def agree(self) -> bool:
        return not (self.unknown or self.waiting or self.withdrawn or self.extra)


def compare(
    theirs: Sequence[tuple[str, str]], found: Day, *, source: str, organ: str | None, kind: str | None
) -> Compared:
    """Hold a file's (document number, code) against the ledger: what either side lacks, each in order.

    A row that we have from any day counts as there: what is sent again is no news. Document numbers are folded, codes
    too. Rows without a document number cannot be compared and are left out of `extra`.
    """
    keys = {(fold_document_no(number), fold_code(code)): (number, code) for number, code in theirs}
    holds = _on_record(sorted({code for _, code in keys}), organ, kind)
    waits = _waiting_numbers(organ, source, kind)
    unknown, waiting, withdrawn, same = [], [], [], 0
    for key, given in keys.items():
        if key in holds:
            same += holds[key]
            withdrawn += [] if holds[key] else [given]
        elif key[0] in waits:
            waiting.append(given)
        else:
            unknown.append(given)
    today = {
        (line.document_no, line.code)
        for name, tally in found.sources.get(source, {}).items()
        for line in tally.lines
        if kind in (None, name) and line.document_no and line.holds
    }
    return Compared(same, unknown, waiting, withdrawn, sorted(today - set(keys)))


def _on_record(codes: Sequence[str], organ: str | None, kind: str | None) -> dict[tuple[str, str], bool]:
    """(document number, code) → whether it holds, of the current records about these parties. An indexed walk."""
    found: dict[tuple[str, str], bool] = {}
    conditions = [(column, value) for column, value in (("r.organ", organ), ("r.kind", kind)) if value is not None]
    more = "".join(f" AND {column} = ?" for column, _ in conditions)
    for column in ("code", "registration_no"):
        for part in in_slices(codes, 20_000):
            rows = execute(
                f"SELECT r.document_no, e.{column}, r.act FROM entity e JOIN record r ON r.entity_id = e.id "  # noqa: S608
                f"WHERE e.{column} IN ({', '.join('?' * len(part))}) AND r.replaced_seq IS NULL AND r.act <> 'step' "
                f"AND r.document_no <> ''{more}",
                [*part, *(value for _, value in conditions)],
            ).fetchall()
            for number, code, act in rows:
                found[number, code] = found.get((number, code), False) or act != "withdraw"
    return found


def _waiting_numbers(organ: str | None, source: str, kind: str | None) -> set[str]:
    where, given = _waits([("source = ?", source), (ORGAN_OF, organ), ("kind = ?", kind)])
    sql = f"SELECT DISTINCT fields ->> 'document_no' FROM unmatched WHERE {where}"  # noqa: S608 (names are ours)
    return {number for (number,) in execute(sql, given).fetchall()} - {""}
