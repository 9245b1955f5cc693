"""An enterprise's own key: its own record with dates and conditions, and nothing else in the world."""

import re
from datetime import date

import pytest
from flask import g

from api.auth import visible_entity
from registry.errors import EntityNotFound, NotAllowed
from registry.services import entities, keys, ledger, merges
from tests.api.conftest import EVERYTHING, Caller, calls
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.deeds import objected, shown


@pytest.fixture
def code(settings):
    code = credit_code()
    registered(code)
    return code


@pytest.fixture
def own(app, code):
    return Caller(app, key_for(code))


def key_for(code, **given):
    given = {"organ": "", "scopes": ["self:read"], "divisions": [], "actor": "test", "now": NOW, **given}
    return keys.create(f"own{code[8:16]}", entity=code, **given)


def test_an_enterprise_sees_its_record_where_it_is_published_and_until_when(own, code):
    seq = record(entities.get(code).id, decided_on=date(2026, 11, 2), remark="内部备注", violation="虚假宣传").seq
    shown(seq)
    found = own.get("/api/v1/own").json
    assert found["entity"]["code"] == code
    (penalty,) = [one for one in found["items"] if one["what"] == "record" and one["kind"] == "penalty"]
    site = next(one for one in penalty["publication"] if one["channel"] == "site")
    assert (site["state"], site["published_on"], site["latest"]) == ("published", "2026-11-21", "2027-02-21")
    assert penalty["detail"]["violation"] == "虚假宣传"
    assert "内部备注" not in str(found)
    assert not {"source", "by", "was"} & set(penalty)


def test_it_sees_its_objections_and_repairs_with_their_legal_days(own, code):
    entity = entities.get(code).id
    seq = record(entity, decided_on=date(2026, 11, 2)).seq
    shown(seq)
    objected(seq, entity=entity)
    (one,) = own.get("/api/v1/own").json["objections"]
    assert (one["state"], one["record"]["seq"], one["received_on"], one["reason"]) == (
        "received", seq, "2026-11-21", "处罚对象有误",
    )  # fmt: skip
    assert one["accept_by"] > "2026-11-21"


def test_nothing_of_a_grade_is_in_it(own, code, app, officer):
    from tests.api.conftest import grade_all

    grade_all(app)
    for path in ("/api/v1/own", "/api/v1/own/report.html"):
        text = own.get(path).text
        assert not re.search(r'"(class|score|grade|rank|digest|points)"', text), path
        assert "风险分类" not in text


def test_its_key_opens_nothing_else(app, own, code):
    other = credit_code()
    registered(other)
    for path in ("/api/v1/entities", f"/api/v1/entities/{code}", f"/api/v1/entities/{other}/dossier", "/api/v1/tasks",
                 "/api/v1/reconciliation", f"/api/v1/entities/{code}/grade"):  # fmt: skip
        assert own.get(path).json["code"] == "missing_scope", path
    assert own.post("/api/v1/records/penalty", {"party": {"code": code}}).status_code == 403
    assert keys.caller(own.headers["Authorization"].split()[1]).sees("990101") is False


def test_a_key_of_an_organ_is_sent_to_the_dossier(app, officer):
    for path in ("/api/v1/own", "/api/v1/own/report.html"):
        assert officer.get(path).json["code"] == "not_an_enterprises_key"


def test_an_enterprises_key_has_one_scope_and_one_enterprise(settings, code):
    for wrong in ({"scopes": EVERYTHING}, {"scopes": ["self:read", "grades:read"]}, {"divisions": ["9901"]}):
        with pytest.raises(NotAllowed, match="self:read"):
            key_for(code, **wrong)
    with pytest.raises(EntityNotFound):
        key_for(credit_code())


def test_its_report_carries_its_own_name_as_watermark(own, code):
    text = own.get("/api/v1/own/report.html").text
    assert f"{entities.get(code).name} 自查" in re.search(r"<pattern.*?</pattern>", text)[0]


def test_a_key_of_who_was_merged_shows_the_one_it_is_now(app, own, code):
    registered(winner := credit_code())
    before = ledger.head()
    merges.merge(code, winner, reason="同一主体", actor="test", today=TODAY, now=NOW, schemes=[], scheme=None)
    assert own.get("/api/v1/own").json["entity"]["code"] == winner
    assert own.get("/api/v1/own").json["merged"] == [code]
    assert own.get("/api/v1/own", known_at=str(before)).json["entity"]["code"] == code


def test_an_enterprise_stays_itself_under_every_code_of_what_it_was_merged_with(app, code):
    registered(winner := credit_code())
    registered(other := credit_code())
    before = ledger.head()
    merges.merge(code, winner, reason="同一主体", actor="test", today=TODAY, now=NOW, schemes=[], scheme=None)
    for mine in (code, winner):
        with app.test_request_context("/"):
            g.caller = keys.caller(key_for(mine))
            assert [visible_entity(one).code for one in (code, winner)] == [winner, winner]
            assert [visible_entity(one, known=before).code for one in (code, winner)] == [code, winner]
            with pytest.raises(EntityNotFound):
                visible_entity(other)


def test_a_record_is_public_under_the_code_of_who_was_merged_too(app, code):
    registered(winner := credit_code())
    shown(record(entities.get(code).id, decided_on=date(2026, 11, 2)).seq)
    merges.merge(code, winner, reason="同一主体", actor="test", today=TODAY, now=NOW, schemes=[], scheme=None)
    anyone = Caller(app, None)
    for one in (code, winner):
        found = anyone.get(f"/api/v1/public/entities/{one}").json
        assert (found["code"], found["counts"]) == (winner, [{"kind": "penalty", "records": 1}])
        assert len(anyone.get(f"/api/v1/public/entities/{one}/records").json["items"]) == 1


def test_a_revoked_key_stops_at_once(app, code):
    own = Caller(app, key_for(code))
    keys.revoke(f"own{code[8:16]}", actor="test", now=NOW)
    assert own.get("/api/v1/own").status_code == 401
    assert calls(app, "none", ["entities:read"]).get("/api/v1/own").json["code"] == "missing_scope"
