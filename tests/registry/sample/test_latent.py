"""The planted risk: frozen parameters, an exact best score, and a difficulty that is neither trivial nor hopeless."""

import hashlib
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
FROZEN = "74883cc7e669c3d99874289fcd3283a3db7e6df9a0d584b50ea29caa42a37a4f"
FROZEN_B = "1264ed7d018a5361c14b60a31975ec5c26a9bc43af75ee153f185909f64bad42"
# What it was before the further kinds were added below.
FIRST_PART = "1100bd3e57ee9d83918584a84e6bbeab5a592c66958be6db740d269f6f87f14b"
FIRST_PART_B = "b00c46440c218e2f64cf4f698c296f25fbdc67b920c00bfaba95cf8e2868d163"


def test_the_parameters_are_the_ones_that_were_frozen(city: Sample):
    assert load_latent().sha256 == FROZEN
    assert city.latent_sha256 == FROZEN
    assert load_latent(LATENT_B).sha256 == FROZEN_B
    page = (ROOT / "docs" / "sample.md").read_text(encoding="utf-8")
    assert all(digest in page for digest in (FROZEN, FROZEN_B, FIRST_PART, FIRST_PART_B))


@pytest.mark.parametrize(("file", "before"), [(LATENT, FIRST_PART), (LATENT_B, FIRST_PART_B)])
def test_the_further_kinds_stand_below_what_was_frozen_first_and_changed_none_of_it(file: Path, before: str):
    first, mark, _ = file.read_bytes().partition(b"\n# --- The further kinds")
    assert mark
    assert hashlib.sha256(first).hexdigest() == before


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
        ("licensed", lambda s: s.records["licence"]["entity"]),
        ("of a licence suspended or lost", lambda s: _severe(s, "licence")),
        ("a food maker without a licence", lambda s: _unlicensed(s)),
        ("sampled", lambda s: s.records["product_sampling"]["entity"]),
        ("sampled and failed", lambda s: _severe(s, "product_sampling")),
        ("often changed", lambda s: s.records["registration_change"].filter(pl.len().over("entity") > 1)["entity"]),
        ("changed in who or where", lambda s: _severe(s, "registration_change")),
        ("with less capital", lambda s: s.records["registration_change"].filter(severity=2)["entity"]),
        ("certified", lambda s: s.records["certification"]["entity"]),
        ("of a certificate suspended or lost", lambda s: _severe(s, "certification")),
        ("of a standard declared", lambda s: s.records["standard_declared"]["entity"]),
        ("of a standard that falls short", lambda s: _severe(s, "standard_declared")),
        ("recalling", lambda s: s.records["recall"]["entity"]),
        ("honoured", lambda s: s.records["award"]["entity"]),
        ("liked", lambda s: s.records["satisfaction_survey"].filter(pl.col("code") >= 9_000)["entity"]),
        ("disliked", lambda s: s.records["satisfaction_survey"].filter(pl.col("code") < 7_000)["entity"]),
        ("on a list of others", lambda s: s.records["outside_list"].filter(pl.col("severity") > 0)["entity"]),
        (
            "off a list of others",
            lambda s: s.records["outside_list"].drop_nulls("ends_on").filter(pl.col("code") < 6)["entity"],
        ),
        ("on a list of good faith", lambda s: s.records["outside_list"].filter(code=16)["entity"]),
        ("of tax grade D", lambda s: s.records["outside_list"].filter(code=6, severity=3)["entity"]),
        ("of an accident", lambda s: s.records["accident"]["entity"]),
        ("to blame for an accident", lambda s: _severe(s, "accident")),
        ("on record with a representative", lambda s: s.records["relation"].filter(code=1)["entity"]),
        ("young and represented by who represents another", lambda s: _joined(s)),
        ("tied to another", lambda s: s.records["relation"].filter(pl.col("code") > 1)["entity"]),
        ("tied to one that is listed or revoked", lambda s: _tied(s, s.records["relation"], troubled=True)),
        ("tied to none that is listed or revoked", lambda s: _tied(s, s.records["relation"], troubled=False)),
    ],
)
def test_the_best_score_is_right_on_average_whatever_the_records_say(city: Sample, what: str, of):
    """The posterior is exact: among entities chosen by anything observed, its mean is that of the planted chance."""
    chosen = city.truth[of(city).unique().to_list()]
    error = (chosen["probability"] - chosen["bayes"]).to_numpy()
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error)) + 1e-3, what


def _severe(sample: Sample, kind: str) -> pl.Series:
    return sample.records[kind].filter(pl.col("severity") > 0)["entity"]


def _unlicensed(sample: Sample) -> pl.Series:
    holders = sample.records["licence"].filter(code=1)["entity"]
    makers = sample.truth["entity"].filter(
        (sample.entities["kind"] == "enterprise") & sample.entities["industry"].str.contains("^1[345]")
    )
    return makers.filter(~makers.is_in(holders.implode()))


def _joined(sample: Sample) -> pl.Series:
    people = sample.records["relation"].filter(code=1).with_columns(
        person=pl.col("detail_json").str.json_path_match("$.person_hash"),
        established=sample.entities["established"].gather(sample.records["relation"].filter(code=1)["entity"]),
    )  # fmt: skip
    return people.filter(
        (pl.len().over("person") > 1) & (pl.col("established") > pl.col("established").min().over("person"))
    )["entity"]


def _tied(sample: Sample, relations: pl.DataFrame, *, troubled: bool) -> pl.Series:
    listed = sample.records["abnormal_listing"]["entity"].implode()
    codes = sample.entities["code"].filter((sample.entities["status"] == 2) | sample.truth["entity"].is_in(listed))
    ties = relations.filter(pl.col("code") > 1)
    other = ties["detail_json"].str.json_path_match("$.other_code").is_in(codes.implode())
    return ties.filter(other if troubled else ~other)["entity"]


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


@pytest.mark.parametrize(
    "of",
    [_joined, lambda s: _tied(s, s.records["relation"], troubled=True), lambda s: s.records["outside_list"].filter(code=6, severity=3)["entity"]],
    ids=["represented by who represents another", "tied to the listed", "of tax grade D"],
)  # fmt: skip
def test_bad_company_and_bad_grades_are_worse_than_the_rest_but_no_verdict(city: Sample, of):
    firms = city.truth.filter(city.entities["kind"] == "enterprise")["probability"].mean()
    assert 1.3 < city.truth[of(city).unique().to_list()]["probability"].mean() / firms < 5


def test_honours_and_lists_of_good_faith_are_with_the_better(city: Sample):
    firms = city.truth.filter(city.entities["kind"] == "enterprise")["probability"].mean()
    good = (city.records["award"]["entity"], city.records["outside_list"].filter(code=16)["entity"])
    assert all(city.truth[found.unique().to_list()]["probability"].mean() < 0.75 * firms for found in good)


def test_the_same_arguments_give_the_same_bytes():
    first, second = (generate(3_000, today=TODAY, seed=7, density=1.5) for _ in range(2))
    assert _bytes(first) == _bytes(second)


@pytest.mark.parametrize("other", [{"seed": 8}, {"today": date(2026, 11, 20)}, {"latent": load_latent(LATENT_B)}])
def test_other_arguments_give_another_district(other: dict[str, object]):
    usual = {"today": TODAY, "seed": 7}
    assert _bytes(generate(1_000, **usual)) != _bytes(generate(1_000, **(usual | other)))


def test_another_key_changes_the_hashes_of_persons_and_nothing_else():
    one, other = (generate(1_000, today=TODAY, seed=7, key=key) for key in (b"k" * 32, b"l" * 32))
    assert one.entities.equals(other.entities)
    assert one.truth.equals(other.truth)
    changed = [kind for kind in one.records if not one.records[kind].equals(other.records[kind])]
    assert changed == ["relation"]
    hidden = pl.col("detail_json").str.replace(r"[0-9a-f]{64}", "")
    assert one.records["relation"].with_columns(hidden).equals(other.records["relation"].with_columns(hidden))


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
