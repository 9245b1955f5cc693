"""How often checks of a division found something, before a day: part of the frozen context, in training as in use.

Divisions with few checks are shrunk to the rate of all, as if that had been seen in so many checks more.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rules.given import NORMS
from rules.model.units import silent, visits

# Name → (days before the day of the context, least severity of a problem).
RATES: Mapping[str, tuple[int, int]] = {
    "area_problems_120d": (120, 2),
    "area_problems_1y": (365, 2),
    "area_serious_120d": (120, 3),
    "area_serious_1y": (365, 3),
}
# Name → what of :func:`rules.model.units.visits` is summed, over `USUAL_DAYS` before the day of the context.
USUAL: Mapping[str, pl.Expr] = {
    "usual_serious": pl.col("found_3"),
    "usual_problems": pl.col("found_2") - pl.col("found_3"),
    "usual_minor": pl.col("found_1") - pl.col("found_2"),
    # One for a minor problem, two for a problem, three for a serious one.
    "usual_harm": pl.col("found_1") + pl.col("found_2") + pl.col("found_3"),
    "usual_serious_visits": (pl.col("found_3") > 0).cast(pl.Int64),
}
USUAL_DAYS = 730
_HIGHEST = 999_999  # the last code of GB/T 2260


def area_rates(facts: pl.DataFrame, divisions: pl.DataFrame, day: int, *, weight: int) -> pl.DataFrame:
    """The rates of every division of which a check is known, and of all others that of everybody.

    Parameters
    ----------
    facts : frame as docs/architecture.md describes it; only checks before ``day`` count, and of these only those that could find something
    divisions : ``entity`` Int64 and ``division`` String of everybody who was checked
    day : days since 1970-01-01; the day of the context
    weight : checks that the rate of all counts for, at least 0

    Returns
    -------
    DataFrame of `rules.given.NORMS`
        Thousandths, rounded down, in ranges of division codes without gap or overlap; nothing for a name without any check.
    """
    met = visits(facts).filter(pl.col("visit") < day).join(silent(facts), on=("entity", "visit"), how="anti")
    made = met.join(divisions, on="entity", how="left")
    made = made.with_columns(code=pl.col("division").cast(pl.Int32, strict=False).fill_null(0))
    parts = [pl.DataFrame(schema=dict(NORMS))]
    for name, (days, severity) in RATES.items():
        seen = made.filter(pl.col("visit") >= day - days)
        if seen.height:
            parts.append(_ranges(name, seen.select("code", failed=pl.col(f"found_{severity}") > 0), weight))
    of_late = made.filter(pl.col("visit") >= day - USUAL_DAYS)
    if of_late.height:
        sums = of_late.select(**USUAL).sum().row(0)
        rows = [
            (name, 0, _HIGHEST, 1000 * int(total) // of_late.height) for name, total in zip(USUAL, sums, strict=True)
        ]
        parts.append(pl.DataFrame(rows, schema=dict(NORMS), orient="row"))
    return pl.concat(parts)


def _ranges(name: str, seen: pl.DataFrame, weight: int) -> pl.DataFrame:
    everyone = 1000 * int(seen["failed"].sum()) // seen.height
    by_code = seen.filter(pl.col("code") > 0).group_by("code").agg(
        events=pl.col("failed").sum().cast(pl.Int64), units=pl.len().cast(pl.Int64)
    ).sort("code")  # fmt: skip
    rows: list[tuple[str, int, int, int]] = []
    following = 0
    for code, events, units in by_code.iter_rows():
        if code > following:
            rows.append((name, following, code - 1, everyone))
        rows.append((name, code, code, (1000 * events + weight * everyone) // (units + weight)))
        following = code + 1
    rows.append((name, following, _HIGHEST, everyone))
    return pl.DataFrame(rows, schema=dict(NORMS), orient="row")
