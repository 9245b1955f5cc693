"""Looking at a file, and streaming its rows: one door for every kind of table."""

import dataclasses
import zlib
from collections.abc import Generator
from pathlib import Path

from registry.errors import BadFile
from registry.tables import nature
from registry.tables.base import FORMS, Form, Limits, Table, too_large
from registry.tables.objects import is_lines, object_rows
from registry.tables.packed import opened
from registry.tables.text import encodings, scan, separator_in, text_rows
from registry.tables.workbook import look_at_workbook, workbook_rows

START = 4096


def look_at(path: Path, limits: Limits | None = None) -> Table:
    """Read a file once and say what it is: kind, encoding (UTF-8, UTF-16 with BOM, else GB18030), separator, SHA-256.

    Raises BadFile, naming the file's true nature or the limit that it exceeds, when it is no table that can be read.
    """
    limits = limits or Limits()
    if not path.is_file():
        raise BadFile(f"There is no file {path}. Check the path.")
    if path.stat().st_size > limits.file:
        raise too_large(path, "the file has", path.stat().st_size, limits.file, "max_file_mb")
    with path.open("rb") as raw:
        compressed = raw.read(len(nature.GZIP)) == nature.GZIP
    start = _first_bytes(path, compressed)
    nature.refuse_disguise(path, start)
    form = nature.binary_form(start)
    if form is not None:
        digest, size, sheets, frames = look_at_workbook(path, form, compressed, limits)
        table = Table(
            path, form, "", digest, compressed, frames[sheets[0]].height, size, sheet=sheets[0], sheets=sheets, limits=limits,
            frames=frames,
        )  # fmt: skip
    else:
        table = _text_table(path, start, compressed, limits)
    return dataclasses.replace(table, notes=_notes(table))


def rows(table: Table) -> Generator[list[str], None, None]:
    """Stream the rows of a table as lists of text cells, from the very first one of the file or sheet.

    Raises BadFile, naming the place, where the file is damaged further on.
    """
    if table.form in ("xlsx", "xls"):
        return workbook_rows(table, table.sheet)
    if table.form in ("json", "jsonl"):
        return object_rows(table)
    return text_rows(table)


def sheet(table: Table, name: str) -> Table:
    """The same workbook with another of its sheets as the one to read."""
    return dataclasses.replace(table, sheet=name)


def _text_table(path: Path, start: bytes, compressed: bool, limits: Limits) -> Table:
    encoding, digest, lines, size = scan(path, compressed, encodings(start), limits.unpacked)
    beginning = start.decode(encoding, "ignore")
    form: Form = "csv"
    separator = ""
    if nature.is_json(beginning):
        form = "jsonl" if is_lines(path, compressed, encoding) else "json"
    else:
        separator = separator_in(path, compressed, encoding)
        form = "tsv" if separator == "\t" else "csv"
    return Table(path, form, encoding, digest, compressed, lines, size, separator=separator, limits=limits)


def _first_bytes(path: Path, compressed: bool) -> bytes:
    try:
        with opened(path, compressed) as stream:
            return stream.read(START)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path.name} cannot be unpacked: {error}. Fetch it again; the copy is damaged.") from error


def _notes(table: Table) -> tuple[str, ...]:
    if not nature.misnamed(table.path, table.form, table.compressed):
        return ()
    where = " in a gzip archive" if table.compressed else ""
    return (f"{table.path.name} is {FORMS[table.form]}{where}, whatever its name says; it was read as that.",)
