"""What an official and a citizen read on the pages: words, not codes; what is not known is said, and why a day is what it is."""

import re
from datetime import date

import pytest

from api import paper
from registry import publicity
from registry.kinds import industries
from registry.kinds.codes import Label
from registry.models import Entity, Objection
from registry.services import ledger, objections, report
from registry.services.visibility import REGULATOR
from tests.api.conftest import Caller
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.registry import lives
from tests.registry.deeds import objected

LARGER = {"fine_fen": 200_000_00, "content": "罚款20万元", "basis": "示例法第五条"}


@pytest.fixture
def anyone(app):
    return Caller(app, None)


def somebody(**given):
    return Entity.get_by_id(registered(credit_code(), **given))


@pytest.fixture
def party(settings):
    return somebody(industry=1431)


def of(party):
    return report.of(party, reader=REGULATOR, today=TODAY, zone="Asia/Shanghai")


def part(found, title):
    return next(one for parts in found.parts.values() for one in parts if one.title.zh == title)


def test_the_first_page_leads_to_the_public_records_without_a_key(anyone, party):
    first = anyone.get("/")
    assert "公示查询、文档和运行状态无须密钥" in first.text
    assert 'action="/public"' in first.text
    assert "form-action 'self'" in first.headers["Content-Security-Policy"]
    found = anyone.get("/public", code=f" {party.code[:8].lower()} {party.code[8:]}")
    assert (found.status_code, found.headers["Location"]) == (303, f"/public/{party.code}")
    assert party.name in anyone.get(found.headers["Location"]).text


@pytest.mark.parametrize("code", ["", " "])
def test_a_search_for_nothing_leads_back_to_the_first_page(anyone, settings, code):
    assert anyone.get("/public", code=code).headers["Location"] == "/"


@pytest.mark.parametrize("code", ["//example.com", "..", "<b>x", "http://example.com"])
def test_a_search_never_leads_to_another_site(anyone, settings, code):
    assert anyone.get("/public", code=code).headers["Location"].startswith("/public/")


def test_the_public_page_says_what_was_decided_by_which_law_and_until_when(anyone, party):
    lives.shown_penalty(entity=party.id, on=date(2026, 10, 12), violation="", **LARGER)
    text = anyone.get(f"/public/{party.code}").text
    for word in ("处罚种类", "罚款20万元", "示例法第五条", "2027-01-12 起", "1431 食品制造业", "存续 in business"):
        assert word in text
    assert "公示期自" not in text
    assert "未定" not in text


def test_late_publication_is_explained_beside_the_days_that_it_did_not_prolong(anyone, party):
    seq = lives.shown_penalty(entity=party.id, on=date(2026, 10, 12), **LARGER)
    assert lives.row(seq).counts_from == date(2026, 10, 12)
    late = somebody()
    lives.passed(number := lives.record(late.id, "penalty", decided_on=date(2026, 6, 1), **LARGER).seq)
    lives.published(number)
    from_day = lives.row(number).counts_from
    assert from_day < TODAY
    text = anyone.get(f"/public/{late.code}").text
    assert f"公示期自 {from_day} 起算" in text
    assert "最短公示期已满，即日起可以申请" in text


def test_a_penalty_without_a_type_of_violation_ends_without_a_colon(anyone, party):
    lives.shown_penalty(entity=party.id, on=date(2026, 10, 12), violation="", **{**LARGER, "content": ""})
    (one,) = anyone.get(f"/api/v1/public/entities/{party.code}/records").json["items"]
    assert one["line"]["zh"] == "罚款 200,000.00 元"


def test_a_listing_is_published_until_it_is_removed_and_a_licence_as_long_as_no_rule_ends_it():
    said = {kind: paper.until_of({"kind": kind, "published_until": None}).zh for kind in ("abnormal_listing", "award", "licence")}  # fmt: skip
    assert said == {"abnormal_listing": "移出名录或名单之日", "award": "有效期届满之日", "licence": "长期公示"}
    assert paper.until_of({"kind": "penalty", "published_until": "2027-01-01"}) == Label("2027-01-01", "2027-01-01")


def test_what_is_not_connected_is_not_said_to_be_empty(on_sqlite):
    party = somebody()
    assert (part(of(party), "行政处罚").total, part(of(party), "行政处罚").connected) == (0, False)
    text = paper.standalone(of(party), who="test", now=NOW, zone="Asia/Shanghai")
    assert "数据未接入" in text
    assert "本期无记录" not in text
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.cover("penalty", "", date(2020, 1, 1), None, source="test")
    assert part(of(party), "行政处罚").connected
    assert "本期无记录" in paper.standalone(of(party), who="test", now=NOW, zone="Asia/Shanghai")


def test_an_objection_stands_beside_its_record_until_a_correction_follows(on_sqlite):
    party = somebody()
    seq = lives.shown_penalty(entity=party.id, on=date(2026, 10, 12), **LARGER)

    def note():
        (line,) = part(of(party), "行政处罚").lines
        return line["note"]

    assert note() is None
    number = objected(seq)
    assert note().zh == "当事人已提出异议，待受理。"
    given = {"organ": None, "actor": "key:second", "today": TODAY, "now": NOW}
    objections.accept(number, accepted=True, **given)
    objections.verify(number, upheld=True, reason="金额有误", schemes=lives.SCHEMES, **given)
    assert note().zh.startswith("异议成立，内容待更正")
    assert "异议成立" in paper.standalone(of(party), who="test", now=NOW, zone="Asia/Shanghai")
    Objection.update(seq=seq - 1).where(Objection.id == number).execute()  # as if the wording were later
    assert note() is None


def test_a_source_is_named_by_what_its_form_is_called():
    assert report.source_named("penalty-legal-person") == Label("双公示法人行政处罚", "penalty-legal-person")
    assert report.source_named("organ").zh == "机关直接报送"
    assert report.source_named("某局专报") == Label("某局专报", "")


@pytest.mark.parametrize(
    ("code", "begins"), [(1431, "1431 食品制造业（C 制造业"), (6513, "6513 信息传输"), (100, "0100 农"), (0, "")]
)
def test_an_industry_is_read_in_words(code, begins):
    assert industries.named(code).startswith(begins)


def test_every_division_is_in_one_section():
    for division in range(1, 98):
        assert sum(first <= division <= last for _, first, last, _ in industries.SECTIONS) == 1
    assert industries.named(9999) == "9999"


@pytest.mark.parametrize("channel", ["site", "credit_china"])
def test_what_a_publication_rests_on_names_each_kind_of_text_once(settings, channel):
    row = lives.row(lives.shown_penalty(on=date(2026, 10, 12), **LARGER), channel)
    kinds = "|".join(publicity.BASIS_KINDS.values())
    assert not re.search(f"（(?:{kinds})）（(?:{kinds})）", row.basis)
    assert "（法律法规规章）" in row.basis
