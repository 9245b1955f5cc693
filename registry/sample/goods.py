"""What becomes of products: sampled 监督抽检, recalled 召回, and the standards that they are declared to follow."""

import numpy as np
import polars as pl

from registry.kinds.product_sampling import DOMAINS, SYSTEMS
from registry.kinds.recall import MANNERS
from registry.kinds.recall import PRODUCTS as RECALLED
from registry.sample.frames import facts, finished, json_object, numbered, quoted, with_organ
from registry.sample.latent import Ints, Streams
from registry.sample.world import (
    NEVER,
    Drawn,
    World,
    by_trade,
    day_series,
    draw_flags,
    draw_marks,
    gathered,
    occurrences,
)

# By group of industries: field of products and product; what is recalled goes by another list of sorts.
PRODUCTS = {
    "food_making": (("food", "糕点"), ("food", "肉制品"), ("food", "黄酒"), ("food", "茶叶")),
    "food_retail": (("food", "散装熟食"), ("farm_produce", "蔬菜"), ("farm_produce", "水产品"), ("farm_produce", "鲜肉")),
    "catering": (("food", "自制面点"), ("food", "凉菜"), ("food", "复用餐饮具"), ("food", "煎炸用油")),
    "farming": (("farm_produce", "叶菜"), ("farm_produce", "葡萄"), ("farm_produce", "鲜蛋"), ("farm_input", "有机肥")),
    "textile": (("industrial", "棉布"), ("industrial", "针织衫"), ("industrial", "床上用品"), ("industrial", "童装")),
    "making": (("industrial", "电线电缆"), ("industrial", "灯具"), ("industrial", "阀门"), ("industrial", "童车")),
    "hazardous": (("industrial", "涂料"), ("drug", "中药饮片"), ("industrial", "电梯部件"), ("industrial", "胶粘剂")),
    "online": (("industrial", "充电器"), ("industrial", "玩具"), ("cosmetic", "面膜"), ("industrial", "电热毯")),
}  # fmt: skip
_OTHER = (("industrial", "插座"), ("industrial", "日用塑料制品"), ("cosmetic", "护手霜"), ("industrial", "箱包"))
_RECALLED = {"food_making": "food", "hazardous": "special_equipment", "making": "consumer", "textile": "consumer"}
# Defects by severity, of food and of everything else: terms of the list `xinheng-defect`.
DEFECTS = (
    (("label", "quality"), ("additive", "microbe"), ("residue", "contaminant")),
    (("label", "quality"), ("other", "other"), ("safety", "safety")),
)
SAMPLED_BY = (("county", 0.55), ("city", 0.27), ("provincial", 0.15), ("national", 0.03))
MANNER = ("voluntary", "investigated", "ordered", "refused")


def draw_sampling(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` batches. Whose they are does not depend on the type; whether they fail, and how badly, does."""
    rng, part = streams("product_sampling"), "product_sampling"
    latent = world.latent
    entity, happened, evidence = occurrences(rng, world, part, by_trade(world, "sampled"), None, count)
    types, size = world.type[entity], len(entity)
    failing = latent.by_type(part, "failed")
    failed, said = draw_flags(rng, failing, types)
    severity, how = draw_marks(rng, latent.by_type(part, "severity"), types)
    evidence += gathered(entity, said + np.where(failed[:, None], how, 0.0), len(world))
    place = _product(world, rng, entity)
    domain, product = _names()
    code = np.array([DOMAINS.terms[name].number for name in domain])[place]
    food = np.isin(code, [DOMAINS.terms[name].number for name in ("food", "farm_produce")])
    terms = SYSTEMS["xinheng-defect"].terms
    every = [name for table in DEFECTS for row in table for name in row]
    defect = np.where(food, 0, 6) + severity * 2 + rng.integers(0, 2, size)
    value = (np.exp(rng.uniform(np.log(200), np.log(50_000), size))).astype(np.int64) * 100
    frame = facts(
        entity,
        happened,
        code,
        np.where(failed, severity + 1, 0),
        amount_fen=np.where(rng.random(size) < 0.66, value, 0),
        failed=failed,
        domain=pl.Series(domain).gather(place),
        product=pl.Series(product).gather(place),
        producer=np.isin(world.traits.group[entity], _makers(world)),
        level=_weighted(rng, SAMPLED_BY, size),
        item=pl.Series([terms[name].zh for name in every]).gather(defect),
        defect=pl.Series(every).gather(defect),
        reported=day_series(np.minimum(happened + rng.integers(5, 25, size), world.today)),
    )
    frame = numbered(with_organ(frame, world), "{}抽检〔{}〕{}号")
    frame = frame.with_columns(batch=pl.format("B{}", pl.int_range(1, pl.len() + 1)))
    why = pl.concat_str(pl.lit("["), json_object(item=quoted(pl.col("item")), system=quoted("xinheng-defect"), code=quoted(pl.col("defect"))), pl.lit("]"))  # fmt: skip
    detail = json_object(
        product=quoted(pl.col("product")),
        domain=quoted(pl.col("domain")),
        result=pl.when("failed").then(quoted("failed")).otherwise(quoted("passed")),
        producer=pl.col("producer"),
        printed_no=quoted(pl.col("document_no")),
        batch=quoted(pl.col("batch")),
        level=quoted(pl.col("level")),
        defects=pl.when("failed").then(why),
        sampled_on=quoted(pl.col("happened_on")),
        reported_on=quoted(pl.col("reported")),
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def draw_standards(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` enterprise standards that were declared; a few were found below the compulsory ones."""
    rng, part = streams("standard_declared"), "standard_declared"
    latent = world.latent
    entity, happened, evidence = occurrences(
        rng, world, part, by_trade(world, "declares"), latent.by_type(part, "rate"), count
    )
    short, said = draw_flags(rng, latent.by_type(part, "short"), world.type[entity])
    evidence += gathered(entity, said, len(world))
    room, size = world.today - happened, len(entity)
    abolished = (room > 400) & (rng.random(size) < 0.12)
    ends = happened + 400 + (rng.random(size) * np.maximum(room - 400, 0)).astype(np.int64)
    product = pl.Series(_names()[1]).gather(_product(world, rng, entity))
    ones = np.ones(size, np.int64)
    frame = facts(
        entity,
        happened,
        ones,
        short.astype(np.int64),
        ends=np.where(abolished, ends, NEVER),
        short=short,
        product=product,
    )
    running = pl.int_range(1, pl.len() + 1).over(pl.col("happened_on").dt.year()).cast(pl.String).str.zfill(4)
    number = pl.format("Q/XH {}-{}", running, pl.col("happened_on").dt.year())
    detail = json_object(
        level=quoted("enterprise"),
        falls_short=pl.col("short"),
        printed_no=quoted(pl.col("document_no")),
        title=quoted(pl.col("product"), "技术规范"),
        products=quoted(pl.col("product")),
    )
    frame = with_organ(frame, world).with_columns(document_no=number)
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def draw_recalls(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` recalls: the orderly call their products back themselves, the reckless are made to."""
    rng, part = streams("recall"), "recall"
    latent = world.latent
    entity, happened, evidence = occurrences(
        rng, world, part, by_trade(world, "recalls"), latent.by_type(part, "rate"), count
    )
    manner, said = draw_marks(rng, latent.by_type(part, "manner"), world.type[entity])
    evidence += gathered(entity, said, len(world))
    size = len(entity)
    completed = happened + rng.integers(30, 200, size)
    done = (completed <= world.today) & (manner != MANNER.index("refused"))
    sorts = [_RECALLED.get(group, "other") for group in latent.groups]
    frame = facts(
        entity,
        happened,
        np.array([RECALLED.terms[name].number for name in sorts])[world.traits.group[entity]],
        np.array([MANNERS.terms[name].severity for name in MANNER])[manner],
        ends=np.where(done, completed, NEVER),
        product=pl.Series(_names()[1]).gather(_product(world, rng, entity)),
        sort=pl.Series(sorts).gather(world.traits.group[entity]),
        manner=pl.Series(MANNER).gather(manner),
        units=rng.integers(20, 20_000, size),
    )
    frame = numbered(with_organ(frame, world), "{}召回〔{}〕{}号")
    detail = json_object(
        product=quoted(pl.col("product")),
        sort=quoted(pl.col("sort")),
        manner=quoted(pl.col("manner")),
        printed_no=quoted(pl.col("document_no")),
        number=pl.col("units"),
        defect=quoted("存在安全隐患"),
        announced_on=quoted(pl.col("happened_on")),
        completed_on=quoted(pl.col("ends_on")),
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def _names() -> tuple[list[str], list[str]]:
    """Field and product of every product: four for each group of PRODUCTS, then those of everybody else."""
    rows = [row for rows in (*PRODUCTS.values(), _OTHER) for row in rows]
    return [domain for domain, _ in rows], [product for _, product in rows]


def _product(world: World, rng: np.random.Generator, entity: Ints) -> Ints:
    known = list(PRODUCTS)
    starts = np.array([4 * (known.index(group) if group in known else len(known)) for group in world.latent.groups])
    return np.asarray(starts[world.traits.group[entity]] + rng.integers(0, 4, len(entity)), dtype=np.int64)


def _makers(world: World) -> list[int]:
    return [world.latent.groups.index(group) for group in ("food_making", "farming", "textile", "making", "hazardous")]


def _weighted(rng: np.random.Generator, table: tuple[tuple[str, float], ...], count: int) -> pl.Series:
    """Words drawn with their weights, which sum to 1."""
    edges = np.cumsum([weight for _, weight in table])[:-1]
    return pl.Series([word for word, _ in table]).gather(np.searchsorted(edges, rng.random(count), side="right"))
