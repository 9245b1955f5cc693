"""Grades for any number of entities and days, in one vectorised pass.

The population is split by subject and by epoch of the scheme; inside one part every parameter is a constant. Nothing a
row gets depends on the other rows, on their order, or on how the population was cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from rules import breakpoints, dependents, indicators, overrides, receipt
from rules.asked import Asked, joined, split
from rules.compiled import DEPENDENT, Compiled
from rules.coverage import Coverage
from rules.dependents import Beside, Frozen, Inner
from rules.given import CONTEXT, NORMS, NOTHING, OVERRIDES, RAISES, Given
from rules.judging import Judged, judge
from rules.kinds import REGISTRATION, SUBJECTS
from rules.scheme import Scheme
from rules.slices import COVERAGE, FACTS, OPEN, POPULATION, Bools, FactColumns, Ints, Slice, check


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
    override: overrides.Held | None
    causes: list[tuple[str, Ints | int]]
    next_day: Ints  # OPEN where time alone never changes anything
    offsets: Ints
    seqs: Ints

    def digests(self) -> list[bytes]:
        """The digest of every row, 32 bytes each; worked out when asked, as a grade that another reads needs none."""
        return receipt.digests(self.judged.ledger, self.offsets, self.seqs)

    def decided_by(self, at: int) -> str | None:
        """What decided the class of one row apart from points, as ``decided_by`` of :func:`grade`."""
        place = int(self.judged.decided[at])
        return self.judged.deciders[place] if place >= 0 else None


def facts_needed(scheme: Scheme) -> set[int]:
    """Numbers of the kinds that the scheme reads: facts of other kinds need not be handed to :func:`grade`.

    Those of the schemes whose grades it reads and of the fact that makes a member are among them. Of a context only the
    registration is read beside it: for relations 关联关系 it is the coverage that counts.
    """
    found = _own_kinds(scheme).union(*(facts_needed(inner) for inner in scheme.inner.values()))
    return found if scheme.members is None else found | {scheme.members.kind}


def reads_context(scheme: Scheme) -> bool:
    """Whether a grade may change with the frozen context: whether the scheme, or one whose grade it reads, looks at it."""
    return any(dependents.reads_context(one) for one in scheme.indicators.values()) or any(
        reads_context(inner) for inner in scheme.inner.values()
    )


def grade(
    population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme, given: Given = NOTHING
) -> pl.DataFrame:
    """Grade every row of ``population`` under ``scheme``.

    Parameters
    ----------
    population, facts, coverage : frames as docs/architecture.md describes them
        Facts of entities that are not asked about, and facts after the day asked about, do no harm.
    given : frozen context, norms, overrides and raises
        Overrides and raises of other schemes and of other entities do no harm.

    Returns
    -------
    DataFrame in the order of ``population``, without entities whose subject the scheme does not cover or who are not
    its members
        ``entity`` Int64, ``day`` Int32, ``class`` String, ``score`` Int32, ``decided_by`` String (null, or
        ``veto:<rule>``, ``cap:<rule>``, ``override:<seq>`` or ``raise:<seq>``), ``next_day`` Int32 (the earliest later day on which time
        alone may change the grade; null: never), ``digest`` Binary (32 bytes).

    Raises
    ------
    FrameError
        If a frame lacks a column or has it in another type.
    NotInForce
        If the scheme has no cuts on one of the days. (Where a scheme whose grade it reads has none, that grade is
        unknown.)
    """
    graded = every_row(population, facts, coverage, scheme, given)
    return graded.filter(pl.col("class").is_not_null()) if graded["class"].null_count() else graded


def every_row(
    population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme, given: Given = NOTHING
) -> pl.DataFrame:
    """As :func:`grade`, with a row for every row of ``population``: ``class`` is null where the scheme grades nobody."""
    size = population.height
    class_, score, decided = np.full(size, -1, np.int64), np.zeros(size, np.int32), np.full(size, -1, np.int64)
    following = np.full(size, OPEN, np.int64)
    digests: list[bytes | None] = [None] * size
    labels: list[str] = []
    for part in evaluate(population, facts, coverage, scheme, given):
        rows, ledger = part.rows, part.judged.ledger
        class_[rows], score[rows], following[rows] = ledger[:, 0], ledger[:, 1], part.next_day
        decided[rows] = np.where(part.judged.decided >= 0, part.judged.decided + len(labels), -1)
        labels.extend(part.judged.deciders)
        for row, digest in zip(rows.tolist(), part.digests(), strict=True):
            digests[row] = digest
    return pl.DataFrame(
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


def evaluate(
    population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme, given: Given = NOTHING
) -> Iterator[Part]:
    """The parts of ``population``, one at a time so that a large one needs the memory of its largest part."""
    yield from _parts(_asked(population, facts, coverage, given), scheme, None)


def measure(
    population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme, given: Given = NOTHING
) -> Iterator[tuple[Ints, dict[str, indicators.Column]]]:
    """All indicators of ``scheme`` for every row that it covers, also those that no rule reads; nothing is judged.

    Yields places in the population and the columns beside them, one part at a time; frames and errors as :func:`grade`.
    """
    for compiled, rows, beside in _split(_asked(population, facts, coverage, given), scheme, None, measuring=True):
        yield rows, _measured(compiled, beside)


def _asked(population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, given: Given) -> Asked:
    check(population, "population", POPULATION, may_be_null=("division",))
    check(facts, "facts", FACTS, may_be_null=("ends",))
    check(coverage, "coverage", COVERAGE, may_be_null=("to_day",))
    if given is not NOTHING:
        check(given.context, "context", CONTEXT)
        check(given.norms, "norms", NORMS)
        check(given.overrides, "overrides", OVERRIDES)
        check(given.raises, "raises", RAISES)
    return Asked(
        population=population,
        entities=population["entity"].to_numpy(),
        days=population["day"].to_numpy().astype(np.int64),
        table=FactColumns(facts),
        coverage=coverage,
        given=given,
        frozen=Frozen(given),
    )


def _parts(asked: Asked, scheme: Scheme, among: Bools | None) -> Iterator[Part]:
    """The parts of the rows that ``among`` marks; None for all."""
    set_by_persons = overrides.of_scheme(asked.given.overrides, scheme.id)
    raises = overrides.of_scheme(asked.given.raises, scheme.id)
    for compiled, rows, beside in _split(asked, scheme, among):
        held = raised = None
        if raises is not None:
            raised = overrides.raised_beside(raises, beside.entities, beside.days)
        if set_by_persons is not None:
            held = overrides.beside(set_by_persons, compiled.cuts.classes, beside.entities, beside.days)
        yield _part(scheme, compiled, rows, beside, held, raised)


def _split(
    asked: Asked, scheme: Scheme, among: Bools | None, *, measuring: bool = False
) -> Iterator[tuple[Compiled, Ints, Beside]]:
    """Rows by subject and epoch, each with everything that its indicators may look at."""
    splits = split(asked, scheme, among, measuring=measuring)
    if not splits:
        return
    table, entities, size = asked.table, asked.entities, asked.population.height
    divisions = asked.population["division"].fill_null("")
    order = np.concatenate([rows for _, rows in splits])
    inner = {id_: _inner(asked, one, order) for id_, one in scheme.inner.items()}
    numbers = np.array(sorted(_own_kinds(scheme)), np.int64)
    index, row, starts = joined(table, entities[order], numbers, [rows.size for _, rows in splits])
    begin = 0
    for number, (compiled, rows) in enumerate(splits):
        table.add_masks(compiled.masks)
        ordered = _ordered(compiled)
        own_days, own_entities = asked.days[rows], entities[rows]
        slices: dict[int, Slice] = {}
        for place, kind in enumerate(numbers.tolist()):
            low, high = starts[number * numbers.size + place], starts[number * numbers.size + place + 1]
            if low < high:
                picked = slice(low, high)
                slices[kind] = Slice(table, index[picked], row[picked] - begin, own_days, rows.size, kind in ordered)
        begin += rows.size
        feeds = Coverage(asked.coverage, own_days, divisions if rows.size == size else divisions.gather(rows))
        inner_here = {id_: one.of(rows) for id_, one in inner.items()}
        beside = Beside(own_entities, own_days, slices, feeds, asked.frozen, inner_here)
        beside.subject = tuple(SUBJECTS).index(compiled.subject)
        if any(one.indicator.measure == "area" for one in compiled.dependents):
            beside.divisions = divisions.gather(rows).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        yield compiled, rows, beside


def _measured(compiled: Compiled, beside: Beside) -> dict[str, indicators.Column]:
    """Every indicator of a part, in order of id."""
    columns = beside.columns
    for one in compiled.indicators:
        if one.indicator.measure not in DEPENDENT:
            columns[one.indicator.id] = indicators.compute(one, beside.slices, beside.coverage, beside.days)
    for one in compiled.dependents:
        columns[one.indicator.id] = dependents.compute(one, beside)
    if compiled.dependents:
        columns = {one.indicator.id: columns[one.indicator.id] for one in compiled.indicators}
    return columns


def _part(
    scheme: Scheme,
    compiled: Compiled,
    rows: Ints,
    beside: Beside,
    override: overrides.Held | None,
    raised: overrides.Raised | None,
) -> Part:
    days, slices, feeds = beside.days, beside.slices, beside.coverage
    columns = _measured(compiled, beside)
    judged = judge(scheme, compiled, columns, rows.size, override, raised)
    causes = list(breakpoints.changes(compiled, slices, feeds, days, beside.inner, override, raised))
    following = np.full(rows.size, OPEN, np.int64)
    for _, day in causes:
        np.minimum(following, day, out=following)
    offsets, seqs = receipt.records(rows.size, _pairs(columns, slices, override, judged, raised))
    return Part(rows, days, compiled, slices, columns, judged, override, causes, following, offsets, seqs)


def _inner(asked: Asked, scheme: Scheme, rows: Ints) -> Inner:
    """How ``scheme`` grades those ``rows``, as part of grading another scheme; of all other rows it says nothing.

    Where it has no cuts on a day it does not grade, until its next cuts begin.
    """
    size = asked.population.height
    among, in_force = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    among[rows] = True
    following = np.full(size, OPEN, np.int64)
    for span in scheme.cuts.spans:
        in_force |= (asked.days >= span.start) & (asked.days < (OPEN if span.until is None else span.until))
        np.minimum(following, span.start, out=following, where=asked.days < span.start)
    class_, score, counts = np.full(size, -1, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64)
    following[in_force] = OPEN
    pairs = []
    for part in _parts(asked, scheme, among & in_force):
        class_[part.rows], score[part.rows] = part.judged.ledger[:, 0], part.judged.ledger[:, 1]
        following[part.rows] = part.next_day
        counts[part.rows] = np.diff(part.offsets)
        pairs.append((np.repeat(part.rows, counts[part.rows]), part.seqs))
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    seqs = np.empty(offsets[-1], np.int64)
    if pairs:
        row = np.concatenate([rows for rows, _ in pairs])
        seqs = np.concatenate([found for _, found in pairs])[np.argsort(row, kind="stable")]
    return Inner(class_, score, following, offsets, seqs)


def _own_kinds(scheme: Scheme) -> set[int]:
    """Numbers of the kinds whose facts the scheme's own indicators look at."""
    return set().union(*(dependents.kinds_read(indicator) for indicator in scheme.indicators.values()))


def _ordered(compiled: Compiled) -> set[int]:
    """Kinds of which the newest or the oldest fact matters."""
    found: set[int] = set()
    for one in compiled.indicators:
        if one.indicator.measure in indicators.ORDERED:
            found.add(one.indicator.kind)
        elif one.indicator.measure in ("missing_years", "norm", "percent_of_norm"):
            found.add(REGISTRATION)
    return found


def _pairs(
    columns: dict[str, indicators.Column],
    slices: dict[int, Slice],
    override: overrides.Held | None,
    judged: Judged,
    raised: overrides.Raised | None,
) -> Iterator[tuple[Ints, Ints]]:
    """Rows and record numbers of every fact that some indicator read, of inner grades, of what persons have set and of raises."""
    marks: dict[int, Bools] = {kind: np.zeros(held.row.size, np.bool_) for kind, held in slices.items()}
    beside: dict[int, tuple[Ints, Ints]] = {}
    for column in columns.values():
        for kind, positions in column.reads:
            marks[kind][positions] = True
        # A matrix hands on the very arrays of the grades that it joins.
        beside.update((id(pairs), pairs) for pairs in column.pairs)
    for kind, mark in marks.items():
        read = np.flatnonzero(mark)
        yield slices[kind].row[read], slices[kind].column("seq")[read]
    yield from beside.values()
    if override is not None:
        yield override.pairs()
    if raised is not None:
        yield judged.raised, raised.seq[judged.raised]


def _labelled(name: str, labels: tuple[str, ...] | list[str], places: Ints) -> pl.Series:
    codes = _or_null(name, np.where(places >= 0, places, OPEN))
    return pl.Series(name, labels, dtype=pl.String).gather(codes) if labels else codes.cast(pl.String)


def _or_null(name: str, values: Ints) -> pl.Series:
    never = values >= OPEN
    series = pl.Series(name, np.where(never, 0, values).astype(np.int32))
    return series.set(pl.Series(never), None) if never.any() else series
