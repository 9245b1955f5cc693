"""`xinheng raise`, and what `xinheng explain` says of the model, at a terminal."""

import pytest
import time_machine

from registry.models import Entity
from tests.api.test_cli import Call, caller, read
from tests.registry.raising import champion, suggested, town

AT = "2026-11-21T09:00:00+08:00"


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


def test_an_officer_confirms_what_the_model_suggests_and_the_explanation_tells_both(call: Call, on_sqlite):
    row = suggested(on_sqlite)
    code = Entity.get_by_id(row.entity).code
    listed = call("raise", "list", "--state", "suggested").stdout
    assert code in listed
    assert "+200" in listed
    waits = call("explain", code).stdout
    assert "发现问题概率 50.0%" in waits
    assert f"建议上调 {row.id}（待确认）" in waits
    assert "作用: 同类内按概率排序" in waits
    done = read(call("raise", "confirm", row.id, "--reason", "两次抽检不合格", "--json"))
    assert (done["said"], done["standing"], done["until"]) == ("done", "in_force", "2027-02-19")
    assert "unchanged" in call("raise", "confirm", row.id, "--reason", "两次抽检不合格").stdout
    page = call("explain", code).stdout
    for said in (
        "风险模型上调一级",
        "2027-02-19",
        "两次抽检不合格",
        "规则给出的分类已上调一级",
        "模型分 0（基础 -200）",
    ):
        assert said in page
    assert "raised by one class from 2026-11-21" in call("explain", code, "--lang", "en").stdout
    body = read(call("explain", code, "--json"))
    assert body["reproduced"] is True
    assert sum(one["points"] for one in body["points"]) == body["score"]
    assert "raise" in call("changes", "--json").stdout
    assert read(call("raise", "end", row.id, "--reason", "复查合格", "--json"))["standing"] == "ended"
    assert read(call("explain", code, "--json"))["decided_by"] is None


def test_a_suggestion_may_be_dismissed_and_a_wrong_one_is_told_what_there_is(call: Call, on_sqlite):
    row = suggested(on_sqlite)
    assert "不予上调 dismissed" in call("raise", "dismiss", row.id, "--reason", "已核查").stdout
    assert "There is no raise 99" in call("raise", "confirm", 99, "--reason", "x", status=3).stderr
    assert "already" in call("raise", "confirm", row.id, "--reason", "x", status=3).stderr


def test_the_explanation_says_in_one_line_why_no_model_speaks(call: Call, on_sqlite):
    code = Entity.get_by_id(town(on_sqlite)).code
    assert "该方案没有在用的模型，仅由规则决定" in call("explain", code).stdout
    champion(on_sqlite)
    assert "该主体尚未评估" in call("explain", code).stdout
    assert "rules alone decide" not in call("explain", code, "--on", "2026-11-20", "--lang", "en").stdout


def test_while_models_are_switched_off_grading_ends_what_they_raised(call: Call, on_sqlite, monkeypatch):
    row = suggested(on_sqlite)
    code = Entity.get_by_id(row.entity).code
    call("raise", "confirm", row.id, "--reason", "两次抽检不合格")
    monkeypatch.setenv("XINHENG_MODEL_USE", "off")
    call("grade", "--due")
    ended = read(call("raise", "list", "--json"))["items"][0]
    assert (ended["standing"], "[model] use" in ended["ended_why"]) == ("ended", True)
    assert "模型已停用" in call("explain", code).stdout
