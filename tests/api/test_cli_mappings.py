"""`xinheng mapping`, and what `import --dry-run` tells a person and a program."""

import orjson
import pytest
from click.testing import CliRunner

from api.cli import cli
from registry import database
from registry.models import ImportRun
from tests.factories import credit_code
from tests.registry.tables import HEADINGS_2021, penalty_row, table
from tests.registry.workbooks import workbook

CHECKS = ["检查单号", "检查日期", "被检查单位名称", "检查结果"]
STRANGE = ["编号", "单位名称", "检查日期", "检查结论"]


@pytest.fixture
def xinheng(on_sqlite, tmp_path):
    """Run a command in this process, with a folder of one's own for saved mappings."""
    pool = database.db.obj
    environ = {
        "XINHENG_DATABASE_URL": on_sqlite.database.url,
        "XINHENG_PRIVACY_KEY_FILE": on_sqlite.privacy.key_file,
        "XINHENG_IMPORT_MAPPINGS": str(tmp_path / "saved"),
    }

    def call(*args, status=0, **more):
        try:
            result = CliRunner(env=environ | more).invoke(cli, [str(arg) for arg in args])
        finally:
            database.db.initialize(pool)
        assert result.exit_code == status, (result.stdout, result.stderr)
        return result

    return call


def test_a_mapping_is_drafted_completed_checked_saved_and_used(xinheng, tmp_path):
    file = table(tmp_path, STRANGE, [["1", "信衡示例有限公司", "2026-03-02", "合格"]], name="checks.csv")
    assert "No mapping fits" in xinheng("import", file, status=3).stderr
    text = xinheng("mapping", "draft", file, "--kind", "spot_check").stdout
    whole = (
        text.replace('system = "" }', 'system = "xinheng-2026", values = { "合格" = "1" } }')
        .replace("ignore = []", 'ignore = ["编号"]')
    )  # fmt: skip
    mapping = tmp_path / "my-checks.toml"
    mapping.write_text(whole, encoding="utf-8")
    assert "my-checks.toml is in order" in xinheng("mapping", "check", mapping).stdout
    assert "--mapping my-checks" in xinheng("mapping", "save", mapping).stdout
    assert "1 wait for a match, 0 refused" in xinheng("import", file).stdout
    listed = {one["id"]: one for one in orjson.loads(xinheng("mapping", "list", "--json").stdout)}
    assert (listed["my-checks"]["saved"], listed["penalty-tax"]["saved"]) == (True, False)
    assert xinheng("mapping", "show", "my-checks").stdout == whole


def test_a_mapping_that_is_not_in_order_says_why_and_is_not_saved(xinheng, tmp_path):
    mapping = tmp_path / "broken.toml"
    mapping.write_text("[mapping]\n", encoding="utf-8")
    for command in ("check", "save"):
        assert "broken.toml: the key 'party' is missing" in xinheng("mapping", command, mapping, status=3).stderr
    assert not (tmp_path / "saved").exists()


def test_a_shipped_mapping_can_be_shown_and_its_name_is_taken(xinheng, tmp_path):
    shown = xinheng("mapping", "show", "penalty-tax").stdout
    assert 'title = "税务行政处罚"' in shown
    mapping = tmp_path / "penalty-tax.toml"
    mapping.write_text(shown, encoding="utf-8")
    assert "There is a shipped mapping 'penalty-tax'" in xinheng("mapping", "save", mapping, status=3).stderr


def test_a_dry_run_tells_a_person_what_was_understood(xinheng, tmp_path):
    file = tmp_path / "checks.csv"
    file.write_bytes(
        workbook(
            [["说明"]],
            [
                ["某区检查结果公示"],
                CHECKS,
                ["1", "44744", "信衡示例有限公司", "合格"],
                ["2", "44745", "信衡", "尚可"],
                ["合计"],
            ],
        )
    )
    said = xinheng("import", file, "--dry-run", status=1).stdout
    for words in (
        "an Excel workbook (.xlsx), whatever its name says",
        "Sheet 工作表   表二; not read: 表一",
        "row 2, 2 rows below it",
        "row 1 stands above it: 某区检查结果公示",
        "Left out as no rows of the table: 1 sums or signatures below the table.",
        "spot-check-results (执法检查结果公示), kind spot_check",
        "2 检查日期  → checked_on (day: serial numbers of a spreadsheet)",
        "row 3: 信衡示例有限公司  (waits: blank)",
        "happened_on 2022-07-02",
        "1 × 检查结果: The mapping does not say what this means",
        "(row 4)",
        "Nothing was stored.",
    ):
        assert words in said
    assert ImportRun.select().count() == 0


def test_a_dry_run_tells_a_program_the_same(xinheng, tmp_path):
    file = table(tmp_path, HEADINGS_2021, [penalty_row(code=credit_code()), penalty_row(fine="-1")])
    body = orjson.loads(xinheng("import", file, "--dry-run", "--json", status=1).stdout)
    assert (body["run"], body["read"], body["stored"], body["rejected"], body["mapping"]) == (
        None,
        2,
        1,
        1,
        "penalty-legal-person",
    )
    assert (body["form"], body["encoding"], body["separator"], body["header_row"]) == ("csv", "utf-8-sig", ",", 1)
    assert body["refusals"]["causes"][0] | {"reason": ""} == {
        "column": "罚款金额(万元)",
        "reason": "",
        "count": 1,
        "rows": [3],
    }
    assert body["first_rows"][0]["record"]["amount_fen"] == 500000


def test_how_days_are_written_can_be_said(xinheng, tmp_path):
    file = table(tmp_path, CHECKS, [["1", "03/04/2023", "信衡示例有限公司", "合格"]])
    assert "--order dmy" in xinheng("import", file, status=3).stderr
    body = orjson.loads(xinheng("import", file, "--dry-run", "--order", "dmy", "--json").stdout)
    assert body["first_rows"][0]["record"]["happened_on"] == "2023-04-03"


def test_a_file_beyond_the_limits_of_the_settings_is_refused_with_the_number(xinheng, tmp_path):
    file = table(tmp_path, CHECKS, [[str(n), "2026-03-02", "信衡示例有限公司", "合格"] for n in range(4)])
    said = xinheng("import", file, status=3, XINHENG_IMPORT_MAX_ROWS="3").stderr
    assert "more than 3 rows ([import] max_rows; row 5 is one too many)" in said
