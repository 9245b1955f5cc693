"""The ledger: the one place that appends records, under one number, in commit order.

A caller opens `writing(...)`, states what it knows, and leaves; everything commits together or not at all::

    with ledger.writing(now=clock.now(), schemes=["general-risk"]) as pen:
        outcomes = pen.state(pairs, source="penalty-tax")
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast

import orjson

from registry.cells.personal import mask_personal
from registry.database import execute, execute_many, in_slices, insert_rows, is_postgres, write
from registry.errors import NotInitialised, RecordConflict, RecordNotFound
from registry.kinds import KINDS, Statement
from registry.models import Moment, Record
from registry.services import aliases, coverage, mirrors
from registry.services.facts import FACT_COLUMNS, counts_alike, facts_of
from registry.services.known import Known, Matched, counted_columns, revised_at
from registry.services.known import read as read_known
from registry.services.sameness import ONE_PER_KEY, content_of, counted, digest, identity_of

RECORD_COLUMNS = (
    "seq", "act", "identity", "content", "kind", "entity_id", "code", "severity", "amount_fen", "happened_on", "ends_on",
    "document_no", "organ", "source", "detail", "replaces", "replaced_seq", "about", "matched",
)  # fmt: skip
# Whoever holds this row writes; SQLite has taken the whole write lock by then.
HEAD = "SELECT seq, entity, name FROM ledger_head WHERE id = 1"
HEAD_LOCKED = f"{HEAD} FOR UPDATE"

# The source of what an organ says for itself, over the API: on its own decisions nobody knows better.
ORGAN = "organ"
# The source of a withdrawal that says "this is another party's": when the party is found after all, the record is stated
# again.
WRONG_PARTY = "wrong-party"

SURE: dict[Matched, int] = {"name": 0, "person": 1, "number": 2}  # of the party
# Why a record that holds does not count.
Why = Literal["by_name", "review", "repaired", "capped", "erased"]
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


# Said wherever somebody states a withdrawn record again.
WITHDRAWN = "It stays on record as withdrawn and never counts again; a new decision has a document number of its own."


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
        self._uncounted: dict[str, str] = {}  # identity → why, of the records that were looked up

    def next_entity(self) -> int:
        self.entity += 1
        return int(self.entity)

    def next_name(self) -> int:
        self.name += 1
        return int(self.name)

    def state(
        self, pairs: Sequence[tuple[int, Statement]], *, source: str, matched: Sequence[Matched] | None = None,
        foreign: Sequence[bool] = (),
    ) -> list[Outcome]:  # fmt: skip
        """Append what is new among (entity id, statement) pairs and return one outcome per pair, in order.

        `matched` says of each pair how its entity was found; by a number where it is not given. What was found by name
        alone and is grave (see `Kind.grave`) does not count until it is confirmed; the same row by a number confirms it.
        `foreign` marks what a sender says for another organ than his own: what is grave of it does not count until it
        passed a review, or somebody who may say it says the same record.

        The same words again change nothing. Other words are a correction, a new row, where they come from the same
        source or from the deciding organ itself (`source` = ORGAN); from anybody else they attach as provenance and
        count once. A withdrawn record stays withdrawn. Words that the source itself dates earlier than those that hold
        (`stated_at`) are no correction. Where the pen remembers, words that this source said before
        and has corrected since change nothing either.
        """
        contents = [content_of(statement) for _, statement in pairs]
        identities = self._identities(pairs, contents, source)
        known, seen = self._look_up(identities)
        outcomes: list[Outcome] = []
        how = matched or ["number"] * len(pairs)
        given = zip(pairs, identities, contents, how, foreign or [False] * len(pairs), strict=True)
        for (entity, statement), identity, content, by, other in given:
            before = known.get(identity)
            held = self._uncounted.get(identity) == "review"
            freed = held and not other
            if before is None:
                self._weigh(identity, entity, statement, by)
                known[identity] = self._append("state", identity, content, entity, statement, source, matched=by)
                outcomes.append(Outcome("stored", known[identity].seq))
            elif before.act == "withdraw" and before.source != WRONG_PARTY:
                outcomes.append(Outcome("withdrawn", before.seq))
            elif before.act == "withdraw" or freed or (
                SURE[by] > SURE[before.matched] and (before.content == content or source not in (ORGAN, before.source))
            ):  # fmt: skip
                # The party is found after all, or by somebody who is surer of it, or who may say it.
                kept = before.content == content and before.act != "withdraw" and not freed
                whose = before.source if kept else source
                surest = by if before.act == "withdraw" else max(by, before.matched, key=SURE.__getitem__)
                self._count(identity, "review")  # held again below where it still waits
                self._weigh(identity, entity, statement, surest)
                known[identity] = self._replace("restate", before, identity, content, statement, whose, surest)
                outcomes.append(Outcome("corrected", known[identity].seq))
            elif (
                before.content == content
                or ((self.remember or before.act == "end") and (identity, source, content) in seen)
                or (
                    (source in (ORGAN, before.source) or statement.kind in ONE_PER_KEY)
                    and self._is_older(statement, content, before)
                )
            ):
                outcomes.append(Outcome("unchanged", before.seq))
            elif source in (ORGAN, before.source) or statement.kind in ONE_PER_KEY:
                surest = max(by, before.matched, key=SURE.__getitem__)
                self._weigh(identity, entity, statement, surest)
                known[identity] = self._replace("correct", before, identity, content, statement, source, surest)
                outcomes.append(Outcome("corrected", known[identity].seq))
            else:
                same: Said = "unchanged" if counts_alike(before, statement) else "differs"
                outcomes.append(Outcome(same, before.seq))
            if other and outcomes[-1].said in WRITTEN and (held or KINDS[statement.kind].grave(statement)):
                self._wait(identity, entity, outcomes[-1].seq, source)
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
                "AND act IN ('correct', 'end', 'restate') AND replaced_seq IS NULL"
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

    def restate(self, seq: int, *, source: str, reason: str, matched: Matched | None = None) -> Outcome:
        """Let a record hold, and count, again: one that was withdrawn by mistake, waited, or was left out. Safe to repeat.

        A new row says what the record said before; `matched` is given where a person confirms its party. Raises
        RecordNotFound, and RecordConflict where the row was replaced already.
        """
        self._settle()
        record = Record.get_or_none(Record.seq == seq)
        if record is None or record.act == "step":
            raise RecordNotFound(f"The ledger has no record {seq}.")
        if record.replaced_seq is not None:
            raise RecordConflict(
                f"Record {seq} was already replaced by {record.replaced_seq}.", current=record.replaced_seq
            )
        self._look_up([record.identity])
        waits = record.identity in self._uncounted
        if record.act != "withdraw" and not waits and matched in (None, record.matched):
            return Outcome("unchanged", seq)
        # What a withdrawal took back is said again as it stood, by whom it was said.
        said = Record.get(Record.seq == record.replaces) if record.act == "withdraw" else record
        detail = {name: value for name, value in record.detail.items() if name != "withdrawn_because"}
        statement = Statement(
            record.kind, record.code, record.severity, record.amount_fen, record.happened_on, record.ends_on,
            record.document_no, record.organ, (), detail,
        )  # fmt: skip
        self._count(record.identity)
        old = Known(seq, said.source, record.content, record.act, cast(Matched, record.matched), record.entity_id, ())
        after = self._replace(
            "restate", old, record.identity, content_of(statement), statement, said.source, matched or old.matched
        )
        self._provenance.append((record.identity, source, digest(["restated", mask_personal(reason)]), after.seq))
        return Outcome("corrected", after.seq)

    def step(
        self,
        name: str,
        *,
        about: str,
        entity: int | None,
        key: Sequence[str | int],
        on: date | None,
        detail: dict[str, Any],
        by: str,
        leaves_out: Why | None = None,
    ) -> Outcome:
        """Put on record what was done with a record (`about`: its identity): one ledger row, once per `name` and `key`.

        With `leaves_out` the record does not count from here on (repaired, capped …) until it is restated. The same step
        again is `unchanged`; the same key with other words raises RecordConflict: what was done is done, and another
        step says what was done next.
        """
        self._settle()
        identity = digest(["step", name, about, *key])
        content = digest([name, about, list(key), None if on is None else on.isoformat(), detail, leaves_out])
        before = execute(
            "SELECT seq, content FROM record WHERE identity = ? AND replaced_seq IS NULL", (identity,)
        ).fetchone()
        if before is not None:
            if before[1] != content:
                raise RecordConflict(
                    f"Step {name} {key} is on record already, as ledger row {before[0]}, in other words."
                )
            return Outcome("unchanged", before[0])
        if leaves_out is not None:
            detail = {**detail, "leaves_out": leaves_out}
        statement = Statement(name, 0, 0, 0, on, None, "", "", (), detail)
        row = self._append("step", identity, content, None, statement, by)
        assert row.row is not None
        row.row[5], row.row[17] = entity, about
        if leaves_out is not None and entity is not None:
            current = execute("SELECT seq FROM record WHERE identity = ? AND replaced_seq IS NULL", (about,)).fetchone()
            self._hold(about, entity, leaves_out, row.seq)
            if current is not None:
                self._gone.append((row.seq, entity, current[0]))
            self.touched[entity] = row.seq
        return Outcome("stored", row.seq)

    def _settle(self) -> None:
        """Write out what waits, so that the statements below see it."""
        if self._records:
            self.flush()

    def _weigh(self, identity: str, entity: int, statement: Statement, by: Matched) -> None:
        """Hold back what was found by name alone and is grave; let count what was held back for that and is sure now."""
        if by != "name" or not KINDS[statement.kind].grave(statement):
            self._count(identity, "by_name")
        elif identity not in self._uncounted:
            self._hold(identity, entity, "by_name", self.seq + 1)

    def _wait(self, identity: str, entity: int, seq: int, by: str) -> None:
        """Put on record that a row does not count before a review of it."""
        statement = Statement("held", 0, 0, 0, None, None, "", "", (), {"leaves_out": "review", "row": seq})
        key = digest(["step", "held", identity, seq])
        row = self._append("step", key, digest(["held", seq]), None, statement, by).row
        assert row is not None
        row[5], row[17] = entity, identity
        while self._facts and self._facts[-1][1] == seq:
            self._facts.pop()
        self._hold(identity, entity, "review", row[0])

    def _hold(self, identity: str, entity: int, why: Why, seq: int) -> None:
        self._uncounted[identity] = why
        execute(
            "INSERT INTO uncounted (identity, entity, why, seq) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (identity) DO UPDATE SET why = excluded.why, seq = excluded.seq",
            (identity, entity, why, seq),
        )

    def _count(self, identity: str, why: Why | None = None) -> None:
        """Let a record count again: whatever held it back, or only `why`."""
        if why is None or self._uncounted.get(identity) == why:
            self._uncounted.pop(identity, None)
            execute("DELETE FROM uncounted WHERE identity = ?", (identity,))

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
        else:
            after = self._append("state", identity, content, None, statement, source)
        coverage.keep(after.seq, statement, replaces=None if before is None else before.seq, schemes=self.schemes)
        return Outcome("corrected" if before else "stored", after.seq)

    def flush(self) -> None:
        """Write out what was stated so far, so that it can be read (and graded) inside this transaction."""
        if self._replaced:  # first: an identity has one current row at any moment
            execute_many("UPDATE record SET replaced_seq = ? WHERE seq = ?", self._replaced)
        if self._gone:
            execute_many("UPDATE fact SET gone = ? WHERE entity = ? AND known = ? AND gone IS NULL", self._gone)
        insert_rows("record", RECORD_COLUMNS, self._records)
        insert_rows("fact", FACT_COLUMNS, self._facts)
        mirrors.keep(RECORD_COLUMNS, self._records, self._replaced)
        if self._provenance:
            columns = ("identity", "source", "content", "seq")
            insert_rows("provenance", columns, self._provenance, conflict="ON CONFLICT DO NOTHING")
        stale = dict(self.touched)  # what is said of a merged entity counts for the one that it is
        for entity, root in aliases.roots(list(self.touched)).items():
            stale[root] = max(stale.get(root, 0), self.touched[entity])
        for scheme in self.schemes:
            insert_rows(
                "stale",
                ("scheme", "entity", "seq"),
                [(scheme, entity, seq) for entity, seq in sorted(stale.items())],
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

    def _look_up(self, identities: Iterable[str]) -> tuple[dict[str, Known], set[tuple[str, str, str]]]:
        """What is known of each identity (see `known.read`), with the rows of this transaction that still wait."""
        wanted = set(identities)
        known, seen, uncounted = read_known(wanted)
        self._uncounted.update(uncounted)
        for row in self._records:
            if row[2] in wanted:
                seen.add((row[2], row[13], row[3]))
                if row[16] is None:
                    known[row[2]] = Known(
                        row[0], row[13], row[3], row[1], row[18], row[5], counted_columns(row[6:11]), row
                    )
        return known, seen

    def _is_older(self, statement: Statement, content: str, before: Known) -> bool:
        """Whether a source's own clock says that these words are older than those that hold.

        So the last word is the same in whatever order the words arrive; at one moment of that clock the digests decide.
        """
        said_at = statement.detail.get("stated_at")
        held_at = None if said_at is None else revised_at(before)
        return held_at is not None and (said_at, content) < (held_at, before.content)

    def _append(
        self,
        act: str,
        identity: str,
        content: str,
        entity: int | None,
        statement: Statement,
        source: str,
        *,
        replaces: int | None = None,
        matched: Matched = "number",
    ) -> Known:
        self.seq += 1
        row = [
            self.seq, act, identity, content, statement.kind, entity, statement.code, statement.severity, statement.amount_fen,
            statement.happened_on, statement.ends_on, statement.document_no, statement.organ, source,
            orjson.dumps(statement.detail).decode(), replaces, None, None, matched,
        ]  # fmt: skip
        if not is_postgres():
            # The driver's own conversion of days is slow and deprecated; the column holds ISO text.
            row[9:11] = [day.isoformat() if day else None for day in row[9:11]]
        self._records.append(row)
        if entity is not None:
            self.touched[entity] = self.seq
            if act != "withdraw" and statement.happened_on is not None and identity not in self._uncounted:
                self._facts += facts_of(entity, self.seq, statement)
        return Known(self.seq, source, content, act, matched, entity or 0, counted(statement), row)

    def _replace(
        self, act: str, old: Known, identity: str, content: str, statement: Statement, source: str,
        matched: Matched | None = None,
    ) -> Known:  # fmt: skip
        entity = old.entity or None
        after = self._append(
            act, identity, content, entity, statement, source, replaces=old.seq, matched=matched or old.matched
        )
        if old.row is not None:
            old.row[16] = after.seq
            # The fact of a row that was replaced before it was ever seen still belongs to its own past.
            self._facts = [(*fact[:9], after.seq) if fact[1] == old.seq else fact for fact in self._facts]
        else:
            self._replaced.append((after.seq, old.seq))
            self._gone.append((after.seq, old.entity, old.seq))
        return after

    def _current(self, seq: int) -> Known:
        record = Record.get_or_none(Record.seq == seq)
        if record is None or record.act == "step":
            raise RecordNotFound(
                f"The ledger has no record {seq}. `xinheng dossier CODE` (GET /api/v1/entities/{{code}}/records) lists an entity's records."
            )
        if record.replaced_seq is not None:
            raise RecordConflict(
                f"Record {seq} was already replaced by {record.replaced_seq}. Correct that one instead.",
                current=record.replaced_seq,
            )
        if record.act == "withdraw":
            raise RecordConflict(f"Record {seq} was withdrawn. {WITHDRAWN}")
        values = (record.code, record.severity, record.amount_fen, record.happened_on, record.ends_on)
        self._look_up([record.identity])  # whether it counts
        return Known(
            seq, record.source, record.content, record.act, cast(Matched, record.matched), record.entity_id, counted_columns(values)
        )  # fmt: skip

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
    found = execute("SELECT seq FROM ledger_head WHERE id = 1").fetchone()
    if found is None:
        raise NotInitialised
    return int(found[0])


def seq_at(moment: int) -> int:
    """How much of the ledger was known at a moment (milliseconds UTC); 0 before the first row."""
    found = Moment.select(Moment.seq).where(Moment.at <= moment).order_by(Moment.at.desc(), Moment.seq.desc()).first()
    return int(found.seq) if found else 0
