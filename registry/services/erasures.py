"""Lawful erasure: what was said is gone for good, that it was erased stays on record, and the seal still holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import execute, insert_rows
from registry.errors import RecordNotFound, RegistryError
from registry.kinds import KINDS, spot_check
from registry.models import Erasure, Leaf, Record
from registry.sealing import leaves
from registry.sealing.leaves import COLUMNS, Row, Salts, canonical
from registry.sealing.merkle import Hash
from registry.services import audit, grading, ledger, life, mirrors, notices, publication, seal, traces
from registry.services.ledger import Pen
from registry.services.proofs import opened_row
from registry.services.seal import SealBroken

STEP = "erasure"
# What other tables are made from; without it they could not be checked any more.
NEEDED: dict[str, tuple[frozenset[str], str]] = {
    "registration": (
        frozenset({"name", "subject", "division", "address"}),
        "of a registration is needed to find the entity. Correct it instead.",
    ),
    "spot_check": (
        spot_check.COUNTED,
        "of a spot check says what counts, and nothing of anybody. Correct it, or erase the record.",
    ),
}
# Of a step only words that a person wrote may go: who did what and when is why it is there.
WORDS_OF_STEPS = {"reason", "answer", "statement", "note", "remark"}


class NotErasable(RegistryError):
    code = "not_erasable"
    status = 422


@dataclass(frozen=True, slots=True)
class Erased:
    """`said` is `erased`, or `unchanged` where nothing was left to erase. `rows` lost content; `step` says so."""

    said: str
    rows: list[int]
    fields: list[str]
    step: int


def erase(
    settings: Settings, seq: int, *, fields: Sequence[str] = (), basis: str, reason: str, actor: str, today: date,
    now: Callable[[], int],
) -> Erased:  # fmt: skip
    """Erase a record, or some fields of its detail, in every wording of it that the ledger has.

    As a whole, the record is withdrawn first, so that it never counts nor comes back with the next file, and is shown
    nowhere; then content, salt and facts go, and what says the same beside the ledger (see `traces`). Of fields, value and salt go; a field keeps its commitment, and what is left stays provable. Leaf
    and place in the ledger stay, and a step `erasure` says who did it, on what basis and to which rows. Recipients are told in
    the same transaction, by organ and document number, so that they can find what to erase. Safe to repeat: what is gone is
    gone. Rows that are not sealed yet are sealed first, which needs the key of the seal.
    Raises RecordNotFound, NotErasable, and what `seal` raises.
    """
    basis, reason = mask_personal(basis.strip()), mask_personal(reason.strip())
    if not basis or not reason:
        raise NotErasable("An erasure needs its legal basis and a reason: say both, they stay on record.")
    record = Record.get_or_none(Record.seq == seq)
    if record is None:
        raise RecordNotFound(f"The ledger has no row {seq}.")
    names = sorted(set(fields))
    _allowed(record, names)
    if (gone := _gone_already(record, names)) is not None:
        return gone
    schemes = grading.schemes(settings)
    if not names:
        with ledger.writing(now=now(), schemes=schemes) as pen:
            target = life.target_of(record.identity)
            publication.withdraw(pen, target, source=actor, reason=basis, by=actor, on=today, now=pen.now)
    found = traces.find(record)
    seal.seal(settings, now=now)
    log = seal.log_of(settings)
    with ledger.writing(now=now(), schemes=schemes) as pen:
        if (gone := _gone_already(record, names)) is not None:  # somebody else was faster
            return gone
        opened = [one for row in traces.wordings(record.identity) if (one := _open(log.hash, row)) is not None]
        if names:
            opened = [(row, salts) for row, salts in opened if set(names) & set(salts.fields)]
        step = _on_record(pen, log.hash, record, opened, names, basis, reason, actor, today)
        _tell(record, step, today)
        traces.remove(found, fields=names, words=_words(opened, names))
        for row, salts in opened:
            _empty(log.hash, row, salts, names, step=step, basis=basis, actor=actor, now=now())
        numbers = [row.seq for row, _ in opened]
        if not names:
            for number in numbers:
                execute("DELETE FROM fact WHERE entity = ? AND known = ?", (record.entity_id, number))
            execute("DELETE FROM provenance WHERE identity = ?", (record.identity,))
        audit.note(
            "record.erased", actor=actor, subject=f"record {seq}", now=now(), rows=numbers, fields=names, basis=basis,
            reason=reason, step=step,
        )  # fmt: skip
        return Erased("erased", numbers, names, step)


def _allowed(record: Record, names: list[str]) -> None:
    """Raise NotErasable for what must stay, and for fields that the record does not have."""
    if record.kind in ("coverage", STEP):
        raise NotErasable(f"Row {record.seq} says {record.kind}: it holds no record of anybody and stays.")
    if record.act == "step":
        if not names or not set(names) <= WORDS_OF_STEPS:
            raise NotErasable(
                f"Row {record.seq} is a step, which says what was done. Only its words may be erased: --fields "
                f"{','.join(sorted(WORDS_OF_STEPS & set(record.detail))) or '(it has none)'}."
            )
    elif record.kind == "registration" and not names:
        raise NotErasable(
            f"Row {record.seq} is the registration of an entity, which every other record of it needs. Erase single fields "
            "of it, or the records."
        )
    needed, why = NEEDED.get(record.kind, (frozenset(), ""))
    if kept := needed & set(names):
        raise NotErasable(f"{', '.join(sorted(kept))} {why}")


def _gone_already(record: Record, names: list[str]) -> Erased | None:
    """What became of an earlier erasure, where nothing is left to erase. Raises NotErasable for an unknown field."""
    found: list[int] = []
    steps: set[int] = set()
    for row in Record.select().where(Record.seq.in_(traces.wordings(record.identity))).order_by(Record.seq):
        erased = Erasure.get_or_none(Erasure.seq == row.seq)
        if erased is not None:
            steps.add(erased.step_seq)
        if erased is not None and erased.kept is None:
            continue
        if not names or set(names) & set(row.detail):
            found.append(row.seq)
    if found:
        return None
    lost = {
        name
        for row in Erasure.select().where(Erasure.step_seq.in_(sorted(steps)))
        for name in (Salts.from_json(row.kept).erased if row.kept else names)
    }
    if not steps or not set(names) <= lost:
        raise NotErasable(
            f"The record of row {record.seq} has no field {', '.join(sorted(set(names) - lost))}. "
            f"It has: {', '.join(sorted(record.detail)) or 'none'}."
        )
    return Erased("unchanged", [], names, max(steps))


def _open(h: Hash, seq: int) -> tuple[Row, Salts] | None:
    leaf = Leaf.get_or_none(Leaf.seq == seq)
    if leaf is None:
        raise SealBroken(f"Row {seq} was written while it was to be erased. Give the command again.")
    return opened_row(h, leaf)


def _on_record(
    pen: Pen, h: Hash, record: Record, opened: list[tuple[Row, Salts]], names: list[str], basis: str, reason: str,
    actor: str, today: date,
) -> int:  # fmt: skip
    numbers = [row.seq for row, _ in opened]
    detail: dict[str, Any] = {"rows": numbers, "fields": names, "basis": basis, "reason": reason, "by": actor}
    if not names:
        detail["remains"] = {str(row.seq): leaves.remains(h, row.columns) for row, _ in opened}
    outcome = pen.step(
        STEP, about=record.identity, entity=record.entity_id, key=[*numbers, *names], on=today, detail=detail, by=actor,
        leaves_out=None if names else "erased",
    )  # fmt: skip
    pen.flush()
    return outcome.seq


def _words(opened: list[tuple[Row, Salts]], names: list[str]) -> set[str]:
    """The texts that these fields held, in any wording."""
    values = [row.detail.get(name) for row, _ in opened for name in names]
    parts = [part for value in values for part in (value if isinstance(value, list) else [value])]
    return {part for part in parts if isinstance(part, str)}


def _tell(record: Record, step: int, today: date) -> None:
    """Let recipients hear, before the words go, of which record something was erased. What was said of a step was not sent."""
    if record.act == "step" or record.kind not in KINDS:
        return
    target = life.target_of(record.identity)
    notices.tell(
        seq=step, what="erased", identity=target.identity, entity=target.entity.id, kind=target.kind,
        document_no=target.document_no, organ=target.organ, on=today,
    )  # fmt: skip


def _empty(h: Hash, row: Row, salts: Salts, names: list[str], *, step: int, basis: str, actor: str, now: int) -> None:
    """Name the row in `erasure`, which lets it be changed, then take content and salt away."""
    kept: str | None = None
    columns, detail = leaves.emptied(row.columns), {}
    if names:
        left = {name: salt for name, salt in salts.fields.items() if name not in names}
        gone = set(salts.fields) - set(left)
        committed = leaves.body(h, row, salts)["detail"]
        erased = salts.erased | {name: bytes.fromhex(committed[name]) for name in gone}
        kept = Salts(salts.row, left, erased).as_json()
        columns, detail = row.columns, {name: value for name, value in row.detail.items() if name in left}
    execute("DELETE FROM erasure WHERE seq = ?", (row.seq,))
    insert_rows(
        "erasure", ("seq", "kept", "at", "by", "basis", "step_seq"), [(row.seq, kept, now, actor[:64], basis, step)]
    )
    values = dict(zip(COLUMNS, columns, strict=True))
    execute(
        "UPDATE record SET content = ?, code = ?, severity = ?, amount_fen = ?, happened_on = ?, ends_on = ?, "
        "document_no = ?, organ = ?, detail = ? WHERE seq = ?",
        (
            values["content"], values["code"], values["severity"], values["amount_fen"], values["happened_on"],
            values["ends_on"], values["document_no"], values["organ"], canonical(detail).decode(), row.seq,
        ),
    )  # fmt: skip
    execute("UPDATE leaf SET salt = NULL WHERE seq = ?", (row.seq,))
    mirrors.forget(row.seq)
    if names:
        left_over = f"SELECT {', '.join(mirrors.NAMES)} FROM record WHERE seq = ?"  # noqa: S608 (names are ours)
        mirrors.keep(mirrors.NAMES, execute(left_over, (row.seq,)).fetchall(), [])
