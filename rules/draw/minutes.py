"""The minutes of a draw 抽取记录: all of it for who audits, and what everybody may read.

Minutes are JSON in one form to the byte. The full ones hold every input and every result; the public ones prove that list and seed
were fixed before, and hold nothing that depends on a class except through salted commitments. docs/draws.md says why.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rules.draw.choosing import choose
from rules.draw.commitments import Candidates, canonical, commit, commitments, hashed, key, root, terms
from rules.draw.errors import DrawError
from rules.draw.frame import Frame, Minutes, stated
from rules.draw.teams import Stop, Team, assign, groups


@dataclass(frozen=True, slots=True)
class Announced:
    """What everybody is told before the draw 承诺: digests of the seed, and of list and terms, 64 hexadecimal digits each."""

    commitment: str
    root: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """Who was drawn: places in the candidates of the frame, ascending; the key of the draw; what of the minutes is known by then."""

    places: list[int]
    key: bytes
    written: Minutes


def announce(frame: Frame, seed: bytes) -> Announced:
    """Commit to a draw: after this neither list, sizes, inspectors nor seed can be changed without anybody noticing.

    Raises
    ------
    DrawError
        If no draw could follow: strata without size, candidates that are also excluded, fewer than two inspectors of an organ.
    """
    salted = terms(frame.algorithm, frame.candidates.salt, stated(frame))
    committed = commitments(frame.algorithm, frame.candidates)
    return Announced(commit(frame.algorithm, seed), root(frame.algorithm, committed, salted))


def draw(frame: Frame, seed: bytes, witness: str) -> Drawn:
    """Draw once the witness has spoken. Then put the drawn in the order of a sensible tour for ``full_minutes``.

    Raises
    ------
    DrawError
        As ``announce``, and if the witness said nothing.
    """
    algorithm, candidates = frame.algorithm, frame.candidates
    fixed = stated(frame)
    committed = commitments(algorithm, candidates)
    salted = terms(algorithm, candidates.salt, fixed)
    its_root = root(algorithm, committed, salted)
    its_key = key(algorithm, seed, its_root, witness)
    places = choose(algorithm, its_key, candidates, frame.sizes, committed=committed)
    written = {
        **fixed,
        "copy": "full",
        "commitment": commit(algorithm, seed),
        "root": its_root,
        "terms": salted.hex(),
        "seed": seed.hex(),
        "salt": candidates.salt.hex(),
        "witness": witness,
        "candidates": [list(one) for one in sorted(zip(candidates.codes, candidates.strata, strict=True))],
        "chosen": sorted(candidates.codes[place] for place in places),
    }
    return Drawn(places, its_key, written)


def full_minutes(frame: Frame, drawn: Drawn, tour: Sequence[Stop]) -> Minutes:
    """Send teams along the tour, and write all of it down. The same arguments give the same bytes.

    Parameters
    ----------
    drawn : what ``draw`` gave for this frame
    tour : credit code and division of everybody drawn, in the order in which a team would walk

    Raises
    ------
    DrawError
        If the tour does not hold exactly the drawn.
    NotEnoughInspectors
        If no team can be made for a visit.
    """
    chosen = drawn.written["chosen"]
    if sorted(code for code, _ in tour) != chosen:
        raise DrawError(
            f"The tour holds {len(tour)} visit(s) that are not exactly the {len(chosen)} entities drawn. Give the drawn, each once."
        )
    teams = assign(frame.algorithm, drawn.key, groups(tour, frame.per_day), frame.pool)
    walked = {"tour": [list(stop) for stop in tour], "teams": [_told(team) for team in teams], "rounds": []}
    return sealed({**drawn.written, **walked})


def public_minutes(full: Minutes) -> Minutes:
    """What everybody may read once the task is closed: a function of who was visited and of salted values, and of nothing else."""
    algorithm, salt = full["algorithm"], bytes.fromhex(full["salt"])
    codes, strata = zip(*full["candidates"], strict=True)
    committed = commitments(algorithm, Candidates(codes, strata, salt))
    same = ("version", "algorithm", "organ", "task", "commitment", "root", "terms", "seed", "witness", "digest")
    return {
        **{name: full[name] for name in same},
        "copy": "public",
        "pool": len(codes),
        "visited": full["chosen"],
        "commitments": sorted(one.hex() for one in committed),
    }


def digest(algorithm: str, minutes: Minutes) -> str:
    """Digest of the canonical minutes without their own ``digest``, 64 hexadecimal digits."""
    return hashed(algorithm, canonical({name: value for name, value in minutes.items() if name != "digest"})).hex()


def packed(value: object) -> bytes:
    """Canonical JSON, compressed: the form in which frozen candidates and minutes are stored."""
    return zlib.compress(canonical(value), 6)


def unpacked(stored: bytes) -> Any:
    return json.loads(zlib.decompress(stored))


def sealed(minutes: Minutes) -> Minutes:
    """The minutes with the digest of what they hold."""
    return {**minutes, "digest": digest(minutes["algorithm"], minutes)}


def _told(team: Team) -> list[object]:
    return [list(team.codes), {organ: list(sent) for organ, sent in team.inspectors.items()}]
