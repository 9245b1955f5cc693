"""The abnormal-operation list: by two persons, each cause once, with a document in the same transaction as the record."""

import threading
from dataclasses import replace
from datetime import date

import pytest
from peewee import IntegrityError

from registry import clock, database
from registry.errors import RecordNotFound
from registry.kinds import KINDS
from registry.models import Audit, Document, Fact, ListingCase, Notice, Publication, Record
from registry.services import abnormal_list, documents, ledger, listing_cases, listings, records
from registry.services.listing_cases import ListingCaseNotFound, ListingConflict, ListingRefused
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry import lives
from tests.registry.papers import ADDRESS, ORGAN, code_of, desk_of, entity_of, listed, on_record, party, second, through

OTHER = "信衡市澜砚区市场监督管理局"


@pytest.fixture
def desk(settings):
    return desk_of(settings)


def numbers():
    return [row.printed_no for row in Document.select().order_by(Document.id)]


def test_a_listing_goes_from_draft_over_two_persons_to_a_record_with_its_document(desk):
    code = party()
    case, new = abnormal_list.open_listing(code, ground=1, year=2025, facts="未按期公示2025年度报告。", desk=desk)
    assert (new, case.state, case.decide_by) == (True, "draft", date(2026, 7, 14))
    case, _ = listings.propose(case, opinion="建议列入。", desk=desk)
    assert (case.state, Record.select().where(Record.kind == "abnormal_listing").count()) == ("proposed", 0)
    case, _ = listings.decide(case, agree=True, opinion="同意。", desk=second(desk))
    row = on_record(case)
    assert (case.state, case.effective_on, row.code, row.happened_on) == ("effective", TODAY, 1, TODAY)
    assert (row.detail["printed_no"], row.detail["year"], row.detail["cause"]) == (
        "信市监异入〔2026〕1号",
        2025,
        "2025",
    )
    assert row.document_no == "信市监异入[2026]1号"
    document = documents.get(case.steps[-1]["document"])
    assert document.about == row.identity
    assert "《企业经营异常名录管理暂行办法》第六条" in document.text
    assert [step["step"] for step in case.steps] == ["opened", "proposed", "audited", "effective"]
    steps = Record.select().where((Record.act == "step") & (Record.entity == case.entity)).order_by(Record.seq)
    assert [one.kind for one in steps] == [
        "listing_opened", "listing_proposed", "listing_audited", "document", "listing_effective",
    ]  # fmt: skip
    assert Audit.select().where(Audit.verb.startswith("listing.")).count() == 4


def test_who_proposed_a_case_does_not_audit_it_and_the_database_holds_that_too(desk):
    case, _ = abnormal_list.open_listing(party(), ground=3, facts="公示信息虚假。", desk=desk)
    listings.propose(case, opinion="建议列入。", desk=desk)
    with pytest.raises(ListingConflict, match="Two persons decide on a list"):
        listings.decide(case, agree=True, opinion="同意。", desk=desk)
    with pytest.raises(IntegrityError):
        ListingCase.update(audited_by=desk.actor).where(ListingCase.id == case.id).execute()


def test_a_refused_case_stays_on_record_and_lists_nobody(desk):
    code = party()
    case, _ = abnormal_list.open_listing(code, ground=3, facts="公示信息虚假。", desk=desk)
    listings.propose(case, opinion="建议列入。", desk=desk)
    case, _ = listings.decide(case, agree=False, opinion="证据不足。", desk=second(desk))
    assert (case.state, numbers()) == ("refused", [])
    assert listing_cases.get(case.id).steps[-1]["opinion"] == "证据不足。"
    again, new = abnormal_list.open_listing(code, ground=3, facts="补充证据后再次提出。", desk=desk)
    assert new
    assert again.id != case.id


def test_the_same_step_again_changes_nothing(desk):
    code = party()
    case, _ = abnormal_list.open_listing(code, ground=1, year=2025, facts="未报。", desk=desk)
    assert abnormal_list.open_listing(code, ground=1, year=2025, facts="别的说法。", desk=desk) == (case, False)
    through(case, desk)
    head = ledger.head()
    assert listings.decide(case, agree=True, opinion="同意。", desk=second(desk))[1] is False
    assert ledger.head() == head
    assert len(numbers()) == 1


def test_a_step_that_does_not_follow_is_refused_with_the_state_of_the_case(desk):
    case, _ = abnormal_list.open_listing(party(), ground=3, facts="虚假。", desk=desk)
    with pytest.raises(ListingConflict, match=r"is 草稿 draft: only a proposed case"):
        listings.decide(case, agree=True, opinion="同意。", desk=second(desk))
    through(case, desk)
    with pytest.raises(ListingConflict, match=r"is 已生效 effective"):
        listings.propose(case, opinion="再议。", desk=desk)
    with pytest.raises(ListingCaseNotFound):
        listing_cases.get(case.id, organ=OTHER)


def test_several_rows_stand_side_by_side_and_the_same_year_address_or_order_is_listed_once(desk):
    code = party()
    listed(desk, code, year=2024)
    listed(desk, code, year=2025)
    listed(desk, code, ground=2, order="信市监责公〔2026〕3号")
    listed(desk, code, ground=4, facts="无法联系。")
    for given in ({"ground": 1, "year": 2025}, {"ground": 2, "order": "信市监责公[2026]003号"}, {"ground": 4}):
        with pytest.raises(ListingConflict, match="is listed once"):
            abnormal_list.open_listing(code, facts="又一次。", desk=desk, **given)
    entity = entity_of(code)
    registered(code, name=entity.name, address="信衡市信东区新址路2号")
    assert listed(desk, code, ground=4, facts="新址也无法联系。").state == "effective"
    counted = {(one.subject, one.ground): (one.entities, one.rows) for one in listings.count(TODAY)}
    assert counted[None, None] == (1, 5)
    assert counted["enterprise", 1] == (1, 2)
    assert counted["enterprise", 4] == (1, 2)


def test_a_row_of_another_source_for_the_same_year_or_without_a_cause_counts_too(desk):
    first, second_ = registered(address=ADDRESS), registered(address=ADDRESS)
    record(first, "abnormal_listing", ground=1, year=2025, document_no="外市监异入〔2026〕1号")
    record(second_, "abnormal_listing", ground=4, document_no="外市监异入〔2026〕2号")
    for entity, given in ((first, {"ground": 1, "year": 2025}), (second_, {"ground": 4})):
        with pytest.raises(ListingConflict, match="is listed once"):
            abnormal_list.open_listing(code_of(entity), facts="x", desk=desk, **given)
    assert abnormal_list.open_listing(code_of(first), ground=1, year=2024, facts="x", desk=desk)[1]


def test_two_cases_of_one_matter_opened_at_once_are_one(settings):
    desk, code, found = desk_of(settings), party(), []
    barrier = threading.Barrier(4)

    def work():
        barrier.wait()
        with database.session():
            found.append(abnormal_list.open_listing(code, ground=1, year=2025, facts="未报。", desk=desk))

    clerks = [threading.Thread(target=work) for _ in range(4)]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    assert sorted(new for _, new in found) == [False, False, False, True]
    assert ListingCase.select().count() == 1


@pytest.mark.parametrize(
    ("given", "subject", "problem"),
    [
        ({"ground": 1}, "enterprise", "needs the year of a report"),
        ({"ground": 1, "year": 2026}, "enterprise", "due by 2027-06-30"),
        ({"ground": 2}, "enterprise", "needs the number of the order"),
        ({"ground": 2, "order": "x"}, "individual", "is not for individual"),
        ({"ground": 2, "order": "x"}, "cooperative", "is not for cooperative"),
        ({"ground": 5}, "enterprise", "no ground 5"),
    ],
)
def test_a_ground_that_does_not_apply_is_refused_with_the_reason(on_sqlite, given, subject, problem):
    with pytest.raises(ListingRefused, match=problem):
        abnormal_list.open_listing(party(subject=subject), facts="x", desk=desk_of(on_sqlite), **given)


@pytest.mark.parametrize(("status", "problem"), [(2, "revoked 吊销"), (3, "cancelled 注销")])
def test_who_is_gone_is_not_listed(on_sqlite, status, problem):
    with pytest.raises(ListingRefused, match=problem):
        abnormal_list.open_listing(party(status=status), ground=3, facts="x", desk=desk_of(on_sqlite))


def test_an_address_that_is_not_on_record_cannot_be_the_cause(on_sqlite):
    with pytest.raises(ListingRefused, match="no registered address"):
        abnormal_list.open_listing(party(address=""), ground=4, facts="x", desk=desk_of(on_sqlite))


def test_an_individual_business_is_marked_and_restored_in_words_documents_and_statistics(desk):
    code = party(subject="individual")
    case = listed(desk, code)
    row = on_record(case)
    assert row.detail["marked"] is True
    marking = documents.get(case.steps[-1]["document"])
    assert marking.printed_no == "信市监异标〔2026〕1号"
    assert "标记为经营异常状态" in marking.text
    assert "《个体工商户年度报告暂行办法》第十三条" in marking.text
    assert "列入经营异常名录" not in marking.text
    removal, _ = abnormal_list.open_removal(row.seq, cause=1, facts="已补报。", proof="纸质年报", desk=desk)
    restored = documents.get(through(removal, desk).steps[-1]["document"])
    assert restored.printed_no == "信市监异恢〔2026〕1号"
    assert "恢复你户的正常记载状态" in restored.text
    listed(desk, party(subject="cooperative"))
    assert [(one.subject, one.entities) for one in listings.count(TODAY) if one.ground is None] == [
        (None, 1), ("cooperative", 1),
    ]  # fmt: skip
    assert "《农民专业合作社年度报告公示暂行办法》第十条" in Document.select().order_by(Document.id.desc()).get().text


@pytest.mark.parametrize(("prefix", "subject"), [("91", "enterprise"), ("92", "individual"), ("93", "cooperative")])
def test_a_branch_follows_the_type_of_its_parent(on_sqlite, prefix, subject):
    entity = entity_of(code_of(registered(credit_code(prefix=prefix), subject="branch", address=ADDRESS)))
    assert abnormal_list.subject_of(entity) == subject
    assert abnormal_list.is_marked(entity) == (subject == "individual")


def test_a_branch_follows_the_parent_that_a_relation_names_while_it_holds(settings):
    branch = entity_of(code_of(registered(credit_code(prefix="91"), subject="branch", address=ADDRESS)))
    parent = registered(credit_code(prefix="93"), subject="cooperative")
    kind = KINDS["relation"]
    said = {"type": "branch", "other_code": branch.code, "organ": ORGAN}
    with ledger.writing(now=NOW, schemes=[]) as pen:
        (named,) = pen.state([(parent, kind.state(kind.schema(today=TODAY).load(said)))], source="test")
    assert abnormal_list.subject_of(branch) == "cooperative"
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(named.seq, source="test", reason="误报")
    assert abnormal_list.subject_of(branch) == "enterprise"


def test_a_removal_ends_the_row_keeps_it_as_history_and_is_due_in_five_working_days(desk):
    case = listed(desk)
    row = on_record(case)
    record(case.entity, "annual_report", year=2025, filed_on=date(2026, 11, 20))
    removal, new = abnormal_list.open_removal(row.seq, cause=1, facts="已补报并公示。", desk=desk)
    assert (new, removal.decide_by) == (True, date(2026, 11, 27))
    assert abnormal_list.open_removal(row.seq, cause=1, facts="已补报并公示。", desk=desk) == (removal, False)
    assert "年度报告已公示" in listing_cases.done(removal, "conditions")["opinion"]
    removal = through(removal, desk)
    after = on_record(removal)
    assert (after.act, after.ends_on, after.detail["removed_because"]) == ("end", TODAY, 1)
    assert (after.detail["removal_no"], numbers()) == (
        "信市监异出〔2026〕1号",
        ["信市监异入〔2026〕1号", "信市监异出〔2026〕1号"],
    )
    (fact,) = Fact.select().where((Fact.kind == 3) & Fact.gone.is_null())
    assert fact.ends == clock.day_number(TODAY)
    with pytest.raises(ListingConflict, match="was removed on 2026-11-21"):
        abnormal_list.open_removal(row.seq, cause=5, facts="x", proof="x", desk=desk)
    assert abnormal_list.open_listing(code_of(case.entity), ground=1, year=2025, facts="x", desk=desk)[1]


def test_the_words_of_a_file_that_listed_do_not_reopen_what_was_removed(desk):
    entity = registered(address=ADDRESS)
    old = {"ground": 4, "document_no": "信市监异入〔2025〕7号", "listed_on": date(2025, 9, 1)}
    seq = record(entity, "abnormal_listing", source="necips", **old).seq
    through(abnormal_list.open_removal(seq, cause=5, facts="已取得联系。", proof="现场核查记录", desk=desk)[0], desk)
    assert record(entity, "abnormal_listing", source="necips", **old).said == "unchanged"
    assert (
        Record.get((Record.code == 4) & (Record.kind == "abnormal_listing") & Record.replaced_seq.is_null()).ends_on
        == TODAY
    )


@pytest.mark.parametrize(
    ("cause", "proof", "problem"),
    [
        (4, "x", "does not end a listing for ground 1.*Causes that do: 1, 7"),
        (6, "x", "no cause of removal 6"),
        (9, "x", "no cause of removal 9"),
        (1, "", "give it as proof"),
        (7, "x", "neither cancelled nor revoked"),
    ],
)
def test_a_removal_without_its_cause_is_refused(on_sqlite, cause, proof, problem):
    desk = desk_of(on_sqlite)
    seq = on_record(listed(desk)).seq
    with pytest.raises(ListingRefused, match=problem):
        abnormal_list.open_removal(seq, cause=cause, facts="x", proof=proof, desk=desk)


def test_who_is_cancelled_leaves_the_list_for_that(on_sqlite):
    desk = desk_of(on_sqlite)
    case = listed(desk)
    entity = entity_of(code_of(case.entity))
    registered(entity.code, name=entity.name, status=3, address=ADDRESS)
    removal, _ = abnormal_list.open_removal(on_record(case).seq, cause=7, facts="已注销。", desk=desk)
    assert on_record(through(removal, desk)).detail["removed_because"] == 7


def test_who_lists_removes_and_nobody_else(on_sqlite):
    row = on_record(listed(desk_of(on_sqlite)))
    other = desk_of(on_sqlite, organ=OTHER)
    with pytest.raises(ListingConflict, match="that organ removes it"):
        abnormal_list.open_removal(row.seq, cause=1, facts="x", proof="x", desk=other)
    with pytest.raises(ListingConflict, match="that organ removes it"):
        abnormal_list.open_correction(row.seq, facts="x", desk=other)
    with pytest.raises(RecordNotFound):
        abnormal_list.open_removal(999, cause=1, facts="x", proof="x", desk=other)


def test_a_correction_takes_the_row_out_of_view_and_it_never_counts_again(desk):
    case = listed(desk)
    row = on_record(case)
    correction, _ = abnormal_list.open_correction(row.seq, facts="系统同步延迟，该户已按期报告。", desk=desk)
    through(correction, desk)
    after = on_record(case)
    assert after.act == "withdraw"
    assert Fact.select().where((Fact.kind == 3) & Fact.gone.is_null()).count() == 0
    shown = records.page(entity_of(code_of(case.entity)), kind="abnormal_listing", after=None, limit=10)
    assert list(shown.items) == []
    assert numbers()[-1] == "信市监异更〔2026〕1号"
    assert listings.count(TODAY) == []
    with pytest.raises(ListingConflict, match="was withdrawn"):
        abnormal_list.open_removal(row.seq, cause=1, facts="x", proof="x", desk=desk)


def test_a_number_that_another_system_gave_is_not_given_twice(desk):
    entity = registered(address=ADDRESS)
    record(entity, "abnormal_listing", source="organ", ground=3, document_no="信市监异入〔2026〕1号")
    case, _ = abnormal_list.open_listing(code_of(entity), ground=1, year=2025, facts="未报。", desk=desk)
    listings.propose(case, opinion="列入。", desk=desk)
    with pytest.raises(Exception, match=r"begin-series"):
        listings.decide(case, agree=True, opinion="同意。", desk=second(desk))
    assert (numbers(), listing_cases.get(case.id).state) == ([], "proposed")


def test_a_listing_marks_its_entity_for_grading_at_once(desk):
    case = listed(desk)
    marked = database.execute("SELECT entity FROM stale WHERE scheme = 'general-risk'").fetchall()
    assert (case.entity,) in [tuple(row) for row in marked]
    assert records.check("abnormal_listing", {"party": {"code": party()}, "ground": 1}, organ=ORGAN, today=TODAY)
    assert replace(desk, now=NOW) == desk


def shown_listing(desk):
    """A listing that went all the way and is published on each of its channels: its ledger number."""
    row = on_record(listed(desk))
    lives.passed(row.seq)
    lives.published(row.seq)
    assert lives.seen(row.seq)
    return row.seq


def test_a_removal_takes_the_row_down_on_every_channel_in_the_same_transaction_and_tells_recipients(desk):
    seq = shown_listing(desk)
    removal, _ = abnormal_list.open_removal(seq, cause=1, facts="已补报。", proof="年报回执", desk=desk)
    through(removal, desk)
    rows = list(Publication.select())
    assert {(row.state, row.stopped_because, row.stopped_on) for row in rows} == {("stopped", "removed", TODAY)}
    assert len(rows) == 3
    assert [(row.what, row.kind) for row in Notice.select()] == [("stopped", "abnormal_listing")]


def test_a_correction_tells_recipients_within_three_working_days_and_takes_the_row_down_with_it(desk):
    seq = shown_listing(desk)
    correction, _ = abnormal_list.open_correction(seq, facts="系统同步延迟。", desk=desk)
    through(correction, desk)
    assert {(row.state, row.stopped_because) for row in Publication.select()} == {("stopped", "withdrawn")}
    (notice,) = Notice.select()
    withdrawal = Record.get((Record.kind == "abnormal_listing") & (Record.act == "withdraw"))
    assert (notice.what, notice.seq, notice.due_on) == ("withdrawn", withdrawal.seq, date(2026, 11, 25))
    assert (notice.document_no, notice.organ) == ("信市监异入[2026]1号", ORGAN)
