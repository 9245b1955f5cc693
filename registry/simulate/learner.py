"""The model of a simulated office: trained on what was on record before the first month, set right each quarter, fitted again each year."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from registry.clock import day_of
from registry.sample.latent import Ints
from registry.simulate.projected import CHECK, DETAIL, ROUTINE
from registry.simulate.world import District, context
from rules.given import Given
from rules.model import recalibration
from rules.model import recipe as recipes
from rules.model.features import features
from rules.model.recipe import Recipe
from rules.model.score import score
from rules.model.training import TrainingError
from rules.model.units import Outcome, UnitRule, quarters, units, with_features
from rules.scheme import Scheme

if TYPE_CHECKING:
    from rules.model.bundle import Scorecard

OUTCOME, RULE = Outcome(), UnitRule((0, ROUTINE))
# Quarters behind a training at most, and those of them that calibrate.
QUARTERS, CALIBRATING = 8, 2
# Months after which the line from points to chances is set right, and after which the model is fitted again.
QUARTER, YEAR = 3, 12


@dataclass(slots=True)
class Learner:
    """Trains and scores as the product does. ``notes`` says of each training what it saw, or why there was no model."""

    of: District
    scheme: Scheme
    seed: int
    recipe: Recipe = field(default_factory=recipes.load)
    bundle: Scorecard | None = None
    notes: list[dict[str, object]] = field(default_factory=list)

    def begin(self, month: int, facts: pl.DataFrame) -> None:
        """What happens on the first day of a month, ``facts`` being known: a fit at first and each year, a new line each quarter."""
        since = month - self.of.lead
        if since % YEAR == 0:
            self._train(month, facts)
        elif since % QUARTER == 0 and self.bundle is not None:
            self._line(self.bundle, month, facts)

    def chances(self, day: int, facts: pl.DataFrame, given: Given, who: pl.DataFrame) -> Ints:
        """Chance in millionths for every entity of the district on a day; 0 for whom nothing is said, and without a model.

        Parameters
        ----------
        who : the population of that day
        """
        found = np.zeros(len(self.of), np.int64)
        if self.bundle is None or not who.height:
            return found
        said = score(self.bundle, features(who, facts, self.of.coverage, self.scheme, given))
        found[said["entity"].to_numpy() - 1] = said["chance"].fill_null(0).to_numpy()
        return found

    def _train(self, month: int, facts: pl.DataFrame) -> None:
        from rules.model.bundle import Window
        from rules.model.scorecard import fit

        end = self.of.months[month]
        periods = quarters(day_of(self.of.months[0]), day_of(end))[-QUARTERS:]
        table = self._table(facts, periods)
        split = periods[-CALIBRATING][0]
        learnt, calibrate = table.filter(pl.col("period") < split), table.filter(pl.col("period") >= split)
        note: dict[str, object] = {
            "on": day_of(end).isoformat(), "visits": table.height, "failures": int(table["y"].sum()),
        }  # fmt: skip
        # As the product: what had one value in training teaches nothing, and what it says later was never seen.
        used = dataclasses.replace(
            self.recipe,
            features=tuple(one for one in self.recipe.features if learnt[one.id].drop_nulls().n_unique() > 1),
        )
        try:
            self.bundle = fit(
                learnt,
                used,
                calibrate=calibrate,
                window=Window(periods[0][0], split, split, end, end, end + 1),
                outcome=OUTCOME,
                rule=RULE,
                seed=self.seed,
                scheme_hash=self.scheme.hash,
            )
            note |= {"features": len(used.features), "model": self.bundle.hash[:12]}
        except TrainingError as error:
            # An office without a model orders by class and score; one that has one goes on with it.
            note["refused"] = str(error)
        self.notes.append(note)

    def _line(self, bundle: Scorecard, month: int, facts: pl.DataFrame) -> None:
        table = self._table(facts, [(self.of.months[month - QUARTER], self.of.months[month])])
        scored = table.select("period", "y", points=score(bundle, table)["points"])
        line = recalibration.later(scored, bundle.points_per_doubling, bundle.calibration)
        self.bundle = dataclasses.replace(bundle, calibration=line)

    def _table(self, facts: pl.DataFrame, periods: list[tuple[int, int]]) -> pl.DataFrame:
        """Units of some periods with their features, each under the context of its freeze day."""
        chosen = units(facts.filter(pl.col("kind").is_in((CHECK, DETAIL))), OUTCOME, RULE, periods)
        parts = []
        for first, _ in periods:
            part = chosen.filter(pl.col("period") == first)
            own = facts.join(part.select("entity").unique(), on="entity", how="semi")
            given = context(self.of, facts, first)
            parts.append(with_features(part, self.of.population, own, self.of.coverage, self.scheme, given))
        return pl.concat(parts)
