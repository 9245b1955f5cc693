"""Membership of special databases 专项库 by hand: put in from a day on, ended on a day, each on record in the audit log."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from registry.database import execute, find, is_postgres, write
from registry.divisions import in_sql
from registry.models import Entity, EntityLabel
from registry.services import audit, labels
from registry.services.registers import Desk, Outcome, RegisterRefused


def put(
    entity: Entity, code: str, *, from_on: date | None = None, until_on: date | None = None, desk: Desk
) -> tuple[EntityLabel, Outcome]:
    """Put an entity into a special database, by default from today on and without an end; another period replaces the one before.

    Safe to repeat: without `from_on` one who is a member keeps the day since when. Raises UnknownLabel, and RegisterRefused for
    a period that cannot be or an entity outside the label's area.
    """
    label = labels.get(code)
    if not entity.division.startswith(label.division):
        raise RegisterRefused(
            {
                "code": [
                    f"Label {code} is kept for {label.division}, and this entity is registered in {entity.division}."
                ]
            }
        )
    with write():
        row = _locked(code, entity.id)
        standing = row is not None and (row.until_on is None or row.until_on > desk.today)
        first = from_on or (row.from_on if row is not None and standing else desk.today)
        if until_on is not None and until_on <= first:
            raise RegisterRefused({"until_on": [f"{until_on} is not after {first}. Correct one of the two days."]})
        if row is not None and (row.from_on, row.until_on) == (first, until_on):
            return row, "unchanged"
        execute(
            "INSERT INTO entity_label (label_id, entity, from_on, until_on, by, at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (label_id, entity) DO UPDATE SET from_on = excluded.from_on, until_on = excluded.until_on, "
            "by = excluded.by, at = excluded.at",
            (code, entity.id, first.isoformat(), None if until_on is None else until_on.isoformat(), desk.actor[:64], desk.now),
        )  # fmt: skip
        audit.note(
            "label.put", actor=desk.actor, subject=f"entity {entity.id}", now=desk.now, label=code, from_on=first.isoformat(),
            until_on=None if until_on is None else until_on.isoformat(),
        )  # fmt: skip
        found = _locked(code, entity.id)
        assert found is not None
        return found, "stored"


def end(entity: Entity, code: str, *, desk: Desk) -> Outcome:
    """Take an entity out of a special database from today on. Safe to repeat: who is no member by hand stays none.

    A membership by licence or industry does not end by hand. Raises UnknownLabel.
    """
    labels.get(code)
    with write():
        row = _locked(code, entity.id)
        if row is None or (row.until_on is not None and row.until_on <= desk.today):
            return "unchanged"
        mine = (EntityLabel.label == code) & (EntityLabel.entity == entity.id)
        if row.from_on >= desk.today:  # it never began, or began today: nothing of it is left to date
            EntityLabel.delete().where(mine).execute()
        else:
            EntityLabel.update(until_on=desk.today, by=desk.actor[:64], at=desk.now).where(mine).execute()
        audit.note("label.ended", actor=desk.actor, subject=f"entity {entity.id}", now=desk.now, label=code)
        return "stored"


def _locked(code: str, entity: int) -> EntityLabel | None:
    if is_postgres():
        execute("SELECT 1 FROM entity_label WHERE label_id = ? AND entity = ? FOR UPDATE", (code, entity))
    return find(EntityLabel, label=code, entity=entity)


def by_hand(code: str, *, divisions: Sequence[str] = ("",)) -> list[dict[str, Any]]:
    """Who was put into a special database by hand, also those that ended: code, name, label, from_on, until_on. One query.

    Of entities in these divisions, in order of registration; what a file of members holds. Raises UnknownLabel.
    """
    labels.get(code)
    sql, bounds = in_sql(divisions, "e.division")
    rows = execute(
        "SELECT coalesce(e.code, e.registration_no, ''), e.name, m.label_id, m.from_on, m.until_on FROM entity_label m "  # noqa: S608 (ours)
        f"JOIN entity e ON e.id = m.entity WHERE m.label_id = ?{sql} ORDER BY m.entity",
        [code, *bounds],
    ).fetchall()
    names = ("code", "name", "label")
    return [
        {**dict(zip(names, row[:3], strict=True)), "from_on": _day(row[3]), "until_on": _day(row[4])} for row in rows
    ]


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
