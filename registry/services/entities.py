"""Entities: found by any identifier, made from a registration, provisional until then, searched by name."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from peewee import BooleanField, DateField

from registry.cells import pinyin
from registry.cells.names import search_phrase, search_tokens
from registry.cells.personal import mask_personal
from registry.database import execute, execute_many, in_slices, insert_rows, is_postgres
from registry.errors import EntityNotFound
from registry.identity import fold_code
from registry.kinds import Statement
from registry.models import Entity
from registry.services import aliases, settling
from registry.services.ledger import WRITTEN, Pen, Said
from registry.services.parties import LONGEST_NAME, NUMBERS, Directory, Found, Match, Party, Reason, folded_name, match

ENTITY_COLUMNS = (
    "id", "code", "registration_no", "organisation_code", "name", "kind", "status", "industry", "division", "organ",
    "address", "established", "capital_fen", "registered_seq", "provisional",
)  # fmt: skip


def get(code: str, *, known: int | None = None) -> Entity:
    """Return the entity with this credit code or old registration number; where it was merged 合并, the one it is now.

    With `known` as far as was known at that ledger number: an entity that was merged later is itself. Raises EntityNotFound.
    """
    found, into = _numbered(code, aliases.NOW if known is None else known)
    return found if into is None else Entity.get_by_id(into)


def numbered(code: str) -> Entity:
    """Return the entity that has this credit code or registration number itself, merged or not. Raises EntityNotFound."""
    return _numbered(code, aliases.NOW)[0]


def _numbered(code: str, known: int) -> tuple[Entity, int | None]:
    """The entity with this number, and into whom it was merged as far as was known: one query, for every look-up asks it."""
    folded = fold_code(code)
    if "\x00" in folded:  # no identifier holds one, and PostgreSQL refuses to compare it
        raise EntityNotFound(mask_personal(code.replace("\x00", "␀"))[:40])
    sql, columns = _looking_up("code" if len(folded) == 18 else "registration_no")
    row = execute(sql, (known, known, folded)).fetchone()
    if row is None:
        raise EntityNotFound(mask_personal(code)[:40])
    found = Entity()
    # Set at once, as `database.find` does: every look-up of a grade comes by here.
    found.__data__ = {
        name: value if convert is None else convert(value)
        for (name, convert), value in zip(columns, row[1:], strict=True)
    }
    found._dirty.clear()  # type: ignore[attr-defined]
    return found, row[0]


@cache
def _looking_up(column: str) -> tuple[str, tuple[tuple[str, Callable[[Any], Any] | None], ...]]:
    """The query for an entity by one of its numbers, and how its columns are read. Built once."""
    fields = Entity._meta.sorted_fields
    names = ", ".join(f"entity.{field.column_name}" for field in fields)
    sql = (
        f'SELECT (SELECT "into" FROM alias WHERE alias.entity = entity.id AND {aliases.HOLDS}), {names} '  # noqa: S608 (ours)
        f"FROM entity WHERE {column} = ? LIMIT 1"
    )
    plain = (DateField, BooleanField)
    return sql, tuple((field.name, field.python_value if isinstance(field, plain) else None) for field in fields)


def register(pen: Pen, rows: Sequence[tuple[Party, Statement]], *, source: str) -> list[Said | Reason]:
    """Store registrations: make or complete the entities, append the ledger rows, keep the names that they have had.

    Returns what was said of each row; a `Reason` where a person must choose the entity: nothing of that row is stored.
    """
    directory = Directory([party for party, _ in rows])
    fresh: list[tuple[Any, ...]] = []
    numbers: dict[int, Found] = {}
    pairs: list[tuple[int, Statement]] = []
    said: list[Said | Reason | None] = []
    for party, statement in rows:
        looked = directory.find(party)
        said.append(looked.reason)
        if looked.reason is not None:
            continue
        if looked.found is None:
            made = Found(
                pen.next_entity(), False, party.name, "", party.code, party.registration_no, party.organisation_code
            )
            directory.add(made)
            fresh.append((made.id, *_columns(party, statement), None, False))
            pairs.append((made.id, statement))
            continue
        after = directory.give(looked.found, party)
        if any(getattr(after, column) != getattr(looked.found, column) for column in NUMBERS):
            numbers[after.id] = after
        pairs.append((after.id, statement))
    insert_rows("entity", ENTITY_COLUMNS, fresh)
    _renumber(numbers)
    outcomes = pen.state(pairs, source=source)
    written = [(*pair, one.seq) for pair, one in zip(pairs, outcomes, strict=True) if one.said in WRITTEN]
    _refresh({entity: (statement, seq) for entity, statement, seq in written})
    add_names(pen, [(entity, statement.detail["name"]) for entity, statement, _ in written])
    told = iter(outcomes)
    return [next(told).said if reason is None else reason for reason in said]


def place(pen: Pen, parties: Sequence[Party | None]) -> tuple[list[Match], int]:
    """Find the entity of each party, or make a provisional one for a valid code that nobody has.

    Returns a match for each party, in order (without an entity and without a reason: nobody has its numbers, and it has
    no code), and how many entities were made. No party (None) matches nothing.
    """
    directory = Directory([party for party in parties if party is not None])
    made: list[tuple[int, Party]] = []
    matches: list[Match] = []
    for party in parties:
        looked = directory.find(party) if party is not None else Match()
        if party is not None and party.code and looked == Match():
            made.append((pen.next_entity(), party))
            looked = Match(Found(made[-1][0], True, party.name, party.code[2:8], party.code, None, party.code[8:17]))
            assert looked.found is not None
            directory.add(looked.found)
        matches.append(looked)
    _insert_provisional(pen, made)
    return matches, len(made)


def provisional(pen: Pen, parties: Iterable[Party]) -> dict[str, int]:
    """Make an entity for each valid code that is not registered yet: listed, not graded until it is. Code → id."""
    first: dict[str, Party] = {}
    for party in parties:
        assert party.code is not None
        first.setdefault(party.code, party)
    made = {code: (pen.next_entity(), party) for code, party in first.items()}
    _insert_provisional(pen, list(made.values()))
    return {code: entity for code, (entity, _) in made.items()}


def _insert_provisional(pen: Pen, made: Sequence[tuple[int, Party]]) -> None:
    rows: list[tuple[Any, ...]] = []
    for entity, party in made:
        code = party.code or ""
        kind = {"91": "enterprise", "92": "individual", "93": "cooperative"}.get(code[:2], "other")
        # Its registration number is not kept: only the registering organ says which number is whose.
        rows.append((
            entity, code, None, code[8:17], party.name[:LONGEST_NAME], kind, 1, 0, code[2:8], "", "", None, 0, None, True,
        ))  # fmt: skip
    insert_rows("entity", ENTITY_COLUMNS, rows)
    add_names(pen, [(row[0], row[4]) for row in rows if row[4]])


def _columns(party: Party, statement: Statement) -> tuple[Any, ...]:
    detail = statement.detail
    established = statement.happened_on
    return (
        party.code, party.registration_no, party.organisation_code, detail["name"][:LONGEST_NAME], detail["subject"],
        statement.severity, statement.code, detail.get("division", ""), statement.organ, detail.get("address", ""),
        established.isoformat() if established else None, statement.amount_fen,
    )  # fmt: skip


def _renumber(numbers: dict[int, Found]) -> None:
    """Store the numbers that registrations gave to entities that were there already."""
    execute_many(
        "UPDATE entity SET code = ?, registration_no = ?, organisation_code = ? WHERE id = ?",
        [(one.code, one.registration_no, one.organisation_code, entity) for entity, one in numbers.items()],
    )


def _refresh(newest: dict[int, tuple[Statement, int]]) -> None:
    """Bring the cached columns of these entities up to their newest registration row."""
    settings = ", ".join(f"{name} = ?" for name in ENTITY_COLUMNS[4:13])
    execute_many(
        f"UPDATE entity SET {settings}, registered_seq = ?, provisional = ? WHERE id = ?",  # noqa: S608
        [(*_columns(Party(), statement)[3:], seq, False, entity) for entity, (statement, seq) in newest.items()],
    )


def add_names(pen: Pen, pairs: Sequence[tuple[int, str]]) -> None:
    """Remember names that entities go by, so that any of them is found. Names that are known already change nothing.

    Rows that were attached under one of these names alone, and now might be about somebody else, wait again.
    """
    wanted = {(entity, folded_name(name)) for entity, name in pairs if name.strip()}
    known: set[tuple[int, str]] = set()
    for part in in_slices(sorted({entity for entity, _ in wanted})):
        marks = ", ".join("?" * len(part))
        known.update(
            execute(f"SELECT entity_id, folded FROM entity_name WHERE entity_id IN ({marks})", part).fetchall()  # noqa: S608
        )
    rows = [(pen.next_name(), entity, folded) for entity, folded in sorted(wanted - known)]
    insert_rows("entity_name", ("id", "entity_id", "folded"), rows)
    index_names((number, folded) for number, _, folded in rows)
    settling.recheck(pen, [folded for _, _, folded in rows])


def index_names(names: Iterable[tuple[int, str]]) -> None:
    """Put names, and how they are read, into the full-text indexes. PostgreSQL keeps that of the names up to date itself."""
    known = list(names)
    read = [(number, pinyin.syllables(folded)) for number, folded in known]
    if is_postgres():
        insert_rows("name_pinyin", ("id", "syllables"), ((number, " ".join(one)) for number, one in read))
        return
    insert_rows("name_index", ("rowid", "characters"), ((number, search_tokens(folded)) for number, folded in known))
    insert_rows("name_index_pinyin", ("rowid", "words"), ((number, pinyin.index_words(one)) for number, one in read))


def named_like(text: str) -> tuple[str, list[object]]:
    """SQL, and its parameters, for the ids of entities one of whose names contains `text`; two characters suffice.

    Traditional characters find simplified ones and the other way round. Three letters and more also find names that are
    read so: by initials (xhsp) or in full (xinhengshipin).
    """
    folded = folded_name(text)
    if not is_postgres():
        sql = "SELECT n.entity_id FROM name_index f JOIN entity_name n ON n.id = f.rowid WHERE f.characters MATCH ?"
        values: list[object] = [search_phrase(folded) or '""']
        if (read := pinyin.phrases(text)) is not None:
            sql += (
                " UNION ALL SELECT n.entity_id FROM name_index_pinyin f JOIN entity_name n ON n.id = f.rowid "
                "WHERE f.words MATCH ?"
            )
            values.append(read)
        return sql, values
    # The index answers "all these neighbours occur"; the comparison behind it checks that they follow each other.
    sql = "SELECT entity_id FROM entity_name WHERE bigrams(folded) @> bigrams(?) AND position(searchable(?) IN searchable(folded)) > 0"
    values = [folded, folded]
    for how, read in pinyin.queries(text):
        one = "SELECT n.entity_id FROM name_pinyin p JOIN entity_name n ON n.id = p.id WHERE pinyin_words(p.syllables) @> ?"
        if how == "initials":
            sql += f" UNION ALL {one} AND position(? IN initials(p.syllables)) > 0"
            values += [pinyin.threes(read), read]
        else:
            sql += f" UNION ALL {one} AND position(? IN ' ' || p.syllables || ' ') > 0"
            values += [read.split(), f" {read} "]
    return sql, values


__all__ = [
    "LONGEST_NAME", "Found", "Match", "Party", "add_names", "get", "index_names", "match", "named_like", "numbered", "place",
    "provisional", "register",
]  # fmt: skip
