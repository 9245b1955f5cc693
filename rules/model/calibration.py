"""Do chances mean what they say? Reliability by bins of equal mass, and how much of the error chance alone would make.

Even chances that are exactly right miss the rates of finite bins. The mean error of outcomes that are drawn from the chances
themselves is that part; what is above it is the model's own (Bröcker & Smith, Weather and Forecasting 22 (2007) 651-661).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rules.errors import FrameError
from rules.model.metrics import Floats, Ints, mid_ranks, outcomes_of, scores_of, share_interval

BINS = 10
DRAWS = 500
_CELLS = 2_000_000


def chances_of(chance: ArrayLike) -> Floats:
    """``chance`` as numbers from 0 to 1. Raises FrameError outside of them: millionths are to be divided first."""
    found = scores_of(chance, "chance")
    if found.min() < 0 or found.max() > 1:
        raise FrameError(
            f"`chance` reaches from {found.min():g} to {found.max():g}. Give chances from 0 to 1; divide millionths by 1,000,000."
        )
    return found


def calibration_error(chance: ArrayLike, y: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error: mean distance of mean chance and failure rate over bins of equal mass, weighted by rows.

    Equal chances share one bin, so the error does not depend on the order of rows. Raises FrameError as `chances_of`.
    """
    values = chances_of(chance)
    found = outcomes_of(y, values.size)
    binned = _bins(values, bins)
    return float(np.abs(_sums(binned, values - found)).sum() / values.size)


def null_errors(chance: ArrayLike, seed: int, draws: int = DRAWS, bins: int = BINS) -> Floats:
    """The calibration error of ``draws`` sets of outcomes that are drawn from the chances: what right chances would show."""
    values = chances_of(chance)
    if draws < 1:
        raise FrameError(f"{draws} draws were asked for. Ask for at least 1; {DRAWS} is usual.")
    order, starts = _runs(_bins(values, bins))
    ranked = values[order]
    generator = np.random.default_rng(seed)
    step = max(1, _CELLS // values.size)
    found = np.empty(draws)
    for start in range(0, draws, step):
        count = min(step, draws - start)
        missed = ranked - (generator.random((count, values.size)) < ranked)
        found[start : start + count] = np.abs(np.add.reduceat(missed, starts, axis=1)).sum(axis=1) / values.size
    return found


def reliability(chance: ArrayLike, y: ArrayLike, bins: int = BINS) -> list[dict[str, Any]]:
    """One row for each bin in order of chance: rows ``n``, ``failures``, mean ``chance``, ``rate``, its interval, and
    the lowest and highest chance of the bin (``least``, ``most``)."""
    values = chances_of(chance)
    found = outcomes_of(y, values.size)
    order, starts = _runs(_bins(values, bins))
    table = []
    for rows in np.split(order, starts[1:]):
        failures = int(found[rows].sum())
        low, high = share_interval(failures, rows.size)
        table.append(
            {
                "n": int(rows.size), "failures": failures, "chance": float(values[rows].mean()),
                "rate": failures / rows.size, "low": low, "high": high,
                "least": float(values[rows].min()), "most": float(values[rows].max()),
            }
        )  # fmt: skip
    return table


def calibration(chance: ArrayLike, y: ArrayLike, seed: int, draws: int = DRAWS, bins: int = BINS) -> dict[str, Any]:
    """Everything that is said of calibration, as JSON.

    ``error`` (see :func:`calibration_error`), ``null`` (the mean of the simulated errors), ``excess`` = error - null (below 0
    where chance was kind), ``p`` (share of simulated errors that are at least as large), ``mean_chance``, ``rate`` and
    the ``bins`` of :func:`reliability`.
    """
    error = calibration_error(chance, y, bins)
    simulated = null_errors(chance, seed, draws, bins)
    null = float(simulated.mean())
    return {
        "error": error, "null": null, "excess": error - null,
        "p": float((1 + (simulated >= error).sum()) / (1 + simulated.size)),
        "mean_chance": float(np.mean(chances_of(chance))), "rate": float(np.mean(np.asarray(y))),
        "bins": reliability(chance, y, bins),
    }  # fmt: skip


def _bins(values: Floats, bins: int) -> Ints:
    if bins < 1:
        raise FrameError(f"{bins} bins were asked for. Ask for at least 1; {BINS} is usual.")
    # The middle of equal values decides their bin: cutting through them would let the order of rows decide.
    found: Ints = ((mid_ranks(values) - 0.5) * bins / values.size).astype(np.int64)
    return found


def _sums(binned: Ints, missed: Floats) -> Floats:
    sums: Floats = np.bincount(binned, weights=missed).astype(np.float64)
    return sums


def _runs(binned: Ints) -> tuple[Ints, Ints]:
    """Rows in order of their bin, and where each bin that is not empty starts among them."""
    order = np.argsort(binned, kind="stable")
    ranked = binned[order]
    return order, np.concatenate(([0], np.flatnonzero(np.diff(ranked)) + 1))
