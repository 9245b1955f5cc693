"""Drift: what has moved is told, and only what makes the model wrong retires it."""

import json

import numpy as np
import polars as pl
import pytest

from rules.errors import FrameError
from rules.model import drift

REFERENCE = {
    "failures": [0.5, 0.3, 0.2, 0.0],
    "score": [0.25, 0.25, 0.25, 0.25],
    "score_edges": [1, 2, 3],
    "base_rate": 0.2,
}
RIGHT = {"error": 0.012, "null": 0.01, "excess": 0.002, "p": 0.4}


def observed(failures=(500, 300, 200, 0), score=(250, 250, 250, 250), positives=200, rows=1_000, **more):
    return drift.Observed({"failures": list(failures), "score": list(score)}, rows, positives, **more)


def told(found):
    return [one.test for one in found.findings]


def test_the_index_is_zero_where_shares_agree_and_symmetric_where_they_do_not():
    assert drift.psi([0.5, 0.5], [40, 40]) == 0
    assert drift.psi([0.5, 0.5], [0.8, 0.2]) == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))
    assert drift.psi([0.5, 0.5], [0.8, 0.2]) == pytest.approx(drift.psi([0.8, 0.2], [0.5, 0.5]))


def test_a_bin_that_training_never_saw_is_a_shift_and_not_infinite():
    assert 0.5 < drift.psi([1.0, 0.0], [0.9, 0.1]) < 2


def test_bins_that_do_not_agree_are_refused():
    with pytest.raises(FrameError, match="2 bins and `observed` has 3"):
        drift.psi([0.5, 0.5], [1, 1, 1])
    with pytest.raises(FrameError, match="no set of shares"):
        drift.psi([0.0, 0.0], [1, 1])
    with pytest.raises(FrameError, match="no reference of season"):
        drift.watch(REFERENCE, drift.Observed({"season": [1]}, 1, 0))


def test_rows_are_counted_in_the_bins_of_the_bundle_unknown_last():
    frame = pl.DataFrame({"failures": [0, 1, 1, 5, None]})
    assert drift.bin_counts({"failures": (1, 3)}, frame) == {"failures": [1, 2, 1, 1]}


def test_a_quarter_like_the_training_finds_nothing():
    found = drift.watch(REFERENCE, observed(calibration=RIGHT, gain=(0.01, 0.03)))
    assert (told(found), found.retires) == ([], False)
    assert found.psi == {"failures": pytest.approx(0, abs=0.01), "score": 0}
    assert found.base_rate["low"] < 0.2 < found.base_rate["high"]


def test_a_feature_or_rate_that_has_moved_is_told_and_retires_nothing():
    found = drift.watch(REFERENCE, observed(failures=(100, 200, 700, 0), positives=300, calibration=RIGHT))
    assert (told(found), found.retires) == (["feature_psi", "base_rate"], False)
    assert "failures" in found.findings[0].en
    assert "30.0%" in found.findings[1].zh


def test_a_score_that_has_moved_retires_the_model():
    found = drift.watch(REFERENCE, observed(score=(50, 100, 250, 600), calibration=RIGHT))
    assert (told(found), found.retires) == (["score_psi"], True)
    assert "0.25" in found.findings[0].en


def test_chances_that_are_off_retire_the_model_unless_chance_explains_it():
    off = {"error": 0.06, "null": 0.01, "excess": 0.05, "p": 0.002}
    assert told(drift.watch(REFERENCE, observed(calibration=off))) == ["calibration"]
    assert drift.watch(REFERENCE, observed(calibration=off)).retires
    assert not drift.watch(REFERENCE, observed(calibration=off | {"p": 0.2})).retires
    assert not drift.watch(REFERENCE, observed(calibration=off), drift.Limits(excess=0.06)).retires


def test_a_model_that_is_surely_worse_than_the_rules_retires():
    assert told(drift.watch(REFERENCE, observed(gain=(-0.05, -0.01)))) == ["gain"]
    assert not drift.watch(REFERENCE, observed(gain=(-0.05, 0.01))).retires


def test_few_visits_judge_nothing_and_say_so():
    off = {"error": 0.3, "null": 0.01, "excess": 0.29, "p": 0.002}
    few = observed(
        score=(0, 0, 0, 90), failures=(0, 0, 90, 0), rows=90, positives=60, calibration=off, gain=(-0.5, -0.1)
    )
    found = drift.watch(REFERENCE, few)
    assert (told(found), found.retires, found.psi) == (["few"], False, {})
    assert "90 visits" in found.findings[0].en


def test_what_was_found_fits_into_json():
    found = drift.watch(REFERENCE, observed(score=(50, 100, 250, 600)))
    assert json.loads(json.dumps(found.as_dict()))["retires"] is True
