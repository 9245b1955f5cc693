"""What is kept for a while only."""

from registry.database import execute, write

# Rows removed in one transaction: a few milliseconds of the write lock.
ROWS = 1_000


def drop_replies(before: int) -> int:
    """Remove replies kept for repeated requests that are older than a moment (milliseconds UTC). Returns how many."""
    gone = 0
    while True:
        with write():
            rows = execute(
                "SELECT key, idempotency_key FROM reply WHERE created_at < ? LIMIT ?", (before, ROWS)
            ).fetchall()
            for key, name in rows:
                execute(
                    "DELETE FROM reply WHERE key = ? AND idempotency_key = ? AND created_at < ?", (key, name, before)
                )
        gone += len(rows)
        if len(rows) < ROWS:
            return gone
