"""What others report: entries on outside lists 外部名单 (courts, tax, wages …), grades of the tax organ, and accidents 事故."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from registry.kinds.accident import GRADES
from registry.kinds.accident import SORTS as ACCIDENTS
from registry.kinds.outside_list import LISTS, SYSTEMS
from registry.sample.frames import by_office, facts, finished, json_object, numbered, quoted, with_organ
from registry.sample.latent import Floats, Streams
from registry.sample.world import (
    EPOCH,
    NEVER,
    OPEN,
    Drawn,
    World,
    by_trade,
    choose,
    day_of,
    day_series,
    draw_flags,
    draw_marks,
    gathered,
    occurrences,
)

# Lists in the order of the shares in latent.toml: organ, word of its numbers, lowest and highest amount in yuan (0: none).
BAD = {
    "judgment_debtor": ("人民法院", "法执", 5_000, 3_000_000), "consumption_limited": ("人民法院", "法限", 0, 0),
    "debtor": ("人民法院", "法执", 2_000, 1_000_000), "tax_arrears": ("税务局", "税欠", 2_000, 500_000),
    "tax_fraud": ("税务局", "税稽", 100_000, 5_000_000), "wage_arrears": ("人力资源和社会保障局", "人社监", 20_000, 800_000),
    "work_safety": ("应急管理局", "应急", 0, 0), "procurement": ("财政局", "财采", 0, 0),
    "social_security": ("人力资源和社会保障局", "人社保", 3_000, 200_000), "statistics": ("统计局", "统执", 0, 0),
}  # fmt: skip
TAX = ("A", "B", "M", "C", "D")
PUBLISHED = (4, 26)  # month and day on which the tax organ publishes the grades of the year before
GOOD_YEARS = 2
_YOUNGEST = 60  # days on a list before anybody gets off it
# Sort of accident by group of industries.
_ACCIDENTS = {
    "hazardous": "special_equipment", "building": "production_safety", "making": "production_safety", "textile": "fire",
    "food_making": "food", "catering": "food", "food_retail": "food", "transport": "production_safety",
}  # fmt: skip
GRADED = (("general", 0.93), ("larger", 0.06), ("major", 0.01))
FOUND = ("none", "secondary", "equal", "main", "full")
_INVESTIGATED = 60  # days in which nobody says who is to blame


def draw_outside(world: World, bad: int, good: int, taxed: int, streams: Streams) -> Drawn:
    """Exactly ``bad`` entries against entities, ``good`` for them, and ``taxed`` grades, one for an enterprise."""
    parts = [_bad(world, bad, streams), _good(world, good, streams), _taxed(world, taxed, streams)]
    frame = pl.concat(part.frame for part in parts).sort("happened_on", "entity", maintain_order=True)
    return Drawn(frame, sum((part.evidence for part in parts), np.zeros_like(world.prior)))


def _bad(world: World, count: int, streams: Streams) -> Drawn:
    rng, part = streams("outside_list"), "outside_list"
    latent = world.latent
    entity, happened, evidence = occurrences(rng, world, part, _firms(world), latent.by_type(part, "rate"), count)
    types, size = world.type[entity], len(entity)
    which, said = draw_marks(rng, latent.by_type(part, "list"), types)
    closed, how = draw_flags(rng, latent.by_type(part, "closed"), types)
    room = world.today - happened
    may_close = room >= _YOUNGEST
    evidence += gathered(entity, said + np.where(may_close[:, None], how, 0.0), len(world))
    ends = happened + 30 + (rng.random(size) * np.maximum(room - 29, 0)).astype(np.int64)
    limits = np.log([[max(low, 1), max(high, 1)] for _, _, low, high in BAD.values()])[which]
    owed = np.exp(limits[:, 0] + rng.random(size) * (limits[:, 1] - limits[:, 0])).astype(np.int64)
    has = np.array([high > 0 for *_, high in BAD.values()])[which]
    frame = facts(
        entity,
        happened,
        np.array([LISTS.terms[name].number for name in BAD])[which],
        np.array([LISTS.terms[name].severity for name in BAD])[which],
        ends=np.where(may_close & closed, ends, NEVER),
        amount_fen=np.where(has, owed * 100, 0),
        list=pl.Series(list(BAD)).gather(which),
        office=pl.Series([organ for organ, *_ in BAD.values()]).gather(which),
        word=pl.Series([word for _, word, *_ in BAD.values()]).gather(which),
    )
    frame = numbered(by_office(frame, world, pl.col("office"), pl.col("word")), "{}〔{}〕{}号")
    detail = json_object(
        list=quoted(pl.col("list")), printed_no=quoted(pl.col("document_no")), removed_on=quoted(pl.col("ends_on"))
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def _good(world: World, count: int, streams: Streams) -> Drawn:
    rng, part = streams("good_list"), "outside_list"
    entity, happened, evidence = occurrences(rng, world, part, _firms(world), world.latent.by_type(part, "good"), count)
    last = happened + GOOD_YEARS * 365
    ones = np.ones(len(entity), np.int64)
    code = LISTS.terms["good_faith"].number
    frame = facts(entity, happened, ones * code, ones * 0, ends=last + 1, last=day_series(last))
    frame = numbered(by_office(frame, world, pl.lit("发展和改革局"), pl.lit("发改信")), "{}〔{}〕{}号")
    detail = json_object(
        list=quoted("good_faith"), printed_no=quoted(pl.col("document_no")), valid_to=quoted(pl.col("last"))
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def _taxed(world: World, count: int, streams: Streams) -> Drawn:
    """Tax credit grades 纳税信用级别 of the last year that was published, of enterprises that were there by its beginning."""
    rng, part = streams("tax_grade"), "outside_list"
    year = (EPOCH + timedelta(days=world.today)).year
    published = day_of(date(year, *PUBLISHED))
    if published > world.today:
        year, published = year - 1, day_of(date(year - 1, *PUBLISHED))
    able = np.nonzero((_firms(world) > 0) & (world.established < day_of(date(year, 1, 1))))[0]
    entity = np.sort(rng.permutation(able)[:count])
    grade, said = draw_marks(rng, world.latent.by_type(part, "tax"), world.type[entity])
    known = SYSTEMS["tax-2018"].terms
    size = len(entity)
    frame = facts(
        entity,
        np.full(size, published),
        np.full(size, LISTS.terms["tax_grade"].number),
        np.array([known[name].severity for name in TAX])[grade],
        grade=pl.Series([known[name].zh for name in TAX]).gather(grade),
    )
    frame = by_office(frame, world, pl.lit("税务局"), pl.lit("税")).with_columns(document_no=pl.lit(None, pl.String))
    detail = json_object(
        list=quoted("tax_grade"), grade_system=quoted("tax-2018"), grade=quoted(pl.col("grade")), year=pl.lit(year - 1)
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), gathered(entity, said, len(world)))


def _firms(world: World) -> Floats:
    return np.asarray(world.is_enterprise & (world.status == OPEN), dtype=np.float64)


def draw_accidents(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` accidents; the reckless have more, and are found responsible more often. The last are under
    investigation."""
    rng, part = streams("accident"), "accident"
    latent = world.latent
    entity, happened, evidence = occurrences(
        rng, world, part, by_trade(world, "accidents"), latent.by_type(part, "rate"), count
    )
    blame, said = draw_marks(rng, latent.by_type(part, "responsibility"), world.type[entity])
    size = len(entity)
    clear = world.today - happened > _INVESTIGATED
    evidence += gathered(entity, np.where(clear[:, None], said, 0.0), len(world))
    names = [name for name, _ in GRADED]
    grade = choose(rng, np.array([weight for _, weight in GRADED]), size)
    weight = np.array([GRADES.terms[name].severity for name in names])[grade]
    sorts = [_ACCIDENTS.get(group, "fire") for group in latent.groups]
    group = world.traits.group[entity]
    loss = (np.exp(rng.uniform(np.log(5_000), np.log(800_000), size)) * (1 + 9 * grade)).astype(np.int64) * 100
    frame = facts(
        entity,
        happened,
        np.array([ACCIDENTS.terms[name].number for name in sorts])[group],
        np.where(clear & (blame > 0), weight, 0),
        amount_fen=loss,
        sort=pl.Series(sorts).gather(group),
        grade=pl.Series(names).gather(grade),
        blame=pl.Series([*FOUND, "open"]).gather(np.where(clear, blame, len(FOUND))),
        hurt=rng.integers(0, 4, size) + np.array([0, 10, 50])[grade],
        found=day_series(np.where(clear, happened + rng.integers(20, _INVESTIGATED, size), NEVER)),
    )
    frame = numbered(with_organ(frame, world), "{}事故〔{}〕{}号")
    detail = json_object(
        sort=quoted(pl.col("sort")),
        grade=quoted(pl.col("grade")),
        responsibility=quoted(pl.col("blame")),
        printed_no=quoted(pl.col("document_no")),
        injured=pl.col("hurt"),
        loss_fen=pl.col("amount_fen"),
        found_on=quoted(pl.col("found")),
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)
