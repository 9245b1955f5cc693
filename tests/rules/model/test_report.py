"""A report measures every order beside the model, all of it and per period, and says whether the model has earned its place."""

import json

import numpy as np
import polars as pl
import pytest

from rules.errors import FrameError
from rules.model import orders, printed, report
from rules.model.metrics import evaluate_order

PERIODS = (15_340, 15_431, 15_522)  # 2012-01-01, 2012-04-01, 2012-07-01


def city(size=3_000, seed=1):
    """Units of three quarters with a known chance."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(-1.5, 1.2, size)
    period = np.sort(rng.choice(PERIODS, size))
    frame = pl.DataFrame(
        {
            "entity": pl.Series(rng.integers(0, size // 2, size), dtype=pl.Int64),
            "visit": pl.Series(period + rng.integers(0, 90, size), dtype=pl.Int32),
            "period": pl.Series(period, dtype=pl.Int32),
            "y": pl.Series((rng.random(size) < 1 / (1 + np.exp(-risk))).astype(np.int8)),
        }
    )
    return frame, risk, rng


@pytest.fixture(scope="module")
def measured():
    frame, risk, rng = city()
    chance = pl.Series((1_000_000 / (1 + np.exp(-risk))).astype(np.int64))
    found = report.evaluate(
        frame, model=risk, rules=np.round(risk + rng.normal(0, 1.5, risk.size)), boosted=risk + rng.normal(0, 0.1, risk.size),
        chance=chance, overdue=rng.integers(30, 900, risk.size), statutory=rng.integers(1, 4, risk.size), seed=5, target="toy",
        resamples=200,
    )  # fmt: skip
    return frame, risk, found


def test_every_order_stands_in_the_report_with_every_measure(measured):
    frame, risk, found = measured
    assert list(found["orders"]) == list(orders.ORDERS)
    own = evaluate_order(risk, frame["y"], frame["visit"], frame["period"])
    assert {key: found["orders"]["model"][key] for key in own} == pytest.approx(own, abs=1e-6)
    assert found["orders"]["oracle"]["gain"] == found["orders"]["oracle"]["auc"] == 1.0
    assert found["orders"]["business_as_usual"]["cap50"] == pytest.approx(own["bau50"], abs=1e-6)
    assert found["orders"]["business_as_usual"]["days"] == pytest.approx(0, abs=0.5)


def test_the_random_order_is_what_random_orders_give_in_the_mean():
    frame, _, rng = city(600)
    y, days, periods = (frame[name].to_numpy() for name in ("y", "visit", "period"))
    drawn = [evaluate_order(rng.permutation(600), y, days, periods) for _ in range(400)]
    plan = orders.random_plan(frame, seed=1)
    for key, tolerance in (
        ("auc", 0.004),
        ("ap", 0.01),
        ("cap10", 0.006),
        ("cap50", 0.006),
        ("prec10", 0.01),
        ("days", 0.3),
        ("gain", 0.01),
    ):
        assert plan[key] == pytest.approx(np.mean([one[key] for one in drawn]), abs=tolerance), key


def test_a_model_that_beats_the_rules_has_earned_its_place(measured):
    found = measured[2]
    gain = found["gains"]["model_over_rules"]
    assert 0 < gain["low"] < gain["auc"] < gain["high"]
    assert gain["entity_low"] < gain["auc"] < gain["entity_high"]
    assert found["verdict"]["earned"]
    assert "sooner" in found["verdict"]["en"]


def test_a_model_that_does_not_beat_the_rules_leaves_them_as_they_are():
    frame, risk, rng = city(800)
    found = report.evaluate(frame, model=risk + rng.normal(0, 2, risk.size), rules=risk, seed=1, resamples=100)
    assert not found["verdict"]["earned"]
    assert found["verdict"]["en"].startswith("Rules stay")
    assert found["verdict"]["zh"].startswith("规则不变")
    assert found["calibration"] is None


def test_failure_rates_rise_from_class_to_class_and_count_every_visit(measured):
    frame, _, found = measured
    rates = [one["rate"] for one in found["grades"]["model"]]
    assert rates == sorted(rates)
    assert found["rising"]["model"]
    assert sum(one["n"] for one in found["grades"]["model"]) == frame.height
    assert not report.rising([{"rate": 0.1}, {"rate": None}, {"rate": 0.2}, {"rate": 0.3}])
    assert not report.rising([{"rate": 0.1}, {"rate": 0.1}, {"rate": 0.2}, {"rate": 0.3}])


def test_each_quarter_is_measured_alone(measured):
    frame, risk, found = measured
    assert [one["from"] for one in found["periods"]] == ["2012-01-01", "2012-04-01", "2012-07-01"]
    first = (frame["period"] == PERIODS[0]).to_numpy()
    alone = evaluate_order(risk[first], frame["y"].to_numpy()[first], frame["visit"].to_numpy()[first])
    quarter = found["periods"][0]
    assert {key: quarter["orders"]["model"][key] for key in alone} == pytest.approx(alone, abs=1e-6)
    assert quarter["gain"]["low"] < quarter["gain"]["auc"] < quarter["gain"]["high"]
    assert quarter["calibration"]["error"] > 0
    assert sum(one["failures"] for one in found["periods"]) == found["base_rate"]["failures"]


def test_a_quarter_with_one_outcome_has_no_auc_and_the_others_do():
    frame, risk, _ = city(400)
    quiet = frame.with_columns(y=pl.when(pl.col("period") == PERIODS[1]).then(0).otherwise("y").cast(pl.Int8))
    found = report.evaluate(quiet, model=risk, rules=risk, seed=1, resamples=50)
    assert [one["gain"] is None for one in found["periods"]] == [False, True, False]
    assert found["periods"][1]["orders"]["model"]["auc"] is None
    assert "–" in report.table(found)


def test_what_the_model_does_not_judge_stands_last_and_is_counted():
    frame, risk, _ = city(400)
    unknown = pl.Series(risk).set(pl.Series(risk > 1), None)
    chance = (1_000_000 / (1 + np.exp(-unknown))).cast(pl.Int64)
    found = report.evaluate(frame, model=unknown, rules=risk, chance=chance, seed=1, resamples=50)
    count = int((risk > 1).sum())
    assert found["judged"] == {"judged": 400 - count, "unknown": count}
    assert sum(one["n"] for one in found["calibration"]["bins"]) == 400 - count
    assert found["orders"]["model"]["auc"] < found["orders"]["rules"]["auc"]


def test_the_keys_that_programs_rely_on_are_there(measured):
    said = report.headline(measured[2])
    assert {"auc", "auc_low", "auc_high", "rules_auc", "gain_low", "gain_high", "ece", "grade_rates"} <= set(said)
    assert said["ece"] == pytest.approx(said["ece_raw"] - said["ece_null"], abs=2e-6)
    assert abs(said["ece"]) < 0.01
    assert list(said["grade_rates"]) == ["A", "B", "C", "D"]


def test_a_report_is_the_same_for_the_same_seed_and_fits_into_json():
    frame, risk, _ = city(300)
    once, again = (report.evaluate(frame, model=risk, rules=-risk, seed=2, resamples=50) for _ in range(2))
    assert json.dumps(once, allow_nan=False) == json.dumps(again, allow_nan=False)


def test_a_span_with_one_outcome_or_a_score_of_other_rows_is_refused():
    frame, risk, _ = city(300)
    with pytest.raises(FrameError, match="The 300 units have 0 failures"):
        report.evaluate(frame.with_columns(y=pl.lit(0, pl.Int8)), model=risk, rules=risk, seed=1)
    with pytest.raises(FrameError, match="'rules' has the shape"):
        report.evaluate(frame, model=risk, rules=risk[:5], seed=1)
    with pytest.raises(FrameError, match="'model' has no value at all"):
        report.evaluate(frame, model=np.full(300, np.nan), rules=risk, seed=1)


def test_the_table_stays_aligned_though_chinese_is_twice_as_wide(measured):
    lines = report.table(measured[2]).splitlines()
    aucs = {printed.wide(line[: line.index("0.")]) for line in lines if line.startswith(("规则＋模型", "拟合规则", "随机"))
            and "A " not in line}  # fmt: skip
    assert len(aucs) == 1
    assert lines[-1] == measured[2]["verdict"]["en"]
    assert any("2012-04-01" in line for line in lines)
