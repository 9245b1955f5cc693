"""From the cells of one row to a checked statement about a party, or to the reasons why not. No database here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from marshmallow import ValidationError

from registry.cells import CellError, checks
from registry.cells.personal import keyed_hash, mask_personal
from registry.identity import Identifier, fold_code, read_identifier
from registry.kinds import KINDS, Statement
from registry.kinds.base import RecordSchema
from registry.kinds.registration import subject_of
from registry.mappings.form import Mapping, same_heading, same_value
from registry.services.parties import LONGEST_NAME, BadArea, Party, area_of
from registry.services.reading import Reader, blank, reader_of

# Which reading of several code columns names the party best.
BEST = ("credit_code", "registration_no", "registration_no_13", "taxpayer_no", "organisation_code")

# Why a row waits whose number has a wrong check character: somebody mistyped it, and a person can see whose it is.
CHECK_DIGIT = "check_digit"
_LIKE_A_NUMBER = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}|[0-9]{15}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was refused: column, value (shortened, personal data masked), reason and remedy."""

    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A good row. `party` is None where its code columns name nobody, or two; `why` then says so.

    `shown_code` is the best number as it may be shown, `person_hash` the keyed hash of a personal one, `area` the prefix
    of GB/T 2260 in which its party is registered, where the row says so. `foreign`: its sender speaks for another organ.
    """

    statement: Statement
    party: Party | None
    name: str
    shown_code: str
    why: str
    person_hash: str | None
    area: str = ""
    foreign: bool = False


class RowParser:
    """Reads rows by one mapping. Made once per file: the schema and the columns are looked up once, not per row."""

    def __init__(self, mapping: Mapping, header: list[str], *, today: date, key: bytes) -> None:
        self.mapping = mapping
        self.kind = KINDS[mapping.kind]
        self.schema: RecordSchema = self.kind.schema(today=today)
        self.key = key
        at = {same_heading(heading): index for index, heading in enumerate(header)}
        self.code_cells = _places(at, mapping.party_code)
        self.name_cells = _places(at, mapping.party_name)
        self.persons = mapping.persons
        self.person_cells = _places(at, mapping.persons.headings) if mapping.persons else []
        self.number_cells = _places(at, mapping.persons.number) if mapping.persons else []
        self.refused = [(place, one) for one in mapping.refuse for place in _places(at, one.headings)]
        self.readers: list[tuple[Reader, list[int]]] = []
        for column in mapping.columns:
            reader = reader_of(column, at)
            cells = _places(at, column.headings)
            if reader is not None:
                self.readers.append((reader, cells))
        self.area_cells, self.area = _places(at, mapping.division), area_of(mapping.area)
        self.header = header
        self.heading_of = {reader.column.field: header[cells[0]] for reader, cells in self.readers}

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
        refusals: list[Refusal] = [
            Refusal(self.header[place], cells[place][:60], one.why)
            for place, one in self.refused
            if same_value(cells[place]) in one.values
        ]
        for reader, at in self.readers:
            cell = ""
            if reader.column.join:
                cell = reader.column.join.join(cells[index] for index in at if not blank(cells[index]))
            else:
                for index in at:
                    if not blank(cells[index]):
                        cell = cells[index]
                        break
            if not cell and reader.skips_blank:
                continue
            try:
                reader.read(cell, cells, fields)
            except CellError as error:
                refusals.append(
                    Refusal(self.header[at[0]], error.text.replace("\x00", "␀"), f"{error.what}. {error.remedy}")
                )
        name = mask_personal(next((cells[index].strip() for index in self.name_cells if not blank(cells[index])), ""))
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
        parsed = self._parsed(statement, reading, party, name, cells)
        return replace(parsed, area=area) if (area := self._area(cells)) else parsed

    def _area(self, cells: list[str]) -> str:
        """Where the row says that its party is registered, else where the mapping says so of all; "" where nothing does."""
        for index in self.area_cells:
            if not blank(cells[index]):
                try:
                    return area_of(cells[index].strip()[:6])
                except BadArea:  # a name of a place, or a number that is none: the row says nothing that could be used
                    continue
        return self.area

    def _is_person(self, cells: list[str]) -> bool:
        """Whether the row says of itself that it is about a natural person."""
        if self.persons is None:
            return False
        return not self.persons.headings or any(
            same_value(cells[at]) in self.persons.values for at in self.person_cells
        )

    def _person_hash(self, cells: list[str]) -> str | None:
        """Keyed hash of the number of a natural person, where its column holds one that can be told."""
        readings = [read_identifier(cells[index]) for index in self.number_cells]
        return next((keyed_hash(one.value, self.key) for one in readings if one.kind == "person"), None)

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
        column = self.header[self.code_cells[0]] if self.code_cells else ""
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

    def _parsed(
        self, statement: Statement, reading: Identifier, party: Party | None, name: str, cells: list[str]
    ) -> Parsed:
        shown = _shown(reading)
        if reading.usable:
            return Parsed(statement, party, name[:LONGEST_NAME], shown, "" if party else "numbers_disagree", None)
        number = keyed_hash(reading.value, self.key) if reading.kind == "person" else None
        if self._is_person(cells):
            number = number or self._person_hash(cells)
            return Parsed(statement, None, name[:LONGEST_NAME], "(个人证件号)" if number else shown, "person", number)
        # A number that may be somebody's may still be a registered one: it is looked up, and never stored as new.
        if reading.or_kind == "registration_no":
            party = Party(registration_no=reading.or_value, name=name)
        elif reading.or_kind == "taxpayer_no":
            party = Party(organisation_code=reading.or_value[-9:], name=name)
        slip = self._slip(cells) if reading.kind == "unusable" else ""
        return Parsed(
            statement, party, name[:LONGEST_NAME], slip or shown, CHECK_DIGIT if slip else reading.kind, number
        )

    def _slip(self, cells: list[str]) -> str:
        """The first enterprise number among the code cells of which only the check character is wrong; "" where none is."""
        return next((slip for index in self.code_cells if (slip := mistyped(cells[index]))), "")


def _places(at: dict[str, int], headings: Iterable[str]) -> list[int]:
    """Where in a row the columns stand that have these headings."""
    return [at[heading] for heading in map(same_heading, headings) if heading in at]


def mistyped(cell: str) -> str:
    """A credit code or registration number whose check character is wrong, folded, so that a person sees what was typed.

    "" for everything else, and for what a resident id becomes by one slip: such a number may be somebody's and is not shown.
    """
    code = fold_code(cell)
    reasons = {fault.reason for fault in read_identifier(cell).faults}
    if not reasons & {"check", "registration_check"} or not _LIKE_A_NUMBER.fullmatch(code):
        return ""
    return "" if any(checks.resident_id(near) for near in (code, *one_off(code))) else code


def one_off(number: str) -> list[str]:
    """Numbers that differ from a folded one in one character, or by two neighbours exchanged."""
    # Registration numbers are digits; a credit code of digits alone may still have lost a letter.
    alphabet = "0123456789" if number.isdigit() and len(number) in (13, 15) else checks.CREDIT_ALPHABET
    found = {
        number[:at] + other + number[at + 1 :] for at in range(len(number)) for other in alphabet if other != number[at]
    }
    found |= {number[:at] + number[at + 1] + number[at] + number[at + 2 :] for at in range(len(number) - 1)}
    return sorted(found - {number})


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
