"""Inspectors of the sample: reproducible, plainly made up, and enough for a town to draw pairs."""

from collections import Counter
from datetime import date, timedelta

import pytest

from registry.models import EntityLabel, Inspector, InspectorConflict
from registry.sample import generate
from registry.sample.inspection import draw_inspection
from registry.services import inspectors
from registry.services.sampling import load_sample
from tests.conftest import NOW, TODAY

CODES = ("A01", "B01", "C01", "X01")


@pytest.fixture(scope="module")
def drawn():
    entities = generate(2_000, today=TODAY).entities
    return entities, draw_inspection(entities, CODES, today=TODAY, seed=3)


def test_the_same_seed_draws_the_same_inspectors(drawn):
    entities, found = drawn
    assert draw_inspection(entities, CODES, today=TODAY, seed=3) == found
    assert draw_inspection(entities, CODES, today=TODAY, seed=4) != found


def test_every_bureau_has_two_some_certificates_are_past_and_no_name_is_a_persons(drawn):
    entities, found = drawn
    people = found.inspectors
    assert len(people) == len({one["staff_no"] for one in people}) == 24
    organs = Counter(one["organ"] for one in people)
    assert (len(organs), min(organs.values()), organs["信衡市市场监督管理局"]) == (8, 2, 8)
    days = [date.fromisoformat(one["certificates"][0]["until"]) for one in people]
    assert sum(day < TODAY for day in days) == 2
    assert sum(TODAY <= day < TODAY + timedelta(days=30) for day in days) == 1
    assert all(one["name"].startswith("示") for one in people)
    assert all(one["items"] == ["*"] or "X01" in one["items"] for one in people)
    areas = {one["staff_no"]: one["areas"][0] for one in people}
    assert found.conflicts
    assert all(entities["division"][row].startswith(areas[staff]) for staff, row, _ in found.conflicts)


def test_the_sample_has_inspectors_whom_a_draw_may_send(settings):
    load_sample(settings, size=300, today=TODAY, now=NOW)
    assert Inspector.select().count() == 24
    pool = inspectors.pool(["信衡市市场监督管理局"], ["X01"], "990101", TODAY, TODAY + timedelta(days=30))
    assert len(pool) >= 4
    days = inspectors.days(pool, TODAY, TODAY + timedelta(days=30))
    assert min(days.values()) >= 8
    assert InspectorConflict.select().count() > 0
    assert EntityLabel.select().count() > 0
