"""Why a model says what it says of an entity: the heaviest of its contributions, in points."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from registry import clock
from registry.models import Model
from registry.services import frames, given, ledger, models
from rules.engine import facts_needed

# More than three reasons nobody reads; the points of all are in the explanation.
MOST = 3


def heaviest(model: Model, entities: Sequence[int], today: date) -> dict[int, list[dict[str, Any]]]:
    """For each of these entities the features that weigh most against it, as of today and all that is known now.

    At most three, the heaviest first: `feature` (id), `title` (zh, en), `value` (null: unknown), `points`, and `over`, how many
    points that is above the least that the feature can give (of boosted trees: above the mean). Entities that the features' scheme does not cover are left out.
    """
    from rules.model.features import features
    from rules.model.score import contributions

    scheme, known, day = models.scheme_of(model), ledger.head(), clock.day_number(today)
    everyone = frames.population_of(entities, known).filter(pl.col("subject").is_in(scheme.subjects))
    facts = frames.facts_of(entities, facts_needed(scheme), known)
    beside = given.about(scheme, entities, known=known, day=day)
    frame = features(
        everyone.with_columns(day=pl.lit(day, pl.Int32)), facts, frames.coverage(known), scheme, beside
    )  # fmt: skip
    titles = {name: one.title for name, one in scheme.indicators.items()}
    told = contributions(models.bundle_at(model), frame, titles)
    # Of trees the least points of a feature are a bound that no entity may reach: what moved it away from the mean counts.
    exact = model.form == "scorecard"
    return {entity: _against(parts, exact) for entity, parts in zip(frame["entity"], told, strict=True)}


def _against(parts: Sequence[dict[str, Any]], exact: bool) -> list[dict[str, Any]]:
    weighed = [(one["points"] - (one["low"] if exact else 0), one) for one in parts]
    weighed.sort(key=lambda pair: (-pair[0], pair[1]["feature"]))
    return [
        {"feature": one["feature"], "title": one["title"], "value": one["value"], "points": one["points"], "over": over}
        for over, one in weighed[:MOST]
        if over > 0
    ]
