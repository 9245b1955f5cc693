"""Tasks over HTTP: made by one key, approved by another, closed; joint ones are seen by their partners."""

import pytest

from registry.models import Visit
from registry.services import tasks
from tests.api.conftest import EVERYTHING, ORGAN, calls
from tests.registry.test_tasks import item
from tests.registry.visiting import PARTNER, listed

TASK = {
    "type": "key_supervision", "title": "示例任务", "basis": "年度抽查工作计划", "items": ["公示信息检查"], "from_on": "2026-11-21",
    "to_on": "2026-12-31",
}  # fmt: skip


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


@pytest.fixture
def boss(lone_app):
    return calls(lone_app, "boss", EVERYTHING)


def test_a_task_is_made_approved_printed_and_closed(lone_officer, boss):
    item()
    made = lone_officer.post("/api/v1/tasks", {**TASK, "item_codes": ["A01"]}, key("t"))
    assert (made.status_code, made.json["state"], made.json["item_codes"]) == (201, "draft", ["A01"])
    one = f"/api/v1/tasks/{made.json['id']}"
    assert lone_officer.post(f"{one}/approve").json["code"] == "same_hands"
    assert lone_officer.post(f"{one}/approval").json["code"] == "task_not_approved"
    assert lone_officer.get(f"{one}/approval.html").json["code"] == "document_not_found"
    done, again = (boss.post(f"{one}/approve", {"said": "同意"}) for _ in range(2))
    assert (done.status_code, again.status_code, done.json["decided_by"]) == (201, 200, "key:boss")
    form = lone_officer.post(f"{one}/approval")
    assert (form.status_code, form.json["number"]) == (201, "信市监查审〔2026〕1号")
    assert lone_officer.post(f"{one}/approval").status_code == 200
    page = lone_officer.get(f"{one}/approval.html")
    assert "检查审批表" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    (visit,) = listed(tasks.get(made.json["id"], organ=ORGAN))
    held = lone_officer.post(f"{one}/close")
    assert (held.status_code, held.json["code"]) == (409, "task_conflict")
    assert lone_officer.get(one).json["visits"] == {"open": 1}
    Visit.update(state="closed").where(Visit.id == visit.id).execute()
    ended = lone_officer.post(f"{one}/close", {"said": "办结"})
    assert (ended.status_code, ended.json["state"], ended.json["ended_why"]) == (201, "closed", "办结")
    read = lone_officer.get(one).json
    assert read["checklist"][0]["questions"][0]["text"] == "住所与登记是否一致"
    assert [one["state"] for one in lone_officer.get("/api/v1/tasks", state="closed").json["items"]] == ["closed"]


def test_a_task_is_refused_or_cancelled_with_a_reason(lone_officer, boss):
    first, second = (lone_officer.post("/api/v1/tasks", TASK, key(str(n))).json["id"] for n in range(2))
    assert boss.post(f"/api/v1/tasks/{first}/refuse", {}).status_code == 422
    assert boss.post(f"/api/v1/tasks/{first}/refuse", {"said": "依据不足"}).json["state"] == "refused"
    assert lone_officer.post(f"/api/v1/tasks/{second}/cancel", {"said": "重复"}).json["state"] == "cancelled"
    assert lone_officer.post(f"/api/v1/tasks/{second}/close").json["code"] == "task_conflict"


def test_what_is_to_be_checked_must_be_on_the_list_or_said(lone_officer):
    unknown = lone_officer.post("/api/v1/tasks", {**TASK, "item_codes": ["Z99"]}, key("t"))
    assert unknown.json["code"] == "unknown_item"
    nothing = lone_officer.post("/api/v1/tasks", {**TASK, "items": []}, key("t2"))
    assert list(nothing.json["problems"]) == ["items"]
    own = lone_officer.post("/api/v1/tasks", {**TASK, "partners": [ORGAN]}, key("t3"))
    assert own.json["code"] == "task_refused"


def test_a_partner_sees_a_joint_task_and_does_not_decide_it(lone_app, lone_officer):
    joint = lone_officer.post("/api/v1/tasks", {**TASK, "partners": [PARTNER]}, key("t")).json["id"]
    partner = calls(lone_app, "partner", EVERYTHING, organ=PARTNER)
    assert partner.get(f"/api/v1/tasks/{joint}").json["partners"] == [PARTNER]
    assert [one["id"] for one in partner.get("/api/v1/tasks").json["items"]] == [joint]
    for verb in ("approve", "close"):
        assert partner.post(f"/api/v1/tasks/{joint}/{verb}").json["code"] == "task_elsewhere"


def test_whoever_makes_tasks_needs_another_scope_to_approve_them(lone_app, lone_officer):
    made = lone_officer.post("/api/v1/tasks", TASK, key("t")).json["id"]
    clerk = calls(lone_app, "writer", ["tasks:write"])
    assert clerk.post(f"/api/v1/tasks/{made}/approve").json["scope"] == "tasks:approve"
