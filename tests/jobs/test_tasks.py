"""What the jobs do, on real databases."""

from datetime import date, timedelta

import pytest

from jobs import runner
from jobs.tasks import named
from registry.database import execute, insert_rows
from registry.models import Audit, Fact, GradeState, JobRun, Record, Stale
from registry.services import grading, ledger, listings
from tests.conftest import NOW, TODAY
from tests.factories import record, registered

pytestmark = pytest.mark.usefixtures("settings")


def run(name: str, settings, on: date = TODAY, now: int = NOW) -> runner.Ran:
    return runner.by_hand(named(name), settings, actor="test", on=on, now=lambda: now + JobRun.select().count())


def listed(day: date, **given) -> int:
    """A serious-violation listing of that day; its ledger number."""
    number = f"信严列〔{day.year}〕{Record.select().count()}号"
    return record(registered(), "serious_listing", listed_on=day, document_no=number, article=0, **given).seq


def endings() -> dict[int, date]:
    return {row.replaces: row.ends_on for row in Record.select().where(Record.act == "end")}


@pytest.mark.parametrize(
    ("listed_on", "until", "end"),
    [
        (date(2023, 11, 21), None, date(2026, 11, 21)),
        (date(2024, 2, 29), None, date(2027, 2, 28)),
        (date(2021, 9, 1), "2026-09-01", date(2026, 9, 1)),
        (date(2021, 9, 1), "2022-09-01", date(2024, 9, 1)),
    ],
)
def test_a_term_is_three_years_or_the_longer_restriction(listed_on, until, end):
    assert listings.end_of_term(listed_on, until) == end


def test_listings_whose_term_is_over_end_on_their_last_day_and_the_others_stand(settings):
    over = listed(date(2023, 11, 21))
    listed(date(2023, 11, 22))
    longer = listed(date(2021, 9, 1), until=date(2026, 9, 1))
    listed(date(2021, 9, 1), until=date(2027, 9, 1))
    listed(date(2022, 1, 1), removed_on=date(2023, 5, 5))
    ran = run("end_listings", settings)
    assert (ran.state, ran.items, ran.failures, ran.result["ended"]) == ("done", 2, 0, 2)
    assert endings() == {over: date(2026, 11, 21), longer: date(2026, 9, 1)}
    assert Audit.select().where(Audit.verb == "listing.ended").count() == 2
    assert {row.actor for row in Audit.select().where(Audit.verb == "listing.ended")} == {"job:end_listings"}


def test_ending_listings_again_writes_nothing(settings):
    listed(date(2020, 1, 1))
    run("end_listings", settings)
    head = ledger.head()
    assert run("end_listings", settings).items == 0
    assert ledger.head() == head


def test_a_listing_that_has_ended_is_no_longer_in_force_and_its_entity_is_graded_within_a_minute(settings):
    seq = listed(date(2023, 1, 1))
    entity = Record.get(Record.seq == seq).entity_id
    run("grade_due", settings)
    run("end_listings", settings)
    assert [row.ends for row in Fact.select().where((Fact.kind == 4) & Fact.gone.is_null())] == [
        date(2026, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
    ]
    assert [row.entity for row in Stale.select()] == [entity]
    assert named("grade_stale").wanted(settings)
    ran = run("grade_stale", settings)
    assert ran.result["schemes"]["general-risk"]["entities"] == 1
    assert not named("grade_stale").wanted(settings)


def test_one_bad_listing_is_reported_and_the_rest_still_end(settings, monkeypatch):
    bad, good = listed(date(2020, 1, 1)), listed(date(2020, 1, 2))
    real = listings.end
    monkeypatch.setattr(listings, "end", lambda seq, **given: real(10**9 if seq == bad else seq, **given))
    ran = run("end_listings", settings)
    assert (ran.state, ran.items, ran.failures, ran.result["ended"]) == ("done", 2, 1, 1)
    assert f"record {bad}: The ledger has no serious-violation listing" in ran.error
    assert list(endings()) == [good]


def test_a_listing_that_is_removed_meanwhile_is_left_as_it_is(settings):
    seq = listed(date(2020, 1, 1))
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(seq, source="test", reason="复议撤销")
    assert listings.end(seq, on=TODAY, actor="test", schemes=[], now=NOW).said == "unchanged"
    assert listings.over(TODAY) == []


def test_the_source_of_a_listing_may_still_correct_its_end_and_its_old_file_changes_nothing(settings):
    given = {"listed_on": date(2020, 1, 1), "article": 0, "document_no": "信严列〔2020〕1号"}
    entity = registered()
    record(entity, "serious_listing", **given)
    run("end_listings", settings)
    assert record(entity, "serious_listing", **given).said == "unchanged"
    assert record(entity, "serious_listing", **given, removed_on=date(2022, 6, 1)).said == "corrected"
    assert Record.get(Record.replaced_seq.is_null() & (Record.kind == "serious_listing")).ends_on == date(2022, 6, 1)


def test_due_grading_follows_marks_and_breakpoints_and_does_nothing_the_second_time(settings):
    entity = registered()
    assert run("grade_due", settings).result["schemes"]["general-risk"]["entities"] == 1
    assert run("grade_due", settings).result["schemes"]["general-risk"]["entities"] == 0
    execute("UPDATE grade_state SET next_day = day")
    assert run("grade_due", settings).result["schemes"]["general-risk"]["entities"] == 1
    assert GradeState.get().entity == entity


def test_stale_grading_leaves_breakpoints_of_time_to_the_night(settings):
    registered()
    run("grade_due", settings)
    execute("UPDATE grade_state SET next_day = day")
    assert not named("grade_stale").wanted(settings)
    record(registered())
    assert run("grade_stale", settings).result["schemes"]["general-risk"]["entities"] == 1


@pytest.mark.parametrize("name", ["grade_stale", "grade_due", "grade_all"])
@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), TODAY + timedelta(days=1)])
def test_grading_by_hand_for_another_day_is_refused_and_points_to_what_shows_it(settings, name, day):
    registered()
    with pytest.raises(runner.WrongDay, match="xinheng grade --all --on DATE"):
        run(name, settings, on=day)
    assert GradeState.select().count() == 0


def test_listings_may_be_ended_for_a_past_day_which_ends_what_was_over_by_then(settings):
    over, later = listed(date(2023, 11, 1)), listed(date(2023, 11, 15))
    assert run("end_listings", settings, on=date(2026, 11, 2)).result["ended"] == 1
    assert endings() == {over: date(2026, 11, 1)}
    run("end_listings", settings)
    assert endings() == {over: date(2026, 11, 1), later: date(2026, 11, 15)}
    with pytest.raises(runner.WrongDay, match="or a day before it"):
        run("end_listings", settings, on=TODAY + timedelta(days=1))


def test_a_day_on_which_a_scheme_has_no_cuts_is_told_in_a_sentence(settings, monkeypatch):
    registered()
    ran = runner.by_hand(
        named("grade_due"), settings, actor="test", now=lambda: NOW - 20 * 366 * 86_400_000
    )  # 2006: long before the first cuts
    assert "has no cuts in force on" in ran.error


def test_full_grading_covers_everyone(settings):
    for _ in range(3):
        registered()
    ran = run("grade_all", settings)
    assert (ran.state, ran.items) == ("done", 1)
    assert ran.result["schemes"]["general-risk"]["entities"] == 3
    assert GradeState.select().count() == 3


def test_a_scheme_that_fails_is_reported_and_the_run_failed_where_none_succeeded(settings, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    registered()
    monkeypatch.setattr(grading, "due", broken)
    ran = run("grade_due", settings)
    assert (ran.state, ran.failures) == ("failed", 1)
    assert ran.error.startswith("general-risk: ZeroDivisionError")


def test_pruning_removes_old_replies_and_old_runs_and_nothing_else(settings):
    hour = 3_600_000
    columns = ("key", "idempotency_key", "request", "status", "body", "created_at")
    insert_rows("reply", columns, [(1, f"k{age}", "", 200, "{}", NOW - age * hour) for age in (0, 23, 25, 1000)])
    for name, days in (("grade_stale", 8), ("grade_stale", 6), ("grade_due", 8), ("grade_due", 731), ("grade_due", 1)):
        execute(
            "INSERT INTO job_run (job, due, owner, state, started_at, items, failures, result, error) VALUES (?, ?, 'x:1:1', 'done', 0, 0, 0, '{}', '')",
            (name, NOW - days * 24 * hour),
        )
    record(registered())
    head = ledger.head()
    ran = run("prune", settings)
    assert (ran.result["replies"], ran.result["runs"]) == (2, 2)
    assert sorted(row[0] for row in execute("SELECT idempotency_key FROM reply").fetchall()) == ["k0", "k23"]
    assert JobRun.select().where(JobRun.job != "prune").count() == 3
    assert ledger.head() == head
