"""What the newest tamper check of the night found 台账核验: for probes, metrics and the command line. Reads one row."""

from dataclasses import dataclass

from registry.errors import RegistryError
from registry.models import JobRun
from registry.services.verify import Report

JOB = "verify"
# Findings that the error of a run quotes; `xinheng verify` says them all.
QUOTED = 3


class TamperingFound(RegistryError):
    """The ledger, its seal or what follows from it was changed by another way than a verb of this program."""

    code = "tampering_found"
    status = 500


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The newest check that came to an end: when (milliseconds UTC), and how many findings it had; 0 is well."""

    at: int
    findings: int

    @property
    def fine(self) -> bool:
        return self.findings == 0


def raise_for(report: Report) -> None:
    """Raise TamperingFound where a check found anything, quoting the first findings by rows and never by content."""
    if report.fine:
        return
    number = len(report.findings) + report.more
    said = " ".join(f"[{one.what}] {one.rows}".strip() for one in report.findings[:QUOTED])
    more = f" and {number - QUOTED:,} more" if number > QUOTED else ""
    raise TamperingFound(
        f"发现篡改 The ledger or its seal was changed: {number:,} finding{'' if number == 1 else 's'}, {said}{more}. Keep the database and the "
        "file of roots as they are, run `xinheng verify`, and see docs/sealing.md."
    )


def last() -> LastCheck | None:
    """The newest nightly check that ended with an answer, or None where there was none yet.

    A run that broke off for another reason (a worker that died, a database that was away) has no answer and is passed over:
    the one before it stands.
    """
    rows = (
        JobRun.select()
        .where((JobRun.job == JOB) & JobRun.state.in_(["done", "failed"]))
        .order_by(JobRun.due.desc())
        .limit(20)
    )
    for row in rows:
        found = row.result.get("findings")
        if isinstance(found, int):
            return LastCheck(row.finished_at or row.started_at, found)
    return None
