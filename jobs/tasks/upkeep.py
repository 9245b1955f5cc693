"""Removing what was to be kept for a while only."""

from datetime import date, timedelta

from jobs.declared import JOBS, job
from jobs.run import Run
from registry.services import runs, upkeep

# A client that repeats a POST after a day has forgotten it; docs/jobs.md says so to integrators.
REPLIES = timedelta(hours=24)
# Two years of runs for who asks when the register was last graded; jobs of every minute would bury them.
RUNS = timedelta(days=730)
QUIET_RUNS = timedelta(days=7)


@job(
    "prune",
    title="清理过期数据 Remove what was kept for a while only",
    cron="20 4 * * *",
    late_ok=timedelta(hours=20),
    lease=timedelta(minutes=5),
)
def prune(run: Run, *, today: date) -> None:
    """Remove replies kept for repeated requests after 24 hours, and old rows of the ledger of runs.

    Repeatable. Records, grades, audit entries and import runs are never removed.
    """
    now = run.now()
    with run.item("replies"):
        run.result["replies"] = upkeep.drop_replies(_before(now, REPLIES))
    with run.item("runs"):
        quiet = [spec.name for spec in JOBS.values() if spec.quiet]
        loud = [spec.name for spec in JOBS.values() if not spec.quiet]
        run.result["runs"] = runs.forget(jobs=quiet, before=_before(now, QUIET_RUNS)) + runs.forget(
            jobs=loud, before=_before(now, RUNS)
        )


def _before(now: int, span: timedelta) -> int:
    return now - int(span.total_seconds() * 1000)
