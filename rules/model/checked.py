"""Reading nested data that somebody else wrote: every value by name, type and bounds, and nothing unknown left over."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from typing import Any

from rules.kinds import LARGEST
from rules.model import ModelError

_ID = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


class Checked:
    """One table. Each method takes one key and gives its value, or raises ``error`` with where, what and what to do."""

    def __init__(self, data: object, where: str, error: type[ModelError]) -> None:
        self.where, self._error = where, error
        if not isinstance(data, dict):
            raise error(where, f"is {called(data)} where a table is needed", "Write a table of names and values")
        self.data: dict[str, Any] = data
        self._seen: set[str] = set()

    def wrong(self, key: str, problem: str, remedy: str) -> ModelError:
        """The error about ``key`` ('' for the table itself), to be raised."""
        return self._error(f"{self.where}: {key}" if key else self.where, problem, remedy)

    def raw(self, key: str) -> Any:
        """The value as it stands."""
        self._seen.add(key)
        if key not in self.data:
            raise self.wrong(key, "is missing", f"Write {key}")
        return self.data[key]

    def text(self, key: str, pattern: re.Pattern[str] | None = None, *, empty: bool = False) -> str:
        value = self.raw(key)
        if not isinstance(value, str) or (not value.strip() and not empty):
            raise self.wrong(key, f"is {called(value)} where a text is needed", "Write a text in quotes")
        if pattern is not None and not (empty and not value) and not pattern.fullmatch(value):
            raise self.wrong(key, f"{called(value)} is not of the allowed form", f"Write it as {pattern.pattern}")
        return value

    def id(self, key: str) -> str:
        return self.text(key, _ID)

    def choice(self, key: str, choices: Collection[str]) -> str:
        value = self.raw(key)
        if not isinstance(value, str) or value not in choices:
            raise self.wrong(key, f"is {called(value)}, which is not known", f"Use one of {', '.join(choices)}")
        return value

    def whole(self, key: str, *, low: int = -LARGEST, high: int = LARGEST) -> int:
        return _whole(self, key, self.raw(key), low, high)

    def number(self, key: str, *, low: float = -1e300, high: float = 1e300) -> float:
        return _number(self, key, self.raw(key), low, high)

    def list(self, key: str, *, most: int, exactly: int | None = None) -> list[Any]:
        """A list of at most ``most`` values, of ``exactly`` so many where that is given."""
        value = self.raw(key)
        if not isinstance(value, list):
            raise self.wrong(key, f"is {called(value)} where a list is needed", "Write a list in [ ]")
        if exactly is not None and len(value) != exactly:
            raise self.wrong(key, f"has {len(value)} values where {exactly} are needed", "Make the lengths agree")
        if len(value) > most:
            raise self.wrong(key, f"has {len(value)} values, more than {most}", "Shorten it")
        return value

    def wholes(
        self, key: str, *, most: int, exactly: int | None = None, low: int = -LARGEST, high: int = LARGEST
    ) -> tuple[int, ...]:
        values = self.list(key, most=most, exactly=exactly)
        return tuple(_whole(self, f"{key}[{place}]", one, low, high) for place, one in enumerate(values))

    def numbers(
        self, key: str, *, most: int, exactly: int | None = None, low: float = -1e300, high: float = 1e300
    ) -> tuple[float, ...]:
        values = self.list(key, most=most, exactly=exactly)
        return tuple(_number(self, f"{key}[{place}]", one, low, high) for place, one in enumerate(values))

    def table(self, key: str) -> Checked:
        return Checked(self.raw(key), f"{self.where}: {key}", self._error)

    def tables(self, key: str, *, most: int) -> tuple[Checked, ...]:
        """A list of at least one table."""
        values = self.list(key, most=most)
        if not values:
            raise self.wrong(key, "is empty", "Name at least one")
        return tuple(Checked(one, f"{self.where}: {key}[{place}]", self._error) for place, one in enumerate(values))

    def integers(self, key: str) -> dict[str, int]:
        """A table of integers by id."""
        inner = self.table(key)
        for id_ in inner.data:
            if not _ID.fullmatch(str(id_)):
                raise inner.wrong(str(id_), "is no id", "Use a lower-case letter, then letters, digits and _")
        return {id_: inner.whole(id_) for id_ in inner.data}

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in sorted(set(map(str, self.data)) - self._seen):
            raise self.wrong(key, "is an unknown key", f"Remove it; known here: {', '.join(sorted(self._seen))}")


def plain(value: object, wrong: Callable[[str, str, str], ModelError], where: str, depth: int = 12) -> Any:
    """``value`` if it is made of texts, whole and finite numbers, truth values, nulls, lists and tables alone."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if depth and isinstance(value, list | tuple):
        return [plain(one, wrong, f"{where}[{place}]", depth - 1) for place, one in enumerate(value)]
    if depth and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: plain(one, wrong, f"{where}.{key}", depth - 1) for key, one in value.items()}
    raise wrong(where, f"is {called(value)}, which cannot be kept", "Keep texts, finite numbers, lists and tables only")


def called(value: object) -> str:
    """A value as it stands in a message: short, and told apart from a text."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    shown = "true" if value is True else "false" if value is False else "null" if value is None else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"


def _whole(table: Checked, key: str, value: object, low: int, high: int) -> int:
    if type(value) is not int:
        raise table.wrong(key, f"is {called(value)} where an integer is needed", "Write a whole number without quotes")
    if not low <= value <= high:
        raise table.wrong(key, f"is {called(value)}, outside {low} to {high}", "Write an integer within these bounds")
    return value


def _number(table: Checked, key: str, value: object, low: float, high: float) -> float:
    if type(value) not in (int, float):
        raise table.wrong(key, f"is {called(value)} where a number is needed", "Write a number without quotes")
    if not low <= value <= high:  # type: ignore[operator]  # also refuses what is not a number (NaN)
        raise table.wrong(key, f"is {called(value)}, outside {low:g} to {high:g}", "Write a number within these bounds")
    return float(value)  # type: ignore[arg-type]
