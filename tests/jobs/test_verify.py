"""The tamper check that runs by itself: loud where something was changed, quiet where nothing was, and sealing goes on."""

import pytest

from api.app import create_app
from jobs import runner
from jobs.tasks import JOBS
from registry.models import JobRun
from registry.services import last_check, seal
from tests.api.test_cli import caller
from tests.factories import record
from tests.jobs.helpers import NOON, at
from tests.registry.sealing import MINUTE, attack, ledger_of, sealed


@pytest.fixture
def client(settings):
    return create_app(settings).test_client()


def checked(settings, moment=NOON):
    return runner.by_hand(JOBS["verify"], settings, actor="test", now=at(moment))


def test_a_ledger_that_nobody_changed_is_said_to_be_well(settings, client):
    ledger_of(settings)
    assert last_check.last() is None
    assert "ledger" not in client.get("/readyz").json
    ran = checked(settings)
    assert (ran.state, ran.failures, ran.result["findings"], ran.result["rows"], ran.error) == ("done", 0, 0, 22, "")
    assert client.get("/readyz").json["ledger"]["state"] == "ok"
    assert "\nxinheng_ledger_findings 0\n" in client.get("/metrics").text


def test_a_row_that_was_changed_by_hand_fails_the_run_and_is_told_wherever_somebody_looks(settings, client):
    seqs = ledger_of(settings)
    attack("UPDATE record SET document_no = 'forged' WHERE seq = ?", seqs[3])
    ran = checked(settings)
    assert (ran.state, ran.failures, ran.result["findings"]) == ("failed", 1, 1)
    assert f"1 finding, [altered] row {seqs[3]}." in ran.error
    assert "forged" not in ran.error
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json["status"]) == (200, "ok")
    assert (reply.json["ledger"]["state"], reply.json["ledger"]["findings"]) == ("tampering_found", 1)
    assert "\nxinheng_ledger_findings 1\n" in client.get("/metrics").text
    for call in caller(settings):
        assert "verify: ledger: 发现篡改" in call("jobs", "list").stdout


def test_sealing_goes_on_and_makes_nothing_good(settings):
    seqs = ledger_of(settings)
    attack("UPDATE record SET document_no = 'forged' WHERE seq = ?", seqs[3])
    checked(settings)
    record(1)
    assert sealed(settings, NOON).rows == 1
    assert seal.newest_size() == 23
    assert f"[altered] row {seqs[3]}" in checked(settings, NOON + MINUTE).error


def test_a_later_check_that_finds_nothing_ends_the_alarm_and_a_run_without_an_answer_does_not(settings):
    seqs = ledger_of(settings)
    attack("UPDATE record SET source = 'forged' WHERE seq = ?", seqs[3])
    checked(settings)
    JobRun.create(job="verify", due=NOON + MINUTE, owner="t", state="failed", started_at=NOON, finished_at=NOON + 1)
    assert last_check.last() == last_check.LastCheck(NOON, 1)
    attack("UPDATE record SET source = 'test' WHERE seq = ?", seqs[3])
    checked(settings, NOON + 2 * MINUTE)
    assert last_check.last().fine


def test_it_runs_every_night_and_its_schedule_is_a_setting(on_sqlite):
    assert JOBS["verify"].cron(on_sqlite) == on_sqlite.jobs.verify == "30 2 * * *"
