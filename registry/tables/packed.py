"""Archives, measured before they are unpacked: what they say of themselves is not believed."""

import gzip
import io
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from registry.errors import BadFile
from registry.tables.base import Limits, too_large

BLOCK = 1 << 20
# A workbook has a few parts per sheet, and pictures.
MOST_PARTS = 5_000
# Deflate cannot shrink by more than about 1,030 times; tables that people made shrink by 5 to 60.
HIGHEST_RATIO = 400
RATIO_MATTERS_FROM = 20 << 20
# Cells that a sheet may span for each cell that is filled: a cell in the far corner makes a reader reserve everything.
MOST_CELLS = 40_000_000
EMPTY_PER_CELL = 20
EMPTY_ANYWAY = 5_000_000
_LOCAL = struct.Struct("<4s22xHH")
_CELL = re.compile(rb'<c r="([A-Z]{1,3}[0-9]{1,7})"')
_ANY_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,7}[0-9]{1,9})["']""")
_ODD = (b"r='", b"r =", b"r\n=", b"r\r=", b"r\t=")
_STRING_AT = re.compile(rb't="s"[^>]*><v>([0-9]{1,9})</v>')
_STRING = re.compile(rb"<(?:\w{1,9}:)?si[ >].*?</(?:\w{1,9}:)?si>", re.DOTALL)
_DIGITS, _LETTERS = b"0123456789", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


def opened(path: Path, compressed: bool) -> BinaryIO:
    """The content of a file, unpacked on the way where it is a gzip archive."""
    return gzip.open(path, "rb") if compressed else path.open("rb")  # type: ignore[return-value]


def blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The content piece by piece, so that no size that a file claims is ever reserved."""
    while block := stream.read(BLOCK):
        yield block


def content(table_path: Path, compressed: bool, most: int, setting: str) -> bytes:
    """All of a file that must be read at once. Raises BadFile above `most` bytes and for a damaged archive."""
    parts: list[bytes] = []
    size = 0
    try:
        with opened(table_path, compressed) as stream:
            for block in blocks(stream):
                size += len(block)
                if size > most:
                    raise too_large(table_path, "unpacked it has more than", size, most, setting)
                parts.append(block)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(
            f"{table_path.name} cannot be read to its end: {error}. Fetch it again; the copy is damaged."
        ) from error
    return b"".join(parts)


def check_workbook(path: Path, data: bytes, limits: Limits) -> None:
    """Unpack an .xlsx part by part without keeping it, and refuse what would not fit into memory.

    Raises BadFile for a damaged archive, too many parts, too much content, an entity declaration, and cells that are so
    far apart or texts so often repeated that a reader would need more memory than `max_unpacked_mb`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise BadFile(
            f"{path.name} begins as an Excel workbook (.xlsx) and cannot be unpacked: {error}. Fetch it again; the copy is damaged."
        ) from error
    if len(parts) > MOST_PARTS:
        raise too_large(path, "the workbook has parts:", len(parts), MOST_PARTS, "max_unpacked_mb", megabytes=False)
    if not any(part.filename.lower() == "xl/workbook.xml" for part in parts):
        raise BadFile(
            f"{path.name} is not a table: its content is a ZIP archive without an Excel workbook (.xlsx) in it. Unpack it "
            "and import the tables in it one by one."
        )
    unpacked, strings = 0, b""
    sheets: list[_Extent] = []
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels")):
            continue  # pictures and macros are never unpacked by the reader
        extent = _Extent(part.filename)
        is_sheet, is_strings = _SHEET.fullmatch(part.filename), part.filename.lower() == "xl/sharedstrings.xml"
        kept: list[bytes] = []
        size = 0
        for block in _inflated(path, data, part):
            size += len(block)
            unpacked += len(block)
            if unpacked > limits.unpacked:
                raise too_large(path, "unpacked it has more than", unpacked, limits.unpacked, "max_unpacked_mb")
            if size > RATIO_MATTERS_FROM and size > HIGHEST_RATIO * max(part.compress_size, 1):
                raise BadFile(
                    f"{path.name}: its part {part.filename[:80]!r} unpacks to more than {HIGHEST_RATIO} times its size. No "
                    "table that people made does; save it in a spreadsheet as “CSV UTF-8”."
                )
            if b"<!ENTITY" in block or b"<!DOCTYPE" in block:
                raise BadFile(
                    f"{path.name}: its part {part.filename[:80]!r} declares entities, which no spreadsheet writes. Save it in a "
                    "spreadsheet as “CSV UTF-8”."
                )
            if is_sheet:
                extent.add(block)
            elif is_strings:
                kept.append(block)
        if is_sheet:
            extent.finish()
            sheets.append(extent)
        elif is_strings:
            strings = b"".join(kept)
    for extent in sheets:
        extent.check(path, limits)
    _check_strings(path, strings, sheets, limits)


def _inflated(path: Path, data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The true content of one part: as far as its stream goes, whatever the directory of the archive says."""
    try:
        magic, name, extra = _LOCAL.unpack_from(data, part.header_offset)
        start = part.header_offset + _LOCAL.size + name + extra
        packed = memoryview(data)[start : start + part.compress_size]
        if magic != b"PK\x03\x04" or part.flag_bits & 1 or part.compress_type not in (0, 8):
            raise zlib.error("it is encrypted or packed in a way that spreadsheets do not use")
        if part.compress_type == 0:
            yield from (bytes(packed[at : at + BLOCK]) for at in range(0, len(packed), BLOCK))
            return
        engine = zlib.decompressobj(-15)
        rest: bytes | memoryview = packed
        while not engine.eof:
            block = engine.decompress(rest, BLOCK)
            rest = engine.unconsumed_tail
            if not block and not rest:
                break
            yield block
        if not engine.eof:
            raise zlib.error("it ends too early")
    except (zlib.error, struct.error) as error:
        raise BadFile(
            f"{path.name}: its part {part.filename[:80]!r} cannot be unpacked: {error}. Fetch it again; the copy is damaged."
        ) from error


class _Extent:
    """How far the cells of one sheet reach, and which texts they repeat; fed block by block."""

    __slots__ = ("cells", "column", "name", "row", "tail", "texts")

    def __init__(self, name: str) -> None:
        self.name, self.cells, self.row, self.column, self.tail = name, 0, 0, 0, b""
        self.texts: Counter[bytes] = Counter()

    def add(self, block: bytes) -> None:
        data = self.tail + block
        cut = max(data.rfind(b"<c"), 0) or max(data.rfind(b"<"), 0)
        if not cut or len(data) - cut > 2 * BLOCK:  # no cell ends here: nothing can be cut in two
            cut = len(data)
        self._count(data[:cut])
        self.tail = data[cut:]

    def finish(self) -> None:
        self._count(self.tail)
        self.tail = b""

    def _count(self, data: bytes) -> None:
        found = _CELL.findall(data)
        if len(found) != data.count(b'r="') - data.count(b'<row r="') or any(data.count(odd) for odd in _ODD):
            found = _ANY_CELL.findall(data)  # written by hand: every attribute that looks like a place counts
        self.cells += max(len(found), data.count(b"<c ") + data.count(b"<c>") + data.count(b"<c/"))
        if found:
            self.row = max(self.row, max(map(int, (one.lstrip(_LETTERS) for one in found))))
            self.column = max(self.column, max(map(_column, {one.rstrip(_DIGITS) for one in found})))
            self.texts.update(_STRING_AT.findall(data))

    def check(self, path: Path, limits: Limits) -> None:
        if self.column > limits.columns:
            what = f"its sheet part {self.name[:80]!r} has columns:"
            raise too_large(path, what, self.column, limits.columns, "max_columns", megabytes=False)
        if self.cells > MOST_CELLS:
            what = f"its sheet part {self.name[:80]!r} has cells:"
            raise too_large(path, what, self.cells, MOST_CELLS, "max_rows", megabytes=False)
        area, most = self.row * self.column, EMPTY_ANYWAY + EMPTY_PER_CELL * self.cells
        if area > most:
            raise BadFile(
                f"{path.name}: {self.cells:,} cells are spread over an area of {area:,} in {self.name[:80]!r}, and {most:,} are "
                "allowed. Delete what stands far below or beside the table, and save it again."
            )


def _check_strings(path: Path, strings: bytes, sheets: list[_Extent], limits: Limits) -> None:
    """Refuse texts that are kept once and shown so often that unfolding them would not fit."""
    lengths = [len(one) for one in _STRING.findall(strings)]
    if lengths and max(lengths) > 4 * limits.cell:
        raise too_large(path, "a cell has bytes:", max(lengths), 4 * limits.cell, "cell length", megabytes=False)
    total = sum(
        times * lengths[int(index)]
        for extent in sheets
        for index, times in extent.texts.items()
        if int(index) < len(lengths)
    )
    if total > 2 * limits.unpacked:
        raise too_large(path, "its texts unfold to", total, 2 * limits.unpacked, "max_unpacked_mb")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
