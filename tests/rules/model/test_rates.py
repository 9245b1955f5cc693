"""Rates from checks that were not drawn evenly: on populations whose truth is known, drawn four hundred times."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.errors import FrameError
from rules.model.rate_intervals import share_of_effective, total_interval
from rules.model.rates import Drawn, estimate, evened

SEEDS = 400
BAND = range(368, 393)  # of 400 at the level of 95 %: the binomial spread at both ends
CLASSES = 4
PEOPLE = 20_000
CHECKS = 2_000


@dataclass(frozen=True)
class People:
    """Entities with a class, a suspicion that also tells of failures, and what a check of each would find."""

    suspicion: np.ndarray
    group: np.ndarray
    failed: np.ndarray
    level: np.ndarray  # strata of suspicion, 0 … 4

    def truth(self):
        """Failure rate of every class, and of everybody."""
        return [*(self.failed[self.group == one].mean() for one in range(CLASSES)), self.failed.mean()]

    def sizes(self):
        return np.bincount(self.group, minlength=CLASSES).tolist()


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(20_160_101)
    suspicion = rng.gamma(0.8, 1.0, PEOPLE)
    seen = suspicion + rng.normal(0, 0.7, PEOPLE)
    group = np.searchsorted(np.quantile(seen, [0.5, 0.8, 0.95]), seen)
    odds = np.array([-3.9, -2.75, -1.75, -0.6])[group] + 0.7 * (suspicion - 1)
    failed = (rng.random(PEOPLE) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return People(suspicion, group, failed, np.searchsorted(np.quantile(suspicion, [0.3, 0.6, 0.85, 0.95]), suspicion))


def each_on_its_own(people):
    """Everybody may be drawn, the suspicious up to forty times as likely: no strata, a number left to chance."""
    inclusion = np.minimum(1.0, CHECKS * (0.15 + people.suspicion) / (0.15 + people.suspicion).sum())

    def draw(rng, answers):
        chosen = np.flatnonzero(rng.random(PEOPLE) < inclusion)
        return Drawn(people.failed[chosen], inclusion[chosen], people.group[chosen], answers(rng, chosen))

    return draw


def by_strata(people):
    """A fixed number from each of five strata of suspicion: few of the many quiet ones, most of the suspicious."""
    sizes = np.bincount(people.level)
    share = np.array([0.04, 0.08, 0.16, 0.35, 0.75])
    checks = np.round(sizes * share * (CHECKS / (sizes * share).sum())).astype(np.int64)
    members = [np.flatnonzero(people.level == one) for one in range(sizes.size)]

    def draw(rng, answers):
        chosen = np.concatenate(
            [rng.choice(one, many, replace=False) for one, many in zip(members, checks, strict=True)]
        )
        level = people.level[chosen]
        inclusion = (checks / sizes)[level]
        return Drawn(people.failed[chosen], inclusion, people.group[chosen], answers(rng, chosen), level, sizes)

    return draw


def everybody(rng, chosen):
    return np.ones(chosen.size, np.bool_)


def covered(people, draw, answers=everybody):
    """Of four hundred draws, how often the interval of each class (everybody last) holds the truth, by estimator."""
    truth, sizes = people.truth(), people.sizes()
    found = {name: np.zeros(CLASSES + 1, np.int64) for name in ("naive", "hajek", "horvitz_thompson")}
    for seed in range(SEEDS):
        for place, one in enumerate(estimate(draw(np.random.default_rng(seed), answers), CLASSES, sizes)):
            found["naive"][place] += one.naive_low <= truth[place] <= one.naive_high
            found["hajek"][place] += one.low <= truth[place] <= one.high
            found["horvitz_thompson"][place] += one.of_size_low <= truth[place] <= one.of_size_high
    return {name: counts.tolist() for name, counts in found.items()}


@pytest.mark.parametrize("design", [each_on_its_own, by_strata])
def test_where_the_suspicious_are_inspected_the_naive_rate_is_wrong_and_the_estimates_hold_the_truth(people, design):
    found = covered(people, design(people))
    assert found["naive"][CLASSES] == 0, "of everybody the naive interval never holds the truth"
    assert min(found["naive"][:CLASSES]) < 250
    for estimator in ("hajek", "horvitz_thompson"):
        assert all(count in BAND for count in found[estimator]), (estimator, found)


def test_who_did_not_answer_is_made_up_for_within_stratum_and_class(people):
    chance = np.array([0.95, 0.85, 0.7, 0.5])[people.group] - 0.05 * people.level

    def answers(rng, chosen):
        return rng.random(chosen.size) < chance[chosen]

    found = covered(people, by_strata(people), answers)
    for estimator in ("hajek", "horvitz_thompson"):
        assert all(count in BAND for count in found[estimator]), (estimator, found)


def test_the_naive_rate_is_far_off_and_the_estimates_are_not(people):
    draw, sizes = each_on_its_own(people), people.sizes()
    rates = np.array(
        [
            [
                (one.naive, one.rate, one.of_size)
                for one in estimate(draw(np.random.default_rng(seed), everybody), CLASSES, sizes)
            ]
            for seed in range(100)
        ]
    ).mean(axis=0)
    truth = np.array(people.truth())
    assert rates[CLASSES, 0] > 2 * truth[CLASSES]
    assert rates[CLASSES, 1:] == pytest.approx(truth[CLASSES], rel=0.02)
    assert rates[:CLASSES, 1] == pytest.approx(truth[:CLASSES], rel=0.1)
    assert rates[:CLASSES, 2] == pytest.approx(truth[:CLASSES], rel=0.1)


def test_intervals_keep_their_level_where_a_handful_of_failures_is_found():
    rng = np.random.default_rng(7)
    failed = (rng.random(3_000) < 0.03).astype(np.int64)
    inclusion = np.where(rng.random(3_000) < 0.5, 0.02, 0.08)
    truth, held, none_found = failed.mean(), np.zeros(2, np.int64), 0
    for seed in range(SEEDS):
        chosen = np.flatnonzero(np.random.default_rng(seed).random(3_000) < inclusion)
        zeros = np.zeros(chosen.size, np.int64)
        one = estimate(Drawn(failed[chosen], inclusion[chosen], zeros, zeros == 0), 1, [3_000])[0]
        held += [one.low <= truth <= one.high, one.of_size_low <= truth <= one.of_size_high]
        none_found += one.failures == 0
    assert none_found, "the case is there"
    assert held.min() >= 364  # 91 %: what normal intervals miss by far


# --- single cases -------------------------------------------------------------------------------------------------------


def drawn(failed, inclusion, group=None, answered=None, stratum=None, sizes=None):
    size = len(failed)
    return Drawn(
        np.array(failed, np.int64), np.array(inclusion, float), np.zeros(size, np.int64) if group is None else np.array(group),
        np.ones(size, np.bool_) if answered is None else np.array(answered, np.bool_), None if stratum is None else np.array(stratum),
        None if sizes is None else np.array(sizes),
    )  # fmt: skip


def test_a_check_stands_for_as_many_as_one_over_its_probability():
    one = estimate(drawn([1, 0, 0], [0.5, 0.25, 0.1]), 1, [20])[0]
    assert (one.naive, one.size) == (pytest.approx(1 / 3), pytest.approx(16))
    assert (one.total, one.rate, one.of_size) == (pytest.approx(2), pytest.approx(2 / 16), pytest.approx(0.1))
    assert one.low < one.rate < one.high
    assert one.total_low < 2 < one.total_high


def test_the_variance_of_strata_is_that_of_the_book():
    failed, stratum, sizes = [1, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1], [30, 6]
    one = estimate(drawn(failed, [0.1] * 3 + [0.5] * 3, stratum=stratum, sizes=sizes), 1)[0]
    # Sum over strata of N² (1 − n/N) s² / n, by hand; s² is 1/3 in both.
    variance = 30**2 * (1 - 0.1) / 3 / 3 + 6**2 * (1 - 0.5) / 3 / 3
    assert (one.total_low, one.total_high) == pytest.approx(total_interval(14.0, variance, 10.0))
    assert one.effective == pytest.approx((14 / 36) * (22 / 36) / (variance / 36**2))


def test_where_everybody_was_seen_there_is_no_doubt_left():
    for stratum, sizes in ((None, None), ([0, 0, 1, 1], [2, 2])):
        one = estimate(drawn([1, 0, 0, 0], [1.0] * 4, stratum=stratum, sizes=sizes), 1, [4])[0]
        assert (one.rate, one.low, one.high) == (0.25, 0.25, 0.25)
        assert (one.total, one.total_low, one.total_high) == (1.0, 1.0, 1.0)
        assert one.effective == 4


def test_no_failure_is_no_proof_that_there_is_none():
    one = estimate(drawn([0] * 50, [0.05] * 50), 1)[0]
    assert (one.rate, one.low, one.total, one.total_low) == (0.0, 0.0, 0.0, 0.0)
    assert 0.05 < one.high < 0.08
    assert 60 < one.total_high < 80


def test_strata_that_are_each_all_alike_still_leave_doubt():
    one = estimate(drawn([1, 1, 0, 0], [0.1] * 4, stratum=[0, 0, 1, 1], sizes=[20, 20]), 1)[0]
    assert one.rate == 0.5
    assert one.high - one.low > 0.5
    assert one.total_low < 10 < 30 < one.total_high


def test_those_who_did_not_answer_count_as_those_like_them():
    # Of the quiet stratum all answer, of the loud one half: without weighting classes the loud would count half.
    one = estimate(
        drawn([0, 0, 1, 1, 9, 9], [0.5] * 6, answered=[1, 1, 1, 1, 0, 0], stratum=[0, 0, 1, 1, 1, 1], sizes=[4, 8]), 1
    )[0]
    assert one.naive == 0.5
    assert one.rate == pytest.approx(4 / 6)
    assert one.response == pytest.approx(4 / 6)
    assert (one.least, one.most) == (pytest.approx(2 / 6), pytest.approx(4 / 6))


def test_a_weighting_class_without_an_answer_goes_with_its_own_class():
    answered = [1, 1, 0, 0, 1]
    both = drawn(
        [1, 0, 9, 9, 0], [0.5] * 5, group=[0, 0, 0, 0, 1], answered=answered, stratum=[0, 0, 1, 1, 1], sizes=[9, 9]
    )
    first, second, everyone = estimate(both, 2)
    assert (first.rate, second.rate) == (pytest.approx(0.5), 0.0)
    assert everyone.rate == pytest.approx(0.4)


def test_a_class_of_which_nobody_answered_has_bounds_and_no_rate():
    silent, empty, everyone = estimate(drawn([9, 1], [0.5, 0.5], group=[0, -1], answered=[0, 1]), 2)
    assert (silent.rate, silent.total, silent.response) == (None, None, 0.0)
    assert (silent.least, silent.most, silent.low, silent.high) == (0.0, 1.0, 0.0, 1.0)
    assert (empty.checks, empty.rate, empty.response, empty.least, empty.most) == (0, None, None, 0.0, 1.0)
    assert everyone.checks == 1


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 1_000_000), st.booleans(), st.integers(0, 2)), min_size=1, max_size=40
    )
)
def test_an_estimate_lies_within_its_interval_and_its_bounds(rows):
    failed, millionths, answered, group = (list(column) for column in zip(*rows, strict=True))
    for one in estimate(drawn(failed, np.array(millionths) / 1_000_000, group, np.array(answered, np.bool_)), 3):
        assert 0 <= one.low <= one.high <= 1
        assert one.least <= one.most
        if one.rate is not None:
            assert one.low - 1e-9 <= one.rate <= one.high + 1e-9
            assert one.least - 1e-9 <= one.rate <= one.most + 1e-9
            assert one.total_low * (1 - 1e-9) <= one.total <= one.total_high * (1 + 1e-9)


@given(st.floats(0, 1), st.floats(1, 1e6), st.integers(2, 500))
def test_fewer_checks_never_tell_more(rate, effective, checks):
    low, high = share_of_effective(rate, effective, checks, checks - 1)
    less_low, less_high = share_of_effective(rate, effective / 2, checks, checks - 1)
    assert less_low <= low + 1e-9
    assert less_high >= high - 1e-9


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"inclusion": [0.0, 0.5]}, "no probability above 0"),
        ({"inclusion": [0.5]}, "one value for each check"),
        ({"group": [0, 3]}, "outside of"),
        ({"failed": [2, 0]}, "neither 0 nor 1"),
        ({"stratum": [0, 0]}, "whose size is not in"),
        ({"stratum": [0, 0], "sizes": [1]}, "more checks were drawn"),
    ],
)
def test_checks_that_cannot_be_read_are_refused_with_what_to_do(given, said):
    with pytest.raises(FrameError, match=said):
        estimate(drawn(**{"failed": [1, 0], "inclusion": [0.5, 0.5]} | given), 1)


def test_sizes_are_given_for_every_class():
    with pytest.raises(FrameError, match="Give one for each"):
        estimate(drawn([1], [0.5]), 2, [5])


# --- weights for training -------------------------------------------------------------------------------------------------


def test_training_weights_are_one_over_the_probability_capped_and_of_mean_one():
    weights = evened(np.array([2.0] * 8 + [20, 1_000]), cap=4)
    assert weights.mean() == pytest.approx(1)
    assert weights.max() == pytest.approx(4)
    assert weights[8] == pytest.approx(10 * weights[0])
    assert evened(np.full(7, 5.0), cap=2).tolist() == [1.0] * 7


def test_a_check_that_no_draw_chose_counts_as_the_mean_of_the_others():
    assert evened(np.array([np.nan, 1, 2]), cap=10).tolist() == pytest.approx([1, 2 / 3, 4 / 3])
    assert evened(np.array([np.nan, np.nan]), cap=3).tolist() == [1, 1]
    assert evened(np.array([]), cap=3).size == 0


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=60), st.floats(1.1, 50))
def test_no_training_weight_is_above_the_cap_and_their_mean_is_one(given_, cap):
    weights = evened(np.array(given_), cap)
    assert weights.max() <= cap * (1 + 1e-9)
    assert weights.mean() == pytest.approx(1)
    assert weights.min() > 0
