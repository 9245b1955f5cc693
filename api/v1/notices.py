"""The withdrawal feed: what recipients of records must hear, and that they have acted on it."""

from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.life import NoticeOut, NoticePage, NoticeQuery
from api.v1.records import HIGHEST
from registry import clock
from registry.errors import BadCursor, IdempotencyConflict
from registry.services import notices
from registry.services.notices import NotARecipient, NoticeNotFound

bp = Blueprint("notices", __name__, url_prefix="/api/v1", description="撤回通知 Withdrawal feed")


@bp.get("/notices")
@allowed("exchange:read")
@takes(NoticeQuery(), "query")
@gives(NoticePage(), errors=[NotARecipient, BadCursor])
def list_notices(query: dict[str, Any]) -> dict[str, Any]:
    """撤回通知 What was withdrawn, repaired, stopped, corrected or erased since `after`, in the order in which it was written.

    What is sent here counts as fetched. Keep `next` of the last full page and ask again from there.
    """
    at = here()
    late = at.today() if query.pop("overdue") else None
    found = notices.fetch(caller(), **query, now=at.now(), overdue_on=late)
    return {"items": [_shown(row) for row in found.items], "next": found.next}


@bp.post(f"/notices/<int(min=1, max={HIGHEST}):number>/acknowledgement")
@allowed("exchange:read")
@bp.doc(**idempotency.document())
@gives(NoticeOut(), errors=[NotARecipient, NoticeNotFound, IdempotencyConflict])
def acknowledge_notice(number: int) -> Response:
    """确认处理 Say that a notice was acted on: the record is taken down and used no more. Safe to repeat."""
    return idempotency.once(
        lambda: None,
        lambda _: (NoticeOut().dump(_shown(notices.acknowledge(number, caller(), now=here().now()))), 200),
    )


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    moments = {
        name: None if row[name] is None else clock.moment_text(row[name]) for name in ("fetched_at", "acknowledged_at")
    }
    return {**row, **moments, "code": row["code"] or row["registration_no"]}
