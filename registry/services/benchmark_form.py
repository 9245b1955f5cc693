"""What a mapping of a benchmark says, as frozen objects: files, columns, units, targets and windows. `benchmark_mapping` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from rules.model.units import PURPOSES, Outcome
from rules.parts import Title

SEVERITIES: Mapping[str, int] = {"serious": 3, "problem": 2, "minor": 1}
# What a visit may be for; a row that is `skip` is left out on purpose.
PURPOSE_WORDS = tuple(word or "unstated" for word in PURPOSES)
SKIP = "skip"
# Severity of a finding that says nothing (a visit without findings, a remark).
NOTHING = "nothing"
Plan = Literal["quarter", "whole"]


@dataclass(frozen=True, slots=True)
class Words:
    """A column whose values stand for words: an exact value first, then the first part that the value contains.

    Values are compared without regard to case and to blanks around them. `otherwise` is the word of all others.
    """

    column: str
    values: Mapping[str, str] = field(default_factory=dict)
    contains: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None

    def of(self, value: str) -> str | None:
        """The word of a value; None where the mapping does not say."""
        plain = value.strip().lower()
        if plain in self.values:
            return self.values[plain]
        part = next((part for part in self.contains if part in plain), None)
        return self.otherwise if part is None else self.contains[part]


@dataclass(frozen=True, slots=True)
class Entities:
    """Who is visited. Without a file: whoever the visits name."""

    file: str = ""
    id: str = ""
    established: str = ""
    format: str = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class Area:
    """Where entities are, so that neighbours can be told: never a feature itself.

    A district and, where it is given, a block inside it: from columns (`district`, and `block` or the street of `street`) or
    from coordinates, in cells of so many degrees (0: no blocks); and the premises by their `address`, by which complaints find them, too.
    """

    file: str
    entity: str
    district: str = ""
    block: str = ""
    street: str = ""
    latitude: str = ""
    longitude: str = ""
    district_degrees: float = 0.04
    block_degrees: float = 0.0
    address: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings of visits, one row each."""

    file: str
    visit: str
    severity: Words


@dataclass(frozen=True, slots=True)
class Penalty:
    """Visits that led to a penalty: those with one of `values` (lower case) in `column`."""

    column: str
    values: frozenset[str]
    kind: str


@dataclass(frozen=True, slots=True)
class Visits:
    """One file (or several alike) of visits. `counts`: severity → column of numbers, or `findings` in rows of their own."""

    file: str
    id: str
    entity: str
    day: str
    format: str
    purpose: Words | str
    counts: Mapping[int, str]
    findings: Findings | None
    penalty: Penalty | None


@dataclass(frozen=True, slots=True)
class Complaints:
    """Complaints 投诉 and the like, about an entity by its id, or about an address at which one entity alone is found."""

    file: str
    id: str
    entity: str
    address: str
    day: str
    format: str
    type: Words | str


@dataclass(frozen=True, slots=True)
class Licences:
    """Licences 许可 with their first and last day."""

    file: str
    id: str
    entity: str
    first: str
    last: str
    format: str
    subject: Words | str


@dataclass(frozen=True, slots=True)
class Units:
    """Which visits are asked about: by rule, or those whose ids a file lists."""

    purposes: tuple[int, ...] = (0, 1)
    least_gap: int = 0
    history: int = 0
    file: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One question: whether the visit finds at least so many problems of at least that severity."""

    id: str
    title: Title
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Split:
    """Days of the visits in each window: first, and first day after it. With `flag` only units that have one of `values`
    there are tested, and they are in no other window."""

    train: tuple[date, date]
    calibrate: tuple[date, date]
    test: tuple[date, date]
    plan: Plan
    flag: str = ""
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Statutory:
    """The order that the law or the organ's own classes give, for comparison only: value → rank, higher is first."""

    file: str
    entity: str
    column: str
    ranks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A whole mapping. `name` is that of its file."""

    name: str
    title: Title
    source: str
    licence: str
    entities: Entities
    area: Area | None
    visits: tuple[Visits, ...]
    complaints: tuple[Complaints, ...]
    licences: tuple[Licences, ...]
    units: Units
    targets: tuple[Target, ...]
    split: Split
    statutory: Statutory | None
    never: frozenset[str]
    # What stands where an entity's id should and names nobody.
    nobody: frozenset[str] = frozenset()

    def wanted(self) -> list[tuple[str, str, str]]:
        """Every (key of the mapping, file, column) that is read, `""` for a column that is not given."""
        found: list[tuple[str, str, str]] = []
        one = self.entities
        if one.file:
            found += [(f"entities.{key}", one.file, getattr(one, key)) for key in ("id", "established")]
        if area := self.area:
            where = ("entity", "district", "block", "street", "latitude", "longitude", "address")
            found += [(f"area.{key}", area.file, getattr(area, key)) for key in where]
        for place, visits in enumerate(self.visits, 1):
            at = f"visits {place}"
            found += [(f"{at}.{key}", visits.file, getattr(visits, key)) for key in ("id", "entity", "day")]
            found += [
                (f"{at}.{word}", visits.file, visits.counts.get(severity, "")) for word, severity in SEVERITIES.items()
            ]
            if isinstance(visits.purpose, Words):
                found.append((f"{at}.purpose", visits.file, visits.purpose.column))
            if visits.penalty:
                found.append((f"{at}.penalty", visits.file, visits.penalty.column))
            if rows := visits.findings:
                found.append((f"{at}.findings.visit", rows.file, rows.visit))
                found.append((f"{at}.findings.severity", rows.file, rows.severity.column))
        for place, complaint in enumerate(self.complaints, 1):
            keys = ("id", "entity", "address", "day")
            found += [(f"complaints {place}.{key}", complaint.file, getattr(complaint, key)) for key in keys]
            if isinstance(complaint.type, Words):
                found.append((f"complaints {place}.type", complaint.file, complaint.type.column))
        for place, licence in enumerate(self.licences, 1):
            given = {"id": licence.id, "entity": licence.entity, "from": licence.first, "until": licence.last}
            found += [(f"licences {place}.{key}", licence.file, column) for key, column in given.items()]
            if isinstance(licence.subject, Words):
                found.append((f"licences {place}.subject", licence.file, licence.subject.column))
        if self.units.file:
            found += [("units.id", self.units.file, self.units.id), ("split.flag", self.units.file, self.split.flag)]
        if rank := self.statutory:
            found += [("statutory.entity", rank.file, rank.entity), ("statutory.column", rank.file, rank.column)]
        return [(key, file, column) for key, file, column in found if column]
