"""Where a benchmark works: one temporary folder, one synthetic city in it, and what earlier measurements found out."""

import dataclasses
import json
import random
import resource
import shutil
import statistics
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from registry import config, database, privacy, schema
from registry.config import Settings
from registry.sample.generator import Size
from registry.services import grading
from rules.given import Given
from rules.kinds import CONTEXT_VALUES
from rules.scheme import Scheme

TODAY = date(2026, 11, 21)
NOW = 1_795_219_200_000  # 2026-11-21T00:00:00Z, in milliseconds
SEED = 7


@dataclass(frozen=True, slots=True)
class Work:
    """The folder and the size of the district that everything is measured on."""

    folder: Path
    size: Size
    density: float = 1

    @property
    def city(self) -> Path:
        """The database that holds the district, graded once the grading was measured."""
        return self.folder / "city.db"

    def settings(self, file: Path | None = None) -> Settings:
        environ = {
            "XINHENG_DATABASE_URL": f"sqlite:///{file or self.city}",
            "XINHENG_PRIVACY_KEY_FILE": str(self.folder / "privacy.key"),
            "XINHENG_SEAL_ROOTS_FILE": f"{(file or self.city).stem}.roots.jsonl",
            "XINHENG_LOG_LEVEL": "error",
        }
        return config.load(environ=environ)

    def recall(self, name: str) -> Any:
        """What an earlier measurement remembered. Raises LookupError, saying which one to run first."""
        found = self._remembered().get(name)
        if found is None:
            raise LookupError(
                f"Nothing is known of {name!r} yet. Run the measurement that finds it, or run all of them."
            )
        return found

    def remember(self, **values: Any) -> None:
        (self.folder / "remembered.json").write_text(json.dumps(self._remembered() | values))

    def _remembered(self) -> dict[str, Any]:
        file = self.folder / "remembered.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def copy(self, name: str) -> Path:
        """A copy of the city's database to write into, so that the next measurement finds the city as it was."""
        file = self.folder / f"{name}.db"
        shutil.copy(self.city, file)
        return file


@contextmanager
def connected(work: Work, file: Path | None = None) -> Generator[tuple[Settings, Scheme], None, None]:
    """Open the database (and make it where it is missing), and close it so that one file holds everything."""
    settings = work.settings(file)
    database.connect(settings)
    privacy.make_key(settings)
    with database.session():
        schema.upgrade()
        yield settings, grading.scheme_named(settings)
        database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.db.obj.close_all()


def answering(given: Given) -> Given:
    """The same context, but 0 where it does not answer for any entity: rivals know no third truth value.

    Before the first grades, no context can say who is related to whom in the worst class.
    """
    return dataclasses.replace(given, names=given.names | CONTEXT_VALUES.keys()) if given.context_id else given


def seconds(act: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def median(act: Callable[[], object], times: int = 5) -> float:
    """Median wall-clock time of several calls after one that does not count, in seconds."""
    act()
    return statistics.median(seconds(act) for _ in range(times))


def peak_megabytes() -> float:
    """The most memory this process ever held (RSS), in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def shuffled(values: list[Any], count: int) -> list[Any]:
    """A fixed random choice."""
    return random.Random(SEED).sample(values, min(count, len(values)))
