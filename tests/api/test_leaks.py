"""Nothing of a grade reaches a caller without the right to it, and nothing from which he could tell."""

import re

import pytest

from api.app import fit
from registry.database import execute
from registry.services import grading, keys, seal, standing
from tests.api.conftest import EVERYTHING, ORGAN, WITHOUT_GRADES, Caller, calls, grade_all, penalty
from tests.api.test_work import TASK, key
from tests.conftest import NOW, TODAY
from tests.factories import credit_code
from tests.registry import drawing
from tests.registry.deeds import shown
from tests.registry.test_public_grades import LOCAL, showing

# Words that name a part of a grade where an entity is shown.
TELLING = re.compile(rb'"(class|score|chance|grade|points|reasons|digest|rank|changed_from|graded_on|filters)"')
# Endpoints in which such words belong to the scale, the document or an operator, not to an entity.
WITHOUT_ENTITIES = ("/api/v1/schemes", "/api/v1/frequency", "/api/v1/openapi.json", "/api/v1/docs", "/metrics")


@pytest.fixture
def sealed_from_the_start(app):
    """The log in which the ledger is sealed, made before its first row."""
    settings = app.extensions["xinheng"].settings
    seal.make_log(settings, now=NOW)
    return lambda: seal.seal(settings, now=lambda: NOW)


@pytest.fixture
def district(app, sealed_from_the_start, officer, company):
    """Graded entities of several classes, a task and a list; what requests need to reach them."""
    codes = [company(), company(penalties=1), company(penalties=4)]
    grade_all(app)
    classes = {officer.get(f"/api/v1/entities/{code}/grade").json["class"] for code in codes}
    assert len(classes) > 1, "a test of what cannot be told apart needs classes that differ"
    task = officer.post("/api/v1/tasks", TASK, key("t")).json["id"]
    # Approved by a third: what the walk itself approved would let it post more the second time.
    calls(app, "approver", EVERYTHING).post(f"/api/v1/tasks/{task}/approve")
    number = officer.post("/api/v1/lists", {"task": task, "size": 10}, key("l")).json["id"]
    seq = officer.post("/api/v1/records/penalty", penalty(codes[1])).json["seq"]
    # Visits of both sorts: pulled by risk (the first numbers), and drawn by lot.
    drawing.drawn(app.extensions["xinheng"].settings)
    sealed_from_the_start()
    return {
        "codes": codes, "task": task, "list": number, "seq": seq, "app": app,
        "rules": sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule),
    }  # fmt: skip


def requests(district):
    """Every endpoint, with what reaches something and with what fails: (method, path, body)."""
    yield from told_apart(district)
    told = set(told_apart_paths(district))
    for rule in district["rules"]:
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            if rule.endpoint != "static" and (method, rule.rule) not in told:
                for path in filled(rule.rule, district):
                    yield method, path, None if method == "GET" else {}


def filled(rule, district):
    """Paths of a rule, with each code of the district, a number that exists and one that does not."""
    values = {
        "kind": ["penalty"],
        "name": ["general-risk"],
        "form": ["csv"],
        "code": [*district["codes"], credit_code(number=1)],
    }
    paths = [rule]
    for converter, name in re.findall(r"<(?:([^:<>]+):)?(\w+)>", rule):
        found = values.get(name) or ["1", str(district["seq"]), "999999"]
        if converter:
            assert converter.startswith("int"), rule
        part = f"<{converter}:{name}>" if converter else f"<{name}>"
        paths = [path.replace(part, value) for path in paths for value in found]
    return paths


def everything_told(app, code, seq):
    """What a key without the right to grades, the enterprise itself and anybody read at every path about one entity: a call that
    gives (status, body, ETag) by reader and path, to be asked before and after something secret is taken away."""
    own = keys.create("own", organ="", scopes=["self:read"], divisions=[], entity=code, actor="test", now=NOW)
    readers = {"blind": calls(app, "blind", WITHOUT_GRADES), "own": Caller(app, own), "nobody": Caller(app, None)}
    paths = [
        path
        for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule)
        if "GET" in rule.methods and rule.endpoint != "static" and not rule.rule.startswith(("/api/v1/openapi", "/api/v1/docs", "/metrics"))
        for path in filled(rule.rule, {"codes": [code], "seq": seq})
    ]  # fmt: skip
    return lambda: {
        (name, path): (reply.status_code, reply.text, reply.headers.get("ETag"))
        for name, reader in readers.items()
        for path in paths
        for reply in [reader.get(path, {"X-Request-ID": "one"})]
    }


def told_apart_paths(district):
    """(method, rule) of what `told_apart` reaches."""
    adapter = district["app"].url_map.bind("")
    for method, path, _ in told_apart(district):
        if path != "/x":
            rule, _ = adapter.match(path.partition("?")[0], method=method, return_rule=True)
            yield method, rule.rule


def told_apart(district):
    """What has parameters of its own to try, and what must succeed."""
    for code in (*district["codes"], credit_code(number=1), "nonsense"):
        for rest in (
            "",
            "/grade",
            "/grades",
            "/explanation",
            "/records",
            "/records?kind=penalty",
            "/explanation?known_at=1",
            "/dossier",
            "/dossier?on=2026-06-30",
            "/dossier?known_at=3&limit=2",
            "/report.html",
            "/report.html?from=2026-01-01&to=2026-06-30",
        ):
            yield "GET", f"/api/v1/entities/{code}{rest}", None
        for rest in ("", "/records", "/records?on=2026-06-30", "/records?kind=penalty&limit=1", "/complaints"):
            yield "GET", f"/api/v1/public/entities/{code}{rest}", None
        yield "GET", f"/public/{code}", None
        yield "POST", "/api/v1/records/penalty", penalty(code)
        yield "POST", "/api/v1/records/penalty/batch", {"records": [penalty(code), penalty(code, fine_fen=-1), {}]}
        named = f"/api/v1/records/penalty/by-document?document_no=信市监处罚〔2026〕900号&code={code}"
        yield "GET", named, None
        yield "POST", named.replace("?", "/correction?"), {"reason": "错", "record": penalty(code)}
        yield "POST", named.replace("?", "/withdrawal?"), {"reason": ""}
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
    for rest in ("", "?date=2026-11-21", "/lines?date=2026-11-21&source=organ", "/lines?source=test&limit=1"):
        yield "GET", f"/api/v1/reconciliation{rest}", None
    for rest in ("", "?on=2026-06-30", "/report.html"):
        yield "GET", f"/api/v1/own{rest}", None
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
    reached = {
        (method, adapter.match(path, method=method, return_rule=True)[0].rule)
        for method, path in asked - {("GET", "/x")}
    }
    every = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }
    assert reached == every


@pytest.fixture
def own(app, district):
    """The own key of the enterprise with the worst grade."""
    code = district["codes"][-1]
    secret = keys.create("own", organ="", scopes=["self:read"], divisions=[], entity=code, actor="test", now=NOW)
    return Caller(app, secret)


def self_service(code):
    """What an enterprise, and anyone, may ask about itself: every path × past day × past number."""
    days = ("", "on=2024-06-30", "on=2026-11-20")
    for day in days:
        for known in ("", "known_at=1", "known_at=2026-01-01T00:00:00Z", "limit=2"):
            yield f"/api/v1/own?{'&'.join(part for part in (day, known) if part)}"
        yield f"/api/v1/public/entities/{code}/records?{day}"
    yield from ("/api/v1/own/report.html", "/api/v1/own/report.html?from=2025-01-01&to=2025-12-31")
    yield from (f"/api/v1/public/entities/{code}", f"/public/{code}", f"/api/v1/public/entities/{code}/complaints")


def test_what_an_enterprise_and_anyone_reads_is_the_same_whatever_the_grade_is(app, own, district):
    code = district["codes"][-1]
    shown(district["seq"])
    callers = {"own": own, "anyone": Caller(app, None)}

    def told():
        number = {"X-Request-ID": "one"}
        return {
            (name, path): one.get(path, number).data for name, one in callers.items() for path in self_service(code)
        }

    before = told()
    assert not [where for where, body in before.items() if TELLING.search(body) or "风险分类".encode() in body]
    execute("UPDATE grade_state SET class = 'B', rank = 1, score = 321")
    execute("UPDATE grade SET class = 'B', score = 321")
    execute("DELETE FROM stale")
    assert told() == before


def test_a_district_that_shows_quality_credit_tells_as_little_of_the_risk_class(app, own, district):
    settings = app.extensions["xinheng"].settings
    fit(app, showing(settings, LOCAL), today=lambda: TODAY, now=lambda: NOW)
    grading.due(grading.scheme_named(showing(settings, LOCAL), LOCAL), day=TODAY)
    code, number = district["codes"][-1], {"X-Request-ID": "one"}
    callers = (own, Caller(app, None))

    def told():
        return [one.get(path, number).data for one in callers for path in self_service(code)]

    before = told()
    assert LOCAL.encode() in b"".join(before)
    execute("UPDATE grade_state SET class = 'B', rank = 1, score = 321 WHERE scheme = 'general-risk'")
    execute("UPDATE grade SET class = 'B', score = 321")
    assert told() == before


def test_no_answer_to_a_caller_without_the_right_names_a_part_of_a_grade(app, clerk, district):
    for (_, method, path), (_, headers, body) in walk(clerk, district).items():
        if not path.startswith(WITHOUT_ENTITIES):
            # The digest of a draw is that of its minutes, under a secret salt; an enterprise gives the score of a rating itself.
            own_name = b'"digest"' if "/draws" in path else b'"score"' if path.endswith("/rating") else b"-"
            told = body.replace(own_name, b"")
            assert TELLING.search(told) is None, (method, path)
            assert not any("class" in name.lower() or "score" in name.lower() for name, _ in headers)


def test_every_answer_is_the_same_to_the_last_byte_whatever_the_grades_are(app, clerk, district):
    walk(clerk, district)  # what the walk itself posts is stored now, and unchanged from here on
    before = walk(clerk, district)
    execute(
        "UPDATE grade_state SET class = CASE WHEN class = 'A' THEN 'D' ELSE 'A' END, rank = 3 - rank, score = 1000 - score, chance = 1000 * score"
    )
    execute("UPDATE grade SET class = CASE WHEN class = 'A' THEN 'D' ELSE 'A' END, score = 1000 - score")
    # As if the same had been listed and drawn by other grades.
    execute(
        "UPDATE inspection_list_row SET class = CASE WHEN class = 'A' THEN 'D' ELSE 'A' END, score = 1000 - score, chance = 7, "
        "reasons = '[]', graded_day = graded_day - 1, due_day = graded_day + position"
    )
    execute(
        "UPDATE visit SET stratum = 'A', inclusion = 1000000 - inclusion, slice = CASE slice WHEN 'priority' THEN 'random' WHEN 'random' "
        "THEN 'priority' ELSE slice END"
    )
    execute("UPDATE draw_stratum SET class = 'A'")
    after = walk(clerk, district)
    # A workbook says when it was made; that it holds what the CSV does is told in test_lists.
    timed = ("/metrics", ".xlsx")
    differ = [request for request in before if before[request] != after[request] and not request[2].endswith(timed)]
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
    counts = standing.classes(grading.scheme_named(app.extensions["xinheng"].settings))
    # Beside those of the draw, whose grades are written as grading leaves them.
    drawn_from = sum(drawing.CLASSES.values())
    assert sum(sum(by_class.values()) for by_class in counts.values()) == 3 + drawn_from
