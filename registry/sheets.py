"""Tables for spreadsheets: CSV files that appear whole or not at all, and cells that no spreadsheet runs."""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

# What a spreadsheet may take for the beginning of a formula, in half and full width; tab and line breaks are dropped by
# some on the way to it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Blanks and invisible marks that are trimmed before the cell is read.
BLANKS = " \u00a0\u3000\u200b\ufeff"


def safe(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: one that could be gets an apostrophe in front."""
    return f"'{text}" if text.lstrip(BLANKS).startswith(FORMULA) else text


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV (UTF-8 with BOM, as spreadsheets like it). Texts of the rows are made safe.

    The file appears whole or not at all, and is on the disk when this returns. Raises OSError where it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(path)
