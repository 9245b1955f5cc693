"""`xinheng item`, `label` and `inspector`, at a terminal."""

import csv

import pytest
import time_machine

from tests.api.test_cli import Call, caller, read
from tests.factories import credit_code, registered
from tests.registry.registering import ORGAN

AT = "2026-11-21T09:00:00+08:00"
ITEM = (
    "item",
    "add",
    "Y01",
    "--name",
    "收费检查",
    "--basis",
    "权力清单",
    "--department",
    "价格监管",
    "--question",
    "2:是否公示收费标准？|第三条",
)
PERSON = ("inspector", "add", "XH01", "--organ", ORGAN, "--name", "示例甲", "--area", "9901", "--certificate", "XH-01|行政执法证|2026-12-01")  # fmt: skip


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


def test_the_list_of_items_is_loaded_shown_changed_and_retired(call: Call):
    assert "16 items added; 0 stood already" in call("item", "load").stdout
    assert read(call("item", "load", "--json"))["items"] == 0
    assert "食品经营者检查" in call("item", "list", "--nature", "key").stdout
    assert [one["code"] for one in read(call("item", "list", "--label", "caterers", "--json"))["items"]] == ["B03"]
    assert "[3] 有无超过保质期" in call("item", "show", "B03").stdout
    assert "存入 stored, version 1" in call(*ITEM).stdout
    assert "未变 unchanged" in call(*ITEM).stdout
    assert "stands at version 1" in call(*ITEM, "--minutes", "90", status=3).stderr
    assert read(call(*ITEM, "--minutes", "90", "--version", "1", "--json"))["minutes"] == 90
    assert "questions" in call(*ITEM[:-1], "9|是否？", status=3).stderr
    assert "version 3" in call("item", "retire", "Y01", "--on", "2027-01-01", "--version", "2").stdout
    assert "no item" in call("item", "show", "Y09", status=3).stderr


def test_labels_and_their_members(call: Call, on_sqlite):
    code = credit_code()
    registered(code)
    assert "stored" in call("label", "add", "market", "--name", "夜市", "--division", "990101").stdout
    assert "夜市" in call("label", "list", "--scope", "county").stdout
    assert "夜市" in call("label", "show", "market").stdout
    assert "stored, 2026-11-21 –" in call("label", "put", "market", code).stdout
    assert "unchanged" in call("label", "put", "market", code).stdout
    assert read(call("label", "members", "market", "--json"))["items"][0]["code"] == code
    assert code in call("label", "members", "market").stdout
    assert "market 夜市: hand 2026-11-21" in call("label", "of", code).stdout
    assert "members by hand" in call("label", "retire", "market", "--version", "1", status=3).stderr
    assert "stored" in call("label", "end", "market", code).stdout
    assert read(call("label", "of", code, "--json"))["items"] == []
    assert "retired" in call("label", "retire", "market", "--version", "1").stdout
    assert "county" in call("label", "add", "x", "--name", "夜市", status=3).stderr


def test_inspectors_their_certificates_conflicts_and_days_away(call: Call, on_sqlite):
    code = credit_code()
    registered(code)
    assert "XH01 示例甲: 存入 stored" in call(*PERSON).stdout
    assert read(call("inspector", "expiring", "--days", "30", "--json"))["items"][0]["certified_until"] == "2026-12-01"
    assert read(call("inspector", "expiring", "--days", "5", "--json"))["items"] == []
    assert "XH01" in call("inspector", "list", "--item", "B03").stdout
    assert "stored" in call("inspector", "conflict", 1, code, "--why", "近亲属任职").stdout
    assert "stored" in call("inspector", "away", 1, "--from", "2026-12-01", "--to", "2026-12-03").stdout
    shown = call("inspector", "show", 1).stdout
    assert f"利害关系 conflict {code}" in shown
    assert "离岗 away 2026-12-01 – 2026-12-03" in shown
    assert "stored" in call("inspector", "conflict", 1, code, "--end").stdout
    assert "stored" in call("inspector", "away", 1, "--from", "2026-12-01", "--end").stdout
    assert read(call("inspector", "show", 1, "--json"))["away"] == []
    assert read(call("inspector", "retire", 1, "--version", "1", "--json"))["state"] == "left"
    assert "no inspector 9" in call("inspector", "show", 9, status=3).stderr


def test_a_file_leaves_its_refused_rows_beside_it_and_exports_come_back_unchanged(call: Call, tmp_path):
    call("item", "load")
    call(*PERSON)
    file = tmp_path / "people.csv"
    file.write_text(
        "人员编号,姓名,层级,执法区域,执法事项,联系电话\nXH02,示例乙,县级,9901,全部,1\nXH03,示例丙,班长,9901,全部,1\n",
        "gb18030",
    )
    refused = call("inspector", "import", file, "--organ", ORGAN, status=1)
    assert "存入 1 stored, 未变 0 unchanged, 拒收 1 refused" in refused.stdout
    assert "not read and not stored: 联系电话" in refused.stdout
    with (tmp_path / "people.csv.rejected.csv").open(encoding="utf-8-sig") as handle:
        _, row = csv.reader(handle)
    assert row[:3] == ["3", "层级", "班长"]
    assert read(call("inspector", "import", file, "--organ", ORGAN, "--json", status=1))["unchanged"] == 1
    for group, number in (("item", 16), ("label", 17), ("inspector", 2)):
        out = tmp_path / f"{group}.csv"
        call(group, "export", out)
        assert f"存入 0 stored, 未变 {number} unchanged" in call(group, "import", out).stdout
    call("label", "export", tmp_path / "m.csv", "--members", "caterers")
    assert "未变 0 unchanged" in call("label", "import", tmp_path / "m.csv", "--members").stdout
