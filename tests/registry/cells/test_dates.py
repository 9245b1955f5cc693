"""Days as the systems of the organs write them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells import CellError
from registry.cells.dates import OPEN_END, day

A_DAY = date(2024, 3, 8)


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-08", "2024/3/8", "2024.3.8", "20240308", "2024年03月08日", "2024年3月8日", " 2024-3-8 ",
        "２０２４－３－８",
        "2024/3/8 16:55:21", "2024-03-08T10:00:00Z", "2024-03-08 23:59:59.999", "20240308101010",
        "2024年3月8日 10时30分",
        "2024-03-08 00:00:00+08:00",
    ],
)  # fmt: skip
def test_every_way_of_writing_a_day_is_read(text):
    assert day(text) == A_DAY


@given(st.dates(date(1900, 1, 1), date(2098, 12, 31)))
def test_a_day_is_read_back_however_it_was_printed(value):
    forms = [f"{value:%Y-%m-%d}", f"{value.year}/{value.month}/{value.day}", f"{value:%Y%m%d}", f"{value:%Y年%m月%d日}"]
    assert {day(form) for form in forms} == {value}
    assert day(f"{value:%d/%m/%Y}", order="dmy") == day(f"{value:%m/%d/%Y}", order="mdy") == value


def test_the_year_may_come_last_where_only_one_reading_is_possible():
    assert day("26/10/2023 10:00:00") == day("10/26/2023") == date(2023, 10, 26)
    assert day("5/5/2023") == date(2023, 5, 5)


def test_where_day_and_month_cannot_be_told_apart_the_file_must_say():
    with pytest.raises(CellError, match=r"order of the column in the mapping \(dmy or mdy\)"):
        day("03/04/2023")
    assert day("03/04/2023", order="dmy") == date(2023, 4, 3)
    assert day("03/04/2023", order="mdy") == date(2023, 3, 4)


@pytest.mark.parametrize("text", ["", " ", "无", "N/A", "-", "/"])
def test_a_blank_day_is_none(text):
    assert day(text) is None


@pytest.mark.parametrize("text", ["9999-12-31", "2099-12-31", "2099/12/31 00:00:00", "长期", "99991231"])
def test_no_set_end_is_one_constant_and_never_in_the_future(text):
    assert day(text, A_DAY) == OPEN_END


@pytest.mark.parametrize("text", ["2023-02-29", "2024-13-01", "2012年9月31日", "31/02/2024", "20241301", "0000-01-01"])
def test_a_day_that_does_not_exist_is_named(text):
    with pytest.raises(CellError, match="no such day") as error:
        day(text)
    assert error.value.text == text


@pytest.mark.parametrize("text", ["yesterday", "2024-03", "24-03-08", "2024-03/08", "三月八日", "1899", "2024-03-08x"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(CellError, match="not a day"):
        day(text)


def test_a_day_before_1900_is_refused():
    with pytest.raises(CellError, match="before 1900"):
        day("1024-03-08")


def test_a_day_after_today_is_refused_when_today_is_given():
    assert day("2024-03-08", A_DAY) == A_DAY
    with pytest.raises(CellError, match="after today"):
        day("2024-03-09", A_DAY)
    assert day("2024-03-09") == A_DAY + timedelta(days=1)


def test_spreadsheet_serials_are_read_only_where_the_column_may_hold_them():
    assert day("44744", serial=True) == date(2022, 7, 2)
    assert day("44744.5", serial=True) == date(2022, 7, 2)
    with pytest.raises(CellError, match="serial number of a day"):
        day("44744")


def test_epoch_milliseconds_give_the_day_in_china():
    assert day("1709913599000", epoch=True) == A_DAY  # 23:59:59 in Beijing
    assert day("1709913600000", epoch=True) == A_DAY + timedelta(days=1)
    with pytest.raises(CellError, match="not a day"):
        day("1709913599000")
