"""Explanations: rows that add up, records that are those read, sentences in words, and the digest of the grade."""

import json
from dataclasses import replace

import polars as pl
from hypothesis import given, settings

from rules.engine import grade
from rules.explain import explain, reasons, render
from rules.given import NOTHING, Given
from tests.rules.beside import override, overrides, raised, raises
from tests.rules.frames import DAY, EVERYWHERE, NOWHERE, SCHEME, fact, facts, penalty, population
from tests.rules.strategies import DIVISIONS, FIRST, LAST, coverages, fact_rows


def explained(*rows, coverage=EVERYWHERE, day=DAY):
    return explain(population((1, day)), facts(*rows), coverage, SCHEME)[0]


def heaviest(found, most):
    """What is told of a score in few words, taken from the whole explanation."""
    rows = sorted((row for row in found.points if row.points > 0), key=lambda row: (-row.points, row.rule))
    return [
        {"rule": row.rule, "title": row.title, "points": row.points, "sentence": row.sentence} for row in rows[:most]
    ]


def points(found):
    return {row.rule: row.points for row in found.points}


FOREVER = (DAY - 1000, DAY + 1000)
REGISTERED = fact("registration", DAY - 20, code=9999, amount=10**9, seq=1)


@settings(max_examples=30, deadline=None)
@given(fact_rows(entities=8, most=50), coverages)
def test_rows_add_up_and_the_digest_is_that_of_the_grade(rows, coverage):
    asked = pl.concat(
        population((entity, day), subject=("enterprise", "individual")[entity % 2], division=DIVISIONS[entity % 2])
        for entity in range(1, 9)
        for day in (FIRST, LAST)
    )
    held = facts(*rows)
    found, graded = explain(asked, held, coverage, SCHEME), grade(asked, held, coverage, SCHEME)
    told = [(one.entity, one.heaviest, one.digest.hex()) for one in reasons(asked, held, coverage, SCHEME, most=2)]
    assert told == [(one.entity, heaviest(one, 2), one.digest) for one in found]
    for one, row in zip(found, graded.to_dicts(), strict=True):
        assert sum(line.points for line in one.points) == one.score == row["score"]
        assert (one.class_, one.decided_by, one.digest) == (row["class"], row["decided_by"], row["digest"].hex())
        assert one.entity == row["entity"]
        assert set(one.records) == {seq for line in one.indicators for seq in line.records}
        assert {seq for line in one.points for seq in line.records} <= set(one.records)


@settings(max_examples=20, deadline=None)
@given(fact_rows(entities=1, most=15))
def test_without_a_record_that_is_not_named_everything_stays_as_it_was(rows):
    before = explained(*rows, day=LAST)
    for seq in {row["seq"] for row in rows} - set(before.records):
        after = explained(*[row for row in rows if row["seq"] != seq], day=LAST)
        assert after.digest == before.digest
        assert after.indicators == before.indicators


def test_caps_vetoes_and_group_caps_are_signed_rows():
    rows = [penalty(severity=3) for _ in range(4)]
    capped = explained(fact("registration", DAY - 9, code=9999, severity=3, amount=10**9), *rows)
    assert points(capped) == {
        "base": 10, "penalised": 80, "fined": 40, "cap:records": -60, "cap:cancelled": -50, "cap:other_state": 0,
    }  # fmt: skip
    assert capped.decided_by == "cap:cancelled"
    vetoed = explained(REGISTERED, fact("serious_listing", DAY, seq=5))
    assert points(vetoed) == {"base": 10, "veto:on_serious_list": 66}
    assert vetoed.points[1].records == (5,)


def test_the_clamp_is_a_row_of_its_own():
    young = fact("registration", DAY - 20, code=9999, amount=10**9, ends=DAY)
    found = explained(young, fact("annual_report", DAY - 400, code=2000), fact("spot_check", DAY, code=1))
    assert points(found) == {"base": 10, "reports": -6, "checked_well": -8, "clamp": 4}
    assert found.score == 0


def test_the_heaviest_rows_in_few_words_are_those_of_the_explanation_whoever_decided():
    young = fact("registration", DAY - 20, code=9999, amount=10**9, ends=DAY)
    below = [young, fact("annual_report", DAY - 400, code=2000), fact("spot_check", DAY, code=1)]
    listed, many = (
        [REGISTERED, fact("serious_listing", DAY, seq=5)],
        [REGISTERED, *[penalty(severity=3) for _ in range(4)]],
    )
    by_whom = [
        NOTHING,
        Given(raises=raises(raised(*FOREVER, seq=70))),
        Given(overrides=overrides(override("D", *FOREVER, seq=60))),
    ]
    lifted = set()
    for rows in (below, listed, many):
        for given_ in by_whom:
            asked = (population((1, DAY)), facts(*rows), EVERYWHERE, SCHEME, given_)
            whole = explain(*asked)[0]
            for most in (1, 3, 50):
                (told,) = reasons(*asked, most=most)
                assert (told.heaviest, told.digest.hex()) == (heaviest(whole, most), whole.digest)
            lifted |= {row["rule"].partition(":")[0] for row in told.heaviest}
    assert lifted >= {"base", "clamp", "penalised", "veto", "raise", "override"}


def test_a_row_carries_the_parameters_with_their_basis_and_the_sentence():
    row = next(row for row in explained(REGISTERED, penalty(seq=7)).points if row.rule == "penalised")
    assert [(one.name, one.value, one.unit) for one in row.parameters] == [
        ("at_least", 1, "count"),
        ("each", 20, "point"),
    ]
    assert row.parameters[1].basis["article"] == "Art. 1"
    assert row.parameters[0].basis["kind_zh"] == "产品默认值,无法定依据"
    assert row.sentence == {"zh": "近一年处罚 1 次", "en": "1 penalty in one year"}
    assert row.condition["zh"] == "近一年一般以上处罚次数 不少于 1"
    assert (row.group, row.second, row.records) == ("records", "penalty", (7,))


def test_what_is_unknown_is_named_and_printed_as_completeness():
    found = explained(penalty(), coverage=NOWHERE)
    assert found.known_indicators == 4
    assert found.all_indicators == len(SCHEME.indicators)
    assert "checked" in found.unknown
    assert found.no_data == ("facts", "empty")
    assert "reports" in found.undecided
    assert "penalised" not in found.undecided


def test_distances_are_points_to_the_neighbouring_classes():
    assert (explained(REGISTERED).better, explained(REGISTERED).worse) == (None, 16)  # 10, and B begins at 26
    both = explained(REGISTERED, *[penalty(severity=3) for _ in range(4)])
    assert (both.score, both.better, both.worse) == (70, 20, 6)
    assert both.notes[0]["en"] == "“Records” has 60 more beyond its limit that do not count: within it, those go first"


def test_breakpoints_name_their_causes_in_order_of_time():
    found = explained(REGISTERED, penalty(age=300 - 2), coverage=EVERYWHERE)
    assert found.breakpoints[0] == ("2024-04-03", "facts: fines, load, worst")
    assert found.next_day == found.breakpoints[0][0]
    assert list(found.breakpoints) == sorted(found.breakpoints)


def test_the_dictionary_is_plain_json_and_always_the_same():
    one, other = (explained(REGISTERED, penalty(seq=7)).to_dict() for _ in range(2))
    assert json.dumps(one, ensure_ascii=False) == json.dumps(other, ensure_ascii=False)
    assert one["class"] == "B"
    assert one["distance"] == {"better": 19, "worse": 7, "notes": []}
    assert one["completeness"] == {"known": 15, "all": 15}
    assert [row["rule"] for row in one["points"]] == ["base", "fined", "penalised"]


def test_amounts_in_fen_are_written_in_yuan_and_unknown_values_as_a_dash():
    assert render("{a} 元", {"a": 10_005}, {"a": "fen"}) == "100.05 元"
    assert render("{a} 元", {"a": -5}, {"a": "fen"}) == "-0.05 元"
    assert render("{a} 次，{b}", {"a": 2, "b": None}, {"a": "count"}) == "2 次，—"


def test_points_that_the_scale_cuts_off_count_in_the_distance():
    young = fact("registration", DAY - 20, code=9999, amount=10**9, ends=DAY)
    lowest = explained(young, fact("annual_report", DAY - 400, code=2000), fact("spot_check", DAY, code=1))
    assert points(lowest)["clamp"] == 4
    assert (lowest.better, lowest.worse) == (None, 30)  # -4 counted, held at 0, and B begins at 26


def test_under_a_veto_no_points_lead_to_a_better_class_and_it_is_said_what_holds():
    vetoed = explained(REGISTERED, fact("serious_listing", DAY))
    assert (vetoed.class_, vetoed.better, vetoed.worse) == ("D", None, None)
    title = next(row.title for row in vetoed.points if row.rule == "veto:on_serious_list")
    assert [title[lang] in vetoed.notes[0][lang] for lang in ("zh", "en")] == [True, True]
    assert len(vetoed.notes) == 1


def test_a_cap_that_holds_a_good_class_is_named_where_points_do_not_make_it_worse():
    rows = [penalty(severity=3) for _ in range(4)]
    held = explained(fact("registration", DAY - 9, code=9999, severity=3, amount=10**9), *rows)
    assert held.decided_by == "cap:cancelled"
    assert held.worse is None
    assert any("worse class" in note["en"] for note in held.notes)


@settings(max_examples=30, deadline=None)
@given(fact_rows(entities=1, most=30), coverages)
def test_so_many_points_fewer_or_more_give_exactly_the_next_class(rows, coverage):
    found = explained(*rows, coverage=coverage, day=LAST)
    place = SCHEME.classes.index(found.class_)

    def with_base(more):
        return explain(population((1, LAST)), facts(*rows), coverage, replace(SCHEME, base=SCHEME.base + more))[0]

    for away, sign in ((found.better, -1), (found.worse, 1)):
        if away is None:
            edge = 0 if sign < 0 else len(SCHEME.classes) - 1
            assert place == edge or with_base(sign * 5_000).class_ == found.class_
            continue
        assert away > 0
        assert sign * (SCHEME.classes.index(with_base(sign * away).class_) - place) > 0
        assert with_base(sign * (away - 1)).class_ == found.class_


def test_english_words_agree_with_a_number_of_one():
    for said, expected in (
        ("{n} penalties within two years", "1 penalty within two years"),
        ("{n} reports of violations are still open", "1 report of violations is still open"),
        ("{n} of the last three reports due are missing", "1 of the last three reports due is missing"),
        ("An entry has been open for {n} years or more", "An entry has been open for 1 year or more"),
        ("{n} batches had a serious failure", "1 batch had a serious failure"),
        ("step {n} is B, weighs {n} by age", "step 1 is B, weighs 1 by age"),
    ):
        assert render(said, {"n": 1}, {}) == expected
        assert render(said, {"n": 11}, {}) == said.replace("{n}", "11")
