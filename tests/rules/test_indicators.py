"""Every measure, on its boundary days: the last day inside and the first day outside."""

from datetime import date

import pytest

from rules.dated import to_day
from rules.explain import explain
from tests.rules.frames import DAY, EVERYWHERE, NOWHERE, SCHEME, fact, facts, feeds, penalty, population


def indicators(*rows, day=DAY, coverage=EVERYWHERE, subject="enterprise", division="990102"):
    found = explain(population((1, day), subject=subject, division=division), facts(*rows), coverage, SCHEME)
    return {row.id: row for row in found[0].indicators}


def value(name, *rows, **more):
    return indicators(*rows, **more)[name].value


def records(name, *rows, **more):
    return indicators(*rows, **more)[name].records


@pytest.mark.parametrize(("age", "count"), [(-1, 0), (0, 1), (364, 1), (365, 0)])
def test_count_holds_from_the_day_of_the_fact_to_the_last_day_of_the_window(age, count):
    assert value("penalties", penalty(age)) == count


def test_count_leaves_out_what_the_filter_leaves_out():
    assert value("penalties", penalty(severity=1), penalty(severity=2), penalty(severity=3)) == 2


def test_facts_of_another_entity_or_kind_do_not_count():
    assert value("penalties", penalty(entity=2), fact("spot_check", DAY, severity=3)) == 0


@pytest.mark.parametrize(("age", "fines"), [(729, 3), (730, 0)])
def test_sum_is_divided_once_at_the_end_and_rounded_down(age, fines):
    assert value("fines", penalty(age, amount=199), penalty(age, amount=199)) == fines


def test_sum_reads_only_facts_that_add_something():
    assert records("fines", penalty(amount=0, seq=71), penalty(amount=5, seq=72)) == (72,)


@pytest.mark.parametrize(("age", "worst"), [(299, 3), (300, 1)])
def test_max_is_the_greatest_in_the_window(age, worst):
    assert value("worst", penalty(age, 3), penalty(10, 1)) == worst


def test_max_reads_those_that_are_greatest():
    assert records("worst", penalty(1, 3, seq=71), penalty(2, 3, seq=72), penalty(3, 1, seq=73)) == (71, 72)


@pytest.mark.parametrize(("age", "load"), [(0, 3), (99, 3), (100, 1), (299, 1), (300, 0)])
def test_load_weighs_severity_by_steps_of_age(age, load):
    assert value("load", penalty(age, 3)) == load


def test_load_rounds_the_sum_and_not_each_part():
    assert value("load", penalty(150, 1), penalty(150, 1)) == 1


@pytest.mark.parametrize(("ends", "listed"), [(None, 1), (DAY + 1, 1), (DAY, 0)])
def test_open_counts_until_the_day_before_the_end(ends, listed):
    assert value("listed", fact("abnormal_listing", DAY - 5, code=1, ends=ends)) == listed


@pytest.mark.parametrize(("age", "step"), [(0, 1), (29, 1), (30, 2), (364, 2), (365, 3)])
def test_open_age_counts_the_edges_that_the_oldest_open_fact_has_reached(age, step):
    oldest = fact("abnormal_listing", DAY - age, code=1, seq=71)
    older_but_ended = fact("abnormal_listing", DAY - 900, code=1, ends=DAY)
    assert value("listed_age", oldest, older_but_ended, fact("abnormal_listing", DAY, code=2)) == step


def test_open_age_is_zero_when_nothing_is_open():
    assert value("listed_age", fact("abnormal_listing", DAY - 9, code=1, ends=DAY)) == 0


@pytest.mark.parametrize(("age", "step"), [(89, 0), (90, 1), (365, 2)])
def test_age_counts_the_edges_that_the_newest_fact_has_reached(age, step):
    newest, older = fact("spot_check", DAY - age, seq=71), fact("spot_check", DAY - age - 1, seq=72)
    assert value("checked", newest, older) == step
    assert records("checked", newest, older) == (71,)


def test_age_can_look_at_the_first_fact():
    first, later = fact("annual_report", DAY - 400, code=2022), fact("annual_report", DAY - 1, code=2023)
    assert value("first_report", first, later) == 1


def test_age_without_a_fact_is_what_the_scheme_says():
    assert value("checked") == 9


@pytest.mark.parametrize("order", [1, -1])
def test_last_takes_the_newest_and_of_one_day_the_one_known_last(order):
    rows = [
        fact("spot_check", DAY - 1, code=5, seq=79),
        fact("spot_check", DAY, code=3, seq=71),
        fact("spot_check", DAY, code=4, seq=72),
    ][::order]
    assert value("check_result", *rows) == 4
    assert records("check_result", *rows) == (72,)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("seq", [71, 2**40])
def test_of_two_facts_of_one_ledger_row_the_choice_does_not_depend_on_their_order(order, seq):
    rows = [fact("spot_check", DAY, code=3, seq=seq), fact("spot_check", DAY, code=4, seq=seq)][::order]
    assert value("check_result", *rows) == 4


@pytest.mark.parametrize(("age", "code"), [(199, 5), (200, 0)])
def test_last_forgets_what_left_the_window(age, code):
    assert value("check_result", fact("spot_check", DAY - age, code=5)) == code


@pytest.mark.parametrize(("code", "step"), [(1299, 1), (1300, 7), (1499, 7), (1500, 1), (5100, 3), (5300, 1)])
def test_lookup_finds_the_range_and_else_the_otherwise(code, step):
    assert value("industry", fact("registration", DAY - 1000, code=code)) == step


@pytest.mark.parametrize(("ends", "flag"), [(None, 0), (DAY + 31, 0), (DAY + 30, 1), (DAY - 1, 1)])
def test_expired_looks_ahead_as_many_days_as_it_is_told(ends, flag):
    assert value("term_ending", fact("registration", DAY - 1000, ends=ends)) == flag


def reports_missing(on, established, *years):
    day = to_day(date.fromisoformat(on))
    born = fact("registration", to_day(date.fromisoformat(established)), seq=71)
    filed = [fact("annual_report", day, code=year, seq=year) for year in years]
    return value("reports_missing", born, *filed, day=day)


def test_a_report_is_missing_from_the_first_of_july_on():
    assert reports_missing("2024-06-30", "2022-05-01", 2022) == 0
    assert reports_missing("2024-07-01", "2022-05-01", 2022) == 1


def test_the_year_of_establishment_is_owed_and_years_before_it_are_not():
    assert reports_missing("2025-06-30", "2024-12-31") == 0
    assert reports_missing("2025-07-01", "2024-12-31") == 1
    assert reports_missing("2025-07-01", "2025-01-01") == 0


def test_only_the_last_years_are_looked_at():
    assert reports_missing("2025-07-01", "2000-01-01") == 3
    assert reports_missing("2025-07-01", "2000-01-01", 2021, 2020) == 3
    assert reports_missing("2025-07-01", "2000-01-01", 2024, 2024, 2022) == 1


def test_missing_reports_name_the_registration_and_the_reports_looked_at():
    day = to_day(date(2025, 7, 1))
    rows = [fact("registration", 0, seq=71), *(fact("annual_report", day, code=y, seq=y) for y in (2021, 2022, 2024))]
    assert records("reports_missing", *rows, day=day) == (71, 2022, 2024)


def test_reports_of_somebody_who_is_not_registered_are_unknown():
    assert value("reports_missing", fact("annual_report", DAY, code=2022)) is None


def test_whoever_is_asked_about_beside_somebody_not_registered_none_of_his_reports_is_named():
    rows = [fact("annual_report", DAY, code=2022, seq=5), fact("registration", DAY - 900, entity=2, seq=6)]
    alone, beside = (
        explain(population(*asked), facts(*rows), EVERYWHERE, SCHEME)[0] for asked in ([(1, DAY)], [(1, DAY), (2, DAY)])
    )
    assert next(row.records for row in beside.indicators if row.id == "reports_missing") == ()
    assert beside == alone


def test_without_coverage_nothing_is_zero():
    assert {row.value for row in indicators(coverage=NOWHERE).values()} == {None}


def test_a_fact_makes_its_indicator_known_without_coverage():
    found = indicators(penalty(), coverage=NOWHERE)
    assert found["penalties"].value == 1
    assert found["checked"].value is None


def test_a_registration_covers_all_that_a_registration_says():
    found = indicators(fact("registration", DAY - 9, code=1300, severity=2), coverage=NOWHERE)
    assert [found[name].value for name in ("industry", "state", "term_ending")] == [7, 2, 0]


@pytest.mark.parametrize(
    ("start", "end", "known"),
    [
        (DAY + 1, None, None),
        (DAY, None, 0),
        (0, DAY - 364, 0),
        (0, DAY - 365, None),
    ],
)
def test_coverage_counts_if_it_touches_the_window(start, end, known):
    assert value("penalties", coverage=feeds(("penalty", "", start, end))) == known


@pytest.mark.parametrize(("prefix", "known"), [("", 0), ("99", 0), ("990102", 0), ("990103", None)])
def test_coverage_holds_for_its_divisions(prefix, known):
    assert value("penalties", coverage=feeds(("penalty", prefix, 0, None))) == known


def reports_under(*fed, on="2025-07-01", established="2000-01-01", years=(), division="990102"):
    """Missing reports where feeds of reports were connected from one day to another (None: still), for a prefix."""
    day = to_day(date.fromisoformat(on))
    filed = [fact("annual_report", day, code=year) for year in years]
    coverage = feeds(
        *(
            ("annual_report", prefix, to_day(date.fromisoformat(first)), end and to_day(date.fromisoformat(end)))
            for prefix, first, end in fed
        )
    )
    born = fact("registration", to_day(date.fromisoformat(established)))
    return value("reports_missing", born, *filed, day=day, coverage=coverage, division=division)


@pytest.mark.parametrize(
    ("first", "end", "missing"),
    [
        ("2025-07-01", None, 1),
        ("2025-07-02", None, None),
        ("2024-07-02", None, 1),
        ("2024-07-01", None, 2),
        ("2020-01-01", None, 3),
        ("2020-01-01", "2024-07-01", 2),
        ("2020-01-01", "2024-06-30", 1),
        ("2020-01-01", "2023-06-30", None),
    ],
)
def test_a_year_is_missing_only_where_a_feed_covered_the_day_it_was_due(first, end, missing):
    assert reports_under(("", first, end), on="2025-07-03") == missing


def test_two_feeds_with_a_gap_charge_nobody_with_the_year_of_the_gap():
    assert reports_under(("", "2020-01-01", "2023-12-31"), ("", "2025-01-01", None)) == 2


def test_a_feed_of_another_division_says_nothing_about_a_deadline():
    fed = ("990203", "2020-01-01", None)
    assert reports_under(fed) is None
    assert reports_under(fed, division="990203") == 3


def test_a_report_makes_the_years_known_and_the_uncovered_ones_stay_uncharged():
    assert reports_under(years=(2023,)) == 0
    assert reports_under(("", "2025-01-01", None), years=(2023,)) == 1
    assert reports_under(("", "2025-01-01", None), years=(2024,)) == 0


def test_only_the_feed_of_a_year_that_was_owed_makes_zero_of_nothing():
    until_2024 = ("", "2020-01-01", "2024-12-31")
    assert reports_under(until_2024, established="2024-03-01") is None  # owed 2024, and nobody was listening
    assert reports_under(until_2024, established="2025-03-01") == 0  # owed nothing yet
    assert reports_under(established="2025-03-01") is None
