"""The declaration of a job: its name, when it runs, how late it still makes sense, and how long its lease lasts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from jobs.run import Run
from registry.config import Jobs, Settings
from registry.errors import RegistryError


class Task(Protocol):
    """What a job does: everything it needs comes with the run, the day among it."""

    __doc__: str | None

    def __call__(self, run: Run, *, today: date) -> None: ...


def _always(settings: Settings) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job.

    late_ok : how long after its tick a run still makes sense; a tick that is later is skipped, on record
    lease : time without a sign of life after which another machine's worker takes the job over
    keeps_day : a run that was lost goes on with the day it began with, because its work is stored by day
    quiet : a tick with nothing to do, or beside a run still at work, leaves no row: for jobs of every minute
    wanted : whether there is anything to do; asked before a tick is claimed
    past_days : a person may run it for a day before today; a day after today is refused for every job
    instead : what serves who asks for a day on which the job may not run
    """

    name: str
    title: str
    run: Task
    late_ok: timedelta
    lease: timedelta
    setting: str | None = None
    fixed: str = ""
    keeps_day: bool = False
    quiet: bool = False
    wanted: Callable[[Settings], bool] = _always
    past_days: bool = False
    instead: str = ""

    def cron(self, settings: Settings) -> str:
        """The cron line: of `[jobs]` where the job has a setting, else the fixed one."""
        return str(getattr(settings.jobs, self.setting)) if self.setting else self.fixed


class UnknownJob(RegistryError):
    code = "unknown_job"
    status = 404


JOBS: dict[str, JobSpec] = {}


def job(
    name: str, *, title: str, late_ok: timedelta, lease: timedelta, setting: str | None = None, cron: str = "",
    keeps_day: bool = False, quiet: bool = False, wanted: Callable[[Settings], bool] = _always,
    past_days: bool = False, instead: str = "",
) -> Callable[[Task], Task]:  # fmt: skip
    """Declare the function below as a job. `setting` names its cron line in `[jobs]`; `cron` is one that is fixed."""
    if (setting is None) == (not cron) or (setting is not None and setting not in Jobs.__slots__):
        raise ValueError(f"Job {name} needs either a setting of [jobs] or a fixed cron line.")

    def declare(task: Task) -> Task:
        if name in JOBS:
            raise ValueError(f"There are two jobs {name}.")
        JOBS[name] = JobSpec(
            name, title, task, late_ok, lease, setting, cron, keeps_day, quiet, wanted, past_days, instead
        )
        return task

    return declare


def named(name: str) -> JobSpec:
    """The job of that name. Raises UnknownJob, listing what there is."""
    if name not in JOBS:
        raise UnknownJob(f"There is no job {name!r}. Jobs are: {', '.join(JOBS)}.")
    return JOBS[name]
