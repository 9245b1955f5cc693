"""The yardsticks themselves: a floor or a rival that gives other grades measures nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from benchmarks import columns, floor, importing, row_by_row
from benchmarks import plain as plain_python
from benchmarks.report import Figure, table
from benchmarks.work import NOW, TODAY, Work, answering, connected
from registry.config import Settings
from registry.database import execute
from registry.services import context_building, frames, given, grading, ledger, sampling
from rules.dated import to_day
from rules.engine import Part, evaluate, facts_needed, grade
from rules.given import NOTHING, Given
from rules.kinds import KINDS
from rules.scheme import Scheme


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """A graded town, its tables exported for the floor."""
    work = Work(tmp_path_factory.mktemp("town"), "town")
    with connected(work) as (settings, scheme):
        sampling.load_sample(settings, size=work.size, today=TODAY, now=NOW)
        # Only who was graded before can be a related party in the worst class.
        grading.everyone(scheme, day=TODAY - timedelta(days=1), range_size=settings.grading.range_size)
        _grade(settings, scheme)
        floor.export(work.folder, scheme)
    return work


def _grade(settings: Settings, scheme: Scheme, day: date = TODAY) -> None:
    context_building.build(settings, day=day, now=NOW)
    grading.everyone(scheme, day=day, range_size=settings.grading.range_size)


@pytest.fixture
def village(tmp_path: Path) -> Work:
    """A district of 400 without a context that a test may spoil."""
    work = Work(tmp_path, 400)
    with connected(work) as (settings, _):
        sampling.load_sample(settings, size=work.size, density=3, today=TODAY, now=NOW)
    return work


def test_the_floor_is_written_from_the_scheme_as_it_is_now():
    assert floor.FILE.read_text(encoding="utf-8") == floor.sql(), "Run: python -m benchmarks.floor --write"


def test_the_floor_gives_every_entity_of_a_town_the_class_and_score_that_were_stored(town):
    tables = floor.open_tables(town.folder)
    floor.run(tables, floor.FILE.read_text(encoding="utf-8"))
    with connected(town) as (_, scheme):
        assert floor.check(tables, scheme) == 12_000


def test_the_floor_is_refused_when_one_score_differs(village):
    with connected(village) as (settings, scheme):
        _grade(settings, scheme)
        floor.export(village.folder, scheme)
        execute("UPDATE grade_state SET score = score + 1 WHERE entity = 7")
        tables = floor.open_tables(village.folder)
        floor.run(tables, floor.FILE.read_text(encoding="utf-8"))
        with pytest.raises(floor.Differs, match="other grades for 2 rows, the first being"):
            floor.check(tables, scheme)


@pytest.mark.parametrize("kind", [1, 2, 3, 5, 6, 7, 8, 16, 18])
def test_the_floor_agrees_about_what_is_unknown_where_no_feed_was_connected(village, kind):
    with connected(village) as (settings, scheme):
        execute("DELETE FROM coverage WHERE kind = ?", (kind,))
        _grade(settings, scheme)
        floor.export(village.folder, scheme)
        tables = floor.open_tables(village.folder)
        floor.run(tables, floor.FILE.read_text(encoding="utf-8"))
        assert floor.check(tables, scheme) == 400


def test_the_floor_agrees_about_what_is_unknown_before_the_first_context(village):
    with connected(village) as (settings, scheme):
        grading.everyone(scheme, day=TODAY, range_size=settings.grading.range_size)
        floor.export(village.folder, scheme)
        tables = floor.open_tables(village.folder)
        floor.run(tables, floor.FILE.read_text(encoding="utf-8"))
        assert floor.check(tables, scheme) == 400


@pytest.mark.parametrize(
    "day", [date(2024, 4, 30), date(2024, 5, 1), date(2025, 6, 30), date(2025, 7, 1), date(2026, 11, 20)]
)
def test_the_floor_follows_the_scheme_to_any_day(village, day):
    with connected(village) as (settings, scheme):
        _grade(settings, scheme, day)
        floor.export(village.folder, scheme, day)
        tables = floor.open_tables(village.folder)
        floor.run(tables, floor.sql(day))
        assert floor.check(tables, scheme) == 400


@dataclass(frozen=True, slots=True)
class Asked:
    """Everybody in the village on the day of the benchmarks, and all that their grades rest on."""

    scheme: Scheme
    population: pl.DataFrame
    facts: pl.DataFrame
    coverage: pl.DataFrame
    beside: Given

    def parts(self) -> Iterator[Part]:
        return evaluate(self.population, self.facts, self.coverage, self.scheme, self.beside)


def _asked(village: Work) -> Asked:
    with connected(village) as (settings, scheme):
        context_building.build(settings, day=TODAY, now=NOW)
        day, known = to_day(TODAY), ledger.head()
        population = frames.population_in(1, 400, known).with_columns(day=pl.lit(day, dtype=pl.Int32))
        facts, coverage = frames.facts_in(1, 400, facts_needed(scheme), known), frames.coverage(known)
        beside = answering(given.within(scheme, 1, 400, known=known, day=day))
    return Asked(scheme, population, facts, coverage, beside)


def test_zen_engine_row_by_row_gives_the_same_grades(village):
    asked = _asked(village)
    subjects = list(asked.population.select("entity", "subject").iter_rows())
    covered = dict.fromkeys(KINDS.values(), True)
    theirs, _, _ = row_by_row.graded_row_by_row(
        subjects, row_by_row.by_entity(asked.facts), asked.scheme, to_day(TODAY), covered, asked.beside
    )
    ours = grade(asked.population, asked.facts, asked.coverage, asked.scheme, asked.beside)
    assert theirs == ours.select("entity", "class", "score").rows()


def test_openfisca_column_by_column_gives_the_same_scores(village):
    asked, compared = _asked(village), 0
    for part in asked.parts():
        found, _ = columns.scores(asked.scheme, part)
        assert found.tolist() == part.judged.ledger[:, 1].tolist()
        compared += found.size
    assert compared == 400


@pytest.mark.parametrize("connected_feeds", [True, False])
@pytest.mark.parametrize("with_context", [True, False])
def test_indicators_in_plain_python_equal_those_of_the_engine_also_where_they_are_unknown(
    village, connected_feeds, with_context
):
    asked = _asked(village)
    asked = replace(
        asked,
        coverage=asked.coverage if connected_feeds else asked.coverage.clear(),
        beside=asked.beside if with_context else NOTHING,
    )
    covered = dict.fromkeys(KINDS.values(), connected_feeds)
    grouped, context = row_by_row.by_entity(asked.facts), row_by_row.context_by_entity(asked.beside)
    compared = 0
    for part in asked.parts():
        made = plain_python.functions(part.compiled, to_day(TODAY), covered, asked.beside)
        entities = asked.population["entity"].gather(part.rows).to_list()
        plain = [plain_python.values_of(made, grouped.get(one, {}), context.get(one, {})) for one in entities]
        for name, column in part.columns.items():
            known = [column.known] * len(entities) if isinstance(column.known, bool) else column.known.tolist()
            ours = [value if there else None for value, there in zip(column.values.tolist(), known, strict=True)]
            assert [values[name] for values in plain] == ours, name
            compared += len(ours)
    assert compared > 30_000


def test_a_rival_without_a_third_truth_value_is_not_compared_where_something_is_unknown(village):
    with connected(village) as (_, scheme):
        covered = dict.fromkeys(KINDS.values(), False)
        with pytest.raises(ValueError, match="Indicators of entity 1 are unknown"):
            row_by_row.graded_row_by_row([(1, "enterprise")], {}, scheme, to_day(TODAY), covered, NOTHING)


def test_openfisca_is_not_compared_where_something_is_unknown(village):
    asked = replace(_asked(village), beside=NOTHING)
    part = next(asked.parts())
    with pytest.raises(ValueError, match="unknown for some entities: complaints_to_norm, penalties_to_norm, related_"):
        columns.scores(asked.scheme, part)


def test_every_row_of_the_penalty_file_is_valid_and_is_stored(village):
    text, workbook, ratio = importing.measure(village, count=500)
    for figure in (text, workbook):
        assert figure.ratio is not None
        assert figure.note.startswith("all stored")
        assert "sealed in" in figure.note
    assert ratio.limit == 1.5


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("a", 3.0, "s", limit=3.0), True),
        (Figure("a", 3.1, "s", limit=3.0), False),
        (Figure("a", 100.0, "s", ratio=5.0, to="floor", limit=6.0), True),
        (Figure("a", 1.0, "s", ratio=7.0, to="floor", limit=6.0), False),
        (Figure("a", 1.0, "/s", ratio=0.7, to="empty view", limit=0.7, at_least=True), True),
        (Figure("a", 900.0, "/s", ratio=0.6, to="empty view", limit=0.7, at_least=True), False),
        (Figure("a", 1.0, "s"), None),
    ],
)
def test_the_ratio_decides_where_there_is_one_else_the_value(figure, met):
    assert figure.met is met


def test_the_table_says_what_was_missed_and_by_what_budget():
    lines = table(
        [Figure("名称查询", 61.0, "ms", limit=50, note="p99"), Figure("grading", 9.0, "s", 4.5, "floor", 12)]
    ).splitlines()
    assert lines[2] == "| 名称查询 | 61 ms    |             | ≤ 50 ms | MISS | p99  |"
    assert lines[3] == "| grading  | 9 s      | 4.5 × floor | ≤ 12 ×  | pass |      |"
