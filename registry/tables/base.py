"""What a table file is known by, and how large it may be."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from registry.errors import BadFile

Form = Literal["csv", "tsv", "xlsx", "xls", "json", "jsonl"]
FORMS: dict[Form, str] = {
    "csv": "CSV",
    "tsv": "tab-separated text (TSV)",
    "xlsx": "an Excel workbook (.xlsx)",
    "xls": "an Excel 97 workbook (.xls)",
    "json": "JSON",
    "jsonl": "JSON lines",
}
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be: `[import]` of the settings. Sizes in bytes, a cell in characters."""

    file: int = 200 * MEGABYTE
    unpacked: int = 1000 * MEGABYTE
    rows: int = 2_000_000
    columns: int = 300
    # Longer cells are not cells but a broken quotation mark that swallowed the rest of the file.
    cell: int = MEGABYTE

    @classmethod
    def of(cls, *, max_file_mb: int, max_unpacked_mb: int, max_rows: int, max_columns: int) -> "Limits":
        """The limits of settings, which count in megabytes."""
        return cls(max_file_mb * MEGABYTE, max_unpacked_mb * MEGABYTE, max_rows, max_columns)


@dataclass(frozen=True, slots=True)
class Table:
    """A table file that was looked at: what it is by content, and how its rows are read.

    `encoding` is empty for workbooks. `lines` is the number of lines of text, else of rows of the sheet. `digest` is the
    SHA-256 of the content, unpacked where it came in a gzip archive. `notes` are sentences about what its name hides.
    """

    path: Path
    form: Form
    encoding: str
    digest: str
    compressed: bool
    lines: int
    size: int
    separator: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    limits: Limits = Limits()
    # Sheets that were read: a workbook has no beginning that could be looked at without the rest.
    frames: dict[str, pl.DataFrame] = field(default_factory=dict, compare=False, repr=False)


def too_large(path: Path, what: str, found: int, limit: int, setting: str, *, megabytes: bool = True) -> BadFile:
    """The refusal of a file that exceeds a limit: what, how much, how much is allowed, and which setting says so."""
    if megabytes:
        amount, most = f"{found / MEGABYTE:,.1f} MB", f"{limit // MEGABYTE:,} MB"
    else:
        amount, most = f"{found:,}", f"{limit:,}"
    return BadFile(
        f"{path.name}: {what} {amount}, and {most} are allowed ([import] {setting}). Split the file, or ask the operator "
        "to raise the limit."
    )
