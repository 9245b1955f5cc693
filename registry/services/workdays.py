"""Working days 工作日: weekdays that are no public holiday, and the weekend days on which people work instead.

The days of each year stand in one file of `registry/calendar/`, from the notice of the State Council Office of that year.
A year without a file is not guessed at.
"""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from registry.errors import ConfigError, RegistryError

FOLDER = Path(__file__).resolve().parent.parent / "calendar"
ONE = timedelta(days=1)
SATURDAY = 5


class CalendarUnknown(RegistryError):
    """The holidays of a year are not on file, so its working days cannot be counted."""

    code = "calendar_unknown"
    status = 503


@dataclass(frozen=True, slots=True)
class Year:
    """The days of one year that are not as their weekday says."""

    source: str
    off: frozenset[date]
    worked: frozenset[date]


def is_working(day: date) -> bool:
    """Whether people work on this day. Raises CalendarUnknown for a year without a file."""
    year = of_year(day.year)
    return day in year.worked or (day.weekday() < SATURDAY and day not in year.off)


def add(day: date, number: int) -> date:
    """The working day that is `number` (1 or more) working days after `day`.

    The day on which something happens is not counted (Civil Code, Art. 201): one working day after a Friday is Monday.
    Raises CalendarUnknown where a year on the way has no file, ValueError for a number below 1.
    """
    if number < 1:
        raise ValueError(f"{number} working days: count at least one.")
    while number:
        day += ONE
        number -= is_working(day)
    return day


def due(day: date, number: int) -> date:
    """The same for a duty of our own, which must not wait for a calendar: never later than the law allows.

    Where the year on the way has no file yet (the notice for a year comes out in the November before), every day is
    counted: the duty then falls due sooner, never later.
    """
    while number:
        day += ONE
        number -= is_working(day) if known(day.year) else 1
    return day


def between(first: date, last: date) -> int:
    """How many working days lie after `first`, up to and including `last`; below zero where `last` comes first."""
    if last < first:
        return -between(last, first)
    return sum(is_working(first + ONE * step) for step in range(1, (last - first).days + 1))


def known(year: int) -> bool:
    """Whether the days of this year are on file."""
    return (FOLDER / f"{year}.toml").is_file()


@cache
def of_year(year: int) -> Year:
    """The holidays of a year. Raises CalendarUnknown where it has no file, ConfigError where the file is not in order."""
    path = FOLDER / f"{year}.toml"
    if not path.is_file():
        raise CalendarUnknown(
            f"The public holidays of {year} are not on file, so working days in it cannot be counted. Add "
            f"registry/calendar/{year}.toml from the yearly notice of the State Council Office "
            f"国务院办公厅关于{year}年部分节假日安排的通知; the files beside it show the form.",
            year=year,
        )
    return read(path, year)


def read(path: Path, year: int) -> Year:
    """Read one file of the calendar. Raises ConfigError, naming the mistake, where it says what cannot be."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} is not valid TOML: {error}. Mend that line.") from error
    if data.get("year") != year or not data.get("source"):
        raise ConfigError(f"{path.name} must say year = {year} and name its source (the notice it was taken from).")
    off: set[date] = set()
    for span in data.get("holiday", ()):
        off |= _days(path, year, span)
    worked = {_day(path, year, day) for day in data.get("worked", ())}
    for day in worked:
        if day.weekday() < SATURDAY or day in off:
            raise ConfigError(f"{path.name}: {day} stands under `worked`, but is a weekday or a holiday. Remove it.")
    if not off:
        raise ConfigError(f"{path.name} names no holiday. Every year has seven: copy them from the notice.")
    return Year(str(data["source"]), frozenset(off), frozenset(worked))


def _days(path: Path, year: int, span: Any) -> set[date]:
    first, last = _day(path, year, span.get("from")), _day(path, year, span.get("to"))
    if last < first or (last - first).days > 30:
        raise ConfigError(f"{path.name}: the holiday from {first} to {last} cannot be. Correct one of the two days.")
    return {first + ONE * step for step in range((last - first).days + 1)}


def _day(path: Path, year: int, value: object) -> date:
    if type(value) is not date or value.year != year:
        raise ConfigError(f"{path.name}: {value!r} is not a day of {year}. Write it as {year}-01-31, without quotes.")
    return value
