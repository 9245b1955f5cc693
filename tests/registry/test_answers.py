"""What came of a repair or an objection is told by a numbered document, and a document that cannot be made holds nothing up."""

import dataclasses
from datetime import date

import pytest

from registry.models import Document, ListingCase, Record, Series
from registry.services import abnormal_list, answers, documents, life, listings, objections, repairs
from registry.services.life import SameHands
from registry.services.listing_cases import ListingConflict
from registry.services.repairs import ConditionsNotMet
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry import lives
from tests.registry.lives import DECIDER, ORGAN, SCHEMES
from tests.registry.papers import desk_of

# A fine of 600,000 yuan is serious; published on 2 March 2025, its shortest period was over on 2 March 2026.
HEAVY = {"fine_fen": 600_000_00, "content": "", "decided_on": date(2025, 3, 3), "on": date(2025, 3, 3)}
WHO = {"organ": None, "actor": DECIDER, "today": TODAY, "now": NOW}
MET = {"duties_performed": True, "harm_removed": True, "commitment": True}


def penalty(**given):
    return lives.shown_penalty(entity=registered(address="信衡市信东区示例路9号"), **{**HEAVY, **given})


def accept(settings, number, **given):
    return repairs.accept(number, **{"accepted": True, **WHO, "settings": settings, **given})


def decide(settings, number, **given):
    return repairs.decide(number, **{"approved": True, "conditions": MET, "schemes": SCHEMES, **WHO, "actor": lives.APPROVER, "settings": settings, **given})  # fmt: skip


def text_of(number):
    return documents.get(number).text


def with_organs(settings, path, text):
    path.write_text(text, encoding="utf-8")
    return dataclasses.replace(settings, listings=dataclasses.replace(settings.listings, organs=str(path)))


def test_a_repair_is_accepted_and_approved_each_with_a_document_about_its_record(settings):
    seq = penalty(document_no="信市监处罚〔2025〕7号")
    number = lives.applied(seq)["id"]
    found = accept(settings, number)
    assert (found["document"], found["no_document"]) == ("信市监修受〔2026〕1号", "")
    assert "2026年11月21日就行政处罚信息（信市监处罚〔2025〕7号）提出的信用修复申请" in text_of(found["document"])
    assert "将于2026年12月1日前作出决定" in text_of(found["document"])
    found = decide(settings, number)
    assert found["document"] == "信市监修准〔2026〕1号"
    made = documents.get(found["document"])
    assert made.about == lives.target(seq).identity
    assert "你单位的申请符合下列条件：履行行政处罚决定中的义务或改正；" in made.text
    assert "依据国家市场监督管理总局令第107号，本机关决定准予信用修复" in made.text
    assert documents.unchanged(made)
    assert not lives.seen(seq)


def test_deciding_again_issues_no_second_document_and_tells_the_first(settings):
    number = lives.applied(penalty())["id"]
    for verb in (accept, decide):
        assert verb(settings, number) == verb(settings, number)
    assert [one.printed_no for one in Document.select().order_by(Document.id)] == ["信市监修受〔2026〕1号", "信市监修准〔2026〕1号"]  # fmt: skip


def test_a_refusal_says_why_and_names_the_remedies(settings):
    number = lives.applied(penalty())["id"]
    accept(settings, number)
    refused = decide(settings, number, approved=False, conditions={}, reason="罚款尚未缴清")
    text = text_of(refused["document"])
    assert refused["document"] == "信市监修驳〔2026〕1号"
    assert "经审查，罚款尚未缴清。" in text
    assert "信衡市人民政府" in text
    again = lives.applied(lives.target(penalty()).seq)["id"]
    turned = accept(settings, again, accepted=False, reason="最短公示期未满。")
    assert turned["document"] == "信市监修拒〔2026〕1号"
    assert "不予受理。理由：最短公示期未满。" in text_of(turned["document"])


@pytest.mark.parametrize(
    ("subject", "words"), [("enterprise", "移出经营异常名录。"), ("individual", "恢复正常记载状态。")]
)
def test_the_repair_of_a_listing_ends_it_with_the_number_of_its_document(on_sqlite, subject, words):
    seq = record(registered(subject=subject, address="信衡市信东区示例路9号"), "abnormal_listing").seq
    number = lives.applied(seq)["id"]
    accept(on_sqlite, number)
    found = decide(on_sqlite, number, conditions={"ground_ended": True})
    target = lives.target(seq)
    assert (target.ends_on, target.detail["removal_no"]) == (TODAY, found["document"])
    (case,) = ListingCase.select()
    assert (case.action, case.state, case.effective_on) == ("remove", "effective", TODAY)
    assert (case.proposed_by, case.audited_by) == (DECIDER, lives.APPROVER)
    assert [one["step"] for one in case.steps] == ["opened", "conditions", "proposed", "audited", "effective"]
    assert documents.get(case.steps[-1]["document"]).printed_no == found["document"]
    assert list(life.derive_life()) == []
    assert f"自2026年11月21日起，你单位{words}" in text_of(found["document"])


@pytest.mark.parametrize(
    ("upheld", "withdraw", "words"),
    [(True, True, "异议成立，撤回该信息"), (True, False, "更正并经审核后再行公示"), (False, False, "异议不成立")],
)
def test_an_objection_is_answered_by_a_document(on_sqlite, upheld, withdraw, words):
    number = lives.objected(penalty())["id"]
    found = objections.accept(number, accepted=True, **WHO, settings=on_sqlite)
    assert (found["document"], found["no_document"]) == ("", "")
    found = objections.verify(number, upheld=upheld, withdraw=withdraw, reason="已调阅案卷", schemes=SCHEMES, **WHO, settings=on_sqlite)  # fmt: skip
    assert found["document"] == "信市监异议〔2026〕1号"
    assert "经核实，已调阅案卷。" in text_of(found["document"])
    assert words in text_of(found["document"])


def test_an_objection_that_is_not_accepted_is_answered_too(on_sqlite):
    number = lives.objected(penalty())["id"]
    found = objections.accept(number, accepted=False, reason="未提供证明材料", **WHO, settings=on_sqlite)
    assert "处理结果：不予受理。" in text_of(found["document"])


def test_an_organ_that_issues_no_documents_here_repairs_all_the_same_and_is_told_why_there_is_none(settings):
    seq = penalty(organ="信衡市公安局")
    number = lives.applied(seq)["id"]
    accept(settings, number)
    found = decide(settings, number)
    assert (found["state"], found["document"]) == ("approved", "")
    assert "信衡市公安局 issues no documents here" in found["no_document"]
    assert decide(settings, number) == found
    assert (Document.select().count(), lives.seen(seq)) == (0, False)


def test_a_document_that_lacks_something_of_its_organ_takes_no_number(settings, tmp_path):
    bare = with_organs(settings, tmp_path / "organs.toml", f'["{ORGAN}"]\nword = "信市监"\n')
    number = lives.applied(penalty())["id"]
    turned = accept(bare, number, accepted=False, reason="材料不全")
    assert turned["state"] == "rejected"
    assert "court, reconsideration is missing or empty" in turned["no_document"]
    assert Series.select().where(Series.last > 0).count() == 0
    assert Record.select().where(Record.kind == "document").count() == 0
    again = lives.applied(penalty())["id"]
    assert accept(settings, again, accepted=False, reason="材料不全")["document"] == "信市监修拒〔2026〕1号"


def test_a_record_that_names_no_organ_is_repaired_without_a_document(on_sqlite):
    seq = record(registered(), "abnormal_listing", organ="").seq
    number = lives.applied(seq)["id"]
    accept(on_sqlite, number)
    assert "names no organ" in decide(on_sqlite, number, conditions={"ground_ended": True})["no_document"]


def listing(kind="abnormal_listing", **given):
    return record(registered(address="信衡市信东区示例路9号"), kind, **given).seq


def test_who_accepted_the_repair_of_a_listing_does_not_approve_it_and_may_refuse_it(settings):
    number = lives.applied(listing())["id"]
    accept(settings, number)
    with pytest.raises(SameHands, match=r"accepted repair \d+ of a listing"):
        decide(settings, number, conditions={"ground_ended": True}, actor=DECIDER)
    assert ListingCase.select().count() == 0
    assert (
        decide(settings, number, approved=False, conditions={}, reason="事由未消除", actor=DECIDER)["state"]
        == "refused"
    )


def test_the_repair_of_a_serious_listing_is_a_case_of_early_removal_with_its_conditions(settings):
    seq = listing("serious_listing", listed_on=date(2025, 1, 15))
    number = lives.applied(seq)["id"]
    accept(settings, number)
    found = decide(settings, number)
    (case,) = ListingCase.select()
    assert (case.list, case.ground, case.state) == ("serious", 2, "effective")
    assert case.steps[1]["conditions"]["minimum_over"]["met"] is True
    assert (lives.target(seq).ends_on, lives.target(seq).out) == (TODAY, "repaired")
    assert decide(settings, number) == found
    assert ListingCase.select().count() == 1


@pytest.mark.parametrize("until", [TODAY, date(2026, 11, 22)])
def test_a_serious_listing_is_repaired_no_sooner_than_it_may_leave_its_list_by_itself(settings, until):
    seq = listing("serious_listing", listed_on=date(2025, 1, 15), until=until)
    lives.passed(seq)
    lives.published(seq)
    number = lives.applied(seq)["id"]
    accept(settings, number)
    if until > TODAY:
        assert repairs.get(number)["conditions"]["minimum_over"]["met"] is False
        with pytest.raises(ConditionsNotMet, match="minimum_over"):
            decide(settings, number)
        assert lives.target(seq).ends_on is None
    else:
        assert decide(settings, number)["state"] == "approved"


def test_a_removal_that_is_on_its_way_is_the_case_of_the_repair(on_sqlite):
    seq = listing()
    desk = desk_of(on_sqlite, actor="key:third")
    case, _ = abnormal_list.open_removal(seq, cause=1, facts="已补报。", proof="回执", desk=desk)
    listings.propose(case, opinion="同意移出。", desk=desk)
    number = lives.applied(seq)["id"]
    accept(on_sqlite, number)
    decide(on_sqlite, number, conditions={"ground_ended": True})
    (kept,) = ListingCase.select()
    assert (kept.id, kept.state, kept.proposed_by, kept.audited_by) == (
        case.id,
        "effective",
        "key:third",
        lives.APPROVER,
    )


def test_a_listing_is_not_removed_without_its_document(on_sqlite, monkeypatch):
    seq = listing()
    number = lives.applied(seq)["id"]
    accept(on_sqlite, number)
    monkeypatch.setattr(answers, "issue", lambda *_, **__: {"no_document": "court is missing."})
    with pytest.raises(ListingConflict, match="needs its document"):
        decide(on_sqlite, number, conditions={"ground_ended": True})
    assert (repairs.get(number)["state"], lives.target(seq).ends_on) == ("accepted", None)


def test_an_upheld_objection_does_not_withdraw_a_listing_past_its_case(on_sqlite):
    seq = listing()
    number = lives.objected(seq)["id"]
    objections.accept(number, accepted=True, **WHO, settings=on_sqlite)
    given = {"upheld": True, "reason": "列入有误", "schemes": SCHEMES, **WHO, "settings": on_sqlite}
    with pytest.raises(ListingConflict, match="POST /api/v1/listings/corrections"):
        objections.verify(number, withdraw=True, **given)
    assert objections.verify(number, withdraw=False, **given)["state"] == "upheld"
    assert not lives.target(seq).withdrawn
