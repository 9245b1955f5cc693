"""The dossier and the report over HTTP: whole, as of any day, printable, and without anything of a grade."""

import re
from datetime import date

import pytest

from registry.database import execute
from registry.services import entities
from tests.api.conftest import calls, grade_all
from tests.api.test_document import Page
from tests.conftest import NOW
from tests.factories import record
from tests.registry.deeds import shown, withdrawn
from tests.registry.kinds.saying import LEAST


def entity_of(code):
    return entities.get(code).id


@pytest.fixture
def code(app, company):
    """A company with something of everything that a report tells."""
    code = company(penalties=1)
    entity = entity_of(code)
    samples = ((2024, "不合格"), (2025, "不合格"), (2026, "合格"), (2026, "合格"), (2026, "不合格"))
    for number, (year, result) in enumerate(samples):
        add(
            entity,
            "product_sampling",
            product=f"示例糕点{year}",
            result=result,
            sampled_on=f"{year}-04-01",
            batch=str(number),
        )
    for kind in ("licence", "certification", "standard_declared", "recall", "award", "satisfaction_survey"):
        add(entity, kind)
    record(entity, "item_12315", received_on=date(2026, 6, 6))
    record(entity, "spot_check")
    record(entity, "abnormal_listing", listed_on=date(2026, 7, 9))
    grade_all(app)
    return code


def add(entity, kind, **given):
    from registry.kinds import KINDS
    from registry.services import ledger
    from tests.conftest import TODAY

    declared = KINDS[kind]
    said = declared.state(declared.schema(today=TODAY).load({"organ": "信衡市市场监督管理局", **LEAST[kind], **given}))
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        pen.state([(entity, said)], source="test")


def test_one_call_gives_the_whole_record_as_a_timeline(officer, code):
    found = officer.get(f"/api/v1/entities/{code}/dossier", limit=200).json
    days = [one["day"] for one in found["items"] if one["day"]]
    assert days == sorted(days, reverse=True)
    assert sum(one["lines"] for one in found["years"]) == len(found["items"])
    kinds = {one["kind"] for one in found["counts"]}
    assert {"registration", "penalty", "licence", "recall", "award", "product_sampling", "annual_report"} <= kinds
    assert all(one["line"]["zh"] and one["line"]["en"] for one in found["items"])
    assert found["entity"]["code"] == code
    assert found["next"] is None


def test_a_dossier_is_asked_as_of_a_day_and_of_what_was_known(officer, code):
    path = f"/api/v1/entities/{code}/dossier"
    early = officer.get(path, on="2024-12-31", limit=200).json
    assert max(one["day"] for one in early["items"]) <= "2024-12-31"
    first = officer.get(path, known_at="1").json
    assert first["known_seq"] == 1
    assert officer.get(path, known_at="2020-01-01T00:00:00Z").json["items"] == []
    assert officer.get(path, on="2026-13-01").status_code == 422
    assert officer.get(path, after="x").json["code"] == "bad_cursor"


def test_a_dossier_is_for_the_divisions_of_the_key(app, code):
    abroad = calls(app, "abroad", ["entities:read"], ["1101"])
    for rest in ("dossier", "report.html"):
        assert abroad.get(f"/api/v1/entities/{code}/{rest}").json["code"] == "entity_not_found"


def test_the_report_prints_on_a4_with_a_watermark_and_without_script_or_inline_style(officer, code):
    reply = officer.get(f"/api/v1/entities/{code}/report.html")
    page = Page(reply.text)
    assert reply.mimetype == "text/html"
    assert ("script" in page.tags, "style" in page.tags, page.inline, page.loads) == (
        False,
        False,
        [],
        ["/static/report.css"],
    )
    mark = re.search(r"<pattern.*?</pattern>", reply.text)[0]
    assert "信衡市市场监督管理局 officer" in mark
    assert "2026-11-21 08:00" in mark
    css = officer.get("/static/report.css").text
    assert "size: A4" in css
    assert "url(" not in css
    parts = re.findall(r"<h2>(\w+、\w+)", reply.text)
    assert [part[0] for part in parts] == list("一二三四五六七")


def test_the_report_counts_what_it_lists_and_knows_no_class(officer, code):
    text = officer.get(f"/api/v1/entities/{code}/report.html").text
    assert "66.6% (2/3)" in text, "three batches of 2026 were judged and two passed; a rate is never rounded up"
    assert "0.0% (0/1)" in text
    assert "示例糕点2025" in text
    assert "数据接入" in text
    assert not re.search(r"风险分类|risk class|general-risk", text)


def test_neither_dossier_nor_report_changes_with_the_grade(officer, code):
    paths = [f"/api/v1/entities/{code}/{rest}" for rest in ("dossier", "dossier?limit=3", "report.html")]
    before = [officer.get(path).data for path in paths]
    execute("UPDATE grade_state SET class = 'D', rank = 3, score = 999")
    execute("UPDATE grade SET class = 'D', score = 999")
    assert [officer.get(path).data for path in paths] == before


def test_a_withdrawn_record_is_not_in_the_report_and_an_open_question_is_counted(officer, code):
    seq = record(entity_of(code), decided_on=date(2026, 9, 9), document_no="信市监处罚〔2026〕404号").seq
    assert "〔2026〕404号" in officer.get(f"/api/v1/entities/{code}/report.html").text
    withdrawn(seq)
    assert "〔2026〕404号" not in officer.get(f"/api/v1/entities/{code}/report.html").text
    record(entity_of(code), decided_on=None)
    assert "1 条记录来源未提供日期" in officer.get(f"/api/v1/entities/{code}/report.html").text


def test_a_report_is_for_its_period_and_refuses_one_that_cannot_be(officer, code):
    path = f"/api/v1/entities/{code}/report.html"
    short = officer.get(path, **{"from": "2024-01-01", "to": "2024-12-31"}).text
    assert "示例糕点2024" in short
    assert "示例糕点2025" not in short
    for wrong in ({"from": "2026-02-02", "to": "2026-01-01"}, {"to": "2027-01-01"}):
        assert officer.get(path, **wrong).json["code"] == "bad_period"


def test_a_kind_without_a_feed_is_unknown_and_not_none(officer, code):
    text = officer.get(f"/api/v1/entities/{code}/report.html").text
    rows = dict(re.findall(r"<tr><td>(\w+) <span.*?</td>.*?<td>([^<]*)<span lang=\"en\">(?:since|not)", text))
    assert rows["行政处罚"].startswith("自 2019-01-01")
    assert rows["召回"].startswith("未接入")


def test_what_is_published_stands_beside_each_record(officer, code):
    seq = record(entity_of(code), decided_on=date(2026, 11, 2)).seq
    shown(seq)
    items = officer.get(f"/api/v1/entities/{code}/dossier").json["items"]
    (one,) = [one for one in items if one["seq"] == seq]
    assert {row["channel"]: row["state"] for row in one["publication"]} == {
        "credit_china": "never", "necips": "published", "site": "published",
    }  # fmt: skip
