"""Inspection lists 检查对象名单: pulled by a supervisor, frozen, read as one of two copies."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, require
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import IdempotencyKeyMissing, InvalidRequest
from api.schemas.work import MOST_ON_A_LIST, CopyQuery, ListIn, ListOut, ListPage, ListQuery
from registry import clock
from registry.errors import BadCursor, IdempotencyConflict, ListNotFound, NotADraw, NothingToList, TaskNotFound
from registry.kinds.registration import SUBJECTS
from registry.models import InspectionList, Task
from registry.services import lists, tasks
from registry.services.lists import Choice, Filters
from registry.sheets import safe

bp = Blueprint("lists", __name__, url_prefix="/api/v1", description="检查对象名单 Inspection lists")

HEADINGS = {
    "number": "序号", "code": "统一社会信用代码", "name": "名称", "kind": "主体类型", "division": "行政区划", "address": "住所",
}  # fmt: skip
FIELD = {"items": "检查事项", "basis": "检查依据"}
SUPERVISOR = {
    "class": "风险分类",
    "chance": "发现问题概率",
    "score": "得分",
    "graded_on": "评价日",
    "reasons": "主要理由",
}


@bp.post("/lists")
@allowed("tasks:write", "grades:read")
@bp.doc(**idempotency.document(required=True))
@takes(ListIn(), example={"task": 1, "size": 100, "classes": ["C", "D"], "division": "990101"})
@gives(ListOut(), 201, errors=[TaskNotFound, NotADraw, NothingToList, IdempotencyKeyMissing, IdempotencyConflict])
def pull_list(given: dict[str, Any]) -> Response:
    """生成名单 Pull a list under a task: the riskiest entities that fit, frozen. Needs the header Idempotency-Key.

    Needs `grades:read` too: who may ask for the riskiest ones, as often and as narrowly as he likes, learns the order.
    """
    scheme, who = here().scheme, caller()
    if strange := sorted(set(given["classes"]) - set(scheme.classes)):
        raise InvalidRequest(
            {"classes": [f"There is no class {', '.join(strange)}. Classes are: {', '.join(scheme.classes)}."]}
        )

    def prepare() -> tuple[Task, Choice]:
        filters = Filters(
            tuple(given["classes"]), given["division"], given["industry"], given["kind"], divisions=who.divisions
        )
        return tasks.get(given["task"], organ=who.organ), lists.choose(scheme, filters, size=given["size"])

    def act(prepared: tuple[Task, Choice]) -> tuple[dict[str, Any], int]:
        made = lists.freeze(*prepared, actor=who.actor, now=here().now())
        return ListOut().dump(_head(made)), 201

    return idempotency.once(prepare, act, required=True)


@bp.get("/lists/<int(min=1, max=2147483647):number>")
@allowed("lists:read")
@takes(ListQuery(), "query")
@gives(ListPage(), errors=[ListNotFound, BadCursor])
def read_list(query: dict[str, Any], number: int) -> dict[str, Any]:
    """读取名单 One page of a list. The field copy is in the order of the tour and holds no class, chance, score or reason."""
    found = _found(number, query["copy"])
    page = lists.page(
        found,
        field_copy=query["copy"] == "field",
        after=query["after"],
        limit=query["limit"],
        divisions=caller().divisions,
    )
    return {**_head(found), "copy": query["copy"], "items": page.items, "next": page.next}


@bp.get("/lists/<int(min=1, max=2147483647):number>.csv")
@allowed("lists:read")
@takes(CopyQuery(), "query")
@gives(None, errors=[ListNotFound], content_type="text/csv")
def download_list(query: dict[str, Any], number: int) -> Response:
    """下载名单 The whole list as CSV (UTF-8 with BOM, Chinese headings). Cells that look like formulas are made text."""
    field_copy = query["copy"] == "field"
    found = _found(number, query["copy"])
    page = lists.page(found, field_copy=field_copy, after=None, limit=MOST_ON_A_LIST, divisions=caller().divisions)
    headings = HEADINGS | (FIELD if field_copy else SUPERVISOR)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(headings.values())
    writer.writerows([_cell(name, row[name]) for name in headings] for row in page.items)
    response = Response("\ufeff" + buffer.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="list-{number}-{query["copy"]}.csv"'
    return response


def _found(number: int, copy: str) -> InspectionList:
    if copy == "supervisor":
        require("grades:read", "The supervisor's copy")
    return lists.get(number, organ=caller().organ)


def _head(found: InspectionList) -> dict[str, Any]:
    # Not the filters: a list that was pulled for class D alone says so by them.
    return {
        "id": found.id,
        "task": found.task.id,
        "size": found.size,
        "created_by": found.created_by,
        "created_at": clock.moment_text(found.created_at),
    }


def _cell(name: str, value: Any) -> str:
    if name == "kind":
        value = SUBJECTS[value]
    elif name == "chance":
        value = lists.percent(value)
    elif name == "reasons":
        value = "；".join(reason["sentence"]["zh"] for reason in value)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        value = "、".join(value)
    return safe(str(value))
