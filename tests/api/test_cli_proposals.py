"""`xinheng scheme propose` and what follows, at a terminal."""

from datetime import timedelta

import pytest
import time_machine

from api.cli import support
from registry.services import scheme_files
from tests.api.test_cli import Call, caller, read
from tests.conftest import TODAY
from tests.registry.proposing import LATER, district, heavier, local, shipped

AT = "2026-11-21T09:00:00+08:00"


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


@pytest.fixture
def typed_by(monkeypatch):
    """From here on another person types."""

    def change(name):
        monkeypatch.setattr(support, "account", lambda: name)

    change("anna")
    return change


@pytest.fixture
def folder(tmp_path):
    def made(files, name="draft"):
        scheme_files.write(files, tmp_path / name)
        return tmp_path / name

    return made


def test_from_a_folder_to_a_scheme_in_force(call: Call, on_sqlite, typed_by, folder, tmp_path):
    district(on_sqlite)
    draft = folder(heavier(on_sqlite))
    said = call("scheme", "propose", draft, "--reason", "加重计分。", "--from", LATER)
    assert "Proposal 1: 已通过检查，待比对 checked" in said.stdout
    assert "compare-proposal 1" in said.stderr
    compared = call("scheme", "compare-proposal", 1).stdout
    assert "2 entities: 1 would stand worse, 0 better" in compared
    hash_ = read(call("scheme", "proposal", 1, "--json"))["hash"]
    assert "Two other officers" in call("scheme", "approve", 1, status=3).stderr
    typed_by("ben")
    assert "批准 approved: cli:ben" in call("scheme", "approve", 1, "--hash", hash_[:12], "--said", "同意。").stdout
    assert "unchanged" in call("scheme", "approve", 1).stdout
    typed_by("carl")
    last = call("scheme", "approve", 1)
    assert "已批准 approved" in last.stdout
    assert f"holds from {LATER} on" in last.stderr
    assert "`xinheng jobs run grade_due`" in last.stderr
    text = call("scheme", "proposal", 1).stdout
    for part in ("已批准 approved", "加重计分。", "cli:anna", "cli:ben", "同意。", hash_):
        assert part in text
    (held,) = read(call("scheme", "history", "general-risk", "--json"))["activations"]
    assert (held["from_day"], held["hash"], held["approvers"]) == (LATER.isoformat(), hash_, ["cli:ben", "cli:carl"])
    assert hash_[:12] in call("scheme", "history", "general-risk").stdout
    call("scheme", "export", "general-risk", tmp_path / "now")
    call("scheme", "export", "general-risk", tmp_path / "then", "--on", LATER)
    assert scheme_files.read(tmp_path / "then") == heavier(on_sqlite) != scheme_files.read(tmp_path / "now")
    assert "not empty" in call("scheme", "export", 1, tmp_path / "now", status=3).stderr


def test_mistakes_are_printed_and_end_with_status_one(call: Call, typed_by, folder):
    broken = local() | {"rules/penalty.toml": local()["rules/penalty.toml"].replace('unit = "point"', 'unit = "pint"')}
    args = ("--reason", "试。", "--from", LATER)
    said = call("scheme", "propose", folder(broken), *args, status=1).stdout
    assert "local-look/rules/penalty.toml: rule.penalised.parameter.points_each" in said
    assert "草案，检查未通过 draft" in said
    assert "rule.penalised.parameter.points_each" in call("scheme", "proposal", 1).stdout
    failing = local() | {"rules/penalty.cases.toml": local(points=11)["rules/penalty.cases.toml"]}
    assert "expected hit with 22" in call("scheme", "revise", 1, folder(failing, "failing"), status=1).stdout
    assert read(call("scheme", "revise", 1, folder(local(), "mended"), "--json"))["state"] == "checked"
    call("scheme", "revise", 1, status=2)
    later = LATER + timedelta(days=1)
    assert read(call("scheme", "revise", 1, "--from", later, "--json"))["said"] == "done"
    assert read(call("scheme", "proposals", "--json"))[0]["from"] == later.isoformat()


def test_where_the_book_has_the_scheme_and_it_does_not_hold_the_figures_are_of_the_proposal_alone(
    call: Call, on_sqlite, typed_by, folder
):
    district(on_sqlite)
    call("scheme", "propose", folder(shipped(on_sqlite, "combined")), "--reason", "启用。", "--from", LATER)
    page = call("scheme", "compare-proposal", 1).stdout
    assert "Nothing is in force under this id on that day: these are the figures of the proposal alone" in page
    assert "现行 in force" not in page
    assert "0 worse" not in page
    found = read(call("scheme", "proposal", 1, "--json"))["comparison"]
    assert found["old"] is None
    assert list(found["result"]["classes"]) == ["new"]
    for name in ("ben", "carl"):
        typed_by(name)
        call("scheme", "approve", 1)
    assert [row["id"] for row in read(call("scheme", "list", "--json")) if row["later"]] == ["combined"]


def test_a_draft_basis_is_confirmed_in_so_many_words(call: Call, typed_by, folder):
    call("scheme", "propose", folder(local(rests_on="draft")), "--reason", "试。", "--from", TODAY)
    call("scheme", "compare-proposal", 1)
    typed_by("ben")
    refused = call("scheme", "approve", 1, status=3).stderr
    assert "--confirm-draft" in refused
    assert f"xinheng scheme show proposal:1 --on {TODAY}" in refused
    shown = call("scheme", "show", "proposal:1", "--on", TODAY).stdout
    assert "⚠" in shown
    assert "[rule.penalised.parameter.points_each]" in shown
    call("scheme", "approve", 1, "--confirm-draft")
    typed_by("carl")
    call("scheme", "approve", 1, "--confirm-draft")
    assert "draft confirmed 已确认" in call("scheme", "proposal", 1).stdout


def test_a_trial_is_switched_graded_reported_and_ended(call: Call, on_sqlite, typed_by, folder):
    district(on_sqlite)
    call("scheme", "propose", folder(heavier(on_sqlite)), "--reason", "试。", "--from", LATER)
    assert "shadow 1 --on" in call("scheme", "shadow-report", 1, status=3).stderr
    call("scheme", "shadow", 1, status=2)
    assert "xinheng jobs run grade_due" in call("grade", "--help").stdout
    begun = call("scheme", "shadow", 1, "--on").stderr
    assert f"as of {LATER}. Now: xinheng grade --due --scheme shadow-1" in begun
    assert "Not graded yet" in call("scheme", "shadow-report", 1).stderr
    done = read(call("grade", "--due", "--scheme", "shadow-1", "--json"))
    assert (done["on"], done["written"], done["changed"]) == (LATER.isoformat(), True, 2)
    looked = read(call("grade", "--all", "--scheme", "shadow-1", "--on", TODAY, "--json"))
    assert (looked["on"], looked["written"]) == (TODAY.isoformat(), False)
    assert f"graded as of {LATER}" in call("scheme", "shadow-report", 1).stdout
    found = read(call("scheme", "shadow-report", 1, "--json"))
    assert (found["same"], found["worse"], len(found["differ"])) == (1, 1, 1)
    assert "same 1, better 0, worse 1" in call("scheme", "shadow-report", 1, "--division", "99").stdout
    assert read(call("scheme", "shadow", 1, "--off", "--json"))["shadow"] is False
    call("scheme", "shadow-report", 1, status=3)


def test_a_proposal_is_withdrawn_or_refused_with_a_reason(call: Call, typed_by, folder):
    for number, id_ in enumerate(("one", "two"), start=1):
        call("scheme", "propose", folder(local(id_), id_), "--reason", "试。", "--from", LATER)
        assert read(call("scheme", "proposals", "--json"))[0]["id"] == number
    call("scheme", "withdraw", 1, "--why", "参数需重新测算。")
    typed_by("ben")
    assert "its proposer withdraws it" in call("scheme", "withdraw", 2, "--why", "x", status=3).stderr
    call("scheme", "refuse", 2, "--why", "依据不足。")
    assert "依据不足。" in call("scheme", "proposal", 2).stdout
    assert [row["state"] for row in read(call("scheme", "proposals", "--json"))] == ["refused", "withdrawn"]
    assert "已撤回 withdrawn" in call("scheme", "proposals", "--state", "withdrawn").stdout
    assert "99" in call("scheme", "proposal", 99, status=3).stderr


def test_a_file_that_is_not_text_is_named(call: Call, typed_by, folder):
    place = folder(local())
    (place / "rules" / "penalty.toml").write_bytes(b"\xff")
    said = call("scheme", "propose", place, "--reason", "试。", "--from", LATER, status=3)
    assert "penalty.toml" in said.stderr
    assert "UTF-8" in said.stderr


def test_a_person_at_a_terminal_is_the_user_of_the_process_whatever_the_environment_says(monkeypatch):
    before = support.actor()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert support.actor() == before != "cli:somebody-else"


def test_a_user_without_a_name_is_known_by_number(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 4_000_123)
    assert support.actor() == "cli:uid4000123"
