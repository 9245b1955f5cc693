"""What an enterprise does with the code of its notice: see who may enter 亮码核验, and rate the visit afterwards 企业评价.

The code stands on the notice alone. A rating keeps the score, the words without personal numbers, and the day: no address, no
key and no moment, and no audit entry either, since that would be one.
"""

from datetime import date
from typing import Any

from registry import clock
from registry.cells.personal import mask_personal
from registry.database import execute, is_postgres, write
from registry.errors import RegistryError
from registry.models import Task, Visit, VisitRating
from registry.services import tasks, visit_team
from registry.services.visits import STATES, plain, sheet_of

RATED = ("started", "finished", "closed")
LONGEST_SAID = 1_000
WORDS = {
    "open": "尚未分派检查人员，任何人不得以本次检查为由入企 No inspector is assigned yet: nobody may enter for this visit.",
    "assigned": "请核对检查人员姓名和执法证件后再配合检查 Check names and certificates at the door.",
    "started": "检查正在进行 The visit is under way.",
    "finished": "现场检查已结束 The visit is over.",
    "closed": "检查已办结 The visit is over and its results are reviewed.",
    "non_response": "检查未能进行 The visit was not made: nobody may enter for it.",
    "dropped": "检查已取消 The visit was cancelled: nobody may enter for it.",
}


class CodeUnknown(RegistryError):
    """No visit has the code that was given."""

    code = "visit_code_unknown"
    status = 404

    def __init__(self) -> None:
        super().__init__(
            "No visit has this code. Read it again on the notice of inspection 检查通知书: 24 letters and digits; hyphens make no "
            "difference. If it still is unknown, do not let anyone in for it, and ask the organ whose name the notice bears."
        )


class RatingConflict(RegistryError):
    """The visit was rated already, or cannot be rated yet."""

    code = "rating_conflict"
    status = 409


def who_may_enter(token: str, *, today: date) -> dict[str, Any]:
    """What an enterprise may check at the door: organs, inspectors with the certificates that they must show, items, day.

    Nothing of it says why the enterprise was chosen. Raises CodeUnknown.
    """
    visit = _of(token)
    task, sheet = visit.task, sheet_of(visit)
    day = visit.visited_on or visit.planned_on or today
    return {
        "name": sheet.name, "state": visit.state, "says": WORDS[visit.state], "title": task.title, "basis": task.basis,
        "organs": tasks.organs(task), "items": task.items, "from_on": task.from_on, "to_on": task.to_on,
        "planned_on": visit.planned_on, "visited_on": visit.visited_on,
        "inspectors": [
            {"organ": one.organ, "name": who.name, "certificate": visit_team.certificate(who, day)}
            for one, who in visit_team.of(visit.id)
        ] if visit.state not in ("non_response", "dropped") else [],
        "recusal": "检查人员与检查事项有直接利害关系的，有权申请回避 You may ask for the recusal of an inspector with a conflict of interest.",
        "may_be_rated": visit.state in RATED and not VisitRating.select().where(VisitRating.visit == visit.id).exists(),
    }  # fmt: skip


def rate(token: str, *, score: int, said: str = "", today: date) -> bool:
    """Rate a visit once, from 1 (worst) to 5 (best), after it was begun. False where the same rating is there already.

    Raises CodeUnknown, RatingConflict.
    """
    words = mask_personal(said.strip())[:LONGEST_SAID]
    with write():
        visit = _of(token)
        if is_postgres():
            execute("SELECT id FROM visit WHERE id = ? FOR UPDATE", (visit.id,))
        if visit.state not in RATED:
            raise RatingConflict(
                f"This visit is {visit.state} ({STATES[visit.state]}): only a visit that was begun can be rated. Rate it afterwards."
            )
        before = VisitRating.get_or_none(VisitRating.visit == visit.id)
        if before is not None:
            if (before.score, before.said) == (score, words):
                return False
            raise RatingConflict(
                "This visit was rated already, and is rated once. To add something, turn to the organ on the notice."
            )
        VisitRating.insert(visit=visit.id, score=score, said=words, day=clock.day_number(today)).execute()
        return True


def _of(token: str) -> Visit:
    found = Visit.select(Visit, Task).join(Task).where(Visit.token == plain(token)).first()
    if found is None:
        raise CodeUnknown
    assert isinstance(found, Visit)
    return found
