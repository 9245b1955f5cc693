"""What holds of ``general-risk`` whatever the records are: bad ones never help, good ones never hurt, and what nobody
records is never good. Records are made up; one day, all four subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as over
from hypothesis import strategies as st

from rules import scheme
from rules.dated import to_day
from rules.engine import evaluate
from rules.given import CONTEXT, NORMS, NOTHING, Given
from rules.kinds import CONTEXT_NORMS, CONTEXT_VALUES, KINDS
from rules.receipt import NO_DATA, NO_HIT
from rules.slices import FACTS, POPULATION
from tests.rules.book_page import FOLDER
from tests.rules.frames import EVERYWHERE, feeds

BOOK = scheme.load(FOLDER)
DAY = to_day(date(2026, 11, 21))
SIZE = 240
UNKNOWN = -(10**9)
SUBJECTS = BOOK.subjects
LISTED = ("enterprise", "branch")
# Kinds of record with the codes and severities that docs/architecture.md gives them, and whether they end.
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...], bool]] = {
    "penalty": ((0, 1, 3, 7, 8, 10, 12, 14), (0, 1, 2, 3), False),
    "abnormal_listing": ((1, 3, 4), (1,), True),
    "serious_listing": ((5, 8, 11), (1,), True),
    "spot_check": (tuple(range(1, 11)), (0, 1, 2, 3), False),
    "item_12315": ((1, 2, 3), (0, 1, 2, 3), False),
    "annual_report": ((2022, 2023, 2024, 2025), (0, 1, 2), False),
    "licence": (tuple(range(9)), (0, 0, 0, 1, 2, 3), True),
    "product_sampling": ((1, 2, 3, 9), (0, 0, 1, 2, 3), False),
    "registration_change": ((1, 2, 3, 4, 5, 7), (0, 1, 2), False),
    "certification": ((1, 2, 5), (0, 0, 1, 2, 3), True),
    "standard_declared": ((1, 2), (0, 0, 1), True),
    "recall": ((2, 3), (1, 2, 3), False),
    "award": ((1, 4, 11), (1, 2, 3, 4), True),
    "satisfaction_survey": ((3000, 5999, 6000, 9000), (0, 1, 2, 3), False),
    "outside_list": ((1, 2, 4, 5, 7, 10, 11, 12, 14, 15, 16), (0, 1, 2, 3), True),
    "accident": ((1, 3), (0, 1, 2), False),
    "relation": ((1, 2, 3, 4, 5), (0,), True),
}
seeds = st.integers(0, 2**32 - 1)
# A seed cannot be shrunk: a smaller number is no simpler a world.
few = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])


@dataclass(frozen=True)
class Deed:
    """One more record about everybody, ``age`` days old; it has no end unless ``ends`` days from now are given."""

    kind: str
    code: int
    severity: int
    age: int = 10
    amount: int = 0
    ends: int | None = None
    subjects: tuple[str, ...] = SUBJECTS

    def __str__(self) -> str:
        return f"{self.kind} {self.code}/{self.severity}"


BAD = [
    *(Deed("penalty", 3, severity, age) for severity in (1, 2, 3) for age in (10, 100, 400, 800)),
    Deed("penalty", 10, 3, amount=20_000_000),
    *(Deed("abnormal_listing", code, 1) for code in (1, 3, 4)),
    Deed("abnormal_listing", 2, 1, subjects=LISTED),
    *(Deed("abnormal_listing", code, 1, age=1000) for code in (1, 3, 4)),
    Deed("abnormal_listing", 1, 1, age=500, ends=-100),
    Deed("serious_listing", 8, 1),
    Deed("serious_listing", 8, 1, age=1500, ends=-400),
    *(Deed("spot_check", 2, severity) for severity in (1, 2, 3)),
    *(Deed("spot_check", code, 1) for code in (3, 4, 5, 8, 9)),
    Deed("spot_check", 5, 3),
    *(Deed("item_12315", 1, severity, amount=2_000_000) for severity in (1, 2, 3)),
    *(Deed("item_12315", 2, severity, age) for severity in (1, 2) for age in (10, 500)),
    *(Deed("licence", 1, severity) for severity in (1, 3)),
    *(Deed("product_sampling", 2, severity, age) for severity in (1, 2, 3) for age in (10, 500, 900)),
    *(Deed("registration_change", code, 1) for code in (1, 2, 3, 7)),
    Deed("registration_change", 4, 2),
    *(Deed("certification", 2, severity) for severity in (1, 3)),
    Deed("standard_declared", 1, 1),
    Deed("recall", 3, 3),
    Deed("satisfaction_survey", 5999, 2, age=0),
    *(Deed("outside_list", code, 3, age=0) for code in (1, 2, 4, 5, 7, 10, 11, 12, 14, 15)),
    *(Deed("accident", 1, severity, age) for severity in (1, 2, 3, 4) for age in (10, 1700)),
    Deed("relation", 4, 0),
]
GOOD = [
    *(Deed("annual_report", year, 0, age) for year, age in ((2025, 200), (2024, 560), (2023, 900))),
    Deed("spot_check", 1, 0, age=0),
    Deed("licence", 2, 0),
    Deed("certification", 2, 0),
    Deed("award", 1, 4),
    Deed("award", 4, 1),
    Deed("outside_list", 16, 0),
    Deed("outside_list", 7, 0, age=0),
    Deed("satisfaction_survey", 9500, 2, age=0),
    Deed("product_sampling", 2, 0),
    Deed("recall", 3, 1),
    Deed("accident", 1, 0),
    Deed("standard_declared", 1, 0),
]
# The same record, graver. Not of licences: a suspension ends with the term, and from then on it is lighter to have had
# one than to have let a licence run out. Nor of lists of other organs, whose codes and not severities count.
GRAVER = [
    *(("penalty", before, before + 1) for before in (0, 1, 2)),
    *(("spot_check", before, before + 1) for before in (0, 1, 2)),
    *(("item_12315", before, before + 1) for before in (0, 1, 2)),
    *(("annual_report", before, before + 1) for before in (0, 1)),
    ("certification", 0, 1),
    *(("product_sampling", before, before + 1) for before in (0, 1, 2)),
    *(("recall", before, before + 1) for before in (1, 2)),
    ("standard_declared", 0, 1),
    *(("accident", before, before + 1) for before in (0, 1, 2, 3)),
]


def population(worlds: int = 1) -> pl.DataFrame:
    """``worlds`` copies of the same entities: number of the world times ``SIZE``, and on from there."""
    rows = [(entity, DAY, SUBJECTS[entity % SIZE % len(SUBJECTS)], "990102") for entity in range(worlds * SIZE)]
    return pl.DataFrame(rows, schema=dict(POPULATION), orient="row")


def records(seed: int, *, each: float = 0.6, kinds: tuple[str, ...] = tuple(SHAPES)) -> pl.DataFrame:
    """A registration of everybody, and on average ``each`` records of each kind, none older than five years."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int, int, int, int | None]] = []
    for entity in range(SIZE):
        industry, age = int(rng.choice([0, 111, 1411, 3411, 6210, 7510, 8391])), int(rng.integers(30, 6000))
        capital = int(rng.choice([0, 5_000_000, 500_000_000, 20_000_000_000]))
        rows.append((entity, KINDS["registration"], industry, 1, capital, DAY - age, None))
        for kind in kinds:
            codes, severities, ending = SHAPES[kind]
            for _ in range(rng.poisson(each)):
                day = DAY - int(rng.integers(0, 1825))
                ends = day + int(rng.integers(1, 1500)) if ending and rng.random() < 0.7 else None
                code, severity = int(rng.choice(codes)), int(rng.choice(severities))
                rows.append((entity, KINDS[kind], code, severity, int(rng.integers(0, 3_000_000)), day, ends))
    columns = [name for name in FACTS if name != "seq"]
    frame = pl.DataFrame(rows, schema={name: FACTS[name] for name in columns}, orient="row")
    return frame.with_columns(seq=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)).select(list(FACTS))


def copied(worlds: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Facts of several worlds in one frame, so that the engine is asked once."""
    return pl.concat([one.with_columns(pl.col("entity") + SIZE * at) for at, one in enumerate(worlds)])


def with_deed(facts: pl.DataFrame, deed: Deed) -> pl.DataFrame:
    ends = None if deed.ends is None else DAY + deed.ends
    more = [
        (entity, KINDS[deed.kind], deed.code, deed.severity, deed.amount, DAY - deed.age, ends, 10**6 + entity)
        for entity in range(SIZE)
        if SUBJECTS[entity % len(SUBJECTS)] in deed.subjects
    ]
    return pl.concat([facts, pl.DataFrame(more, schema=dict(FACTS), orient="row")])


@dataclass(frozen=True)
class Outcome:
    """What the engine says of everybody, in order: places of classes, scores, who decided, and the ledger of rules."""

    place: np.ndarray
    score: np.ndarray
    by_veto: np.ndarray
    rules: np.ndarray
    indicators: dict[str, np.ndarray]

    def world(self, at: int) -> Outcome:
        own = slice(SIZE * at, SIZE * (at + 1))
        values = {id_: column[own] for id_, column in self.indicators.items()}
        return Outcome(self.place[own], self.score[own], self.by_veto[own], self.rules[own], values)


def graded(
    facts: pl.DataFrame, coverage: pl.DataFrame = EVERYWHERE, given: Given = NOTHING, worlds: int = 1
) -> Outcome:
    size = worlds * SIZE
    place, score = np.zeros(size, np.int64), np.zeros(size, np.int64)
    by_veto, rules = np.zeros(size, np.bool_), np.zeros((size, len(BOOK.rules)), np.int64)
    values = {id_: np.full(size, UNKNOWN) for id_ in BOOK.indicators}
    for part in evaluate(population(worlds), facts, coverage, BOOK, given):
        ledger = part.judged.ledger
        place[part.rows], score[part.rows] = ledger[:, 0], ledger[:, 1]
        rules[part.rows] = ledger[:, 2 : 2 + len(BOOK.rules)]
        vetoes = np.array([*(label.startswith("veto:") for label in part.judged.deciders), False])
        by_veto[part.rows] = vetoes[part.judged.decided]
        for id_, column in part.columns.items():
            values[id_][part.rows] = np.where(column.known, column.values, UNKNOWN)
    return Outcome(place, score, by_veto, rules, values)


def each(worlds: Sequence[pl.DataFrame], given: Given = NOTHING) -> list[Outcome]:
    """The outcome of every world."""
    whole = graded(copied(worlds), given=given, worlds=len(worlds))
    return [whole.world(at) for at in range(len(worlds))]


def context(
    value: int, *, names: frozenset[str] = frozenset({*CONTEXT_VALUES, *CONTEXT_NORMS}), norm: int = 0
) -> Given:
    """A context that gives everybody the same ``value`` under every name, and every industry the same ``norm``."""
    rows = [(entity, name, value) for name in CONTEXT_VALUES for entity in range(SIZE)]
    norms = [(name, 0, 9999, norm) for name in CONTEXT_NORMS]
    return Given(
        context=pl.DataFrame(rows, schema=dict(CONTEXT), orient="row"),
        norms=pl.DataFrame(norms, schema=dict(NORMS), orient="row"),
        names=names,
    )


def no_better(after: Outcome, before: Outcome) -> Iterator[int]:
    """Entities whose class became better, or whose score did without a veto having set one of the two.

    A veto moves to the lowest score of its class: from there a score may be lower than points alone had made it.
    """
    lower = (after.score < before.score) & ~after.by_veto & ~before.by_veto
    yield from np.flatnonzero((after.place < before.place) | lower).tolist()


@few
@over(seeds)
def test_one_more_bad_record_never_helps(seed: int) -> None:
    facts = records(seed)
    before, *after = each([facts, *(with_deed(facts, deed) for deed in BAD)])
    for deed, outcome in zip(BAD, after, strict=True):
        assert not list(no_better(outcome, before)), deed


@few
@over(seeds)
def test_one_more_good_record_never_hurts(seed: int) -> None:
    facts = records(seed)
    before, *after = each([facts, *(with_deed(facts, deed) for deed in GOOD)])
    for deed, outcome in zip(GOOD, after, strict=True):
        assert not list(no_better(before, outcome)), deed


@few
@over(seeds)
def test_the_same_records_graver_never_help(seed: int) -> None:
    facts = records(seed)
    before, *after = each([facts, *(graver(facts, *step) for step in GRAVER)])
    for step, outcome in zip(GRAVER, after, strict=True):
        assert not list(no_better(outcome, before)), step


def graver(facts: pl.DataFrame, kind: str, mild: int, grave: int) -> pl.DataFrame:
    """Every record of ``kind`` with severity ``mild`` made ``grave``."""
    chosen = (pl.col("kind") == KINDS[kind]) & (pl.col("severity") == mild)
    return facts.with_columns(severity=pl.when(chosen).then(grave).otherwise("severity").cast(pl.Int16))


def test_every_indicator_is_moved_by_a_record_of_these_tests() -> None:
    """Else a monotonicity that nobody tries would be believed."""
    facts, moved = records(7), set()
    worlds = [facts, *(with_deed(facts, deed) for deed in (*BAD, *GOOD)), *(graver(facts, *step) for step in GRAVER)]
    before, *after = each(worlds, given=context(0))
    after.append(graded(facts, given=context(20)))
    for outcome in after:
        moved |= {id_ for id_, values in outcome.indicators.items() if (values != before.indicators[id_]).any()}
    # The registration is what an entity is, not what it did.
    still = {"registration_state", "term_expired", "age_step", "capital_fen", "capital_step", "industry_risk",
             "industry_food", "industry_prepaid", "industry_equipment"}  # fmt: skip
    assert set(BOOK.indicators) - moved == still


@few
@over(seeds)
def test_worse_relations_and_a_milder_trade_never_help(seed: int) -> None:
    facts = records(seed)
    outcomes = [graded(facts, given=context(value)) for value in (0, 1, 9, 10, 100)]
    for after, before in zip(outcomes[1:], outcomes[:-1], strict=True):
        assert not list(no_better(after, before))
    norms = [graded(facts, given=context(1, norm=norm)) for norm in (10_000, 2_000, 600, 400, 0)]
    for after, before in zip(norms[1:], norms[:-1], strict=True):
        assert not list(no_better(after, before))


@few
@over(seeds)
def test_without_a_context_nothing_is_known_of_relations_and_nothing_is_gained(seed: int) -> None:
    facts = records(seed)
    without, clean = graded(facts), graded(facts, given=context(0, norm=100_000))
    assert (without.score == clean.score).all()
    assert (without.place == clean.place).all()
    for id_, indicator in BOOK.indicators.items():
        if indicator.measure in ("context", "percent_of_norm"):
            assert (without.indicators[id_] == UNKNOWN).all(), id_


# Missing reports are the one fault that is seen by what is not there: only a connected feed can say so. The same goes
# for having missed none.
SEEN_BY_ABSENCE = {
    *("annual_latest_missing", "annual_earlier_missing", "annual_two_missing", "annual_silent_uncontactable"),
    "annual_on_time",
}


@few
@over(seeds)
def test_a_feed_that_is_not_connected_takes_no_bad_record_away_and_makes_nothing_good(seed: int) -> None:
    facts = records(seed, each=0.3)
    covered = graded(facts)
    for kind in SHAPES:
        bare = graded(facts, feeds(*((name, "", 0, None) for name in KINDS if name != kind)))
        for at, rule in enumerate(BOOK.rules.values()):
            if kind == "annual_report" and rule.id in SEEN_BY_ABSENCE:
                continue
            was, now = covered.rules[:, at], bare.rules[:, at]
            if rule.effect != "points":  # what a veto or cap adds follows from the other rows
                was, now = np.where(was > NO_HIT, 1, was), np.where(now > NO_HIT, 1, now)
            changed = was != now
            assert (now[changed] == NO_DATA).all(), f"{rule.id}: without the feed {kind} something else is said"
            assert rule.effect == "cap" or (was[changed] <= 0).all(), f"{rule.id}: without {kind} a record is lost"
        if kind != "annual_report":
            assert not list(no_better(bare, covered)), f"without the feed {kind} a grade is better"


@few
@over(seeds)
def test_only_a_connected_feed_can_say_that_a_report_is_missing(seed: int) -> None:
    facts = records(seed, each=0.3)
    covered, bare = (
        graded(facts),
        graded(facts, feeds(*((name, "", 0, None) for name in KINDS if name != "annual_report"))),
    )
    for at, id_ in enumerate(BOOK.rules):
        if id_ in SEEN_BY_ABSENCE - {"annual_on_time"}:
            assert (covered.rules[:, at] > 0).any() or id_ == "annual_silent_uncontactable"
            assert (bare.rules[:, at] <= 0).all(), id_


def test_who_has_no_record_and_no_feed_gets_nothing_but_what_the_registration_says() -> None:
    facts = records(11, kinds=())
    outcome = graded(facts, feeds())
    for at, (id_, rule) in enumerate(BOOK.rules.items()):
        kinds = {BOOK.indicators[name].kind_name for name in rule.indicators}
        if "registration" not in kinds:
            assert np.isin(outcome.rules[:, at], (NO_DATA, NO_HIT)).all(), id_
    good = [at for at, id_ in enumerate(BOOK.rules) if id_ in GOOD_RULES - {"age_long"}]
    assert not (outcome.rules[:, good] > NO_HIT).any()


GOOD_RULES = {"age_long", "annual_on_time", "check_clean", "certification_held", "honours_held"}


def test_only_these_rules_are_good_and_they_are_small_and_need_what_is_known() -> None:
    good = {
        rule.id: min(
            span.value.of(subject) for subject in rule.subjects for span in rule.parameters["points_each"].spans
        )
        for rule in BOOK.rules.values()
        if rule.effect == "points" and any(span.value.value < 0 for span in rule.parameters["points_each"].spans)
    }
    assert set(good) == GOOD_RULES
    assert all(points >= -40 for points in good.values()), "good records soften a grade, they do not buy one"
    assert sum(good.values()) > -200
    assert not any("null" in BOOK.rules[id_].when_text for id_ in good), "what is not known is never good"


@pytest.mark.parametrize("group", [group.id for group in BOOK.groups.values()])
def test_no_group_alone_leads_to_class_d_but_supervision(group: str) -> None:
    most = BOOK.groups[group].highest
    assert most is not None
    assert (most > 750) == (group == "supervision")
