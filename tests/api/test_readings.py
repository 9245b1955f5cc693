"""One record by scope, relations, complaints in figures: what each key sees over the API, and what is put on record."""

from datetime import timedelta

import pytest

from registry.models import Audit
from registry.services import complaints
from tests.api.conftest import calls
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered

PERSON, PHONE = "11010119900307109X", "13800001234"


@pytest.fixture
def keys_of(lone_app):
    """A key with entities:read and the scopes that are named."""
    return lambda *scopes, **given: calls(lone_app, "+".join(("key", *scopes)), ["entities:read", *scopes], **given)


def relation(officer, code, **given):
    fields = {
        "type": "股东",
        "person_name": "张某某",
        "person_id": PERSON,
        "share": 60,
        "valid_from": "2020-01-02",
        **given,
    }
    reply = officer.post("/api/v1/records/relation", {"party": {"code": code}, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json["seq"]


def test_a_regulator_reads_a_record_and_who_may_know_the_person_is_on_record(lone_officer, keys_of):
    code = credit_code()
    registered(code)
    path = f"/api/v1/records/relation/{relation(lone_officer, code)}"
    plain = keys_of().get(path)
    assert (plain.status_code, plain.json["detail"]["person"], plain.json["code"]) == (200, "张**", code)
    assert "张某某" not in plain.text
    assert Audit.select().where(Audit.verb == "record.details_read").count() == 0
    named = keys_of("records:detail").get(path)
    assert named.json["detail"]["person_name"] == "张某某"
    assert PERSON not in named.text
    assert Audit.get(Audit.verb == "record.details_read").actor == "key:key+records:detail"


def test_a_handler_sees_a_pseudonym_of_who_complained_and_nobody_else_does(lone_officer, keys_of):
    code = credit_code()
    registered(code)
    fields = {"type": "complaint", "received_on": "2026-06-06", "claimant_phone": PHONE, "claimant_name": "张某某"}
    seq = lone_officer.post("/api/v1/records/item_12315", {"party": {"code": code}, **fields}).json["seq"]
    path = f"/api/v1/records/item_12315/{seq}"
    assert "claimant" not in keys_of().get(path).text
    assert "claimant" not in keys_of("records:detail").get(path).text
    seen = keys_of("complaints:handle").get(path)
    assert seen.json["detail"]["claimant"].startswith("投诉举报人 ")
    assert not [text for text in (PHONE, "张某某") if text in seen.text]


def test_what_is_replaced_withdrawn_elsewhere_or_of_another_kind_is_not_found(lone_officer, keys_of):
    code = credit_code()
    entity = registered(code)
    seq = record(entity, "penalty", document_no="信罚〔2026〕1号").seq
    assert keys_of("records:review", divisions=["11"]).get(f"/api/v1/records/penalty/{seq}").status_code == 404
    assert keys_of().get(f"/api/v1/records/licence/{seq}").status_code == 404
    record(entity, "penalty", document_no="信罚〔2026〕1号", fine_fen=1)
    assert lone_officer.get(f"/api/v1/records/penalty/{seq}").status_code == 404
    assert lone_officer.get(f"/api/v1/records/penalty/{seq + 1}").status_code == 200


def test_relations_stand_on_the_day_that_is_asked_for(lone_officer):
    code, other = credit_code(), credit_code()
    registered(code)
    relation(lone_officer, code, valid_to="2024-12-31")
    relation(lone_officer, code, type="branch", person_name="", person_id="", other_code=other, share=None)
    now = lone_officer.get(f"/api/v1/entities/{code}/relations").json
    assert [(one["type"], one["to"]["registered"]) for one in now["items"]] == [("branch", False)]
    then = lone_officer.get(f"/api/v1/entities/{code}/relations", on="2023-01-01").json["items"]
    assert [(one["type"], one["person"], one["share"]) for one in then] == [
        ("shareholder", "张**", "60.00"),
        ("branch", None, None),
    ]
    assert lone_officer.get(f"/api/v1/entities/{code}/relations", known="0").json["items"] == []


def test_complaints_are_counted_by_category_and_say_what_was_left_out(lone_officer):
    code = credit_code()
    entity = registered(code)
    for number in range(4):
        closed_on = None if number == 3 else TODAY
        upheld = True if closed_on else None
        record(
            entity,
            "item_12315",
            received_on=TODAY - timedelta(days=30),
            closed_on=closed_on,
            upheld=upheld,
            category="家电",
            settled=bool(closed_on),
        )
    said = lone_officer.get(f"/api/v1/entities/{code}/complaints").json
    assert (said["accepted"], said["settled"], said["left_out"]) == (3, 3, {"open": 1})
    assert said["by_category"] == [
        {"category": "家电", "accepted": 3, "settled": 3, "mediation_refused": 0, "upheld": 3}
    ]
    wrong = lone_officer.get(f"/api/v1/entities/{code}/complaints?from=2026-02-02&to=2026-01-01")
    assert (wrong.status_code, wrong.json["code"]) == (422, "bad_period")
    assert lone_officer.get(f"/api/v1/entities/{code}/complaints?to=0001-01-01").status_code == 422


def test_who_complains_in_series_is_listed_for_handlers_only(lone_officer, keys_of):
    entity = registered()
    for number in range(complaints.LIMIT.on(TODAY).value + 1):
        record(entity, "item_12315", received_on=TODAY - timedelta(days=number), claimant_phone=PHONE)
    for claimant in complaints.to_judge():
        complaints.cap(claimant, actor="test", today=TODAY, schemes=[], now=NOW)
    (one,) = lone_officer.get("/api/v1/complaints/claimants").json["items"]
    assert (one["items"], one["entities"], one["capped"]) == (21, 1, 20)
    assert keys_of().get("/api/v1/complaints/claimants").status_code == 403


def test_a_posted_relation_that_makes_no_sense_is_refused_and_quotes_nobody(lone_officer):
    reply = lone_officer.post(
        "/api/v1/records/relation", {"party": {"code": credit_code()}, "type": "股东", "other_code": PERSON}
    )
    assert reply.status_code == 422
    assert "person_id" in reply.text
    assert PERSON not in reply.text
