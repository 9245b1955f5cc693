"""A champion over the general scheme, and whom it would raise, for the tests of the leash."""

from dataclasses import replace

from registry.config import Settings
from registry.models import GradeRaise, GradeState, Model
from registry.services import grading, model_scores, models, raise_suggesting, raises
from registry.services.overrides import Desk
from registry.services.raise_suggesting import Suggested
from rules.model.bundle import Calibration
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry.modelling import kept

# Who has a penalty is at .5, who has none at .004: far above four times the mean.
STEEP = Calibration(4.0, 0.0)


def champion(settings: Settings, **given: object) -> Model:
    """A promoted scorecard of one feature, how many penalties there are."""
    made = kept(settings, **{"calibration": STEEP, **given})
    return models.promote(made.id, settings=settings, by="key:乙", now=NOW)[0]


def town(settings: Settings, others: int = 9) -> int:
    """One enterprise with a penalty among others without, graded and scored; returns the one."""
    blamed = registered()
    record(blamed)
    for _ in range(others):
        registered()
    graded_and_scored(settings)
    return blamed


def graded_and_scored(settings: Settings, day=TODAY) -> None:
    grading.due(grading.scheme_named(settings), day=day)
    model_scores.score_all(settings, day=day, now=lambda: NOW)


def suggest(settings: Settings, day=TODAY, now: int = NOW) -> Suggested:
    return raise_suggesting.suggest(settings, today=day, now=lambda: now)


def desk(settings: Settings, actor: str = "key:李", day=TODAY, now: int = NOW) -> Desk:
    return Desk(settings, actor, day, now)


def suggested(settings: Settings) -> GradeRaise:
    """The one raise that waits, in a town with a champion."""
    champion(settings)
    town(settings)
    assert suggest(settings).suggested == 1
    return GradeRaise.get(GradeRaise.state == "suggested")


def confirmed(settings: Settings) -> GradeRaise:
    return raises.confirm(suggested(settings).id, why="两次抽检不合格", desk=desk(settings))[0]


def off(settings: Settings) -> Settings:
    return replace(settings, model=replace(settings.model, use="off"))


def state_of(entity: int, scheme: str = "general-risk") -> tuple[str, int]:
    row = GradeState.get(GradeState.scheme == scheme, GradeState.entity == entity)
    return row.class_, row.score
