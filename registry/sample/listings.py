"""The abnormal-operation list 经营异常名录: exactly so many enterprises, each with its ground, most still on it."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from registry.sample.frames import facts, finished, numbered, with_organ
from registry.sample.latent import Flags, Floats, Ints, Streams
from registry.sample.shape import Shape
from registry.sample.world import EPOCH, NEVER, OPEN, World, day_of, first_to_ring, seen, to_working_day

NO_REPORT, OTHER, FALSE, NO_CONTACT = 1, 2, 3, 4
REMOVALS = {NO_REPORT: "补报年报并公示", OTHER: "履行公示义务", FALSE: "更正公示信息", NO_CONTACT: "重新取得联系"}
_NEWEST_FIRST = (0.62, 0.25, 0.13)  # which of the report years was the first to be missed, the latest year first
_SECOND_GROUND = 0.03
_YOUNGEST = 30  # days on the list before anybody gets off it


@dataclass(frozen=True)
class Listed:
    """The enterprises on the list, one place per enterprise in each array. Days as everywhere, years as numbers."""

    entity: Ints
    ground: Ints
    happened: Ints
    ends: Ints  # NEVER while on the list
    missed: Ints  # first report year missed; 0 where the ground is another
    filed: Ints  # day on which the missed report came; NEVER if it did not


def deadline(shape: Shape, year: int) -> int:
    """Last day on which the report for ``year`` is on time."""
    month, day = shape.table["reports"]["deadline"]
    return day_of(date(year + 1, month, day))


def years_due(shape: Shape, today: int, count: int) -> list[int]:
    """The latest ``count`` report years whose deadline has passed, oldest first; never before the first public year."""
    last = (EPOCH + timedelta(days=today)).year - 1
    if deadline(shape, last) >= today:
        last -= 1
    return [year for year in range(last - count + 1, last + 1) if year >= shape.table["reports"]["first_year"]]


def draw_listed(world: World, count: int, streams: Streams) -> tuple[Listed, Floats]:
    """Exactly ``count`` open enterprises (fewer only where there are not so many), and the evidence by type."""
    rng = streams("listing")
    latent, shape, traits = world.latent, world.shape, world.traits
    window = shape.windows["listing"]
    weight = latent.by_group("listing")[traits.group] * world.is_enterprise * (world.status == OPEN)
    # Even a young enterprise can be found gone from its address.
    weight = weight * (0.1 + 0.9 * seen(window, world.age_days))
    entity, evidence = first_to_ring(rng, np.outer(weight, latent.by_type("listing", "rate")), world.type, count)
    size, established, types = len(entity), world.established[entity], world.type[entity]

    years = [
        year
        for year in years_due(shape, world.today, len(_NEWEST_FIRST))
        if deadline(shape, year) + shape.table["reports"]["listed_within"] <= world.today
    ]
    ends_of_years = np.array([day_of(date(year, 12, 31)) for year in years], dtype=np.int64)
    owed = np.less_equal.outer(established, ends_of_years).T
    chances = latent.by_type("listing", "ground").copy()
    owing: Flags = np.asarray(owed.any(axis=0))
    # Whoever owed no report was listed because nobody was there.
    without = chances.copy()
    without[:, NO_CONTACT - 1] += without[:, NO_REPORT - 1]
    without[:, NO_REPORT - 1] = 0.0
    table = np.where(owing[:, None, None], chances, without)  # (listed, types, grounds)
    own = np.take_along_axis(table, types[:, None, None], axis=1)[:, 0]
    ground = 1 + (rng.random(size)[:, None] >= np.cumsum(own, axis=1)[:, :-1]).sum(axis=1)
    evidence[entity] += np.log(np.take_along_axis(table, (ground - 1)[:, None, None], axis=2)[:, :, 0])

    missed = _first_missed(rng, years, owed, ground)
    due = np.array([deadline(shape, year) for year in years] or [0])[np.searchsorted(years, missed).clip(0, len(years))]
    within = rng.integers(2, shape.table["reports"]["listed_within"], size)
    span = np.minimum(world.age_days[entity], window.reach)
    elsewhere = world.today - (rng.random(size) * span).astype(np.int64)
    happened = to_working_day(np.where(ground == NO_REPORT, due + within, elsewhere))
    happened = np.maximum(happened, np.where(ground == NO_REPORT, due + 1, established))

    room = world.today - happened
    may_close = room >= _YOUNGEST
    closes = may_close & (rng.random(size) < latent.by_type("listing", "closed")[types])
    chance = latent.by_type("listing", "closed")
    evidence[entity[closes]] += np.log(chance)
    evidence[entity[may_close & ~closes]] += np.log1p(-chance)
    # Most who get off the list do so within months: exponential with a mean of 150 days, cut at today.
    wait = -150.0 * np.log1p(-rng.random(size) * -np.expm1(-room / 150.0))
    filed = happened + 1 + np.minimum(wait.astype(np.int64), np.maximum(room - 6, 0))
    ends = np.where(closes, np.minimum(filed + rng.integers(1, 6, size), world.today), NEVER)
    filed = np.where(closes & (ground == NO_REPORT), filed, NEVER)
    return Listed(entity, ground, happened, ends, missed, filed), evidence


def listing_frame(world: World, listed: Listed, history: float, streams: Streams) -> pl.DataFrame:
    """The rows of the list. A few of the open ones have a second ground open.

    Parameters
    ----------
    history : earlier and long ended listings for each listed enterprise, on average; 0 at density 1
    """
    rng = streams("listing_rows")
    size = len(listed.entity)
    second = (listed.ends == NEVER) & (rng.random(size) < _SECOND_GROUND)
    again = np.where(listed.ground[second] == NO_CONTACT, OTHER, NO_CONTACT)
    later = listed.happened[second] + (rng.random(int(second.sum())) * (world.today - listed.happened[second])).astype(
        np.int64
    )
    later = np.maximum(to_working_day(later), listed.happened[second])

    earlier = np.repeat(np.arange(size), rng.poisson(history, size))
    born = world.established[listed.entity[earlier]]
    life = listed.happened[earlier] - born
    earlier, born, life = (values[life > 30] for values in (earlier, born, life))
    start = born + (rng.random(len(earlier)) * (life - 20)).astype(np.int64)
    ended = start + 1 + (rng.random(len(earlier)) * (listed.happened[earlier] - start - 1)).astype(np.int64)

    ground = np.concatenate([listed.ground, again, np.where(rng.random(len(earlier)) < 0.8, NO_CONTACT, OTHER)])
    entity = np.concatenate([listed.entity, listed.entity[second], listed.entity[earlier]])
    happened = np.concatenate([listed.happened, later, start])
    ends = np.concatenate([listed.ends, np.full(len(later), NEVER), ended])
    missed = np.concatenate([listed.missed, np.zeros(len(later) + len(start), np.int64)])
    rows = facts(entity, happened, ground, np.ones(len(entity), np.int64), ends=ends, missed=missed)
    reason = pl.concat_str(
        pl.lit('"removal_reason":"'), pl.col("code").replace_strict(REMOVALS, return_dtype=pl.String), pl.lit('"')
    )
    parts = [
        pl.when(pl.col("ends_on").is_not_null()).then(reason),
        pl.when(pl.col("missed") > 0).then(pl.concat_str(pl.lit('"year":'), "missed")),
    ]
    fields = pl.concat_str(parts, separator=",", ignore_nulls=True)
    detail = pl.concat_str(pl.lit("{"), fields, pl.lit("}"))
    return finished(numbered(with_organ(rows, world), "{}异入〔{}〕{}号").with_columns(detail_json=detail))


def _first_missed(rng: np.random.Generator, years: list[int], owed: Flags, ground: Ints) -> Ints:
    """The first report year that was missed, of those owed; 0 where the ground is another."""
    if not years:
        return np.zeros(len(ground), np.int64)
    weights = np.array(_NEWEST_FIRST[: len(years)])[::-1, None] * owed
    edges = np.cumsum(weights, axis=0)
    chosen = (rng.random(len(ground)) * edges[-1] >= edges).sum(axis=0).clip(0, len(years) - 1)
    return np.where(ground == NO_REPORT, np.array(years)[chosen], 0)
