"""Two years of a district under each policy, at equal visits: lists by month, visits, results, and the grades that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from registry.clock import day_of
from registry.sample.latent import Flags, Ints, load_latent
from registry.simulate import world
from registry.simulate.asked import Asked, SimulationRefused
from registry.simulate.learner import Learner
from registry.simulate.policies import POLICIES, Chosen, Policy, Standing
from registry.simulate.projected import CHECK
from registry.simulate.world import District, Luck
from rules import engine
from rules import scheme as schemes
from rules.given import Given
from rules.inspection import frequency
from rules.inspection.frequency import FrequencyTable
from rules.scheme import Scheme

BOOK = Path(schemes.__file__).parent / "book"
TABLE = Path(frequency.__file__).with_name("frequency.toml")
GRADES, RECORD = "general-risk", "inspection-record"
NATURE = "general"
YEAR_MONTHS, WHOLE = 12, 10_000
# Never visited: longer ago than any skip.
_NEVER = -(10**6)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What the frequency table says on one day, by rank of the class from the best; one more place at the end for nobody's class."""

    ratios: Mapping[int, int]  # visits a year per 10,000 entities
    skip: Ints
    at_most: Ints
    cap: int


@dataclass(frozen=True, slots=True, eq=False)
class Month:
    """One month under one policy: who could be visited and of what class, whom the list named, and what would have been found."""

    pool: Flags
    rank: Ints
    chosen: Chosen
    luck: Luck


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A policy's two years."""

    policy: Policy
    months: tuple[Month, ...]
    model: tuple[Mapping[str, object], ...]


@dataclass(slots=True, eq=False)
class _Office:
    """What one office has done so far: facts of its visits, and per entity how often and how long ago it was there."""

    visits: list[pl.DataFrame]
    last: Ints
    year: Ints
    found: Ints
    seq: int

    def copy(self) -> _Office:
        return _Office([*self.visits], self.last.copy(), self.year.copy(), self.found.copy(), self.seq)

    def went(self, chosen: Chosen, luck: Luck) -> None:
        """Enter the visits of a list."""
        who = chosen.everybody
        inclusion = np.concatenate([np.ones(chosen.by_order.size), chosen.inclusion])
        self.visits.append(world.visit_facts(who, luck, inclusion, self.seq))
        self.seq += who.size
        self.last[who] = luck.day[who]
        self.year[who] += 1
        self.found[who] += luck.fails[who]


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """What a simulation gave: the district, the visits of a month, and a track for each policy, ``random`` always among them."""

    asked: Asked
    of: District
    classes: tuple[str, ...]
    visits: int
    cap: int  # visits in a calendar year that the table allows, on the first day
    latent_sha256: str
    table_hash: str
    tracks: Mapping[str, Track]


def simulate(asked: Asked, table: FrequencyTable | None = None, progress: Progress | None = None) -> Simulated:
    """Run every policy asked for, and ``random`` beside them, over the same district. The same arguments give the same result.

    Parameters
    ----------
    table : frequency table that ratios, skips and the annual cap are taken from; default the shipped one, its rows for
        general items and every industry

    Raises
    ------
    SimulationRefused
        If something asked for is out of range or unknown, or the table says nothing of a class; the message says what to give.
    """
    asked.check()
    tell = progress or (lambda *_: None)
    table = frequency.read(TABLE) if table is None else table
    scheme, record = (schemes.load(BOOK / id_) for id_ in (GRADES, RECORD))
    latent = load_latent(Path(world.__file__).parents[1] / "sample" / f"{asked.parameters}.toml")
    names = tuple(name for name in POLICIES if name in asked.policies or name == "random")
    tell("district", 0, len(names) * asked.months)
    of = world.make(asked.entities, first=asked.first, months=asked.months, seed=asked.seed, latent=latent)
    visits = asked.visits or _usual(of, scheme, table)
    before = _lead(of, visits, table, scheme)
    tracks: dict[str, Track] = {}
    for place, name in enumerate(names):
        office = before.copy()
        learner = Learner(of, record, asked.seed) if POLICIES[name].scored else None
        months = []
        for number in range(asked.months):
            months.append(_month(of, office, POLICIES[name], of.lead + number, visits, table, scheme, learner))
            tell(name, place * asked.months + number + 1, len(names) * asked.months)
        tracks[name] = Track(POLICIES[name], tuple(months), () if learner is None else tuple(learner.notes))
    cap = plan(table, scheme, of.months[of.lead]).cap
    return Simulated(asked, of, scheme.classes, visits, cap, latent.sha256, table.hash, tracks)


def plan(table: FrequencyTable, scheme: Scheme, day: int) -> Plan:
    """The rows of a table for general items and everybody's industry on a day.

    Raises SimulationRefused where a class has no row, or no annual cap is in force.
    """
    rows = [table.at(scheme.id, NATURE, class_, None, day) for class_ in scheme.classes]
    cap = table.annual_cap(day)
    lacking = [class_ for class_, row in zip(scheme.classes, rows, strict=True) if row is None]
    if lacking or cap is None:
        what = f"no row for general items of class {', '.join(lacking)}" if lacking else "no annual cap"
        raise SimulationRefused(
            f"The frequency table {table.id!r} has {what} under {scheme.id} on {day_of(day)}. Add it, or begin later (--from)."
        )
    held = [row for row in rows if row is not None]
    return Plan(
        ratios={rank: row.yearly for rank, row in enumerate(held)},
        skip=np.array([*(row.skip_days for row in held), 0]),
        at_most=np.array([*(cap if row.at_most is None else min(cap, row.at_most) for row in held), 0]),
        cap=cap,
    )


def _usual(of: District, scheme: Scheme, table: FrequencyTable) -> int:
    """Visits in a month that the table asks for, by the classes of the first day before anybody was visited by lot; at least 5."""
    day = of.months[of.lead]
    rank, _ = _grades(of, world.known(of, [], day - 1), day, scheme)
    ratios = plan(table, scheme, day).ratios
    asked = sum(ratios[place] * int((rank == place).sum()) for place in ratios)
    return max(5, round(asked / WHOLE / YEAR_MONTHS))


def _lead(of: District, visits: int, table: FrequencyTable, scheme: Scheme) -> _Office:
    """The office on the first day: two years of as many visits by lot lie behind it, and the checks of the sample's own records."""
    checks = of.facts.filter(pl.col("kind") == CHECK)
    place, day = checks["entity"].to_numpy() - 1, checks["day"].to_numpy().astype(np.int64)
    last: Ints = np.full(len(of), _NEVER)
    np.maximum.at(last, place, day)
    found = np.bincount(place[checks["severity"].to_numpy() > 0], minlength=len(of))
    seq = 1 + int(of.facts["seq"].max())  # type: ignore[arg-type]
    office = _Office([], last, np.zeros(len(of), np.int64), found, seq)
    cap = plan(table, scheme, of.months[of.lead]).cap
    for month in range(of.lead):
        _new_year(of, office, month)
        pool = of.standing(of.months[month]) & (office.year < cap)
        office.went(POLICIES["random"].choose(_nothing_known(of, pool, month), visits, {}), world.luck(of, month))
    return office


def _nothing_known(of: District, pool: Flags, month: int) -> Standing:
    nothing = np.zeros(len(of), np.int64)
    return Standing(
        pool, pool, nothing - 1, nothing, nothing, nothing, nothing, of.stream("lot", month).random(len(of))
    )


def _new_year(of: District, office: _Office, month: int) -> None:
    if month == 0 or day_of(of.months[month]).year != day_of(of.months[month - 1]).year:
        office.year[:] = 0


def _month(
    of: District, office: _Office, policy: Policy, month: int, visits: int, table: FrequencyTable, scheme: Scheme,
    learner: Learner | None,
) -> Month:  # fmt: skip
    """Grade everybody by what is known, draw up the list of a month, make its visits and enter what they found."""
    day = of.months[month]
    _new_year(of, office, month)
    facts = world.known(of, office.visits, day - 1)
    given = world.context(of, facts, day)
    rank, score = _grades(of, facts, day, scheme, given)
    chance: Ints = np.zeros(len(of), np.int64)
    if learner is not None:
        learner.begin(month, facts)
        chance = learner.chances(day - 1, facts, given, _who(of, day))
    now = plan(table, scheme, day)
    pool = of.standing(day) & (office.year < now.cap)
    fresh = pool & (day - office.last >= now.skip[rank]) & (office.year < now.at_most[rank])
    standing = Standing(
        pool,
        fresh,
        rank,
        score,
        chance,
        office.found,
        _cells(of, office.found),
        of.stream("lot", month).random(len(of)),
    )
    chosen, luck = policy.choose(standing, visits, now.ratios), world.luck(of, month)
    office.went(chosen, luck)
    return Month(pool, rank, chosen, luck)


def _who(of: District, day: int) -> pl.DataFrame:
    here = of.population.filter(pl.Series(of.standing(day)))
    return here.with_columns(day=pl.lit(day - 1, pl.Int32))


def _grades(
    of: District, facts: pl.DataFrame, day: int, scheme: Scheme, given: Given | None = None
) -> tuple[Ints, Ints]:  # fmt: skip
    """Rank of the class (-1: none) and score of every entity on the evening before ``day``."""
    context = world.context(of, facts, day) if given is None else given
    graded = engine.grade(_who(of, day), facts, of.coverage, scheme, context)
    place = graded["entity"].to_numpy() - 1
    rank, score = np.full(len(of), -1), np.zeros(len(of), np.int64)
    rank[place] = graded["class"].cast(pl.Enum(scheme.classes)).to_physical().cast(pl.Int64).to_numpy()
    score[place] = graded["score"].cast(pl.Int64).to_numpy()
    return rank, score


def _cells(of: District, found: Ints) -> Ints:
    """For every entity, the violations found so far in its trade and division."""
    _, cell = np.unique(of.industry * 1_000_000 + of.division, return_inverse=True)
    summed: Ints = np.bincount(cell, found).astype(np.int64)
    return summed[cell]
