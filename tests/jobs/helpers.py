"""Jobs that tests make up, and processes of their own to run them in."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from jobs.declared import JobSpec
from jobs.run import Run
from registry import clock
from registry.config import ROOT, Settings

MINUTE = 60_000
# Noon of 21 November 2026 in Shanghai.
NOON = 1_795_233_600_000


def spec(task: Callable[..., None] | None = None, **given: Any) -> JobSpec:
    """A job that is due every day at 01:30 and may be half a day late."""

    def nothing(run: Run, *, today: date) -> None:
        with run.item("nothing"):
            pass

    values: dict[str, Any] = {
        "name": "made_up", "title": "", "run": task or nothing, "late_ok": timedelta(hours=12), "lease": timedelta(minutes=5), "fixed": "30 1 * * *",
    }  # fmt: skip
    return JobSpec(**{**values, **given})


def at(*milliseconds: int) -> Callable[[], int]:
    """A clock that shows these moments one after the other, and the last one for ever."""
    left = list(milliseconds)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def process(settings: Settings, code: str) -> "subprocess.Popen[str]":
    """A Python process of its own, connected to the same database, that runs `code` with `settings` at hand."""
    start = (
        "from registry import config, database; settings = config.load(); database.connect(settings)\n"
        "from tests.jobs import helpers\n"
    )
    environ = {
        **os.environ, "XINHENG_DATABASE_URL": settings.database.url, "XINHENG_PRIVACY_KEY_FILE": settings.privacy.key_file, "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", start + code],
        cwd=ROOT,
        env=environ,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def slowly(run: Run, *, today: date) -> None:
    """A task that says that it began and then takes its time."""
    with run.item("slow"):
        print("began", flush=True)
        time.sleep(60)


def tick_when_told(settings: Settings, moment: int) -> None:
    """For a process: wait for a line on standard input, so that several start at the same instant, then tick once."""
    from jobs import runner

    def work(run: Run, *, today: date) -> None:
        with run.item("work"):
            time.sleep(0.2)

    print("ready", flush=True)
    sys.stdin.readline()
    ran = runner.tick(spec(work), settings, now=lambda: moment)
    print("ran" if ran else "not mine", flush=True)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something that another process does."""
    deadline = clock.now() + seconds * 1000
    while not condition():
        assert clock.now() < deadline, "It did not happen in time."
        time.sleep(0.05)
