"""The commands of inspection lists, as their user types them."""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from api.cli import cli
from registry.database import execute
from registry.models import Visit
from registry.services import grading, tasks
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.tables import ORGAN


@pytest.fixture
def run(on_sqlite, monkeypatch):
    """Runs a command on the registry of the test; its output, read as JSON with --json."""
    monkeypatch.setenv("XINHENG_DATABASE_URL", on_sqlite.database.url)
    monkeypatch.setenv("XINHENG_PRIVACY_KEY_FILE", on_sqlite.privacy.key_file)
    for number in range(6):
        registered(credit_code(number=number), name=f"信衡示例{number}", industry=5200, address=f"示例路{number}号")
    grading.due(grading.scheme_named(on_sqlite), day=TODAY)
    tasks.create(type="key_supervision", title="t", basis="b", organ=ORGAN, items=["登记事项检查"], from_on=TODAY,
                 to_on=date(2027, 12, 31), actor="a", now=NOW)  # fmt: skip

    def ran(*words, status=0):
        result = CliRunner().invoke(cli, ["list", *map(str, words)])
        assert result.exit_code == status, result.output
        return json.loads(result.stdout) if "--json" in words else result.output

    return ran


def test_a_list_is_pulled_with_its_slice_shown_listed_and_printed(run, tmp_path):
    assert "4 entities, 1 of them by lot out of 3" in run("pull", 1, "--size", 4)
    (one,) = run("all", "--json")
    assert (one["id"], one["size"], one["visits"]) == (1, 4, {"open": 4})
    assert run("all", "--task", 2, "--json") == []
    rows = run("show", 1, "--json")["items"]
    assert [row["slice"] for row in rows] == ["priority"] * 3 + ["random"]
    file = tmp_path / "list.csv"
    run("show", 1, "--copy", "field", "--output", file)
    text = file.read_text(encoding="utf-8-sig")
    assert text.startswith("序号 number,")
    assert "random" not in text
    page = tmp_path / "list.html"
    assert "4 entities" in run("print", 1, page, "--copy", "field")
    assert page.read_text(encoding="utf-8").count('<section class="sheet">') == 4


def test_codes_by_hand_changes_and_the_schedule(run):
    assert run("pull", 1, "--code", credit_code(number=3), "--json")["size"] == 1
    entity = Visit.get().entity
    record(entity)
    (change,) = run("changes", 1, "--json")["items"]
    assert (change["code"], change["records"]) == (credit_code(number=3), 1)
    assert run("schedule", 1, "--json")["fits"] is False
    assert "only an approved one" in run("schedule", 1, "--set", status=3)
    execute("UPDATE task SET state = 'approved', decided_by = 'b'")
    assert "No visit was planned" in run("schedule", 1, "--set", "--per-day", 3, status=3)
