"""Separated text: encoding and separator found by reading, never guessed from a piece of a name."""

import codecs
import csv
import hashlib
import io
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from registry.errors import BadFile
from registry.sheets import plain
from registry.tables.base import Table, too_large
from registry.tables.packed import blocks, opened

# Characters of one row, line breaks inside its cells included.
LONGEST_ROW = 16 << 20
SEPARATORS = (",", "\t", ";", "|")
# Rows that are tried to find the separator.
TRIED = 20


def encodings(start: bytes) -> tuple[str, ...]:
    """Encodings that a text may be in, by its first bytes; the first that reads all of it is taken."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    return ("utf-8-sig", "gb18030")


def scan(path: Path, compressed: bool, candidates: tuple[str, ...], most: int) -> tuple[str, str, int, int]:
    """Read a text once: its encoding, SHA-256, number of lines and size in bytes.

    Raises BadFile where the bytes are no text, the archive is damaged, or there are more than `most` bytes in it.
    """
    digest = hashlib.sha256()
    decoders = {name: codecs.getincrementaldecoder(name)() for name in candidates}
    lines = size = broken = 0
    try:
        with opened(path, compressed) as stream:
            for block in blocks(stream):
                size += len(block)
                if size > most:
                    raise too_large(path, "unpacked it has more than", size, most, "max_unpacked_mb")
                digest.update(block)
                broken = _decode(decoders, block, broken, lines, final=False)
                lines += block.count(b"\n")
        broken = _decode(decoders, b"", broken, lines, final=True)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(
            f"{path.name} cannot be read to its end: {error}. Fetch it again; the copy is damaged."
        ) from error
    if not decoders:
        raise BadFile(
            f"{path.name} is neither UTF-8 nor GB18030 text: about line {broken:,} there are bytes that are no character. Save it "
            "as “CSV UTF-8” and try again."
        )
    return next(iter(decoders)), digest.hexdigest(), lines, size


def _decode(
    decoders: dict[str, codecs.IncrementalDecoder], block: bytes, broken: int, lines: int, *, final: bool
) -> int:
    """Feed a block to every decoder that still reads, and return the line where the last of them gave up."""
    for name in list(decoders):
        try:
            decoders[name].decode(block, final)
        except UnicodeDecodeError as error:
            del decoders[name]
            broken = max(broken, lines + block[: error.start].count(b"\n") + 1)
    return broken


def text_of(table: Table, stream: BinaryIO) -> io.TextIOWrapper:
    """A stream of bytes as the text that it is."""
    return io.TextIOWrapper(stream, encoding=table.encoding, newline="")


def separator_in(path: Path, compressed: bool, encoding: str) -> str:
    """What separates the cells: the mark that cuts most of the first rows into the same number of cells."""
    with opened(path, compressed) as stream:
        wrapped = io.TextIOWrapper(stream, encoding=encoding, newline="")
        start = wrapped.read(1 << 16)
    found = [(_evenness(start, separator), -rank, separator) for rank, separator in enumerate(SEPARATORS)]
    (evenness, _, separator) = max(found)
    return separator if evenness != (0, 0) else ","


def _evenness(text: str, separator: str) -> tuple[int, int]:
    """How many of the first rows have the same number of cells, more than one, and that number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        widths = Counter(len(row) for row in islice(reader, TRIED) if len(row) > 1)
    except csv.Error:
        return 0, 0
    if not widths:
        return 0, 0
    width, times = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    return times, width


def text_rows(table: Table) -> Generator[list[str], None, None]:
    """Stream the rows of separated text as lists of cells.

    Raises BadFile, naming the line, for a quotation mark that is never closed and a row without end.
    """
    csv.field_size_limit(table.limits.cell)
    with opened(table.path, table.compressed) as stream, closing(text_of(table, stream)) as text:
        lines = _Lines(text, table.path)
        reader = csv.reader(lines, delimiter=table.separator, strict=True)
        try:
            for row in reader:
                lines.size = 0
                if lines.marked:  # what was made safe for spreadsheets (registry/sheets.py) says what it said before
                    lines.marked = False
                    row = [plain(cell) if cell[:1] == "'" else cell for cell in row]
                yield row
        except csv.Error as error:
            raise BadFile(
                f"{table.path.name} line {reader.line_num}: {error}. A quotation mark is probably not closed; "
                "correct it in the source and export again. Rows before it were dealt with."
            ) from error


class _Lines:
    """Lines of a text, none longer than a row may be, however the file is made."""

    __slots__ = ("marked", "path", "size", "text")

    def __init__(self, text: io.TextIOWrapper, path: Path) -> None:
        self.text, self.path, self.size, self.marked = text, path, 0, False

    def __iter__(self) -> Iterator[str]:
        readline = self.text.readline
        while line := readline(LONGEST_ROW):
            self.size += len(line)
            self.marked = self.marked or "'" in line
            if self.size > LONGEST_ROW:
                raise BadFile(
                    f"{self.path.name}: a row has more than {LONGEST_ROW:,} characters. A quotation mark is probably not "
                    "closed; correct it in the source and export again. Rows before it were dealt with."
                )
            yield line
