"""The tamper check, with an attacker who rewrites the seal as well: leaves, nodes, roots, the log, the file of roots, a backup."""

import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry import database
from registry.database import execute, insert_rows
from registry.models import Leaf, SealLog
from registry.sealing import leaves, merkle, signing
from registry.services import seal
from tests.conftest import NOW
from tests.factories import record
from tests.registry.sealing import MINUTE, attack, checked, ledger_of, roots_path, said, sealed

# --- the seal itself ---


def reseal(settings, seq):
    """Rewrite the leaf of a row so that it fits what now stands there."""
    h = seal.log_of(settings).hash
    row = seal.rows_between(seq - 1, seq)[0]
    salt = bytes(Leaf.get(Leaf.seq == seq).salt)
    execute("UPDATE leaf SET hash = ? WHERE seq = ?", (leaves.leaf(h, row, leaves.salts(h, salt, row.detail)), seq))


def renode(settings):
    """Make every stored node anew from the leaves."""
    h, done = seal.log_of(settings).hash, []
    tree = merkle.Frontier(h)
    for row in Leaf.select().order_by(Leaf.seq):
        done += tree.push(bytes(row.hash))
    execute("DELETE FROM seal_node")
    insert_rows("seal_node", ("level", "number", "hash"), done)
    return tree


def forged(settings, seq):
    attack("UPDATE record SET source = 'forged' WHERE seq = ?", seq)
    reseal(settings, seq)


def test_a_row_whose_leaf_was_rewritten_too_is_found_by_its_batch(settings):
    seqs = ledger_of(settings, penalties=600, rounds=3)
    forged(settings, seqs[300])
    found = said(settings)
    assert [one[:2] for one in found] == [("sealed_rows", "rows 203 to 402"), ("leaves", "rows 257 to 512")]


def test_what_was_changed_behind_it_is_found_as_well(settings):
    seqs = ledger_of(settings, penalties=1200, rounds=3)
    forged(settings, seqs[300])
    forged(settings, seqs[900])
    assert [one[:2] for one in said(settings)] == [
        ("sealed_rows", "rows 1 to 402"), ("leaves", "rows 257 to 512"), ("leaves", "rows 769 to 1024"),
    ]  # fmt: skip


def test_a_stored_node_that_was_altered_is_found_and_the_rows_under_it_are_not_blamed(settings):
    ledger_of(settings, penalties=600, rounds=3)
    execute("UPDATE seal_node SET hash = ? WHERE number = 1", (bytes(32),))
    assert [one[:2] for one in said(settings)] == [("leaves", "rows 257 to 512")]


def test_leaf_and_nodes_rewritten_too_are_found_by_the_root_over_them(settings):
    seqs = ledger_of(settings, penalties=600, rounds=3)
    forged(settings, seqs[300])
    renode(settings)
    assert [one[:2] for one in said(settings)] == [("sealed_rows", "rows 203 to 402")]


def rewrite_roots(settings, key, previous=bytes(32)):
    """Sign every root of the database anew, over what the leaves are now."""
    log = seal.log_of(settings)
    h = log.hash
    for root in list(seal.roots_after(log, 0)):
        twin = signing.Root(
            log.name, log.algorithm, root.size, merkle.root(h, root.size, seal.stored(h)), root.at, previous
        )
        twin = signing.Root(
            *(getattr(twin, name) for name in ("log", "algorithm", "size", "root", "at", "previous")),
            signing.sign(key, twin),
        )
        execute(
            "UPDATE seal_root SET root = ?, previous = ?, signature = ? WHERE size = ?",
            (twin.root, previous, twin.signature, root.size),
        )
        previous = twin.digest(h)


def test_roots_rewritten_without_the_key_are_forged(settings):
    seqs = ledger_of(settings, penalties=40, rounds=2)
    forged(settings, seqs[30])
    renode(settings)
    rewrite_roots(settings, Ed25519PrivateKey.generate())
    found = said(settings)
    assert ("sealed_rows", "rows 23 to 42") in [one[:2] for one in found]
    assert "The root of 42 rows is not the one that was exported" in str(found)


def test_roots_that_were_never_exported_and_signed_by_another_are_forged(settings):
    ledger_of(settings, penalties=4)
    record(1, now=NOW + 1)
    sealed(settings, NOW + 1)
    lines = roots_path(settings).read_text().splitlines(keepends=True)
    roots_path(settings).write_text("".join(lines[:-1]))
    execute("UPDATE seal_root SET signature = ? WHERE size = 7", (bytes(64),))
    assert [one[2] for one in said(settings)] == [
        "The root of 7 rows is not signed by the key of the log: it is forged."
    ]


def test_a_log_that_was_exchanged_as_a_whole_is_found(settings):
    """Another key, another log, everything signed anew: key file and file of roots say that they belong to another."""
    seqs = ledger_of(settings, penalties=10)
    key = Ed25519PrivateKey.generate()
    execute("UPDATE seal_log SET public_key = ?", (signing.public_bytes(key),))
    forged(settings, seqs[3])
    rewrite_roots(settings, key)
    found = said(settings)
    assert [what for what, _, _ in found][:2] == ["key", "key"]
    execute("UPDATE seal_log SET name = 'other'")
    rewrite_roots(settings, key)
    assert "does not belong to this log" in str(said(settings))


def test_a_root_that_was_removed_is_named(settings):
    ledger_of(settings, penalties=20, rounds=4)
    execute("DELETE FROM seal_root WHERE size = 12")
    found = [one[2] for one in said(settings)]
    assert found == [
        "The root of 12 rows was exported and is not in the database any more: it was removed.",
        "The root of 17 rows does not follow the one before: a root was removed or exchanged.",
    ]


def test_a_leaf_that_was_removed_is_named(settings):
    seqs = ledger_of(settings, penalties=4)
    execute("DELETE FROM leaf WHERE seq = ?", (seqs[1],))
    assert ("leaf", f"row {seqs[1]}") in [one[:2] for one in said(settings)]


def test_a_seal_that_was_removed_as_a_whole_is_found(settings):
    ledger_of(settings, penalties=4)
    for table in ("leaf", "seal_node", "seal_root"):
        execute(f"DELETE FROM {table}")  # noqa: S608
    report = checked(settings)
    assert [one.what for one in report.findings] == ["rolled_back"]
    assert "Rows 1 to 6 are under no signed root of this database" in report.notes[0]
    SealLog.delete().execute()
    assert [one[0] for one in said(settings)] == ["seal"]


# --- the file of roots ---


def test_an_old_backup_is_found(on_sqlite, tmp_path):
    ledger_of(on_sqlite, penalties=10)
    database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "xinheng.db", tmp_path / "backup.db")
    record(1, now=NOW + MINUTE)
    sealed(on_sqlite, NOW + MINUTE)
    assert checked(on_sqlite).fine
    pool = database.db.obj
    database.db.close()
    pool.close_all()
    for left in ("xinheng.db-wal", "xinheng.db-shm"):
        (tmp_path / left).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", tmp_path / "xinheng.db")
    database.db.connect(reuse_if_open=True)
    found = said(on_sqlite)
    assert found[0][0] == "rolled_back"
    assert ("removed", "row 13") in [one[:2] for one in found]


def set_back(settings, tmp_path, *, unsealed, later):
    """A backup is made with rows that are not sealed yet, they and later ones are sealed, and the backup is put back."""
    ledger_of(settings, penalties=10)
    for _ in range(unsealed):
        record(1)
    database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "xinheng.db", tmp_path / "backup.db")
    sealed(settings, NOW + MINUTE)
    for _ in range(later):
        record(1, now=NOW + MINUTE)
    sealed(settings, NOW + 2 * MINUTE)
    pool = database.db.obj
    database.db.close()
    pool.close_all()
    for left in ("xinheng.db-wal", "xinheng.db-shm"):
        (tmp_path / left).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", tmp_path / "xinheng.db")
    database.db.connect(reuse_if_open=True)


def test_rows_that_were_not_sealed_in_a_backup_are_not_accused_when_it_is_put_back(on_sqlite, tmp_path):
    set_back(on_sqlite, tmp_path, unsealed=3, later=2)
    report = checked(on_sqlite)
    assert [(one.what, one.rows) for one in report.findings] == [("rolled_back", ""), ("removed", "rows 16 to 17")]
    assert "written after this copy was made" in report.findings[1].text
    assert "Rows 13 to 15 are under no signed root of this database" in report.notes[0]
    assert (report.sealed, report.sealed_at, report.rows, report.unsealed) == (12, NOW, 15, 3)


def test_a_row_that_was_altered_in_a_backup_is_named_all_the_same(on_sqlite, tmp_path):
    set_back(on_sqlite, tmp_path, unsealed=1, later=300)
    attack("UPDATE record SET source = 'forged' WHERE seq = 7")
    assert ("altered", "row 7") in [one[:2] for one in said(on_sqlite)]
    forged(on_sqlite, 9)
    assert ("sealed_rows", "rows 1 to 12") in [one[:2] for one in said(on_sqlite)]
    execute("DELETE FROM leaf WHERE seq = 5")
    assert ("leaf", "row 5") in [one[:2] for one in said(on_sqlite)]


def lines_of(settings):
    return roots_path(settings).read_text().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda lines: [*lines[:2], *lines[3:]], "is missing: lines were removed or moved"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "is missing: lines were removed or moved"),
        (
            lambda lines: [*lines[:2], lines[2].replace('"at":1', '"at":2'), *lines[3:]],
            "Line 3 of roots.jsonl is not signed",
        ),
        (lambda lines: [*lines[:2], "nonsense\n", *lines[3:]], "Line 3 of roots.jsonl is no signed root"),
        (lambda lines: lines[:-2], "lacks the last 2 roots"),
        (lambda lines: [], "There is no file of roots roots.jsonl, and 4 root(s) were signed"),
        (lambda lines: lines[1:], "does not belong to this log"),
    ],
)
def test_a_file_of_roots_that_was_edited_is_found(on_sqlite, spoil, expected):
    ledger_of(on_sqlite, penalties=20, rounds=4)
    roots_path(on_sqlite).write_text("".join(spoil(lines_of(on_sqlite))))
    found = said(on_sqlite)
    assert expected in str(found)
    assert {what for what, _, _ in found} <= {"roots_file", "root"}


def test_a_root_on_its_way_to_the_file_is_a_note(settings):
    ledger_of(settings, penalties=20, rounds=4)
    roots_path(settings).write_text("".join(lines_of(settings)[:-1]))
    report = checked(settings)
    assert (report.fine, report.notes) == (True, ["The newest root is not in roots.jsonl yet."])


def test_a_copy_that_was_kept_elsewhere_speaks_against_a_file_that_was_set_back_as_well(settings, tmp_path):
    ledger_of(settings, penalties=20, rounds=4)
    copy = tmp_path / "elsewhere.jsonl"
    shutil.copy(roots_path(settings), copy)
    attack("DELETE FROM record WHERE seq > 17")
    for sql in ("DELETE FROM leaf WHERE seq > 17", "DELETE FROM moment WHERE seq > 17", "DELETE FROM seal_root WHERE size > 17",
                "DELETE FROM fact WHERE known > 17", "UPDATE ledger_head SET seq = 17"):  # fmt: skip
        execute(sql)
    roots_path(settings).write_text("".join(lines_of(settings)[:-1]))
    assert checked(settings).fine, "what no copy speaks of cannot be found"
    assert "rolled_back" in [one[0] for one in said(settings, roots_file=copy)]
