"""What is frozen when a draw is committed to, and the form in which it stands in the minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.draw.choosing import counted
from rules.draw.commitments import Candidates, checked
from rules.draw.errors import DrawError
from rules.draw.teams import PAIR, Pool

VERSION = 1
Minutes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything that is fixed when a draw is committed to.

    Attributes
    ----------
    organ, task : whose task it is, and its number
    day : ISO date on which the candidates were frozen
    frequency : hash of the frequency table 抽查比例和频次
    sizes : how many to draw from each stratum
    excluded : credit code → reason, for who fits the filters and is left out
    per_day : visits that a team makes in a day
    """

    algorithm: str
    organ: str
    task: str
    day: str
    frequency: str
    candidates: Candidates
    sizes: Mapping[str, int]
    excluded: Mapping[str, str]
    per_day: int
    pool: Pool


def stated(frame: Frame) -> Minutes:
    """What is committed to beside the single candidates, as it stands in the minutes.

    Raises
    ------
    DrawError
        If no draw could follow.
    """
    strata = counted(frame.candidates, frame.sizes)
    both = sorted(set(frame.excluded).intersection(frame.candidates.codes))
    if both:
        raise DrawError(f"{both[0]} is a candidate and excluded, {len(both)} in all. Leave out the one or the other.")
    pool = frame.pool
    if not pool.members:
        raise DrawError("No organ sends inspectors. Name the organs of the task and who of them may be sent.")
    for organ, members in pool.members.items():
        if len(set(members)) != len(members):
            raise DrawError(f"An inspector of {organ} stands in the pool twice. Give each number of staff once.")
        ready = sum(pool.days.get((organ, one), 0) > 0 for one in members)
        if ready < PAIR:
            raise DrawError(
                f"{organ} has {ready} inspector(s) with a day left, and every visit takes {PAIR} of each organ. Widen its pool, or "
                "leave the organ out of the task."
            )
    return {
        "version": VERSION,
        "algorithm": checked(frame.algorithm),
        "organ": frame.organ,
        "task": frame.task,
        "day": frame.day,
        "frequency": frame.frequency,
        "strata": {stratum: list(numbers) for stratum, numbers in strata.items()},
        "excluded": dict(Counter(frame.excluded.values())),
        "excluded_codes": [list(one) for one in sorted(frame.excluded.items())],
        "per_day": frame.per_day,
        "pools": {
            organ: [
                [one, pool.days.get((organ, one), 0), sorted(pool.areas.get((organ, one), ("",)))]
                for one in sorted(members)
            ]
            for organ, members in pool.members.items()
        },
        "conflicts": sorted(list(one) for one in set(pool.conflicts)),
    }
