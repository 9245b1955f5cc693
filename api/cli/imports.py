"""`import`, `imports` and `queue`: files in, their state, and the rows that wait for a person."""

import os
from pathlib import Path
from typing import Any

import click

from api.cli import REFUSED, support
from api.cli.support import as_json
from registry import privacy
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.models import ImportRun, Unmatched
from registry.services import grading
from registry.services import imports as service
from registry.services.imports import Report


@click.command("import", epilog="Example: xinheng import penalties.csv.gz --dry-run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kind", default=None, help="Consider mappings of this kind of record only.")
@click.option("--mapping", default=None, help="Use this mapping. Default: the one that fits the headings.")
@click.option("--source", default=None, help="Who the rows are from. Default: the name of the mapping.")
@click.option("--dry-run", is_flag=True, help="Check every row and store nothing.")
@click.option(
    "--rejected",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Where refused rows go. Default: FILE.rejected.csv.",
)
@click.option("--ignore-unknown", is_flag=True, help="Leave out columns that the mapping does not know.")
@as_json
def import_(
    file: Path,
    kind: str | None,
    mapping: str | None,
    source: str | None,
    dry_run: bool,
    rejected: Path | None,
    ignore_unknown: bool,
    as_json: bool,
) -> int:
    """Import registrations or records from a CSV file (.csv or .csv.gz; UTF-8 or GB18030).

    Good rows are stored once, rows whose party is not known wait in the queue, refused rows go to a file with row,
    column and reason. An import that was cut off goes on where it was. Exit status 1: some rows were refused.
    """
    opened = service.open_source(file, kind=kind, mapping=mapping, source=source, ignore_unknown=ignore_unknown)
    with support.connected() as settings:
        key = privacy.key(settings)
        if dry_run:
            report = service.dry_run(opened, today=support.today(settings), key=key)
            written = None
        else:
            with support.progress(f"Import 导入 {file.name}") as tell:
                report = service.run(
                    opened, today=support.today(settings), key=key, schemes=grading.schemes(settings),
                    chunk=settings.import_.chunk_rows, actor=support.actor(),
                    progress=lambda rows: tell(rows, max(opened.file.lines - 1, rows)),
                )  # fmt: skip
            assert report.run is not None
            written = _rejects(report, rejected or rejects_path(file))
    if as_json:
        support.emit(_as_dict(report, written))
    else:
        _tell(report, written, dry_run=dry_run)
    return REFUSED if report.counts.rejected else 0


def rejects_path(file: Path) -> Path:
    """Beside the file, or in the working directory where the file's folder cannot be written."""
    name = f"{file.name}.rejected.csv"
    return file.with_name(name) if os.access(file.resolve().parent, os.W_OK) else Path(name)


def _rejects(report: Report, path: Path) -> Path | None:
    if not report.counts.rejected or report.run is None:
        return None
    service.write_rejects(report.run, path)
    return path


def _as_dict(report: Report, written: Path | None) -> dict[str, Any]:
    counts = report.counts
    return {
        "run": report.run, "read": counts.read, "stored": counts.stored, "unchanged": counts.unchanged, "unmatched": counts.unmatched,
        "rejected": counts.rejected, "undated": counts.undated, "provisional": counts.provisional, "released": counts.released,
        "differs": counts.differs,
        "resumed_at": report.resumed_at, "mapping": report.mapping, "encoding": report.encoding, "rejected_file": str(written) if written else None,
    }  # fmt: skip


def _tell(report: Report, written: Path | None, *, dry_run: bool) -> None:
    counts = report.counts
    for number, refusal in report.refusals:
        click.echo(f"row {number}, {refusal.column}: {refusal.value!r}: {refusal.reason}", err=True)
    stored = "would be stored" if dry_run else "stored"
    click.echo(
        f"{counts.read:,} rows read with mapping {report.mapping}: {counts.stored:,} {stored}, {counts.unchanged:,} unchanged, "
        f"{counts.unmatched:,} wait for a match, {counts.rejected:,} refused."
    )
    if report.resumed_at:
        click.echo(f"Went on after row {report.resumed_at:,}, where an earlier import of this file was cut off.")
    if counts.undated:
        click.echo(f"{counts.undated:,} rows have no date: kept, and never counted in a window.")
    if counts.provisional:
        click.echo(f"{counts.provisional:,} codes are not registered yet: their entities are provisional, not graded.")
    if counts.differs:
        click.echo(f"{counts.differs:,} rows differ from what another source said first; nothing of them was applied.")
    if counts.released:
        click.echo(f"{counts.released:,} rows that had waited found their party and left the queue.")
    if counts.unmatched and not dry_run:
        click.echo("Rows that wait: xinheng queue")
    if written:
        click.echo(f"Refused rows: {written}")


@click.command("imports", epilog="Example: xinheng imports --limit 5")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@as_json
def imports(limit: int, as_json: bool) -> None:
    """List imports, newest first: state, position and counts."""
    with support.connected() as settings:
        rows = [_run(row, settings) for row in ImportRun.select().order_by(ImportRun.id.desc()).limit(limit)]
    if as_json:
        support.emit(rows)
        return
    support.table(
        [
            "编号 id",
            "文件 file",
            "映射 mapping",
            "状态 state",
            "行 rows",
            "入库 stored",
            "未变 unchanged",
            "待匹配 unmatched",
            "拒收 rejected",
            "开始 started",
        ],
        [
            [
                row[name]
                for name in (
                    "id",
                    "file",
                    "mapping",
                    "state",
                    "position",
                    "stored",
                    "unchanged",
                    "unmatched",
                    "rejected",
                    "started",
                )
            ]
            for row in rows
        ],
    )
    for row in rows:
        if row["error"]:
            click.echo(f"import {row['id']}: {row['error']}", err=True)


def _run(row: ImportRun, settings: Settings) -> dict[str, Any]:
    names = (
        "id",
        "file",
        "mapping",
        "source",
        "state",
        "position",
        "stored",
        "unchanged",
        "unmatched",
        "rejected",
        "undated",
        "provisional",
        "error",
    )
    times = {
        "started": support.moment(row.started_at, settings),
        "finished": support.moment(row.finished_at, settings) or None,
    }
    return {name: getattr(row, name) for name in names} | times


@click.command("queue", epilog="Example: xinheng queue --limit 50 --json")
@click.option("--kind", default=None, help="Only rows of this kind.")
@click.option("--source", default=None, help="Only rows from this source.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@as_json
def queue(kind: str | None, source: str | None, limit: int, as_json: bool) -> None:
    """List the rows whose party was not found, oldest first. Personal numbers are masked."""
    with support.connected() as settings:
        query = Unmatched.select().order_by(Unmatched.id)
        if kind is not None:
            query = query.where(Unmatched.kind == kind)
        if source is not None:
            query = query.where(Unmatched.source == source)
        total = query.count()
        rows = [
            {
                "id": row.id, "kind": row.kind, "source": row.source, "import": row.run.id if row.run else None, "row": row.row, "reason": row.reason,
                # Masked when it was stored; masked again, because what is printed is copied around.
                "name": mask_personal(row.party_name), "code": mask_personal(row.party_code),
                "waiting_since": support.moment(row.waiting_since, settings),
            }
            for row in query.limit(limit)
        ]  # fmt: skip
    if as_json:
        support.emit({"total": total, "items": rows})
        return
    support.table(
        ["编号 id", "种类 kind", "来源 source", "行 row", "原因 reason", "名称 name", "代码 code", "等待自 since"],
        [
            [row[name] for name in ("id", "kind", "source", "row", "reason", "name", "code", "waiting_since")]
            for row in rows
        ],
    )
    click.echo(f"{len(rows):,} of {total:,} rows that wait.")
