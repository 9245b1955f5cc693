"""Personal numbers: found in every form, masked, and nothing else touched. All numbers here are made up."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells import CellError, checks
from registry.cells.personal import find_personal, keyed_hash, mask_personal
from tests.registry.test_identity import PERSON, PILOT, REGISTRATION_NOS, SYNTHETIC, VALID, resident

OLD = PERSON[:6] + PERSON[8:17]
CARD = next(f"622202020000{n:07}" for n in range(10) if checks.passes_luhn(f"622202020000{n:07}"))
KEY = b"a key of the tests, 32 bytes ...."


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"当事人身份证号{PERSON}。", "当事人身份证号(个人证件号)。"),
        (f"{OLD}，{OLD}01，{PERSON}01", "(个人证件号)，(个人证件号)，(个人证件号)"),
        (f"证件{PERSON[:6]} {PERSON[6:14]} {PERSON[14:]}号", "证件(个人证件号)号"),
        (f"ID{PERSON}x", "ID(个人证件号)x"),
        ("电话13800138000", "电话(电话)"),
        ("１３８００１３８０００", "(电话)"),
        ("手机 138-0013-8000 或 138 0013 8000", "手机 (电话) 或 (电话)"),
        ("+86 13800138000", "(电话)"),
        ("座机010-62345678，0575 8123456", "座机(电话)，(电话)"),
        ("（0575）81234567转801", "(电话)"),
        ("联系电话：81234567", "联系电话：(电话)"),
        ("写信到 someone.x@example.com 。", "写信到 (邮箱) 。"),
        (f"账号{CARD}", "账号(银行卡号)"),
        (f"卡号 {CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:16]} {CARD[16:]}", "卡号 (银行卡号)"),
    ],
)
def test_personal_numbers_are_masked_wherever_they_stand(text, masked):
    assert mask_personal(text) == masked


@pytest.mark.parametrize("text", [*VALID, *SYNTHETIC, *PILOT, *REGISTRATION_NOS])
def test_numbers_of_enterprises_are_left_alone(text):
    assert mask_personal(f"代码{text}，") == f"代码{text}，"


@pytest.mark.parametrize(
    "text",
    [
        "某市监处罚〔2020〕13800138000号",
        "某税罚第13912345678号",
        "罚款13800138000元",
        "货值13800138000.50元",
        "2024-03-08 10:20:30",
        "20240308101010",
        "1709913599000",
        "拨打12315或12345",
        "0b13800e-1380-4138-8001-13800138000a",
        "1,234,567,890.12",
        "规格110108*1985*0307",
    ],
)
def test_documents_amounts_and_days_are_left_alone(text):
    assert mask_personal(text) == text


def test_fifteen_digits_named_as_a_registration_number_are_left_alone_although_they_could_be_a_birthday():
    number = "33020360010112" + checks.registration_check("33020360010112")
    assert mask_personal(f"注册号：{number}") == f"注册号：{number}"
    assert mask_personal(f"证件：{number}") == "证件：(个人证件号)"


@given(
    st.dates(date(1900, 1, 1), date(2049, 12, 31)),
    st.integers(0, 999),
    st.text("甲乙，。 abc(", max_size=8).filter(lambda text: not text.endswith(tuple("0123456789"))),
    st.text("甲乙，。 (", max_size=8),
)
def test_no_digit_of_a_resident_id_survives_in_any_sentence(born, serial, before, after):
    number = resident("330602", born, serial)
    assert not any(c.isdigit() for c in mask_personal(before + number + after))


@given(st.text(max_size=60) | st.text("0123456789-X @.元号", max_size=60))
def test_masking_twice_is_masking_once(text):
    assert mask_personal(mask_personal(text)) == mask_personal(text)


@given(st.text("0123456789-X @.a元号（）", max_size=60))
def test_spans_are_in_order_and_never_overlap(text):
    spans = find_personal(text)
    assert all(one.end <= other.start for one, other in pairwise(spans))


def test_a_keyed_hash_is_stable_and_differs_by_key_and_value():
    one = keyed_hash(PERSON, KEY)
    assert one == keyed_hash(PERSON, KEY)
    assert len(one) == 64
    assert len({one, keyed_hash(PERSON, KEY[::-1]), keyed_hash(OLD, KEY)}) == 3


def test_a_key_that_can_be_guessed_is_refused():
    with pytest.raises(ValueError, match="at least 16 bytes"):
        keyed_hash(PERSON, b"short")


def test_an_error_about_a_cell_never_shows_a_person_not_even_half_of_one():
    error = CellError("This is not a day", "x" * 50 + PERSON + "y" * 50, "Write a day.")
    assert not any(character.isdigit() for character in str(error))
    assert len(error.text) <= 60


@pytest.mark.parametrize("text", ["a" * 50_000 + "@", "1 " * 50_000, "1" * 50_000, "a@b." * 10_000, "010-" * 20_000])
def test_a_long_hostile_text_is_read_in_linear_time(text):
    # Quadratic reading of these would take minutes, and the suite would notice.
    assert mask_personal(mask_personal(text)) == mask_personal(text)
