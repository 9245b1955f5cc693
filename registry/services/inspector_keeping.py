"""Keeping the inspectors 执法检查人员名录库: added and changed by their own organ, conflicts of interest declared, days away noted.

Every verb is one transaction with its audit entry and safe to repeat. No identity number and no telephone number is stored.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from registry.cells.personal import mask_personal
from registry.database import execute, find, is_postgres, write
from registry.errors import NotAllowed
from registry.models import Entity, InspectionItem, Inspector, InspectorAway, InspectorConflict
from registry.services import audit
from registry.services.inspectors import InspectorNotFound, get
from registry.services.register_forms import EVERYTHING
from registry.services.registers import Desk, Outcome, RegisterRefused, alone, check_version

COLUMNS = (
    "name", "level", "position", "areas", "items", "certificates", "expert", "capacity", "actor", "state",
)  # fmt: skip
LONGEST_WHY = 500


def save(
    given: Mapping[str, Any], *, version: int | None = None, blind: bool = False, desk: Desk
) -> tuple[Inspector, Outcome]:
    """Add an inspector (checked by InspectorFields) to his organ, or change the one who has his staff number.

    A change names the `version` that it saw; with `blind` (a file that names none) it holds whatever stands. Safe to repeat:
    what stands already is left alone. Raises NotAllowed for another organ or an area that is not the desk's, VersionConflict,
    RegisterRefused without an organ or for an item that is not on the list, InspectorNotFound for a version of who is not there.
    """
    organ, staff = _organ(given["organ"], desk), given["staff_no"]
    certificates = sorted(
        ({"no": one["no"], "kind": one["kind"], "until": one["until"].isoformat()} for one in given["certificates"]),
        key=lambda one: (one["until"], one["no"]),
    )
    values = {**{name: given[name] for name in COLUMNS}, "certificates": certificates}
    with write():
        alone("inspector")
        row = find(Inspector, organ=organ, staff_no=staff)
        if row is not None and all(getattr(row, name) == values[name] for name in COLUMNS):
            return row, "unchanged"
        _inside({*values["areas"], *(() if row is None else row.areas)}, desk)
        if row is None and version:
            raise InspectorNotFound(staff)
        if row is not None and not (blind and version is None):
            check_version(f"Inspector {row.id} ({staff})", version, row.version)
        _items_stand(values["items"])
        number = 1 if row is None else row.version + 1
        kept = {**values, "version": number, "updated_by": desk.actor[:64], "updated_at": desk.now}
        if row is None:
            key = Inspector.insert(organ=organ, staff_no=staff, **kept).execute()
        else:
            key = row.id
            Inspector.update(**kept).where(Inspector.id == key).execute()
        _note("inspector.added" if row is None else "inspector.changed", key, desk, version=number)
        return get(key), "stored"


def set_state(number: int, state: str, *, version: int | None, desk: Desk) -> tuple[Inspector, Outcome]:
    """Let an inspector be active, suspended or gone (STATES). What he did stays with his name. Safe to repeat.

    Raises InspectorNotFound, NotAllowed, VersionConflict.
    """
    with write():
        row = _mine(number, desk)
        if row.state == state:
            return row, "unchanged"
        check_version(f"Inspector {number}", version, row.version)
        row.state, row.version, row.updated_by, row.updated_at = state, row.version + 1, desk.actor[:64], desk.now
        row.save()
        _note("inspector.state", number, desk, state=state, version=row.version)
        return row, "stored"


def declare(
    number: int, entity: Entity, *, why: str, from_on: date | None = None, until_on: date | None = None, desk: Desk
) -> Outcome:
    """Put a conflict of interest 利害关系 on record, by default from today on and without an end: no draw sends him there.

    Safe to repeat: the same reason and end change nothing; others replace what stood. Raises InspectorNotFound, NotAllowed, and
    RegisterRefused without a reason or for a period that cannot be.
    """
    said = mask_personal(why.strip())[:LONGEST_WHY]
    if not said:
        raise RegisterRefused({"why": ["The reason is missing. Say what the interest is."]})
    with write():
        _mine(number, desk)
        row = _conflict(number, entity)
        standing = row is not None and (row.until_on is None or row.until_on > desk.today)
        first = from_on or (row.from_on if row is not None and standing else desk.today)
        if until_on is not None and until_on <= first:
            raise RegisterRefused({"until_on": [f"{until_on} is not after {first}. Correct one of the two days."]})
        if row is not None and (row.why, row.from_on, row.until_on) == (said, first, until_on):
            return "unchanged"
        execute(
            "INSERT INTO inspector_conflict (inspector_id, entity, why, from_on, until_on, by, at) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (inspector_id, entity) DO UPDATE SET why = excluded.why, from_on = excluded.from_on, "
            "until_on = excluded.until_on, by = excluded.by, at = excluded.at",
            (
                number, entity.id, said, first.isoformat(), None if until_on is None else until_on.isoformat(), desk.actor[:64],
                desk.now,
            ),
        )  # fmt: skip
        _note("inspector.conflict", number, desk, entity=entity.id, from_on=first.isoformat())
        return "stored"


def end_conflict(number: int, entity: Entity, *, on: date | None = None, desk: Desk) -> Outcome:
    """End a conflict of interest, by default today: from that day on he may be sent there. It stays on record. Safe to repeat.

    Raises InspectorNotFound, NotAllowed, and RegisterRefused where there is none or the day comes before its first.
    """
    last = on or desk.today
    with write():
        _mine(number, desk)
        row = _conflict(number, entity)
        if row is None:
            raise RegisterRefused(
                {"code": [f"Inspector {number} has no conflict of interest with this entity. Nothing ends."]}
            )
        if row.until_on is not None and row.until_on <= last:
            return "unchanged"
        if last < row.from_on:
            raise RegisterRefused(
                {"on": [f"It holds from {row.from_on} on and cannot end on {last}. Give a later day."]}
            )
        mine = (InspectorConflict.inspector == number) & (InspectorConflict.entity == entity.id)
        InspectorConflict.update(until_on=last, by=desk.actor[:64], at=desk.now).where(mine).execute()
        _note("inspector.conflict_ended", number, desk, entity=entity.id, on=last.isoformat())
        return "stored"


def send_away(number: int, *, from_on: date, to_on: date, why: str = "", desk: Desk) -> Outcome:
    """Note days, both included, on which an inspector visits nobody. Noted anew from the same first day, it replaces what stood.

    Safe to repeat. Raises InspectorNotFound, NotAllowed, and RegisterRefused for a last day before the first.
    """
    if to_on < from_on:
        raise RegisterRefused({"to_on": [f"{to_on} lies before {from_on}. Correct one of the two days."]})
    said = mask_personal(why.strip())[:200]
    with write():
        _mine(number, desk)
        mine = (InspectorAway.inspector == number) & (InspectorAway.from_on == from_on)
        row = InspectorAway.get_or_none(mine)
        if row is not None and (row.to_on, row.why) == (to_on, said):
            return "unchanged"
        execute(
            "INSERT INTO inspector_away (inspector_id, from_on, to_on, why) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (inspector_id, from_on) DO UPDATE SET to_on = excluded.to_on, why = excluded.why",
            (number, from_on.isoformat(), to_on.isoformat(), said),
        )
        _note("inspector.away", number, desk, from_on=from_on.isoformat(), to_on=to_on.isoformat())
        return "stored"


def call_back(number: int, *, from_on: date, desk: Desk) -> Outcome:
    """Take back the days away that begin on a day. Safe to repeat. Raises InspectorNotFound, NotAllowed."""
    with write():
        _mine(number, desk)
        gone = (
            InspectorAway.delete()
            .where((InspectorAway.inspector == number) & (InspectorAway.from_on == from_on))
            .execute()
        )
        if not gone:
            return "unchanged"
        _note("inspector.back", number, desk, from_on=from_on.isoformat())
        return "stored"


def _organ(asked: str, desk: Desk) -> str:
    organ = asked or desk.organ
    if not organ:
        raise RegisterRefused({"organ": ["Whose inspector is this? Give the organ 所属机关."]})
    if desk.organ and organ != desk.organ:
        raise NotAllowed(
            f"This key keeps the inspectors of {desk.organ}, and this one is of {organ}. Let that organ do it."
        )
    return organ


def _inside(areas: set[str], desk: Desk) -> None:
    beyond = sorted(area for area in areas if not desk.sees(area))
    if beyond:
        raise NotAllowed(
            f"The area {beyond[0] or 'everywhere'} is not within this key's divisions ({'、'.join(sorted(desk.divisions))}). "
            "Ask who keeps that area."
        )


def _items_stand(codes: list[str]) -> None:
    wanted = [code for code in codes if code != EVERYTHING]
    if not wanted:
        return
    there = {row.code for row in InspectionItem.select(InspectionItem.code).where(InspectionItem.code.in_(wanted))}
    missing = [code for code in wanted if code not in there]
    if missing:
        raise RegisterRefused(
            {"items": [f"The list has no item {', '.join(missing[:10])}. `xinheng item list --all` shows the codes."]}
        )


def _mine(number: int, desk: Desk) -> Inspector:
    """The inspector, of the desk's organ and areas, and nobody else's to change until this transaction ends."""
    if is_postgres():
        execute("SELECT id FROM inspector WHERE id = ? FOR UPDATE", (number,))
    row = get(number, organ=desk.organ)
    _inside(set(row.areas), desk)
    return row


def _conflict(number: int, entity: Entity) -> InspectorConflict | None:
    found = InspectorConflict.get_or_none(
        (InspectorConflict.inspector == number) & (InspectorConflict.entity == entity.id)
    )
    assert found is None or isinstance(found, InspectorConflict)
    return found


def _note(verb: str, number: int, desk: Desk, **detail: int | str) -> None:
    audit.note(verb, actor=desk.actor, subject=f"inspector {number}", now=desk.now, seq=None, **detail)
