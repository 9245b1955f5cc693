"""`dossier`, `report`, `reconcile` and an enterprise's key at the command line."""

import csv
from datetime import date

import pytest

from api.cli import FAILED, REFUSED, WRONG_USE
from registry import clock
from registry.cells.checks import resident_check
from registry.models import Unmatched
from tests.api.test_cli import caller, read
from tests.conftest import TODAY
from tests.factories import credit_code, record, registered

ZONE = "Asia/Shanghai"


@pytest.fixture
def xinheng(on_sqlite):
    yield from caller(on_sqlite)


@pytest.fixture
def code(on_sqlite):
    code = credit_code()
    entity = registered(code, now=clock.now())
    record(entity, decided_on=date(2026, 3, 2), document_no="信市监处罚〔2026〕1号", source="tax", now=clock.now())
    record(entity, decided_on=date(2025, 3, 2), document_no="信市监处罚〔2025〕9号", source="tax", now=clock.now())
    return code


def test_a_dossier_reads_as_years_with_lines_and_as_json(xinheng, code):
    said = xinheng("dossier", code)
    lines = said.output.splitlines()
    assert lines[0].endswith(code)
    assert [line for line in lines if line.isdigit()] == ["2026", "2025", "2015"]
    assert "罚款 5,000.00 元：虚假宣传" in said.output
    found = read(xinheng("dossier", code, "--json", "--on", "2025-12-31"))
    assert [one["day"] for one in found["items"]] == ["2025-03-02", "2015-03-01"]
    assert found["complete"] is True
    assert len(read(xinheng("dossier", code, "--json", "--limit", 1))["items"]) == 1


def test_a_report_is_one_file_that_needs_nothing_beside_it(xinheng, code, tmp_path):
    file = tmp_path / "report.html"
    xinheng("report", code, file)
    text = file.read_text(encoding="utf-8")
    assert "<style>" in text
    assert "http" not in text.replace("http-equiv", "")
    assert "cli:" in text
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("report")] == ["report.html"]


def test_a_code_that_nobody_has_fails_with_one_line(xinheng, code):
    done = xinheng("dossier", credit_code(), status=FAILED)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("heading", [("行政处罚决定书文号", "统一社会信用代码"), ("document_no", "code")])
def test_a_file_is_held_against_the_day_and_the_differences_are_named(xinheng, code, tmp_path, heading):
    file = tmp_path / "theirs.csv"
    today = clock.today("Asia/Shanghai").isoformat()

    def theirs(*numbers):
        with file.open("w", encoding="gb18030", newline="") as handle:
            csv.writer(handle).writerows([["处罚清单", ""], heading, *((number, code) for number in numbers)])

    theirs("信市监处罚[2026]001号", "信市监处罚〔2026〕77号")
    done = xinheng("reconcile", file, "--date", today, "--source", "tax", "--json", status=REFUSED)
    found = read(done)["compared"]
    assert (found["same"], found["agree"]) == (1, False)
    assert [one["document_no"] for one in found["unknown"]] == ["信市监处罚〔2026〕77号"]
    assert [one["document_no"] for one in found["extra"]] == ["信市监处罚[2025]9号"]
    theirs("信市监处罚〔2026〕1号", "信市监处罚〔2025〕9号")
    assert "一致 same 2" in xinheng("reconcile", file, "--date", today, "--source", "tax").output


def test_what_waits_for_its_party_is_said_to_wait(xinheng, code, tmp_path):
    Unmatched.create(
        identity="w" * 32, kind="penalty", source="tax", reason="not_registered", party_name="信衡示例茶叶店", party_code="",
        fields={"organ": "信衡市税务局", "document_no": "信市监处罚[2026]5号"}, waiting_since=clock.now(), party="p" * 32, folded="",
    )  # fmt: skip
    file = tmp_path / "theirs.csv"
    file.write_text(f"document_no,code\n信市监处罚〔2026〕5号,{credit_code()}\n", encoding="utf-8")
    done = xinheng("reconcile", file, "--source", "tax", "--date", TODAY, status=REFUSED)
    assert "待匹配 waiting: 信市监处罚〔2026〕5号" in done.output
    (source,) = read(xinheng("reconcile", "--source", "tax", "--date", clock.today(ZONE), "--json"))["sources"]
    assert (source["waiting"], source["stored"]) == (1, 2)


def test_wrong_use_is_told(xinheng, code, tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    xinheng("reconcile", file, status=WRONG_USE)
    refused = xinheng("reconcile", file, "--source", "tax", status=FAILED)
    assert "document_no" in refused.stderr


def test_an_enterprises_key_is_made_for_its_code_and_listed_with_it(xinheng, code):
    made = xinheng("key", "create", "tea", "--entity", code, "--json")
    assert read(made)["key"].startswith("xh_")
    (listed,) = read(xinheng("key", "list", "--json"))
    assert (listed["entity"], listed["scopes"], listed["organ"]) == (code, ["self:read"], "")
    wrongs = ((["--organ", "x"], WRONG_USE), (["--scope", "grades:read"], FAILED), (["--division", "99"], FAILED))
    for wrong, status in wrongs:
        xinheng("key", "create", "other", "--entity", code, *wrong, status=status)
    xinheng("key", "create", "other", "--organ", "x", status=WRONG_USE)


def test_a_persons_number_in_the_file_is_not_printed(xinheng, code, tmp_path):
    file, number = tmp_path / "theirs.csv", "11010119900101123"
    number += resident_check(number)
    file.write_text(f"文书号,代码\n信9号,{number}\n".replace("代码", "统一社会信用代码"))
    for flags in ([], ["--json"]):
        said = xinheng("reconcile", file, "--source", "tax", *flags, status=REFUSED).output
        assert "(个人证件号)" in said
        assert number not in said
