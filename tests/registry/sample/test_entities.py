"""Entities: valid codes that nobody has, names that nobody bears, days in order."""

import re

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from registry.cells.checks import resident_id
from registry.identity import check_code
from registry.sample import Sample
from registry.sample.codes import credit_codes
from registry.sample.shape import load_shape
from tests.registry.sample.conftest import TODAY

FIRST = {"enterprise": "91", "individual": "92", "cooperative": "93"}
INNER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OUTER = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _checks_hold(code: str) -> bool:
    """Both check characters, written out as GB 32100 and GB 11714 have them and not as the generator does."""
    inner = 11 - sum(INNER.index(c) * w for c, w in zip(code[8:16], (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    outer = (31 - sum(OUTER.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17])) % 31) % 31
    return code[16] == {10: "X", 11: "0"}.get(inner, str(inner)) and code[17] == OUTER[outer]


def test_every_code_of_the_city_passes_both_checks_and_occurs_once(city: Sample):
    codes = city.entities["code"].to_list()
    assert len(set(codes)) == len(codes)
    assert all(map(_checks_hold, codes))


def test_the_first_two_characters_say_the_kind_and_the_division_is_nobodys(city: Sample):
    heads = city.entities.select("kind", head=pl.col("code").str.head(2)).unique().rows()
    assert set(heads) == set(FIRST.items())
    assert city.entities["code"].str.contains(r"^9[123]9901\d\d").all()
    # GB/T 2260 has no province 99.
    assert set(city.entities["division"]) == {f"99010{number}" for number in range(1, 8)}


def test_codes_are_codes_for_python_stdnum_and_for_the_registry(town: Sample):
    for code in town.entities["code"]:
        assert uscc.is_valid(code)
        assert not [fault for fault in check_code(code) if fault.refuses]
        assert resident_id(code) is None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(990100, 990107), st.booleans()), min_size=1, max_size=50),
    st.integers(0, 10**7),
)
def test_any_codes_are_valid_and_distinct(rows: list[tuple[int, int, bool]], offset: int):
    kind, division, old = (np.array(column) for column in zip(*rows, strict=True))
    codes = credit_codes(kind, division, old.astype(bool), offset)
    assert all(map(_checks_hold, codes))
    assert len(set(codes)) == len(rows)


def test_names_are_distinct_chinese_and_of_the_district(city: Sample):
    names = city.entities["name"]
    assert names.n_unique() == len(names)
    assert names.str.contains(r"^\p{Han}{6,24}$").all()
    shape = load_shape()
    places = "|".join([shape.table["place"]["city"], *(district.short for district in shape.districts)])
    assert names.str.contains(f"^({places})").all()


def test_forms_of_names_fit_the_kind(city: Sample):
    by_kind = {kind: rows["name"] for (kind,), rows in city.entities.group_by("kind")}
    assert by_kind["enterprise"].str.contains("(有限公司|股份有限公司)$").all()
    assert by_kind["cooperative"].str.ends_with("专业合作社").all()
    assert not by_kind["individual"].str.contains("公司|合作社").any()


def test_industries_are_four_digits_and_plausible_for_the_kind(city: Sample):
    assert city.entities["industry"].str.contains(r"^\d{4}$").all()
    farms = city.entities.filter(kind="cooperative")["industry"].str.starts_with("0")
    assert farms.mean() > 0.95
    shops = city.entities.filter(kind="individual")["industry"].str.contains("^(5|6[12]|8)")
    assert shops.mean() > 0.75


def test_districts_are_of_uneven_size(city: Sample):
    sizes = sorted(city.entities["division"].value_counts()["count"], reverse=True)
    assert len(sizes) == 7
    assert 3 < sizes[0] / sizes[-1] < 4


def test_an_office_belongs_to_the_district_and_an_address_lies_in_it(city: Sample):
    rows = city.entities.select("division", "office", "address").unique(["division", "office"])
    names = {district.code: district for district in load_shape().districts}
    for division, office, address in rows.iter_rows():
        assert office.startswith(names[division].short)
        assert re.fullmatch(
            f"信衡市{names[division].name}\\p{{Han}}+\\d+号\\d+[室铺]".replace(r"\p{Han}", r"[一-鿿]"), address
        )


def test_a_few_enterprises_share_an_address_with_five_to_fifty_others_and_hardly_anybody_else_shares_one(city: Sample):
    rows = city.entities.select("kind", "division", "address", together=pl.len().over("address"))
    shared = rows.filter(pl.col("together") > 5)
    assert set(shared["kind"]) == {"enterprise"}
    assert 0.027 < len(shared) / 123_096 < 0.033
    assert shared["together"].max() <= 51
    assert shared.group_by("address").agg(pl.col("division").n_unique())["division"].max() == 1
    by_chance = rows.filter((pl.col("together") > 1) & (pl.col("together") <= 5))
    assert len(by_chance) / len(rows) < 0.1


def test_individual_businesses_have_no_capital_and_most_enterprises_do(city: Sample):
    assert city.entities.filter(kind="individual")["capital_fen"].sum() == 0
    known = city.entities.filter(kind="enterprise")["capital_fen"] > 0
    assert 0.97 < known.mean() < 1


def test_entities_are_as_old_as_the_law_and_younger_than_today(city: Sample):
    assert city.entities["established"].max() < TODAY
    assert city.entities["established"].min().year >= 1979


def test_terms_end_after_they_began_and_few_have_run_out(city: Sample):
    terms = city.entities.drop_nulls("term_ends")
    assert (terms["term_ends"] > terms["established"]).all()
    assert 0.2 < len(terms) / 123_096 < 0.25
    assert 0 < (terms["term_ends"] < TODAY).mean() < 0.1
