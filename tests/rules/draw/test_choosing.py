"""Who is drawn: every set of its size as often as any other."""

import hashlib
import hmac
import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import chdtrc

from rules import draw
from rules.draw import Candidates, DrawError
from rules.draw.teams import below
from tests.rules.draw.made import SALT, SENDS, code_of, pool_of_size

DRAWS = 20_000
ALPHA = 0.001
KEYS = [hashlib.sha256(b"simulated draw %d" % number).digest() for number in range(DRAWS)]


def as_often_as_any_other(seen, possible):
    """Whether so many of each possible outcome are what chance alone would give (Pearson's chi-square, no cell below 5)."""
    expected = sum(seen.values()) / len(possible)
    assert expected >= 5
    assert set(seen) <= set(possible)
    statistic = sum((seen[one] - expected) ** 2 / expected for one in possible)
    return chdtrc(len(possible) - 1, statistic) > ALPHA


@pytest.fixture(scope="module")
def drawn():
    """Of 20,000 draws: 2 of the 12 of stratum A (places 0 to 11) and 3 of the 7 of stratum B (places 12 to 18)."""
    listed = Candidates([code_of(number) for number in range(19)], ["A"] * 12 + ["B"] * 7, SALT)
    committed = draw.commitments("sha256", listed)
    places = [draw.choose("sha256", key, listed, {"A": 2, "B": 3}, committed=committed) for key in KEYS]
    return [(tuple(one[:2]), tuple(one[2:])) for one in places]


def test_every_candidate_is_drawn_with_the_stated_probability(drawn):
    for there_are, size, first, which in ((12, 2, 0, 0), (7, 3, 12, 1)):
        seen = np.bincount([place - first for one in drawn for place in one[which]], minlength=there_are)
        chance = size / there_are
        # Of a draw of a fixed size the counts hang together; this is their quadratic form, chi-square of N − 1.
        statistic = (
            np.square(seen - DRAWS * chance).sum() / (DRAWS * chance * (1 - chance)) * (there_are - 1) / there_are
        )
        assert chdtrc(there_are - 1, statistic) > ALPHA


def test_every_pair_is_drawn_with_the_stated_probability(drawn):
    assert as_often_as_any_other(Counter(pair for pair, _ in drawn), list(itertools.combinations(range(12), 2)))


def test_every_set_is_drawn_as_often_as_any_other(drawn):
    assert as_often_as_any_other(Counter(three for _, three in drawn), list(itertools.combinations(range(12, 19), 3)))


def test_what_one_stratum_draws_says_nothing_of_another(drawn):
    pairs, threes = itertools.combinations(range(12), 2), itertools.combinations(range(12, 19), 3)
    assert as_often_as_any_other(Counter(drawn), list(itertools.product(pairs, threes)))


def test_a_random_start_and_a_round_from_there_would_be_found():
    """What some systems do: each is drawn as often as it should be, and neighbours always together."""
    starts = [int.from_bytes(key[:8], "big") % 12 for key in KEYS]
    seen = Counter(tuple(sorted((start, (start + 1) % 12))) for start in starts)
    assert not as_often_as_any_other(seen, list(itertools.combinations(range(12), 2)))


def test_every_pair_of_inspectors_is_sent_as_often_as_any_other():
    pool = pool_of_size(7, organs=(SENDS,))
    teams = [draw.assign("sha256", key, [[(code_of(1), "990101")]], pool)[0] for key in KEYS]
    possible = list(itertools.combinations(pool.members[SENDS], 2))
    assert as_often_as_any_other(Counter(team.inspectors[SENDS] for team in teams), possible)


def test_no_number_is_likelier_because_the_remainder_is_not_even():
    """Of the eight numbers of three bits, 5, 6 and 7 would favour 0, 1 and 2 of five: they are passed over."""
    assert [below(iter([number, 4]), 3, 5) for number in range(8)] == [0, 1, 2, 3, 4, 4, 4, 4]
    assert [below(iter([number]), 3, 4) for number in range(8)] == [0, 1, 2, 3] * 2


strata_of = st.lists(st.sampled_from("ABC"), min_size=1, max_size=30)


@st.composite
def lists(made):
    strata = made(strata_of)
    codes = made(st.lists(st.text(max_size=6), min_size=len(strata), max_size=len(strata), unique=True))
    sizes = {one: made(st.integers(1, strata.count(one))) for one in sorted(set(strata))}
    return Candidates(codes, strata, made(st.binary(min_size=32, max_size=32))), sizes


@settings(max_examples=60, deadline=None)
@given(
    lists(), st.binary(min_size=32, max_size=32), st.sampled_from(draw.ALGORITHMS), st.randoms(use_true_random=False)
)
def test_the_draw_is_the_textbook_one_in_whatever_order_candidates_are_given(given_list, key, algorithm, chance):
    candidates, sizes = given_list
    mine = [candidates.codes[place] for place in draw.choose(algorithm, key, candidates, sizes)]
    tickets = []
    for code, stratum in zip(candidates.codes, candidates.strata, strict=True):
        own = hmac.new(candidates.salt, code.encode(), algorithm).digest()
        commitment = hmac.new(own, f"{code}\n{stratum}".encode(), algorithm).digest()
        tickets.append((hmac.new(key, commitment, algorithm).digest(), commitment, code, stratum))
    tickets.sort()
    textbook = []
    for stratum, size in sizes.items():
        textbook += [code for _, _, code, theirs in tickets if theirs == stratum][:size]
    assert sorted(mine) == sorted(textbook)
    order = list(range(len(candidates.codes)))
    chance.shuffle(order)
    shuffled = Candidates(
        [candidates.codes[at] for at in order], [candidates.strata[at] for at in order], candidates.salt
    )
    assert sorted(mine) == sorted(shuffled.codes[place] for place in draw.choose(algorithm, key, shuffled, sizes))


def test_inclusion_probabilities_are_exactly_the_drawn_over_the_candidates():
    listed = Candidates([code_of(number) for number in range(9)], list("BAABABBBB"), SALT)
    assert draw.counted(listed, {"B": 2, "A": 1}) == {"A": (3, 1), "B": (6, 2)}
    chosen = draw.choose("sha256", KEYS[0], listed, {"B": 2, "A": 1})
    assert Counter(listed.strata[place] for place in chosen) == {"A": 1, "B": 2}


@pytest.mark.parametrize("sizes", [{"A": 1}, {"A": 0, "B": 1}, {"A": 1, "B": 3}, {"A": 1, "B": 1, "C": 1}])
def test_nobody_may_be_without_a_chance_and_nobody_may_be_drawn_twice(sizes):
    with pytest.raises(DrawError, match=r"Draw at least 1 .* at most all"):
        draw.choose("sha256", KEYS[0], Candidates(["1", "2", "3"], ["A", "B", "B"], SALT), sizes)
