"""The tour of a list: one street after the other, houses as numbers, and nothing that rests on a class."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.services import list_tour


def tour(*addresses: str) -> list[str]:
    return sorted(addresses, key=lambda address: list_tour.key("990101", address, "x"))


def test_house_numbers_compare_as_numbers():
    assert tour("云锦路101号", "云锦路9号", "云锦路10号") == ["云锦路9号", "云锦路10号", "云锦路101号"]


@pytest.mark.parametrize(
    ("address", "street"),
    [
        ("稷下市云锦区砚池街12号", "砚池街"),
        ("某省稷下市云锦区汀兰街道霁月路8号3幢", "霁月路"),
        ("稷下市云锦县棠梨镇缃帙村3组15号", "缃帙村"),
        ("信衡大道1号", "信衡大道"),
        ("中山路二巷9号", "中山路"),
        ("杼机巷 ７ 号", "杼机巷"),
        ("云锦区三号路12号", "3号路"),
        ("市场路5号", "市场路"),
        ("雲錦路5號", "云锦路"),
        ("示范园区B座", ""),
        ("", ""),
    ],
)
def test_the_street_is_read_out_of_an_address(address, street):
    assert list_tour.place(address).street == street


def test_one_street_stays_together_however_its_addresses_are_written():
    rows = tour(
        "稷下市云锦区霁月路２号", "汀兰路3号", "云锦区霁月路一百零一号", "霁月路十二号", "某园区B座", "汀兰路12号"
    )
    assert [list_tour.place(row).street for row in rows] == ["汀兰路"] * 2 + ["霁月路"] * 3 + [""]
    assert rows[2:5] == ["稷下市云锦区霁月路２号", "霁月路十二号", "云锦区霁月路一百零一号"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.sampled_from("省市区县镇街道路巷村号一二十0123456789９ ab"), max_size=24), max_size=6))
def test_any_address_has_its_place_and_any_two_compare(addresses):
    keys = sorted(list_tour.key("990101", one, one) for one in addresses)
    assert [key[-1] for key in keys] == sorted(addresses, key=lambda one: list_tour.key("990101", one, one))
