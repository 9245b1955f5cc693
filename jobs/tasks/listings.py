"""Listings that end by themselves, and reminders of those that will."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import documents, grading, listings, reminders, serious_list


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
            outcome = listings.end(
                seq, on=end, actor=run.actor, schemes=schemes, now=run.now(), settings=run.settings, today=today
            )
            ended += outcome.said == "corrected"
    run.result["ended"] = ended


@job(
    "remind_listings",
    title="名录届满提醒 Remind of anniversaries of listings, and open the cases that the law opens",
    setting="remind_listings",
    late_ok=timedelta(hours=23),
    lease=timedelta(minutes=10),
)
def remind_listings(run: Run, *, today: date) -> None:
    """Write a reminder for every listing that is three years old, or ends, within `[listings] reminder_days`.

    Opens besides the case of withdrawal of each serious-violation listing whose penalty was withdrawn (an officer audits
    it), and, only with `[listings] three_year_transfer = 1`, a draft for the serious-violation list of each row that stands
    three years. Repeatable: what is written or open already is not written or opened again.
    """
    due: list[reminders.Due] = []
    with run.item("reminders"):
        due = list(reminders.coming(today, run.settings.listings.reminder_days))
        run.result["due"] = len(due)
        run.result["reminders"] = reminders.remind(due, today=today)
    schemes, ours = grading.schemes(run.settings), documents.organs(run.settings)
    opened = {"withdrawals": 0, "transfers": 0}
    for record in serious_list.without_penalty():
        with run.item(f"record {record.seq}"):
            if record.organ in ours:
                desk = documents.desk(
                    run.settings, organ=record.organ, actor=run.actor, today=today, now=run.now(), schemes=schemes
                )
                opened["withdrawals"] += reminders.follow_penalty(record, desk=desk)
    if run.settings.listings.three_year_transfer:
        for record in reminders.three_years(today):
            with run.item(f"record {record.seq}"):
                if record.organ in ours:
                    desk = documents.desk(
                        run.settings, organ=record.organ, actor=run.actor, today=today, now=run.now(), schemes=schemes
                    )
                    opened["transfers"] += reminders.transfer(record, desk=desk)
    run.result |= opened
