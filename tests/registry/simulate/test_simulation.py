"""Half a year of a small district under every policy: one simulation that all these tests look at."""

import dataclasses
import xml.etree.ElementTree as ET

import numpy as np
import orjson
import polars as pl
import pytest

from registry.clock import day_number
from registry.sample import LATENT, LATENT_B, load_latent
from registry.sample.shape import load_shape
from registry.simulate import measures, rates, world
from registry.simulate.asked import Asked, SimulationRefused
from registry.simulate.pictures import pictures
from registry.simulate.policies import POLICIES, slice_of
from registry.simulate.projected import CHECK, DETAIL
from registry.simulate.run import TABLE, plan, simulate
from rules import scheme as schemes
from rules.inspection import frequency
from tests.suite import ROOT

SMALL = Asked(entities=1500, months=6, visits=60)
LEAST = Asked(entities=600, months=2, visits=20, policies=("class",))


@pytest.fixture(scope="module")
def made():
    return simulate(SMALL)


@pytest.fixture(scope="module")
def report(made):
    return measures.report(made, coverage=400)


# --- what is simulated ---


def test_every_policy_makes_the_same_number_of_visits(report):
    assert {one["visits"] for one in report["policies"].values()} == {6 * 60}
    assert [*report["policies"]] == [*POLICIES]


def test_nobody_is_visited_twice_in_a_month_or_beyond_the_annual_cap(made, report):
    for name, track in made.tracks.items():
        for month in track.months:
            assert np.unique(month.chosen.everybody).size == 60, name
        assert report["policies"][name]["beyond_cap"] == 0
        assert report["policies"][name]["most_in_a_year"] <= made.cap


def test_class_and_model_finds_at_least_one_and_a_half_times_what_random_finds(report):
    assert report["policies"]["class+model"]["times_random"] >= 1.5


def test_so_it_does_where_the_planted_risk_is_another():
    other = measures.report(simulate(dataclasses.replace(SMALL, parameters="latent_b", policies=("class+model",))))
    assert other["parameters_sha256"] == load_latent(LATENT_B).sha256
    assert other["policies"]["class+model"]["times_random"] >= 1.5


def test_the_model_was_trained_on_what_was_on_record_before_the_first_month(report):
    (note,) = report["policies"]["class+model"]["model"]
    assert note["on"] == "2026-01-01"
    assert note["visits"] <= 24 * 60 + 20  # the visits by lot of two years, and a few of the sample's own
    assert "refused" not in note
    assert all(not one["model"] for name, one in report["policies"].items() if name != "class+model")


def test_an_office_with_too_few_visits_has_no_model_and_says_so():
    few = simulate(dataclasses.replace(LEAST, policies=("class+model",), visits=5))
    (note,) = few.tracks["class+model"].model
    assert "500 visits" in note["refused"]


def test_two_policies_that_visit_the_same_entity_in_the_same_month_find_the_same(made):
    for one, other in zip(made.tracks["class"].months, made.tracks["greedy"].months, strict=True):
        both = np.intersect1d(one.chosen.everybody, other.chosen.everybody)
        assert (one.luck.fails[both] == other.luck.fails[both]).all()
        assert (one.luck.day[both] == other.luck.day[both]).all()


def test_findings_are_as_frequent_as_planted(made):
    month = made.tracks["random"].months[0]
    risky = made.of.chance > 0.3
    assert month.luck.fails[risky].mean() > 3 * month.luck.fails[~risky].mean()
    assert abs(month.luck.fails.mean() - made.of.chance.mean()) < 0.03


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    first, again, other = (
        orjson.dumps(measures.report(simulate(one))) for one in (LEAST, LEAST, dataclasses.replace(LEAST, seed=2))
    )
    assert first == again
    assert first != other


def test_another_policy_beside_it_changes_nothing_of_a_policy(made):
    alone = simulate(dataclasses.replace(SMALL, policies=("class",)))
    assert [*alone.tracks] == ["random", "class"]
    for one, other in zip(alone.tracks["class"].months, made.tracks["class"].months, strict=True):
        assert one.chosen.everybody.tolist() == other.chosen.everybody.tolist()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"policies": ("best",)}, "no policy 'best'"),
        ({"parameters": "latent_c"}, "latent_b"),
        ({"entities": 10}, "Give 500 to"),
        ({"months": 0}, "months"),
        ({"visits": 400}, "Give 1 to 150"),
        ({"seed": -1}, "seed"),
        ({"first": SMALL.first.replace(day=2)}, "first day of a month"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_what_to_give(wrong, said):
    with pytest.raises(SimulationRefused, match=said):
        simulate(dataclasses.replace(SMALL, **wrong))


def test_before_the_table_has_a_cap_nothing_is_simulated():
    scheme = schemes.load(ROOT / "rules" / "book" / "general-risk")
    with pytest.raises(SimulationRefused, match="no annual cap"):
        plan(frequency.read(TABLE), scheme, day_number(SMALL.first.replace(year=2024)))


def test_without_a_number_the_frequency_table_says_how_many_visits_a_month_has():
    got = simulate(dataclasses.replace(LEAST, visits=None, entities=3000, months=1))
    scheme = schemes.load(ROOT / "rules" / "book" / "general-risk")
    ratios = plan(frequency.read(TABLE), scheme, got.of.months[got.of.lead]).ratios
    rank = got.tracks["random"].months[0].rank
    # The visits by lot of the lead-in moved a few from class to class.
    asked = sum(ratios[place] * int((rank == place).sum()) for place in ratios) / 10_000 / 12
    assert abs(got.visits - asked) <= 2


# --- the district ---


def test_the_lengthened_shape_is_as_dense_so_many_days_before_its_end_as_the_shape_was():
    shape = load_shape()
    longer = world.lengthened(shape, 700)
    for name, count in (("penalty", "penalty"), ("item_12315", "item_12315"), ("listing", "listed")):
        for ago in (0, 200, 900):
            before = np.interp(ago, shape.windows[name].days, shape.windows[name].share) * shape.counts[count]
            of = longer.windows[name]
            after = (np.interp(700 + ago, of.days, of.share) - np.interp(700, of.days, of.share)) * longer.counts[count]
            assert after == pytest.approx(before, abs=1.5)


def test_no_check_of_the_samples_own_falls_into_the_simulated_months(made):
    checks = made.of.facts.filter(pl.col("kind").is_in((CHECK, DETAIL)))
    assert checks.height > 0
    assert checks["day"].max() < made.of.months[made.of.lead]


def test_nothing_is_known_of_a_day_before_it_has_come(made):
    day = made.of.months[made.of.lead] - 1
    month = made.tracks["class"].months[0]
    who = month.chosen.everybody
    visits = [world.visit_facts(who, month.luck, np.ones(who.size), 10**6)]
    before, after = world.known(made.of, visits, day), world.known(made.of, visits, day + 40)
    assert before["day"].max() <= day
    assert 2 * who.size <= after.filter(pl.col("seq") >= 10**6).height <= 3 * who.size
    open_then = before.filter((pl.col("kind") == 6) & (pl.col("code") < 3) & (pl.col("ends") > day))
    assert (open_then["severity"] <= 1).all()


def test_a_visit_is_a_check_its_detail_with_the_inclusion_and_a_problem_where_one_was_found(made):
    month = made.tracks["random"].months[0]
    who = month.chosen.by_lot
    facts = world.visit_facts(who, month.luck, month.chosen.inclusion, 7)
    details = facts.filter((pl.col("kind") == DETAIL) & (pl.col("severity") == 0))
    assert details["amount"].unique().to_list() == [round(1_000_000 * 60 / month.pool.sum())]
    assert facts.filter(pl.col("kind") == CHECK)["seq"].to_list() == [*range(7, 67)]
    problems = facts.filter((pl.col("kind") == DETAIL) & (pl.col("severity") > 0))
    assert set(problems["entity"] - 1) == set(who[month.luck.fails[who]])


# --- rates ---


def test_of_400_seeds_the_unbiased_intervals_hold_the_truth_368_to_392_times(report):
    every = report["coverage"]["class+model"][-1]
    assert (every["class"], every["given"]) == ("all", 400)
    assert 368 <= every["held"] <= 392


def test_the_naive_intervals_of_a_list_by_risk_hold_the_truth_of_all_hardly_ever(report):
    for name in ("class+model", "greedy"):
        assert report["coverage"][name][-1]["naive"] < 40, name
    assert {row["given"] for row in report["coverage"]["greedy"]} == {0}


def test_going_back_to_where_something_was_found_believes_more_than_is_so(report):
    *_, every = report["policies"]["greedy"]["classes"]
    assert every["naive_low"] > every["truth"]
    assert every["rate"] is None


def test_an_estimate_is_given_only_where_the_lot_drew_enough_of_a_class(made, report):
    rows = {row["class"]: row for row in report["policies"]["class"]["classes"]}
    lot = np.concatenate([month.rank[month.chosen.by_lot] for month in made.tracks["class"].months])
    for rank, name in enumerate(made.classes):
        assert (rows[name]["rate"] is not None) == (int((lot == rank).sum()) >= rates.LEAST)
    assert rows["A"]["low"] <= rows["A"]["rate"] <= rows["A"]["high"]


def test_the_visits_by_lot_stand_for_everybody_in_the_pool(made):
    for name in ("random", "class", "class+model"):
        drawn = rates.sampled(made.tracks[name]).drawn
        assert drawn.sizes is not None
        assert drawn.sizes.sum() == sum(int(month.pool.sum()) for month in made.tracks[name].months)
        assert (drawn.inclusion == 1).sum() == (0 if name == "random" else 6 * (60 - slice_of(60)))


# --- what is told ---


def test_counts_add_up(report):
    for one in report["policies"].values():
        assert one["by_month"][-1] == one["violations"] == one["classes"][-1]["found"]
        assert one["entities_by_month"][-1] == one["entities_found"] <= one["violations"]
        assert sum(one["visited"]) == report["entities"][1]
        assert sum(row["visits"] for row in one["classes"][:-1]) == one["visits"] == one["classes"][-1]["visits"]
        assert one["per_100_low"] < one["per_100"] < one["per_100_high"]


def test_random_is_no_earlier_than_itself(report):
    same = report["policies"]["random"]
    assert (same["earlier"]["days"], same["times_random"]) == (0, 1)
    assert same["as_many_days"] < report["policies"]["class+model"]["as_many_days"]


def test_several_seeds_give_the_mean_and_its_interval():
    got = measures.over_seeds(LEAST, (1, 2))["class"]["times_random"]
    one, other = got["values"]
    assert got["mean"] == pytest.approx((one + other) / 2, abs=1e-4)
    # Student's t of one degree of freedom: 12.706 times the standard error of two values.
    assert got["high"] - got["mean"] == pytest.approx(12.706 * abs(one - other) / 2, abs=0.01)


def test_the_pictures_are_whole_and_name_every_policy_in_both_languages(report):
    drawn = pictures(report)
    assert [*drawn] == ["findings", "rates", "visits"]
    for name, svg in drawn.items():
        words = " ".join(ET.fromstring(svg).itertext())  # noqa: S314 (made here)
        for policy in POLICIES.values() if name != "rates" else (POLICIES["greedy"], POLICIES["class+model"]):
            assert policy.title.zh in words
            assert policy.title.en in words
    assert drawn == pictures(report)


def test_the_default_parameters_are_those_of_the_sample(made):
    assert made.latent_sha256 == load_latent(LATENT).sha256
