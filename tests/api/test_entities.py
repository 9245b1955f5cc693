"""Entities over HTTP: found, read, paged, and only by those whose business they are."""

import pytest

from registry.services import entities
from tests.api.conftest import EVERYTHING, calls, grade_all
from tests.factories import credit_code, record, registered


def test_two_characters_of_a_name_find_an_entity(officer, company):
    code = company(name="衡山示例茶叶有限公司")
    company(name="别家示例有限公司")
    reply = officer.get("/api/v1/entities", q="茶叶")
    assert [item["code"] for item in reply.json["items"]] == [code]
    assert reply.json["next"] is None


def test_a_former_name_finds_it_too(officer):
    code = credit_code()
    registered(code, name="旧称示例有限公司")
    registered(code, name="新称示例有限公司")
    assert [item["name"] for item in officer.get("/api/v1/entities", q="旧称").json["items"]] == ["新称示例有限公司"]


def test_one_character_is_refused_with_what_to_do(officer):
    reply = officer.get("/api/v1/entities", q="茶")
    assert (reply.status_code, reply.json["code"]) == (422, "query_too_vague")
    assert "two characters" in reply.json["detail"]


def test_a_search_by_class_finds_those_of_that_class(app, officer, company):
    bad, good = company(penalties=8), company()
    grade_all(app)
    worst = officer.get(f"/api/v1/entities/{bad}/grade").json["class"]
    assert worst > officer.get(f"/api/v1/entities/{good}/grade").json["class"]
    assert [item["code"] for item in officer.get("/api/v1/entities", **{"class": worst}).json["items"]] == [bad]


def test_a_search_by_class_without_the_right_is_refused_by_the_name_of_the_scope(clerk):
    reply = clerk.get("/api/v1/entities", **{"class": "D"})
    assert (reply.status_code, reply.json["code"], reply.json["scope"]) == (403, "missing_scope", "grades:read")


def test_pages_go_on_where_the_last_one_ended_and_neither_skip_nor_repeat(officer, company):
    codes = [company() for _ in range(5)]
    seen, after = [], {}
    while True:
        page = officer.get("/api/v1/entities", limit=2, **after).json
        seen += [item["code"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == codes


def test_entities_of_other_divisions_are_as_absent_as_those_that_do_not_exist(app, company):
    here, elsewhere = company(division="990101"), company(division="990202")
    local = calls(app, "local", EVERYTHING, ["9901"])
    assert [item["code"] for item in local.get("/api/v1/entities").json["items"]] == [here]
    nowhere = credit_code(division="990202")
    for path in ("", "/grade", "/grades", "/explanation", "/records"):
        absent, hidden = (local.get(f"/api/v1/entities/{code}{path}") for code in (nowhere, elsewhere))
        assert absent.status_code == hidden.status_code == 404
        assert absent.json["detail"].replace(nowhere, elsewhere) == hidden.json["detail"]


def test_an_entity_carries_an_etag_and_is_not_sent_twice(officer, company):
    code = company()
    first = officer.get(f"/api/v1/entities/{code}")
    assert first.json["status"] == "open"
    again = officer.get(f"/api/v1/entities/{code}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_records_are_listed_newest_first_and_undated_ones_last(officer, company):
    code = company()
    number = registered_id(code)
    record(number, decided_on=None, document_no="无日期1号")
    record(number, document_no="有日期1号")
    items = officer.get(f"/api/v1/entities/{code}/records", kind="penalty").json["items"]
    assert [item["document_no"] for item in items] == ["有日期1号", "无日期1号"]
    pages = [officer.get(f"/api/v1/entities/{code}/records", limit=2).json]
    while pages[-1]["next"]:
        pages.append(officer.get(f"/api/v1/entities/{code}/records", limit=2, after=pages[-1]["next"]).json)
    kinds = [item["kind"] for page in pages for item in page["items"]]
    # Seven annual reports, the last of them after the penalty of March 2026; then the registration of 2015.
    assert kinds == ["annual_report", "penalty", *["annual_report"] * 6, "registration", "penalty"]


def registered_id(code: str) -> int:
    return entities.get(code).id


@pytest.mark.parametrize("rows", [3, 30])
def test_a_page_of_entities_or_records_costs_the_same_however_many_there_are(officer, company, count_queries, rows):
    codes = [company() for _ in range(rows)]
    for _ in range(rows):
        record(registered_id(codes[0]))
    with count_queries() as found:
        assert len(officer.get("/api/v1/entities").json["items"]) == rows
    with count_queries() as listed:
        assert len(officer.get(f"/api/v1/entities/{codes[0]}/records", kind="penalty").json["items"]) == rows
    # The key; the page. And the entity in between.
    assert (len(found), len(listed)) == (2, 3)
