"""Two years, day by day: the nightly due run leaves exactly what grading everyone from nothing would give.

`make test` runs sixty days around a deadline of annual reports; `make soak` runs two years.
"""

import os
from datetime import date, timedelta

import numpy as np
import polars as pl

from registry.clock import day_number
from registry.database import read_frame
from registry.kinds import Statement
from registry.models import GradeState
from registry.services import book, context_building, frames, given, grading, ledger
from registry.services.sampling import load_sample
from rules.engine import facts_needed, grade
from rules.scheme import load
from tests.registry import worlds
from tests.registry.test_grading import copy_of

DAYS = int(os.environ.get("XINHENG_TEST_DAYS", "60"))
FIRST = date(2025, 5, 20)
SIZE = 1_500
SCHEMES = ["general-risk"]
KINDS = (("penalty", (1, 3, 8)), ("spot_check", (1, 2, 4)), ("item_12315", (1, 2)), ("abnormal_listing", (1, 4)))
ORGAN = "信衡市市场监督管理局"


def said(rng, today, number):
    """A few random records of the last weeks, some of which end later."""
    pairs = []
    for at in range(int(rng.integers(1, 8))):
        kind, codes = KINDS[int(rng.integers(0, len(KINDS)))]
        happened = today - timedelta(days=int(rng.integers(0, 40)))
        ends = (
            happened + timedelta(days=int(rng.integers(1, 400))) if kind in ("item_12315", "abnormal_listing") else None
        )
        document = f"信{number}号之{at}"
        statement = Statement(
            kind, int(rng.choice(codes)), int(rng.integers(0, 4)), int(rng.choice([0, 10_000_00])), happened, ends, document, ORGAN,
            (kind, "document", ORGAN, document), {},
        )  # fmt: skip
        pairs.append((int(rng.integers(1, SIZE + 1)), statement))
    return pairs


def from_nothing(scheme, day):
    """What grading everyone would give today, without writing: entity → class, score, digest and next day."""
    known, number = ledger.head(), day_number(day)
    population = frames.population_in(1, SIZE, known).filter(pl.col("subject").is_in(scheme.subjects))
    return grade(
        population.with_columns(day=pl.lit(number, dtype=pl.Int32)),
        frames.facts_in(1, SIZE, facts_needed(scheme), known),
        frames.coverage(known),
        scheme,
        given.within(scheme, 1, SIZE, known=known, day=number),
    ).select("entity", "class", "score", "digest", "next_day")


def standing():
    schema = {"entity": pl.Int64, "class": pl.String, "score": pl.Int32, "digest": pl.Binary, "next_day": pl.Int32}
    sql = "SELECT entity, class, score, digest, next_day FROM grade_state WHERE scheme = ? ORDER BY entity"
    return read_frame(sql, ("general-risk",), schema)


def test_due_every_night_gives_what_everyone_from_nothing_gives(settings, tmp_path):
    load_sample(settings, size=SIZE, today=FIRST, now=0)
    rng = np.random.default_rng(20261122)
    other = load(copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path), book.numbers())
    compared = moved = 0
    for number in range(DAYS):
        today = FIRST + timedelta(days=number)
        with ledger.writing(now=number, schemes=SCHEMES) as pen:
            pen.state(said(rng, today, number), source="soak")
        if number % 30 == 10:
            context_building.build(settings, day=today, now=number)
        if number % 90 == 25:
            worlds.set_class(int(rng.integers(1, SIZE + 1)), "D", today, today + timedelta(days=17))
        if number == 35:
            worlds.activate(other, today + timedelta(days=9))
        scheme = grading.scheme_named(settings, on=today)
        moved += grading.due(scheme, day=today, now=lambda at=number: at).changed
        if number % 7 == 0 or (today.month, today.day) in ((6, 30), (7, 1), (7, 2)):
            expected, mine = from_nothing(scheme, today).sort("entity"), standing()
            compared += 1
            assert mine.drop("next_day").equals(expected.drop("next_day")), today
            late = mine["next_day"].fill_null(2**30) > expected["next_day"].fill_null(2**30)
            assert not late.any(), today
    assert compared > DAYS // 8
    assert moved > SIZE
    assert GradeState.select().where(GradeState.next_day <= day_number(today)).count() == 0
