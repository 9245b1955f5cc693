"""Lawful erasure: content gone, leaf and step left, the check still passes; an erasure that no step explains is tampering."""

import json
import subprocess
import sys
from datetime import date

import pytest

from registry.config import ROOT
from registry.database import execute
from registry.errors import RecordNotFound
from registry.models import Audit, Erasure, Leaf, Notice, Provenance, Publication, Record, Uncounted
from registry.services import erasures, ledger, notices, proofs
from registry.services.erasures import NotErasable
from registry.services.proofs import UnknownField
from tests.conftest import NOW, TODAY
from tests.factories import record, registered, statement
from tests.registry import lives
from tests.registry.sealing import attack, ledger_of, said, sealed

BASIS = "《个人信息保护法》第四十七条"
SECRET = "当事人张某某虚构资质"


def erase(settings, seq, *fields, now=NOW, **given):
    values = {"basis": BASIS, "reason": "依申请删除", "actor": "cli:officer", **given}
    return erasures.erase(settings, seq, fields=fields, today=TODAY, now=lambda: now, **values)


def everything():
    """Every text that the tables of the ledger hold."""
    found = []
    for table in ("record", "fact", "provenance", "uncounted", "erasure", "audit", "leaf"):
        found += [str(row) for row in execute(f"SELECT * FROM {table}").fetchall()]  # noqa: S608
    return "\n".join(found)


@pytest.fixture
def spoken(settings):
    """A penalty with a secret in it, and its correction: (settings, first wording, second wording)."""
    ledger_of(settings, penalties=3)
    first = record(1, fact=SECRET, fine_fen=77_777)
    old = Record.get(Record.seq == first.seq)
    with ledger.writing(now=NOW, schemes=[]) as pen:
        second = pen.correct(
            first.seq,
            statement("penalty", document_no=old.document_no, fact=SECRET + "。", fine_fen=77_778),
            source="test",
        )
    return settings, first.seq, second.seq


def test_a_record_is_erased_in_every_wording_and_the_ledger_stays_whole(spoken):
    settings, first, second = spoken
    number = Record.get(Record.seq == first).document_no
    done = erase(settings, first)
    assert (done.said, done.rows) == ("erased", [first, second, second + 1])
    text = everything()
    for gone in (SECRET, number, "77777", "77778"):
        assert gone not in text
    assert [leaf.salt for leaf in Leaf.select().where(Leaf.seq.in_(done.rows))] == [None] * 3
    assert said(settings) == []
    sealed(settings, NOW + 1)
    assert said(settings) == []


def test_an_erased_record_never_counts_again_and_does_not_come_back_with_the_next_file(spoken):
    settings, first, _ = spoken
    old = Record.get(Record.seq == first)
    same = statement("penalty", document_no=old.document_no, fact=SECRET, fine_fen=77_777)
    erase(settings, first)
    identity = Record.get(Record.seq == first).identity
    assert Uncounted.get(Uncounted.identity == identity).why == "erased"
    with ledger.writing(now=NOW, schemes=[]) as pen:
        (outcome,) = pen.state([(1, same)], source="test")
    assert outcome.said == "withdrawn"
    assert SECRET not in everything()
    assert Provenance.select().where(Provenance.identity == identity).count() <= 1


def test_who_why_and_what_was_erased_stays_on_record(spoken):
    settings, first, second = spoken
    done = erase(settings, first, "fact")
    step = Record.get(Record.seq == done.step)
    assert (step.act, step.kind, step.about) == ("step", "erasure", Record.get(Record.seq == first).identity)
    assert step.detail == {
        "rows": [first, second], "fields": ["fact"], "basis": BASIS, "reason": "依申请删除", "by": "cli:officer",
    }  # fmt: skip
    entry = Audit.select().where(Audit.verb == "record.erased").get()
    assert (entry.actor, entry.detail["rows"], entry.detail["step"]) == ("cli:officer", [first, second], done.step)


def test_one_field_is_erased_and_the_rest_stays_provable(spoken, tmp_path):
    settings, first, second = spoken
    erase(settings, first, "fact")
    assert SECRET not in everything()
    assert said(settings) == []
    proof = proofs.inclusion(settings, second, disclose=["fine_fen"])
    assert proof["fields"]["fine_fen"]["value"] == 77_778
    assert "fact" in proof["leaf"]["row"]["detail"], "its commitment is left"
    path = tmp_path / "p.json"
    path.write_text(json.dumps(proof))
    assert (
        subprocess.run(
            [sys.executable, ROOT / "docs" / "verify_proof.py", path], capture_output=True, check=False
        ).returncode
        == 0
    )
    with pytest.raises(UnknownField, match="lawfully erased: only its commitment"):
        proofs.inclusion(settings, second, disclose=["fact"])


def test_the_record_still_counts_when_only_a_field_went(spoken):
    settings, first, second = spoken
    erase(settings, first, "fact")
    row = Record.get(Record.seq == second)
    assert (row.amount_fen, row.replaced_seq, "fact" in row.detail) == (77_778, None, False)
    assert execute("SELECT gone FROM fact WHERE known = ?", (second,)).fetchone() == (None,)


def test_field_after_field_and_then_the_whole(spoken):
    settings, first, _ = spoken
    for fields in (("fact",), ("violation", "content"), ()):
        assert erase(settings, first, *fields).said == "erased"
        assert said(settings) == []
    proof = proofs.inclusion(settings, first)
    assert (proof["erased"], proof["leaf"]["row"]) == (True, None)
    with pytest.raises(UnknownField, match="nothing of it is left"):
        proofs.inclusion(settings, first, disclose=["fine_fen"])


def test_erasing_again_changes_nothing(spoken):
    settings, first, _ = spoken
    for fields in (("fact",), ()):
        step = erase(settings, first, *fields).step
        before = everything()
        again = erase(settings, first, *fields, reason="again")
        assert (again.said, again.rows, again.step) == ("unchanged", [], step)
        assert everything() == before


def test_an_erasure_that_was_cut_off_is_finished_by_the_next(spoken, monkeypatch):
    settings, first, _ = spoken
    monkeypatch.setattr(erasures, "_on_record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        erase(settings, first)
    monkeypatch.undo()
    assert said(settings) == []
    assert erase(settings, first).said == "erased"
    assert SECRET not in everything()


def test_a_complaint_loses_its_claimant_with_it(settings):
    ledger_of(settings, penalties=1)
    seq = record(1, "item_12315").seq
    execute(
        "INSERT INTO claim (known, identity, claimant, entity, day, severity) SELECT seq, identity, 'x', 1, 1, 2 FROM record WHERE seq = ?",
        (seq,),
    )
    erase(settings, seq)
    assert execute("SELECT count(*) FROM claim").fetchone()[0] == 0
    assert said(settings) == []


# --- what may not be erased ---


def test_what_other_tables_are_made_from_stays(settings):
    (seq,) = ledger_of(settings, penalties=1)
    with pytest.raises(NotErasable, match="which every other record of it needs"):
        erase(settings, 1)
    with pytest.raises(NotErasable, match="name of a registration is needed"):
        erase(settings, 1, "name")
    with pytest.raises(NotErasable, match=r"no field nonsense\. It has: .*violation"):
        erase(settings, seq, "nonsense")
    with pytest.raises(NotErasable, match="legal basis and a reason"):
        erase(settings, seq, basis=" ")
    with pytest.raises(RecordNotFound, match="no row 99"):
        erase(settings, 99)
    step = erase(settings, seq, "violation").step
    with pytest.raises(NotErasable, match="holds no record of anybody"):
        erase(settings, step)


def test_of_a_step_only_words_may_go(settings):
    (seq,) = ledger_of(settings, penalties=1)
    identity = Record.get(Record.seq == seq).identity
    with ledger.writing(now=NOW, schemes=[]) as pen:
        step = pen.step(
            "note_made", about=identity, entity=1, key=["1"], on=TODAY, detail={"reason": SECRET, "x": 1}, by="test"
        ).seq
    for fields in ((), ("x",)):
        with pytest.raises(NotErasable, match="--fields reason"):
            erase(settings, step, *fields)
    erase(settings, step, "reason")
    assert SECRET not in everything()
    assert said(settings) == []


# --- erasures that are none ---


def test_an_erasure_without_a_step_is_tampering(settings):
    seqs = ledger_of(settings)
    execute("INSERT INTO erasure (seq, at, \"by\", basis, step_seq) VALUES (?, 1, 'x', 'y', 1)", (seqs[4],))
    assert ("erasure", f"row {seqs[4]}") in [one[:2] for one in said(settings)]
    execute(
        "UPDATE record SET content = '', code = 0, severity = 0, amount_fen = 0, happened_on = NULL, document_no = '', organ = '', "
        "detail = '{}' WHERE seq = ?", (seqs[4],),
    )  # fmt: skip
    execute("UPDATE leaf SET salt = NULL WHERE seq = ?", (seqs[4],))
    execute("DELETE FROM fact WHERE known = ?", (seqs[4],))
    assert [(what, text) for what, _, text in said(settings)] == [
        ("erasure", f"row {seqs[4]}: was erased, and no step of the ledger says so: unlawful.")
    ]


def test_a_salt_that_was_removed_is_tampering(settings):
    seqs = ledger_of(settings)
    execute("UPDATE leaf SET salt = NULL WHERE seq = ?", (seqs[4],))
    assert [one[:2] for one in said(settings)] == [("altered", f"row {seqs[4]}")]


def test_what_is_left_of_an_erased_row_cannot_be_changed_unseen(spoken):
    settings, first, second = spoken
    erase(settings, first)
    attack("UPDATE record SET source = 'forged' WHERE seq = ?", first)
    assert [one[:2] for one in said(settings)] == [("altered", f"row {first}")]
    attack("UPDATE record SET source = 'test' WHERE seq = ?", first)
    assert said(settings) == []
    attack("UPDATE record SET amount_fen = 1 WHERE seq = ?", second)
    assert ("altered", f"row {second}") in [one[:2] for one in said(settings)]


def test_the_rest_of_a_row_that_lost_a_field_cannot_be_changed_unseen(spoken):
    settings, first, second = spoken
    erase(settings, first, "fact")
    attack(
        "UPDATE record SET detail = ? WHERE seq = ?",
        json.dumps({**Record.get(Record.seq == second).detail, "fact": "另一事实"}),
        second,
    )
    assert [one[:2] for one in said(settings)] == [("altered", f"row {second}")]


def test_more_fields_than_the_step_says_is_tampering(spoken):
    settings, first, second = spoken
    erase(settings, first, "fact")
    kept = json.loads(Erasure.get(Erasure.seq == second).kept)
    row = Record.get(Record.seq == second)
    kept["erased"]["violation"] = proofs.inclusion(settings, second)["leaf"]["row"]["detail"]["violation"]
    del kept["fields"]["violation"]
    execute("UPDATE erasure SET kept = ? WHERE seq = ?", (json.dumps(kept), second))
    attack(
        "UPDATE record SET detail = ? WHERE seq = ?",
        json.dumps({name: value for name, value in row.detail.items() if name != "violation"}),
        second,
    )
    assert [(what, text) for what, _, text in said(settings)] == [
        ("erasure", f"row {second}: has lost more than the steps of the ledger say: unlawful.")
    ]


def test_an_erasure_that_was_undone_is_named(spoken):
    settings, first, second = spoken
    sealed(settings)
    before = {seq: (Record.get(Record.seq == seq), bytes(Leaf.get(Leaf.seq == seq).salt)) for seq in (first, second)}
    erase(settings, first, "fact")
    for seq, (row, salt) in before.items():
        attack("UPDATE record SET detail = ? WHERE seq = ?", json.dumps(row.detail), seq)
        execute("UPDATE leaf SET salt = ? WHERE seq = ?", (salt, seq))
    execute("DELETE FROM erasure")
    assert said(settings) == [
        (
            "erasure",
            f"rows {first} to {second}",
            f"rows {first} to {second}: was erased by a step of the ledger, and its content is back.",
        )
    ]


def test_what_was_kept_to_prove_the_rest_cannot_be_spoilt_unseen(spoken):
    settings, first, second = spoken
    erase(settings, first, "fact")
    execute("UPDATE erasure SET kept = '{}' WHERE seq = ?", (second,))
    assert [one[:2] for one in said(settings)] == [("erasure", f"row {second}")]


def test_an_entity_that_is_registered_may_lose_words_of_its_registration(settings):
    ledger_of(settings, penalties=1)
    entity = registered(scope="张某某个人经营")
    seq = execute("SELECT registered_seq FROM entity WHERE id = ?", (entity,)).fetchone()[0]
    erase(settings, seq, "scope")
    assert "张某某" not in everything()
    assert said(settings) == []


def told():
    return [(one.what, one.kind, one.organ, one.due_on) for one in Notice.select().order_by(Notice.id)]


def test_an_erasure_tells_recipients_in_three_working_days_once_and_takes_the_record_down(spoken):
    settings, _, second = spoken
    lives.passed(second)
    lives.published(second, class_="serious", reason="情节严重")
    erase(settings, second)
    assert told() == [(what, "penalty", "信衡市市场监督管理局", date(2026, 11, 25)) for what in ("withdrawn", "erased")]
    assert {(one.state, one.stopped_because) for one in Publication.select()} == {("stopped", "withdrawn")}
    erase(settings, second)
    assert len(told()) == 2
    assert notices.collect(now=NOW, zone="Asia/Shanghai") == 0


def test_an_erased_field_is_told_too_and_erased_words_of_a_step_are_not(spoken):
    settings, _, second = spoken
    lives.passed(second, reason="核对无误")
    step = Record.get(Record.kind == "reviewed").seq
    erase(settings, second, "fact")
    erase(settings, step, "reason")
    assert [one[0] for one in told()] == ["erased"]
