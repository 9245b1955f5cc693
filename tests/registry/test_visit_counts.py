"""Visits made, whoever made them: once a day, all organs together, against the annual cap."""

from dataclasses import replace
from datetime import date

import pytest

from registry.clock import day_number
from registry.config import Inspection
from registry.database import db
from registry.models import Visit
from registry.services import frequency, merges, visit_counts
from registry.services.frequency import BadFrequencyTable, PlanTooLarge
from registry.services.visit_counts import CapReached
from rules.inspection.quotas import workload
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.counting import visited
from tests.registry.deeds import withdrawn

ORGANS = ("信衡市市场监督管理局", "信衡市生态环境局")
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)


def checked(entity, day, organ=ORGANS[0], **given):
    return record(entity, "spot_check", checked_on=day, organ=organ, **given)


def counts(entities=None, first=FIRST, last=LAST):
    return {entity: (visits, day) for entity, visits, day in visit_counts.made(entities, first, last).iter_rows()}


def test_a_day_counts_once_whichever_organs_came_on_the_ledger_or_among_our_own_visits(settings):
    one, other, third = (registered() for _ in range(3))
    for organ in ORGANS:
        checked(one, date(2026, 3, 2), organ)
    checked(one, date(2026, 5, 5), ORGANS[1])
    visited(one, date(2026, 5, 5), date(2026, 8, 1))  # the first of them is on the ledger already
    visited(other, date(2026, 9, 9), state="started")
    visited(other, date(2026, 9, 10), state="dropped")
    visited(other)  # not made yet
    checked(third, date(2025, 12, 31))
    expected = {one: (3, day_number(date(2026, 8, 1))), other: (1, day_number(date(2026, 9, 9)))}
    assert counts() == counts([one, other, third]) == expected
    assert counts([third]) == counts([]) == {}
    assert counts([one], last=date(2026, 5, 4)) == {one: (1, day_number(date(2026, 3, 2)))}
    assert counts(first=date(2025, 1, 1))[third] == (1, day_number(date(2025, 12, 31)))


def test_what_is_withdrawn_counts_no_more_and_who_was_merged_counts_to_whom_he_is(settings):
    codes = [credit_code(), credit_code()]
    into, gone = (registered(code) for code in codes)
    checked(into, date(2026, 3, 2))
    checked(gone, date(2026, 3, 2), ORGANS[1])
    checked(gone, date(2026, 6, 1), ORGANS[1])
    wrong = checked(into, date(2026, 7, 1))
    assert counts()[into][0] == 2
    withdrawn(wrong.seq)
    merges.merge(codes[1], codes[0], reason="吸收合并", actor="cli:test", today=TODAY, now=NOW, schemes=[])
    assert counts() == counts([gone]) == counts([into]) == {into: (2, day_number(date(2026, 6, 1)))}


def test_everybody_is_counted_in_three_queries_the_checks_by_their_own_index(on_sqlite):
    for _ in range(3):
        checked(registered(), date(2026, 3, 2))
    sent: list[str] = []
    connection = db.connection()
    connection.set_trace_callback(sent.append)
    try:
        assert len(counts()) == 3
    finally:
        connection.set_trace_callback(None)
    assert len(sent) == 3
    plans = [" ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {one}").fetchall()) for one in sent]
    assert "fact_checks" in next(plan for one, plan in zip(sent, plans, strict=True) if "FROM fact" in one)


# --- the annual cap ------------------------------------------------------------------------------------------------


def test_who_was_visited_twice_this_year_is_left_alone_but_for_named_exceptions(settings):
    entity = registered()
    checked(entity, date(2026, 3, 2), ORGANS[1])
    checked(entity, date(2025, 3, 2), ORGANS[1])
    visit_counts.may_visit(entity, "random", TODAY, settings)
    visited(entity, date(2026, 8, 1), type="statutory")
    with pytest.raises(
        CapReached, match=r"on 2 days in 2026.* the annual cap is 2\..*投诉举报核查 complaint_or_report"
    ) as refused:
        visit_counts.may_visit(entity, "random", TODAY, settings)
    assert refused.value.context["cap"] == refused.value.context["visits"] == 2
    for exempt in ("complaint_or_report", "transferred_lead", "statutory", "recheck"):
        visit_counts.may_visit(entity, exempt, TODAY, settings)
        assert frequency.exempt(settings, exempt, TODAY)
    # One entry, several items: a visit on a day on which somebody comes anyway is none more.
    visit_counts.may_visit(entity, "random", date(2026, 8, 1), settings)
    visit_counts.may_visit(entity, "random", date(2027, 1, 1), settings)
    visit_counts.may_visit(registered(), "key_supervision", TODAY, settings)


def test_two_teams_sent_at_once_do_not_go_beyond_the_cap_together(on_sqlite):
    entity = registered()
    checked(entity, date(2026, 3, 2))
    mine, theirs = visited(entity, state="open")[0], visited(entity, state="assigned")[0]
    with pytest.raises(CapReached, match="1 more under way"):
        visit_counts.may_visit(entity, "random", TODAY, on_sqlite, visit=mine)
    visit_counts.may_visit(entity, "random", TODAY, on_sqlite, visit=theirs)
    visit_counts.may_visit(entity, "random", TODAY, on_sqlite)
    Visit.update(state="dropped").where(Visit.id == theirs).execute()
    visit_counts.may_visit(entity, "random", TODAY, on_sqlite, visit=mine)


def test_visits_beyond_the_cap_are_those_that_nothing_allows_in_the_divisions_asked_for(settings):
    lawful, beyond, others = registered(), registered(division="990101"), registered(credit_code(division="990202"))
    days = [date(2026, month, 1) for month in (2, 4, 6, 8)]
    for day in days[:2]:
        for entity in (lawful, beyond, others):
            checked(entity, day, ORGANS[1])
    checked(lawful, days[2], ORGANS[1], purpose="complaint")
    checked(lawful, days[3], ORGANS[1], purpose="follow_up")
    visited(lawful, date(2026, 9, 1), type="transferred_lead")
    visited(lawful, date(2026, 9, 2), slice="recheck")
    visited(beyond, days[2])
    checked(others, days[3], ORGANS[1], purpose="routine")
    found = visit_counts.over_cap(settings, 2026)
    assert [(one.entity, one.cap, one.visits, one.beyond, one.ours) for one in found] == [
        (beyond, 2, 3, (days[2],), (days[2],)),
        (others, 2, 3, (days[3],), ()),
    ]
    assert [one.entity for one in visit_counts.over_cap(settings, 2026, ["9902"])] == [others]
    assert found[0].as_dict()["ours"] == ["2026-06-01"]
    assert visit_counts.over_cap(settings, 2024) == [], "no cap was in force"
    assert visit_counts.over_cap(settings, 2025) == []


def test_a_day_on_which_the_cap_lets_one_visit_pass_is_not_beyond_it_whoever_else_comes_along(on_sqlite):
    codes = [credit_code(), credit_code()]
    into, gone = (registered(code) for code in codes)
    third = date(2026, 6, 1)
    for day in (date(2026, 2, 1), date(2026, 4, 1)):
        checked(into, day, ORGANS[1])
    # A complaint took us there, under the entity's old name, and the other organ came with us.
    visited(gone, third, type="complaint_or_report")
    checked(gone, third, ORGANS[0], purpose="routine")
    merges.merge(codes[1], codes[0], reason="吸收合并", actor="cli:test", today=TODAY, now=NOW, schemes=[])
    checked(into, third, ORGANS[1], purpose="complaint")
    assert visit_counts.made([into], FIRST, LAST)["visits"].to_list() == [3]
    assert visit_counts.over_cap(on_sqlite, 2026) == []
    checked(into, date(2026, 7, 1), ORGANS[1], purpose="routine")
    checked(into, date(2026, 7, 1), ORGANS[0], purpose="complaint")
    assert visit_counts.over_cap(on_sqlite, 2026) == []
    checked(into, date(2026, 8, 1), ORGANS[0], purpose="routine")
    assert [one.beyond for one in visit_counts.over_cap(on_sqlite, 2026)] == [(date(2026, 8, 1),)]


# --- the table of this place ---------------------------------------------------------------------------------------


def test_the_table_is_read_again_when_its_file_changes_and_its_mistakes_are_told(on_sqlite, tmp_path):
    text = frequency.table(on_sqlite)
    path = tmp_path / "table.toml"
    source = (on_sqlite.path(on_sqlite.inspection.frequency)).read_text(encoding="utf-8")
    path.write_text(source, encoding="utf-8")
    elsewhere = replace(on_sqlite, inspection=Inspection(frequency=str(path)))
    assert frequency.table(elsewhere).hash == text.hash
    assert frequency.table(elsewhere) is frequency.table(elsewhere)
    path.write_text(source.replace("most  = 2\n", "most  = 14\n"), encoding="utf-8")
    assert frequency.table(elsewhere).annual_cap(day_number(TODAY)) == 14
    path.write_text(source.replace("highest = 200", "highest = 20_000_000"), encoding="utf-8")
    with pytest.raises(BadFrequencyTable, match=r"row.general_a.values.highest: is 20000000, outside 1 to 10000"):
        frequency.table(elsewhere)
    path.unlink()
    with pytest.raises(BadFrequencyTable, match="there is no such file"):
        frequency.table(elsewhere)


def test_a_plan_beyond_the_days_that_there_are_is_refused_with_the_numbers():
    frequency.fit(workload({"A": 8}, 90, 4, 4), day_minutes=360)
    with pytest.raises(
        PlanTooLarge, match=r"9 visits of 90 minutes by 2 .*: 6 inspector-days. There are 4, of 4 .*about 8 visits"
    ):
        frequency.fit(workload({"A": 9}, 90, 4, 4), day_minutes=360)
    with pytest.raises(PlanTooLarge, match="of 1 inspectors: enough for about 0 visits"):
        frequency.fit(workload({"A": 1}, 90, 1, 20), day_minutes=360)
