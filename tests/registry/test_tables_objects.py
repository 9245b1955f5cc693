"""JSON is a table where it is a list of objects; numbers keep their digits, and days of a machine are days."""

import json

import pytest

from registry import tables
from registry.errors import BadFile
from registry.services import imports
from tests.conftest import TODAY
from tests.factories import credit_code


def made(tmp_path, text, name="table.json"):
    path = tmp_path / name
    path.write_text(text if isinstance(text, str) else json.dumps(text, ensure_ascii=False), encoding="utf-8")
    return path


def rows_in(path):
    return list(tables.rows(tables.look_at(path)))


OBJECTS = [{"a": "甲", "b": 1}, {"b": 2.50, "c": None}]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (OBJECTS, "json"),
        ({"code": 0, "data": OBJECTS}, "json"),
        ({"data": {"total": 2, "list": OBJECTS}}, "json"),
        ("\n".join(json.dumps(one) for one in OBJECTS), "jsonl"),
        ("\ufeff\n" + "\n\n".join(json.dumps(one) for one in OBJECTS), "jsonl"),
    ],
    ids=["list", "under a key", "deeper", "lines", "lines with blanks"],
)
def test_objects_are_rows_and_their_keys_the_headings(tmp_path, content, form):
    path = made(tmp_path, content)
    assert tables.look_at(path).form == form
    assert rows_in(path) == [["a", "b", "c"], ["甲", "1", ""], ["", "2.5", ""]]


def test_numbers_keep_all_their_digits(tmp_path):
    text = '[{"a": 911101012345678901, "b": 0.30000000000000004, "c": 1e400, "d": NaN}]'
    assert rows_in(made(tmp_path, text))[1] == ["911101012345678901", "0.30000000000000004", "1e400", "NaN"]


def test_lists_and_objects_inside_are_written_out(tmp_path):
    path = made(tmp_path, [{"a": ["1", "10"], "b": {"x": 1, "y": True}, "c": [{"z": 1}], "d": False}])
    assert rows_in(path) == [["a", "b.x", "b.y", "c", "d"], ["1,10", "1", "是", '[{"z": "1"}]', "否"]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": 1}, {"a": 2]', "this is no JSON"),
        ('[{"a": 1}, {"a": 2, "a": 3}]', "'a' stands twice"),
        ('[{"a": 1}, 3]', "object 2: a row of a table in JSON is an object"),
        ('{"a": [{"b": 1}], "c": [{"d": 1}]}', "several lists of objects in it: a, c"),
        ("[]", "no list of objects"),
        ('{"a": 1,\n"b": 2}', "no list of objects"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "too deep"),
        ('{"a": 1}\n{"b": \n', "line 2: this is no JSON"),
        ("[" + ",".join(f'{{"k{n}": 1}}' for n in range(400)) + "]", "more than 300 keys"),
    ],
    ids=["broken", "twice", "no object", "several", "empty", "no list", "deep", "broken line", "keys"],
)
def test_what_is_no_table_is_refused_with_the_place(tmp_path, text, said):
    with pytest.raises(BadFile, match=said) as caught:
        rows_in(made(tmp_path, text))
    assert caught.value.detail.startswith("table.json")


def test_a_penalty_of_the_publicity_system_is_understood(tmp_path):
    code = credit_code()
    rows = [
        {
            "uniscid": code, "entName": "信衡示例有限公司", "penDecNo": "信市监处罚〔2026〕8号", "illegActType": "虚假宣传",
            "penContent": "罚款5000元", "penAuth_CN": "信衡市市场监督管理局", "penDecIssDate": 1772380800000,
            "publicDate": 1772467200000, "caseId": "x1", "vPunishmentDecision": "",
        }
    ]  # fmt: skip
    opened = imports.open_source(made(tmp_path, {"data": rows, "total": 1}))
    found = imports.dry_run(opened, today=TODAY, key=b"0" * 32)
    assert (found.mapping, found.counts.stored) == ("penalty-necips", 1)
    record = found.first[0]["record"]
    assert (record["happened_on"], record["amount_fen"], record["severity"]) == ("2026-03-02", 500000, 1)


def test_no_end_is_written_as_the_last_day_of_9999_and_means_none(tmp_path):
    rows = [
        {"uniscid": credit_code(), "entName": "信衡", "licName_CN": "食品经营许可证", "licNo": "JY1", "licAnth": "信衡市市场监督管理局",
         "licItem": "热食类", "valFrom": 1700000000000, "valTo": 253402185600000, "licId": "1"}
    ]  # fmt: skip
    found = imports.dry_run(imports.open_source(made(tmp_path, rows)), today=TODAY, key=b"0" * 32)
    record = found.first[0]["record"]
    assert (record["happened_on"], record["ends_on"], found.counts.rejected) == ("2023-11-15", None, 0)
