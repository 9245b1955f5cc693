"""Importing a file: streamed, in short transactions, resumable where it stopped, and every row accounted for.

read = stored + unchanged + unmatched + rejected, always: the counts and the position commit with the rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date
from itertools import islice
from pathlib import Path

from registry import clock, owner, sheets
from registry.database import execute, insert_rows, session, write
from registry.errors import BadFile, RecordConflict
from registry.kinds import Statement
from registry.models import ImportReject, ImportRun
from registry.services import arriving, audit, entities, ledger, naming
from registry.services.counts import Counts
from registry.services.ledger import Pen
from registry.services.parsing import Parsed, Refusal, RowParser
from registry.services.parties import REASONS, Party
from registry.services.queue import forget, queue, release, row_of
from registry.services.senders import Sender, judged
from registry.services.trial import dry_run as dry_run
from registry.services.understanding import Source, body
from registry.services.understanding import open_source as open_source

# A run of another machine that has not moved for so long is taken over (milliseconds).
ABANDONED = 120_000
# What a run keeps of its counts, so that it goes on counting where it was cut off: all of them.
KEPT = tuple(one.name for one in fields(Counts))

Progress = Callable[[int], None]

# Runs that this process is at work on: one that it left by an error may be taken up again at once.
_at_work: set[int] = set()


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an import."""

    run: int
    mapping: str
    encoding: str
    counts: Counts
    resumed_at: int
    refusals: list[tuple[int, Refusal]] = field(default_factory=list)


def run(
    opened: Source, *, today: date, key: bytes, schemes: list[str], chunk: int, actor: str,
    now: Callable[[], int] = clock.now, progress: Progress | None = None, division: str = "", sender: Sender | None = None,
) -> Report:  # fmt: skip
    """Import a file. Safe to repeat: what is stored already is unchanged. A run that was cut off goes on where it was.

    `division` is the area (prefix of GB/T 2260) in which the parties are registered whose row does not say so: there a row
    without a number is found by its exact name. Raises BadArea for what is no division. With `sender` rows of other organs
    are refused, or wait for a review where they are grave; without, the file is trusted. `actor` sent it.
    Each chunk of rows is one transaction together with the position and the counts. Raises BadFile when the file turns
    out to be damaged on the way; the rows before that place are stored, and the run says so.
    """
    area = naming.area_of(division)
    with session():
        record = _begin(opened, now(), actor)
        parser = RowParser(opened.mapping, opened.header, today=today, key=key)
        organ = parser.heading_of.get("organ", "")
        resumed_at = position = record.position
        again = _came_before(record)
        counts = Counts(**{name: getattr(record, name) for name in KEPT})
        rest = islice(body(opened), position, None)
        try:
            damaged = None
            while damaged is None:
                rows, damaged = _next_rows(rest, chunk)
                if not rows:
                    break
                parsed = [(number, judged(parser.parse(cells), sender, organ)) for number, cells in rows]
                with ledger.writing(now=now(), schemes=schemes, remember=again) as pen:
                    counts = _store(pen, opened, record.id, parsed, counts, now(), area)
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


def _next_rows(rest: Iterator[tuple[int, list[str]]], size: int) -> tuple[list[tuple[int, list[str]]], BadFile | None]:
    """At most `size` rows, and the damage behind them if the file ends in one: the rows before it still count."""
    rows: list[tuple[int, list[str]]] = []
    try:
        rows.extend(islice(rest, size))
    except BadFile as error:
        return rows, error
    return rows, None


def _begin(opened: Source, now: int, actor: str) -> ImportRun:
    """Start a run, or take over one of the same file and sender that its process has left."""
    with write():
        same = (
            (ImportRun.digest == opened.file.digest)
            & (ImportRun.mapping == opened.mapping.id)
            & (ImportRun.source == opened.source)
            & (ImportRun.sender == actor[:64])
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
            sender=actor[:64], state="running", owner=owner.me(), started_at=now, updated_at=now,
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
    pen: Pen, opened: Source, run: int, parsed: list[tuple[int, Parsed | list[Refusal]]], before: Counts, now: int, area: str
) -> Counts:  # fmt: skip
    counts = replace(before)
    good = [(number, result) for number, result in parsed if isinstance(result, Parsed)]
    _reject(run, [(number, result) for number, result in parsed if isinstance(result, list)], counts)
    if opened.mapping.kind == "registration":
        _register(pen, opened.source, run, good, counts, now, area)
        return counts
    arrived = arriving.store(pen, opened.source, run, good, area=area, now=now)
    _count(counts, [outcome.said for outcome in arrived.outcomes], arrived.statements)
    counts.unmatched += arrived.waiting + arrived.dropped
    for name in ("dropped", "by_name", "provisional", "released"):
        setattr(counts, name, getattr(counts, name) + getattr(arrived, name))
    return counts


def _register(
    pen: Pen, source: str, run: int, good: list[tuple[int, Parsed]], counts: Counts, now: int, area: str
) -> None:  # fmt: skip
    rows = [(result.party or Party(), result.statement) for _, result in good]
    stated: list[Parsed] = []
    said: list[str] = []
    waiting: list[tuple[int, Parsed]] = []
    for (number, result), one in zip(good, entities.register(pen, rows, source=source), strict=True):
        if one in REASONS:
            waiting.append((number, replace(result, why=one)))
        else:
            stated.append(result)
            said.append(one)
    counts.released += release(pen, [result.party for result in stated if result.party is not None], now=now)
    _count(counts, said, [result.statement for result in stated])
    counts.released += forget(source, stated)
    queue([row_of(run, source, number, result, area=result.area or area, now=now) for number, result in waiting])
    counts.unmatched += len(waiting)


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
    """Write the refused rows of a run, as a workbook where the name ends in .xlsx, else as CSV, and return how many cells it names.

    The file appears whole or not at all. Text that a spreadsheet would take for a formula is made harmless.
    """
    rows = list(ImportReject.select().where(ImportReject.run == run).order_by(ImportReject.row, ImportReject.number))
    if not rows:
        return 0
    sheets.write_table(
        path,
        ["行号 row", "列 column", "值 value", "原因 reason"],
        [(row.row, row.column, row.value, row.reason) for row in rows],
    )
    return len(rows)
