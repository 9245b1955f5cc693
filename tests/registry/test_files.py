"""A file is opened as what it is; what it is not is said, with the remedy."""

import gzip

import pytest

from registry import tables
from registry.errors import BadFile

TABLE = "名称,统一社会信用代码\n信衡示例有限公司,x\n"


def made(tmp_path, content, name="table.csv"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def table_in(path):
    return list(tables.rows(tables.look_at(path)))


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8-sig"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
def test_a_table_is_read_in_any_encoding_that_regulators_use(tmp_path, encoding, found):
    path = made(tmp_path, TABLE.encode(encoding))
    assert tables.look_at(path).encoding == found
    assert table_in(path) == [["名称", "统一社会信用代码"], ["信衡示例有限公司", "x"]]


def test_a_rare_character_of_gb18030_is_kept(tmp_path):
    assert table_in(made(tmp_path, "名称\n𠮷田㐂\n".encode("gb18030"))) == [["名称"], ["𠮷田㐂"]]


def test_plain_ascii_is_utf_8_and_not_anything_wider(tmp_path):
    assert tables.look_at(made(tmp_path, "a,b\n")).encoding == "utf-8-sig"


def test_a_gzip_archive_is_unpacked_on_the_way(tmp_path):
    path = made(tmp_path, gzip.compress(TABLE.encode()), "table.csv.gz")
    assert tables.look_at(path).compressed
    assert len(table_in(path)) == 2


def test_the_digest_is_of_the_content_so_packing_again_changes_nothing(tmp_path):
    plain = tables.look_at(made(tmp_path, TABLE))
    packed = tables.look_at(made(tmp_path, gzip.compress(TABLE.encode(), mtime=1), "table.csv.gz"))
    again = tables.look_at(made(tmp_path, gzip.compress(TABLE.encode(), mtime=2), "again.csv.gz"))
    assert plain.digest == packed.digest == again.digest


def test_line_breaks_and_separators_inside_quotation_marks_belong_to_the_cell(tmp_path):
    path = made(tmp_path, 'a,b\r\n"一,二\n三","他说""好"""\r\n')
    assert table_in(path) == [["a", "b"], ["一,二\n三", '他说"好"']]


@pytest.mark.parametrize(
    ("content", "nature"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"\r\n  <html><body><table><tr><td>1</td></tr></table>", "a web page"),
        (b"<!DOCTYPE html>", "a web page"),
        (b'<?xml version="1.0"?><Workbook/>', "a web page or XML"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named_for_what_it_is(tmp_path, content, nature):
    with pytest.raises(BadFile) as caught:
        tables.look_at(made(tmp_path, content))
    assert caught.value.detail.startswith(f"table.csv is not a table: its content is {nature}")
    assert caught.value.detail.endswith(".")


@pytest.mark.parametrize(
    ("content", "name", "nature"),
    [
        (gzip.compress(b"a,b\n", mtime=0), "table.csv", "CSV in a gzip archive"),
        (b"a,b\n", "table.csv.gz", "CSV"),
        (b"a,b\n", "table.xlsx", "CSV"),
        (b'[{"a": "1"}]', "table.csv", "JSON"),
    ],
)
def test_a_name_that_hides_or_pretends_something_is_no_obstacle_and_is_said(tmp_path, content, name, nature):
    table = tables.look_at(made(tmp_path, content, name))
    assert table.notes == (f"{name} is {nature}, whatever its name says; it was read as that.",)
    assert next(tables.rows(table))[0] == "a"


def test_a_name_that_says_what_the_file_is_needs_no_note(tmp_path):
    for content, name in (
        (b"a\tb\n1\t2\n", "t.txt"),
        (gzip.compress(b"a,b\n"), "t.csv.gz"),
        (b"a,b\n", "t"),
        (b"a\tb\n", "t.csv"),
    ):
        assert tables.look_at(made(tmp_path, content, name)).notes == ()


@pytest.mark.parametrize(
    ("text", "separator", "form"),
    [
        ("名称,说明\n甲,一;二;三\n乙,四\n", ",", "csv"),
        ("名称;说明\n甲;一,二\n乙;三\n", ";", "csv"),
        ("名称\t说明\n甲\t一,二\n", "\t", "tsv"),
        ("名称|说明\n甲|一\n", "|", "csv"),
        ("名称\n甲\n", ",", "csv"),
        ("某区检查结果\n名称;日期\n甲;2026-01-02\n乙;2026-01-03\n", ";", "csv"),
        ('名称,说明\n甲,"一\t二"\n', ",", "csv"),
    ],
    ids=["comma", "semicolon", "tab", "bar", "one column", "title above", "tab in a cell"],
)
def test_what_separates_the_cells_is_found(tmp_path, text, separator, form):
    table = tables.look_at(made(tmp_path, text))
    assert (table.separator, table.form) == (separator, form)


@pytest.mark.parametrize("content", [b"", b"  \r\n\r\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_called_empty(tmp_path, content):
    name = "table.csv.gz" if content.startswith(b"\x1f\x8b") else "table.csv"
    with pytest.raises(BadFile, match=rf"{name} is empty"):
        tables.look_at(made(tmp_path, content, name))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadFile, match=r"There is no file .*gone\.csv"):
        tables.look_at(tmp_path / "gone.csv")


@pytest.mark.parametrize("keep", [15, 60, 5_000])
def test_a_truncated_archive_is_called_damaged_before_anything_is_read_of_it(tmp_path, keep):
    rows = "".join(f"{number},信衡示例{number * 7919 % 10007}\n" for number in range(20_000))
    packed = gzip.compress(rows.encode())
    with pytest.raises(BadFile, match=r"Fetch it again; the copy is damaged"):
        tables.look_at(made(tmp_path, packed[:keep], "table.csv.gz"))


def test_an_archive_with_flipped_bytes_is_called_damaged(tmp_path):
    rows = "".join(f"{number},信衡示例{number * 7919 % 10007}\n" for number in range(20_000))
    packed = bytearray(gzip.compress(rows.encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    with pytest.raises(BadFile, match="the copy is damaged"):
        tables.look_at(made(tmp_path, bytes(packed), "table.csv.gz"))


def test_bytes_that_are_no_text_are_refused_with_the_remedy(tmp_path):
    with pytest.raises(BadFile, match=r"neither UTF-8 nor GB18030 text: about line 2 there are bytes .* Save it as"):
        tables.look_at(made(tmp_path, b"a,b\n\xff\xff\xff\n"))


def test_a_quotation_mark_that_is_never_closed_names_the_line(tmp_path):
    file = tables.look_at(made(tmp_path, 'a,b\n1,2\n3,"four\n5,6\n'))
    rows = tables.rows(file)
    assert [next(rows), next(rows)] == [["a", "b"], ["1", "2"]]
    with pytest.raises(BadFile, match=r"table\.csv line \d: .* A quotation mark is probably not closed"):
        next(rows)


def test_a_cell_that_swallowed_the_rest_of_the_file_is_no_cell(tmp_path):
    file = tables.look_at(made(tmp_path, 'a,b\n1,"' + "x" * ((1 << 20) + 10)))
    with pytest.raises(BadFile, match="line 2"):
        list(tables.rows(file))


def test_a_nul_byte_reaches_the_row_and_is_for_the_kind_to_refuse(tmp_path):
    assert table_in(made(tmp_path, "a,b\n1,\x002\n"))[1] == ["1", "\x002"]
