"""Review 公示审核: a second person looks at a record, in the wording it has, before anybody outside sees it."""

from datetime import date
from typing import Any, Literal

from registry.cells.personal import mask_personal
from registry.errors import RegistryError
from registry.models import Review
from registry.services import audit, ledger, life, publication
from registry.services.life import Change, WrongState

Outcome = Literal["passed", "refused"]


class ReasonMissing(RegistryError):
    code = "reason_missing"
    status = 422


def review(
    seq: int,
    kind: str,
    *,
    outcome: Outcome,
    reason: str = "",
    organ: str | None,
    actor: str,
    schemes: list[str],
    today: date,
    now: int,
) -> dict[str, Any]:
    """Pass or refuse the wording that a record has now, and return the review. Safe to repeat.

    A corrected record has another wording and needs another review. A refusal takes down what is published. A record that
    waited for this review counts from here on. Raises SameHands where the actor posted these words, ReasonMissing for
    a refusal without one, WrongState where an objection to these words was upheld, RecordNotFound, RecordConflict where the
    row is not what the record says now.
    """
    # Found before the ledger is held; that nothing was said since is what `standing` makes sure of.
    brought = life.posted_by(life.current(seq, kind=kind, organ=organ))
    with ledger.writing(now=now, schemes=schemes) as pen:
        target = life.current(seq, kind=kind, organ=organ)
        life.standing(target, seq)
        life.two_keys(actor, brought, what="review it", did="posted this record")
        reason = mask_personal(reason.strip())
        if outcome == "refused" and not reason:
            raise ReasonMissing(
                "A refusal needs a `reason`: what is wrong with the record, so that it can be corrected."
            )
        before = life.rows_of(Review, identity=target.identity, content=target.content)
        if before and before[0]["outcome"] == outcome:
            return before[0]
        if before and publication.upheld_against(before[0]["seq"]):
            raise WrongState(f"Record {seq} cannot pass a review in these words. {publication.UPHELD}")
        values = {"outcome": outcome, "reviewed_by": actor[:64], "reviewed_at": now, "reason": reason}
        change = Change("review", {"identity": target.identity, "content": target.content}, values)
        done = life.step(pen, "reviewed", target, [change], on=today, by=actor, reason=reason, outcome=outcome)
        audit.note("record.reviewed", actor=actor, subject=f"record {seq}", now=now, by=done.seq, outcome=outcome)
        if outcome == "passed" and target.out == "review":
            pen.restate(target.seq, source=actor[:64], reason="审核通过")
        if outcome == "refused":
            publication.take_down(pen, target, "review", on=today, by=actor, now=now, reason=reason)
        (made,) = life.rows_of(Review, identity=target.identity, content=target.content)
        return made
