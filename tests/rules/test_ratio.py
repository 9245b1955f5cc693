"""The measures that rates are made of: ratios of two indicators with a prior, and loads in hundredths and of amounts."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.dated import to_day
from rules.engine import facts_needed, grade
from rules.errors import SchemeError
from rules.explain import explain
from rules.kinds import KINDS
from rules.printed import printed
from rules.scheme import load_files
from tests.rules.frames import EVERYWHERE, NOWHERE, fact, facts, feeds, population

DAY = to_day(date(2025, 6, 1))
HEAD = """
[scheme]
id = "checks"
title = { zh = "检查", en = "Checks" }
subjects = ["enterprise"]
published = "never"
cycle = "month"
base = 0
lowest = 0
highest = 1000
direction = "higher_is_riskier"
[[scheme.cuts]]
from = 2020-01-01
classes = [{ class = "A", to = 250 }, { class = "B", to = 1000 }]
basis = { instrument = "Invented", kind = "product_default" }
[group.checks]
title = { zh = "检查", en = "Checks" }
[second.checks]
group = "checks"
title = { zh = "检查", en = "Checks" }
[steps.decay]
[[steps.decay.values]]
from = 2020-01-01
edges = [[0, 100], [100, 50], [300, 0]]
basis = { instrument = "Invented", kind = "product_default" }
"""
RULES = """
[rule.failing]
second = "checks"
title = { zh = "不合格率", en = "Failing" }
effect = "points"
when = "rate >= 0 and severe >= 0 and listed_rate >= 0 and exact >= 0 and amounts >= 0"
points = "rate"
reason = { zh = "{rate}", en = "{rate}" }
basis = { instrument = "Invented", kind = "product_default" }
"""
MEASURES = {
    "failed": 'kind = "check_detail"\nwhere = "severity >= 2"\nwindow = 365\nmeasure = "count"',
    "checks": 'kind = "check_detail"\nwhere = "severity = 0"\nwindow = 365\nmeasure = "count"',
    "listed": 'kind = "abnormal_listing"\nmeasure = "open"',
    "rate": 'measure = "ratio"\nindicator = "failed"\nbase = "checks"\nprior = 250\nweight = 4',
    "exact": 'kind = "check_detail"\nwhere = "severity >= 1"\nmeasure = "load"\nof = "severity"\nsteps = "decay"\nper = 1',
    "amounts": 'kind = "check_detail"\nwhere = "severity >= 1"\nmeasure = "load"\nof = "amount"\nsteps = "decay"',
    "severe": 'measure = "ratio"\nindicator = "exact"\nbase = "checks"\nscale = 100',
    "listed_rate": 'measure = "ratio"\nindicator = "listed"\nbase = "checks"',
}


def scheme(**changed):
    measures = {**MEASURES, **changed}
    tables = [
        f'[indicator.{id_}]\nsecond = "checks"\nunit = "count"\ntitle = {{ zh = "{id_}", en = "{id_}" }}\n{text}\n'
        for id_, text in measures.items()
    ]
    return load_files(
        {"scheme.toml": HEAD, "indicators/all.toml": "\n".join(tables), "rules/all.toml": RULES}, "checks"
    )


CHECKS = scheme()


def told(*rows, day=DAY, coverage=EVERYWHERE, of=CHECKS):
    found = explain(population((1, day)), facts(*rows), coverage, of)[0]
    return {row.id: row for row in found.indicators}


def value(name, *rows, **more):
    return told(*rows, **more)[name].value


def check(age=0, *, seq, **found):
    """A check and how many problems of each severity it found: s1, s2, s3."""
    row = {"day": DAY - age, "seq": seq}
    yield fact("check_detail", code=1, severity=0, **row)
    for severity in (1, 2, 3):
        if found.get(f"s{severity}"):
            yield fact("check_detail", code=1, severity=severity, amount=found[f"s{severity}"], **row)


def test_a_ratio_leans_on_its_prior_until_there_is_something_to_go_by():
    assert value("rate") == 250
    failed = [row for seq in range(1, 4) for row in check(seq=seq, s2=1)]
    clean = [row for seq in range(10, 15) for row in check(seq=seq)]
    assert value("rate", *clean[:1]) == 1000 // 5
    assert value("rate", *failed) == (3000 + 1000) // 7
    assert value("rate", *failed, *clean) == (3000 + 1000) // 12


def test_a_ratio_without_a_prior_is_zero_of_nothing_and_counts_a_base_of_nothing_as_one():
    assert value("listed_rate") == 0
    listed = fact("abnormal_listing", DAY - 5, ends=DAY + 5)
    assert value("listed_rate", listed, listed) == 2000
    assert value("listed_rate", listed, *check(seq=1), *check(seq=2), *check(seq=3)) == 333


def test_a_load_is_kept_in_hundredths_or_divided_once_at_the_end():
    rows = [*check(150, seq=1, s3=1), *check(10, seq=2, s1=1)]
    assert value("exact", *rows) == 3 * 50 + 1 * 100
    assert value("exact", *rows, of=scheme(exact=MEASURES["exact"].replace("per = 1", "per = 100"))) == 2
    assert value("exact", *rows, of=scheme(exact=MEASURES["exact"].replace("\nper = 1", ""))) == 2
    assert value("severe", *rows) == 100 * 250 // 2


def test_a_load_of_amounts_weighs_how_many_were_found():
    assert value("amounts", *check(10, seq=1, s1=3, s3=2), *check(150, seq=2, s2=5)) == 5 + 2
    assert value("amounts", fact("check_detail", DAY, severity=1, amount=10**15)) == 10**12


@pytest.mark.parametrize("age", [100, 300])
def test_a_load_moves_on_the_days_of_its_own_steps_whatever_reads_it(age):
    rows = list(check(age - 1, seq=1, s3=1))
    before, after = (value("severe", *rows, day=day) for day in (DAY, DAY + 1))
    assert before != after
    found = explain(population((1, DAY)), facts(*rows), EVERYWHERE, CHECKS)[0]
    assert found.next_day == "2025-06-02"


def test_a_ratio_adds_no_breakpoint_of_its_own():
    rows = list(check(10, seq=1, s3=1))
    causes = {cause for _, cause in explain(population((1, DAY)), facts(*rows), EVERYWHERE, CHECKS)[0].breakpoints}
    named = {name for cause in causes for name in cause.removeprefix("facts: ").split(", ")}
    assert named & set(MEASURES) == {"failed", "checks", "exact", "amounts"}


def test_the_records_behind_a_ratio_are_those_of_both_and_a_check_is_named_once():
    rows = [*check(10, seq=71, s2=1, s3=1), *check(20, seq=72)]
    found = explain(population((1, DAY)), facts(*rows), EVERYWHERE, CHECKS)[0]
    said = {row.id: row.records for row in found.indicators}
    assert (said["failed"], said["checks"], said["rate"]) == ((71,), (71, 72), (71, 72))
    assert found.records == (71, 72)


def test_a_ratio_is_unknown_where_either_is():
    assert value("rate", coverage=NOWHERE) is None
    fed = feeds(("check_detail", "", 0, None))
    assert (value("rate", coverage=fed), value("listed_rate", coverage=fed)) == (250, None)
    assert value("listed_rate", *check(seq=1), coverage=feeds(("abnormal_listing", "", 0, None))) == 0


def test_the_greatest_ratio_that_can_be_written_does_not_overflow():
    top = scheme(
        failed='kind = "check_detail"\nmeasure = "sum"\nof = "amount"',
        rate='measure = "ratio"\nindicator = "failed"\nbase = "checks"\nscale = 1000000\nprior = 1000000000\nweight = 1000000',
    )
    most = [fact("check_detail", DAY, severity=1, amount=10**15, seq=seq) for seq in range(9_000)]
    assert value("rate", *most, of=top) == (10**6 * 9 * 10**12 + 10**15) // 10**6


@pytest.mark.parametrize(
    ("id_", "text", "said"),
    [
        ("rate", 'measure = "ratio"\nindicator = "failed"\nbase = "severe"', "indicator.rate.base: is 'severe', which is not known"),
        ("rate", 'measure = "ratio"\nindicator = "failed"\nbase = "chekcs"', "Did you mean 'checks'? Use one of amounts, checks, exact, failed, listed"),
        ("rate", 'measure = "ratio"\nindicator = "rate"\nbase = "checks"', "indicator.rate.indicator: is 'rate', which is not known"),
        ("rate", 'measure = "ratio"\nindicator = "failed"\nbase = "checks"\nscale = 0', "indicator.rate.scale: is 0"),
        ("rate", 'measure = "ratio"\nindicator = "failed"\nbase = "checks"\nweight = -1', "indicator.rate.weight: is -1"),
        ("rate", 'measure = "ratio"\nindicator = "failed"\nbase = "checks"\nwindow = 9', "indicator.rate.window: is an unknown key"),
        ("exact", MEASURES["exact"].replace("per = 1", "per = 0"), "indicator.exact.per: is 0"),
    ],
)  # fmt: skip
def test_what_no_ratio_can_be_is_refused_with_its_place_and_what_to_write(id_, text, said):
    with pytest.raises(SchemeError) as error:
        scheme(**{id_: text})
    assert said in str(error.value)


def test_ratios_and_loads_are_told_in_both_languages():
    chinese, english = ("\n".join(printed(CHECKS, date(2025, 6, 1), lang)) for lang in ("zh", "en"))
    assert "“failed”除以“checks”，乘以 1000，舍去尾数；先设有 4 个，其比为 250" in chinese
    assert "‘listed’ divided by ‘checks’, times 1000, rounded down; a divisor of 0 counts as 1" in english
    assert "检查明细记录（问题程度 不少于 1）的问题程度按折算表 [decay] 折算后合计，以百分之一计" in chinese
    assert "number of findings weighted by age with table [decay], added up: detail of a check where" in english


def test_only_the_kinds_of_its_inputs_are_needed():
    assert facts_needed(CHECKS) == {KINDS["check_detail"], KINDS["abnormal_listing"]}


_checks = st.lists(
    st.tuples(st.integers(1, 3), st.integers(-400, 60), st.integers(0, 3), st.integers(0, 9), st.integers(1, 40)),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(_checks, st.lists(st.tuples(st.integers(1, 3), st.integers(-90, 30), st.integers(0, 60)), max_size=4))
def test_the_grade_of_any_day_is_that_of_the_last_breakpoint_not_after_it(checked, listed):
    rows = [
        fact("check_detail", DAY + day, entity=entity, severity=severity, amount=amount, seq=seq)
        for entity, day, severity, amount, seq in checked
    ]
    rows += [fact("abnormal_listing", DAY + day, entity=entity, ends=DAY + day + days) for entity, day, days in listed]
    days = range(DAY - 60, DAY + 400)
    asked = population(*((entity, day) for entity in (1, 2, 3) for day in days))
    graded = grade(asked, facts(*rows), EVERYWHERE, CHECKS)
    for _, one in graded.group_by("entity"):
        said = one.sort("day").select("day", "score", "digest", "next_day").rows()
        anchor = said[0]
        for row in said:
            anchor = row if anchor[3] is not None and row[0] >= anchor[3] else anchor
            assert row[1:3] == anchor[1:3], f"changed on day {row[0]} without a breakpoint"


@settings(max_examples=15, deadline=None)
@given(_checks, st.randoms(use_true_random=False))
def test_a_ratio_is_the_same_in_any_order_and_any_batch(checked, random):
    rows = [
        fact("check_detail", DAY + day, entity=entity, severity=severity, amount=amount, seq=seq)
        for entity, day, severity, amount, seq in checked
    ]
    asked = population(*((entity, DAY) for entity in (1, 2, 3)))
    whole = grade(asked, facts(*rows), EVERYWHERE, CHECKS)
    random.shuffle(rows)
    parts = [grade(asked[at : at + 1], facts(*rows), EVERYWHERE, CHECKS) for at in range(3)]
    assert pl.concat(parts).equals(whole)
