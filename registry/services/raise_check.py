"""The table of raises, held against the steps of the ledger: what is counted may not say what no row says."""

from collections.abc import Iterator
from typing import Any

from registry.models import GradeRaise, Model
from registry.services.override_check import steps
from registry.services.raises import COLUMNS, CONFIRMED, ENDED, about

# States of a raise that never counted; one that counted and is over by its day has lapsed.
_NEVER = ("suggested", "dismissed", "lapsed")


def differences() -> Iterator[str]:
    """What in the table of raises does not follow from the ledger, in words; nothing where all is in order.

    What was lawfully erased of a step is not compared: nobody can say any more what it was.
    """
    rows = {row.id: row for row in GradeRaise.select(GradeRaise, Model.id, Model.hash).join(Model)}
    expected = _expected({about(number): number for number in rows})
    for name in sorted(set(expected) - set(rows), key=str):
        yield f"grade_raise: the ledger tells of a raise ({name}) that the table does not have"
    for number, row in sorted(rows.items()):
        told = expected.get(number)
        if told is None:
            if row.state not in _NEVER or row.known is not None or row.gone is not None:
                yield f"grade_raise {number}: holds, and no step of the ledger says so"
            continue
        for column, value in told.items():
            held = _held(row, column)
            # Its own day ends a raise without a step.
            if held != value and not (column == "state" and (held, value) == ("lapsed", "confirmed")):
                yield f"grade_raise {number}: {column} is not what the ledger says"


def _held(row: GradeRaise, column: str) -> Any:
    return row.model.hash if column == "model" else getattr(row, "class_" if column == "class" else column)


def _expected(numbers: dict[str, int]) -> dict[int | str, dict[str, Any]]:
    """The rows as the steps tell them, by number; by what the steps are about where the table has no such raise."""
    found: dict[int | str, dict[str, Any]] = {}
    for seq, kind, entity, source, whose, detail in steps(CONFIRMED, ENDED):
        row = found.setdefault(numbers.get(whose, whose), {})
        if kind == CONFIRMED:
            row |= {"state": "confirmed", "known": seq, "entity": entity, "decided_by": source, "gone": None}
            row |= {column: detail[name] for name, column in {**COLUMNS, "model": "model"}.items() if name in detail}
        else:
            row |= {"state": "ended", "gone": seq, "ended_by": source}
            row |= {"ended_why": detail["why"]} if "why" in detail else {}
    return found
