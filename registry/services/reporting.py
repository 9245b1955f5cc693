"""How well organs report 双公示报送: what was sent, too late, refused, and what should have been sent and was not."""

from dataclasses import dataclass, fields
from datetime import date

from registry import publicity, templates
from registry.database import execute
from registry.services import workdays
from registry.services.life import HIDDEN

# The clocks of Credit China and of NECIPS, in working days after the decision.
CLOCKS = (7, 20)


@dataclass(slots=True)
class Rate:
    """One organ and month of decision. A record counts once, by the batch in which it was sent first.

    `late_7` and `late_20` are records that were sent later than 7 and 20 working days after their decision; `refused` were
    refused by the recipient; `overdue` were not sent and should have been, by the recipient's own clock.
    """

    organ: str
    month: str
    sent: int = 0
    late_7: int = 0
    late_20: int = 0
    accepted: int = 0
    refused: int = 0
    overdue: int = 0


COUNTS = tuple(one.name for one in fields(Rate))[2:]


def rates(recipient: str, kind: str, *, organ: str | None, first: date, last: date, today: date) -> list[Rate]:
    """Rates of the decisions of these days by organ and month, in order. Raises UnknownRecipient, UnknownTemplate.

    Three queries that count in the database; days are then judged once for each pair of decision and sending.
    """
    to = templates.recipient(recipient)
    if kind not in to.templates:
        raise templates.UnknownTemplate(f"{to.id} takes no {kind}. It takes: {', '.join(to.templates)}.")
    found: dict[tuple[str, str], Rate] = {}

    def of(organ: str, decided: date) -> Rate:
        key = organ, f"{decided:%Y-%m}"
        return found.setdefault(key, Rate(*key))

    days = (first.isoformat(), last.isoformat())
    for name, decided, sent, said, count in _first_sent(recipient, kind, organ, days):
        rate = of(name, decided)
        rate.sent += count
        rate.accepted += count * (said == "accepted")
        rate.refused += count * (said == "refused")
        rate.late_7 += count * (sent > workdays.due(decided, CLOCKS[0]))
        rate.late_20 += count * (sent > workdays.due(decided, CLOCKS[1]))
    for name, decided, count in _unsent(to, kind, organ, days):
        if today > workdays.due(decided, to.days):
            of(name, decided).overdue += count
    return [found[key] for key in sorted(found)]


def _first_sent(
    recipient: str, kind: str, organ: str | None, days: tuple[str, str]
) -> list[tuple[str, date, date, str, int]]:
    sql = (
        "SELECT b.organ, o.decided_on, b.sent_on, o.said, count(*) FROM outbound_row o JOIN outbound b ON b.id = o.batch_id "
        "WHERE b.recipient = ? AND b.kind = ? AND b.sent_on IS NOT NULL AND o.decided_on BETWEEN ? AND ? AND (? = '' OR b.organ = ?) "
        "AND NOT EXISTS (SELECT 1 FROM outbound_row o2 JOIN outbound b2 ON b2.id = o2.batch_id WHERE o2.identity = o.identity "
        "AND o2.batch_id < o.batch_id AND b2.recipient = b.recipient AND b2.sent_on IS NOT NULL) "
        "GROUP BY b.organ, o.decided_on, b.sent_on, o.said"
    )
    rows = execute(sql, (recipient, kind, *days, organ or "", organ or "")).fetchall()
    return [(name, _day(decided), _day(sent), said, count) for name, decided, sent, said, count in rows]


def _unsent(
    to: templates.Recipient, kind: str, organ: str | None, days: tuple[str, str]
) -> list[tuple[str, date, int]]:
    """Records that hold and never went out. What is never shown on the recipient's channel is not missed there."""
    sql = (
        "SELECT r.organ, r.happened_on, count(*) FROM record r WHERE r.kind = ? AND r.replaced_seq IS NULL "  # noqa: S608 (names are ours)
        "AND r.act NOT IN ('withdraw', 'step') AND r.happened_on BETWEEN ? AND ? AND (? = '' OR r.organ = ?) AND r.document_no <> '' "
        f"AND NOT EXISTS (SELECT 1 FROM uncounted u WHERE u.identity = r.identity AND u.why IN ({', '.join(repr(why) for why in HIDDEN)})) "
        "AND NOT EXISTS (SELECT 1 FROM outbound_row o JOIN outbound b ON b.id = o.batch_id WHERE o.identity = r.identity "
        "AND b.recipient = ? AND b.sent_on IS NOT NULL) "
        "AND NOT EXISTS (SELECT 1 FROM publication p WHERE p.identity = r.identity AND p.channel = ? AND p.state IN ('never', 'stopped')) "
        "GROUP BY r.organ, r.happened_on"
    )
    channel = to.channel if to.channel in publicity.channels_of(kind) else ""
    rows = execute(sql, (kind, *days, organ or "", organ or "", to.id, channel)).fetchall()
    return [(name, _day(decided), count) for name, decided, count in rows]


def _day(value: str | date) -> date:
    """A day as the driver hands it over: SQLite as text, PostgreSQL as a day."""
    return value if isinstance(value, date) else date.fromisoformat(value)
