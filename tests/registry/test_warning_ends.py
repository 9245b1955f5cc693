"""Warnings that lose their ground: the model, the switch or the entity is gone, and what nobody took on is closed."""

from dataclasses import replace

import pytest

from registry.models import EarlyWarning, GradeState, WarningStep
from registry.services import early_warnings, models
from tests.conftest import NOW
from tests.factories import credit_code, registered
from tests.registry.modelling import kept
from tests.registry.warned import acts, desk, warned


def test_when_its_model_retires_what_nobody_took_on_is_closed_and_work_in_hand_stays(settings):
    taken = warned(settings)
    early_warnings.assign(taken.id, to="李", desk=desk())
    champion = taken.model
    other = registered(credit_code(division="990202"))
    left = warned(settings, other)
    assert early_warnings.settle(settings, NOW) == 0
    assert early_warnings.close_all_of(champion, "模型已漂移 drifted", NOW) == 1
    assert early_warnings.close_all_of(champion, "模型已漂移 drifted", NOW) == 0
    assert [EarlyWarning.get_by_id(one.id).state for one in (taken, left)] == ["assigned", "closed"]
    assert WarningStep.get(WarningStep.warning == left.id, WarningStep.number == 2).said == "模型已漂移 drifted"
    early_warnings.dispose(taken.id, disposal=5, said="列入重点关注。", desk=desk())


@pytest.mark.parametrize("how", ["retired", "replaced", "off"])
def test_without_its_model_a_warning_that_nobody_took_on_is_closed_at_once(settings, how):
    row = warned(settings)
    if how == "retired":
        models.retire(row.model.id, why="漂移 drifted", settings=settings, by="key:乙", now=NOW)
    elif how == "replaced":
        models.promote(kept(settings, name="second").id, settings=settings, by="key:乙", now=NOW)
    else:
        assert models.settle(replace(settings, model=replace(settings.model, use="off")), NOW)
    assert (EarlyWarning.get_by_id(row.id).state, acts(row)) == ("closed", ["raised", "closed"])


def test_closing_all_of_a_model_reaches_everybody_in_short_transactions(on_sqlite, monkeypatch):
    monkeypatch.setattr(early_warnings, "CHUNK", 2)
    first, *_ = [warned(on_sqlite, registered(credit_code(division=f"99020{place}"))) for place in (2, 3, 4)]
    assert early_warnings.close_all_of(first.model, "模型已漂移 drifted", NOW) == 3
    assert {row.state for row in EarlyWarning.select()} == {"closed"}
    assert WarningStep.select().where(WarningStep.act == "closed").count() == 3


@pytest.mark.parametrize("how", ["off", "retired", "gone"])
def test_the_nightly_run_closes_what_has_lost_its_ground(settings, how):
    warning = warned(settings)
    now = settings
    if how == "off":
        now = replace(settings, model=replace(settings.model, use="off"))
    elif how == "retired":
        warning.model.state = "retired"
        warning.model.save()
    else:
        GradeState.delete().where(GradeState.entity == warning.entity).execute()
    assert (early_warnings.settle(now, NOW), early_warnings.settle(now, NOW)) == (1, 0)
    assert acts(warning) == ["raised", "closed"]
