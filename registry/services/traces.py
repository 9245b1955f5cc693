"""What a lawful erasure must reach beside the ledger: waiting and settled rows, documents, first rows of dry runs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from registry.database import dicts, execute, in_slices
from registry.models import Decision, Document, Entity, EntityName, ListingCase, Record, Settled, Unmatched, Upload
from registry.services import queue, sameness

MASK = "(依法删除)"
# Uploads whose understanding is read at a time.
AT_ONCE = 200
# A text of this length or more is looked for in documents; shorter ones stand everywhere.
TELLING = 2


@dataclass(frozen=True, slots=True)
class Traces:
    """Rows beside the ledger that hold what a record says, found before the write transaction: ids by table."""

    unmatched: list[int]
    settled: list[int]
    parties: list[str]
    documents: list[int]
    uploads: list[int]


def find(record: Record) -> Traces:
    """Where else the content of a record stands. Reads only; found by indexes, but for the dry runs, which are all looked at."""
    settled = dicts(Settled.select().where(Settled.record == record.identity))
    waiting: list[dict[str, Any]] = []
    if record.entity_id is not None:
        near = _near(Entity.get_by_id(record.entity_id), {row["party"] for row in settled})
        waiting = [row for row in near(Unmatched) if _says(row, record)]
        held = {row["id"] for row in settled}
        settled += [
            row for row in near(Settled) if row["record"] is None and row["id"] not in held and _says(row, record)
        ]
    cases = ListingCase.select(ListingCase.id).where(ListingCase.identity == record.identity)
    abouts = [record.identity, *(f"case:{case.id}" for case in cases)]
    documents = Document.select(Document.id).where(Document.about.in_(abouts))
    return Traces(
        [row["id"] for row in waiting], [row["id"] for row in settled], sorted({row["party"] for row in [*waiting, *settled]}),
        [one.id for one in documents], list(_tried(record)),
    )  # fmt: skip


def wordings(identity: str) -> list[int]:
    """Ledger numbers of every wording of a record, oldest first; each half by an index of its own."""
    which = "SELECT seq FROM record WHERE identity = ? AND replaced_seq IS"
    found = execute(f"{which} NULL UNION ALL {which} NOT NULL", (identity, identity)).fetchall()
    return sorted(row[0] for row in found)


def remove(traces: Traces, *, fields: Sequence[str] = (), words: Iterable[str] = ()) -> None:
    """Take the content away, in the transaction of the erasure.

    Of a whole record the rows go, and its documents keep number, type and day alone. Of `fields` their values go from the
    rows, and `words`, what those fields said, from the documents. First rows of dry runs go either way.
    """
    for table, ids in (("unmatched", traces.unmatched), ("settled", traces.settled)):
        for number in ids:
            if fields:
                _empty(table, number, fields)
            else:
                execute(f"DELETE FROM {table} WHERE id = ?", (number,))  # noqa: S608 (names are ours)
    for number in traces.documents:
        _mask(number, [word for word in words if len(word) >= TELLING] if fields else None)
    for number in traces.uploads:
        read = dict(Upload.get_by_id(number).understanding or {}, first_rows=[])
        Upload.update(understanding=read).where(Upload.id == number).execute()
    if not fields:
        _nameless(traces.parties)


def _near(entity: Entity, parties: set[str]) -> Callable[[Any], list[dict[str, Any]]]:
    """How rows are found that may be about an entity: by its numbers and names, and by the parties decided to be it."""
    numbers = [one for one in (entity.code, entity.registration_no, entity.organisation_code) if one]
    names = [one.folded for one in EntityName.select().where(EntityName.entity == entity.id)]
    decided = {one.party for one in Decision.select(Decision.party).where(Decision.entity == entity.id)}

    def rows(model: Any) -> list[dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for column, values in (("party_code", numbers), ("folded", names), ("party", sorted(parties | decided))):
            for part in in_slices(values):
                for row in dicts(model.select().where(getattr(model, column).in_(part))):
                    found[row["id"]] = row
        return list(found.values())

    return rows


def _says(row: Mapping[str, Any], record: Record) -> bool:
    """Whether a row would be stated as this very record."""
    if row["kind"] != record.kind:
        return False
    said = queue.statement_of(row["kind"], row["fields"])
    content = sameness.content_of(said)
    return sameness.identity_of(said, record.entity_id, content, row["source"]) == record.identity


def _tried(record: Record) -> Iterator[int]:
    """Uploads that were tried and show the record among their first rows: by its number, else by its party and day."""
    entity = None if record.entity_id is None else Entity.get_by_id(record.entity_id)
    said = list(Record.select().where(Record.seq.in_(wordings(record.identity))))
    numbers = {one.document_no for one in said if one.document_no}
    days: set[str | None] = {None if one.happened_on is None else one.happened_on.isoformat() for one in said}
    codes = (
        set()
        if entity is None
        else {entity.code, entity.registration_no, entity.organisation_code, entity.name} - {None}
    )
    last = 0
    query = Upload.select(Upload.id, Upload.understanding).where(
        Upload.understanding.is_null(False) & Upload.run.is_null()
    )
    while batch := dicts(query.where(Upload.id > last).order_by(Upload.id).limit(AT_ONCE)):
        last = batch[-1]["id"]
        for one in batch:
            rows = (one["understanding"] or {}).get("first_rows") or []
            if any(_shows(row, record.kind, numbers, days, codes) for row in rows):
                yield one["id"]


def _shows(row: dict[str, Any], kind: str, numbers: set[str], days: set[str | None], codes: set[str | None]) -> bool:
    """Whether a first row of a dry run is the record: by its number, else by its party and day."""
    said, party = row.get("record") or {}, row.get("party") or {}
    if said.get("kind") != kind:
        return False
    here = said.get("happened_on") in days and bool({party.get("code"), party.get("name")} & codes)
    return said.get("document_no") in numbers or here


def _empty(table: str, number: int, fields: Sequence[str]) -> None:
    row = execute(f"SELECT CAST(fields AS text) FROM {table} WHERE id = ?", (number,)).fetchone()  # noqa: S608
    if row is not None:
        held = orjson.loads(row[0])
        held["detail"] = {name: value for name, value in held["detail"].items() if name not in fields}
        execute(f"UPDATE {table} SET fields = ? WHERE id = ?", (orjson.dumps(held).decode(), number))  # noqa: S608


def _mask(number: int, words: list[str] | None) -> None:
    """Put the mask in the place of these words of a document; of all its words where None."""
    document = Document.get_by_id(number)
    text, variables = MASK, dict.fromkeys(document.variables, MASK)
    if words is not None:
        text, variables = document.text, dict(document.variables)
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(word, MASK)
            variables = {name: value.replace(word, MASK) for name, value in variables.items()}
    if text != document.text:
        Document.update(text=text, variables=variables).where(Document.id == number).execute()


def _nameless(parties: list[str]) -> None:
    """Take the name off decisions about parties of which no row is left: the decision itself holds on."""
    for party in parties:
        left = any(model.select().where(model.party == party).exists() for model in (Unmatched, Settled))
        if not left:
            Decision.update(party_name=MASK, party_code="").where(Decision.party == party).execute()


__all__ = ["MASK", "Traces", "find", "remove", "wordings"]
