"""How many of a class are drawn, and the inspector-days that it takes. Whole numbers only: upper bounds round down, lower bounds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.inspection.frequency import WHOLE, Row

# Nobody visits alone (docs/frequency.md): so many inspectors of each organ go together.
TEAM = 2
# Minutes of visits in an inspector's working day where the frequency table does not say: a product default.
DAY_MINUTES = 360


class QuotaConflict(ValueError):
    """No whole number lies within the bounds of a row for so many candidates. It says the numbers and what to do."""

    def __init__(self, said: str, *, row: str, candidates: int, least: int, most: int) -> None:
        super().__init__(said)
        self.row, self.candidates, self.least, self.most = row, candidates, least, most


class RatioOutside(QuotaConflict):
    """A ratio was asked for that the row does not allow."""


def bounds(candidates: int, row: Row) -> tuple[int, int]:
    """Fewest and most of ``candidates`` that ``row`` lets be drawn: the lower bound rounded up and at least 1, the upper one down.

    Raises QuotaConflict where the first is above the second: exactly where ceil(low·N) > floor(high·N) or floor(high·N) = 0.
    """
    least = max(-(-row.lowest * candidates // WHOLE), 1)
    most = row.highest * candidates // WHOLE
    if least > most:
        raise QuotaConflict(
            f"Of {candidates:,} candidates row {row.id} lets at most {most:,} be drawn ({percent(row.highest)}, rounded down) and "
            f"wants at least {least:,} ({percent(row.lowest)}, rounded up, and never none). Draw among more candidates: a "
            "larger division, more industries or labels.",
            row=row.id, candidates=candidates, least=least, most=most,
        )  # fmt: skip
    return least, most


def quota(candidates: int, row: Row, wanted: int | None = None) -> int:
    """How many of ``candidates`` are drawn: between the bounds of ``row``, and at least 1.

    Parameters
    ----------
    candidates : entities in the stratum
    wanted : ratio in hundredths of a percent, rounded up and then held between the bounds; None for the row's own
        (:attr:`Row.usual`)

    Raises
    ------
    RatioOutside
        If ``wanted`` is below or above the row's ratios.
    QuotaConflict
        If no number lies within the bounds (:func:`bounds`).
    """
    if wanted is not None and not row.lowest <= wanted <= row.highest:
        raise RatioOutside(
            f"{percent(wanted)} was asked for, and row {row.id} lets {percent(row.lowest)} to {percent(row.highest)} be drawn. Ask "
            "for a ratio within these bounds, or change the frequency table.",
            row=row.id, candidates=candidates, least=row.lowest, most=row.highest,
        )  # fmt: skip
    least, most = bounds(candidates, row)
    ratio = row.usual if wanted is None else wanted
    return min(max(-(-ratio * candidates // WHOLE), least), most)


@dataclass(frozen=True, slots=True)
class Workload:
    """What a plan takes and what there is.

    visits : entities to be visited
    minutes : minutes on site for one visit
    needed : inspector-days that the visits take, whole teams and whole days
    available : inspector-days that there are
    inspectors : inspectors that there are
    """

    visits: int
    minutes: int
    needed: int
    available: int
    inspectors: int
    team: int = TEAM

    @property
    def fits(self) -> bool:
        return not self.visits or (self.needed <= self.available and self.inspectors >= self.team)

    def as_dict(self) -> dict[str, int | bool]:
        return {
            "visits": self.visits, "minutes": self.minutes, "team": self.team, "needed": self.needed,
            "available": self.available, "inspectors": self.inspectors, "fits": self.fits,
        }  # fmt: skip


def workload(
    sizes: Mapping[str, int],
    minutes: int,
    inspectors: int,
    days: int,
    *,
    team: int = TEAM,
    day_minutes: int = DAY_MINUTES,
) -> Workload:
    """Inspector-days that visits take against those there are.

    Parameters
    ----------
    sizes : number of entities drawn of each stratum
    minutes : minutes on site for one visit, of all its items together, at least 1
    inspectors : inspectors that there are
    days : days of visits that they have left, all of theirs added up
    team : inspectors that go together
    day_minutes : minutes of visits in a working day, at least 1
    """
    visits = sum(sizes.values())
    return Workload(visits, minutes, inspector_days(visits, minutes, team, day_minutes), days, inspectors, team)


def inspector_days(visits: int, minutes: int, team: int = TEAM, day_minutes: int = DAY_MINUTES) -> int:
    """Inspector-days of so many visits: a team makes as many in a day as fit, one that does not fit takes several days."""
    if minutes >= day_minutes:
        return visits * -(-minutes // day_minutes) * team
    return -(-visits // (day_minutes // minutes)) * team


def percent(ratio: int) -> str:
    """A ratio in hundredths of a percent as a text: 250 is 2.5 %."""
    return f"{ratio / 100:g} %"
