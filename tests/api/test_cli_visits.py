"""`xinheng task` and `xinheng visit`, at a terminal."""

import pytest
import time_machine

from registry.models import Task, Visit
from registry.services import visits
from tests.api.test_cli import Call, caller, read
from tests.registry.test_tasks import item
from tests.registry.visiting import ORGAN, PARTNER, inspector, listed, pair, task

AT = "2026-11-21T09:00:00+08:00"
MAKE = ("task", "create", "--type", "statutory", "--title", "示例任务", "--basis", "年度计划", "--organ", ORGAN)


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


def test_a_task_is_made_by_one_person_and_approved_by_another(call: Call):
    item()
    number = read(call(*MAKE, "--code", "A01", "--item", "公示信息检查", "--partner", PARTNER, "--json"))["id"]
    own = call("task", "approve", number, status=3)
    assert "Another person must approve" in own.stderr
    Task.update(created_by="key:planner").where(Task.id == number).execute()
    assert "已批准 approved" in call("task", "approve", number, "--said", "同意").stdout
    assert read(call("task", "approve", number, "--json"))["said"] == "unchanged"
    form = call("task", "form", number).stdout
    assert "检查审批表" in form
    assert read(call("task", "form", number, "--json"))["number"] == "信市监查审〔2026〕1号"
    shown = call("task", "show", number).stdout
    assert "A01 登记事项检查" in shown
    assert f"{ORGAN}、{PARTNER}" in shown
    assert read(call("task", "show", number, "--json"))["checklist"][0]["code"] == "A01"
    assert "已批准" in call("task", "list", "--organ", PARTNER, "--state", "approved").stdout
    assert "已办结 closed" in call("task", "close", number).stdout


def test_a_task_is_refused_or_cancelled_with_a_reason_and_checks_something(call: Call):
    first, second = task(approve=False).id, task(approve=False).id
    assert "未批准 refused" in call("task", "refuse", first, "--said", "依据不足").stdout
    assert "已撤销 cancelled" in call("task", "cancel", second, "--said", "重复").stdout
    assert "at least one item" in call(*MAKE, status=3).stderr


def test_a_visit_goes_from_the_list_to_its_end(call: Call, on_sqlite):
    visit, left, shut = listed(task(), 3)
    team = [inspector(actor="cli:demo").id, inspector().id]
    who = ("--inspector", team[0], "--inspector", team[1])
    bad = call("visit", "assign", visit.id, "--inspector", team[0], status=3)
    assert "sends 1 inspector" in bad.stderr
    assert "已分派 assigned" in call("visit", "assign", visit.id, *who, "--on", "2026-11-21").stdout
    assert read(call("visit", "assign", visit.id, *who, "--json"))["said"] == "unchanged"
    other = pair()
    changed = call("visit", "reassign", visit.id, "--inspector", team[0], "--inspector", other[0], "--why", "请假")
    assert "assigned" in changed.stdout
    (mine,) = read(call("visit", "list", "--inspector", "cli:demo", "--json"))["items"]
    assert mine["id"] == visit.id
    assert "申请回避" in call("visit", "notice", visit.id).stdout
    assert read(call("visit", "notice", visit.id, "--json"))["said"] == "unchanged"
    assert "code of visit" in call("visit", "start", visit.id, "--token", "ABCD", status=3).stderr
    there = ("--present", team[0], "--present", other[0])
    assert "检查中 started" in call("visit", "start", visit.id, "--token", visit.token, *there).stdout
    assert "现场检查笔录" in call("visit", "record", visit.id).stdout
    assert "finished" in call("visit", "finish", visit.id).stdout
    shown = call("visit", "show", visit.id).stdout
    assert "改派 reassigned" in shown
    assert "公示信息检查" in shown
    assert "class" not in read(call("visit", "show", visit.id, "--json"))
    assert read(call("visit", "show", visit.id, "--supervisor", "--json"))["class"] == "D"
    assert "dropped" in call("visit", "drop", left.id, "--why", "他机关已办").stdout
    assert "non_response" in call("visit", "non-response", shut.id, "--why", "无人应门").stdout
    table = call("visit", "list", "--task", visit.task_id).stdout
    assert all(visits.STATES[state] in table for state in ("finished", "dropped", "non_response"))
    assert Visit.select().count() == 3
