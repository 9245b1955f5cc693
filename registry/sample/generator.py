"""Make the sample district: entities, records, coverage and the planted truth, as frames and without a database."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl

from registry.sample.changes import draw_changes
from registry.sample.checks import draw_checks
from registry.sample.frames import finished
from registry.sample.goods import draw_recalls, draw_sampling, draw_standards
from registry.sample.honours import draw_awards, draw_surveys
from registry.sample.items import draw_items, split
from registry.sample.latent import Flags, Floats, Ints, Latent, Streams, best_score, load_latent
from registry.sample.listings import draw_listed, listing_frame, years_due
from registry.sample.outside import draw_accidents, draw_outside
from registry.sample.papers import draw_certificates, draw_licences
from registry.sample.penalties import draw_penalties, serious_listings
from registry.sample.relations import NO_REGISTRY, draw_relations
from registry.sample.reports import draw_reports
from registry.sample.shape import KINDS, Shape, in_proportion, load_shape
from registry.sample.world import EPOCH, Drawn, World, entity_frame, populate, revoke

Size = Literal["town", "city"] | int
SIZES = ("town", "city")
SEED = 20160101

# Kind of record, prefix of the divisions, first day, last day (None: still connected).
Feed = tuple[str, str, date, date | None]


@dataclass(frozen=True, slots=True)
class Sample:
    """A synthetic district. ``entity`` in a record or in ``truth`` is the row number in ``entities``.

    entities : code, name, kind, status, industry, division, office, address, established, capital_fen, term_ends
    records : kind → frame of `registry.sample.frames.RECORD_SCHEMA`, oldest first
    coverage : which feed was connected where and when
    truth : entity, type, probability (planted chance that the next routine check finds a violation) and bayes (the best
        score that an observer of entities and records can have); never to be loaded into the registry
    """

    entities: pl.DataFrame
    records: dict[str, pl.DataFrame]
    coverage: list[Feed]
    truth: pl.DataFrame
    latent_sha256: str


def generate(
    size: Size = "town",
    *,
    today: date,
    seed: int = SEED,
    density: float = 1,
    latent: Latent | None = None,
    key: bytes = NO_REGISTRY,
    shape: Shape | None = None,
) -> Sample:
    """Make a district as it stands on ``today``. The same arguments give the same frames, byte for byte.

    Parameters
    ----------
    size : "city" has exactly the entities and records of the 2016 report, "town" 12,000 entities in the same
        proportions; a number is that many entities
    density : multiple of the records; docs/sample.md says which kinds grow how. At 8 there are about 25 for each entity
    latent : the planted risk; default latent.toml
    key : of the hashes by which invented persons are told apart; whoever loads the frames gives the registry's own
    shape : how many of what, where and when; default shape.toml

    Raises
    ------
    ValueError
        If size, seed or density is out of range; the message says which and what is allowed.
    """
    shape = shape or load_shape()
    total = _entities(shape, size)
    if seed < 0:
        raise ValueError(f"The seed {seed} is negative. Give 0 or a greater whole number.")
    highest = shape.table["density"]["highest"]
    if not 0 < density <= highest:
        raise ValueError(f"The density {density} is out of range. Give more than 0 and at most {highest}.")
    latent = latent or load_latent()

    def streams(part: str) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(part.encode()),)))

    counts = {name: _scaled(shape, name, total) for name in shape.counts}
    world = populate(shape, latent, in_proportion(total, tuple(shape.counts[kind] for kind in KINDS)), today, streams)
    world, evidence = revoke(world, counts["revoked"], streams("revoked"))
    listed, said = draw_listed(world, counts["listed"], streams)
    years = max(1, round(shape.table["reports"]["years"] * density))
    reports = draw_reports(world, listed, years_due(shape, world.today, years), streams)
    penalties = draw_penalties(world, round(counts["penalty"] * density), streams)
    checks = draw_checks(world, round(counts["spot_check"] * density), streams)
    records = {
        "penalty": finished(penalties.frame),
        "abnormal_listing": listing_frame(world, listed, max(density - 1.0, 0.0), streams),
        "serious_listing": serious_listings(
            world, penalties.frame, round(counts["serious_listing"] * density), streams
        ),
        "spot_check": checks.frame,
    }
    complaints, cases, asked = split(round(counts["item_12315"] * density), shape.table["items"]["shares"])
    if density > 1:
        # Reports cannot grow without end: consultations, which count for nothing, make up the number.
        recent = reports.frame.filter(pl.col("code").is_in(years_due(shape, world.today, years)[-3:]))
        single = len(recent) + sum(counts[name] for name in ("penalty", "listed", "spot_check", "item_12315"))
        others = len(reports.frame) + complaints + cases + sum(map(len, records.values()))
        asked = max(asked, round(single * density) - others)
    items = draw_items(world, complaints, cases, asked, streams)
    records |= {"item_12315": items.frame, "annual_report": reports.frame}
    evidence = evidence + said + reports.evidence + penalties.evidence + checks.evidence + items.evidence
    entities = entity_frame(world, streams)
    for kind, drawn in _further(world, entities, listed.entity, counts, density, key, streams):
        records[kind] = drawn.frame
        evidence = evidence + drawn.evidence
    return Sample(
        entities=entities,
        records=records,
        coverage=_coverage(shape, world, records, today),
        truth=_truth(world, evidence),
        latent_sha256=latent.sha256,
    )


def _further(
    world: World, entities: pl.DataFrame, listed: Ints, counts: dict[str, int], density: float, key: bytes, streams: Streams
) -> Iterator[tuple[str, Drawn]]:  # fmt: skip
    """The kinds of record beside those of the report, each from streams of its own.

    What happens grows with the density. What stands does not: nobody has the licence of his trade twice.
    """

    def grown(name: str) -> int:
        return round(counts[name] * density)

    yield "licence", draw_licences(world, counts["licence"], streams)
    yield "product_sampling", draw_sampling(world, grown("product_sampling"), streams)
    yield "registration_change", draw_changes(world, entities, grown("registration_change"), streams)
    yield "certification", draw_certificates(world, counts["certification"], streams)
    yield "standard_declared", draw_standards(world, counts["standard_declared"], streams)
    yield "recall", draw_recalls(world, grown("recall"), streams)
    yield "award", draw_awards(world, counts["award"], streams)
    yield "satisfaction_survey", draw_surveys(world, grown("satisfaction_survey"), streams)
    bad, good = grown("outside_list"), grown("good_list")
    yield "outside_list", draw_outside(world, bad, good, counts["tax_grade"], streams)
    yield "accident", draw_accidents(world, grown("accident"), streams)
    yield "relation", draw_relations(world, entities, listed, counts["relation"], key, streams)


def draw_outcomes(sample: Sample, *, seed: int) -> Flags:
    """What the next routine check of every entity finds: True for a violation, one place per row of ``truth``."""
    chance = sample.truth["probability"].to_numpy()
    return np.random.default_rng(np.random.SeedSequence(seed)).random(len(chance)) < chance


def _entities(shape: Shape, size: Size) -> int:
    if isinstance(size, str):
        if size not in shape.sizes:
            known = ", ".join(shape.sizes)
            raise ValueError(f"There is no size {size!r}. Give one of {known}, or a number of entities.")
        return shape.sizes[size]
    if size < 1:
        raise ValueError(f"A district of {size} entities cannot be made. Give 1 or more.")
    return size


def _scaled(shape: Shape, name: str, total: int) -> int:
    return round(shape.counts[name] * total / shape.sizes["city"])


def _coverage(shape: Shape, world: World, records: dict[str, pl.DataFrame], today: date) -> list[Feed]:
    """Every feed from the first day of its window, or its oldest record if that is earlier, until further notice."""
    prefix = shape.table["place"]["prefix"]
    registered = EPOCH + timedelta(days=int(world.established.min()))
    feeds: list[Feed] = [("registration", prefix, registered, None)]
    windows = {"abnormal_listing": "listing", "serious_listing": "penalty", "annual_report": "listing"}
    for kind, frame in records.items():
        start = today - timedelta(days=shape.windows[windows.get(kind, kind)].reach)
        oldest = frame["happened_on"].min()
        feeds.append((kind, prefix, min(start, oldest) if isinstance(oldest, date) else start, None))
    return feeds


def _truth(world: World, evidence: Floats) -> pl.DataFrame:
    own = np.take_along_axis(world.chance, world.type[:, None], axis=1)[:, 0]
    return pl.DataFrame(
        {
            "entity": pl.int_range(len(world), dtype=pl.Int32, eager=True),
            "type": pl.Series(world.latent.types).gather(world.type),
            "probability": own,
            "bayes": best_score(world.prior, evidence, world.chance),
        }
    )
