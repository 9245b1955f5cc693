"""The sample town with something to see on its public pages: penalties and listings reviewed and published."""

from collections import Counter
from collections.abc import Callable
from datetime import date

from registry.config import Settings
from registry.database import execute
from registry.services import grading, publishing

PUBLISHED = ("penalty", "abnormal_listing", "serious_listing")
# Somebody else than who loaded the sample: nobody reviews what he brought himself.
REVIEWER = "sample-reviewer"


def publish_sample(settings: Settings, *, today: date, now: Callable[[], int]) -> dict[str, int]:
    """Review and publish the penalties and listings of the sample, and return how many had each outcome."""
    found: Counter[str] = Counter()
    for kind in PUBLISHED:
        for (organ,) in execute("SELECT DISTINCT organ FROM record WHERE kind = ? ORDER BY organ", (kind,)).fetchall():
            done = publishing.publish_all(
                kind, organ=organ, source="sample", review="样例数据，供演示 synthetic data, for show", actor=REVIEWER,
                schemes=grading.schemes(settings), today=today, now=now, old_rows=settings.publication.old_rows,
            )  # fmt: skip
            found.update({"records": done.records, **done.outcomes})
    return dict(found)
