"""Inspection lists 检查对象名单: pulled by a supervisor, frozen, read as one of two copies, scheduled, held against today."""

import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from flask import Response

from api import idempotency, paper
from api.auth import allowed, caller, own_organ, require
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import IdempotencyKeyMissing, InvalidRequest
from api.schemas.common import PageQuery
from api.schemas.lists import (
    CopyQuery,
    ListChangesPage,
    ListIn,
    ListPage,
    ListQuery,
    ListsPage,
    ListsQuery,
    PulledOut,
    ScheduleIn,
    ScheduleOut,
    ScheduleQuery,
)
from registry.errors import BadCursor, IdempotencyConflict, ListNotFound, NotADraw, NothingToList, TaskNotFound
from registry.models import InspectionList, Task
from registry.services import list_changes, list_print, list_schedule, list_sheets, list_views, lists, tasks
from registry.services.list_schedule import ScheduleBeyondCapacity
from registry.services.lists import Ask, Choice, CodesRefused, Filters, ListOvertaken, RandomShareNeeded
from registry.services.tasks import Desk, TaskConflict, TaskNotApproved
from registry.sheets import csv_blocks, write_xlsx

bp = Blueprint("lists", __name__, url_prefix="/api/v1", description="检查对象名单 Inspection lists")
ONE = "/lists/<int(min=1, max=2147483647):number>"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.post("/lists")
@allowed("tasks:write", "grades:read")
@bp.doc(**idempotency.document(required=True))
@takes(ListIn(), example={"task": 1, "size": 100, "classes": ["C", "D"], "division": "990101"})
@gives(
    PulledOut(), 201,
    errors=[
        TaskNotFound, NotADraw, NothingToList, TaskConflict, RandomShareNeeded, CodesRefused, ListOvertaken, IdempotencyKeyMissing,
        IdempotencyConflict,
    ],
)  # fmt: skip
def pull_list(given: dict[str, Any]) -> Response:
    """生成名单 Pull a list under a task: the riskiest entities that fit and some by lot, frozen. Needs the header Idempotency-Key.

    Needs `grades:read` too: who may ask for the riskiest ones, as often and as narrowly as he likes, learns the order.
    With `codes` exactly those entities.
    """
    scheme, who, settings, desk = here().scheme, caller(), here().settings, _desk()
    if strange := sorted(set(given["classes"]) - set(scheme.classes)):
        raise InvalidRequest(
            {"classes": [f"There is no class {', '.join(strange)}. Classes are: {', '.join(scheme.classes)}."]}
        )
    filters = Filters(
        tuple(given["classes"]), given["division"], given["industry"], given["kind"], divisions=who.divisions
    )
    ask = Ask(filters, given["size"] or 0, given["random_share"], tuple(given["codes"]))

    def prepare() -> tuple[Task, Choice]:
        task = tasks.get(given["task"], organ=own_organ())
        return task, lists.choose(task, scheme, ask, settings=settings, desk=desk, seed=secrets.token_bytes(32))

    def act(prepared: tuple[Task, Choice]) -> tuple[dict[str, Any], int]:
        made = lists.freeze(*prepared, desk=desk, tokens=secrets.token_bytes(32))
        return PulledOut().dump(list_views.head(made, supervisor=True)), 201

    return lists.settled(lambda: idempotency.once(prepare, act, required=True))


@bp.get("/lists")
@allowed("lists:read")
@takes(ListsQuery(), "query")
@gives(ListsPage(), errors=[BadCursor])
def read_lists(query: dict[str, Any]) -> dict[str, Any]:
    """名单列表 Lists of the key's organ and of tasks that it is a partner of, newest first, with the progress of their visits."""
    found = list_views.every(organ=own_organ(), **query)
    return {"items": found.items, "next": found.next}


@bp.get(ONE)
@allowed("lists:read")
@takes(ListQuery(), "query")
@gives(ListPage(), errors=[ListNotFound, BadCursor])
def read_list(query: dict[str, Any], number: int) -> dict[str, Any]:
    """读取名单 One page of a list. The field copy is in the order of the tour and holds no class, chance, score, slice or reason."""
    found, copy = _found(number, query["copy"]), query["copy"]
    page = list_views.page(
        found, field_copy=copy == "field", after=query["after"], limit=query["limit"], divisions=caller().divisions
    )
    head = list_views.head(found, supervisor=copy == "supervisor")
    return {**head, "copy": copy, "items": page.items, "next": page.next}


@bp.get(f"{ONE}.csv")
@allowed("lists:read")
@takes(CopyQuery(), "query")
@gives(None, errors=[ListNotFound], content_type="text/csv")
def download_list(query: dict[str, Any], number: int) -> Response:
    """下载名单 The whole list as CSV (UTF-8 with BOM, Chinese headings). Cells that look like formulas are made text."""
    copy = query["copy"]
    rows = _rows(_found(number, copy), copy)
    response = Response("".join(csv_blocks(list_sheets.headings(copy), rows)), mimetype="text/csv")
    return _named(response, number, copy, "csv")


@bp.get(f"{ONE}.xlsx")
@allowed("lists:read")
@takes(CopyQuery(), "query")
@gives(None, errors=[ListNotFound], content_type=XLSX)
def download_workbook(query: dict[str, Any], number: int) -> Response:
    """下载名单工作簿 The whole list as an Excel workbook: texts stay text, days are days."""
    copy = query["copy"]
    rows = _rows(_found(number, copy), copy)
    handle, name = tempfile.mkstemp(suffix=".xlsx")
    os.close(handle)
    path = Path(name)
    try:
        write_xlsx(path, list_sheets.headings(copy), rows, sheet="检查对象名单")
        response = Response(path.read_bytes(), mimetype=XLSX)
    finally:
        path.unlink(missing_ok=True)
    return _named(response, number, copy, "xlsx")


@bp.get(f"{ONE}.html")
@allowed("lists:read")
@takes(CopyQuery(), "query")
@gives(None, errors=[ListNotFound], content_type="text/html")
def print_list(query: dict[str, Any], number: int) -> Response:
    """打印名单 The list for A4: an overview, and in the field copy one sheet a visit with its questions as boxes; watermarked."""
    copy, who = query["copy"], caller()
    found = _found(number, copy)
    at = paper.moment(here().now(), here().settings.jobs.timezone)
    page = list_print.as_html(found, copy=copy, who=f"{who.organ} {who.name}", at=at, divisions=who.divisions)
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = list_print.POLICY
    return response


@bp.get(f"{ONE}/changes")
@allowed("lists:read", "grades:read")
@takes(PageQuery(), "query")
@gives(ListChangesPage(), errors=[ListNotFound, BadCursor])
def read_changes(query: dict[str, Any], number: int) -> dict[str, Any]:
    """名单变动 What changed since the list was pulled: class, name, address, status, merged, checked, new records.

    The list itself stays as it was pulled. `limit` counts rows of the list: a page may have no change and a next page.
    """
    found = list_changes.page(lists.get(number, organ=own_organ()), divisions=caller().divisions, **query)
    return {"items": found.items, "next": found.next}


@bp.get(f"{ONE}/schedule")
@allowed("lists:read", "visits:assign")
@takes(ScheduleQuery(), "query")
@gives(ScheduleOut(), errors=[ListNotFound])
def read_schedule(query: dict[str, Any], number: int) -> dict[str, Any]:
    """检查日程 Days proposed for the visits of a list that are not begun, from the inspectors that there are; nothing is set."""
    found = lists.get(number, organ=own_organ())
    made = list_schedule.propose(found, per_day=query["per_day"], today=here().today(), divisions=caller().divisions)
    return list_schedule.shown(made)


@bp.post(f"{ONE}/schedule")
@allowed("lists:read", "visits:assign")
@bp.doc(**idempotency.document())
@takes(ScheduleIn(), example={"per_day": 4})
@gives(ScheduleOut(), errors=[ListNotFound, TaskNotApproved, ScheduleBeyondCapacity, IdempotencyConflict])
def set_schedule(given: dict[str, Any], number: int) -> Response:
    """排定日程 Set the proposed days. Visits that have a day keep it, so a repeated request changes nothing."""
    found = lists.get(number, organ=own_organ())

    def act(_: None) -> tuple[dict[str, Any], int]:
        made, done = list_schedule.plan(found, per_day=given["per_day"], desk=_desk(), divisions=caller().divisions)
        return ScheduleOut().dump({**list_schedule.shown(made), "set": done}), 200

    return idempotency.once(lambda: None, act)


def _desk() -> Desk:
    at, who = here(), caller()
    return Desk(who.actor, own_organ(), at.today(), at.now())


def _found(number: int, copy: str) -> InspectionList:
    if copy == "supervisor":
        require("grades:read", "The supervisor's copy")
    return lists.get(number, organ=own_organ())


def _rows(found: InspectionList, copy: str) -> Any:
    divisions = caller().divisions
    return (list_sheets.cells(row, copy) for row in list_sheets.rows(found, copy=copy, divisions=divisions))


def _named(response: Response, number: int, copy: str, form: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="list-{number}-{copy}.{form}"'
    return response
