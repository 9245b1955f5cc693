"""The table of overrides, held against the steps of the ledger: what is counted may not say what no row says."""

from collections.abc import Iterator
from typing import Any

import orjson

from registry.database import execute
from registry.models import GradeOverride
from registry.services.overrides import APPROVED, COLUMNS, ENDED, about


def differences() -> Iterator[str]:
    """What in the table of overrides does not follow from the ledger, in words; nothing where all is in order.

    What was lawfully erased of a step is not compared: nobody can say any more what it was.
    """
    rows = {row.id: row for row in GradeOverride.select()}
    expected = _expected({about(number): number for number in rows})
    for name in sorted(set(expected) - set(rows), key=str):
        yield f"grade_override: the ledger tells of an override ({name}) that the table does not have"
    for number, row in sorted(rows.items()):
        told = expected.get(number)
        if told is None:
            if row.state not in ("proposed", "refused") or row.known is not None or row.gone is not None:
                yield f"grade_override {number}: holds, and no step of the ledger says so"
            continue
        for column, value in told.items():
            if getattr(row, "class_" if column == "class" else column) != value:
                yield f"grade_override {number}: {column} is not what the ledger says"


def _expected(numbers: dict[str, int]) -> dict[int | str, dict[str, Any]]:
    """The rows as the steps tell them, by number; by what the steps are about where the table has no such override."""
    found: dict[int | str, dict[str, Any]] = {}
    for seq, kind, entity, source, whose, detail in steps(APPROVED, ENDED):
        row = found.setdefault(numbers.get(whose, whose), {})
        if kind == APPROVED:
            row |= {
                "state": "approved",
                "known": seq,
                "entity": entity,
                "decided_by": source,
                "gone": None,
                "ended_by": None,
            }
            row |= {column: detail[name] for name, column in COLUMNS.items() if name in detail}
        else:
            row |= {"state": "ended", "gone": seq, "ended_by": source}
            row |= {"ended_why": detail["why"]} if "why" in detail else {}
    return found


def steps(first: str, second: str) -> Iterator[tuple[int, str, int, str, str, dict[str, Any]]]:
    """The steps of two kinds in the order of the ledger: seq, kind, entity, source, what they are about, and their detail."""
    sql = (
        "SELECT seq, kind, entity_id, source, about, CAST(detail AS text) FROM record WHERE act = 'step' AND kind IN (?, ?) "
        "ORDER BY seq"
    )
    for *columns, text in execute(sql, (first, second)).fetchall():
        yield (*columns, _object(text))


def _object(text: str) -> dict[str, Any]:
    """The detail of a row; empty where it was made unreadable, which the leaf tells."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
