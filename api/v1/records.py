"""Post records of one's own organ, one or many; correct and withdraw them."""

from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller
from api.blueprint import Blueprint, body, gives, takes
from api.context import here
from api.errors import InvalidRequest
from api.problems import clean
from api.schemas.record import (
    POSTABLE,
    BatchIn,
    BatchOut,
    CorrectionIn,
    PostedOut,
    ReplacedOut,
    WithdrawalIn,
    posted_schema,
)
from api.v1.shown import posted_row
from registry.errors import BadRecord, IdempotencyConflict, RecordConflict, RecordNotFound, UnknownKind
from registry.services import batches, ledger, records
from registry.services.batches import Row
from registry.services.listing_cases import ListingConflict

bp = Blueprint("records", __name__, url_prefix="/api/v1", description="报送记录 Posting records")

KIND = [{"in": "path", "name": "kind", "required": True, "schema": {"type": "string", "enum": sorted(POSTABLE)},
         "description": "Kind of record 记录类别"}]  # fmt: skip
HIGHEST = 2**53
BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"oneOf": [posted_schema(kind) for kind in sorted(POSTABLE)]},
            "example": {
                "party": {"code": "91990101MA00000000"},
                "document_no": "信市监处罚〔2026〕12号",
                "decided_on": "2026-11-02",
                "kinds": ["fine"],
                "fine_fen": 1_500_000,
                "violation": "虚假宣传",
            },
        }
    },
}


def _writer() -> dict[str, Any]:
    """Who writes, under which scheme, when: what every verb on records is told."""
    at, who = here(), caller()
    return {
        "organ": who.organ, "source": ledger.ORGAN, "actor": who.actor, "scheme": at.scheme, "schemes": at.schemes,
        "today": at.today(), "now": at.now(), "settings": at.settings,
    }  # fmt: skip


@bp.post("/records/<kind>", parameters=KIND)
@allowed("records:write")
@bp.doc(requestBody=BODY, **idempotency.document())
@gives(
    PostedOut(), 201, also=200, errors=[UnknownKind, BadRecord, RecordConflict, ListingConflict, IdempotencyConflict]
)
def post_record(kind: str) -> Response:
    """报送一条记录 Post one record: it is stored and its entity regraded in one transaction.

    201 stored or corrected (other words about the same record), 200 unchanged. Safe to repeat: a record is known by organ, document number and party. The
    reply tells the grade only to a key with `grades:read`.
    """
    writer = _writer()

    def act(checked: records.Checked) -> tuple[dict[str, Any], int]:
        kept = {name: value for name, value in writer.items() if name not in ("organ", "settings")}
        (one,) = records.post([checked], **kept, with_grades=caller().may("grades:read"))
        if one.said == "withdrawn":
            raise RecordConflict(f"This record was withdrawn by ledger row {one.seq}. {ledger.WITHDRAWN}")
        return PostedOut().dump(posted_row(one, caller())), 200 if one.said == "unchanged" else 201

    return idempotency.once(
        lambda: records.check(kind, body(), organ=writer["organ"], today=writer["today"], settings=writer["settings"]),
        act,
    )


@bp.post("/records/<kind>/batch", parameters=KIND)
@allowed("records:write")
@bp.doc(**idempotency.document())
@takes(BatchIn(), example={"records": [BODY["content"]["application/json"]["example"]]})  # type: ignore[index]
@gives(BatchOut(), errors=[UnknownKind, ListingConflict, IdempotencyConflict])
def post_batch(given: dict[str, Any], kind: str) -> Response:
    """批量报送 Post many records: the good rows are stored, the bad rows named, in order.

    Not one transaction: chunks are. Safe to repeat as a whole, also after a cut connection.
    """
    most = here().settings.api.max_batch
    if len(given["records"]) > most:
        raise InvalidRequest(
            {"records": [f"{len(given['records'])} records are too many; send at most {most} at once."]}
        )

    def act() -> tuple[dict[str, Any], int, bool]:
        rows = batches.post(kind, given["records"], **_writer(), with_grades=caller().may("grades:read"))
        shown = [_row(index, row) for index, row in enumerate(rows)]
        said = [row["said"] for row in shown]
        counts = {
            name: said.count(name) for name in ("stored", "corrected", "unchanged", "withdrawn", "refused", "deferred")
        }
        return BatchOut().dump({**counts, "rows": shown}), 200, not counts["deferred"]

    return idempotency.at_the_end(act)


def _row(index: int, row: Row) -> dict[str, Any]:
    if row.posted is not None:
        return {"index": index, **posted_row(row.posted, caller())}
    if row.problems is not None:
        return {"index": index, "said": "refused", "problems": clean(row.problems)}
    return {"index": index, "said": "deferred", "problems": batches.DEFERRED}


@bp.post(f"/records/<kind>/<int(min=1, max={HIGHEST}):seq>/correction", parameters=KIND)
@allowed("records:write")
@bp.doc(**idempotency.document())
@takes(CorrectionIn())
@gives(
    ReplacedOut(), 201, also=200, errors=[UnknownKind, BadRecord, RecordNotFound, RecordConflict, IdempotencyConflict]
)
def correct_record(given: dict[str, Any], kind: str, seq: int) -> Response:
    """更正记录 Correct a record of one's own organ: a new row replaces it; the old one stays on record."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        outcome = records.correct(seq, kind, given["record"], reason=given["reason"], **_writer())
        return ReplacedOut().dump(outcome), 200 if outcome.said == "unchanged" else 201

    return idempotency.once(lambda: None, act)


@bp.post(f"/records/<kind>/<int(min=1, max={HIGHEST}):seq>/withdrawal", parameters=KIND)
@allowed("records:write")
@bp.doc(**idempotency.document())
@takes(WithdrawalIn(), example={"reason": "行政复议撤销"})
@gives(
    ReplacedOut(),
    201,
    also=200,
    errors=[UnknownKind, RecordNotFound, RecordConflict, ListingConflict, IdempotencyConflict],
)
def withdraw_record(given: dict[str, Any], kind: str, seq: int) -> Response:
    """撤回记录 Withdraw a record of one's own organ: it never counts again, and is shown to nobody. Safe to repeat."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        outcome = records.withdraw(seq, kind, reason=given["reason"], **_writer())
        said = "unchanged" if outcome.said == "unchanged" else "withdrawn"
        return ReplacedOut().dump({"said": said, "seq": outcome.seq}), 200 if said == "unchanged" else 201

    return idempotency.once(lambda: None, act)
