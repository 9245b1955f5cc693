"""Excel workbooks of both generations: every cell as text, whole numbers with all their digits, days as ISO text."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import polars as pl

from registry.errors import BadFile
from registry.tables import apart
from registry.tables.base import Form, Limits, Table, too_large
from registry.tables.packed import check_workbook, content

# Memory of the process that reads: a few times what may be unpacked, and what the libraries themselves reserve.
TIMES_UNPACKED, ANYWAY = 3, 2 << 30
# A sheet of a million rows takes a minute; nothing lawful takes ten.
PATIENCE = 600
# How a workbook that needs a password names what it keeps.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def look_at_workbook(
    path: Path, form: Form, compressed: bool, limits: Limits
) -> tuple[str, int, tuple[str, ...], dict[str, pl.DataFrame]]:
    """SHA-256, size in bytes and names of the sheets of a workbook, and the first of them.

    Raises BadFile where it cannot be opened or is a bomb.
    """
    data = content(path, compressed, limits.file, "max_file_mb")
    if form == "xlsx":
        check_workbook(path, data, limits)
    elif _ENCRYPTED in data:
        raise BadFile(f"{path.name} is a workbook that needs a password. Save it without one and try again.")
    sheets, first = _read(path, data, limits)
    if not sheets:
        raise BadFile(f"{path.name} is a workbook without a sheet. Export it again.")
    return hashlib.sha256(data).hexdigest(), len(data), sheets, {sheets[0]: first}


def workbook_rows(table: Table, sheet: str) -> Generator[list[str], None, None]:
    """The rows of one sheet as lists of cells, "" where there is none; the first is row 1 of the sheet.

    Raises BadFile for a sheet that cannot be read or is larger than the limits.
    """
    frame = table.frames.get(sheet)
    if frame is None:
        data = content(table.path, table.compressed, table.limits.file, "max_file_mb")
        if hashlib.sha256(data).hexdigest() != table.digest:  # what was measured must be what is unpacked
            raise BadFile(f"{table.path.name} was changed while it was read. Start again when it is complete.")
        frame = table.frames[sheet] = _read(table.path, data, table.limits, sheet)[1]
    if frame.width > table.limits.columns:
        what = f"sheet {sheet!r} has columns:"
        raise too_large(table.path, what, frame.width, table.limits.columns, "max_columns", megabytes=False)
    for row in frame.iter_rows(buffer_size=2_000):
        yield list(row)


def _read(path: Path, data: bytes, limits: Limits, *sheet: str) -> tuple[tuple[str, ...], pl.DataFrame]:
    """Names of the sheets and one of them, read in a process of its own."""
    memory = TIMES_UNPACKED * limits.unpacked + ANYWAY
    # Isolated: only the libraries that are installed, nothing from the folder or the environment of whoever started us.
    command = [sys.executable, "-I", apart.__file__, str(memory), *sheet]
    quiet = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    try:
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=PATIENCE,
            env={**quiet, "POLARS_MAX_THREADS": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _refused(path, f"it was not read within {PATIENCE} seconds") from error
    if done.returncode == apart.FAULT:
        raise _refused(path, str(json.loads(done.stderr.decode(errors="replace").splitlines()[-1])[0])[:120])
    if done.returncode != 0:
        raise _refused(path, "its reader needs more memory than it may have, or broke down over it")
    names, _, rest = done.stdout.partition(b"\n")
    return tuple(json.loads(names)), pl.read_ipc_stream(io.BytesIO(rest))


def _refused(path: Path, said: str) -> BadFile:
    return BadFile(
        f"{path.name} is an Excel workbook that cannot be opened ({said}). Open it in a spreadsheet and save it as .xlsx or "
        "“CSV UTF-8”; the copy may be damaged."
    )
