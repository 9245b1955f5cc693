"""The ledger: the one place that appends records, under one number, in commit order.

A caller opens `writing(...)`, states what it knows, and leaves; everything commits together or not at all::

    with ledger.writing(now=clock.now(), schemes=["general-risk"]) as pen:
        outcomes = pen.state(pairs, source="penalty-tax")
"""

import hashlib
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import orjson

from registry import clock
from registry.cells.names import fold_name
from registry.cells.personal import mask_personal
from registry.database import execute, execute_many, in_slices, insert_rows, is_postgres, write
from registry.errors import NotInitialised, RecordConflict, RecordNotFound
from registry.kinds import KINDS, Statement
from registry.models import LedgerHead, Moment, Record

RECORD_COLUMNS = (
    "seq", "act", "identity", "content", "kind", "entity_id", "code", "severity", "amount_fen", "happened_on", "ends_on",
    "document_no", "organ", "source", "detail", "replaces", "replaced_seq",
)  # fmt: skip
KNOWN_COLUMNS = "identity, seq, source, content, act, entity_id, code, severity, amount_fen, happened_on, ends_on"
# Whoever holds this row writes; SQLite has taken the whole write lock by then.
HEAD = "SELECT seq, entity, name FROM ledger_head WHERE id = 1"
HEAD_LOCKED = f"{HEAD} FOR UPDATE"
FACT_COLUMNS = ("entity", "known", "part", "kind", "code", "severity", "amount", "day", "ends", "gone")

# Kinds of which an entity has one record, whoever tells of it; the newest words hold.
ONE_PER_KEY = ("registration", "coverage")
# The source of what an organ says for itself, over the API: on its own decisions nobody knows better.
ORGAN = "organ"

Said = Literal["stored", "corrected", "unchanged", "differs", "withdrawn"]
# What changed the ledger.
WRITTEN: tuple[Said, ...] = ("stored", "corrected")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one statement, and the ledger row `seq` that holds now.

    `unchanged`: it is said already. `differs`: another source says something else that counts, and is not the one to
    correct it; its words are kept as provenance. `withdrawn`: the record was withdrawn, and stays so.
    """

    said: Said
    seq: int


def digest(value: object) -> str:
    """32 hexadecimal characters of SHA-256 over canonical JSON."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def identity_of(statement: Statement, entity: int | str, content: str, source: str) -> str:
    """What makes a record itself: its key, who decided it, and its party.

    Where the organ is not named, the source stands in: two organs may give the same number. Where a source gives
    neither number nor row id, the content is the key. An entity has one registration, whoever tells of it.
    """
    key = (*statement.key, content) if statement.key[-1] == "content" else statement.key
    if statement.kind in ONE_PER_KEY:
        return digest([*key, entity])
    return digest([*key, fold_name(statement.organ) or f"source:{source}", entity])


def counted(statement: Statement) -> tuple[object, ...]:
    """The part of a statement that grading can see."""
    days = (None if day is None else day.isoformat() for day in (statement.happened_on, statement.ends_on))
    return (statement.code, statement.severity, statement.amount_fen, *days)


def content_of(statement: Statement) -> str:
    """Digest of all that was said, so that the same words again are recognised."""
    return digest([
        statement.kind, statement.code, statement.severity, statement.amount_fen, statement.happened_on,
        statement.ends_on, statement.document_no, statement.organ, statement.detail,
    ])  # fmt: skip


# Said wherever somebody states a withdrawn record again.
WITHDRAWN = "It stays on record as withdrawn and never counts again; a new decision has a document number of its own."


def _counted(values: Sequence[Any]) -> tuple[object, ...]:
    """The same as `counted`, from the columns of a row: SQLite has days as text, PostgreSQL as days."""
    return (*values[:3], *(None if day is None else str(day) for day in values[3:]))


@dataclass(slots=True)
class _Known:
    """The newest row of one identity as this transaction sees it."""

    seq: int
    source: str
    content: str
    act: str
    entity: int
    counted: tuple[object, ...]
    row: list[Any] | None = None  # set while the row waits to be inserted in this transaction


class Pen:
    """Writes the ledger inside one transaction. Made by `writing`; the head row is held until it commits."""

    def __init__(self, *, now: int, schemes: Sequence[str], remember: bool = False) -> None:
        row = execute(HEAD_LOCKED if is_postgres() else HEAD).fetchone()
        if row is None:
            raise NotInitialised
        self.first = self.seq = row[0]
        self.entity, self.name = row[1], row[2]
        self.now = now
        self.schemes = schemes
        self.remember = remember
        self.touched: dict[int, int] = {}  # entity → newest seq
        self._records: list[list[Any]] = []
        self._facts: list[tuple[Any, ...]] = []
        self._provenance: list[tuple[str, str, str, int]] = []
        self._replaced: list[tuple[int, int]] = []  # (by, old)
        self._gone: list[tuple[int, int, int]] = []  # (by, entity, old)

    def next_entity(self) -> int:
        self.entity += 1
        return int(self.entity)

    def next_name(self) -> int:
        self.name += 1
        return int(self.name)

    def state(self, pairs: Sequence[tuple[int, Statement]], *, source: str) -> list[Outcome]:
        """Append what is new among (entity id, statement) pairs and return one outcome per pair, in order.

        The same words again change nothing. Other words are a correction, a new row, where they come from the same
        source or from the deciding organ itself (`source` = ORGAN); from anybody else they attach as provenance and
        count once. A withdrawn record stays withdrawn. Where the pen remembers, words that this source said before
        and has corrected since change nothing either.
        """
        contents = [content_of(statement) for _, statement in pairs]
        identities = self._identities(pairs, contents, source)
        known, seen = self._look_up(identities)
        outcomes: list[Outcome] = []
        for (entity, statement), identity, content in zip(pairs, identities, contents, strict=True):
            before = known.get(identity)
            if before is None:
                known[identity] = self._append("state", identity, content, entity, statement, source, replaces=None)
                outcomes.append(Outcome("stored", known[identity].seq))
            elif before.act == "withdraw":
                outcomes.append(Outcome("withdrawn", before.seq))
            elif before.content == content or (
                (self.remember or before.act == "end") and (identity, source, content) in seen
            ):
                outcomes.append(Outcome("unchanged", before.seq))
            elif source in (ORGAN, before.source) or statement.kind in ONE_PER_KEY:
                known[identity] = self._replace("correct", before, identity, content, statement, source)
                outcomes.append(Outcome("corrected", known[identity].seq))
            else:
                same = before.counted == counted(statement)
                outcomes.append(Outcome("unchanged" if same else "differs", before.seq))
            if outcomes[-1].said not in WRITTEN and (identity, source, content) not in seen:
                self._provenance.append((identity, source, content, outcomes[-1].seq))
            seen.add((identity, source, content))
        return outcomes

    def _identities(self, pairs: Sequence[tuple[int, Statement]], contents: list[str], source: str) -> list[str]:
        """The identity of each statement. One that is known by its content alone may be what a correction made of
        another: then it is that record, and not a second one."""
        identities = [
            identity_of(statement, entity, content, source)
            for (entity, statement), content in zip(pairs, contents, strict=True)
        ]
        bare = {(pairs[at][0], contents[at]) for at in range(len(pairs)) if pairs[at][1].key[-1] == "content"}
        corrected: dict[tuple[int, str], str] = {}
        for part in in_slices(sorted({entity for entity, _ in bare})):
            marks = ", ".join("?" * len(part))
            sql = (
                f"SELECT entity_id, content, identity FROM record WHERE entity_id IN ({marks}) "  # noqa: S608
                "AND act IN ('correct', 'end') AND replaced_seq IS NULL"
            )
            corrected |= {(entity, content): identity for entity, content, identity in execute(sql, part).fetchall()}
        return [
            corrected.get((entity, content), identity) if statement.key[-1] == "content" else identity
            for (entity, statement), content, identity in zip(pairs, contents, identities, strict=True)
        ]

    def correct(
        self, seq: int, statement: Statement, *, source: str, act: Literal["correct", "end"] = "correct"
    ) -> Outcome:
        """Replace the current row `seq` by another statement about the same record.

        `end` is what the registry itself adds when a legal term has run out: the source's old words do not undo it, its
        new ones do. Raises RecordNotFound where no row has that number, RecordConflict where it was replaced or withdrawn already.
        """
        old = self._current(seq)
        content = content_of(statement)
        if content == old.content:
            return Outcome("unchanged", old.seq)
        after = self._replace(act, old, self._identity(seq), content, statement, source)
        return Outcome("corrected", after.seq)

    def withdraw(self, seq: int, *, source: str, reason: str) -> Outcome:
        """Withdraw a record: a new row says so, and it never counts again. Safe to repeat."""
        newest = Record.get_or_none(Record.seq == seq)
        if newest is not None and newest.replaced_seq is not None:
            newest = Record.get(Record.seq == newest.replaced_seq)
        if newest is not None and newest.act == "withdraw":
            return Outcome("unchanged", newest.seq)
        old = self._current(seq)
        record = Record.get(Record.seq == seq)
        statement = Statement(
            record.kind, record.code, record.severity, record.amount_fen, record.happened_on, record.ends_on,
            record.document_no, record.organ, (), {**record.detail, "withdrawn_because": mask_personal(reason)},
        )  # fmt: skip
        after = self._replace("withdraw", old, record.identity, content_of(statement), statement, source)
        return Outcome("corrected", after.seq)

    def cover(self, kind: str, division: str, from_on: date, to_on: date | None, *, source: str) -> Outcome:
        """Say that a feed of `kind` was connected for a division prefix over these days. Safe to repeat."""
        statement = Statement(
            "coverage", KINDS[kind].number, 0, 0, from_on, to_on, "", "", ("coverage", kind, division, from_on.isoformat()),
            {"kind": kind, "division": division},
        )  # fmt: skip
        content = content_of(statement)
        identity = identity_of(statement, "", content, source)
        known, _ = self._look_up([identity])
        before = known.get(identity)
        if before is not None and before.content == content:
            return Outcome("unchanged", before.seq)
        if before is not None:
            after = self._replace("correct", before, identity, content, statement, source)
            execute("UPDATE coverage SET gone = ? WHERE known = ?", (after.seq, before.seq))
        else:
            after = self._append("state", identity, content, None, statement, source, replaces=None)
        days = (clock.day_number(from_on), None if to_on is None else clock.day_number(to_on))
        insert_rows(
            "coverage",
            ("known", "kind", "division", "from_day", "to_day"),
            [(after.seq, statement.code, division, *days)],
        )
        # What was unknown becomes zero, or the other way round: everyone there is due.
        for scheme in self.schemes:
            execute(
                "INSERT INTO stale (scheme, entity, seq) SELECT ?, id, ? FROM entity WHERE registered_seq IS NOT NULL "
                "AND division LIKE ? ORDER BY id ON CONFLICT (scheme, entity) DO UPDATE SET seq = excluded.seq",
                (scheme, after.seq, f"{division}%"),
            )
        return Outcome("corrected" if before else "stored", after.seq)

    def flush(self) -> None:
        """Write out what was stated so far, so that it can be read (and graded) inside this transaction."""
        if self._replaced:  # first: an identity has one current row at any moment
            execute_many("UPDATE record SET replaced_seq = ? WHERE seq = ?", self._replaced)
            execute_many("UPDATE fact SET gone = ? WHERE entity = ? AND known = ?", self._gone)
        insert_rows("record", RECORD_COLUMNS, self._records)
        insert_rows("fact", FACT_COLUMNS, self._facts)
        if self._provenance:
            insert_rows(
                "provenance",
                ("identity", "source", "content", "seq"),
                self._provenance,
                conflict="ON CONFLICT DO NOTHING",
            )
        for scheme in self.schemes:
            insert_rows(
                "stale",
                ("scheme", "entity", "seq"),
                [(scheme, entity, seq) for entity, seq in sorted(self.touched.items())],
                conflict="ON CONFLICT (scheme, entity) DO UPDATE SET seq = excluded.seq",
            )
        execute("UPDATE ledger_head SET seq = ?, entity = ?, name = ? WHERE id = 1", (self.seq, self.entity, self.name))
        if self.seq > self.first:
            # The clock on the wall may be set back; the clock of knowledge may not.
            execute(
                "INSERT INTO moment (seq, at) SELECT ?, CASE WHEN max(at) > ? THEN max(at) ELSE ? END FROM moment",
                (self.seq, self.now, self.now),
            )
        self.first = self.seq
        self.touched = {}
        self._records, self._facts, self._provenance, self._replaced, self._gone = [], [], [], [], []

    def _look_up(self, identities: Iterable[str]) -> tuple[dict[str, _Known], set[tuple[str, str, str]]]:
        """The newest row of each identity, and every (identity, source, content) ever said: three queries a batch."""
        known: dict[str, _Known] = {}
        seen: set[tuple[str, str, str]] = set()
        for part in in_slices(sorted(set(identities))):
            marks = ", ".join("?" * len(part))
            for condition in ("replaced_seq IS NULL", "replaced_seq IS NOT NULL"):
                sql = f"SELECT {KNOWN_COLUMNS} FROM record WHERE identity IN ({marks}) AND {condition}"  # noqa: S608
                rows = execute(sql, part).fetchall()
                for identity, seq, source, content, act, entity, *values in rows:
                    seen.add((identity, source, content))
                    if condition == "replaced_seq IS NULL":
                        known[identity] = _Known(seq, source, content, act, entity, _counted(values))
            seen.update(
                execute(
                    f"SELECT identity, source, content FROM provenance WHERE identity IN ({marks})",  # noqa: S608
                    part,
                ).fetchall()
            )
        # Rows of this transaction that are not inserted yet.
        for row in self._records:
            if row[2] in known or row[2] in identities:
                seen.add((row[2], row[13], row[3]))
                if row[16] is None:
                    known[row[2]] = _Known(row[0], row[13], row[3], row[1], row[5], _counted(row[6:11]), row)
        return known, seen

    def _append(
        self,
        act: str,
        identity: str,
        content: str,
        entity: int | None,
        statement: Statement,
        source: str,
        *,
        replaces: int | None,
    ) -> _Known:
        self.seq += 1
        row = [
            self.seq, act, identity, content, statement.kind, entity, statement.code, statement.severity, statement.amount_fen,
            statement.happened_on, statement.ends_on, statement.document_no, statement.organ, source,
            orjson.dumps(statement.detail).decode(), replaces, None,
        ]  # fmt: skip
        if not is_postgres():
            # The driver's own conversion of days is slow and deprecated; the column holds ISO text.
            row[9:11] = [day.isoformat() if day else None for day in row[9:11]]
        self._records.append(row)
        if entity is not None:
            self.touched[entity] = self.seq
            if act != "withdraw" and statement.happened_on is not None:
                ends = None if statement.ends_on is None else clock.day_number(statement.ends_on)
                self._facts.append((
                    entity, self.seq, 0, KINDS[statement.kind].number, statement.code, statement.severity,
                    statement.amount_fen, clock.day_number(statement.happened_on), ends, None,
                ))  # fmt: skip
        return _Known(self.seq, source, content, act, entity or 0, counted(statement), row)

    def _replace(self, act: str, old: _Known, identity: str, content: str, statement: Statement, source: str) -> _Known:
        entity = old.entity or None
        after = self._append(act, identity, content, entity, statement, source, replaces=old.seq)
        if old.row is not None:
            old.row[16] = after.seq
            # The fact of a row that was replaced before it was ever seen still belongs to its own past.
            self._facts = [(*fact[:9], after.seq) if fact[1] == old.seq else fact for fact in self._facts]
        else:
            self._replaced.append((after.seq, old.seq))
            self._gone.append((after.seq, old.entity, old.seq))
        return after

    def _current(self, seq: int) -> _Known:
        record = Record.get_or_none(Record.seq == seq)
        if record is None:
            raise RecordNotFound(
                f"The ledger has no record {seq}. GET /api/v1/entities/{{code}}/records lists an entity's records."
            )
        if record.replaced_seq is not None:
            raise RecordConflict(
                f"Record {seq} was already replaced by {record.replaced_seq}. Correct that one instead.",
                current=record.replaced_seq,
            )
        if record.act == "withdraw":
            raise RecordConflict(f"Record {seq} was withdrawn. {WITHDRAWN}")
        values = (record.code, record.severity, record.amount_fen, record.happened_on, record.ends_on)
        return _Known(record.seq, record.source, record.content, record.act, record.entity_id, _counted(values))

    def _identity(self, seq: int) -> str:
        identity: str = Record.get(Record.seq == seq).identity
        return identity


@contextmanager
def writing(*, now: int, schemes: Sequence[str], remember: bool = False) -> Generator[Pen, None, None]:
    """Open one write transaction on the ledger. `now` is in milliseconds; `schemes` get stale marks for what changes.

    With `remember` old words are no news: for a file that was imported before and must not undo a newer one.
    """
    with write():
        pen = Pen(now=now, schemes=schemes, remember=remember)
        yield pen
        pen.flush()


def head() -> int:
    """The last number given: how much of the ledger is known now."""
    found = LedgerHead.get_or_none(LedgerHead.id == 1)
    if found is None:
        raise NotInitialised
    return int(found.seq)


def seq_at(moment: int) -> int:
    """How much of the ledger was known at a moment (milliseconds UTC); 0 before the first row."""
    found = Moment.select(Moment.seq).where(Moment.at <= moment).order_by(Moment.at.desc(), Moment.seq.desc()).first()
    return int(found.seq) if found else 0
