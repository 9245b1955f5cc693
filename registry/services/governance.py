"""How a scheme comes into force: proposed, checked, compared with what holds, approved by two, in force from a day.

Each verb is one transaction with its audit entry, and may be repeated. What a proposal says is kept whole: its files with
their worked cases, and the canonical content by its hash. Product default throughout: no instrument says how a regulator
must adopt its scheme; two officers who did not write it themselves is the rule of lists 两人办理 carried over.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from registry import clock
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.errors import RegistryError, UnknownScheme
from registry.models import SchemeActivation, SchemeApproval, SchemeProposal
from registry.services import audit, book, ledger, scheme_shadows, whatif
from registry.services.explanation import LATEST
from registry.services.ledger import Pen
from registry.services.scheme_check import Checked, check
from registry.services.scheme_files import BadProposal, accepted
from registry.services.scheme_proposals import OPEN, ProposalConflict, approvals, get, hash_of, next_step, shown
from rules.scheme import Scheme

STEP = "scheme_activated"
APPROVERS = 2
LONGEST_WORDS = 4_000


class ComparisonStale(RegistryError):
    """What was compared is not what would come into force, or not what it would replace."""

    code = "comparison_stale"
    status = 409


class DraftNotConfirmed(RegistryError):
    """The scheme rests on a draft instrument, which each approver must confirm in so many words."""

    code = "draft_not_confirmed"
    status = 409


@dataclass(frozen=True, slots=True)
class Said:
    """What a verb did: the proposal as it stands now, whether anything is new, and what the check found where it checked."""

    proposal: SchemeProposal
    new: bool
    checked: Checked | None = None
    approvals: list[SchemeApproval] = field(default_factory=list)


def propose(
    settings: Settings, *, files: Mapping[str, str], reason: str, from_day: date, by: str, today: date, now: int
) -> Said:
    """Put the files of a scheme forward, to hold from a day on. With mistakes they stay a draft, and every one is told.

    Safe to repeat: the same files, words and day of the same person are one proposal while it is not over. Raises
    BadProposal for files that cannot be, an id that none may have, a missing reason, or a day in the past.
    """
    kept, said = accepted(files), _words(reason, "a reason")
    _possible(from_day, today)
    found = check(settings, kept, from_day)
    with ledger.writing(now=now, schemes=[]):
        # The head of the ledger is held: two requests that are one cannot become two proposals.
        same = SchemeProposal.select().where(
            (SchemeProposal.scheme == found.id)
            & (SchemeProposal.proposed_by == by)
            & (SchemeProposal.from_day == clock.day_number(from_day))
            & SchemeProposal.state.in_([*OPEN, "approved"])
        )
        for before in same:
            if before.files == kept and before.reason == said:
                return Said(before, False, found, approvals(before.id))
        proposal = SchemeProposal.create(
            scheme=found.id, files=kept, reason=said, from_day=clock.day_number(from_day), proposed_by=by, proposed_at=now,
            **_content(found),
        )  # fmt: skip
        audit.note(
            "scheme.proposed", actor=by, subject=f"proposal {proposal.id}", now=now, scheme=found.id, state=proposal.state,
            hash=hash_of(proposal), from_day=from_day.isoformat(),
        )  # fmt: skip
    return Said(proposal, True, found)


def revise(
    settings: Settings, number: int, *, by: str, today: date, now: int, files: Mapping[str, str] | None = None,
    reason: str | None = None, from_day: date | None = None,
) -> Said:  # fmt: skip
    """Change a proposal that is not decided: its files, its reason, its first day. Comparison and approvals of it fall away.

    Only its proposer may: whoever would write otherwise proposes his own. Safe to repeat: what changes nothing drops nothing.
    Raises ProposalNotFound, ProposalConflict, and BadProposal as :func:`propose`.
    """
    before = get(number)
    kept = before.files if files is None else accepted(files)
    said = before.reason if reason is None else _words(reason, "a reason")
    first = clock.day_of(before.from_day) if from_day is None else from_day
    if from_day is not None:
        _possible(from_day, today)
    found = check(settings, kept, first)
    with ledger.writing(now=now, schemes=[]):
        proposal = get(number)
        _open(proposal)
        if proposal.proposed_by != by:
            raise ProposalConflict(
                f"Proposal {number} is by {proposal.proposed_by}: only who proposed it revises it. Propose your own content."
            )
        if proposal.scheme and found.id != proposal.scheme:
            raise BadProposal(
                f"Proposal {number} is about {proposal.scheme}, and these files are of {found.id or 'a scheme without an id'}. "
                "Propose another scheme for itself."
            )
        if (proposal.files, proposal.reason, proposal.from_day) == (kept, said, clock.day_number(first)):
            return Said(proposal, False, found, approvals(number))
        SchemeApproval.delete().where(SchemeApproval.proposal == number).execute()
        values = {
            "scheme": found.id, "files": kept, "reason": said, "from_day": clock.day_number(first), "comparison": None,
            "compared_by": None, "compared_at": None, "shadow": proposal.shadow and found.in_order, **_content(found),
        }  # fmt: skip
        _set(proposal, **values)
        audit.note(
            "scheme.revised", actor=by, subject=f"proposal {number}", now=now, scheme=found.id, state=proposal.state,
            hash=hash_of(proposal), from_day=first.isoformat(),
        )  # fmt: skip
    scheme_shadows.sweep(number)
    return Said(proposal, True, found)


def compare(
    settings: Settings,
    number: int,
    *,
    by: str,
    today: date,
    now: int,
    progress: Callable[[int, int], None] | None = None,
) -> Said:
    """Work out what a checked proposal would do, on its first day, to who is registered now, beside what holds then.

    Keeps the figures, without anybody's name, and writes nothing else. May be done again: what is compared again needs its
    approvals again if the figures are of other contents. Raises ProposalConflict for a draft, or where it was revised
    while it was compared.
    """
    before = get(number)
    _open(before)
    _checked(before)
    new, old = _contents(settings, before)
    day = max(clock.day_of(before.from_day), today)
    # Nobody is named in what is kept: keys that may not see a class in another division read it too.
    result = whatif.compare(settings, old or new, new, day=day, movers=0, progress=progress).to_dict()
    told = {"old": None if old is None else old.hash, "new": new.hash, "day": day.isoformat(), "result": result}
    if old is None:
        told["result"] = _of_itself(result)
    told = orjson.loads(orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS))
    with ledger.writing(now=now, schemes=[]):
        proposal = get(number)
        _open(proposal)
        if proposal.files != before.files or proposal.from_day != before.from_day:
            raise ComparisonStale(
                f"Proposal {number} was revised while it was compared. Nothing was kept: compare it again."
            )
        was = proposal.comparison
        if was is not None and was == told:
            return Said(proposal, False, None, approvals(number))
        if was is not None and (was["old"], was["new"]) != (told["old"], told["new"]):
            SchemeApproval.delete().where(SchemeApproval.proposal == number).execute()
        _set(
            proposal, state="compared", comparison=told, compared_by=by, compared_at=now, version=book.version_of(new),
            drafts=new.rests_on_draft,
        )  # fmt: skip
        audit.note(
            "scheme.compared",
            actor=by,
            subject=f"proposal {number}",
            now=now,
            old=told["old"],
            new=new.hash,
            day=told["day"],
        )
    return Said(proposal, True, None, approvals(number))


def approve(
    settings: Settings, number: int, *, by: str, today: date, now: int, confirms_draft: bool = False, said: str = "",
    content: str | None = None,
) -> Said:  # fmt: skip
    """Approve a compared proposal. The second officer's approval brings it into force from its day on: one ledger step says so.

    Neither may be its proposer. `content` is the hash, or its beginning, of what the officer has read; another content is
    refused. Where it rests on a draft each must confirm that (`confirms_draft`). Safe to repeat: nobody's approval counts
    twice. Raises ProposalNotFound, ProposalConflict, ComparisonStale where what holds, or what it is built on, has changed
    since the comparison, and DraftNotConfirmed.
    """
    words = mask_personal(said.strip())[:LONGEST_WORDS]
    _contents(settings, get(number))  # read outside the transaction, which then finds them read
    with ledger.writing(now=now, schemes=[]) as pen:
        proposal = get(number)
        given = approvals(number)
        if proposal.state == "approved" and by in [one.by for one in given]:
            return Said(proposal, False, None, given)
        _approvable(proposal, by, content)
        if by in [one.by for one in given]:
            return Said(proposal, False, None, given)
        if clock.day_of(proposal.from_day) < today:
            raise ProposalConflict(
                f"Proposal {number} was to hold from {clock.day_of(proposal.from_day)}, which is past. Its proposer names a later "
                f"day (`xinheng scheme revise {number} --from DATE`), then it is compared and approved again."
            )
        if proposal.drafts and not confirms_draft:
            raise DraftNotConfirmed(
                f"Proposal {number} rests on a draft, which is not law. Read which values do (`xinheng scheme show "
                f"proposal:{number} --on {clock.day_of(proposal.from_day)}`, the line with ⚠), then approve with that confirmed: "
                "--confirm-draft, or confirms_draft over the API."
            )
        new = _compared(settings, proposal)
        SchemeApproval.create(proposal=number, by=by, at=now, confirms_draft=confirms_draft, said=words)
        audit.note(
            "scheme.approved", actor=by, subject=f"proposal {number}", now=now, hash=new.hash, draft=proposal.drafts
        )
        given = approvals(number)
        if len(given) >= APPROVERS:
            _activate(pen, proposal, new, given, by=by, today=today)
    scheme_shadows.sweep(number)
    return Said(proposal, True, None, given)


def withdraw(number: int, *, why: str, by: str, now: int) -> Said:
    """Take one's own proposal back. Safe to repeat. Raises ProposalConflict where it is decided, or somebody else's."""
    return _close(number, "withdrawn", why, by, now)


def refuse(number: int, *, why: str, by: str, now: int) -> Said:
    """Refuse somebody else's proposal, with the reason. Safe to repeat. Raises ProposalConflict where it is decided, or one's own."""
    return _close(number, "refused", why, by, now)


# --- parts -------------------------------------------------------------------------------------------------------


def _activate(
    pen: Pen, proposal: SchemeProposal, new: Scheme, given: list[SchemeApproval], *, by: str, today: date
) -> None:
    first = clock.day_of(proposal.from_day)
    detail = {
        "scheme": proposal.scheme, "hash": new.hash, "from_day": first.isoformat(), "proposal": proposal.id,
        "proposer": proposal.proposed_by, "approvers": [one.by for one in given],
    }  # fmt: skip
    row = pen.step(STEP, about=new.hash[:32], entity=None, key=[proposal.id], on=first, detail=detail, by=by)
    SchemeActivation.create(
        known=row.seq,
        scheme=proposal.scheme,
        version=proposal.version,
        from_day=proposal.from_day,
        proposal=proposal.id,
    )
    _set(proposal, state="approved", shadow=proposal.shadow and first > today)
    audit.note(
        "scheme.activated", actor=by, subject=f"proposal {proposal.id}", now=pen.now, seq=row.seq, scheme=proposal.scheme,
        hash=new.hash, from_day=first.isoformat(),
    )  # fmt: skip


def _close(number: int, state: str, why: str, by: str, now: int) -> Said:
    words = _words(why, "a reason")
    with ledger.writing(now=now, schemes=[]):
        proposal = get(number)
        if proposal.state == state and proposal.closed_by == by:
            return Said(proposal, False, None, approvals(number))
        _open(proposal)
        if (proposal.proposed_by == by) != (state == "withdrawn"):
            raise ProposalConflict(
                f"Proposal {number} is by {proposal.proposed_by}: its proposer withdraws it, anybody else refuses it."
            )
        _set(proposal, state=state, closed_by=by, closed_at=now, closed_why=words, shadow=False)
        audit.note(f"scheme.{state}", actor=by, subject=f"proposal {number}", now=now, why=words)
    scheme_shadows.sweep(number)
    return Said(proposal, True, None, approvals(number))


def _content(found: Checked) -> dict[str, Any]:
    """The columns that follow from what the check found; a content in order is kept now, by its hash."""
    scheme = found.scheme if found.in_order else None
    return {
        "state": "draft" if scheme is None else "checked",
        "version": None if scheme is None else book.version_of(scheme),
        "drafts": scheme is not None and scheme.rests_on_draft,
    }


def _contents(settings: Settings, proposal: SchemeProposal) -> tuple[Scheme, Scheme | None]:
    """What would hold from the proposal's day on, over the inner schemes of that day; and what grades then without it."""
    on = clock.day_of(proposal.from_day)
    old = None
    # The book may have a scheme of this id that grades nobody: neither a setting nor an activation lets it hold.
    if proposal.scheme in book.schemes_in_force(settings, on=on):
        with suppress(UnknownScheme):  # what a setting names may be proposed for the first time here
            old = book.in_force(settings, proposal.scheme, on=on)
    if proposal.version is None:
        raise ProposalConflict(f"Proposal {proposal.id} is {shown(proposal)}. {next_step(proposal)}")
    return book.resolve(settings, f"proposal:{proposal.id}", on=on), old


def _of_itself(result: dict[str, Any]) -> dict[str, Any]:
    """A comparison of a scheme with itself, where nothing holds yet, without all that is said of a change."""
    change = {"old", "worse", "better", "only_old", "only_new", "matrix", "moved_by", "difference"}

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(one) for key, one in value.items() if key not in change}
        return [without(one) for one in value] if isinstance(value, list) else value

    # What a trial of the scheme moves is said of the scheme itself.
    return {**without(result), "sensitivity": result["sensitivity"]}


def _compared(settings: Settings, proposal: SchemeProposal) -> Scheme:
    """The content that was compared. Raises ComparisonStale where either side is another one now."""
    new, old = _contents(settings, proposal)
    was = proposal.comparison
    if was["new"] != new.hash:
        raise ComparisonStale(
            f"Proposal {proposal.id} is built on other schemes now than when it was compared. Compare it again, then approve."
        )
    if was["old"] != (None if old is None else old.hash):
        raise ComparisonStale(
            f"What holds of {proposal.scheme} on {clock.day_of(proposal.from_day)} is not what proposal {proposal.id} was compared "
            "with: another content has been activated since. Compare it again, then approve."
        )
    return new


def _approvable(proposal: SchemeProposal, by: str, content: str | None) -> None:
    if proposal.state != "compared":
        raise ProposalConflict(f"Proposal {proposal.id} is {shown(proposal)}. {next_step(proposal)}")
    if proposal.proposed_by == by:
        raise ProposalConflict(
            f"Proposal {proposal.id} was proposed by {by}. Two other officers approve it, each with a key of his own."
        )
    hash_ = hash_of(proposal) or ""
    if content is not None and not hash_.startswith(content.lower()):
        raise ComparisonStale(
            f"Proposal {proposal.id} is now of content {hash_[:12]}, and what you approve is {content[:12]}. Read it "
            "again, then approve what you have read."
        )


def _open(proposal: SchemeProposal) -> None:
    if proposal.state not in OPEN:
        raise ProposalConflict(f"Proposal {proposal.id} is {shown(proposal)}. {next_step(proposal)}")


def _checked(proposal: SchemeProposal) -> None:
    if proposal.state == "draft":
        raise ProposalConflict(f"Proposal {proposal.id} is {shown(proposal)}. {next_step(proposal)}")


def _possible(from_day: date, today: date) -> None:
    if from_day < today:
        raise BadProposal(
            f"A scheme cannot hold from {from_day}, before today, {today}: grades were given by then. Name today or a later day."
        )
    if from_day > LATEST:
        raise BadProposal(f"{from_day} is after {LATEST}, the last day that is graded. Name an earlier day.")


def _words(text: str, what: str) -> str:
    kept = mask_personal(text.strip())
    if not 1 <= len(kept) <= LONGEST_WORDS:
        raise BadProposal(f"Give {what}: 1 to {LONGEST_WORDS} characters, not {len(kept)}.")
    return kept


def _set(proposal: SchemeProposal, **values: Any) -> None:
    for name, value in values.items():
        setattr(proposal, name, value)
    proposal.save(only=list(values))
