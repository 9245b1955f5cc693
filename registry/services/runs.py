"""The ledger of job runs: one row per tick, whoever of the workers runs it, and what became of it."""

from dataclasses import dataclass
from typing import Any

import orjson

from registry import owner
from registry.database import execute, write
from registry.models import JobRun
from registry.services import leases
from registry.services.leases import Lease

STATES = ("running", "done", "failed", "lost", "skipped")


@dataclass(frozen=True, slots=True)
class Claim:
    """The right, and the duty, to run one tick. `before` is what a run that was lost had kept of itself."""

    id: int
    lease: Lease
    before: dict[str, Any]


def find(job: str, due: int) -> JobRun | None:
    """The run of a tick (`due` in milliseconds UTC), whatever became of it."""
    found = JobRun.get_or_none((JobRun.job == job) & (JobRun.due == due))
    assert found is None or isinstance(found, JobRun)
    return found


def newest(job: str) -> JobRun | None:
    """The run of the newest tick of a job."""
    found = JobRun.select().where(JobRun.job == job).order_by(JobRun.due.desc()).first()
    assert found is None or isinstance(found, JobRun)
    return found


def claim(job: str, due: int, *, length: int, now: int, kept: dict[str, Any]) -> Claim | None:
    """Claim a tick and the lease of its job in one transaction; None when it is not ours to run.

    Not ours: the tick was run, is being run or was skipped; or another run of the job is still at work, in which case
    nothing is written. A tick whose run was lost may be claimed again. `kept` goes into the row's result.
    """
    with write():
        lease = leases.acquire(job, now=now, length=length)
        if lease is None:
            return None
        old = find(job, due)
        if old is None:
            execute(
                "INSERT INTO job_run (job, due, owner, state, started_at, items, failures, result, error) "
                "VALUES (?, ?, ?, 'running', ?, 0, 0, ?, '') ON CONFLICT (job, due) DO NOTHING",
                (job, due, lease.owner, now, orjson.dumps(kept).decode()),
            )
            before: dict[str, Any] = {}
        elif old.state == "lost":
            before = dict(old.result)
            again = {**kept, **before, "attempts": int(before.get("attempts", 1)) + 1}
            execute(
                "UPDATE job_run SET owner = ?, state = 'running', started_at = ?, finished_at = NULL, items = 0, failures = 0, "
                "result = ?, error = '' WHERE id = ? AND state = 'lost'",
                (lease.owner, now, orjson.dumps(again).decode(), old.id),
            )
        else:
            leases.release(lease)
            return None
        row = find(job, due)
        assert row is not None
        return Claim(row.id, lease, before)


def skip(job: str, due: int, *, now: int, why: str) -> bool:
    """Put on record that a tick will not be run, and why. False when the tick has a row already."""
    with write():
        made = execute(
            "INSERT INTO job_run (job, due, owner, state, started_at, finished_at, items, failures, result, error) "
            "VALUES (?, ?, ?, 'skipped', ?, ?, 0, 0, '{}', ?) ON CONFLICT (job, due) DO NOTHING",
            (job, due, owner.me(), now, now, why),
        )
    return bool(made.rowcount == 1)


def finish(
    claimed: Claim, lease: Lease, *, state: str, items: int, failures: int, result: dict[str, Any], error: str, now: int
) -> bool:
    """Close a run and give its lease back, together. False when somebody else has taken the run over meanwhile."""
    with write():
        closed = execute(
            "UPDATE job_run SET state = ?, finished_at = ?, items = ?, failures = ?, result = ?, error = ? "
            "WHERE id = ? AND state = 'running' AND owner = ?",
            (state, now, items, failures, orjson.dumps(result).decode(), error, claimed.id, lease.owner),
        )
        leases.release(lease)
    return bool(closed.rowcount == 1)


def mark_lost(*, now: int) -> list[JobRun]:
    """Mark the runs whose worker died: nobody holds their lease any more. Safe to repeat and to race."""
    lost: list[JobRun] = []
    for run in JobRun.select().where(JobRun.state == "running"):
        with write():
            # A run and its lease begin and end in one transaction, so a run without its lease has nobody.
            if leases.holder(run.job, now=now) == run.owner:
                continue
            marked = execute(
                "UPDATE job_run SET state = 'lost', finished_at = ?, error = ? WHERE id = ? AND state = 'running' AND owner = ?",
                (now, "The worker died before the run was over.", run.id, run.owner),
            )
            if marked.rowcount == 1:
                lost.append(run)
    return lost


def history(*, job: str | None, limit: int) -> list[JobRun]:
    """Runs, the newest tick first."""
    query = JobRun.select().order_by(JobRun.due.desc(), JobRun.id.desc()).limit(limit)
    return list(query if job is None else query.where(JobRun.job == job))


def forget(*, jobs: list[str], before: int) -> int:
    """Remove finished runs of these jobs whose tick lies before a moment, but never a job's newest one. Returns how many."""
    gone = 0
    for job in jobs:
        last = newest(job)
        if last is not None:
            with write():
                gone += execute(
                    "DELETE FROM job_run WHERE job = ? AND due < ? AND state <> 'running' AND id <> ?",
                    (job, before, last.id),
                ).rowcount
    return gone
