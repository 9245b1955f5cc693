"""Rates of a class from draws within strata and from lists with a random slice: by hand, and 400 times over."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.draw.estimation import Strata, Visits, estimate
from rules.errors import FrameError

SEEDS = 400
HELD = range(368, 393)


def visits(*rows):
    """Each (stratum, class, failed; None where nobody was met)."""
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Visits(
        np.array(columns[0], np.int64), np.array(columns[1], np.int64),
        np.array([one or 0 for one in columns[2]], np.int64), np.array([one is not None for one in columns[2]], np.bool_),
    )  # fmt: skip


def strata(sizes, holds=None, classes=1):
    return Strata(np.array(sizes), np.full((len(sizes), classes), -1) if holds is None else np.array(holds))


def test_strata_count_by_their_size_and_not_by_their_visits():
    """Half of 10 and a tenth of 90: the plain share would be 5 of 15."""
    drawn = [(0, 0, at < 4) for at in range(5)] + [(1, 0, at < 1) for at in range(10)]
    one, everybody = estimate(visits(*drawn), strata([10, 90], [[10], [90]]), 1)
    assert one == everybody
    assert one.rate == pytest.approx((10 * 4 / 5 + 90 * 1 / 10) / 100)
    assert one.total == pytest.approx(17)
    assert (one.visits, one.answered, one.failures, one.size) == (15, 15, 5, 100)
    assert 5 / 100 < one.low < one.rate < one.high < 0.5


def test_where_everybody_was_met_nothing_is_uncertain():
    drawn = [(0, at % 2, at < 3) for at in range(8)]
    first, second, everybody = estimate(visits(*drawn), strata([8], classes=2), 2)
    assert [(one.low, one.rate, one.high) for one in (first, second)] == [(0.5, 0.5, 0.5), (0.25, 0.25, 0.25)]
    assert (everybody.total_low, everybody.total, everybody.total_high) == (3, 3, 3)


def test_who_was_not_met_counts_like_those_of_his_stratum_and_class_who_were():
    drawn = [(0, 0, 1), (0, 0, 0), (0, 0, None), (0, 0, None), (1, 0, 0), (1, 0, 0)]
    one, _ = estimate(visits(*drawn), strata([4, 20], [[4], [20]]), 1)
    assert one.rate == pytest.approx(4 * 0.5 / 24)
    assert one.least == pytest.approx(1 / 24)
    assert one.most == pytest.approx(3 / 24)


def test_a_stratum_with_one_visit_hardly_narrows_anything():
    """Of 50 entities one was visited: between 0 and 49 of them may still fail."""
    many = [(0, 0, at < 10) for at in range(50)]
    alone, _ = estimate(visits(*many), strata([50], [[50]]), 1)
    assert alone.low == alone.high == 0.2
    with_one, _ = estimate(visits(*many, (1, 0, 0)), strata([50, 50], [[50], [50]]), 1)
    assert with_one.rate == pytest.approx(0.1)
    assert with_one.high > 0.5
    with_none, _ = estimate(visits(*many), strata([50, 50], [[50], [50]]), 1)
    assert (with_none.rate, with_none.low, with_none.high) == (
        pytest.approx(0.2),
        pytest.approx(0.1),
        pytest.approx(0.6),
    )


def test_a_class_that_the_slice_did_not_meet_may_still_be_there():
    """Ten of class 1 are prioritised, none of it among the 20 of 500 of the slice; that says less than knowing there are none."""
    drawn = [(0, 1, at < 5) for at in range(10)] + [(1, 0, 0)] * 20
    unknown = estimate(visits(*drawn), strata([10, 500], classes=2), 2)[1]
    known = estimate(visits(*drawn), strata([10, 500], [[0, 10], [500, 0]]), 2)[1]
    assert (known.low, known.rate, known.high) == (0.5, 0.5, 0.5)
    assert unknown.rate == 0.5
    assert unknown.low < 0.2
    assert unknown.high > 0.8


def test_a_rate_that_rests_on_who_was_visited_for_certain_says_so_until_the_lot_met_twenty():
    sure = [(0, 0, at < 5) for at in range(10)]

    def told(by_lot, holds=None):
        return estimate(visits(*sure, *[(1, 0, 0)] * by_lot, (1, 0, None), (1, 1, 0)), strata([10, 500], holds, 2), 2)

    assert [told(number)[0].thin for number in (0, 19, 20)] == [True, True, False]
    assert [told(number)[0].by_lot for number in (0, 19, 20)] == [0, 19, 20]
    # Of the other class nobody was certain; all of this one were, where the stratum is known to hold none of it.
    assert not told(0)[1].thin
    alone, _, everybody = estimate(visits(*sure, (1, 1, 0)), strata([10, 500], [[10, 0], [0, 500]], 2), 2)
    assert (alone.covered, alone.thin, everybody.thin) == (True, False, True)


def test_without_an_answer_there_is_no_rate():
    one, _ = estimate(visits((0, 0, None)), strata([9], [[9]]), 1)
    assert (one.rate, one.total, one.low, one.high, one.visits, one.size) == (None, None, 0.0, 1.0, 1, 9.0)
    assert [row.rate for row in estimate(visits(), strata([9], [[9]]), 1)] == [None, None]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            lambda: estimate(
                Visits(np.zeros(2, int), np.zeros(1, int), np.zeros(2, int), np.ones(2, bool)), strata([9]), 1
            ),
            "`group` has",
        ),
        (lambda: estimate(visits((0, 0, 1)), strata([9], [[9, 0]]), 1), r"`holds` has the shape \(1, 2\)"),
        (lambda: estimate(visits((1, 0, 1)), strata([9]), 1), "`stratum` holds a place outside of 0 … 0"),
        (lambda: estimate(visits((0, 1, 1)), strata([9]), 1), "`group` holds a place outside"),
        (lambda: estimate(visits((0, 0, 2)), strata([9]), 1), "neither 0 nor 1"),
        (
            lambda: estimate(visits((0, 0, 1), (0, 0, 1)), strata([1]), 1),
            "Stratum 0 holds 1 entities and more were visited",
        ),
        (
            lambda: estimate(visits((0, 0, 1), (0, 0, 1)), strata([9], [[1]]), 1),
            "said to hold 1 of class 0, and 2 were visited",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused(asked, said):
    with pytest.raises(FrameError, match=said):
        asked()


rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-1, 1), st.sampled_from([0, 1, None])), min_size=1, max_size=25
)


@settings(max_examples=80, deadline=None)
@given(rows, st.lists(st.integers(0, 60), min_size=3, max_size=3), st.permutations(range(3)))
def test_intervals_hold_their_estimate_in_whatever_order_strata_are_named(drawn, more, order):
    sizes = [more[at] + sum(row[0] == at for row in drawn) for at in range(3)]
    made = estimate(visits(*drawn), strata(sizes, classes=2), 2)
    for one in made:
        if one.rate is None:
            continue
        assert 0 <= one.low <= one.rate + 1e-12
        assert one.rate <= one.high + 1e-12 <= 1 + 2e-12
        assert one.least <= one.rate + 1e-12
        assert one.rate <= one.most + 1e-9
        assert one.failures - 1e-9 <= one.total_low <= one.total + 1e-9 <= one.total_high + 2e-9
    renamed = visits(*((order[stratum], of, failed) for stratum, of, failed in drawn))
    turned = [0, 0, 0]
    for at in range(3):
        turned[order[at]] = sizes[at]
    for one, other in zip(made, estimate(renamed, strata(turned, classes=2), 2), strict=True):
        assert (one.rate, one.low, one.high) == pytest.approx((other.rate, other.low, other.high), abs=4e-6)


class District:
    """20,000 entities whose class says how likely they fail, and how likely one finds nobody there."""

    def __init__(self):
        chance = np.random.default_rng(5)
        self.size, self.chosen_first, self.slice = 20_000, 800, 600
        self.group = chance.choice(4, self.size, p=[0.70, 0.21, 0.06, 0.03])
        self.failed = (chance.random(self.size) < np.array([0.04, 0.10, 0.3, 0.55])[self.group]).astype(np.int64)
        self.order = np.argsort(-(self.group * 10 + chance.random(self.size) * 12), kind="stable")
        self.counts = np.bincount(self.group, minlength=4)
        each = [self.failed[self.group == one] for one in range(4)]
        self.rates = np.array([*(one.mean() for one in each), self.failed.mean()])
        self.totals = np.array([*(one.sum() for one in each), self.failed.sum()])

    def by_draw(self, chance):
        """2 % of A, 5 % of B, 40 % of C and 80 % of D."""
        many = [int(self.counts[one] * ratio) for one, ratio in enumerate((0.02, 0.05, 0.4, 0.8))]
        chosen = [chance.choice(np.flatnonzero(self.group == one), many[one], replace=False) for one in range(4)]
        return np.concatenate(chosen), np.repeat(range(4), many), Strata(self.counts, np.diag(self.counts))

    def by_list(self, chance):
        """The first 800 by class and score, and 600 of the others by lot; how many of a class the others are is not known."""
        others = self.order[self.chosen_first :]
        chosen = np.concatenate([self.order[: self.chosen_first], chance.choice(others, self.slice, replace=False)])
        sizes = np.array([self.chosen_first, others.size])
        return chosen, np.repeat([0, 1], [self.chosen_first, self.slice]), Strata(sizes, np.full((2, 4), -1))

    def by_list_with_counts(self, chance):
        chosen, stratum, made = self.by_list(chance)
        first = np.bincount(self.group[self.order[: self.chosen_first]], minlength=4)
        return chosen, stratum, Strata(made.sizes, np.array([first, self.counts - first]))

    def held(self, way, missing):
        """How often of 400 the intervals of rate and total held the truth, the plain share's did, and the mean error over its chance."""
        rates, totals, plain, errors = np.zeros(5, int), np.zeros(5, int), np.zeros(5, int), np.zeros((SEEDS, 5))
        for seed in range(SEEDS):
            chance = np.random.default_rng(seed)
            chosen, stratum, made = way(chance)
            group, failed = self.group[chosen], self.failed[chosen]
            met = chance.random(chosen.size) >= np.array(missing)[group]
            for at, one in enumerate(estimate(Visits(stratum, group, failed, met), made, 4)):
                rates[at] += one.low - 1e-9 <= self.rates[at] <= one.high + 1e-9
                totals[at] += one.total_low - 1e-9 <= self.totals[at] <= one.total_high + 1e-9
                errors[seed, at] = one.rate - self.rates[at]
                share = one.failures / one.answered
                plain[at] += abs(share - self.rates[at]) <= 1.96 * (share * (1 - share) / one.answered) ** 0.5
        spread = errors.std(0)
        bias = np.divide(errors.mean(0), spread / SEEDS**0.5, out=np.zeros(5), where=spread > 1e-9)
        return rates, totals, plain, bias


@pytest.fixture(scope="module")
def district():
    return District()


def within(counts):
    return all(int(one) in HELD for one in counts)


def test_a_draw_tells_the_truth_as_often_as_it_says_though_some_are_not_met(district):
    rates, totals, plain, bias = district.held(district.by_draw, (0.05, 0.1, 0.2, 0.3))
    assert within(rates)
    assert within(totals)
    assert np.abs(bias).max() < 4
    # Everybody's plain share follows whom one looked at.
    assert plain[4] == 0


def test_a_list_with_a_random_slice_tells_it_where_the_classes_of_all_are_counted(district):
    rates, totals, plain, bias = district.held(district.by_list_with_counts, (0.05, 0.1, 0.2, 0.3))
    assert within(rates)
    assert within(totals)
    assert np.abs(bias).max() < 4
    assert plain[4] == 0


def test_a_list_with_a_random_slice_tells_it_where_they_are_not(district):
    """Class D stands whole in the prioritised part, which nobody knows: its interval allows for some among the others, and is never wrong."""
    rates, totals, _, bias = district.held(district.by_list, (0, 0, 0, 0))
    assert within(rates[[0, 1, 2, 4]])
    assert within(totals[[0, 1, 2, 4]])
    assert rates[3] == totals[3] == SEEDS
    assert np.abs(bias).max() < 4
