"""What a leaf hashes: one ledger row, its moment, and a commitment for every field of its detail.

    field salt = H(0x03 ‖ salt ‖ name)                      the row's own salt for the empty name
    commitment = H(0x02 ‖ field salt ‖ JSON [name, value])
    leaf       = H(0x00 ‖ row salt ‖ JSON of the row, with the commitments in place of the detail)

Every field has a commitment of its own, whoever may see it: which fields are personal is decided anew from time to
time, a leaf is written once. So any field can be shown, withheld or erased, and the rest stays provable. JSON is
canonical: UTF-8, keys sorted, no blanks (`canonical`). docs/sealing.md has the format for other implementations.
"""

from dataclasses import dataclass, replace
from typing import Any

import orjson

from registry.sealing.merkle import Hash

SALT = 16
FORM = 1
# The columns of `record` that a leaf covers, as ROW_SQL reads them; `replaced_seq` is a cache and not among them.
COLUMNS = (
    "seq", "act", "identity", "content", "kind", "entity", "code", "severity", "amount_fen", "happened_on", "ends_on",
    "document_no", "organ", "source", "about", "matched", "replaces",
)  # fmt: skip
# What a lawful erasure of a whole row leaves of it: where it stood, not what it said.
REMAINS = ("seq", "act", "identity", "kind", "entity", "source", "about", "matched", "replaces")
ROW_SQL = (
    "r.seq, r.act, r.identity, r.content, r.kind, r.entity_id, r.code, r.severity, r.amount_fen, CAST(r.happened_on AS text), "
    "CAST(r.ends_on AS text), r.document_no, r.organ, r.source, r.about, r.matched, r.replaces, CAST(r.detail AS text), "
    "e.code, e.registration_no"
)
ROW_FROM = "record r LEFT JOIN entity e ON e.id = r.entity_id"


def canonical(value: Any) -> bytes:
    """A JSON value as the one text that is hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True, slots=True)
class Row:
    """One ledger row as a leaf covers it.

    `columns` are COLUMNS in order, days as ISO text. `party` are the credit code and the old registration number of the
    entity when the row was sealed: the number of an entity alone would let somebody else's past be moved to it.
    """

    columns: tuple[Any, ...]
    detail: dict[str, Any]
    party: tuple[str | None, str | None]
    at: int

    @property
    def seq(self) -> int:
        return int(self.columns[0])

    def named(self, name: str) -> Any:
        return self.columns[COLUMNS.index(name)]


@dataclass(frozen=True, slots=True)
class Salts:
    """What opens a leaf. `erased` holds the commitments of fields whose value and salt are gone."""

    row: bytes
    fields: dict[str, bytes]
    erased: dict[str, bytes]

    def as_json(self) -> str:
        """As the table of erasures keeps it: the row's own salt is gone, because every other follows from it."""
        return canonical({
            "row": self.row.hex(), "fields": {name: salt.hex() for name, salt in self.fields.items()},
            "erased": {name: digest.hex() for name, digest in self.erased.items()},
        }).decode()  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> "Salts":
        """Raises ValueError for a text that `as_json` has not written."""
        try:
            kept = orjson.loads(text)
            return cls(
                bytes.fromhex(kept["row"]),
                {name: bytes.fromhex(salt) for name, salt in kept["fields"].items()},
                {name: bytes.fromhex(digest) for name, digest in kept["erased"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("These are no salts.") from error


def read(values: tuple[Any, ...], at: int) -> Row:
    """A row of ROW_SQL, and the moment at which it was committed (milliseconds UTC)."""
    return Row(values[:17], orjson.loads(values[17]), (values[18], values[19]), at)


def salts(h: Hash, salt: bytes, detail: dict[str, Any]) -> Salts:
    """What opens the leaf of a row with this detail, from the row's salt."""
    start = b"\x03" + salt
    return Salts(h(start), {name: h(start + name.encode()) for name in detail}, {})


def commitment(h: Hash, salt: bytes, name: str, value: Any) -> bytes:
    return h(b"\x02" + salt + orjson.dumps([name, value], option=orjson.OPT_SORT_KEYS))


def body(h: Hash, row: Row, opened: Salts) -> dict[str, Any]:
    """The row as the leaf hashes it: columns, party, moment, and a commitment for each field of the detail.

    A field whose salt is not there takes its erased commitment; one that has neither is left out.
    """
    fields = {
        name: commitment(h, opened.fields[name], name, value).hex()
        for name, value in row.detail.items()
        if name in opened.fields
    }
    for name, digest in opened.erased.items():
        fields[name] = digest.hex()
    return {
        **dict(zip(COLUMNS, row.columns, strict=True)), "form": FORM, "at": row.at, "party_code": row.party[0],
        "party_registration_no": row.party[1], "detail": fields,
    }  # fmt: skip


def leaf(h: Hash, row: Row, opened: Salts) -> bytes:
    """The hash of the leaf."""
    return h(b"\x00" + opened.row + orjson.dumps(body(h, row, opened), option=orjson.OPT_SORT_KEYS))


def sealed_as(h: Hash, row: Row, opened: Salts, expected: bytes) -> Row | None:
    """The row as it was sealed, or None where it is not what the leaf says.

    An entity that had no credit code, or no registration number, when the row was sealed may have got one since; a
    number that it had never changes. So both are tried.
    """
    if leaf(h, row, opened) == expected:
        return row
    code, number = row.party
    for party in {(code, None), (None, number), (None, None)} - {row.party}:
        tried = replace(row, party=party)
        if leaf(h, tried, opened) == expected:
            return tried
    return None


def emptied(columns: tuple[Any, ...]) -> tuple[Any, ...]:
    """The columns of a row whose content was erased as a whole."""
    gone: dict[str, Any] = {"content": "", "code": 0, "severity": 0, "amount_fen": 0, "document_no": "", "organ": ""}
    return tuple(value if name in REMAINS else gone.get(name) for name, value in zip(COLUMNS, columns, strict=True))


def remains(h: Hash, columns: tuple[Any, ...]) -> str:
    """Digest of what an erasure leaves of a row: the step that erased it keeps this, because the leaf proves it no more."""
    kept = {name: value for name, value in zip(COLUMNS, columns, strict=True) if name in REMAINS}
    return h(b"\x04" + canonical(kept)).hex()
