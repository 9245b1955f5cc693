"""Penalties 行政处罚 and the few serious-violation listings 严重违法失信名单 that follow from the gravest of them."""

import numpy as np
import polars as pl

from registry.sample.frames import facts, finished, numbered, with_organ
from registry.sample.latent import Floats, Ints, Streams
from registry.sample.world import NEVER, Drawn, World, choose, counted, days_ago, events, seen, to_working_day

# Sample texts: what was done, the provision, and the article of Order 44 under which a grave case is listed.
GENERAL = (
    ("未按规定明码标价", "《中华人民共和国价格法》第四十二条", 9),
    ("发布虚假广告", "《中华人民共和国广告法》第五十五条第一款", 9),
    ("侵害消费者权益", "《中华人民共和国消费者权益保护法》第五十六条第一款", 8),
    ("擅自改变主要登记事项未办理变更登记", "《中华人民共和国市场主体登记管理条例》第四十六条", 10),
)
PRODUCT = (
    ("生产、销售不符合国家标准的产品", "《中华人民共和国产品质量法》第四十九条", 7),
    ("销售以不合格产品冒充合格产品的产品", "《中华人民共和国产品质量法》第五十条", 7),
    ("使用不合格的计量器具", "《中华人民共和国计量法》第二十六条", 7),
)
FOOD = (
    ("经营超过保质期的食品", "《中华人民共和国食品安全法》第一百二十四条第一款", 5),
    ("未建立并执行进货查验记录制度", "《中华人民共和国食品安全法》第一百二十六条第一款", 5),
    ("未取得许可从事食品经营活动", "《中华人民共和国食品安全法》第一百二十二条第一款", 5),
)
DANGER = (
    ("使用未经检验的特种设备", "《中华人民共和国特种设备安全法》第八十四条", 7),
    ("销售劣药", "《中华人民共和国药品管理法》第一百一十七条", 6),
)
ACTS = GENERAL + PRODUCT + FOOD + DANGER
# Groups of industries whose cases are about more than general market order: places in ACTS.
_SPECIAL = {
    "food_making": (7, 8, 9, 4),
    "food_retail": (7, 8, 9, 6),
    "catering": (7, 8, 9),
    "hazardous": (10, 11, 4),
    "making": (4, 5, 6),
    "textile": (4, 5, 6),
    "online": (1, 5, 2),
    "building": (10, 4),
}
_GRAVER = {0: 1, 3: 2}
# For each severity: kinds imposed together, their weight, and the lowest and highest fine in yuan (log-uniform, whole
# hundreds). They fit `severity_of` of the kind `penalty`: seizing is never minor, closing or a million is serious.
SANCTIONS: tuple[tuple[tuple[tuple[str, ...], float, int, int], ...], ...] = (
    ((("warning",), 0.30, 0, 0), (("fine",), 0.50, 100, 60_000), (("warning", "fine"), 0.20, 100, 10_000)),
    (
        (("fine", "confiscated_gains"), 0.50, 2_000, 90_000),
        (("fine", "confiscated_goods"), 0.30, 2_000, 90_000),
        (("fine",), 0.20, 100_000, 600_000),
    ),
    (
        (("fine", "revoked_licence"), 0.30, 5_000, 200_000),
        (("fine", "stopped_business"), 0.42, 5_000, 200_000),
        (("fine", "closed"), 0.10, 10_000, 300_000),
        (("fine", "confiscated_gains"), 0.18, 1_000_000, 5_000_000),
    ),
)
# Numbers of the projection table and terms of what may be imposed.
IMPOSED = {
    "warning": (1, "警告"), "fine": (3, "罚款"), "confiscated_gains": (4, "没收违法所得"),
    "confiscated_goods": (5, "没收非法财物"), "revoked_licence": (8, "吊销许可证件"),
    "stopped_business": (10, "责令停产停业"), "closed": (11, "责令关闭"),
}  # fmt: skip


def draw_penalties(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` penalties; careless and reckless entities get more of them, and graver ones."""
    rng = streams("penalty")
    latent, window, traits = world.latent, world.shape.windows["penalty"], world.traits
    weight = latent.by_kind("penalty", "kind")[traits.kind] * latent.by_group("penalty")[traits.group]
    weight = weight * seen(window, world.age_days)
    entity, expected = events(rng, weight, latent.by_type("penalty", "rate"), world.type, count)
    by_severity = latent.by_type("penalty", "severity")
    severity = _severities(rng, by_severity[world.type[entity]])
    happened = world.today - days_ago(rng, window, world.age_days[entity])
    happened = np.maximum(to_working_day(happened), world.established[entity])
    evidence = counted(entity, len(world))[:, None] * np.log(latent.by_type("penalty", "rate")) - expected
    for place in range(by_severity.shape[1]):
        evidence += np.outer(counted(entity[severity == place], len(world)), np.log(by_severity[:, place]))
    return Drawn(_describe(world, rng, entity, happened, severity), evidence)


def serious_listings(world: World, penalties: pl.DataFrame, count: int, streams: Streams) -> pl.DataFrame:
    """At most ``count`` listings, on the day of a serious penalty of an enterprise and by the organ that imposed it.

    Which of the serious penalties are chosen does not depend on the type: the listings tell nothing that they do not.
    """
    rng = streams("serious_listing")
    enterprise = pl.Series(world.is_enterprise[penalties["entity"].to_numpy()])
    grave = penalties.filter((pl.col("severity") == 3) & enterprise).unique("entity", keep="first", maintain_order=True)
    chosen = grave[np.sort(rng.permutation(len(grave))[:count]).tolist()]
    happened = chosen["happened_on"].to_physical().to_numpy().astype(np.int64)
    # Three years, or earlier by repair after one year at least; an end to come is an end that nobody knows yet.
    repaired = rng.random(len(chosen)) < 0.25
    ends = happened + np.where(repaired, rng.integers(366, 900, len(chosen)), 1096)
    ends = np.where(ends <= world.today, ends, NEVER)
    reason = pl.concat_str(pl.lit('{"reason":"'), "violation", pl.lit('"}'))
    articles = {act: article for act, _, article in ACTS}
    article = chosen.select(pl.col("violation").replace_strict(articles, return_dtype=pl.Int64)).to_series().to_numpy()
    listed = facts(
        chosen["entity"].to_numpy().astype(np.int64),
        happened,
        article,
        np.ones(len(chosen), np.int64),
        ends=ends,
        organ=chosen["organ"],
        organ_word=chosen["organ_word"],
        violation=chosen["violation"],
    )
    return finished(numbered(listed, "{}严违〔{}〕{}号").with_columns(detail_json=reason))


def _severities(rng: np.random.Generator, chances: Floats) -> Ints:
    edges = np.cumsum(chances, axis=1)[:, :-1]
    return np.asarray((rng.random(len(chances))[:, None] >= edges).sum(axis=1), dtype=np.int64)


def _describe(world: World, rng: np.random.Generator, entity: Ints, happened: Ints, severity: Ints) -> pl.DataFrame:
    """Act, sanctions, amounts and texts; none of them depends on the type beyond the severity."""
    latent, count = world.latent, len(entity)
    act = rng.integers(0, len(GENERAL), count)
    special = rng.random(count) < 0.8
    for group, acts in _SPECIAL.items():
        here = special & (world.traits.group[entity] == latent.groups.index(group))
        act[here] = np.array(acts)[rng.integers(0, len(acts), int(here.sum()))]
    # Nobody is closed for a missing price tag or a late change of registration.
    act = np.where(severity == 2, np.array([_GRAVER.get(place, place) for place in range(len(ACTS))])[act], act)
    combos = [combo for row in SANCTIONS for combo in row]
    combo = np.zeros(count, np.int64)
    start = 0
    for place, row in enumerate(SANCTIONS):
        here = severity == place
        combo[here] = start + choose(rng, np.array([weight for _, weight, _, _ in row]), int(here.sum()))
        start += len(row)
    limits = np.log([[max(low, 100), max(high, 100)] for _, _, low, high in combos])[combo]
    fined = np.array(["fine" in kinds for kinds, *_ in combos])[combo]
    seized = np.array(["confiscated_gains" in kinds for kinds, *_ in combos])[combo]
    drawn = np.exp(limits[:, 0] + rng.random(count) * (limits[:, 1] - limits[:, 0]))
    # Rounded up, so that the lowest fine of a severity is still of that severity.
    fine = np.where(fined, np.ceil(drawn / 100 - 1e-6).astype(np.int64) * 100, 0)
    gains = np.where(seized, (fine * rng.uniform(0.1, 0.6, count)).astype(np.int64), 0)
    codes = np.array([max(IMPOSED[kind][0] for kind in kinds) for kinds, *_ in combos])
    names = pl.Series([",".join(f'"{kind}"' for kind in kinds) for kinds, *_ in combos])
    # The sums of money have a phrase of their own.
    plain = [[IMPOSED[kind][1] for kind in kinds if kind not in ("fine", "confiscated_gains")] for kinds, *_ in combos]
    content = pl.Series(["、".join(terms) for terms in plain])
    frame = facts(
        entity,
        happened,
        codes[combo],
        severity + 1,
        amount_fen=(fine + gains) * 100,
        violation=pl.Series([name for name, _, _ in ACTS]).gather(act),
        basis=pl.Series([basis for _, basis, _ in ACTS]).gather(act),
        kinds=names.gather(combo),
        content=content.gather(combo),
        fine=fine,
        gains=gains,
        by_city=rng.random(count) < world.shape.table["place"]["city_cases"],
    )
    return numbered(with_organ(frame, world, pl.col("by_city")), "{}处罚〔{}〕{}号").with_columns(detail_json=_detail())


def _detail() -> pl.Expr:
    """The penalty's own fields as JSON. The texts are ours and hold neither quotes nor backslashes."""
    sentences = [
        pl.when(pl.col("content") != "").then("content"),
        pl.when(pl.col("fine") > 0).then(pl.format("处罚款{}元", "fine")),
        pl.when(pl.col("gains") > 0).then(pl.format("没收违法所得{}元", "gains")),
    ]
    return pl.concat_str(
        pl.lit('{"kinds":['),
        "kinds",
        pl.lit('],"fine_fen":'),
        pl.col("fine") * 100,
        pl.lit(',"confiscated_fen":'),
        pl.col("gains") * 100,
        pl.lit(',"printed_no":"'),
        "document_no",
        pl.lit('","violation":"'),
        "violation",
        pl.lit('","fact":"经查，当事人在'),
        pl.col("happened_on").dt.strftime("%Y年%-m月"),
        pl.lit("以前有"),
        "violation",
        pl.lit('的行为。","basis":"'),
        "basis",
        pl.lit('","content":"'),
        pl.concat_str(sentences, separator="；", ignore_nulls=True),
        pl.lit('"}'),
    )
