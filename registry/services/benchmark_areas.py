"""Where the entities of a benchmark are, as made-up divisions: a district of four digits and a block of six, in province 99.

A number says who is near whom and nothing else. It is a key of groups, never a feature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from registry.services.benchmark_form import Area

# A province number that no real place has, as that of the synthetic district.
PROVINCE = "99"
# Of more areas the smallest share one number.
MOST = 98
COLUMNS = ("district", "block", "street", "latitude", "longitude", "address")
NOWHERE = pl.DataFrame(schema={"entity": pl.String, "division": pl.String, "address": pl.String})
# East and west a degree is shorter than north and south; at the latitudes of most cities by about this much.
_SHORTER = 0.75
# Words at the end of a street's name that one file writes and the other leaves out.
_STREET = re.compile(
    r" (?:AVE?|AVENUE|ST|STREET|RD|ROAD|BLVD|BOULEVARD|DR|DRIVE|PL|PLACE|CT|COURT|LN|LANE|PKWY|HWY|TER|WAY|SQ|路|街|道)$"
)
_NUMBER = r"^[0-9#()\- ]+[A-Z]? "


def folded(addresses: pl.Series) -> pl.Series:
    """Addresses as they are compared: upper case, before the first comma, without the word for street at the end."""
    plain = addresses.str.to_uppercase().str.split(",").list.first().str.replace_all(r"[\s.]+", " ").str.strip_chars()
    return plain.str.replace(_STREET.pattern, "")


def placed(entity: pl.Series, given: Mapping[str, pl.Series], area: Area) -> pl.DataFrame:
    """`entity`, `division` and folded `address` (null: unknown), one row for each entity: what its first row says.

    ``given`` are the columns that the mapping names, as texts, beside ``entity``.
    """
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(entity))
    address = folded(given["address"]) if "address" in given else nothing
    if "latitude" in given:
        north, east = (given[name].cast(pl.Float64, strict=False) for name in ("latitude", "longitude"))
        district = _cells(north, east, area.district_degrees)
        block = _cells(north, east, area.block_degrees) if area.block_degrees else nothing
    else:
        district = given.get("district", nothing)
        block = given.get("block", nothing)
        if "street" in given:
            block = folded(given["street"]).str.replace(_NUMBER, "")
    rows = pl.DataFrame({"entity": entity, "district": district, "block": block, "address": address})
    first = rows.drop_nulls("entity").group_by("entity", maintain_order=True).agg(pl.all().drop_nulls().first())
    numbered = first.with_columns(_numbers(["district"], "district")).with_columns(
        _numbers(["district", "block"], "block")
    )
    return numbered.select("entity", pl.concat_str(pl.lit(PROVINCE), "district", "block").alias("division"), "address")


def _cells(north: pl.Series, east: pl.Series, size: float) -> pl.Series:
    """The cell of each place, as text; null without coordinates (or at 0, 0, where nobody is)."""
    here = north.is_not_null() & east.is_not_null() & ((north != 0) | (east != 0))
    frame = pl.DataFrame({"north": north, "east": east, "here": here})
    cell = pl.concat_str(
        (pl.col("north") / size).floor().cast(pl.Int64),
        pl.lit(" "),
        (pl.col("east") * _SHORTER / size).floor().cast(pl.Int64),
    )
    return frame.select(pl.when("here").then(cell).alias("cell"))["cell"]


def _numbers(within: list[str], name: str) -> pl.Expr:
    """Two digits for each area inside the one around it: 01 for the one with most entities, 00 where it is not known."""
    above = within[:-1]
    size = pl.len().over(within)
    # The name settles who comes first of two of one size.
    rank = pl.struct(-size.cast(pl.Int64), pl.col(name)).rank("dense")
    place = rank.over(above) if above else rank
    known = pl.when(pl.col(name).is_not_null()).then(pl.min_horizontal(place, pl.lit(MOST + 1))).otherwise(0)
    return known.cast(pl.String).str.zfill(2).alias(name)
