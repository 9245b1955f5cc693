"""Why an entity is warned of: what weighs most against it, from its own records, worked out by the bundle itself."""

from types import MappingProxyType

import pytest

from registry.services import grading, models, warning_reasons
from rules.model.bundle import Binned, Calibration, Scorecard, Window
from tests.conftest import TODAY
from tests.factories import record, registered
from tests.registry.warned import crowd, model

NONE = MappingProxyType({})


def card(*features):
    return Scorecard(
        name="card", scheme="general-risk", scheme_hash="", points_per_doubling=100, calibration=Calibration(1.0, 0.0), grounds=NONE,
        outcome=NONE, rule=NONE, window=Window(0, 1, 1, 2, 2, 3), rows=1, positives=1, metrics=NONE, reference=NONE, versions=NONE,
        seed=1, l2=1.0, base=-200, features=features,
    )  # fmt: skip


@pytest.fixture
def weighed(settings, monkeypatch):
    """A model over four indicators of the general scheme."""
    bundle = card(
        Binned("complaints_90d", (1, 3), (0, 10, 30), 0, "up"),
        Binned("penalties_1y", (1, 2), (-15, 40, 90), -15, "up"),
        Binned("penalties_2y", (1,), (0, 35), 0, "up"),
        Binned("penalties_3y", (1,), (0, 35), 0, "up"),
    )
    monkeypatch.setattr(models, "bundle_of", lambda _: bundle)
    monkeypatch.setattr(models, "scheme_of", lambda _: grading.scheme_named(settings))
    return model()


def test_the_three_heaviest_are_told_with_what_they_rest_on(settings, weighed):
    blamed, clean = crowd(settings, 2)
    record(blamed)
    record(blamed, "item_12315")
    told = warning_reasons.heaviest(weighed, [clean, blamed], TODAY)
    assert told[clean] == []
    assert [(one["feature"], one["value"], one["points"], one["over"]) for one in told[blamed]] == [
        ("penalties_1y", 1, 40, 55), ("penalties_2y", 1, 35, 35), ("penalties_3y", 1, 35, 35),
    ]  # fmt: skip
    assert told[blamed][0]["title"]["zh"]


def test_whom_the_scheme_of_the_features_does_not_cover_has_no_reasons(settings, weighed):
    (mine,) = crowd(settings, 1)
    assert set(warning_reasons.heaviest(weighed, [mine, registered(subject="other")], TODAY)) == {mine}
