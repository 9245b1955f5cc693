"""The tables that models are made from: units and frozen features out of the ledger, in ranges of entity ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from registry import clock, parameters
from registry.database import execute, read_frame
from registry.errors import RegistryError
from registry.services import context, frames, given
from rules.engine import facts_needed, reads_context
from rules.given import NOTHING, Given
from rules.model.areas import RATES, USUAL, area_rates
from rules.model.units import CHECK, DETAIL, Outcome, Period, UnitRule, quarters, units, visits, with_features
from rules.scheme import Scheme

if TYPE_CHECKING:
    from rules.model.bundle import Window

# Features of a first quarter would rest on no history: where there is enough, this much is read before the first cut-off.
LEAD = timedelta(days=365)
ENOUGH = 8
# Training, calibration and hold-out: at least so many quarters, so that each has one and training two.
FEWEST = 4
MOST_APART = 4
# Entities whose features are read on several days to find those that never change.
MOST_AGED = 2_000
PARTS = ("train", "calibrate", "test")
IN_WORDS = {"train": "训练期 training", "calibrate": "校准期 calibration", "test": "保留期 hold-out"}

Progress = Callable[[int, int], None]


class NotEnough(RegistryError):
    """Too few visits, or too few failures among them, to train or to judge a model."""

    code = "not_enough_to_train"
    status = 422


def window_of(first: date, until: date) -> Window:
    """Whole quarters from that of `first` to the one before that of `until`, split in time: the last quarter of them is the
    hold-out, a sixth before it calibrates, the rest trains; hold-out and calibration have at most four quarters each.

    Raises NotEnough with fewer than four whole quarters.
    """
    from rules.model.bundle import Window

    end = date(until.year, 3 * ((until.month - 1) // 3) + 1, 1)
    found = quarters(first, end) if first < end else []
    if len(found) < FEWEST:
        raise NotEnough(
            f"From {first} until {end} there are {len(found)} whole quarters; training, calibration and hold-out need {FEWEST}. Give an "
            "earlier --from, or wait until more checks are on record."
        )
    test = min(MOST_APART, max(1, len(found) // 4))
    calibrate = min(MOST_APART, max(1, len(found) // 6))
    at = len(found) - test
    edges = (found[0][0], found[at - calibrate][0], found[at][0], found[-1][1])
    return Window(edges[0], edges[1], edges[1], edges[2], edges[2], edges[3])


def default_span(known: int, today: date) -> tuple[date, date]:
    """From the first check on record (a year later, where that leaves enough quarters) until the quarter of today.

    Raises NotEnough where no check is on record.
    """
    found = execute(
        "SELECT min(day) FROM fact WHERE kind = ? AND known <= ? AND (gone IS NULL OR gone > ?)", (DETAIL, known, known)
    ).fetchone()[0]
    if found is None:
        raise NotEnough(
            "No check 抽查检查 is on record, and a model learns from checks. Import them (kind spot_check), or load the sample."
        )
    start = clock.day_of(found)
    later = start + LEAD
    return (later if later < today and len(quarters(later, today)) > ENOUGH else start), today


def periods_of(window: Window, *parts: str) -> list[Period]:
    """The quarters of these parts (`train`, `calibrate`, `test`) of a window."""
    return [
        period
        for part in parts
        for period in quarters(
            clock.day_of(getattr(window, f"{part}_from")), clock.day_of(getattr(window, f"{part}_until"))
        )
    ]


def table(
    scheme: Scheme,
    *,
    outcome: Outcome,
    rule: UnitRule,
    periods: Sequence[Period],
    known: int,
    range_size: int,
    withheld: int | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """The units of some periods with the features of the day before each period, as far as was known at `known`.

    Entities that are cancelled by now are among them: they were visited. Where the scheme reads a context, it is the one that
    was in force on that day. The memory of one range of entity ids, and of the rows found. With `withheld` every fact from so
    many days before the freeze day on is taken away first (0: from the freeze day on), for the leak checks.

    Returns
    -------
    DataFrame sorted by visit, then record: `entity`, `day`, `visit`, `seq`, `y`, `weight`, `period`
    (:func:`rules.model.units.units`), and one Int64 column for each indicator of the scheme
    """
    highest = int(execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0])
    coverage = frames.coverage(known)
    kinds = facts_needed(scheme) | {DETAIL}
    areas = _areas(scheme, periods, known, range_size, withheld or 0)
    found: list[pl.DataFrame] = []
    for first in range(1, highest + 1, range_size):
        last = min(first + range_size - 1, highest)
        facts = frames.facts_in(first, last, kinds, known)
        who = _registered(first, last, known).filter(pl.col("subject").is_in(scheme.subjects))
        chosen = units(facts, outcome, rule, periods).join(who.select("entity"), on="entity", how="semi")
        for days, beside in _contexts(scheme, periods, first, last, known, apart=withheld is not None or bool(areas)):
            part = chosen.filter(pl.col("day").is_in(days))
            seen = facts if withheld is None else facts.filter(pl.col("day") < days[0] - withheld)
            if part.height:
                found.append(with_features(part, who, seen, coverage, scheme, _with_area(beside, areas.get(days[0]))))
        if progress is not None:
            progress(last, highest)
    if not found:
        return with_features(units(_no_facts(), outcome, rule, periods), _nobody(), _no_facts(), coverage, scheme)
    return pl.concat(found).sort("visit", "seq", "entity")


def aged(scheme: Scheme, made: pl.DataFrame, periods: Sequence[Period], known: int) -> pl.DataFrame:
    """Features of some of the entities of a table on the first, the middle and the last freeze day, whenever they were visited:
    what never changes among so many is a value of the day on which the data were taken. Without a context.

    Returns
    -------
    DataFrame: `entity`, `day`, `period`, and the features
    """
    entities = made["entity"].unique().sort()
    chosen = entities.gather_every(max(1, entities.len() // MOST_AGED)).head(MOST_AGED)
    days = sorted({periods[place][0] for place in (0, len(periods) // 2, -1)})
    asked = pl.DataFrame({"entity": chosen}).join(pl.DataFrame({"day": pl.Series(days, dtype=pl.Int32)}), how="cross")
    listed = chosen.to_list()
    who = _registered(min(listed, default=1), max(listed, default=0), known).join(
        asked.select("entity").unique(), on="entity", how="semi"
    )
    facts = frames.facts_of(listed, facts_needed(scheme), known)
    return with_features(asked.with_columns(period=pl.col("day")), who, facts, frames.coverage(known), scheme)


def _areas(
    scheme: Scheme, periods: Sequence[Period], known: int, range_size: int, withheld: int
) -> dict[int, pl.DataFrame]:
    """The rates of every division as a context of each freeze day would hold them; nothing where the scheme reads none.

    Contexts are built since the registry is at work, and its checks may be older: these follow from checks alone, so that
    what was before the first context is learnt from as what comes after it.
    """
    if not any(one.measure == "area" for one in scheme.indicators.values()):
        return {}
    details = pl.concat([_no_facts(), *_details(known, range_size)])
    divisions = read_frame("SELECT id, division FROM entity", (), {"entity": pl.Int64, "division": pl.String})
    weight = parameters.shipped("context")["weight_checks"].on(clock.day_of(max(start for start, _ in periods))).value
    return {start: area_rates(details, divisions, start - withheld, weight=weight) for start, _ in periods}


def _with_area(beside: Given, rates: pl.DataFrame | None) -> Given:
    if rates is None:
        return beside
    own = [*RATES, *USUAL]
    others = beside.norms.filter(~pl.col("name").is_in(own))
    names = beside.names.difference(own) | set(rates["name"].unique())
    return replace(beside, norms=pl.concat([others, rates]), names=frozenset(names))


def _details(known: int, range_size: int) -> Iterator[pl.DataFrame]:
    highest = int(execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0])
    for first in range(1, highest + 1, range_size):
        yield frames.facts_in(first, min(first + range_size - 1, highest), {CHECK, DETAIL}, known)


def all_visits(known: int, range_size: int) -> pl.DataFrame:
    """Every visit on record: a frame of :func:`rules.model.units.visits`."""
    return pl.concat([visits(_no_facts()), *map(visits, _details(known, range_size))])


def _contexts(
    scheme: Scheme, periods: Sequence[Period], first: int, last: int, known: int, *, apart: bool
) -> list[tuple[list[int], Given]]:
    """Freeze days, and what stood beside the facts then: one group where the scheme reads no context, or one for each day."""
    days = sorted(start for start, _ in periods)
    if not days or not reads_context(scheme):
        return [([day], NOTHING) for day in days] if apart else [(days, NOTHING)]
    in_force = {day: context.in_force(day - 1, known) for day in days}
    grouped = groupby(days, key=lambda day: (getattr(in_force[day], "id", 0), day if apart else 0))
    return [
        (group, given.within(scheme, first, last, known=known, day=group[0] - 1))
        for group in (list(days) for _, days in grouped)
    ]


def _registered(first: int, last: int, known: int) -> pl.DataFrame:
    sql = (
        "SELECT id, kind, division FROM entity WHERE id BETWEEN ? AND ? AND registered_seq IS NOT NULL AND registered_seq <= ? "  # noqa: S608
        f"AND {frames.ITSELF} ORDER BY id"
    )
    return read_frame(sql, (first, last, known, known, known), frames.POPULATION)


def _no_facts() -> pl.DataFrame:
    return pl.DataFrame(schema=frames.FACTS)


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema=frames.POPULATION)


def check(made: pl.DataFrame, window: Window, *, least_rows: int, least_positives: int, today: date) -> None:
    """Refuse a table from which nothing can be learnt or shown, with the numbers. `least_…` hold for the training period; the
    other two have their own (`registry/parameters/model_operations.toml`). Raises NotEnough."""
    shipped = parameters.shipped("model_operations")
    apart = shipped["period_rows"].on(today).value, shipped["period_positives"].on(today).value
    lines = []
    for part in PARTS:
        rows = within(made, window, part)
        positives = int(rows["y"].sum())
        need = (least_rows, least_positives) if part == "train" else apart
        if rows.height < need[0] or min(positives, rows.height - positives) < need[1]:
            lines.append(
                f"{IN_WORDS[part]} {clock.day_of(getattr(window, f'{part}_from'))} until {clock.day_of(getattr(window, f'{part}_until'))}: "
                f"{rows.height:,} visits, {positives:,} of them with a failure; needed are {need[0]:,} visits, {need[1]:,} with a failure "
                f"and {need[1]:,} without"
            )
    if lines:
        raise NotEnough(
            f"There is too little to learn from: {'; '.join(lines)}. Give a longer span (--from, --until), or wait for more checks: rules "
            "stay 维持规则."
        )


def within(made: pl.DataFrame, window: Window, part: str) -> pl.DataFrame:
    """The rows of a table whose period lies in a part of a window."""
    return made.filter(
        pl.col("period").is_between(getattr(window, f"{part}_from"), getattr(window, f"{part}_until") - 1)
    )


def overdue(made: pl.DataFrame, seen: pl.DataFrame) -> pl.Series:
    """Days from the last visit before each unit's freeze day until that day; who was never visited stands above all.

    `seen` as :func:`all_visits` gives them.
    """
    return _before(made, seen).select((pl.col("before") + 1 - pl.col("last").fill_null(0)).alias("overdue")).to_series()


def visits_before(made: pl.DataFrame, seen: pl.DataFrame) -> pl.Series:
    """How many visits lie before each unit's freeze day. `seen` as :func:`all_visits` gives them."""
    return _before(made, seen).select(pl.col("number").fill_null(0).cast(pl.Int64)).to_series()


def _before(made: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Beside each unit the last visit before its freeze day, `last`, and its number among those of the entity."""
    visit = seen.select("entity", pl.col("visit").alias("last"), number=pl.col("earlier") + 1).sort("last")
    asked = made.select("entity", before=pl.col("day") - 1).with_row_index("row").sort("before")
    return asked.join_asof(visit, left_on="before", right_on="last", by="entity", check_sortedness=False).sort("row")
