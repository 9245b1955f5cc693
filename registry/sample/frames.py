"""Record frames: one schema for all kinds, organs, and document numbers in the order in which organs give them."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from registry.sample.latent import Flags, Ints
from registry.sample.world import NEVER, World, day_series

RECORD_SCHEMA: Mapping[str, pl.DataType] = {
    "entity": pl.Int32(),
    "happened_on": pl.Date(),
    "ends_on": pl.Date(),
    "code": pl.Int32(),
    "severity": pl.Int16(),
    "amount_fen": pl.Int64(),
    "document_no": pl.String(),
    "organ": pl.String(),
    "detail_json": pl.String(),
}


def facts(
    entity: Ints,
    happened: Ints,
    code: Ints,
    severity: Ints,
    *,
    ends: Ints | None = None,
    amount_fen: Ints | None = None,
    **further: Ints | Flags | pl.Series,
) -> pl.DataFrame:
    """The columns that grading reads, and whatever ``further`` the detail is made of; in order of day, then entity."""
    count = len(entity)
    columns: dict[str, pl.Series] = {
        "entity": pl.Series(entity, dtype=pl.Int32),
        "happened_on": day_series(happened),
        "ends_on": day_series(np.full(count, NEVER) if ends is None else ends),
        "code": pl.Series(code, dtype=pl.Int32),
        "severity": pl.Series(severity, dtype=pl.Int16),
        "amount_fen": pl.Series(np.zeros(count, np.int64) if amount_fen is None else amount_fen, dtype=pl.Int64),
    }
    columns |= {name: pl.Series(values) for name, values in further.items()}
    return pl.DataFrame(columns).sort("happened_on", "entity", maintain_order=True)


def finished(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of RECORD_SCHEMA in its order and types; what the detail was made of is left behind."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in RECORD_SCHEMA.items())


def organ_words(world: World) -> tuple[pl.Series, pl.Series]:
    """Names of the organs and their words in document numbers: the city bureau first, then one for each district."""
    city = world.shape.table["place"]["city"]
    districts = world.shape.districts
    names = [f"{city}市市场监督管理局", *(f"{city}市{row.name}市场监督管理局" for row in districts)]
    return pl.Series(names), pl.Series([f"{city}市监", *(f"{city}{row.short[0]}市监" for row in districts)])


def by_office(frame: pl.DataFrame, world: World, office: pl.Expr, word: pl.Expr) -> pl.DataFrame:
    """Add `organ` and `organ_word` of organs beside the bureaus: the entity's district, then ``office`` and ``word``."""
    city, districts = world.shape.table["place"]["city"], world.shape.districts
    place = world.division[frame["entity"].to_numpy()]
    heads = pl.Series("head", [f"{city}市{row.name}" for row in districts]).gather(place)
    shorts = pl.Series("short", [row.short[0] for row in districts]).gather(place)
    named = frame.with_columns(heads, shorts)
    return named.with_columns(organ=pl.concat_str("head", office), organ_word=pl.concat_str("short", word))


def with_organ(frame: pl.DataFrame, world: World, by_city: pl.Expr | None = None) -> pl.DataFrame:
    """Add `organ` and `organ_word`: the district's bureau, or the city's where ``by_city`` holds."""
    names, words = organ_words(world)
    district = pl.Series(world.division[frame["entity"].to_numpy()] + 1)
    chosen = pl.lit(district) if by_city is None else pl.when(by_city).then(0).otherwise(pl.lit(district))
    place = frame.select(place=chosen).to_series()
    return frame.with_columns(organ=names.gather(place), organ_word=words.gather(place))


def numbered(frame: pl.DataFrame, form: str, on: str = "happened_on") -> pl.DataFrame:
    """Add `document_no`: organ's word, year and running number into ``form``; each organ counts from 1 every year.

    The year is that of the day ``on``.
    """
    year = pl.col(on).dt.year()
    running = pl.int_range(1, pl.len() + 1).over("organ_word", year)
    return frame.with_columns(document_no=pl.format(form, "organ_word", year, running))


def quoted(*parts: str | pl.Expr) -> pl.Expr:
    """A JSON text of parts: columns by expression, words as they are. Ours hold neither quotes nor backslashes."""
    words = [pl.lit(part) if isinstance(part, str) else part.cast(pl.String) for part in parts]
    return pl.concat_str(pl.lit('"'), *words, pl.lit('"'))


def json_object(**fields: pl.Expr) -> pl.Expr:
    """A JSON object of fields in their order, each an expression of JSON; a field that is null is left out."""
    parts = [pl.concat_str(pl.lit(f'"{name}":'), value.cast(pl.String)) for name, value in fields.items()]
    return pl.concat_str(pl.lit("{"), pl.concat_str(parts, separator=",", ignore_nulls=True), pl.lit("}"))
