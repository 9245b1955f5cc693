"""From the cells of one row to a checked statement about a party, or to the reasons why not. No database here."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError

from registry.cells import CellError, is_blank
from registry.cells.amounts import capital, fen
from registry.cells.dates import OPEN_END, day
from registry.cells.personal import keyed_hash, mask_personal
from registry.cells.width import half_width
from registry.identity import Identifier, read_identifier
from registry.kinds import KINDS, Statement
from registry.kinds.base import RecordSchema
from registry.kinds.registration import subject_of
from registry.mappings import Column, Mapping
from registry.services.parties import LONGEST_NAME, Party

# No word that stands for an empty cell is longer.
LONGEST_NOTHING = 12
INDUSTRY = re.compile(r"[A-T]?(\d{2,4})?")
# Which reading of several code columns names the party best.
BEST = ("credit_code", "registration_no", "registration_no_13", "taxpayer_no", "organisation_code")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was refused: column, value (shortened, personal data masked), reason and remedy."""

    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A good row. `party` is None where its code columns name nobody, or two; `why` then says so.

    `shown_code` is the best number as it may be shown, `person_hash` the keyed hash of a personal one.
    """

    statement: Statement
    party: Party | None
    name: str
    shown_code: str
    why: str
    person_hash: str | None


# The same days, amounts and short words come again and again in a file: each is read once.
_DAY, _FEN, _SHORT_BLANK = lru_cache(20_000)(day), lru_cache(20_000)(fen), lru_cache(20_000)(is_blank)


def _blank(cell: str) -> bool:
    """`is_blank`, spared most cells: a longer word than any that stands for nothing, with a letter at either end."""
    if len(cell) <= LONGEST_NOTHING:
        return _SHORT_BLANK(cell)
    return not (cell[0].isalnum() and cell[-1].isalnum()) and is_blank(cell)


class RowParser:
    """Reads rows by one mapping. Made once per file: the schema and the columns are looked up once, not per row."""

    def __init__(self, mapping: Mapping, header: list[str], *, today: date, key: bytes) -> None:
        self.mapping = mapping
        self.kind = KINDS[mapping.kind]
        self.schema: RecordSchema = self.kind.schema(today=today)
        self.key = key
        at = {heading: index for index, heading in enumerate(header)}
        self.code_cells = [at[heading] for heading in mapping.party_code if heading in at]
        self.name_cells = [at[heading] for heading in mapping.party_name if heading in at]
        self.columns: list[tuple[Column, list[int]]] = []
        for column in mapping.columns:
            cells = [at[heading] for heading in column.headings if heading in at]
            if cells:
                self.columns.append((column, cells))
        self.header = header
        self.heading_of = {column.field: header[cells[0]] for column, cells in self.columns}

    def parse(self, cells: list[str]) -> Parsed | list[Refusal]:
        """Read one row. Returns every reason at once when it is refused."""
        if len(cells) != len(self.header):
            return [
                Refusal(
                    "",
                    "",
                    f"The row has {len(cells)} cells and the header {len(self.header)}. A separator inside a text is probably not in quotation marks.",
                )
            ]
        fields: dict[str, Any] = dict(self.mapping.constants)
        refusals: list[Refusal] = []
        for column, at in self.columns:
            cell = next((cells[index] for index in at if not _blank(cells[index])), "")
            try:
                self._read(column, cell, fields)
            except CellError as error:
                refusals.append(
                    Refusal(self.header[at[0]], error.text.replace("\x00", "␀"), f"{error.what}. {error.remedy}")
                )
        name = mask_personal(next((cells[index].strip() for index in self.name_cells if not _blank(cells[index])), ""))
        if "\x00" in name:
            refusals.append(
                Refusal(
                    self.header[self.name_cells[0]],
                    name.replace("\x00", "␀")[:60],
                    "The name contains a NUL byte. Remove it in the source and export again.",
                )
            )
        if refusals:
            return refusals
        reading, party = self._numbers(cells, name)
        if self.kind.name == "registration":
            fault = self._complete_registration(fields, reading, party, name)
            if fault is not None:
                return [fault]
        try:
            statement = self.kind.state(self.schema.load(fields))
        except ValidationError as error:
            return self._refusals(error, fields)
        return self._parsed(statement, reading, party, name)

    def _read(self, column: Column, cell: str, fields: dict[str, Any]) -> None:
        if column.read == "capital":
            # Only renminbi is counted; the text is kept, so that no currency is lost.
            fields["capital_text"] = cell
            fields[column.field] = capital(cell, "wan").fen or 0
        elif not cell:
            return
        elif column.read == "day":
            found = _DAY(cell, order=None if column.order == "ymd" else column.order)
            fields[column.field] = None if found == OPEN_END else found
        elif column.read == "yuan":
            fields[column.field] = _FEN(cell, "yuan")
        elif column.read == "wan":
            fields[column.field] = _FEN(cell, "wan")
        elif column.read == "list":
            fields[column.field] = [
                part for part in cell.replace("；", ";").replace("，", ",").replace(";", ",").split(",") if part
            ]
        elif column.read == "industry":
            fields[column.field] = _industry(cell)
        elif column.read == "integer":
            if not cell.strip().isdecimal():
                raise CellError("This is not a whole number", cell, "Write digits only.")
            fields[column.field] = int(cell)
        else:
            fields[column.field] = cell

    def _numbers(self, cells: list[str], name: str) -> tuple[Identifier, Party | None]:
        """The best reading of the code columns, and the party by every usable number in them.

        Where none is usable: the most telling reading, and no party. No party either where the row names two codes.
        """
        readings = [read_identifier(cells[index]) for index in self.code_cells]
        readings += [reading.beside for reading in readings if reading.beside is not None]
        usable = sorted((one for one in readings if one.usable), key=lambda one: BEST.index(one.kind))
        if not usable:
            telling = [reading for reading in readings if reading.kind != "blank"]
            return telling[0] if telling else Identifier("blank"), None
        if len({one.value for one in usable if one.kind == "credit_code"}) > 1:
            return usable[0], None
        party = party_of(usable[0], name)
        for one in usable[1:]:  # the surest reading fills a number first
            more = party_of(one, name)
            party = Party(
                party.code or more.code, party.registration_no or more.registration_no,
                party.organisation_code or more.organisation_code, name,
            )  # fmt: skip
        return usable[0], party

    def _complete_registration(
        self, fields: dict[str, Any], reading: Identifier, party: Party | None, name: str
    ) -> Refusal | None:
        column = self.header[self.code_cells[0]]
        if reading.usable and party is None:
            return Refusal(column, _shown(reading), "The row names two credit codes. Give each enterprise its own row.")
        if not reading.usable or reading.kind in ("taxpayer_no", "organisation_code"):
            message = (
                reading.message
                or f"A registration needs a credit code or a registration number; this is {reading.kind.replace('_', ' ')}."
            )
            return Refusal(column, _shown(reading), message)
        code = reading.value if reading.kind == "credit_code" else ""
        fields["name"] = name
        fields["subject"] = subject_of(code, fields.get("type", ""), name)
        fields["division"] = code[2:8] if code else reading.value[:6]
        if not fields["division"].isdecimal():
            fields["division"] = ""
        return None

    def _refusals(self, error: ValidationError, fields: dict[str, Any]) -> list[Refusal]:
        found: list[Refusal] = []
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        for field, texts in messages.items():
            heading = self.heading_of.get(field, field if field != "_schema" else "")
            value = str(fields.get(field, ""))
            text = " ".join(map(str, texts)) if isinstance(texts, list) else str(texts)
            found.append(Refusal(heading, mask_personal(value.replace("\x00", "␀"))[:60], text))
        return found

    def _parsed(self, statement: Statement, reading: Identifier, party: Party | None, name: str) -> Parsed:
        shown = _shown(reading)
        if reading.usable:
            return Parsed(statement, party, name[:LONGEST_NAME], shown, "" if party else "numbers_disagree", None)
        # A number that may be somebody's may still be a registered one: it is looked up, and never stored as new.
        if reading.or_kind == "registration_no":
            party = Party(registration_no=reading.or_value, name=name)
        elif reading.or_kind == "taxpayer_no":
            party = Party(organisation_code=reading.or_value[-9:], name=name)
        person = keyed_hash(reading.value, self.key) if reading.kind == "person" else None
        return Parsed(statement, party, name[:LONGEST_NAME], shown, reading.kind, person)


def _industry(cell: str) -> int:
    """A class of GB/T 4754 as a number: `C1411`, `1411`, a group `141` or a division `14`; a section alone (`C`) is 0."""
    found = INDUSTRY.fullmatch(half_width(cell).strip())
    if found is None:
        raise CellError(
            "This is not an industry code of GB/T 4754", cell, "Write its digits, for example 1411 or C1411."
        )
    return int(found[1].ljust(4, "0")) if found[1] else 0


def party_of(reading: Identifier, name: str) -> Party:
    """The identifiers that an entity can be found by, from one usable reading of a code cell."""
    value = reading.value
    if reading.kind == "credit_code":
        return Party(code=value, organisation_code=value[8:17], name=name)
    if reading.kind in ("registration_no", "registration_no_13"):
        return Party(registration_no=value, name=name)
    return Party(organisation_code=value[-9:], name=name)


def _shown(reading: Identifier) -> str:
    """The number as it may be shown: as it is when it is an enterprise's, else what it is."""
    if reading.usable and reading.or_kind != "person":
        return reading.value
    return {"person": "(个人证件号)", "phone": "(电话)", "masked": "(已脱敏)", "blank": ""}.get(
        reading.kind, reading.kind
    )
