"""A benchmark from its files to its figures: taken into a ledger, graded, rules fitted, models trained, the test opened, all measured.

What is compared is what the product would have done: the same schemes, features, recipe and evaluation as on its own records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from registry import clock
from registry.config import Settings
from registry.errors import RegistryError
from registry.services import (
    benchmark_files,
    benchmark_import,
    benchmark_mapping,
    book,
    context,
    context_building,
    frames,
    grading,
    ledger,
    model_frames,
)  # fmt: skip
from registry.services.benchmark_files import Set
from registry.services.benchmark_form import Benchmark, Target
from registry.services.benchmark_import import Loaded
from rules.engine import reads_context
from rules.errors import FrameError
from rules.model import ModelError
from rules.model.units import DETAIL, PURPOSES, Outcome, Period, UnitRule, quarters, units
from rules.scheme import Scheme

if TYPE_CHECKING:
    from rules.model.bundle import Boosted, Scorecard, Window
    from rules.model.leaks import Leak
    from rules.model.recipe import Recipe

SEED = 1
PARTS = ("train", "calibrate", "test")
# The leak checks that work features out again look at the last quarters of the training period.
RECENT = 4
# Days before a list is drawn up that are withheld to find copies of the visit itself.
WITHHELD = 30

# What is being done, how far it is, and of how much.
Progress = Callable[[str, int, int], None]


class BenchmarkRefused(RegistryError):
    """A benchmark that gives no figures: no such one, too few units, one outcome only, or rows that make no model."""

    code = "benchmark_refused"
    status = 422


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """One target before its test is opened: what was fitted, the leaks that were named, and the rows to be tested on.

    `beside` has the orders that need no fitting, `rows` the visits and failures of each window.
    """

    name: str
    target: Target
    card: Scorecard
    trees: Boosted
    rules: Scheme
    leaks: tuple[Leak, ...]
    test: pl.DataFrame
    beside: Mapping[str, pl.Series | None]
    rows: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One target after its test: the report of :func:`rules.model.report.evaluate`, and the look on record (None: nowhere)."""

    trained: Trained
    report: dict[str, Any]
    opening: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """The figures that programs rely on, and how they came about."""
        from rules.model.report import headline

        orders, made = self.report["orders"], self.trained
        parts = {part: {"visits": rows, "failures": failures} for part, (rows, failures) in made.rows.items()}
        said = headline(self.report)
        return {
            **said, "earned": said["earned"] and not made.leaks, "title": dataclasses.asdict(made.target.title),
            "outcome": made.target.outcome.as_dict(), "boosted_auc": orders["boosted"]["auc"],
            "statutory_auc": orders.get("statutory", {}).get("auc"), "overdue_auc": orders["overdue"]["auc"],
            "verdict": self.report["verdict"], "units": parts, "leaks": [leak.as_dict() for leak in made.leaks],
            "opening": self.opening, "model": made.card.hash, "rules": made.rules.hash, "report": self.report,
        }  # fmt: skip


@dataclass(slots=True)
class Prepared:
    """A benchmark with its tests still closed: what was loaded and left out, the classes of everybody, what was trained."""

    mapping: Benchmark
    counts: dict[str, int]
    left_out: dict[str, int]
    recipe: Recipe
    scheme: Scheme
    classes: dict[str, Any] = field(default_factory=dict)
    trained: list[Trained] = field(default_factory=list)


def find(name: str, mapping: Path | None, data: Path) -> tuple[Path, Path]:
    """The file of a mapping, and the folder of its data: `data` itself, or the folder in it that is called like the mapping.

    Raises BenchmarkRefused where no mapping has that name.
    """
    shipped = benchmark_mapping.shipped()
    if mapping is None:
        if not name.endswith(".toml") and name not in shipped:
            raise BenchmarkRefused(
                f"There is no benchmark {name!r}. Those that come with the product are: {', '.join(shipped)}. For your own set "
                "write a mapping and give it with --mapping FILE: docs/benchmarks-of-others.md has a whole one."
            )
        mapping = shipped.get(name, Path(name))
    inner = data / mapping.stem
    return mapping, inner if inner.is_dir() else data


def prepare(
    settings: Settings,
    mapping: Benchmark,
    folder: Path,
    *,
    only: Sequence[str] = (),
    seed: int = SEED,
    today: date,
    now: Callable[[], int],
    progress: Progress | None = None,
) -> Prepared:
    """Load a benchmark from `folder` into the connected registry, grade it, and train for its targets (`only` these, or all).

    The registry must be empty, or hold this benchmark already. The test windows are counted, not looked at. Deterministic by
    (files, mapping, seed). Raises BadBenchmarkMapping, BadBenchmarkSet, NotABenchmark; BenchmarkRefused with the numbers where
    the units make no model.
    """
    tell = progress or (lambda *_: None)
    unknown = set(only) - {target.id for target in mapping.targets}
    if unknown:
        raise BenchmarkRefused(
            f"{mapping.name} has no target {', '.join(sorted(unknown))}. Its targets are: "
            f"{', '.join(target.id for target in mapping.targets)}."
        )
    rows = benchmark_files.read(mapping, folder)
    loaded = benchmark_import.load(settings, mapping, rows, today=today, now=now, progress=tell)
    try:
        return _Work(settings, mapping, rows, loaded, seed, now, tell).run(only)
    except (ModelError, FrameError) as error:
        raise BenchmarkRefused(f"{mapping.name}: {error}") from error


def measure(trained: Trained, *, opening: dict[str, Any] | None) -> Measured:
    """Open the test of a target and measure every order on it. The look has to be on record before (`opening`).

    Raises BenchmarkRefused where the test has one outcome only.
    """
    from rules.model import report
    from rules.model.fitted import rule_score
    from rules.model.recalibration import chances_of
    from rules.model.score import score

    test = trained.test
    said = score(trained.card, test)
    chance = chances_of(trained.card, test, said["points"])
    try:
        found = report.evaluate(
            test, model=said["points"], chance=chance, rules=rule_score(test, trained.rules),
            boosted=score(trained.trees, test)["points"], statutory=trained.beside["statutory"],
            overdue=trained.beside["overdue"], seed=trained.card.seed, target=trained.name,
        )  # fmt: skip
    except FrameError as error:
        raise BenchmarkRefused(f"{trained.name}: {error}") from error
    return Measured(trained, found, opening)


class _Work:
    def __init__(
        self, settings: Settings, mapping: Benchmark, rows: Set, loaded: Loaded, seed: int, now: Callable[[], int],
        tell: Progress,
    ) -> None:  # fmt: skip
        from rules.model import recipe as recipes

        self.settings, self.mapping, self.rows, self.loaded = settings, mapping, rows, loaded
        self.seed, self.now, self.tell = seed, now, tell
        self.size = settings.grading.range_size
        self.recipe = recipes.load()
        self.scheme = book.in_force(settings, self.recipe.scheme, on=mapping.split.test[0])
        recipes.against(self.recipe, self.scheme.indicators)
        one = mapping.units
        self.rule = UnitRule(tuple(PURPOSES.values()) if one.file else one.purposes, one.least_gap, one.history)
        self.known = ledger.head()

    def run(self, only: Sequence[str]) -> Prepared:
        mapping = self.mapping
        done = Prepared(mapping, self.loaded.counts, self.rows.left_out, self.recipe, self.scheme)
        self._contexts()
        done.classes = grading.everyone(
            self.scheme, day=mapping.split.test[0], range_size=self.size, now=self.now,
            progress=lambda at, total: self.tell("grade", at, total),
        ).classes  # fmt: skip
        made = self._chosen(self._table(self._periods(*PARTS)))
        self._leave_out_what_is_unknown(made)
        done.recipe = self.recipe
        seen = model_frames.all_visits(self.known, self.size)
        again = {withheld: self._again(withheld) for withheld in (0, WITHHELD)}
        for target in mapping.targets:
            if not only or target.id in only:
                done.trained.append(self._train(target, self._labelled(made, target.outcome), seen, again))
        return done

    def _leave_out_what_is_unknown(self, made: pl.DataFrame) -> None:
        """Take features out of the recipe of which the training rows say nothing: no feed of theirs was connected then."""
        learnt = model_frames.within(made, self._window(), "train")
        known = [one for one in self.recipe.features if learnt[one.id].null_count() < learnt.height]
        self.recipe = dataclasses.replace(self.recipe, features=tuple(known))

    def _contexts(self) -> None:
        """Where features read a context: build that of the day before each list, as the job would have done at the time."""
        if not reads_context(self.scheme):
            return
        days = sorted(start - 1 for start, _ in self._periods(*PARTS))
        standing = {one.day for one in context.every()}
        for place, day in enumerate(days, start=1):
            if day not in standing:
                context_building.build(self.settings, day=clock.day_of(day), known=self.known, now=self.now())
            self.tell("context", place, len(days))
        self.known = ledger.head()

    def _periods(self, *parts: str) -> list[Period]:
        """The periods of these windows: quarters, or one for the whole test where the plan says so."""
        split, found = self.mapping.split, list[Period]()
        for part in parts:
            first, until = getattr(split, part)
            if part == "test" and split.plan == "whole":
                found.append((clock.day_number(first), clock.day_number(until)))
            else:
                found += quarters(first, until)
        return found

    def _table(self, periods: list[Period], withheld: int | None = None) -> pl.DataFrame:
        return model_frames.table(
            self.scheme, outcome=self.mapping.targets[0].outcome, rule=self.rule, periods=periods, known=self.known,
            range_size=self.size, withheld=withheld, progress=lambda at, total: self.tell("features", at, total),
        )  # fmt: skip

    def _again(self, withheld: int) -> pl.DataFrame:
        """The features of the last quarters of training once more, without any fact from `withheld` days before each list on."""
        return self._chosen(self._table(self._periods("train")[-RECENT:], withheld))

    def _chosen(self, made: pl.DataFrame) -> pl.DataFrame:
        """Only the units that the set lists, where it lists them; those flagged are tested, the others are not."""
        if self.rows.units is None:
            return made
        visits = self.loaded.visits.join(self.rows.units, on="id")
        listed = visits.select("entity", pl.col("day").cast(pl.Int32).alias("visit"), "flag")
        listed = listed.group_by("entity", "visit").agg(pl.col("flag").any())
        found = made.join(listed, on=("entity", "visit"), how="inner", maintain_order="left")
        if self.mapping.split.flag:
            start = clock.day_number(self.mapping.split.test[0])
            found = found.filter((pl.col("period") >= start) == pl.col("flag"))
        return found.drop("flag")

    def _labelled(self, made: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
        """The same rows, asked about another outcome."""
        if outcome == self.mapping.targets[0].outcome:
            return made
        highest = max(self.loaded.entities["entity"].to_list())
        facts = frames.facts_in(1, highest, {DETAIL}, self.known)
        told = units(facts, outcome, self.rule, self._periods(*PARTS)).select("seq", told="y")
        joined = made.join(told, on="seq", how="left", maintain_order="left")
        return joined.with_columns(y=pl.col("told")).drop("told")

    def _window(self) -> Window:
        from rules.model.bundle import Window

        split = self.mapping.split
        return Window(*(clock.day_number(day) for part in PARTS for day in getattr(split, part)))

    def _train(
        self, target: Target, made: pl.DataFrame, seen: pl.DataFrame, again: Mapping[int, pl.DataFrame]
    ) -> Trained:
        from rules.model.boosted import fit_boosted
        from rules.model.fitted import fit_rules
        from rules.model.scorecard import fit

        window = self._window()
        part = {name: model_frames.within(made, window, name) for name in PARTS}
        rows = {name: (table.height, int(table["y"].sum())) for name, table in part.items()}
        self._enough(target, rows)
        learnt, calibrate, test = (part[name] for name in PARTS)
        name = f"{self.mapping.name}/{target.id}"
        self.tell(name, 0, 4)
        # The rules see the same rows as the models, whose weights are fitted again on both parts once they are calibrated.
        rules = fit_rules(pl.concat([learnt, calibrate]), self.scheme, book.numbers(), half_life=self.recipe.half_life)
        self.tell(name, 1, 4)
        leaks = self._leaks(learnt, rules, seen, again)
        self.tell(name, 2, 4)
        given: dict[str, Any] = {
            "calibrate": calibrate, "window": window, "outcome": target.outcome, "rule": self.rule, "seed": self.seed,
            "scheme_hash": self.scheme.hash, "name": f"{self.mapping.name}-{target.id}",
        }  # fmt: skip
        card = fit(learnt, self.recipe, **given)
        self.tell(name, 3, 4)
        trees = fit_boosted(learnt, self.recipe, **given)
        self.tell(name, 4, 4)
        beside = {"statutory": self._statutory(test), "overdue": model_frames.overdue(test, seen)}
        return Trained(name, target, card, trees, rules, tuple(leaks), test, beside, rows)

    def _leaks(
        self, learnt: pl.DataFrame, rules: Scheme, seen: pl.DataFrame, again: Mapping[int, pl.DataFrame]
    ) -> list[Leak]:
        """Every leak check of the product's own training. What is found is shown, and the model does not count then."""
        from rules.model import leaks
        from rules.model.fitted import rule_score

        ids = self.recipe.ids
        read = {one: self.scheme.indicators[one] for one in ids}
        registered = {id_ for id_, one in read.items() if one.kind_name in ("registration", "relation")}
        # The state of a registration is that of the day of extraction.
        fixed = {
            id_ for id_, one in read.items() if one.measure == "subject" or (id_ in registered and one.of != "severity")
        }
        found = leaks.examine(learnt, ids, seed=self.seed, rules=rule_score(learnt, rules), visits=seen, fixed=fixed)
        # Of the last quarters only: the same rows as those worked out again.
        recent = learnt.filter(pl.col("period") >= self._periods("train")[-RECENT:][0][0])
        found += leaks.changed(recent, again[0], ids)
        found += leaks.withheld(recent, again[WITHHELD].with_columns(recent["y"]), ids)
        return found

    def _enough(self, target: Target, rows: Mapping[str, tuple[int, int]]) -> None:
        if all(0 < failures < visits for visits, failures in rows.values()):
            return
        said = "; ".join(
            f"{name} {visits:,} visits, {failures:,} of them with a failure"
            for name, (visits, failures) in rows.items()
        )
        raise BenchmarkRefused(
            f"{self.mapping.name}, target {target.id}: {said}. Each window needs visits with a failure and without. Check the "
            "windows of [split], the rule of [units], and `severity` and `count` of the target."
        )

    def _statutory(self, test: pl.DataFrame) -> pl.Series | None:
        """The rank that the law or the organ gives each entity; None without any."""
        if self.rows.ranks is None:
            return None
        ranks = self.loaded.entities.join(self.rows.ranks, left_on="id", right_on="entity").select("entity", "rank")
        found = test.select("entity").join(ranks, on="entity", how="left", maintain_order="left")["rank"]
        return found if found.drop_nulls().len() else None
