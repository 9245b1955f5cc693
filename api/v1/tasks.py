"""Tasks 任务: why anyone is inspected."""

from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import IdempotencyKeyMissing
from api.schemas.common import PageQuery
from api.schemas.work import TaskIn, TaskOut, TaskPage
from registry import clock
from registry.errors import BadCursor, IdempotencyConflict, TaskNotFound
from registry.models import Task
from registry.services import tasks

bp = Blueprint("tasks", __name__, url_prefix="/api/v1", description="检查任务 Tasks")
EXAMPLE = {
    "type": "random",
    "title": "2026年第四季度双随机抽查",
    "basis": "年度抽查工作计划",
    "items": ["登记事项检查", "公示信息检查"],
    "from_on": "2026-11-21",
    "to_on": "2026-12-31",
}


@bp.post("/tasks")
@allowed("tasks:write")
@bp.doc(**idempotency.document(required=True))
@takes(TaskIn(), example=EXAMPLE)
@gives(TaskOut(), 201, errors=[IdempotencyKeyMissing, IdempotencyConflict])
def create_task(given: dict[str, Any]) -> Response:
    """建立任务 Create a task of the key's organ. Needs the header Idempotency-Key."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        made = tasks.create(**given, organ=caller().organ, actor=caller().actor, now=here().now())
        return TaskOut().dump(_shown(made)), 201

    return idempotency.once(lambda: None, act, required=True)


@bp.get("/tasks")
@allowed("tasks:write")
@takes(PageQuery(), "query")
@gives(TaskPage(), errors=[BadCursor])
def list_tasks(query: dict[str, Any]) -> dict[str, Any]:
    """任务列表 Tasks of the key's organ, newest first."""
    found = tasks.page(organ=caller().organ, **query)
    return {"items": [_shown(task) for task in found.items], "next": found.next}


@bp.get("/tasks/<int(min=1, max=2147483647):number>")
@allowed("tasks:write")
@gives(TaskOut(), errors=[TaskNotFound])
def read_task(number: int) -> dict[str, Any]:
    """任务详情 One task of the key's organ."""
    return _shown(tasks.get(number, organ=caller().organ))


def _shown(task: Task) -> dict[str, Any]:
    return {**task.__data__, "created_at": clock.moment_text(task.created_at)}
