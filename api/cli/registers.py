"""What the commands of the one list and the two databases share: who acts, files taken and written, what became of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from marshmallow import Schema, ValidationError

from api.cli import REFUSED, support
from api.cli.imports import rejects_path
from registry import clock, sheets
from registry.config import Settings
from registry.services.dropfolder import HEADINGS
from registry.services.register_files import Sheet, Taken, header_and_rows, limits, sentences, take
from registry.services.registers import Desk, Outcome, RegisterRefused

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
OUT = click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
SAID = {"stored": "存入 stored", "unchanged": "未变 unchanged"}


def desk_of(settings: Settings, organ: str = "") -> Desk:
    """Where the person at the terminal works: for every organ and division, or for one organ."""
    return Desk(support.actor(), organ, support.today(settings), clock.now())


def import_file(file: Path, sheet: Sheet, *, organ: str = "", as_json: bool) -> int:
    """Store a file and say what became of it; refused rows go to FILE.rejected.csv. The exit status."""
    with support.connected() as settings:
        found = take(file, sheet, limits=limits(settings), desk=desk_of(settings, organ))
    written = _rejected(file, found)
    if as_json:
        support.emit({**found.as_dict(), "rejected_file": None if written is None else str(written)})
    else:
        click.echo(
            f"{file.name}: 存入 {found.stored:,} stored, 未变 {found.unchanged:,} unchanged, 拒收 {found.rejected_rows:,} refused."
        )
        if found.left_out:
            click.echo(f"个人信息列未读取 Columns about persons, not read and not stored: {'、'.join(found.left_out)}")
        if written is not None:
            click.echo(f"Refused rows: {written}")
    return REFUSED if found.rejected else 0


def export_file(out: Path, sheet: Sheet, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, or XLSX where the name ends so; importing it changes nothing."""
    lines = list(rows)
    sheets.write_table(out, *header_and_rows(sheet, lines))
    click.echo(f"{out}: {len(lines):,} 行 rows", err=True)


def tell(name: str, shown: dict[str, Any], outcome: Outcome, as_json: bool) -> None:
    """Say what a verb did: the thing as it is now, and whether it changed."""
    if as_json:
        support.emit({"said": "done" if outcome == "stored" else "unchanged", **shown})
        return
    version = f", version {shown['version']}" if "version" in shown else ""
    click.echo(f"{name}: {SAID[outcome]}{version}")


def _rejected(file: Path, found: Taken) -> Path | None:
    if not found.rejected:
        return None
    path = rejects_path(file)
    sheets.write_csv(path, HEADINGS, [(one.row, one.column, one.value, one.reason) for one in found.rejected])
    return path


def checked(form: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the options of a command say, checked by a form. Raises RegisterRefused, naming each field."""
    try:
        found: dict[str, Any] = form.load(given)
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise RegisterRefused({name: list(sentences(texts)) for name, texts in messages.items()}) from error
    return found
