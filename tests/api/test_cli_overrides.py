"""`xinheng override` and `xinheng context`, at a terminal."""

import pytest
import time_machine

from api.cli import support
from registry.models import Entity
from tests.api.test_cli import Call, caller, read
from tests.factories import record, registered
from tests.registry.relating import relate

AT = "2026-11-21T09:00:00+08:00"
GIVEN = ("--class", "D", "--reason", "专项整治", "--basis", "行动方案第三条", "--until", "2027-02-01", "--json")


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


@pytest.fixture
def someone_else(monkeypatch):
    """From here on another person types."""
    return lambda: monkeypatch.setattr(support, "account", lambda: "approver")


def code_of(entity):
    return Entity.get_by_id(entity).code


def test_two_persons_set_a_class_and_one_ends_it(call: Call, someone_else):
    code = code_of(registered())
    call("grade", "--all")
    found = read(call("override", "propose", code, *GIVEN))
    assert (found["said"], found["standing"], found["until"]) == ("done", "proposed", "2027-02-01")
    assert read(call("override", "propose", code, *GIVEN))["said"] == "unchanged"
    refused = call("override", "approve", found["id"], status=3)
    assert "Another person decides it" in refused.stderr
    someone_else()
    assert "已审批 in_force" in call("override", "approve", found["id"], "--said", "同意").stdout
    explained = read(call("explain", code, "--json"))
    assert (explained["class"], explained["reproduced"]) == ("D", True)
    assert sum(row["points"] for row in explained["points"]) == explained["score"]
    assert explained["decided_by"].startswith("override:")
    assert {name: explained["decided"]["override"][name] for name in ("id", "class", "reason", "basis", "until", "said")} == {
        "id": found["id"], "class": "D", "reason": "专项整治", "basis": "行动方案第三条", "until": "2027-02-01", "said": "同意",
    }  # fmt: skip
    assert (explained["distance"]["better"], explained["distance"]["worse"]) == (None, None)
    page = call("explain", code).stdout
    for said in ("专项整治", "行动方案第三条", "2027-02-01", "审批人 cli:approver", "同意", "分值增减不改变分类"):
        assert said in page
    assert "距更好一级" not in page
    assert "the approver said: 同意" in call("explain", code, "--lang", "en").stdout
    assert [row["standing"] for row in read(call("override", "list", "--json"))["items"]] == ["in_force"]
    assert "专项整治" in call("override", "list").stdout
    assert read(call("override", "end", found["id"], "--reason", "查明无事实", "--json"))["standing"] == "ended"
    assert read(call("explain", code, "--json"))["class"] == "A"


def test_a_proposal_may_be_refused_and_a_wrong_one_is_told_what_is_allowed(call: Call, someone_else):
    code = code_of(registered())
    number = read(call("override", "propose", code, *GIVEN))["id"]
    someone_else()
    assert "不予认定 refused" in call("override", "refuse", number, "--reason", "证据不足").stdout
    wrong = call("override", "propose", code, *GIVEN[2:], "--class", "Z", status=3)
    assert "Its classes, from the best: A, B, C, D" in wrong.stderr
    assert read(call("override", "list", "--state", "proposed", "--json"))["items"] == []


def test_a_context_is_built_listed_and_shown_with_what_is_behind_it(call: Call):
    mine, other = registered(), registered()
    seq = relate(mine, other)
    record(other, "serious_listing")
    missing = call("context", "show", code_of(mine), status=3)
    assert "xinheng context build" in missing.stderr
    made = read(call("context", "build", "--json"))
    assert (made["said"], made["from"], made["entities"]) == ("built", "2026-11-21", 2)
    assert "unchanged" in call("context", "build").stdout
    assert [one["hash"] for one in read(call("context", "list", "--json"))["items"]] == [made["hash"]]
    assert made["hash"] in call("context", "list").stdout
    shown = {one["name"]: one for one in read(call("context", "show", code_of(mine), "--json"))["items"]}
    assert (shown["related_serious"]["value"], shown["related_serious"]["behind"]) == (1, [seq])
    assert (shown["same_address"]["value"], shown["complaints"]["value"]) == (0, None)
    text = call("context", "show", code_of(mine)).stdout
    assert "列入严重违法失信名单的关联主体数" in text
    assert "未知 unknown" in text
