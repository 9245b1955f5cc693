"""Checks as facts, in one short call each, and the feature scheme as it is shipped."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from rules.scheme import Scheme, load
from tests.rules.frames import DAY, fact

RECORD: Scheme = load(Path(__file__).parents[3] / "rules" / "book" / "inspection-record")
_NUMBERS = count(10_000)


def check(
    day: int = DAY, *, entity: int = 1, purpose: int = 1, inclusion: int = 0, seq: int | None = None, **found: int
) -> list[dict]:
    """The facts of one check; ``found`` are numbers of `serious`, `problems` and `minor`."""
    number = next(_NUMBERS) if seq is None else seq
    counts = {3: found.get("serious", 0), 2: found.get("problems", 0), 1: found.get("minor", 0)}
    worst = max((severity for severity, counted in counts.items() if counted), default=0)
    more = {"entity": entity, "seq": number}
    return [
        fact("spot_check", day, code=1 if not worst else 3, severity=worst, **more),
        fact("check_detail", day, code=purpose, severity=0, amount=inclusion, **more),
        *(
            fact("check_detail", day, code=purpose, severity=severity, amount=counted, **more)
            for severity, counted in counts.items()
            if counted
        ),
    ]  # fmt: skip
