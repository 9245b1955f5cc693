"""Batches to other platforms: what is new, once, in time; what was refused, sent again; and how well an organ reports."""

import csv
import itertools
from datetime import date

import pytest

from registry import sheets, templates
from registry.models import Outbound, OutboundRow, Publication, Record
from registry.services import ledger, outbound, publication, receipts, reporting, reviews
from registry.services.outbound import Answer, BadReceipt, BatchConflict, BatchNotFound, NothingToSend
from tests.conftest import NOW, TODAY
from tests.factories import record, registered, statement

ORGAN = "信衡市市场监督管理局"
PLATFORM = "sharing_platform"
DAY = 86_400_000
_names = itertools.count()


def made(folder, recipient=PLATFORM, **given):
    given = {"kind": "penalty", "organ": ORGAN, "today": TODAY, "now": NOW, "actor": "test", **given}
    return outbound.make(recipient, given.pop("kind"), folder=folder, **given)


def seqs(batch):
    return [row["seq"] for row in outbound.rows(batch)]


def sent(batch, on=TODAY):
    return outbound.sent(batch.id, organ=ORGAN, on=on, today=TODAY, now=NOW, actor="test")


def answered(batch, *answers):
    return outbound.answer(batch.id, answers, organ=ORGAN, today=TODAY, now=NOW, actor="test")


def resent(batch, folder):
    return outbound.resend(batch.id, organ=ORGAN, folder=folder, today=TODAY, now=NOW, actor="test")


def corrected(old, **given):
    document_no = Record.get(Record.seq == old.seq).document_no
    with ledger.writing(now=NOW, schemes=[]) as pen:
        return pen.correct(old.seq, statement("penalty", document_no=document_no, **given), source="test")


def published(one, *, channel="credit_china", kind="penalty"):
    given = {"organ": None, "today": TODAY, "now": NOW}
    reviews.review(one.seq, kind, outcome="passed", actor="key:reviewer", schemes=[], **given)
    return publication.publish(one.seq, kind, channels=[channel], actor="key:reviewer", old_rows="keep", **given)


def test_a_batch_takes_what_is_new_and_the_next_one_only_what_came_since(settings, tmp_path):
    entity = registered()
    first, second = record(entity), record(entity)
    record(entity, organ="信衡市公安局")
    one = made(tmp_path).batch
    assert (seqs(one), one.rows, one.state) == ([first.seq, second.seq], 2, "made")
    with pytest.raises(NothingToSend, match="had everything"):
        made(tmp_path)
    third, new = record(entity), corrected(first, violation="无照经营")
    two = made(tmp_path).batch
    assert seqs(two) == [third.seq, new.seq]
    assert seqs(made(tmp_path, "sharing_platform", organ="信衡市公安局").batch) != []
    with outbound.file_of(two, tmp_path).open(encoding="utf-8-sig", newline="") as handle:
        assert [row["违法行为类型"] for row in csv.DictReader(handle)] == ["虚假宣传", "无照经营"]


def test_what_was_withdrawn_before_it_was_sent_is_not_sent(settings, tmp_path):
    entity = registered()
    kept, gone = record(entity), record(entity)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(gone.seq, source="test", reason="撤销")
    assert seqs(made(tmp_path).batch) == [kept.seq]


def test_to_a_public_platform_goes_only_what_may_be_shown_there(settings, tmp_path):
    entity = registered()
    shown, draft = record(entity, fine_fen=200_000_00), record(entity, fine_fen=200_000_00)
    with pytest.raises(NothingToSend, match="2 not published on credit_china"):
        made(tmp_path, "credit_china")
    published(shown)
    batch = made(tmp_path, "credit_china")
    assert (seqs(batch.batch), batch.left_out) == ([shown.seq], {"not published on credit_china": 1})
    # Published later, without a new word about the record itself: it goes with the next batch, the other not again.
    published(draft)
    assert seqs(made(tmp_path, "credit_china").batch) == [draft.seq]
    # A correction waits for its own review.
    new = corrected(shown, fine_fen=150_000_00)
    with pytest.raises(NothingToSend, match="not published"):
        made(tmp_path, "credit_china")
    published(new)
    assert seqs(made(tmp_path, "credit_china").batch) == [new.seq]


def test_what_is_stopped_on_the_channel_is_not_sent(on_sqlite, tmp_path):
    one = record(registered(), fine_fen=200_000_00)
    published(one)
    Publication.update(state="stopped", stopped_on=TODAY, stopped_because="test").execute()
    with pytest.raises(NothingToSend):
        made(tmp_path, "credit_china")


def test_each_row_is_due_by_the_clock_of_its_recipient(on_sqlite, tmp_path):
    one = record(registered(), decided_on=date(2026, 9, 28), fine_fen=200_000_00)
    published(one, channel="credit_china")
    published(one, channel="necips")
    # The first week of October is a holiday, and 10 October a Saturday on which people work.
    due = {name: outbound.rows(made(tmp_path, name).batch)[0]["due_on"] for name in ("credit_china", "necips")}
    assert due == {"credit_china": date(2026, 10, 13), "necips": date(2026, 10, 30)}


def test_a_record_without_what_the_template_needs_is_left_out_until_it_is_corrected(on_sqlite, tmp_path):
    entity = registered()
    record(entity)
    undated = record(entity, decided_on=None)
    batch = made(tmp_path)
    assert (batch.batch.rows, batch.left_out) == (1, {"no 处罚决定日期": 1})
    new = corrected(undated)
    assert seqs(made(tmp_path).batch) == [new.seq]


def test_the_recipients_answer_is_kept_row_by_row(settings, tmp_path):
    entity = registered()
    for _ in range(3):
        record(entity)
    batch = made(tmp_path).batch
    rows = outbound.rows(batch)
    with pytest.raises(BatchConflict, match="was not sent yet"):
        answered(batch, Answer("accepted", row=2))
    sent(batch)
    half = answered(
        batch, Answer("accepted", row=2), Answer("refused", document_no=rows[1]["document_no"], reason="代码有误")
    )
    assert (half.state, outbound.shown(half)["open"]) == ("sent", 1)
    answered(batch, Answer("accepted", row=2))  # again: nothing changes
    whole = answered(batch, Answer("accepted", row=4))
    assert (whole.state, whole.answered_on) == ("answered", TODAY)
    assert [(row["said"], row["reason"]) for row in outbound.rows(batch)] == [
        ("accepted", ""),
        ("refused", "代码有误"),
        ("accepted", ""),
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("accepted", row=9), "no row 9"),
        (Answer("accepted", document_no="没有〔2026〕1号"), "no row"),
        (Answer("refused", row=2, document_no="另一〔2026〕1号"), "another document number"),
        (Answer("refused", row=3), "was accepted already"),
    ],
)
def test_a_receipt_that_does_not_fit_is_refused_whole(on_sqlite, tmp_path, answer, said):
    entity = registered()
    record(entity)
    record(entity)
    batch = made(tmp_path).batch
    sent(batch)
    answered(batch, Answer("accepted", row=3))
    with pytest.raises(BadReceipt, match=said):
        answered(batch, Answer("accepted", row=2), answer)
    assert [row["said"] for row in outbound.rows(batch)] == ["", "accepted"]


def test_one_case_with_several_parties_is_answered_by_row(on_sqlite, tmp_path):
    for _ in range(2):
        record(registered(), document_no="信市监处罚〔2026〕1号")
    batch = made(tmp_path).batch
    sent(batch)
    with pytest.raises(BadReceipt, match="2 rows have this document number"):
        answered(batch, Answer("accepted", document_no="信市监处罚〔2026〕1号"))
    answered(batch, Answer("accepted", row=3, document_no="信市监处罚[2026]1号"))
    assert [row["said"] for row in outbound.rows(batch)] == ["", "accepted"]


def test_refused_rows_go_again_once_in_their_present_wording(settings, tmp_path):
    entity = registered()
    first, second, third = (record(entity) for _ in range(3))
    batch = made(tmp_path).batch
    sent(batch)
    answered(batch, Answer("refused", row=2), Answer("refused", row=3), Answer("accepted", row=4))
    new = corrected(first, violation="无照经营")
    again = resent(batch, tmp_path).batch
    assert (seqs(again), again.resend_of) == ([second.seq, new.seq], batch.id)
    with pytest.raises(NothingToSend, match="went with a later batch"):
        resent(batch, tmp_path)
    with pytest.raises(NothingToSend):
        made(tmp_path)
    assert third.seq not in seqs(again)
    sent(again)
    answered(again, Answer("refused", row=2))
    assert seqs(resent(again, tmp_path).batch) == [second.seq]


def test_a_refused_row_that_was_withdrawn_is_not_sent_again(on_sqlite, tmp_path):
    one = record(registered())
    batch = made(tmp_path).batch
    sent(batch)
    answered(batch, Answer("refused", row=2))
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(one.seq, source="test", reason="撤销")
    with pytest.raises(NothingToSend, match="hold no more"):
        resent(batch, tmp_path)


def test_the_day_of_sending_stays_what_it_is(on_sqlite, tmp_path):
    record(registered())
    batch = made(tmp_path).batch
    with pytest.raises(BatchConflict, match="no day between"):
        sent(batch, date(2026, 11, 20))
    assert sent(batch).sent_on == sent(batch).sent_on == TODAY
    with pytest.raises(BatchConflict, match="already"):
        sent(batch, date(2026, 11, 22))


def test_the_file_of_a_batch_is_the_one_that_was_sent_or_none(on_sqlite, tmp_path):
    record(registered())
    batch = made(tmp_path, form="xlsx").batch
    path = outbound.file_of(batch, tmp_path)
    assert path.suffix == ".xlsx"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(outbound.BatchLost):
        outbound.file_of(batch, tmp_path)
    assert [one for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_two_who_make_the_same_batch_at_once_make_one(on_sqlite, tmp_path, monkeypatch):
    record(registered())
    real, began = outbound.exports.write, []

    def slow(*given, **more):
        if not began:
            began.append("the other one, in between")
            made(tmp_path)
        return real(*given, **more)

    monkeypatch.setattr(outbound.exports, "write", slow)
    with pytest.raises(BatchConflict, match="making the same batch"):
        made(tmp_path)
    assert (Outbound.select().count(), OutboundRow.select().count()) == (1, 1)


def test_a_batch_is_its_organs_business(on_sqlite, tmp_path):
    record(registered())
    batch = made(tmp_path).batch
    with pytest.raises(BatchNotFound):
        outbound.get(batch.id, organ="信衡市公安局")
    assert outbound.page(organ="信衡市公安局", after=None, limit=5).items == []
    assert [one["id"] for one in outbound.page(organ=ORGAN, after=None, limit=5).items] == [batch.id]


def test_what_a_recipient_does_not_take_is_refused_by_name(on_sqlite, tmp_path):
    with pytest.raises(templates.UnknownRecipient, match="credit_china, necips"):
        made(tmp_path, "somebody")
    with pytest.raises(templates.UnknownTemplate, match="takes no recall"):
        made(tmp_path, kind="recall")


def test_rates_tell_what_was_late_refused_and_never_sent(settings, tmp_path):
    entity = registered()
    days = {"in time": date(2026, 11, 12), "late by 7": date(2026, 11, 2), "late by 20": date(2026, 10, 9)}
    for day in days.values():
        record(entity, decided_on=day)
    batch = made(tmp_path).batch
    sent(batch)
    answered(batch, Answer("refused", row=2), Answer("accepted", row=3))
    record(entity, decided_on=date(2026, 11, 3))  # never sent, and due on the 12th
    record(entity, decided_on=date(2026, 11, 19))  # has time yet
    found = reporting.rates(PLATFORM, "penalty", organ=ORGAN, first=date(2026, 1, 1), last=TODAY, today=TODAY)
    said = {one.month: (one.sent, one.late_7, one.late_20, one.accepted, one.refused, one.overdue) for one in found}
    assert said == {"2026-10": (1, 1, 1, 0, 0, 0), "2026-11": (2, 1, 0, 1, 1, 1)}
    assert (
        reporting.rates(PLATFORM, "penalty", organ="信衡市公安局", first=date(2026, 1, 1), last=TODAY, today=TODAY)
        == []
    )


def test_a_record_that_was_sent_twice_counts_once_by_the_first_time(on_sqlite, tmp_path):
    one = record(registered(), decided_on=date(2026, 11, 12))
    sent(made(tmp_path).batch)
    corrected(one, decided_on=date(2026, 11, 12), violation="无照经营")
    sent(made(tmp_path).batch)
    (rate,) = reporting.rates(PLATFORM, "penalty", organ=None, first=date(2026, 1, 1), last=TODAY, today=TODAY)
    assert (rate.sent, rate.late_7, rate.overdue) == (1, 0, 0)


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_receipt_is_any_table_with_a_row_or_number_and_a_result(tmp_path, suffix):
    path = tmp_path / f"receipt.{suffix}"
    sheets.write_table(
        path, ["行号", "行政处罚决定书文号", "处理结果", "退回原因"], [(2, "信市监〔2026〕1号", "入库", None), (3, None, "退回", "代码有误"), (None, "信市监〔2026〕3号", "通过", None)]
    )  # fmt: skip
    assert receipts.read(path) == [
        Answer("accepted", 2, "信市监〔2026〕1号"), Answer("refused", 3, "", "代码有误"), Answer("accepted", None, "信市监〔2026〕3号"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("文号甲,结果\n1,通过\n", "no row of headings"),
        ("行号,结果\n2,也许\n", "is no result"),
        ("行号,结果\n二,通过\n", "no row number"),
        ("行号,结果\n,通过\n", "neither a row nor"),
    ],
)
def test_a_receipt_that_cannot_be_read_says_where(tmp_path, text, said):
    path = tmp_path / "receipt.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadReceipt, match=said):
        receipts.read(path)
