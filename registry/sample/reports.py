"""Annual reports 年报: who filed, when, and for which years, in step with who was listed for not filing."""

from datetime import date

import numpy as np
import polars as pl

from registry.sample.frames import facts, finished, with_organ
from registry.sample.latent import Flags, Floats, Ints, Streams
from registry.sample.listings import FALSE, NO_REPORT, Listed, deadline
from registry.sample.world import NEVER, OPEN, Drawn, World, day_of

ON_TIME, LATE, UNTRUE = 0, 1, 2


def draw_reports(world: World, listed: Listed, years: list[int], streams: Streams) -> Drawn:
    """The reports for ``years`` (oldest first) that were filed by today.

    An enterprise that missed a year is on the list for it, and one that is still listed has filed nothing since; other
    enterprises file on time, or late but before the list was drawn up. Individual businesses and cooperatives, whose
    marks are not part of the sample, may simply not file. Entities whose licence was revoked file nothing.
    """
    rng = streams("annual_report")
    evidence = np.zeros_like(world.prior)
    first = np.full(len(world), NEVER)
    repaired = np.full(len(world), NEVER)
    unfiled = listed.ground == NO_REPORT
    first[listed.entity[unfiled]] = listed.missed[unfiled]
    repaired[listed.entity] = listed.filed
    days = []
    for year in years:
        day, said = _year(world, rng, year, explained=(first == year) | ((first < year) & (repaired == NEVER)))
        day = np.where(first == year, repaired, day)
        evidence += said
        days.append(np.where(day <= world.today, day, NEVER))
    filed = np.array(days).reshape(len(years), len(world))
    severity = np.array([deadline(world.shape, year) for year in years])[:, None] < filed
    false = _false_ones(world, listed, filed)
    place, entity = np.nonzero(filed != NEVER)
    frame = facts(
        entity,
        filed[place, entity],
        np.array(years, dtype=np.int64)[place],
        np.where(false, UNTRUE, severity)[place, entity],
    )
    # The year is the code and the day says whether it is late: there is nothing left for the detail.
    frame = with_organ(frame, world).with_columns(document_no=pl.lit(None, pl.String), detail_json=pl.lit("{}"))
    return Drawn(finished(frame), evidence)


def _year(world: World, rng: np.random.Generator, year: int, explained: Flags) -> tuple[Ints, Floats]:
    """Day of filing for one report year (NEVER without), and what filing says about the type of every entity."""
    latent, shape, kind, count = world.latent, world.shape, world.traits.kind, len(world)
    due = deadline(shape, year)
    late = latent.by_kind("report", "late")[kind]
    missing = latent.by_kind("report", "missing")[kind]
    own = np.take_along_axis(late, world.type[:, None], axis=1)[:, 0]
    absent = own + np.take_along_axis(missing, world.type[:, None], axis=1)[:, 0]
    chance, when = rng.random(count), rng.random(count)
    # Lateness is exponential; an enterprise is on the list, and explained by it, after the days of grace.
    mean = latent.by_kind("report", "late_days")[kind]
    grace = np.where(world.is_enterprise, float(shape.table["reports"]["listed_within"]), np.inf)
    whole = -np.expm1(-grace / mean)
    behind = -mean * np.log1p(-when * whole)
    opens = max(day_of(date(year + 1, 1, 1)), due - 180)
    # Many file in the last weeks.
    early = opens + (np.power(when, 0.6) * (due - opens + 1)).astype(np.int64)
    days = np.where(chance < own, due + 1 + behind.astype(np.int64), early)
    days = np.where((chance >= own) & (chance < absent), NEVER, days)

    owes = (world.established <= day_of(date(year, 12, 31))) & (world.status == OPEN)
    told = owes & ~explained
    # The share of late reports that would be in by now, were they late at all.
    arrived = np.minimum(-np.expm1(-max(world.today - due, 0) / mean) / whole, 1.0)[:, None]
    evidence = np.zeros((count, len(latent.types)))
    on_time, is_late = told & (days <= due), told & (days > due) & (days <= world.today)
    nothing = told & (days > world.today)
    evidence[on_time] = np.log1p(-late[on_time] - missing[on_time])
    evidence[is_late] = np.log(late[is_late])
    evidence[nothing] = np.log(missing[nothing] + late[nothing] * (1 - arrived[nothing]))
    return np.where(told, days, NEVER), evidence


def _false_ones(world: World, listed: Listed, filed: Ints) -> Flags:
    """Which filed reports hide the truth: the latest before the day on which their enterprise was listed for that."""
    false = np.zeros(filed.shape, dtype=bool)
    guilty = listed.ground == FALSE
    before = filed[:, listed.entity[guilty]] < listed.happened[guilty]
    latest = len(filed) - 1 - np.argmax(before[::-1], axis=0)
    has = before.any(axis=0)
    false[latest[has], listed.entity[guilty][has]] = True
    return false
