"""Lists and documents over HTTP: two keys for two persons, every verb safe to repeat, nothing for who has no business there."""

import pytest

from registry.models import Document, ListingCase
from registry.services import ledger
from tests.api.conftest import ORGAN, calls
from tests.factories import credit_code, record, registered
from tests.registry.papers import code_of

FACTS = "未按期公示2025年度年度报告。"
SUPERIOR = {"organ": "信衡省市场监督管理局", "approval_no": "信省市监信〔2026〕1号", "approved_on": "2026-11-21"}


@pytest.fixture
def clerk(app):
    """Proposes."""
    return calls(app, "clerk", ["entities:read", "listings:propose"])


@pytest.fixture
def auditor(app):
    """Audits."""
    return calls(app, "auditor", ["entities:read", "listings:audit"])


@pytest.fixture
def code(settings):
    return code_of(registered(address="信衡市信东区示例路9号"))


def step(caller, number, verb, body=None, status=201):
    reply = caller.post(f"/api/v1/listings/{number}/{verb}", *([body] if body is not None else []))
    assert reply.status_code == status, reply.text
    return reply.json


def opened(clerk, code, **given):
    reply = clerk.post("/api/v1/listings/abnormal", {"code": code, "ground": 1, "year": 2025, "facts": FACTS, **given})
    assert reply.status_code in (200, 201), reply.text
    return reply.json


def listed(clerk, auditor, code, **given):
    number = opened(clerk, code, **given)["id"]
    step(clerk, number, "proposal", {"opinion": "建议列入。"})
    return step(auditor, number, "audit", {"agree": True, "opinion": "同意。"})


def test_a_listing_from_the_first_opinion_to_the_printed_document(clerk, auditor, code):
    made = opened(clerk, code)
    assert (made["state"], made["decide_by"], made["effective_on"]) == ("draft", "2026-07-14", None)
    assert (
        clerk.post("/api/v1/listings/abnormal", {"code": code, "ground": 1, "year": 2025, "facts": FACTS}).status_code
        == 200
    )
    step(clerk, made["id"], "proposal", {"opinion": "建议列入。"})
    step(clerk, made["id"], "proposal", {"opinion": "建议列入。"}, status=200)
    done = step(auditor, made["id"], "audit", {"agree": True, "opinion": "同意。"})
    assert step(auditor, made["id"], "audit", {"agree": True, "opinion": "同意。"}, status=200) == done
    assert (done["state"], done["effective_on"]) == ("effective", "2026-11-21")
    number = done["steps"][-1]["document"]
    document = clerk.get(f"/api/v1/documents/{number}").json
    assert (document["number"], document["unchanged"], document["remedies"]) == ("信市监异入〔2026〕1号", True, None)
    page = clerk.get(f"/api/v1/documents/{number}.html")
    assert page.mimetype == "text/html"
    assert "style-src 'sha256-" in page.headers["Content-Security-Policy"]
    assert "列入经营异常名录决定书" in page.text
    assert clerk.get(f"/api/v1/documents/{number}.txt").text == document["text"] + "\n"
    shown = clerk.get(f"/api/v1/entities/{code}/records", kind="abnormal_listing").json["items"]
    assert [(row["seq"], row["document_no"]) for row in shown] == [(done["seq"], "信市监异入〔2026〕1号")]


def test_a_key_with_both_scopes_still_needs_a_second_person(app, code):
    both = calls(app, "both", ["entities:read", "listings:propose", "listings:audit"])
    number = opened(both, code)["id"]
    step(both, number, "proposal", {"opinion": "建议列入。"})
    reply = both.post(f"/api/v1/listings/{number}/audit", {"agree": True, "opinion": "同意。"})
    assert (reply.status_code, reply.json["code"]) == (409, "listing_conflict")
    assert "Two persons" in reply.json["detail"]


def test_removal_and_correction_go_the_same_way(clerk, auditor, code):
    seq = listed(clerk, auditor, code)["seq"]
    without = clerk.post("/api/v1/listings/removals", {"list": "abnormal", "seq": seq, "facts": "x"})
    assert (without.status_code, "cause" in without.json["problems"]) == (422, True)
    removal = clerk.post(
        "/api/v1/listings/removals",
        {"list": "abnormal", "seq": seq, "cause": 1, "proof": "年报回执", "facts": "已补报。"},
    ).json
    assert removal["decide_by"] == "2026-11-27"
    step(clerk, removal["id"], "proposal", {"opinion": "建议移出。"})
    assert step(auditor, removal["id"], "audit", {"agree": True, "opinion": "同意。"})["state"] == "effective"
    wrong = clerk.post("/api/v1/listings/corrections", {"list": "abnormal", "seq": seq, "facts": "误列。"}).json
    step(clerk, wrong["id"], "proposal", {"opinion": "建议更正。"})
    step(auditor, wrong["id"], "audit", {"agree": True, "opinion": "同意。"})
    assert clerk.get(f"/api/v1/entities/{code}/records", kind="abnormal_listing").json["items"] == []
    titles = [row["type"] for row in clerk.get("/api/v1/documents").json["items"]]
    assert titles == ["abnormal_correct", "abnormal_remove", "abnormal_enter"]


def test_a_serious_listing_with_every_step_on_record(clerk, auditor, code):
    penalty = record(_entity(code), source="organ", kinds=["revoked_licence"], content="吊销许可证").seq
    case = clerk.post("/api/v1/listings/serious", {"penalty": penalty, "article": 7, "facts": "情节严重。"}).json
    number = case["id"]
    notice = step(clerk, number, "notice")["steps"][-1]["document"]
    _deliver(clerk, notice)
    step(clerk, number, "statement", {"statement": "请求从轻。", "answer": "不予采纳。"})
    step(clerk, number, "proposal", {"opinion": "建议列入。"})
    step(clerk, number, "approval", SUPERIOR)
    decision = step(auditor, number, "audit", {"agree": True, "opinion": "同意。"})["steps"][-1]["document"]
    assert step(auditor, number, "effect", status=409)["code"] == "listing_conflict"
    _deliver(clerk, decision)
    done = step(auditor, number, "effect")
    assert (done["state"], done["list"]) == ("effective", "serious")
    assert step(auditor, number, "effect", status=200) == done
    remedies = clerk.get(f"/api/v1/documents/{decision}").json["remedies"]
    assert remedies == {"delivered_on": "2026-11-21", "reconsider_by": "2027-01-20", "sue_by": "2027-05-21"}
    early = {"list": "serious", "seq": done["seq"], "facts": "x", "conditions": {"application": "申请"}}
    reply = clerk.post("/api/v1/listings/removals", early)
    assert (reply.status_code, reply.json["code"]) == (422, "listing_refused")
    assert "2027-11-21" in reply.json["detail"]
    assert clerk.post("/api/v1/listings/removals", {**early, "conditions": {"luck": "x"}}).status_code == 422


def test_a_plan_becomes_a_batch_under_one_number(clerk, auditor, code, settings):
    other = code_of(registered(address="x"))
    with ledger.writing(now=0, schemes=[]) as pen:
        from datetime import date

        pen.cover("annual_report", "", date(2020, 1, 1), None, source="test")
    plan = clerk.get("/api/v1/listings/candidates", year="2025").json
    assert ([row["code"] for row in plan["items"]], plan["uncovered"], ListingCase.select().count()) == (
        [code, other],
        0,
        0,
    )
    rows = [{"code": row["code"], "reason": row["reason"]} for row in plan["items"]] + [
        {"code": "nonsense", "reason": "x"}
    ]
    body = {"name": "2025年报", "ground": 1, "year": 2025, "opinion": "建议列入。", "rows": rows}
    said = clerk.post("/api/v1/listings/batches", body).json
    assert (said["done"], [row["row"] for row in said["refused"]]) == (2, ["nonsense"])
    assert clerk.post("/api/v1/listings/batches", body).json["unchanged"] == 2
    audit = {"name": "2025年报", "agree": True, "opinion": "同意。"}
    assert auditor.post("/api/v1/listings/batches/audit", audit).json["done"] == 2
    assert auditor.post("/api/v1/listings/batches/audit", {**audit, "name": "none"}).status_code == 404
    assert [row.printed_no for row in Document.select().order_by(Document.part)] == [
        "信市监异入〔2026〕1-1号", "信市监异入〔2026〕1-2号",
    ]  # fmt: skip
    assert clerk.get("/api/v1/listings/batches", name="2025年报").json["standing"] == 2
    assert len(clerk.get("/api/v1/listings", batch="2025年报", state="effective").json["items"]) == 2


def test_subjects_and_rows_are_counted_apart(clerk, auditor, code):
    listed(clerk, auditor, code)
    listed(clerk, auditor, code, year=2024)
    listed(clerk, auditor, code_of(registered(subject="individual", address="x")))
    items = clerk.get("/api/v1/statistics/listings").json["items"]
    totals = {(row["treatment"], row["ground"]): (row["entities"], row["rows"]) for row in items}
    assert totals[None, None] == (2, 3)
    assert totals["listed", None] == (1, 2)
    assert totals["marked", 1] == (1, 1)


def test_an_order_is_issued_under_its_number_and_repeated_by_its_key_only_once(clerk, code):
    body = {
        "type": "order_publish",
        "code": code,
        "variables": {"facts": "未公示股权变更。", "basis": "示例依据", "days": "10"},
    }
    assert clerk.post("/api/v1/documents", body).json["code"] == "idempotency_key_missing"
    first = clerk.post("/api/v1/documents", body, {"Idempotency-Key": "k1"})
    again = clerk.post("/api/v1/documents", body, {"Idempotency-Key": "k1"})
    assert (first.status_code, again.json) == (201, first.json)
    missing = clerk.post("/api/v1/documents", {**body, "variables": {"facts": "x"}}, {"Idempotency-Key": "k2"})
    assert (missing.status_code, missing.json["code"]) == (422, "bad_document")
    assert "basis, days is missing" in missing.json["detail"]
    decision = clerk.post("/api/v1/documents", {**body, "type": "abnormal_enter"}, {"Idempotency-Key": "k3"})
    assert "decisions come from their cases" in decision.json["detail"]
    assert Document.select().count() == 1


def test_a_delivery_either_arrived_or_failed(clerk, code):
    body = {"type": "contact_letter", "code": code, "variables": {"facts": "请联系。"}}
    number = clerk.post("/api/v1/documents", body, {"Idempotency-Key": "k"}).json["id"]
    sent = {"method": "special_letter", "sent_on": "2026-11-21"}
    made = clerk.post(f"/api/v1/documents/{number}/deliveries", sent)
    again = clerk.post(f"/api/v1/documents/{number}/deliveries", sent)
    assert (made.status_code, again.status_code, again.json) == (201, 200, made.json)
    assert made.json["delivered_on"] is None
    path = f"/api/v1/deliveries/{made.json['id']}/result"
    for wrong in ({}, {"delivered_on": "2026-11-21", "proof": "x", "failed_because": "y"}):
        assert clerk.post(path, wrong).status_code == 422
    assert clerk.post(path, {"failed_because": "无人签收"}).status_code == 201
    assert clerk.post(path, {"failed_because": "无人签收"}).status_code == 200
    assert clerk.post("/api/v1/deliveries/999/result", {"failed_because": "x"}).status_code == 404


def test_nothing_of_another_organ_or_division_is_there(app, clerk, auditor, code):
    done = listed(clerk, auditor, code)
    number, document, seq = done["id"], done["steps"][-1]["document"], done["seq"]
    scopes = ["entities:read", "listings:propose", "listings:audit"]
    for stranger in (
        calls(app, "far", scopes, ["1101"]),
        calls(app, "other", scopes, organ="信衡市澜砚区市场监督管理局"),
    ):
        for path in (
            f"/api/v1/listings/{number}",
            f"/api/v1/documents/{document}",
            f"/api/v1/documents/{document}.html",
        ):
            assert stranger.get(path).status_code == 404, path
        assert stranger.get("/api/v1/listings").json["items"] == []
        assert stranger.get("/api/v1/documents").json["items"] == []
        assert stranger.post(f"/api/v1/listings/{number}/audit", {"agree": True, "opinion": "x"}).status_code == 404
        removal = {"list": "abnormal", "seq": seq, "cause": 1, "proof": "x", "facts": "x"}
        assert stranger.post("/api/v1/listings/removals", removal).status_code in (404, 409)
    far = calls(app, "far2", scopes, ["1101"])
    assert far.get("/api/v1/statistics/listings").json["items"] == []
    assert far.post("/api/v1/listings/abnormal", {"code": code, "ground": 3, "facts": "x"}).status_code == 404


def test_who_has_no_business_with_lists_reads_no_case_and_no_document(app, clerk, auditor, code):
    done = listed(clerk, auditor, code)
    reader = calls(app, "reader", ["entities:read"])
    for path in (
        "/api/v1/listings",
        f"/api/v1/listings/{done['id']}",
        "/api/v1/documents",
        f"/api/v1/documents/{done['steps'][-1]['document']}.html",
    ):
        assert reader.get(path).json["code"] == "missing_scope", path
    assert reader.get("/api/v1/statistics/listings").status_code == 200
    assert reader.get("/api/v1/listings/reminders").json == {"items": [], "next": None}
    assert (
        clerk.post("/api/v1/listings/abnormal", {"code": credit_code(number=3), "ground": 3, "facts": "x"}).status_code
        == 404
    )


def test_an_organ_that_issues_no_documents_is_told_where_to_be_put(app, code):
    strange = calls(app, "strange", ["entities:read", "listings:propose"], organ="信衡市税务局")
    reply = strange.post("/api/v1/listings/abnormal", {"code": code, "ground": 3, "facts": "x"})
    assert (reply.status_code, reply.json["code"]) == (422, "unknown_organ")
    assert "[listings] organs" in reply.json["detail"]
    assert ORGAN not in reply.json["detail"]


def test_a_page_of_cases_costs_the_same_however_many_there_are(clerk, settings, count_queries):
    def queries():
        with count_queries() as sent:
            assert clerk.get("/api/v1/listings", limit="50").status_code == 200
        return len(sent)

    opened(clerk, code_of(registered(address="x")))
    few = queries()
    for _ in range(5):
        opened(clerk, code_of(registered(address="x")))
    assert queries() == few


def _entity(code):
    from registry.models import Entity

    return Entity.get(Entity.code == code).id


def _deliver(clerk, document):
    made = clerk.post(f"/api/v1/documents/{document}/deliveries", {"method": "direct", "sent_on": "2026-11-21"}).json
    done = clerk.post(f"/api/v1/deliveries/{made['id']}/result", {"delivered_on": "2026-11-21", "proof": "送达回证"})
    assert done.status_code == 201, done.text
