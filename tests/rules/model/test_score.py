import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.errors import FrameError
from rules.model import score
from rules.model.bundle import from_json
from rules.model.drift import psi
from rules.parts import Title
from tests.rules.model import made

MODELS = {"scorecard": made.card, "boosted": made.trees}
numbers = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.integers(-3, 30))
rows = st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=12)


def frame(values):
    columns = zip(*values, strict=True)
    named = {name: pl.Series(column, dtype=pl.Int64) for name, column in zip(made.RECIPE.ids, columns, strict=True)}
    size = len(values)
    return pl.DataFrame(
        {"entity": pl.Series(range(size), dtype=pl.Int64), "day": pl.Series([0] * size, dtype=pl.Int32), **named}
    )


@pytest.fixture(params=list(MODELS))
def bundle(request):
    return MODELS[request.param]()


@settings(max_examples=40, deadline=None)
@given(rows, st.sampled_from(list(MODELS)))
def test_what_each_feature_gave_sums_with_the_base_to_the_points(values, model):
    bundle, asked = MODELS[model](), frame(values)
    sums = [score.base_of(bundle) + sum(one["points"] for one in row) for row in score.contributions(bundle, asked)]
    assert sums == score.total(bundle, asked).tolist()


@settings(max_examples=40, deadline=None)
@given(rows, st.sampled_from(list(MODELS)))
def test_a_contribution_lies_between_its_low_and_its_high(values, model):
    for row in score.contributions(MODELS[model](), frame(values)):
        assert all(one["low"] <= one["points"] <= one["high"] for one in row)


@settings(max_examples=30, deadline=None)
@given(rows, st.integers(0, 11), st.sampled_from(list(MODELS)))
def test_a_row_gets_the_same_whatever_stands_beside_it(values, place, model):
    bundle, asked = MODELS[model](), frame(values)
    place %= asked.height
    assert score.score(bundle, asked)[place].equals(score.score(bundle, asked[place]))


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(1, 50), st.sampled_from(list(MODELS)))
def test_one_more_failure_never_lowers_the_chance(values, more, model):
    bundle = MODELS[model]()
    before = frame([(failures or 0, *rest) for failures, *rest in values])
    after = before.with_columns(pl.col("failures") + more)
    assert (score.total(bundle, after) >= score.total(bundle, before)).all()


def test_a_contribution_names_the_bin_that_the_value_lies_in():
    card = made.card()
    told = score.contributions(card, made.table(300), {"failures": Title("不合格次数", "Failures")})
    for row in told:
        for one in row:
            if one["value"] is None:
                assert (one["from"], one["until"]) == (None, None)
            else:
                assert one["from"] is None or one["from"] <= one["value"]
                assert one["until"] is None or one["value"] < one["until"]
    assert told[0][0]["title"] == {"zh": "不合格次数", "en": "Failures"}
    assert "title" not in told[0][1]


def test_a_chance_is_never_0_and_never_certain(bundle):
    extreme = frame([(10**12, 0, 1, 49), (0, 10**12, 2, 0), (None, None, None, None)])
    chance = score.chances(bundle, np.array([-(10**9), 0, 10**9]))
    assert chance.tolist()[0] == 1
    assert chance.tolist()[2] == 999_999
    assert score.score(bundle, extreme)["chance"].drop_nulls().is_between(1, 999_999).all()


def test_whom_the_model_has_no_ground_to_judge_gets_neither_points_nor_chance(bundle):
    said = score.score(bundle, frame([(None, 1, 1, 1), (-1, 1, 1, 1), (0, 1, 1, 1)]))
    assert said["points"].is_null().to_list() == [True, True, False]
    assert said["chance"].is_null().to_list() == [True, True, False]


def test_a_bundle_that_was_stored_and_read_again_says_the_same(bundle):
    asked = made.table(500, seed=8)
    assert score.score(from_json(bundle.to_json()), asked).equals(score.score(bundle, asked))


def test_no_rows_are_no_mistake(bundle):
    nobody = made.table(1).head(0)
    assert score.score(bundle, nobody).schema == {
        "entity": pl.Int64,
        "day": pl.Int32,
        "points": pl.Int32,
        "chance": pl.Int32,
    }
    assert score.contributions(bundle, nobody) == []


def test_a_frame_without_a_feature_is_refused_by_name(bundle):
    with pytest.raises(FrameError, match="no column 'season'"):
        score.score(bundle, made.table(5).drop("season"))
    with pytest.raises(FrameError, match="no column 'day'"):
        score.score(bundle, made.table(5).drop("day"))


def test_rows_like_those_of_training_show_no_drift_and_others_do(bundle):
    def seen(table):
        return {name: psi(bundle.reference[name], counts) for name, counts in score.counts(bundle, table).items()}

    same = made.table(3_000, seed=11)
    assert set(seen(same)) == {*made.RECIPE.ids, "score"}
    assert max(seen(same).values()) < 0.05
    worse = seen(same.with_columns(pl.col("failures") + 3))
    assert worse["failures"] > 0.25
    assert worse["score"] > 0.25


def test_scoring_imports_nothing_that_fits_models():
    code = "import sys, rules.model.score, rules.model.bundle; print([m for m in ('sklearn', 'scipy') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
