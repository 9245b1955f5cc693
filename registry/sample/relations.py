"""Relations 关联关系: who represents an enterprise, and its shareholders, investments and branches.

Bad company is planted so that the best score stays exact: with whom somebody ties himself depends on his own type and on
what can be *seen* of the other side, that it stands on the abnormal list or lost its licence. Nobody's type depends on
another's. A natural person is a number of paper that nobody can have, and only its keyed hash leaves this module.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from registry.cells.personal import keyed_hash
from registry.kinds.relation import TYPES
from registry.kinds.terms import person_number
from registry.sample.frames import facts, finished, json_object, quoted, with_organ
from registry.sample.latent import Flags, Floats, Ints, Streams
from registry.sample.shape import in_proportion
from registry.sample.world import NEVER, Drawn, World, choose, counted, day_series, draw_flags, events, gathered

TIES = ("shareholder", "investment", "branch")
# Of frames that no registry will load. A registry's own key comes from its key file.
NO_REGISTRY = b"xinheng/sample: the key of no registry"
# Relations of one type that begin at an enterprise's foundation, most of them; the others at any time since.
_FROM_THE_START = 0.75


@dataclass(frozen=True)
class _Pools:
    """Enterprises that may stand at the other side: those in order, and those that are listed or revoked."""

    sound: Ints
    troubled: Ints

    @property
    def both(self) -> bool:
        """Whether there is a choice; without one the choice tells nothing."""
        return len(self.sound) > 1 and len(self.troubled) > 1


def paper(person: int) -> str:
    """The number of an invented person's paper: in the form of an identity number, of a division that does not exist."""
    born = date(1960, 1, 1) + timedelta(days=person // 1_000)
    return f"990199{born:%Y%m%d}{person % 1_000:03d}0"


def person_hashes(persons: npt.NDArray[np.int64], key: bytes) -> pl.Series:
    """Keyed hashes of invented persons, as the kind `relation` makes them of their papers; 64 hexadecimal digits each."""
    known, place = np.unique(persons, return_inverse=True)
    hashes = [keyed_hash(person_number(paper(person)) or "", key) for person in known.tolist()]
    return pl.Series(hashes, dtype=pl.String).gather(place)


def draw_relations(
    world: World, entities: pl.DataFrame, listed: Ints, count: int, key: bytes, streams: Streams
) -> Drawn:
    """Exactly ``count`` relations (fewer only where there are not so many enterprises).

    Parameters
    ----------
    listed : enterprises that stand or stood on the abnormal list
    key : of the hashes by which persons are told apart
    """
    about = world.shape.table["relations"]
    represented, *ties = in_proportion(count, tuple(about[name] for name in ("legal_representative", *TIES)))
    seen_bad = world.status != 1
    seen_bad[listed] = True
    people = _represented(world, seen_bad, represented, key, streams)
    others = _tied(world, entities, seen_bad, tuple(ties), streams)
    frame = pl.concat([people.frame, others.frame]).sort("happened_on", "entity", maintain_order=True)
    return Drawn(frame, people.evidence + others.evidence)


def _pools(able: Flags, seen_bad: Flags) -> _Pools:
    return _Pools(np.nonzero(able & ~seen_bad)[0], np.nonzero(able & seen_bad)[0])


def _represented(world: World, seen_bad: Flags, count: int, key: bytes, streams: Streams) -> Drawn:
    """Legal representatives 法定代表人: each his own, but some of the young share one with an older enterprise.

    Only the young join and only the old are joined, so that the records show who joined whom.
    """
    rng, latent = streams("legal_representative"), world.latent
    entity = np.sort(rng.permutation(np.nonzero(world.is_enterprise)[0])[:count])
    on_record = np.zeros(len(world), dtype=bool)
    on_record[entity] = True
    young = world.traits.age < world.shape.table["relations"]["young"]
    pools = _pools(on_record & ~young, seen_bad)
    person = np.arange(len(world))
    evidence = np.zeros_like(world.prior)
    if pools.both:
        joining = np.nonzero(on_record & young)[0]
        joined, said = draw_flags(rng, latent.by_type("relation", "joined"), world.type[joining])
        evidence += gathered(joining, said, len(world))
        joining = joining[joined]
        person[joining], said = _other_side(world, rng, joining, pools)
        evidence += gathered(joining, said, len(world))
    size, since = len(entity), world.established[entity]
    later = since + (rng.random(size) * (world.today - since)).astype(np.int64)
    begins = np.where(rng.random(size) < _FROM_THE_START, since, later)
    frame = facts(
        entity,
        begins,
        np.full(size, TYPES.terms["legal_representative"].number),
        np.zeros(size, np.int64),
        person_hash=person_hashes(person[entity], key),
    )
    detail = json_object(
        type=quoted("legal_representative"),
        person_hash=quoted(pl.col("person_hash")),
        valid_from=quoted(pl.col("happened_on")),
    )
    return Drawn(_told(frame, world, detail), evidence)


def _tied(world: World, entities: pl.DataFrame, seen_bad: Flags, counts: tuple[int, ...], streams: Streams) -> Drawn:
    """Shareholders, investments and branches, each with an enterprise of the district at the other side."""
    rng, latent, about = streams("ties"), world.latent, world.shape.table["relations"]
    pools = _pools(world.is_enterprise, seen_bad)
    many = world.is_enterprise.sum() > 1
    weight = world.is_enterprise * np.where(world.capital_fen > 0, 1.0, 0.3) * many
    rate = latent.by_type("relation", "ties")
    entity, expected = events(rng, weight, rate, world.type, sum(counts))
    evidence = counted(entity, len(world))[:, None] * np.log(rate) - expected
    if pools.both:
        other, said = _other_side(world, rng, entity, pools)
        evidence += gathered(entity, said, len(world))
    else:
        everyone = np.nonzero(world.is_enterprise)[0]
        other = _not_itself(entity, everyone, rng.integers(0, max(len(everyone), 1), len(entity)))
    size = len(entity)
    sort = rng.permutation(np.repeat(np.arange(len(TIES)), counts))[:size]
    since = np.maximum(world.established[entity], world.established[other])
    again = _times_before(entity, other, sort)
    begins = since + ((rng.random(size) * (world.today - since)).astype(np.int64) + again) % (world.today - since)
    ended = rng.random(size) < about["ended"]
    last = begins + (rng.random(size) * (world.today - begins)).astype(np.int64)
    table = np.array(about["shares"])
    share = np.where(sort < 2, table[choose(rng, table[:, 1].astype(np.float64), size), 0], 0)
    frame = facts(
        entity,
        begins,
        np.array([TYPES.terms[name].number for name in TIES])[sort],
        np.zeros(size, np.int64),
        ends=np.where(ended, last + 1, NEVER),
        amount_fen=share * 100,
        sort=pl.Series(TIES).gather(sort),
        other_code=entities["code"].gather(other),
        other_name=entities["name"].gather(other),
        share=share,
        last=day_series(np.where(ended, last, NEVER)),
    )
    # The same tie of the same day is one record, not two.
    frame = frame.unique(["entity", "sort", "other_code", "happened_on"], keep="first", maintain_order=True)
    detail = json_object(
        type=quoted(pl.col("sort")),
        other_code=quoted(pl.col("other_code")),
        other_name=quoted(pl.col("other_name")),
        share=pl.when(pl.col("share") > 0).then(quoted(pl.col("share"), ".00")),
        valid_from=quoted(pl.col("happened_on")),
        valid_to=quoted(pl.col("last")),
    )
    return Drawn(_told(frame, world, detail), evidence)


def _told(frame: pl.DataFrame, world: World, detail: pl.Expr) -> pl.DataFrame:
    numbered = with_organ(frame, world).with_columns(document_no=pl.lit(None, pl.String), detail_json=detail)
    return finished(numbered)


def _other_side(world: World, rng: np.random.Generator, entity: Ints, pools: _Pools) -> tuple[Ints, Floats]:
    """With whom each entity ties itself, never itself, and what the choice of the pool says about its type."""
    troubled, said = draw_flags(rng, world.latent.by_type("relation", "troubled"), world.type[entity])
    place = rng.random(len(entity))
    chosen = [_not_itself(entity, pool, (place * len(pool)).astype(np.int64)) for pool in (pools.sound, pools.troubled)]
    return np.where(troubled, chosen[1], chosen[0]), said


def _not_itself(entity: Ints, pool: Ints, place: Ints) -> Ints:
    """The enterprise at each place of a pool of two or more; its neighbour there where it would be the entity itself."""
    if len(entity) == 0:
        return entity
    return np.where(pool[place] == entity, pool[(place + 1) % len(pool)], pool[place])


def _times_before(entity: Ints, other: Ints, sort: Ints) -> Ints:
    """How many ties of the same kind between the same two come before each: shares are bought in several steps."""
    frame = pl.DataFrame({"entity": entity, "other": other, "sort": sort})
    before = frame.select(pl.int_range(pl.len()).over("entity", "other", "sort")).to_series()
    return before.to_numpy().astype(np.int64)
