"""From the ledger to a model, and from a model to a verdict: training, and the one look at the hold-out.

Training is a function of the ledger at a number, the window and the seed. It never looks at the hold-out but to count it; the
look is :func:`evaluate`, once per release, on record.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from registry import clock
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import session, write
from registry.errors import RegistryError
from registry.models import Model, ModelOpening
from registry.services import audit, book, ledger, model_frames, model_openings, models
from registry.services.model_watch import outcome_of, rule_of, rules_of
from rules.errors import FrameError
from rules.model import ModelError
from rules.model.units import Outcome, UnitRule
from rules.scheme import Scheme

if TYPE_CHECKING:
    from rules.model.bundle import Boosted, Calibration, Scorecard, Window
    from rules.model.recipe import Recipe

SEED = 1
# The leak checks that need features worked out again look at the last quarters of the training period.
RECENT = 4
# Visits before a list is drawn up from which on an entity has a history that may be read at an earlier period instead.
SETTLED = 2
# Days before a list is drawn up that are withheld to find copies of the visit itself.
WITHHELD = 30

# What is being done, and how far it is.
Progress = Callable[[str, int, int], None]


class TrainingRefused(RegistryError):
    """A training or an evaluation that cannot be: a leak, a recipe that does not fit its scheme, rows that make no model."""

    code = "training_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training made: a scorecard and its boosted challenger. `new` is False where both stood already."""

    model: Model
    challenger: Model
    new: bool
    units: dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation gave. `opening` is the look that it took; `new` is False where the same look was taken before."""

    model: Model
    report: dict[str, Any]
    opening: ModelOpening | None
    new: bool


def train(
    settings: Settings,
    *,
    first: date | None = None,
    until: date | None = None,
    name: str = "",
    known: int | None = None,
    outcome: Outcome | None = None,
    rule: UnitRule | None = None,
    seed: int = SEED,
    recipe: Recipe | None = None,
    today: date,
    by: str,
    now: int,
    progress: Progress | None = None,
) -> Trained:
    """Fit the rules, a scorecard and a boosted challenger on routine visits, out of what was known at `known` (default: now).

    `first` and `until` bound the whole quarters that are used (default: all there are); `outcome` says what a failure is
    (default: any problem), `rule` which visits are units. The recipe's scheme is read as it holds today. Deterministic by
    (ledger at `known`, window, seed). Safe to repeat: the same bundle is stored once. Raises NotEnough with the numbers;
    TrainingRefused for a leak, naming the feature, and for a recipe that does not fit the scheme.
    """
    from rules.model import recipe as recipes
    from rules.model.boosted import fit_boosted
    from rules.model.fitted import fit_rules, rule_score
    from rules.model.scorecard import fit

    tell = progress or (lambda *_: None)
    with session(), _told():
        used = recipes.load() if recipe is None else recipe
        scheme = book.in_force(settings, settings.model.scheme, on=today)
        _same_scheme(used, scheme)
        recipes.against(used, scheme.indicators)
        upto = ledger.head() if known is None else known
        earliest, latest = model_frames.default_span(upto, today)
        window = model_frames.window_of(first or earliest, until or latest)
        what, which = outcome or Outcome(), rule or UnitRule()
        size = settings.grading.range_size
        made = model_frames.table(
            scheme, outcome=what, rule=which, periods=model_frames.periods_of(window, *model_frames.PARTS), known=upto,
            range_size=size, progress=lambda done, total: tell("features", done, total),
        )  # fmt: skip
        model_frames.check(made, window, least_rows=used.least_rows, least_positives=used.least_positives, today=today)
        learnt, calibrate = (model_frames.within(made, window, part) for part in ("train", "calibrate"))
        used = _telling(used, learnt)
        tell("rules", 0, 3)
        # The rules see the same rows as the models, whose weights are fitted again on both parts once they are calibrated.
        rules = fit_rules(pl.concat([learnt, calibrate]), scheme, book.numbers(), half_life=used.half_life)
        _no_leaks(learnt, scheme, used, rule_score(learnt, rules), window, what, which, upto, size, seed, tell)
        given: dict[str, Any] = {
            "calibrate": calibrate, "window": window, "outcome": what, "rule": which, "seed": seed, "scheme_hash": scheme.hash,
            "name": name or f"{scheme.id}-{clock.day_of(window.test_from)}",
        }  # fmt: skip
        tell("scorecard", 1, 3)
        card = fit(learnt, used, **given)
        tell("boosted", 2, 3)
        trees = fit_boosted(learnt, used, **given)
        tell("boosted", 3, 3)
        with write():
            book.version_of(scheme)
            kept = {"rules": rules.content, "leaks": []}
            model, new = models.keep(
                card, challenger=False, grades=settings.model.grades, known=upto, metrics={**kept, "beside": trees.hash}, by=by, now=now
            )  # fmt: skip
            challenger, _ = models.keep(
                trees, challenger=True, grades=settings.model.grades, known=upto, metrics={**kept, "beside": card.hash}, by=by, now=now
            )  # fmt: skip
        return Trained(model, challenger, new, _counted(made, window))


def evaluate(
    settings: Settings,
    number: int,
    *,
    again: str = "",
    target: str = model_openings.LEDGER,
    by: str,
    now: int,
    progress: Progress | None = None,
) -> Evaluated:
    """Look at the hold-out with a model, the other one of its training and its fitted rules, and keep what it gave with both.

    The look is put on record first (`model_openings`): the first of a release needs no reason; another model, or another
    hold-out, needs one (`again`). The same model again shows what stands and looks at nothing, unless a reason is given.
    Raises ModelNotFound, TestPeriodOpened, TrainingRefused.
    """
    from rules.model import recalibration
    from rules.model import report as reports
    from rules.model.fitted import rule_score
    from rules.model.score import score

    tell = progress or (lambda *_: None)
    with session(), _told():
        model, other = _pair(models.get(number))
        held = models.report_of(model)
        if held is not None and not again.strip():
            return Evaluated(models.get(number), held, None, False)
        card, trees = models.bundle_of(model), models.bundle_of(other)
        rules, window = rules_of(model), card.window
        assert rules is not None  # the training kept them
        opening = model_openings.open_period(
            target, model=model.hash, from_day=window.test_from, until_day=window.test_until, why=again, by=by, now=now
        )
        made = model_frames.table(
            models.scheme_of(model), outcome=outcome_of(card), rule=rule_of(card), periods=model_frames.periods_of(window, "test"),
            known=model.known, range_size=settings.grading.range_size, progress=lambda done, total: tell("features", done, total),
        )  # fmt: skip
        tell("report", 0, 2)
        said, theirs = score(card, made), score(trees, made)
        given: dict[str, Any] = {
            "rules": rule_score(made, rules), "seed": card.seed, "target": target,
            "overdue": model_frames.overdue(made, model_frames.all_visits(model.known, settings.grading.range_size)),
        }  # fmt: skip
        # The chance of each quarter is what would have been said in it: the line follows the quarters before.
        chance, theirs_too = (
            recalibration.chances_of(one, made, row["points"]) for one, row in ((card, said), (trees, theirs))
        )
        found = reports.evaluate(made, model=said["points"], chance=chance, boosted=theirs["points"], **given)
        tell("report", 1, 2)
        alone = reports.evaluate(made, model=theirs["points"], chance=theirs_too, **given)
        tell("report", 2, 2)
        over = found["gains"]["boosted_over_model"]
        with write():
            _judge(model, found, over, _next_line(card, made, said), now, by)
            _judge(other, alone, over, _next_line(trees, made, theirs), now, by)
        judged = models.get(number)
        return Evaluated(judged, models.report_of(judged) or found, opening, True)


def _pair(model: Model) -> tuple[Model, Model]:
    """The scorecard and the challenger of one training."""
    other = models.beside(model)
    if other is None:
        raise TrainingRefused(
            f"Model {model.id} has lost the other one of its training. Train again: xinheng model train."
        )
    return (model, other) if model.form == "scorecard" else (other, model)


def _next_line(bundle: Scorecard | Boosted, made: pl.DataFrame, said: pl.DataFrame) -> Calibration:
    """The line from points to chances for the quarter after the hold-out."""
    from rules.model.recalibration import later

    return later(made.select("period", "y", points=said["points"]), bundle.points_per_doubling, bundle.calibration)


def _judge(
    model: Model, report: dict[str, Any], over: dict[str, float], line: Calibration, now: int, by: str
) -> None:  # fmt: skip
    """Keep what the look gave: the model's own report, by how much the challenger beats the scorecard, and the line that the
    model begins to work with."""
    gain = report["gains"]["model_over_rules"]
    model.gain_low, model.gain_high = _whole(gain)
    model.metrics = {
        **model.metrics, "report": report, "over_scorecard": list(_whole(over)), models.LINE: dataclasses.asdict(line),
    }  # fmt: skip
    model.save(only=[Model.gain_low, Model.gain_high, Model.metrics])
    parts = {"gain_low": model.gain_low, "gain_high": model.gain_high}
    audit.note("model.evaluated", actor=by, subject=f"model {model.id}", now=now, hash=model.hash, **parts)


def _whole(interval: dict[str, float]) -> tuple[int, int]:
    """An interval in whole parts, rounded down: what is not above zero is not rounded above it."""
    return math.floor(interval["low"] * models.PARTS), math.floor(interval["high"] * models.PARTS)


def _no_leaks(
    learnt: pl.DataFrame, scheme: Scheme, recipe: Recipe, rules: Any, window: Window, what: Outcome, which: UnitRule,
    known: int, size: int, seed: int, tell: Progress,
) -> None:  # fmt: skip
    """Run every leak check, and refuse the training where one finds something. Raises LeakFound."""
    from rules.model import leaks

    periods = model_frames.periods_of(window, "train")[-RECENT:]
    recent = learnt.filter(pl.col("period") >= periods[0][0])
    seen = model_frames.all_visits(known, size)
    # Who was hardly visited yet has no history that could age: what a first visit teaches is no leak.
    settled = learnt.filter(model_frames.visits_before(learnt, seen) >= SETTLED)
    found = [
        *leaks.names(recipe.ids),
        *leaks.alarms(learnt, recipe.ids, rules=rules),
        *leaks.shuffled_time(settled, recipe.ids, seed=seed),
        *leaks.timeless(
            model_frames.aged(scheme, learnt, model_frames.periods_of(window, "train"), known),
            recipe.ids,
            fixed=_fixed(scheme, recipe),
        ),
        *leaks.copied_visits(learnt, seen),
    ]
    checks: tuple[tuple[Callable[..., list[leaks.Leak]], int], ...] = ((leaks.changed, 0), (leaks.withheld, WITHHELD))
    for step, (check, days) in enumerate(checks):
        tell("leaks", step, 2)
        again = model_frames.table(
            scheme, outcome=what, rule=which, periods=periods, known=known, range_size=size, withheld=days
        )
        found += check(recent, again, recipe.ids)
    tell("leaks", 2, 2)
    leaks.refuse(found)


def _telling(recipe: Recipe, learnt: pl.DataFrame) -> Recipe:
    """The recipe without features that had one value, or none, in all training rows: nothing is learnt from them, and what
    they say later was never seen."""
    return dataclasses.replace(
        recipe, features=tuple(one for one in recipe.features if learnt[one.id].drop_nulls().n_unique() > 1)
    )


def _fixed(scheme: Scheme, recipe: Recipe) -> set[str]:
    """Features that rest on the registration, its kind of subject, its industry or its relations, and may stay as they are for
    ever. Its state may not: that is the one of today."""
    named = {one: scheme.indicators[one] for one in recipe.ids}
    registered = {id_ for id_, one in named.items() if one.kind_name in ("registration", "relation")}
    kinds = {id_ for id_, one in named.items() if one.measure == "subject"}
    return kinds | {id_ for id_ in registered if named[id_].of != "severity"}


def _counted(made: pl.DataFrame, window: Window) -> dict[str, dict[str, int]]:
    parts = {part: model_frames.within(made, window, part) for part in model_frames.PARTS}
    return {part: {"visits": rows.height, "failures": int(rows["y"].sum())} for part, rows in parts.items()}


def _same_scheme(recipe: Recipe, scheme: Scheme) -> None:
    if recipe.scheme != scheme.id:
        raise TrainingRefused(
            f"The recipe is for the scheme {recipe.scheme!r}, and [model] scheme names {scheme.id!r}. Name the one that the recipe is for."
        )


@contextmanager
def _told() -> Generator[None, None, None]:
    """What the pure part refuses, as an error of the registry."""
    try:
        yield
    except (ModelError, FrameError) as error:
        raise TrainingRefused(mask_personal(str(error))) from error
