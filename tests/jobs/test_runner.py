"""A tick runs once, one run at a time; what is missed is caught up once or skipped on record; a lost run is run again."""

import re
import threading
from datetime import date, timedelta

import pytest

from jobs import runner
from jobs.run import Run
from jobs.runner import FIRST_START, JobBusy, WrongDay
from jobs.schedule import last_due, trigger
from registry.database import execute
from registry.errors import RegistryError
from registry.models import JobLease, JobRun
from registry.services import leases, runs
from tests.conftest import TODAY
from tests.jobs.helpers import MINUTE, NOON, at, process, spec

pytestmark = pytest.mark.usefixtures("settings")
TICK = NOON - 630 * MINUTE  # 01:30 of the same day in Shanghai
DAY = 24 * 60 * MINUTE


def states() -> list[tuple[int, str]]:
    return [(row.due, row.state) for row in JobRun.select().order_by(JobRun.due)]


def test_three_workers_at_once_run_a_tick_once(settings):
    children = [process(settings, f"helpers.tick_when_told(settings, {TICK + 5})") for _ in range(3)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    said = sorted(child.communicate(timeout=30)[0].splitlines()[-1] for child in children)
    assert said == ["not mine", "not mine", "ran"]
    assert states() == [(TICK, "done")]
    assert JobRun.get().items == 1
    assert JobLease.select().count() == 0


def test_the_scheduled_moment_is_the_key_however_late_the_worker_wakes(settings):
    assert runner.tick(spec(), settings, now=at(TICK + 3 * MINUTE)) is not None
    assert runner.tick(spec(), settings, now=at(TICK + 9 * MINUTE)) is None
    assert states() == [(TICK, "done")]


def test_the_day_of_a_run_is_the_day_on_which_it_runs_where_the_registry_works(settings):
    days = []
    job = spec(lambda run, *, today: days.append(today), late_ok=timedelta(hours=30), fixed="0 23 * * *")
    runner.tick(job, settings, now=at(TICK))
    assert days == [date(2026, 11, 21)]


def test_a_missed_tick_is_caught_up_once_while_it_makes_sense(settings):
    runner.tick(spec(), settings, now=at(TICK - 3 * DAY))
    assert runner.tick(spec(), settings, now=at(NOON)) is not None
    assert runner.tick(spec(), settings, now=at(NOON + MINUTE)) is None
    assert states() == [(TICK - 3 * DAY, "done"), (TICK, "done")], "the nights between are not made up for"


def test_a_tick_that_is_too_late_is_skipped_and_says_so(settings):
    assert runner.tick(spec(late_ok=timedelta(hours=10)), settings, now=at(NOON)) is None
    assert states() == [(TICK, "skipped")]
    assert "Late by 37800 s" in JobRun.get().error
    assert runner.tick(spec(late_ok=timedelta(hours=24)), settings, now=at(NOON)) is None, "skipped is decided for good"


def test_before_the_first_start_of_a_worker_nothing_was_missed(settings):
    runner.note_first_start(spec(), settings, now=NOON)
    runner.note_first_start(spec(), settings, now=NOON + DAY)
    assert [(row.due, row.state, row.error) for row in JobRun.select()] == [(TICK, "skipped", FIRST_START)]
    assert runner.tick(spec(), settings, now=at(NOON)) is None
    assert runner.tick(spec(), settings, now=at(TICK + DAY)) is not None


def test_a_tick_that_finds_the_run_before_it_still_at_work_is_skipped(settings):
    leases.acquire("made_up", now=TICK - MINUTE, length=5 * MINUTE)
    assert runner.tick(spec(), settings, now=at(TICK)) is None
    assert states() == [(TICK, "skipped")]
    assert "still at work" in JobRun.get().error


def test_a_quiet_job_leaves_no_row_where_there_is_nothing_to_do(settings):
    assert runner.tick(spec(quiet=True, wanted=lambda settings: False), settings, now=at(TICK)) is None
    leases.acquire("made_up", now=TICK, length=5 * MINUTE)
    assert runner.tick(spec(quiet=True), settings, now=at(TICK)) is None
    assert states() == []


def test_a_run_whose_worker_was_killed_is_lost_and_run_again(settings):
    child = process(
        settings, f"from jobs import runner\nrunner.tick(helpers.spec(helpers.slowly), settings, now=lambda: {TICK})"
    )
    assert "began\n" in iter(child.stdout.readline, "")
    assert runner.lost(now=TICK + 1) == []
    child.kill()
    child.wait()
    assert [run.job for run in runner.lost(now=TICK + 2)] == ["made_up"]
    assert states() == [(TICK, "lost")]
    ran = runner.tick(spec(), settings, now=at(TICK + 3))
    assert ran is not None
    assert (ran.state, ran.result["attempts"]) == ("done", 2)
    assert states() == [(TICK, "done")]


def test_a_lost_run_that_is_too_late_stays_lost(settings):
    runs.claim("made_up", TICK, length=MINUTE, now=TICK, kept={})
    execute("DELETE FROM job_lease")
    assert len(runner.lost(now=NOON)) == 1
    assert runner.tick(spec(late_ok=timedelta(hours=1)), settings, now=at(NOON)) is None
    assert states() == [(TICK, "lost")]


@pytest.mark.parametrize(("keeps_day", "day"), [(True, date(2026, 11, 21)), (False, date(2026, 11, 22))])
def test_a_job_whose_work_is_kept_by_day_goes_on_with_the_day_it_began_with(settings, keeps_day, day):
    days = []
    job = spec(
        lambda run, *, today: days.append(today), keeps_day=keeps_day, late_ok=timedelta(days=3), fixed="30 1 21 * *"
    )
    runs.claim("made_up", TICK, length=MINUTE, now=TICK, kept={"day": "2026-11-21"})
    execute("DELETE FROM job_lease")
    runner.lost(now=TICK)
    runner.tick(job, settings, now=at(TICK + DAY))
    assert days == [day]


def test_one_bad_item_is_reported_without_its_contents_and_the_rest_go_on(settings):
    def work(run, *, today):
        for number in range(9):
            with run.item(f"row {number}"):
                if number == 3:
                    raise ValueError("张三 330102199003074514")
                if number == 4:
                    raise RegistryError("The number 330102199003074514 is not a code.")

    ran = runner.tick(spec(work), settings, now=at(TICK))
    assert ran is not None
    assert (ran.state, ran.items, ran.failures) == ("done", 9, 2)
    assert "row 3: ValueError at tests/jobs/test_runner.py:" in ran.error
    assert "张三" not in ran.error
    assert "330102199003074514" not in ran.error
    assert "row 4: The number" in ran.error


def test_more_errors_than_anyone_reads_are_counted(settings):
    def work(run, *, today):
        for number in range(9):
            with run.item(f"row {number}"):
                raise ValueError

    ran = runner.tick(spec(work), settings, now=at(TICK))
    assert ran is not None
    assert (ran.state, ran.failures) == ("failed", 9), "where nothing succeeded, the run failed"
    assert ran.error.endswith("and 4 more")


def test_a_run_that_fails_is_on_record_and_its_lease_is_free(settings):
    def work(run, *, today):
        raise ZeroDivisionError

    ran = runner.tick(spec(work), settings, now=at(TICK))
    assert ran is not None
    assert ran.state == "failed"
    assert ran.error.startswith("ZeroDivisionError at tests/jobs/test_runner.py:")
    assert JobLease.select().count() == 0
    assert runner.tick(spec(), settings, now=at(TICK + MINUTE)) is None, "a failed tick is not repeated by itself"


def test_a_run_that_is_told_to_stop_ends_between_two_items_and_is_run_again(settings):
    stop, done = threading.Event(), []

    def work(run, *, today):
        for number in range(5):
            with run.item(f"row {number}"):
                done.append(number)
                if number == 1:
                    stop.set()

    ran = runner.tick(spec(work), settings, now=at(TICK), stop=stop)
    assert ran is not None
    assert (ran.state, ran.items, done) == ("lost", 2, [0, 1])
    stop.clear()
    again = runner.tick(spec(), settings, now=at(TICK + 1))
    assert again is not None
    assert again.state == "done"


def test_a_run_renews_its_lease_while_it_works_and_stops_when_it_was_taken_over(settings):
    beats = threading.Event()

    def work(run, *, today):
        first = JobLease.get().until
        for _ in range(200):
            beats.wait(0.02)
            if JobLease.get().until > first:
                break
        assert JobLease.get().until > first
        execute("UPDATE job_lease SET owner = 'elsewhere:1:1'")
        for _ in range(200):
            beats.wait(0.02)
            run.go_on()
        raise AssertionError("nobody told the run to stop")

    ran = runner.tick(spec(work, lease=timedelta(milliseconds=300)), settings, now=at(TICK))
    assert ran is not None
    assert ran.state == "lost"
    assert "taken over" in ran.error
    assert JobLease.get().owner == "elsewhere:1:1", "the lease of the one who took over is left alone"


def test_a_run_by_hand_is_refused_while_another_is_at_work(settings):
    leases.acquire("made_up", now=NOON, length=5 * MINUTE)
    with pytest.raises(JobBusy, match="jobs history"):
        runner.by_hand(spec(), settings, actor="cli:test", now=at(NOON + 1))
    execute("DELETE FROM job_lease")
    days = []
    ran = runner.by_hand(
        spec(lambda run, *, today: days.append(today), past_days=True),
        settings,
        actor="cli:test",
        on=date(2026, 11, 1),
        now=at(NOON + 1),
    )
    assert (ran.state, ran.result["by"], days) == ("done", "cli:test", [date(2026, 11, 1)])


@pytest.mark.parametrize(
    ("given", "day", "said"),
    [
        ({}, TODAY + timedelta(days=1), "today, 2026-11-21, only, not on 2026-11-22"),
        ({"past_days": True}, TODAY + timedelta(days=1), "or a day before it, not on 2026-11-22"),
        ({"instead": "Look there."}, TODAY - timedelta(days=1), "only, not on 2026-11-20. Look there."),
    ],
)
def test_a_run_by_hand_is_refused_for_a_day_after_today_and_for_a_past_one_where_that_does_harm(
    settings, given, day, said
):
    def work(run: Run, *, today: date) -> None:
        raise AssertionError("it must not run")

    with pytest.raises(WrongDay, match=re.escape(said)):
        runner.by_hand(spec(work, **given), settings, actor="cli:test", on=day, now=at(NOON))
    assert (JobRun.select().count(), JobLease.select().count()) == (0, 0)


def test_the_newest_tick_comes_from_the_trigger(settings):
    assert last_due(trigger(spec(), settings), NOON) == TICK
    assert runner.is_due(spec(), settings, now=NOON) == TICK
