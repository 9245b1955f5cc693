"""The life of a record over HTTP: two keys, the enterprise's own key, and what a recipient of records hears."""

import pytest

from registry.services import keys, notices
from tests.api.conftest import ORGAN, Caller, calls, penalty
from tests.conftest import NOW
from tests.factories import record, registered

RECORDS = "/api/v1/records/penalty"
HEAVY = {"kinds": ["fine"], "fine_fen": 200_000_00}


@pytest.fixture
def poster(app):
    return calls(app, "poster", ["records:write", "records:review", "entities:read"])


@pytest.fixture
def reviewer(app):
    return calls(app, "reviewer", ["records:review", "repairs:decide", "entities:read", "records:write"])


@pytest.fixture
def shown(app, company, poster, reviewer):
    """(code, seq) of a penalty that was posted, reviewed and published."""
    code = company()
    seq = poster.post(RECORDS, penalty(code, **HEAVY)).json["seq"]
    assert reviewer.post(f"{RECORDS}/{seq}/review", {"outcome": "passed"}).status_code == 200
    assert reviewer.post(f"{RECORDS}/{seq}/publication").status_code == 200
    return code, seq


@pytest.fixture
def firm(app, shown):
    secret = keys.create("firm", organ="", scopes=["self:read"], divisions=[], entity=shown[0], actor="test", now=NOW)
    return Caller(app, secret)


def test_who_posts_does_not_review_and_what_is_published_says_until_when(app, company, poster, reviewer):
    code = company()
    seq = poster.post(RECORDS, penalty(code, **HEAVY)).json["seq"]
    refused = poster.post(f"{RECORDS}/{seq}/review", {"outcome": "passed"})
    assert (refused.status_code, refused.json["code"]) == (403, "same_hands")
    early = reviewer.post(f"{RECORDS}/{seq}/publication")
    assert (early.status_code, early.json["code"]) == (409, "not_reviewed")
    passed = reviewer.post(f"{RECORDS}/{seq}/review", {"outcome": "passed"})
    assert (passed.status_code, passed.json["reviewed_by"]) == (200, "key:reviewer")
    said = reviewer.post(f"{RECORDS}/{seq}/publication", {"channels": ["necips", "credit_china"]}).json["channels"]
    assert [(one["channel"], one["said"], one["row"]["regime"], one["row"]["latest"]) for one in said] == [
        ("necips", "published", "samr-107", "2027-11-21"), ("credit_china", "published", "ndrc-2026", "2027-11-02"),
    ]  # fmt: skip
    life = reviewer.get(f"{RECORDS}/{seq}/life").json
    assert (life["state"], life["counts"], [one["step"] for one in life["steps"]]) == (
        "published",
        True,
        ["reviewed", "published"],
    )
    stopped = reviewer.post(f"{RECORDS}/{seq}/stop", {"channels": ["necips"], "reason": "有误"}).json["channels"]
    assert [(one["said"], one["row"]["state"], one["row"]["stopped_because"]) for one in stopped] == [
        ("stopped", "stopped", "officer")
    ]


def test_an_organ_acts_on_its_own_records_only(app, shown):
    other = calls(app, "other", ["records:review", "repairs:decide", "entities:read"], organ="其他局")
    for path, body in (
        ("review", {"outcome": "passed"}), ("publication", {}), ("stop", {"reason": "x"}),
    ):  # fmt: skip
        assert other.post(f"{RECORDS}/{shown[1]}/{path}", body).json["code"] == "record_not_found", path
    elsewhere = calls(app, "elsewhere", ["records:review", "entities:read"], divisions=["9902"])
    assert elsewhere.get(f"{RECORDS}/{shown[1]}/life").json["code"] == "record_not_found"
    assert elsewhere.post(f"{RECORDS}/{shown[1]}/stop", {"reason": "x"}).json["code"] == "record_not_found"


def test_an_enterprise_objects_and_is_answered_by_somebody_else(app, shown, firm, reviewer):
    made = firm.post(f"{RECORDS}/{shown[1]}/objection", {"reason": "当事人不是本企业"})
    assert (made.status_code, made.json["state"], made.json["accept_by"]) == (201, "received", "2026-11-27")
    number = made.json["id"]
    assert firm.post(f"/api/v1/objections/{number}/acceptance", {"accepted": True}).json["code"] == "missing_scope"
    (waiting,) = reviewer.get("/api/v1/objections").json["items"]
    assert (waiting["id"], waiting["due_on"], waiting["overdue"], waiting["code"]) == (
        number,
        "2026-11-27",
        False,
        shown[0],
    )
    accepted = reviewer.post(f"/api/v1/objections/{number}/acceptance", {"accepted": True}).json
    assert accepted["verify_by"] == "2026-12-18"
    answer = reviewer.post(
        f"/api/v1/objections/{number}/verification", {"upheld": True, "withdraw": True, "reason": "属实"}
    )
    assert (answer.status_code, answer.json["state"]) == (200, "upheld")
    life = reviewer.get(f"{RECORDS}/{shown[1]}/life").json
    assert (life["state"], life["counts"]) == ("withdrawn", False)
    assert reviewer.get("/api/v1/objections").json["items"] == []


def test_an_enterprise_applies_for_repair_and_nothing_is_used_after_it(app, shown, firm, reviewer):
    seq = shown[1]
    made = firm.post(f"{RECORDS}/{seq}/repair", {"statement": "已缴清罚款并改正，承诺守法经营"}).json
    assert {name: one["met"] for name, one in made["conditions"].items() if one["checked"] == "registry"} == {
        "no_repeat": True, "not_listed": True, "minimum_over": False,
    }  # fmt: skip
    number = made["id"]
    accepted = reviewer.post(f"/api/v1/repairs/{number}/acceptance", {"accepted": True}).json
    assert (accepted["state"], accepted["decide_by"]) == ("accepted", "2026-12-01")
    met = {"duties_performed": True, "harm_removed": True, "commitment": True}
    early = reviewer.post(f"/api/v1/repairs/{number}/decision", {"approved": True, "conditions": met})
    assert (early.status_code, early.json["code"]) == (422, "conditions_not_met")
    assert "minimum_over (shortest period of publication over 最短公示期届满)" in early.json["detail"]
    (waiting,) = reviewer.get("/api/v1/repairs").json["items"]
    assert (waiting["id"], waiting["due_on"]) == (number, "2026-12-01")
    refused = reviewer.post(
        f"/api/v1/repairs/{number}/decision", {"approved": False, "conditions": met, "reason": "最短公示期未满"}
    )
    assert (refused.json["state"], refused.json["answer"]) == ("refused", "最短公示期未满")


def test_another_enterprise_and_another_division_s_window_find_no_such_record(app, shown, company):
    other = Caller(app, keys.create("rival", organ="", scopes=["self:read"], divisions=[], entity=company(), actor="test", now=NOW))  # fmt: skip
    for path, body in (("objection", {"reason": "x"}), ("repair", {"statement": "x"})):
        assert other.post(f"{RECORDS}/{shown[1]}/{path}", body).json["code"] == "record_not_found", path
        window = calls(app, f"window-{path}", ["self:read"], divisions=["9902"])
        assert window.post(f"{RECORDS}/{shown[1]}/{path}", body).json["code"] == "record_not_found", path
        here = calls(app, f"here-{path}", ["self:read"], divisions=["9901"])
        assert here.post(f"{RECORDS}/{shown[1]}/{path}", body).status_code == 201, path


def test_a_repeated_request_with_its_key_acts_once(app, shown, firm):
    headers = {"Idempotency-Key": "one"}
    first = firm.post(f"{RECORDS}/{shown[1]}/objection", {"reason": "有误"}, headers)
    again = firm.post(f"{RECORDS}/{shown[1]}/objection", {"reason": "有误"}, headers)
    assert (again.json, again.headers["Idempotent-Replay"]) == (first.json, "true")


def test_what_is_missing_or_misspelt_is_named(app, shown, reviewer, firm):
    for path, body, field in (
        ("review", {"outcome": "fine"}, "outcome"), ("publication", {"channels": ["wechat"]}, "channels.0"), ("stop", {}, "reason"),
    ):  # fmt: skip
        assert field in reviewer.post(f"{RECORDS}/{shown[1]}/{path}", body).json["problems"], path
    number = firm.post(f"{RECORDS}/{shown[1]}/repair", {"statement": "x"}).json["id"]
    bad = reviewer.post(f"/api/v1/repairs/{number}/decision", {"approved": True, "conditions": {"harm_removed": "yes"}})
    assert "conditions" in bad.json["problems"]
    assert reviewer.post("/api/v1/repairs/999/decision", {"approved": True}).json["code"] == "repair_not_found"
    assert reviewer.post("/api/v1/objections/999/acceptance", {"accepted": True}).json["code"] == "objection_not_found"
    assert reviewer.get("/api/v1/repairs", after="x").json["code"] == "bad_cursor"


def test_a_recipient_fetches_and_acknowledges_what_was_withdrawn(app, shown, poster):
    feed = calls(app, "credit-china", ["exchange:read"])
    assert feed.get("/api/v1/notices").json["code"] == "not_a_recipient"
    notices.add_recipient("信用中国", key="credit-china", kinds=["penalty"], actor="test", now=NOW)
    code, seq = shown
    assert feed.get("/api/v1/notices").json == {"items": [], "next": None}
    poster.post(f"{RECORDS}/{seq}/withdrawal", {"reason": "行政复议撤销"})
    (one,) = feed.get("/api/v1/notices").json["items"]
    assert (one["what"], one["kind"], one["code"], one["organ"], one["due_on"]) == (
        "withdrawn",
        "penalty",
        code,
        ORGAN,
        "2026-11-25",
    )
    assert (one["fetched_at"], one["acknowledged_at"]) == (None, None)
    said = feed.post(f"/api/v1/notices/{one['id']}/acknowledgement")
    assert (said.status_code, said.json["acknowledged_at"] is not None) == (200, True)
    assert feed.get("/api/v1/notices", overdue="true").json["items"] == []
    assert feed.post("/api/v1/notices/999/acknowledgement").json["code"] == "notice_not_found"


def test_a_withdrawn_record_s_life_is_told_to_its_own_organ_only(app, shown, poster):
    poster.post(f"{RECORDS}/{shown[1]}/withdrawal", {"reason": "行政复议撤销"})
    assert poster.get(f"{RECORDS}/{shown[1]}/life").json["state"] == "withdrawn"
    other = calls(app, "other", ["entities:read"], organ="其他局")
    assert other.get(f"{RECORDS}/{shown[1]}/life").status_code == 404


def test_an_unknown_kind_and_an_unknown_record_are_told_apart(app, poster):
    assert poster.get("/api/v1/records/fines/1/life").json["code"] == "unknown_kind"
    assert poster.get(f"{RECORDS}/99999/life").json["code"] == "record_not_found"


def test_a_number_tells_nobody_that_a_record_exists_or_of_which_kind_it_is(app, firm, shown):
    other = registered()
    item, fine = record(other, "item_12315").seq, record(other).seq
    far = calls(app, "far", ["records:review", "entities:read"], ["110101"], organ="远市市场监督管理局")

    def said(ask, kind):
        """What is answered of a kind, for records that exist and one that does not, but for the number itself."""
        return {
            (reply.status_code, reply.json["detail"].replace(str(seq), "N"))
            for seq in (item, fine, 999_999)
            for reply in [ask(f"/api/v1/records/{kind}/{seq}")]
        }

    for kind in ("penalty", "item_12315", "abnormal_listing"):
        for verb, body in (("objection", {"reason": "不是本企业"}), ("repair", {"statement": "已改正"})):
            (answer,) = said(lambda path, verb=verb, body=body: firm.post(f"{path}/{verb}", body), kind)
            assert answer[0] == 404
        (answer,) = said(lambda path: far.get(f"{path}/life"), kind)
        assert answer[0] == 404
