"""What a model suggests to raise by one class, after it has scored everyone."""

from dataclasses import asdict
from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import raise_suggesting


@job(
    "suggest_raises",
    title="建议类别上调 Suggest raises",
    setting="suggest_raises",
    late_ok=timedelta(hours=20),  # late is better than a day without; the next night does the rest
    lease=timedelta(minutes=5),
    instead="A raise holds from the day on which it is confirmed: one of the past would change grades that were given.",
)
def suggest_raises(run: Run, *, today: date) -> None:
    """Suggest a raise of everyone whose chance stands far above the mean, where nothing forbids it; let others lapse.

    Repeatable: what stands, and what an officer has dismissed of late, is not suggested again. Without a champion, and while
    `[model] use` is off, nothing is suggested and what stands is ended.
    """
    with run.item("raises"):
        made = raise_suggesting.suggest(run.settings, today=today, now=run.now, progress=run.progress)
        run.result |= asdict(made)
