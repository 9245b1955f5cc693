"""The serious-violation list: every procedural step on record before it takes effect, and the ways out of it."""

from dataclasses import replace
from datetime import date

import pytest

from registry.errors import RecordNotFound
from registry.models import Document, ListingCase, Notice, Publication, Record
from registry.services import deliveries, documents, ledger, listing_cases, listings, serious_list
from registry.services.listing_cases import ListingConflict, ListingRefused
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry import lives
from tests.registry.papers import (
    ADDRESS,
    ORGAN,
    deliver,
    desk_of,
    heavy_penalty,
    on_record,
    second,
    serious_decided,
    serious_listed,
    step_document,
    through,
)

# Notified on a Monday, heard, decided and in effect.
DAYS = [date(2026, 10, 12), date(2026, 10, 15), date(2026, 10, 22)]
# A year later.
LATER = date(2027, 10, 22)
SHOWN = {"application": "书面申请", "duties": "罚款已缴清", "harm": "已召回并整改"}


@pytest.fixture
def desk(settings):
    return desk_of(settings, today=TODAY)


def withdrawn(case):
    """The penalty that a case rests on is withdrawn by its organ."""
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(listing_cases.current(case.rests_on).seq, source="organ", reason="行政复议撤销")


def test_every_step_is_on_record_before_a_listing_takes_effect(desk):
    case = serious_decided(desk, DAYS)
    assert case.state == "approved"
    assert Record.select().where(Record.kind == "serious_listing").count() == 0
    with pytest.raises(ListingConflict, match=r"信市监严入〔2026〕1号, is not delivered yet"):
        serious_list.take_effect(case.id, desk=replace(desk, today=DAYS[-1]))
    last = replace(desk, today=date(2026, 10, 26))
    deliver(step_document(case.id, "decided"), last)
    case, new = serious_list.take_effect(case.id, desk=last)
    row = on_record(case)
    assert (new, row.code, row.happened_on, row.ends_on) == (True, 7, date(2026, 10, 26), None)
    assert row.detail["rests_on"] == case.rests_on
    assert [step["step"] for step in case.steps] == [
        "opened", "rests_on", "noticed", "heard", "proposed", "superior", "audited", "decided", "effective",
    ]  # fmt: skip
    assert documents.get(step_document(case.id, "decided")).about == row.identity
    assert serious_list.take_effect(case.id, desk=last) == (case, False)
    assert listings.end_of_term(row.happened_on, row.detail.get("until")) == date(2029, 10, 26)


def test_the_decision_says_what_was_heard_approved_and_for_how_long(desk):
    case = serious_decided(desk, DAYS, until=date(2031, 10, 22))
    text = documents.get(step_document(case.id, "decided")).text
    for words in ("信市监严告〔2026〕1号", "理由不成立，不予采纳。", "经信衡省市场监督管理局批准（信省市监信〔2026〕1号）",
                  "第七条", "期限至2031年10月22日", "六十日内向信衡市人民政府"):  # fmt: skip
        assert words in text
    notice = documents.get(step_document(case.id, "noticed")).text
    assert "5个工作日内" in notice
    assert "陈述、申辩的权利" in notice


def test_no_step_is_skipped(desk):
    desk = replace(desk, today=DAYS[0])
    case, _ = serious_list.open_listing(
        heavy_penalty(registered(address=ADDRESS)), article=7, facts="示例事实。", desk=desk
    )
    with pytest.raises(ListingConflict, match="is 草稿 draft"):
        serious_list.propose(case.id, opinion="列入。", desk=desk)
    with pytest.raises(ListingConflict, match="is 草稿 draft"):
        serious_list.hear(case.id, statement="x", answer="y", desk=desk)
    serious_list.notify(case.id, desk=desk)
    with pytest.raises(ListingConflict, match="is not delivered yet"):
        serious_list.hear(case.id, statement="x", answer="y", desk=desk)
    with pytest.raises(ListingConflict, match="what the party stated"):
        serious_list.propose(case.id, opinion="列入。", desk=desk)
    deliver(step_document(case.id, "noticed"), desk)
    serious_list.hear(case.id, statement="请求从轻。", answer="不予采纳。", desk=desk)
    serious_list.propose(case.id, opinion="列入。", desk=desk)
    with pytest.raises(ListingConflict, match=r"approval of 信衡省市场监督管理局.*superior_approval = 0"):
        serious_list.decide(case.id, agree=True, opinion="同意。", desk=second(desk))
    with pytest.raises(ListingRefused, match="superior of 信衡市市场监督管理局 is 信衡省市场监督管理局"):
        serious_list.approve_above(case.id, organ="别的机关", approval_no="x", approved_on=desk.today, desk=desk)
    with pytest.raises(ListingRefused, match="cannot be of 2026-10-11"):
        serious_list.approve_above(
            case.id, organ="信衡省市场监督管理局", approval_no="x", approved_on=date(2026, 10, 11), desk=desk
        )
    with pytest.raises(ListingConflict, match="is 待审核 proposed"):
        serious_list.take_effect(case.id, desk=desk)


def test_where_the_setting_says_so_no_superior_organ_is_asked(settings):
    desk = desk_of(settings, today=DAYS[0], superior_approval=0)
    case, _ = serious_list.open_listing(
        heavy_penalty(registered(address=ADDRESS)), article=7, facts="示例事实。", desk=desk
    )
    serious_list.notify(case.id, desk=desk)
    deliver(step_document(case.id, "noticed"), desk)
    serious_list.hear(case.id, statement="请求从轻。", answer="不予采纳", desk=desk)
    serious_list.propose(case.id, opinion="列入。", desk=desk)
    with pytest.raises(ListingConflict, match="Two persons"):
        serious_list.decide(case.id, agree=True, opinion="同意。", desk=desk)
    case, _ = serious_list.decide(case.id, agree=True, opinion="同意。", desk=second(desk))
    assert "按照规定无须上级机关批准" in documents.get(step_document(case.id, "decided")).text


def test_that_a_party_stated_nothing_can_be_said_only_after_its_time(desk):
    first = replace(desk, today=DAYS[0])
    case, _ = serious_list.open_listing(
        heavy_penalty(registered(address=ADDRESS)), article=7, facts="示例事实。", desk=first
    )
    serious_list.notify(case.id, desk=first)
    deliver(step_document(case.id, "noticed"), first)
    assert serious_list.statement_ends(listing_cases.get(case.id), first) == date(2026, 10, 19)
    with pytest.raises(ListingRefused, match="until 2026-10-19"):
        serious_list.hear(case.id, statement="", answer="", desk=replace(desk, today=date(2026, 10, 19)))
    with pytest.raises(ListingRefused, match="what came of the statement"):
        serious_list.hear(case.id, statement="请求从轻。", answer="", desk=first)
    after = replace(desk, today=date(2026, 10, 20))
    assert serious_list.hear(case.id, statement="", answer="", desk=after)[1]
    assert serious_list.hear(case.id, statement="", answer="", desk=after)[1] is False


def test_a_listing_rests_on_a_heavier_penalty_of_the_organ_itself(desk):
    entity = registered(address=ADDRESS)
    light = record(entity, source="organ", fine_fen=3_000_00, content="罚款3000元").seq
    with pytest.raises(ListingRefused, match="name that standard"):
        serious_list.open_listing(light, article=7, facts="x", desk=desk)
    case, new = serious_list.open_listing(light, article=7, facts="x", heavier_because="示例裁量基准第3条", desk=desk)
    assert new
    assert "示例裁量基准第3条" in listing_cases.done(case, "rests_on")["opinion"]
    assert serious_list.open_listing(light, article=7, facts="x", desk=desk) == (case, False)
    foreign = record(entity, kinds=["revoked_licence"], organ="信衡市税务局").seq
    with pytest.raises(ListingRefused, match="Who penalises lists"):
        serious_list.open_listing(foreign, article=7, facts="x", desk=desk)
    with pytest.raises(ListingRefused, match="no article 4"):
        serious_list.open_listing(heavy_penalty(entity), article=4, facts="x", desk=desk)
    with pytest.raises(RecordNotFound):
        serious_list.open_listing(9999, article=7, facts="x", desk=desk)


def test_a_penalty_that_was_attached_by_name_alone_lists_nobody_until_it_is_confirmed(desk):
    entity = registered(address=ADDRESS)
    from tests.factories import statement

    said = statement("penalty", kinds=["revoked_licence"], organ=ORGAN)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        (outcome,) = pen.state([(entity, said)], source="penalty-file", matched=["name"])
    with pytest.raises(ListingRefused, match="waits to be confirmed"):
        serious_list.open_listing(outcome.seq, article=7, facts="x", desk=desk)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        confirmed = pen.restate(outcome.seq, source="test", reason="已核实", matched="person")
    assert serious_list.open_listing(confirmed.seq, article=7, facts="x", desk=desk)[1]


def test_one_penalty_leads_to_one_listing(desk):
    case = serious_listed(desk, DAYS)
    penalty = listing_cases.current(case.rests_on).seq
    with pytest.raises(ListingConflict, match=f"case {case.id}"):
        serious_list.open_listing(penalty, article=8, facts="x", desk=desk)


def test_a_penalty_withdrawn_on_the_way_stops_the_case(desk):
    case = serious_decided(desk, DAYS)
    deliver(step_document(case.id, "decided"), replace(desk, today=DAYS[-1]))
    withdrawn(case)
    with pytest.raises(ListingConflict, match="was withdrawn"):
        serious_list.take_effect(case.id, desk=desk)


def test_a_listing_is_removed_early_after_a_year_with_its_conditions_on_record(desk):
    case = serious_listed(desk, DAYS)
    row = on_record(case)
    with pytest.raises(ListingRefused, match=r"from 2027-10-22 on.*duties .* is not shown.*harm .* is not shown"):
        serious_list.open_removal(row.seq, facts="x", conditions={"application": "书面申请"}, desk=desk)
    later = replace(desk, today=LATER)
    lives.passed(row.seq)
    lives.published(row.seq)
    removal, new = serious_list.open_removal(row.seq, facts="条件均已具备。", conditions=SHOWN, desk=later)
    assert new
    assert removal.decide_by <= date(2027, 11, 2)
    assert listing_cases.done(removal, "conditions")["conditions"]["duties"] == "罚款已缴清"
    removal = through(removal, later)
    after = on_record(case)
    assert (after.act, after.ends_on, after.detail["removed_because"]) == ("end", LATER, "early")
    assert {(one.state, one.stopped_because, one.stopped_on) for one in Publication.select()} == {("stopped", "removed", LATER)}  # fmt: skip
    assert documents.get(step_document(removal.id, "effective")).printed_no == "信市监严出〔2027〕1号"


def test_a_longer_restriction_by_law_bars_an_early_removal_until_it_is_over(desk):
    until = date(2028, 2, 1)
    case = serious_listed(desk, DAYS, until=until)
    seq = on_record(case).seq
    given = {"facts": "条件均已具备。", "conditions": SHOWN}
    with pytest.raises(
        ListingRefused, match=r"may be removed from 2028-02-01 on, when what a law restricts the party for"
    ):
        serious_list.open_removal(seq, **given, desk=replace(desk, today=date(2028, 1, 31)))
    assert serious_list.open_removal(seq, **given, desk=replace(desk, today=until))[1]


def test_another_heavier_penalty_bars_an_early_removal(desk):
    case = serious_listed(desk, DAYS)
    again = heavy_penalty(case.entity, decided_on=date(2026, 11, 2))
    with pytest.raises(ListingRefused, match=f"penalty {again} of 2026-11-02 is another heavier one"):
        serious_list.open_removal(on_record(case).seq, facts="x", conditions=SHOWN, desk=replace(desk, today=LATER))


@pytest.mark.parametrize(("today", "due"), [(date(2025, 12, 24), 15), (date(2025, 12, 25), 7)])
def test_an_early_removal_is_decided_in_fifteen_working_days_before_order_107_and_in_seven_from_it_on(
    on_sqlite, today, due
):
    from registry.services import workdays

    entity = registered(address=ADDRESS)
    seq = record(
        entity, "serious_listing", source="organ", listed_on=date(2024, 1, 15), document_no="信市监严入〔2024〕1号"
    ).seq
    desk = desk_of(on_sqlite, today=today)
    removal, _ = serious_list.open_removal(seq, facts="条件均已具备。", conditions=SHOWN, desk=desk)
    assert removal.decide_by == workdays.due(today, due)


def test_when_the_penalty_is_withdrawn_the_listing_is_withdrawn_and_leaves_public_view(desk):
    case = serious_listed(desk, DAYS)
    lives.passed(on_record(case).seq)
    lives.published(on_record(case).seq)
    assert serious_list.without_penalty() == []
    withdrawn(case)
    assert [row.seq for row in serious_list.without_penalty()] == [on_record(case).seq]
    correction, _ = serious_list.open_withdrawal(on_record(case).seq, facts="处罚决定已被撤销。", desk=desk)
    assert correction.ground == serious_list.PENALTY_GONE
    through(correction, desk)
    assert on_record(case).act == "withdraw"
    assert serious_list.without_penalty() == []
    assert listings.count(TODAY) == []
    assert Document.select().where(Document.type == "serious_correct").count() == 1
    assert [one.what for one in Notice.select().where(Notice.kind == "serious_listing")] == ["withdrawn"]


def test_a_refused_case_lists_nobody_and_stays_on_record(desk):
    case, _ = serious_list.open_listing(heavy_penalty(registered(address=ADDRESS)), article=7, facts="示例事实。", desk=replace(desk, today=DAYS[0]))  # fmt: skip
    at = replace(desk, today=DAYS[0])
    serious_list.notify(case.id, desk=at)
    deliver(step_document(case.id, "noticed"), at)
    serious_list.hear(case.id, statement="情节轻微。", answer="予以采纳。", desk=at)
    serious_list.propose(case.id, opinion="不列入。", desk=at)
    case, _ = serious_list.decide(case.id, agree=False, opinion="情节不属恶劣。", desk=second(at))
    assert case.state == "refused"
    assert Record.select().where(Record.kind == "serious_listing").count() == 0
    assert ListingCase.get_by_id(case.id).steps[-1]["agree"] is False
    assert deliveries.of(documents.get(step_document(case.id, "noticed")))
