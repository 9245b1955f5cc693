"""Early warnings 风险预警: a model thinks that an entity is much likelier than others to be found at fault; a person looks.

Raised by a job (`warning_raising`), then assigned, disposed of, answered, closed. Every verb is one transaction with its step
and its audit entry, and safe to repeat. Nothing of it touches a class. docs/early-warnings.md tells the whole.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from registry import clock, parameters
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import execute, insert_rows, is_postgres, write
from registry.errors import RegistryError
from registry.kinds.codes import Label
from registry.models import EarlyWarning, GradeState, Model, WarningStep
from registry.services import audit, tasks, warning_views, workdays

PARAMETERS = parameters.shipped("warnings")
STATES = {
    "open": "待分派", "assigned": "已分派，待处置", "disposed": "已处置，待反馈", "answered": "已反馈，待办结", "closed": "已办结",
}  # fmt: skip
DISPOSALS = {
    1: Label("电话或书面提醒", "phoned or written to"),
    2: Label("安排现场检查", "on-site check ordered"),
    3: Label("约谈负责人", "talk with the person in charge"),
    4: Label("转交其他部门", "transferred to another organ"),
    5: Label("列入重点关注", "watched"),
}
ON_SITE, TRANSFERRED = 2, 4
OUTCOMES = {
    1: Label("发现问题", "violation found"),
    2: Label("未发现问题", "nothing found"),
    3: Label("未核查", "not looked into"),
}
VIOLATION, NOTHING, NOT_LOOKED = 1, 2, 3
LONGEST_TEXT, LONGEST_NAME = 2_000, 64
# Raised, or closed, in one transaction: the write lock is held for milliseconds.
CHUNK = 50


class WarningNotFound(RegistryError):
    """There is no such early warning, or not in the divisions of who asks."""

    code = "warning_not_found"
    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(
            f"There is no early warning {number}. `xinheng warning list` and GET /api/v1/warnings show those that there are."
        )


class WarningConflict(RegistryError):
    """What was asked for does not follow from where the warning stands."""

    code = "warning_conflict"
    status = 409


class WarningRefused(RegistryError):
    """A step that lacks something, or names a record that does not show what is said."""

    code = "warning_refused"
    status = 422


class WarningElsewhere(RegistryError):
    """The warning is assigned to another organ."""

    code = "warning_elsewhere"
    status = 403


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, for which organ (empty at a terminal, which works for every organ), and when."""

    actor: str
    organ: str
    today: date
    now: int


def assign(number: int, *, to: str, organ: str = "", said: str = "", desk: Desk) -> tuple[EarlyWarning, bool]:
    """Assign a warning to a person of an organ (default: the desk's own). Assigning it anew leaves its deadline as it is.

    The feedback is due `answer_days` working days after it was first assigned. Safe to repeat: assigned to the same person
    already, it is returned unchanged (second value False). Raises WarningNotFound, WarningRefused without a person or an
    organ, WarningConflict once it was disposed of.
    """
    with write():
        row = _locked(number)
        whom = _words(to, "person", "who looks into it (`to`)")[:LONGEST_NAME]
        where = _words(organ or desk.organ, "organ", "whose person that is (`organ`)")[:200]
        if row.state == "assigned" and (row.organ, row.assigned_to) == (where, whom):
            return row, False
        if row.state not in ("open", "assigned"):
            raise WarningConflict(_stands(row, "It is past being assigned."))
        row.state, row.organ, row.assigned_to = "assigned", where, whom
        if row.answer_by is None:
            row.answer_by = _due("answer_days", desk.today)
        _step(row, "assigned", said, {"organ": where, "to": whom}, desk)
        return row, True


def dispose(number: int, *, disposal: int, said: str, task: int | None = None, desk: Desk) -> tuple[EarlyWarning, bool]:
    """Say what was done about a warning: one of DISPOSALS, in words, with the task of an on-site check where there is one.

    Safe to repeat with the same words. Raises WarningNotFound; WarningElsewhere for a desk of another organ than it is
    assigned to; WarningConflict where it is not assigned, or disposed of otherwise; WarningRefused for an unknown disposal,
    no words, or a task beside anything but an on-site check; TaskNotFound where the organ has no such task.
    """
    with write():
        row = _locked(number)
        words = _words(said, "text", "what was done and what came to light (`said`)")
        if disposal not in DISPOSALS:
            raise WarningRefused(f"{disposal} is no disposal. Choose one of: {_listed(DISPOSALS)}.")
        chosen = {"disposal": disposal} | ({} if task is None else {"task": task})
        if row.state == "disposed" and _repeats(row, words, chosen):
            return row, False
        if row.state != "assigned":
            raise WarningConflict(_stands(row, "Only an assigned one can be disposed of."))
        _own(row, desk)
        if task is not None:
            if disposal != ON_SITE:
                raise WarningRefused(f"A task belongs to an on-site check (disposal {ON_SITE}). Leave it out, or choose that one.")  # fmt: skip
            tasks.get(task, organ=row.organ)
        row.state, row.disposal, row.task = "disposed", disposal, task
        _step(row, "disposed", words, chosen, desk)
        return row, True


def answer(number: int, *, outcome: int, said: str, record: int | None = None, desk: Desk) -> tuple[EarlyWarning, bool]:
    """Give the feedback 反馈: one of OUTCOMES in words, with the ledger row that shows it.

    A violation needs the row of a spot check or penalty about this entity after the day of the warning that found one
    (not where the warning was transferred: another organ's record need not be here); of `nothing found` the row of a spot
    check that found nothing may be named. Safe to repeat. Raises WarningNotFound, WarningElsewhere, WarningConflict,
    WarningRefused as :func:`dispose`, and for a record that does not show it.
    """
    with write():
        row = _locked(number)
        words = _words(said, "text", "what was looked at, or why it was not (`said`)")
        if outcome not in OUTCOMES:
            raise WarningRefused(f"{outcome} is no outcome. Choose one of: {_listed(OUTCOMES)}.")
        chosen = {"outcome": outcome} | ({} if record is None else {"record": record})
        if row.state == "answered" and _repeats(row, words, chosen):
            return row, False
        if row.state != "disposed":
            raise WarningConflict(_stands(row, "Feedback follows what was done."))
        _own(row, desk)
        _check_record(row, outcome, record)
        row.state, row.outcome, row.record = "answered", outcome, record
        _step(row, "answered", words, chosen, desk)
        return row, True


def close(number: int, *, said: str = "", desk: Desk) -> tuple[EarlyWarning, bool]:
    """Close a warning that has its feedback. Safe to repeat. Raises WarningNotFound, WarningConflict without feedback."""
    with write():
        row = _locked(number)
        if row.state == "closed":
            return row, False
        if row.state != "answered":
            raise WarningConflict(_stands(row, "It is closed once it has its feedback."))
        row.state, row.closed_at = "closed", desk.now
        _step(row, "closed", said, {}, desk)
        return row, True


def close_all_of(model: Model, why: str, now: int, *, actor: str = "registry") -> int:
    """Close the warnings of a model that nobody has taken on yet, and say why; assigned ones stay as work. Returns how many.

    Safe to repeat: fifty are a transaction, and what was cut off goes on.
    """
    return _close_open((EarlyWarning.model == model.id) & (EarlyWarning.state == "open"), why, now, actor)


def settle(settings: Settings, now: int, *, actor: str = "registry") -> int:
    """Close what no longer has a ground and nobody has taken on: warnings of a model that is not champion, or of any where
    `[model] use` is off, and of entities that are graded no more (cancelled, merged). Returns how many. Safe to repeat."""
    off = settings.model.use == "off"
    closed = 0
    waiting = EarlyWarning.select(EarlyWarning.model).where(EarlyWarning.state == "open").distinct()
    for model in Model.select().where(Model.id.in_(waiting)):
        if off or model.state != "champion" or model.grades != settings.model.grades:
            why = "模型已停用（[model] use = off） Models are switched off." if off else (
                f"模型 {model.name} 不再是在用模型 The model {model.name} is no longer the champion of {settings.model.grades}."
            )  # fmt: skip
            closed += close_all_of(model, why, now, actor=actor)
    graded = GradeState.select(GradeState.entity).where(
        (GradeState.entity == EarlyWarning.entity) & (GradeState.scheme == settings.model.grades)
    )
    lost = (EarlyWarning.state == "open") & EarlyWarning.entity.not_in(graded)
    why = "主体已注销、合并或不再评定 The entity is cancelled, merged or graded no more."
    return closed + _close_open(lost, why, now, actor)


def get(number: int) -> EarlyWarning:
    """One warning by its number. Raises WarningNotFound."""
    found = EarlyWarning.get_or_none(EarlyWarning.id == number)
    if found is None:
        raise WarningNotFound(number)
    assert isinstance(found, EarlyWarning)
    return found


def lock_model(model: int) -> None:
    """Wait for whoever raises or closes the warnings of this model, or changes its place, until this transaction ends."""
    if is_postgres():
        execute("SELECT id FROM model WHERE id = ? FOR UPDATE", (model,))


def day_and_due(today: date) -> tuple[int, int]:
    """The day (number) of a warning that is raised today, and the last one for assigning it."""
    return clock.day_number(today), _due("assign_days", today)


def _locked(number: int) -> EarlyWarning:
    if is_postgres():
        execute("SELECT id FROM early_warning WHERE id = ? FOR UPDATE", (number,))
    return get(number)


def _due(name: str, today: date) -> int:
    return clock.day_number(workdays.due(today, PARAMETERS[name].on(today).value))


def _step(row: EarlyWarning, act: str, said: str, detail: dict[str, Any], desk: Desk) -> None:
    row.save()
    number = WarningStep.select().where(WarningStep.warning == row.id).count() + 1
    WarningStep.insert(
        warning=row.id, number=number, act=act, by=desk.actor[:64], at=desk.now, said=_short(said), detail=detail
    ).execute()
    audit.note(f"warning.{act}", actor=desk.actor, subject=f"warning {row.id}", now=desk.now, **detail)


def _close_open(which: Any, why: str, now: int, actor: str) -> int:
    """Close the open warnings of a condition, which have no step beside the first one, in short transactions."""
    closed = 0
    while EarlyWarning.select().where(which).exists():
        with write():
            waiting = EarlyWarning.select(EarlyWarning.id).where(which).order_by(EarlyWarning.id).limit(CHUNK)
            # Whoever assigns one meanwhile is waited for, and then it is not among them.
            numbers = [row.id for row in (waiting.for_update() if is_postgres() else waiting)]
            insert_rows(
                "warning_step", ("warning_id", "number", "act", "by", "at", "said", "detail"),
                [(number, 2, "closed", actor[:64], now, why, "{}") for number in numbers],
            )  # fmt: skip
            EarlyWarning.update(state="closed", closed_at=now).where(EarlyWarning.id.in_(numbers)).execute()
            for number in numbers:
                audit.note("warning.closed", actor=actor, subject=f"warning {number}", now=now, why=why)
        closed += len(numbers)
    return closed


def _repeats(row: EarlyWarning, said: str, detail: dict[str, Any]) -> bool:
    """Whether the last step of a warning chose the same and said the same."""
    last = WarningStep.select().where(WarningStep.warning == row.id).order_by(WarningStep.number.desc()).get()
    return bool(last.said == said and last.detail == detail)


def _own(row: EarlyWarning, desk: Desk) -> None:
    if desk.organ and desk.organ != row.organ:
        raise WarningElsewhere(
            f"Early warning {row.id} is assigned to {row.organ}, and {desk.organ} is not that. Let them do it, or assign it anew."
        )


def _check_record(row: EarlyWarning, outcome: int, seq: int | None) -> None:
    """That the record shows the outcome: about this entity, not before the day of the warning, and saying the same."""
    if seq is None:
        if outcome == VIOLATION and row.disposal != TRANSFERRED:
            raise WarningRefused(
                "A violation needs `record`: the ledger number of the spot check or penalty that shows it. Post that record "
                f"first; `xinheng warning show {row.id}`, and GET /api/v1/warnings/{row.id} under `records`, then lists it."
            )
        return
    if outcome == NOT_LOOKED:
        raise WarningRefused("What was not looked into has no record. Leave `record` out, or choose another outcome.")
    found = [one for one in warning_views.records_since(row.entity, 0) if one["seq"] == seq]
    if not found:
        raise WarningRefused(
            f"Row {seq} of the ledger is no spot check or penalty about this entity that counts: it is about another one, of "
            f"another kind, replaced, withdrawn, or waits for a review. `xinheng warning show {row.id}`, and GET /api/v1/warnings/"
            f"{row.id} under `records`, lists those that may be named."
        )
    raised = clock.day_of(row.day).isoformat()
    # Warnings come before the day's work: a visit of the same day may be the answer.
    if found[0]["day"] < raised:
        raise WarningRefused(
            f"Record {seq} is of {found[0]['day']}, and the warning was raised on {raised}: what came before cannot show how it "
            "ended."
        )
    if outcome == VIOLATION and not found[0]["found"]:
        raise WarningRefused(f"Record {seq} found nothing. Name the one that found the violation, or answer {NOTHING}.")
    if outcome == NOTHING and (found[0]["found"] or found[0]["kind"] != "spot_check"):
        raise WarningRefused(f"Record {seq} is not a spot check that found nothing. Leave it out, or answer {VIOLATION}.")  # fmt: skip


def _stands(row: EarlyWarning, why: str) -> str:
    following = {
        "open": "Assign it next.", "assigned": "Dispose of it next.", "disposed": "Its feedback is next.",
        "answered": "Close it next.", "closed": "Nothing follows.",
    }  # fmt: skip
    return f"Early warning {row.id} is {row.state} ({STATES[row.state]}). {why} {following[row.state]}"


def _listed(words: dict[int, Label]) -> str:
    return ", ".join(f"{number} {label.zh} {label.en}" for number, label in words.items())


def _words(text: str, name: str, what: str) -> str:
    if not text.strip():
        raise WarningRefused(f"The {name} is missing. Say {what}.")
    return _short(text)


def _short(text: str) -> str:
    return mask_personal(text.strip())[:LONGEST_TEXT]
