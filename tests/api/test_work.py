"""Tasks and inspection lists over HTTP: frozen, in two copies, and the field copy says nothing of the class."""

import csv
import io

import pytest

from api.v1.lists import safe
from tests.api.conftest import EVERYTHING, ORGAN, calls, grade_all
from tests.api.test_entities import registered_id
from tests.factories import record

TASK = {
    "type": "key_supervision",
    "title": "示例任务",
    "basis": "年度抽查工作计划",
    "items": ["登记事项检查", "公示信息检查"],
    "from_on": "2026-11-21",
    "to_on": "2026-12-31",
}
SUPERVISOR_COLUMNS = [
    "序号",
    "统一社会信用代码",
    "名称",
    "主体类型",
    "行政区划",
    "住所",
    "风险分类",
    "发现问题概率",
    "得分",
    "评价日",
    "主要理由",
]


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


@pytest.fixture
def task(officer) -> int:
    return officer.post("/api/v1/tasks", TASK, key("task")).json["id"]


@pytest.fixture
def pulled(app, officer, company, task) -> tuple[int, str, list[str]]:
    """A list of four, the riskiest of which stands last in the tour; its id, that one's code, all codes."""
    codes = [company(division="990101") for _ in range(3)]
    worst = company(division="990199", penalties=3)
    grade_all(app)
    reply = officer.post("/api/v1/lists", {"task": task, "size": 10}, key("list"))
    assert reply.status_code == 201, reply.text
    return reply.json["id"], worst, [*codes, worst]


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


def test_the_supervisors_copy_has_the_riskiest_first_with_reasons(officer, pulled):
    number, worst, codes = pulled
    page = officer.get(f"/api/v1/lists/{number}", copy="supervisor").json
    assert page["items"][0]["code"] == worst
    assert page["items"][0]["reasons"][0]["points"] > 0
    assert sorted(item["code"] for item in page["items"]) == sorted(codes)
    scores = [item["score"] for item in page["items"]]
    assert scores == sorted(scores, reverse=True)


def test_the_field_copy_is_in_the_order_of_the_tour_with_items_and_basis_only(officer, pulled):
    number, worst, _ = pulled
    page = officer.get(f"/api/v1/lists/{number}").json
    assert page["items"][-1]["code"] == worst
    fields = ["address", "basis", "code", "division", "items", "kind", "name", "number"]
    assert {tuple(sorted(item)) for item in page["items"]} == {tuple(fields)}
    assert "filters" not in page


def test_a_list_keeps_its_order_when_grades_change(app, officer, pulled):
    number, _, codes = pulled
    before = officer.get(f"/api/v1/lists/{number}", copy="supervisor").json["items"]
    for _ in range(6):
        record(registered_id(codes[0]), kinds=["revoked_licence"])
    grade_all(app)
    assert officer.get(f"/api/v1/lists/{number}", copy="supervisor").json["items"] == before


def test_pages_of_a_list_go_on_where_the_last_one_ended(officer, pulled):
    number, _, codes = pulled
    for copy in ("supervisor", "field"):
        seen, after = [], {}
        while True:
            page = officer.get(f"/api/v1/lists/{number}", copy=copy, limit=3, **after).json
            seen += [item["code"] for item in page["items"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert sorted(seen) == sorted(codes)


def test_only_the_classes_asked_for_come_onto_a_list(app, officer, pulled, task):
    _, worst, _ = pulled
    class_ = officer.get(f"/api/v1/entities/{worst}/grade").json["class"]
    made = officer.post("/api/v1/lists", {"task": task, "size": 9, "classes": [class_]}, key("l2")).json
    assert made["size"] == 1
    strange = officer.post("/api/v1/lists", {"task": task, "size": 9, "classes": ["Z"]}, key("l3"))
    assert (strange.status_code, list(strange.json["problems"])) == (422, ["classes"])


def test_a_key_of_one_district_neither_pulls_nor_reads_the_others(app, pulled, task):
    number, worst, _ = pulled
    local = calls(app, "local", EVERYTHING, ["990199"])
    assert [item["code"] for item in local.get(f"/api/v1/lists/{number}").json["items"]] == [worst]
    assert local.post("/api/v1/lists", {"task": task, "size": 9}, key("l4")).json["size"] == 1


def test_a_list_without_the_right_to_grades_can_be_read_in_the_field_and_not_pulled(clerk, pulled, task):
    number, _, _ = pulled
    assert clerk.get(f"/api/v1/lists/{number}").status_code == 200
    for reply in (
        clerk.get(f"/api/v1/lists/{number}", copy="supervisor"),
        clerk.get(f"/api/v1/lists/{number}.csv", copy="supervisor"),
        clerk.post("/api/v1/lists", {"task": task, "size": 9}, key("l5")),
    ):
        assert (reply.status_code, reply.json["scope"]) == (403, "grades:read")


def test_a_list_of_another_organ_is_not_there(app, pulled):
    other = calls(app, "other", EVERYTHING, organ="别处市场监督管理局")
    assert other.get(f"/api/v1/lists/{pulled[0]}").json["code"] == "list_not_found"


def test_the_csv_has_chinese_headings_and_a_mark_for_spreadsheets(officer, pulled):
    number, worst, codes = pulled
    reply = officer.get(f"/api/v1/lists/{number}.csv", copy="supervisor")
    assert reply.data.startswith(b"\xef\xbb\xbf")
    assert reply.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert rows[0] == SUPERVISOR_COLUMNS
    assert (rows[1][1], rows[1][3], len(rows)) == (worst, "企业", 1 + len(codes))
    field = list(csv.reader(io.StringIO(officer.get(f"/api/v1/lists/{number}.csv").data.decode("utf-8-sig"))))
    assert field[0] == [*SUPERVISOR_COLUMNS[:6], "检查事项", "检查依据"]


def test_a_name_that_looks_like_a_formula_stays_text_in_the_csv(app, officer, company, task):
    company(name="=HYPERLINK(0)示例有限公司")
    grade_all(app)
    number = officer.post("/api/v1/lists", {"task": task, "size": 9}, key("f")).json["id"]
    rows = list(csv.reader(io.StringIO(officer.get(f"/api/v1/lists/{number}.csv").data.decode("utf-8-sig"))))
    assert rows[1][2] == "'=HYPERLINK(0)示例有限公司"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_no_cell_begins_like_a_formula(start):
    assert safe(f"{start}1").startswith("'")


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
    assert sent == [3, 3, 2, 4]
