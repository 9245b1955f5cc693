"""Relations 关联关系 of entities with each other and with natural persons, from either side, as of any day and any knowledge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from registry.database import execute, in_slices
from registry.kinds.relation import TYPES, masked
from registry.models import Entity
from registry.services import aliases
from registry.services.visibility import Reader

_TYPES = {term.number: name for name, term in TYPES.terms.items()}
# A relation that holds on a day, as far as was known: stated and not replaced by then. As-of chooses belief, visibility is
# today's: what is withdrawn or left out (repaired, erased, waiting) now is not seen by asking for a past number either.
_READ = (
    "SELECT r.known, r.entity, r.type, r.other_code, r.person_hash, r.share, r.from_on, r.to_on, d.detail FROM relation r "
    "JOIN record d ON d.seq = r.known LEFT JOIN uncounted u ON u.identity = d.identity "
    "LEFT JOIN record w ON w.identity = d.identity AND w.replaced_seq IS NULL AND w.act = 'withdraw' "
    "WHERE r.known <= ? AND (r.gone IS NULL OR r.gone > ?) AND u.identity IS NULL AND w.seq IS NULL "
    "AND (r.from_on IS NULL OR r.from_on <= ?) AND (r.to_on IS NULL OR r.to_on > ?) AND "
)


@dataclass(frozen=True, slots=True)
class Side:
    """An entity at one end of a relation. `entity` is None where it is not registered here."""

    entity: int | None
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Related:
    """One relation: `of` states it (its representative, its shareholder, its branch …), `to` or a person is the other side.

    `from_on` is None where the source gives no first day; `to_on` is the first day on which it no longer holds.
    """

    seq: int
    type: str
    of: Side
    to: Side | None
    person_hash: str | None
    person_name: str
    position: str
    share: int  # hundredths of a percent; 0 not stated
    from_on: date | None
    to_on: date | None

    def shown(self, reader: Reader) -> dict[str, Any]:
        """The relation as a reader sees it: the name of a person by his right, else 张*; a hash never."""
        term = TYPES.terms[self.type]
        found: dict[str, Any] = {
            "seq": self.seq, "type": self.type, "title": {"zh": term.zh, "en": term.en},
            "of": {"code": self.of.code, "name": self.of.name},
            "to": None if self.to is None else {"code": self.to.code, "name": self.to.name, "registered": self.to.entity is not None},
            "person": None, "position": self.position, "share": f"{self.share / 100:.2f}" if self.share else None,
            "from": self.from_on, "until": self.to_on,
        }  # fmt: skip
        if self.to is None:
            found["person"] = self.person_name if reader.sees("detail") else masked(self.person_name)
        return found


def of(entity: Entity | int, day: date, known: int | None = None) -> list[Related]:
    """Relations of an entity on a day, those that it states and those in which another names it, as far as was known.

    `known` is a ledger number; now, where it is not given. Relations of entities that were merged into it are its own.
    Sorted by side (its own first), type and first day. The number of queries does not grow with the relations.
    """
    seq = aliases.NOW if known is None else known
    id_ = aliases.root(entity if isinstance(entity, int) else entity.id, known=known)
    family = [id_, *aliases.members([id_], known=known)]
    mine = _sides(family)
    rows = _rows("r.entity IN ({})", family, day, seq)
    codes = sorted({number for entity_ in _numbers(family) for number in entity_ if number})
    seen = {row[0] for row in rows}
    rows += [row for row in _rows("r.other_code IN ({})", codes, day, seq) if row[0] not in seen]
    related = _related(rows)
    return sorted(related, key=lambda one: (one.of.entity not in mine, TYPES.terms[one.type].number, one.from_on or date.min, one.seq))  # fmt: skip


def same_person(person_hash: str, day: date, known: int | None = None) -> list[Related]:
    """Where one natural person, known by the keyed hash of the number, stands on a day: every relation to him."""
    return sorted(
        _related(_rows("r.person_hash IN ({})", [person_hash], day, aliases.NOW if known is None else known)),
        key=lambda one: one.seq,
    )


def _rows(condition: str, values: Sequence[Any], day: date, seq: int) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for part in in_slices(list(values)):
        sql = _READ + condition.format(", ".join("?" * len(part))) + " ORDER BY r.known"
        found += execute(sql, (seq, seq, day.isoformat(), day.isoformat(), *part)).fetchall()
    return found


def _related(rows: Sequence[tuple[Any, ...]]) -> list[Related]:
    sides = _sides([row[1] for row in rows])
    others = _registered(sorted({row[3] for row in rows if row[3]}))
    found: list[Related] = []
    for seq, entity, type_, other_code, person_hash, share, from_on, to_on, said in rows:
        detail: dict[str, Any] = said if isinstance(said, dict) else orjson.loads(said)
        to = None
        if other_code or "other_name" in detail:
            to = others.get(other_code) or Side(None, other_code, detail.get("other_name", ""))
        found.append(
            Related(
                seq, _TYPES[type_], sides[entity], to, person_hash, detail.get("person_name", ""), detail.get("position", ""),
                share, _day(from_on), _day(to_on),
            )
        )  # fmt: skip
    return found


def _sides(ids: Sequence[int]) -> dict[int, Side]:
    found: dict[int, Side] = {}
    for part in in_slices(sorted(set(ids))):
        sql = f"SELECT id, COALESCE(code, registration_no, ''), name FROM entity WHERE id IN ({', '.join('?' * len(part))})"  # noqa: S608
        found |= {row[0]: Side(*row) for row in execute(sql, part).fetchall()}
    return found


def _numbers(ids: Sequence[int]) -> list[tuple[str | None, str | None]]:
    found: list[tuple[str | None, str | None]] = []
    for part in in_slices(sorted(set(ids))):
        sql = f"SELECT code, registration_no FROM entity WHERE id IN ({', '.join('?' * len(part))})"  # noqa: S608
        found += execute(sql, part).fetchall()
    return found


def _registered(codes: Sequence[str]) -> dict[str, Side]:
    """The entities that have these numbers, by number."""
    found: dict[str, Side] = {}
    for column in ("registration_no", "code"):  # a credit code is the surer of the two
        for part in in_slices(codes):
            sql = f"SELECT {column}, id, name FROM entity WHERE {column} IN ({', '.join('?' * len(part))})"  # noqa: S608
            found |= {number: Side(id_, number, name) for number, id_, name in execute(sql, part).fetchall()}
    return found


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value
