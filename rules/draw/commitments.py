"""What is committed to before a draw, and the key that follows once it may be known.

Everything is SHA-256 or SM3 (GB/T 32905) and its HMAC (RFC 2104); docs/draws.md says what each commitment is for, and
docs/verify_draw.py computes all of it again with nothing but Python. Salt and seed are 32 secret random bytes each, made by the
caller; nothing here is random.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rules.draw.errors import DrawError

ALGORITHMS = ("sha256", "sm3")
SECRET_BYTES = 32
_SEED = b"xinheng draw seed 1\n"
_ROOT = b"xinheng draw root 1\n"
_TERMS = b"xinheng draw terms 1\n"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who may be drawn 候选对象, as frozen: one code and one stratum for each, in any order, no code twice.

    ``salt`` is secret for ever: who has it can try every code and every stratum against the published commitments.
    """

    codes: Sequence[str]
    strata: Sequence[str]
    salt: bytes


def checked(algorithm: str) -> str:
    """The name of the hash, if this Python can compute it.

    Raises
    ------
    DrawError
        If it is not one of ``ALGORITHMS``, or the OpenSSL below this Python does not have it.
    """
    if algorithm not in ALGORITHMS:
        raise DrawError(f"Unknown algorithm {algorithm!r}. Draws are made with one of {', '.join(ALGORITHMS)}.")
    if algorithm not in hashlib.algorithms_available:
        raise DrawError(
            f"This Python cannot compute {algorithm}: the OpenSSL below it has no such hash. Draw with sha256, or use a Python "
            "whose OpenSSL has it (hashlib.algorithms_available lists them)."
        )
    return algorithm


def canonical(value: object) -> bytes:
    """JSON in the one form that is hashed: UTF-8, keys sorted by code point, no blanks, nothing escaped that need not be."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def hashed(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(checked(algorithm), data).digest()


def commit(algorithm: str, seed: bytes) -> str:
    """The commitment of the seed, 64 hexadecimal digits: announced before the draw, opened by showing the seed after it."""
    return hashed(algorithm, _SEED + _secret("seed", seed)).hex()


def candidate_commitment(algorithm: str, salt: bytes, code: str, stratum: str) -> bytes:
    """Commitment of one candidate and its stratum, 32 bytes: says nothing to anybody who lacks the salt.

    Each candidate has a salt of its own, HMAC(salt, code), so that one could be opened and the others stay closed. To open one
    before the public would all the same show how its key compares with everybody's, and thus hint at its stratum: only who
    holds the full minutes opens them.
    """
    name, own = checked(algorithm), _secret("salt", salt)
    return hmac.digest(hmac.digest(own, code.encode(), name), f"{code}\n{stratum}".encode(), name)


def commitments(algorithm: str, candidates: Candidates) -> list[bytes]:
    """``candidate_commitment`` of every candidate, in the order of ``candidates``.

    Raises
    ------
    DrawError
        If codes and strata differ in number, a code stands twice, or there is nobody.
    """
    name, salt, digest = checked(algorithm), _secret("salt", candidates.salt), hmac.digest
    codes, strata = candidates.codes, candidates.strata
    if not codes:
        raise DrawError("There are no candidates, so nobody can be drawn. Widen the filters of the draw.")
    if len(codes) != len(strata):
        raise DrawError(f"{len(codes)} codes and {len(strata)} strata were given. Give one stratum for each candidate.")
    if len(set(codes)) != len(codes):
        twice = next(code for at, code in enumerate(sorted(codes)[1:]) if code == sorted(codes)[at])
        raise DrawError(f"Candidate {twice} stands on the list twice and would have two chances. Give each code once.")
    return [
        digest(digest(salt, code.encode(), name), f"{code}\n{stratum}".encode(), name)
        for code, stratum in zip(codes, strata, strict=True)
    ]


def terms(algorithm: str, salt: bytes, stated: Mapping[str, object]) -> bytes:
    """Commitment of everything else that decides the draw (sizes, pools, conflicts …), 32 bytes: salted like a candidate's.

    Without it whoever runs the machine could change the size of a stratum by one once the witness has spoken.
    """
    name = checked(algorithm)
    return hmac.digest(hmac.digest(_secret("salt", salt), _TERMS, name), canonical(stated), name)


def root(algorithm: str, commitments: Iterable[bytes], terms: bytes) -> str:
    """Digest over the commitment of the terms and the sorted commitments of all candidates, 64 hexadecimal digits.

    Sorted, because any other order of the list would say which commitment is whose.
    """
    return hashed(algorithm, _ROOT + terms + b"".join(sorted(commitments))).hex()


def key(algorithm: str, seed: bytes, root: str, witness: str) -> bytes:
    """The key of the draw, 32 bytes: HMAC(seed, root ‖ witness).

    Nobody knows it before the seed was committed to, the list frozen, and the witness 见证 has spoken: who made the seed did not know
    the witness's words, and the witness did not know the seed.

    Raises
    ------
    DrawError
        If the witness said nothing: who made the seed would then have chosen the result.
    """
    if not witness.strip():
        raise DrawError(
            "The witness has said nothing, so whoever made the seed would have chosen the result. Give what was said or thrown "
            "after the commitment was announced."
        )
    return hmac.digest(_secret("seed", seed), root.encode() + witness.encode(), checked(algorithm))


def _secret(what: str, value: bytes) -> bytes:
    if len(value) != SECRET_BYTES:
        raise DrawError(
            f"The {what} has {len(value)} bytes and must have {SECRET_BYTES}. Make it with secrets.token_bytes({SECRET_BYTES})."
        )
    return value
