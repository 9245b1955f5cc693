"""Codes: every vector of GB 32100 that we know, what the reader says of any cell, and the ambiguous cases."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from registry.cells import checks
from registry.identity import (
    Identifier,
    check_code,
    check_organisation_code,
    check_registration_no,
    complete_code,
    fold_code,
    organisation_code,
    read_identifier,
)

VALID = """
91110000600037341L 91110000710925462X 91100000100003962T 914403001922038216 9144030071526726XG 91330100799655058B
91110000802100433B 91330203674737244W 91330282L07196379D 91330212066604667N 91330200561262545U 1133022500296433XT
11230500001755309F 123502001549897397 11420000MB15291767 92610822MA707NAX4Q 91230500MA1B3N1N2M 91320105780688132K
91440101MA5CJQ4N59 91110108551385082Q 9152000071430580XT 913502000728319549 911522010783762860 91620105L015101280
91340600MA2PBP2120 9133000009281377XX
""".split()  # noqa: SIM905
SYNTHETIC = [
    "N2330602MF1234567L",
    "Y1110000MF1234567X",
    "A1110000MF1234567J",
    "54330000MF12345674",
    "93330602MF1234567Y",
]
PILOT = ["91350100M0001TGQXM", "91350211M0000XUF46", "91350203M0001FUE2P", "91350203M0001QAY9B"]
REGISTRATION_NOS = """
330203000030639 330200600002522 330200400070010 331000000033855 330122000076968 331022000026894 331021000086743
331100000041341 330000000063296 110000000343473 331122000007855 110108000000016
""".split()  # noqa: SIM905

codes = st.text(checks.CREDIT_ALPHABET, min_size=17, max_size=17).map(complete_code)


def refusals(code: str) -> list[str]:
    return [fault.reason for fault in check_code(code) if fault.refuses]


def resident(division: str, born: date, serial: int) -> str:
    """A made-up resident id with the right check character."""
    first17 = f"{division}{born:%Y%m%d}{serial:03}"
    return first17 + checks.resident_check(first17)


residents = st.builds(
    resident,
    st.sampled_from(["110108", "330602", "659001", "440300"]),
    st.dates(date(1900, 1, 1), date(2049, 12, 31)),
    st.integers(0, 999),
)


@pytest.mark.parametrize("code", VALID)
def test_a_code_in_order_has_no_fault(code):
    assert check_code(code) == ()
    assert read_identifier(code) == Identifier("credit_code", code)


@pytest.mark.parametrize("code", SYNTHETIC)
def test_unusual_but_lawful_prefixes_are_accepted(code):
    assert refusals(code) == []
    assert read_identifier(code).kind == "credit_code"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("91110000600037341N", "L"),
        ("A1110000600037341L", "K"),
        ("91440100MA59KLMN78", "L"),
        ("91110000100003962T", "Y"),
    ],
)
def test_a_wrong_check_character_is_refused_and_the_right_one_named(code, expected):
    assert refusals(code) == ["check"]
    assert f"should be {expected}" in check_code(code)[0].message
    assert read_identifier(code).kind == "unusable"


def test_letters_that_no_code_contains_are_named_with_their_position():
    faults = check_code("9111000060003IOZSV")
    assert [fault.reason for fault in faults] == ["charset"] * 5
    assert faults[0].message == "Character 14 is 'I', which no code contains (perhaps 1 is meant)."


def test_a_short_code_is_refused_with_both_lengths():
    (fault,) = check_code("12345")
    assert fault.reason == "length"
    assert fault.message == "A unified social credit code has 18 characters, this has 5."


@pytest.mark.parametrize("code", PILOT)
def test_a_fujian_pilot_code_is_accepted_with_a_warning(code):
    read = read_identifier(code)
    assert read.kind == "credit_code"
    assert [warning.reason for warning in read.warnings] == ["pilot"]


def test_an_ordinary_code_of_fujian_gets_no_pardon_for_a_wrong_check_character():
    code = complete_code("91350203MA000123" + checks.organisation_check("MA000123"))
    wrong = code[:17] + ("0" if code[17] != "0" else "1")
    assert refusals(wrong) == ["check"]


def test_an_unknown_prefix_and_a_wrong_inner_check_are_warnings_only():
    code = complete_code("99110000600037342")
    assert [(fault.reason, fault.refuses) for fault in check_code(code)] == [
        ("inner_check", False),
        ("unknown_prefix", False),
    ]
    assert read_identifier(code).kind == "credit_code"


@given(codes)
def test_a_completed_code_has_a_right_check_character(code):
    assert "check" not in refusals(code)


@given(codes, st.integers(0, 17), st.sampled_from(checks.CREDIT_ALPHABET))
def test_any_single_wrong_character_is_caught(code, position, other):
    changed = code[:position] + other + code[position + 1 :]
    assert checks.credit_check_holds(changed) == (changed == code)


@given(codes, st.integers(0, 16))
def test_any_two_neighbours_that_change_places_are_caught(code, i):
    changed = code[:i] + code[i + 1] + code[i] + code[i + 2 :]
    assert checks.credit_check_holds(changed) == (changed == code)


@pytest.mark.parametrize("first17", ["", "9111000060003734", "9111000060003734O", "91110000600037341L"])
def test_a_code_is_completed_only_from_seventeen_characters_of_the_alphabet(first17):
    with pytest.raises(ValueError, match="17 characters"):
        complete_code(first17)


@given(codes)
def test_stdnum_agrees_on_every_code_that_begins_with_eight_digits(code):
    if code[:8].isdigit():
        assert uscc.is_valid(code)


@pytest.mark.parametrize("code", SYNTHETIC[:3])
def test_stdnum_is_wrong_about_the_prefixes_n_y_and_a(code):
    # python-stdnum 2.2 wants eight digits in front; GB 32100 gives N, Y and A to departments.
    with pytest.raises(ValidationError):
        uscc.validate(code)
    assert check_code(code) == () or refusals(code) == []


def test_stdnum_does_not_see_a_wrong_inner_check():
    code = complete_code("91110000600037342")
    assert uscc.is_valid(code)
    assert [fault.reason for fault in check_code(code)] == ["inner_check"]


def test_stdnum_does_not_fold_full_width_letters():
    wide = "９１１１００００６０００３７３４１Ｌ"
    assert not uscc.is_valid(wide)
    assert read_identifier(wide).value == "91110000600037341L"


@given(residents)
def test_stdnum_agrees_on_the_check_character_of_resident_ids(number):
    assert ric.calc_check_digit(number) == number[17]


@pytest.mark.parametrize(
    "text",
    [
        " 91110000600037341l ",
        "９１１１００００６０００３７３４１Ｌ",
        "91110000-60003734-1L",
        "9111 0000 6000 3734 1L",
        "\ufeff91110000600037341L\u200b",
        "91110000\u00a0600037341L\u3000",
        "'91110000600037341L",
        '="91110000600037341L"',
        "91110000600037341L\t\r\n",
        "统一社会信用代码：91110000600037341L",
        "91110000600037341L（1-1）",
    ],
)
def test_dirt_around_and_inside_a_code_is_folded_away(text):
    assert read_identifier(text) == Identifier("credit_code", "91110000600037341L")


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text):
    assert fold_code(fold_code(text)) == fold_code(text)


@given(st.text(max_size=60) | st.text("0123456789X-/() ", max_size=40))
def test_no_cell_makes_the_reader_fail_or_quote_a_long_number(text):
    read = read_identifier(text)
    digits = [run for run in "".join(c if c.isdigit() else " " for c in text).split() if len(run) >= 15]
    assert not any(run in read.message for run in digits)


@pytest.mark.parametrize("number", REGISTRATION_NOS)
def test_a_valid_registration_number_is_one(number):
    assert check_registration_no(number)
    read = read_identifier(number)
    assert read.kind == "registration_no"
    assert read.value == number


def test_a_registration_number_with_a_wrong_check_digit_is_unusable_and_the_right_one_named():
    assert not check_registration_no("330100000001101")
    read = read_identifier("330100000001101")
    assert read.kind == "unusable"
    assert "should be 2, not 1" in read.message


@given(st.text("0123456789", min_size=14, max_size=14), st.integers(0, 14), st.sampled_from("0123456789"))
def test_any_single_wrong_digit_of_a_registration_number_is_caught(first14, position, other):
    number = first14 + checks.registration_check(first14)
    changed = number[:position] + other + number[position + 1 :]
    assert check_registration_no(changed) == (changed == number)


def test_the_registration_number_of_an_old_cooperative_is_accepted_unchecked():
    read = read_identifier("331022NA001053X")
    assert read.kind == "registration_no"
    assert [warning.reason for warning in read.warnings] == ["unchecked"]


@pytest.mark.parametrize(
    "text", ["110108000000016(1-1)", "110108000000016（1－1） ", "110108000000016号", "110108000000016 1/2"]
)
def test_the_count_of_originals_behind_a_registration_number_is_dropped(text):
    assert read_identifier(text) == Identifier("registration_no", "110108000000016")


def test_thirteen_digits_of_a_known_province_are_an_old_registration_number():
    assert read_identifier("1101082345678").kind == "registration_no_13"
    assert read_identifier("0001082345678").kind == "unusable"


@pytest.mark.parametrize("code", VALID)
def test_the_organisation_code_inside_is_valid_on_its_own(code):
    inner = organisation_code(code)
    assert check_organisation_code(inner)
    read = read_identifier(f"{inner[:8]}-{inner[8]}")
    assert read.kind == "organisation_code"
    assert read.value == inner


def test_fifteen_characters_that_hold_an_organisation_code_are_a_taxpayer_number():
    assert read_identifier("110108051385082").kind == "unusable"
    read = read_identifier("110108551385082")
    assert read.kind == "taxpayer_no"
    assert organisation_code(read.value) == "551385082"


def test_an_organisation_code_is_taken_from_two_lengths_only():
    with pytest.raises(ValueError, match="this has 9"):
        organisation_code("551385082")


# --- personal numbers in the code column -----------------------------------------------------------------------------

PERSON = resident("110108", date(1985, 3, 7), 21)


@pytest.mark.parametrize(
    "text",
    [
        PERSON,
        PERSON + "01",
        PERSON[:6] + PERSON[8:17],
        PERSON[:6] + PERSON[8:17] + "01",
        PERSON[:17],
        f" {PERSON[:6]} {PERSON[6:14]} {PERSON[14:]} ",
        f"身份证{PERSON}",
        f"个体户{PERSON}号",
        PERSON.translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")),
    ],
)
def test_every_form_of_a_resident_id_is_the_same_person(text):
    read = read_identifier(text)
    assert (read.kind, read.value) == ("person", PERSON)
    assert not read.usable


@given(residents)
def test_a_resident_id_is_never_taken_for_anything_else(number):
    assert read_identifier(number).kind == "person"


@given(residents.filter(lambda number: number[6:8] == "19" and number[8] != "0"))
def test_the_old_fifteen_digits_lead_to_the_same_person(number):
    assert read_identifier(number[:6] + number[8:17]).value == number


def test_a_mistyped_resident_id_is_still_personal():
    wrong = PERSON[:17] + ("0" if PERSON[17] != "0" else "1")
    assert read_identifier(wrong).kind == "person"


def test_a_resident_id_that_passes_as_a_credit_code_by_chance_is_a_person():
    numbers = (resident("111120", date(1950, 1, 1) + timedelta(days=d), s) for d in range(400) for s in range(60))
    chance = next(number for number in numbers if checks.is_credit_code(number))
    assert check_code(chance) == ()
    assert read_identifier(chance).kind == "person"


def test_a_credit_code_whose_digits_could_be_a_birthday_stays_a_credit_code():
    heads = (f"911301{year}{month:02}{n:02}" for year in (1950, 2001) for month in range(1, 13) for n in range(1, 28))
    inner = (head[:8] + head[8:14] + f"{n:02}" for head in heads for n in range(100))
    found = (complete_code(head + checks.organisation_check(head[8:16])) for head in inner if len(head) == 16)
    code = next(code for code in found if code.isdigit() and checks.resident_check(code[:17]) == code[17])
    assert read_identifier(code) == Identifier("credit_code", code)


def test_an_all_digit_credit_code_is_no_person():
    assert read_identifier("913502000728319549") == Identifier("credit_code", "913502000728319549")


def test_the_permanent_residence_card_of_a_foreigner_is_a_person():
    first17 = "931840" + "19850307" + "021"
    assert read_identifier(first17 + checks.resident_check(first17)).kind == "person"


def test_a_birthday_that_is_also_a_valid_registration_number_is_a_person_who_may_be_looked_up():
    number = "33020360010112" + checks.registration_check("33020360010112")
    assert check_registration_no(number)
    read = read_identifier(number)
    assert read.kind == "person"
    assert (read.or_kind, read.or_value) == ("registration_no", number)


def test_the_registration_number_of_a_company_never_looks_like_a_birthday():
    # The seventh digit of companies is 0: 330203 00 01 01 …; nobody born before 1910 trades today.
    first14 = "33020300010112"
    assert read_identifier(first14 + checks.registration_check(first14)).kind == "registration_no"


def test_a_person_beside_a_registration_number_is_personal_but_the_number_is_not_lost():
    read = read_identifier(f"110108000000016/{PERSON}")
    assert (read.kind, read.value) == ("person", PERSON)
    assert read.beside == Identifier("registration_no", "110108000000016")


def test_a_masked_number_beside_a_registration_number_is_a_warning():
    read = read_identifier("110108000000016/(个人证件号) ")
    assert (read.kind, read.value) == ("registration_no", "110108000000016")
    assert [warning.reason for warning in read.warnings] == ["masked"]


def test_neither_repr_nor_message_shows_a_person():
    read = read_identifier(PERSON)
    assert PERSON not in repr(read) + read.message


@pytest.mark.parametrize(
    "text", ["(个人证件号)", "（个人证件号）", "***", "1101************", "110108(电话)", "3301XXXXXXXX"]
)
def test_masked_cells_are_known_as_such(text):
    assert read_identifier(text).kind == "masked"


@pytest.mark.parametrize(
    "text", ["", " ", "无", "无 ", "N/A", "n/a", "-", "——", "0", "/", "暂无", "NULL", "\u3000", "\u200b", "nan"]
)
def test_the_many_ways_to_say_nothing_are_blank(text):
    assert read_identifier(text) == Identifier("blank")


@pytest.mark.parametrize("text", ["13800138000", "138-0013-8000", "+8613800138000", "010-62345678", "0575 8123 4567"])
def test_a_telephone_number_in_the_code_column_is_one(text):
    assert read_identifier(text).kind == "phone"


@pytest.mark.parametrize("text", ["9.1E+17", "9.11100006000373E+17", "9.1e17", "911100006000373410.0"])
def test_a_code_that_a_spreadsheet_turned_into_a_number_says_what_to_do(text):
    read = read_identifier(text)
    assert read.kind == "spreadsheet_number"
    assert "format the column as text in the source and export it again" in read.message


def test_a_code_rounded_to_fifteen_digits_says_so():
    read = read_identifier("913502000728319000")
    assert [fault.reason for fault in read.faults if fault.refuses] == ["check", "rounded"]


def test_fifteen_digits_survive_a_spreadsheet():
    assert read_identifier("110108000000016.0") == Identifier("registration_no", "110108000000016")
