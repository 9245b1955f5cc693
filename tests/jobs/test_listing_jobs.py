"""Reminders of anniversaries, cases that the law opens, and removals whose term is over get their document."""

from dataclasses import replace
from datetime import date

import pytest

from jobs import runner
from jobs.tasks import named
from registry.models import Document, JobRun, ListingCase, Record, Reminder
from registry.services import abnormal_list, deliveries, documents, ledger, listing_cases, reminders, serious_list
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry.papers import (
    ADDRESS,
    ORGAN,
    code_of,
    deliver,
    desk_of,
    on_record,
    second,
    serious_listed,
    step_document,
    through,
)

SUPERIOR = "信衡省市场监督管理局"


def run(settings, today=TODAY, name="remind_listings"):
    return runner.by_hand(named(name), settings, actor="test", on=today, now=lambda: NOW + JobRun.select().count())


def listing(on, kind="abnormal_listing", **given):
    number = f"信市监旧〔{on.year}〕{Record.select().count()}号"
    return record(
        registered(address=ADDRESS, **given.pop("party", {})), kind, listed_on=on, document_no=number, **given
    ).seq


@pytest.mark.parametrize(
    ("listed_on", "reminded"),
    [
        (date(2023, 11, 20), False),  # three years yesterday
        (date(2023, 11, 21), True),  # today
        (date(2024, 1, 20), True),  # in sixty days
        (date(2024, 1, 21), False),
    ],
)
@pytest.mark.parametrize("kind", ["abnormal_listing", "serious_listing"])
def test_a_reminder_is_written_within_sixty_days_of_the_day(on_sqlite, listed_on, reminded, kind):
    listing(listed_on, kind)
    assert run(on_sqlite).result["reminders"] == reminded
    assert [row.due_on for row in Reminder.select()] == (
        [date(listed_on.year + 3, listed_on.month, listed_on.day)] if reminded else []
    )


def test_reminders_are_written_once_and_only_for_what_stands(settings):
    desk = desk_of(settings)
    stands, removed = listing(date(2023, 12, 1), ground=4), listing(date(2023, 12, 2), ground=4)
    listing(date(2021, 11, 30), "serious_listing", until=date(2026, 12, 15))
    assert run(settings).result["reminders"] == 3
    head = ledger.head()
    assert (run(settings).result["reminders"], ledger.head()) == (0, head)
    through(abnormal_list.open_removal(removed, cause=5, facts="已联系。", proof="核查记录", desk=desk)[0], desk)
    found = reminders.page(TODAY, organ=ORGAN, limit=10)
    assert [(one.reminder.list, one.seq, one.days_left) for one in found.items][:1] == [("abnormal", stands, 10)]
    assert [one.reminder.due_on for one in found.items] == [date(2026, 12, 1), date(2026, 12, 15)]
    first = reminders.page(TODAY, organ=ORGAN, limit=1)
    assert [one.seq for one in reminders.page(TODAY, organ=ORGAN, after=first.next, limit=1).items] != [stands]
    assert list(reminders.page(TODAY, organ="另一机关", limit=10).items) == []
    assert list(reminders.page(TODAY, organ=ORGAN, divisions=("1101",), limit=10).items) == []


def test_without_the_setting_three_years_transfer_nobody(settings):
    listing(date(2020, 3, 1), ground=4)
    assert run(settings).result["transfers"] == 0
    assert ListingCase.select().count() == 0


def test_with_the_setting_three_years_open_one_case_that_goes_through_every_step(settings):
    with_it = replace(settings, listings=replace(settings.listings, three_year_transfer=1))
    seq = listing(date(2023, 11, 21), ground=4)
    listing(date(2023, 11, 22), ground=4)
    listing(date(2020, 3, 1), ground=4, party={"subject": "individual"})
    assert run(with_it).result["transfers"] == 1
    assert run(with_it).result["transfers"] == 0
    case = ListingCase.get()
    assert (case.list, case.state, case.ground) == ("serious", "draft", 0)
    desk = desk_of(with_it)
    serious_list.notify(case.id, desk=desk)
    deliver(step_document(case.id, "noticed"), desk)
    assert "较重行政处罚" not in documents.get(step_document(case.id, "noticed")).text
    serious_list.hear(case.id, statement="已在整改。", answer="不予采纳。", desk=desk)
    serious_list.propose(case.id, opinion="建议列入。", desk=desk)
    serious_list.approve_above(
        case.id, organ=SUPERIOR, approval_no="信省市监信〔2026〕9号", approved_on=TODAY, desk=desk
    )
    serious_list.decide(case.id, agree=True, opinion="同意。", desk=second(desk))
    deliver(step_document(case.id, "decided"), desk)
    case, _ = serious_list.take_effect(case.id, desk=desk)
    old = Record.get(Record.replaces == seq)
    assert (old.ends_on, old.detail["removed_because"], on_record(case).code) == (TODAY, abnormal_list.TRANSFER, 0)
    assert [row.type for row in Document.select().order_by(Document.id)] == [
        "serious_notice",
        "serious_enter",
        "abnormal_remove",
    ]
    assert run(with_it).result["transfers"] == 0


def test_a_listing_whose_penalty_is_gone_gets_a_proposed_case_that_an_officer_audits(settings):
    desk = desk_of(settings)
    case = serious_listed(desk, [date(2026, 10, 12), date(2026, 10, 15), date(2026, 10, 22)])
    assert run(settings).result["withdrawals"] == 0
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(listing_cases.current(case.rests_on).seq, source="organ", reason="行政复议撤销")
    assert run(settings).result["withdrawals"] == 1
    assert run(settings).result["withdrawals"] == 0
    waiting = ListingCase.select().order_by(ListingCase.id.desc()).get()
    assert (waiting.state, waiting.proposed_by) == ("proposed", "job:remind_listings")
    serious_list.decide(waiting.id, agree=True, opinion="同意。", desk=desk)
    assert on_record(case).act == "withdraw"


def test_a_removal_by_term_gets_its_document_in_the_same_transaction(settings):
    seq = listing(date(2023, 11, 21), "serious_listing")
    foreign = listing(date(2023, 11, 21), "serious_listing", organ="信衡市税务局")
    assert run(settings, name="end_listings").result["ended"] == 2
    ended = Record.get(Record.replaces == seq)
    (document,) = Document.select()
    assert (document.printed_no, document.about, ended.detail["removal_no"]) == (
        "信市监严出〔2026〕1号",
        ended.identity,
        "信市监严出〔2026〕1号",
    )
    assert ended.ends_on == date(2026, 11, 21)
    assert "自2026年11月21日起移出" in document.text
    assert "removal_no" not in Record.get(Record.replaces == foreign).detail
    assert deliveries.of(document) == []
    assert code_of(document.entity)
    assert run(settings, name="end_listings").items == 0
