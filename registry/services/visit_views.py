"""Visits as people see them: pages, one with its sheet, the visits and checks of an entity.

In the field a visit shows what is checked, of whom and by whom; its class, slice, inclusion and stratum are for readers of
grades alone, and so is its place on the list: lists are in the order of the classes.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from registry import clock, cursor
from registry.database import dicts
from registry.divisions import in_query
from registry.models import InspectionList, InspectionListRow, Inspector, Task, Visit, VisitInspector, VisitStep
from registry.page import Page
from registry.services import aliases, tasks, visit_counts, visit_team

# In the field a list is walked in the order of its tour.
FIELD = (
    "id", "task", "list", "number", "code", "name", "kind", "division", "address", "state", "planned_on", "visited_on",
    "entered_at", "finished_at", "recheck_by", "follows", "why", "version", "inspectors",
)  # fmt: skip
SUPERVISOR = ("class", "slice", "inclusion", "stratum", "position")
# What is done with a visit, in words: every act that any service writes as a step.
ACTS = {
    "planned": "排定日期", "assigned": "分派", "reassigned": "改派", "redrawn": "人员回避，重新抽取", "started": "入企", "finished": "结束检查",
    "closed": "办结", "non_response": "未能检查", "dropped": "取消", "result_entered": "录入结果", "result_returned": "退回结果",
    "result_approved": "审核通过", "result_published": "公示结果", "recheck_asked": "申请复查", "recheck_granted": "同意复查",
    "recheck_refused": "不予复查", "recheck_made": "安排复查", "listing_opened": "启动异常名录列入", "lead_opened": "移交案件线索",
    "order_issued": "责令改正", "copied": "抄告其他部门", "follow_refused": "后续处理未完成",
}  # fmt: skip


def page(
    *, organ: str, divisions: Sequence[str] = ("",), list_: int | None = None, task: int | None = None, actor: str = "",
    state: str = "", due_by: date | None = None, supervisor: bool = False, after: str | None = None, limit: int = 50,
) -> Page[dict[str, Any]]:  # fmt: skip
    """Visits of an organ's tasks (its own, or as a partner; empty: of all) to entities in these divisions.

    `actor`: only those to which the inspector who works under this name is assigned. `due_by`: only those planned until then. Of
    one list they come in the order of its tour, else by number. `supervisor` adds what says something of the class. Two
    queries, whatever the size. Raises BadCursor for a token that is not of this page.
    """
    query = in_query(_rows(), InspectionListRow.division, divisions)
    if organ:
        query = query.where(tasks.of_organ(organ))
    for column, wanted in ((Visit.list, list_), (Visit.task, task), (Visit.state, state or None)):
        if wanted is not None:
            query = query.where(column == wanted)
    if due_by is not None:
        query = query.where(Visit.planned_on <= due_by)
    if actor:
        # Inspectors are few, who went on which visit are many: the ids first, so that the index of "my visits" answers.
        whom = Inspector.select(Inspector.id).where(Inspector.actor == actor)
        mine = VisitInspector.select(VisitInspector.visit).where(
            VisitInspector.inspector.in_(whom) & (VisitInspector.active == True)  # noqa: E712 (the mapper's)
        )
        query = query.where(Visit.id.in_(mine))
    order = Visit.id if list_ is None else InspectionListRow.tour
    if after is not None:
        query = query.where(order > cursor.decode(after, int)[0])
    rows = dicts(query.order_by(order).limit(limit + 1))
    shown = _shown(rows[:limit], supervisor=supervisor)
    last = rows[limit - 1]["id" if list_ is None else "number"] if len(rows) > limit else None
    return Page(shown, None if last is None else cursor.encode(last))


def one(visit: Visit, *, supervisor: bool = False) -> dict[str, Any]:
    """One visit with its sheet: basis and items with their questions by organ, who goes and who went before, and its steps."""
    (found,) = dicts(_rows().where(Visit.id == visit.id))
    (row,) = _shown([found], supervisor=supervisor)
    task = visit.task
    return {
        **row,
        "title": task.title, "basis": task.basis,
        "organs": [
            {"organ": organ, "items": visit_team.items_of(task, organ, found["kind"], found["items"])}
            for organ in tasks.organs(task)
        ],
        "replaced": [_inspector(one, who) for one, who in visit_team.of(visit.id, active=False) if not one.active],
        "steps": steps(visit.id),
    }  # fmt: skip


def steps(number: int) -> list[dict[str, Any]]:
    """What was done with a visit, in order, each also in words."""
    rows = VisitStep.select().where(VisitStep.visit == number).order_by(VisitStep.number)
    return [
        {
            "act": row.act,
            "title": ACTS.get(row.act, row.act),
            "by": row.by,
            "at": clock.moment_text(row.at),
            "said": row.said,
            "detail": row.detail,
        }
        for row in rows
    ]


def of_entity(entity: int, *, organ: str, today: date) -> dict[str, Any]:
    """The visits of an organ's tasks to an entity and to those that were merged into it, newest first, without the class;
    beside them on how many days of this year it was visited, whoever made the visit."""
    family = aliases.family(aliases.root(entity))
    query = _rows().where(Visit.entity.in_(family)).order_by(Visit.id.desc())
    if organ:
        query = query.where(tasks.of_organ(organ))
    made = visit_counts.days([entity], date(today.year, 1, 1), date(today.year, 12, 31))
    return {"visits": _shown(dicts(query), supervisor=False), "year": today.year, "visited_days": made.height}


def _rows() -> Any:
    """Visits with the frozen row of their list, by name."""
    row = InspectionListRow
    return (
        Visit.select(
            Visit, row.tour.alias("number"), row.code, row.name, row.kind, row.division, row.address, row.items,
            row.class_.alias("class"), Task.title,
        )
        .join(row, on=((row.list == Visit.list) & (row.position == Visit.position)))
        .switch(Visit).join(Task)
        .switch(Visit).join(InspectionList).where(InspectionList.size > 0)
    )  # fmt: skip


def _shown(rows: Sequence[dict[str, Any]], *, supervisor: bool) -> list[dict[str, Any]]:
    going: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    members = (
        VisitInspector.select(VisitInspector, Inspector)
        .join(Inspector)
        .where(VisitInspector.visit.in_(list(going)) & (VisitInspector.active == True))  # noqa: E712 (the mapper's)
        .order_by(Inspector.organ, Inspector.staff_no)
    )
    for one in members if going else ():
        going[one.visit_id].append(_inspector(one, one.inspector))
    names = (*FIELD, *SUPERVISOR) if supervisor else FIELD
    return [
        {name: _plain(name, going[row["id"]] if name == "inspectors" else row[name]) for name in names} for row in rows
    ]


def _plain(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in ("entered_at", "finished_at"):
        return clock.moment_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _inspector(one: VisitInspector, who: Inspector) -> dict[str, Any]:
    return {"id": who.id, "organ": one.organ, "staff_no": who.staff_no, "name": who.name, "round": one.round}
