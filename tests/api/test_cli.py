"""The `xinheng` command: what a person types, what a program reads, and what the shell learns of it."""

import csv
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from api.cli import COMMANDS, cli
from api.cli.imports import rejects_path
from api.cli.setup import masked
from registry import config, database, tables
from registry.config import ROOT, Settings
from registry.models import Audit, ImportRun, Record
from registry.services import grading, keys
from tests.factories import credit_code, record, registered

ORGAN = "信衡市市场监督管理局"
Call = Callable[..., Result]


def environ(settings: Settings) -> dict[str, str]:
    return {"XINHENG_DATABASE_URL": settings.database.url, "XINHENG_PRIVACY_KEY_FILE": settings.privacy.key_file}


def caller(settings: Settings) -> Generator[Call, None, None]:
    """Run a command in this process; the test's own connection is put back afterwards."""
    pool = database.db.obj

    def call(*args: object, status: int = 0) -> Result:
        try:
            result = CliRunner(env=environ(settings)).invoke(cli, [str(arg) for arg in args])
        finally:
            database.db.initialize(pool)
        assert result.exit_code == status, (result.stdout, result.stderr)
        return result

    yield call


@pytest.fixture
def xinheng(settings: Settings) -> Generator[Call, None, None]:
    yield from caller(settings)


@pytest.fixture
def on_one(on_sqlite: Settings) -> Generator[Call, None, None]:
    yield from caller(on_sqlite)


def read(result: Result) -> Any:
    return orjson.loads(result.stdout)


def started(settings: Settings, *args: str) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", *args], cwd=ROOT, env={**os.environ, **environ(settings)},
        text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        found += [(name, inner) for inner in getattr(command, "commands", {})] or [(name,)]
    return found


# --- every command ---


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_has_help_with_an_example(path):
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0
    example = re.search(r"Example:\s+(?:\w+=\S+ )?xinheng " + " ".join(path), result.output)
    assert example, result.output


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_command_is_documented(path):
    assert f"xinheng {' '.join(path)}" in (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_every_option_is_documented():
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for path in every_command():
        command: Any = cli
        for name in path:
            command = command.get_command(None, name)
        for option in command.params:
            if not getattr(option, "hidden", False) and option.opts[0].startswith("--"):
                assert f"`{option.opts[0]}`" in text, (path, option.opts)


@pytest.mark.parametrize("key", config.keys())
def test_every_setting_is_documented_with_its_variable_and_its_default(key):
    section, name = key.split(".")
    default = next(item.default for item in config.SECTIONS[section].__dataclass_fields__.values() if item.name == name)
    line = next(
        line for line in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines() if f"`{key}`" in line
    )
    assert f"`XINHENG_{section}_{name}`".upper() in line.upper()
    assert (f"`{default}`" if default != "" else "(empty)") in line


def test_help_does_not_wait_for_the_engine():
    code = "import sys; from api.cli import cli; cli.main(['--help'])"
    slow = "import sys, atexit; atexit.register(lambda: print(sorted({'polars', 'peewee', 'rich', 'rules', 'numpy'} & set(sys.modules)))); "
    done = subprocess.run([sys.executable, "-c", slow + code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    # 0.15 s on a quiet machine; the bound leaves room for a busy one.
    assert time.monotonic() - began < 1.5


# --- errors and statuses ---


def test_a_misspelt_command_or_option_is_wrong_use(on_one):
    assert "No such command" in on_one("grade-all", status=2).stderr
    assert "No such option" in on_one("grade", "--al", status=2).stderr
    assert "Say who" in on_one("grade", status=2).stderr
    assert "YYYY-MM-DD" in on_one("grade", "--all", "--on", "21.11.2026", status=2).stderr


def test_an_expected_error_is_one_line_on_standard_error(on_one):
    result = on_one("explain", "91990101MA0000000X", status=3)
    assert result.stdout == ""
    assert result.stderr.startswith("xinheng: No entity is registered")
    assert len(result.stderr.splitlines()) == 1


def test_an_unexpected_error_shows_where_it_happened(on_one, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(grading, "due", broken)
    result = on_one("grade", "--due", status=3)
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError" in result.stderr


def test_a_database_without_tables_is_named_with_the_remedy(tmp_path):
    env = {
        "XINHENG_DATABASE_URL": f"sqlite:///{tmp_path}/new.db",
        "XINHENG_PRIVACY_KEY_FILE": f"{tmp_path}/privacy.key",
    }
    result = CliRunner(env=env).invoke(cli, ["grade", "--all"])
    assert result.exit_code == 3
    assert "xinheng init" in result.stderr


def test_a_database_that_is_not_there_is_one_clear_line_without_a_password(tmp_path):
    env = {"XINHENG_DATABASE_URL": "postgresql://someone:hush@127.0.0.1:9/nothing", "XINHENG_DATABASE_TIMEOUT": "1"}
    result = CliRunner(env=env).invoke(cli, ["imports"])
    assert result.exit_code == 3
    assert "cannot be opened" in result.stderr
    assert "hush" not in result.output


# --- setting up ---


def test_three_that_initialise_at_once_do_no_harm(tmp_path):
    env = {
        **os.environ,
        "XINHENG_DATABASE_URL": f"sqlite:///{tmp_path}/new.db",
        "XINHENG_PRIVACY_KEY_FILE": f"{tmp_path}/privacy.key",
    }
    command = [sys.executable, "-c", "from api.cli import main; main()", "init", "--json"]
    both = [subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE) for _ in range(3)]
    applied = [orjson.loads(child.communicate(timeout=60)[0])["applied"] for child in both]
    assert [child.returncode for child in both] == [0, 0, 0]
    assert sorted(map(bool, applied)) == [False, False, True]
    assert stat.S_IMODE((tmp_path / "privacy.key").stat().st_mode) == 0o600


def test_config_says_what_holds_and_where_it_comes_from(on_one, on_sqlite):
    rows = read(on_one("config", "--json"))
    assert list(rows) == config.keys()
    assert rows["database.url"] == {"value": on_sqlite.database.url, "from": "XINHENG_DATABASE_URL"}
    assert rows["server.port"]["from"].endswith("config.toml")
    assert "server.port" in on_one("config").stdout


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:secret@db.example:5432/x", "postgresql://u:***@db.example:5432/x"),
        ("postgresql://u:p@ss@db/x", "postgresql://u:***@db/x"),
        (
            "postgresql://db/x?user=u&password=secret&sslmode=require",
            "postgresql://db/x?user=u&password=***&sslmode=require",
        ),
        ("postgresql://u@db/x", "postgresql://u@db/x"),
        ("sqlite:///var/xinheng.db", "sqlite:///var/xinheng.db"),
    ],
)
def test_passwords_in_urls_are_masked(url, shown):
    assert masked(url) == shown


def test_a_sample_is_loaded_into_an_empty_registry_only_and_then_graded(on_one):
    counts = read(on_one("sample", "--size", 300, "--seed", 7, "--json"))
    assert counts["entities"] == 300
    assert "empty" in on_one("sample", "--size", 300, status=3).stderr
    assert "not a size" in on_one("sample", "--size", "village", status=2).stderr
    body = read(on_one("grade", "--all", "--json"))
    assert set(body) >= {"entities", "changed", "seconds", "classes"}
    assert 0 < body["entities"] == body["changed"] <= 300
    assert sum(sum(counts.values()) for counts in body["classes"].values()) == body["entities"]
    again = read(on_one("grade", "--all", "--json"))
    assert (again["entities"], again["changed"]) == (body["entities"], 0)


# --- importing ---


def penalties(folder: Path, code: str, *, bad: bool = True) -> Path:
    """A penalty file by the 2021 template: one good row, one of an unknown party, and one with a negative fine."""
    from registry import mappings

    known = mappings.shipped()["penalty-legal-person"]
    fields = {column.field: column.headings[0] for column in known.columns}
    names = [
        known.party_name[0],
        known.party_code[0],
        *(group[0] for group in known.requires),
        *(fields[name] for name in ("document_no", "decided_on", "fine_fen", "organ")),
    ]
    header = list(dict.fromkeys(names))

    def row(**values: str) -> dict[str, str]:
        return {
            known.party_name[0]: "信衡示例有限公司",
            known.party_code[0]: code,
            fields["decided_on"]: "2026-03-02",
            fields["organ"]: ORGAN,
        } | values

    rows = [row(**{fields["document_no"]: "信市监处罚〔2026〕1号", fields["fine_fen"]: "1"})]
    if bad:
        rows.append(row(**{fields["document_no"]: "信市监处罚〔2026〕2号", fields["fine_fen"]: "-1"}))
        rows.append(
            row(**{fields["document_no"]: "信市监处罚〔2026〕3号", fields["fine_fen"]: "1", known.party_code[0]: ""})
        )
    file = folder / "penalties.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    assert tables.look_at(file).lines == len(rows) + 1
    return file


def test_an_import_adds_up_and_names_what_it_refused(xinheng, tmp_path):
    file = penalties(tmp_path, credit_code())
    body = read(xinheng("import", file, "--json", status=1))
    assert body["read"] == body["stored"] + body["unchanged"] + body["unmatched"] + body["rejected"] == 3
    assert (body["stored"], body["unmatched"], body["rejected"], body["provisional"]) == (1, 1, 1, 1)
    assert body["mapping"] == "penalty-legal-person"
    assert {"undated", "resumed_at"} <= set(body)
    rejected = Path(body["rejected_file"])
    assert rejected == tmp_path / "penalties.csv.rejected.csv"
    lines = list(csv.reader(rejected.open(encoding="utf-8-sig")))
    assert [line[0] for line in lines[1:]] == ["3"]
    assert [row["state"] for row in read(xinheng("imports", "--json"))] == ["done"]
    waiting = read(xinheng("queue", "--json"))
    assert (waiting["total"], waiting["items"][0]["row"]) == (1, 4)
    assert "1 of 1" in xinheng("queue").stdout


def test_the_same_file_again_stores_nothing_and_says_so(on_one, tmp_path):
    file = penalties(tmp_path, credit_code(), bad=False)
    assert "1 stored" in on_one("import", file).stdout
    body = read(on_one("import", file, "--json"))
    assert (body["read"], body["stored"], body["unchanged"], body["rejected_file"]) == (1, 0, 1, None)
    assert "1 unchanged" in on_one("import", file).stdout


def test_a_dry_run_stores_nothing_and_shows_what_is_wrong(on_one, tmp_path):
    file = penalties(tmp_path, credit_code())
    result = on_one("import", file, "--dry-run", status=1)
    assert "1 would be stored" in result.stdout
    assert "row 3" in result.stderr
    assert Record.select().count() == ImportRun.select().count() == 0


def test_a_file_that_cannot_be_read_fails_with_its_reason(on_one, tmp_path):
    file = tmp_path / "table.csv"
    file.write_bytes(b"PK\x03\x04 not a table")
    assert "Excel" in on_one("import", file, status=3).stderr
    assert "There is no file" in on_one("import", tmp_path / "none.csv", status=3).stderr


def test_refused_rows_go_beside_the_file_or_into_the_working_directory(tmp_path, monkeypatch):
    file = tmp_path / "a.csv.gz"
    assert rejects_path(file) == tmp_path / "a.csv.gz.rejected.csv"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert rejects_path(file) == Path("a.csv.gz.rejected.csv")


# --- tasks, lists, keys, schemes ---


def test_a_list_is_pulled_under_a_task_and_the_field_copy_tells_no_class(on_one, tmp_path):
    for _ in range(3):
        record(registered(), document_no="")
    on_one("grade", "--due")
    task = read(
        on_one(
            "task",
            "create",
            "--type",
            "key_supervision",
            "--title",
            "双随机抽查",
            "--basis",
            "年度计划",
            "--organ",
            ORGAN,
            "--item",
            "标签",
            "--json",
        )
    )
    assert read(on_one("task", "list", "--organ", ORGAN, "--json"))[0]["id"] == task["id"]
    assert read(on_one("task", "list", "--organ", "别的机关", "--json")) == []
    made = read(on_one("list", "pull", task["id"], "--size", 2, "--json"))
    assert made["size"] == 2
    rows = read(on_one("list", "show", made["id"], "--json"))["items"]
    assert [row["number"] for row in rows] == [1, 2]
    assert rows[0]["score"] >= rows[1]["score"]
    field = read(on_one("list", "show", made["id"], "--copy", "field", "--json"))["items"]
    assert not {"class", "score", "reasons", "graded_on"} & set(field[0])
    out = tmp_path / "list.csv"
    on_one("list", "show", made["id"], "--copy", "field", "--csv", out)
    assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 3
    assert "风险分类" not in out.read_text(encoding="utf-8-sig")
    assert "风险分类" in on_one("list", "show", made["id"]).stdout
    assert "task list" in on_one("list", "pull", 99, status=3).stderr
    assert "no class" in on_one("list", "pull", task["id"], "--class", "Z", status=2).stderr
    assert "digits" in on_one("list", "pull", task["id"], "--division", "x", status=2).stderr
    assert "list pull" in on_one("list", "show", 99, status=3).stderr


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(on_one, tmp_path):
    registered(name="=HYPERLINK(1)")
    on_one("grade", "--due")
    on_one(
        "task", "create", "--type", "key_supervision", "--title", "t", "--basis", "b", "--organ", ORGAN, "--item", "i"
    )
    on_one("list", "pull", 1)
    out = tmp_path / "list.csv"
    on_one("list", "show", 1, "--csv", out)
    assert "'=HYPERLINK(1)" in out.read_text(encoding="utf-8-sig")


def test_a_key_is_shown_once_works_and_is_revoked(on_one):
    secret = on_one("key", "create", "desk", "--organ", ORGAN, "--scope", "grades:read").stdout.strip()
    assert keys.caller(secret).organ == ORGAN
    listed = on_one("key", "list", "--json")
    assert secret not in listed.stdout
    assert read(listed)[0]["scopes"] == ["grades:read"]
    on_one("key", "revoke", "desk")
    on_one("key", "revoke", "desk")
    with pytest.raises(keys.BadKey):
        keys.caller(secret)
    assert "key list" in on_one("key", "revoke", "nobody", status=3).stderr
    assert "everything" in on_one("key", "create", "x", "--organ", ORGAN, "--scope", "everything", status=2).stderr
    assert {row.actor.partition(":")[0] for row in Audit.select()} == {"cli"}


def test_the_shipped_schemes_are_in_order_and_read_in_both_languages(on_one):
    assert "in order" in on_one("scheme", "check").stdout
    assert read(on_one("scheme", "list", "--json"))[0]["id"] == "general-risk"
    chinese = on_one("scheme", "show", "--on", "2026-01-01").stdout
    assert "通用型企业信用风险分类" in chinese
    assert "产品默认值,无法定依据" in chinese
    english = on_one("scheme", "show", "general-risk", "--lang", "en", "--on", "2026-01-01").stdout
    assert "Higher" not in english
    assert "product default" in english
    assert "Schemes are" in on_one("scheme", "show", "none", status=3).stderr


def test_a_broken_scheme_is_named_by_file_key_and_remedy(on_one, tmp_path):
    (tmp_path / "scheme.toml").write_text('[scheme]\nid = "x"\nlowest = 9\nhighest = 1\n', encoding="utf-8")
    reports = read(on_one("scheme", "check", tmp_path, "--json", status=1))
    assert any(mistake["key"] == "scheme.highest" and mistake["remedy"] for mistake in reports[0]["mistakes"])
    assert "scheme.toml: scheme.highest: is 1" in on_one("scheme", "check", tmp_path, status=1).stdout


def test_json_is_alone_on_standard_output_in_a_real_process(on_sqlite):
    registered()
    done = started(on_sqlite, "jobs", "run", "grade_due", "--json")
    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout)["state"] == "done"
    assert "job.finished" in done.stderr
    assert all(orjson.loads(line) for line in done.stderr.splitlines())


def test_a_real_process_ends_with_the_status_of_what_happened(on_sqlite, tmp_path):
    assert started(on_sqlite, "explain").returncode == 2
    assert started(on_sqlite, "explain", credit_code()).returncode == 3
    file = penalties(tmp_path, credit_code())
    assert started(on_sqlite, "import", str(file), "--json").returncode == 1
