"""The file of signed roots: one line each, only ever appended to. It knows what the database knew, and is kept elsewhere."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from registry.sealing.leaves import canonical
from registry.sealing.signing import Root

FORMAT = "xinheng roots 1"
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number, and what stands there; `root` is None for the heading and for what is no root."""

    number: int
    heading: dict[str, Any] | None = None
    root: Root | None = None


def heading(log: str, algorithm: str, public_key: bytes) -> dict[str, Any]:
    """The first line: whose roots these are, and the key that they are checked with."""
    return {"format": FORMAT, "log": log, "algorithm": algorithm, "public_key": public_key.hex()}


def lines(path: Path, start: int = 0) -> Iterator[Line]:
    """The lines of a file, one after the other. Raises OSError where it cannot be read.

    A line that was cut off by a crash, and was written again whole on the next, is passed over. `start` is a byte to
    begin at.
    """
    with path.open("rb") as handle:
        handle.seek(start)
        torn = b""
        for number, text in enumerate(handle, start=1):
            if torn and not text.startswith(torn):
                yield Line(number - 1)
            torn = b""
            try:
                said = orjson.loads(text)
                line = Line(number, heading=said) if "format" in said else Line(number, root=Root.from_dict(said))
            except (ValueError, TypeError):
                torn = text.rstrip(b"\n")
                if not torn:
                    yield Line(number)
                continue
            yield line
        if torn:
            yield Line(number)


def last(path: Path) -> Line | None:
    """The heading or root that stands last, or None where the file is missing or empty. Reads only the end of it."""
    if not path.exists():
        return None
    size = path.stat().st_size
    start = max(0, size - BLOCK)
    found = None
    for line in lines(path, start):
        if line.heading is not None or line.root is not None:
            found = line
    return found


def set_aside(path: Path) -> Path | None:
    """Rename a file of roots to the name of its log, so that another log may begin; where it is now, or None.

    Safe to repeat and to race. A file whose first line is no heading is left where it is: nobody knows whose it is.
    """
    try:
        first = next(lines(path), None)
        if first is None or first.heading is None:
            return None
        aside = path.with_name(f"{path.stem}-{str(first.heading['log'])[:12]}{path.suffix}")
        path.rename(aside)
    except FileNotFoundError:
        return None
    return aside


def append(path: Path, first: dict[str, Any], roots: Iterable[Root]) -> int:
    """Append the roots that are larger than the last one of the file, in order; how many there were.

    Safe to repeat and to race: the file is locked while it is compared and written, and on the disk when this returns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644), "r+b") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        end = handle.seek(0, os.SEEK_END)
        known = last(path)
        size = known.root.size if known is not None and known.root is not None else 0
        text = b"" if end else canonical(first) + b"\n"
        if end:
            handle.seek(end - 1)
            # Half a line of a crash ends here; the whole one follows.
            text = b"" if handle.read(1) == b"\n" else b"\n"
        fresh = [root for root in roots if root.size > size]
        text += b"".join(canonical(root.as_dict()) + b"\n" for root in fresh)
        if text:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
    return len(fresh)
