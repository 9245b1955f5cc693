"""One entry per verb: who did what to what."""

from registry.models import Audit


def note(verb: str, *, actor: str, subject: str, now: int, **detail: object) -> None:
    """Write one entry, inside the transaction of the verb that it is about."""
    Audit.insert(at=now, actor=actor[:64], verb=verb, subject=subject[:80], detail=detail).execute()
