"""From which day on two contents of a scheme decide otherwise."""

from datetime import date

import pytest

from registry import clock
from registry.config import Settings
from registry.services import book
from registry.services.scheme_days import first_difference
from rules.scheme import from_content, load_files
from tests.registry.proposing import local

SINCE = clock.day_number(date(2026, 11, 21))
LATER = date(2027, 1, 1)
BASIS = 'basis = { instrument = "Invented", kind = "product_default" }'


def read(files, inner=None):
    return load_files(files, "local-look", book.numbers(), inner)


def changed(file, old, new):
    files = local()
    assert files[file].count(old) == 1
    return files | {file: files[file].replace(old, new)}


def dated(points, first):
    """The local scheme with other points for a penalty from a day on."""
    was = f'from = 2020-01-01\nvalue = 10\nunit = "point"\n{BASIS}\n'
    now = was.replace("2020-01-01", f"2020-01-01\nuntil = {first}")
    after = f'\n[[rule.penalised.parameter.points_each]]\nfrom = {first}\nvalue = {points}\nunit = "point"\n{BASIS}\n'
    return read(changed("rules/penalty.toml", was, now + after))


def test_a_value_that_begins_later_makes_the_first_difference_on_its_day():
    old, new = read(local()), dated(20, LATER)
    assert first_difference(old, new, since=SINCE) == clock.day_number(LATER)
    assert first_difference(new, old, since=SINCE) == clock.day_number(LATER)
    after = clock.day_number(LATER) + 40
    assert first_difference(old, new, since=after) == after


def test_a_new_span_with_the_value_there_was_makes_none():
    assert first_difference(read(local()), dated(10, LATER), since=SINCE) is None


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rules/penalty.toml", "penalties >= 1", "penalties >= 2"),
        ("rules/penalty.toml", "value = 10", "value = 11"),
        ("scheme.toml", "to = 49", "to = 39"),
        ("scheme.toml", "highest = 100\n", "highest = 100\nbase = 5\n"),
        ("indicators/penalty.toml", '"count"\n', '"count"\nwindow = 365\n'),
    ],
)
def test_what_decides_on_every_day_differs_at_once(file, old, new):
    files = local()
    at = files[file].rindex(old)
    files[file] = files[file][:at] + new + files[file][at + len(old) :]
    assert first_difference(read(local()), read(files), since=SINCE) == SINCE


def test_words_decide_nothing():
    other = read(changed("rules/penalty.toml", '"Penalised"', '"Was penalised"'))
    assert other.hash != read(local()).hash
    assert first_difference(read(local()), other, since=SINCE) is None


def test_a_scheme_whose_grade_it_reads_differs_for_it_too(on_sqlite: Settings):
    combined = book.shipped(on_sqlite)["combined"]
    rebased = from_content(
        combined.content, book.numbers(), {**combined.inner, "general-risk": read(local("general-risk"))}
    )
    assert first_difference(combined, rebased, since=SINCE) == SINCE
    assert first_difference(combined, combined, since=SINCE) is None
