"""A district in which draws can be made at once: entities with classes, inspectors, an approved task."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from registry.clock import day_number
from registry.config import Settings
from registry.database import insert_rows
from registry.models import Draw, Entity, Inspector, Task
from registry.services import draw_running, draws, grading
from registry.services.draws import Desk, Filters
from tests.conftest import NOW, TODAY
from tests.factories import credit_code

ORGAN, PARTNER = "信衡市市场监督管理局", "信衡市消防救援机构"
DIVISIONS = ("990101", "990102")
SEED, SALT, TOKENS = b"s" * 32, b"t" * 32, b"u" * 32
WITNESS = "纪检监察室某某于公告后掷得 4 1 6 6 3 2"
# Of each class so many; general items of general-risk: A up to 2 %, B 5 to 20 %, C 21 to 60 %, D 61 % and more.
CLASSES = {"A": 60, "B": 40, "C": 20, "D": 10}
DRAWN = {"A": 1, "B": 2, "C": 5, "D": 7}
_START = 5_000_000


def crowd(classes: dict[str, int] = CLASSES, *, kind: str = "enterprise", industry: int = 6513) -> dict[int, str]:
    """Open entities of two divisions with these classes under general-risk: their ids and classes, in order of code.

    Written as registration and grading leave them: to say it all in words would take a test longer than to draw.
    """
    letters = [name for name, count in classes.items() for _ in range(count)]
    first = (Entity.select().count() or 0) + _START
    found = {}
    entities, grades = [], []
    for place, letter in enumerate(letters):
        number, division = first + place, DIVISIONS[place % 2]
        code = credit_code(division=division, number=number)
        found[number] = letter
        entities.append(
            (
                number,
                code,
                f"信衡示例{number}有限公司",
                kind,
                1,
                industry,
                division,
                "",
                f"示例路{900 - place % 90}号",
                0,
                1,
                False,
            )
        )
        rank = "ABCD".index(letter)
        grades.append(
            (
                "general-risk",
                number,
                1,
                day_number(TODAY),
                1,
                letter,
                rank,
                rank * 200 + place % 50,
                bytes(32),
                0,
                1000 * place,
            )
        )
    insert_rows(
        "entity",
        ("id", "code", "name", "kind", "status", "industry", "division", "organ", "address", "capital_fen", "registered_seq", "provisional"),
        entities,
    )  # fmt: skip
    insert_rows(
        "grade_state",
        ("scheme", "entity", "version", "day", "known", "class", "rank", "score", "digest", "context", "chance"),
        grades,
    )  # fmt: skip
    return found


def staff(number: int = 6, *, organ: str = ORGAN, areas: Sequence[str] = ("",), **given: Any) -> list[Inspector]:
    """Inspectors who may check everything everywhere, with ten days a month."""
    there = Inspector.select().where(Inspector.organ == organ).count()
    return [
        Inspector.create(
            **{
                "organ": organ, "staff_no": f"{there + place + 1:04d}", "name": f"检查员{there + place + 1}", "level": "county",
                "areas": list(areas), "items": ["*"], "certificates": [{"no": f"Z{there + place}", "kind": "执法证", "until": "2028-12-31"}],
                "capacity": 10, "updated_by": "test", "updated_at": NOW, **given,
            }
        )
        for place in range(number)
    ]  # fmt: skip


def task_of(**given: Any) -> Task:
    made: Task = Task.create(
        **{
            "type": "random", "title": "双随机抽查", "basis": "年度抽查工作计划", "organ": ORGAN, "items": ["登记事项检查"],
            "from_on": date(2026, 11, 1), "to_on": date(2026, 12, 31), "state": "approved", "created_by": "key:li", "created_at": NOW,
            "decided_by": "key:qian", **given,
        }
    )  # fmt: skip
    return made


def item(code: str = "B03", **given: Any) -> dict[str, Any]:
    """A coded item as a task has it frozen."""
    return {
        "code": code, "name": f"事项{code}", "basis": "《示例办法》", "nature": "general", "method": "on_site", "department": ORGAN,
        "subjects": ["enterprise"], "labels": [], "minutes": 90, "harm": 500, "questions": [], **given,
    }  # fmt: skip


def desk_of(actor: str = "key:wang", organ: str = ORGAN, today: date = TODAY, now: int = NOW) -> Desk:
    return Desk(actor, organ, today, now)


def commit(settings: Settings, task: Task | None = None, *, ratios: dict[str, int] | None = None, **given: Any) -> Draw:
    """Commit to a draw under a task (default: a new one); filters by their names."""
    named = {name: given.pop(name) for name in list(given) if name in Filters.__dataclass_fields__}
    desk = given.pop("desk", None) or desk_of()
    made, _ = draws.commit(
        task or task_of(), Filters(**named), ratios or {}, scheme=grading.scheme_named(settings),
        settings=settings, desk=desk, **{"seed": SEED, "salt": SALT, **given},
    )  # fmt: skip
    return made


def run(draw: Draw, *, witness: str = WITNESS, desk: Desk | None = None) -> Draw:
    return draw_running.run(draw.id, witness=witness, token_seed=TOKENS, desk=desk or desk_of())[0]


def drawn(settings: Settings, task: Task | None = None, **given: Any) -> Draw:
    """A draw of a crowd by six inspectors, committed to and run."""
    crowd()
    staff()
    return run(commit(settings, task, **given))
