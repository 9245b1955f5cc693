"""Review of a result 审核: returned with an opinion, or approved; approved it is a record of the ledger and counts at once.

One transaction holds all of it: the spot check with who entered and who reviewed it, the entity's new grade, what follows of it.
"""

from datetime import date, timedelta
from typing import Any

from registry import clock
from registry.cells.personal import mask_personal
from registry.database import write
from registry.kinds import KINDS, Statement
from registry.kinds.spot_check import FOUND, OURS
from registry.models import Task, Visit, VisitDue, VisitResult
from registry.services import aliases, audit, grading, ledger, life, result_follow, results, tasks, visits
from registry.services.ledger import ORGAN, Pen
from registry.services.life import Change, Target
from registry.services.register_forms import METHODS
from registry.services.result_entry import CLEAR, FINDING
from registry.services.results import PARAMETERS, Desk, ResultConflict
from registry.services.reviews import ReasonMissing

KIND = KINDS["spot_check"]
# Slices of visits whose probability goes into the record. What a lot chose, and what came onto a list with a random slice for certain: a rate needs both.
WITH_A_CHANCE = ("draw", "random", "priority")
# With it begins the number of every result on record.
NUMBER = "信衡检查"
# Type of task → why it was checked (registry/kinds/spot_check.py PURPOSES); a re-check is a follow-up under any of them.
PURPOSES = {
    "random": "routine",
    "key_supervision": "routine",
    "special_campaign": "campaign",
    "complaint_or_report": "complaint",
}


def return_(number: int, organ: str, *, opinion: str, desk: Desk) -> tuple[VisitResult, bool]:
    """Return 退回 a result to who entered it, with what is wrong; returns it and whether that is new. Safe to repeat.

    Raises VisitNotFound, ResultNotFound, ResultElsewhere, SameHands for who entered it, ReasonMissing without an opinion,
    ResultConflict once it is approved.
    """
    with write():
        visit = visits.locked(number, desk)
        row = _reviewable(number, organ, desk)
        words = mask_personal(opinion.strip())
        if not words:
            raise ReasonMissing("A return needs an `opinion`: what is wrong with the result, so that it can be mended.")
        if row.state == "returned":
            return row, False
        if row.state != "entered":
            raise ResultConflict(results.stands(row, "It is corrected as a record from here on (`xinheng correct`)."))
        values = {"reviewed_by": desk.actor[:64], "reviewed_at": desk.now, "opinion": words}
        results.keep(row, state="returned", version=row.version + 1, **values)
        visits.step(visit, "result_returned", words, {"organ": organ, "version": row.version + 1}, desk)
        return results.get(number, organ), True


def approve(
    number: int, organ: str, *, opinion: str = "", desk: Desk
) -> tuple[VisitResult, list[dict[str, Any]], bool]:
    """Approve 审核通过 a result: it becomes a spot check of the ledger, reviewed, and the entity is regraded, in one transaction.

    Returns the result, what followed of it (see `result_follow.follow`; what was refused says why), and whether it is new.
    The visit is closed with the last of its organs. Safe to repeat: nothing is stored twice, and what followed is told again.

    Raises VisitNotFound, ResultNotFound, ResultElsewhere, SameHands for who entered it, ResultConflict where it was returned,
    the visit is not finished, or its record was withdrawn.
    """
    schemes = grading.schemes(desk.settings, desk.today)
    scheme = grading.scheme_named(desk.settings, on=desk.today)
    with ledger.writing(now=desk.now, schemes=schemes) as pen:
        visit = visits.locked(number, desk)
        row = _reviewable(number, organ, desk)
        if row.state in results.APPROVED:
            return row, result_follow.done(visit, organ), False
        if row.state != "entered":
            raise ResultConflict(results.stands(row, "It is entered anew first (`xinheng result enter`)."))
        if visit.visited_on is None:
            raise ResultConflict(
                f"Visit {number} is not finished, so it has no day yet. Finish it first (`xinheng visit finish {number}`); the other "
                "organs may enter theirs afterwards."
            )
        words = mask_personal(opinion.strip())
        entity = aliases.root(visit.entity)
        (outcome,) = pen.state([(entity, statement(visit, row, desk.today))], source=ORGAN)
        if outcome.said == "withdrawn":
            raise ResultConflict(
                f"The record of this result was withdrawn, as ledger row {outcome.seq}. {ledger.WITHDRAWN}"
            )
        pen.flush()
        # Whose words the record has: he may not review or publish them by other verbs either.
        audit.note("records.posted", actor=row.entered_by, subject="spot_check × 1", now=desk.now, seq=pen.seq)
        target = life.current(outcome.seq)
        _reviewed(pen, target, words, desk)
        pen.flush()
        grading.one_or_later(scheme, [entity], day=desk.today, now=desk.now)
        _moved_on(entity, visit.visited_on)
        last = desk.today + timedelta(days=PARAMETERS["recheck_ask"].on(desk.today).value)
        results.keep(
            row, state="approved", reviewed_by=desk.actor[:64], reviewed_at=desk.now, opinion=words, seq=outcome.seq,
            identity=target.identity, publish_by=results.publish_by(visit, desk.today), recheck_until=last, version=row.version + 1,
        )  # fmt: skip
        visits.step(visit, "result_approved", words, {"organ": organ, "record": outcome.seq}, desk)
        row = results.get(number, organ)
        followed = result_follow.follow(pen, visit, row, target, desk)
        _close(visit, desk)
        return row, followed, True


def statement(visit: Visit, row: VisitResult, today: date) -> Statement:
    """The spot check that a result is, checked as any other. Nothing of what inspectors wrote in words is in it: it is public."""
    task, items = visit.task, results.items_of(visit, row.organ)
    methods = {one["method"] for one in items} - {""}
    problems = {name: getattr(row, name) for name in FOUND}
    counted = row.outcome in (CLEAR, *FINDING) or any(problems.values())
    said = {
        "organ": row.organ, "document_no": number_of(visit), "checked_on": visit.visited_on,
        "results": [{"system": OURS, "code": str(row.outcome)}], "items": [one["name"][:200] for one in items],
        "type": tasks.TYPES.get(task.type, ""), "purpose": purpose(visit, task),
        **({"method": METHODS.terms[methods.pop()].zh} if len(methods) == 1 else {}),
        **(problems if counted else {}),
        **({"inclusion": visit.inclusion} if visit.slice in WITH_A_CHANCE and visit.inclusion else {}),
    }  # fmt: skip
    return KIND.state(KIND.schema(today=today).load(said))


def number_of(visit: Visit) -> str:
    """The number under which the results of a visit are on record, one for all its organs."""
    return number_of_ids(visit.task_id, visit.id)


def number_of_ids(task: int, visit: int) -> str:
    """The same, by the ids of task and visit."""
    return f"{NUMBER}{task}-{visit}"


def purpose(visit: Visit, task: Task) -> str:
    """Why the entity was checked, as the ledger says it (PURPOSES of spot checks)."""
    return "follow_up" if visit.slice == "recheck" else PURPOSES.get(task.type, "other")


def _reviewable(number: int, organ: str, desk: Desk) -> VisitResult:
    row = results.get(number, organ)
    results.own(row, desk)
    life.two_keys(desk.actor[:64], [row.entered_by], what="review it", did="entered this result")
    return row


def _reviewed(pen: Pen, target: Target, words: str, desk: Desk) -> None:
    """Put the review of the record on record, as `reviews.review` does, inside this transaction."""
    values = {"outcome": "passed", "reviewed_by": desk.actor[:64], "reviewed_at": desk.now, "reason": words}
    change = Change("review", {"identity": target.identity, "content": target.content}, values)
    done = life.step(pen, "reviewed", target, [change], on=desk.today, by=desk.actor, reason=words, outcome="passed")
    audit.note(
        "record.reviewed", actor=desk.actor, subject=f"record {target.seq}", now=desk.now, by=done.seq, outcome="passed"
    )


def _moved_on(entity: int, day: date) -> None:
    """Move the last day of the entity's next visit by as much as this one came after the last.

    One without a visit before has no interval to be read off: it is due no more until the nightly job says when.
    """
    visited = clock.day_number(day)
    VisitDue.delete().where((VisitDue.entity == entity) & VisitDue.last_day.is_null()).execute()
    VisitDue.update(due_day=VisitDue.due_day + (visited - VisitDue.last_day), last_day=visited).where(
        (VisitDue.entity == entity) & (VisitDue.last_day < visited)
    ).execute()


def _close(visit: Visit, desk: Desk) -> None:
    """Close a visit once the results of all its organs are approved."""
    approved = {
        one.organ
        for one in VisitResult.select(VisitResult.organ).where(
            (VisitResult.visit == visit.id) & VisitResult.state.in_(results.APPROVED)
        )
    }
    if visit.state == "finished" and set(results.expected(visit)) <= approved:
        visit.state = "closed"
        visits.step(visit, "closed", "", {}, desk)
