"""What the page for a legal officer (docs/from-article-to-rule.md) needs of the command, and where it refuses him."""

import pytest
import time_machine

from api.cli import support
from registry.models import Entity
from registry.services import keys, scheme_files
from tests.api.test_cli import Call, caller, read
from tests.registry.proposing import LATER, district, heavier

AT = "2026-11-21T09:00:00+08:00"


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


@pytest.fixture
def compared(call: Call, on_sqlite, tmp_path, monkeypatch):
    """A compared proposal by anna, who still sits at the terminal."""
    monkeypatch.setattr(support, "account", lambda: "anna")
    district(on_sqlite)
    scheme_files.write(heavier(on_sqlite), tmp_path / "draft")
    call("scheme", "propose", tmp_path / "draft", "--reason", "加重计分。", "--from", LATER)
    call("scheme", "compare-proposal", 1)
    return tmp_path


def key_of(folder, name, **given):
    """A file with a key of `name`."""
    values = {
        "organ": "信衡市市场监督管理局",
        "scopes": ["schemes:approve"],
        "divisions": [],
        "actor": "test",
        "now": 0,
    }
    (folder / f"{name}.key").write_text(keys.create(name, **{**values, **given}) + "\n")
    return folder / f"{name}.key"


def test_two_officers_at_one_machine_approve_each_with_his_own_key(call: Call, compared):
    zhang, li = key_of(compared, "zhang"), key_of(compared, "li")
    assert "批准 approved: key:zhang" in call("scheme", "approve", 1, "--key", zhang).stdout
    assert "unchanged" in call("scheme", "approve", 1, "--key", zhang).stdout
    assert read(call("scheme", "approve", 1, "--key", li, "--json"))["state"] == "approved"
    told = read(call("scheme", "proposal", 1, "--json"))
    assert {one["by"] for one in told["approvals"]} == {"key:zhang", "key:li"}
    assert told["proposed_by"] == "cli:anna"


def test_without_a_key_the_proposer_stays_the_proposer(call: Call, compared):
    assert "Two other officers approve it" in call("scheme", "approve", 1, status=3).stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scopes": ["grades:read"]}, "Approving a scheme needs the scope schemes:approve"),
        ({"divisions": ["990101"]}, "the key 'wang' has only some divisions"),
    ],
)
def test_a_key_that_may_not_approve_over_the_api_may_not_here(call: Call, compared, given, said):
    assert said in call("scheme", "approve", 1, "--key", key_of(compared, "wang", **given), status=3).stderr
    assert read(call("scheme", "proposal", 1, "--json"))["approvals"] == []


def test_a_revoked_key_and_a_file_that_is_none_are_told_apart_from_a_good_one(call: Call, compared):
    gone, other = key_of(compared, "gone"), compared / "other.key"
    keys.revoke("gone", actor="test", now=1)
    other.write_bytes(b"\xff\xfenot a key")
    for path in (gone, other):
        assert f"{path} holds no valid key" in call("scheme", "approve", 1, "--key", path, status=3).stderr


def test_one_rule_is_found_by_a_word_of_its_title_below_its_headings(call: Call):
    lines = call(
        "scheme", "show", "book:general-risk", "--find", "曾列入异常", "--on", "2026-04-01"
    ).stdout.splitlines()
    assert [line.strip()[:12] for line in lines[2:5]] == [
        "■ 监管信息 [supe"[:12],
        "经营异常名录 [abno"[:12],
        "● 近三年曾列入异常 [a"[:12],
    ]
    assert all("[at_least]" in line or "[points_each]" in line for line in lines[5:])
    assert lines[1].startswith("未另注明的数值")
    assert len(lines) == 7


def test_a_word_that_no_line_has_is_told(call: Call):
    assert (
        "No line of this scheme has 'zzz'"
        in call("scheme", "show", "book:general-risk", "--find", "zzz", status=2).stderr
    )


def test_an_approver_reads_only_what_would_be_otherwise(call: Call, compared, on_sqlite):
    held = on_sqlite.grading.scheme
    lines = call("scheme", "show", "proposal:1", "--beside", held, "--on", LATER).stdout.splitlines()
    whole = call("scheme", "show", "proposal:1", "--on", LATER).stdout.splitlines()
    before = call("scheme", "show", held, "--on", LATER).stdout.splitlines()
    assert lines
    for line in lines:
        here, there = (whole, before) if line.startswith("+ ") else (before, whole)
        assert line[2:] in here
        assert here.count(line[2:]) > there.count(line[2:])
    assert f"The same as {held}" in call("scheme", "show", held, "--beside", held).stdout


def test_find_and_beside_are_not_given_together(call: Call):
    said = call("scheme", "show", "book:general-risk", "--find", "x", "--beside", "book:general-risk", status=2).stderr
    assert "give one of them" in said


@pytest.mark.parametrize(
    ("lang", "heading"), [("zh", "所用参数及其依据"), ("en", "Parameters used and what they rest on")]
)
def test_the_basis_of_every_parameter_is_told_on_demand(call: Call, on_sqlite, lang, heading):
    _, penalised = district(on_sqlite)
    code = Entity.get_by_id(penalised).code
    plain = call("explain", code, "--no-ways", "--lang", lang).stdout
    told = call("explain", code, "--no-ways", "--lang", lang, "--basis").stdout
    assert heading not in plain
    assert heading in told
    body = read(call("explain", code, "--json"))
    for row in body["points"]:
        for one in row.get("parameters", ()):
            assert f"{one['name']} = {one['value']}" in told
