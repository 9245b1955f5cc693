"""Records over the API: post one or many, correct, withdraw, read page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import ValidationError
from peewee import fn

from registry import cursor
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import dicts
from registry.errors import BadRecord, RecordConflict, RecordNotFound
from registry.identity import read_identifier
from registry.kinds import KINDS, Kind, Statement, kind_named
from registry.models import Entity, Record, Uncounted
from registry.page import Page
from registry.services import aliases, audit, entities, grading, ledger, life, listings, publication, sameness, standing
from registry.services.entities import Found, Party
from registry.services.ledger import Pen
from registry.services.parsing import party_of
from rules.scheme import Scheme

# Sorts below every date.
UNDATED = "0000-00-00"
# Records of one transaction of a batch: other writers wait no longer than these take.
BATCH = 50


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of one posted record."""

    said: ledger.Said
    seq: int
    entity: int
    code: str
    division: str
    provisional: bool
    undated: bool
    # The grade before and after, for those who asked for it and may see it; both empty where there is none.
    before: standing.Standing | None = None
    after: standing.Standing | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A posted record that its kind accepts, and the party that it names."""

    party: Party
    statement: Statement


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record as a regulator reads it."""

    seq: int
    kind: Kind
    row: dict[str, Any]


def check(kind_name: str, payload: Any, *, organ: str, today: date, settings: Settings | None = None) -> Checked:
    """Check one posted record against its kind and its party. Stores nothing.

    `organ` is the key's organ: a key posts for its own organ only. `settings` say which organs decide on lists here: their
    listings come by cases alone. Raises UnknownKind, ListingConflict, and BadRecord, which names every field that is wrong.
    """
    kind = kind_named(kind_name)
    if settings is not None:
        listings.only_by_cases(kind_name, organ, settings, "enter", "remove", "correct")
    if not kind.postable:
        raise BadRecord({"kind": [f"{kind.title.en} records come from files only. Use `xinheng import`."]})
    if not isinstance(payload, dict):
        raise BadRecord({"record": ['Send a JSON object, for example {"party": {"code": "…"}, …}.']})
    fields = dict(payload)
    problems: dict[str, list[str]] = {}
    party = _party(fields.pop("party", None), problems)
    if fields.get("organ") not in (None, "", organ):
        problems["organ"] = [f"This key posts for {organ} only. Leave `organ` out, or use the other organ's own key."]
    fields["organ"] = organ
    try:
        data = kind.schema(today=today).load(fields)
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        problems |= {name: _texts(texts) for name, texts in messages.items()}
    if problems or party is None:
        raise BadRecord(problems)
    return Checked(party, kind.state(data))


def _party(given: Any, problems: dict[str, list[str]]) -> Party | None:
    if isinstance(given, dict) and isinstance(given.get("code"), int | float):
        problems["party.code"] = [
            "The code came as a number, as spreadsheets make it: its digits or leading zeros may be lost. Take the "
            "18 characters from the source and send them as text in quotation marks."
        ]
        return None
    if (
        not isinstance(given, dict)
        or not isinstance(given.get("code"), str)
        or not isinstance(given.get("name", ""), str)
    ):
        problems["party"] = ['Say whom the record is about: {"party": {"code": "18 characters", "name": "…"}}.']
        return None
    for strange in set(given) - {"code", "name"}:
        problems[f"party.{strange}"] = ["Unknown field. A party has `code` and `name`."]
    name = given.get("name", "")
    if "\x00" in name or len(name) > entities.LONGEST_NAME:
        problems["party.name"] = [f"A name has no NUL byte and at most {entities.LONGEST_NAME} characters."]
    reading = read_identifier(given["code"])
    if not reading.usable or reading.or_kind == "person":
        what = {"person": "This is a personal number. It is not stored; give the credit code of the enterprise.",
                "blank": "The code is empty. Give the 18 characters of the unified social credit code."}  # fmt: skip
        problems["party.code"] = [
            what.get(reading.kind) or reading.message or "This is not a credit code or registration number."
        ]
        return None
    return party_of(reading, mask_personal(name.strip())[: entities.LONGEST_NAME])


def _texts(found: Any) -> list[str]:
    if isinstance(found, dict):
        return [f"{key}: {text}" for key, texts in found.items() for text in _texts(texts)]
    return [str(text) for text in found] if isinstance(found, list) else [str(found)]


def post(
    checked: Sequence[Checked],
    *,
    source: str,
    actor: str,
    scheme: Scheme,
    schemes: list[str],
    today: date,
    now: int,
    with_grades: bool = False,
) -> list[Posted]:
    """Store records and regrade their entities, in one transaction. Safe to repeat: the same record is unchanged.

    With `with_grades` each outcome also tells the grade before and after: for callers with the right to read grades.

    Should grading fail, the records and the stale marks are committed all the same, and the worker grades later.
    Raises BadRecord where a registration number is not known: nothing is stored then.
    """
    with ledger.writing(now=now, schemes=schemes) as pen:
        found = _entities(pen, [one.party for one in checked])
        pairs = [(entity.id, one.statement) for entity, one in zip(found, checked, strict=True)]
        into = aliases.roots([entity.id for entity in found]) if with_grades else {}
        everyone = [into.get(entity.id, entity.id) for entity in found] if with_grades else []
        before = standing.standing(scheme, everyone)
        outcomes = pen.state(pairs, source=source)
        pen.flush()
        touched = sorted(
            {entity for (entity, _), outcome in zip(pairs, outcomes, strict=True) if outcome.said in ledger.WRITTEN}
        )
        if touched:
            grading.one_or_later(scheme, touched, day=today, now=now)
            audit.note(
                "records.posted",
                actor=actor,
                subject=f"{checked[0].statement.kind} × {len(checked)}",
                now=now,
                seq=pen.seq,
            )
        after = standing.standing(scheme, everyone)
        return [
            Posted(
                outcome.said,
                outcome.seq,
                entity.id,
                one.party.code or one.party.registration_no or one.party.organisation_code or "",
                entity.division,
                entity.provisional,
                one.statement.happened_on is None,
                before.get(into.get(entity.id, entity.id)),
                after.get(into.get(entity.id, entity.id)),
            )
            for outcome, entity, one in zip(outcomes, found, checked, strict=True)
        ]


def _entities(pen: Pen, parties: list[Party]) -> list[Found]:
    matched = entities.match(parties)
    missing = [party for party, entity in zip(parties, matched, strict=True) if entity is None and party.code]
    made = entities.provisional(pen, missing)
    found: list[Found] = []
    for party, entity in zip(parties, matched, strict=True):
        if entity is not None:
            found.append(entity)
        elif party.code is not None:
            found.append(Found(made[party.code], True, party.name, party.code[2:8]))
        else:
            raise BadRecord(
                {"party.code": ["No entity is registered under this number. Give its 18-character credit code."]}
            )
    return found


def correct(
    seq: int,
    kind_name: str,
    payload: Any,
    *,
    organ: str,
    source: str,
    reason: str,
    actor: str,
    scheme: Scheme,
    schemes: list[str],
    today: date,
    now: int,
    settings: Settings | None = None,
) -> ledger.Outcome:
    """Correct a record of one's own organ: a new row replaces it and the entity is regraded, in one transaction.

    Raises RecordConflict where the correction names another party, or changes what the record is known by (document
    number, year of a report): that is a withdrawal and a new record, else the right one, sent again, would count twice.
    """
    checked = check(kind_name, payload, organ=organ, today=today, settings=settings)
    with ledger.writing(now=now, schemes=schemes) as pen:
        old = _own(seq, organ, kind_name)
        matched = entities.match([checked.party])[0]
        if matched is None or matched.id != old.entity_id:
            raise RecordConflict(
                f"Record {seq} is about another party. Withdraw it, and post a new record about the right one."
            )
        said = checked.statement
        if old.replaced_seq is None and old.act != "withdraw" and _renamed(old, said, source):
            raise RecordConflict(
                f"Record {seq} is known by another {'document number' if said.document_no else 'day or number'}. Withdraw it, "
                "and post a new record under the right one."
            )
        outcome = pen.correct(seq, said, source=source)
        pen.flush()
        grading.one_or_later(scheme, [old.entity_id], day=today, now=now)
        if outcome.said in ledger.WRITTEN:
            publication.corrected(old.identity, by=outcome.seq, on=today)
            audit.note(
                "record.corrected",
                actor=actor,
                subject=f"record {seq}",
                now=now,
                seq=outcome.seq,
                reason=mask_personal(reason),
            )
        return outcome


def withdraw(
    seq: int,
    kind_name: str,
    *,
    organ: str,
    source: str,
    reason: str,
    actor: str,
    scheme: Scheme,
    schemes: list[str],
    today: date,
    now: int,
    settings: Settings | None = None,
) -> ledger.Outcome:
    """Withdraw a record of one's own organ: it never counts again, is shown nowhere, and recipients are told. Safe to
    repeat. Raises ListingConflict as in `check`."""
    if settings is not None:
        listings.only_by_cases(kind_name, organ, settings, "correct")
    with ledger.writing(now=now, schemes=schemes) as pen:
        old = _own(seq, organ, kind_name)
        target = life.current(seq)
        if old.replaced_seq is not None and not target.withdrawn:
            raise RecordConflict(
                f"Record {seq} was already replaced by {target.seq}. Withdraw that one instead.", current=target.seq
            )
        outcome = publication.withdraw(pen, target, source=source, reason=reason, by=actor, on=today, now=now)
        pen.flush()
        grading.one_or_later(scheme, [old.entity_id], day=today, now=now)
        if outcome.said in ledger.WRITTEN:
            audit.note("record.withdrawn", actor=actor, subject=f"record {seq}", now=now, by=outcome.seq)
        return outcome


def _renamed(old: Record, said: Statement, source: str) -> bool:
    """Whether a correction would change what the record is known by."""
    if said.key[-1] == "content":
        return bool(old.document_no)
    return sameness.identity_of(said, old.entity_id, "", source) != old.identity


def _own(seq: int, organ: str, kind_name: str) -> Record:
    record = Record.get_or_none(Record.seq == seq)
    if record is None or record.organ != organ:
        raise RecordNotFound(f"{organ} has no record {seq}. An organ corrects and withdraws its own records only.")
    assert isinstance(record, Record)
    if record.kind != kind_name:
        raise RecordConflict(f"Record {seq} is of kind {record.kind}, not {kind_name}. Use the path of its kind.")
    return record


def page(entity: Entity, *, kind: str | None, after: str | None, limit: int) -> Page[RecordView]:
    """Current records of one entity, newest first, those without a date last; withdrawn, repaired and erased ones are left out.

    Records of entities that are merged into it stand among them.
    """
    if kind is not None:
        kind_named(kind)
    day = fn.COALESCE(Record.happened_on.cast("text"), UNDATED)
    family = aliases.family(entity.id)
    gone = Uncounted.select(Uncounted.identity).where(Uncounted.entity.in_(family) & Uncounted.why.in_(life.FOR_GOOD))
    query = Record.select(Record, day.alias("sort_day")).where(
        Record.entity.in_(family)
        & Record.replaced_seq.is_null()
        & Record.act.not_in(("withdraw", "step"))
        & Record.identity.not_in(gone)
    )
    if kind is not None:
        query = query.where(Record.kind == kind)
    if after is not None:
        last_day, last_seq = cursor.decode(after, str, int)
        query = query.where((day < last_day) | ((day == last_day) & (Record.seq < last_seq)))
    rows = dicts(query.order_by(day.desc(), Record.seq.desc()).limit(limit + 1))
    more = len(rows) > limit
    rows = rows[:limit]
    items = [RecordView(row["seq"], KINDS[row["kind"]], row) for row in rows]
    return Page(items, cursor.encode(rows[-1]["sort_day"], rows[-1]["seq"]) if more else None)
