"""The shipped schemes beside ``general-risk``: their cases, their direction, whom they are for, and the page about them."""

from __future__ import annotations

import shutil
import tomllib
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.kinds import NUMBERS
from rules import cases
from rules.dated import to_day
from rules.engine import facts_needed, grade
from rules.explain import explain
from rules.given import CONTEXT, NORMS, OVERRIDES, Given
from rules.judging import class_of
from rules.kinds import BASIS_KINDS
from rules.parts import Rule
from rules.scheme import Scheme, load, load_book
from rules.slices import COVERAGE, FACTS, POPULATION

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "rules" / "book"
PAGE = ROOT / "docs" / "other-schemes.md"
BOOK = load_book(FOLDER, NUMBERS)
QUALITY = ("quality-credit-gbt23791", "quality-credit-local")
FOOD = ("food-producer", "food-producer-draft-2022", "food-producer-anhui")
OTHERS = (*QUALITY, *FOOD, "combined")
OUTCOMES = {name: cases.run(FOLDER / name, BOOK[name]) for name in OTHERS}
TODAY = date(2026, 6, 30)
DAY = to_day(TODAY)
EVERY_RULE = [(name, rule) for name in OTHERS for rule in BOOK[name].rules.values()]

# --- frames in one short call ----------------------------------------------------------------------------------------

Row = tuple[str, int, int, int, int | None, int]  # kind, code, severity, days ago, days until it ends, amount


def fact(kind: str, code: int = 0, severity: int = 0, ago: int = 30, lasts: int | None = None, amount: int = 0) -> Row:
    return kind, code, severity, ago, lasts, amount


REGISTERED = fact("registration", 1399, 1, 3000)
LICENCE = fact("licence", 1, 0, 400)
REPORTS = [fact("annual_report", 2025 - back, 0, 60 + 365 * back) for back in range(3)]


def frames(*entities: list[Row]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Population and facts: entity 1 has the first rows, entity 2 the next."""
    rows = [
        (entity, NUMBERS[kind], code, severity, amount, DAY - ago, None if lasts is None else DAY + lasts)
        for entity, own in enumerate(entities, start=1)
        for kind, code, severity, ago, lasts, amount in own
    ]
    order = ("entity", "kind", "code", "severity", "amount", "day", "ends", "seq")
    schema = {name: dict(FACTS)[name] for name in order}
    facts = pl.DataFrame([(*row, seq) for seq, row in enumerate(rows, start=1)], schema=schema, orient="row")
    people = [(entity, DAY, "enterprise", "990101") for entity in range(1, len(entities) + 1)]
    columns = {name: dict(POPULATION)[name] for name in ("entity", "day", "subject", "division")}
    return pl.DataFrame(people, schema=columns, orient="row"), facts.select(list(FACTS))


def feeds(kinds: tuple[str, ...] | list[str]) -> pl.DataFrame:
    columns = {name: dict(COVERAGE)[name] for name in ("kind", "division", "from_day", "to_day")}
    return pl.DataFrame([(NUMBERS[kind], "", 0, None) for kind in kinds], schema=columns, orient="row")


EVERYTHING = feeds(list(NUMBERS))


def graded(name: str, *entities: list[Row], coverage: pl.DataFrame = EVERYTHING, beside: Given | None = None) -> dict:
    """entity → row of the grade."""
    population, facts = frames(*entities)
    found = grade(population, facts, coverage, BOOK[name], beside or Given())
    return {row["entity"]: row for row in found.iter_rows(named=True)}


# --- the files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OTHERS)
def test_every_rule_says_what_its_cases_expect(name: str) -> None:
    assert [str(outcome) for outcome in OUTCOMES[name] if not outcome.passed] == []


@pytest.mark.parametrize(("name", "rule"), EVERY_RULE, ids=lambda one: one if isinstance(one, str) else one.id)
def test_every_rule_has_a_case_that_hits_one_that_does_not_and_one_on_each_side_of_its_first_day(
    name: str, rule: Rule
) -> None:
    own = [outcome.case for outcome in OUTCOMES[name] if outcome.case.rule == rule.id]
    assert {"hit", "no_hit"} <= {case.result for case in own}
    assert rule.effect != "points" or all(case.points is not None for case in own if case.result == "hit")
    first = min(start for dated in rule.parameters.values() for start in dated.edges())
    assert {first - 1, first} <= {case.day for case in own}


@pytest.mark.parametrize("name", OTHERS)
def test_every_value_says_what_it_rests_on_and_nothing_but_a_product_default_goes_without_an_instrument(
    name: str,
) -> None:
    found = list(BOOK[name].bases())
    assert found
    for where, basis in found:
        assert basis.kind in BASIS_KINDS, where
        assert (basis.instrument == "Product default") == (basis.kind == "product_default"), where


def test_no_point_value_claims_a_basis_but_the_twenty_of_the_general_credit_risk() -> None:
    claimed = {
        (name, rule.id, parameter)
        for name, rule in EVERY_RULE
        for parameter, dated in rule.parameters.items()
        if parameter.startswith("points") and {span.basis.kind for span in dated.spans} != {"product_default"}
    }
    assert claimed == {
        ("food-producer-draft-2022", "general_risk", "points_most"),
        ("food-producer-anhui", "general_risk", "points_most"),
    }


@pytest.mark.parametrize("path", sorted(path for name in OTHERS for path in (FOLDER / name).rglob("*.toml")), ids=str)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text)
    assert len(text.splitlines()) <= 300


def test_only_the_quality_credit_schemes_may_be_published_and_only_the_draft_rests_on_one() -> None:
    assert {name for name in OTHERS if BOOK[name].published == "local_rule"} == set(QUALITY)
    assert {name for name in OTHERS if BOOK[name].rests_on_draft} == {"food-producer-draft-2022"}
    for name in QUALITY:
        assert BOOK[name].inner == {}, "what may be published must not contain the risk class"


def test_the_status_of_the_standard_is_said_to_be_unconfirmed_wherever_it_is_named() -> None:
    scheme = BOOK["quality-credit-gbt23791"]
    bases = [span.basis for span in scheme.cuts.spans] + [group.basis for group in scheme.groups.values()]
    assert all("to be confirmed" in basis.note for basis in bases if basis is not None)


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("food-producer", {0: "A", 30: "A", 31: "B", 45: "B", 46: "C", 60: "C", 61: "D", 100: "D"}),
        ("food-producer-draft-2022", {30: "A", 31: "B", 45: "B", 46: "C", 60: "C", 61: "D"}),
        ("food-producer-anhui", {36: "A", 37: "B", 54: "B", 55: "C", 72: "C", 73: "D", 120: "D"}),
        ("quality-credit-gbt23791", {100: "A", 80: "A", 79: "B", 60: "B", 59: "C", 40: "C", 39: "D", 0: "D"}),
        ("quality-credit-local", {450: "AAA", 449: "AA", 400: "AA", 399: "A", 349: "BBB", 299: "BB", 249: "B", 199: "C", 99: "D"}),
        ("combined", {0: "A", 1: "B", 2: "C", 3: "D"}),
    ],
)  # fmt: skip
def test_the_edges_between_classes_are_whole_numbers(name: str, edges: dict[int, str]) -> None:
    scheme = BOOK[name]
    cuts = scheme.cuts.at(DAY)
    assert cuts is not None
    places = class_of(scheme, cuts.value, np.array(list(edges)))
    assert [cuts.value.classes[place] for place in places] == list(edges.values())


# --- direction -------------------------------------------------------------------------------------------------------

BAD = {
    "minor penalty": fact("penalty", 3, 1),
    "general penalty": fact("penalty", 3, 2),
    "serious penalty": fact("penalty", 10, 3),
    "food failed": fact("product_sampling", 2, 2),
    "food failed seriously": fact("product_sampling", 3, 3),
    "industrial product failed": fact("product_sampling", 1, 2),
    "recall ordered": fact("recall", 3, 3),
    "accident": fact("accident", 3, 1),
    "larger accident": fact("accident", 3, 2),
    "minor finding": fact("spot_check", 2, 1),
    "finding": fact("spot_check", 3, 2),
    "refused check": fact("spot_check", 5, 3),
    "complaint upheld": fact("item_12315", 1, 2),
    "mediation refused": fact("item_12315", 1, 3),
    "report upheld": fact("item_12315", 2, 2),
    "on the serious-violation list": fact("serious_listing", 7, 1),
    "on the abnormal-operation list": fact("abnormal_listing", 4, 1),
    "food licence revoked": fact("licence", 1, 3),
    "certificate withdrawn": fact("certification", 2, 3),
    "standard below compulsory ones": fact("standard_declared", 1, 1),
    "low satisfaction": fact("satisfaction_survey", 3000, 3, 0),
}
GOOD = {
    "clean check": fact("spot_check", 1, 0, 0),
    "food passed": fact("product_sampling", 2, 0),
    "product passed": fact("product_sampling", 1, 0),
    "HACCP": fact("certification", 5, 0),
    "quality management": fact("certification", 2, 0),
    "national award": fact("award", 1, 4),
    "county award": fact("award", 11, 1),
    "standard declared": fact("standard_declared", 1, 0),
    "industrial licence": fact("licence", 3, 0),
    "high satisfaction": fact("satisfaction_survey", 10_000, 3, 0),
    "annual report": fact("annual_report", 2025, 0, 60),
}
_past = st.lists(
    st.builds(
        lambda row, ago, lasts: (*row[:3], ago, lasts, row[5]),
        st.sampled_from([*BAD.values(), *GOOD.values()]),
        st.integers(1, 1200),
        st.one_of(st.none(), st.integers(-30, 400)),
    ),
    max_size=10,
)


@pytest.mark.parametrize("name", [*QUALITY, *FOOD])
@settings(max_examples=100, deadline=None)
@given(past=_past, connected=st.lists(st.sampled_from(sorted(NUMBERS)), unique=True))
def test_a_bad_record_never_helps_and_a_good_one_never_hurts(name: str, past: list[Row], connected: list[str]) -> None:
    """Whatever else is on record, and whatever feeds are connected."""
    base = [REGISTERED, LICENCE, *past]
    found = graded(name, base, *([*base, row] for row in (*BAD.values(), *GOOD.values())), coverage=feeds(connected))
    worse = 1 if BOOK[name].direction == "higher_is_riskier" else -1
    moved = [worse * (found[entity]["score"] - found[1]["score"]) for entity in range(2, len(found) + 1)]
    for (label, _), change in zip(BAD.items(), moved, strict=False):
        assert change >= 0, label
    for label, change in zip(GOOD, moved[len(BAD) :], strict=True):
        assert change <= 0, label


@pytest.mark.parametrize("name", [*QUALITY, *FOOD])
def test_most_records_move_the_score_so_that_the_test_above_says_something(name: str) -> None:
    base = [REGISTERED, LICENCE]
    found = graded(name, base, *([*base, row] for row in (*BAD.values(), *GOOD.values())))
    still = [entity for entity in range(2, len(found) + 1) if found[entity]["score"] == found[1]["score"]]
    assert len(still) <= 20


@pytest.mark.parametrize("name", QUALITY)
def test_nothing_known_is_not_the_best_class(name: str) -> None:
    bare, clean = (graded(name, [REGISTERED, *REPORTS], coverage=feeds(kinds))[1] for kinds in ([], list(NUMBERS)))
    assert bare["class"] == ("B" if name == QUALITY[0] else "BB")
    assert clean["score"] > bare["score"]


def test_quality_credit_rewards_a_clean_certified_enterprise_and_the_serious_list_is_last() -> None:
    certified = [
        REGISTERED,
        *REPORTS,
        fact("certification", 2, 0),
        fact("certification", 1, 0),
        fact("product_sampling", 1, 0),
    ]
    national = [
        *certified,
        fact("award", 1, 4),
        fact("award", 3, 3),
        fact("standard_declared", 1, 0),
        fact("licence", 3, 0),
    ]
    listed = [*national, BAD["on the serious-violation list"]]
    assert [row["class"] for row in graded(QUALITY[0], certified, listed).values()] == ["A", "D"]
    assert [row["class"] for row in graded(QUALITY[1], certified, national, listed).values()] == ["A", "AAA", "D"]


# --- whom the schemes of food producers are for ----------------------------------------------------------------------


@pytest.mark.parametrize("name", FOOD)
def test_members_are_those_that_ever_held_a_food_production_licence(name: str) -> None:
    found = graded(
        name,
        [REGISTERED],
        [REGISTERED, fact("licence", 2, 0)],
        [REGISTERED, fact("licence", 1, 0)],
        [REGISTERED, fact("licence", 1, 0, 2000, -500)],
        [REGISTERED, fact("licence", 1, 0, -20)],
    )
    assert set(found) == {3, 4, 5}


@pytest.mark.parametrize("name", FOOD)
def test_who_has_no_licence_in_force_has_nothing_to_inspect_unless_it_was_revoked(name: str) -> None:
    bad = [REGISTERED, *(BAD[one] for one in ("food failed seriously", "refused check", "serious penalty", "accident"))]
    ended, revoked, held = (
        [*bad, fact("licence", 1, 0, 2000, -5)], [*bad, fact("licence", 1, 3, 100)], [*bad, LICENCE],
    )  # fmt: skip
    found = graded(name, ended, revoked, held)
    assert (found[1]["class"], found[1]["decided_by"]) == ("A", "cap:hold_not_producing")
    assert found[2]["class"] == found[3]["class"] == "D"
    assert "没有可检查的生产活动" in BOOK[name].rules["hold_not_producing"].reason.zh


def test_a_dairy_starts_higher_than_a_rice_mill_and_a_clean_certified_one_comes_down() -> None:
    dairy, mill = fact("registration", 1441, 1, 3000), fact("registration", 1311, 1, 3000)
    large = fact("annual_report", 2025, 0, 60, None, 50_000_000_000)
    found = graded(
        "food-producer", [mill, LICENCE, large], [dairy, LICENCE, large], [dairy, LICENCE, large, GOOD["HACCP"]]
    )
    assert [row["score"] for row in found.values()] == [19, 40, 25]
    assert [row["class"] for row in found.values()] == ["A", "B", "A"]


def test_the_2022_draft_and_anhui_add_the_general_class_and_the_serious_list_is_top_risk_in_anhui() -> None:
    base = [REGISTERED, LICENCE]
    for name in FOOD[1:]:
        plain = graded(name, base, beside=_set({1: ("general-risk", "A")}))[1]
        for class_, points in zip("BCD", (7, 14, 20), strict=True):
            assert graded(name, base, beside=_set({1: ("general-risk", class_)}))[1]["score"] == plain["score"] + points
    listed = graded("food-producer-anhui", [*base, BAD["on the serious-violation list"]])[1]
    assert (listed["class"], listed["decided_by"]) == ("D", "veto:serious_listed")


# --- combined --------------------------------------------------------------------------------------------------------


def _set(*classes: dict[int, tuple[str, str]]) -> Given:
    """Classes that persons set for inner schemes: the way to have any of them."""
    rows = [
        (entity, scheme, class_, DAY - 1, DAY + 1, 1000 + seq)
        for seq, (entity, (scheme, class_)) in enumerate(pair for one in classes for pair in one.items())
    ]
    overrides = pl.DataFrame(rows, schema=dict(OVERRIDES), orient="row")
    return Given(pl.DataFrame(schema=dict(CONTEXT)), pl.DataFrame(schema=dict(NORMS)), overrides)


def test_combined_is_the_stricter_of_the_two_in_all_sixteen_cases_and_the_general_class_where_there_is_no_other() -> (
    None
):
    pairs = [*product("ABCD", "ABCD"), *((one, None) for one in "ABCD")]
    people = [[REGISTERED, LICENCE] if food else [REGISTERED] for _, food in pairs]
    general = {entity: ("general-risk", one) for entity, (one, _) in enumerate(pairs, start=1)}
    food = {entity: ("food-producer", one) for entity, (_, one) in enumerate(pairs, start=1) if one}
    found = graded("combined", *people, beside=_set(general, food))
    assert len(found) == 20
    for entity, (one, other) in enumerate(pairs, start=1):
        assert found[entity]["class"] == max(one, other or "A"), (one, other)
        assert found[entity]["score"] == "ABCD".index(found[entity]["class"])


def test_combined_explains_which_of_the_two_decided() -> None:
    population, facts = frames([REGISTERED, LICENCE], [REGISTERED])
    beside = _set({1: ("general-risk", "A"), 2: ("general-risk", "C")}, {1: ("food-producer", "D")})
    first, second = (one.to_dict() for one in explain(population, facts, EVERYTHING, BOOK["combined"], beside))
    assert "professional_stricter" in {row["rule"] for row in first["points"]}
    assert "general_stands" in {row["rule"] for row in second["points"]}
    assert [first["class"], second["class"]] == ["D", "C"]


def test_a_place_whose_professional_scheme_contains_the_general_score_lets_it_hold_alone(tmp_path: Path) -> None:
    """As docs/other-schemes.md says: another inner scheme, and rows that are all alike."""
    folder = shutil.copytree(FOLDER / "combined", tmp_path / "combined")
    for path, old, new in (
        (folder / "scheme.toml", "[[0, 1, 2, 3], [1, 1, 2, 3], [2, 2, 2, 3], [3, 3, 3, 3]]", f"{[[0, 1, 2, 3]] * 4}"),
        (folder / "indicators" / "combined.toml", '"food-producer"', '"food-producer-anhui"'),
    ):
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
    changed = load(folder, NUMBERS, BOOK)
    population, facts = frames([REGISTERED, LICENCE], [REGISTERED])
    beside = _set({1: ("general-risk", "C"), 2: ("general-risk", "C")}, {1: ("food-producer-anhui", "B")})
    assert grade(population, facts, EVERYTHING, changed, beside)["class"].to_list() == ["B", "C"]


def test_combined_reads_what_its_inner_schemes_read() -> None:
    needed = facts_needed(BOOK["combined"])
    assert needed >= facts_needed(BOOK["general-risk"]) | facts_needed(BOOK["food-producer"]) | {NUMBERS["licence"]}


@pytest.mark.parametrize("name", OTHERS)
def test_rows_of_an_explanation_add_up_to_the_score(name: str) -> None:
    people = [[REGISTERED, LICENCE, *BAD.values()], [REGISTERED, LICENCE, *GOOD.values()], [REGISTERED, LICENCE]]
    population, facts = frames(*people)
    scores = graded(name, *people)
    for entity, one in enumerate(explain(population, facts, EVERYTHING, BOOK[name]), start=1):
        told = one.to_dict()
        assert sum(row["points"] for row in told["points"]) == told["score"] == scores[entity]["score"]


# --- the page --------------------------------------------------------------------------------------------------------


def told(rule: Rule) -> str:
    """What the page says that a rule adds today."""
    values = {name: span.value.value for name, dated in rule.parameters.items() if (span := dated.at(DAY))}
    if rule.effect == "veto":
        return f"class {rule.target}"
    if rule.effect == "cap":
        return f"score held at {values['at_most']}"
    if "points_each" not in values:
        return f"`{rule.points_text}`"
    limit = values.get("points_most", values.get("points_least"))
    each = f"{values['points_each']}{' each' if '*' in rule.points_text else ''}"
    return each if limit is None else f"{each}, {'at most' if 'points_most' in values else 'at least'} {limit}"


def when(rule: Rule) -> str:
    """A condition with the values of today in place of the parameters."""
    text = rule.when_text
    for name, dated in rule.parameters.items():
        if name in text.split() and (span := dated.at(DAY)):
            text = " ".join(str(span.value.value) if word == name else word for word in text.split())
    return f"`{text}`"


def line(rule: Rule) -> str:
    return f"| `{rule.id}` | {rule.title.zh} · {rule.title.en} | {when(rule)} | {told(rule)} |"


def section(scheme: Scheme) -> list[str]:
    """Lines of the page between the heading of this scheme and the next."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = lines.index(next(one for one in lines if one.startswith(f"## `{scheme.id}`")))
    end = next((at for at, one in enumerate(lines) if at > begin and one.startswith("## ")), len(lines))
    return lines[begin:end]


@pytest.mark.parametrize("name", OTHERS)
def test_the_page_has_every_rule_with_its_condition_and_points_of_today_and_no_other(name: str) -> None:
    rows = [one for one in section(BOOK[name]) if one.startswith("| `")]
    assert rows == [line(rule) for rule in BOOK[name].rules.values()]


@pytest.mark.parametrize("name", OTHERS)
def test_the_page_has_the_classes_and_the_counts_of_every_scheme(name: str) -> None:
    scheme = BOOK[name]
    page, cuts = "\n".join(section(scheme)), scheme.cuts.at(DAY)
    assert cuts is not None
    for class_, highest in zip(cuts.value.classes, cuts.value.highest, strict=True):
        assert f"{class_} to {highest}" in page
    assert f"{len(scheme.indicators)} indicators, {len(scheme.rules)} rules, {len(OUTCOMES[name])} worked cases" in page
    assert scheme.title.zh in page
    for want in scheme.wanted.values():
        assert want.title.zh in page


def test_the_page_shows_the_table_of_combined_as_it_is() -> None:
    matrix = BOOK["combined"].matrices["stricter"].at(DAY)
    for row, one in zip("ABCD", matrix.value.values, strict=True):
        assert f"| **{row}** | {' | '.join('ABCD'[place] for place in one)} | {row} |" in PAGE.read_text(
            encoding="utf-8"
        )
