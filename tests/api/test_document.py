"""The OpenAPI document, the pages, the health; and schemathesis, who believes the document and tries what it allows."""

import contextlib
import re
from html.parser import HTMLParser

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate

from registry import database, schema
from tests.api.conftest import EVERYTHING, application, calls, grade_all
from tests.api.test_work import TASK


@pytest.fixture
def document(lone_app):
    return lone_app.test_client().get("/api/v1/openapi.json").json


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_route_but_the_pages_is_in_the_document(lone_app, document):
    routes = {re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule) for rule in lone_app.url_map.iter_rules()}
    pages = {"/", "/api/v1/docs", "/api/v1/openapi.json", "/static/{filename}", "/public/{code}"}
    assert set(document["paths"]) == routes - pages


def test_every_operation_says_its_scope_and_has_words_in_both_languages(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert re.match(r"[\u4e00-\u9fff]+ [A-Z]", operation["summary"]), path
            if path.startswith("/api/") and not path.startswith("/api/v1/public/"):
                assert operation["security"] == [{"key": []}], path
                assert operation["x-scopes"], path


def test_every_field_of_a_request_is_described(document):
    silent = [
        (path, parameter["name"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert silent == []


def test_errors_are_documented_as_problems(document):
    answers = document["paths"]["/api/v1/entities/{code}"]["get"]["responses"]
    assert list(answers["404"]["content"]) == ["application/problem+json"]
    assert document["components"]["responses"]["DEFAULT_ERROR"]["content"].keys() == {"application/problem+json"}


def test_new_fields_in_an_answer_do_not_break_the_contract(document):
    for name in ("EntityOut", "PostedOut", "ListPage", "Problem"):
        if name in document["components"]["schemas"]:
            assert document["components"]["schemas"][name].get("additionalProperties") is not False


class Page(HTMLParser):
    """What a page loads and how it is written."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.meta: dict[str, str] = {}
        self.lang = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.loads += [given[name] for name in ("src",) if name in given]
        self.loads += [given["href"]] if tag == "link" else []
        self.links += [given["href"]] if tag == "a" else []
        self.ids += [given["id"]] if "id" in given else []
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.lang = given["lang"] if tag == "html" else self.lang
        if tag == "meta" and "name" in given:
            self.meta[given["name"]] = given["content"]


@pytest.mark.parametrize("path", ["/", "/api/v1/docs"])
def test_a_page_needs_no_script_no_network_and_fits_a_phone(lone_app, path):
    client = lone_app.test_client()
    page = Page(client.get(path).text)
    assert "script" not in page.tags
    assert "style" not in page.tags
    assert page.inline == []
    assert page.loads == ["/static/xinheng.css"]
    assert page.lang == "zh-CN"
    assert "width=device-width" in page.meta["viewport"]
    css = client.get("/static/xinheng.css").text
    assert "url(" not in css
    assert "@import" not in css
    assert "overflow-x" in css


def test_the_page_of_the_document_has_every_operation_scope_and_error_and_no_broken_link(lone_app, document):
    page = Page(text := lone_app.test_client().get("/api/v1/docs").text)
    for path, item in document["paths"].items():
        for method in set(item) - {"parameters"}:
            assert f"{method.upper()} {path}" in text
    for scope in EVERYTHING:
        assert f"<code>{scope}</code>" in text
    anchors = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert anchors
    assert anchors <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_type_of_a_problem_leads_to_its_words_on_the_page(lone_app):
    reply = lone_app.test_client().get("/api/v1/entities")
    page, _, anchor = reply.json["type"].partition("#")
    assert anchor in Page(lone_app.test_client().get(page).text).ids


def test_the_links_of_the_first_page_lead_somewhere(lone_app):
    client = lone_app.test_client()
    for link in Page(client.get("/").text).links:
        assert client.get(link).status_code == 200, link


def test_ready_means_a_database_of_this_version(app, monkeypatch):
    client = app.test_client()
    assert client.get("/readyz").json == {"status": "ok", "scheme": "general-risk"}
    monkeypatch.setattr(schema, "is_current", lambda: False)
    reply = client.get("/readyz")
    assert (reply.status_code, reply.json["code"]) == (503, "not_initialised")
    assert client.get("/livez").json == {"status": "ok"}


def test_a_database_without_tables_is_not_ready_and_says_what_to_do(on_sqlite, lone_app):
    database.execute("DROP TABLE api_key")
    reply = calls_without_key(lone_app)
    assert (reply.status_code, reply.json["code"]) == (503, "not_initialised")
    assert "xinheng init" in reply.json["detail"]


def calls_without_key(app):
    return app.test_client().get("/api/v1/entities", headers={"Authorization": "Bearer xh_x"})


def test_the_connection_of_a_request_goes_back_to_the_pool(on_sqlite):
    app = application(on_sqlite)
    database.db.close()
    client = app.test_client()
    for _ in range(100):
        assert client.get("/readyz").status_code == 200
    assert database.db.is_closed()
    assert len(database.db.obj._in_use) == 0
    database.db.connect()


def test_the_metrics_count_by_route_and_status(lone_app):
    client = lone_app.test_client()
    client.get("/nowhere")
    text = client.get("/metrics").text
    assert 'xinheng_requests_total{method="GET",route="(none)",status="404"}' in text
    assert 'xinheng_request_seconds_bucket{le="0.05",route="/metrics"}' in text or "/livez" in text


# Codes that are registered are one in 10^17: what fits the document and names nobody is refused, and rightly.
EXCLUDED = [schemathesis.checks.positive_data_acceptance]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_whatever_is_sent_is_answered_as_the_document_says(lone_app, company, mode):
    """What the document allows, about things that exist; and what it does not allow."""
    officer = calls(lone_app, "officer", EVERYTHING)
    code = company(penalties=2)
    grade_all(lone_app)
    task = officer.post("/api/v1/tasks", TASK, {"Idempotency-Key": "t"}).json["id"]
    number = officer.post("/api/v1/lists", {"task": task, "size": 5}, {"Idempotency-Key": "l"}).json["id"]
    real = {"code": code, "number": number, "name": "general-risk", "seq": 2}
    statuses: dict[str, set[int]] = {}
    for found in schemathesis.openapi.from_wsgi("/api/v1/openapi.json", lone_app).get_all_operations():
        operation = found.ok()

        @hypothesis_settings(
            max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case):
            if mode is schemathesis.GenerationMode.POSITIVE:
                for name in set(case.path_parameters) & set(real):
                    case.path_parameters[name] = real[name]
                if case.operation.label == "POST /api/v1/lists" and isinstance(case.body, dict):
                    case.body |= {"task": task, "classes": []}
            reply = case.call_and_validate(headers=officer.headers, excluded_checks=EXCLUDED)
            statuses.setdefault(case.operation.label, set()).add(reply.status_code)

        # What takes nothing can be sent nothing wrong.
        with contextlib.suppress(Unsatisfiable):
            answered()
    if mode is schemathesis.GenerationMode.POSITIVE:
        assert [
            label
            for label, seen in statuses.items()
            if not any(status < 300 for status in seen) and "{kind}" not in label
        ] == []
