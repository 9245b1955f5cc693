"""What a file is, by its first bytes: its name is only what somebody called it."""

import re
from pathlib import Path

from registry.errors import BadFile
from registry.tables.base import Form

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What the first bytes say a file is that nobody can read as a table, and what to do about it.
DISGUISES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", "Ask the source for the table as CSV."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
    (b"\x89PNG", "a PNG picture", "Ask the source for the table as CSV."),
    (b"\xff\xd8\xff", "a JPEG picture", "Ask the source for the table as CSV."),
    (b"Rar!", "a RAR archive", "Unpack it and import the tables in it one by one."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it and import the tables in it one by one."),
    (b"PK\x05\x06", "an empty ZIP archive", "Export it again."),
)
MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<style", b"<head", b"mime-version:")
_JSON = re.compile(r'\s*(?:\[\s*(?:\{|\])|\{\s*(?:"|\}))')
_SUFFIXES: dict[str, tuple[Form, ...]] = {
    ".csv": ("csv",), ".tsv": ("tsv",), ".txt": ("csv", "tsv"), ".tab": ("tsv",), ".xlsx": ("xlsx",), ".xlsm": ("xlsx",),
    ".xls": ("xls",), ".et": ("xls",), ".json": ("json",), ".jsonl": ("jsonl",), ".ndjson": ("jsonl",),
}  # fmt: skip


def binary_form(start: bytes) -> Form | None:
    """The kind of workbook that these first bytes begin, None where they begin none."""
    if start.startswith(ZIP):
        return "xlsx"
    return "xls" if start.startswith(OLE) else None


def refuse_disguise(path: Path, start: bytes) -> None:
    """Raise BadFile, naming the true nature, for bytes that begin no table."""
    if not start.strip():
        raise BadFile(f"{path.name} is empty. Export it again with its rows and a header line.")
    for magic, nature, remedy in DISGUISES:
        if start.startswith(magic):
            raise BadFile(f"{path.name} is not a table: its content is {nature}. {remedy}")
    if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower().startswith(MARKUP):
        raise BadFile(
            f"{path.name} is not a table: its content is a web page or XML, as some systems export under the name .xls. "
            "Open it in a spreadsheet and save it as “CSV UTF-8” or .xlsx."
        )


def is_json(text: str) -> bool:
    """Whether a text begins as a list of objects or an object does."""
    return _JSON.match(text.removeprefix("\ufeff")) is not None


def misnamed(path: Path, form: Form, compressed: bool) -> bool:
    """Whether the name of a file says something else than what was found in it."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if bool(suffixes and suffixes[-1] == ".gz") != compressed:
        return True
    inner = suffixes[:-1] if compressed else suffixes
    said = _SUFFIXES.get(inner[-1]) if inner else None
    return said is not None and form not in said and {form, *said} != {"csv", "tsv"}
