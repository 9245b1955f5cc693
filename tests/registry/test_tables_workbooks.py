"""Workbooks are read as text with nothing lost, and refused before a bomb goes off."""

import gzip
import zipfile
import zlib
from datetime import date, datetime

import pytest

from registry import tables
from registry.errors import BadFile
from registry.tables import Limits, apart
from tests.registry.workbooks import MAIN, Formula, archive, parts, sheet, workbook


def made(tmp_path, content, name="table.xlsx"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def rows_in(path, limits=None):
    return list(tables.rows(tables.look_at(path, limits)))


def test_cells_come_as_text_and_lose_no_digit(tmp_path):
    rows = [
        ["名称", "代码", "日", "时刻", "数", "式"],
        ["信衡", "001234", date(2024, 3, 8), datetime(2024, 3, 8, 16, 30), 110105675090462, Formula("2")],
        ["  甲 ", "=1+1", 44744, True, 0.30000000000000004, None],
    ]
    assert rows_in(made(tmp_path, workbook(rows))) == [
        ["名称", "代码", "日", "时刻", "数", "式"],
        ["信衡", "001234", "2024-03-08", "2024-03-08 16:30:00", "110105675090462", "2"],
        ["  甲 ", "=1+1", "44744", "true", "0.3", ""],
    ]


def test_rows_are_numbered_as_the_spreadsheet_numbers_them(tmp_path):
    path = made(tmp_path, workbook([[], [], ["名称", "日"], ["甲", "x"]]))
    assert rows_in(path) == [["", ""], ["", ""], ["名称", "日"], ["甲", "x"]]


def test_every_sheet_is_named_and_any_can_be_read(tmp_path):
    table = tables.look_at(made(tmp_path, workbook([["一"]], [["二"]], names=("甲", "乙"))))
    assert (table.sheet, table.sheets) == ("甲", ("甲", "乙"))
    assert list(tables.rows(tables.sheet(table, "乙"))) == [["二"]]


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.xls"])
def test_a_workbook_by_another_name_is_read_and_said_to_be_one(tmp_path, name):
    content = workbook([["名称"], ["甲"]])
    table = tables.look_at(made(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name))
    assert list(tables.rows(table)) == [["名称"], ["甲"]]
    assert "is an Excel workbook (.xlsx)" in table.notes[0]


def refused(tmp_path, content, limits=None, name="table.xlsx"):
    with pytest.raises(BadFile) as caught:
        rows_in(made(tmp_path, content, name), limits)
    assert caught.value.detail.endswith(".")
    return caught.value.detail


@pytest.mark.parametrize("cut", [30, 400, 900])
def test_half_a_workbook_is_called_damaged(tmp_path, cut):
    assert "the copy is damaged" in refused(tmp_path, workbook([["名称"], ["甲"]])[:cut])


def test_an_archive_without_a_workbook_is_named_for_what_it_is(tmp_path):
    said = refused(tmp_path, archive({"a.csv": "名称\n"}))
    assert "a ZIP archive without an Excel workbook" in said


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, b"PK\x03\x04 not a table"])
def test_something_that_only_begins_like_a_workbook_is_refused(tmp_path, content):
    assert "Excel" in refused(tmp_path, content)


def test_a_workbook_with_a_password_says_so(tmp_path):
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100 + "EncryptedPackage".encode("utf-16-le")
    assert "needs a password" in refused(tmp_path, content, name="table.xls")


def test_an_entity_declaration_is_refused(tmp_path):
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + sheet([["名称"]])
    assert "declares entities" in refused(tmp_path, archive(parts({"甲": bomb})))


def test_what_unpacks_to_more_than_the_limit_is_refused_whatever_its_directory_says(tmp_path):
    content = bytearray(archive(parts({"甲": sheet([["x" * 3_000_000]])})))
    # The directory of the archive says that every part is small.
    at = content.find(b"PK\x01\x02")
    while at != -1:
        content[at + 24 : at + 28] = (10).to_bytes(4, "little")
        at = content.find(b"PK\x01\x02", at + 4)
    said = refused(tmp_path, bytes(content), Limits(unpacked=1 << 20))
    assert "unpacked it has more than" in said
    assert "1 MB are allowed ([import] max_unpacked_mb)" in said


def test_a_part_that_shrinks_as_no_table_does_is_refused(tmp_path):
    bomb = f"<worksheet {MAIN}><sheetData>" + " " * (30 << 20) + "</sheetData></worksheet>"
    assert "unpacks to more than 400 times its size" in refused(tmp_path, archive(parts({"甲": bomb})))


@pytest.mark.parametrize("quote", ['r="{}"', "r='{}'", 'r = "{}"', 's="0" r="{}"'])
def test_a_cell_in_the_far_corner_is_refused_before_room_for_all_is_made(tmp_path, quote):
    corner = f'<worksheet {MAIN}><sheetData><row r="1"><c r="A1"><v>1</v></c><c {quote.format("KN1048576")}><v>1</v></c></row></sheetData></worksheet>'
    assert "are spread over an area of 314,572,800" in refused(tmp_path, archive(parts({"甲": corner})))


def test_too_many_columns_are_refused_with_their_number(tmp_path):
    assert "has columns: 301, and 300 are allowed ([import] max_columns)" in refused(tmp_path, workbook([["x"] * 301]))
    assert len(rows_in(made(tmp_path, workbook([["x"] * 300])))[0]) == 300


def test_one_long_text_shown_a_thousand_times_is_refused(tmp_path):
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 1_001))
    bomb = parts({"甲": f"<worksheet {MAIN}><sheetData>{cells}</sheetData></worksheet>"})
    bomb["xl/sharedStrings.xml"] = f"<sst {MAIN}><si><t>{'长' * 10_000}</t></si></sst>"
    assert "its texts unfold to" in refused(tmp_path, archive(bomb), Limits(unpacked=10 << 20))


def test_a_part_that_is_encrypted_or_packed_oddly_is_refused(tmp_path):
    content = bytearray(workbook([["名称"]]))
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    assert "is encrypted or packed in a way" in refused(tmp_path, bytes(content))


def test_a_file_larger_than_the_limit_is_not_even_opened(tmp_path):
    said = refused(tmp_path, b"x" * 2_000_000, Limits(file=1 << 20))
    assert said.startswith("table.xlsx: the file has 1.9 MB, and 1 MB are allowed ([import] max_file_mb)")


def test_a_gzip_bomb_stops_at_the_limit(tmp_path):
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000)
    assert len(bomb) < 20_000
    said = refused(tmp_path, bomb, Limits(unpacked=1 << 20), name="table.csv.gz")
    assert "unpacked it has more than 2.0 MB, and 1 MB are allowed" in said


def test_a_workbook_that_changes_while_it_is_read_is_refused(tmp_path):
    path = made(tmp_path, workbook([["名称"], ["甲"]], [["乙"]]))
    table = tables.look_at(path)
    path.write_bytes(workbook([["名称"], ["丙"]], [["丁"]]))
    assert list(tables.rows(table)) == [["名称"], ["甲"]]
    with pytest.raises(BadFile, match="was changed while it was read"):
        list(tables.rows(tables.sheet(table, "表二")))


@pytest.mark.parametrize("program", ["import os; os.abort()", "import sys; sys.stdin.read(); bytes(64 << 30)"])
def test_a_reader_that_breaks_down_takes_nobody_with_it(tmp_path, monkeypatch, program):
    led_astray = tmp_path / "apart.py"
    led_astray.write_text(program, encoding="utf-8")
    monkeypatch.setattr(apart, "__file__", str(led_astray))
    assert "its reader needs more memory than it may have, or broke down" in refused(tmp_path, workbook([["名称"]]))


def test_the_helper_makes_archives_that_others_can_open(tmp_path):
    with zipfile.ZipFile(made(tmp_path, workbook([["名称"]]))) as opened:
        assert opened.testzip() is None
    assert zlib.crc32(workbook([["名称"]])) == zlib.crc32(workbook([["名称"]]))
