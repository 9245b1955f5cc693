"""Governance of schemes over HTTP: who may do what, what each reply holds, and what a trial does not change."""

import pytest

from registry.database import execute
from registry.models import Entity, SchemeActivation
from registry.services import book, grading, keys
from tests.api.conftest import EVERYTHING, Caller, calls, grade_all
from tests.conftest import NOW, TODAY
from tests.registry.proposing import LATER, REASON, district, graded, heavier, local

ALL = "/api/v1/schemes/proposals"
DECIDED = (
    f"It is decided, and holds from {LATER} on: the nightly run of that day grades by it (where that run is over: "
    "`xinheng jobs run grade_due`). To change what holds, propose another content."
)
PROPOSER, APPROVER = ["schemes:propose", "grades:read"], ["schemes:approve", "grades:read"]


def body(files=None, from_day=LATER, reason=REASON):
    return {"files": files or local(), "reason": reason, "from": from_day.isoformat()}


@pytest.fixture
def people(app):
    """A proposer and two approvers, each with a key of his own."""
    return calls(app, "anna", PROPOSER), calls(app, "ben", APPROVER), calls(app, "carl", APPROVER)


def test_the_whole_path_over_http(app, people, company):
    anna, ben, carl = people
    settings = app.extensions["xinheng"].settings
    company(penalties=2)
    made = anna.post(ALL, body(heavier(settings)))
    assert (made.status_code, made.json["state"], made.json["label"]["zh"]) == (201, "checked", "已通过检查，待比对")
    one = f"{ALL}/{made.json['id']}"
    compared = anna.post(f"{one}/comparison").json
    assert (compared["state"], compared["comparison"]["result"]["entities"]) == ("compared", 1)
    said = {"content": compared["hash"][:12], "said": "同意。"}
    first = ben.post(f"{one}/approvals", said)
    assert (first.status_code, first.json["state"], len(first.json["approvals"])) == (201, "compared", 1)
    assert ben.post(f"{one}/approvals", said).status_code == 200
    second = carl.post(f"{one}/approvals", said).json
    assert (second["state"], [row["by"] for row in second["approvals"]]) == ("approved", ["key:ben", "key:carl"])
    assert ben.get(one).json == {**second, "next_step": DECIDED}
    (held,) = anna.get("/api/v1/schemes/general-risk/history").json["activations"]
    assert (held["from"], held["hash"], held["proposer"], held["approvers"]) == (
        LATER.isoformat(), compared["hash"], "key:anna", ["key:ben", "key:carl"],
    )  # fmt: skip
    assert book.in_force(settings, on=TODAY).hash != compared["hash"]
    assert book.in_force(settings, on=LATER).hash == compared["hash"]


def test_one_key_does_not_make_a_scheme(app):
    alone = calls(app, "alone", EVERYTHING)
    number = alone.post(ALL, body()).json["id"]
    hash_ = alone.post(f"{ALL}/{number}/comparison").json["hash"]
    refused = alone.post(f"{ALL}/{number}/approvals", {"content": hash_})
    assert (refused.status_code, refused.json["code"]) == (409, "proposal_conflict")
    assert SchemeActivation.select().count() == 0


@pytest.mark.parametrize(
    ("path", "sent", "scope"),
    [
        ("", body(), "schemes:propose"),
        ("/1/revision", {"reason": "x"}, "schemes:propose"),
        ("/1/comparison", None, "schemes:propose"),
        ("/1/withdrawal", {"why": "x"}, "schemes:propose"),
        ("/1/shadow", {"on": True}, "schemes:propose"),
        ("/1/approvals", {"content": "0" * 12}, "schemes:approve"),
        ("/1/refusal", {"why": "x"}, "schemes:approve"),
    ],
)
def test_each_verb_needs_its_scope(lone_app, path, sent, scope):
    without = calls(lone_app, "without", [one for one in EVERYTHING if one != scope])
    reply = without.post(ALL + path, sent)
    assert (reply.status_code, reply.json["scope"]) == (403, scope)


@pytest.mark.parametrize("path", [ALL, f"{ALL}/1", f"{ALL}/1/shadow", "/api/v1/schemes/general-risk/history"])
def test_reading_needs_the_right_to_grades(lone_app, path):
    clerk = calls(lone_app, "clerk", [one for one in EVERYTHING if one != "grades:read"])
    assert clerk.get(path).json["scope"] == "grades:read"


def test_a_key_of_one_division_changes_no_scheme_and_sees_no_figures_of_others(lone_app, company):
    inside, outside = company(division="990101", penalties=2), company(division="990202", penalties=2)
    grade_all(lone_app)
    everywhere = calls(lone_app, "everywhere", EVERYTHING)
    local_key = calls(lone_app, "local", EVERYTHING, ["9901"])
    number = everywhere.post(ALL, body(local("general-risk"))).json["id"]
    everywhere.post(f"{ALL}/{number}/shadow", {"on": True})
    everywhere.post(f"{ALL}/{number}/comparison")
    graded(lone_app.extensions["xinheng"].settings)
    refused = local_key.post(ALL, body())
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    assert local_key.post(f"{ALL}/{number}/refusal", {"why": "x"}).status_code == 403
    assert local_key.get(f"{ALL}/{number}").json["comparison"] is None
    assert everywhere.get(f"{ALL}/{number}").json["comparison"]["result"]["entities"] == 2
    named = {row["code"] for row in everywhere.get(f"{ALL}/{number}/shadow").json["differ"]}
    assert named == {inside, outside}
    assert {row["code"] for row in local_key.get(f"{ALL}/{number}/shadow").json["differ"]} == {inside}


def test_figures_of_a_comparison_are_told_only_with_the_right_to_grades(lone_app):
    clerk = calls(lone_app, "clerk", ["schemes:propose"])
    number = clerk.post(ALL, body()).json["id"]
    assert clerk.post(f"{ALL}/{number}/comparison").json["comparison"] is None
    officer = calls(lone_app, "officer", EVERYTHING)
    assert officer.get(f"{ALL}/{number}").json["comparison"]["old"] is None


def test_every_mistake_is_told_with_file_key_and_remedy(lone_app):
    officer = calls(lone_app, "officer", EVERYTHING)
    files = local() | {"rules/penalty.toml": local()["rules/penalty.toml"].replace("penalties >= 1", "penalty >= 1")}
    made = officer.post(ALL, body(files))
    assert (made.status_code, made.json["state"], made.json["hash"]) == (201, "draft", None)
    assert any(
        (one["file"], one["key"]) == ("local-look/rules/penalty.toml", "rule.penalised.when") and one["remedy"]
        for one in made.json["mistakes"]
    )
    assert officer.get(f"{ALL}/{made.json['id']}").json["mistakes"] == made.json["mistakes"]
    mended = officer.post(f"{ALL}/{made.json['id']}/revision", {"files": local()})
    assert (mended.status_code, mended.json["state"], mended.json["mistakes"]) == (201, "checked", [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"files": {}}, "invalid_request"),
        ({"files": {"../x.toml": ""}}, "bad_proposal"),
        ({"files": {"scheme.toml": 5}}, "invalid_request"),
        ({"from": "2026-11-20"}, "bad_proposal"),
        ({"from": "tomorrow"}, "invalid_request"),
        ({"reason": ""}, "invalid_request"),
        ({"by": "anna"}, "invalid_request"),
    ],
)
def test_what_cannot_be_a_proposal_is_refused_and_nothing_is_kept(lone_app, change, code):
    officer = calls(lone_app, "officer", EVERYTHING)
    reply = officer.post(ALL, body() | change)
    assert (reply.status_code, reply.json["code"]) == (422, code)
    assert officer.get(ALL).json["items"] == []


def test_a_repeated_request_acts_once(lone_app):
    officer = calls(lone_app, "officer", EVERYTHING)
    first = officer.post(ALL, body(), {"Idempotency-Key": "one"})
    again = officer.post(ALL, body(), {"Idempotency-Key": "one"})
    assert (again.json, again.headers["Idempotent-Replay"]) == (first.json, "true")
    assert officer.post(ALL, body()).status_code == 200
    assert len(officer.get(ALL).json["items"]) == 1


def test_proposals_are_listed_newest_first_by_pages_in_one_query(lone_app, count_queries):
    officer = calls(lone_app, "officer", EVERYTHING)
    numbers = [officer.post(ALL, body(local(id_))).json["id"] for id_ in ("one", "two", "three")]
    officer.post(f"{ALL}/{numbers[0]}/withdrawal", {"why": "误"})
    first = officer.get(ALL, limit=2).json
    assert [row["id"] for row in first["items"]] == numbers[:0:-1]
    assert [row["id"] for row in officer.get(ALL, after=first["next"]).json["items"]] == [numbers[0]]
    assert [row["id"] for row in officer.get(ALL, state="withdrawn").json["items"]] == [numbers[0]]
    assert [row["id"] for row in officer.get(ALL, scheme="two").json["items"]] == [numbers[1]]
    with count_queries() as few:
        officer.get(ALL, limit=1)
    with count_queries() as many:
        officer.get(ALL, limit=3)
    assert len(few) == len(many)


def test_a_second_comparison_at_once_is_told_to_wait(lone_app):
    from registry.services import whatif

    officer = calls(lone_app, "officer", EVERYTHING)
    number = officer.post(ALL, body()).json["id"]
    with whatif.alone():
        reply = officer.post(f"{ALL}/{number}/comparison")
    assert (reply.status_code, reply.json["code"], "Retry-After" in reply.headers) == (409, "comparison_running", True)
    assert officer.post(f"{ALL}/{number}/comparison").status_code == 201


def test_a_trial_changes_no_answer_but_its_report(app, officer):
    settings = app.extensions["xinheng"].settings
    _, bad = district(settings)
    code = Entity.get_by_id(bad).code
    number = officer.post(ALL, body(heavier(settings))).json["id"]
    assert officer.get(f"{ALL}/{number}/shadow").json["code"] == "shadow_refused"
    enterprise = keys.create("own", organ="", scopes=["self:read"], divisions=[], entity=code, actor="test", now=NOW)
    own = Caller(app, enterprise)
    paths = [
        f"/api/v1/entities/{code}", f"/api/v1/entities/{code}/grade", f"/api/v1/entities/{code}/grades",
        f"/api/v1/entities/{code}/explanation", f"/api/v1/entities/{code}/dossier", "/api/v1/entities?class=D",
        "/api/v1/statistics/classes", "/api/v1/schemes", "/api/v1/events",
    ]  # fmt: skip

    def answers():
        number_ = {"X-Request-ID": "one"}
        told = {path: officer.get(path, number_).data for path in paths}
        public = f"/api/v1/public/entities/{code}"
        return told | {public: own.get(public, number_).data, "/api/v1/own": own.get("/api/v1/own", number_).data}

    before = answers()
    assert officer.post(f"{ALL}/{number}/shadow", {"on": True}).json["shadow"] is True
    graded(settings)
    assert execute("SELECT count(*) FROM grade_state WHERE scheme = ?", (f"shadow-{number}",)).fetchone()[0] == 2
    assert answers() == before
    assert officer.get(f"{ALL}/{number}/shadow").json["worse"] == 1
    assert f"shadow-{number}" in grading.schemes(settings)
    assert officer.post(f"{ALL}/{number}/shadow", {"on": False}).json["shadow"] is False
    assert answers() == before
