"""Licences 行政许可 and certificates 认证: what holds from a day to a day, and was suspended, ended or withdrawn before."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from registry.kinds.certification import PROGRAMMES
from registry.kinds.licence import SUBJECTS
from registry.kinds.validity import STANDING
from registry.sample.frames import facts, finished, json_object, numbered, quoted, with_organ
from registry.sample.latent import Floats, Ints, Streams
from registry.sample.shape import KINDS, in_proportion
from registry.sample.world import (
    NEVER,
    Drawn,
    World,
    by_trade,
    counted,
    day_series,
    draw_marks,
    events,
    first_to_ring,
    gathered,
    seen,
    to_working_day,
)

STANDINGS = ("valid", "expired", "suspended", "ended", "withdrawn")
VALID, EXPIRED, SUSPENDED, ENDED, WITHDRAWN = range(5)
LICENCE_YEARS, CERTIFICATE_YEARS = 5, 3
# A paper that has run out was issued at least so many days before the oldest that still holds: no holiday blurs the two.
_CLEAR = 12
_COMMON = ("quality", "environment", "occupational_health")
_PROGRAMMES = {
    "food_making": ("food_safety", "haccp", "quality", "organic"),
    "making": (*_COMMON, "ccc"),
    "hazardous": (*_COMMON, "medical_device"),
    "office": ("quality", "information_security"),
}
# Certification bodies that do not exist, with the letters of their certificates.
BODIES = (("信衡质量认证有限公司", "XHRZ"), ("澜砚认证中心有限公司", "LYRZ"), ("缃湖检验认证有限公司", "XJRZ"))


@dataclass(frozen=True)
class _Validity:
    """How papers stand, one place per paper: days as everywhere, `mark` a place in STANDINGS."""

    mark: Ints
    issued: Ints
    last: Ints
    changed: Ints  # NEVER where it was not suspended, ended or withdrawn

    @property
    def day(self) -> Ints:
        return np.where(np.isin(self.mark, (SUSPENDED, WITHDRAWN)), self.changed, self.issued)

    @property
    def ends(self) -> Ints:
        return np.select([self.mark == ENDED, self.mark == WITHDRAWN], [self.changed, np.full(len(self.mark), NEVER)], self.last + 1)  # fmt: skip

    @property
    def severity(self) -> Ints:
        return np.array([STANDING.terms[name].severity for name in STANDINGS])[self.mark]


def draw_licences(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` licences (fewer only where nobody is left to hold one): at most one of a sort for each entity.

    The compliant hold the licence of their trade more often than the reckless, and lose it less often.
    """
    rng = streams("licence")
    sorts, evidence = world.shape.licences, np.zeros_like(world.prior)
    rate = world.latent.by_type("licence", "rate")
    holders: list[Ints] = []
    for sort, number in zip(sorts, in_proportion(count, tuple(sort.count for sort in sorts)), strict=True):
        groups = [world.latent.groups.index(group) for group in sort.groups]
        able = np.isin(world.traits.group, groups) & (world.traits.kind == KINDS.index(sort.kind))
        chosen, said = first_to_ring(rng, np.outer(able, rate), world.type, number)
        holders.append(chosen)
        evidence += said
    entity = np.concatenate(holders)
    which = np.repeat(np.arange(len(sorts)), [len(chosen) for chosen in holders])
    validity, said = _validity(world, rng, "licence", entity, LICENCE_YEARS)
    evidence += gathered(entity, said, len(world))
    frame = _frame(
        entity,
        validity,
        np.array([SUBJECTS.terms[sort.subject].number for sort in sorts])[which],
        subject=pl.Series([sort.subject for sort in sorts]).gather(which),
        certificate=pl.Series([sort.certificate for sort in sorts]).gather(which),
        prefix=pl.Series([sort.prefix for sort in sorts]).gather(which),
        digits=np.array([sort.digits for sort in sorts])[which],
        division=pl.Series([district.code for district in world.shape.districts]).gather(world.division[entity]),
    )
    frame = numbered(with_organ(frame, world), "{}许可〔{}〕{}号", "issued")
    running = pl.int_range(1, pl.len() + 1).over("prefix").cast(pl.String).str.zfill(pl.col("digits"))
    frame = frame.with_columns(licence_no=pl.concat_str("prefix", "division", running))
    detail = json_object(
        category=quoted("ordinary"),
        subject=quoted(pl.col("subject")),
        standing=quoted(pl.col("standing")),
        printed_no=quoted(pl.col("document_no")),
        certificate=quoted(pl.col("certificate")),
        licence_no=quoted(pl.col("licence_no")),
        decided_on=quoted(pl.col("issued")),
        valid_from=quoted(pl.col("issued")),
        valid_to=quoted(pl.col("last")),
        standing_on=quoted(pl.col("changed")),
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def draw_certificates(world: World, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` certificates, several for some; the orderly have more of them and keep them."""
    rng, part = streams("certification"), "certification"
    latent = world.latent
    weight = by_trade(world, "certified") * seen(world.shape.windows[part], world.age_days)
    rate = latent.by_type(part, "rate")
    entity, expected = events(rng, weight, rate, world.type, count)
    evidence = counted(entity, len(world))[:, None] * np.log(rate) - expected
    validity, said = _validity(world, rng, part, entity, CERTIFICATE_YEARS)
    evidence += gathered(entity, said, len(world))
    names = list(PROGRAMMES.terms)
    offered = [_PROGRAMMES.get(group, _COMMON) for group in latent.groups]
    table = np.array([[names.index(one[place % len(one)]) for place in range(12)] for one in offered])
    programme = table[world.traits.group[entity], rng.integers(0, 12, len(entity))]
    body = rng.integers(0, len(BODIES), len(entity))
    frame = _frame(
        entity,
        validity,
        np.array([term.number for term in PROGRAMMES.terms.values()])[programme],
        programme=pl.Series(names).gather(programme),
        organ=pl.Series([name for name, _ in BODIES]).gather(body),
        organ_word=pl.Series([word for _, word in BODIES]).gather(body),
    )
    frame = numbered(frame, "{}{}Q{}", "issued")
    detail = json_object(
        programme=quoted(pl.col("programme")),
        standing=quoted(pl.col("standing")),
        printed_no=quoted(pl.col("document_no")),
        body=quoted(pl.col("organ")),
        issued_on=quoted(pl.col("issued")),
        valid_from=quoted(pl.col("issued")),
        valid_to=quoted(pl.col("last")),
        standing_on=quoted(pl.col("changed")),
    )
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def _frame(entity: Ints, validity: _Validity, code: Ints, **further: Ints | pl.Series) -> pl.DataFrame:
    return facts(
        entity,
        validity.day,
        code,
        validity.severity,
        ends=validity.ends,
        amount_fen=np.zeros(len(entity), np.int64),
        standing=pl.Series(STANDINGS).gather(validity.mark),
        issued=day_series(validity.issued),
        last=day_series(validity.last),
        changed=day_series(validity.changed),
        **further,
    )


def _validity(world: World, rng: np.random.Generator, part: str, entity: Ints, years: int) -> tuple[_Validity, Floats]:
    """How papers of so many years stand, and what that says about the type of each holder: (papers, types).

    The second knot of the window is the age of the oldest paper that still holds.
    """
    window = world.shape.windows[part]
    holds, reach = int(window.days[1]), window.reach
    lived = world.age_days[entity] - 1
    chances = world.latent.by_type(part, "standing")
    # Whoever is too young for a paper that has run out has one that holds.
    young = chances.copy()
    young[:, VALID] += young[:, EXPIRED]
    young[:, EXPIRED] = 0.0
    table = np.where((lived >= holds + _CLEAR)[:, None, None], chances, young)
    mark, said = draw_marks(rng, table, world.type[entity])
    out = mark == EXPIRED
    low = np.where(out, holds + _CLEAR, 1)
    high = np.minimum(np.where(out, reach, holds), lived)
    ago = low + (rng.random(len(entity)) * (high - low + 1)).astype(np.int64)
    issued = np.maximum(to_working_day(world.today - ago), world.established[entity])
    last = day_series(issued).dt.offset_by(f"{years}y").to_physical().to_numpy().astype(np.int64) - 1
    changed = issued + 1 + (rng.random(len(entity)) * (world.today - issued)).astype(np.int64)
    return _Validity(mark, issued, last, np.where(mark >= SUSPENDED, changed, NEVER)), said
