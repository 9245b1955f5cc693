"""Files of the one list and the two databases 一单两库: read row by row, checked by their form, stored in short transactions.

A file is what `registry.tables` reads (CSV in UTF-8 or GB18030, XLSX and the like), its columns known by their Chinese headings,
which may stand under a title. A refused row is named with its column and cause, the others are stored; the same file again
changes nothing. Columns that hold numbers of persons are left out by their heading and never stored.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError

from registry import tables
from registry.cells import CellError, is_blank
from registry.cells.personal import mask_personal
from registry.cells.width import half_width
from registry.config import Settings
from registry.database import write
from registry.errors import BadFile, RegistryError
from registry.services.registers import Desk, Outcome
from registry.sheets import Cell
from registry.tables import Limits

# Rows of a file that one request may bring; a terminal takes all that `[import] max_rows` allows.
MOST_BY_HTTP = 5_000
# Rows that are stored in one transaction: the write lock is held for some 15 ms.
CHUNK = 25
# A title and a line of who made it may stand above the headings.
TITLES = 10
VERSION = "version"
PERSONAL = re.compile(
    r"身份证|公民身份|居民身份|身份号|证件号码|手机|电话|联系方式|传真|邮箱|邮件|e-?mail|phone|mobile|id_?card|住址|家庭|出生|年龄|性别|"
    r"民族|籍贯|学历|政治面貌|婚姻|银行|微信|qq|照片",
    re.IGNORECASE,
)
_LONGEST_SHOWN = 60
Write = Callable[[Any], Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a file: its heading, others that it may stand under, and how a cell is read and written.

    `read` gets the text of a cell that is not blank and raises CellError; `write` gets what is shown of the field.
    """

    field: str
    heading: str
    also: tuple[str, ...] = ()
    read: Callable[[str], Any] = str.strip
    write: Write = lambda value: value


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of file. `keys` are the fields that say whose row it is; without their columns it is another file.

    `gather` makes the fields of the form from those of the columns, `spread` the columns from what is shown. `standing` gives
    what is kept under a row's keys, so that a column which the file has not leaves it as it is. `passed` are headings that are
    written for the reader and not read back, each with what stands there; `beside` are fields that belong to a row's key where
    the file has them; `titles` names fields that have no column of their own.
    """

    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    form: type[Schema]
    store: Callable[[dict[str, Any], int | None, Desk], Outcome]
    standing: Callable[[dict[str, Any], Desk], Mapping[str, Any] | None] = lambda given, desk: None
    gather: Callable[[dict[str, Any]], dict[str, Any]] = dict
    spread: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    passed: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def headings(self) -> list[str]:
        return [column.heading for column in self.columns]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A cell (or row, with an empty column) that was refused: row of the file from 1, heading, value (masked), reason."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Taken:
    """What became of a file: rows stored, rows that changed nothing, refused cells, and columns that were left out."""

    stored: int = 0
    unchanged: int = 0
    rejected: list[Refusal] = field(default_factory=list)
    left_out: tuple[str, ...] = ()

    @property
    def rejected_rows(self) -> int:
        return len({one.row for one in self.rejected})

    def as_dict(self) -> dict[str, Any]:
        return {
            "stored": self.stored, "unchanged": self.unchanged, "rejected": self.rejected_rows,
            "causes": [
                {"row": one.row, "column": one.column, "value": one.value, "reason": one.reason} for one in self.rejected
            ],
            "left_out": list(self.left_out),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    given: dict[str, Any]
    version: int | None


@dataclass(frozen=True, slots=True)
class _Head:
    """Where each column stands, the headings that are left out, and how many cells the row of headings has."""

    places: dict[int, Column]
    left_out: tuple[str, ...]
    width: int


def limits(settings: Settings) -> Limits:
    """How large such a file may be: `[import]` of the settings."""
    own = settings.import_
    return Limits.of(
        max_file_mb=own.max_file_mb, max_unpacked_mb=own.max_unpacked_mb, max_rows=own.max_rows, max_columns=own.max_columns
    )  # fmt: skip


def take(path: Path, sheet: Sheet, *, limits: Limits, desk: Desk, most: int | None = None) -> Taken:
    """Store the rows of a file. Repeatable: whatever interrupts it, the same file again does the rest and nothing twice.

    Raises BadFile where it cannot be read, has not the headings, or has more rows than `most`; nothing was stored then.
    """
    table = tables.look_at(path, limits)
    rows = _numbered(tables.rows(table))
    head = _headings(path, sheet, rows)
    taken = Taken(left_out=head.left_out)
    body = ((number, cells) for number, cells in rows if any(cell.strip() for cell in cells))
    if most is not None:
        kept = list(islice(body, most + 1))
        if len(kept) > most:
            raise BadFile(
                f"{path.name} has more than {most:,} rows, and a request takes no more. Send it in parts, or use "
                f"`xinheng {sheet.name} import`. Nothing was stored."
            )
        body = (row for row in kept)
    seen: dict[tuple[str, ...], tuple[int, Any]] = {}
    # Made once: making a form takes longer than reading a row by it.
    form = sheet.form()
    while chunk := list(islice(body, CHUNK)):
        read = [_read(sheet, head, number, cells, taken) for number, cells in chunk]
        with write():
            for row in read:
                if row is not None:
                    _store(sheet, form, row, seen, taken, desk)
    return taken


def header_and_rows(sheet: Sheet, shown: Iterable[Mapping[str, Any]]) -> tuple[list[str], Iterator[Sequence[Cell]]]:
    """What is exported: the headings, and a row for each of `shown`, such that importing it changes nothing."""

    def rows() -> Iterator[Sequence[Cell]]:
        for one in shown:
            values = sheet.spread(one)
            cells = [column.write(values[column.field]) for column in sheet.columns]
            yield [*cells, *(values[name] for name in sheet.passed.values())]

    return [*sheet.headings, *sheet.passed], rows()


def _numbered(rows: Iterable[list[str]]) -> Iterator[tuple[int, list[str]]]:
    return ((number, [cell or "" for cell in cells]) for number, cells in enumerate(rows, start=1))


def _plain(text: str) -> str:
    """A heading as it is compared: half width, without blanks, stars and what stands in brackets."""
    return re.sub(r"[\s*]|\(.*?\)", "", half_width(text)).casefold()


def _headings(path: Path, sheet: Sheet, rows: Iterator[tuple[int, list[str]]]) -> _Head:
    """Find the row of headings. Raises BadFile where there is none, or one is doubled or unknown."""
    known = {_plain(name): column for column in sheet.columns for name in (column.heading, *column.also)}
    wanted = [column for column in sheet.columns if column.field in sheet.keys]
    passed = {_plain(name) for name in sheet.passed}
    for _, cells in islice(rows, TITLES):
        found = [known.get(_plain(cell)) for cell in cells]
        if not all(column in found for column in wanted):
            continue
        places: dict[int, Column] = {place: one for place, one in enumerate(found) if one is not None}
        left_out: list[str] = []
        if doubled := {one.heading for one in places.values() if found.count(one) > 1}:
            raise BadFile(
                f"{path.name}: {'、'.join(sorted(doubled))} stands there twice. Leave one of the columns out."
            )
        others = [cell.strip() for cell, one in zip(cells, found, strict=True) if one is None and cell.strip()]
        for name in others:
            if PERSONAL.search(half_width(name)):
                left_out.append(name)
            elif _plain(name) not in passed:
                raise BadFile(
                    f"{path.name}: the column {mask_personal(name)[:40]!r} is not known. Known are {'、'.join(sheet.headings)}. Rename "
                    "it or leave it out; nothing was stored."
                )
        return _Head(places, tuple(left_out), len(cells))
    raise BadFile(
        f"{path.name}: no row among the first {TITLES} has the headings {'、'.join(one.heading for one in wanted)}. The file needs "
        f"headings in Chinese: {'、'.join(sheet.headings)}."
    )


def _read(sheet: Sheet, head: _Head, number: int, cells: list[str], taken: Taken) -> _Row | None:
    """The fields of one row; None where a cell cannot be read, which is then on record."""
    # A column that is there and empty says nothing of its field; one that is not there leaves it as it stands.
    values: dict[str, Any] = {column.field: None for column in head.places.values()}
    refused: list[Refusal] = []
    for place, column in head.places.items():
        cell = cells[place] if place < len(cells) else ""
        if is_blank(cell):
            continue
        try:
            values[column.field] = column.read(cell)
        except CellError as error:
            refused.append(Refusal(number, column.heading, error.text, f"{error.what}. {error.remedy}"))
    beyond = [cell for cell in cells[head.width :] if cell.strip()]
    if beyond:
        refused.append(Refusal(number, "", _shown(beyond[0]), "The row has more cells than there are headings."))
    version = values.pop(VERSION, None)
    if not refused:
        try:
            return _Row(number, sheet.gather(values), version)
        except CellError as error:
            refused.append(Refusal(number, "", error.text, f"{error.what}. {error.remedy}"))
    taken.rejected += refused
    return None


def _store(
    sheet: Sheet, form: Schema, row: _Row, seen: dict[tuple[str, ...], tuple[int, Any]], taken: Taken, desk: Desk
) -> None:
    """Check one row by its form and store it; why not, where not, goes on record."""
    given = row.given
    key = tuple(str(given.get(name) or "") for name in (*sheet.keys, *sheet.beside))
    stands = sheet.standing(given, desk) if all(given.get(name) for name in sheet.keys) else None
    whole = {name: value for name, value in (stands or {}).items() if name not in given}
    whole |= {name: value for name, value in given.items() if value is not None}
    try:
        checked: dict[str, Any] = form.load(whole)
        if key in seen and seen[key][1] != checked:
            raise BadFile(f"Row {seen[key][0]} says something else of the same one. Keep one of the two.")
        seen.setdefault(key, (row.number, checked))
        outcome = sheet.store(checked, row.version, desk)
    except ValidationError as error:
        taken.rejected += _refusals(sheet, row, error.normalized_messages())  # type: ignore[no-untyped-call]
    except RegistryError as error:
        problems = error.context.get("problems")
        if isinstance(problems, dict):
            taken.rejected += _refusals(sheet, row, problems)
        else:
            taken.rejected.append(Refusal(row.number, "", "", mask_personal(error.detail)))
    else:
        if outcome == "stored":
            taken.stored += 1
        else:
            taken.unchanged += 1


def _refusals(sheet: Sheet, row: _Row, problems: Mapping[str, Any]) -> list[Refusal]:
    headings = {**{column.field: column.heading for column in sheet.columns}, **sheet.titles}
    return [
        Refusal(row.number, headings.get(name, name), _shown(row.given.get(name)), " ".join(sentences(texts)))
        for name, texts in problems.items()
    ]


def sentences(found: Any) -> Iterator[str]:
    """The sentences of nested problems, in order."""
    if isinstance(found, Mapping):
        for inner in found.values():
            yield from sentences(inner)
    elif isinstance(found, list | tuple):
        for inner in found:
            yield from sentences(inner)
    else:
        yield mask_personal(str(found))


def _shown(value: Any) -> str:
    """A value as a refusal quotes it: masked first, then cut."""
    if isinstance(value, list):
        value = "、".join(one for one in value if isinstance(one, str))
    text = mask_personal("" if value is None else str(value))
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
