"""Visits over HTTP: assigned, entered by the code, finished; what the field, the supervisor and the enterprise see."""

import pytest

from registry.models import Entity, Visit, VisitRating
from tests.api.conftest import EVERYTHING, ORGAN, WITHOUT_GRADES, Caller, calls
from tests.factories import record, registered
from tests.registry.visiting import PARTNER, inspector, listed, pair, task

SECRET = ("class", "slice", "inclusion", "stratum", "position")


@pytest.fixture
def field(lone_app) -> Caller:
    """An inspector on his way: no grades."""
    return calls(lone_app, "field", ["lists:read", "visits:work"])


def test_a_visit_is_assigned_entered_and_finished_and_its_papers_print(lone_officer, field):
    (visit,) = listed(task())
    one, team = f"/api/v1/visits/{visit.id}", [inspector(actor="key:field").id, inspector().id]
    assert lone_officer.get(f"{one}/notice.html").json["code"] == "document_not_found"
    body = {"inspectors": team, "planned_on": "2026-11-21"}
    done, again = (lone_officer.post(f"{one}/assign", body) for _ in range(2))
    assert (done.status_code, again.status_code, done.json["state"]) == (201, 200, "assigned")
    assert lone_officer.post(f"{one}/assign", {"inspectors": pair()}).json["code"] == "visit_conflict"
    notice = lone_officer.post(f"{one}/notice")
    assert (notice.status_code, notice.json["number"]) == (201, "信市监检通〔2026〕1号")
    assert lone_officer.post(f"{one}/notice").status_code == 200
    assert "申请回避" in lone_officer.get(f"{one}/notice.html").text
    assert [row["id"] for row in field.get("/api/v1/visits", mine="yes").json["items"]] == [visit.id]
    assert list(field.post(f"{one}/start", {}).json["problems"]) == ["token"]
    assert field.post(f"{one}/start", {"token": "ABCD"}).json["code"] == "visit_refused"
    started = field.post(f"{one}/start", {"token": visit.token, "at": "2026-11-21T07:30:00+08:00"})
    assert (started.status_code, started.json["entered_at"]) == (201, "2026-11-20T23:30:00.000Z")
    assert started.json["visited_on"] == "2026-11-21"
    record_ = field.post(f"{one}/record")
    assert (record_.status_code, record_.json["number"]) == (201, "信市监查录〔2026〕1号")
    assert "现场检查笔录" in field.get(f"{one}/record.html").text
    assert field.post(f"{one}/finish", {"on": "2026-11-21"}).json["state"] == "finished"
    sheet = field.get(one).json
    assert [step["act"] for step in sheet["steps"]] == ["assigned", "started", "finished"]
    assert sheet["organs"][0]["items"][0]["name"] == "公示信息检查"
    assert visit.token not in field.get(one).text
    assert not set(SECRET) & set(sheet)


def test_class_and_slice_are_for_readers_of_grades_and_so_is_dropping(lone_app, lone_officer, field):
    priority, random_ = listed(task())[0], listed(task(), slice_="random")[0]
    shown = lone_officer.get(f"/api/v1/visits/{random_.id}", copy="supervisor").json
    assert (shown["class"], shown["slice"], shown["inclusion"], shown["position"]) == ("D", "random", 1_000_000, 1)
    page = lone_officer.get("/api/v1/visits", copy="supervisor").json["items"]
    assert sorted(one["slice"] for one in page) == ["priority", "random"]
    for path in ("/api/v1/visits", f"/api/v1/visits/{priority.id}"):
        assert field.get(path, copy="supervisor").json["scope"] == "grades:read"
    clerk = calls(lone_app, "assigner", WITHOUT_GRADES)
    assert clerk.post(f"/api/v1/visits/{random_.id}/drop", {"why": "不去"}).json["scope"] == "grades:read"
    assert lone_officer.post(f"/api/v1/visits/{random_.id}/drop", {"why": "不去"}).json["code"] == "visit_refused"
    assert lone_officer.post(f"/api/v1/visits/{priority.id}/drop", {"why": "他机关已办"}).json["state"] == "dropped"
    assert field.post(f"/api/v1/visits/{random_.id}/non-response", {"why": "无人"}).json["state"] == "non_response"


def test_a_visit_is_reassigned_with_a_reason_and_the_version_that_was_seen(lone_officer):
    (visit,) = listed(task())
    one, team, other = f"/api/v1/visits/{visit.id}", pair(), pair()
    lone_officer.post(f"{one}/assign", {"inspectors": team})
    stale = lone_officer.post(f"{one}/reassign", {"inspectors": other, "why": "请假", "version": 1})
    assert (stale.status_code, stale.json["code"]) == (409, "visit_conflict")
    moved = lone_officer.post(f"{one}/reassign", {"inspectors": other, "why": "请假", "version": 2})
    assert [who["id"] for who in moved.json["inspectors"]] == other
    assert [who["id"] for who in moved.json["replaced"]] == team


def test_an_entity_that_was_visited_enough_this_year_is_left_alone(lone_officer):
    entity = registered()
    for month in (2, 5):
        record(entity, "spot_check", checked_on=f"2026-{month:02}-03", organ="别处市场监督管理局")
    (visit,) = listed(task(), entities=[entity])
    reply = lone_officer.post(f"/api/v1/visits/{visit.id}/assign", {"inspectors": pair()})
    assert (reply.status_code, reply.json["code"]) == (409, "cap_reached")
    found = lone_officer.get(f"/api/v1/entities/{Entity.get_by_id(entity).code}/inspections").json
    assert (found["visited_days"], found["year"], len(found["checks"])) == (2, 2026, 2)
    assert [one["state"] for one in found["visits"]] == ["open"]
    assert found["checks"][0]["line"]["zh"]
    assert not set(SECRET) & set(found["visits"][0])
    first = lone_officer.get(f"/api/v1/entities/{Entity.get_by_id(entity).code}/inspections", limit=1).json
    assert (len(first["checks"]), first["next"] is None) == (1, False)


def test_nobody_elses_visit_is_there(lone_app):
    alone, joint = listed(task())[0], listed(task(partners=[PARTNER]))[0]
    partner = calls(lone_app, "partner", EVERYTHING, organ=PARTNER)
    assert [one["id"] for one in partner.get("/api/v1/visits").json["items"]] == [joint.id]
    assert partner.get(f"/api/v1/visits/{alone.id}").json["code"] == "visit_not_found"
    away = calls(lone_app, "away", EVERYTHING, ["9902"], ORGAN)
    assert away.get("/api/v1/visits").json["items"] == []
    for path in ("assign", "drop", "notice"):
        body = {"assign": {"inspectors": [1, 2]}, "drop": {"why": "x"}}.get(path)
        assert away.post(f"/api/v1/visits/{joint.id}/{path}", body).json["code"] == "visit_not_found"


def test_the_enterprise_checks_who_may_enter_and_rates_the_visit_without_a_key(lone_app, lone_officer):
    (visit,) = listed(task())
    lone_officer.post(f"/api/v1/visits/{visit.id}/assign", {"inspectors": pair(), "planned_on": "2026-11-21"})
    stranger = Caller(lone_app, None)
    path = f"/api/v1/public/visits/{visit.token[:4]}-{visit.token[4:]}"
    door = stranger.get(path).json
    assert (door["state"], len(door["inspectors"]), door["planned_on"]) == ("assigned", 2, "2026-11-21")
    assert not set(SECRET) & set(door)
    early = stranger.post(f"{path}/rating", {"score": 5})
    assert (early.status_code, early.json["code"]) == (409, "rating_conflict")
    Visit.update(state="finished").where(Visit.id == visit.id).execute()
    assert stranger.post(f"{path}/rating", {"score": 6}).status_code == 422
    first, again, other = (stranger.post(f"{path}/rating", {"score": score, "said": "亮证检查"}) for score in (5, 5, 1))
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert VisitRating.get().score == 5
    for reply in (
        stranger.get("/api/v1/public/visits/none"),
        stranger.post("/api/v1/public/visits/none/rating", {"score": 1}),
    ):
        assert (reply.status_code, reply.json["code"]) == (404, "visit_code_unknown")
