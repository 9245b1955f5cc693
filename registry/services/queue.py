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
from registry.services import ledger
from registry.services.ledger import Pen
from registry.services.parsing import Parsed, party_of
from registry.services.parties import NUMBERS, Directory, Party

COLUMNS = (
    "identity", "kind", "source", "run_id", "row", "reason", "party_name", "party_code", "person_hash", "fields", "waiting_since",
)  # fmt: skip
# Numbers of a chunk of registrations are asked for in two lists, which share the parameters of one statement.
SLICE = 15_000


def queue(run: int | None, source: str, waiting: Sequence[tuple[int, Parsed]], now: int) -> None:
    """Let rows (number in the file, row) wait for a person. The same row waits once, however often its file comes.

    A row that waits already keeps its place and takes the newest reason.
    """
    for number, result in waiting:
        row = (
            identity_of(source, result), result.statement.kind, source, run, number, result.why or "not_registered",
            result.name, result.shown_code[:64], result.person_hash, orjson.dumps(fields_of(result)).decode(), now,
        )  # fmt: skip
        names = ", ".join(f'"{column}"' for column in COLUMNS)
        execute(
            f"INSERT INTO unmatched ({names}) VALUES ({', '.join('?' * len(row))}) ON CONFLICT (identity) "  # noqa: S608
            "DO UPDATE SET reason = excluded.reason WHERE unmatched.reason <> excluded.reason",
            row,
        )


def identity_of(source: str, result: Parsed) -> str:
    """What makes a waiting row itself: who sent it, what it says, and whom it names."""
    party = result.person_hash or result.shown_code
    return ledger.digest([source, ledger.content_of(result.statement), *result.statement.key, party, result.name])


def fields_of(result: Parsed) -> dict[str, Any]:
    """A row as it waits: its statement but for the kind, and the numbers of its party. Never a person's number."""
    said, party = result.statement, None if result.person_hash else result.party
    return {
        "code": said.code, "severity": said.severity, "amount_fen": said.amount_fen, "happened_on": said.happened_on,
        "ends_on": said.ends_on, "document_no": said.document_no, "organ": said.organ, "key": said.key, "detail": said.detail,
        "party": None if party is None else {column: getattr(party, column) for column in NUMBERS},
    }  # fmt: skip


def statement_of(kind: str, fields: dict[str, Any]) -> Statement:
    """The statement of a waiting row, exactly as the row itself gave it: `fields_of`, read back from JSON."""
    days = {name: date.fromisoformat(fields[name]) if fields[name] else None for name in ("happened_on", "ends_on")}
    return Statement(
        kind, fields["code"], fields["severity"], fields["amount_fen"], days["happened_on"], days["ends_on"],
        fields["document_no"], fields["organ"], tuple(fields["key"]), fields["detail"],
    )  # fmt: skip


def release(pen: Pen, parties: Iterable[Party]) -> int:
    """State the rows that wait under the numbers of entities that were just registered, and return how many left.

    In the transaction of the pen, oldest first, each as its own source. Asked for are rows under the credit code, the
    registration number, the organisation code, or a 15-digit taxpayer number that ends in it; they are matched as if
    they came again, and those that still lead nowhere stay. So do rows about persons, and registrations: an old one
    would undo what a newer says.
    """
    known = list(parties)
    numbers = {getattr(party, column) for party in known for column in NUMBERS} - {None, ""}
    endings = {party.organisation_code for party in known} - {None, ""}
    ids: set[int] = set()
    for condition, wanted in (("party_code", numbers), ("length(party_code) = 15 AND substr(party_code, 7)", endings)):
        for part in in_slices(sorted(wanted), SLICE):
            sql = (
                f"SELECT id FROM unmatched WHERE {condition} IN ({', '.join('?' * len(part))}) "  # noqa: S608
                "AND person_hash IS NULL AND reason <> 'person' AND kind <> 'registration'"
            )
            ids.update(one for (one,) in execute(sql, part).fetchall())
    if not ids:
        return 0
    pen.flush()  # what is asked of the ledger below must hold the registrations
    rows = [row for part in in_slices(sorted(ids)) for row in Unmatched.select().where(Unmatched.id.in_(list(part)))]
    rows.sort(key=lambda row: row.id)
    directory = Directory([_party(row) for row in rows])
    leaving: list[int] = []
    stated: dict[str, list[tuple[int, Statement]]] = defaultdict(list)
    for row in rows:
        looked = directory.find(_party(row))
        reason: str | None = looked.reason
        if looked.found is not None:
            statement = statement_of(row.kind, row.fields)
            if _is_outdated(row, looked.found.id, statement):
                reason = "newer_known"
            else:
                stated[row.source].append((looked.found.id, statement))
                leaving.append(row.id)
        if reason is not None and reason != row.reason:
            execute("UPDATE unmatched SET reason = ? WHERE id = ?", (reason, row.id))
    for source, pairs in stated.items():
        pen.state(pairs, source=source)
        pen.flush()
    _delete("id", leaving)
    return len(leaving)


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


def _is_outdated(row: Unmatched, entity: int, statement: Statement) -> bool:
    """Whether its own source has said the same record in other words since the row began to wait."""
    content = ledger.content_of(statement)
    identity = ledger.identity_of(statement, entity, content, row.source)
    current = Record.get_or_none((Record.identity == identity) & Record.replaced_seq.is_null())
    return (
        current is not None and current.source == row.source and current.content != content
        and current.seq > ledger.seq_at(row.waiting_since)
    )  # fmt: skip


def _delete(column: str, values: Sequence[Any]) -> int:
    gone = 0
    for part in in_slices(values):
        marks = ", ".join("?" * len(part))
        gone += execute(f"DELETE FROM unmatched WHERE {column} IN ({marks})", part).rowcount  # noqa: S608
    return gone
