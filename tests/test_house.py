"""The house keeps its own rules: layers, purity, size of files, documents beside code, locked libraries."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from registry import config
from registry.errors import RegistryError

ROOT = config.ROOT
PACKAGES = ("registry", "rules", "jobs", "api")
PRODUCT = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
SOURCES = sorted([*PRODUCT, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LONGEST = 500
# What rules may import of ours and of others: nothing that reads a database, a clock or a network.
IMPURE = {
    "registry",
    "jobs",
    "api",
    "flask",
    "peewee",
    "playhouse",
    "sqlite3",
    "psycopg",
    "socket",
    "http",
    "urllib",
    "requests",
    "time",
    "random",
    "os",
    "subprocess",
}
RUNS_CODE = {"eval", "exec", "compile", "__import__"}
UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}


def named(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports_of(path):
    """Top-level names of everything that a file imports, wherever it does so."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def everything_beneath(kind):
    for one in kind.__subclasses__():
        yield one
        yield from everything_beneath(one)


@pytest.mark.parametrize("path", [path for path in PRODUCT if named(path).startswith("rules/")], ids=named)
def test_rules_stay_pure(path):
    assert not imports_of(path) & IMPURE
    clock = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("today", "now", "utcnow")
    ]
    assert clock == []


@pytest.mark.parametrize("path", PRODUCT, ids=named)
def test_nothing_in_the_product_runs_data_as_code(path):
    called = {
        node.func.id for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & RUNS_CODE
    assert not imports_of(path) & UNSAFE


@pytest.mark.parametrize(
    "path", [path for path in PRODUCT if not named(path).startswith(("registry/clock.py", "api/", "jobs/"))], ids=named
)
def test_only_one_file_reads_the_clock(path):
    """Facts and rules get `today` and `now`; whoever talks to the outside asks registry.clock."""
    asked = [
        node.func.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}
    ]  # fmt: skip
    assert asked == []


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_no_file_is_longer_than_a_person_reads(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_is_left_for_later(path):
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X:")
    assert not [mark for mark in marks if mark in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", PRODUCT, ids=named)
def test_every_module_says_what_it_is(path):
    empty = not path.read_text(encoding="utf-8").strip()
    assert empty or ast.get_docstring(tree(path))


@pytest.mark.parametrize("path", SOURCES + DOCS, ids=named)
def test_no_path_of_one_machine_stands_in_the_repository(path):
    assert not re.search(r"/(?:work|home/\w+|Users)/", path.read_text(encoding="utf-8"))


def test_imports_point_one_way():
    script = Path(sys.executable).parent / "lint-imports"
    if not script.exists():
        pytest.skip("SKIPPED: import-linter is not installed; `make setup` installs it")
    run = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=named)
def test_libraries_are_locked_by_hash_and_name_no_index(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links|--trusted-host", text)
    entries = [entry for entry in re.split(r"(?<!\\)\n", text) if entry.strip() and not entry.lstrip().startswith("#")]
    assert entries
    assert not [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]


def test_the_version_is_in_the_changelog():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("key", config.keys())
def test_every_setting_is_documented(key):
    page = ROOT / "docs" / "settings.md"
    assert page.is_file(), "docs/settings.md is missing: it documents every setting"
    section, name = key.split(".")
    text = page.read_text(encoding="utf-8")
    assert (
        f"`{key}`" in text or f"`[{section}] {name}`" in text or f"`XINHENG_{section}_{name}`".upper() in text.upper()
    )


def codes_of_errors():
    for package in ("registry", "api", "jobs"):
        for path in (ROOT / package).rglob("*.py"):
            __import__(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    return sorted({one.code for one in everything_beneath(RegistryError)})


def test_every_error_code_is_documented_and_belongs_to_one_error():
    page = ROOT / "docs" / "errors.md"
    if not page.is_file():
        pytest.skip("SKIPPED: docs/errors.md is not written yet")
    text = page.read_text(encoding="utf-8")
    assert [code for code in codes_of_errors() if f"`{code}`" not in text] == []


def test_no_two_errors_share_a_code():
    codes_of_errors()
    by_code = {}
    for one in everything_beneath(RegistryError):
        # A subclass may keep its parent's code: it is a special case of the same thing.
        if "code" in vars(one):
            by_code.setdefault(one.code, []).append(one.__qualname__)
    assert {code: names for code, names in by_code.items() if len(names) > 1} == {}


@pytest.mark.parametrize("target", ["help", "setup", "run", "test", "lint", "bench", "chaos", "soak"])
def test_make_alone_prints_every_target(target):
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"make {target}" in said


def test_the_licence_and_the_notice_are_there():
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert (ROOT / "NOTICE").read_text(encoding="utf-8").strip()
