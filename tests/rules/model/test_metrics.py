"""Measures of an order agree with the public benchmarks' definitions, row by row and by their own reference code."""

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import config
from rules.errors import FrameError
from rules.model import metrics

BENCHMARKS = config.ROOT.parent / "shared" / "data" / "benchmarks"
KEYS = ["n", "pos", "auc", "ap", "cap10", "cap20", "cap50", "prec10", "bau50", "days", "days_rand", "days_oracle", "gain"]  # fmt: skip


def slowly(score, y, days, periods):
    """METRICS.md word by word, with loops and Python numbers alone."""
    size, total = len(y), sum(y)
    pairs = [
        (a, b) for a, hit in zip(score, y, strict=True) if hit for b, other in zip(score, y, strict=True) if not other
    ]
    precision = 0.0
    for limit in sorted(set(score), reverse=True):
        chosen = [hit for one, hit in zip(score, y, strict=True) if one >= limit]
        added = sum(hit for one, hit in zip(score, y, strict=True) if one == limit)
        precision += added / total * sum(chosen) / len(chosen)
    found = dict.fromkeys(KEYS, 0.0) | {"n": size, "pos": total, "ap": precision}
    found["auc"] = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
    places = 0
    for period in sorted(set(periods)):
        rows = [row for row in range(size) if periods[row] == period]
        ranked = sorted(rows, key=lambda row: -score[row])
        dates = sorted(days[row] for row in rows)
        for name, share in (("cap10", 0.1), ("cap20", 0.2), ("cap50", 0.5)):
            found[name] += sum(y[row] for row in ranked[: int(len(rows) * share)]) / total
        places += int(len(rows) * 0.1)
        real = sorted(rows, key=lambda row: days[row])
        found["bau50"] += sum(y[row] for row in real[: len(rows) // 2]) / total
        mean = sum(dates) / len(dates)
        failed = sorted(days[row] for row in rows if y[row])
        found["days"] += sum(days[row] - day for row, day in zip(ranked, dates, strict=True) if y[row]) / total
        found["days_rand"] += sum(day - mean for day in failed) / total
        found["days_oracle"] += sum(day - best for day, best in zip(failed, dates, strict=False)) / total
    found["prec10"] = found["cap10"] * total / max(places, 1)
    span = found["days_oracle"] - found["days_rand"]
    found["gain"] = (found["days"] - found["days_rand"]) / span if abs(span) > 1e-9 else None
    return found


@st.composite
def plans(draw):
    size = draw(st.integers(2, 40))
    rows = st.lists(st.integers(0, 4), min_size=size, max_size=size)
    y = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size).filter(lambda one: 0 < sum(one) < len(one)))
    return draw(rows), y, [day * 7 for day in draw(rows)], [one % 3 for one in draw(rows)]


@settings(deadline=None, max_examples=60)
@given(plans())
def test_every_measure_is_what_its_definition_says_also_with_ties_and_periods(plan):
    score, y, days, periods = plan
    fast, slow = metrics.evaluate_order(score, y, days, periods), slowly(score, y, days, periods)
    assert list(fast) == KEYS
    for key in KEYS:
        assert fast[key] == pytest.approx(slow[key], abs=1e-9), key


def test_rows_of_equal_score_keep_the_order_in_which_they_are_given():
    y, days = [1, 0, 0, 1], [3, 2, 1, 0]
    assert metrics.evaluate_order([5, 5, 5, 5], y, days)["cap50"] == 0.5
    assert metrics.evaluate_order([5, 5, 5, 5], [1, 1, 0, 0], days)["cap50"] == 1.0
    assert metrics.evaluate_order([5, 5, 5, 5], [0, 0, 1, 1], days)["cap50"] == 0.0


def test_visits_change_places_only_inside_their_period():
    y, score = [0, 1, 1, 0], [0, 1, 1, 0]
    inside = metrics.evaluate_order(score, y, [0, 10, 100, 110], [1, 1, 2, 2])
    assert inside["days"] == 5.0  # one of two failures moves from day 10 to day 0, the other was first already
    assert inside["gain"] == 1.0


def test_a_period_without_a_failure_gives_no_share_and_no_error():
    found = metrics.evaluate_order([3, 2, 1], [0, 0, 0], [1, 2, 3])
    assert (found["n"], found["pos"], found["prec10"]) == (3, 0, 0)
    assert {found[key] for key in KEYS if key not in ("n", "pos", "prec10")} == {None}


def test_a_score_that_is_missing_is_refused_with_how_many():
    with pytest.raises(FrameError, match="no finite number in 1 of 3 rows"):
        metrics.evaluate_order([1.0, float("nan"), 2.0], [0, 1, 0], [1, 2, 3])
    with pytest.raises(FrameError, match="Give 2 outcomes"):
        metrics.auc([1, 2], [0, 2])
    with pytest.raises(FrameError, match="Give 2 labels"):
        metrics.evaluate_order([1, 2], [0, 1], [1, 2], [1])


def test_a_capture_curve_begins_at_none_ends_at_all_and_passes_through_the_shares():
    rng = np.random.default_rng(3)
    score, y = rng.random(500), rng.integers(0, 2, 500)
    curve = metrics.capture_curve(score, y)
    plan = metrics.evaluate_order(score, y, np.arange(500))
    assert (curve[0], curve[-1], len(curve)) == (0.0, 1.0, 51)
    assert curve[5] == plan["cap10"]
    assert curve[25] == plan["cap50"]
    assert curve == sorted(curve)


def test_an_interval_of_a_share_is_that_of_wilson():
    low, high = metrics.share_interval(5, 50)
    assert (round(low, 4), round(high, 4)) == (0.0435, 0.2136)
    assert metrics.share_interval(0, 0) == (0.0, 1.0)
    assert metrics.share_interval(0, 10)[0] == 0.0


def test_classes_follow_the_quantiles_and_equal_scores_share_one():
    classes = metrics.classes_of(np.arange(100))
    assert np.bincount(classes).tolist() == [50, 30, 15, 5]
    assert set(metrics.classes_of([7] * 20)) == {0}


def test_the_measures_are_those_of_the_reference_code_where_it_can_run():
    if not (BENCHMARKS / "metrics_reference.py").is_file():
        pytest.skip("SKIPPED: the benchmark data do not lie beside the repository")
    if importlib.util.find_spec("pandas") is None:
        pytest.skip(
            "SKIPPED: the reference code needs pandas, which the product does not; the figures below were made with it"
        )
    spec = importlib.util.spec_from_file_location("reference", BENCHMARKS / "metrics_reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    score, y, days, periods = made()
    # In nanoseconds: pandas would round the mean day to the unit that it is given.
    dates = np.datetime64("1970-01-01", "ns") + days.astype("timedelta64[D]")
    theirs = reference.evq("", score, y, dates, periods, quiet=True)
    assert metrics.evaluate_order(score, y, days, periods) == pytest.approx(theirs, abs=1e-9)


def made():
    row = np.arange(600)
    return (
        (row * 37 % 23).astype(float),
        (row * row % 7 == 1).astype(int),
        14_600 + row * 101 % 360,
        row * 101 % 360 // 90,
    )


# What metrics_reference.evq says of the rows of `made` (pandas 2, scikit-learn 1.9).
REFERENCE = {"n": 600, "pos": 171, "auc": 0.507204296678, "ap": 0.289986777699, "cap10": 0.111111111111, "cap20": 0.19298245614, "cap50": 0.502923976608, "prec10": 0.322033898305, "bau50": 0.485380116959, "days": 0.87134502924, "days_rand": 0.410940958433, "days_oracle": 32.614035087719, "gain": 0.014296889267}  # fmt: skip


def test_the_measures_are_those_that_the_reference_code_once_gave():
    assert metrics.evaluate_order(*made()) == pytest.approx(REFERENCE, abs=1e-9)


@pytest.mark.real
def test_the_published_figures_of_chicago_come_out_to_the_last_digit():
    path = Path(BENCHMARKS / "chicago_food" / "baseline_scores.parquet")
    if not path.is_file():
        pytest.skip("SKIPPED: the benchmark data do not lie beside the repository")
    rows = pl.read_parquet(path)
    found = metrics.evaluate_order(rows["s_published_glmnet"], rows["y"], rows["date"].dt.epoch("d"))
    assert (round(found["auc"], 6), round(found["days"], 6)) == (0.674688, 7.589354)
    assert round(metrics.auc(rows["s_inspector_only"], rows["y"]), 3) == 0.665
    assert round(metrics.auc(rows["s_lr"], rows["y"]), 3) == 0.607
