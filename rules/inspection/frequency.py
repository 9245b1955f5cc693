"""The frequency table 抽查比例和频次: what each class means in the field, as dated data with the basis of every value.

A row holds for schemes, kinds of items (general 一般, key 重点) and one class; a row for industries wins over the row for
everyone, and the longer prefix of GB/T 4754 over the shorter. docs/frequency.md has the form of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rules.dated import Basis, Dated, to_date
from rules.errors import SchemeError
from rules.parts import Title

# Ratios are in hundredths of a percent.
WHOLE = 10_000
YEAR = 365
NATURES = ("general", "key")


class FrequencyError(SchemeError):
    """A frequency table cannot be used: every mistake in it, each with file, key and remedy."""


@dataclass(frozen=True, slots=True)
class Row:
    """What holds for one class on one day.

    lowest, highest : bounds of the ratio of a draw, in hundredths of a percent
    every_days : a visit at least so often; None where there is no interval
    at_most : most visits in a calendar year; None without limit but the annual cap
    skip_days : who was visited fewer days ago is left out
    """

    id: str
    lowest: int
    highest: int
    every_days: int | None
    at_most: int | None
    skip_days: int
    basis: Basis

    @property
    def usual(self) -> int:
        """The ratio that is drawn where nobody asks for another: the lower bound; without one, the share that the
        interval makes due in a year; without either, the upper bound."""
        if self.lowest:
            return self.lowest
        return min(self.highest, -(-YEAR * WHOLE // self.every_days)) if self.every_days else self.highest

    @property
    def yearly(self) -> int:
        """Visits in a year that 10,000 entities take: by the interval; without one by the lower bound; else by the upper."""
        if self.every_days:
            return (2 * YEAR * WHOLE + self.every_days) // (2 * self.every_days)
        return self.lowest or self.highest

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id, "lowest": self.lowest, "highest": self.highest, "every_days": self.every_days,
            "at_most": self.at_most, "skip_days": self.skip_days, "basis": self.basis.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What a row says between two days; what is skipped stands apart, with a basis of its own."""

    lowest: int
    highest: int
    every_days: int | None
    at_most: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file. ``prefixes`` are inclusive ranges of industry codes with the length of their prefix; without any
    it holds for every industry."""

    id: str
    schemes: tuple[str, ...]
    natures: tuple[str, ...]
    class_: str
    prefixes: tuple[tuple[int, int, int], ...]
    values: Dated[Limits]

    def fits(self, industry: int | None) -> int:
        """Digits of the longest prefix that the industry has; 0 where the row is for everyone, -1 where it does not hold."""
        if not self.prefixes:
            return 0
        return max((size for low, high, size in self.prefixes if industry and low <= industry <= high), default=-1)


@dataclass(frozen=True, slots=True)
class Skip:
    days: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Exempt:
    """A type of task that the annual cap does not hold back, and why. Its visits count all the same."""

    type: str
    title: Title
    reason: Title


@dataclass(frozen=True, slots=True)
class Pace:
    """What an ordinary visit takes: minutes on site of an average item, and minutes of visits in a working day."""

    minutes: int
    day_minutes: int


@dataclass(frozen=True, slots=True)
class FrequencyTable:
    """A frequency table, frozen. ``content`` is the canonical content, ``hash`` its SHA-256: neither knows the order of the file."""

    id: str
    title: Title
    lines: tuple[Line, ...]
    skip: Dated[Skip]
    cap: Dated[int]
    exempt: Mapping[str, Dated[Exempt]]
    pace: Dated[Pace]
    content: str
    hash: str

    def at(self, scheme: str, nature: str, class_: str, industry: int | None, day: int) -> Row | None:
        """The row for a class under a scheme: the one with the longest prefix of the industry (GB/T 4754 class, None or 0
        unknown) that is in force on the day; None where the table does not say."""
        best: tuple[int, Row] | None = None
        for line in self.lines:
            if line.class_ != class_ or scheme not in line.schemes or nature not in line.natures:
                continue
            size = line.fits(industry)
            if size > (-1 if best is None else best[0]) and (row := self.row(line, day)) is not None:
                best = size, row
        return None if best is None else best[1]

    def row(self, line: Line, day: int) -> Row | None:
        """One line as it holds on a day; None where it does not."""
        span = line.values.at(day)
        if span is None:
            return None
        skip, said = self.skip.at(day), span.value
        days = skip.value.days.get(line.class_, 0) if skip is not None else 0
        return Row(line.id, said.lowest, said.highest, said.every_days, said.at_most, days, span.basis)

    def rows(self, scheme: str, nature: str, day: int) -> list[tuple[str, tuple[int, int] | None, Row]]:
        """Every row of a scheme in force on a day as (class, inclusive range of industries or None for all, row): the widest
        first, so that whoever lays each over those before it, column by column, has what :meth:`at` says."""
        found = [
            (0 if prefix is None else prefix[2], line.class_, None if prefix is None else prefix[:2], row)
            for line in self.lines
            if scheme in line.schemes and nature in line.natures and (row := self.row(line, day)) is not None
            for prefix in line.prefixes or (None,)
        ]
        return [one[1:] for one in sorted(found, key=lambda one: (one[0], one[3].id))]

    def interval_since(self, line_id: str, day: int) -> int:
        """First day of the interval that a line has on ``day``: earlier days with the same interval count to it."""
        spans = next(line for line in self.lines if line.id == line_id).values.spans
        held = [span for span in spans if span.start <= day]
        every, since = held[-1].value.every_days, held[-1].start
        for span in reversed(held):
            if span.value.every_days != every:
                break
            since = span.start
        return since

    def schemes(self) -> tuple[str, ...]:
        """Ids of the schemes of whose classes the table speaks."""
        return tuple(sorted({scheme for line in self.lines for scheme in line.schemes}))

    def annual_cap(self, day: int) -> int | None:
        """Most visits in a calendar year, of all organs together; None where no cap was in force."""
        span = self.cap.at(day)
        return None if span is None else span.value

    def exemptions(self, day: int) -> dict[str, Exempt]:
        """The types of task that the cap does not hold back on a day, by type."""
        spans = {type_: dated.at(day) for type_, dated in self.exempt.items()}
        return {type_: span.value for type_, span in spans.items() if span is not None}

    def visit(self, day: int) -> Pace | None:
        """What an ordinary visit takes; None before the first value."""
        span = self.pace.at(day)
        return None if span is None else span.value

    def as_dict(self, day: int) -> dict[str, Any]:
        """Everything that is in force on a day, as plain values. Rows hold classes and nobody's name."""
        rows = [
            {
                **row.as_dict(), "schemes": list(line.schemes), "natures": list(line.natures), "class": line.class_,
                "industries": [f"{low:04d}"[:size] for low, _, size in line.prefixes],
            }
            for line in self.lines
            if (row := self.row(line, day)) is not None
        ]  # fmt: skip
        cap, skip, pace = self.cap.at(day), self.skip.at(day), self.pace.at(day)
        return {
            "id": self.id,
            "title": self.title.as_dict(),
            "hash": self.hash,
            "on": to_date(day).isoformat(),
            "rows": rows,
            "skip": None if skip is None else {"days": dict(skip.value.days), "basis": skip.basis.as_dict()},
            "annual_cap": None if cap is None else {"most": cap.value, "basis": cap.basis.as_dict()},
            "exempt": [
                {
                    "type": type_, "title": span.value.title.as_dict(), "reason": span.value.reason.as_dict(),
                    "basis": span.basis.as_dict(),
                }
                for type_, dated in sorted(self.exempt.items())
                if (span := dated.at(day)) is not None
            ],
            "visit": None if pace is None else {
                "minutes": pace.value.minutes, "day_minutes": pace.value.day_minutes, "basis": pace.basis.as_dict(),
            },
        }  # fmt: skip


def read(path: Path) -> FrequencyTable:
    """Read and check a frequency table.

    Raises
    ------
    FrequencyError
        With every mistake, each with file, key and remedy; also where there is no such file.
    """
    # The reader knows this module's objects, so it is asked for here and not above.
    from rules.inspection.reading import read_table

    return read_table(path)


def digest(content: str) -> str:
    """SHA-256 of a canonical content, hexadecimal."""
    return hashlib.sha256(content.encode()).hexdigest()
