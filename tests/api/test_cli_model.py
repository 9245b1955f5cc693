"""`xinheng model`, at a terminal: from the ledger to a champion, and what is refused."""

from datetime import date

import pytest
import time_machine

from api.cli import support
from registry.models import GradeState, InspectionListRow, Visit
from registry.services import model_cards, model_openings
from rules.model import recipe
from tests.api.test_cli import Call, caller, read
from tests.factories import record, registered
from tests.registry.modelling import RECIPE, a_town, kept

AT = "2026-11-21T09:00:00+08:00"
SPAN = ("--from", "2023-01-01", "--until", "2026-01-01")


@pytest.fixture
def call(on_sqlite):
    with time_machine.travel(AT, tick=False):
        yield from caller(on_sqlite)


@pytest.fixture
def someone_else(monkeypatch):
    """From here on another person types."""
    return lambda: monkeypatch.setattr(support, "account", lambda: "approver")


def test_a_model_is_trained_evaluated_promoted_scored_shown_and_retired(
    call: Call, on_sqlite, someone_else, monkeypatch, tmp_path
):
    monkeypatch.setattr(recipe, "load", lambda: RECIPE)
    a_town(45)
    call("grade", "--all")
    made = call("model", "train", *SPAN)
    assert "训练期 training" in made.stdout
    assert "Leak checks" in made.stderr
    assert read(call("model", "train", *SPAN, "--json"))["said"] == "unchanged"
    refused = call("model", "card", 1, tmp_path / "early", status=3)
    assert "xinheng model evaluate 1" in refused.stderr
    found = call("model", "evaluate", 1)
    assert "拟合规则 fitted rules" in found.stdout
    assert "nothing was looked at" in call("model", "evaluate", 1).stderr
    headline = read(call("model", "evaluate", 1, "--json"))
    assert {"auc", "auc_low", "auc_high", "rules_auc", "gain_low", "ece", "grade_rates", "report"} <= set(headline)
    assert [row["first"] for row in read(call("model", "openings", "--json"))["items"]] == [True]
    assert model_openings.release() in call("model", "openings").stdout
    call("model", "card", 1, tmp_path / "cards")
    assert {path.name for path in (tmp_path / "cards").iterdir()} == {"model-1.md", "model-1.html", "pictures"}
    assert "Another person" in call("model", "promote", 1, status=3).stderr
    assert "scorecard" not in call("model", "list", "--state", "champion").stdout
    assert "影子运行 shadow" in call("model", "shadow", 1).stdout
    scored = read(call("model", "score", "--json"))
    assert (scored["entities"], scored["chances"], scored["models"]["1"]["scored"]) == (45, 0, 45)
    shown = call("model", "show", 1).stdout
    assert "保留期 hold-out: " in shown
    someone_else()
    assert "已停用 retired" in call("model", "retire", 1, "--reason", "口径已变").stdout
    assert "口径已变" in call("model", "show", 1).stdout
    assert "unchanged" in call("model", "retire", 1, "--reason", "口径已变").stdout
    assert {row.chance for row in GradeState.select()} == {0}


def test_a_champion_has_effect_from_its_scoring_on(call: Call, on_sqlite):
    a_town(3, quarters=1)
    call("grade", "--all")
    model = kept(on_sqlite)
    told = call("model", "promote", model.id)
    assert "在用 champion" in told.stdout
    assert "xinheng model score" in told.stderr
    assert "unchanged" in call("model", "promote", model.id).stdout
    assert "3 entities; 3 chances" in call("model", "score").stdout
    assert {row.chance for row in GradeState.select()} == {200_000}


def test_switched_off_scoring_clears_and_says_so(call: Call, on_sqlite, monkeypatch):
    a_town(3, quarters=1)
    call("grade", "--all")
    GradeState.update(chance=5).execute()
    monkeypatch.setenv("XINHENG_MODEL_USE", "off")
    assert "no chance stands" in call("model", "score").stdout
    assert {row.chance for row in GradeState.select()} == {0}


def test_switched_off_no_list_is_ordered_by_a_chance_that_was_left_over(call: Call, on_sqlite, monkeypatch):
    """Nobody has started a server, and no night has passed, since the switch was turned."""
    a_town(3, quarters=1)
    call("grade", "--all")
    GradeState.update(chance=GradeState.entity).execute()
    asked = ("--title", "重点检查", "--basis", "年度检查计划", "--organ", "信衡市市场监督管理局", "--item", "标签标识")
    task = read(call("task", "create", "--type", "key_supervision", *asked, "--json"))["id"]
    assert [row.chance for row in pulled(call, task)] == [3, 2, 1]
    monkeypatch.setenv("XINHENG_MODEL_USE", "off")
    # They wait for the visits of the first list.
    assert "all are passed over; passed over: 3 open_visit" in call("list", "pull", task, status=3).stderr
    Visit.update(state="closed").execute()
    assert [row.chance for row in pulled(call, task)] == [0, 0, 0]


def pulled(call, task):
    number = read(call("list", "pull", task, "--json"))["id"]
    return InspectionListRow.select().where(InspectionListRow.list == number).order_by(InspectionListRow.position)


def test_without_enough_checks_the_numbers_are_told(call: Call, monkeypatch):
    monkeypatch.setattr(recipe, "load", lambda: RECIPE)
    assert "No check 抽查检查 is on record" in call("model", "train", status=3).stderr
    late = call("model", "train", "--until", "2050-01-01", status=2)
    assert "2050-01-01 lies after today" in late.stderr
    a_town(5)
    assert "needed are 200 visits" in call("model", "train", *SPAN, status=3).stderr


def test_rates_by_class_are_printed(call: Call):
    a_town(6, quarters=2)
    call("grade", "--all")
    found = read(call("model", "rates", "--from", "2022-01-01", "--to", "2022-12-31", "--json"))
    assert (found["scheme"], found["from"]) == ("general-risk", "2022-01-01")
    told = call("model", "rates", "--from", "2022-01-01", "--to", "2022-12-31")
    assert "general-risk 2022-01-01 … 2022-12-31" in told.stdout
    assert "0 / 0" in told.stdout
    assert "only the plain share is known" in told.stderr


def test_rates_of_checks_that_a_draw_chose_are_printed_with_their_bounds(call: Call):
    for found in (0, 0, 1, 0):
        record(
            registered(), "spot_check", checked_on=date(2026, 5, 5), inclusion=500_000, serious_found=found,
            results=[{"code": "3" if found else "1"}],
        )  # fmt: skip
    record(registered(), "spot_check", checked_on=date(2026, 5, 5), inclusion=500_000, results=[{"code": "4"}])
    told = call("model", "rates", "--from", "2026-01-01", "--to", "2026-11-21")
    assert "5 / 4" in told.stdout
    assert "25.0% (" in told.stdout
    assert "20.0% – 40.0%" in told.stdout
    assert "keeps the probability" not in told.stderr
    record(registered(), "spot_check", checked_on=date(2026, 5, 5), inclusion=1_000_000, results=[{"code": "1"}])
    assert "ungraded: 不予估计 withheld. Only 4 of those" in call("model", "rates", "--to", "2026-11-21").stderr


def test_a_card_that_cannot_be_written_is_told_where(call: Call, on_sqlite, monkeypatch, tmp_path):
    blocked = tmp_path / "taken"
    blocked.write_text("a file, and no folder")
    monkeypatch.setattr(model_cards, "files", lambda model: {"card.md": "# card"})
    model = kept(on_sqlite)
    told = call("model", "card", model.id, blocked / "cards", status=3).stderr
    assert str(blocked) in told
    assert "Name a folder that can be written" in told


def test_who_trained_a_model_is_told_how_another_person_promotes_it(call: Call, on_sqlite):
    model = kept(on_sqlite, by=support.actor())
    told = call("model", "promote", model.id, status=3).stderr
    assert "models:approve" in told


@pytest.mark.parametrize(
    "words", [("show", 9), ("evaluate", 9), ("promote", 9), ("shadow", 9), ("retire", 9, "--reason", "无")]
)
def test_a_model_that_is_not_there_is_said_so(call: Call, words):
    assert "There is no model 9" in call("model", *words, status=3).stderr
