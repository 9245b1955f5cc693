"""Indicators that rest on a context, on norms, on other indicators and on other schemes."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from rules.dated import to_day
from rules.engine import facts_needed, grade, reads_context
from rules.errors import FrameError
from rules.explain import explain
from rules.given import NOTHING
from rules.kinds import KINDS
from rules.parts import Membership
from tests.rules.beside import OVER, frozen, override, set_by_persons, values
from tests.rules.frames import DAY, EVERYWHERE, NOWHERE, SCHEME, fact, facts, feeds, penalty, population

TRADE = fact("registration", DAY - 900, code=1300, amount=10**9, seq=1)


def told(*rows, beside=NOTHING, day=DAY, coverage=EVERYWHERE, scheme=OVER, **who):
    return explain(population((1, day), **who), facts(*rows), coverage, scheme, beside)[0]


def value(name, *rows, **more):
    return next(row.value for row in told(*rows, **more).indicators if row.id == name)


def records(name, *rows, **more):
    return next(row.records for row in told(*rows, **more).indicators if row.id == name)


def complaints(number, **more):
    return [fact("item_12315", DAY - 5, code=1, seq=100 + at, **more) for at in range(number)]


# --- context ---------------------------------------------------------------------------------------------------------


def test_a_context_says_its_value_and_zero_of_whom_it_does_not_name():
    beside = frozen((1, "related_abnormal", 3), (2, "related_abnormal", 9), (1, "same_address", 4))
    assert value("neighbours", beside=beside) == 3
    assert value("neighbours", beside=frozen((2, "related_abnormal", 9))) == 0
    assert records("neighbours", TRADE, beside=beside) == ()


def test_without_a_context_or_a_name_in_it_nobody_knows():
    assert value("neighbours") is None
    assert value("neighbours", beside=frozen((1, "related_abnormal", 3), names=frozenset({"same_address"}))) is None


def test_without_coverage_only_a_value_is_known():
    assert value("neighbours", beside=frozen((1, "related_abnormal", 3)), coverage=NOWHERE) == 3
    assert value("neighbours", beside=frozen((2, "related_abnormal", 3)), coverage=NOWHERE) is None
    assert value("neighbours", beside=frozen(), coverage=feeds(("relation", "", DAY, None))) == 0
    assert value("neighbours", beside=frozen(), coverage=feeds(("relation", "", DAY + 1, None))) is None


def test_a_registration_covers_what_a_context_says_of_registrations():
    assert value("housemates", TRADE, beside=frozen(), coverage=NOWHERE) == 0
    assert value("housemates", beside=frozen(), coverage=NOWHERE) is None
    assert value("housemates", fact("registration", DAY + 1), beside=frozen(), coverage=NOWHERE) is None


@pytest.mark.parametrize("far", [2, 10**12])
def test_values_are_found_whatever_the_entity_numbers_and_the_order_of_the_frame(far):
    rows = [(far, "related_abnormal", 2), (7, "related_abnormal", 1), (far, "related_abnormal", 5)]
    asked = population((far, DAY), (7, DAY), (3, DAY), (far, DAY + 1))
    for order in (rows, rows[::-1]):
        found = explain(asked, facts(), EVERYWHERE, OVER, frozen(*order))
        assert [next(row.value for row in one.indicators if row.id == "neighbours") for one in found] == [5, 1, 0, 5]


def test_relations_themselves_need_not_be_handed_to_the_engine():
    assert facts_needed(OVER) == facts_needed(SCHEME) | {KINDS["item_12315"]}


def test_a_scheme_reads_a_context_itself_or_through_another():
    assert reads_context(OVER)
    assert not reads_context(SCHEME)
    only_inside = replace(SCHEME, inner={"toy-context": OVER}, _compiled={})
    assert reads_context(only_inside)


# --- norms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "norm"), [(1299, None), (1300, 800), (1499, 800), (1500, None)])
def test_a_norm_is_that_of_the_industry_of_the_newest_registration(code, norm):
    moved = fact("registration", DAY - 1, code=code, seq=2)
    assert value("usual", TRADE, moved, beside=frozen(industry=800)) == norm
    assert records("usual", TRADE, moved, beside=frozen(industry=800)) == (2,)


def test_there_is_no_norm_without_a_registration_or_a_context():
    assert value("usual", beside=frozen(industry=800)) is None
    assert value("usual", TRADE) is None
    assert value("usual", TRADE, beside=frozen()) is None


@pytest.mark.parametrize(
    ("number", "norm", "percent"),
    [(3, 1000, 300), (1, 3000, 33), (0, 1000, 0), (1, 500, 200), (1, 499, 200), (1, 0, 200)],
)
def test_percent_of_a_norm_is_rounded_down_and_a_tiny_norm_counts_as_the_least(number, norm, percent):
    assert value("compared", TRADE, *complaints(number), beside=frozen(industry=norm)) == percent


def test_percent_of_a_norm_is_unknown_where_either_is():
    assert value("compared", *complaints(2), beside=frozen(industry=800)) is None
    feed = feeds(("registration", "", 0, None))
    assert value("compared", TRADE, beside=frozen(industry=800), coverage=feed) is None
    assert value("compared", TRADE, beside=frozen(industry=800)) == 0


def test_percent_of_a_norm_names_what_was_counted_and_the_registration_that_chose_the_norm():
    assert records("compared", TRADE, *complaints(2), beside=frozen(industry=800)) == (1, 100, 101)


# --- the grade of another scheme -------------------------------------------------------------------------------------


def test_the_grade_of_another_scheme_is_read_as_place_and_score():
    rows = [TRADE, penalty(severity=2, seq=7)]
    inner = told(*rows, scheme=SCHEME)
    assert (inner.class_, value("toy_class", *rows)) == ("C", 2)
    assert value("toy_score", *rows) == inner.score


def test_all_that_the_other_scheme_read_stands_behind_its_grade_and_in_the_digest():
    rows = [TRADE, penalty(severity=2, seq=7)]
    inner, outer = told(*rows, scheme=SCHEME), told(*rows)
    assert records("toy_score", *rows) == inner.records == (1, 7)
    assert set(inner.records) <= set(outer.records)
    assert told(TRADE, penalty(severity=2, seq=8)).digest != outer.digest


def test_a_class_that_a_person_set_in_the_other_scheme_is_read_with_the_ledger_row_that_says_so():
    beside = set_by_persons(override("D", DAY, DAY + 30, seq=77))
    assert value("toy_class", TRADE, beside=beside) == 3
    assert 77 in records("toy_class", TRADE, beside=beside)
    assert not [row for row in told(TRADE, beside=beside).points if row.rule.startswith("override")]


def test_where_the_other_scheme_grades_nobody_its_grade_is_unknown():
    other = replace(OVER, subjects=("branch",), rules={k: replace(v, subjects=("branch",)) for k, v in OVER.rules.items()}, _compiled={})  # fmt: skip
    found = told(TRADE, scheme=other, subject="branch")
    assert {row.id for row in found.indicators if row.value is None} >= {"toy_class", "toy_score", "both"}


def test_before_the_other_scheme_holds_its_grade_is_unknown_and_known_from_its_first_day():
    begins = to_day(date(2024, 5, 1))
    later = replace(SCHEME.cuts, spans=(replace(SCHEME.cuts.spans[0], start=begins), *SCHEME.cuts.spans[1:]))
    young = replace(SCHEME, cuts=later, boundaries=(begins, *SCHEME.boundaries[2:]), _compiled={})
    over = replace(OVER, inner={"toy": young}, _compiled={})
    assert value("toy_score", TRADE, day=begins - 1, scheme=over) is None
    assert value("toy_score", TRADE, day=begins, scheme=over) is not None
    assert ("2024-05-01", "grade: toy") in told(TRADE, day=begins - 9, scheme=over).breakpoints


def test_the_breakpoints_of_the_other_scheme_are_breakpoints():
    row = fact("abnormal_listing", DAY - 5, code=1, ends=DAY + 3)
    found = told(TRADE, row)
    assert found.next_day == "2024-04-04"
    assert found.breakpoints[0] == ("2024-04-04", "grade: toy")


# --- tables of two indicators ----------------------------------------------------------------------------------------


def checked(age):
    return fact("spot_check", DAY - age, seq=5)


@pytest.mark.parametrize(
    ("penalties", "age", "both"),
    [(0, 5, 0), (0, 100, 1), (0, 400, 2), (1, 100, 2), (1, 400, 3), (4, 5, 1), (4, 400, 3)],
)
def test_a_table_joins_two_indicators_and_what_lies_beyond_it_is_its_last(penalties, age, both):
    assert value("both", TRADE, *[penalty(severity=2) for _ in range(penalties)], checked(age)) == both


def test_an_indicator_far_beyond_the_table_is_its_last_column():
    assert value("checked", TRADE) == 9
    assert value("both", TRADE) == 2


def test_where_the_column_is_unknown_the_row_stands_for_both_and_without_the_row_there_is_nothing():
    rest = feeds(*((kind, "", 0, None) for kind in KINDS if kind != "spot_check"))
    row = fact("serious_listing", DAY)
    assert (value("toy_class", row, coverage=rest), value("checked", coverage=rest)) == (3, None)
    assert value("both", row, coverage=rest) == 3
    other = replace(OVER, inner={"toy": replace(SCHEME, subjects=("individual",), _compiled={})}, _compiled={})
    assert value("both", TRADE, checked(5), scheme=other) is None


def test_a_table_names_the_records_of_both_and_changes_on_its_day():
    assert records("both", TRADE, penalty(severity=2, seq=7), checked(5)) == (1, 5, 7)
    day = to_day(date(2025, 3, 1))
    listed = fact("serious_listing", DAY)
    old, new = (value("both", TRADE, listed, fact("spot_check", on - 5), day=on) for on in (day - 1, day))
    assert (old, new) == (1, 3)


# --- members ---------------------------------------------------------------------------------------------------------

HOLDERS = replace(SCHEME, members=Membership(KINDS["licence"], "licence", None, ""), _compiled={})


@pytest.mark.parametrize("day", [DAY - 4000, DAY, DAY + 300])
def test_a_scheme_grades_its_members_whatever_the_day_of_their_fact(day):
    asked = population((1, DAY), (2, DAY))
    graded = grade(asked, facts(fact("licence", day, entity=2), penalty()), EVERYWHERE, HOLDERS)
    assert graded["entity"].to_list() == [2]
    assert graded["digest"].to_list() == grade(asked, facts(), EVERYWHERE, SCHEME)["digest"].to_list()[1:]


def test_nobody_is_a_member_by_another_kind_of_fact_or_without_one():
    assert grade(population((1, DAY)), facts(penalty()), EVERYWHERE, HOLDERS).is_empty()
    assert KINDS["licence"] in facts_needed(HOLDERS)


def test_only_facts_that_satisfy_the_filter_make_members():
    where = SCHEME.indicators["listed_age"].where
    food = replace(SCHEME, members=Membership(KINDS["licence"], "licence", where, "code in (1, 2)"), _compiled={})
    rows = facts(fact("licence", DAY, code=3), fact("licence", DAY, entity=2, code=2))
    assert grade(population((1, DAY), (2, DAY)), rows, EVERYWHERE, food)["entity"].to_list() == [2]


def test_of_whom_the_other_scheme_has_no_member_the_grade_is_unknown():
    over = replace(OVER, inner={"toy": HOLDERS}, _compiled={})
    assert value("toy_score", TRADE, scheme=over) is None
    assert value("toy_score", TRADE, fact("licence", DAY), scheme=over) is not None


# --- frames ----------------------------------------------------------------------------------------------------------


def test_an_absent_context_and_overrides_of_others_change_nothing():
    asked, held = population((1, DAY), (2, DAY)), facts(TRADE, penalty(seq=9))
    plain = grade(asked, held, EVERYWHERE, SCHEME)
    beside = replace(frozen((1, "related_abnormal", 3)), overrides=set_by_persons(
        override("D", DAY, DAY + 9, seq=5, entity=3), override("D", DAY, DAY + 9, seq=6, scheme="general-risk"),
    ).overrides)  # fmt: skip
    assert grade(asked, held, EVERYWHERE, SCHEME, beside).equals(plain)


def test_a_context_of_another_type_is_refused_by_name():
    broken = replace(frozen(), context=values().with_columns(pl.col("value").cast(pl.Int32)))
    with pytest.raises(FrameError, match=r"Column 'value' of frame 'context' is Int32. Cast it to Int64."):
        grade(population((1, DAY)), facts(), EVERYWHERE, OVER, broken)
