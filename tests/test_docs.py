"""Every code block in README and docs is run; what a page promises is what the product prints."""

import re
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from tests import docs_runner
from tests.docs_runner import World


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every page begins with, made once: each page works on a copy."""
    folder = tmp_path_factory.mktemp("town")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XINHENG_DATABASE_URL", "")
        environment.setenv("XINHENG_PRIVACY_KEY_FILE", "")
        World(folder).make()
    return folder


NEEDS_JQ = re.compile(r"(^|[|(\s])jq\s")


@pytest.fixture
def world(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[World, None, None]:
    monkeypatch.setenv("XINHENG_DATABASE_URL", "")
    monkeypatch.setenv("XINHENG_PRIVACY_KEY_FILE", "")
    with World.like(town, tmp_path).open() as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("page", docs_runner.pages(), ids=lambda page: page.name)
def test_the_commands_of_a_page_print_what_the_page_says(page: Path, request: pytest.FixtureRequest):
    blocks = docs_runner.blocks(page)
    for language, text in blocks:
        docs_runner.check_static(language, text)
    found = docs_runner.script(page)
    for command in found:
        if not docs_runner.checkable(command.line) and command.line.startswith("make"):
            named = command.line.split()[1:2]
            assert not named or named[0] in docs_runner.targets(), command.line
    runnable = [command for command in found if docs_runner.checkable(command.line)]
    if not runnable:
        return
    if any(NEEDS_JQ.search(command.line) for command in runnable) and shutil.which("jq") is None:
        pytest.skip(f"SKIPPED: {page.name} uses jq, and this machine has none (apt-get install jq)")
    world: World = request.getfixturevalue("world")
    for command in runnable:
        printed = world.run(command.line, command.day)
        if command.output.strip():
            assert docs_runner.matches(command.output, printed), (
                f"{command.line}\n--- page\n{command.output}\n--- run\n{printed}"
            )


def test_a_page_that_prints_something_else_is_noticed():
    assert not docs_runner.matches('{"class": "A"}', '{"class": "B"}')
    assert docs_runner.matches("one\n…\nthree 5 s", "one\ntwo\ntwo and a half\nthree 7 s")
    assert not docs_runner.matches("one\n…\nthree", "one\ntwo")


def test_a_page_keeps_what_it_assigned_and_its_secrets_are_the_same_in_every_run(tmp_path, monkeypatch):
    monkeypatch.setenv("XINHENG_DATABASE_URL", "")
    monkeypatch.setenv("XINHENG_PRIVACY_KEY_FILE", "")

    def drawn(folder, *lines):
        folder.mkdir()
        world = World(folder)
        world.port = 1
        assert world.run("ONE=$(date +%N)") == ""
        assert world.run('echo "$ONE"') == world.run('echo "$ONE"') != "\n"
        return [(world.run(line), world._bytes(), world._bytes(4))[1:] for line in lines]

    (first, again), (same, other) = drawn(tmp_path / "a", "echo", "echo"), drawn(tmp_path / "b", "echo", "echo 2")
    assert first == same
    assert len({*first, *again, *other}) == 6


def test_a_page_goes_on_on_the_day_of_its_mark(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ one\n```\n\n<!-- day: 2026-12-01 -->\n\n```toml\na = 1\n```\n```console\n$ two\nsaid\n```\n"
    )
    assert [(found.line.strip(), found.output, str(found.day)) for found in docs_runner.script(page)] == [
        ("one", "", "2026-11-21"),
        ("two", "said", "2026-12-01"),
    ]
