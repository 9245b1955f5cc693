"""Rows of records as they arrive: whom each is about, by number, by what was settled or decided before, or by its name."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from registry.database import execute, in_slices
from registry.kinds import Statement
from registry.services import aliases, entities, naming, queue, settling
from registry.services.known import Matched
from registry.services.ledger import Outcome, Pen
from registry.services.parsing import Parsed
from registry.services.parties import Match
from registry.services.settling import DETACHED, How, Twin


@dataclass(frozen=True, slots=True)
class Fate:
    """Whom a row is about, and how that is known. Without an entity it waits, or is dropped by a decision."""

    entity: int | None = None
    matched: Matched = "number"
    how: How | None = None
    decision: int | None = None
    reason: str = ""


@dataclass(slots=True)
class Arrived:
    """What became of a chunk of rows. `outcomes` belong to `statements`, in order."""

    statements: list[Statement] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    waiting: int = 0
    dropped: int = 0
    by_name: int = 0
    provisional: int = 0
    released: int = 0


def store(pen: Pen, source: str, run: int, rows: Sequence[tuple[int, Parsed]], *, area: str, now: int) -> Arrived:
    """State the rows (number in the file, row) whose party is found, let the others wait. In the transaction of the pen.

    `area` is where the parties are registered whose row does not say so; "" where that is not known.
    """
    arrived = Arrived()
    matches, arrived.provisional = entities.place(pen, [result.party for _, result in rows])
    results = [replace(one, why=one.why or looked.reason or "") for (_, one), looked in zip(rows, matches, strict=True)]
    fates = fates_of(pen, source, results, matches, area=area)
    stated = [at for at, fate in enumerate(fates) if fate.entity is not None]
    pairs = [(fates[at].entity or 0, results[at].statement) for at in stated]
    arrived.statements = [statement for _, statement in pairs]
    arrived.outcomes = pen.state(
        pairs, source=source, matched=[fates[at].matched for at in stated],
        foreign=[results[at].foreign for at in stated],
    )  # fmt: skip
    said = dict(zip(stated, arrived.outcomes, strict=True))
    arrived.released += queue.forget(source, [results[at] for at in stated if fates[at].how is None])
    kept = [at for at, fate in enumerate(fates) if fate.how is not None]
    records = settling.identities_at(pen, [said[at].seq for at in kept if at in said]) if kept else {}
    erased = settling.erased(records.values())
    kept = [at for at in kept if at not in said or records[said[at].seq] not in erased]

    def row(at: int) -> tuple[object, ...]:
        own = results[at].area or area
        return queue.row_of(run, source, rows[at][0], results[at], area=own, now=now)

    arrived.released += settling.settle(
        [row(at) for at in kept],
        [
            (
                fates[at].how or "person",
                fates[at].entity,
                records[said[at].seq] if at in said else None,
                fates[at].decision,
            )
            for at in kept
        ],
        now,
    )
    lost = [at for at, fate in enumerate(fates) if fate.entity is None and fate.how is None]
    for at in lost:
        results[at] = replace(results[at], why=fates[at].reason or results[at].why)
    queue.queue([row(at) for at in lost])
    arrived.waiting = len(lost)
    arrived.dropped = sum(fate.how == "dropped" for fate in fates)
    arrived.by_name = sum(fate.how == "name" for fate in fates)
    return arrived


def fates_of(pen: Pen, source: str, results: Sequence[Parsed], matches: Sequence[Match], *, area: str) -> list[Fate]:
    """The fate of each row. In order: what was settled by a person, its numbers, what was settled by its name, a decision
    about its party, its name; else it waits.

    A row that was attached by its name to somebody else than its number now says is withdrawn there first. What a person
    decided stays until it is undone.
    """
    identities = [queue.identity_of(source, result) for result in results]
    before = settling.twins(_worth_asking(identities, results, matches))
    fates: list[Fate] = []
    moved: list[str] = []
    replaced: list[str] = []
    into = aliases.roots([twin.entity for twin in before.values() if twin.entity is not None])
    for identity, looked in zip(identities, matches, strict=True):
        twin = before.get(identity)
        fates.append(Fate() if looked.found is None else Fate(looked.found.id))
        if twin is None:
            continue
        same = looked.found is not None and into.get(twin.entity or 0, twin.entity) == aliases.root(looked.found.id)
        if same:
            # Stated about the entity that the record stands under, so that the number confirms it.
            fates[-1] = Fate(twin.entity)
            replaced.append(identity)
        elif looked.found is not None and twin.how == "name":
            moved.append(identity)
        else:
            fates[-1] = _as_before(twin)
    settling.unsettle(pen, moved, reason=None, because="Its number names another party 另有其人")
    settling.forget(replaced)
    _decided(source, results, fates, area)
    return fates


def _as_before(twin: Twin) -> Fate:
    matched: Matched = "name" if twin.how == "name" else "person"
    return Fate(twin.entity, matched, twin.how, twin.decision)


def _worth_asking(identities: Sequence[str], results: Sequence[Parsed], matches: Sequence[Match]) -> list[str]:
    """Rows that may have been settled before: those that no number leads from, and those with a number that one had."""
    shown = sorted({one.shown_code[:64] for one, looked in zip(results, matches, strict=True) if looked.found})
    held: set[str] = set()
    for part in in_slices(shown):
        sql = f"SELECT DISTINCT party_code FROM settled WHERE party_code IN ({', '.join('?' * len(part))})"  # noqa: S608
        held.update(code for (code,) in execute(sql, part).fetchall())
    return [
        identity
        for identity, result, looked in zip(identities, results, matches, strict=True)
        if looked.found is None or result.shown_code[:64] in held
    ]


def _decided(source: str, results: Sequence[Parsed], fates: list[Fate], area: str) -> None:
    """Settle what is still open by the decision about its party, else by its name."""
    left = [at for at, fate in enumerate(fates) if fate == Fate()]
    if not left:
        return
    keys = {at: queue.party_key(source, results[at], results[at].area or area) for at in left}
    decisions: dict[str, tuple[int, str, int | None]] = {}
    for part in in_slices(sorted(set(keys.values()))):
        sql = f"SELECT party, id, verb, entity FROM decision WHERE undone_at IS NULL AND party IN ({', '.join('?' * len(part))})"  # noqa: S608
        decisions |= {party: (number, verb, entity) for party, number, verb, entity in execute(sql, part).fetchall()}
    for at in left:
        if (decision := decisions.get(keys[at])) is not None:
            number, verb, entity = decision
            fates[at] = {
                "match": Fate(entity, "person", "person", number),
                "drop": Fate(how="dropped", decision=number),
                "apart": Fate(reason=DETACHED),
            }[verb]
    wanted = {at: (naming.name_alone(results[at]), results[at].area or area) for at in left if fates[at] == Fate()}
    found = naming.by_name(wanted.values())
    for at, pair in wanted.items():
        if pair in found:
            fates[at] = Fate(found[pair], "name", "name")


__all__ = ["Arrived", "Fate", "fates_of", "store"]
