"""Results of visits: published before their last day, and what is near or past it is told."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import result_publish


@job(
    "publish_results",
    title="检查结果公示 Publish approved results before their last day, tell what is near or past it",
    setting="publish_results",
    late_ok=timedelta(hours=23),
    lease=timedelta(minutes=5),
)
def publish_results(run: Run, *, today: date) -> None:
    """Publish approved results whose last day is near, and name those that are not approved, entered or publishable in time.

    Repeatable: what is published stays so. Each result is a transaction of its own, so one that no channel takes, or whose
    record was corrected and not reviewed, stops none of the others: it is named and counted, night by night, until it is settled.
    """
    desk = result_publish.desk_of(run.settings, actor=run.actor, today=today, now=run.now)
    published = 0
    blocked: list[str] = []
    for visit, organ in result_publish.due(today):
        with run.item(f"result of visit {visit} {organ}"):
            said = result_publish.settle(visit, organ, desk=desk)
            published += said == "published"
            if said not in ("published", "unchanged", "withdrawn"):
                blocked.append(f"visit {visit} {organ}: {said}")
    run.result |= {"published": published, "blocked": blocked[: result_publish.NAMED]}
    with run.item("standing"):
        run.result |= result_publish.standing(today)
