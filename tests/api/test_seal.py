"""The seal over HTTP and at the terminal."""

import json
import subprocess
import sys

import orjson
import pytest
from click.testing import CliRunner

from api.cli import COMMANDS, cli
from jobs import runner
from jobs.tasks import JOBS
from registry import clock, database
from registry.config import ROOT
from registry.database import execute
from registry.models import GradeRaise, JobRun
from registry.services import raises, seal
from tests.api.conftest import EVERYTHING, calls
from tests.api.test_cli import environ
from tests.conftest import NOW
from tests.factories import credit_code, record, registered
from tests.registry.raising import confirmed, desk
from tests.registry.sealing import attack, ledger_of, roots_path, sealed

SCRIPT = ROOT / "docs" / "verify_proof.py"


@pytest.fixture
def xinheng(settings):
    """Run a command in this process; the test's own connection is put back afterwards."""
    pool = database.db.obj

    def call(*args, status=0):
        try:
            result = CliRunner(env=environ(settings)).invoke(cli, [str(arg) for arg in args])
        finally:
            database.db.initialize(pool)
        assert result.exit_code == status, (result.stdout, result.stderr)
        return result

    return call


def holds(path, *arguments):
    return subprocess.run([sys.executable, SCRIPT, path, *arguments], capture_output=True, check=False).returncode == 0


# --- HTTP ---


def test_an_auditor_gets_roots_and_proofs_that_a_stranger_can_check(app, settings, tmp_path):
    seqs = ledger_of(settings, penalties=20, rounds=2)
    auditor = calls(app, "auditor", ["ledger:audit"])
    roots = auditor.get("/api/v1/ledger/roots").json
    assert ([root["size"] for root in roots["items"]], roots["next"]) == ([22, 12], None)
    assert auditor.get("/api/v1/ledger/roots/12").json == roots["items"][1]
    path = tmp_path / "p.json"
    for query in ({}, {"size": 12}):
        path.write_text(auditor.get(f"/api/v1/ledger/proofs/{seqs[0]}", **query).text)
        assert holds(path, "--roots", roots_path(settings))
    path.write_text(auditor.get("/api/v1/ledger/consistency", **{"from": 12, "to": 22}).text)
    assert holds(path, "--roots", roots_path(settings))


def test_a_proof_over_http_shows_nothing_of_the_detail(app, settings):
    seqs = ledger_of(settings, penalties=1)
    reply = calls(app, "auditor", ["ledger:audit"]).get(f"/api/v1/ledger/proofs/{seqs[0]}")
    assert "虚假宣传" not in reply.text
    assert reply.json["fields"] == {}


def test_what_is_not_the_auditors_business_is_as_absent_as_what_does_not_exist(app, settings):
    seqs = ledger_of(settings, penalties=1)
    elsewhere = registered(credit_code(division="990202"))
    other = record(elsewhere).seq
    sealed(settings)
    auditor = calls(app, "auditor", ["ledger:audit"], divisions=["990202"])
    assert auditor.get(f"/api/v1/ledger/proofs/{other}").status_code == 200
    hidden, missing = (auditor.get(f"/api/v1/ledger/proofs/{seq}") for seq in (seqs[0], 999))
    assert (
        (hidden.status_code, hidden.json["code"])
        == (missing.status_code, missing.json["code"])
        == (404, "record_not_found")
    )
    assert hidden.json["detail"].replace(str(seqs[0]), "N") == missing.json["detail"].replace("999", "N")


def test_the_proof_of_a_raise_is_only_for_who_may_read_grades(app, settings):
    """The kind of the row and its party say that an enterprise is not in the best class."""
    seal.make_log(settings, now=NOW)
    row = confirmed(settings)
    raises.end(row.id, why="复查合格", desk=desk(settings))
    sealed(settings)
    auditor = calls(app, "auditor", ["ledger:audit"])
    reader = calls(app, "reader", ["ledger:audit", "grades:read"])
    for seq in (row.known, GradeRaise.get_by_id(row.id).gone):
        refused = auditor.get(f"/api/v1/ledger/proofs/{seq}")
        assert (refused.status_code, refused.json["scope"]) == (403, "grades:read")
        assert reader.get(f"/api/v1/ledger/proofs/{seq}").json["leaf"]["row"]["kind"].startswith("raise_")
    assert auditor.get("/api/v1/ledger/proofs/1").status_code == 200


def test_only_the_scope_for_it_reads_the_seal(app, settings):
    ledger_of(settings, penalties=1)
    other = calls(app, "other", [scope for scope in EVERYTHING if scope != "ledger:audit"])
    for path in ("roots", "roots/3", "proofs/3", "consistency?from=3&to=3"):
        reply = other.get(f"/api/v1/ledger/{path}")
        assert (reply.status_code, reply.json["scope"]) == (403, "ledger:audit")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("roots/99", 404, "root_not_found"), ("proofs/99", 404, "record_not_found"), ("proofs/4", 404, "not_sealed"),
     ("proofs/3?size=2", 404, "root_not_found"), ("consistency?from=2&to=3", 404, "root_not_found"), ("consistency?from=3&to=2", 422, "unknown_field"),
     ("consistency", 422, "invalid_request"), ("roots?after=x", 400, "bad_cursor"), ("proofs/0", 404, "record_not_found")],
)  # fmt: skip
def test_what_cannot_be_answered_says_why(app, settings, path, status, code):
    ledger_of(settings, penalties=1)
    record(1)
    reply = calls(app, "auditor", ["ledger:audit"]).get(f"/api/v1/ledger/{path}")
    assert (reply.status_code, reply.json["code"]) == (status, code)


# --- the terminal ---


def test_init_makes_the_log_and_its_key_once(xinheng, settings):
    xinheng("init")
    log = seal.log_of(settings)
    xinheng("init")
    assert seal.log_of(settings) == log


def test_seal_and_verify_at_the_terminal(xinheng, settings):
    xinheng("init")
    record(registered(), now=clock.now())
    assert "2 rows not sealed yet" in xinheng("verify").stdout
    done = orjson.loads(xinheng("seal", "--json").stdout)
    assert (done["rows"], done["size"]) == (2, 2)
    assert "Sealed 0 rows; 2 in all" in xinheng("seal").stdout
    said = xinheng("verify").stdout
    assert "Nothing was changed: 2 rows, 已封存至 sealed until row 2" in said
    report = orjson.loads(xinheng("verify", "--roots", roots_path(settings), "--json").stdout)
    assert (report["fine"], report["unsealed"], report["findings"]) == (True, 0, [])


def test_an_empty_ledger_is_said_to_be_empty(xinheng):
    xinheng("init")
    assert "nothing to seal" in xinheng("seal").stdout
    assert "nothing is sealed yet" in xinheng("verify").stdout


def test_tampering_is_named_and_exits_with_three(xinheng, settings):
    seqs = ledger_of(settings)
    attack("UPDATE record SET amount_fen = 1 WHERE seq = ?", seqs[3])
    said = xinheng("verify", status=3).stdout
    assert f"[altered] row {seqs[3]}: is not what was sealed: it was altered." in said
    assert "docs/sealing.md" in said
    found = orjson.loads(xinheng("verify", "--json", status=3).stdout)["findings"]
    assert {one["first"] for one in found} == {seqs[3]}


def test_more_than_a_screen_of_findings_is_counted(xinheng, settings):
    seqs = ledger_of(settings, penalties=80)
    for seq in seqs[::2]:
        execute("UPDATE fact SET severity = 9 WHERE known = ?", (seq,))
    said = xinheng("verify", status=3).stdout
    assert said.count("[cache]") == 30
    assert "… and 10 more" in said


def test_a_proof_is_exported_and_checked_by_the_script(xinheng, settings, tmp_path):
    seqs = ledger_of(settings, penalties=20, rounds=2)
    out = tmp_path / "proof.json"
    assert "docs/verify_proof.py" in xinheng("proof", seqs[0], "--all", "--out", out).stderr
    assert holds(out)
    assert json.loads(out.read_text())["fields"]["violation"]["value"] == "虚假宣传"
    out.write_text(xinheng("proof", seqs[0], "--field", "fine_fen", "--size", 12).stdout)
    assert holds(out)
    out.write_text(xinheng("proof", "--from", 12, "--to", 22).stdout)
    assert holds(out)
    for wrong in (("proof",), ("proof", "--from", 12), ("proof", 3, "--to", 22)):
        assert "both --from and --to" in xinheng(*wrong, status=2).stderr


def test_an_erasure_at_the_terminal_asks_first_and_says_where_it_is_on_record(xinheng, settings):
    (seq,) = ledger_of(settings, penalties=1)
    given = ("--basis", "《个人信息保护法》第四十七条", "--reason", "依申请删除")
    xinheng("erase", seq, *given, status=130)
    assert execute("SELECT count(*) FROM erasure").fetchone()[0] == 0
    done = orjson.loads(xinheng("erase", seq, "--fields", "violation, content", *given, "--yes", "--json").stdout)
    assert (done["said"], done["rows"], done["fields"]) == ("erased", [seq], ["content", "violation"])
    assert "on record as step" in xinheng("erase", seq, *given, "--yes").stdout
    assert "unchanged: it was erased before" in xinheng("erase", seq, *given, "--yes").stdout
    xinheng("seal")
    assert "2 lawfully erased" in xinheng("verify").stdout, "the record, and the row that withdrew it"


def test_the_new_commands_are_there():
    assert {"verify", "seal", "proof", "erase"} <= set(COMMANDS)


# --- the job ---


def test_the_worker_seals_what_is_new_and_leaves_no_row_where_nothing_is(settings):
    ledger_of(settings, penalties=1)
    assert runner.tick(JOBS["seal"], settings, now=lambda: NOW + 60_000) is None
    assert JobRun.select().count() == 0
    record(1)
    ran = runner.tick(JOBS["seal"], settings, now=lambda: NOW + 60_000)
    assert (ran.state, ran.failures, ran.result["rows"], ran.result["size"]) == ("done", 0, 1, 4)


def test_a_worker_that_must_not_seal_says_so_in_its_run(settings):
    ledger_of(settings, penalties=4, rounds=2)
    execute("DELETE FROM seal_root WHERE size > 4")
    ran = runner.tick(JOBS["seal"], settings, now=lambda: NOW + 60_000)
    assert ran.state == "failed"
    assert "set back to an older backup" in ran.error
