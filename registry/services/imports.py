"""Importing a file: streamed, in short transactions, resumable where it stopped, and every row accounted for.

read = stored + unchanged + unmatched + rejected, always: the counts and the position commit with the rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path

from registry import clock, files, mappings, owner, sheets
from registry.database import execute, insert_rows, session, write
from registry.errors import BadFile, RecordConflict
from registry.files import TableFile
from registry.kinds import Statement
from registry.mappings import Mapping
from registry.models import ImportReject, ImportRun
from registry.services import audit, entities, ledger
from registry.services.ledger import Pen
from registry.services.parsing import Parsed, Refusal, RowParser
from registry.services.parties import REASONS, Party
from registry.services.queue import forget, queue, release

# A run of another machine that has not moved for so long is taken over (milliseconds).
ABANDONED = 120_000
# What a run keeps of its counts, so that it goes on counting where it was cut off.
KEPT = ("stored", "unchanged", "unmatched", "rejected", "undated", "provisional", "differs", "released")

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
    # Of the unchanged rows, those of which another source says something else that counts; nothing was applied.
    differs: int = 0
    # Rows that waited, from this file or another, and have found their party.
    released: int = 0

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
        raise BadFile(
            f"{path.name} has the column {mappings.shown(twice)} twice. Rename or remove one and try again. If its first "
            "line is a row already, give the file a line of headings."
        )
    chosen = mappings.choose(header, kind=kind, name=mapping)
    strange = {} if ignore_unknown else mappings.unknown_headings(chosen, header)
    if strange:
        raise BadFile(
            f"{path.name} has columns that mapping {chosen.id} does not know: {mappings.shown(strange, strange)}. Correct the heading, or import "
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
        again = _came_before(record)
        counts = Counts(**{name: getattr(record, name) for name in KEPT})
        body = islice(_body(opened), position, None)
        try:
            damaged = None
            while damaged is None:
                rows, damaged = _next_rows(body, chunk)
                if not rows:
                    break
                parsed = [(number, parser.parse(cells)) for number, cells in rows]
                with ledger.writing(now=now(), schemes=schemes, remember=again) as pen:
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


def _came_before(record: ImportRun) -> bool:
    """Whether the very same file was begun earlier: what it says is old then, and must not undo what was said since."""
    earlier = (ImportRun.digest == record.digest) & (ImportRun.source == record.source) & (ImportRun.id < record.id)
    return bool(ImportRun.select().where(earlier).exists())


def _advance(record: ImportRun, position: int, after: int, counts: Counts, now: int) -> None:
    """Move the position in the same transaction as the rows; refuse if somebody else has taken the run over."""
    moved = execute(
        f"UPDATE import_run SET position = ?, updated_at = ?, {', '.join(f'{name} = ?' for name in KEPT)} "  # noqa: S608
        "WHERE id = ? AND position = ? AND owner = ?",
        (after, now, *(getattr(counts, name) for name in KEPT), record.id, position, owner.me()),
    )
    if moved.rowcount != 1:
        raise RecordConflict(
            f"Import {record.id} was taken over by another process. It goes on there; nothing is lost."
        )


def _store(
    pen: Pen, opened: Source, run: int, parsed: list[tuple[int, Parsed | list[Refusal]]], before: Counts, now: int
) -> Counts:
    counts = replace(before)
    good = [(number, result) for number, result in parsed if isinstance(result, Parsed)]
    _reject(run, [(number, result) for number, result in parsed if isinstance(result, list)], counts)
    results = [result for _, result in good]
    stated: list[Parsed] = []
    waiting: list[tuple[int, Parsed]] = []
    if opened.mapping.kind == "registration":
        rows = [(result.party or Party(), result.statement) for result in results]
        said: list[str] = []
        for (number, result), one in zip(good, entities.register(pen, rows, source=opened.source), strict=True):
            if one in REASONS:
                waiting.append((number, replace(result, why=one)))
            else:
                stated.append(result)
                said.append(one)
        counts.released += release(pen, [result.party for result in stated if result.party is not None])
    else:
        matches, made = entities.place(pen, [result.party for result in results])
        counts.provisional += made
        pairs: list[tuple[int, Statement]] = []
        for (number, result), looked in zip(good, matches, strict=True):
            if looked.found is None:
                waiting.append((number, replace(result, why=result.why or looked.reason or "")))
            else:
                stated.append(result)
                pairs.append((looked.found.id, result.statement))
        said = [outcome.said for outcome in pen.state(pairs, source=opened.source)]
    _count(counts, said, [result.statement for result in stated])
    counts.released += forget(opened.source, stated)
    queue(run, opened.source, waiting, now)
    counts.unmatched += len(waiting)
    return counts


def _count(counts: Counts, said: list[str], statements: list[Statement]) -> None:
    for outcome, statement in zip(said, statements, strict=True):
        if outcome not in ledger.WRITTEN:
            counts.unchanged += 1
            counts.differs += outcome == "differs"
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


def write_rejects(run: int, path: Path) -> int:
    """Write the refused rows of a run as CSV (UTF-8 with BOM, as spreadsheets like it) and return how many cells it names.

    The file appears whole or not at all. Text that a spreadsheet would take for a formula is made harmless.
    """
    rows = list(ImportReject.select().where(ImportReject.run == run).order_by(ImportReject.row, ImportReject.number))
    if not rows:
        return 0
    sheets.write_csv(
        path,
        ["行号 row", "列 column", "值 value", "原因 reason"],
        [(row.row, row.column, row.value, row.reason) for row in rows],
    )
    return len(rows)
