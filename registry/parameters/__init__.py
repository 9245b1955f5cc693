"""Dated parameters of the registry's own verbs: numbers with the day they hold from and what they rest on, as data."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from registry.errors import ConfigError
from registry.kinds.codes import Label
from rules.kinds import BASIS_KINDS

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Value:
    """What holds from a day on."""

    since: date
    value: int
    basis_kind: str
    basis: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number by days. `values` are in order of time and have no gap: each holds until the next begins."""

    name: str
    title: Label
    values: tuple[Value, ...]

    def on(self, day: date) -> Value:
        """What holds on a day; of a day before the first, the first: nothing is older than the system of that day."""
        return next((one for one in reversed(self.values) if one.since <= day), self.values[0])

    @property
    def least(self) -> int:
        """The smallest value that ever held."""
        return min(one.value for one in self.values)

    @property
    def most(self) -> int:
        return max(one.value for one in self.values)

    def as_dict(self, day: date) -> dict[str, Any]:
        """The value of a day with what it rests on, as it is printed beside a result."""
        held = self.on(day)
        return {
            "name": self.name, "title": {"zh": self.title.zh, "en": self.title.en}, "value": held.value,
            "from": held.since.isoformat(), "basis_kind": held.basis_kind, "basis": held.basis, "note": held.note,
        }  # fmt: skip


@cache
def shipped(name: str) -> dict[str, Parameter]:
    """The parameters of `name`.toml in this folder, by name."""
    path = FOLDER / f"{name}.toml"
    return read(path.read_text(encoding="utf-8"), path.name)


def read(text: str, file: str) -> dict[str, Parameter]:
    """Parameters from TOML. Raises ConfigError, naming file, parameter and what is wrong with it."""
    found: dict[str, Parameter] = {}
    for name, table in tomllib.loads(text).items():
        where = f"{file}: [{name}]"
        try:
            title = Label(table["title"]["zh"], table["title"]["en"])
            values = tuple(_value(where, one) for one in table["value"])
        except (KeyError, TypeError) as error:
            raise ConfigError(
                f"{where} needs a title (zh, en) and values with from, value and basis_kind: {error}."
            ) from error
        if not values or any(one.since >= after.since for one, after in pairwise(values)):
            raise ConfigError(f"{where} needs values in the order of their days, each day once.")
        found[name] = Parameter(name, title, values)
    return found


def _value(where: str, given: dict[str, Any]) -> Value:
    kind = given["basis_kind"]
    if kind not in BASIS_KINDS:
        raise ConfigError(f"{where} has basis_kind {kind!r}. It is one of: {', '.join(BASIS_KINDS)}.")
    basis = given.get("basis", BASIS_KINDS[kind] if kind == "product_default" else "")
    if not basis:
        raise ConfigError(f"{where} says {kind} and names no basis.")
    if type(given["value"]) is not int or given["value"] < 0 or type(given["from"]) is not date:
        raise ConfigError(f"{where} needs a whole number that is not negative, and the day from which it holds.")
    return Value(given["from"], given["value"], kind, basis, given.get("note", ""))
