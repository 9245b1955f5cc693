"""Early warnings: raised after the models have scored, and closed where their ground is gone."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import early_warnings, warning_figures, warning_raising, warning_reasons


@job(
    "raise_warnings",
    title="风险预警 Raise early warnings, close those without a ground",
    setting="raise_warnings",
    late_ok=timedelta(hours=20),
    lease=timedelta(minutes=5),
    instead="A warning is about today's scores; those of a past day are not kept.",
)
def raise_warnings(run: Run, *, today: date) -> None:
    """Close unassigned warnings whose model or entity is gone, then raise new ones by what the champion says of everyone.

    Repeatable: what is open is not raised again, what is closed not closed again. Fifty warnings are a transaction. Without
    a champion, or with models switched off, nothing is raised. What is overdue is counted in the result, day by day.
    """
    with run.item("settle"):
        run.result["closed"] = early_warnings.settle(run.settings, run.now(), actor=run.actor)
    with run.item("raise"):
        raised = warning_raising.raise_new(
            run.settings, today=today, now=run.now, actor=run.actor, reasons=warning_reasons.heaviest, go_on=run.go_on
        )
        run.result |= raised.as_dict()
    with run.item("overdue"):
        found = warning_figures.figures(today)
        run.result |= {**found["overdue"], "to_remind": found["to_remind"]}
