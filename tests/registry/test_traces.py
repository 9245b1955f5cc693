"""A lawful erasure reaches what stands beside the ledger: waiting and settled rows, documents, first rows of dry runs."""

import pytest

from registry.database import execute, write
from registry.models import Decision, Document, Record, Settled, Unmatched, Upload
from registry.services import deciding, documents, ledger, traces
from registry.services.traces import MASK
from tests.conftest import NOW
from tests.factories import registered
from tests.registry.importing import counts_of
from tests.registry.papers import desk_of, entity_of
from tests.registry.sealing import ledger_of, said
from tests.registry.test_erasure import erase
from tests.registry.test_matching import NAME, WHO, match, penalise

FACT = "当事人张某某虚构资质"
OF_THE_ROW = {"fact": FACT}


@pytest.fixture
def sealed_settings(settings):
    ledger_of(settings, penalties=1)
    return settings


def penalty():
    return Record.get((Record.kind == "penalty") & (Record.matched != "number") & Record.replaced_seq.is_null())


def tables():
    """Every text that the tables beside the ledger hold."""
    found = [
        str(row)
        for table in ("settled", "unmatched", "document", "upload", "decision", "record")
        for row in execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
    ]
    return "\n".join(found)


def dry_run_of(record, *, number=None):
    """An upload that was tried, and shows the record among its first rows."""
    shown = {
        "kind": "penalty",
        "document_no": number or record.document_no,
        "happened_on": None,
        "detail": {"fact": FACT},
    }
    read = {"kind": "penalty", "first_rows": [{"row": 2, "party": {"name": NAME, "code": ""}, "record": shown}]}
    with write():
        return Upload.create(
            name="p.csv", digest="0" * 64, size=1, via="api", sender="key:x", options={"dry_run": True}, request=str(number),
            state="done", understanding=read, received_at=NOW,
        ).id  # fmt: skip


def ordered(settings, record):
    """A document about the record that repeats its words."""
    desk = desk_of(settings)
    values = {name: f"{name}：{FACT}" for name in documents.template("order_correct").needs}
    with ledger.writing(now=NOW, schemes=[]) as pen:
        made = documents.issue(
            pen, documents.number("order_correct", desk), desk=desk, entity=entity_of(record.entity.code), variables=values, about=record.identity
        )  # fmt: skip
    return made.id


def test_rows_that_say_the_record_go_with_it_and_undoing_the_decision_does_not_bring_them_back(
    sealed_settings, tmp_path
):
    entity = registered(name="信衡别家有限公司")
    penalise(sealed_settings, tmp_path, OF_THE_ROW, division="")
    (taken,) = match(Unmatched.get().id, to=entity)
    assert FACT in tables()
    erase(sealed_settings, penalty().seq)
    assert (FACT in tables(), Settled.select().count(), Unmatched.select().count()) == (False, 0, 0)
    decision = Decision.get_by_id(taken.decision.id)
    assert (decision.party_name, decision.party_code) == (MASK, "")
    assert deciding.undo(taken.decision.id, reason="误", who=WHO).rows == 0
    assert (Unmatched.select().count(), said(sealed_settings)) == (0, [])


def test_a_row_of_the_record_that_waits_again_goes_with_it(sealed_settings, tmp_path):
    entity = registered(name=NAME)
    penalise(sealed_settings, tmp_path, OF_THE_ROW, {"document_no": "信9号"})
    seq = penalty().seq
    (taken,) = deciding.detach([seq], reason="同名", who=WHO)
    assert Unmatched.select().count() == 2
    record = Record.get((Record.entity == entity) & (Record.document_no == "信0号"))
    erase(sealed_settings, record.seq)
    assert FACT not in tables()
    (left,) = Unmatched.select()
    assert left.fields["document_no"] == "信9号", "another record's row waits on"
    assert Decision.get_by_id(taken.decision.id).party_name == NAME


def test_the_same_file_again_keeps_nothing_of_what_was_erased(sealed_settings, tmp_path):
    registered(name=NAME)
    penalise(sealed_settings, tmp_path, OF_THE_ROW)
    erase(sealed_settings, penalty().seq)
    assert counts_of(penalise(sealed_settings, tmp_path, OF_THE_ROW))["unchanged"] == 1
    assert (FACT in tables(), Settled.select().count()) == (False, 0)


def test_documents_about_the_record_keep_number_and_day_and_lose_their_words(sealed_settings, tmp_path):
    registered(name=NAME)
    penalise(sealed_settings, tmp_path, OF_THE_ROW)
    record = penalty()
    number = ordered(sealed_settings, record)
    before = Document.get_by_id(number)
    erase(sealed_settings, record.seq)
    after = Document.get_by_id(number)
    assert (after.text, set(after.variables.values())) == (MASK, {MASK})
    assert (after.printed_no, after.issued_on, after.seq) == (before.printed_no, before.issued_on, before.seq)
    assert said(sealed_settings) == []


def test_a_field_goes_from_rows_and_documents_and_their_other_words_stay(sealed_settings, tmp_path):
    registered(name=NAME)
    penalise(sealed_settings, tmp_path, OF_THE_ROW)
    record = penalty()
    number = ordered(sealed_settings, record)
    erase(sealed_settings, record.seq, "fact")
    assert FACT not in tables()
    document = Document.get_by_id(number)
    assert NAME in document.text
    assert MASK in document.text
    row = Settled.get()
    assert ("fact" in row.fields["detail"], row.fields["document_no"], row.party_name) == (
        False,
        record.document_no,
        NAME,
    )


def test_first_rows_of_a_dry_run_go_where_the_record_is_among_them(sealed_settings, tmp_path):
    registered(name=NAME)
    penalise(sealed_settings, tmp_path, OF_THE_ROW)
    record = penalty()
    mine, other = dry_run_of(record), dry_run_of(record, number="信别号")
    erase(sealed_settings, record.seq)
    assert Upload.get_by_id(mine).understanding == {"kind": "penalty", "first_rows": []}
    assert len(Upload.get_by_id(other).understanding["first_rows"]) == 1


def test_dry_runs_are_looked_at_in_parts(sealed_settings, tmp_path, monkeypatch):
    monkeypatch.setattr(traces, "AT_ONCE", 2)
    registered(name=NAME)
    penalise(sealed_settings, tmp_path, OF_THE_ROW)
    record = penalty()
    for number in range(5):
        dry_run_of(record, number=f"信别{number}号")
    last = dry_run_of(record)
    assert traces.find(record).uploads == [last]


def test_a_record_without_such_traces_has_none(sealed_settings):
    seq = Record.get(Record.kind == "penalty").seq
    found = traces.find(Record.get(Record.seq == seq))
    assert (found.unmatched, found.settled, found.documents, found.uploads) == ([], [], [], [])
    assert erase(sealed_settings, seq).said == "erased"
