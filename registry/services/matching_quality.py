"""How good matching by name is, measured: the numbers of rows are hidden, and what their names alone find is compared."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import islice

from opencc import OpenCC

from registry.cells.names import names_an_enterprise
from registry.database import execute
from registry.services import aliases, entities, naming
from registry.services.parsing import Parsed, RowParser
from registry.services.parties import folded_name
from registry.services.understanding import Source, body

CHUNK = 2_000
# Planted noise, with its share: what may happen to a name on its way, and what must not find anybody.
NOISE = {"as_is": 0.4, "width": 0.15, "blanks": 0.1, "traditional": 0.1, "typo": 0.1, "cut": 0.05, "stranger": 0.1}
STRANGE = "甲乙丙丁戊己庚辛壬癸"


@dataclass(slots=True)
class Quality:
    """What the names alone found. `hidden` rows had their number hidden; of those, `here` are about registered entities.

    `right` and `wrong` count rows that a name found somebody for; `missed` says why the others found nobody.
    """

    rows: int = 0
    hidden: int = 0
    here: int = 0
    right: int = 0
    wrong: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    parties: set[int] = field(default_factory=set)
    parties_found: set[int] = field(default_factory=set)

    @property
    def precision(self) -> float:
        """Share of the rows found that were found rightly; 1 where none was found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the rows about registered entities that were found rightly; 0 where there is none."""
        return self.right / self.here if self.here else 0.0

    def to_dict(self) -> dict[str, object]:
        return {
            "rows": self.rows, "hidden": self.hidden, "here": self.here, "right": self.right, "wrong": self.wrong,
            "precision": round(self.precision, 5), "recall": round(self.recall, 5), "parties": len(self.parties),
            "parties_found": len(self.parties_found), "missed": {why: number for why, number in sorted(self.missed.items()) if number},
        }  # fmt: skip


def of_file(opened: Source, *, division: str, hide: float, seed: int, today: date, key: bytes) -> Quality:
    """Hide the numbers of a share of a file's coded rows and look for their parties by name. Reads the registry; stores nothing.

    `division` is the area in which the parties are registered whose row does not say so. Raises BadArea.
    """
    area = naming.area_of(division)
    parser = RowParser(opened.mapping, opened.header, today=today, key=key)
    chance = random.Random(seed)
    quality = Quality()
    # Only a credit code is proof: whom an old number belongs to is what a register without it cannot tell.
    coded = (one for one in _good(opened, parser) if one.party is not None and one.party.code is not None)
    for part in _chunks(coded):
        quality.rows += len(part)
        hidden = [one for one in part if chance.random() < hide]
        truth = [
            None if found is None else found.id for found in entities.match([one.party for one in hidden if one.party])
        ]
        _judge(quality, [(one.name, one.area or area) for one in hidden], truth)
    return quality


def of_noise(*, size: int, seed: int) -> Quality:
    """Take names of registered enterprises, plant noise in them, and look for them by name in the area of each.

    Folded differently (width, blanks, traditional characters) a name must be found; with a character changed or lost, or
    a character more (a stranger), whoever is found is wrong unless the noise made nothing else of it.
    """
    chance = random.Random(seed)
    rows = execute(
        "SELECT id, name, division FROM entity WHERE registered_seq IS NOT NULL AND division <> '' ORDER BY id"
    ).fetchall()
    quality = Quality(rows=len(rows))
    chosen = chance.sample(rows, min(size, len(rows)))
    for start in range(0, len(chosen), CHUNK):
        names: list[tuple[str, str]] = []
        truth: list[int | None] = []
        for entity, name, division in chosen[start : start + CHUNK]:
            noise = chance.choices(list(NOISE), list(NOISE.values()))[0]
            names.append((_noisy(name, noise, chance), division[:4]))
            truth.append(None if noise == "stranger" else entity)
        _judge(quality, names, truth)
    return quality


def _judge(quality: Quality, names: list[tuple[str, str]], truth: list[int | None]) -> None:
    into = aliases.roots([one for one in truth if one is not None])
    folded = [(folded_name(name), area) for name, area in names]
    asked = [pair for pair in folded if names_an_enterprise(pair[0])]
    found = naming.by_name(asked)
    for pair, entity in zip(folded, truth, strict=True):
        quality.hidden += 1
        whose = None if entity is None else into.get(entity, entity)
        if whose is not None:
            quality.here += 1
            quality.parties.add(whose)
        named = found.get(pair) if names_an_enterprise(pair[0]) else None
        if named is None:
            quality.missed[_why(pair)] += whose is not None
        elif named == whose:
            quality.right += 1
            quality.parties_found.add(whose)
        else:
            quality.wrong += 1


def _why(pair: tuple[str, str]) -> str:
    folded, area = pair
    if not names_an_enterprise(folded):
        return "may be a person's name"
    if not area:
        return "no area"
    known = execute(
        "SELECT count(DISTINCT n.entity_id) FROM entity_name n JOIN entity e ON e.id = n.entity_id "
        "WHERE n.folded = ? AND e.division LIKE ?",
        (folded, f"{area}%"),
    ).fetchone()[0]
    return {0: "nobody has this name in the area", 1: "its entity is provisional"}.get(known, "several have this name")


def _good(opened: Source, parser: RowParser) -> Iterator[Parsed]:
    for _, cells in body(opened):
        result = parser.parse(cells)
        if isinstance(result, Parsed):
            yield result


def _chunks(rows: Iterable[Parsed]) -> Iterator[list[Parsed]]:
    coming = iter(rows)
    while part := list(islice(coming, CHUNK)):
        yield part


def _noisy(name: str, noise: str, chance: random.Random) -> str:
    at = chance.randrange(len(name))
    if noise == "width":
        return name.translate({ord("("): "（", ord(")"): "）"}) + "　"
    if noise == "blanks":
        return f"{name[:at]} {name[at:]}"
    if noise == "traditional":
        return str(_to_traditional().convert(name))
    if noise == "typo":
        return name[:at] + chance.choice(STRANGE) + name[at + 1 :]
    if noise == "cut":
        return name[:at] + name[at + 1 :]
    if noise == "stranger":
        return name[:2] + chance.choice(STRANGE) + chance.choice(STRANGE) + name[2:]
    return name


@cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2t")


__all__ = ["Quality", "of_file", "of_noise"]
