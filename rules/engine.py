"""Grades for any number of entities and days, in one vectorised pass.

The population is split by subject and by epoch of the scheme; inside one part every parameter is a constant. Nothing a
row gets depends on the other rows, on their order, or on how the population was cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from rules import breakpoints, indicators, receipt
from rules.compiled import Compiled
from rules.coverage import Coverage
from rules.judging import Judged, judge
from rules.kinds import REGISTRATION
from rules.scheme import Scheme
from rules.slices import COVERAGE, FACTS, OPEN, POPULATION, Bools, FactColumns, Ints, Slice, check, join


@dataclass(slots=True)
class Part:
    """Rows of one subject inside one epoch, and everything that was worked out about them.

    :func:`grade` and :func:`rules.explain.explain` are two views of this one thing, so that what is explained is what
    was graded. ``rows`` are places in the population; every other array runs in parallel to it.
    """

    rows: Ints
    days: Ints
    compiled: Compiled
    slices: dict[int, Slice]
    columns: dict[str, indicators.Column]
    judged: Judged
    causes: list[tuple[str, Ints | int]]
    next_day: Ints  # OPEN where time alone never changes anything
    offsets: Ints
    seqs: Ints
    digests: list[bytes]


def facts_needed(scheme: Scheme) -> set[int]:
    """Numbers of the kinds that the scheme reads: facts of other kinds need not be handed to :func:`grade`."""
    return set(scheme.kinds)


def grade(population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme) -> pl.DataFrame:
    """Grade every row of ``population`` under ``scheme``.

    Parameters
    ----------
    population, facts, coverage : frames as docs/architecture.md describes them
        Facts of entities that are not asked about, and facts after the day asked about, do no harm.

    Returns
    -------
    DataFrame in the order of ``population``, without entities whose subject the scheme does not cover
        ``entity`` Int64, ``day`` Int32, ``class`` String, ``score`` Int32, ``decided_by`` String (null, or
        ``veto:<rule>`` or ``cap:<rule>``), ``next_day`` Int32 (the earliest later day on which time alone may change
        the grade; null: never), ``digest`` Binary (32 bytes).

    Raises
    ------
    FrameError
        If a frame lacks a column or has it in another type.
    NotInForce
        If the scheme has no cuts on one of the days.
    """
    size = population.height
    class_, score, decided = np.full(size, -1, np.int64), np.zeros(size, np.int32), np.full(size, -1, np.int64)
    following = np.full(size, OPEN, np.int64)
    digests: list[bytes | None] = [None] * size
    labels: list[str] = []
    for part in evaluate(population, facts, coverage, scheme):
        rows, ledger = part.rows, part.judged.ledger
        class_[rows], score[rows], following[rows] = ledger[:, 0], ledger[:, 1], part.next_day
        decided[rows] = np.where(part.judged.decided >= 0, part.judged.decided + len(labels), -1)
        labels.extend(part.judged.deciders)
        for row, digest in zip(rows.tolist(), part.digests, strict=True):
            digests[row] = digest
    graded = pl.DataFrame(
        [
            population["entity"],
            population["day"],
            _labelled("class", scheme.classes, class_),
            pl.Series("score", score),
            _labelled("decided_by", labels, decided),
            _or_null("next_day", following),
            pl.Series("digest", digests, dtype=pl.Binary),
        ]
    )
    return graded if (class_ >= 0).all() else graded.filter(pl.Series(class_ >= 0))


def evaluate(population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme) -> Iterator[Part]:
    """The parts of ``population``, one at a time so that a large one needs the memory of its largest part."""
    check(population, "population", POPULATION, may_be_null=("division",))
    check(facts, "facts", FACTS, may_be_null=("ends",))
    check(coverage, "coverage", COVERAGE, may_be_null=("to_day",))
    splits = _split(population, scheme)
    if not splits:
        return
    table = FactColumns(facts)
    entities = population["entity"].to_numpy()
    days = population["day"].to_numpy().astype(np.int64)
    divisions = population["division"].fill_null("")
    order = np.concatenate([rows for _, rows in splits])
    numbers = np.array(sorted(scheme.kinds), np.int64)
    index, row, starts = _joined(table, entities[order], numbers, [rows.size for _, rows in splits])
    begin = 0
    for number, (compiled, rows) in enumerate(splits):
        table.add_masks(compiled.masks)
        ordered = _ordered(compiled)
        own_days = days[rows]
        slices: dict[int, Slice] = {}
        for place, kind in enumerate(numbers.tolist()):
            low, high = starts[number * numbers.size + place], starts[number * numbers.size + place + 1]
            if low < high:
                picked = slice(low, high)
                slices[kind] = Slice(table, index[picked], row[picked] - begin, own_days, rows.size, kind in ordered)
        begin += rows.size
        feeds = Coverage(coverage, own_days, divisions if rows.size == population.height else divisions.gather(rows))
        yield _part(scheme, compiled, rows, own_days, slices, feeds)


def _part(
    scheme: Scheme, compiled: Compiled, rows: Ints, days: Ints, slices: dict[int, Slice], feeds: Coverage
) -> Part:
    columns = {one.indicator.id: indicators.compute(one, slices, feeds, days) for one in compiled.indicators}
    judged = judge(scheme, compiled, columns, rows.size)
    causes = list(breakpoints.changes(compiled, slices, feeds, days))
    following = np.full(rows.size, OPEN, np.int64)
    for _, day in causes:
        np.minimum(following, day, out=following)
    offsets, seqs = receipt.records(rows.size, _pairs(columns, slices))
    digests = receipt.digests(judged.ledger, offsets, seqs)
    return Part(rows, days, compiled, slices, columns, judged, causes, following, offsets, seqs, digests)


def _split(population: pl.DataFrame, scheme: Scheme) -> list[tuple[Compiled, Ints]]:
    """Rows by subject and epoch, in a fixed order; subjects that the scheme does not cover are left out."""
    if not population.height:
        return []
    subject = population["subject"].cast(pl.Enum(scheme.subjects), strict=False).to_physical()
    place = subject.cast(pl.Int64).fill_null(-1).to_numpy()
    epoch = np.searchsorted(np.array(scheme.boundaries), population["day"].to_numpy(), side="right") - 1
    count = len(scheme.boundaries) + 1
    keys = np.where(place >= 0, place * count + epoch + 1, -1)
    splits = []
    for key in np.unique(keys).tolist():
        if key >= 0:
            compiled = scheme.compiled(scheme.subjects[key // count], key % count - 1)
            splits.append((compiled, np.flatnonzero(keys == key)))
    return splits


def _joined(table: FactColumns, asked: Ints, numbers: Ints, sizes: list[int]) -> tuple[Ints, Ints, list[int]]:
    """Facts beside rows, sorted by part and kind, and where each (part, kind) begins."""
    kinds = table.column("kind")
    index, row = join(asked, table.column("entity"))
    held = kinds[index]
    place = np.minimum(np.searchsorted(numbers, held), numbers.size - 1)
    needed = numbers[place] == held
    if not needed.all():
        index, row, place = index[needed], row[needed], place[needed]
    part = np.searchsorted(np.cumsum(sizes), row, side="right") if len(sizes) > 1 else 0
    # 16 bits, because numpy then sorts by radix, in one pass; more parts than that do not occur.
    key = (part * numbers.size + place).astype(np.int16 if len(sizes) * numbers.size < 2**15 else np.int64)
    order = np.argsort(key, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(key, minlength=len(sizes) * numbers.size))))
    return index[order], row[order], starts.tolist()


def _ordered(compiled: Compiled) -> set[int]:
    """Kinds of which the newest or the oldest fact matters."""
    found = {one.indicator.kind for one in compiled.indicators if one.indicator.measure in indicators.ORDERED}
    if any(one.indicator.measure == "missing_years" for one in compiled.indicators):
        found.add(REGISTRATION)
    return found


def _pairs(columns: dict[str, indicators.Column], slices: dict[int, Slice]) -> Iterator[tuple[Ints, Ints]]:
    """Rows and record numbers of every fact that some indicator read."""
    marks: dict[int, Bools] = {kind: np.zeros(held.row.size, np.bool_) for kind, held in slices.items()}
    for column in columns.values():
        for kind, positions in column.reads:
            marks[kind][positions] = True
    for kind, mark in marks.items():
        read = np.flatnonzero(mark)
        yield slices[kind].row[read], slices[kind].column("seq")[read]


def _labelled(name: str, labels: tuple[str, ...] | list[str], places: Ints) -> pl.Series:
    codes = _or_null(name, np.where(places >= 0, places, OPEN))
    return pl.Series(name, labels, dtype=pl.String).gather(codes) if labels else codes.cast(pl.String)


def _or_null(name: str, values: Ints) -> pl.Series:
    never = values >= OPEN
    series = pl.Series(name, np.where(never, 0, values).astype(np.int32))
    return series.set(pl.Series(never), None) if never.any() else series
