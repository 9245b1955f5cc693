"""Results over HTTP: entered, returned, approved, published, re-checked; and for nobody whose business they are not."""

from datetime import date

import pytest

from registry.models import Visit, VisitResult
from registry.services import entities, keys
from tests.api.conftest import ORGAN, calls
from tests.conftest import NOW
from tests.factories import record
from tests.registry.visited import FIRE, FOOD, PARTNER, answers, task_of, visit_of

WORK, REVIEW = ["lists:read", "visits:work"], ["lists:read", "visits:review"]
ORDER = {
    "outcome": 2, "items": answers(q1="problem"), "disposal": "order", "correct_by": "2026-12-11", "said": "下架食品。",
    "photos": [{"sha256": "ab" * 32, "name": "货架.jpg", "bytes": 1200}],
}  # fmt: skip
CLEAR = {"all_clear": True}


@pytest.fixture
def code(lone_app, company):
    return company()


@pytest.fixture
def visit(lone_app, code):
    return visit_of(entities.get(code).id).id


@pytest.fixture
def inspector(lone_app):
    return calls(lone_app, "inspector", WORK)


@pytest.fixture
def chief(lone_app):
    return calls(lone_app, "chief", REVIEW)


def path(visit, verb=""):
    return f"/api/v1/visits/{visit}/results{verb}"


def test_a_visit_becomes_a_public_record_step_by_step(lone_app, inspector, chief, code, visit):
    sheet = inspector.get(path(visit)).json
    assert [one["organ"] for one in sheet["organs"]] == [ORGAN]
    assert [one["code"] for one in sheet["organs"][0]["items"][0]["questions"]] == ["q1", "q2", "q3"]
    assert sheet["organs"][0]["result"] is None
    entered = inspector.post(path(visit), ORDER)
    assert (entered.status_code, entered.json["state"], entered.json["problems_found"], entered.json["version"]) == (
        201,
        "entered",
        1,
        1,
    )
    assert inspector.post(path(visit), ORDER).status_code == 200
    assert chief.post(path(visit, "/return"), {"opinion": "补充批次。"}).json["state"] == "returned"
    assert inspector.post(path(visit), {**ORDER, "said": "下架三批次食品。"}).json["version"] == 3
    approved = chief.post(path(visit, "/approve"), {"opinion": "同意。"})
    assert (approved.status_code, approved.json["state"]) == (201, "approved")
    assert [(one["what"], one["said"]) for one in approved.json["followed"]] == [("order", "done"), ("recheck", "done")]
    assert chief.post(path(visit, "/approve")).status_code == 200
    assert chief.get("/api/v1/results", state="approved").json["items"][0]["code"] == code
    assert chief.get("/api/v1/results", soon="yes").json["items"] == []
    published = chief.post(path(visit, "/publish"))
    assert (published.status_code, {one["channel"]: one["said"] for one in published.json["channels"]}) == (
        201, {"necips": "published", "site": "published"},
    )  # fmt: skip
    assert chief.post(path(visit, "/publish")).status_code == 200
    assert chief.post(path(visit, "/follow-ups")).json["followed"] == approved.json["followed"]
    public = lone_app.test_client().get(f"/api/v1/public/entities/{code}/records").text
    assert "食品经营" in public
    assert "下架" not in public
    assert "三批次" not in public
    again = inspector.get(path(visit)).json["organs"][0]["result"]
    assert (again["state"], again["published_on"], again["recheck_until"]) == ("published", "2026-11-21", "2026-12-06")
    # No class to keys that may not read it, and nothing of how it was chosen.
    assert not {"class", "score", "inclusion", "slice"} & set(again)


def test_the_enterprise_reads_its_results_and_asks_for_a_recheck_with_its_own_key(
    lone_app, inspector, chief, code, visit, company
):
    inspector.post(path(visit), CLEAR)
    firm = calls_own(lone_app, code)
    assert firm.get("/api/v1/own/results").json["items"] == []
    asking = {"organ": ORGAN, "why": "照片并非本企业。"}
    assert firm.post(f"/api/v1/own/results/{visit}/recheck", asking).json["code"] == "result_not_found"
    chief.post(path(visit, "/approve"))
    stranger = calls_own(lone_app, company(), "stranger")
    assert stranger.post(f"/api/v1/own/results/{visit}/recheck", asking).json["code"] == "result_not_found"
    assert stranger.post("/api/v1/own/results/999999/recheck", asking).json["code"] == "result_not_found", (
        "none is counted"
    )
    assert stranger.get("/api/v1/own/results").json["items"] == []
    asked = firm.post(f"/api/v1/own/results/{visit}/recheck", asking)
    assert (asked.status_code, asked.json["recheck_asked_on"]) == (201, "2026-11-21")
    assert firm.post(f"/api/v1/own/results/{visit}/recheck", asking).status_code == 200
    granted = chief.post(path(visit, "/recheck"), {"granted": True})
    made = Visit.get(Visit.follows == visit)
    assert (granted.status_code, granted.json) == (
        201,
        {"granted": True, "visit": made.id, "by": made.recheck_by.isoformat()},
    )
    (own,) = firm.get("/api/v1/own/results").json["items"]
    assert (own["outcome"], own["answer"]) == (1, {"granted": True, "said": ""})
    assert not {"entered_by", "reviewed_by", "items", "said", "opinion"} & set(own)
    # The organ's window asks for who has no key; no other key may.
    assert (
        calls(lone_app, "window", ["self:read"]).post(f"/api/v1/own/results/{visit}/recheck", asking).status_code == 200
    )
    far = calls(lone_app, "far", ["self:read"], divisions=["11"])
    assert far.post(f"/api/v1/own/results/{visit}/recheck", asking).json["code"] == "visit_not_found"
    assert inspector.get("/api/v1/own/results").json["code"] == "missing_scope"


def calls_own(app, code, name="firm"):
    from tests.api.conftest import Caller

    return Caller(
        app, keys.create(name, organ="", scopes=["self:read"], divisions=[], entity=code, actor="test", now=NOW)
    )


@pytest.mark.parametrize(
    ("verb", "body", "status", "said"),
    [
        ("", {"outcome": 1, "items": answers(q2="problem")}, 422, "result_refused"),
        ("", {"outcome": 11}, 422, "invalid_request"),
        ("", {"all_cler": True}, 422, "invalid_request"),
        ("", {"all_clear": "yes"}, 422, "invalid_request"),
        ("", {**CLEAR, "version": 4}, 409, "result_conflict"),
        ("", {**ORDER, "said": "联系13812345678。"}, 422, "bad_document"),
        ("/return", {}, 422, "invalid_request"),
        ("/return", {"opinion": "补充"}, 404, "result_not_found"),
        ("/approve", {}, 404, "result_not_found"),
        ("/publish", {}, 404, "result_not_found"),
        ("/follow-ups", {}, 404, "result_not_found"),
        ("/recheck", {"granted": True}, 404, "result_not_found"),
    ],
)
def test_what_cannot_be_is_a_problem_with_a_code(lone_app, visit, verb, body, status, said):
    reply = calls(lone_app, "both", WORK + REVIEW).post(path(visit, verb), body)
    assert (reply.status_code, reply.json["code"]) == (status, said)


def test_the_second_of_two_is_told_what_stands_and_the_same_hands_do_not_review(lone_app, visit):
    both = calls(lone_app, "both", WORK + REVIEW)
    both.post(path(visit), CLEAR)
    second = calls(lone_app, "second", WORK).post(path(visit), ORDER)
    assert (second.status_code, second.json["code"]) == (409, "result_conflict")
    assert "key:both" in second.json["detail"]
    assert both.post(path(visit, "/approve")).json["code"] == "same_hands"
    assert both.post(path(visit, "/return"), {"opinion": "补充"}).json["code"] == "same_hands"
    # A request that is repeated under its key acts once.
    chief = calls(lone_app, "chief", REVIEW)
    first, again = (chief.post(path(visit, "/approve"), {}, {"Idempotency-Key": "a"}) for _ in range(2))
    assert (first.status_code, again.headers["Idempotent-Replay"], first.json) == (201, "true", again.json)
    assert VisitResult.select().count() == 1


def test_a_visit_of_another_organ_or_division_is_as_absent_as_none_and_scopes_are_asked_for(lone_app, inspector, visit):
    for stranger in (
        calls(lone_app, "far", WORK, divisions=["11"]),
        calls(lone_app, "tax", WORK, organ="信衡市税务局"),
    ):
        assert stranger.get(path(visit)).json["code"] == "visit_not_found"
        assert stranger.post(path(visit), CLEAR).json["code"] == "visit_not_found"
    assert inspector.get(path(visit + 99)).json["code"] == "visit_not_found"
    inspector.post(path(visit), CLEAR)
    nobody = calls(lone_app, "nobody", [*WORK, *REVIEW], organ="")
    assert (
        nobody.get(path(visit)).json["code"] == nobody.post(path(visit, "/approve")).json["code"] == "visit_not_found"
    )
    assert nobody.get("/api/v1/results").json["items"] == nobody.get("/api/v1/case-leads").json["items"] == []
    for verb in ("/return", "/approve", "/publish", "/follow-ups", "/recheck"):
        assert inspector.post(path(visit, verb), {"opinion": "x", "granted": True}).json["code"] == "missing_scope"
    assert inspector.get("/api/v1/case-leads").json["code"] == "missing_scope"


def test_each_organ_of_a_joint_task_works_its_own_result(lone_app, inspector, code):
    joint = visit_of(entities.get(code).id, task=task_of(partners=(PARTNER,), checklist=[FOOD, FIRE])).id
    partner = calls(lone_app, "partner", WORK, organ=PARTNER)
    assert inspector.post(path(joint), CLEAR).json["organ"] == ORGAN
    assert partner.post(path(joint), CLEAR).json["organ"] == PARTNER
    assert [one["result"]["state"] for one in partner.get(path(joint)).json["organs"]] == ["entered", "entered"]
    theirs = calls(lone_app, "their-chief", REVIEW, organ=PARTNER)
    assert theirs.post(path(joint, "/approve")).json["organ"] == PARTNER
    assert [one["organ"] for one in theirs.get("/api/v1/results").json["items"]] == [PARTNER]


def test_leads_are_filed_or_closed_over_http(lone_app, inspector, chief, code, visit, monkeypatch):
    monkeypatch.setattr("tests.factories.TODAY", date(2027, 1, 1))
    inspector.post(path(visit), {**ORDER, "outcome": 3, "disposal": "lead", "correct_by": None})
    chief.post(path(visit, "/approve"))
    (lead,) = chief.get("/api/v1/case-leads", state="open").json["items"]
    assert (lead["code"], lead["kind"], lead["overdue"]) == (code, "violation", False)
    one = f"/api/v1/case-leads/{lead['id']}"
    assert calls(lone_app, "tax", REVIEW, organ="信衡市税务局").post(f"{one}/file").json["code"] == "lead_not_found"
    assert chief.post(f"{one}/file", {"record": 1}).json["code"] == "lead_refused"
    assert chief.post(f"{one}/close", {}).json["code"] == "invalid_request"
    seq = record(entities.get(code).id).seq
    assert chief.post(f"{one}/file", {"record": seq}).json["code"] == "lead_refused", "of a day before the visit"
    assert chief.post(f"{one}/file", {"said": "已立案。"}).status_code == 201
    assert chief.post(f"{one}/file", {"said": "已立案。"}).status_code == 200
    assert chief.post(f"{one}/close", {"said": "不予立案。"}).json["code"] == "lead_conflict"
    assert chief.get("/api/v1/case-leads", overdue="yes").json["items"] == []
