"""Schemes: the rules that grade, as far as any reader of the registry may see them."""

from contextlib import suppress
from typing import Any

from api.auth import allowed
from api.blueprint import Blueprint, gives
from api.context import here
from api.schemas.grade import SchemeDetail, SchemeList
from registry import clock
from registry.errors import UnknownScheme
from registry.services import book, grading
from rules.scheme import Scheme

bp = Blueprint("schemes", __name__, url_prefix="/api/v1", description="评价方案 Schemes")


@bp.get("/schemes")
@allowed("entities:read")
@gives(SchemeList())
def list_schemes() -> dict[str, Any]:
    """方案列表 Every scheme that grades today, by id."""
    at, items = here(), []
    for name in at.schemes:
        # A trial is read by its own report alone; what was activated for a later day is not there yet.
        if not name.startswith(book.SHADOW):
            with suppress(UnknownScheme):
                items.append(_row(grading.scheme_named(at.settings, name, at.today())))
    return {"items": items, "next": None}


@bp.get("/schemes/<name>")
@allowed("entities:read")
@gives(SchemeDetail(), errors=[UnknownScheme])
def read_scheme(name: str) -> dict[str, Any]:
    """方案详情 One scheme: its cuts and groups, each with what it rests on."""
    if name.startswith(book.SHADOW):  # read by its own report alone
        raise book.unknown(here().settings, name)
    scheme = grading.scheme_named(here().settings, name, here().today())
    cuts = [
        {
            "from": clock.day_of(span.start).isoformat(),
            "until": None if span.until is None else clock.day_of(span.until).isoformat(),
            "classes": [
                {"class": name, "to": highest}
                for name, highest in zip(span.value.classes, span.value.highest, strict=True)
            ],
            "basis": span.basis.as_dict(),
        }
        for span in scheme.cuts.spans
    ]
    groups = [
        {
            "id": group.id,
            "title": group.title.as_dict(),
            "highest": group.highest,
            "basis": group.basis.as_dict() if group.basis else None,
        }
        for group in scheme.groups.values()
    ]
    counts = {"rules": len(scheme.rules), "indicators": len(scheme.indicators)}
    return {**_row(scheme), "cuts": cuts, "groups": groups, **counts}


def _row(scheme: Scheme) -> dict[str, Any]:
    same = ("id", "hash", "published", "cycle", "direction", "lowest", "highest")
    return {"title": scheme.title.as_dict(), "subjects": list(scheme.subjects)} | {
        name: getattr(scheme, name) for name in same
    }
