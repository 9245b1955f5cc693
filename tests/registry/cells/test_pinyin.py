"""How names are read: known words first, then a reading a character; letters are cut into syllables in every way there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells import pinyin
from registry.cells.names import names_an_enterprise, simplified


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("信衡市长沙食品", "xin heng shi chang sha shi pin"),
        ("重庆银行", "chong qing yin hang"),
        ("成长商行", "cheng zhang shang hang"),
        ("A·B(北方)3厂", "a b bei fang 3 chang"),
        ("", ""),
    ],
)
def test_a_name_is_read_by_the_words_in_it(name, read):
    assert " ".join(pinyin.syllables(name)) == read


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("xian", [("initials", "xian"), ("syllables", "xian"), ("syllables", "xi an")]),
        ("xhsp", [("initials", "xhsp")]),
        ("Xin Heng", [("initials", "xinheng"), ("syllables", "xin heng")]),
        ("xh", []),
        ("信衡sp", []),
        ("xh1", []),
        ("", []),
    ],
)
def test_letters_are_read_in_every_way(text, ways):
    assert pinyin.queries(text) == ways


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=200))
def test_no_letters_take_long_or_ask_for_much(text):
    assert len(pinyin.queries(text)) <= 9


@pytest.mark.parametrize("text", ["xian" * 50 + "v", "a" * 200, "xianan" * 30 + "i"])
def test_letters_that_end_in_nothing_are_not_tried_in_every_way(text):
    assert len(pinyin.queries(text)) <= 9


@given(st.text())
def test_the_index_holds_words_of_letters_and_digits_only(text):
    assert all(word.isalnum() and word.isascii() for word in pinyin.index_words(pinyin.syllables(text)).split())


@pytest.mark.parametrize(
    ("written", "simple"), [("廣東東昇質量", "广东东昇质量"), ("日昇", "日昇"), ("濛堃喆", "濛堃喆"), ("乾隆", "乾隆"), ("里裡", "里里"), ("ABC", "ABC")]
)  # fmt: skip
def test_traditional_characters_are_simplified_and_those_of_simplified_names_stay(written, simple):
    assert simplified(written) == simple


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=8))
def test_simplifying_twice_is_simplifying_once_and_keeps_the_length(text):
    assert simplified(simplified(text)) == simplified(text)
    assert len(simplified(text)) == len(text)


@given(
    *[st.text([chr(code) for code in range(0x4E00, 0x9FA5) if chr(code).encode("gb2312", "ignore")], max_size=4)] * 2
)
def test_two_simplified_names_never_become_one(one, other):
    assert (simplified(one) == simplified(other)) == (one == other)


@pytest.mark.parametrize(("name", "may"), [("张三", False), ("欧阳娜娜", False), ("阿卜·买买提", False), ("JOHNSMITH", False), ("王*", False),
                                          ("张三小吃", True), ("信衡示例有限公司", True), ("信衡食品加工", True), ("SMITHCO.LTD", True)])  # fmt: skip
def test_a_name_that_may_be_a_persons_is_not_an_enterprises(name, may):
    assert names_an_enterprise(name) is may
