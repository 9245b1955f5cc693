"""The life of a record at a terminal."""

import pytest

from registry.models import Publication
from registry.services import keys, publication
from tests.api.test_cli import read, xinheng
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry import lives

ORGAN = lives.ORGAN
HEAVY = {"kinds": ["fine"], "fine_fen": 200_000_00, "content": ""}
__all__ = ["xinheng"]


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr("api.cli.support.today", lambda settings: TODAY)


def test_publishing_all_that_was_reviewed_counts_and_says_why_not(xinheng):
    seqs = [record(registered(), **HEAVY).seq for _ in range(3)]
    undated = record(registered(), **HEAVY, decided_on=None).seq
    xinheng("review", *seqs[:2], "--pass")
    asked = ("publish", "--kind", "penalty", "--organ", ORGAN)
    assert read(xinheng(*asked, "--json", status=1)) == {
        "records": 4, "whole": 2, "outcomes": {"published": 2, "not_reviewed": 2}, "named": {"not_reviewed": [seqs[2], undated]},
    }  # fmt: skip
    said = xinheng(*asked, status=1).stdout
    assert "未经审核 not reviewed" in said
    assert f"xinheng review {seqs[2]} {undated} --pass" in said
    assert "共 4 条 records：已全部公示 2 published on every channel，未全部公示 2" in said
    last = read(xinheng(*asked, "--review", "批量审核", "--json", status=1))
    assert (last["records"], last["whole"]) == (4, 3)
    assert last["outcomes"] == {"unchanged": 2, "reviewed": 2, "published": 1, "undated": 1}
    assert Publication.select().where(Publication.state == "published").count() == 9


def test_one_record_is_reviewed_published_shown_and_stopped(xinheng):
    seq = record(registered(), **HEAVY).seq
    refused = xinheng("publish", seq, status=3)
    assert "has not passed its review" in refused.stderr
    assert f"xinheng review {seq} --pass" in refused.stderr
    xinheng("review", seq, "--pass")
    shown = read(xinheng("publish", seq, "--channel", "site", "--class", "serious", "--reason", "裁量", "--json"))
    assert [(one["said"], one["row"]["class_"], one["row"]["latest"]) for one in shown] == [
        ("published", "serious", "2029-03-30")
    ]
    said = xinheng("life", seq).stdout
    assert "公示中 published" in said
    assert "市场监督管理信用修复管理办法（第107号令） samr-107" in said
    xinheng("stop", seq, "--reason", "有误")
    assert read(xinheng("life", seq, "--json"))["state"] == "stopped"
    assert xinheng("publish", status=2).stderr


def test_objections_and_repairs_are_listed_and_decided(xinheng):
    one, other = lives.shown_penalty(**HEAVY), lives.shown_penalty(**HEAVY)
    objection, repair = lives.objected(one)["id"], lives.applied(other)["id"]
    (waiting,) = read(xinheng("objection", "list", "--json"))
    assert (waiting["id"], waiting["due_on"], waiting["overdue"]) == (objection, "2026-11-27", False)
    listed = xinheng("repair", "list", "--organ", ORGAN).stdout
    assert f"{repair} " in listed
    assert "已申请，待受理 applied" in listed
    assert "〔2026〕" in listed
    early = xinheng("objection", "verify", objection, "--upheld", "--reason", "属实", status=3).stderr
    assert f"xinheng objection accept {objection}" in early
    assert "answer by 2026-12-18" in xinheng("objection", "accept", objection).stdout
    xinheng("objection", "verify", objection, "--upheld", "--withdraw", "--reason", "属实")
    assert "decide by 2026-12-01" in xinheng("repair", "accept", repair).stdout
    missing = xinheng("repair", "decide", repair, "--approve", "--met", "duties_performed", status=3).stderr
    assert "harm_removed" in missing
    assert "--met NAME" in missing
    met = [part for name in ("duties_performed", "harm_removed", "commitment") for part in ("--met", name)]
    said = xinheng("repair", "decide", repair, "--approve", *met).stdout
    assert said.startswith("准予修复 approved\nDocument 文书: 信市监修准〔2026〕1号")
    assert [lives.seen(seq) for seq in (one, other)] == [False, False]


def test_recipients_are_kept_and_what_is_overdue_is_told_with_its_status(xinheng, monkeypatch):
    keys.create("province", organ="示例省局", scopes=["exchange:read"], divisions=[], actor="test", now=NOW)
    xinheng("recipient", "add", "省局", "--key", "province", "--kinds", "penalty")
    assert read(xinheng("recipient", "list", "--json"))[0]["kinds"] == ["penalty"]
    seq = lives.shown_penalty(**HEAVY)
    publication.stop(seq, "penalty", reason="有误", organ=None, actor=lives.REVIEWER, today=TODAY, now=NOW)
    assert read(xinheng("notices", "--overdue", "--json")) == []
    monkeypatch.setattr("api.cli.support.today", lambda settings: TODAY.replace(month=12))
    (late,) = read(xinheng("notices", "--overdue", "--json", status=1))
    assert (late["recipient"], late["what"], late["due_on"], late["fetched"]) == ("省局", "stopped", "2026-11-25", None)
    xinheng("recipient", "end", "省局")
    assert read(xinheng("notices", "--overdue", "--json")) == []
