"""Why a grade changed: the two explanations side by side, rule by rule, and the records that came or went."""

from typing import Any

from registry.models import Entity
from registry.services import book, changes, explanation
from rules.explain import Explanation, PointsRow


def between(number: int) -> dict[str, Any]:
    """Change `number` of the feed, with every row of points that is not the same, the greatest difference first.

    The differences add up to that of the two scores exactly. Raises ChangeNotFound, and NotGraded where one of the two
    grades cannot be worked out again. What was withdrawn, repaired or erased since is told by its number alone.
    """
    change = changes.get(number)
    entity = Entity.get_by_id(change.entity)
    before = _explained(entity, change.old_version, change.old_day, change.old_known)
    after = _explained(entity, change.version, change.day, change.known)
    rows = sorted(_rows(before, after), key=lambda row: (-abs(row["difference"]), row["rule"]))
    old, new = set(before.records), set(after.records)
    return {
        **changes.shown(change, entity),
        "rows": rows,
        "records_added": sorted(new - old),
        "records_gone": sorted(old - new),
    }


def division_of(number: int) -> str:
    """The division of the entity whose grade changed: who may read of it. Raises ChangeNotFound."""
    found: str = Entity.get_by_id(changes.get(number).entity).division
    return found


def _explained(entity: Entity, version: int, day: int, known: int) -> Explanation:
    return explanation.worked_out(entity, book.scheme_of_version(version), day, known)


def _rows(before: Explanation, after: Explanation) -> list[dict[str, Any]]:
    old = {row.rule: row for row in before.points}
    new = {row.rule: row for row in after.points}
    found: list[tuple[PointsRow, dict[str, Any]]] = []
    for rule in sorted({*old, *new}):
        was, now = _points(old.get(rule)), _points(new.get(rule))
        if was != now:
            row = new.get(rule) or old[rule]
            found.append((row, {"rule": rule, "before": was, "after": now, "difference": now - was}))
    records = explanation.named({seq for row, _ in found for seq in row.records})
    return [told | explanation.sentence(row.sentence, row.records, records) for row, told in found]


def _points(row: PointsRow | None) -> int:
    return 0 if row is None else row.points
