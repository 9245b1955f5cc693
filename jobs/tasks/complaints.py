"""Complaints made in series: what of them counts."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import complaints, grading


@job(
    "cap_claimants",
    title="职业索赔计入封顶 Let items of serial claimants beyond the cap count no more",
    setting="cap_claimants",
    late_ok=timedelta(hours=20),
    lease=timedelta(minutes=5),
    instead="It reads every item whatever its day, so today's run does all that a past one would have done.",
)
def cap_claimants(run: Run, *, today: date) -> None:
    """Cap the 12315 items of claimants who make them in series, and free those that are beyond the cap no longer.

    Repeatable: what is capped stays so. Each claimant is a transaction of his own, so one bad item is reported and the
    rest are still judged. The entities are marked, and graded within a minute.
    """
    schemes = grading.schemes(run.settings)
    capped = freed = 0
    for claimant in complaints.to_judge():
        with run.item(f"claimant {claimant[:8]}"):
            more, less = complaints.cap(claimant, actor=run.actor, today=today, schemes=schemes, now=run.now())
            capped += more
            freed += less
    run.result |= {"capped": capped, "freed": freed}
