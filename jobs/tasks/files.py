"""Files that arrive by themselves: those that were sent over the API, and those in the drop folder."""

from datetime import date, timedelta
from pathlib import Path

from jobs.declared import job
from jobs.run import Interrupted, Run, plain
from registry import privacy
from registry.config import Settings
from registry.errors import DatabaseBusy
from registry.models import Upload
from registry.services import dropfolder, grading, uploads
from registry.services.uploads import Surroundings
from registry.tables import Limits


def _drop_folder(settings: Settings) -> Path | None:
    return settings.path(settings.import_.drop_folder) if settings.import_.drop_folder else None


def _waits(settings: Settings) -> bool:
    folder = _drop_folder(settings)
    if folder is not None and (dropfolder.taken(folder) or dropfolder.arrived(folder, now=_NEVER_YOUNG)):
        return True
    return bool(uploads.waiting())


# Asked before a run is claimed: whether a file is still young is decided by the run, with its own clock.
_NEVER_YOUNG = 2**62


@job(
    "import_files",
    title="导入上传文件 Import files that were sent",
    cron="* * * * *",
    late_ok=timedelta(minutes=1),  # the next minute does the same
    lease=timedelta(minutes=2),
    quiet=True,
    wanted=_waits,
    instead="Files are imported with the day on which it happens: no row may lie after it.",
)
def import_files(run: Run, *, today: date) -> None:
    """Import the files that wait, oldest first: those sent over the API, and those that lie still in the drop folder.

    Repeatable: a file that was cut off goes on at its position, and what is stored already is unchanged. A file that fails is
    reported, and the others are imported.
    """
    settings = run.settings
    folder, spool = _drop_folder(settings), settings.path(settings.import_.spool)
    if folder is not None:
        _collect(run, folder)
    for number in uploads.waiting():
        with run.item(f"upload {number}"):
            _process(run, number, spool, folder, today)
    if folder is not None:
        _answer(run, folder)
    uploads.sweep(spool)


def surroundings(settings: Settings, run: Run, today: date) -> Surroundings:
    """What files are worked through with, as the settings say."""
    given = settings.import_
    limits = Limits.of(
        max_file_mb=given.max_file_mb, max_unpacked_mb=given.max_unpacked_mb, max_rows=given.max_rows,
        max_columns=given.max_columns,
    )  # fmt: skip
    return Surroundings(
        today, run.now, privacy.key(settings), grading.schemes(settings), given.chunk_rows, settings.path(given.mappings),
        limits, run.actor, settings,
    )  # fmt: skip


def _collect(run: Run, folder: Path) -> None:
    """Take what has arrived, and put on record what is ours and is not yet."""
    new = {place for place in dropfolder.arrived(folder, now=run.now()) if dropfolder.take(folder, place)}
    for place in dropfolder.taken(folder):
        run.go_on()
        try:
            dropfolder.register(folder, place, now=run.now(), anew=place in new)
        except OSError as error:
            with run.item("a file of the drop folder"):
                dropfolder.answer(folder, place, dropfolder.unread(place, error, now=run.now()), [])


def _process(run: Run, number: int, spool: Path, folder: Path | None, today: date) -> None:
    def file(upload: Upload) -> Path:
        if upload.via == "folder" and folder is not None:
            return dropfolder.file_of(folder)(upload)
        return spool / upload.request

    try:
        upload = uploads.process(number, file, surroundings(run.settings, run, today), run.progress)
    except (DatabaseBusy, Interrupted):
        raise  # it stays open, and the next minute goes on with it
    except Exception as error:
        uploads.fail(number, plain(error), now=run.now())
        raise
    said = {} if upload.options["dry_run"] else uploads.counts_of(upload) or {}
    for name in ("read", "stored", "rejected"):
        run.result[name] = run.result.get(name, 0) + said.get(name, 0)


def _answer(run: Run, folder: Path) -> None:
    """Receipts for all that is finished. A file is known by its content, so this needs no memory of its own."""
    for place in dropfolder.taken(folder):
        with run.item("a receipt"):
            upload = dropfolder.register(folder, place, now=run.now(), anew=False)
            if upload.state in uploads.FINISHED:
                dropfolder.answer(folder, place, dropfolder.receipt_of(upload, place), uploads.rejects(upload))
