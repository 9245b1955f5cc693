"""Exact intervals of 95 % for estimates that are no plain counts: of a share and of a total, by the count that would tell as much."""

from __future__ import annotations

import numpy as np

LEVEL = 0.95
_TAIL = (1 - LEVEL) / 2
# Beside 1, what is below is rounding.
_NOTHING = 1e-12


def share_of_effective(rate: float, effective: float, checks: int, freedom: int) -> tuple[float, float]:
    """95 % interval of a share that ``effective`` checks of a simple draw would tell as well: the exact interval of Clopper &
    Pearson on so many, as Korn & Graubard (Survey Methodology 24 (1998) 193-201) have it. It holds its level also where few or
    no failures were found.

    Parameters
    ----------
    rate : from 0 to 1
    effective : above 0; infinite where everybody was seen, and then there is no doubt left
    checks, freedom : checks that the rate rests on, and those less the strata: few of them widen the interval
    """
    if np.isinf(effective):
        return rate, rate
    from scipy.special import betaincinv, stdtrit  # type: ignore[import-untyped]

    tail = 1 - _TAIL
    narrower = float((stdtrit(max(checks - 1, 1), tail) / stdtrit(max(freedom, 1), tail)) ** 2)
    size = effective * narrower
    hits = rate * size
    low = float(betaincinv(hits, size - hits + 1, _TAIL)) if hits > _NOTHING else 0.0
    high = float(betaincinv(hits + 1, size - hits, tail)) if size - hits > _NOTHING else 1.0
    return low, high


def total_interval(total: float, variance: float, heaviest: float) -> tuple[float, float]:
    """95 % interval of a total: the exact one of a Poisson count (Garwood, Biometrika 28 (1936) 437-442) on as many failures as
    would tell as much, total² / variance. It holds its level where a normal one fails: with few failures.

    Parameters
    ----------
    total, variance : 0 or more
    heaviest : the most entities that one check stands for, 1 or more; it bounds what a draw without a failure may have missed
    """
    from scipy.special import gammaincinv

    if total <= _NOTHING:
        # So many failures would all be missed with the chance of one tail only.
        return 0.0, float(np.log(_TAIL) / np.log1p(-1 / heaviest)) if heaviest > 1 + _NOTHING else 0.0
    # Outcomes that are all alike show no variance, which is no proof that there is none.
    spread = variance if variance > _NOTHING * total else (heaviest - 1) * total
    if spread <= _NOTHING * total:
        return total, total
    each, count = spread / total, total**2 / spread
    return float(each * gammaincinv(count, _TAIL)), float(each * gammaincinv(count + 1, 1 - _TAIL))
