"""Rows of the services as the API shows them."""

from typing import Any

import orjson
from flask import Response, request

from api.context import here
from api.schemas.common import Moment
from registry import clock
from registry.models.entity import STATUS
from registry.services import ledger
from registry.services.keys import Caller
from registry.services.records import Posted, RecordView
from registry.services.standing import Standing
from registry.services.visibility import REGULATOR, Reader, shown


def known_seq(asked: Moment | None) -> int | None:
    """How much of the ledger was known at a moment that was asked for; None where none was."""
    if asked is None:
        return None
    if asked.at is not None:
        return ledger.seq_at(asked.at)
    if asked.day is not None:
        return ledger.seq_at(clock.day_end(asked.day, here().settings.jobs.timezone))
    assert asked.seq is not None
    # What is not written yet cannot be known.
    return min(asked.seq, ledger.head())


def entity_row(row: dict[str, Any]) -> dict[str, Any]:
    """One entity, from a search row or a model's data; `class` stands in it only if the search put it there."""
    shown = {name: row[name] for name in ("code", "registration_no", "name", "kind", "industry", "division", "address")}
    shown |= {
        "status": STATUS[row["status"]],
        "established": str(row["established"]) if row["established"] else None,
        "provisional": bool(row["provisional"]),
    }
    if row.get("merged_into"):
        shown["merged_into"] = row["merged_into"]
    if "class" in row:
        shown["class"] = row["class"]
    return shown


def record_row(view: RecordView, reader: Reader = REGULATOR) -> dict[str, Any]:
    """One record as a reader sees it; {} where records of its kind are not for him."""
    return shown(view.kind, {**view.row, "seq": view.seq}, reader)


def posted_row(one: Posted, who: Caller) -> dict[str, Any]:
    """What became of a posted record. The grade stands in it only for a caller with the right to it, in his divisions."""
    shown: dict[str, Any] = {
        "said": one.said,
        "seq": one.seq,
        "code": one.code,
        "undated": one.undated,
        "provisional": one.provisional,
    }
    if who.may("grades:read") and who.sees(one.division):
        shown["grade"] = None if one.after is None else _change(one.before, one.after)
    return shown


def _change(before: Standing | None, after: Standing) -> dict[str, Any]:
    same = before is not None and (before.class_, before.score) == (after.class_, after.score)
    return {"class_": after.class_, "score": after.score, "day": after.day, "changed_from": None if same else before}


def conditional(body: Any) -> Response:
    """The body with an ETag of its bytes; 304 where the caller has it already."""
    response = Response(orjson.dumps(body), mimetype="application/json")
    response.add_etag()
    if "If-None-Match" in request.headers:  # most callers have nothing to compare, and comparing is slow
        response.make_conditional(request)
    return response
