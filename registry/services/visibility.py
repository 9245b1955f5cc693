"""What each kind of reader sees of a record 可见范围: the fields that its kind declares for him, and nothing that it does not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import Schema

from registry.database import write
from registry.kinds import KINDS, Kind
from registry.kinds.base import RecordSchema
from registry.kinds.seen import ADDED, Sees, levels_of, nested
from registry.services import audit


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the levels of `registry/kinds/seen.py` that are open to him."""

    name: str
    levels: frozenset[Sees]

    def sees(self, level: Sees) -> bool:
        return level in self.levels


PUBLIC = Reader("public", frozenset({"public"}))
# An enterprise sees everything about itself but who complained or reported, and what regulators note for themselves.
ENTERPRISE = Reader("enterprise", frozenset({"public", "regulator", "detail"}))
REGULATOR = Reader("regulator", frozenset({"public", "regulator", "internal"}))
DETAIL = Reader("detail", REGULATOR.levels | {"detail"})
CASE = Reader("case", REGULATOR.levels | {"case"})
READERS: dict[str, Reader] = {one.name: one for one in (PUBLIC, ENTERPRISE, REGULATOR, DETAIL, CASE)}
# What a scope adds to a regulator's view; every such reading is on record.
SCOPES: dict[str, Reader] = {"records:detail": DETAIL, "complaints:handle": CASE}


def reader_for(scopes: Iterable[str]) -> Reader:
    """The reader that a regulator's scopes make: with `records:detail` and `complaints:handle` he sees what these open."""
    added = [SCOPES[scope] for scope in sorted(set(scopes)) if scope in SCOPES]
    levels = REGULATOR.levels.union(*(one.levels for one in added))
    return Reader("+".join(one.name for one in added) or REGULATOR.name, levels)


def is_open(kind: Kind, reader: Reader) -> bool:
    """Whether a reader may see records of a kind at all: whether any field of its own is for him.

    Fields of every kind (organ, document number) do not open one: that a record exists is told by them too.
    """
    own = set(kind.schema._declared_fields) - set(RecordSchema._declared_fields)
    return any(reader.sees(_declared(kind.schema)[name]) for name in own)


def shown(kind: Kind | str, row: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """One record as a reader sees it; {} where records of this kind are not for him.

    Parameters
    ----------
    kind : the kind, or its name
    row : columns of `record` by name (at least code, severity, amount_fen, happened_on, ends_on, document_no, organ,
        detail; of those below, what there is)
    reader : PUBLIC, ENTERPRISE (of its own records), REGULATOR, DETAIL, CASE, or one that `reader_for` made

    Returns
    -------
    dict with seq, kind, title and line (both `Label`), happened_on, ends_on, amount_fen in fen (left out where it is not for
    the reader; 0 where a kind counts something else), document_no as printed, organ and detail; for regulators also source
    and corrects. Whether the record may be shown at all (published, not withdrawn) is not decided here.
    """
    kind = KINDS[kind] if isinstance(kind, str) else kind
    if not is_open(kind, reader):
        return {}
    detail = detail_for(kind, row["detail"], reader)
    amount = row["amount_fen"] if reader.sees(kind.amount) else 0
    found: dict[str, Any] = {
        "seq": row.get("seq"),
        "kind": kind.name,
        "title": kind.title,
        "line": kind.line({**row, "amount_fen": amount, "detail": detail}),
        "happened_on": row["happened_on"],
        "ends_on": row["ends_on"],
        "document_no": row["detail"].get("printed_no") or row["document_no"],
        "organ": row["organ"],
        "detail": detail,
    }
    if reader.sees(kind.amount) or kind.amount == "never":
        found["amount_fen"] = amount
    if reader.sees("internal"):
        found |= {"source": row.get("source", ""), "corrects": row.get("replaces")}
    return found


def note_reading(reader: Reader, *, kind: str, seq: int, actor: str, now: int) -> None:
    """Put on record who read a record's personal details: called for every reading by `records:detail` or
    `complaints:handle`, before anything is answered."""
    with write():
        audit.note("record.details_read", actor=actor, subject=f"record {seq}", now=now, kind=kind, reader=reader.name)


def _levels(kind: Kind) -> Mapping[str, Sees]:
    """Who may see each name in the detail of a kind. What nobody declared is for nobody."""
    return {**ADDED, **_declared(kind.schema), **kind.derived}


@cache
def _declared(schema: type[Schema]) -> Mapping[str, Sees]:
    return levels_of(schema)


def detail_for(kind: Kind, detail: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """What of a record's detail is for this reader, with what its kind makes from it for who may not see it itself."""
    levels = _levels(kind)
    every = dict(detail)
    if kind.also is not None:
        every |= kind.also(detail)
    return {
        name: _inside(kind, name, value, reader)
        for name, value in every.items()
        if reader.sees(levels.get(name, "never"))
    }


def _inside(kind: Kind, name: str, value: Any, reader: Reader) -> Any:
    """The objects of a list have fields of their own."""
    field = kind.schema._declared_fields.get(name)
    inner = None if field is None else nested(field)
    if inner is None or not isinstance(value, list):
        return value
    levels = _declared(inner)
    return [
        {part: said for part, said in one.items() if reader.sees(levels.get(part, "never"))}
        if isinstance(one, dict)
        else one
        for one in value
    ]
