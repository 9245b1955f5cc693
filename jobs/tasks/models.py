"""What models do by themselves: score everyone after the grading of the night, and watch their own quarters."""

from datetime import date, timedelta

from jobs.declared import job
from jobs.run import Run
from registry.services import model_scores, model_watch, models

INSTEAD = "A chance belongs to the day on which it orders lists. `xinheng model evaluate` shows how a model did before."


@job(
    "score_model",
    title="模型评分 Score everyone with the models at work",
    setting="score_model",
    late_ok=timedelta(hours=20),  # lists of the day go on with the chances of yesterday
    lease=timedelta(minutes=5),
    instead=INSTEAD,
)
def score_model(run: Run, *, today: date) -> None:
    """Score everyone with the champion, which sets the chances that order lists, and with models in the shadow.

    Repeatable: only what changed is written. Where models are switched off, or no champion stands, chances are cleared.
    """
    with run.item("scores"):
        done = model_scores.score_all(run.settings, day=today, now=run.now, progress=run.progress)
        run.result |= {"entities": done.entities, "chances": done.chances}
        run.result["models"] = {str(number): told for number, told in done.models.items()}


@job(
    "watch_model",
    title="模型监测 Report on the quarters that are over, retire models that drifted",
    setting="watch_model",
    late_ok=timedelta(days=6),  # the next week does the same
    lease=timedelta(minutes=10),
    instead=INSTEAD,
)
def watch_model(run: Run, *, today: date) -> None:
    """Report, once per model and quarter, how the models at work did, and let a champion retire that drifted.

    Repeatable: a quarter that was reported on is not reported on again. A model that fails is reported, the others go on.
    """
    for model in models.at_work():
        with run.item(f"model {model.id}"):
            found = model_watch.watch(
                model, settings=run.settings, today=today, by=run.actor, now=run.now(), progress=run.progress
            )
            run.result[str(model.id)] = [one.as_dict() for one in found]
