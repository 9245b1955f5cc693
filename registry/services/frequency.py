"""The frequency table 抽查比例和频次 of this place, and the refusal of a plan that nobody could carry out."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from registry import clock
from registry.config import Settings
from registry.errors import RegistryError
from rules.inspection.frequency import NATURES, FrequencyError, FrequencyTable, read
from rules.inspection.quotas import Workload

NATURE = {"general": "一般事项", "key": "重点事项"}
assert tuple(NATURE) == NATURES


class BadFrequencyTable(RegistryError):
    """The file of the frequency table is not there or has mistakes."""

    code = "bad_frequency_table"
    status = 500


class PlanTooLarge(RegistryError):
    """A plan takes more inspector-days than there are."""

    code = "plan_too_large"
    status = 422

    def __init__(self, found: Workload, *, per_day: int) -> None:
        teams = found.available // found.team
        most = teams * per_day if found.inspectors >= found.team else 0
        super().__init__(
            f"The plan has {found.visits:,} visits of {found.minutes} minutes by {found.team} inspectors each: "
            f"{found.needed:,} inspector-days. There are {found.available:,}, of {found.inspectors:,} inspectors: enough for about "
            f"{most:,} visits. Ask for lower ratios, fewer classes or divisions, a longer period, or more inspectors.",
            visits=found.visits, needed=found.needed, available=found.available, inspectors=found.inspectors,
        )  # fmt: skip


def table(settings: Settings) -> FrequencyTable:
    """The table of `[inspection] frequency`, read again when the file has changed.

    Raises BadFrequencyTable with every mistake, each with file, key and remedy.
    """
    return _of(settings.path(settings.inspection.frequency))


def checked(path: Path) -> FrequencyTable:
    """The table in any file. Raises BadFrequencyTable with every mistake."""
    try:
        return read(path)
    except FrequencyError as error:
        raise BadFrequencyTable(f"The frequency table cannot be used.\n{error}") from error


def nature(checklist: Sequence[Mapping[str, Any]]) -> str:
    """`key` where every coded item is a key item, else `general`: where general items are checked too, their narrower bounds hold
    for the whole visit."""
    return "key" if checklist and all(one["nature"] == "key" for one in checklist) else "general"


def exempt(settings: Settings, task_type: str, today: date) -> bool:
    """Whether visits under this type of task are made beyond the annual cap too."""
    return task_type in table(settings).exemptions(clock.day_number(today))


def fit(found: Workload, *, day_minutes: int) -> None:
    """Raise PlanTooLarge, with the numbers, unless there are inspector-days enough."""
    if not found.fits:
        raise PlanTooLarge(found, per_day=max(day_minutes // found.minutes, 1))


def _of(path: Path) -> FrequencyTable:
    stamp = path.stat() if path.is_file() else None
    return _read(path, (stamp.st_mtime_ns, stamp.st_size) if stamp else (0, 0))


@lru_cache(8)
def _read(path: Path, _stamp: tuple[int, int]) -> FrequencyTable:
    return checked(path)
