"""Re-check 复查 that an enterprise asks for within fifteen days of a result: asked, then granted with a visit, or answered in words."""

from collections.abc import Collection
from typing import Any

from registry.cells.personal import mask_personal
from registry.database import dicts, write
from registry.errors import RegistryError
from registry.models import Visit, VisitResult, VisitStep
from registry.services import life, result_follow, results, tasks, visits, workdays
from registry.services.results import PARAMETERS, Desk, ResultConflict, ResultNotFound
from registry.services.reviews import ReasonMissing
from registry.services.visits import VisitNotFound


class RecheckClosed(RegistryError):
    """A re-check was asked for outside the days in which that is possible."""

    code = "recheck_closed"
    status = 409


def ask(number: int, organ: str, *, why: str, entities: Collection[int] | None, desk: Desk) -> tuple[VisitResult, bool]:
    """Ask for a re-check of a result, for a reason; returns the result and whether that is new. Safe to repeat.

    `entities` is the enterprise itself where it comes itself: it asks about its own results only, and learns of no other.
    Raises VisitNotFound, ResultNotFound (also before the result is approved: nobody was told of it), ReasonMissing,
    RecheckClosed after the last day, with the days.
    """
    with write():
        try:
            visit = visits.locked(number, visits.Desk(desk.actor, "", desk.today, desk.now))
        except VisitNotFound:
            # An enterprise is not told how many visits there are to others.
            if entities is None:
                raise
            visit = None
        row = results.found(number, organ)
        theirs = visit is not None and (entities is None or visit.entity in entities)
        if visit is None or not theirs or row is None or row.state not in results.APPROVED:
            raise ResultNotFound(f"There is no result of visit {number} by {organ} of which you were told. GET /api/v1/own/results lists yours.")  # fmt: skip
        if row.recheck_asked_on is not None:
            return row, False
        words = mask_personal(why.strip())
        if not words:
            raise ReasonMissing("Say what is to be looked at again and why (`why`).")
        if row.recheck_until is None or desk.today > row.recheck_until:
            raise RecheckClosed(
                f"A re-check of the result of visit {number} could be asked for until {row.recheck_until}; today is {desk.today}. An objection "
                f"to its record stays possible: POST /api/v1/records/spot_check/{row.seq}/objection."
            )
        results.keep(row, recheck_asked_on=desk.today, version=row.version + 1)
        visits.step(visit, "recheck_asked", words, {"organ": organ}, desk)
        return results.get(number, organ), True


def answer(number: int, organ: str, *, granted: bool, said: str = "", desk: Desk) -> tuple[Visit | None, bool]:
    """Grant a re-check with a visit to be made within fifteen working days (parameter `recheck_within`), or answer in words.

    Returns the visit (None where it was not granted) and whether that is new. Safe to repeat. Raises VisitNotFound,
    ResultNotFound, ResultElsewhere, SameHands for who asked, ReasonMissing where it is not granted and nothing is said,
    ResultConflict where nobody asked, or it was answered otherwise.
    """
    with write():
        # The task may not end while a visit is made under it.
        tasks.hold()
        visit = visits.locked(number, desk)
        row = results.get(number, organ)
        results.own(row, desk)
        asked = results.steps_of(number, "recheck_asked", organ)
        if not asked:
            raise ResultConflict(results.stands(row, "Nobody has asked for a re-check of it."))
        life.two_keys(desk.actor[:64], [asked[-1]["by"]], what="answer it", did="asked for this re-check")
        words = mask_personal(said.strip())
        refused = results.steps_of(number, "recheck_refused", organ)
        made = results.steps_of(number, "recheck_granted", organ)
        if (granted and refused) or (not granted and made):
            raise ResultConflict(f"The re-check of visit {number} was {'refused' if refused else 'granted'} by {(refused or made)[-1]['by']} already.")  # fmt: skip
        if refused:
            return None, False
        if made:
            return Visit.get_by_id(made[-1]["detail"]["number"]), False
        if not granted:
            if not words:
                raise ReasonMissing(
                    "A re-check that is not granted needs a written answer (`said`): the enterprise reads it."
                )
            visits.step(visit, "recheck_refused", words, {"organ": organ}, desk)
            return None, True
        by = workdays.due(desk.today, PARAMETERS["recheck_within"].on(desk.today).value)
        again = result_follow.recheck(visit, organ, by=by, said=words, desk=desk)
        visits.step(visit, "recheck_granted", words, {"organ": organ, "number": again.id}, desk)
        return again, True


def own(entities: Collection[int], limit: int = 50) -> list[dict[str, Any]]:
    """The results that an enterprise was told of, newest first, with until when it may ask for a re-check and what was answered.

    Nothing of what inspectors wrote for themselves, of leads, or of how it was chosen. Two queries.
    """
    rows = dicts(
        VisitResult.select(VisitResult, Visit.visited_on.alias("visited_on"))
        .join(Visit)
        .where(Visit.entity.in_(list(entities)) & VisitResult.state.in_(results.APPROVED))
        .order_by(VisitResult.visit.desc(), VisitResult.organ)
        .limit(limit)
    )
    answers = VisitStep.select().where(
        VisitStep.visit.in_([row["visit"] for row in rows]) & VisitStep.act.in_(("recheck_granted", "recheck_refused"))
    )
    answered = {
        (one["visit"], one["detail"]["organ"]): {"granted": one["act"] == "recheck_granted", "said": one["said"]}
        for one in dicts(answers)
    }
    names = ("visit", "organ", "outcome", "visited_on", "published_on", "recheck_until", "recheck_asked_on", "seq")
    return [
        {name: row[name] for name in names} | {"answer": answered.get((row["visit"], row["organ"]))} for row in rows
    ]
