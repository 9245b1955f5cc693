"""Saying what happens in the life of a record, with everything that a test's sentence leaves out."""

from datetime import date
from typing import Any

from registry.models import Publication
from registry.services import life, objections, publication, records, repairs, reviews
from registry.services.publication import Shown
from tests.conftest import NOW, TODAY
from tests.factories import record, registered

ORGAN = "信衡市市场监督管理局"
POSTER, REVIEWER, DECIDER, FIRM = "key:poster", "key:reviewer", "key:decider", "key:firm"
# Who approves a repair: of a listing somebody else than who accepted it.
APPROVER = "key:approver"
SCHEMES = ["general-risk"]


def target(seq: int) -> life.Target:
    return life.current(seq)


def passed(seq: int, *, on: date = TODAY, actor: str = REVIEWER, outcome: Any = "passed", reason: str = "") -> Any:
    kind = target(seq).kind
    return reviews.review(
        seq, kind, outcome=outcome, reason=reason, organ=None, actor=actor, schemes=SCHEMES, today=on, now=NOW
    )


def published(seq: int, *, on: date = TODAY, old_rows: str = "keep", **given: Any) -> dict[str, Shown]:
    shown = publication.publish(
        seq, target(seq).kind, organ=None, actor=REVIEWER, today=on, now=NOW, old_rows=old_rows, **given
    )
    return {one.channel: one for one in shown}


def shown_penalty(*, on: date = date(2026, 3, 2), channels: tuple[str, ...] = (), entity: int | None = None, **given: Any) -> int:  # fmt: skip
    """A penalty decided, reviewed and published on one day; its ledger number."""
    seq = record(entity or registered(), "penalty", **{"decided_on": on, **given}).seq
    passed(seq, on=on)
    published(seq, on=on, channels=channels)
    return seq


def row(seq: int, channel: str = "site") -> Publication:
    found = Publication.get((Publication.identity == target(seq).identity) & (Publication.channel == channel))
    assert isinstance(found, Publication)
    return found


def seen(seq: int, channel: str = "site", *, on: date = TODAY) -> bool:
    one = target(seq)
    found = publication.is_visible(one.identity, channel=channel, today=on)
    assert found == (one.identity in publication.visible(one.entity.id, channel=channel, today=on))
    return found


def withdrawn(seq: int, *, on: date = TODAY, organ: str = ORGAN, scheme: Any) -> Any:
    return records.withdraw(
        seq, target(seq).kind, organ=organ, source="organ", reason="行政复议撤销", actor=DECIDER, scheme=scheme, schemes=SCHEMES, today=on, now=NOW
    )  # fmt: skip


def applied(seq: int, *, on: date = TODAY, actor: str = FIRM) -> dict[str, Any]:
    return repairs.apply(seq, target(seq).kind, statement="已履行义务并承诺守法经营", entities=None, actor=actor, today=on, now=NOW)  # fmt: skip


def accepted(number: int, *, on: date = TODAY, actor: str = DECIDER, yes: bool = True, reason: str = "") -> dict[str, Any]:  # fmt: skip
    return repairs.accept(number, accepted=yes, reason=reason, organ=None, actor=actor, today=on, now=NOW)


def decided(number: int, *, on: date = TODAY, actor: str = APPROVER, yes: bool = True, conditions: Any = None, reason: str = "") -> dict[str, Any]:  # fmt: skip
    found = repairs.get(number)
    met = {name: True for name, one in found["conditions"].items() if one["checked"] == "officer"}
    return repairs.decide(
        number, approved=yes, conditions=met if conditions is None else conditions, reason=reason, organ=None, actor=actor, schemes=SCHEMES, today=on, now=NOW
    )  # fmt: skip


def repaired(seq: int, *, on: date = TODAY) -> dict[str, Any]:
    number = applied(seq, on=on)["id"]
    accepted(number, on=on)
    return decided(number, on=on)


def objected(seq: int, *, on: date = TODAY, actor: str = FIRM) -> dict[str, Any]:
    return objections.receive(seq, target(seq).kind, reason="当事人不是本企业", entities=None, actor=actor, today=on, now=NOW)  # fmt: skip


def answered(number: int, *, upheld: bool, withdraw: bool = False, on: date = TODAY, actor: str = DECIDER) -> dict[str, Any]:  # fmt: skip
    objections.accept(number, accepted=True, organ=None, actor=actor, today=on, now=NOW)
    return objections.verify(
        number, upheld=upheld, withdraw=withdraw, reason="经核实", organ=None, actor=actor, schemes=SCHEMES, today=on, now=NOW
    )  # fmt: skip
