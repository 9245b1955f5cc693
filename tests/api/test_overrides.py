"""Classes set by two keys, over HTTP; and nothing of them for who may not read grades."""

import re

import pytest

from registry.models import Audit, Entity, GradeOverride, Record
from registry.services import entities, keys, seal
from tests.api.conftest import DIVISION, WITHOUT_GRADES, Caller, calls, grade_all
from tests.api.test_leaks import filled
from tests.conftest import NOW

REASON, BASIS = "专项整治中查明的特殊情况甲", "专项行动方案第三条之乙"
BODY = {"class": "D", "reason": REASON, "basis": BASIS, "until": "2027-02-01"}


@pytest.fixture
def proposer(app):
    return calls(app, "proposer", ["overrides:propose", "grades:read"])


@pytest.fixture
def approver(app):
    return calls(app, "approver", ["overrides:approve", "grades:read", "entities:read"])


@pytest.fixture
def code(app, company):
    made = company()
    grade_all(app)
    return made


def proposed(proposer, code, **given):
    reply = proposer.post("/api/v1/overrides", {**BODY, "code": code, **given})
    assert reply.status_code == 201, reply.text
    return reply.json["id"]


def class_of(caller, code):
    return caller.get(f"/api/v1/entities/{code}/grade").json["class"]


def test_one_key_proposes_and_another_approves(proposer, approver, code):
    number = proposed(proposer, code)
    assert class_of(approver, code) == "A"
    reply = approver.post(f"/api/v1/overrides/{number}/approval", {"said": "同意。"})
    assert (reply.status_code, reply.json["standing"], reply.json["decided_by"]) == (201, "in_force", "key:approver")
    assert class_of(approver, code) == "D"
    shown = approver.get(f"/api/v1/overrides/{number}").json
    assert (shown["class"], shown["reason"], shown["basis"], shown["from"], shown["until"], shown["decided_why"]) == (
        "D", REASON, BASIS, "2026-11-21", "2027-02-01", "同意。",
    )  # fmt: skip
    assert Record.get(Record.seq == shown["seq"]).kind == "override_approved"


def test_a_repeated_request_acts_once_with_a_key_or_without(proposer, approver, code):
    header = {"Idempotency-Key": "one"}
    first = proposer.post("/api/v1/overrides", {**BODY, "code": code}, header)
    again = proposer.post("/api/v1/overrides", {**BODY, "code": code}, header)
    bare = proposer.post("/api/v1/overrides", {**BODY, "code": code})
    assert (first.status_code, again.status_code, bare.status_code) == (201, 201, 200)
    assert again.headers["Idempotent-Replay"] == "true"
    assert first.json == again.json == bare.json
    path = f"/api/v1/overrides/{first.json['id']}/approval"
    assert [approver.post(path).status_code for _ in range(2)] == [201, 200]
    assert (GradeOverride.select().count(), Record.select().where(Record.kind == "override_approved").count()) == (1, 1)


def test_an_early_end_gives_the_class_back(proposer, approver, code):
    number = proposed(proposer, code)
    approver.post(f"/api/v1/overrides/{number}/approval")
    reply = approver.post(f"/api/v1/overrides/{number}/end", {"reason": "查明无事实"})
    assert (reply.status_code, reply.json["standing"], reply.json["ended_why"]) == (201, "ended", "查明无事实")
    assert class_of(approver, code) == "A"


def test_a_refusal_leaves_the_class(proposer, approver, code):
    number = proposed(proposer, code)
    reply = approver.post(f"/api/v1/overrides/{number}/refusal", {"reason": "证据不足"})
    assert (reply.status_code, reply.json["standing"], class_of(approver, code)) == (201, "refused", "A")
    reply = approver.post(f"/api/v1/overrides/{number}/approval")
    assert (reply.status_code, reply.json["code"]) == (409, "override_conflict")


def test_who_proposed_may_not_approve_even_with_both_scopes(app, officer, code):
    number = proposed(officer, code)
    reply = officer.post(f"/api/v1/overrides/{number}/approval")
    assert (reply.status_code, reply.json["code"]) == (403, "same_hands")
    assert GradeOverride.get_by_id(number).state == "proposed"


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"class": "E"}, 422, "override_refused"),
        ({"until": "2028-01-01"}, 422, "override_refused"),
        ({"scheme": "no-such"}, 422, "override_refused"),
        ({"reason": ""}, 422, "invalid_request"),
        ({"reason": " "}, 422, "invalid_request"),
        ({"until": "soon"}, 422, "invalid_request"),
        ({"clas": "D"}, 422, "invalid_request"),
        ({"code": "91990101MA0000000X"}, 404, "entity_not_found"),
    ],
)
def test_what_may_not_be_set_is_a_problem_with_a_code(proposer, code, given, status, said):
    reply = proposer.post("/api/v1/overrides", {**BODY, "code": code, **given})
    assert (reply.status_code, reply.json["code"], reply.mimetype) == (status, said, "application/problem+json")


def test_each_verb_needs_its_scope_and_the_right_to_read_grades(app, proposer, approver, code):
    number = proposed(proposer, code)
    assert proposer.post(f"/api/v1/overrides/{number}/approval").json["scope"] == "overrides:approve"
    assert approver.post("/api/v1/overrides", {**BODY, "code": code}).json["scope"] == "overrides:propose"
    blind = calls(app, "blind", WITHOUT_GRADES)
    for method, path in (("get", ""), ("get", f"/{number}"), ("post", ""), ("post", f"/{number}/approval"), ("post", f"/{number}/end")):  # fmt: skip
        reply = getattr(blind, method)(f"/api/v1/overrides{path}")
        assert (reply.status_code, reply.json["scope"]) == (403, "grades:read")


def test_another_division_is_as_absent_as_what_does_not_exist(app, proposer, code):
    number = proposed(proposer, code)
    stranger = calls(app, "stranger", list(keys.SCOPES), divisions=["88"])
    theirs, nobodys = (stranger.get(f"/api/v1/overrides/{one}").json for one in (number, 999_999))
    assert (theirs["code"], nobodys["code"]) == ("override_not_found", "override_not_found")
    assert theirs["detail"].replace(f" {number}.", " 999999.", 1) == nobodys["detail"]
    assert stranger.post(f"/api/v1/overrides/{number}/approval").json["code"] == "override_not_found"
    assert stranger.post("/api/v1/overrides", {**BODY, "code": code}).json["code"] == "entity_not_found"
    assert stranger.get("/api/v1/overrides").json["items"] == []


def test_the_list_is_paged_and_filtered_and_costs_the_same_whatever_its_length(proposer, company, app, count_queries):
    codes = [company() for _ in range(3)]
    grade_all(app)
    numbers = [proposed(proposer, one) for one in codes]

    def listed(**query):
        with count_queries() as queries:
            found = proposer.get("/api/v1/overrides", **query).json
        return [one["id"] for one in found["items"]], found["next"], len(queries)

    first, token, one = listed(limit=1)
    rest, end, two = listed(limit=50, after=token)
    assert (first + rest, end, one) == (numbers[::-1], None, two)
    assert listed(code=codes[1])[0] == [numbers[1]]
    assert listed(state="approved")[0] == []


def marks_of(number):
    """Everything that would tell what was set."""
    return re.compile(f"{REASON}|{BASIS}|/overrides/{number}|override:\\d")


def test_nobody_without_the_right_to_grades_reads_what_was_set(app, proposer, approver, code):
    settings = app.extensions["xinheng"].settings
    seal.make_log(settings, now=NOW)
    number = proposed(proposer, code)
    approver.post(f"/api/v1/overrides/{number}/approval", {"said": REASON})
    seq = approver.get(f"/api/v1/overrides/{number}").json["seq"]
    approver.post(f"/api/v1/overrides/{number}/end", {"reason": REASON})
    seal.seal(settings, now=lambda: NOW)
    blind = calls(app, "blind", WITHOUT_GRADES)
    own = Caller(
        app, keys.create("own", organ="", scopes=["self:read"], divisions=[], entity=code, actor="test", now=NOW)
    )
    nobody = Caller(app, None)
    district = {"codes": [code], "seq": seq, "app": app}
    read = 0
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        if (
            "GET" not in rule.methods
            or rule.endpoint == "static"
            or rule.rule.startswith(("/api/v1/openapi", "/api/v1/docs"))
        ):
            continue
        for path in filled(rule.rule, district):
            for reader in (blind, own, nobody):
                reply = reader.get(path)
                read += reply.status_code == 200
                assert not marks_of(number).search(
                    reply.text.replace("/api/v1/overrides/1", "") if reply.status_code == 403 else reply.text
                ), path
    assert read > 20
    # A regulator's timeline says that something was set and ended, and no more.
    steps = [
        one for one in blind.get(f"/api/v1/entities/{code}/dossier").json["items"] if one["kind"].startswith("override")
    ]
    assert {one["title"]["zh"] for one in steps} == {"人工认定生效", "人工认定提前终止"}
    assert "人工认定" not in own.get("/api/v1/own").text
    for row in Audit.select().where(Audit.verb.startswith("override")):
        assert REASON not in str(row.detail)
        assert '"D"' not in str(row.detail)


def test_it_is_about_the_entity_of_the_code(proposer, approver, code):
    number = proposed(proposer, code)
    row = GradeOverride.get_by_id(number)
    assert row.entity == entities.get(code).id
    assert Entity.get_by_id(row.entity).division == DIVISION
