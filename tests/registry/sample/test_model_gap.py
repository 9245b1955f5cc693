"""What a model learns from checks of a sample district, beside the best score there is."""

import numpy as np
import polars as pl
import pytest

from benchmarks import model as bench
from benchmarks.work import NOW, TODAY
from registry.database import read_frame
from registry.sample import LATENT, LATENT_B
from registry.services import context_building, frames, ledger, sampling
from rules import scheme as schemes
from rules.given import CONTEXT
from rules.model import recipe as recipes
from rules.model.metrics import auc

SIZE, SMALL = 40_000, 2_000


@pytest.fixture(scope="module")
def recipe():
    return recipes.load()


@pytest.fixture(scope="module")
def scheme(recipe):
    return schemes.load(bench.BOOK / recipe.scheme)


@pytest.mark.parametrize("latent", [LATENT, LATENT_B], ids=["latent", "latent_b"])
def test_a_scorecard_of_checks_by_lot_comes_near_the_best_score_and_never_passes_it(recipe, scheme, latent):
    of = bench.district(SIZE, latent)
    facts, draw = bench.drawn(of)
    waves = bench.table(of, facts, scheme, [(of.day + 1 + one, of.day + 2 + one) for one in range(bench.DRAWS)])
    assert waves.height == 3 * SIZE // bench.TENTH
    assert waves["weight"].unique().to_list() == [bench.TENTH]
    last = pl.col("period") == of.day + bench.DRAWS
    card = bench.fitted(waves.filter(~last), waves.filter(last), recipe)
    others = bench.asked(of, facts, scheme, of.day + bench.DRAWS, draw >= bench.DRAWS)
    got = bench.shown(of, card, others)
    # With a tenth of the city's checks it is further away than there, where the benchmark holds it to .02.
    assert 0 < got.gap < 0.06, got
    assert got.model > 0.66


def test_what_a_check_finds_moves_no_feature_of_its_own_unit(scheme):
    of = bench.district(3_000, LATENT)
    facts, _ = bench.drawn(of, 1)
    swapped = facts.with_columns(
        severity=pl.when((pl.col("kind") == bench.CHECK) & (pl.col("day") > of.day))
        .then(3)
        .otherwise(pl.col("severity"))
        .cast(pl.Int16)
    )
    period = [(of.day + 1, of.day + 2)]
    assert bench.table(of, facts, scheme, period).equals(bench.table(of, swapped, scheme, period))


def test_the_frames_of_a_district_are_those_of_the_registry_that_it_is_loaded_into(on_sqlite):
    of = bench.district(SMALL, LATENT)
    sampling.load_sample(on_sqlite, size=SMALL, today=TODAY, now=NOW)
    context_building.build(on_sqlite, day=TODAY, now=NOW)
    stored = read_frame("SELECT entity, kind, code, severity, amount, day, ends, known FROM fact", (), frames.FACTS)
    order = ["seq", "kind", "severity"]
    assert of.facts.sort(order).equals(stored.sort(order))
    assert of.population.equals(frames.population_in(1, SMALL, ledger.head()))
    values = read_frame("SELECT entity, name, value FROM context_value", (), dict(CONTEXT)).sort("entity", "name")
    values = values.filter(pl.col("name").is_in(bench.RELATED))
    assert values.height
    assert of.related.sort("entity", "name").equals(values)
    feeds = ["kind", "division"]
    assert of.coverage.sort(feeds).equals(frames.coverage(ledger.head()).sort(feeds))


def test_the_expected_auc_is_the_mean_over_outcomes():
    rng = np.random.default_rng(4)
    values, probability = rng.integers(0, 6, 3_000), rng.random(3_000)
    drawn = [auc(values, (rng.random(3_000) < probability).astype(np.int64)) for _ in range(60)]
    assert bench.expected_auc(values, probability) == pytest.approx(np.mean(drawn), abs=0.005)
    sure = (probability > 0.5).astype(float)
    assert bench.expected_auc(values, sure) == pytest.approx(auc(values, sure.astype(np.int64)))
