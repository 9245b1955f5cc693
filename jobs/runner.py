"""Running a tick once, whoever of the workers gets there first: claim, keep the lease, do it, put it on record."""

import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import structlog

from jobs.declared import JobSpec
from jobs.run import Interrupted, Run, plain
from jobs.schedule import last_due, trigger, zone
from registry import clock
from registry.config import Settings
from registry.database import session
from registry.errors import RegistryError
from registry.models import JobRun
from registry.services import leases, runs
from registry.services.leases import Lease

log = structlog.get_logger()

FIRST_START = "No worker of this registry had ever run before this tick, so nothing was missed."
TAKEN_OVER = "The lease was taken over by another worker; the work goes on there."


class JobBusy(RegistryError):
    code = "job_busy"
    status = 409


class WrongDay(RegistryError):
    """A job was to be run for a day on which it may not run."""

    code = "wrong_day"
    status = 422


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a run: `state` is done, failed or lost."""

    id: int
    state: str
    items: int
    failures: int
    result: dict[str, Any]
    error: str


def day_of(moment: int, settings: Settings) -> date:
    """The day on which a moment (milliseconds UTC) falls where the registry works."""
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone(settings)).date()


def is_due(spec: JobSpec, settings: Settings, *, now: int) -> int | None:
    """The tick that should be run now: the newest one, unless it was run, is being run or was skipped.

    Ticks before the newest are never made up for: every job does at one tick what several would have done.
    """
    due = last_due(trigger(spec, settings), now)
    if due is None:
        return None
    row = runs.find(spec.name, due)
    return due if row is None or row.state == "lost" else None


def tick(
    spec: JobSpec, settings: Settings, *, now: Callable[[], int] = clock.now, stop: threading.Event | None = None
) -> Ran | None:
    """Run the tick of a job that is due, or return None where there is nothing to do or another worker does it.

    A tick that is later than the job's `late_ok` is put on record as skipped, as is one that finds the run before it
    still at work.
    """
    with session():
        moment = now()
        due = is_due(spec, settings, now=moment)
        if due is None or not spec.wanted(settings):
            return None
        if moment - due > int(spec.late_ok.total_seconds() * 1000):
            if not spec.quiet:
                _skip(
                    spec,
                    due,
                    moment,
                    f"Late by {(moment - due) // 1000} s; this job may be late by {int(spec.late_ok.total_seconds())} s.",
                )
            return None
        claimed = runs.claim(
            spec.name,
            due,
            length=_length(spec),
            now=moment,
            kept={"by": "schedule", "day": day_of(moment, settings).isoformat()},
        )
        if claimed is None:
            busy = leases.holder(spec.name, now=moment) is not None
            if busy and not spec.quiet and runs.find(spec.name, due) is None:
                _skip(spec, due, moment, "The run before it was still at work.")
            return None
        day = day_of(moment, settings)
        if spec.keeps_day and "day" in claimed.before:
            day = date.fromisoformat(claimed.before["day"])
        return _run(spec, settings, claimed, day=day, now=now, stop=stop)


def by_hand(
    spec: JobSpec, settings: Settings, *, actor: str, on: date | None = None, now: Callable[[], int] = clock.now,
    stop: threading.Event | None = None,
) -> Ran:  # fmt: skip
    """Run a job now, for a day (default: today).

    Raises WrongDay for a day after today, and for a past one where the job's declaration does not allow it; JobBusy
    while another run of it is at work.
    """
    with session():
        moment = now()
        today = day_of(moment, settings)
        day = on or today
        if day > today or (day < today and not spec.past_days):
            allowed = f"today, {today}, or a day before it" if spec.past_days else f"today, {today}, only"
            raise WrongDay(f"The job {spec.name} works on {allowed}, not on {day}. {spec.instead}".rstrip())
        runs.mark_lost(now=moment)
        claimed = runs.claim(
            spec.name, moment, length=_length(spec), now=moment, kept={"by": actor, "day": day.isoformat()}
        )
        if claimed is None:
            raise JobBusy(
                f"The job {spec.name} is being run by {leases.holder(spec.name, now=moment) or 'another worker'}. "
                "`xinheng jobs history` shows it; try again when it is done."
            )
        return _run(spec, settings, claimed, day=day, now=now, stop=stop)


def note_first_start(spec: JobSpec, settings: Settings, *, now: int) -> None:
    """Where a job has no run on record, put its newest tick there as skipped: what was before counts as not missed."""
    due = last_due(trigger(spec, settings), now)
    if due is not None and not spec.quiet and runs.newest(spec.name) is None:
        runs.skip(spec.name, due, now=now, why=FIRST_START)


def lost(*, now: int) -> list[JobRun]:
    """Mark and report the runs whose worker died."""
    found = runs.mark_lost(now=now)
    for run in found:
        log.warning("job.lost", job=run.job, run=run.id, owner=run.owner)
    return found


def _skip(spec: JobSpec, due: int, now: int, why: str) -> None:
    if runs.skip(spec.name, due, now=now, why=why):
        log.warning("job.skipped", job=spec.name, due=clock.moment_text(due), why=why)


def _length(spec: JobSpec) -> int:
    return int(spec.lease.total_seconds() * 1000)


def _run(
    spec: JobSpec,
    settings: Settings,
    claimed: runs.Claim,
    *,
    day: date,
    now: Callable[[], int],
    stop: threading.Event | None,
) -> Ran:
    started = time.monotonic()
    with _held(spec, claimed.lease, now) as keeper:

        def must_stop() -> str:
            if keeper.lost.is_set():
                return TAKEN_OVER
            return (
                "The worker was told to stop; the rest is done by the next run."
                if stop is not None and stop.is_set()
                else ""
            )

        row = JobRun.get_by_id(claimed.id)
        run = Run(spec.name, settings=settings, now=now, must_stop=must_stop, result=dict(row.result))
        run.result["day"] = day.isoformat()
        log.info("job.started", job=spec.name, run=claimed.id, day=day.isoformat())
        state, error = "done", ""
        try:
            spec.run(run, today=day)
        except Interrupted as why:
            state, error = "lost", str(why)
        except Exception as failure:
            state, error = "failed", plain(failure)
            # Frames only: the message may quote the row at fault.
            log.error(
                "job.failed",
                job=spec.name,
                run=claimed.id,
                error=error,
                frames=traceback.format_tb(failure.__traceback__)[-8:],
            )
    if run.items and run.failures == run.items:
        state = "failed" if state == "done" else state
    text = "\n".join(part for part in (error, run.error) if part)
    run.result["seconds"] = round(time.monotonic() - started, 3)
    mine = runs.finish(
        claimed,
        keeper.lease,
        state=state,
        items=run.items,
        failures=run.failures,
        result=run.result,
        error=text,
        now=now(),
    )
    log.info(
        "job.finished",
        job=spec.name,
        run=claimed.id,
        state=state if mine else "taken over",
        items=run.items,
        failures=run.failures,
    )
    return Ran(claimed.id, state if mine else "lost", run.items, run.failures, run.result, text)


class _Keeper:
    """Renews a lease three times in its length, in a thread of its own with a connection of its own."""

    def __init__(self, lease: Lease, length: int, now: Callable[[], int]) -> None:
        self.lease = lease
        self.lost = threading.Event()
        self._length = length
        self._now = now
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{lease.job}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(self._length / 3000):
            try:
                with session():
                    renewed = leases.renew(self.lease, now=self._now(), length=self._length)
            except Exception as error:
                # A database that is busy now is not by the next beat; a lease outlives two of them.
                log.warning("lease.not_renewed", job=self.lease.job, error=plain(error))
                continue
            if renewed is None:
                self.lost.set()
                return
            self.lease = renewed


@contextmanager
def _held(spec: JobSpec, lease: Lease, now: Callable[[], int]) -> Generator[_Keeper, None, None]:
    keeper = _Keeper(lease, _length(spec), now)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()
