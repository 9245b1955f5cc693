"""Sealing what was written since the last minute, and every night the question whether anything was changed since."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import last_check
from registry.services import seal as sealing
from registry.services import verify as checking


@job(
    "seal",
    title="台账封存 Seal the ledger",
    cron="* * * * *",
    late_ok=timedelta(minutes=1),  # the next minute does the same
    lease=timedelta(minutes=2),
    quiet=True,
    wanted=lambda settings: sealing.is_waiting(),
    instead="What is not sealed yet is sealed today, whatever day it is about.",
)
def seal(run: Run, *, today: date) -> None:
    """Give every new row of the ledger its leaf, sign one root over all of it, and append the root to its file.

    Repeatable: leaves are stored in short transactions and kept, a root that is not in the file yet is appended by the
    next run. Fails, and signs nothing, where the ledger and the file of roots contradict each other: see `xinheng verify`.
    """
    with run.item("ledger"):
        sealed = sealing.seal(run.settings, now=run.now, progress=run.progress)
        run.result.update(rows=sealed.rows, size=sealed.size, root=sealed.root.hex())


@job(
    last_check.JOB,
    title="台账核验 Check the ledger for tampering",
    setting="verify",
    late_ok=timedelta(hours=20),
    lease=timedelta(minutes=5),
    instead="The ledger is checked as it is today, whatever day it is about.",
)
def verify(run: Run, *, today: date) -> None:
    """Hold every row against its seal, the seal against the file of roots, and every cache against the rows.

    Repeatable: it only reads. A finding makes the run fail, and is told by /readyz and /metrics until a later run finds
    nothing. Sealing goes on meanwhile: a root covers the leaves as they were first made, so it never makes a changed row
    good, and an attacker must not be able to leave all rows to come unsealed by touching one.
    """
    with run.item("ledger"):
        report = checking.verify(run.settings, progress=run.progress)
        run.result.update(
            rows=report.rows, sealed=report.sealed, roots=report.roots, findings=len(report.findings) + report.more
        )
        last_check.raise_for(report)
