"""The tamper check, with an attacker who may write the whole database: each attack is found and named, honest work never is."""

from datetime import date

import pytest

from registry.database import execute, is_postgres
from registry.sealing.findings import MOST, Findings
from registry.services import entities, ledger, listings, seal
from registry.services.entities import Party
from registry.services.sampling import load_sample
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement
from tests.registry import deeds
from tests.registry.sealing import MINUTE, attack, checked, ledger_of, said, sealed


def writing(now=NOW):
    return ledger.writing(now=now, schemes=["general-risk"])


# --- honest work ---


def test_a_ledger_that_nobody_changed_is_fine(settings):
    ledger_of(settings, penalties=20, rounds=2)
    record(registered(), now=NOW + 2 * MINUTE)
    report = checked(settings)
    assert (report.findings, report.notes, report.fine) == ([], [], True)
    assert (report.rows, report.sealed, report.sealed_at, report.unsealed, report.roots) == (24, 22, NOW + MINUTE, 2, 2)


def test_everything_that_the_ledger_does_leaves_nothing_to_find(settings):
    """Corrections, withdrawals, restatements, repairs, matches by name, listings that end, coverage, late registrations."""
    seal.make_log(settings, now=NOW)
    one = registered()
    seqs = [record(one, fine_fen=number).seq for number in range(6)]
    grave = statement("serious_listing", listed_on=date(2023, 1, 15))
    code = credit_code()
    with writing() as pen:
        pen.correct(seqs[0], statement("penalty", fine_fen=7), source="test")
        pen.withdraw(seqs[1], source="test", reason="行政复议撤销")
        pen.cover("penalty", "9901", date(2020, 1, 1), None, source="test")
        (held, listed) = pen.state(
            [(one, statement("serious_listing", article=8)), (one, grave)], source="test", matched=["name", "number"]
        )
        (match,), _ = entities.place(pen, [Party(code=code, organisation_code=code[8:17], name="信衡示例")])
        pen.state([(match.found.id, statement("penalty"))], source="test")
    with writing() as pen:
        pen.cover("penalty", "9901", date(2020, 1, 1), date(2026, 1, 1), source="test")
        pen.restate(held.seq, source="test", reason="核实", matched="person")
        pen.restate(pen.withdraw(seqs[2], source="test", reason="误").seq, source="test", reason="恢复")
        identity = execute("SELECT identity FROM record WHERE seq = ?", (seqs[3],)).fetchone()[0]
        pen.step(
            "repaired", about=identity, entity=one, key=["1"], on=TODAY, detail={}, by="test", leaves_out="repaired"
        )
    sealed(settings, NOW + 1)
    registered(code, name="信衡示例有限公司")
    listings.end(listed.seq, on=date(2026, 1, 15), actor="test", schemes=[], now=NOW + 2)
    sealed(settings, NOW + 2)
    assert said(settings) == []


def test_a_synthetic_district_is_fine(settings):
    seal.make_log(settings, now=NOW)
    load_sample(settings, size=120, today=TODAY, now=NOW)
    sealed(settings)
    report = checked(settings)
    assert (report.findings, report.unsealed) == ([], 0)


def test_a_registry_without_rows_or_without_a_log(settings):
    assert said(settings)[0][0] == "seal"
    seal.make_log(settings, now=NOW)
    assert checked(settings).fine


def test_the_check_writes_nothing_and_reads_the_ledger_in_slices(settings, count_queries):
    ledger_of(settings, penalties=6)
    with count_queries() as few:
        checked(settings)
    ledger_of(settings, penalties=60)
    with count_queries() as many:
        checked(settings)
    assert len(few) == len(many)
    assert not [sql for sql in many if sql.startswith(("INSERT", "UPDATE", "DELETE"))]


# --- rows ---


@pytest.mark.parametrize(
    ("column", "value"),
    [("amount_fen", 1), ("severity", 0), ("happened_on", "2020-01-01"), ("organ", "另一机关"), ("document_no", "X"),
     ("source", "organ"), ("content", "0" * 32), ("kind", "licence"), ("entity_id", 2), ("matched", "person"), ("act", "correct"),
     ("detail", "{}"), ("identity", "0" * 32), ("replaces", 1)],
)  # fmt: skip
def test_an_altered_row_is_named(settings, column, value):
    seqs = ledger_of(settings)
    attack(f"UPDATE record SET {column} = ? WHERE seq = ?", value, seqs[7])  # noqa: S608
    assert ("altered", f"row {seqs[7]}", f"row {seqs[7]}: is not what was sealed: it was altered.") in said(settings)


def test_one_character_of_the_detail_is_enough(settings):
    seqs = ledger_of(settings)
    attack("UPDATE record SET detail = ? WHERE seq = ?", execute(
        "SELECT CAST(detail AS text) FROM record WHERE seq = ?", (seqs[3],)).fetchone()[0].replace("虚假宣传", "虚假宣专"), seqs[3])  # fmt: skip
    assert [(what, rows) for what, rows, _ in said(settings)] == [("altered", f"row {seqs[3]}")]


def test_a_detail_that_was_made_unreadable_is_named(on_sqlite):
    seqs = ledger_of(on_sqlite)
    attack("UPDATE record SET detail = ? WHERE seq = ?", "[", seqs[3])
    assert ("altered", f"row {seqs[3]}") in [one[:2] for one in said(on_sqlite)]


def test_two_rows_that_were_swapped_are_named(settings):
    seqs = ledger_of(settings)
    for old, new in ((seqs[2], -1), (seqs[9], seqs[2]), (-1, seqs[9])):
        attack("UPDATE record SET seq = ? WHERE seq = ?", new, old)
    assert {f"row {seqs[2]}", f"row {seqs[9]}"} == {rows for what, rows, _ in said(settings) if what == "altered"}


def test_a_row_in_the_middle_that_was_removed_is_named(settings):
    seqs = ledger_of(settings)
    attack("DELETE FROM record WHERE seq = ?", seqs[4])
    assert ("removed", f"row {seqs[4]}") in [one[:2] for one in said(settings)]


def test_the_last_rows_with_everything_that_spoke_of_them(settings):
    """The head is set back and leaves, moments, nodes and roots go as well: the file of roots still knows."""
    ledger_of(settings, penalties=20, rounds=2)
    attack("DELETE FROM record WHERE seq > 12")
    for sql in ("DELETE FROM leaf WHERE seq > 12", "DELETE FROM moment WHERE seq > 12", "DELETE FROM seal_root WHERE size > 12",
                "DELETE FROM fact WHERE known > 12", "UPDATE ledger_head SET seq = 12"):  # fmt: skip
        execute(sql)
    found = said(settings)
    assert ("removed", "rows 13 to 22") in [one[:2] for one in found]
    assert next(text for what, _, text in found if what == "rolled_back").startswith(
        "roots.jsonl knows a root of 22 rows and the database none beyond 12"
    )


def test_the_last_rows_alone(settings):
    ledger_of(settings)
    attack("DELETE FROM record WHERE seq > 18")
    execute("UPDATE ledger_head SET seq = 18")
    assert ("removed", "rows 19 to 22") in [one[:2] for one in said(settings)]


def move(seq, by):
    attack("UPDATE record SET seq = ? WHERE seq = ?", seq + by, seq)


def test_a_row_that_was_put_between_two_others_is_named(settings):
    seqs = ledger_of(settings)
    for seq in reversed(range(seqs[5], ledger.head() + 1)):
        move(seq, 1)
    names = ", ".join(ledger.RECORD_COLUMNS[1:])
    theirs = names.replace("identity", "'f'")
    attack(f"INSERT INTO record (seq, {names}) SELECT {seqs[5]}, {theirs} FROM record WHERE seq = {seqs[4]}")  # noqa: S608
    found = [one[:2] for one in said(settings)]
    assert ("inserted", f"row {seqs[5]}") in found
    assert ("altered", f"rows {seqs[5]} to {ledger.head()}") in found


def test_a_row_that_was_cut_out_and_the_gap_closed_is_named(settings):
    seqs = ledger_of(settings)
    attack("DELETE FROM record WHERE seq = ?", seqs[5])
    for seq in range(seqs[5] + 1, ledger.head() + 1):
        move(seq, -1)
    assert ("removed", f"row {seqs[5]}") in [one[:2] for one in said(settings)]


def test_a_row_beyond_the_end_or_before_the_beginning_is_named(settings):
    ledger_of(settings, penalties=3)
    move(5, 5)
    assert ("inserted", "rows 6 to 10") in [one[:2] for one in said(settings)]
    move(10, -10)
    assert "a row 0 stands before" in str(said(settings))


def test_a_made_up_number_does_not_make_the_check_walk_for_years(settings):
    ledger_of(settings, penalties=3)
    record(1)
    execute("UPDATE ledger_head SET seq = ?", (10**15,))
    assert ("removed", f"rows 7 to {10**15}") in [one[:2] for one in said(settings)]
    move(6, 10**14)
    assert ("removed", f"rows 6 to {10**14 + 5}") in [one[:2] for one in said(settings)]
    execute("INSERT INTO leaf (seq, at, hash) VALUES (?, 1, ?)", (10**16, bytes(32)))
    assert "leaf" in [one[0] for one in said(settings)]


def test_a_credit_code_that_was_given_to_another_entity_moves_no_record_unseen(settings):
    seqs = ledger_of(settings)
    codes = [row[0] for row in execute("SELECT code FROM entity ORDER BY id").fetchall()]
    for entity, code in ((1, None), (2, codes[0]), (1, codes[1])):
        execute("UPDATE entity SET code = ? WHERE id = ?", (code, entity))
    assert ("altered", f"rows 1 to {seqs[-1]}") in [one[:2] for one in said(settings)]


# --- moments ---


def test_a_sealed_row_that_was_dated_back_is_named(settings):
    seqs = ledger_of(settings)
    execute("UPDATE moment SET at = at - 86400000 WHERE seq = ?", (seqs[6],))
    found = said(settings)
    assert [(what, rows) for what, rows, _ in found] == [
        ("back_dated", f"row {seqs[6]}"),
        ("back_dated", f"row {seqs[6]}"),
    ]
    assert {text.partition(": ")[2] for _, _, text in found} == {
        "lies before the rows before it: its moment was set back.", "has another moment than the one that was sealed: it was dated anew.",
    }  # fmt: skip


def test_a_whole_ledger_that_was_dated_back_is_named(settings):
    ledger_of(settings, penalties=4)
    execute("UPDATE moment SET at = at - 86400000")
    assert [one[:2] for one in said(settings)] == [("back_dated", "rows 1 to 6")]


def test_a_row_that_is_not_sealed_yet_cannot_be_dated_before_the_last_root(settings):
    ledger_of(settings, penalties=4)
    sealed(settings, NOW)
    new = record(1, now=NOW).seq
    sealed(settings, NOW + 3_600_000)
    late = record(1, now=NOW + 3_600_000).seq
    assert said(settings) == []
    execute("UPDATE moment SET at = ? WHERE seq = ?", (NOW + 1, late))
    assert [one[:2] for one in said(settings)] == [("back_dated", f"row {late}")]
    assert late == new + 1


def test_a_moment_that_was_removed_is_named(settings):
    seqs = ledger_of(settings, penalties=4)
    execute("DELETE FROM moment WHERE seq >= ?", (seqs[-1],))
    assert ("removed", f"row {seqs[-1]}") in [one[:2] for one in said(settings)]


# --- caches ---


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE fact SET amount = 0 WHERE known = 5", "row 5: has a fact that says something else than the row."),
        ("UPDATE fact SET gone = 9 WHERE known = 5", "row 5: counts where it should not, or does not count where it should"),
        ("DELETE FROM fact WHERE known = 5", "row 5: counts where it should not, or does not count where it should"),
        ("INSERT INTO fact (entity, known, part, kind, code, severity, amount, day) VALUES (1, 5, 1, 2, 3, 3, 9, 20000)", "row 5: is named by a fact"),
        ("UPDATE record SET replaced_seq = 9 WHERE seq = 5", "row 5: is marked as replaced by another row"),
        ("INSERT INTO uncounted (identity, entity, why, seq) SELECT identity, 1, 'repaired', 5 FROM record WHERE seq = 5", "row 5: is left out of counting"),
        ("INSERT INTO uncounted (identity, entity, why, seq) VALUES ('x', 1, 'capped', 5)", "names a record x that the ledger does not have"),
        ("UPDATE entity SET name = '别名' WHERE id = 1", "Entity CODE1 says something else than its registration"),
        ("UPDATE entity SET status = 3 WHERE id = 2", "Entity CODE2 says something else than its registration"),
        ("UPDATE entity SET registered_seq = NULL, provisional = true WHERE id = 2", "row 2: is the newest registration of an entity, and the entity"),
        ("UPDATE entity_name SET folded = 'x' WHERE entity_id = 1", "Entity CODE1 cannot be found by its name"),
        ("INSERT INTO coverage (known, kind, division, from_day) VALUES (5, 2, '', 0)", "row 5: says which feed was connected"),
        ("INSERT INTO relation (known, entity, type, other_code, share) VALUES (5, 1, 1, '', 0)", "relation: the row of ledger row 5"),
    ],
)  # fmt: skip
def test_a_cache_that_does_not_follow_from_the_ledger_is_named(settings, sql, expected):
    ledger_of(settings, penalties=6)
    execute(sql if is_postgres() or "true" not in sql else sql.replace("true", "1"))
    found = said(settings)
    assert [what for what, _, _ in found] == ["cache"] * len(found)
    for entity, code in execute("SELECT id, code FROM entity").fetchall():
        expected = expected.replace(f"CODE{entity}", code)
    assert expected in str(found)


def test_a_publication_that_was_made_up_is_told_by_document_number_and_credit_code(settings):
    seq = ledger_of(settings, penalties=1)[0]
    deeds.shown(seq)
    sealed(settings)
    document_no, code = execute(
        "SELECT r.document_no, e.code FROM record r JOIN entity e ON e.id = r.entity_id WHERE r.seq = ?", (seq,)
    ).fetchone()
    execute("DELETE FROM publication WHERE channel = 'site'")
    (found,) = said(settings)
    assert found[2].startswith(f"publication of 行政处罚 {document_no} (row {seq}, entity {code}), channel site: ")


def test_a_repaired_record_that_counts_again_is_named(settings):
    seqs = ledger_of(settings, penalties=6)
    identity = execute("SELECT identity FROM record WHERE seq = ?", (seqs[0],)).fetchone()[0]
    with writing() as pen:
        pen.step("repaired", about=identity, entity=2, key=["1"], on=TODAY, detail={}, by="test", leaves_out="repaired")
    assert said(settings) == []
    execute("DELETE FROM uncounted")
    assert [rows for _, rows, _ in said(settings)] == [f"row {seqs[0]}"] * 2
    execute("UPDATE fact SET gone = NULL")
    assert f"row {seqs[0]}" in [rows for _, rows, _ in said(settings)]


def test_a_grave_record_that_was_found_by_name_and_counts_is_named(settings):
    ledger_of(settings, penalties=2)
    with writing() as pen:
        (held,) = pen.state([(1, statement("serious_listing"))], source="test", matched=["name"])
    assert said(settings) == []
    execute("DELETE FROM uncounted")
    assert {rows for _, rows, _ in said(settings)} == {f"row {held.seq}"}


# --- words ---


def test_neighbours_are_one_finding_and_more_than_a_person_reads_is_counted():
    found = Findings()
    for row in (3, 4, 5, 9):
        found.add("altered", "is altered.", row)
    assert [one.sentence for one in found.items] == ["rows 3 to 5: is altered.", "row 9: is altered."]
    assert (found.has("altered", 9), found.has("altered", 5), found.more) == (True, False, 0)
    for row in range(100, 100 + 4 * MOST, 2):
        found.add("altered", "is altered.", row)
    assert (len(found.items), found.more) == (MOST, MOST + 2)
