"""Models over HTTP: read with the right to classes, promoted by another key than trained them."""

from datetime import date

import pytest

from registry.models import Entity, Model, Reply
from registry.services import keys, model_cards, model_openings, model_scores, models
from tests.api.conftest import Caller, calls
from tests.conftest import NOW, TODAY
from tests.factories import record
from tests.registry.modelling import kept

READERS = (
    "/api/v1/models",
    "/api/v1/models/1",
    "/api/v1/models/1/card.html",
    "/api/v1/models/openings",
    "/api/v1/statistics/rates",
)
VERBS = (("shadow", {}), ("promote", {}), ("retire", {"reason": "检查口径已变"}))


@pytest.fixture
def model(settings):
    return kept(settings, by="key:trainer")


@pytest.fixture
def approver(app):
    return calls(app, "approver", ["models:read", "models:approve", "grades:read"])


@pytest.fixture
def trainer(app):
    return calls(app, "trainer", ["models:read", "models:train", "models:approve", "grades:read"])


def test_a_model_is_listed_and_shown_with_its_gain_and_its_quarters(approver, model):
    (listed,) = approver.get("/api/v1/models").json["items"]
    assert (listed["id"], listed["state"], listed["gain"], listed["trained_by"]) == (
        model.id, "trained", {"low": 0.001, "high": 0.003}, "key:trainer",
    )  # fmt: skip
    shown = approver.get(f"/api/v1/models/{model.id}").json
    assert (shown["hash"], shown["rows"], shown["positives"], shown["quarters"], shown["outcome"]) == (
        model.hash, 1000, 200, [], {"severity": 1, "count": 1},
    )  # fmt: skip
    assert approver.get("/api/v1/models", state="champion").json["items"] == []
    assert approver.get("/api/v1/models/99").json["code"] == "model_not_found"


def test_one_key_trains_and_another_promotes_and_retires(trainer, approver, model):
    path = f"/api/v1/models/{model.id}"
    assert trainer.post(f"{path}/shadow").json["state"] == "shadow"
    refused = trainer.post(f"{path}/promote")
    assert (refused.status_code, refused.json["code"]) == (403, "same_hands")
    reply = approver.post(f"{path}/promote")
    assert (reply.status_code, reply.json["state"], reply.json["decided_by"]) == (201, "champion", "key:approver")
    assert approver.post(f"{path}/promote").status_code == 200
    reply = approver.post(f"{path}/retire", {"reason": "检查口径已变"})
    assert (reply.status_code, reply.json["state"], reply.json["retired_why"]) == (201, "retired", "检查口径已变")
    again = approver.post(f"{path}/promote")
    assert (again.status_code, again.json["code"]) == (409, "model_conflict")


def test_a_model_that_has_not_earned_its_place_is_refused_with_its_interval(app, settings, approver):
    model = kept(settings, gain=(-50, 200), by="key:trainer")
    reply = approver.post(f"/api/v1/models/{model.id}/promote")
    assert (reply.status_code, reply.json["code"]) == (422, "model_not_earned")
    assert "-0.0005 to +0.0020" in reply.json["detail"]
    assert Model.get_by_id(model.id).state == "trained"


@pytest.mark.parametrize(("verb", "body"), VERBS)
def test_a_repeated_request_acts_once_and_gets_the_same_answer(app, settings, verb, body):
    model = kept(settings, by="key:trainer")
    caller = calls(app, "all", list(keys.SCOPES))
    header = {"Idempotency-Key": "one"}
    first, again = (caller.post(f"/api/v1/models/{model.id}/{verb}", body, header) for _ in range(2))
    assert (first.status_code, again.status_code, first.json == again.json) == (201, 201, True)
    assert again.headers["Idempotent-Replay"] == "true"
    assert Reply.select().count() == 1
    other = caller.post(f"/api/v1/models/{model.id + 1}/{verb}", body, header)
    assert other.json["code"] == "idempotency_conflict"


def test_retiring_over_http_clears_the_chances(app, settings, approver, company):
    company(penalties=1)
    from registry.models import GradeState
    from tests.api.conftest import grade_all

    grade_all(app)
    model = kept(settings, by="key:trainer")
    models.promote(model.id, settings=settings, by="key:someone", now=NOW)
    model_scores.score_all(settings, day=TODAY, now=lambda: NOW)
    assert GradeState.get().chance > 0
    approver.post(f"/api/v1/models/{model.id}/retire", {"reason": "检查口径已变"})
    assert GradeState.get().chance == 0


def test_openings_are_listed_with_their_reason(app, approver):
    for name, why in (("a", ""), ("b", "特征口径更正")):
        model_openings.open_period(
            "ledger", model=name * 64, from_day=19723, until_day=20089, why=why, by="key:甲", now=NOW
        )
    found = approver.get("/api/v1/models/openings").json["items"]
    assert [(row["first"], row["why"], row["from"]) for row in found] == [
        (False, "特征口径更正", "2024-01-01"), (True, "", "2024-01-01"),
    ]  # fmt: skip


def test_a_card_needs_an_evaluation_and_is_one_page(app, settings, approver, monkeypatch):
    model = kept(settings, evaluated=False)
    refused = approver.get(f"/api/v1/models/{model.id}/card.html")
    assert (refused.status_code, refused.json["code"]) == (409, "model_not_evaluated")
    monkeypatch.setattr(model_cards, "html", lambda found: f"<p>{found.id}</p>")
    reply = approver.get(f"/api/v1/models/{model.id}/card.html")
    assert (reply.status_code, reply.mimetype, reply.text) == (200, "text/html", f"<p>{model.id}</p>")


def test_rates_by_class_bound_themselves_to_the_keys_divisions(app, company):
    company()
    for entity in Entity.select():
        record(entity.id, "spot_check", checked_on=date(2026, 5, 5))
    here, elsewhere = (calls(app, name, ["models:read", "grades:read"], [name]) for name in ("99", "88"))
    found = here.get("/api/v1/statistics/rates").json
    assert (found["scheme"], found["from"], found["to"]) == ("general-risk", "2025-11-21", "2026-11-21")
    checks = [one.get("/api/v1/statistics/rates").json["items"][-1]["checks"] for one in (here, elsewhere)]
    assert checks == [1, 0]
    assert here.get("/api/v1/statistics/rates", scheme="no-such").json["code"] == "unknown_scheme"
    turned = here.get("/api/v1/statistics/rates", **{"from": "2026-05-01", "to": "2026-04-30"})
    assert (turned.status_code, "Give the earlier day first" in turned.text) == (422, True)


# --- who may what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READERS)
def test_without_the_right_to_classes_nothing_of_a_model_is_read(lone_app, path):
    for scopes in (["models:read"], ["grades:read"]):
        reply = calls(lone_app, scopes[0], scopes).get(path)
        assert (reply.status_code, reply.json["code"]) == (403, "missing_scope")


@pytest.mark.parametrize(("verb", "body"), VERBS)
def test_a_reader_changes_nothing(lone_app, on_sqlite, verb, body):
    model = kept(on_sqlite)
    reader: Caller = calls(lone_app, "reader", ["models:read", "grades:read"])
    assert reader.post(f"/api/v1/models/{model.id}/{verb}", body).json["code"] == "missing_scope"
    assert Model.get_by_id(model.id).state == "trained"
