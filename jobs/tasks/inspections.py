"""What follows from the calendar of inspections."""

from dataclasses import asdict
from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import visit_due


@job(
    "mark_due",
    title="标记应查期限 Mark who must be visited by when",
    setting="mark_due",
    late_ok=timedelta(hours=20),
    lease=timedelta(minutes=5),
    instead="Due days follow from today's classes and visits: those of a past day would be wrong today.",
)
def mark_due(run: Run, *, today: date) -> None:
    """Bring the day by which each entity must be visited again up to date, from the frequency table and the last visits.

    Repeatable: only rows that change are written, in short transactions, and a run that was cut short is finished by the next.
    """
    with run.item("due days"):
        run.result |= asdict(visit_due.mark(run.settings, today=today, progress=run.progress))
