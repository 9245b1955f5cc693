"""What an evaluation says: every order beside the model, all of it and per period, with intervals, and the verdict.

A report is plain data that fits into JSON. It is made from scores alone: who made them, and on which rows, is the caller's to
answer; the rows must be later than anything that the scores were fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from rules.errors import FrameError
from rules.model import printed
from rules.model.bootstrap import LEVEL, RESAMPLES, samples
from rules.model.calibration import calibration
from rules.model.metrics import (
    STEPS,
    Floats,
    Ints,
    Plan,
    auc,
    by_period,
    capture_curve,
    classes_of,
    evaluate_order,
    per_period,
    share_interval,
)  # fmt: skip
from rules.model.orders import ORDERS, as_usual, placed, random_curve, random_plan

FORMAT = "xinheng-evaluation-1"
Report = dict[str, Any]
MILLION = 1_000_000
CLASSES = ("A", "B", "C", "D")
CUTS = (0.5, 0.8, 0.95)
# What is compared with what. The first decides.
PAIRS = (
    ("model", "rules"), ("boosted", "rules"), ("boosted", "model"), ("model", "statutory"), ("model", "overdue"),
    ("model", "business_as_usual"),
)  # fmt: skip
_EPOCH = date(1970, 1, 1)
_DIGITS = 6


def evaluate(
    table: pl.DataFrame,
    *,
    model: ArrayLike | pl.Series,
    rules: ArrayLike | pl.Series,
    chance: ArrayLike | pl.Series | None = None,
    boosted: ArrayLike | pl.Series | None = None,
    statutory: ArrayLike | pl.Series | None = None,
    overdue: ArrayLike | pl.Series | None = None,
    seed: int,
    target: str = "",
    resamples: int = RESAMPLES,
) -> Report:
    """Measure a model beside everything that it has to beat.

    Parameters
    ----------
    table : units of a span that nothing was fitted on
        ``entity``, ``visit``, ``period`` (days since 1970-01-01; period is the day on which the list is drawn up) and ``y``.
        Rows of equal score keep their order here.
    model, rules, boosted : scores of the model, the fitted rules and the challenger, one for each row; null where there is none
    chance : what the model says in millionths, null where it has no ground to judge
    statutory, overdue : the order that a law or plan gives, and days since the visit before, both higher first
    seed : all that is drawn follows from it
    target : what was evaluated, as it stands in the heading

    Returns
    -------
    dict that fits into JSON
        docs/model.md describes every key.

    Raises
    ------
    FrameError
        If the table is empty, has one outcome only, or a score has another number of rows.
    """
    y = table["y"].to_numpy().astype(np.int64)
    if not y.size or not y.any() or y.all():
        raise FrameError(
            f"The {y.size} units have {int(y.sum())} failures, so no order can be told from another. Choose a span with both outcomes."
        )
    given = {"model": model, "boosted": boosted, "rules": rules, "statutory": statutory, "overdue": overdue}
    scores = {name: placed(one, y.size, name) for name, one in given.items() if one is not None}
    scores["business_as_usual"] = as_usual(table)
    scores = {name: scores[name] for name in ORDERS if name in scores}
    entities = table["entity"].to_numpy()
    drawn = dict(zip(scores, samples(list(scores.values()), y, seed, resamples).T, strict=True))
    low, high = share_interval(int(y.sum()), y.size)
    gains = _gains(scores, drawn, y)
    by_entity = samples([scores["model"], scores["rules"]], y, seed, resamples, groups=entities)
    gains["model_over_rules"] |= dict(
        zip(("entity_low", "entity_high"), _interval(by_entity[:, 0] - by_entity[:, 1]), strict=True)
    )
    visits = table["visit"]
    report: Report = {
        "format": FORMAT, "target": target, "seed": seed, "resamples": resamples,
        "first": _iso(visits.min()), "last": _iso(visits.max()), "entities": int(np.unique(entities).size),
        "base_rate": {"n": y.size, "failures": int(y.sum()), "rate": float(y.mean()), "low": low, "high": high},
        "judged": _judged(model, y.size),
        "orders": _orders(table, scores, drawn, seed),
        "gains": gains,
        "grades": {name: grades(scores[name], y) for name in ("model", "boosted", "rules") if name in scores},
        "calibration": None if chance is None else _calibrated(chance, y, np.arange(y.size), seed),
        "curves": _curves(table, scores, y),
        "periods": _periods(table, scores, chance, seed, resamples),
    }  # fmt: skip
    report["rising"] = {name: rising(found) for name, found in report["grades"].items()}
    report["verdict"] = verdict(report)
    rounded: Report = _rounded(report)
    return rounded


def grades(score: ArrayLike, y: ArrayLike) -> list[dict[str, Any]]:
    """Failure rates, with intervals, of the classes that cuts at 50, 80 and 95 % of the rows make; A is the lowest score."""
    classes, found = classes_of(score, CUTS), np.asarray(y)
    table = []
    for number, name in enumerate(CLASSES):
        inside = found[classes == number]
        low, high = share_interval(int(inside.sum()), inside.size)
        table.append(
            {
                "class": name, "n": int(inside.size), "failures": int(inside.sum()),
                "rate": float(inside.mean()) if inside.size else None, "low": low, "high": high,
            }
        )  # fmt: skip
    return table


def rising(found: list[dict[str, Any]]) -> bool:
    """Whether every class has rows and a higher failure rate than the one before."""
    rates = [one["rate"] for one in found]
    return all(low is not None and high is not None and low < high for low, high in pairwise(rates))


def verdict(report: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the model has earned its place: its AUC above the fitted rules, the whole paired 95 % interval above zero."""
    gain = report["gains"]["model_over_rules"]
    said = f"{gain['auc']:+.4f} ({gain['low']:+.4f}, {gain['high']:+.4f})"
    if gain["low"] > 0:
        return {
            "earned": True,
            "zh": f"模型优于拟合规则：AUC 之差 {said}。",
            "en": f"The model finds failures sooner than the fitted rules: AUC difference {said}.",
        }
    return {
        "earned": False,
        "zh": f"规则不变：模型未证明优于拟合规则，AUC 之差 {said}。",
        "en": f"Rules stay: the model is not shown to be better than the fitted rules, AUC difference {said}.",
    }


def headline(report: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that programs rely on. ``ece`` is the calibration error minus its simulated null; beside it both of them."""
    model, gain, said = report["orders"]["model"], report["gains"]["model_over_rules"], report["calibration"]
    return {
        "auc": model["auc"], "auc_low": model["auc_low"], "auc_high": model["auc_high"],
        "rules_auc": report["orders"]["rules"]["auc"], "gain": gain["auc"], "gain_low": gain["low"], "gain_high": gain["high"],
        "ece": said and said["excess"], "ece_raw": said and said["error"], "ece_null": said and said["null"],
        "grade_rates": {one["class"]: one["rate"] for one in report["grades"]["model"]},
        "rising": report["rising"]["model"], "earned": report["verdict"]["earned"],
    }  # fmt: skip


def _orders(
    table: pl.DataFrame, scores: Mapping[str, Floats], drawn: Mapping[str, Floats], seed: int
) -> dict[str, Any]:
    y, days, periods = (table[name].to_numpy() for name in ("y", "visit", "period"))
    found: dict[str, Any] = {}
    for name, score in scores.items():
        low, high = _interval(drawn[name])
        found[name] = {**evaluate_order(score, y, days, periods), "auc_low": low, "auc_high": high}
    found["random"] = {**random_plan(table, seed), "auc_low": None, "auc_high": None}
    found["oracle"] = {**evaluate_order(y, y, days, periods), "auc_low": None, "auc_high": None}
    return {name: {"title": ORDERS[name].as_dict(), **found[name]} for name in ORDERS if name in found}


def _gains(scores: Mapping[str, Floats], drawn: Mapping[str, Floats], y: Ints) -> dict[str, Any]:
    found = {}
    for first, second in PAIRS:
        if first in scores and second in scores:
            low, high = _interval(drawn[first] - drawn[second])
            own = (auc(scores[first], y) or 0.0) - (auc(scores[second], y) or 0.0)
            found[f"{first}_over_{second}"] = {"auc": own, "low": low, "high": high}
    return found


def _curves(table: pl.DataFrame, scores: Mapping[str, Floats], y: Ints) -> dict[str, Any]:
    periods = table["period"].to_numpy()
    curves = {name: capture_curve(score, y, periods) for name, score in scores.items()}
    curves["random"] = random_curve(table, STEPS)
    curves["oracle"] = capture_curve(y, y, periods)
    return {
        "at": [step / STEPS for step in range(STEPS + 1)],
        "orders": {name: curves[name] for name in ORDERS if name in curves},
    }


def _periods(
    table: pl.DataFrame, scores: Mapping[str, Floats], chance: ArrayLike | pl.Series | None, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """The same inside each period alone; what a period has too little for is null."""
    y, days, periods = (table[name].to_numpy() for name in ("y", "visit", "period"))
    single: dict[str, dict[int, Plan]] = {
        name: per_period(score, y, days, periods) for name, score in {**scores, "oracle": y.astype(np.float64)}.items()
    }
    single["random"] = {int(periods[rows[0]]): random_plan(table[rows], seed) for rows in by_period(periods, y.size)}
    found = []
    for rows in by_period(periods, y.size):
        start, inside = int(periods[rows[0]]), y[rows].astype(np.int64)
        entry: dict[str, Any] = {
            "from": _iso(start), "n": rows.size, "failures": int(inside.sum()), "rate": float(inside.mean()),
            "orders": {name: single[name][start] for name in ORDERS if name in single}, "auc": None, "gain": None,
            "calibration": None if chance is None else _calibrated(chance, y, rows, seed),
        }  # fmt: skip
        if inside.any() and not inside.all():
            both = samples([scores["model"][rows], scores["rules"][rows]], inside, seed, resamples)
            entry["auc"] = dict(zip(("low", "high"), _interval(both[:, 0]), strict=True))
            own = (auc(scores["model"][rows], inside) or 0.0) - (auc(scores["rules"][rows], inside) or 0.0)
            entry["gain"] = {"auc": own} | dict(zip(("low", "high"), _interval(both[:, 0] - both[:, 1]), strict=True))
        found.append(entry)
    return found


def _calibrated(chance: ArrayLike | pl.Series, y: ArrayLike, rows: Ints, seed: int) -> dict[str, Any] | None:
    given = chance.to_numpy() if isinstance(chance, pl.Series) else np.asarray(chance)
    found = np.asarray(y)
    if given.shape != found.shape:
        raise FrameError(f"`chance` has the shape {given.shape}. Give one value for each of the {found.size} units.")
    said = given[rows].astype(np.float64)
    judged = ~np.isnan(said)
    if not judged.any():
        return None
    return calibration(said[judged] / MILLION, found[rows][judged], seed)


def _judged(model: ArrayLike | pl.Series, size: int) -> dict[str, int]:
    values = model.to_numpy() if isinstance(model, pl.Series) else np.asarray(model)
    missing = int(np.isnan(values.astype(np.float64)).sum())
    return {"judged": size - missing, "unknown": missing}


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.nanpercentile(values, LEVEL)
    return float(low), float(high)


def _iso(day: Any) -> str:
    return (_EPOCH + timedelta(days=int(day))).isoformat()


def _rounded(value: Any) -> Any:
    """Floats to six digits, so that a report is short and the same on every machine; what is no number becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, float | np.floating):
        return round(float(value), _DIGITS) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def table(report: Mapping[str, Any]) -> str:
    """The report as text for a terminal, Chinese and English beside each other."""
    return printed.table(report)
