"""The district that a simulation runs in: what the sample generator makes of it, and what the next check of anybody would find.

The generator draws the records of the simulated months as it draws all others, by the latent type of each entity; they are
the same under every policy. Only visits differ. Nobody's type changes: a finding mends nothing and deters nobody.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from registry import parameters
from registry.clock import day_number, day_of
from registry.sample import Latent, Sample, generate
from registry.sample.checks import SEVERITIES
from registry.sample.latent import Flags, Floats, Ints
from registry.sample.shape import Shape, Window, load_shape
from registry.sample.world import OPEN, to_working_day
from registry.services import context_norms, frames
from registry.simulate.projected import CHECK, DETAIL, RELATED, coverage_of, details, facts_of, ties_of
from rules.given import NORMS, Given
from rules.model.areas import area_rates
from rules.model.stood import as_it_stood

# Results of a check that met nobody, or nothing to look at.
NOT_MET = (6, 7)
# Count of shape.toml → its window, for what happens anew: what stands (licences, certificates, relations) has it once.
HAPPENS = {
    "penalty": "penalty", "serious_listing": "penalty", "spot_check": "spot_check", "item_12315": "item_12315",
    "product_sampling": "product_sampling", "registration_change": "registration_change", "recall": "recall",
    "outside_list": "outside_list", "good_list": "outside_list", "accident": "accident", "listed": "listing",
    "standard_declared": "standard_declared", "award": "award", "satisfaction_survey": "satisfaction_survey",
}  # fmt: skip
# Months of visits by lot before the first month: what is on record of checks when a policy begins.
BEFORE = 24


@dataclass(frozen=True, slots=True, eq=False)
class District:
    """Everything that no policy changes. Entity n of the sample has id n + 1 in frames; arrays have one place for each.

    months : first days of the months, those of the lead-in first, and the first day after the last; days since 1970-01-01
    lead : how many of the months are the lead-in
    chance : planted chance that a check finds a violation; the same on every day
    """

    seed: int
    sample: Sample
    months: tuple[int, ...]
    lead: int
    population: pl.DataFrame
    industry: Ints
    division: Ints
    established: Ints
    open: Flags
    chance: Floats
    facts: pl.DataFrame
    coverage: pl.DataFrame
    ties: pl.DataFrame
    results: Mapping[bool, Floats]  # found anything? → rows of (code, weight)

    def __len__(self) -> int:
        return len(self.chance)

    def stream(self, part: str, month: int = 0) -> np.random.Generator:
        """Random numbers of one part of one month: the same whatever the policy."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(part.encode()), month)))

    def standing(self, day: int) -> Flags:
        """Who can be visited on a day: established by then, and not revoked."""
        return np.asarray(self.open & (self.established < day))


@dataclass(frozen=True, slots=True, eq=False)
class Luck:
    """What a month holds for everybody, were he visited: arrays of one place for each entity."""

    fails: Flags
    code: Ints
    day: Ints


def make(entities: int, *, first: date, months: int, seed: int, latent: Latent) -> District:
    """A district of so many entities as it will have been when the last month ends.

    Parameters
    ----------
    first : first day of the first month; the first of a month

    Raises
    ------
    ValueError
        If the number of entities or the seed is out of range; the message says which and what is allowed.
    """
    edges = month_edges(first, months)
    last = day_of(edges[-1])
    shape = lengthened(load_shape(), edges[-1] - edges[BEFORE])
    sample = generate(entities, today=last, seed=seed, latent=latent, shape=shape)
    truth, who = sample.truth, sample.entities
    population = who.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("entity"),
        subject=pl.col("kind").cast(pl.String),
        division=pl.col("division").cast(pl.String),
    )
    facts = facts_of(sample, before=edges[BEFORE])
    return District(
        seed=seed,
        sample=sample,
        months=edges,
        lead=BEFORE,
        population=population,
        industry=who["industry"].cast(pl.Int64).to_numpy(),
        division=who["division"].cast(pl.Int64).to_numpy(),
        established=who["established"].cast(pl.Int32).to_numpy().astype(np.int64),
        open=(who["status"] == OPEN).to_numpy(),
        chance=truth["probability"].to_numpy(),
        facts=facts,
        coverage=coverage_of(sample),
        ties=ties_of(sample),
        results={found: np.array(latent.rows("spot_check", name), np.float64) for found, name in ((True, "found"), (False, "clean"))},
    )  # fmt: skip


def month_edges(first: date, months: int) -> tuple[int, ...]:
    """First days of the lead-in's and the simulated months, and the first day after them; days since 1970-01-01."""
    start = first.year * 12 + first.month - 1 - BEFORE
    return tuple(
        day_number(date(number // 12, number % 12 + 1, 1)) for number in range(start, start + BEFORE + months + 1)
    )


def lengthened(shape: Shape, days: int) -> Shape:
    """The shape with so many days more at the newest end of every window, at the rate of its newest days.

    So many days before its end such a district is as dense with records as one of the shape as it was.
    """
    windows, grown = {}, {}
    for name, window in shape.windows.items():
        added = window.share[1] / window.days[1] * days
        windows[name], grown[name] = _longer(window, days, added), 1 + added
    windows |= {name: window for name, window in shape.windows.items() if name not in HAPPENS.values()}
    counts = {
        name: round(count * grown[HAPPENS[name]]) if name in HAPPENS else count for name, count in shape.counts.items()
    }
    reports = {**shape.table["reports"], "years": shape.table["reports"]["years"] + -(-days // 365)}
    return replace(shape, windows=windows, counts=counts, table={**shape.table, "reports": reports})


def _longer(window: Window, days: int, added: float) -> Window:
    share = [0.0, *((added + one) / (1 + added) for one in window.share)]
    return Window((0.0, *(days + one for one in window.days)), tuple(share))


def luck(of: District, month: int) -> Luck:
    """What checks of a month would find, and when: the same whoever makes them, so that policies differ by choice alone."""
    rng = of.stream("outcome", month)
    draws, which, when = rng.random((3, len(of)))
    fails = draws < of.chance
    code = np.where(fails, _result(of.results[True], which), _result(of.results[False], which))
    first, following = of.months[month], of.months[month + 1]
    day = np.maximum(to_working_day(first + (when * (following - first)).astype(np.int64)), first)
    return Luck(fails, code, day)


def _result(table: Floats, which: Floats) -> Ints:
    edges = np.cumsum(table[:, 1]) / table[:, 1].sum()
    found: Ints = table[np.searchsorted(edges[:-1], which, side="right"), 0].astype(np.int64)
    return found


def visit_facts(who: Ints, of: Luck, inclusion: Floats, seq: int) -> pl.DataFrame:
    """The facts of visits: each result, the check behind it, and the problem where there was one; ``seq`` is the first number.

    Parameters
    ----------
    who : places of the entities
    inclusion : probability with which each was chosen; 0 where no draw chose it
    """
    severity = np.array([SEVERITIES.get(code, 0) for code in range(max(SEVERITIES) + 1)])[of.code[who]]
    checks = pl.DataFrame(
        {
            "entity": who + 1,
            "kind": np.full(len(who), CHECK),
            "code": of.code[who],
            "severity": severity,
            "amount": np.zeros(len(who), np.int64),
            "day": of.day[who],
            "ends": pl.Series([None] * len(who), dtype=pl.Int32),
            "seq": np.arange(seq, seq + len(who)),
        }
    ).select(pl.col(name).cast(kind) for name, kind in frames.FACTS.items())
    return pl.concat([checks, *details(checks, pl.Series(np.rint(inclusion * 1_000_000).astype(np.int64)))])


def context(of: District, facts: pl.DataFrame, day: int) -> Given:
    """What a context of ``day`` holds: related parties in trouble by then, and what earlier checks found in each trade and
    division. Complaint and penalty norms are not among it: they stay unknown to the rules that read them."""
    set_to = {name: one.on(day_of(day)).value for name, one in parameters.shipped("context").items()}
    checks = facts.filter(
        (pl.col("kind") == CHECK)
        & pl.col("day").is_between(day - set_to["check_days"], day - 1)
        & ~pl.col("code").is_in(NOT_MET)
    )
    trades = (
        pl.DataFrame(
            {"industry": of.industry[checks["entity"].to_numpy() - 1], "failed": checks["severity"].to_numpy() > 0}
        )
        .group_by("industry")
        .agg(pl.col("failed").sum().cast(pl.Int64), pl.len().cast(pl.Int64).alias("checks"))
        .sort("industry")
    )
    found = [("violations", *one) for one in context_norms.ranges(trades.iter_rows(), set_to["weight_checks"])]
    visited = facts.filter(pl.col("kind").is_in((CHECK, DETAIL)))
    norms = pl.concat(
        [
            pl.DataFrame(found, schema=dict(NORMS), orient="row"),
            area_rates(visited, of.population.select("entity", "division"), day, weight=set_to["weight_checks"]),
        ]
    )
    related = of.ties.filter((pl.col("from_day") < day) & (pl.col("until_day") >= day))
    values = related.group_by("entity", "name").agg(value=pl.col("other").n_unique().cast(pl.Int64))
    return Given(
        context=values.sort("entity", "name"), norms=norms, names=frozenset((*norms["name"], *RELATED))
    )  # fmt: skip


def known(of: District, visits: list[pl.DataFrame], day: int) -> pl.DataFrame:
    """All facts as they stood at the end of ``day``, with those of the visits so far."""
    facts = pl.concat([of.facts, *visits])
    return as_it_stood(facts.filter(pl.col("day") <= day), day)
