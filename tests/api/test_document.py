"""The OpenAPI document, the pages, the health; and schemathesis, who believes the document and tries what it allows."""

import contextlib
import os
import re
from dataclasses import asdict
from datetime import date
from html.parser import HTMLParser

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate

from registry import database, schema
from registry.clock import day_number
from registry.models import Draw, EarlyWarning, Entity, Model, Record, Unmatched, WarningStep
from registry.services import draws, keys, notices, seal
from registry.services.early_warnings import NOTHING, TRANSFERRED
from tests.api.conftest import EVERYTHING, ORGAN, Caller, application, calls, grade_all, penalty
from tests.api.test_work import TASK
from tests.conftest import NOW, TODAY
from tests.factories import statement
from tests.registry import drawing, modelling, registering
from tests.registry.drawing import drawn
from tests.registry.papers import desk_of, listed
from tests.registry.proposing import local, proposed
from tests.registry.visited import results_at
from tests.registry.visiting import steps_at
from tests.registry.worlds import raise_class


@pytest.fixture
def document(lone_app):
    return lone_app.test_client().get("/api/v1/openapi.json").json


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_route_but_the_pages_is_in_the_document(lone_app, document):
    routes = {re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule) for rule in lone_app.url_map.iter_rules()}
    pages = {"/", "/api/v1/docs", "/api/v1/openapi.json", "/static/{filename}", "/public", "/public/{code}"}
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
    client.get("/livez")
    text = client.get("/metrics").text
    assert 'xinheng_requests_total{method="GET",route="(none)",status="404"}' in text
    assert 'xinheng_request_seconds_bucket{le="0.05",route="/livez"}' in text


# Codes that are registered are one in 10^17: what fits the document and names nobody is refused, and rightly.
EXCLUDED = [schemathesis.checks.positive_data_acceptance]


# Operations that no generated request can succeed at, whatever exists, and why. What they answer is checked all the same.
BY_STATE = "takes one step of a matter that must stand at the step before; tests/api tells such matters from end to end"
BY_NAME = "names another record, document, party or template in its body or query, which cannot be guessed"
BY_FILE = "takes a file with headings that cannot be guessed; tests/api sends such files"
REFUSED = {
    **dict.fromkeys(
        (
            "POST /api/v1/objections/{number}/acceptance", "POST /api/v1/objections/{number}/verification",
            "POST /api/v1/repairs/{number}/acceptance", "POST /api/v1/repairs/{number}/decision",
            "POST /api/v1/lists/{number}/schedule",
            "POST /api/v1/notices/{number}/acknowledgement", "POST /api/v1/listings/{number}/proposal",
            "POST /api/v1/listings/{number}/audit", "POST /api/v1/listings/{number}/notice",
            "POST /api/v1/listings/{number}/statement", "POST /api/v1/listings/{number}/approval",
            "POST /api/v1/listings/{number}/effect", "POST /api/v1/deliveries/{number}/result",
            "POST /api/v1/documents/{number}/deliveries", "POST /api/v1/queue/decisions/{number}/undo",
            "GET /api/v1/outbound/{number}", "GET /api/v1/outbound/{number}/file", "POST /api/v1/outbound/{number}/sent",
            "POST /api/v1/outbound/{number}/answer", "POST /api/v1/outbound/{number}/resend",
            "POST /api/v1/schemes/proposals/{number}/revision", "POST /api/v1/schemes/proposals/{number}/comparison",
            "POST /api/v1/schemes/proposals/{number}/approvals", "POST /api/v1/schemes/proposals/{number}/withdrawal",
            "POST /api/v1/schemes/proposals/{number}/refusal", "POST /api/v1/schemes/proposals/{number}/shadow",
            "GET /api/v1/schemes/proposals/{number}/shadow",
            "POST /api/v1/overrides/{number}/approval", "POST /api/v1/overrides/{number}/refusal",
            "POST /api/v1/draws", "POST /api/v1/draws/{number}/run", "POST /api/v1/draws/{number}/recusals",
            "POST /api/v1/draws/{number}/void",
            "POST /api/v1/overrides/{number}/end", "POST /api/v1/raises/{number}/confirm",
            "POST /api/v1/raises/{number}/dismiss", "POST /api/v1/raises/{number}/end",
            "GET /api/v1/models/{number}/card.html",
        ),
        BY_STATE,
    ),
    **dict.fromkeys(
        (
            "POST /api/v1/listings/abnormal", "POST /api/v1/listings/serious", "POST /api/v1/listings/removals",
            "POST /api/v1/listings/corrections", "GET /api/v1/listings/batches", "POST /api/v1/listings/batches/audit",
            "POST /api/v1/documents", "POST /api/v1/queue/decisions", "POST /api/v1/entities/{code}/merge",
            "POST /api/v1/outbound", "GET /api/v1/ledger/consistency", "GET /api/v1/records/{kind}/by-document",
            "POST /api/v1/records/{kind}/by-document/correction", "POST /api/v1/records/{kind}/by-document/withdrawal",
            "POST /api/v1/schemes/proposals", "POST /api/v1/schemes/comparisons", "POST /api/v1/records/{kind}", "POST /api/v1/records/{kind}/{seq}/correction", "POST /api/v1/overrides",
            "POST /api/v1/visits/{number}/assign", "POST /api/v1/visits/{number}/reassign", "POST /api/v1/visits/{number}/start",
            "POST /api/v1/visits/{number}/results", "POST /api/v1/own/results/{number}/recheck",
        ),
        BY_NAME,
    ),
    **dict.fromkeys(
        ("POST /api/v1/inspectors/{number}/conflicts", "POST /api/v1/inspectors/{number}/conflicts/end"), BY_NAME
    ),
    **dict.fromkeys(
        (
            "POST /api/v1/items/file", "POST /api/v1/labels/file", "POST /api/v1/labels/members/file",
            "POST /api/v1/inspectors/file",
        ),
        BY_FILE,
    ),
}  # fmt: skip


WAITING = ("open", "assigned", "disposed", "answered")
VERBS = dict(zip(("assign", "dispose", "feedback", "close"), WAITING, strict=True))


def warning_at(state, entity):
    """An early warning about an entity that waits for its next step; another organ was told of it."""
    day = day_number(TODAY)
    row = EarlyWarning.create(
        entity=entity.id, model=Model.get(), chance=600_000, reasons=[], division=entity.division, day=day, state=state, assign_by=day,
        answer_by=None if state == "open" else day, organ="" if state == "open" else ORGAN, assigned_to="李", raised_at=NOW,
        disposal=TRANSFERRED if state in WAITING[2:] else 0, outcome=NOTHING if state == "answered" else 0,
    )  # fmt: skip
    WarningStep.create(warning=row, number=1, act="raised", by="job:raise_warnings", at=NOW)
    return row.id


def prepared(app, settings, company):
    """Callers and numbers of things that exist, by the beginning of the path that asks for them."""
    seal.make_log(settings, now=NOW)
    officer = calls(app, "officer", EVERYTHING)
    code = company(penalties=2)
    grade_all(app)
    # A grade that moved: the feed's first change.
    other = company()
    grade_all(app)
    officer.post("/api/v1/records/penalty", penalty(other), {"Idempotency-Key": "p"})
    task = officer.post("/api/v1/tasks", TASK, {"Idempotency-Key": "t"}).json["id"]
    number = officer.post("/api/v1/lists", {"task": task, "size": 5}, {"Idempotency-Key": "l"}).json["id"]
    case = listed(desk_of(settings, today=TODAY))
    said = asdict(statement("penalty", organ=ORGAN)) | {"happened_on": "2026-11-02", "ends_on": None, "party": None}
    Unmatched.create(
        identity="w", kind=said.pop("kind"), source="test", reason="not_registered", party_name="信衡示例茶叶店", party_code="",
        party="p", folded="", division="990101", waiting_since=NOW, fields=said,
    )  # fmt: skip
    notices.add_recipient("信用中国", key="officer", kinds=[], actor="test", now=NOW)
    proposal = proposed(settings, local()).proposal.id
    firm = keys.create("firm", organ="", scopes=["self:read"], divisions=[], entity=code, actor="test", now=NOW)
    size = seal.seal(settings, now=lambda: NOW).size
    kept, gone, _ = [row.seq for row in Record.select().where(Record.kind == "penalty").order_by(Record.seq)]
    body = {"code": code, "class": "D", "reason": "专项整治", "basis": "行动方案第三条", "until": "2027-02-01"}
    override = calls(app, "proposer", EVERYTHING).post("/api/v1/overrides", body).json["id"]
    raised = raise_class(Entity.get(Entity.code == code).id, TODAY, date(2027, 2, 1)).id
    # One warning stands at each step, so that each step can be taken whatever was done to the others.
    at = {state: warning_at(state, Entity.get(Entity.code == company())) for state in WAITING}
    shown = drawn(settings).id
    draws.reveal(Draw.get_by_id(shown), desk=drawing.desk_of())
    registering.label("food")
    registering.item("Y01")
    numbers = {
        "/api/v1/items": {"code": "Y01"}, "/api/v1/labels/{code}/retire": {"code": "gone"}, "/api/v1/labels": {"code": "food"},
        "/api/v1/entities/{code}/labels": {"label": "food"}, "/api/v1/inspectors": {"number": registering.inspector("XH77").id},
        "/api/v1/draws": {"number": shown}, "/api/v1/public/draws": {"number": shown},
        **results_at(settings),
        **steps_at(settings),
        "/api/v1/models/{number}/promote": {"number": Model.get(Model.state == "champion").id},
        "/api/v1/models": {"number": modelling.kept(settings, evaluated=False).id},
        **{f"/api/v1/warnings/{{number}}/{verb}": {"number": at[state]} for verb, state in VERBS.items()},
        "/api/v1/warnings": {"number": at["open"]},
        "/api/v1/raises": {"number": raised}, "/api/v1/overrides": {"number": override}, "/api/v1/events": {"number": 1},
        "/api/v1/lists": {"number": number}, "/api/v1/listings": {"number": case.id},
        "/api/v1/documents": {"number": case.steps[-1]["document"]}, "/api/v1/queue": {"number": Unmatched.get().id},
        "/api/v1/ledger": {"size": size, "seq": size}, "/api/v1/schemes/proposals": {"number": proposal},
        # What was withdrawn is good for nothing else.
        "/api/v1/records/{kind}/{seq}/withdrawal": {"kind": "penalty", "seq": gone}, "/api/v1/records": {"kind": "penalty", "seq": kept},
    }  # fmt: skip
    real = {"code": code, "number": number, "name": "general-risk", "seq": 2}
    return officer, Caller(app, firm), task, real, numbers


# Requests to each operation and mode; `make soak` sends ten times as many.
EXAMPLES = int(os.environ.get("XINHENG_TEST_EXAMPLES", "4"))


def tried(operation, mode, who, real, task, examples=EXAMPLES):
    """The statuses of what an operation answered to generated requests; each answer is held against the document."""
    seen: set[int] = set()

    @hypothesis_settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case):
        if mode is schemathesis.GenerationMode.POSITIVE:
            for name in set(case.path_parameters) & set(real):
                case.path_parameters[name] = real[name]
            if case.operation.label == "POST /api/v1/lists" and isinstance(case.body, dict):
                case.body = {"task": task, "size": 5}
        # The key is always sent: a case must not count as wrong for one that it lacks.
        case.headers = {**(case.headers or {}), **who.headers}
        reply = case.call(headers=who.headers)
        # What breaks a limit of the document may be too large to be read at all: that refuses it as well.
        beside = [schemathesis.checks.negative_data_rejection] if reply.status_code == 413 else []
        case.validate_response(
            reply, headers=who.headers, excluded_checks=EXCLUDED + beside, transport_kwargs={"headers": who.headers}
        )
        seen.add(reply.status_code)

    # What takes nothing can be sent nothing wrong.
    with contextlib.suppress(Unsatisfiable):
        answered()
    # Few requests may all miss what narrow fields allow: then more are tried before it is said that none succeeds.
    missed = (
        mode is schemathesis.GenerationMode.POSITIVE and operation.label not in REFUSED and min(seen, default=0) >= 300
    )
    return seen | tried(operation, mode, who, real, task, 8 * examples) if missed and examples < 200 else seen


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_whatever_is_sent_is_answered_as_the_document_says(on_sqlite, lone_app, company, mode):
    """What the document allows, about things that exist; and what it does not allow."""
    officer, firm, task, real, numbers = prepared(lone_app, on_sqlite, company)
    statuses: dict[str, set[int]] = {}
    for found in schemathesis.openapi.from_wsgi("/api/v1/openapi.json", lone_app).get_all_operations():
        operation = found.ok()
        there = next((values for start, values in numbers.items() if operation.path.startswith(start)), {})
        who = firm if operation.path.startswith("/api/v1/own") else officer
        # Half as many of the wrong ones: they are refused alike.
        number = EXAMPLES if mode is schemathesis.GenerationMode.POSITIVE else EXAMPLES // 2
        statuses[operation.label] = tried(operation, mode, who, real | there, task, number)
    if mode is schemathesis.GenerationMode.POSITIVE:
        never = {label for label, seen in statuses.items() if not any(status < 300 for status in seen)}
        assert sorted(never - set(REFUSED)) == []
        assert sorted(set(REFUSED) - set(statuses)) == [], "an operation that is no more"
