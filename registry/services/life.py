"""The life of one record 记录的生命周期: draft → reviewed → published → stopped, its objections and repairs.

Every change of state is one ledger row (a step); the tables `review`, `publication`, `objection` and `repair` are caches
of these steps, and :func:`derive_life` holds them against each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import orjson
from peewee import JSONField

from registry.database import db, dicts, execute, find, in_slices, insert_rows, is_postgres
from registry.errors import RecordConflict, RecordNotFound, RegistryError
from registry.kinds import KINDS
from registry.models import (
    Audit,
    Base,
    Decision,
    Entity,
    ImportRun,
    Moment,
    Objection,
    Publication,
    Record,
    Repair,
    Review,
    Settled,
    Uncounted,
)
from registry.services import aliases, step_words
from registry.services.ledger import ORGAN, Outcome, Pen, Why

TABLES: dict[str, tuple[type[Base], tuple[str, ...]]] = {
    "review": (Review, ("identity", "content")),
    "publication": (Publication, ("identity", "channel")),
    "objection": (Objection, ("id",)),
    "repair": (Repair, ("id",)),
}
# Every step in the life of a record, by the name under which the ledger has it.
STEPS = step_words.LIFE
# Reasons not to count under which a record is shown to nobody outside.
HIDDEN: tuple[Why, ...] = ("by_name", "review", "repaired", "erased")
# Those that are for good.
FOR_GOOD: tuple[Why, ...] = ("repaired", "erased")
# Steps of this many records are replayed at a time.
AT_ONCE = 500


class SameHands(RegistryError):
    """Two keys: who posted a record may not review it, who applied may not decide."""

    code = "same_hands"
    status = 403


class WrongState(RegistryError):
    """What was asked for does not follow from the state in which the matter is."""

    code = "wrong_state"
    status = 409


@dataclass(frozen=True, slots=True)
class Target:
    """A record as it stands now, its party, and why it does not count (empty where it does)."""

    seq: int
    identity: str
    content: str
    kind: str
    act: str
    source: str
    organ: str
    document_no: str
    severity: int
    happened_on: date | None
    ends_on: date | None
    detail: dict[str, Any]
    entity: Entity
    out: str

    @property
    def withdrawn(self) -> bool:
        return self.act == "withdraw"


@dataclass(frozen=True, slots=True)
class Change:
    """New values of one row of a cache. A key column that is None is the number of the step itself."""

    table: str
    key: dict[str, Any]
    values: dict[str, Any]


def current(seq: int, *, kind: str | None = None, organ: str | None = None) -> Target:
    """The record that any of its ledger rows belongs to, as it stands now.

    `organ` is the caller's, where he may act on his own organ's records only. Raises RecordNotFound where there is no
    such record (of that organ, and of the kind that the path says): nobody learns from a number that a record exists
    which is not his business, or of which kind it is.
    """
    row = find(Record, seq=seq)
    if row is None or row.act == "step" or row.kind not in KINDS or (organ is not None and row.organ != organ):
        raise absent(seq, kind, organ)
    if kind is not None and row.kind != kind:
        raise absent(seq, kind, organ)
    return target_of(row.identity)


def absent(seq: int, kind: str | None, organ: str | None = None) -> RecordNotFound:
    """What is said of a record that is not there, of another kind, or nobody's business who asks: the same words for each."""
    return RecordNotFound(
        f"{organ or 'The ledger'} has no {kind or 'record'} {seq} that this key may see. "
        "`xinheng dossier CODE` (GET /api/v1/entities/{code}/records) lists an entity's records, GET /api/v1/own an enterprise's own."
    )


def target_of(identity: str) -> Target:
    """The record of one identity as it stands now."""
    (row,) = rows_of(Record, identity=identity, replaced_seq=None)
    out = find(Uncounted, identity=identity)
    party = find(Entity, id=row["entity"])
    assert party is not None, "a record has its entity"
    return _target(row, party, "" if out is None else out.why)


def _target(row: Mapping[str, Any], party: Entity, out: str) -> Target:
    return Target(
        row["seq"], row["identity"], row["content"], row["kind"], row["act"], row["source"], row["organ"], row["document_no"],
        row["severity"], row["happened_on"], row["ends_on"], row["detail"], party, out,
    )  # fmt: skip


def standing(target: Target, seq: int) -> None:
    """Raise RecordConflict unless ledger row `seq` is what the record says now: for verbs about one wording."""
    if target.seq != seq:
        raise RecordConflict(
            f"Record {seq} was already replaced by {target.seq}. Look at that one, and use its number.",
            current=target.seq,
        )
    alive(target)


def alive(target: Target) -> None:
    """Raise RecordConflict where the record is withdrawn, repaired or erased: nothing more happens to it."""
    if target.withdrawn:
        raise RecordConflict(f"Record {target.seq} was withdrawn. It stays on record, counts no more and is not shown.")
    if target.out in FOR_GOOD:
        raise RecordConflict(f"Record {target.seq} is {target.out}. It counts no more and is not shown; nothing is left to do.")  # fmt: skip


def targets(*, seqs: Sequence[int] = (), identities: Sequence[str] = ()) -> list[Target]:
    """Records as they stand now, by ledger rows that hold or by identity, in order of their rows. Three queries a batch."""
    found: list[dict[str, Any]] = []
    for part in in_slices(list(seqs) or list(identities)):
        field = Record.seq if seqs else Record.identity
        found += dicts(Record.select().where(field.in_(part) & Record.replaced_seq.is_null() & (Record.act != "step")))
    parties = {one.id: one for part in in_slices(sorted({row["entity"] for row in found}))
               for one in Entity.select().where(Entity.id.in_(part))}  # fmt: skip
    out = {row.identity: row.why for part in in_slices(sorted({row["identity"] for row in found}))
           for row in Uncounted.select().where(Uncounted.identity.in_(part))}  # fmt: skip
    return [
        _target(row, parties[row["entity"]], out.get(row["identity"], ""))
        for row in sorted(found, key=lambda row: int(row["seq"]))
    ]


def step(
    pen: Pen,
    name: str,
    target: Target,
    changes: Sequence[Change],
    *,
    on: date,
    by: str,
    reason: str = "",
    leaves_out: Why | None = None,
    **said: Any,
) -> Outcome:
    """Put one change of state on record, as one ledger row, and bring the caches to it.

    The row's `detail` holds all that the caches hold (`set`), so that they can be made again from the ledger alone.
    Whether there is anything to do is the caller's to find out first: inside the transaction nobody else can change it.
    """
    before = [_seq_of(change) for change in changes]
    wanted = [[change.table, change.key, _plain(change.values)] for change in changes]
    detail = {"set": wanted, **({"reason": reason} if reason else {}), **said}
    key: list[str | int] = [*(str(value) for change in changes for value in change.key.values()), *before]
    if any(value is None for change in changes for value in change.key.values()):
        key.append(pen.seq + 1)
    outcome = pen.step(
        name, about=target.identity, entity=target.entity.id, key=key, on=on, detail=detail, by=by[:64],
        leaves_out=leaves_out,
    )  # fmt: skip
    for change in changes:
        model, _ = TABLES[change.table]
        keys = {column: outcome.seq if value is None else value for column, value in change.key.items()}
        _keep(model, keys, {**change.values, "seq": outcome.seq}, target)
    return outcome


def _keep(model: type[Base], keys: dict[str, Any], values: dict[str, Any], target: Target) -> None:
    """Bring one row of a cache to its new values. Plain SQL: the mapper takes longer to write a statement than to run it."""
    fields = model._meta.fields
    table = model._meta.table_name

    def columns(names: Iterable[str]) -> list[str]:
        return [f'"{fields[name].column_name}"' for name in names]

    def plain(name: str, value: Any) -> Any:
        if isinstance(fields[name], JSONField):
            return orjson.dumps(value).decode()
        return value.isoformat() if isinstance(value, date) else value

    setting = ", ".join(f"{column} = ?" for column in columns(values))
    where = " AND ".join(f"{column} = ?" for column in columns(keys))
    given = [plain(name, value) for name, value in values.items()]
    done = execute(f'UPDATE "{table}" SET {setting} WHERE {where}', (*given, *keys.values()))  # noqa: S608 (names are ours)
    if not done.rowcount:
        default = {
            name: field.default for name, field in fields.items() if not field.null and not callable(field.default)
        }
        row = {**default, **keys, "identity": target.identity, "entity": target.entity.id, **values}
        insert_rows(
            table, [column.strip('"') for column in columns(row)], [[plain(name, value) for name, value in row.items()]]
        )


def rows_of(model: type[Base], **equal: Any) -> list[dict[str, Any]]:
    """The rows of a table with these values (None: empty), as dictionaries. The text of the query is built once."""
    fields = model._meta.sorted_fields
    given = {name: value for name, value in equal.items() if value is not None}
    empty = tuple(name for name in equal if name not in given)
    found = db.execute_sql(_reading(model, tuple(given), empty, is_postgres()), tuple(given.values())).fetchall()
    return [{field.name: field.python_value(value) for field, value in zip(fields, row, strict=True)} for row in found]


@cache
def _reading(model: type[Base], names: tuple[str, ...], empty: tuple[str, ...], postgres: bool) -> str:
    query = model.select(*model._meta.sorted_fields)
    for name in empty:
        # An index of the rows that hold is found by this condition only.
        query = query.where(getattr(model, name).is_null())
    for name in names:
        query = query.where(getattr(model, name) == "")
    text: str = query.sql()[0]
    return text


def _seq_of(change: Change) -> int:
    model, _ = TABLES[change.table]
    if any(value is None for value in change.key.values()):
        return 0
    rows = rows_of(model, **change.key)
    return int(rows[0]["seq"]) if rows else 0


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def posted_by(target: Target) -> set[str]:
    """Who brought the words that the record has now: the keys that posted or corrected it, senders of the files that hold
    it, and who decided that a row without a number is this party's.

    Words that waited for their party and were released by its registration no longer say of which file they came: then
    everybody counts who had sent one of that source. Empty where nobody is on record. Six look-ups by an index at most for
    each row with these words; to be asked before the write transaction that needs it.
    """
    found: set[str] = set()
    for seq, source in execute(_SAID, (target.identity, target.content) * 2).fetchall():
        found |= _posted(seq) if source == ORGAN else _sent(seq, source)
    settled = rows_of(Settled, record=target.identity)
    runs, decisions = ([row[name] for row in settled if row[name]] for name in ("run", "decision"))
    found |= {one.sender for one in ImportRun.select(ImportRun.sender).where(ImportRun.id.in_(runs))} if runs else set()
    if decisions:
        found |= {one.decided_by for one in Decision.select(Decision.decided_by).where(Decision.id.in_(decisions))}
    return found - {""}


# Rows with these words, that which holds and those before it: each by an index of its own.
_SAID = " UNION ALL ".join(
    f"SELECT seq, source FROM record WHERE identity = ? AND content = ? AND act <> 'withdraw' AND replaced_seq {which}"  # noqa: S608
    for which in ("IS NULL", "IS NOT NULL")
)


def _posted(seq: int) -> set[str]:
    """The key that posted or corrected a row: its entry names the last row of that transaction."""
    moment = Moment.select(Moment.seq).where(Moment.seq >= seq).order_by(Moment.seq).limit(1).scalar()
    verbs = Audit.verb.in_(("records.posted", "record.corrected"))
    return {one.actor for one in Audit.select(Audit.actor).where(Audit.seq.in_((seq, moment or seq)) & verbs)}


def _sent(seq: int, source: str) -> set[str]:
    """Senders of the files of a source that were at work when the row was written, else of all that had come by then."""
    at = Moment.select(Moment.at).where(Moment.seq >= seq).order_by(Moment.seq).limit(1).scalar()
    if at is None:
        return set()
    by_then = (ImportRun.source == source) & (ImportRun.started_at <= at)
    came = ImportRun.select(ImportRun.sender).where(by_then).distinct()
    at_work = came.where(ImportRun.finished_at.is_null() | (ImportRun.finished_at >= at))
    return {one.sender for one in at_work} or {one.sender for one in came}


def family(entity: int) -> list[int]:
    """The entity that this one is now, and those that were merged into it: whose records are its own. Two queries."""
    one = aliases.root(entity)
    return sorted({one, *aliases.members([one])})


def two_keys(actor: str, first: Iterable[str], *, what: str, did: str) -> None:
    """Raise SameHands where the actor is one of those whose work he would judge."""
    if actor in set(first):
        raise SameHands(f"{actor} {did} and may not {what} as well. Another person must do it, with a key of his own.")


def of(target: Target) -> dict[str, Any]:
    """One record's life: state, review, where it stands on each channel, objections, repairs, and every step in order."""
    reviews = dicts(Review.select().where(Review.identity == target.identity).order_by(Review.seq.desc()))
    now = next((row for row in reviews if row["content"] == target.content), None)
    channels = dicts(Publication.select().where(Publication.identity == target.identity).order_by(Publication.channel))
    steps = Record.select().where((Record.about == target.identity) & (Record.act == "step")).order_by(Record.seq)
    return {
        "seq": target.seq,
        "kind": target.kind,
        "code": target.entity.code or target.entity.registration_no,
        "document_no": target.detail.get("printed_no") or target.document_no,
        "organ": target.organ,
        "state": state_of(target, None if now is None else now["outcome"], [row["state"] for row in channels]),
        "counts": not target.withdrawn and not target.out,
        "review": now,
        "channels": channels,
        "objections": dicts(Objection.select().where(Objection.identity == target.identity).order_by(Objection.id)),
        "repairs": dicts(Repair.select().where(Repair.identity == target.identity).order_by(Repair.id)),
        "steps": [
            {
                "seq": row.seq, "step": row.kind, "title": step_words.label(row.kind),
                "on": row.happened_on, "by": row.source, "reason": row.detail.get("reason", ""),
            }
            for row in steps
        ],
    }  # fmt: skip


def state_of(target: Target, outcome: str | None, channels: Sequence[str]) -> str:
    """draft, reviewed, refused, published, blocked, stopped, withdrawn, repaired, erased or waiting, in one word."""
    if target.withdrawn:
        return "withdrawn"
    if target.out in FOR_GOOD:
        return target.out
    if target.out:
        return "waiting"
    if outcome == "refused":
        return "refused"
    if outcome is None:
        # What is published is not shown while a new wording waits for its review.
        return "draft"
    for state in ("published", "blocked", "stopped"):
        if state in channels:
            return state
    return "reviewed"


def derive_life() -> Iterator[str]:
    """Make the caches again from the steps and yield each difference, as a sentence. Nothing where all is in order.

    Streams over the ledger record by record; memory does not grow with it.
    """
    batch: dict[str, list[tuple[int, int, list[Any]]]] = {}
    steps = (
        Record.select(Record.seq, Record.about, Record.entity, Record.detail)
        .where(Record.about.is_null(False) & (Record.act == "step") & Record.kind.in_(list(STEPS)))
        .order_by(Record.about, Record.seq)
    )
    for row in steps.tuples().iterator():
        seq, about, entity, detail = row
        if about not in batch and len(batch) >= AT_ONCE:
            yield from _differences(batch)
            batch = {}
        batch.setdefault(about, []).append((seq, entity, detail["set"]))
    yield from _differences(batch)
    for table, (model, keys) in TABLES.items():
        told = Record.select(Record.about).where(
            Record.about.is_null(False) & (Record.act == "step") & Record.kind.in_(list(STEPS))
        )
        for stray in model.select().where(model.identity.not_in(told)).iterator():  # type: ignore[attr-defined]
            yield f"{table} {_name(stray.__data__, keys)}: no step of the ledger says so."


def _differences(batch: Mapping[str, list[tuple[int, int, list[Any]]]]) -> Iterator[str]:
    expected: dict[tuple[str, tuple[Any, ...]], dict[str, Any]] = {}
    for identity, steps in batch.items():
        for seq, entity, changes in steps:
            for table, key, values in changes:
                full = {column: seq if value is None else value for column, value in key.items()}
                full.setdefault("identity", identity)
                where = (table, tuple(full[column] for column in TABLES[table][1]))
                expected.setdefault(where, {"identity": identity, "entity": entity}).update(
                    {**full, **values, "seq": seq}
                )
    for table, (model, keys) in TABLES.items():
        rows = dicts(model.select().where(model.identity.in_(list(batch))))  # type: ignore[attr-defined]
        there = {tuple(row[column] for column in keys): _plain(row) for row in rows}
        wanted = {key: row for (name, key), row in expected.items() if name == table}
        for key in sorted(set(there) | set(wanted), key=str):
            is_, should = there.get(key), wanted.get(key)
            if is_ is None or should is None:
                what = "is missing" if is_ is None else "no step of the ledger says so"
                yield f"{table} {_name(should or is_ or {}, keys)}: {what}."
                continue
            for column in [column for column, value in should.items() if is_[column] != value]:
                yield f"{table} {_name(should, keys)}: {column} is {is_[column]!r}, the ledger says {should[column]!r}."


def _name(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{column} {row[column]}" for column in ("identity", *(one for one in keys if one != "identity")))


def rebuild(pen: Pen) -> None:
    """Make the caches anew from the steps of the ledger, inside the writer's transaction."""
    for model, _ in TABLES.values():
        model.delete().execute()
    steps = Record.select().where((Record.act == "step") & Record.kind.in_(list(STEPS))).order_by(Record.seq)
    rows: dict[tuple[str, tuple[Any, ...]], dict[str, Any]] = {}
    for step_ in steps.iterator():
        for table, key, values in step_.detail["set"]:
            full = {column: step_.seq if value is None else value for column, value in key.items()}
            full.setdefault("identity", step_.about)
            where = (table, tuple(full[column] for column in TABLES[table][1]))
            rows.setdefault(where, {"identity": step_.about, "entity": step_.entity_id}).update(
                {**full, **values, "seq": step_.seq}
            )
    for (table, _), row in rows.items():
        TABLES[table][0].insert(**row).execute()
