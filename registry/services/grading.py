"""Grading: one entity inside the transaction of a post, those that are due, or all of them in ranges.

Everything that decides is in `rules`; here is who is asked, from which facts. What is written of the answer is the work
of `standing`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import structlog

from registry import clock
from registry.config import Settings
from registry.database import db, execute, in_slices, insert_rows, session, write
from registry.errors import RegistryError
from registry.models import GradeRange, GradeRun
from registry.services import book, frames, given, ledger, standing
from registry.services.book import version_of
from registry.services.standing import classes
from rules.engine import facts_needed, grade, reads_context
from rules.given import Given
from rules.scheme import Scheme

# Entities of one due run that are read, graded and written together.
BATCH = 20_000
# Rows written in one transaction of a full run: under 30 ms of the write lock, and few enough waits for the disk.
ROWS = 4_000

Progress = Callable[[int, int], None]
log = structlog.get_logger()


def scheme_named(settings: Settings, name: str | None = None, on: date | None = None) -> Scheme:
    """The scheme of that id (default: `[grading] scheme`) as it holds on a day; without a day, as it was last activated.

    Raises UnknownScheme, listing what there is.
    """
    return book.in_force(settings, name, on=on)


def schemes(settings: Settings, on: date | None = None) -> list[str]:
    """Ids of every scheme that grades on a day, those that are tried in the shadow among them; without a day also those
    that begin later."""
    return book.schemes_in_force(settings, on=on)


@dataclass(slots=True)
class Result:
    """What a grading run did. `classes` counts entities per subject kind and class, among those that were graded."""

    entities: int = 0
    changed: int = 0
    classes: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, other: "Result") -> None:
        self.entities += other.entities
        self.changed += other.changed
        for subject, counts in other.classes.items():
            mine = self.classes.setdefault(subject, {})
            for name, number in counts.items():
                mine[name] = mine.get(name, 0) + number


def _counted(population: pl.DataFrame, graded: pl.DataFrame, changed: int) -> Result:
    subjects = dict(population.select("entity", "subject").iter_rows())
    counts = Counter((subjects[entity], name) for entity, name in graded.select("entity", "class").iter_rows())
    result = Result(entities=graded.height, changed=changed)
    for (subject, name), number in sorted(counts.items()):
        result.classes.setdefault(subject, {})[name] = number
    return result


# --- the three ways ------------------------------------------------------------------------------------------------


def one(scheme: Scheme, entities: Sequence[int], *, day: date, now: Callable[[], int] = clock.now) -> Result:
    """Grade a few entities now. Call it inside the transaction that stored something about them.

    Their stale marks go in the same transaction, as far as what they stood for was known.
    """
    known, version = ledger.head(), version_of(scheme)
    population, graded, compared, beside = _graded(scheme, version, entities, day=day, known=known)
    # Marks first, as everywhere: two transactions that lock marks and grades in one order cannot lock each other out.
    standing.unmark(scheme, sorted(set(entities)), known)
    # Before the feed is locked, which is the last lock of all.
    standing.retire(scheme, entities, known, outside=_outside(scheme, population, graded))
    changed = standing.write(scheme, compared, known=known, context_hash=beside.context_hash, at=now())
    return _counted(population, graded, changed)


def one_or_later(scheme: Scheme, entities: Sequence[int], *, day: date, now: int) -> None:
    """Grade a few entities now, and where that fails leave them marked: what was stored about them counts more than the grade,
    and the worker comes back to it. An error that says what somebody did wrong is raised all the same.
    """
    try:
        with db.atomic():
            one(scheme, entities, day=day, now=lambda: now)
    except RegistryError:
        raise
    except Exception:
        log.exception("grading.failed", entities=len(entities))


def _graded(
    scheme: Scheme, version: int, entities: Sequence[int], *, day: date, known: int
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, Given]:
    """These entities as they are asked about, their grades, the same beside those that stand, and what was given."""
    population = _on(scheme, frames.population_of(entities, known), day)
    asked = population["entity"].to_list()
    beside = given.about(scheme, asked, known=known, day=clock.day_number(day))
    facts = frames.facts_of(entities, facts_needed(scheme), known)
    graded = grade(population, facts, frames.coverage(known), scheme, beside)
    return population, graded, standing.compare(version, known, beside, graded, standing.of(scheme, asked)), beside


def _outside(scheme: Scheme, population: pl.DataFrame, graded: pl.DataFrame) -> list[int]:
    """Those who were asked about and are no members of the scheme."""
    if scheme.members is None:
        return []
    found: list[int] = population.join(graded.select("entity"), on="entity", how="anti")["entity"].to_list()
    return found


def due(
    scheme: Scheme,
    *,
    day: date,
    only_stale: bool = False,
    now: Callable[[], int] = clock.now,
    progress: Progress | None = None,
) -> Result:
    """Grade the entities whose grade may have changed: something new was said of them, or time alone reached a breakpoint.

    With `only_stale`, the former only. Each batch is its own transaction; a run that is cut off leaves the rest due.
    Safe to repeat.
    """
    with session():
        known, version = ledger.head(), version_of(scheme)
        first_time = not only_stale and _is_new(scheme, version)
        waiting = _stale(scheme) if only_stale else _due(scheme, version, day, known, everybody=first_time)
        total, began = Result(), now()
        for start in range(0, len(waiting), BATCH):
            part = waiting[start : start + BATCH]
            population, graded, compared, beside = _graded(scheme, version, part, day=day, known=known)
            changed = 0
            for piece in compared.iter_slices(ROWS):
                with write():
                    standing.unmark(scheme, piece["entity"].to_list(), known)
                    changed += standing.write(scheme, piece, known=known, context_hash=beside.context_hash, at=now())
            # Entities that cannot be graded (not registered yet, cancelled) must not stay due for ever.
            outside = set(_outside(scheme, population, graded))
            for rest in in_slices(sorted(set(part) - set(compared["entity"].to_list())), ROWS):
                with write():
                    standing.unmark(scheme, rest, known)
                    standing.retire(scheme, rest, known, outside=[one for one in rest if one in outside])
            total.add(_counted(population, graded, changed))
            if progress is not None:
                progress(start + len(part), len(waiting))
        if first_time:
            GradeRun.create(
                scheme=scheme.id, version=version, day=clock.day_number(day), known=known, state="done", started_at=began,
                finished_at=now(), entities=total.entities, changed=total.changed,
            )  # fmt: skip
        return total


def everyone(
    scheme: Scheme, *, day: date, range_size: int, now: Callable[[], int] = clock.now, progress: Progress | None = None
) -> Result:
    """Grade all entities in ranges of ids. A run of the same scheme content and day that was cut off goes on where it was."""
    with session():
        run, known = _begin(scheme, day, now())
        done = {row.first: row for row in GradeRange.select().where(GradeRange.run == run.id)}
        highest = execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0]
        total = Result(sum(row.entities for row in done.values()), sum(row.changed for row in done.values()))
        ranges = [(first, first + range_size - 1) for first in range(1, highest + 1, range_size)]
        left = [(first, last) for first, last in ranges if first not in done or done[first].last < last]
        for at, read in enumerate(_read_ahead(scheme, left, day, known), start=len(ranges) - len(left) + 1):
            total.add(_grade_read(scheme, run.id, read, day=day, known=known, now=now))
            if progress is not None:
                progress(min(at * range_size, highest), highest)
        with write():
            execute(
                "UPDATE grade_run SET state = 'done', finished_at = ?, entities = ?, changed = ? WHERE id = ?",
                (now(), total.entities, total.changed, run.id),
            )
        total.classes = classes(scheme)
        return total


@dataclass(frozen=True, slots=True)
class _Range:
    """Everything that grading one range of entity ids reads."""

    first: int
    last: int
    population: pl.DataFrame
    facts: pl.DataFrame
    coverage: pl.DataFrame
    given: Given
    state: pl.DataFrame


def _read_range(scheme: Scheme, first: int, last: int, day: date, known: int) -> _Range:
    with session():
        return _Range(
            first,
            last,
            frames.population_in(first, last, known),
            frames.facts_in(first, last, facts_needed(scheme), known),
            frames.coverage(known),
            given.within(scheme, first, last, known=known, day=clock.day_number(day)),
            standing.within(scheme, first, last),
        )


def _read_ahead(scheme: Scheme, ranges: Sequence[tuple[int, int]], day: date, known: int) -> Iterator[_Range]:
    """Read each range while the one before it is graded and written: the database reads without holding up Python.

    What is posted meanwhile has a higher number and is not overwritten.
    """
    if not ranges:
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        coming = reader.submit(_read_range, scheme, *ranges[0], day, known)
        for following in [*ranges[1:], None]:
            read = coming.result()
            if following is not None:
                coming = reader.submit(_read_range, scheme, *following, day, known)
            yield read


def grade_range(
    scheme: Scheme, run: int, first: int, last: int, *, day: date, known: int, now: Callable[[], int] = clock.now
) -> Result:
    """Grade one range of entity ids and put it on record. Safe to repeat; any process may do it."""
    return _grade_read(scheme, run, _read_range(scheme, first, last, day, known), day=day, known=known, now=now)


def _grade_read(scheme: Scheme, run: int, read: _Range, *, day: date, known: int, now: Callable[[], int]) -> Result:
    version, population = version_of(scheme), _on(scheme, read.population, day)
    graded = grade(population, read.facts, read.coverage, scheme, read.given)
    compared = standing.compare(version, known, read.given, graded, read.state)
    result = Result(graded.height, compared.filter(~pl.col("same")).height)
    # What is the same to the next breakpoint needs no writing at all.
    for piece in compared.filter(~pl.col("still")).iter_slices(ROWS):
        with write():
            standing.write(scheme, piece, known=known, context_hash=read.given.context_hash, at=now())
    held = read.state.filter(~pl.col("entity").is_in(graded["entity"].implode()))["entity"].to_list()
    outside = set(_outside(scheme, population, graded))
    for rest in in_slices(held, ROWS):
        with write():
            standing.retire(scheme, rest, known, outside=[one for one in rest if one in outside])
    with write():
        execute(
            "DELETE FROM stale WHERE scheme = ? AND entity BETWEEN ? AND ? AND seq <= ?",
            (scheme.id, read.first, read.last, known),
        )
        insert_rows(
            "grade_range",
            ("run_id", "first", "last", "entities", "changed"),
            [(run, read.first, read.last, result.entities, result.changed)],
            conflict="ON CONFLICT DO NOTHING",
        )
    return result


def _begin(scheme: Scheme, day: date, now: int) -> tuple[GradeRun, int]:
    version, number = version_of(scheme), clock.day_number(day)
    with write():
        left = (
            GradeRun.select()
            .where(
                (GradeRun.scheme == scheme.id)
                & (GradeRun.version == version)
                & (GradeRun.day == number)
                & (GradeRun.state == "running")
            )
            .order_by(GradeRun.id.desc())
            .first()
        )
        if left is not None:
            return left, left.known
        known = ledger.head()
        return GradeRun.create(
            scheme=scheme.id, version=version, day=number, known=known, state="running", started_at=now
        ), known


def _due(scheme: Scheme, version: int, day: date, known: int, *, everybody: bool) -> list[int]:
    number = clock.day_number(day)
    values: list[object] = [scheme.id, scheme.id, number, scheme.id, version]
    # No index has these two, so that both are asked in one pass over all grades.
    over = "version <> ?"
    if reads_context(scheme):
        over = "(version <> ? OR context <> ?)"
        values.append(given.context_id(scheme, known=known, day=number))
    parts = [
        "SELECT entity FROM stale WHERE scheme = ?",
        "SELECT entity FROM grade_state WHERE scheme = ? AND next_day <= ?",
        f"SELECT entity FROM grade_state WHERE scheme = ? AND {over}",  # noqa: S608 (ours)
    ]
    if everybody:
        # Nobody was ever marked for a content that is new here, and it may be for more than the one before.
        state = "SELECT 1 FROM grade_state s WHERE s.scheme = ? AND s.entity = entity.id"
        parts.append(f"SELECT id FROM entity WHERE {frames.GRADABLE} AND NOT EXISTS ({state})")  # noqa: S608
        values.append(scheme.id)
    return [row[0] for row in execute(f"{' UNION '.join(parts)} ORDER BY 1", values).fetchall()]


def _is_new(scheme: Scheme, version: int) -> bool:
    """Whether the last run through all entities was not with this content: it is new, or another one held in between."""
    runs = GradeRun.select().where((GradeRun.scheme == scheme.id) & (GradeRun.state == "done"))
    last = runs.order_by(GradeRun.id.desc()).first()
    return last is None or last.version != version


def _stale(scheme: Scheme) -> list[int]:
    return [
        row[0] for row in execute("SELECT entity FROM stale WHERE scheme = ? ORDER BY entity", (scheme.id,)).fetchall()
    ]


def stale_schemes() -> list[str]:
    """Ids of the schemes under which something new waits to be graded."""
    return [row[0] for row in execute("SELECT DISTINCT scheme FROM stale").fetchall()]


def _on(scheme: Scheme, population: pl.DataFrame, day: date) -> pl.DataFrame:
    """The population as it is asked about on a day, without the kinds of subject that the scheme does not grade."""
    graded = population.filter(pl.col("subject").is_in(scheme.subjects))
    return graded.with_columns(day=pl.lit(clock.day_number(day), dtype=pl.Int32))
