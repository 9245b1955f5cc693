"""Records by what their organ knows them by: kind, document number and party, instead of our ledger number."""

from dataclasses import dataclass
from typing import Any

from registry.cells.documents import fold_document_no
from registry.database import dicts
from registry.errors import BadRecord, RecordConflict, RecordNotFound
from registry.kinds import kind_named
from registry.models import Entity, Record, Uncounted
from registry.services import entities, timeline
from registry.services.dossier import NOT_COUNTED, publications


@dataclass(frozen=True, slots=True)
class Address:
    """How an organ names one of its records: document number as printed, code of the party."""

    document_no: str
    code: str


def find(kind_name: str, address: Address, *, organ: str) -> Record:
    """The row that holds now of the organ's record with this document number about this party.

    A withdrawn record is found where no other has the number. Raises UnknownKind, BadRecord for an empty number,
    EntityNotFound, RecordNotFound where the organ has no such record, RecordConflict with the numbers of the
    `candidates` where several have it (one report on several batches).
    """
    kind = kind_named(kind_name)
    folded = fold_document_no(address.document_no)
    if not folded:
        raise BadRecord({"document_no": ["Give the document number 文书号 as it is printed on the decision."]})
    entity = entities.get(address.code)
    found = list(
        Record.select()
        .where(
            Record.entity.in_(timeline.merged(entity.id))
            & Record.replaced_seq.is_null()
            & (Record.act != "step")
            & (Record.kind == kind.name)
            & (Record.document_no == folded)
            & (Record.organ == organ)
        )
        .order_by(Record.seq)
    )
    holding = [record for record in found if record.act != "withdraw"] or found
    if not holding:
        raise RecordNotFound(
            f"{organ} has no {kind.title.en.lower()} record {address.document_no!r} about {address.code}. Check number, kind "
            "and party; an organ asks for its own records only."
        )
    if len(holding) > 1:
        raise RecordConflict(
            f"{len(holding)} {kind.title.en.lower()} records have the number {address.document_no!r} about this party. Use "
            f"the path with the ledger number, /api/v1/records/{kind.name}/SEQ/…, with one of `candidates`.",
            candidates=[record.seq for record in holding],
        )
    record: Record = holding[0]
    return record


def status(kind_name: str, address: Address, *, organ: str) -> dict[str, Any]:
    """What became of a record: what the ledger says of it, where it is published, and whether it counts, or why not.

    Raises what :func:`find` raises. Five queries.
    """
    record = find(kind_name, address, organ=organ)
    entity = Entity.get_by_id(record.entity_id)
    said = dicts(Record.select(Record.seq, Record.act).where(Record.identity == record.identity).order_by(Record.seq))
    held = Uncounted.get_or_none(Uncounted.identity == record.identity)
    withdrawn = record.act == "withdraw"
    why = "withdrawn" if withdrawn else held.why if held else "undated" if record.happened_on is None else None
    changes = [row for row in said if row["act"] in ("correct", "end")]
    state = "withdrawn" if withdrawn else "repaired" if why == "repaired" else "corrected" if changes else "stored"
    label = None if why is None else NOT_COUNTED[why]
    return {
        "kind": record.kind, "code": entity.code or entity.registration_no,
        "document_no": record.detail.get("printed_no") or record.document_no, "organ": record.organ,
        "said": state, "seq": record.seq, "first_seq": said[0]["seq"], "corrections": len(changes),
        "source": record.source, "counted": why is None,
        "why_not": None if label is None else {"code": why, "zh": label.zh, "en": label.en},
        "publication": publications([record.identity]).get(record.identity, []),
    }  # fmt: skip
