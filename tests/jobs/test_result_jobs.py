"""The nightly job that publishes results before their last day and names what is late."""

from datetime import timedelta

from jobs import runner
from jobs.tasks import named
from registry.models import JobRun, VisitResult, VisitStep
from registry.services import publication, result_review, results
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry.visited import CLEAR, ORGAN, desk_of, reviewer, visit_of


def night(settings, today):
    moment = NOW + (today - TODAY) // timedelta(milliseconds=1)
    ran = runner.by_hand(
        named("publish_results"), settings, actor="test", on=today, now=lambda: moment + JobRun.select().count()
    )
    return ran.state, ran.result


def test_the_nights_publish_what_is_near_its_last_day_and_name_what_they_cannot(settings, monkeypatch):
    done, shown, waits = (visit_of(registered(address="示例路1号")) for _ in range(3))
    for visit in (done, shown, waits):
        results.enter(visit.id, CLEAR, organ=ORGAN, desk=desk_of(settings))
    for visit in (done, shown):
        result_review.approve(visit.id, ORGAN, desk=reviewer(settings))
    last = VisitResult.get(VisitResult.visit == done.id).publish_by
    state, result = night(settings, last - timedelta(days=8))
    assert (state, [result[name] for name in ("published", "blocked", "near", "overdue")]) == ("done", [0, [], 0, 0])
    held = VisitResult.get(VisitResult.visit == shown.id).identity
    real = publication.personal_in
    monkeypatch.setattr(
        publication,
        "personal_in",
        lambda target: [("items", "resident_id")] if target.identity == held else real(target),
    )
    near = last - timedelta(days=7)
    state, result = night(settings, near)
    assert (state, result["published"], result["near"], result["overdue"]) == ("done", 1, 2, 0)
    assert result["blocked"] == [f"visit {shown.id} {ORGAN}: blocked: items: resident_id"]
    assert [(one["visit"], one["state"]) for one in result["results"]] == [
        (shown.id, "approved"),
        (waits.id, "entered"),
    ]
    row = VisitResult.get(VisitResult.visit == done.id)
    assert (row.state, row.published_on, row.recheck_until) == ("published", near, near + timedelta(days=15))
    assert VisitStep.get(VisitStep.act == "result_published").by == "job:publish_results"
    monkeypatch.undo()
    state, result = night(settings, last + timedelta(days=1))
    assert (result["published"], result["blocked"], result["overdue"]) == (1, [], 1)
