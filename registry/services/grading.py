"""Grading: one entity inside the transaction of a post, those that are due, or all of them in ranges.

Everything that decides is in `rules`; here is who is asked, from which facts, and what is written of the answer.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from registry import clock
from registry.config import Settings
from registry.database import execute, execute_many, in_slices, insert_rows, read_frame, session, write
from registry.errors import BadScheme, UnknownScheme
from registry.kinds import KINDS
from registry.models import GradeRange, GradeRun, SchemeVersion
from registry.services import frames, ledger
from rules.engine import facts_needed, grade
from rules.errors import SchemeError
from rules.scheme import Scheme, load_book

# Entities of one due run that are read, graded and written together.
BATCH = 20_000
# Rows written in one transaction of a full run: under 30 ms of the write lock, and few enough waits for the disk.
ROWS = 4_000

GRADE_COLUMNS = ("entity", "version_id", "day", "known", "class", "score", "digest")
STATE_COLUMNS = ("scheme", "entity", "version", "day", "known", "class", "rank", "score", "digest", "next_day")
# A grade becomes current only over one that knew less, or as much on an earlier day or the same.
NEWER = (
    "ON CONFLICT (scheme, entity) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in STATE_COLUMNS[2:])
    + " WHERE excluded.known > grade_state.known"
    " OR (excluded.known = grade_state.known AND excluded.day >= grade_state.day)"
)

Progress = Callable[[int, int], None]


@cache
def _book(folder: Path) -> dict[str, Scheme]:
    try:
        return load_book(folder, {kind.name: kind.number for kind in KINDS.values()})
    except SchemeError as error:
        raise BadScheme(str(error)) from error


def scheme_named(settings: Settings, name: str | None = None) -> Scheme:
    """The scheme of that id (default: `[grading] scheme`). Raises UnknownScheme, listing what there is."""
    book = _book(settings.path(settings.grading.book))
    wanted = name or settings.grading.scheme
    if wanted not in book:
        raise UnknownScheme(f"There is no scheme {wanted!r}. Schemes are: {', '.join(book)}.")
    return book[wanted]


def schemes(settings: Settings) -> list[str]:
    """Ids of every scheme that grades."""
    return list(_book(settings.path(settings.grading.book)))


def version_of(scheme: Scheme) -> int:
    """The number under which this content of the scheme is kept; it is kept now if it is new."""
    found = SchemeVersion.get_or_none(SchemeVersion.hash == scheme.hash)
    if found is None:
        with write():
            execute(
                "INSERT INTO scheme_version (scheme, hash, content, first_seq) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
                (scheme.id, scheme.hash, scheme.content, ledger.head()),
            )
        found = SchemeVersion.get(SchemeVersion.hash == scheme.hash)
    return int(found.id)


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


# --- writing -----------------------------------------------------------------------------------------------------


def _write(scheme: Scheme, version: int, graded: pl.DataFrame, known: int, *, renew: bool) -> int:
    """Write grades that differ from the current ones and return how many. Must run inside one transaction a call.

    A grade becomes current only over one that knew less, or as much on an earlier day: two writers cannot finish out
    of order. With `renew` the day and the next breakpoint of unchanged grades move on as well (the due run needs it).
    """
    if ledger.head() > known:  # somebody stored and graded meanwhile: leave out who was overtaken since `_compare`
        graded = graded.join(_newer(scheme, graded["entity"].to_list(), known), on="entity", how="anti")
    rank = {name: index for index, name in enumerate(scheme.classes)}
    rows = graded.select(
        "entity",
        "day",
        "class",
        "score",
        "digest",
        "next_day",
        pl.col("class").replace_strict(rank, return_dtype=pl.Int16).alias("rank"),
        "same",
        pl.lit(scheme.id).alias("scheme"),
        pl.lit(version).alias("version"),
        pl.lit(version).alias("version_id"),
        pl.lit(known).alias("known"),
    )
    changed = rows.filter(~pl.col("same"))
    insert_rows("grade", GRADE_COLUMNS, changed.select(GRADE_COLUMNS).rows(), conflict="ON CONFLICT DO NOTHING")
    insert_rows("grade_state", STATE_COLUMNS, (rows if renew else changed).select(STATE_COLUMNS).rows(), conflict=NEWER)
    return changed.height


def _compare(version: int, known: int, graded: pl.DataFrame, state: pl.DataFrame) -> pl.DataFrame:
    """Mark the grades that are the same as the current ones (`same`) and whose breakpoint is the same (`still`).

    Entities whose current grade knew more than `known`, or as much on a later day, are left out: they were overtaken.
    """
    old = {"digest": "old", "next_day": "old_next", "version": "old_version", "known": "old_known", "day": "old_day"}
    # Lazy to the end: one pass instead of four, which a single entity inside a post feels.
    joined = graded.lazy().join(state.lazy().rename(old), on="entity", how="left", maintain_order="left")
    overtaken = (pl.col("old_known") > known) | ((pl.col("old_known") == known) & (pl.col("old_day") > pl.col("day")))
    joined = joined.filter(~overtaken.fill_null(value=False))
    same = (pl.col("old") == pl.col("digest")) & (pl.col("old_version") == version)
    return joined.with_columns(
        same=same.fill_null(value=False),
        still=(same & pl.col("next_day").eq_missing(pl.col("old_next"))).fill_null(value=False),
    ).collect()


def _newer(scheme: Scheme, entities: Sequence[int], known: int) -> pl.DataFrame:
    """Those of these entities whose current grade knows more than `known`."""
    sql = "SELECT entity FROM grade_state WHERE scheme = ? AND entity BETWEEN ? AND ? AND known > ?"
    bounds = (min(entities), max(entities)) if entities else (0, 0)
    return read_frame(sql, (scheme.id, *bounds, known), {"entity": pl.Int64})


def _state_of(scheme: Scheme, entities: Sequence[int]) -> pl.DataFrame:
    parts = [
        read_frame(
            f"SELECT {', '.join(frames.STATE)} FROM grade_state WHERE scheme = ? AND entity IN ({', '.join('?' * len(part))})",  # noqa: S608
            [scheme.id, *part],
            frames.STATE,
        )
        for part in in_slices(list(entities), 20_000)
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=frames.STATE)


def _counted(population: pl.DataFrame, graded: pl.DataFrame, changed: int) -> Result:
    subjects = dict(population.select("entity", "subject").iter_rows())
    counts = Counter((subjects[entity], name) for entity, name in graded.select("entity", "class").iter_rows())
    result = Result(entities=graded.height, changed=changed)
    for (subject, name), number in sorted(counts.items()):
        result.classes.setdefault(subject, {})[name] = number
    return result


# --- the three ways ------------------------------------------------------------------------------------------------


def one(scheme: Scheme, entities: Sequence[int], *, day: date) -> Result:
    """Grade a few entities now. Call it inside the transaction that stored something about them.

    Their stale marks go in the same transaction, as far as what they stood for was known.
    """
    known, version = ledger.head(), version_of(scheme)
    population = _on(scheme, frames.population_of(entities, known), day)
    facts = frames.facts_of(entities, facts_needed(scheme), known)
    graded = grade(population, facts, frames.coverage(known), scheme)
    compared = _compare(version, known, graded, _state_of(scheme, population["entity"].to_list()))
    # Marks first, as everywhere: two transactions that lock marks and grades in one order cannot lock each other out.
    _unmark(scheme, sorted(set(entities)), known)
    changed = _write(scheme, version, compared, known, renew=True)
    _retire(scheme, entities, known)
    return _counted(population, graded, changed)


def due(scheme: Scheme, *, day: date, only_stale: bool = False, progress: Progress | None = None) -> Result:
    """Grade the entities whose grade may have changed: something new was said of them, or time alone reached a breakpoint.

    With `only_stale`, the former only. Each batch is its own transaction; a run that is cut off leaves the rest due.
    Safe to repeat.
    """
    with session():
        known, version = ledger.head(), version_of(scheme)
        waiting = _stale(scheme) if only_stale else _due(scheme, version, day)
        total = Result()
        for start in range(0, len(waiting), BATCH):
            part = waiting[start : start + BATCH]
            population = _on(scheme, frames.population_of(part, known), day)
            facts = frames.facts_of(part, facts_needed(scheme), known)
            graded = grade(population, facts, frames.coverage(known), scheme)
            compared = _compare(version, known, graded, _state_of(scheme, population["entity"].to_list()))
            changed = 0
            for piece in compared.iter_slices(ROWS):
                with write():
                    _unmark(scheme, piece["entity"].to_list(), known)
                    changed += _write(scheme, version, piece, known, renew=True)
            # Entities that cannot be graded (not registered yet, cancelled) must not stay due for ever.
            rest = sorted(set(part) - set(compared["entity"].to_list()))
            with write():
                _unmark(scheme, rest, known)
                _retire(scheme, rest, known)
            total.add(_counted(population, graded, changed))
            if progress is not None:
                progress(start + len(part), len(waiting))
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
        for at, read in enumerate(_read_ahead(scheme, left, known), start=len(ranges) - len(left) + 1):
            total.add(_grade_read(scheme, run.id, read, day=day, known=known))
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
    state: pl.DataFrame


def _read_range(scheme: Scheme, first: int, last: int, known: int) -> _Range:
    with session():
        return _Range(
            first,
            last,
            frames.population_in(first, last, known),
            frames.facts_in(first, last, facts_needed(scheme), known),
            frames.coverage(known),
            read_frame(
                f"SELECT {', '.join(frames.STATE)} FROM grade_state WHERE scheme = ? AND entity BETWEEN ? AND ?",  # noqa: S608
                (scheme.id, first, last),
                frames.STATE,
            ),
        )


def _read_ahead(scheme: Scheme, ranges: Sequence[tuple[int, int]], known: int) -> Iterator[_Range]:
    """Read each range while the one before it is graded and written: the database reads without holding up Python.

    What is posted meanwhile has a higher number and is not overwritten.
    """
    if not ranges:
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        coming = reader.submit(_read_range, scheme, *ranges[0], known)
        for following in [*ranges[1:], None]:
            read = coming.result()
            if following is not None:
                coming = reader.submit(_read_range, scheme, *following, known)
            yield read


def grade_range(scheme: Scheme, run: int, first: int, last: int, *, day: date, known: int) -> Result:
    """Grade one range of entity ids and put it on record. Safe to repeat; any process may do it."""
    return _grade_read(scheme, run, _read_range(scheme, first, last, known), day=day, known=known)


def _grade_read(scheme: Scheme, run: int, read: _Range, *, day: date, known: int) -> Result:
    version, first, last, state = version_of(scheme), read.first, read.last, read.state
    graded = grade(_on(scheme, read.population, day), read.facts, read.coverage, scheme)
    compared = _compare(version, known, graded, state)
    result = Result(graded.height, compared.filter(~pl.col("same")).height)
    # What is the same to the next breakpoint needs no writing at all.
    for piece in compared.filter(~pl.col("still")).iter_slices(ROWS):
        with write():
            _write(scheme, version, piece, known, renew=True)
    held = state.filter(~pl.col("entity").is_in(graded["entity"].implode()))["entity"].to_list()
    with write():
        execute(
            "DELETE FROM stale WHERE scheme = ? AND entity BETWEEN ? AND ? AND seq <= ?",
            (scheme.id, first, last, known),
        )
        _retire(scheme, held, known)
        insert_rows(
            "grade_range",
            ("run_id", "first", "last", "entities", "changed"),
            [(run, first, last, result.entities, result.changed)],
            conflict="ON CONFLICT DO NOTHING",
        )
    return result


@dataclass(frozen=True, slots=True)
class Standing:
    """The grade that an entity has now."""

    class_: str
    score: int
    day: date


def standing(scheme: Scheme, entities: Sequence[int]) -> dict[int, Standing]:
    """The current grade of each of these entities that has one."""
    found: dict[int, Standing] = {}
    for part in in_slices(sorted(set(entities))):
        sql = f"SELECT entity, class, score, day FROM grade_state WHERE scheme = ? AND entity IN ({', '.join('?' * len(part))})"  # noqa: S608
        for entity, name, score, day in execute(sql, [scheme.id, *part]).fetchall():
            found[entity] = Standing(name, score, clock.day_of(day))
    return found


def classes(scheme: Scheme, divisions: Sequence[str] = ("",)) -> dict[str, dict[str, int]]:
    """How many entities stand in each class now, per subject kind, in the divisions with these prefixes."""
    counts: dict[str, dict[str, int]] = {}
    within, values = "", [scheme.id]
    if "" not in divisions:
        within = f"AND ({' OR '.join('e.division BETWEEN ? AND ?' for _ in divisions)}) "
        values += [bound for prefix in divisions for bound in (prefix.ljust(6, "0"), prefix.ljust(6, "9"))]
    sql = (
        "SELECT e.kind, s.class, count(*) FROM grade_state s JOIN entity e ON e.id = s.entity "  # noqa: S608
        f"WHERE s.scheme = ? {within}GROUP BY e.kind, s.class ORDER BY e.kind, s.class"
    )
    for subject, name, number in execute(sql, values).fetchall():
        counts.setdefault(subject, {})[name] = number
    return counts


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


def _due(scheme: Scheme, version: int, day: date) -> list[int]:
    parts = [
        "SELECT entity FROM stale WHERE scheme = ?",
        "SELECT entity FROM grade_state WHERE scheme = ? AND next_day <= ?",
        "SELECT entity FROM grade_state WHERE scheme = ? AND version <> ?",
    ]
    values: list[object] = [scheme.id, scheme.id, clock.day_number(day), scheme.id, version]
    if not GradeRun.select().where((GradeRun.scheme == scheme.id) & (GradeRun.state == "done")).exists():
        # A scheme that is new here: nobody was ever marked for it.
        state = "SELECT 1 FROM grade_state s WHERE s.scheme = ? AND s.entity = entity.id"
        parts.append(f"SELECT id FROM entity WHERE {frames.GRADABLE} AND NOT EXISTS ({state})")  # noqa: S608
        values.append(scheme.id)
    return [row[0] for row in execute(f"{' UNION '.join(parts)} ORDER BY 1", values).fetchall()]


def _stale(scheme: Scheme) -> list[int]:
    return [
        row[0] for row in execute("SELECT entity FROM stale WHERE scheme = ? ORDER BY entity", (scheme.id,)).fetchall()
    ]


def stale_schemes() -> list[str]:
    """Ids of the schemes under which something new waits to be graded."""
    return [row[0] for row in execute("SELECT DISTINCT scheme FROM stale").fetchall()]


def _retire(scheme: Scheme, entities: Sequence[int], known: int) -> None:
    """Take away the current grade of entities that may have none any more. What they had stays in the history."""
    execute_many(
        "DELETE FROM grade_state WHERE scheme = ? AND entity = ? AND known <= ?",
        [(scheme.id, entity, known) for entity in frames.not_gradable(entities, scheme.subjects)],
    )


def _unmark(scheme: Scheme, entities: Sequence[int], known: int) -> None:
    execute_many(
        "DELETE FROM stale WHERE scheme = ? AND entity = ? AND seq <= ?",
        [(scheme.id, entity, known) for entity in entities],
    )


def _on(scheme: Scheme, population: pl.DataFrame, day: date) -> pl.DataFrame:
    """The population as it is asked about on a day, without the kinds of subject that the scheme does not grade."""
    graded = population.filter(pl.col("subject").is_in(scheme.subjects))
    return graded.with_columns(day=pl.lit(clock.day_number(day), dtype=pl.Int32))
