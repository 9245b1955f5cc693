"""Models that tests make up: bundles over the indicators of a scheme that is there anyway."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from registry.config import Settings
from registry.models import Model
from registry.services import book, ledger, models
from rules.model.bundle import Binned, Boosted, Calibration, Scorecard, Split, Tree, Window
from rules.model.recipe import Feature, Recipe, Trees
from rules.scheme import Scheme
from tests.conftest import NOW, TODAY
from tests.factories import registered, statement

WINDOW = Window(18262, 19358, 19358, 19723, 19723, 20089)  # 2020 to 2022, 2023, 2024


def scheme_of(settings: Settings) -> Scheme:
    return book.in_force(settings, "general-risk", on=TODAY)


def counting(scheme: Scheme) -> str:
    """The first indicator, by id, that counts penalties."""
    return next(one.id for one in scheme.indicators.values() if (one.kind_name, one.measure) == ("penalty", "count"))


def scorecard(scheme: Scheme, **given: Any) -> Scorecard:
    """A scorecard of one feature: a penalty or more gives 200 points more, which is four times the odds."""
    feature = counting(scheme)
    made = Scorecard(
        name="made-up", scheme=scheme.id, scheme_hash=scheme.hash, points_per_doubling=100, calibration=Calibration(1.0, 0.0),
        grounds={}, outcome={"severity": 1, "count": 1}, rule={"purposes": [0, 1], "least_gap": 0, "history": 0}, window=WINDOW,
        rows=1000, positives=200, metrics={}, versions={"python": "3.11"}, seed=1, l2=1.0, base=-200,
        features=(Binned(feature, (1,), (0, 200), 0, "up"),),
        reference={feature: [0.8, 0.2, 0.0], "score": [0.8, 0.2], "score_edges": [-100], "base_rate": 0.26},
    )  # fmt: skip
    return replace(made, **given)


def boosted(scheme: Scheme, **given: Any) -> Boosted:
    """One tree that says the same the other way."""
    feature = counting(scheme)
    card = scorecard(scheme)
    head = {name: getattr(card, name) for name in ("scheme", "scheme_hash", "points_per_doubling", "calibration", "grounds", "outcome", "rule", "window", "rows", "positives", "metrics", "versions", "seed", "reference")}  # fmt: skip
    tree = Tree((0, 0, 0), (0.5, 0.0, 0.0), (1, -1, -1), (2, -1, -1), (1, 0, 0), (0.0, -1.0, 1.0))
    made = Boosted(**head, name="made-up", baseline=-1.0, features=(Split(feature, (1,), "up"),), trees=(tree,))
    return replace(made, **given)


def kept(
    settings: Settings, *, gain: tuple[int, int] = (100, 300), evaluated: bool = True, by: str = "key:甲", **given: Any
) -> Model:
    """A scorecard that was trained and, unless told otherwise, evaluated with this gain."""
    scheme = scheme_of(settings)
    book.version_of(scheme)
    bundle = scorecard(scheme, **given)
    model, _ = models.keep(
        bundle,
        challenger=False,
        grades="general-risk",
        known=1,
        metrics={"beside": boosted(scheme).hash},
        by=by,
        now=NOW,
    )
    return judged(model, gain) if evaluated else model


def judged(model: Model, gain: tuple[int, int], over_scorecard: tuple[int, int] = (0, 0)) -> Model:
    """The model as an evaluation would leave it."""
    model.gain_low, model.gain_high = gain
    model.metrics = {
        **model.metrics,
        "report": {"verdict": {"earned": gain[0] > 0}},
        "over_scorecard": list(over_scorecard),
    }
    model.save()
    return model


# --- a town whose checks have something to teach ---------------------------------------------------------------------

QUARTERS = 16
FIRST = date(2022, 1, 1)
RECIPE = Recipe(
    scheme="inspection-record",
    features=(
        Feature("serious_slow_per_visit", "up", "who failed before fails again"),
        Feature("problems_year_per_visit", "up", "the newer the worse"),
        Feature("visits_3y", "none", "either way"),
    ),
    bins=6,
    least_share=0.03,
    l2=(2.0,),
    trees=Trees(rounds=10, learning_rate=0.2, leaves=4, least_rows=20, l2=5.0),
    grounds={},
    least_rows=200,
    least_positives=20,
)  # fmt: skip


def a_town(
    size: int = 60, quarters: int = QUARTERS, seed: int = 3, subjects: tuple[str, ...] = ("enterprise",)
) -> list[int]:
    """Entities of which a third is bad, each visited once a quarter; who is bad fails three times in five, others once."""
    rng = np.random.default_rng(seed)
    made = [registered(established=date(2010, 1, 1), subject=subjects[place % len(subjects)]) for place in range(size)]
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.cover("spot_check", "", date(2015, 1, 1), None, source="test")
    visited(made, FIRST, quarters, rng)
    return made


def visited(made: list[int], first: date, quarters: int, rng: np.random.Generator, *, turned: bool = False) -> None:
    """A routine visit of everybody in each quarter; with `turned` it is the others who fail."""
    said = []
    for number in range(quarters):
        start = date(first.year + (first.month - 1 + 3 * number) // 12, (first.month - 1 + 3 * number) % 12 + 1, 1)
        for place, entity in enumerate(made):
            bad = (place % 3 == 0) is not turned
            failed = bool(rng.random() < (0.6 if bad else 0.2))
            found = (
                {"serious_found": 1, "problems_found": int(rng.integers(0, 3))}
                if failed
                else {"serious_found": 0, "problems_found": 0}
            )
            said.append((entity, statement(
                "spot_check", checked_on=start + timedelta(days=int(rng.integers(0, 85))), purpose="routine",
                results=[{"code": "3" if failed else "1"}], document_no=f"检查〔{start.year}〕{number}-{place}-{turned}号", **found,
            )))  # fmt: skip
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        pen.state(said, source="test")
