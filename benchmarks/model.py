"""How near a model comes to the best score there is: on the sample city, whose planted risk tells what that is."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.report import Figure
from benchmarks.work import TODAY, Work, seconds
from registry import parameters
from registry.clock import day_number
from registry.kinds import DERIVED, KINDS, NUMBERS
from registry.sample import LATENT, LATENT_B, Sample, draw_outcomes, generate, load_latent
from registry.sample.generator import Size
from registry.services import context_norms, frames
from rules import scheme as schemes
from rules.given import NORMS, Given
from rules.model import recipe as recipes
from rules.model.areas import area_rates
from rules.model.bundle import Bundle, Window
from rules.model.features import features
from rules.model.recipe import Recipe
from rules.model.score import score
from rules.model.training import TrainingError
from rules.model.units import MILLION, Outcome, UnitRule, quarters, units, with_features
from rules.scheme import Scheme

GAP, SECONDS = 0.02, 0.5
BOOK = Path(schemes.__file__).parent / "book"
CHECK, DETAIL, ROUTINE = KINDS["spot_check"].number, NUMBERS["check_detail"], 1
# Results of a check, as `registry/sample/checks.py` has them: nothing found; found and put right.
CLEAN, FOUND = (1, 0), (2, 1)
NOT_MET = (6, 7)
REVOKED, REPRESENTATIVE = 2, 1
RELATED = ("related_abnormal", "related_serious", "related_revoked", "representative_revoked")
# Draws by lot of a tenth of the city each, day by day: two are learnt from, the third calibrates.
TENTH, DRAWS = 10, 3
OUTCOME, RULE = Outcome(), UnitRule((0, ROUTINE))
SEED = 1


@dataclass(frozen=True, slots=True)
class District:
    """A sample as the frames that grading reads, without a database; entity n of the sample is n + 1 here."""

    sample: Sample
    day: int
    population: pl.DataFrame
    industry: pl.DataFrame
    facts: pl.DataFrame
    coverage: pl.DataFrame
    related: pl.DataFrame  # values of a context: related parties in trouble


def district(size: Size, latent: Path, today: date = TODAY) -> District:
    """The sample with one planted risk."""
    sample = generate(size, today=today, latent=load_latent(latent))
    entity = pl.int_range(1, sample.entities.height + 1, dtype=pl.Int64).alias("entity")
    parts = [
        _typed(
            sample.entities.select(
                entity,
                kind=pl.lit(KINDS["registration"].number),
                code="industry",
                severity="status",
                amount=pl.col("capital_fen").fill_null(0),
                day="established",
                # The term is given by its last day.
                ends=pl.col("term_ends").dt.offset_by("1d"),
                seq=entity,
            )
        )
    ]
    last = sample.entities.height
    for kind, frame in sample.records.items():
        own = _typed(
            frame.select(
                pl.col("entity").cast(pl.Int64) + 1,
                kind=pl.lit(KINDS[kind].number),
                code="code",
                severity="severity",
                amount="amount_fen",
                day="happened_on",
                ends="ends_on",
                seq=pl.int_range(last + 1, last + 1 + pl.len()),
            )
        )
        last += frame.height
        parts += [own, *_details(own, 0)] if kind == "spot_check" else [own]
    feeds = [
        (number, prefix, day_number(first), None if last is None else day_number(last))
        for kind, prefix, first, last in sample.coverage
        for number in (KINDS[kind].number, *([DERIVED[kind].number] if kind in DERIVED else []))
    ]
    return District(
        sample,
        day_number(today),
        sample.entities.select(
            entity, subject=pl.col("kind").cast(pl.String), division=pl.col("division").cast(pl.String)
        ),
        sample.entities.select(entity, pl.col("industry").cast(pl.Int32)),
        pl.concat(parts),
        pl.DataFrame(feeds, schema=frames.COVERAGE, orient="row"),
        _related(sample, day_number(today)),
    )


def _related(sample: Sample, day: int) -> pl.DataFrame:
    """Context values of who is tied to whom, as docs/context.md has them: the other side of a relation, and who is represented by
    the same person."""
    ties = sample.records["relation"].select(
        pl.col("entity").cast(pl.Int64) + 1,
        "code",
        pl.col("detail_json").str.json_path_match("$.other_code").alias("other_code"),
        pl.col("detail_json").str.json_path_match("$.person_hash").alias("person"),
    )
    numbers = sample.entities.select(
        pl.col("code").alias("other_code"), other=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )
    ends = ties.join(numbers, on="other_code").select("entity", "other")
    held = ties.filter((pl.col("code") == REPRESENTATIVE) & pl.col("person").is_not_null()).select("entity", "person")
    shared = held.join(held.rename({"entity": "other"}), on="person").select("entity", "other")
    both = [shared, ends, ends.select(entity="other", other="entity")]
    listed = {
        name: sample.records[kind]
        .filter(pl.col("ends_on").is_null() | (pl.col("ends_on").cast(pl.Int32) > day))
        .select(other=pl.col("entity").cast(pl.Int64) + 1)
        for name, kind in (("related_abnormal", "abnormal_listing"), ("related_serious", "serious_listing"))
    }
    revoked = numbers.filter(sample.entities["status"] == REVOKED).select("other")
    tied = pl.concat(both)
    found = [(tied, name, whose) for name, whose in (*listed.items(), ("related_revoked", revoked))]
    found.append((shared, "representative_revoked", revoked))
    return pl.concat(
        pairs.filter(pl.col("entity") != pl.col("other"))
        .join(whose, on="other", how="semi")
        .group_by("entity")
        .agg(name=pl.lit(name), value=pl.col("other").n_unique().cast(pl.Int64))
        for pairs, name, whose in found
    )


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    days = [pl.col(name).cast(pl.Int32) for name in ("day", "ends")]
    return frame.with_columns(days).select(pl.col(name).cast(kind) for name, kind in frames.FACTS.items())


def _details(checks: pl.DataFrame, inclusion: int) -> list[pl.DataFrame]:
    """What checks project beside their own fact: the check itself, and one problem where any was found."""
    beside = checks.with_columns(kind=pl.lit(DETAIL, pl.Int16), code=pl.lit(ROUTINE, pl.Int32))
    return [
        beside.with_columns(severity=pl.lit(0, pl.Int16), amount=pl.lit(inclusion, pl.Int64)),
        beside.filter(pl.col("severity") > 0).with_columns(amount=pl.lit(1, pl.Int64)),
    ]


def context(of: District, facts: pl.DataFrame, day: int) -> Given:
    """What checks before ``day`` found in each trade and each division, as a context of that day holds it."""
    set_to = {name: one.on(TODAY).value for name, one in parameters.shipped("context").items()}
    checks = facts.filter(
        (pl.col("kind") == CHECK)
        & pl.col("day").is_between(day - set_to["check_days"], day - 1)
        & ~pl.col("code").is_in(NOT_MET)
    )
    trades = (
        checks.join(of.industry, on="entity")
        .group_by("industry")
        .agg((pl.col("severity") > 0).sum(), pl.len().alias("checks"))
    )
    found = [("violations", *one) for one in context_norms.ranges(trades.iter_rows(), set_to["weight_checks"])]
    norms = pl.concat(
        [
            pl.DataFrame(found, schema=dict(NORMS), orient="row"),
            area_rates(facts, of.population.select("entity", "division"), day, weight=set_to["weight_checks"]),
        ]
    )
    names = frozenset((*norms["name"], *RELATED))
    return Given(context=of.related, norms=norms, names=names)


def drawn(of: District, draws: int = DRAWS) -> tuple[pl.DataFrame, npt.NDArray[np.int64]]:
    """The facts with those of checks by lot, one draw of a tenth on each day after the sample's; and the draw of every entity
    (``draws`` or more: none yet)."""
    rng = np.random.default_rng(np.random.SeedSequence(SEED))
    draw: npt.NDArray[np.int64] = rng.permutation(of.population.height) % TENTH
    failed = draw_outcomes(of.sample, seed=SEED)
    found = [of.facts]
    for number in range(draws):
        who = np.flatnonzero(draw == number)
        result = np.where(failed[who][:, None], FOUND, CLEAN)
        checks = pl.DataFrame(
            {
                "entity": who + 1,
                "kind": CHECK,
                "code": result[:, 0],
                "severity": result[:, 1],
                "amount": 0,
                "day": of.day + 1 + number,
                "ends": None,
                "seq": of.facts.height + number * draw.size + who,
            },
            schema=frames.FACTS,
        )
        found += [checks, *_details(checks, MILLION // TENTH)]
    return pl.concat(found), draw


def table(of: District, facts: pl.DataFrame, scheme: Scheme, periods: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """Units of some periods with their features, each under the context of its freeze day."""
    chosen = units(facts, OUTCOME, RULE, periods)
    parts = []
    for first, _ in periods:
        part = chosen.filter(pl.col("period") == first)
        if part.height:
            own = facts.join(part.select("entity"), on="entity", how="semi")
            parts.append(with_features(part, of.population, own, of.coverage, scheme, context(of, facts, first)))
    return pl.concat(parts)


def fitted(train: pl.DataFrame, calibrate: pl.DataFrame, recipe: Recipe, *, trees: bool = False) -> Bundle:
    """A scorecard, or boosted trees, of these rows, which are in order of period."""
    # scikit-learn, for whoever asks for it only.
    from rules.model import boosted, scorecard

    begin, middle, end = train["period"][0], calibrate["period"][0], calibrate["period"][-1]
    fit = boosted.fit_boosted if trees else scorecard.fit
    return fit(
        train,
        recipe,
        calibrate=calibrate,
        window=Window(begin, middle, middle, end + 1, end + 1, end + 2),
        outcome=OUTCOME,
        rule=RULE,
        seed=SEED,
    )


def expected_auc(values: npt.ArrayLike, probability: npt.NDArray[np.float64]) -> float:
    """The AUC that a score has on average over all outcomes that these probabilities allow; ties count half."""
    _, place = np.unique(np.asarray(values), return_inverse=True)
    good, bad = np.bincount(place, 1 - probability), np.bincount(place, probability)
    return float((bad * (np.cumsum(good) - good / 2)).sum() / (bad.sum() * good.sum()))


@dataclass(frozen=True, slots=True)
class Shown:
    """AUC of a model and of the best score, over the same entities."""

    model: float
    best: float

    @property
    def gap(self) -> float:
        return self.best - self.model

    def __str__(self) -> str:
        return f"AUC {self.model:.4f}, best possible {self.best:.4f}"


def shown(of: District, bundle: Bundle, frame: pl.DataFrame) -> Shown:
    """How a model orders the entities of ``frame``, rows of features; who is not judged comes last."""
    place = frame["entity"].to_numpy() - 1
    truth = of.sample.truth
    chance = score(bundle, frame)["chance"].fill_null(0)
    probability = truth["probability"].to_numpy()[place]
    return Shown(expected_auc(chance, probability), expected_auc(truth["bayes"].to_numpy()[place], probability))


def asked(of: District, facts: pl.DataFrame, scheme: Scheme, day: int, who: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """Features of some entities on a day, under the context of the day after."""
    population = of.population.filter(pl.Series(who)).with_columns(day=pl.lit(day, pl.Int32))
    return features(population, facts, of.coverage, scheme, context(of, facts, day + 1))


def measure(work: Work) -> list[Figure]:
    """Both planted risks: a model of checks drawn by lot, one of the few checks in the sample's own records, and the time to score."""
    recipe = recipes.load()
    scheme = schemes.load(BOOK / recipe.scheme)
    found: list[Figure] = []
    for name, latent in (("", LATENT), (", other risk", LATENT_B)):
        of = district(work.size, latent)
        facts, draw = drawn(of)
        waves = table(of, facts, scheme, [(of.day + 1 + one, of.day + 2 + one) for one in range(DRAWS)])
        others = asked(of, facts, scheme, of.day + DRAWS, draw >= DRAWS)
        learnt, calibrating = (
            waves.filter(part) for part in (pl.col("period") <= of.day + 2, pl.col("period") > of.day + 2)
        )
        note = f"{learnt.height + calibrating.height:,} checks drawn by lot, on the {others.height:,} others"
        card = fitted(learnt, calibrating, recipe)
        for what, bundle in (("scorecard", card), ("boosted trees", fitted(learnt, calibrating, recipe, trees=True))):
            got = shown(of, bundle, others)
            found.append(
                Figure(f"gap to the best score, {what}{name}", got.gap, "AUC", limit=GAP, note=f"{got}; {note}")
            )
        found.append(_level(of, card, others, name))
        everyone = asked(of, of.facts, scheme, of.day, draw >= 0)
        if not name:
            taken = statistics.median(seconds(partial(score, card, everyone)) for _ in range(3))
            found.append(
                Figure(
                    "scoring by the scorecard",
                    taken,
                    "s",
                    limit=SECONDS,
                    note=f"{everyone.height:,} entities; median of 3",
                )
            )
        found += _of_own_checks(of, scheme, recipe, everyone, name)
    return found


def _level(of: District, bundle: Bundle, frame: pl.DataFrame, name: str) -> Figure:
    """Whether chances are as high as the truth on average: the order says nothing of that."""
    said = float(np.mean(score(bundle, frame)["chance"].drop_nulls().to_numpy())) / MILLION
    planted = float(of.sample.truth["probability"].to_numpy()[frame["entity"].to_numpy() - 1].mean())
    return Figure(f"mean chance, scorecard{name}", said, "", said / planted, "planted", note=f"planted {planted:.4f}")


def _of_own_checks(of: District, scheme: Scheme, recipe: Recipe, everyone: pl.DataFrame, name: str) -> list[Figure]:
    """Of the few checks that the records hold anyway. Held to the same limit, so that the table says where it is missed."""
    own = table(of, of.facts, scheme, quarters(TODAY - timedelta(days=3 * 365), TODAY))
    last = pl.col("period") >= of.day - 365
    what = f"gap to the best score, scorecard of the sample's own checks alone{name}"
    try:
        got = shown(of, fitted(own.filter(~last), own.filter(last), recipe), everyone)
    except TrainingError as error:
        return [Figure(what, float("nan"), "AUC", note=error.problem)]
    return [Figure(what, got.gap, "AUC", limit=GAP, note=f"{got}; {own.height:,} checks, {int(own['y'].sum())} failed")]
