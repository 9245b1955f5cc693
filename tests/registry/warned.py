"""Models, scores and warnings for the tests of early warnings."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from registry.clock import day_number
from registry.config import Settings
from registry.models import EarlyWarning, Model, ModelScore, WarningStep
from registry.services import grading, warning_raising
from registry.services.early_warnings import Desk
from registry.services.warning_raising import Raised
from tests.conftest import NOW, TODAY
from tests.factories import registered

ORGAN = "信衡市市场监督管理局"
_numbers = itertools.count(1)


def model(state: str = "champion", grades: str = "general-risk") -> Model:
    number = next(_numbers)
    made: Model = Model.create(
        name=f"card-{number}", form="scorecard", hash=f"{number:064d}", bundle="{}", features="inspection-record",
        grades=grades, state=state, gain_low=100, gain_high=900, metrics={}, known=1, trained_by="key:trainer", trained_at=NOW,
    )  # fmt: skip
    return made


def say(by: Model, chances: Mapping[int, int | None], day: date = TODAY) -> None:
    """What the model said of these entities, in millionths."""
    ModelScore.delete().where(ModelScore.model == by, ModelScore.entity.in_(list(chances))).execute()
    for entity, chance in chances.items():
        ModelScore.create(model=by, entity=entity, day=day_number(day), known=1, points=0, chance=chance)


def crowd(settings: Settings, size: int, **given: Any) -> list[int]:
    """Graded enterprises."""
    made = [registered(**given) for _ in range(size)]
    grading.due(grading.scheme_named(settings), day=TODAY)
    return made


def why(_: Model, entities: Sequence[int], today: date) -> dict[int, list[dict[str, Any]]]:
    """Reasons without a bundle to read them from."""
    title = {"zh": "距上次检查", "en": "Since the last check"}
    return {
        one: [{"feature": "since_check", "title": title, "value": 400, "points": 31, "over": 20}] for one in entities
    }


def raise_new(settings: Settings, today: date = TODAY, now: int = NOW) -> Raised:
    return warning_raising.raise_new(
        settings, today=today, now=lambda: now, actor="job:raise_warnings", reasons=why, go_on=lambda: None
    )


def warned(settings: Settings, entity: int | None = None) -> EarlyWarning:
    """An open warning about one of four graded enterprises."""
    four = crowd(settings, 4 if entity is None else 3)
    first = four.pop(0) if entity is None else entity
    if entity is not None:
        grading.due(grading.scheme_named(settings), day=TODAY)
    champion = Model.get_or_none(Model.state == "champion") or model()
    say(champion, {first: 900_000} | dict.fromkeys(four, 10_000))
    assert raise_new(settings).raised == 1
    found: EarlyWarning = EarlyWarning.get(EarlyWarning.entity == first)
    return found


def desk(actor: str = "key:张", organ: str = ORGAN, today: date = TODAY, now: int = NOW) -> Desk:
    return Desk(actor, organ, today, now)


def acts(warning: EarlyWarning) -> list[str]:
    """What was done with a warning, in order."""
    steps = WarningStep.select().where(WarningStep.warning == warning).order_by(WarningStep.number)
    return [step.act for step in steps]
