"""Sealing: every row gets its leaf, every run one signed root, and anybody can check a proof without us."""

import dataclasses
import json
import stat
import subprocess
import sys
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from registry import database
from registry.config import ROOT
from registry.database import execute
from registry.errors import RecordNotFound
from registry.models import Leaf, SealLog, SealNode, SealRoot
from registry.sealing import leaves, merkle, rootfile, signing
from registry.sealing.signing import Root, SealKeyMissing
from registry.services import ledger, proofs, seal
from registry.services.proofs import UnknownField
from registry.services.seal import NotSealed, RootNotFound, SealAlgorithmFixed, SealBroken
from tests.conftest import NOW
from tests.factories import record, registered
from tests.registry.sealing import MINUTE, ledger_of, roots_path, sealed
from tests.registry.test_merkle import mth

SCRIPT = ROOT / "docs" / "verify_proof.py"


def checks(*arguments):
    """The script that stands alone, as a stranger runs it: (exit status, what it says)."""
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def written(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


# --- sealing ---


def test_every_row_gets_a_leaf_and_one_root_is_signed_over_all(settings):
    ledger_of(settings, penalties=8)
    assert [row.seq for row in Leaf.select().order_by(Leaf.seq)] == list(range(1, ledger.head() + 1))
    root = SealRoot.get()
    log = seal.log_of(settings)
    assert (root.size, root.at) == (ledger.head(), NOW)
    assert signing.is_signed(log.public_key, seal.newest(log))


def test_the_root_is_that_of_the_textbook_over_leaves_made_by_hand(settings):
    ledger_of(settings, penalties=5)
    data = []
    for row in Leaf.select().order_by(Leaf.seq):
        proof = proofs.inclusion(settings, row.seq)
        data.append(bytes.fromhex(proof["leaf"]["salt"]) + leaves.canonical(proof["leaf"]["row"]))
    assert mth(data) == bytes(SealRoot.get().root)


def test_sealing_again_changes_nothing_and_goes_on_where_it_was(settings):
    ledger_of(settings, penalties=4)
    before = roots_path(settings).read_bytes()
    assert sealed(settings).rows == 0
    assert roots_path(settings).read_bytes() == before
    record(registered())
    assert sealed(settings, NOW + MINUTE).rows == 2
    assert [root.size for root in SealRoot.select().order_by(SealRoot.size)] == [6, 8]


def test_a_tree_that_grew_piece_by_piece_is_the_tree_that_was_made_at_once(settings, monkeypatch):
    monkeypatch.setattr(seal, "CHUNK", 100)
    ledger_of(settings, penalties=520, rounds=4)
    log = seal.log_of(settings)
    digests = [bytes(row.hash) for row in Leaf.select().order_by(Leaf.seq)]
    tree = merkle.Frontier(log.hash)
    for digest in digests:
        tree.push(digest)
    assert tree.root() == seal.newest(log).root == merkle.root(log.hash, len(digests), seal.stored(log.hash))
    assert [(node.level, node.number) for node in SealNode.select()] == [(8, 0), (8, 1)]


def test_an_empty_ledger_has_nothing_to_seal(settings):
    seal.make_log(settings, now=NOW)
    assert seal.is_waiting() is False
    assert (sealed(settings).size, SealRoot.select().count()) == (0, 0)


def test_rows_wait_only_where_there_is_a_log(settings):
    registered()
    assert seal.is_waiting() is False
    seal.make_log(settings, now=NOW)
    assert seal.is_waiting() is True
    sealed(settings)
    assert seal.is_waiting() is False


def test_two_that_seal_at_once_make_one_log(settings):
    ledger_of(settings, penalties=4)
    one = registered()
    for number in range(30):
        record(one, fine_fen=number)
    failed = []

    def work():
        try:
            with database.session():
                sealed(settings, NOW + MINUTE)
        except Exception as error:
            failed.append(error)

    both = [threading.Thread(target=work) for _ in range(3)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert failed == []
    assert [root.size for root in SealRoot.select().order_by(SealRoot.size)] == [6, 37]
    assert [line.root.size for line in rootfile.lines(roots_path(settings)) if line.root] == [6, 37]


def test_a_run_that_was_killed_between_leaves_and_root_is_finished_by_the_next(settings, monkeypatch):
    ledger_of(settings, penalties=4)
    record(registered())
    monkeypatch.setattr(seal, "_sign", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        sealed(settings, NOW + 1)
    monkeypatch.undo()
    assert Leaf.select().count() == 8
    assert sealed(settings, NOW + 2).size == 8


def test_a_root_that_did_not_reach_the_file_is_appended_by_the_next_run(settings, monkeypatch):
    ledger_of(settings, penalties=4)
    record(registered())
    monkeypatch.setattr(seal, "export", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        sealed(settings, NOW + 1)
    monkeypatch.undo()
    sealed(settings, NOW + 2)
    assert [line.root.size for line in rootfile.lines(roots_path(settings)) if line.root] == [6, 8]


# --- key and algorithm ---


def test_the_key_is_made_once_and_readable_by_its_owner_only(settings):
    seal.make_log(settings, now=NOW)
    path = signing.place(settings, settings.seal.key_file)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    seal.make_log(settings, now=NOW + 1)
    assert (path.read_bytes(), SealLog.get().created_at) == (before, NOW)


def test_without_the_key_nothing_is_sealed_and_no_new_one_is_made(settings):
    ledger_of(settings, penalties=1)
    path = signing.place(settings, settings.seal.key_file)
    path.unlink()
    seal.make_log(settings, now=NOW)
    assert not path.exists()
    with pytest.raises(SealKeyMissing, match="Put the backed-up key back"):
        sealed(settings)


def test_another_key_is_refused(settings):
    ledger_of(settings, penalties=1)
    path = signing.place(settings, settings.seal.key_file)
    path.write_text(Ed25519PrivateKey.generate().private_bytes_raw().hex())
    with pytest.raises(SealBroken, match="not the one that the log was made with"):
        sealed(settings)


def with_seal(settings, **given):
    return dataclasses.replace(settings, seal=dataclasses.replace(settings.seal, **given))


def test_the_algorithm_is_fixed_when_the_log_is_made(on_sqlite):
    ledger_of(on_sqlite, penalties=1)
    for refused in (lambda one: seal.make_log(one, now=NOW), sealed):
        with pytest.raises(SealAlgorithmFixed, match='set it to "sha256" again'):
            refused(with_seal(on_sqlite, algorithm="sm3"))
    with pytest.raises(SealAlgorithmFixed, match="one of: sha256, sm3"):
        seal.make_log(with_seal(on_sqlite, algorithm="md5"), now=NOW)


def test_sm3_seals_as_well_and_its_proofs_stand_alone(on_sqlite, tmp_path):
    settings = with_seal(on_sqlite, algorithm="sm3")
    seqs = ledger_of(settings, penalties=3)
    proof = proofs.inclusion(settings, seqs[0], disclose=None)
    assert proof["root"]["algorithm"] == "sm3"
    assert checks(written(tmp_path / "p.json", proof), "--roots", roots_path(settings))[0] == 0


def test_a_bare_name_stands_beside_the_privacy_key_and_a_path_where_it_says(on_sqlite, tmp_path):
    assert signing.place(on_sqlite, "seal.key") == tmp_path / "seal.key"
    assert signing.place(on_sqlite, str(tmp_path / "a" / "k")) == tmp_path / "a" / "k"
    assert signing.place(on_sqlite, "var/k") == on_sqlite.path("var/k")


# --- nothing is signed over what is broken ---


def test_a_database_that_was_set_back_is_not_sealed_anew(settings):
    ledger_of(settings, penalties=8, rounds=2)
    execute("DELETE FROM seal_root WHERE size > 6")
    with pytest.raises(SealBroken, match="set back to an older backup"):
        sealed(settings, NOW + MINUTE)


def test_missing_leaves_or_rows_are_not_signed_over(settings):
    ledger_of(settings, penalties=8)
    execute("DELETE FROM leaf WHERE seq > 5")
    with pytest.raises(SealBroken, match="something was removed"):
        sealed(settings, NOW + MINUTE)


def test_a_file_of_roots_of_another_registry_is_refused(settings):
    ledger_of(settings, penalties=1)
    path = roots_path(settings)
    path.write_bytes(path.read_bytes().replace(seal.log_of(settings).name.encode(), b"0" * 32))
    with pytest.raises(SealBroken, match="belongs to another log"):
        sealed(settings)


def test_a_new_and_empty_registry_sets_the_roots_of_an_older_one_aside(settings):
    ledger_of(settings, penalties=1)
    old = roots_path(settings).read_bytes()
    execute("DELETE FROM seal_log")
    seal.make_log(settings, now=NOW)  # it holds rows: their roots are not forgotten
    with pytest.raises(seal.SealBroken, match="belongs to another log"):
        sealed(settings)
    execute("DELETE FROM seal_log")
    execute("UPDATE ledger_head SET seq = 0")
    seal.make_log(settings, now=NOW)
    assert not roots_path(settings).exists()
    (aside,) = roots_path(settings).parent.glob("roots-*.jsonl")
    assert aside.read_bytes() == old


def test_half_a_line_of_a_crash_is_passed_over(settings):
    ledger_of(settings, penalties=2)
    path = roots_path(settings)
    whole = path.read_bytes()
    record(registered())
    sealed(settings, NOW + 1)
    line = path.read_bytes()[len(whole) :]
    path.write_bytes(whole + line[:50])
    sealed(settings, NOW + 2)
    assert path.read_bytes() == whole + line[:50] + b"\n" + line
    assert [one.root.size for one in rootfile.lines(path) if one.root] == [4, 6]
    assert checks("--roots", path)[0] == 0


# --- proofs ---


def test_a_stranger_can_check_a_proof_without_our_code(settings, tmp_path):
    seqs = ledger_of(settings, penalties=300, rounds=3)
    for seq in (1, seqs[0], seqs[-1]):
        proof = proofs.inclusion(settings, seq, disclose=None)
        status, text = checks(written(tmp_path / "proof.json", proof), "--roots", roots_path(settings))
        assert (status, "its root stands in the file of roots" in text) == (0, True), text
        assert "not checked" not in text
    assert proof["fields"]["fine_fen"]["value"] == record_detail(seqs[-1])["fine_fen"]


def record_detail(seq):
    return json.loads(execute("SELECT CAST(detail AS text) FROM record WHERE seq = ?", (seq,)).fetchone()[0])


def test_a_field_that_is_not_shown_stays_secret_and_the_proof_holds(settings, tmp_path):
    (seq,) = ledger_of(settings, penalties=1)
    proof = proofs.inclusion(settings, seq, disclose=["fine_fen"])
    text = json.dumps(proof, ensure_ascii=False)
    assert record_detail(seq)["violation"] not in text
    assert list(proof["fields"]) == ["fine_fen"]
    assert checks(written(tmp_path / "p.json", proof))[0] == 0


def changes(proof):
    """The same proof with one thing changed in it, each in turn."""
    for path in (("leaf", "row", "amount_fen"), ("leaf", "row", "at"), ("leaf", "hash"), ("leaf", "salt"), ("fields", "fine_fen", "value"),
                 ("path", 0), ("root", "root"), ("root", "size"), ("root", "at"), ("root", "signature"), ("seq",)):  # fmt: skip
        twin = json.loads(json.dumps(proof))
        place = twin
        for name in path[:-1]:
            place = place[name]
        old = place[path[-1]]
        place[path[-1]] = old + 1 if isinstance(old, int) else ("0" if old[0] != "0" else "1") + old[1:]
        yield path, twin


def test_whatever_is_changed_in_a_proof_is_noticed(on_sqlite, tmp_path):
    seqs = ledger_of(on_sqlite, penalties=12)
    for path, twin in changes(proofs.inclusion(on_sqlite, seqs[3], disclose=["fine_fen"])):
        status, text = checks(written(tmp_path / "p.json", twin))
        assert (status, text[:5]) == (1, "WRONG"), path


def test_growth_is_proved_between_any_two_roots(settings, tmp_path):
    ledger_of(settings, penalties=40, rounds=5)
    log = seal.log_of(settings)
    sizes = [root.size for root in SealRoot.select().order_by(SealRoot.size)]
    for at, first in enumerate(sizes):
        for second in sizes[at:]:
            proof = proofs.consistency(settings, first, second)
            path = [bytes.fromhex(step) for step in proof["path"]]
            old, new = seal.root_of(log, first).root, seal.root_of(log, second).root
            assert merkle.verify_consistency(log.hash, first, second, path, old, new)
    proof = proofs.consistency(settings, sizes[1], sizes[-1])
    assert checks(written(tmp_path / "g.json", proof), "--roots", roots_path(settings))[0] == 0
    proof["path"][0] = "00" * 32
    assert checks(written(tmp_path / "g.json", proof))[0] == 1


def test_a_proof_against_an_earlier_root(settings, tmp_path):
    seqs = ledger_of(settings, penalties=20, rounds=2)
    first = SealRoot.select().order_by(SealRoot.size).first().size
    proof = proofs.inclusion(settings, seqs[0], size=first)
    assert (proof["root"]["size"], checks(written(tmp_path / "p.json", proof))[0]) == (first, 0)
    with pytest.raises(NotSealed, match="came after the root"):
        proofs.inclusion(settings, seqs[-1], size=first)


def test_what_cannot_be_proved_says_why(settings):
    (seq,) = ledger_of(settings, penalties=1)
    late = record(registered()).seq
    with pytest.raises(NotSealed, match="within a minute"):
        proofs.inclusion(settings, late)
    for missing in (late + 1, 0):
        with pytest.raises(RecordNotFound, match="no row"):
            proofs.inclusion(settings, missing)
    with pytest.raises(RootNotFound, match="lists the sizes"):
        proofs.inclusion(settings, seq, size=2)
    with pytest.raises(UnknownField, match=r"no field nonsense\. It has: .*fine_fen"):
        proofs.inclusion(settings, seq, disclose=["nonsense"])
    with pytest.raises(UnknownField, match="earlier root first"):
        proofs.consistency(settings, 3, 2)


def test_a_proof_still_holds_after_a_provisional_entity_got_its_numbers(settings, tmp_path):
    from registry.services import entities
    from registry.services.entities import Party
    from tests.factories import credit_code, statement

    seal.make_log(settings, now=NOW)
    code = credit_code()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        (match,), _ = entities.place(pen, [Party(code=code, organisation_code=code[8:17], name="信衡示例有限公司")])
        (outcome,) = pen.state([(match.found.id, statement("penalty"))], source="test")
    sealed(settings)
    execute("UPDATE entity SET registration_no = ? WHERE id = ?", ("990000012345678", match.found.id))
    proof = proofs.inclusion(settings, outcome.seq)
    assert proof["leaf"]["row"]["party_registration_no"] is None
    assert checks(written(tmp_path / "p.json", proof))[0] == 0


def test_roots_come_in_pages_newest_first(settings, count_queries):
    ledger_of(settings, penalties=10, rounds=5)
    first = proofs.roots(settings, after=None, limit=2)
    second = proofs.roots(settings, after=first.next, limit=9)
    assert [root.size for root in (*first.items, *second.items)] == [12, 10, 8, 6, 4]
    assert second.next is None
    with count_queries() as queries:
        proofs.roots(settings, after=None, limit=4)
    assert len(queries) == 2, "the log and the page"


# --- the file of roots, checked by the script alone ---


def test_the_script_finds_every_change_to_a_file_of_roots(on_sqlite, tmp_path):
    ledger_of(on_sqlite, penalties=8, rounds=4)
    lines = roots_path(on_sqlite).read_text().splitlines(keepends=True)
    key = seal.log_of(on_sqlite).public_key.hex()
    whole = (0, "OK: 4 signed roots in a chain, the last over 10 rows\n")
    assert checks("--roots", roots_path(on_sqlite), "--public-key", key) == whole
    spoilt = {
        "a line removed": lines[:2] + lines[3:],
        "two lines swapped": [lines[0], lines[2], lines[1], *lines[3:]],
        "a root altered": [*lines[:4], lines[4].replace('"size":10', '"size":11')],
        "the heading removed": lines[1:],
        "half a line": [*lines[:2], lines[2][:60] + "\n", *lines[3:]],
    }
    for what, text in spoilt.items():
        path = tmp_path / "spoilt.jsonl"
        path.write_text("".join(text))
        assert checks("--roots", path)[0] == 1, what
    assert checks("--roots", roots_path(on_sqlite), "--public-key", "00" * 32)[0] == 1
    assert checks("--roots", tmp_path / "none")[0] == 2


def test_the_script_says_where_the_key_was_the_files_own_and_what_is_no_key(on_sqlite, tmp_path):
    (seq,) = ledger_of(on_sqlite, penalties=1)
    proof = written(tmp_path / "p.json", proofs.inclusion(on_sqlite, seq))
    key = seal.log_of(on_sqlite).public_key.hex()
    for files in ([proof], ["--roots", roots_path(on_sqlite)]):
        status, text = checks(*files)
        assert (status, "the key came with the file, and nothing shows that it is the registry's" in text) == (0, True)
        for told in (key, key.upper(), f" {key} "):
            status, text = checks(*files, "--public-key", told)
            assert (status, "Note" in text) == (0, False), text
    for wrong in ("zz", key[:-1], "", key + "00"):
        done = subprocess.run(
            [sys.executable, SCRIPT, proof, "--public-key", wrong], capture_output=True, text=True, check=False
        )
        assert (done.returncode, "is no key: give its 64 hexadecimal digits" in done.stderr) == (2, True), wrong


# --- what is hashed ---

text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text, lambda one: st.lists(one, max_size=3) | st.dictionaries(text, one, max_size=3)
)  # fmt: skip


@given(st.dictionaries(text, values, max_size=6))
def test_our_json_is_that_of_any_other_program(value):
    other = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert leaves.canonical(value) == other


@given(st.dictionaries(text, values, min_size=1, max_size=6), st.data())
def test_a_leaf_changes_with_every_field_and_survives_the_erasure_of_any(detail, data):
    h = merkle.ALGORITHMS["sha256"]
    columns = tuple(range(1, 18))
    row = leaves.Row(columns, detail, ("91", None), NOW)
    salts = leaves.salts(h, bytes(16), detail)
    leaf = leaves.leaf(h, row, salts)
    name = data.draw(st.sampled_from(sorted(detail)))
    other = dataclasses.replace(row, detail={**detail, name: [detail[name]]})
    assert leaves.leaf(h, other, salts) != leaf
    left = {one: value for one, value in detail.items() if one != name}
    kept = leaves.Salts(
        salts.row, {one: salts.fields[one] for one in left},
        {name: leaves.commitment(h, salts.fields[name], name, detail[name])},
    )  # fmt: skip
    assert leaves.leaf(h, dataclasses.replace(row, detail=left), leaves.Salts.from_json(kept.as_json())) == leaf


@pytest.mark.parametrize("at", range(len(leaves.COLUMNS)))
def test_a_leaf_covers_every_column(at):
    h = merkle.ALGORITHMS["sha256"]
    columns = tuple(range(17))
    row, salts = leaves.Row(columns, {}, (None, None), NOW), leaves.salts(h, bytes(16), {})
    other = dataclasses.replace(row, columns=(*columns[:at], "x", *columns[at + 1 :]))
    assert leaves.leaf(h, row, salts) != leaves.leaf(h, other, salts)


@pytest.mark.parametrize("said", [{}, [], {"size": 1}, {**Root("l", "sha256", 1, b"", 1, b"").as_dict(), "size": "1"}])
def test_what_is_no_signed_root_is_refused(said):
    with pytest.raises(ValueError, match="no signed root"):
        Root.from_dict(said)


@pytest.mark.parametrize("said", ["{}", "[]", '{"row": "zz"}', '{"row": "", "fields": 1, "erased": {}}'])
def test_salts_that_cannot_be_read_are_refused(said):
    with pytest.raises(ValueError, match=r"."):
        leaves.Salts.from_json(said)
