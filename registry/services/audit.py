"""One entry per verb: who did what to what."""

from registry.models import Audit


def note(verb: str, *, actor: str, subject: str, now: int, seq: int | None = None, **detail: object) -> None:
    """Write one entry, inside the transaction of the verb that it is about.

    `seq` is the last ledger row that the verb wrote, so that who wrote a row is one look-up.
    """
    Audit.insert(at=now, actor=actor[:64], verb=verb, subject=subject[:80], detail=detail, seq=seq).execute()
