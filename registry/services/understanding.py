"""What a file is and how its rows are read, settled before anything is stored. No database here.

The header is found, not assumed; the days of a column are read as the whole column writes them; and what is no row of the
table (titles, a header that is repeated, sums, signatures) is told from the rows, counted and said.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from registry import mappings, tables
from registry.cells import CellError
from registry.cells.columns import DayColumn, DayForm
from registry.cells.width import half_width
from registry.errors import BadFile
from registry.mappings import Mapping, Order
from registry.mappings.form import same_heading
from registry.services.reading import blank
from registry.tables import Limits, Table

# The header is the first of so many rows that a mapping fits.
HEADER_WITHIN = 10
# Below the table: sums, and who filled it in. Nothing else is ever left out.
_SUM = re.compile(r"(?:合|总|小|共)计|总合计")
_SIGNED = re.compile(
    r"(?:填表人|制表人|填报人|审核人|复核人|经办人|填表单位|填报单位|制表单位|填表日期|填报日期|制表日期|统计日期|单位负责人|数据来源|备注|说明|注)[:].*",
    re.DOTALL,
)
_FOOTER_STARTS = frozenset("合总小共填制审复经统单数备说注")
LEFT_OUT = ("blank", "header", "footer")


@dataclass(frozen=True, slots=True)
class Source:
    """A file, how it is read, and by which mapping: everything that is known before a row is stored.

    `mapping` is the chosen one with what the file itself says about its days filled in. `header_row` is the number of the
    header as a spreadsheet counts, `above` the rows above it. `rows` is the number of rows of the table, `left_out` how many
    blank rows, repeated headers and footers are none. `damage` says where the file breaks off, "" where it does not.
    """

    file: Table
    mapping: Mapping
    source: str
    header: list[str]
    header_row: int
    above: tuple[tuple[str, ...], ...]
    rows: int
    left_out: dict[str, int]
    days: dict[str, DayForm]
    unknown: tuple[str, ...]
    damage: str


def open_source(
    path: Path,
    *,
    kind: str | None = None,
    mapping: str | None = None,
    source: str | None = None,
    ignore_unknown: bool = False,
    folder: Path | None = None,
    order: Order = "ymd",
    limits: Limits | None = None,
    called: str = "",
) -> Source:
    """Look at a file and settle how it will be read. Stores nothing.

    `mapping` is a name or the path of a mapping file, `folder` where a place keeps its own mappings, `order` ("dmy" or "mdy")
    how the file writes days with the year last where its cells cannot tell, `limits` how large it may be, `called` what its
    sender called it where it lies under another name.

    Raises BadFile for a file that is no table or exceeds a limit, a header that no mapping knows, a column that the mapping
    does not know (unless `ignore_unknown`: a misspelt column that is skipped in silence is lost data), and a column of days
    that can be read in two ways.
    """
    file = tables.look_at(path, limits)
    file, first_rows, place, chosen = _headed(file, kind, mapping, folder, called or path.name)
    header = [mappings.clean_heading(cell) for cell in first_rows[place]]
    width = max((index + 1 for index, heading in enumerate(header) if heading), default=0)
    raw, header = len(header), header[:width]
    if width > file.limits.columns:
        raise BadFile(
            f"{path.name} has {width:,} columns, and {file.limits.columns:,} are allowed ([import] max_columns). Leave out what "
            "is not needed, or ask the operator to raise the limit."
        )
    _refuse_twice(path, header)
    strange = mappings.unknown_headings(chosen, header)
    if strange and not ignore_unknown:
        raise BadFile(
            f"{path.name} has columns that mapping {chosen.id} does not know: {mappings.shown(strange, strange)}. Correct the heading, or import "
            "with --ignore-unknown to leave them out."
        )
    opened = Source(
        file,
        chosen,
        source or chosen.id,
        header,
        place + 1,
        tuple(map(tuple, first_rows[:place])),
        0,
        {},
        {},
        tuple(strange),
        "",
    )
    return _surveyed(opened, raw, order, ignore_unknown)


def body(opened: Source) -> Iterator[tuple[int, list[str]]]:
    """Rows of the table with the number that a spreadsheet gives them. Blank rows, repeated headers and footers are none.

    Raises BadFile where the file turns out to be damaged further on.
    """
    for number, cells, what in _sorted(opened):
        if not what:
            yield number, cells


def _headed(
    file: Table, kind: str | None, name: str | None, folder: Path | None, called: str
) -> tuple[Table, list[list[str]], int, Mapping]:
    """The table (of a workbook: the first sheet with a fitting header), its first rows, the place of the header, the mapping."""
    wanted = mappings.candidates(kind, name, folder)
    first: tuple[list[list[str]], int, str] | None = None
    for sheet in file.sheets or ("",):
        table = tables.sheet(file, sheet) if sheet else file
        first_rows = head(table)
        cleaned = [[mappings.clean_heading(cell) for cell in row] for row in first_rows]
        for place, header in enumerate(cleaned):
            said = " ".join([called, sheet, *(cell for row in first_rows[:place] for cell in row)])
            if any(one.has_columns(header) if name else one.fits(header, said) for one in wanted):
                return table, first_rows, place, mappings.choose(header, kind=kind, name=name, folder=folder, said=said)
        if first is None and any(map(any, cleaned)):
            # Nothing fits: the row that comes nearest to a header is the one to speak of, and the first one in a draw.
            every = mappings.candidates(None, None, folder)
            best = max(
                range(len(cleaned)),
                key=lambda at: (max(one.knows(cleaned[at]) for one in every), any(cleaned[at]), -at),
            )
            first = cleaned, best, f"{called} {sheet}"
    if first is None:
        raise BadFile(f"{file.path.name} has no rows. Export it again with its rows and a header line.")
    mappings.choose(first[0][first[1]], kind=kind, name=name, folder=folder, said=first[2])
    raise BadFile(f"No mapping fits {file.path.name}. docs/imports.md shows how to write one.")


def head(table: Table) -> list[list[str]]:
    """The first rows. Where the file breaks off among them, those before it: they may be a header and rows of their own."""
    rows, found = tables.rows(table), list[list[str]]()
    try:
        found.extend(islice(rows, HEADER_WITHIN))
    except BadFile:
        if not found:
            raise
    rows.close()
    return found


def _refuse_twice(path: Path, header: list[str]) -> None:
    compared = Counter(same_heading(heading) for heading in header if heading)
    twice = sorted({heading for heading in header if heading and compared[same_heading(heading)] > 1})
    if twice:
        raise BadFile(
            f"{path.name} has the column {mappings.shown(twice)} twice. Rename or remove one and try again. If its first "
            "line is a row already, give the file a line of headings."
        )


def _surveyed(opened: Source, raw: int, order: Order, ignore_unknown: bool) -> Source:
    """Read the whole table once: count its rows, and find out how each of its columns writes days."""
    file, mapping, header = opened.file, opened.mapping, opened.header
    at = {same_heading(heading): index for index, heading in enumerate(header)}
    watched: dict[str, tuple[DayColumn, list[int]]] = {}
    for column in mapping.columns:
        places = [at[one] for one in map(same_heading, column.headings) if one in at]
        if column.read in ("day", "moment") and places:
            watched[column.field] = (DayColumn(), places)
    adding = [(days.add, index) for days, places in watched.values() for index in places]
    nameless = Counter(dict.fromkeys((index for index in range(raw) if index >= len(header) or not header[index]), 0))
    left_out = dict.fromkeys(LEFT_OUT, 0)
    rows, damage, width = 0, "", len(header)
    try:
        for number, cells, what in _sorted(opened):
            if what:
                left_out[what] += 1
                continue
            rows += 1
            if rows > file.limits.rows:
                raise _Excess(
                    f"{file.path.name} has more than {file.limits.rows:,} rows ([import] max_rows; row {number:,} is one too "
                    "many). Split the file, or ask the operator to raise the limit."
                )
            if len(cells) > file.limits.columns:
                raise _Excess(
                    f"{file.path.name} row {number:,} has {len(cells):,} cells, and {file.limits.columns:,} are allowed ([import] "
                    "max_columns). A separator or line break is probably missing; export it again."
                )
            if len(cells) >= width:
                for add, index in adding:
                    add(cells[index])
                for index in nameless:
                    if index < len(cells) and not blank(cells[index]):
                        nameless[index] += 1
    except _Excess:
        raise
    except BadFile as error:
        damage = error.detail
    unnamed = {index + 1: count for index, count in nameless.items() if count}
    if unnamed and not ignore_unknown:
        place, count = next(iter(unnamed.items()))
        raise BadFile(
            f"{file.path.name}: column {place} has {count:,} cells and no heading. Give it the heading that it needs, empty it, or "
            "import with --ignore-unknown to leave it out."
        )
    forms = {name: _form(opened, name, places, days, order) for name, (days, places) in watched.items()}
    columns = tuple(
        dataclasses.replace(one, order=found.order, serial=found.serial, epoch=found.epoch)
        if (found := forms.get(one.field)) is not None
        else one
        for one in mapping.columns
    )
    unknown = (*opened.unknown, *(f"(column {place})" for place in unnamed))
    return dataclasses.replace(
        opened, mapping=dataclasses.replace(mapping, columns=columns), rows=rows, left_out=left_out, days=forms,
        unknown=unknown, damage=damage,
    )  # fmt: skip


class _Excess(BadFile):
    """More than a limit allows: the file is refused as a whole, and is not merely damaged at its end."""


def _form(opened: Source, name: str, places: list[int], days: DayColumn, order: Order) -> DayForm:
    column = next(one for one in opened.mapping.columns if one.field == name)
    try:
        return days.form(order if order != "ymd" else column.order)
    except CellError as error:
        heading = mappings.shortened(opened.header[places[0]])
        raise BadFile(
            f"{opened.file.path.name}, column {heading}: {error.what}. {error.remedy} Or import with --order dmy (day first) or "
            "--order mdy."
        ) from error


def _sorted(opened: Source) -> Iterator[tuple[int, list[str], str]]:
    """Every row below the header with its number and what it is where it is no row of the table ("" where it is one)."""
    width = len(opened.header)
    heading = next((cell for cell in opened.header if cell), "")
    code, name = opened.mapping.party_code, opened.mapping.party_name
    places = {same_heading(one): index for index, one in enumerate(opened.header)}
    parties = [places[one] for one in map(same_heading, (*code, *name)) if one in places]
    for number, cells in enumerate(tables.rows(opened.file), start=1):
        if number <= opened.header_row:
            continue
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            cells = cells[:width]
        first = cells[0] if cells else ""
        if not first or first.isspace():
            first = next((cell for cell in cells if cell and not cell.isspace()), "")
            if not first:
                # A line without any cell is no row of a spreadsheet; one of blank cells is, and says nothing.
                if cells:
                    yield number, cells, "blank"
                continue
        like = first[0] == heading[:1] or first[0].isspace() or first[0] == "\ufeff"
        if like and [mappings.clean_heading(cell) for cell in cells] == opened.header:
            yield number, cells, "header"
            continue
        if first.lstrip()[0] in _FOOTER_STARTS and _is_footer(first, cells, parties):
            yield number, cells, "footer"
            continue
        yield number, cells, ""


def _is_footer(first: str, cells: list[str], parties: list[int]) -> bool:
    """A sum or a signature below the table. A row that names a party is never one, whatever it begins with."""

    def below(cell: str) -> bool:
        plain = "".join(half_width(cell).split())
        return bool(_SUM.fullmatch(plain) or _SIGNED.fullmatch(plain))

    return below(first) and all(index >= len(cells) or blank(cells[index]) or below(cells[index]) for index in parties)
