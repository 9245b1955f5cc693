"""Tasks, lists and visits as they stand when somebody comes back from one, for the tests of results."""

from datetime import date
from typing import Any

from registry.config import Settings
from registry.models import (
    CaseLead,
    Entity,
    InspectionList,
    InspectionListRow,
    Inspector,
    Task,
    Visit,
    VisitInspector,
    VisitResult,
    VisitStep,
)
from registry.services import ledger, result_recheck, result_review, results, visit_rows
from registry.services.result_entry import Entry
from registry.services.results import Desk
from tests.conftest import NOW, TODAY
from tests.factories import registered

ORGAN, PARTNER = "信衡市市场监督管理局", "信衡市消防救援机构"
ADDRESS = "信衡市信东区示例路9号"
SEED = bytes(32)
QUESTIONS = [
    {"code": "q1", "text": "是否标注生产日期", "severity": 2, "basis": "《示例办法》第一条"},
    {"code": "q2", "text": "是否超过保质期", "severity": 3, "basis": ""},
    {"code": "q3", "text": "价签是否齐全", "severity": 1, "basis": ""},
]
FOOD = {
    "code": "B03", "name": "食品经营", "basis": "《示例办法》", "nature": "key", "method": "on_site", "department": ORGAN,
    "subjects": ["enterprise"], "labels": [], "minutes": 60, "harm": 500, "questions": QUESTIONS,
}  # fmt: skip
FIRE = {**FOOD, "code": "X01", "name": "消防设施", "department": PARTNER, "questions": [{"code": "f1", "text": "灭火器是否有效", "severity": 3, "basis": ""}]}  # fmt: skip
CLEAR = Entry(all_clear=True)


def answers(**given: str) -> list[dict[str, Any]]:
    """All three questions of the food item, ok but for those that are given."""
    said = {"q1": "ok", "q2": "ok", "q3": "ok"} | given
    return [
        {
            "item": "B03",
            "answers": [
                {"question": name, "answer": one, "said": "三批次" if one == "problem" else ""}
                for name, one in said.items()
            ],
        }
    ]


def found(outcome: int = 2, **given: Any) -> Entry:
    """An entry of which the first question shows a problem."""
    return Entry(**{"outcome": outcome, "items": answers(q1="problem"), **given})


LEAD = found(3, disposal="lead")
ORDER = found(disposal="order", correct_by=date(2026, 12, 11), said="下架未标注生产日期的食品。")


def desk_of(settings: Settings, actor: str = "key:wang", organ: str = ORGAN, today: date = TODAY) -> Desk:
    return Desk(actor, organ, today, NOW + (today - TODAY).days * 86_400_000, settings, SEED)


def reviewer(settings: Settings, today: date = TODAY, organ: str = ORGAN) -> Desk:
    return desk_of(settings, "key:zhao", organ, today)


def task_of(*, partners: tuple[str, ...] = (), items: tuple[str, ...] = ("食品经营",), checklist: Any = None, **given: Any) -> Task:  # fmt: skip
    made: Task = Task.create(
        **{
            "type": "key_supervision", "title": "食品经营专项", "basis": "年度检查计划", "organ": ORGAN, "partners": list(partners),
            "items": list(items), "checklist": [FOOD] if checklist is None else checklist, "from_on": date(2026, 11, 1),
            "to_on": date(2026, 12, 31), "state": "approved", "created_by": "key:li", "created_at": NOW, "decided_by": "key:qian",
            **given,
        }
    )  # fmt: skip
    return made


def visit_of(entity: int, *, task: Task | None = None, state: str = "started", slice: str = "designated", inclusion: int = 0, **given: Any) -> Visit:  # fmt: skip
    """A visit to an entity on a list of its own, with two inspectors, begun today unless `state` says otherwise."""
    task = task or task_of()
    party = Entity.get_by_id(entity)
    list_ = InspectionList.create(
        task=task, scheme="general-risk", filters={}, known=ledger.head(), size=1, created_by="key:li", created_at=NOW
    )
    InspectionListRow.create(
        list=list_, position=1, entity=entity, tour=1, code=party.code, name=party.name, kind=party.kind, division=party.division,
        address=party.address, class_="A", score=100, graded_day=20_000, reasons=[],
    )  # fmt: skip
    (number,) = visit_rows.write(list_, task, [(1, entity, slice, inclusion, "")], token_seed=SEED, now=NOW)
    day = None if state in ("open", "assigned") else TODAY
    Visit.update(**{"state": state, "visited_on": day, "entered_at": NOW, **given}).where(Visit.id == number).execute()
    for staff in ("1001", "1002"):
        who, _ = Inspector.get_or_create(
            organ=task.organ, staff_no=staff,
            defaults={
                "name": f"检查员{staff}", "level": "county", "areas": [""], "items": ["*"], "actor": f"key:i{staff}", "capacity": 20,
                "certificates": [{"no": f"C{staff}", "kind": "执法证", "until": "2028-12-31"}], "updated_by": "test", "updated_at": NOW,
            },
        )  # fmt: skip
        VisitInspector.create(visit=number, inspector=who, organ=task.organ)
    found_: Visit = Visit.get_by_id(number)
    return found_


def entered(settings: Settings, visit: Visit, entry: Entry = ORDER, **given: Any) -> VisitResult:
    return results.enter(visit.id, entry, organ=ORGAN, desk=desk_of(settings, **given))[0]


def approved(
    settings: Settings, visit: Visit, entry: Entry = ORDER, today: date = TODAY
) -> tuple[VisitResult, dict[str, Any]]:
    """The approved result and what followed of it, by kind."""
    entered(settings, visit, entry)
    row, followed, new = result_review.approve(visit.id, ORGAN, desk=reviewer(settings, today))
    assert new
    return row, {one["what"]: one for one in followed}


def acts(number: int) -> list[str]:
    """What was done with a visit, in order."""
    return [one.act for one in VisitStep.select().where(VisitStep.visit == number).order_by(VisitStep.number)]


def results_at(settings: Settings) -> dict[str, dict[str, int]]:
    """Numbers of visits and leads that wait for each step, by the path that takes it; other keys did what came before."""

    def begun(entry: Entry | None, *, approve: bool = True) -> int:
        number = visit_of(registered(address="示例路1号")).id
        if entry is not None:
            results.enter(number, entry, organ=ORGAN, desk=desk_of(settings))
            if approve:
                result_review.approve(number, ORGAN, desk=reviewer(settings))
        return int(number)

    asked = begun(CLEAR)
    result_recheck.ask(asked, ORGAN, why="理由", entities=None, desk=desk_of(settings, "key:firm"))
    leads = [CaseLead.get(CaseLead.visit == begun(found(3, disposal="lead"))).id for _ in range(2)]
    one = "/api/v1/visits/{number}/results"
    at = {
        f"{one}/return": begun(CLEAR, approve=False), f"{one}/approve": begun(CLEAR, approve=False), f"{one}/publish": begun(CLEAR),
        f"{one}/follow-ups": begun(ORDER), f"{one}/recheck": asked, one: begun(None), "/api/v1/case-leads/{number}/file": leads[0],
        "/api/v1/case-leads/{number}/close": leads[1],
    }  # fmt: skip
    return {path: {"number": number} for path, number in at.items()}
