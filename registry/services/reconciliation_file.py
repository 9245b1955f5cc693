"""The table of another organ that is held against the ledger: document numbers and codes, under any heading we know."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from registry import mappings, tables
from registry.cells.personal import MASKS, mask_personal
from registry.errors import BadFile
from registry.identity import read_identifier
from registry.mappings.form import same_value
from registry.services.reconciliation import Compared
from registry.tables import Limits

# Rows that may stand above the header.
ABOVE = 20


def pairs(path: Path, limits: Limits | None = None) -> list[tuple[str, str]]:
    """(document number, code) of each row of a CSV, workbook or JSON table, as they stand there, each pair once.

    The header is the first of the first rows that has a heading of a document number and one of a code. Rows without a
    document number are left out. Raises BadFile, naming the headings, where no row is a header.
    """
    numbers, codes = _headings()
    at: tuple[int, int] | None = None
    found: dict[tuple[str, str], None] = {}
    for place, row in enumerate(tables.rows(tables.look_at(path, limits))):
        if at is not None:
            cells = [row[index].strip() if index < len(row) else "" for index in at]
            if cells[0]:
                found[cells[0], cells[1]] = None
            continue
        folded = [same_value(cell) for cell in row]
        number = next((index for index, cell in enumerate(folded) if cell in numbers), None)
        code = next((index for index, cell in enumerate(folded) if cell in codes), None)
        if number is not None and code is not None:
            at = (number, code)
        elif place >= ABOVE:
            break
    if at is None:
        raise BadFile(
            f"{path.name} has no row with a heading for document numbers (for example 行政处罚决定书文号, document_no) and one "
            "for codes (for example 统一社会信用代码, code) among its first rows. Name the two columns so and try again."
        )
    return list(found)


def masked(compared: Compared) -> Compared:
    """The same comparison with personal numbers masked, as it may be printed and copied around; nothing is left out."""
    lists: dict[str, Any] = {
        name: [(mask_personal(number), _shown(code)) for number, code in getattr(compared, name)]
        for name in ("unknown", "waiting", "withdrawn", "extra")
    }
    return replace(compared, **lists)


def _shown(code: str) -> str:
    # A resident id of 17 characters, with blanks or beside another number is one too: the cell is read as an import reads it.
    return MASKS["resident_id"] if read_identifier(code).kind == "person" else mask_personal(code)


def _headings() -> tuple[set[str], set[str]]:
    numbers, codes = {"document_no", "文书号"}, {"code", "统一社会信用代码", "注册号"}
    for mapping in mappings.shipped().values():
        codes.update(mapping.party_code)
        numbers.update(
            heading for column in mapping.columns if column.field == "document_no" for heading in column.headings
        )
    return {same_value(one) for one in numbers}, {same_value(one) for one in codes}
