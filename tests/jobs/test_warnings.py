"""The nightly job that raises early warnings, closes those without a ground, and counts what is overdue."""

from dataclasses import replace
from datetime import timedelta

from jobs import runner
from jobs.tasks import named
from registry.models import EarlyWarning, JobRun, WarningStep
from registry.services import early_warnings, warning_reasons
from tests.conftest import NOW, TODAY
from tests.registry.warned import crowd, desk, model, say, why


def night(settings, today=TODAY):
    moment = NOW + (today - TODAY) // timedelta(milliseconds=1)
    ran = runner.by_hand(
        named("raise_warnings"), settings, actor="test", on=today, now=lambda: moment + JobRun.select().count()
    )
    assert (ran.state, ran.error) == ("done", "")
    return ran.result


def test_the_nights_raise_once_then_remind_and_close_what_lost_its_ground(settings, monkeypatch):
    monkeypatch.setattr(warning_reasons, "heaviest", why)
    many = crowd(settings, 5)
    champion = model()
    say(champion, {many[0]: 900_000} | dict.fromkeys(many[1:], 1_000))
    first = night(settings)
    assert (first["raised"], first["scored"], first["closed"], first["unassigned"]) == (1, 5, 0, 0)
    warning = EarlyWarning.get()
    assert (WarningStep.get().by, warning.reasons[0]["over"]) == ("job:raise_warnings", 20)
    late = TODAY + timedelta(days=10)
    second = night(settings, late)
    assert (second["raised"], second["unassigned"], second["unanswered"]) == (0, 1, 0)
    early_warnings.assign(warning.id, to="李", desk=desk(today=late))
    assert night(settings, late + timedelta(days=60))["unanswered"] == 1
    say(champion, {many[1]: 950_000, many[0]: 1_000})
    assert night(settings, late)["raised"] == 0, "the division has no room left"
    EarlyWarning.update(state="answered", outcome=3, organ="").execute()
    early_warnings.close(warning.id, desk=desk())
    assert night(settings, late)["raised"] == 1
    off = night(replace(settings, model=replace(settings.model, use="off")), late)
    assert (off["closed"], off["raised"], off["scored"]) == (1, 0, 0)


def test_without_a_champion_a_night_does_nothing(settings):
    crowd(settings, 2)
    result = night(settings)
    assert {result[name] for name in ("closed", "raised", "scored", "line", "to_remind")} == {0}
    assert EarlyWarning.select().count() == 0
