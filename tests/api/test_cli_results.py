"""`xinheng result` and `xinheng lead`: the same verbs at a terminal, and the hash of a photo."""

import hashlib
import json

import pytest
import time_machine
from click.testing import CliRunner

from api.cli import cli
from registry.models import Visit
from registry.services import case_leads, result_review, results
from tests.factories import registered
from tests.registry.visited import CLEAR, ORGAN, answers, desk_of, found, reviewer, visit_of


@pytest.fixture
def run(on_sqlite, monkeypatch):
    monkeypatch.setenv("XINHENG_DATABASE_URL", on_sqlite.database.url)
    monkeypatch.setenv("XINHENG_PRIVACY_KEY_FILE", on_sqlite.privacy.key_file)

    def invoke(*arguments, status=0):
        with time_machine.travel("2026-11-21T09:00:00+08:00"):
            result = CliRunner().invoke(cli, list(map(str, arguments)))
        assert result.exit_code == status, result.output
        return result.output

    return invoke


def test_a_result_is_entered_from_a_file_read_and_sent_back(run, on_sqlite, tmp_path):
    visit = visit_of(registered()).id
    file = tmp_path / "result.json"
    file.write_text(json.dumps({"outcome": 2, "items": answers(q1="problem"), "said": "已当场改正。"}))
    assert "q1 是否标注生产日期: –" in run("result", "show", visit)
    said = run("result", "enter", visit, file, "--organ", ORGAN)
    assert "2 发现问题已责令改正, 1 problems" in said
    assert "(version 1)" in said
    assert "unchanged" in run("result", "enter", visit, file, "--organ", ORGAN)
    assert "q1 是否标注生产日期: problem 三批次" in run("result", "show", visit)
    assert json.loads(run("result", "show", visit, "--json"))["organs"][0]["result"]["outcome"] == 2
    assert "may not review it" in run("result", "return", visit, "--organ", ORGAN, "--opinion", "补充", status=3)
    assert "may not review it" in run("result", "approve", visit, "--organ", ORGAN, status=3)
    assert "entered by" in run("result", "enter", visit, "--organ", ORGAN, "--all-clear", "--version", 7, status=3)
    assert "result_refused" not in run("result", "enter", visit, "--organ", ORGAN, "--outcome", 6, "--version", 1)
    for text, what in (("{", "not valid JSON"), ('{"outcom": 1}', "outcom")):
        file.write_text(text)
        assert what in run("result", "enter", visit, file, "--organ", ORGAN, status=2)


def test_a_result_is_approved_published_and_rechecked_by_another_person(run, on_sqlite):
    visit = visit_of(registered(address="示例路1号")).id
    results.enter(visit, found(3, disposal="lead"), organ=ORGAN, desk=desk_of(on_sqlite))
    said = run("result", "approve", visit, "--organ", ORGAN)
    assert "案件线索 case lead 1" in said
    assert "unchanged" in run("result", "approve", visit, "--organ", ORGAN)
    assert json.loads(run("result", "follow", visit, "--organ", ORGAN, "--json"))["followed"][0]["said"] == "done"
    assert "necips: published" in run("result", "publish", visit, "--organ", ORGAN)
    assert str(visit) in run("result", "list", "--organ", ORGAN, "--state", "published")
    assert json.loads(run("result", "list", "--soon", "--json")) == {"items": []}
    assert "Nobody has asked" in run("result", "recheck", visit, "--organ", ORGAN, "--grant", status=3)
    from registry.services import result_recheck

    result_recheck.ask(visit, ORGAN, why="理由", entities=None, desk=desk_of(on_sqlite))
    assert "复查 visit" in run("result", "recheck", visit, "--organ", ORGAN, "--grant")
    assert Visit.select().where(Visit.follows == visit).count() == 1
    # The lead of it.
    assert "violation" in run("lead", "list", "--state", "open")
    assert "已立案 filed" in run("lead", "file", 1, "--said", "已立案")
    assert "unchanged" in run("lead", "file", 1)
    assert "is filed" in run("lead", "close", 1, "--said", "x", status=3)
    assert json.loads(run("lead", "list", "--overdue", "--json")) == {"items": []}


def test_a_lead_is_closed_and_what_is_refused_is_told(run, on_sqlite):
    from registry.services.result_entry import Entry

    visit = visit_of(registered()).id
    results.enter(visit, Entry(outcome=5, said="锁门拒检。"), organ=ORGAN, desk=desk_of(on_sqlite))
    result_review.approve(visit, ORGAN, desk=reviewer(on_sqlite))
    assert json.loads(run("lead", "close", 1, "--said", "事后配合。", "--json"))["state"] == "closed"
    gone = visit_of(registered()).id
    results.enter(gone, Entry(outcome=4), organ=ORGAN, desk=desk_of(on_sqlite))
    assert "未能办理 refused" in run("result", "approve", gone, "--organ", ORGAN)
    assert "未能办理 refused" in run("result", "follow", gone, "--organ", ORGAN)
    assert case_leads.get(1).state == "closed"


def test_a_photo_is_known_by_its_hash_and_checked_against_its_result(run, on_sqlite, tmp_path):
    photo = tmp_path / "货架.jpg"
    photo.write_bytes(b"\xff\xd8" * 700_000)
    digest = hashlib.sha256(photo.read_bytes()).hexdigest()
    kept = {"sha256": digest, "name": "货架.jpg", "bytes": 1_400_000}
    assert json.loads(run("result", "photo", photo)) == kept
    visit = visit_of(registered()).id
    entry = type(CLEAR)(all_clear=True, photos=[kept])
    results.enter(visit, entry, organ=ORGAN, desk=desk_of(on_sqlite))
    assert "This very file" in run("result", "photo", photo, "--visit", visit, "--organ", ORGAN)
    photo.write_bytes(b"other")
    assert "No photo" in run("result", "photo", photo, "--visit", visit, "--organ", ORGAN, status=1)
