"""What a simulation says of every policy: violations, how much earlier, whom it burdened, and what one would have believed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from registry.sample.latent import Floats, Ints
from registry.simulate import rates
from registry.simulate.asked import Asked
from registry.simulate.run import Progress, Simulated, Track, simulate
from rules.inspection.frequency import FrequencyTable
from rules.model.metrics import share_interval

# Visits to one entity that have a column of their own; the last one is "so many or more".
COLUMNS = 5
_NOT_FOUND = np.iinfo(np.int64).max


def report(simulated: Simulated, *, coverage: int = 0) -> dict[str, Any]:
    """Everything that is told of a simulation, as plain values; the same simulation gives the same, byte for byte as JSON.

    Parameters
    ----------
    coverage : seeds over which intervals are held against the truth, of the last policy with a random slice and of those that leave
        nothing to the lot; 0: none

    Returns
    -------
    dict
        ``asked``, ``classes``, ``months``, ``visits_a_month``, ``entities`` (could be visited on the first and the last list day),
        hashes of the parameters and of the frequency table; ``policies``: one entry each (:func:`of_track`); ``coverage``: by policy
        (:func:`registry.simulate.rates.coverage`).
    """
    asked, of = simulated.asked, simulated.of
    base = simulated.tracks["random"]
    found: dict[str, Any] = {
        "asked": {
            "policies": list(simulated.tracks), "months": asked.months, "entities": asked.entities, "seed": asked.seed,
            "parameters": asked.parameters, "first": asked.first.isoformat(),
        },
        "classes": list(simulated.classes),
        "months": rates.month_names(simulated),
        "visits_a_month": simulated.visits,
        "entities": [int(of.standing(of.months[place]).sum()) for place in (of.lead, -2)],
        "mean_chance": round(float(of.chance[of.standing(of.months[-2])].mean()), 6),
        "parameters_sha256": simulated.latent_sha256,
        "frequency_hash": simulated.table_hash,
        "policies": {name: of_track(simulated, track, base) for name, track in simulated.tracks.items()},
    }  # fmt: skip
    if coverage:
        sliced = [name for name, track in simulated.tracks.items() if _ordered(track) and _by_lot(track)]
        without = [name for name, track in simulated.tracks.items() if not _by_lot(track)]
        found["coverage"] = {name: rates.coverage(simulated, name, coverage) for name in (*sliced[-1:], *without)}
    return found


def of_track(simulated: Simulated, track: Track, base: Track) -> dict[str, Any]:
    """One policy.

    ``visits`` and ``violations`` are counts, ``per_100`` violations per 100 visits with the interval of 95 % of a share; ``times_random`` is
    the ratio to random at the same visits, ``entities_found`` how many entities a violation was found at. ``earlier``: over the
    entities at which both found one, the mean number of days by which this policy did so first, with an interval of 95 %.
    ``as_many_days`` is how many days before the end it had found as many violations as random did by the end; null where it did not.
    ``visited``: entities by number of visits. ``by_month`` and ``entities_by_month`` are cumulative.
    """
    months = track.months
    visits = [int(month.chosen.everybody.size) for month in months]
    hits = [_hits(month.chosen.everybody, month.luck.fails) for month in months]
    violations = [int(one.size) for one in hits]
    total, count = sum(violations), sum(visits)
    low, high = share_interval(total, count)
    first, first_of_base = _first_days(simulated, track), _first_days(simulated, base)
    other = int((first_of_base < _NOT_FOUND).sum())
    of_base = sum(int(_hits(month.chosen.everybody, month.luck.fails).size) for month in base.months)
    times = np.bincount(np.concatenate([month.chosen.everybody for month in months]), minlength=len(simulated.of))
    there = simulated.of.standing(simulated.of.months[-2])
    return {
        "title": {"zh": track.policy.title.zh, "en": track.policy.title.en},
        "visits": count,
        "violations": total,
        "per_100": round(100 * total / count, 3) if count else None,
        "per_100_low": round(100 * low, 3),
        "per_100_high": round(100 * high, 3),
        "times_random": round(total / of_base, 4) if of_base else None,
        "entities_found": int((first < _NOT_FOUND).sum()),
        "entities_times_random": round(float((first < _NOT_FOUND).sum()) / other, 4) if other else None,
        "earlier": _earlier(first, first_of_base),
        "as_many_days": _as_many(simulated, track, of_base),
        "visited": [*np.bincount(times[there], minlength=COLUMNS)[:COLUMNS].tolist(), int((times[there] >= COLUMNS).sum())],
        "never_share": round(float((times[there] == 0).mean()), 6),
        "most": int(times.max()),
        **_by_year(simulated, track),
        "by_month": np.cumsum(violations).tolist(),
        "entities_by_month": _distinct_by_month(hits),
        "classes": rates.by_class(simulated, track),
        "model": [dict(note) for note in track.model],
    }  # fmt: skip


def over_seeds(
    asked: Asked, seeds: Sequence[int], table: FrequencyTable | None = None, progress: Progress | None = None
) -> dict[str, dict[str, Any]]:
    """``times_random`` and ``entities_times_random`` of each policy over several districts: mean, interval of 95 % of the mean (Student's t),
    least, and each value. One seed has no interval."""
    found: dict[str, dict[str, list[float]]] = {}
    for place, seed in enumerate(seeds):
        if progress is not None:
            progress("seed", place, len(seeds))
        made = simulate(replace(asked, seed=seed), table)
        for name, one in report(made)["policies"].items():
            for key in ("times_random", "entities_times_random"):
                if one[key] is not None:
                    found.setdefault(name, {}).setdefault(key, []).append(one[key])
    return {name: {key: _spread(values) for key, values in both.items()} for name, both in found.items()}


def _spread(values: list[float]) -> dict[str, Any]:
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    mean, count = float(np.mean(values)), len(values)
    half = float(stdtrit(count - 1, 0.975)) * float(np.std(values, ddof=1)) / math.sqrt(count) if count > 1 else None
    return {
        "mean": round(mean, 4), "low": None if half is None else round(mean - half, 4),
        "high": None if half is None else round(mean + half, 4), "least": min(values), "values": values,
    }  # fmt: skip


def _hits(who: Ints, fails: Any) -> Ints:
    found: Ints = who[fails[who]]
    return found


def _first_days(simulated: Simulated, track: Track) -> Ints:
    """The day on which a policy first found a violation at each entity; `_NOT_FOUND` where it did not."""
    first: Ints = np.full(len(simulated.of), _NOT_FOUND)
    for month in track.months:
        hits = _hits(month.chosen.everybody, month.luck.fails)
        first[hits] = np.minimum(first[hits], month.luck.day[hits])
    return first


def _earlier(first: Ints, base: Ints) -> dict[str, Any]:
    both = (first < _NOT_FOUND) & (base < _NOT_FOUND)
    lead: Floats = (base[both] - first[both]).astype(np.float64)
    if not lead.size:
        return {"entities": 0, "days": None, "low": None, "high": None}
    spread = _spread(lead.tolist())
    return {"entities": int(lead.size)} | {
        key: None if value is None else round(value, 1)
        for key, value in (("days", spread["mean"]), ("low", spread["low"]), ("high", spread["high"]))
    }


def _as_many(simulated: Simulated, track: Track, number: int) -> int | None:
    """Days from the day on which a policy had found so many violations until the last day."""
    days = np.sort(
        np.concatenate([month.luck.day[_hits(month.chosen.everybody, month.luck.fails)] for month in track.months])
    )
    if not 0 < number <= days.size:
        return None
    return int(simulated.of.months[-1] - 1 - days[number - 1])


def _by_year(simulated: Simulated, track: Track) -> Mapping[str, int]:
    """Most visits of one entity in a calendar year, and how many entities had more than the cap in one: that must be none."""
    years: dict[str, list[Ints]] = {}
    for name, month in zip(rates.month_names(simulated), track.months, strict=True):
        years.setdefault(name[:4], []).append(month.chosen.everybody)
    counts = [np.bincount(np.concatenate(who), minlength=len(simulated.of)) for who in years.values()]
    return {
        "most_in_a_year": max(int(one.max()) for one in counts),
        "beyond_cap": sum(int((one > simulated.cap).sum()) for one in counts),
    }


def _distinct_by_month(hits: Sequence[Ints]) -> list[int]:
    seen: set[int] = set()
    found = []
    for month in hits:
        seen.update(month.tolist())
        found.append(len(seen))
    return found


def _ordered(track: Track) -> bool:
    return any(month.chosen.by_order.size for month in track.months)


def _by_lot(track: Track) -> bool:
    return any(month.chosen.by_lot.size for month in track.months)
