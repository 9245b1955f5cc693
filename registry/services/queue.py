"""The queue 待匹配: good rows whose party was not found. They wait once, and leave when their party is known."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import orjson

from registry.database import execute, in_slices
from registry.identity import read_identifier
from registry.kinds import Statement
from registry.models import Record, Unmatched
from registry.services import ledger, naming, sameness, settling
from registry.services.known import Matched
from registry.services.ledger import Pen
from registry.services.parsing import Parsed, party_of
from registry.services.parties import NUMBERS, Directory, Party, folded_name
from registry.services.settling import DETACHED, NAMES, ROW, How

# Numbers of a chunk of registrations are asked for in two lists, which share the parameters of one statement.
SLICE = 15_000


def queue(rows: Sequence[Sequence[Any]]) -> None:
    """Let rows (columns ROW) wait for a person. The same row waits once, however often its file comes.

    A row that waits already keeps its place and takes the newest reason, and an area where it had none.
    """
    marks = ", ".join("?" * len(ROW))
    sql = (
        f"INSERT INTO unmatched ({NAMES}) VALUES ({marks}) ON CONFLICT (identity) DO UPDATE SET reason = excluded.reason, "  # noqa: S608
        "division = excluded.division, party = excluded.party, folded = excluded.folded "
        f"WHERE unmatched.reason <> '{DETACHED}' AND (unmatched.reason <> excluded.reason "
        "OR (excluded.division <> '' AND unmatched.division <> excluded.division))"
    )
    for row in rows:
        execute(sql, row)


def row_of(run: int | None, source: str, number: int | None, result: Parsed, *, area: str, now: int) -> tuple[Any, ...]:
    """A row as it waits, or is settled: columns ROW. `area` is where its party is registered, "" where unknown."""
    return (
        identity_of(source, result), result.statement.kind, source, run, number, result.why or "not_registered", result.name,
        result.shown_code[:64], result.person_hash, party_key(source, result, area), naming.name_alone(result), area,
        orjson.dumps(fields_of(result)).decode(), now,
    )  # fmt: skip


def visible(division: str, divisions: Sequence[str]) -> bool:
    """Whether a row of this area is the business of somebody with these divisions; one without an area is for those with all."""
    return any(division.startswith(prefix) for prefix in divisions)


def party_key(source: str, result: Parsed, area: str) -> str:
    """Which party a row names, as its source says it: rows with one key share one decision.

    A registration is a party of its own. By number where the row shows one, with the name; else by the enterprise's name in its area. A row that names a
    person, or nobody, has a key of its own: two persons of one name are two parties.
    """
    folded = folded_name(result.name)
    if result.statement.kind == "registration":
        return sameness.digest(["row", identity_of(source, result)])
    if result.person_hash is not None:
        return sameness.digest(["person", source, folded, result.person_hash])
    if result.shown_code and result.party is not None:
        return sameness.digest(["number", source, folded, result.shown_code])
    if result.why == "numbers_disagree":
        return sameness.digest(["numbers", source, folded, result.shown_code])
    if alone := naming.name_alone(result):
        return sameness.digest(["name", source, alone, area])
    return sameness.digest(["row", identity_of(source, result)])


def identity_of(source: str, result: Parsed) -> str:
    """What makes a waiting row itself: who sent it, what it says, and whom it names."""
    party = result.person_hash or result.shown_code
    return sameness.digest([source, sameness.content_of(result.statement), *result.statement.key, party, result.name])


def fields_of(result: Parsed) -> dict[str, Any]:
    """A row as it waits: its statement but for the kind, the numbers of its party, and whether its sender spoke for
    another organ. Never a person's number."""
    said, party = result.statement, None if result.person_hash else result.party
    return {
        "code": said.code, "severity": said.severity, "amount_fen": said.amount_fen, "happened_on": said.happened_on,
        "ends_on": said.ends_on, "document_no": said.document_no, "organ": said.organ, "key": said.key, "detail": said.detail,
        "party": None if party is None else {column: getattr(party, column) for column in NUMBERS},
        **({"foreign": True} if result.foreign else {}),
    }  # fmt: skip


def statement_of(kind: str, fields: dict[str, Any]) -> Statement:
    """The statement of a waiting row, exactly as the row itself gave it: `fields_of`, read back from JSON."""
    days = {name: date.fromisoformat(fields[name]) if fields[name] else None for name in ("happened_on", "ends_on")}
    return Statement(
        kind, fields["code"], fields["severity"], fields["amount_fen"], days["happened_on"], days["ends_on"],
        fields["document_no"], fields["organ"], tuple(fields["key"]), fields["detail"],
    )  # fmt: skip


def is_foreign(fields: dict[str, Any]) -> bool:
    """Whether who sent a waiting row spoke for another organ: what is grave of it waits for a review, whoever finds its party."""
    return bool(fields.get("foreign"))


def release(pen: Pen, parties: Iterable[Party], *, now: int) -> int:
    """State the rows that wait for entities that were just registered, and return how many left.

    In the transaction of the pen, oldest first, each as its own source. Asked for are rows under the credit code, the
    registration number, the organisation code, or a 15-digit taxpayer number that ends in it; they are matched as if
    they came again, and those that still lead nowhere stay. So are rows that have an area and the entity's name alone.
    Rows about persons, and registrations, stay: an old one would undo what a newer says.
    """
    known = list(parties)
    numbers = {getattr(party, column) for party in known for column in NUMBERS} - {None, ""}
    endings = {party.organisation_code for party in known} - {None, ""}
    names = {folded_name(party.name) for party in known} - {""}
    ids: set[int] = set()
    for condition, wanted in (
        ("party_code", numbers),
        ("length(party_code) = 15 AND substr(party_code, 7)", endings),
        (f"division <> '' AND reason <> '{DETACHED}' AND folded", names),
    ):
        for part in in_slices(sorted(wanted), SLICE):
            sql = (
                f"SELECT id FROM unmatched WHERE {condition} IN ({', '.join('?' * len(part))}) "  # noqa: S608
                # Wrapped: it tells most rows apart from few, and must not be what they are found by.
                "AND coalesce(person_hash, '') = '' AND reason <> 'person' AND kind <> 'registration'"
            )
            ids.update(one for (one,) in execute(sql, part).fetchall())
    if not ids:
        return 0
    pen.flush()  # what is asked of the ledger below must hold the registrations
    rows = [row for part in in_slices(sorted(ids)) for row in Unmatched.select().where(Unmatched.id.in_(list(part)))]
    rows.sort(key=lambda row: row.id)
    directory = Directory([_party(row) for row in rows])
    named = naming.by_name((row.folded, row.division) for row in rows if row.reason != DETACHED)
    left = 0
    sure: list[tuple[Unmatched, int]] = []
    alone: list[tuple[Unmatched, int]] = []
    for row in rows:
        looked = directory.find(_party(row))
        if looked.found is not None:
            sure.append((row, looked.found.id))
        elif (row.folded, row.division) in named:
            alone.append((row, named[row.folded, row.division]))
        elif looked.reason is not None and looked.reason != row.reason:
            execute("UPDATE unmatched SET reason = ? WHERE id = ?", (looked.reason, row.id))
    left += state_rows(pen, sure, matched="number", now=now)
    left += state_rows(pen, alone, matched="name", how="name", now=now)
    return left


def state_rows(
    pen: Pen, rows: Sequence[tuple[Unmatched, int]], *, matched: Matched, now: int, how: How | None = None,
    decision: int | None = None,
) -> int:  # fmt: skip
    """State waiting rows about the entities that they turned out to be about, each as its own source; how many left.

    With `how` they are kept among the settled, so that they can be put back. A row whose source has said the same record
    in other words since is not stated: it waits on (`newer_known`), unless a person decided, to whom it is settled.
    """
    stated: dict[str, list[tuple[Unmatched, int, Statement]]] = defaultdict(list)
    held: list[tuple[Unmatched, int, str]] = []
    for row, entity in rows:
        statement = statement_of(row.kind, row.fields)
        newer = _newer(row, entity, statement)
        if newer is None:
            stated[row.source].append((row, entity, statement))
        elif how == "person":
            held.append((row, entity, newer))
        elif row.reason != "newer_known":
            execute("UPDATE unmatched SET reason = 'newer_known' WHERE id = ?", (row.id,))
    for source, said in stated.items():
        outcomes = pen.state(
            [one[1:] for one in said], source=source, matched=[matched] * len(said),
            foreign=[is_foreign(row.fields) for row, _, _ in said],
        )  # fmt: skip
        records = settling.identities_at(pen, [one.seq for one in outcomes]) if how is not None else {}
        if how is not None:
            held += [(row, entity, records[one.seq]) for (row, entity, _), one in zip(said, outcomes, strict=True)]
        else:
            _delete("id", [row.id for row, _, _ in said])
        pen.flush()
    if how is not None:
        gone = settling.erased(record for *_, record in held)
        _delete("id", [row.id for row, _, record in held if record in gone])
        left = len(held)
        held = [one for one in held if one[2] not in gone]
        settling.settle(
            [row_values(row) for row, _, _ in held],
            [(how, entity, record, decision) for _, entity, record in held],
            now,
        )
        return left
    return sum(map(len, stated.values()))


def row_values(row: Unmatched) -> tuple[Any, ...]:
    """A waiting row as `settling.settle` takes it: columns ROW."""
    values = {**row.__data__, "run_id": row.__data__.get("run"), "fields": orjson.dumps(row.fields).decode()}
    return tuple(values[column] for column in ROW)


def forget(source: str, matched: Iterable[Parsed]) -> int:
    """Let the waiting twins of rows that are stated now leave the queue, and return how many there were."""
    shown = defaultdict(list)
    for result in matched:
        shown[result.shown_code[:64]].append(result)
    gone = 0
    for part in in_slices(sorted(shown)):
        sql = f"SELECT DISTINCT party_code FROM unmatched WHERE party_code IN ({', '.join('?' * len(part))})"  # noqa: S608
        held = [code for (code,) in execute(sql, part).fetchall()]
        gone += _delete("identity", sorted({identity_of(source, result) for code in held for result in shown[code]}))
    return gone


def _party(row: Unmatched) -> Party:
    """Whom a waiting row names; rows from before the numbers were kept say it by the one that is shown."""
    fields: dict[str, Any] = row.fields
    if fields.get("party"):
        return Party(**fields["party"], name=row.party_name)
    reading = read_identifier(row.party_code)
    # A row that names two codes has a party that nobody can tell.
    return party_of(reading, row.party_name) if reading.usable and "party" not in fields else Party(name=row.party_name)


def _newer(row: Unmatched, entity: int, statement: Statement) -> str | None:
    """The identity of the record that its own source has said in other words since the row began to wait; else None."""
    content = sameness.content_of(statement)
    identity = sameness.identity_of(statement, entity, content, row.source)
    current = Record.get_or_none((Record.identity == identity) & Record.replaced_seq.is_null())
    newer = (
        current is not None and current.source == row.source and current.content != content
        and current.seq > ledger.seq_at(row.waiting_since)
    )  # fmt: skip
    return identity if newer else None


def _delete(column: str, values: Sequence[Any]) -> int:
    gone = 0
    for part in in_slices(values):
        marks = ", ".join("?" * len(part))
        gone += execute(f"DELETE FROM unmatched WHERE {column} IN ({marks})", part).rowcount  # noqa: S608
    return gone
