"""Proposals of schemes as they are looked up and called: their states, what comes next, who has approved."""

from peewee import JOIN

from registry import clock, cursor
from registry.errors import RegistryError
from registry.kinds.codes import Label
from registry.models import SchemeActivation, SchemeApproval, SchemeProposal, SchemeVersion
from registry.page import Page

STATES: dict[str, Label] = {
    "draft": Label("草案，检查未通过", "draft: its check found mistakes"),
    "checked": Label("已通过检查，待比对", "checked, to be compared"),
    "compared": Label("已比对，待两人批准", "compared, to be approved by two"),
    "approved": Label("已批准", "approved"),
    "withdrawn": Label("已撤回", "withdrawn"),
    "refused": Label("不予采用", "refused"),
}
OPEN = ("draft", "checked", "compared")
# What a person must have said before the next verb, by the state that a proposal is in.
NEXT = {
    "draft": "Mend what its check found (`xinheng scheme proposal {id}`) and revise it: `xinheng scheme revise {id} FOLDER`.",
    "checked": "Compare it with what holds: `xinheng scheme compare-proposal {id}`.",
    "compared": "Two officers other than its proposer approve it: `xinheng scheme approve {id}`.",
    "approved": (
        "It is decided, and holds from {day} on: the nightly run of that day grades by it (where that run is over: "
        "`xinheng jobs run grade_due`). To change what holds, propose another content."
    ),
    "withdrawn": "It is over. Propose it again if it is wanted after all.",
    "refused": "It is over. Propose another content.",
}


class ProposalNotFound(RegistryError):
    code = "proposal_not_found"
    status = 404


class ProposalConflict(RegistryError):
    """The proposal is not in the state that the verb needs, or the person may not do it."""

    code = "proposal_conflict"
    status = 409


def get(number: int) -> SchemeProposal:
    """A proposal by its number. Raises ProposalNotFound."""
    found: SchemeProposal | None = SchemeProposal.get_or_none(SchemeProposal.id == number)
    if found is None:
        raise ProposalNotFound(f"There is no proposal {number}. `xinheng scheme proposals` lists those there are.")
    return found


def approvals(number: int) -> list[SchemeApproval]:
    """The approvals of a proposal, in the order in which they were given."""
    query = SchemeApproval.select().where(SchemeApproval.proposal == number)
    return list(query.order_by(SchemeApproval.at, SchemeApproval.by))


def page(*, state: str = "", scheme: str = "", after: str | None = None, limit: int = 50) -> Page[SchemeProposal]:
    """Proposals, newest first, without their files and comparisons. One query. Raises BadCursor."""
    columns = [one for one in SchemeProposal._meta.sorted_fields if one.name not in ("files", "comparison", "version")]
    query = SchemeProposal.select(*columns, SchemeVersion.id, SchemeVersion.hash).join(SchemeVersion, JOIN.LEFT_OUTER)
    if state:
        query = query.where(SchemeProposal.state == state)
    if scheme:
        query = query.where(SchemeProposal.scheme == scheme)
    if after is not None:
        query = query.where(SchemeProposal.id < cursor.decode(after, int)[0])
    found = list(query.order_by(SchemeProposal.id.desc()).limit(limit + 1))
    more, found = len(found) > limit, found[:limit]
    return Page(found, cursor.encode(found[-1].id) if more else None)


def shown(proposal: SchemeProposal) -> str:
    """The state of a proposal in both languages."""
    return f"{STATES[proposal.state].zh} {proposal.state}"


def next_step(proposal: SchemeProposal) -> str:
    """What a person does next with a proposal, and what was decided that will replace it, in sentences."""
    said = NEXT[proposal.state].format(id=proposal.id, day=clock.day_of(proposal.from_day))
    return " ".join([said, *_overtaken_by(proposal)])


def _overtaken_by(proposal: SchemeProposal) -> list[str]:
    """Contents of the same scheme that are decided for a later day: from then on nothing of this one holds but what they have."""
    if proposal.state in ("withdrawn", "refused"):
        return []
    later = (
        SchemeActivation.select()
        .where((SchemeActivation.scheme == proposal.scheme) & (SchemeActivation.from_day > proposal.from_day))
        .order_by(SchemeActivation.from_day, SchemeActivation.known)
    )
    return [
        f"Mind: proposal {row.proposal.id} is decided from {clock.day_of(row.from_day)} on and replaces this one then; what of this one "
        f"it does not have is gone that day. Propose the two together for that day as well: `xinheng scheme export {row.proposal.id} FOLDER`."
        for row in later
    ]


def hash_of(proposal: SchemeProposal) -> str | None:
    """The hash of its content as it was checked, or compared last; None while it has mistakes."""
    return None if proposal.version is None else proposal.version.hash
