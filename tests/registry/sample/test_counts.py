"""How many of what: the report's city exactly, other sizes in its proportions."""

import hashlib
import re
from datetime import date

import polars as pl
import pytest

from registry.sample import Sample, generate
from registry.sample.shape import in_proportion
from tests.registry.sample.conftest import TODAY

REPORTED = ["penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315", "annual_report"]
# The further kinds: records of the city, of the town, and whether the density multiplies them.
FURTHER = {
    "licence": (16_000, 454, False), "product_sampling": (6_000, 170, True), "registration_change": (14_000, 397, True),
    "certification": (9_000, 255, False), "standard_declared": (7_000, 199, False), "recall": (120, 3, True),
    "award": (2_500, 71, False), "satisfaction_survey": (2_500, 71, True), "outside_list": (8_200, 233, True),
    "accident": (160, 5, True), "relation": (60_000, 1_703, False),
}  # fmt: skip
# SHA-256 of the frames as they were before the further kinds came: their streams are their own.
BEFORE = {
    "penalty": "8639118405a186a9", "abnormal_listing": "2e7713c944a80ddb", "serious_listing": "6f77f0fe97bccdc8",
    "spot_check": "6d6aae602935ffd0", "item_12315": "d0df13f675e24860", "annual_report": "13ecc53c8de5e074",
    "entities": "5c93b0c409d538a4", "truth": "17424bf15e215681",
}  # fmt: skip
BEFORE_DENSE = {
    "penalty": "fe0f9ca0b42ddbf1", "abnormal_listing": "b9377e8fb56d36e3", "serious_listing": "499e6ccb8a08093a",
    "spot_check": "6dc25907323558e6", "item_12315": "4df5652db82f3f88", "annual_report": "951453241c1c7bd4",
    "entities": "7920d452a3b2a1e3", "truth": "3c0d552a7e42ecbc",
}  # fmt: skip


def _kinds(sample: Sample) -> dict[str, int]:
    return dict(sample.entities["kind"].value_counts().iter_rows())


def _listed(sample: Sample) -> set[int]:
    return set(sample.records["abnormal_listing"]["entity"].to_list())


def test_the_city_is_the_city_of_the_report(city: Sample):
    assert _kinds(city) == {"enterprise": 123_096, "individual": 295_117, "cooperative": 4_657}
    assert len(city.records["penalty"]) == 1_790
    assert len(city.records["spot_check"]) == 5_577
    assert len(city.records["item_12315"]) == 95_625
    assert len(_listed(city)) == 7_170
    assert set(city.entities["kind"].gather(sorted(_listed(city)))) == {"enterprise"}


def test_complaints_reports_and_consultations_are_in_the_proportion_of_2024(city: Sample):
    items = city.records["item_12315"]["code"].value_counts()
    shares = {code: count / 95_625 for code, count in items.iter_rows()}
    assert shares[1] == pytest.approx(0.4747, abs=1e-4)
    assert shares[2] == pytest.approx(0.1394, abs=1e-4)
    assert shares[3] == pytest.approx(0.3860, abs=1e-4)


def test_the_city_holds_about_1_3_million_records(city: Sample):
    assert 1_200_000 < sum(map(len, city.records.values())) < 1_400_000


def test_the_further_kinds_have_exactly_their_numbers(city: Sample, town: Sample):
    assert set(city.records) == {*REPORTED, *FURTHER}
    assert {kind: (len(city.records[kind]), len(town.records[kind])) for kind in FURTHER} == {
        kind: (whole, part) for kind, (whole, part, _) in FURTHER.items()
    }


@pytest.mark.parametrize(
    ("arguments", "before"), [({}, BEFORE), ({"density": 2.5, "seed": 7}, BEFORE_DENSE)], ids=["usual", "dense"]
)
def test_the_kinds_of_the_report_are_what_they_were_before_the_further_ones_came(arguments, before: dict[str, str]):
    sample = generate("town", today=TODAY, **arguments)
    frames = {kind: sample.records[kind] for kind in REPORTED}
    # Their purpose was not said then.
    plain = pl.col("detail_json").str.replace(',"purpose":"routine"', "", literal=True)
    frames["spot_check"] = frames["spot_check"].with_columns(plain)
    frames |= {"entities": sample.entities.drop("address"), "truth": sample.truth.drop("bayes")}
    now = {
        name: hashlib.sha256(frame.write_csv(float_precision=17).encode()).hexdigest()[:16]
        for name, frame in frames.items()
    }
    assert now == before


def test_of_the_licences_each_sort_has_its_share_and_nobody_has_two_of_one(city: Sample):
    licences = city.records["licence"]
    by_subject = dict(licences["code"].value_counts().iter_rows())
    assert by_subject == {1: 2_200, 2: 9_200, 3: 1_500, 4: 1_100, 5: 700, 7: 1_300}
    assert not licences.select("entity", "code").is_duplicated().any()
    makers = city.entities[licences.filter(code=1)["entity"].to_list()]
    assert set(makers["kind"]) == {"enterprise"}
    assert makers["industry"].str.contains("^1[345]").all()
    assert 0.01 < len(makers) / 123_096 < 0.02


def test_of_the_relations_each_type_has_its_number(city: Sample):
    by_type = dict(city.records["relation"]["code"].value_counts().iter_rows())
    assert by_type == {1: 40_000, 2: 12_000, 3: 5_500, 4: 2_500}


def test_a_few_enterprises_are_revoked_and_nobody_is_cancelled(city: Sample):
    status = city.entities.group_by("kind", "status").len().rows()
    assert {(kind, state) for kind, state, _ in status} == {
        ("enterprise", 1), ("enterprise", 2), ("individual", 1), ("cooperative", 1)
    }  # fmt: skip
    assert ("enterprise", 2, 492) in status


def test_a_few_dozen_enterprises_are_on_the_serious_list_each_for_a_serious_penalty(city: Sample):
    listed, penalties = city.records["serious_listing"], city.records["penalty"]
    assert len(listed) == 36
    grave = penalties.filter(severity=3).select("entity", "happened_on", "organ")
    assert len(listed.join(grave, on=["entity", "happened_on", "organ"], how="semi")) == 36


def test_most_of_the_listed_are_still_listed_and_few_for_two_grounds(city: Sample):
    rows = city.records["abnormal_listing"]
    still = rows.filter(pl.col("ends_on").is_null())
    assert 0.6 < still["entity"].n_unique() / 7_170 < 0.9
    assert 7_170 < len(rows) < 7_170 * 1.05


def test_penalties_are_concentrated_in_the_last_three_years(city: Sample):
    recent = city.records["penalty"].filter(pl.col("happened_on") > date(2023, 11, 21))
    assert 0.8 < len(recent) / 1_790 < 0.96


def test_the_town_has_the_proportions_of_the_city(town: Sample):
    assert _kinds(town) == {"enterprise": 3_493, "individual": 8_375, "cooperative": 132}
    assert len(town.records["penalty"]) == 51
    assert len(_listed(town)) == 203
    assert len(town.records["item_12315"]) == 2_714


def test_a_number_is_that_many_entities():
    for size in (1, 2, 7, 1_000):
        sample = generate(size, today=TODAY)
        assert len(sample.entities) == len(sample.truth) == size
        assert set(sample.records) == {*REPORTED, *FURTHER}


@pytest.mark.parametrize("density", [2.0, 8.5])
def test_density_multiplies_the_records(town: Sample, density: float):
    dense = generate("town", today=TODAY, density=density)
    assert dense.entities.equals(town.entities)
    assert len(dense.records["penalty"]) == round(51 * density)
    many, few = (sum(len(sample.records[kind]) for kind in REPORTED) for sample in (dense, town))
    assert many == pytest.approx(few * density, rel=0.01)
    grades = len(town.records["outside_list"].filter(code=6))
    assert len(dense.records["outside_list"].filter(code=6)) == grades == 114
    for kind, (_, single, grows) in FURTHER.items():
        if kind == "outside_list":
            assert len(dense.records[kind]) - grades == pytest.approx((single - grades) * density, abs=2)
            continue
        # The single number is rounded, and so is its multiple.
        assert len(dense.records[kind]) == (round(single * density) if grows else single), kind
    # One entity reports once on one year, however dense.
    assert not dense.records["annual_report"].select("entity", "code").is_duplicated().any()


def test_density_8_5_is_about_25_records_an_entity():
    dense = generate("town", today=TODAY, density=8.5)
    assert 24 < sum(map(len, dense.records.values())) / 12_000 < 26


def test_largest_remainders_add_up():
    assert in_proportion(10, (1, 1, 1)) == (4, 3, 3)
    assert in_proportion(1, (123_096, 295_117, 4_657)) == (0, 1, 0)
    assert sum(in_proportion(12_000, (123_096, 295_117, 4_657))) == 12_000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": "village"}, "There is no size 'village'. Give one of town, city, or a number of entities."),
        ({"size": 0}, "A district of 0 entities cannot be made. Give 1 or more."),
        ({"seed": -1}, "The seed -1 is negative. Give 0 or a greater whole number."),
        ({"density": 0}, "The density 0 is out of range. Give more than 0 and at most 50."),
        ({"density": 51}, "The density 51 is out of range. Give more than 0 and at most 50."),
        ({"density": float("nan")}, "The density nan is out of range. Give more than 0 and at most 50."),
    ],
)
def test_what_cannot_be_made_is_refused_with_what_can(wrong: dict[str, object], message: str):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        generate(**{"size": "town", "today": TODAY} | wrong)
