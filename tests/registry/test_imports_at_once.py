"""Two importers of one file at the same time: every row is in the ledger once, and each run accounts for all it read."""

import csv
import json
import os
import subprocess
import sys

import pytest

from registry.config import ROOT
from registry.models import ImportRun, Record
from tests.factories import credit_code, registered

ROWS = 1_500
HEADINGS = ("行政相对人名称", "统一社会信用代码", "行政处罚决定书文号", "处罚类别", "处罚内容", "罚款金额(万元)", "处罚决定日期", "处罚机关")  # fmt: skip


@pytest.mark.slow
def test_two_importers_of_one_file_at_once_store_it_once(settings, tmp_path):
    codes = [credit_code(number=number) for number in range(20)]
    for code in codes:
        registered(code)
    file = tmp_path / "penalties.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADINGS)
        for number in range(ROWS):
            code = codes[number % len(codes)]
            writer.writerow(
                (
                    "",
                    code,
                    f"信市监处罚〔2026〕{number}号",
                    "罚款",
                    "罚款5000元",
                    "0.5",
                    "2026-03-02",
                    "信衡市市场监督管理局",
                )
            )
    environ = {
        **os.environ, "XINHENG_DATABASE_URL": settings.database.url, "XINHENG_PRIVACY_KEY_FILE": settings.privacy.key_file,
        "XINHENG_IMPORT_CHUNK_ROWS": "50", "XINHENG_LOG_LEVEL": "error",
    }  # fmt: skip
    command = [sys.executable, "-c", "from api.cli import main; main()", "import", str(file), "--json"]
    importers = [subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    reports = [json.loads(importer.communicate(timeout=120)[0]) for importer in importers]
    assert [importer.returncode for importer in importers] == [0, 0]
    stored = Record.select().where((Record.kind == "penalty") & Record.replaced_seq.is_null())
    assert len({row.document_no for row in stored}) == stored.count() == ROWS
    assert sum(report["stored"] for report in reports) == ROWS
    for report in reports:
        assert (
            report["read"] == report["stored"] + report["unchanged"] + report["unmatched"] + report["rejected"] == ROWS
        )
    assert {run.state for run in ImportRun.select()} == {"done"}
