"""Does a model still see what it was fitted on? Shares per bin against those of its training rows, and the rate of failures.

The population stability index is the symmetric Kullback-Leibler divergence of two sets of shares (Jeffreys 1946; Siddiqi, Credit
Risk Scorecards, 2006, ch. 8, where above 0.25 counts as a shift and below 0.10 as none). The limits are a custom of the
trade and no law: every one of them is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from rules.errors import FrameError
from rules.model.binning import column, place
from rules.model.metrics import Floats, share_interval

SCORE = "score"
# A share that was never seen in training: without a floor one single row of it would be an infinite shift.
LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True)
class Limits:
    """When a finding is made; product defaults 产品默认值.

    ``feature_psi``, ``score_psi``: largest index; ``excess``: largest calibration error above its simulated null, which also
    has to be rarer than ``p`` among right chances; with fewer than ``least_rows`` rows or ``least_positives`` failures
    nothing is judged: numbers so small shift by themselves.
    """

    feature_psi: float = 0.25
    score_psi: float = 0.25
    excess: float = 0.02
    p: float = 0.01
    least_rows: int = 200
    least_positives: int = 20


@dataclass(frozen=True, slots=True)
class Observed:
    """What a span of days showed.

    ``counts``: rows per bin by feature, and by ``score``, in the bins of the bundle (:func:`bin_counts`); ``rows`` and
    ``positives``: visits and failures among them; ``calibration``: what :func:`rules.model.calibration.calibration` says,
    ``gain``: the paired interval (low, high) of the AUC above the fitted rules; both None where there is no outcome yet.
    """

    counts: Mapping[str, Sequence[int]]
    rows: int
    positives: int
    calibration: Mapping[str, Any] | None = None
    gain: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that has moved. ``test``: ``few``, ``feature_psi``, ``score_psi``, ``base_rate``, ``calibration`` or ``gain``."""

    test: str
    subject: str
    value: float
    limit: float
    retires: bool
    zh: str
    en: str

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Watch:
    """What :func:`watch` found; ``retires`` where one finding is enough to retire the model, ``psi`` by feature and score."""

    findings: tuple[Finding, ...]
    psi: Mapping[str, float]
    base_rate: Mapping[str, float] = field(default_factory=dict)

    @property
    def retires(self) -> bool:
        return any(one.retires for one in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {
            "retires": self.retires,
            "findings": [one.as_dict() for one in self.findings],
            "psi": dict(self.psi),
            "base_rate": dict(self.base_rate),
        }


def psi(reference: ArrayLike, observed: ArrayLike) -> float:
    """Population stability index of two sets of shares, or of rows per bin: 0 where they agree, and at least 0.

    Raises
    ------
    FrameError
        If their lengths differ, a share is negative, or one of them is nothing at all.
    """
    first, second = _shares(reference, "reference"), _shares(observed, "observed")
    if first.size != second.size:
        raise FrameError(
            f"`reference` has {first.size} bins and `observed` has {second.size}. Count both in the bins of the same bundle."
        )
    return float(((second - first) * np.log(second / first)).sum())


def _shares(given: ArrayLike, name: str) -> Floats:
    found = np.asarray(given, dtype=np.float64)
    if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any() or not found.sum():
        raise FrameError(
            f"`{name}` is no set of shares. Give one number of at least 0 for each bin, not all of them 0."
        )
    shares: Floats = np.maximum(found / found.sum(), LEAST_SHARE)
    return shares


def bin_counts(edges: Mapping[str, Sequence[int]], frame: pl.DataFrame) -> dict[str, list[int]]:
    """Rows of ``frame`` per bin of each feature in ``edges``; the last count is of the rows whose value is unknown.

    A bin holds the values from its edge on, as in a bundle. Raises FrameError for a column that is missing or not whole.
    """
    found = {}
    for id_, limits in edges.items():
        places = place(*column(frame, id_), limits)
        found[id_] = [int(count) for count in np.bincount(places, minlength=len(limits) + 2)]
    return found


def watch(reference: Mapping[str, Any], observed: Observed, limits: Limits | None = None) -> Watch:
    """Compare what was observed with what the bundle remembers of its training rows.

    Parameters
    ----------
    reference : ``reference`` of a bundle: shares per bin by feature, ``score``, and ``base_rate``
    observed, limits : see there; what is not in ``observed.counts`` is not compared

    Returns
    -------
    Watch
        A shifted feature or base rate is told and retires nothing: the score and its calibration decide whether it matters.
        The model retires where its score has shifted, its calibration is off, or its AUC is surely below that of the
        fitted rules.

    Raises
    ------
    FrameError
        If the bins of something that is compared do not agree with those of the reference.
    """
    limit = limits or Limits()
    unknown = [name for name in observed.counts if name not in reference]
    if unknown:
        raise FrameError(f"The bundle has no reference of {', '.join(unknown)}. Compare only what the bundle reads.")
    moved = {
        name: psi(reference[name], counts)
        for name, counts in observed.counts.items()
        if sum(counts) >= max(limit.least_rows, 1)
    }
    findings = [*_few(observed, limit), *_shifted(moved, limit)]
    rates: dict[str, float] = {}
    if observed.rows:
        low, high = share_interval(observed.positives, observed.rows)
        known = float(reference["base_rate"])
        rates = {"reference": known, "observed": observed.positives / observed.rows, "low": low, "high": high}
        if observed.rows >= limit.least_rows and not low <= known <= high:
            findings.append(_rate(rates))
    if (
        observed.rows >= limit.least_rows
        and min(observed.positives, observed.rows - observed.positives) >= limit.least_positives
    ):
        findings += [*_miscalibrated(observed, limit), *_beaten(observed)]
    return Watch(tuple(findings), moved, rates)


def _few(observed: Observed, limit: Limits) -> list[Finding]:
    failures = min(observed.positives, observed.rows - observed.positives)
    if observed.rows >= limit.least_rows and failures >= limit.least_positives:
        return []
    return [
        Finding(
            "few", "rows", observed.rows, limit.least_rows, False,
            f"仅 {observed.rows} 次检查、{observed.positives} 次发现问题，不足以判断校准与区分能力"
            f"（至少 {limit.least_rows} 次检查、两类结果各 {limit.least_positives} 次）。",
            f"{observed.rows} visits with {observed.positives} failures are too few to judge calibration and discrimination "
            f"(at least {limit.least_rows} visits, and {limit.least_positives} of either outcome).",
        )
    ]  # fmt: skip


def _shifted(moved: Mapping[str, float], limit: Limits) -> list[Finding]:
    found = []
    for name, value in moved.items():
        score = name == SCORE
        most = limit.score_psi if score else limit.feature_psi
        if value > most:
            what = ("得分", "The score") if score else (f"特征 {name} ", f"Feature {name}")
            found.append(
                Finding(
                    "score_psi" if score else "feature_psi", name, value, most, score,
                    f"{what[0]}的分布已偏移：PSI {value:.3f}，上限 {most:.2f}。",
                    f"{what[1]} has shifted: PSI {value:.3f}, the limit is {most:.2f}.",
                )
            )  # fmt: skip
    return found


def _rate(rates: Mapping[str, float]) -> Finding:
    return Finding(
        "base_rate", "base_rate", rates["observed"], rates["reference"], False,
        f"问题发现率为 {rates['observed']:.1%}（{rates['low']:.1%}–{rates['high']:.1%}），训练时为 {rates['reference']:.1%}。",
        f"The failure rate is {rates['observed']:.1%} ({rates['low']:.1%} to {rates['high']:.1%}); it was "
        f"{rates['reference']:.1%} in training.",
    )  # fmt: skip


def _miscalibrated(observed: Observed, limit: Limits) -> list[Finding]:
    said = observed.calibration
    if said is None or said["excess"] <= limit.excess or said["p"] > limit.p:
        return []
    return [
        Finding(
            "calibration", SCORE, said["excess"], limit.excess, True,
            f"概率已失准：校准误差 {said['error']:.3f}，其中偶然部分 {said['null']:.3f}；超出部分上限 {limit.excess:.3f}。",
            f"Chances are off: calibration error {said['error']:.3f}, of which chance alone makes {said['null']:.3f}; at most "
            f"{limit.excess:.3f} above it is allowed.",
        )
    ]  # fmt: skip


def _beaten(observed: Observed) -> list[Finding]:
    if observed.gain is None or observed.gain[1] >= 0:
        return []
    low, high = observed.gain
    return [
        Finding(
            "gain", SCORE, high, 0.0, True,
            f"模型已不如拟合规则：AUC 之差的 95% 区间为 {low:+.3f} 至 {high:+.3f}。",
            f"The model is worse than the fitted rules: the 95 % interval of the AUC difference is {low:+.3f} to {high:+.3f}.",
        )
    ]  # fmt: skip
