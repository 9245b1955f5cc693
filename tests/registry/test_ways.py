"""What an enterprise can do about its class: what is possible when, what stands in the way, and that it really helps."""

from datetime import date

import polars as pl
import pytest

from registry.clock import day_number, day_of
from registry.models import Entity, Publication, Record
from registry.services import explanation, frames, grading, ledger, ways, workdays
from rules.engine import facts_needed, grade
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry import deeds


@pytest.fixture
def scheme(settings):
    with ledger.writing(now=NOW, schemes=[]) as pen:
        for kind in ("penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315", "annual_report"):
            pen.cover(kind, "", date(2015, 1, 1), None, source="test")
    return grading.scheme_named(settings)


@pytest.fixture
def enterprise(scheme):
    """An enterprise that has filed every report, and so has the best class."""
    made = registered(established=date(2015, 3, 1), industry=6513, capital_fen=1_000_000_00)
    for year in range(2019, 2026):
        record(made, "annual_report", year=year, filed_on=date(year + 1, 4, 1))
    return made


def told(scheme, number, today=TODAY):
    entity = Entity.get_by_id(number)
    found = ways.of(entity, scheme, explanation.of(entity, scheme, today=today), today=today)
    assert found is not None
    return found


def action(found, id_):
    return next(one for one in found["actions"] if one["id"] == id_)


def ids(found):
    return [one["id"] for one in found["actions"]]


def without(scheme, number, seqs, on):
    """Class and score on a day, the facts of these ledger rows being gone."""
    known = ledger.head()
    population = frames.population_as_known(number, known).with_columns(day=pl.lit(day_number(on), pl.Int32))
    facts = frames.facts_of([number], facts_needed(scheme), known).filter(~pl.col("seq").is_in(seqs))
    row = grade(population, facts, frames.coverage(known), scheme).to_dicts()[0]
    return row["class"], row["score"]


HEAVY = {"kinds": ["revoked_licence"], "decided_on": date(2025, 10, 2), "fine_fen": 300_000_00}


def test_the_repair_of_a_penalty_leads_to_what_grading_without_it_gives(scheme, enterprise):
    one = record(enterprise, **HEAVY).seq
    found = told(scheme, enterprise)
    assert found["class"] != "A"
    way = found["down"][0]
    assert way["actions"] == [f"repair:{one}"]
    assert (way["class"], way["score"]) == without(scheme, enterprise, [one], date.fromisoformat(way["on"]))
    assert action(found, f"repair:{one}")["on"] == way["on"]
    assert "no_repeat" not in [asked["name"] for asked in action(found, f"repair:{one}")["conditions"]]
    assert {"duties_performed", "harm_removed", "commitment"} == {
        asked["name"] for asked in action(found, f"repair:{one}")["conditions"]
    }


def test_a_repair_begins_when_the_shortest_publicity_is_over_and_ends_with_the_terms_of_the_organ(scheme, enterprise):
    seq = record(enterprise, **{**HEAVY, "decided_on": date(2026, 6, 2)}).seq
    deeds.shown(seq)
    identity = Record.get(Record.seq == seq).identity
    over = max(row.earliest for row in Publication.select().where(Publication.identity == identity))
    assert over > TODAY
    # Two working days to accept, seven to decide.
    assert action(told(scheme, enterprise), f"repair:{seq}")["on"] == workdays.due(over, 9).isoformat()


def test_a_penalty_cannot_be_repaired_before_its_party_is_off_the_list(scheme, enterprise):
    penalty = record(enterprise, **HEAVY).seq
    listing = record(enterprise, "abnormal_listing", ground=4).seq
    found = told(scheme, enterprise)
    assert {f"removal:{listing}", f"repair:{listing}", f"repair:{penalty}"} <= set(ids(found))
    repairing = [way for way in found["down"] if f"repair:{penalty}" in way["actions"]]
    assert all({f"removal:{listing}", f"repair:{listing}"} & set(way["actions"]) for way in repairing)
    assert action(found, f"repair:{penalty}")["on"] > action(found, f"removal:{listing}")["on"]


def test_a_penalty_of_the_same_kind_that_came_later_puts_a_repair_out_of_reach(scheme, enterprise):
    first = record(enterprise, **HEAVY).seq
    second = record(enterprise, **{**HEAVY, "decided_on": date(2026, 1, 5)}).seq
    found = told(scheme, enterprise)
    assert f"repair:{first}" not in ids(found)
    assert f"repair:{second}" in ids(found)


def test_what_was_repaired_or_withdrawn_offers_nothing_more(scheme, enterprise):
    one, other = record(enterprise, **HEAVY).seq, record(enterprise, **{**HEAVY, "violation": "其他"}).seq
    deeds.shown(one)
    deeds.repaired(one, today=date(2028, 12, 1))
    deeds.withdrawn(other)
    found = told(scheme, enterprise, date(2028, 12, 2))
    assert not {f"repair:{one}", f"repair:{other}"} & set(ids(found))


def test_a_listing_for_a_missing_report_is_ended_by_filing_it(scheme):
    made = registered(established=date(2015, 3, 1), industry=6513, capital_fen=1_000_000_00)
    for year in range(2019, 2025):
        record(made, "annual_report", year=year, filed_on=date(year + 1, 4, 1))
    listing = record(made, "abnormal_listing", ground=1, year=2025).seq
    found = told(scheme, made)
    assert "补报未报年份的年度报告并公示" in action(found, f"removal:{listing}")["zh"]
    # The report comes with the removal: filing it alone is no way of its own.
    assert "report:2025" not in ids(found)
    assert action(found, f"removal:{listing}")["on"] == "2026-11-27"  # five working days after 21 November, a Saturday
    assert found["down"][0]["actions"][0] in (f"removal:{listing}", f"repair:{listing}")


def test_a_revoked_enterprise_is_not_removed_from_the_list(scheme):
    made = registered(status=2, industry=6513)
    listing = record(made, "abnormal_listing", ground=4).seq
    assert f"removal:{listing}" not in ids(told(scheme, made))


def test_missing_reports_can_be_filed_today(scheme):
    made = registered(established=date(2020, 3, 1), industry=6513, capital_fen=1_000_000_00)
    found = told(scheme, made)
    late = [id_ for id_ in ids(found) if id_.startswith("report:")]
    assert late[-1] == "report:2025"
    assert {action(found, id_)["on"] for id_ in late} == {TODAY.isoformat()}


def test_a_business_term_that_ran_out_can_be_extended(scheme):
    made = registered(established=date(2015, 3, 1), term_ends=date(2026, 6, 30), industry=6513)
    found = told(scheme, made)
    extended = [one for one in found["actions"] if one["id"].startswith("extension:")]
    assert [one["records"] for one in extended] == [[Record.get(Record.entity == made).seq]]
    assert "extend the business term" in extended[0]["en"]


def test_waiting_takes_the_reports_that_fall_due_for_filed(scheme, enterprise):
    record(enterprise, **HEAVY)
    found = told(scheme, enterprise)
    assert found["waiting"] is not None
    on = date.fromisoformat(found["waiting"]["on"])
    population = frames.population_as_known(enterprise, ledger.head())
    facts = frames.facts_of([enterprise], facts_needed(scheme), ledger.head())
    for year in range(2026, on.year):
        fact = facts.filter(pl.col("kind") == 7).head(1).with_columns(
            code=pl.lit(year, pl.Int32), day=pl.lit(day_number(date(year + 1, 6, 30)), pl.Int32),
            seq=pl.lit(10_000 + year, pl.Int64),
        )  # fmt: skip
        facts = pl.concat([facts, fact])
    days = pl.concat(
        population.with_columns(day=pl.lit(day, pl.Int32)) for day in range(day_number(TODAY), day_number(on) + 1)
    )
    graded = grade(days, facts, frames.coverage(ledger.head()), scheme)
    better = graded.filter(pl.col("class").replace_strict(dict(zip("ABCD", range(4), strict=True))) < "ABCD".index(found["class"]))  # fmt: skip
    assert day_of(better["day"][0]) == on


def test_who_stands_best_is_told_what_single_record_would_change_that(scheme, enterprise):
    found = told(scheme, enterprise)
    assert (found["class"], found["actions"], found["down"], found["waiting"]) == ("A", [], [], None)
    # The scale begins at 0, and 50 points below it are to be made up first.
    assert (found["score"], found["worse"]) == (0, 251 + 50)
    assert {one["id"] for one in found["up"]} <= {name for name, *_ in ways.TYPICAL}
    assert [one["class"] for one in found["up"]] == sorted(one["class"] for one in found["up"])


def test_an_explanation_of_older_knowledge_is_not_what_ways_are_told_from(scheme, enterprise):
    grading.everyone(scheme, day=TODAY, range_size=9, now=lambda: NOW)
    entity = Entity.get_by_id(enterprise)
    before = explanation.of(entity, scheme, today=TODAY)
    seq = record(enterprise, **HEAVY).seq
    found = ways.of(entity, scheme, before, today=TODAY)
    assert (before.explanation.class_, found["class"] > "A") == ("A", True)
    assert f"repair:{seq}" in ids(found)


def test_the_repair_of_a_listing_waits_until_what_a_law_restricts_its_party_for_is_over(scheme, enterprise):
    until = date(2029, 3, 1)
    seq = record(enterprise, "serious_listing", until=until.isoformat()).seq
    found = told(scheme, enterprise)
    assert action(found, f"repair:{seq}")["on"] > until.isoformat()
