"""Publications that end by themselves, and the notices that follow from what happened elsewhere."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import notices, publication


@job(
    "end_publications",
    title="公示到期停止 Stop publications whose period or cause has ended",
    setting="end_publications",
    late_ok=timedelta(hours=23),  # what is over is not shown any more from its day on, whether the job ran or not
    lease=timedelta(minutes=5),
)
def end_publications(run: Run, *, today: date) -> None:
    """Stop what may not be published any more by today, and write the notices that are missing.

    Its period is over; its record was withdrawn, repaired or erased; its listing was removed; or old rows are to be counted
    anew (`[publication] old_rows`). Repeatable: what was stopped is not touched again. Each record is its own transaction.
    """
    old_rows = run.settings.publication.old_rows
    stopped = 0
    for identity in publication.due(today, old_rows=old_rows):
        with run.item(f"record {identity[:8]}"):
            stopped += len(publication.end(identity, today=today, actor=run.actor, now=run.now(), old_rows=old_rows))
    run.result["stopped"] = stopped
    with run.item("notices"):
        run.result["notices"] = notices.collect(now=run.now(), zone=run.settings.jobs.timezone)
