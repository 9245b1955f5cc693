"""The shipped scheme ``general-risk``: its files, its worked cases, its page, and its classes on the sample."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest

from registry.sample.generator import generate
from rules import cases, scheme
from rules.dated import Basis, to_date, to_day
from rules.engine import grade
from rules.explain import explain
from rules.kinds import BASIS_KINDS, KINDS
from rules.parts import Rule
from rules.scheme import Scheme
from tests.rules.book_page import FOLDER, PAGE, TABLES, TODAY, table

BOOK = scheme.load(FOLDER)
OUTCOMES = cases.run(FOLDER, BOOK)
START = date(2021, 1, 1)
# What regulators report of enterprises, in percent (Bayannur 2022, Dandong 2023).
TARGET = {"A": (65, 75), "B": (19, 25), "C": (5, 8), "D": (1.5, 3)}


def _bases(book: Scheme) -> Iterator[tuple[str, Basis]]:
    """Every basis of the scheme and where it stands."""
    for span in book.cuts.spans:
        yield "cuts", span.basis
    for group in book.groups.values():
        assert group.basis is not None
        yield group.id, group.basis
    for id_, steps in book.steps.items():
        yield from ((id_, span.basis) for span in steps.spans)
    for id_, lookup in book.lookups.items():
        yield from ((id_, span.basis) for span in lookup.spans)
    for rule in book.rules.values():
        for name, parameter in rule.parameters.items():
            for value in parameter.spans:
                yield f"{rule.id}.{name}", value.basis


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda one: f"{one.case.rule}: {one.case.name}")
def test_the_rule_says_what_its_case_expects(outcome: cases.Outcome) -> None:
    assert outcome.passed, str(outcome)


@pytest.mark.parametrize("rule", sorted(BOOK.rules))
def test_every_rule_has_a_case_that_hits_and_one_that_does_not(rule: str) -> None:
    results = {outcome.case.result for outcome in OUTCOMES if outcome.case.rule == rule}
    assert {"hit", "no_hit"} <= results


@pytest.mark.parametrize("rule", [rule for rule in BOOK.rules.values() if rule.effect == "points"], ids=lambda r: r.id)
def test_every_case_that_hits_states_its_points(rule: Rule) -> None:
    hits = [outcome.case for outcome in OUTCOMES if outcome.case.rule == rule.id and outcome.case.result == "hit"]
    assert all(case.points is not None for case in hits)


def _changes() -> list[tuple[str, int]]:
    """Rules and the first day of every value that follows another, or that begins after the scheme itself."""
    return [
        (rule.id, span.start)
        for rule in BOOK.rules.values()
        for parameter in rule.parameters.values()
        for span in parameter.spans
        if span.start != to_day(START)
    ]


@pytest.mark.parametrize(("rule", "first"), _changes(), ids=lambda value: str(value))
def test_a_dated_change_has_a_case_on_the_last_day_before_and_on_the_first_day_after(rule: str, first: int) -> None:
    days = {outcome.case.day for outcome in OUTCOMES if outcome.case.rule == rule}
    assert {first - 1, first} <= days, f"{rule} changes on {to_date(first)}: write a case for each side"


def test_the_book_is_as_large_as_it_should_be_and_every_kind_feeds_it() -> None:
    assert len(BOOK.groups) == 5
    assert len(BOOK.seconds) == 25
    assert 80 <= len(BOOK.indicators) <= 90
    assert 85 <= len(BOOK.rules) <= 90
    assert {indicator.kind_name for indicator in BOOK.indicators.values()} == set(KINDS) - {"check_detail"}


def test_the_first_level_is_the_national_one() -> None:
    assert [group.title.zh for group in BOOK.groups.values()] == [
        "企业基础属性信息", "企业动态信息", "监管信息", "关联关系信息", "社会评价信息",
    ]  # fmt: skip


@pytest.mark.parametrize("second", list(BOOK.seconds))
def test_every_second_level_group_is_fed_and_weighed_or_says_what_it_wants(second: str) -> None:
    fed = [one for one in BOOK.indicators.values() if one.second == second]
    wanted = [one for one in BOOK.wanted.values() if one.second == second]
    read = {id_ for rule in BOOK.rules.values() for id_ in rule.indicators}
    assert fed or wanted
    assert {one.id for one in fed} <= read
    assert (second == "media") == (not fed), "only what nobody records yet may be without an indicator"


def test_what_is_wanted_says_what_it_needs_in_both_languages() -> None:
    assert BOOK.wanted
    for one in BOOK.wanted.values():
        assert one.needs.zh, one.id
        assert one.needs.en.isascii(), one.id
        assert one.id not in BOOK.indicators


def test_vetoes_are_few_and_each_rests_on_a_finding_of_an_organ() -> None:
    vetoes = {rule.id: rule.target for rule in BOOK.rules.values() if rule.effect == "veto"}
    assert vetoes == dict.fromkeys(
        ["accident_major", "check_refused_serious", "licence_revoked", "penalty_uncontactable", "serious_listed"], "D"
    )
    kinds = {BOOK.indicators[id_].kind_name for veto in vetoes for id_ in BOOK.rules[veto].indicators}
    assert kinds == {"accident", "spot_check", "registration", "penalty", "abnormal_listing", "serious_listing"}


def test_the_class_is_never_published() -> None:
    assert BOOK.published == "never"
    assert BOOK.classes == ("A", "B", "C", "D")
    assert [span.value.highest for span in BOOK.cuts.spans] == [(250, 500, 750, 1000)] * 2


def test_every_basis_is_of_a_known_kind_and_nothing_but_a_product_default_goes_without_an_instrument() -> None:
    for where, basis in _bases(BOOK):
        assert basis.kind in BASIS_KINDS, where
        assert (basis.instrument == "Product default") == (basis.kind == "product_default"), where


def test_no_point_value_claims_a_legal_basis() -> None:
    for rule in BOOK.rules.values():
        for name in {"points_each", "points_most"} & set(rule.parameters):
            assert {span.basis.kind for span in rule.parameters[name].spans} == {"product_default"}, rule.id


def test_rules_for_individual_businesses_speak_of_marking_and_know_no_capital() -> None:
    for rule in BOOK.rules.values():
        if "individual" in rule.subjects:
            assert "capital" not in rule.second, rule.id
            assert "列入经营异常名录：" not in rule.reason.zh, rule.id
        if rule.id.startswith("marked_"):
            assert rule.subjects == ("individual",)


def test_individual_businesses_get_no_more_points_for_annual_reports_than_enterprises() -> None:
    for rule in BOOK.rules.values():
        if rule.second == "annual_report" and {"enterprise", "individual"} <= set(rule.subjects):
            for span in rule.parameters["points_each"].spans:
                assert abs(span.value.of("individual")) <= abs(span.value.of("enterprise")), rule.id


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.toml")), ids=lambda path: path.name)
def test_a_file_of_the_book_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text)
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("header", TABLES)
def test_a_table_of_the_page_says_what_the_scheme_says(header: str) -> None:
    """Where it does not, ``python -m tests.rules.book_page`` writes the tables anew."""
    assert table(PAGE.read_text(encoding="utf-8"), header) == list(TABLES[header](BOOK))


def test_the_page_has_no_table_of_the_scheme_that_nobody_checks() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) == len(BOOK.indicators) + len(BOOK.rules)


def test_the_page_counts_what_there_is() -> None:
    empty = set(BOOK.seconds) - {indicator.second for indicator in BOOK.indicators.values()}
    page = PAGE.read_text(encoding="utf-8")
    assert f"25 second-level groups ({len(empty)} of them without input yet)" in page
    assert f"{len(BOOK.indicators)} third-level indicators, {len(BOOK.rules)} rules, {len(OUTCOMES)} worked" in page
    assert f"{len(BOOK.wanted)} more are wanted" in page
    assert BASIS_KINDS["product_default"] in page


# --- on the sample district ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class District:
    """A graded slice of the sample: frames as the engine takes them, its grades, and the planted probability."""

    population: pl.DataFrame
    facts: pl.DataFrame
    coverage: pl.DataFrame
    grades: pl.DataFrame
    violation: np.ndarray


@pytest.fixture(scope="module")
def district() -> District:
    return _graded(20_000)


def _graded(size: int | Literal["city"]) -> District:
    sample = generate(size, today=TODAY)
    registrations = sample.entities.with_row_index("entity").select(
        pl.col("entity").cast(pl.Int64),
        kind=pl.lit(KINDS["registration"], pl.Int16),
        code=pl.col("industry").cast(pl.Int32),
        severity=pl.col("status").cast(pl.Int16),
        amount=pl.col("capital_fen").cast(pl.Int64),
        day=pl.col("established").to_physical().cast(pl.Int32),
        ends=pl.col("term_ends").to_physical().cast(pl.Int32),
    )
    records = [
        frame.select(
            pl.col("entity").cast(pl.Int64),
            kind=pl.lit(KINDS[kind], pl.Int16),
            code=pl.col("code").cast(pl.Int32),
            severity=pl.col("severity").cast(pl.Int16),
            amount=pl.col("amount_fen").cast(pl.Int64),
            day=pl.col("happened_on").to_physical().cast(pl.Int32),
            ends=pl.col("ends_on").to_physical().cast(pl.Int32),
        )
        for kind, frame in sample.records.items()
    ]
    facts = pl.concat([registrations, *records]).with_columns(seq=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    population = sample.entities.with_row_index("entity").select(
        pl.col("entity").cast(pl.Int64),
        day=pl.lit(to_day(TODAY), pl.Int32),
        subject=pl.col("kind").cast(pl.String),
        division=pl.col("division").cast(pl.String),
    )
    feeds = [
        (KINDS[kind], division, to_day(first), None if last is None else to_day(last))
        for kind, division, first, last in sample.coverage
    ]
    columns = {"kind": pl.Int16, "division": pl.String, "from_day": pl.Int32, "to_day": pl.Int32}
    coverage = pl.DataFrame(feeds, schema=columns, orient="row")
    return District(
        population, facts, coverage, grade(population, facts, coverage, BOOK), sample.truth["probability"].to_numpy()
    )


def _of(district: District, subject: str) -> tuple[np.ndarray, np.ndarray]:
    """Class and planted probability of every entity of one subject."""
    own = (district.population["subject"] == subject).to_numpy()
    return district.grades["class"].to_numpy()[own], district.violation[own]


def test_classes_of_enterprises_fall_as_regulators_report(district: District) -> None:
    classes, _ = _of(district, "enterprise")
    for name, (low, high) in TARGET.items():
        assert low <= 100 * (classes == name).mean() <= high, name


def test_violations_rise_clearly_from_class_to_class(district: District) -> None:
    classes, violation = _of(district, "enterprise")
    rates = [violation[classes == name].mean() for name in "ABCD"]
    assert all(after >= 1.2 * before for before, after in pairwise(rates)), rates


@pytest.mark.slow
def test_the_whole_city_falls_as_regulators_report_and_violations_rise_clearly() -> None:
    city = _graded("city")
    classes, violation = _of(city, "enterprise")
    assert len(classes) == 123_096
    for name, (low, high) in TARGET.items():
        assert low <= 100 * (classes == name).mean() <= high, name
    rates = [violation[classes == name].mean() for name in "ABCD"]
    assert all(after >= 1.3 * before for before, after in pairwise(rates)), rates


def test_individual_businesses_and_cooperatives_are_mostly_in_class_a(district: District) -> None:
    for subject in ("individual", "cooperative"):
        classes, violation = _of(district, subject)
        assert (classes == "A").mean() >= 0.7, subject
        assert violation[classes != "A"].mean() > violation[classes == "A"].mean(), subject


def test_the_worst_and_the_best_explain_themselves_to_the_last_point(district: District) -> None:
    grades = district.grades.with_row_index("row")
    rows = [row for name in "DA" for row in grades.filter(pl.col("class") == name)["row"].head(20)]
    population = district.population[rows]
    facts = district.facts.filter(pl.col("entity").is_in(population["entity"].to_list()))
    told = [one.to_dict() for one in explain(population, facts, district.coverage, BOOK)]
    for one, score in zip(told, district.grades[rows]["score"], strict=True):
        assert sum(row["points"] for row in one["points"]) == one["score"] == score
        assert "related_worst" in one["unknown"], "without a context nobody knows about related parties"


def test_a_product_default_is_printed_as_such(district: District) -> None:
    row = district.grades.with_row_index("row").filter(pl.col("class") == "C")["row"][0]
    population = district.population[[row]]
    facts = district.facts.filter(pl.col("entity").is_in(population["entity"].to_list()))
    [one] = explain(population, facts, district.coverage, BOOK)
    bases = [parameter["basis"] for point in one.to_dict()["points"] for parameter in point["parameters"]]
    defaults = [basis for basis in bases if basis["kind"] == "product_default"]
    assert defaults
    assert all(BASIS_KINDS["product_default"] in str(basis.values()) for basis in defaults)


@pytest.mark.parametrize("day", [START, *(to_date(edge) for edge in BOOK.boundaries[1:])], ids=str)
def test_every_span_of_days_can_be_graded(day: date) -> None:
    population = pl.DataFrame(
        {"entity": [1, 2, 3, 4], "day": [to_day(day)] * 4, "subject": list(BOOK.subjects), "division": ["990101"] * 4},
        schema={"entity": pl.Int64, "day": pl.Int32, "subject": pl.String, "division": pl.String},
    )
    born = to_day(day - timedelta(days=100))
    facts = pl.DataFrame(
        [(entity, KINDS["registration"], 6210, 1, 0, born, None, entity) for entity in range(1, 5)],
        schema={
            "entity": pl.Int64, "kind": pl.Int16, "code": pl.Int32, "severity": pl.Int16,
            "amount": pl.Int64, "day": pl.Int32, "ends": pl.Int32, "seq": pl.Int64,
        },
        orient="row",
    )  # fmt: skip
    coverage = pl.DataFrame(schema={"kind": pl.Int16, "division": pl.String, "from_day": pl.Int32, "to_day": pl.Int32})
    grades = grade(population, facts, coverage, BOOK)
    # A new restaurant of which nothing else is known: industry and age, no capital for an individual business.
    points = dict(zip(population["subject"], grades["score"], strict=True))
    assert points["individual"] < points["branch"] <= points["enterprise"]
