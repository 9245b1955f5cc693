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


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--kind", "spot_check", "sc.csv"), "JSON only, not as CSV. Call the file sc.json"),
        (("--kind", "spot_check", "--format", "xlsx", "sc"), "JSON only, not as XLSX"),
        (("--kind", "penalty", "--template", "penalty-2018", "p.json"), "is a table, not JSON. Call the file p.csv"),
    ],
)
def test_a_file_is_never_called_a_form_that_it_has_not(xinheng, tmp_path, asked, said):
    *options, name = asked
    assert said in xinheng("export", *options, tmp_path / name, status=3).stderr
    assert not (tmp_path / name).exists()


def test_a_receipt_that_does_not_fit_names_the_row_of_the_file(xinheng, tmp_path):
    record(registered())
    xinheng("outbound", "make", "--recipient", "sharing_platform", "--kind", "penalty", "--organ", ORGAN, tmp_path)
    xinheng("outbound", "sent", 1)
    (tmp_path / "r.csv").write_text("行号,结果,原因\n9,接收,\n", encoding="utf-8")
    refused = xinheng("outbound", "answer", 1, tmp_path / "r.csv", status=3).stderr
    assert "row 2 of the receipt: the batch has no row 9" in refused


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
    told = xinheng("outbound", "show", 1, "--refused").stdout
    assert "退回 refused" in told
    assert "代码有误" in told
    assert "接收 accepted" not in told
    shown = read(xinheng("outbound", "show", 1, "--json"))
    assert [(one["row"], one["said"], one["reason"]) for one in shown["items"]] == [
        (2, "accepted", ""),
        (3, "refused", "代码有误"),
    ]
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
