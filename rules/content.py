"""The files of a scheme as raw tables, and its canonical content: one line of JSON of everything that counts, both ways.

Two folders with the same content are the same scheme. File names, the order inside files, comments, whitespace and
worked cases do not enter it; the order of groups does, because it is the order on the page.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from rules.errors import Mistake
from rules.guard import MOST_CHARACTERS
from rules.reader import Raw, Table

MAIN = "scheme.toml"
CASES = ".cases.toml"
_MOST_BYTES = 2_000_000  # of one file; the largest sensible one is a few tens of kilobytes
_FOLDERS = ("indicators", "rules")
_ORDERED = ("group", "second")
_PLACE = re.compile(r"at line (\d+)")
_QUOTED = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'[^']*'|\#.*""")
# What a Chinese keyboard gives for the signs of TOML.
_LOOK_ALIKE = dict(zip("“”＂‘’，、＝｛｝［］．＃", '"""\'\',,={}[].#', strict=True))


@dataclass(frozen=True, slots=True)
class Source:
    """The raw tables of one scheme and the mistakes that reading the files already showed."""

    name: str
    main: Table
    indicators: tuple[Table, ...]
    rules: tuple[Table, ...]
    mistakes: list[Mistake]

    @property
    def id(self) -> str:
        head = self.main.data.get("scheme")
        id_ = head.get("id") if isinstance(head, dict) else None
        return id_ if isinstance(id_, str) else ""

    @property
    def inner(self) -> frozenset[str]:
        """Ids of the schemes whose grade an indicator of this one reads."""
        return frozenset(scheme for _, _, scheme in self.grades())

    def grades(self) -> Iterator[tuple[str, str, str]]:
        """File, indicator id and scheme id of every indicator of measure ``grade``."""
        for table in self.indicators:
            for id_, raw in _tables(table.data.get("indicator")):
                if raw.get("measure") == "grade" and isinstance(raw.get("scheme"), str):
                    yield table.file, id_, raw["scheme"]

    def raw_indicators(self) -> dict[str, str]:
        """Measure of every indicator by id, as written: indicators may read others that are declared later."""
        return {
            id_: str(raw.get("measure"))
            for table in self.indicators
            for id_, raw in _tables(table.data.get("indicator"))
        }

    def content(self, inner: Mapping[str, str]) -> str:
        """The canonical content. ``inner`` are the hashes of the schemes whose grades it reads, by id."""
        merged: dict[str, Any] = {}
        for table in (self.main, *self.indicators, *self.rules):
            for key, value in table.data.items():
                merged.setdefault(key, {}).update(value)
        merged["order"] = [list(merged.get(key, {})) for key in _ORDERED]
        if inner:
            merged["inner"] = dict(inner)
        return json.dumps(_canonical(merged), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def files_of(folder: Path) -> dict[str, bytes]:
    """Every TOML file below ``folder`` by its path inside it, with ``/`` between the parts."""
    paths = (path for path in folder.rglob("*.toml") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}


def from_files(files: Mapping[str, str | bytes], name: str) -> Source:
    """Parse the files of a scheme, given by path inside its folder. ``name`` stands for the folder in messages.

    Worked cases are left to :mod:`rules.cases`. Mistakes are collected in the result, none is raised.
    """
    mistakes: list[Mistake] = []
    main = Table(f"{name}/{MAIN}", "", {}, mistakes)
    found: dict[str, list[Table]] = {folder: [] for folder in _FOLDERS}
    if MAIN not in files:
        below = sorted(path.removesuffix(f"/{MAIN}") for path in files if path.endswith(f"/{MAIN}"))
        remedy = "A scheme is a folder with a scheme.toml" + (f": name one of {', '.join(below)}" if below else "")
        # Alone: of a folder that is no scheme every other file would be called wrong too.
        mistakes.append(Mistake(main.file, "(file)", "there is no such file", remedy))
        return Source(name, main, (), (), mistakes)
    for path in sorted(files):
        where = f"{name}/{path}"
        parent = PurePosixPath(path).parent.as_posix()
        if path == MAIN:
            main = toml(where, files[path], mistakes)
        elif parent not in _FOLDERS or (parent == "indicators" and path.endswith(CASES)):
            remedy = "Move it into indicators/ or rules/, or remove it"
            mistakes.append(Mistake(where, "(file)", "no part of the scheme reads this file", remedy))
        elif not path.endswith(CASES):
            found[parent].append(toml(where, files[path], mistakes))
    return Source(name, main, tuple(found["indicators"]), tuple(found["rules"]), mistakes)


def from_content(content: str) -> Source:
    """The raw tables of a canonical content, as :meth:`Source.content` wrote it."""
    mistakes: list[Mistake] = []
    file = "(stored content)"
    try:
        merged = json.loads(content, object_hook=_with_dates)
    except (ValueError, RecursionError) as error:
        mistakes.append(Mistake(file, "(JSON)", f"cannot be read: {error}", "Take the content as it was stored"))
        merged = {}
    if not isinstance(merged, dict):
        mistakes.append(Mistake(file, "(JSON)", "is not one object", "Take the content as it was stored"))
        merged = {}
    order = merged.pop("order", None)
    merged.pop("inner", None)
    for key, names in zip(_ORDERED, order if isinstance(order, list) else [], strict=False):
        if (
            isinstance(held := merged.get(key), dict)
            and isinstance(names, list)
            and sorted(map(str, names)) == sorted(held)
        ):
            merged[key] = {str(name): held[str(name)] for name in names}
    parts = {key: {key: merged.pop(key)} if key in merged else {} for key in ("indicator", "rule")}
    tables = {key: Table(file, "", data, mistakes) for key, data in parts.items()}
    return Source(file, Table(file, "", merged, mistakes), (tables["indicator"],), (tables["rule"],), mistakes)


def inner_of(content: str) -> dict[str, str]:
    """Hashes of the schemes whose grades the scheme of this canonical content reads, by id."""
    found = json.loads(content).get("inner", {})
    return {str(id_): str(hash_) for id_, hash_ in found.items()}


def toml(file: str, text: str | bytes, mistakes: list[Mistake]) -> Table:
    """One file as a table; what cannot be read is filed as a mistake and gives an empty table."""
    data: Raw = {}
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > _MOST_BYTES:
        mistakes.append(Mistake(file, "(file)", f"has {len(raw):,} bytes", f"Keep it under {_MOST_BYTES:,}"))
        return Table(file, "", data, mistakes)
    try:
        data = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        mistakes.append(Mistake(file, f"byte {error.start}", "the file is not UTF-8", "Save it as UTF-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        mistakes.append(_unreadable(file, raw.decode("utf-8-sig"), str(error)))
    return Table(file, "", data, mistakes)


def _unreadable(file: str, text: str, said: str) -> Mistake:
    """What is wrong with a file that is no TOML: a Chinese sign in the place of an ASCII one, else what the parser says."""
    lines = text.splitlines()
    place = _PLACE.search(said)
    number = int(place[1]) if place else len(lines)
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    # Inside closed quotes and after # every sign may stand.
    bare = _QUOTED.sub("", line)
    sign = next((one for one in bare if one in _LOOK_ALIKE), None)
    if sign is None:
        return Mistake(file, "(TOML)", f"cannot be read: {said}", "Mend the line; see https://toml.io")
    problem = f"the Chinese sign {sign} (U+{ord(sign):04X}) stands where TOML takes {_LOOK_ALIKE[sign]}"
    return Mistake(
        file, f"line {number}", problem, f"Write {_LOOK_ALIKE[sign]} there; {sign} may stand inside a text only"
    )


def _tables(value: object) -> Iterator[tuple[str, Raw]]:
    if isinstance(value, dict):
        yield from ((id_, raw) for id_, raw in value.items() if isinstance(raw, dict))


def _canonical(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _canonical(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        rows = [_canonical(inner) for inner in value]
        dated = bool(rows) and all(isinstance(row, dict) and "from" in row for row in rows)
        return sorted(rows, key=lambda row: str(row["from"])) if dated else rows
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(value.split()) if key in ("when", "where", "points") and len(value) <= MOST_CHARACTERS else value


def _with_dates(row: Raw) -> Raw:
    """Days of a dated value stand as texts in JSON; no other key of a checked scheme is called ``from`` or ``until``."""
    return {key: _date(value) if key in ("from", "until") else value for key, value in row.items()}


def _date(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
