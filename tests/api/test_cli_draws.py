"""`xinheng draw`, at a terminal."""

import pytest
import time_machine

from registry.models import Draw, Visit, VisitInspector
from registry.services import draws
from tests.api.test_cli import Call, caller, read
from tests.registry.drawing import WITNESS, crowd, desk_of, staff, task_of
from tests.registry.test_draws import replay


@pytest.fixture
def call(on_sqlite):
    crowd()
    staff()
    with time_machine.travel("2026-11-21T09:00:00+08:00", tick=False):
        yield from caller(on_sqlite)


def test_a_draw_from_its_commitment_to_its_minutes(call: Call, tmp_path, monkeypatch, capsys):
    task = task_of().id
    said = call("draw", "commit", task, "--ratio", "C=50", "--kind", "enterprise").stdout
    number = Draw.get().id
    assert f"Draw {number}, task {task}, 2026-11-21: 已承诺，待抽取 committed, 20 of 130" in said
    assert "C: 10 of 20 (general_c)" in said
    assert Draw.get().commitment in said
    assert (
        read(call("draw", "commit", task, "--ratio", "C=50", "--kind", "enterprise", "--json"))["said"] == "unchanged"
    )
    assert "List 1. Now: xinheng list show 1" in call("draw", "run", number, "--witness", WITNESS).stdout
    assert read(call("draw", "run", number, "--witness", WITNESS, "--json"))["said"] == "unchanged"
    visit = Visit.get(Visit.position == 1).id
    leaving = VisitInspector.get(VisitInspector.visit == visit).inspector_id
    recusal = ("draw", "recuse", number, "--visit", visit, "--inspector", leaving, "--why", "近亲属")
    assert f"Round 1: inspector {leaving} →" in call(*recusal).stdout
    assert read(call(*recusal, "--json"))["said"] == "unchanged"
    shown = call("draw", "show", number).stdout
    assert WITNESS in shown
    assert f"回避 recusal 1: visit {visit}" in shown
    assert read(call("draw", "show", number, "--json"))["rounds"][0]["out"] == leaving
    full = tmp_path / "full.json"
    assert "bytes, digest of the full minutes" in call("draw", "minutes", number, "--copy", "full", "-o", full).stdout
    assert replay(monkeypatch, capsys, full)[0] == 0
    early = call("draw", "minutes", number, "-o", tmp_path / "public.json", status=3)
    assert "once its task is closed" in early.stderr
    draws.reveal(Draw.get(), desk=desk_of())
    written = read(call("draw", "minutes", number, "-o", tmp_path / "public.json", "--json"))
    assert (written["copy"], written["digest"]) == ("public", Draw.get().minutes_digest)
    assert replay(monkeypatch, capsys, full, "--public", tmp_path / "public.json")[0] == 0
    assert f"{number}" in call("draw", "list").stdout
    assert read(call("draw", "list", "--json"))["items"][0]["state"] == "revealed"


def test_a_draw_is_declared_void_at_a_terminal(call: Call):
    call("draw", "commit", task_of().id)
    assert "已作废 void: 遗漏两个街道" in call("draw", "void", Draw.get().id, "--reason", "遗漏两个街道").stdout
    assert read(call("draw", "void", Draw.get().id, "--reason", "遗漏两个街道", "--json"))["said"] == "unchanged"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--class", "D"), "would tell the class of everybody"),
        (("--ratio", "C"), "C=30"),
        (("--ratio", "C=900"), "C=30"),
        (("--division", "东区"), "not a prefix of digits"),
    ],
)
def test_wrong_use_is_told_before_anything_is_looked_up(call: Call, given, said):
    assert said in call("draw", "commit", 1, *given, status=2).stderr.replace("\n", " ")
    assert Draw.select().count() == 0
