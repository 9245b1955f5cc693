"""How the cell of one column becomes the value of one field: a reader per column, made once per file."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from registry.cells import CellError, is_blank
from registry.cells.amounts import capital, fen
from registry.cells.dates import OPEN_END, day
from registry.cells.width import half_width
from registry.mappings.form import Column, same_heading, same_value

# No word that stands for an empty cell is longer.
LONGEST_NOTHING = 12
INDUSTRY = re.compile(r"[A-T]?(\d{2,4})?")
# Values that a refusal lists.
MOST_NAMED = 12

# The same days, amounts and short words come again and again in a file: each is read once.
_FEN, _SHORT_BLANK = lru_cache(20_000)(fen), lru_cache(20_000)(is_blank)


def blank(cell: str) -> bool:
    """`is_blank`, spared most cells: a longer word than any that stands for nothing, with a letter at either end."""
    if not cell:
        return True
    if len(cell) <= LONGEST_NOTHING:
        return _SHORT_BLANK(cell)
    return not (cell[0].isalnum() and cell[-1].isalnum()) and is_blank(cell)


class Reader:
    """Reads the cells of one column into `fields`. `skips_blank`: an empty cell leaves the field to its default."""

    __slots__ = ("_text", "_value", "column", "skips_blank")

    def __init__(self, column: Column, value: Callable[[str], Any], text: list[int]) -> None:
        self.column, self._value, self._text = column, value, text
        self.skips_blank = column.read != "capital"

    def read(self, cell: str, cells: list[str], fields: dict[str, Any]) -> None:
        """Set the field from one cell of the row `cells`. Raises CellError where it cannot mean what the column says."""
        column = self.column
        if column.form:
            if text := self._formed(cells):
                fields[column.field] = text
        elif column.read == "codes":
            fields[column.field] = _codes(column, cell, [cells[index] for index in self._text])
        else:
            if column.read == "capital":
                # Only renminbi is counted; the text is kept, so that no currency is lost.
                fields["capital_text"] = cell
            fields[column.field] = self._value(cell)

    def _formed(self, cells: list[str]) -> str:
        """Several columns as one text, "" where one of them is empty."""
        parts = [cells[index].strip() for index in self._text]
        if any(map(blank, parts)):
            return ""
        rest = iter(parts)
        return re.sub(r"\{[^{}]*\}", lambda _: next(rest), self.column.form)


def reader_of(column: Column, at: dict[str, int]) -> Reader | None:
    """The reader of a column in a file whose headings stand at `at`; None where the file has none of its headings."""
    places = [at[heading] for heading in map(same_heading, column.headings) if heading in at]
    if not places or (column.form and len(places) != len(column.headings)):
        return None
    if column.form:
        return Reader(column, str, places)
    text = [at[heading] for heading in map(same_heading, column.text) if heading in at]
    return Reader(column, _value_reader(column), text)


def _value_reader(column: Column) -> Callable[[str], Any]:
    if column.values or column.otherwise is not None:
        return lru_cache(2_000)(lambda cell: _replaced(column, cell))
    if column.read == "day":
        return lru_cache(20_000)(lambda cell: _day(column, cell))
    if column.read == "moment":
        return lambda cell: _moment(column, cell)
    if column.read == "list":
        parts = _parts(column)
        return lambda cell: parts(cell)
    readers: dict[str, Callable[[str], Any]] = {
        "yuan": lambda cell: _FEN(cell, "yuan"),
        "wan": lambda cell: _FEN(cell, "wan"),
        "capital": lambda cell: capital(cell, "wan").fen or 0,
        "industry": industry,
        "integer": _integer,
    }
    return readers.get(column.read, str)


def _replaced(column: Column, cell: str) -> Any:
    found = column.value_of(cell)
    if found is not None:
        return found
    names = list(column.values)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    raise CellError(
        "The mapping does not say what this means", cell,
        f"It knows {', '.join(names[:MOST_NAMED])}{more}. Add it to the `values` of {column.field} in the mapping.",
    )  # fmt: skip


def _day(column: Column, cell: str) -> Any:
    order = column.order if column.order != "ymd" else None
    found = day(cell, order=order, serial=column.serial, epoch=column.epoch)
    return None if found == OPEN_END else found


# The time of day behind a day: 16:55, 16:55:21, 16:55:21.000.
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*$")


def _moment(column: Column, cell: str) -> str | None:
    """A day with its time, as ISO text; midnight where the cell says no time."""
    found = _day(column, cell)
    if found is None:
        return None
    clock = _CLOCK.search(cell)
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (0, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise CellError("There is no such time of day", cell, "Write it as 2026-03-01 16:55:21.")
    return f"{found.isoformat()}T{hour:02}:{minute:02}:{second:02}"


def _parts(column: Column) -> Callable[[str], list[str]]:
    """What cuts a cell into the items of a list: at whole separators, so that 1 is never found in 10."""
    if not column.split:
        return lambda cell: [cell.strip()]
    pattern = re.compile(f"[{re.escape(column.split)}]")
    return lambda cell: [part.strip() for part in pattern.split(cell) if part.strip()]


def _codes(column: Column, cell: str, texts: list[str]) -> list[dict[str, str]]:
    """Results as code, code system and text. A cell that is a value as a whole is one result, whatever marks are in it."""
    said = next((text for text in texts if not blank(text)), "")
    whole = column.values.get(same_value(cell))
    items = [cell.strip()] if whole is not None else _parts(column)(cell)
    words = _parts(column)(said) if said else []
    found: list[dict[str, str]] = []
    for number, item in enumerate(items):
        code = _replaced(column, item) if column.values or column.otherwise is not None else item
        text = words[number] if len(words) == len(items) else said or (item if column.values else "")
        found.append({"system": column.system, "code": str(code), **({"text": text} if text else {})})
    return found


def _integer(cell: str) -> int:
    plain = half_width(cell).strip()
    if not (plain.isdecimal() and len(plain) <= 18):
        raise CellError("This is not a whole number", cell, "Write digits only.")
    return int(plain)


def industry(cell: str) -> int:
    """A class of GB/T 4754 as a number: `C1411`, `1411`, a group `141` or a division `14`; a section alone (`C`) is 0."""
    found = INDUSTRY.fullmatch(half_width(cell).strip())
    if found is None:
        raise CellError(
            "This is not an industry code of GB/T 4754", cell, "Write its digits, for example 1411 or C1411."
        )
    return int(found[1].ljust(4, "0")) if found[1] else 0
