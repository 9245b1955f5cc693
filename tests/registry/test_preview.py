"""What grades would be on another day: worked out in ranges, written nowhere."""

from datetime import timedelta

import pytest

from registry.services import grading, preview
from tests.conftest import TODAY
from tests.factories import record, registered
from tests.registry import worlds


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_range_is_graded_on_the_day_that_was_asked_for(scheme, size):
    for _ in range(4):
        record(registered(), "serious_listing")
    grading.due(scheme, day=TODAY)
    before = worlds.state_of(scheme)
    found = preview.on(scheme, TODAY + timedelta(days=1), range_size=size)
    assert (found.entities, found.changed) == (4, 0)
    assert found.classes == grading.classes(scheme)
    assert worlds.state_of(scheme) == before


def test_on_a_day_far_off_the_classes_that_time_moves_are_counted(scheme):
    entities = [registered() for _ in range(3)]
    record(entities[0])
    grading.due(scheme, day=TODAY)
    far = TODAY + timedelta(days=4_000)
    whole = preview.on(scheme, far, range_size=1)
    some = preview.on(scheme, far, range_size=1, entities=entities)
    assert (whole.entities, whole.changed, whole.classes) == (some.entities, some.changed, some.classes)
