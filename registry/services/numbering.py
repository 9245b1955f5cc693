"""Numbers of documents 文书号: one series per organ, type and year, without a gap and without a double."""

import re

from registry.database import db, execute
from registry.errors import RegistryError
from registry.models import Document

NUMBER = re.compile(r"^(?P<word>.{1,40})〔(?P<year>\d{4})〕(?P<number>\d{1,9})(?:-(?P<part>\d{1,9}))?号$")


class SeriesBegun(RegistryError):
    code = "series_begun"
    status = 409


def take(word: str, year: int) -> int:
    """The next number of a series, from 1 on. Only inside the transaction that writes the document.

    The row of the series is held until that transaction ends: whoever asks meanwhile waits. Where it fails the number was
    never given, so no gap stays.
    """
    assert db.in_transaction(), "a number is taken in the transaction that uses it"
    row = execute(
        "INSERT INTO series (word, year, last) VALUES (?, ?, 1) "
        "ON CONFLICT (word, year) DO UPDATE SET last = series.last + 1 RETURNING last",
        (word, year),
    ).fetchone()
    return int(row[0])


def take_part(word: str, year: int, batch: str) -> tuple[int, int]:
    """The number of a batch and the next sub-number in it: N-1, N-2 …; the batch's first document takes N."""
    row = execute(
        "SELECT number, max(part) FROM document WHERE word = ? AND year = ? AND batch = ? GROUP BY number",
        (word, year, batch),
    ).fetchone()
    return (take(word, year), 1) if row is None else (int(row[0]), int(row[1]) + 1)


def begin(word: str, year: int, last: int) -> None:
    """Let a series go on after `last`: numbers that another system gave earlier in the year are not given again.

    Only before its first document here; the same again changes nothing. Raises SeriesBegun.
    """
    row = execute("SELECT last FROM series WHERE word = ? AND year = ?", (word, year)).fetchone()
    if row is None:
        execute("INSERT INTO series (word, year, last) VALUES (?, ?, ?)", (word, year, last))
    elif row[0] != last or Document.select().where((Document.word == word) & (Document.year == year)).exists():
        raise SeriesBegun(
            f"Series {word}〔{year}〕 has begun here already: its last number is {row[0]}. It goes on from there by itself.",
            last=row[0],
        )


def printed(word: str, year: int, number: int, part: int = 0) -> str:
    """The number as it is printed: 信市监异入〔2026〕12号, of a batch 信市监异入〔2026〕12-3号."""
    return f"{word}〔{year}〕{number}{f'-{part}' if part else ''}号"


def read(text: str) -> tuple[str, int, int, int] | None:
    """Word, year, number and sub-number (0 where there is none) of a printed number; None where it is not one of ours."""
    found = NUMBER.match(text.strip())
    return found and (found["word"], int(found["year"]), int(found["number"]), int(found["part"] or 0))
