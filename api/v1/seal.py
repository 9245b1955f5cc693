"""The seal of the ledger: signed roots and proofs, for who audits it. docs/verify_proof.py checks what these answer."""

from typing import Any

from api.auth import allowed, caller, require
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.common import PageQuery
from api.schemas.seal import ConsistencyOut, ConsistencyQuery, ProofOut, ProofQuery, RootOut, RootPage
from registry.errors import BadCursor, RecordNotFound
from registry.services import proofs, seal
from registry.services.proofs import UnknownField
from registry.services.seal import NotSealed, RootNotFound

bp = Blueprint("ledger", __name__, url_prefix="/api/v1/ledger", description="台账核验 The seal of the ledger")
HIGHEST = 2**53


@bp.get("/roots")
@allowed("ledger:audit")
@takes(PageQuery(), location="query")
@gives(RootPage(), errors=[BadCursor])
def list_roots(query: dict[str, Any]) -> dict[str, Any]:
    """封存根列表 Signed roots, newest first."""
    page = proofs.roots(here().settings, after=query["after"], limit=query["limit"])
    return {"items": [root.as_dict() for root in page.items], "next": page.next}


@bp.get(f"/roots/<int(max={HIGHEST}):size>")
@allowed("ledger:audit")
@gives(RootOut(), errors=[RootNotFound])
def read_root(size: int) -> dict[str, Any]:
    """封存根 The signed root over the first `size` rows."""
    settings = here().settings
    return seal.root_of(seal.log_of(settings), size).as_dict()


@bp.get(f"/proofs/<int(max={HIGHEST}):seq>")
@allowed("ledger:audit")
@takes(ProofQuery(), location="query")
@gives(ProofOut(), errors=[RecordNotFound, NotSealed, RootNotFound])
def prove(query: dict[str, Any], seq: int) -> dict[str, Any]:
    """存在证明 That a row is in the ledger as it was sealed. The detail is in it as salted commitments only.

    A row that tells of a risk class by its kind alone (a raise 类别上调) needs `grades:read` too.
    """
    division = proofs.division_of(seq)
    if division is not None and not caller().sees(division):
        raise RecordNotFound(f"The ledger has no row {seq}.")
    if proofs.tells_of_a_class(seq):
        require("grades:read", "The proof of a row that tells of a risk class")
    return proofs.inclusion(here().settings, seq, size=query["size"])


@bp.get("/consistency")
@allowed("ledger:audit")
@takes(ConsistencyQuery(), location="query")
@gives(ConsistencyOut(), errors=[RootNotFound, UnknownField])
def prove_growth(query: dict[str, Any]) -> dict[str, Any]:
    """一致性证明 That between two signed roots rows were only added."""
    return proofs.consistency(here().settings, query["first"], query["second"])
