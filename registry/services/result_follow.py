"""What follows of an approved result: a listing for who cannot be found, a case lead, an order to correct, a re-check.

All of it in the transaction that approves. What the law or a missing setting refuses is kept as a step of the visit, with its
reason, and told; `again` makes up for it once the reason is gone. Each follow-up is made once for a visit and organ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry.cells.personal import mask_personal
from registry.database import db
from registry.errors import RegistryError
from registry.models import CaseLead, Entity, InspectionList, InspectionListRow, Task, Visit, VisitResult, VisitStep
from registry.services import (
    abnormal_list,
    documents,
    grading,
    ledger,
    life,
    result_entry,
    results,
    visit_rows,
    visits,
    workdays,
)
from registry.services.ledger import Pen
from registry.services.life import Target
from registry.services.result_entry import REFUSED, UNREACHABLE
from registry.services.results import PARAMETERS, Desk, ResultConflict

# Ground of the abnormal-operation list: not reached at the registered address.
UNREACHABLE_GROUND = 4
# Act of the step → what it is called in an answer.
ACTS = {
    "listing_opened": "abnormal_listing", "lead_opened": "case_lead", "order_issued": "order", "recheck_made": "recheck",
    "copied": "copied",
}  # fmt: skip
NOT_DONE = "follow_refused"
SERIOUS = (
    "A refusal alone lists nobody: a case of the serious-violation list rests on a penalty. File the lead, and open the case with "
    "the penalty's record (`xinheng listing open`)."
)


@dataclass(frozen=True, slots=True)
class _At:
    """What every follow-up is told."""

    pen: Pen
    visit: Visit
    row: VisitResult
    target: Target
    desk: Desk


def follow(pen: Pen, visit: Visit, row: VisitResult, target: Target, desk: Desk) -> list[dict[str, Any]]:
    """Do what follows of a result that was just approved, inside that transaction: [{what, said, number, why}].

    what: abnormal_listing, case_lead, order, recheck, copied. said: done, or refused, then `why` says the reason. number: of the case, lead, document or visit; None for what was refused, and for an organ that is told.
    """
    at = _At(pen, visit, row, target, desk)
    before = {one["what"] for one in done(visit, row.organ) if one["said"] == "done"}
    for act, verb in _wanted(row):
        if ACTS[act] not in before:
            _attempt(act, verb, at)
    return done(visit, row.organ)


def again(number: int, organ: str, *, desk: Desk) -> list[dict[str, Any]]:
    """Do what of it was refused or is missing, now that the reason is gone. Safe to repeat: what was done is not done twice.

    Raises VisitNotFound, ResultNotFound, ResultElsewhere, ResultConflict where the result is not approved, RecordConflict where
    its record was withdrawn.
    """
    schemes = grading.schemes(desk.settings, desk.today)
    with ledger.writing(now=desk.now, schemes=schemes) as pen:
        visit = visits.locked(number, desk)
        row = results.get(number, organ)
        results.own(row, desk)
        if row.state not in results.APPROVED:
            raise ResultConflict(results.stands(row, "Nothing follows of it before it is approved."))
        assert row.identity is not None
        target = life.target_of(row.identity)
        life.alive(target)
        return follow(pen, visit, row, target, desk)


def done(visit: Visit, organ: str) -> list[dict[str, Any]]:
    """What followed of the result of an organ, in order, and what was refused and not made up for since."""
    rows = VisitStep.select().where(VisitStep.visit == visit.id).order_by(VisitStep.number)
    mine = [one for one in rows if one.detail.get("organ") == organ and one.act in (*ACTS, NOT_DONE)]
    there = {ACTS[one.act]: _told(ACTS[one.act], "done", one) for one in mine if one.act in ACTS}
    refused = {one.detail["what"]: _told(one.detail["what"], "refused", one) for one in mine if one.act == NOT_DONE}
    return [*there.values(), *(told for what, told in refused.items() if what not in there)]


def recheck(visit: Visit, organ: str, *, by: date, said: str, desk: Desk) -> Visit:
    """The visit that re-checks another one, to be made by a day, inside its verb's transaction; that which is there, if one is.

    It stands on a list of its own under the same task, or, where that is over, under a draft that a second person approves
    as any other: nothing is inspected without a task.
    """
    made: Visit | None = Visit.get_or_none(Visit.follows == visit.id)
    if made is None:
        task = visit.task if visit.task.state == "approved" else _task_again(visit, by, desk)
        row = visits.sheet_of(visit)
        entity = Entity.get_by_id(visit.entity)
        copied = {
            name: getattr(row, name)
            for name in InspectionListRow._meta.fields
            if name not in ("list", "position", "tour")
        }
        list_ = InspectionList.create(
            task=task, scheme=visit.list.scheme, filters={"recheck": visit.id}, known=ledger.head(), size=1,
            created_by=desk.actor[:64], created_at=desk.now,
        )  # fmt: skip
        now = {"name": entity.name, "address": entity.address, "division": entity.division}
        InspectionListRow.insert(**{**copied, **now, "list": list_.id, "position": 1, "tour": 1}).execute()
        (number,) = visit_rows.write(
            list_, task, [(1, visit.entity, "recheck", 0, "")], token_seed=desk.token_seed, now=desk.now
        )
        Visit.update(follows=visit.id, recheck_by=by).where(Visit.id == number).execute()
        made = Visit.get_by_id(number)
    assert isinstance(made, Visit)
    if not results.steps_of(visit.id, "recheck_made", organ):
        detail = {"organ": organ, "number": made.id, "recheck_by": str(made.recheck_by)}
        visits.step(visit, "recheck_made", said, detail, desk)
    return made


def _task_again(visit: Visit, by: date, desk: Desk) -> Task:
    """A draft like the task of a visit that is over, for its re-check; there is one for all re-checks of that visit."""
    old = visit.task
    made: Task = Task.create(
        type=old.type, title=f"复查：{old.title}"[:200], basis=old.basis, organ=old.organ, partners=old.partners, items=old.items,
        checklist=old.checklist, from_on=desk.today, to_on=by, created_by=desk.actor[:64], created_at=desk.now,
    )  # fmt: skip
    return made


def _wanted(row: VisitResult) -> list[tuple[str, Callable[[_At], tuple[int | None, str]]]]:
    found: list[tuple[str, Callable[[_At], tuple[int | None, str]]]] = []
    if row.outcome == UNREACHABLE:
        found.append(("listing_opened", _list))
    if row.disposal == "lead" or row.outcome == REFUSED:
        found.append(("lead_opened", _lead))
    if row.disposal == "order":
        found += [("order_issued", _order), ("recheck_made", _order_recheck)]
    if row.disposal == "copied":
        found.append(("copied", _copy))
    return found


def _attempt(act: str, verb: Callable[[_At], tuple[int | None, str]], at: _At) -> None:
    """One follow-up in a savepoint: where it is refused, nothing of it stays and the refusal is kept."""
    # What waits in the pen must not be written inside a savepoint that may be rolled back.
    at.pen.flush()
    try:
        with db.atomic():
            number, said = verb(at)
            at.pen.flush()
    except RegistryError as error:
        if error.status >= 500:
            raise
        words = mask_personal(error.detail)
        if [one["detail"]["what"] for one in _refusals(at) if one["said"] == words].count(ACTS[act]) == 0:
            detail = {"organ": at.row.organ, "what": ACTS[act]}
            visits.step(at.visit, NOT_DONE, words, detail, at.desk)
        return
    if act != "recheck_made":
        told = {} if number is None else {"number": number}
        visits.step(at.visit, act, said, {"organ": at.row.organ} | told, at.desk)


def _refusals(at: _At) -> list[dict[str, Any]]:
    return results.steps_of(at.visit.id, NOT_DONE, at.row.organ)


def _list(at: _At) -> tuple[int, str]:
    assert at.visit.visited_on is not None
    entity = at.target.entity
    facts = f"{documents.chinese_date(at.visit.visited_on)}，本机关对其登记的住所（经营场所）进行检查，通过该住所（经营场所）无法取得联系。"
    case, _ = abnormal_list.start_listing(
        at.pen, entity.code or entity.registration_no or "", ground=UNREACHABLE_GROUND, facts=facts, year=None, order="",
        verified_on=at.visit.visited_on, batch="", desk=_papers(at),
    )  # fmt: skip
    return case.id, ""


def _lead(at: _At) -> tuple[int, str]:
    refusal = at.row.outcome == REFUSED
    found = _problems(at)
    facts = "；".join(([f"拒绝、阻挠检查：{at.row.said}"] if refusal else []) + found + ([at.row.said] if at.row.said and not refusal else []))  # fmt: skip
    CaseLead.insert(
        visit=at.visit.id, organ=at.row.organ, entity=at.target.entity.id, facts=facts, opened_on=at.desk.today
    ).on_conflict_ignore().execute()
    made = CaseLead.get((CaseLead.visit == at.visit.id) & (CaseLead.organ == at.row.organ))
    return made.id, SERIOUS if refusal else ""


def _order(at: _At) -> tuple[int, str]:
    row, papers = at.row, _papers(at)
    assert row.correct_by is not None
    days = (row.correct_by - at.desk.today).days
    if days < 1:
        raise documents.BadDocument(
            f"The last day of the order, {row.correct_by}, has passed, so it cannot be issued any more. The re-check shows what became of it; "
            "where it is still to be ordered, issue one by itself (`xinheng document issue`)."
        )
    items = results.items_of(at.visit, row.organ)
    made = documents.issue(
        at.pen, documents.number("order_correct", papers), desk=papers, entity=at.target.entity, about=at.target.identity,
        variables={
            "facts": "；".join(_problems(at)), "basis": result_entry.basis(row.items, items) or at.visit.task.basis,
            "demand": row.said, "days": str(days), "contact": papers.organ.contact,
        },
    )  # fmt: skip
    return made.id, made.printed_no


def _order_recheck(at: _At) -> tuple[int, str]:
    assert at.row.correct_by is not None
    by = workdays.due(at.row.correct_by, PARAMETERS["recheck_within"].on(at.desk.today).value)
    return recheck(at.visit, at.row.organ, by=by, said="", desk=at.desk).id, ""


def _copy(at: _At) -> tuple[None, str]:
    told = results.steps_of(at.visit.id, "result_entered", at.row.organ)[-1]["detail"]["copied_to"]
    return None, str(told)


def _papers(at: _At) -> documents.Desk:
    return documents.desk(
        at.desk.settings, organ=at.row.organ, actor=at.desk.actor, today=at.desk.today, now=at.desk.now, schemes=at.pen.schemes
    )  # fmt: skip


def _problems(at: _At) -> list[str]:
    return result_entry.problems(at.row.items, results.items_of(at.visit, at.row.organ))


def _told(what: str, said: str, one: VisitStep) -> dict[str, Any]:
    return {"what": what, "said": said, "number": one.detail.get("number"), "why": one.said}
