"""Does a feature know what it cannot know? Names that are refused, and tests of the values; run with every training.

No one test finds every leak, so each asks another question, and each names the feature:

``name``  does it say what it must not hold? (:mod:`rules.model.leaked_names`)
``alarm``  is it alone better than any honest feature was seen to be, or than all fitted rules together?
``frozen``  does it change when every fact from the freeze day on is taken away, or is it not worked out from facts at all?
``withheld``  does it lose much when the last days before the freeze day are withheld? Then a fact there copies the visit.
``shuffled_time``  does it lose much when it is read at an earlier period of the same entity? Honest history ages slowly.
``timeless``  does it never change within an entity? Then it is a value of the day on which the data were taken.
``identity``  does it tell nearly every entity apart and never change? Then it is a name.
``copies``  does an earlier visit repeat the findings of the one to be foretold?
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from rules.errors import FrameError
from rules.model import ModelError
from rules.model.bootstrap import Gain, auc_bounds, auc_difference
from rules.model.leaked_names import REFUSED, Refusal, refused_names
from rules.model.metrics import Floats, Ints

__all__ = ["REFUSED", "Leak", "LeakFound", "Limits", "Refusal", "alarms", "changed", "copied_visits", "examine", "names", "refuse", "shuffled_time", "timeless", "withheld"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """When a test names a feature; product defaults 产品默认值.

    ``alarm``: AUC of one feature alone; ``above``: how far one feature may stand above all fitted rules together. ``fall``:
    AUC that a feature may lose when days are withheld, ``aged``: when an earlier period is read. Each has to be passed by
    the whole 95 % interval; honest features of three cities stayed below 0.02 and 0.13. ``least``: rows of either outcome, and entities, below which a test says nothing. ``window``: days
    before a visit in which a copy of it is looked for, ``same``: share of visits that may repeat the one before exactly.
    """

    alarm: float = 0.80
    above: float = 0.10
    fall: float = 0.05
    aged: float = 0.20
    least: int = 20
    window: int = 120
    same: float = 0.8


@dataclass(frozen=True, slots=True)
class Leak:
    """One feature that one test named. ``value`` is what was measured, ``limit`` what is allowed (null for names)."""

    feature: str
    test: str
    zh: str
    en: str
    value: float | None = None
    limit: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The leak as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        return f"{self.feature}: {self.en}"


class LeakFound(ModelError):
    """Features know what they cannot know; ``leaks`` names each."""

    def __init__(self, leaks: Sequence[Leak]) -> None:
        said = "; ".join(str(leak) for leak in leaks)
        super().__init__("features", said, "Take these features out, or mend how they are worked out, and train again")
        self.leaks = tuple(leaks)


def refuse(leaks: Sequence[Leak]) -> None:
    """Raise LeakFound if there is any leak."""
    if leaks:
        raise LeakFound(leaks)


def names(features: Iterable[str]) -> list[Leak]:
    """Features that are refused by their name alone."""
    return [Leak(name, "name", why.zh, f"it {why.en}") for name, why in refused_names(features).items()]


def examine(
    table: pl.DataFrame,
    features: Sequence[str],
    *,
    seed: int,
    rules: ArrayLike | None = None,
    again: pl.DataFrame | None = None,
    without_last: pl.DataFrame | None = None,
    visits: pl.DataFrame | None = None,
    fixed: Collection[str] = (),
    limits: Limits | None = None,
) -> list[Leak]:
    """Every test for which there is material; what is found, by feature in the order given.

    Parameters
    ----------
    table : units with ``entity``, ``period``, ``y`` and the features, as rules.model.units.with_features gives them
    rules : scores of the fitted rules for its rows
    again : the features of the same rows worked out once more with every fact from the freeze day on taken away
    without_last : the same with the last days before the freeze day taken away, too
    visits : rules.model.units.visits of the facts, to look for copies
    fixed : features that may stay as they are for ever (the industry)

    Raises
    ------
    FrameError
        If a feature is no column of ``table``, or frames differ in height.
    """
    limit = limits or Limits()
    lacking = [name for name in features if name not in table.columns]
    if lacking:
        raise FrameError(
            f"The table has no column {', '.join(lacking)}. Work the features out before they are examined."
        )
    found = names(features)
    found += alarms(table, features, rules=rules, limits=limit)
    if again is not None:
        found += changed(table, again, features)
    if without_last is not None:
        found += withheld(table, without_last, features, limits=limit)
    found += shuffled_time(table, features, seed=seed, limits=limit)
    found += timeless(table, features, fixed=fixed, limits=limit)
    if visits is not None:
        found += copied_visits(table, visits, limits=limit)
    place = {name: number for number, name in enumerate(features)}
    return sorted(found, key=lambda leak: place.get(leak.feature, len(place)))


def alarms(
    table: pl.DataFrame, features: Sequence[str], *, rules: ArrayLike | None = None, limits: Limits | None = None
) -> list[Leak]:
    """Features that alone tell outcomes apart better than is to be believed: by their order, either way round, or by value."""
    limit = limits or Limits()
    y = table["y"].to_numpy().astype(np.int64)
    if not _enough(y, limit.least):
        return []
    bar = limit.alarm
    if rules is not None:
        bar = min(bar, auc_bounds(np.asarray(rules, np.float64), y).auc + limit.above)
    halves = (table["entity"].rank("dense") % 2).to_numpy().astype(np.int64)
    found = []
    for name in features:
        best = max((_oriented(values, y) for values in _readings(table[name], y, halves)), key=lambda one: one.low)
        if best.low > bar:
            found.append(
                Leak(
                    name, "alarm", f"单独的 AUC 为 {best.auc:.3f}，高于可信的 {bar:.3f}",
                    f"alone it has an AUC of {best.auc:.3f}; more than {bar:.3f} is not to be believed", best.auc, bar,
                )
            )  # fmt: skip
    return found


def changed(table: pl.DataFrame, again: pl.DataFrame, features: Sequence[str]) -> list[Leak]:
    """Features that differ once every fact from the freeze day on is taken away, or that cannot be worked out again."""
    _same_height(table, again)
    found = []
    for name in features:
        if name not in again.columns:
            found.append(
                Leak(
                    name, "frozen", "无法由名单拟定日之前的事实重新算出",
                    "it cannot be worked out again from facts before the list was drawn up",
                )
            )  # fmt: skip
            continue
        share = int((~table[name].eq_missing(again[name])).sum()) / max(table.height, 1)
        if share:
            found.append(
                Leak(
                    name, "frozen", f"去掉名单拟定日及之后的事实后，{share:.1%} 的行发生变化",
                    f"{share:.1%} of its rows change when facts from the day of the list on are taken away", share, 0.0,
                )
            )  # fmt: skip
    return found


def withheld(
    table: pl.DataFrame, without_last: pl.DataFrame, features: Sequence[str], *, limits: Limits | None = None
) -> list[Leak]:
    """Features that lose more than is honest when the last days before the freeze day are withheld from them."""
    limit = limits or Limits()
    _same_height(table, without_last)
    shared = [name for name in features if name in without_last.columns]
    y = table["y"].to_numpy().astype(np.int64)
    falls = [(name, _fall(table[name], without_last[name], y, limit.least)) for name in shared]
    return [
        Leak(
            name, "withheld",
            f"隐去名单拟定日前最后几天的事实后，AUC 下降 {fall.auc:.3f}：那里有一条事实复制了这次检查（如日期改动的重复检查）",
            f"it loses {fall.auc:.3f} of AUC when the last days before the list are withheld: a fact there copies the visit, such as "
            "a duplicate with a shifted date", fall.auc, limit.fall,
        )
        for name, fall in falls
        if fall is not None and fall.low > limit.fall
    ]  # fmt: skip


def shuffled_time(
    table: pl.DataFrame, features: Sequence[str], *, seed: int, limits: Limits | None = None
) -> list[Leak]:
    """Features that lose more than is honest when each row reads an earlier period of its entity, drawn by ``seed``.

    History ages slowly: what was known a period earlier says almost as much. What holds the outcome of its own visit says
    nothing of another one. Left out are rows of an entity's first period, and those of which nothing was known earlier.
    """
    limit = limits or Limits()
    own, other = _earlier(table, seed)
    y = table["y"].to_numpy().astype(np.int64)[own]
    found = []
    for name in features:
        now, before = table[name][own], table[name][other]
        known = now.is_null() | before.is_not_null()
        fall = _fall(now.filter(known), before.filter(known), y[known.to_numpy()], limit.least)
        if fall is not None and fall.low > limit.aged:
            found.append(
                Leak(
                    name, "shuffled_time", f"改用同一主体更早一期的取值后，AUC 下降 {fall.auc:.3f}：它含有这次检查本身的内容",
                    f"it loses {fall.auc:.3f} of AUC when an earlier period of the same entity is read: it holds something of the visit "
                    "itself", fall.auc, limit.aged,
                )
            )  # fmt: skip
    return found


def _earlier(table: pl.DataFrame, seed: int) -> tuple[Ints, Ints]:
    """Row numbers, and for each the number of a row of the same entity in an earlier period."""
    rows = table.select("entity", "period").with_row_index("row").sort("entity", "period", "row")
    before = rows.with_columns(
        first=pl.int_range(pl.len()).over("entity"),
        count=pl.col("period").rank("min").over("entity").cast(pl.Int64) - 1,
    )
    place = np.arange(rows.height)
    start = place - before["first"].to_numpy()
    count = before["count"].to_numpy()
    chosen = start + (np.random.default_rng(seed).random(rows.height) * count).astype(np.int64)
    has = count > 0
    numbers = before["row"].to_numpy().astype(np.int64)
    return numbers[has], numbers[chosen[has]]


def _fall(full: pl.Series, less: pl.Series, y: Ints, least: int) -> Gain | None:
    """The loss of AUC from ``full`` to ``less``, unknown values read as lowest or as highest, whichever loses more; null
    where there is too little to say."""
    if not _enough(y, least):
        return None
    losses = []
    for fill in ("low", "high"):
        first, second = _filled(full, fill), _filled(less, fill)
        sign = 1.0 if auc_bounds(first, y).auc >= 0.5 else -1.0
        losses.append(auc_difference(sign * first, sign * second, y))
    return max(losses, key=lambda loss: loss.low)


def timeless(
    table: pl.DataFrame, features: Sequence[str], *, fixed: Collection[str] = (), limits: Limits | None = None
) -> list[Leak]:
    """Features that never change within an entity although the table spans several periods of it.

    One that tells nearly every entity apart is its name, and no exemption helps; another one is a value of the day on which
    the data were taken, unless ``fixed`` says that it may stay as it is. One that hardly ever differs between entities
    says too little to be judged.
    """
    limit = limits or Limits()
    often = table.filter(pl.col("period").n_unique().over("entity") > 1)
    entities = often["entity"].n_unique()
    if entities < limit.least:
        return []
    spread = often.group_by("entity").agg(pl.col(features).n_unique()).select(pl.col(features).max()).row(0, named=True)
    found = []
    for name in features:
        values = often[name]
        usual = values.value_counts(sort=True)["count"][0] / values.len()
        if spread[name] > 1 or usual > 0.9:
            continue
        if values.n_unique() >= 0.9 * entities:
            found.append(
                Leak(
                    name,
                    "identity",
                    "能逐一区分主体且从不变化，是标识",
                    "it tells nearly every entity apart and never changes: it is a name",
                )
            )
        elif name not in fixed:
            found.append(
                Leak(
                    name, "timeless", "同一主体的取值从不变化，是提取数据时的值",
                    "it never changes within an entity: it is a value of the day on which the data were taken",
                )
            )  # fmt: skip
    return found


def copied_visits(table: pl.DataFrame, visits: pl.DataFrame, *, limits: Limits | None = None) -> list[Leak]:
    """Whether failures are told beforehand by a visit that repeats them: the same findings within ``window`` days before.

    ``visits`` as rules.model.units.visits gives them. Names the kind ``check_detail``.
    """
    limit = limits or Limits()
    told = ["found_1", "found_2", "found_3"]
    failed = table.filter(pl.col("y") == 1).select("entity", pl.col("visit").cast(pl.Int64), "day").unique()
    made = visits.select("entity", pl.col("visit").cast(pl.Int64), *told)
    here = failed.join(made, on=("entity", "visit")).with_columns(until=pl.col("day").cast(pl.Int64) - 1).sort("until")
    before = made.rename({"visit": "earlier"} | {name: f"{name}_before" for name in told}).sort("earlier")
    pairs = here.join_asof(before, left_on="until", right_on="earlier", by="entity", check_sortedness=False).filter(
        pl.col("visit") - pl.col("earlier") <= limit.window
    )
    if pairs.height < limit.least:
        return []
    same = float(
        pairs.select(pl.all_horizontal(pl.col(name) == pl.col(f"{name}_before") for name in told).mean()).item()
    )
    # Where most visits find the same anyway, repeating it shows nothing: the bar then stands half-way from chance to always.
    by_chance = _alike(pairs.select(told), visits.select(told))
    bar = max(limit.same, (1 + by_chance) / 2)
    if same <= bar:
        return []
    return [
        Leak(
            "check_detail", "copies", f"{pairs.height} 次发现问题的检查中，{same:.0%} 与此前 {limit.window} 天内的检查所见完全相同：疑为重复检查",
            f"of {pairs.height} failed visits {same:.0%} repeat exactly what a visit in the {limit.window} days before found: "
            "duplicates with a shifted date", same, bar,
        )
    ]  # fmt: skip


def _alike(here: pl.DataFrame, others: pl.DataFrame) -> float:
    """How often a row of one frame is equal to a row of the other, whichever two are taken."""
    counted = [frame.group_by(frame.columns).len() for frame in (here, others)]
    both = counted[0].join(counted[1], on=here.columns)
    return float((both["len"].cast(pl.Float64) * both["len_right"]).sum()) / (here.height * others.height)


def _readings(values: pl.Series, y: Ints, halves: Ints) -> list[Floats]:
    """A feature as numbers in the ways in which it could hold the outcome: unknown lowest, unknown highest, value by value.

    Value by value is the failure rate of each value among the entities of the other half, so that no row tells its own outcome.
    """
    found = [_filled(values, "low")]
    if values.null_count():
        found.append(_filled(values, "high"))
    _, group = np.unique(found[0], return_inverse=True)
    overall, count = y.mean(), int(group.max()) + 1
    rate = np.empty(y.size)
    for half in (0, 1):
        others, mine = halves != half, halves == half
        seen = np.bincount(group[others], minlength=count)
        hits = np.bincount(group[others], weights=y[others], minlength=count)
        rate[mine] = ((hits + 10 * overall) / (seen + 10))[group[mine]]
    return [*found, rate]


def _filled(values: pl.Series, fill: str) -> Floats:
    numbers = values.cast(pl.Float64).to_numpy().copy()
    missing = np.isnan(numbers)
    if missing.all():
        return np.zeros(numbers.size)
    known = numbers[~missing]
    numbers[missing] = known.min() - 1 if fill == "low" else known.max() + 1
    return numbers


def _oriented(values: Floats, y: Ints) -> Gain:
    found = auc_bounds(values, y)
    return found if found.auc >= 0.5 else Gain(1 - found.auc, 1 - found.high, 1 - found.low)


def _enough(y: Ints, least: int) -> bool:
    failures = int(y.sum())
    return min(failures, y.size - failures) >= least


def _same_height(table: pl.DataFrame, again: pl.DataFrame) -> None:
    if table.height != again.height:
        raise FrameError(
            f"The table has {table.height} rows and the features worked out again have {again.height}. Give the same rows in "
            "the same order."
        )
