"""Documents of inspections: the approval form 检查审批表 of a task, the notice 检查通知书 and the on-site record 现场检查笔录 of a visit.

Each is issued again only where what it says has changed since (other inspectors, another day, answers that have come): else
the one that there is stands.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.kinds.spot_check import OUTCOMES
from registry.models import Document, Entity, Inspector, Task, Visit, VisitResult
from registry.services import aliases, audit, documents, ledger, tasks, visit_team, visits
from registry.services.documents import DocumentNotFound, chinese_date
from registry.services.ledger import Pen
from registry.services.result_entry import ANSWERS, DISPOSALS
from registry.services.tasks import Desk
from registry.services.visits import VisitConflict

UNANSWERED = "□" + "　□".join(ANSWERS.values())
UNFILLED = "＿" * 20
# Shown to an inspector at the door, typed where nothing scans: groups of four.
GROUP = 4


def approval_form(number: int, *, settings: Settings, desk: Desk) -> tuple[Document, bool]:
    """The approval form 检查审批表 of an approved task: what is checked, why, by whom, who proposed it and who approved it.

    Safe to repeat (second value False). Raises TaskNotFound, TaskElsewhere for a partner, TaskNotApproved, UnknownOrgan
    where the organ issues no documents, BadDocument.
    """
    with ledger.writing(now=desk.now, schemes=()) as pen:
        task = tasks.locked(number, desk)
        if task.state != "closed":
            tasks.approved(task)
        said = {
            "task": task.title, "type": tasks.TYPES[task.type], "basis": task.basis, "organs": "、".join(tasks.organs(task)),
            "from_on": chinese_date(task.from_on), "to_on": chinese_date(task.to_on), "items": _lines(task.items),
            "proposed": f"{task.created_by}　{_moment(task.created_at, settings)}", "opinion": task.opinion or "同意。",
            "approved": f"{task.decided_by}　{_moment(task.decided_at or 0, settings)}",
        }  # fmt: skip
        return _issue(
            pen, "inspection_approval", f"task:{number}", None, said, organ=task.organ, settings=settings, desk=desk
        )


def notice(number: int, *, settings: Settings, desk: Desk) -> tuple[Document, bool]:
    """The notice 检查通知书 of a visit: items, day, who comes, the right to ask for recusal 回避, and the code to enter by.

    By the organ that leads the task or a partner, once inspectors are assigned. Safe to repeat: it is issued anew where
    inspectors or day have changed. Raises VisitNotFound, TaskNotApproved, VisitConflict, UnknownOrgan, BadDocument.
    """
    with ledger.writing(now=desk.now, schemes=()) as pen:
        visit, task, going = _worked(number, ("open", "assigned", "started"), "A notice is issued of a visit that is assigned and not over.", desk)  # fmt: skip
        day = visit.planned_on
        row = visits.sheet_of(visit)
        checked = [
            one["name"] for organ in tasks.organs(task) for one in visit_team.items_of(task, organ, row.kind, row.items)
        ]
        said = {
            "basis": task.basis, "type": tasks.TYPES[task.type], "task": task.title,
            "planned": chinese_date(day) if day else f"{chinese_date(task.from_on)}至{chinese_date(task.to_on)}期间",
            "items": _lines(checked or task.items), "inspectors": _people(visit, going, desk), "entry": grouped(visit.token),
        }  # fmt: skip
        return _issue(pen, "visit_notice", f"visit:{number}", _entity(visit), said, organ=desk.organ or task.organ, settings=settings, desk=desk)  # fmt: skip


def record(number: int, *, settings: Settings, desk: Desk) -> tuple[Document, bool]:
    """The on-site record 现场检查笔录 of one organ's part of a visit: items and questions, with the answers once there are results.

    Once the visit was begun. Safe to repeat: it is issued anew where answers have come or changed. Raises VisitNotFound,
    VisitConflict before the entry, UnknownOrgan, BadDocument.
    """
    with ledger.writing(now=desk.now, schemes=()) as pen:
        visit, task, going = _worked(number, ("started", "finished", "closed"), "A record is made of a visit that was begun.", desk)  # fmt: skip
        organ = desk.organ or task.organ
        found = VisitResult.get_or_none((VisitResult.visit == number) & (VisitResult.organ == organ))
        row = visits.sheet_of(visit)
        said = {
            "task": task.title, "time": _time(visit, settings),
            "inspectors": _people(visit, [one for one in going if one.organ == organ] or going, desk),
            "checklist": _checklist(visit_team.items_of(task, organ, row.kind, row.items), found.items if found else []),
            "findings": _findings(found),
        }  # fmt: skip
        return _issue(
            pen, "on_site_record", f"visit:{number}", _entity(visit), said, organ=organ, settings=settings, desk=desk
        )


def grouped(token: str) -> str:
    """A code as it is printed: groups of four characters, parted by hyphens."""
    return "-".join(token[at : at + GROUP] for at in range(0, len(token), GROUP))


def _issue(
    pen: Pen, type_: str, about: str, entity: Entity | None, said: Mapping[str, str], *, organ: str, settings: Settings,
    desk: Desk,
) -> tuple[Document, bool]:  # fmt: skip
    """The last document of this type about a matter where it still says the same, else a new one (second value True)."""
    wanted = {name: documents.clean(value) for name, value in said.items()}
    last = (
        Document.select()
        .where((Document.about == about) & (Document.type == type_) & (Document.organ == organ))
        .order_by(Document.id.desc())
        .first()
    )
    if last is not None and all(last.variables.get(name) == value for name, value in wanted.items()):
        assert isinstance(last, Document)
        return last, False
    office = documents.desk(settings, organ=organ, actor=desk.actor, today=desk.today, now=desk.now, schemes=())
    made = documents.issue(
        pen, documents.number(type_, office), desk=office, entity=entity, variables=said, about=about
    )
    audit.note("document.issued", actor=desk.actor, subject=f"document {made.id}", now=desk.now, number=made.printed_no)
    return made, True


def _worked(number: int, states: Sequence[str], why: str, desk: Desk) -> tuple[Visit, Task, list[Inspector]]:
    visit = visits.locked(number, desk)
    going = [who for _, who in visit_team.of(number)]
    if visit.state not in states or not going:
        raise VisitConflict(f"Visit {number} is {visit.state} ({visits.STATES[visit.state]}){'' if going else ', and no inspector is assigned to it'}. {why}")  # fmt: skip
    if visit.task.state != "closed":
        tasks.approved(visit.task)
    return visit, visit.task, going


def _entity(visit: Visit) -> Entity:
    found = Entity.get_by_id(aliases.root(visit.entity))
    assert isinstance(found, Entity)
    return found


def _people(visit: Visit, going: Sequence[Inspector], desk: Desk) -> str:
    day = visit.visited_on or visit.planned_on or desk.today
    return "\n".join(
        f"{one.name}（{one.organ}，执法证号{visit_team.certificate(one, day) or '＿＿＿＿＿＿'}）" for one in going
    )


def _lines(texts: Sequence[str]) -> str:
    return mask_personal("\n".join(f"{place}. {text}" for place, text in enumerate(texts, start=1)))


def _checklist(items: Sequence[Mapping[str, Any]], answered: Sequence[Mapping[str, Any]]) -> str:
    """Items and questions, with the answers that there are."""
    by_item = {one["item"]: one for one in answered}
    lines = []
    for place, item in enumerate(items, start=1):
        found = by_item.get(item["code"]) or by_item.get(item["name"]) or {}
        answers = {one["question"]: one for one in found.get("answers", ())}
        lines.append(f"{place}. {item['name']}")
        for number, question in enumerate(item["questions"], start=1):
            given = answers.get(question["code"])
            words = (
                UNANSWERED
                if given is None
                else "：".join(filter(None, (ANSWERS[given["answer"]], given.get("said", ""))))
            )
            lines += [f"{place}.{number} {question['text']}", words]
        lines += [f"说明：{found['said']}"] if found.get("said") else [] if item["questions"] else [UNFILLED]
    return "\n".join(lines)


def _findings(found: VisitResult | None) -> str:
    if found is None:
        return UNFILLED
    order = f"，限{chinese_date(found.correct_by)}前改正" if found.correct_by else ""
    said = f"{OUTCOMES[found.outcome][1].zh}；处理：{DISPOSALS[found.disposal].zh}{order}。"
    return said + found.said


def _time(visit: Visit, settings: Settings) -> str:
    end = f"至{_moment(visit.finished_at, settings)}" if visit.finished_at else "至＿＿时＿＿分"
    return f"{_moment(visit.entered_at or 0, settings)}{end}"


def _moment(at: int, settings: Settings) -> str:
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(settings.jobs.timezone))
    return f"{chinese_date(local.date())}{local.hour}时{local.minute:02d}分"


def last(type_: str, about: str, *, organ: str) -> Document:
    """The document of a type that an organ issued last about a task or visit. Raises DocumentNotFound."""
    found = (
        Document.select()
        .where((Document.about == about) & (Document.type == type_) & (Document.organ == organ))
        .order_by(Document.id.desc())
        .first()
    )
    if found is None:
        title = documents.template(type_).title
        raise DocumentNotFound(
            f"{organ} has issued no {title} ({type_}) of {about.replace(':', ' ')} yet. Issue it first."
        )
    assert isinstance(found, Document)
    return found
