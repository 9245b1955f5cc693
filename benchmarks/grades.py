"""Full and due grading from the database, changes and history written, beside the floor."""

import statistics
import time
from pathlib import Path

from benchmarks.report import Figure
from benchmarks.work import NOW, TODAY, Work, connected, peak_megabytes, seconds, shuffled
from registry.config import Settings
from registry.database import execute, insert_rows, write
from registry.services import context_building, grading, ledger, sampling
from rules.scheme import Scheme

FIRST, UNCHANGED, DUE = 12.0, 6.0, 0.05
MOST_MEGABYTES = 1500.0
DENSE_MEGABYTES = 4000.0
LOAD_SECONDS = 60.0
CITY = 422_870


def load(work: Work) -> list[Figure]:
    """Make the district and load it into an empty database."""
    with connected(work) as (settings, _):
        start = time.perf_counter()
        counts = sampling.load_sample(settings, size=work.size, density=work.density, today=TODAY, now=NOW)
        taken, loaded = time.perf_counter() - start, peak_megabytes()
        start = time.perf_counter()
        built = context_building.build(settings, day=TODAY, now=NOW)
        building = time.perf_counter() - start
    note = f"{counts['entities']:,} entities, {counts['records']:,} records; peak {loaded:,.0f} MB"
    values = f"{built.values:,} values of {built.entities:,} entities; peak {peak_megabytes():,.0f} MB with the loading"
    return [
        Figure("sample district made and loaded", taken, "s", limit=LOAD_SECONDS, note=note),
        Figure("context built", building, "s", note=values),
    ]


def grade_twice(settings: Settings, scheme: Scheme) -> tuple[float, float, int]:
    """Seconds of the first full run and (median of three) of one that changes nothing, and how many were graded."""

    def run() -> grading.Result:
        return grading.everyone(scheme, day=TODAY, range_size=settings.grading.range_size)

    start = time.perf_counter()
    graded = run().entities
    first = time.perf_counter() - start
    return first, statistics.median(seconds(run) for _ in range(3)), graded


def full(work: Work) -> list[Figure]:
    """First full run of the city and the run after it; the ratios follow when the floor was timed once more."""
    with connected(work) as (settings, scheme):
        first, unchanged, graded = grade_twice(settings, scheme)
    work.remember(first=first, unchanged=unchanged, graded=graded, grading_megabytes=peak_megabytes())
    return []


def ratios(work: Work) -> list[Figure]:
    """Full grading against the mean of the floor's times just before and just after it."""
    floor = statistics.mean(work.recall("floor"))
    graded, memory = work.recall("graded"), work.recall("grading_megabytes")
    first, unchanged = work.recall("first"), work.recall("unchanged")
    most = MOST_MEGABYTES if work.density == 1 else DENSE_MEGABYTES
    return [
        Figure(
            "full grading, first run",
            first,
            "s",
            first / floor,
            "floor",
            FIRST,
            note=f"{graded:,} entities, all grades new",
        ),
        Figure(
            "full grading, nothing changed", unchanged, "s", unchanged / floor, "floor", UNCHANGED, note="median of 3"
        ),
        Figure("full grading, peak memory", memory, "MB", limit=most, note="resident, with mapped database pages"),
    ]


def due(work: Work) -> list[Figure]:
    """A due run with 1 % of the entities stale, in a process that has graded before, against a full run just before."""
    with connected(work, work.copy("due")) as (settings, scheme):
        full_run = seconds(lambda: grading.everyone(scheme, day=TODAY, range_size=settings.grading.range_size))
        grading.due(scheme, day=TODAY)
        everyone = [
            row[0] for row in execute("SELECT entity FROM grade_state WHERE scheme = ?", (scheme.id,)).fetchall()
        ]
        taken, graded = [], 0
        for _ in range(3):
            stale = shuffled(everyone, max(1, len(everyone) // 100))
            head = ledger.head()
            with write():
                insert_rows("stale", ("scheme", "entity", "seq"), [(scheme.id, entity, head) for entity in stale])
            start = time.perf_counter()
            graded = grading.due(scheme, day=TODAY).entities
            taken.append(time.perf_counter() - start)
    seconds_due = statistics.median(taken)
    note = f"{graded:,} stale entities; full run (nothing changed) {full_run:.2f} s, first run {work.recall('first'):.2f} s"
    return [
        Figure(
            "due run, 1 % stale", seconds_due, "s", seconds_due / work.recall("first"), "first full run", DUE, note=note
        ),
        Figure(
            "due run, 1 % stale", seconds_due, "s", seconds_due / full_run, "unchanged full run", note="for information"
        ),
    ]


def ten(work: Work) -> list[Figure]:
    """Ten districts in one database, against one: the time must grow no faster than the number."""
    one = _apart(work, "one", work.size)
    many = _apart(work, "ten", _entities(work.size) * 10)
    return [
        Figure(
            "ten districts, first run",
            many[0],
            "s",
            many[0] / one[0],
            "one district",
            11.0,
            note=f"one: {one[0]:.1f} s",
        ),
        Figure(
            "ten districts, nothing changed",
            many[1],
            "s",
            many[1] / one[1],
            "one district",
            11.0,
            note=f"one: {one[1]:.1f} s",
        ),
        Figure("ten districts, peak memory after grading", peak_megabytes(), "MB", note="loading the sample included"),
    ]


def _entities(size: int | str) -> int:
    return size if isinstance(size, int) else {"city": CITY, "town": 12_000}[size]


def _apart(work: Work, name: str, size: int | str) -> tuple[float, float]:
    file: Path = work.folder / f"{name}.db"
    with connected(work, file) as (settings, scheme):
        sampling.load_sample(settings, size=size, today=TODAY, now=NOW)  # type: ignore[arg-type]
        context_building.build(settings, day=TODAY, now=NOW)
        first, unchanged, _ = grade_twice(settings, scheme)
    file.unlink()
    return first, unchanged


__all__ = ["due", "full", "load", "ratios", "ten"]
