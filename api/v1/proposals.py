"""Proposals of schemes: put forward, compared, approved by two officers, tried in the shadow."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Response

from api import idempotency, problems
from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas import proposals as shapes
from registry import clock
from registry.errors import BadCursor, IdempotencyConflict, NotAllowed, SchemeNotInForce, UnknownScheme
from registry.models import SchemeApproval, SchemeProposal
from registry.services import governance, scheme_history, scheme_proposals, scheme_shadows, whatif
from registry.services.governance import ComparisonStale, DraftNotConfirmed, Said
from registry.services.scheme_check import Checked, check
from registry.services.scheme_files import BadProposal
from registry.services.scheme_proposals import ProposalConflict, ProposalNotFound
from registry.services.scheme_shadows import ShadowRefused
from registry.services.whatif import RETRY_AFTER, ComparisonRunning

bp = Blueprint("proposals", __name__, url_prefix="/api/v1", description="方案审定 Governance of schemes")

ALL = "/schemes/proposals"
ONE = f"{ALL}/<int(min=1, max=2147483647):number>"
EXAMPLE = {
    "files": {"scheme.toml": "[scheme]\nid = \"general-risk\"\n…", "rules/penalty.toml": "…", "rules/penalty.cases.toml": "…"},
    "reason": "一般处罚的计分由 60 调整为 80。",
    "from": "2027-01-01",
}  # fmt: skip


@bp.post(ALL)
@allowed("schemes:propose")
@bp.doc(**idempotency.document())
@takes(shapes.ProposalIn(), example=EXAMPLE)
@gives(shapes.ProposalOut(), 201, also=200, errors=[BadProposal, NotAllowed, IdempotencyConflict])
def propose_scheme(given: dict[str, Any]) -> Response:
    """提出方案 Put a scheme forward, as the files of its folder. With mistakes it is kept as a draft, and every one is told. Safe to repeat."""
    return _verb(lambda who: governance.propose(here().settings, **given, **who))


@bp.post(f"{ONE}/revision")
@allowed("schemes:propose")
@bp.doc(**idempotency.document())
@takes(shapes.RevisionIn(), example={"from": "2027-02-01"})
@gives(shapes.ProposalOut(), 201, also=200, errors=[ProposalNotFound, ProposalConflict, BadProposal, NotAllowed, IdempotencyConflict])  # fmt: skip
def revise_proposal(given: dict[str, Any], number: int) -> Response:
    """修改方案 Change one's own proposal while it is not decided; its comparison and approvals fall away. Safe to repeat."""
    return _verb(lambda who: governance.revise(here().settings, number, **given, **who))


@bp.post(f"{ONE}/comparison")
@allowed("schemes:propose")
@bp.doc(**idempotency.document())
@gives(shapes.ProposalOut(), 201, also=200, errors=[ProposalNotFound, ProposalConflict, ComparisonStale, ComparisonRunning, SchemeNotInForce, NotAllowed, IdempotencyConflict])  # fmt: skip
def compare_proposal(number: int) -> Response:
    """方案比对 Work out what a proposal would do on its first day, beside what holds then, and keep the figures. Safe to repeat."""

    def act(who: dict[str, Any]) -> Said:
        with whatif.alone():
            return governance.compare(here().settings, number, **who)

    try:
        return _verb(act)
    except ComparisonRunning as running:
        return problems.problem(running, {"Retry-After": str(RETRY_AFTER)})


@bp.post(f"{ONE}/approvals")
@allowed("schemes:approve")
@bp.doc(**idempotency.document())
@takes(shapes.SchemeApprovalIn(), example={"content": "3f2a9c5d7e10", "said": "同意。"})
@gives(shapes.ProposalOut(), 201, also=200, errors=[ProposalNotFound, ProposalConflict, ComparisonStale, DraftNotConfirmed, NotAllowed, IdempotencyConflict])  # fmt: skip
def approve_proposal(given: dict[str, Any], number: int) -> Response:
    """批准方案 Approve a compared proposal as one of two officers, neither its proposer; the second brings it into force. Safe to repeat."""
    return _verb(lambda who: governance.approve(here().settings, number, **given, **who))


@bp.post(f"{ONE}/withdrawal")
@allowed("schemes:propose")
@bp.doc(**idempotency.document())
@takes(shapes.WhyIn(), example={"why": "参数需重新测算。"})
@gives(shapes.ProposalOut(), 201, also=200, errors=[ProposalNotFound, ProposalConflict, NotAllowed, IdempotencyConflict])  # fmt: skip
def withdraw_proposal(given: dict[str, Any], number: int) -> Response:
    """撤回方案 Take one's own proposal back. Safe to repeat."""
    return _verb(lambda who: governance.withdraw(number, why=given["why"], by=who["by"], now=who["now"]))


@bp.post(f"{ONE}/refusal")
@allowed("schemes:approve")
@bp.doc(**idempotency.document())
@takes(shapes.WhyIn(), example={"why": "依据不足。"})
@gives(shapes.ProposalOut(), 201, also=200, errors=[ProposalNotFound, ProposalConflict, NotAllowed, IdempotencyConflict])  # fmt: skip
def refuse_proposal(given: dict[str, Any], number: int) -> Response:
    """不予采用 Refuse somebody else's proposal, with the reason. Safe to repeat."""
    return _verb(lambda who: governance.refuse(number, why=given["why"], by=who["by"], now=who["now"]))


@bp.post(f"{ONE}/shadow")
@allowed("schemes:propose")
@bp.doc(**idempotency.document())
@takes(shapes.ShadowIn(), example={"on": True})
@gives(shapes.ProposalOut(), 201, also=200, errors=[ProposalNotFound, ShadowRefused, NotAllowed, IdempotencyConflict])
def switch_shadow(given: dict[str, Any], number: int) -> Response:
    """影子运行 Begin or stop to grade a proposal alongside, without history and without effect. Safe to repeat."""

    def act(who: dict[str, Any]) -> Said:
        scheme_proposals.get(number)
        proposal, new = scheme_shadows.switch(number, on=given["on"], **who)
        return Said(proposal, new, None, scheme_proposals.approvals(number))

    return _verb(act)


@bp.get(f"{ONE}/shadow")
@allowed("grades:read")
@takes(shapes.ShadowQuery(), "query")
@gives(shapes.ShadowOut(), errors=[ProposalNotFound, ShadowRefused])
def read_shadow(query: dict[str, Any], number: int) -> dict[str, Any]:
    """影子运行结果 The grades of a proposal beside those in force, in the key's divisions: by kind and class, and who differs."""
    scheme_proposals.get(number)
    return asdict(scheme_shadows.report(number, divisions=caller().divisions, most=query["limit"]))


@bp.get(ALL)
@allowed("grades:read")
@takes(shapes.ProposalsQuery(), "query")
@gives(shapes.ProposalPage(), errors=[BadCursor])
def list_proposals(query: dict[str, Any]) -> dict[str, Any]:
    """方案列表 Proposals, newest first."""
    found = scheme_proposals.page(**query)
    return {"items": [_row(one) for one in found.items], "next": found.next}


@bp.get(ONE)
@allowed("grades:read")
@gives(shapes.ProposalOut(), errors=[ProposalNotFound])
def read_proposal(number: int) -> dict[str, Any]:
    """方案详情 One proposal with its files, its comparison, its approvals, and, while it is a draft, every mistake."""
    proposal = scheme_proposals.get(number)
    found = None
    if proposal.state == "draft":
        found = check(here().settings, proposal.files, clock.day_of(proposal.from_day))
    return _whole(proposal, found, scheme_proposals.approvals(number))


@bp.get("/schemes/<name>/history")
@allowed("grades:read")
@gives(shapes.SchemeHistoryOut(), errors=[UnknownScheme])
def read_history(name: str) -> dict[str, Any]:
    """方案沿革 Which content of a scheme held when, who proposed and who approved it, and every content that is kept."""
    found = scheme_history.history(here().settings, name)
    rows = [
        {**asdict(one), "from_day": one.from_day.isoformat(), "until": one.until and one.until.isoformat(), "at": clock.moment_text(one.at)}
        for one in found.activations
    ]  # fmt: skip
    kept = [{"hash": hash_, "first_seq": seq} for hash_, seq in found.kept]
    return {"scheme": name, "shipped": found.shipped, "as_shipped": found.as_shipped, "activations": rows, "kept": kept}


def _verb(act: Callable[[dict[str, Any]], Said]) -> Response:
    """A verb with its answer. It may be repeated, and cleans up after its own transaction: the reply is kept at the end."""
    at, who = here(), caller()
    if "" not in who.divisions:
        raise NotAllowed(
            "A scheme grades everybody, and this key has only some divisions. Use a key of every division (`xinheng key create` "
            "without --division)."
        )

    def done() -> tuple[dict[str, Any], int, bool]:
        said = act({"by": who.actor, "today": at.today(), "now": at.now()})
        body: dict[str, Any] = shapes.ProposalOut().dump(_whole(said.proposal, said.checked, said.approvals))
        return body, 201 if said.new else 200, True

    return idempotency.at_the_end(done)


def _whole(proposal: SchemeProposal, found: Checked | None, given: list[SchemeApproval]) -> dict[str, Any]:
    who = caller()
    sees = who.may("grades:read") and "" in who.divisions
    return {
        **_row(proposal),
        "next_step": scheme_proposals.next_step(proposal),
        "approvals": [
            {"by": one.by, "at": clock.moment_text(one.at), "confirms_draft": one.confirms_draft, "said": one.said} for one in given
        ],
        "mistakes": [asdict(one) for one in found.mistakes] if found else [],
        "failed": list(found.failed) if found else [],
        "comparison": proposal.comparison if sees else None,
        "files": proposal.files,
    }  # fmt: skip


def _row(proposal: SchemeProposal) -> dict[str, Any]:
    same = ("id", "scheme", "state", "reason", "shadow", "proposed_by", "compared_by", "closed_by", "closed_why")
    moments = ("proposed_at", "compared_at", "closed_at")
    return {
        **{name: getattr(proposal, name) for name in same},
        **{name: value and clock.moment_text(value) for name in moments for value in [getattr(proposal, name)]},
        "label": asdict(scheme_proposals.STATES[proposal.state]),
        "hash": scheme_proposals.hash_of(proposal),
        "from_day": clock.day_of(proposal.from_day).isoformat(),
        "rests_on_draft": proposal.drafts,
    }
