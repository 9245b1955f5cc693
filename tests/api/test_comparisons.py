"""Comparisons over HTTP: what comes back, whom a key may count, and one at a time."""

import pytest

from registry.services import book, grading, whatif
from rules.scheme import load_files
from tests.api.conftest import EVERYTHING, WITHOUT_GRADES, calls, grade_all
from tests.conftest import TODAY
from tests.registry.proposing import heavier

PATH = "/api/v1/schemes/comparisons"


@pytest.fixture
def proposed(settings, monkeypatch):
    """A heavier content of general-risk, kept as its own version: what a proposal or an earlier content is."""
    scheme = load_files(heavier(settings, 600), "heavier", book.numbers())
    grading.version_of(scheme)
    return f"{scheme.id}@{scheme.hash[:12]}"


def test_a_comparison_names_movers_with_the_rule_and_counts_everyone(officer, company, proposed):
    codes = {company(penalties=1), company(), company()}
    reply = officer.post(PATH, {"old": "general-risk", "new": proposed})
    assert reply.status_code == 200
    body = reply.json
    assert body["entities"] == len(codes)
    assert body["worse"] + body["better"] == len(body["movers"])
    assert {row["code"] for row in body["movers"]} <= codes
    assert sum(row["worse"] + row["better"] for row in body["moved_by"]) == len(body["movers"])
    assert body["on"] == TODAY.isoformat()
    assert body["sensitivity"][0]["from"] is None or isinstance(body["sensitivity"][0]["from"], int)
    assert body["new"]["hash"] != body["old"]["hash"]


def test_what_is_asked_for_is_bounded_by_the_keys_divisions(app, company, proposed):
    for division in ("990101", "990101", "990202"):
        company(division=division)
    theirs = calls(app, "district", EVERYTHING, ["9901"])

    def counted(**given):
        body = theirs.post(PATH, {"old": "general-risk", "new": proposed, "sensitivity": False, **given}).json
        return body["entities"], [row["division"] for row in body["by_division"]]

    assert counted() == (2, ["990101"])
    assert counted(divisions=["99"]) == (2, ["990101"])
    assert counted(divisions=["990101"]) == (2, ["990101"])
    assert counted(divisions=["9902"]) == (0, [])


def test_a_key_without_the_class_right_learns_nothing(app, company, proposed):
    company()
    reply = calls(app, "clerk-2", WITHOUT_GRADES).post(PATH, {"old": "general-risk", "new": proposed})
    assert (reply.status_code, reply.json["code"]) == (403, "missing_scope")


def test_a_second_comparison_is_told_when_to_come_again(officer, company, proposed):
    company()
    with whatif.alone():
        reply = officer.post(PATH, {"old": "general-risk", "new": proposed})
    assert (reply.status_code, reply.json["code"]) == (409, "comparison_running")
    assert reply.headers["Retry-After"] == str(whatif.RETRY_AFTER)
    assert officer.post(PATH, {"old": "general-risk", "new": proposed}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"new": "general-risk"}, 422, "invalid_request"),
        ({"old": "general-risk", "new": "nowhere"}, 404, "unknown_scheme"),
        ({"old": "general-risk", "new": "rules/book/general-risk"}, 404, "unknown_scheme"),
        ({"old": "general-risk", "new": "general-risk", "on": "1999-01-01"}, 422, "scheme_not_in_force"),
        ({"old": "general-risk", "new": "general-risk", "on": "1900-01-01"}, 422, "invalid_request"),
        ({"old": "general-risk", "new": "general-risk", "divisions": ["99x"]}, 422, "invalid_request"),
        ({"old": "general-risk", "new": "general-risk", "divisions": []}, 422, "invalid_request"),
        ({"old": "general-risk", "new": "general-risk", "movers": -1}, 422, "invalid_request"),
        ({"old": "general-risk", "new": "general-risk", "mover": 1}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_compared_is_refused(lone_officer, body, status, code):
    reply = lone_officer.post(PATH, body)
    assert (reply.status_code, reply.json["code"]) == (status, code)


def test_an_explanation_tells_ways_only_when_asked(app, officer, company):
    code = company(penalties=1)
    grade_all(app)
    path = f"/api/v1/entities/{code}/explanation"
    assert "ways" not in officer.get(path).json
    told = officer.get(path, ways="true").json["ways"]
    assert told["on"] == TODAY.isoformat()
    assert told["class"] == officer.get(path).json["class"]
    possible = {one["id"] for one in told["actions"]}
    assert all(set(way["actions"]) <= possible for way in told["down"])
    assert officer.get(path, ways="yes").json["code"] == "invalid_request"
