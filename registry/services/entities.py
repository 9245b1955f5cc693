"""Entities: found by any identifier, made from a registration, provisional until then, searched by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from registry.cells.names import fold_name, search_tokens
from registry.cells.personal import mask_personal
from registry.database import execute, execute_many, find, in_slices, insert_rows, is_postgres
from registry.errors import EntityNotFound
from registry.identity import fold_code
from registry.kinds import Statement
from registry.models import Entity
from registry.services.ledger import Pen

ENTITY_COLUMNS = (
    "id", "code", "registration_no", "organisation_code", "name", "kind", "status", "industry", "division", "organ",
    "address", "established", "capital_fen", "registered_seq", "provisional",
)  # fmt: skip
# Names longer than this exist nowhere; the column is no wider.
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Party:
    """Identifiers of one party, checked: at least one of them is set."""

    code: str | None = None
    registration_no: str | None = None
    organisation_code: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An entity that a party was matched to."""

    id: int
    provisional: bool
    name: str
    division: str


def get(code: str) -> Entity:
    """Return the entity with this credit code or old registration number. Raises EntityNotFound."""
    folded = fold_code(code)
    if "\x00" in folded:  # no identifier holds one, and PostgreSQL refuses to compare it
        raise EntityNotFound(mask_personal(code.replace("\x00", "␀"))[:40])
    found = find(Entity, code=folded) if len(folded) == 18 else find(Entity, registration_no=folded)
    if found is None:
        raise EntityNotFound(mask_personal(code)[:40])
    return found


def match(parties: Sequence[Party]) -> list[Found | None]:
    """Find the entity of each party: credit code, then registration number, then organisation code if it is unambiguous.

    Three queries for the whole batch, whatever its size. Names alone never match (they wait for a person).
    """
    by: dict[str, dict[str, list[Found]]] = {}
    for column in ("code", "registration_no", "organisation_code"):
        wanted = sorted({value for party in parties if (value := getattr(party, column))})
        by[column] = {}
        for part in in_slices(wanted):
            marks = ", ".join("?" * len(part))
            sql = f"SELECT {column}, id, provisional, name, division FROM entity WHERE {column} IN ({marks})"  # noqa: S608
            for value, entity, provisional, name, division in execute(sql, part).fetchall():
                by[column].setdefault(value, []).append(Found(entity, bool(provisional), name, division))
    return [_first(party, by) for party in parties]


def _first(party: Party, by: dict[str, dict[str, list[Found]]]) -> Found | None:
    for column in ("code", "registration_no", "organisation_code"):
        found = by[column].get(getattr(party, column) or "", [])
        if len(found) == 1:
            return found[0]
        # A party with a valid code is that code's entity or none: its other numbers must not lead elsewhere.
        if column == "code" and party.code:
            return None
    return None


def register(pen: Pen, rows: Sequence[tuple[Party, Statement]], *, source: str) -> list[str]:
    """Store registrations: make or complete the entities, append the ledger rows, keep the names that they have had.

    Returns what was said of each row: stored, corrected or unchanged.
    """
    found = match([party for party, _ in rows])
    made: dict[str, int] = {}
    fresh: list[tuple[Any, ...]] = []
    pairs: list[tuple[int, Statement]] = []
    for (party, statement), old in zip(rows, found, strict=True):
        number = party.code or party.registration_no or ""
        if old is None and number not in made:
            made[number] = pen.next_entity()
            fresh.append((made[number], *_columns(party, statement), None, False))
        pairs.append((old.id if old else made[number], statement))
    insert_rows("entity", ENTITY_COLUMNS, fresh)
    outcomes = pen.state(pairs, source=source)
    newest = {
        entity: (party, statement, outcome.seq)
        for (party, statement), (entity, _), outcome in zip(rows, pairs, outcomes, strict=True)
        if outcome.said != "unchanged"
    }
    _refresh(newest)
    add_names(pen, [(entity, statement.detail["name"]) for entity, (_, statement, _) in newest.items()])
    return [outcome.said for outcome in outcomes]


def provisional(pen: Pen, parties: Iterable[Party]) -> dict[str, int]:
    """Make an entity for each valid code that is not registered yet: listed, not graded until it is. Code → id."""
    made: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    for party in parties:
        assert party.code is not None
        if party.code not in made:
            made[party.code] = pen.next_entity()
            kind = {"91": "enterprise", "92": "individual", "93": "cooperative"}.get(party.code[:2], "other")
            rows.append((
                made[party.code], party.code, None, party.code[8:17], party.name[:LONGEST_NAME], kind, 1, 0, party.code[2:8],
                "", "", None, 0, None, True,
            ))  # fmt: skip
    insert_rows("entity", ENTITY_COLUMNS, rows)
    add_names(pen, [(made[row[1]], row[4]) for row in rows if row[4]])
    return made


def _columns(party: Party, statement: Statement) -> tuple[Any, ...]:
    detail = statement.detail
    established = statement.happened_on
    return (
        party.code, party.registration_no, party.organisation_code, detail["name"][:LONGEST_NAME], detail["subject"],
        statement.severity, statement.code, detail.get("division", ""), statement.organ, detail.get("address", ""),
        established.isoformat() if established else None, statement.amount_fen,
    )  # fmt: skip


def _refresh(newest: dict[int, tuple[Party, Statement, int]]) -> None:
    """Bring the cached columns of these entities up to their newest registration row."""
    names = ENTITY_COLUMNS[4:13]
    settings = ", ".join(f"{name} = ?" for name in names)
    execute_many(
        f"UPDATE entity SET {settings}, registration_no = coalesce(?, registration_no), registered_seq = ?, provisional = ? WHERE id = ?",  # noqa: S608
        [
            (*_columns(party, statement)[3:], party.registration_no, seq, False, entity)
            for entity, (party, statement, seq) in newest.items()
        ],
    )


def add_names(pen: Pen, pairs: Sequence[tuple[int, str]]) -> None:
    """Remember names that entities go by, so that any of them is found. Names that are known already change nothing."""
    wanted = {(entity, fold_name(name)[:LONGEST_NAME]) for entity, name in pairs if name.strip()}
    known: set[tuple[int, str]] = set()
    for part in in_slices(sorted({entity for entity, _ in wanted})):
        marks = ", ".join("?" * len(part))
        known.update(
            execute(f"SELECT entity_id, folded FROM entity_name WHERE entity_id IN ({marks})", part).fetchall()  # noqa: S608
        )
    rows = [(pen.next_name(), entity, folded) for entity, folded in sorted(wanted - known)]
    insert_rows("entity_name", ("id", "entity_id", "folded"), rows)
    index_names((number, folded) for number, _, folded in rows)


def index_names(names: Iterable[tuple[int, str]]) -> None:
    """Put names into the full-text index. PostgreSQL keeps its own up to date."""
    if not is_postgres():
        insert_rows(
            "name_index", ("rowid", "characters"), ((number, search_tokens(folded)) for number, folded in names)
        )


def named_like(text: str) -> tuple[str, list[object]]:
    """SQL, and its parameters, for the ids of entities one of whose names contains `text`; two characters suffice."""
    folded = fold_name(text)
    if not is_postgres():
        phrase = '"' + search_tokens(folded).replace('"', '""') + '"'
        return (
            "SELECT n.entity_id FROM name_index f JOIN entity_name n ON n.id = f.rowid WHERE f.characters MATCH ?",
            [phrase],
        )
    # The index answers "all these neighbours occur"; the comparison behind it checks that they follow each other.
    return (
        "SELECT entity_id FROM entity_name WHERE bigrams(folded) @> bigrams(?) AND position(searchable(?) IN searchable(folded)) > 0",
        [folded, folded],
    )


__all__ = ["Found", "Party", "add_names", "get", "index_names", "match", "named_like", "provisional", "register"]
