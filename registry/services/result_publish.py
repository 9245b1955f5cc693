"""Publication of results 检查结果公示: by hand, or by the night before their last day; nothing lapses without being told."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from registry.config import Settings
from registry.database import write
from registry.errors import RecordConflict
from registry.models import VisitResult
from registry.services import life, publication, results, visits
from registry.services.publication import Shown
from registry.services.results import PARAMETERS, Desk, ResultConflict

# Results that are named in the outcome of a night.
NAMED = 20


def publish(number: int, organ: str, *, desk: Desk) -> tuple[VisitResult, list[Shown], bool]:
    """Publish an approved result on every channel of spot checks, in one transaction; returns it, the channels, whether it is new.

    From the day of its publication the enterprise has fifteen days (parameter `recheck_ask`) to ask for a re-check. Where
    no channel takes it (personal data in a public field, its period over) it stays approved and the channels say why.
    Safe to repeat. Raises VisitNotFound, ResultNotFound, ResultElsewhere, ResultConflict where it is not approved, and as
    `publication.publish`: NotReviewed where its record was corrected since and nobody reviewed that, RecordConflict where it
    was withdrawn.
    """
    with write():
        row = results.get(number, organ)
        results.own(row, desk)
        if row.state not in results.APPROVED:
            raise ResultConflict(results.stands(row, "It is published once it is approved (`xinheng result approve`)."))
        assert row.identity is not None
        shown = publication.publish(
            life.target_of(row.identity).seq, "spot_check", organ=row.organ, actor=desk.actor, today=desk.today, now=desk.now,
            old_rows=desk.settings.publication.old_rows,
        )  # fmt: skip
        visit = visits.locked(number, desk)
        row = results.get(number, organ)
        if row.state == "published" or not any(one.said in ("published", "unchanged") for one in shown):
            return row, shown, False
        last = desk.today + timedelta(days=PARAMETERS["recheck_ask"].on(desk.today).value)
        results.keep(row, state="published", published_on=desk.today, recheck_until=last, version=row.version + 1)
        visits.step(visit, "result_published", "", {"organ": organ, "record": row.seq}, desk)
        return results.get(number, organ), shown, True


def due(today: date) -> list[tuple[int, str]]:
    """(visit, organ) of the approved results that the night publishes: their last day is `publish_ahead` days away or less."""
    last = today + timedelta(days=PARAMETERS["publish_ahead"].on(today).value)
    rows = VisitResult.select(VisitResult.visit, VisitResult.organ).where(
        (VisitResult.state == "approved") & (VisitResult.publish_by <= last) & ~results.withdrawn()
    )
    return [
        (row.visit_id, row.organ) for row in rows.order_by(VisitResult.publish_by, VisitResult.visit, VisitResult.organ)
    ]


def settle(number: int, organ: str, *, desk: Desk) -> str:
    """Publish one result in the night and say what became of it: published, unchanged, withdrawn, or why no channel took it.

    Raises what `publish` raises beside a record that was withdrawn: that one is published no more, and nothing is due.
    """
    try:
        _, shown, new = publish(number, organ, desk=desk)
    except RecordConflict:
        return "withdrawn"
    if new:
        return "published"
    return next(
        (f"{one.said}: {one.cause}" for one in shown if one.said not in ("published", "unchanged")), "unchanged"
    )


def standing(today: date) -> dict[str, Any]:
    """What is not published and near or past its last day, counted and named: {near, overdue, results: [{visit, organ, publish_by,
    state}]}; visits without a result are of state `missing`."""
    rows: list[dict[str, Any]] = [{**one, "state": "missing"} for one in results.missing(today)]
    after: str | None = None
    while True:
        found = results.page(today, soon=True, after=after, limit=500)
        rows += [{name: one[name] for name in ("visit", "organ", "publish_by", "state")} for one in found.items]
        after = found.next
        if after is None:
            break
    counts = Counter("overdue" if one["publish_by"] < today else "near" for one in rows)
    rows.sort(key=lambda one: (one["publish_by"], one["visit"], one["organ"]))
    named = [{**one, "publish_by": one["publish_by"].isoformat()} for one in rows[:NAMED]]
    return {"near": counts["near"], "overdue": counts["overdue"], "results": named}


def desk_of(settings: Settings, *, actor: str, today: date, now: Callable[[], int]) -> Desk:
    """The desk of the night: of every organ; it opens no visit, so it needs no seed of a code."""
    return Desk(actor, "", today, now(), settings, b"")
