"""Grades over HTTP: what stands, what stood, why, and how many."""

import pytest

from registry.database import execute
from registry.services import entities, grading, ledger
from tests.api.conftest import EVERYTHING, calls, grade_all, penalty
from tests.conftest import NOW, TODAY
from tests.factories import record
from tests.registry.test_lists import dearer


def test_the_grade_that_stands_is_read_with_an_etag(app, officer, company):
    code = company(penalties=2)
    grade_all(app)
    first = officer.get(f"/api/v1/entities/{code}/grade")
    assert first.json["scheme"] == "general-risk"
    assert first.json["on"] == TODAY.isoformat()
    again = officer.get(f"/api/v1/entities/{code}/grade", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_who_is_not_graded_yet_is_told_why(officer, company):
    reply = officer.get(f"/api/v1/entities/{company()}/grade")
    assert (reply.status_code, reply.json["code"]) == (404, "not_graded")


def test_an_explanation_adds_up_to_its_score_and_names_the_records(app, officer, company):
    code = company(penalties=2)
    grade_all(app)
    grade = officer.get(f"/api/v1/entities/{code}/grade").json
    found = officer.get(f"/api/v1/entities/{code}/explanation").json
    assert sum(row["points"] for row in found["points"]) == found["score"] == grade["score"]
    assert (found["class"], found["digest"], found["reproduced"]) == (grade["class"], grade["digest"], True)
    penalties = [one for one in found["records"] if one["kind"] == "penalty"]
    assert len(penalties) == 2
    assert "吊销许可证件" in penalties[0]["line"]["zh"]


def test_an_explanation_of_the_past_knows_only_what_was_known(app, officer, company):
    code = company()
    grade_all(app)
    before, score = ledger.head(), officer.get(f"/api/v1/entities/{code}/grade").json["score"]
    record(entities.get(code).id, kinds=["revoked_licence"], now=NOW + 60_000)
    grade_all(app)
    path = f"/api/v1/entities/{code}/explanation"
    assert officer.get(path, known_at=str(before)).json["score"] == score
    assert officer.get(path, known_at="2026-11-21T08:00:30+08:00").json["known_seq"] == before
    assert officer.get(path).json["score"] > score
    assert officer.get(path, on="2026-11-20", known_at="999999").json["known_seq"] == ledger.head()


def test_a_day_of_knowledge_is_its_end_where_the_registry_works(app, officer, company):
    code = company()
    grade_all(app)
    before = ledger.head()
    # 16:00 UTC is midnight there.
    record(entities.get(code).id, kinds=["revoked_licence"], now=NOW + 16 * 3_600_000)
    path = f"/api/v1/entities/{code}/explanation"
    known = [officer.get(path, known_at=day).json["known_seq"] for day in ("2026-11-21", "2026-11-22")]
    assert known == [before, ledger.head()]
    assert officer.get(f"/api/v1/entities/{code}/dossier", known_at="2026-11-21").status_code == 200


def test_who_asks_about_a_time_before_the_ledger_is_told_when_it_begins(app, officer, company):
    code = company()
    grade_all(app)
    reply = officer.get(f"/api/v1/entities/{code}/explanation", known_at="2019-05-01")
    assert (reply.status_code, reply.json["code"]) == (404, "not_graded")
    assert "the ledger begins on 2026-11-21T08:00:00+08:00" in reply.json["detail"]


def test_what_decided_a_class_stands_first_among_the_reasons_with_its_title(app, officer, company):
    code = company(penalties=2)
    record(entities.get(code).id, "serious_listing")
    grade_all(app)
    found = officer.get(f"/api/v1/entities/{code}/explanation").json
    assert (found["decided"]["rule"], found["decided"]["override"]) == (found["decided_by"], None)
    title = found["decided"]["title"]["zh"]
    assert title
    assert not title.startswith("veto")
    assert (found["distance"]["better"], found["distance"]["worse"]) == (None, None)
    assert title in found["distance"]["notes"][0]["zh"]
    reasons = officer.get(f"/api/v1/entities/{code}/grade", reasons="true").json["reasons"]
    assert reasons[0]["points"] == found["decided"]["points"]
    assert sum(row["points"] for row in reasons) == found["score"]
    assert [one["rule"] for one in found["undecided_rules"]] == found["undecided"]
    assert found["undecided_rules"] == [] or all(one["zh"] and one["en"] for one in found["undecided_rules"])


def test_what_was_withdrawn_since_is_not_shown_for_a_past_moment_either(app, officer, company):
    code = company()
    posted = officer.post("/api/v1/records/penalty", penalty(code, violation="后来撤销之事")).json
    grade_all(app)
    known = ledger.head()
    assert "后来撤销之事" in officer.get(f"/api/v1/entities/{code}/explanation", known_at=str(known)).text
    officer.post(f"/api/v1/records/penalty/{posted['seq']}/withdrawal", {"reason": "复议撤销"})
    reply = officer.get(f"/api/v1/entities/{code}/explanation", known_at=str(known))
    assert "后来撤销之事" not in reply.text
    assert {"seq": posted["seq"], "kind": "penalty", "withdrawn": True} in reply.json["records"]
    assert sum(row["points"] for row in reply.json["points"]) == reply.json["score"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"known_at": "yesterday"}, 422, "invalid_request"),
        ({"known_at": "2026-11-21T08:00:00"}, 422, "invalid_request"),
        ({"known_at": "2026-13-21"}, 422, "invalid_request"),
        ({"known_at": "9999-12-31"}, 422, "invalid_request"),
        ({"known_at": "20261121T"}, 422, "invalid_request"),
        ({"on": "2026-13-01"}, 422, "invalid_request"),
        ({"on": "1900-01-01"}, 422, "invalid_request"),
        ({"on": "1999-01-01"}, 422, "scheme_not_in_force"),
        ({"on": "2101-01-01"}, 422, "invalid_request"),
        ({"on": "9999-12-31"}, 422, "invalid_request"),
    ],
)
def test_a_day_or_moment_that_cannot_be_asked_for_is_refused(officer, company, query, status, code):
    reply = officer.get(f"/api/v1/entities/{company()}/explanation", **query)
    assert (reply.status_code, reply.json["code"]) == (status, code)


def test_the_last_day_that_may_be_asked_for_is_answered(officer, company):
    code = company(penalties=1)
    assert officer.get(f"/api/v1/entities/{code}/explanation", on="2100-12-31").json["on"] == "2100-12-31"


def test_the_history_is_paged_newest_first_and_each_page_costs_one_query(app, officer, company, count_queries):
    code = company()
    entity = entities.get(code).id
    scores = []
    for number in range(4):
        record(entity, kinds=["fine"], fine_fen=200_000_00, now=NOW + number)
        grade_all(app)
        scores.append(officer.get(f"/api/v1/entities/{code}/grade").json["score"])
    assert len(set(scores)) > 1
    items, after = [], {}
    while True:
        with count_queries() as queries:
            page = officer.get(f"/api/v1/entities/{code}/grades", limit=2, **after).json
        assert len(queries) == 3
        items += page["items"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert [item["known_seq"] for item in items] == sorted((item["known_seq"] for item in items), reverse=True)
    assert items[0]["score"] == scores[-1]


def test_the_counts_are_those_of_the_callers_divisions(app, officer, company):
    company(division="990101")
    company(division="990202")
    grade_all(app)
    local = calls(app, "local", EVERYTHING, ["9902"])
    counts = [
        sum(item["entities"] for item in who.get("/api/v1/statistics/classes").json["items"])
        for who in (officer, local)
    ]
    assert counts == [2, 1]


def test_schemes_are_shown_with_their_cuts_and_groups(officer):
    (one,) = [item for item in officer.get("/api/v1/schemes").json["items"] if item["id"] == "general-risk"]
    assert one["published"] == "never"
    detail = officer.get("/api/v1/schemes/general-risk").json
    assert [row["class"] for row in detail["cuts"][-1]["classes"]] == ["A", "B", "C", "D"]
    assert detail["hash"] == grading.scheme_named(officer.client.application.extensions["xinheng"].settings).hash
    assert officer.get("/api/v1/schemes/none").json["code"] == "unknown_scheme"


def test_a_grade_with_reasons_adds_up_to_its_score(app, officer, company):
    code = company(penalties=2)
    grade_all(app)
    row = officer.get(f"/api/v1/entities/{code}/grade", reasons="true").json
    assert sum(reason["points"] for reason in row["reasons"]) == row["score"]
    assert any(reason["records"] for reason in row["reasons"])
    assert "reasons" not in officer.get(f"/api/v1/entities/{code}/grade").json


def test_a_grade_that_waits_to_be_renewed_keeps_the_reasons_of_the_content_that_gave_it(
    app, officer, company, tmp_path, monkeypatch
):
    code = company(penalties=1)
    path = f"/api/v1/entities/{code}/grade"
    grade_all(app)
    before = officer.get(path, reasons="true").json
    book = app.extensions["xinheng"].settings.path("rules/book")
    changed = dearer(book / "general-risk", tmp_path)
    monkeypatch.setattr(grading, "scheme_named", lambda *_, **__: changed)
    waiting = officer.get(path, reasons="true").json
    assert waiting == before
    assert sum(reason["points"] for reason in waiting["reasons"]) == waiting["score"]
    grading.due(changed, day=TODAY)
    after = officer.get(path, reasons="true").json
    assert after["digest"] != before["digest"]
    assert sum(reason["points"] for reason in after["reasons"]) == after["score"]


def test_records_that_wait_do_not_change_the_reasons_of_the_grade_that_stands(app, officer, company):
    code = company(penalties=1)
    grade_all(app)
    path = f"/api/v1/entities/{code}/grade"
    before = officer.get(path, reasons="true").json
    record(entities.get(code).id, kinds=["revoked_licence"])
    assert before["reasons"]
    assert officer.get(path, reasons="true").json == before


def test_a_grade_from_before_the_cuts_of_the_scheme_has_no_reasons(app, officer, company):
    code = company(penalties=1)
    grade_all(app)
    execute("UPDATE grade_state SET day = 0")
    reply = officer.get(f"/api/v1/entities/{code}/grade", reasons="true")
    assert (reply.status_code, reply.json["reasons"]) == (200, None)
