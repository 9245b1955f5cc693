"""The planted risk: frozen parameters, an exact best score, and a difficulty that is neither trivial nor hopeless."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from registry.sample import Sample, draw_outcomes, generate, load_latent
from registry.sample.latent import LATENT, LATENT_B, BadLatent, best_score
from tests.registry.sample.conftest import TODAY

ROOT = Path(__file__).parents[3]
# Frozen before the scheme was tuned. Changing the file means tuning against the answer: take latent_b.toml instead.
FROZEN = "1100bd3e57ee9d83918584a84e6bbeab5a592c66958be6db740d269f6f87f14b"


def test_the_parameters_are_the_ones_that_were_frozen(city: Sample):
    assert load_latent().sha256 == FROZEN
    assert city.latent_sha256 == FROZEN
    assert FROZEN in (ROOT / "docs" / "sample.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", range(5))
def test_the_best_score_separates_the_outcomes_neither_trivially_nor_hopelessly(city: Sample, seed: int):
    outcome, bayes = draw_outcomes(city, seed=seed), city.truth["bayes"].to_numpy()
    enterprise = (city.entities["kind"] == "enterprise").to_numpy()
    assert 0.70 < roc_auc_score(outcome[enterprise], bayes[enterprise]) < 0.80
    assert 0.70 < roc_auc_score(outcome, bayes) < 0.80


@pytest.mark.parametrize(
    ("what", "of"),
    [
        ("penalised", lambda s: s.records["penalty"]["entity"]),
        ("seriously penalised", lambda s: s.records["penalty"].filter(severity=3)["entity"]),
        ("listed", lambda s: s.records["abnormal_listing"]["entity"]),
        ("no longer listed", lambda s: s.records["abnormal_listing"].drop_nulls("ends_on")["entity"]),
        ("listed as gone", lambda s: s.records["abnormal_listing"].filter(code=4)["entity"]),
        ("late", lambda s: s.records["annual_report"].filter(severity=1)["entity"]),
        ("complained of", lambda s: s.records["item_12315"].filter(pl.col("code") < 3)["entity"]),
        ("complained of rightly", lambda s: s.records["item_12315"].filter(pl.col("severity") > 1)["entity"]),
        ("asked about", lambda s: s.records["item_12315"].filter(code=3)["entity"]),
        ("visited in vain", lambda s: s.records["spot_check"].filter(severity=0)["entity"]),
        ("caught", lambda s: s.records["spot_check"].filter(pl.col("severity") > 0)["entity"]),
        ("revoked", lambda s: s.truth["entity"].filter(s.entities["status"] == 2)),
        ("silent", lambda s: _silent(s)),
    ],
)
def test_the_best_score_is_right_on_average_whatever_the_records_say(city: Sample, what: str, of):
    """The posterior is exact: among entities chosen by anything observed, its mean is that of the planted chance."""
    chosen = city.truth[of(city).unique().to_list()]
    error = (chosen["probability"] - chosen["bayes"]).to_numpy()
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error)) + 1e-3, what


def _silent(sample: Sample) -> pl.Series:
    """Those that filed nothing at all."""
    heard = sample.records["annual_report"]["entity"].unique()
    return sample.truth["entity"].filter(~sample.truth["entity"].is_in(heard.implode()))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
def test_the_best_score_is_calibrated(city: Sample, share: float):
    bayes = city.truth["bayes"]
    band = city.truth.filter(bayes.is_between(bayes.quantile(share - 0.03), bayes.quantile(share + 0.03)))
    error = (band["probability"] - band["bayes"]).to_numpy()
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))


def test_the_records_add_to_what_the_attributes_tell(city: Sample):
    outcome = draw_outcomes(city, seed=1)
    bayes = city.truth["bayes"].to_numpy()
    groups = city.entities.with_columns(p=bayes).select(pl.col("p").mean().over("industry", "kind"))["p"].to_numpy()
    assert log_loss(outcome, bayes) < log_loss(outcome, groups) - 0.005
    # And what nobody can see would tell a great deal more.
    known = city.truth["probability"].to_numpy()
    assert roc_auc_score(outcome, known) > roc_auc_score(outcome, bayes) + 0.08


def test_the_types_are_ever_rarer_and_ever_worse(city: Sample):
    types = load_latent().types
    rows = city.truth.group_by("type").agg(pl.len(), pl.col("probability").mean())
    by_type = {kind: (count, chance) for kind, count, chance in rows.iter_rows()}
    counts, chances = zip(*(by_type[name] for name in types), strict=True)
    assert sorted(counts, reverse=True) == list(counts)
    assert sorted(chances) == list(chances)


def test_bands_of_the_sizes_regulators_see_differ_in_their_planted_violations(city: Sample):
    """A scheme has something to find: 2 % D, 6.5 % C, 22 % B and the rest by the best score differ at least by half."""
    firms = city.truth.filter(city.entities["kind"] == "enterprise").sort("bayes")
    count = len(firms)
    cuts = [0, round(0.695 * count), round(0.915 * count), round(0.98 * count), count]
    rates = [firms["probability"][low:high].mean() for low, high in pairwise(cuts)]
    assert all(worse > 1.5 * better for better, worse in pairwise(rates))


def test_the_same_arguments_give_the_same_bytes():
    first, second = (generate(3_000, today=TODAY, seed=7, density=1.5) for _ in range(2))
    assert _bytes(first) == _bytes(second)


@pytest.mark.parametrize("other", [{"seed": 8}, {"today": date(2026, 11, 20)}, {"latent": load_latent(LATENT_B)}])
def test_other_arguments_give_another_district(other: dict[str, object]):
    usual = {"today": TODAY, "seed": 7}
    assert _bytes(generate(1_000, **usual)) != _bytes(generate(1_000, **(usual | other)))


def _bytes(sample: Sample) -> bytes:
    frames = [sample.entities, *sample.records.values(), sample.truth]
    return b"\n".join(frame.write_csv(float_precision=17).encode() for frame in frames)


def test_another_set_of_parameters_is_as_hard_and_quite_different(city: Sample):
    other = generate("city", today=TODAY, latent=load_latent(LATENT_B))
    assert other.latent_sha256 != city.latent_sha256
    outcome = draw_outcomes(other, seed=1)
    firms = (other.entities["kind"] == "enterprise").to_numpy()
    assert 0.70 < roc_auc_score(outcome[firms], other.truth["bayes"].to_numpy()[firms]) < 0.80
    rates = [
        sample.entities.with_columns(p=sample.truth["probability"]).group_by("industry").agg(pl.col("p").mean())
        for sample in (city, other)
    ]
    both = rates[0].join(rates[1], on="industry")
    assert both.select(pl.corr("p", "p_right")).item() < 0.9


def test_the_best_score_of_a_case_worked_by_hand():
    # Two types, prior 3:1, a record four times as likely for the second: posterior 3:4.
    prior = np.log(np.array([[0.75, 0.25]]))
    evidence = np.log(np.array([[1.0, 4.0]]))
    chance = np.array([[0.0, 0.7]])
    assert best_score(prior, evidence, chance) == pytest.approx([0.4])


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"closed = \[0\.34, ", "closed = [", "listing.closed must have one value for each of compliant, ordinary"),
        (r"\nspread = .*", "\n", None),
        (r"\[revoked\][^\[]*\[[^\[]*\n", "", "The parameter revoked is missing"),
    ],
)
def test_a_broken_parameter_file_says_which_key(tmp_path: Path, pattern: str, replacement: str, message: str | None):
    text = LATENT.read_text(encoding="utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text(re.sub(pattern, replacement, text, count=1), encoding="utf-8")
    assert broken.read_text(encoding="utf-8") != text
    with pytest.raises(BadLatent) as refused:
        generate(100, today=TODAY, latent=load_latent(broken))
    assert (message or "The parameter item.spread is missing. Copy it from latent.toml.") in str(refused.value)
