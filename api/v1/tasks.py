"""Tasks 检查任务: why anyone is inspected; made by one person, approved by another."""

from collections.abc import Callable
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, own_organ
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import IdempotencyKeyMissing
from api.schemas import tasks as shapes
from api.schemas.listings import DocumentOut
from api.v1.paper import row
from api.v1.papers import printed, shown
from registry import clock
from registry.errors import BadCursor, IdempotencyConflict, TaskNotFound
from registry.models import Task
from registry.services import inspection_papers, tasks
from registry.services.documents import BadDocument, DocumentNotFound, UnknownOrgan
from registry.services.draw_errors import DrawConflict
from registry.services.items import UnknownItem
from registry.services.life import SameHands
from registry.services.tasks import Desk, TaskConflict, TaskElsewhere, TaskNotApproved, TaskRefused

bp = Blueprint("tasks", __name__, url_prefix="/api/v1", description="检查任务 Tasks")
EXAMPLE = {
    "type": "random",
    "title": "2026年第四季度双随机抽查",
    "basis": "年度抽查工作计划",
    "items": ["登记事项检查", "公示信息检查"],
    "from_on": "2026-11-21",
    "to_on": "2026-12-31",
}
ONE = "/tasks/<int(min=1, max=2147483647):number>"
ERRORS = [TaskNotFound, TaskElsewhere, TaskConflict, TaskRefused, IdempotencyConflict]


@bp.post("/tasks")
@allowed("tasks:write")
@bp.doc(**idempotency.document(required=True))
@takes(shapes.TaskIn(), example=EXAMPLE)
@gives(
    shapes.TaskOut(), 201, errors=[TaskRefused, UnknownItem, IdempotencyKeyMissing, IdempotencyConflict]
)  # fmt: skip
def create_task(given: dict[str, Any]) -> Response:
    """建立任务 Create a task of the key's organ: a draft, until another person approves it. Needs the header Idempotency-Key."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        at, who = here(), caller()
        made = tasks.create(**given, organ=own_organ(), actor=who.actor, now=at.now(), today=at.today())
        return shapes.TaskOut().dump(_shown(made)), 201

    return idempotency.once(lambda: None, act, required=True)


@bp.get("/tasks")
@allowed("tasks:write")
@takes(shapes.TasksQuery(), "query")
@gives(shapes.TaskPage(), errors=[BadCursor])
def list_tasks(query: dict[str, Any]) -> dict[str, Any]:
    """任务列表 Tasks of the key's organ and those that it is a partner of, newest first."""
    found = tasks.page(organ=own_organ(), **query)
    return {"items": [_shown(task) for task in found.items], "next": found.next}


@bp.get(ONE)
@allowed("tasks:write")
@gives(shapes.TaskOut(), errors=[TaskNotFound])
def read_task(number: int) -> dict[str, Any]:
    """任务详情 One task of the key's organ, or one that it is a partner of, with its checklist and its visits by state."""
    return _whole(tasks.seen(number, organ=own_organ()))


@bp.post(f"{ONE}/approve")
@allowed("tasks:approve")
@bp.doc(**idempotency.document())
@takes(shapes.TaskSaidIn(), example={"said": "同意，按计划组织实施。"})
@gives(shapes.TaskOut(), 201, also=200, errors=[*ERRORS, SameHands])
def approve_task(given: dict[str, Any], number: int) -> Response:
    """批准任务 Approve a task as another person than made it. Safe to repeat."""
    return _verb(lambda: tasks.approve(number, **given, desk=_desk()))


@bp.post(f"{ONE}/refuse")
@allowed("tasks:approve")
@bp.doc(**idempotency.document())
@takes(shapes.TaskWhyIn(), example={"said": "检查依据不足，请补充。"})
@gives(shapes.TaskOut(), 201, also=200, errors=[*ERRORS, SameHands])
def refuse_task(given: dict[str, Any], number: int) -> Response:
    """不予批准 Refuse a task as another person than made it, and say why. Safe to repeat."""
    return _verb(lambda: tasks.refuse(number, **given, desk=_desk()))


@bp.post(f"{ONE}/close")
@allowed("tasks:write")
@bp.doc(**idempotency.document())
@takes(shapes.TaskSaidIn(), example={"said": "全部检查已办结。"})
@gives(shapes.TaskOut(), 201, also=200, errors=[*ERRORS, DrawConflict])
def close_task(given: dict[str, Any], number: int) -> Response:
    """办结任务 Close a task whose visits are all done; its draw is revealed. Safe to repeat."""
    return _verb(lambda: tasks.close(number, **given, desk=_desk()))


@bp.post(f"{ONE}/cancel")
@allowed("tasks:write")
@bp.doc(**idempotency.document())
@takes(shapes.TaskWhyIn(), example={"said": "与上级专项行动重复。"})
@gives(shapes.TaskOut(), 201, also=200, errors=ERRORS)
def cancel_task(given: dict[str, Any], number: int) -> Response:
    """撤销任务 Cancel a task of which nothing was begun and nothing drawn, and say why. Safe to repeat."""
    return _verb(lambda: tasks.cancel(number, **given, desk=_desk()))


@bp.post(f"{ONE}/approval")
@allowed("tasks:write")
@bp.doc(**idempotency.document())
@gives(
    DocumentOut(),
    201,
    also=200,
    errors=[TaskNotFound, TaskElsewhere, TaskNotApproved, UnknownOrgan, BadDocument, IdempotencyConflict],
)
def issue_approval_form(number: int) -> Response:
    """检查审批表 Issue the approval form of an approved task under the next number of its series. Safe to repeat."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        made, new = inspection_papers.approval_form(number, settings=here().settings, desk=_desk())
        return shown(made), 201 if new else 200

    return idempotency.once(lambda: None, act)


@bp.get(f"{ONE}/approval.html")
@allowed("tasks:write")
@gives(None, errors=[TaskNotFound, DocumentNotFound], content_type="text/html")
def print_approval_form(number: int) -> Response:
    """打印检查审批表 The approval form of a task as a page to print, A4; it loads nothing."""
    task = tasks.seen(number, organ=own_organ())
    return printed(inspection_papers.last("inspection_approval", f"task:{number}", organ=task.organ))


def _desk() -> Desk:
    at, who = here(), caller()
    return Desk(who.actor, own_organ(), at.today(), at.now())


def _verb(verb: Callable[[], tuple[Task, bool]]) -> Response:
    def act(_: None) -> tuple[dict[str, Any], int]:
        task, new = verb()
        dumped: dict[str, Any] = shapes.TaskOut().dump(_whole(task))
        return dumped, 201 if new else 200

    return idempotency.once(lambda: None, act)


def _shown(task: Task) -> dict[str, Any]:
    found = row(task)
    moments = {
        name: None if found[name] is None else clock.moment_text(found[name])
        for name in ("created_at", "decided_at", "ended_at")
    }
    codes = [one["code"] for one in found.pop("checklist")]
    return {**found, **moments, "item_codes": codes}


def _whole(task: Task) -> dict[str, Any]:
    return {**_shown(task), "checklist": task.checklist, "visits": tasks.visits_by_state(task.id)}
