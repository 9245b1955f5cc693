"""Steps, withdrawals as another party's, restatements: whoever is surer of the party is believed, and nothing counts twice."""

import pytest

from registry.errors import RecordConflict, RecordNotFound
from registry.models import Fact, Record, Stale, Uncounted
from registry.services import ledger
from tests.conftest import NOW, TODAY
from tests.factories import registered, statement

pytestmark = pytest.mark.usefixtures("settings")
IDENTITY = "0" * 32


def said(entity, kind="penalty", *, by="number", source="test", **given):
    given = given if kind != "penalty" else {"document_no": "信1号", **given}
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        return pen.state([(entity, statement(kind, **given))], source=source, matched=[by])[0]


def amounts():
    return [row.amount for row in Fact.select().where((Fact.kind == 2) & Fact.gone.is_null())]


def listings():
    return Fact.select().where((Fact.kind == 4) & Fact.gone.is_null()).count()


def current():
    return Record.get((Record.kind != "registration") & (Record.act != "step") & Record.replaced_seq.is_null())


def serious(entity, **given):
    """A statement that is grave by its severity: a licence revoked."""
    return said(entity, kinds=["revoked_licence"], **given)


def test_a_small_matter_found_by_name_counts_and_a_grave_one_waits_to_be_confirmed():
    entity = registered()
    said(entity, by="name", document_no="信1号", fine_fen=100, content="")
    assert amounts() == [100]
    serious(entity, by="name", document_no="信2号", content="")
    assert (len(amounts()), [row.why for row in Uncounted.select()]) == (1, ["by_name"])


def test_the_same_row_by_a_number_confirms_it():
    entity = registered()
    first = serious(entity, by="name", content="")
    again = serious(entity, content="")
    assert (first.said, again.said) == ("stored", "corrected")
    assert (len(amounts()), current().matched, Uncounted.select().count()) == (1, "number", 0)
    assert serious(entity, content="", by="name").said == "unchanged"


def test_a_person_confirms_by_restating_and_once_is_enough():
    entity = registered()
    first = serious(entity, by="name", content="")
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        after = pen.restate(first.seq, source="officer", reason="核实", matched="person")
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        again = pen.restate(after.seq, source="officer", reason="核实", matched="person")
    assert (after.said, again.said, current().matched, len(amounts())) == ("corrected", "unchanged", "person", 1)


def test_another_source_with_a_number_outranks_words_found_by_name():
    entity = registered()
    said(entity, by="name", source="names", fine_fen=100, content="")
    assert said(entity, source="numbers", fine_fen=300, content="").said == "corrected"
    assert (amounts(), current().source) == ([300], "numbers")
    assert said(entity, by="name", source="names", fine_fen=100, content="").said == "differs"


def test_a_correction_by_name_that_becomes_grave_waits():
    entity = registered()
    said(entity, by="name", fine_fen=100, content="")
    said(entity, by="name", kinds=["revoked_licence"], content="")
    assert (amounts(), Uncounted.select().count()) == ([], 1)


def test_a_record_withdrawn_as_another_partys_is_stated_again_by_whoever_finds_its_party():
    entity = registered()
    first = said(entity, by="name", fine_fen=100, content="")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(first.seq, source=ledger.WRONG_PARTY, reason="同名")
    assert amounts() == []
    assert said(entity, fine_fen=100, content="").said == "corrected"
    assert (amounts(), current().source, current().matched) == ([100], "test", "number")


def test_a_record_withdrawn_by_its_organ_stays_withdrawn_whoever_states_it():
    entity = registered()
    first = said(entity, by="name", fine_fen=100, content="")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(first.seq, source=ledger.ORGAN, reason="撤销")
    assert said(entity, fine_fen=100, content="").said == "withdrawn"
    assert amounts() == []


def test_what_was_withdrawn_by_mistake_is_restated_in_the_words_and_the_name_of_its_source():
    entity = registered()
    first = said(entity, fine_fen=100, content="", source="file")
    before = current()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        gone = pen.withdraw(first.seq, source="officer", reason="误撤")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        back = pen.restate(gone.seq, source="officer", reason="恢复")
    assert (back.said, amounts()) == ("corrected", [100])
    assert (current().source, current().content, current().detail) == ("file", before.content, before.detail)
    # Its source may still correct it: it is nobody else's.
    assert said(entity, fine_fen=200, content="", source="file").said == "corrected"


def test_a_row_that_was_replaced_or_never_was_cannot_be_restated():
    entity = registered()
    first = said(entity, fine_fen=100, content="")
    said(entity, fine_fen=200, content="")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        with pytest.raises(RecordConflict, match="already replaced"):
            pen.restate(first.seq, source="x", reason="x")
        with pytest.raises(RecordNotFound):
            pen.restate(999, source="x", reason="x")


def step(entity, *, key=(1,), reason="理由", leaves_out=None, about=IDENTITY):
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        return pen.step(
            "match", about=about, entity=entity, key=list(key), on=TODAY, detail={"reason": reason}, by="test", leaves_out=leaves_out
        )  # fmt: skip


def test_a_step_is_one_ledger_row_however_often_it_is_said():
    entity = registered()
    first, again = step(entity), step(entity)
    assert (first.said, again.said, first.seq) == ("stored", "unchanged", again.seq)
    row = Record.get(Record.seq == first.seq)
    assert (row.act, row.kind, row.about, row.entity_id, row.source) == ("step", "match", IDENTITY, entity, "test")


def test_the_same_step_in_other_words_is_refused():
    step(None)
    with pytest.raises(RecordConflict, match="in other words"):
        step(None, reason="别的理由")
    assert step(None, key=(2,), reason="别的理由").said == "stored"


def test_a_step_that_leaves_a_record_out_takes_its_fact_away_until_it_is_restated():
    entity = registered()
    first = said(entity, fine_fen=100, content="")
    Stale.delete().execute()
    left = step(entity, leaves_out="repaired", about=current().identity)
    assert (amounts(), Stale.get().entity, Stale.get().seq) == ([], entity, left.seq)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        assert pen.restate(first.seq, source="officer", reason="撤销修复").said == "corrected"
    assert (amounts(), Uncounted.select().count()) == ([100], 0)


def test_a_step_is_no_record_that_could_be_withdrawn():
    made = step(registered())
    with ledger.writing(now=NOW, schemes=[]) as pen, pytest.raises(RecordNotFound):
        pen.restate(made.seq, source="x", reason="x")
