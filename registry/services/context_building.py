"""Building a context 背景值, once for everybody. It is never changed, and is whole or not there.

Its values are stored in short transactions under a number that nothing names, and the row that names it last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from registry import clock
from registry.config import Settings
from registry.database import execute, insert_rows, read_frame, session, write
from registry.errors import RegistryError
from registry.models import GradeContext, Record
from registry.services import leases, ledger
from registry.services.context import HEAD
from registry.services.context_values import VALUES, Made, Progress, read

# Rows of values in one transaction: under 30 ms of the write lock.
ROWS = 2_000
COLUMNS = ("context", "entity", "name", "value", "behind")
# A build takes seconds; who holds the lease for so long has hung.
LEASE, LEASE_MS = "context", 30 * 60_000
STEP = "context_built"


class ContextConflict(RegistryError):
    """A context that stands is not changed, and contexts are built one after the other."""

    code = "context_conflict"
    status = 409


@dataclass(frozen=True, slots=True)
class Built:
    """What became of a build: `said` is `built` or `unchanged`; `values` and `entities` count what the context holds."""

    said: str
    context: GradeContext
    values: int
    entities: int


def build(
    settings: Settings, *, day: date, known: int | None = None, now: int, progress: Progress | None = None
) -> Built:
    """Build the context that is read from `day` on, out of what was known at ledger number `known` (default: now).

    Safe to repeat: a second build for the same day reads what the first one read and is `unchanged`. Raises ContextConflict
    where it would say something else, where a newer context stands already, and while another build is at work; nothing was
    changed then.
    """
    with session():
        lease = leases.acquire(LEASE, now=now, length=LEASE_MS)
        if lease is None:
            raise ContextConflict(
                "Another build of the context is at work. Wait until it is done: `xinheng context list` shows it."
            )
        try:
            newest = GradeContext.select(*HEAD).order_by(GradeContext.day.desc()).first()
            number, held = clock.day_number(day), None
            if newest is not None and newest.day == number:
                held = newest
            elif newest is not None and (newest.day > number or (known is not None and known < newest.known)):
                raise ContextConflict(
                    f"A context stands from {clock.day_of(newest.day)} at ledger number {newest.known}: one before it, or one that "
                    "knows less, would change grades of the past. Build one for a later day."
                )
            if known is None:
                known = ledger.head() if held is None else held.known
            made = read(settings, day=day, known=known, without="" if held is None else held.hash, progress=progress)
            count = made.values["entity"].n_unique()
            if held is not None:
                if held.hash == made.hash:
                    return Built("unchanged", held, made.values.height, count)
                raise ContextConflict(
                    f"The context of {day} stands as {held.hash[:12]} (ledger number {held.known}), and this would be another one "
                    f"({made.hash[:12]}, ledger number {known}). A context is never changed: build one for a later day."
                )
            _sweep()
            stored = _store(made)
            renewed = leases.renew(lease, now=now, length=LEASE_MS)
            if renewed is None:
                raise ContextConflict(
                    "Another build of the context took over from this one. Nothing of this one is in force: build again."
                )
            lease = renewed
            return Built("built", _put_in_force(made, stored, now), made.values.height, count)
        finally:
            leases.release(lease)


def differences() -> Iterator[str]:
    """Contexts that do not say any more what they were built with, in words; nothing where all is in order."""
    for found in GradeContext.select():
        values = read_frame(
            "SELECT entity, name, value, behind FROM context_value WHERE context = ?", (found.id,), dict(VALUES)
        )
        if Made(found.day, found.known, found.names, [tuple(row) for row in found.norms], values).hash != found.hash:
            yield f"The context of {clock.day_of(found.day)} was changed: it is not what its hash {found.hash[:12]} says."
        step = Record.get_or_none((Record.seq == found.seq) & (Record.kind == STEP))
        if step is None or (step.detail.get("hash"), step.happened_on) != (found.hash, clock.day_of(found.day)):
            yield f"The context of {clock.day_of(found.day)} does not follow from ledger row {found.seq}, which put it in force."
    (steps,) = execute("SELECT count(*) FROM record WHERE act = 'step' AND kind = ?", (STEP,)).fetchone()
    if steps != GradeContext.select().count():
        yield f"{steps} contexts were put in force, and {GradeContext.select().count()} are there."


def _store(made: Made) -> int:
    """Store the values under a number that no context has yet, and return it."""
    number = int(execute("SELECT coalesce(max(id), 0) FROM grade_context").fetchone()[0]) + 1
    rows = made.values.select(pl.lit(number).alias("context"), *COLUMNS[1:])
    for piece in rows.iter_slices(ROWS):
        with write():
            insert_rows("context_value", COLUMNS, piece.rows())
    return number


def _put_in_force(made: Made, number: int, now: int) -> GradeContext:
    with ledger.writing(now=now, schemes=[]) as pen:
        said = pen.step(
            STEP, about=made.hash[:32], entity=None, key=[made.day], on=clock.day_of(made.day),
            detail={"hash": made.hash, "known": made.known}, by="context",
        )  # fmt: skip
        GradeContext.insert(
            id=number, hash=made.hash, day=made.day, known=made.known, seq=said.seq, built_at=now, names=made.names,
            norms=made.norms,
        ).execute()  # fmt: skip
    found = GradeContext.select(*HEAD).where(GradeContext.id == number).get()
    assert isinstance(found, GradeContext)
    return found


def _sweep() -> None:
    """Remove the values that a build which was cut off left behind."""
    after = 0
    while True:
        (number,) = execute("SELECT min(context) FROM context_value WHERE context > ?", (after,)).fetchone()
        if number is None:
            return
        after = int(number)
        if not GradeContext.select().where(GradeContext.id == after).exists():
            _remove(after)


def _remove(number: int) -> None:
    while True:
        bound = execute(
            "SELECT entity FROM context_value WHERE context = ? ORDER BY entity LIMIT 1 OFFSET ?", (number, ROWS)
        ).fetchone()
        with write():
            if bound is None:
                execute("DELETE FROM context_value WHERE context = ?", (number,))
                return
            execute("DELETE FROM context_value WHERE context = ? AND entity <= ?", (number, bound[0]))
