"""Nothing of a grade reaches a caller without the right to it, and nothing from which he could tell."""

import re

import pytest

from registry.database import execute
from registry.services import grading
from tests.api.conftest import ORGAN, calls, grade_all, penalty
from tests.api.test_work import TASK, key
from tests.factories import credit_code

# Words that name a part of a grade where an entity is shown.
TELLING = re.compile(rb'"(class|score|grade|points|reasons|digest|rank|changed_from|graded_on|filters)"')
# Endpoints in which such words belong to the scale, the document or an operator, not to an entity.
WITHOUT_ENTITIES = ("/api/v1/schemes", "/api/v1/openapi.json", "/api/v1/docs", "/metrics")


@pytest.fixture
def district(app, officer, company):
    """Graded entities of several classes, a task and a list; what requests need to reach them."""
    codes = [company(), company(penalties=1), company(penalties=4)]
    grade_all(app)
    classes = {officer.get(f"/api/v1/entities/{code}/grade").json["class"] for code in codes}
    assert len(classes) > 1, "a test of what cannot be told apart needs classes that differ"
    task = officer.post("/api/v1/tasks", TASK, key("t")).json["id"]
    number = officer.post("/api/v1/lists", {"task": task, "size": 10}, key("l")).json["id"]
    seq = officer.post("/api/v1/records/penalty", penalty(codes[1])).json["seq"]
    return {"codes": codes, "task": task, "list": number, "seq": seq}


def requests(district):
    """Every endpoint, with what reaches something and with what fails: (method, path, body)."""
    for code in (*district["codes"], credit_code(number=1), "nonsense"):
        for rest in (
            "",
            "/grade",
            "/grades",
            "/explanation",
            "/records",
            "/records?kind=penalty",
            "/explanation?known_at=1",
        ):
            yield "GET", f"/api/v1/entities/{code}{rest}", None
        yield "POST", "/api/v1/records/penalty", penalty(code)
        yield "POST", "/api/v1/records/penalty/batch", {"records": [penalty(code), penalty(code, fine_fen=-1), {}]}
    for query in (
        "",
        "?q=示例",
        "?limit=1",
        "?class=D",
        "?class=A&q=示例",
        "?division=9901",
        "?kind=enterprise",
        "?after=x",
        "?clas=D",
    ):
        yield "GET", f"/api/v1/entities{query}", None
    number, seq = district["list"], district["seq"]
    for rest in (
        "",
        "?copy=field",
        "?copy=supervisor",
        "?limit=1",
        ".csv",
        ".csv?copy=field",
        ".csv?copy=supervisor",
        "?order=score",
    ):
        yield "GET", f"/api/v1/lists/{number}{rest}", None
    for classes in ([], ["D"], ["Z"]):
        yield "POST", "/api/v1/lists", {"task": district["task"], "size": 1, "classes": classes}
    yield "POST", f"/api/v1/records/penalty/{seq}/correction", {"reason": "错", "record": penalty(district["codes"][1])}
    yield "POST", "/api/v1/records/penalty/999999/withdrawal", {"reason": "错"}
    yield "POST", "/api/v1/tasks", TASK
    for path in ("/api/v1/tasks", f"/api/v1/tasks/{district['task']}", "/api/v1/statistics/classes", "/api/v1/schemes",
                 "/api/v1/schemes/general-risk", "/api/v1/openapi.json", "/api/v1/docs", "/", "/livez", "/readyz", "/metrics", "/x"):  # fmt: skip
        yield "GET", path, None


def walk(caller, district):
    """The answers to all of them: (status, headers, body) by request."""
    seen = {}
    for place, (method, path, body) in enumerate(requests(district)):
        headers = {"X-Request-ID": f"walk-{place}", "Idempotency-Key": f"walk-{place}"}
        reply = caller.get(path, headers) if method == "GET" else caller.post(path, body, headers)
        assert reply.status_code < 500, (method, path, reply.text)
        # The second that the answer was sent in says nothing of its content.
        shown = sorted((name, value) for name, value in reply.headers.items() if name != "Date")
        seen[place, method, path] = (reply.status_code, shown, reply.data)
    return seen


def test_the_walk_misses_no_endpoint(app, district):
    asked = {(method, path.partition("?")[0]) for method, path, _ in requests(district)}
    adapter = app.url_map.bind("")
    reached = set()
    for method, path in asked - {("GET", "/x")}:
        rule, _ = adapter.match(path, method=method, return_rule=True)
        reached.add((method, rule.rule))
    every = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    assert reached | {("POST", "/api/v1/records/<kind>/<int(min=1, max=9007199254740992):seq>/withdrawal")} == every


def test_no_answer_to_a_caller_without_the_right_names_a_part_of_a_grade(app, clerk, district):
    for (_, method, path), (_, headers, body) in walk(clerk, district).items():
        if not path.startswith(WITHOUT_ENTITIES):
            assert TELLING.search(body) is None, (method, path)
            assert not any("class" in name.lower() or "score" in name.lower() for name, _ in headers)


def test_every_answer_is_the_same_to_the_last_byte_whatever_the_grades_are(app, clerk, district):
    walk(clerk, district)  # what the walk itself posts is stored now, and unchanged from here on
    before = walk(clerk, district)
    execute(
        "UPDATE grade_state SET class = CASE WHEN class = 'A' THEN 'D' ELSE 'A' END, rank = 3 - rank, score = 1000 - score"
    )
    execute("UPDATE grade SET class = CASE WHEN class = 'A' THEN 'D' ELSE 'A' END, score = 1000 - score")
    after = walk(clerk, district)
    differ = [request for request in before if before[request] != after[request] and request[2] != "/metrics"]
    assert differ == []


def test_the_officers_answers_do_depend_on_the_grades(officer, district):
    """Else the test above would prove nothing."""
    code = district["codes"][0]
    paths = [f"/api/v1/entities/{code}/grade", "/api/v1/entities", "/api/v1/statistics/classes"]
    before = [officer.get(path).data for path in paths]
    execute("UPDATE grade_state SET class = 'B', score = 321")
    assert all(officer.get(path).data != was for path, was in zip(paths, before, strict=True))


def test_a_posted_record_tells_a_grade_only_with_the_right_and_within_the_keys_divisions(app, company):
    inside, outside = company(division="990101"), company(division="990202")
    grade_all(app)
    local = calls(app, "local", ["records:write", "grades:read"], ["9901"], organ=ORGAN)
    assert local.post("/api/v1/records/penalty", penalty(inside)).json["grade"]["class"]
    assert "grade" not in local.post("/api/v1/records/penalty", penalty(outside)).json
    rows = local.post("/api/v1/records/penalty/batch", {"records": [penalty(inside), penalty(outside)]}).json["rows"]
    assert ["grade" in row for row in rows] == [True, False]


def test_the_metrics_name_routes_and_never_codes(app, officer, district):
    walk(officer, district)
    text = officer.get("/metrics").text
    assert 'route="/api/v1/entities/<code>/grade"' in text
    assert not any(code in text for code in district["codes"])


def test_grades_are_worked_out_in_the_walk_and_not_faked(app, district):
    """The classes that the walk hides are those that the engine gives."""
    counts = grading.classes(grading.scheme_named(app.extensions["xinheng"].settings))
    assert sum(sum(by_class.values()) for by_class in counts.values()) == 3
