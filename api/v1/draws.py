"""Draws by lot 随机抽取: committed to, drawn, changed by recusals; strata for readers of classes only."""

import secrets
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, own_organ
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import IdempotencyKeyMissing
from api.schemas import draws as shapes
from api.schemas.common import PageQuery
from registry.errors import BadCursor, IdempotencyConflict, TaskNotFound
from registry.kinds.licence import SUBJECTS as LICENCES
from registry.models import Draw
from registry.services import draw_minutes, draw_recusals, draw_running, draw_views, draws, tasks
from registry.services.draw_planning import QuotaRefused
from registry.services.draws import DrawConflict, DrawNotFound, DrawRefused, Filters, NoTeam, NothingToDraw, Prepared
from registry.services.frequency import PlanTooLarge
from registry.services.inspectors import InspectorNotFound
from registry.services.labels import UnknownLabel
from registry.services.tasks import Desk, TaskElsewhere, TaskNotApproved
from registry.services.visits import VisitConflict, VisitNotFound
from rules.draw import SECRET_BYTES

bp = Blueprint("draws", __name__, url_prefix="/api/v1", description="随机抽取 Draws by lot")

ONE = "/draws/<int(min=1, max=2147483647):number>"


@bp.post("/draws")
@allowed("draws:make", "grades:read")
@bp.doc(**idempotency.document(required=True))
@takes(shapes.DrawIn(), example={"task": 1, "division": "9901", "labels": ["food_producers"], "ratios": {"C": 3000}})
@gives(
    shapes.DrawOut(), 201, also=200,
    errors=[
        TaskNotFound, TaskNotApproved, TaskElsewhere, DrawConflict, DrawRefused, NothingToDraw, QuotaRefused, PlanTooLarge, NoTeam,
        UnknownLabel, IdempotencyKeyMissing, IdempotencyConflict,
    ],
)  # fmt: skip
def commit_draw(given: dict[str, Any]) -> Response:
    """承诺抽取 Freeze the candidates of a task, commit to them and to a secret seed, and announce both. Needs the header Idempotency-Key.

    Everybody sees the announcement at once under /public/draws. Candidates are never filtered by class.
    """
    at, who, desk = here(), caller(), _desk()

    def prepare() -> Prepared:
        filters = Filters(
            given["division"], given["industry"], given["kind"], tuple(given["labels"]),
            tuple(LICENCES.terms[name].number for name in given["licences"]), who.divisions,
        )  # fmt: skip
        return draws.prepare(
            tasks.seen(given["task"], organ=own_organ()), filters, given["ratios"], scheme=at.scheme,
            salt=secrets.token_bytes(SECRET_BYTES), settings=at.settings, desk=desk, strata=given["strata"], algorithm=given["algorithm"],
        )  # fmt: skip

    def act(prepared: Prepared) -> tuple[dict[str, Any], int]:
        made, new = draws.announce(prepared, seed=secrets.token_bytes(SECRET_BYTES), desk=desk)
        return _dumped(made), 201 if new else 200

    return idempotency.once(prepare, act, required=True)


@bp.get("/draws")
@allowed("draws:make")
@takes(PageQuery(), "query")
@gives(shapes.DrawPage(), errors=[BadCursor])
def list_draws(query: dict[str, Any]) -> dict[str, Any]:
    """抽取列表 Draws under tasks of the key's organ, in its divisions, newest first, without strata. A page may hold fewer than `limit`."""
    found = draw_views.page(organ=own_organ(), divisions=caller().divisions, **query)
    return {"items": found.items, "next": found.next}


@bp.get(ONE)
@allowed("draws:make")
@gives(shapes.DrawOut(), errors=[DrawNotFound])
def read_draw(number: int) -> dict[str, Any]:
    """抽取详情 One draw; filters, strata and workload only for a key that may read grades."""
    return draw_views.one(_visible(number), classes=caller().may("grades:read"))


@bp.post(f"{ONE}/run")
@allowed("draws:make", "grades:read")
@bp.doc(**idempotency.document())
@takes(shapes.DrawRunIn(), example={"witness": "纪检监察室某某于公告后掷得 4 1 6 6 3 2"})
@gives(
    shapes.DrawOut(), 201, also=200,
    errors=[DrawNotFound, TaskNotApproved, TaskElsewhere, DrawConflict, DrawRefused, NoTeam, IdempotencyConflict],
)  # fmt: skip
def run_draw(given: dict[str, Any], number: int) -> Response:
    """抽取 Draw, once a witness has spoken: list, visits and inspectors follow. The words are bound for ever. Safe to repeat."""

    def act() -> tuple[dict[str, Any], int, bool]:
        made, new = draw_running.run(
            _visible(number).id, witness=given["witness"], token_seed=secrets.token_bytes(SECRET_BYTES), desk=_desk()
        )
        return _dumped(made), 201 if new else 200, True

    return idempotency.at_the_end(act)


@bp.post(f"{ONE}/recusals")
@allowed("draws:make")
@bp.doc(**idempotency.document())
@takes(shapes.RecusalIn(), example={"visit": 12, "inspector": 3, "why": "系被检查企业负责人近亲属"})
@gives(
    shapes.RoundOut(), 201, also=200,
    errors=[
        DrawNotFound, VisitNotFound, InspectorNotFound, TaskNotApproved, DrawConflict, VisitConflict, DrawRefused, NoTeam,
        IdempotencyConflict,
    ],
)  # fmt: skip
def recuse_inspector(given: dict[str, Any], number: int) -> Response:
    """回避 An inspector leaves the day's work that holds a visit; another is drawn by the same key, on record. Safe to repeat."""

    def act() -> tuple[dict[str, Any], int, bool]:
        made, new = draw_recusals.recuse(_visible(number).id, **given, desk=_desk())
        body: dict[str, Any] = shapes.RoundOut().dump(draw_views.round_of(made))
        return body, 201 if new else 200, True

    return idempotency.at_the_end(act)


@bp.post(f"{ONE}/void")
@allowed("draws:make", "grades:read")
@bp.doc(**idempotency.document())
@takes(shapes.DrawVoidIn(), example={"reason": "候选名单遗漏两个街道，重新抽取。"})
@gives(
    shapes.DrawOut(),
    201,
    also=200,
    errors=[DrawNotFound, TaskElsewhere, DrawConflict, DrawRefused, IdempotencyConflict],
)
def void_draw(given: dict[str, Any], number: int) -> Response:
    """作废 Declare a draw void before its witness has spoken, with a reason that the public reads. Safe to repeat."""

    def act() -> tuple[dict[str, Any], int, bool]:
        made, new = draws.void(_visible(number).id, **given, desk=_desk())
        return _dumped(made), 201 if new else 200, True

    return idempotency.at_the_end(act)


@bp.get(f"{ONE}/minutes.json")
@allowed("draws:audit", "grades:read")
@gives(None, errors=[DrawNotFound, DrawConflict], content_type="application/json")
def read_full_minutes(number: int) -> Response:
    """内部抽取记录 The full minutes, to the byte whose digest stands on the ledger; docs/verify_draw.py replays them."""
    return as_file(draw_minutes.full_file(_visible(number)), f"draw-{number}-full.json")


def as_file(content: bytes, name: str) -> Response:
    response = Response(content, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _desk() -> Desk:
    at, who = here(), caller()
    return Desk(who.actor, own_organ(), at.today(), at.now())


def _visible(number: int) -> Draw:
    return draws.get(number, organ=own_organ(), divisions=caller().divisions)


def _dumped(made: Draw) -> dict[str, Any]:
    body: dict[str, Any] = shapes.DrawOut().dump(draw_views.one(made, classes=True))
    return body
