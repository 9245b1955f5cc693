"""Delivery starts the clock of the remedies, once; two special letters in vain make a candidate for ground 4."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from registry import publicity
from registry.models import Delivery, Entity, Record
from registry.services import abnormal_list, deliveries, documents, ledger, listing_batches, workdays
from registry.services.deliveries import BadDelivery, DeliveryConflict, DeliveryNotFound
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry.papers import ADDRESS, desk_of, second, through

DAY = date(2026, 6, 1)


def order(desk, entity=None, type_="order_publish"):
    entity = entity or Entity.get_by_id(registered(address=ADDRESS))
    needs = {"facts": "示例事实。", "basis": "示例依据", "days": "10"}
    variables = {name: needs[name] for name in documents.template(type_).needs if name in needs}
    with ledger.writing(now=NOW, schemes=[]) as pen:
        return documents.issue(pen, documents.number(type_, desk), desk=desk, entity=entity, variables=variables)


def letter(settings, entity, sent_on, *, because="无人签收退回", signed=False):
    """A special letter that came back, or was signed for, five days later."""
    desk = desk_of(settings, today=sent_on)
    made, _ = deliveries.send(
        order(desk, entity, "contact_letter"), method="special_letter", sent_on=sent_on, desk=desk
    )
    later = replace(desk, today=sent_on + timedelta(days=5))
    if signed:
        deliveries.succeeded(made.id, delivered_on=later.today, proof="签收回执", desk=later)
    elif because:
        deliveries.failed(made.id, because=because, desk=later)
    return made


def test_a_delivery_starts_the_clock_of_both_remedies(settings):
    desk = desk_of(settings, today=DAY)
    document = order(desk)
    assert deliveries.remedies(document) is None
    made, new = deliveries.send(document, method="direct", sent_on=DAY, desk=desk)
    assert new
    deliveries.succeeded(made.id, delivered_on=DAY, proof="送达回证", desk=desk)
    clock = deliveries.remedies(document)
    assert (clock.delivered_on, clock.reconsider_by, clock.sue_by) == (DAY, date(2026, 7, 31), date(2026, 12, 1))
    assert [row.kind for row in Record.select().where(Record.act == "step").order_by(Record.seq)] == [
        "document", "delivery_sent", "delivery_done",
    ]  # fmt: skip


def test_a_last_day_on_a_holiday_moves_to_the_next_working_day(on_sqlite):
    desk = desk_of(on_sqlite, today=date(2026, 6, 2))
    document = order(desk)
    made, _ = deliveries.send(document, method="direct", sent_on=desk.today, desk=desk)
    deliveries.succeeded(made.id, delivered_on=desk.today, proof="送达回证", desk=desk)
    plain = desk.today + timedelta(days=60)
    assert not workdays.is_working(plain)
    assert deliveries.remedies(document).reconsider_by == workdays.add(plain, 1)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2026, 2, 28), 12, date(2027, 2, 28)),
        (date(2026, 6, 30), 6, date(2026, 12, 30)),
    ],
)
def test_a_month_that_is_shorter_ends_a_term_on_its_last_day(day, months, then):
    assert publicity.add_months(day, months) == then


def test_a_notice_without_remedies_has_no_such_clock(on_sqlite):
    desk = desk_of(on_sqlite, today=DAY)
    document = order(desk, type_="contact_letter")
    made, _ = deliveries.send(document, method="direct", sent_on=DAY, desk=desk)
    deliveries.succeeded(made.id, delivered_on=DAY, proof="回执", desk=desk)
    assert deliveries.remedies(document) is None


def test_saying_the_same_again_changes_nothing_and_something_else_is_refused(settings):
    desk = desk_of(settings, today=DAY)
    document = order(desk)
    made, _ = deliveries.send(document, method="post", sent_on=DAY, desk=desk)
    assert deliveries.send(document, method="post", sent_on=DAY, desk=desk) == (made, False)
    deliveries.succeeded(made.id, delivered_on=DAY, proof="回执", desk=desk)
    head = ledger.head()
    assert deliveries.succeeded(made.id, delivered_on=DAY, proof="回执", desk=desk)[1] is False
    assert ledger.head() == head
    with pytest.raises(DeliveryConflict, match="reached its party on 2026-06-01"):
        deliveries.failed(made.id, because="退回", desk=desk)
    with pytest.raises(DeliveryConflict, match="was delivered on 2026-06-01"):
        deliveries.send(document, method="direct", sent_on=DAY, desk=desk)


def test_a_failed_delivery_is_followed_by_another_and_both_stay_on_record(settings):
    desk = desk_of(settings, today=DAY)
    document = order(desk)
    made, _ = deliveries.send(document, method="post", sent_on=DAY, desk=desk)
    deliveries.failed(made.id, because="查无此人", desk=desk)
    assert deliveries.failed(made.id, because="查无此人", desk=desk)[1] is False
    again, _ = deliveries.send(document, method="left", sent_on=DAY, desk=desk)
    deliveries.succeeded(again.id, delivered_on=DAY, proof="现场照片", desk=desk)
    assert [(row.failed_because, row.delivered_on) for row in deliveries.of(document)] == [
        ("查无此人", None),
        ("", DAY),
    ]


@pytest.mark.parametrize(
    ("method", "sent", "arrived", "proof", "problem"),
    [
        ("pigeon", DAY, DAY, "x", "no method of delivery 'pigeon'"),
        ("post", DAY - timedelta(days=1), DAY, "x", "cannot have been sent on 2026-05-31"),
        ("post", DAY, DAY - timedelta(days=1), "x", "cannot have arrived on 2026-05-31"),
        ("post", DAY, DAY + timedelta(days=90), "x", "cannot have arrived"),
        ("post", DAY, DAY, " ", "what proves the delivery"),
        ("public_notice", DAY, DAY + timedelta(days=29), "官网公告", "after 30 days, on 2026-07-01"),
    ],
)
def test_a_delivery_that_cannot_be_is_refused_with_the_reason(on_sqlite, method, sent, arrived, proof, problem):
    desk = desk_of(on_sqlite, today=DAY)
    document = order(desk)
    later = replace(desk, today=DAY + timedelta(days=60))

    def deliver():
        made, _ = deliveries.send(document, method=method, sent_on=sent, desk=later)
        deliveries.succeeded(made.id, delivered_on=arrived, proof=proof, desk=later)

    with pytest.raises(BadDelivery, match=problem):
        deliver()
    assert Delivery.select().where(Delivery.delivered_on.is_null(False)).count() == 0


def test_a_public_notice_counts_as_delivered_after_thirty_days(on_sqlite):
    desk = desk_of(on_sqlite, today=DAY)
    made, _ = deliveries.send(order(desk), method="public_notice", sent_on=DAY, desk=desk)
    later = replace(desk, today=date(2026, 7, 1))
    assert deliveries.succeeded(made.id, delivered_on=later.today, proof="官网公告", desk=later)[1]


def test_an_organ_delivers_its_own_documents_only(on_sqlite):
    document = order(desk_of(on_sqlite, today=DAY))
    other = desk_of(on_sqlite, organ="信衡市澜砚区市场监督管理局")
    with pytest.raises(DeliveryConflict, match="is a document of 信衡市市场监督管理局"):
        deliveries.send(document, method="post", sent_on=DAY, desk=other)
    made, _ = deliveries.send(document, method="post", sent_on=DAY, desk=desk_of(on_sqlite, today=DAY))
    with pytest.raises(DeliveryNotFound):
        deliveries.failed(made.id, because="x", desk=other)


@pytest.mark.parametrize(("apart", "found"), [(14, False), (15, True), (30, True), (31, False)])
def test_two_letters_in_vain_fifteen_to_thirty_days_apart_make_a_candidate(settings, apart, found):
    entity = Entity.get_by_id(registered(address=ADDRESS))
    letter(settings, entity, DAY)
    letter(settings, entity, DAY + timedelta(days=apart))
    assert [one.entity for one in deliveries.uncontactable(TODAY)] == ([entity.id] if found else [])


def test_one_letter_or_one_still_under_way_or_one_signed_for_proves_nothing(settings):
    lone, waiting, reached = (Entity.get_by_id(registered(address=ADDRESS)) for _ in range(3))
    letter(settings, lone, DAY)
    letter(settings, waiting, DAY)
    letter(settings, waiting, DAY + timedelta(days=20), because="")
    letter(settings, reached, DAY)
    letter(settings, reached, DAY + timedelta(days=10), signed=True)
    letter(settings, reached, DAY + timedelta(days=20))
    assert deliveries.uncontactable(TODAY) == []


def test_letters_to_an_address_that_was_changed_since_prove_nothing(settings):
    entity = Entity.get_by_id(registered(address=ADDRESS))
    letter(settings, entity, DAY)
    letter(settings, entity, DAY + timedelta(days=20))
    registered(entity.code, name=entity.name, address="信衡市信东区新址路1号")
    assert deliveries.uncontactable(TODAY) == []


def test_a_candidate_by_letters_is_listed_once_and_then_no_candidate_any_more(settings):
    entity = Entity.get_by_id(registered(address=ADDRESS))
    letter(settings, entity, DAY)
    letter(settings, entity, DAY + timedelta(days=20))
    desk = desk_of(settings)
    plan = listing_batches.candidates(ground=4, year=None, today=TODAY)
    assert [one.code for one in plan.items] == [entity.code]
    assert "信市监核函〔2026〕1号、信市监核函〔2026〕2号" in plan.items[0].reason
    case, _ = abnormal_list.open_listing(entity.code, ground=4, facts=plan.items[0].reason, desk=desk)
    assert listing_batches.candidates(ground=4, year=None, today=TODAY).items == []
    assert through(case, desk).state == "effective"
    assert listing_batches.candidates(ground=4, year=None, today=TODAY).items == []
    assert second(desk).actor != desk.actor
