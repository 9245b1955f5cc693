"""The worker process: it catches up when it starts, stops when it is told to, and never runs a job twice."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from jobs import runner
from jobs.worker import Worker
from registry.config import ROOT
from registry.database import session
from registry.errors import ConfigError
from registry.models import JobRun
from tests.factories import registered
from tests.jobs.helpers import MINUTE, NOON, at, spec, until

TICK = NOON - 630 * MINUTE
DAY = 24 * 60 * MINUTE


def rows() -> list[tuple[int, str]]:
    return [(row.due, row.state) for row in JobRun.select().order_by(JobRun.due)]


def test_a_worker_that_starts_after_an_outage_catches_up_once_and_a_second_one_finds_it_done(settings):
    runner.tick(spec(), settings, now=at(TICK - 3 * DAY))
    workers = [Worker(settings, jobs={"made_up": spec()}, now=at(NOON)) for _ in range(2)]
    for worker in workers:
        worker.start()
    until(lambda: (TICK, "done") in rows())
    for worker in workers:
        worker.close()
    assert rows() == [(TICK - 3 * DAY, "done"), (TICK, "done")]


def test_a_worker_closes_only_when_its_run_has_come_to_a_safe_point(settings):
    began, ended = threading.Event(), []

    def work(run, *, today):
        for number in range(1000):
            with run.item(f"row {number}"):
                began.set()
                threading.Event().wait(0.01)
        ended.append("whole")

    runner.tick(spec(), settings, now=at(TICK - DAY))
    worker = Worker(settings, jobs={"made_up": spec(work)}, now=at(NOON))
    worker.start()
    assert began.wait(10)
    worker.close()
    assert ended == []
    assert rows()[-1] == (TICK, "lost")
    assert "told to stop" in JobRun.get(JobRun.due == TICK).error


def test_three_workers_on_a_schedule_of_every_second_run_each_tick_once(on_sqlite):
    # Cron lines have no seconds: the trigger is called by hand, as the scheduler would, at the same moment in each.
    done: list[int] = []

    def work(run, *, today):
        with run.item("work"):
            done.append(1)

    def tick(moment: int) -> None:
        with session():
            runner.tick(spec(work, fixed="* * * * *", late_ok=timedelta(minutes=1)), on_sqlite, now=at(moment))

    for minute in range(5):
        threads = [threading.Thread(target=tick, args=[TICK + minute * MINUTE + 100 + number]) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(done) == 5
    assert [state for _, state in rows() if state == "done"] == ["done"] * 5


def test_a_broken_schedule_stops_the_worker_before_anything_runs(on_sqlite):
    worker = Worker(on_sqlite, jobs={"made_up": spec(fixed="every night")}, now=at(NOON))
    with pytest.raises(ConfigError, match="made_up"):
        worker.start()
    assert rows() == []


def test_the_process_starts_stops_on_sigterm_and_leaves_no_run_open(settings):
    registered()
    environ = {
        **os.environ,
        "XINHENG_DATABASE_URL": settings.database.url,
        "XINHENG_PRIVACY_KEY_FILE": settings.privacy.key_file,
    }
    child = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", "work"],
        cwd=ROOT,
        env=environ,
        text=True,
        stderr=subprocess.PIPE,
    )
    try:
        assert child.stderr is not None
        assert any("worker.started" in line for line in iter(child.stderr.readline, ""))
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=20)
    finally:
        child.kill()
    assert child.returncode == 0, said
    assert "worker.stopped" in said
    assert JobRun.select().where(JobRun.state == "running").count() == 0
    # First start: what was due before it counts as not missed, on record; every job that keeps a record has its row.
    kept = [row for row in JobRun.select() if row.job != "grade_stale"]
    assert {row.job for row in kept} == {
        "grade_due", "build_context", "grade_all", "end_listings", "remind_listings", "end_publications", "cap_claimants", "prune",
        "verify", "end_shadows", "score_model", "watch_model", "raise_warnings", "suggest_raises",
        "publish_results", "mark_due",
    }  # fmt: skip
    assert {row.state for row in kept} == {"skipped"}
