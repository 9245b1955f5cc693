"""Listings that end by themselves."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import grading, listings


@job(
    "end_listings",
    title="严重违法失信名单到期移出 End serious-violation listings whose term is over",
    setting="end_listings",
    late_ok=timedelta(hours=23),  # every day that a listing stands too long is one too many
    lease=timedelta(minutes=5),
    past_days=True,  # it ends what was over by then, on the day it was over: today's run would do the same and more
)
def end_listings(run: Run, *, today: date) -> None:
    """End the serious-violation listings whose three years, or longer statutory restriction, are over.

    Repeatable: a listing that has its removal is not touched again. Each is its own transaction, so one bad row is
    reported and the rest still end. The entities are marked, and graded within a minute.
    """
    schemes = grading.schemes(run.settings)
    ended = 0
    for seq, end in listings.over(today):
        with run.item(f"record {seq}"):
            outcome = listings.end(seq, on=end, actor=run.actor, schemes=schemes, now=run.now())
            ended += outcome.said == "corrected"
    run.result["ended"] = ended
