"""Grades: how points, caps, clamp and vetoes add up, and that nothing but facts, scheme and day decides."""

import hashlib
import shutil
import struct
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import receipt
from rules.dated import to_day
from rules.engine import facts_needed, grade
from rules.errors import FrameError, NotInForce
from rules.explain import explain
from rules.kinds import KINDS
from rules.scheme import load
from tests.rules.frames import DAY, EVERYWHERE, NOWHERE, SCHEME, TOY, fact, facts, penalty, population
from tests.rules.strategies import DIVISIONS, FIRST, LAST, coverages, fact_rows

REGISTERED = fact("registration", DAY - 20, code=9999, amount=10**9, seq=1)  # gives no points and owes no report


def graded(*rows, day=DAY, subject="enterprise", coverage=EVERYWHERE):
    if not any(row["kind"] == KINDS["registration"] for row in rows):
        rows = (REGISTERED, *rows)
    return grade(population((1, day), subject=subject), facts(*rows), coverage, SCHEME).to_dicts()[0]


def outcome(*rows, **more):
    row = graded(*rows, **more)
    return row["score"], row["class"], row["decided_by"]


def state(number):
    return fact("registration", DAY - 10, code=9999, severity=number, amount=10**9)


def test_without_a_record_everyone_has_the_base():
    assert outcome() == (10, "A", None)


def test_points_add_to_the_base():
    assert outcome(penalty(severity=2)) == (10 + 20 + min(5 * 2 + 2 * 2, 40), "B", None)


def test_a_parameter_can_differ_by_subject():
    assert outcome(penalty(severity=2), subject="individual") == (10 + 15 + 14, "B", None)


def test_a_parameter_changes_on_its_day():
    last, first = to_day(date(2024, 4, 30)), to_day(date(2024, 5, 1))
    assert outcome(penalty(severity=2, day=DAY), day=last)[0] + 10 == outcome(penalty(severity=2), day=first)[0]


def test_cuts_change_on_their_day():
    last = to_day(date(2024, 8, 31))
    trade = fact("registration", last - 30, code=5200, amount=10**9)  # 3 points
    listed = fact("abnormal_listing", last - 20, code=1)  # 10 points
    assert outcome(trade, listed, day=last) == (23, "A", None)
    assert outcome(trade, listed, day=last + 1) == (23, "B", None)


def test_a_group_gives_no_more_than_its_highest():
    assert outcome(*[penalty(severity=3) for _ in range(4)]) == (10 + 60, "C", None)


def test_the_score_is_held_within_the_scale_at_both_ends():
    old = fact("registration", to_day(date(2010, 1, 1)), code=1300, ends=DAY)
    assert outcome(old, *[penalty(severity=3) for _ in range(4)]) == (100, "D", None)  # 10 + 60 + 7 + 3 * 8 + 3
    young = fact("registration", DAY - 20, code=9999, amount=10**9, ends=DAY)
    early = fact("annual_report", DAY - 400, code=2000)
    assert outcome(young, early, fact("spot_check", DAY, code=1)) == (0, "A", None)  # 10 + 3 - 9 - 8


@pytest.mark.parametrize(("number", "score", "decided"), [(3, 20, "cap:cancelled"), (4, 50, "cap:other_state")])
def test_a_cap_holds_the_score_and_the_strictest_is_named(number, score, decided):
    row = outcome(state(number), *[penalty(severity=3) for _ in range(4)])
    assert (row[0], row[2]) == (score, decided)


def test_a_cap_that_does_not_change_the_class_does_not_decide():
    row = outcome(state(4), penalty(severity=2))
    assert row == (44, "B", None)


def test_a_veto_reaches_the_lowest_score_of_its_class():
    assert outcome(fact("serious_listing", DAY)) == (76, "D", "veto:on_serious_list")
    assert outcome(state(2)) == (51, "C", "veto:revoked")


def test_of_two_vetoes_the_strictest_decides():
    assert outcome(state(2), fact("serious_listing", DAY)) == (76, "D", "veto:on_serious_list")


def test_a_veto_wins_over_a_cap():
    assert outcome(state(3), fact("serious_listing", DAY)) == (76, "D", "veto:on_serious_list")


def test_a_veto_that_no_longer_holds_decides_nothing():
    assert outcome(fact("serious_listing", DAY - 9, ends=DAY)) == (10, "A", None)


def test_a_veto_never_improves_a_class():
    rows = [penalty(severity=3) for _ in range(4)]
    trade = fact("registration", to_day(date(2010, 1, 1)), code=1300, severity=2, ends=DAY)
    assert outcome(trade, *rows) == (100, "D", None)


def test_unknown_gives_no_points():
    assert outcome(coverage=NOWHERE) == (10, "A", None)


def test_subjects_that_the_scheme_does_not_cover_are_left_out():
    asked = pl.concat([population((1, DAY), subject="branch"), population((2, DAY))])
    assert grade(asked, facts(), EVERYWHERE, SCHEME)["entity"].to_list() == [2]


def test_an_empty_population_gives_an_empty_frame_of_the_same_form():
    full, empty = (grade(asked, facts(), EVERYWHERE, SCHEME) for asked in (population((1, DAY)), population()))
    assert empty.height == 0
    assert empty.schema == full.schema == {
        "entity": pl.Int64, "day": pl.Int32, "class": pl.String, "score": pl.Int32, "decided_by": pl.String,
        "next_day": pl.Int32, "digest": pl.Binary,
    }  # fmt: skip


def test_a_day_without_cuts_is_refused_with_the_first_day_that_has_them():
    with pytest.raises(NotInForce, match=r"cannot give a class for that day. Its first cuts hold from 2023-01-01"):
        graded(day=to_day(date(2022, 12, 31)))


def test_a_frame_of_another_type_is_refused_by_name():
    with pytest.raises(FrameError, match=r"Column 'day' of frame 'facts' is Int64. Cast it to Int32."):
        grade(population((1, DAY)), facts().with_columns(pl.col("day").cast(pl.Int64)), EVERYWHERE, SCHEME)
    with pytest.raises(FrameError, match="Frame 'coverage' has no column 'to_day'"):
        grade(population((1, DAY)), facts(), EVERYWHERE.drop("to_day"), SCHEME)


def test_the_scheme_names_the_kinds_it_reads():
    assert facts_needed(SCHEME) == set(range(1, 8)) - {KINDS["item_12315"]}


def test_a_record_that_no_rule_reads_does_not_change_the_digest():
    before = graded(penalty(seq=2))
    for other in (fact("item_12315", DAY, severity=3), penalty(entity=2), penalty(-1), penalty(800, severity=0)):
        assert graded(penalty(seq=2), other)["digest"] == before["digest"]


def test_the_same_points_from_another_record_are_another_digest():
    one, other = (graded(penalty(seq=seq)) for seq in (71, 72))
    assert one["score"] == other["score"]
    assert one["digest"] != other["digest"]


def test_the_digest_is_made_of_class_score_points_and_records_and_can_be_made_by_hand():
    row = graded(fact("serious_listing", DAY, seq=9), penalty(severity=2, seq=7))
    hits = {"penalised": 20, "fined": 14, "on_serious_list": 76 - 44}
    points = [hits.get(rule, receipt.NO_HIT) for rule in sorted(SCHEME.rules)]
    numbers = [3, 76, *points, 0, 0, 0, 0, receipt.NO_HIT]  # class D, score, rules, three group caps, clamp, override
    body = struct.pack(f"<{len(numbers)}i", *numbers) + struct.pack("<3q", 1, 7, 9)
    assert row["digest"] == hashlib.sha256(body).digest()


def test_a_day_that_passes_without_a_change_leaves_the_digest():
    assert graded(penalty(seq=2, day=DAY), day=DAY)["digest"] == graded(penalty(seq=2, day=DAY), day=DAY + 1)["digest"]


def test_absurd_amounts_never_turn_into_a_low_score():
    huge = [penalty(severity=3, amount=2**63 - 1) for _ in range(50)]
    assert outcome(*huge) == outcome(*[penalty(severity=3, amount=10**9) for _ in range(50)])


@settings(max_examples=15, deadline=None)
@given(fact_rows(entities=12, most=60), coverages, st.randoms(use_true_random=False))
def test_row_order_batches_and_neighbours_never_change_a_grade(rows, coverage, random):
    asked = pl.concat(
        population((entity, day), subject=subject, division=DIVISIONS[entity % 2])
        for entity in range(1, 13)
        for day in (FIRST, (FIRST + LAST) // 2, LAST)
        for subject in [("enterprise", "individual", "branch")[entity % 3]]
    )
    held = facts(*rows)
    whole = grade(asked, held, coverage, SCHEME)
    order = list(range(asked.height))
    random.shuffle(order)
    shuffled = grade(
        asked[order], held.sample(fraction=1.0, shuffle=True, seed=random.randint(0, 99)), coverage, SCHEME
    )
    batches = [grade(asked[at : at + 5], held, coverage, SCHEME) for at in range(0, asked.height, 5)]
    single = [grade(asked[at : at + 1], held.filter(pl.col("entity") == asked["entity"][at]), coverage, SCHEME)
              for at in range(0, asked.height, 7)]  # fmt: skip
    keys = ["entity", "day"]
    assert shuffled.sort(keys).equals(whole.sort(keys))
    assert pl.concat(batches).equals(whole)
    assert pl.concat(single).join(whole, on=whole.columns, how="anti", nulls_equal=True).height == 0


@pytest.fixture(scope="module")
def upward(tmp_path_factory):
    """The toy scheme turned round: a high score is good, and the best class comes first with the highest cut."""
    folder = shutil.copytree(TOY, tmp_path_factory.mktemp("book") / "upward")
    path = folder / "scheme.toml"
    text = path.read_text(encoding="utf-8").replace("higher_is_riskier", "higher_is_better")
    for first in (25, 20):
        falling = zip("ABCD", (100, 75, 50, first), strict=True)
        rising = zip("ABCD", (first, 50, 75, 100), strict=True)
        old, new = (", ".join(f'{{ class = "{c}", to = {to} }}' for c, to in cuts) for cuts in (rising, falling))
        assert old in text
        text = text.replace(old, new)
    path.write_text(text.replace("base      = 10", "base      = 90"), encoding="utf-8")
    return load(folder)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], (90, "A", None)),
        ([fact("registration", DAY - 9, code=9999, severity=4, amount=10**9)], (50, "C", "cap:other_state")),
        ([fact("registration", DAY - 9, code=9999, severity=2, amount=10**9)], (50, "C", "veto:revoked")),
        ([fact("serious_listing", DAY)], (25, "D", "veto:on_serious_list")),
    ],
)
def test_where_high_is_good_a_veto_goes_down_to_the_highest_score_of_its_class(upward, rows, expected):
    row = grade(population((1, DAY)), facts(*rows), EVERYWHERE, upward).to_dicts()[0]
    assert (row["score"], row["class"], row["decided_by"]) == expected
    found = explain(population((1, DAY)), facts(*rows), EVERYWHERE, upward)[0]
    assert sum(line.points for line in found.points) == found.score
    # Points are counted as they were before the hold: of 90, 65 must go before the class is D.
    assert (found.better, found.worse) == (None, {"A": 15, "C": 65, "D": None}[found.class_])


def test_of_two_vetoes_to_one_class_the_first_by_id_is_named_whatever_the_file_order(tmp_path):
    folder = shutil.copytree(TOY, tmp_path / "toy")
    path = folder / "rules" / "holds.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('class  = "C"', 'class  = "D"'), encoding="utf-8")
    row = grade(population((1, DAY)), facts(state(2), fact("serious_listing", DAY)), EVERYWHERE, load(folder))
    assert row["decided_by"].to_list() == ["veto:on_serious_list"]


@pytest.mark.parametrize("low", [0, 2**61])
def test_record_numbers_are_sorted_and_distinct_whatever_their_size(low):
    rows, seqs = np.array([1, 0, 1, 1]), np.array([7, 9, 5, 7]) + low
    offsets, found = receipt.records(3, [(rows, seqs), (np.array([1]), np.array([0]))])
    assert offsets.tolist() == [0, 1, 4, 4]
    assert found.tolist() == [9 + low, 0, 5 + low, 7 + low]


def test_sparse_entity_numbers_are_found_as_dense_ones_are():
    far = 10**12
    asked = population((far, DAY), (7, DAY), (far, DAY + 1))
    held = facts(penalty(entity=far, seq=1), penalty(entity=far + 1, seq=2), penalty(entity=8, seq=3))
    got = grade(asked, held, EVERYWHERE, SCHEME)
    near = grade(population((1, DAY), (7, DAY), (1, DAY + 1)), facts(penalty(seq=1)), EVERYWHERE, SCHEME)
    assert got["digest"].to_list() == near["digest"].to_list()
    assert got["score"].to_list() == [44, 10, 44]
