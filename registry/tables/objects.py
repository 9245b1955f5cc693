"""JSON as a table: a list of objects, objects under one key, or one object per line. Keys are the headings."""

import io
import json
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from registry.errors import BadFile
from registry.tables.base import Table
from registry.tables.packed import content, opened
from registry.tables.text import LONGEST_ROW, text_of

# How deep below the top the list of objects is looked for: {"data": {"list": [...]}}.
DEEPEST = 3


class _Twice(ValueError):
    """A key that stands twice in one object."""


def is_lines(path: Path, compressed: bool, encoding: str) -> bool:
    """Whether a text is one object per line: its first line is one, and has no list of objects in it."""
    with opened(path, compressed) as stream, closing(io.TextIOWrapper(stream, encoding=encoding, newline="")) as text:
        first = ""
        while not first.strip() and (line := text.readline(LONGEST_ROW)):
            first = line.removeprefix("\ufeff")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and not list(_lists(value, "", 0))


def object_rows(table: Table) -> Generator[list[str], None, None]:
    """The keys as the first row, then one row per object, in the order in which the keys first appear.

    Numbers keep their digits. An object under a key is written out as `key.inner`; a list of plain values as its items
    with commas between. Raises BadFile, naming the line, for what is no JSON and for what is no table.
    """
    keys: dict[str, int] = {}
    found = 0
    for one in _objects(table):
        found += 1
        for key in one:
            if key not in keys:
                keys[key] = len(keys)
        if len(keys) > table.limits.columns:
            raise BadFile(
                f"{table.path.name}: its objects have more than {table.limits.columns:,} keys ([import] max_columns). "
                "Leave out what is not needed, or ask the operator to raise the limit."
            )
    if not found:
        raise BadFile(f"{table.path.name} has no objects in it. Export it again with its rows.")
    yield list(keys)
    for one in _objects(table):
        yield [one.get(key, "") for key in keys]


def _objects(table: Table) -> Iterator[dict[str, str]]:
    return _lines(table) if table.form == "jsonl" else iter(_document(table))


def _lines(table: Table) -> Iterator[dict[str, str]]:
    with opened(table.path, table.compressed) as stream, closing(text_of(table, stream)) as text:
        number = 0
        while line := text.readline(LONGEST_ROW):
            number += 1
            if line.strip():
                yield _flat(_parsed(table, line, f"line {number}"), table, f"line {number}")


def _document(table: Table) -> list[dict[str, str]]:
    text = content(table.path, table.compressed, table.limits.file, "max_file_mb").decode(table.encoding)
    lists = list(_lists(_parsed(table, text, ""), "", 0))
    if len(lists) > 1:
        named = ", ".join(key or "the top" for key, _ in lists[:6])
        raise BadFile(f"{table.path.name} has several lists of objects in it: {named}. Send each as a file of its own.")
    if not lists:
        raise BadFile(
            f"{table.path.name} has no list of objects in it. A table in JSON is a list of objects, or one under a key."
        )
    return [_flat(one, table, f"object {number}") for number, one in enumerate(lists[0][1], 1)]


def _lists(value: Any, key: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        yield key, value
    elif isinstance(value, dict) and depth < DEEPEST:
        for name, inner in value.items():
            yield from _lists(inner, f"{key}.{name}".strip("."), depth + 1)


def _parsed(table: Table, text: str, where: str) -> Any:
    try:
        # Numbers stay text: a code of 18 digits must not become a float, nor an amount be rounded.
        return json.loads(
            text.removeprefix("\ufeff"), parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once
        )
    except json.JSONDecodeError as error:
        place = where or f"line {error.lineno}"
        raise BadFile(
            f"{table.path.name} {place}: this is no JSON ({error.msg}). Export it again. Rows before it were dealt with."
        ) from error
    except _Twice as error:
        raise BadFile(
            f"{table.path.name} {where}: the key {str(error)[:40]!r} stands twice in one object. Export it again."
        ) from error
    except RecursionError as error:
        raise BadFile(f"{table.path.name} {where}: its objects lie too deep in one another to be a table.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _flat(value: Any, table: Table, where: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise BadFile(f"{table.path.name} {where}: a row of a table in JSON is an object. Export it again.")
    found: dict[str, str] = {}
    for key, one in value.items():
        if isinstance(one, dict):
            found |= {f"{key}.{inner}": _text(deeper) for inner, deeper in one.items()}
        else:
            found[key] = _text(one)
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        return ",".join(map(_text, value))
    return json.dumps(value, ensure_ascii=False)
