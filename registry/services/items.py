"""The list of items 随机抽查事项清单: what is checked, on which basis, of whom, with which questions.

It is the registry's own list, one for all organs. Changes name the version that they saw; a task keeps the copies that
:func:`named` gives, so that a checklist does not change while it is worked. docs/one-list-two-databases.md tells the whole.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from registry import clock, cursor
from registry.database import find, write
from registry.errors import RegistryError
from registry.models import InspectionItem, Label
from registry.page import Page
from registry.services import audit
from registry.services.registers import Desk, Outcome, RegisterRefused, alone, check_version, in_force

COLUMNS = (
    "name", "basis", "subjects", "method", "nature", "department", "labels", "minutes", "harm", "questions", "from_on",
    "until_on",
)  # fmt: skip


class UnknownItem(RegistryError):
    """No item has this code, or none on the day that was asked about."""

    code = "unknown_item"
    status = 404

    def __init__(self, codes: Sequence[str], today: date | None = None) -> None:
        when = "" if today is None else f" in force on {today}"
        super().__init__(
            f"The list of items has no item{when} with the code {', '.join(code[:32] for code in codes)}. "
            "`xinheng item list` and GET /api/v1/items show the codes that there are."
        )


def named(codes: Sequence[str], today: date) -> list[dict[str, Any]]:
    """Frozen copies of items for a task's checklist, in the order of the codes, each once.

    Each has code, name, basis, nature, method, department, subjects, labels, minutes, harm (the weight of that day, 1 to
    1000) and questions. Raises UnknownItem for a code that no item in force on that day has.
    """
    wanted = list(dict.fromkeys(codes))
    found = {row.code: row for row in InspectionItem.select().where(InspectionItem.code.in_(wanted))}
    missing = [code for code in wanted if code not in found or not _holds(found[code], today)]
    if missing:
        raise UnknownItem(missing, today)
    return [
        {
            "code": row.code, "name": row.name, "basis": row.basis, "nature": row.nature, "method": row.method,
            "department": row.department, "subjects": row.subjects, "labels": row.labels, "minutes": row.minutes,
            "harm": weight_on(row.harm, today), "questions": row.questions,
        }
        for row in (found[code] for code in wanted)
    ]  # fmt: skip


def weight_on(harm: Sequence[Mapping[str, Any]], day: date) -> int:
    """The weight of a dated list on a day; of a day before the first, the first."""
    held = [one for one in harm if one["from"] <= day.isoformat()]
    return int((held[-1] if held else harm[0])["weight"])


def get(code: str) -> InspectionItem:
    """One item by its code, in force or not. Raises UnknownItem."""
    found = None if "\x00" in code else find(InspectionItem, code=code)
    if found is None:
        raise UnknownItem([code.replace("\x00", "␀")])
    return found


def page(
    today: date, *, nature: str = "", label: str = "", every: bool = False, after: str | None = None, limit: int = 50
) -> Page[dict[str, Any]]:
    """Items in order of their codes as :func:`shown`; those in force today, or with `every` the others too. One query.

    `label`: only those that apply to this special database. Raises BadCursor for a token that is not of this list.
    """
    query = InspectionItem.select().order_by(InspectionItem.code)
    if not every:
        query = query.where(
            (InspectionItem.from_on <= today) & (InspectionItem.until_on.is_null() | (InspectionItem.until_on > today))
        )
    if nature:
        query = query.where(InspectionItem.nature == nature)
    if after is not None:
        query = query.where(InspectionItem.code > cursor.decode(after, str)[0])
    # The list is short (a few dozen), and its labels stand in JSON: whoever asks for one label reads all of it.
    rows = [row for row in query.limit(None if label else limit + 1) if not label or label in row.labels][: limit + 1]
    items = [shown(row, today) for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1].code) if len(rows) > limit else None)


def shown(row: InspectionItem, today: date) -> dict[str, Any]:
    """An item as its readers see it; `weight` is that of today, days are ISO text."""
    return {
        "code": row.code, **{name: getattr(row, name) for name in COLUMNS[:-2]}, "weight": weight_on(row.harm, today),
        "from_on": row.from_on.isoformat(), "until_on": None if row.until_on is None else row.until_on.isoformat(),
        "in_force": _holds(row, today), "version": row.version, "updated_by": row.updated_by,
        "updated_at": clock.moment_text(row.updated_at),
    }  # fmt: skip


def save(
    given: Mapping[str, Any], *, version: int | None = None, blind: bool = False, desk: Desk
) -> tuple[InspectionItem, Outcome]:
    """Put an item (checked by ItemFields) onto the list, or change the one that has its code.

    A change names the `version` that it saw; with `blind` (a file that names none) it holds whatever stands. Safe to repeat:
    what stands already is left alone, whatever version is named. Raises VersionConflict, with the version that stands, and
    RegisterRefused where a label is not there.
    """
    values = stored(given)
    code: str = given["code"]
    with write():
        alone("inspection_item")
        row = find(InspectionItem, code=code)
        if row is not None and all(getattr(row, name) == values[name] for name in COLUMNS):
            return row, "unchanged"
        if row is None and version:
            raise UnknownItem([code])
        if row is not None and not (blind and version is None):
            check_version(f"Item {code}", version, row.version)
        _labels_stand(values["labels"])
        number = 1 if row is None else row.version + 1
        kept = {**values, "version": number, "updated_by": desk.actor[:64], "updated_at": desk.now}
        if row is None:
            InspectionItem.insert(code=code, **kept).execute()
        else:
            InspectionItem.update(**kept).where(InspectionItem.code == code).execute()
        verb = "item.added" if row is None else "item.changed"
        audit.note(verb, actor=desk.actor, subject=f"item {code}", now=desk.now, version=number)
        return get(code), "stored"


def retire(code: str, *, on: date, version: int | None, desk: Desk) -> tuple[InspectionItem, Outcome]:
    """Take an item off the list from a day on. Tasks that have it keep their copy. Safe to repeat.

    Raises UnknownItem, VersionConflict, and RegisterRefused for a day that is not after its first.
    """
    with write():
        alone("inspection_item")
        row = get(code)
        if row.until_on == on:
            return row, "unchanged"
        check_version(f"Item {code}", version, row.version)
        if on <= row.from_on:
            raise RegisterRefused({"on": [f"Item {code} begins on {row.from_on}. It can end after that day only."]})
        row.until_on, row.version, row.updated_by, row.updated_at = on, row.version + 1, desk.actor[:64], desk.now
        row.save()
        audit.note(
            "item.retired",
            actor=desk.actor,
            subject=f"item {code}",
            now=desk.now,
            version=row.version,
            on=on.isoformat(),
        )
        return row, "stored"


def stored(given: Mapping[str, Any]) -> dict[str, Any]:
    """Checked fields as the table keeps them: days inside JSON are ISO text."""
    harm = [{"from": one["from_"].isoformat(), "weight": one["weight"], "basis": one["basis"]} for one in given["harm"]]
    questions = [{name: one[name] for name in ("code", "text", "severity", "basis")} for one in given["questions"]]
    return {**{name: given[name] for name in COLUMNS}, "harm": harm, "questions": questions}


def _labels_stand(codes: Sequence[str]) -> None:
    if not codes:
        return
    there = {row.code for row in Label.select(Label.code).where(Label.code.in_(list(codes)))}
    missing = [code for code in codes if code not in there]
    if missing:
        raise RegisterRefused(
            {
                "labels": [
                    f"There is no label {', '.join(missing)}. Add it first: `xinheng label add`, POST /api/v1/labels."
                ]
            }
        )


def _holds(row: InspectionItem, day: date) -> bool:
    return in_force(day, row.from_on, row.until_on)
