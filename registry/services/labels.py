"""Supervision labels 监管标签: special databases 专项库 of entities, kept by hand, by valid licence, or by industry.

Who is a member is worked out when it is asked: a licence that ends, or a day that has passed, takes its label off by itself.
docs/one-list-two-databases.md tells the whole.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from registry import clock, cursor
from registry.database import execute, find, write
from registry.divisions import in_sql
from registry.errors import NotAllowed, RegistryError
from registry.kinds import KINDS
from registry.kinds.licence import SUBJECTS as LICENCES
from registry.models import Entity, EntityLabel, Fact, InspectionItem, Label
from registry.page import Page
from registry.services import aliases, audit
from registry.services.registers import Desk, Outcome, RegisterRefused, alone, check_version, in_force

COLUMNS = ("name", "scope", "division", "basis", "licences", "industries")
LICENCE = KINDS["licence"].number
_NUMBERS = {term.number: name for name, term in LICENCES.terms.items()}
# An entity merged into this one brings what it had.
_OWN = 'SELECT a.entity FROM alias a WHERE a."into" = e.id AND a.until_seq IS NULL'


class UnknownLabel(RegistryError):
    """No label has this code."""

    code = "unknown_label"
    status = 404

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(
            f"There is no label {', '.join(code[:32] for code in codes)}. `xinheng label list` and GET /api/v1/labels show those "
            "that there are."
        )


def condition(codes: Sequence[str], today: date) -> tuple[str, list[Any]]:
    """SQL over the alias `e` (entity) that says "is a member of one of these on this day", and the values of its `?` marks.

    Members are put in by hand (or by a file), hold a valid licence, or are of an industry; of a label with a division only
    entities in it. Without codes everybody: so says an item that names no label. Raises UnknownLabel.
    """
    wanted = list(dict.fromkeys(codes))
    if not wanted:
        return "1 = 1", []
    found = {row.code: row for row in Label.select().where(Label.code.in_(wanted))}
    missing = [code for code in wanted if code not in found]
    if missing:
        raise UnknownLabel(missing)
    parts: list[str] = []
    values: list[Any] = []
    for code in wanted:
        sql, its = _of_label(found[code], today)
        parts.append(sql)
        values += its
    return f"({' OR '.join(parts)})", values


def _of_label(label: Label, today: date) -> tuple[str, list[Any]]:
    ways = [_by_hand(label, today)]
    if label.licences:
        ways.append(_by_licence(label, today))
    if label.industries:
        ways.append(_by_industry(label))
    sql, values = " OR ".join(way[0] for way in ways), [value for way in ways for value in way[1]]
    if not label.division:
        return f"({sql})", values
    return f"(e.division BETWEEN ? AND ? AND ({sql}))", [*_bounds(label.division, 6), *values]


def _by_hand(label: Label, today: date) -> tuple[str, list[Any]]:
    day = today.isoformat()
    held = "m.label_id = ? AND m.from_on <= ? AND (m.until_on IS NULL OR m.until_on > ?)"
    return (
        f"EXISTS (SELECT 1 FROM entity_label m WHERE m.entity = e.id AND {held}) OR "  # noqa: S608 (ours)
        f"EXISTS (SELECT 1 FROM entity_label m WHERE m.entity IN ({_OWN}) AND {held})",
        [label.code, day, day] * 2,
    )


def _by_licence(label: Label, today: date) -> tuple[str, list[Any]]:
    day = clock.day_number(today)
    marks = ", ".join("?" * len(label.licences))
    held = (
        f"f.kind = ? AND f.severity = 0 AND f.code IN ({marks}) AND f.gone IS NULL AND f.day <= ? "
        "AND (f.ends IS NULL OR f.ends > ?)"
    )
    return (
        f"EXISTS (SELECT 1 FROM fact f WHERE f.entity = e.id AND {held}) OR "  # noqa: S608 (ours)
        f"EXISTS (SELECT 1 FROM fact f WHERE f.entity IN ({_OWN}) AND {held})",
        [LICENCE, *label.licences, day, day] * 2,
    )


def _by_industry(label: Label) -> tuple[str, list[Any]]:
    bounds = [int(bound) for prefix in label.industries for bound in _bounds(prefix, 4)]
    return " OR ".join(["e.industry BETWEEN ? AND ?"] * len(label.industries)), bounds


def _bounds(prefix: str, digits: int) -> tuple[str, str]:
    return prefix.ljust(digits, "0"), prefix.ljust(digits, "9")


def get(code: str) -> Label:
    """One label by its code. Raises UnknownLabel."""
    found = None if "\x00" in code else find(Label, code=code)
    if found is None:
        raise UnknownLabel([code.replace("\x00", "␀")])
    return found


def page(*, scope: str = "", after: str | None = None, limit: int = 50) -> Page[dict[str, Any]]:
    """Labels in order of their codes as :func:`shown`. One query. Raises BadCursor for a token that is not of this list."""
    query = Label.select().order_by(Label.code)
    if scope:
        query = query.where(Label.scope == scope)
    if after is not None:
        query = query.where(Label.code > cursor.decode(after, str)[0])
    rows = list(query.limit(limit + 1))
    return Page(
        [shown(row) for row in rows[:limit]], cursor.encode(rows[limit - 1].code) if len(rows) > limit else None
    )


def shown(row: Label) -> dict[str, Any]:
    """A label as its readers see it; licences by the names of their kinds."""
    return {
        "code": row.code, "name": row.name, "scope": row.scope, "division": row.division, "basis": row.basis,
        "licences": [_NUMBERS[number] for number in row.licences], "industries": row.industries, "version": row.version,
        "updated_by": row.updated_by, "updated_at": clock.moment_text(row.updated_at),
    }  # fmt: skip


def save(
    given: Mapping[str, Any], *, version: int | None = None, blind: bool = False, desk: Desk
) -> tuple[Label, Outcome]:
    """Add a label (checked by LabelFields), or change the one that has its code.

    Versions as with items: `registry.services.items.save`. Safe to repeat. Raises VersionConflict, UnknownLabel for a version of
    what is not there, NotAllowed where its area is not within the desk's divisions.
    """
    values = {
        **{name: given[name] for name in COLUMNS}, "licences": [LICENCES.terms[name].number for name in given["licences"]],
    }  # fmt: skip
    code: str = given["code"]
    with write():
        alone("label")
        row = find(Label, code=code)
        if row is not None and all(getattr(row, name) == values[name] for name in COLUMNS):
            return row, "unchanged"
        for area in {values["division"], values["division"] if row is None else row.division}:
            _own(code, area, desk)
        if row is None and version:
            raise UnknownLabel([code])
        if row is not None and not (blind and version is None):
            check_version(f"Label {code}", version, row.version)
        number = 1 if row is None else row.version + 1
        kept = {**values, "version": number, "updated_by": desk.actor[:64], "updated_at": desk.now}
        if row is None:
            Label.insert(code=code, **kept).execute()
        else:
            Label.update(**kept).where(Label.code == code).execute()
        verb = "label.added" if row is None else "label.changed"
        audit.note(verb, actor=desk.actor, subject=f"label {code}", now=desk.now, version=number)
        return get(code), "stored"


def _own(code: str, area: str, desk: Desk) -> None:
    if not desk.sees(area):
        raise NotAllowed(
            f"Label {code} is kept for {area or 'every division'}, and this key works in {'、'.join(sorted(desk.divisions))}. "
            "Ask who keeps that area, or make a label of your own area under another code."
        )


def members(
    code: str, today: date, *, divisions: Sequence[str] = ("",), after: str | None = None, limit: int = 50
) -> Page[dict[str, Any]]:
    """Members of a special database on a day, in divisions with these prefixes, in order of registration.

    Each has code, name, kind and division. One query. Raises UnknownLabel, BadCursor.
    """
    sql, values = condition([code], today)
    inside, bounds = in_sql(divisions, "e.division")
    start = 0 if after is None else cursor.decode(after, int)[0]
    rows = execute(
        "SELECT e.id, coalesce(e.code, e.registration_no, ''), e.name, e.kind, e.division FROM entity e "  # noqa: S608 (ours)
        "WHERE e.id > ? AND NOT EXISTS (SELECT 1 FROM alias a WHERE a.entity = e.id AND a.until_seq IS NULL) "
        f"AND {sql}{inside} ORDER BY e.id LIMIT ?",
        [start, *values, *bounds, limit + 1],
    ).fetchall()
    items = [dict(zip(("code", "name", "kind", "division"), row[1:], strict=True)) for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1][0]) if len(rows) > limit else None)


def of_entity(entity: Entity, today: date) -> list[dict[str, Any]]:
    """The labels that an entity has on a day, in order of their codes: `why` (hand, licence, industry), and since and until when
    where it was put in by hand. Three queries, however many labels there are; it says what :func:`condition` says."""
    family = [row.id for row in Entity.select(Entity.id).where(Entity.id.in_(aliases.family(entity.id)))]
    by_hand = {
        row.label_id: row
        # Its own word comes last and holds.
        for row in sorted(
            EntityLabel.select().where(EntityLabel.entity.in_(family)), key=lambda row: row.entity == entity.id
        )
        if in_force(today, row.from_on, row.until_on)
    }
    day = clock.day_number(today)
    held = Fact.select(Fact.code).where(
        Fact.entity.in_(family) & (Fact.kind == LICENCE) & (Fact.severity == 0) & Fact.gone.is_null() & (Fact.day <= day)
        & (Fact.ends.is_null() | (Fact.ends > day))
    )  # fmt: skip
    licences = {row.code for row in held}
    found: list[dict[str, Any]] = []
    for label in Label.select().order_by(Label.code):
        if not entity.division.startswith(label.division):
            continue
        own = by_hand.get(label.code)
        why = ["hand"] if own is not None else []
        why += ["licence"] if licences & set(label.licences) else []
        why += ["industry"] if any(_within(entity.industry, prefix) for prefix in label.industries) else []
        if why:
            found.append(
                {
                    "code": label.code, "name": label.name, "why": why,
                    "from_on": None if own is None else own.from_on.isoformat(),
                    "until_on": None if own is None or own.until_on is None else own.until_on.isoformat(),
                }
            )  # fmt: skip
    return found


def _within(industry: int, prefix: str) -> bool:
    low, high = _bounds(prefix, 4)
    return int(low) <= industry <= int(high)


def retire(code: str, *, version: int | None, desk: Desk) -> Outcome:
    """Take a label away that no item names and nobody is a member of by hand any more. Safe to repeat: gone is unchanged.

    Raises VersionConflict, NotAllowed for another area's label, and RegisterRefused where an item or a member is left.
    """
    with write():
        alone("label")
        row = find(Label, code=code)
        if row is None:
            return "unchanged"
        _own(code, row.division, desk)
        check_version(f"Label {code}", version, row.version)
        naming = [one.code for one in InspectionItem.select() if code in one.labels]
        if naming:
            raise RegisterRefused(
                {
                    "code": [
                        f"Items {', '.join(naming[:10])} name label {code}. Change them first: `xinheng item import`."
                    ]
                }
            )
        left = EntityLabel.select().where(
            (EntityLabel.label == code) & (EntityLabel.until_on.is_null() | (EntityLabel.until_on > desk.today))
        )
        if number := left.count():
            raise RegisterRefused(
                {
                    "code": [
                        f"Label {code} has members by hand: {number:,}. End them first; `xinheng label members` lists them."
                    ]
                }
            )
        EntityLabel.delete().where(EntityLabel.label == code).execute()
        row.delete_instance()
        audit.note("label.retired", actor=desk.actor, subject=f"label {code}", now=desk.now, version=row.version)
        return "stored"
