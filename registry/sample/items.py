"""12315 items 12315事项: complaints, reports and consultations of two years."""

import numpy as np
import polars as pl

from registry.sample.frames import facts, finished, with_organ
from registry.sample.latent import Floats, Streams
from registry.sample.shape import in_proportion
from registry.sample.world import NEVER, Drawn, World, choose, counted, days_ago, events, seen

COMPLAINT, REPORT, CONSULTATION = 1, 2, 3
TYPES = {COMPLAINT: "complaint", REPORT: "report", CONSULTATION: "consultation"}
CATEGORY = {
    "farming": "农资", "food_making": "食品", "textile": "服装鞋帽", "making": "家居用品", "hazardous": "医药及化工",
    "building": "装修建材", "wholesale": "一般商品", "food_retail": "食品", "retail": "日用品", "online": "网络购物",
    "transport": "物流快递", "catering": "餐饮住宿", "office": "商务服务", "personal": "居民服务", "repair": "修理维护",
}  # fmt: skip


def split(total: int, shares: list[float]) -> tuple[int, int, int]:
    """How many of ``total`` items are complaints, reports and consultations."""
    complaints, reports, consultations = in_proportion(total, tuple(round(share * 1000) for share in shares))
    return complaints, reports, consultations


def draw_items(world: World, complaints: int, reports: int, consultations: int, streams: Streams) -> Drawn:
    """Exactly that many items of each type.

    Complaints and reports fall on careless and reckless entities more often and are upheld more often; beyond that each
    entity has a gamma frailty of its own (a busy shop draws many), which is integrated out of the evidence.
    Consultations follow the trade only and tell nothing.
    """
    rng = streams("item_12315")
    latent, window, traits = world.latent, world.shape.windows["item_12315"], world.traits
    weight = latent.by_kind("item", "kind")[traits.kind] * latent.by_group("item")[traits.group]
    weight = weight * seen(window, world.age_days)
    spread = latent.number("item", "spread")
    frailty = rng.gamma(spread, 1 / spread, len(world))
    rate = latent.by_type("item", "rate")
    serious, expected = events(rng, weight * frailty, rate, world.type, complaints + reports)
    # `expected` holds the frailty, which nobody sees: the observer's scale is the same without it.
    expected = np.divide(expected, frailty[:, None], out=np.zeros_like(expected), where=frailty[:, None] > 0)
    asked = choose(rng, weight, consultations)
    entity = np.concatenate([rng.permutation(serious), asked])
    kind = np.repeat([COMPLAINT, REPORT, CONSULTATION], [complaints, reports, len(asked)])

    about = world.shape.table["items"]
    happened = world.today - days_ago(rng, window, world.age_days[entity])
    counts = kind != CONSULTATION
    low, high = about["close_days"]
    closed = happened + np.where(counts, rng.integers(low, high, len(entity)), 0)
    accepted = rng.random(len(entity)) < about["accepted"]
    closed = np.where(counts & ~accepted, np.minimum(happened + 5, world.today), closed)
    still_open = closed > world.today
    upheld = rng.random(len(entity)) < latent.by_type("item", "upheld")[world.type[entity]]
    refused = rng.random(len(entity)) < about["refused"]
    decided = counts & accepted & ~still_open
    severity = np.where(decided & upheld, np.where(refused & (kind == COMPLAINT), 3, 2), 0)
    severity = np.where(counts & accepted & still_open, 1, severity)
    disputed = (np.exp(rng.normal(5.6, 1.4, len(entity))) * 100).astype(np.int64).clip(100, 50_000_000)

    frame = facts(
        entity,
        happened,
        kind,
        severity,
        ends=np.where(still_open, NEVER, closed),
        amount_fen=np.where(kind == COMPLAINT, disputed, 0),
        accepted=accepted,
        outcome=np.where(decided, upheld.astype(np.int64), -1),
        refused=severity == 3,
        category=pl.Series([CATEGORY[name] for name in latent.groups]).gather(traits.group[entity]),
    )
    year = pl.col("happened_on").dt.year()
    running = pl.int_range(1, pl.len() + 1).over(year).cast(pl.String).str.zfill(8)
    frame = with_organ(frame, world).with_columns(document_no=pl.format("XH{}{}", year, running), detail_json=_detail())
    evidence = _evidence(world, counted(serious, len(world)), expected, spread)
    evidence += np.outer(counted(entity[decided & upheld], len(world)), np.log(latent.by_type("item", "upheld")))
    evidence += np.outer(counted(entity[decided & ~upheld], len(world)), np.log1p(-latent.by_type("item", "upheld")))
    return Drawn(finished(frame), evidence)


def _evidence(world: World, count: Floats, expected: Floats, spread: float) -> Floats:
    """Log-likelihood of the counts under a gamma mixture of Poisson counts, up to a term without the type."""
    # Entities without weight have no items, and their rows come out as 0.
    own = np.maximum(expected, np.finfo(np.float64).tiny)
    evidence: Floats = count[:, None] * (np.log(own) - np.log(spread + expected)) - spread * np.log(spread + expected)
    return evidence


def _detail() -> pl.Expr:
    upheld = pl.col("outcome").replace_strict({-1: "null", 0: "false", 1: "true"}, return_dtype=pl.String)
    return pl.concat_str(
        pl.lit('{"type":"'),
        pl.col("code").replace_strict(TYPES, return_dtype=pl.String),
        pl.lit('","accepted":'),
        pl.when(pl.col("code") == CONSULTATION).then(pl.lit("null")).otherwise(pl.col("accepted").cast(pl.String)),
        pl.lit(',"upheld":'),
        upheld,
        pl.when("refused").then(pl.lit(',"mediation_refused":true')).otherwise(pl.lit("")),
        pl.lit(',"category":"'),
        "category",
        pl.lit('"}'),
    )
