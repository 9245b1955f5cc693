"""Parties: whom a row names by its numbers, and which entity that is, or why a person must choose."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from registry.cells.checks import is_registration_no
from registry.cells.names import fold_name, simplified
from registry.database import execute, in_slices
from registry.errors import RegistryError

# A prefix of GB/T 2260: province, city or county.
AREA = re.compile(r"[1-9][0-9](?:[0-9]{2}){0,2}")
# The numbers that an entity is found by, the surest first.
NUMBERS = ("code", "registration_no", "organisation_code")
# Names longer than this exist nowhere; the column is no wider.
LONGEST_NAME = 200


class BadArea(RegistryError):
    code = "bad_area"
    status = 422


def area_of(text: str) -> str:
    """A division code as the prefix that its entities share: 110108 is 110108, 110100 is 1101, 110000 is 11, "" is "".

    Raises BadArea for what is not two, four or six digits of GB/T 2260.
    """
    plain = text.strip()
    if not plain:
        return ""
    if not plain.isascii() or not AREA.fullmatch(plain):
        raise BadArea(f"{plain[:20]!r} is not a division. Give two, four or six digits of GB/T 2260, for example 1101.")
    while len(plain) > 2 and plain.endswith("00"):
        plain = plain[:-2]
    return plain


def folded_name(name: str) -> str:
    """A name as `entity_name` holds it: folded, in simplified characters."""
    return simplified(fold_name(name))[:LONGEST_NAME]


@dataclass(frozen=True, slots=True)
class Party:
    """Every usable number of one party, checked. The organisation code of a party with a code is the one inside it."""

    code: str | None = None
    registration_no: str | None = None
    organisation_code: str | None = None
    name: str = ""

    @property
    def weak(self) -> bool:
        """Whether the registration number has no check digit (13 digits, or letters): a slip finds somebody else."""
        return self.registration_no is not None and not is_registration_no(self.registration_no)


@dataclass(frozen=True, slots=True)
class Found:
    """An entity that a party was matched to."""

    id: int
    provisional: bool
    name: str
    division: str
    code: str | None = None
    registration_no: str | None = None
    organisation_code: str | None = None


Reason = Literal["numbers_disagree", "name_differs", "ambiguous"]
REASONS: tuple[str, ...] = ("numbers_disagree", "name_differs", "ambiguous")


@dataclass(frozen=True, slots=True)
class Match:
    """What came of looking a party up: its entity, or why a person must choose; neither where nobody has its numbers."""

    found: Found | None = None
    reason: Reason | None = None


def match(parties: Sequence[Party]) -> list[Found | None]:
    """Find the entity of each party, as `Directory.find` does; None also where a person must choose.

    Four queries for the whole batch, whatever its size. Names alone never match (they wait for a person).
    """
    directory = Directory(parties)
    return [directory.find(party).found for party in parties]


class Directory:
    """Who has the numbers of a batch of parties: read at once, then kept up with what this transaction adds.

    So the second row of a chunk sees what the first one made, and the size of a chunk decides nothing.
    """

    def __init__(self, parties: Sequence[Party]) -> None:
        self._entities: dict[int, Found] = {}
        self._holders: dict[str, dict[str, list[int]]] = {}
        for column in NUMBERS:
            wanted = sorted({value for party in parties if (value := getattr(party, column))})
            held = self._holders[column] = {}
            for part in in_slices(wanted):
                marks = ", ".join("?" * len(part))
                sql = f"SELECT {column}, id, provisional, name, division, {', '.join(NUMBERS)} FROM entity WHERE {column} IN ({marks})"  # noqa: S608
                for value, entity, provisional, *rest in execute(sql, part).fetchall():
                    self._entities[entity] = Found(entity, bool(provisional), *rest)
                    held.setdefault(value, []).append(entity)
        weak = {party.registration_no or "" for party in parties if party.weak}
        self._names: dict[int, set[str]] = {}
        ids = sorted({entity for number in weak for entity in self._holders["registration_no"].get(number, [])})
        for part in in_slices(ids):
            marks = ", ".join("?" * len(part))
            sql = f"SELECT entity_id, folded FROM entity_name WHERE entity_id IN ({marks})"  # noqa: S608
            for entity, folded in execute(sql, part).fetchall():
                self._names.setdefault(entity, set()).add(folded)

    def find(self, party: Party) -> Match:
        """Look a party up: by credit code; where that is unknown or missing by its other numbers, if they agree.

        An unknown code does not lead to an entity that has another one (`numbers_disagree`), and a number without a
        check digit only to an entity that goes by the party's name (`name_differs`). A number that several entities
        have leads nowhere (`ambiguous`).
        """
        if party.code:
            coded = self._having("code", party.code)
            if coded:
                return Match(coded[0])
            # An unknown code is a new entity's, or that of one known by its old number only.
            old = self._having("registration_no", party.registration_no)
            if not old:
                return Match()
            if len(old) > 1 or old[0].code is not None:
                return Match(reason="numbers_disagree")
            return self._by_name(party, old[0])
        numbered = self._having("registration_no", party.registration_no)
        organised = self._having("organisation_code", party.organisation_code)
        sole = {held[0].id: held[0] for held in (numbered, organised) if len(held) == 1}
        if len(sole) > 1:
            return Match(reason="numbers_disagree")
        if not sole:
            return Match(reason="ambiguous" if numbered or organised else None)
        (found,) = sole.values()
        return Match(found) if len(organised) == 1 else self._by_name(party, found)

    def add(self, found: Found) -> None:
        """Take in an entity that was just made."""
        self._entities[found.id] = found
        for column in NUMBERS:
            if value := getattr(found, column):
                self._holders[column].setdefault(value, []).append(found.id)
        self._known_as(found)

    def give(self, found: Found, party: Party) -> Found:
        """The entity with the numbers that a registration gives it: what it lacks, and its newest registration number.

        A number that another entity has is not taken from it, nor does one without a check digit replace one with.
        """
        number = party.registration_no
        taken = any(one.id != found.id for one in self._having("registration_no", number))
        if number is None or taken or (party.weak and found.registration_no is not None):
            number = found.registration_no
        code, organisation = found.code, found.organisation_code
        if code is None:
            code, organisation = (
                party.code,
                (party.code and party.organisation_code) or organisation or party.organisation_code,
            )
        after = replace(found, code=code, registration_no=number, organisation_code=organisation, name=party.name)
        for column in NUMBERS:
            if (old := getattr(found, column)) and old != getattr(after, column):
                self._holders[column][old] = [one for one in self._holders[column].get(old, []) if one != found.id]
            if (new := getattr(after, column)) and new != old:
                self._holders[column].setdefault(new, []).append(found.id)
        self._entities[found.id] = after
        self._known_as(after)
        return after

    def _having(self, column: str, value: str | None) -> list[Found]:
        return [self._entities[one] for one in self._holders[column].get(value, [])] if value else []

    def _by_name(self, party: Party, found: Found) -> Match:
        named = not party.weak or folded_name(party.name) in self._names.get(found.id, set())
        return Match(found) if named else Match(reason="name_differs")

    def _known_as(self, found: Found) -> None:
        if found.name.strip():
            self._names.setdefault(found.id, set()).add(folded_name(found.name))
