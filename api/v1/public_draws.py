"""Draws before the public: every announcement, also of what became void, and the minutes once the task is closed."""

from typing import Any

from flask import Response

from api.auth import allowed
from api.blueprint import Blueprint, gives, takes
from api.schemas.common import PageQuery
from api.schemas.draws import PublicDrawFound, PublicDrawPage
from api.v1.draws import as_file
from registry.errors import BadCursor
from registry.services import draw_minutes, draw_views, draws
from registry.services.draws import DrawConflict, DrawNotFound

bp = Blueprint("public_draws", __name__, url_prefix="/api/v1/public", description="抽取公示 Draws before the public")

ONE = "/draws/<int(min=1, max=2147483647):number>"


@bp.get("/draws")
@allowed(public=True, counted=True)
@takes(PageQuery(), "query")
@gives(PublicDrawPage(), errors=[BadCursor])
def list_public_draws(query: dict[str, Any]) -> dict[str, Any]:
    """抽取公告 What was announced of every draw, newest first: organ, day, commitment, root, number of candidates. No key is needed."""
    found = draw_views.public_page(**query)
    return {"items": found.items, "next": found.next}


@bp.get(ONE)
@allowed(public=True, counted=True)
@gives(PublicDrawFound(), errors=[DrawNotFound])
def read_public_draw(number: int) -> dict[str, Any]:
    """抽取公示 One announcement and, once the task is closed, the public minutes without the list of commitments. No key is needed."""
    return draw_views.public_one(number)


@bp.get(f"{ONE}/minutes.json")
@allowed(public=True, counted=True)
@gives(None, errors=[DrawNotFound, DrawConflict], content_type="application/json")
def read_public_minutes(number: int) -> Response:
    """公开抽取记录 The public minutes as a file; docs/verify_draw.py checks them. Once the task is closed; no key is needed."""
    return as_file(draw_minutes.public_file(draws.get(number)), f"draw-{number}-public.json")
