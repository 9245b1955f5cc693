"""The ledger: nothing is lost, nothing doubled, and what was believed at any moment can be asked again."""

from datetime import date

import pytest
from peewee import DatabaseError

from registry.database import db
from registry.errors import RecordConflict
from registry.models import Entity, Fact, Provenance, Record
from registry.services import ledger
from tests.conftest import NOW
from tests.factories import credit_code, record, registered, statement

pytestmark = pytest.mark.usefixtures("settings")


def facts(known: int) -> list[int]:
    rows = Fact.select().where((Fact.kind == 2) & (Fact.known <= known) & (Fact.gone.is_null() | (Fact.gone > known)))
    return [row.amount for row in rows]


def test_a_correction_counts_only_from_the_moment_we_know_of_it():
    entity = registered()
    first = record(entity, document_no="信1号", fine_fen=100_00, content="")
    before = ledger.head()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.correct(first.seq, statement("penalty", document_no="信1号", fine_fen=0, content=""), source="test")
    assert facts(before) == [100_00]
    assert facts(ledger.head()) == [0]


def test_the_same_record_again_changes_nothing():
    entity = registered()
    given = {"document_no": "信2号"}
    first, head = record(entity, **given), ledger.head()
    again = record(entity, **given)
    assert (again.said, again.seq) == ("unchanged", first.seq)
    assert ledger.head() == head


def test_the_same_decision_from_another_source_counts_once_and_its_provenance_is_kept():
    entity = registered()
    first = record(entity, document_no="信市监处罚〔2026〕3号", source="court")
    other = record(entity, document_no="信市监处罚[2026]3 号", source="credit-china", violation="其他表述")
    assert (other.said, other.seq) == ("unchanged", first.seq)
    assert Record.select().where(Record.kind == "penalty").count() == 1
    assert [row.source for row in Provenance.select()] == ["credit-china"]


def test_another_source_that_says_something_else_that_counts_is_told_so_and_corrects_nothing():
    entity = registered()
    first = record(entity, document_no="信31号", fine_fen=100_00, source="court")
    other = record(entity, document_no="信31号", fine_fen=900_00, source="credit-china")
    assert (other.said, other.seq) == ("differs", first.seq)
    assert facts(ledger.head()) == [100_00]


def test_the_deciding_organ_itself_corrects_whoever_reported_first():
    entity = registered()
    record(entity, "abnormal_listing", document_no="信32号", source="some file")
    removed = record(entity, "abnormal_listing", document_no="信32号", removed_on=date(2026, 9, 1), source=ledger.ORGAN)
    assert removed.said == "corrected"
    assert Record.get(Record.seq == removed.seq).ends_on == date(2026, 9, 1)


def test_the_organ_may_go_back_to_its_first_words():
    entity = registered()
    said = [record(entity, document_no="信33号", fine_fen=fine, source=ledger.ORGAN).said for fine in (100, 200, 100)]
    assert said == ["stored", "corrected", "corrected"]
    assert facts(ledger.head()) == [100]


def test_a_registration_may_come_back_to_what_it_was():
    code = credit_code()
    for status in (1, 3, 1):
        entity = registered(code, status=status)
    assert Entity.get_by_id(entity).status == 1


def test_two_organs_with_the_same_row_number_are_two_records():
    entity = registered()
    for organ in ("甲局", "乙局"):
        said = record(entity, "item_12315", document_no="", source_row="1", organ=organ)
        assert said.said == "stored"


def test_two_sources_that_name_no_organ_do_not_share_document_numbers():
    entity = registered()
    for source in ("file a", "file b"):
        assert record(entity, document_no="〔2026〕1号", organ="", source=source).said == "stored"


def test_a_record_known_by_its_content_is_not_doubled_once_it_was_corrected():
    entity = registered()
    bare = {"document_no": "", "content": ""}
    first = record(entity, **bare, fine_fen=100)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.correct(first.seq, statement("penalty", **bare, fine_fen=300), source="test")
    assert record(entity, **bare, fine_fen=300).said == "unchanged"
    assert facts(ledger.head()) == [300]


def test_several_parties_of_one_case_are_several_records():
    one, two = registered(), registered()
    record(one, document_no="信4号")
    assert record(two, document_no="信4号").said == "stored"


def test_a_corrected_row_does_not_come_back_when_its_old_file_is_imported_again():
    entity = registered()
    old = {"document_no": "信5号", "fine_fen": 100, "content": ""}
    record(entity, **old)
    new = record(entity, **{**old, "fine_fen": 200})
    assert new.said == "corrected"
    with ledger.writing(now=NOW, schemes=[], remember=True) as pen:
        again = pen.state([(entity, statement("penalty", **old))], source="test")[0]
    assert (again.said, again.seq) == ("unchanged", new.seq)


def test_two_versions_in_one_transaction_leave_the_later_one_current_and_both_on_record():
    entity = registered()
    rows = [(entity, statement("penalty", document_no="信6号", fine_fen=fine, content="")) for fine in (100, 200)]
    with ledger.writing(now=NOW, schemes=[]) as pen:
        said = [outcome.said for outcome in pen.state(rows, source="test")]
    assert said == ["stored", "corrected"]
    assert facts(ledger.head()) == [200]
    assert facts(ledger.head() - 1) == [100]


def test_an_undated_record_is_kept_and_projects_no_fact():
    entity = registered()
    outcome = record(entity, decided_on=None)
    assert Record.get(Record.seq == outcome.seq).happened_on is None
    assert facts(ledger.head()) == []


def test_a_withdrawn_record_never_counts_again_even_if_its_source_repeats_it():
    entity = registered()
    first = record(entity, document_no="信7号")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        gone = pen.withdraw(first.seq, source="test", reason="复议撤销")
        assert (
            pen.state([(entity, statement("penalty", document_no="信7号", fine_fen=1))], source="test")[0].said
            == "withdrawn"
        )
    assert facts(ledger.head()) == []
    with ledger.writing(now=NOW, schemes=[]) as pen, pytest.raises(RecordConflict, match="withdrawn"):
        pen.correct(gone.seq, statement("penalty", document_no="信7号"), source="test")


def test_numbers_are_given_without_gaps_and_map_to_moments():
    entity = registered(now=NOW)
    record(entity, now=NOW + 1000)
    record(entity, now=NOW + 500)  # the clock on the wall was set back
    assert [row.seq for row in Record.select().order_by(Record.seq)] == [1, 2, 3]
    assert ledger.seq_at(NOW - 1) == 0
    assert ledger.seq_at(NOW) == 1
    assert ledger.seq_at(NOW + 1000) == 3


def test_a_transaction_that_fails_leaves_no_trace():
    entity = registered()
    head = ledger.head()

    def half() -> None:
        with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
            pen.state([(entity, statement("penalty"))], source="test")
            pen.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert ledger.head() == head
    assert facts(10**9) == []


@pytest.mark.parametrize("sql", ["UPDATE record SET amount_fen = 0", "DELETE FROM record"])
def test_the_database_itself_refuses_to_change_or_remove_a_ledger_row(sql):
    record(registered())
    with pytest.raises(DatabaseError, match="append-only"), db.atomic():
        db.execute_sql(sql)


def test_coverage_is_said_through_the_ledger_and_can_be_corrected():
    with ledger.writing(now=NOW, schemes=[]) as pen:
        first = pen.cover("penalty", "9901", date(2024, 1, 1), None, source="test")
        same = pen.cover("penalty", "9901", date(2024, 1, 1), None, source="test")
    assert (first.said, same.said) == ("stored", "unchanged")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        ended = pen.cover("penalty", "9901", date(2024, 1, 1), date(2025, 1, 1), source="test")
    assert ended.said == "corrected"
