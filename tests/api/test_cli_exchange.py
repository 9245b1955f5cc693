"""`export` and `outbound` as a person types them."""

import csv

import openpyxl
import pytest

from registry import sheets
from registry.models import Record
from tests.api.test_cli import caller, read
from tests.factories import credit_code, record, registered

ORGAN = "信衡市市场监督管理局"


@pytest.fixture
def xinheng(on_sqlite, tmp_path, monkeypatch):
    monkeypatch.setenv("XINHENG_EXCHANGE_OUTBOUND", str(tmp_path / "kept"))
    yield from caller(on_sqlite)


def test_an_export_that_is_imported_again_changes_nothing(xinheng, tmp_path):
    entity = registered(credit_code())
    for _ in range(3):
        record(entity)
    record(entity, decided_on=None)
    for name in ("out.csv", "out.xlsx"):
        path = tmp_path / name
        said = read(xinheng("export", "--kind", "penalty", path, "--json"))
        assert (said["template"], said["rows"], said["left_out"]) == ("penalty-2021", 3, {"处罚决定日期": 1})
        counts = read(xinheng("import", path, "--source", "test", "--json"))
        assert (counts["read"], counts["unchanged"]) == (3, 3)


def test_the_name_of_the_file_says_its_form_and_the_options_what_is_in_it(xinheng, tmp_path):
    code = credit_code()
    record(registered(code))
    first = record(registered())
    xinheng(
        "export",
        "--kind",
        "penalty",
        "--template",
        "penalty-2018",
        "--headings",
        "code",
        "--entity",
        code,
        tmp_path / "a.xlsx",
    )
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert (sheet.max_row, sheet["B2"].value, sheet["B1"].value) == (2, code, "CF_XDR_SHXYM")
    assert read(xinheng("export", "--kind", "penalty", "--since", first.seq, tmp_path / "b.csv", "--json"))["rows"] == 0
    assert read(xinheng("export", "--kind", "penalty", tmp_path / "c.json", "--json"))["template"] == "penalty-necips"
    refused = xinheng("export", "--kind", "licence", "--template", "penalty-2018", tmp_path / "d.csv", status=3)
    assert "licence-2018, licence-2021" in refused.stderr
    assert not (tmp_path / "d.csv").exists()


def test_rejected_rows_go_into_a_workbook_where_one_is_asked_for(xinheng, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(
        "行政相对人名称,统一社会信用代码,行政处罚决定书文号,处罚决定日期\n某公司,91990101MA00000000,号,昨天\n",
        encoding="utf-8",
    )
    xinheng("import", path, "--rejected", tmp_path / "no.xlsx", status=1)
    sheet = openpyxl.load_workbook(tmp_path / "no.xlsx").active
    assert [cell.value for cell in sheet[2]][:2] == [2, "处罚决定日期"]


def test_a_batch_goes_out_is_answered_and_goes_again(xinheng, tmp_path):
    entity = registered()
    made = [record(entity) for _ in range(2)]
    make = ("outbound", "make", "--recipient", "sharing_platform", "--kind", "penalty", "--organ", ORGAN)
    batch = read(xinheng(*make, tmp_path, "--json"))
    assert (batch["rows"], batch["file"]) == (2, str(tmp_path / "sharing_platform-penalty-1.csv"))
    assert "had everything" in xinheng(*make, tmp_path, status=3).stderr
    receipt = tmp_path / "receipt.xlsx"
    number = Record.get(Record.seq == made[1].seq).detail["printed_no"]
    sheets.write_table(
        receipt, ["行号", "文书号", "结果", "原因"], [(2, None, "接收", None), (None, number, "退回", "代码有误")]
    )
    assert "was not sent yet" in xinheng("outbound", "answer", 1, receipt, status=3).stderr
    xinheng("outbound", "sent", 1)
    said = read(xinheng("outbound", "answer", 1, receipt, "--json"))
    assert (said["state"], said["accepted"], said["refused"]) == ("answered", 1, 1)
    assert "Batch 2 for sharing_platform: 1 records" in xinheng("outbound", "resend", 1, tmp_path / "again.csv").stdout
    with (tmp_path / "again.csv").open(encoding="utf-8-sig", newline="") as handle:
        assert [row["行政处罚决定文书号"] for row in csv.DictReader(handle)] == [number]
    assert [one["resend_of"] for one in read(xinheng("outbound", "list", "--json"))] == [1, None]
    (rate,) = read(xinheng("outbound", "rates", "--recipient", "sharing_platform", "--from", "2026-01-01", "--json"))
    assert (rate["sent"], rate["refused"], rate["month"]) == (2, 1, "2026-03")


def test_a_batch_never_writes_over_a_file_that_is_there(xinheng, tmp_path):
    record(registered())
    (tmp_path / "there.csv").write_text("mine", encoding="utf-8")
    make = ("outbound", "make", "--recipient", "sharing_platform", "--kind", "penalty", "--organ", ORGAN)
    refused = xinheng(*make, tmp_path / "there.csv", status=3)
    assert "copy it from there" in refused.stderr
    assert (tmp_path / "there.csv").read_text(encoding="utf-8") == "mine"


def test_what_is_not_published_is_named_with_what_to_do(xinheng, tmp_path):
    record(registered(), fine_fen=200_000_00)
    make = ("outbound", "make", "--recipient", "credit_china", "--kind", "penalty", "--organ", ORGAN, tmp_path)
    refused = xinheng(*make, status=3)
    assert "1 not published on credit_china" in refused.stderr
    assert "xinheng publish" in refused.stderr
