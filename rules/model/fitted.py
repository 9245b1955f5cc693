"""Fitted rules: a scheme whose weights and cuts are what past visits say. The order that a model has to beat.

A weight is a parameter whose id begins with ``w_`` and on which the points of its rule depend in a straight line, as in
``w_serious * mean_serious``. Weights are those of a logistic regression that may not go below 0, scaled to whole numbers such that the
training scores spread over the scale of the scheme; the cuts leave the worst 50, 20 and 5 percent of the training scores above
them. What comes out is an ordinary scheme: it grades, explains and compares as any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from scipy.optimize import minimize  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from rules.compiled import Compiled, CompiledRule
from rules.dated import to_date
from rules.errors import FrameError
from rules.indicators import Column
from rules.judging import judge
from rules.kinds import DIRECTIONS, KINDS
from rules.model import binning
from rules.model.binning import Floats
from rules.model.bundle import canonical
from rules.model.training import TrainingError, weights_of
from rules.receipt import MOST_POINTS
from rules.scheme import Scheme, from_content
from rules.slices import Ints

WEIGHT = "w_"
QUANTILES = (0.50, 0.80, 0.95)  # of the training scores: where B, C and D begin
_REACHED = (0.999, 0.95)  # this quantile of the training scores stands at this part of the scale
_RIDGE = 1.0  # rows of average weight: only what the rows leave open is decided by it
_ITERATIONS = 500


def fit_rules(table: pl.DataFrame, scheme: Scheme, kinds: Mapping[str, int] = KINDS, *, half_life: int = 0) -> Scheme:
    """``scheme`` with its weights and cuts fitted to the training rows, in all their dated values.

    Parameters
    ----------
    table : rows of :func:`rules.model.units.with_features`
        ``y``, ``day``, ``weight`` (optional), ``visit`` (optional, for the note) and every indicator that a rule reads, null where
        unknown: such a rule gives no points.
    kinds : numbers of the kinds that the scheme reads
    half_life : days in which a training row loses half its weight (0: none does)

    Returns
    -------
    Scheme
        Of the same id, with another hash. What was fitted rests on ``product_default``, with a note that names the window.

    Raises
    ------
    FrameError
        If a column is missing or of the wrong type.
    TrainingError
        If the rows hold one outcome only, or the scheme is not of a form whose weights can be fitted.
    """
    where = f"scheme {scheme.id!r}"
    if scheme.direction != DIRECTIONS[0] or len(scheme.classes) != len(QUANTILES) + 1:
        problem = f"has {len(scheme.classes)} classes on a scale that is {scheme.direction}"
        raise TrainingError(where, problem, f"Fit a scheme with four classes that is {DIRECTIONS[0]}")
    y, weight = _outcomes(table, half_life)
    found = _weights(table, scheme, y, weight)
    body = json.loads(scheme.content)
    basis = {"instrument": "Product default", "kind": "product_default", "note": _note(table, y)}
    for (rule, name), value in found.items():
        for span in body["rule"][rule]["parameter"][name]:
            span.pop("subjects", None)
            span["value"], span["basis"] = value, basis
    weighted = from_content(canonical(body), kinds, scheme.inner)
    limits = _cuts(rule_score(table, weighted), weight, weighted)
    for span in body["scheme"]["cuts"]:
        span["basis"] = basis
        for class_, limit in zip(span["classes"], limits, strict=True):
            class_["to"] = limit
    return from_content(canonical(body), kinds, scheme.inner)


def rule_score(table: pl.DataFrame, scheme: Scheme, subject: str | None = None) -> Ints:
    """The score of every row under ``scheme``, from its indicators as columns of ``table`` (``day`` says which law is read).

    The same code judges as in a grading; a higher score is riskier where the scheme says so. ``subject`` is that of all rows, the
    first of the scheme if none is named.

    Raises
    ------
    FrameError
        If a column is missing or of the wrong type.
    NotInForce
        If the scheme has no cuts on one of the days.
    """
    found = np.zeros(table.height, np.int64)
    for rows, compiled, columns in _parts(table, scheme, subject):
        found[rows] = judge(scheme, compiled, columns, rows.size).ledger[:, 1]
    return found


def _weights(table: pl.DataFrame, scheme: Scheme, y: Floats, weight: Floats) -> dict[tuple[str, str], int]:
    """The whole-number value of every weight, by rule and parameter."""
    names = [
        (rule.id, name)
        for rule in scheme.rules.values()
        if rule.points is not None
        for name in rule.parameters
        if name.startswith(WEIGHT)
    ]
    if not names:
        problem = f"has no weight to fit: no points depend on a parameter whose id begins with {WEIGHT}"
        raise TrainingError(f"scheme {scheme.id!r}", problem, "Write points such as w_serious * mean_serious")
    design = np.zeros((table.height, len(names)))
    for rows, compiled, columns in _parts(table, scheme, None):
        by_id = {one.rule.id: one for one in compiled.rules}
        for place, (rule, name) in enumerate(names):
            if rule in by_id:
                design[rows, place] = _unit(scheme, compiled, columns, rows.size, by_id[rule], name)
    spread = np.sqrt(np.average((design - np.average(design, 0, weight)) ** 2, 0, weight))
    spread[spread == 0] = 1.0
    exact = _logistic(design / spread, y, weight) / spread
    raw = design @ exact
    at, part = _REACHED
    top = float(np.quantile(raw, at))
    if top <= 0:
        problem = "none of its weights rises with the failures of these rows"
        raise TrainingError(f"scheme {scheme.id!r}", problem, "Take a longer period, or keep the scheme as it is")
    start = scheme.base - scheme.lowest
    scale = ((scheme.highest - scheme.lowest) * part - start) / top
    whole = np.rint(exact * scale).astype(np.int64)
    if whole.max() < 1:
        problem = f"its scale of {scheme.highest - scheme.lowest} is too narrow for weights in whole numbers"
        raise TrainingError(f"scheme {scheme.id!r}", problem, "Widen the scale, or count in coarser units")
    return dict(zip(names, whole.tolist(), strict=True))


def _unit(
    scheme: Scheme, compiled: Compiled, columns: Mapping[str, Column], size: int, rule: CompiledRule, name: str
) -> Ints:
    """What one unit of a weight gives in every row; refused where two units do not give twice as much."""
    zero = {key: 0 if key.startswith(WEIGHT) else value for key, value in rule.constants.items()}
    given = []
    for value in (0, 1, 2):
        one = replace(rule, constants={**zero, name: value})
        alone = replace(compiled.only(rule), rules=(one,))
        column = judge(scheme, alone, columns, size).ledger[:, 2 + rule.index].astype(np.int64)
        # Marks of a rule that did not apply or knew nothing lie beyond any points.
        given.append(np.where(np.abs(column) <= MOST_POINTS, column, 0))
    if (given[2] - given[1] != given[1] - given[0]).any():
        problem = f"its points {rule.rule.points_text!r} do not grow evenly with {name}"
        raise TrainingError(f"rule {rule.rule.id!r}", problem, f"Write {name} as a factor of a term of its own")
    return given[1] - given[0]


def _logistic(design: Floats, y: Floats, weight: Floats) -> Floats:
    """The weights of a logistic regression with an intercept, none of them below 0."""

    def loss(at: Floats) -> tuple[float, Floats]:
        odds = design @ at[:-1] + at[-1]
        chance = 0.5 * (1.0 + np.tanh(0.5 * odds))
        value = (weight * (np.logaddexp(0.0, odds) - y * odds)).sum() + 0.5 * _RIDGE * at[:-1] @ at[:-1]
        away = weight * (chance - y)
        return float(value), np.append(away @ design + _RIDGE * at[:-1], away.sum())

    rate = float((weight * y).mean())
    start = np.append(np.zeros(design.shape[1]), np.log(rate / (1 - rate)))
    bounds = [(0.0, None)] * design.shape[1] + [(None, None)]
    options = {"maxiter": _ITERATIONS, "ftol": 1e-12, "gtol": 1e-6}
    with threadpool_limits(limits=1):  # the matrices are small: threads would only wait for each other
        found: Floats = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x[:-1]
    return found


def _cuts(scores: Ints, weight: Floats, scheme: Scheme) -> list[int]:
    """The highest score of every class, each class at least one point wide."""
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    found: list[int] = []
    for place, share in enumerate(QUANTILES):
        at = int(scores[order[min(int(np.searchsorted(reached, share)), scores.size - 1)]])
        least = found[-1] + 1 if found else scheme.lowest
        found.append(min(max(at, least), scheme.highest - (len(QUANTILES) - place)))
    return [*found, scheme.highest]


def _outcomes(table: pl.DataFrame, half_life: int) -> tuple[Floats, Floats]:
    for needed in ("y", "day"):
        if needed not in table.columns or table[needed].null_count():
            raise FrameError(
                f"The table of training rows has no column {needed!r} without nulls. See rules.model.units."
            )
    y = table["y"].cast(pl.Float64).to_numpy()
    failures = int((y == 1).sum())
    if failures in (0, y.size):
        problem = f"hold {failures} failures among {y.size} visits, so there is nothing to tell apart"
        raise TrainingError("training rows", problem, "Take a longer period, or another outcome")
    weight = weights_of(table, "training rows")
    if half_life:
        day = table["day"].cast(pl.Float64).to_numpy()
        weight = weight * 0.5 ** ((day.max() - day) / half_life)
    return y, weight / weight.mean()


def _parts(
    table: pl.DataFrame, scheme: Scheme, subject: str | None
) -> Iterator[tuple[Ints, Compiled, dict[str, Column]]]:
    """Rows inside one epoch of the scheme, the scheme fixed for it, and the indicators that its rules read."""
    who = scheme.subjects[0] if subject is None else subject
    days, place = np.unique(table["day"].cast(pl.Int64).to_numpy(), return_inverse=True)
    epochs = np.array([scheme.epoch(day) for day in days.tolist()], np.int64)[place]
    for epoch in np.unique(epochs).tolist():
        compiled = scheme.compiled(who, epoch)
        rows: Ints = np.flatnonzero(epochs == epoch)
        needed = sorted({name for one in compiled.rules for name in one.rule.indicators})
        columns = {}
        for name in needed:
            values, known = binning.column(table, name)
            columns[name] = Column(values[rows], True if known is None else known[rows], [])
        yield rows, compiled, columns


def _note(table: pl.DataFrame, y: Floats) -> str:
    days = (table["visit"] if "visit" in table.columns else table["day"]).to_numpy()
    first, last = (to_date(int(day)).isoformat() for day in (days.min(), days.max()))
    return f"Fitted on {y.size} visits from {first} to {last}, {int(y.sum())} of them failures"
