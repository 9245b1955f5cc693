"""Models: what there is, how each did, and the verbs of its place on the leash. As secret as the class."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import InvalidRequest
from api.schemas.models import (
    ModelOut,
    ModelPage,
    ModelShownOut,
    ModelsQuery,
    NoBody,
    OpeningPage,
    OpeningsQuery,
    RatesOut,
    RatesQuery,
    RetireIn,
)
from registry.errors import BadCursor, IdempotencyConflict, UnknownScheme
from registry.models import Model
from registry.services import grading, model_cards, model_openings, model_watch, models, rates
from registry.services.life import SameHands
from registry.services.model_cards import NotEvaluated
from registry.services.models import ModelConflict, ModelNotFound, NotEarned

bp = Blueprint("models", __name__, url_prefix="/api/v1", description="模型 Models")

ONE = "/models/<int(min=1, max=2147483647):number>"
ERRORS = [ModelNotFound, ModelConflict, SameHands, IdempotencyConflict]


@bp.get("/models")
@allowed("models:read", "grades:read")
@takes(ModelsQuery(), "query")
@gives(ModelPage(), errors=[BadCursor])
def list_models(query: dict[str, Any]) -> dict[str, Any]:
    """模型列表 Models, newest first: form, state, and the gain over the fitted rules on the hold-out."""
    found = models.page(**query)
    return {"items": [models.as_dict(row) for row in found.items], "next": found.next}


@bp.get(ONE)
@allowed("models:read", "grades:read")
@gives(ModelShownOut(), errors=[ModelNotFound, ModelConflict])
def read_model(number: int) -> dict[str, Any]:
    """模型详情 One model: window, outcome, evaluation on the hold-out, and the quarters that were watched since."""
    model = models.get(number)
    return {**models.shown(model), "quarters": [one.as_dict() for one in model_watch.reports(model)]}


@bp.get(f"{ONE}/card.html")
@allowed("models:read", "grades:read")
@gives(None, content_type="text/html", errors=[ModelNotFound, NotEvaluated])
def read_card(number: int) -> Response:
    """模型卡 The model card as one page with its pictures: calibration, capture curve, distribution by class, contributions."""
    return Response(model_cards.html(models.get(number)), mimetype="text/html")


@bp.get("/models/openings")
@allowed("models:read", "grades:read")
@takes(OpeningsQuery(), "query")
@gives(OpeningPage(), errors=[BadCursor])
def list_openings(query: dict[str, Any]) -> dict[str, Any]:
    """测试期查看记录 Looks at test periods, newest first: the one that a release is allowed, and every further one with its reason."""
    found = model_openings.page(**query)
    return {"items": [model_openings.as_dict(row) for row in found.items], "next": found.next}


@bp.post(f"{ONE}/shadow")
@allowed("models:train", "grades:read")
@bp.doc(**idempotency.document())
@takes(NoBody(), example={})
@gives(ModelOut(), 201, also=200, errors=ERRORS)
def shadow_model(_: dict[str, Any], number: int) -> Response:
    """影子运行 Score with the model beside the champion, without any effect. Safe to repeat."""
    return _verb(lambda: models.shadow(number, by=caller().actor, now=here().now()))


@bp.post(f"{ONE}/promote")
@allowed("models:approve", "grades:read")
@bp.doc(**idempotency.document())
@takes(NoBody(), example={})
@gives(ModelOut(), 201, also=200, errors=[*ERRORS, NotEarned])
def promote_model(_: dict[str, Any], number: int) -> Response:
    """启用模型 Make the model the champion, as another person than trained it; it orders, warns and suggests from its first scoring on.

    Refused unless it has earned its place: the paired 95 % interval of its AUC over the fitted rules lies above zero.
    """
    return _at_the_end(lambda: models.promote(number, settings=here().settings, by=caller().actor, now=here().now()))


@bp.post(f"{ONE}/retire")
@allowed("models:approve", "grades:read")
@bp.doc(**idempotency.document())
@takes(RetireIn(), example={"reason": "检查口径已变，需重新训练。"})
@gives(ModelOut(), 201, also=200, errors=ERRORS)
def retire_model(given: dict[str, Any], number: int) -> Response:
    """停用模型 Take the model off for good, as another person than trained it: its chances are cleared, its raises end."""
    return _at_the_end(
        lambda: models.retire(
            number, why=given["reason"], settings=here().settings, by=caller().actor, now=here().now()
        )
    )


@bp.get("/statistics/rates")
@allowed("models:read", "grades:read")
@takes(RatesQuery(), "query")
@gives(RatesOut(), errors=[UnknownScheme])
def failure_rates(query: dict[str, Any]) -> dict[str, Any]:
    """问题发现率 Failure rates per class, estimated without bias from checks whose inclusion probability is stored, in the key's divisions."""
    at = here()
    last = query["last"] or at.today()
    first = query["first"] or last - timedelta(days=365)
    if first > last:
        raise InvalidRequest({"from": [f"{first} lies after `to`, {last}. Give the earlier day first."]})
    scheme = grading.scheme_named(at.settings, query["scheme"] or None)
    items = rates.by_class(scheme, first, last, caller().divisions)
    return {"scheme": scheme.id, "from": first.isoformat(), "to": last.isoformat(), "items": items}


def _verb(verb: Callable[[], tuple[Model, bool]]) -> Response:
    def act(_: None) -> tuple[dict[str, Any], int]:
        row, new = verb()
        return ModelOut().dump(models.as_dict(row)), 201 if new else 200

    return idempotency.once(lambda: None, act)


def _at_the_end(verb: Callable[[], tuple[Model, bool]]) -> Response:
    """For verbs that end what a model had set in many short transactions: inside one, everybody would wait for all of it."""

    def act() -> tuple[dict[str, Any], int, bool]:
        row, new = verb()
        return ModelOut().dump(models.as_dict(row)), 201 if new else 200, True

    return idempotency.at_the_end(act)
