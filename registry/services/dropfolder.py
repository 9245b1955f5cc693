"""The drop folder 投递目录: files that another system puts down, imported once, and answered by a receipt.

    in:   SOURCE/NAME                                  one subfolder for each source
    out:  receipts/SOURCE/NAME.receipt.json            what became of it, whole or not there
          receipts/SOURCE/NAME.rejected.csv            the refused cells, where there are any
          done/SOURCE/NAME, refused/SOURCE/NAME        the file itself
    ours: taken/SOURCE/NAME                            a file that is being worked on

A file is taken by renaming it within the folder, which is whole or not at all. From then on nobody writes to it any more, and
whatever interrupts the work, the next look into `taken` goes on with it.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from registry import clock, sheets
from registry.models import Upload
from registry.services import uploads
from registry.services.uploads import LONGEST_SOURCE, Options, Spooled, plain_name

# Folders that are ours; no source can be called so.
OURS = ("receipts", "done", "refused", "taken")
# A file that has not been written to for so long is complete (milliseconds).
STILL = 10_000
# Names under which others write a file before they rename it, and what no system means to be imported.
UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
BLOCK = 1 << 20
# Bytes of a name to which `.rejected.csv.part` can still be put.
LONGEST_NAME = 230
HEADINGS = ["行号 row", "列 column", "值 value", "原因 reason"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file was put: the subfolder ("" for the drop folder itself) and its name."""

    source: str
    name: str

    @property
    def relative(self) -> Path:
        return Path(self.source, self.name)


def arrived(folder: Path, *, now: int) -> list[Place]:
    """Files that have been still for ten seconds, in the order of their names. Links, folders and hidden files are no files."""
    found: list[Place] = []
    for place, path in _files(folder, [name for name in _sources(folder) if name not in OURS]):
        seen = path.stat()
        still = now - int(max(seen.st_mtime, seen.st_ctime) * 1000) >= STILL
        if still and not place.name.lower().endswith(UNFINISHED):
            found.append(place)
    return found


def take(folder: Path, place: Place) -> bool:
    """Take a file: from here on it is ours. False while another of the same name is being worked on, or where it is gone."""
    ours = folder / "taken" / place.relative
    if ours.exists():
        return False
    ours.parent.mkdir(parents=True, exist_ok=True)
    try:
        (folder / place.relative).rename(ours)
    except FileNotFoundError:
        return False
    return True


def taken(folder: Path) -> list[Place]:
    """Files that are ours and not answered for yet."""
    return [place for place, _ in _files(folder / "taken", _sources(folder / "taken"))]


def register(folder: Path, place: Place, *, now: int, anew: bool) -> Upload:
    """Put a taken file on record as an upload of its source. Safe to repeat; the same content again is the same upload.

    With `anew` it was put down just now, and content that failed or was refused before is tried again. Raises OSError where the file cannot be read.
    """
    path = folder / "taken" / place.relative
    found, size = hashlib.sha256(), 0
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            found.update(block)
            size += len(block)
    source = place.source[:LONGEST_SOURCE]
    # Who can write to this folder is let in by the operating system: registrations may come this way.
    options = Options(source=source, registrations=True)
    upload, _ = uploads.accept(
        Spooled(path, found.hexdigest(), size), None, name=place.name, via="folder", sender=f"folder:{source}"[:64],
        organ=source, options=options, place=str(place.relative), now=now, retry=anew,
    )  # fmt: skip
    return upload


def file_of(folder: Path) -> Callable[[Upload], Path]:
    """Where the file of an upload lies."""
    return lambda upload: folder / "taken" / str(upload.options["place"])


def answer(folder: Path, place: Place, receipt: dict[str, Any], rejected: list[tuple[int, str, str, str]]) -> None:
    """Write the receipt of a taken file and put the file away. Safe to repeat after any interruption.

    The rejects come before the receipt, and the receipt before the file is moved: who sees a receipt finds all that it names.
    """
    beside = folder / "receipts" / place.source
    beside.mkdir(parents=True, exist_ok=True)
    name = _short(place.name)
    rejects = beside / f"{name}.rejected.csv"
    if rejected:
        sheets.write_csv(rejects, HEADINGS, rejected)
    else:
        rejects.unlink(missing_ok=True)  # of an earlier file of this name
    text = orjson.dumps({**receipt, "rejected_file": rejects.name if rejected else None}, option=orjson.OPT_INDENT_2)
    sheets.write_text(beside / f"{name}.receipt.json", [text.decode(), "\n"])
    away = folder / ("done" if receipt["state"] == "done" else "refused") / place.source
    away.mkdir(parents=True, exist_ok=True)
    target = away / place.name
    number = 1
    while target.exists():  # a file of this name came before
        number += 1
        target = away / f"{Path(place.name).stem}-{number}{Path(place.name).suffix}"
    (folder / "taken" / place.relative).rename(target)


def _short(name: str) -> str:
    """A name that leaves room for what is put behind it: file systems take 255 bytes."""
    if len(os.fsencode(name)) <= LONGEST_NAME:
        return name
    return f"{name[:60]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:12]}"


def receipt_of(upload: Upload, place: Place) -> dict[str, Any]:
    """What became of a file, for the system that put it down."""
    read = upload.understanding or {}
    return {
        "upload": upload.id, "file": plain_name(place.name), "source": upload.options["source"] or read.get("source"), "state": upload.state,
        "sha256": upload.digest, "size": upload.size, "kind": read.get("kind"), "mapping": read.get("mapping"),
        "counts": uploads.counts_of(upload), "error": upload.error or None, "received_at": clock.moment_text(upload.received_at),
        "finished_at": clock.moment_text(upload.finished_at) if upload.finished_at is not None else None,
    }  # fmt: skip


def unread(place: Place, error: OSError, *, now: int) -> dict[str, Any]:
    """The receipt of a file that could not even be opened."""
    return {
        "upload": None, "file": plain_name(place.name), "source": place.source, "state": "refused", "counts": None,
        "error": f"{plain_name(place.name)} cannot be read: {error.strerror}. Let its owner make it readable and put it down again.",
        "received_at": clock.moment_text(now), "finished_at": clock.moment_text(now),
    }  # fmt: skip


def _sources(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        return ["", *sorted(one.name for one in found if one.is_dir(follow_symlinks=False) and one.name[:1] != ".")]


def _files(folder: Path, sources: list[str]) -> Iterator[tuple[Place, Path]]:
    for source in sources:
        with os.scandir(folder / source) as found:
            names = sorted(one.name for one in found if one.is_file(follow_symlinks=False) and one.name[:1] != ".")
        yield from ((Place(source, name), folder / source / name) for name in names)
