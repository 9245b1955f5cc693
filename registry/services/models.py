"""Models and their place on the leash: trained, tried in the shadow, promoted by another person, retired.

A model never grades. What the champion says orders entities inside a class, warns, and suggests; `[model] use = "off"` ends
all of it. docs/model-operations.md tells the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from peewee import IntegrityError

from registry import clock, config, cursor, parameters
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import execute, is_postgres, write
from registry.errors import RegistryError
from registry.models import Model, ModelReport
from registry.page import Page
from registry.services import audit, book, model_openings
from registry.services.life import SameHands
from rules.model import ModelError
from rules.scheme import Scheme

if TYPE_CHECKING:
    from rules.model.bundle import Boosted, Calibration, Scorecard

STATES = {
    "trained": "已训练", "shadow": "影子运行", "challenger": "挑战者", "champion": "在用", "retired": "已停用", "refused": "不予采用",
}  # fmt: skip
FORMS = {"scorecard": "评分卡", "boosted": "提升树"}
# Scored every night: the champion with effect, the others beside it.
AT_WORK = ("champion", "shadow")
LONGEST_TEXT = 2_000
LONGEST_NAME = 64
# Paired differences of AUC are kept as whole numbers of this part.
PARTS = 100_000
# Key of the line from points to chances that an evaluation, and each report on a quarter, leaves for the quarter after it.
LINE = "calibration_line"
# Everything of a model but its bundle and its report, which are long.
HEAD = tuple(field for name, field in Model._meta.fields.items() if name not in ("bundle", "metrics"))


class ModelNotFound(RegistryError):
    """There is no such model."""

    code = "model_not_found"
    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(
            f"There is no model {number}. `xinheng model list` and GET /api/v1/models show those there are."
        )


class ModelConflict(RegistryError):
    """What was asked for does not follow from where the model stands."""

    code = "model_conflict"
    status = 409


class NotEarned(RegistryError):
    """The model has not shown on its hold-out that it beats what it would stand beside: rules stay."""

    code = "model_not_earned"
    status = 422


# --- reading -------------------------------------------------------------------------------------------------------


def champion(grades: str, settings: Settings | None = None) -> Model | None:
    """The model that serves the classes of a scheme; None where there is none, and where `[model] use` is off.

    `settings` default to those of the process. The bundle is loaded with it.
    """
    if (config.load() if settings is None else settings).model.use == "off":
        return None
    found = Model.get_or_none((Model.grades == grades) & (Model.state == "champion"))
    assert found is None or isinstance(found, Model)
    return found


def at_work(grades: str | None = None) -> list[Model]:
    """Models that are scored: champions first, then those in the shadow; of one scheme of classes, or of all."""
    query = Model.select().where(Model.state.in_(AT_WORK))
    if grades is not None:
        query = query.where(Model.grades == grades)
    return sorted(query, key=lambda one: (one.state != "champion", one.id))


def still(model: Model) -> bool:
    """Whether a model stands where it stood when it was read; whoever changes that waits for the transaction of the caller."""
    hold = " FOR SHARE" if is_postgres() else ""
    found = execute(f"SELECT state FROM model WHERE id = ?{hold}", (model.id,)).fetchone()  # noqa: S608 (ours)
    return found is not None and bool(found[0] == model.state)


def get(number: int) -> Model:
    """One model by its number. Raises ModelNotFound."""
    found = Model.get_or_none(Model.id == number)
    if found is None:
        raise ModelNotFound(number)
    assert isinstance(found, Model)
    return found


def page(*, state: str = "", grades: str = "", after: str | None = None, limit: int = 50) -> Page[Model]:
    """Models, newest first, without bundle and report. One query."""
    query = Model.select(*HEAD)
    for column, value in ((Model.state, state), (Model.grades, grades)):
        if value:
            query = query.where(column == value)
    if after is not None:
        query = query.where(Model.id < cursor.decode(after, int)[0])
    rows = list(query.order_by(Model.id.desc()).limit(limit + 1))
    return Page(rows[:limit], cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def bundle_of(model: Model) -> Scorecard | Boosted:
    """The bundle of a model as it was stored; read once per process. Raises ModelConflict where it is not what its hash says."""
    return _bundle(model.hash, model.bundle)


def bundle_at(model: Model, quarter: date | None = None) -> Scorecard | Boosted:
    """The bundle with the line from points to chances that stood on the first day of a quarter (None: the newest line).

    That of the report on the quarter before; before any report that of the evaluation, else that of the training. Points, and
    so the order of entities, are those of the stored bundle. Raises ModelConflict as :func:`bundle_of`.
    """
    stored = bundle_of(model)
    line = _line(model, quarter)
    return stored if line is None else replace(stored, calibration=line)


def _line(model: Model, quarter: date | None) -> Calibration | None:
    from rules.model.bundle import Calibration

    query = ModelReport.select(ModelReport.report).where(ModelReport.model == model.id)
    if quarter is not None:
        query = query.where(ModelReport.from_day < clock.day_number(quarter))
    newest = query.order_by(ModelReport.from_day.desc()).first()
    said = (model.metrics if newest is None else newest.report).get(LINE)
    return None if said is None else Calibration(float(said["slope"]), float(said["intercept"]))


@lru_cache(8)
def _bundle(digest: str, text: str) -> Scorecard | Boosted:
    from rules.model.bundle import from_json

    try:
        found = from_json(text)
    except ModelError as error:
        raise _changed(digest, "it is no bundle any more") from error
    if found.hash != digest:
        raise _changed(digest, f"it hashes to {found.hash[:12]}")
    return found


def _changed(digest: str, how: str) -> ModelConflict:
    return ModelConflict(f"The bundle of model {digest[:12]} was changed: {how}. Restore the database, or retire it.")


def scheme_of(model: Model) -> Scheme:
    """The feature scheme as it was when the model was trained, whatever the book says today. Raises UnknownScheme."""
    digest = bundle_of(model).scheme_hash
    row = execute("SELECT id FROM scheme_version WHERE hash = ?", (digest,)).fetchone()
    return book.scheme_of_version(0 if row is None else int(row[0]))


def beside(model: Model) -> Model | None:
    """The other model of the same training: of a scorecard its boosted challenger, of a challenger its scorecard."""
    found = Model.get_or_none(Model.hash == model.metrics.get("beside"))
    assert found is None or isinstance(found, Model)
    return found


def report_of(model: Model) -> dict[str, Any] | None:
    """What the evaluation on the hold-out gave; None before it was evaluated."""
    found: dict[str, Any] | None = model.metrics.get("report")
    return found


def as_dict(model: Model) -> dict[str, Any]:
    """A model as lists show it."""
    return {
        "id": model.id, "name": model.name, "form": model.form, "hash": model.hash, "features": model.features, "grades": model.grades,
        "state": model.state, "gain": {"low": model.gain_low / PARTS, "high": model.gain_high / PARTS},
        "known_seq": model.known, "trained_by": model.trained_by, "trained_at": clock.moment_text(model.trained_at),
        "decided_by": model.decided_by, "decided_at": _moment(model.decided_at), "retired_by": model.retired_by,
        "retired_at": _moment(model.retired_at), "retired_why": model.retired_why,
    }  # fmt: skip


def shown(model: Model) -> dict[str, Any]:
    """A model with its window, outcome, report and the other one of its training. Raises ModelConflict as :func:`bundle_of`."""
    bundle_of(model)
    said = orjson.loads(model.bundle)
    other = beside(model)
    names = ("window", "outcome", "rule", "rows", "positives", "scheme", "scheme_hash", "seed", "versions")
    return {
        **as_dict(model), **{name: said.get(name) for name in names}, "beside": None if other is None else other.id,
        "leaks": model.metrics.get("leaks"), "report": report_of(model), "look": look_of(model),
    }  # fmt: skip


def look_of(model: Model) -> dict[str, Any] | None:
    """The look at the hold-out on which the report of a model rests: whether it was the `first` of its release (what was seen
    before is no proof), why it was taken otherwise, and which it is (`opening`). None before it was evaluated."""
    if report_of(model) is None:
        return None
    found = model_openings.of_models([model.hash, model.metrics.get("beside") or model.hash])
    return None if found is None else {"opening": found.id, "first": found.first, "why": found.why}


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else clock.moment_text(milliseconds)


# --- verbs ---------------------------------------------------------------------------------------------------------


def keep(
    bundle: Scorecard | Boosted, *, challenger: bool, grades: str, known: int, metrics: dict[str, Any], by: str, now: int
) -> tuple[Model, bool]:  # fmt: skip
    """Store what a training made, not evaluated yet (its gain is 0). Inside the transaction of the training.

    Safe to repeat: the same bundle is returned as it stands (second value False).
    """
    held = Model.get_or_none(Model.hash == bundle.hash)
    if held is not None:
        return held, False
    try:
        with write():
            made = Model.create(
                name=bundle.name[:LONGEST_NAME], form="boosted" if challenger else "scorecard", hash=bundle.hash, bundle=bundle.to_json(),
                features=bundle.scheme, grades=grades, state="challenger" if challenger else "trained", gain_low=0, gain_high=0,
                metrics=metrics, known=known, trained_by=by, trained_at=now,
            )  # fmt: skip
            _note("trained", made, by, now, known=known)
            return made, True
    except IntegrityError:
        # Another training has stored the same at the same time.
        return Model.get(Model.hash == bundle.hash), False


def shadow(number: int, *, by: str, now: int) -> tuple[Model, bool]:
    """Score a model beside the champion, without any effect. Safe to repeat.

    Raises ModelNotFound; ModelConflict for a champion or one that was retired.
    """
    with write():
        model = _locked(number)
        if model.state == "shadow":
            return model, False
        if model.state not in ("trained", "challenger"):
            raise ModelConflict(
                f"Model {number} is {_said(model)}, and only one that was trained is put into the shadow."
            )
        model.state, model.decided_by, model.decided_at = "shadow", by, now
        model.save()
        _note("shadowed", model, by, now)
        return model, True


def promote(number: int, *, settings: Settings, by: str, now: int) -> tuple[Model, bool]:
    """Make a model the champion of its scheme of classes, as another person than trained it. Safe to repeat.

    The champion before it retires in the same transaction, its chances and raises end, and its warnings that nobody has taken
    on close; the new one has effect from its first scoring on. Raises ModelNotFound, SameHands; NotEarned, with the interval,
    unless the paired 95 % interval of its AUC over the fitted rules lies above zero (of a boosted one: over its scorecard above
    the stated margin, too); ModelConflict for one that was retired, or while `[model] use` is off.
    """
    with write():
        model = _locked(number)
        if model.state == "champion":
            return model, False
        _promotable(model, settings, by, now)
        bundle_of(model)
        before = Model.get_or_none((Model.grades == model.grades) & (Model.state == "champion"))
        if before is not None:
            _retire(before, f"Replaced by model {number}.", by, now)
        model.state, model.decided_by, model.decided_at = "champion", by, now
        model.save()
        look = look_of(model)
        _note(
            "promoted", model, by, now, gain_low=model.gain_low, gain_high=model.gain_high, first_look=bool(look and look["first"])
        )  # fmt: skip
    if before is not None:
        _without_effect(before, settings, now, served=True)
    return model, True


def retire(number: int, *, why: str, settings: Settings, by: str, now: int) -> tuple[Model, bool]:
    """Take a model off for good, as another person than trained it (or the watch job). Safe to repeat.

    Of a champion every chance is cleared, every raise ends, and every warning that nobody has taken on closes, in transactions
    of their own: asked again, what was left over is done. Raises ModelNotFound, SameHands; ModelConflict without a reason.
    """
    said = mask_personal(why).strip()[:LONGEST_TEXT]
    with write():
        model = _locked(number)
        fresh, served = model.state != "retired", model.state == "champion"
        if fresh:
            if not said:
                raise ModelConflict("Say why the model retires: its place in the records is all that is left of it.")
            _other_hands(model, by)
            _retire(model, said, by, now)
    _without_effect(model, settings, now, served=served)
    return model, fresh


def settle(settings: Settings, now: int) -> bool:
    """Where `[model] use` is off, clear every chance and close every warning that nobody has taken on; returns whether it is.

    Safe to repeat: for the start of the server and of the worker, and for the nightly scoring. (Raises end by
    :func:`registry.services.raises.settle`.)
    """
    from registry.services import early_warnings, model_scores

    if settings.model.use == "on":
        return False
    model_scores.clear()
    early_warnings.settle(settings, now)
    return True


def _promotable(model: Model, settings: Settings, by: str, now: int) -> None:
    if model.state not in ("trained", "shadow", "challenger"):
        raise ModelConflict(f"Model {model.id} is {_said(model)}. Train a new one: `xinheng model train`.")
    if settings.model.use == "off":
        raise ModelConflict('Models are switched off here: [model] use = "off". Switch them on first, then promote.')
    _other_hands(model, by)
    if report_of(model) is None:
        raise NotEarned(
            f"Model {model.id} was not evaluated on its hold-out: rules stay. Evaluate it first: xinheng model evaluate {model.id}."
        )
    if model.gain_low <= 0:
        raise NotEarned(
            f"Model {model.id} has not earned its place: its gain in AUC over the fitted rules is {_interval(model.gain_low, model.gain_high)} "
            "(95 %, paired), and the lower end must lie above zero. Rules stay 维持规则."
        )
    if model.form == "boosted":
        _beats_its_scorecard(model, now)


def _beats_its_scorecard(model: Model, now: int) -> None:
    margin = parameters.shipped("model_operations")["challenger_margin"].on(clock.day_of(now // 86_400_000)).value
    low, high = model.metrics.get("over_scorecard") or (0, 0)
    if low <= margin:
        raise NotEarned(
            f"Model {model.id} is a boosted challenger: its gain in AUC over its scorecard is {_interval(low, high)} (95 %, paired), and "
            f"the lower end must lie above {margin / PARTS:.5f}. Promote the scorecard, whose points can be read: "
            f"model {getattr(beside(model), 'id', '–')}."
        )


def _interval(low: int, high: int) -> str:
    return f"{low / PARTS:+.4f} to {high / PARTS:+.4f}"


def _other_hands(model: Model, by: str) -> None:
    if model.trained_by == by:
        raise SameHands(
            f"{by} trained model {model.id}. Another person promotes or retires it: under another account of this machine, or over the "
            "API with a key that may approve models (models:approve)."
        )


def _retire(model: Model, why: str, by: str, now: int) -> None:
    model.state, model.retired_by, model.retired_at, model.retired_why = "retired", by, now, why
    model.save()
    _note("retired", model, by, now, why=why)


def _without_effect(model: Model, settings: Settings, now: int, *, served: bool) -> None:
    """End what a retired model had set: its scores, its chances where it was the champion, its raises, and its warnings that
    nobody has taken on."""
    from registry.services import early_warnings, model_scores, raises

    model_scores.forget(model)
    # Asked again, what was left over of it is cleared, but not what another champion has said since.
    if served or not Model.select().where((Model.grades == model.grades) & (Model.state == "champion")).exists():
        model_scores.clear(model.grades)
    raises.end_all_of(model, model.retired_why, settings=settings, now=now)
    early_warnings.close_all_of(model, model.retired_why, now)


def _locked(number: int) -> Model:
    """The model, held until the transaction ends: who scores with it meanwhile waits, and then finds its new state."""
    if is_postgres():
        # With all that serve the same classes, in one order: two who promote at once come one after the other.
        others = "SELECT grades FROM model WHERE id = ?"
        execute(f"SELECT 1 FROM model WHERE grades = ({others}) ORDER BY id FOR UPDATE", (number,))  # noqa: S608 (ours)
    return get(number)


def _said(model: Model) -> str:
    why = f" ({model.retired_why})" if model.state == "retired" and model.retired_why else ""
    return f"{model.state} {STATES[model.state]}{why}"


def _note(verb: str, model: Model, by: str, now: int, **detail: Any) -> None:
    audit.note(f"model.{verb}", actor=by, subject=f"model {model.id}", now=now, hash=model.hash, **detail)


__all__: Sequence[str] = (
    "AT_WORK", "FORMS", "LINE", "PARTS", "STATES", "Model", "ModelConflict", "ModelNotFound", "NotEarned", "as_dict", "at_work", "beside",
    "bundle_at", "bundle_of", "champion", "get", "keep", "page", "promote", "report_of", "retire", "scheme_of", "settle", "shadow", "shown", "still",
)  # fmt: skip
