"""Registration changes 登记变更: most are everyday business, frequent ones of name, address and representative are not."""

import numpy as np
import polars as pl

from registry.kinds.registration_change import ITEMS, KEPT
from registry.sample.frames import facts, finished, json_object, numbered, quoted, with_organ
from registry.sample.latent import Streams
from registry.sample.names import FIRST, SECOND, addresses
from registry.sample.world import Drawn, World, draw_marks, gathered, occurrences

# In the order of the shares in latent.toml; capital twice, for more and for less of it.
CHANGED = (
    "name", "address", "legal_representative", "capital", "capital", "scope", "type", "shareholders", "officers", "contact",
)  # fmt: skip
MORE, LESS, SCOPE = 3, 4, CHANGED.index("scope")
_FORMS = ("商贸有限公司", "商行", "农业专业合作社")


def draw_changes(world: World, entities: pl.DataFrame, count: int, streams: Streams) -> Drawn:
    """Exactly ``count`` changes. Name, address and capital of ``entities`` are what they became; people are never named."""
    rng, part = streams("registration_change"), "registration_change"
    latent = world.latent
    kinds = np.array([world.shape.table["counted"][kind] for kind in ("enterprise", "individual", "cooperative")])
    entity, happened, evidence = occurrences(
        rng, world, part, kinds[world.traits.kind], latent.by_type(part, "rate"), count
    )
    chances = latent.by_type(part, "item")
    # Who has no capital on record changes something else.
    without = chances.copy()
    without[:, SCOPE] += without[:, MORE] + without[:, LESS]
    without[:, [MORE, LESS]] = 0.0
    capital = world.capital_fen[entity] // 100
    table = np.where((capital > 0)[:, None, None], chances, without)
    item, said = draw_marks(rng, table, world.type[entity])
    evidence += gathered(entity, said, len(world))
    size = len(entity)
    former = np.where(item == LESS, capital * rng.integers(2, 6, size), capital // 2)
    less = np.where(item == LESS, former - capital, 0)
    first, second = (pl.Series(list(words)).gather(rng.integers(0, len(words), size)) for words in (FIRST, SECOND))
    frame = facts(
        entity,
        happened,
        np.array([ITEMS.terms[name].number for name in CHANGED])[item],
        np.where(item == LESS, 2, np.array([ITEMS.terms[name].severity for name in CHANGED])[item]),
        amount_fen=less * 100,
        item=pl.Series(CHANGED).gather(item),
        capital=capital,
        former=former,
        first=first,
        second=second,
        form=pl.Series(_FORMS).gather(world.traits.kind[entity]),
        street=addresses(world.shape, world.division[entity], rng),
        name=entities["name"].gather(entity),
        address=entities["address"].gather(entity),
    )
    frame = numbered(with_organ(frame, world), "({})登记变字〔{}〕第{}号")
    city = world.shape.table["place"]["city"]
    what = pl.col("item")
    kept = what.is_in(sorted(KEPT))
    detail = json_object(
        item=quoted(what),
        item_text=pl.when(kept).then(quoted(what.replace_strict(_titles(), default="", return_dtype=pl.String), "变更")),
        before=pl.when(what == "name").then(quoted(city, pl.col("first"), pl.col("second"), pl.col("form")))
        .when(what == "address").then(quoted(pl.col("street")))
        .when(what == "capital").then(quoted(pl.col("former"), "元人民币")),
        after=pl.when(what == "name").then(quoted(pl.col("name")))
        .when(what == "address").then(quoted(pl.col("address")))
        .when(what == "capital").then(quoted(pl.col("capital"), "元人民币")),
        withheld=pl.when(~kept).then(pl.lit("true")),
    )  # fmt: skip
    return Drawn(finished(frame.with_columns(detail_json=detail)), evidence)


def _titles() -> dict[str, str]:
    return {name: ITEMS.terms[name].zh for name in sorted(KEPT)}
