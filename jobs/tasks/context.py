"""The frozen context: what depends on others, put together once a month for every grade."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import context_building


@job(
    "build_context",
    title="生成背景值 Build the context that grades read",
    setting="build_context",
    late_ok=timedelta(days=7),  # grades go on with the context before it; a week late it is still this month's
    lease=timedelta(minutes=10),
    instead="A context holds from the day on which it is built: one of the past would change grades that were given.",
)
def build_context(run: Run, *, today: date) -> None:
    """Build today's context out of what is known now: related entities, addresses, norms by industry.

    Repeatable: a context that stands is never changed; the same day again is unchanged. It is whole or not there.
    """
    with run.item("context"):
        made = context_building.build(run.settings, day=today, now=run.now(), progress=run.progress)
        run.result |= {"said": made.said, "hash": made.context.hash, "values": made.values, "entities": made.entities}
