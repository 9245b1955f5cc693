"""The worker: `xinheng work`. Its own process, because one scheduler in each web worker would run every job once per worker.

The scheduler keeps nothing and decides nothing: it calls at each tick. That a tick runs once, and one run at a time, is
held by the rows of `job_run` and `job_lease`, however many workers there are.
"""

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from jobs import runner
from jobs.declared import JobSpec
from jobs.run import plain
from jobs.schedule import trigger, zone
from jobs.tasks import JOBS
from registry import clock
from registry.config import Settings
from registry.database import session
from registry.services import raises

log = structlog.get_logger()

# How often a worker looks for runs that were lost and ticks that were missed.
PATROL_SECONDS = 60


class Worker:
    """Every declared job on its schedule, until `stop` is set."""

    def __init__(
        self, settings: Settings, *, jobs: dict[str, JobSpec] | None = None, now: Callable[[], int] = clock.now
    ) -> None:
        self.settings = settings
        self.jobs = JOBS if jobs is None else jobs
        self.now = now
        self.stop = threading.Event()
        self.scheduler = BackgroundScheduler(timezone=zone(settings))

    def start(self) -> None:
        """Begin. Raises ConfigError, before anything runs, for a cron line that is none."""
        triggers = {spec.name: trigger(spec, self.settings) for spec in self.jobs.values()}
        with session():
            for spec in self.jobs.values():
                runner.note_first_start(spec, self.settings, now=self.now())
            # Switched off means off from the start, not from the next nightly run on.
            raises.settle(self.settings, self.now())
        for spec in self.jobs.values():
            self.scheduler.add_job(
                self._tick, triggers[spec.name], args=[spec], id=spec.name, coalesce=True, max_instances=1,
                # Lateness is decided by the job itself, on record; the scheduler's own default drops a tick after one second.
                misfire_grace_time=None,
            )  # fmt: skip
        self.scheduler.add_job(
            self._patrol, "interval", seconds=PATROL_SECONDS, id="patrol", coalesce=True, max_instances=1,
            misfire_grace_time=None, next_run_time=datetime.now(UTC),
        )  # fmt: skip
        self.scheduler.start()
        log.info("worker.started", jobs=list(self.jobs), pid=os.getpid())

    def close(self) -> None:
        """Stop: runs at work end at their next safe point, and this returns when they have."""
        self.stop.set()
        self.scheduler.shutdown(wait=True)
        log.info("worker.stopped", pid=os.getpid())

    def _tick(self, spec: JobSpec) -> None:
        if self.stop.is_set():
            return
        try:
            runner.tick(spec, self.settings, now=self.now, stop=self.stop)
        except Exception as error:
            # The database may be away; the next patrol finds the tick still undone.
            log.error("job.not_started", job=spec.name, error=plain(error))

    def _patrol(self) -> None:
        """Mark runs whose worker died, and catch up at once on any tick that was missed or lost, each in its own thread."""
        try:
            with session():
                runner.lost(now=self.now())
                missed = [
                    spec
                    for spec in self.jobs.values()
                    if not spec.quiet and runner.is_due(spec, self.settings, now=self.now()) is not None
                ]
        except Exception as error:
            log.error("patrol.failed", error=plain(error))
            return
        for spec in missed:
            if not self.stop.is_set():
                self.scheduler.add_job(
                    self._tick, args=[spec], id=f"{spec.name}:catch-up", replace_existing=True, misfire_grace_time=None
                )


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then stop cleanly."""
    worker = Worker(settings)

    def told(_number: int, _frame: FrameType | None) -> None:
        worker.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    worker.start()
    # A timeout lets signals through on every platform.
    while not worker.stop.wait(1):
        continue
    worker.close()
