"""Rows whose party was not found: read, decide, undo; and entities that are one."""

from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.common import PageQuery
from api.schemas.queue import (
    DecidedOut,
    DecidedPage,
    DecisionsIn,
    MergedOut,
    MergeIn,
    NamedPage,
    PairPage,
    QueueDecisionPage,
    QueueQuery,
    ReasonIn,
    WaitingDetail,
    WaitingPage,
)
from registry.cells.personal import mask_personal
from registry.errors import BadCursor, EntityNotFound, IdempotencyConflict, RecordNotFound
from registry.models import Unmatched
from registry.models.entity import STATUS
from registry.services import deciding, entities, matching, merges
from registry.services.deciding import Decided, DecisionNotFound, DecisionRefused, QueueRowNotFound, Who
from registry.services.merges import MergeRefused

bp = Blueprint("queue", __name__, url_prefix="/api/v1", description="待匹配 Rows without a party, decisions, merges")


def _who() -> Who:
    at = here()
    return Who(caller().actor, at.today(), at.now(), at.schemes, caller().divisions)


@bp.get("/queue")
@allowed("queue:decide")
@takes(QueueQuery(), "query")
@gives(WaitingPage(), errors=[BadCursor])
def list_waiting(query: dict[str, Any]) -> dict[str, Any]:
    """待匹配记录 Rows whose party was not found, oldest first: those of the key's divisions.

    Rows whose area nobody knows are shown to a key for everywhere only.
    """
    found = matching.page(**query, divisions=caller().divisions)
    return {"items": [_row(row) for row in found.items], "next": found.next}


@bp.get("/queue/<int(min=1, max=9007199254740992):number>")
@allowed("queue:decide")
@gives(WaitingDetail(), errors=[QueueRowNotFound])
def read_waiting(number: int) -> dict[str, Any]:
    """候选主体 One row that waits, and at most five entities that it may be about."""
    row = deciding.waiting_row(number, caller().divisions)
    if row is None:
        raise QueueRowNotFound(f"No row {number} waits in the queue. GET /api/v1/queue lists those that do.")
    near = [
        {"score": one.score, "code": one.entity.code or one.entity.registration_no, "name": one.entity.name,
         "division": one.entity.division, "status": STATUS[one.entity.status], "why": list(one.why)}
        for one in matching.candidates(row, divisions=caller().divisions)
    ]  # fmt: skip
    return _row(row) | {"candidates": near}


@bp.post("/queue/decisions")
@allowed("queue:decide")
@bp.doc(**idempotency.document())
@takes(
    DecisionsIn(),
    example={"decisions": [{"verb": "match", "rows": [12, 13], "to": "91990101MA00000000", "reason": "电话核实"}]},
)
@gives(DecidedPage(), errors=[QueueRowNotFound, EntityNotFound, RecordNotFound, DecisionRefused, IdempotencyConflict])
def decide(given: dict[str, Any]) -> Response:
    """认定 Decide whom rows are about, in order; what is refused stops the rest. Safe to repeat.

    A decision is about the party that a row names: all its rows follow, those to come too. `confirm` and `detach` are about
    records that were attached by their party's name alone.
    """

    def act() -> tuple[dict[str, Any], int, bool]:
        who = _who()
        taken = [one for asked in given["decisions"] for one in _decide(asked, who)]
        return DecidedPage().dump({"items": [_decided(one) for one in taken]}), 200, True

    return idempotency.at_the_end(act)


def _decide(asked: dict[str, Any], who: Who) -> list[Decided]:
    verb, reason = asked["verb"], asked["reason"]
    named = asked["records"] if verb in ("confirm", "detach") else asked["rows"]
    if not named:
        what = "records" if verb in ("confirm", "detach") else "rows"
        raise DecisionRefused(f"{verb} needs `{what}`: the numbers of what it is about.")
    if verb == "confirm":
        return deciding.confirm(named, reason=reason, who=who)
    if verb == "detach":
        return deciding.detach(named, reason=reason, who=who)
    return deciding.decide(named, verb, to=asked["to"] or None, reason=reason, who=who)


@bp.get("/queue/decisions")
@allowed("queue:decide")
@takes(PageQuery(), "query")
@gives(QueueDecisionPage(), errors=[BadCursor])
def list_decisions(query: dict[str, Any]) -> dict[str, Any]:
    """认定记录 Decisions about parties, newest first: who, when, why, and whether they were undone."""
    found = deciding.page(**query, divisions=caller().divisions)
    return {"items": [deciding.as_dict(one) for one in found.items], "next": found.next}


@bp.post("/queue/decisions/<int(min=1, max=2147483647):number>/undo")
@allowed("queue:decide")
@bp.doc(**idempotency.document())
@takes(ReasonIn(), example={"reason": "认错企业"})
@gives(DecidedOut(), errors=[DecisionNotFound, DecisionRefused, IdempotencyConflict])
def undo_decision(given: dict[str, Any], number: int) -> Response:
    """撤销认定 Take a decision back: the rows stated by it are withdrawn and wait again. Safe to repeat."""

    def act() -> tuple[dict[str, Any], int, bool]:
        return DecidedOut().dump(_decided(deciding.undo(number, reason=given["reason"], who=_who()))), 200, True

    return idempotency.at_the_end(act)


@bp.get("/queue/named")
@allowed("queue:decide")
@takes(PageQuery(), "query")
@gives(NamedPage(), errors=[BadCursor])
def list_named(query: dict[str, Any]) -> dict[str, Any]:
    """按名称归入的记录 Records that were attached by their party's name alone, oldest first: to confirm or to detach."""
    found = deciding.named(**query, divisions=caller().divisions)
    return {"items": found.items, "next": found.next}


@bp.get("/queue/twins")
@allowed("queue:decide")
@takes(PageQuery(), "query")
@gives(PairPage(), errors=[BadCursor])
def list_twins(query: dict[str, Any]) -> dict[str, Any]:
    """疑似同一主体 Pairs that are probably one entity: one provisional, one known by its old number, same name and city."""
    found = merges.proposals(**query, divisions=caller().divisions)
    rows = [
        {"loser": one.loser.code, "winner": one.winner.registration_no, "name": one.winner.name} for one in found.items
    ]
    return {"items": rows, "next": found.next}


@bp.post("/entities/<code>/merge")
@allowed("queue:decide")
@bp.doc(**idempotency.document())
@takes(MergeIn(), example={"into": "990101000000013", "reason": "换发统一代码"})
@gives(MergedOut(), 201, also=200, errors=[EntityNotFound, MergeRefused, IdempotencyConflict])
def merge_entity(given: dict[str, Any], code: str) -> Response:
    """合并主体 Say that this entity is another one: a dated alias; records do not move. Safe to repeat."""
    return _joined(lambda: merges.merge(code, given["into"], reason=given["reason"], **_writer()), code, given["into"])


@bp.post("/entities/<code>/unmerge")
@allowed("queue:decide")
@bp.doc(**idempotency.document())
@takes(ReasonIn(), example={"reason": "两家企业"})
@gives(MergedOut(), 201, also=200, errors=[EntityNotFound, MergeRefused, IdempotencyConflict])
def unmerge_entity(given: dict[str, Any], code: str) -> Response:
    """撤销合并 Let this entity be itself again, with what had been merged into it. Safe to repeat."""
    return _joined(lambda: merges.unmerge(code, reason=given["reason"], **_writer()), code)


def _joined(verb: Any, *codes: str) -> Response:
    for code in codes:
        visible_entity(code)
        if not caller().sees(entities.numbered(code).division):
            raise EntityNotFound(mask_personal(code)[:40])

    def act(_: None) -> tuple[dict[str, Any], int]:
        found = verb()
        return MergedOut().dump(found), 200 if found.said == "unchanged" else 201

    return idempotency.once(lambda: None, act)


def _writer() -> dict[str, Any]:
    at = here()
    return {"actor": caller().actor, "today": at.today(), "now": at.now(), "schemes": at.schemes, "scheme": at.scheme}


def _decided(one: Decided) -> dict[str, Any]:
    return {"decision": one.decision.id, "verb": one.decision.verb, "said": one.said, "rows": one.rows}


def _row(row: Unmatched) -> dict[str, Any]:
    fields: dict[str, Any] = row.fields
    return {
        "id": row.id, "kind": row.kind, "source": row.source, "reason": row.reason, "name": mask_personal(row.party_name),
        "code": mask_personal(row.party_code), "division": row.division, "happened_on": fields["happened_on"],
        "document_no": fields["document_no"], "organ": fields["organ"], "waiting_since": row.waiting_since,
    }  # fmt: skip
