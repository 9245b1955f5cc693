"""What holds for every request: keys, limits, problems, headers, and that bad input is never a 500."""

import json
import re
from typing import Any

import pytest
from peewee import OperationalError
from playhouse.pool import MaxConnectionsExceeded

from api.app import create_app
from api.auth import DECLARATION, Limiter
from api.errors import RateLimited
from registry import database
from registry.services import keys, search
from tests.api.conftest import ORGAN, Caller, calls, penalty
from tests.conftest import NOW, TODAY
from tests.factories import credit_code

PATH = "/api/v1/records/penalty"
# A number of the right form and check character, in a division that is nobody's.
RESIDENT = "110101194910010015"


def test_every_route_says_who_may_call_it(lone_app):
    silent = [
        rule.rule
        for rule in lone_app.url_map.iter_rules()
        if not hasattr(lone_app.view_functions[rule.endpoint], DECLARATION)
    ]
    assert silent == []


def test_only_health_documents_and_pages_are_public(lone_app):
    public = {
        rule.rule
        for rule in lone_app.url_map.iter_rules()
        if getattr(lone_app.view_functions[rule.endpoint], DECLARATION) == "public"
    }
    assert public == {
        "/",
        "/livez",
        "/readyz",
        "/metrics",
        "/api/v1/openapi.json",
        "/api/v1/docs",
        "/static/<path:filename>",
        # What is published of an entity, and nothing else of it (test_public.py).
        "/public",
        "/public/<code>",
        "/api/v1/public/entities/<code>",
        "/api/v1/public/entities/<code>/records",
        "/api/v1/public/entities/<code>/complaints",
        # What proves that a draw was not arranged, and tells no class (test_draws.py, rules/draw/test_recovery.py).
        "/api/v1/public/draws",
        "/api/v1/public/draws/<int(min=1, max=2147483647):number>",
        "/api/v1/public/draws/<int(min=1, max=2147483647):number>/minutes.json",
        # Who holds the code of a notice, at the door: who may enter, and what was thought of it (test_visits.py).
        "/api/v1/public/visits/<token>",
        "/api/v1/public/visits/<token>/rating",
    }


def test_without_the_scopes_that_it_declares_no_endpoint_answers(lone_app):
    stranger = calls(lone_app, "stranger", [])
    for rule in lone_app.url_map.iter_rules():
        scopes = getattr(lone_app.view_functions[rule.endpoint], DECLARATION)
        if scopes == "public":
            continue
        path = rule.rule.replace("<code>", credit_code()).replace("<kind>", "penalty").replace("<name>", "x")
        path = re.sub(r"<int\([^)]*\):\w+>", "1", path).replace("<form>", "csv")
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            reply = stranger.client.open(path, method=method, headers=stranger.headers)
            assert (reply.status_code, reply.json["scope"]) == (403, scopes[0]), path
            assert Caller(lone_app, None).client.open(path, method=method).status_code == 401, path


@pytest.mark.parametrize(
    "header", [None, "", "Basic abc", "Bearer", "Bearer  ", "Bearer xh_wrong", "Bearer 钥".encode().decode("latin-1")]
)
def test_without_a_key_that_works_the_answer_is_401_and_says_how(lone_app, header):
    headers = {} if header is None else {"Authorization": header}
    reply = lone_app.test_client().get("/api/v1/entities", headers=headers)
    assert (reply.status_code, reply.mimetype) == (401, "application/problem+json")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_stops_at_once(lone_app, lone_officer):
    assert lone_officer.get("/api/v1/entities").status_code == 200
    keys.revoke("officer", actor="test", now=NOW)
    assert lone_officer.get("/api/v1/entities").json["code"] == "bad_key"


def test_a_key_that_asks_too_often_is_told_when_to_come_back():
    limiter = Limiter(2)
    limiter.count(1, 60_000)
    limiter.count(1, 60_001)
    limiter.count(2, 60_002)
    with pytest.raises(RateLimited) as caught:
        limiter.count(1, 119_000)
    assert caught.value.seconds == 1
    limiter.count(1, 120_000)


def test_the_limit_is_answered_with_429_and_retry_after(on_sqlite):
    import dataclasses

    settings = dataclasses.replace(on_sqlite, api=dataclasses.replace(on_sqlite.api, rate_per_minute=1))
    app = create_app(settings, today=lambda: TODAY, now=lambda: NOW)
    officer = calls(app, "officer", ["entities:read"])
    assert officer.get("/api/v1/entities").status_code == 200
    reply = officer.get("/api/v1/entities")
    assert (reply.status_code, reply.json["code"], reply.headers["Retry-After"]) == (429, "rate_limited", "60")


def test_an_unknown_parameter_is_refused_with_the_nearest_name(lone_officer):
    reply = lone_officer.get("/api/v1/entities", divison="9901")
    assert (reply.status_code, reply.json["code"]) == (422, "invalid_request")
    assert "Did you mean division?" in reply.json["problems"]["divison"][0]
    assert "Did you mean class?" in lone_officer.get("/api/v1/entities", clas="D").json["problems"]["clas"][0]
    assert lone_officer.get("/api/v1/statistics/classes", on="2026-01-01").status_code == 422


@pytest.mark.parametrize("limit", ["0", "201", "1.5", "-1", "９", "", "1e2", "9" * 30])
def test_a_page_size_that_is_no_page_size_is_refused(lone_officer, limit):
    reply = lone_officer.get("/api/v1/entities", limit=limit)
    assert (reply.status_code, list(reply.json["problems"])) == (422, ["limit"])


def test_a_parameter_given_twice_is_refused(lone_officer):
    assert lone_officer.get("/api/v1/entities?limit=1&limit=2").status_code == 422


@pytest.mark.parametrize(
    "after", ["nonsense", "钥匙", "WzE4NDQ2NzQ0MDczNzA5NTUxNjE1XQ", "WyJcdTAwMDAiLDFd", "e30", "WzFd" * 40]
)
def test_a_page_token_that_is_not_ours_is_refused(officer, company, after):
    for path in ("/api/v1/entities", f"/api/v1/entities/{company()}/records", "/api/v1/tasks"):
        reply = officer.get(path, after=after)
        assert (reply.status_code, reply.json["code"]) == (400, "bad_cursor")


# --- bad input -------------------------------------------------------------------------------------------------------


def refused(reply: Any, status: int, code: str, field: str | None = None) -> None:
    assert (reply.status_code, reply.mimetype, reply.json["code"]) == (status, "application/problem+json", code), (
        reply.text
    )
    assert {"type", "title", "status", "detail", "code", "instance"} <= set(reply.json)
    assert reply.json["instance"] == reply.headers["X-Request-ID"]
    if field is not None:
        assert list(reply.json["problems"]) == [field]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"fine_fen": -1}, "fine_fen"),
        ({"fine_fen": 1.5}, "fine_fen"),
        ({"fine_fen": 10**30}, "fine_fen"),
        ({"fine_fen": 2**63}, "fine_fen"),
        ({"fine_fen": True}, "fine_fen"),
        ({"fine_fen": "５"}, "fine_fen"),
        ({"decided_on": "2026-11-22"}, "decided_on"),
        ({"decided_on": "1948-01-01"}, "decided_on"),
        ({"publish_until": "2026-11-01"}, "publish_until"),
        ({"kinds": ["whim"]}, "kinds"),
        ({"kinds": [["fine"]]}, "kinds"),
        ({"kindz": ["fine"]}, "kindz"),
        ({"violation": "x" * 2001}, "violation"),
        ({"party": {"code": 9.1e17}}, "party.code"),
        ({"party": {"code": 910000000000000000}}, "party.code"),
        ({"party": {"code": "9.1E+17"}}, "party.code"),
        ({"party": {"code": "91990101MA0000000"}}, "party.code"),
        ({"party": {"code": ""}}, "party.code"),
        ({"party": "91990101MA00000000"}, "party"),
        ({"party": None}, "party"),
        ({"organ": "x" * 300}, "organ"),
    ],
)
def test_a_record_that_is_wrong_is_refused_by_field_with_what_to_do(officer, wrong, field):
    reply = officer.post(PATH, penalty(credit_code(), **wrong))
    refused(reply, 422, "bad_record", field)


def test_a_personal_number_as_party_is_refused_and_repeated_nowhere(officer, capfd):
    for given in (
        {"party": {"code": RESIDENT}},
        {"party": {"code": credit_code(), RESIDENT: 1}},
        {"kinds": [RESIDENT]},
        {RESIDENT: 1},
        {"decided_on": RESIDENT},
    ):
        reply = officer.post(PATH, penalty(credit_code()) | given)
        assert reply.status_code == 422
        assert RESIDENT not in reply.text
    for path in ("", "/grade", "/records"):
        reply = officer.get(f"/api/v1/entities/{RESIDENT}{path}")
        assert reply.status_code == 404
        assert RESIDENT not in reply.text
    assert RESIDENT not in officer.get("/api/v1/entities", q=RESIDENT).text
    assert RESIDENT not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "wrong",
    [
        {"violation": "a\x00b"},
        {"party": {"code": "9\x00"}},
        {"a\x00": 1},
        {"kinds": ["fi\x00ne"]},
        {"x": [[{"y": "\x00"}]]},
    ],
)
def test_a_nul_byte_anywhere_is_refused_with_its_place(officer, wrong):
    reply = officer.post(PATH, penalty(credit_code()) | wrong)
    refused(reply, 422, "invalid_request")
    assert "NUL" in reply.json["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/entities?q=a%00b",
        "/api/v1/entities/%00",
        "/api/v1/entities/91%00/records",
        "/api/v1/entities?class=%00",
    ],
)
def test_a_nul_byte_in_an_address_is_refused(officer, path):
    assert officer.get(path).status_code in (404, 422)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"party": ', "malformed_json"),
        (b"", "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
        (b'{"violation": "\\ud800"}', "malformed_json"),
        (b'{"fine_fen": NaN}', "malformed_json"),
        (b'{"fine_fen": ' + b"9" * 5000 + b"}", "malformed_json"),
        (b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}", "malformed_json"),
        (b"[]", "invalid_request"),
        (b'"text"', "invalid_request"),
        (b"null", "invalid_request"),
    ],
)
def test_a_body_that_is_not_one_json_object_is_refused(lone_officer, body, code):
    for path in (PATH, f"{PATH}/batch", "/api/v1/tasks", "/api/v1/lists"):
        reply = lone_officer.post(path, data=body, content_type="application/json", headers={"Idempotency-Key": "k"})
        refused(reply, 422 if code == "invalid_request" else 400, code)


def test_an_empty_body_is_called_empty(lone_officer):
    reply = lone_officer.post(PATH, data=b" ", content_type="application/json")
    assert "it is empty" in reply.json["detail"]


def test_a_body_nested_as_deep_as_json_goes_is_refused_by_field(lone_officer):
    deep = b'{"party": {"code": "x"}, "remark":' + b"[" * 1000 + b"]" * 1000 + b"}"
    reply = lone_officer.post(PATH, data=deep, content_type="application/json")
    assert reply.status_code == 422
    assert "remark" in reply.json["problems"]


def test_a_body_that_does_not_say_it_is_json_is_refused(lone_officer):
    refused(lone_officer.post(PATH, data=b"{}", content_type="text/plain"), 415, "unsupported_media_type")
    refused(lone_officer.post(PATH, data={"a": "b"}), 415, "unsupported_media_type")


def test_a_body_of_ten_megabytes_is_refused_before_it_is_read(lone_officer):
    body = json.dumps({"violation": "x" * 10_000_000}).encode()
    for headers in ({}, {"Idempotency-Key": "k"}):
        reply = lone_officer.post(PATH, data=body, content_type="application/json", headers=headers)
        refused(reply, 413, "body_too_large")
        assert reply.json["max_body"] == 1_000_000


@pytest.mark.parametrize(
    "path",
    ["/api/v1/lists/99999999999999999999", "/api/v1/tasks/0", "/api/v1/tasks/-1", "/api/v1/tasks/abc", "/nothing"],
)
def test_a_path_that_leads_nowhere_is_a_problem_too(lone_officer, path):
    refused(lone_officer.get(path), 404, "no_such_path")


def test_a_record_number_beyond_any_ledger_is_not_found(officer):
    body = {"reason": "错"}
    assert officer.post(f"{PATH}/{10**30}/withdrawal", body).status_code == 404
    assert officer.post(f"{PATH}/{2**53}/withdrawal", body).json["code"] == "record_not_found"


def test_a_method_that_is_not_there_names_those_that_are(lone_officer):
    reply = lone_officer.client.delete("/api/v1/entities", headers=lone_officer.headers)
    refused(reply, 405, "method_not_allowed")
    assert "GET" in reply.headers["Allow"]


# --- faults of ours --------------------------------------------------------------------------------------------------


def test_what_nobody_expected_is_a_500_that_tells_nothing_and_a_log_line_that_tells_where(
    lone_app, lone_officer, monkeypatch, capfd
):
    def broken(*_, **__):
        raise RuntimeError(f"row of {RESIDENT}\nDETAIL: secret")

    monkeypatch.setattr(search, "page", broken)
    reply = lone_officer.get("/api/v1/entities")
    refused(reply, 500, "internal_error")
    assert "row of" not in reply.text
    log = capfd.readouterr().err
    assert "RuntimeError" in log
    assert reply.json["instance"] in log
    assert RESIDENT not in log
    assert "secret" not in log


def test_an_unusable_scheme_is_our_fault_and_told_to_the_log_only(lone_officer, monkeypatch):
    from registry.errors import BadScheme
    from registry.services import grading

    def broken(*_, **__):
        raise BadScheme("general-risk/scheme.toml: secret place")

    monkeypatch.setattr(grading, "scheme_named", broken)
    reply = lone_officer.get("/api/v1/statistics/classes")
    refused(reply, 500, "bad_scheme")
    assert "secret place" not in reply.text


@pytest.mark.parametrize(
    "error",
    [MaxConnectionsExceeded("full"), OperationalError("database is locked"), OperationalError("connection refused")],
)
def test_a_busy_database_is_503_with_a_time_to_try_again(lone_app, lone_officer, monkeypatch, error):
    def busy(*_, **__):
        raise error

    monkeypatch.setattr(database.db.obj, "connect", busy)
    reply = lone_officer.get("/api/v1/entities")
    refused(reply, 503, "database_busy")
    assert int(reply.headers["Retry-After"]) > 0
    assert lone_officer.get("/livez").status_code == 200


# --- around the request ----------------------------------------------------------------------------------------------


def test_the_log_has_one_line_with_route_and_status_and_no_code_key_or_body(lone_officer, capfd):
    code = credit_code()
    lone_officer.get(f"/api/v1/entities/{code}", headers={"X-Request-ID": "abc-1"})
    (line,) = [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"request"' in line]
    kept = {name: line[name] for name in ("request", "key", "method", "route", "status")}
    assert kept == {"request": "abc-1", "key": 1, "method": "GET", "route": "/api/v1/entities/<code>", "status": 404}
    assert line["ms"] >= 0
    assert code not in json.dumps(line)
    assert lone_officer.headers["Authorization"][7:] not in json.dumps(line)


def test_a_request_number_that_is_none_is_replaced(lone_app):
    reply = lone_app.test_client().get("/livez", headers={"X-Request-ID": "a b<script>"})
    assert reply.headers["X-Request-ID"].isalnum()


def test_every_answer_carries_the_security_headers(lone_app, lone_officer):
    for path in ("/", "/livez", "/api/v1/docs", "/api/v1/entities", "/nothing", "/static/xinheng.css"):
        headers = lone_officer.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
    assert lone_officer.get("/api/v1/entities").headers["Cache-Control"] == "private, no-cache"


def test_a_keys_answer_varies_by_key(lone_officer):
    assert lone_officer.get("/api/v1/entities").headers["Vary"] == "Authorization"


def test_the_organ_of_a_key_is_the_organ_of_its_records(officer):
    code = credit_code()
    officer.post(PATH, penalty(code))
    (item,) = officer.get(f"/api/v1/entities/{code}/records").json["items"]
    assert (item["organ"], item["source"]) == (ORGAN, "organ")
