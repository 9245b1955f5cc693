"""A sample as the frames that grading reads, without a database. Entity n of the sample has id n + 1."""

from typing import Any

import numpy as np
import polars as pl

from registry.clock import day_number
from registry.kinds import DERIVED, KINDS, NUMBERS
from registry.kinds.spot_check import PURPOSES
from registry.sample import Sample
from registry.sample.world import OPEN
from registry.services import frames

CHECK, DETAIL, ROUTINE = KINDS["spot_check"].number, NUMBERS["check_detail"], PURPOSES["routine"][0]
REPRESENTATIVE = 1
RELATED = ("related_abnormal", "related_serious", "related_revoked", "representative_revoked")


def details(checks: pl.DataFrame, inclusion: pl.Series | pl.Expr) -> list[pl.DataFrame]:
    """What checks project beside their own fact: the check itself with its inclusion (millionths, 0: none), and one problem where any was found."""
    beside = checks.with_columns(kind=pl.lit(DETAIL, pl.Int16), code=pl.lit(ROUTINE, pl.Int32))
    return [
        beside.with_columns(severity=pl.lit(0, pl.Int16), amount=inclusion),
        beside.filter(pl.col("severity") > 0).with_columns(amount=pl.lit(1, pl.Int64)),
    ]


def facts_of(sample: Sample, *, before: int) -> pl.DataFrame:
    """What the sample says, as facts; of its own spot checks those ``before`` the first month: after that the policy's count."""
    entity = pl.int_range(1, sample.entities.height + 1, dtype=pl.Int64).alias("entity")
    parts = [
        _typed(
            sample.entities.select(
                entity,
                kind=pl.lit(KINDS["registration"].number),
                code="industry",
                severity="status",
                amount=pl.col("capital_fen").fill_null(0),
                day="established",
                # The term is given by its last day.
                ends=pl.col("term_ends").dt.offset_by("1d"),
                seq=entity,
            )
        )
    ]
    last = sample.entities.height
    for kind, frame in sample.records.items():
        own = _typed(
            frame.select(
                pl.col("entity").cast(pl.Int64) + 1,
                kind=pl.lit(KINDS[kind].number),
                code="code",
                severity="severity",
                amount="amount_fen",
                day="happened_on",
                ends="ends_on",
                seq=pl.int_range(last + 1, last + 1 + pl.len()),
            )
        )
        last += frame.height
        if kind == "spot_check":
            own = own.filter(pl.col("day") < before)
            parts += [own, *details(own, pl.lit(0, pl.Int64))]
        else:
            parts.append(own)
    return pl.concat(parts)


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    days = [pl.col(name).cast(pl.Int32) for name in ("day", "ends")]
    return frame.with_columns(days).select(pl.col(name).cast(kind) for name, kind in frames.FACTS.items())


def coverage_of(sample: Sample) -> pl.DataFrame:
    feeds: list[tuple[Any, ...]] = [
        (number, prefix, day_number(first), None if last is None else day_number(last))
        for kind, prefix, first, last in sample.coverage
        for number in (KINDS[kind].number, *([DERIVED[kind].number] if kind in DERIVED else []))
    ]
    return pl.DataFrame(feeds, schema=frames.COVERAGE, orient="row")


def ties_of(sample: Sample) -> pl.DataFrame:
    """Who is tied to whom in trouble, and when: entity, name of the context value, other, from_day, until_day.

    The other side of a relation, and who is represented by the same person (docs/context.md).
    """
    last = np.iinfo(np.int32).max
    ties = sample.records["relation"].select(
        pl.col("entity").cast(pl.Int64) + 1,
        "code",
        pl.col("happened_on").cast(pl.Int32).alias("since"),
        pl.col("detail_json").str.json_path_match("$.other_code").alias("other_code"),
        pl.col("detail_json").str.json_path_match("$.person_hash").alias("person"),
    )
    numbers = sample.entities.select(
        pl.col("code").alias("other_code"), other=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )
    ends = ties.join(numbers, on="other_code").select("entity", "other", "since")
    held = ties.filter((pl.col("code") == REPRESENTATIVE) & pl.col("person").is_not_null())
    one, two = held.select("entity", "person", "since"), held.select("person", other="entity", also="since")
    shared = one.join(two, on="person").select("entity", "other", since=pl.max_horizontal("since", "also"))
    tied = pl.concat([shared, ends, ends.select(entity="other", other="entity", since="since")])
    spells = {
        name: sample.records[kind].select(
            other=pl.col("entity").cast(pl.Int64) + 1,
            starts=pl.col("happened_on").cast(pl.Int32),
            until_day=pl.col("ends_on").cast(pl.Int32).fill_null(last),
        )
        for name, kind in (("related_abnormal", "abnormal_listing"), ("related_serious", "serious_listing"))
    }
    revoked = numbers.filter(sample.entities["status"] != OPEN).select(
        "other", starts=pl.lit(0, pl.Int32), until_day=pl.lit(last, pl.Int32)
    )
    found = [(tied, name, whose) for name, whose in (*spells.items(), ("related_revoked", revoked))]
    found.append((shared, "representative_revoked", revoked))
    return pl.concat(
        pairs.filter(pl.col("entity") != pl.col("other"))
        .join(whose, on="other")
        .select(
            "entity", pl.lit(name).alias("name"), "other", "until_day", from_day=pl.max_horizontal("since", "starts")
        )
        for pairs, name, whose in found
    )
