"""The minutes of a draw 抽取记录 as files: the full ones for auditors, the public ones for everybody once the task is closed."""

from functools import lru_cache
from typing import Any

from registry.models import Draw
from registry.services.draw_errors import STATES, DrawConflict
from rules import draw as lots

COPIES = {"full": "内部联", "public": "公开联"}


def full(draw: Draw) -> dict[str, Any]:
    """The full minutes of a draw that was run. Raises DrawConflict for one that was not."""
    if draw.state not in ("drawn", "revealed"):
        raise DrawConflict(
            f"Draw {draw.id} is {draw.state} ({STATES[draw.state]}): minutes are kept of what was drawn. Once it is committed to, "
            "`xinheng draw run` draws it."
        )
    return read(draw)


def read(draw: Draw) -> dict[str, Any]:
    """The minutes that are stored with a draw, whatever its state."""
    assert draw.minutes is not None
    found: dict[str, Any] = lots.unpacked(bytes(draw.minutes))
    return found


def full_file(draw: Draw) -> bytes:
    """The full minutes in the one form to the byte whose digest stands on the ledger. Raises DrawConflict before it was run.

    They hold classes, the seed and the salt: for readers of classes who audit draws.
    """
    return lots.canonical(full(draw))


def public_file(draw: Draw) -> bytes:
    """The public minutes in the one form to the byte. Raises DrawConflict before the draw is revealed."""
    if draw.state == "void":
        raise DrawConflict(
            f"Draw {draw.id} is void ({STATES[draw.state]}): nothing was drawn, so there are no minutes. GET /api/v1/public/draws shows what "
            "was announced, and why it is void."
        )
    if draw.state != "revealed":
        raise DrawConflict(
            f"Draw {draw.id} is {draw.state} ({STATES[draw.state]}). Its public minutes can be read once its task is closed; until then "
            "GET /api/v1/public/draws shows what was announced."
        )
    return _public(draw.id, draw.minutes_digest)


@lru_cache(2)
def _public(number: int, _digest: str) -> bytes:
    # Anybody may ask, as often as he likes: commitments of a city are worked out once.
    return lots.canonical(lots.public_minutes(full(Draw.get_by_id(number))))
