"""Proofs that a stranger can check without us: that a row is in the ledger, and that a later ledger only added to an earlier one."""

from collections.abc import Sequence
from typing import Any

from registry import cursor
from registry.config import Settings
from registry.database import execute
from registry.errors import RecordNotFound, RegistryError
from registry.models import Erasure, SealRoot
from registry.page import Page
from registry.sealing import leaves, merkle
from registry.sealing.leaves import Row, Salts
from registry.sealing.merkle import Hash
from registry.sealing.signing import Root
from registry.services import ledger, seal
from registry.services.seal import NotSealed, SealBroken
from registry.services.step_words import WITH_THE_CLASS

FORMAT = "xinheng proof 1"


class UnknownField(RegistryError):
    code = "unknown_field"
    status = 422


def inclusion(
    settings: Settings, seq: int, *, size: int | None = None, disclose: Sequence[str] | None = ()
) -> dict[str, Any]:
    """The proof that ledger row `seq` is in the tree of `size` rows (default: the newest signed root).

    Of the detail it holds a commitment per field; of the fields in `disclose` (None: of all) also salt and value. Of a row
    that was erased as a whole only the leaf is left. Raises RecordNotFound, NotSealed, RootNotFound, UnknownField, and
    SealBroken where the row is not what was sealed.
    """
    log = seal.log_of(settings)
    last = seal.newest(log)
    if last is None or seq > last.size:
        if not 1 <= seq <= ledger.head():
            raise RecordNotFound(f"The ledger has no row {seq}.")
        raise NotSealed(
            f"Ledger row {seq} is not sealed yet. That is done within a minute; `xinheng seal` does it now."
        )
    if seq < 1:
        raise RecordNotFound(f"The ledger has no row {seq}. The first is 1.")
    root = last if size is None else seal.root_of(log, size)
    if seq > root.size:
        raise NotSealed(f"Row {seq} came after the root of {root.size} rows. Ask for a later root.")
    leaf = seal.leaf_of(seq)
    if leaf is None:
        raise SealBroken(f"The leaf of row {seq} is missing. `xinheng verify` says what was removed.")
    said: dict[str, Any] = {"hash": bytes(leaf.hash).hex(), "salt": None, "row": None}
    fields: dict[str, Any] = {}
    opened = opened_row(log.hash, leaf)
    if opened is not None:
        row, salts = opened
        said |= {"salt": salts.row.hex(), "row": leaves.body(log.hash, row, salts)}
        shown = list(salts.fields) if disclose is None else list(disclose)
        _known(shown, salts)
        fields = {name: {"salt": salts.fields[name].hex(), "value": row.detail[name]} for name in sorted(shown)}
    elif disclose:
        raise UnknownField(f"Row {seq} was lawfully erased: nothing of it is left to show.")
    path = merkle.inclusion(log.hash, seq - 1, root.size, seal.stored(log.hash))
    return {
        "format": FORMAT, "seq": seq, "erased": opened is None, "leaf": said, "fields": fields,
        "path": [step.hex() for step in path], "root": root.as_dict(), "public_key": log.public_key.hex(),
    }  # fmt: skip


def _known(names: Sequence[str], salts: Salts) -> None:
    for name in names:
        if name in salts.erased:
            raise UnknownField(f"The field {name} of this row was lawfully erased: only its commitment is left.")
        if name not in salts.fields:
            raise UnknownField(f"The row has no field {name}. It has: {', '.join(sorted(salts.fields)) or 'none'}.")


def opened_row(h: Hash, leaf: Any) -> tuple[Row, Salts] | None:
    """The row of a leaf as it was sealed, and what opens it; None where it was erased as a whole.

    Raises SealBroken where the row is not what was sealed.
    """
    row = seal.rows_between(leaf.seq - 1, leaf.seq)[0]
    if leaf.salt is None:
        erased = Erasure.get_or_none(Erasure.seq == leaf.seq)
        if erased is None or erased.kept is None:
            return None
        salts = Salts.from_json(erased.kept)
    else:
        salts = leaves.salts(h, bytes(leaf.salt), row.detail)
    sealed = leaves.sealed_as(h, row, salts, bytes(leaf.hash))
    if sealed is None:
        raise SealBroken(f"Row {leaf.seq} is not what was sealed. `xinheng verify` says more.")
    return sealed, salts


def tells_of_a_class(seq: int) -> bool:
    """Whether a row says by its kind alone something of a risk class: only for who may read grades."""
    found = execute("SELECT kind FROM record WHERE seq = ? AND act = 'step'", (seq,)).fetchone()
    return found is not None and found[0] in WITH_THE_CLASS


def division_of(seq: int) -> str | None:
    """The division of the entity that a row is about; None where it is about none, or there is no such row."""
    found = execute(
        "SELECT e.division FROM record r JOIN entity e ON e.id = r.entity_id WHERE r.seq = ?", (seq,)
    ).fetchone()
    return None if found is None else str(found[0])


def consistency(settings: Settings, first: int, second: int) -> dict[str, Any]:
    """The proof that the first `first` rows of the tree of `second` are those of the tree of `first`.

    Both must be sizes of signed roots. Raises RootNotFound, and UnknownField where `first` is the larger.
    """
    log = seal.log_of(settings)
    if first > second:
        raise UnknownField(f"`from` ({first}) is larger than `to` ({second}). Give the earlier root first.")
    one, two = seal.root_of(log, first), seal.root_of(log, second)
    path = merkle.consistency(log.hash, first, second, seal.stored(log.hash))
    return {
        "format": FORMAT, "from": one.as_dict(), "to": two.as_dict(), "path": [step.hex() for step in path],
        "public_key": log.public_key.hex(),
    }  # fmt: skip


def roots(settings: Settings, *, after: str | None, limit: int) -> Page[Root]:
    """Signed roots, the newest first. One query."""
    log = seal.log_of(settings)
    query = SealRoot.select().order_by(SealRoot.size.desc())
    if after is not None:
        query = query.where(SealRoot.size < cursor.decode(after, int)[0])
    rows = list(query.limit(limit + 1))
    shown = [seal.root_from(log, row) for row in rows[:limit]]
    return Page(shown, cursor.encode(shown[-1].size) if len(rows) > limit else None)


__all__ = ["UnknownField", "consistency", "division_of", "inclusion", "opened_row", "roots", "tells_of_a_class"]
