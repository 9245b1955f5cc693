"""Doing to a record what is done in its life, in one short call each: published, stopped, withdrawn, repaired."""

from datetime import date

from registry.models import Record
from registry.services import ledger, objections, publication, repairs, reviews
from tests.conftest import NOW, TODAY

SCHEMES = ["general-risk"]


def kind_of(seq: int) -> str:
    return str(Record.get(Record.seq == seq).kind)


def shown(seq: int, *, today: date = TODAY, now: int = NOW) -> None:
    """Review a record and publish it on every channel that its kind has."""
    kind = kind_of(seq)
    reviews.review(seq, kind, outcome="passed", organ=None, actor="key:reviewer", schemes=SCHEMES, today=today, now=now)
    publication.publish(seq, kind, organ=None, actor="key:publisher", today=today, now=now, old_rows="keep")


def stopped(seq: int, *, today: date = TODAY, now: int = NOW) -> None:
    publication.stop(seq, kind_of(seq), reason="复议决定", organ=None, actor="key:publisher", today=today, now=now)


def withdrawn(seq: int, *, now: int = NOW) -> ledger.Outcome:
    with ledger.writing(now=now, schemes=SCHEMES) as pen:
        return pen.withdraw(seq, source="test", reason="行政复议撤销")


def repaired(seq: int, *, today: date = TODAY, now: int = NOW) -> None:
    """Apply for, accept and approve the repair of a record; every condition is answered with yes."""
    asked = repairs.apply(
        seq, kind_of(seq), statement="已履行", entities=None, actor="key:applicant", today=today, now=now
    )
    repairs.accept(asked["id"], accepted=True, organ=None, actor="key:officer", today=today, now=now)
    repairs.decide(
        asked["id"], approved=True, conditions=dict.fromkeys(asked["conditions"], True), organ=None, actor="key:second",
        schemes=SCHEMES, today=today, now=now,
    )  # fmt: skip


def objected(seq: int, *, entity: int | None = None, today: date = TODAY, now: int = NOW) -> int:
    made = objections.receive(
        seq, kind_of(seq), reason="处罚对象有误", entities=entity and [entity], actor="key:party", today=today, now=now
    )
    return int(made["id"])
