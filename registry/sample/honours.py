"""What speaks for an entity: awards 质量奖、名牌, and what its customers say of it 满意度."""

import numpy as np
import polars as pl

from registry.kinds.award import LEVELS, SORTS
from registry.kinds.satisfaction_survey import CONDUCTORS
from registry.sample.frames import facts, finished, json_object, numbered, quoted, with_organ
from registry.sample.latent import Streams
from registry.sample.world import NEVER, Drawn, World, by_trade, choose, day_series, draw_marks, gathered, occurrences

# Sort of honour, level, weight, years that it holds (0: no end), prize in yuan.
HONOURS = (
    ("quality_award", "city", 1, 5, 500_000), ("quality_award", "county", 3, 5, 100_000), ("quality_award_nominee", "provincial", 1, 5, 0),
    ("famous_brand", "provincial", 6, 3, 0), ("famous_brand", "city", 14, 3, 0), ("known_trade_mark", "national", 1, 0, 0),
    ("known_trade_mark", "city", 8, 3, 0), ("standard_leader", "national", 1, 1, 0), ("standard_drafter", "association", 8, 0, 0),
    ("honest_enterprise", "city", 22, 2, 0), ("honest_enterprise", "county", 25, 2, 0), ("time_honoured", "provincial", 2, 0, 0),
    ("safety_model", "county", 12, 3, 0),
)  # fmt: skip
CONDUCTED = (("third_party", 0.50), ("association", 0.22), ("government", 0.10), ("itself", 0.18))
LOWEST, BAND = 6_000, 500  # hundredths of a point: where the bands begin, and how wide one is


def draw_awards(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` honours; the compliant have most of them. Which honour it is tells nothing more."""
    rng, part = streams("award"), "award"
    entity, happened, evidence = occurrences(
        rng, world, part, by_trade(world, "honoured"), world.latent.by_type(part, "rate"), count
    )
    which = choose(rng, np.array([weight for _, _, weight, _, _ in HONOURS], dtype=np.float64), len(entity))
    years = np.array([span for *_, span, _ in HONOURS])[which]
    last = np.where(years > 0, happened + years * 365, NEVER)
    titles = [f"{LEVELS.terms[level].zh}{SORTS.terms[sort].zh.strip('“”')}" for sort, level, *_ in HONOURS]
    frame = facts(
        entity,
        happened,
        np.array([SORTS.terms[sort].number for sort, *_ in HONOURS])[which],
        np.array([LEVELS.terms[level].severity for _, level, *_ in HONOURS])[which],
        ends=np.where(years > 0, last + 1, NEVER),
        amount_fen=np.array([prize * 100 for *_, prize in HONOURS])[which],
        title=pl.Series(titles).gather(which),
        sort=pl.Series([sort for sort, *_ in HONOURS]).gather(which),
        level=pl.Series([level for _, level, *_ in HONOURS]).gather(which),
        last=day_series(last),
    )
    frame = numbered(with_organ(frame, world), "{}荣〔{}〕{}号")
    detail = json_object(
        name=quoted(pl.col("title")),
        sort=quoted(pl.col("sort")),
        level=quoted(pl.col("level")),
        printed_no=quoted(pl.col("document_no")),
        valid_to=quoted(pl.col("last")),
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def draw_surveys(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` surveys. Who is asked about tells nothing; the band of the score does, the place in it does not."""
    rng, part = streams("satisfaction_survey"), "satisfaction_survey"
    entity, happened, evidence = occurrences(rng, world, part, by_trade(world, "surveyed"), None, count)
    size = len(entity)
    band, said = draw_marks(rng, world.latent.by_type(part, "score"), world.type[entity])
    evidence += gathered(entity, said, len(world))
    names = [name for name, _ in CONDUCTED]
    by = choose(rng, np.array([weight for _, weight in CONDUCTED]), size)
    frame = facts(
        entity,
        happened,
        LOWEST + band * BAND + rng.integers(0, BAND, size),
        np.array([CONDUCTORS.terms[name].severity for name in names])[by],
        by=pl.Series(names).gather(by),
        people=rng.integers(30, 600, size),
        first=day_series(happened - rng.integers(7, 30, size)),
        about=pl.Series(["产品质量", "服务质量"]).gather(rng.integers(0, 2, size)),
    )
    frame = numbered(with_organ(frame, world), "{}满意度〔{}〕{}号")
    # 85.20 is written 85.2, and 85.00 is 85.
    points = pl.concat_str(pl.col("code") // 100, pl.lit("."), (pl.col("code") % 100).cast(pl.String).str.zfill(2))
    detail = json_object(
        score=quoted(points.str.strip_chars_end("0").str.strip_chars_end(".")),
        scale=pl.lit(100),
        conducted_by=quoted(pl.col("by")),
        method=quoted("gbt19038"),
        printed_no=quoted(pl.col("document_no")),
        sample=pl.col("people"),
        subject=quoted(pl.col("about")),
        surveyed_from=quoted(pl.col("first")),
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)
