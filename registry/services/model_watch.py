"""Watching models: one report for each quarter whose outcomes are in, and retirement where a model has drifted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from registry import clock, parameters
from registry.config import Settings
from registry.database import insert_rows, session, write
from registry.models import Model, ModelReport
from registry.services import book, ledger, model_frames, models
from registry.services.model_frames import Progress
from rules.model.units import Outcome, Period, UnitRule, quarters
from rules.scheme import Scheme, from_content

if TYPE_CHECKING:
    from rules.model.bundle import Boosted, Scorecard
    from rules.model.drift import Limits

COLUMNS = ("model_id", "from_day", "report", "retires", "at")


@dataclass(frozen=True, slots=True)
class Quarter:
    """How a model did in a quarter. `report` is JSON: rows, failures, AUC with interval and gain over the fitted rules,
    calibration, PSI per feature and score, base rate, findings; `calibration_line` is the line from points to chances for the
    quarter after it."""

    first: date
    report: dict[str, Any]
    retires: bool
    at: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "quarter": self.first.isoformat(), "retires": self.retires, "at": clock.moment_text(self.at), "report": self.report,
        }  # fmt: skip


def watch(
    model: Model, *, settings: Settings, today: date, by: str, now: int, progress: Progress | None = None
) -> list[Quarter]:
    """Report on every quarter after the model's hold-out that is over for long enough and was not reported on; the new ones.

    A model that a report retires is retired, with its findings as the reason: chances are cleared, raises end, and the audit
    says who (the job). Later quarters are then not looked at. Chances are those of the line that stood in the quarter; each
    report sets the line right for the next one, and the next scoring renews the chances by it. Safe to repeat; a retirement that was cut off is made up for.
    """
    with session():
        found: list[Quarter] = []
        held = {one.first: one for one in reports(model)}
        for period in _over(model, today):
            first = clock.day_of(period[0])
            quarter = held.get(first)
            if quarter is None:
                quarter = _report(model, period, settings, today, now, progress)
                _keep(model, quarter)
                found.append(quarter)
            if quarter.retires:
                models.retire(model.id, why=_why(quarter), settings=settings, by=by, now=now)
                break
        return found


def reports(model: Model) -> list[Quarter]:
    """The quarters of a model that were reported on, in order of time."""
    rows = ModelReport.select().where(ModelReport.model == model.id).order_by(ModelReport.from_day)
    return [Quarter(clock.day_of(row.from_day), row.report, row.retires, row.at) for row in rows]


def _over(model: Model, today: date) -> list[Period]:
    """Whole quarters after the hold-out whose checks have had the time to be entered."""
    window = models.bundle_of(model).window
    lag = timedelta(days=_value("watch_lag", today))
    until = today - lag
    start = clock.day_of(window.test_until)
    if until <= start:
        return []
    # The last one may be cut at `until`: it is not over yet.
    return [one for one in quarters(start, until) if quarters(clock.day_of(one[0]), clock.day_of(one[1] + 1))[0] == one]


def _report(
    model: Model, period: Period, settings: Settings, today: date, now: int, progress: Progress | None
) -> Quarter:
    first = clock.day_of(period[0])
    bundle, scheme = models.bundle_at(model, first), models.scheme_of(model)
    made = model_frames.table(
        scheme, outcome=outcome_of(bundle), rule=rule_of(bundle), periods=[period], known=ledger.head(),
        range_size=settings.grading.range_size, progress=progress,
    )  # fmt: skip
    return Quarter(first, *said_of(model, bundle, made, today), now)


def said_of(model: Model, bundle: Scorecard | Boosted, made: pl.DataFrame, today: date) -> tuple[dict[str, Any], bool]:
    """What a quarter's units say of a model: the report as JSON, and whether it retires the model. The `bundle` has the line
    that stood in the quarter."""
    from rules.model import drift
    from rules.model.calibration import calibration
    from rules.model.recalibration import later
    from rules.model.score import score

    said = made.with_columns(score(bundle, made).select("points", "chance"))
    judged = said.filter(pl.col("points").is_not_null())
    y = judged["y"].cast(pl.Int64).to_numpy()
    both = 0 < int(y.sum()) < y.size
    chance = judged["chance"].to_numpy() / 1_000_000
    measured = calibration(chance, y, bundle.seed) if y.size else None
    discrimination, gain = _discrimination(model, judged) if both else (None, None)
    counts = {one: list(many) for one, many in drift.bin_counts(_edges(bundle), judged).items()} if y.size else {}
    if y.size:
        counts["score"] = _score_counts(bundle, judged)
    observed = drift.Observed(counts, int(y.size), int(y.sum()), measured, gain)
    found = drift.watch(bundle.reference, observed, _limits(today))
    report = {
        "rows": made.height, "judged": int(y.size), "positives": int(y.sum()), "auc": discrimination,
        "gain": None if gain is None else {"low": gain[0], "high": gain[1]}, "calibration": measured, **found.as_dict(),
        models.LINE: asdict(later(judged, bundle.points_per_doubling, bundle.calibration)),
    }  # fmt: skip
    return report, found.retires


def _discrimination(model: Model, judged: pl.DataFrame) -> tuple[dict[str, float], tuple[float, float] | None]:
    from rules.model.bootstrap import auc_bounds, auc_difference
    from rules.model.fitted import rule_score

    y, points = judged["y"].cast(pl.Int64).to_numpy(), judged["points"].cast(pl.Float64).to_numpy()
    found = auc_bounds(points, y)
    rules = rules_of(model)
    if rules is None:
        return found._asdict(), None
    over = auc_difference(points, rule_score(judged, rules), y)
    return found._asdict(), (over.low, over.high)


def rules_of(model: Model) -> Scheme | None:
    """The rules that were fitted beside a model; None where its training kept none."""
    content = model.metrics.get("rules")
    return None if content is None else from_content(content, book.numbers())


def outcome_of(bundle: Scorecard | Boosted) -> Outcome:
    """What counted as a failure when the model was trained."""
    return Outcome(**{name: int(value) for name, value in bundle.outcome.items()})


def rule_of(bundle: Scorecard | Boosted) -> UnitRule:
    """Which visits were units when the model was trained."""
    said = dict(bundle.rule)
    return UnitRule(tuple(said["purposes"]), int(said["least_gap"]), int(said["history"]))


def _edges(bundle: Scorecard | Boosted) -> dict[str, tuple[int, ...]]:
    return {one.id: one.edges for one in bundle.features}


def _score_counts(bundle: Scorecard | Boosted, judged: pl.DataFrame) -> list[int]:
    edges = pl.Series(bundle.reference["score_edges"], dtype=pl.Int64)
    places = edges.search_sorted(judged["points"].cast(pl.Int64), side="right")
    counts = [0] * (edges.len() + 1)
    for place in places:
        counts[int(place)] += 1
    return counts


def _limits(today: date) -> Limits:
    from rules.model.drift import Limits

    return Limits(
        feature_psi=_value("watch_feature_psi", today) / 1000, score_psi=_value("watch_score_psi", today) / 1000,
        excess=_value("watch_excess", today) / 1000, p=_value("watch_p", today) / 1000, least_rows=_value("watch_rows", today),
        least_positives=_value("watch_positives", today),
    )  # fmt: skip


def _value(name: str, today: date) -> int:
    return parameters.shipped("model_operations")[name].on(today).value


def _keep(model: Model, quarter: Quarter) -> None:
    with write():
        row = (
            model.id,
            clock.day_number(quarter.first),
            orjson.dumps(quarter.report).decode(),
            quarter.retires,
            quarter.at,
        )
        insert_rows("model_report", COLUMNS, [row], conflict="ON CONFLICT DO NOTHING")


def _why(quarter: Quarter) -> str:
    said = [one["zh"] + " " + one["en"] for one in quarter.report["findings"] if one["retires"]]
    return f"{quarter.first}: {' '.join(said)}"
