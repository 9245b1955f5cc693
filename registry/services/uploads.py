"""Files that are sent for import: taken in under a name of our own, worked through by the worker, answered for.

A file waits in the spool folder under the digest of its request (sender, content, options), so the same file with the same
options from the same sender is the same upload, however often it is sent. `process` may be called again at any time: an
import that was cut off goes on at its position.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from peewee import JOIN, IntegrityError

from registry import cursor
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import execute, is_postgres, write
from registry.errors import BadFile, NotAllowed, RegistryError
from registry.models import ImportReject, ImportRun, Upload
from registry.page import Page
from registry.services import audit, imports, trial, understanding
from registry.services.sameness import digest
from registry.services.senders import Sender
from registry.services.understanding import Source
from registry.tables import Limits

# What stands at the end of an upload; the others are at work or wait for it.
FINISHED = ("done", "failed", "refused")
OPEN = ("waiting", "running")
COUNTS = imports.KEPT
LONGEST_SOURCE = 64
LONGEST_NAME = 255


class UploadNotFound(RegistryError):
    code = "upload_not_found"
    status = 404


class FileTooLarge(RegistryError):
    """A file that is larger than `[import] max_file_mb`. Nothing of it was kept."""

    code = "file_too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The file is larger than {limit / (1 << 20):,.0f} MB ([import] max_file_mb). Split it, or ask the operator to raise "
            "the limit.",
            max_bytes=limit,
        )


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be imported. `registrations`: whether its sender may import registrations 登记. `others`: whether he may
    send other organs' records. `division`: the area in which parties are registered whose row does not say so."""

    source: str
    kind: str | None = None
    mapping: str | None = None
    ignore_unknown: bool = False
    dry_run: bool = False
    registrations: bool = False
    division: str = ""
    others: bool = False


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file that was taken in: where it lies, SHA-256, size in bytes."""

    path: Path
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a file is worked through with; a job or a command makes one from the settings."""

    today: date
    now: Callable[[], int]
    key: bytes
    schemes: list[str]
    chunk: int
    mappings: Path
    limits: Limits
    actor: str
    # Which organs decide on lists by cases here; without it a file is not held to that.
    settings: Settings | None = None


class Spooling:
    """A file that comes in pieces, written into the spool folder under a name that nobody chose, and counted on the way.

    `write` raises FileTooLarge as soon as there are more than `limit` bytes. `finish` says what was taken in; whoever does not
    get so far calls `discard`.
    """

    def __init__(self, folder: Path, *, limit: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f".{secrets.token_hex(16)}.part"
        self.limit, self.size, self._found = limit, 0, hashlib.sha256()
        self._handle = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, block: bytes) -> int:
        self.size += len(block)
        if self.size > self.limit:
            raise FileTooLarge(self.limit)
        self._found.update(block)
        return self._handle.write(block)

    def seek(self, _: int) -> int:
        """Who hands the pieces over rewinds at the end; there is nothing to rewind."""
        return 0

    def finish(self) -> Spooled:
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self._handle.close()
        return Spooled(self.path, self._found.hexdigest(), self.size)

    def discard(self) -> None:
        """Keep nothing. Safe to repeat, and after the file was moved on."""
        self._handle.close()
        self.path.unlink(missing_ok=True)


def spool(folder: Path, blocks: Iterable[bytes], *, limit: int) -> Spooled:
    """Take in a file that comes in pieces. Raises FileTooLarge, keeping nothing."""
    spooling = Spooling(folder, limit=limit)
    try:
        for block in blocks:
            spooling.write(block)
        return spooling.finish()
    except BaseException:
        spooling.discard()
        raise


def plain_name(name: str) -> str:
    """The name of a file as it may be shown: without folders and control characters, personal numbers masked."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(one for one in last if one.isprintable()).strip()
    return mask_personal(kept)[:LONGEST_NAME] or "(no name)"


def source_of(organ: str, asked: str | None) -> str:
    """The source under which a key's file is imported: its organ, or a system of that organ, `organ/system`.

    Raises NotAllowed for a source that is another's: words of one source must not correct those of another.
    """
    own = organ[:LONGEST_SOURCE]
    if asked is None or asked == own:
        return own
    if not asked.startswith(f"{own}/") or len(asked) > LONGEST_SOURCE:
        raise NotAllowed(
            f"This key imports as {own}, or as a system of it: {own}/NAME, {LONGEST_SOURCE} characters at most. Leave `source` out, or "
            "name it so."
        )
    return asked


def accept(
    spooled: Spooled, folder: Path | None, *, name: str, via: str, sender: str, organ: str, options: Options, place: str = "",
    now: int, retry: bool = True,
) -> tuple[Upload, bool]:  # fmt: skip
    """Take an upload on record and let its file wait; say whether there is something to do that was not known before.

    The same file with the same options from the same sender is the upload that it was. With `retry`, one that failed or was
    refused is tried again. The file goes to `folder` under the digest of the request, or stays where it is (None).
    """
    request = digest([via, sender, spooled.digest, asdict(options)])
    with write():
        known = Upload.get_or_none(Upload.request == request)
        fresh = known is None
        if known is None:
            try:
                with write():
                    known = Upload.create(
                        name=plain_name(name), digest=spooled.digest, size=spooled.size, via=via, sender=sender, organ=organ,
                        options={**asdict(options), "place": place}, request=request, state="waiting", received_at=now,
                    )  # fmt: skip
            except IntegrityError:  # sent twice at once: the other one was first
                fresh, known = False, Upload.get(Upload.request == request)
        upload: Upload = known
        again = retry and upload.state in ("failed", "refused")
        if again:
            upload.state, upload.error, upload.finished_at, upload.received_at = "waiting", "", None, now
            upload.options = {**upload.options, "place": place}
            upload.save()
        if fresh or again:
            audit.note("upload.received", actor=sender, subject=f"upload {upload.id}", now=now, size=spooled.size)
        if folder is not None:
            if upload.state in OPEN:
                spooled.path.replace(folder / request)
            else:
                spooled.path.unlink(missing_ok=True)
    return upload, fresh or again


def get(number: int, *, organ: str) -> Upload:
    """An upload of an organ. Raises UploadNotFound."""
    found = Upload.get_or_none((Upload.id == number) & (Upload.organ == organ))
    if found is None:
        raise UploadNotFound(f"{organ} has sent no file {number}. GET /api/v1/imports lists those that it has sent.")
    assert isinstance(found, Upload)
    return found


def page(*, organ: str, after: str | None, limit: int) -> Page[Upload]:
    """Uploads of an organ, newest first. Two queries, whatever the size."""
    query = Upload.select(Upload, ImportRun).join(ImportRun, JOIN.LEFT_OUTER).where(Upload.organ == organ)
    if after is not None:
        (last,) = cursor.decode(after, int)
        query = query.where(Upload.id < last)
    found = list(query.order_by(Upload.id.desc()).limit(limit + 1))
    more = len(found) > limit
    return Page(found[:limit], cursor.encode(found[limit - 1].id) if more else None)


def counts_of(upload: Upload) -> dict[str, int] | None:
    """What became of the rows so far; None before there is anything to say."""
    if upload.run is not None:
        counts = {name: int(getattr(upload.run, name)) for name in COUNTS}
        return {"read": sum(counts[name] for name in ("stored", "unchanged", "unmatched", "rejected")), **counts}
    tried: dict[str, int] | None = (upload.understanding or {}).get("counts")
    return tried


def rejects(upload: Upload) -> list[tuple[int, str, str, str]]:
    """(row, column, value, reason) of every refused cell, in the order of the file."""
    if upload.run is None:
        return []
    query = ImportReject.select().where(ImportReject.run == upload.run)
    return [
        (one.row, one.column, one.value, one.reason) for one in query.order_by(ImportReject.row, ImportReject.number)
    ]


def waiting() -> list[int]:
    """Uploads that wait for a worker, or that a worker has left, oldest first."""
    return [one.id for one in Upload.select(Upload.id).where(Upload.state.in_(OPEN)).order_by(Upload.id)]


def process(number: int, file: Callable[[Upload], Path], at: Surroundings, progress: Callable[[int], None]) -> Upload:
    """Work an upload through to its end and return it. `file` says where its file lies.

    A file that cannot be read is `refused`, one that breaks off on the way `failed`: the rows before that place are stored.
    What `progress` raises leaves the upload open, to be gone on with. Safe to repeat.
    """
    upload: Upload = Upload.get(Upload.id == number)
    if upload.state in FINISHED:
        return upload
    _state(upload, "running")
    path = file(upload)
    try:
        opened = _opened(upload, path, at)
        if upload.options["dry_run"]:
            tried = trial.dry_run(opened, today=at.today, key=at.key, progress=progress, sender=_sender(upload, at))
            return _end(upload, path, at, "done", understanding=tried.as_dict())
        _keep(upload, path, understanding=trial.described(opened))
    except BadFile as error:
        return _end(upload, path, at, "refused", error=error.detail)
    try:
        report = imports.run(
            opened, today=at.today, key=at.key, schemes=at.schemes, chunk=at.chunk, actor=upload.sender, now=at.now,
            progress=_linking(upload, opened, progress), division=upload.options["division"], sender=_sender(upload, at),
        )  # fmt: skip
    except BadFile as error:
        _link(upload, opened)
        return _end(upload, path, at, "failed", error=error.detail)
    _link(upload, opened, report.run)
    return _end(upload, path, at, "done")


def _opened(upload: Upload, path: Path, at: Surroundings) -> Source:
    options = upload.options
    if not path.is_file():
        raise BadFile(f"{upload.name} is not in the spool folder any more. Send it again.")
    opened = understanding.open_source(
        path, kind=options["kind"], mapping=options["mapping"], source=options["source"],
        ignore_unknown=options["ignore_unknown"], folder=at.mappings, limits=at.limits, called=upload.name,
    )  # fmt: skip
    if opened.mapping.kind == "registration" and not options["registrations"]:
        raise BadFile(
            f"{upload.name} holds registrations (mapping {opened.mapping.id}). Importing those needs the scope "
            "registrations:write, or `xinheng import` on the server."
        )
    return opened


def _sender(upload: Upload, at: Surroundings) -> Sender | None:
    """Whose records the file may hold; None where its folder is the operator's own."""
    return Sender(upload.organ, bool(upload.options.get("others")), at.settings) if upload.via == "api" else None


def _linking(upload: Upload, opened: Source, progress: Callable[[int], None]) -> Callable[[int], None]:
    """Tell the upload its run as soon as there is one, so that its position can be asked for."""

    def tell(rows: int) -> None:
        if upload.run is None:
            _link(upload, opened)
        progress(rows)

    return tell


def _link(upload: Upload, opened: Source, run: int | None = None) -> None:
    if run is None:
        same = (ImportRun.digest == opened.file.digest) & (ImportRun.source == opened.source)
        found = (
            ImportRun.select()
            .where(same & (ImportRun.mapping == opened.mapping.id) & (ImportRun.sender == upload.sender))
            .order_by(ImportRun.id.desc())
            .first()
        )
        run = found.id if found is not None else None
    if run is not None:
        with write():
            upload.run = ImportRun.get(ImportRun.id == run)
            execute("UPDATE upload SET run_id = ? WHERE id = ?", (run, upload.id))
            execute("UPDATE import_run SET file = ? WHERE id = ?", (upload.name, run))


def _state(upload: Upload, state: str) -> None:
    with write():
        execute("UPDATE upload SET state = ? WHERE id = ? AND state <> ?", (state, upload.id, state))
    upload.state = state


def _keep(upload: Upload, path: Path, **values: Any) -> None:
    """Store what was found out. The name under which the file waits is nobody's business."""
    for name, value in values.items():
        setattr(upload, name, _called(value, path.name, upload.name))
    with write():
        upload.save(only=[*values])


def _called(value: Any, ours: str, theirs: str) -> Any:
    if isinstance(value, str):
        return mask_personal(value.replace(ours, theirs))
    if isinstance(value, dict):
        return {name: _called(inner, ours, theirs) for name, inner in value.items()}
    return [_called(inner, ours, theirs) for inner in value] if isinstance(value, list | tuple) else value


def _end(upload: Upload, path: Path, at: Surroundings, state: str, **values: Any) -> Upload:
    with write():
        _keep(upload, path, state=state, finished_at=at.now(), **values)
        audit.note(f"upload.{state}", actor=at.actor, subject=f"upload {upload.id}", now=at.now())
        if upload.via == "api":
            # Inside: once it has ended, the same file may be sent again under this name, and that one must stay.
            path.unlink(missing_ok=True)
    ended: Upload = Upload.get(Upload.id == upload.id)  # with the counts of its run as they are now
    return ended


def fail(number: int, error: str, *, now: int) -> None:
    """End an upload that no attempt will bring further, with what is wrong."""
    with write():
        execute(
            "UPDATE upload SET state = 'failed', error = ?, finished_at = ? WHERE id = ? AND state IN ('waiting', 'running')",
            (error, now, number),
        )


def sweep(folder: Path) -> int:
    """Remove files from the spool folder whose upload has ended, and pieces that nobody will finish. Returns how many."""
    if not folder.is_dir():
        return 0
    newest = max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
    removed = 0
    for path in folder.iterdir():
        # A piece that is being written is younger than an hour; a file without a row may be waiting for its commit.
        stale = newest - path.stat().st_mtime > 3600
        with write():
            # The row is locked while its file goes: who sends it again waits for that, and then puts his own there.
            lock = " FOR UPDATE" if is_postgres() else ""
            row = execute(f"SELECT state FROM upload WHERE request = ?{lock}", (path.name,)).fetchone()  # noqa: S608
            if (row is None and stale) or (row is not None and row[0] in FINISHED):
                with suppress(FileNotFoundError):
                    path.unlink()
                    removed += 1
    return removed


__all__ = [
    "COUNTS", "FINISHED", "FileTooLarge", "Options", "Spooled",
    "Spooling", "Surroundings", "UploadNotFound", "accept",
    "counts_of", "fail", "get", "page", "plain_name", "process", "rejects", "source_of", "spool", "sweep", "waiting",
]  # fmt: skip
