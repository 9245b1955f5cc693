"""Working days are counted as the notices of the State Council Office say, and a year nobody has announced is not guessed."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import ConfigError
from registry.services import workdays
from registry.services.workdays import CalendarUnknown

YEARS = range(2019, 2027)
days = st.dates(date(2019, 1, 1), date(2026, 10, 31))


@pytest.mark.parametrize(
    ("day", "number", "end"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),  # over a plain weekend
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # the Saturday before the Spring Festival is worked
        (date(2026, 2, 14), 1, date(2026, 2, 24)),  # and nine days off follow
        (date(2026, 2, 27), 2, date(2026, 3, 2)),  # the Saturday after it is worked too
        (date(2025, 9, 30), 1, date(2025, 10, 9)),
        (date(2020, 1, 23), 1, date(2020, 2, 3)),  # the Spring Festival that was made longer
        (date(2019, 4, 30), 1, date(2019, 5, 5)),  # May 2019, moved by a second notice
        (date(2025, 12, 25), 5, date(2026, 1, 4)),  # over the year: 26, 29, 30, 31 December and Sunday 4 January
        (date(2026, 11, 21), 20, date(2026, 12, 18)),
    ],
)
def test_the_end_of_a_term_is_the_working_day_that_the_notices_make_it(day, number, end):
    assert workdays.add(day, number) == end
    assert workdays.between(day, end) == number


@pytest.mark.parametrize(
    ("year", "working"),
    [(2019, 250), (2020, 249), (2021, 250), (2022, 249), (2023, 249), (2024, 251), (2025, 248), (2026, 248)],
)
def test_every_year_has_as_many_working_days_as_the_calendar_on_the_wall(year, working):
    assert workdays.between(date(year, 1, 1), date(year, 12, 31)) + workdays.is_working(date(year, 1, 1)) == working


@pytest.mark.parametrize("year", YEARS)
def test_every_year_names_its_notice(year):
    assert f"关于{year}年部分节假日安排的通知" in workdays.of_year(year).source


@given(days, st.integers(1, 30))
def test_adding_and_counting_are_each_other_s_inverse(day, number):
    end = workdays.add(day, number)
    assert workdays.is_working(end)
    assert workdays.between(day, end) == number
    assert workdays.between(end, day) == -number
    assert workdays.due(day, number) == end


def test_a_year_without_a_file_is_refused_with_what_to_do():
    with pytest.raises(CalendarUnknown, match=r"Add registry/calendar/2027\.toml from the yearly notice"):
        workdays.add(date(2026, 12, 31), 1)
    with pytest.raises(CalendarUnknown, match="2018"):
        workdays.is_working(date(2018, 5, 1))


def test_a_duty_of_our_own_falls_due_sooner_rather_than_later_where_the_year_is_not_announced():
    assert workdays.due(date(2026, 12, 30), 3) == date(2027, 1, 2)
    assert workdays.due(date(2026, 12, 20), 3) == workdays.add(date(2026, 12, 20), 3)


def test_less_than_one_working_day_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        workdays.add(date(2026, 11, 21), 0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("year = 2026\n[[holiday]]\nfrom = 2026-01-01\nto = 2026-01-03", "name its source"),
        ("year = 2025\nsource = 'x'", "must say year = 2026"),
        ("year = 2026\nsource = 'x'", "names no holiday"),
        ("year = 2026\nsource = 'x'\n[[holiday]]\nfrom = 2026-01-03\nto = 2026-01-01", "cannot be"),
        ("year = 2026\nsource = 'x'\n[[holiday]]\nfrom = 2025-12-31\nto = 2026-01-01", "is not a day of 2026"),
        ("year = 2026\nsource = 'x'\nworked = [2026-01-05]", "is a weekday or a holiday"),
        ("year = 2026\nsource = 'x", "is not valid TOML"),
    ],
)
def test_a_file_that_says_what_cannot_be_is_refused_by_name(tmp_path, text, why):
    path = tmp_path / "2026.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=why):
        workdays.read(path, 2026)


def test_weekends_between_two_holidays_are_off():
    assert not any(workdays.is_working(date(2026, 2, 15) + timedelta(days=step)) for step in range(9))
