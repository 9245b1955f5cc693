"""Records by organ, document number and party: ask, correct and withdraw without knowing our ledger number."""

from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.schemas.dossier import AddressQuery, RecordStatusOut
from api.schemas.record import CorrectionIn, ReplacedOut, WithdrawalIn
from api.v1.records import KIND, _writer
from registry.errors import (
    BadRecord,
    EntityNotFound,
    IdempotencyConflict,
    NotAllowed,
    RecordConflict,
    RecordNotFound,
    UnknownKind,
)
from registry.services import by_document, records
from registry.services.by_document import Address

bp = Blueprint("by_document", __name__, url_prefix="/api/v1", description="按文书号 Records by document number")

PATH = "/records/<kind>/by-document"
REFUSALS = [UnknownKind, BadRecord, EntityNotFound, RecordNotFound, RecordConflict, NotAllowed]


def _address(query: dict[str, Any]) -> Address:
    organ = caller().organ
    if query["organ"] not in (None, organ):
        raise NotAllowed(
            f"This key asks for records of {organ} only. Leave `organ` out, or use the other organ's own key."
        )
    return Address(query["document_no"], query["code"])


@bp.get(PATH, parameters=KIND)
@allowed("records:write")
@takes(AddressQuery(), "query")
@gives(RecordStatusOut(), errors=REFUSALS)
def read_status(query: dict[str, Any], kind: str) -> dict[str, Any]:
    """查询状态 What became of one record of one's own organ: stored, corrected, withdrawn, published where, counted or why not."""
    return by_document.status(kind, _address(query), organ=caller().organ)


@bp.post(f"{PATH}/correction", parameters=KIND)
@allowed("records:write")
@bp.doc(**idempotency.document())
@takes(AddressQuery(), "query")
@takes(CorrectionIn())
@gives(ReplacedOut(), 201, also=200, errors=[*REFUSALS, IdempotencyConflict])
def correct_by_document(query: dict[str, Any], given: dict[str, Any], kind: str) -> Response:
    """按文书号更正 Correct the record with this number about this party; as by its ledger number. Safe to repeat."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        seq = by_document.find(kind, _address(query), organ=caller().organ).seq
        outcome = records.correct(seq, kind, given["record"], reason=given["reason"], **_writer())
        return ReplacedOut().dump(outcome), 200 if outcome.said == "unchanged" else 201

    return idempotency.once(lambda: None, act)


@bp.post(f"{PATH}/withdrawal", parameters=KIND)
@allowed("records:write")
@bp.doc(**idempotency.document())
@takes(AddressQuery(), "query")
@takes(WithdrawalIn(), example={"reason": "行政复议撤销"})
@gives(ReplacedOut(), 201, also=200, errors=[*REFUSALS, IdempotencyConflict])
def withdraw_by_document(query: dict[str, Any], given: dict[str, Any], kind: str) -> Response:
    """按文书号撤回 Withdraw the record with this number about this party; as by its ledger number. Safe to repeat."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        seq = by_document.find(kind, _address(query), organ=caller().organ).seq
        outcome = records.withdraw(seq, kind, reason=given["reason"], **_writer())
        said = "unchanged" if outcome.said == "unchanged" else "withdrawn"
        return ReplacedOut().dump({"said": said, "seq": outcome.seq}), 200 if said == "unchanged" else 201

    return idempotency.once(lambda: None, act)
