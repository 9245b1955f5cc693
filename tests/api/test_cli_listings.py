"""`xinheng listing` and `xinheng document`: from a plan to printed decisions, at a terminal."""

import csv

import pytest
import time_machine

from api.cli import support
from registry.models import Document
from registry.services import ledger
from tests.api.test_cli import Call, caller, read
from tests.conftest import NOW
from tests.factories import registered
from tests.registry.papers import ADDRESS, ORGAN, code_of, heavy_penalty

AT = "2026-11-21T09:00:00+08:00"


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


@pytest.fixture
def someone_else(monkeypatch):
    """From here on another person types."""
    return lambda: monkeypatch.setattr(support, "account", lambda: "auditor")


def covered():
    from datetime import date

    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.cover("annual_report", "", date(2020, 1, 1), None, source="test")


def test_from_a_plan_over_two_persons_to_printed_decisions(call: Call, tmp_path, someone_else):
    covered()
    codes = [code_of(registered(address=ADDRESS)) for _ in range(2)]
    plan = tmp_path / "plan.csv"
    assert call("listing", "candidates", "--year", 2025, "--csv", plan).stdout == ""
    with plan.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["统一社会信用代码 code"] for row in rows] == codes
    batch = ("2025年报", "--organ", ORGAN, "--json")
    given = ("--ground", 1, "--year", 2025, "--opinion", "建议列入。")
    assert read(call("listing", "batch", "open", "2025年报", plan, *given, "--organ", ORGAN, "--json"))["done"] == 2
    own = call("listing", "batch", "audit", *batch, "--agree", "--opinion", "同意。", status=1)
    assert "Two persons" in read(own)["refused"][0]["detail"]
    someone_else()
    assert read(call("listing", "batch", "audit", *batch, "--agree", "--opinion", "同意。"))["done"] == 2
    assert read(call("listing", "batch", "show", *batch))["standing"] == 2
    page = tmp_path / "decision.html"
    text = call("document", "show", "信市监异入〔2026〕1-1号").stdout
    assert "列入经营异常名录决定书" in text
    call("document", "show", 1, "--html", page)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    counted = read(call("listing", "count", "--json"))
    assert {"list": "abnormal", "subject": "enterprise", "ground": 1, "entities": 2, "rows": 2} in counted
    assert "合计" in call("listing", "count").stdout


def test_one_case_through_all_its_steps(call: Call, someone_else):
    code = code_of(registered(address=ADDRESS))
    opened = ("listing", "open", code, "--ground", 4, "--facts", "经核查无法联系。", "--organ", ORGAN, "--json")
    case = read(call(*opened))["case"]
    assert read(call(*opened)) | {"steps": []} == {"case": case, "state": "draft", "said": "unchanged", "steps": []}
    call("listing", "propose", case, "--opinion", "建议列入。")
    assert "Two persons" in call("listing", "audit", case, "--agree", "--opinion", "同意。", status=3).stderr
    someone_else()
    said = call("listing", "audit", case, "--agree", "--opinion", "同意。")
    assert "信市监异入〔2026〕1号. Now: xinheng document show 1" in said.stderr
    seq = read(call("listing", "cases", "--json"))[0]["case"]
    assert seq == case
    call("document", "send", 1, "--method", "direct")
    call("document", "delivered", 1, "--proof", "送达回证")
    assert "行政复议至 2027-01-20，行政诉讼至 2027-05-21" in call("document", "show", 1).stderr
    assert read(call("document", "show", 1, "--json"))["remedies"]["sue_by"] == "2027-05-21"


def test_a_serious_case_at_the_terminal(call: Call, someone_else):
    penalty = heavy_penalty(registered(address=ADDRESS))
    case = read(
        call("listing", "open-serious", penalty, "--article", 7, "--facts", "情节严重。", "--organ", ORGAN, "--json")
    )["case"]
    call("listing", "notice", case)
    call("document", "send", 1, "--method", "direct")
    call("document", "delivered", 1, "--proof", "送达回证")
    assert "until 2026-11-27" in call("listing", "heard", case, status=3).stderr
    call("listing", "heard", case, "--statement", "请求从轻。", "--answer", "不予采纳。")
    call("listing", "propose", case, "--opinion", "建议列入。")
    call(
        "listing",
        "approved-above",
        case,
        "--by",
        "信衡省市场监督管理局",
        "--number",
        "信省市监信〔2026〕1号",
        "--on",
        "2026-11-21",
    )
    someone_else()
    call("listing", "audit", case, "--agree", "--opinion", "同意。")
    assert "document send 2" in call("listing", "effect", case, status=3).stderr
    call("document", "send", 2, "--method", "direct")
    call("document", "delivered", 2, "--proof", "送达回证")
    assert read(call("listing", "effect", case, "--json"))["state"] == "effective"


def test_letters_are_issued_sent_and_fail(call: Call):
    code = code_of(registered(address=ADDRESS))
    made = read(
        call("document", "issue", "contact_letter", code, "--set", "facts=请联系。", "--organ", ORGAN, "--json")
    )
    assert made["number"] == "信市监核函〔2026〕1号"
    call("document", "send", made["number"], "--method", "special_letter")
    call("document", "failed", 1, "--because", "无人签收退回")
    assert "未送达：无人签收退回" in call("document", "show", made["id"]).stderr
    assert [row["number"] for row in read(call("document", "list", "--code", code, "--json"))] == [made["number"]]


def test_a_series_of_another_system_goes_on(call: Call):
    args = ("document", "begin-series", "contact_letter", "--last", 119, "--organ", ORGAN)
    assert "信市监核函〔2026〕120号" in call(*args).stdout
    code = code_of(registered(address=ADDRESS))
    call("document", "issue", "contact_letter", code, "--set", "facts=请联系。", "--organ", ORGAN)
    assert Document.get().number == 120
    assert "has begun here already" in call(*args, status=3).stderr


def test_wrong_use_is_said_before_anything_is_written(call: Call, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n", encoding="utf-8")
    call("listing", "candidates", status=2)
    call("listing", "remove", 1, "--facts", "x", "--organ", ORGAN, status=2)
    call(
        "listing", "remove", 1, "--list", "serious", "--condition", "luck=x", "--facts", "x", "--organ", ORGAN, status=2
    )
    said = call("listing", "batch", "open", "b", wrong, "--ground", 1, "--opinion", "x", "--organ", ORGAN, status=3)
    assert "no columns `code` and `reason`" in said.stderr
    assert (
        "issues no documents here"
        in call("listing", "correct", 1, "--facts", "x", "--organ", "另一机关", status=3).stderr
    )


def test_removal_and_correction_at_the_terminal(call: Call, someone_else, monkeypatch):
    code = code_of(registered(address=ADDRESS))
    case = read(call("listing", "open", code, "--ground", 4, "--facts", "无法联系。", "--organ", ORGAN, "--json"))[
        "case"
    ]
    call("listing", "propose", case, "--opinion", "列入。")
    someone_else()
    call("listing", "audit", case, "--agree", "--opinion", "同意。")
    from registry.models import Record

    seq = Record.get(Record.kind == "abnormal_listing").seq
    given = ("--cause", 5, "--proof", "现场核查", "--facts", "已取得联系。", "--organ", ORGAN, "--json")
    removal = read(call("listing", "remove", seq, *given))["case"]
    call("listing", "propose", removal, "--opinion", "移出。")
    monkeypatch.setattr(support, "account", lambda: "third")
    call("listing", "audit", removal, "--agree", "--opinion", "同意。")
    wrong = read(call("listing", "correct", seq, "--facts", "误列。", "--organ", ORGAN, "--json"))["case"]
    assert read(call("listing", "cases", "--json", "--state", "draft"))[0]["case"] == wrong
    assert read(call("listing", "reminders", "--json")) == []
