"""What took a record down says whether, and how, it may come back; and whoever had it hears of that, and only he."""

from datetime import date

import pytest

from registry.models import CHANNELS, Notice, Publication, Record
from registry.services import grading, ledger, life, notices, outbound, publication, publishing, repairs
from registry.services.life import WrongState
from registry.services.publication import NotReviewed
from registry.services.repairs import ConditionsNotMet
from tests.conftest import NOW, TODAY
from tests.factories import record, registered, statement
from tests.registry import lives
from tests.registry.lives import APPROVER, DECIDER, ORGAN, REVIEWER, SCHEMES

pytestmark = pytest.mark.usefixtures("settings")
LARGER = {"kinds": ["fine"], "fine_fen": 200_000_00, "content": ""}
REVOKED = {"kinds": ["revoked_licence"], "fine_fen": 0}
ID = "11010119900307000" + "3"


def stopped(seq, reason="有误", **given):
    publication.stop(
        seq, lives.target(seq).kind, reason=reason, organ=None, actor=DECIDER, today=TODAY, now=NOW, **given
    )


def everything(kind="penalty"):
    return publishing.publish_all(
        kind, organ=ORGAN, review="批量审核", actor=REVIEWER, schemes=SCHEMES, today=TODAY, now=lambda: NOW, old_rows="keep"
    )  # fmt: skip


def restated(seq):
    with ledger.writing(now=NOW, schemes=[]) as pen:
        return pen.restate(seq, source="test", reason="误撤").seq


def collected(now=NOW):
    return notices.collect(now=now, zone="Asia/Shanghai")


def told():
    return [(one.what, one.kind) for one in Notice.select().order_by(Notice.seq)]


def test_what_an_officer_stopped_comes_back_by_itself_and_with_a_reason_never_with_the_many():
    seq = lives.shown_penalty(**LARGER)
    stopped(seq)
    assert everything().outcomes == {"stopped": 1}
    assert {one.said for one in lives.published(seq).values()} == {"stopped"}
    assert "with a `reason`" in lives.published(seq)["site"].cause
    assert not lives.seen(seq)
    assert {one.said for one in lives.published(seq, reason="复核无误").values()} == {"published"}
    assert lives.seen(seq)


def test_words_that_an_upheld_objection_took_down_come_back_corrected_and_reviewed_only():
    entity = registered()
    given = {**LARGER, "document_no": "信市监处罚〔2026〕31号"}
    seq = lives.shown_penalty(entity=entity, channels=("site",), **given)
    number = lives.objected(seq)["id"]
    lives.answered(number, upheld=True)
    assert everything().outcomes == {"not_reviewed": 1}
    with pytest.raises(NotReviewed, match=r"An objection to these very words was upheld.* Correct the record"):
        lives.published(seq, reason="再公示")
    with pytest.raises(WrongState, match=r"An objection to these very words was upheld.* Correct the record"):
        lives.passed(seq)
    assert not lives.seen(seq)
    new = record(entity, **{**given, "fine_fen": 300_000_00, "decided_on": date(2026, 3, 2)}).seq
    lives.passed(new)
    lives.published(new)
    assert lives.seen(new)
    assert list(life.derive_life()) == []


def said_again(entity, fine_fen, on):
    """The source says the same penalty with another fine; the ledger row that holds then."""
    given = {**LARGER, "document_no": "信市监处罚〔2026〕32号", "decided_on": on, "fine_fen": fine_fen}
    return record(entity, **given).seq


def test_words_against_which_an_objection_was_upheld_are_not_shown_when_their_source_says_them_again():
    entity, on = registered(), date(2026, 3, 2)
    wrong = lives.shown_penalty(entity=entity, on=on, **{**LARGER, "document_no": "信市监处罚〔2026〕32号"})
    lives.answered(lives.objected(wrong)["id"], upheld=True)
    right = said_again(entity, 300_000_00, on)
    lives.passed(right)
    lives.published(right)
    assert lives.seen(right)
    again = said_again(entity, LARGER["fine_fen"], on)
    assert lives.target(again).content == Record.get(Record.seq == wrong).content
    assert [lives.seen(again, channel) for channel in CHANNELS] == [False] * len(CHANNELS)
    assert life.of(lives.target(again))["state"] == "refused"


def test_an_objection_is_to_the_words_that_stood_when_it_came_and_to_those_that_stand_when_it_is_upheld():
    entity, on = registered(), date(2026, 3, 2)
    first = lives.shown_penalty(entity=entity, on=on, **{**LARGER, "document_no": "信市监处罚〔2026〕32号"})
    number = lives.objected(first)["id"]
    second = said_again(entity, 300_000_00, on)
    lives.passed(second)
    lives.published(second)
    lives.answered(number, upheld=True)
    assert not lives.seen(second)
    for fine_fen in (LARGER["fine_fen"], 300_000_00):
        seq = said_again(entity, fine_fen, on)
        with pytest.raises(NotReviewed, match="upheld"):
            lives.published(seq)
    third = said_again(entity, 400_000_00, on)
    lives.passed(third)
    lives.published(third)
    assert lives.seen(third)


def test_a_record_that_an_objection_withdrew_is_not_shown_in_the_same_words_when_it_is_restated():
    seq = lives.shown_penalty(**LARGER)
    lives.answered(lives.objected(seq)["id"], upheld=True, withdraw=True)
    again = restated(lives.target(seq).seq)
    with pytest.raises(NotReviewed, match="upheld"):
        lives.published(again)
    assert not lives.seen(again)


def test_a_rejected_objection_takes_nothing_down():
    seq = lives.shown_penalty(**LARGER)
    lives.answered(lives.objected(seq)["id"], upheld=False)
    stopped(seq)
    lives.published(seq, reason="复核无误")
    assert lives.seen(seq)


def test_a_record_that_was_withdrawn_by_mistake_is_shown_again_once_it_holds_again():
    seq = lives.shown_penalty(**LARGER)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        publication.withdraw(
            pen, lives.target(seq), source=ledger.WRONG_PARTY, reason="x", by=DECIDER, on=TODAY, now=NOW
        )
    again = restated(lives.target(seq).seq)
    assert (lives.row(again).stopped_because, lives.seen(again)) == ("withdrawn", False)
    lives.published(again)
    assert lives.seen(again)


def test_a_listing_that_was_ended_by_mistake_is_shown_again_once_it_stands_again():
    seq = record(registered(), "abnormal_listing", document_no="信1号").seq
    lives.passed(seq)
    lives.published(seq)
    identity = lives.target(seq).identity
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.correct(seq, statement("abnormal_listing", document_no="信1号", removed_on=TODAY), source="test")
    publication.end(identity, today=TODAY, actor="job", now=NOW, old_rows="keep")
    ended = lives.target(seq).seq
    lives.passed(ended)
    assert "It ended on" in lives.published(ended)["site"].cause
    with ledger.writing(now=NOW, schemes=[]) as pen:
        stands = pen.correct(ended, statement("abnormal_listing", document_no="信1号"), source="test").seq
    lives.published(stands)
    assert lives.seen(stands)


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


@pytest.fixture
def check_and_penalty():
    entity, number = registered(), "信市监处罚〔2026〕5号"
    check = record(entity, "spot_check", results=[{"code": "3"}], document_no="查1号", linked=number).seq
    seq = lives.shown_penalty(entity=entity, document_no=number, **LARGER)
    lives.passed(check)
    lives.published(check)
    return check, seq


def test_a_linked_check_comes_back_with_its_penalty_and_not_before(check_and_penalty):
    check, seq = check_and_penalty
    with ledger.writing(now=NOW, schemes=[]) as pen:
        publication.withdraw(
            pen, lives.target(seq), source=ledger.WRONG_PARTY, reason="x", by=DECIDER, on=TODAY, now=NOW
        )
    assert sorted(told()) == [("stopped", "spot_check"), ("withdrawn", "penalty")]
    assert "returns with that penalty" in lives.published(check)["site"].cause
    lives.published(restated(lives.target(seq).seq))
    lives.published(check)
    assert lives.seen(check)
    assert list(life.derive_life()) == []


def test_an_objection_or_a_refused_review_of_a_penalty_leaves_its_check_up(check_and_penalty):
    check, seq = check_and_penalty
    lives.answered(lives.objected(seq)["id"], upheld=True)
    assert (lives.seen(seq), lives.seen(check)) == (False, True)


def test_an_officers_reason_is_masked_wherever_it_is_kept():
    seq = lives.shown_penalty(**LARGER)
    stopped(seq, reason=f" 误公示身份证{ID}，已停 ")
    lives.published(seq, class_="serious", reason=f"当事人身份证{ID}")
    steps = [str(row.detail) for row in Record.select().where(Record.about == lives.target(seq).identity)]
    assert not any(ID in text for text in (*steps, *(row.basis for row in Publication.select())))
    assert any("已停" in text for text in steps)


def test_an_officers_class_and_his_whole_reason_outlast_a_block():
    entity, given = registered(), {**LARGER, "document_no": "信市监处罚〔2026〕41号"}
    seq = lives.shown_penalty(entity=entity, **given)
    reason = "按裁量基准（2026年版）第三条认定"
    lives.published(seq, class_="serious", reason=reason)
    said = statement("penalty", **given)
    said.detail["violation"] = "以账号 6000 1234 5678 9 收款"
    with ledger.writing(now=NOW, schemes=[]) as pen:
        blocked = pen.correct(seq, said, source="test").seq
    lives.passed(blocked)
    assert {one.said for one in lives.published(blocked).values()} == {"blocked"}
    assert lives.row(blocked).basis.endswith("violation: bank_account")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        clean = pen.correct(blocked, statement("penalty", **{**given, "violation": "虚假宣传"}), source="test").seq
    lives.passed(clean)
    lives.published(clean)
    assert lives.row(clean).class_ == "serious"
    assert lives.row(clean).basis.startswith(f"officer: {reason}（经办人认定）；")


def test_a_penalty_that_lost_its_date_is_not_counted_anew_and_stops_no_night():
    seq = lives.shown_penalty(on=date(2025, 6, 2), document_no="信市监处罚〔2025〕6号", **LARGER)
    before = lives.row(seq).latest
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.correct(
            seq, statement("penalty", document_no="信市监处罚〔2025〕6号", decided_on=None, **LARGER), source="test"
        )
    identity = lives.target(seq).identity
    assert publication.end(identity, today=TODAY, actor="job", now=NOW, old_rows="retime") == []
    assert lives.row(seq).latest == before


def applied_and_accepted(seq):
    number = lives.applied(seq)["id"]
    lives.accepted(number)
    return number


def test_what_was_never_published_here_has_its_shortest_period_all_the_same():
    seq = record(registered(), decided_on=date(2026, 11, 18), **REVOKED).seq
    with pytest.raises(ConditionsNotMet) as refused:
        lives.decided(applied_and_accepted(seq))
    assert refused.value.context["missing"] == ["minimum_over"]
    # A year after the last day on which the law wanted it published.
    old = record(registered(), decided_on=date(2025, 9, 1), **REVOKED).seq
    assert lives.repaired(old)["conditions"]["minimum_over"]["checked"] == "registry"


@pytest.mark.parametrize("given", [{"fine_fen": None, "content": "罚款若干"}, {"decided_on": None}])
def test_where_no_period_can_be_told_the_officer_says_whether_it_is_over(given):
    seq = record(registered(), **given).seq
    number = applied_and_accepted(seq)
    asked = repairs.get(number)["conditions"]["minimum_over"]
    assert (asked["checked"], asked["met"]) == ("officer", None)
    met = {"duties_performed": True, "harm_removed": True, "commitment": True}
    with pytest.raises(ConditionsNotMet, match="minimum_over"):
        lives.decided(number, conditions=met)
    assert lives.decided(number, conditions={**met, "minimum_over": True})["state"] == "approved"


def test_a_later_penalty_bars_a_repair_only_while_it_holds_and_is_surely_the_partys_own():
    entity = registered()
    first = lives.shown_penalty(entity=entity, on=date(2026, 1, 5), **LARGER)
    second = lives.shown_penalty(entity=entity, on=date(2026, 2, 5), **LARGER)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.state([(entity, statement("penalty", **REVOKED))], source="test", matched=["name"])
    number = applied_and_accepted(first)
    with pytest.raises(ConditionsNotMet, match="no_repeat"):
        lives.decided(number)
    lives.repaired(second)
    assert lives.decided(number)["state"] == "approved"


def test_whether_a_later_penalty_of_no_written_type_is_a_repeat_is_for_the_officer():
    entity = registered()
    seq = lives.shown_penalty(entity=entity, on=date(2026, 1, 5), **LARGER)
    record(entity, decided_on=date(2026, 2, 5), violation="")
    number = applied_and_accepted(seq)
    assert repairs.get(number)["conditions"]["no_repeat"]["checked"] == "officer"
    met = {"duties_performed": True, "harm_removed": True, "commitment": True}
    with pytest.raises(ConditionsNotMet, match="no_repeat"):
        lives.decided(number, conditions={**met, "no_repeat": False})
    assert lives.decided(number, conditions={**met, "no_repeat": True}, actor=APPROVER)["state"] == "approved"


def test_recipients_hear_only_of_what_may_have_reached_them(scheme):
    never, item = record(registered(), **LARGER).seq, record(registered(), "item_12315").seq
    for seq in (never, item):
        lives.withdrawn(seq, scheme=scheme)
    other = record(registered(), **LARGER).seq
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(other, source="test", reason="并案")
    assert (collected(), told()) == (0, [])


def test_what_went_out_in_a_batch_reached_somebody_without_being_published(tmp_path, scheme):
    seq = record(registered()).seq
    outbound.make("sharing_platform", "penalty", organ=ORGAN, folder=tmp_path, today=TODAY, now=NOW, actor="test")
    lives.withdrawn(seq, scheme=scheme)
    assert told() == [("withdrawn", "penalty")]


def test_a_repaired_record_that_is_corrected_later_is_told_no_more():
    entity, given = registered(), {**LARGER, "document_no": "信9号", "decided_on": date(2026, 3, 2)}
    seq = lives.shown_penalty(entity=entity, **given)
    lives.repaired(seq)
    record(entity, **{**given, "fine_fen": 300_000_00})
    assert (collected(), told()) == (0, [("repaired", "penalty")])


def test_a_notice_that_was_found_late_counts_from_the_day_of_the_change():
    seqs = [lives.shown_penalty(**LARGER) for _ in range(notices.AT_ONCE + 5)]
    with ledger.writing(now=NOW, schemes=[]) as pen:
        for seq in seqs:
            pen.withdraw(seq, source="test", reason="并案")
    late = NOW + 9 * 86_400_000
    assert collected(late) == len(seqs)
    assert {(one.happened_on, one.due_on) for one in Notice.select()} == {(TODAY, date(2026, 11, 25))}
    assert collected(late) == 0


def test_what_was_stopped_and_published_again_is_sent_again_once(tmp_path):
    seq = lives.shown_penalty(on=date(2026, 9, 1), **LARGER)
    given = {"organ": ORGAN, "folder": tmp_path, "today": TODAY, "now": NOW, "actor": "test"}
    outbound.make("credit_china", "penalty", **given)
    stopped(seq)
    with pytest.raises(outbound.NothingToSend):
        outbound.make("credit_china", "penalty", **given)
    lives.published(seq, reason="复核无误")
    again = outbound.make("credit_china", "penalty", **given).batch
    assert [row["seq"] for row in outbound.rows(again)] == [seq]
    with pytest.raises(outbound.NothingToSend):
        outbound.make("credit_china", "penalty", **given)


def test_a_listing_that_ended_does_not_go_to_a_public_platform(tmp_path):
    seq = record(registered(), "serious_listing", listed_on=date(2026, 1, 15), removed_on=date(2026, 11, 1)).seq
    lives.passed(seq)
    identity = lives.target(seq).identity
    Publication.insert(
        identity=identity, channel="credit_china", entity=1, regime="", class_="none", basis="", state="published",
        published_on=date(2026, 2, 1), seq=seq,
    ).execute()  # fmt: skip
    assert publication.visible_of([identity], channel="credit_china", today=TODAY) == set()
