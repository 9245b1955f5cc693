"""Commands that grade, explain, connect feeds and run jobs."""

from collections.abc import Generator
from datetime import date

import pytest

from registry.config import Settings
from registry.models import Coverage, GradeState, JobRun, Stale
from registry.services import grading, ledger
from tests.api.test_cli import Call, caller, read
from tests.conftest import NOW
from tests.factories import credit_code, record, registered


@pytest.fixture
def xinheng(settings: Settings) -> Generator[Call, None, None]:
    yield from caller(settings)


@pytest.fixture
def on_one(on_sqlite: Settings) -> Generator[Call, None, None]:
    yield from caller(on_sqlite)


def covered() -> None:
    with ledger.writing(now=NOW, schemes=[]) as pen:
        for kind in ("registration", "penalty"):
            pen.cover(kind, "", date(2015, 1, 1), None, source="test")


def test_a_grade_by_code_is_explained_to_a_program(xinheng):
    covered()
    code = credit_code()
    entity = registered(code)
    record(entity)
    body = read(xinheng("grade", code, "--json"))
    assert (body["entities"], body["changed"]) == (1, 1)
    told = read(xinheng("explain", code, "--json"))
    assert {"class", "score", "points", "decided_by", "digest", "reproduced"} <= set(told)
    assert told["reproduced"] is True
    assert sum(row["points"] for row in told["points"]) == told["score"]
    assert all({"rule", "points", "records"} <= set(row) for row in told["points"])
    assert told["class"] == GradeState.get(GradeState.entity == entity).class_


def test_a_grade_of_another_day_is_shown_and_not_written(xinheng):
    covered()
    code = credit_code()
    record(registered(code))
    xinheng("grade", "--all")
    before = list(GradeState.select().dicts())
    for who in ("--all", code):
        body = read(xinheng("grade", who, "--on", "2031-01-01", "--json"))
        assert (body["entities"], body["written"]) == (1, False)
        assert sum(body["classes"]["enterprise"].values()) == 1
    assert list(GradeState.select().dicts()) == before
    assert "today" in xinheng("grade", "--due", "--on", "2031-01-01", status=2).stderr


def test_an_explanation_reads_in_chinese_and_in_english(on_one):
    covered()
    code = credit_code()
    record(registered(code, name="信衡朗彦电子商务有限公司"))
    on_one("grade", code)
    chinese, english = on_one("explain", code).stdout, on_one("explain", code, "--lang", "en").stdout
    assert "信衡朗彦电子商务有限公司" in chinese
    assert "得分理由" in chinese
    assert "已复现" in chinese
    assert "█" in chinese
    assert "reproduced" in english
    assert "to_dict" not in english


def test_what_was_known_then_can_be_asked_by_day_by_moment_and_by_number(on_one, on_sqlite):
    covered()
    code = credit_code()
    entity = registered(code)
    seq = ledger.head()
    record(entity, now=NOW + 3_600_000)
    asked = [
        read(on_one("explain", code, "--on", "2026-11-22", "--known-at", known, "--json"))["known_seq"]
        for known in ("2026-11-21", "2026-11-21T08:30:00+08:00", "2026-11-21T08:30:00", seq)
    ]
    assert asked == [ledger.head(), seq, seq, seq]
    assert "not a moment" in on_one("explain", code, "--known-at", "yesterday", status=2).stderr
    assert "until 2100-12-31" in on_one("explain", code, "--known-at", "9999-12-31", status=2).stderr


@pytest.mark.parametrize("day", ["1949-09-30", "2101-01-01", "9999-12-31"])
def test_a_day_out_of_reach_is_wrong_use(on_one, day):
    code = credit_code()
    registered(code)
    for command in (("explain", code), ("grade", "--all"), ("grade", code)):
        assert "1949-10-01 until 2100-12-31" in on_one(*command, "--on", day, status=2).stderr


def test_a_day_on_which_the_scheme_has_no_cuts_is_one_clear_line(on_one):
    code = credit_code()
    registered(code)
    for command in (("explain", code), ("grade", "--all"), ("grade", code)):
        said = on_one(*command, "--on", "1999-01-01", status=3).stderr
        assert said.startswith("xinheng: Scheme 'general-risk' has no cuts in force on")
        assert len(said.splitlines()) == 1


def test_knowledge_beyond_the_ledger_is_all_there_is(on_one):
    code = credit_code()
    registered(code)
    on_one("grade", code)
    assert read(on_one("explain", code, "--known-at", "9" * 30, "--json"))["known_seq"] == ledger.head()


def test_due_grading_by_hand_finishes_what_is_due(on_one):
    registered()
    assert read(on_one("grade", "--due", "--json"))["entities"] == 1
    assert "0 entities graded" in on_one("grade", "--due").stdout


def test_a_feed_is_put_on_record_once(on_one):
    first = on_one("coverage", "add", "penalty", "--division", "9901", "--from", "2024-01-01")
    assert "stored" in first.stdout
    assert (
        read(on_one("coverage", "add", "penalty", "--division", "9901", "--from", "2024-01-01", "--json"))["said"]
        == "unchanged"
    )
    assert Coverage.select().count() == 1
    assert read(on_one("coverage", "list", "--json")) == [
        {"kind": "penalty", "division": "9901", "from": "2024-01-01", "to": None}
    ]
    assert (
        "before" in on_one("coverage", "add", "penalty", "--from", "2024-01-01", "--to", "2023-01-01", status=2).stderr
    )
    assert (
        "digits" in on_one("coverage", "add", "penalty", "--division", "杭州", "--from", "2024-01-01", status=2).stderr
    )
    assert "no kind" in on_one("coverage", "add", "gossip", "--from", "2024-01-01", status=3).stderr


def test_a_new_feed_makes_its_district_due_and_grading_what_is_due_then_equals_grading_everyone(xinheng):
    there = [registered(credit_code(division="990101")) for _ in range(2)]
    registered(credit_code(division="990203"))
    xinheng("grade", "--all")
    before = {row.entity: bytes(row.digest) for row in GradeState.select()}
    xinheng("coverage", "add", "penalty", "--division", "9901", "--from", "2020-01-01")
    assert sorted(row.entity for row in Stale.select()) == there
    due = read(xinheng("grade", "--due", "--json"))
    assert (due["entities"], due["changed"]) == (2, 2)
    assert [row.entity for row in GradeState.select() if before[row.entity] != bytes(row.digest)] == there
    assert read(xinheng("grade", "--all", "--json"))["changed"] == 0


@pytest.mark.parametrize(
    ("days", "hint"),
    [
        (("--from", "1949-09-30"), "--from"),
        (("--from", "0001-01-01"), "--from"),
        (("--from", "2101-01-01"), "--from"),
        (("--from", "2024-01-01", "--to", "9999-12-31"), "--to"),
    ],
)
def test_a_feed_of_days_that_nobody_can_mean_is_refused(on_one, days, hint):
    said = on_one("coverage", "add", "penalty", *days, status=2).stderr
    assert hint in said
    assert "1949-10-01 until 2100-12-31" in said
    assert Coverage.select().count() == 0


def test_a_job_is_run_by_hand_and_its_run_is_on_record(xinheng):
    registered()
    body = read(xinheng("jobs", "run", "grade_due", "--json"))
    assert (body["state"], body["result"]["schemes"]["general-risk"]["entities"]) == ("done", 1)
    history = read(xinheng("jobs", "history", "--job", "grade_due", "--json"))
    assert [(row["job"], row["state"]) for row in history] == [("grade_due", "done")]
    listed = {row["job"]: row for row in read(xinheng("jobs", "list", "--json"))}
    assert listed["grade_due"]["last"]["state"] == "done"
    assert listed["grade_due"]["setting"] == "jobs.grade_due"
    said = xinheng("jobs", "run", "grade_due").stdout
    assert "grade_due: done; 1 item, 0 failures\n" in said
    assert "    general-risk: entities 0, changed 0, seconds 0." in said
    assert "{" not in said
    assert "Jobs are" in xinheng("jobs", "run", "nothing", status=3).stderr
    assert "grade_due" in xinheng("jobs", "history").stdout
    assert "grade_all" in xinheng("jobs", "list").stdout


@pytest.mark.parametrize("name", ["grade_all", "grade_due"])
@pytest.mark.parametrize("day", ["2020-01-01", "2099-01-01"])
def test_grading_jobs_for_another_day_are_wrong_use_and_point_to_what_shows_it(on_one, name, day):
    registered()
    said = on_one("jobs", "run", name, "--on", day, status=2).stderr
    assert "--on" in said
    assert "xinheng grade --all --on DATE" in said
    assert (GradeState.select().count(), JobRun.select().count()) == (0, 0)


def test_listings_are_ended_for_a_past_day_and_not_for_a_coming_one(on_one):
    assert read(on_one("jobs", "run", "end_listings", "--on", "2026-01-01", "--json"))["result"]["day"] == "2026-01-01"
    assert "or a day before it" in on_one("jobs", "run", "end_listings", "--on", "2099-01-01", status=2).stderr
    assert JobRun.select().count() == 1


def test_a_job_that_fails_gives_the_shell_a_failure(on_one, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(grading, "due", broken)
    result = on_one("jobs", "run", "grade_due", status=3)
    assert "ZeroDivisionError" in result.stderr
    assert "failed" in result.stdout
