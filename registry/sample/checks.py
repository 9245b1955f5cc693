"""Spot checks 抽查检查: a random few entities were visited; what was found has the planted chance of a violation."""

import numpy as np
import polars as pl

from registry.sample.frames import facts, finished, numbered, with_organ
from registry.sample.latent import Streams
from registry.sample.world import OPEN, Drawn, World, choose, counted, days_ago, seen, to_working_day

SYSTEM = "xinheng-2026"
GENERAL_ITEMS = ("登记事项检查", "公示信息检查")
SPECIAL_ITEMS = {
    "food": "食品安全监督检查",
    "danger": "特种设备使用检查",
    "goods": "产品质量监督检查",
    "rest": "价格行为检查",
}
_SPECIAL = {
    "food_making": "food", "food_retail": "food", "catering": "food", "farming": "goods", "hazardous": "danger",
    "building": "danger", "making": "goods", "textile": "goods", "wholesale": "goods", "retail": "goods",
}  # fmt: skip
# Severity of each result, as the kind `spot_check` has it.
SEVERITIES = {1: 0, 2: 1, 3: 2, 4: 2, 5: 3, 6: 0, 7: 0, 8: 2, 9: 3, 10: 1}


def draw_checks(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` visits to open entities. Whom they met does not depend on the type; what was found does."""
    rng = streams("spot_check")
    latent, window = world.latent, world.shape.windows["spot_check"]
    weight = latent.by_kind("spot_check", "kind")[world.traits.kind] * (world.status == OPEN)
    entity = choose(rng, weight * seen(window, world.age_days), count)
    happened = world.today - days_ago(rng, window, world.age_days[entity])
    happened = np.maximum(to_working_day(happened), world.established[entity])
    own = world.chance[entity, world.type[entity]]
    found = rng.random(len(entity)) < own
    code = np.zeros(len(entity), np.int64)
    for results, here in (("found", found), ("clean", ~found)):
        table = np.array(latent.rows("spot_check", results))
        code[here] = table[choose(rng, table[:, 1], int(here.sum())), 0].astype(np.int64)
    severity = np.array([SEVERITIES.get(result, 0) for result in range(max(SEVERITIES) + 1)])[code]
    first = rng.integers(0, len(GENERAL_ITEMS), len(entity))
    special = pl.Series([SPECIAL_ITEMS[_SPECIAL.get(group, "rest")] for group in latent.groups])
    frame = facts(
        entity,
        happened,
        code,
        severity,
        first=pl.Series(GENERAL_ITEMS).gather(first),
        second=special.gather(world.traits.group[entity]),
    )
    detail = pl.concat_str(
        pl.lit('{"results":[{"system":"' + SYSTEM + '","code":"'),
        "code",
        pl.lit('","text":""}],"items":["'),
        "first",
        pl.lit('","'),
        "second",
        pl.lit('"],"type":"随机抽查","purpose":"routine"}'),
    )
    frame = numbered(with_organ(frame, world), "{}抽查〔{}〕{}号").with_columns(detail_json=detail)
    evidence = counted(entity[found], len(world))[:, None] * np.log(world.chance)
    evidence += counted(entity[~found], len(world))[:, None] * np.log1p(-world.chance)
    return Drawn(finished(frame), evidence)
