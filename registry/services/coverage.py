"""Which feeds were connected, as grading reads it: the table beside the ledger rows that say so."""

from collections.abc import Sequence

from registry import clock
from registry.database import execute, insert_rows
from registry.kinds import Statement


def keep(seq: int, said: Statement, *, replaces: int | None, schemes: Sequence[str]) -> None:
    """Keep what ledger row `seq` says of a feed, in its transaction, in place of row `replaces` if there is one.

    What was unknown becomes zero, or the other way round: everyone in the division is due.
    """
    assert said.happened_on is not None
    division = said.detail["division"]
    if replaces is not None:
        execute("UPDATE coverage SET gone = ? WHERE known = ?", (seq, replaces))
    to_day = None if said.ends_on is None else clock.day_number(said.ends_on)
    insert_rows(
        "coverage",
        ("known", "kind", "division", "from_day", "to_day"),
        [(seq, said.code, division, clock.day_number(said.happened_on), to_day)],
    )
    for scheme in schemes:
        execute(
            "INSERT INTO stale (scheme, entity, seq) SELECT ?, id, ? FROM entity WHERE registered_seq IS NOT NULL "
            "AND division LIKE ? ORDER BY id ON CONFLICT (scheme, entity) DO UPDATE SET seq = excluded.seq",
            (scheme, seq, f"{division}%"),
        )
