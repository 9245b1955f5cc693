"""What changed since an inspection list was pulled. The list itself never does: it is the order that was given."""

from collections.abc import Mapping, Sequence
from typing import Any

from registry import clock, cursor
from registry.database import execute, in_slices
from registry.divisions import in_query
from registry.kinds import KINDS
from registry.kinds.registration import STATUSES
from registry.models import InspectionList, InspectionListRow
from registry.page import Page

CHECK = KINDS["spot_check"].number
# Milliseconds. The day of a moment is the one of Greenwich here: what was checked on that day itself is told as well.
DAY = 86_400_000


def page(
    found: InspectionList, *, after: str | None, limit: int, divisions: Sequence[str] = ("",)
) -> Page[dict[str, Any]]:
    """The rows among the next `limit` of a list of whose entity something changed, in the order of the list. Six queries.

    Each says what is so now, null or absent where it did not change: `class` (of the list's scheme), `name`, `address`,
    `status`, `merged_into`; `records`, how many ledger rows about it (steps not counted) are new; `checked_on`, the last day on
    which somebody else checked it, known only since or made under another list. A page may be empty and have a next one.
    """
    query = InspectionListRow.select().where(InspectionListRow.list == found.id)
    query = in_query(query, InspectionListRow.division, divisions)
    if after is not None:
        query = query.where(InspectionListRow.position > cursor.decode(after, int)[0])
    rows = list(query.order_by(InspectionListRow.position).limit(limit + 1))
    shown = rows[:limit]
    now = _Now(found, [row.entity for row in shown])
    items = [one for row in shown if (one := now.of(row)) is not None]
    return Page(items, cursor.encode(rows[limit - 1].position) if len(rows) > limit else None)


class _Now:
    """What is known now of the entities of a list."""

    def __init__(self, found: InspectionList, entities: Sequence[int]) -> None:
        self.entities: dict[int, Sequence[Any]] = {}
        self.classes: dict[int, str] = {}
        self.records: dict[int, int] = {}
        self.checked: dict[int, str] = {}
        for part in in_slices(list(entities), 10_000):
            self._read(found, part)

    def _read(self, found: InspectionList, part: Sequence[int]) -> None:
        marks = ", ".join("?" * len(part))
        # An entity that was merged is graded and recorded as the one that it is now.
        sql = (
            "SELECT e.id, e.name, e.address, e.status, coalesce(w.code, w.registration_no) FROM entity e "  # noqa: S608 (ours)
            'LEFT JOIN alias a ON a.entity = e.id AND a.until_seq IS NULL LEFT JOIN entity w ON w.id = a."into" '
            f"WHERE e.id IN ({marks})"
        )
        self.entities |= {row[0]: row[1:] for row in execute(sql, part).fetchall()}
        sql = f"SELECT entity, class FROM grade_state WHERE scheme = ? AND entity IN ({marks})"  # noqa: S608
        self.classes |= dict(execute(sql, [found.scheme, *part]).fetchall())
        sql = (
            f"SELECT entity_id, count(*) FROM record WHERE entity_id IN ({marks}) AND seq > ? AND act <> 'step' "  # noqa: S608
            "GROUP BY entity_id"
        )
        self.records |= dict(execute(sql, [*part, found.known]).fetchall())
        self.checked |= _checked(found, part)

    def of(self, row: InspectionListRow) -> dict[str, Any] | None:
        name, address, status, merged = self.entities[row.entity]
        class_ = self.classes.get(row.entity, "")
        changed: dict[str, Any] = {}
        if class_ != row.class_:
            changed["class"] = {"was": row.class_ or None, "is": class_ or None}
        for field, was, now in (("name", row.name, name), ("address", row.address, address)):
            if was != now:
                changed[field] = {"was": was, "is": now}
        if status != 1:
            changed["status"] = {"zh": STATUSES[status].zh, "en": STATUSES[status].en}
        if merged is not None:
            changed["merged_into"] = merged
        if row.entity in self.records:
            changed["records"] = self.records[row.entity]
        if row.entity in self.checked:
            changed["checked_on"] = self.checked[row.entity]
        return {"number": row.position, "code": row.code, **changed} if changed else None


def _checked(found: InspectionList, part: Sequence[int]) -> Mapping[int, str]:
    """By entity: the last day of a check that came onto the ledger since, or was made under another list; not of this list's own."""
    marks = ", ".join("?" * len(part))
    own = "SELECT r.seq FROM visit_result r JOIN visit v ON v.id = r.visit_id WHERE v.list_id = ? AND r.seq IS NOT NULL"
    ledger = execute(
        f"SELECT entity, max(day) FROM fact WHERE entity IN ({marks}) AND known > ? AND kind = {CHECK} AND gone IS NULL "  # noqa: S608
        f"AND known NOT IN ({own}) GROUP BY entity",
        [*part, found.known, found.id],
    ).fetchall()
    days = {entity: clock.day_of(number).isoformat() for entity, number in ledger}
    visits = execute(
        f"SELECT entity, max(visited_on) FROM visit WHERE entity IN ({marks}) AND list_id <> ? AND visited_on >= ? "  # noqa: S608
        "AND state <> 'dropped' GROUP BY entity",
        [*part, found.id, clock.day_of(found.created_at // DAY).isoformat()],
    ).fetchall()
    for entity, last in visits:
        days[entity] = max(days.get(entity, ""), str(last))
    return days
