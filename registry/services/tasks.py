"""Tasks 检查任务: why anyone is inspected. Nothing is inspected without one, and not before a second person approved it.

draft 待审批 → approved 已批准 (or refused 未批准) → closed 已办结; a task of which no visit was begun may be cancelled 已撤销. A joint task 部门联合抽查
has partners: organs that see it and make their part of its visits. docs/tasks-and-visits.md tells the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from peewee import SQL, fn

from registry import cursor
from registry.cells.personal import mask_personal
from registry.database import dicts, execute, is_postgres, write
from registry.errors import RegistryError, TaskNotFound
from registry.models import Draw, InspectionList, Task, Visit
from registry.page import Page
from registry.services import audit
from registry.services import items as catalogue
from registry.services.life import SameHands

TYPES = {
    "random": "双随机抽查",
    "key_supervision": "重点监管",
    "special_campaign": "专项检查",
    "complaint_or_report": "投诉举报核查",
    "transferred_lead": "转办交办线索",
    "statutory": "法定检查",
}
STATES = {"draft": "待审批", "refused": "未批准", "approved": "已批准", "closed": "已办结", "cancelled": "已撤销"}
# Visits that still have something to be done, and those that were begun.
UNDONE = ("open", "assigned", "started", "finished")
BEGUN = ("started", "finished", "closed")
LONGEST_TEXT, MOST_PARTNERS = 2_000, 20
# Days from the first to the last: five years. A longer task is a slip of the pen, and every plan counts its working days.
MOST_DAYS = 1_827


class TaskNotApproved(RegistryError):
    """The task is not approved, or not any more: nothing may be drawn, assigned or begun under it."""

    code = "task_not_approved"
    status = 409


class TaskConflict(RegistryError):
    """What was asked for does not follow from where the task stands."""

    code = "task_conflict"
    status = 409


class TaskRefused(RegistryError):
    """A task, or a step with one, that lacks something."""

    code = "task_refused"
    status = 422


class TaskElsewhere(RegistryError):
    """The task is led by another organ: its partners see it and work their part, and decide nothing about it."""

    code = "task_elsewhere"
    status = 403


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, for which organ (empty at a terminal, which works for every organ), and when (milliseconds UTC)."""

    actor: str
    organ: str
    today: date
    now: int


def create(
    *, type: str, title: str, basis: str, organ: str, items: Sequence[str] = (), item_codes: Sequence[str] = (),
    partners: Sequence[str] = (), from_on: date, to_on: date, actor: str, now: int, today: date | None = None,
) -> Task:  # fmt: skip
    """Create a task of an organ: its type, legal basis, what is checked, and from when to when. It is a draft until approved.

    What is checked are texts (`items`), codes of the list of items (`item_codes`), or both; the coded ones are frozen into
    the task as they stand on `today` (default: its first day), with the questions of their checklists. Raises TaskRefused
    where nothing is to be checked, no organ leads it, a partner is the organ itself, or it lasts longer than five years; UnknownItem for a code that is not on the list.
    """
    if not organ.strip():
        raise TaskRefused("A task is led by an organ, and whoever makes this one acts for none. Use a key of the organ, or name it.")  # fmt: skip
    checklist: list[dict[str, Any]] = []
    if item_codes:
        checklist = catalogue.named(list(dict.fromkeys(item_codes)), today or from_on)
    texts = list(dict.fromkeys([*items, *(one["name"] for one in checklist)]))
    if not texts:
        raise TaskRefused("Nothing is to be checked. Give at least one item as text (`items`) or by its code (`item_codes`).")  # fmt: skip
    others = list(dict.fromkeys(name.strip() for name in partners if name.strip()))
    if organ in others:
        raise TaskRefused(f"{organ} leads this task and cannot be its own partner. Leave it out of `partners`.")
    if len(others) > MOST_PARTNERS:
        raise TaskRefused(f"{len(others)} partners are too many; a task has at most {MOST_PARTNERS}.")
    if (to_on - from_on).days > MOST_DAYS:
        raise TaskRefused(
            f"A task from {from_on} to {to_on} lasts longer than five years. Give an earlier last day (`to_on`)."
        )
    with write():
        task: Task = Task.create(
            type=type, title=title, basis=basis, organ=organ, partners=others, items=texts, checklist=checklist, from_on=from_on,
            to_on=to_on, created_by=actor[:64], created_at=now,
        )  # fmt: skip
        audit.note("task.created", actor=actor, subject=f"task {task.id}", now=now, type=type)
        return task


def approve(number: int, *, said: str = "", desk: Desk) -> tuple[Task, bool]:
    """Approve a draft, as another person than made it, with an opinion. Safe to repeat by the same person (second value False).

    Raises TaskNotFound, TaskElsewhere for a partner, SameHands, and TaskConflict where it was decided otherwise or by
    somebody else, or where its last day is over.
    """
    return _decide(number, "approved", _short(said), desk)


def refuse(number: int, *, said: str, desk: Desk) -> tuple[Task, bool]:
    """Refuse a draft, as another person than made it, and say why. Nothing follows it: make another task.

    Visits of lists that were pulled under it are dropped with it: else nobody on them could come onto a list or be drawn
    again. Raises as :func:`approve`.
    """
    return _decide(number, "refused", _words(said, "said", "why the task is refused"), desk)


def _decide(number: int, state: str, said: str, desk: Desk) -> tuple[Task, bool]:
    with write():
        if state == "refused":
            hold()
        task = locked(number, desk)
        if task.state == state and task.decided_by == desk.actor[:64]:
            return task, False
        if task.state != "draft":
            raise TaskConflict(_stands(task, "Only a draft can be approved or refused."))
        if task.created_by == desk.actor[:64]:
            raise SameHands(
                f"Task {number} was made by {task.created_by}. Another person must approve or refuse it 谁提出、谁不得审批."
            )
        if state == "approved" and task.to_on < desk.today:
            raise TaskConflict(f"Task {number} ended on {task.to_on}: nothing can be inspected under it. Make one with later days.")  # fmt: skip
        task.state, task.decided_by, task.decided_at, task.opinion = state, desk.actor[:64], desk.now, said
        task.save()
        if state == "refused":
            _drop(number, said)
        audit.note(f"task.{state}", actor=desk.actor, subject=f"task {number}", now=desk.now)
        return task, True


def close(number: int, *, said: str = "", desk: Desk) -> tuple[Task, bool]:
    """Close an approved task whose visits are all done; its draw is revealed in the same transaction. Safe to repeat.

    Raises TaskNotFound, TaskElsewhere; TaskConflict where it is not approved, a visit is not done (with how many in which
    state), or a draw was committed to and not run.
    """
    with write():
        hold()
        task = locked(number, desk)
        if task.state == "closed":
            return task, False
        if task.state != "approved":
            raise TaskConflict(_stands(task, "Only an approved task can be closed."))
        left = {state: count for state, count in visits_by_state(number).items() if state in UNDONE}
        if left:
            named = ", ".join(f"{count} {state}" for state, count in left.items())
            raise TaskConflict(
                f"Task {number} still has {sum(left.values())} visit(s) that are not done: {named}. Finish them and have their "
                f"results reviewed, or record why nobody was met; GET /api/v1/visits?task={number} lists them.",
                visits=left,
            )
        drawn = _draw(number)
        if drawn is not None and drawn.state == "committed":
            raise TaskConflict(
                f"Draw {drawn.id} of task {number} was committed to and not run. Run it, or declare it void with a reason."
            )
        task.state, task.ended_by, task.ended_at, task.ended_why = "closed", desk.actor[:64], desk.now, _short(said)
        task.save()
        if drawn is not None:
            # Not at the top: draws are made under tasks.
            from registry.services import draws

            draws.reveal(drawn, desk=desk)
        audit.note("task.closed", actor=desk.actor, subject=f"task {number}", now=desk.now)
        return task, True


def cancel(number: int, *, said: str, desk: Desk) -> tuple[Task, bool]:
    """Cancel a task of which nothing was begun, and say why; its visits are dropped with it. Safe to repeat.

    Raises TaskNotFound, TaskElsewhere; TaskConflict where it is closed or refused, a visit was begun, or there is a draw:
    a draw that could be thrown away with its task could be repeated until it pleases.
    """
    with write():
        hold()
        task = locked(number, desk)
        why = _words(said, "said", "why the task is cancelled")
        if task.state == "cancelled":
            return task, False
        if task.state not in ("draft", "approved"):
            raise TaskConflict(_stands(task, "Only a draft or an approved task can be cancelled."))
        drawn = _draw(number)
        if drawn is not None:
            raise TaskConflict(
                f"Task {number} has draw {drawn.id} ({drawn.state}). Before it is run, declare it void with a reason; once it is drawn, "
                "work its visits or record why nobody was met, and close the task."
            )
        _none_begun(number)
        task.state, task.ended_by, task.ended_at, task.ended_why = "cancelled", desk.actor[:64], desk.now, why
        task.save()
        _drop(number, why)
        audit.note("task.cancelled", actor=desk.actor, subject=f"task {number}", now=desk.now, why=why)
        return task, True


def approved(task: Task) -> None:
    """Raise TaskNotApproved unless a task is approved: nobody is drawn, assigned or visited under any other."""
    if task.state != "approved":
        follows = f"Another person approves it: POST /api/v1/tasks/{task.id}/approve." if task.state == "draft" else "Make another task."  # fmt: skip
        raise TaskNotApproved(
            f"Task {task.id} is {task.state} ({STATES[task.state]}), and only an approved one may be worked. {follows}"
        )


def growing(task: Task) -> None:
    """Raise TaskConflict unless a list may still be pulled under a task: a draft, or an approved one."""
    if task.state not in ("draft", "approved"):
        raise TaskConflict(_stands(task, "No list is pulled under it any more. Make another task."))


def get(number: int, *, organ: str) -> Task:
    """Return a task of one's own organ. Raises TaskNotFound."""
    task = Task.get_or_none((Task.id == number) & (Task.organ == organ))
    if task is None:
        raise TaskNotFound(f"{organ} has no task {number}. POST /api/v1/tasks makes one.")
    assert isinstance(task, Task)
    return task


def hold() -> None:
    """Wait for whoever makes visits (lists, draws, re-checks): none may come into being under a task that ends meanwhile.

    First in its transaction: everybody takes the head of the ledger before the rows of tasks and visits.
    """
    if is_postgres():
        execute("SELECT seq FROM ledger_head WHERE id = 1 FOR UPDATE")


def locked(number: int, desk: Desk) -> Task:
    """The task for a desk of the organ that leads it, held until the transaction ends. Raises TaskNotFound, TaskElsewhere."""
    if is_postgres():
        execute("SELECT id FROM task WHERE id = ? FOR UPDATE", (number,))
    task = seen(number, organ=desk.organ)
    if desk.organ and desk.organ != task.organ:
        raise TaskElsewhere(
            f"Task {number} is led by {task.organ}; {desk.organ} is its partner. Ask them to decide it."
        )
    return task


def seen(number: int, *, organ: str) -> Task:
    """Return a task of one's own organ, or one that it is a partner of; `organ` empty: any. Raises TaskNotFound."""
    task = Task.get_or_none(Task.id == number)
    if task is None or (organ and organ not in organs(task)):
        raise TaskNotFound(
            f"{organ or 'This registry'} has no task {number}. GET /api/v1/tasks and `xinheng task list` show them."
        )
    assert isinstance(task, Task)
    return task


def page(*, organ: str, after: str | None, limit: int, state: str = "") -> Page[Task]:
    """Tasks of one organ and those that it is a partner of, newest first; `organ` empty: of all."""
    query = Task.select()
    if organ:
        query = query.where(of_organ(organ))
    if state:
        query = query.where(Task.state == state)
    if after is not None:
        query = query.where(Task.id < cursor.decode(after, int)[0])
    rows = list(query.order_by(Task.id.desc()).limit(limit + 1))
    return Page(rows[:limit], cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def of_organ(organ: str) -> Any:
    """The condition that a task is led by an organ, or that the organ is its partner."""
    if is_postgres():
        partner = SQL("(SELECT id FROM task WHERE jsonb_exists(partners, %s))", [organ])
    else:
        partner = SQL("(SELECT task.id FROM task, json_each(task.partners) one WHERE one.value = ?)", [organ])
    return (Task.organ == organ) | Task.id.in_(partner)


def organs(task: Task) -> list[str]:
    """The organs that make a task's visits: who leads it, then its partners."""
    return [task.organ, *task.partners]


def visits_by_state(number: int) -> dict[str, int]:
    """How many visits of a task are in which state. One query; what a draw has not written to its end does not count."""
    counted = (
        Visit.select(Visit.state, fn.COUNT(Visit.id).alias("count"))
        .join(InspectionList)
        .where((Visit.task == number) & (InspectionList.size > 0))
    )
    return {row["state"]: row["count"] for row in dicts(counted.group_by(Visit.state).order_by(Visit.state))}


def _drop(number: int, why: str) -> None:
    """Drop the visits of a task that ends before they are made."""
    Visit.update(state="dropped", why=why, version=Visit.version + 1).where(
        (Visit.task == number) & Visit.state.in_(("open", "assigned"))
    ).execute()
    # Somebody may have entered while this waited for his visit: then all of it is undone.
    _none_begun(number)


def _none_begun(number: int) -> None:
    if begun := sum(count for state, count in visits_by_state(number).items() if state in BEGUN):
        raise TaskConflict(f"{begun} visit(s) of task {number} were begun. Finish the others or drop them, and close the task.")  # fmt: skip


def _draw(number: int) -> Draw | None:
    found = Draw.get_or_none((Draw.task == number) & (Draw.state != "void"))
    assert found is None or isinstance(found, Draw)
    return found


def _stands(task: Task, why: str) -> str:
    who = task.ended_by or task.decided_by or task.created_by
    return f"Task {task.id} is {task.state} ({STATES[task.state]}), by {who}. {why}"


def _words(text: str, name: str, what: str) -> str:
    if not text.strip():
        raise TaskRefused(f"The text `{name}` is missing. Say {what}.")
    return _short(text)


def _short(text: str) -> str:
    return mask_personal(text.strip())[:LONGEST_TEXT]
