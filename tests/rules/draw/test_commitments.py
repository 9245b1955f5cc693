"""What is committed to, against the definitions computed by hand."""

import hashlib
import hmac

import pytest

from rules import draw
from rules.draw import Candidates, DrawError
from rules.draw.commitments import hashed
from tests.rules.draw.made import SALT, SEED, WITNESS, frame_of


def test_a_seed_opens_its_commitment_and_no_other_does():
    told = hashlib.sha256(b"xinheng draw seed 1\n" + SEED).hexdigest()
    assert draw.commit("sha256", SEED) == told
    assert draw.commit("sha256", SALT) != told


def test_a_candidate_is_committed_to_with_a_salt_of_its_own():
    own = hmac.new(SALT, b"C1", "sha256").digest()
    assert draw.candidate_commitment("sha256", SALT, "C1", "A") == hmac.new(own, b"C1\nA", "sha256").digest()


def test_commitments_of_a_list_are_those_of_its_candidates():
    listed = Candidates(["C2", "C1"], ["B", "A"], SALT)
    expected = [draw.candidate_commitment("sm3", SALT, "C2", "B"), draw.candidate_commitment("sm3", SALT, "C1", "A")]
    assert draw.commitments("sm3", listed) == expected


def test_sm3_is_that_of_the_standard():
    """GB/T 32905-2016, appendix A.1."""
    assert hashed("sm3", b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_the_root_is_the_same_in_whatever_order_candidates_are_given():
    ones = [bytes([number]) * 32 for number in range(5)]
    told = hashlib.sha256(b"xinheng draw root 1\n" + b"t" * 32 + b"".join(ones)).hexdigest()
    assert draw.root("sha256", reversed(ones), b"t" * 32) == told


def test_the_key_needs_seed_list_and_witness():
    key = draw.key("sha256", SEED, "0" * 64, WITNESS)
    assert key == hmac.new(SEED, b"0" * 64 + WITNESS.encode(), "sha256").digest()
    others = {draw.key("sha256", SALT, "0" * 64, WITNESS), draw.key("sha256", SEED, "1" * 64, WITNESS)}
    assert key not in others | {draw.key("sha256", SEED, "0" * 64, WITNESS + "1")}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: draw.commit("md5", SEED), "Unknown algorithm 'md5'.*sha256, sm3"),
        (lambda: draw.commit("sha256", b"short"), "seed has 5 bytes and must have 32.*secrets.token_bytes"),
        (lambda: draw.key("sha256", SEED, "0" * 64, "  "), "witness has said nothing"),
        (lambda: draw.commitments("sha256", Candidates([], [], SALT)), "no candidates.*Widen"),
        (lambda: draw.commitments("sha256", Candidates(["1", "2"], ["A"], SALT)), "2 codes and 1 strata"),
        (lambda: draw.commitments("sha256", Candidates(["1", "2", "1"], ["A"] * 3, SALT)), "Candidate 1 .* twice"),
    ],
)
def test_what_no_draw_can_be_made_of_is_refused(asked, said):
    with pytest.raises(DrawError, match=said):
        asked()


def test_a_python_without_sm3_says_so(monkeypatch):
    monkeypatch.setattr(hashlib, "algorithms_available", {"sha256"})
    with pytest.raises(DrawError, match=r"cannot compute sm3.*Draw with sha256, or use a Python"):
        draw.announce(frame_of(algorithm="sm3"), SEED)
