"""`import` and `imports`: files in, and their state."""

import os
from pathlib import Path
from typing import Any

import click

from api.cli import REFUSED, support, understanding
from api.cli.support import as_json
from api.cli.understanding import rows_of
from registry import privacy
from registry.config import Settings
from registry.mappings import Order
from registry.models import ImportRun
from registry.services import grading
from registry.services import imports as service
from registry.services.imports import Report
from registry.services.trial import Understanding
from registry.tables import Limits


@click.command("import", epilog="Example: xinheng import penalties.csv.gz --dry-run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kind", default=None, help="Consider mappings of this kind of record only.")
@click.option(
    "--mapping",
    default=None,
    help="Use this mapping: a name, or the path of a .toml. Default: the one that fits the headings.",
)
@click.option("--source", default=None, help="Who the rows are from. Default: the name of the mapping.")
@click.option("--dry-run", is_flag=True, help="Show what was understood, check every row and store nothing.")
@click.option(
    "--rejected",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Where refused rows go. Default: FILE.rejected.csv.",
)
@click.option("--ignore-unknown", is_flag=True, help="Leave out columns that the mapping does not know.")
@click.option(
    "--order",
    type=click.Choice(["dmy", "mdy"]),
    default=None,
    help="How days with the year last are written, where no cell tells.",
)
@click.option(
    "--division",
    default="",
    help="Area (GB/T 2260 prefix) in which the parties are registered: there a row without a number is found by its exact name.",
)
@as_json
def import_(
    file: Path,
    kind: str | None,
    mapping: str | None,
    source: str | None,
    dry_run: bool,
    rejected: Path | None,
    ignore_unknown: bool,
    order: Order | None,
    division: str,
    as_json: bool,
) -> int:
    """Import registrations or records from a table: CSV, TSV, Excel (.xlsx, .xls) or JSON, also in a gzip archive.

    Good rows are stored once, rows whose party is not known wait in the queue, refused rows go to a file with row,
    column and reason. An import that was cut off goes on where it was. Exit status 1: some rows were refused.
    """
    with support.connected() as settings:
        opened = service.open_source(
            file, kind=kind, mapping=mapping, source=source, ignore_unknown=ignore_unknown, order=order or "ymd",
            folder=settings.path(settings.import_.mappings), limits=limits_of(settings),
        )  # fmt: skip
        key, today = privacy.key(settings), support.today(settings)
        if dry_run:
            with support.progress(f"Dry run 试读 {file.name}") as tell:
                found = service.dry_run(opened, today=today, key=key, progress=lambda rows: tell(rows, opened.rows))
            if as_json:
                support.emit(_counts(found) | found.as_dict())
                return REFUSED if found.counts.rejected or found.damage else 0
            for number, refusal in found.refusals:
                where = f", {refusal.column}: {refusal.value!r}" if refusal.column else ""
                click.echo(f"row {number}{where}: {refusal.reason}", err=True)
            click.echo(understanding.told(found))
            return REFUSED if found.counts.rejected or found.damage else 0
        with support.progress(f"Import 导入 {file.name}") as tell:
            report = service.run(
                opened, today=today, key=key, schemes=grading.schemes(settings), chunk=settings.import_.chunk_rows,
                actor=support.actor(), progress=lambda rows: tell(rows, max(opened.rows, rows)), division=division,
            )  # fmt: skip
        written = _rejects(report, rejected or rejects_path(file))
    if as_json:
        support.emit(_as_dict(report, written))
    else:
        for line in (*opened.file.notes, *understanding.left_out(opened)):
            click.echo(line)
        _tell(report, written)
    return REFUSED if report.counts.rejected else 0


def limits_of(settings: Settings) -> Limits:
    """How large a file may be, by the settings."""
    given = settings.import_
    return Limits.of(
        max_file_mb=given.max_file_mb,
        max_unpacked_mb=given.max_unpacked_mb,
        max_rows=given.max_rows,
        max_columns=given.max_columns,
    )


def rejects_path(file: Path) -> Path:
    """Beside the file, or in the working directory where the file's folder cannot be written."""
    name = f"{file.name}.rejected.csv"
    return file.with_name(name) if os.access(file.resolve().parent, os.W_OK) else Path(name)


def _rejects(report: Report, path: Path) -> Path | None:
    if not report.counts.rejected:
        return None
    service.write_rejects(report.run, path)
    return path


def _counts(report: Report | Understanding) -> dict[str, Any]:
    counts = report.counts
    return {
        "run": report.run, "read": counts.read, "stored": counts.stored, "unchanged": counts.unchanged, "unmatched": counts.unmatched,
        "rejected": counts.rejected, "undated": counts.undated, "provisional": counts.provisional, "released": counts.released,
        "differs": counts.differs, "by_name": getattr(counts, "by_name", 0), "dropped": getattr(counts, "dropped", 0), "resumed_at": report.resumed_at, "rejected_file": None,
    }  # fmt: skip


def _as_dict(report: Report, written: Path | None) -> dict[str, Any]:
    named = {"mapping": report.mapping, "encoding": report.encoding, "rejected_file": str(written) if written else None}
    return _counts(report) | named


def _tell(report: Report, written: Path | None) -> None:
    counts = report.counts
    waiting = counts.unmatched - counts.dropped
    dropped = f"{counts.dropped:,} dropped by decisions of persons, " if counts.dropped else ""
    click.echo(
        f"{rows_of(counts.read)} read with mapping {report.mapping}: {counts.stored:,} stored, {counts.unchanged:,} unchanged, "
        f"{waiting:,} wait for a match, {dropped}{counts.rejected:,} refused."
    )
    if report.resumed_at:
        click.echo(f"Went on after row {report.resumed_at:,}, where an earlier import of this file was cut off.")
    if counts.undated:
        click.echo(f"Without a date: {rows_of(counts.undated)}. Kept, and never counted in a window.")
    if counts.provisional:
        click.echo(
            f"Codes that are not registered yet: {counts.provisional:,}. Their entities are provisional, not graded."
        )
    if counts.differs:
        click.echo(
            f"Other than what another source said first: {rows_of(counts.differs)}. Nothing of them was applied."
        )
    if counts.by_name:
        click.echo(f"Attached by the exact name of the party: {rows_of(counts.by_name)}. xinheng queue named")
    if counts.dropped:
        click.echo("Rows that decisions of persons drop: xinheng queue decisions")
    if counts.released:
        click.echo(f"{rows_of(counts.released)} that had waited found their party and left the queue.")
    if waiting:
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
