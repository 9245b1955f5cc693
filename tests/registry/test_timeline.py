"""The timeline of an entity: in order, as of any day and any number, and silent about what may not be seen any more."""

from datetime import date

import pytest

from registry.models import Document, Entity, Record
from registry.services import documents, dossier, ledger, merges, serious_list
from registry.services.visibility import ENTERPRISE, REGULATOR
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement
from tests.registry.deeds import repaired, shown, withdrawn
from tests.registry.papers import ADDRESS, desk_of, on_record, serious_listed, through

ZONE = "Asia/Shanghai"
DAY = 86_400_000


def told(entity, **given):
    """(what, kind, day) of each line, newest first."""
    return [(one["what"], one["kind"], one["day"]) for one in page(entity, **given).items]


def page(entity, *, reader=REGULATOR, today=TODAY, **given):
    return dossier.page(Entity.get_by_id(entity), reader=reader, today=today, zone=ZONE, **given)


def corrected(seq, *, now=NOW, **given):
    row = Record.get(Record.seq == seq)
    with ledger.writing(now=now, schemes=[]) as pen:
        return pen.correct(seq, statement(row.kind, document_no=row.document_no, **given), source="test")


def test_a_dossier_tells_everything_newest_first(settings):
    entity = registered(established=date(2015, 3, 1))
    record(entity, decided_on=date(2026, 3, 2))
    record(entity, "abnormal_listing", listed_on=date(2025, 7, 9), removed_on=date(2026, 8, 1))
    assert told(entity) == [
        ("end", "abnormal_listing", "2026-08-01"),
        ("record", "penalty", "2026-03-02"),
        ("record", "abnormal_listing", "2025-07-09"),
        ("record", "registration", "2015-03-01"),
    ]
    found = page(entity)
    assert found.counts == {"registration": 1, "penalty": 1, "abnormal_listing": 1}
    assert found.years == {"2026": 2, "2025": 1, "2015": 1}
    assert found.items[0]["line"]["zh"].startswith("移出：")
    assert found.items[1]["line"]["en"] == "Fine, 5,000.00 yuan"


def test_a_record_without_a_date_comes_last_and_says_that_it_does_not_count(settings):
    entity = registered()
    record(entity, decided_on=None)
    last = page(entity).items[-1]
    assert (last["kind"], last["day"], last["counted"], last["why_not"]["zh"]) == (
        "penalty",
        None,
        False,
        "来源未提供日期",
    )


def test_a_correction_stands_on_the_day_it_became_known_with_what_was_said_before(settings):
    entity = registered()
    seq = record(entity, decided_on=date(2026, 3, 2), fine_fen=5_000_00).seq
    corrected(seq, now=NOW + DAY, decided_on=date(2026, 3, 2), fine_fen=300_00)
    change, penalty = page(entity).items[:2]
    assert (change["what"], change["day"]) == ("correction", "2026-11-22")
    assert (change["was"]["en"], change["line"]["en"]) == ("Fine, 5,000.00 yuan", "Corrected: Fine, 300.00 yuan")
    assert (penalty["what"], penalty["day"], penalty["amount_fen"], penalty["corrected"]) == (
        "record", "2026-03-02", 300_00, True,
    )  # fmt: skip


def test_asked_with_what_was_known_then_it_says_what_was_believed_then(settings):
    entity = registered()
    seq = record(entity, fine_fen=5_000_00).seq
    before = ledger.head()
    corrected(seq, fine_fen=300_00)
    then = page(entity, known=before)
    assert [one["amount_fen"] for one in then.items if one["kind"] == "penalty"] == [5_000_00]
    assert not [one for one in then.items if one["what"] == "correction"]


def test_asked_for_a_day_it_leaves_out_what_happened_later_and_a_listing_stands_open(settings):
    entity = registered()
    record(entity, "abnormal_listing", listed_on=date(2025, 7, 9), removed_on=date(2026, 8, 1))
    (listing, _) = page(entity, on=date(2026, 7, 31)).items
    assert (listing["what"], listing["ends_on"]) == ("record", None)
    assert "移出" not in listing["line"]["zh"]
    assert told(entity, on=date(2025, 7, 8)) == [("record", "registration", "2015-03-01")]


@pytest.mark.parametrize("gone", [withdrawn, repaired])
def test_what_was_withdrawn_or_repaired_since_is_one_line_without_words_for_every_day_and_number(settings, gone):
    entity = registered()
    seq = record(
        entity,
        document_no="信市监处罚〔2026〕77号",
        violation="虚假宣传",
        decided_on=date(2026, 1, 5),
        fine_fen=1_234_00,
    ).seq
    shown(seq, today=date(2026, 3, 2), now=NOW - 200 * DAY)
    # The shortest period before a repair is over by then.
    gone(seq)
    for known in range(ledger.head() + 1):
        for on in (None, date(2026, 1, 5), TODAY):
            for reader in (REGULATOR, ENTERPRISE):
                text = str(page(entity, known=known, on=on, reader=reader))
                assert not [
                    word
                    for word in ("77号", "虚假宣传", "1,234", "123400", "2026-01-05")
                    if word in text.replace(str(on), "")
                ]
    (line,) = [one for one in page(entity).items if one["kind"] == "penalty"]
    assert (line["what"], line["sealed"]) == ("sealed", {withdrawn: "withdrawn", repaired: "repaired"}[gone])
    assert set(line) == {"day", "year", "seq", "what", "kind", "title", "line", "sealed"}


def test_steps_are_told_to_each_reader_as_far_as_they_are_for_him(settings):
    entity = registered()
    shown(record(entity, decided_on=date(2026, 11, 2)).seq)
    regulator = [one["kind"] for one in page(entity).items if one["what"] == "step"]
    own = [one for one in page(entity, reader=ENTERPRISE).items if one["what"] == "step"]
    # A minor penalty is not shown on Credit China under the measure of 2026.
    assert sorted(regulator) == ["not_published", "published", "reviewed"]
    assert [one["kind"] for one in own] == ["published"]
    assert "by" not in own[0]
    assert own[0]["line"]["zh"].startswith("公示：行政处罚信市监处罚")


def test_a_dossier_holds_the_records_of_who_was_merged_into_it_from_the_merge_on(settings):
    winner, loser = registered(code := credit_code()), registered(other := credit_code())
    record(loser, decided_on=date(2026, 2, 2))
    before = ledger.head()
    merges.merge(other, code, reason="同一主体", actor="test", today=TODAY, now=NOW, schemes=[], scheme=None)
    assert ("record", "penalty", "2026-02-02") in told(winner)
    assert page(winner).merged == [other]
    assert ("record", "penalty", "2026-02-02") not in told(winner, known=before)
    assert page(winner).basics["code"] == code


def test_pages_neither_skip_nor_repeat_a_line(settings):
    entity = registered()
    for month in range(1, 10):
        record(entity, decided_on=date(2026, month, 3))
    whole, pages, token = page(entity, limit=200).items, [], None
    while token is not None or not pages:
        found = page(entity, limit=3, after=token)
        pages.append(found.items)
        token = found.next
    assert [one for some in pages for one in some] == whole
    assert len(pages) == 4


def test_a_page_costs_the_same_however_much_there_is(settings, count_queries):
    little, much = registered(), registered()
    for entity, number in ((little, 2), (much, 60)):
        for _ in range(number):
            record(entity)
    counts = []
    for entity in (little, much):
        one = Entity.get_by_id(entity)
        with count_queries() as sent:
            dossier.page(one, reader=REGULATOR, today=TODAY, zone=ZONE, limit=50)
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 8


def test_who_is_not_registered_yet_is_told_by_what_is_known(settings):
    entity = registered()
    assert page(entity, known=0).basics["provisional"] is True
    assert page(entity).basics["provisional"] is False


@pytest.mark.parametrize("how", ["name", "review"])
def test_what_waits_to_be_confirmed_is_told_to_regulators_only(settings, how):
    entity = registered()
    if how == "name":
        with ledger.writing(now=NOW, schemes=[]) as pen:
            said = statement("serious_listing", document_no="信市监严〔2026〕3号")
            seq = pen.state([(entity, said)], source="test", matched=["name"])[0].seq
    else:
        seq = record(entity, "serious_listing", document_no="信市监严〔2026〕3号").seq
        identity = Record.get(Record.seq == seq).identity
        with ledger.writing(now=NOW, schemes=[]) as pen:
            pen.step(
                "held", about=identity, entity=entity, key=[seq], on=TODAY, detail={}, by="test", leaves_out="review"
            )
    own = page(entity, reader=ENTERPRISE)
    assert [one["kind"] for one in own.items] == ["registration"]
    assert own.counts == {"registration": 1}
    (line,) = [one for one in page(entity).items if one["kind"] == "serious_listing"]
    assert (line["seq"], line["counted"]) == (seq, False)


def test_the_documents_of_a_listing_that_was_withdrawn_are_not_told_either(settings):
    desk = desk_of(settings, today=TODAY)
    case = serious_listed(desk, [date(2026, 10, 12), date(2026, 10, 15), date(2026, 10, 22)])
    entity = case.entity
    before = [one["kind"] for one in page(entity).items]
    assert {"document", "delivery_sent", "delivery_done"} <= set(before)
    numbers = {one.printed_no for one in Document.select().where(Document.entity == entity)}
    wrong, _ = serious_list.open_withdrawal(on_record(case).seq, facts="列入有误。", desk=desk)
    through(wrong, desk)
    for reader in (REGULATOR, ENTERPRISE):
        for known in (None, on_record(case).seq - 1):
            text = str(page(entity, reader=reader, known=known))
            assert not [number for number in numbers if number in text]
            assert "列入" not in text.replace("列入有误", "")


def test_a_document_about_nothing_that_is_sealed_stays(settings):
    desk = desk_of(settings)
    entity = registered(address=ADDRESS)
    made = documents.issue_free(
        "contact_letter", Entity.get_by_id(entity), dict.fromkeys(documents.template("contact_letter").needs, "示例"), desk=desk
    )  # fmt: skip
    withdrawn(record(entity).seq)
    assert made.printed_no in str(page(entity, reader=ENTERPRISE).items)
