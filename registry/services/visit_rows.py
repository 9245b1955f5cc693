"""One visit 检查 for each row of an inspection list, written together with the list."""

import base64
import hashlib
import hmac
from collections.abc import Iterable

from registry.database import execute, insert_rows
from registry.models import InspectionList, Task

COLUMNS = (
    "task_id", "list_id", "position", "entity", "slice", "inclusion", "stratum", "state", "token", "why", "version",
)  # fmt: skip
# 24 characters that a person can read aloud, 120 bits: what nobody guesses.
TOKEN_BYTES = 15

# position on the list, entity, slice, inclusion probability in millionths (0: no lot decided), stratum ("" outside a draw)
Row = tuple[int, int, str, int, str]


def write(made: InspectionList, task: Task, rows: Iterable[Row], *, token_seed: bytes, now: int) -> list[int]:
    """Write the visits of a list inside the transaction that freezes it; returns their ids in the order of `rows`.

    Safe to repeat: a row whose place on the list has its visit already keeps that visit. Tokens are derived from
    `token_seed` (32 secret bytes, kept nowhere), so that no token tells another one, and ids follow the tokens: neither
    tells a place on the list. `now` is milliseconds UTC.
    """
    some = list(rows)
    if not some:
        return []
    places = [row[0] for row in some]
    there = _ids(made.id, min(places), max(places))
    # By token: ids in the order of the list would tell the field who came first on it, and so the class.
    new = sorted((token(token_seed, made.id, row[0], now), row) for row in some if row[0] not in there)
    insert_rows(
        "visit",
        COLUMNS,
        (
            (task.id, made.id, position, entity, slice_, inclusion, stratum, "open", said, "", 1)
            for said, (position, entity, slice_, inclusion, stratum) in new
        ),
    )
    found = _ids(made.id, min(places), max(places))
    return [found[place] for place in places]


def _ids(made: int, first: int, last: int) -> dict[int, int]:
    sql = "SELECT position, id FROM visit WHERE list_id = ? AND position BETWEEN ? AND ?"
    return dict(execute(sql, (made, first, last)).fetchall())


def token(seed: bytes, made: int, position: int, now: int) -> str:
    """What the code on the notice of one visit says: 24 letters and digits (base 32)."""
    digest = hmac.new(seed, f"{made}:{position}:{now}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:TOKEN_BYTES]).decode()
