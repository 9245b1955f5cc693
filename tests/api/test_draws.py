"""Draws over HTTP: announced before everybody, drawn and recused by who may, and nothing of a class for anybody else."""

import hashlib
import json

import pytest

from registry.models import Draw, Inspector, Visit, VisitInspector
from registry.services import draws
from rules import draw as lots
from tests.api.conftest import EVERYTHING, WITHOUT_GRADES, Caller, calls
from tests.registry.drawing import DRAWN, PARTNER, WITNESS, crowd, desk_of, staff, task_of

KEY = {"Idempotency-Key": "draw"}
SECRET = ("strata", "filters", "excluded", "workload", "scheme", "frequency")


@pytest.fixture
def task(on_sqlite):
    crowd()
    staff()
    return task_of().id


@pytest.fixture
def stranger(lone_app):
    return Caller(lone_app, None)


@pytest.fixture
def committed(lone_officer, task):
    reply = lone_officer.post("/api/v1/draws", {"task": task}, KEY)
    assert reply.status_code == 201, reply.text
    return reply.json


@pytest.fixture
def drawn(lone_officer, committed):
    reply = lone_officer.post(f"/api/v1/draws/{committed['id']}/run", {"witness": WITNESS})
    assert reply.status_code == 201, reply.text
    return reply.json


def revealed(drawn):
    draws.reveal(Draw.get_by_id(drawn["id"]), desk=desk_of())
    return drawn["id"]


def test_a_commitment_is_answered_once_and_announced_to_everybody(lone_officer, stranger, task, committed):
    assert (committed["state"], committed["pool"], committed["size"], committed["list"]) == ("committed", 130, 15, None)
    assert {one["class"]: one["size"] for one in committed["strata"]} == DRAWN
    assert (committed["workload"][0]["needed"], committed["excluded"]) == (8, {})
    again = lone_officer.post("/api/v1/draws", {"task": task}, KEY)
    assert (again.status_code, again.json) == (201, committed)
    unchanged = lone_officer.post("/api/v1/draws", {"task": task}, {"Idempotency-Key": "other"})
    assert (unchanged.status_code, unchanged.json["id"]) == (200, committed["id"])
    (announced,) = stranger.get("/api/v1/public/draws").json["items"]
    assert announced == {
        "id": committed["id"], "task": task, "organ": committed["organ"], "day": "2026-11-21", "announced_at": committed["committed_at"],
        "algorithm": "sha256", "commitment": committed["commitment"], "root": committed["root"], "pool": 130, "state": "committed",
        "void_why": "", "committed_seq": committed["committed_seq"],
    }  # fmt: skip
    assert "seed" not in json.dumps(committed)


def test_a_draw_is_run_and_its_list_is_read_as_any_other(lone_officer, committed, drawn):
    assert (drawn["state"], drawn["witness"], len(drawn["digest"])) == ("drawn", WITNESS, 64)
    path = f"/api/v1/draws/{committed['id']}"
    assert lone_officer.post(f"{path}/run", {"witness": WITNESS}).status_code == 200
    assert lone_officer.post(f"{path}/run", {"witness": "别人掷得 1 1 1 1 1 1"}).json["code"] == "draw_conflict"
    field = lone_officer.get(f"/api/v1/lists/{drawn['list']}").json
    assert len(field["items"]) == 15
    assert not {"class", "score", "chance", "reasons"} & set(field["items"][0])
    assert lone_officer.get(path).json == drawn
    (listed,) = lone_officer.get("/api/v1/draws").json["items"]
    assert listed == {name: value for name, value in drawn.items() if name not in SECRET}


def test_a_key_of_one_district_sees_no_draw_that_was_made_in_others_too(lone_app, drawn):
    one = calls(lone_app, "one", EVERYTHING, ["990101"])
    assert one.get("/api/v1/draws").json == {"items": [], "next": None}
    assert one.get(f"/api/v1/draws/{drawn['id']}").json["code"] == "draw_not_found"


def test_the_full_minutes_are_the_bytes_whose_digest_is_on_the_ledger(lone_officer, drawn):
    reply = lone_officer.get(f"/api/v1/draws/{drawn['id']}/minutes.json")
    assert f"draw-{drawn['id']}-full.json" in reply.headers["Content-Disposition"]
    minutes = json.loads(reply.data)
    assert lots.canonical(minutes) == reply.data
    assert lots.digest("sha256", minutes) == drawn["digest"]


def test_the_public_reads_who_was_visited_once_the_task_is_closed(stranger, drawn):
    path = f"/api/v1/public/draws/{drawn['id']}"
    assert stranger.get(path).json["minutes"] is None
    early = stranger.get(f"{path}/minutes.json")
    assert (early.status_code, early.json["code"]) == (409, "draw_conflict")
    revealed(drawn)
    found = stranger.get(path).json
    file = json.loads(stranger.get(f"{path}/minutes.json").data)
    assert (found["state"], found["minutes"]) == (
        "revealed",
        {name: file[name] for name in file if name != "commitments"},
    )
    assert (len(file["visited"]), len(file["commitments"]), file["witness"]) == (15, 130, WITNESS)
    assert hashlib.sha256(b"xinheng draw seed 1\n" + bytes.fromhex(file["seed"])).hexdigest() == found["commitment"]
    assert stranger.get("/api/v1/public/draws/999").json["code"] == "draw_not_found"


def test_an_inspector_is_recused_and_another_named(lone_officer, drawn):
    visit = Visit.get(Visit.position == 1).id
    leaving = VisitInspector.get(VisitInspector.visit == visit).inspector_id
    asked = {"visit": visit, "inspector": leaving, "why": "系被检查企业负责人近亲属"}
    path = f"/api/v1/draws/{drawn['id']}/recusals"
    reply = lone_officer.post(path, asked)
    assert (reply.status_code, reply.json["round"], reply.json["out"]) == (201, 1, leaving)
    assert Inspector.get_by_id(reply.json["into"]).staff_no
    assert (lone_officer.post(path, asked).status_code, lone_officer.post(path, asked).json) == (200, reply.json)
    assert lone_officer.post(path, {**asked, "visit": 999}).json["code"] == "visit_not_found"
    assert lone_officer.post(path, {**asked, "inspector": 999}).json["code"] == "inspector_not_found"


def test_a_void_draw_stays_on_the_public_list_with_its_reason(lone_officer, stranger, committed):
    path = f"/api/v1/draws/{committed['id']}/void"
    assert lone_officer.post(path, {}).json["code"] == "invalid_request"
    reply = lone_officer.post(path, {"reason": "遗漏两个街道"})
    assert (reply.status_code, reply.json["state"], lone_officer.post(path, {"reason": "遗漏两个街道"}).status_code) == (201, "void", 200)  # fmt: skip
    assert [one["void_why"] for one in stranger.get("/api/v1/public/draws").json["items"]] == ["遗漏两个街道"]
    none = stranger.get(f"/api/v1/public/draws/{committed['id']}/minutes.json").json
    assert (none["code"], "nothing was drawn" in none["detail"]) == ("draw_conflict", True)


def test_a_drawn_one_is_not_thrown_away(lone_officer, drawn):
    reply = lone_officer.post(f"/api/v1/draws/{drawn['id']}/void", {"reason": "不合意"})
    assert (reply.status_code, reply.json["code"]) == (409, "draw_conflict")


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({"classes": ["D"]}, 422, "invalid_request", "tell the class of everybody"),
        ({"ratios": {"C": 9000}}, 422, "quota_conflict", "21 % to 60 %"),
        ({"ratios": {"E": 90}}, 422, "draw_refused", "has no class E"),
        ({"division": "9902"}, 422, "nothing_to_draw", "Widen the filters"),
        ({"labels": ["nowhere"]}, 404, "unknown_label", "nowhere"),
        ({"task": 999}, 404, "task_not_found", "999"),
    ],
)
def test_what_no_draw_may_ask_for_is_refused_with_the_reason(lone_officer, task, body, status, code, said):
    reply = lone_officer.post("/api/v1/draws", {"task": task, **body}, KEY)
    assert (reply.status_code, reply.json["code"]) == (status, code), reply.text
    assert said in reply.text
    assert Draw.select().count() == 0


def test_too_few_inspectors_and_too_few_days_are_refused_with_the_numbers(lone_officer, on_sqlite):
    crowd({"D": 30})
    task = task_of().id
    assert lone_officer.post("/api/v1/draws", {"task": task}, KEY).json["code"] == "not_enough_inspectors"
    staff(2, capacity=1)
    reply = lone_officer.post("/api/v1/draws", {"task": task}, KEY)
    assert (reply.status_code, reply.json["code"]) == (422, "plan_too_large")
    assert "10 inspector-days" in reply.json["detail"]
    unapproved = lone_officer.post("/api/v1/draws", {"task": task_of(state="draft").id}, {"Idempotency-Key": "2"})
    assert (unapproved.status_code, unapproved.json["code"]) == (409, "task_not_approved")


def test_who_may_not_read_grades_makes_none_and_reads_nothing_of_a_class(lone_app, drawn):
    blind = calls(lone_app, "blind", WITHOUT_GRADES)
    path = f"/api/v1/draws/{drawn['id']}"
    for refused in (
        blind.post("/api/v1/draws", {"task": drawn["task"]}, KEY),
        blind.post(f"{path}/run", {"witness": WITNESS}),
        blind.post(f"{path}/void", {"reason": "x"}),
        blind.get(f"{path}/minutes.json"),
    ):
        assert (refused.status_code, refused.json["code"]) == (403, "missing_scope")
    shown = blind.get(path).json
    assert set(shown) == set(drawn) - set(SECRET)
    auditor = calls(lone_app, "maker", ["draws:make", "grades:read"])
    assert auditor.get(f"{path}/minutes.json").json["code"] == "missing_scope"


def test_a_draw_is_the_business_of_its_organs_and_divisions_alone(lone_app, drawn):
    path = f"/api/v1/draws/{drawn['id']}"
    other = calls(lone_app, "other", EVERYTHING, organ=PARTNER)
    district = calls(lone_app, "district", EVERYTHING, ["990101"])
    for caller in (other, district):
        for reply in (
            caller.get(path),
            caller.get(f"{path}/minutes.json"),
            caller.post(f"{path}/run", {"witness": WITNESS}),
            caller.post(f"{path}/void", {"reason": "x"}),
            caller.post(f"{path}/recusals", {"visit": 1, "inspector": 1, "why": "x"}),
        ):
            assert (reply.status_code, reply.json["code"]) == (404, "draw_not_found")
    assert other.get("/api/v1/draws").json["items"] == []
