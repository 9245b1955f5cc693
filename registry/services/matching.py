"""Whom a waiting row may be about: at most five entities with a score, for a person to choose from. Nothing is decided here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rapidfuzz import fuzz

from registry import cursor
from registry.cells.names import search_tokens
from registry.database import execute, in_slices, is_postgres
from registry.divisions import in_query
from registry.models import Entity, Unmatched
from registry.page import Page
from registry.services import aliases
from registry.services.parsing import mistyped, one_off
from registry.services.parties import folded_name

MOST = 5
# A pair of characters that more names have tells nobody apart; names that share a rarer one are compared.
COMMON = 2_000
# Below this a name is no nearer than any other.
LEAST = 45


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entity that a row may be about. `score` is 0 to 100, `why` says what speaks for it."""

    entity: Entity
    score: int
    why: tuple[str, ...]


def candidates(row: Unmatched, *, divisions: Sequence[str] = ("",)) -> list[Candidate]:
    """The entities in these divisions that a waiting row may be about, the likeliest first, five at most.

    The score is the likeness of the names (at most 80; 76 where it is a former name), and ten each for the same area and
    for a number that differs in one place, or is the same. Entities that were merged stand as the one that they are.
    """
    numbers = _numbers(row)
    names = _near_names(row)
    ids = {*numbers, *names}
    into = aliases.roots(sorted(ids))
    found = {
        one.id: one
        for part in in_slices(sorted({into.get(one, one) for one in ids}))
        for one in Entity.select().where(Entity.id.in_(list(part)))
    }
    scored: dict[int, Candidate] = {}
    for one in ids:
        entity = found[into.get(one, one)]
        if not any(entity.division.startswith(prefix) for prefix in divisions):
            continue
        candidate = _scored(row, entity, names.get(one, ()), numbers.get(one, ""))
        best = scored.get(entity.id)
        if best is None or candidate.score > best.score:
            scored[entity.id] = candidate
    ranked = sorted(scored.values(), key=lambda one: (-one.score, one.entity.id))
    return [one for one in ranked if one.score >= LEAST][:MOST]


def page(
    *, kind: str | None = None, source: str | None = None, reason: str | None = None, name: str = "",
    after: str | None = None, limit: int = 50, divisions: Sequence[str] = ("",),
) -> Page[Unmatched]:  # fmt: skip
    """Rows that wait, oldest first. `name` is a part of the party's name. One query."""
    query = _asked(kind, source, reason, name, divisions).order_by(Unmatched.id)
    if after is not None:
        query = query.where(Unmatched.id > cursor.decode(after, int)[0])
    found = list(query.limit(limit + 1))
    return Page(found[:limit], cursor.encode(found[limit - 1].id) if len(found) > limit else None)


def count(
    *, kind: str | None = None, source: str | None = None, reason: str | None = None, name: str = "",
    divisions: Sequence[str] = ("",),
) -> int:  # fmt: skip
    """How many rows wait."""
    return int(_asked(kind, source, reason, name, divisions).count())


def _asked(kind: str | None, source: str | None, reason: str | None, name: str, divisions: Sequence[str]) -> Any:
    query = in_query(Unmatched.select(), Unmatched.division, divisions)
    for column, value in ((Unmatched.kind, kind), (Unmatched.source, source), (Unmatched.reason, reason)):
        if value is not None:
            query = query.where(column == value)
    if name:
        query = query.where(Unmatched.party_name.contains(name))
    return query


def _scored(row: Unmatched, entity: Entity, names: Iterable[str], number: str) -> Candidate:
    folded, present = folded_name(row.party_name), folded_name(entity.name)
    why: list[str] = []
    score = 0.0
    for name in {present, *names} if folded else ():
        former = name != present
        likeness = fuzz.ratio(folded, name) * (0.76 if former else 0.8)
        if likeness > score:
            score = likeness
            why = [f"{'former name' if former else 'name'} {round(fuzz.ratio(folded, name))} %"]
    if row.division and entity.division.startswith(row.division):
        score += 10
        why.append("same area")
    if number:
        score += 10
        why.append(number)
    if entity.registered_seq is None:
        why.append("provisional")
    return Candidate(entity, round(score), tuple(why))


def _near_names(row: Unmatched) -> dict[int, set[str]]:
    """Entities → names of theirs that share a telling pair of characters with the row's."""
    tokens = search_tokens(folded_name(row.party_name)).split()
    pairs = sorted(set(pairwise(tokens)))
    rows: dict[int, list[tuple[int, str]]] = {}
    for at, pair in enumerate(pairs):
        rows[at] = _sharing(pair)
    telling = [held for held in rows.values() if len(held) <= COMMON]
    # Where every pair is common, the least common ones have to do.
    chosen = telling or sorted(rows.values(), key=len)[:2]
    near: dict[int, set[str]] = {}
    for held in chosen:
        for entity, name in held:
            near.setdefault(entity, set()).add(name)
    return near


def _sharing(pair: tuple[str, str]) -> list[tuple[int, str]]:
    """(entity, name) of names in which these two characters stand side by side; at most one more than is telling."""
    if is_postgres():
        sql = "SELECT entity_id, folded FROM entity_name WHERE bigrams(folded) @> ? LIMIT ?"
        return list(execute(sql, (["".join(pair)], COMMON + 1)).fetchall())
    sql = "SELECT n.entity_id, n.folded FROM name_index f JOIN entity_name n ON n.id = f.rowid WHERE f.characters MATCH ? LIMIT ?"
    return list(execute(sql, (f'"{pair[0]} {pair[1]}"', COMMON + 1)).fetchall())


def _numbers(row: Unmatched) -> dict[int, str]:
    """Entities whose number is the row's, or differs from it in one place, and which of the two."""
    given = row.fields.get("party") or {}
    if not given and (slip := mistyped(row.party_code)):
        # Nobody has this number; somebody may have the one that was meant.
        given = {"code" if len(slip) == 18 else "registration_no": slip}
    found: dict[int, str] = {}
    for column in ("code", "registration_no", "organisation_code"):
        number = given.get(column)
        if not number:
            continue
        for part in in_slices([number, *one_off(number)]):
            sql = f"SELECT id, {column} FROM entity WHERE {column} IN ({', '.join('?' * len(part))})"  # noqa: S608 (ours)
            for entity, held in execute(sql, part).fetchall():
                same = held == number
                if same or entity not in found:
                    found[entity] = "same number" if same else "number differs in one place"
    return found


__all__ = ["Candidate", "candidates", "count", "page"]
