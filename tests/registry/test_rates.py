"""Failure rates of a registry: of which class a check is, which checks count, and who is asked about."""

from datetime import date, timedelta

import pytest

from registry.clock import day_number
from registry.database import execute, insert_rows, write
from registry.models import GradeState
from registry.services import book, ledger, rates
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
ON = date(2026, 5, 5)
CLEAN, FAULTY, NOBODY_MET, SHUT = ({"results": [{"code": code}]} for code in ("1", "3", "4", "6"))


def scheme_of(settings):
    return book.in_force(settings, "general-risk", on=TODAY)


def graded(settings, entity, class_, *, on=date(2026, 1, 1), known=None):
    """A grade in the history of an entity."""
    version = book.version_of(scheme_of(settings))
    with write():
        insert_rows(
            "grade",
            ("entity", "version_id", "day", "known", "class", "score", "digest"),
            [(entity, version, day_number(on), ledger.head() if known is None else known, class_, 100, bytes(32))],
        )
    return entity


def enterprise(settings, class_, division="990101"):
    return graded(settings, registered(credit_code(division=division)), class_)


def rows(settings, divisions=("",), **given):
    found = rates.by_class(scheme_of(settings), FIRST, LAST, divisions, **given)
    return {row["class"]: row for row in found}


def test_quiet_and_suspicious_entities_count_for_as_many_as_the_draw_left_out(settings):
    # Of the worst class every other one was drawn for cause; of the best, one in fifty.
    for found in (FAULTY, FAULTY, CLEAN, CLEAN):
        record(enterprise(settings, "D"), "spot_check", checked_on=ON, inclusion=500_000, **found)
    for found in (FAULTY, CLEAN, CLEAN):
        record(enterprise(settings, "A"), "spot_check", checked_on=ON, inclusion=20_000, **found)
    # Nobody drew this one: it counts in the plain share of all checks alone.
    record(enterprise(settings, "D"), "spot_check", checked_on=ON, purpose="complaint", **FAULTY)
    found = rows(settings)
    assert list(found) == ["A", "B", "C", "D", "all"]
    assert (found["D"]["checks"], found["D"]["drawn"], found["D"]["naive_rate"], found["D"]["rate"]) == (5, 4, 0.6, 0.5)
    assert (found["D"]["total_failures"], found["D"]["represents"]) == (4.0, 8.0)
    everybody = found["all"]
    assert everybody["naive_rate"] == 0.5
    assert everybody["rate"] == pytest.approx((2 * 2 + 50) / (4 * 2 + 3 * 50), abs=1e-6)
    assert everybody["low"] < everybody["rate"] < everybody["naive_rate"] < everybody["high"]
    assert (found["B"]["checks"], found["B"]["naive_rate"], found["B"]["rate"], found["B"]["high"]) == (
        0,
        None,
        None,
        1,
    )


def test_a_rate_that_rests_on_those_who_were_visited_for_certain_is_withheld_unless_they_are_all_there_are(settings):
    for number in range(3):
        record(
            enterprise(settings, "D"), "spot_check", checked_on=ON, inclusion=1_000_000, **(FAULTY if number else CLEAN)
        )
    record(enterprise(settings, "D"), "spot_check", checked_on=ON, inclusion=10_000, **CLEAN)
    drawn = [
        record(enterprise(settings, "C"), "spot_check", checked_on=ON, inclusion=10_000, **CLEAN) for _ in range(20)
    ]
    record(enterprise(settings, "C"), "spot_check", checked_on=ON, inclusion=1_000_000, **FAULTY)
    unvisited = registered()
    GradeState.create(
        scheme="general-risk",
        entity=unvisited,
        version=1,
        day=0,
        known=0,
        class_="D",
        rank=3,
        score=0,
        digest=bytes(32),
    )
    found = rows(settings)
    assert len(drawn) == 20
    assert (found["C"]["withheld"], found["C"]["rate"]) == ("", pytest.approx(1 / 2001, abs=1e-6))
    assert "Only 1 of those who were met were drawn by lot" in found["D"]["withheld"]
    assert [found["D"][name] for name in rates.ESTIMATED] == [None] * len(rates.ESTIMATED)
    assert (found["D"]["drawn"], found["D"]["failures"], found["D"]["naive_rate"]) == (4, 2, 0.5)
    assert found["all"]["rate"] is not None
    # Who is no longer open is nobody of whom the rate would be.
    execute("UPDATE entity SET status = 3 WHERE id = ?", (unvisited,))
    assert (rows(settings)["D"]["withheld"], rows(settings)["D"]["drawn"]) == ("", 4)


def test_the_class_is_the_one_with_which_the_day_of_the_check_began(settings):
    entity = enterprise(settings, "A")
    graded(settings, entity, "B", on=ON - timedelta(days=1))
    record(entity, "spot_check", checked_on=ON, inclusion=100_000, **FAULTY)
    # Graded with what the check found: on its day, and on an earlier day that was asked about again.
    graded(settings, entity, "D", on=ON)
    graded(settings, entity, "C", on=ON - timedelta(days=1))
    found = rows(settings)
    assert [name for name, row in found.items() if row["drawn"]] == ["B", "all"]


def test_grades_of_another_scheme_do_not_count(settings):
    entity = enterprise(settings, "A")
    record(entity, "spot_check", checked_on=ON, inclusion=100_000)
    found = rates.by_class(book.in_force(settings, "food-producer", on=TODAY), FIRST, LAST)
    assert [row["class"] for row in found if row["drawn"]] == ["ungraded", "all"]


def test_who_was_not_met_is_told_apart_from_who_had_no_fault(settings):
    for found in (FAULTY, CLEAN, CLEAN, NOBODY_MET, SHUT):
        record(enterprise(settings, "B"), "spot_check", checked_on=ON, inclusion=250_000, **found)
    row = rows(settings)["B"]
    assert (row["drawn"], row["answered"], row["checks"], row["failures"]) == (4, 3, 3, 1)
    assert (row["response_rate"], row["rate"]) == (0.75, pytest.approx(1 / 3, abs=1e-6))
    assert (row["least"], row["most"]) == (0.25, 0.5)


def test_only_faults_of_the_severity_asked_about_count(settings):
    entity = enterprise(settings, "C")
    record(entity, "spot_check", checked_on=ON, inclusion=100_000, minor_found=3)
    assert [rows(settings, severity=least)["C"]["rate"] for least in (1, 2, 3)] == [1.0, 0.0, 0.0]


def test_two_records_of_one_day_are_one_check(settings):
    entity = enterprise(settings, "C")
    record(entity, "spot_check", checked_on=ON, inclusion=100_000, document_no="甲1", **CLEAN)
    record(entity, "spot_check", checked_on=ON, document_no="甲2", **FAULTY)
    record(entity, "spot_check", checked_on=ON + timedelta(days=90), inclusion=100_000, document_no="甲3", **CLEAN)
    row = rows(settings)["C"]
    assert (row["checks"], row["drawn"], row["failures"], row["rate"]) == (2, 2, 1, 0.5)


def test_a_withdrawn_check_and_one_outside_the_span_or_the_divisions_are_not_read(settings):
    kept = enterprise(settings, "A", division="990102")
    record(kept, "spot_check", checked_on=ON, inclusion=100_000)
    record(kept, "spot_check", checked_on=FIRST - timedelta(days=1), inclusion=100_000)
    record(enterprise(settings, "A", division="990203"), "spot_check", checked_on=ON, inclusion=100_000)
    seen = record(kept, "spot_check", checked_on=LAST - timedelta(days=60), inclusion=100_000, **FAULTY)
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        pen.withdraw(seen.seq, source="test", reason="撤销")
    assert rows(settings)["all"]["drawn"] == 2
    assert rows(settings, ["9901"])["all"]["drawn"] == 1
    assert rows(settings, ["990102", "990203"])["all"]["drawn"] == 2
    assert rows(settings, [])["all"]["drawn"] == 0
