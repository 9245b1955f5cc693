"""Inspection lists over HTTP: frozen, in two copies, of which the one for the field says nothing of class or lot."""

import csv
import io
import re

import openpyxl
import pytest

from api.v1 import lists as views
from registry.database import execute
from registry.services import list_print
from registry.sheets import safe
from tests.api.conftest import EVERYTHING, WITHOUT_GRADES, calls, grade_all
from tests.api.test_entities import registered_id
from tests.api.test_work import TASK, key
from tests.factories import record

FIELD_COLUMNS = [
    "序号", "统一社会信用代码", "名称", "主体类型", "行政区划", "住所", "检查事项", "检查依据", "检查编号", "计划日期", "状态",
]  # fmt: skip
FIELD = {
    "address", "basis", "code", "division", "items", "kind", "name", "number", "planned_on", "state", "visit",
}  # fmt: skip


def make(caller, **task) -> int:
    return caller.post("/api/v1/tasks", {**TASK, **task}, key(f"task-{task.get('type')}")).json["id"]


@pytest.fixture
def pulled(lone_app, lone_officer, on_sqlite, company) -> tuple[int, str, list[str]]:
    """A list of four, the riskiest of which stands last in the tour; its id, that one's code, all codes."""
    codes = [company(division="990101") for _ in range(3)]
    worst = company(division="990199", penalties=3)
    grade_all(lone_app)
    reply = lone_officer.post("/api/v1/lists", {"task": make(lone_officer), "size": 10}, key("list"))
    assert reply.status_code == 201, reply.text
    return reply.json["id"], worst, [*codes, worst]


def test_a_list_is_pulled_once_and_its_answer_says_what_was_drawn_and_who_was_passed_over(app, officer, company):
    codes = [company() for _ in range(8)]
    closed = company(status=2)
    grade_all(app)
    task = make(officer)
    body = {"task": task, "size": 5, "random_share": 40}
    first, again = (officer.post("/api/v1/lists", body, key("l")) for _ in range(2))
    assert (first.status_code, again.data) == (201, first.data)
    assert (first.json["size"], first.json["random"], first.json["random_of"]) == (5, 2, 5)
    assert {why: number for why, number in first.json["passed_over"].items() if number} == {"not_open": 1}
    items = officer.get(f"/api/v1/lists/{first.json['id']}", copy="supervisor").json["items"]
    assert [(one["slice"], one["inclusion"]) for one in items] == [("priority", 1_000_000)] * 3 + [
        ("random", 400_000)
    ] * 2
    assert {one["code"] for one in items} < {*codes}
    assert closed not in {one["code"] for one in items}
    # Whoever waits for a visit does not come onto a second list.
    second = officer.post("/api/v1/lists", {**body, "size": 50}, key("l2")).json
    assert (second["size"], second["passed_over"]["open_visit"]) == (3, 5)
    # Of the frozen list the newest stands first.
    listed = officer.get("/api/v1/lists").json["items"]
    assert [(one["id"], one["visits"]) for one in listed] == [
        (second["id"], {"open": 3}),
        (first.json["id"], {"open": 5}),
    ]
    assert officer.get("/api/v1/lists", task=task + 1).json["items"] == []
    changed = officer.get(f"/api/v1/lists/{first.json['id']}/changes").json
    assert changed == {"items": [], "next": None}


def test_the_supervisors_copy_has_the_riskiest_first_with_reasons(lone_officer, pulled):
    number, worst, codes = pulled
    page = lone_officer.get(f"/api/v1/lists/{number}", copy="supervisor").json
    assert page["items"][0]["code"] == worst
    assert page["items"][0]["reasons"][0]["points"] > 0
    assert sorted(item["code"] for item in page["items"]) == sorted(codes)


def test_the_field_copy_is_in_the_order_of_the_tour_with_items_and_basis_only(lone_officer, pulled):
    number, worst, _ = pulled
    page = lone_officer.get(f"/api/v1/lists/{number}").json
    assert page["items"][-1]["code"] == worst
    assert {frozenset(item) for item in page["items"]} == {frozenset(FIELD)}
    assert not {"filters", "scheme", "random", "random_of", "passed_over"} & set(page)


def test_pages_of_a_list_go_on_where_the_last_one_ended(lone_officer, pulled):
    number, _, codes = pulled
    for path, query in ((f"/api/v1/lists/{number}", {"copy": "supervisor"}), (f"/api/v1/lists/{number}", {})):
        seen, after = [], {}
        while True:
            page = lone_officer.get(path, limit=3, **query, **after).json
            seen += [item["code"] for item in page["items"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert sorted(seen) == sorted(codes)


def test_a_list_keeps_its_order_while_grades_change_and_the_changes_say_so(lone_app, lone_officer, pulled):
    number, _, codes = pulled
    before = lone_officer.get(f"/api/v1/lists/{number}", copy="supervisor").json["items"]
    for _ in range(6):
        record(registered_id(codes[0]), kinds=["revoked_licence"])
    grade_all(lone_app)
    assert lone_officer.get(f"/api/v1/lists/{number}", copy="supervisor").json["items"] == before
    (change,) = lone_officer.get(f"/api/v1/lists/{number}/changes").json["items"]
    assert (change["code"], change["records"], set(change)) == (codes[0], 6, {"number", "code", "class", "records"})
    assert change["class"]["was"] != change["class"]["is"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "size"),
        ({"size": 0}, "size"),
        ({"size": 9, "classes": ["Z"]}, "classes"),
        ({"size": 9, "random_share": 51}, "random_share"),
        ({"codes": ["91990101100000001X"], "classes": ["D"]}, "classes"),
    ],
)
def test_what_is_asked_of_a_list_is_refused_by_field(lone_officer, pulled, wrong, field):
    reply = lone_officer.post("/api/v1/lists", {"task": 1, **wrong}, key("wrong"))
    assert (reply.status_code, list(reply.json["problems"])) == (422, [field])


def test_a_list_without_a_random_slice_is_for_what_the_law_or_somebody_else_brings(lone_officer, pulled):
    refused = lone_officer.post("/api/v1/lists", {"task": 1, "size": 4, "random_share": 0}, key("a"))
    assert (refused.status_code, refused.json["code"]) == (422, "random_share_needed")
    assert "1 to 50" in refused.json["detail"]
    execute("UPDATE visit SET state = 'closed'")
    owed = make(lone_officer, type="statutory")
    made = lone_officer.post("/api/v1/lists", {"task": owed, "size": 4, "random_share": 0}, key("b")).json
    assert (made["size"], made["random"], made["random_of"]) == (4, 0, 0)


def test_a_list_by_codes_has_exactly_those_and_refuses_others_by_name(lone_officer, pulled, company):
    _, worst, codes = pulled
    lead = make(lone_officer, type="transferred_lead")
    ungraded = company()
    refused = lone_officer.post("/api/v1/lists", {"task": lead, "codes": [worst, "91990101999999999X"]}, key("c"))
    assert (refused.status_code, refused.json["code"]) == (422, "codes_refused")
    assert "91990101999999999X is not registered here" in refused.json["detail"]
    made = lone_officer.post("/api/v1/lists", {"task": lead, "codes": [worst, ungraded]}, key("d")).json
    rows = lone_officer.get(f"/api/v1/lists/{made['id']}", copy="supervisor").json["items"]
    assert [(one["code"], one["slice"], one["inclusion"]) for one in rows] == [
        (worst, "designated", 0), (ungraded, "designated", 0),
    ]  # fmt: skip
    assert (rows[1]["class"], rows[1]["score"], rows[1]["graded_on"]) == (None, None, None)
    twice = lone_officer.post("/api/v1/lists", {"task": lead, "codes": [worst]}, key("e"))
    assert "waits for visit" in twice.json["detail"]
    other = lone_officer.post("/api/v1/lists", {"task": 1, "codes": [codes[0]]}, key("f"))
    assert (other.status_code, other.json["code"]) == (422, "codes_refused")


def test_under_a_task_that_is_over_nothing_is_pulled(lone_officer, pulled):
    execute("UPDATE task SET state = 'closed' WHERE id = 1")
    reply = lone_officer.post("/api/v1/lists", {"task": 1, "size": 4}, key("over"))
    assert (reply.status_code, reply.json["code"]) == (409, "task_conflict")


def test_a_key_of_one_district_neither_pulls_nor_reads_the_others(lone_app, pulled):
    number, worst, _ = pulled
    local = calls(lone_app, "local", EVERYTHING, ["990199"])
    assert [item["code"] for item in local.get(f"/api/v1/lists/{number}").json["items"]] == [worst]
    page = local.get(f"/api/v1/lists/{number}.html").text
    assert [code in page for code in pulled[2]] == [False, False, False, True]
    assert [one["code"] for one in local.get(f"/api/v1/lists/{number}/schedule").json["visits"]] == [worst], local.get(
        f"/api/v1/lists/{number}/schedule"
    ).json
    execute("UPDATE visit SET state = 'closed'")
    assert local.post("/api/v1/lists", {"task": 1, "size": 9}, key("l4")).json["size"] == 1


def test_a_list_without_the_right_to_grades_can_be_read_in_the_field_and_not_pulled(lone_app, pulled):
    number, _, _ = pulled
    clerk = calls(lone_app, "clerk", WITHOUT_GRADES)
    assert clerk.get(f"/api/v1/lists/{number}").status_code == 200
    for reply in (
        *(clerk.get(f"/api/v1/lists/{number}{form}", copy="supervisor") for form in ("", ".csv", ".xlsx", ".html")),
        clerk.get(f"/api/v1/lists/{number}/changes"),
        clerk.post("/api/v1/lists", {"task": 1, "size": 9}, key("l5")),
    ):
        assert (reply.status_code, reply.json["scope"]) == (403, "grades:read")


def test_a_list_of_another_organ_is_not_there_and_that_of_a_joint_task_is(lone_app, lone_officer, pulled):
    other = calls(lone_app, "other", EVERYTHING, organ="别处市场监督管理局")
    assert other.get("/api/v1/lists").json["items"] == []
    for path in ("", ".csv", ".xlsx", ".html", "/changes", "/schedule"):
        assert other.get(f"/api/v1/lists/{pulled[0]}{path}").json["code"] == "list_not_found"
    execute("UPDATE task SET partners = ?", ('["别处市场监督管理局"]',))
    assert len(other.get(f"/api/v1/lists/{pulled[0]}").json["items"]) == 4
    assert [one["id"] for one in other.get("/api/v1/lists").json["items"]] == [pulled[0]]


def test_the_csv_has_chinese_headings_and_a_mark_for_spreadsheets(lone_officer, pulled):
    number, worst, codes = pulled
    reply = lone_officer.get(f"/api/v1/lists/{number}.csv", copy="supervisor")
    assert reply.data.startswith(b"\xef\xbb\xbf")
    assert reply.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert rows[0][:6] == FIELD_COLUMNS[:6]
    assert {"风险分类", "选取方式", "入选概率"} <= set(rows[0])
    assert (rows[1][1], rows[1][3], len(rows)) == (worst, "企业", 1 + len(codes))
    field = list(csv.reader(io.StringIO(lone_officer.get(f"/api/v1/lists/{number}.csv").data.decode("utf-8-sig"))))
    assert field[0] == FIELD_COLUMNS


def _text(value) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("copy", ["supervisor", "field"])
def test_the_workbook_says_what_the_csv_says_and_nothing_else(lone_officer, pulled, copy):
    number, _, _ = pulled
    reply = lone_officer.get(f"/api/v1/lists/{number}.xlsx", copy=copy)
    assert (reply.mimetype, f"list-1-{copy}.xlsx" in reply.headers["Content-Disposition"]) == (views.XLSX, True)
    (sheet,) = openpyxl.load_workbook(io.BytesIO(reply.data)).worksheets
    rows = [[_text(cell.value)[:10] for cell in row] for row in sheet.iter_rows()]
    text = lone_officer.get(f"/api/v1/lists/{number}.csv", copy=copy).data.decode("utf-8-sig")
    assert rows == [[cell[:10] for cell in row] for row in csv.reader(io.StringIO(text))]


def test_a_name_that_looks_like_a_formula_or_a_tag_stays_text(lone_app, lone_officer, on_sqlite, company):
    company(name="=HYPERLINK(0)<b>示例</b>有限公司")
    grade_all(lone_app)
    number = lone_officer.post("/api/v1/lists", {"task": make(lone_officer), "size": 9}, key("f")).json["id"]
    rows = list(csv.reader(io.StringIO(lone_officer.get(f"/api/v1/lists/{number}.csv").data.decode("utf-8-sig"))))
    assert rows[1][2].startswith("'=HYPERLINK(0)")
    page = lone_officer.get(f"/api/v1/lists/{number}.html").text
    assert "&lt;b&gt;示例&lt;/b&gt;" in page
    assert "<b>示例" not in page


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_no_cell_begins_like_a_formula(start):
    assert safe(f"{start}1").startswith("'")


def test_the_printed_list_has_a_sheet_for_each_visit_loads_nothing_and_tells_the_field_no_class(lone_officer, pulled):
    number, _, codes = pulled
    reply = lone_officer.get(f"/api/v1/lists/{number}.html")
    page = reply.text
    assert reply.headers["Content-Security-Policy"] == list_print.POLICY
    assert page.count('<section class="sheet">') == len(codes)
    assert not re.search(r"<script|<link|<img|\ssrc=|\shref=|@import|url\((?!#mark)", page)
    assert page.index("检查对象名单") < page.index("现场检查表")
    assert all(page.count(code) == 2 for code in codes)  # in the overview, and on its own sheet
    assert "信衡市市场监督管理局 officer" in page
    assert re.search(r"<text[^>]*>2026-11-21 \d\d:\d\d</text>", page)
    rows = lone_officer.get(f"/api/v1/lists/{number}", copy="supervisor").json["items"]
    for word in (
        "风险分类",
        "选取方式",
        "随机部分",
        "得分",
        *(one["sentence"]["zh"] for row in rows for one in row["reasons"]),
    ):
        assert word not in page
    supervisors = lone_officer.get(f"/api/v1/lists/{number}.html", copy="supervisor").text
    assert rows[0]["reasons"][0]["sentence"]["zh"] in supervisors
    assert '<section class="sheet">' not in supervisors


def test_a_schedule_needs_an_approved_task_and_inspectors_and_says_what_it_lacks(lone_app, lone_officer, pulled):
    number, _, codes = pulled
    assert lone_officer.post(f"/api/v1/lists/{number}/schedule", {}).json["code"] == "task_not_approved"
    second = calls(lone_app, "second", EVERYTHING)
    assert second.post("/api/v1/tasks/1/approve", {}).status_code == 201
    shown = lone_officer.get(f"/api/v1/lists/{number}/schedule", per_day=3).json
    assert (shown["pair_days"], shown["available"], shown["fits"], len(shown["visits"])) == (2, 0, False, len(codes))
    reply = lone_officer.post(f"/api/v1/lists/{number}/schedule", {"per_day": 3})
    assert (reply.status_code, reply.json["code"]) == (422, "schedule_beyond_capacity")
    assert "4 visits have no day" in reply.json["detail"]
    field = calls(lone_app, "field", ["lists:read"])
    assert field.get(f"/api/v1/lists/{number}/schedule").json["scope"] == "visits:assign"
