"""A kind of penalty that nobody knows: its word is kept with the record and told to who imports it."""

import pytest

from api.cli.understanding import told
from registry import privacy
from registry.kinds import KINDS
from registry.services import trial
from registry.services.understanding import open_source
from tests.conftest import TODAY
from tests.factories import statement
from tests.registry.tables import HEADINGS_2021, penalty_row, table


@pytest.mark.parametrize(
    ("given", "kinds", "words"),
    [
        ("严重谴责", ["other"], ["严重谴责"]),
        ("罚款、严重谴责", ["fine"], ["严重谴责"]),
        ("警告;罚款", ["warning", "fine"], None),
        ("1;2", ["other"], ["1;2"]),
        ("1", ["warning"], None),
        ("不予行政处罚", ["none"], None),
        ("其他", ["other"], None),
        (["fine", "警告"], ["warning", "fine"], None),
        ("当事人停止违法行为后主动改正并消除影响,处以罚款", ["fine"], None),
        ("", ["fine"], None),
    ],
)
def test_a_word_that_names_no_known_kind_is_kept_beside_the_kinds(given, kinds, words):
    said = statement("penalty", kinds=given, decided_on=None)
    assert (said.detail["kinds"], said.detail.get("kind_words")) == (kinds, words)


def test_its_line_says_the_word_and_personal_numbers_in_it_are_masked():
    said = statement("penalty", kinds="严重谴责 13912345678")
    line = KINDS["penalty"].line({"detail": said.detail, "amount_fen": said.amount_fen})
    assert "其他行政处罚（严重谴责 (电话)）" in line.zh


def dry(settings, tmp_path, *words):
    rows = [penalty_row(kinds=word) for word in words]
    opened = open_source(table(tmp_path, HEADINGS_2021, rows))
    return trial.dry_run(opened, today=TODAY, key=privacy.key(settings))


def test_a_dry_run_names_each_unknown_word_with_its_rows(on_sqlite, tmp_path):
    found = dry(on_sqlite, tmp_path, "严重谴责", "罚款", "训诫", "严重谴责")
    assert [(one.column, one.count, one.rows) for one in found.noted] == [("处罚类别", 2, [2, 5]), ("处罚类别", 1, [4])]
    assert "'严重谴责' names no kind of penalty that is known" in found.noted[0].reason
    assert "counts as 其他行政处罚" in found.noted[0].reason
    text = told(found)
    assert "Noted 提示" in text
    assert "(row 4)" in text
    assert "A dry run 试读 does not compare with what is stored" in text
    assert found.as_dict()["noted"]["causes"][1]["rows"] == [4]


def test_where_every_word_is_known_nothing_is_noted(on_sqlite, tmp_path):
    found = dry(on_sqlite, tmp_path, "罚款")
    assert found.noted == []
    assert "Noted" not in told(found)
