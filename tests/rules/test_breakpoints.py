"""The next day on which time alone may change a grade: it may come early, but never late."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings

from rules.dated import to_day
from rules.engine import grade
from rules.explain import explain
from tests.rules.frames import DAY, EVERYWHERE, SCHEME, fact, facts, feeds, penalty, population
from tests.rules.strategies import DIVISIONS, FIRST, LAST, coverages, fact_rows


@settings(max_examples=50, deadline=None)
@given(fact_rows(entities=6, most=40), coverages)
def test_the_grade_of_any_day_is_that_of_the_last_breakpoint_not_after_it(rows, coverage):
    days = range(FIRST, LAST)
    asked = pl.concat(
        population(*((entity, day) for day in days), subject=subject, division=DIVISIONS[entity % 2])
        for entity in range(1, 7)
        for subject in [("enterprise", "individual")[entity % 2]]
    )
    graded = grade(asked, facts(*rows), coverage, SCHEME).sort("entity", "day")
    for _, one in graded.group_by("entity"):
        anchor = None
        for day, *said, following, digest in (
            one.sort("day").select("day", "class", "score", "decided_by", "next_day", "digest").iter_rows()
        ):
            assert following is None or following > day
            if anchor is None or (anchor[1] is not None and day >= anchor[1]):
                anchor = ([*said, digest], following)
            assert [*said, digest] == anchor[0], f"changed on day {day} without a breakpoint"


def next_day(*rows, day=DAY, coverage=EVERYWHERE):
    return grade(population((1, day)), facts(*rows), coverage, SCHEME)["next_day"][0]


JULY = to_day(date(2025, 7, 1))
LATE = to_day(date(2025, 4, 1))  # every dated value of the scheme has had its last change


def test_the_next_deadline_is_a_breakpoint_for_everybody():
    assert next_day(day=LATE) == JULY
    assert next_day(day=JULY - 1) == JULY
    assert next_day(day=JULY) == to_day(date(2026, 7, 1))


def test_the_next_dated_value_is_a_breakpoint():
    assert next_day(day=DAY) == to_day(date(2024, 5, 1))


@pytest.mark.parametrize(
    ("row", "after"),
    [
        (penalty(day=LATE, age=364), 1),  # leaves the window of a year
        (penalty(day=LATE, age=199, severity=1), 1),  # reaches a step edge
        (fact("abnormal_listing", LATE - 5, ends=LATE + 3), 3),
        (fact("abnormal_listing", LATE - 20, code=1), 10),  # reaches thirty days on the list
        (fact("registration", LATE - 900, ends=LATE + 37), 7),  # thirty days ahead of the end
        (fact("penalty", LATE + 2), 2),  # known today, holds from a later day
        (fact("spot_check", LATE - 89), 1),
    ],
)
def test_a_fact_moves_the_grade_on_its_own_days(row, after):
    assert next_day(row, day=LATE) == LATE + after


def test_coverage_that_begins_or_leaves_a_window_is_a_breakpoint():
    assert next_day(day=LATE, coverage=feeds(("penalty", "", LATE + 4, None))) == LATE + 4
    assert next_day(day=LATE, coverage=feeds(("spot_check", "", 0, LATE - 198))) == LATE + 2
    assert next_day(day=LATE, coverage=feeds(("penalty", "12", LATE + 4, None))) == JULY


def test_a_feed_of_reports_that_begins_between_deadlines_charges_nobody_before_the_next_deadline():
    from_august = feeds(("annual_report", "", to_day(date(2025, 8, 1)), None))
    old = fact("registration", 0)
    asked = population(*((1, day) for day in range(JULY, JULY + 400)))
    found = [one.indicators for one in explain(asked, facts(old), from_august, SCHEME)]
    values = [next(row.value for row in each if row.id == "reports_missing") for each in found]
    assert values == [None] * 365 + [1] * 35
