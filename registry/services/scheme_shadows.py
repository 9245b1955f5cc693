"""Proposals graded alongside 影子方案: under `shadow-<number>`, in `grade_state` alone, read by nobody but the report here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from registry import clock
from registry.database import execute, write
from registry.divisions import in_sql
from registry.errors import RegistryError
from registry.models import SchemeProposal
from registry.services import audit, book, ledger, scheme_proposals

# Each costs a whole scheme more in every nightly run.
MOST = 3
# Rows removed in one transaction: under 30 ms of the write lock.
CHUNK = 4_000


class ShadowRefused(RegistryError):
    """The proposal cannot be graded alongside, or is not."""

    code = "shadow_refused"
    status = 409


@dataclass(slots=True)
class Report:
    """The grades of a trial beside those in force.

    `classes`: subject kind → class → [in force, in the shadow]. Of who stands under both, `same`, `better` and `worse` say
    how the shadow's class compares by its place from the best; `only_shadow` and `only_in_force` stand under one alone.
    `differ`: the first of them, the farthest apart first. `as_of`: the day as of which the trial was graded (ISO; "" before it
    was), where those in force are of today: time alone moves some between the two days.
    """

    proposal: int
    scheme: str
    classes: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    same: int = 0
    better: int = 0
    worse: int = 0
    only_shadow: int = 0
    only_in_force: int = 0
    differ: list[dict[str, Any]] = field(default_factory=list)
    as_of: str = ""


def switch(number: int, *, on: bool, by: str, now: int, today: date) -> tuple[SchemeProposal, bool]:
    """Begin or stop to grade a proposal alongside; says whether that is new. Switched off, its grades are removed.

    Safe to repeat. Raises ProposalNotFound, and ShadowRefused for a proposal whose content was not checked, that is over or in force, and for
    more than three at a time.
    """
    sweep(number)  # what a run that was still at work left of an earlier trial would pass for graded
    proposal, new = _switch(number, on=on, by=by, now=now, today=today)
    sweep(number)
    return proposal, new


def _switch(number: int, *, on: bool, by: str, now: int, today: date) -> tuple[SchemeProposal, bool]:
    with ledger.writing(now=now, schemes=[]):
        proposal = scheme_proposals.get(number)
        new = bool(proposal.shadow) != on
        if new and on:
            _may_begin(proposal, today)
        if new:
            proposal.shadow = on
            proposal.save(only=["shadow"])
            audit.note("scheme.shadowed", actor=by, subject=f"proposal {number}", now=now, on=on)
    return proposal, new


def _may_begin(proposal: SchemeProposal, today: date) -> None:
    if proposal.state not in book.TRIED:
        raise ShadowRefused(
            f"Proposal {proposal.id} is {proposal.state}: only one whose content was checked, and that is not over, is graded alongside."
        )
    if proposal.state == "approved" and proposal.from_day <= clock.day_number(today):
        raise ShadowRefused(f"Proposal {proposal.id} is in force: its grades are those of {proposal.scheme}.")
    running = [row.id for row in SchemeProposal.select(SchemeProposal.id).where(SchemeProposal.shadow)]
    if len(running) >= MOST:
        raise ShadowRefused(
            f"Proposals {', '.join(map(str, running))} are graded alongside already, and {MOST} are as many as may be. Switch one "
            f"off first: `xinheng scheme shadow {running[0]} --off`."
        )


def sweep(number: int) -> int:
    """Remove the grades of a proposal that is not graded alongside any more, in short transactions, and say how many there
    were. Nothing where it is."""
    name, removed = f"{book.SHADOW}{number}", 0
    for table in ("grade_state", "stale"):
        while True:
            with write():
                if _runs(number):  # it was switched on again meanwhile: what stands there now is its own
                    return removed
                rows = execute(
                    f"SELECT entity FROM {table} WHERE scheme = ? ORDER BY entity LIMIT ?",  # noqa: S608 (names are ours)
                    (name, CHUNK),
                ).fetchall()
                if not rows:
                    break
                execute(f"DELETE FROM {table} WHERE scheme = ? AND entity <= ?", (name, rows[-1][0]))  # noqa: S608
                removed += len(rows) if table == "grade_state" else 0
    with write():
        if not _runs(number):
            execute("DELETE FROM grade_run WHERE scheme = ?", (name,))
    return removed


def _runs(number: int) -> bool:
    return bool(SchemeProposal.select().where((SchemeProposal.id == number) & SchemeProposal.shadow).exists())


def turn_back(name: str, day: date) -> int:
    """Remove the grades of a trial as of a later day than `day`, and say how many there were: its first day was moved to an
    earlier one, and the next run grades it anew. Nothing for a scheme that is no trial."""
    removed = 0
    while name.startswith(book.SHADOW):
        with write():
            rows = execute(
                "SELECT entity FROM grade_state WHERE scheme = ? AND day > ? ORDER BY entity LIMIT ?",
                (name, clock.day_number(day), CHUNK),
            ).fetchall()
            if not rows:
                break
            # Without a run on record everybody is new to the trial again, and is graded.
            execute("DELETE FROM grade_run WHERE scheme = ?", (name,))
            execute(
                "DELETE FROM grade_state WHERE scheme = ? AND day > ? AND entity <= ?",
                (name, clock.day_number(day), rows[-1][0]),
            )
            removed += len(rows)
    return removed


def end(today: date, *, by: str, now: int) -> int:
    """Stop the trials of proposals that are in force by today, and remove what any trial that is over has left; says how many
    grades were removed. Safe to repeat."""
    begun = SchemeProposal.select(SchemeProposal.id).where(
        SchemeProposal.shadow
        & (SchemeProposal.state == "approved")
        & (SchemeProposal.from_day <= clock.day_number(today))
    )
    for row in list(begun):
        _switch(row.id, on=False, by=by, now=now, today=today)
    over = SchemeProposal.select(SchemeProposal.id).where(~SchemeProposal.shadow).order_by(SchemeProposal.id)
    return sum(sweep(row.id) for row in list(over))


def report(number: int, *, divisions: Sequence[str] = ("",), most: int = 50) -> Report:
    """The trial beside what is in force, in the divisions with these prefixes; `most` of who differ are named.

    Two aggregates and one look-up over the present grades. Raises ShadowRefused where the proposal is not graded alongside.
    """
    proposal = scheme_proposals.get(number)
    if not proposal.shadow:
        raise ShadowRefused(_not_tried(proposal))
    found = Report(number, proposal.scheme)
    shadow = f"{book.SHADOW}{number}"
    within, bounds = in_sql(divisions, "e.division")
    rows = execute(
        "SELECT e.kind, n.class, n.rank, h.class, h.rank, count(*) FROM grade_state n JOIN entity e ON e.id = n.entity "  # noqa: S608
        "LEFT JOIN grade_state h ON h.scheme = ? AND h.entity = n.entity "
        f"WHERE n.scheme = ?{within} GROUP BY e.kind, n.class, n.rank, h.class, h.rank",
        (proposal.scheme, shadow, *bounds),
    ).fetchall()
    for kind, class_, rank, _, held, count in rows:
        found.classes.setdefault(kind, {}).setdefault(class_, [0, 0])[1] += count
        side = "only_shadow" if held is None else "same" if rank == held else "better" if rank < held else "worse"
        setattr(found, side, getattr(found, side) + count)
    held_rows = execute(
        "SELECT e.kind, n.class, count(*) FROM grade_state n JOIN entity e ON e.id = n.entity "  # noqa: S608
        f"WHERE n.scheme = ?{within} GROUP BY e.kind, n.class",
        (proposal.scheme, *bounds),
    ).fetchall()
    for kind, class_, count in held_rows:
        found.classes.setdefault(kind, {}).setdefault(class_, [0, 0])[0] += count
        found.only_in_force += count
    found.only_in_force -= found.same + found.better + found.worse
    found.classes = {kind: dict(sorted(by.items())) for kind, by in sorted(found.classes.items())}
    names = ("code", "name", "kind", "division", "class", "score", "shadow_class", "shadow_score")
    differ = execute(
        "SELECT coalesce(e.code, e.registration_no), e.name, e.kind, e.division, h.class, h.score, n.class, n.score "  # noqa: S608
        "FROM grade_state n JOIN grade_state h ON h.scheme = ? AND h.entity = n.entity JOIN entity e ON e.id = n.entity "
        f"WHERE n.scheme = ? AND n.rank <> h.rank{within} ORDER BY abs(n.rank - h.rank) DESC, e.id LIMIT ?",
        (proposal.scheme, shadow, *bounds, most),
    ).fetchall()
    found.differ = [dict(zip(names, row, strict=True)) for row in differ]
    last = execute("SELECT max(day) FROM grade_state WHERE scheme = ?", (shadow,)).fetchone()[0]
    found.as_of = "" if last is None else clock.day_of(last).isoformat()
    return found


def _not_tried(proposal: SchemeProposal) -> str:
    number, begin = proposal.id, f"`xinheng scheme shadow {proposal.id} --on`"
    if proposal.state == "approved":
        first = clock.day_of(proposal.from_day)
        return (
            f"Proposal {number} is approved, and its trial is over: from {first} on its grades are those of {proposal.scheme}, "
            f"which `xinheng scheme history {proposal.scheme}` tells of. Before that day it can be tried again: {begin}."
        )
    if proposal.state not in (*book.TRIED, "draft"):
        return f"Proposal {number} is {scheme_proposals.shown(proposal)}: its trial is over, and its grades were removed. Propose it again to try it."
    return (
        f"Proposal {number} is not graded alongside. Begin: {begin}, then `xinheng grade --due --scheme "
        f"{book.SHADOW}{number}`."
    )
