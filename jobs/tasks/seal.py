"""Sealing what was written since the last minute: after that nobody can change it unseen."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import seal as sealing


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
