"""Two schemes held side by side over a registry: nobody is missed, nothing is written, and the figures add up."""

from dataclasses import replace

import pytest

from registry.clock import day_number
from registry.database import execute
from registry.errors import SchemeNotInForce
from registry.models import Entity
from registry.services import book, frequency, grading, ledger, standing, whatif
from registry.services.whatif import ComparisonRunning
from rules.scheme import load_files
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.proposing import heavier

TABLES = (
    "grade",
    "grade_state",
    "stale",
    "grade_run",
    "grade_range",
    "grade_change",
    "scheme_version",
    "record",
    "audit",
)


@pytest.fixture
def schemes(settings):
    """General-risk as it is, and with four times as many points for the weight of penalties."""
    return grading.scheme_named(settings), load_files(heavier(settings, 600), "heavier", book.numbers())


@pytest.fixture
def district(settings):
    """Three enterprises with a penalty in one division, two without in another, and an individual business."""
    made = [registered(credit_code(division="990101"), industry=1431) for _ in range(3)]
    made += [registered(credit_code(division="990202"), industry=6513) for _ in range(2)]
    made.append(registered(credit_code("92", division="990202"), subject="individual", industry=5211))
    for entity in made[:3]:
        record(entity)
    return made


def counted():
    return {table: execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608 (ours)


def compare(settings, schemes, **given):
    return whatif.compare(settings, *schemes, day=TODAY, **given)


def test_movers_are_exactly_those_whose_stored_classes_differ_under_the_two_schemes(settings, schemes, district):
    classes = []
    for scheme in schemes:
        grading.everyone(scheme, day=TODAY, range_size=4, now=lambda: NOW)
        classes.append({one: held.class_ for one, held in standing.standing(scheme, district).items()})
    found = compare(settings, schemes)
    codes = {one.id: one.code for one in Entity.select()}
    moved = {codes[one]: (classes[0][one], classes[1][one]) for one in district if classes[0][one] != classes[1][one]}
    assert moved, classes
    assert {row["code"]: (row["old_class"], row["new_class"]) for row in found.movers} == moved
    assert {row["rule"] for row in found.movers} == {"penalty_weight"}
    assert [row["code"] for row in found.movers] == sorted(moved)
    assert (found.worse, found.better, found.entities) == (len(moved), 0, len(district))


def test_every_table_adds_up_to_the_whole(settings, schemes, district):
    found = compare(settings, schemes)
    for side in ("old", "new"):
        assert sum(found.classes[side].values()) == found.entities == len(district)
        for rows in (found.by_division, found.by_industry, found.by_subject):
            for name, number in found.classes[side].items():
                assert sum(row["classes"][side][name] for row in rows) == number
    for rows in (found.by_division, found.by_industry, found.by_subject, found.moved_by):
        assert sum(row["worse"] for row in rows) == found.worse
    assert {row["old"]: sum(row["new"].values()) for row in found.matrix} == found.classes["old"]
    assert [row["division"] for row in found.by_division] == ["990101", "990202"]
    assert [row["industry"] for row in found.by_industry] == ["C", "F", "I"]
    assert [row["subject"] for row in found.by_subject] == ["enterprise", "individual"]


def test_a_comparison_writes_nothing_and_is_the_same_in_ranges_of_any_size(settings, schemes, district):
    before = counted()
    whole = compare(settings, schemes).to_dict()
    seen = []
    small = replace(settings, grading=replace(settings.grading, range_size=2))
    assert compare(small, schemes, progress=lambda done, total: seen.append((done, total))).to_dict() == whole
    assert seen == [(2, 6), (4, 6), (6, 6)]
    assert counted() == before


def test_it_is_bounded_by_divisions_and_by_what_was_known(settings, schemes, district):
    known = ledger.head()
    record(district[3])
    assert compare(settings, schemes, divisions=["9902"]).entities == 3
    assert compare(settings, schemes, divisions=["9902"]).worse == 1
    assert compare(settings, schemes, divisions=["9902"], known=known).worse == 0
    assert compare(settings, schemes, divisions=[]).entities == 0


def test_so_many_movers_are_named_as_were_asked_for_and_all_are_counted(settings, schemes, district):
    found = compare(settings, schemes, movers=2)
    assert (len(found.movers), found.worse) == (2, 3)
    assert compare(settings, schemes, movers=0).movers == []


def test_what_a_person_or_a_raise_has_set_is_called_by_both_names():
    assert whatif.titled("override") == {
        "zh": "人工认定或模型上调",
        "en": "Set by a person, or raised on a model's word",
    }


def test_the_same_scheme_moves_nobody_and_still_tells_what_it_turns_on(settings, schemes, district):
    found = compare(settings, (schemes[0], schemes[0]))
    assert (found.worse, found.better, found.movers) == (0, 0, [])
    assert found.sensitivity[0]["moved"] >= found.sensitivity[-1]["moved"]
    assert compare(settings, schemes, sensitivity=False).sensitivity is None


def test_visits_and_inspector_days_follow_from_the_classes_and_the_frequency_table(settings, schemes, district):
    found = compare(settings, schemes)
    table, day = frequency.table(settings), day_number(TODAY)
    codes = {"C": 1431, "F": 5211, "I": 6513}
    for side, scheme in zip(("old", "new"), schemes, strict=True):
        total = sum(
            table.at(scheme.id, "general", name, codes[one["industry"]], day).yearly * number
            for one in found.by_industry
            for name, number in one["classes"][side].items()
        )
        assert found.visits[side] == (total + 5_000) // 10_000
        # 90 minutes on site: four in a day of 360, and two inspectors go.
        assert found.inspector_days[side] == -(-found.visits[side] // 4) * 2
    for figures in (found.visits, found.inspector_days):
        assert figures["difference"] == figures["new"] - figures["old"]
    assert found.frequency == {"id": "district", "hash": table.hash}


def test_a_day_before_a_scheme_has_cuts_is_refused(settings, schemes, district):
    with pytest.raises(SchemeNotInForce, match="cannot give a class for that day"):
        whatif.compare(settings, *schemes, day=TODAY.replace(year=1999))


def test_an_empty_registry_compares_to_nothing(settings, schemes):
    found = compare(settings, schemes)
    assert (found.entities, found.movers, found.visits["difference"]) == (0, [], 0)


def test_a_second_comparison_in_the_same_process_is_told_to_wait():
    running = whatif.alone()
    with (
        running,
        pytest.raises(ComparisonRunning, match=r"one runs at a time\. Ask again in 15 seconds"),
        whatif.alone(),
    ):
        raise AssertionError("two at once")
    with whatif.alone() as free:
        assert free is None
