"""Tasks over HTTP: lawful, complete, of one's own organ; and a list or a page of them costs the same however long it is."""

import pytest

from tests.api.conftest import EVERYTHING, ORGAN, calls, grade_all

TASK = {
    "type": "key_supervision",
    "title": "示例任务",
    "basis": "年度抽查工作计划",
    "items": ["登记事项检查", "公示信息检查"],
    "from_on": "2026-11-21",
    "to_on": "2026-12-31",
}


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


@pytest.fixture
def task(officer) -> int:
    return officer.post("/api/v1/tasks", TASK, key("task")).json["id"]


def test_a_task_is_created_once_and_read_by_its_own_organ_only(app, officer):
    first, again = (officer.post("/api/v1/tasks", TASK, key("t")) for _ in range(2))
    assert (first.status_code, first.json["organ"]) == (201, ORGAN)
    assert again.data == first.data
    assert [item["id"] for item in officer.get("/api/v1/tasks").json["items"]] == [first.json["id"]]
    assert officer.get(f"/api/v1/tasks/{first.json['id']}").json["items"] == TASK["items"]
    other = calls(app, "other", EVERYTHING, organ="别处市场监督管理局")
    assert other.get(f"/api/v1/tasks/{first.json['id']}").json["code"] == "task_not_found"
    assert other.get("/api/v1/tasks").json["items"] == []


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/lists"])
def test_without_an_idempotency_key_nothing_is_made(officer, task, path):
    body = TASK if path.endswith("tasks") else {"task": task, "size": 1}
    reply = officer.post(path, body)
    assert (reply.status_code, reply.json["code"]) == (400, "idempotency_key_missing")
    assert "Idempotency-Key" in reply.json["detail"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "whim"}, "type"),
        ({"to_on": "2026-11-01"}, "to_on"),
        ({"items": []}, "items"),
        ({"basis": ""}, "basis"),
        ({"titel": "x"}, "titel"),
    ],
)
def test_a_task_that_is_not_lawful_or_complete_is_refused_by_field(officer, wrong, field):
    reply = officer.post("/api/v1/tasks", {**TASK, **wrong}, key("t"))
    assert (reply.status_code, list(reply.json["problems"])) == (422, [field])


@pytest.mark.parametrize("rows", [3, 30])
def test_a_list_or_a_page_of_tasks_costs_the_same_however_long_it_is(app, officer, company, task, count_queries, rows):
    for number in range(rows):
        company()
        officer.post("/api/v1/tasks", TASK, key(f"t{number}"))
    grade_all(app)
    number = officer.post("/api/v1/lists", {"task": task, "size": 100}, key("l")).json["id"]
    sent = []
    for path in (f"/api/v1/lists/{number}", f"/api/v1/lists/{number}.csv", "/api/v1/tasks", "/api/v1/schemes"):
        with count_queries() as queries:
            assert officer.get(path).status_code == 200
        sent.append(len(queries))
    assert sent == [4, 4, 2, 4]
