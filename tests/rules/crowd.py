"""A crowd of made-up entities from one number: facts, coverage, contexts, overrides and raises in bulk, dense on the days on which
grades move (30 June to 15 July of several years, and the days on which a value of the toy schemes changes)."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from rules.dated import to_day
from rules.given import Given
from rules.kinds import KINDS
from rules.scheme import Scheme, load_files
from rules.slices import FACTS, POPULATION
from tests.rules.beside import FOLDER, NAMES, OVER, norms, overrides, raises, values
from tests.rules.frames import EVERYWHERE, TOY, feeds

FIRST = to_day(date(2024, 1, 1))
DAYS = 730
LAST = FIRST + DAYS - 1
SPECIAL = np.array(
    [to_day(date(year, 6, 30)) + after for year in (2022, 2023, 2024, 2025) for after in range(16)]
    + [to_day(day) + by for day in (date(2024, 5, 1), date(2024, 9, 1), date(2025, 3, 1)) for by in (-1, 0, 1)]
)
_KINDS = ("registration", "penalty", "abnormal_listing", "serious_listing", "spot_check", "annual_report", "item_12315")


def days(random: np.random.Generator, size: int, low: int = FIRST - 800, high: int = LAST) -> np.ndarray:
    """Days from ``low`` to ``high``, every second one special."""
    special = random.choice(SPECIAL[(low <= SPECIAL) & (high >= SPECIAL)], size)
    return np.where(random.random(size) < 0.5, random.integers(low, high + 1, size), special)


def facts(seed: int, entities: int, size: int) -> pl.DataFrame:
    """A registration of most entities and ``size`` other facts; some facts share a ledger row, some never end."""
    random = np.random.default_rng(seed)
    registered = np.flatnonzero(random.random(entities) < 0.9) + 1
    kinds = np.array([KINDS[kind] for kind in _KINDS])
    kind = np.concatenate((np.full(registered.size, KINDS["registration"]), random.choice(kinds, size)))
    total = kind.size
    day = days(random, total)
    code = np.where(kind == KINDS["annual_report"], random.integers(2020, 2026, total), random.integers(0, 5, total))
    code = np.where(kind == KINDS["registration"], random.choice([0, 1300, 1350, 5200], total), code)
    ends = day + random.choice([1, 30, 200, 400, 700], total)
    return pl.DataFrame(
        {
            "entity": np.concatenate((registered, random.integers(1, entities + 1, size))),
            "kind": kind,
            "code": code,
            "severity": random.integers(0, 4, total),
            "amount": random.integers(0, 300_000, total),
            "day": day,
            "ends": pl.Series(ends).set(pl.Series(random.random(total) < 0.5), None),
            "seq": random.integers(1, 2 * total, total),
        }
    ).cast(dict(FACTS))


def population(entities: int, on: np.ndarray) -> pl.DataFrame:
    """Every entity on every day of ``on``: two kinds of subject in two divisions."""
    entity = np.repeat(np.arange(1, entities + 1), on.size)
    return pl.DataFrame(
        {
            "entity": entity,
            "day": np.tile(on, entities),
            "subject": np.where(entity % 3, "enterprise", "individual"),
            "division": np.where(entity % 2, "990102", "990203"),
        }
    ).cast(dict(POPULATION))


def coverage(seed: int) -> pl.DataFrame:
    """Feeds that begin and end, each nationwide or of one division; now and then everything is connected."""
    random = np.random.default_rng(seed)
    if seed % 5 == 0:
        return EVERYWHERE
    rows = []
    for kind in (*_KINDS, "relation"):
        for start in days(random, int(random.integers(0, 3))).tolist():
            end = None if random.random() < 0.5 else start + int(random.integers(1, 500))
            rows.append((kind, str(random.choice(["", "990102", "990203"])), start, end))
    return feeds(*rows)


def held(seed: int, entities: int, size: int) -> pl.DataFrame:
    """``size`` overrides of both toy schemes that begin and end, some of them overlapping."""
    random = np.random.default_rng(seed)
    start = days(random, size, FIRST - 60)
    length = random.choice([1, 5, 14, 100, 400], size)
    rows = zip(
        random.integers(1, entities + 1, size).tolist(),
        random.choice(["toy", "toy-context", "toy-good"], size).tolist(),
        random.choice(["A", "B", "C", "D"], size).tolist(),
        start.tolist(),
        (start + length).tolist(),
        (10**6 + np.arange(size)).tolist(),
        strict=True,
    )
    return overrides(*rows)


def raised(seed: int, entities: int, size: int) -> pl.DataFrame:
    """``size`` raises under both toy schemes that begin and end, some of them overlapping."""
    random = np.random.default_rng(seed + 1)
    start = days(random, size, FIRST - 60)
    rows = zip(
        random.integers(1, entities + 1, size).tolist(),
        random.choice(["toy", "toy-context", "toy-good"], size).tolist(),
        start.tolist(),
        (start + random.choice([1, 5, 14, 100, 400], size)).tolist(),
        (2 * 10**6 + np.arange(size)).tolist(),
        strict=True,
    )
    return raises(*rows)


def context(seed: int, entities: int, set_by_persons: pl.DataFrame) -> Given:
    """A context of its own number with values of some entities and norms of some industries, beside the overrides and as
    many raises."""
    random = np.random.default_rng(seed)
    names = NAMES if seed % 4 else frozenset({"same_address"})
    own = [
        (entity, name, int(random.integers(0, 6)))
        for name in sorted(names - {"complaints"})
        for entity in (np.flatnonzero(random.random(entities) < 0.4) + 1).tolist()
    ]
    usual = [("complaints", 1300, 1349, int(random.integers(0, 2500))), ("complaints", 1350, 1350, 700)]
    return Given(
        context=values(*own),
        norms=norms(*usual),
        overrides=set_by_persons,
        names=names,
        context_id=seed % 1000 + 1,
        context_hash=str(seed),
        raises=raised(seed, entities, set_by_persons.height),
    )


def _changed() -> Scheme:
    """Another version of `toy-context`, over another version of the toy scheme."""

    def texts(folder, old, new):
        files = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.toml")}
        changed = {path: text.replace(old, new) for path, text in files.items()}
        assert changed != files
        return changed

    toy = load_files(texts(TOY, "window  = 365", "window  = 200"), "toy")
    return load_files(texts(FOLDER, "7 * neighbours", "9 * neighbours"), "toy_context", inner={"toy": toy})


BEFORE, AFTER = OVER, _changed()
