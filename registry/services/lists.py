"""Inspection lists 检查对象名单: entities under a task, the riskiest first and some by lot, frozen when pulled.

A list is chosen outside any transaction (`choose`) and saved with one visit a row in a short one (`freeze`), which refuses
what another list took meanwhile; `settled` chooses again then. docs/lists.md tells the whole.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import numpy as np
import orjson

from registry.config import Settings
from registry.database import execute, in_slices, insert_rows, is_postgres, write
from registry.errors import DatabaseBusy, ListNotFound, NotADraw, NothingToList, RegistryError
from registry.identity import fold_code
from registry.models import InspectionList, Task
from registry.services import aliases, audit, ledger, list_order, list_reasons, list_slice, list_tour, tasks, visit_rows
from registry.services.list_order import NAMES, NOBODY, WAITING, Filters, Ids
from registry.services.list_slice import MILLION, SHARE, WITHOUT
from registry.services.tasks import Desk
from rules.explain import Reason
from rules.scheme import Scheme

__all__ = [
    "Ask", "Choice", "CodesRefused", "Filters", "ListOvertaken", "RandomShareNeeded", "Seeds", "choose", "freeze", "get",
    "percent", "pull", "settled",
]  # fmt: skip

FROZEN = (
    "entity", "code", "name", "kind", "division", "address", "class_", "score", "chance", "graded_day", "due_day", "harm",
)  # fmt: skip
MOST_SHARE = 50
# Codes that a refusal names in its sentence; all of them stand beside it.
NAMED = 10
# How often a list is chosen again where others were faster, and how long a pull waits for those before it.
ATTEMPTS, PATIENCE = 8, 30.0
CANCELLED = 3
HEAD = "SELECT seq FROM ledger_head WHERE id = 1 FOR UPDATE"

T = TypeVar("T")
_ONE_AT_A_TIME = threading.Lock()


class CodesRefused(RegistryError):
    """Entities that were asked for by code and may not come onto the list. Nothing was frozen."""

    code = "codes_refused"
    status = 422

    def __init__(self, refused: Mapping[str, str]) -> None:
        named = "; ".join(f"{code[:40]} {why}" for code, why in list(refused.items())[:NAMED])
        more = f"; and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        super().__init__(
            f"{len(refused)} of the codes cannot come onto the list: {named}{more}. Nothing was frozen; leave them out of "
            "`codes`, or correct them.",
            refused=[{"code": code, "why": why} for code, why in refused.items()],
        )


class RandomShareNeeded(RegistryError):
    """A prioritised list without a random slice, where one is needed."""

    code = "random_share_needed"
    status = 422


class ListOvertaken(RegistryError):
    """Other lists took entities of this one while it was being made. Nothing was frozen."""

    code = "list_overtaken"
    status = 409


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for: a prioritised list of `size` with `share` percent of it by lot (None: the default), or `codes`."""

    filters: Filters = field(default_factory=Filters)
    size: int = 0
    share: int | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seeds:
    """Secret random bytes of the caller, 32 each: of the random slice (kept with the list), and of the visits' codes (kept nowhere)."""

    slice: bytes
    tokens: bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """Entities chosen for a list, with their reasons; nothing is written yet.

    `rows` stand in the order of the list: prioritised or designated ones first, then those drawn by lot out of `pool`.
    """

    scheme: str
    ask: Ask
    share: int
    seed: bytes
    known: int
    rows: list[dict[str, Any]]
    drawn: int
    pool: Ids
    busy: Ids
    passed_over: dict[str, int]
    reasons: dict[int, list[Reason]]


def pull(task: Task, scheme: Scheme, ask: Ask, *, settings: Settings, desk: Desk, seeds: Seeds) -> InspectionList:
    """Choose entities and freeze them as a list under a task: :func:`choose`, then :func:`freeze`, again where others were faster."""
    attempts = count()

    def act() -> InspectionList:
        number = next(attempts)
        # Drawn again by the same numbers, the lot would not be independent of the one that was overtaken.
        seed = hashlib.sha256(seeds.slice + number.to_bytes(4, "big")).digest() if number else seeds.slice
        return freeze(
            task, choose(task, scheme, ask, settings=settings, desk=desk, seed=seed), desk=desk, tokens=seeds.tokens
        )

    return settled(act)


def settled(act: Callable[[], T]) -> T:
    """Do `act` (a choice and its freezing), one at a time in this process, and again where lists of others overtook it.

    Pulls at once would choose the same entities, and all but one would have been in vain. Raises DatabaseBusy after half a
    minute of waiting, ListOvertaken after eight attempts.
    """
    if not _ONE_AT_A_TIME.acquire(timeout=PATIENCE):
        raise DatabaseBusy
    try:
        for _ in range(ATTEMPTS - 1):
            try:
                return act()
            except ListOvertaken:
                continue
        return act()
    finally:
        _ONE_AT_A_TIME.release()


def choose(task: Task, scheme: Scheme, ask: Ask, *, settings: Settings, desk: Desk, seed: bytes) -> Choice:
    """Choose who comes onto a list, and work out why. Reads only.

    Prioritised rows follow `list_order`; `share` percent of the list, rounded up, are drawn by lot from everybody else who is
    eligible. With codes the list has exactly those entities, in that order. Raises NotADraw under a random task, TaskConflict
    under one that is over, RandomShareNeeded, NothingToList where nobody fits, and CodesRefused.
    """
    _lawful(task)
    share = _share(task, ask)
    rows, pool, drawn, busy, passed = (
        _designated(task, scheme, ask, settings, desk) if ask.codes else _by_risk(task, scheme, ask, share, settings, desk, seed)
    )  # fmt: skip
    if not rows:
        asked = ", ".join(f"{name} {value}" for name, value in ask.filters.to_dict().items() if value)
        out = ", ".join(f"{number} {why}" for why, number in passed.items() if number)
        nobody = "of those who are graded all are passed over" if out else "no entity is graded yet"
        raise NothingToList(
            f"No graded entity fits: {asked or nobody}{f'; passed over: {out}' if out else ''}. Nothing was "
            "frozen; widen the filters."
        )
    items = list_order.applying(rows, task.checklist, desk.today)
    weight = {item["code"]: int(item["harm"]) for item in task.checklist}
    for row in rows:
        # Who is named in person is checked for all of the task, also where no licence makes him a member of a special database.
        row["items"] = items[row["entity"]] or (list(weight) if ask.codes else [])
        row["harm"] = sum(weight[code] for code in row["items"])
    # Those drawn by lot stand behind, in the order of all.
    rows[len(rows) - drawn :] = sorted(rows[len(rows) - drawn :], key=lambda row: _rank(row, bool(task.checklist)))
    reasons = list_reasons.of(scheme, [row for row in rows if row["class_"]])
    return Choice(scheme.id, ask, share, seed, ledger.head(), rows, drawn, pool, busy, passed, reasons)


def freeze(task: Task, choice: Choice, *, desk: Desk, tokens: bytes) -> InspectionList:
    """Save a choice as a list under a task, each row with its visit, in one short transaction.

    Of `choice.pool` those count who still wait for no visit: N of the random slice is exact. Raises TaskConflict where the task
    ended meanwhile, ListOvertaken where a list of somebody else took an entity of this one.
    """
    rows, drawn = choice.rows, choice.drawn
    tour = {
        row["entity"]: place
        for place, row in enumerate(sorted(rows, key=lambda row: list_tour.key(row["division"], row["address"], row["code"])), 1)
    }  # fmt: skip
    with write():
        if is_postgres():
            # Whoever holds it writes lists and draws, one after the other.
            execute(HEAD)
        task = Task.get_by_id(task.id)
        _lawful(task)
        taken = _taken(task, choice)
        size = len(list_slice.without(choice.pool, taken))
        made: InspectionList = InspectionList.create(
            task=task, scheme=choice.scheme, known=choice.known, size=len(rows), slice_pool=size if drawn else 0, slice_size=drawn,
            filters={**choice.ask.filters.to_dict(), "random_share": choice.share, "passed_over": choice.passed_over},
            slice_seed=choice.seed.hex() if drawn else "", created_by=desk.actor[:64], created_at=desk.now,
        )  # fmt: skip
        columns = ("list_id", "position", "tour", *("class" if name == "class_" else name for name in FROZEN), "items", "reasons")  # fmt: skip
        insert_rows(
            "inspection_list_row", columns, (_row(made, place, tour, row, choice) for place, row in enumerate(rows, 1))
        )
        first = "designated" if choice.ask.codes else "priority"
        # Without a random slice the others had no chance at all, and no rate rests on such a list.
        sure = MILLION if drawn else 0
        chance = list_slice.inclusion(drawn, size) if drawn else 0
        by_lot = len(rows) - drawn
        visit_rows.write(
            made, task,
            [
                (place, row["entity"], *((first, sure) if place <= by_lot else ("random", chance)), "")
                for place, row in enumerate(rows, 1)
            ],
            token_seed=tokens, now=desk.now,
        )  # fmt: skip
        audit.note(
            "list.pulled", actor=desk.actor, subject=f"list {made.id}", now=desk.now, task=task.id, size=len(rows), random=drawn
        )  # fmt: skip
    return made


def get(number: int, *, organ: str) -> InspectionList:
    """Return a list, with its task, of one's own organ or of a task that it is a partner of; `organ` empty: any.

    Raises ListNotFound, also for the list of a draw that is still being written: its size is 0 until then.
    """
    whole = (InspectionList.id == number) & (InspectionList.size > 0)
    found = InspectionList.select(InspectionList, Task).join(Task).where(whole).first()
    if found is None or (organ and organ not in tasks.organs(found.task)):
        raise ListNotFound(
            f"{organ or 'This registry'} has no list {number}. POST /api/v1/lists and `xinheng list pull` make one."
        )
    assert isinstance(found, InspectionList)
    return found


def percent(chance: int) -> str:
    """A chance in millionths as a copy prints it, with one digit; empty where no model gave one."""
    return f"{chance // 10_000}.{chance // 1_000 % 10}%" if chance else ""


def _lawful(task: Task) -> None:
    if task.type == "random":
        raise NotADraw(
            f"Task {task.id} is random 双随机抽查. A list ordered by risk is not a draw; pull it under another type of task."
        )
    tasks.growing(task)


def _share(task: Task, ask: Ask) -> int:
    if ask.codes:
        return 0
    share = SHARE if ask.share is None else ask.share
    if not 0 <= share <= MOST_SHARE:
        raise RandomShareNeeded(
            f"A random share of {share} % cannot be. Give 1 to {MOST_SHARE}; without it {SHARE} % of the list are drawn by lot."
        )
    if share == 0 and task.type not in WITHOUT:
        raise RandomShareNeeded(
            f"A prioritised list under a task of type {task.type} has a random slice: without one nobody would learn what the "
            f"others do. Give `random_share` from 1 to {MOST_SHARE} percent; 0 is for tasks of type {', '.join(WITHOUT)}, "
            "and for lists by `codes`."
        )
    return share


Found = tuple[list[dict[str, Any]], Ids, int, Ids, dict[str, int]]


def _by_risk(task: Task, scheme: Scheme, ask: Ask, share: int, settings: Settings, desk: Desk, seed: bytes) -> Found:
    everybody = list_slice.population(
        scheme, ask.filters, task.checklist, task.type, settings=settings, today=desk.today
    )
    first, drawn = list_slice.sizes(ask.size, len(everybody.eligible), share)
    out = np.union1d(everybody.resting, everybody.busy)
    rows = list_order.ranked(scheme, ask.filters, task.checklist, size=first, leave_out=out, today=desk.today)
    pool = list_slice.without(everybody.eligible, np.fromiter((row["entity"] for row in rows), np.int64, len(rows)))
    # Read in two moments: whoever was registered or visited between them is in one of the two only.
    drawn = min(drawn, len(pool))
    numbers = list_slice.drawn(pool, drawn, seed)
    by_lot = list_order.named(scheme, numbers)
    return [*rows, *(by_lot[one] for one in numbers)], pool, drawn, everybody.busy, everybody.passed_over


def _designated(task: Task, scheme: Scheme, ask: Ask, settings: Settings, desk: Desk) -> Found:
    wanted = {fold_code(code): code for code in ask.codes}
    ids: dict[str, int] = {}
    status: dict[int, int] = {}
    for part in in_slices(list(wanted), 10_000):
        marks = ", ".join("?" * len(part))
        sql = f"SELECT id, code, registration_no, status, division FROM entity WHERE code IN ({marks}) OR registration_no IN ({marks})"  # noqa: S608
        for number, code, registration, state, division in execute(sql, [*part, *part]).fetchall():
            if any(division.startswith(prefix) for prefix in ask.filters.divisions):
                ids |= {name: number for name in (code, registration) if name in wanted}
                status[number] = state
    into = aliases.roots(list(ids.values()))
    capped = set(list_slice.capped(task.type, settings=settings, today=desk.today).tolist())
    busy = _waiting(task, {into.get(one, one) for one in ids.values()})
    refused: dict[str, str] = {}
    chosen: dict[int, None] = {}
    for folded, given in wanted.items():
        if folded not in ids:
            refused[given] = "is not registered here"
            continue
        entity = into.get(ids[folded], ids[folded])
        if status.get(entity) == CANCELLED:
            refused[given] = "is cancelled 已注销"
        elif entity in capped:
            refused[given] = "has reached the annual cap 年度检查上限"
        elif entity in busy:
            refused[given] = f"waits for visit {busy[entity]} already"
        chosen[entity] = None
    if refused:
        raise CodesRefused(refused)
    found = list_order.named(scheme, list(chosen))
    rows = [found[entity] for entity in chosen]
    return rows, NOBODY, 0, NOBODY, {}


def _waiting(task: Task, entities: set[int]) -> dict[int, int]:
    """Entities among these that wait for a visit → its id. What came from outside is held up by nothing but its own task."""
    only = " AND task_id = ?" if task.type in WITHOUT else ""
    found: dict[int, int] = {}
    for part in in_slices(sorted(entities), 10_000):
        sql = (
            f"SELECT entity, id FROM visit WHERE entity IN ({', '.join('?' * len(part))}) AND state IN {WAITING}{only}"  # noqa: S608
        )
        found |= dict(execute(sql, [*part, task.id] if only else part).fetchall())
    return found


def _taken(task: Task, choice: Choice) -> Ids:
    """Who came onto another list since the choice. Raises ListOvertaken where one of those is on this one."""
    chosen = {row["entity"] for row in choice.rows}
    if choice.ask.codes:
        lost = set(_waiting(task, chosen))
        taken = NOBODY
    else:
        taken = np.setdiff1d(list_slice.waiting(), choice.busy, assume_unique=True)
        lost = chosen.intersection(taken.tolist())
    if lost:
        raise ListOvertaken(
            f"Other lists took {len(lost)} of these entities while this one was being made. Nothing was frozen; send it again."
        )
    return taken


def _rank(row: Mapping[str, Any], coded: bool) -> tuple[Any, ...]:
    expected = (row["chance"] or 0) * (row["harm"] if coded else 1)
    return -(row["rank"] if row["rank"] is not None else -1), -expected, -(row["score"] or 0), row["code"]


def _row(
    made: InspectionList, place: int, tour: Mapping[int, int], row: Mapping[str, Any], choice: Choice
) -> Sequence[object]:
    # Who was named by code may have no grade yet: no class, and no day of one.
    empty = {"class_": "", "score": 0, "chance": 0, "graded_day": 0}
    values = [empty[name] if row[name] is None and name in empty else row[name] for name in FROZEN]
    why = orjson.dumps(choice.reasons.get(row["entity"], [])).decode()
    return (made.id, place, tour[row["entity"]], *values, orjson.dumps(row["items"]).decode(), why)


assert set(FROZEN) - {"harm"} <= set(NAMES)
