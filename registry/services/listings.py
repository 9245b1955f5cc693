"""Listings that end by themselves: the serious-violation list 严重违法失信名单 after its term."""

import calendar
from datetime import date

from registry import clock
from registry.database import execute, in_slices
from registry.errors import RecordNotFound
from registry.kinds import KINDS, Statement
from registry.kinds.serious_listing import TERM_YEARS
from registry.models import Record
from registry.services import audit, ledger

KIND = KINDS["serious_listing"]


def end_of_term(listed_on: date | None, until: str | None) -> date:
    """The day on which a listing ends: three years after it began, or `until` (ISO) where a law sets a longer restriction.

    A listing of 29 February ends on 28 February: the month has no such day (Civil Code, article 202).
    """
    assert listed_on is not None  # an undated listing projects no fact
    year = listed_on.year + TERM_YEARS
    day = min(listed_on.day, calendar.monthrange(year, listed_on.month)[1])
    term = date(year, listed_on.month, day)
    return max(term, date.fromisoformat(until)) if until else term


def over(today: date) -> list[tuple[int, date]]:
    """(ledger number, last day) of every serious-violation listing without a removal whose term is over by `today`."""
    # Facts are the narrow table; an undated listing has none, and no term that could end.
    rows = execute(
        "SELECT f.known FROM fact f "
        "WHERE f.kind = ? AND f.ends IS NULL AND f.gone IS NULL AND f.day <= ? ORDER BY f.known",
        (KIND.number, clock.day_number(today) - 365 * TERM_YEARS),
    ).fetchall()
    found: list[tuple[int, date]] = []
    for part in in_slices([row[0] for row in rows], 10_000):
        for record in Record.select().where(Record.seq.in_(part)).order_by(Record.seq):
            end = end_of_term(record.happened_on, record.detail.get("until"))
            if end <= today:
                found.append((record.seq, end))
    return found


def end(seq: int, *, on: date, actor: str, schemes: list[str], now: int) -> ledger.Outcome:
    """End a listing on a day: a correction that says when it was removed, in a transaction of its own.

    Safe to repeat: a listing that has its removal, or was withdrawn or corrected meanwhile, is left as it is. The
    correction stands under the source of the listing: its old words, sent again, do not reopen it, its new ones count.
    Raises RecordNotFound where there is no such listing.
    """
    with ledger.writing(now=now, schemes=schemes) as pen:
        record = Record.get_or_none((Record.seq == seq) & (Record.kind == KIND.name))
        if record is None:
            raise RecordNotFound(f"The ledger has no serious-violation listing {seq}.")
        if record.replaced_seq is not None or record.act == "withdraw" or record.ends_on is not None:
            return ledger.Outcome("unchanged", seq)
        said = Statement(
            record.kind, record.code, record.severity, record.amount_fen, record.happened_on, on, record.document_no,
            record.organ, (), {**record.detail, "removed_because": "term_over"},
        )  # fmt: skip
        outcome = pen.correct(seq, said, source=record.source, act="end")
        pen.flush()
        audit.note("listing.ended", actor=actor, subject=f"record {seq}", now=now, by=outcome.seq, on=on.isoformat())
        return outcome
