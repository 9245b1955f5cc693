"""Checks with a fault that led to a penalty 关联的抽查检查结果: under Order 107 their publication stops with the penalty's."""

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.models import Record
from registry.services import life
from registry.services.life import Target

LINKABLE = ("spot_check", "product_sampling")


def of(target: Target) -> list[Target]:
    """The checks with a fault that led to a penalty: same entity and organ, and the check names the penalty's document
    number in its field `linked`. Empty for records of other kinds, and for a penalty without a number.
    """
    if target.kind != "penalty" or not target.document_no:
        return []
    rows = Record.select(Record.seq, Record.organ, Record.detail).where(
        Record.entity.in_(life.family(target.entity.id))
        & Record.kind.in_(LINKABLE)
        & Record.replaced_seq.is_null()
        & (Record.act != "withdraw")
        & (Record.severity > 0)
    )
    found = [
        row.seq
        for row in rows
        if fold_name(row.organ) == fold_name(target.organ)
        and fold_document_no(str(row.detail.get("linked", ""))) == target.document_no
    ]
    return life.targets(seqs=found) if found else []


def penalties(check: Target) -> list[str]:
    """Identities of the penalties that a check names in its field `linked`: same entity, same organ."""
    number = fold_document_no(str(check.detail.get("linked", "")))
    if not number:
        return []
    rows = Record.select(Record.identity, Record.organ).where(
        Record.entity.in_(life.family(check.entity.id))
        & (Record.kind == "penalty")
        & (Record.document_no == number)
        & Record.replaced_seq.is_null()
    )
    return [row.identity for row in rows if fold_name(row.organ) == fold_name(check.organ)]
