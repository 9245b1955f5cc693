"""`xinheng warning`, at a terminal."""

from datetime import timedelta

import pytest
import time_machine

from registry.models import EarlyWarning
from tests.api.test_cli import Call, caller, read
from tests.conftest import TODAY
from tests.factories import record
from tests.registry.warned import ORGAN, warned

AT = "2026-11-21T09:00:00+08:00"


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


@pytest.fixture
def number(on_sqlite):
    return warned(on_sqlite).id


def test_a_warning_goes_from_the_list_to_its_end(call: Call, number, monkeypatch):
    (listed,) = read(call("warning", "list", "--state", "open", "--json"))["items"]
    assert (listed["id"], listed["class"], listed["chance"], listed["due"]) == (number, "A", 900_000, "2026-11-25")
    assert "90.0 %" in call("warning", "list").stdout
    shown = call("warning", "show", number).stdout
    assert "待分派 open, due 2026-11-25" in shown
    assert "距上次检查 Since the last check: 400, +20" in shown
    steps = [
        ("assign", number, "--to", "李", "--organ", ORGAN),
        ("dispose", number, "--disposal", 3, "--said", "已约谈负责人"),
    ]
    for step in steps:
        assert read(call("warning", *step, "--json"))["said"] == "done"
        assert "unchanged" in call("warning", *step).stdout
    shown = call("warning", "show", number).stdout
    assert f"分派 assigned ({ORGAN} 李)" in shown
    assert "处置 disposed (约谈负责人 talk with the person in charge)" in shown
    early = call("warning", "close", number, status=3)
    assert "Its feedback is next" in early.stderr
    monkeypatch.setattr("tests.factories.TODAY", TODAY + timedelta(days=9))
    seq = record(
        EarlyWarning.get().entity, "spot_check", checked_on=TODAY + timedelta(days=3), results=[{"code": "5"}]
    ).seq
    assert f"其后 since: {seq} spot_check 2026-11-24 发现问题" in call("warning", "show", number).stdout
    feedback = call("warning", "feedback", number, "--outcome", 1, "--record", seq, "--said", "发现问题")
    assert "已反馈，待办结 answered" in feedback.stdout
    found = read(call("warning", "close", number, "--said", "办结", "--json"))
    assert (found["state"], found["outcome"], found["record"], [one["act"] for one in found["steps"]]) == (
        "closed", 1, seq, ["raised", "assigned", "disposed", "answered", "closed"],
    )  # fmt: skip
    figures = read(call("warning", "figures", "--json"))
    assert (figures["states"]["closed"], figures["quarters"][0]["false_alarms"]["share"]) == (1, 0.0)
    assert "0.0% (0.0% – 79.3%)" in call("warning", "figures").stdout
    assert read(call("warning", "figures", "--division", "88", "--json"))["quarters"] == []
    assert read(call("warning", "list", "--division", "88", "--json"))["items"] == []


def test_what_is_overdue_says_so(call: Call, number):
    with time_machine.travel("2026-11-26T09:00:00+08:00", tick=False):
        assert [one["id"] for one in read(call("warning", "list", "--overdue", "--json"))["items"]] == [number]
        assert read(call("warning", "list", "--in-time", "--json"))["items"] == []
        assert "逾期 overdue" in call("warning", "list").stdout
        assert "1 未分派 unassigned" in call("warning", "figures").stdout


def test_a_warning_that_does_not_exist_is_told_where_to_look(call: Call):
    assert "xinheng warning list" in call("warning", "show", 99, status=3).stderr
