"""Visits and grades put into the registry as they stand, for tests of what counts them."""

from datetime import date
from itertools import count

from registry.clock import day_number
from registry.database import execute, insert_rows
from registry.models import InspectionItem, InspectionList, Task, Visit
from tests.conftest import NOW, TODAY

_places = count(1)


def visited(
    entity: int, *days: date, type: str = "random", state: str = "finished", slice: str = "priority"
) -> list[int]:
    """One visit a day of an entity under a task of this type, with a list of its own; no days: one that is not made yet."""
    task = Task.create(
        type=type, title="检查", basis="计划", organ="信衡市市场监督管理局", items=["检查"], from_on=TODAY, to_on=TODAY, created_by="key:a",
        created_at=NOW, state="approved", decided_by="key:b",
    )  # fmt: skip
    made = InspectionList.create(
        task=task, scheme="general-risk", filters={}, known=0, size=1, created_by="key:a", created_at=NOW
    )
    return [
        Visit.create(
            task=task, list=made, position=place, entity=entity, slice=slice, inclusion=0, state=state, visited_on=day,
            token=f"token-{next(_places)}",
        ).id
        for place, day in enumerate(days or (None,), start=1)
    ]  # fmt: skip


def graded(*rows: tuple[int, str], scheme: str = "general-risk") -> None:
    """(entity, class): the class of each entity, whatever the rules would say."""
    execute("DELETE FROM grade_state WHERE scheme = ?", (scheme,))
    columns = ("scheme", "entity", "version", "day", "known", "class", "rank", "score", "digest", "context", "chance")
    day = day_number(TODAY)
    insert_rows(
        "grade_state",
        columns,
        ((scheme, entity, 1, day, 1, name, ord(name) - ord("A"), 500, bytes(32), 0, 0) for entity, name in rows),
    )


def item(code: str, *, minutes: int = 60, nature: str = "general") -> None:
    """An item of the list for everybody."""
    InspectionItem.create(
        code=code, name="检查", basis="计划", subjects=[], method="on_site", nature=nature, department="信衡市市场监督管理局", labels=[],
        minutes=minutes, harm=[{"from": "2020-01-01", "weight": 100, "basis": "产品默认值"}], questions=[], from_on=date(2020, 1, 1),
        updated_by="t", updated_at=NOW,
    )  # fmt: skip
