"""Leases: whoever holds the row of a job runs it. A lease that lapsed, or whose holder is gone, is taken over."""

from dataclasses import dataclass

from registry import owner
from registry.database import execute, write
from registry.models import JobLease


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as it was last renewed. `until` (milliseconds UTC) is part of the proof of holding it: an older copy
    of the same lease renews nothing."""

    job: str
    owner: str
    until: int


def acquire(job: str, *, now: int, length: int) -> Lease | None:
    """Take the lease of a job for `length` milliseconds, or return None while another run surely or maybe holds it.

    A lease that lapsed is taken over, and at once where its holder ran on this machine and runs no more. Within one
    process too only one run holds a lease.
    """
    lease = Lease(job, owner.me(), now + length)
    with write():
        held = JobLease.get_or_none(JobLease.job == job)
        if held is None:
            taken = execute(
                "INSERT INTO job_lease (job, owner, until) VALUES (?, ?, ?) ON CONFLICT (job) DO NOTHING",
                (job, lease.owner, lease.until),
            )
        elif held.until > now and not owner.is_gone(held.owner):
            return None
        else:
            # Where two take over at once, the second finds other words in the row and changes nothing.
            taken = execute(
                "UPDATE job_lease SET owner = ?, until = ? WHERE job = ? AND owner = ? AND until = ?",
                (lease.owner, lease.until, job, held.owner, held.until),
            )
    return lease if taken.rowcount == 1 else None


def renew(lease: Lease, *, now: int, length: int) -> Lease | None:
    """Hold on to a lease for another `length` milliseconds. None: it was taken over, so stop working."""
    until = max(now + length, lease.until + 1)
    with write():
        kept = execute(
            "UPDATE job_lease SET until = ? WHERE job = ? AND owner = ? AND until = ?",
            (until, lease.job, lease.owner, lease.until),
        )
    return Lease(lease.job, lease.owner, until) if kept.rowcount == 1 else None


def release(lease: Lease) -> None:
    """Give a lease back. Safe to repeat; a lease that somebody else took over stays theirs."""
    with write():
        execute(
            "DELETE FROM job_lease WHERE job = ? AND owner = ? AND until = ?", (lease.job, lease.owner, lease.until)
        )


def holder(job: str, *, now: int) -> str | None:
    """Who surely or maybe runs the job now; None when nobody does."""
    held = JobLease.get_or_none(JobLease.job == job)
    if held is None or held.until <= now or owner.is_gone(held.owner):
        return None
    return str(held.owner)
