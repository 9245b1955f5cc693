"""The floor: what the same grades cost when DuckDB works them out from Parquet, on 2 threads, and nothing is stored.

``python -m benchmarks.floor --write`` writes `floor.sql` anew after the scheme has changed.
"""

import argparse
import statistics
import time
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.floor_sql import written
from benchmarks.report import Figure
from benchmarks.work import TODAY, Work, connected
from registry.config import ROOT
from registry.database import execute, read_frame
from registry.services import frames, given, ledger
from rules.dated import to_day
from rules.engine import facts_needed
from rules.kinds import REGISTRATION
from rules.scheme import Scheme, load

FILE = Path(__file__).with_name("floor.sql")
TABLES = ("population", "fact", "coverage", "context", "norms", "answered")
STORED = {"entity": pl.Int64, "class": pl.String, "score": pl.Int32}
# Parquet is read in parallel by row group: several for each thread.
ROW_GROUP = 60_000
LIMIT_SECONDS = 1.0


class Differs(Exception):
    """The floor does not give what the product has stored, so its time means nothing."""


def sql(today: date = TODAY) -> str:
    """The text that `floor.sql` must have."""
    return written(load(ROOT / "rules/book/general-risk"), to_day(today))


def export(folder: Path, scheme: Scheme, today: date = TODAY) -> None:
    """Write the tables as Parquet, facts by kind and entity, the context as it is read on that day. Needs a connected
    registry.

    Raises Differs where the data are not as the floor takes for granted: one registration per entity.
    """
    known = ledger.head()
    highest = execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0]
    facts = frames.facts_in(1, highest, facts_needed(scheme), known).sort("kind", "entity", "day", "seq")
    registrations = facts.filter(pl.col("kind") == REGISTRATION)["entity"]
    if registrations.n_unique() != registrations.len():
        raise Differs("An entity has two registrations in force; floor.sql joins one. Export the newest only.")
    facts.write_parquet(folder / "fact.parquet", row_group_size=ROW_GROUP)
    frames.population_in(1, highest, known).write_parquet(folder / "population.parquet", row_group_size=ROW_GROUP)
    frames.coverage(known).write_parquet(folder / "coverage.parquet")
    beside = given.within(scheme, 1, highest, known=known, day=to_day(today))
    beside.context.sort("entity", "name").write_parquet(folder / "context.parquet", row_group_size=ROW_GROUP)
    beside.norms.write_parquet(folder / "norms.parquet")
    pl.DataFrame({"name": sorted(beside.names)}, schema={"name": pl.String}).write_parquet(folder / "answered.parquet")


def open_tables(folder: Path) -> duckdb.DuckDBPyConnection:
    """DuckDB on 2 threads with the exported tables as views."""
    connection = duckdb.connect(config={"threads": 2})
    for table in TABLES:
        connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('{folder / table}.parquet')")
    return connection


def run(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Run all statements; the table `grade` then holds the result."""
    for statement in text.split(";\n\n"):
        connection.execute(statement)


def check(connection: duckdb.DuckDBPyConnection, scheme: Scheme) -> int:
    """Compare class and score of every entity with what the product stored; return how many there are."""
    stored = read_frame("SELECT entity, class, score FROM grade_state WHERE scheme = ?", (scheme.id,), STORED)
    columns = connection.execute("SELECT entity, class, score FROM grade").fetchnumpy()
    graded = pl.DataFrame({name: pl.Series(columns[name].tolist(), dtype=kind) for name, kind in STORED.items()})
    wrong = pl.concat([stored, graded]).group_by(list(STORED)).len().filter(pl.col("len") != 2)
    if wrong.height or stored.height != graded.height:
        first = wrong.sort("entity").row(0) if wrong.height else ()
        raise Differs(
            f"The floor gives other grades for {wrong.height} rows, the first being {first}. Write floor.sql anew."
        )
    return stored.height


def timed(connection: duckdb.DuckDBPyConnection, text: str, times: int = 5) -> tuple[float, float]:
    """Median wall-clock and processor seconds of warm runs."""
    run(connection, text)
    walls, processors = [], []
    for _ in range(times):
        wall, processor = time.perf_counter(), time.process_time()
        run(connection, text)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return statistics.median(walls), statistics.median(processors)


def export_and_time(work: Work) -> list[Figure]:
    """Before the grading: the floor's time. Whether its scores are right is checked once there is something to check."""
    with connected(work) as (_, scheme):
        export(work.folder, scheme)
    wall, processor = timed(open_tables(work.folder), FILE.read_text())
    work.remember(floor=[wall], floor_processor=processor)
    return []


def measure(work: Work) -> list[Figure]:
    """After the grading: time again (both sides of a ratio stand close together in time), and every score checked."""
    connection = open_tables(work.folder)
    wall, processor = timed(connection, FILE.read_text())
    with connected(work) as (_, scheme):
        entities = check(connection, scheme)
    times = [*work.recall("floor"), wall]
    work.remember(floor=times)
    floor = statistics.mean(times)
    note = f"{entities:,} entities, class and score equal; {processor:.2f} s of processor; before and after grading {times[0]:.2f}, {wall:.2f} s"
    return [Figure("floor: DuckDB on Parquet, warm", floor, "s", limit=LIMIT_SECONDS, note=note)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Show or write floor.sql. Example: python -m benchmarks.floor --write")
    parser.add_argument("--write", action="store_true", help="write benchmarks/floor.sql instead of showing it")
    if parser.parse_args().write:
        FILE.write_text(sql(), encoding="utf-8")
    else:
        print(sql(), end="")


if __name__ == "__main__":
    main()
