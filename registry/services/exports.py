"""Records out: written by a template in the form that other platforms read, a page of the ledger at a time.

Never written: what was withdrawn, repaired or erased, and what waits to be confirmed or reviewed. Personal numbers are not
held in the first place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

import orjson

from registry import clock, sheets
from registry.cells.personal import mask_personal
from registry.database import execute
from registry.errors import RegistryError
from registry.sheets import Cell, Row
from registry.templates import Column, Template

# Records that are read from the ledger in one go.
PAGE = 2_000
FEN_IN_WAN = Decimal(1_000_000)
SIX = Decimal("0.000001")
# Midnight in China is eight hours before that of UTC.
DAY_MS, CHINA_MS = 86_400_000, 8 * 3_600_000

FileForm = Literal["csv", "xlsx", "json"]
Headings = Literal["zh", "code"]

_SELECT = (
    "SELECT r.seq, r.identity, r.code, r.amount_fen, r.happened_on, r.ends_on, r.document_no, r.organ, r.detail, "
    "e.name, e.code, e.registration_no, e.organisation_code, e.kind, e.id FROM record r JOIN entity e ON e.id = r.entity_id "
)
_CURRENT = (
    "r.replaced_seq IS NULL AND r.act NOT IN ('withdraw', 'step') AND NOT EXISTS (SELECT 1 FROM uncounted u "
    "WHERE u.identity = r.identity AND u.why IN ('by_name', 'review', 'repaired', 'erased'))"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: of one organ or entity, in divisions, known after `since` and not after `until` (ledger numbers)."""

    organ: str | None = None
    entity: int | None = None
    divisions: Sequence[str] = ("",)
    since: int = 0
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One record with its party, as a template reads it."""

    seq: int
    identity: str
    entity: int
    columns: dict[str, Any]
    detail: dict[str, Any]

    def value(self, name: str) -> Any:
        """A column of the record or its party, else a field of its detail."""
        return self.columns[name] if name in self.columns else self.detail.get(name)

    def day(self, name: str) -> date | None:
        found = self.value(name)
        return date.fromisoformat(found) if isinstance(found, str) and found else found or None


@dataclass(slots=True)
class Tally:
    """How many rows were written, and how many records were left out because a column that is needed is empty in them."""

    rows: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


def items(kind: str, wanted: Wanted) -> Iterator[Item]:
    """The records of a kind that may leave, in the order of the ledger. Read in pages; nothing is locked meanwhile."""
    after = wanted.since
    conditions, parameters = [_CURRENT, "r.kind = ?"], [kind]
    extra: list[Any] = []
    if wanted.until is not None:
        conditions.append("r.seq <= ?")
        extra.append(wanted.until)
    if wanted.organ is not None:
        conditions.append("r.organ = ?")
        extra.append(wanted.organ)
    if wanted.entity is not None:
        conditions.append("r.entity_id = ?")
        extra.append(wanted.entity)
    if "" not in wanted.divisions:
        conditions.append(f"({' OR '.join(['e.division LIKE ?'] * len(wanted.divisions)) or '1 = 0'})")
        extra += [f"{prefix}%" for prefix in wanted.divisions]
    sql = f"{_SELECT} WHERE {' AND '.join(conditions)} AND r.seq > ? ORDER BY r.seq LIMIT ?"
    while True:
        rows = execute(sql, (*parameters, *extra, after, PAGE)).fetchall()
        yield from map(item, rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def picked(kind: str, condition: str, parameters: Sequence[object]) -> list[Item]:
    """The records of a kind that may leave and fulfil a condition in SQL over `r` (record) and `e` (entity)."""
    sql = f"{_SELECT} WHERE {_CURRENT} AND r.kind = ? AND {condition} ORDER BY r.seq"
    return list(map(item, execute(sql, (kind, *parameters)).fetchall()))


def item(row: Sequence[Any]) -> Item:
    """A row of the query as an item."""
    seq, identity, code, amount, happened, ends, document_no, organ, detail, name, *numbers, kind, entity = row
    known: dict[str, Any] = detail if isinstance(detail, dict) else orjson.loads(detail)
    columns = {
        "code": code, "amount_fen": amount, "day": happened, "ends": ends, "organ": organ,
        "document_no": known.get("printed_no") or document_no,
        "party_name": mask_personal(name), "party_code": numbers[0], "party_registration_no": numbers[1],
        # The organisation code of a party with a code stands inside it.
        "party_organisation_code": None if numbers[0] else numbers[2], "party_kind": kind,
    }  # fmt: skip
    return Item(seq, identity, entity, columns, known)


def lacks(template: Template, one: Item) -> str:
    """The first column that the recipients of a template need and that is empty in this record; "" where all are there."""
    for column in template.columns:
        if column.name in template.needs and not one.value(column.name):
            return column.heading
    return ""


def cells(template: Template, one: Item) -> list[Cell]:
    """One record as a row of its template: texts, days and amounts as such."""
    return [_cell(column, one) for column in template.columns]


def _cell(column: Column, one: Item) -> Cell:
    if not column.name:
        return column.empty or None
    if column.unless and one.detail.get(column.unless):
        return None
    if column.kept is not None and one.detail.get(column.kept[1]) == column.kept[2]:
        return str(one.detail.get(column.kept[0], "")) or None
    if column.first and one.detail.get(column.first):
        return str(one.detail[column.first])
    if column.write in ("day", "epoch"):
        return one.day(column.name) or (date.fromisoformat(column.empty) if column.empty else None)
    found = one.value(column.name)
    if column.values and found is not None and str(found) in column.values:
        return column.values[str(found)] or None
    if found is None or found == "" or found == []:
        return column.empty or None
    if column.write == "wan":
        return (Decimal(int(found)) / FEN_IN_WAN).quantize(SIX)
    if column.write == "terms":
        assert column.terms is not None
        names = found if isinstance(found, list) else [found]
        return column.separator.join(column.terms.terms[name].zh for name in names)
    if column.write == "texts":
        return column.separator.join(_said(column, result) for result in found)
    return column.empty or None if column.values and column.empty else str(found)


def _said(column: Column, result: dict[str, str]) -> str:
    if result.get("text"):
        return result["text"]
    term = column.terms.terms.get(result["code"]) if column.terms is not None else None
    same = column.terms is not None and result.get("system", column.terms.id) == column.terms.id
    return term.zh if term is not None and same else result["code"]


def rows(template: Template, found: Iterator[Item], tally: Tally) -> Iterator[Row]:
    """The rows of a file; what lacks a column that is needed is left out and counted in `tally`."""
    for one in found:
        missing = lacks(template, one)
        if missing:
            tally.left_out[missing] = tally.left_out.get(missing, 0) + 1
            continue
        tally.rows += 1
        yield cells(template, one)


def blocks(template: Template, form: FileForm, found: Iterator[Row], headings: Headings = "zh") -> Iterator[str]:
    """A file in pieces of text: CSV, or a list of JSON objects."""
    if form == "csv":
        return sheets.csv_blocks(template.header(headings), found)
    return _json(template, found)


def write(path: Path, template: Template, form: FileForm, found: Iterator[Row], headings: Headings = "zh") -> None:
    """Write a file that appears whole or not at all. Raises OSError, and TooManyRows for a workbook that would be too long."""
    if form == "xlsx":
        sheets.write_xlsx(path, template.header(headings), found)
    else:
        sheets.write_text(path, blocks(template, form, found, headings))


def to_file(
    path: Path, template: Template, wanted: Wanted, *, form: FileForm, headings: Headings = "zh"
) -> Tally:  # fmt: skip
    """Export records of a kind to a file and say how many. Raises OSError where it cannot be written."""
    tally = Tally()
    write(path, template, form, rows(template, items(template.kind, wanted), tally), headings)
    return tally


def _json(template: Template, found: Iterator[Row]) -> Iterator[str]:
    keys = [column.key for column in template.columns]
    epochs = frozenset(column.key for column in template.columns if column.write == "epoch")
    yield "["
    first = True
    rest = iter(found)
    while batch := list(islice(rest, sheets.BATCH)):
        texts = (_object(dict(zip(keys, row, strict=True)), epochs) for row in batch)
        yield "".join(
            chain.from_iterable(("\n" if first and not number else ",\n", text) for number, text in enumerate(texts))
        )
        first = False
    yield "\n]\n"


def _object(row: dict[str, Cell], epochs: frozenset[str]) -> str:
    plain: dict[str, Any] = {}
    for key, cell in row.items():
        if isinstance(cell, date):
            plain[key] = epoch_ms(cell) if key in epochs else cell.isoformat()
        else:
            plain[key] = str(cell) if isinstance(cell, Decimal) else cell
    return orjson.dumps(plain).decode()


def epoch_ms(day: date) -> int:
    """Milliseconds from 1970-01-01 UTC to midnight of a day in China, as NECIPS writes days."""
    return clock.day_number(day) * DAY_MS - CHINA_MS


class WrongForm(RegistryError):
    """A form that a template does not have: JSON is no table, and a table is not JSON."""

    code = "wrong_form"
    status = 422


def check_name(path: Path, given: str | None, template: Template) -> None:
    """Raise WrongForm where a file that is called a table, or asked for as one, would hold JSON, or the other way round."""
    said = given or path.suffix.lstrip(".").lower()
    if template.form == "json" and said in ("csv", "xlsx", "xls"):
        raise WrongForm(
            f"Template {template.id} ({template.title}) of {template.kind} exists as JSON only, not as {said.upper()}. "
            f"Call the file {path.with_suffix('.json').name}{', without --format' if given else ''}."
        )
    if template.form != "json" and path.suffix.lower() == ".json":
        raise WrongForm(
            f"Template {template.id} ({template.title}) is a table, not JSON. Call the file {path.with_suffix('.csv').name} or "
            f"{path.with_suffix('.xlsx').name}."
        )


def form_of(path: Path, given: str | None, template: Template) -> FileForm:
    """The form of a file: the one that was given, else that of the template, else by the name, else CSV."""
    if template.form == "json":
        return "json"
    return "xlsx" if (given or path.suffix.lstrip(".").lower()) == "xlsx" else "csv"


__all__ = [
    "FileForm", "Headings", "Item", "Tally", "Wanted", "WrongForm", "blocks", "cells", "check_name", "epoch_ms", "form_of", "item", "items", "lacks",
    "picked", "rows", "to_file", "write",
]  # fmt: skip
