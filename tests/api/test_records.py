"""Records posted over HTTP: stored once, graded at once, corrected and withdrawn by their own organ."""

import pytest

from api.schemas.record import POSTABLE
from registry.errors import DatabaseBusy
from registry.models import Audit, Entity, Record
from registry.services import grading, records
from tests.api.conftest import EVERYTHING, WITHOUT_GRADES, calls, grade_all, penalty
from tests.factories import credit_code, record
from tests.registry.kinds.saying import LEAST

PATH = "/api/v1/records/penalty"


def test_a_posted_penalty_changes_the_grade_at_once(app, officer, company):
    code = company()
    grade_all(app)
    before = officer.get(f"/api/v1/entities/{code}/grade").json
    reply = officer.post(PATH, penalty(code))
    assert reply.status_code == 201
    after = officer.get(f"/api/v1/entities/{code}/grade").json
    assert after["score"] > before["score"]
    assert reply.json["grade"] == {
        "class": after["class"],
        "score": after["score"],
        "on": after["on"],
        "changed_from": {"class": before["class"], "score": before["score"]},
    }
    assert (reply.json["said"], reply.json["undated"], reply.json["provisional"]) == ("stored", False, False)


def test_the_same_record_again_is_unchanged_and_so_is_the_grade(officer, company):
    code = company()
    first = officer.post(PATH, penalty(code))
    again = officer.post(PATH, penalty(code))
    assert (again.status_code, again.json["said"], again.json["seq"]) == (200, "unchanged", first.json["seq"])
    assert again.json["grade"]["changed_from"] is None


def test_a_key_without_the_right_is_told_nothing_of_the_grade(clerk, company):
    reply = clerk.post(PATH, penalty(company()))
    assert reply.status_code == 201
    assert sorted(reply.json) == ["code", "provisional", "said", "seq", "undated"]


def test_a_code_that_is_not_registered_makes_a_provisional_entity_without_a_grade(officer):
    reply = officer.post(PATH, penalty(credit_code()))
    assert (reply.status_code, reply.json["provisional"], reply.json["grade"]) == (201, True, None)


def test_a_record_without_a_date_is_kept_and_says_so(officer, company):
    assert officer.post(PATH, penalty(company(), decided_on=None)).json["undated"] is True


def test_should_grading_fail_the_record_is_stored_all_the_same(officer, company, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(grading, "one", broken)
    reply = officer.post(PATH, penalty(company()))
    assert (reply.status_code, reply.json["said"], reply.json["grade"]) == (201, "stored", None)


def test_a_key_posts_for_its_own_organ_only(officer, company):
    reply = officer.post(PATH, penalty(company(), organ="别处市场监督管理局"))
    assert (reply.status_code, list(reply.json["problems"])) == (422, ["organ"])


@pytest.mark.parametrize("kind", ["registration", "nothing"])
def test_a_kind_that_cannot_be_posted_is_refused_by_name(officer, company, kind):
    reply = officer.post(f"/api/v1/records/{kind}", penalty(company()))
    assert reply.status_code in (404, 422)
    assert kind in reply.text.lower()


def test_every_kind_that_can_be_posted_is_stored(app, company):
    code = company()
    given = {
        "abnormal_listing": {"ground": 1, "listed_on": "2026-07-09"},
        "serious_listing": {"article": 7, "listed_on": "2026-01-15"},
        "spot_check": {"checked_on": "2026-05-05", "results": [{"code": "1"}]},
        "item_12315": {"type": "complaint", "received_on": "2026-06-06", "accepted": True},
        "annual_report": {"year": 2018, "filed_on": "2019-04-01"},
        **LEAST,
    }
    assert {*given, "penalty"} == set(POSTABLE)
    # An organ that decides on its lists in a system of its own reports them; ours opens cases.
    other = calls(app, "other", EVERYTHING, organ="信衡市烟草专卖局")
    for kind, fields in given.items():
        assert other.post(f"/api/v1/records/{kind}", {"party": {"code": code}, **fields}).status_code == 201, kind


def test_an_organ_that_decides_on_lists_here_has_no_way_round_its_cases(officer, company):
    code = company()
    seq = record(Entity.get(Entity.code == code).id, "abnormal_listing", source="organ").seq
    said = {"party": {"code": code}, "ground": 1, "listed_on": "2026-07-09", "removed_on": "2026-11-01"}
    path = "/api/v1/records/abnormal_listing"
    ways = [
        officer.post(path, said),
        officer.post(f"{path}/batch", {"records": [said]}),
        officer.post(f"{path}/{seq}/correction", {"record": said, "reason": "已移出"}),
        officer.post(f"{path}/{seq}/withdrawal", {"reason": "列入有误"}),
    ]
    assert [(one.status_code, one.json["code"]) for one in ways] == [(409, "listing_conflict")] * 4
    assert all("POST /api/v1/listings/corrections" in one.json["detail"] for one in ways)
    assert Record.select().where(Record.kind == "abnormal_listing").count() == 1


def test_of_a_batch_the_good_rows_are_stored_and_the_bad_ones_named(officer, company):
    code = company()
    rows = [penalty(code, document_no=f"信〔2026〕{number}号") for number in range(60)]
    rows[7] = {**rows[7], "fine_fen": -1}
    rows[9] = "not an object"
    rows[11] = penalty("110101198")
    rows[13] = {**rows[12]}
    reply = officer.post(f"{PATH}/batch", {"records": rows})
    assert reply.status_code == 200
    counts = {name: reply.json[name] for name in ("stored", "corrected", "unchanged", "refused", "deferred")}
    assert counts == {"stored": 56, "corrected": 0, "unchanged": 1, "refused": 3, "deferred": 0}
    assert [row["index"] for row in reply.json["rows"]] == list(range(60))
    refused = {row["index"]: list(row["problems"]) for row in reply.json["rows"] if row["said"] == "refused"}
    assert refused == {7: ["fine_fen"], 9: ["record"], 11: ["party.code"]}
    assert Record.select().where(Record.kind == "penalty").count() == 56


def test_a_row_of_a_batch_about_an_unknown_registration_number_does_not_spoil_the_others(officer, company):
    rows = [penalty(company()), penalty("990101000000015"), penalty(company(), document_no="另一号")]
    reply = officer.post(f"{PATH}/batch", {"records": rows}).json
    assert [row["said"] for row in reply["rows"]] == ["stored", "refused", "stored"]


def test_a_batch_of_more_than_the_setting_is_refused_as_a_whole(officer, company):
    reply = officer.post(f"{PATH}/batch", {"records": [penalty(company())] * 1001})
    assert (reply.status_code, list(reply.json["problems"])) == (422, ["records"])
    assert Record.select().where(Record.kind == "penalty").count() == 0


def test_a_batch_that_the_database_cuts_short_says_what_to_send_again(officer, company, monkeypatch):
    code, real, times = company(), records.post, []

    def busy_the_second_time(*args, **kwargs):
        times.append(1)
        if len(times) == 2:
            raise DatabaseBusy
        return real(*args, **kwargs)

    rows = [penalty(code, document_no=f"信〔2026〕{number}号") for number in range(120)]
    headers = {"Idempotency-Key": "one"}
    monkeypatch.setattr(records, "post", busy_the_second_time)
    first = officer.post(f"{PATH}/batch", {"records": rows}, headers)
    assert (first.json["stored"], first.json["deferred"]) == (50, 70)
    monkeypatch.setattr(records, "post", real)
    again = officer.post(f"{PATH}/batch", {"records": rows}, headers)
    assert (again.json["unchanged"], again.json["stored"]) == (50, 70)
    assert "Idempotent-Replay" not in again.headers


def test_a_correction_replaces_the_record_and_the_old_row_stays(officer, company):
    code = company()
    first = officer.post(PATH, penalty(code, fine_fen=100_00)).json
    body = {"reason": "录入错误", "record": penalty(code, fine_fen=200_00)}
    reply = officer.post(f"{PATH}/{first['seq']}/correction", body)
    assert (reply.status_code, reply.json["said"]) == (201, "corrected")
    (item,) = officer.get(f"/api/v1/entities/{code}/records", kind="penalty").json["items"]
    assert (item["seq"], item["corrects"], item["amount_fen"]) == (reply.json["seq"], first["seq"], 200_00)
    assert Audit.get(Audit.verb == "record.corrected").detail["reason"] == "录入错误"
    late = officer.post(f"{PATH}/{first['seq']}/correction", body)
    assert (late.status_code, late.json["code"], late.json["current"]) == (409, "record_conflict", reply.json["seq"])


def test_a_correction_cannot_move_a_record_to_another_party(officer, company):
    first = officer.post(PATH, penalty(company())).json
    reply = officer.post(f"{PATH}/{first['seq']}/correction", {"reason": "错", "record": penalty(company())})
    assert (reply.status_code, reply.json["code"]) == (409, "record_conflict")


def test_a_withdrawn_record_is_shown_no_more_and_its_points_are_gone(app, officer, company):
    code = company()
    grade_all(app)
    before = officer.get(f"/api/v1/entities/{code}/grade").json["score"]
    first = officer.post(PATH, penalty(code)).json
    path = f"{PATH}/{first['seq']}/withdrawal"
    reply = officer.post(path, {"reason": "复议撤销"})
    assert (reply.status_code, reply.json["said"]) == (201, "withdrawn")
    assert officer.get(f"/api/v1/entities/{code}/records", kind="penalty").json["items"] == []
    assert officer.get(f"/api/v1/entities/{code}/grade").json["score"] == before
    assert officer.post(f"{PATH}/{reply.json['seq']}/withdrawal", {"reason": "复议撤销"}).json["said"] == "unchanged"
    assert officer.post(path.replace("penalty", "spot_check"), {"reason": "错"}).json["code"] == "record_conflict"


def test_another_organ_can_neither_correct_nor_withdraw_it(app, officer, company):
    code = company()
    first = officer.post(PATH, penalty(code)).json
    other = calls(app, "other", EVERYTHING, organ="别处市场监督管理局")
    for verb, body in (("withdrawal", {"reason": "错"}), ("correction", {"reason": "错", "record": penalty(code)})):
        reply = other.post(f"{PATH}/{first['seq']}/{verb}", body)
        assert (reply.status_code, reply.json["code"]) == (404, "record_not_found")


# --- repeated requests ---------------------------------------------------------------------------------------------


def test_the_same_request_with_the_same_key_gets_the_same_reply_and_acts_once(officer, company):
    body, headers = penalty(company()), {"Idempotency-Key": "a-1"}
    first = officer.post(PATH, body, headers)
    again = officer.post(PATH, body, headers)
    assert (again.status_code, again.data) == (first.status_code, first.data) == (201, first.data)
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"


def test_another_request_with_the_same_key_is_a_conflict(officer, company):
    code, headers = company(), {"Idempotency-Key": "a-1"}
    officer.post(PATH, penalty(code), headers)
    reply = officer.post(PATH, penalty(code, fine_fen=1), headers)
    assert (reply.status_code, reply.json["code"]) == (409, "idempotency_conflict")


def test_two_callers_may_use_the_same_value(app, officer, company):
    code, headers = company(), {"Idempotency-Key": "a-1"}
    officer.post(PATH, penalty(code), headers)
    other = calls(app, "other", WITHOUT_GRADES).post(PATH, penalty(code), headers)
    assert "Idempotent-Replay" not in other.headers
    assert "grade" not in other.json


def test_a_refused_request_may_be_mended_and_sent_under_the_same_key(officer, company):
    code, headers = company(), {"Idempotency-Key": "a-1"}
    assert officer.post(PATH, penalty(code, fine_fen=-1), headers).status_code == 422
    assert officer.post(PATH, penalty(code), headers).status_code == 201


def test_the_reply_is_committed_with_the_record_or_not_at_all(officer, company, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("api.v1.records.PostedOut.dump", broken)
    headers = {"Idempotency-Key": "a-1"}
    body = penalty(company())
    assert officer.post(PATH, body, headers).status_code == 500
    assert Record.select().where(Record.kind == "penalty").count() == 0
    monkeypatch.undo()
    assert officer.post(PATH, body, headers).status_code == 201


@pytest.mark.parametrize("value", ["", "a b", "x" * 129, "钥匙".encode().decode("latin-1")])
def test_a_value_that_cannot_be_a_key_is_refused(officer, company, value):
    reply = officer.post(PATH, penalty(company()), {"Idempotency-Key": value})
    assert (reply.status_code, reply.json["code"]) == (400, "bad_idempotency_key")


def test_a_repeated_batch_gets_the_same_reply(officer, company):
    body, headers = {"records": [penalty(company())]}, {"Idempotency-Key": "b-1"}
    first, again = (officer.post(f"{PATH}/batch", body, headers) for _ in range(2))
    assert again.data == first.data
    assert again.headers["Idempotent-Replay"] == "true"
