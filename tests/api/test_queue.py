"""The queue over HTTP: who may decide sees rows and candidates, decides once, takes back; merged entities are answered for."""

import pytest

from registry.models import Entity, Unmatched
from registry.services import keys
from tests.conftest import NOW
from tests.factories import credit_code, record, registered
from tests.registry.test_matching import NAME, OTHER, penalise, stated, waiting


@pytest.fixture
def officer(app):
    return client_of(app, "officer", [""])


def client_of(app, name, divisions, scopes=("queue:decide", "entities:read", "grades:read")):
    secret = keys.create(
        name, organ="信衡市市场监督管理局", scopes=list(scopes), divisions=divisions, actor="t", now=NOW
    )

    def call(method, path, body=None, **headers):
        sent = {"Authorization": f"Bearer {secret}", **headers}
        return app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=sent)

    return call


def decided(call, **given):
    return call("POST", "/queue/decisions", {"decisions": [{"reason": "核实", **given}]})


def test_a_row_is_listed_with_its_candidates_decided_and_taken_back(settings, app, officer, tmp_path):
    code = credit_code()
    entity = registered(code, name=OTHER)
    penalise(settings, tmp_path, {"name": "信衡别家有限责任公司"}, division="")
    (row,) = officer("GET", "/queue").json["items"]
    assert (row["reason"], row["name"], row["division"]) == ("blank", "信衡别家有限责任公司", "")
    near = officer("GET", f"/queue/{row['id']}").json["candidates"]
    assert near[0]["code"] == code
    taken = decided(officer, verb="match", rows=[row["id"]], to=code)
    assert (taken.status_code, taken.json["items"][0]["said"], taken.json["items"][0]["rows"]) == (200, "decided", 1)
    assert decided(officer, verb="match", rows=[row["id"]], to=code).json["items"][0]["said"] == "unchanged"
    (kept,) = officer("GET", "/queue/decisions").json["items"]
    assert (kept["to"], kept["decided_by"], kept["reason"]) == (code, "key:officer", "核实")
    assert stated() == [(entity, "person")]
    undone = officer("POST", f"/queue/decisions/{kept['id']}/undo", {"reason": "误"})
    assert (undone.json["said"], undone.json["rows"], waiting()) == ("undone", 1, ["blank"])


def test_a_repeated_request_acts_once(settings, app, officer, tmp_path):
    penalise(settings, tmp_path, {}, division="")
    body = {"decisions": [{"verb": "drop", "rows": [Unmatched.get().id], "reason": "外省"}]}
    for _ in range(2):
        reply = officer("POST", "/queue/decisions", body, **{"Idempotency-Key": "one"})
        assert reply.json["items"][0]["said"] == "decided"
    assert reply.headers["Idempotent-Replay"] == "true"


def test_records_found_by_name_are_listed_confirmed_and_detached(settings, app, officer, tmp_path):
    registered(name=NAME)
    penalise(settings, tmp_path, {})
    (named,) = officer("GET", "/queue/named").json["items"]
    assert decided(officer, verb="confirm", records=[named["seq"]]).json["items"][0]["verb"] == "match"
    assert officer("GET", "/queue/named").json["items"] == []


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"verb": "match", "rows": [999], "to": "x"}, 404, "entity_not_found"),
        ({"verb": "drop", "rows": [999]}, 404, "queue_row_not_found"),
        ({"verb": "match", "rows": []}, 409, "decision_refused"),
        ({"verb": "confirm", "records": [999]}, 404, "record_not_found"),
        ({"verb": "guess", "rows": [1]}, 422, "invalid_request"),
        ({"verb": "drop", "rows": [1], "reason": ""}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_decided_says_why(app, officer, given, status, code):
    reply = decided(officer, **given)
    assert (reply.status_code, reply.json["code"]) == (status, code)
    assert officer("POST", "/queue/decisions/7/undo", {"reason": "x"}).json["code"] == "decision_not_found"


def test_rows_of_another_district_do_not_exist_for_a_key(settings, app, tmp_path):
    penalise(settings, tmp_path, {})
    elsewhere, here = client_of(app, "elsewhere", ["9902"]), client_of(app, "here", ["9901"])
    number = Unmatched.get().id
    assert [call("GET", f"/queue/{number}").status_code for call in (elsewhere, here)] == [404, 200]
    assert [len(call("GET", "/queue").json["items"]) for call in (elsewhere, here)] == [0, 1]
    assert decided(elsewhere, verb="drop", rows=[number]).status_code == 404


def test_a_key_without_the_scope_decides_nothing(app):
    call = client_of(app, "reader", [""], scopes=("entities:read",))
    assert call("GET", "/queue").status_code == 403
    assert call("POST", f"/entities/{credit_code()}/merge", {"into": credit_code(), "reason": "x"}).status_code == 403


def test_a_merged_entity_is_answered_for_by_who_it_is(app, officer):
    winner, loser = (registered(credit_code(), name=name) for name in (NAME, OTHER))
    one, other = (Entity.get_by_id(entity).code for entity in (winner, loser))
    record(loser, document_no="信1号")
    made = officer("POST", f"/entities/{other}/merge", {"into": one, "reason": "同一企业"})
    assert (made.status_code, made.json["said"]) == (201, "merged")
    assert officer("POST", f"/entities/{other}/merge", {"into": one, "reason": "同一企业"}).status_code == 200
    shown = officer("GET", f"/entities/{other}").json
    assert (shown["code"], shown["merged_from"]) == (one, [other])
    (item,) = officer("GET", "/entities?q=信衡别家").json["items"]
    assert (item["code"], item["merged_into"]) == (other, one)
    records = officer("GET", f"/entities/{other}/records?kind=penalty").json["items"]
    assert [row["document_no"] for row in records] == ["信1号"]
    circle = officer("POST", f"/entities/{one}/merge", {"into": other, "reason": "x"})
    assert (circle.status_code, circle.json["code"]) == (409, "merge_refused")
    assert officer("POST", f"/entities/{other}/unmerge", {"reason": "两家"}).json["said"] == "unmerged"
    assert officer("GET", f"/entities/{other}").json["merged_from"] == []


def test_probable_twins_are_listed(app, officer):
    assert officer("GET", "/queue/twins").json == {"items": [], "next": None}
