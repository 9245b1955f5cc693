"""Days for visits that have inspectors and no day: those of a draw, whose teams the lot chose, and what was assigned without one.

The team is what it is; only the day is looked for. Neighbours of one team in the tour are its block of one day.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

from registry.database import execute, in_slices
from registry.divisions import in_sql
from registry.models import InspectionList, Inspector
from registry.services import inspectors


class Stop(NamedTuple):
    """A visit in the tour."""

    visit: int
    tour: int
    code: str
    name: str
    address: str


class Block(NamedTuple):
    """Neighbours that one team visits on a day; None where its inspectors have no day in common until the task ends."""

    stops: list[Stop]
    day: date | None


def propose(
    found: InspectionList, per_day: int, days: Sequence[date], *, divisions: Sequence[str] = ("",)
) -> list[Block]:
    """The earliest of the working `days` for each block of at most `per_day` visits, in the order of the tour.

    Nobody is sent on a day on which he is away or has visits already, nor on more days of a month than his capacity. Four
    queries, whatever the size of the list. The same proposal on the same day.
    """
    blocks = list(_blocks(_assigned(found, divisions), per_day))
    if not blocks or not days:
        return [Block(stops, None) for stops, _ in blocks]
    people = sorted({one for _, team in blocks for one in team})
    first, last = days[0], days[-1]
    away = inspectors.away_days(people, first, last)
    # A month's capacity is that of the whole month, whatever part of it is planned.
    end = last.replace(day=monthrange(last.year, last.month)[1])
    dated, _ = inspectors.planned(people, first.replace(day=1), end, first, last)
    capacity = {
        row.id: row.capacity
        for part in in_slices(people)
        for row in Inspector.select(Inspector.id, Inspector.capacity).where(Inspector.id.in_(list(part)))
    }
    taken = Counter((one, day.year, day.month) for one, on in dated.items() for day in on)

    def free(one: int, day: date) -> bool:
        return day not in away[one] and day not in dated[one] and taken[one, day.year, day.month] < capacity[one]

    made = []
    for stops, team in blocks:
        day = next((day for day in days if all(free(one, day) for one in team)), None)
        if day is not None:
            for one in team:
                dated[one].add(day)
                taken[one, day.year, day.month] += 1
        made.append(Block(stops, day))
    return made


def _blocks(
    stops: Iterable[tuple[Stop, tuple[int, ...]]], per_day: int
) -> Iterator[tuple[list[Stop], tuple[int, ...]]]:
    for team, together in groupby(stops, key=lambda row: row[1]):
        part = [stop for stop, _ in together]
        yield from ((part[at : at + per_day], team) for at in range(0, len(part), per_day))


def _assigned(found: InspectionList, divisions: Sequence[str]) -> list[tuple[Stop, tuple[int, ...]]]:
    """Visits with inspectors and no day in the order of the tour, each with its team. One query."""
    inside, bounds = in_sql(divisions, "r.division")
    sql = (
        "SELECT v.id, r.tour, r.code, r.name, r.address, w.inspector_id FROM visit v "  # noqa: S608 (ours)
        "JOIN inspection_list_row r ON r.list_id = v.list_id AND r.position = v.position "
        "JOIN visit_inspector w ON w.visit_id = v.id AND w.active "
        f"WHERE v.list_id = ? AND v.state = 'assigned' AND v.planned_on IS NULL{inside} ORDER BY r.tour, w.inspector_id"
    )
    rows = execute(sql, (found.id, *bounds)).fetchall()
    return [(Stop(*one), tuple(row[5] for row in each)) for one, each in groupby(rows, key=lambda row: tuple(row[:5]))]
