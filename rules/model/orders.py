"""The orders that a model is measured beside: what was done, what a rule of thumb would do, chance, and all-knowing."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from rules.errors import FrameError
from rules.model.metrics import Floats, Ints, Plan, average_precision, by_period, evaluate_order, scores_of
from rules.parts import Title

# Random orders that are measured to say what a random order gives.
RANDOM_DRAWS = 20


ORDERS: dict[str, Title] = {
    "model": Title("规则＋模型", "rules + model"),
    "boosted": Title("提升树（对照）", "boosted challenger"),
    "rules": Title("拟合规则", "fitted rules"),
    "business_as_usual": Title("实际检查顺序", "business as usual"),
    "statutory": Title("法定类别顺序", "statutory order"),
    "overdue": Title("久未检查者优先", "longest unvisited first"),
    "random": Title("随机顺序", "random"),
    "oracle": Title("全知顺序", "oracle"),
}


def placed(score: ArrayLike | pl.Series, size: int, name: str) -> Floats:
    """A score with every missing value placed below all others, as an entity without judgement stands in a list.

    Raises FrameError if it has not ``size`` rows, or none of them has a value.
    """
    values = score.to_numpy() if isinstance(score, pl.Series) else np.asarray(score)
    found = np.array(values, dtype=np.float64)
    if found.shape != (size,):
        raise FrameError(
            f"The score {name!r} has the shape {found.shape}. Give one value for each of the {size} units."
        )
    missing = np.isnan(found)
    if missing.all():
        raise FrameError(f"The score {name!r} has no value at all. Leave this order out.")
    found[missing] = found[~missing].min() - 1
    return scores_of(found, name)


def as_usual(table: pl.DataFrame) -> Floats:
    """The order that was really followed, as a score: the earlier in its period a visit was, the higher."""
    return (table["period"].cast(pl.Int64) - table["visit"].cast(pl.Int64)).cast(pl.Float64).to_numpy()


def random_plan(table: pl.DataFrame, seed: int, draws: int = RANDOM_DRAWS) -> Plan:
    """What a random order gives in the mean. Exact, but for ``ap``: that is the mean of ``draws`` orders drawn by ``seed``."""
    y, days, periods = (table[name].to_numpy() for name in ("y", "visit", "period"))
    plan = evaluate_order(np.zeros(table.height), y, days, periods)
    generator = np.random.default_rng(seed)
    drawn = [average_precision(generator.permutation(table.height), y) for _ in range(draws)]
    known = [one for one in drawn if one is not None]
    plan["ap"] = sum(known) / len(known) if known else None
    groups = by_period(periods, table.height)
    tenth = _expected(y, groups, 0.1)
    places = sum(int(np.floor(rows.size * 0.1)) for rows in groups)
    plan["prec10"] = tenth / max(places, 1)
    if plan["pos"]:
        plan["cap10"], plan["cap20"] = tenth / plan["pos"], _expected(y, groups, 0.2) / plan["pos"]
        plan["cap50"] = _expected(y, groups, 0.5) / plan["pos"]
    plan["days"] = plan["days_rand"]
    plan["gain"] = None if plan["gain"] is None else 0.0
    return plan


def _expected(y: Ints, groups: list[Ints], share: float) -> float:
    """Failures that a random order has in the first places of each period, in the mean."""
    return sum(float(y[rows].sum()) * int(np.floor(rows.size * share)) / rows.size for rows in groups)


def random_curve(table: pl.DataFrame, steps: int) -> list[float]:
    """The capture curve that a random order has in the mean: each period's share of places, weighted by its failures."""
    y = table["y"].to_numpy()
    groups = by_period(table["period"].to_numpy(), table.height)
    hits = np.array([y[rows].sum() for rows in groups], dtype=np.float64)
    sizes = np.array([rows.size for rows in groups])
    return [float((hits * (sizes * step // steps / sizes)).sum() / hits.sum()) for step in range(steps + 1)]
