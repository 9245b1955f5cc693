"""What a model says of one entity beside its grade: chance, points, contributions, and what came of it; or why it says nothing."""

from datetime import date
from typing import Any

import polars as pl

from registry import clock
from registry.config import Settings
from registry.errors import UnknownScheme
from registry.models import EarlyWarning, Entity, GradeRaise, Model
from registry.services import frames, given, model_scores, models, raises
from rules.engine import facts_needed
from rules.explain import Explanation
from rules.model import ModelError

# Why a model says nothing, or nothing can be told of what it says.
SILENT: dict[str, dict[str, str]] = {
    "past": {"zh": "所问为过去：模型只说明当前评定", "en": "The past is asked about: a model speaks of the grade that stands"},
    "off": {"zh": "模型已停用（[model] use = \"off\"）", "en": "Models are switched off ([model] use = \"off\")"},
    "no_champion": {"zh": "该方案没有在用的模型，仅由规则决定", "en": "No model serves this scheme: rules alone decide"},
    "not_scored": {"zh": "该主体尚未评估或者不在模型范围内", "en": "The entity was not scored yet, or lies outside the model's scheme"},
    "no_ground": {"zh": "数据不足，模型不作判断", "en": "There is not enough on record: the model has no ground to judge"},
}  # fmt: skip
# Why it raises nothing, whatever its chance.
UNRAISED: dict[str, dict[str, str]] = {
    "veto": {"zh": "已由否决规则决定，模型不起作用", "en": "A veto has decided the class: the model does nothing against it"},
    "override": {"zh": "已由人工认定，模型不起作用", "en": "A person has set the class: the model does nothing against it"},
    "worst": {"zh": "已是最差一级", "en": "It is in the worst class already"},
}  # fmt: skip


def of(
    entity: Entity, found: Explanation, *, worst: str, settings: Settings, asked_past: bool = False
) -> dict[str, Any]:
    """What the champion of the explained scheme, whose worst class is `worst`, says of an entity, for who may read grades.

    Returns
    -------
    dict
        ``why_not`` (a key of SILENT) and its words ``said``, null where the model speaks; then ``name``, ``hash``, ``form``,
        ``on`` and ``known_seq`` (day and knowledge of the score), ``chance`` (millionths; null without ground), ``points``,
        ``base`` and ``contributions`` (:func:`rules.model.score.contributions`: they and the base sum to the points exactly,
        the heaviest first; null where they cannot be worked out again), and ``effect``: ``orders`` (whether the chance
        orders lists), ``warning`` (number of an open early warning), ``raise`` (id, standing and ledger number of what it
        suggested and that stands), ``not_raised`` (a key of UNRAISED) and its words.
    """
    if asked_past:
        return _silent("past")
    if settings.model.use == "off":
        return _silent("off")
    model = models.champion(found.scheme, settings)
    if model is None:
        return _silent("no_champion")
    told = {"name": model.name, "hash": model.hash, "form": model.form}
    scored = model_scores.of(model, entity.id)
    if scored is None:
        return _silent("not_scored") | told
    parts = _contributions(model, entity, scored)
    body = {
        **(_silent("no_ground") if scored["chance"] is None else {"why_not": None, "said": None}), **told, "on": scored["day"],
        "known_seq": scored["known_seq"], "chance": scored["chance"], "points": scored["points"], "base": None, "contributions": None,
        "effect": _effect(model, entity, found, worst, scored["chance"]),
    }  # fmt: skip
    if parts is not None:
        body["base"], body["contributions"] = parts
    return body


def _silent(why: str) -> dict[str, Any]:
    return {"why_not": why, "said": SILENT[why]}


def _contributions(model: Model, entity: Entity, scored: dict[str, Any]) -> tuple[int, list[dict[str, Any]]] | None:
    """The points before any feature and those of each feature, worked out again as of the score; None where they are not
    what was stored: the registration, or what a feed covered, was told otherwise since, or the bundle was changed."""
    from rules.model.features import features
    from rules.model.score import base_of, contributions

    try:
        bundle, scheme = models.bundle_at(model), models.scheme_of(model)
    except (models.ModelConflict, UnknownScheme):
        return None
    known = scored["known_seq"]
    day = clock.day_number(date.fromisoformat(scored["day"]))
    population = frames.population_as_known(entity.id, known).with_columns(day=pl.lit(day, pl.Int32))
    facts = frames.facts_of([entity.id], facts_needed(scheme), known)
    beside = given.about(scheme, [entity.id], known=known, day=day)
    try:
        told = contributions(
            bundle,
            features(population, facts, frames.coverage(known), scheme, beside),
            {name: one.title for name, one in scheme.indicators.items()},
        )
    except ModelError:
        return None
    base = base_of(bundle)
    if not told or base + sum(one["points"] for one in told[0]) != scored["points"]:
        return None
    return base, sorted(told[0], key=lambda one: (-one["points"], one["feature"]))


def _effect(model: Model, entity: Entity, found: Explanation, worst: str, chance: int | None) -> dict[str, Any]:
    warning = EarlyWarning.get_or_none((EarlyWarning.entity == entity.id) & (EarlyWarning.state != "closed"))
    row = GradeRaise.get_or_none(
        (GradeRaise.entity == entity.id)
        & (GradeRaise.scheme == found.scheme)
        & GradeRaise.state.in_(raises.STANDING)
        & (GradeRaise.model == model.id)
    )
    why = raises.why_not(raises.Outcome(found.class_, found.class_ == worst, found.decided_by or ""))
    return {
        "orders": chance is not None,
        "warning": None if warning is None else warning.id,
        "raise": None if row is None else {"id": row.id, "state": row.state, "seq": row.known},
        "not_raised": why if why in UNRAISED else None,
        "why_not_raised": UNRAISED.get(why),
    }
