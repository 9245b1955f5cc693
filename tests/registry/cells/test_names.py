"""Names and document numbers: what is the same compares equal, and what is searched is found."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name, search_phrase, search_tokens


@pytest.mark.parametrize(
    "text",
    [
        "示例（绍兴）ＡＢ有限公司",
        "示例(绍兴)ab有限公司 ",
        "示例〔绍兴〕AB 有限公司。",
        "示例【绍兴】Ab\u200b有限公司",
        "\ufeff示例（绍兴)AB有限公司,",
    ],
)
def test_ways_of_writing_one_name_fold_to_one(text):
    assert fold_name(text) == "示例(绍兴)AB有限公司"


def test_different_names_stay_different():
    assert fold_name("示例(绍兴)公司") != fold_name("示例(嘉兴)公司")
    assert fold_name("甲·乙店") == fold_name("甲•乙店") != fold_name("甲乙店")


@given(st.text(max_size=40))
def test_folding_a_name_twice_is_folding_it_once(text):
    assert fold_name(fold_name(text)) == fold_name(text)


def test_tokens_are_single_characters_without_brackets():
    assert search_tokens("甲（乙）3A店") == "甲 乙 3 A 店"


@given(st.text(alphabet='甲乙丙丁AB3（）·𠮷\ue000 "*-', min_size=1, max_size=12), st.data())
def test_fts5_finds_a_name_by_any_part_of_it(name, data):
    start = data.draw(st.integers(0, len(name) - 1))
    part = name[start : data.draw(st.integers(start + 1, len(name)))]
    phrase = search_phrase(part)
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE n USING fts5(name, tokenize='unicode61')")
    db.execute("INSERT INTO n VALUES (?)", (search_tokens(name),))
    if phrase is not None:
        assert db.execute("SELECT count(*) FROM n WHERE n MATCH ?", (phrase,)).fetchone() == (1,)
    db.close()


def test_a_phrase_finds_only_characters_that_stand_together():
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE n USING fts5(name, tokenize='unicode61')")
    db.executemany(
        "INSERT INTO n VALUES (?)", [(search_tokens(name),) for name in ("甲乙商店", "乙甲商店", "甲丙乙商店")]
    )
    assert db.execute("SELECT count(*) FROM n WHERE n MATCH ?", (search_phrase("甲乙"),)).fetchone() == (1,)


def test_nothing_to_search_for_is_no_query():
    assert search_phrase('"*（）') is None


@pytest.mark.parametrize(
    "text",
    [
        "某税罚〔2020〕6 号", "某税罚[2020]6号", "某税罚（2020）6号", "某税罚【2020】6号", "某税罚〔2020〕第6号",
        "某税罚〔２０２０〕006号",
        "某税罚﹝2020﹞6", "某 税 罚〔2020年〕6号。", "某税罚〔2020〕\u200b6号",
    ],
)  # fmt: skip
def test_ways_of_writing_one_document_number_fold_to_one(text):
    assert fold_document_no(text) == "某税罚[2020]6号"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("某税罚〔2020〕6号", "某税罚〔2021〕6号"),
        ("某税罚〔2020〕6号", "某税罚〔2020〕60号"),
        ("某税一罚〔2020〕6号", "某税二罚〔2020〕6号"),
        ("某税罚〔2020〕6-1号", "某税罚〔2020〕6号"),
        ("某税罚2020060号", "某税罚202060号"),
    ],
)
def test_different_document_numbers_stay_different(one, other):
    assert fold_document_no(one) != fold_document_no(other)


def test_dashes_of_a_split_serial_are_unified():
    assert fold_document_no("某罚〔2020〕6－1号") == fold_document_no("某罚〔2020〕06—1") == "某罚[2020]6-1号"


@pytest.mark.parametrize("text", ["", "无", " - ", "N/A"])
def test_a_blank_document_number_is_empty(text):
    assert fold_document_no(text) == ""


@given(st.text("某罚〔〕()[]【】<>2020年第06-－号字。 a", max_size=20))
def test_folding_a_document_number_twice_is_folding_it_once(text):
    assert fold_document_no(fold_document_no(text)) == fold_document_no(text)
