"""What tests of visits leave out: inspectors, a task that somebody approved, a list with its visits."""

import itertools
from datetime import date
from typing import Any

from registry.config import Settings
from registry.database import write
from registry.models import InspectionList, InspectionListRow, Inspector, Task, Visit
from registry.services import inspection_papers, tasks, visit_rows, visits
from registry.services.tasks import Desk
from tests.conftest import NOW, TODAY
from tests.factories import registered

ORGAN = "信衡市市场监督管理局"
PARTNER = "信衡市澜砚区市场监督管理局"
DAY = date(2026, 12, 1)
SEED = bytes(range(32))

_numbers = itertools.count(1)


def desk(actor: str = "key:clerk", organ: str = ORGAN, *, today: date = TODAY, now: int = NOW) -> Desk:
    return Desk(actor, organ, today, now)


def inspector(organ: str = ORGAN, **given: Any) -> Inspector:
    """An inspector who may go anywhere and check everything."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "staff_no": f"T{number:04}", "name": f"示例检查员{number}", "level": "county", "areas": [""], "items": ["*"],
        "certificates": [{"no": f"示例{number:06}", "kind": "执法证", "until": "2028-12-31"}], "capacity": 31, "actor": "",
        "updated_by": "test", "updated_at": NOW, **given,
    }  # fmt: skip
    made = Inspector.create(organ=organ, **fields)
    assert isinstance(made, Inspector)
    return made


def pair(organ: str = ORGAN) -> list[int]:
    return [inspector(organ).id, inspector(organ).id]


def task(*, approve: bool = True, **given: Any) -> Task:
    fields: dict[str, Any] = {
        "type": "key_supervision", "title": "示例任务", "basis": "年度抽查工作计划", "organ": ORGAN, "items": ["公示信息检查"],
        "from_on": TODAY, "to_on": date(2026, 12, 31), "actor": "key:planner", "now": NOW, **given,
    }  # fmt: skip
    made = tasks.create(**fields)
    return tasks.approve(made.id, desk=desk("key:approver", made.organ))[0] if approve else made


def listed(under: Task, number: int = 1, *, slice_: str = "priority", entities: list[int] | None = None) -> list[Visit]:
    """A list of so many entities under a task, with its visits, in the order of the list."""
    chosen = entities or [registered() for _ in range(number)]
    with write():
        made = InspectionList.create(
            task=under, scheme="general-risk", filters={}, known=0, size=len(chosen), created_by="key:planner", created_at=NOW
        )  # fmt: skip
        for place, entity in enumerate(chosen, start=1):
            InspectionListRow.insert(
                list=made.id, position=place, entity=entity, tour=len(chosen) + 1 - place, code=f"code{entity}",
                name=f"信衡示例{entity}有限公司", kind="enterprise", division="990101", address="示例路1号", class_="D", score=800,
                graded_day=0, reasons=[],
            ).execute()  # fmt: skip
        rows = [(place, entity, slice_, 1_000_000, "") for place, entity in enumerate(chosen, start=1)]
        ids = visit_rows.write(made, under, rows, token_seed=SEED, now=NOW)
    return [Visit.get_by_id(one) for one in ids]


def steps_at(settings: Settings) -> dict[str, dict[str, Any]]:
    """Tasks and visits that wait for each step, by the path that takes it; other keys did what came before."""
    under, one, many = task(), "/api/v1/visits/{number}", "/api/v1/tasks/{number}"
    other = desk("key:somebody")

    def visit(upto: int) -> Visit:
        (row,) = listed(under)
        if upto:
            visits.assign(row.id, inspectors=pair(), planned_on=TODAY, settings=settings, desk=other)
        if upto > 1:
            visits.start(row.id, token=row.token, settings=settings, desk=other)
        return row

    began, ready, noticed = visit(2), visit(1), visit(1)
    inspection_papers.notice(noticed.id, settings=settings, desk=other)
    inspection_papers.record(began.id, settings=settings, desk=other)
    inspection_papers.approval_form(under.id, settings=settings, desk=other)
    numbers = {
        f"{one}/finish": visit(2).id, f"{one}/non-response": visit(0).id, f"{one}/drop": visit(0).id, f"{one}/notice.html": noticed.id,
        f"{one}/notice": ready.id, f"{one}/record": began.id, one: ready.id, f"{many}/approve": task(approve=False).id,
        f"{many}/refuse": task(approve=False).id, f"{many}/cancel": task().id, f"{many}/close": task().id, f"{many}/approval": under.id,
    }  # fmt: skip
    return {
        "/api/v1/public/visits": {"token": visit(2).token},
        **{path: {"number": at} for path, at in numbers.items()},
    }
