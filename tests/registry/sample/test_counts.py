"""How many of what: the report's city exactly, other sizes in its proportions."""

import re
from datetime import date

import polars as pl
import pytest

from registry.sample import Sample, generate
from registry.sample.shape import in_proportion
from tests.registry.sample.conftest import TODAY


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
        assert set(sample.records) == {
            "penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315", "annual_report"
        }  # fmt: skip


@pytest.mark.parametrize("density", [2.0, 8.5])
def test_density_multiplies_the_records(town: Sample, density: float):
    dense = generate("town", today=TODAY, density=density)
    assert dense.entities.equals(town.entities)
    assert len(dense.records["penalty"]) == round(51 * density)
    per_entity = sum(map(len, dense.records.values())) / 12_000
    single = sum(map(len, town.records.values())) / 12_000
    assert per_entity == pytest.approx(single * density, rel=0.01)
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
