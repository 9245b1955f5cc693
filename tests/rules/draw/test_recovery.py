"""Somebody who reads everything that is public, and tries to learn from it of which class an entity is.

He has the public minutes of every draw (so seed, witness, key, and the ticket of every commitment), the codes of all entities, and the
published ratios of every class. That somebody was visited says something by itself, as the ratios do; beyond that he must learn nothing.
"""

import hmac
from dataclasses import replace

import numpy as np
import pytest

from rules import draw
from rules.draw import Candidates
from tests.rules.draw.made import SEED, WITNESS, code_of, frame_of, minutes_of, pool_of_size, seeded

WORLD = 2_000
RATIOS = {"A": 0.02, "B": 0.05, "C": 0.4, "D": 1.0}
SALTED = {"root", "terms", "commitments", "digest"}
DRAWS = 15


def world(number):
    """Codes of everybody, the class of each, and the salt of a draw that nobody outside knows."""
    chance = seeded(number)
    classes = chance.choices("ABCD", [70, 21, 6, 3], k=WORLD)
    return [code_of(place) for place in range(WORLD)], classes, chance.randbytes(32)


def published(number):
    """Public minutes of a draw over the world, and the truth."""
    codes, classes, salt = world(number)
    sizes = {one: max(1, int(classes.count(one) * ratio)) for one, ratio in RATIOS.items()}
    frame = frame_of(classes, sizes, salt=salt, pool=pool_of_size(8, days=400), per_day=6)
    full = minutes_of(frame, seed=seeded(-number).randbytes(32), witness=f"{number}")
    return full, draw.public_minutes(full), dict(zip(codes, classes, strict=True))


def tickets_of(public):
    """What anybody computes: the ticket of every commitment, as a share of the highest ticket there could be."""
    key = draw.key(public["algorithm"], bytes.fromhex(public["seed"]), public["root"], public["witness"])
    digests = (hmac.digest(key, bytes.fromhex(one), public["algorithm"]) for one in public["commitments"])
    return [int.from_bytes(one[:8], "big") / 2**64 for one in digests]


def by_order_of_codes(public, codes):
    """Guess: commitments stand in the order of the codes."""
    return dict(zip(sorted(codes), tickets_of(public), strict=True))


def by_order_of_digests(public, codes):
    """Guess: commitments are a digest of the code with something public."""
    known = bytes.fromhex(public["seed"])
    ordered = sorted(codes, key=lambda code: draw.candidate_commitment(public["algorithm"], known, code, "A"))
    return dict(zip(ordered, tickets_of(public), strict=True))


def by_visited_first(public, codes):
    """Guess, the likeliest by the key alone: the smallest tickets are those of the visited."""
    visited = set(public["visited"])
    ordered = [*public["visited"], *(code for code in sorted(codes) if code not in visited)]
    return dict(zip(ordered, sorted(tickets_of(public)), strict=True))


ATTACKS = [by_order_of_codes, by_order_of_digests, by_visited_first]


def separation(attack, results):
    """How well guessed tickets tell C and D from A and B among the visited, and among the others: (area under the curve − ½) in
    standard errors under the hypothesis that they do not (Mann and Whitney)."""
    found = []
    for visited in (True, False):
        surplus = variance = 0.0
        for public, classes in results:
            guessed, there = attack(public, list(classes)), set(public["visited"])
            group = [(guessed[code], of in "CD") for code, of in classes.items() if (code in there) == visited]
            ranks = np.argsort(np.argsort([ticket for ticket, _ in group])) + 1.0
            high = np.array([risky for _, risky in group])
            first, second = int(high.sum()), int((~high).sum())
            surplus += ranks[high].sum() - first * (first + second + 1) / 2
            variance += first * second * (first + second + 1) / 12
        found.append(surplus / variance**0.5)
    return np.array(found)


@pytest.fixture(scope="module")
def results():
    return [published(number) for number in range(1, DRAWS + 1)]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_guess_whose_commitment_is_whose_tells_a_class(results, attack):
    """α = .001 for the two sides of the two groups of three attacks."""
    told = separation(attack, [(public, classes) for _, public, classes in results])
    assert (np.abs(told) < 3.77).all()


def test_public_minutes_that_linked_commitments_to_codes_would_tell_it_at_once(results):
    """The same attack on a wrong form that lists commitments in the order of the codes: it must succeed, or it proves nothing."""
    linked = []
    for full, public, classes in results[:3]:
        listed = Candidates(*zip(*full["candidates"], strict=True), bytes.fromhex(full["salt"]))
        in_order = [one.hex() for one in draw.commitments(full["algorithm"], listed)]
        linked.append(({**public, "commitments": in_order}, classes))
    assert (separation(by_order_of_codes, linked) > 8).any()
    public, classes = linked[0]
    tickets = by_order_of_codes(public, list(classes))
    certain = [classes[code] for code in public["visited"] if tickets[code] > 0.1]
    assert len(certain) > 30
    assert set(certain) <= {"C", "D"}


def test_no_commitment_can_be_opened_with_what_is_public(results):
    """Every code and every class against every value that is public, taken for the salt."""
    _, public, classes = results[0]
    committed = {bytes.fromhex(one) for one in public["commitments"]}
    values = [public["seed"], public["root"], public["commitment"], public["digest"], public["terms"], "00" * 32]
    codes = list(classes)[:100]
    for value in values:
        tried = {draw.candidate_commitment("sha256", bytes.fromhex(value), code, of) for code in codes for of in RATIOS}
        assert not tried & committed


def test_public_minutes_hold_nothing_beside_the_visited_that_a_class_could_change(results):
    """Another class for two who were visited and for two who were not, under another salt: only what is salted differs."""
    full, public, classes = results[0]
    told = public["visited"]
    left = [code for code in classes if code not in set(told)]
    for among in (told, left):
        one = next(code for code in among if classes[code] == "A")
        other = next(code for code in among if classes[code] == "C")
        swap = {one: "C", other: "A"}
        rows = [[code, swap.get(code, of)] for code, of in full["candidates"]]
        differ = draw.public_minutes(
            {**full, "candidates": rows, "salt": "ab" * 32, "terms": "cd" * 32, "root": "ef" * 32}
        )
        assert {name for name in public if public[name] != differ[name]} <= SALTED
        assert not set(public["commitments"]) & set(differ["commitments"])
        assert len(public["commitments"]) == len(differ["commitments"]) == WORLD


def test_another_truth_under_another_salt_makes_public_minutes_that_cannot_be_told_apart():
    """Not forged but drawn: a small world, two of its classes exchanged, and salts until the same entities are visited."""
    classes = list("AAAABBB")
    sizes, pool = {"A": 1, "B": 2}, pool_of_size(4)
    frame = frame_of(classes, sizes, pool=pool, excluded={})
    public = draw.public_minutes(minutes_of(frame))
    visited = [int(code[-1]) for code in public["visited"]]
    assert [classes[at] for at in visited] == ["A", "B", "B"]
    exchanged = classes.copy()
    exchanged[visited[0]], exchanged[visited[1]] = exchanged[visited[1]], exchanged[visited[0]]
    for number in range(500):
        there = Candidates(frame.candidates.codes, exchanged, seeded(number).randbytes(32))
        drawn = draw.draw(replace(frame, candidates=there), SEED, WITNESS)
        if drawn.places == visited:
            break
    other = draw.public_minutes(minutes_of(replace(frame, candidates=there)))
    assert {name for name in public if public[name] != other[name]} == SALTED


def test_public_minutes_have_these_fields_and_no_others(results):
    _, public, _ = results[0]
    assert set(public) == {
        "version", "copy", "algorithm", "organ", "task", "commitment", "root", "terms", "seed", "witness", "pool", "visited",
        "commitments", "digest",
    }  # fmt: skip
    assert public["visited"] == sorted(public["visited"])
    assert public["commitments"] == sorted(public["commitments"])
    assert not {"strata", "class", "ratio", "salt"} & set(public)
