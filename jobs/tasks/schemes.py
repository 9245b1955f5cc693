"""Trials of proposed schemes that are over."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import scheme_shadows


@job(
    "end_shadows",
    title="影子方案到期清理 Remove the grades of trials that are over",
    cron="15 0 * * *",  # before the nightly run, which would renew them for nothing
    late_ok=timedelta(hours=23),
    lease=timedelta(minutes=5),
)
def end_shadows(run: Run, *, today: date) -> None:
    """Stop the trial of each proposal that is in force by today, and remove what a trial that is over has left.

    Repeatable. Trials have no history and no effect: what is removed can be had again by switching the trial on again.
    """
    with run.item("trials"):
        run.result["removed"] = scheme_shadows.end(today, by=run.actor, now=run.now())
