"""What another scheme would do 方案比对, over HTTP: asked, worked out, answered; nothing is kept."""

from collections.abc import Sequence
from typing import Any

from flask import Response

from api import problems
from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.comparisons import ComparisonIn, ComparisonOut
from registry.errors import SchemeNotInForce, UnknownScheme
from registry.services import book, whatif
from registry.services.whatif import RETRY_AFTER, ComparisonRunning

bp = Blueprint("comparisons", __name__, url_prefix="/api/v1", description="方案比对 What another scheme would do")
EXAMPLE = {"old": "general-risk", "new": "proposal:7", "on": "2026-12-01", "divisions": ["9901"], "movers": 50}


@bp.post("/schemes/comparisons")
@allowed("grades:read")
@takes(ComparisonIn(), example=EXAMPLE)
@gives(ComparisonOut(), errors=[UnknownScheme, SchemeNotInForce, ComparisonRunning])
def compare_schemes(given: dict[str, Any]) -> dict[str, Any] | Response:
    """方案比对 Grade everyone of the key's divisions under two schemes: who would change class and why, inspections added or saved.

    Writes nothing. One runs at a time in a process: a second is answered 409 with Retry-After.
    """
    at = here()
    on = given["on"] or at.today()
    old, new = (book.resolve(at.settings, given[name], on=on) for name in ("old", "new"))
    try:
        with whatif.alone():
            found = whatif.compare(
                at.settings, old, new, day=on, divisions=_bounded(given["divisions"], caller().divisions),
                movers=given["movers"], sensitivity=given["sensitivity"],
            )  # fmt: skip
    except ComparisonRunning as running:
        return problems.problem(running, {"Retry-After": str(RETRY_AFTER)})
    return found.to_dict()


def _bounded(asked: Sequence[str] | None, own: Sequence[str]) -> list[str]:
    """What of the divisions asked for lies within the key's own; nothing outside of these is ever counted."""
    if asked is None:
        return list(own)
    narrower = [one for one in asked if any(one.startswith(prefix) for prefix in own)]
    return sorted({*narrower, *(prefix for prefix in own if any(prefix.startswith(one) for one in asked))})
