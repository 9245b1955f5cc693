"""The one list and the two databases over HTTP."""

import pytest

from registry.models import InspectionItem, Inspector
from tests.api.conftest import DIVISION, EVERYTHING, ORGAN, calls
from tests.factories import credit_code, registered
from tests.registry.registering import INSPECTOR, ITEM, LABEL

CSV = {"content_type": "text/csv"}
PEOPLE = "执法人员编号,姓名,层级,执法区域,执法事项,执法证件号,证件有效期至"


def status(reply):
    return reply.status_code, (reply.json or {}).get("code")


def person(**given):
    return {**{name: value for name, value in INSPECTOR.items() if name != "organ"}, **given}


def put(caller, path, body):
    return caller.client.put(path, json=body, headers=caller.headers)


def delete(caller, path):
    return caller.client.delete(path, headers=caller.headers)


def test_an_item_is_added_changed_by_its_version_and_retired(officer):
    first = officer.post("/api/v1/items", ITEM)
    assert (first.status_code, first.json["version"], first.json["weight"], first.json["in_force"]) == (
        201,
        1,
        300,
        True,
    )
    assert officer.post("/api/v1/items", ITEM).status_code == 200
    stale = officer.post("/api/v1/items", {**ITEM, "minutes": 90})
    assert (*status(stale), stale.json["version"]) == (409, "version_conflict", 1)
    changed = officer.post("/api/v1/items", {**ITEM, "minutes": 90, "version": 1})
    assert (changed.status_code, changed.json["minutes"], changed.json["version"]) == (201, 90, 2)
    assert officer.get("/api/v1/items/Y01").json == changed.json
    retired = officer.post("/api/v1/items/Y01/retire", {"on": "2026-11-21", "version": 2})
    assert (retired.status_code, retired.json["in_force"]) == (201, False)
    assert officer.get("/api/v1/items").json["items"] == []
    assert [one["code"] for one in officer.get("/api/v1/items", every="yes", nature="key").json["items"]] == ["Y01"]
    assert status(officer.get("/api/v1/items/Y02")) == (404, "unknown_item")
    unknown = officer.post("/api/v1/items", {**ITEM, "code": "Y02", "labels": ["nowhere"]})
    assert (*status(unknown), list(unknown.json["problems"])) == (422, "register_refused", ["labels"])


def test_a_post_with_an_idempotency_key_acts_once(lone_officer):
    key = {"Idempotency-Key": "one"}
    first, again = (lone_officer.post("/api/v1/items", ITEM, key) for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["Idempotent-Replay"]) == (201, 201, "true")


def test_a_label_and_its_members(lone_app, lone_officer):
    code, other = credit_code(), credit_code(division="990201")
    registered(code, industry=1411)
    registered(other, industry=1411)
    label = {**LABEL, "code": "bakers", "industries": ["141"]}
    assert lone_officer.post("/api/v1/labels", label).status_code == 201
    assert status(lone_officer.post("/api/v1/labels", {**label, "name": "另一名称"})) == (409, "version_conflict")
    assert lone_officer.post("/api/v1/labels", {**LABEL, "code": "hand"}).status_code == 201
    assert [one["code"] for one in lone_officer.get("/api/v1/labels", scope="province").json["items"]] == [
        "bakers",
        "hand",
    ]
    assert lone_officer.get("/api/v1/labels/bakers").json["industries"] == ["141"]
    near = calls(lone_app, "near", EVERYTHING, divisions=[DIVISION])
    assert [one["code"] for one in near.get("/api/v1/labels/bakers/members").json["items"]] == [code]
    path = f"/api/v1/entities/{code}/labels"
    for _ in range(2):
        shown = put(near, f"{path}/hand", {"until_on": "2027-01-01"})
        assert [(one["code"], one["why"]) for one in shown.json["items"]] == [
            ("bakers", ["industry"]),
            ("hand", ["hand"]),
        ]
    assert near.get(path).json == shown.json
    exported = near.get("/api/v1/labels/hand/members.csv")
    assert exported.text.splitlines()[1].startswith(f"{code},hand,2026-11-21,2027-01-01,")
    assert near.post("/api/v1/labels/members/file", data=exported.data, **CSV).json["unchanged"] == 1
    for _ in range(2):
        assert [one["code"] for one in delete(near, f"{path}/hand").json["items"]] == ["bakers"]
    assert status(put(near, f"/api/v1/entities/{other}/labels/hand", {})) == (404, "entity_not_found")
    assert status(put(near, f"{path}/nowhere", {})) == (404, "unknown_label")
    assert status(near.post("/api/v1/labels/hand/retire", {"version": 1})) == (403, "not_allowed")
    for status_ in (201, 200):
        assert lone_officer.post("/api/v1/labels/hand/retire", {"version": 1}).status_code == status_
    # A key of one area keeps labels of that area.
    own = {"code": "market", "name": "夜市", "scope": "county", "division": DIVISION}
    assert near.post("/api/v1/labels", own).status_code == 201
    assert status(near.post("/api/v1/labels", {**own, "code": "all", "division": "9901"})) == (403, "not_allowed")


def test_an_organ_sees_and_keeps_its_own_inspectors(lone_app, lone_officer):
    made = lone_officer.post("/api/v1/inspectors", person())
    number = made.json["id"]
    assert (made.status_code, made.json["organ"], made.json["certified_until"], made.json["away"]) == (
        201, ORGAN, "2028-12-31", [],
    )  # fmt: skip
    assert lone_officer.post("/api/v1/inspectors", person()).status_code == 200
    assert status(lone_officer.post("/api/v1/inspectors", person(capacity=3))) == (409, "version_conflict")
    other = calls(lone_app, "other", EVERYTHING, organ="别处市场监督管理局")
    assert other.get("/api/v1/inspectors").json["items"] == []
    assert status(other.get(f"/api/v1/inspectors/{number}")) == (404, "inspector_not_found")
    assert status(other.get(f"/api/v1/inspectors/{number}/conflicts")) == (404, "inspector_not_found")
    assert status(other.post("/api/v1/inspectors", {**person(), "organ": ORGAN})) == (403, "not_allowed")
    path = f"/api/v1/inspectors/{number}"
    away = lone_officer.post(f"{path}/away", {"from_on": "2026-12-01", "to_on": "2026-12-05", "why": "培训"})
    assert away.json["away"] == [{"from_on": "2026-12-01", "to_on": "2026-12-05", "why": "培训"}]
    assert lone_officer.post(f"{path}/away/end", {"from_on": "2026-12-01"}).json["away"] == []
    assert lone_officer.get("/api/v1/inspectors", expiring=30).json["items"] == []
    assert len(lone_officer.get("/api/v1/inspectors", expiring=900, item="Y01").json["items"]) == 1
    gone = lone_officer.post(f"{path}/state", {"state": "left", "version": 1})
    assert (gone.status_code, gone.json["state"], lone_officer.get(path).json["version"]) == (201, "left", 2)
    assert status(lone_officer.post(f"{path}/state", {"state": "active", "version": 1})) == (409, "version_conflict")
    personal = lone_officer.post("/api/v1/inspectors", person(position="电话13800138000"))
    assert (*status(personal), list(personal.json["problems"])) == (422, "invalid_request", ["position"])
    assert "13800138000" not in personal.text


def test_conflicts_of_interest_are_seen_with_their_own_scope_and_in_the_keys_divisions_only(lone_app, lone_officer):
    code, far = credit_code(), credit_code(division="990201")
    registered(code)
    registered(far)
    number = lone_officer.post("/api/v1/inspectors", person()).json["id"]
    path = f"/api/v1/inspectors/{number}/conflicts"
    for one in (code, far):
        assert lone_officer.post(path, {"code": one, "why": "近亲属任职"}).status_code == 201
    assert lone_officer.post(path, {"code": code, "why": "近亲属任职"}).status_code == 200
    near = calls(lone_app, "near", EVERYTHING, divisions=["9901"])
    assert [one["code"] for one in near.get(path).json["items"]] == [code]
    assert status(near.post(path, {"code": far, "why": "投资"})) == (404, "entity_not_found")
    ended = near.post(f"{path}/end", {"code": code})
    assert (ended.status_code, ended.json["items"][0]["until_on"]) == (201, "2026-11-21")
    without = calls(lone_app, "writer", [scope for scope in EVERYTHING if scope != "inspectors:read"])
    for reply in (
        without.get(path), without.post(path, {"code": code, "why": "x"}), without.post(f"{path}/end", {"code": code}),
        without.get("/api/v1/inspectors"), without.get("/api/v1/inspectors.csv"),
    ):  # fmt: skip
        assert status(reply) == (403, "missing_scope")


def test_files_are_taken_and_given_over_http(lone_officer):
    text = f"{PEOPLE},身份证号\nXH01,示例甲,县级,990101,全部,XH-01,2028-12-31,x\nXH02,示例乙,班长,990101,全部,XH-02,2028-12-31,x\n"
    reply = lone_officer.post("/api/v1/inspectors/file", data=text.encode("gb18030"), **CSV)
    assert reply.status_code == 200
    assert {name: reply.json[name] for name in ("stored", "unchanged", "rejected", "left_out")} == {
        "stored": 1, "unchanged": 0, "rejected": 1, "left_out": ["身份证号"],
    }  # fmt: skip
    (cause,) = reply.json["causes"]
    assert (cause["row"], cause["column"], cause["value"]) == (3, "层级", "班长")
    lone_officer.post("/api/v1/labels", {**LABEL, "code": "food"})
    lone_officer.post("/api/v1/items", {**ITEM, "labels": ["food"]})
    for name in ("items", "labels", "inspectors"):
        for form in ("csv", "xlsx"):
            given = lone_officer.get(f"/api/v1/{name}.{form}")
            assert given.headers["Content-Disposition"] == f'attachment; filename="{name}.{form}"'
            again = lone_officer.post(f"/api/v1/{name}/file", data=given.data, content_type="application/octet-stream")
            assert (again.json["stored"], again.json["unchanged"], again.json["rejected"]) == (0, 1, 0), (name, form)
    assert status(lone_officer.get("/api/v1/items.pdf")) == (404, "no_such_path")
    assert status(lone_officer.post("/api/v1/items/file", data=b"", **CSV)) == (422, "invalid_request")
    assert status(lone_officer.post("/api/v1/items/file", data=b"\x00\x01", **CSV)) == (422, "bad_file")
    assert (InspectionItem.select().count(), Inspector.select().count()) == (1, 1)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("post", "/items", "items:write"),
        ("post", "/items/Y01/retire", "items:write"),
        ("post", "/items/file", "items:write"),
        ("post", "/labels", "items:write"),
        ("post", "/labels/food/retire", "items:write"),
        ("post", "/labels/file", "items:write"),
        ("post", "/labels/members/file", "items:write"),
        ("put", "/entities/91990101MA0000016K/labels/food", "items:write"),
        ("delete", "/entities/91990101MA0000016K/labels/food", "items:write"),
        ("post", "/inspectors", "inspectors:write"),
        ("post", "/inspectors/1/state", "inspectors:write"),
        ("post", "/inspectors/1/away", "inspectors:write"),
        ("post", "/inspectors/1/away/end", "inspectors:write"),
        ("post", "/inspectors/file", "inspectors:write"),
    ],
)
def test_who_may_only_read_changes_nothing(lone_app, method, path, scope):
    reader = calls(lone_app, "reader", [one for one in EVERYTHING if one != scope])
    reply = getattr(reader.client, method)(f"/api/v1{path}", json={}, headers=reader.headers)
    assert (*status(reply), scope in reply.json["detail"]) == (403, "missing_scope", True)
