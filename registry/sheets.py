"""Tables for spreadsheets: CSV and XLSX files that appear whole or not at all, and cells that no spreadsheet runs.

A row is a sequence of cells: text, a day, a `Decimal`, a whole number, or None. In CSV a text that a spreadsheet would take
for a formula gets an apostrophe in front (`plain` takes it off again); in a workbook every text is a text cell already.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from rustpy_xlsxwriter import FastExcel, Format

from registry.errors import RegistryError

# What a spreadsheet may take for the beginning of a formula, in half and full width; tab and line breaks are dropped by
# some on the way to it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Blanks and invisible marks that are trimmed before the cell is read.
BLANKS = " \u00a0\u3000\u200b\ufeff"
# A text that was made safe: its first apostrophe is ours, whatever others follow.
_SAFE = re.compile(rf"'[{BLANKS}']*[{re.escape(''.join(FORMULA))}]")
# Rows of a worksheet, the header among them.
MOST_ROWS = 1_048_576
LONGEST_CELL = 32_767
BOM = "\ufeff"
# Rows that go out in one piece.
BATCH = 500
# What XML cannot hold; a workbook writes other control characters in its own way.
_NO_XML = {0xFFFE: None, 0xFFFF: None}
# What stays text in a workbook is as wide as it is needed; a heading of a template is long.
WIDTH = 18.0

Cell = str | int | date | Decimal | None
Row = Sequence[Cell]


class TooManyRows(RegistryError):
    """More rows than a worksheet has, or a cell longer than one holds."""

    code = "too_many_rows"
    status = 422


def safe(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: one that could be gets an apostrophe in front.

    A text that looks as if it had been made safe gets one more, so that `plain` is the way back for every text.
    """
    return f"'{text}" if text.lstrip(BLANKS + "'").startswith(FORMULA) else text


def plain(text: str) -> str:
    """The text that `safe` was given."""
    return text[1:] if _SAFE.match(text) else text


def csv_cell(cell: Cell) -> str:
    """A cell as CSV has it: days as ISO text, amounts with all their decimals, texts made safe."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return safe(cell)
    return cell.isoformat() if isinstance(cell, date) else f"{cell}"


def csv_blocks(header: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A table as CSV in pieces of text, with a byte-order mark, as spreadsheets like it."""
    buffer = io.StringIO(newline="")
    buffer.write(BOM)
    writer = csv.writer(buffer)
    writer.writerow(header)
    rest = iter(rows)
    while True:
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        batch = list(islice(rest, BATCH))
        if not batch:
            return
        writer.writerows([[csv_cell(cell) for cell in row] for row in batch])


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as CSV (UTF-8 with BOM, as spreadsheets like it). Texts of the rows are made safe.

    The file appears whole or not at all, and is on the disk when this returns. Raises OSError where it cannot be written.
    """
    write_text(path, csv_blocks(header, rows))


def write_text(path: Path, blocks: Iterable[str]) -> None:
    """Write a text file that appears whole or not at all. Raises OSError where it cannot be written."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="") as handle:
        handle.writelines(blocks)
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(path)


def write_xlsx(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, sheet: str = "数据") -> None:
    """Write a table as an Excel workbook: texts stay text (no formula, no lost digit), days are days, amounts numbers.

    The file appears whole or not at all. Raises TooManyRows beyond 1,048,576 rows or 32,767 characters in a cell, and
    OSError where it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    bold = Format().set_bold()
    # Two columns may have the same heading nowhere: a worksheet is made of records by heading.
    try:
        (
            FastExcel(str(part), output_format="xlsx", columns=list(header))
            .format(float_format="0.000000", datetime_format="yyyy-mm-dd")
            .freeze(row=1)
            .sheet(sheet, _records(header, rows), header_format=bold, column_width=WIDTH)
            .save()
        )
        with part.open("rb") as handle:
            os.fsync(handle.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _records(header: Sequence[str], rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    empty = True
    for number, row in enumerate(rows, start=2):
        if number > MOST_ROWS:
            raise TooManyRows(
                f"A worksheet has {MOST_ROWS:,} rows, and there are more. Export as CSV, or in parts with --since."
            )
        empty = False
        yield dict(zip(header, map(_xlsx_cell, row), strict=True))
    if empty:  # a sheet that was given no record has no header either
        yield dict.fromkeys(header)


def _xlsx_cell(cell: Any) -> Any:
    if isinstance(cell, str):
        if len(cell) > LONGEST_CELL:
            raise TooManyRows(
                f"A cell has {len(cell):,} characters, and a worksheet holds {LONGEST_CELL:,}. Export as CSV."
            )
        return cell.translate(_NO_XML) or None
    return float(cell) if isinstance(cell, Decimal) else cell


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a workbook where the name ends in .xlsx, else CSV."""
    (write_xlsx if path.suffix.lower() == ".xlsx" else write_csv)(path, header, rows)
