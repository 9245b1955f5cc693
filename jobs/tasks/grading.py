"""Keeping the grades current: by night what is due, by month everyone, by the minute what was just said."""

import time
from collections.abc import Callable
from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry import clock
from registry.config import Settings
from registry.services import book, grading, raises, scheme_shadows
from registry.services.explanation import in_force
from registry.services.grading import Result
from rules.scheme import Scheme

# Grades of another day must not become current: today's would then be refused as older news, or lost to it.
INSTEAD = "`xinheng grade --all --on DATE` shows the grades of another day and writes nothing."


@job(
    "grade_stale",
    title="随到随评 Grade what something new was said of",
    cron="* * * * *",
    late_ok=timedelta(minutes=1),  # the next minute does the same
    lease=timedelta(minutes=2),
    quiet=True,
    wanted=lambda settings: bool(_waiting(settings, clock.today(settings.jobs.timezone))),
    instead=INSTEAD,
)
def grade_stale(run: Run, *, today: date) -> None:
    """Grade the entities that an import, or a post whose grading failed, has marked.

    Repeatable: a mark goes in the transaction that writes the grade. Breakpoints of time are left to `grade_due`.
    """
    for name in _waiting(run.settings, today):
        _grade(
            run, name, today, lambda scheme, day: grading.due(scheme, day=day, only_stale=True, progress=run.progress)
        )  # fmt: skip


@job(
    "grade_due",
    title="每日到期评定 Grade what is due",
    setting="grade_due",
    late_ok=timedelta(hours=20),  # late is better than a day without; the next night does the rest
    lease=timedelta(minutes=5),
    instead=INSTEAD,
)
def grade_due(run: Run, *, today: date) -> None:
    """Grade, under every scheme, the entities whose grade new facts or time alone may have changed.

    Repeatable: what was graded is not due any more. A scheme that fails is reported, and the others are graded.
    """

    def due(scheme: Scheme, day: date) -> Result:
        scheme_shadows.turn_back(scheme.id, day)
        return grading.due(scheme, day=day, progress=run.progress)

    raises.settle(run.settings, run.now())
    for name in grading.schemes(run.settings, today):
        _grade(run, name, today, due)


@job(
    "grade_all",
    title="每月全量评定 Grade everyone",
    setting="grade_all",
    late_ok=timedelta(days=7),  # a month is long; a week late is still this month's run
    lease=timedelta(minutes=5),
    keeps_day=True,  # finished ranges are kept by day: the same day goes on where the lost run stopped
    instead=INSTEAD,
)
def grade_all(run: Run, *, today: date) -> None:
    """Grade all entities under every scheme.

    Repeatable: a run that was cut off goes on at its last finished range, and only changes are written.
    """
    size = run.settings.grading.range_size

    def everyone(scheme: Scheme, day: date) -> Result:
        scheme_shadows.turn_back(scheme.id, day)
        return grading.everyone(scheme, day=day, range_size=size, now=run.now, progress=run.progress)

    raises.settle(run.settings, run.now())
    for name in grading.schemes(run.settings, today):
        _grade(run, name, today, everyone)


def _waiting(settings: Settings, today: date) -> list[str]:
    # A mark of a scheme that left the book, or begins later, waits for nobody.
    marked = grading.stale_schemes()
    return [name for name in grading.schemes(settings, today) if name in marked] if marked else []


def _grade(run: Run, name: str, today: date, grade: Callable[[Scheme, date], Result]) -> None:
    with run.item(name), in_force():
        started = time.monotonic()
        day = book.graded_as_of(name, today)
        result = grade(grading.scheme_named(run.settings, name, day), day)
        run.result.setdefault("schemes", {})[name] = {
            "entities": result.entities, "changed": result.changed, "seconds": round(time.monotonic() - started, 2),
        }  # fmt: skip
