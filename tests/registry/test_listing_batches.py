"""Candidates are a plan; a batch shares one number; what a person must verify is no candidate."""

from dataclasses import replace
from datetime import date

import pytest

from registry.models import Document, ListingCase
from registry.services import abnormal_list, ledger, listing_batches
from registry.services.listing_cases import ListingCaseNotFound, ListingConflict, ListingRefused
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.papers import ADDRESS, code_of, desk_of, entity_of, listed, on_record, party, second, through

REASON = "你单位未按照规定期限报送并公示2025年度年度报告。"


def covered(division="", from_on=date(2020, 1, 1), to_on=None):
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.cover("annual_report", division, from_on, to_on, source="test")


def plan(**given):
    return listing_batches.candidates(**{"ground": 1, "year": 2025, "today": TODAY, **given})


def codes(found):
    return [one.code for one in found.items]


def test_candidates_are_open_subjects_under_coverage_without_the_report(settings):
    covered()
    missing = party()
    reported = registered(address=ADDRESS)
    record(reported, "annual_report", year=2025)
    late = registered(address=ADDRESS)
    record(late, "annual_report", year=2025, filed_on=date(2026, 9, 1))
    older = registered(address=ADDRESS)
    record(older, "annual_report", year=2024, filed_on=date(2025, 4, 1))
    party(status=3)
    party(established=date(2026, 1, 5))
    listed(desk_of(settings))
    found = plan()
    assert sorted(codes(found)) == sorted([missing, code_of(older)])
    assert {one.reason for one in found.items} == {REASON}
    assert ListingCase.select().where(ListingCase.state != "effective").count() == 0


def test_who_is_not_covered_is_unknown_and_no_candidate(settings):
    covered("990101")
    inside, _ = party(), party(code=credit_code(division="990202"))
    assert (codes(plan()), plan().unknown) == ([inside], 1)
    assert codes(plan(division="9902")) == []
    assert codes(plan(divisions=("9902",))) == []


def test_who_is_not_covered_in_another_division_is_not_counted(settings):
    covered("990101")
    for division in ("990202", "990202", "990303"):
        party(code=credit_code(division=division))
    assert plan(divisions=("9902",)).unknown == 2
    assert plan(divisions=("9902", "990303")).unknown == 3
    assert plan(divisions=()).unknown == 0


def test_a_page_of_candidates_asks_the_database_for_a_page(settings, count_queries):
    covered()
    every = [party() for _ in range(6)]
    listed(desk_of(settings))
    first = entity_of(every[0]).id
    with count_queries() as sent:
        page = plan(limit=2, after=first)
    assert (codes(page), page.unknown) == (every[1:3], None)
    assert len(sent) == 1
    assert "LIMIT 3" in sent[0]


@pytest.mark.parametrize(("to_on", "found"), [(date(2026, 6, 29), 0), (date(2026, 6, 30), 1)])
def test_a_feed_that_ended_before_the_last_day_proves_nothing(settings, to_on, found):
    covered(to_on=to_on)
    party()
    assert len(plan().items) == found


@pytest.mark.parametrize("today", [date(2026, 6, 30), date(2026, 1, 1)])
def test_until_30_june_nobody_is_a_candidate(on_sqlite, today):
    with pytest.raises(ListingRefused, match="due by 30 June"):
        plan(today=today)


@pytest.mark.parametrize("ground", [2, 3])
def test_what_a_person_verifies_has_no_candidates(on_sqlite, ground):
    with pytest.raises(ListingRefused, match="what a person verified"):
        plan(ground=ground)


def test_candidates_come_in_pages_that_neither_skip_nor_repeat(settings):
    covered()
    every = [party() for _ in range(5)]
    first = plan(limit=2)
    rest = plan(after=first.next, limit=10)
    assert codes(first) + codes(rest) == every
    assert rest.next is None


def test_a_batch_shares_one_number_and_its_rows_have_sub_numbers_without_a_gap(settings):
    covered()
    every = [party() for _ in range(3)]
    party(subject="individual")
    desk = desk_of(settings)
    rows = [(one.code, one.reason) for one in plan().items]
    made = listing_batches.open_batch("2025年报", rows, ground=1, year=2025, opinion="建议列入。", desk=desk)
    assert (made.opened, made.unchanged, made.refused) == (4, 0, [])
    assert plan().items == []
    again = listing_batches.open_batch("2025年报", rows, ground=1, year=2025, opinion="建议列入。", desk=desk)
    assert (again.opened, again.unchanged) == (0, 4)
    done = listing_batches.decide_batch("2025年报", agree=True, opinion="同意。", desk=second(desk))
    assert (done.opened, done.refused) == (4, [])
    printed = [row.printed_no for row in Document.select().order_by(Document.word, Document.part)]
    assert printed == [f"信市监异入〔2026〕1-{part}号" for part in (1, 2, 3)] + ["信市监异标〔2026〕1-1号"]
    assert listing_batches.decide_batch("2025年报", agree=True, opinion="同意。", desk=second(desk)).opened == 0
    assert listed(desk).steps[-1]["document"]
    assert Document.select().order_by(Document.id.desc()).get().printed_no == "信市监异入〔2026〕2号"
    assert len(every) == 3


def test_a_row_that_cannot_be_is_refused_by_name_and_takes_nothing_else_with_it(settings):
    good, gone = party(), party(status=3)
    rows = [(good, REASON), (gone, REASON), ("nonsense", REASON), (party(), " ")]
    made = listing_batches.open_batch("b", rows, ground=1, year=2025, opinion="建议列入。", desk=desk_of(settings))
    assert (made.opened, [code for code, _ in made.refused]) == (1, [gone, "nonsense", rows[3][0]])
    assert "cancelled" in made.refused[0][1]
    assert ListingCase.select().count() == 1


def test_a_case_that_cannot_take_effect_any_more_leaves_no_gap_in_the_sub_numbers(settings):
    desk = desk_of(settings)
    every = [party() for _ in range(3)]
    listing_batches.open_batch(
        "b", [(code, REASON) for code in every], ground=1, year=2025, opinion="列入。", desk=desk
    )
    middle = entity_of(every[1])
    record(middle.id, "abnormal_listing", ground=1, year=2025, document_no="外市监异入〔2026〕9号")
    done = listing_batches.decide_batch("b", agree=True, opinion="同意。", desk=second(desk))
    assert (done.opened, len(done.refused)) == (2, 1)
    assert "listed for the same cause meanwhile" in done.refused[0][1]
    assert [row.part for row in Document.select().order_by(Document.id)] == [1, 2]
    refused = listing_batches.decide_batch("b", agree=False, opinion="已由他局列入。", desk=second(desk))
    assert refused.opened == 1


def test_whoever_opened_a_batch_does_not_audit_it(settings):
    desk = desk_of(settings)
    listing_batches.open_batch("b", [(party(), REASON)], ground=1, year=2025, opinion="列入。", desk=desk)
    done = listing_batches.decide_batch("b", agree=True, opinion="同意。", desk=desk)
    assert done.opened == 0
    assert "Two persons" in done.refused[0][1]


def test_some_rows_of_a_batch_may_be_refused_and_the_rest_agreed_to(settings):
    desk = desk_of(settings)
    listing_batches.open_batch(
        "b", [(party(), REASON) for _ in range(3)], ground=1, year=2025, opinion="列入。", desk=desk
    )
    first = ListingCase.select().order_by(ListingCase.id).get().id
    listing_batches.decide_batch("b", agree=False, opinion="已报。", desk=second(desk), only=[first])
    listing_batches.decide_batch("b", agree=True, opinion="同意。", desk=second(desk))
    assert listing_batches.count("b", organ=desk.organ.name).states == {"effective": 2, "refused": 1}


def test_a_batch_counts_what_it_listed_as_what_stands_ended_and_was_corrected(settings):
    desk = desk_of(settings)
    listing_batches.open_batch(
        "b", [(party(), REASON) for _ in range(4)], ground=1, year=2025, opinion="列入。", desk=desk
    )
    listing_batches.decide_batch("b", agree=True, opinion="同意。", desk=second(desk))
    first, second_, *_ = ListingCase.select().order_by(ListingCase.id)
    through(abnormal_list.open_removal(on_record(first).seq, cause=1, facts="补报。", proof="回执", desk=desk)[0], desk)
    through(abnormal_list.open_correction(on_record(second_).seq, facts="误列。", desk=desk)[0], desk)
    found = listing_batches.count("b", organ=desk.organ.name)
    assert (found.rows, found.listed, found.standing, found.removed, found.corrected) == (4, 4, 2, 1, 1)
    with pytest.raises(ListingCaseNotFound):
        listing_batches.count("none", organ=desk.organ.name)


def test_a_name_means_one_batch(on_sqlite):
    desk = desk_of(on_sqlite)
    listing_batches.open_batch("b", [(party(), REASON)], ground=1, year=2025, opinion="列入。", desk=desk)
    with pytest.raises(ListingConflict, match="Choose another name"):
        listing_batches.open_batch("b", [(party(), REASON)], ground=1, year=2024, opinion="列入。", desk=desk)
    with pytest.raises(ListingRefused, match="1 to 40 characters"):
        listing_batches.open_batch("", [], ground=1, year=2024, opinion="列入。", desk=replace(desk))
