"""Reading one record by a right of its own: what it tells of people is shown, and who read it is on record."""

from typing import Any

from registry.database import dicts
from registry.errors import RecordNotFound
from registry.kinds import kind_named
from registry.models import Entity, Record, Uncounted
from registry.services import visibility
from registry.services.visibility import Reader


def find(kind_name: str, seq: int) -> tuple[Entity, dict[str, Any]]:
    """The current record of that number, and whom it is about.

    Raises UnknownKind; RecordNotFound where there is none of the kind, or it was replaced, withdrawn, erased or repaired.
    """
    kind = kind_named(kind_name)
    query = (
        Record.select(Record, Uncounted.why.alias("why"))
        .left_outer_join(Uncounted, on=(Uncounted.identity == Record.identity))
        .where(
            (Record.seq == seq)
            & (Record.kind == kind.name)
            & Record.replaced_seq.is_null()
            & (Record.act != "withdraw")
        )
    )
    rows = dicts(query)
    if not rows or rows[0]["why"] in ("repaired", "erased"):
        raise RecordNotFound(
            f"There is no current record {seq} of kind {kind.name}. `xinheng dossier CODE` (GET /api/v1/entities/{{code}}/records) lists an entity's records."
        )
    row = rows[0]
    entity = Entity.get_by_id(row["entity"])
    return entity, row


def read(kind_name: str, row: dict[str, Any], reader: Reader, *, actor: str, now: int) -> dict[str, Any]:
    """The record as the reader sees it. Where he sees more than every regulator, the reading is put on record first."""
    if reader.levels - visibility.REGULATOR.levels:
        visibility.note_reading(reader, kind=kind_name, seq=row["seq"], actor=actor, now=now)
    return visibility.shown(kind_name, row, reader)
