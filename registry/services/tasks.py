"""Tasks 任务: why anyone is inspected. Nothing is inspected without one."""

from datetime import date

from registry import cursor
from registry.database import write
from registry.errors import TaskNotFound
from registry.models import Task
from registry.page import Page
from registry.services import audit

TYPES = {
    "random": "双随机抽查",
    "key_supervision": "重点监管",
    "special_campaign": "专项检查",
    "complaint_or_report": "投诉举报核查",
    "transferred_lead": "转办交办线索",
    "statutory": "法定检查",
}


def create(
    *, type: str, title: str, basis: str, organ: str, items: list[str], from_on: date, to_on: date, actor: str, now: int
) -> Task:
    """Create a task of an organ: its type, legal basis, what is checked, and from when to when."""
    with write():
        task: Task = Task.create(
            type=type,
            title=title,
            basis=basis,
            organ=organ,
            items=items,
            from_on=from_on,
            to_on=to_on,
            created_by=actor,
            created_at=now,
        )
        audit.note("task.created", actor=actor, subject=f"task {task.id}", now=now, type=type)
        return task


def get(number: int, *, organ: str) -> Task:
    """Return a task of one's own organ. Raises TaskNotFound."""
    task = Task.get_or_none((Task.id == number) & (Task.organ == organ))
    if task is None:
        raise TaskNotFound(f"{organ} has no task {number}. POST /api/v1/tasks makes one.")
    assert isinstance(task, Task)
    return task


def page(*, organ: str, after: str | None, limit: int) -> Page[Task]:
    """Tasks of one organ, newest first."""
    query = Task.select().where(Task.organ == organ)
    if after is not None:
        query = query.where(Task.id < cursor.decode(after, int)[0])
    rows = list(query.order_by(Task.id.desc()).limit(limit + 1))
    return Page(rows[:limit], cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)
