"""Importing a file: streamed, in short transactions, resumable where it stopped, and every row accounted for.

read = stored + unchanged + unmatched + rejected, always: the counts and the position commit with the rows.
"""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

import orjson

from registry import clock, files, mappings, owner
from registry.database import execute, insert_rows, session, write
from registry.errors import BadFile, RecordConflict
from registry.files import TableFile
from registry.kinds import Statement
from registry.mappings import Mapping
from registry.models import ImportReject, ImportRun
from registry.services import audit, entities, ledger
from registry.services.entities import Party
from registry.services.ledger import Pen
from registry.services.parsing import Parsed, Refusal, RowParser

# A run of another machine that has not moved for so long is taken over (milliseconds).
ABANDONED = 120_000
# How rejects are kept from being formulas when a spreadsheet opens the file.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

Progress = Callable[[int], None]

# Runs that this process is at work on: one that it left by an error may be taken up again at once.
_at_work: set[int] = set()


@dataclass(slots=True)
class Counts:
    """What became of the rows."""

    stored: int = 0
    unchanged: int = 0
    unmatched: int = 0
    rejected: int = 0
    undated: int = 0
    provisional: int = 0

    @property
    def read(self) -> int:
        return self.stored + self.unchanged + self.unmatched + self.rejected


@dataclass(frozen=True, slots=True)
class Source:
    """A file, how it is read, and by which mapping: everything that is known before a row is stored."""

    file: TableFile
    mapping: Mapping
    source: str
    header: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an import, or of a dry run (`run` is then None)."""

    run: int | None
    mapping: str
    encoding: str
    counts: Counts
    resumed_at: int
    refusals: list[tuple[int, Refusal]] = field(default_factory=list)


def open_source(
    path: Path,
    *,
    kind: str | None = None,
    mapping: str | None = None,
    source: str | None = None,
    ignore_unknown: bool = False,
) -> Source:
    """Look at a file and settle how it will be read. Stores nothing.

    Raises BadFile for a file that is not a table, a header that no mapping knows, or a column that the mapping does
    not know (unless `ignore_unknown`): a misspelt column that is skipped in silence is lost data.
    """
    file = files.look_at(path)
    rows = files.rows(file)
    header = [mappings.clean_heading(cell) for cell in next(rows, [])]
    rows.close()
    twice = sorted({heading for heading in header if heading and header.count(heading) > 1})
    if twice:
        raise BadFile(f"{path.name} has the column {', '.join(twice)} twice. Rename or remove one and try again.")
    chosen = mappings.choose(header, kind=kind, name=mapping)
    strange = {} if ignore_unknown else mappings.unknown_headings(chosen, header)
    if strange:
        listed = "; ".join(f"{name}{f' (did you mean {near}?)' if near else ''}" for name, near in strange.items())
        raise BadFile(
            f"{path.name} has columns that mapping {chosen.id} does not know: {listed}. Correct the heading, or import "
            "with --ignore-unknown to leave them out."
        )
    return Source(file, chosen, source or chosen.id, header)


def dry_run(opened: Source, *, today: date, key: bytes, show: int = 20) -> Report:
    """Read the whole file and check every row; touch no database. `unmatched` counts rows without a usable code."""
    parser = RowParser(opened.mapping, opened.header, today=today, key=key)
    counts = Counts()
    refusals: list[tuple[int, Refusal]] = []
    for number, cells in _body(opened):
        result = parser.parse(cells)
        if isinstance(result, list):
            counts.rejected += 1
            refusals += [(number, refusal) for refusal in result[: max(0, show - len(refusals))]]
        elif result.party is None:
            counts.unmatched += 1
        else:
            counts.stored += 1
            counts.undated += result.statement.happened_on is None
    return Report(None, opened.mapping.id, opened.file.encoding, counts, 0, refusals)


def run(
    opened: Source, *, today: date, key: bytes, schemes: list[str], chunk: int, actor: str,
    now: Callable[[], int] = clock.now, progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Import a file. Safe to repeat: what is stored already is unchanged. A run that was cut off goes on where it was.

    Each chunk of rows is one transaction together with the position and the counts. Raises BadFile when the file turns
    out to be damaged on the way; the rows before that place are stored, and the run says so.
    """
    with session():
        record = _begin(opened, now(), actor)
        parser = RowParser(opened.mapping, opened.header, today=today, key=key)
        resumed_at = position = record.position
        counts = Counts(
            record.stored, record.unchanged, record.unmatched, record.rejected, record.undated, record.provisional
        )
        body = islice(_body(opened), position, None)
        try:
            damaged = None
            while damaged is None:
                rows, damaged = _next_rows(body, chunk)
                if not rows:
                    break
                parsed = [(number, parser.parse(cells)) for number, cells in rows]
                with ledger.writing(now=now(), schemes=schemes) as pen:
                    counts = _store(pen, opened, record.id, parsed, counts, now())
                    _advance(record, position, position + len(rows), counts, now())
                position += len(rows)
                if progress is not None:
                    progress(position)
        finally:
            _at_work.discard(record.id)
        if damaged is not None:
            with write():
                execute(
                    "UPDATE import_run SET state = 'failed', error = ?, finished_at = ? WHERE id = ?",
                    (damaged.detail, now(), record.id),
                )
            raise damaged
        with write():
            execute(
                "UPDATE import_run SET state = 'done', finished_at = ?, updated_at = ? WHERE id = ?",
                (now(), now(), record.id),
            )
            audit.note(
                "import.finished",
                actor=actor,
                subject=f"import {record.id}",
                now=now(),
                read=counts.read,
                stored=counts.stored,
            )
        return Report(record.id, opened.mapping.id, opened.file.encoding, counts, resumed_at)


def _next_rows(body: Iterator[tuple[int, list[str]]], size: int) -> tuple[list[tuple[int, list[str]]], BadFile | None]:
    """At most `size` rows, and the damage behind them if the file ends in one: the rows before it still count."""
    rows: list[tuple[int, list[str]]] = []
    try:
        rows.extend(islice(body, size))
    except BadFile as error:
        return rows, error
    return rows, None


def _body(opened: Source) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number that a spreadsheet gives them (the header is 1). A blank line between rows is no row."""
    numbered = enumerate(files.rows(opened.file), start=1)
    next(numbered, None)
    return ((number, cells) for number, cells in numbered if cells)


def _begin(opened: Source, now: int, actor: str) -> ImportRun:
    """Start a run, or take over one of the same file that its process has left."""
    with write():
        same = (
            (ImportRun.digest == opened.file.digest)
            & (ImportRun.mapping == opened.mapping.id)
            & (ImportRun.source == opened.source)
        )
        for left in ImportRun.select().where(same & (ImportRun.state == "running")).order_by(ImportRun.id):
            mine = left.owner == owner.me() and left.id not in _at_work
            if mine or owner.is_gone(left.owner) or now - left.updated_at > ABANDONED:
                left.owner, left.updated_at = owner.me(), now
                left.save()
                _at_work.add(left.id)
                return left
        started: ImportRun = ImportRun.create(
            file=opened.file.path.name[:255], digest=opened.file.digest, mapping=opened.mapping.id, source=opened.source,
            state="running", owner=owner.me(), started_at=now, updated_at=now,
        )  # fmt: skip
        audit.note("import.started", actor=actor, subject=f"import {started.id}", now=now, file=opened.file.path.name)
        _at_work.add(started.id)
        return started


def _advance(record: ImportRun, position: int, after: int, counts: Counts, now: int) -> None:
    """Move the position in the same transaction as the rows; refuse if somebody else has taken the run over."""
    moved = execute(
        "UPDATE import_run SET position = ?, stored = ?, unchanged = ?, unmatched = ?, rejected = ?, undated = ?, "
        "provisional = ?, updated_at = ? WHERE id = ? AND position = ? AND owner = ?",
        (after, counts.stored, counts.unchanged, counts.unmatched, counts.rejected, counts.undated, counts.provisional, now,
         record.id, position, owner.me()),
    )  # fmt: skip
    if moved.rowcount != 1:
        raise RecordConflict(
            f"Import {record.id} was taken over by another process. It goes on there; nothing is lost."
        )


def _store(
    pen: Pen, opened: Source, run: int, parsed: list[tuple[int, Parsed | list[Refusal]]], before: Counts, now: int
) -> Counts:
    counts = Counts(
        before.stored, before.unchanged, before.unmatched, before.rejected, before.undated, before.provisional
    )
    good = [(number, result) for number, result in parsed if isinstance(result, Parsed)]
    _reject(run, [(number, result) for number, result in parsed if isinstance(result, list)], counts)
    if opened.mapping.kind == "registration":
        rows = [(result.party or Party(), result.statement) for _, result in good]
        _count(counts, entities.register(pen, rows, source=opened.source), [statement for _, statement in rows])
        return counts
    found = entities.match([result.party or Party() for _, result in good])
    missing = [
        result.party
        for (_, result), entity in zip(good, found, strict=True)
        if entity is None and result.party is not None and result.party.code
    ]
    made = entities.provisional(pen, missing)
    counts.provisional += len(made)
    pairs: list[tuple[int, Statement]] = []
    waiting: list[tuple[int, Parsed]] = []
    for (number, result), entity in zip(good, found, strict=True):
        code = result.party.code if result.party else None
        if entity is not None:
            pairs.append((entity.id, result.statement))
        elif code in made:
            pairs.append((made[code or ""], result.statement))
        else:
            waiting.append((number, result))
    _count(
        counts,
        [outcome.said for outcome in pen.state(pairs, source=opened.source)],
        [statement for _, statement in pairs],
    )
    queue(run, opened.source, waiting, now)
    counts.unmatched += len(waiting)
    return counts


def _count(counts: Counts, said: list[str], statements: list[Statement]) -> None:
    for outcome, statement in zip(said, statements, strict=True):
        if outcome == "unchanged":
            counts.unchanged += 1
        else:
            counts.stored += 1
            counts.undated += statement.happened_on is None


def _reject(run: int, refused: list[tuple[int, list[Refusal]]], counts: Counts) -> None:
    rows = [
        (run, number, index, refusal.column[:128], refusal.value[:80], refusal.reason)
        for number, refusals in refused
        for index, refusal in enumerate(refusals)
    ]
    insert_rows("import_reject", ("run_id", "row", "number", "column", "value", "reason"), rows)
    counts.rejected += len(refused)


def queue(run: int | None, source: str, waiting: list[tuple[int, Parsed]], now: int) -> None:
    """Let rows wait for a person. The same row waits once, however often its file comes."""
    rows = []
    for number, result in waiting:
        statement = result.statement
        content = ledger.content_of(statement)
        fields = {
            "code": statement.code, "severity": statement.severity, "amount_fen": statement.amount_fen,
            "happened_on": statement.happened_on, "ends_on": statement.ends_on, "document_no": statement.document_no,
            "organ": statement.organ, "key": statement.key, "detail": statement.detail,
        }  # fmt: skip
        party = result.person_hash or result.shown_code
        rows.append((
            ledger.digest([source, content, *statement.key, party, result.name]), statement.kind, source, run, number,
            result.why or "not_registered", result.name, result.shown_code[:64], result.person_hash,
            orjson.dumps(fields).decode(), now,
        ))  # fmt: skip
    columns = (
        "identity", "kind", "source", "run_id", "row", "reason", "party_name", "party_code", "person_hash", "fields", "waiting_since",
    )  # fmt: skip
    insert_waiting(columns, rows)


def insert_waiting(columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{column}"' for column in columns)
    for row in rows:
        execute(f"INSERT INTO unmatched ({names}) VALUES ({marks}) ON CONFLICT (identity) DO NOTHING", row)  # noqa: S608


def write_rejects(run: int, path: Path) -> int:
    """Write the refused rows of a run as CSV (UTF-8 with BOM, as spreadsheets like it) and return how many cells it names.

    The file appears whole or not at all. Text that a spreadsheet would take for a formula is made harmless.
    """
    rows = list(ImportReject.select().where(ImportReject.run == run).order_by(ImportReject.row, ImportReject.number))
    if not rows:
        return 0
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["行号 row", "列 column", "值 value", "原因 reason"])
        for row in rows:
            writer.writerow([row.row, *(harmless(text) for text in (row.column, row.value, row.reason))])
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(path)
    return len(rows)


def harmless(text: str) -> str:
    """Keep a spreadsheet from running a cell: a leading = + - @ or tab gets an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA) else text
