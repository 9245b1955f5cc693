"""Merging 合并: two entities are one from a ledger row on. Records never move; an alias leads from one to the other.

The merged one is not graded, its records count for the one that it is, and whoever asks for it is answered for that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from registry import cursor
from registry.cells.personal import mask_personal
from registry.database import execute, insert_rows
from registry.divisions import in_sql
from registry.errors import RegistryError
from registry.models import Entity
from registry.page import Page
from registry.services import aliases, audit, entities, grading, ledger
from registry.services.ledger import Pen
from registry.services.sameness import digest
from rules.scheme import Scheme

COLUMNS = ("entity", "direct", "into", "since_seq", "until_seq", "decided_on", "decided_by", "reason")


class MergeRefused(RegistryError):
    """Two entities that cannot be merged, or not this way round. Nothing was changed."""

    code = "merge_refused"
    status = 409


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a merge: `said` is `merged`, `unmerged` or `unchanged`, `seq` the ledger row that says so."""

    said: str
    seq: int
    loser: str
    winner: str


def merge(
    loser: str, winner: str, *, reason: str, actor: str, today: date, now: int, schemes: Sequence[str],
    scheme: Scheme | None = None,
) -> Merged:  # fmt: skip
    """Say that the entity with the code `loser` is the one with the code `winner`. One transaction; safe to repeat.

    What had been merged into the loser leads to the winner from now on. With `scheme` the winner is graded at once, under
    the others it is due. Raises EntityNotFound, and MergeRefused for an entity and itself, in a circle, for one that is
    merged into another already, and for a registered one into one that is provisional.
    """
    reason = _reason(reason)
    with ledger.writing(now=now, schemes=schemes) as pen:
        lost, won = entities.numbered(loser), entities.numbered(winner)
        into = aliases.root(won.id)
        if into == lost.id:
            raise MergeRefused(
                f"{_code(won)} is {_code(lost)} already: merging that way round would be a circle. Unmerge {_code(won)} first."
                if won.id != lost.id
                else f"{_code(lost)} cannot be merged into itself. Name two entities."
            )
        held = _held(lost.id)
        if held is not None and held[0] == won.id:
            return Merged("unchanged", held[1], _code(lost), _code(won))
        if held is not None:
            raise MergeRefused(
                f"{_code(lost)} is merged into {_code(Entity.get_by_id(held[0]))} already. Unmerge it first: `xinheng entity "
                f"unmerge {_code(lost)} --reason …`."
            )
        root = Entity.get_by_id(into)
        if lost.registered_seq is not None and root.registered_seq is None:
            raise MergeRefused(
                f"{_code(root)} is provisional and {_code(lost)} is registered: merged this way nobody would be graded. "
                f"Merge {_code(root)} into {_code(lost)}."
            )
        seq = _step(pen, "merge", lost, won, reason=reason, today=today, actor=actor)
        _lead(pen, seq, [(lost.id, won.id, today, actor, reason), *_below(lost.id)], into)
        _finish(pen, "entity.merged", lost, root, reason, actor, now, scheme, today)
        return Merged("merged", seq, _code(lost), _code(root))


def unmerge(
    loser: str, *, reason: str, actor: str, today: date, now: int, schemes: Sequence[str], scheme: Scheme | None = None
) -> Merged:
    """Let an entity be itself again, with whatever had been merged into it. One transaction; safe to repeat.

    The past stays: at every ledger number in between it was merged. Raises EntityNotFound.
    """
    reason = _reason(reason)
    with ledger.writing(now=now, schemes=schemes) as pen:
        lost = entities.numbered(loser)
        held = _held(lost.id)
        if held is None:
            return Merged("unchanged", pen.seq, _code(lost), _code(lost))
        root = Entity.get_by_id(aliases.root(lost.id))
        seq = _step(pen, "unmerge", lost, Entity.get_by_id(held[0]), reason=reason, today=today, actor=actor)
        execute("UPDATE alias SET until_seq = ? WHERE entity = ? AND until_seq IS NULL", (seq, lost.id))
        _lead(pen, seq, _below(lost.id), lost.id)
        _finish(pen, "entity.unmerged", lost, root, reason, actor, now, scheme, today)
        return Merged("unmerged", seq, _code(lost), _code(root))


def merged_into(entity: int) -> list[Entity]:
    """The entities that are merged into this one now, in order of id."""
    return list(Entity.select().where(Entity.id.in_(sorted(aliases.members([entity])))).order_by(Entity.id))


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two entities that are probably one: `loser` is provisional, `winner` known by its old number only."""

    loser: Entity
    winner: Entity


def proposals(*, after: str | None = None, limit: int = 50, divisions: Sequence[str] = ("",)) -> Page[Proposal]:
    """Pairs of the same name in the same city, one provisional and one registered without a credit code.

    Pairs that were merged, or unmerged by a person, are left out. In order of the provisional one's id.
    """
    values: list[object] = [cursor.decode(after, int)[0] if after else 0]
    within, bounds = in_sql(divisions, "p.division")
    values += bounds
    sql = (
        "SELECT p.id, min(r.id) FROM entity p JOIN entity_name n ON n.entity_id = p.id "  # noqa: S608
        "JOIN entity_name m ON m.folded = n.folded AND m.entity_id <> p.id JOIN entity r ON r.id = m.entity_id "
        "WHERE p.id > ? AND p.registered_seq IS NULL AND r.registered_seq IS NOT NULL AND r.code IS NULL "
        f"AND substr(p.division, 1, 4) = substr(r.division, 1, 4) {within}"
        "AND NOT EXISTS (SELECT 1 FROM alias a WHERE a.entity = p.id) "
        "GROUP BY p.id HAVING count(DISTINCT r.id) = 1 ORDER BY p.id LIMIT ?"
    )
    rows = execute(sql, [*values, limit + 1]).fetchall()
    found = {one.id: one for one in Entity.select().where(Entity.id.in_([one for row in rows for one in row]))}
    pairs = [Proposal(found[lost], found[won]) for lost, won in rows[:limit]]
    return Page(pairs, cursor.encode(rows[limit - 1][0]) if len(rows) > limit else None)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise MergeRefused("A merge needs a reason. Say what shows that the two are one (or are not).")
    return mask_personal(reason.strip())[:500]


def _code(entity: Entity) -> str:
    return str(entity.code or entity.registration_no or entity.organisation_code)


def _held(entity: int) -> tuple[int, int] | None:
    """Whom a person merged this entity into, and the ledger row that says so; None where it is itself."""
    row = execute("SELECT direct, since_seq FROM alias WHERE entity = ? AND until_seq IS NULL", (entity,)).fetchone()
    return None if row is None else (row[0], row[1])


def _below(entity: int) -> list[tuple[int, int, date, str, str]]:
    """Aliases that a person made to this entity, or to one of those: what leads through it."""
    found: list[tuple[int, int, date, str, str]] = []
    waiting = [entity]
    while waiting:
        sql = "SELECT entity, direct, decided_on, decided_by, reason FROM alias WHERE direct = ? AND until_seq IS NULL ORDER BY id"
        rows = execute(sql, (waiting.pop(),)).fetchall()
        found += [tuple(row) for row in rows]
        waiting += [row[0] for row in rows]
    return found


def _lead(pen: Pen, seq: int, made: list[tuple[int, int, date, str, str]], into: int) -> None:
    """Let these aliases lead to `into` from a ledger row on; what they led to before stays on record."""
    for entity, *_ in made:
        execute("UPDATE alias SET until_seq = ? WHERE entity = ? AND until_seq IS NULL", (seq, entity))
        pen.touched[entity] = seq
    rows = [(entity, direct, into, seq, None, str(on), by, why) for entity, direct, on, by, why in made]
    insert_rows("alias", COLUMNS, rows)


def _step(pen: Pen, name: str, lost: Entity, won: Entity, *, reason: str, today: date, actor: str) -> int:
    (number,) = execute("SELECT count(*) FROM alias WHERE entity = ?", (lost.id,)).fetchone()
    detail = {"merged": _code(lost), "into": _code(won), "reason": reason}
    # Known by the entity that it concerns: a second merge after an unmerge is another step.
    outcome = pen.step(
        name, about=digest(["entity", lost.id]), entity=won.id, key=[lost.id, won.id, number], on=today, detail=detail, by=actor
    )  # fmt: skip
    return outcome.seq


def _finish(
    pen: Pen, verb: str, lost: Entity, root: Entity, reason: str, actor: str, now: int, scheme: Scheme | None, today: date
) -> None:  # fmt: skip
    pen.touched[lost.id] = pen.touched[root.id] = pen.seq
    audit.note(verb, actor=actor, subject=f"entity {_code(lost)}", now=now, into=_code(root), reason=reason)
    pen.flush()
    if scheme is not None:
        grading.one(scheme, [lost.id, root.id], day=today, now=lambda: now)


__all__ = ["MergeRefused", "Merged", "Proposal", "merge", "merged_into", "proposals", "unmerge"]
