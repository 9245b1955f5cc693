"""What another scheme would do 方案比对: both schemes grade the same entities, range by range, and nothing is written."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from registry import clock
from registry.config import Settings
from registry.database import execute, in_slices, read_frame, session
from registry.errors import RegistryError, SchemeNotInForce
from registry.kinds.industries import SECTIONS
from registry.kinds.registration import SUBJECTS
from registry.services import frames, frequency, given, ledger
from rules import whatif
from rules.engine import facts_needed
from rules.errors import NotInForce
from rules.given import Given
from rules.inspection.frequency import FrequencyTable
from rules.inspection.quotas import inspector_days
from rules.kinds import REGISTRATION
from rules.parts import Title
from rules.scheme import Scheme
from rules.sensitivity import Trial, borders, cut_at, moved, shifted

Progress = Callable[[int, int], None]

# Movers that are named one by one, unless more are asked for.
MOVERS = 200
# Seconds after which a comparison is worth asking for again.
RETRY_AFTER = 15
_NAMED = {"entity": pl.Int64, "code": pl.String, "registration_no": pl.String, "name": pl.String}
_PLAIN = {
    whatif.CUTS: Title("分级界限", "Cuts between the classes"),
    "base": Title("基础分", "Points everyone starts with"),
    "clamp": Title("分值上下限", "Ends of the scale"),
    "override": Title("人工认定或模型上调", "Set by a person, or raised on a model's word"),
}
_one_at_a_time = threading.Lock()


class ComparisonRunning(RegistryError):
    """Another comparison is running in this process: each takes a processor and the memory of a range for seconds."""

    code = "comparison_running"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            f"Another comparison is running here, and one runs at a time. Ask again in {RETRY_AFTER} seconds.",
            retry_after=RETRY_AFTER,
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two schemes side by side on one day. Counts are subjects 户数; classes go from the best to the worst.

    entities : graded under both; ``only_old`` and ``only_new`` are graded under one of the two, and move nowhere
    worse, better : of ``entities``, who would get a worse, a better class
    classes : what all whom a scheme grades get, ``{"old": {"A": 7, …}, "new": {…}}``
    matrix : one row for each old class, with the number of entities that go to each new one
    by_division, by_industry, by_subject : the same figures by district (six digits), section of GB/T 4754, kind of subject
    movers : who changes class, those who become worst first, then by code; at most so many as were asked for
    moved_by : all who change class, by the row of the score that changed most in the direction of the move
    visits : visits in a year under both (None where the frequency table has no row for it), and how many are added (below 0: saved)
    inspector_days : the same in inspector-days, of an average item and teams of two
    frequency : id and hash of the frequency table
    sensitivity : what was tried on the new scheme, what moves most first; None where it was not asked for
    """

    old: dict[str, Any]
    new: dict[str, Any]
    on: str
    known_seq: int
    divisions: tuple[str, ...]
    entities: int
    only_old: int
    only_new: int
    worse: int
    better: int
    classes: dict[str, dict[str, int]]
    matrix: list[dict[str, Any]]
    by_division: list[dict[str, Any]]
    by_industry: list[dict[str, Any]]
    by_subject: list[dict[str, Any]]
    movers: list[dict[str, Any]]
    moved_by: list[dict[str, Any]]
    visits: dict[str, int | None]
    inspector_days: dict[str, int | None]
    frequency: dict[str, str]
    sensitivity: list[dict[str, Any]] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, texts and integers, ready for JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {"divisions": list(self.divisions)}


@contextmanager
def alone() -> Generator[None, None, None]:
    """One comparison at a time in this process. Raises ComparisonRunning where another one is running."""
    if not _one_at_a_time.acquire(blocking=False):
        raise ComparisonRunning
    try:
        yield
    finally:
        _one_at_a_time.release()


def compare(
    settings: Settings,
    old: Scheme,
    new: Scheme,
    *,
    day: date,
    known: int | None = None,
    divisions: Sequence[str] = ("",),
    movers: int = MOVERS,
    sensitivity: bool = True,
    progress: Progress | None = None,
) -> Comparison:
    """Grade everyone in these divisions (prefixes of GB/T 2260) on a day under both schemes, and say what would change.

    `known` is how much of the ledger is known (default: all of it); the context and the classes set by persons are those
    in force. `movers` is how many are named. Writes nothing. Raises SchemeNotInForce where a scheme has no cuts on the day, and
    BadFrequencyTable where the frequency table has mistakes.
    """
    for scheme in (old, new):
        try:
            scheme.compiled(scheme.subjects[0], scheme.epoch(clock.day_number(day)))
        except NotInForce as error:
            raise SchemeNotInForce(str(error)) from error
    table = frequency.table(settings)
    with session():
        known = ledger.head() if known is None else known
        highest = execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0]
        size, total = settings.grading.range_size, whatif.Sum()
        ranges = [(first, min(first + size - 1, highest)) for first in range(1, highest + 1, size)]
        coverage = frames.coverage(known)
        for (_, last), read in zip(ranges, _read_ahead(old, new, ranges, day, known), strict=True):
            population = whatif.within(divisions, read.population).with_columns(
                day=pl.lit(clock.day_number(day), dtype=pl.Int32)
            )
            total.add(
                whatif.compare(population, read.facts, coverage, old, new, given=read.given, sensitivity=sensitivity)
            )
            if progress is not None:
                progress(last, highest)
        return _told(
            old, new, total, table, day=day, known=known, divisions=divisions, movers=movers, sensitivity=sensitivity
        )


# --- reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Range:
    """Everything that comparing one range of entity ids reads."""

    population: pl.DataFrame
    facts: pl.DataFrame
    given: tuple[Given, Given]


def _read_ahead(old: Scheme, new: Scheme, ranges: Sequence[tuple[int, int]], day: date, known: int) -> Iterator[_Range]:
    """Each range is read while the one before it is graded."""
    kinds, number = facts_needed(old) | facts_needed(new) | {REGISTRATION}, clock.day_number(day)

    def read(first: int, last: int) -> _Range:
        with session():
            return _Range(
                frames.population_in(first, last, known),
                frames.facts_in(first, last, kinds, known),
                (
                    given.within(old, first, last, known=known, day=number),
                    given.within(new, first, last, known=known, day=number),
                ),
            )

    if not ranges:
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        coming = reader.submit(read, *ranges[0])
        for following in [*ranges[1:], None]:
            found = coming.result()
            if following is not None:
                coming = reader.submit(read, *following)
            yield found


# --- telling -------------------------------------------------------------------------------------------------------


def _told(
    old: Scheme, new: Scheme, total: whatif.Sum, table: FrequencyTable, *, day: date, known: int,
    divisions: Sequence[str], movers: int, sensitivity: bool,
) -> Comparison:  # fmt: skip
    tally = total.tally.with_columns(
        jump=pl.Series(whatif.jumps(old, new, total.tally["old"].to_numpy(), total.tally["new"].to_numpy())),
        section=_sections(total.tally["industry"]),
    )
    whole = _figures(old, new, tally)
    both = tally.filter((pl.col("old") >= 0) & (pl.col("new") >= 0))
    number = clock.day_number(day)
    planned = [_visits(scheme, table, number, tally, side) for side, scheme in (("old", old), ("new", new))]
    return Comparison(
        old=_described(old),
        new=_described(new),
        on=day.isoformat(),
        known_seq=known,
        divisions=tuple(divisions),
        entities=int(both["entities"].sum()),
        only_old=int(tally.filter(pl.col("new") < 0)["entities"].sum()),
        only_new=int(tally.filter(pl.col("old") < 0)["entities"].sum()),
        worse=whole["worse"],
        better=whole["better"],
        classes=whole["classes"],
        matrix=_matrix(old, new, both),
        by_division=[{"division": key, **_figures(old, new, rows)} for key, rows in _by(tally, "division")],
        by_industry=[_industry(key) | _figures(old, new, rows) for key, rows in _by(tally, "section")],
        by_subject=[
            {"subject": key, "title": _subject(key), **_figures(old, new, rows)} for key, rows in _by(tally, "subject")
        ],
        movers=_movers(old, new, total.movers, movers),
        moved_by=_moved_by(old, new, total.movers),
        visits=_sides(*planned),
        inspector_days=_sides(*(_days(table, number, one) for one in planned)),
        frequency={"id": table.id, "hash": table.hash},
        sensitivity=_sensitivity(new, total.trials, number) if sensitivity else None,
    )


def _visits(scheme: Scheme, table: FrequencyTable, day: int, tally: pl.DataFrame, side: str) -> int | None:
    graded = tally.filter(pl.col(side) >= 0).group_by(side, "industry").agg(pl.col("entities").sum())
    return whatif.visits(scheme, table, day, graded.iter_rows())


def _days(table: FrequencyTable, day: int, visits: int | None) -> int | None:
    pace = table.visit(day)
    return (
        None if visits is None or pace is None else inspector_days(visits, pace.minutes, day_minutes=pace.day_minutes)
    )


def _sides(was: int | None, will: int | None) -> dict[str, int | None]:
    return {"old": was, "new": will, "difference": None if was is None or will is None else will - was}


def _described(scheme: Scheme) -> dict[str, Any]:
    return {
        "id": scheme.id, "title": scheme.title.as_dict(), "hash": scheme.hash, "classes": list(scheme.classes),
    }  # fmt: skip


def _figures(old: Scheme, new: Scheme, tally: pl.DataFrame) -> dict[str, Any]:
    classes: dict[str, dict[str, int]] = {}
    for side, scheme in (("old", old), ("new", new)):
        counts = dict(tally.group_by(side).agg(pl.col("entities").sum()).iter_rows())
        classes[side] = {name: int(counts.get(place, 0)) for place, name in enumerate(scheme.classes)}
    return {
        "classes": classes,
        "worse": int(tally.filter(pl.col("jump") > 0)["entities"].sum()),
        "better": int(tally.filter(pl.col("jump") < 0)["entities"].sum()),
    }


def _by(tally: pl.DataFrame, key: str) -> Iterator[tuple[str, pl.DataFrame]]:
    for (value,), rows in sorted(tally.group_by([key]), key=lambda one: str(one[0][0])):
        yield str(value), rows


def _matrix(old: Scheme, new: Scheme, both: pl.DataFrame) -> list[dict[str, Any]]:
    counts = {(a, b): n for a, b, n in both.group_by("old", "new").agg(pl.col("entities").sum()).iter_rows()}
    return [
        {"old": name, "new": {other: int(counts.get((row, at), 0)) for at, other in enumerate(new.classes)}}
        for row, name in enumerate(old.classes)
    ]


def _sections(industries: pl.Series) -> pl.Series:
    """The letter of the section of GB/T 4754 of each class; '' for none."""
    divisions = {code: letter for letter, first, last, _ in SECTIONS for code in range(first, last + 1)}
    return (industries // 100).replace_strict(divisions, default="", return_dtype=pl.String)


def _industry(letter: str) -> dict[str, Any]:
    titles = {name: {"zh": label.zh, "en": label.en} for name, _, _, label in SECTIONS}
    return {"industry": letter, "title": titles.get(letter, {"zh": "行业不明", "en": "industry unknown"})}


def _subject(name: str) -> dict[str, str]:
    return {"zh": SUBJECTS.get(name, name), "en": name}


def _movers(old: Scheme, new: Scheme, found: pl.DataFrame, most: int) -> list[dict[str, Any]]:
    """The first movers by jump, then by code. Codes are read of those only who can be among them."""
    if not found.height or most < 1:
        return []
    last = found["jump"].sort(descending=True)[min(most, found.height) - 1]
    candidates = found.filter(pl.col("jump") >= last)
    named = candidates.join(_names(candidates["entity"].to_list()), on="entity", how="left")
    first = named.with_columns(code=pl.coalesce("code", "registration_no", pl.lit("")))
    first = first.sort(["jump", "code", "entity"], descending=[True, False, False]).head(most)
    return [
        {
            "code": row["code"], "name": row["name"], "subject": row["subject"], "division": row["division"],
            "industry": row["industry"], "old_class": old.classes[row["old"]], "new_class": new.classes[row["new"]],
            "old_score": row["old_score"], "new_score": row["new_score"], "jump": row["jump"] / 1000, "rule": row["by"],
        }
        for row in first.iter_rows(named=True)
    ]  # fmt: skip


def _names(entities: Sequence[int]) -> pl.DataFrame:
    parts = [
        read_frame(
            f"SELECT id, code, registration_no, name FROM entity WHERE id IN ({', '.join('?' * len(part))})",  # noqa: S608
            part,
            _NAMED,
        )
        for part in in_slices(list(entities), 20_000)
    ]
    return pl.concat(parts)


def _moved_by(old: Scheme, new: Scheme, found: pl.DataFrame) -> list[dict[str, Any]]:
    counts = found.group_by("by").agg(worse=(pl.col("jump") > 0).sum(), better=(pl.col("jump") < 0).sum())
    rows = [
        {"rule": row["by"], "title": titled(row["by"], old, new), "worse": row["worse"], "better": row["better"]}
        for row in counts.iter_rows(named=True)
    ]
    return sorted(rows, key=lambda row: (-row["worse"] - row["better"], row["rule"]))


def titled(name: str, *schemes: Scheme) -> dict[str, str]:
    """The title of a row of the score: a rule, a cap or veto, a group's limit, or one that every scheme has."""
    if name in _PLAIN:
        return _PLAIN[name].as_dict()
    bare = name.partition(":")[2] or name
    for scheme in schemes:
        if bare in scheme.rules:
            return scheme.rules[bare].title.as_dict()
        if bare in scheme.groups:
            group = scheme.groups[bare].title
            return Title(f"{group.zh}：分数上限", f"{group.en}: most points of the group").as_dict()
    return {"zh": name, "en": name}


def _sensitivity(scheme: Scheme, trials: dict[Trial, list[int]], day: int) -> list[dict[str, Any]]:
    rows = [
        {
            "what": trial.what, "rule": trial.rule, "parameter": trial.parameter, "percent": trial.percent,
            **_values(scheme, trial, day), "title": _trial_title(scheme, trial), "moved": worse + better, "worse": worse,
            "better": better,
        }
        for trial, (worse, better) in sorted(trials.items())
    ]  # fmt: skip
    return sorted(rows, key=lambda row: -int(row["moved"]))


def _values(scheme: Scheme, trial: Trial, day: int) -> dict[str, int | None]:
    """The number that was moved, and to what: of a parameter the one for all subjects, of a cut the highest score before it."""
    if trial.what == "cut":
        span = scheme.cuts.at(day)
        assert span is not None, "it was graded on that day"
        border = borders(scheme).index(trial.rule)
        at, after = cut_at(scheme, border), shifted(scheme, span.value, border, trial.percent).highest
        return {"from": span.value.highest[at], "to": after[at]}
    if trial.what == "parameter":
        value = scheme.rules[trial.rule].parameters[trial.parameter].at(day)
        assert value is not None, "it was in force on that day"
        return {"from": value.value.value, "to": moved(value.value.value, trial.percent)}
    return {"from": None, "to": None}


def _trial_title(scheme: Scheme, trial: Trial) -> dict[str, str]:
    if trial.what == "cut":
        return Title(f"{trial.rule} 分界", f"cut {trial.rule}").as_dict()
    return titled(trial.rule, scheme)
