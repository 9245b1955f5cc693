"""Draws by lot 随机抽取: who is visited, committed to in public before anybody could know it, and drawn once.

committed 已承诺 → drawn 已抽取 → revealed 已公开 (when the task is closed); or void 已作废, before it is drawn only: who could throw a result
away could draw until one pleases. Every verb is safe to repeat; docs/draws.md tells the whole and says what proves what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry import clock
from registry.config import Settings
from registry.database import execute, is_postgres
from registry.models import Draw, InspectionList, Task
from registry.services import audit, draw_candidates, draw_planning, frequency, labels, ledger, tasks
from registry.services.draw_candidates import Filters, Pool
from registry.services.draw_errors import (
    LONGEST_TEXT,
    LONGEST_WITNESS,
    STATES,
    DrawConflict,
    DrawNotFound,
    DrawRefused,
    NoTeam,
    NothingToDraw,
    words,
)
from registry.services.draw_planning import STRATA
from registry.services.ledger import Pen
from registry.services.tasks import Desk, TaskElsewhere
from rules import draw as lots
from rules.draw import Candidates, DrawError, Frame
from rules.inspection.frequency import Row
from rules.inspection.quotas import DAY_MINUTES
from rules.scheme import Scheme

__all__ = [
    "LONGEST_TEXT", "LONGEST_WITNESS", "STATES", "Desk", "DrawConflict", "DrawNotFound", "DrawRefused", "Filters", "NoTeam",
    "NothingToDraw", "Prepared", "announce", "commit", "get", "led", "list_of", "lock", "locked", "prepare", "reveal", "step", "void",
]  # fmt: skip

COMMITTED, DRAWN, REDRAWN, REVEALED, VOID = "draw_committed", "draw_drawn", "draw_redrawn", "draw_revealed", "draw_void"
# Minutes of a visit where neither the items nor the frequency table say: a product default.
VISIT_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draw as it would be committed to; nothing is written yet. `there` is the draw that the same request made before."""

    task: Task
    request: dict[str, Any]
    scheme: str
    frequency: str
    known: int
    excluded: int
    plan: dict[str, Any]
    frame: Frame | None = None
    frozen: bytes = b""
    there: Draw | None = None


def commit(
    task: Task, filters: Filters, ratios: Mapping[str, int], *, scheme: Scheme, seed: bytes, salt: bytes, settings: Settings,
    desk: Desk, strata: str = "class", algorithm: str = "",
) -> tuple[Draw, bool]:  # fmt: skip
    """Freeze the candidates of a draw under an approved task, commit to them and to the seed, and announce both.

    `ratios` are wanted ones by class, in hundredths of a percent, inside the bounds of the frequency table; `seed` and `salt`
    are 32 secret random bytes each, of the caller. From here on GET /api/v1/public/draws shows commitment, root and number of
    candidates. Safe to repeat: the same request under the same task finds the draw that it made (second value False).
    Raises TaskNotApproved, TaskElsewhere for a partner; DrawConflict where the task has another draw; NothingToDraw;
    QuotaRefused, NoTeam and PlanTooLarge with their numbers; DrawRefused for what no draw may do. Nothing is written then.
    """
    prepared = prepare(
        task,
        filters,
        ratios,
        scheme=scheme,
        salt=salt,
        settings=settings,
        desk=desk,
        strata=strata,
        algorithm=algorithm,
    )
    return announce(prepared, seed=seed, desk=desk)


def prepare(
    task: Task, filters: Filters, ratios: Mapping[str, int], *, scheme: Scheme, salt: bytes, settings: Settings, desk: Desk,
    strata: str = "class", algorithm: str = "",
) -> Prepared:  # fmt: skip
    """The reading half of :func:`commit`: candidates, strata, sizes, inspectors. Raises as that does."""
    led(task, desk)
    name = algorithm or settings.seal.algorithm
    request = {
        **filters.to_dict(), "ratios": dict(sorted(ratios.items())), "strata": strata, "scheme": scheme.id, "algorithm": name,
    }  # fmt: skip
    if (there := _same(task, request)) is not None:
        return Prepared(task, request, scheme.id, "", 0, 0, {}, there=there)
    tasks.approved(task)
    _check(task, filters, ratios, scheme, strata, desk.today)
    table, day = frequency.table(settings), clock.day_number(desk.today)
    nature = frequency.nature(task.checklist)
    rows: dict[str, Row] = {}

    def row_of(class_: str, industry: int) -> Row:
        row = table.at(scheme.id, nature, class_, industry or None, day)
        if row is None:
            raise DrawRefused(
                f"The frequency table {table.id} does not say how many of class {class_} of {scheme.id} are drawn for {nature} items on "
                f"{desk.today}. Add a row: `xinheng frequency show` prints those that there are."
            )
        return rows.setdefault(row.id, row)

    exempt = task.type in table.exemptions(day)
    known = ledger.head()
    pool = draw_candidates.find(
        filters, task.checklist, scheme=scheme.id, row_of=row_of, cap=table.annual_cap(day), exempt=exempt, today=desk.today
    )  # fmt: skip
    if not pool.candidates.height:
        raise NothingToDraw(_nobody(task, pool))
    candidates = draw_planning.stratify(pool.candidates, by=strata)
    planned = draw_planning.sizes(candidates, rows, ratios, by=strata)
    staff = draw_planning.staff(task, candidates, desk.today)
    pace = table.visit(day)
    minutes = sum(one["minutes"] for one in task.checklist) or (VISIT_MINUTES if pace is None else pace.minutes)
    day_minutes = DAY_MINUTES if pace is None else pace.day_minutes
    loads = draw_planning.days_taken(planned, staff.pool, minutes=minutes, day_minutes=day_minutes)
    _tells_no_class(pool)
    frame = Frame(
        name, task.organ, str(task.id), desk.today.isoformat(), table.hash,
        Candidates(candidates["code"].to_list(), candidates["stratum"].to_list(), salt),
        {one.name: one.size for one in planned}, dict(pool.excluded.select("code", "reason").iter_rows()),
        max(day_minutes // minutes, 1), staff.pool,
    )  # fmt: skip
    plan = {
        "strata": [one.to_dict() for one in planned], "minutes": minutes, "per_day": frame.per_day, "excluded": pool.reasons(),
        "workload": [{"organ": organ, **load.as_dict()} for organ, load in loads.items()],
    }  # fmt: skip
    frozen = draw_candidates.freeze(candidates, frame, staff.ids)
    return Prepared(task, request, scheme.id, table.hash, known, pool.excluded.height, plan, frame, frozen)


def announce(prepared: Prepared, *, seed: bytes, desk: Desk) -> tuple[Draw, bool]:
    """The writing half of :func:`commit`, in one short transaction. Raises as that does."""
    if prepared.there is not None:
        return prepared.there, False
    frame = prepared.frame
    assert frame is not None
    try:
        announced = lots.announce(frame, seed)
    except DrawError as error:
        raise DrawRefused(str(error)) from error
    with ledger.writing(now=desk.now, schemes=[]) as pen:
        if is_postgres():
            execute("SELECT id FROM task WHERE id = ? FOR UPDATE", (prepared.task.id,))
        if (there := _same(prepared.task, prepared.request)) is not None:
            return there, False
        tasks.approved(Task.get_by_id(prepared.task.id))
        made: Draw = Draw.create(
            task=prepared.task, state="committed", scheme=prepared.scheme, frequency=prepared.frequency, algorithm=frame.algorithm,
            filters=prepared.request, day=clock.day_number(desk.today), known=prepared.known, pool=len(frame.candidates.codes),
            excluded=prepared.excluded, size=sum(frame.sizes.values()), plan=prepared.plan, candidates=prepared.frozen,
            root=announced.root, commitment=announced.commitment, seed=seed.hex(), salt=frame.candidates.salt.hex(),
            committed_by=desk.actor[:64], committed_at=desk.now, committed_seq=0,
        )  # fmt: skip
        said = {
            "task": made.task_id, "algorithm": made.algorithm, "commitment": made.commitment, "root": made.root, "pool": made.pool,
        }  # fmt: skip
        made.committed_seq = step(pen, made, COMMITTED, said, desk)
        Draw.update(committed_seq=made.committed_seq).where(Draw.id == made.id).execute()
        audit.note(
            "draw.committed", actor=desk.actor, subject=f"draw {made.id}", now=desk.now, seq=made.committed_seq, task=made.task_id,
            pool=made.pool, size=made.size,
        )  # fmt: skip
    return made, True


def void(number: int, *, reason: str, desk: Desk) -> tuple[Draw, bool]:
    """Declare a draw void with a reason that the public reads. Another can be committed to then.

    Only before the witness has spoken, or where the draw that followed cannot be carried out because nobody can be sent (that is
    worked out again, not believed). Safe to repeat. Raises DrawNotFound, TaskElsewhere, DrawRefused without a reason, and
    DrawConflict once it is drawn.
    """
    from registry.services.draw_running import stuck

    said = words(reason, "reason", "why the draw is void: the public reads it")
    # Drawing a city again takes seconds: before the transaction, not in it. The words that it follows from never change.
    before = Draw.get_or_none(Draw.id == number)
    cannot = before is not None and before.state == "committed" and bool(before.witness) and stuck(before)
    with ledger.writing(now=desk.now, schemes=[]) as pen:
        found = locked(number, desk)
        if found.state == "void":
            return found, False
        if found.state != "committed":
            raise DrawConflict(
                f"Draw {number} is {found.state} ({STATES[found.state]}): a result that could be thrown away could be drawn until it "
                "pleases. Work its visits, or record why nobody was met."
            )
        if found.witness and not (cannot and found.minutes is None):
            raise DrawConflict(
                f"The witness of draw {number} has spoken, so its result stands. Run it to its end: `xinheng draw run {number}`."
            )
        found.state, found.void_why = "void", said
        Draw.update(state="void", void_why=said).where(Draw.id == number).execute()
        seq = step(pen, found, VOID, {"reason": said}, desk)
        audit.note("draw.void", actor=desk.actor, subject=f"draw {number}", now=desk.now, seq=seq, why=said)
    return found, True


def reveal(draw: Draw, *, desk: Desk) -> tuple[Draw, bool]:
    """Let everybody read the public minutes of a draw, inside the transaction that closes its task. Safe to repeat.

    Raises DrawConflict where it is not drawn yet.
    """
    with ledger.writing(now=desk.now, schemes=[]) as pen:
        found = lock(draw.id)
        if found.state == "revealed":
            return found, False
        if found.state != "drawn":
            raise DrawConflict(
                f"Draw {found.id} is {found.state} ({STATES[found.state]}): only what was drawn can be revealed."
            )
        found.state, found.revealed_at = "revealed", desk.now
        Draw.update(state="revealed", revealed_at=desk.now).where(Draw.id == found.id).execute()
        seq = step(pen, found, REVEALED, {"seed": found.seed, "digest": found.minutes_digest}, desk)
        audit.note("draw.revealed", actor=desk.actor, subject=f"draw {found.id}", now=desk.now, seq=seq)
    return found, True


def get(number: int, *, organ: str = "", divisions: tuple[str, ...] = ("",)) -> Draw:
    """A draw of an organ's task, or of one that it is a partner of (empty: of any), made among divisions that the caller has.

    Raises DrawNotFound.
    """
    found = Draw.get_or_none(Draw.id == number)
    if found is None or (organ and organ not in tasks.organs(found.task)):
        raise DrawNotFound(number)
    if not within(found.filters, divisions):
        raise DrawNotFound(number)
    assert isinstance(found, Draw)
    return found


def within(filters: Mapping[str, Any], divisions: tuple[str, ...]) -> bool:
    """Whether a draw with these filters was made among divisions with these prefixes alone."""
    # The narrower of the two: a key of several districts may have drawn in one.
    asked = [max(filters["division"], prefix, key=len) for prefix in filters["divisions"]]
    return all(prefix.startswith(tuple(divisions)) for prefix in asked)


def locked(number: int, desk: Desk) -> Draw:
    """A draw of the desk's own task, held until the transaction ends. Raises DrawNotFound, TaskElsewhere for a partner's desk."""
    found = lock(number)
    if desk.organ and desk.organ not in tasks.organs(found.task):
        raise DrawNotFound(number)
    led(found.task, desk)
    return found


def led(task: Task, desk: Desk) -> None:
    """Raise TaskElsewhere unless the desk's organ leads the task (or the desk is a terminal)."""
    if desk.organ and desk.organ != task.organ:
        raise TaskElsewhere(
            f"Task {task.id} is led by {task.organ}; {desk.organ} is not that. Ask them to draw under it."
        )


def list_of(draw: Draw) -> InspectionList | None:
    """The list that a draw made, once it is whole: while it is written its size is 0, and it is nobody's."""
    found = InspectionList.get_or_none((InspectionList.draw == draw.id) & (InspectionList.size > 0))
    assert found is None or isinstance(found, InspectionList)
    return found


def step(pen: Pen, draw: Draw, name: str, said: dict[str, Any], desk: Desk, *key: int) -> int:
    """Put a step of a draw on the ledger; returns its number. `key` tells one from the next of the same name."""
    told = {"organ": draw.task.organ, **said}
    return pen.step(
        name, about=f"draw:{draw.id}", entity=None, key=[draw.id, *key], on=desk.today, detail=told, by=desk.actor
    ).seq


def lock(number: int) -> Draw:
    """A draw, held until the transaction ends. Raises DrawNotFound."""
    if is_postgres():
        execute("SELECT id FROM draw WHERE id = ? FOR UPDATE", (number,))
    found = Draw.get_or_none(Draw.id == number)
    if found is None:
        raise DrawNotFound(number)
    assert isinstance(found, Draw)
    return found


def _same(task: Task, request: dict[str, Any]) -> Draw | None:
    """The draw that this request made before under the task. Raises DrawConflict for one that another request made."""
    found = Draw.get_or_none((Draw.task == task.id) & (Draw.state != "void"))
    if found is None:
        return None
    if found.filters != request:
        raise DrawConflict(
            f"Task {task.id} has draw {found.id} ({found.state} {STATES[found.state]}) already, made from another request. A task is drawn "
            "once. Before the witness has spoken it can be declared void with a reason, which the public reads."
        )
    assert isinstance(found, Draw)
    return found


def _check(
    task: Task, filters: Filters, ratios: Mapping[str, int], scheme: Scheme, strata: str, today: date
) -> None:  # fmt: skip
    if strata not in STRATA:
        raise DrawRefused(f"There are no strata {strata!r}. Choose one of: {', '.join(STRATA)}.")
    if strange := sorted(set(ratios) - set(scheme.classes)):
        raise DrawRefused(
            f"{scheme.id} has no class {', '.join(strange)}. It has: {', '.join(scheme.classes)}. Give ratios for these alone."
        )
    if task.to_on < today:
        raise DrawRefused(
            f"Task {task.id} ended on {task.to_on}: nobody can be visited under it. Make one with later days."
        )
    labels.condition(list(filters.labels), today)


def _tells_no_class(pool: Pool) -> None:
    """Raise DrawRefused where all candidates are of one class: how many of them are visited is public, and would tell it."""
    if pool.candidates["class"].n_unique() == 1:
        raise DrawRefused(
            f"All {pool.candidates.height:,} candidates are of one class. How many of how many were visited is public, and ratios are by "
            "class: everybody who was visited would be known to be of it. Widen the filters (division, industry, labels) until "
            "entities of several classes fit; nothing was committed to."
        )


def _nobody(task: Task, pool: Pool) -> str:
    left = ", ".join(f"{count:,} {draw_candidates.EXCLUDED[why]}" for why, count in pool.reasons().items())
    return (
        f"Nobody can be drawn under task {task.id}: no open entity of these divisions fits the filters and the items"
        + (f" but those who are left out ({left})" if left else "")
        + ". Widen the filters, or wait."
    )
