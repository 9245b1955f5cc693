"""What a draw under the frequency table would take 抽查方案测算: candidates, bounds and numbers by class, inspector-days. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from registry import clock
from registry.config import Settings
from registry.errors import RegistryError
from registry.services import draw_candidates, frequency, inspectors, items
from registry.services.draw_candidates import Filters
from rules.inspection.frequency import Row
from rules.inspection.quotas import QuotaConflict, RatioOutside, Workload, bounds, quota, workload
from rules.scheme import Scheme


class NoFrequency(RegistryError):
    """The frequency table does not speak of a class, or of the day."""

    code = "no_frequency"
    status = 422


@dataclass(frozen=True, slots=True)
class Staff:
    """Inspectors that there are, and the days of visits that they have together."""

    inspectors: int
    days: int


@dataclass(frozen=True, slots=True)
class Stratum:
    """One row of the frequency table: how many may be drawn of those it holds for, and how many are.

    lowest, highest : bounds of the ratio in hundredths of a percent
    least, most, number : entities; 0, and `conflict` says why, where no number lies within the bounds
    """

    class_: str
    row: str
    candidates: int
    lowest: int
    highest: int
    least: int
    most: int
    number: int
    conflict: str

    def as_dict(self) -> dict[str, Any]:
        said = asdict(self)
        return {"class": said.pop("class_"), **said}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a draw would take. `excluded` counts who fits and is no candidate, by reason (registry/services/draw_candidates.py)."""

    task_type: str
    scheme: str
    nature: str
    on: date
    frequency: dict[str, str]
    strata: tuple[Stratum, ...]
    excluded: dict[str, int]
    workload: Workload
    day_minutes: int

    def refuse(self) -> None:
        """Raise PlanTooLarge, with the numbers, where there are not inspector-days enough."""
        frequency.fit(self.workload, day_minutes=self.day_minutes)

    def as_dict(self) -> dict[str, Any]:
        return {
            "task_type": self.task_type, "scheme": self.scheme, "nature": self.nature, "on": self.on.isoformat(),
            "frequency": self.frequency, "strata": [one.as_dict() for one in self.strata], "excluded": self.excluded,
            "workload": self.workload.as_dict(), "day_minutes": self.day_minutes,
        }  # fmt: skip


def plan(
    settings: Settings, scheme: Scheme, *, task_type: str, filters: Filters, item_codes: Sequence[str], staff: Staff,
    today: date, nature: str = "general", classes: Sequence[str] = (), ratios: Mapping[str, int] | None = None,
) -> Plan:  # fmt: skip
    """Work out a draw: exactly the candidates, bounds and numbers that committing to one today would have.

    `item_codes` are items of the list; their minutes add up, and where one is general the bounds of general items hold.
    Without any, `nature` (general, key) is that of an average item. `ratios` are wanted ones by class, in hundredths of a
    percent. `classes` narrows what is planned. A class whose bounds leave no number is named, and nothing of it is planned.
    Raises NoFrequency where the table does not speak of a class or the day, UnknownItem. Reads only.
    """
    table, day = frequency.table(settings), clock.day_number(today)
    checklist = items.named(item_codes, today) if item_codes else []
    if checklist:
        nature = frequency.nature(checklist)
    pace = table.visit(day)
    if pace is None:
        raise NoFrequency(
            f"The frequency table {table.id} does not say what a visit takes on {today}. Ask for a later day, or add [[visit]]."
        )
    rows: dict[str, Row] = {}

    def row_of(class_: str, industry: int) -> Row:
        row = table.at(scheme.id, nature, class_, industry, day)
        if row is None:
            raise NoFrequency(
                f"The frequency table {table.id} has no row for class {class_} of {scheme.id}, {nature} items, on {today}. "
                "`xinheng frequency show` prints those that there are; add one, or plan with another scheme."
            )
        return rows.setdefault(row.id, row)

    pool = draw_candidates.find(
        filters, checklist, scheme=scheme.id, row_of=row_of, cap=table.annual_cap(day),
        exempt=task_type in table.exemptions(day), today=today,
    )  # fmt: skip
    counted = pool.candidates.group_by("class", "row").len().sort("class", "row")
    wanted = ratios or {}
    strata = tuple(
        _stratum(class_, rows[row], number, wanted.get(class_))
        for class_, row, number in counted.iter_rows()
        if not classes or class_ in classes
    )
    minutes = sum(one["minutes"] for one in checklist) or pace.minutes
    sizes = {f"{one.class_}/{one.row}": one.number for one in strata}
    load = workload(sizes, minutes, staff.inspectors, staff.days, day_minutes=pace.day_minutes)
    return Plan(
        task_type, scheme.id, nature, today, {"id": table.id, "hash": table.hash}, strata, pool.reasons(), load,
        pace.day_minutes,
    )  # fmt: skip


def staff_of(organ: str, item_codes: Sequence[str], *, division: str, first: date, last: date) -> Staff:
    """The inspectors of an organ who may check these items from `first` to `last`, and the days that they have left."""
    found = inspectors.pool([organ], item_codes, division or None, first, last)
    left = inspectors.days(found, first, last)
    able = [one for one in found if left[one.id]]
    return Staff(len(able), sum(left[one.id] for one in able))


def _stratum(class_: str, row: Row, candidates: int, wanted: int | None) -> Stratum:
    try:
        least, most = bounds(candidates, row)
        number = quota(candidates, row, wanted)
    except QuotaConflict as error:
        low, high = (0, 0) if isinstance(error, RatioOutside) else (error.least, error.most)
        return Stratum(class_, row.id, candidates, row.lowest, row.highest, low, high, 0, str(error))
    return Stratum(class_, row.id, candidates, row.lowest, row.highest, least, most, number, "")
