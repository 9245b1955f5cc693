"""Opening a table file as what it is: encoding found, disguises named, digest taken, rows streamed."""

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from registry.errors import BadFile

BLOCK = 1 << 20
# Longer cells are not cells but a broken quotation mark that swallowed the rest of the file.
LONGEST_CELL = 1 << 20

# What the first bytes say a file is, and what to do about it.
DISGUISES: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook (.xlsx) or another ZIP archive", "Open it and save it as “CSV UTF-8”."),
    (b"\xd0\xcf\x11\xe0", "an Excel 97 workbook (.xls)", "Open it and save it as “CSV UTF-8”."),
    (b"%PDF", "a PDF document", "Ask the source for the table as CSV."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
    (b"\x89PNG", "a PNG picture", "Ask the source for the table as CSV."),
)
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class TableFile:
    """A CSV file that was looked at: where it is, how to decode it, and what it is by content."""

    path: Path
    encoding: str
    digest: str
    compressed: bool
    lines: int


def look_at(path: Path) -> TableFile:
    """Read a file once: find its encoding (UTF-8, UTF-16 with BOM, else GB18030), its SHA-256 and its number of lines.

    Raises BadFile, naming the file's true nature, when it is not a text table or not what its name says.
    """
    if not path.is_file():
        raise BadFile(f"There is no file {path}. Check the path.")
    with path.open("rb") as raw:
        start = raw.read(4096)
    compressed = start.startswith(GZIP)
    if compressed != (path.suffix.lower() == ".gz"):
        nature = "a gzip archive" if compressed else "not a gzip archive"
        raise BadFile(
            f"{path.name} is {nature}, whatever its name says. Give it the name that fits, for example table.csv.gz."
        )
    with _opened(path, compressed) as stream:
        start = _first_bytes(stream, path)
    _refuse_disguise(path, start)
    encoding, digest, lines = _scan(path, compressed, _encodings(start))
    return TableFile(path, encoding, digest, compressed, lines)


def rows(file: TableFile) -> Generator[list[str], None, None]:
    """Stream the rows of a CSV file as lists of cells.

    Raises BadFile, naming the line, for a quotation mark that is never closed.
    """
    csv.field_size_limit(LONGEST_CELL)
    with _opened(file.path, file.compressed) as stream:
        text = io.TextIOWrapper(stream, encoding=file.encoding, newline="")
        reader = csv.reader(text, strict=True)
        try:
            yield from reader
        except csv.Error as error:
            raise BadFile(
                f"{file.path.name} line {reader.line_num}: {error}. A quotation mark is probably not closed; "
                "correct it in the source and export again. Rows before it were dealt with."
            ) from error


def _opened(path: Path, compressed: bool) -> BinaryIO:
    return gzip.open(path, "rb") if compressed else path.open("rb")  # type: ignore[return-value]


def _first_bytes(stream: BinaryIO, path: Path) -> bytes:
    try:
        return stream.read(4096)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path.name} cannot be unpacked: {error}. Fetch it again; the copy is damaged.") from error


def _refuse_disguise(path: Path, start: bytes) -> None:
    if not start.strip():
        raise BadFile(f"{path.name} is empty. Export it again with its rows and a header line.")
    for magic, nature, remedy in DISGUISES:
        if start.startswith(magic):
            raise BadFile(f"{path.name} is not a CSV file: its content is {nature}. {remedy}")
    if start.lstrip()[:200].lower().startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        raise BadFile(
            f"{path.name} is not a CSV file: its content is a web page or XML. Open it in a spreadsheet and save it as “CSV UTF-8”."
        )


def _encodings(start: bytes) -> tuple[str, ...]:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    return ("utf-8-sig", "gb18030")


def _scan(path: Path, compressed: bool, encodings: tuple[str, ...]) -> tuple[str, str, int]:
    digest = hashlib.sha256()
    decoders = {name: codecs.getincrementaldecoder(name)() for name in encodings}
    lines = 0
    try:
        with _opened(path, compressed) as stream:
            for block in _blocks(stream):
                digest.update(block)
                lines += block.count(b"\n")
                _decode(decoders, block, final=False)
        _decode(decoders, b"", final=True)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(
            f"{path.name} cannot be read to its end: {error}. Fetch it again; the copy is damaged."
        ) from error
    if not decoders:
        raise BadFile(f"{path.name} is neither UTF-8 nor GB18030 text. Save it as “CSV UTF-8” and try again.")
    return next(iter(decoders)), digest.hexdigest(), lines


def _decode(decoders: dict[str, codecs.IncrementalDecoder], block: bytes, *, final: bool) -> None:
    for name in list(decoders):
        try:
            decoders[name].decode(block, final)
        except UnicodeDecodeError:
            del decoders[name]


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        yield block
