"""The feed of grade changes over HTTP: in order, within the key's divisions, with reasons, and never without the right."""

import pytest

from registry.services import entities, ledger
from tests.api.conftest import calls, grade_all, penalty
from tests.factories import record


@pytest.fixture
def moved(app, company):
    """The code of a company whose grade moved once, and the record that moved it."""
    code = company()
    grade_all(app)
    seq = record(entities.get(code).id, kinds=["revoked_licence"]).seq
    grade_all(app)
    return code, seq


def test_a_change_is_told_with_its_cause_and_both_grades(officer, moved):
    code, _ = moved
    (one,) = officer.get("/api/v1/events").json["items"]
    assert (one["code"], one["causes"]) == (code, ["record"])
    assert one["after"]["known_seq"] == ledger.head()
    assert one["before"]["score"] < one["after"]["score"]


def test_the_reasons_of_a_change_add_up_and_name_the_record(officer, moved):
    _, seq = moved
    number = officer.get("/api/v1/events").json["items"][0]["id"]
    found = officer.get(f"/api/v1/events/{number}").json
    assert sum(row["difference"] for row in found["rows"]) == found["after"]["score"] - found["before"]["score"]
    assert found["records_added"] == [seq]
    assert all(row["zh"] and row["en"] for row in found["rows"])


def test_who_follows_the_feed_goes_on_where_he_was(app, officer, company):
    codes = [company() for _ in range(3)]
    grade_all(app)
    for code in codes:
        officer.post("/api/v1/records/penalty", penalty(code, document_no=f"信〔2026〕{code[-4:]}号"))
    first = officer.get("/api/v1/events", limit="2").json
    rest = officer.get("/api/v1/events", limit="2", after=first["next"]).json
    assert [one["code"] for one in first["items"] + rest["items"]] == codes
    assert rest["next"] is None
    assert [one["code"] for one in officer.get("/api/v1/events", code=codes[1]).json["items"]] == [codes[1]]


def test_a_key_hears_only_of_its_own_divisions(app, officer, moved):
    elsewhere = calls(app, "elsewhere", ["grades:read"], ["9902"])
    number = officer.get("/api/v1/events").json["items"][0]["id"]
    assert elsewhere.get("/api/v1/events").json["items"] == []
    reply = elsewhere.get(f"/api/v1/events/{number}")
    assert (reply.status_code, reply.json["code"]) == (404, "change_not_found")
    nobodys = elsewhere.get("/api/v1/events/999999").json
    assert reply.json["detail"].replace(f" {number}.", " 999999.", 1) == nobodys["detail"]


def test_without_the_right_to_read_grades_there_is_no_feed(clerk, moved):
    reply = clerk.get("/api/v1/events")
    assert reply.status_code == 403
    assert "class" not in reply.json
