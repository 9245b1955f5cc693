"""The files of a scheme as texts: what a proposal may hold, a folder read and written, and a kept content as files again."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from registry.errors import BadFile, RegistryError
from rules import content as contents

MOST_FILES = 60
MOST_BYTES = 200_000  # of one file
MOST_IN_ALL = 2_000_000
# Lower case only: a folder that is exported must be the same on a file system that does not tell cases apart.
PATH = re.compile(
    r"scheme\.toml|indicators/[a-z0-9][a-z0-9_-]{0,59}\.toml|rules/[a-z0-9][a-z0-9_-]{0,59}(\.cases)?\.toml"
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class BadProposal(RegistryError):
    """What was given cannot be a proposal: its files, its words or its day. Nothing was stored."""

    code = "bad_proposal"
    status = 422


def accepted(files: Mapping[str, str]) -> dict[str, str]:
    """The files in order of their paths, if a proposal may hold them; what they say is not looked at.

    Raises BadProposal for no file at all, more than 60, a path that no part of a scheme has, a file over 200,000 bytes, two
    million in all, or a text that no database can keep.
    """
    if not 1 <= len(files) <= MOST_FILES:
        raise BadProposal(
            f"A scheme has 1 to {MOST_FILES} files, and {len(files)} were given. Give the .toml files of one folder."
        )
    total = 0
    for path, text in sorted(files.items()):
        if PATH.fullmatch(path) is None:
            raise BadProposal(
                f"No part of a scheme is called {path[:80]!r}. Files are scheme.toml, indicators/NAME.toml, rules/NAME.toml and "
                "rules/NAME.cases.toml; NAME has small letters, digits, - and _."
            )
        try:
            size = len(text.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise BadProposal(f"{path} holds half a character at position {error.start}. Save it as UTF-8.") from error
        if "\x00" in text:
            raise BadProposal(f"{path} holds a NUL byte. Remove it.")
        if size > MOST_BYTES:
            raise BadProposal(f"{path} has {size:,} bytes. One file has at most {MOST_BYTES:,}: split it.")
        total += size
    if total > MOST_IN_ALL:
        raise BadProposal(f"The files have {total:,} bytes in all. A scheme has at most {MOST_IN_ALL:,}.")
    return dict(sorted(files.items()))


def read(folder: Path) -> dict[str, str]:
    """Every .toml file below a folder as text, by its path inside it. Raises BadFile where one is not UTF-8."""
    found: dict[str, str] = {}
    for path, raw in contents.files_of(folder).items():
        try:
            found[path] = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadFile(f"{folder / path}: byte {error.start}: the file is not UTF-8. Save it as UTF-8.") from error
    return found


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write files into a new or empty folder. Raises BadFile where something stands there already: nothing is overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadFile(f"{folder} is there already and not empty. Name a new folder; nothing was written.")
    for path, text in accepted(files).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def as_toml(content: str) -> dict[str, str]:
    """A kept canonical content as files of a scheme folder: the same content, hence the same hash, without worked cases,
    comments and the former division into files, which the content does not hold."""
    source = contents.from_content(content)
    main = source.main.data
    parts: dict[str, dict[str, Any]] = {contents.MAIN: {"scheme": main.get("scheme", {}), **main}}
    for folder, key, tables in (("indicators", "indicator", source.indicators), ("rules", "rule", source.rules)):
        for id_, one in tables[0].data.get(key, {}).items():
            group = main.get("second", {}).get(one.get("second"), {}).get("group", "other")
            parts.setdefault(f"{folder}/{group}.toml", {key: {}})[key][id_] = one
    return {path: "\n".join(_lines(data, ())).lstrip("\n") + "\n" for path, data in parts.items()}


def _lines(table: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[str]:
    """TOML of a table: what fits on a line of its own first, then the tables within it."""
    deeper = {
        key: value
        for key, value in table.items()
        if _is_tables(value) or (isinstance(value, dict) and not (at and _is_small(value)))
    }
    if at and (not table or len(deeper) < len(table)):
        yield f"\n[{_name(at)}]"
    yield from (f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in deeper)
    for key, value in deeper.items():
        if isinstance(value, dict):
            yield from _lines(value, (*at, key))
            continue
        for row in value:
            yield f"\n[[{_name((*at, key))}]]"
            yield from (f"{_key(inner)} = {_value(one)}" for inner, one in row.items())


def _name(at: tuple[str, ...]) -> str:
    return ".".join(_key(part) for part in at)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) and "from" in row for row in value)


def _is_small(value: Mapping[str, Any]) -> bool:
    """Whether a table fits on a line: nothing but plain values in it."""
    return not any(isinstance(one, dict) or _is_tables(one) for one in value.values())


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    # A basic string of TOML escapes as JSON does, and one character more.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_value(one)}' for key, one in value.items())} }}" if value else "{}"
    return str(value)
