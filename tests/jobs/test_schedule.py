"""Cron lines mean what they mean everywhere, and the last tick is found from the trigger."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.schedule import last_due, next_due, trigger
from jobs.tasks import JOBS
from registry import config
from registry.errors import ConfigError
from tests.jobs.helpers import NOON, spec

SETTINGS = config.load(environ={})
SHANGHAI = ZoneInfo("Asia/Shanghai")


def told(moment: int | None) -> str:
    assert moment is not None
    return datetime.fromtimestamp(moment / 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M %a")


def cron(line: str):
    return trigger(spec(fixed=line), SETTINGS)


@pytest.mark.parametrize(
    ("line", "last", "following"),
    [
        ("30 1 * * *", "2026-11-21 01:30 Sat", "2026-11-22 01:30 Sun"),
        ("0 3 1 * *", "2026-11-01 03:00 Sun", "2026-12-01 03:00 Tue"),
        ("* * * * *", "2026-11-21 12:00 Sat", "2026-11-21 12:01 Sat"),
        ("0 5 29 2 *", None, "2028-02-29 05:00 Tue"),
    ],
)
def test_the_last_and_the_next_tick_are_read_in_the_time_zone_of_the_registry(line, last, following):
    assert (told(last_due(cron(line), NOON)) if last else last_due(cron(line), NOON)) == last
    assert told(next_due(cron(line), NOON)) == following


@pytest.mark.parametrize(
    ("weekday", "following"),
    [
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("5", "Fri"),
        ("1-3", "Mon"),
        ("sat", "Sat"),
        ("5-7", "Sun"),
        ("2,4", "Tue"),
        ("1-5/2", "Mon"),
    ],
)
def test_weekdays_count_from_sunday_as_in_every_crontab(weekday, following):
    assert told(next_due(cron(f"0 1 * * {weekday}"), NOON)).endswith(following)


@given(
    st.integers(NOON, NOON + 400 * 86_400_000),
    st.sampled_from(["30 1 * * *", "0 3 1 * *", "*/7 * * * *", "15 4 * * 1-5", "0 0 1 1 *"]),
)
def test_there_is_no_tick_between_the_last_and_the_next(now, line):
    last, following = last_due(cron(line), now), next_due(cron(line), now)
    assert last is not None
    assert following is not None
    assert last <= now < following
    assert next_due(cron(line), last) == following
    assert last_due(cron(line), following) == following
    assert last_due(cron(line), following - 1) == last


@pytest.mark.parametrize("line", ["30 1 * *", "61 1 * * *", "x y z a b", "0 0 * * 5-2", ""])
def test_a_line_that_is_no_cron_line_is_refused_with_the_name_of_its_setting(line):
    settings = config.load(environ={"XINHENG_JOBS_GRADE_DUE": line})
    with pytest.raises(ConfigError, match="grade_due"):
        trigger(JOBS["grade_due"], settings)


def test_a_time_zone_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="Asia/Shanghai"):
        trigger(JOBS["grade_due"], config.load(environ={"XINHENG_JOBS_TIMEZONE": "Asia/Atlantis"}))


def test_every_job_decides_how_late_it_may_be_and_its_lease_is_shorter():
    assert set(JOBS) == {
        "grade_stale", "grade_due", "build_context", "grade_all", "end_listings", "remind_listings", "end_publications", "cap_claimants",
        "import_files", "seal", "verify", "prune", "end_shadows", "score_model", "watch_model", "raise_warnings", "suggest_raises",
        "publish_results", "mark_due",
    }  # fmt: skip
    for one in JOBS.values():
        assert trigger(one, SETTINGS).get_next_fire_time(None, datetime.now(UTC)) is not None
        assert one.late_ok.total_seconds() > 0
        assert 60 <= one.lease.total_seconds() <= 600
        assert one.run.__doc__
        assert "Repeatable" in one.run.__doc__
