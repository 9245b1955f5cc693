"""The life of a record: who may do what to it, in which order, and what is left of it when it is over."""

from datetime import date

import pytest

from registry.database import execute
from registry.errors import RecordConflict, RecordNotFound
from registry.kinds import KINDS
from registry.models import Audit, Entity, Fact, Notice, Publication, Record, Review, Uncounted
from registry.services import explanation, grading, ledger, life, objections, publication, publishing, records, repairs
from registry.services.life import SameHands, WrongState
from registry.services.publication import NotPublishable, NotReviewed
from registry.services.repairs import ConditionsNotMet, NotRepairable
from registry.services.reviews import ReasonMissing
from tests.conftest import NOW, TODAY
from tests.factories import record, registered, statement
from tests.registry import lives
from tests.registry.lives import DECIDER, FIRM, POSTER, REVIEWER, SCHEMES

pytestmark = pytest.mark.usefixtures("settings")
LARGER = {"kinds": ["fine"], "fine_fen": 200_000_00, "content": ""}


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


def posted(scheme, entity, document_no="信市监处罚〔2026〕77号", actor=POSTER, **given):
    """A penalty that came over the API with a key."""
    said = statement("penalty", document_no=document_no, organ=lives.ORGAN, **given)
    row = lives.target(record(entity).seq).entity
    checked = records.Checked(records.Party(code=row.code), said)
    (one,) = records.post(
        [checked], source=ledger.ORGAN, actor=actor, scheme=scheme, schemes=SCHEMES, today=TODAY, now=NOW
    )
    return one.seq


def state(seq):
    return life.of(lives.target(seq))["state"]


def counted(seq):
    target = lives.target(seq)
    return Fact.select().where((Fact.known == target.seq) & Fact.gone.is_null()).exists()


def in_order():
    return list(life.derive_life())


def test_a_record_goes_from_draft_over_review_to_published_and_stopped_each_a_row_of_the_ledger():
    seq = record(registered(), **LARGER).seq
    assert state(seq) == "draft"
    lives.passed(seq)
    assert state(seq) == "reviewed"
    lives.published(seq, channels=("necips", "site"))
    assert state(seq) == "published"
    assert (lives.seen(seq, "necips"), lives.seen(seq, "site"), lives.seen(seq, "credit_china")) == (True, True, False)
    publication.stop(
        seq, "penalty", channels=("site",), reason="有误", organ=None, actor=REVIEWER, today=TODAY, now=NOW
    )
    assert (lives.seen(seq, "necips"), lives.seen(seq, "site")) == (True, False)
    found = life.of(lives.target(seq))
    assert [one["step"] for one in found["steps"]] == ["reviewed", "published", "stopped"]
    assert [one["by"] for one in found["steps"]] == [REVIEWER] * 3
    verbs = [row.verb for row in Audit.select().where(Audit.verb.startswith("record.")).order_by(Audit.id)]
    assert verbs == ["record.reviewed", "record.published", "record.stopped"]
    assert in_order() == []


def test_nothing_is_published_without_a_passed_review():
    seq = record(registered(), **LARGER).seq
    with pytest.raises(NotReviewed, match="not passed its review"):
        lives.published(seq)
    lives.passed(seq, outcome="refused", reason="缺少违法类型")
    with pytest.raises(NotReviewed, match="refused by its review"):
        lives.published(seq)
    assert (state(seq), Publication.select().count()) == ("refused", 0)


def test_a_refusal_needs_a_reason_and_takes_down_what_is_shown():
    seq = lives.shown_penalty(**LARGER)
    with pytest.raises(ReasonMissing):
        lives.passed(seq, outcome="refused")
    assert lives.seen(seq)
    lives.passed(seq, outcome="refused", reason="当事人名称有误")
    assert not lives.seen(seq)
    lives.passed(seq)
    lives.published(seq)
    assert lives.seen(seq)
    assert in_order() == []


def test_who_posted_a_record_may_not_review_it(scheme):
    seq = posted(scheme, registered(), **LARGER)
    with pytest.raises(SameHands, match="key:poster posted this record and may not review it"):
        lives.passed(seq, actor=POSTER)
    lives.passed(seq, actor=REVIEWER)


def test_who_corrected_a_record_may_not_review_the_correction_and_who_posted_it_may(scheme):
    seq = posted(scheme, registered(), **LARGER)
    target = lives.target(seq)
    body = {"party": {"code": target.entity.code}, "document_no": "信市监处罚〔2026〕77号", "decided_on": "2026-03-03",
            "kinds": ["fine"], "fine_fen": 300_000_00}  # fmt: skip
    new = records.correct(
        seq, "penalty", body, organ=lives.ORGAN, source=ledger.ORGAN, reason="金额", actor="key:corrector", scheme=scheme,
        schemes=SCHEMES, today=TODAY, now=NOW + 5,
    ).seq  # fmt: skip
    with pytest.raises(SameHands):
        lives.passed(new, actor="key:corrector")
    lives.passed(new, actor=POSTER)


def test_every_verb_again_changes_nothing():
    seq = lives.shown_penalty(**LARGER)
    head = ledger.head()
    lives.passed(seq)
    assert {one.said for one in lives.published(seq).values()} == {"unchanged"}
    objected = lives.objected(seq)
    assert ledger.head() == head + 1
    assert lives.objected(seq) == objected
    answer = lives.answered(objected["id"], upheld=False)
    head = ledger.head()
    assert objections.verify(
        objected["id"], upheld=False, reason="经核实", organ=None, actor=DECIDER, schemes=SCHEMES, today=TODAY, now=NOW
    ) == answer  # fmt: skip
    applied = lives.applied(seq)
    assert lives.applied(seq) == applied
    accepted = lives.accepted(applied["id"])
    assert lives.accepted(applied["id"]) == accepted
    done = lives.decided(applied["id"])
    assert ledger.head() > head
    head = ledger.head()
    assert lives.decided(applied["id"]) == done
    assert (ledger.head(), Notice.select().count()) == (head, 1)
    assert in_order() == []


def test_a_correction_is_not_shown_until_it_has_passed_a_review_and_neither_is_what_it_corrects():
    entity = registered()
    given = {**LARGER, "document_no": "信1号"}
    seq = lives.shown_penalty(entity=entity, **given)
    new = record(entity, **{**given, "fine_fen": 300_000_00, "decided_on": date(2026, 3, 2)}).seq
    assert new != seq
    assert (state(seq), lives.seen(seq)) == ("draft", False)
    with pytest.raises(RecordConflict, match=f"was already replaced by {new}"):
        lives.passed(seq)
    lives.passed(new)
    assert lives.seen(new)
    assert lives.row(new).published_on == date(2026, 3, 2), "a correction does not begin the period anew"


def test_a_row_that_waited_for_its_review_counts_once_it_has_passed_one():
    entity = registered()
    seq = record(entity, **LARGER).seq
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.step(
            "held", about=lives.target(seq).identity, entity=entity, key=[], on=TODAY, detail={}, by="test", leaves_out="review",
        )  # fmt: skip
    assert (state(seq), counted(seq)) == ("waiting", False)
    lives.passed(seq)
    assert (lives.target(seq).out, counted(seq), state(seq)) == ("", True, "reviewed")
    lives.published(lives.target(seq).seq)
    assert lives.seen(seq)


def test_an_undated_penalty_and_one_whose_fine_cannot_be_read_wait_for_a_person():
    undated = record(registered(), **LARGER, decided_on=None).seq
    unread = record(registered(), kinds=["fine"], fine_fen=None, content="罚款若干").seq
    for seq, said in ((undated, "undated"), (unread, "class_unknown")):
        lives.passed(seq)
        assert {one.said for one in lives.published(seq).values()} == {said}
        assert not lives.seen(seq)
    with pytest.raises(NotPublishable, match="with a `reason`"):
        lives.published(unread, class_="minor")
    lives.published(unread, class_="serious", reason="按裁量基准认定")
    assert lives.row(unread).class_ == "serious"
    assert "officer: 按裁量基准认定（经办人认定）" in lives.row(unread).basis


@pytest.mark.parametrize(
    ("field", "text", "what"),
    [
        ("violation", "以账号 6000 1234 5678 9 收款", "bank_account"),
        ("content", "罚款，当事人身份证11010119900101123X", "resident_id"),
    ],
)
def test_a_number_of_a_person_in_a_public_field_blocks_publication_and_is_never_repeated(field, text, what):
    said = statement("penalty", **LARGER)
    said.detail[field] = text
    entity = registered()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        seq = pen.state([(entity, said)], source="test")[0].seq
    lives.passed(seq)
    shown = lives.published(seq)
    assert {(one.said, one.cause) for one in shown.values()} == {("blocked", f"{field}: {what}")}
    assert (state(seq), lives.seen(seq)) == ("blocked", False)
    assert not any(text[-12:] in str(row.detail) for row in Record.select().where(Record.act == "step"))
    assert in_order() == []


def test_numbers_of_organs_and_decisions_block_nothing():
    seq = record(
        registered(), **LARGER, organ_code="11990101MB0000001X", document_no="信市监处罚〔2026〕13800138000号"
    ).seq
    lives.passed(seq)
    assert {one.said for one in lives.published(seq).values()} == {"published"}


def test_kinds_that_are_not_published_are_refused_by_name():
    seq = record(registered(), "item_12315").seq
    lives.passed(seq)
    with pytest.raises(NotPublishable, match="item_12315 are not published"):
        lives.published(seq)


def test_a_withdrawn_record_is_shown_nowhere_and_recipients_are_told_within_three_working_days(scheme):
    seq = lives.shown_penalty(**LARGER)
    lives.withdrawn(seq, scheme=scheme)
    assert (state(seq), lives.seen(seq, "necips"), counted(seq)) == ("withdrawn", False, False)
    (notice,) = Notice.select()
    # TODAY is a Saturday: Monday, Tuesday, Wednesday.
    assert (notice.what, notice.happened_on, notice.due_on) == ("withdrawn", TODAY, date(2026, 11, 25))
    assert {row.stopped_because for row in Publication.select()} == {"withdrawn"}
    head = ledger.head()
    lives.withdrawn(seq, scheme=scheme)
    assert (ledger.head(), Notice.select().count()) == (head, 1)
    with pytest.raises(RecordConflict, match="was withdrawn"):
        lives.applied(lives.target(seq).seq)
    assert in_order() == []


def test_an_objection_has_five_and_twenty_working_days():
    found = lives.objected(lives.shown_penalty(**LARGER), on=date(2026, 9, 28))
    # The National Day holiday lies between, and Saturday 10 October is worked.
    assert found["accept_by"] == date(2026, 10, 10)
    accepted = objections.accept(
        found["id"], accepted=True, organ=None, actor=DECIDER, today=date(2026, 9, 29), now=NOW
    )
    assert accepted["verify_by"] == date(2026, 11, 2)


def test_an_objection_upheld_withdraws_the_record_or_takes_it_down_until_it_is_corrected(scheme):
    wrong, partly, right = (lives.shown_penalty(**LARGER) for _ in range(3))
    for seq, upheld, withdraw in ((wrong, True, True), (partly, True, False), (right, False, False)):
        lives.answered(lives.objected(seq)["id"], upheld=upheld, withdraw=withdraw)
    assert [state(seq) for seq in (wrong, partly, right)] == ["withdrawn", "refused", "published"]
    assert [lives.seen(seq) for seq in (wrong, partly, right)] == [False, False, True]
    assert [counted(seq) for seq in (wrong, partly, right)] == [False, True, True]
    assert sorted(row.what for row in Notice.select()) == ["stopped", "withdrawn"]
    assert in_order() == []


def test_who_applied_may_not_decide():
    seq = lives.shown_penalty(**LARGER)
    objection, repair = lives.objected(seq)["id"], lives.applied(seq)["id"]
    with pytest.raises(SameHands, match="key:firm sent this objection and may not decide on it"):
        objections.accept(objection, accepted=True, organ=None, actor=FIRM, today=TODAY, now=NOW)
    with pytest.raises(SameHands, match="applied for this repair"):
        lives.accepted(repair, actor=FIRM)
    lives.accepted(repair)
    with pytest.raises(SameHands):
        lives.decided(repair, actor=FIRM)


def test_an_enterprise_reaches_its_own_records_only_and_an_organ_decides_on_its_own():
    seq = lives.shown_penalty(**LARGER)
    with pytest.raises(RecordNotFound, match="that this key may see"):
        repairs.apply(seq, "penalty", statement="x", entities=[registered()], actor=FIRM, today=TODAY, now=NOW)
    number = repairs.apply(
        seq, "penalty", statement="x", entities=[lives.target(seq).entity.id], actor=FIRM, today=TODAY, now=NOW
    )["id"]
    with pytest.raises(repairs.RepairNotFound, match="谁处罚、谁修复"):
        repairs.accept(number, accepted=True, organ="其他局", actor=DECIDER, today=TODAY, now=NOW)


@pytest.mark.parametrize(
    ("kind", "day", "accept_by", "decide_by", "regime"),
    [
        ("penalty", date(2025, 12, 24), date(2025, 12, 26), date(2026, 1, 15), "samr-2021"),
        ("penalty", date(2025, 12, 25), date(2025, 12, 29), date(2026, 1, 6), "samr-107"),
        ("serious_listing", date(2025, 12, 24), date(2025, 12, 26), date(2026, 1, 15), "samr-2021"),
        ("serious_listing", date(2025, 12, 25), date(2025, 12, 29), date(2026, 1, 6), "samr-107"),
        ("abnormal_listing", date(2025, 12, 24), date(2025, 12, 26), date(2025, 12, 31), "samr-2021"),
        ("abnormal_listing", date(2025, 12, 25), date(2025, 12, 29), date(2026, 1, 4), "samr-107"),
    ],
)
def test_the_clock_of_a_repair_is_that_of_the_rule_on_the_day_of_the_application(
    kind, day, accept_by, decide_by, regime
):
    listed = {"penalty": {"decided_on": date(2024, 3, 2)}}.get(kind, {"listed_on": date(2024, 3, 2)})
    found = lives.applied(record(registered(), kind, **listed).seq, on=day)
    assert (found["accept_by"], found["regime"]) == (accept_by, regime)
    assert lives.accepted(found["id"], on=day)["decide_by"] == decide_by


def test_an_approved_repair_ends_publicity_sharing_and_use_at_once(scheme):
    entity = registered(industry=6513, capital_fen=1_000_000_00)
    seq = lives.shown_penalty(entity=entity, **LARGER)
    grading.due(scheme, day=TODAY)
    known = ledger.head()
    number = lives.applied(seq)["id"]
    lives.accepted(number)
    with pytest.raises(ConditionsNotMet, match="commitment"):
        lives.decided(number, conditions={"duties_performed": True, "harm_removed": True})
    found = lives.decided(number)
    assert {name: one["met"] for name, one in found["conditions"].items()} == {
        "duties_performed": True, "harm_removed": True, "commitment": True, "no_repeat": True, "not_listed": True, "minimum_over": True,
    }  # fmt: skip
    assert (state(seq), lives.seen(seq), counted(seq)) == ("repaired", False, False)
    assert Uncounted.get().why == "repaired"
    assert [(row.what, row.kind) for row in Notice.select()] == [("repaired", "penalty")]
    grading.due(scheme, day=TODAY)
    past = explanation.of(Entity.get_by_id(entity), scheme, on=TODAY, known=known, today=TODAY)
    assert past.records[seq] == {"seq": seq, "kind": "penalty", "repaired": True}
    assert seq not in explanation.of(Entity.get_by_id(entity), scheme, today=TODAY).records
    with pytest.raises(RecordConflict, match="is repaired"):
        lives.published(seq)
    assert in_order() == []


def test_a_repaired_record_stays_out_whatever_its_source_says_next():
    entity = registered()
    given = {**LARGER, "document_no": "信9号", "decided_on": date(2026, 3, 2)}
    seq = lives.shown_penalty(entity=entity, **given)
    lives.repaired(seq)
    for fine in (300_000_00, 200_000_00):
        record(entity, **{**given, "fine_fen": fine})
        assert (counted(seq), lives.seen(seq)) == (False, False)


def test_a_record_that_is_repaired_and_then_withdrawn_counts_at_no_ledger_number_in_between(scheme):
    seq = lives.shown_penalty(**LARGER)
    lives.repaired(seq)
    gone = ledger.head()
    lives.objected(lives.shown_penalty(**LARGER))
    lives.withdrawn(seq, scheme=scheme)
    assert Fact.get(Fact.known == seq).gone <= gone


def test_a_repair_needs_its_shortest_period_no_repeat_and_no_listing():
    entity = registered()
    seq = lives.shown_penalty(entity=entity, **LARGER, on=date(2026, 10, 9))
    record(entity, decided_on=date(2026, 11, 1))
    record(entity, "abnormal_listing")
    number = lives.applied(seq)["id"]
    lives.accepted(number)
    with pytest.raises(ConditionsNotMet) as refused:
        lives.decided(number)
    assert refused.value.context["missing"] == ["no_repeat", "not_listed", "minimum_over"]
    with pytest.raises(ConditionsNotMet, match="is worked out from the ledger and is not met"):
        lives.decided(number, conditions={"not_listed": True})
    with pytest.raises(ReasonMissing):
        lives.decided(number, yes=False)
    assert lives.decided(number, yes=False, reason="最短公示期未满")["state"] == "refused"
    assert counted(seq)
    assert lives.applied(seq)["id"] != number, "it may be applied for again"


def test_an_application_that_is_turned_away_or_out_of_order_says_so():
    seq = lives.shown_penalty(**LARGER)
    number = lives.applied(seq)["id"]
    with pytest.raises(WrongState, match="only one that was accepted is decided"):
        lives.decided(number)
    with pytest.raises(WrongState, match=f"Repair {number} of this record is open already"):
        lives.applied(seq, actor="key:other")
    assert lives.accepted(number, yes=False, reason="材料不全")["state"] == "rejected"
    with pytest.raises(WrongState):
        lives.accepted(number)
    with pytest.raises(NotRepairable, match="award"):
        lives.applied(_award())


def _award():
    said = statement_of("award", name="质量奖", awarded_on=date(2026, 1, 1))
    entity = registered()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        return pen.state([(entity, said)], source="test")[0].seq


def statement_of(kind, **given):
    declared = KINDS[kind]
    return declared.state(declared.schema(today=TODAY).load(given))


def test_the_repair_of_a_listing_ends_it():
    seq = record(registered(), "abnormal_listing").seq
    lives.passed(seq)
    lives.published(seq)
    lives.repaired(seq)
    target = lives.target(seq)
    assert (target.ends_on, target.detail["removed_because"], target.out) == (TODAY, "repaired", "repaired")
    assert (lives.seen(seq), counted(seq)) == (False, False)


def test_stopping_a_penalty_stops_the_negative_check_that_led_to_it():
    entity = registered()
    number = "信市监处罚〔2026〕5号"
    bad = record(entity, "spot_check", results=[{"code": "3"}], document_no="查1号", linked=number).seq
    other = record(entity, "spot_check", results=[{"code": "3"}], document_no="查2号").seq
    good = record(entity, "spot_check", document_no="查3号", linked=number).seq
    seq = lives.shown_penalty(entity=entity, document_no=number, **LARGER)
    for check in (bad, other, good):
        lives.passed(check)
        lives.published(check)
    assert [lives.seen(check) for check in (bad, other, good)] == [True] * 3
    publication.stop(seq, "penalty", reason="有误", organ=None, actor=REVIEWER, today=TODAY, now=NOW)
    assert lives.seen(bad), "what may be undone tomorrow stops nothing else"
    lives.published(seq, reason="核对无误")
    lives.repaired(seq)
    assert [lives.seen(check) for check in (bad, other, good)] == [False, True, True]
    assert (lives.row(bad).stopped_because, lives.seen(bad, "necips")) == ("linked", False)
    assert [(row.what, row.kind) for row in Notice.select().order_by(Notice.seq)][-2:] == [("repaired", "penalty"), ("stopped", "spot_check")]  # fmt: skip
    assert counted(bad), "only its publicity stops"


def test_many_are_published_at_once_with_counts_and_causes(scheme):
    for _ in range(3):
        record(registered(), **LARGER)
    record(registered(), **LARGER, decided_on=None)
    refused = record(registered(), **LARGER).seq
    lives.passed(refused, outcome="refused", reason="有误")
    posted(scheme, registered(), actor="cli:me", **LARGER)  # and one more that it makes beside it
    given = {
        "organ": lives.ORGAN,
        "actor": "cli:me",
        "schemes": SCHEMES,
        "today": TODAY,
        "now": lambda: NOW,
        "old_rows": "keep",
    }
    first = publishing.publish_all("penalty", **given)
    assert (first.records, first.whole, first.outcomes) == (7, 0, {"not_reviewed": 7})
    assert len(first.named["not_reviewed"]) == publishing.NAMED
    second = publishing.publish_all("penalty", **given, review="批量审核")
    counts = {"records": second.records, **second.outcomes}
    assert second.named["not_reviewed"] == [refused]
    # The one that is minor was over after three months.
    assert counts == {"records": 7, "reviewed": 5, "published": 3, "over": 1, "undated": 1, "not_reviewed": 1, "same_hands": 1}  # fmt: skip
    again = publishing.publish_all("penalty", **given, review="批量审核")
    assert (again.outcomes["unchanged"], again.whole) == (3, 3)
    assert "published" not in again.outcomes
    nothing = publishing.publish_all("penalty", **given, source="another")
    assert (nothing.records, nothing.outcomes, nothing.named) == (0, {}, {})


def test_a_cache_that_somebody_edited_is_found_and_can_be_made_again():
    seq = lives.shown_penalty(**LARGER)
    lives.objected(seq)
    identity = lives.target(seq).identity
    Publication.update(latest=date(2040, 1, 1)).where(Publication.channel == "site").execute()
    Review.delete().execute()
    Publication.insert(
        identity="f" * 32, channel="site", entity=1, regime="", class_="none", basis="", state="published", seq=1
    ).execute()
    found = in_order()
    assert [line.split(":")[0] for line in found] == [
        f"review identity {identity}, content {lives.target(seq).content}",
        f"publication identity {identity}, channel site",
        f"publication identity {'f' * 32}, channel site",
    ]
    assert "latest is '2040-01-01', the ledger says '2027-03-02'" in found[1]
    with ledger.writing(now=NOW, schemes=[]) as pen:
        life.rebuild(pen)
    assert in_order() == []
    assert lives.seen(seq)


def test_a_record_is_found_by_an_index_when_something_is_done_with_it(on_sqlite, count_queries):
    seq = record(registered()).seq
    with count_queries() as sent:
        life.current(seq)
    (asked,) = [sql for sql in sent if '"record"' in sql and '"identity" = ?' in sql]
    (plan,) = execute(f"EXPLAIN QUERY PLAN {asked}", ["x"]).fetchall()
    assert "record_current" in plan[3]
