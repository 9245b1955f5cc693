"""The entities of the district as arrays, and the tools with which records are drawn for them."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from registry.sample.codes import credit_codes
from registry.sample.latent import Flags, Floats, Ints, Latent, Streams, Traits, draw_types, log_prior, violation
from registry.sample.names import addresses, entity_names, shared
from registry.sample.shape import KINDS, Shape, Window

OPEN, REVOKED = 1, 2
EPOCH = date(1970, 1, 1)
YEAR = 365.2425


def day_of(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class World:
    """Every entity, one place per entity in each array. Days are days since 1970-01-01, money is fen."""

    shape: Shape
    latent: Latent
    today: int
    traits: Traits
    industry: Ints
    division: Ints
    established: Ints
    capital_fen: Ints
    type: Ints  # unobserved
    prior: Floats  # (entities, types), log
    chance: Floats  # (entities, types), violation at the next routine check
    status: Ints

    def __len__(self) -> int:
        return len(self.type)

    @property
    def age_days(self) -> Ints:
        return self.today - self.established

    @property
    def is_enterprise(self) -> Flags:
        return np.asarray(self.traits.kind == 0)


@dataclass(frozen=True)
class Drawn:
    """Records of one kind, and what they say about the type of every entity: log-likelihood, (entities, types)."""

    frame: pl.DataFrame
    evidence: Floats


def populate(shape: Shape, latent: Latent, per_kind: tuple[int, ...], today: date, streams: Streams) -> World:
    """Draw the entities: kind, industry, district, age, capital, and the type that nobody sees."""
    rng = streams("population")
    kind = rng.permutation(np.repeat(np.arange(len(KINDS)), per_kind))
    count = len(kind)
    industry, capital, years = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count)
    for place, name in enumerate(KINDS):
        here = kind == place
        size = int(here.sum())
        industry[here] = choose(rng, np.array([row.mix[place] for row in shape.industries]), size)
        age = shape.table["age"][name]
        years[here] = rng.gamma(age["shape"], age["scale"], size)
        if name in shape.table["capital"]:
            amounts = np.array(shape.table["capital"][name])
            capital[here] = amounts[choose(rng, amounts[:, 1], size), 0].astype(np.int64) * 100
    # Nobody is younger than two days, so that every record has a day on which it can have happened.
    days = np.clip((years * YEAR).astype(np.int64), 2, int(shape.table["age"]["highest"] * YEAR))
    groups = np.array([latent.groups.index(row.group) for row in shape.industries])
    size_log = np.full(count, np.nan)
    size_log[capital > 0] = np.log10(capital[capital > 0] / 100)
    traits = Traits(kind=kind, group=groups[industry], age=days / YEAR, size=size_log)
    prior = log_prior(latent, traits)
    return World(
        shape=shape,
        latent=latent,
        today=day_of(today),
        traits=traits,
        industry=industry,
        division=choose(rng, np.array([district.weight for district in shape.districts]), count),
        established=day_of(today) - days,
        capital_fen=capital,
        type=draw_types(streams("types"), prior),
        prior=prior,
        chance=violation(latent, traits),
        status=np.full(count, OPEN),
    )


def revoke(world: World, count: int, rng: np.random.Generator) -> tuple[World, Floats]:
    """Revoke the licences of exactly ``count`` enterprises (not cancelled), and what that says about every type."""
    rates = np.outer(world.is_enterprise, world.latent.by_type("revoked", "rate"))
    chosen, evidence = first_to_ring(rng, rates, world.type, count)
    status = world.status.copy()
    status[chosen] = REVOKED
    return replace(world, status=status), evidence


def entity_frame(world: World, streams: Streams) -> pl.DataFrame:
    """The entities as the loader wants them; the row number is the index that records refer to."""
    rng = streams("attributes")
    shape, kind, count = world.shape, world.traits.kind, len(world)
    codes = np.array([int(district.code) for district in shape.districts])
    by_city = (kind == 0) & (rng.random(count) < shape.table["place"]["abroad"])
    registered = np.where(by_city, int(shape.table["place"]["register"]), codes[world.division])
    old = world.established < day_of(date(2015, 10, 1))  # codes begin with letters since the reform of that day
    offset = int(rng.integers(0, 10**7))
    offices = [[f"{row.short}{office}市场监督管理所" for office in row.offices] for row in shape.districts]
    starts = np.cumsum([0, *map(len, offices[:-1])])
    office = starts[world.division] + (rng.random(count) * np.array([*map(len, offices)])[world.division]).astype(int)
    large = (world.capital_fen >= 50_000_000_00).astype(np.int64)
    return pl.DataFrame(
        {
            "code": pl.Series(credit_codes(kind, registered, old, offset)),
            "name": entity_names(shape, kind, world.industry, world.division, large, streams),
            "kind": pl.Series(KINDS).gather(kind),
            "status": pl.Series(world.status, dtype=pl.Int16),
            "industry": pl.Series([row.code for row in shape.industries]).gather(world.industry),
            "division": pl.Series([row.code for row in shape.districts]).gather(world.division),
            "office": pl.Series([name for row in offices for name in row]).gather(office),
            "address": shared(
                addresses(shape, world.division, rng), kind, world.division, shape.table["addresses"], streams
            ),
            "established": day_series(world.established),
            "capital_fen": pl.Series(world.capital_fen, dtype=pl.Int64),
            "term_ends": _terms(world, rng),
        }
    )


def _terms(world: World, rng: np.random.Generator) -> pl.Series:
    """Last day of the business term; null without one. Most that ran out were extended by as many years again."""
    term = world.shape.table["term"]
    years = np.array(term["years"])[choose(rng, np.array(term["weights"]), len(world))]
    has = world.is_enterprise & (rng.random(len(world)) < term["share"])
    extends = rng.random(len(world)) < 0.92
    start = world.established.astype("datetime64[D]")
    month = start.astype("datetime64[M]")
    # A day that not every month has becomes the 28th.
    day = np.minimum((start - month).astype(np.int64), 27)
    spans = np.where(extends, np.ceil((world.traits.age + 0.01) / years), 1).astype(np.int64)
    ends = (month + years * np.maximum(spans, 1) * 12).astype("datetime64[D]").astype(np.int64) + day - 1
    return day_series(np.where(has, ends, NEVER))


NEVER = np.iinfo(np.int32).max


def day_series(days: Ints) -> pl.Series:
    """Days since 1970-01-01 as dates; NEVER becomes null."""
    series = pl.Series(days.astype(np.int32), dtype=pl.Int32)
    return pl.select(pl.when(series != int(NEVER)).then(series).cast(pl.Date)).to_series()


def to_working_day(days: Ints) -> Ints:
    """Move Saturdays and Sundays back to the Friday before; public holidays are not modelled."""
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    moved: Ints = days - np.clip(weekday - 4, 0, None)
    return moved


def choose(rng: np.random.Generator, weights: Floats, count: int) -> Ints:
    """Draw ``count`` places in proportion to ``weights``, with repetition; none where every weight is 0."""
    edges = np.cumsum(weights, dtype=np.float64)
    if len(edges) == 0 or edges[-1] <= 0:
        return np.zeros(0, dtype=np.int64)
    # Below the last edge, so that a trailing weight of 0 is never chosen.
    targets = np.minimum(rng.random(count) * edges[-1], np.nextafter(edges[-1], 0))
    places: Ints = np.searchsorted(edges, targets, side="right").astype(np.int64)
    return places


def seen(window: Window, age_days: Ints) -> Floats:
    """Share of the window's records that fall into an entity's life: 0 for one that was not there, 1 for an old one."""
    return np.interp(age_days, window.days, window.share)


def days_ago(rng: np.random.Generator, window: Window, age_days: Ints) -> Ints:
    """How many days before today each record happened: as the window says, and after its entity was established."""
    ago = np.interp(rng.random(len(age_days)) * seen(window, age_days), window.share, window.days)
    return np.minimum(ago.astype(np.int64), age_days - 1)


def events(rng: np.random.Generator, weight: Floats, rate: Floats, types: Ints, count: int) -> tuple[Ints, Floats]:
    """Exactly ``count`` events of a Poisson process: the entity of each, and each entity's expected number by type.

    Parameters
    ----------
    weight : (entities,) observable part of each entity's rate
    rate : (types,) part of the rate that depends on the type
    """
    # Given their total, Poisson counts are multinomial; the scale below is the one at which the total is expected.
    total = weight * rate[types]
    scale = count / total.sum() if total.sum() > 0 else 0.0
    return choose(rng, total, count), np.outer(weight * scale, rate)


def by_trade(world: World, name: str) -> Floats:
    """Weight of every entity by the table ``name`` of the shape (by group of industries) and by its kind."""
    groups = np.array([world.shape.table[name].get(group, 0.0) for group in world.latent.groups])
    kinds = np.array([world.shape.table["counted"][kind] for kind in KINDS])
    weight: Floats = groups[world.traits.group] * kinds[world.traits.kind]
    return weight


def occurrences(
    rng: np.random.Generator, world: World, part: str, weight: Floats, rate: Floats | None, count: int
) -> tuple[Ints, Ints, Floats]:
    """Exactly ``count`` records within the window ``part``: the entity and the day of each, and the evidence by type.

    Parameters
    ----------
    weight : (entities,) observable part of each entity's rate; where nobody has any there are no records
    rate : (types,) the rest of the rate; None where whom it meets tells nothing
    """
    window = world.shape.windows[part]
    weight = weight * seen(window, world.age_days)
    if rate is None:
        entity, evidence = choose(rng, weight, count), np.zeros_like(world.prior)
    else:
        entity, expected = events(rng, weight, rate, world.type, count)
        evidence = counted(entity, len(world))[:, None] * np.log(rate) - expected
    happened = to_working_day(world.today - days_ago(rng, window, world.age_days[entity]))
    return entity, np.maximum(happened, world.established[entity]), evidence


def counted(entity: Ints, length: int) -> Floats:
    """How many times each of ``length`` entities occurs."""
    return np.bincount(entity, minlength=length).astype(np.float64)


def draw_marks(rng: np.random.Generator, table: Floats, types: Ints) -> tuple[Ints, Floats]:
    """One of several marks for each record, and what it says about the type: log-likelihood, (records, types).

    Parameters
    ----------
    table : (types, marks), or (records, types, marks) where the chances depend on what can be observed besides;
        rows sum to 1
    types : (records,) type of the entity of each record
    """
    full = np.broadcast_to(table, (len(types), *table.shape)) if table.ndim == 2 else table
    own = np.take_along_axis(full, types[:, None, None], axis=1)[:, 0]
    mark = np.asarray((rng.random(len(types))[:, None] >= np.cumsum(own, axis=1)[:, :-1]).sum(axis=1), dtype=np.int64)
    return mark, np.log(np.take_along_axis(full, mark[:, None, None], axis=2)[:, :, 0])


def draw_flags(rng: np.random.Generator, chances: Floats, types: Ints) -> tuple[Flags, Floats]:
    """Whether something is so of each record, by the type of its entity, and what that says: (records, types)."""
    mark, said = draw_marks(rng, np.stack([1 - chances, chances], axis=1), types)
    return mark == 1, said


def gathered(entity: Ints, said: Floats, length: int) -> Floats:
    """What several records say, added up for each of ``length`` entities: (entities, types)."""
    return np.stack([np.bincount(entity, column, minlength=length) for column in said.T], axis=1)


def first_to_ring(rng: np.random.Generator, rates: Floats, types: Ints, count: int) -> tuple[Ints, Floats]:
    """Exactly ``count`` distinct entities, drawn as those whose exponential alarm clocks ring first.

    Given the moment at which the next clock would have rung, the clocks are independent: an entity of type t has rung
    with chance 1 − exp(−moment × rate t). That gives the evidence, for those chosen and for those not.

    Parameters
    ----------
    rates : (entities, types); 0 where it cannot happen
    """
    own = np.take_along_axis(rates, types[:, None], axis=1)[:, 0]
    rings = np.full(len(own), np.inf)
    draws = rng.exponential(size=len(own))
    rings[own > 0] = draws[own > 0] / own[own > 0]
    able = int((own > 0).sum())
    count = min(count, able)
    if count == 0:
        return np.zeros(0, dtype=np.int64), np.zeros_like(rates)
    order = np.argsort(rings, kind="stable")
    moment = rings[order[min(count, able - 1)]]
    chosen = np.sort(order[:count])
    evidence = -moment * rates
    evidence[chosen] = np.log(-np.expm1(-moment * rates[chosen]))
    return chosen, evidence
