"""`xinheng queue` and `xinheng entity` at the terminal: look, decide, take back."""

import json

import pytest

from api.cli import cli
from registry.models import Entity
from tests.factories import credit_code, registered
from tests.registry.test_matching import NAME, OTHER, first_row, penalise, stated, waiting


@pytest.fixture
def run(on_sqlite, monkeypatch, capsys):
    monkeypatch.setenv("XINHENG_DATABASE_URL", on_sqlite.database.url)
    monkeypatch.setenv("XINHENG_PRIVACY_KEY_FILE", on_sqlite.privacy.key_file)

    def command(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return command


def as_json(result):
    assert result[0] == 0, result[2]
    return json.loads(result[1])


def test_a_row_is_looked_at_matched_and_taken_back(on_sqlite, run, tmp_path):
    code = credit_code()
    registered(code, name=OTHER)
    penalise(on_sqlite, tmp_path, {"name": "信衡别家有限责任公司"}, division="")
    assert as_json(run("queue", "--json"))["total"] == 1
    assert as_json(run("queue", "list", "--json"))["items"][0]["reason"] == "blank"
    assert as_json(run("queue", "show", first_row(), "--json"))["candidates"][0]["code"] == code
    (taken,) = as_json(run("queue", "match", first_row(), "--to", code, "--reason", "核实", "--json"))
    assert (taken["said"], taken["rows"]) == ("decided", 1)
    status, out, _ = run("queue", "decisions")
    assert (status, code in out, "核实" in out) == (0, True, True)
    assert run("queue", "undo", taken["decision"], "--reason", "误")[0] == 0
    assert waiting() == ["blank"]
    status, out, _ = run("queue", "drop", first_row(), "--reason", "外省")
    assert (status, "decided, 1 row." in out) == (0, True)


def slipped(code):
    """A code with another check character than its own."""
    return code[:-1] + next(one for one in "0123456789" if one != code[-1])


def test_an_officer_sees_by_what_he_decides(on_sqlite, run, tmp_path):
    code = credit_code()
    registered(code, name=OTHER, address="信衡市示例路7号")
    given = {
        "name": "信衡别家有限责任公司",
        "code": slipped(code),
        "document_no": "信市监处罚〔2026〕77号",
        "fact": "虚构的违法事实",
    }
    penalise(on_sqlite, tmp_path, given, {"name": "信衡别家有限责任公司", "code": "见附件"}, division="")
    shown = as_json(run("queue", "show", first_row(), "--json"))
    assert (shown["reason"], shown["code"]) == ("check_digit", slipped(code))
    assert (shown["document_no"], shown["happened_on"], shown["amount_yuan"]) == (
        given["document_no"],
        "2026-03-02",
        "5,000.00",
    )
    assert shown["detail"]["fact"] == given["fact"]
    (near,) = shown["candidates"]
    assert (near["code"], near["address"]) == (code, "信衡市示例路7号")
    assert "number differs in one place" in near["why"]
    other = as_json(run("queue", "show", first_row() + 1, "--json"))
    assert (other["reason"], other["candidates"][0]["score"]) == ("unusable", near["score"] - 10)
    status, out, _ = run("queue", "show", first_row())
    assert status == 0
    for word in (given["document_no"], "2026-03-02", "5,000.00", given["fact"], slipped(code), "示例路7号"):
        assert word in out


def test_what_may_be_a_persons_mistyped_number_is_not_shown(on_sqlite, run, tmp_path):
    penalise(on_sqlite, tmp_path, *({"code": one} for one in ("110101199013011237", "110101901301123")), division="")
    assert [one["code"] for one in as_json(run("queue", "--json"))["items"]] == ["unusable", "unusable"]


def test_records_found_by_name_are_confirmed_and_detached_at_the_terminal(on_sqlite, run, tmp_path):
    registered(name=NAME)
    penalise(on_sqlite, tmp_path, {})
    (named,) = as_json(run("queue", "named", "--json"))
    assert run("queue", "detach", named["seq"], "--reason", "同名")[0] == 0
    assert waiting() == ["detached"]
    assert stated() == []


def test_what_is_refused_says_what_to_do(run):
    status, _, err = run("queue", "show", 999)
    assert (status, "`xinheng queue list`" in err) == (3, True)
    assert run("queue", "match", 1, "--to", "x")[0] == 2  # no reason


def test_two_entities_are_merged_and_unmerged(run):
    one, other = (Entity.get_by_id(registered(name=name)).code for name in (NAME, OTHER))
    assert as_json(run("entity", "merge", other, one, "--reason", "同一企业", "--json"))["said"] == "merged"
    assert "unmerged" in run("entity", "unmerge", other, "--reason", "两家")[1]
    assert as_json(run("queue", "twins", "--json")) == []
    assert as_json(run("queue", "measure", "--size", "5", "--json"))["wrong"] == 0


def test_rows_that_a_decision_dropped_are_not_said_to_wait(on_sqlite, run, tmp_path):
    penalise(on_sqlite, tmp_path, {"code": "见附件"}, division="")
    assert run("queue", "drop", first_row(), "--reason", "外省")[0] == 0
    status, out, _ = run("import", tmp_path / "penalties.csv")
    assert status == 0
    assert "1 row read with" in out
    assert "0 wait for a match, 1 dropped by decisions of persons" in out
    assert "Rows that wait" not in out
    assert "xinheng queue decisions" in out
