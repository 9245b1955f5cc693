"""Which visits a model learns from, what counts as a failure, and what may be known when the list is drawn up."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.dated import to_day
from rules.model.units import CHECK, TELLS_NOTHING, Outcome, UnitRule, quarters, units, visits, with_features
from tests.rules.frames import DAY, EVERYWHERE, facts, population
from tests.rules.model.checks import RECORD, check

QUARTER = (DAY, DAY + 91)  # DAY is 1 April 2024
ANY = Outcome(severity=1)
PLAIN = UnitRule()


def chosen(*checks, outcome=ANY, rule=PLAIN, periods=(QUARTER,)):
    return units(facts(*(row for one in checks for row in one)), outcome, rule, periods)


def test_quarters_begin_with_that_of_the_first_day_and_end_where_they_are_told():
    found = quarters(date(2024, 2, 10), date(2024, 8, 15))
    assert [to_day(date(2024, month, 1)) for month in (1, 4, 7)] == [start for start, _ in found]
    assert found[-1][1] == to_day(date(2024, 8, 15))
    assert quarters(date(2024, 4, 1), date(2024, 4, 1)) == []


def test_a_visit_is_frozen_on_the_first_day_of_its_period():
    found = chosen(check(DAY), check(DAY + 90, entity=2), check(DAY + 91, entity=3), check(DAY - 1, entity=4))
    assert found.select("entity", "day", "visit", "period").rows() == [(1, DAY, DAY, DAY), (2, DAY, DAY + 90, DAY)]


def test_an_outcome_counts_problems_of_its_severity_and_graver():
    made = check(DAY, serious=1, minor=4)
    assert chosen(made, outcome=Outcome(3, 1))["y"].to_list() == [1]
    assert chosen(made, outcome=Outcome(3, 2))["y"].to_list() == [0]
    assert chosen(made, outcome=Outcome(1, 5))["y"].to_list() == [1]
    assert chosen(made, outcome=Outcome(2, 2))["y"].to_list() == [0]


def test_records_of_one_day_are_one_visit():
    found = chosen(check(DAY + 3, minor=1, seq=7), check(DAY + 3, serious=1, seq=8), outcome=Outcome(1, 2))
    assert found.select("visit", "seq", "y").rows() == [(DAY + 3, 7, 1)]


def test_what_only_looks_again_is_no_unit_and_still_history():
    made = [check(DAY - 30, serious=2), check(DAY + 1, purpose=2), check(DAY + 20, minor=1)]
    assert chosen(*made)["visit"].to_list() == [DAY + 20]
    assert chosen(*made, rule=UnitRule(least_gap=20))["visit"].to_list() == []
    assert chosen(*made, rule=UnitRule(least_gap=19, history=2))["visit"].to_list() == [DAY + 20]
    assert chosen(*made, rule=UnitRule(history=3))["visit"].to_list() == []


def test_a_visit_weighs_by_the_chance_that_the_draw_gave_it():
    found = chosen(check(DAY, inclusion=20_000), check(DAY, entity=2))
    assert found.select("entity", "weight").rows() == [(1, 50.0), (2, None)]


@pytest.mark.parametrize("result", TELLS_NOTHING)
def test_who_was_not_met_neither_failed_nor_passed(result):
    made = [{**row, "code": result} if row["kind"] == CHECK else row for row in check(DAY + 3, problems=1)]
    assert chosen(made).height == 0
    assert chosen(made, check(DAY + 3)).height == 1  # another record of the day met somebody
    assert chosen(made, check(DAY + 60), rule=UnitRule(history=1)).height == 1  # and it is history


def test_of_several_records_of_a_day_the_one_that_a_draw_chose_says_how_likely_it_was():
    drawn, called = check(DAY, inclusion=50_000, seq=9), check(DAY, seq=3)
    assert chosen(called, drawn).select("seq", "weight").rows() == [(3, 20.0)]


def test_visits_know_the_gap_and_the_number_before():
    found = visits(facts(*check(DAY), *check(DAY + 40), *check(DAY + 5, entity=2)))
    assert found.select("entity", "visit", "gap", "earlier").rows() == [
        (1, DAY, None, 0), (1, DAY + 40, 40, 1), (2, DAY + 5, None, 0)
    ]  # fmt: skip


def _frozen(rows):
    table = facts(*rows)
    picked = units(table, ANY, UnitRule(), (QUARTER,))
    who = population(*((entity, 0) for entity in picked["entity"].unique())).select("entity", "subject", "division")
    return with_features(picked, who, table, EVERYWHERE, RECORD)


def test_features_stand_as_on_the_day_before_the_list_is_drawn_up():
    rows = [*check(DAY - 1, problems=2), *check(DAY, entity=1, serious=1)]
    found = _frozen(rows)
    assert found["visits_ever"].to_list() == [1]
    assert found["problem_age"].to_list() == [0]
    assert found["serious_age"].to_list() == [10]  # never


@given(st.lists(st.tuples(st.integers(DAY, DAY + 120), st.integers(0, 3), st.sampled_from([1, 2, 3])), max_size=6))
def test_nothing_from_the_freeze_day_on_moves_a_feature(later):
    """The visit itself, and all that follows, may be anything: whoever drew up the list could not know."""
    before = [*check(DAY - 200, minor=2), *check(DAY - 20, serious=1)]
    unit = check(DAY + 30, problems=1)
    alone = _frozen([*before, *unit])
    also = [
        row
        for day, serious, purpose in later
        if day != DAY + 30
        for row in check(day, serious=serious, purpose=purpose)
    ]
    beside = _frozen([*before, *unit, *also])
    own = [name for name in alone.columns if name in RECORD.indicators]
    held = beside.filter(pl.col("visit") == DAY + 30)
    assert held.select(own).rows() == alone.select(own).rows()
