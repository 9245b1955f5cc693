"""Raises over HTTP: an officer decides what a model suggests, and who may not read grades learns nothing of it."""

import re

import pytest

from registry.database import execute
from registry.models import Entity, GradeRaise
from registry.services import keys, seal
from tests.api.conftest import WITHOUT_GRADES, calls
from tests.api.test_leaks import everything_told
from tests.conftest import NOW
from tests.registry.raising import champion, confirmed, suggested, town

WHY = {"reason": "近期连续两次抽检不合格"}


@pytest.fixture
def decider(app):
    return calls(app, "decider", ["raises:decide", "grades:read", "entities:read"])


def code_of(row):
    return Entity.get_by_id(row.entity).code


def test_an_officer_confirms_a_suggestion_and_ends_it(app, settings, decider):
    row = suggested(settings)
    before = decider.get(f"/api/v1/entities/{code_of(row)}/grade").json["class"]
    assert [one["standing"] for one in decider.get("/api/v1/raises?state=suggested").json["items"]] == ["suggested"]
    path = f"/api/v1/raises/{row.id}"
    replies = [decider.post(f"{path}/confirm", WHY) for _ in range(2)]
    assert [one.status_code for one in replies] == [201, 200]
    shown = replies[0].json
    assert (shown["standing"], shown["decided_by"], shown["until"]) == ("in_force", "key:decider", "2027-02-19")
    assert shown["class"] == before != decider.get(f"/api/v1/entities/{code_of(row)}/grade").json["class"]
    assert [decider.post(f"{path}/end", WHY).status_code for _ in range(2)] == [201, 200]
    assert decider.get(f"/api/v1/entities/{code_of(row)}/grade").json["class"] == before
    assert decider.get(path).json["ended_why"] == WHY["reason"]


def test_a_dismissed_suggestion_changes_nothing_and_an_idempotency_key_replays(settings, decider):
    row = suggested(settings)
    header = {"Idempotency-Key": "one"}
    first, again = (decider.post(f"/api/v1/raises/{row.id}/dismiss", WHY, header) for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["Idempotent-Replay"]) == (201, 201, "true")
    refused = decider.post(f"/api/v1/raises/{row.id}/confirm", WHY)
    assert (refused.status_code, refused.json["code"]) == (409, "raise_conflict")


@pytest.mark.parametrize("scopes", [["raises:decide"], ["grades:read"]])
def test_deciding_needs_the_right_to_decide_and_the_right_to_read_grades(app, settings, scopes):
    row = suggested(settings)
    caller = calls(app, "someone", scopes)
    assert caller.post(f"/api/v1/raises/{row.id}/confirm", WHY).status_code == 403
    assert GradeRaise.get_by_id(row.id).state == "suggested"


def test_who_may_not_read_grades_learns_nothing_of_a_raise(app, settings):
    row = confirmed(settings)
    clerk = calls(app, "clerk", [one for one in WITHOUT_GRADES if one in keys.SCOPES])
    assert clerk.get("/api/v1/raises").status_code == 403
    assert clerk.get(f"/api/v1/raises/{row.id}").status_code == 403
    dossier = clerk.get(f"/api/v1/entities/{code_of(row)}/dossier").text
    assert "raise" not in dossier
    assert "上调" not in dossier


def test_every_path_reads_the_same_with_and_without_chance_and_raise_to_who_may_not_read_grades(app, settings):
    seal.make_log(settings, now=NOW)
    row = confirmed(settings)
    seal.seal(settings, now=lambda: NOW)
    code = code_of(row)
    told = everything_told(app, code, row.known)
    before = told()
    assert ("blind", f"/api/v1/ledger/proofs/{row.known}") in before
    marks = re.compile(f"raise_confirmed|Raise took effect|类别上调生效|{row.decided_why}")
    assert [where for where, (_, text, _) in before.items() if marks.search(text)] == []
    execute("DELETE FROM grade_raise")
    execute("UPDATE grade_state SET chance = 0")
    execute("DELETE FROM model_score")
    assert told() == before


def test_a_raise_of_another_division_is_as_absent_as_one_that_is_not_there(app, settings):
    row = confirmed(settings)
    stranger = calls(app, "stranger", ["raises:decide", "grades:read"], divisions=["8801"])
    assert stranger.get("/api/v1/raises").json["items"] == []
    absent, foreign = (stranger.get(f"/api/v1/raises/{number}") for number in (row.id + 1, row.id))
    assert (absent.status_code, foreign.status_code, foreign.json["code"]) == (404, 404, "raise_not_found")
    assert stranger.post(f"/api/v1/raises/{row.id}/end", WHY).status_code == 404


def test_an_explanation_outlives_a_bundle_that_was_changed_in_the_database(settings, decider):
    """Rules decide: what they say can be told also where of the model nothing can be worked out again."""
    row = suggested(settings)
    execute("UPDATE model SET bundle = '{}'")
    found = decider.get(f"/api/v1/entities/{code_of(row)}/explanation")
    assert (found.status_code, found.json["reproduced"], found.json["model"]["contributions"]) == (200, True, None)


def test_the_explanation_tells_what_the_model_says_and_what_came_of_it(settings, decider):
    row = suggested(settings)
    said = decider.get(f"/api/v1/entities/{code_of(row)}/explanation").json["model"]
    assert (said["why_not"], said["hash"], said["chance"]) == (None, row.model.hash, row.chance)
    assert said["base"] + sum(one["points"] for one in said["contributions"]) == said["points"]
    assert said["contributions"][0]["title"]["zh"]
    assert said["effect"]["raise"] == {"id": row.id, "state": "suggested", "seq": None}
    assert (said["effect"]["orders"], said["effect"]["not_raised"]) == (True, None)
    decider.post(f"/api/v1/raises/{row.id}/confirm", WHY)
    found = decider.get(f"/api/v1/entities/{code_of(row)}/explanation").json
    assert (found["decided"]["raise"]["id"], found["decided"]["raise"]["said"]) == (row.id, WHY["reason"])
    assert (found["reproduced"], found["model"]["effect"]["raise"]["state"]) == (True, "confirmed")
    assert sum(one["points"] for one in found["points"]) == found["score"]


def test_where_the_model_says_nothing_the_explanation_says_why(settings, decider, company):
    code = company()
    entity = town(settings)
    other = Entity.get_by_id(entity).code
    assert decider.get(f"/api/v1/entities/{code}/explanation").json["model"]["why_not"] == "no_champion"
    champion(settings)
    silent = decider.get(f"/api/v1/entities/{other}/explanation").json["model"]
    assert (silent["why_not"], "尚未评估" in silent["said"]["zh"]) == ("not_scored", True)
    past = decider.get(f"/api/v1/entities/{code}/explanation?on=2026-11-20").json["model"]
    assert past["why_not"] == "past"
