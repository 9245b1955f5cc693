"""shape.toml as frozen objects: how many of what, where and when."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SHAPE = Path(__file__).parent / "shape.toml"

KINDS = ("enterprise", "individual", "cooperative")


@dataclass(frozen=True, slots=True)
class Industry:
    """One GB/T 4754 class that occurs in the district, and the words that names of its entities are made of."""

    code: str
    group: str
    mix: tuple[float, float, float]  # weight among enterprises, individual businesses, cooperatives
    words: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]  # words of the name, by kind


@dataclass(frozen=True, slots=True)
class District:
    """One of the seven districts; its division code is one that no real entity can have."""

    code: str
    name: str
    short: str
    weight: float
    offices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Licence:
    """One sort of licence: what it is for (term of the kind `licence`), how many in the city, who holds it, its paper."""

    subject: str
    count: int
    kind: str
    groups: tuple[str, ...]
    certificate: str
    prefix: str  # of the paper's number: then the division, then a running number
    digits: int  # of the running number


@dataclass(frozen=True, slots=True)
class Window:
    """How old records of one kind are: share (0–1) that is at most so many days old, straight between knots."""

    days: tuple[float, ...]
    share: tuple[float, ...]

    @property
    def reach(self) -> int:
        """Age in days of the oldest record."""
        return int(self.days[-1])


@dataclass(frozen=True, slots=True)
class Shape:
    """All of the district that has nothing to do with who is risky. `table` holds the plain tables of the file."""

    counts: Mapping[str, int]
    sizes: Mapping[str, int]
    windows: Mapping[str, Window]
    industries: tuple[Industry, ...]
    districts: tuple[District, ...]
    licences: tuple[Licence, ...]
    table: Mapping[str, Mapping[str, Any]]


@cache
def load_shape(path: Path = SHAPE) -> Shape:
    """Read a shape file. A missing table or key raises KeyError with its name."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    industries = tuple(
        Industry(
            code=code,
            group=row["group"],
            mix=(row["mix"][0], row["mix"][1], row["mix"][2]),
            words=(tuple(row["trade"]), tuple(row["shop"]), tuple(row.get("produce", row["trade"]))),
        )
        for code, row in raw["industry"].items()
    )
    districts = tuple(District(**(row | {"offices": tuple(row["offices"])})) for row in raw["district"])
    licences = tuple(Licence(**(row | {"groups": tuple(row["groups"])})) for row in raw["licence"])
    windows = {
        name: Window(tuple(float(day) for day, _ in knots), tuple(float(share) for _, share in knots))
        for name, knots in raw["windows"].items()
    }
    plain = {name: table for name, table in raw.items() if isinstance(table, dict)}
    return Shape(raw["counts"], raw["sizes"], windows, industries, districts, licences, plain)


def in_proportion(total: int, parts: tuple[int, ...]) -> tuple[int, ...]:
    """Split ``total`` in the proportions of ``parts``, exactly, by largest remainder (ties: the earlier part)."""
    whole = sum(parts)
    shares = [divmod(total * part, whole) for part in parts]
    left = total - sum(share for share, _ in shares)
    order = sorted(range(len(parts)), key=lambda i: (-shares[i][1], i))
    return tuple(share + (i in order[:left]) for i, (share, _) in enumerate(shares))
